//! The library of saved queries: each finds what its fixture says, and nothing else.

mod athena;
mod bless;
mod catalogue;
mod commands;
mod fixture;
mod front;
mod hits;
mod json;
mod lab;
mod real;
mod reference;

use trailhound::queries::{Library, SavedQuery};

/// The built-in queries.
fn built_in() -> Vec<SavedQuery> {
    Library::open(None::<&str>).unwrap().find("").cloned().collect()
}
