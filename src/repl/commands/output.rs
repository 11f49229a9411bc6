//! Commands for how and where answers are written.

use super::{
    super::{
        pager::Paging,
        shell::{Flow, Shell},
    },
    expanded,
};
use crate::{ErrorKind, Result, output::Format};

impl Shell {
    pub(super) fn mode(&mut self, arguments: &[String]) -> Result<Flow> {
        let Some(word) = arguments.first() else {
            return self.show(&format!("{}\n", self.options.format.name()));
        };
        let format = Format::named(word).filter(|format| *format != Format::Parquet);
        let expected = "expected table, expanded, csv, json, ndjson or markdown";
        self.options.format = format.ok_or_else(|| invalid(".mode", word, expected))?;
        Ok(Flow::Stay)
    }

    pub(super) fn output(&mut self, arguments: &[String]) -> Result<Flow> {
        self.output = match arguments.first().map(String::as_str) {
            None | Some("stdout" | "-") => None,
            Some(path) => {
                let path = expanded(path);
                Some((self.create(&path)?, path))
            }
        };
        Ok(Flow::Stay)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the commands' common form")]
    pub(super) fn once(&mut self, arguments: &[String]) -> Result<Flow> {
        self.once = arguments.first().map(|path| {
            let path = expanded(path);
            let format = Format::of_file(&path).unwrap_or(self.options.format);
            (path, format)
        });
        Ok(Flow::Stay)
    }

    pub(super) fn max_rows(&mut self, arguments: &[String]) -> Result<Flow> {
        let Some(word) = arguments.first() else {
            return self.show(&format!("{}\n", self.options.max_rows.unwrap_or(0)));
        };
        let n_rows: usize = word.parse().map_err(|_not_a_number| {
            invalid(".maxrows", word, "expected a number of rows, or 0 for all")
        })?;
        self.options.max_rows = Some(n_rows).filter(|n| *n > 0);
        Ok(Flow::Stay)
    }

    pub(super) fn null_value(&mut self, arguments: &[String]) -> Result<Flow> {
        let Some(text) = arguments.first() else {
            return self.show(&format!("{}\n", crate::output::visible(&self.options.null)));
        };
        self.options.null.clone_from(text);
        Ok(Flow::Stay)
    }

    pub(super) fn pager(&mut self, arguments: &[String]) -> Result<Flow> {
        let Some(word) = arguments.first() else {
            return self.show(&format!("{}\n", self.paging.name()));
        };
        let paging = Paging::named(word);
        self.paging = paging.ok_or_else(|| invalid(".pager", word, "expected auto, on or off"))?;
        Ok(Flow::Stay)
    }

    pub(super) fn timer(&mut self, arguments: &[String]) -> Result<Flow> {
        if arguments.is_empty() {
            return self.show(on_or_off(self.timer));
        }
        self.timer = is_on(".timer", arguments)?;
        Ok(Flow::Stay)
    }
}

/// The error for a value that does not fit.
pub(super) fn invalid(name: &str, value: &str, expected: &str) -> crate::Error {
    let (name, value, reason) = (name.to_owned(), value.to_owned(), expected.to_owned());
    ErrorKind::Value { name, value, reason }.into()
}

/// What a switch is shown as.
pub(super) fn on_or_off(is_on: bool) -> &'static str {
    if is_on { "on\n" } else { "off\n" }
}

/// Whether the argument of `command` is `on`.
pub(super) fn is_on(command: &str, arguments: &[String]) -> Result<bool> {
    match arguments.first().map(String::as_str) {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        other => Err(invalid(command, other.unwrap_or_default(), "expected on or off")),
    }
}
