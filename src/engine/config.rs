//! How DataFusion is set up: options, memory, disk.

use std::{num::NonZeroUsize, sync::Arc};

use datafusion::{
    execution::{
        SessionStateBuilder,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::{FairSpillPool, TrackConsumersPool},
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
        session_state::SessionState,
    },
    prelude::SessionConfig,
};

use super::{SessionOptions, functions};

/// The catalog that names without one belong to; Athena's name for the Glue catalog.
pub(super) const CATALOG: &str = "awsdatacatalog";

/// The database that names without one belong to; Athena's default.
pub(super) const SCHEMA: &str = "default";

/// Consumers named when memory runs out.
const CONSUMERS_TOLD: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// The options every statement starts from; `SET` changes them for the session.
pub(super) fn session(options: &SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false);
    let all = config.options_mut();
    all.sql_parser.collect_spans = true;
    // As Athena does; DataFusion's default would put NULLs first in descending order.
    "nulls_last".clone_into(&mut all.sql_parser.default_null_ordering);
    all.execution.time_zone = Some("UTC".to_owned());
    all.execution.parquet.pushdown_filters = true;
    all.execution.parquet.reorder_filters = true;
    all.execution.parquet.bloom_filter_on_read = true;
    all.execution.parquet.enable_page_index = true;
    all.explain.logical_plan_only = false;
    // DataFusion 55.2 names two extracted struct fields alike ("__common_expr_1") when an aggregate
    // filters on a field and a column, and refuses its own plan. The scan reads single fields anyway.
    all.optimizer.enable_leaf_expression_pushdown = false;
    config
}

/// Memory and disk: one pool and one footer cache for all statements of a session.
pub(super) fn runtime(options: &SessionOptions) -> datafusion::error::Result<Arc<RuntimeEnv>> {
    // Footers are kept outside the pool, so they come out of its share.
    let footers = (options.memory_bytes / 8).min(256 << 20);
    let pool = FairSpillPool::new(options.memory_bytes.saturating_sub(footers));
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![options.temp_dir.clone()]));
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, CONSUMERS_TOLD)))
        .with_disk_manager_builder(disk)
        .with_metadata_cache_limit(footers)
        .build_arc()
}

/// The state statements are planned with, before they get their catalog.
pub(super) fn state(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_optimizer_rule(Arc::new(functions::OpenRows))
        .build()
}
