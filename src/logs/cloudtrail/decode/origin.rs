//! The columns that say where a row came from; both tables have them.

use std::sync::Arc;

use arrow::{
    array::ArrayRef,
    datatypes::{Date32Type, Int32Type, Int64Type},
};

use crate::logs::cloudtrail::derive;

use super::{
    FileMeta, RecordMeta,
    columns::{BooleanColumn, NumberColumn, TextColumn},
};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Envelope, partition and provenance under construction.
#[derive(Debug)]
pub(super) struct Origin {
    shape: TextColumn,
    envelope: TextColumn,
    account: TextColumn,
    region: TextColumn,
    delivery_date: NumberColumn<Date32Type>,
    source_file: TextColumn,
    source_version: NumberColumn<Int32Type>,
    record_no: NumberColumn<Int64Type>,
    record_offset: NumberColumn<Int64Type>,
    appended: BooleanColumn,
}

/// What the record says where the file's key says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fallback<'a> {
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    /// Microseconds since 1970.
    pub(super) time: Option<i64>,
}

impl Origin {
    pub(super) fn new() -> Self {
        Self {
            shape: TextColumn::new(),
            envelope: TextColumn::new(),
            account: TextColumn::new(),
            region: TextColumn::new(),
            delivery_date: NumberColumn::new(),
            source_file: TextColumn::new(),
            source_version: NumberColumn::new(),
            record_no: NumberColumn::new(),
            record_offset: NumberColumn::new(),
            appended: BooleanColumn::new(),
        }
    }

    /// Gives `row` its origin; gives the bytes that took.
    pub(super) fn push(
        &mut self,
        row: usize,
        file: &FileMeta,
        record: &RecordMeta<'_>,
        fallback: Fallback<'_>,
    ) -> usize {
        self.shape.push(row, record.shape.as_str());
        self.envelope.put(row, record.envelope);
        self.account.put(row, file.key.account.as_deref().or(fallback.account));
        self.region.put(row, file.key.region.as_deref().or(fallback.region));
        let day = match file.key.day {
            Some((year, month, day)) => {
                derive::days_from_civil(year.into(), month.into(), day.into())
            }
            None => fallback.time.map(|micros| micros.div_euclid(MICROS_PER_DAY)),
        };
        if let Some(day) = day.and_then(|day| i32::try_from(day).ok()) {
            self.delivery_date.push(row, day);
        }
        self.source_file.push(row, &file.source_file);
        self.source_version.push(row, file.source_version);
        self.record_no.push(row, record.record_no.into());
        self.record_offset.push(row, i64::try_from(record.offset).unwrap_or(i64::MAX));
        self.appended.push(row, record.appended);
        file.source_file.len() + record.envelope.map_or(0, str::len) + 64
    }

    /// The column `name`, if it is one of these; starts it anew.
    pub(super) fn take(&mut self, name: &str, rows: usize) -> Option<ArrayRef> {
        Some(match name {
            "shape" => Arc::new(self.shape.take(rows)),
            "envelope" => Arc::new(self.envelope.take(rows)),
            "account" => Arc::new(self.account.take(rows)),
            "region" => Arc::new(self.region.take(rows)),
            "delivery_date" => Arc::new(self.delivery_date.take(rows)),
            "source_file" => Arc::new(self.source_file.take(rows)),
            "source_version" => Arc::new(self.source_version.take(rows)),
            "record_no" => Arc::new(self.record_no.take(rows)),
            "record_offset" => Arc::new(self.record_offset.take(rows)),
            "appended" => Arc::new(self.appended.take(rows)),
            _ => return None,
        })
    }
}
