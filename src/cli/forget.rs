//! `trailhound forget`: removes a source's records from the cache.

use clap::Args;

use super::{Outcome, open_cache, print, settings::Settings};
use crate::{
    ErrorKind, Result,
    cache::ForgetReport,
    output::{self, human::counted},
    source,
};

const EXAMPLES: &str = "\
Examples:
  trailhound forget ./AWSLogs
  trailhound forget /evidence/old.zip --json

Events that other files have a copy of stay, and say from then on that they come from there. The
ledger keeps the files, with the outcome `forgotten`; the evidence itself is never touched.";

/// Remove a source's records from the cache
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ForgetArgs {
    /// The SOURCE, as it was given to ingest
    #[arg(value_name = "SOURCE")]
    source: String,

    /// Print the report as one JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: &Settings, args: &ForgetArgs) -> Result<Outcome> {
    let cache = open_cache(settings)?;
    // As the ledger has it: absolute; what is gone may have to be named as the ledger names it.
    let mut report = cache.forget(&source::absolute(&args.source))?;
    if report.files == 0 {
        report = cache.forget(&args.source)?;
    }
    if report.files == 0 {
        return Err(ErrorKind::Value {
            name: "SOURCE".to_owned(),
            value: args.source.clone(),
            reason: "nothing in the cache came from it; for what did, \
                     `SELECT DISTINCT source FROM log_files`"
                .to_owned(),
        }
        .into());
    }
    if args.json {
        let report = serde_json::json!({
            "files": report.files,
            "events_removed": report.rows_removed,
            "events_transferred": report.rows_transferred,
            "duplicates_removed": report.duplicates_removed,
            "rejects_removed": report.rejects_removed,
        });
        print(&format!("{}\n", output::json_text(&report)?))?;
    } else {
        settings.screen.say(&summary(&report));
    }
    Ok(Outcome::Done)
}

/// What was forgotten, for people.
fn summary(report: &ForgetReport) -> String {
    let mut parts = vec![
        counted(report.files, "file", "files"),
        counted(report.rows_removed, "event removed", "events removed"),
    ];
    if report.rows_transferred > 0 {
        let events = counted(report.rows_transferred, "event stays", "events stay");
        parts.push(format!("{events}, as other files have the same record"));
    }
    for (n, one, many) in [
        (report.duplicates_removed, "duplicate removed", "duplicates removed"),
        (report.rejects_removed, "reject removed", "rejects removed"),
    ] {
        if n > 0 {
            parts.push(counted(n, one, many));
        }
    }
    format!("forgotten: {}", parts.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_what_there_was() {
        let report = ForgetReport {
            files: 2,
            rows_removed: 1,
            rows_transferred: 3,
            duplicates_removed: 0,
            rejects_removed: 1,
        };
        assert_eq!(
            summary(&report),
            "forgotten: 2 files · 1 event removed · 3 events stay, as other files have the same \
             record · 1 reject removed"
        );
    }
}
