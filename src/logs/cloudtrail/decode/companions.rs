//! The companion columns: what follows from a record's texts, derived once, at ingest.

use std::sync::Arc;

use arrow::{array::ArrayRef, datatypes::TimestampMicrosecondType};
use memchr::memmem;

use crate::logs::cloudtrail::{
    derive::{self, Outcome, Source},
    fields::Leaf,
    scan,
};

use super::{
    columns::{BooleanColumn, NumberColumn, Piece, TextColumn},
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
}

/// Appends `value` where there is one.
#[inline]
fn put(column: &mut TextColumn, row: usize, value: Option<&[u8]>) {
    if let Some(value) = value {
        column.push(row, value);
    }
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
            is_cross_account: BooleanColumn::default(),
            key_kind: text(),
            event_name_base: text(),
            service: text(),
            is_write: BooleanColumn::default(),
            outcome: text(),
            deny_type: text(),
            deny_policy_arn: text(),
            deny_action: text(),
            deny_explicit: BooleanColumn::default(),
            issued_key: text(),
            issued_session_arn: text(),
            target_role: text(),
            category: text(),
        }
    }

    /// Gives `row` its companions; gives the event's time in microseconds since 1970.
    pub(super) fn push(
        &mut self,
        row: usize,
        texts: Texts<'_>,
        management: Option<bool>,
        time_key: Option<Piece<'_>>,
    ) -> Option<i64> {
        let ts = texts.get(Leaf::EventTime).and_then(derive::event_time);
        if let Some(ts) = ts {
            self.event_ts.push(row, ts);
        }
        if let Some(key) = time_key {
            self.time_source.write(row, |data| key.write(data));
        }
        self.push_source(row, texts);
        self.push_principal(row, texts);
        self.push_call(row, texts, management);
        self.push_outcome(row, texts);
        self.push_issued(row, texts);
        ts
    }

    fn push_source(&mut self, row: usize, texts: Texts<'_>) {
        let Some(text) = texts.get(Leaf::SourceIp) else { return };
        let Some(source) = Source::parse(text) else { return };
        self.src_kind.push(row, source.kind().as_bytes());
        match source {
            // What parses as IPv4 is canonical already.
            Source::Ip(std::net::IpAddr::V4(_)) => self.src_ip.push(row, text),
            Source::Ip(ip) => self.src_ip.push(row, ip.to_string().as_bytes()),
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
            (Some(key), ..) | (None, Some(key), None) | (None, None, Some(key)) => {
                self.principal_key.push(row, key);
            }
            (None, Some(account), Some(service)) => self.principal_key.write(row, |data| {
                data.extend_from_slice(account);
                data.push(b'|');
                data.extend_from_slice(service);
            }),
            (None, None, None) => {}
        }
        let session = principal.and_then(|principal| {
            let colon = memchr::memchr(b':', principal)?;
            principal.get(colon + 1..).filter(|name| !name.is_empty())
        });
        put(&mut self.session_name, row, session);
        let actor = account
            .or_else(|| texts.get(Leaf::IssuerAccount))
            .or_else(|| derive::arn_account(arn?));
        let owner = texts.get(Leaf::RecipientAccount);
        put(&mut self.actor_account, row, actor);
        put(&mut self.owner_account, row, owner);
        if let (Some(actor), Some(owner)) = (actor, owner) {
            self.is_cross_account.push(row, actor != owner);
        }
        let kind = texts.get(Leaf::AccessKey).and_then(derive::key_kind);
        put(&mut self.key_kind, row, kind.map(str::as_bytes));
    }

    fn push_call(&mut self, row: usize, texts: Texts<'_>, management: Option<bool>) {
        let name = texts.get(Leaf::EventName);
        let source = texts.get(Leaf::EventSource);
        put(&mut self.event_name_base, row, name.map(derive::base_name));
        put(&mut self.service, row, source.map(derive::service));
        match texts.get(Leaf::ReadOnly) {
            Some(b"true") => self.is_write.push(row, false),
            Some(b"false") => self.is_write.push(row, true),
            _ => {}
        }
        let category = texts.get(Leaf::EventCategory).unwrap_or_else(|| {
            let ty = texts.get(Leaf::EventType).unwrap_or_default();
            let (source, name) = (source.unwrap_or_default(), name.unwrap_or_default());
            derive::category(management, ty, source, name).as_bytes()
        });
        self.category.push(row, category);
    }

    fn push_outcome(&mut self, row: usize, texts: Texts<'_>) {
        let Some(name) = texts.get(Leaf::EventName) else { return };
        let message = texts.get(Leaf::ErrorMessage);
        let mut outcome = Outcome::of(texts.get(Leaf::ErrorCode), message);
        if outcome == Outcome::Ok && texts.get(Leaf::EventSource) == Some(b"signin.amazonaws.com") {
            // {"ConsoleLogin":"Failure"}: the answer stands under the event's own name.
            let answer = texts
                .get(Leaf::ResponseElements)
                .and_then(|response| scan::find(response, str::from_utf8(name).ok()?));
            if answer == Some(b"\"Failure\"") {
                outcome = Outcome::Error;
            }
        }
        self.outcome.push(row, outcome.as_str().as_bytes());
        if let (Outcome::Denied, Some(message)) = (outcome, message) {
            let denial = derive::denial(message);
            put(&mut self.deny_type, row, denial.kind.map(str::as_bytes));
            put(&mut self.deny_policy_arn, row, denial.policy);
            put(&mut self.deny_action, row, denial.action);
            if let Some(explicit) = denial.explicit {
                self.deny_explicit.push(row, explicit);
            }
        }
    }

    fn push_issued(&mut self, row: usize, texts: Texts<'_>) {
        if let Some(response) = texts.get(Leaf::ResponseElements)
            && memmem::find(response, b"\"credentials\"").is_some()
        {
            let issued = issuing(response);
            put_text(&mut self.issued_key, row, text_at(issued, &["credentials", "accessKeyId"]));
            let session = text_at(issued, &["assumedRoleUser", "arn"])
                .or_else(|| text_at(issued, &["federatedUser", "arn"]));
            put_text(&mut self.issued_session_arn, row, session);
        }
        let name = texts.get(Leaf::EventName).unwrap_or_default();
        if name.starts_with(b"AssumeRole") || name == b"CreateSession" {
            let request = texts.get(Leaf::RequestParameters);
            let role = request.and_then(|request| text_at(request, &["roleArn"]));
            put_text(&mut self.target_role, row, role);
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
/// CreateSession wraps it in `credentialSet`.
fn issuing(response: &[u8]) -> &[u8] {
    let first = scan::find(response, "credentialSet")
        .and_then(|set| set.get(scan::elements(set, 0).next()?));
    first.unwrap_or(response)
}

/// The string at `path` in the object `json`, as spelled, without its quotes.
fn text_at<'a>(json: &'a [u8], path: &[&str]) -> Option<&'a [u8]> {
    let value = path.iter().try_fold(json, |json, key| scan::find(json, key))?;
    value.strip_prefix(b"\"")?.strip_suffix(b"\"").filter(|text| !text.is_empty())
}

/// Appends a string as spelled, where there is one.
fn put_text(column: &mut TextColumn, row: usize, raw: Option<&[u8]>) {
    if let Some(raw) = raw {
        column.write(row, |data| {
            scan::unescape(raw, data);
        });
    }
}
