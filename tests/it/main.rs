//! The integration tests: the public surface, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../../benches/generate/mod.rs"]
mod generate;

mod generator;
mod kill;
mod shared_data;
mod support;
mod testdata;
mod tidy;
