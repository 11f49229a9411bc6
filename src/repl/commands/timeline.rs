//! `.timeline`: what was done, in plain words and in order.

use super::super::{
    read_sql,
    shell::{Flow, Shell},
};
use super::{expanded, output::invalid};
use crate::{
    Result,
    pivots::timeline::{self, Words},
    queries::ListSource,
};

impl Shell {
    pub(super) fn timeline(&mut self, words: &[String]) -> Result<Flow> {
        let Words { options, query } = Words::read(words)?;
        let statement = match query {
            None => timeline::statement(&self.session, &options)?,
            Some((name, given)) => {
                let library = self.library()?;
                let query = library.get(&name)?;
                let literals = query.literals(&given, &mut |source| match source {
                    ListSource::File(path) => read_sql(&expanded(path)),
                    ListSource::Stdin => Err(invalid(
                        ".timeline",
                        "-",
                        "expected @FILE: the prompt reads what is typed",
                    )),
                })?;
                let asked = timeline::statement_of_query(&self.session, &options, query, literals);
                self.runner.until_interrupted(asked)?
            }
        };
        self.answer_by(&statement, timeline::writer)?;
        Ok(Flow::Stay)
    }
}
