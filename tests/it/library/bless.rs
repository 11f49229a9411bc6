//! `BLESS=1` writes into a fixture the rows that came, for a person to read before they are kept.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Whether what comes is to be written down.
pub(super) fn is_on() -> bool {
    std::env::var_os("BLESS").is_some()
}

#[derive(Deserialize)]
struct Rows<'a> {
    #[serde(borrow)]
    rows: Option<&'a RawValue>,
}

/// Puts `lines` of JSON in the place of the rows of the fixture at `path`; all else stays as it is.
pub(super) fn rows(path: &Path, lines: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<String> = lines.lines().map(|line| format!("\n    {}", spread(line))).collect();
    let rows = format!("[{}\n  ]", rows.join(","));
    let fixture: Rows<'_> = serde_json::from_str(&text).unwrap();
    let written = if let Some(old) = fixture.rows {
        let start = old.get().as_ptr() as usize - text.as_ptr() as usize;
        [&text[..start], &rows, &text[start + old.get().len()..]].concat()
    } else {
        let body = text.trim_end().strip_suffix('}').unwrap().trim_end();
        format!("{body},\n  \"rows\": {rows}\n}}\n")
    };
    std::fs::write(path, written).unwrap();
}

/// An object on one line, a member on a line of its own.
fn spread(line: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    for c in line.chars() {
        let was_in_text = in_text;
        in_text ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        depth += i32::from(!was_in_text && (c == '{' || c == '['));
        depth -= i32::from(!was_in_text && (c == '}' || c == ']'));
        match (was_in_text, c) {
            (false, '{') if depth == 1 => out.push_str("{\n      "),
            (false, ',') if depth == 1 => out.push_str(",\n      "),
            (false, ':') if depth == 1 => out.push_str(": "),
            (false, '}') if depth == 0 => out.push_str("\n    }"),
            _ => out.push(c),
        }
    }
    out
}

#[test]
fn rows_are_put_in_place_and_nothing_else_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.json");
    let line = r#"{"a":"{,\":","b":[1,{"c":2}]}"#;
    let spread = "[\n    {\n      \"a\": \"{,\\\":\",\n      \"b\": [1,{\"c\":2}]\n    }\n  ]";
    std::fs::write(&path, "{\"answers\": [ ],  \"rows\": [{}], \"misses\": []}\n").unwrap();
    rows(&path, line);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{{\"answers\": [ ],  \"rows\": {spread}, \"misses\": []}}\n"));
    std::fs::write(&path, "{\n  \"answers\": []\n}\n").unwrap();
    rows(&path, line);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("{{\n  \"answers\": [],\n  \"rows\": {spread}\n}}\n"));
}
