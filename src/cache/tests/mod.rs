//! Caches in temporary directories, with a small stand-in for the events' schema.

mod commits;
mod files;
mod forgetting;
mod housekeeping;
mod standin;
