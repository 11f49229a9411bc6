//! Caches in temporary directories, with a small stand-in for the events' schema.

mod commits;
mod standin;
