//! The partitions of a declared table in one snapshot: which files of the ledger are its own, and
//! what they hold; the functions that read them from a row's file; and what predicates on them
//! say of a row's time, by which files and row groups are pruned.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StringViewArray,
    },
    compute::cast,
    datatypes::{DataType, Field, Int32Type, Int64Type, Schema, TimestampMicrosecondType},
};
use chrono::NaiveDateTime;
use datafusion::{
    catalog::Session,
    common::{
        ToDFSchema,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
        utils::take_function_args,
    },
    datasource::provider_as_source,
    error::Result,
    execution::{
        memory_pool::{MemoryConsumer, MemoryReservation},
        session_state::SessionState,
    },
    functions_aggregate::expr_fn::count,
    logical_expr::{
        ColumnarValue, Expr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility, col, expr::ScalarFunction, ident, lit, utils::split_conjunction,
    },
    physical_plan::execute_stream,
    scalar::ScalarValue,
};
use futures::StreamExt;

use super::{
    place::{self, PathValues, Place, Rule},
    store::{DeclaredTable, StoredTable},
    values,
};
use crate::{
    cache::Table,
    engine::tables::{Relation, SnapshotTables},
};

/// What the files of one partition hold.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Partition {
    pub(in crate::engine) values: PathValues,
    pub(in crate::engine) files: u64,
    /// The first and last event; nothing where no file tells.
    span: Option<(i64, i64)>,
    /// Whether a file holds events whose times the ledger does not tell.
    is_open: bool,
    /// The first and last of its files, by URI.
    uris: (String, String),
}

/// A declared table in one snapshot.
#[derive(Debug)]
pub(in crate::engine) struct Catalogue {
    /// No two have the same.
    pub(in crate::engine) number: usize,
    pub(in crate::engine) table: Arc<DeclaredTable>,
    pub(in crate::engine) rule: Rule,
    place: Place,
    /// Those that hold files.
    pub(in crate::engine) partitions: Vec<Partition>,
    /// Files below the table's locations that lie in no partition.
    pub(in crate::engine) outside: u64,
    /// Files of its own that were met with other content before.
    pub(in crate::engine) changed: u64,
    /// Whether a file of its own holds copies that were not written again.
    pub(in crate::engine) has_copies: bool,
    /// Folders of Hive's layout that are no partitions yet: values and location.
    pub(in crate::engine) unlisted: Vec<(PathValues, String)>,
    /// The memory that all this takes.
    _reserved: MemoryReservation,
}

impl Catalogue {
    /// The first and last event of the table.
    pub(in crate::engine) fn span(&self) -> Option<(i64, i64)> {
        let spans = self.partitions.iter().filter_map(|partition| partition.span);
        spans.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }

    /// Whether it has no files at all.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Its partitions as rows of the partition columns.
    pub(in crate::engine) fn rows(&self) -> Result<RecordBatch> {
        let columns = self.table.declaration.partitions.iter().enumerate();
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
            .map(|(at, column)| {
                let texts = self.partitions.iter().map(|p| p.values.get(at)?.as_deref());
                let array = values::column(&self.table, at, texts);
                (Field::new(&column.name, array.data_type().clone(), true), array)
            })
            .unzip();
        let options = RecordBatchOptions::new().with_row_count(Some(self.partitions.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
    }

    /// Whether the row of the file `uri` is the table's own.
    pub(in crate::engine) fn is_own(self: &Arc<Self>, uri: Expr) -> Expr {
        self.of(None, uri)
    }

    /// The partition column `at` of the row of the file `uri`.
    pub(in crate::engine) fn value(self: &Arc<Self>, at: usize, uri: Expr) -> Expr {
        self.of(Some(at), uri)
    }

    fn of(self: &Arc<Self>, part: Option<usize>, uri: Expr) -> Expr {
        let column = part.and_then(|at| self.table.declaration.partitions.get(at));
        let what = column.map_or("own", |column| column.name.as_str());
        let function = PlaceOf {
            name: format!("{what}_of_{}", self.table.name()),
            part,
            catalogue: Arc::clone(self),
            signature: Signature::any(1, Volatility::Immutable),
        };
        let function = Arc::new(ScalarUDF::new_from_impl(function));
        Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![uri]))
    }
}

/// The catalogues of one snapshot.
#[derive(Debug, Default)]
pub(in crate::engine) struct Catalogues(Mutex<Vec<(StoredTable, Arc<Catalogue>)>>);

impl Catalogues {
    /// The catalogue of `table`, built from the ledger unless it was.
    pub(in crate::engine) async fn get(
        &self,
        table: &Arc<DeclaredTable>,
        state: &SessionState,
        tables: &SnapshotTables,
    ) -> Result<Arc<Catalogue>> {
        {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, known)) = known.iter().find(|(stored, _)| *stored == table.stored) {
                return Ok(Arc::clone(known));
            }
        }
        let catalogue = Arc::new(build(table, state, tables).await?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a table that was altered, the older catalogues serve nobody.
        known.retain(|(stored, _)| stored.text != table.stored.text);
        known.push((table.stored.clone(), Arc::clone(&catalogue)));
        Ok(catalogue)
    }
}

/// The rule by which the files of `table` are found.
async fn rule(
    table: &DeclaredTable,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Rule> {
    let mut roots = vec![table.stored.root.as_str()];
    roots.extend(table.stored.partitions.iter().map(|partition| partition.root.as_str()));
    roots.extend(table.stored.template.as_deref());
    roots.retain(|root| place::is_in_s3(root));
    if roots.iter().any(|root| place::logs(root).is_none()) {
        return Ok(Rule::Exact);
    }
    let buckets: BTreeSet<&str> = roots.iter().filter_map(|root| root.split('/').nth(2)).collect();
    let of_bucket = |bucket: &str| {
        let (first, behind) = (format!("s3://{bucket}/"), format!("s3://{bucket}0"));
        ident("uri").gt_eq(lit(first)).and(ident("uri").lt(lit(behind)))
    };
    let Some(in_buckets) = buckets.into_iter().map(of_bucket).reduce(Expr::or) else {
        return Ok(Rule::Exact);
    };
    // What was read from the bucket is what is meant; else copies of it may have been.
    let ledger = provider_as_source(tables.table(Table::LogFiles));
    let plan = LogicalPlanBuilder::scan(Table::LogFiles.name(), ledger, None)?
        .filter(in_buckets)?
        .project(vec![lit(1_i64)])?
        .limit(0, Some(1))?
        .build()?;
    let mut rows = execute_stream(state.create_physical_plan(&plan).await?, state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        if batch?.num_rows() > 0 {
            return Ok(Rule::Exact);
        }
    }
    Ok(Rule::Copies)
}

/// The number of the next catalogue.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// What is read of the ledger.
const LEDGER: [&str; 6] =
    ["uri", "version", "outcome", "records_read", "first_event_at", "last_event_at"];

async fn build(
    table: &Arc<DeclaredTable>,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Catalogue> {
    let rule = rule(table, state, tables).await?;
    let now = state.execution_props().query_execution_start_time;
    let now = now.map_or_else(NaiveDateTime::default, |now| now.naive_utc());
    let place = Place::new(table, rule, now);
    let ledger = provider_as_source(Relation::LogFiles.provider(tables)?);
    let plan =
        LogicalPlanBuilder::scan("log_files", ledger, None)?.project(LEDGER.map(ident))?.build()?;
    let plan = state.optimize(&plan)?;
    let mut rows = execute_stream(state.create_physical_plan(&plan).await?, state.task_ctx())?;
    let consumer = MemoryConsumer::new(format!("partitions of {}", table.name()));
    let reserved = consumer.register(&state.runtime_env().memory_pool);
    let mut found = Found::default();
    while let Some(batch) = rows.next().await {
        found.add(table, rule, &place, &batch?)?;
        reserved.try_resize(found.bytes)?;
    }
    let mut partitions: Vec<Partition> = found.partitions.into_values().collect();
    partitions.sort_by(|a, b| a.values.cmp(&b.values));
    let mut unlisted: Vec<(PathValues, String)> = found.unlisted.into_iter().collect();
    unlisted.sort();
    let mut catalogue = Catalogue {
        number: NUMBER.fetch_add(1, Ordering::Relaxed),
        table: Arc::clone(table),
        rule,
        place,
        partitions,
        outside: found.outside,
        changed: u64::try_from(found.changed.len()).unwrap_or(u64::MAX),
        has_copies: false,
        unlisted,
        _reserved: reserved,
    };
    if tables.rows(Table::Duplicates) > 0 && !catalogue.partitions.is_empty() {
        let shared = Arc::new(catalogue);
        let has_copies = has_copies(&shared, state, tables).await?;
        let Some(own) = Arc::into_inner(shared) else {
            return datafusion::common::internal_err!("a plan outlives its run");
        };
        catalogue = own;
        catalogue.has_copies = has_copies;
    }
    Ok(catalogue)
}

/// Whether a file of the table holds copies.
async fn has_copies(
    catalogue: &Arc<Catalogue>,
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<bool> {
    let copies = provider_as_source(tables.table(Table::Duplicates));
    let plan = LogicalPlanBuilder::scan(Table::Duplicates.name(), copies, None)?
        .filter(catalogue.is_own(ident("source_file")))?
        .aggregate(Vec::<Expr>::new(), vec![count(lit(1_i64))])?
        .build()?;
    let plan = state.create_physical_plan(&plan).await?;
    let mut rows = execute_stream(plan, state.task_ctx())?;
    let mut any = false;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let counts = batch.columns().first().and_then(|c| c.as_primitive_opt::<Int64Type>());
        any |= counts.is_some_and(|counts| counts.iter().flatten().any(|n| n > 0));
    }
    Ok(any)
}

/// What an entry of a map takes beside its texts.
const ENTRY_BYTES: usize = 160;

/// What the ledger tells so far.
#[derive(Default)]
struct Found {
    partitions: HashMap<PathValues, Partition>,
    outside: u64,
    changed: HashSet<String>,
    /// What all this takes, about.
    bytes: usize,
    unlisted: HashMap<PathValues, String>,
}

impl Found {
    fn add(
        &mut self,
        table: &DeclaredTable,
        rule: Rule,
        place: &Place,
        batch: &RecordBatch,
    ) -> Result<()> {
        let texts = |name: &str| -> Result<StringViewArray> {
            let column = batch.column_by_name(name).map_or_else(
                || arrow::array::new_null_array(&DataType::Utf8View, batch.num_rows()),
                Arc::clone,
            );
            Ok(cast(&column, &DataType::Utf8View)?.as_string_view().clone())
        };
        let times = |name: &str| {
            let column = batch.column_by_name(name)?;
            column.as_primitive_opt::<TimestampMicrosecondType>().cloned()
        };
        let (uris, outcomes) = (texts("uri")?, texts("outcome")?);
        let (first, last) = (times("first_event_at"), times("last_event_at"));
        let versions = batch.column_by_name("version").cloned();
        let versions = versions.as_ref().and_then(|c| c.as_primitive_opt::<Int32Type>());
        let read = batch.column_by_name("records_read").cloned();
        let read = read.as_ref().and_then(|c| c.as_primitive_opt::<Int64Type>());
        for (row, (uri, outcome)) in uris.iter().zip(&outcomes).enumerate() {
            let (Some(uri), Some(outcome)) = (uri, outcome) else { continue };
            if versions.is_some_and(|c| c.value(row) > 1)
                && !self.changed.contains(uri)
                && place.values(table, uri).is_some()
            {
                self.bytes += ENTRY_BYTES + uri.len();
                self.changed.insert(uri.to_owned());
            }
            let n_read = read.filter(|c| c.is_valid(row)).map_or(0, |c| c.value(row));
            let may_hold_events = match outcome {
                "partial" => true,
                "ingested" | "skipped" => n_read > 0,
                _ => false,
            };
            if !may_hold_events {
                continue;
            }
            let Some(values) = place.values(table, uri) else {
                self.outside(table, rule, uri);
                continue;
            };
            let time = |column: &Option<arrow::array::TimestampMicrosecondArray>| {
                column.as_ref().filter(|c| c.is_valid(row)).map(|c| c.value(row))
            };
            // The row of a file that is committed in parts tells only of the parts so far.
            let span = time(&first).zip(time(&last)).filter(|_| outcome != "partial");
            let n_before = self.partitions.len();
            let partition = self.partitions.entry(values).or_insert_with_key(|values| Partition {
                values: values.clone(),
                files: 0,
                span: None,
                is_open: false,
                uris: (uri.to_owned(), uri.to_owned()),
            });
            partition.add(uri, span);
            if self.partitions.len() > n_before {
                self.bytes += ENTRY_BYTES + 4 * uri.len();
            }
        }
        Ok(())
    }

    /// A file that is none of the table's: it may lie in a folder that could be a partition, or
    /// below the location and in no partition.
    fn outside(&mut self, table: &DeclaredTable, rule: Rule, uri: &str) {
        if table.is_listed()
            && let Some((values, location)) = place::hive_partition(table, rule, uri)
        {
            self.bytes += ENTRY_BYTES + 2 * location.len();
            self.unlisted.insert(values, location);
        }
        if place::is_below(table, rule, uri) {
            self.outside += 1;
        }
    }
}

impl Partition {
    fn add(&mut self, uri: &str, span: Option<(i64, i64)>) {
        self.files += 1;
        match (self.span, span) {
            (_, None) => self.is_open = true,
            (None, span) => self.span = span,
            (Some((a, b)), Some((c, d))) => self.span = Some((a.min(c), b.max(d))),
        }
        if uri < self.uris.0.as_str() {
            uri.clone_into(&mut self.uris.0);
        }
        if uri > self.uris.1.as_str() {
            uri.clone_into(&mut self.uris.1);
        }
    }
}

/// The function behind a partition column, and behind a row's being the table's own.
#[derive(Debug)]
pub(in crate::engine) struct PlaceOf {
    name: String,
    /// Which partition column; nothing for whether it is the table's own.
    pub(in crate::engine) part: Option<usize>,
    pub(in crate::engine) catalogue: Arc<Catalogue>,
    signature: Signature,
}

impl PartialEq for PlaceOf {
    fn eq(&self, other: &Self) -> bool {
        self.part == other.part && self.catalogue.number == other.catalogue.number
    }
}

impl Eq for PlaceOf {}

impl Hash for PlaceOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.catalogue.number.hash(state);
    }
}

impl ScalarUDFImpl for PlaceOf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        let table = &self.catalogue.table;
        Ok(self.part.map_or(DataType::Boolean, |at| values::data_type(table, at)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [uris] = take_function_args(self.name(), args.args)?;
        let uris = cast(&uris.into_array(rows)?, &DataType::Utf8View)?;
        let catalogue = &self.catalogue;
        let (of_files, places) = values::each_once(uris.as_string_view(), |uri| {
            catalogue.place.values(&catalogue.table, uri)
        });
        let of_row = |place: &Option<usize>| of_files.get((*place)?)?.as_ref();
        let Some(at) = self.part else {
            let own = places.iter().map(|place| Some(of_row(place).is_some()));
            return Ok(ColumnarValue::Array(Arc::new(own.collect::<BooleanArray>())));
        };
        let texts = places.iter().map(|place| of_row(place)?.get(at)?.as_deref());
        Ok(ColumnarValue::Array(values::column(&catalogue.table, at, texts)))
    }
}

/// The catalogue that `filters` ask about.
pub(in crate::engine) fn asked_about(filters: &[Expr]) -> Option<Arc<Catalogue>> {
    let mut found = None;
    for filter in filters {
        let _ = filter.apply(|expr| {
            Ok(match place_of(expr) {
                Some(function) => {
                    found = Some(Arc::clone(&function.catalogue));
                    TreeNodeRecursion::Stop
                }
                None => TreeNodeRecursion::Continue,
            })
        });
    }
    found
}

/// The function of a declared table that `expr` calls.
pub(super) fn place_of(expr: &Expr) -> Option<&PlaceOf> {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<PlaceOf>(),
        _ => None,
    }
}

/// The partitions that `filters` leave of `catalogue`, by what they say of partition columns
/// alone.
pub(in crate::engine) fn left<'c>(
    catalogue: &'c Catalogue,
    filters: &[Expr],
    state: &dyn Session,
) -> Result<Vec<&'c Partition>> {
    let rows = catalogue.rows()?;
    if rows.num_columns() == 0 {
        return Ok(catalogue.partitions.iter().collect());
    }
    let mut keep = vec![true; catalogue.partitions.len()];
    let schema = rows.schema().to_dfschema()?;
    for filter in filters.iter().flat_map(split_conjunction) {
        // What is random for each row says nothing of a partition.
        if filter.is_volatile() {
            continue;
        }
        let Some(filter) = of_partitions(filter, catalogue)? else { continue };
        // A predicate that fails on some partition narrows nothing: it fails on its rows as well.
        let Ok(filter) = state.create_physical_expr(filter, &schema) else { continue };
        let Ok(value) = filter.evaluate(&rows).and_then(|v| v.into_array(rows.num_rows())) else {
            continue;
        };
        let Some(value) = value.as_boolean_opt() else { continue };
        for (keep, value) in keep.iter_mut().zip(value) {
            *keep &= value == Some(true);
        }
    }
    let partitions = catalogue.partitions.iter().zip(keep);
    Ok(partitions.filter(|(_, keep)| *keep).map(|(partition, _)| partition).collect())
}

/// `filter` in terms of the columns of [`Catalogue::rows`], if it asks about partition columns
/// and nothing else.
fn of_partitions(filter: &Expr, catalogue: &Catalogue) -> Result<Option<Expr>> {
    let mut asks = false;
    let replaced = filter.clone().transform_down(|expr| {
        let Some(function) = place_of(&expr) else { return Ok(Transformed::no(expr)) };
        let column = function.part.and_then(|at| catalogue.table.declaration.partitions.get(at));
        Ok(match column {
            Some(column) => {
                asks = true;
                let named = Expr::Column(datafusion::common::Column::from_name(&column.name));
                Transformed::new(named, true, TreeNodeRecursion::Jump)
            }
            None => Transformed::no(expr),
        })
    })?;
    let partitions = &catalogue.table.declaration.partitions;
    let only = replaced.data.column_refs().iter().all(|column| {
        column.relation.is_none() && partitions.iter().any(|known| known.name == column.name)
    });
    Ok((asks && only).then_some(replaced.data))
}

/// What follows from `filters` on a declared table, in terms of what files and row groups have
/// bounds of: the times and URIs of the partitions that they leave.
pub(in crate::engine) fn implied(filters: &[Expr], state: &dyn Session) -> Result<Option<Expr>> {
    let Some(catalogue) = asked_about(filters) else { return Ok(None) };
    let left = left(&catalogue, filters, state)?;
    let uris = left.iter().map(|partition| (&partition.uris.0, &partition.uris.1));
    let Some((first, last)) = uris.reduce(|(a, b), (c, d)| (a.min(c), b.max(d))) else {
        return Ok(Some(lit(false)));
    };
    let mut implied = col("source_file")
        .gt_eq(lit(first.clone()))
        .and(col("source_file").lt_eq(lit(last.clone())));
    if let Some(within) = times(left, &col("event_ts")) {
        implied = implied.and(within);
    }
    Ok(Some(implied))
}

/// What is true of the time `of` of each event in the files of `partitions`, where the ledger
/// tells.
pub(super) fn times<'p>(
    partitions: impl IntoIterator<Item = &'p Partition>,
    of: &Expr,
) -> Option<Expr> {
    let mut whole: Option<(i64, i64)> = None;
    for partition in partitions {
        let (from, to) = partition.span.filter(|_| !partition.is_open)?;
        whole = Some(whole.map_or((from, to), |(a, b)| (a.min(from), b.max(to))));
    }
    let (from, to) = whole?;
    let instant = |at: i64| lit(ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into())));
    let within = of.clone().gt_eq(instant(from)).and(of.clone().lt_eq(instant(to)));
    Some(within.or(of.clone().is_null()))
}
