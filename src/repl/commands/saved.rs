//! Commands for saved queries: listed, shown, run, kept.

use std::{fmt::Write as _, sync::Arc};

use super::{
    super::{
        athena_text, editor, read_sql,
        shell::{Flow, Shell},
    },
    expanded,
    output::invalid,
};
use crate::{
    Result,
    output::{visible, visible_lines},
    queries::{self, ListSource, SavedQuery, Severity},
};

impl Shell {
    pub(super) fn queries(&mut self, arguments: &[String]) -> Result<Flow> {
        let word = arguments.first().map(String::as_str).unwrap_or_default();
        let library = self.library()?;
        let found: Vec<&SavedQuery> = library.find(word).collect();
        if found.is_empty() {
            self.screen.say(&format!("no saved query has `{}` in it", visible(word)));
            return Ok(Flow::Stay);
        }
        let mut themes: Vec<&str> = found.iter().map(|query| query.theme.as_str()).collect();
        themes.sort_unstable();
        themes.dedup();
        let width = found.iter().map(|query| query.name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for theme in themes {
            let heading = if theme.is_empty() { "yours" } else { theme };
            let _ = writeln!(text, "{}", visible(heading));
            for query in found.iter().filter(|query| query.theme == theme) {
                let severity = query.severity.map(Severity::as_str).unwrap_or_default();
                let (name, title) = (visible(&query.name), visible(&query.title));
                let line = format!("  {name:<width$}  {severity:<13}  {title}");
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
        self.show(&text)
    }

    pub(super) fn show_query(&mut self, arguments: &[String]) -> Result<Flow> {
        let library = self.library()?;
        let name = arguments.first().map(String::as_str).unwrap_or_default();
        let query = library.get(name)?;
        let text = match arguments.get(1).map(String::as_str) {
            None => query.text.clone(),
            Some("--athena") => athena_text(&self.runner, &self.session, query)?,
            Some(other) => return Err(invalid(".show", other, "expected --athena")),
        };
        self.show(&ended(&visible_lines(&text)))
    }

    pub(super) fn run_query(&mut self, arguments: &[String]) -> Result<Flow> {
        let library = self.library()?;
        let (name, words) =
            arguments.split_first().map_or(("", arguments), |(name, words)| (name.as_str(), words));
        let query = library.get(name)?;
        let mut given = Vec::new();
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                let expected = format!("expected KEY=VALUE; the parameters: {}", query.signature());
                return Err(invalid(".run", word, &expected));
            };
            given.push((key.to_owned(), value.to_owned()));
        }
        let is_known =
            |(name, _): &(String, String)| query.parameters.iter().any(|it| it.name == *name);
        // What is wrong already is told before anything is asked.
        let may_ask = given.iter().all(is_known);
        for parameter in query.parameters.iter().filter(|_| may_ask) {
            let is_given = given.iter().any(|(name, _)| *name == parameter.name);
            if is_given || parameter.default.is_some() {
                continue;
            }
            let question = format!("{} ({}): ", parameter.name, visible(&parameter.description));
            let answer = editor::ask(&question, &parameter.name, self.values())?;
            given.push((parameter.name.clone(), answer));
        }
        let literals = query.literals(&given, &mut |source| match source {
            ListSource::File(path) => read_sql(&expanded(path)),
            ListSource::Stdin => {
                Err(invalid(".run", "-", "the prompt reads what is typed; name a file as @FILE"))
            }
        })?;
        let parameters: Arc<[_]> = literals.into();
        for mut statement in self.session.parse(&query.text, Some(&query.origin))? {
            statement.parameters = Arc::clone(&parameters);
            self.answer(&statement)?;
        }
        Ok(Flow::Stay)
    }

    pub(super) fn save_query(&mut self, arguments: &[String]) -> Result<Flow> {
        let name = arguments.first().map(String::as_str).unwrap_or_default();
        let Some(dir) = self.queries_dirs.last() else {
            let reason = "there is no configuration directory to keep it in";
            return Err(invalid(".save", name, reason));
        };
        let Some(text) = &self.last else {
            return Err(invalid(".save", name, "nothing was run yet that could be kept"));
        };
        let path = queries::save(dir, name, text)?;
        let path = path.display().to_string();
        self.screen.say(&format!("kept in {}; `.run {name}` runs it", visible(&path)));
        Ok(Flow::Stay)
    }
}

/// `text` with a line feed at its end.
fn ended(text: &str) -> String {
    format!("{}\n", text.trim_end())
}
