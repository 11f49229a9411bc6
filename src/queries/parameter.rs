//! A parameter of a saved query: its declaration and the values it takes.

use chrono::NaiveDate;

use super::values;

/// A declared parameter: `since varchar = '1970-01-01T00:00:00Z' -- earliest eventtime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name; in the SQL it stands as `:name`.
    pub name: String,
    /// The values it takes.
    pub kind: Kind,
    /// The value where none is given; without it, one must be.
    pub default: Option<String>,
    /// What it means.
    pub description: String,
}

/// The types of parameters, in Athena's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Varchar,
    /// A whole number of 64 bits.
    Bigint,
    /// A number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// A day.
    Date,
    /// Texts, any number of them.
    List,
}

impl Kind {
    const ALL: [(Self, &str); 6] = [
        (Self::Varchar, "varchar"),
        (Self::Bigint, "bigint"),
        (Self::Double, "double"),
        (Self::Boolean, "boolean"),
        (Self::Date, "date"),
        (Self::List, "array(varchar)"),
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    /// `value` as a SQL literal of this type; a list is parted by commas.
    ///
    /// # Errors
    /// It is no value of this type; what was expected.
    pub fn literal(self, value: &str) -> Result<String, String> {
        match self {
            Self::Varchar => Ok(quoted(value)),
            Self::Bigint => match value.parse::<i64>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err("expected a whole number".to_owned()),
            },
            Self::Double => match value.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(format!("{number:e}")),
                _ => Err("expected a number".to_owned()),
            },
            Self::Boolean => match value {
                "true" | "false" => Ok(value.to_owned()),
                _ => Err("expected true or false".to_owned()),
            },
            Self::Date => match value.parse::<NaiveDate>() {
                Ok(day) => Ok(format!("DATE '{day}'")),
                Err(_) => Err("expected a day such as 2024-01-31".to_owned()),
            },
            Self::List => Ok(values::list_literal(&values::written_out(value))),
        }
    }
}

impl Parameter {
    /// What stands for it in a prepared statement of Athena's, with one `?`.
    pub fn athena(&self) -> &'static str {
        match self.kind {
            Kind::List => "filter(split(?, ','), value -> value <> '')",
            _ => "?",
        }
    }

    /// The type of what that `?` takes.
    pub fn athena_type(&self) -> &'static str {
        match self.kind {
            Kind::List => "varchar (a list, parted by commas)",
            kind => kind.as_str(),
        }
    }

    /// `value` as a literal for that `?`.
    pub fn athena_literal(&self, value: &str) -> String {
        let literal = match self.kind {
            Kind::List => Ok(quoted(value)),
            kind => kind.literal(value),
        };
        literal.unwrap_or_else(|_no_such_value| quoted(value))
    }

    /// A literal of its type, for planning a query without its values.
    pub fn sample(&self) -> &'static str {
        match self.kind {
            Kind::Varchar => "''",
            Kind::Bigint => "1",
            Kind::Double => "1e0",
            Kind::Boolean => "true",
            Kind::Date => "DATE '2024-01-31'",
            Kind::List => "ARRAY['']",
        }
    }

    /// Parses a declaration.
    ///
    /// # Errors
    /// It is none, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "expected `name type [= default] -- meaning`";
        let (declaration, description) = split_outside_quotes(text).ok_or(FORM)?;
        let (head, default) = match declaration.split_once('=') {
            Some((head, default)) => (head, Some(default.trim())),
            None => (declaration, None),
        };
        let mut words = head.split_whitespace();
        let (Some(name), Some(word), None) = (words.next(), words.next(), words.next()) else {
            return Err(FORM.to_owned());
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_name {
            return Err(format!(
                "`{name}` is no name: expected lower-case letters, digits and `_`"
            ));
        }
        let kind = Kind::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind);
        let kind = kind.ok_or_else(|| {
            let known: Vec<&str> = Kind::ALL.iter().map(|(_, word)| *word).collect();
            format!("unknown type `{word}`: expected one of {}", known.join(", "))
        })?;
        let default = default.map(unquoted).transpose()?;
        if let Some(default) = &default {
            kind.literal(default)
                .map_err(|reason| format!("the default does not fit: {reason}"))?;
        }
        Ok(Self { name: name.to_owned(), kind, default, description: description.to_owned() })
    }
}

/// Parts a declaration from its meaning at the first `--` that is not in quotes.
fn split_outside_quotes(text: &str) -> Option<(&str, &str)> {
    let mut in_quotes = false;
    for (at, c) in text.char_indices() {
        in_quotes ^= c == '\'';
        let (before, rest) = text.split_at_checked(at)?;
        if let Some(meaning) = rest.strip_prefix("--").filter(|_| !in_quotes) {
            let (before, meaning) = (before.trim(), meaning.trim());
            return (!before.is_empty() && !meaning.is_empty()).then_some((before, meaning));
        }
    }
    None
}

pub(super) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A default as it is written: `'text'`, or a bare number, boolean or day.
fn unquoted(text: &str) -> Result<String, String> {
    if !text.starts_with('\'') {
        return Ok(text.to_owned());
    }
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match inner {
        Some(inner) if !inner.replace("''", "").contains('\'') => Ok(inner.replace("''", "'")),
        _ => Err("the default's quotes do not match".to_owned()),
    }
}
