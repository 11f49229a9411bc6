//! The conformance records of `../shared/dialect`, where that folder is: records of Trino's and
//! Athena's SQL that the project did not write.
//!
//! `tests/sql/missing.txt` lists those that do not pass yet; the test fails when one more fails, and
//! when one on the list passes. `BLESS=1` writes the list. `SHOW=01_json` prints the failures of one
//! file.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use libtest_mimic::{Failed, Trial};
use sqllogictest::{DefaultColumnType, Record, Runner, parse_file};
use trailhound::{
    aws::AwsOptions,
    cache::Cache,
    ingest::{self, InflateLimits, IngestOptions, Progress},
    logs::Limits,
    source::Filter,
};

use crate::{Engine, fixture};

const MISSING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sql/missing.txt");

/// The test of all records.
pub(crate) fn trial(temp: &Path) -> Option<Trial> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/dialect");
    let temp = temp.to_owned();
    dir.is_dir().then(|| Trial::test("conformance", move || run(&dir, &temp)))
}

fn run(dir: &Path, temp: &Path) -> Result<(), Failed> {
    let cache = Arc::new(Cache::create(&temp.join("conformance")).unwrap());
    let options = IngestOptions {
        sources: vec![dir.join("fixture.json").to_str().unwrap().to_owned()],
        filter: Filter::default(),
        aws: AwsOptions::default(),
        versions: false,
        inventories: Vec::new(),
        limits: Limits::default(),
        inflate: InflateLimits::default(),
        memory_bytes: 64 << 20,
        threads: 1,
        temp_dir: temp.to_owned(),
    };
    ingest::run(&cache, &options, &Arc::new(Progress::default())).unwrap();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(trailhound::engine::THREAD_STACK_BYTES)
        .enable_all()
        .build()
        .unwrap();
    let mut failing = BTreeSet::new();
    for file in files {
        failing.extend(runtime.block_on(failures(&file, &cache, temp)));
    }
    if std::env::var_os("BLESS").is_some() {
        let list: Vec<&str> = failing.iter().map(String::as_str).chain([""]).collect();
        std::fs::write(MISSING, list.join("\n")).unwrap();
        return Ok(());
    }
    let known = std::fs::read_to_string(MISSING).unwrap();
    let known: BTreeSet<String> = known.lines().map(str::to_owned).collect();
    let broken: Vec<_> = failing.difference(&known).collect();
    let mended: Vec<_> = known.difference(&failing).collect();
    if broken.is_empty() && mended.is_empty() {
        return Ok(());
    }
    Err(format!("failing now: {broken:?}\nto be taken from {MISSING}: {mended:?}").into())
}

/// The ids of the records of `file` that fail.
#[expect(clippy::print_stderr, reason = "asked for")]
async fn failures(file: &Path, cache: &Arc<Cache>, temp: &Path) -> Vec<String> {
    let connect = || {
        let session = fixture::session(cache, temp, 256 << 20);
        async move { Ok(Engine { session }) }
    };
    let mut runner = Runner::new(connect);
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let show = std::env::var("SHOW").is_ok_and(|asked| stem.starts_with(&asked));
    let (mut id, mut failing) = (String::new(), Vec::new());
    for record in parse_file::<DefaultColumnType>(file).unwrap() {
        if let Record::Comment(lines) = &record {
            let mut ids =
                lines.iter().map(|line| line.trim()).filter(|line| line.starts_with(stem));
            if let Some(found) = ids.rfind(|line| line.contains(".slt#")) {
                found.clone_into(&mut id);
            }
        }
        if let Err(error) = runner.run_async(record).await {
            if show {
                eprintln!("=== {id}\n{error}");
            }
            failing.push(id.clone());
        }
    }
    failing
}
