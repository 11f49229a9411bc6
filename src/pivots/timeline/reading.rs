//! Readings of an event that are more than a value at a path: ports, ranges, who a policy allows.

use serde_json::Value;

use super::{
    phrase::{Path, Root},
    record::Event,
};

/// The most values of a list that are named.
const MOST_NAMED: usize = 3;

/// The most characters of a value that are shown: names and ids are shorter.
const MOST_CHARACTERS: usize = 160;

/// What `path` leads to, in words; nothing where it leads nowhere.
pub(super) fn read(event: &Event<'_>, path: &Path) -> Option<String> {
    listed(words(event, path))
}

/// The same, value by value.
pub(super) fn words(event: &Event<'_>, path: &Path) -> Vec<String> {
    match path.reading.as_deref() {
        None if path.root == Root::Event => {
            part_of(event, path).map(|text| name(event, text)).into_iter().collect()
        }
        None => plain(event, path),
        Some("ports") => ports(event),
        Some("ranges") => ranges(event),
        Some("principals") => principals(event, path),
        Some("switches") => switches(event, path),
        Some(_) => Vec::new(),
    }
}

/// Whether there is `value`, or anything, where `path` leads to.
pub(super) fn holds(event: &Event<'_>, path: &Path, value: Option<&str>) -> bool {
    let found: Vec<String> = if path.root == Root::Event {
        part_of(event, path).map(str::to_owned).into_iter().collect()
    } else {
        event.values(path).into_iter().filter_map(text_of).collect()
    };
    match value {
        Some(value) => found.iter().any(|found| found.eq_ignore_ascii_case(value)),
        None => !found.is_empty() || event.values(path).iter().any(|value| is_something(value)),
    }
}

fn part_of<'e>(event: &Event<'e>, path: &Path) -> Option<&'e str> {
    path.steps.first().and_then(|step| event.get(step))
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

fn plain(event: &Event<'_>, path: &Path) -> Vec<String> {
    let texts = event.values(path).into_iter().filter_map(text_of);
    texts.filter(|text| !text.is_empty()).map(|text| name(event, &text)).collect()
}

/// A scalar as text, or the text that XML left within an object.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Object(members) => members.get("content").and_then(text_of),
        Value::Array(items) => match items.as_slice() {
            [one] => text_of(one),
            _ => None,
        },
        Value::Null => None,
    }
}

/// A value as it is named: what an ARN of the event's own account names is named without it, and
/// what could be taken for our words is put in quotes.
fn name(event: &Event<'_>, text: &str) -> String {
    let short = short_arn(event.get("account"), text);
    if let Some((root, None)) = &short
        && text.ends_with(":root")
    {
        return root.clone();
    }
    let text = short.as_ref().map_or(text, |(name, _)| name.as_str());
    let cut: String = text.chars().take(MOST_CHARACTERS).collect();
    let cut = if cut.len() < text.len() { cut + "…" } else { cut };
    let is_plain = !cut.is_empty()
        && !cut.contains(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | ';' | '`'))
        && !cut.ends_with(':');
    let quoted = if is_plain {
        cut
    } else {
        format!("\"{}\"", cut.replace('\\', "\\\\").replace('"', "\\\""))
    };
    match short.and_then(|(_, account)| account) {
        Some(account) => format!("{quoted} of account {account}"),
        None => quoted,
    }
}

/// What an ARN names, and the account it is of where that is another than `own`.
fn short_arn(own: Option<&str>, text: &str) -> Option<(String, Option<String>)> {
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
    let (_partition, service) = (parts.next()?, parts.next()?);
    let (_region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if service == "s3" {
        return Some((resource.to_owned(), None));
    }
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_account && !account.is_empty() && account != "aws" {
        return None;
    }
    let of = Some(account).filter(|account| is_account && Some(*account) != own).map(str::to_owned);
    if resource == "root" {
        return Some((format!("account {account}"), None));
    }
    let name = match resource.split_once(['/', ':']) {
        // Paths of roles and policies say little, and `assumed-role/R/S` is named whole.
        Some(("role" | "policy" | "user" | "group", path)) => path.rsplit('/').next()?,
        Some((_, name)) => name,
        None => resource,
    };
    if name.is_empty() {
        return None;
    }
    Some((name.to_owned(), of))
}

/// `a, b and c`, `a, b, c and 5 more`; each once.
pub(super) fn listed(mut words: Vec<String>) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    words.retain(|word| seen.insert(word.clone()));
    let n_more = words.len().saturating_sub(MOST_NAMED);
    // One more takes no more room than saying so.
    if n_more > 1 {
        words.truncate(MOST_NAMED);
        return Some(format!("{} and {n_more} more", words.join(", ")));
    }
    let last = words.pop()?;
    if words.is_empty() { Some(last) } else { Some(format!("{} and {last}", words.join(", "))) }
}

fn steps(root: Root, text: &str) -> Path {
    Path { root, steps: text.split('.').map(str::to_owned).collect(), reading: None }
}

/// The rules of a security group call: within `ipPermissions`, or the call's own members.
fn rules<'e>(event: &'e Event<'_>) -> Vec<&'e Value> {
    let listed = event.values(&steps(Root::Request, "ipPermissions.items.[]"));
    if listed.is_empty() { event.document(Root::Request).into_iter().collect() } else { listed }
}

/// `port 22`, `ports 8000–8100 and UDP port 53`, `all ports`.
fn ports(event: &Event<'_>) -> Vec<String> {
    let port = |rule: &Value, name: &str| rule.get(name).and_then(Value::as_i64);
    let mut words = Vec::new();
    for rule in rules(event) {
        let protocol = rule.get("ipProtocol").and_then(text_of).unwrap_or_default();
        let kind = match protocol.as_str() {
            "tcp" | "6" | "" => String::new(),
            "udp" | "17" => "UDP ".to_owned(),
            "-1" => {
                words.push("all ports".to_owned());
                continue;
            }
            "icmp" | "icmpv6" | "1" | "58" => {
                words.push("ICMP".to_owned());
                continue;
            }
            other => format!("{} ", name(event, other)),
        };
        words.push(match (port(rule, "fromPort"), port(rule, "toPort")) {
            (Some(0), Some(65535)) | (None, _) => format!("all {kind}ports"),
            (Some(from), Some(to)) if from != to => format!("{kind}ports {from}–{to}"),
            (Some(from), _) => format!("{kind}port {from}"),
        });
    }
    words
}

/// The networks and groups that the rules of a security group call name.
fn ranges(event: &Event<'_>) -> Vec<String> {
    const PLACES: [&str; 7] = [
        "ipRanges.items.[].cidrIp",
        "ipv6Ranges.items.[].cidrIpv6",
        "groups.items.[].groupId",
        "groups.items.[].groupName",
        "prefixListIds.items.[].prefixListId",
        "cidrIp",
        "sourceSecurityGroupName",
    ];
    let mut words = Vec::new();
    for rule in rules(event) {
        for place in PLACES {
            let mut found = vec![rule];
            for step in place.split('.') {
                found = found
                    .into_iter()
                    .flat_map(|value| super::record::follow(value, step))
                    .collect();
            }
            words.extend(found.into_iter().filter_map(text_of).map(|text| name(event, &text)));
        }
    }
    if words.is_empty() { vec!["no network".to_owned()] } else { words }
}

/// Whom the Allow statements of a policy document name; the document is an object or its text.
fn principals(event: &Event<'_>, path: &Path) -> Vec<String> {
    let plain = Path { reading: None, ..path.clone() };
    let mut words = Vec::new();
    for document in event.values(&plain) {
        let parsed = document.as_str().map(|text| {
            let text = if text.starts_with('%') { decoded(text) } else { text.to_owned() };
            serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)
        });
        let document = parsed.as_ref().unwrap_or(document);
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        for statement in statements {
            if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
                continue;
            }
            if statement.get("NotPrincipal").is_some() {
                words.push("everybody but those it excludes".to_owned());
            }
            named_in(event, statement.get("Principal"), &mut words);
        }
    }
    words
}

fn named_in(event: &Event<'_>, principal: Option<&Value>, words: &mut Vec<String>) {
    match principal {
        Some(Value::String(text)) if text == "*" => words.push("everybody".to_owned()),
        Some(Value::String(text)) => words.push(name(event, text)),
        Some(Value::Array(items)) => {
            for item in items {
                named_in(event, Some(item), words);
            }
        }
        Some(Value::Object(members)) => {
            for value in members.values() {
                named_in(event, Some(value), words);
            }
        }
        _ => {}
    }
}

/// URL-encoded text, as old events have policies.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits: Vec<u8> = rest.by_ref().take(2).collect();
        let code = std::str::from_utf8(&digits).ok().and_then(|d| u8::from_str_radix(d, 16).ok());
        bytes.extend(code);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The members of an object that are true or false: `BlockPublicAcls off`.
fn switches(event: &Event<'_>, path: &Path) -> Vec<String> {
    let plain = Path { reading: None, ..path.clone() };
    let mut words = Vec::new();
    for value in event.values(&plain) {
        let Value::Object(members) = value else { continue };
        for (member, value) in members {
            match text_of(value).as_deref() {
                Some("true") => words.push(format!("{} on", name(event, member))),
                Some("false") => words.push(format!("{} off", name(event, member))),
                _ => {}
            }
        }
    }
    words
}
