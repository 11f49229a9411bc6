//! Hive's statements, run: they change what is declared, and nothing else.

use std::sync::Arc;

use arrow::array::Array as _;
use datafusion::error::DataFusionError;

use super::{
    Ddl, Declaration, Name, PartitionSpec, notices, place, show,
    store::{Declarations, DeclaredTable, StoredPartition, StoredTable},
};
use crate::{
    Error, Result,
    engine::{
        Answer, Statement, diagnose, refuse, rewrite::Fault, session::Session, tables::Relation,
    },
};

impl Session {
    /// Runs a statement of Hive's; nothing where another reader of SQL knows better: `SHOW CREATE
    /// TABLE` of what was not declared.
    pub(in crate::engine) async fn run_ddl(
        &self,
        statement: &Statement,
        ddl: Ddl,
    ) -> Result<Option<Answer>> {
        Ok(Some(match ddl {
            Ddl::CreateTable(declaration) => self.create_table(statement, *declaration).await?,
            Ddl::AddPartitions { table, if_not_exists, partitions } => {
                self.add_partitions(statement, &table, if_not_exists, &partitions).await?
            }
            Ddl::DropPartitions { table, if_exists, partitions } => {
                self.drop_partitions(statement, &table, if_exists, &partitions)?
            }
            Ddl::Repair(table) => self.repair(statement, &table).await?,
            Ddl::ShowPartitions(table) => self.show_partitions(statement, &table).await?,
            Ddl::ShowCreate(table) => {
                let Some(table) = self.declared().table(&table.name).cloned() else {
                    return Ok(None);
                };
                let lines = table.stored.text.lines().map(str::to_owned);
                show::answer("createtab_stmt", lines)
            }
            Ddl::DropTable { table, if_exists } => self.drop_table(statement, &table, if_exists)?,
            Ddl::CreateDatabase(name) => told(vec![format!(
                "database `{name}` was not created: tables are found under any database's name"
            )]),
            Ddl::ShowDatabases => {
                show::answer("database_name", std::iter::once("default".to_owned()))
            }
        }))
    }

    async fn create_table(
        &self,
        statement: &Statement,
        declaration: Declaration,
    ) -> Result<Answer> {
        let name = declaration.name.clone();
        let here = |message: String, help: &str| {
            diagnose::fault(statement, super::cursor::fault(name.span, message, Some(help)))
        };
        let relation = Relation::named(&name.name);
        if relation.is_some_and(|relation| relation != Relation::Logs) {
            let message = format!("`{}` is a table of the cache", name.name);
            return Err(here(message, "give the declared table another name"));
        }
        if self.has_view(&name.name) {
            let message = format!("`{}` is a view", name.name);
            return Err(here(message, "DROP VIEW removes it"));
        }
        let stored = StoredTable {
            text: statement.sql().to_owned(),
            root: place::resolved(&declaration.location),
            template: declaration
                .projection
                .as_ref()
                .and_then(|projection| projection.template.as_deref())
                .map(place::Template::resolved),
            partitions: Vec::new(),
        };
        let Some(table) = DeclaredTable::new(stored) else {
            return Err(here("the table cannot be read again".to_owned(), "report this"));
        };
        let table = Arc::new(table);
        let created = self.declare(|declared| {
            if declared.table(&name.name).is_some() {
                if declaration.if_not_exists {
                    return Ok((false, false));
                }
                let message = format!("table `{}` is declared already", name.name);
                return Err(here(message, "DROP TABLE forgets the declaration"));
            }
            declared.tables.push(Arc::clone(&table));
            Ok((true, true))
        })?;
        if !created {
            return Ok(told(vec![format!(
                "table `{}` is declared already; nothing was changed",
                name.name
            )]));
        }
        let mut lines = notices::of_declaration(&table);
        lines.extend(self.notices_of(statement, &table).await?);
        Ok(told(lines))
    }

    /// What is to be said of a table as it is now.
    async fn notices_of(
        &self,
        statement: &Statement,
        table: &Arc<DeclaredTable>,
    ) -> Result<Vec<String>> {
        let failed = |error| diagnose::planning(statement, self, error);
        let names = self.names_over(self.tables().await?);
        let state = self.state(&names);
        let catalogue =
            names.tables.catalogues.get(table, &state, &names.tables).await.map_err(failed)?;
        Ok(notices::of_catalogue(&catalogue))
    }

    /// The declared table `name`.
    fn declared_table(&self, statement: &Statement, name: &Name) -> Result<Arc<DeclaredTable>> {
        self.declared().table(&name.name).cloned().ok_or_else(|| self.undeclared(statement, name))
    }

    /// Says that `name` is no declared table.
    fn undeclared(&self, statement: &Statement, name: &Name) -> Error {
        if Relation::named(&name.name).is_some() {
            let what = statement.sql().split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            return diagnose::refused(statement, refuse::own_table(&what.to_uppercase()));
        }
        let at = diagnose::span(statement, name.span);
        diagnose::no_table(statement, self, at, &name.name)
    }

    /// Changes what is kept of the declared table `name`, whose partitions are listed.
    fn alter<T>(
        &self,
        statement: &Statement,
        name: &Name,
        mut change: impl FnMut(&DeclaredTable, &mut StoredTable) -> Result<T, Fault>,
    ) -> Result<T> {
        self.declare(|declared| {
            let found = declared.tables.iter_mut().find(|table| table.name() == name.name);
            let Some(table) = found else { return Err(self.undeclared(statement, name)) };
            if !table.is_listed() {
                return Err(diagnose::fault(statement, unlisted(table, name)));
            }
            let mut stored = table.stored.clone();
            let outcome =
                change(table, &mut stored).map_err(|fault| diagnose::fault(statement, fault))?;
            let is_new = stored != table.stored;
            if let Some(altered) = DeclaredTable::new(stored) {
                *table = Arc::new(altered);
            }
            Ok((is_new, outcome))
        })
    }

    /// Changes the declarations, and sees them from now on.
    pub(in crate::engine) fn declare<T>(
        &self,
        mut change: impl FnMut(&mut Declarations) -> Result<(bool, T)>,
    ) -> Result<T> {
        let outcome = self.cache().change_declared(|text| {
            let mut declared = Declarations::read(text)?;
            let (is_new, outcome) = change(&mut declared)?;
            let text = if is_new { Some(declared.write()?) } else { None };
            Ok((text, outcome))
        })?;
        self.load_declared()?;
        Ok(outcome)
    }

    async fn add_partitions(
        &self,
        statement: &Statement,
        name: &Name,
        if_not_exists: bool,
        specs: &[PartitionSpec],
    ) -> Result<Answer> {
        self.alter(statement, name, |table, stored| {
            for spec in specs {
                let values = whole(table, spec)?;
                if stored.partitions.iter().any(|known| known.values == values) {
                    if if_not_exists {
                        continue;
                    }
                    let message = "the partition exists already".to_owned();
                    let help = "ADD IF NOT EXISTS passes over it";
                    return Err(super::cursor::fault(spec.span, message, Some(help)));
                }
                let root = match &spec.location {
                    Some(location) => place::resolved(&location.value),
                    None => place::hive_location(table, &values),
                };
                apart(table, stored, &root, spec)?;
                stored.partitions.push(StoredPartition { values, root });
            }
            Ok(())
        })?;
        let table = self.declared_table(statement, name)?;
        Ok(told(self.notices_of(statement, &table).await?))
    }

    fn drop_partitions(
        &self,
        statement: &Statement,
        name: &Name,
        if_exists: bool,
        specs: &[PartitionSpec],
    ) -> Result<Answer> {
        self.alter(statement, name, |table, stored| {
            for spec in specs {
                let values = some(table, spec)?;
                let before = stored.partitions.len();
                stored.partitions.retain(|known| {
                    let mut pairs = known.values.iter().zip(&values);
                    !pairs.all(|(known, wanted)| wanted.is_none() || known == wanted)
                });
                if stored.partitions.len() == before && !if_exists {
                    let message = "there is no such partition".to_owned();
                    let help = "SHOW PARTITIONS lists them; DROP IF EXISTS passes over it";
                    return Err(super::cursor::fault(spec.span, message, Some(help)));
                }
            }
            Ok(())
        })?;
        Ok(Answer::nothing())
    }

    async fn repair(&self, statement: &Statement, name: &Name) -> Result<Answer> {
        let table = self.declared_table(statement, name)?;
        if !table.is_listed() {
            return Err(diagnose::fault(statement, unlisted(&table, name)));
        }
        let failed = |error| diagnose::planning(statement, self, error);
        let names = self.names_over(self.tables().await?);
        let state = self.state(&names);
        let catalogue =
            names.tables.catalogues.get(&table, &state, &names.tables).await.map_err(failed)?;
        let added = self.alter(statement, name, |_, stored| {
            let mut added = Vec::new();
            for (values, root) in catalogue.unlisted.clone() {
                if stored.partitions.iter().all(|known| known.values != values) {
                    added.push(values.clone());
                    stored.partitions.push(StoredPartition { values, root });
                }
            }
            Ok(added)
        })?;
        let mut answer =
            show::answer("partition", added.iter().map(|values| show::partition(&table, values)));
        if added.is_empty() {
            answer.notices.push(format!(
                "no folders `{}` below {} that are no partitions yet; CloudTrail's own folders \
                 are of another form: ALTER TABLE … ADD PARTITION … LOCATION adds those",
                show::hive_form(&table),
                table.declaration.location
            ));
        }
        Ok(answer)
    }

    async fn show_partitions(&self, statement: &Statement, name: &Name) -> Result<Answer> {
        let table = self.declared_table(statement, name)?;
        if table.declaration.partitions.is_empty() {
            let message = format!("table `{}` is not partitioned", name.name);
            let fault = super::cursor::fault(name.span, message, None);
            return Err(diagnose::fault(statement, fault));
        }
        if table.is_listed() {
            let mut all: Vec<_> = table.stored.partitions.iter().map(|p| &p.values).collect();
            all.sort();
            let lines = all.into_iter().map(|values| show::partition(&table, values));
            return Ok(show::answer("partition", lines));
        }
        let failed = |error: DataFusionError| diagnose::planning(statement, self, error);
        let names = self.names_over(self.tables().await?);
        let state = self.state(&names);
        let catalogue =
            names.tables.catalogues.get(&table, &state, &names.tables).await.map_err(failed)?;
        let lines = catalogue.partitions.iter().map(|p| show::partition(&table, &p.values));
        let mut answer = show::answer("partition", lines);
        answer.notices.push(format!(
            "the partitions of `{}` are projected: these are the ones with files",
            name.name
        ));
        Ok(answer)
    }

    fn drop_table(&self, statement: &Statement, name: &Name, if_exists: bool) -> Result<Answer> {
        self.declare(|declared| {
            let before = declared.tables.len();
            declared.tables.retain(|table| table.name() != name.name);
            let is_gone = declared.tables.len() < before;
            let is_own = Relation::named(&name.name).is_some();
            if !is_gone && (is_own || !if_exists) {
                return Err(self.undeclared(statement, name));
            }
            Ok((is_gone, ()))
        })?;
        Ok(Answer::nothing())
    }
}

/// An answer without rows, and what is to be said.
fn told(notices: Vec<String>) -> Answer {
    Answer { notices, ..Answer::nothing() }
}

/// Why partitions cannot be added to `table`, or taken away.
fn unlisted(table: &DeclaredTable, name: &Name) -> Fault {
    let message = if table.declaration.partitions.is_empty() {
        format!("table `{}` is not partitioned", name.name)
    } else {
        format!(
            "the partitions of `{}` are projected: its properties tell which there are",
            name.name
        )
    };
    super::cursor::fault(name.span, message, None)
}

/// The values that `spec` gives, by the table's order; nothing for columns that it does not name.
fn some(table: &DeclaredTable, spec: &PartitionSpec) -> Result<Vec<Option<String>>, Fault> {
    let partitions = &table.declaration.partitions;
    let mut values = vec![None; partitions.len()];
    for (name, text) in &spec.values {
        let mut columns = partitions.iter().zip(&mut values);
        let Some((column, place)) = columns.find(|(column, _)| column.name == *name) else {
            let message = format!("`{name}` is no partition column of the table");
            return Err(super::cursor::fault(text.span, message, None));
        };
        *place = Some(super::values::spelled(&column.ty, &text.value));
    }
    Ok(values)
}

/// The same, of a partition that all columns are needed of.
fn whole(table: &DeclaredTable, spec: &PartitionSpec) -> Result<Vec<Option<String>>, Fault> {
    let values = some(table, spec)?;
    for (at, (value, column)) in values.iter().zip(&table.declaration.partitions).enumerate() {
        let Some(value) = value else {
            let message = format!("the partition has no value for `{}`", column.name);
            return Err(super::cursor::fault(spec.span, message, None));
        };
        let typed = super::values::column(table, at, std::iter::once(Some(value.as_str())));
        if typed.is_null(0) {
            let message =
                format!("`{value}` is no value of the partition column `{}`", column.name);
            return Err(super::cursor::fault(spec.span, message, None));
        }
    }
    Ok(values)
}

/// Fails where `root` lies in a partition, or one in it: their rows would be counted twice.
fn apart(
    table: &DeclaredTable,
    stored: &StoredTable,
    root: &str,
    spec: &PartitionSpec,
) -> Result<(), Fault> {
    let overlap = stored.partitions.iter().find(|known| {
        place::below(&known.root, root).is_some() || place::below(root, &known.root).is_some()
    });
    match overlap {
        None => Ok(()),
        Some(known) => {
            let of = show::partition(table, &known.values);
            let message = format!("the partition `{of}` lies there already: {}", known.root);
            Err(super::cursor::fault(spec.span, message, None))
        }
    }
}
