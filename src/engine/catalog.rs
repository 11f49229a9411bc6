//! Which name means which table.
//!
//! Any catalog and any database will do: pasted queries name the ones their author had
//! (`"security_db"."cloudtrail_logs"`, `awsdatacatalog.default.cloudtrail_logs`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use datafusion::{
    catalog::{CatalogProvider, CatalogProviderList, SchemaProvider},
    datasource::TableProvider,
    error::Result,
};

use super::{
    config::{CATALOG, SCHEMA},
    tables::{Relation, SnapshotTables},
};

/// The database under whose name the cache's own tables are reached, whatever was declared.
pub(super) const OWN: &str = "cache";

/// Further names of tables, as the user maps them: ([database.]name in lower case, table).
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<(Option<String>, String, Relation)>);

impl Aliases {
    /// Reads the mapping; names of tables that do not exist are left out.
    pub(super) fn new(names: &[(String, String)]) -> Self {
        let mut aliases = Vec::new();
        for (name, table) in names {
            let Some(relation) = Relation::named(&table.to_lowercase()) else { continue };
            let name = name.to_lowercase().replace('"', "");
            match name.rsplit_once('.') {
                Some((database, name)) => {
                    let database = database.rsplit('.').next().unwrap_or(database);
                    aliases.push((Some(database.to_owned()), name.to_owned(), relation));
                }
                None => aliases.push((None, name, relation)),
            }
        }
        Self(aliases)
    }

    /// The table that `name` of `database` means.
    pub(super) fn resolve(&self, database: Option<&str>, name: &str) -> Option<Relation> {
        let mapped = self.0.iter().find(|(of, alias, _)| {
            alias == name && of.as_deref().is_none_or(|of| Some(of) == database)
        });
        mapped.map(|(_, _, relation)| *relation).or_else(|| Relation::named(name))
    }

    /// The names, as they are written without a database.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Relation)> {
        self.0.iter().map(|(_, name, relation)| (name.as_str(), *relation))
    }
}

/// The names that one statement sees: one snapshot's tables, declared
/// tables and views.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) tables: Arc<SnapshotTables>,
    pub(super) aliases: Arc<Aliases>,
    /// Planned views and declared tables, by name.
    views: Mutex<BTreeMap<String, Arc<dyn TableProvider>>>,
    /// What is to be said of the tables that a statement names.
    notices: Mutex<Vec<String>>,
}

impl Names {
    pub(super) fn new(tables: Arc<SnapshotTables>, aliases: Arc<Aliases>) -> Self {
        Self { tables, aliases, views: Mutex::default(), notices: Mutex::default() }
    }

    /// Makes the view `name` visible.
    pub(super) fn add_view(&self, name: String, view: Arc<dyn TableProvider>) {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).insert(name, view);
    }

    /// Adds to what is to be said beside the answer.
    pub(super) fn notice(&self, lines: Vec<String>) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    }

    /// What is to be said beside the answer.
    pub(super) fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the view `name` is visible already.
    pub(super) fn has_view(&self, name: &str) -> bool {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }
}

/// The list of catalogs: every name is one and the same.
#[derive(Debug)]
pub(super) struct AnyCatalog(pub(super) Arc<Names>);

#[derive(Debug)]
struct AnyDatabase(Arc<Names>);

#[derive(Debug)]
struct Database {
    names: Arc<Names>,
    name: String,
}

impl CatalogProviderList for AnyCatalog {
    fn register_catalog(
        &self,
        _: String,
        _: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, _: &str) -> Option<Arc<dyn CatalogProvider>> {
        Some(Arc::new(AnyDatabase(Arc::clone(&self.0))))
    }
}

impl CatalogProvider for AnyDatabase {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(Database { names: Arc::clone(&self.0), name: name.to_lowercase() }))
    }
}

#[async_trait]
impl SchemaProvider for Database {
    fn table_names(&self) -> Vec<String> {
        let views = self.names.views.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = Relation::ALL.into_iter().map(|relation| relation.name().to_owned());
        let names: BTreeSet<String> = tables.chain(views.keys().cloned()).collect();
        names.into_iter().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let name = name.to_lowercase();
        if self.name == OWN
            && let Some(relation) = Relation::named(&name)
        {
            return relation.provider(&self.names.tables).map(Some);
        }
        {
            let views = self.names.views.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(view) = views.get(&name) {
                return Ok(Some(Arc::clone(view)));
            }
        }
        match self.names.aliases.resolve(Some(&self.name), &name) {
            Some(relation) => relation.provider(&self.names.tables).map(Some),
            None => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.names.has_view(&name) || self.names.aliases.resolve(Some(&self.name), &name).is_some()
    }
}
