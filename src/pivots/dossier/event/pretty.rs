//! JSON for people, in the record's own order and spelling.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// The top-level members of a record.
pub(super) fn sections(record: &str) -> Option<HashMap<String, Box<RawValue>>> {
    serde_json::from_str(record).ok()
}

/// `json` with a line for each member and item. What is empty stays on its line. The text is made
/// of the record's own characters; it is not yet safe to show.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut chars = json.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(MAX_INDENT)));
    };
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

/// How deep indentation goes: beyond, nothing would be left of the line.
const MAX_INDENT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_a_line_and_strings_stay_as_they_are() {
        let json = r#"{"a":{"b":[1,"x,{\"y\":2}"],"c":{},"d":[]},"e":null}"#;
        insta::assert_snapshot!(pretty(json), @r#"
        {
          "a": {
            "b": [
              1,
              "x,{\"y\":2}"
            ],
            "c": {},
            "d": []
          },
          "e": null
        }
        "#);
    }

    #[test]
    fn what_is_no_json_is_shown_somehow() {
        for text in ["", "}}}}", "[[[[", "\"open", "\\", ",,::"] {
            let _ = pretty(text);
        }
        assert!(pretty(&"[".repeat(100_000)).len() < 10_000_000);
    }
}
