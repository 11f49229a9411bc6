//! `trailhound convert`: logs → plain Parquet files, without a cache that stays.
//!
//! The logs are ingested into a cache below `--temp-dir`, which bounds memory and finds copies as
//! an ingest does; then its rows are written in the order of their partitions, so that each thread
//! has one file open at a time. Everything is written below `.trailhound-incomplete` in the output
//! directory and moved to its place at the end: what has its final name is whole.

mod events;
mod partitions;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use self::partitions::PartitionKey;
use super::{
    Outcome,
    args::{FilterArgs, LimitArgs},
    print,
    settings::Settings,
};
use crate::{
    ErrorKind, Result,
    cache::{Cache, Table},
    engine::Session,
    ingest::IngestReport,
    output::{self, Format, OutputOptions},
    repl::{self, Runner},
    source,
};

const EXAMPLES: &str = "\
Examples:
  trailhound convert ./AWSLogs -o ./parquet --partition-by account,region,day
  trailhound convert evidence.zip -o ./parquet --json

Files lie in DIR as account=…/region=…/day=…/part-N.parquet, sorted by time, with every column:
AWS's, those derived from them, and where each record came from. Beside them, in _trailhound/:
rejects, duplicates, log_files and cloudtrail_aggregated as Parquet, and report.json.";

/// Where everything is written until it is whole.
const UNFINISHED: &str = ".trailhound-incomplete";

/// Where what is not an event lies. Readers of partitioned data skip names with an underscore.
const BESIDE: &str = "_trailhound";

/// Turn logs into plain Parquet files, without a cache
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ConvertArgs {
    /// Files, directories, zip or tar archives, `s3://bucket/prefix`, or `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<String>,

    /// The directory to write to: new or empty, and outside the sources
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,

    /// The directories' levels, from the outermost: the delivery's account and region, and its day
    /// (or month, year); service and category are the event's
    #[arg(long, value_name = "KEYS", value_enum, value_delimiter = ',')]
    #[arg(default_value = "account,region,day")]
    partition_by: Vec<PartitionKey>,

    /// Print the report as one JSON object on stdout
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

pub(super) fn run(settings: &Settings, args: &ConvertArgs) -> Result<Outcome> {
    let options = settings.ingest_chosen(&args.sources, &args.filter, args.limits)?;
    // The working directory lies below --temp-dir, which may hold evidence beside it.
    let work_dir = settings.temp_dir.join("trailhound-convert");
    source::check_apart(&work_dir, Some(&settings.temp_dir), &args.sources)?;
    let place = Place::prepare(&args.output, &args.sources)?;
    let work = tempfile::Builder::new()
        .prefix("trailhound-convert-")
        .tempdir_in(&settings.temp_dir)
        .map_err(|source| io_error("create a directory in", &settings.temp_dir, source))?;
    let cache = Cache::create(&work.path().join("cache"))?.with_threads(settings.threads);
    let cache = Arc::new(cache);
    let (report, interrupted) = repl::ingest(settings.screen, &cache, &options)?;
    if interrupted {
        return Err(ErrorKind::Interrupted.into());
    }
    write_all(settings, &cache, &args.partition_by, &place, &report)?;
    place.finish()?;
    if args.json {
        print(&format!("{}\n", output::json_text(&report)?))?;
    } else {
        settings.screen.say(&repl::summary(&report));
    }
    Ok(Outcome::of(&report))
}

/// Writes all tables of `cache` below `place`.
fn write_all(
    settings: &Settings,
    cache: &Arc<Cache>,
    keys: &[PartitionKey],
    place: &Place,
    report: &IngestReport,
) -> Result<()> {
    events::write(settings, cache, keys, &place.unfinished)?;
    let session = Arc::new(Session::open(Arc::clone(cache), &settings.session())?);
    let runner = Runner::new(settings.threads)?;
    let beside = place.unfinished.join(BESIDE);
    fs::create_dir_all(&beside).map_err(|source| io_error("create", &beside, source))?;
    for table in [Table::Aggregated, Table::Rejects, Table::Duplicates, Table::LogFiles] {
        let names: Vec<String> =
            table.schema().fields().iter().map(|field| quoted(field.name())).collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), table.name());
        let path = beside.join(table.name()).with_extension("parquet");
        let file = fs::File::create(&path).map_err(|source| io_error("create", &path, source))?;
        let options = OutputOptions::new(Format::Parquet);
        for statement in session.parse(&sql, None)? {
            let sink = file.try_clone().map_err(|source| io_error("write", &path, source))?;
            runner.run(&session, &statement, |schema| {
                output::writer(&options, schema, Box::new(sink))
            })?;
        }
    }
    let path = beside.join("report.json");
    fs::write(&path, format!("{}\n", output::json_text(report)?))
        .map_err(|source| io_error("write", &path, source))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The output directory.
struct Place {
    dir: PathBuf,
    unfinished: PathBuf,
    /// Whether the directory is of our making, to be taken away when we fail.
    is_ours: bool,
}

impl Place {
    /// Makes sure that nothing is overwritten and no evidence touched.
    fn prepare(dir: &Path, sources: &[String]) -> Result<Self> {
        if dir.starts_with("s3:") {
            return Err(refused("--output", dir, "only a directory of this machine can be given"));
        }
        source::check_apart(dir, None, sources).map_err(|_inside| {
            refused("--output", dir, "it lies inside a source, which is never written to")
        })?;
        let unfinished = dir.join(UNFINISHED);
        let is_ours = match fs::read_dir(dir) {
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(|source| io_error("read", dir, source))?;
                    // What a killed conversion left is ours to take away.
                    if entry.file_name() != UNFINISHED {
                        return Err(refused("--output", dir, "the directory is not empty"));
                    }
                    fs::remove_dir_all(entry.path())
                        .map_err(|source| io_error("remove", &entry.path(), source))?;
                }
                false
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(source) => return Err(io_error("read", dir, source)),
        };
        fs::create_dir_all(&unfinished)
            .map_err(|source| io_error("create", &unfinished, source))?;
        Ok(Self { dir: dir.to_owned(), unfinished, is_ours })
    }

    /// Moves everything to its place.
    fn finish(mut self) -> Result<()> {
        let failed = |source| io_error("move into", &self.dir, source);
        for entry in fs::read_dir(&self.unfinished).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            fs::rename(entry.path(), self.dir.join(entry.file_name())).map_err(failed)?;
        }
        self.is_ours = false;
        Ok(())
    }
}

impl Drop for Place {
    /// Leaves nothing half done; what cannot be removed, the next conversion removes.
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.unfinished));
        if self.is_ours {
            drop(fs::remove_dir(&self.dir));
        }
    }
}

fn refused(name: &str, path: &Path, reason: &str) -> crate::Error {
    ErrorKind::Value {
        name: name.to_owned(),
        value: path.display().to_string(),
        reason: reason.to_owned(),
    }
    .into()
}

fn io_error(action: &'static str, path: &Path, source: std::io::Error) -> crate::Error {
    ErrorKind::Io { action, path: path.to_owned(), source }.into()
}

#[cfg(test)]
mod tests;
