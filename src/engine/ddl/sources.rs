//! What is to be read before a statement runs, so that a declared table has what lies at its
//! location now. The engine reads no logs: whoever runs statements ingests these first.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{Ddl, Declaration, place, store::DeclaredTable};
use crate::{
    Result,
    engine::{
        Statement, parse,
        session::{Session, locked},
    },
};

/// How long a location that was read counts as read, so that a prompt need not list a million
/// files for every question.
const READ_FOR: Duration = Duration::from_mins(1);

/// What is to be ingested before a statement runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files, archives and directories of this machine.
    pub places: Vec<String>,
    /// Prefixes in S3. Whether they can be read is known to whoever reads them.
    pub in_s3: Vec<String>,
    /// Whether the statement must not run without: it declares a table or partition there. A
    /// question is answered all the same, from what was read before.
    pub are_needed: bool,
}

impl Session {
    /// The sources to ingest before `statement` runs: where a table that it declares lies, and the
    /// locations of the declared tables that it names, but for those that were given within the
    /// last minute. What lies in S3 is only named for a table that is declared, altered or
    /// repaired: listing a bucket for every question takes too long.
    ///
    /// # Errors
    /// The statement is no SQL, or the declarations cannot be read.
    pub fn sources(&self, statement: &Statement) -> Result<Sources> {
        self.load_declared()?;
        let declared = self.declared();
        let mut places = match parse::hive(statement)? {
            Some(Ddl::CreateTable(declaration)) => {
                // It fails or is passed over.
                if declared.table(&declaration.name.name).is_some() {
                    return Ok(Sources::default());
                }
                of_declaration(&declaration)
            }
            Some(Ddl::AddPartitions { table, partitions, .. }) => {
                if declared.table(&table.name).is_none() {
                    return Ok(Sources::default());
                }
                let given = partitions.iter().filter_map(|spec| spec.location.as_ref());
                given.map(|location| place::resolved(&location.value)).collect()
            }
            Some(Ddl::Repair(table)) => {
                declared.table(&table.name).map_or_else(Vec::new, |table| table.roots())
            }
            Some(_) => return Ok(Sources::default()),
            None => {
                let places = self.sources_of_query(statement)?;
                return Ok(Sources { places, ..Sources::default() });
            }
        };
        let in_s3 = take_s3(&mut places);
        keep_local(&mut places);
        let now = Instant::now();
        let mut listed = locked(&self.listed);
        listed.extend(places.iter().map(|place| (place.clone(), now)));
        Ok(Sources { places, in_s3, are_needed: true })
    }

    fn sources_of_query(&self, statement: &Statement) -> Result<Vec<String>> {
        let declared = self.declared();
        if declared.tables.is_empty() {
            return Ok(Vec::new());
        }
        let tree = parse::tree(statement)?;
        // What it cannot be asked for now, it will be told for when it runs.
        let wanted = self.wanted(&tree).unwrap_or_default();
        let named = wanted.iter().filter_map(|name| {
            let table = name.strip_suffix(super::PARTITIONS_SUFFIX).unwrap_or(name);
            declared.table(table)
        });
        let mut sources: Vec<String> = named.flat_map(|table| table.roots()).collect();
        keep_local(&mut sources);
        sources.retain(|source| Path::new(source).exists());
        let now = Instant::now();
        let mut listed = locked(&self.listed);
        sources.retain(|source| {
            let is_due = listed.get(source).is_none_or(|at| now.duration_since(*at) >= READ_FOR);
            if is_due {
                listed.insert(source.clone(), now);
            }
            is_due
        });
        Ok(sources)
    }
}

/// Where a table that is about to be declared lies.
fn of_declaration(declaration: &Declaration) -> Vec<String> {
    let mut sources = vec![place::resolved(&declaration.location)];
    let template = declaration.projection.as_ref().and_then(|p| p.template.as_deref());
    sources.extend(template.map(place::Template::home_of));
    sources
}

/// Takes the prefixes in S3 out of `sources`, each once and none below another. A slash ends each:
/// a location is a folder.
fn take_s3(sources: &mut Vec<String>) -> Vec<String> {
    let mut in_s3: Vec<String> =
        sources.extract_if(.., |source| source.starts_with("s3://")).collect();
    in_s3.sort();
    in_s3.dedup_by(|later, first| place::below(first, later).is_some());
    in_s3.into_iter().map(|source| format!("{source}/")).collect()
}

/// The files and directories of this machine among `sources`, each once and none below another.
fn keep_local(sources: &mut Vec<String>) {
    sources.retain(|source| !source.starts_with("s3://"));
    for source in sources.iter_mut() {
        // A location within an archive is read with the archive.
        if let Some((archive, _)) = source.split_once("!/") {
            *source = archive.to_owned();
        }
        // The root of all has no slash left.
        if source.is_empty() {
            "/".clone_into(source);
        }
    }
    sources.sort();
    sources.dedup_by(|later, first| place::below(first, later).is_some());
}

/// Where the tables that `text` declares lie on this machine; nothing where it declares none.
///
/// # Errors
/// The text is no SQL: a [`crate::error::Diagnostic`] with the place.
pub fn declared_sources(text: &str, origin: Option<&str>) -> Result<Option<Vec<String>>> {
    let statements = parse::split(text, origin)?;
    let declared: Vec<Vec<String>> = statements
        .iter()
        .filter_map(|statement| match parse::hive(statement) {
            Ok(Some(Ddl::CreateTable(table))) => Some(of_declaration(&table)),
            _ => None,
        })
        .collect();
    if declared.is_empty() {
        return Ok(None);
    }
    let mut sources = declared.concat();
    keep_local(&mut sources);
    Ok(Some(sources))
}

impl DeclaredTable {
    /// All places of this machine that it reads, absolute, each once and none below another.
    pub(super) fn local_roots(&self) -> Vec<String> {
        let mut roots = self.roots();
        keep_local(&mut roots);
        roots
    }

    /// All places that it reads, absolute.
    fn roots(&self) -> Vec<String> {
        let partitions = self.stored.partitions.iter().map(|partition| partition.root.clone());
        let template = self.template.as_ref().map(place::Template::home);
        let root = std::iter::once(self.stored.root.clone());
        root.chain(template).chain(partitions).collect()
    }
}
