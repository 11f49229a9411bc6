//! The pivots: dossiers over the written case and over records made by hand, as text and as JSON.

mod case;
mod commands;
mod records;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use serde_json::{Value, json};
use trailhound::{
    Result,
    cache::Cache,
    engine::{Session, SessionOptions},
    output,
    pivots::dossier::{
        Dossier, DossierOptions, EventReport, Kind, Subject, TextOptions, Told, Window, dossier,
        event, render_dossier, render_event,
    },
    repl::Runner,
};

use crate::support::{from_root, ingest_into};

/// A cache and a session over it.
pub(super) struct Scene {
    _dir: tempfile::TempDir,
    session: Session,
    runner: Runner,
}

impl Scene {
    pub(super) fn of(source: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("cache");
        ingest_into(&place, source);
        let options = SessionOptions {
            memory_bytes: 256 << 20,
            temp_dir: std::env::temp_dir(),
            threads: 2,
            table_names: Vec::new(),
            strict: false,
        };
        let session = Session::open(Arc::new(Cache::open(&place).unwrap()), &options).unwrap();
        Self { _dir: dir, session, runner: Runner::new(2).unwrap() }
    }

    /// A cache of these records.
    pub(super) fn with(records: &[Value]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = json!({ "Records": records }).to_string();
        std::fs::write(dir.path().join("records.json"), text).unwrap();
        Self::of(dir.path())
    }

    pub(super) fn told(&self, kind: Kind, value: &str, options: &DossierOptions) -> Told<Dossier> {
        let subject = Subject::parse(kind, value).unwrap();
        self.runner.until_interrupted(dossier(&self.session, &subject, options)).unwrap()
    }

    pub(super) fn dossier(&self, kind: Kind, value: &str) -> Dossier {
        self.told(kind, value, &OPTIONS).report
    }

    pub(super) fn event(&self, id: &str) -> EventReport {
        let work: Result<Told<EventReport>> =
            self.runner.until_interrupted(event(&self.session, id));
        work.unwrap().report
    }
}

/// The written case.
pub(super) fn case() -> &'static Scene {
    static CASE: OnceLock<Scene> = OnceLock::new();
    CASE.get_or_init(|| Scene::of(&from_root("testdata/case").canonicalize().unwrap()))
}

pub(super) const OPTIONS: DossierOptions = DossierOptions {
    window: Window { since: None, until: None },
    top: 10,
    memory_bytes: 256 << 20,
};

pub(super) fn at(width: usize) -> TextOptions {
    TextOptions { width, color: false, unicode: true, is_prompt: true }
}

/// The dossier as text.
pub(super) fn text(dossier: &Dossier, width: usize) -> String {
    render_dossier(dossier, &at(width))
}

/// The same of an event, with the place of the checkout left out: it is as long as it likes to be.
pub(super) fn event_text(report: &EventReport, width: usize) -> String {
    let mut report = report.clone();
    let files = report.events.iter_mut().map(|event| &mut event.source_file);
    for file in files.chain(report.duplicates.iter_mut().map(|copy| &mut copy.source_file)) {
        let name = file.as_deref().unwrap_or_default().rsplit('/').next();
        *file = name.map(|name| format!("…/{name}"));
    }
    render_event(&report, &at(width))
}

/// A report as its JSON form is printed, spread over lines.
pub(super) fn spread(report: &impl serde::Serialize) -> String {
    let text = output::json_text(report).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

/// The values of one dimension, with their events.
pub(super) fn values(dossier: &Dossier, dimension: &str) -> Vec<(String, u64)> {
    let json = serde_json::to_value(dossier).unwrap();
    let all = json["counterparts"].as_array().unwrap().clone();
    let found = all.into_iter().find(|counted| counted["dimension"] == dimension);
    let top = found.map(|counted| counted["top"].clone()).unwrap_or_default();
    let of =
        |one: &Value| (one["value"].as_str().unwrap().to_owned(), one["events"].as_u64().unwrap());
    top.as_array().map(|top| top.iter().map(of).collect()).unwrap_or_default()
}

/// A record by Mallory; what `change` has replaces or adds.
pub(super) fn record(n: usize, change: &Value) -> Value {
    let (hour, minute, second) = (2 + n / 3600, n / 60 % 60, n % 60);
    let mut record = json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAMALLORYMALLEXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/mallory",
            "accountId": "111122223333",
            "accessKeyId": "AKIAI44QH8DHBEXAMPLE",
            "userName": "mallory",
        },
        "eventTime": format!("2024-05-14T{hour:02}:{minute:02}:{second:02}Z"),
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.77",
        "userAgent": "aws-cli/2.15",
        "requestParameters": null,
        "responseElements": null,
        "requestID": format!("request-{n}"),
        "eventID": format!("00000000-0000-4000-8000-{n:012}"),
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    });
    for (member, value) in change.as_object().unwrap() {
        record[member] = value.clone();
    }
    record
}
