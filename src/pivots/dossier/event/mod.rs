//! One event in full: the record, where it came from, and what is around it.

mod pretty;
mod text;

use arrow::array::{Array, RecordBatch};
use futures::future;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::text::render_event;
use super::{
    Kind, Near, Nothing, Pivot, Step, Subject, Told, columns,
    columns::value,
    names, near,
    subject::{self, like},
    tally::api,
    times::instant,
};
use crate::{Result, engine::Session, pivots::ask::ask};

/// How many neighbours are told on either side.
const N_NEIGHBOURS: usize = 5;

/// The most events of one request, of one shared event, or of one id.
const MAX_RELATED: usize = 50;

/// How far apart the events of one request may be, in microseconds: an hour.
const REQUEST_SPAN: i64 = 3_600_000_000;

/// An event and what is around it.
#[derive(Debug, Clone, Serialize)]
pub struct EventReport {
    /// The id that was asked for.
    pub id: String,
    /// The events that have it: one, but for copies of other accounts and for conflicts.
    pub events: Vec<EventRecord>,
    /// Whether one account has several events of this id that differ.
    pub id_conflict: bool,
    /// The event that issued the access key, where it is in the cache.
    pub issued_by: Option<Step>,
    /// What the neighbours have in common with it: `access key` or `principal`.
    pub neighbours_by: Option<&'static str>,
    /// Those before, in order.
    pub before: Vec<Neighbour>,
    /// Those after.
    pub after: Vec<Neighbour>,
    /// Other events of the same request, within an hour.
    pub same_request: Vec<Neighbour>,
    /// The copies that other accounts received of the same action.
    pub shared: Vec<Neighbour>,
    /// The equal copies that were read and not kept.
    pub duplicates: Vec<EqualCopy>,
    /// Where to look next.
    pub next: Vec<Pivot>,
    /// Where nothing was found.
    pub nothing: Option<Nothing>,
}

/// A neighbour, in a line.
pub type Neighbour = Step;

/// One event.
#[derive(Debug, Clone, Serialize)]
pub struct EventRecord {
    /// When.
    pub time: Option<String>,
    /// The API: `iam:CreateAccessKey`.
    pub api: String,
    /// What became of it.
    pub outcome: Option<String>,
    /// Whether it may change something, where the record says.
    pub is_write: Option<String>,
    /// Management, Data, Insight or `NetworkActivity`.
    pub category: Option<String>,
    /// The account that received it.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// One name for who acted.
    pub principal: Option<String>,
    /// The session's name.
    pub session: Option<String>,
    /// The access key.
    pub access_key: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// The kind of policy that refused it, where the error says.
    pub deny_type: Option<String>,
    /// That policy.
    pub deny_policy: Option<String>,
    /// The key that the response handed out.
    pub issued_key: Option<String>,
    /// The file it was read from.
    pub source_file: Option<String>,
    /// Which content of that file.
    pub source_version: Option<i64>,
    /// The number of the record in it.
    pub record_no: Option<i64>,
    /// What `trailhound verify` found of the file.
    pub digest_status: Option<String>,
    /// Whether the file has been met again with other content.
    pub superseded: bool,
    /// The record itself.
    pub record: Option<Box<RawValue>>,
    /// Microseconds since 1970.
    #[serde(skip)]
    pub(super) micros: Option<i64>,
    #[serde(skip)]
    request_id: Option<String>,
    #[serde(skip)]
    shared_id: Option<String>,
}

/// An equal copy of an event.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct EqualCopy {
    /// The file it lies in.
    pub source_file: Option<String>,
    /// Its number there.
    pub record_no: Option<i64>,
}

/// The event whose id is `id`.
///
/// # Errors
/// The id cannot be one, or the cache cannot be read.
pub async fn event(session: &Session, id: &str) -> Result<Told<EventReport>> {
    let id = id.trim();
    subject::check("event", id)?;
    let parameters = [("id".to_owned(), subject::literal(id))];
    let sql = format!(
        "SELECT event_ts, eventsource, eventname, outcome, CAST(is_write AS varchar) AS is_write,
                category, recipientaccountid, awsregion, principal_key, session_name,
                useridentity.accesskeyid AS accesskeyid, sourceipaddress, deny_type,
                deny_policy_arn, issued_key, source_file, source_version, record_no, digest_status,
                CAST(superseded AS varchar) AS superseded, eventjson, requestid, sharedeventid
         FROM cloudtrail_lake WHERE eventid = :id
         ORDER BY recipientaccountid, event_ts, source_file, record_no LIMIT {MAX_RELATED}"
    );
    let mut events = Vec::new();
    for batch in ask(session, &sql, &parameters).await? {
        events.extend(records(&batch)?);
    }
    let mut report = EventReport {
        id: id.to_owned(),
        id_conflict: has_conflict(&events),
        events,
        issued_by: None,
        neighbours_by: None,
        before: Vec::new(),
        after: Vec::new(),
        same_request: Vec::new(),
        shared: Vec::new(),
        duplicates: Vec::new(),
        next: Vec::new(),
        nothing: None,
    };
    let copies = copies(session, &parameters).await?;
    if let Some(first) = report.events.first().cloned() {
        around(session, &mut report, &first).await?;
    } else {
        report.nothing = Some(nothing(session, id).await?);
    }
    report.duplicates = copies;
    report.next = pivots(&report);
    Ok(Told { report, notices: Vec::new() })
}

/// Whether one account has two.
fn has_conflict(events: &[EventRecord]) -> bool {
    events.iter().enumerate().any(|(at, event)| {
        events
            .iter()
            .skip(at + 1)
            .any(|other| other.account == event.account && !(other.superseded || event.superseded))
    })
}

fn records(batch: &RecordBatch) -> Result<Vec<EventRecord>> {
    let times = columns::numbers(batch, "event_ts")?;
    let versions = columns::numbers(batch, "source_version")?;
    let numbers = columns::numbers(batch, "record_no")?;
    let number =
        |array: &arrow::array::Int64Array, row| array.is_valid(row).then(|| array.value(row));
    let mut records = Vec::new();
    for row in 0..batch.num_rows() {
        let text = |name: &str| -> Result<Option<String>> {
            Ok(value(&columns::texts(batch, name)?, row).map(str::to_owned))
        };
        let time = number(&times, row);
        let json = text("eventjson")?;
        records.push(EventRecord {
            time: time.map(instant),
            api: api(
                &text("eventsource")?.unwrap_or_default(),
                &text("eventname")?.unwrap_or_default(),
            ),
            outcome: text("outcome")?,
            is_write: text("is_write")?,
            category: text("category")?,
            account: text("recipientaccountid")?,
            region: text("awsregion")?,
            principal: text("principal_key")?,
            session: text("session_name")?,
            access_key: text("accesskeyid")?,
            address: text("sourceipaddress")?,
            deny_type: text("deny_type")?,
            deny_policy: text("deny_policy_arn")?,
            issued_key: text("issued_key")?,
            source_file: text("source_file")?,
            source_version: number(&versions, row),
            record_no: number(&numbers, row),
            digest_status: text("digest_status")?,
            superseded: text("superseded")?.as_deref() == Some("true"),
            record: json.and_then(|json| RawValue::from_string(json).ok()),
            micros: time,
            request_id: text("requestid")?,
            shared_id: text("sharedeventid")?,
        });
    }
    Ok(records)
}

const STEP: &str = "SELECT event_ts, eventid, eventsource, eventname, principal_key, \
                    sourceipaddress, outcome FROM cloudtrail_logs WHERE";

/// The events of a statement that begins with [`STEP`].
async fn steps(
    session: &Session,
    condition: Option<String>,
    parameters: &[(String, String)],
) -> Result<Vec<Step>> {
    let Some(condition) = condition else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for batch in ask(session, &format!("{STEP} {condition}"), parameters).await? {
        let texts = |name| columns::texts(&batch, name);
        let (ids, sources, names) = (texts("eventid")?, texts("eventsource")?, texts("eventname")?);
        let (principals, addresses) = (texts("principal_key")?, texts("sourceipaddress")?);
        let (outcomes, times) = (texts("outcome")?, columns::numbers(&batch, "event_ts")?);
        for row in 0..batch.num_rows() {
            let text = |texts| value(texts, row).map(str::to_owned);
            steps.push(Step {
                time: times.is_valid(row).then(|| instant(times.value(row))),
                api: api(
                    value(&sources, row).unwrap_or_default(),
                    value(&names, row).unwrap_or_default(),
                ),
                principal: text(&principals),
                address: text(&addresses),
                outcome: text(&outcomes),
                event_id: text(&ids),
            });
        }
    }
    Ok(steps)
}

/// Looks around `event`.
async fn around(session: &Session, report: &mut EventReport, event: &EventRecord) -> Result<()> {
    let by = match (&event.access_key, &event.principal) {
        (Some(key), _) => Some(("access key", "useridentity.accesskeyid", key)),
        (None, Some(principal)) => Some(("principal", "principal_key", principal)),
        (None, None) => None,
    };
    let mut parameters = vec![("id".to_owned(), subject::literal(&report.id))];
    let mut parameter = |name: &str, value: &str| {
        parameters.push((name.to_owned(), subject::literal(value)));
    };
    parameter("by", by.map_or("", |(_, _, value)| value.as_str()));
    parameter("request", event.request_id.as_deref().unwrap_or_default());
    parameter("shared", event.shared_id.as_deref().unwrap_or_default());
    parameter("account", event.account.as_deref().unwrap_or_default());
    parameter("key", event.access_key.as_deref().unwrap_or_default());
    for (name, shift) in [("at", 0), ("from", -REQUEST_SPAN), ("to", REQUEST_SPAN)] {
        parameter(name, &instant(event.micros.unwrap_or_default().saturating_add(shift)));
    }
    let time = |name: &str| format!("from_iso8601_timestamp(:{name})");
    let beside = |compare: &str, order: &str| {
        let (_, column, _) = by.filter(|_| event.micros.is_some())?;
        let at = time("at");
        Some(format!(
            "{column} = :by AND event_ts {compare}= {at} \
             AND (event_ts {compare} {at} OR eventid {compare} :id) \
             ORDER BY event_ts {order}, eventid {order} LIMIT {N_NEIGHBOURS}"
        ))
    };
    let (from, to) = (time("from"), time("to"));
    let same_request = event.request_id.as_ref().zip(event.micros).map(|_| {
        format!(
            "requestid = :request AND event_ts BETWEEN {from} AND {to} AND eventid <> :id \
             ORDER BY event_ts, eventid LIMIT {MAX_RELATED}"
        )
    });
    let shared = event.shared_id.as_ref().map(|_| {
        format!(
            "sharedeventid = :shared AND (eventid <> :id OR recipientaccountid <> :account) \
             ORDER BY event_ts, eventid LIMIT {MAX_RELATED}"
        )
    });
    let issued =
        event.access_key.as_ref().map(|_| "issued_key = :key ORDER BY event_ts LIMIT 1".to_owned());
    let parameters = parameters.as_slice();
    let (mut before, after, same_request, shared, issued) = tokio::try_join!(
        steps(session, beside("<", "DESC"), parameters),
        steps(session, beside(">", "ASC"), parameters),
        steps(session, same_request, parameters),
        steps(session, shared, parameters),
        steps(session, issued, parameters),
    )?;
    before.reverse();
    report.neighbours_by = by.map(|(name, _, _)| name);
    report.before = before;
    report.after = after;
    report.same_request = same_request;
    report.shared = shared;
    report.issued_by = issued.into_iter().next();
    Ok(())
}

/// The copies that were not kept.
async fn copies(session: &Session, parameters: &[(String, String)]) -> Result<Vec<EqualCopy>> {
    let sql = format!(
        "SELECT source_file, record_no FROM duplicates WHERE eventid = :id \
         ORDER BY source_file, record_no LIMIT {MAX_RELATED}"
    );
    let mut copies = Vec::new();
    for batch in ask(session, &sql, parameters).await? {
        let (files, numbers) =
            (columns::texts(&batch, "source_file")?, columns::numbers(&batch, "record_no")?);
        for row in 0..batch.num_rows() {
            copies.push(EqualCopy {
                source_file: value(&files, row).map(str::to_owned),
                record_no: numbers.is_valid(row).then(|| numbers.value(row)),
            });
        }
    }
    Ok(copies)
}

/// What to say where there is no such event: the cache's coverage, ids that begin alike, and the
/// request or shared event that the id is of.
async fn nothing(session: &Session, id: &str) -> Result<Nothing> {
    let subject = Subject::parse(Kind::Key, id)?;
    let start: String = id.chars().take(8).collect();
    let parameters = [
        ("like".to_owned(), subject::literal(&format!("{}%", like(&start)))),
        ("id".to_owned(), subject::literal(id)),
    ];
    let sql = "SELECT eventid FROM cloudtrail_logs \
               WHERE eventid LIKE :like ESCAPE '\\' OR requestid = :id OR sharedeventid = :id \
               ORDER BY 1 LIMIT 6";
    let (mut nothing, found) =
        future::try_join(near::nothing(session, &subject), ask(session, sql, &parameters)).await?;
    nothing.near.clear();
    for batch in found {
        let ids = columns::texts(&batch, "eventid")?;
        let ids = (0..batch.num_rows()).filter_map(|row| value(&ids, row));
        nothing.near.extend(ids.map(|id| Near { value: id.to_owned(), events: 1 }));
    }
    nothing.rather = nothing.rather.filter(|rather| *rather != "event");
    Ok(nothing)
}

/// Where to look next from an event.
fn pivots(report: &EventReport) -> Vec<Pivot> {
    let mut next: Vec<Pivot> = Vec::new();
    let mut add = |command: &'static str, value: Option<&str>, why: &str| {
        if let Some(value) = value
            && !next.iter().any(|pivot| pivot.command == command && pivot.value == value)
        {
            next.push(Pivot { command, value: value.to_owned(), why: why.to_owned() });
        }
    };
    if let Some(nothing) = &report.nothing {
        for near in &nothing.near {
            add("event", Some(&near.value), "begins alike, or has it as another id");
        }
        add(
            nothing.rather.unwrap_or_default(),
            nothing.rather.map(|_| report.id.as_str()),
            "the value looks to be one",
        );
        return next;
    }
    let Some(event) = report.events.first() else { return next };
    add("trace", event.issued_key.as_deref(), "what was done with the key it issued");
    add("key", event.access_key.as_deref(), "all that was done with the key");
    let is_address =
        |address: &&str| !address.contains("amazonaws.com") && !address.starts_with("AWS Internal");
    add("ip", event.address.as_deref().filter(is_address), "all that came from there");
    add("who", event.principal.as_deref(), "all that the caller did");
    add("api", Some(&event.api), "who else called it");
    for shared in report.shared.iter().take(1) {
        add("event", shared.event_id.as_deref(), "the other account's copy");
    }
    let record = event.record.as_ref().map(|record| record.get());
    let sections = record.and_then(pretty::sections);
    let request = sections.as_ref().and_then(|sections| sections.get("requestParameters"));
    for (_, name) in request.map(|json| names::names(json.get())).unwrap_or_default().iter().take(2)
    {
        add("resource", Some(name), "what it was done to");
    }
    next
}
