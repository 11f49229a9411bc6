//! Bar charts of characters.

use super::{Activity, times};

/// Lines of a chart over time.
const ROWS: usize = 3;

/// The most columns of one stretch of time.
const MAX_BAR: usize = 3;

/// Stretches that a column may stand for, in seconds.
const UNITS: [i64; 12] = [
    60,
    300,
    900,
    3_600,
    10_800,
    21_600,
    86_400,
    604_800,
    2_419_200,
    31_449_600,
    314_496_000,
    3_144_960_000,
];

/// The parts of a full block, from the bottom: nothing to all of it.
const UPRIGHT: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The same from the left.
const LYING: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Events over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    /// What a column stands for: `hour`.
    pub(super) unit: &'static str,
    /// The lines, top first. A stretch without events is a dot in the last.
    pub(super) rows: Vec<String>,
    /// The first moment of the first column, in microseconds.
    pub(super) from: i64,
    /// The first moment of the last.
    pub(super) to: i64,
    /// The most events of a stretch.
    pub(super) most: u64,
    /// The first moment of that stretch.
    pub(super) most_at: i64,
    /// Stretches without events between the first and the last.
    pub(super) n_empty: usize,
}

/// The chart of `activity` in at most `width` columns, with the finest stretches that fit; none
/// where all is within one of the finest.
pub(super) fn chart(activity: &Activity, width: usize, unicode: bool) -> Option<Chart> {
    let (first, _, _) = *activity.fine.first()?;
    let (last, _, _) = *activity.fine.last()?;
    let fine = activity.fine_seconds;
    let place = |stretch: i64, unit: i64| stretch.saturating_mul(fine).div_euclid(unit);
    let n_stretches = |unit: i64| place(last, unit).saturating_sub(place(first, unit)) + 1;
    let fits =
        |unit: &i64| *unit >= fine && usize::try_from(n_stretches(*unit)).is_ok_and(|n| n <= width);
    let unit = UNITS.into_iter().find(fits)?;
    let n = usize::try_from(n_stretches(unit)).ok().filter(|n| *n > 1)?;
    let start = place(first, unit);
    let mut counts = vec![0_u64; n];
    for (stretch, events, _) in &activity.fine {
        let at = usize::try_from(place(*stretch, unit) - start).ok()?;
        if let Some(count) = counts.get_mut(at) {
            *count += events;
        }
    }
    let most = counts.iter().copied().max()?;
    let most_at = counts.iter().position(|count| *count == most)?;
    let instant = |at: usize| {
        let at = i64::try_from(at).unwrap_or(0);
        (start + at).saturating_mul(unit).saturating_mul(1_000_000)
    };
    Some(Chart {
        unit: times::unit(unit),
        rows: rows(&counts, most, (width / n).clamp(1, MAX_BAR), unicode),
        from: instant(0),
        to: instant(n - 1),
        most,
        most_at: instant(most_at),
        n_empty: counts.iter().filter(|count| **count == 0).count(),
    })
}

fn rows(counts: &[u64], most: u64, bar: usize, unicode: bool) -> Vec<String> {
    let eighths = ROWS * 8;
    let row = |row: usize| {
        let below = (ROWS - 1 - row) * 8;
        let cell = |count: &u64| {
            let level = scaled(*count, most, eighths).saturating_sub(below).min(8);
            let block = match (level, count, below) {
                (0, 0, 0) if unicode => '·',
                (0, 0, 0) => '.',
                (0, ..) => ' ',
                (level, ..) if unicode => UPRIGHT.get(level).copied().unwrap_or(' '),
                _ => '#',
            };
            std::iter::repeat_n(block, bar)
        };
        counts.iter().flat_map(cell).collect()
    };
    (0..ROWS).map(row).collect()
}

/// `count` of `most` in `parts`; whatever is not nothing is at least one.
fn scaled(count: u64, most: u64, parts: usize) -> usize {
    if count == 0 || most == 0 {
        return 0;
    }
    let parts = u128::try_from(parts).unwrap_or(1);
    let scaled = (u128::from(count) * parts).div_ceil(u128::from(most));
    usize::try_from(scaled).unwrap_or(0).max(1)
}

/// A bar for `count` of `most`, at most `width` columns long.
pub(super) fn bar(count: u64, most: u64, width: usize, unicode: bool) -> String {
    let eighths = scaled(count, most, width * 8);
    if !unicode {
        return "#".repeat(eighths.div_ceil(8));
    }
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(LYING.get(eighths % 8).copied().unwrap_or(' '));
    }
    bar
}
