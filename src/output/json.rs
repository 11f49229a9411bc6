//! JSON: one array, or one object a line. Every value can be read back.

use std::io::Write;

use arrow::{array::RecordBatch, datatypes::Schema};

use super::{
    RowWriter, emit,
    sanitize::is_hidden,
    unique_names,
    value::{Nulls, push_json, push_json_string, push_unicode_escape},
};
use crate::{ErrorKind, Result};

/// Writes [`super::Format::Json`] and [`super::Format::Ndjson`].
pub(super) struct JsonWriter<'a> {
    sink: Box<dyn Write + Send + 'a>,
    /// What stands before each value: its name and a colon.
    keys: Vec<String>,
    /// What stands before the first row, between rows, behind the last.
    marks: (&'static str, &'static str, &'static str),
    rows: u64,
}

impl<'a> JsonWriter<'a> {
    /// One array, a row a line.
    pub(super) fn array(schema: &Schema, sink: Box<dyn Write + Send + 'a>) -> Self {
        Self { sink, keys: keys(schema), marks: ("[", ",\n", "]\n"), rows: 0 }
    }

    /// One object a line.
    pub(super) fn lines(schema: &Schema, sink: Box<dyn Write + Send + 'a>) -> Self {
        Self { sink, keys: keys(schema), marks: ("", "\n", ""), rows: 0 }
    }
}

impl RowWriter for JsonWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut out = String::new();
        for row in 0..batch.num_rows() {
            out.push_str(if self.rows == 0 { self.marks.0 } else { self.marks.1 });
            out.push('{');
            for (place, (key, column)) in std::iter::zip(&self.keys, batch.columns()).enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(key);
                push_json(column, row, Nulls::Write, &mut out);
            }
            out.push('}');
            self.rows += 1;
        }
        emit(&mut self.sink, &out)
    }

    fn finish(&mut self) -> Result<u64> {
        let (start, _, end) = self.marks;
        let line_feed = if end.is_empty() && self.rows > 0 { "\n" } else { "" };
        let start = if self.rows == 0 { start } else { "" };
        emit(&mut self.sink, &format!("{start}{end}{line_feed}"))?;
        Ok(self.rows)
    }
}

/// `value` as one line of JSON, with bidirectional and invisible characters escaped.
///
/// # Errors
/// The value has no JSON.
pub fn json_text(value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(|source| ErrorKind::Columnar {
        action: "write a report as JSON",
        source: source.into(),
    })?;
    // They can stand nowhere but within strings.
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { push_unicode_escape(c, &mut out) } else { out.push(c) }
    }
    Ok(out)
}

fn keys(schema: &Schema) -> Vec<String> {
    let key = |name: &String| {
        let mut key = String::new();
        push_json_string(name, &mut key);
        key.push(':');
        key
    };
    unique_names(schema).iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_escape_what_cannot_be_seen() {
        let text = json_text(&serde_json::json!({ "path": "a\u{202e}\u{1b}\u{e0041}b" })).unwrap();
        assert_eq!(text, r#"{"path":"a\u202e\u001b\udb40\udc41b"}"#);
    }
}
