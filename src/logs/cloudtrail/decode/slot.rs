//! Where in a record a text lies, and how to read it.

use crate::logs::{
    Limits,
    cloudtrail::scan::{self, Scanner, Text},
};

/// Where a text lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    start: u32,
    end: u32,
    form: Form,
}

/// What lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The text itself, in the record.
    Plain,
    /// The text itself, in [`Parsed::rewritten`].
    Rewritten,
    /// The inside of a string with escapes.
    Escaped,
    /// JSON that is to be compacted.
    Loose,
    /// The inside of a string that stands where JSON was expected.
    Json,
    /// The inside of a string that stands where a flag was expected.
    Flag,
}

impl Slot {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0, form: Form::Plain };

    #[inline]
    pub(super) fn new(start: usize, end: usize, form: Form) -> Self {
        // The decoder refuses records longer than offsets reach.
        let offset = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: offset(start), end: offset(end), form }
    }

    /// The inside of the string `text`, whose opening quote lies at `at`.
    #[inline]
    pub(super) fn string(at: usize, text: Text) -> Self {
        Self::new(at + 1, text.end, if text.escaped { Form::Escaped } else { Form::Plain })
    }

    /// Whether the text lies in the record as it is.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        self.form == Form::Plain
    }

    /// The text itself, in the record or in `rewritten`.
    #[inline]
    pub(super) fn text<'a>(self, json: &'a str, rewritten: &'a str) -> Option<&'a str> {
        let text = if self.is_plain() { json } else { rewritten };
        text.get(self.start as usize..self.end as usize)
    }

    /// Writes the text to `rewritten` where it does not lie in the record as it is.
    pub(super) fn rewrite(&mut self, json: &str, rewritten: &mut String) {
        let raw = json.get(self.start as usize..self.end as usize).unwrap_or_default();
        let start = rewritten.len();
        match self.form {
            Form::Plain | Form::Rewritten => return,
            Form::Escaped => {
                scan::unescape(raw, rewritten);
            }
            Form::Loose => scan::compact(raw, rewritten),
            Form::Json => json_in_string(raw, rewritten),
            Form::Flag => {
                scan::unescape(raw, rewritten);
                let word = rewritten.get_mut(start..).unwrap_or_default();
                if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") {
                    word.make_ascii_lowercase();
                }
            }
        }
        *self = Self::new(start, rewritten.len(), Form::Rewritten);
    }
}

/// Appends the text of the string `raw`: compacted where it is an object or an array.
fn json_in_string(raw: &str, out: &mut String) {
    let mut text = String::with_capacity(raw.len());
    scan::unescape(raw, &mut text);
    let bytes = text.as_bytes();
    let start = scan::space(bytes, 0);
    // The record's own limit bounds its length, and no recursion its depth.
    let any = Limits { max_record_bytes: usize::MAX, max_depth: usize::MAX, max_keys: usize::MAX };
    let whole = matches!(bytes.get(start), Some(b'{' | b'['))
        && Scanner::new(any)
            .value(bytes, start, 0)
            .is_ok_and(|value| scan::space(bytes, value.end) == bytes.len());
    if whole {
        scan::compact(&text, out);
    } else {
        out.push_str(&text);
    }
}
