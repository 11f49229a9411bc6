//! What the prompt knows and does: its settings, statements, commands.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    Repl, Runner, Screen, commands, complete::Names, pager::Pager, read_sql, report, scan, status,
};
use crate::{
    ErrorKind, Result,
    cache::{Cache, Table},
    engine::{Session, Statement},
    ingest::IngestOptions,
    output::{self, Format, OutputOptions, RowWriter, WriterOf},
    queries::Library,
    source,
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
    cache: Arc<Cache>,
    pub(super) session: Session,
    pub(super) runner: Runner,
    ingest: IngestOptions,
    screen: Screen,
    options: OutputOptions,
    timer: bool,
    /// Where the user's own saved queries lie.
    queries_dir: Option<PathBuf>,
    /// Where answers go until told otherwise; the screen where nowhere else.
    output: Option<File>,
    /// Where the next answer goes, and how it is written.
    once: Option<(PathBuf, Format)>,
}

impl Shell {
    pub(super) fn open(repl: Repl) -> Result<Self> {
        let session = Session::open(Arc::clone(&repl.cache), &repl.session)?;
        Ok(Self {
            runner: Runner::new(repl.session.threads)?,
            cache: repl.cache,
            session,
            ingest: repl.ingest,
            screen: repl.screen,
            options: OutputOptions {
                max_rows: Some(super::DEFAULT_MAX_ROWS),
                color: repl.screen.stdout_color,
                types: true,
                ..OutputOptions::new(Format::Table)
            },
            timer: true,
            queries_dir: repl.queries_dir,
            output: None,
            once: None,
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
        self.screen.say(&format!(
            "trailhound {version} · {covered}\nType SQL ending in ; — .help for commands.\n\n"
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
        Library::open(self.queries_dir.as_deref())
    }

    /// The names to complete.
    pub(super) fn names(&self) -> Names {
        Names::of(&self.session)
    }

    /// Runs what the user entered; says what fails.
    pub(super) fn enter(&mut self, text: &str) -> Flow {
        let started = Instant::now();
        let done = if text.trim().is_empty() {
            Ok(Flow::Stay)
        } else if scan::is_command(text) {
            commands::parse(text).and_then(|(command, arguments)| (command.run)(self, &arguments))
        } else {
            self.run_sql(text, None).map(|()| Flow::Stay)
        };
        done.unwrap_or_else(|error| {
            match error.kind() {
                ErrorKind::Interrupted => self.screen.say(&format!(
                    "interrupted after {}",
                    output::human::duration(started.elapsed())
                )),
                // The user left the pager before the end.
                ErrorKind::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe => {}
                _ => self.screen.error(&error),
            }
            Flow::Stay
        })
    }

    fn run_sql(&mut self, text: &str, origin: Option<&str>) -> Result<()> {
        for statement in self.session.parse(text, origin)? {
            self.answer(&statement)?;
        }
        Ok(())
    }

    /// Runs one statement and shows its answer.
    fn answer(&mut self, statement: &Statement) -> Result<()> {
        self.answer_by(statement, output::writer)
    }

    /// Runs one statement and shows what `writer` makes of its rows.
    pub(super) fn answer_by(&mut self, statement: &Statement, writer: WriterOf) -> Result<()> {
        super::ingest_declared(self.screen, &self.cache, &self.session, statement, &self.ingest)?;
        let ran = if let Some((path, format)) = self.once.take() {
            let file = self.create(&path)?;
            self.answer_to(statement, &OutputOptions::new(format), writer, file)?
        } else if let Some(file) = &self.output {
            let file = file.try_clone().map_err(ErrorKind::Output)?;
            self.answer_to(statement, &self.unbounded(), writer, file)?
        } else if let Some((width, height)) = self.screen.size() {
            let options = OutputOptions { width: Some(width), ..self.options.clone() };
            let mut pager = Pager::new(height);
            let ran = self.answer_to(statement, &options, writer, &mut pager)?;
            pager.finish().map_err(ErrorKind::Output)?;
            ran
        } else if self.screen.stdout_is_terminal {
            self.answer_to(statement, &self.options, writer, io::stdout())?
        } else {
            self.answer_to(statement, &self.unbounded(), writer, io::stdout())?
        };
        for notice in &ran.notices {
            self.screen.notice(notice);
        }
        if ran.has_columns && self.timer {
            self.screen.aside(&ran.footer());
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
    ) -> Result<super::Ran> {
        self.runner.run(&self.session, statement, |schema| -> Result<Box<dyn RowWriter + '_>> {
            writer(options, schema, Box::new(sink))
        })
    }

    pub(super) fn tables(&mut self, _: &[String]) -> Result<Flow> {
        let mut text = String::new();
        for table in self.names().tables {
            // The configuration may give tables names of any characters.
            text.push_str(&output::visible(&table));
            text.push('\n');
        }
        self.show(&text)
    }

    pub(super) fn schema(&mut self, arguments: &[String]) -> Result<Flow> {
        let table = arguments.first().map_or("cloudtrail_logs", String::as_str);
        // A name in quotes needs none escaped; what else it may be, the parser tells.
        let sql = format!("DESCRIBE {}", table.trim_end_matches(';'));
        self.run_sql(&sql, None).map(|()| Flow::Stay)
    }

    pub(super) fn status(&mut self, _: &[String]) -> Result<Flow> {
        let coverage = self.runner.coverage(&self.session)?;
        self.show(&status::render_status(&coverage, self.cache.name()))
    }

    pub(super) fn mode(&mut self, arguments: &[String]) -> Result<Flow> {
        let Some(word) = arguments.first() else {
            return self.show(&format!("{}\n", self.options.format.name()));
        };
        let format = Format::named(word).filter(|format| *format != Format::Parquet);
        self.options.format = format.ok_or_else(|| ErrorKind::Value {
            name: ".mode".to_owned(),
            value: word.clone(),
            reason: "expected table, expanded, csv, json, ndjson or markdown".to_owned(),
        })?;
        Ok(Flow::Stay)
    }

    pub(super) fn output(&mut self, arguments: &[String]) -> Result<Flow> {
        self.output = match arguments.first().map(String::as_str) {
            None | Some("stdout" | "-") => None,
            Some(path) => Some(self.create(Path::new(path))?),
        };
        Ok(Flow::Stay)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the commands' common form")]
    pub(super) fn once(&mut self, arguments: &[String]) -> Result<Flow> {
        self.once = arguments.first().map(|path| {
            let path = PathBuf::from(path);
            let format = Format::of_file(&path).unwrap_or(self.options.format);
            (path, format)
        });
        Ok(Flow::Stay)
    }

    pub(super) fn max_rows(&mut self, arguments: &[String]) -> Result<Flow> {
        let word = arguments.first().map(String::as_str).unwrap_or_default();
        let n_rows: usize = word.parse().map_err(|_not_a_number| ErrorKind::Value {
            name: ".maxrows".to_owned(),
            value: word.to_owned(),
            reason: "expected a number of rows, or 0 for all".to_owned(),
        })?;
        self.options.max_rows = Some(n_rows).filter(|n| *n > 0);
        Ok(Flow::Stay)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the commands' common form")]
    pub(super) fn null_value(&mut self, arguments: &[String]) -> Result<Flow> {
        self.options.null = arguments.first().cloned().unwrap_or_default();
        Ok(Flow::Stay)
    }

    pub(super) fn timer(&mut self, arguments: &[String]) -> Result<Flow> {
        self.timer = is_on(".timer", arguments)?;
        Ok(Flow::Stay)
    }

    pub(super) fn strict(&mut self, arguments: &[String]) -> Result<Flow> {
        self.session.set_strict(is_on(".strict", arguments)?);
        Ok(Flow::Stay)
    }

    pub(super) fn ingest(&mut self, arguments: &[String]) -> Result<Flow> {
        let options = IngestOptions { sources: arguments.to_vec(), ..self.ingest.clone() };
        source::check_apart(self.cache.name(), Some(&options.temp_dir), &options.sources)?;
        let started = Instant::now();
        let (report, interrupted) = super::ingest(self.screen, &self.cache, &options)?;
        self.screen.say(&report::summary(&report));
        if interrupted {
            let after = output::human::duration(started.elapsed());
            self.screen.say(&format!("interrupted after {after}; what is counted is in the cache"));
        }
        Ok(Flow::Stay)
    }

    pub(super) fn read(&mut self, arguments: &[String]) -> Result<Flow> {
        let path = arguments.first().map(String::as_str).unwrap_or_default();
        let text = read_sql(Path::new(path))?;
        self.run_sql(&text, Some(path)).map(|()| Flow::Stay)
    }

    pub(super) fn help(&mut self, arguments: &[String]) -> Result<Flow> {
        self.show(&commands::help(arguments.first())?)
    }

    /// Shows text that is safe to show, through the pager where it is long.
    fn show(&self, text: &str) -> Result<Flow> {
        let height = self.screen.size().map_or(usize::MAX, |(_, height)| height);
        let mut pager = Pager::new(height);
        pager
            .write_all(text.as_bytes())
            .and_then(|()| pager.finish())
            .map_err(ErrorKind::Output)?;
        Ok(Flow::Stay)
    }

    /// Creates a file for answers.
    fn create(&self, path: &Path) -> Result<File> {
        let cache_name = self.cache.name();
        super::check_apart_from_evidence(&self.runner, &self.session, cache_name, path)?;
        File::create(path).map_err(|source| {
            ErrorKind::Io { action: "create", path: path.to_owned(), source }.into()
        })
    }
}

/// Whether the argument of `command` is `on`.
fn is_on(command: &str, arguments: &[String]) -> Result<bool> {
    match arguments.first().map(String::as_str) {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        other => Err(ErrorKind::Value {
            name: command.to_owned(),
            value: other.unwrap_or_default().to_owned(),
            reason: "expected on or off".to_owned(),
        }
        .into()),
    }
}
