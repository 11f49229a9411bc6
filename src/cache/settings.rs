//! How each column is written to Parquet.

use arrow::datatypes::{DataType, Field, Schema};
use parquet::{
    basic::{Compression, ZstdLevel},
    file::{
        metadata::SortingColumn,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
    },
    schema::types::ColumnPath,
};

use super::Table;

/// The most rows of a row group.
pub(super) const MAX_GROUP_ROWS: usize = 131_072;

/// The most rows of a page: eight pages to a full row group.
const MAX_PAGE_ROWS: usize = 16_384;

/// The most bytes of a page of a [`SPARSELY_READ`] column, before compression: what is read of them
/// for one row. A quarter of Parquet's usual page; the files grow by less than a hundredth.
const SPARSE_PAGE_BYTES: usize = 256 << 10;

/// Columns of long texts, which are mostly read for the few rows that the others chose.
const SPARSELY_READ: &[&str] = &["additionaleventdata", "requestparameters", "responseelements"];

/// The column that files are sorted by.
pub(super) const SORT_COLUMN: &str = "event_ts";

/// Columns that hardly ever repeat: a dictionary would be built and thrown away.
const NO_DICTIONARY: &[&str] = &["eventid", "requestid", "sharedeventid", "record_offset"];

/// Columns that responders look up by value: they get bloom filters.
const LOOKED_UP: &[&str] = &[
    "eventid",
    "eventname",
    "issued_key",
    "principal_key",
    "sourceipaddress",
    "useridentity.accesskeyid",
    "useridentity.arn",
];

/// Columns whose bounds differ from page to page, because rows are sorted by time, or that are
/// NULL on most pages: for these each page says what it holds.
const PAGE_STATISTICS: &[&str] = &[
    "delivery_date",
    "errorcode",
    "event_ts",
    "eventtime",
    "issued_key",
    "sharedeventid",
    "src_ip",
    "useridentity.accesskeyid",
];

/// Columns whose bounds say nothing: long texts, ids, and words of which every row group has the
/// first and the last. Finding bounds is a tenth of the work of encoding; this halves it.
/// A column of this name, or below it.
const NO_STATISTICS: &[&str] = &[
    "actor_account",
    "additionaleventdata",
    "empty_fields",
    "envelope",
    "errormessage",
    "event_name_base",
    "eventid",
    "eventjson",
    "eventtype",
    "eventversion",
    "key_kind",
    "owner_account",
    "requestid",
    "requestparameters",
    "resources",
    "responseelements",
    "service",
    "session_name",
    "shape",
    "src_kind",
    "text",
    "tlsdetails",
    "useragent",
    "useridentity.principalid",
    "useridentity.sessioncontext",
    "useridentity.type",
    "useridentity.username",
    "wrapper",
];

/// Whether the files of `table` are sorted by [`SORT_COLUMN`].
pub(super) fn is_sorted(table: Table) -> bool {
    matches!(table, Table::Events | Table::Aggregated)
}

/// The properties for files of `table` whose row groups have at most `group_rows` rows.
pub(super) fn properties(table: Table, schema: &Schema, group_rows: usize) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("trailhound version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_data_page_row_count_limit(MAX_PAGE_ROWS)
        .set_max_row_group_row_count(Some(MAX_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(64))
        .set_column_index_truncate_length(Some(64))
        .set_sorting_columns(
            sorting_column(schema).filter(|_| is_sorted(table)).map(|column| vec![column]),
        );
    let n_distinct = group_rows.clamp(1, MAX_GROUP_ROWS) as u64;
    for (path, _) in leaves(schema) {
        builder = column(builder, &path, n_distinct);
    }
    builder.build()
}

fn column(
    builder: WriterPropertiesBuilder,
    path: &[String],
    n_distinct: u64,
) -> WriterPropertiesBuilder {
    let name = path.join(".");
    let name = name.as_str();
    let mut builder = builder;
    let column = || ColumnPath::new(path.to_vec());
    if NO_DICTIONARY.contains(&name) {
        builder = builder.set_column_dictionary_enabled(column(), false);
    }
    if SPARSELY_READ.contains(&name) {
        builder = builder.set_column_data_page_size_limit(column(), SPARSE_PAGE_BYTES);
    }
    if LOOKED_UP.contains(&name) {
        builder = builder
            .set_column_bloom_filter_fpp(column(), 0.01)
            .set_column_bloom_filter_max_ndv(column(), n_distinct);
    }
    if PAGE_STATISTICS.contains(&name) {
        builder = builder.set_column_statistics_enabled(column(), EnabledStatistics::Page);
    } else if NO_STATISTICS.iter().any(|column| {
        name.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }) {
        builder = builder.set_column_statistics_enabled(column(), EnabledStatistics::None);
    }
    builder
}

fn sorting_column(schema: &Schema) -> Option<SortingColumn> {
    let leaf = leaves(schema).iter().position(|(path, _)| path == &[SORT_COLUMN])?;
    let column_idx = i32::try_from(leaf).ok()?;
    Some(SortingColumn { column_idx, descending: false, nulls_first: true })
}

/// The leaves of `schema` in Parquet's order: path, and index of the column they belong to.
pub(super) fn leaves(schema: &Schema) -> Vec<(Vec<String>, usize)> {
    let mut leaves = Vec::new();
    for (index, field) in schema.fields().iter().enumerate() {
        let mut paths = Vec::new();
        walk(field, &mut Vec::new(), &mut paths);
        leaves.extend(paths.into_iter().map(|path| (path, index)));
    }
    leaves
}

fn walk(field: &Field, above: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    above.push(field.name().clone());
    match field.data_type() {
        DataType::Struct(children) => {
            for child in children {
                walk(child, above, leaves);
            }
        }
        // Parquet puts a repeated group, named `list` for lists, between the two.
        DataType::List(child) | DataType::LargeList(child) => {
            above.push("list".to_owned());
            walk(child, above, leaves);
            above.pop();
        }
        DataType::Map(child, _) => walk(child, above, leaves),
        _ => leaves.push(above.clone()),
    }
    above.pop();
}
