//! Partition projection: partitions that no catalog lists, since properties of the table tell
//! which there are.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html>

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::{
    cursor::{Text, fault},
    dates::{Bound, DateFormat, Unit},
    declaration::Declared,
};
use crate::engine::rewrite::Fault;

/// The values that a partition column may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// One of a list.
    Enum(Vec<String>),
    /// Every `interval`th whole number of a range, with at least `digits` digits.
    Integer { min: i64, max: i64, interval: i64, digits: usize },
    /// A date of a range.
    Date { format: DateFormat, from: Bound, to: Bound },
    /// Any.
    Injected,
}

impl Values {
    /// A regular expression that the values' texts match.
    pub(super) fn pattern(&self) -> String {
        match self {
            Self::Enum(values) => {
                let values: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
                values.join("|")
            }
            Self::Integer { .. } => "-?[0-9]+".to_owned(),
            Self::Date { format, .. } => format.pattern(),
            Self::Injected => "[^/]+".to_owned(),
        }
    }

    /// Whether `text` is a value that is projected at `now`.
    pub(super) fn has(&self, text: &str, now: NaiveDateTime) -> bool {
        match self {
            Self::Enum(values) => values.iter().any(|value| value == text),
            Self::Integer { min, max, interval, digits } => {
                let Ok(value) = text.parse::<i64>() else { return false };
                (*min..=*max).contains(&value)
                    && value.checked_sub(*min).is_some_and(|above| above % *interval == 0)
                    && spelled(value, *digits) == text
            }
            Self::Date { format, from, to } => {
                let within = || {
                    let at = format.read(text)?;
                    Some((from.at(now, format)?..=to.at(now, format)?).contains(&at))
                };
                within().unwrap_or(false)
            }
            Self::Injected => !text.is_empty(),
        }
    }

    /// How its dates are written, where it has dates.
    pub(super) fn format(&self) -> Option<&DateFormat> {
        match self {
            Self::Date { format, .. } => Some(format),
            _ => None,
        }
    }
}

/// `value` with at least `digits` digits.
fn spelled(value: i64, digits: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{:0digits$}", value.unsigned_abs())
}

/// The projection of a table: what each partition column may be, and where partitions lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Projection {
    /// By the partition columns' order.
    pub(super) values: Vec<Values>,
    /// `storage.location.template`, as written.
    pub(super) template: Option<String>,
}

/// A table's properties, by key.
pub(super) type Properties = BTreeMap<String, Text>;

/// What the properties of a table say of its partitions; nothing where projection is off.
pub(super) fn projection(
    properties: &Properties,
    partitions: &[Declared],
    at: Span,
) -> Result<Option<Projection>, Fault> {
    let enabled = properties
        .get("projection.enabled")
        .is_some_and(|text| text.value.trim().eq_ignore_ascii_case("true"));
    if !enabled {
        return Ok(None);
    }
    for (key, text) in properties {
        let Some(rest) = key.strip_prefix("projection.").filter(|rest| *rest != "enabled") else {
            continue;
        };
        let (column, _) = rest.split_once('.').unwrap_or((rest, ""));
        if !partitions.iter().any(|partition| partition.name == column) {
            let message = format!("`{key}` is about no partition column of the table");
            return Err(fault(text.span, message, None));
        }
    }
    let mut values = Vec::new();
    for partition in partitions {
        values.push(column(properties, partition, at)?);
    }
    let template = properties.get("storage.location.template");
    if let Some(text) = template {
        let folder = text.value.split("${").next().and_then(|before| before.rsplit_once('/'));
        if folder.is_none_or(|(folder, _)| folder.is_empty() || folder.ends_with(":/")) {
            let message = "`storage.location.template` begins with no folder";
            return Err(fault(text.span, message.to_owned(), None));
        }
        for partition in partitions {
            let variable = format!("${{{}}}", partition.name);
            if !text.value.to_lowercase().contains(&variable) {
                let message = format!("`storage.location.template` does not name `{variable}`");
                return Err(fault(text.span, message, None));
            }
        }
    }
    let template = template.map(|text| text.value.clone());
    Ok(Some(Projection { values, template }))
}

fn column(properties: &Properties, partition: &Declared, at: Span) -> Result<Values, Fault> {
    let name = &partition.name;
    let get = |what: &str| properties.get(&format!("projection.{name}.{what}"));
    let need = |what: &str| {
        get(what).ok_or_else(|| {
            let message = format!("`projection.{name}.{what}` is missing in TBLPROPERTIES");
            fault(at, message, Some("with projection, each partition column needs its properties"))
        })
    };
    let refuse = |text: &Text, what: String| {
        Err(fault(text.span, format!("{what} is not supported here"), None))
    };
    let kind = need("type")?;
    match kind.value.trim().to_ascii_lowercase().as_str() {
        "enum" => {
            let values = need("values")?;
            Ok(Values::Enum(values.value.split(',').map(|v| v.trim().to_owned()).collect()))
        }
        "injected" => Ok(Values::Injected),
        "integer" => {
            let number = |what: &str, least: i64| match get(what) {
                None => Ok(least),
                Some(text) => {
                    text.value.trim().parse::<i64>().ok().filter(|n| *n >= least).ok_or_else(|| {
                        let message = format!("`{}` is no number of this kind", text.value);
                        fault(text.span, message, None)
                    })
                }
            };
            let range = need("range")?;
            let ends = range.value.split_once(',').and_then(|(min, max)| {
                Some((min.trim().parse::<i64>().ok()?, max.trim().parse::<i64>().ok()?))
            });
            let Some((min, max)) = ends else {
                return refuse(range, format!("the range `{}`", range.value));
            };
            let digits = usize::try_from(number("digits", 0)?).unwrap_or_default().min(32);
            Ok(Values::Integer { min, max, interval: number("interval", 1)?, digits })
        }
        "date" => {
            let written = need("format")?;
            let format = match DateFormat::parse(&written.value) {
                Ok(format) => format,
                Err(what) => return refuse(written, what),
            };
            if let Some(text) = get("interval").filter(|text| text.value.trim() != "1") {
                return refuse(text, format!("an interval of {} between dates", text.value));
            }
            if let Some(text) = get("interval.unit")
                && Unit::named(&text.value) != format.finest()
            {
                let (unit, format) = (&text.value, &written.value);
                return refuse(text, format!("the unit {unit} with the format `{format}`"));
            }
            let range = need("range")?;
            let ends = range.value.split_once(',').and_then(|(from, to)| {
                Some((Bound::parse(from, &format)?, Bound::parse(to, &format)?))
            });
            match ends {
                Some((from, to)) => Ok(Values::Date { format, from, to }),
                None => refuse(range, format!("the range `{}`", range.value)),
            }
        }
        other => refuse(kind, format!("projection of type `{other}`")),
    }
}
