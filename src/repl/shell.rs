//! What the prompt knows and does: its settings, and how what is entered runs. Its commands are in
//! [`super::commands`].

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    Repl, Runner, Screen, commands,
    complete::{Names, Words},
    outlet::Outlet,
    pager::{Pager, Paging},
    run::Ran,
    scan, status,
    values::Values,
};
use crate::{
    ErrorKind, Result,
    cache::{Cache, Table},
    engine::{Session, Statement},
    ingest::IngestOptions,
    output::{self, Format, OutputOptions, RowWriter, WriterOf},
    queries::Library,
};

/// The most events the greeting looks at: nobody waits for a prompt.
const MOST_EVENTS_LOOKED_AT: u64 = 10_000_000;

/// Whether the prompt goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// It does.
    Stay,
    /// The user leaves.
    Leave,
}

/// The prompt's state.
pub(super) struct Shell {
    pub(super) cache: Arc<Cache>,
    pub(super) session: Arc<Session>,
    pub(super) runner: Runner,
    pub(super) ingest: IngestOptions,
    pub(super) screen: Screen,
    pub(super) options: OutputOptions,
    pub(super) timer: bool,
    pub(super) strict: bool,
    pub(super) paging: Paging,
    /// Where the user's own saved queries lie.
    pub(super) queries_dirs: Vec<PathBuf>,
    /// Where answers go until told otherwise, and its name; the screen where nowhere else.
    pub(super) output: Option<(File, PathBuf)>,
    /// Where the next answer goes, and how it is written.
    pub(super) once: Option<(PathBuf, Format)>,
    /// The last text that was run as SQL, for `.edit` and `.save`.
    pub(super) last: Option<String>,
    /// What a command ran in the user's name, for the history.
    pub(super) written: Option<String>,
    values: Values,
}

impl Shell {
    pub(super) fn open(repl: Repl) -> Result<Self> {
        let session = Session::open(Arc::clone(&repl.cache), &repl.session)?;
        Ok(Self {
            runner: Runner::new(repl.session.threads)?,
            values: Values::of(&repl.cache),
            cache: repl.cache,
            session: Arc::new(session),
            ingest: repl.ingest,
            screen: repl.screen,
            options: OutputOptions {
                max_rows: Some(super::DEFAULT_MAX_ROWS),
                color: repl.screen.stdout_color,
                types: true,
                ..OutputOptions::new(Format::Table)
            },
            timer: true,
            strict: repl.session.strict,
            paging: Paging::default(),
            queries_dirs: repl.queries_dirs,
            output: None,
            once: None,
            last: None,
            written: None,
        })
    }

    /// Says where the user is.
    pub(super) fn greet(&self) {
        let covered = match self.headline() {
            Ok(headline) => headline,
            Err(error) => {
                self.screen.error(&error);
                "the cache cannot be read".to_owned()
            }
        };
        let version = env!("CARGO_PKG_VERSION");
        let n_queries = self.library().map_or(0, |library| library.find("").count());
        let queries = output::human::counted(n_queries as u64, "saved query", "saved queries");
        self.screen.say(&format!(
            "trailhound {version} · {covered}\n\
             Type SQL ending in ; — .help for commands, .queries for {queries}, Tab completes.\n\n"
        ));
    }

    fn headline(&self) -> Result<String> {
        let n_events = self.cache.snapshot()?.n_records(Table::Events);
        if n_events > MOST_EVENTS_LOOKED_AT {
            return Ok(output::human::counted(n_events, "event", "events"));
        }
        Ok(status::headline(&self.runner.coverage(&self.session)?))
    }

    /// The saved queries.
    pub(super) fn library(&self) -> Result<Library> {
        Library::open(&self.queries_dirs)
    }

    /// What is known to complete, values included; what came since is looked for meanwhile.
    pub(super) fn words(&self) -> Words {
        self.values.refresh();
        // A library at fault is told when it is asked for.
        let names = Names::of(&self.session, self.library().ok().as_ref());
        Words { names, values: self.values.clone() }
    }

    /// What is known to complete now.
    pub(super) fn values(&self) -> Values {
        self.values.clone()
    }

    /// Runs what the user entered; says what fails.
    pub(super) fn enter(&mut self, text: &str) -> Flow {
        let started = Instant::now();
        let done = if text.trim().is_empty() {
            Ok(Flow::Stay)
        } else if scan::is_command(text) {
            commands::parse(text).and_then(|(command, arguments)| (command.run)(self, &arguments))
        } else {
            self.last = Some(text.trim().to_owned());
            self.run_sql(text, None).map(|()| Flow::Stay)
        };
        done.unwrap_or_else(|error| {
            let of_output = match error.kind() {
                ErrorKind::Output(cause) => Some(cause.kind()),
                ErrorKind::Interrupted => Some(io::ErrorKind::Interrupted),
                _ => None,
            };
            match of_output {
                Some(io::ErrorKind::Interrupted) => self.screen.say(&format!(
                    "interrupted after {}",
                    output::human::duration(started.elapsed())
                )),
                // The user left the pager before the end.
                Some(io::ErrorKind::BrokenPipe) => {}
                _ => self.screen.error(&error),
            }
            Flow::Stay
        })
    }

    pub(super) fn run_sql(&mut self, text: &str, origin: Option<&str>) -> Result<()> {
        for statement in self.session.parse(text, origin)? {
            self.answer(&statement)?;
        }
        Ok(())
    }

    /// Runs one statement and shows its answer.
    pub(super) fn answer(&mut self, statement: &Statement) -> Result<()> {
        self.answer_by(statement, output::writer)
    }

    /// Runs one statement and shows what `writer` makes of its rows.
    pub(super) fn answer_by(&mut self, statement: &Statement, writer: WriterOf) -> Result<()> {
        super::ingest_declared(self.screen, &self.cache, &self.session, statement, &self.ingest)?;
        let to_once = self.once.take();
        let place = to_once.as_ref().map(|(path, _)| path.clone());
        let place = place.or_else(|| self.output.as_ref().map(|(_, path)| path.clone()));
        let ran = if let Some((path, format)) = to_once {
            let file = self.create(&path)?;
            self.answer_to_file(statement, &OutputOptions::new(format), writer, file)?
        } else if let Some((file, _)) = &self.output {
            let file = file.try_clone().map_err(ErrorKind::Output)?;
            self.answer_to_file(statement, &self.unbounded(), writer, file)?
        } else if let Some((width, height)) = self.screen.size() {
            let options = OutputOptions { width: Some(width), ..self.options.clone() };
            self.answer_to_screen(statement, &options, writer, height)?
        } else if self.screen.stdout_is_terminal {
            self.answer_to_screen(statement, &self.options, writer, usize::MAX)?
        } else {
            self.answer_to(statement, &self.unbounded(), writer, io::stdout())?
        };
        for notice in &ran.notices {
            self.screen.notice(notice);
        }
        if ran.has_columns && self.timer {
            let place = place.map(|path| output::visible(&path.display().to_string()).into_owned());
            let place = place.map(|path| format!(" · to {path}")).unwrap_or_default();
            self.screen.aside(&format!("{}{place}", ran.footer()));
        }
        Ok(())
    }

    /// Options for where no screen ends: everything is written.
    fn unbounded(&self) -> OutputOptions {
        OutputOptions { null: self.options.null.clone(), ..OutputOptions::new(self.options.format) }
    }

    fn answer_to(
        &self,
        statement: &Statement,
        options: &OutputOptions,
        writer: WriterOf,
        sink: impl Write + Send,
    ) -> Result<Ran> {
        self.runner.run(&self.session, statement, |schema| -> Result<Box<dyn RowWriter + '_>> {
            writer(options, schema, Box::new(sink))
        })
    }

    fn answer_to_file(
        &self,
        statement: &Statement,
        options: &OutputOptions,
        writer: WriterOf,
        file: File,
    ) -> Result<Ran> {
        let outlet = Outlet::new(file, self.runner.interrupts());
        let mut outlet = outlet.map_err(ErrorKind::Output)?;
        let ran = self.answer_to(statement, options, writer, &mut outlet)?;
        outlet.finish().map_err(ErrorKind::Output)?;
        Ok(ran)
    }

    fn answer_to_screen(
        &self,
        statement: &Statement,
        options: &OutputOptions,
        writer: WriterOf,
        height: usize,
    ) -> Result<Ran> {
        let mut pager = Pager::new(self.paging, height, self.runner.interrupts());
        let ran = match self.answer_to(statement, options, writer, &mut pager) {
            Ok(ran) => ran,
            Err(error) => {
                let ErrorKind::Output(cause) = error.kind() else { return Err(error) };
                return Err(ErrorKind::Output(pager.give_up(cause.kind().into())).into());
            }
        };
        let waited = pager.finish().map_err(ErrorKind::Output)?;
        // What the user read meanwhile is no time of the query's.
        Ok(Ran { elapsed: ran.elapsed.saturating_sub(waited), ..ran })
    }

    /// Shows text that is safe to show, through the pager where it is long.
    pub(super) fn show(&self, text: &str) -> Result<Flow> {
        let height = self.screen.size().map_or(usize::MAX, |(_, height)| height);
        let mut pager = Pager::new(self.paging, height, self.runner.interrupts());
        pager.write_all(text.as_bytes()).map_err(ErrorKind::Output)?;
        pager.finish().map_err(ErrorKind::Output)?;
        Ok(Flow::Stay)
    }

    /// Creates a file for answers.
    pub(super) fn create(&self, path: &Path) -> Result<File> {
        let cache_name = self.cache.name();
        super::check_apart_from_evidence(&self.runner, &self.session, cache_name, path)?;
        File::create(path).map_err(|source| {
            ErrorKind::Io { action: "create", path: path.to_owned(), source }.into()
        })
    }
}
