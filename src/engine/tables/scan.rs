//! One table's Parquet files as a table of DataFusion's.
//!
//! The list of files and their statistics come from the transaction log through
//! [`crate::cache::Snapshot`]: files that cannot hold an answer are not opened, `count(*)` opens
//! none at all. Within a file, Parquet's own statistics, page index and bloom filters do the same
//! for row groups and pages. Footers are cached for the session.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{
        Column, ColumnStatistics, Statistics, ToDFSchema, internal_datafusion_err, stats::Precision,
    },
    datasource::{
        TableProvider, TableType,
        listing::PartitionedFile,
        physical_plan::{
            FileGroup, FileScanConfigBuilder, ParquetSource,
            parquet::CachedParquetFileReaderFactory,
        },
        source::DataSourceExec,
    },
    error::Result,
    execution::object_store::ObjectStoreUrl,
    logical_expr::{Expr, TableProviderFilterPushDown, utils::conjunction},
    physical_optimizer::pruning::PruningPredicateBuilder,
    physical_plan::{ExecutionPlan, empty::EmptyExec},
};
use object_store::ObjectMeta;

use super::{
    stats::FileStats,
    views::{Readers, with_views},
};
use crate::{
    cache::{DataFile, Table},
    engine::{computed, coverage, ddl},
};

/// Up to this many files, each file's bounds are handed to the planner, which sorts and estimates
/// with them; beyond, only the row counts are, lest the bounds outweigh the query.
const MAX_FILES_WITH_BOUNDS: usize = 2_000;

/// The Parquet files of one table in one snapshot.
#[derive(Debug)]
pub(crate) struct ParquetTable {
    table: Table,
    /// The object store that the files are in.
    store: ObjectStoreUrl,
    schema: SchemaRef,
    files: Vec<File>,
    stats: FileStats,
}

#[derive(Debug)]
struct File {
    meta: Option<ObjectMeta>,
    rows: u64,
    size_bytes: u64,
}

impl ParquetTable {
    pub(super) fn new(table: Table, files: &[DataFile], store: ObjectStoreUrl) -> Self {
        let schema = with_views(&table.schema());
        let stats = FileStats::new(files, &schema);
        let files = files
            .iter()
            .map(|file| File {
                meta: object_meta(file),
                rows: file.n_records,
                size_bytes: file.size_bytes,
            })
            .collect();
        Self { table, store, schema, files, stats }
    }

    /// Which table's files they are.
    pub(crate) fn table(&self) -> Table {
        self.table
    }

    /// Its rows, from the transaction log.
    pub(crate) fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// The bounds of `column` over all files, where the log has them for every file with rows.
    pub(crate) fn bounds(
        &self,
        column: &str,
    ) -> Option<(datafusion::scalar::ScalarValue, datafusion::scalar::ScalarValue)> {
        let mut whole = None;
        for (index, file) in self.files.iter().enumerate() {
            if file.rows == 0 {
                continue;
            }
            let bounds = self.stats.bounds(column, index)?;
            let (min, max) = (bounds.min.clone()?, bounds.max.clone()?);
            whole = Some(match whole {
                None => (min, max),
                Some((least, most)) => {
                    (if min < least { min } else { least }, if max > most { max } else { most })
                }
            });
        }
        whole
    }

    /// The files that may hold rows for which `filters` are true.
    fn prune(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<usize>> {
        let all =
            (0..self.files.len()).filter(|at| self.files.get(*at).is_some_and(|f| f.rows > 0));
        let Some(predicate) = conjunction(filters.iter().cloned()) else {
            return Ok(all.collect());
        };
        let schema = Arc::clone(&self.schema).to_dfschema()?;
        let predicate = state.create_physical_expr(predicate, &schema)?;
        let keep = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .build(predicate)
            .and_then(|pruning| pruning.prune(&self.stats).ok());
        Ok(match keep {
            Some(keep) => all.filter(|at| keep.get(*at).copied().unwrap_or(true)).collect(),
            // A predicate that cannot be judged by bounds keeps every file.
            None => all.collect(),
        })
    }

    fn partitioned(&self, index: usize, with_bounds: bool) -> Result<PartitionedFile> {
        let file = self
            .files
            .get(index)
            .ok_or_else(|| internal_datafusion_err!("no file {index} in {}", self.table.name()))?;
        let meta = file.meta.clone().ok_or_else(|| {
            internal_datafusion_err!("a file of {} has no usable path", self.table.name())
        })?;
        let mut part = PartitionedFile::new_from_meta(meta);
        if with_bounds {
            part = part.with_statistics(Arc::new(self.statistics(index, file)));
        }
        Ok(part)
    }

    fn statistics(&self, index: usize, file: &File) -> Statistics {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX));
        statistics.total_byte_size =
            Precision::Inexact(usize::try_from(file.size_bytes).unwrap_or(usize::MAX));
        for name in self.stats.columns() {
            let (Ok(at), Some(bounds)) =
                (self.schema.index_of(name), self.stats.bounds(name, index))
            else {
                continue;
            };
            let inexact = |value: &Option<_>| match value {
                Some(value) => Precision::Inexact(Clone::clone(value)),
                None => Precision::Absent,
            };
            if let Some(column) = statistics.column_statistics.get_mut(at) {
                *column = ColumnStatistics {
                    null_count: bounds.nulls.map_or(Precision::Absent, |nulls| {
                        Precision::Exact(usize::try_from(nulls).unwrap_or(usize::MAX))
                    }),
                    min_value: inexact(&bounds.min),
                    max_value: inexact(&bounds.max),
                    ..ColumnStatistics::new_unknown()
                };
            }
        }
        statistics
    }

    /// Groups `files` for as many readers as there are threads, and sums up their statistics.
    fn groups(&self, files: &[usize], threads: usize) -> Result<(Vec<FileGroup>, Statistics)> {
        let with_bounds = files.len() <= MAX_FILES_WITH_BOUNDS;
        let parts: Vec<PartitionedFile> =
            files.iter().map(|at| self.partitioned(*at, with_bounds)).collect::<Result<_>>()?;
        let groups = FileGroup::new(parts).split_files(threads.max(1));
        if !with_bounds {
            let mut statistics = Statistics::new_unknown(&self.schema);
            let rows: u64 = files.iter().filter_map(|at| self.files.get(*at)).map(|f| f.rows).sum();
            statistics.num_rows = Precision::Exact(usize::try_from(rows).unwrap_or(usize::MAX));
            return Ok((groups, statistics));
        }
        let groups: Vec<FileGroup> = groups
            .into_iter()
            .map(|group| {
                let of_files = group.iter().filter_map(|file| file.statistics.as_deref());
                let sum = Statistics::try_merge_iter(of_files, &self.schema)?;
                Ok(group.with_statistics(Arc::new(sum)))
            })
            .collect::<Result<_>>()?;
        let of_groups = groups.iter().filter_map(|group| group.file_statistics(None));
        let statistics = Statistics::try_merge_iter(of_groups, &self.schema)?;
        Ok((groups, statistics))
    }

    /// Whether rows are to be filtered while they are read, so that further columns are read for
    /// those alone that stay. Where there is no other column, choosing rows only costs.
    fn reads_more(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> bool {
        let Some(&[column]) = projection.map(Vec::as_slice) else { return true };
        let field = self.schema.field(column);
        let is_meant = |asked: &Column| asked.name() == field.name();
        field.data_type() != &DataType::Utf8View
            || filters.is_empty()
            || !filters.iter().all(|filter| filter.column_refs().into_iter().all(is_meant))
    }

    /// As many of `files` as hold `limit` rows, where every row counts.
    fn first_rows(&self, files: Vec<usize>, limit: usize) -> Vec<usize> {
        let mut rows = 0_u64;
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        files
            .into_iter()
            .take_while(|at| {
                let wanted = rows < limit;
                rows += self.files.get(*at).map_or(0, |file| file.rows);
                wanted
            })
            .collect()
    }
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // Files are pruned by them here; the rows are filtered by the Parquet reader, into which
        // the physical optimizer pushes the filter that stays above the scan.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let reads_more = self.reads_more(projection, filters);
        let mut filters = filters.to_vec();
        // What follows from the filters, in terms of what files and row groups have bounds of.
        let days = computed::delivery_range(&filters);
        let window = (self.table == Table::Events).then(|| coverage::window(&filters)).flatten();
        let declared = ddl::implied(&filters, state)?;
        let implied = conjunction(days.into_iter().chain(window).chain(declared));
        filters.extend(implied.clone());
        let mut files = self.prune(state, &filters)?;
        if let (Some(limit), true) = (limit, filters.is_empty()) {
            files = self.first_rows(files, limit);
        }
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        let options = state.config_options();
        let (groups, statistics) = self.groups(&files, options.execution.target_partitions)?;
        let runtime = state.runtime_env();
        let reader = Readers::of_views(Arc::new(CachedParquetFileReaderFactory::new(
            runtime.object_store(&self.store)?,
            runtime.cache_manager.get_file_metadata_cache(),
        )));
        let mut source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_pushdown_filters(reads_more)
            .with_parquet_file_reader_factory(Arc::new(reader));
        if let Some(implied) = implied {
            let schema = Arc::clone(&self.schema).to_dfschema()?;
            source = source.with_predicate(state.create_physical_expr(implied, &schema)?);
        }
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The file as the object store names it. Data files never change, so that the time of
/// modification, by which footers are cached, can stay the same.
fn object_meta(file: &DataFile) -> Option<ObjectMeta> {
    Some(ObjectMeta {
        location: file.location()?,
        last_modified: chrono::DateTime::UNIX_EPOCH,
        size: file.size_bytes,
        e_tag: None,
        version: None,
    })
}
