//! What an event is told as, and the line that one event or several make.

use super::{
    phrase::Mark,
    record::Event,
    words::{self, Said},
};
use crate::output::human;

/// The most characters of an error's message that are shown.
const MOST_ERROR: usize = 80;

/// What an event is told as.
#[derive(Debug, Clone)]
pub(super) struct Telling {
    /// When, in microseconds since 1970.
    pub(super) micros: Option<i64>,
    /// When, as it was logged.
    pub(super) time: Option<String>,
    /// Who, in short.
    pub(super) actor: String,
    /// Who, over all sessions.
    pub(super) principal: Option<String>,
    /// The access key.
    pub(super) key: Option<String>,
    /// From where.
    pub(super) address: Option<String>,
    /// With which agent.
    pub(super) agent: Option<String>,
    /// The account and region that logged it.
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    /// The service and the event's name.
    pub(super) service: Option<String>,
    pub(super) action: Option<String>,
    /// `ok`, `denied`, `throttled`, `error`.
    pub(super) outcome: String,
    /// The error's code.
    pub(super) error: Option<String>,
    /// How it ended, where it did not succeed: `denied by a service control policy`.
    pub(super) ending: Option<String>,
    /// What was done.
    pub(super) said: Said,
    /// Bytes sent out.
    pub(super) bytes: u64,
    /// Whether it changes something.
    pub(super) changes: bool,
    /// The event's id, and that of the action where several accounts logged it.
    pub(super) eventid: Option<String>,
    pub(super) shared_id: Option<String>,
    /// Whether the log names the caller's account alone, as that of the other side does.
    pub(super) is_other_side: bool,
}

impl Telling {
    /// What `event` is told as; nothing where it is not, as long as not `everything` is.
    pub(super) fn of(event: &Event<'_>, everything: bool) -> Option<Self> {
        event.get("eventname")?;
        let said = Said::of(event);
        let outcome = event.get("outcome").unwrap_or("ok").to_owned();
        let changes = event.is("is_write").unwrap_or(true);
        let by_service = event.get("type") == Some("AWSService");
        let is_told = match said.mark {
            Mark::Changes => changes || outcome == "denied",
            // Services take their own roles and keys all the time.
            Mark::Always => !by_service || outcome == "denied",
            Mark::Routine => outcome == "denied",
        };
        if !is_told && !everything {
            return None;
        }
        let owned = |name: &str| event.get(name).map(str::to_owned);
        Some(Self {
            micros: event.micros(),
            time: owned("eventtime"),
            actor: actor(event),
            principal: owned("principal"),
            key: owned("accesskeyid"),
            address: owned("sourceipaddress"),
            agent: owned("useragent"),
            account: owned("account"),
            region: owned("region"),
            service: owned("service"),
            action: owned("eventname"),
            ending: ending(event, &outcome),
            error: owned("errorcode"),
            outcome,
            said,
            bytes: bytes(event),
            changes,
            eventid: owned("eventid"),
            shared_id: owned("sharedeventid"),
            is_other_side: event.get("type") == Some("AWSAccount"),
        })
    }
}

/// Who did it, in a word or two: a user's name, a role and session, a service.
fn actor(event: &Event<'_>) -> String {
    let name = event.get("username").filter(|name| !name.starts_with("HIDDEN_DUE"));
    let session = event.get("session");
    let role = event.get("issuer").or_else(|| {
        let principal = event.get("principal")?;
        principal.rsplit('/').next().filter(|_| principal.contains(":role/"))
    });
    match event.get("type") {
        Some("Root") => "root".to_owned(),
        Some("AssumedRole") => match (role, session) {
            (Some(role), Some(session)) => format!("{}/{session}", permission_set(role)),
            (Some(role), None) => role.to_owned(),
            _ => event.get("principal").unwrap_or("?").to_owned(),
        },
        Some("AWSService") => event.get("invokedby").unwrap_or("AWS").to_owned(),
        None => event.get("invokedby").or(event.get("service")).unwrap_or("?").to_owned(),
        _ => {
            let principal = event.get("principal").or(event.get("invokedby"));
            name.or(principal).unwrap_or("?").to_owned()
        }
    }
}

/// The permission set of a role that single sign-on made, `AWSReservedSSO_Audit_0f1e2d3c4b5a6978`;
/// of others the role.
fn permission_set(role: &str) -> &str {
    role.strip_prefix("AWSReservedSSO_")
        .and_then(|rest| rest.rsplit_once('_'))
        .filter(|(_, hash)| hash.len() == 16)
        .map_or(role, |(set, _)| set)
}

/// How a call ended that did not succeed.
fn ending(event: &Event<'_>, outcome: &str) -> Option<String> {
    match outcome {
        "denied" => Some(match (event.get("deny_type"), event.is("deny_explicit")) {
            (Some(kind), Some(false)) => format!("denied, as no {kind} allows it"),
            (Some(kind), _) => format!("denied by {} {kind}", article(kind)),
            (None, _) => "denied".to_owned(),
        }),
        "throttled" => Some("throttled".to_owned()),
        "error" => {
            let cut = |text: &str| text.chars().take(MOST_ERROR).collect::<String>();
            Some(match (event.get("errorcode"), event.get("errormessage")) {
                (Some(code), _) => format!("failed ({})", cut(code)),
                (None, Some(message)) => format!("failed ({})", cut(message)),
                (None, None) => "failed".to_owned(),
            })
        }
        _ => None,
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn bytes(event: &Event<'_>) -> u64 {
    event
        .document(super::phrase::Root::Additional)
        .and_then(|document| document.get("bytesTransferredOut"))
        .and_then(|bytes| bytes.as_u64().or_else(|| bytes.as_str()?.parse().ok()))
        .unwrap_or(0)
}

/// A line: an event, or a burst of them.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its first event.
    pub(super) event: Telling,
    /// How many events it has.
    pub(super) n_events: u64,
    /// When its last was.
    pub(super) until: Option<i64>,
    /// Bytes sent out by all.
    pub(super) bytes: u64,
    /// How many different first slots it has; more than this where `is_at_least`.
    pub(super) n_different: u64,
    pub(super) is_at_least: bool,
    /// The first few of them.
    pub(super) named: Vec<String>,
}

impl Line {
    pub(super) fn of(event: Telling) -> Self {
        Self {
            n_events: 1,
            until: event.micros,
            bytes: event.bytes,
            n_different: 0,
            is_at_least: false,
            named: Vec::new(),
            event,
        }
    }

    /// Takes the other account's copy of the same action: whoever knows the caller better is told.
    pub(super) fn copy_of(&mut self, other: Telling) {
        if self.n_events == 1 && self.event.is_other_side && !other.is_other_side {
            self.event = other;
        }
    }

    /// What happened, in plain words.
    pub(super) fn message(&self) -> String {
        let said = &self.event.said;
        let (verb, start) = match &self.event.ending {
            None => (words::past(&said.verb), ""),
            Some(_) => (said.verb.clone(), "tried to "),
        };
        let mut text = start.to_owned();
        let times = |n: u64| format!(" ({} times)", human::count(n));
        if self.n_different > 1 && said.is_countable() {
            let at_least = if self.is_at_least { "at least " } else { "" };
            text.push_str(&said.counted(&verb, at_least, self.n_different));
            let n_named = u64::try_from(self.named.len()).unwrap_or(u64::MAX);
            if self.n_different <= n_named {
                text.push_str(": ");
                text.push_str(&super::reading::listed(self.named.clone()).unwrap_or_default());
            } else if let Some(first) = self.named.first() {
                text.push_str(", the first ");
                text.push_str(first);
            }
            if self.n_events != self.n_different {
                text.push_str(", in ");
                text.push_str(&human::count(self.n_events));
                text.push_str(" calls");
            }
        } else {
            text.push_str(&match &self.event.ending {
                None => said.done(),
                Some(_) => said.to_be_done(),
            });
            if self.n_events > 1 {
                text.push_str(&times(self.n_events));
            }
        }
        if self.bytes > 0 && !self.event.changes {
            text.push_str(", ");
            text.push_str(&human::bytes(self.bytes));
        }
        if let Some(span) = self.span() {
            text.push_str(", ");
            text.push_str(&span);
        }
        if let Some(ending) = &self.event.ending {
            text.push_str(": ");
            text.push_str(ending);
        }
        text
    }

    /// `02:51–03:00`, where it took time.
    fn span(&self) -> Option<String> {
        let (from, until) = (time(self.event.micros?)?, time(self.until?)?);
        if self.n_events < 2 || self.until == self.event.micros {
            return None;
        }
        let form = if (until - from).num_seconds() < 120 { "%H:%M:%S" } else { "%H:%M" };
        let day = if until.date_naive() == from.date_naive() { "" } else { "%d %B " };
        let until = until.format(&format!("{day}{form}")).to_string();
        Some(format!("{}–{until}", from.format(form)))
    }
}

/// Microseconds since 1970 as a time.
pub(super) fn time(micros: i64) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp_micros(micros)
}
