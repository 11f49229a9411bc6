//! The integration tests: the public surface, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_collect,
    clippy::naive_bytecount,
    reason = "a test that cannot go on panics"
)]

#[path = "../../benches/generate/mod.rs"]
mod generate;
#[path = "../../benches/verify/trail.rs"]
mod trail;

mod answers;
mod cli;
mod coverage;
mod ddl;
mod docs;
mod engine;
mod errors;
mod functions;
mod generator;
mod history;
mod ingest;
mod kill;
mod library;
mod mutations;
mod pivots;
mod repl;
mod s3;
mod safe;
mod shared_data;
mod sql;
mod support;
mod testdata;
mod tidy;
mod timeline;
mod trace;
mod verify;
mod wrappers;
