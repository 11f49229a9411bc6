//! The table of plain words is whole, and its verbs have a past.

use std::{collections::BTreeSet, sync::Arc};

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::{
    Words,
    fold::Fold,
    line::{Line, Telling},
    phrase::{Mark, Part, Phrases},
    reading::listed,
    record::{COLUMNS, DOCUMENTS, Rows},
    words::past,
};

/// An event with these columns; a document is named as in [`DOCUMENTS`].
fn batch(events: &[&[(&str, &str)]]) -> RecordBatch {
    let names = COLUMNS.iter().map(|(name, _)| *name).chain(DOCUMENTS);
    let column = |name: &str| -> ArrayRef {
        let value = |event: &&[(&str, &str)]| {
            event.iter().find(|(column, _)| *column == name).map(|(_, value)| (*value).to_owned())
        };
        Arc::new(events.iter().map(value).collect::<StringArray>())
    };
    RecordBatch::try_from_iter_with_nullable(names.map(|name| (name, column(name), true))).unwrap()
}

/// What the timeline says of events.
fn told(events: &[&[(&str, &str)]]) -> Vec<String> {
    let batch = batch(events);
    let rows = Rows::new(&batch).unwrap();
    let (mut fold, mut lines) = (Fold::default(), Vec::new());
    for event in rows.events() {
        if let Some(telling) = Telling::of(&event, false) {
            fold.push(telling, true, &mut lines);
        }
    }
    fold.finish(&mut lines);
    lines.iter().map(Line::message).collect()
}

fn said(event: &[(&str, &str)]) -> String {
    told(&[event]).concat()
}

#[test]
fn every_line_of_the_table_is_read() {
    let table = Phrases::table();
    assert_eq!(table.faults(), <[String; 0]>::default());
    assert!(table.all().count() > 700, "{}", table.all().count());
}

#[test]
fn phrases_are_written_alike() {
    for (service, name, phrase) in table_in_order() {
        let place = format!("{service} {name}");
        assert!(name.starts_with(|c: char| c.is_ascii_uppercase()) || name.len() > 1, "{place}");
        assert!(phrase.verb.chars().all(|c| c.is_ascii_lowercase()), "{place}: {}", phrase.verb);
        let text = format!("{:?}", phrase.parts);
        assert!(!text.contains("  "), "{place}: two spaces");
        assert!(!matches!(phrase.parts.last(), Some(Part::Words(w)) if w.ends_with([' ', '.'])));
        // The last of several is for all other calls, or the table says too little of them.
        let last = Phrases::table().of(service, name).last().unwrap();
        let needs = last.conditions.is_empty();
        let reads = last.mark == Mark::Always;
        assert!(
            needs || reads || is_left_to_its_name(name),
            "{place}: no phrase without conditions"
        );
    }
}

/// Names for which the phrase made of the name says enough of other calls.
fn is_left_to_its_name(name: &str) -> bool {
    name.starts_with("Modify") && name.ends_with("Attribute")
}

fn table_in_order() -> Vec<(&'static str, &'static str, &'static super::phrase::Phrase)> {
    let mut all: Vec<_> = Phrases::table().all().collect();
    all.sort_by_key(|(service, name, _)| (*service, *name));
    all
}

#[test]
fn every_verb_has_a_past() {
    let verbs: BTreeSet<&str> = table_in_order().iter().map(|(_, _, p)| p.verb.as_str()).collect();
    let pasts: Vec<String> = verbs.iter().map(|verb| past(verb)).collect();
    insta::assert_snapshot!(pasts.join(" "));
}

const BOB: &[(&str, &str)] = &[
    ("micros", "1.71565e15"),
    ("type", "IAMUser"),
    ("username", "bob"),
    ("account", "111122223333"),
    ("outcome", "ok"),
    ("is_write", "true"),
];

fn by_bob<'a>(event: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    event.iter().copied().chain(BOB.iter().copied()).collect()
}

fn call<'a>(service: &'a str, name: &'a str, request: &'a str) -> Vec<(&'a str, &'a str)> {
    by_bob(&[
        ("service", service),
        ("eventname", name),
        ("name", name),
        ("requestparameters", request),
    ])
}

#[test]
fn calls_are_told_in_plain_words() {
    for (service, name, request, expected) in [
        ("iam", "CreateUser", r#"{"userName":"eve"}"#, "created user eve"),
        (
            "iam",
            "UpdateAccessKey",
            r#"{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","status":"Inactive"}"#,
            "deactivated access key AKIAIOSFODNN7EXAMPLE",
        ),
        (
            "iam",
            "AttachRolePolicy",
            r#"{"roleName":"r","policyArn":"arn:aws:iam::444455556666:policy/team/p"}"#,
            "attached policy p of account 444455556666 to role r",
        ),
        (
            "ec2",
            "ModifySnapshotAttribute",
            r#"{"snapshotId":"snap-1","createVolumePermission":{"add":{"items":[{"group":"all"}]}}}"#,
            "made snapshot snap-1 public",
        ),
        (
            "ec2",
            "AuthorizeSecurityGroupIngress",
            r#"{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":8000,
              "toPort":8100,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},
              "ipv6Ranges":{"items":[{"cidrIpv6":"::/0"}]}},{"ipProtocol":"-1",
              "groups":{"items":[{"groupId":"sg-2"}]}}]}}"#,
            "opened ports 8000–8100 and all ports of sg-1 to 0.0.0.0/0, ::/0 and sg-2",
        ),
        (
            "ec2",
            "DeleteFlowLogs",
            r#"{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-1"}}}"#,
            "deleted flow logs fl-1",
        ),
        (
            "s3",
            "PutBucketPolicy",
            r#"{"bucketName":"b","bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":"*"},
              {"Effect":"Deny","Principal":{"AWS":"111122223333"}}]}}"#,
            "changed the policy of bucket b: allows everybody",
        ),
        (
            "iam",
            "UpdateAssumeRolePolicy",
            r#"{"roleName":"r","policyDocument":"%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Aroot%22%7D%7D%7D"}"#,
            "changed who may assume role r: now account 123456789012",
        ),
        // What no phrase knows.
        ("rds", "CreateDBProxy", r#"{"dBProxyName":"p"}"#, "created DB proxy p"),
        ("foo", "StopAllVpcThings", "{}", "stopped all VPC things (foo)"),
        ("foo", "Frobnicate", "null", "called Frobnicate of foo"),
    ] {
        assert_eq!(said(&call(service, name, request)), expected, "{name}");
    }
}

#[test]
fn names_cannot_pass_for_our_words() {
    let request = r#"{"userName":"x for user admin: denied by a \"policy\""}"#;
    let told = said(&call("iam", "DeleteUser", request));
    assert_eq!(told, r#"deleted user "x for user admin: denied by a \"policy\"""#);
}

#[test]
fn what_failed_is_said_to_have_been_tried() {
    let mut event = call("s3", "GetObject", r#"{"bucketName":"b","key":"k"}"#);
    event.splice(0..0, [("outcome", "denied"), ("deny_type", "service control policy")]);
    let tried = "tried to read object k of bucket b: denied by a service control policy";
    assert_eq!(said(&event), tried);
    event.insert(0, ("deny_explicit", "false"));
    assert!(said(&event).ends_with(": denied, as no service control policy allows it"));
    event.splice(0..0, [("outcome", "error"), ("errorcode", "NoSuchKey")]);
    assert_eq!(said(&event), "tried to read object k of bucket b: failed (NoSuchKey)");
}

#[test]
fn bursts_are_one_line_and_gaps_part_them() {
    let keys: Vec<String> =
        (0..5).map(|n| format!(r#"{{"bucketName":"b","key":"k{n}"}}"#)).collect();
    let times: Vec<String> = [0, 60, 120, 180, 1200]
        .map(|s| (1_715_650_000_000_000_i64 + s * 1_000_000).to_string())
        .to_vec();
    let events: Vec<Vec<(&str, &str)>> = std::iter::zip(&keys, &times)
        .map(|(key, time)| {
            let mut event = call("s3", "GetObject", key);
            event.splice(0..0, [("micros", time.as_str()), ("is_write", "false")]);
            event.push(("additionaleventdata", r#"{"bytesTransferredOut":1000000}"#));
            event
        })
        .collect();
    let events: Vec<&[(&str, &str)]> = events.iter().map(Vec::as_slice).collect();
    assert_eq!(
        told(&events),
        [
            "read 4 objects of bucket b: k0, k1, k2 and k3, 4.0 MB, 01:26–01:29",
            "read object k4 of bucket b, 1.0 MB"
        ]
    );
    let same: Vec<&[(&str, &str)]> = vec![events[0]; 3];
    assert_eq!(told(&same), ["read object k0 of bucket b (3 times), 3.0 MB"]);
}

#[test]
fn what_waits_is_bounded() {
    let requests: Vec<String> =
        (0..9000).map(|n| format!(r#"{{"userName":"u","policyName":"p","n":{n}}}"#)).collect();
    let names: Vec<String> = (0..9000).map(|n| format!("role{n}")).collect();
    let events: Vec<Vec<(&str, &str)>> = std::iter::zip(&requests, &names)
        .map(|(request, name)| {
            let mut event = call("iam", "PutUserPolicy", request);
            event.insert(0, ("username", name));
            event
        })
        .collect();
    let events: Vec<&[(&str, &str)]> = events.iter().map(Vec::as_slice).collect();
    let batch = batch(&events);
    let rows = Rows::new(&batch).unwrap();
    let (mut fold, mut lines) = (Fold::default(), Vec::new());
    for event in rows.events() {
        fold.push(Telling::of(&event, false).unwrap(), true, &mut lines);
    }
    assert!(lines.len() > 4000, "{} of 9000 at the same time went", lines.len());
    fold.finish(&mut lines);
    assert_eq!(lines.len(), 9000);
}

#[test]
fn the_words_of_the_prompt_are_those_of_the_command_line() {
    let read = |text: &str| {
        Words::read(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .map_err(|e| e.to_string())
    };
    let words = read("bob --since 2024-05-14 203.0.113.7 --all").unwrap();
    assert_eq!(words.options.subjects, ["bob", "203.0.113.7"]);
    assert!(words.options.everything && !words.options.unfolded);
    assert_eq!(words.options.since, Some(1_715_644_800_000_000));
    let words = read("--query access_key_activity key=a=b --no-fold").unwrap();
    assert_eq!(words.query.unwrap().1, [("key".to_owned(), "a=b".to_owned())]);
    assert!(words.options.unfolded && words.options.subjects.is_empty());
    assert!(read("--query q bob").unwrap_err().contains("key=value"));
    assert!(read("--until never").unwrap_err().contains("expected a time"));
    assert!(read("--since").unwrap_err().contains("it takes a value"));
    assert!(read("--everything").unwrap_err().contains("expected --query"));
}

#[test]
fn lists_name_three_and_count_the_rest() {
    let list = |n: usize| listed((0..n).map(|n| n.to_string()).collect()).unwrap_or_default();
    assert_eq!(
        [0, 1, 2, 4, 9].map(list),
        ["", "0", "0 and 1", "0, 1, 2 and 3", "0, 1, 2 and 6 more"]
    );
}
