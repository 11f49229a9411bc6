//! How JSON is written: compact, strings with no more escapes than needed, numbers as Trino's
//! reader and writer (Jackson) leave them.
//!
//! A whole number stays as it is written. One with a fraction or an exponent becomes a double and
//! is written as Java writes doubles: `1.10` → `1.1`, `1e2` → `100.0`, `1e10` → `1.0E10`.

use std::{borrow::Cow, fmt::Write as _};

use datafusion::{common::exec_err, error::Result};

use super::find::unescaped;
use crate::logs::cloudtrail::scan;

/// What becomes of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Members {
    /// They stay as they are; of a repeated key the last value stays, in the first one's place.
    InOrder,
    /// Sorted by key, as `json_parse` does; of a repeated key the last value stays.
    Sorted,
}

/// How deep objects and arrays may nest in text that is parsed to the end.
const MAX_DEPTH: usize = 512;

/// Appends the value `raw`, which is whole, every member as it stands: what `json_extract` gives.
pub(super) fn copy(raw: &str, out: &mut String) {
    let json = raw.as_bytes();
    let mut at = 0;
    while let Some(&b) = json.get(at) {
        at = match b {
            b'"' => string(raw, at, out),
            b' ' | b'\t' | b'\n' | b'\r' => at + 1,
            b'-' | b'0'..=b'9' => number(raw, at, out),
            _ => {
                out.push(char::from(b));
                at + 1
            }
        };
    }
}

/// Appends the value `raw`, which is whole, with its objects as `members` says.
pub(in crate::engine) fn write(raw: &str, members: Members, out: &mut String) -> Result<()> {
    value(raw, scan::space(raw.as_bytes(), 0), members, 0, out).map(|_| ())
}

/// Writes the value at `at`, and gives the offset behind it.
fn value(raw: &str, at: usize, members: Members, depth: usize, out: &mut String) -> Result<usize> {
    if depth > MAX_DEPTH {
        return exec_err!("the JSON is nested deeper than {MAX_DEPTH} levels");
    }
    match raw.as_bytes().get(at) {
        Some(b'{') => object(raw, at, members, depth, out),
        Some(b'[') => array(raw, at, members, depth, out),
        Some(b'"') => Ok(string(raw, at, out)),
        Some(b'-' | b'0'..=b'9') => Ok(number(raw, at, out)),
        _ => {
            let end = scan::scalar(raw.as_bytes(), at).unwrap_or(raw.len());
            out.push_str(raw.get(at..end).unwrap_or_default());
            Ok(end)
        }
    }
}

fn array(
    raw: &str,
    open: usize,
    members: Members,
    depth: usize,
    out: &mut String,
) -> Result<usize> {
    let json = raw.as_bytes();
    out.push('[');
    let mut at = scan::space(json, open + 1);
    while json.get(at).is_some_and(|&b| b != b']') {
        at = scan::space(json, value(raw, at, members, depth + 1, out)?);
        if json.get(at) == Some(&b',') {
            out.push(',');
            at = scan::space(json, at + 1);
        }
    }
    out.push(']');
    Ok(at + 1)
}

fn object(raw: &str, open: usize, order: Members, depth: usize, out: &mut String) -> Result<usize> {
    let json = raw.as_bytes();
    let mut members: Vec<(Cow<'_, str>, String)> = Vec::new();
    let mut at = scan::space(json, open + 1);
    while json.get(at) == Some(&b'"') {
        let Ok(key) = scan::string(json, at + 1) else { break };
        let name = unescaped(raw.get(at + 1..key.end).unwrap_or_default());
        let colon = scan::space(json, key.end + 1);
        let mut text = String::new();
        at = value(raw, scan::space(json, colon + 1), order, depth + 1, &mut text)?;
        members.push((name, text));
        at = scan::space(json, at);
        if json.get(at) == Some(&b',') {
            at = scan::space(json, at + 1);
        }
    }
    unique(&mut members);
    if order == Members::Sorted {
        // As Java orders strings: by UTF-16 units.
        members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    out.push('{');
    for (n, (name, text)) in members.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        scan::write_string(name, out);
        out.push(':');
        out.push_str(text);
    }
    out.push('}');
    Ok(at + 1)
}

/// Leaves one member of each name: the last one's value, in the first one's place.
fn unique(members: &mut Vec<(Cow<'_, str>, String)>) {
    let mut places = std::collections::HashMap::with_capacity(members.len());
    let repeated =
        members.iter().enumerate().any(|(n, (name, _))| places.insert(name.clone(), n).is_some());
    if !repeated {
        return;
    }
    let mut places = std::collections::HashMap::new();
    let mut kept: Vec<(Cow<'_, str>, String)> = Vec::new();
    for (name, text) in members.drain(..) {
        if let Some(earlier) = places.get(&name).and_then(|&n: &usize| kept.get_mut(n)) {
            earlier.1 = text;
        } else {
            places.insert(name.clone(), kept.len());
            kept.push((name, text));
        }
    }
    *members = kept;
}

/// Writes the string at `at`, and gives the offset behind it.
fn string(raw: &str, at: usize, out: &mut String) -> usize {
    let Ok(text) = scan::string(raw.as_bytes(), at + 1) else {
        return raw.len();
    };
    let inside = raw.get(at + 1..text.end).unwrap_or_default();
    if text.escaped || text.control {
        scan::write_string(&unescaped(inside), out);
    } else {
        out.push('"');
        out.push_str(inside);
        out.push('"');
    }
    text.end + 1
}

/// Writes the number at `at`, and gives the offset behind it.
fn number(raw: &str, at: usize, out: &mut String) -> usize {
    let end = scan::number(raw.as_bytes(), at).unwrap_or(raw.len()).max(at + 1);
    let text = raw.get(at..end).unwrap_or_default();
    if is_float(text) {
        write_double(text.parse().unwrap_or(f64::NAN), out);
    } else if text == "-0" {
        out.push('0');
    } else {
        out.push_str(text);
    }
    end
}

/// Whether a JSON number is written with a fraction or an exponent.
pub(in crate::engine) fn is_float(number: &str) -> bool {
    number.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))
}

/// Appends `value` as a JSON number; as a string where JSON has no such number.
pub(in crate::engine) fn write_double(value: f64, out: &mut String) {
    let size = value.abs();
    let plain = size == 0.0 || (1e-3..1e7).contains(&size);
    write_java(value.is_finite(), plain, &format!("{value}"), &format!("{value:e}"), out);
}

/// As [`write_double`], in the digits that a `real` needs.
pub(in crate::engine) fn write_real(value: f32, out: &mut String) {
    let size = value.abs();
    let plain = size == 0.0 || (1e-3..1e7).contains(&size);
    write_java(value.is_finite(), plain, &format!("{value}"), &format!("{value:e}"), out);
}

fn write_java(finite: bool, plain: bool, digits: &str, scientific: &str, out: &mut String) {
    if !finite {
        out.push('"');
        out.push_str(match digits {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            _ => "NaN",
        });
        out.push('"');
    } else if plain {
        out.push_str(digits);
        if !digits.contains('.') {
            out.push_str(".0");
        }
    } else {
        write_scientific(scientific, out);
    }
}

/// Turns Rust's `1.5e10` into Java's `1.5E10`, `1e10` into `1.0E10`.
fn write_scientific(text: &str, out: &mut String) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let fraction = if mantissa.contains('.') { "" } else { ".0" };
    // A String takes everything.
    let _ = write!(out, "{mantissa}{fraction}E{exponent}");
}

/// A real as Trino casts it to varchar, with seven digits: `1.5E0`.
pub(in crate::engine) fn real_as_varchar(value: f32) -> String {
    if value == 0.0 || !value.is_finite() {
        return double_as_varchar(value.into());
    }
    let text = format!("{value:.6e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.trim_end_matches('0');
    let zero = if digits.ends_with('.') { "0" } else { "" };
    format!("{digits}{zero}E{exponent}")
}

/// A double as Trino casts it to varchar: `1.5E0`.
pub(in crate::engine) fn double_as_varchar(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() { "-0E0" } else { "0E0" }.to_owned();
    }
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value < 0.0 {
            "-Infinity"
        } else {
            "Infinity"
        }
        .to_owned();
    }
    let mut text = String::new();
    write_scientific(&format!("{value:e}"), &mut text);
    text
}
