//! The functions of Athena engine v3, one file per family, and the one table of them.
//!
//! Each family gives its [`Function`]s: name, signature, what it does, examples that are tests, and
//! how it is made. The table feeds registration, completion, `.help` and `docs/SQL.md`. A name that
//! DataFusion has too means what it means in Trino.
//!
//! Types: `json` is `LargeUtf8` (compact JSON text; nothing else here is of that type), `ipaddress`
//! is `FixedSizeBinary(16)` (IPv4 mapped into IPv6, as in Trino), `varchar` is any other text. The
//! unit of a timestamp is its precision: seconds 0, milliseconds 3, microseconds 6, nanoseconds 9.

mod aggregate;
mod array;
mod arrays;
mod binary;
pub(super) mod call;
mod digest;
mod four;
pub(super) mod ip;
pub(super) mod json;
mod lambda;
mod map;
pub(super) mod math;
mod misc;
mod nested;
mod pieces;
mod planner;
mod regexp;
pub(super) mod repeats;
mod scalar;
mod string;
pub(super) mod time;
mod url;

use std::{collections::HashSet, sync::Arc};

use datafusion::{
    execution::SessionStateBuilder,
    logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF},
};

/// One function, as users know it.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name, lower case.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// What it belongs to, a word: `json`, `date and time`.
    pub family: &'static str,
    /// How it is called: `split_part(string, delimiter, index) → varchar`.
    pub signature: &'static str,
    /// What it does, a sentence or two.
    pub text: &'static str,
    /// Expressions and what they give, as text. Tests run them.
    pub examples: &'static [(&'static str, &'static str)],
    make: fn() -> Made,
}

/// How a function gets into the engine.
#[derive(Debug)]
pub(super) enum Made {
    /// Row by row.
    Scalar(ScalarUDF),
    /// Many rows to one.
    Aggregate(AggregateUDF),
    /// Takes a lambda.
    HigherOrder(HigherOrderUDF),
    /// DataFusion's own means the same.
    Native,
    /// Rewritten on the syntax tree.
    Rewritten,
}

/// The families.
const FAMILIES: &[fn() -> Vec<Function>] = &[
    rewritten,
    aggregate::functions,
    array::functions,
    binary::functions,
    four::functions,
    ip::functions,
    json::functions,
    lambda::functions,
    map::functions,
    math::functions,
    misc::functions,
    regexp::functions,
    string::functions,
    time::functions,
    url::functions,
];

/// What looks like a function, and is rewritten on the syntax tree.
fn rewritten() -> Vec<Function> {
    let family = "conditional";
    let make = || Made::Rewritten;
    vec![
        Function {
            name: "if",
            aliases: &[],
            family,
            signature: "if(condition, value [, other])",
            text: "The value where the condition is true, else the other one or NULL; only the one \
                   that is given is computed.",
            examples: &[("if(1 < 2, 'yes', 'no')", "yes"), ("if(1 > 2, 'yes')", "NULL")],
            make,
        },
        Function {
            name: "try",
            aliases: &[],
            family,
            signature: "try(expression)",
            text: "What the expression gives; NULL for the rows on which it fails.",
            examples: &[("try(1 / 0)", "NULL"), ("try(CAST('7' AS bigint))", "7")],
            make,
        },
    ]
}

/// All functions that are documented, by name.
pub fn functions() -> Vec<Function> {
    let mut all: Vec<Function> = FAMILIES.iter().flat_map(|family| family()).collect();
    all.sort_by_key(|function| function.name);
    all
}

pub(super) use self::{aggregate::DistinctTexts, pieces::Pieces, planner::Planner};

/// Puts the functions into a state that has DataFusion's.
///
/// Those of DataFusion that answer to one of our names are taken out first: a state made from this
/// one registers all functions anew in no particular order, so that theirs would win at random.
pub(super) fn register(builder: &mut SessionStateBuilder) {
    let made: Vec<(Function, Made)> =
        functions().into_iter().map(|function| (function.clone(), (function.make)())).collect();
    let ours: HashSet<&str> = made
        .iter()
        .filter(|(_, made)| !matches!(made, Made::Native | Made::Rewritten))
        .flat_map(|(function, _)| function.aliases.iter().copied().chain([function.name]))
        .collect();
    let theirs = |name: &str, aliases: &[String]| {
        !ours.contains(name) && !aliases.iter().any(|alias| ours.contains(alias.as_str()))
    };
    let scalars = builder.scalar_functions().get_or_insert_default();
    scalars.retain(|function| theirs(function.name(), function.aliases()));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    aggregates.retain(|function| theirs(function.name(), function.aliases()));
    let windows = builder.window_functions().get_or_insert_default();
    windows.retain(|function| theirs(function.name(), function.aliases()));
    let higher_order = builder.higher_order_functions().get_or_insert_default();
    higher_order.retain(|function| theirs(function.name(), function.aliases()));
    for (function, made) in made {
        let aliases = function.aliases.iter().copied();
        match made {
            Made::Scalar(scalar) => {
                let scalar = Arc::new(scalar.with_aliases(aliases));
                builder.scalar_functions().get_or_insert_default().push(scalar);
            }
            Made::Aggregate(aggregate) => {
                let aggregate = if function.aliases.is_empty() {
                    aggregate
                } else {
                    aggregate.with_aliases(aliases)
                };
                let aggregate = Arc::new(aggregate);
                builder.aggregate_functions().get_or_insert_default().push(aggregate);
            }
            Made::HigherOrder(function) => {
                let function = Arc::new(function.with_aliases(aliases));
                builder.higher_order_functions().get_or_insert_default().push(function);
            }
            Made::Native | Made::Rewritten => {}
        }
    }
}
