//! What is kept of declarations in the cache: their text, where they lie, their partitions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Ddl, Declaration, parse, place::Template};
use crate::{ErrorKind, Result};

/// The format this build reads and writes.
const FORMAT: u32 = 1;

/// The file as a whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Stored {
    format: u32,
    #[serde(default)]
    tables: Vec<StoredTable>,
    #[serde(default)]
    views: Vec<StoredView>,
}

/// A table as it is kept: what it declares is read from its text again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct StoredTable {
    /// The statement that declared it.
    pub(in crate::engine) text: String,
    /// Its location, absolute, without a slash at the end.
    pub(in crate::engine) root: String,
    /// `storage.location.template`, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::engine) template: Option<String>,
    /// The partitions that were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::engine) partitions: Vec<StoredPartition>,
}

/// A partition that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct StoredPartition {
    /// By the partition columns' order.
    pub(in crate::engine) values: Vec<Option<String>>,
    /// Where it lies, absolute, without a slash at the end.
    pub(in crate::engine) root: String,
}

/// A view as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct StoredView {
    pub(in crate::engine) name: String,
    /// The statement that created it.
    pub(in crate::engine) text: String,
    /// The columns it shows.
    pub(in crate::engine) columns: Vec<String>,
    /// The values of the statement's `:name` parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::engine) parameters: Vec<(String, String)>,
}

/// A declared table: what it declares, and what is kept of it.
#[derive(Debug)]
pub(in crate::engine) struct DeclaredTable {
    pub(in crate::engine) declaration: Declaration,
    pub(in crate::engine) stored: StoredTable,
    /// `stored.template`, read.
    pub(in crate::engine) template: Option<Template>,
}

impl DeclaredTable {
    /// Reads a table as it is kept; nothing where its text is not that of a table.
    pub(in crate::engine) fn new(stored: StoredTable) -> Option<Self> {
        let Some(Ok(Ddl::CreateTable(declaration))) = parse(&stored.text) else { return None };
        let template = stored.template.as_deref().map(Template::parse);
        Some(Self { declaration: *declaration, stored, template })
    }

    /// Its name.
    pub(in crate::engine) fn name(&self) -> &str {
        &self.declaration.name.name
    }

    /// Whether its partitions are added by hand.
    pub(in crate::engine) fn is_listed(&self) -> bool {
        !self.declaration.partitions.is_empty() && self.declaration.projection.is_none()
    }
}

/// All that SQL declared.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Declarations {
    pub(in crate::engine) tables: Vec<Arc<DeclaredTable>>,
    pub(in crate::engine) views: Vec<StoredView>,
    /// Tables that another build declared and this one cannot read: kept for that one.
    unread: Vec<StoredTable>,
}

impl Declarations {
    /// Reads what the cache keeps.
    ///
    /// # Errors
    /// It is damaged, or of a newer build.
    pub(in crate::engine) fn read(text: Option<&str>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self::default()) };
        let failed = |source| ErrorKind::Engine(source);
        let stored: Stored = serde_json::from_str(text)
            .map_err(|error| failed(format!("`declared.json` of the cache: {error}").into()))?;
        if stored.format > FORMAT {
            let message = "`declared.json` of the cache was written by a newer trailhound";
            return Err(failed(message.into()).into());
        }
        let mut declared = Self { views: stored.views, ..Self::default() };
        for table in stored.tables {
            match DeclaredTable::new(table.clone()) {
                Some(table) => declared.tables.push(Arc::new(table)),
                None => declared.unread.push(table),
            }
        }
        Ok(declared)
    }

    /// The text the cache keeps.
    ///
    /// # Errors
    /// Never in truth: it is plain text.
    pub(in crate::engine) fn write(&self) -> Result<String> {
        let tables = self.tables.iter().map(|table| &table.stored).chain(&self.unread);
        let tables = tables.cloned().collect();
        let stored = Stored { format: FORMAT, tables, views: self.views.clone() };
        let text = serde_json::to_string_pretty(&stored);
        text.map(|text| text + "\n").map_err(|error| ErrorKind::Engine(error.into()).into())
    }

    /// The table `name`, in lower case.
    pub(in crate::engine) fn table(&self, name: &str) -> Option<&Arc<DeclaredTable>> {
        self.tables.iter().find(|table| table.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_build_declared_is_kept() {
        let known = "CREATE EXTERNAL TABLE u (eventname STRING) ROW FORMAT SERDE \
                     'com.amazon.emr.hive.serde.CloudTrailSerde' LOCATION '/x'";
        let text = format!(
            r#"{{"format":1,"tables":[
                {{"text":"CREATE EXTERNAL TABLE t (a MATRIX)","root":"/x"}},
                {{"text":"{known}","root":"/x"}}]}}"#
        );
        let text = text.as_str();
        let declared = Declarations::read(Some(text)).unwrap();
        assert!(declared.table("t").is_none());
        assert!(declared.table("u").is_some());
        let written = declared.write().unwrap();
        assert!(written.contains("MATRIX"), "{written}");
        let newer = text.replace("\"format\":1", "\"format\":2");
        assert!(Declarations::read(Some(&newer)).is_err());
        assert!(Declarations::read(Some("{")).is_err());
    }
}
