//! What the user typed: the definitions of flags and subcommands. Nothing here reads files or
//! looks at the machine; [`super::settings`] makes of it what the program needs.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    completions, config, convert, forget, ingest, pivots, query, sql, status, timeline, trace,
    values, verify,
};
use crate::aws::AwsOptions;

const ABOUT: &str =
    "Reads AWS CloudTrail logs in any shape into a columnar cache and answers SQL about them";

const EXAMPLES: &str = "\
Examples:
  trailhound ingest ./evidence                   read logs into the case's cache
  trailhound sql \"SELECT count(*) FROM cloudtrail_logs\"
  trailhound --case acme                         a prompt on the case `acme`
  trailhound sql --source logs.zip -o out.csv -f question.sql
  trailhound status                              what the cache covers, and what was skipped

Without a command: a prompt on a terminal, else SQL is read from standard input.
stdout carries data and nothing else. Exit codes: 0 done · 1 done, but some input was skipped or
rejected · 2 failed · 130 interrupted.";

/// Reads AWS `CloudTrail` logs in any shape into a columnar cache and answers SQL about them.
#[derive(Debug, Parser)]
#[command(name = "trailhound", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The subcommands; each is a file beside this one.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read logs into the cache; what is in it already is not read again
    Ingest(ingest::IngestArgs),
    /// Run SQL over the cache
    Sql(sql::SqlArgs),
    /// Run a saved query, or list and show them
    Query(query::QueryArgs),
    /// Everything about a caller: an ARN, a user, role or session name, a principal id, an account
    #[command(after_help = pivots::WHO)]
    Who(pivots::PivotArgs),
    /// Everything about an address or a network
    #[command(after_help = pivots::IP)]
    Ip(pivots::PivotArgs),
    /// Everything about an API
    #[command(after_help = pivots::API)]
    Api(pivots::PivotArgs),
    /// Everything about an access key
    #[command(after_help = pivots::KEY)]
    Key(pivots::PivotArgs),
    /// Everything about a resource: an ARN, a name, an id
    #[command(after_help = pivots::RESOURCE)]
    Resource(pivots::PivotArgs),
    /// One event in full, and what is around it
    #[command(after_help = pivots::EVENT)]
    Event(pivots::EventArgs),
    /// Tell what was done, in plain words and in order
    Timeline(timeline::TimelineArgs),
    /// Turn logs into plain Parquet files, without a cache
    Convert(convert::ConvertArgs),
    /// Show what the cache covers, and what was skipped
    Status(status::StatusArgs),
    /// Verify log files by `CloudTrail`'s digests: signatures, chains, hashes
    Verify(verify::VerifyArgs),
    /// Trace credentials to what began them, and to all that was done with what came of them
    Trace(trace::TraceArgs),
    /// Remove a source's records from the cache
    Forget(forget::ForgetArgs),
    /// Print a script that completes commands and flags in a shell
    Completions(completions::CompletionsArgs),
}

/// Flags that all commands share.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The cache, a directory or `s3://bucket/prefix` [default: `TRAILHOUND_CACHE`, else the case's]
    #[arg(long, value_name = "PLACE", global = true, conflicts_with = "case")]
    pub(super) cache: Option<PathBuf>,

    /// The case to open, one below the user's data directory [default: default]
    #[arg(long, value_name = "NAME", global = true, value_parser = values::case)]
    pub(super) case: Option<String>,

    /// Memory for ingest and for queries, beyond which they spill, such as 2GiB [default: 512MiB]
    #[arg(long, value_name = "SIZE", global = true, value_parser = values::memory)]
    pub(super) memory: Option<u64>,

    /// Where work spills to [default: the system's directory for temporary files]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) temp_dir: Option<PathBuf>,

    /// Threads that work at once [default: one for each core]
    #[arg(long, value_name = "N", global = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,

    /// Refuse what Athena refuses: dots into JSON text, aliases in HAVING, text beside timestamps,
    /// typographic quotes, placeholders for tables, which are otherwise taken as meant and told
    #[arg(long, global = true)]
    pub(super) strict: bool,

    /// When to use colours; `auto` is on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = When::Auto)]
    pub(super) color: When,

    /// A directory of your own saved queries, searched first; may be repeated
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) queries: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) aws: AwsArgs,

    /// The configuration file [default: config.toml in the user's configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
}

/// How AWS is reached. What is not told comes from AWS's own environment variables and files.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reaching AWS")]
pub(super) struct AwsArgs {
    /// The region to ask first [default: the profile's]; buckets are found wherever they lie
    #[arg(long, value_name = "REGION", global = true)]
    pub(super) aws_region: Option<String>,

    /// A profile of the AWS configuration files, for keys, SSO, roles [default: `AWS_PROFILE`]
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) profile: Option<String>,

    /// A role to assume with the credentials at hand
    #[arg(long, value_name = "ARN", global = true)]
    pub(super) role_arn: Option<String>,

    /// The external id that the role asks for
    #[arg(long, value_name = "ID", global = true)]
    pub(super) external_id: Option<String>,

    /// Do not sign requests: for buckets that are open to everyone
    #[arg(long, global = true)]
    pub(super) no_sign_request: bool,

    /// Pay for the requests, as some buckets ask of others than their owner
    #[arg(long, global = true)]
    pub(super) requester_pays: bool,

    /// Another service that speaks S3 [default: `AWS_ENDPOINT_URL`, else AWS]
    #[arg(long, value_name = "URL", global = true, value_parser = values::url)]
    pub(super) endpoint_url: Option<String>,

    /// Put the bucket's name into the path rather than into the host's name
    #[arg(long, global = true)]
    pub(super) path_style: bool,

    /// Requests a second for each region's event history, out of the 2 that all who look into the
    /// account's share [default: 2]
    #[arg(long, value_name = "N", global = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) lookups_per_second: Option<u16>,
}

impl AwsArgs {
    /// What was typed, else what `config` says.
    pub(super) fn or(&self, config: AwsOptions) -> AwsOptions {
        AwsOptions {
            region: self.aws_region.clone().or(config.region),
            profile: self.profile.clone().or(config.profile),
            endpoint_url: self.endpoint_url.clone().or(config.endpoint_url),
            path_style: self.path_style || config.path_style,
            requester_pays: self.requester_pays || config.requester_pays,
            anonymous: self.no_sign_request || config.anonymous,
            role_arn: self.role_arn.clone().or(config.role_arn),
            external_id: self.external_id.clone().or(config.external_id),
            lookups_per_second: self.lookups_per_second.or(config.lookups_per_second),
        }
    }
}

/// When to do something that suits terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Bounds on records and on inflation. The defaults are reached by no genuine log.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Limits")]
#[expect(clippy::struct_field_names, reason = "the flags are called so")]
pub(super) struct LimitArgs {
    /// The longest record, in bytes of JSON; longer ones are rejected [default: 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::positive_size)]
    pub(super) max_record_size: Option<u64>,

    /// The deepest nesting within a record; deeper ones are rejected [default: 128]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_depth: Option<u64>,

    /// The most keys in one object of a record; more are rejected [default: 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_keys: Option<u64>,

    /// The most bytes a stored byte may inflate to, once 64 MiB came out; the records before that
    /// are kept, the file is named as skipped [default: 250]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_ratio: Option<u64>,

    /// The most bytes one file may inflate to; the same [default: 64GiB]
    #[arg(long, value_name = "SIZE", value_parser = values::positive_size)]
    pub(super) max_inflated: Option<u64>,
}

impl LimitArgs {
    /// What was typed, else what `config` says.
    pub(super) fn or(self, config: config::Limits) -> config::Limits {
        config::Limits {
            max_record_bytes: self.max_record_size.or(config.max_record_bytes),
            max_depth: self.max_depth.or(config.max_depth),
            max_keys: self.max_keys.or(config.max_keys),
            max_ratio: self.max_ratio.or(config.max_ratio),
            max_inflated_bytes: self.max_inflated.or(config.max_inflated_bytes),
        }
    }
}

/// Which files of the sources to read, by what their path tells.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Choosing files by their S3 key or path")]
pub(super) struct FilterArgs {
    /// Only files of this time and later: 2024-01-31, 2024-01-31T08:00:00Z, 7d or 24h ago
    ///
    /// The day in the key chooses whole files; a chosen file is read whole, and files whose key
    /// tells no day are read. Times without a zone are UTC.
    #[arg(long, value_name = "TIME", value_parser = values::since)]
    pub(super) since: Option<i64>,

    /// Only files of this time and earlier; a day is meant whole
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    pub(super) until: Option<i64>,

    /// Days of delivery behind --until that are chosen too: the day in the key is that of delivery,
    /// which may come late [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=400))]
    pub(super) late_days: Option<u16>,

    /// Only files of this account, twelve digits; may be repeated
    #[arg(long, value_name = "ID", value_parser = values::account)]
    pub(super) account: Vec<String>,

    /// Only files of this region, such as eu-west-1; may be repeated
    #[arg(long, value_name = "REGION")]
    pub(super) region: Vec<String>,

    /// Take the keys of a SOURCE in S3 from an S3 Inventory report (CSV) instead of listing them:
    /// its manifest.json or the folder that lies in, in S3 or copied; may be repeated
    #[arg(long, value_name = "MANIFEST")]
    pub(super) inventory: Vec<String>,

    /// Read what was deleted or overwritten too, where a bucket keeps versions
    #[arg(long)]
    pub(super) versions: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_and_command_has_help() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                let id = argument.get_id();
                assert!(argument.get_help().is_some(), "{} {id}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn every_command_has_examples() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n  trailhound "), "{}", command.get_name());
        }
    }
}
