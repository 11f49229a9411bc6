//! Where queries are run over records: a cache of their own, in this process.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::StreamExt;
use tokio::runtime::Runtime;
use trailhound::{
    Result,
    cache::{Cache, Chunk, CommitOutcome, Table},
    engine::{Session, SessionOptions},
    ingest::{self, IngestOptions, Progress},
    output::{self, Format, OutputOptions, render_error},
    queries::{ListSource, SavedQuery},
    repl::{Runner, athena_text},
};

use super::{
    fixture::{Given, Scene},
    json::Json,
};
use crate::{sql::fixture::batch, support::options};

/// A session over a cache of its own.
pub(super) struct Lab {
    session: Session,
    cache: Arc<Cache>,
    runtime: Arc<Runtime>,
    _home: tempfile::TempDir,
}

impl Lab {
    /// Over the records of `scene`, as a delivery file has them, and its rows of other tables.
    pub(super) fn of(scene: &Scene, runtime: &Arc<Runtime>) -> Self {
        let home = home();
        let file = home.path().join("e.json");
        let members = vec![("Records".to_owned(), Json::List(scene.records.clone()))];
        std::fs::write(&file, serde_json::to_vec(&Json::Object(members)).unwrap()).unwrap();
        let lab = Self::over(home, Some(&file), 1, runtime);
        if let Some(tables) = &scene.tables {
            add_rows(&lab.cache, tables);
        }
        lab
    }

    /// Over what lies at `source`.
    pub(super) fn reading(source: &Path, runtime: &Arc<Runtime>) -> Self {
        Self::over(home(), Some(source), 4, runtime)
    }

    /// Over a cache without a row.
    pub(super) fn empty(runtime: &Arc<Runtime>) -> Self {
        Self::over(home(), None, 1, runtime)
    }

    fn over(
        home: tempfile::TempDir,
        source: Option<&Path>,
        threads: usize,
        runtime: &Arc<Runtime>,
    ) -> Self {
        let place = home.path().join("cache");
        copy(empty_cache(), &place);
        let cache = Arc::new(Cache::open(&place).unwrap());
        if let Some(source) = source {
            let options = IngestOptions {
                threads,
                memory_bytes: 64 << 20,
                temp_dir: home.path().to_owned(),
                ..options(&[source])
            };
            ingest::run(&cache, &options, &Arc::new(Progress::default())).unwrap();
        }
        let session = Session::open(
            Arc::clone(&cache),
            &SessionOptions {
                memory_bytes: 256 << 20,
                temp_dir: home.path().to_owned(),
                threads,
                table_names: Vec::new(),
                strict: true,
            },
        );
        Self { session: session.unwrap(), cache, runtime: Arc::clone(runtime), _home: home }
    }

    /// The rows of a saved query, as `--format ndjson` writes them.
    pub(super) fn ask(&self, query: &SavedQuery, given: &Given) -> Result<String, String> {
        let literals = query.literals(given, &mut no_file).map_err(|error| told(&error))?;
        self.rows(&query.text, &literals)
    }

    /// The text of a saved query for Athena.
    pub(super) fn athena(&self, query: &SavedQuery) -> Result<String, String> {
        let runner = Runner::new(1).unwrap();
        athena_text(&runner, &self.session, query).map_err(|error| told(&error))
    }

    /// The names of the columns that a saved query gives.
    pub(super) fn columns(&self, query: &SavedQuery, given: &Given) -> Result<Vec<String>, String> {
        let literals = query.literals(given, &mut no_file).map_err(|error| told(&error))?;
        let columns = self.runtime.block_on(async {
            let mut columns = Vec::new();
            for mut statement in self.session.parse(&query.text, None)? {
                statement.parameters = literals.clone().into();
                let schema = self.session.run(&statement).await?.schema;
                columns = schema.fields().iter().map(|field| field.name().clone()).collect();
            }
            Ok(columns)
        });
        columns.map_err(|error| told(&error))
    }

    /// The rows of the statement in `text`.
    pub(super) fn rows(&self, text: &str, literals: &[(String, String)]) -> Result<String, String> {
        self.runtime.block_on(self.answer(text, literals)).map_err(|error| told(&error))
    }

    async fn answer(&self, text: &str, literals: &[(String, String)]) -> Result<String> {
        let mut out = Vec::new();
        for mut statement in self.session.parse(text, None)? {
            statement.parameters = literals.to_vec().into();
            let mut answer = self.session.run(&statement).await?;
            out.clear();
            let options = OutputOptions::new(Format::Ndjson);
            let mut writer = output::writer(&options, &answer.schema, Box::new(&mut out))?;
            while let Some(batch) = answer.rows.next().await {
                let batch = batch.map_err(|error| self.session.explain(&statement, error))?;
                writer.write(&batch)?;
            }
            writer.finish()?;
        }
        Ok(String::from_utf8(out).unwrap())
    }
}

/// A directory for a cache that is soon gone: in memory where the system offers that, since nothing
/// that is written there needs to outlive a crash.
fn home() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A cache without a row, made once: a copy of it takes less than making another.
fn empty_cache() -> &'static Path {
    static EMPTY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = EMPTY.get_or_init(|| {
        let home = home();
        drop(Cache::create(home.path()).unwrap());
        home
    });
    made.path()
}

/// Copies what is in the directory `from` into a new directory `to`.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// Commits rows of tables that no event brings about.
fn add_rows(cache: &Cache, tables: &Json) {
    let rows = |table: Table| {
        let rows = match tables.get(table.name())? {
            Json::List(rows) => rows.iter().map(|row| serde_json::to_value(row).unwrap()),
            other => panic!("rows of {table:?}: {other:?}"),
        };
        Some(batch(table.schema(), &rows.collect::<Vec<_>>()))
    };
    let chunk = Chunk {
        log_files: rows(Table::LogFiles),
        digest_files: rows(Table::DigestFiles),
        digest_verdicts: rows(Table::DigestVerdicts),
        ..Chunk::default()
    };
    let base = cache.snapshot().unwrap();
    assert_eq!(cache.commit(&base, &chunk).unwrap(), CommitOutcome::Committed);
}

fn no_file(source: ListSource<'_>) -> Result<String> {
    panic!("a fixture gives its values itself, not from {source:?}")
}

fn told(error: &trailhound::Error) -> String {
    render_error(error, false)
}

/// Lines of JSON as values.
pub(super) fn values(lines: &str) -> Vec<serde_json::Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Does `work` for all of `items` on all cores, and gives what it finds wrong.
pub(super) fn for_all<T: Sync>(
    items: &[T],
    work: impl Fn(&T, &Arc<Runtime>) -> Vec<String> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(4, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .enable_all()
                    .build();
                let runtime = Arc::new(runtime.unwrap());
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = work(item, &runtime);
                    faults.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    faults.sort();
    faults
}

/// Fails with `faults`, if there are any.
pub(super) fn assert_none(faults: &[String], what: &str) {
    assert!(faults.is_empty(), "{what}\n{}", faults.join("\n"));
}
