//! What the program needs: arguments, environment and configuration file → settings.
//!
//! A flag wins over the environment, the environment over the configuration file.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    path::PathBuf,
};

use etcetera::{AppStrategy, AppStrategyArgs, app_strategy::choose_app_strategy};

use super::{
    args::{FilterArgs, Global, LimitArgs, When},
    config::{self, Config},
};
use crate::{
    ErrorKind, Result,
    aws::{Aws, AwsOptions},
    cache::{Place, S3Place},
    engine::SessionOptions,
    ingest::{self, InflateLimits, IngestOptions},
    logs::Limits,
    queries::Library,
    repl::Screen,
    source::{self, Filter},
};

/// The case that is opened unless told.
const DEFAULT_CASE: &str = "default";

/// What all commands need to know.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The cache's directory, or `s3://bucket/prefix`.
    pub(super) cache: PathBuf,
    /// Whether --cache or --case chose it.
    pub(super) cache_is_told: bool,
    /// Memory for ingest and for queries, in bytes.
    pub(super) memory_bytes: usize,
    /// Where work spills to.
    pub(super) temp_dir: PathBuf,
    /// Threads that work at once.
    pub(super) threads: usize,
    /// Further names of tables.
    pub(super) table_names: Vec<(String, String)>,
    /// Whether what Athena refuses is refused.
    pub(super) strict: bool,
    /// Bounds from the configuration file.
    pub(super) limits: config::Limits,
    /// Days of delivery behind `--until`, from the configuration file.
    pub(super) late_days: Option<u16>,
    /// How AWS is reached.
    pub(super) aws: AwsOptions,
    /// Where output goes.
    pub(super) screen: Screen,
    /// Where the user's own saved queries lie; the first is where new ones are kept.
    pub(super) queries_dirs: Vec<PathBuf>,
    /// How many of them the user named; they must be there.
    queries_told: usize,
    /// Where the prompt's history rests.
    pub(super) history_file: Option<PathBuf>,
}

/// What the machine says about the user.
#[derive(Debug, Clone, Default)]
struct Surroundings {
    config_dir: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    /// `TRAILHOUND_CACHE`.
    cache: Option<PathBuf>,
    /// `NO_COLOR` (<https://no-color.org>), or a terminal that has no colours.
    no_color: bool,
}

impl Surroundings {
    fn of_this_process() -> Self {
        let dirs = choose_app_strategy(AppStrategyArgs {
            top_level_domain: "org".to_owned(),
            author: String::new(),
            app_name: "trailhound".to_owned(),
        })
        .ok();
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            config_dir: dirs.as_ref().map(AppStrategy::config_dir),
            data_dir: dirs.as_ref().map(AppStrategy::data_dir),
            state_dir: dirs
                .as_ref()
                .map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_dir())),
            cache: env::var_os("TRAILHOUND_CACHE").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            no_color: is_set("NO_COLOR") || env::var_os("TERM") == Some(OsString::from("dumb")),
        }
    }
}

impl Settings {
    /// Settles what `global` leaves open.
    ///
    /// # Errors
    /// The configuration file cannot be read, or there is no place for the cache.
    pub(super) fn new(global: &Global) -> Result<Self> {
        Self::within(global, &Surroundings::of_this_process())
    }

    fn within(global: &Global, surroundings: &Surroundings) -> Result<Self> {
        let config = match (&global.config, &surroundings.config_dir) {
            (Some(path), _) => Config::read(path)?,
            (None, Some(dir)) if dir.join("config.toml").is_file() => {
                Config::read(&dir.join("config.toml"))?
            }
            _ => Config::default(),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let memory_bytes = global.memory.or(config.memory);
        let mut queries_dirs = global.queries.clone();
        queries_dirs.extend(config.queries.iter().map(PathBuf::from));
        let queries_told = queries_dirs.len();
        queries_dirs.extend(surroundings.config_dir.as_ref().map(|dir| dir.join("queries")));
        Ok(Self {
            cache: cache(global, &config, surroundings)?,
            cache_is_told: global.cache.is_some() || global.case.is_some(),
            memory_bytes: memory_bytes.map_or(ingest::DEFAULT_MEMORY_BYTES, |bytes| {
                usize::try_from(bytes).unwrap_or(usize::MAX)
            }),
            temp_dir: global
                .temp_dir
                .clone()
                .or(config.temp_dir.map(PathBuf::from))
                .unwrap_or_else(env::temp_dir),
            threads: global.threads.map(usize::from).or(config.threads).unwrap_or(cores),
            table_names: config.tables,
            strict: global.strict || config.strict.unwrap_or_default(),
            limits: config.limits,
            late_days: config.late_days,
            aws: global.aws.or(config.aws),
            screen: screen_of(global.color, surroundings.no_color),
            queries_told,
            queries_dirs,
            history_file: surroundings.state_dir.as_ref().map(|dir| dir.join("history")),
        })
    }

    /// Where the cache lies, and how to reach it.
    ///
    /// # Errors
    /// It is to be in S3, but is not named as a place there is.
    pub(super) fn place(&self) -> Result<Place> {
        let Some(uri) = self.cache.to_str().filter(|name| name.starts_with("s3://")) else {
            return Ok(Place::Directory(self.cache.clone()));
        };
        let invalid = |reason: &str| ErrorKind::Value {
            name: "--cache".to_owned(),
            value: uri.to_owned(),
            reason: reason.to_owned(),
        };
        let in_s3 = source::Place::parse(uri).map_err(invalid)?;
        let aws = Aws::new(self.aws.clone()).map_err(|source| ErrorKind::Io {
            action: "start the threads that reach",
            path: self.cache.clone(),
            source,
        })?;
        let place = S3Place::new(in_s3.bucket, &in_s3.key, aws, self.temp_dir.clone());
        Ok(Place::S3(place.map_err(invalid)?))
    }

    /// The saved queries, the user's own among them.
    ///
    /// # Errors
    /// A directory that the user named is not there.
    pub(super) fn library(&self) -> Result<Library> {
        let told = self.queries_dirs.iter().take(self.queries_told);
        if let Some(missing) = told.into_iter().find(|dir| !dir.is_dir()) {
            return Err(ErrorKind::Value {
                name: "--queries".to_owned(),
                value: missing.display().to_string(),
                reason: "there is no such directory".to_owned(),
            }
            .into());
        }
        Library::open(&self.queries_dirs)
    }

    /// How queries run.
    pub(super) fn session(&self) -> SessionOptions {
        SessionOptions {
            memory_bytes: self.memory_bytes,
            temp_dir: self.temp_dir.clone(),
            threads: self.threads,
            table_names: self.table_names.clone(),
            strict: self.strict,
        }
    }

    /// How `sources` are ingested.
    pub(super) fn ingest(
        &self,
        sources: &[String],
        filter: Filter,
        limits: LimitArgs,
    ) -> IngestOptions {
        let (limits, inflate) = bounds(limits.or(self.limits));
        IngestOptions {
            sources: sources.to_vec(),
            filter,
            aws: self.aws.clone(),
            versions: false,
            inventories: Vec::new(),
            limits,
            inflate,
            memory_bytes: self.memory_bytes,
            threads: self.threads,
            temp_dir: self.temp_dir.clone(),
        }
    }
}

/// `--cache` or `--case`, else `TRAILHOUND_CACHE`, else the configuration's case.
fn cache(global: &Global, config: &Config, surroundings: &Surroundings) -> Result<PathBuf> {
    let told = global.cache.as_ref();
    if let Some(dir) = told.or(surroundings.cache.as_ref().filter(|_| global.case.is_none())) {
        return Ok(dir.clone());
    }
    let case = global.case.as_deref().or(config.case.as_deref()).unwrap_or(DEFAULT_CASE);
    match &surroundings.data_dir {
        Some(dir) => Ok(dir.join("cases").join(case)),
        None => Err(ErrorKind::Value {
            name: "--cache".to_owned(),
            value: String::new(),
            reason: "the user has no home directory, so the cache needs a place".to_owned(),
        }
        .into()),
    }
}

/// Bounds with the defaults where nothing was said.
fn bounds(limits: config::Limits) -> (Limits, InflateLimits) {
    let (record, inflate) = (Limits::default(), InflateLimits::default());
    let or = |value: Option<u64>, default: usize| {
        value.map_or(default, |value| usize::try_from(value).unwrap_or(usize::MAX))
    };
    (
        Limits {
            max_record_bytes: or(limits.max_record_bytes, record.max_record_bytes),
            max_depth: or(limits.max_depth, record.max_depth),
            max_keys: or(limits.max_keys, record.max_keys),
        },
        InflateLimits {
            max_ratio: limits.max_ratio.unwrap_or(inflate.max_ratio),
            max_bytes: limits.max_inflated_bytes.unwrap_or(inflate.max_bytes),
        },
    )
}

impl Settings {
    /// How `sources` are ingested, with the files of them that `args` choose.
    ///
    /// # Errors
    /// The span of time is empty.
    pub(super) fn ingest_chosen(
        &self,
        sources: &[String],
        args: &FilterArgs,
        limits: LimitArgs,
    ) -> Result<IngestOptions> {
        let filter = filter(args, self.late_days)?;
        Ok(IngestOptions {
            versions: args.versions,
            inventories: args.inventory.clone(),
            ..self.ingest(sources, filter, limits)
        })
    }
}

fn filter(args: &FilterArgs, late_days: Option<u16>) -> Result<Filter> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since > until
    {
        return Err(ErrorKind::Value {
            name: "--since".to_owned(),
            value: moment(since),
            reason: format!("it is later than --until, {}", moment(until)),
        }
        .into());
    }
    Ok(Filter {
        since: args.since,
        until: args.until,
        accounts: args.account.clone(),
        regions: args.region.clone(),
        late_days: args.late_days.or(late_days).unwrap_or(source::DEFAULT_LATE_DAYS),
    })
}

fn moment(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |at| format!("{at:?}"))
}

/// Where output goes, told by `global` alone.
pub(super) fn screen(global: &Global) -> Screen {
    screen_of(global.color, Surroundings::of_this_process().no_color)
}

fn screen_of(color: When, no_color: bool) -> Screen {
    let colored = |is_terminal: bool| match color {
        When::Always => true,
        When::Never => false,
        When::Auto => is_terminal && !no_color,
    };
    let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
    Screen {
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout_is_terminal: stdout,
        stderr_is_terminal: stderr,
        stdout_color: colored(stdout),
        stderr_color: colored(stderr),
    }
}

#[cfg(test)]
mod tests;
