//! Where queries are run over records: a cache of their own, in this process.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::StreamExt;
use tokio::runtime::Runtime;
use trailhound::{
    Result,
    cache::Cache,
    engine::{Session, SessionOptions},
    ingest::{self, IngestOptions, Progress},
    output::{self, Format, OutputOptions, render_error},
    queries::{ListSource, SavedQuery},
};

use super::{fixture::Given, json::Json};
use crate::support::options;

/// A session over a cache of its own.
pub(super) struct Lab {
    pub(super) session: Session,
    runtime: Arc<Runtime>,
    _home: tempfile::TempDir,
}

impl Lab {
    /// Over `records`, as a delivery file has them.
    pub(super) fn of(records: &[Json], runtime: &Arc<Runtime>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("e.json");
        let members = vec![("Records".to_owned(), Json::List(records.to_vec()))];
        std::fs::write(&file, serde_json::to_vec(&Json::Object(members)).unwrap()).unwrap();
        Self::over(home, Some(&file), 1, runtime)
    }

    /// Over what lies at `source`.
    pub(super) fn reading(source: &Path, runtime: &Arc<Runtime>) -> Self {
        Self::over(tempfile::tempdir().unwrap(), Some(source), 4, runtime)
    }

    /// Over a cache without a row.
    pub(super) fn empty(runtime: &Arc<Runtime>) -> Self {
        Self::over(tempfile::tempdir().unwrap(), None, 1, runtime)
    }

    fn over(
        home: tempfile::TempDir,
        source: Option<&Path>,
        threads: usize,
        runtime: &Arc<Runtime>,
    ) -> Self {
        let cache = Arc::new(Cache::create(&home.path().join("cache")).unwrap());
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
            cache,
            &SessionOptions {
                memory_bytes: 256 << 20,
                temp_dir: home.path().to_owned(),
                threads,
                table_names: Vec::new(),
                strict: true,
            },
        );
        Self { session: session.unwrap(), runtime: Arc::clone(runtime), _home: home }
    }

    /// The rows of a saved query, as `--format ndjson` writes them.
    pub(super) fn ask(&self, query: &SavedQuery, given: &Given) -> Result<String, String> {
        let mut no_file = |source: ListSource<'_>| -> Result<String> { panic!("{source:?}") };
        let literals = query.literals(given, &mut no_file).map_err(|error| told(&error))?;
        self.rows(&query.text, &literals)
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
