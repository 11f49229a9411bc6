//! The written case, and real logs.

use trailhound::pivots::trace::{Direction, TraceOptions};

use super::{Events, KEY};
use crate::support::{from_root, shared_data};

fn way(direction: Direction) -> TraceOptions {
    TraceOptions { direction, ..TraceOptions::default() }
}

/// The case of `testdata/README.md`: six keys in the intruder's hands.
#[test]
fn the_intruders_credentials_of_the_case_are_one_tree() {
    let events = Events::at(&from_root("testdata/case"));
    let text = events.text("ASIACYY45TSQ2EXAMPLE", TraceOptions::default());
    insta::assert_snapshot!("case_whole", text);
    for key in [
        KEY,
        "AKIAI44QH8DHBEXAMPLE",
        "ASIAJYOCXB7B7EXAMPLE",
        "ASIACYY45TSQ2EXAMPLE",
        "ASIAVN5525VUSEXAMPLE",
        "ASIAWJGM3C2L5EXAMPLE",
    ] {
        assert!(text.contains(key), "{key}");
    }
    insta::assert_snapshot!("case_up", events.text("ASIACYY45TSQ2EXAMPLE", way(Direction::Up)));
    insta::assert_snapshot!("case_down", events.text("svc-backup-agent", way(Direction::Down)));
    let trace = events.trace("ASIACYY45TSQ2EXAMPLE", way(Direction::Up));
    insta::assert_snapshot!("case_json", serde_json::to_string_pretty(&trace).unwrap());
    insta::assert_snapshot!("case_role", events.text("orders-service", TraceOptions::default()));
}

#[test]
fn a_window_keeps_what_lived_in_it_and_what_it_hangs_on() {
    let events = Events::at(&from_root("testdata/case"));
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let options =
        TraceOptions { since: Some(at("2024-05-14T09:00:00Z")), ..TraceOptions::default() };
    let text = events.text("AKIAI44QH8DHBEXAMPLE", options);
    assert!(text.contains(KEY) && text.contains("ASIAWJGM3C2L5EXAMPLE"), "{text}");
    assert!(!text.contains("ASIAJYOCXB7B7EXAMPLE"), "{text}");
    let options =
        TraceOptions { until: Some(at("2020-01-01T00:00:00Z")), ..TraceOptions::default() };
    let text = events.text(KEY, options);
    assert_eq!(text, "no credentials of AKIAIOSFODNN7EXAMPLE lived at that time\n");
}

/// All calls of role sessions lead to the event that issued their key.
#[test]
fn every_role_session_of_the_invictus_logs_has_its_issuer() {
    let name = "every_role_session_of_the_invictus_logs_has_its_issuer";
    let Some(data) = shared_data(name) else { return };
    let events = Events::at(&data.join("invictus"));
    let calls = events.lines(
        "SELECT s.edge, s.sure, count(*) AS n FROM cloudtrail_logs l \
         JOIN sessions s ON s.credential = l.useridentity.accesskeyid \
         WHERE l.useridentity.type = 'AssumedRole' AND s.eventid IS NOT NULL \
         AND s.parent IS NOT NULL GROUP BY 1, 2",
    );
    assert_eq!(calls, ["issued_key | certain | 70"]);
    // Console sessions to their sign-in, and services' keys to the calls that they served.
    let edges = events
        .lines("SELECT edge, sum(calls) AS n FROM sessions WHERE calls > 0 GROUP BY 1 ORDER BY 1");
    assert_eq!(
        edges,
        [
            "console_login | 217",
            "forward_access | 262",
            "issued_key | 70",
            "long_term_key | 2182",
            "unknown_issuer | 84",
        ]
    );
}
