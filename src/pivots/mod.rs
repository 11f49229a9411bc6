//! The investigator's next step: from one thing in the evidence to all that is around it.
//!
//! A pivot is a question of several statements whose answers are one report. Each is an
//! asynchronous function of a [`Session`](crate::engine::Session) that gives a value; the prompt
//! and the command line run it and print that value as text or as JSON.

mod ask;
pub mod dossier;
mod moment;
pub mod timeline;
pub mod trace;

pub use self::moment::{since, until};
