//! Scans whose columns of few texts are read as the dictionaries in which they are stored.

use std::sync::Arc;

use datafusion::{
    datasource::{
        physical_plan::{FileScanConfigBuilder, FileSource, ParquetSource},
        source::DataSourceExec,
    },
    error::Result,
    physical_expr::{
        PhysicalExpr, conjunction_opt, expressions::Column, split_conjunction,
        utils::collect_columns,
    },
    physical_plan::ExecutionPlan,
};

use super::views::{Readers, translated};

/// The columns of which files hold few different texts, next to their rows.
pub(crate) const FEW_TEXTS: &[&str] = &[
    "apiversion",
    "awsregion",
    "errorcode",
    "eventcategory",
    "eventname",
    "eventsource",
    "eventtype",
    "eventversion",
    "recipientaccountid",
    "useragent",
];

/// `scan` of a table's files with these of its columns as dictionaries; nothing where it is no such
/// scan, has no such columns of few texts, or filters rows by them while it reads.
pub(crate) fn with_dictionaries(
    scan: &Arc<dyn ExecutionPlan>,
    columns: &[usize],
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let source = scan.downcast_ref::<DataSourceExec>();
    let Some((config, source)) = source.and_then(DataSourceExec::downcast_to_file_source) else {
        return Ok(None);
    };
    let source: &ParquetSource = source;
    let (Some(projection), Some(files)) =
        (source.projection(), source.parquet_file_reader_factory())
    else {
        return Ok(None);
    };
    let read: Vec<_> = projection.expr_iter().collect();
    let column = |at: &usize| read.get(*at)?.downcast_ref::<Column>();
    let named: Arc<[String]> = columns
        .iter()
        .filter_map(column)
        .map(|column| column.name().to_owned())
        .filter(|name| FEW_TEXTS.contains(&name.as_str()))
        .collect();
    // Read twice, once as it is?
    let n_read =
        read.iter().flat_map(collect_columns).filter(|c| named.contains(&c.name().to_owned()));
    let predicate = source.filter();
    let is_named = |predicate: &Arc<dyn PhysicalExpr>| {
        collect_columns(predicate)
            .iter()
            .any(|column| named.iter().any(|name| name == column.name()))
    };
    let filters = source.table_parquet_options().global.pushdown_filters;
    if named.is_empty()
        || n_read.count() != named.len()
        || (filters && predicate.as_ref().is_some_and(is_named))
    {
        return Ok(None);
    }
    let schema = translated(source.table_schema().file_schema(), &named);
    let files = Readers::of_dictionaries(Arc::clone(files), Arc::clone(&named));
    let mut made = ParquetSource::new(schema)
        .with_table_parquet_options(source.table_parquet_options().clone())
        .with_parquet_file_reader_factory(Arc::new(files));
    // What only leaves out files and row groups does so by the other columns.
    let of_others = predicate.iter().flat_map(split_conjunction).filter(|part| !is_named(part));
    if let Some(predicate) = conjunction_opt(of_others.cloned()) {
        made = made.with_predicate(predicate);
    }
    let Some(made) = made.try_pushdown_projection(projection)? else { return Ok(None) };
    let config = FileScanConfigBuilder::from(config.clone()).with_source(made).build();
    Ok(Some(DataSourceExec::from_data_source(config)))
}
