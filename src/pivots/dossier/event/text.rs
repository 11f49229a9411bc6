//! One event as text.

use std::collections::HashMap;

use serde_json::{Value, value::RawValue};

use super::{
    super::{
        TextOptions,
        paper::{MAX_LINES as MAX_VALUE_LINES, Paper, wrapped},
        text::{render_nothing, step_line},
    },
    EventRecord, EventReport,
    pretty::{pretty, sections},
};
use crate::output::visible;

/// The most lines of one part of a record that are shown; JSON has all.
const MAX_LINES: usize = 120;

/// The parts of a record that are shown as JSON, with their titles.
const PARTS: [(&str, &str); 8] = [
    ("requestParameters", "request parameters"),
    ("responseElements", "response"),
    ("additionalEventData", "additional event data"),
    ("serviceEventDetails", "service event details"),
    ("insightDetails", "insight"),
    ("resources", "resources"),
    ("addendum", "addendum"),
    ("edgeDeviceDetails", "edge device"),
];

/// The members that stand in words, or say nothing more.
const TOLD: [&str; 24] = [
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestID",
    "eventID",
    "readOnly",
    "eventType",
    "eventVersion",
    "apiVersion",
    "managementEvent",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "vpcEndpointAccountId",
    "eventCategory",
    "sessionCredentialFromConsole",
    "tlsDetails",
    "annotation",
];

/// Writes `report` as text; every line ends in a line feed.
pub fn render_event(report: &EventReport, options: &TextOptions) -> String {
    let mut paper = Paper::new(options);
    let styled = paper.bold("event");
    paper.styled("event  ", &format!("{styled}  "), &report.id, "", MAX_VALUE_LINES);
    if let Some(nothing) = &report.nothing {
        render_nothing(&mut paper, nothing, report.id.as_str());
    }
    if report.id_conflict {
        paper.prose("", "id conflict: one account has several events of this id that differ");
    } else if report.events.len() > 1 {
        paper.prose(
            "",
            "several events have this id: of several accounts, or of versions of a file",
        );
    }
    for event in &report.events {
        one(&mut paper, event);
    }
    if let Some(step) = &report.issued_by {
        paper.section("its key was issued by", "");
        step_line(&mut paper, step, (None, None));
    }
    around(&mut paper, report);
    paper.pivots(&report.next);
    paper.text
}

/// A record's texts by their paths.
struct Texts<'r> {
    event: &'r EventRecord,
    record: Value,
}

impl Texts<'_> {
    fn get(&self, path: &str) -> Option<String> {
        let text = self.record.pointer(path).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn said(&self, label: &str, path: &str) -> Option<String> {
        self.get(path).map(|text| format!("{label} {text}"))
    }

    fn session(&self, label: &str, path: &str) -> Option<String> {
        let text = self.get(&format!("/userIdentity/sessionContext{path}"));
        text.map(|text| format!("{label} {text}"))
    }

    /// When, where, what, and why not.
    fn call(&self) -> Vec<(&'static str, Vec<Option<String>>)> {
        let event = self.event;
        let kind = event.is_write.as_deref().map(|is_write| match is_write {
            "true" => "may change something".to_owned(),
            _ => "only reads".to_owned(),
        });
        let account = event.account.as_ref().map(|account| format!("account {account}"));
        vec![
            ("when", vec![event.time.clone(), event.region.clone(), account]),
            ("what", vec![event.category.clone(), self.get("/eventType"), kind]),
            ("error", vec![self.get("/errorMessage")]),
            ("denied by", vec![event.deny_type.clone(), event.deny_policy.clone()]),
        ]
    }

    /// Who, and how the credentials came.
    fn caller(&self) -> Vec<(&'static str, Vec<Option<String>>)> {
        let event = self.event;
        let arn = self.get("/userIdentity/arn").filter(|arn| Some(arn) != event.principal.as_ref());
        let kind = event.access_key.as_deref().and_then(key_kind).map(str::to_owned);
        let issued = event.issued_key.as_ref().map(|key| format!("issued {key}"));
        let console = self.get("/sessionCredentialFromConsole");
        vec![
            (
                "who",
                vec![
                    self.get("/userIdentity/type"),
                    event.principal.clone(),
                    self.said("invoked by", "/userIdentity/invokedBy"),
                ],
            ),
            (
                "as",
                vec![
                    arn,
                    self.get("/userIdentity/principalId"),
                    self.said("user", "/userIdentity/userName"),
                    self.said("account", "/userIdentity/accountId"),
                ],
            ),
            ("key", vec![event.access_key.clone(), kind, issued]),
            (
                "session",
                vec![
                    event.session.clone(),
                    self.session("since", "/attributes/creationDate"),
                    self.session("MFA", "/attributes/mfaAuthenticated"),
                    self.session("issuer", "/sessionIssuer/arn"),
                    self.session("source identity", "/sourceIdentity"),
                ],
            ),
            (
                "came by",
                vec![
                    self.session("instance metadata, version", "/ec2RoleDelivery"),
                    self.said("issued to", "/userIdentity/inScopeOf/credentialsIssuedTo"),
                    self.session("web identity of", "/webIdFederationData/federatedProvider"),
                    self.said("identity provider", "/userIdentity/identityProvider"),
                    self.said("on behalf of", "/userIdentity/onBehalfOf/userId"),
                    console.map(|_| "a console session".to_owned()),
                    self.said("sign-in with MFA:", "/additionalEventData/MFAUsed"),
                ],
            ),
            (
                "from",
                vec![
                    event.address.clone(),
                    self.said("endpoint", "/vpcEndpointId"),
                    self.get("/tlsDetails/tlsVersion"),
                ],
            ),
            ("agent", vec![self.get("/userAgent")]),
        ]
    }

    /// Where the record lies.
    fn place(&self) -> Vec<(&'static str, Vec<Option<String>>)> {
        let event = self.event;
        let digest = event.digest_status.as_deref().unwrap_or("not verified");
        vec![
            ("file", vec![event.source_file.clone()]),
            (
                "",
                vec![
                    event.record_no.map(|n| format!("record {n}")),
                    Some(format!("digest {digest}")),
                    event.superseded.then(|| "the file has other content now".to_owned()),
                ],
            ),
        ]
    }
}

fn one(paper: &mut Paper, event: &EventRecord) {
    let json = event.record.as_ref().map(|record| record.get()).unwrap_or_default();
    let texts = Texts { event, record: serde_json::from_str(json).unwrap_or_default() };
    let outcome = event.outcome.as_deref().unwrap_or("no call");
    paper.text.push('\n');
    let styled = paper.bold(&visible(&event.api));
    let remark = match (outcome, texts.get("/errorCode")) {
        ("ok", _) => String::new(),
        (other, Some(code)) => format!("{other}: {code}"),
        (other, None) => other.to_owned(),
    };
    let red = paper.red(&visible(&remark));
    paper.line(&format!("{styled}  {red}"));
    for (title, parts) in [texts.call(), texts.caller(), texts.place()].concat() {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            paper.value(&format!("  {title:<10}"), &parts.join(" · "));
        }
    }
    parts(paper, json);
}

fn key_kind(key: &str) -> Option<&'static str> {
    match key.get(..4)? {
        "AKIA" => Some("long-term"),
        "ASIA" => Some("temporary"),
        _ => None,
    }
}

/// The parts of the record that are JSON, and what no known part is.
fn parts(paper: &mut Paper, json: &str) {
    let sections: HashMap<String, Box<RawValue>> = sections(json).unwrap_or_default();
    for (member, title) in PARTS {
        if let Some(part) = sections.get(member).filter(|part| part.get() != "null") {
            part_of(paper, title, part.get());
        }
    }
    let mut others: Vec<_> = sections
        .iter()
        .filter(|(member, _)| {
            !TOLD.contains(&member.as_str()) && PARTS.iter().all(|(name, _)| name != member)
        })
        .collect();
    others.sort_by_key(|(member, _)| member.as_str());
    for (member, part) in others {
        part_of(paper, &visible(member), part.get());
    }
}

fn part_of(paper: &mut Paper, title: &str, json: &str) {
    paper.section(title, "");
    let text = pretty(json);
    let room = paper.width.saturating_sub(2);
    let mut n_lines = 0;
    for line in text.lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let (_, rest) = line.split_at_checked(indent).unwrap_or(("", line));
        let space = room.saturating_sub(indent).max(8);
        for (at, piece) in wrapped(&visible(rest), space).into_iter().enumerate() {
            n_lines += 1;
            if n_lines > MAX_LINES {
                paper.line("  … more; --json has all of it");
                return;
            }
            let deeper = if at == 0 { 0 } else { 2.min(space / 4) };
            paper.line(&format!("  {}{piece}", " ".repeat(indent + deeper)));
        }
    }
}

/// The events around it.
fn around(paper: &mut Paper, report: &EventReport) {
    let here = report.events.first();
    let known =
        here.map_or((None, None), |event| (event.principal.as_deref(), event.address.as_deref()));
    if let Some(by) = report.neighbours_by
        && !(report.before.is_empty() && report.after.is_empty())
    {
        paper.section("around it", &format!("of the same {by}"));
        for step in &report.before {
            step_line(paper, step, known);
        }
        let time = here.and_then(|event| event.time.as_deref()).unwrap_or_default();
        let api = here.map(|event| visible(&event.api).into_owned()).unwrap_or_default();
        let this = paper.bold(&format!("  {time:<20}  {api}  (this event)"));
        paper.line(&this);
        for step in &report.after {
            step_line(paper, step, known);
        }
    }
    for (title, aside, steps) in [
        ("the same request", "within an hour", &report.same_request),
        ("the same action, as other accounts received it", "", &report.shared),
    ] {
        if !steps.is_empty() {
            paper.section(title, aside);
            for step in steps {
                step_line(paper, step, (None, None));
            }
        }
    }
    if !report.duplicates.is_empty() {
        paper.section("read again", "equal copies that were not kept");
        for copy in &report.duplicates {
            let no = copy.record_no.map(|n| n.to_string()).unwrap_or_default();
            paper.value(&format!("  record {no:<6}  "), copy.source_file.as_deref().unwrap_or(""));
        }
    }
}
