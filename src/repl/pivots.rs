//! The pivots at the prompt: `.who`, `.ip`, `.api`, `.key`, `.resource`, `.event`, `.trace`.

use super::{
    screen::speaks_unicode,
    shell::{Flow, Shell},
};
use crate::{
    ErrorKind, Result,
    error::nearest,
    output,
    pivots::{
        dossier::{
            DossierOptions, Kind, Subject, TextOptions, Told, Window, dossier, event,
            render_dossier, render_event,
        },
        since,
        trace::{self, Direction, TraceOptions},
        until,
    },
};

/// The values of each dimension that are named unless told.
const TOP: usize = 10;

/// The width of text where no screen has one.
const WIDTH: usize = 100;

/// A pivot's arguments.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    value: String,
    window: Window,
    top: Option<usize>,
    json: bool,
    up: bool,
    down: bool,
}

/// Takes the flags out of `words`; what is left is the value.
fn arguments(command: &str, words: &[String], flags: &[&str]) -> Result<Arguments> {
    let invalid = |name: &str, value: &str, reason: String| ErrorKind::Value {
        name: name.to_owned(),
        value: value.to_owned(),
        reason,
    };
    let mut found = Arguments::default();
    let mut values: Vec<&str> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word.as_str(), None),
        };
        if !name.starts_with("--") {
            values.push(word);
            continue;
        }
        if !flags.contains(&name) {
            let reason = match nearest(name, flags.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its flags are {}", flags.join(", ")),
            };
            return Err(invalid(command, name, reason).into());
        }
        let flag = match name {
            "--json" => Some(&mut found.json),
            "--up" => Some(&mut found.up),
            "--down" => Some(&mut found.down),
            _ => None,
        };
        if let Some(flag) = flag {
            *flag = true;
            continue;
        }
        let value = inline.or_else(|| words.next().map(String::as_str)).unwrap_or_default();
        let wrong = |reason| invalid(name, value, reason);
        match name {
            "--since" => found.window.since = Some(since(value).map_err(wrong)?),
            "--until" => found.window.until = Some(until(value).map_err(wrong)?),
            _ => {
                let top = value.parse().ok().filter(|top| (1..=65_535).contains(top));
                let expected = || wrong("expected a number from 1 on".to_owned());
                found.top = Some(top.ok_or_else(expected)?);
            }
        }
    }
    found.value = values.join(" ");
    Ok(found)
}

impl Shell {
    pub(super) fn who(&mut self, words: &[String]) -> Result<Flow> {
        self.dossier(Kind::Who, words)
    }

    pub(super) fn ip(&mut self, words: &[String]) -> Result<Flow> {
        self.dossier(Kind::Ip, words)
    }

    pub(super) fn api(&mut self, words: &[String]) -> Result<Flow> {
        self.dossier(Kind::Api, words)
    }

    pub(super) fn key(&mut self, words: &[String]) -> Result<Flow> {
        self.dossier(Kind::Key, words)
    }

    pub(super) fn resource(&mut self, words: &[String]) -> Result<Flow> {
        self.dossier(Kind::Resource, words)
    }

    pub(super) fn event(&mut self, words: &[String]) -> Result<Flow> {
        let arguments = arguments(".event", words, &["--json"])?;
        let told = self.runner.until_interrupted(event(&self.session, &arguments.value))?;
        self.tell(&told, arguments.json, render_event)
    }

    pub(super) fn trace(&mut self, words: &[String]) -> Result<Flow> {
        let flags = ["--since", "--until", "--up", "--down", "--json"];
        let arguments = arguments(".trace", words, &flags)?;
        let options = TraceOptions {
            since: arguments.window.since,
            until: arguments.window.until,
            direction: Direction::of(arguments.up, arguments.down),
        };
        let work = trace::trace(&self.session, &arguments.value, options);
        let found = self.runner.until_interrupted(work)?;
        for notice in &found.notices {
            self.screen.notice(notice);
        }
        if arguments.json {
            return self.show(&format!("{}\n", output::json_text(&found)?));
        }
        let options = trace::TextOptions {
            width: self.screen.size().map_or(WIDTH, |(width, _)| width),
            color: self.screen.stdout_color,
            unicode: speaks_unicode(),
        };
        self.show(&trace::render(&found, &options))
    }

    fn dossier(&self, kind: Kind, words: &[String]) -> Result<Flow> {
        let command = format!(".{}", kind.word());
        let flags = ["--since", "--until", "--top", "--json"];
        let arguments = arguments(&command, words, &flags)?;
        let subject = Subject::parse(kind, &arguments.value)?;
        let options = DossierOptions {
            window: arguments.window,
            top: arguments.top.unwrap_or(TOP),
            memory_bytes: self.ingest.memory_bytes,
        };
        let work = dossier(&self.session, &subject, &options);
        let told = self.runner.until_interrupted(work)?;
        self.tell(&told, arguments.json, render_dossier)
    }

    /// Shows a report, and says what is to be said beside it.
    fn tell<T: serde::Serialize>(
        &self,
        told: &Told<T>,
        json: bool,
        text: impl FnOnce(&T, &TextOptions) -> String,
    ) -> Result<Flow> {
        for notice in &told.notices {
            self.screen.notice(notice);
        }
        if json {
            return self.show(&format!("{}\n", output::json_text(&told.report)?));
        }
        let options = TextOptions {
            width: self.screen.size().map_or(WIDTH, |(width, _)| width),
            color: self.screen.stdout_color,
            unicode: speaks_unicode(),
            is_prompt: true,
        };
        self.show(&text(&told.report, &options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Arguments> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        arguments(".who", &words, &["--since", "--until", "--top", "--json"])
    }

    #[test]
    fn flags_stand_anywhere_and_words_are_one_value() {
        let found =
            parsed(&["AWS", "--since", "2024-05-14", "Internal", "--top=3", "--json"]).unwrap();
        let since = Some(1_715_644_800_000_000);
        let window = Window { since, until: None };
        let value = "AWS Internal".to_owned();
        let rest = Arguments::default();
        assert_eq!(found, Arguments { value, window, top: Some(3), json: true, ..rest });
    }

    #[test]
    fn flags_at_fault_are_told() {
        let message = |words: &[&str]| parsed(words).unwrap_err().to_string();
        assert!(message(&["x", "--sinse", "7d"]).contains("did you mean `--since`?"));
        assert!(message(&["x", "--until", "soon"]).contains("expected a time"));
        assert!(message(&["x", "--since"]).contains("expected a time"));
        assert!(message(&["x", "--top", "0"]).contains("expected a number"));
    }
}
