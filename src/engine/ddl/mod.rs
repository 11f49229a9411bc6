//! Hive's DDL, as AWS documents it for CloudTrail: tables that are declared over a location.
//!
//! ```text
//! text ─ cursor ─► declaration ─► store (declared.json of the cache) ─► table (a plan)
//!                  projection        place (which files are its own)
//! ```
//!
//! A declared table holds no rows of its own. Its rows are the events of the cache whose own copy
//! lies below its location: those that were kept from a file there, and those of which a file
//! there has a copy that was not written again. Its partition columns are read from the path of
//! that file.
//!
//! Dropping a table forgets its declaration; the cache and the evidence stay as they are.

mod asked;
mod columns;
mod cursor;
mod dates;
mod declaration;
mod hive_type;
mod notices;
mod partitions;
mod place;
mod projection;
mod show;
mod sources;
mod statements;
mod store;
mod table;
mod values;

use datafusion::sql::sqlparser::tokenizer::{Span, Token};

use self::cursor::{Cursor, Text};
pub use self::sources::{Sources, declared_sources};
pub(super) use self::{
    asked::in_stored_terms,
    cursor::Name,
    declaration::Declaration,
    notices::of_catalogue as notices,
    partitions::{Catalogue, Catalogues, asked_about, implied, left},
    store::{Declarations, DeclaredTable, StoredView},
    table::{ORIGINALS, PARTITIONS_SUFFIX, partitions as partitions_table, provider},
};
use super::rewrite::Fault;

/// A statement of Hive's.
#[derive(Debug)]
pub(super) enum Ddl {
    /// `CREATE EXTERNAL TABLE`.
    CreateTable(Box<Declaration>),
    /// `ALTER TABLE … ADD PARTITION`.
    AddPartitions { table: Name, if_not_exists: bool, partitions: Vec<PartitionSpec> },
    /// `ALTER TABLE … DROP PARTITION`.
    DropPartitions { table: Name, if_exists: bool, partitions: Vec<PartitionSpec> },
    /// `MSCK REPAIR TABLE`.
    Repair(Name),
    /// `SHOW PARTITIONS`.
    ShowPartitions(Name),
    /// `SHOW CREATE TABLE`.
    ShowCreate(Name),
    /// `DROP TABLE`.
    DropTable { table: Name, if_exists: bool },
    /// `CREATE DATABASE`.
    CreateDatabase(String),
    /// `SHOW DATABASES`.
    ShowDatabases,
}

/// A partition as ALTER TABLE names it.
#[derive(Debug, Clone)]
pub(super) struct PartitionSpec {
    /// Columns and values.
    pub(super) values: Vec<(String, Text)>,
    /// Where it lies, if told.
    pub(super) location: Option<Text>,
    pub(super) span: Span,
}

/// Reads a statement of Hive's; nothing where `sql` is none.
pub(super) fn parse(sql: &str) -> Option<Result<Ddl, Fault>> {
    // Long queries need not be taken apart twice.
    let first = sql.trim_start();
    let end = first.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(first.len());
    let word = first.get(..end).unwrap_or_default().to_ascii_lowercase();
    let may_be_ours = matches!(word.as_str(), "create" | "alter" | "msck" | "show" | "drop");
    if !may_be_ours && !first.starts_with(['-', '/']) {
        return None;
    }
    let mut cursor = Cursor::new(sql)?;
    let starts = [
        &["create", "external", "table"][..],
        &["create", "database"],
        &["create", "schema"],
        &["alter", "table"],
        &["msck"],
        &["show", "partitions"],
        &["show", "create", "table"],
        &["show", "databases"],
        &["show", "schemas"],
        &["drop", "table"],
    ];
    let start = starts.into_iter().find(|words| cursor.sees(words))?;
    cursor.eats(start);
    let read = match start {
        ["create", "external", ..] => {
            Declaration::parse(&mut cursor).map(|table| Ddl::CreateTable(Box::new(table)))
        }
        ["create", ..] => database(&mut cursor),
        ["alter", ..] => return alter(cursor),
        ["msck"] => repair(&mut cursor),
        ["show", "partitions"] => cursor.table().map(Ddl::ShowPartitions),
        ["show", "create", ..] => cursor.table().map(Ddl::ShowCreate),
        ["show", ..] => Ok(Ddl::ShowDatabases),
        _ => drop_table(&mut cursor),
    };
    Some(read.and_then(|ddl| cursor.end().map(|()| ddl)))
}

fn database(cursor: &mut Cursor) -> Result<Ddl, Fault> {
    cursor.eats(&["if", "not", "exists"]);
    let name = cursor.name("a database's name")?;
    if cursor.eats(&["comment"]) {
        cursor.text("a comment in quotes")?;
    }
    if cursor.eats(&["location"]) {
        cursor.text("a location in quotes")?;
    }
    if cursor.eats(&["with", "dbproperties"]) {
        cursor.list(|cursor| {
            cursor.text("a property in quotes")?;
            cursor.take(&Token::Eq)?;
            cursor.text("a value in quotes")
        })?;
    }
    Ok(Ddl::CreateDatabase(name))
}

/// `ALTER TABLE` about partitions; the other kinds are refused with the statements that write.
fn alter(mut cursor: Cursor) -> Option<Result<Ddl, Fault>> {
    let Ok(table) = cursor.table() else { return None };
    let add = cursor.sees(&["add", "if", "not", "exists", "partition"])
        || cursor.sees(&["add", "partition"]);
    let drop =
        cursor.sees(&["drop", "if", "exists", "partition"]) || cursor.sees(&["drop", "partition"]);
    if !add && !drop {
        return None;
    }
    Some(partitions(&mut cursor, table, add).and_then(|ddl| cursor.end().map(|()| ddl)))
}

fn partitions(cursor: &mut Cursor, table: Name, add: bool) -> Result<Ddl, Fault> {
    cursor.eats(if add { &["add"] } else { &["drop"] });
    let guarded = cursor.eats(if add { &["if", "not", "exists"] } else { &["if", "exists"] });
    let mut partitions = Vec::new();
    while !cursor.is_done() {
        let span = cursor.span();
        cursor.words(&["partition"])?;
        let values = cursor.list(|cursor| {
            let name = cursor.name("a partition column")?;
            cursor.take(&Token::Eq)?;
            Ok((name, cursor.value()?))
        })?;
        let location = if add && cursor.eats(&["location"]) {
            let location = cursor.text("a location in quotes")?;
            declaration::check_location(&location)?;
            Some(location)
        } else {
            None
        };
        partitions.push(PartitionSpec { values, location, span });
        // Between the partitions to drop stand commas, between those to add nothing.
        if !add && !cursor.is_done() {
            cursor.take(&Token::Comma)?;
        }
    }
    Ok(if add {
        Ddl::AddPartitions { table, if_not_exists: guarded, partitions }
    } else {
        Ddl::DropPartitions { table, if_exists: guarded, partitions }
    })
}

fn repair(cursor: &mut Cursor) -> Result<Ddl, Fault> {
    cursor.words(&["repair", "table"])?;
    let table = cursor.table()?;
    cursor.eats(&["add", "partitions"]);
    Ok(Ddl::Repair(table))
}

fn drop_table(cursor: &mut Cursor) -> Result<Ddl, Fault> {
    let if_exists = cursor.eats(&["if", "exists"]);
    let table = cursor.table()?;
    cursor.eats(&["purge"]);
    Ok(Ddl::DropTable { table, if_exists })
}
