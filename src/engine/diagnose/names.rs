//! Names that are not there, or that several things have.

use std::ops::Range;

use datafusion::common::{Column, SchemaError, diagnostic::DiagnosticNote};

use super::{
    nearest::nearest,
    planning::{Context, Found},
    words::translate,
};
use crate::engine::{names::NameKind, tables::Relation};

/// The quotes of names, typographic ones too.
const QUOTES: [char; 3] = ['"', '“', '”'];

/// A fault about a column's name.
pub(super) fn schema_fault(
    context: &Context<'_>,
    fault: &SchemaError,
    span: Option<Range<usize>>,
    notes: &[DiagnosticNote],
) -> Found {
    match fault {
        SchemaError::FieldNotFound { field, valid_fields } => {
            unknown_column(context, field, valid_fields, span)
        }
        SchemaError::AmbiguousReference { field } => {
            let candidates: Vec<String> = notes
                .iter()
                .filter_map(|note| note.message.strip_prefix("possible column "))
                .map(|name| format!("`{}`", translate(name)))
                .collect();
            let help = match candidates.as_slice() {
                [] => "say which table's, as in `t.column`".to_owned(),
                some => format!("write {}", some.join(" or ")),
            };
            Found {
                message: format!("column `{}` is ambiguous", field.name),
                span: span.or_else(|| context.place_of(&field.name)),
                label: Some("several tables have it"),
                help: Some(help),
            }
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => Found {
            message: format!("two columns are named `{name}`"),
            span: context.place_of(name),
            help: Some("name one of them with AS".to_owned()),
            ..Found::default()
        },
    }
}

fn unknown_column(
    context: &Context<'_>,
    field: &Column,
    valid: &[Column],
    span: Option<Range<usize>>,
) -> Found {
    let name = field.name.as_str();
    let tables: Vec<&str> = valid
        .iter()
        .filter_map(|column| column.relation.as_ref())
        .map(datafusion::common::TableReference::table)
        .collect();
    if let Some(relation) = &field.relation
        && !tables.contains(&relation.table())
        && !valid.is_empty()
    {
        return unknown_qualifier(context, relation.table(), name, &tables, span);
    }
    let place = span.or_else(|| context.place_of(name));
    let written = place.as_ref().map_or("", |place| context.text(place));
    let spelled = written.trim_matches(QUOTES);
    // As the user wrote it, where it stands alone.
    let name = if spelled.eq_ignore_ascii_case(name) { spelled } else { name };
    let columns = valid.iter().map(|column| column.name.as_str());
    let help = if let Some(near) = nearest(name, columns) {
        Some(format!("did you mean `{near}`?"))
    } else if let Some(hidden) = hidden_column(context, name) {
        Some(hidden)
    } else if let Some(member) = member(context, name, valid) {
        Some(format!("did you mean `{member}`?"))
    } else if written.starts_with(QUOTES) {
        Some(format!("double quotes enclose names; a text is written '{name}'"))
    } else if valid.is_empty() {
        Some("there is no FROM clause".to_owned())
    } else {
        None
    };
    let message = match &field.relation {
        Some(relation) => format!("column `{name}` does not exist in `{}`", relation.table()),
        None => format!("column `{name}` does not exist"),
    };
    Found { message, span: place, label: Some("unknown column"), help }
}

/// `x.name` where `x` is no table of the FROM clause.
fn unknown_qualifier(
    context: &Context<'_>,
    qualifier: &str,
    name: &str,
    tables: &[&str],
    span: Option<Range<usize>>,
) -> Found {
    let place = context.place_of(qualifier).or(span);
    let columns = context.session.columns();
    let near_table = nearest(qualifier, tables.iter().copied());
    let help = near_table
        .or_else(|| nearest(qualifier, columns.iter().map(String::as_str)))
        .map(|near| format!("did you mean `{near}.{name}`?"));
    Found {
        message: format!("`{qualifier}` is neither a table of the FROM clause nor a column"),
        span: place,
        label: Some("unknown name"),
        help,
    }
}

/// Advice for a column that our tables have but a `*` in between has left out.
fn hidden_column(context: &Context<'_>, name: &str) -> Option<String> {
    let of = Relation::ALL
        .into_iter()
        .find(|r| r.columns().iter().any(|column| column.hidden && column.name == name))?;
    let named = [of.name(), "cloudtrail"].into_iter().any(|t| context.place_of(t).is_some());
    named.then(|| {
        format!("`*` leaves `{name}` of {} out: name it where the table is read", of.name())
    })
}

/// The struct's member that `name` most likely means: `arn` is `useridentity.arn`.
fn member(context: &Context<'_>, name: &str, valid: &[Column]) -> Option<String> {
    let suffix = format!(".{}", name.to_ascii_lowercase());
    let names = context.session.names();
    let paths = names.iter().filter(|known| known.kind == NameKind::Field);
    let mut found: Vec<&str> = paths
        .map(|known| known.text.as_str())
        .filter(|path| path.ends_with(&suffix))
        .filter(|path| {
            let column = path.split('.').next().unwrap_or_default();
            valid.iter().any(|known| known.name == column)
        })
        .collect();
    found.sort_by_key(|path| (path.matches('.').count(), !path.starts_with("useridentity")));
    found.first().map(|path| (*path).to_owned())
}
