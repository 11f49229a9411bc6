//! `trailhound verify`: are the log files what CloudTrail delivered?

mod text;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;

use super::{Outcome, args::FilterArgs, args::LimitArgs, print, settings::Settings};
use crate::{
    ErrorKind, Result,
    aws::Aws,
    cache::Cache,
    integrity::{KeyRing, VerifyOptions},
    output, repl, source,
};

const EXAMPLES: &str = "\
Examples:
  trailhound verify ./AWSLogs --public-keys keys.json
  trailhound verify ./AWSLogs --public-keys eu.json --public-keys us.json --since 2024-01-01
  trailhound verify evidence.zip --public-keys keys.json --json | jq .logs
  aws cloudtrail list-public-keys --region eu-west-1 --start-time 2024-01-01 >eu.json

Digests lie beside the logs, below `CloudTrail-Digest`. Their signatures are in the metadata of the
objects in S3: `aws s3api head-object` saves them as FILE.meta.json beside FILE; without, a digest is
verified by the one after it, and only the newest of a chain cannot be. With a cache, findings are kept
in the tables `digest_files` and `digest_verdicts`, events have them as `digest_status`, and files that
were not touched since are not read again. Exit codes: 0 all valid · 1 something is invalid, or cannot
be verified · 2 failed · 130 interrupted.";

/// Verify log files by `CloudTrail`'s digests: signatures, chains, hashes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArgs {
    /// Files, directories, zip or tar archives, `s3://bucket/prefix`: logs and digests
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,

    /// Keys as `aws cloudtrail list-public-keys` prints them, or as PEM or DER; may be repeated
    ///
    /// Keys belong to a region. Without this they are asked from `CloudTrail`, which takes
    /// credentials with the permission cloudtrail:ListPublicKeys, of any account.
    #[arg(long, value_name = "FILE")]
    public_keys: Vec<PathBuf>,

    /// Find a copy invalid, too, whose path does not end as its key in S3 does
    #[arg(long)]
    strict_path: bool,

    /// Name valid files, too
    #[arg(long)]
    verbose: bool,

    /// Print the report as one JSON object on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

pub(super) fn run(settings: &Settings, args: &VerifyArgs) -> Result<Outcome> {
    let ingest = settings.ingest_chosen(&args.sources, &args.filter, args.limits)?;
    let options = VerifyOptions {
        sources: ingest.sources,
        filter: ingest.filter,
        versions: ingest.versions,
        inventories: ingest.inventories,
        strict_path: args.strict_path,
        name_all: args.verbose,
        aws: ingest.aws,
        inflate: ingest.inflate,
        memory_bytes: ingest.memory_bytes,
        temp_dir: ingest.temp_dir,
        threads: ingest.threads,
    };
    let cache = open_cache(settings, &args.sources)?;
    let report = if args.public_keys.is_empty() {
        let listed = Listed::new(settings)?;
        let keys = |region: &str, since, until| listed.keys(region, since, until);
        repl::verify(settings.screen, cache.as_ref(), &options, &keys)?
    } else {
        let ring = KeyRing::read(&args.public_keys)?;
        let keys = |_: &str, _, _| Ok(ring.clone());
        repl::verify(settings.screen, cache.as_ref(), &options, &keys)?
    };
    if args.json {
        print(&format!("{}\n", output::json_text(&report)?))?;
    } else {
        print(&text::render(&report, args.verbose))?;
    }
    for notice in &report.notices {
        settings.screen.notice(notice);
    }
    if report.interrupted {
        return Err(ErrorKind::Interrupted.into());
    }
    Ok(if report.is_clean() && report.has_digests() { Outcome::Done } else { Outcome::Partial })
}

/// The cache to keep findings in: the one that is there, or that was asked for by name.
fn open_cache(settings: &Settings, sources: &[String]) -> Result<Option<Cache>> {
    let dir = &settings.cache;
    source::check_apart(dir, Some(&settings.temp_dir), sources)?;
    let cache = match Cache::open(dir) {
        Ok(cache) => cache,
        Err(error) if matches!(error.kind(), ErrorKind::NoCache { .. }) => {
            if !settings.cache_is_told {
                return Ok(None);
            }
            Cache::create(dir)?
        }
        Err(error) => return Err(error),
    };
    Ok(Some(cache.with_threads(settings.threads)))
}

/// Keys that CloudTrail lists, by region; each span of time is asked once.
struct Listed {
    aws: Arc<Aws>,
    known: Mutex<HashMap<String, (i64, i64, KeyRing)>>,
}

impl Listed {
    fn new(settings: &Settings) -> Result<Self> {
        if !settings.aws.has_credentials() {
            return Err(ErrorKind::NoPublicKeys.into());
        }
        let aws = source::connect(&settings.aws)?;
        Ok(Self { aws, known: Mutex::default() })
    }

    fn keys(&self, region: &str, since: i64, until: i64) -> Result<KeyRing> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut from, mut to) = (since, until);
        if let Some((first, last, ring)) = known.get(region) {
            if *first <= since && until <= *last {
                return Ok(ring.clone());
            }
            (from, to) = (since.min(*first), until.max(*last));
        }
        let (aws, of) = (Arc::clone(&self.aws), region.to_owned());
        let listed = self.aws.wait(async move { aws.public_keys(&of, from, to).await });
        let keys = listed.map_err(|failure| ErrorKind::PublicKeysUnlisted {
            region: region.to_owned(),
            reason: failure.text,
        })?;
        let mut ring = KeyRing::default();
        ring.add_listed(keys);
        known.insert(region.to_owned(), (from, to, ring.clone()));
        Ok(ring)
    }
}
