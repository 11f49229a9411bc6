//! Events in, timeline out: rows of a statement of [`super::statement`] to any format.

use std::{io::Write, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};

use super::{
    fold::Fold,
    line::{self, Line, Telling},
    record::Rows,
    text::TextWriter,
};
use crate::{
    ErrorKind, Result,
    output::{self, Format, OutputOptions, RowWriter},
};

/// A column of text: its name and what it holds of a line.
type Text = (&'static str, fn(&Line) -> Option<String>);

/// The columns of text away from the screen. The first three are those that Timesketch asks for.
const TEXTS: [Text; 18] = [
    ("message", |line| Some(line.message())),
    ("datetime", |line| line.event.micros.and_then(iso).or_else(|| line.event.time.clone())),
    ("timestamp_desc", |line| {
        let what = if line.n_events > 1 { "First request completed" } else { "Request completed" };
        Some(what.to_owned())
    }),
    ("actor", |line| Some(line.event.actor.clone())),
    ("source_ip", |line| line.event.address.clone()),
    ("access_key", |line| line.event.key.clone()),
    ("principal", |line| line.event.principal.clone()),
    ("service", |line| line.event.service.clone()),
    ("action", |line| line.event.action.clone()),
    ("outcome", |line| Some(line.event.outcome.clone())),
    ("error_code", |line| line.event.error.clone()),
    ("account", |line| line.event.account.clone()),
    ("region", |line| line.event.region.clone()),
    ("user_agent", |line| line.event.agent.clone()),
    ("until", |line| line.until.and_then(iso)),
    ("eventid", |line| line.event.eventid.clone()),
    ("events", |line| Some(line.n_events.to_string())),
    ("bytes", |line| Some(line.bytes.to_string())),
];

/// The columns that are numbers.
const NUMBERS: [&str; 2] = ["events", "bytes"];

/// Starts to write the timeline of the rows of a statement to `sink`, in the format of `options`.
///
/// # Errors
/// The sink cannot be written.
pub fn writer<'a>(
    options: &OutputOptions,
    _: &SchemaRef,
    sink: Box<dyn Write + Send + 'a>,
) -> Result<Box<dyn RowWriter + 'a>> {
    let out = match options.format {
        Format::Table => Out::Text(TextWriter::new(options, sink)),
        _ => Out::Rows(output::writer(options, &schema(), sink)?),
    };
    Ok(Box::new(TimelineWriter { out, fold: Fold::default(), n_lines: 0 }))
}

/// Writes timelines.
struct TimelineWriter<'a> {
    out: Out<'a>,
    fold: Fold,
    n_lines: u64,
}

enum Out<'a> {
    Text(TextWriter<'a>),
    Rows(Box<dyn RowWriter + 'a>),
}

impl TimelineWriter<'_> {
    fn emit(&mut self, lines: Vec<Line>) -> Result<()> {
        self.n_lines += lines.len() as u64;
        match &mut self.out {
            _ if lines.is_empty() => Ok(()),
            Out::Text(text) => text.write(lines),
            Out::Rows(rows) => rows.write(&batch(&lines)?),
        }
    }
}

impl RowWriter for TimelineWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = Rows::new(batch)?;
        let mut lines = Vec::new();
        for event in rows.events() {
            let everything = event.behind(0) == Some("true");
            let folds = event.behind(1) == Some("true");
            if let Some(telling) = Telling::of(&event, everything) {
                self.fold.push(telling, folds, &mut lines);
            }
        }
        self.emit(lines)
    }

    fn finish(&mut self) -> Result<u64> {
        let mut lines = Vec::new();
        self.fold.finish(&mut lines);
        self.emit(lines)?;
        match &mut self.out {
            Out::Text(text) => text.finish()?,
            Out::Rows(rows) => drop(rows.finish()?),
        }
        Ok(self.n_lines)
    }
}

/// ISO 8601 with an offset.
fn iso(micros: i64) -> Option<String> {
    Some(line::time(micros)?.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false))
}

fn schema() -> SchemaRef {
    let fields = TEXTS.iter().map(|(name, _)| {
        let kind = if NUMBERS.contains(name) { DataType::Int64 } else { DataType::Utf8 };
        Field::new(*name, kind, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn batch(lines: &[Line]) -> Result<RecordBatch> {
    let column = |(name, text): &Text| -> ArrayRef {
        let texts = lines.iter().map(text);
        if NUMBERS.contains(name) {
            let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
            Arc::new(texts.map(number).collect::<Int64Array>())
        } else {
            Arc::new(texts.collect::<StringArray>())
        }
    };
    let columns = TEXTS.iter().map(column).collect();
    RecordBatch::try_new(schema(), columns).map_err(|source| {
        ErrorKind::Columnar { action: "write a timeline", source: source.into() }.into()
    })
}
