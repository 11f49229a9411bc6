//! Evidence that is forged, odd, or far too much.

use serde_json::{Value, json};
use trailhound::pivots::trace::TraceOptions;

use super::{Events, KEY, event, issues, key, session, user};

#[test]
fn a_key_that_was_issued_twice_has_a_row_for_each_and_its_uses_in_between() {
    let bob = "AKIAI44QH8DHBEXAMPLE";
    let call = |n, time| {
        event(n, time, "ListBuckets", session("app", "eve", &key("1"), "01:00:00"), json!({}))
    };
    let events = Events::of(&[
        event(1, "01:00:00", "AssumeRole", user("eve", KEY), issues("app", "eve", &key("1"))),
        call(2, "01:10:00"),
        call(3, "01:20:00"),
        event(4, "03:00:00", "AssumeRole", user("bob", bob), issues("app", "eve", &key("1"))),
        call(5, "03:10:00"),
    ]);
    assert_eq!(
        events.lines("SELECT credential, sure, candidates, parent, calls, note FROM sessions WHERE depth = 1 ORDER BY session_no"),
        [
            "ASIA000000001EXAMPLE | likely | 2 | AKIAIOSFODNN7EXAMPLE | 2 | issued 2 times",
            "ASIA000000001EXAMPLE | likely | 2 | AKIAI44QH8DHBEXAMPLE | 1 | issued 2 times",
        ]
    );
    // It stands in the trees of both.
    assert_eq!(events.trace(&key("1"), TraceOptions::default()).trees.len(), 2);
}

#[test]
fn credentials_that_came_from_themselves_are_told() {
    let (one, two, three) = (key("1"), key("2"), key("3"));
    let call = |n, time, from: &str, to: &str| {
        event(
            n,
            time,
            "AssumeRole",
            session("app", "eve", from, "01:00:00"),
            issues("app", "eve", to),
        )
    };
    let events = Events::of(&[
        call(1, "01:00:00", &two, &one),
        call(2, "02:00:00", &one, &two),
        call(3, "03:00:00", &two, &three),
        call(4, "04:00:00", &three, &three),
    ]);
    assert_eq!(
        events.lines(
            "SELECT credential, parent, parent_no, root, depth, note FROM sessions ORDER BY 1, 2"
        ),
        [
            "ASIA000000001EXAMPLE | ASIA000000002EXAMPLE | - | ASIA000000001EXAMPLE | 0 | its own ancestor",
            "ASIA000000002EXAMPLE | ASIA000000001EXAMPLE | 1 | ASIA000000001EXAMPLE | 1 | its own ancestor; used before it was issued",
            "ASIA000000003EXAMPLE | ASIA000000002EXAMPLE | 2 | ASIA000000001EXAMPLE | 2 | issued 2 times",
            "ASIA000000003EXAMPLE | ASIA000000003EXAMPLE | 3 | ASIA000000001EXAMPLE | 3 | issued 2 times",
        ]
    );
    let text = events.text(&two, TraceOptions::default());
    assert!(text.contains("odd: its own ancestor"), "{text}");
}

#[test]
fn what_is_used_before_it_was_issued_or_by_several_is_told() {
    let call = |n, time, identity: Value| event(n, time, "ListBuckets", identity, json!({}));
    let events = Events::of(&[
        call(1, "00:30:00", session("app", "eve", &key("1"), "01:00:00")),
        event(2, "01:00:00", "AssumeRole", user("eve", KEY), issues("app", "eve", &key("1"))),
        call(3, "01:30:00", session("app", "bob", &key("2"), "01:00:00")),
        call(4, "01:40:00", session("db", "eve", &key("2"), "01:00:00")),
    ]);
    assert_eq!(
        events
            .lines("SELECT credential, sure, note FROM sessions WHERE note IS NOT NULL ORDER BY 1"),
        [
            "ASIA000000001EXAMPLE | possible | used before it was issued",
            "ASIA000000002EXAMPLE | certain | used by several principals",
        ]
    );
}

#[test]
fn ids_may_be_anything() {
    let events = Events::of(&[
        event(
            1,
            "01:00:00",
            "ListBuckets",
            user("eve", "AKIA****************"),
            json!({ "eventID": "no uuid" }),
        ),
        event(
            2,
            "01:10:00",
            "AssumeRole",
            user("eve", "é'\u{1b}[2J"),
            issues("app", "x\u{202e}y", ""),
        ),
        event(3, "01:20:00", "AssumeRole", user("eve", ""), issues("app", "eve", &key("1"))),
    ]);
    assert_eq!(
        events.lines("SELECT credential, parent_kind, parent FROM sessions ORDER BY session_no"),
        [
            "AKIA**************** | - | -",
            "é'\u{1b}[2J | - | -",
            "- | access_key | é'\u{1b}[2J",
            "ASIA000000001EXAMPLE | user | arn:aws:iam::111122223333:user/eve",
        ]
    );
    let text = events.text("é'\u{1b}[2J", TraceOptions::default());
    assert!(text.contains("é'\\x1b[2J") && text.contains("x\\u{202e}y"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_chain_of_thousands_is_followed() {
    let n = 3_000;
    let link = |at: u32| {
        let from = if at == 0 { KEY.to_owned() } else { key(&at.to_string()) };
        let time = format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60);
        event(
            at,
            &time,
            "AssumeRole",
            session("app", "eve", &from, "00:00:00"),
            issues("app", "eve", &key(&(at + 1).to_string())),
        )
    };
    let events = Events::of(&(0..n).map(link).collect::<Vec<_>>());
    assert_eq!(
        events.lines("SELECT max(depth), count(DISTINCT root) FROM sessions"),
        [format!("{n} | 1")]
    );
    let trace = events.trace(&key("17"), TraceOptions::default());
    assert_eq!((trace.credentials, trace.trees.len()), (u64::from(n) + 1, 1));
    let text = events.text(&key("17"), TraceOptions::default());
    assert!(text.contains("(17) ") && text.contains('◀'), "{text}");
    serde_json::to_string(&trace).unwrap();
}

#[test]
fn what_is_alike_is_folded_and_counted() {
    let one = |at: u32| {
        let time = format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60);
        event(
            at,
            &time,
            "AssumeRole",
            user("ci", KEY),
            issues("deploy", &format!("run-{at}"), &key(&at.to_string())),
        )
    };
    let mut all: Vec<Value> = (0..2_000).map(one).collect();
    all.push(event(
        5_000,
        "10:00:00",
        "CreateUser",
        session("deploy", "run-7", &key("7"), "00:00:07"),
        json!({ "readOnly": false }),
    ));
    let events = Events::of(&all);
    let down = events.text(KEY, TraceOptions::default());
    assert!(down.contains("2 000 credentials · role/deploy · session run-*"), "{down}");
    assert!(down.lines().count() < 15, "{down}");
    // The one that is asked for stands by itself, beside the others.
    let up = events.text(&key("7"), TraceOptions::default());
    assert!(
        up.contains("ASIA000000007EXAMPLE · role/deploy · session run-7 · 111122223333  ◀"),
        "{up}"
    );
    assert!(up.contains("1 999 credentials") && up.contains("changed: iam:CreateUser"), "{up}");
}

#[test]
fn what_is_nowhere_is_told_with_what_is_near() {
    let events =
        Events::of(&[event(1, "01:00:00", "ListBuckets", user("ci-deployer", KEY), json!({}))]);
    let trace = events.trace("ci-deploier", TraceOptions::default());
    assert_eq!(trace.near, ["arn:aws:iam::111122223333:user/ci-deployer"]);
    let text = events.text("AKIAIOSFODNN7EXAMPLX", TraceOptions::default());
    assert!(text.contains("near: AKIAIOSFODNN7EXAMPLE"), "{text}");
    assert_eq!(events.trace("ci-deployer", TraceOptions::default()).found, 1);
}
