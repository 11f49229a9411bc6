//! Where credentials came from: the table `sessions`, and the trees that are made of it.

mod edges;
mod hostile;
mod trees;

use std::{path::Path, sync::Arc};

use arrow::array::RecordBatch;
use futures::StreamExt as _;
use serde_json::{Value, json};
use trailhound::{
    cache::Cache,
    engine::{Session, SessionOptions},
    pivots::trace::{TextOptions, Trace, TraceOptions, render, trace},
};

use crate::support::{column, ingest_into};

/// The key that most begins with.
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// A session over events.
pub(crate) struct Events {
    session: Session,
    runtime: tokio::runtime::Runtime,
    _temp: tempfile::TempDir,
}

impl Events {
    /// Over `events`, in the order that they are given in.
    fn of(events: &[Value]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let source = temp.path().join("events.json");
        let text = serde_json::to_string(&json!({ "Records": events })).unwrap();
        std::fs::write(&source, text).unwrap();
        let session = over(temp.path(), &source);
        Self { session, runtime: tokio::runtime::Runtime::new().unwrap(), _temp: temp }
    }

    /// Over the logs at `source`.
    fn at(source: &Path) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let session = over(temp.path(), source);
        Self { session, runtime: tokio::runtime::Runtime::new().unwrap(), _temp: temp }
    }

    fn rows(&self, sql: &str) -> Vec<RecordBatch> {
        self.runtime.block_on(async {
            let statement = self.session.parse(sql, None).unwrap().remove(0);
            let mut answer = self.session.run(&statement).await.unwrap();
            let mut rows = Vec::new();
            while let Some(batch) = answer.rows.next().await {
                rows.push(batch.unwrap());
            }
            rows
        })
    }

    /// The rows of `sql` as lines, `-` for NULL.
    fn lines(&self, sql: &str) -> Vec<String> {
        let rows = self.rows(sql);
        let Some(first) = rows.first() else { return Vec::new() };
        let schema = first.schema();
        let columns: Vec<Vec<Option<String>>> =
            schema.fields().iter().map(|field| column(&rows, field.name())).collect();
        let n_rows = columns.first().map_or(0, Vec::len);
        let cell = |column: &Vec<Option<String>>, row: usize| {
            column[row].clone().unwrap_or_else(|| "-".to_owned())
        };
        (0..n_rows)
            .map(|row| columns.iter().map(|c| cell(c, row)).collect::<Vec<_>>().join(" | "))
            .collect()
    }

    /// What ties all credentials to what they came from.
    fn ties(&self) -> Vec<String> {
        self.lines(
            "SELECT credential, edge, sure, parent_kind, parent, depth, calls, note FROM sessions \
             ORDER BY session_no",
        )
    }

    fn trace(&self, subject: &str, options: TraceOptions) -> Trace {
        self.runtime.block_on(trace(&self.session, subject, options)).unwrap()
    }

    fn text(&self, subject: &str, options: TraceOptions) -> String {
        render(
            &self.trace(subject, options),
            &TextOptions { width: 100, color: false, unicode: true },
        )
    }
}

fn over(dir: &Path, source: &Path) -> Session {
    let cache = dir.join("cache");
    ingest_into(&cache, source);
    let options = SessionOptions {
        memory_bytes: 256 << 20,
        temp_dir: dir.to_owned(),
        threads: 2,
        table_names: Vec::new(),
        strict: false,
    };
    Session::open(Arc::new(Cache::open(&cache).unwrap()), &options).unwrap()
}

/// `base` with the members of `more`, object by object.
fn with(base: Value, more: Value) -> Value {
    match (base, more) {
        (Value::Object(mut base), Value::Object(more)) => {
            for (key, value) in more {
                let known = base.remove(&key).unwrap_or(Value::Null);
                let value = if known.is_object() { with(known, value) } else { value };
                base.insert(key, value);
            }
            Value::Object(base)
        }
        (_, more) => more,
    }
}

/// An event of the 14th of May 2024 at `time`, such as `02:11:07`; its id is told by `n`.
fn event(n: u32, time: &str, name: &str, identity: Value, more: Value) -> Value {
    let source = match name {
        "CreateAccessKey" | "CreateUser" | "CreateLoginProfile" => "iam",
        "ConsoleLogin" => "signin",
        "ListBuckets" | "GetObject" => "s3",
        _ => "sts",
    };
    let mut base = json!({
        "eventVersion": "1.09", "eventTime": format!("2024-05-14T{time}Z"),
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name,
        "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.77", "userAgent": "aws-cli/2.15",
        "requestParameters": null, "responseElements": null,
        "eventID": format!("00000000-0000-4000-8000-{n:012}"), "readOnly": true,
        "eventType": "AwsApiCall", "managementEvent": true, "eventCategory": "Management",
        "recipientAccountId": "111122223333"
    });
    base["userIdentity"] = identity;
    with(base, more)
}

/// The user `name` with `key`.
fn user(name: &str, key: &str) -> Value {
    json!({
        "type": "IAMUser", "principalId": format!("AIDA{}", name.to_uppercase()),
        "arn": format!("arn:aws:iam::111122223333:user/{name}"), "accountId": "111122223333",
        "accessKeyId": key, "userName": name
    })
}

/// The session `session` of `role` with `key`, begun at `created`.
fn session(role: &str, session: &str, key: &str, created: &str) -> Value {
    json!({
        "type": "AssumedRole", "principalId": format!("AROA{}:{session}", role.to_uppercase()),
        "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
        "accountId": "111122223333", "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": format!("AROA{}", role.to_uppercase()),
                "arn": format!("arn:aws:iam::111122223333:role/{role}"),
                "accountId": "111122223333", "userName": role
            },
            "attributes": { "creationDate": format!("2024-05-14T{created}Z") }
        }
    })
}

/// The parameters and the response with which `session` of `role` is issued `key`.
fn issues(role: &str, session: &str, key: &str) -> Value {
    with(
        asks(role, session),
        json!({ "responseElements": {
            "credentials": { "accessKeyId": key, "expiration": "May 14, 2024, 11:59:59 PM" },
            "assumedRoleUser": {
                "assumedRoleId": format!("AROA{}:{session}", role.to_uppercase()),
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}")
            }
        } }),
    )
}

/// The parameters alone.
fn asks(role: &str, session: &str) -> Value {
    json!({ "requestParameters": {
        "roleArn": format!("arn:aws:iam::111122223333:role/{role}"), "roleSessionName": session
    } })
}

/// A key that is called `name`.
fn key(name: &str) -> String {
    format!("ASIA{name:0>9}EXAMPLE")
}
