//! What `benches/verify/run.py` measures with: digests for an archive of the generator's, and the
//! machine's raw speed at what verifying cannot do without.
//!
//! ```text
//! verify digest DIR      sign digests for the log files below DIR, and keys beside it
//! verify raw DIR N       inflate and hash them with N threads; prints the seconds and bytes
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on stops"
)]

#[path = "trail.rs"]
mod trail;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Instant,
};

use chrono::{Duration, NaiveDateTime};
use sha2::{Digest as _, Sha256};
use trail::{Log, Signer, Trail, hex, key_list, put_digest};

#[expect(clippy::print_stdout, reason = "a program that tells what it measured")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["digest", dir] => println!("{}", digest(Path::new(dir))),
        ["raw", dir, threads] => {
            let (seconds, bytes) = raw(&log_files(Path::new(dir)), threads.parse().unwrap());
            println!("{{\"seconds\":{seconds},\"bytes\":{bytes}}}");
        }
        _ => panic!("expected `digest DIR` or `raw DIR THREADS`"),
    }
}

fn log_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.to_str().unwrap().ends_with(".json.gz"))
        .filter(|path| !path.to_str().unwrap().contains("CloudTrail-Digest"))
        .collect();
    files.sort();
    files
}

/// The inflated bytes of a file of one gzip member, in `out`.
fn inflate<'o>(
    path: &Path,
    libdeflate: &mut libdeflater::Decompressor,
    out: &'o mut Vec<u8>,
) -> &'o [u8] {
    let packed = fs::read(path).unwrap();
    let size = u32::from_le_bytes(*packed.last_chunk().unwrap()) as usize;
    out.resize(out.len().max(size), 0);
    let n_bytes = libdeflate.gzip_decompress(&packed, &mut out[..size]).unwrap();
    &out[..n_bytes]
}

/// Reads, inflates and hashes `files` on all threads.
fn raw(files: &[PathBuf], threads: usize) -> (f64, u64) {
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    let started_at = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut libdeflate = libdeflater::Decompressor::new();
                let mut out = Vec::new();
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bytes = inflate(path, &mut libdeflate, &mut out);
                    std::hint::black_box(Sha256::digest(bytes));
                    total.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
            });
        }
    });
    (started_at.elapsed().as_secs_f64(), total.load(Ordering::Relaxed))
}

/// Signs a chain for each account and region; each digest lists the files of an hour.
fn digest(dir: &Path) -> String {
    let signer = Signer::new();
    let mut hours: BTreeMap<(String, String), BTreeMap<NaiveDateTime, Vec<Log>>> = BTreeMap::new();
    let (mut libdeflate, mut out) = (libdeflater::Decompressor::new(), Vec::new());
    let files = log_files(dir);
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut words = name.split('_');
        let (account, region) = (words.next().unwrap(), words.nth(1).unwrap());
        let time = words.next().unwrap();
        let at = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%MZ").unwrap();
        let hour = at.date().and_hms_opt(0, 0, 0).unwrap()
            + Duration::hours(i64::from(chrono::Timelike::hour(&at)) + 1);
        let hash = hex(&Sha256::digest(inflate(path, &mut libdeflate, &mut out)));
        let key = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        let of = hours.entry((account.to_owned(), region.to_owned())).or_default();
        of.entry(hour).or_default().push(Log { key, hash });
    }
    let mut n_digests = 0;
    for ((account, region), of) in hours {
        let trail = Trail::new(&account, &region);
        let (Some((first, _)), Some((last, _))) = (of.first_key_value(), of.last_key_value())
        else {
            continue;
        };
        let (mut at, mut previous) = (*first, None);
        while at <= *last {
            let logs = of.get(&at).map_or(&[][..], Vec::as_slice);
            let digest = trail.digest(&signer, at.and_utc(), logs, previous.as_ref(), false);
            put_digest(dir, &digest, at == *last);
            (at, previous) = (at + Duration::hours(1), Some(digest));
            n_digests += 1;
        }
    }
    fs::write(dir.with_extension("keys.json"), key_list(&[&signer])).unwrap();
    format!("{{\"logs\":{},\"digests\":{n_digests}}}", files.len())
}
