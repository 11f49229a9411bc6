//! The names a prompt completes.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Fields};
use datafusion::execution::session_state::SessionState;

use super::{session::Session, tables::Relation};
use crate::cache::Table;

/// A name and what it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The name as it is written: lower case, keywords in capitals.
    pub text: String,
    /// What it names.
    pub kind: NameKind,
}

/// What a [`Name`] names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// A table or view.
    Table,
    /// A column of the table `of`.
    Column {
        /// The table's own name.
        of: String,
        /// The column's type in Athena's words.
        sql_type: String,
    },
    /// A member of a struct; the text is the whole path, `useridentity.sessioncontext.attributes`.
    Field,
    /// A function.
    Function,
    /// A keyword.
    Keyword,
}

/// Keywords that statements here are made of; the parser knows some 900 more.
pub(super) const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CREATE",
    "CROSS",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "MSCK",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PARTITIONED",
    "PARTITIONS",
    "PREPARE",
    "RECURSIVE",
    "REPAIR",
    "REPLACE",
    "RIGHT",
    "ROWS",
    "SELECT",
    "SET",
    "SHOW",
    "TABLE",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "TRY_CAST",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
];

/// All names of `session`.
pub(super) fn all(session: &Session, state: &SessionState) -> Vec<Name> {
    let mut names = Vec::new();
    names
        .extend(session.table_names().into_iter().map(|text| Name { text, kind: NameKind::Table }));
    for relation in Relation::ALL {
        names.extend(relation.columns().into_iter().map(|column| Name {
            text: column.name,
            kind: NameKind::Column { of: relation.name().to_owned(), sql_type: column.sql_type },
        }));
    }
    for table in &session.declared().tables {
        names.extend(table.columns().into_iter().filter(|column| !column.hidden).map(|column| {
            let of = table.name().to_owned();
            Name { text: column.name, kind: NameKind::Column { of, sql_type: column.sql_type } }
        }));
    }
    for table in Table::ALL {
        for field in table.schema().fields() {
            fields(field.name(), field.data_type(), &mut names);
        }
    }
    let kind = NameKind::Function;
    names.extend(functions(state).into_iter().map(|text| Name { text, kind: kind.clone() }));
    let keywords = KEYWORDS.iter().map(|text| (*text).to_owned());
    names.extend(keywords.map(|text| Name { text, kind: NameKind::Keyword }));
    names.sort();
    names.dedup();
    names
}

/// The members of `data_type`, below `path`.
fn fields(path: &str, data_type: &DataType, names: &mut Vec<Name>) {
    let members: &Fields = match data_type {
        DataType::Struct(members) => members,
        DataType::List(item) => return fields(path, item.data_type(), names),
        _ => return,
    };
    for member in members {
        let text = format!("{path}.{}", member.name());
        names.push(Name { text: text.clone(), kind: NameKind::Field });
        fields(&text, member.data_type(), names);
    }
}

/// The names of all functions, aliases included; without those that stand behind operators.
pub(super) fn functions(state: &SessionState) -> Vec<String> {
    let names: BTreeSet<&String> = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .chain(state.higher_order_functions().keys())
        .chain(state.table_functions().keys())
        .collect();
    names.into_iter().cloned().collect()
}
