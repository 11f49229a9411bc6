//! The values that a saved query is run with: those given, and the defaults of the others.
//!
//! A list (`array(varchar)`) is written out, parted by commas, or comes from a file (`@FILE`) or
//! from standard input (`-`), one value a line. Given several times, lists add up. Whoever runs the
//! query reads the files.

use super::{Kind, Parameter, SavedQuery};
use crate::{Error, ErrorKind, Result, error::nearest};

/// Where a list comes from that is not written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSource<'a> {
    /// The file of this name.
    File(&'a str),
    /// Standard input.
    Stdin,
}

impl<'a> ListSource<'a> {
    fn of(value: &'a str) -> Option<Self> {
        match value.strip_prefix('@') {
            Some("-") => Some(Self::Stdin),
            None if value == "-" => Some(Self::Stdin),
            file => file.filter(|name| !name.is_empty()).map(Self::File),
        }
    }
}

impl SavedQuery {
    /// `key [since] [until]`: what may be left out stands in brackets.
    pub fn signature(&self) -> String {
        let one = |parameter: &Parameter| match parameter.default {
            None => parameter.name.clone(),
            Some(_) => format!("[{}]", parameter.name),
        };
        self.parameters.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// The parameters' values as SQL literals, in order: those in `given`, and the defaults of the
    /// others. `read` gives the text that a list comes from.
    ///
    /// # Errors
    /// A name is unknown, a value is missing, does not fit or is one of several for one parameter,
    /// a list from a file has no values, or `read` fails.
    pub fn literals(
        &self,
        given: &[(String, String)],
        read: &mut dyn FnMut(ListSource<'_>) -> Result<String>,
    ) -> Result<Vec<(String, String)>> {
        for (name, value) in given {
            if !self.parameters.iter().any(|parameter| parameter.name == *name) {
                return Err(self.unknown(name, value));
            }
        }
        self.check_stdin(given)?;
        let mut literals = Vec::new();
        for parameter in &self.parameters {
            let values: Vec<&str> = given
                .iter()
                .filter(|(name, _)| *name == parameter.name)
                .map(|(_, value)| value.as_str())
                .collect();
            literals.push((parameter.name.clone(), self.literal(parameter, &values, read)?));
        }
        Ok(literals)
    }

    fn literal(
        &self,
        parameter: &Parameter,
        given: &[&str],
        read: &mut dyn FnMut(ListSource<'_>) -> Result<String>,
    ) -> Result<String> {
        if parameter.kind == Kind::List && !given.is_empty() {
            let mut all = Vec::new();
            for value in given {
                all.extend(list(parameter, value, read)?);
            }
            return Ok(list_literal(&all));
        }
        let value = match (given, &parameter.default) {
            ([value], _) => *value,
            ([], Some(default)) => default,
            ([], None) => {
                let reason = format!("`{}` needs it: {}", self.name, parameter.description);
                return Err(invalid(&parameter.name, "", reason));
            }
            ([.., last], _) => {
                let reason = "it is given twice, but takes one value".to_owned();
                return Err(invalid(&parameter.name, last, reason));
            }
        };
        let literal = parameter.kind.literal(value);
        literal.map_err(|reason| invalid(&parameter.name, value, reason))
    }

    /// Standard input ends once.
    fn check_stdin(&self, given: &[(String, String)]) -> Result<()> {
        let is_list = |name: &str| {
            self.parameters.iter().any(|other| other.name == name && other.kind == Kind::List)
        };
        let mut from_stdin = given.iter().filter(|(name, value)| {
            ListSource::of(value) == Some(ListSource::Stdin) && is_list(name)
        });
        match (from_stdin.next(), from_stdin.next()) {
            (Some(_), Some((name, value))) => {
                let reason = "standard input gives one list only".to_owned();
                Err(invalid(name, value, reason))
            }
            _ => Ok(()),
        }
    }

    fn unknown(&self, name: &str, value: &str) -> Error {
        let names = self.parameters.iter().map(|parameter| parameter.name.as_str());
        let reason = match nearest(name, names) {
            Some(near) => format!("`{}` has no such parameter; did you mean `{near}`?", self.name),
            None if self.parameters.is_empty() => format!("`{}` takes no parameters", self.name),
            None => format!("the parameters of `{}` are: {}", self.name, self.signature()),
        };
        invalid(name, value, reason)
    }
}

fn invalid(name: &str, value: &str, reason: String) -> Error {
    ErrorKind::Value { name: name.to_owned(), value: value.to_owned(), reason }.into()
}

/// The values that `value` stands for.
fn list(
    parameter: &Parameter,
    value: &str,
    read: &mut dyn FnMut(ListSource<'_>) -> Result<String>,
) -> Result<Vec<String>> {
    let Some(source) = ListSource::of(value) else { return Ok(written_out(value)) };
    let values = lines(&read(source)?);
    if values.is_empty() {
        // An empty list often means "all": a file that turned out empty must not.
        let reason = "there is no value in it: expected one a line".to_owned();
        return Err(invalid(&parameter.name, value, reason));
    }
    Ok(values)
}

/// The values of a list that is parted by commas.
pub(super) fn written_out(text: &str) -> Vec<String> {
    let values = text.split(',').map(str::trim).filter(|value| !value.is_empty());
    values.map(str::to_owned).collect()
}

/// The values of a list that has one a line; empty lines and those that begin with `#` are none.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let values = text.lines().map(str::trim);
    values.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// `values` as a SQL literal of type `array(varchar)`.
pub(super) fn list_literal(values: &[String]) -> String {
    if values.is_empty() {
        return "CAST(ARRAY[] AS array(varchar))".to_owned();
    }
    let values: Vec<String> = values.iter().map(|value| super::parameter::quoted(value)).collect();
    format!("ARRAY[{}]", values.join(", "))
}
