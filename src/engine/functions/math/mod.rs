//! Numbers: <https://trino.io/docs/current/functions/math.html> and
//! <https://trino.io/docs/current/functions/bitwise.html>.
//!
//! Functions of doubles never fail: where they have no value, it is NaN.

mod bits;
mod chance;
mod divide;
mod exact;
mod real;

pub(in crate::engine) use self::divide::{as_decimal, divide};
use super::Function;

const FAMILY: &str = "mathematics";

pub(super) fn functions() -> Vec<Function> {
    [bits::functions(), chance::functions(), exact::functions(), real::functions()]
        .into_iter()
        .flatten()
        .collect()
}
