//! What a dossier is about: the kinds of subjects, and the condition that chooses their events.

use std::net::IpAddr;

use crate::{ErrorKind, Result, queries::Kind as Type};

/// The longest value that is looked for, in bytes.
const MAX_VALUE_BYTES: usize = 64 << 10;

/// The kinds of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A caller: an ARN, a principal id, a user, role or session name, an account, a service.
    Who,
    /// An address, a network, or what stands in an address's place.
    Ip,
    /// An API of a service.
    Api,
    /// An access key.
    Key,
    /// What was acted on: an ARN, a name, an id.
    Resource,
}

impl Kind {
    /// The word for it, which is its command's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::Ip => "ip",
            Self::Api => "api",
            Self::Key => "key",
            Self::Resource => "resource",
        }
    }
}

/// A value as SQL: its parameters' names and literals.
pub(super) type Parameters = Vec<(String, String)>;

/// What a dossier is about.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(super) kind: Kind,
    /// The value, without white space around it.
    pub(super) value: String,
    /// What the value is taken for, in a few words.
    pub(super) read_as: &'static str,
    /// True of the subject's events in SQL; of a resource's of more, see [`Self::needle`].
    pub(super) condition: String,
    pub(super) parameters: Parameters,
    /// What a resource's events hold; judged row by row.
    pub(super) needle: Option<Needle>,
    /// A narrower condition that tells coverage what is asked for.
    pub(super) asks: Option<String>,
}

/// A resource as events name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    /// What stands as a value of its own anywhere in the parameters or the response, and as an
    /// ARN or at its end.
    pub(super) text: String,
    /// For an ARN: the name at its end, with the service and the account whose events mean it.
    pub(super) local: Option<Local>,
}

/// A name that means a resource within its own service and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) account: Option<String>,
}

impl Subject {
    /// What `value` means to the pivot `kind`.
    ///
    /// # Errors
    /// It cannot be one: it is empty, no network, no name of an API.
    pub fn parse(kind: Kind, value: &str) -> Result<Self> {
        let value = value.trim();
        check(kind.word(), value)?;
        match kind {
            Kind::Who => Ok(who(value)),
            Kind::Ip => ip(value),
            Kind::Api => api(value),
            Kind::Key => {
                Ok(plain(Kind::Key, value, "access key", "useridentity.accesskeyid = :value"))
            }
            Kind::Resource => Ok(resource(value)),
        }
    }
}

/// Refuses what can be no value.
///
/// # Errors
/// It is empty, or longer than anything in a log.
pub(super) fn check(name: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        return Err(invalid(name, value, "expected a value to look for".to_owned()));
    }
    if value.len() > MAX_VALUE_BYTES {
        let start: String = value.chars().take(40).collect();
        return Err(invalid(name, &format!("{start}…"), "it is longer than 64 KiB".to_owned()));
    }
    Ok(())
}

fn invalid(name: &str, value: &str, reason: String) -> crate::Error {
    ErrorKind::Value { name: name.to_owned(), value: value.to_owned(), reason }.into()
}

/// `value` as a literal of SQL.
pub(super) fn literal(value: &str) -> String {
    // Every text is a value of this type.
    Type::Varchar.literal(value).unwrap_or_default()
}

fn parameter(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), literal(value))
}

/// `value` for LIKE, in which it stands for itself; the escape is a backslash.
pub(super) fn like(value: &str) -> String {
    let mut pattern = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn plain(kind: Kind, value: &str, read_as: &'static str, condition: &str) -> Subject {
    Subject {
        kind,
        value: value.to_owned(),
        read_as,
        condition: condition.to_owned(),
        parameters: vec![parameter("value", value)],
        needle: None,
        asks: None,
    }
}

/// A caller. Each form is looked for where it stands, so that ARNs are found by bloom filters.
fn who(value: &str) -> Subject {
    if value.starts_with("arn:") {
        // Sessions have an ARN of their own; all else is told by the issuer's.
        return if value.contains(":sts:") {
            plain(Kind::Who, value, "session", "useridentity.arn = :value")
        } else {
            plain(Kind::Who, value, "principal", "principal_key = :value")
        };
    }
    if is_account(value) {
        return plain(Kind::Who, value, "account", "actor_account = :value");
    }
    if is_principal_id(value) {
        let mut subject = plain(
            Kind::Who,
            value,
            "principal id",
            "(useridentity.principalid = :value OR useridentity.principalid LIKE :within ESCAPE '\\')",
        );
        subject.parameters.push(parameter("within", &format!("{}:%", like(value))));
        return subject;
    }
    let (read_as, condition, within) = if value.contains(".amazonaws.com") {
        ("service", "(principal_key = :value OR principal_key LIKE :within ESCAPE '\\')", "|")
    } else {
        (
            "name",
            "(principal_key = :value OR principal_key LIKE :within ESCAPE '\\' \
             OR session_name = :value OR useridentity.username = :value)",
            "/",
        )
    };
    let mut subject = plain(Kind::Who, value, read_as, condition);
    subject.parameters.push(parameter("within", &format!("%{within}{}", like(value))));
    subject
}

/// Twelve digits.
pub(super) fn is_account(value: &str) -> bool {
    value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// `AIDA…`, `AROA…` and their kin, with a session's name or without.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
fn is_principal_id(value: &str) -> bool {
    let id = value.split_once(':').map_or(value, |(id, _)| id);
    ["AIDA", "AROA", "AGPA", "ANPA"].iter().any(|prefix| id.starts_with(prefix))
        && id.len() >= 16
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether `value` looks like an access key's id.
pub(super) fn is_key(value: &str) -> bool {
    ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|prefix| value.starts_with(prefix))
        && value.len() >= 16
        && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn ip(value: &str) -> Result<Subject> {
    if let Some((address, length)) = value.split_once('/') {
        let expected =
            || invalid("ip", value, "expected a network such as 203.0.113.0/24".to_owned());
        let address: IpAddr = address.parse().map_err(|_not_an_address| expected())?;
        let length: u32 = length.parse().map_err(|_not_a_number| expected())?;
        if length > if address.is_ipv4() { 32 } else { 128 } {
            return Err(expected());
        }
        let mut subject = plain(
            Kind::Ip,
            value,
            "network",
            "src_ip IS NOT NULL AND contains(:value, CAST(src_ip AS IPADDRESS))",
        );
        subject.parameters = vec![parameter("value", &format!("{address}/{length}"))];
        return Ok(subject);
    }
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Ok(plain(Kind::Ip, value, "address", "sourceipaddress = :value")),
        // The log may spell it otherwise; `src_ip` has one spelling.
        Ok(IpAddr::V6(address)) => {
            let mut subject = plain(Kind::Ip, value, "address", "src_ip = :value");
            subject.parameters = vec![parameter("value", &address.to_string())];
            Ok(subject)
        }
        // `ec2.amazonaws.com`, `AWS Internal`.
        Err(_) => Ok(plain(Kind::Ip, value, "source", "sourceipaddress = :value")),
    }
}

/// `CreateAccessKey`, `iam:CreateAccessKey`, `iam.amazonaws.com CreateAccessKey`, `iam:*`.
fn api(value: &str) -> Result<Subject> {
    let expected = || {
        let reason = "expected an API such as CreateAccessKey, iam:CreateAccessKey, iam:* or \
                      iam.amazonaws.com CreateAccessKey";
        invalid("api", value, reason.to_owned())
    };
    let parts: Vec<&str> = value
        .split(|c: char| c == ':' || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    let (service, name) = match *parts.as_slice() {
        [service] if service.ends_with(".amazonaws.com") => (Some(service), None),
        [name] => (None, Some(name)),
        [service, "*"] => (Some(service), None),
        [service, name] => (Some(service), Some(name)),
        _ => return Err(expected()),
    };
    let source = service.map(|service| {
        if service.contains('.') { service.to_owned() } else { format!("{service}.amazonaws.com") }
    });
    let mut subject = plain(Kind::Api, value, "API", "");
    let (mut conditions, mut asks) = (Vec::new(), Vec::new());
    subject.parameters.clear();
    if let Some(source) = &source {
        conditions.push("eventsource = :source");
        asks.push("eventsource = :source");
        subject.parameters.push(parameter("source", source));
    }
    if let Some(name) = name.filter(|name| *name != "*") {
        // A name without the API's version stands for all versions.
        conditions.push("(event_name_base = :name OR eventname = :name)");
        asks.push("eventname = :name");
        subject.parameters.push(parameter("name", name));
    } else {
        subject.read_as = "service";
    }
    if conditions.is_empty() {
        return Err(expected());
    }
    subject.condition = conditions.join(" AND ");
    subject.asks = Some(asks.join(" AND "));
    Ok(subject)
}

/// A resource: rows that may hold it are chosen in SQL, by the text in quotes as JSON has it; each
/// is then judged by its parsed values. A text with a backslash may spell the value otherwise.
fn resource(value: &str) -> Subject {
    let local = local(value);
    let names: Vec<&str> = [Some(value), local.as_ref().map(|local| local.name.as_str())]
        .into_iter()
        .flatten()
        .collect();
    let mut parameters = vec![
        parameter("value", value),
        parameter("colon", &format!("%:{}", like(value))),
        parameter("slash", &format!("%/{}", like(value))),
    ];
    let mut conditions = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let key = format!("json{place}");
        for column in ["requestparameters", "responseelements"] {
            conditions.push(format!("strpos({column}, :{key}) > 0"));
        }
        parameters.push(parameter(&key, &format!("\"{name}\"")));
    }
    for column in ["requestparameters", "responseelements"] {
        conditions.push(format!("strpos({column}, :backslash) > 0"));
    }
    parameters.push(parameter("backslash", "\\"));
    conditions.push(
        "any_match(resources, r -> r.arn = :value OR r.arn LIKE :colon ESCAPE '\\' \
         OR r.arn LIKE :slash ESCAPE '\\')"
            .to_owned(),
    );
    Subject {
        kind: Kind::Resource,
        value: value.to_owned(),
        read_as: if value.starts_with("arn:") { "ARN" } else { "name" },
        condition: format!("({})", conditions.join(" OR ")),
        parameters,
        needle: Some(Needle { text: value.to_owned(), local }),
        asks: None,
    }
}

/// What an ARN's own service calls it: `arn:aws:iam::A:user/path/bob` is `bob` to IAM in account A.
fn local(value: &str) -> Option<Local> {
    let mut parts = value.splitn(6, ':');
    let (Some("arn"), Some(_), Some(service), Some(_), Some(account), Some(rest)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    // An S3 object's name alone says nothing without its bucket.
    if service == "s3" && rest.contains('/') {
        return None;
    }
    let name = rest.rsplit(['/', ':']).next().filter(|name| !name.is_empty() && *name != "*")?;
    Some(Local {
        name: name.to_owned(),
        source: format!("{service}.amazonaws.com"),
        account: Some(account.to_owned()).filter(|account| is_account(account)),
    })
}
