//! `trailhound verify`: trails made with keys of our own, whole and tampered with.

mod cached;
mod chains;
mod hostile;
mod remote;
mod reports;
mod scene;
mod tampering;
