//! What an ingest did, for people.

use std::time::Duration;

use crate::{
    ingest::{IngestReport, Skipped},
    output::{
        human::{bytes, count, counted, duration},
        visible,
    },
};

/// The most faults and other files that are named; the ledger names all.
const MOST_NAMED: usize = 20;

/// Tells what an ingest did; ends in a line feed.
///
/// ```text
/// files    1 054: 312 ingested · 728 unchanged · 12 other · 2 skipped
/// records  1 234 567: 1 233 567 written · 998 duplicates · 2 rejected
/// bytes    88 MB stored · 612 MB inflated · in 12.3 s
/// skipped  /evidence/a.json.gz at byte 4711: the gzip stream ends early
/// other    /evidence/digest.json.gz: CloudTrail digest
/// ```
pub fn summary(report: &IngestReport) -> String {
    let (files, records) = (&report.files, &report.records);
    let mut lines = vec![
        row(
            "files",
            files.seen,
            &[
                (files.ingested, "ingested"),
                (files.unchanged, "unchanged"),
                (files.other, "other"),
                (files.skipped, "skipped"),
            ],
        ),
        row(
            "records",
            records.read,
            &[
                (records.written, "written"),
                (records.duplicates, "duplicates"),
                (records.rejected, "rejected"),
            ],
        ),
        format!(
            "bytes    {} stored · {} inflated · in {}",
            bytes(report.bytes.compressed),
            bytes(report.bytes.raw),
            duration(Duration::try_from_secs_f64(report.seconds).unwrap_or_default())
        ),
    ];
    let faults: Vec<String> = report.skipped.iter().map(fault).collect();
    let others: Vec<String> = report
        .other
        .iter()
        .map(|other| format!("{}: {}", visible(&other.path), visible(&other.kind)))
        .collect();
    name("skipped", &faults, &mut lines);
    name("other", &others, &mut lines);
    if records.rejected > 0 {
        let rejected = counted(records.rejected, "record is", "records are");
        lines.push(format!("rejected {rejected} kept with text and reason: SELECT * FROM rejects"));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Whether some input was skipped or rejected, which scripts are told by the exit code.
pub fn is_partial(report: &IngestReport) -> bool {
    report.files.skipped > 0 || report.records.rejected > 0
}

/// `files    1 054: 312 ingested · 728 unchanged`, without what there was none of.
fn row(title: &str, total: u64, parts: &[(u64, &str)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", count(*n)))
        .collect();
    let colon = if parts.is_empty() { "" } else { ": " };
    format!("{title:<8} {}{colon}{}", count(total), parts.join(" · "))
}

fn fault(skipped: &Skipped) -> String {
    let place = skipped.offset.map(|at| format!(" at byte {at}")).unwrap_or_default();
    format!("{}{place}: {}", visible(&skipped.path), visible(&skipped.reason))
}

/// Names the first of `all`, and says how many more there are.
fn name(title: &str, all: &[String], lines: &mut Vec<String>) {
    for one in all.iter().take(MOST_NAMED) {
        lines.push(format!("{title:<8} {one}"));
    }
    let more = all.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        lines.push(format!(
            "{title:<8} … {} more: SELECT uri, reason FROM log_files WHERE outcome = '{title}'",
            count(more as u64)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{ByteCounts, FileCounts, OtherFile, RecordCounts};

    #[test]
    fn a_summary_names_every_outcome_and_the_faults() {
        let report = IngestReport {
            files: FileCounts { seen: 1054, ingested: 312, unchanged: 728, other: 12, skipped: 2 },
            records: RecordCounts { read: 1000, written: 990, duplicates: 8, rejected: 2 },
            bytes: ByteCounts { compressed: 88_000_000, raw: 612_000_000 },
            seconds: 12.34,
            skipped: vec![Skipped {
                path: "/evidence/a\u{1b}[2J.gz".to_owned(),
                offset: Some(4711),
                reason: "the gzip stream ends early".to_owned(),
            }],
            other: vec![OtherFile { path: "/evidence/d".to_owned(), kind: "digest".to_owned() }],
            notices: Vec::new(),
        };
        insta::assert_snapshot!(summary(&report), @r"
        files    1 054: 312 ingested · 728 unchanged · 12 other · 2 skipped
        records  1 000: 990 written · 8 duplicates · 2 rejected
        bytes    88 MB stored · 612 MB inflated · in 12.3 s
        skipped  /evidence/a\x1b[2J.gz at byte 4711: the gzip stream ends early
        other    /evidence/d: digest
        rejected 2 records are kept with text and reason: SELECT * FROM rejects
        ");
        assert!(is_partial(&report));
    }

    #[test]
    fn nothing_new_is_said_briefly() {
        let files = FileCounts { seen: 3, unchanged: 3, ..FileCounts::default() };
        let report = IngestReport { files, ..IngestReport::default() };
        insta::assert_snapshot!(summary(&report), @r"
        files    3: 3 unchanged
        records  0
        bytes    0 B stored · 0 B inflated · in 0.000 s
        ");
        assert!(!is_partial(&report));
    }

    #[test]
    fn only_the_first_faults_are_named() {
        let skipped = |n: u32| Skipped {
            path: format!("/evidence/{n}"),
            offset: None,
            reason: "not readable".to_owned(),
        };
        let report = IngestReport { skipped: (0..25).map(skipped).collect(), ..Default::default() };
        let text = summary(&report);
        assert_eq!(text.matches("not readable").count(), 20);
        assert!(text.contains("skipped  … 5 more: SELECT uri, reason FROM log_files"), "{text}");
    }
}
