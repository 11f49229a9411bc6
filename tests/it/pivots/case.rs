//! The written case, whose answers `testdata/README.md` tells.

use trailhound::pivots::dossier::{DossierOptions, Kind, Window};

use super::{OPTIONS, case, event_text, spread, text, values};
use crate::support::{expected_counts, literals};

#[test]
fn a_caller_by_name() {
    let dossier = case().dossier(Kind::Who, "ci-deployer");
    insta::assert_snapshot!("who_80", text(&dossier, 80));
    insta::assert_snapshot!("who_140", text(&dossier, 140));
    insta::assert_snapshot!("who_json", spread(&dossier));
}

#[test]
fn an_address() {
    let dossier = case().dossier(Kind::Ip, "203.0.113.77");
    insta::assert_snapshot!("ip_80", text(&dossier, 80));
    let options = DossierOptions { top: 2, ..OPTIONS };
    insta::assert_snapshot!(
        "ip_json",
        spread(&case().told(Kind::Ip, "203.0.113.77", &options).report)
    );
}

#[test]
fn an_api() {
    let dossier = case().dossier(Kind::Api, "GetObject");
    insta::assert_snapshot!("api_80", text(&dossier, 80));
    let options = DossierOptions { top: 2, ..OPTIONS };
    insta::assert_snapshot!(
        "api_json",
        spread(&case().told(Kind::Api, "GetObject", &options).report)
    );
}

#[test]
fn an_access_key() {
    let dossier = case().dossier(Kind::Key, "AKIAI44QH8DHBEXAMPLE");
    insta::assert_snapshot!("key_80", text(&dossier, 80));
    insta::assert_snapshot!("key_json", spread(&dossier));
}

#[test]
fn a_resource() {
    let arn = "arn:aws:iam::111122223333:user/svc-backup-agent";
    let dossier = case().dossier(Kind::Resource, arn);
    insta::assert_snapshot!("resource_80", text(&dossier, 80));
    insta::assert_snapshot!("resource_json", spread(&dossier));
}

#[test]
fn an_event_and_what_is_around_it() {
    let created = case().event("71dc4a2b-1065-4fa8-b928-02e3f1b878c6");
    insta::assert_snapshot!("event_80", event_text(&created, 80));
    insta::assert_snapshot!("event_140", event_text(&created, 140));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#""source_file": ".*/"#, r#""source_file": "…/"#);
    settings.bind(|| insta::assert_snapshot!("event_json", spread(&created)));
}

#[test]
fn a_window_has_a_before_and_an_after() {
    // 2024-05-14T02:00:00Z to 04:00:00Z.
    let window = Window { since: Some(1_715_652_000_000_000), until: Some(1_715_659_200_000_000) };
    let options = DossierOptions { window, ..OPTIONS };
    let told = case().told(Kind::Key, "AKIAIOSFODNN7EXAMPLE", &options);
    insta::assert_snapshot!("key_in_a_window_80", text(&told.report, 80));
    assert_eq!(told.report.events, 26);
    let outside = told.report.outside.unwrap();
    assert_eq!((outside.before, outside.after), (27, 0));
    assert!(told.notices.is_empty(), "{:?}", told.notices);

    let window = Window { since: Some(1_900_000_000_000_000), until: None };
    let told =
        case().told(Kind::Key, "AKIAIOSFODNN7EXAMPLE", &DossierOptions { window, ..OPTIONS });
    assert_eq!(told.report.events, 0);
    assert!(told.report.nothing.is_none(), "the key is known");
    assert!(told.notices[0].contains("the cache holds no events after"), "{:?}", told.notices);
    insta::assert_snapshot!(text(&told.report, 80));
}

#[test]
fn the_answers_of_the_case_are_found() {
    let answers = &literals("testdata.json")["answers"];
    let leaked = case().dossier(Kind::Key, "AKIAIOSFODNN7EXAMPLE");
    let expected = expected_counts(&answers["calls_with_leaked_key_by_address"]);
    assert_eq!(
        values(&leaked, "addresses").into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        expected
    );
    for (key, events) in answers["events_by_key_of_the_intruder"].as_object().unwrap() {
        assert_eq!(case().dossier(Kind::Key, key).events, events.as_u64().unwrap(), "{key}");
    }
    let addresses = ["203.0.113.77", "203.0.113.78", "2001:db8:4f3c::1a"];
    let events: u64 =
        addresses.iter().map(|address| case().dossier(Kind::Ip, address).events).sum();
    assert_eq!(events, answers["events_from_the_intruder"].as_u64().unwrap());
    // However the address and the API are written.
    assert_eq!(case().dossier(Kind::Ip, "2001:DB8:4f3c:0::001A").events, 103);
    assert_eq!(case().dossier(Kind::Ip, "203.0.113.64/26").events, 51);
    for api in ["CreateAccessKey", "iam:CreateAccessKey", "iam.amazonaws.com CreateAccessKey"] {
        assert_eq!(case().dossier(Kind::Api, api).events, 1, "{api}");
    }
    let versions = case().dossier(Kind::Api, "lambda:UpdateFunctionCode");
    assert_eq!(values(&versions, "apis"), [("lambda:UpdateFunctionCode20150331v2".to_owned(), 3)]);
    let service = case().dossier(Kind::Api, "iam:*");
    assert_eq!(service.events, case().dossier(Kind::Api, "iam.amazonaws.com").events);
    assert!(service.events > 50, "{}", service.events);
}

#[test]
fn a_caller_is_found_by_whatever_names_it() {
    let user = "arn:aws:iam::111122223333:user/ci-deployer";
    for name in [user, "ci-deployer", "AIDAYNQVXPRZSQEXAMPLE"] {
        assert_eq!(case().dossier(Kind::Who, name).events, 53, "{name}");
    }
    let role = case().dossier(Kind::Who, "arn:aws:iam::444455556666:role/data-export-reader");
    assert_eq!(role.events, case().dossier(Kind::Who, "data-export-reader").events);
    let session = "arn:aws:sts::444455556666:assumed-role/data-export-reader/backup";
    assert_eq!(case().dossier(Kind::Who, session).events, role.events);
    assert!(case().dossier(Kind::Who, "444455556666").events > role.events);
    assert!(case().dossier(Kind::Who, "config.amazonaws.com").events > 0);
    // One name, several things: all of them are told.
    let dossier = case().dossier(Kind::Who, "backup");
    let matches: Vec<_> =
        dossier.matches.iter().map(|one| (one.what, one.principal.as_str(), one.events)).collect();
    assert_eq!(
        matches,
        [
            ("user name", "AROALSATJWBC6EEXAMPLE:backup", 2),
            ("session", "arn:aws:iam::444455556666:role/data-export-reader", 103),
            ("session", "arn:aws:iam::444455556666:role/data-platform-admin", 5),
        ]
    );
}

#[test]
fn what_is_nowhere_is_said_with_what_is_near() {
    for (kind, value) in [
        (Kind::Who, "ci-deploier"),
        (Kind::Who, "AKIAIOSFODNN7EXAMPLE"),
        (Kind::Ip, "203.0.113.79"),
        (Kind::Api, "iam:CreateAcessKey"),
        (Kind::Key, "AKIAIOSFODNN7EXAMPLF"),
        (Kind::Resource, "analytics-exports"),
    ] {
        let name = format!("nothing_{}_{}", kind.word(), value.replace(':', "_"));
        insta::assert_snapshot!(name, text(&case().dossier(kind, value), 80));
    }
    let unknown = case().event("71dc4a2b-0000-4000-8000-000000000000");
    insta::assert_snapshot!("nothing_event", event_text(&unknown, 80));
}
