//! The table of plain words: for each API the phrase that says what a call did.
//!
//! `phrases/*.txt` hold it, a line for each:
//!
//! ```text
//! [iam]
//! UpdateAccessKey status=Inactive: deactivate access key {accessKeyId}[ of user {userName}]
//! ! GetCredentialReport: read the credential report
//! ```
//!
//! * `[iam]` is the event source without `.amazonaws.com`; below it stand event names without the
//!   date of the API. Of several lines for one name the first counts whose conditions hold.
//! * A mark says whether the timeline has the call: `!` always, although it only reads; `-` only
//!   with `--all`, although it changes something; without one, what changes something is in it.
//! * A condition is a path (there is something), or `path=value`, whatever the case.
//! * The phrase begins with a verb in its plain form. `{path}` is what stands there, `{a|b}` the
//!   first of both that is there. What is in `[…]` is left out where a path in it leads nowhere.
//! * A path leads into the request's parameters; with `>` before it into the response, with `+` into
//!   the additional data, with `^` into the service's details; with `@` it is a part of the event
//!   (`@type`, `@resource`). `[]` goes into each element of a list. `#name path` is one of the
//!   readings of [`super::reading`].

use std::{collections::HashMap, sync::LazyLock};

/// The files of the table.
const FILES: [(&str, &str); 4] = [
    ("identity.txt", include_str!("phrases/identity.txt")),
    ("data.txt", include_str!("phrases/data.txt")),
    ("compute.txt", include_str!("phrases/compute.txt")),
    ("watch.txt", include_str!("phrases/watch.txt")),
];

/// Whether the timeline has a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Where it changes something.
    Changes,
    /// Always: it reads what must not leak, or begins a session.
    Always,
    /// Only where everything is wanted.
    Routine,
}

/// A path into the event, and how what is there is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Where it begins.
    pub(super) root: Root,
    /// The names on the way; `[]` stands for each element.
    pub(super) steps: Vec<String>,
    /// The special reading, or nothing.
    pub(super) reading: Option<String>,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Request,
    Response,
    Additional,
    Service,
    Event,
}

/// A part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// These words.
    Words(String),
    /// What the first of these paths leads to.
    Slot(Vec<Path>),
    /// These parts, if all their paths lead somewhere.
    Maybe(Vec<Part>),
}

/// A condition: a path and what must be there, or anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) path: Path,
    pub(super) value: Option<String>,
}

/// What is said of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    /// Whether it is told.
    pub(super) mark: Mark,
    /// When it applies.
    pub(super) conditions: Vec<Condition>,
    /// The verb, in its plain form.
    pub(super) verb: String,
    /// What follows the verb.
    pub(super) parts: Vec<Part>,
}

/// The phrases of all calls.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    by_name: HashMap<String, HashMap<String, Vec<Phrase>>>,
    /// Lines that say nothing, with their place; a test holds that there are none.
    faults: Vec<String>,
}

impl Phrases {
    /// The table.
    pub(super) fn table() -> &'static Self {
        static TABLE: LazyLock<Phrases> = LazyLock::new(|| Phrases::read(&FILES));
        &TABLE
    }

    fn read(files: &[(&str, &str)]) -> Self {
        let mut phrases = Self::default();
        for (file, text) in files {
            let mut service = String::new();
            for (number, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                    name.clone_into(&mut service);
                    continue;
                }
                match read_line(line) {
                    Some((name, phrase)) if !service.is_empty() => {
                        let names = phrases.by_name.entry(service.clone()).or_default();
                        names.entry(name).or_default().push(phrase);
                    }
                    _ => phrases.faults.push(format!("{file}:{}: {line}", number + 1)),
                }
            }
        }
        phrases
    }

    /// The phrases for `name` of `service`, in the order in which they are tried.
    pub(super) fn of(&self, service: &str, name: &str) -> &[Phrase] {
        self.by_name.get(service).and_then(|names| names.get(name)).map_or(&[], Vec::as_slice)
    }

    /// The event names, as logged, of which some calls are told although they only read, in order.
    pub(super) fn always(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (service, by_name) in &self.by_name {
            for (name, phrases) in by_name {
                if phrases.iter().any(|phrase| phrase.mark == Mark::Always) {
                    names.push(name.clone());
                    // Lambda dates its calls.
                    if service == "lambda" {
                        names.extend(["20150331", "20150331v2"].map(|day| format!("{name}{day}")));
                    }
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The verbs of all phrases, in their plain form.
    pub(super) fn verbs(&self) -> impl Iterator<Item = String> {
        self.by_name.values().flat_map(HashMap::values).flatten().map(|phrase| phrase.verb.clone())
    }

    /// All there is: service, name, phrase.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str, &Phrase)> {
        self.by_name.iter().flat_map(|(service, names)| {
            names.iter().flat_map(move |(name, phrases)| {
                phrases.iter().map(move |phrase| (service.as_str(), name.as_str(), phrase))
            })
        })
    }

    /// The lines that could not be read.
    #[cfg(test)]
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }
}

fn read_line(line: &str) -> Option<(String, Phrase)> {
    let (head, phrase) = line.split_once(": ")?;
    let mut words = head.split_whitespace().peekable();
    let mark = match *words.peek()? {
        "!" => Mark::Always,
        "-" => Mark::Routine,
        _ => Mark::Changes,
    };
    if mark != Mark::Changes {
        words.next();
    }
    let name = words.next()?.to_owned();
    let conditions: Option<Vec<Condition>> = words.map(read_condition).collect();
    let (verb, rest) = phrase.split_at_checked(phrase.find([' ', '[']).unwrap_or(phrase.len()))?;
    let phrase =
        Phrase { mark, conditions: conditions?, verb: verb.to_owned(), parts: read_parts(rest)? };
    Some((name, phrase))
}

fn read_condition(text: &str) -> Option<Condition> {
    let (path, value) = match text.split_once('=') {
        Some((path, value)) => (path, Some(value.to_owned())),
        None => (text, None),
    };
    Some(Condition { path: read_path(path)?, value })
}

/// Reads `{…}`, `[…]` and what is between them.
fn read_parts(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (words, open) = rest.split_at_checked(rest.find(['{', '[']).unwrap_or(rest.len()))?;
        if !words.is_empty() {
            parts.push(Part::Words(words.to_owned()));
        }
        rest = if let Some(inner) = open.strip_prefix('{') {
            let (slot, behind) = inner.split_once('}')?;
            let paths: Option<Vec<Path>> = slot.split('|').map(read_path).collect();
            parts.push(Part::Slot(paths?));
            behind
        } else if let Some(inner) = open.strip_prefix('[') {
            let (maybe, behind) = inner.split_at_checked(end_of_group(inner)?)?;
            parts.push(Part::Maybe(read_parts(maybe)?));
            behind.strip_prefix(']')?
        } else {
            open
        };
    }
    Some(parts)
}

/// Where the `]` stands that closes a group: not within braces.
fn end_of_group(text: &str) -> Option<usize> {
    let mut in_slot = false;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => in_slot = true,
            '}' => in_slot = false,
            ']' if !in_slot => return Some(at),
            _ => {}
        }
        None
    })
}

fn read_path(text: &str) -> Option<Path> {
    let (reading, text) = match text.strip_prefix('#') {
        Some(text) => match text.split_once(' ') {
            Some((name, path)) => (Some(name.to_owned()), path),
            None => (Some(text.to_owned()), ""),
        },
        None => (None, text),
    };
    let (root, text) = match text.chars().next() {
        Some('>') => (Root::Response, text.get(1..)?),
        Some('+') => (Root::Additional, text.get(1..)?),
        Some('^') => (Root::Service, text.get(1..)?),
        Some('@') => (Root::Event, text.get(1..)?),
        _ => (Root::Request, text),
    };
    let mut steps = Vec::new();
    for step in text.split('.').filter(|step| !step.is_empty()) {
        match step.strip_suffix("[]") {
            Some(list) => steps.extend([list.to_owned(), "[]".to_owned()]),
            None => steps.push(step.to_owned()),
        }
    }
    let is_path = !steps.is_empty() || reading.is_some();
    is_path.then_some(Path { root, steps, reading })
}
