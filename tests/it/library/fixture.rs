//! The fixtures of saved queries, `testdata/queries/THEME/NAME.json`: events, and the rows that the
//! query gives of them. `testdata/README.md` says how one is written.

use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, TimeDelta};
use serde::Deserialize;

use super::json::Json;
use crate::support::from_root;

/// A fixture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixture {
    /// The questions of the catalogue that the query answers.
    pub(super) answers: Vec<String>,
    /// The values that the query needs.
    #[serde(default)]
    parameters: Option<Json>,
    /// What all events have.
    #[serde(default)]
    common: Option<Json>,
    events: Vec<Json>,
    /// Rows of other tables, by the table's name: what no event brings about, such as verdicts.
    #[serde(default)]
    tables: Option<Json>,
    /// What the query gives.
    #[serde(default)]
    pub(super) rows: Vec<serde_json::Value>,
    /// Changes of one thing, by which the rows are others or gone.
    #[serde(default)]
    pub(super) misses: Vec<Miss>,
    /// The values for the run over real data, if they are others.
    #[serde(default)]
    invictus: Option<Json>,
}

/// What a query is run over.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) records: Vec<Json>,
    /// Rows of other tables, by the table's name.
    pub(super) tables: Option<Json>,
}

/// A change of one thing: a field of an event or of a row (`tables.NAME.0.column`), an event that is
/// missing, or a parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Miss {
    pub(super) because: String,
    /// The event that `set` is about.
    #[serde(default)]
    event: usize,
    #[serde(default)]
    set: Option<Json>,
    #[serde(default)]
    without: Option<usize>,
    #[serde(default)]
    parameters: Option<Json>,
    #[serde(default)]
    pub(super) rows: Vec<serde_json::Value>,
}

/// Values of parameters, as they are given on the command line.
pub(super) type Given = Vec<(String, String)>;

fn given(parameters: Option<&Json>) -> Given {
    let Some(Json::Object(members)) = parameters else { return Vec::new() };
    members.iter().map(|(name, value)| (name.clone(), value.argument())).collect()
}

impl Fixture {
    /// Where the fixture of a query lies.
    pub(super) fn path(theme: &str, name: &str) -> PathBuf {
        from_root("testdata/queries").join(theme).join(name).with_extension("json")
    }

    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("no fixture at {}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The values that the query is run with.
    pub(super) fn given(&self) -> Given {
        given(self.parameters.as_ref())
    }

    /// The same over real data.
    pub(super) fn given_invictus(&self) -> Given {
        given(self.invictus.as_ref().or(self.parameters.as_ref()))
    }

    /// What the query is run over.
    pub(super) fn scene(&self) -> Scene {
        Scene { records: self.expanded(self.events.clone()), tables: self.tables.clone() }
    }

    /// The scene and the values of a miss.
    ///
    /// # Errors
    /// It is no change of one thing.
    pub(super) fn missing(&self, miss: &Miss) -> Result<(Scene, Given), String> {
        let mut events = self.events.clone();
        let mut tables = self.tables.clone();
        let mut values = self.given();
        match (&miss.set, miss.without, &miss.parameters) {
            (Some(Json::Object(fields)), None, None) => {
                let [(path, value)] = fields.as_slice() else {
                    return Err("`set` changes one field".to_owned());
                };
                match (path.strip_prefix("tables."), &mut tables) {
                    (Some(path), Some(tables)) => tables.set_at(path, value.clone()),
                    _ => events[miss.event].set_at(path, value.clone()),
                }
            }
            (None, Some(at), None) => drop(events.remove(at)),
            (None, None, Some(Json::Object(members))) => {
                for (name, value) in members {
                    values.retain(|(known, _)| known != name);
                    values.push((name.clone(), value.argument()));
                }
            }
            _ => return Err("a miss has one of `set`, `without`, `parameters`".to_owned()),
        }
        Ok((Scene { records: self.expanded(events), tables }, values))
    }

    fn expanded(&self, events: Vec<Json>) -> Vec<Json> {
        let nothing = Json::Object(Vec::new());
        let base = base().merged(self.common.as_ref().unwrap_or(&nothing));
        let mut records = Vec::new();
        for (minute, mut event) in events.into_iter().enumerate() {
            let number = |name: &str| match event.get(name) {
                Some(Json::Number(n)) => n.as_i64().unwrap(),
                None => 1,
                Some(other) => panic!("`{name}` is {other:?}"),
            };
            let (times, every) = (number("times"), number("every"));
            let vary = event.get("vary").cloned().unwrap_or_else(|| nothing.clone());
            for name in ["times", "every", "vary"] {
                event.set(name, Json::Null);
            }
            for n in 0..times {
                let mut record = base.clone().merged(&event);
                vary_one(&mut record, &vary, n);
                let start = match event.get("eventTime").and_then(Json::as_str) {
                    Some(time) => NaiveDateTime::parse_from_str(time, TIME).unwrap(),
                    None => first_time() + TimeDelta::minutes(i64::try_from(minute).unwrap()),
                };
                let time = start + TimeDelta::seconds(n * every);
                record.set("eventTime", Json::text(time.format(TIME).to_string()));
                let i = records.len() + 1;
                let or = |record: &mut Json, name: &str, value: String| {
                    if record.get(name).is_none() {
                        record.set(name, Json::text(value));
                    }
                };
                or(&mut record, "eventID", format!("00000000-0000-4000-8000-{i:012}"));
                or(&mut record, "requestID", format!("REQ{i:013}"));
                records.push(record);
            }
        }
        records
    }
}

fn vary_one(record: &mut Json, vary: &Json, n: i64) {
    let Json::Object(fields) = vary else { panic!("`vary` is an object") };
    for (path, values) in fields {
        let Json::List(values) = values else { panic!("`vary` has lists") };
        record.set_at(path, values[usize::try_from(n).unwrap() % values.len()].clone());
    }
}

const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";

fn first_time() -> NaiveDateTime {
    NaiveDateTime::parse_from_str("2024-05-14T02:00:00Z", TIME).unwrap()
}

/// What every record has unless its event says otherwise.
fn base() -> Json {
    serde_json::from_str(
        r#"{
            "eventVersion": "1.11",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.77",
            "userAgent": "aws-cli/2.15.30",
            "eventType": "AwsApiCall",
            "eventCategory": "Management",
            "managementEvent": true,
            "readOnly": false,
            "recipientAccountId": "111122223333",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": "AIDAEXAMPLEMALLORY",
                "arn": "arn:aws:iam::111122223333:user/mallory",
                "accountId": "111122223333",
                "accessKeyId": "AKIAI44QH8DHBEXAMPLE",
                "userName": "mallory"
            }
        }"#,
    )
    .unwrap()
}
