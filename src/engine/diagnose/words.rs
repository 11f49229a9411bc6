//! DataFusion's words → the user's: types, internal names, punctuation.

use super::super::config::{CATALOG, SCHEMA};

/// Arrow's names for types and Athena's.
const TYPES: &[(&str, &str)] = &[
    ("LargeUtf8", "json"),
    ("Utf8View", "varchar"),
    ("Utf8", "varchar"),
    ("Boolean", "boolean"),
    ("Int8", "tinyint"),
    ("Int16", "smallint"),
    ("Int32", "integer"),
    ("Int64", "bigint"),
    ("UInt8", "smallint"),
    ("UInt16", "integer"),
    ("UInt32", "bigint"),
    ("UInt64", "bigint"),
    ("Float32", "real"),
    ("Float64", "double"),
    ("Date32", "date"),
    ("Date64", "date"),
    ("Null", "unknown"),
    // In the signatures of functions.
    ("String", "varchar"),
    ("Integer", "bigint"),
    ("Decimal", "decimal"),
    ("Decimal128", "decimal"),
    ("Timestamp", "timestamp"),
    ("Date", "date"),
    ("Time", "time"),
];

/// `text` with types and names as the user knows them.
pub(super) fn translate(text: &str) -> String {
    let mut text = text.replace(&format!("{CATALOG}.{SCHEMA}."), "");
    let parametrised = [
        ("Timestamp(", "timestamp"),
        ("Struct(", "row"),
        ("List(", "array"),
        ("Map(", "map"),
        ("Interval(", "interval"),
        ("Duration(", "interval"),
        ("Time64(", "time"),
        ("Time32(", "time"),
    ];
    for (from, to) in parametrised {
        text = without_arguments(&text, from, to);
    }
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        match TYPES.iter().find(|(arrow, _)| *arrow == word) {
            Some((_, name)) => out.push_str(name),
            None => out.push_str(&word),
        }
        word.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// Replaces `from…)` by `to`, up to the parenthesis that closes it.
fn without_arguments(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        // `make_List(` is no type.
        if before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            out.push_str(before);
            out.push_str(from);
            rest = after;
            continue;
        }
        out.push_str(before);
        out.push_str(to);
        let mut depth = 1_usize;
        let mut end = after.len();
        for (at, c) in after.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = at + 1;
                break;
            }
        }
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// A message as ours are: one line, lower case at its front, no full stop, no category.
pub(super) fn tidy(message: &str) -> String {
    let mut text = message.lines().next().unwrap_or_default().trim();
    loop {
        let stripped = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
        match stripped {
            Some(rest) => text = rest.trim_start(),
            None => break,
        }
    }
    let text = translate(undumped(text).trim_end_matches('.'));
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // `GROUP BY …` stays, `Cannot …` does not.
        (Some(first), Some(second)) if first.is_ascii_uppercase() && second.is_lowercase() => {
            format!("{}{}", first.to_ascii_lowercase(), chars.as_str())
        }
        _ => text,
    }
}

/// `text` up to where the program's own structures are printed.
fn undumped(text: &str) -> &str {
    // `Function(Function { name: …`
    let is_dump = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        word.starts_with(|c: char| c.is_ascii_uppercase())
    };
    let Some(at) = text.match_indices(" { ").map(|(at, _)| at).find(is_dump) else { return text };
    let before = text.get(..at).unwrap_or_default();
    let end = before.rfind(": ").or_else(|| before.rfind(' ')).unwrap_or(at);
    let before = before.get(..end).unwrap_or_default();
    before.strip_suffix(", got").unwrap_or(before).trim_end_matches([',', ':', ' '])
}

const PREFIXES: &[&str] = &[
    "Error during planning:",
    "This feature is not implemented:",
    "Execution error:",
    "Arrow error:",
    "Cast error:",
    "Schema error:",
    "External error:",
    "Invalid argument error:",
    "Compute error:",
    "Parser error:",
    "type_coercion",
    "caused by",
    "SQL error:",
    "Resources exhausted:",
    "Optimizer rule 'simplify_expressions' failed",
    "DataFusion error:",
];
