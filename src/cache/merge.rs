//! Sorted files → the row groups of one sorted file, in bounded memory.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{SchemaRef, TimestampMicrosecondType},
};

use super::{
    DataFile,
    encode::Group,
    read::{self, Batches},
    settings,
};
use crate::{
    Result,
    error::{BoxError, ErrorKind},
};

/// How much a merge may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of rows in memory, about.
    pub(super) memory_bytes: usize,
    /// Rows of a row group.
    pub(super) group_rows: usize,
}

/// Merges files that are sorted by event time. Rows of equal time stay in the order of the files,
/// and within a file in theirs.
pub(super) struct Merger {
    cursors: Vec<Cursor>,
    /// The next row's (time, place of the file) of each cursor that has one.
    next: BinaryHeap<Reverse<(i64, usize)>>,
    /// Whether there is a time to sort by; else one file follows the other.
    by_time: bool,
    bounds: Bounds,
}

/// A place in a file.
struct Cursor {
    batches: Batches,
    batch: RecordBatch,
    row: usize,
    /// The batch's place in the group that is being filled, if it is in it.
    slot: Option<usize>,
    /// The time of the last row given.
    last: i64,
}

impl Merger {
    /// A merger of `files`, read with `schema`; `by_time` where they are sorted.
    pub(super) fn open(
        files: &[DataFile],
        schema: &SchemaRef,
        by_time: bool,
        bounds: Bounds,
    ) -> Result<Self> {
        let share = bounds.memory_bytes / 4 / files.len().max(1);
        let open = |file| read::open(file, schema, None, read::BatchSize::Bytes(share));
        let batches = files.iter().map(open).collect::<Result<_>>()?;
        Self::new(batches, by_time, bounds)
    }

    pub(super) fn new(files: Vec<Batches>, by_time: bool, bounds: Bounds) -> Result<Self> {
        let mut merger = Self { cursors: Vec::new(), next: BinaryHeap::new(), by_time, bounds };
        for batches in files {
            let batch = RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
            let cursor = Cursor { batches, batch, row: 0, slot: None, last: i64::MIN };
            merger.cursors.push(cursor);
            merger.advance(merger.cursors.len() - 1)?;
        }
        Ok(merger)
    }

    /// Puts the next row of cursor `index` into the queue, if it has one.
    fn advance(&mut self, index: usize) -> Result<()> {
        let by_time = self.by_time;
        let Some(cursor) = self.cursors.get_mut(index) else { return Ok(()) };
        if let Some(time) = cursor.peek(by_time)? {
            self.next.push(Reverse((time, index)));
        }
        Ok(())
    }

    fn group(&mut self) -> Result<Option<Group>> {
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut order = Vec::new();
        let mut bytes = 0;
        for cursor in &mut self.cursors {
            cursor.slot = None;
        }
        let by_time = self.by_time;
        while let Some(Reverse((_, index))) = self.next.pop() {
            let limit = self.next.peek().copied();
            let Some(cursor) = self.cursors.get_mut(index) else { continue };
            loop {
                let slot = *cursor.slot.get_or_insert_with(|| {
                    bytes += cursor.batch.get_array_memory_size();
                    batches.push(cursor.batch.clone());
                    batches.len() - 1
                });
                order.push((slot, cursor.row));
                cursor.row += 1;
                let Some(time) = cursor.peek(by_time)? else { break };
                let full =
                    order.len() >= self.bounds.group_rows || bytes >= self.bounds.memory_bytes / 2;
                if full || limit.is_some_and(|Reverse(limit)| (time, index) > limit) {
                    self.next.push(Reverse((time, index)));
                    break;
                }
            }
            if order.len() >= self.bounds.group_rows || bytes >= self.bounds.memory_bytes / 2 {
                break;
            }
        }
        Ok((!order.is_empty()).then(|| Group { batches: batches.into(), order: order.into() }))
    }
}

impl Iterator for Merger {
    type Item = Result<Group>;

    fn next(&mut self) -> Option<Self::Item> {
        self.group().transpose()
    }
}

impl Cursor {
    /// The time of the next row, `i64::MIN` where it has none; nothing at the end of the file.
    fn peek(&mut self, by_time: bool) -> Result<Option<i64>> {
        while self.row >= self.batch.num_rows() {
            let Some(batch) = self.batches.next().transpose()? else { return Ok(None) };
            self.batch = batch;
            self.row = 0;
            self.slot = None;
        }
        if !by_time {
            return Ok(Some(i64::MIN));
        }
        let times = self
            .batch
            .column_by_name(settings::SORT_COLUMN)
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| unsorted("it has no event_ts"))?;
        let time = if times.is_null(self.row) { i64::MIN } else { times.value(self.row) };
        if time < self.last {
            return Err(unsorted("its rows are not in the order of time"));
        }
        self.last = time;
        Ok(Some(time))
    }
}

fn unsorted(why: &'static str) -> crate::Error {
    let source: BoxError = why.into();
    ErrorKind::Columnar { action: "merge a file", source }.into()
}
