//! The command line: definitions, and one file per subcommand.
//!
//! Two steps: `args` says what the user typed, `settings` makes of it what the program needs.
//! stdout carries data and nothing else; progress, notices, errors and footers go to stderr.

mod args;
mod completions;
mod config;
mod convert;
mod forget;
mod heap;
mod ingest;
mod pivots;
mod query;
mod settings;
mod sql;
mod status;
mod timeline;
mod trace;
mod values;
mod verify;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    sync::Arc,
};

use clap::{
    Parser as _,
    error::{ContextKind, ContextValue},
};

use self::{
    args::{Arguments, Command},
    settings::Settings,
};
use crate::{
    Error, ErrorKind, Result,
    cache::Cache,
    ingest::{IngestOptions, IngestReport},
    output::{visible, visible_lines},
    pivots::dossier::Kind,
    repl::{self, EXIT_INTERRUPTED, Repl},
    source,
};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Done.
    Done,
    /// Done, but some input was skipped or rejected now.
    Partial,
}

impl Outcome {
    fn of(report: &IngestReport) -> Self {
        if repl::is_partial(report) { Self::Partial } else { Self::Done }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Partial => Self::from(1),
        }
    }
}

/// Parses the arguments, runs, and gives the exit code: 0 done, 1 done but some input was skipped
/// or rejected, 2 failed, 130 interrupted. A closed pipe ends quietly.
pub fn main() -> ExitCode {
    heap::keep_what_is_freed();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_fault = error.use_stderr();
            // Help and versions come as errors too.
            print_usage(error);
            return ExitCode::from(if is_fault { 2 } else { 0 });
        }
    };
    let screen = settings::screen(&arguments.global);
    // A fault of ours has been told by the panic's message; it must not look like another's code.
    let Ok(done) = std::panic::catch_unwind(|| run(arguments)) else {
        screen.say("  = help: this is a fault of trailhound; please report it");
        return ExitCode::from(2);
    };
    match done {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            let code = exit_code(&error);
            match error.kind() {
                ErrorKind::Interrupted => screen.say("interrupted"),
                _ if code != 0 => screen.error(&error),
                _ => {}
            }
            ExitCode::from(code)
        }
    }
}

/// Prints what the parser of arguments says, which quotes them: scripts pass on what they find in
/// logs.
fn print_usage(mut error: clap::Error) {
    let quoted: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(visible(text).into()))),
            _ => None,
        })
        .collect();
    for (kind, value) in quoted {
        error.insert(kind, value);
    }
    let text = error.render().to_string();
    let shown = visible_lines(&text);
    // Nobody is left to tell if this fails.
    if shown == text {
        drop(error.print());
    } else {
        drop(write!(io::stderr().lock(), "{shown}"));
    }
}

fn exit_code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe => 0,
        ErrorKind::Interrupted => EXIT_INTERRUPTED,
        _ => 2,
    }
}

fn run(arguments: Arguments) -> Result<Outcome> {
    let settings = Settings::new(&arguments.global)?;
    match arguments.command {
        None => prompt_or_stdin(&settings),
        Some(Command::Ingest(args)) => ingest::run(&settings, &args),
        Some(Command::Sql(args)) => sql::run(&settings, &args),
        Some(Command::Query(args)) => query::run(&settings, &args),
        Some(Command::Who(args)) => pivots::dossier(&settings, Kind::Who, &args),
        Some(Command::Ip(args)) => pivots::dossier(&settings, Kind::Ip, &args),
        Some(Command::Api(args)) => pivots::dossier(&settings, Kind::Api, &args),
        Some(Command::Key(args)) => pivots::dossier(&settings, Kind::Key, &args),
        Some(Command::Resource(args)) => pivots::dossier(&settings, Kind::Resource, &args),
        Some(Command::Event(args)) => pivots::event(&settings, &args),
        Some(Command::Convert(args)) => convert::run(&settings, &args),
        Some(Command::Status(args)) => status::run(&settings, args),
        Some(Command::Timeline(args)) => timeline::run(&settings, &args),
        Some(Command::Verify(args)) => verify::run(&settings, &args),
        Some(Command::Trace(args)) => trace::run(&settings, &args),
        Some(Command::Forget(args)) => forget::run(&settings, &args),
        Some(Command::Completions(args)) => completions::run(args),
    }
}

/// Without a command: a prompt where someone types, else what comes through standard input.
fn prompt_or_stdin(settings: &Settings) -> Result<Outcome> {
    if !settings.screen.stdin_is_terminal {
        return sql::run(settings, &sql::SqlArgs::default());
    }
    let cache = Arc::new(Cache::create(settings.place()?)?.with_threads(settings.threads));
    let ingest = settings.ingest(&[], source::Filter::default(), args::LimitArgs::default());
    Repl {
        cache,
        session: settings.session(),
        ingest,
        screen: settings.screen,
        history_file: settings.history_file.clone(),
        queries_dirs: settings.queries_dirs.clone(),
    }
    .run()?;
    Ok(Outcome::Done)
}

/// Opens the case's cache.
fn open_cache(settings: &Settings) -> Result<Arc<Cache>> {
    Ok(Arc::new(Cache::open(settings.place()?)?))
}

/// Ingests into the case's cache, which is created where there is none. The report is of what was
/// committed; a second value tells whether the user interrupted.
fn ingest_into_cache(
    settings: &Settings,
    options: &IngestOptions,
) -> Result<(Arc<Cache>, IngestReport, bool)> {
    // Before the cache is created: nothing is ever written below evidence.
    source::check_apart(&settings.cache, Some(&settings.temp_dir), &options.sources)?;
    let cache = Arc::new(Cache::create(settings.place()?)?.with_threads(settings.threads));
    let (report, interrupted) = repl::ingest(settings.screen, &cache, options)?;
    Ok((cache, report, interrupted))
}

/// Writes `text` to stdout.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|source| ErrorKind::Output(source).into())
}

/// Asks for a file instead of a terminal for what no terminal can show.
fn refuse_terminal(format: crate::output::Format) -> Result<()> {
    if format == crate::output::Format::Parquet && io::stdout().is_terminal() {
        return Err(ErrorKind::Value {
            name: "--format".to_owned(),
            value: format.name().to_owned(),
            reason: "a terminal cannot show it; give a file with -o".to_owned(),
        }
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let output = |kind: io::ErrorKind| Error::from(ErrorKind::Output(kind.into()));
        assert_eq!(exit_code(&output(io::ErrorKind::BrokenPipe)), 0);
        assert_eq!(exit_code(&output(io::ErrorKind::StorageFull)), 2);
        assert_eq!(exit_code(&ErrorKind::Interrupted.into()), 130);
    }
}
