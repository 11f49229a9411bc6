//! The house rules that no compiler checks: what files look like, who imports whom, and what the
//! dependencies may be. A rule that fails says which file breaks it and what to do.

mod files;
mod graph;
mod layers;
mod licences;
mod mentions;
mod tree;

/// Fails with every fault in one message, so that one run shows all there is to mend.
#[track_caller]
fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}\n{}", faults.join("\n"));
}
