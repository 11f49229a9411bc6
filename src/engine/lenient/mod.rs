//! Leniency that responders rely on: what Athena refuses, published queries have, and cannot mean two
//! things.
//!
//! Each is told beside the answer, once a kind and statement, with the spelling that Athena takes; a
//! strict session refuses the statement and says the same.
//!
//! * Typographic quotes, spaces and dashes ([`glyphs`]), where the text becomes tokens.
//! * A placeholder where the name of a table belongs ([`placeholder`]), on the syntax tree.
//! * HAVING that names an alias (`rewrite`), on the syntax tree.
//! * Members of JSON text, `requestparameters.bucketname` ([`members`]), where names are planned.
//! * Text compared with a timestamp or a boolean ([`times`]), on the plan.

pub(super) mod glyphs;
mod known;
mod members;
mod open_names;
mod placeholder;
mod plan;
mod times;

use std::{collections::HashSet, ops::Range};

use datafusion::sql::sqlparser::tokenizer::Span;

pub(super) use self::{
    members::{MEMBER, Planner},
    open_names::open_names,
    placeholder::placeholder,
    plan::of_plan,
    times::{INSTANT, TextTimes},
};
use super::{Statement, diagnose};
use crate::{Error, Result};

/// What kind of leniency it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Quote,
    Space,
    Dash,
    Placeholder,
    Having,
    Member,
    TextTime,
    TextBoolean,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At these bytes of the statement.
    Bytes(Range<usize>),
    /// At this place of the syntax tree.
    Tree(Span),
    /// Where these names stand with dots between them.
    Names(Vec<String>),
}

/// One thing that a statement says and that Athena refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// As it is written.
    pub(super) written: String,
    /// What it is taken as.
    pub(super) meant: String,
    /// What Athena takes instead.
    pub(super) strict: String,
    /// What is wrong with it, strictly.
    pub(super) fault: String,
}

/// The error that a strict session gives for `taken`.
pub(super) fn refusal(statement: &Statement, taken: &Taken) -> Error {
    let Taken { place, meant, strict, fault, .. } = taken;
    let at = match place {
        Place::Bytes(range) => Some(range.clone()),
        Place::Tree(span) => diagnose::place_of_span(statement, *span),
        Place::Names(names) => diagnose::place_of_names(statement, names),
    };
    let help = format!("write {strict}; without --strict it is taken as {meant}");
    diagnose::with_help(statement, at, fault.clone(), help)
}

/// What to say of `taken`, a line a kind.
///
/// # Errors
/// The session is strict, and there is something.
pub(super) fn told(
    statement: &Statement,
    strict: bool,
    mut taken: Vec<Taken>,
) -> Result<Vec<String>> {
    if let Some(first) = taken.first_mut()
        && strict
    {
        respell(statement, first);
        return Err(refusal(statement, first));
    }
    let mut seen = HashSet::new();
    taken.retain(|one| seen.insert((one.kind, one.written.clone())));
    taken.sort_by_key(|one| one.kind);
    let mut notices = Vec::new();
    for of_kind in taken.chunk_by_mut(|a, b| a.kind == b.kind) {
        let more = match of_kind.len().saturating_sub(1) {
            0 => String::new(),
            n => format!(" ({n} more in this statement)"),
        };
        let Some(first) = of_kind.first_mut() else { continue };
        respell(statement, first);
        let Taken { written, meant, strict, .. } = first;
        notices.push(format!("{written} is taken as {meant}{more}; Athena takes {strict}"));
    }
    Ok(notices)
}

/// Names as the user wrote them, where their place is known.
fn respell(statement: &Statement, one: &mut Taken) {
    let at = match &one.place {
        Place::Names(names) => diagnose::place_of_names(statement, names),
        Place::Tree(span) => diagnose::place_of_span(statement, *span),
        Place::Bytes(_) => None,
    };
    match (one.kind, at.and_then(|at| statement.sql().get(at))) {
        (Kind::Member, Some(text)) => known::respell(one, text),
        (Kind::Placeholder, Some(text)) => placeholder::respell(one, text),
        _ => {}
    }
}
