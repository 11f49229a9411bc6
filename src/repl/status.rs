//! What the cache covers, for people.

use std::path::Path;

use crate::{
    cache::{Snapshot, Table},
    engine::{Coverage, Slice},
    output::{
        human::{count, counted},
        visible,
    },
};

/// The most values, gaps and faults that are named; SQL gives all.
const MOST_NAMED: usize = 20;

/// Tells what the cache in `dir` covers; ends in a line feed.
///
/// ```text
/// cache       /home/eve/.local/share/trailhound/cases/acme
/// events      1 234 567 · 2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
/// accounts    111122223333   1 200 000   2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
///             444455556666      34 567   2024-01-02T08:00:00Z → 2024-01-03T19:59:58Z
/// histories   444455556666   2024-01-01T00:00:00Z → 2024-01-07T23:00:00Z · us-east-1 · management
///             events alone
/// files       1 054: 1 040 ingested · 12 other · 2 skipped
/// records     1 234 600: 1 234 567 written · 31 duplicates · 2 rejected
/// gaps        2 hours between the first event and the last have none
///             2024-01-03T04:00:00Z → 2024-01-03T06:00:00Z · 2 hours
/// skipped     /evidence/a.json.gz at byte 4711: the gzip stream ends early
/// ```
pub fn render_status(coverage: &Coverage, dir: &Path) -> String {
    let mut out = Lines(String::new());
    out.line("cache", &visible(&dir.display().to_string()));
    if coverage.events == 0 && coverage.files.seen == 0 {
        out.line("events", "none yet: `trailhound ingest SOURCE` reads logs into the cache");
        return out.0;
    }
    let span = span(coverage.first_event.as_deref(), coverage.last_event.as_deref());
    out.line("events", &join([Some(count(coverage.events)), span]));
    out.slices("accounts", &coverage.accounts);
    out.slices("regions", &coverage.regions);
    out.slices("categories", &coverage.categories);
    out.slices("data events", &coverage.data_sources);
    let histories = coverage.event_histories.iter().map(|history| {
        let (account, regions) = (visible(&history.account), history.regions.join(", "));
        format!(
            "{account}   {} → {} · {} · management events alone",
            history.from,
            history.to,
            visible(&regions)
        )
    });
    out.named("histories", histories, coverage.event_histories.len());
    if coverage.aggregated > 0 {
        let rows = counted(coverage.aggregated, "row", "rows");
        out.line("aggregated", &format!("{rows} in cloudtrail_aggregated"));
    }
    out.files_and_records(coverage);
    out.gaps(coverage);
    let faults = coverage.skipped.iter().map(|file| {
        let place = file.offset.map(|at| format!(" at byte {at}")).unwrap_or_default();
        format!("{}{place}: {}", visible(&file.path), visible(&file.reason))
    });
    out.named("skipped", faults, coverage.skipped.len());
    out.0
}

/// One line for the head of a prompt: `3 accounts · 4 regions · 2024-01-01 → 2024-01-07 ·
/// 1 234 567 events · 2 files skipped (.status)`.
pub(super) fn headline(coverage: &Coverage) -> String {
    if coverage.events == 0 {
        return "no events yet: .ingest SOURCE reads logs into the cache".to_owned();
    }
    let n_named = |slices: &[Slice]| slices.iter().filter(|slice| slice.name.is_some()).count();
    let day =
        |time: &Option<String>| time.as_ref().and_then(|time| time.get(..10).map(str::to_owned));
    let days = day(&coverage.first_event)
        .zip(day(&coverage.last_event))
        .map(|(first, last)| format!("{first} → {last}"));
    let skipped = coverage.files.skipped;
    join([
        Some(counted(n_named(&coverage.accounts) as u64, "account", "accounts")),
        Some(counted(n_named(&coverage.regions) as u64, "region", "regions")),
        days,
        Some(counted(coverage.events, "event", "events")),
        (skipped > 0).then(|| format!("{} skipped (.status)", counted(skipped, "file", "files"))),
    ])
}

/// The same as far as the list of the cache's files tells: `2024-01-01 → 2024-01-07 ·
/// 12 345 678 events`.
pub(super) fn short_headline(snapshot: &Snapshot) -> String {
    let times = || snapshot.files(Table::Events).iter().filter_map(|file| file.event_ts);
    let first = times().map(|(first, _)| first).min();
    let last = times().map(|(_, last)| last).max();
    let day = |micros: i64| {
        Some(chrono::DateTime::from_timestamp_micros(micros)?.format("%Y-%m-%d").to_string())
    };
    let days = first.and_then(day).zip(last.and_then(day));
    let events = counted(snapshot.n_records(Table::Events), "event", "events");
    join([days.map(|(first, last)| format!("{first} → {last}")), Some(events)])
}

fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn span(first: Option<&str>, last: Option<&str>) -> Option<String> {
    first.zip(last).map(|(first, last)| format!("{first} → {last}"))
}

/// Lines with a title each; a title that is that of the line before is left out.
struct Lines(String);

impl Lines {
    fn line(&mut self, title: &str, text: &str) {
        self.0.push_str(format!("{title:<12}{text}").trim_end());
        self.0.push('\n');
    }

    /// The first of `all`, and how many more there are.
    fn named(&mut self, title: &str, all: impl Iterator<Item = String>, n_all: usize) {
        for (place, one) in all.take(MOST_NAMED).enumerate() {
            self.line(if place == 0 { title } else { "" }, &one);
        }
        if n_all > MOST_NAMED {
            self.line("", &format!("… {} more", count((n_all - MOST_NAMED) as u64)));
        }
    }

    /// A line for each value, those with the most events first.
    fn slices(&mut self, title: &str, slices: &[Slice]) {
        let mut slices: Vec<&Slice> = slices.iter().collect();
        slices.sort_by_key(|slice| std::cmp::Reverse(slice.events));
        let shown = slices.iter().take(MOST_NAMED);
        let name = |slice: &Slice| visible(slice.name.as_deref().unwrap_or("none")).into_owned();
        let wide = shown.clone().map(|slice| name(slice).chars().count()).max().unwrap_or(0);
        let digits = shown.map(|slice| count(slice.events).len()).max().unwrap_or(0);
        let lines = slices.iter().map(|slice| {
            let span = span(slice.first_event.as_deref(), slice.last_event.as_deref());
            let (name, n) = (name(slice), count(slice.events));
            format!("{name:<wide$}   {n:>digits$}   {}", span.unwrap_or_default())
        });
        self.named(title, lines, slices.len());
    }

    fn files_and_records(&mut self, coverage: &Coverage) {
        let (files, records) = (&coverage.files, &coverage.records);
        self.counts(
            "files",
            files.seen,
            &[
                (files.ingested, "ingested"),
                (files.other, "other"),
                (files.skipped, "skipped"),
                (files.partial, "not read to the end yet"),
                (files.forgotten, "forgotten"),
            ],
        );
        self.counts(
            "records",
            records.read,
            &[
                (records.written, "written"),
                (records.duplicates, "duplicates"),
                (records.rejected, "rejected"),
            ],
        );
    }

    fn counts(&mut self, title: &str, total: u64, parts: &[(u64, &str)]) {
        let parts = parts.iter().filter(|(n, _)| *n > 0);
        let parts: Vec<String> = parts.map(|(n, what)| format!("{} {what}", count(*n))).collect();
        let colon = if parts.is_empty() { "" } else { ": " };
        self.line(title, &format!("{}{colon}{}", count(total), parts.join(" · ")));
    }

    fn gaps(&mut self, coverage: &Coverage) {
        let n_hours = coverage.gaps.iter().map(|gap| gap.hours).sum();
        if n_hours == 0 {
            return;
        }
        let hours = |n: u64| counted(n, "hour", "hours");
        self.line(
            "gaps",
            &format!("{} between the first event and the last without any", hours(n_hours)),
        );
        let gaps = coverage.gaps.iter();
        let gaps = gaps.map(|gap| format!("{} → {} · {}", gap.from, gap.to, hours(gap.hours)));
        self.named("", gaps, coverage.gaps.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{EventHistory, FileCoverage, Gap, RecordCoverage, SkippedFile};

    fn slice(name: Option<&str>, events: u64) -> Slice {
        Slice {
            name: name.map(str::to_owned),
            events,
            first_event: Some("2024-01-01T00:00:03Z".to_owned()),
            last_event: Some("2024-01-07T23:59:58Z".to_owned()),
        }
    }

    fn coverage() -> Coverage {
        Coverage {
            events: 1_234_567,
            first_event: Some("2024-01-01T00:00:03Z".to_owned()),
            last_event: Some("2024-01-07T23:59:58Z".to_owned()),
            accounts: vec![
                slice(None, 7),
                slice(Some("111122223333"), 34_560),
                slice(Some("444455556666"), 1_200_000),
            ],
            regions: vec![slice(Some("us-east-1\u{1b}[2J"), 1_234_567)],
            categories: vec![slice(Some("Management"), 1_234_567)],
            event_histories: vec![EventHistory {
                account: "444455556666".to_owned(),
                regions: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()],
                from: "2024-01-01T00:00:00Z".to_owned(),
                to: "2024-01-07T23:00:00Z".to_owned(),
            }],
            files: FileCoverage {
                seen: 1054,
                ingested: 1040,
                other: 12,
                skipped: 2,
                ..FileCoverage::default()
            },
            records: RecordCoverage { read: 1000, written: 990, duplicates: 8, rejected: 2 },
            gaps: vec![Gap {
                from: "2024-01-03T04:00:00Z".to_owned(),
                to: "2024-01-03T06:00:00Z".to_owned(),
                hours: 2,
            }],
            skipped: vec![SkippedFile {
                path: "/evidence/\u{202e}a.json.gz".to_owned(),
                offset: Some(4711),
                reason: "the gzip stream ends early".to_owned(),
            }],
            ..Coverage::default()
        }
    }

    #[test]
    fn a_status_tells_all_there_is() {
        insta::assert_snapshot!(render_status(&coverage(), Path::new("/cases/acme")), @r"
        cache       /cases/acme
        events      1 234 567 · 2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
        accounts    444455556666   1 200 000   2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
                    111122223333      34 560   2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
                    none                   7   2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
        regions     us-east-1\x1b[2J   1 234 567   2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
        categories  Management   1 234 567   2024-01-01T00:00:03Z → 2024-01-07T23:59:58Z
        histories   444455556666   2024-01-01T00:00:00Z → 2024-01-07T23:00:00Z · eu-west-1, us-east-1 · management events alone
        files       1 054: 1 040 ingested · 12 other · 2 skipped
        records     1 000: 990 written · 8 duplicates · 2 rejected
        gaps        2 hours between the first event and the last without any
                    2024-01-03T04:00:00Z → 2024-01-03T06:00:00Z · 2 hours
        skipped     /evidence/\u{202e}a.json.gz at byte 4711: the gzip stream ends early
        ");
    }

    #[test]
    fn an_empty_cache_says_how_to_begin() {
        insta::assert_snapshot!(
            render_status(&Coverage::default(), Path::new("/cases/acme")),
            @r"
        cache       /cases/acme
        events      none yet: `trailhound ingest SOURCE` reads logs into the cache
        "
        );
    }

    #[test]
    fn a_headline_is_one_line() {
        assert_eq!(
            headline(&coverage()),
            "2 accounts · 1 region · 2024-01-01 → 2024-01-07 · 1 234 567 events · 2 files skipped \
             (.status)"
        );
    }

    #[test]
    fn only_the_first_of_many_are_named() {
        let accounts = (0..30).map(|n| slice(Some(&format!("{n:012}")), 1)).collect();
        let text = render_status(&Coverage { accounts, ..coverage() }, Path::new("/c"));
        assert!(text.contains("\n            … 10 more\n"), "{text}");
    }
}
