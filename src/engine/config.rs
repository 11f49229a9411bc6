//! How DataFusion is set up: options, memory, disk.

use std::{num::NonZeroUsize, sync::Arc};

use datafusion::{
    common::tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    execution::{
        SessionStateBuilder,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::TrackConsumersPool,
        object_store::ObjectStoreUrl,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
        session_state::SessionState,
    },
    logical_expr::{Expr, LogicalPlan},
    optimizer::{Analyzer, AnalyzerRule, ApplyOrder, Optimizer, OptimizerConfig, OptimizerRule},
    physical_optimizer::{PhysicalOptimizerRule, optimizer::PhysicalOptimizer},
    physical_plan::ExecutionPlan,
    prelude::SessionConfig,
};

use super::{
    SessionOptions, addresses, attempt, casts, chains, compact, computed, functions, lenient,
    memory::Pool, named, numbers, relations, sides, spill::SpillDir, times, unnest,
};
use crate::cache::Cache;

/// The catalog that names without one belong to; Athena's name for the Glue catalog.
pub(super) const CATALOG: &str = "awsdatacatalog";

/// The database that names without one belong to; Athena's default.
pub(super) const SCHEMA: &str = "default";

/// Consumers named when memory runs out.
const CONSUMERS_TOLD: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Below 512 MiB batches have fewer rows than DataFusion's 8,192, in proportion.
const MEMORY_FOR_A_ROW: usize = 64 << 10;

/// The fewest rows of a batch.
const MIN_BATCH_ROWS: usize = 256;

/// The options every statement starts from; `SET` changes them for the session.
pub(super) fn session(options: &SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false);
    let all = config.options_mut();
    all.sql_parser.collect_spans = true;
    // `1.5` is a decimal; what has an exponent is a double: see `rewrite::trino`.
    all.sql_parser.parse_float_as_decimal = true;
    // As Athena does; DataFusion's default would put NULLs first in descending order.
    "nulls_last".clone_into(&mut all.sql_parser.default_null_ordering);
    all.execution.time_zone = Some("UTC".to_owned());
    // Each scan decides (`tables::scan`).
    all.execution.parquet.pushdown_filters = false;
    all.execution.parquet.reorder_filters = true;
    all.execution.parquet.bloom_filter_on_read = true;
    all.execution.parquet.enable_page_index = true;
    // What each sorting thread sets aside for merging, which must leave room for the rows.
    let reservation = options.memory_bytes / options.threads.max(1) / 8;
    all.execution.sort_spill_reservation_bytes =
        all.execution.sort_spill_reservation_bytes.min(reservation);
    // A sorting thread takes its rows in batches, and its share must hold two of them.
    let batch_rows = options.memory_bytes / MEMORY_FOR_A_ROW;
    all.explain.logical_plan_only = false;
    let batch_rows = batch_rows.clamp(MIN_BATCH_ROWS, config.batch_size());
    config.with_batch_size(batch_rows)
}

/// Memory and disk: one pool and one footer cache for all statements of a session.
pub(super) fn runtime(
    options: &SessionOptions,
    spill_dir: &SpillDir,
) -> datafusion::error::Result<Arc<RuntimeEnv>> {
    // Footers are kept outside the pool, so they come out of its share.
    let footers = (options.memory_bytes / 8).min(256 << 20);
    let pool = Pool::new(options.memory_bytes.saturating_sub(footers), options.threads);
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![spill_dir.path().to_owned()]));
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, CONSUMERS_TOLD)))
        .with_disk_manager_builder(disk)
        .with_metadata_cache_limit(footers)
        .build_arc()
}

/// The object store that the files of `cache` are in, which `runtime` knows from now on.
pub(super) fn store(
    cache: &Cache,
    runtime: &RuntimeEnv,
) -> datafusion::error::Result<ObjectStoreUrl> {
    let Some((url, store)) = cache.object_store() else {
        return Ok(ObjectStoreUrl::local_filesystem());
    };
    runtime.register_object_store(&url, store);
    ObjectStoreUrl::parse(url)
}

/// The state statements are planned with, before they get their catalog.
pub(super) fn state(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_expr_planners(vec![Arc::new(lenient::Planner), Arc::new(functions::Planner)])
        .with_default_features()
        .with_type_planner(Arc::new(casts::TypeNames))
        .with_optimizer_rules(rules())
        .with_analyzer_rules(analyzer_rules())
        .with_physical_optimizer_rules(physical_rules());
    functions::register(&mut builder);
    times::register(&mut builder);
    relations::register(&mut builder);
    let hidden = [attempt::function(), named::function(), unnest::function()].map(Arc::new);
    builder.scalar_functions().get_or_insert_default().extend(hidden);
    builder.build()
}

/// DataFusion's optimizer rules and ours.
///
/// Its rule that pushes reads of a struct's members towards the scan (so that one leaf of
/// `useridentity` is read and not all twenty) fails on plans that common subexpressions have been
/// taken out of, with "duplicate unqualified field name __`common_expr_1`" (55.2). So common
/// subexpressions are taken out after it, and where a later pass still fails, its input stays.
fn rules() -> Vec<Rule> {
    let mut rules = Optimizer::new().rules;
    let position = |rules: &[Rule], name: &str| rules.iter().position(|rule| rule.name() == name);
    if let Some(at) = position(&rules, "common_sub_expression_eliminate") {
        let rule = rules.remove(at);
        rules.push(rule);
    }
    if let Some(at) = position(&rules, "push_down_leaf_projections")
        && let Some(rule) = rules.get_mut(at)
    {
        *rule = Arc::new(Optional(Arc::clone(rule)));
    }
    rules.push(Arc::new(computed::OpenRows));
    rules.push(Arc::new(functions::DistinctTexts));
    rules.insert(0, Arc::new(functions::Pieces));
    rules
}

/// What settles a plan's meaning, before anything is optimised: ours around DataFusion's own, which
/// settle types.
fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![
        Arc::new(unnest::Flatten),
        // Before types are coerced, while a cast still is what the user wrote.
        Arc::new(addresses::AddressCasts),
        Arc::new(casts::Casts),
        Arc::new(lenient::TextTimes),
        Arc::new(times::Rule),
        Arc::new(numbers::Numbers),
    ];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(attempt::Seal));
    rules
}

/// `plan`, optimised and ready to run.
///
/// The rule that reads a struct's members at the scan names what it reads `__datafusion_extracted_1`
/// and so on, the same in both sides of a join, and loses one where a condition computes with it
/// (55.2). Where it moves a column that a lambda runs over, the lambda no longer knows its parameter
/// ("field of physical `LambdaVariable` …"). In both cases it is left out: structs are read whole.
pub(super) async fn planned(
    plan: &LogicalPlan,
    state: &SessionState,
) -> datafusion::error::Result<(LogicalPlan, Arc<dyn ExecutionPlan>)> {
    if has_lambda(plan)? {
        return optimized(plan, &with_whole_structs(state)).await;
    }
    match optimized(plan, state).await {
        Err(error) if error.to_string().contains("__datafusion_extracted_") => {
            optimized(plan, &with_whole_structs(state)).await
        }
        done => done,
    }
}

fn with_whole_structs(state: &SessionState) -> SessionState {
    let mut config = state.config().clone();
    config.options_mut().optimizer.enable_leaf_expression_pushdown = false;
    SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build()
}

fn has_lambda(plan: &LogicalPlan) -> datafusion::error::Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| Ok(matches!(expr, Expr::Lambda(_))))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

async fn optimized(
    plan: &LogicalPlan,
    state: &SessionState,
) -> datafusion::error::Result<(LogicalPlan, Arc<dyn ExecutionPlan>)> {
    let plan = state.optimize(plan)?;
    let physical = state.query_planner().create_physical_plan(&plan, state).await?;
    Ok((plan, physical))
}

/// Ours before DataFusion's, which push predicates into the scan, but for the one that changes scans.
fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> =
        vec![Arc::new(chains::Chains)];
    for rule in PhysicalOptimizer::new().rules {
        // Sides are taken before rows are spread over threads for them.
        let takes_sides = rule.name() == "join_selection";
        rules.push(rule);
        if takes_sides {
            rules.push(Arc::new(sides::SubqueriesAreKept));
        }
    }
    rules.push(Arc::new(chains::Dictionaries));
    rules.push(Arc::new(compact::Compaction));
    rules
}

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// A rule that a plan can do without: where it fails, the plan stays as it was.
#[derive(Debug)]
struct Optional(Rule);

impl OptimizerRule for Optional {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> datafusion::error::Result<Transformed<LogicalPlan>> {
        let before = plan.clone();
        Ok(self.0.rewrite(plan, config).unwrap_or_else(|_| Transformed::no(before)))
    }
}
