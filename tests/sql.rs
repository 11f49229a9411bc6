//! What SQL means here: every `tests/sql/<area>/*.slt` is a test of its name.
//!
//! The records are sqllogictest's. They run over `sql/fixture.json`, those of the area `empty`
//! over a cache without a row; each file on a copy of its own, since tables and views that it
//! declares stay in the cache. NULL is `NULL`, the empty string `(empty)`. Two words before a
//! statement ask about its answer instead of its rows: `COLUMNS` lists the columns' names and
//! types, `NOTICES` what would go to stderr. `STRICT` runs it in a strict session.
//!
//! `BLESS=1 cargo test --test sql` writes what is answered into the records.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

#[path = "sql/conformance.rs"]
mod conformance;
#[path = "sql/fixture.rs"]
mod fixture;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use futures::StreamExt;
use libtest_mimic::{Arguments, Failed, Trial};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use trailhound::{
    cache::Cache,
    engine::{Session, type_name},
    output::render_error,
};

fn main() {
    let arguments = Arguments::from_args();
    let temp = tempfile::tempdir().unwrap();
    let full = temp.path().join("full");
    drop(fixture::cache(&full));
    let empty = temp.path().join("empty");
    drop(Cache::create(&empty).unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let trials = records(&root).into_iter().map(|path| {
        let area = path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        let name = format!("{area}::{}", path.file_stem().unwrap().to_string_lossy());
        let cache = if area == "empty" { empty.clone() } else { full.clone() };
        let spill = temp.path().to_owned();
        Trial::test(name, move || {
            let own = tempfile::tempdir_in(&spill).unwrap();
            copy(&cache, own.path());
            run(&path, &Arc::new(Cache::open(own.path()).unwrap()), &spill)
        })
    });
    let mut trials: Vec<Trial> = trials.collect();
    trials.extend(conformance::trial(temp.path()));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(temp);
    conclusion.exit();
}

/// The records below `root`, by area and name.
fn records(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(records(&path));
        } else if path.extension().is_some_and(|extension| extension == "slt") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Copies what is in the directory `from` into the directory `to`.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

fn run(path: &Path, cache: &Arc<Cache>, spill: &Path) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let connect = || {
        let (cache, spill) = (Arc::clone(cache), spill.to_owned());
        async move { Ok(Engine { session: fixture::session(&cache, &spill, 256 << 20) }) }
    };
    let mut runner = Runner::new(connect);
    let outcome = if std::env::var_os("BLESS").is_some() {
        let separator = " ";
        let update = runner.update_test_file(
            path,
            separator,
            sqllogictest::default_validator,
            sqllogictest::default_normalizer,
            sqllogictest::default_column_validator,
        );
        runtime.block_on(update).map_err(|error| error.to_string())
    } else {
        runtime.block_on(runner.run_file_async(path)).map_err(|error| error.to_string())
    };
    outcome.map_err(Failed::from)
}

struct Engine {
    session: Session,
}

/// An error as the user sees it.
#[derive(Debug)]
struct Shown(String);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Shown {}

impl From<trailhound::Error> for Shown {
    fn from(error: trailhound::Error) -> Self {
        Self(render_error(&error, false))
    }
}

#[async_trait::async_trait]
impl AsyncDB for Engine {
    type Error = Shown;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Shown> {
        let strict = sql.strip_prefix("STRICT ");
        self.session.set_strict(strict.is_some());
        let sql = strict.unwrap_or(sql);
        let (about, sql) = match sql.split_once(' ') {
            Some(("COLUMNS", rest)) => (Some(About::Columns), rest),
            Some(("NOTICES", rest)) => (Some(About::Notices), rest),
            _ => (None, sql),
        };
        let mut output = DBOutput::StatementComplete(0);
        for statement in self.session.parse(sql, None)? {
            let mut answer = self.session.run(&statement).await?;
            let mut rows = Vec::new();
            while let Some(batch) = answer.rows.next().await {
                let batch = batch.map_err(|error| self.session.explain(&statement, error))?;
                rows.extend(cells(&batch));
            }
            let types = vec![DefaultColumnType::Text; answer.schema.fields().len()];
            output = match about {
                Some(About::Columns) => {
                    let fields = answer.schema.fields().iter();
                    let line = |name: &str, ty: String| vec![format!("{name} {ty}")];
                    let rows = fields.map(|f| line(f.name(), type_name(f.data_type()))).collect();
                    DBOutput::Rows { types: vec![DefaultColumnType::Text], rows }
                }
                Some(About::Notices) => {
                    let mut notices = answer.notices.clone();
                    notices.extend(answer.outcome.closing_notices().await);
                    let rows = notices.into_iter().map(|notice| vec![notice]).collect();
                    DBOutput::Rows { types: vec![DefaultColumnType::Text], rows }
                }
                None if types.is_empty() => DBOutput::StatementComplete(0),
                None => DBOutput::Rows { types, rows },
            };
        }
        Ok(output)
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "trailhound"
    }
}

#[derive(Clone, Copy)]
enum About {
    Columns,
    Notices,
}

fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    let cell = |row: usize| {
        let text = |column: &ArrayFormatter<'_>| match column
            .value(row)
            .to_string()
            .trim_end()
            .replace('\n', " ⏎ ")
        {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text,
        };
        columns.iter().map(text).collect()
    };
    (0..batch.num_rows()).map(cell).collect()
}
