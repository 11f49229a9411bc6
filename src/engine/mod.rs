//! SQL over the cache: one [`Session`] plans and runs statements with DataFusion.
//!
//! The way of a statement:
//!
//! ```text
//! text ─ parse ─► syntax tree ─ refuse ─ rewrite ─► plan ─ optimise ─► coverage ─► rows
//!        (byte for byte)        (what      (names, *,        (notices)
//!                               writes)    aliases)
//! ```
//!
//! * The user's text reaches the parser byte for byte; everything that makes pasted Athena SQL
//!   resolve (names in any case, `*` without the hidden columns) happens on the syntax tree, in
//!   `rewrite`.
//! * The tables are plans over Parquet scans (`tables`): columns that are computed cost nothing
//!   until a statement names them.
//! * A statement runs on one snapshot of the cache, taken when it starts.
//! * What goes wrong is told at its place in the user's text (`diagnose`).
//!
//! The dialect is DataFusion's generic one, with one difference: `ORDER BY` puts NULLs last for
//! both directions, as Athena does, so that `ORDER BY … DESC LIMIT n` gives the rows asked for.

mod addresses;
mod analyze;
mod answer;
mod athena;
mod attempt;
mod casts;
mod catalog;
mod chains;
mod compact;
mod computed;
mod config;
mod coverage;
mod ddl;
mod describe;
mod diagnose;
mod dialect;
mod functions;
mod lenient;
mod memory;
mod named;
mod names;
mod numbers;
mod parameters;
mod parse;
mod prepared;
mod refuse;
mod relations;
mod rewrite;
mod session;
mod sides;
mod spill;
mod stack;
mod statements;
mod subqueries;
mod tables;
mod times;
mod tokens;
mod types;
mod unnest;
mod walk;

use std::{path::PathBuf, sync::Arc};

pub use self::{
    answer::{Answer, Outcome},
    athena::{AthenaColumn, AthenaForm, athena_columns},
    coverage::{Coverage, EventHistory, FileCoverage, Gap, RecordCoverage, SkippedFile, Slice},
    ddl::{Sources, declared_sources},
    functions::{Function, functions},
    names::{Name, NameKind},
    session::Session,
    stack::THREAD_STACK_BYTES,
    types::type_name,
};

/// The names of the tables.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    tables::Relation::ALL.into_iter().map(tables::Relation::name)
}

/// How queries run.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Memory for queries, in bytes; beyond it they spill.
    pub memory_bytes: usize,
    /// Where they spill to.
    pub temp_dir: PathBuf,
    /// Threads; as many as cores unless told.
    pub threads: usize,
    /// Further names of tables: (`"db.trail_logs"` or `trail_logs`, the table's own name).
    pub table_names: Vec<(String, String)>,
    /// Whether what Athena refuses is refused, which published queries have and which is told and
    /// taken otherwise.
    pub strict: bool,
}

/// One statement of the user's text.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The user's text, whole.
    pub text: Arc<str>,
    /// Where it came from, for errors.
    pub origin: Option<Arc<str>>,
    /// The bytes of the statement in it, without the semicolon that ends it.
    pub span: std::ops::Range<usize>,
    /// Values of its `:name` parameters: names, and SQL literals that are put in their places on
    /// the syntax tree.
    pub parameters: Arc<[(String, String)]>,
}

impl Statement {
    /// The statement's own text.
    pub fn sql(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }
}
