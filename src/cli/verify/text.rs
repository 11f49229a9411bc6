//! The report as text: the AWS CLI's lines where it has such lines, and what it does not know.

use std::fmt::Write as _;

use crate::{
    integrity::{
        ChainName, Counts, DigestRow, HoleRow, LogRow, Reason, Span, Status, TrailEvent,
        VerifyReport,
    },
    output::sanitize::visible,
};

/// The warnings that are shown before the rest is only counted.
const MAX_WARNINGS: usize = 20;

/// Renders `report`; `verbose` shows all warnings.
pub(super) fn render(report: &VerifyReport, verbose: bool) -> String {
    let mut out = String::new();
    for row in &report.digest_files {
        let file = row.uri.as_deref().or(row.s3.as_deref());
        let file = file.map_or_else(|| hour_of(row), str::to_owned);
        let kind = if row.chain.backfill { "(backfill) Digest file" } else { "Digest file" };
        let detail = row.detail.as_deref();
        line(&mut out, kind, &file, row.status, row.reason.as_ref(), detail, verbose);
    }
    for row in &report.log_files {
        let file = row.uri.as_deref().or(row.s3.as_deref()).unwrap_or_default();
        let detail = row.detail.as_deref();
        line(&mut out, "Log file", file, row.status, row.reason.as_ref(), detail, verbose);
    }
    for row in &report.unread {
        tabbed(&mut out, &["File", &row.uri, &format!("UNVERIFIABLE: {}", row.reason)]);
    }
    warnings(report, verbose, &mut out);
    holes(report, &mut out);
    if !out.is_empty() {
        out.push('\n');
    }
    summary(report, &mut out);
    out
}

/// `Digest file<TAB>s3://bucket/key<TAB>INVALID: not found`.
fn line(
    out: &mut String,
    kind: &str,
    file: &str,
    status: Option<Status>,
    reason: Option<&Reason>,
    detail: Option<&str>,
    verbose: bool,
) {
    let finding = match (status, reason) {
        (Some(status), Some(reason)) => {
            let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{}: {reason}{detail}", status.word().to_ascii_uppercase())
        }
        _ if verbose => "valid".to_owned(),
        // It is in the report for its warnings, which follow.
        _ => return,
    };
    tabbed(out, &[kind, file, &finding]);
}

fn tabbed(out: &mut String, parts: &[&str]) {
    let parts: Vec<_> = parts.iter().map(|part| visible(part)).collect();
    out.push_str(&parts.join("\t"));
    out.push('\n');
}

/// What stands for a digest that is missing and that no other names.
fn hour_of(row: &DigestRow) -> String {
    format!("of {} for {}", chain(&row.chain), span(row.span))
}

fn chain(name: &ChainName) -> String {
    let ChainName { account, region, trail, .. } = name;
    format!("account {account}, region {region}, trail {trail}")
}

fn span(span: Span) -> String {
    format!("{} to {}", moment(span.from), moment(span.to))
}

fn moment(at: Option<i64>) -> String {
    let at = at.and_then(chrono::DateTime::from_timestamp_micros);
    at.map_or_else(|| "…".to_owned(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

fn warnings(report: &VerifyReport, verbose: bool, out: &mut String) {
    let digests = report.digest_files.iter().map(|row: &DigestRow| (&row.uri, &row.warnings));
    let logs = report.log_files.iter().map(|row: &LogRow| (&row.uri, &row.warnings));
    let all: Vec<_> = digests
        .chain(logs)
        .flat_map(|(uri, warnings)| warnings.iter().map(move |warning| (uri, warning)))
        .collect();
    let shown = if verbose { all.len() } else { MAX_WARNINGS };
    for (uri, warning) in all.iter().take(shown) {
        tabbed(out, &["Warning", uri.as_deref().unwrap_or_default(), warning]);
    }
    if all.len() > shown {
        let rest = all.len() - shown;
        tabbed(out, &["Warning", &format!("{rest} more; --verbose shows all")]);
    }
}

/// Times without digests, with what may explain them.
fn holes(report: &VerifyReport, out: &mut String) {
    for hole in &report.gaps {
        let late = if hole.chain.backfill { "(backfill) " } else { "" };
        let (from, to) = (moment(hole.span.from), moment(hole.span.to));
        let text =
            format!("{late}No log files were delivered by CloudTrail between {from} and {to}");
        tabbed(out, &[&text, &chain(&hole.chain)]);
        events(&hole.events, out);
    }
    let explained = |hole: &&HoleRow| !hole.events.is_empty();
    for hole in report.missing_hours.iter().filter(explained) {
        let text = format!("Digest missing from {}", span(hole.span));
        tabbed(out, &[&text, &chain(&hole.chain)]);
        events(&hole.events, out);
    }
    for ended in report.chains.iter().filter(|chain| !chain.ended_by.is_empty()) {
        let text = format!("The digests end at {}", moment(ended.span.to));
        tabbed(out, &[&text, &chain(&ended.chain)]);
        events(&ended.ended_by, out);
    }
}

fn events(events: &[TrailEvent], out: &mut String) {
    for event in events {
        let TrailEvent { event_time, event_name, principal, source_ip_address, trail, .. } = event;
        let text = format!("{event_name} of {trail} by {principal} from {source_ip_address}");
        tabbed(out, &["", event_time, &text]);
    }
}

fn summary(report: &VerifyReport, out: &mut String) {
    // Writing to a String cannot fail.
    if report.requested != Span::default() {
        let _infallible = writeln!(out, "Results requested for {}", span(report.requested));
    }
    if !report.has_digests() {
        out.push_str("No digests found\n");
    } else if report.found == Span::default() {
        out.push_str("No valid digests found in range\n");
    } else {
        let _infallible = writeln!(out, "Results found for {}:", span(report.found));
    }
    out.push('\n');
    ratio(report.digests, "digest", out);
    ratio(report.backfill_digests, "backfill digest", out);
    ratio(report.logs, "log", out);
}

/// `7/8 digest files valid, 1/8 digest files INVALID`.
fn ratio(counts: Counts, name: &str, out: &mut String) {
    let total = counts.total();
    if total == 0 {
        return;
    }
    let mut parts = vec![format!("{}/{total} {name} files valid", counts.valid)];
    let others = [
        (counts.invalid, "INVALID"),
        (counts.unverifiable, "UNVERIFIABLE"),
        (counts.undigested, "UNDIGESTED"),
    ];
    for (n, word) in others.into_iter().filter(|(n, _)| *n > 0) {
        parts.push(format!("{n}/{total} {name} files {word}"));
    }
    out.push_str(&parts.join(", "));
    out.push('\n');
}
