//! The companion columns: what follows from a record's texts, derived once, at ingest.

use std::{net::IpAddr, sync::Arc};

use arrow::{array::ArrayRef, datatypes::TimestampMicrosecondType};
use memchr::memmem::Finder;

use crate::logs::cloudtrail::{
    derive::{self, Outcome, Source},
    fields::Leaf,
    scan,
};

use super::{
    columns::{BooleanColumn, NumberColumn, TextColumn},
    events::Texts,
};

/// The companions of `cloudtrail_logs` under construction.
#[derive(Debug)]
pub(super) struct Companions {
    event_ts: NumberColumn<TimestampMicrosecondType>,
    time_source: TextColumn,
    src_ip: TextColumn,
    src_kind: TextColumn,
    principal_key: TextColumn,
    session_name: TextColumn,
    actor_account: TextColumn,
    owner_account: TextColumn,
    is_cross_account: BooleanColumn,
    key_kind: TextColumn,
    event_name_base: TextColumn,
    service: TextColumn,
    is_write: BooleanColumn,
    outcome: TextColumn,
    deny_type: TextColumn,
    deny_policy_arn: TextColumn,
    deny_action: TextColumn,
    deny_explicit: BooleanColumn,
    issued_key: TextColumn,
    issued_session_arn: TextColumn,
    target_role: TextColumn,
    category: TextColumn,
    /// Finds responses that hand out credentials.
    credentials: Finder<'static>,
    /// A text without its escapes.
    text: String,
}

impl Companions {
    pub(super) fn new() -> Self {
        let text = TextColumn::new;
        Self {
            event_ts: NumberColumn::new(),
            time_source: text(),
            src_ip: text(),
            src_kind: text(),
            principal_key: text(),
            session_name: text(),
            actor_account: text(),
            owner_account: text(),
            is_cross_account: BooleanColumn::new(),
            key_kind: text(),
            event_name_base: text(),
            service: text(),
            is_write: BooleanColumn::new(),
            outcome: text(),
            deny_type: text(),
            deny_policy_arn: text(),
            deny_action: text(),
            deny_explicit: BooleanColumn::new(),
            issued_key: text(),
            issued_session_arn: text(),
            target_role: text(),
            category: text(),
            credentials: Finder::new("\"credentials\""),
            text: String::new(),
        }
    }

    /// Gives `row` its companions; gives the event's time in microseconds since 1970.
    pub(super) fn push(&mut self, row: usize, texts: Texts<'_>) -> Option<i64> {
        let ts = texts.get(Leaf::EventTime).and_then(derive::event_time);
        if let Some(ts) = ts {
            self.event_ts.push(row, ts);
        }
        self.time_source.put(row, texts.parsed.time_key(texts.json));
        self.push_source(row, texts);
        self.push_principal(row, texts);
        self.push_call(row, texts);
        self.push_outcome(row, texts);
        self.push_issued(row, texts);
        ts
    }

    fn push_source(&mut self, row: usize, texts: Texts<'_>) {
        let Some(text) = texts.get(Leaf::SourceIp) else { return };
        let Some(source) = Source::parse(text) else { return };
        self.src_kind.push(row, source.kind());
        match source {
            // What parses as IPv4 is canonical already.
            Source::Ip(IpAddr::V4(_)) => self.src_ip.push(row, text),
            Source::Ip(ip) => self.src_ip.push(row, &ip.to_string()),
            Source::Service | Source::Internal => {}
        }
    }

    fn push_principal(&mut self, row: usize, texts: Texts<'_>) {
        let issuer = texts.get(Leaf::IssuerArn);
        let arn = texts.get(Leaf::UserArn);
        let principal = texts.get(Leaf::PrincipalId);
        let account = texts.get(Leaf::UserAccount);
        let invoked_by = texts.get(Leaf::InvokedBy);
        match (issuer.or(arn).or(principal), account, invoked_by) {
            (None, Some(account), Some(service)) => {
                self.principal_key.push(row, &format!("{account}|{service}"));
            }
            (key, ..) => self.principal_key.put(row, key.or(account).or(invoked_by)),
        }
        let session = principal.and_then(|principal| Some(principal.split_once(':')?.1));
        self.session_name.put(row, session.filter(|name| !name.is_empty()));
        let actor = account
            .or_else(|| texts.get(Leaf::IssuerAccount))
            .or_else(|| derive::arn_account(arn?));
        let owner = texts.get(Leaf::RecipientAccount);
        self.actor_account.put(row, actor);
        self.owner_account.put(row, owner);
        if let (Some(actor), Some(owner)) = (actor, owner) {
            self.is_cross_account.push(row, actor != owner);
        }
        self.key_kind.put(row, texts.get(Leaf::AccessKey).and_then(derive::key_kind));
    }

    fn push_call(&mut self, row: usize, texts: Texts<'_>) {
        let name = texts.get(Leaf::EventName);
        let source = texts.get(Leaf::EventSource);
        self.event_name_base.put(row, name.map(derive::base_name));
        self.service.put(row, source.map(derive::service));
        if let Some(read_only) = texts.flag(Leaf::ReadOnly) {
            self.is_write.push(row, !read_only);
        }
        let category = texts.get(Leaf::EventCategory).unwrap_or_else(|| {
            derive::category(
                texts.flag(Leaf::ManagementEvent),
                texts.get(Leaf::EventType).unwrap_or_default(),
                source.unwrap_or_default(),
                name.unwrap_or_default(),
            )
        });
        self.category.push(row, category);
    }

    fn push_outcome(&mut self, row: usize, texts: Texts<'_>) {
        let Some(name) = texts.get(Leaf::EventName) else { return };
        let message = texts.get(Leaf::ErrorMessage);
        let mut outcome = Outcome::of(texts.get(Leaf::ErrorCode), message);
        if outcome == Outcome::Ok && texts.get(Leaf::EventSource) == Some("signin.amazonaws.com") {
            // {"ConsoleLogin":"Failure"}: the answer stands under the event's own name.
            let response = texts.get(Leaf::ResponseElements);
            if response.and_then(|response| scan::find(response, name)) == Some("\"Failure\"") {
                outcome = Outcome::Error;
            }
        }
        self.outcome.push(row, outcome.as_str());
        if let (Outcome::Denied, Some(message)) = (outcome, message) {
            let denial = derive::denial(message);
            self.deny_type.put(row, denial.kind);
            self.deny_policy_arn.put(row, denial.policy);
            self.deny_action.put(row, denial.action);
            if let Some(explicit) = denial.explicit {
                self.deny_explicit.push(row, explicit);
            }
        }
    }

    fn push_issued(&mut self, row: usize, texts: Texts<'_>) {
        if let Some(response) = texts.get(Leaf::ResponseElements)
            && self.credentials.find(response.as_bytes()).is_some()
        {
            let issued = issuing(response);
            let key = scan::find_path(issued, &["credentials", "accessKeyId"]);
            let session = scan::find_path(issued, &["assumedRoleUser", "arn"])
                .or_else(|| scan::find_path(issued, &["federatedUser", "arn"]));
            put_string(&mut self.issued_key, row, key, &mut self.text);
            put_string(&mut self.issued_session_arn, row, session, &mut self.text);
        }
        let name = texts.get(Leaf::EventName).unwrap_or_default();
        if name.starts_with("AssumeRole") || name == "CreateSession" {
            let request = texts.get(Leaf::RequestParameters);
            let role = request.and_then(|request| scan::find(request, "roleArn"));
            put_string(&mut self.target_role, row, role, &mut self.text);
        }
    }

    /// The column `name`, if it is one of these; starts it anew.
    pub(super) fn take(&mut self, name: &str, rows: usize) -> Option<ArrayRef> {
        Some(match name {
            "event_ts" => Arc::new(self.event_ts.take(rows).with_timezone("UTC")),
            "time_source" => Arc::new(self.time_source.take(rows)),
            "src_ip" => Arc::new(self.src_ip.take(rows)),
            "src_kind" => Arc::new(self.src_kind.take(rows)),
            "principal_key" => Arc::new(self.principal_key.take(rows)),
            "session_name" => Arc::new(self.session_name.take(rows)),
            "actor_account" => Arc::new(self.actor_account.take(rows)),
            "owner_account" => Arc::new(self.owner_account.take(rows)),
            "is_cross_account" => Arc::new(self.is_cross_account.take(rows)),
            "key_kind" => Arc::new(self.key_kind.take(rows)),
            "event_name_base" => Arc::new(self.event_name_base.take(rows)),
            "service" => Arc::new(self.service.take(rows)),
            "is_write" => Arc::new(self.is_write.take(rows)),
            "outcome" => Arc::new(self.outcome.take(rows)),
            "deny_type" => Arc::new(self.deny_type.take(rows)),
            "deny_policy_arn" => Arc::new(self.deny_policy_arn.take(rows)),
            "deny_action" => Arc::new(self.deny_action.take(rows)),
            "deny_explicit" => Arc::new(self.deny_explicit.take(rows)),
            "issued_key" => Arc::new(self.issued_key.take(rows)),
            "issued_session_arn" => Arc::new(self.issued_session_arn.take(rows)),
            "target_role" => Arc::new(self.target_role.take(rows)),
            "category" => Arc::new(self.category.take(rows)),
            _ => return None,
        })
    }
}

/// The part of a response that has the credentials: itself, but for IAM Roles Anywhere, whose
/// `CreateSession` wraps it in `credentialSet`.
fn issuing(response: &str) -> &str {
    let first = scan::find(response, "credentialSet")
        .and_then(|set| set.get(scan::elements(set, 0).next()?));
    first.unwrap_or(response)
}

/// Gives `row` the text of the string `value`, if it is one and not empty.
fn put_string(column: &mut TextColumn, row: usize, value: Option<&str>, text: &mut String) {
    text.clear();
    if let Some(inside) = value.and_then(scan::inside) {
        scan::unescape(inside, text);
    }
    if !text.is_empty() {
        column.push(row, text);
    }
}
