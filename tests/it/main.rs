//! The integration tests: the public surface, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

#[path = "../../benches/generate/mod.rs"]
mod generate;

mod answers;
mod cli;
mod docs;
mod errors;
mod generator;
mod ingest;
mod kill;
mod repl;
mod shared_data;
mod sql;
mod support;
mod testdata;
mod tidy;
