//! Rows in the order of their partitions → one Parquet file after the other.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, SchemaRef},
};
use clap::ValueEnum;

use super::io_error;
use crate::{
    ErrorKind, Result,
    output::{self, Format, OutputOptions, RowWriter},
};

/// The most rows in one file; larger ones gain readers nothing.
const MAX_FILE_ROWS: usize = 1_000_000;

/// The directory of rows whose key is NULL, as Hive names it.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// What a level of directories parts the rows by. The keys of time stand from the finest to the coarsest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum PartitionKey {
    /// The account whose trail delivered the file, else the event's
    Account,
    /// The region in the file's key, else the event's
    Region,
    /// The delivery's day, else the event's
    Day,
    /// Its month
    Month,
    /// Its year
    Year,
    /// The event's service
    Service,
    /// The event's category
    Category,
}

impl PartitionKey {
    /// Its name in directories.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
            Self::Service => "service",
            Self::Category => "category",
        }
    }

    /// Whether it parts rows by the delivery's time.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Day | Self::Month | Self::Year)
    }

    /// Its value as text, in SQL.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Day => "CAST(delivery_date AS VARCHAR)",
            Self::Month => "substr(CAST(delivery_date AS VARCHAR), 1, 7)",
            Self::Year => "substr(CAST(delivery_date AS VARCHAR), 1, 4)",
            Self::Service => "service",
            Self::Category => "category",
        }
    }
}

/// Writes rows below a directory; those of one partition must follow each other.
pub(super) struct Partitioned<'a> {
    root: PathBuf,
    keys: Vec<PartitionKey>,
    /// The columns that are written: all but the keys' values, which come last.
    columns: Vec<usize>,
    schema: SchemaRef,
    open: Option<Part>,
    rows: u64,
    /// Counts the rows of all writers.
    written: &'a AtomicU64,
}

/// The file being written.
struct Part {
    dir: PathBuf,
    number: usize,
    rows: usize,
    writer: Box<dyn RowWriter>,
}

impl<'a> Partitioned<'a> {
    /// A writer below `root` of rows with `schema`.
    pub(super) fn new(
        root: &Path,
        keys: &[PartitionKey],
        schema: &SchemaRef,
        written: &'a AtomicU64,
    ) -> Self {
        let columns: Vec<usize> = (0..schema.fields().len().saturating_sub(keys.len())).collect();
        let projected = schema.project(&columns).map(Arc::new);
        Self {
            root: root.to_owned(),
            keys: keys.to_vec(),
            schema: projected.unwrap_or_else(|_impossible| Arc::clone(schema)),
            columns,
            open: None,
            rows: 0,
            written,
        }
    }

    /// Writes rows of one partition.
    fn write_rows(&mut self, dir: &Path, mut rows: RecordBatch) -> Result<()> {
        while rows.num_rows() > 0 {
            let part = self.part(dir)?;
            let n_rows = rows.num_rows().min(MAX_FILE_ROWS - part.rows);
            part.writer.write(&rows.slice(0, n_rows))?;
            part.rows += n_rows;
            rows = rows.slice(n_rows, rows.num_rows() - n_rows);
        }
        Ok(())
    }

    /// The file in `dir` that has room.
    fn part(&mut self, dir: &Path) -> Result<&mut Part> {
        let number = match self.open.take() {
            Some(part) if part.dir == dir && part.rows < MAX_FILE_ROWS => {
                return Ok(self.open.insert(part));
            }
            Some(mut part) => {
                part.writer.finish()?;
                if part.dir == dir { part.number + 1 } else { 0 }
            }
            None => 0,
        };
        let place = self.root.join(dir);
        fs::create_dir_all(&place).map_err(|source| io_error("create", &place, source))?;
        let path = place.join(format!("part-{number}.parquet"));
        // Never over another: rows of one partition that do not follow each other are a fault.
        let file = fs::File::create_new(&path).map_err(|e| io_error("create", &path, e))?;
        let options = OutputOptions::new(Format::Parquet);
        let writer = output::writer(&options, &self.schema, Box::new(file))?;
        Ok(self.open.insert(Part { dir: dir.to_owned(), number, rows: 0, writer }))
    }
}

impl RowWriter for Partitioned<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let failed = |source: arrow::error::ArrowError| ErrorKind::Columnar {
            action: "part rows by their keys",
            source: source.into(),
        };
        let rows = batch.project(&self.columns).map_err(failed)?;
        let mut values = Vec::new();
        for column in batch.columns().iter().skip(self.columns.len()) {
            values.push(cast(column, &DataType::Utf8).map_err(failed)?);
        }
        let dir = |row: usize| -> PathBuf {
            let level = |(key, values): (&PartitionKey, &arrow::array::ArrayRef)| {
                let values = values.as_string::<i32>();
                let value = (!values.is_null(row)).then(|| values.value(row));
                level_name(*key, value)
            };
            self.keys.iter().zip(&values).map(level).collect()
        };
        let mut dirs = Vec::new();
        for row in 0..rows.num_rows() {
            let dir = dir(row);
            if dirs.last().is_none_or(|(_, last)| *last != dir) {
                dirs.push((row, dir));
            }
        }
        let ends: Vec<usize> =
            dirs.iter().skip(1).map(|(start, _)| *start).chain([rows.num_rows()]).collect();
        for ((start, dir), end) in dirs.iter().zip(ends) {
            self.write_rows(dir, rows.slice(*start, end - start))?;
        }
        self.rows += rows.num_rows() as u64;
        self.written.fetch_add(rows.num_rows() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        if let Some(mut part) = self.open.take() {
            part.writer.finish()?;
        }
        Ok(self.rows)
    }
}

/// `region=us-east-1`. Log text must not lead elsewhere, so all but letters, digits, `-`, `_` and
/// single dots of the value is percent-encoded, as Hive does.
fn level_name(key: PartitionKey, value: Option<&str>) -> String {
    let mut name = format!("{}=", key.name());
    match value {
        None | Some("") => name.push_str(NULL_PARTITION),
        Some(value) => {
            // File names have at most 255 bytes on most systems.
            for byte in value.bytes().take(64) {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
                    name.push(char::from(byte));
                } else {
                    let _ = write!(name, "%{byte:02X}");
                }
            }
        }
    }
    name
}

#[cfg(test)]
mod tests;
