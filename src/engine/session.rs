//! The session: statements in, answers out.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use arrow::array::Array;
use datafusion::{
    common::{
        JoinType,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    datasource::provider_as_source,
    error::DataFusionError,
    execution::{
        SessionStateBuilder, memory_pool::MemoryConsumer, object_store::ObjectStoreUrl,
        runtime_env::RuntimeEnv, session_state::SessionState,
    },
    functions_aggregate::expr_fn::{count, max},
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ident, lit},
    physical_plan::execute_stream,
    prelude::{SQLOptions, SessionConfig},
};
use futures::StreamExt;

use super::{
    Answer, SessionOptions, Statement,
    answer::Query,
    catalog::{Aliases, AnyCatalog, Names, OWN},
    computed::{Conflicts, DigestStatus, IsMember, MemberKind, Statuses, Versions},
    config, coverage,
    ddl::{self, Declarations, DeclaredTable},
    diagnose,
    lenient::{self, Taken},
    names::{self, Name},
    parse, refuse, relations,
    rewrite::{Shapes, Spelling},
    spill::SpillDir,
    stack,
    statements::{Prepared, View},
    subqueries,
    tables::{Relation, SnapshotTables, digests},
};
use crate::{
    ErrorKind, Result,
    cache::{Cache, Table},
};

/// A session of queries over one cache. Every statement sees the cache as it is when it starts.
pub struct Session {
    cache: Arc<Cache>,
    /// The object store that the cache's files are in.
    store: ObjectStoreUrl,
    /// The state every statement's state is made from: functions, rules, runtime.
    base: SessionState,
    config: Mutex<SessionConfig>,
    defaults: SessionConfig,
    aliases: Arc<Aliases>,
    /// The tables of the last snapshot seen, so that what was computed about it is kept.
    seen: Mutex<Option<Arc<SnapshotTables>>>,
    /// What SQL declared: the cache's text of it, and what it says.
    declared: Mutex<(Option<String>, Arc<Declarations>)>,
    /// The views among it.
    pub(super) views: Mutex<Vec<View>>,
    pub(super) prepared: Mutex<Vec<Prepared>>,
    strict: AtomicBool,
    /// When the locations of declared tables were last given to be read.
    pub(super) listed: Mutex<HashMap<String, Instant>>,
    /// Removed when the session ends.
    _spill_dir: SpillDir,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// What a table's name means.
#[derive(Debug, Clone)]
pub(super) enum Named {
    /// A table of the cache.
    Relation(Relation),
    /// A table that SQL declared.
    Declared(Arc<DeclaredTable>),
}

/// Locks `mutex`; what a panicking thread left behind is whole, since every change is one store.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// Opens a session over `cache`.
    ///
    /// # Errors
    /// The directory for spilling cannot be used.
    pub fn open(cache: Arc<Cache>, options: &SessionOptions) -> Result<Self> {
        let spill_dir = SpillDir::make(&options.temp_dir);
        let runtime: Arc<RuntimeEnv> = config::runtime(options, &spill_dir)
            .map_err(|error| ErrorKind::Engine(Box::new(error)))?;
        let store =
            config::store(&cache, &runtime).map_err(|error| ErrorKind::Engine(Box::new(error)))?;
        let defaults = config::session(options);
        let session = Self {
            cache,
            store,
            base: config::state(defaults.clone(), runtime),
            config: Mutex::new(defaults.clone()),
            defaults,
            aliases: Arc::new(Aliases::new(&options.table_names)),
            seen: Mutex::new(None),
            declared: Mutex::default(),
            views: Mutex::default(),
            prepared: Mutex::default(),
            strict: AtomicBool::new(options.strict),
            listed: Mutex::default(),
            _spill_dir: spill_dir,
        };
        session.load_declared()?;
        Ok(session)
    }

    /// Looks what is declared now: other sessions may have declared more.
    ///
    /// # Errors
    /// The declarations cannot be read.
    pub(super) fn load_declared(&self) -> Result<()> {
        let text = self.cache.declared()?;
        if locked(&self.declared).0 == text {
            return Ok(());
        }
        let declared = Declarations::read(text.as_deref())?;
        let views = declared.views.iter().filter_map(View::read).collect();
        *locked(&self.views) = views;
        *locked(&self.declared) = (text, Arc::new(declared));
        Ok(())
    }

    /// What is declared.
    pub(super) fn declared(&self) -> Arc<Declarations> {
        Arc::clone(&locked(&self.declared).1)
    }

    /// The cache.
    pub(super) fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Whether `name` is a view.
    pub(super) fn has_view(&self, name: &str) -> bool {
        locked(&self.views).iter().any(|view| view.name == name)
    }

    /// What `name` of `database` means, where that is no view.
    pub(super) fn table_named(&self, database: Option<&str>, name: &str) -> Option<Named> {
        if database == Some(OWN)
            && let Some(relation) = Relation::named(name)
        {
            return Some(Named::Relation(relation));
        }
        if let Some(table) = self.declared().table(name) {
            return Some(Named::Declared(Arc::clone(table)));
        }
        self.aliases.resolve(database, name).map(Named::Relation)
    }

    /// Has the statements from now on refused, or not, where they need leniency.
    pub fn set_strict(&self, strict: bool) {
        self.strict.store(strict, Ordering::Relaxed);
    }

    /// What is to be said of the leniency that `statement` needs.
    ///
    /// # Errors
    /// The session is strict, and it needs any.
    pub(super) fn lenient(&self, statement: &Statement, taken: Vec<Taken>) -> Result<Vec<String>> {
        lenient::told(statement, self.strict.load(Ordering::Relaxed), taken)
    }

    /// The same of what `plan` holds.
    pub(super) fn lenient_plan(
        &self,
        statement: &Statement,
        plan: &LogicalPlan,
    ) -> Result<Vec<String>> {
        let taken = lenient::of_plan(plan);
        self.lenient(statement, taken.map_err(|error| diagnose::planning(statement, self, error))?)
    }

    /// Splits `text` into statements; the parser sees each as it is, but for typographic characters.
    ///
    /// # Errors
    /// The text is no SQL: a [`crate::error::Diagnostic`] with the place.
    pub fn parse(&self, text: &str, origin: Option<&str>) -> Result<Vec<Statement>> {
        let statements = parse::split(text, origin)?;
        for statement in &statements {
            self.lenient(statement, lenient::glyphs::taken(statement))?;
        }
        Ok(statements)
    }

    /// Starts a statement.
    ///
    /// # Errors
    /// It does not plan: a [`crate::error::Diagnostic`] with the place and a suggestion. Or the
    /// cache cannot be read.
    pub async fn run(&self, statement: &Statement) -> Result<Answer> {
        let answer = async {
            self.load_declared()?;
            if let Some(ddl) = parse::hive(statement)?
                && let Some(answer) = self.run_ddl(statement, ddl).await?
            {
                return Ok(answer);
            }
            let mut tree = parse::tree(statement)?;
            if let Some(refusal) = refuse::refusal(&mut tree) {
                return Err(diagnose::refused(statement, refusal));
            }
            let notices = self.lenient(statement, lenient::glyphs::taken(statement))?;
            let mut answer = self.dispatch(statement, tree).await?;
            answer.notices.splice(0..0, notices);
            Ok(answer)
        };
        stack::Deep::new(answer).await
    }

    /// Turns an error met while rows stream into one of ours, drawn at its place where known.
    pub fn explain(&self, statement: &Statement, error: DataFusionError) -> crate::Error {
        diagnose::running(statement, self, error)
    }

    /// The names a prompt completes: tables, columns, struct fields, functions, keywords.
    pub fn names(&self) -> Vec<Name> {
        names::all(self, &self.base)
    }

    /// The settings that `SET` changes, in the order of their names, with their values.
    pub fn settings(&self) -> Vec<(String, Option<String>)> {
        let entries = locked(&self.config).options().entries().into_iter();
        let mut settings: Vec<_> = entries
            .filter(|entry| refuse::setting_refusal(&entry.key).is_none())
            .map(|entry| (entry.key, entry.value))
            .collect();
        settings.sort();
        settings
    }

    /// The names of the tables that can be queried, declared tables and views included.
    pub(super) fn table_names(&self) -> Vec<String> {
        let tables = Relation::ALL.into_iter().map(|relation| relation.name().to_owned());
        let aliases = self.aliases.names().map(|(name, _)| name.to_owned());
        let declared = self.declared();
        let declared = declared.tables.iter().map(|table| table.name().to_owned());
        let views = locked(&self.views);
        let views = views.iter().map(|view| view.name.clone());
        let all = tables.chain(["cloudtrail".to_owned()]).chain(aliases).chain(declared);
        all.chain(views).collect()
    }

    /// The names of the columns of all tables.
    pub(super) fn columns(&self) -> Vec<String> {
        let columns = Relation::ALL.into_iter().flat_map(Relation::columns);
        let declared = self.declared();
        let declared = declared.tables.iter().flat_map(|table| table.columns());
        columns.chain(declared).map(|column| column.name).collect()
    }

    /// The user's further names of tables.
    pub(super) fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    /// The names of all functions.
    pub(super) fn function_names(&self) -> Vec<String> {
        names::functions(&self.base)
    }

    /// The cache's tables as they are now.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub(super) async fn tables(&self) -> Result<Arc<SnapshotTables>> {
        let cache = Arc::clone(&self.cache);
        let snapshot = tokio::task::spawn_blocking(move || cache.snapshot())
            .await
            .map_err(|error| ErrorKind::Engine(Box::new(error)))??;
        let mut seen = locked(&self.seen);
        if let Some(tables) = seen.as_ref()
            && tables.version == snapshot.version()
        {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(SnapshotTables::new(&snapshot, &self.store));
        *seen = Some(Arc::clone(&tables));
        Ok(tables)
    }

    /// The state for one statement over `names`.
    pub(super) fn state(&self, names: &Arc<Names>) -> SessionState {
        let mut state = SessionStateBuilder::new_from_existing(self.base.clone())
            .with_config(locked(&self.config).clone())
            .with_catalog_list(Arc::new(AnyCatalog(Arc::clone(names))))
            .build();
        state.mark_start_execution();
        state
    }

    /// The names that a statement over `tables` sees, without views.
    pub(super) fn names_over(&self, tables: Arc<SnapshotTables>) -> Arc<Names> {
        Arc::new(Names::new(tables, Arc::clone(&self.aliases)))
    }

    /// Changes a setting.
    pub(super) fn set(&self, name: &str, value: &str) -> Result<(), DataFusionError> {
        locked(&self.config).options_mut().set(name, value)
    }

    /// Gives a setting its default back.
    pub(super) fn reset(&self, name: &str) -> Result<(), DataFusionError> {
        let entries = self.defaults.options().entries();
        let value = entries.into_iter().find(|entry| entry.key == name);
        if let Some(value) = value.and_then(|entry| entry.value) {
            self.set(name, &value)
        } else {
            let message = format!("`{name}` has no default value");
            Err(DataFusionError::Configuration(message))
        }
    }

    /// Runs a planned query.
    pub(super) async fn answer(
        &self,
        statement: &Statement,
        state: &SessionState,
        names: &Names,
        plan: LogicalPlan,
        spelling: &Spelling,
    ) -> Result<Answer> {
        let failed = |error| diagnose::planning(statement, self, error);
        // The last line of defence: nothing that writes is planned above.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .verify_plan(&plan)
            .map_err(failed)?;
        let lenient = self.lenient_plan(statement, &plan)?;
        subqueries::check(&plan).map_err(failed)?;
        let (plan, physical) = config::planned(&plan, state).await.map_err(failed)?;
        self.gather(&plan, state, &names.tables).await.map_err(failed)?;
        let is_explained = matches!(plan, LogicalPlan::Explain(_));
        let declared = if is_explained { Vec::new() } else { names.notices() };
        let covered = coverage::notices(&plan, state, &names.tables).await.map_err(failed)?;
        let sampled = relations::notice(&plan).into_iter().collect();
        let notices = [lenient, declared, sampled, covered].concat();
        let rows = execute_stream(Arc::clone(&physical), state.task_ctx()).map_err(failed)?;
        let query = Query {
            physical,
            logical: plan,
            state: state.clone(),
            tables: Arc::clone(&names.tables),
        };
        Ok(Answer::streaming(query, rows, spelling, notices))
    }

    /// Computes what is behind `id_conflict`, `superseded` and `digest_status`, if `plan` asks for
    /// them.
    async fn gather(
        &self,
        plan: &LogicalPlan,
        state: &SessionState,
        tables: &SnapshotTables,
    ) -> Result<(), DataFusionError> {
        let (mut asked, mut asks_status) = (Vec::new(), false);
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|expr| {
                    if let Expr::ScalarFunction(call) = expr {
                        let function = call.func.inner();
                        asks_status |= function.downcast_ref::<DigestStatus>().is_some();
                        asked.extend(function.downcast_ref::<IsMember>().map(|member| member.kind));
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        if asked.contains(&MemberKind::Conflict) {
            tables.members.conflicts.get_or_try_init(|| conflicts(state, tables)).await?;
        }
        if asked.contains(&MemberKind::Superseded) {
            tables.members.versions.get_or_try_init(|| versions(state, tables)).await?;
        }
        if asks_status {
            tables.members.statuses.get_or_try_init(|| statuses(state, tables)).await?;
        }
        Ok(())
    }
}

/// The (recipient account, event id) pairs that several rows have.
async fn conflicts(
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Conflicts, DataFusionError> {
    let events = provider_as_source(tables.table(Table::Events));
    let keys = || vec![ident("recipientaccountid"), ident("eventid")];
    let plan = LogicalPlanBuilder::scan(Table::Events.name(), events, None)?
        .filter(ident("eventid").is_not_null())?
        .aggregate(keys(), vec![count(lit(1_i64)).alias("n")])?
        .filter(ident("n").gt(lit(1_i64)))?
        .project(keys())?
        .build()?;
    let consumer = MemoryConsumer::new("id conflicts");
    let mut conflicts = Conflicts::new(consumer.register(&state.runtime_env().memory_pool));
    let plan = state.create_physical_plan(&plan).await?;
    let mut rows = execute_stream(plan, state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        if let [accounts, ids] = batch?.columns() {
            conflicts.add(accounts.as_ref() as &dyn Array, ids.as_ref())?;
        }
    }
    Ok(conflicts)
}

/// The latest version of each file that has several.
async fn versions(
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Versions, DataFusionError> {
    let ledger = provider_as_source(tables.table(Table::LogFiles));
    let plan = LogicalPlanBuilder::scan(Table::LogFiles.name(), ledger, None)?
        .aggregate(vec![ident("uri")], vec![max(ident("version")).alias("latest")])?
        .filter(ident("latest").gt(lit(1_i32)))?
        .build()?;
    let consumer = MemoryConsumer::new("file versions");
    let mut versions = Versions::new(consumer.register(&state.runtime_env().memory_pool));
    let plan = state.create_physical_plan(&plan).await?;
    let mut rows = execute_stream(plan, state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        if let [uris, latest] = batch?.columns() {
            versions.add(uris.as_ref() as &dyn Array, latest.as_ref())?;
        }
    }
    Ok(versions)
}

/// What verification found of each file and version of the ledger: a verdict belongs to the
/// content that was verified.
async fn statuses(
    state: &SessionState,
    tables: &SnapshotTables,
) -> Result<Statuses, DataFusionError> {
    let found = |table| -> Result<LogicalPlanBuilder, DataFusionError> {
        let columns = ["uri", "sha256", "status"];
        let plan = LogicalPlanBuilder::from(digests::plan(tables, table)?);
        plan.project(columns.map(ident))?.filter(ident("sha256").is_not_null())
    };
    let ledger = provider_as_source(tables.table(Table::LogFiles));
    let versions = LogicalPlanBuilder::scan(Table::LogFiles.name(), ledger, None)?
        .project(vec![
            ident("uri").alias("file"),
            ident("version"),
            ident("sha256").alias("content"),
        ])?
        .build()?;
    let plan = found(Table::DigestVerdicts)?
        .union(found(Table::DigestFiles)?.build()?)?
        .join(versions, JoinType::Inner, (vec!["uri", "sha256"], vec!["file", "content"]), None)?
        .project(["file", "version", "status"].map(ident))?
        .build()?;
    let consumer = MemoryConsumer::new("digest statuses");
    let mut statuses = Statuses::new(consumer.register(&state.runtime_env().memory_pool));
    let plan = state.create_physical_plan(&plan).await?;
    let mut rows = execute_stream(plan, state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        if let [files, versions, found] = batch?.columns() {
            statuses.add(files.as_ref() as &dyn Array, versions.as_ref(), found.as_ref())?;
        }
    }
    Ok(statuses)
}

impl Shapes for Session {
    fn shape(&self, parts: &[String]) -> Option<(Vec<String>, Vec<String>)> {
        let (name, qualifiers) = parts.split_last()?;
        if let Some(view) = locked(&self.views).iter().find(|view| view.name == *name) {
            return Some((view.columns.clone(), Vec::new()));
        }
        let database = qualifiers.last().map(String::as_str);
        if let Some(table) = name.strip_suffix(ddl::PARTITIONS_SUFFIX) {
            let declared = self.declared();
            let partitions = &declared.table(table)?.declaration.partitions;
            let names = partitions.iter().map(|column| column.name.clone());
            return (!partitions.is_empty()).then(|| (names.collect(), Vec::new()));
        }
        let columns = match self.table_named(database, name)? {
            Named::Relation(relation) => relation.columns(),
            Named::Declared(table) => table.columns(),
        };
        let (hidden, shown): (Vec<_>, Vec<_>) =
            columns.into_iter().partition(|column| column.hidden);
        let named = |columns: Vec<super::tables::Column>| {
            columns.into_iter().map(|column| column.name).collect()
        };
        Some((named(shown), named(hidden)))
    }
}
