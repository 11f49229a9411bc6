//! The timeline: what was done, in plain words and in order.
//!
//! ```text
//! subjects, times ─► statement ─► rows in order ─► words ─► bursts folded ─► screen, CSV, JSON lines
//!  (subject, mod)     (SQL)        (record)        (phrase,     (fold)        (text, writer)
//!                                                   reading,
//!                                                   words, line)
//! ```
//!
//! It has what changed something, whatever was refused, and the reads that matter by themselves:
//! secrets, objects, passwords, sign-ins, roles. Everything else is in it where everything is asked
//! for. Rows stream through; what waits to be folded is bounded.

mod fold;
mod line;
mod phrase;
mod reading;
mod record;
mod subject;
mod text;
mod words;
mod writer;

use std::sync::Arc;

pub use self::writer::writer;
use self::{phrase::Phrases, subject::Subject};
use crate::{
    ErrorKind, Result,
    engine::{Session, Statement},
    queries::{Kind, SavedQuery},
};

/// What a timeline is asked for.
#[derive(Debug, Clone, Default)]
pub struct TimelineOptions {
    /// Whose events: access keys, addresses, networks, ARNs, accounts, services, names. All events
    /// where there are none.
    pub subjects: Vec<String>,
    /// The earliest and the latest time, in microseconds since 1970.
    pub since: Option<i64>,
    /// See `since`.
    pub until: Option<i64>,
    /// Whether what only reads is told too.
    pub everything: bool,
    /// Whether each event is a line of its own.
    pub unfolded: bool,
}

/// What the words of a command at the prompt ask for.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// The timeline.
    pub options: TimelineOptions,
    /// The saved query, and its parameters as `key=value`.
    pub query: Option<(String, Vec<(String, String)>)>,
}

impl Words {
    /// Reads `SUBJECT… | --query NAME [KEY=VALUE…]`, `--since T`, `--until T`, `--all`, `--no-fold`.
    ///
    /// # Errors
    /// A flag is unknown, lacks its value or has one that does not fit.
    pub fn read(words: &[String]) -> Result<Self> {
        let mut read = Self::default();
        let mut name = None;
        let mut rest = words.iter();
        let invalid = |name: &str, value: &str, reason: &str| -> crate::Error {
            let (name, value, reason) = (name.to_owned(), value.to_owned(), reason.to_owned());
            ErrorKind::Value { name, value, reason }.into()
        };
        while let Some(word) = rest.next() {
            let (flag, written) = match word.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut value = || {
                let value = written.clone().or_else(|| rest.next().cloned());
                value.ok_or_else(|| invalid(flag, "", "it takes a value"))
            };
            let time = |text: String, read: fn(&str) -> Result<i64, String>| {
                read(&text).map_err(|reason| invalid(flag, &text, &reason))
            };
            match flag {
                "--since" => read.options.since = Some(time(value()?, super::since)?),
                "--until" => read.options.until = Some(time(value()?, super::until)?),
                "--query" => name = Some(value()?),
                "--all" => read.options.everything = true,
                "--no-fold" => read.options.unfolded = true,
                _ if flag.starts_with("--") => {
                    let known = "expected --query, --since, --until, --all or --no-fold";
                    return Err(invalid(".timeline", word, known));
                }
                _ => read.options.subjects.push(word.clone()),
            }
        }
        if let Some(name) = name {
            let subjects = std::mem::take(&mut read.options.subjects);
            read.query = Some((name, given(&subjects)?));
        }
        Ok(read)
    }
}

/// The parameters of a query, as `key=value`.
///
/// # Errors
/// A word is none.
pub fn given(words: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(ErrorKind::Value {
            name: "SUBJECT".to_owned(),
            value: word.clone(),
            reason: "with --query, expected key=value: a timeline is of one or the other"
                .to_owned(),
        }
        .into()),
    };
    words.iter().map(pair).collect()
}

/// The statement whose rows [`writer`] makes a timeline of: the events of `options`, in order.
///
/// # Errors
/// A subject is none.
pub fn statement(session: &Session, options: &TimelineOptions) -> Result<Statement> {
    let mut asked = Asked::new(options);
    let mut any = Vec::new();
    for (nth, text) in options.subjects.iter().enumerate() {
        let subject = Subject::read(text)?;
        let name = format!("subject_{nth}");
        any.push(subject.condition(&name));
        asked.give(&name, subject.text());
    }
    if !any.is_empty() {
        asked.conditions.push(format!("({})", any.join(" OR ")));
    }
    asked.statement(session)
}

/// The same for the events that a saved query names, in a column `eventid`; `parameters` are the
/// query's.
///
/// # Errors
/// The query does not plan, or has no such column.
pub async fn statement_of_query(
    session: &Session,
    options: &TimelineOptions,
    query: &SavedQuery,
    parameters: Vec<(String, String)>,
) -> Result<Statement> {
    let no_events = |reason: &str| ErrorKind::Value {
        name: "--query".to_owned(),
        value: query.name.clone(),
        reason: reason.to_owned(),
    };
    let mut statements = session.parse(&query.text, Some(&query.origin))?.into_iter();
    let (Some(mut own), None) = (statements.next(), statements.next()) else {
        return Err(no_events("a timeline takes a query of one statement").into());
    };
    own.parameters = parameters.clone().into();
    // Planned by itself first: what is at fault in it is told at its place there.
    let answer = session.run(&own).await?;
    if !answer.schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case("eventid")) {
        let reason = "its rows are no events: a timeline takes queries with a column `eventid`";
        return Err(no_events(reason).into());
    }
    drop(answer);
    let mut asked = Asked::new(options);
    asked.parameters.extend(parameters);
    let events = format!("eventid IN (SELECT eventid FROM (\n{}\n) AS named)", own.sql());
    asked.conditions.push(events);
    asked.statement(session)
}

/// A statement in the making.
struct Asked {
    conditions: Vec<String>,
    parameters: Vec<(String, String)>,
    everything: bool,
    folds: bool,
}

impl Asked {
    fn new(options: &TimelineOptions) -> Self {
        let mut asked = Self {
            conditions: vec!["eventname IS NOT NULL".to_owned()],
            parameters: Vec::new(),
            everything: options.everything,
            folds: !options.unfolded,
        };
        if let Some(since) = options.since.and_then(in_seconds) {
            asked.conditions.push("eventtime >= :timeline_since".to_owned());
            asked.give("timeline_since", &since);
        }
        if let Some(until) = options.until.and_then(in_seconds) {
            asked.conditions.push("eventtime <= :timeline_until".to_owned());
            asked.give("timeline_until", &until);
        }
        if !options.everything {
            // Names of the table, which are words.
            let names = Phrases::table().always().into_iter().map(|name| format!("'{name}'"));
            asked.conditions.push(format!(
                "(readonly IS NULL OR readonly <> 'true' OR eventname IN ({}) \
                  OR (errorcode IS NOT NULL AND outcome = 'denied'))",
                names.collect::<Vec<_>>().join(", ")
            ));
        }
        asked
    }

    fn give(&mut self, name: &str, text: &str) {
        let literal = Kind::Varchar.literal(text).unwrap_or_default();
        self.parameters.push((name.to_owned(), literal));
    }

    fn statement(self, session: &Session) -> Result<Statement> {
        let columns = record::COLUMNS.map(|(name, sql)| format!("{sql} AS \"{name}\"")).join(", ");
        let sql = format!(
            "SELECT {columns}, {}, {} AS everything, {} AS folds\nFROM cloudtrail_logs\n\
             WHERE {}\nORDER BY event_ts, recipientaccountid, eventid",
            record::DOCUMENTS.join(", "),
            self.everything,
            self.folds,
            self.conditions.join("\n  AND ")
        );
        let statement = session.parse(&sql, None)?.into_iter().next();
        let mut statement = statement.ok_or_else(|| ErrorKind::Value {
            name: "timeline".to_owned(),
            value: String::new(),
            reason: "it asks for nothing".to_owned(),
        })?;
        statement.parameters = Arc::from(self.parameters);
        Ok(statement)
    }
}

/// Microseconds since 1970 as events write their time.
fn in_seconds(micros: i64) -> Option<String> {
    line::time(micros).map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests;
