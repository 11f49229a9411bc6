//! Ingest from end to end: gzip files in, a committed cache out.
//!
//! `cargo bench --bench ingest`. For the comparison with other engines, in CPU time, see
//! `benches/compare/run.py`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to tell")]

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use trailhound::{
    aws::AwsOptions,
    cache::Cache,
    ingest::{self, InflateLimits, IngestOptions, Progress},
    logs::Limits,
    source::Filter,
};

#[path = "generate/mod.rs"]
mod generate;

const EVENTS: u64 = 50_000;

fn gzip_to_cache(criterion: &mut Criterion) {
    let archive = tempfile::tempdir().unwrap();
    let options = generate::Options { events: EVENTS, ..generate::Options::default() };
    generate::write(&options, archive.path()).unwrap();
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    group.measurement_time(Duration::from_secs(20));
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    for threads in BTreeSet::from([1, cores]) {
        group.bench_function(format!("gzip to cache, {threads} threads"), |bencher| {
            bencher.iter_batched(
                || tempfile::tempdir().unwrap(),
                |folder| {
                    let cache = Cache::create(folder.path()).unwrap();
                    let options = IngestOptions {
                        sources: vec![archive.path().to_str().unwrap().to_owned()],
                        filter: Filter::default(),
                        aws: AwsOptions::default(),
                        versions: false,
                        inventories: Vec::new(),
                        limits: Limits::default(),
                        inflate: InflateLimits::default(),
                        memory_bytes: 512 << 20,
                        threads,
                        temp_dir: std::env::temp_dir(),
                    };
                    let progress = Arc::new(Progress::default());
                    let report = ingest::run(&cache, &options, &progress).unwrap();
                    assert_eq!(report.records.written, EVENTS);
                    folder
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, gzip_to_cache);
criterion_main!(benches);
