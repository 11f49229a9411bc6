//! Calls that end the delivery of log files or of digests, which explain gaps.

use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::time::{self, HOUR};

/// The calls after which digests stop.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html>
pub(super) const STOPPING: [&str; 3] = ["StopLogging", "DeleteTrail", "UpdateTrail"];

/// A call that may have ended the delivery of log files or digests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrailEvent {
    /// When, in UTC.
    pub event_time: String,
    /// What was called.
    pub event_name: String,
    /// Who called.
    pub principal: String,
    /// From which address.
    pub source_ip_address: String,
    /// The trail it was about: a name or an ARN.
    pub trail: String,
    /// Why it failed, if it did.
    pub error_code: Option<String>,
    /// The event's id.
    pub event_id: String,
}

impl TrailEvent {
    /// Whether it may explain that the trail `trail` has no digests from `from` to `to`: it is
    /// about that trail, and happened then or in the two hours before (the last digest comes up to
    /// an hour after, and its file a little later).
    pub(super) fn explains(&self, trail: &str, (from, to): (i64, i64)) -> bool {
        let name = self.trail.rsplit(['/', ':']).next().unwrap_or_default();
        let at = time::of_iso(&self.event_time);
        self.error_code.is_none()
            && (name.is_empty() || trail.is_empty() || name == trail)
            && at.is_some_and(|at| at >= from.saturating_sub(2 * HOUR) && at <= to)
    }
}

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// Adds those among the records of a log file's text. Files that do not mention such a call are
/// not parsed.
pub(super) fn find(text: &[u8], out: &mut Vec<TrailEvent>) {
    if !STOPPING.iter().any(|name| memmem::find(text, name.as_bytes()).is_some()) {
        return;
    }
    let Ok(log) = serde_json::from_slice::<Log<'_>>(text) else { return };
    for record in log.records {
        if STOPPING.iter().any(|name| record.get().contains(name))
            && let Ok(record) = serde_json::from_str::<Value>(record.get())
        {
            out.extend(of_record(&record));
        }
    }
}

/// The call that `record` is of, if it is one that ends log files or digests.
pub(super) fn of_record(record: &Value) -> Option<TrailEvent> {
    let at = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    let text = |pointer: &str| at(pointer).unwrap_or_default().to_owned();
    let event_name = at("/eventName").filter(|name| STOPPING.contains(name))?;
    let ends = event_name != "UpdateTrail"
        || record.pointer("/requestParameters/enableLogFileValidation")
            == Some(&Value::Bool(false));
    if at("/eventSource") != Some("cloudtrail.amazonaws.com") || !ends {
        return None;
    }
    Some(TrailEvent {
        event_time: text("/eventTime"),
        event_name: event_name.to_owned(),
        principal: at("/userIdentity/arn")
            .or_else(|| at("/userIdentity/principalId"))
            .unwrap_or_default()
            .to_owned(),
        source_ip_address: text("/sourceIPAddress"),
        trail: text("/requestParameters/name"),
        error_code: at("/errorCode").map(str::to_owned),
        event_id: text("/eventID"),
    })
}
