//! `trailhound sql`: text → statements → answers on stdout.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use clap::Args;

use super::{
    Outcome, args::LimitArgs, ingest_into_cache, open_cache, refuse_terminal, settings::Settings,
};
use crate::{
    ErrorKind, Result,
    cache::Cache,
    engine::{self, Session, Statement},
    ingest::IngestOptions,
    output::{self, Format, OutputOptions, RowWriter, WriterOf},
    repl::{self, Ran, Runner},
    source::{self, Filter},
};

const EXAMPLES: &str = "\
Examples:
  trailhound sql \"SELECT eventname, count(*) AS n FROM cloudtrail_logs GROUP BY 1 ORDER BY n DESC\"
  trailhound sql -f question.sql --format json | jq .
  trailhound sql --source ./AWSLogs -o answer.parquet \"SELECT * FROM cloudtrail_logs\"
  echo \"DESCRIBE cloudtrail_logs\" | trailhound sql
  trailhound sql --format expanded \"SELECT * FROM cloudtrail_logs WHERE eventid = '…'\"

Several statements are parted by semicolons. Notices about what the cache does not cover, and
the line below each answer, go to stderr.";

/// The most text that is read as SQL, in bytes.
const MAX_SQL_BYTES: u64 = 64 << 20;

/// How rows are written, shared by the commands that answer with rows.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct AnswerArgs {
    /// How rows are written [default: the ending of -o, else table on a terminal, else csv]
    #[arg(long, value_name = "F", value_enum)]
    pub(super) format: Option<Format>,

    /// The file to write the answer to, which must be one; replaced once the answer is whole
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// CSV as it is: without `'` before formulas, control characters unescaped
    #[arg(long)]
    pub(super) raw: bool,

    /// The most rows a table on a terminal shows; 0 shows all [default: 40]
    #[arg(long, value_name = "N")]
    pub(super) max_rows: Option<usize>,
}

/// Run SQL over the cache
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SqlArgs {
    /// The SQL; without it and without -f, SQL is read from standard input
    #[arg(value_name = "SQL")]
    sql: Option<String>,

    /// A file of SQL, run before SQL; may be repeated
    #[arg(long = "file", short, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Ingest what is new in SOURCE first; the query sees the whole cache; may be repeated
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Vec<String>,

    #[command(flatten)]
    answer: AnswerArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

pub(super) fn run(settings: &Settings, args: &SqlArgs) -> Result<Outcome> {
    let answers = Answers::new(settings, &args.answer)?;
    let texts = texts(args)?;
    let (cache, outcome) = cache(settings, args, &texts)?;
    let session = Arc::new(Session::open(Arc::clone(&cache), &settings.session())?);
    let mut statements = Vec::new();
    for (origin, text) in &texts {
        statements.extend(session.parse(text, origin.as_deref())?);
    }
    let declared = answers.write_all(&cache, &session, &statements)?;
    Ok(if declared == Outcome::Partial { declared } else { outcome })
}

/// The cache to ask, with the sources' news in it.
fn cache(
    settings: &Settings,
    args: &SqlArgs,
    texts: &[(Option<String>, String)],
) -> Result<(Arc<Cache>, Outcome)> {
    if args.sources.is_empty() {
        let cache = match open_cache(settings) {
            Err(error) if matches!(error.kind(), ErrorKind::NoCache { .. }) => {
                create_for_declared(settings, texts)?.ok_or(error)?
            }
            cache => cache?,
        };
        return Ok((cache, Outcome::Done));
    }
    let options = settings.ingest(&args.sources, Filter::default(), args.limits);
    let (cache, report, interrupted) = ingest_into_cache(settings, &options)?;
    if interrupted {
        return Err(ErrorKind::Interrupted.into());
    }
    if report.files.unchanged < report.files.seen {
        settings.screen.say(&repl::summary(&report));
    }
    Ok((cache, Outcome::of(&report)))
}

/// Creates the cache where `texts` declare tables, apart from where those lie.
fn create_for_declared(
    settings: &Settings,
    texts: &[(Option<String>, String)],
) -> Result<Option<Arc<Cache>>> {
    let mut declared: Vec<Vec<String>> = Vec::new();
    for (origin, text) in texts {
        declared.extend(engine::declared_sources(text, origin.as_deref())?);
    }
    if declared.is_empty() {
        return Ok(None);
    }
    let (cache, temp_dir) = (&settings.cache, &settings.temp_dir);
    source::check_apart(cache, Some(temp_dir), &declared.concat())?;
    Ok(Some(Arc::new(Cache::create(settings.place()?)?.with_threads(settings.threads))))
}

/// The texts to run and where they come from.
fn texts(args: &SqlArgs) -> Result<Vec<(Option<String>, String)>> {
    let mut texts = Vec::new();
    for path in &args.files {
        if path.as_os_str() == "-" {
            texts.push((Some("<stdin>".to_owned()), stdin()?));
        } else {
            texts.push((Some(path.display().to_string()), repl::read_sql(path)?));
        }
    }
    match &args.sql {
        Some(sql) => texts.push((None, sql.clone())),
        None if args.files.is_empty() => {
            if args.sources.iter().any(|source| source == "-") {
                return Err(ErrorKind::Value {
                    name: "--source".to_owned(),
                    value: "-".to_owned(),
                    reason: "SQL is read from standard input too; give it as an argument"
                        .to_owned(),
                }
                .into());
            }
            texts.push((Some("<stdin>".to_owned()), stdin()?));
        }
        None => {}
    }
    Ok(texts)
}

fn stdin() -> Result<String> {
    let mut text = String::new();
    let failed = |source| ErrorKind::Io { action: "read", path: "<stdin>".into(), source };
    let read = io::stdin().lock().take(MAX_SQL_BYTES + 1).read_to_string(&mut text);
    if read.map_err(failed)? as u64 > MAX_SQL_BYTES {
        return Err(failed(io::Error::other("more SQL than 64 MiB")).into());
    }
    Ok(text)
}

/// Where and how answers are written.
pub(super) struct Answers<'a> {
    settings: &'a Settings,
    /// How the locations of declared tables are read.
    ingest: IngestOptions,
    runner: Runner,
    options: OutputOptions,
    file: Option<PathBuf>,
    writer: WriterOf,
}

impl<'a> Answers<'a> {
    /// Settles the format.
    ///
    /// # Errors
    /// The format does not fit.
    pub(super) fn new(settings: &'a Settings, args: &AnswerArgs) -> Result<Self> {
        let file = args.output.clone().filter(|path| path.as_os_str() != "-");
        let screen = settings.screen;
        let format = args.format.unwrap_or_else(|| match &file {
            Some(path) => Format::of_file(path).unwrap_or(Format::Csv),
            None if screen.stdout_is_terminal => Format::Table,
            None => Format::Csv,
        });
        if file.is_none() {
            refuse_terminal(format)?;
        }
        let mut options = OutputOptions { raw: args.raw, ..OutputOptions::new(format) };
        if file.is_none() {
            options.color = screen.stdout_color;
            if screen.stdout_is_terminal {
                options.types = true;
                options.width = screen.size().map(|(width, _)| width);
                let max_rows = args.max_rows.unwrap_or(repl::DEFAULT_MAX_ROWS);
                options.max_rows = Some(max_rows).filter(|n| *n > 0);
            }
        }
        let ingest = settings.ingest(&[], Filter::default(), LimitArgs::default());
        Ok(Self {
            settings,
            ingest,
            runner: Runner::new(settings.threads)?,
            options,
            file,
            writer: output::writer,
        })
    }

    /// The same, written by `writer` instead of as rows.
    pub(super) fn written_by(self, writer: WriterOf) -> Self {
        Self { writer, ..self }
    }

    /// What runs the statements.
    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Runs the statements one after the other, and writes their answers; what lies at the
    /// locations of declared tables is read first.
    ///
    /// # Errors
    /// A statement fails, the output does or lies in evidence, or there is more than one answer for
    /// a file.
    pub(super) fn write_all(
        &self,
        cache: &Cache,
        session: &Arc<Session>,
        statements: &[Statement],
    ) -> Result<Outcome> {
        let screen = self.settings.screen;
        let mut outcome = Outcome::Done;
        let mut may_lie_in_evidence = true;
        let mut n_answers = 0;
        for statement in statements {
            let report = repl::ingest_declared(screen, cache, session, statement, &self.ingest)?;
            if report.as_ref().is_some_and(repl::is_partial) {
                outcome = Outcome::Partial;
            }
            may_lie_in_evidence |= report.is_some();
            if let Some(path) = self.file.as_ref().filter(|_| may_lie_in_evidence) {
                let cache_name = &self.settings.cache;
                repl::check_apart_from_evidence(&self.runner, session, cache_name, path)?;
                may_lie_in_evidence = false;
            }
            let ran = match &self.file {
                Some(path) => self.to_file(session, statement, path, n_answers)?,
                None => self.to_stdout(session, statement, n_answers)?,
            };
            n_answers += usize::from(ran.has_columns);
            for notice in &ran.notices {
                self.settings.screen.notice(notice);
            }
            if ran.has_columns {
                self.settings.screen.aside(&ran.footer());
            }
        }
        Ok(outcome)
    }

    /// Writes rows that no statement gave.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) fn write_batch(&self, batch: &RecordBatch) -> Result<()> {
        let sink: Box<dyn Write + Send> = match &self.file {
            None => Box::new(io::stdout()),
            Some(path) => Box::new(File::create(path).map_err(|source| ErrorKind::Io {
                action: "create",
                path: path.clone(),
                source,
            })?),
        };
        let mut writer = self.writer(&batch.schema(), sink)?;
        writer.write(batch)?;
        writer.finish().map(drop)
    }

    fn to_stdout(&self, session: &Arc<Session>, statement: &Statement, nth: usize) -> Result<Ran> {
        self.runner.run(session, statement, |schema| {
            let is_answer = !schema.fields().is_empty();
            if is_answer && nth > 0 {
                self.part_from_the_last()?;
            }
            let sink: Box<dyn Write + Send> =
                if is_answer { Box::new(io::stdout()) } else { Box::new(io::sink()) };
            self.writer(schema, sink)
        })
    }

    /// Parts two answers where a reader could not tell them apart.
    fn part_from_the_last(&self) -> Result<()> {
        match self.options.format {
            Format::Json | Format::Ndjson => Ok(()),
            Format::Parquet => Err(one_answer_only("--format")),
            _ => super::print("\n"),
        }
    }

    fn to_file(
        &self,
        session: &Arc<Session>,
        statement: &Statement,
        path: &Path,
        nth: usize,
    ) -> Result<Ran> {
        let failed = |source| ErrorKind::Io { action: "write", path: path.to_owned(), source };
        let mut file = None;
        let ran = self.runner.run(session, statement, |schema| {
            if schema.fields().is_empty() {
                return self.writer(schema, Box::new(io::sink()));
            }
            if nth > 0 {
                return Err(one_answer_only("--output"));
            }
            // Where something is that is no plain file (a pipe, /dev/null), it is written to.
            if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
                let sink = File::options().write(true).open(path).map_err(failed)?;
                return self.writer(schema, Box::new(sink));
            }
            let place = path.canonicalize().unwrap_or_else(|_new| path.to_owned());
            let dir = place.parent().filter(|dir| !dir.as_os_str().is_empty());
            let unfinished = unfinished(dir.unwrap_or(Path::new("."))).map_err(failed)?;
            let sink = unfinished.reopen().map_err(failed)?;
            file = Some((unfinished, place));
            self.writer(schema, Box::new(sink))
        })?;
        if let Some((file, place)) = file {
            file.persist(place).map_err(|error| failed(error.error))?;
        }
        Ok(ran)
    }

    fn writer<'s>(
        &self,
        schema: &SchemaRef,
        sink: Box<dyn Write + Send + 's>,
    ) -> Result<Box<dyn RowWriter + 's>> {
        (self.writer)(&self.options, schema, sink)
    }
}

/// A file in `dir` that gets its name once it is whole. It may be read by whom the umask says,
/// as any file the user makes.
fn unfinished(dir: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trailhound-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(dir)
}

fn one_answer_only(name: &str) -> crate::Error {
    ErrorKind::Value {
        name: name.to_owned(),
        value: "more than one answer".to_owned(),
        reason: "a file takes one answer: run the statements one by one".to_owned(),
    }
    .into()
}
