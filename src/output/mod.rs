//! Rows → bytes: the output formats, and what makes log text safe to look at.
//!
//! A cell is the same text in [`Format::Table`], [`Format::Expanded`], [`Format::Csv`] and
//! [`Format::Markdown`], up to what each must escape: nested values as JSON without their NULL
//! members, times as ISO 8601. [`Format::Json`], [`Format::Ndjson`] and [`Format::Parquet`] keep
//! every value exact.
//!
//! Two columns of one name are kept under both. JSON and Parquet, where names must differ, call
//! the second one `name_1`, as `DuckDB` does.

mod csv;
mod diagnostic;
mod expanded;
pub mod human;
mod json;
mod markdown;
mod parquet;
pub mod sanitize;
mod table;
mod value;
mod window;

use std::io::Write;

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
};

pub use self::{
    diagnostic::render_error,
    json::json_text,
    sanitize::{visible, visible_lines},
    value::type_name,
};
use crate::{ErrorKind, Result};

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A grid that fits the screen.
    Table,
    /// One line a column, for wide rows.
    Expanded,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// A Markdown table.
    Markdown,
    /// A Parquet file.
    Parquet,
}

impl Format {
    /// The format of that name, whatever its case.
    pub fn named(name: &str) -> Option<Self> {
        clap::ValueEnum::from_str(name, true).ok()
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Expanded => "expanded",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a file called `name`, where its ending tells.
    pub fn of_file(path: &std::path::Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "md" => Some(Self::Markdown),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// How rows are written.
#[derive(Debug, Clone)]
pub struct OutputOptions {
    /// The format.
    pub format: Format,
    /// The width of the screen in columns; no limit where there is none.
    pub width: Option<usize>,
    /// The most rows a table shows before it hides the middle; no limit where there is none.
    pub max_rows: Option<usize>,
    /// What stands for NULL in tables.
    pub null: String,
    /// In CSV, control characters and formulas as they are, not made visible and harmless. The
    /// formats for people are always safe, the others always exact.
    pub raw: bool,
    /// Colours and dimming.
    pub color: bool,
    /// The columns' types under their names in tables.
    pub types: bool,
}

impl OutputOptions {
    /// `format` as it is written to a file: whole, without colour.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            width: None,
            max_rows: None,
            null: "NULL".to_owned(),
            raw: false,
            color: false,
            types: false,
        }
    }
}

/// Writes the rows of one answer.
pub trait RowWriter: Send {
    /// Writes one batch.
    ///
    /// # Errors
    /// The sink cannot be written.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Ends the answer; gives the number of rows written.
    ///
    /// # Errors
    /// The sink cannot be written.
    fn finish(&mut self) -> Result<u64>;
}

/// What makes of options, an answer's columns and a sink what writes its rows: [`writer`], or one that
/// makes something else of them.
pub type WriterOf = for<'a> fn(
    &OutputOptions,
    &SchemaRef,
    Box<dyn Write + Send + 'a>,
) -> Result<Box<dyn RowWriter + 'a>>;

/// Starts writing an answer with `schema` to `sink`.
///
/// # Errors
/// The sink cannot be written.
pub fn writer<'a>(
    options: &OutputOptions,
    schema: &SchemaRef,
    sink: Box<dyn Write + Send + 'a>,
) -> Result<Box<dyn RowWriter + 'a>> {
    Ok(match options.format {
        Format::Table => Box::new(table::TableWriter::new(options, schema, sink)),
        Format::Expanded => Box::new(expanded::ExpandedWriter::new(options, schema, sink)),
        Format::Csv => Box::new(csv::CsvWriter::new(options, schema, sink)),
        Format::Json => Box::new(json::JsonWriter::array(schema, sink)),
        Format::Ndjson => Box::new(json::JsonWriter::lines(schema, sink)),
        Format::Markdown => Box::new(markdown::MarkdownWriter::new(schema, sink)),
        Format::Parquet => Box::new(parquet::ParquetWriter::new(schema, sink)?),
    })
}

/// Writes `text` and hands it on at once: a reader of a pipe sees whole batches.
fn emit(sink: &mut dyn Write, text: &str) -> Result<()> {
    sink.write_all(text.as_bytes()).and_then(|()| sink.flush()).map_err(ErrorKind::Output)?;
    Ok(())
}

/// The names of the columns with those that occur before made different: `a`, `a_1`, `a_2`. Case
/// does not count, as it does not in SQL.
fn unique_names(schema: &Schema) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    let name_one = |name: &String| {
        let mut unique = name.clone();
        let mut suffix = 0_usize;
        while !taken.insert(unique.to_lowercase()) {
            suffix += 1;
            unique = format!("{name}_{suffix}");
        }
        unique
    };
    schema.fields().iter().map(|field| field.name()).map(name_one).collect()
}

#[cfg(test)]
mod tests;
