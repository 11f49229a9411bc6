//! Statements by kind: queries, views, prepared statements, settings, and what describes tables.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    common::TableReference,
    datasource::ViewTable,
    error::DataFusionError,
    execution::session_state::SessionState,
    logical_expr::{DdlStatement, Expr, LogicalPlan, Statement as PlanStatement},
    sql::{
        parser::Statement as Ast,
        resolve::resolve_table_references,
        sqlparser::ast::{DescribeAlias, Expr as AstExpr, ObjectName, Statement as Sql},
    },
};

use super::{
    Answer, Statement,
    catalog::{Names, OWN},
    config::{CATALOG, SCHEMA},
    ddl::{self, StoredView},
    describe, diagnose, parse, prepared, refuse,
    rewrite::{self, Rewritten, Shapes as _, Spelling},
    session::{Named, Session, locked},
};
use crate::Result;

/// A view.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) name: String,
    /// The columns it shows.
    pub(super) columns: Vec<String>,
    /// The CREATE VIEW, as it was parsed.
    tree: Sql,
    /// Its text, for `information_schema`.
    text: String,
}

impl View {
    /// Reads a view as it is kept; nothing where this build cannot.
    pub(super) fn read(stored: &StoredView) -> Option<Self> {
        let statement = Statement {
            text: stored.text.as_str().into(),
            origin: None,
            span: 0..stored.text.len(),
            parameters: stored.parameters.clone().into(),
        };
        let Ast::Statement(tree) = parse::tree(&statement).ok()? else { return None };
        let (name, columns) = (stored.name.clone(), stored.columns.clone());
        Some(Self { name, columns, tree: *tree, text: stored.text.clone() })
    }

    /// The names of the tables and views that it names.
    fn uses(&self) -> Result<BTreeSet<String>, DataFusionError> {
        used(&Ast::Statement(Box::new(self.tree.clone())))
    }

    /// The CREATE VIEW, rewritten.
    fn rewritten(&self, session: &Session) -> Result<Ast, DataFusionError> {
        let mut tree = Ast::Statement(Box::new(self.tree.clone()));
        match rewrite::rewrite(&mut tree, session) {
            Ok(_) => Ok(tree),
            Err(fault) => {
                let message = format!("view `{}`: {}", self.name, fault.message);
                Err(DataFusionError::Plan(message))
            }
        }
    }
}

/// Whether `tree` asks `information_schema` what there is.
fn reads_catalog(tree: &Ast) -> Result<bool, DataFusionError> {
    let (tables, _) = resolve_table_references(tree, true)?;
    Ok(tables.iter().any(|table| table.schema() == Some("information_schema")))
}

/// The names of the tables and views that `tree` names, but for the cache's own.
fn used(tree: &Ast) -> Result<BTreeSet<String>, DataFusionError> {
    let (tables, _) = resolve_table_references(tree, true)?;
    let named = tables
        .iter()
        .filter(|table| table.schema().is_none_or(|schema| !schema.eq_ignore_ascii_case(OWN)));
    Ok(named.map(|table| table.table().to_ascii_lowercase()).collect())
}

/// A prepared statement; planned again for each EXECUTE, on the snapshot of that moment.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    name: String,
    tree: Ast,
    spelling: Spelling,
}

impl Session {
    /// Runs a statement that may run.
    pub(super) async fn dispatch(&self, statement: &Statement, mut tree: Ast) -> Result<Answer> {
        if let Ast::Statement(sql) = &tree {
            match sql.as_ref() {
                Sql::ShowTables { .. } | Sql::ShowViews { .. } => {
                    return self.show_tables(statement);
                }
                Sql::ExplainTable { describe_alias, table_name, .. }
                    if *describe_alias != DescribeAlias::Explain =>
                {
                    return self.describe(statement, table_name).await;
                }
                Sql::ShowColumns { show_options, .. } => {
                    let table = show_options.show_in.as_ref().and_then(|s| s.parent_name.as_ref());
                    if let Some(table) = table {
                        return self.describe(statement, table).await;
                    }
                }
                Sql::Drop { names, if_exists, .. } => {
                    return self.drop_views(statement, names, *if_exists);
                }
                _ => {}
            }
        }
        let parsed = tree.clone();
        let Rewritten { spelling, taken } =
            rewrite::rewrite(&mut tree, self).map_err(|fault| diagnose::fault(statement, fault))?;
        let notices = self.lenient(statement, taken)?;
        let mut answer = match &tree {
            Ast::Statement(sql) if matches!(sql.as_ref(), Sql::CreateView(_)) => {
                self.create_view(statement, parsed, tree).await
            }
            _ => self.query(statement, tree, spelling).await,
        }?;
        answer.notices.splice(0..0, notices);
        Ok(answer)
    }

    async fn query(&self, statement: &Statement, tree: Ast, spelling: Spelling) -> Result<Answer> {
        let (state, names) = self.prepare_for(statement, &tree).await?;
        let plan = self.plan(statement, &state, tree.clone()).await?;
        match plan {
            LogicalPlan::Statement(PlanStatement::SetVariable(set)) => {
                self.change(statement, &set.variable, Some(&set.value))
            }
            LogicalPlan::Statement(PlanStatement::ResetVariable(reset)) => {
                self.change(statement, &reset.variable, None)
            }
            LogicalPlan::Statement(PlanStatement::Prepare(prepare)) => {
                let notices = self.lenient_plan(statement, &prepare.input)?;
                let mut prepared = locked(&self.prepared);
                if prepared.iter().any(|known| known.name == prepare.name) {
                    let message = format!("prepared statement `{}` exists already", prepare.name);
                    return Err(diagnose::at(statement, None, message));
                }
                prepared.push(Prepared { name: prepare.name, tree, spelling });
                Ok(Answer { notices, ..Answer::nothing() })
            }
            LogicalPlan::Statement(PlanStatement::Execute(execute)) => {
                let values = prepared::values(&tree);
                self.execute(statement, &execute.name, execute.parameters, values).await
            }
            LogicalPlan::Statement(PlanStatement::Deallocate(gone)) => {
                let mut prepared = locked(&self.prepared);
                let before = prepared.len();
                prepared.retain(|known| known.name != gone.name);
                if prepared.len() == before {
                    return Err(no_prepared(statement, &gone.name));
                }
                Ok(Answer::nothing())
            }
            plan => self.answer(statement, &state, &names, plan, &spelling).await,
        }
    }

    /// The state and names to plan `tree` with: the newest snapshot, and the views it needs.
    pub(super) async fn prepare_for(
        &self,
        statement: &Statement,
        tree: &Ast,
    ) -> Result<(SessionState, Arc<Names>)> {
        let names = self.names_over(self.tables().await?);
        let state = self.state(&names);
        self.plan_names(&state, &names, tree)
            .await
            .map_err(|error| diagnose::planning(statement, self, error))?;
        Ok((state, names))
    }

    pub(super) async fn plan(
        &self,
        statement: &Statement,
        state: &SessionState,
        tree: Ast,
    ) -> Result<LogicalPlan> {
        let plan = state.statement_to_plan(tree).await;
        plan.map_err(|error| diagnose::planning(statement, self, error))
    }

    /// All that `tree` names, what the views among it name included.
    pub(super) fn wanted(&self, tree: &Ast) -> Result<BTreeSet<String>, DataFusionError> {
        let views = locked(&self.views).clone();
        let mut wanted = used(tree)?;
        if let Ast::Statement(sql) = tree
            && let Sql::Execute { name: Some(name), .. } = sql.as_ref()
        {
            let name = last_name(name);
            let known = locked(&self.prepared).iter().find(|known| known.name == name).cloned();
            wanted.extend(known.map(|known| used(&known.tree)).transpose()?.into_iter().flatten());
        }
        if reads_catalog(tree)? {
            wanted.extend(views.iter().map(|view| view.name.clone()));
            wanted.extend(self.declared().tables.iter().map(|table| table.name().to_owned()));
        }
        // A view names only views that were there before it, so one look from the back will do.
        for view in views.iter().rev() {
            if wanted.contains(&view.name) {
                wanted.extend(view.uses()?);
            }
        }
        Ok(wanted)
    }

    /// Plans the declared tables and the views that `tree` names, those they name themselves first.
    async fn plan_names(
        &self,
        state: &SessionState,
        names: &Names,
        tree: &Ast,
    ) -> Result<(), DataFusionError> {
        let wanted = self.wanted(tree)?;
        // Who asks `information_schema` what there is asks for no rows of it.
        let lists = reads_catalog(tree)?;
        let declared = self.declared();
        for name in &wanted {
            let of_partitions = name.strip_suffix(ddl::PARTITIONS_SUFFIX);
            let Some(table) = declared.table(of_partitions.unwrap_or(name)) else { continue };
            if of_partitions.is_some() && table.declaration.partitions.is_empty() {
                continue;
            }
            let tables = &names.tables;
            let catalogue = tables.catalogues.get(table, state, tables).await?;
            let provider = match of_partitions {
                Some(_) => ddl::partitions_table(&catalogue)?,
                None => ddl::provider(&catalogue, tables)?,
            };
            names.add_view(name.clone(), provider);
            if !lists {
                names.notice(ddl::notices(&catalogue));
            }
        }
        let views = locked(&self.views).clone();
        for view in views.iter().filter(|view| wanted.contains(&view.name)) {
            let plan = state.statement_to_plan(view.rewritten(self)?).await?;
            if let LogicalPlan::Ddl(DdlStatement::CreateView(create)) = plan {
                let input = Arc::unwrap_or_clone(create.input);
                let table = ViewTable::new(input, Some(view.text.clone()));
                names.add_view(view.name.clone(), Arc::new(table));
            }
        }
        Ok(())
    }

    async fn create_view(&self, statement: &Statement, parsed: Ast, tree: Ast) -> Result<Answer> {
        let (state, _) = self.prepare_for(statement, &tree).await?;
        let Ast::Statement(sql) = &tree else { return Ok(Answer::nothing()) };
        let Sql::CreateView(create) = sql.as_ref() else { return Ok(Answer::nothing()) };
        let name = last_name(&create.name);
        let at = diagnose::place(statement, &create.name);
        if let Some(named) = self.table_named(None, &name) {
            let message = match named {
                Named::Relation(_) => format!("`{name}` is a table of the cache"),
                Named::Declared(_) => format!("`{name}` is a declared table"),
            };
            return Err(diagnose::at(statement, at, message));
        }
        let exists = self.has_view(&name);
        if exists && create.if_not_exists {
            return Ok(Answer::nothing());
        }
        if exists && !(create.or_replace || create.or_alter) {
            let message = format!("view `{name}` exists already");
            let help = "CREATE OR REPLACE VIEW puts another in its place";
            return Err(diagnose::with_help(statement, at, message, help));
        }
        let plan = self.plan(statement, &state, tree.clone()).await?;
        let LogicalPlan::Ddl(DdlStatement::CreateView(planned)) = plan else {
            return Ok(Answer::nothing());
        };
        let notices = self.lenient_plan(statement, &planned.input)?;
        let fields = planned.input.schema().fields();
        let view = StoredView {
            name,
            text: statement.sql().to_owned(),
            columns: fields.iter().map(|field| field.name().clone()).collect(),
            parameters: statement.parameters.to_vec(),
        };
        self.store_view(statement, at.as_ref(), &view, &parsed)?;
        Ok(Answer { notices, ..Answer::nothing() })
    }

    /// Stores a view behind those it names; one that another names keeps its place.
    fn store_view(
        &self,
        statement: &Statement,
        at: Option<&std::ops::Range<usize>>,
        view: &StoredView,
        tree: &Ast,
    ) -> Result<()> {
        let uses = used(tree).map_err(|error| diagnose::planning(statement, self, error))?;
        self.declare(|declared| {
            let views = &mut declared.views;
            match views.iter().position(|known| known.name == view.name) {
                None => views.push(view.clone()),
                Some(index) => {
                    let later = views.iter().skip(index).find(|known| uses.contains(&known.name));
                    if let Some(later) = later {
                        let message = if later.name == view.name {
                            format!("view `{}` would name itself", view.name)
                        } else {
                            format!("`{}` was created after `{}`", later.name, view.name)
                        };
                        let help = "drop the view and create it again";
                        return Err(diagnose::with_help(statement, at.cloned(), message, help));
                    }
                    if let Some(place) = views.get_mut(index) {
                        *place = view.clone();
                    }
                }
            }
            Ok((true, ()))
        })
    }

    fn drop_views(
        &self,
        statement: &Statement,
        names: &[ObjectName],
        if_exists: bool,
    ) -> Result<Answer> {
        for name in names {
            let at = diagnose::place(statement, name);
            let name = last_name(name).to_ascii_lowercase();
            self.declare(|declared| {
                let before = declared.views.len();
                declared.views.retain(|view| view.name != name);
                let is_gone = declared.views.len() < before;
                if !is_gone && !if_exists {
                    let message = format!("view `{name}` does not exist");
                    return Err(diagnose::at(statement, at.clone(), message));
                }
                Ok((is_gone, ()))
            })?;
        }
        Ok(Answer::nothing())
    }

    fn change(&self, statement: &Statement, variable: &str, value: Option<&str>) -> Result<Answer> {
        // `SET TIME ZONE` and DataFusion's short form.
        let variable = match variable {
            "timezone" | "time.zone" => "datafusion.execution.time_zone",
            other => other,
        };
        let refusal = refuse::setting_refusal(variable)
            .or_else(|| value.and_then(|value| refuse::zone_refusal(variable, value)));
        if let Some(refusal) = refusal {
            return Err(diagnose::refused(statement, refusal));
        }
        let changed = match value {
            Some(value) => self.set(variable, value),
            None => self.reset(variable),
        };
        changed.map_err(|error| diagnose::planning(statement, self, error))?;
        Ok(Answer::nothing())
    }

    async fn execute(
        &self,
        statement: &Statement,
        name: &str,
        parameters: Vec<Expr>,
        values: Vec<AstExpr>,
    ) -> Result<Answer> {
        let known = locked(&self.prepared).iter().find(|known| known.name == name).cloned();
        let Some(mut known) = known else { return Err(no_prepared(statement, name)) };
        let (wants, given) = (prepared::placeholders(&mut known.tree), values.len());
        if wants != given {
            let message = format!("`{name}` takes {wants} values, but {given} were given");
            return Err(diagnose::at(statement, None, message));
        }
        let failed = |error| diagnose::planning(statement, self, error);
        let (state, names) = self.prepare_for(statement, &known.tree).await?;
        for value in parameters {
            check_literal(value).map_err(failed)?;
        }
        let Some(query) = prepared::with_values(known.tree, &values) else {
            return Err(no_prepared(statement, name));
        };
        let plan = self.plan(statement, &state, query).await?;
        self.answer(statement, &state, &names, plan, &known.spelling).await
    }

    fn show_tables(&self, statement: &Statement) -> Result<Answer> {
        let views = locked(&self.views).iter().map(|view| view.name.clone()).collect();
        let batch = describe::tables(self.aliases(), &self.declared(), views)
            .map_err(|error| diagnose::planning(statement, self, error))?;
        Ok(Answer::ready(batch))
    }

    async fn describe(&self, statement: &Statement, table: &ObjectName) -> Result<Answer> {
        let parts: Vec<String> = table
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|name| name.value.to_ascii_lowercase())
            .collect();
        let failed = |error| diagnose::planning(statement, self, error);
        let (name, database) = match parts.as_slice() {
            [.., database, name] => (name.clone(), Some(database.as_str())),
            [name] => (name.clone(), None),
            [] => return Err(diagnose::at(statement, None, "expected a table's name")),
        };
        if database != Some("information_schema") {
            if let Some(named) = self.table_named(database, &name) {
                let columns = match named {
                    Named::Relation(relation) => relation.columns(),
                    Named::Declared(table) => table.columns(),
                };
                return Ok(Answer::ready(describe::columns(columns).map_err(failed)?));
            }
            if self.shape(&parts).is_none() {
                let at = diagnose::place(statement, table);
                return Err(diagnose::no_table(statement, self, at, &name));
            }
        }
        // A view, or a table of information_schema: as DataFusion sees it.
        let database = database.unwrap_or(SCHEMA);
        let reference = TableReference::full(CATALOG, database.to_owned(), name.clone());
        let sql = format!("SELECT * FROM {}", reference.to_quoted_string());
        let tree = datafusion::sql::parser::DFParser::parse_sql(&sql)
            .map_err(failed)?
            .pop_front()
            .ok_or_else(|| diagnose::at(statement, None, "expected a table's name"))?;
        let (state, _) = self.prepare_for(statement, &tree).await?;
        let plan = self.plan(statement, &state, tree).await?;
        Ok(Answer::ready(describe::schema(plan.schema().as_arrow()).map_err(failed)?))
    }
}

fn last_name(name: &ObjectName) -> String {
    name.0
        .last()
        .and_then(|part| part.as_ident())
        .map_or_else(String::new, |name| name.value.to_ascii_lowercase())
}

fn no_prepared(statement: &Statement, name: &str) -> crate::Error {
    diagnose::at(statement, None, format!("no statement is prepared as `{name}`"))
}

/// Whether it is a value, and not computed.
fn check_literal(parameter: Expr) -> Result<(), DataFusionError> {
    match parameter {
        Expr::Literal(..) => Ok(()),
        Expr::Negative(inner) => check_literal(*inner),
        // `DATE '2024-01-31'`, and a double: `3e0`.
        Expr::Cast(cast) => check_literal(*cast.expr),
        other => Err(DataFusionError::Plan(format!("expected a value, but found {other}"))),
    }
}
