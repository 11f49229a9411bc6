//! The prompt, and what it shares with the command line: running statements, progress, reports.
//!
//! The loop is synchronous: the editor blocks while the user types, and each statement runs to its
//! end or to Ctrl-C on the [`Runner`]'s threads.

mod athena;
mod commands;
mod complete;
mod editor;
mod interrupts;
mod lex;
mod outlet;
mod pager;
mod pivots;
mod progress;
mod report;
mod run;
mod scan;
mod screen;
mod shell;
mod status;
mod texts;
mod values;

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    athena::athena_text,
    commands::reference,
    progress::watch_count,
    report::{is_partial, summary},
    run::{Ran, Runner},
    screen::{Screen, speaks_unicode},
    status::render_status,
    texts::{check_apart_from_evidence, texts},
};
use self::{
    editor::{Entered, Prompt},
    shell::{Flow, Shell},
};
use crate::{
    ErrorKind, Result,
    cache::Cache,
    engine::{Session, SessionOptions, Statement},
    ingest::{self, IngestOptions, IngestReport, Progress},
    integrity::{self, VerifyOptions, VerifyReport},
    source,
};

/// The exit code of what Ctrl-C ended, as shells have it: 128 + SIGINT.
pub const EXIT_INTERRUPTED: u8 = 130;

/// The most rows a table on a terminal shows unless told.
pub const DEFAULT_MAX_ROWS: usize = 40;

/// The most text that is read from a file as SQL, in bytes.
const MAX_SQL_BYTES: u64 = 64 << 20;

/// A prompt on a cache.
#[derive(Debug)]
pub struct Repl {
    /// The cache.
    pub cache: Arc<Cache>,
    /// How queries run.
    pub session: SessionOptions,
    /// How `.ingest` works; its sources are the command's.
    pub ingest: IngestOptions,
    /// Where output goes.
    pub screen: Screen,
    /// Where the history rests.
    pub history_file: Option<PathBuf>,
    /// Where the user's own saved queries lie; the last is the one that new ones are kept in.
    pub queries_dirs: Vec<PathBuf>,
}

impl Repl {
    /// Reads and runs until the user leaves.
    ///
    /// # Errors
    /// The session cannot be opened, or the terminal is gone. What fails in a statement is said,
    /// and the prompt goes on.
    pub fn run(self) -> Result<()> {
        let mut prompt = Prompt::new(self.history_file.as_deref(), self.screen.stdout_color)?;
        let mut shell = Shell::open(self)?;
        shell.greet();
        loop {
            prompt.set_words(shell.words());
            match prompt.read()? {
                Entered::Leave => return Ok(()),
                Entered::Nothing => {}
                Entered::Text(text) => {
                    let flow = shell.enter(&text);
                    if let Some(written) = shell.written.take() {
                        prompt.keep(&written);
                    }
                    if flow == Flow::Leave {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Ingests into `cache` with progress on the screen. The report is of what was committed; the
/// second value tells whether the user interrupted.
///
/// # Errors
/// As [`ingest::run`].
pub fn ingest(
    screen: Screen,
    cache: &Cache,
    options: &IngestOptions,
) -> Result<(IngestReport, bool)> {
    let progress = Arc::<Progress>::default();
    let mut report = IngestReport::default();
    let done = progress::watch(screen, &progress, || {
        ingest::run_into(cache, options, &progress, &mut report)
    });
    for notice in &report.notices {
        screen.notice(notice);
    }
    match done {
        Ok(()) => Ok((report, false)),
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted) => Ok((report, true)),
        Err(error) => Err(error),
    }
}

/// Verifies what `options` name, with progress on the screen. What was done when the user
/// interrupted is in the report.
///
/// # Errors
/// As [`integrity::run`].
pub fn verify(
    screen: Screen,
    cache: Option<&Cache>,
    options: &VerifyOptions,
    keys: integrity::KeysOf<'_>,
) -> Result<VerifyReport> {
    let progress = Arc::<Progress>::default();
    progress::watch_files(screen, "verify", &progress, || {
        integrity::run(options, keys, cache, &progress)
    })
}

/// Ingests what lies at the locations of the declared tables that `statement` declares, alters or
/// asks about, with progress on the screen; says what was new. The report, where there were any.
///
/// # Errors
/// As [`ingest()`]; a location lies around the cache or within it, or the user interrupted.
pub fn ingest_declared(
    screen: Screen,
    cache: &Cache,
    session: &Session,
    statement: &Statement,
    options: &IngestOptions,
) -> Result<Option<IngestReport>> {
    let sources = session.sources(statement)?;
    if !sources.in_s3.is_empty() && options.aws.has_credentials() {
        ingest_from_s3(screen, cache, sources.in_s3, options)?;
    }
    if sources.places.is_empty() {
        return Ok(None);
    }
    let options = IngestOptions { sources: sources.places, ..options.clone() };
    source::check_apart(cache.name(), Some(&options.temp_dir), &options.sources)?;
    let (report, interrupted) = match ingest(screen, cache, &options) {
        // A cache that may only be read, evidence that may not be: what is known is known.
        Err(error) if !sources.are_needed => {
            let places = options.sources.join(", ");
            screen.notice(&format!(
                "what is new in {places} could not be read: {error}; the rows are those read before"
            ));
            return Ok(None);
        }
        ingested => ingested?,
    };
    if interrupted {
        return Err(ErrorKind::Interrupted.into());
    }
    if report.files.unchanged < report.files.seen {
        screen.say(&summary(&report));
    }
    Ok(Some(report))
}

/// Ingests what lies at locations in S3, as far as credentials allow: those of tables that others
/// made are often of buckets that only they may read.
fn ingest_from_s3(
    screen: Screen,
    cache: &Cache,
    sources: Vec<String>,
    options: &IngestOptions,
) -> Result<()> {
    let options = IngestOptions { sources, ..options.clone() };
    source::check_apart(cache.name(), Some(&options.temp_dir), &options.sources)?;
    match ingest(screen, cache, &options) {
        Ok((_, true)) => Err(ErrorKind::Interrupted.into()),
        Ok((report, false)) => {
            if report.files.unchanged < report.files.seen {
                screen.say(&summary(&report));
            }
            Ok(())
        }
        Err(error) => {
            screen.notice(&format!("{error}; the table has what was ingested otherwise"));
            Ok(())
        }
    }
}

/// Reads a file of SQL.
///
/// # Errors
/// It cannot be read, is no UTF-8, or is larger than 64 MiB.
pub fn read_sql(path: &Path) -> Result<String> {
    let failed = |source| ErrorKind::Io { action: "read", path: path.to_owned(), source };
    let mut text = String::new();
    let mut file = std::fs::File::open(path).map_err(failed)?.take(MAX_SQL_BYTES + 1);
    let size = file.read_to_string(&mut text).map_err(failed)?;
    if size as u64 > MAX_SQL_BYTES {
        return Err(failed(io::Error::other("more SQL than 64 MiB")).into());
    }
    // Editors of other systems put a byte order mark in front.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
