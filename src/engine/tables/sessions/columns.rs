//! The columns of `sessions`, and the rows as they stand in them.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{
        ArrayRef, Int64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
        TimestampMicrosecondBuilder,
    },
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use datafusion::error::Result;

use super::{
    Rows,
    gather::{Gathered, Issue, Used},
    ids::Id,
    link::{Life, Link, is_early},
    texts::{Name, Text},
    words::{Kind, Origin},
};

/// A column: its name, its type, what it holds.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) ty: Type,
    pub(super) doc: &'static str,
}

/// The types of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Time,
}

impl Type {
    pub(super) fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Number => DataType::Int64,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

const fn text(name: &'static str, doc: &'static str) -> Column {
    Column { name, ty: Type::Text, doc }
}

const fn number(name: &'static str, doc: &'static str) -> Column {
    Column { name, ty: Type::Number, doc }
}

const fn time(name: &'static str, doc: &'static str) -> Column {
    Column { name, ty: Type::Time, doc }
}

/// The columns in their order.
#[rustfmt::skip]
pub(super) const COLUMNS: &[Column] = &[
    number("session_no", "The row's number, in the order in which the credentials began; `parent_no` and `root_no` refer to it. Another one once the cache has grown."),
    text("credential", "The credentials: an access key id; for a console sign-in the id of its event. NULL where a response does not tell the key it handed out."),
    text("credential_kind", "long_term_key, temporary_key, console_login."),
    text("principal_key", "Whose they are, as `principal_key` of the events: the role's ARN, the user's."),
    text("arn", "The session's ARN, or the user's: useridentity.arn of who uses them."),
    text("session_name", "The session's name."),
    text("accountid", "The account that they belong to."),
    text("edge", "What ties them to where they came from: issued_key, shared_event_id, web_identity_token, created_key, console_login, sign_in_session, role_session, issued_to, forward_access, source_identity, created_password; roots are sign_in, long_term_key and unknown_issuer (the evidence does not cover it)."),
    text("sure", "How sure that tie is: certain (the records name it), likely, possible."),
    number("candidates", "How many events or credentials could be meant, this one included; 1 but for doubtful ties."),
    text("parent", "Where they came from: the `credential` of the parent, or the name of the identity provider, service, instance, function, task, account or user."),
    text("parent_kind", "What `parent` is: access_key, console_login, identity_provider, service, instance, function, task, account, user; NULL where it is unknown."),
    text("parent_principal", "Whose the parent is: `principal_key`, or the name at the identity provider."),
    number("parent_no", "`session_no` of the parent; NULL where the parent is none of the rows."),
    text("root", "The `credential` (else `eventid`) that the chain began with; its own where it came from no other credentials."),
    number("root_no", "`session_no` of that row: WHERE root_no = n gives a whole tree."),
    number("depth", "How many rows lie between it and the root, itself counted; 0 is a root."),
    text("eventid", "The event that issued them; of copies in several accounts the one that tells the caller. NULL where none is known. The columns up to `expiration` are that event's."),
    text("eventtime", "When they were issued, as the record writes it."),
    time("event_ts", "`eventtime` as a timestamp in UTC."),
    text("eventname", "By which call."),
    text("eventsource", "Of which service."),
    text("awsregion", "In which region."),
    text("recipientaccountid", "In whose trail the event is."),
    text("sourceipaddress", "From where they were asked for."),
    text("useragent", "With what agent."),
    time("expiration", "Until when they are good, as the response says."),
    text("sourceidentity", "The source identity of the session."),
    text("mfaauthenticated", "`true` or `false`: whether MFA was used, of the session or of the sign-in."),
    time("first_use", "The first event made with them; NULL where none is in the evidence."),
    time("last_use", "The last."),
    number("calls", "Events made with them. Where several accounts have a copy of one event, each counts."),
    number("denied", "Of these, how many were denied."),
    text("note", "What is odd: issued several times, used before it was issued, used by several principals, its own ancestor. NULL where nothing is."),
];

/// The schema.
pub(super) fn schema() -> SchemaRef {
    let fields = COLUMNS.iter().map(|column| Field::new(column.name, column.ty.arrow(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The rows `from` up to `to` in the columns of `schema`.
pub(super) fn batch(
    rows: &Rows,
    from: usize,
    to: usize,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let n_rows = to - from;
    let part: Vec<Row<'_>> = (from..to).filter_map(|at| Row::new(at, rows)).collect();
    let columns = schema.fields().iter().map(|field| array(field, &part)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn array(column: &Field, rows: &[Row<'_>]) -> ArrayRef {
    let name = column.name().as_str();
    match column.data_type() {
        DataType::Int64 => {
            let mut out = Int64Builder::with_capacity(rows.len());
            for row in rows {
                out.append_option(row.number(name));
            }
            Arc::new(out.finish())
        }
        DataType::Timestamp(..) => {
            let out = TimestampMicrosecondBuilder::with_capacity(rows.len());
            let mut out = out.with_data_type(column.data_type().clone());
            for row in rows {
                out.append_option(row.time(name));
            }
            Arc::new(out.finish())
        }
        _ => {
            let mut out = StringViewBuilder::new().with_deduplicate_strings();
            for row in rows {
                out.append_option(row.text(name));
            }
            Arc::new(out.finish())
        }
    }
}

/// A row with what it refers to.
struct Row<'a> {
    at: usize,
    link: &'a Link,
    root: Option<&'a Link>,
    used: Option<&'a Used>,
    issue: Option<&'a Issue>,
    life: Life,
    all: &'a Gathered,
}

impl<'a> Row<'a> {
    fn new(at: usize, rows: &'a Rows) -> Option<Self> {
        let (link, all) = (rows.links.get(at)?, &rows.all);
        let (used, issue) = (link.used(all), link.issue(all));
        let life = rows.lives.get(&at).copied();
        let life = life.or_else(|| Some(used?.life)).unwrap_or_default();
        let root = usize::try_from(link.root).ok().and_then(|root| rows.links.get(root));
        Some(Self { at, link, root, used, issue, life, all })
    }

    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let (link, texts) = (self.link, &self.all.texts);
        let id = |id: Option<Id>| Some(Cow::Owned(id?.spelled(texts)));
        let word = |word: &'static str| Some(Cow::Borrowed(word));
        match name {
            "credential" => return id(link.credential(self.all)),
            "credential_kind" => return word(link.kind.as_str()),
            "edge" => return word(link.tie.edge.as_str()),
            "sure" => return word(link.tie.sure.as_str()),
            "parent" => return id(link.tie.parent),
            "parent_kind" => return word(link.tie.origin.map(Origin::as_str)?),
            "root" => {
                let root = self.root?;
                let event = || root.issue(self.all)?.event_id;
                return id(root.credential(self.all).or_else(event));
            }
            "eventid" => return id(self.issue?.event_id),
            "eventtime" => {
                let issue = self.issue?;
                let spelling = texts.say(issue.rare(|rare| rare.time)).map(Cow::Borrowed);
                return spelling.or_else(|| issue.ts.spelled().map(Cow::Owned));
            }
            "principal_key" | "arn" | "accountid" => return self.principal(name),
            "session_name" => return self.session_name().map(Cow::Borrowed),
            "mfaauthenticated" => return self.mfa().map(Cow::Borrowed),
            "note" => return self.note().map(Cow::Owned),
            _ => {}
        }
        let of_issue = |part: fn(&Issue) -> Option<Text>| self.issue.and_then(part);
        let found = match name {
            "parent_principal" => link.tie.principal,
            "eventname" => of_issue(|issue| issue.name),
            "eventsource" => of_issue(|issue| issue.source),
            "awsregion" => of_issue(|issue| issue.region),
            "recipientaccountid" => of_issue(|issue| issue.recipient),
            "sourceipaddress" => of_issue(|issue| issue.address),
            "useragent" => of_issue(|issue| issue.agent),
            "sourceidentity" => {
                let used = self.used.and_then(|used| used.source_identity);
                used.or_else(|| of_issue(|issue| issue.rare(|rare| rare.source_identity)))
            }
            _ => None,
        };
        texts.say(found).map(Cow::Borrowed)
    }

    /// Whose the credentials are: by their use, else by what was asked for.
    fn principal(&self, name: &str) -> Option<Cow<'a, str>> {
        let texts = &self.all.texts;
        let say = |text: Option<Text>| texts.say(text).map(Cow::Borrowed);
        let spell = |name: Option<Name>| Some(Cow::Owned(name?.spelled(texts)));
        if let Some(used) = self.used {
            return match name {
                "principal_key" => say(used.principal),
                "arn" => spell(used.arn),
                _ => say(used.account),
            };
        }
        let issue = self.issue?;
        let (caller, is_login) = (&issue.caller, self.link.kind == Kind::ConsoleLogin);
        if let Some(user) = texts.say(issue.rare(|rare| rare.made_for))
            && name != "accountid"
        {
            let account = texts.say(issue.recipient)?;
            return Some(Cow::Owned(format!("arn:aws:iam::{account}:user/{user}")));
        }
        match name {
            "principal_key" if is_login => say(caller.principal),
            "arn" if is_login => spell(caller.arn),
            "principal_key" => {
                let session = || spell(issue.session);
                say(issue.role).or_else(session).or_else(|| say(caller.principal))
            }
            "arn" => spell(issue.session.or(caller.arn)),
            _ => say(issue.recipient),
        }
    }

    fn session_name(&self) -> Option<&'a str> {
        let texts = &self.all.texts;
        let used = self.used.filter(|used| {
            let arn = used.arn.map(|arn| arn.spelled(texts)).unwrap_or_default();
            arn.contains(":assumed-role/") || arn.contains(":federated-user/")
        });
        let of_use = used.and_then(|used| texts.say(used.arn?.tail));
        of_use.or_else(|| texts.say(self.issue?.session_name))
    }

    fn mfa(&self) -> Option<&'a str> {
        let used = self.used.and_then(|used| self.all.texts.say(used.mfa));
        let login = self.issue.and_then(|issue| issue.rare(|rare| rare.mfa));
        used.or_else(|| login.map(|mfa| if mfa { "true" } else { "false" }))
    }

    /// What is odd about it.
    fn note(&self) -> Option<String> {
        let (link, used) = (self.link, self.used);
        let mut odd = Vec::new();
        if link.is_circular {
            odd.push("its own ancestor".to_owned());
        }
        if link.is_reused {
            odd.push(format!("issued {} times", link.tie.candidates));
        }
        let is_early = used.zip(self.issue).is_some_and(|(used, issue)| is_early(used, issue));
        if is_early && !link.is_reused {
            odd.push("used before it was issued".to_owned());
        }
        if used.is_some_and(|used| used.marks.is_several) {
            odd.push("used by several principals".to_owned());
        }
        (!odd.is_empty()).then(|| odd.join("; "))
    }

    fn number(&self, name: &str) -> Option<i64> {
        let link = self.link;
        let no = |row: u32| i64::from(row) + 1;
        match name {
            "session_no" => i64::try_from(self.at + 1).ok(),
            "parent_no" => link.above.map(no),
            "root_no" => Some(no(link.root)),
            "depth" => Some(i64::from(link.depth)),
            "candidates" => Some(i64::from(link.tie.candidates)),
            "calls" => Some(i64::from(self.life.calls)),
            "denied" => Some(i64::from(self.life.denied)),
            _ => None,
        }
    }

    fn time(&self, name: &str) -> Option<i64> {
        match name {
            "first_use" => self.life.first.get(),
            "last_use" => self.life.last.get(),
            "expiration" => self.issue?.expiration.get(),
            _ => self.issue?.ts.get(),
        }
    }
}
