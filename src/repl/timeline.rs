//! `.timeline`: what was done, in plain words and in order.

use super::shell::{Flow, Shell};
use crate::{
    ErrorKind, Result,
    pivots::timeline::{self, Words},
};

impl Shell {
    pub(super) fn timeline(&mut self, words: &[String]) -> Result<Flow> {
        let Words { options, query } = Words::read(words)?;
        let statement = match query {
            None => timeline::statement(&self.session, &options)?,
            Some((name, given)) => {
                let library = self.library()?;
                let query = library.get(&name)?;
                let literals = query.literals(&given, &mut |_| {
                    Err(ErrorKind::Value {
                        name: ".timeline".to_owned(),
                        value: name.clone(),
                        reason: "at the prompt a list is written out, parted by commas".to_owned(),
                    }
                    .into())
                })?;
                let asked = timeline::statement_of_query(&self.session, &options, query, literals);
                self.runner.until_interrupted(asked)?
            }
        };
        self.answer_by(&statement, timeline::writer)?;
        Ok(Flow::Stay)
    }
}
