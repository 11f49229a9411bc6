//! A dossier as text: what a responder reads, on a screen of any width.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::{
    Counterpart, Counterparts, Dimension, Dossier, Kind, Nothing, Novelty,
    chart::{bar, chart},
    paper::{MAX_LINES, Paper},
    times::{instant, lasting},
};
use crate::output::{
    human::{count, counted},
    visible,
};

/// How a report is written as text.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    /// The screen's width in columns.
    pub width: usize,
    /// Whether there is colour.
    pub color: bool,
    /// Whether bars may be of block characters; else they are of `#`.
    pub unicode: bool,
    /// Whether it is read at the prompt, whose commands begin with a dot.
    pub is_prompt: bool,
}

/// From this width on, tables have the last time beside the first, and both in full.
const WIDE: usize = 110;

/// How many columns an API takes where others are beside it.
const API_COLUMNS: usize = 34;

/// The longest bar of what is no time.
const BAR: usize = 24;

/// Values with one event each that are named as examples.
const FEW: usize = 5;

/// The values of what is new that are named for each dimension.
const MAX_NEW: usize = 5;

/// Writes `dossier` as text; every line ends in a line feed.
pub fn render_dossier(dossier: &Dossier, options: &TextOptions) -> String {
    let mut paper = Paper::new(options);
    head(&mut paper, dossier);
    if let Some(nothing) = &dossier.nothing {
        render_nothing(&mut paper, nothing, dossier.value.as_str());
        history(&mut paper, dossier);
        paper.pivots(&dossier.next);
        return paper.text;
    }
    matches(&mut paper, dossier);
    let (same, differing): (Vec<_>, Vec<_>) = dossier
        .counterparts
        .iter()
        .filter(|counted| !is_itself(dossier, counted))
        .partition(|counted| is_of_all(dossier, counted));
    if !same.is_empty() {
        paper.section("in all events", "");
        for counted in same {
            for one in &counted.top {
                paper.value(&format!("  {:<18}", singular(counted.dimension)), &one.value);
            }
        }
    }
    for counted in &differing {
        if matches!(counted.dimension, Dimension::Outcomes | Dimension::Regions) {
            bars(&mut paper, counted, options.unicode);
        }
    }
    activity(&mut paper, dossier, options.unicode);
    novelties(&mut paper, "only here", "in no other event of the cache", &dossier.only_here);
    novelties(&mut paper, "new in this window", "not before it", &dossier.new_in_window);
    history(&mut paper, dossier);
    let mut is_first = true;
    for counted in &differing {
        if !matches!(counted.dimension, Dimension::Outcomes | Dimension::Regions) {
            table(&mut paper, counted, is_first, spans_years(dossier));
            is_first = false;
        }
    }
    paper.pivots(&dossier.next);
    paper.text
}

fn head(paper: &mut Paper, dossier: &Dossier) {
    let word = dossier.kind.word();
    let read_as =
        if dossier.read_as == word || dossier.kind == Kind::Api { "" } else { dossier.read_as };
    let styled = paper.bold(word);
    paper.styled(&format!("{word}  "), &format!("{styled}  "), &dossier.value, read_as, MAX_LINES);
    if dossier.nothing.is_some() {
        return;
    }
    let mut facts = vec![counted(dossier.events, "event", "events")];
    if let (Some(first), Some(last)) = (&dossier.first_seen, &dossier.last_seen) {
        if first == last {
            facts.push(first.clone());
        } else {
            let span = micros(first).zip(micros(last)).map(|(first, last)| lasting(first, last));
            facts.push(format!("{first} → {last} ({})", span.unwrap_or_default()));
        }
    }
    if dossier.failed > 0 {
        let share = dossier.failed.saturating_mul(100) / dossier.events.max(1);
        facts.push(format!("{} failed ({share} %)", count(dossier.failed)));
    }
    paper.prose("", &facts.join(" · "));
    if let (Some(window), Some(outside)) = (&dossier.window, &dossier.outside) {
        let from = window.since.as_deref().unwrap_or("the beginning");
        let to = window.until.as_deref().unwrap_or("the end");
        let mut text = format!(
            "window: {from} → {to} · outside it {} before and {} after",
            count(outside.before),
            count(outside.after)
        );
        if let (Some(first), Some(last)) = (&outside.first_seen, &outside.last_seen) {
            let _ = write!(text, " · in all {first} → {last}");
        }
        paper.prose("", &text);
    }
}

fn micros(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_micros())
}

/// Whether the events reach from one year into another, so that times need their year.
fn spans_years(dossier: &Dossier) -> bool {
    let year =
        |time: &Option<String>| time.as_ref().and_then(|time| time.get(..4).map(str::to_owned));
    year(&dossier.first_seen) != year(&dossier.last_seen)
}

/// Says that nothing was found, what the cache covers, and what is near.
pub(super) fn render_nothing(paper: &mut Paper, nothing: &Nothing, value: &str) {
    if nothing.covered_events == 0 {
        paper
            .prose("", "The cache holds no events: `trailhound ingest SOURCE` reads logs into it.");
        return;
    }
    paper.value("No event in the cache has ", value);
    paper.section("the cache covers", "");
    let span = match (&nothing.first_event, &nothing.last_event) {
        (Some(first), Some(last)) => format!(" · {first} → {last}"),
        _ => String::new(),
    };
    let events = counted(nothing.covered_events, "event", "events");
    paper.prose("  ", &format!("{events}{span}"));
    for (title, values) in [
        ("accounts", &nothing.accounts),
        ("regions", &nothing.regions),
        ("categories", &nothing.categories),
    ] {
        if !values.is_empty() {
            paper.value(&format!("  {title:<12}"), &values.join(" "));
        }
    }
    if !nothing.near.is_empty() {
        paper.section("near", "");
        for near in &nothing.near {
            paper.value(&format!("  {:>8}  ", count(near.events)), &near.value);
        }
    }
}

/// What a name turned out to be, where that is not one thing.
fn matches(paper: &mut Paper, dossier: &Dossier) {
    let Some(first) = dossier.matches.first() else { return };
    let n = dossier.matches.len();
    if n == 1 && first.principal == dossier.value {
        return;
    }
    let aside = if n > 1 { "the events of all of these are below" } else { "" };
    paper.section("matches", aside);
    for one in dossier.matches.iter().take(10) {
        let what = if one.what == "session" { "session of" } else { one.what };
        paper.value(&format!("  {:>8}  {what:<14}  ", count(one.events)), &one.principal);
    }
    if n > 10 {
        paper.line(&format!("            … {} more", count((n - 10) as u64)));
    }
}

/// Whether a dimension says only what was asked for.
fn is_itself(dossier: &Dossier, counted: &Counterparts) -> bool {
    let is_of = match dossier.kind {
        Kind::Ip => counted.dimension == Dimension::Addresses,
        Kind::Key => counted.dimension == Dimension::AccessKeys,
        Kind::Who => counted.dimension == Dimension::Principals,
        Kind::Api => matches!(counted.dimension, Dimension::Apis | Dimension::Changes),
        Kind::Resource => false,
    };
    let matches = dossier.kind == Kind::Who && counted.dimension == Dimension::Principals;
    let is_told = matches && dossier.matches.len() as u64 == counted.distinct.unwrap_or(0);
    // Where every call may change something, the APIs say it all.
    let is_all = counted.dimension == Dimension::Changes
        && dossier.counterparts.iter().any(|other| {
            other.dimension == Dimension::Apis
                && other.distinct == counted.distinct
                && other.top == counted.top
        });
    is_told
        || is_all
        || is_of
            && counted.distinct == Some(1)
            && counted.top.first().is_some_and(|one| {
                one.value == dossier.value || one.value.ends_with(&format!(":{}", dossier.value))
            })
}

/// Whether all events have the dimension's one value.
fn is_of_all(dossier: &Dossier, counted: &Counterparts) -> bool {
    counted.distinct == Some(1)
        && counted.top.first().is_some_and(|one| one.events == dossier.events)
}

fn plural(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Outcomes => "outcomes",
        Dimension::Regions => "regions",
        Dimension::Principals => "callers",
        Dimension::Sessions => "sessions",
        Dimension::AccessKeys => "access keys",
        Dimension::Addresses => "addresses",
        Dimension::UserAgents => "user agents",
        Dimension::Changes => "changes",
        Dimension::Apis => "APIs",
        Dimension::ErrorCodes => "error codes",
        Dimension::Resources => "resources",
        Dimension::Named => "named in requests",
        Dimension::Accounts => "accounts",
        Dimension::CallerAccounts => "callers' accounts",
    }
}

fn singular(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Outcomes => "outcome",
        Dimension::Regions => "region",
        Dimension::Principals => "caller",
        Dimension::Sessions => "session",
        Dimension::AccessKeys => "access key",
        Dimension::Addresses => "address",
        Dimension::UserAgents => "user agent",
        Dimension::Changes => "change",
        Dimension::Apis => "API",
        Dimension::ErrorCodes => "error code",
        Dimension::Resources => "resource",
        Dimension::Named => "named",
        Dimension::Accounts => "account",
        Dimension::CallerAccounts => "caller's account",
    }
}

/// `addresses (3)`.
fn titled(counted: &Counterparts) -> String {
    let title = plural(counted.dimension);
    match counted.distinct {
        Some(n) => format!("{title} ({})", count(n)),
        None => title.to_owned(),
    }
}

/// How many of the values tell something: where there are more than are named, those with one
/// event are as good as any of the others.
fn telling(counted: &Counterparts) -> usize {
    let n = counted.top.len();
    if counted.distinct.is_some_and(|all| all <= n as u64) {
        return n;
    }
    let several = counted.top.iter().take_while(|one| one.events > 1).count();
    several.max(FEW).min(n)
}

fn more(counted: &Counterparts, shown: usize) -> Option<String> {
    let shown = shown as u64;
    match counted.distinct {
        Some(n) if n > shown => Some(format!("… {} more", count(n - shown))),
        Some(_) => None,
        None if shown == 0 => Some("too many to count".to_owned()),
        None => Some("… more".to_owned()),
    }
}

fn bars(paper: &mut Paper, counted: &Counterparts, unicode: bool) {
    paper.section(&titled(counted), "");
    let most = counted.top.iter().map(|one| one.events).max().unwrap_or(0);
    let wide = BAR.min(paper.width.saturating_sub(50));
    for one in &counted.top {
        let drawn = bar(one.events, most, wide, unicode);
        let pad = " ".repeat(wide.saturating_sub(drawn.chars().count()));
        paper.value(&format!("  {:>8}  {drawn}{pad}  ", count(one.events)), &one.value);
    }
    if let Some(more) = more(counted, counted.top.len()) {
        paper.line(&format!("            {more}"));
    }
}

fn activity(paper: &mut Paper, dossier: &Dossier, unicode: bool) {
    let Some(chart) = chart(&dossier.activity, paper.width.saturating_sub(4), unicode) else {
        return;
    };
    let mut aside = format!(
        "a {} each, at most {} events ({})",
        chart.unit,
        count(chart.most),
        instant(chart.most_at)
    );
    if chart.unit.starts_with(|c: char| c.is_ascii_digit()) {
        aside.replace_range(..1, "");
        aside = aside.trim_start().to_owned();
    }
    if chart.unit == "hour" {
        aside.replace_range(..1, "an");
    }
    if chart.n_empty > 0 {
        let dot = if unicode { '·' } else { '.' };
        let _ = write!(aside, "; {dot} none");
    }
    paper.section("activity", &aside);
    let wide = chart.rows.last().map_or(0, |row| row.chars().count());
    for row in &chart.rows {
        paper.line(&format!("  {row}"));
    }
    let (from, to) = (instant(chart.from), instant(chart.to));
    let gap = wide.saturating_sub(from.len() + to.len());
    let axis =
        if gap > 0 { format!("{from}{}{to}", " ".repeat(gap)) } else { format!("{from} → {to}") };
    let axis = paper.dim(&axis);
    paper.line(&format!("  {axis}"));
}

fn novelties(paper: &mut Paper, title: &str, aside: &str, all: &[Novelty]) {
    if all.is_empty() {
        return;
    }
    paper.section(title, aside);
    for new in all {
        let name = plural(new.dimension);
        for (at, one) in new.top.iter().take(MAX_NEW).enumerate() {
            let name = if at == 0 { name } else { "" };
            let events = counted(one.events, "event", "events");
            let since = one.first_seen.as_deref().map(|time| format!(" from {time}"));
            let remark = format!("{events}{}", since.unwrap_or_default());
            let head = format!("  {name:<20}");
            paper.styled(&head, &head, &one.value, &remark, 2);
        }
        let shown = new.top.len().min(MAX_NEW) as u64;
        if new.distinct > shown {
            paper.line(&format!("{:<22}… {} more", "", count(new.distinct - shown)));
        }
        if let Some(n) = new.looked_at {
            let text = format!("of the {} with the most events", count(n));
            paper.line(&format!("{:<22}{text}", ""));
        }
    }
}

fn history(paper: &mut Paper, dossier: &Dossier) {
    if dossier.history.is_empty() {
        return;
    }
    paper.section("the key's own history", "");
    for step in &dossier.history {
        step_line(paper, step, (None, None));
    }
}

/// One event: when, what, by whom and from where unless that is `known`, and its id; in a line
/// where that fits.
pub(super) fn step_line(
    paper: &mut Paper,
    step: &super::Step,
    known: (Option<&str>, Option<&str>),
) {
    let time = step.time.as_deref().unwrap_or("(no time)");
    let failed = step.outcome.as_deref().filter(|outcome| *outcome != "ok");
    let failed = failed.map(|outcome| format!(" ({outcome})")).unwrap_or_default();
    let what = format!("{}{failed}", step.api);
    let by = step.principal.as_deref().filter(|by| Some(*by) != known.0);
    let from = step.address.as_deref().filter(|from| Some(*from) != known.1);
    let from = from.map(|from| format!("from {from}"));
    // The id first: it is what the next command needs.
    let rest = [step.event_id.as_deref(), by, from.as_deref()];
    let rest = rest.into_iter().flatten().collect::<Vec<_>>().join("  ");
    let head = format!("  {time:<20}  ");
    let room = paper.width.saturating_sub(head.width() + visible(&rest).width() + 2);
    if visible(&what).width() <= room {
        let wide = room.min(API_COLUMNS);
        paper.value(&head, &format!("{what:<wide$}  {rest}"));
    } else {
        paper.value(&head, &what);
        paper.value("      ", &rest);
    }
}

fn table(paper: &mut Paper, counted: &Counterparts, is_first: bool, with_year: bool) {
    let is_wide = paper.width >= WIDE;
    let times = match (is_wide, with_year) {
        (true, _) => format!("{:<20}  {:<20}", "first seen", "last seen"),
        (false, true) => format!("{:<16}", "first seen"),
        (false, false) => format!("{:<14}", "first seen"),
    };
    let heads = if is_first {
        format!("\n  {:>8}  {:>7}  {times}", "events", "failed")
    } else {
        String::new()
    };
    if is_first {
        let heads = paper.dim(heads.trim_start_matches('\n'));
        paper.line(&format!("\n{heads}"));
        let title = paper.bold(&titled(counted));
        paper.line(&title);
    } else {
        paper.section(&titled(counted), "");
    }
    let most_lines = if counted.dimension == Dimension::UserAgents { 2 } else { MAX_LINES };
    let shown = telling(counted);
    for one in counted.top.iter().take(shown) {
        row(paper, one, is_wide, with_year, most_lines);
    }
    if let Some(more) = more(counted, shown) {
        paper.line(&format!("  {more:>8}"));
    }
}

fn row(paper: &mut Paper, one: &Counterpart, is_wide: bool, with_year: bool, most_lines: usize) {
    let time = |time: &Option<String>| time.clone().unwrap_or_default();
    let first = time(&one.first_seen);
    let times = match (is_wide, with_year) {
        (true, _) => format!("{first:<20}  {:<20}", time(&one.last_seen)),
        (false, true) => format!("{:<16}", first.get(..16).unwrap_or_default().replace('T', " ")),
        (false, false) => format!("{:<14}", first.get(5..19).unwrap_or_default().replace('T', " ")),
    };
    let failed = if one.failed == 0 { String::new() } else { count(one.failed) };
    let failed = format!("{failed:>7}");
    let red = paper.red(&failed);
    let events = count(one.events);
    let head = format!("  {events:>8}  {failed}  {times}  ");
    paper.styled(&head, &format!("  {events:>8}  {red}  {times}  "), &one.value, "", most_lines);
}
