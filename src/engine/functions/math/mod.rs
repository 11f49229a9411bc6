//! Numbers: <https://trino.io/docs/current/functions/math.html> and
//! <https://trino.io/docs/current/functions/bitwise.html>.
//!
//! Functions of doubles never fail: where they have no value, it is NaN.

mod bits;
mod chance;
mod divide;
mod exact;
mod real;

use datafusion::logical_expr::ScalarUDF;

pub(in crate::engine) use self::divide::{as_decimal, divide};
use super::{Function, Made};

const FAMILY: &str = "mathematics";

pub(super) fn functions() -> Vec<Function> {
    [bits::functions(), chance::functions(), exact::functions(), real::functions()]
        .into_iter()
        .flatten()
        .collect()
}

/// `round(x)`.
pub(in crate::engine) fn round() -> Option<ScalarUDF> {
    let found = exact::functions().into_iter().find(|function| function.name == "round")?;
    match (found.make)() {
        Made::Scalar(function) => Some(function),
        _ => None,
    }
}
