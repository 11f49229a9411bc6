//! The integration tests: the public surface, in one binary.

mod tidy;
