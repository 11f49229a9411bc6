//! What is said of a declared table beside its rows, so that nobody takes them for more or less
//! than they are.

use std::path::Path;

use super::{
    columns,
    partitions::Catalogue,
    place::{self, Rule},
    store::DeclaredTable,
};
use crate::engine::tables::Relation;

/// The database under whose name the cache's own tables are always reached.
const OWN: &str = crate::engine::catalog::OWN;

/// What is said once, when the table is declared.
pub(super) fn of_declaration(table: &DeclaredTable) -> Vec<String> {
    let unknown: Vec<String> = table
        .declaration
        .columns
        .iter()
        .filter(|column| !columns::is_known(column))
        .map(|column| format!("`{}`", column.name))
        .collect();
    match unknown.as_slice() {
        [] => Vec::new(),
        [one] => vec![format!(
            "column {one} is NULL where a record has no field of this name: CloudTrail's have none"
        )],
        many => vec![format!(
            "columns {} are NULL where a record has no fields of these names: CloudTrail's have none",
            many.join(", ")
        )],
    }
}

/// What is said beside each answer from the table.
pub(in crate::engine) fn of_catalogue(catalogue: &Catalogue) -> Vec<String> {
    let table = &catalogue.table;
    let name = table.name();
    let location = &table.declaration.location;
    let mut lines = Vec::new();
    if Relation::named(name).is_some() {
        lines.push(format!(
            "`{name}` is the table declared over {location}; all events are in `{OWN}.cloudtrail_logs`"
        ));
    }
    let keys = place::logs(&table.stored.root);
    match (catalogue.rule, keys) {
        (Rule::Copies, Some(keys)) if !catalogue.is_empty() => lines.push(format!(
            "nothing was read from {location}: the rows of `{name}` are those of local copies, \
             files whose path has `{keys}/`"
        )),
        _ => {}
    }
    if table.is_listed() && table.stored.partitions.is_empty() {
        lines.push(format!(
            "table `{name}` has no partitions yet: ALTER TABLE … ADD PARTITION or MSCK REPAIR \
             TABLE adds them"
        ));
    } else if catalogue.is_empty() && catalogue.outside == 0 {
        lines.push(nothing_there(table));
    }
    match catalogue.outside {
        0 => {}
        1 => lines
            .push(format!("1 file below the location of `{name}` lies in none of its partitions")),
        n => lines.push(format!(
            "{n} files below the location of `{name}` lie in none of its partitions"
        )),
    }
    match catalogue.changed {
        0 => {}
        n => {
            let files = if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
            lines.push(format!(
                "{files} of `{name}` changed since first read: what was there before is left out, \
                 and `superseded` in `{OWN}.cloudtrail_logs`"
            ));
        }
    }
    for root in table.local_roots() {
        if !Path::new(&root).exists() && !catalogue.is_empty() {
            lines.push(format!("{root} cannot be reached: the rows are those read before"));
        }
    }
    lines
}

fn nothing_there(table: &DeclaredTable) -> String {
    let location = &table.declaration.location;
    let nothing = format!("nothing below {location} has been ingested");
    if !table.stored.root.starts_with("s3://") {
        return nothing;
    }
    match place::logs(&table.stored.root) {
        Some(keys) => format!(
            "{nothing}: `trailhound ingest` reads it where AWS credentials allow; `trailhound ingest \
             DIR` of a local copy whose paths have `{keys}/` is found as well"
        ),
        None => format!(
            "{nothing}: `trailhound ingest` reads it where AWS credentials allow; or give the \
             directory of a local copy as LOCATION"
        ),
    }
}
