//! Numbers, sizes and times as people read them: in reports and footers, never in rows.

use std::time::Duration;

/// `1 234 567`: groups of three, parted by spaces.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `2 files`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `1.9 MB`: decimal units, as AWS and storage vendors count.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut unit = 0;
    let mut scaled = approximate(n);
    // 999.5 and above would print as `1000`.
    while scaled >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    match (unit, scaled < 9.95) {
        (0, _) => format!("{n} {name}"),
        (_, true) => format!("{scaled:.1} {name}"),
        _ => format!("{scaled:.0} {name}"),
    }
}

/// `0.081 s`, `12.3 s`, `3 min 4 s`, `2 h 5 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.3} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `n` as a float: precise enough to print three digits of.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn approximate(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_two_or_three_digits() {
        let shown = [0, 999, 1000, 1_940_000, 99_950, 999_499, 999_500, 12_345_678_901].map(bytes);
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "1.9 MB", "100 kB", "999 kB", "1.0 MB", "12 GB"]
        );
    }

    #[test]
    fn counts_are_grouped_by_three() {
        let shown = [0, 12, 123, 1234, 123_456, 1_234_567].map(count);
        assert_eq!(shown, ["0", "12", "123", "1 234", "123 456", "1 234 567"]);
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
    }

    #[test]
    fn times_grow_units() {
        let shown = [81, 12_340, 184_000, 7_500_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(shown, ["0.081 s", "12.3 s", "3 min 4 s", "2 h 5 min"]);
    }
}
