//! trailhound: a CloudTrail log forensic query engine.
//!
//! ```text
//!  evidence (read-only)                                                             answers
//!  S3 prefix ─┐                                                                  ┌─ REPL
//!  directory ─┼─ source ─► inflate ─► logs (decode) ─► cache (Parquet) ─► engine ─┼─ trailhound sql / query
//!  zip, tar  ─┘   list      gzip       JSON → Arrow     deduplicate       SQL     └─ conversion, reports
//!  stdin          fetch                                  sort, commit
//!                         └────────── ingest drives all of this ──────┘
//! ```
//!
//! Data moves one way, and the modules stand in the order in which it does. [`ingest`] and
//! [`engine`] meet only at [`cache`] and never import each other. `docs/ARCHITECTURE.md` has the
//! invariants and says where each is tested.

pub mod error;

pub mod bridge;

pub mod logs;

pub mod aws;

pub mod source;

pub mod ingest;

pub mod integrity;

pub mod cache;

pub mod engine;

pub mod queries;

pub mod pivots;

pub mod output;

pub mod repl;

pub mod cli;

pub use error::{Error, ErrorKind, Result};
