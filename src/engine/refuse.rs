//! What SQL may not do here: write.
//!
//! A list of what may run, not of what may not: a statement that this module does not know is
//! refused. The walk goes into `EXPLAIN`, `PREPARE`, CTEs and every nested query, where
//! `PostgreSQL`'s grammar allows statements that write.

use datafusion::sql::{
    parser::Statement as Ast,
    sqlparser::ast::{
        Query, Select, SetExpr, Spanned, Statement as Sql, TableFactor, TableSampleKind,
        TableSampleMethod,
    },
    sqlparser::tokenizer::Span,
};

use super::walk::{self, Flow, ON, STOP, Walker};

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What is not possible, in one line.
    pub(super) message: String,
    /// What to do instead.
    pub(super) help: Option<&'static str>,
    /// Where, when it is not the statement's first word.
    pub(super) span: Option<Span>,
}

const READ_ONLY: &str = "a cache changes only through `trailhound ingest` and `trailhound forget`";
const USE_VIEW: &str = "CREATE VIEW gives a query a name";
const USE_OUTPUT: &str = "to write an answer to a file, use -o FILE with --format";

/// The settings that `SET` may change, by prefix.
const SETTINGS: [&str; 5] = [
    "datafusion.execution.batch_size",
    "datafusion.execution.time_zone",
    "datafusion.execution.target_partitions",
    "datafusion.optimizer.",
    "datafusion.explain.",
];

/// Why `statement` may not run; nothing where it may.
pub(super) fn refusal(statement: &mut Ast) -> Option<Refusal> {
    match statement {
        Ast::Statement(sql) => sql_refusal(sql),
        Ast::Explain(explain) => refusal(&mut explain.statement),
        Ast::Reset(_) => None,
        // Those that run were read by `ddl`; these are in EXPLAIN or PREPARE.
        Ast::CreateExternalTable(_) => Some(Refusal {
            message: "CREATE EXTERNAL TABLE is not possible within another statement".to_owned(),
            help: None,
            span: None,
        }),
        Ast::CopyTo(_) => Some(writes("COPY", USE_OUTPUT)),
    }
}

fn sql_refusal(statement: &mut Sql) -> Option<Refusal> {
    let own = match &*statement {
        Sql::CreateView(view) if view.materialized => Some(Refusal {
            message: "a materialized view cannot be created: a view is its query, no rows"
                .to_owned(),
            help: Some(USE_VIEW),
            span: None,
        }),
        Sql::Query(_)
        | Sql::CreateView(_)
        | Sql::ShowTables { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowViews { .. }
        | Sql::ShowFunctions { .. }
        | Sql::ShowVariable { .. }
        | Sql::ShowVariables { .. }
        | Sql::ShowCreate { .. }
        | Sql::ExplainTable { .. }
        | Sql::Explain { .. }
        | Sql::Prepare { .. }
        | Sql::Execute { .. }
        | Sql::Deallocate { .. }
        | Sql::Set(_) => None,
        Sql::Drop { object_type, .. } if object_type.to_string() == "VIEW" => None,
        Sql::CreateTable(_) => Some(writes("CREATE TABLE", USE_VIEW)),
        Sql::Copy { .. } | Sql::CopyIntoSnowflake { .. } | Sql::Unload { .. } => {
            Some(writes(&first_words(statement, 1), USE_OUTPUT))
        }
        Sql::Insert(_)
        | Sql::Update(_)
        | Sql::Delete(_)
        | Sql::Merge(_)
        | Sql::Truncate(_)
        | Sql::LoadData { .. } => Some(writes(&first_words(statement, 1), READ_ONLY)),
        Sql::Drop { .. } | Sql::AlterTable(_) => {
            Some(writes(&first_words(statement, 2), READ_ONLY))
        }
        Sql::StartTransaction { .. } | Sql::Commit { .. } | Sql::Rollback { .. } => Some(Refusal {
            message: format!("{} is not possible: nothing is written", first_words(statement, 1)),
            help: Some("each statement sees the cache as it is when it starts"),
            span: None,
        }),
        other => Some(Refusal {
            message: format!("{} is not supported", first_words(other, 2)),
            help: Some(
                "SQL here reads: SELECT, WITH, EXPLAIN, DESCRIBE, SHOW, SET; it declares: CREATE \
                 EXTERNAL TABLE, CREATE VIEW",
            ),
            span: None,
        }),
    };
    own.or_else(|| nested(statement))
}

/// Why a table of the cache can be neither altered nor dropped.
pub(super) fn own_table(what: &str) -> Refusal {
    writes(what, READ_ONLY)
}

fn writes(what: &str, help: &'static str) -> Refusal {
    let message = format!("{what} is not possible: SQL cannot change the cache or the evidence");
    Refusal { message, help: Some(help), span: None }
}

/// The statement's own words, for naming it: at most `n` of letters only, upper case.
fn first_words(statement: &Sql, n: usize) -> String {
    let text = statement.to_string();
    let words: Vec<String> = text
        .split_whitespace()
        .take(n)
        .take_while(|word| word.chars().all(|c| c.is_ascii_alphabetic()))
        .map(str::to_uppercase)
        .collect();
    if words.is_empty() { "this statement".to_owned() } else { words.join(" ") }
}

/// What hides inside: queries that write, and statements inside statements.
fn nested(statement: &mut Sql) -> Option<Refusal> {
    let mut hidden = Hidden { depth: 0, refusal: None };
    walk::walk(statement, &mut hidden);
    hidden.refusal
}

struct Hidden {
    depth: usize,
    refusal: Option<Refusal>,
}

impl Hidden {
    fn refuse(&mut self, refusal: Refusal, span: Span) -> Flow {
        let span = refusal.span.or_else(|| place(span));
        self.refusal = Some(Refusal { span, ..refusal });
        STOP
    }
}

impl Walker for Hidden {
    fn statement(&mut self, statement: &mut Sql) -> Flow {
        self.depth += 1;
        if self.depth > 1
            && let Some(refusal) = sql_refusal(statement)
        {
            return self.refuse(refusal, statement.span());
        }
        ON
    }

    fn after_statement(&mut self, _: &mut Sql) -> Flow {
        self.depth = self.depth.saturating_sub(1);
        ON
    }

    fn query(&mut self, query: &mut Query) -> Flow {
        if let Some(statement) = writer(&query.body) {
            return self.refuse(writes(&first_words(statement, 1), READ_ONLY), statement.span());
        }
        if let Some(lock) = query.locks.first() {
            let message = format!("{lock} is not possible: nothing is written");
            return self.refuse(Refusal { message, help: None, span: None }, Span::empty());
        }
        ON
    }

    fn select(&mut self, select: &mut Select) -> Flow {
        match &select.into {
            Some(into) => self.refuse(writes("SELECT INTO", USE_VIEW), into.name.span()),
            None => ON,
        }
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        if let TableFactor::MatchRecognize { table, .. } = factor {
            let message = "MATCH_RECOGNIZE is not supported".to_owned();
            let help = Some("lag() and lead() tell what came before and after a row");
            return self.refuse(Refusal { message, help, span: None }, table.span());
        }
        if let TableFactor::MatchRecognize { .. } = factor {
            let message = "MATCH_RECOGNIZE is not supported".to_owned();
            let help = Some(
                "lag() and lead() OVER (PARTITION BY … ORDER BY eventtime) see the rows around",
            );
            return self.refuse(Refusal { message, help, span: None }, factor.span());
        }
        let (TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. }) = factor
        else {
            return ON;
        };
        let Some(TableSampleKind::BeforeTableAlias(by) | TableSampleKind::AfterTableAlias(by)) =
            sample
        else {
            return ON;
        };
        let plain = by.seed.is_none() && by.bucket.is_none() && by.offset.is_none();
        if by.name == Some(TableSampleMethod::Bernoulli) && plain {
            return ON;
        }
        let message = "TABLESAMPLE is supported as BERNOULLI alone".to_owned();
        let help = Some("TABLESAMPLE BERNOULLI (1) takes about one row in a hundred");
        self.refuse(Refusal { message, help, span: None }, factor.span())
    }
}

/// The statement that writes among the operands of a query.
fn writer(body: &SetExpr) -> Option<&Sql> {
    match body {
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => Some(statement),
        SetExpr::SetOperation { left, right, .. } => writer(left).or_else(|| writer(right)),
        _ => None,
    }
}

fn place(span: Span) -> Option<Span> {
    (span.start.line > 0).then_some(span)
}

/// Why the session may not be in the zone `value`: functions read and write times in UTC.
pub(super) fn zone_refusal(name: &str, value: &str) -> Option<Refusal> {
    const UTC: [&str; 6] = ["utc", "z", "gmt", "+00:00", "etc/utc", "universal"];
    let is_utc = UTC.contains(&value.trim_matches('\'').to_ascii_lowercase().as_str());
    (name == "datafusion.execution.time_zone" && !is_utc).then(|| Refusal {
        message: format!("the time zone of a session is UTC, as Athena's is; it cannot be {value}"),
        help: Some("t AT TIME ZONE 'Asia/Tokyo' shows an instant in a zone"),
        span: None,
    })
}

/// Why the setting `name` may not be changed; nothing where it may.
pub(super) fn setting_refusal(name: &str) -> Option<Refusal> {
    let name = name.to_lowercase();
    if SETTINGS.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    let (message, help) = if name.starts_with("datafusion.runtime.") {
        let help = "memory and spilling are set on the command line: --memory, --temp-dir";
        (format!("`{name}` cannot be changed by SQL"), help)
    } else if name.starts_with("datafusion.") {
        let help = "settings that only change how fast a query runs can be: \
                    datafusion.execution.batch_size, .target_partitions, \
                    datafusion.optimizer.*, datafusion.explain.*";
        (format!("`{name}` cannot be changed: answers rest on it"), help)
    } else {
        (format!("there is no setting `{name}`"), "`SHOW ALL` lists the settings")
    };
    Some(Refusal { message, help: Some(help), span: None })
}
