//! Commands that look around: tables, columns, functions, coverage.

use super::{
    super::{
        shell::{Flow, Shell},
        status,
    },
    help,
};
use crate::{
    Result,
    engine::functions,
    output::{self, visible},
};

impl Shell {
    pub(super) fn tables(&mut self, _: &[String]) -> Result<Flow> {
        let mut text = String::new();
        for table in self.words().names.tables {
            // The configuration may give tables names of any characters.
            text.push_str(&visible(&table));
            text.push('\n');
        }
        self.show(&text)
    }

    pub(super) fn schema(&mut self, arguments: &[String]) -> Result<Flow> {
        let table = arguments.first().map_or("cloudtrail_logs", String::as_str);
        // A name in quotes needs none escaped; what else it may be, the parser tells.
        let sql = format!("DESCRIBE {}", table.trim_end_matches(';'));
        self.run_sql(&sql, None).map(|()| Flow::Stay)
    }

    pub(super) fn functions(&mut self, arguments: &[String]) -> Result<Flow> {
        let pattern = arguments.first().map(|word| word.to_lowercase()).unwrap_or_default();
        // As in LIKE, for those who type psql's `\df json*`.
        let pattern = pattern.trim_matches(['*', '%']);
        let all = functions();
        let fits = all.iter().filter(|function| {
            function.name.contains(pattern)
                || function.family.contains(pattern)
                || function.aliases.iter().any(|alias| alias.contains(pattern))
        });
        let text: String = fits.flat_map(|function| [function.signature, "\n"]).collect();
        if text.is_empty() {
            let pattern = visible(pattern);
            self.screen.say(&format!("no function has `{pattern}` in its name"));
            return Ok(Flow::Stay);
        }
        self.show(&text)
    }

    pub(super) fn status(&mut self, _: &[String]) -> Result<Flow> {
        let coverage = self.runner.coverage(&self.session)?;
        self.show(&status::render_status(&coverage, self.cache.name()))
    }

    pub(super) fn help(&mut self, arguments: &[String]) -> Result<Flow> {
        let text = help::help(arguments.first())?;
        self.show(&output::visible_lines(&text))
    }
}
