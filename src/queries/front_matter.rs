//! The comments at the head of a saved query.
//!
//! `-- key: value`; `--` and three spaces continue the line before; `param`, `reference`,
//! `attack`, `service` and `false_positive` may be repeated. They end at the first line that is no comment.

use std::{ops::Range, str::FromStr};

use super::Parameter;
use crate::{
    Error, ErrorKind, Result,
    error::{Diagnostic, nearest},
};

const KEYS: [&str; 10] = [
    "title",
    "description",
    "hit",
    "caveat",
    "severity",
    "attack",
    "service",
    "param",
    "reference",
    "false_positive",
];

/// A saved query.
#[derive(Debug, Clone)]
pub struct SavedQuery {
    /// Its file's name, without the ending.
    pub name: String,
    /// What kind of question it is: the folder of a built-in one, `own` for the user's.
    pub theme: String,
    /// What it finds, in one line.
    pub title: String,
    /// Why one asks, and how to read the answer.
    pub description: String,
    /// What a row means.
    pub hit: String,
    /// What a row, or none, does not mean.
    pub caveat: String,
    /// How bad a row is; with it, the query is a detection.
    pub severity: Option<Severity>,
    /// Tactic and technique of MITRE ATT&CK: `TA0003:T1098.001`.
    pub attack: Vec<String>,
    /// The AWS services it is about, by the names that AWS gives them: `IAM`, `Amazon S3`.
    pub services: Vec<String>,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// Where to read more.
    pub references: Vec<String>,
    /// What else gives rows.
    pub false_positives: Vec<String>,
    /// The whole text of the file; the front matter is comments to SQL.
    pub text: String,
    /// Where it came from, for errors.
    pub origin: String,
}

/// The levels of Sigma, which are the labels of Security Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// Seldom bad.
    Low,
    /// Look at it.
    Medium,
    /// Look at it now.
    High,
    /// Wake someone.
    Critical,
}

impl Severity {
    const ALL: [(Self, &str); 5] = [
        (Self::Informational, "informational"),
        (Self::Low, "low"),
        (Self::Medium, "medium"),
        (Self::High, "high"),
        (Self::Critical, "critical"),
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(severity, _)| *severity == self).map_or("", |(_, word)| word)
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(severity, _)| *severity).ok_or(())
    }
}

/// One `-- key: value` with its continuation.
struct Entry<'a> {
    key: &'a str,
    key_span: Range<usize>,
    value: String,
    value_span: Range<usize>,
}

impl SavedQuery {
    /// Parses the query `name` from `text`, which came from `origin`.
    ///
    /// # Errors
    /// The front matter is at fault: an unknown key, a value that does not fit, no title or no
    /// description.
    pub fn parse(name: &str, text: &str, origin: &str) -> Result<Self> {
        let fault = |span: Range<usize>, message: String, help: Option<String>| -> Error {
            ErrorKind::SavedQuery(Diagnostic {
                message,
                text: text.to_owned(),
                origin: Some(origin.to_owned()),
                span: Some(span),
                label: None,
                help,
            })
            .into()
        };
        let mut query = Self {
            name: name.to_owned(),
            theme: super::OWN.to_owned(),
            title: String::new(),
            description: String::new(),
            hit: String::new(),
            caveat: String::new(),
            severity: None,
            attack: Vec::new(),
            services: Vec::new(),
            parameters: Vec::new(),
            references: Vec::new(),
            false_positives: Vec::new(),
            text: text.to_owned(),
            origin: origin.to_owned(),
        };
        for Entry { key, key_span, value, value_span } in entries(text) {
            let wrong = |message: &str| fault(value_span.clone(), message.to_owned(), None);
            match key {
                "title" => query.title = value,
                "description" => query.description = value,
                "hit" => query.hit = value,
                "caveat" => query.caveat = value,
                "service" => query.services.push(value),
                "severity" => {
                    let severity = value.parse().map_err(|()| {
                        wrong("expected informational, low, medium, high or critical")
                    })?;
                    query.severity = Some(severity);
                }
                "attack" if is_attack(&value) => query.attack.push(value),
                "attack" => return Err(wrong("expected a tactic and technique: TA0003:T1098.001")),
                "param" => {
                    let parameter = Parameter::parse(&value).map_err(|message| wrong(&message))?;
                    if query.parameters.iter().any(|other| other.name == parameter.name) {
                        return Err(wrong("this parameter is declared twice"));
                    }
                    query.parameters.push(parameter);
                }
                "reference" => query.references.push(value),
                "false_positive" => query.false_positives.push(value),
                _ => {
                    let help = match nearest(key, KEYS) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the keys are {}", KEYS.join(", ")),
                    };
                    return Err(fault(key_span, format!("unknown key `{key}`"), Some(help)));
                }
            }
        }
        for (key, value) in [("title", &query.title), ("description", &query.description)] {
            if value.is_empty() {
                let help = format!("begin the file with `-- {key}: …`");
                return Err(fault(0..0, format!("a saved query needs a {key}"), Some(help)));
            }
        }
        Ok(query)
    }
}

/// The keys that the front matter of `text` has.
pub(super) fn keys(text: &str) -> Vec<&str> {
    let keys = entries(text).into_iter().map(|entry| entry.key);
    keys.filter(|key| KEYS.contains(key)).collect()
}

fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let Some(comment) = line.trim_end().strip_prefix("--") else { break };
        if let Some(more) = comment.strip_prefix("   ") {
            if let Some(last) = entries.last_mut() {
                last.value.push(' ');
                last.value.push_str(more.trim());
                last.value_span.end = at + 2 + comment.len();
            }
            continue;
        }
        let Some((key, value)) = comment.split_once(':') else { continue };
        let key_start = at + 2 + (key.len() - key.trim_start().len());
        let value_start = at + 2 + key.len() + 1 + (value.len() - value.trim_start().len());
        entries.push(Entry {
            key: key.trim(),
            key_span: key_start..key_start + key.trim().len(),
            value: value.trim().to_owned(),
            value_span: value_start..value_start + value.trim().len(),
        });
    }
    entries
}

/// Whether `text` is like `TA0003:T1098` or `TA0003:T1098.001`.
fn is_attack(text: &str) -> bool {
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    let Some((tactic, technique)) = text.split_once(':') else { return false };
    let (Some(tactic), Some(technique)) = (tactic.strip_prefix("TA"), technique.strip_prefix('T'))
    else {
        return false;
    };
    let (technique, sub) = technique.split_once('.').unwrap_or((technique, "000"));
    digits(tactic, 4) && digits(technique, 4) && digits(sub, 3)
}
