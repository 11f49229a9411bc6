//! One event as the timeline sees it: the columns it is made of, and their JSON.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use serde_json::Value;

use super::phrase::{Path, Root};
use crate::{ErrorKind, Result};

/// The columns that the timeline asks for, in the order of [`Columns`]: name and SQL.
pub(super) const COLUMNS: [(&str, &str); 27] = [
    ("micros", "to_unixtime(event_ts) * 1000000"),
    ("eventtime", "eventtime"),
    ("eventid", "eventid"),
    ("service", "service"),
    ("eventname", "eventname"),
    ("name", "event_name_base"),
    ("is_write", "is_write"),
    ("outcome", "outcome"),
    ("errorcode", "errorcode"),
    ("errormessage", "errormessage"),
    ("deny_type", "deny_type"),
    ("deny_explicit", "deny_explicit"),
    ("type", "useridentity.type"),
    ("username", "useridentity.username"),
    ("issuer", "useridentity.sessioncontext.sessionissuer.username"),
    ("session", "session_name"),
    ("principal", "principal_key"),
    ("accesskeyid", "useridentity.accesskeyid"),
    ("invokedby", "useridentity.invokedby"),
    ("sourceipaddress", "sourceipaddress"),
    ("useragent", "useragent"),
    ("account", "recipientaccountid"),
    ("region", "awsregion"),
    ("sharedeventid", "sharedeventid"),
    ("resource", "element_at(resources, 1).arn"),
    ("eventtype", "eventtype"),
    ("category", "category"),
];

/// The columns of JSON, after [`COLUMNS`].
pub(super) const DOCUMENTS: [&str; 4] =
    ["requestparameters", "responseelements", "additionaleventdata", "serviceeventdetails"];

/// What stands before the name of a member when an EC2 call is wrapped whole.
const WRAPPED: &str = "Request";

/// The rows of a batch, to be read one by one.
pub(super) struct Rows {
    columns: Vec<ArrayRef>,
    n_rows: usize,
}

impl Rows {
    /// The rows of `batch`, which has [`COLUMNS`] and [`DOCUMENTS`] first.
    ///
    /// # Errors
    /// A column is no text and cannot be made text.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self> {
        let as_text = |column: &ArrayRef| cast(column, &DataType::Utf8);
        let columns: Result<Vec<ArrayRef>, _> = batch.columns().iter().map(as_text).collect();
        let columns = columns.map_err(|source| ErrorKind::Columnar {
            action: "read the events of a timeline",
            source: source.into(),
        })?;
        Ok(Self { columns, n_rows: batch.num_rows() })
    }

    /// The events, in order.
    pub(super) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        (0..self.n_rows).map(|row| Event { rows: self, row, documents: Default::default() })
    }

    fn text(&self, column: usize, row: usize) -> Option<&str> {
        let array = self.columns.get(column)?.as_string_opt::<i32>()?;
        (row < array.len() && array.is_valid(row)).then(|| array.value(row))
    }
}

/// One event.
pub(super) struct Event<'a> {
    rows: &'a Rows,
    row: usize,
    documents: [std::cell::OnceCell<Value>; DOCUMENTS.len()],
}

impl<'a> Event<'a> {
    /// What column `name` of [`COLUMNS`] holds, or `denied`, the resource that a refusal names; empty
    /// text is nothing.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        if name == "denied" {
            return denied(self.get("errormessage")?);
        }
        let column = COLUMNS.iter().position(|(column, _)| *column == name)?;
        self.rows.text(column, self.row).filter(|text| !text.is_empty())
    }

    /// Column `place` behind the documents.
    pub(super) fn behind(&self, place: usize) -> Option<&'a str> {
        self.rows.text(COLUMNS.len() + DOCUMENTS.len() + place, self.row)
    }

    /// When it happened, in microseconds since 1970.
    pub(super) fn micros(&self) -> Option<i64> {
        let micros: f64 = self.get("micros")?.parse().ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole microseconds, this side of 2262"
        )]
        let micros = micros as i64;
        Some(micros)
    }

    /// Whether a column of truth is true; nothing where it is NULL.
    pub(super) fn is(&self, name: &str) -> Option<bool> {
        self.get(name).map(|text| text == "true" || text == "1")
    }

    /// The document that paths from `root` lead into.
    pub(super) fn document(&self, root: Root) -> Option<&Value> {
        let place = match root {
            Root::Request => 0,
            Root::Response => 1,
            Root::Additional => 2,
            Root::Service => 3,
            Root::Event => return None,
        };
        let parsed = self.documents.get(place)?.get_or_init(|| {
            let text = self.rows.text(COLUMNS.len() + place, self.row).unwrap_or_default();
            // What is too deep to be read is as if it were not there.
            serde_json::from_str(text).unwrap_or(Value::Null)
        });
        Some(parsed)
    }

    /// The values that `path` leads to.
    pub(super) fn values(&self, path: &Path) -> Vec<&Value> {
        let Some(document) = self.document(path.root) else { return Vec::new() };
        let document = match document {
            // `{"DeleteFlowLogsRequest": {…}}`, as EC2 logs its newer calls.
            Value::Object(members) if members.len() == 1 => match members.iter().next() {
                Some((name, inner))
                    if name.ends_with(WRAPPED) && path.steps.first() != Some(name) =>
                {
                    inner
                }
                _ => document,
            },
            _ => document,
        };
        let mut found = vec![document];
        for step in &path.steps {
            found = found.into_iter().flat_map(|value| follow(value, step)).collect();
        }
        found
    }
}

/// The resource that a refusal names, where it names one.
fn denied(message: &str) -> Option<&str> {
    let (_, behind) = message.split_once(" on resource: ")?;
    let resource = behind.split_whitespace().next()?;
    Some(resource)
        .filter(|resource| resource.starts_with("arn:") && !resource.ends_with(['*', '/', ':']))
}

/// Where `step` leads from `value`: names whatever their case, as services spell them differently
/// over the years.
pub(super) fn follow<'v>(value: &'v Value, step: &str) -> Vec<&'v Value> {
    match value {
        Value::Array(items) if step == "[]" => items.iter().collect(),
        // One element is often logged without its list.
        other if step == "[]" => vec![other],
        Value::Array(items) => items.iter().flat_map(|item| follow(item, step)).collect(),
        Value::Object(members) => {
            let exact = members.get(step);
            let found = exact.or_else(|| {
                members.iter().find(|(name, _)| name.eq_ignore_ascii_case(step)).map(|(_, v)| v)
            });
            found.into_iter().collect()
        }
        _ => Vec::new(),
    }
}
