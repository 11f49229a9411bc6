//! The integration tests: the public surface, in one binary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod ingest;
