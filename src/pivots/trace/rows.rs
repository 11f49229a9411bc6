//! The rows of `sessions` that a trace is about.

use super::{Issued, Node};
use crate::{
    Error, ErrorKind, Result,
    engine::Session,
    pivots::ask::{ask, ask_with_notices},
    queries::Kind,
};
use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType},
};

/// The most rows that are looked at.
const MAX_ROWS: u64 = 100_000;

/// Credentials, and where they stand.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) no: i64,
    pub(super) parent: Option<i64>,
    /// From when to when they lived.
    pub(super) lived: Option<(i64, i64)>,
    pub(super) node: Node,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) read_as: &'static str,
    /// How many rows are the subject.
    pub(super) n_subjects: u64,
    /// The rows of their trees, in the order in which they began.
    pub(super) rows: Vec<Row>,
    /// How many more there are.
    pub(super) n_more: u64,
    pub(super) notices: Vec<String>,
}

/// What a subject may be, and how it is looked for; the first that is found is meant.
const READINGS: [(&str, &str); 4] = [
    ("credential", "credential = :subject"),
    ("principal", "arn = :subject OR principal_key = :subject"),
    (
        "principal",
        "session_name = :subject OR arn LIKE :within ESCAPE '!' \
         OR principal_key LIKE :within ESCAPE '!'",
    ),
    ("source", "parent = :subject OR parent_principal = :subject OR eventid = :subject"),
];

/// Finds the trees of `subject`.
pub(super) async fn of(session: &Session, subject: &str) -> Result<Found> {
    let literal = |value: &str| Kind::Varchar.literal(value).unwrap_or_default();
    let within = format!("%/{}", like(subject));
    let parameters =
        [("subject".to_owned(), literal(subject)), ("within".to_owned(), literal(&within))];
    let mut found = Found {
        read_as: "credential",
        n_subjects: 0,
        rows: Vec::new(),
        n_more: 0,
        notices: Vec::new(),
    };
    for (read_as, condition) in READINGS {
        let sql = format!("SELECT count(*) AS n FROM cache.sessions WHERE {condition}");
        let (batches, notices) = ask_with_notices(session, &sql, &parameters).await?;
        found.notices.extend(notices);
        found.n_subjects = first_number(&batches);
        if found.n_subjects > 0 {
            found.read_as = read_as;
            read(session, condition, &parameters, &mut found).await?;
            break;
        }
    }
    found.notices.sort();
    found.notices.dedup();
    Ok(found)
}

async fn read(
    session: &Session,
    condition: &str,
    parameters: &[(String, String)],
    found: &mut Found,
) -> Result<()> {
    let trees = format!(
        "FROM cache.sessions \
         WHERE root_no IN (SELECT root_no FROM cache.sessions WHERE {condition})"
    );
    let count = ask(session, &format!("SELECT count(*) AS n {trees}"), parameters).await?;
    found.n_more = first_number(&count).saturating_sub(MAX_ROWS);
    let sql = format!(
        "SELECT *, coalesce({condition}, false) AS is_subject {trees} \
         ORDER BY session_no LIMIT {MAX_ROWS}"
    );
    let batches = ask(session, &sql, parameters).await?;
    for batch in &batches {
        let columns = Columns(batch);
        for row in 0..batch.num_rows() {
            found.rows.push(columns.row(row)?);
        }
    }
    Ok(())
}

fn first_number(batches: &[RecordBatch]) -> u64 {
    let batch = batches.iter().find(|batch| batch.num_rows() > 0);
    let number = batch.and_then(|batch| Columns(batch).number("n", 0).ok().flatten());
    number.and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
}

/// `text` where nothing in it stands for anything else in a LIKE that escapes with `!`.
pub(super) fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern
}

/// The columns of a batch by their names.
pub(super) struct Columns<'a>(pub(super) &'a RecordBatch);

impl Columns<'_> {
    fn column(&self, name: &str, data_type: &DataType) -> Result<arrow::array::ArrayRef> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| -> Error {
            ErrorKind::Columnar { action: "trace", source }.into()
        };
        let column = self.0.column_by_name(name).ok_or_else(|| failed(name.into()))?;
        cast(column, data_type).map_err(|error| failed(error.into()))
    }

    pub(super) fn text(&self, name: &str, row: usize) -> Result<Option<String>> {
        let column = self.0.column_by_name(name);
        let views = column.and_then(|column| column.as_string_view_opt());
        if let Some(views) = views {
            return Ok(views.is_valid(row).then(|| views.value(row).to_owned()));
        }
        let column = self.column(name, &DataType::Utf8)?;
        let column = column.as_string::<i32>();
        Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
    }

    pub(super) fn number(&self, name: &str, row: usize) -> Result<Option<i64>> {
        let column = self.column(name, &DataType::Int64)?;
        let column = column.as_primitive::<Int64Type>();
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    fn flag(&self, name: &str, row: usize) -> Result<bool> {
        let column = self.column(name, &DataType::Boolean)?;
        let column = column.as_boolean();
        Ok(column.is_valid(row) && column.value(row))
    }

    fn time(&self, name: &str, row: usize) -> Result<Option<i64>> {
        let column = self.column(name, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let column = column.as_primitive::<TimestampMicrosecondType>();
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    fn row(&self, row: usize) -> Result<Row> {
        let text = |name| self.text(name, row);
        let count = |name| -> Result<u64> {
            Ok(self.number(name, row)?.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
        };
        let (issued, first) = (self.time("event_ts", row)?, self.time("first_use", row)?);
        let last = self.time("last_use", row)?;
        let credential = text("credential")?;
        let kind = text("credential_kind")?.unwrap_or_default();
        let keys = credential.clone().filter(|_| kind != "console_login");
        let node = Node {
            keys: keys.into_iter().collect(),
            credential,
            kind,
            is_subject: self.flag("is_subject", row)?,
            folded: 1,
            principal: text("principal_key")?,
            session_name: text("session_name")?,
            account: text("accountid")?,
            edge: text("edge")?.unwrap_or_default(),
            sure: text("sure")?.unwrap_or_default(),
            candidates: count("candidates")?,
            parent: text("parent")?,
            parent_kind: text("parent_kind")?,
            parent_principal: text("parent_principal")?,
            issued: self.issued(row)?,
            last_issued: None,
            mfa: text("mfaauthenticated")?,
            first_use: first.and_then(spelled),
            last_use: last.and_then(spelled),
            calls: count("calls")?,
            denied: count("denied")?,
            done: None,
            note: text("note")?,
            children: Vec::new(),
        };
        let (from, to) = (issued.or(first), last.or(first).or(issued));
        Ok(Row {
            no: self.number("session_no", row)?.unwrap_or_default(),
            parent: self.number("parent_no", row)?,
            lived: from.zip(to),
            node,
        })
    }

    fn issued(&self, row: usize) -> Result<Option<Issued>> {
        let Some(time) = self.text("eventtime", row)? else { return Ok(None) };
        Ok(Some(Issued {
            time,
            event_id: self.text("eventid", row)?,
            event_name: self.text("eventname", row)?,
            address: self.text("sourceipaddress", row)?,
        }))
    }
}

fn spelled(micros: i64) -> Option<String> {
    let instant = chrono::DateTime::from_timestamp_micros(micros)?;
    Some(instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}
