//! Members by names without case, for SQL that has dots where the text is JSON.

use std::borrow::Cow;

use super::find::{Finder, unescaped};
use crate::logs::cloudtrail::scan;

impl Finder {
    /// The value that the members `names` lead to in `text`: a string's content, anything else as it
    /// is written. Nothing for `null`.
    ///
    /// A member that is spelled as the name wins, else the first that is when case is left out.
    pub(in crate::engine) fn folded<'a>(
        &mut self,
        text: &'a str,
        names: &[&str],
    ) -> Option<Cow<'a, str>> {
        let start = scan::space(text.as_bytes(), 0);
        let at = names.iter().try_fold(start, |at, name| self.folded_member(text, at, name))?;
        let raw = text.get(at..self.end(text, at)?)?;
        match scan::inside(raw) {
            Some(inside) => Some(unescaped(inside)),
            None if raw == "null" => None,
            None => Some(Cow::Borrowed(raw)),
        }
    }

    fn folded_member(&mut self, text: &str, open: usize, name: &str) -> Option<usize> {
        let json = text.as_bytes();
        if json.get(open) != Some(&b'{') {
            return None;
        }
        let mut alike = None;
        let mut at = scan::space(json, open + 1);
        while json.get(at) == Some(&b'"') {
            let key = scan::string(json, at + 1).ok().filter(|key| !key.control)?;
            let raw = text.get(at + 1..key.end)?;
            let key_text = if key.escaped { unescaped(raw) } else { Cow::Borrowed(raw) };
            let colon = scan::space(json, key.end + 1);
            if json.get(colon) != Some(&b':') {
                return None;
            }
            let value = scan::space(json, colon + 1);
            if key_text == name {
                return Some(value);
            }
            if alike.is_none() && key_text.eq_ignore_ascii_case(name) {
                alike = Some(value);
            }
            at = scan::space(json, self.end(text, value)?);
            if json.get(at) != Some(&b',') {
                break;
            }
            at = scan::space(json, at + 1);
        }
        alike
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str, names: &[&str]) -> Option<String> {
        Finder::new().folded(text, names).map(Cow::into_owned)
    }

    #[test]
    fn names_have_no_case() {
        let text = r#"{"userName":"a","username":"b","n":{"Key":7,"o":{"x":[1,2]},"z":null}}"#;
        assert_eq!(found(text, &["username"]).as_deref(), Some("b"));
        assert_eq!(found(text, &["USERNAME"]).as_deref(), Some("a"));
        assert_eq!(found(text, &["n", "key"]).as_deref(), Some("7"));
        assert_eq!(found(text, &["n", "O"]).as_deref(), Some(r#"{"x":[1,2]}"#));
        assert_eq!(found(text, &["n", "o", "x"]).as_deref(), Some("[1,2]"));
        assert_eq!(found(text, &["n", "z"]), None);
        assert_eq!(found(text, &["n", "key", "x"]), None);
        assert_eq!(found(text, &["nosuch"]), None);
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in ["", "null", "[]", "7", "{", r#"{"a""#, r#"{"b":1,,"a":2}"#, r#""a""#] {
            assert_eq!(found(text, &["a"]), None, "{text}");
        }
        assert_eq!(found(r#"{"\u0041":"\u00e9"}"#, &["a"]).as_deref(), Some("é"));
    }

    proptest! {
        #[test]
        fn any_text_does_no_harm(text in r#"[\{\}\[\]":,aA1 \\u]{0,24}"#) {
            let _ = found(&text, &["a", "a"]);
        }
    }
}
