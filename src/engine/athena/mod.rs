//! A query as it runs in Athena, over the table that AWS defines.
//!
//! The text stays as its author wrote it. Our companion columns come from one CTE over the table
//! that adds those in use; parameters become `?`. Which columns are in use the plan knows: a name
//! in the text may be an alias, or a column of something else.

mod columns;

use std::{collections::BTreeSet, ops::Range};

use datafusion::{
    common::tree_node::{TreeNode, TreeNodeRecursion},
    error::DataFusionError,
    logical_expr::{Expr, LogicalPlan},
    sql::{
        parser::Statement as Ast,
        sqlparser::{
            ast::{Query, Select, SelectItem, Statement as Sql, TableFactor},
            tokenizer::Token,
        },
    },
};

pub use self::columns::{AthenaColumn, athena_columns};
use super::{
    Session, Statement, diagnose, parse, rewrite,
    session::Named,
    tables::Relation,
    walk::{self, Flow, ON, Walker},
};
use crate::{Result, cache::Table};

/// A query for Athena.
#[derive(Debug, Clone)]
pub struct AthenaForm {
    /// Its text, up to its semicolon.
    pub sql: String,
    /// The parameters that its `?` stand for, in order.
    pub placeholders: Vec<String>,
    /// What its reader should know, in sentences.
    pub notes: Vec<String>,
}

/// A change of the text: the bytes at a place become others.
type Edit = (Range<usize>, String);

impl Session {
    /// `statement` as it runs in Athena. `spelled` gives the Athena text of a parameter, which has
    /// one `?`; the statement's own parameters are only used to plan it.
    ///
    /// # Errors
    /// It does not plan, is no query, or names tables or columns that Athena cannot have: a
    /// [`crate::error::Diagnostic`] with the place.
    pub async fn athena(
        &self,
        statement: &Statement,
        spelled: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<AthenaForm> {
        let mut tree = parse::tree(statement)?;
        let found = self.references(statement, &mut tree)?;
        let used = self.used(statement, tree).await?;
        let words = diagnose::words(statement);
        let columns = in_use(statement, &words, &used)?;
        let (mut edits, placeholders) = parameters(&words, spelled);
        let notes =
            columns.iter().filter_map(|column| Some(format!("{}: {}", column.name, column.note?)));
        let mut notes: Vec<String> = notes.collect();
        if !columns.is_empty() {
            if found.tables.is_empty() {
                let message = "the table that its columns are added to is not named: a view or a \
                               CTE stands for it";
                return Err(diagnose::at(statement, None, message));
            }
            if found.has_wildcard {
                notes.push("`*` gives the added columns too.".to_owned());
            }
            edits.extend(found.enriched(statement, &words, &columns));
        }
        Ok(AthenaForm { sql: edited(statement, edits), placeholders, notes })
    }

    /// The columns of the events that the statement names.
    async fn used(&self, statement: &Statement, mut tree: Ast) -> Result<BTreeSet<String>> {
        rewrite::rewrite(&mut tree, self).map_err(|fault| diagnose::fault(statement, fault))?;
        let (state, _) = self.prepare_for(statement, &tree).await?;
        let plan = self.plan(statement, &state, tree).await?;
        named_columns(&plan).map_err(|error| diagnose::planning(statement, self, error))
    }

    /// Where the statement names the events' table.
    fn references(&self, statement: &Statement, tree: &mut Ast) -> Result<References> {
        let query = match tree {
            Ast::Statement(sql) => match sql.as_mut() {
                Sql::Query(query) => query,
                _ => return Err(no_query(statement)),
            },
            _ => return Err(no_query(statement)),
        };
        let mut found = References::default();
        let mut walker = Tables { ctes: BTreeSet::new(), found: Vec::new(), has_wildcard: false };
        walk::walk(query.as_mut(), &mut walker);
        found.has_wildcard = walker.has_wildcard;
        for (parts, place, has_alias) in walker.found {
            let (Some(name), Some(place)) =
                (parts.last(), diagnose::place_of_span(statement, place))
            else {
                continue;
            };
            if parts.len() == 1 && walker.ctes.contains(name) {
                continue;
            }
            let database = parts.len().checked_sub(2).and_then(|at| parts.get(at));
            match self.table_named(database.map(String::as_str), name) {
                Some(Named::Relation(Relation::Logs)) => {
                    found.tables.push((place, name.clone(), has_alias));
                }
                Some(Named::Relation(relation)) => {
                    let message = format!(
                        "`{}` is a table of trailhound's own: Athena has none",
                        relation.name()
                    );
                    let help = "only queries over `cloudtrail_logs` run in Athena";
                    return Err(diagnose::with_help(statement, Some(place), message, help));
                }
                Some(Named::Declared(_)) | None => {}
            }
        }
        Ok(found)
    }
}

fn no_query(statement: &Statement) -> crate::Error {
    diagnose::at(statement, None, "only a query can be turned into one for Athena")
}

/// Where a query names the events' table.
#[derive(Debug, Default)]
struct References {
    /// Each place, the name there, and whether an alias follows.
    tables: Vec<(Range<usize>, String, bool)>,
    has_wildcard: bool,
}

impl References {
    /// The edits by which the table has `columns`, too.
    fn enriched(
        &self,
        statement: &Statement,
        words: &[(Token, Range<usize>)],
        columns: &[AthenaColumn],
    ) -> Vec<Edit> {
        let Some((first, _, _)) = self.tables.first() else { return Vec::new() };
        let table = statement.sql().get(first.clone()).unwrap_or_default();
        let is_taken = |name: &str| {
            words.iter().any(|(token, _)| matches!(token, Token::Word(word) if word.value == name))
        };
        let mut name = "enriched_logs".to_owned();
        while is_taken(&name) {
            name.push('_');
        }
        let mut edits: Vec<Edit> = Vec::new();
        for (place, table, has_alias) in &self.tables {
            let alias = if *has_alias || !is_qualifier(words, table) {
                String::new()
            } else {
                format!(" AS {table}")
            };
            edits.push((place.clone(), format!("{name}{alias}")));
        }
        let cte = cte(&name, table, columns);
        let is_word = |at: usize, value: &str| matches!(words.get(at), Some((Token::Word(word), _)) if word.value.eq_ignore_ascii_case(value));
        // A CTE before those that there are, or the first one.
        if is_word(0, "with") {
            let last = usize::from(is_word(1, "recursive"));
            let end = words.get(last).map_or(0, |(_, place)| place.end);
            edits.push((end..end, format!(" {cte},\n")));
        } else {
            let start = words.first().map_or(0, |(_, place)| place.start);
            edits.push((start..start, format!("WITH {cte}\n")));
        }
        edits
    }
}

/// Whether `table` stands before a dot.
fn is_qualifier(words: &[(Token, Range<usize>)], table: &str) -> bool {
    words.windows(2).any(|pair| {
        matches!(pair, [(Token::Word(word), _), (Token::Period, _)]
            if word.value.eq_ignore_ascii_case(table))
    })
}

/// The table with more columns.
fn cte(name: &str, table: &str, columns: &[AthenaColumn]) -> String {
    let lines: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = if column.name == "$path" { "\"$path\"" } else { column.name };
            let expression = column
                .expression
                .replace(" WHEN ", "\n           WHEN ")
                .replace(" ELSE ", "\n           ELSE ");
            format!(",\n         {expression} AS {name}")
        })
        .collect();
    format!("{name} AS (\n  SELECT *{}\n  FROM   {table}\n)", lines.concat())
}

/// The columns of ours among those that the plan names.
fn in_use(
    statement: &Statement,
    words: &[(Token, Range<usize>)],
    used: &BTreeSet<String>,
) -> Result<Vec<AthenaColumn>> {
    let place_of = |name: &str| {
        words.iter().find_map(|(token, place)| match token {
            Token::Word(word) if word.value.eq_ignore_ascii_case(name) => Some(place.clone()),
            _ => None,
        })
    };
    let known = athena_columns();
    let mut columns = Vec::new();
    for column in Relation::Logs.columns().iter().filter(|column| column.hidden) {
        let Some(place) = place_of(&column.name) else { continue };
        if !used.contains(&column.name) {
            continue;
        }
        let Some(known) = known.iter().find(|known| known.name == column.name) else {
            let message =
                format!("`{}` is known to trailhound alone: Athena cannot compute it", column.name);
            let help = instead(column.group);
            return Err(diagnose::with_help(statement, Some(place), message, help));
        };
        columns.push(known.clone());
    }
    // The table's own `$path` needs no help, unless a CTE stands between.
    if columns.iter().all(|column| column.name == "$path") {
        columns.clear();
    }
    Ok(columns)
}

/// What to say in the place of a column that Athena cannot have.
fn instead(group: &str) -> &'static str {
    match group {
        "partition" => {
            "say `awsregion`, `recipientaccountid` or `eventtime`, which every table of AWS's has"
        }
        "provenance" => "Athena knows a row's file alone: `\"$path\"`",
        _ => "AWS's table definition leaves that field of the record out",
    }
}

/// The edits that make `?` of parameters, and what these stand for.
fn parameters(
    words: &[(Token, Range<usize>)],
    spelled: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Edit>, Vec<String>) {
    let (mut edits, mut names) = (Vec::new(), Vec::new());
    for pair in words.windows(2) {
        let [(Token::Colon, colon), (Token::Word(word), name)] = pair else { continue };
        if colon.end == name.start
            && let Some(text) = spelled(&word.value)
        {
            edits.push((colon.start..name.end, text));
            names.push(word.value.clone());
        }
    }
    (edits, names)
}

/// The statement's text with `edits`, and what stands before it.
fn edited(statement: &Statement, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(place, _)| (place.start, place.end));
    let (text, base) = (&*statement.text, statement.span.start);
    let mut out = String::new();
    let mut at = 0;
    for (place, new) in edits {
        out.push_str(text.get(at..base + place.start).unwrap_or_default());
        out.push_str(&new);
        at = base + place.end;
    }
    out.push_str(text.get(at..statement.span.end).unwrap_or_default());
    out
}

/// The tables that a query names.
struct Tables {
    ctes: BTreeSet<String>,
    /// The name's parts in lower case, its place, and whether an alias follows.
    found: Vec<(Vec<String>, datafusion::sql::sqlparser::tokenizer::Span, bool)>,
    has_wildcard: bool,
}

impl Walker for Tables {
    fn query(&mut self, query: &mut Query) -> Flow {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.ctes.insert(cte.alias.name.value.to_ascii_lowercase());
        }
        ON
    }

    fn select(&mut self, select: &mut Select) -> Flow {
        self.has_wildcard |= select.projection.iter().any(|item| {
            matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
        });
        ON
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        if let TableFactor::Table { name, alias, args: None, .. } = factor {
            let idents: Option<Vec<_>> = name.0.iter().map(|part| part.as_ident()).collect();
            if let Some(idents) = idents
                && let (Some(first), Some(last)) = (idents.first(), idents.last())
            {
                let parts = idents.iter().map(|ident| ident.value.to_ascii_lowercase()).collect();
                self.found.push((parts, first.span.union(&last.span), alias.is_some()));
            }
        }
        ON
    }
}

/// The columns of the events' table that `plan` names, whether or not they reach its answer.
fn named_columns(plan: &LogicalPlan) -> Result<BTreeSet<String>, DataFusionError> {
    let mut aliases = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::SubqueryAlias(alias) = node
            && is_events(&alias.input)
        {
            aliases.insert(alias.alias.table().to_owned());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut columns = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        if is_events(node) {
            return Ok(TreeNodeRecursion::Jump);
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Column(column) | Expr::OuterReferenceColumn(_, column) = expr
                    && let Some(table) = &column.relation
                    && aliases.contains(table.table())
                {
                    columns.insert(column.name.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(columns)
}

/// Whether `plan` is the table's own: its columns over the stored events.
fn is_events(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => is_events(&alias.input),
        LogicalPlan::Projection(columns) => match columns.input.as_ref() {
            LogicalPlan::TableScan(scan) => scan.table_name.table() == Table::Events.name(),
            _ => false,
        },
        _ => false,
    }
}
