//! What the tables are: `SHOW TABLES` and `DESCRIBE`.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::Schema,
};
use datafusion::error::Result;

use super::{
    catalog::Aliases,
    ddl::Declarations,
    tables::{Column, Relation},
    types::type_name,
};

/// The tables, their further names, what was declared, and the views.
pub(super) fn tables(
    aliases: &Aliases,
    declared: &Declarations,
    views: Vec<String>,
) -> Result<RecordBatch> {
    let mut rows: Vec<[Cow<'static, str>; 3]> = Vec::new();
    for relation in Relation::ALL {
        rows.push([relation.name().into(), "table".into(), relation.comment().into()]);
        if relation == Relation::Logs {
            rows.push(also("cloudtrail", relation));
        }
    }
    rows.extend(aliases.names().map(|(name, relation)| also(name, relation)));
    rows.retain(|[name, ..]| declared.table(name).is_none());
    rows.extend(declared.tables.iter().map(|table| {
        let comment = format!("declared over {}", table.declaration.location);
        [table.name().to_owned().into(), "declared".into(), comment.into()]
    }));
    let view = |view: String| [view.into(), "view".into(), "a view".into()];
    rows.extend(views.into_iter().map(view));
    batch(["table_name", "kind", "comment"], &rows)
}

fn also(name: &str, relation: Relation) -> [Cow<'static, str>; 3] {
    let comment = format!("another name of {}", relation.name());
    [name.to_owned().into(), "alias".into(), comment.into()]
}

/// The columns of a table: those of `SELECT *`, then by group those that must be named.
pub(super) fn columns(columns: Vec<Column>) -> Result<RecordBatch> {
    let row = |column: Column| {
        [column.name.into(), column.sql_type.into(), column.group.into(), column.comment]
    };
    let (hidden, shown): (Vec<Column>, Vec<Column>) =
        columns.into_iter().partition(|column| column.hidden);
    let rows: Vec<_> = shown.into_iter().chain(hidden).map(row).collect();
    batch(["column_name", "type", "group", "comment"], &rows)
}

/// The columns of a view.
pub(super) fn schema(schema: &Schema) -> Result<RecordBatch> {
    let row = |field: &Arc<arrow::datatypes::Field>| -> [Cow<'static, str>; 4] {
        [field.name().clone().into(), type_name(field.data_type()).into(), "view".into(), "".into()]
    };
    let rows: Vec<_> = schema.fields().iter().map(row).collect();
    batch(["column_name", "type", "group", "comment"], &rows)
}

fn batch<const N: usize>(names: [&str; N], rows: &[[Cow<'static, str>; N]]) -> Result<RecordBatch> {
    let columns = names.into_iter().enumerate().map(|(index, name)| {
        let values = rows.iter().map(|row| row.get(index).map(Cow::as_ref));
        (name, Arc::new(values.collect::<StringArray>()) as ArrayRef)
    });
    Ok(RecordBatch::try_from_iter(columns)?)
}
