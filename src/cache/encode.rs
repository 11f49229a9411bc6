//! Rows to Parquet, on all cores.
//!
//! Encoding is the largest share of ingest. The unit of work is one column of one row group:
//! gathered from the batches in the order the rows are to be stored, a slice at a time so that it
//! stays in the processor's cache, and encoded at once. No sorted copy of the rows is ever made.

use std::{collections::VecDeque, fs::File, sync::Arc, thread};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StructArray, new_null_array},
    buffer::NullBuffer,
    compute::interleave,
    datatypes::{DataType, Field, SchemaRef},
    error::ArrowError,
};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parquet::{
    arrow::{
        ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata,
        arrow_writer::{
            ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
        },
    },
    file::{properties::WriterProperties, writer::SerializedFileWriter},
};
use uuid::Uuid;

use super::{DataFile, delta::Log, files::Draft, settings, stats};
use crate::{
    Result,
    error::{BoxError, ErrorKind},
};

/// Rows gathered at once, at most.
const SLICE_ROWS: usize = 8_192;

/// Bytes gathered at once, about: long rows are gathered fewer at a time.
const SLICE_BYTES: usize = 16 << 20;

/// Below so many rows, threads cost more than they bring.
const MIN_PARALLEL_ROWS: usize = 4_096;

/// The rows of one row group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Where the rows lie.
    pub(super) batches: Arc<[RecordBatch]>,
    /// (batch, row) of each, in the order to be stored.
    pub(super) order: Arc<[(usize, usize)]>,
}

/// A Parquet file that is being written. Dropped before [`FileWriter::finish`], it is gone.
pub(super) struct FileWriter {
    schema: SchemaRef,
    draft: Draft,
    writer: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
    /// How many leaves each column has.
    n_leaves: Vec<usize>,
    threads: usize,
    n_groups: usize,
}

impl FileWriter {
    /// Begins a file with a new name for `log`'s table whose row groups have about `group_rows`
    /// rows.
    pub(super) fn create(
        log: &Log,
        schema: &SchemaRef,
        group_rows: usize,
        threads: usize,
    ) -> Result<Self> {
        let name = format!("part-{}.zstd.parquet", Uuid::new_v4());
        let (file, draft) = log.folder().begin(name)?;
        let properties = settings::properties(log.table(), schema, group_rows);
        let threads = if group_rows < MIN_PARALLEL_ROWS { 1 } else { threads.max(1) };
        Self::begin(draft, file, schema, properties, threads).map_err(failed)
    }

    fn begin(
        draft: Draft,
        file: File,
        schema: &SchemaRef,
        mut properties: WriterProperties,
        threads: usize,
    ) -> Result<Self, BoxError> {
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let parquet_schema = ArrowSchemaConverter::new().convert(schema)?;
        let writer =
            SerializedFileWriter::new(file, parquet_schema.root_schema_ptr(), properties.into())?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema));
        let mut n_leaves = vec![0; schema.fields().len()];
        for (_, column) in settings::leaves(schema) {
            if let Some(n) = n_leaves.get_mut(column) {
                *n += 1;
            }
        }
        let schema = Arc::clone(schema);
        Ok(Self { schema, draft, writer, factory, n_leaves, threads, n_groups: 0 })
    }

    /// Appends row groups.
    pub(super) fn write(&mut self, groups: impl Iterator<Item = Result<Group>>) -> Result<()> {
        if self.threads == 1 {
            for group in groups {
                self.write_alone(&group?).map_err(failed)?;
            }
            return Ok(());
        }
        let (tasks, inbox) = bounded::<Task>(self.threads);
        let (outbox, done) = unbounded::<Done>();
        thread::scope(|scope| {
            for _ in 0..self.threads {
                let (inbox, outbox) = (inbox.clone(), outbox.clone());
                scope.spawn(move || {
                    for task in inbox {
                        if outbox.send(task.run()).is_err() {
                            return;
                        }
                    }
                });
            }
            drop((inbox, outbox));
            self.dispatch(groups, tasks, &done)
        })
    }

    fn write_alone(&mut self, group: &Group) -> Result<(), BoxError> {
        let mut tasks = self.tasks(group)?;
        self.n_groups += 1;
        tasks.sort_by_key(|task| task.column);
        let mut chunks = Vec::with_capacity(tasks.len());
        for task in tasks {
            chunks.push(task.run().chunks?);
        }
        self.append(chunks)
    }

    fn dispatch(
        &mut self,
        groups: impl Iterator<Item = Result<Group>>,
        tasks: Sender<Task>,
        done: &Receiver<Done>,
    ) -> Result<()> {
        let mut waiting = VecDeque::new();
        for group in groups {
            let group = group?;
            let new = self.tasks(&group).map_err(failed)?;
            waiting.push_back(Waiting::new(self.n_groups, new.len()));
            self.n_groups += 1;
            for task in new {
                if tasks.send(task).is_err() {
                    return Err(failed("the encoder's threads are gone".into()));
                }
                while let Ok(result) = done.try_recv() {
                    self.collect(&mut waiting, result).map_err(failed)?;
                }
            }
        }
        drop(tasks);
        for result in done {
            self.collect(&mut waiting, result).map_err(failed)?;
        }
        Ok(())
    }

    /// One task per column, those with most bytes first, so that none is left for last.
    fn tasks(&self, group: &Group) -> Result<Vec<Task>, BoxError> {
        let mut writers = self.factory.create_column_writers(self.n_groups)?.into_iter();
        let mut tasks: Vec<Task> = self
            .n_leaves
            .iter()
            .enumerate()
            .map(|(column, n)| Task {
                group_no: self.n_groups,
                column,
                schema: Arc::clone(&self.schema),
                group: group.clone(),
                writers: writers.by_ref().take(*n).collect(),
            })
            .collect();
        tasks.sort_by_cached_key(|task| {
            let bytes = |batch: &RecordBatch| batch.column(task.column).get_buffer_memory_size();
            std::cmp::Reverse(group.batches.iter().map(bytes).sum::<usize>())
        });
        Ok(tasks)
    }

    fn collect(&mut self, waiting: &mut VecDeque<Waiting>, done: Done) -> Result<(), BoxError> {
        let chunks = done.chunks?;
        if let Some(group) = waiting.iter_mut().find(|group| group.group_no == done.group_no) {
            group.put(done.column, chunks);
        }
        while waiting.front().is_some_and(|group| group.missing == 0) {
            if let Some(group) = waiting.pop_front() {
                self.append(group.chunks.into_iter().flatten().collect())?;
            }
        }
        Ok(())
    }

    fn append(&mut self, chunks: Vec<Vec<ArrowColumnChunk>>) -> Result<(), BoxError> {
        let mut group = self.writer.next_row_group()?;
        for chunk in chunks.into_iter().flatten() {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    }

    /// Ends the file and makes it durable; its directory is the caller's to sync.
    pub(super) fn finish(mut self) -> Result<DataFile> {
        let metadata = self.writer.finish().map_err(|error| failed(error.into()))?;
        let size_bytes = self.draft.finish(self.writer.inner())?;
        let stats = stats::of(&metadata, &self.schema);
        Ok(self.draft.file(size_bytes, stats))
    }
}

fn failed(source: BoxError) -> crate::Error {
    ErrorKind::Columnar { action: "encode a Parquet file", source }.into()
}

/// One column of one row group, to be encoded.
struct Task {
    group_no: usize,
    column: usize,
    schema: SchemaRef,
    group: Group,
    writers: Vec<ArrowColumnWriter>,
}

/// One column of one row group, encoded.
struct Done {
    group_no: usize,
    column: usize,
    chunks: Result<Vec<ArrowColumnChunk>, BoxError>,
}

/// A row group some of whose columns are still being encoded.
struct Waiting {
    group_no: usize,
    missing: usize,
    chunks: Vec<Option<Vec<ArrowColumnChunk>>>,
}

impl Waiting {
    fn new(group_no: usize, n_columns: usize) -> Self {
        let chunks = std::iter::repeat_with(|| None).take(n_columns).collect();
        Self { group_no, missing: n_columns, chunks }
    }

    fn put(&mut self, column: usize, chunks: Vec<ArrowColumnChunk>) {
        if let Some(place) = self.chunks.get_mut(column) {
            *place = Some(chunks);
            self.missing -= 1;
        }
    }
}

impl Task {
    fn run(self) -> Done {
        let (group_no, column) = (self.group_no, self.column);
        Done { group_no, column, chunks: self.encode() }
    }

    fn encode(mut self) -> Result<Vec<ArrowColumnChunk>, BoxError> {
        let field = self.schema.field(self.column);
        let columns: Vec<&dyn Array> =
            self.group.batches.iter().map(|batch| batch.column(self.column).as_ref()).collect();
        let bytes: usize = columns.iter().map(|column| column.get_buffer_memory_size()).sum();
        let rows: usize = columns.iter().map(|column| column.len()).sum();
        let slice_rows = (SLICE_BYTES / (bytes / rows.max(1)).max(1)).clamp(16, SLICE_ROWS);
        for slice in self.group.order.chunks(slice_rows) {
            gather(&columns, slice, &mut |array| write_leaves(field, &array, &mut self.writers))?;
        }
        Ok(self.writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?)
    }
}

fn write_leaves(
    field: &Field,
    array: &ArrayRef,
    writers: &mut [ArrowColumnWriter],
) -> Result<(), BoxError> {
    for (leaf, writer) in compute_leaves(field, array)?.iter().zip(writers) {
        writer.write(leaf)?;
    }
    Ok(())
}

/// Gathers the rows at `order` from `columns`; in halves where they would exceed the 2 GiB that
/// an Arrow array of strings can hold.
fn gather(
    columns: &[&dyn Array],
    order: &[(usize, usize)],
    sink: &mut dyn FnMut(ArrayRef) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    if let (Some(&(batch, row)), Some(&last)) = (order.first(), order.last())
        && last == (batch, row + order.len() - 1)
        && order.iter().zip(row..).all(|(&place, row)| place == (batch, row))
        && let Some(column) = columns.get(batch)
    {
        return sink(column.slice(row, order.len()));
    }
    match gather_array(columns, order) {
        Ok(array) => sink(array),
        Err(ArrowError::OffsetOverflowError(_)) if order.len() > 1 => {
            let (left, right) = order.split_at(order.len() / 2);
            gather(columns, left, sink)?;
            gather(columns, right, sink)
        }
        Err(error) => Err(error.into()),
    }
}

/// [`interleave`], but quick about what is NULL throughout, as most members of `useridentity` are.
fn gather_array(columns: &[&dyn Array], order: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    if columns.iter().all(|column| column.null_count() == column.len())
        && let Some(column) = columns.first()
    {
        return Ok(new_null_array(column.data_type(), order.len()));
    }
    let structs: Vec<&StructArray> =
        columns.iter().filter_map(|column| column.as_struct_opt()).collect();
    let Some(DataType::Struct(fields)) = structs.first().map(Array::data_type) else {
        return interleave(columns, order);
    };
    let members = (0..fields.len()).map(|member| {
        let columns: Vec<&dyn Array> =
            structs.iter().map(|column| column.column(member).as_ref()).collect();
        gather_array(&columns, order)
    });
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let is_valid = |&(batch, row): &(usize, usize)| {
        structs.get(batch).is_some_and(|column| column.is_valid(row))
    };
    let nulls: Option<NullBuffer> = structs
        .iter()
        .any(|column| column.null_count() > 0)
        .then(|| order.iter().map(is_valid).collect());
    Ok(Arc::new(StructArray::try_new(fields.clone(), members, nulls)?))
}
