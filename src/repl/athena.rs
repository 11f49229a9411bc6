//! A saved query as Athena runs it, with a head that says what it takes.

use std::fmt::Write as _;

use super::Runner;
use crate::{
    ErrorKind, Result,
    engine::{Session, Statement},
    queries::SavedQuery,
};

/// The text of `query` for Athena, planned in `session`; no row is read.
///
/// # Errors
/// It is not one query, does not plan, or reads what Athena cannot have.
pub fn athena_text(runner: &Runner, session: &Session, query: &SavedQuery) -> Result<String> {
    let statements = session.parse(&query.text, Some(&query.origin))?;
    let [statement] = statements.as_slice() else {
        return Err(ErrorKind::Value {
            name: "--athena".to_owned(),
            value: query.name.clone(),
            reason: "Athena takes one statement at a time, and there are several or none"
                .to_owned(),
        }
        .into());
    };
    let samples = query.parameters.iter().map(|p| (p.name.clone(), p.sample().to_owned()));
    let statement = Statement { parameters: samples.collect(), ..statement.clone() };
    let spelled = |name: &str| {
        let parameter = query.parameters.iter().find(|parameter| parameter.name == name)?;
        Some(parameter.athena().to_owned())
    };
    let form = runner.until_interrupted(session.athena(&statement, &spelled))?;

    let mut out =
        String::from("-- For Athena, over the table `cloudtrail_logs` as AWS defines it.\n");
    if !form.placeholders.is_empty() {
        out.push_str(
            "-- Its ? stand for these, in order; each is given as a literal ('…', 50, …):\n",
        );
    }
    for (at, name) in form.placeholders.iter().enumerate() {
        let Some(parameter) = query.parameters.iter().find(|p| p.name == *name) else { continue };
        // Writing into a string does not fail.
        let _ = write!(out, "--   {}. {name} {}", at + 1, parameter.athena_type());
        if let Some(default) = &parameter.default {
            let _ = write!(out, ", else {}", parameter.athena_literal(default));
        }
        out.push('\n');
    }
    for note in &form.notes {
        let _ = writeln!(out, "-- {note}");
    }
    out.push_str(form.sql.trim_end());
    out.push('\n');
    Ok(out)
}
