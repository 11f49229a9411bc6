//! The functions of Athena engine v3, one file per family, and the one table of them.
//!
//! Each family gives its [`Function`]s: name, signature, what it does, examples that are tests, and
//! how it is made. The table feeds registration, completion, `.help` and `docs/SQL.md`. A name that
//! DataFusion has too means what it means in Trino.
//!
//! Types: `json` is `LargeUtf8` (compact JSON text; nothing else here is of that type), `ipaddress`
//! is `FixedSizeBinary(16)` (IPv4 mapped into IPv6, as in Trino), `varchar` is any other text. The
//! unit of a timestamp is its precision: seconds 0, milliseconds 3, microseconds 6, nanoseconds 9.

mod arrays;
mod binary;
mod call;
mod digest;
pub(super) mod ip;
mod math;
mod misc;
mod planner;
mod regexp;
mod scalar;
mod string;
mod url;

use std::{collections::HashSet, sync::Arc};

use datafusion::{
    execution::SessionStateBuilder,
    logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF},
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
    /// Over the rows of a window.
    Window(WindowUDF),
    /// Takes a lambda.
    HigherOrder(HigherOrderUDF),
    /// DataFusion's own means the same.
    Native,
    /// Rewritten on the syntax tree.
    Rewritten,
}

/// The families.
const FAMILIES: &[fn() -> Vec<Function>] = &[
    binary::functions,
    ip::functions,
    math::functions,
    misc::functions,
    regexp::functions,
    string::functions,
    url::functions,
];

/// All functions that are documented, by name.
pub fn functions() -> Vec<Function> {
    let mut all: Vec<Function> = FAMILIES.iter().flat_map(|family| family()).collect();
    all.sort_by_key(|function| function.name);
    all
}

pub(super) use self::planner::Planner;

/// Puts the functions into a state that has DataFusion's; ours win.
pub(super) fn register(builder: &mut SessionStateBuilder) {
    let all = functions();
    make_room(builder, &all);
    for function in all {
        let aliases = function.aliases.iter().copied();
        match (function.make)() {
            Made::Scalar(scalar) => {
                let scalar = Arc::new(scalar.with_aliases(aliases));
                builder.scalar_functions().get_or_insert_default().push(scalar);
            }
            Made::Aggregate(aggregate) => {
                let aggregate = Arc::new(aggregate.with_aliases(aliases));
                builder.aggregate_functions().get_or_insert_default().push(aggregate);
            }
            Made::Window(window) => {
                let window = Arc::new(window.with_aliases(aliases));
                builder.window_functions().get_or_insert_default().push(window);
            }
            Made::HigherOrder(function) => {
                let function = Arc::new(function);
                builder.higher_order_functions().get_or_insert_default().push(function);
            }
            Made::Native | Made::Rewritten => {}
        }
    }
}

/// Takes out DataFusion's functions that share a name with one of ours.
///
/// A state that is made from another registers all functions again, in no order: those of an alias
/// too, under all their names. One that is left would win over ours now and then.
fn make_room(builder: &mut SessionStateBuilder, ours: &[Function]) {
    let made = |function: &Function| !matches!((function.make)(), Made::Native | Made::Rewritten);
    let taken: HashSet<&str> = ours
        .iter()
        .filter(|function| made(function))
        .flat_map(|function| function.aliases.iter().copied().chain([function.name]))
        .collect();
    let free = |name: &str, aliases: &[String]| {
        !taken.contains(name) && !aliases.iter().any(|alias| taken.contains(alias.as_str()))
    };
    let scalars = builder.scalar_functions().get_or_insert_default();
    scalars.retain(|function| free(function.name(), function.aliases()));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    aggregates.retain(|function| free(function.name(), function.aliases()));
    let windows = builder.window_functions().get_or_insert_default();
    windows.retain(|function| free(function.name(), function.aliases()));
}
