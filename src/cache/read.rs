//! Reading rows back, without an engine: for duplicates, the ledger, compaction and `forget`.
//!
//! From S3 what is wanted of a file is read in a few requests; who wants all of it has it copied.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray as _, BooleanArray, RecordBatch, new_null_array},
    datatypes::{Schema, SchemaRef, TimestampMicrosecondType},
    error::ArrowError,
};
use futures::StreamExt as _;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowPredicateFn, ArrowReaderBuilder, ArrowReaderMetadata, ArrowReaderOptions,
            ParquetRecordBatchReaderBuilder, RowFilter,
        },
        async_reader::AsyncFileReader as _,
        async_reader::ParquetRecordBatchStreamBuilder,
    },
    file::{
        metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        statistics::Statistics,
    },
};

use super::{Cache, DataFile, Snapshot, Table, files::Folder, remote::RemoteFile, settings};
use crate::{
    Result,
    error::{BoxError, ErrorKind},
};

/// Rows given at once, at most.
pub(super) const BATCH_ROWS: usize = 8_192;

/// How much is given at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum BatchSize {
    /// So many rows.
    Rows(usize),
    /// About so many bytes, but no more than [`BATCH_ROWS`] rows.
    Bytes(usize),
}

impl BatchSize {
    fn rows(self, metadata: &ParquetMetaData) -> usize {
        match self {
            Self::Rows(rows) => rows,
            Self::Bytes(bytes) => (bytes / row_bytes(metadata)).clamp(1, BATCH_ROWS),
        }
    }
}

/// Bytes of a row in memory, about.
fn row_bytes(metadata: &ParquetMetaData) -> usize {
    let columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let bytes: u64 = columns
        .map(|column| match column.unencoded_byte_array_data_bytes() {
            // Texts, and their offsets.
            Some(bytes) => bytes.unsigned_abs() + 4 * column.num_values().unsigned_abs(),
            None => 8 * column.num_values().unsigned_abs(),
        })
        .sum();
    let rows = metadata.file_metadata().num_rows().unsigned_abs();
    usize::try_from(bytes / rows.max(1)).unwrap_or(usize::MAX).max(1)
}

/// What stands for the time of rows that have none.
const NO_TIME: i64 = i64::MIN;

pub(super) fn read(
    cache: &Cache,
    snapshot: &Snapshot,
    table: Table,
    columns: &[&str],
    ranges: Option<&[(i64, i64)]>,
    each: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let schema = project(&cache.schemas.of(table), columns)?;
    for file in snapshot.files(table) {
        if let (Some(bounds), Some(ranges)) = (file.event_ts, ranges)
            && !overlaps(bounds, ranges)
        {
            continue;
        }
        for batch in open(file, &schema, ranges, BatchSize::Rows(BATCH_ROWS))? {
            each(batch?)?;
        }
    }
    Ok(())
}

/// The columns `columns` of `schema`, in their order.
pub(super) fn project(schema: &Schema, columns: &[&str]) -> Result<SchemaRef> {
    let field = |name: &&str| {
        schema.field_with_name(name).cloned().map_err(|source| {
            ErrorKind::Columnar { action: "read a column", source: source.into() }.into()
        })
    };
    Ok(Arc::new(Schema::new(columns.iter().map(field).collect::<Result<Vec<_>>>()?)))
}

/// Rows of a file, batch by batch.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>>>;

/// Opens `file` for the rows of `schema`'s columns whose time lies in `ranges`.
pub(super) fn open(
    file: &DataFile,
    schema: &SchemaRef,
    ranges: Option<&[(i64, i64)]>,
    size: BatchSize,
) -> Result<Batches> {
    let wanted = Wanted { file, schema, ranges, size };
    let (folder, name) = (file.folder.clone(), Arc::clone(&file.name));
    let failed = move |source: BoxError| folder.failed(&name, source);
    // Who asks for bytes merges files, and needs all of each.
    let in_parts = match size {
        BatchSize::Rows(_) => file.folder.remote_file(&file.name, file.size_bytes),
        BatchSize::Bytes(_) => Ok(None),
    };
    let batches = match in_parts.map_err(&failed)? {
        Some(remote) => wanted.of_remote(remote).map_err(&failed)?,
        None => wanted.of_local(file.folder.open(&file.name)?).map_err(&failed)?,
    };
    let schema = Arc::clone(schema);
    let conform = move |batch| conform(&batch, &schema);
    Ok(Box::new(batches.map(move |batch| batch.and_then(&conform).map_err(&failed))))
}

/// Rows of a file as they are stored.
type Stored = Box<dyn Iterator<Item = Result<RecordBatch, BoxError>>>;

/// What is wanted of a file.
struct Wanted<'a> {
    file: &'a DataFile,
    schema: &'a SchemaRef,
    ranges: Option<&'a [(i64, i64)]>,
    size: BatchSize,
}

impl Wanted<'_> {
    fn of_local(&self, file: File) -> Result<Stored, BoxError> {
        let metadata = ArrowReaderMetadata::load(&file, self.options())?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
        let reader = self.choose(builder, &metadata).build()?;
        Ok(Box::new(reader.map(|batch| Ok(batch?))))
    }

    fn of_remote(&self, mut file: RemoteFile) -> Result<Stored, BoxError> {
        let (remote, options) = (Arc::clone(file.remote()), self.options());
        let (metadata, file) = remote.wait(async move {
            Ok((ArrowReaderMetadata::load_async(&mut file, options).await?, file))
        })?;
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(file, metadata.clone());
        let mut rest = Some(self.choose(builder, &metadata).build()?);
        Ok(Box::new(std::iter::from_fn(move || {
            let mut stream = rest.take()?;
            match remote.wait(async move { Ok((stream.next().await, stream)) }) {
                Ok((next, stream)) => {
                    rest = Some(stream);
                    next.map(|batch| Ok(batch?))
                }
                Err(error) => Some(Err(error)),
            }
        })))
    }

    fn options(&self) -> ArrowReaderOptions {
        // Where the pages lie, so that those without a row of interest are passed over.
        let pages =
            if self.ranges.is_some() { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
        ArrowReaderOptions::new().with_offset_index_policy(pages)
    }

    /// Has `builder` read what is wanted, as far as the file has it.
    fn choose<T>(
        &self,
        mut builder: ArrowReaderBuilder<T>,
        metadata: &ArrowReaderMetadata,
    ) -> ArrowReaderBuilder<T> {
        let names = self.schema.fields().iter().map(|field| field.name());
        let mask = ProjectionMask::roots(
            metadata.parquet_schema(),
            names.filter_map(|name| metadata.schema().index_of(name).ok()),
        );
        builder =
            builder.with_projection(mask).with_batch_size(self.size.rows(metadata.metadata()));
        if let Some(ranges) = self.ranges {
            builder = builder.with_row_groups(groups_within(metadata.metadata(), ranges));
        }
        // Where every row is wanted, choosing rows would only cost.
        let is_whole = |ranges| self.file.event_ts.is_some_and(|bounds| contains(ranges, bounds));
        let some = self.ranges.filter(|ranges| !is_whole(ranges));
        if let Some(rows) = some.and_then(|ranges| rows_within(metadata, ranges)) {
            builder = builder.with_row_filter(rows);
        }
        builder
    }
}

/// Puts columns into the order of `schema`; what an older file does not have is NULL.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, BoxError> {
    let columns = schema.fields().iter().map(|field| -> Result<ArrayRef, BoxError> {
        Ok(match batch.column_by_name(field.name()) {
            None => new_null_array(field.data_type(), batch.num_rows()),
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            Some(column) => arrow::compute::cast(column, field.data_type())?,
        })
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// Whether `bounds` meets one of `ranges`, which are sorted and disjoint.
fn overlaps((min, max): (i64, i64), ranges: &[(i64, i64)]) -> bool {
    let first = ranges.partition_point(|&(_, end)| end < min);
    ranges.get(first).is_some_and(|&(start, _)| start <= max)
}

/// Whether all of `bounds` lies in one of `ranges`.
fn contains(ranges: &[(i64, i64)], (min, max): (i64, i64)) -> bool {
    let first = ranges.partition_point(|&(_, end)| end < min);
    ranges.get(first).is_some_and(|&(start, end)| start <= min && max <= end)
}

/// Chooses the rows whose time lies in one of `ranges`: the other columns are decoded for these
/// only.
fn rows_within(metadata: &ArrowReaderMetadata, ranges: &[(i64, i64)]) -> Option<RowFilter> {
    let leaf = time_leaf(metadata.metadata())?;
    let mask = ProjectionMask::leaves(metadata.parquet_schema(), [leaf]);
    let ranges = ranges.to_vec();
    let is_within = move |batch: RecordBatch| -> Result<BooleanArray, ArrowError> {
        let times = batch
            .columns()
            .first()
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(|| ArrowError::SchemaError("no times in microseconds".to_owned()))?;
        let is_within = |ts: Option<i64>| {
            let ts = ts.unwrap_or(NO_TIME);
            Some(overlaps((ts, ts), &ranges))
        };
        Ok(times.iter().map(is_within).collect())
    };
    Some(RowFilter::new(vec![Box::new(ArrowPredicateFn::new(mask, is_within))]))
}

/// Where the time by which rows are sorted is among the leaves of the schema.
fn time_leaf(metadata: &ParquetMetaData) -> Option<usize> {
    let columns = metadata.file_metadata().schema_descr().columns();
    columns.iter().position(|column| column.path().string() == settings::SORT_COLUMN)
}

fn groups_within(metadata: &ParquetMetaData, ranges: &[(i64, i64)]) -> Vec<usize> {
    let leaf = time_leaf(metadata);
    let may_match = |group: &RowGroupMetaData| {
        leaf.and_then(|leaf| bounds(group, leaf)).is_none_or(|bounds| overlaps(bounds, ranges))
    };
    let groups = metadata.row_groups().iter().enumerate();
    groups.filter(|(_, group)| may_match(group)).map(|(index, _)| index).collect()
}

/// The bounds of a time column; rows without one count as [`NO_TIME`].
fn bounds(group: &RowGroupMetaData, leaf: usize) -> Option<(i64, i64)> {
    let statistics = group.columns().get(leaf)?.statistics()?;
    let nulls = statistics.null_count_opt()?;
    if nulls == group.num_rows().unsigned_abs() {
        return Some((NO_TIME, NO_TIME));
    }
    let Statistics::Int64(values) = statistics else { return None };
    let (min, max) = (*values.min_opt()?, *values.max_opt()?);
    Some((if nulls > 0 { NO_TIME } else { min }, max))
}

/// The number of rows that the file `name` of `folder` says it has.
pub(super) async fn n_rows(folder: &Folder, name: &str, size_bytes: u64) -> Result<u64, BoxError> {
    let metadata = match folder.remote_file(name, size_bytes)? {
        Some(mut file) => file.get_metadata(None).await?,
        None => ParquetMetaDataReader::new().parse_and_finish(&folder.open(name)?)?.into(),
    };
    Ok(metadata.file_metadata().num_rows().unsigned_abs())
}
