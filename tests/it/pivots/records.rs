//! Records made by hand: what a resource is and what it is not, hostile names, too many values,
//! conflicts and copies.

use serde_json::{Value, json};
use trailhound::pivots::dossier::{DossierOptions, Kind, Subject, render_dossier};

use super::{OPTIONS, Scene, at, event_text, record, text, values};

#[test]
fn a_resource_is_a_whole_value_and_no_accident() {
    let hits = [
        json!({"requestParameters": {"bucketName": "exports"}}),
        json!({"requestParameters": {"a": [{"b": {"c": "exports"}}]}}),
        json!({"responseElements": {"name": "exports"}}),
        json!({"resources": [{"ARN": "arn:aws:s3:::exports", "type": "AWS::S3::Bucket"}]}),
        json!({"resources": [{"ARN": "arn:aws:dynamodb:us-east-1:111122223333:table/exports"}]}),
    ];
    let misses = [
        json!({"requestParameters": {"bucketName": "exports-old"}}),
        json!({"requestParameters": {"exports": "other"}}),
        json!({"requestParameters": {"note": "the \"exports\" of today"}}),
        json!({"requestParameters": {"size": 5, "text": "\\\"exports\\\""}}),
        json!({"resources": [{"ARN": "arn:aws:s3:::exports/key"}]}),
        json!({"resources": [{"ARN": "arn:aws:s3:::old-exports"}]}),
        json!({"userAgent": "exports"}),
    ];
    let records: Vec<Value> =
        hits.iter().chain(&misses).enumerate().map(|(n, change)| record(n, change)).collect();
    let scene = Scene::with(&records);
    assert_eq!(scene.dossier(Kind::Resource, "exports").events, hits.len() as u64);
    // Wildcards of LIKE are letters like any other.
    assert_eq!(scene.dossier(Kind::Resource, "export_").events, 0);
    assert_eq!(scene.dossier(Kind::Resource, "%").events, 0);
}

#[test]
fn a_value_is_found_however_json_spells_it() {
    let dir = tempfile::tempdir().unwrap();
    let plain = record(0, &json!({"requestParameters": {"name": "PLACE"}})).to_string();
    let other = record(1, &json!({"requestParameters": {"name": "PLACE"}})).to_string();
    let records =
        [plain.replace("PLACE", "/a/b\u{e9}"), other.replace("PLACE", r"\/a\u002fb\u00e9")];
    std::fs::write(dir.path().join("a.json"), format!("[{}]", records.join(","))).unwrap();
    assert_eq!(Scene::of(dir.path()).dossier(Kind::Resource, "/a/b\u{e9}").events, 2);
}

#[test]
fn an_arn_stands_for_its_name_in_its_own_service_and_account() {
    let named = |source: &str, account: &str| json!({"eventSource": source, "recipientAccountId": account, "requestParameters": {"userName": "bob"}});
    let changes = [
        named("iam.amazonaws.com", "111122223333"),
        named("iam.amazonaws.com", "444455556666"),
        named("rds.amazonaws.com", "111122223333"),
        json!({"eventSource": "rds.amazonaws.com", "requestParameters": {"arn": "arn:aws:iam::111122223333:user/bob"}}),
    ];
    let records: Vec<Value> =
        changes.iter().enumerate().map(|(n, change)| record(n, change)).collect();
    let scene = Scene::with(&records);
    let arn = "arn:aws:iam::111122223333:user/bob";
    let ids = |name| values(&scene.dossier(Kind::Resource, name), "apis");
    assert_eq!(ids(arn), [("iam:ListUsers".to_owned(), 1), ("rds:ListUsers".to_owned(), 1)]);
    assert_eq!(scene.dossier(Kind::Resource, "bob").events, 3);
}

#[test]
fn hostile_names_are_found_shown_and_never_run() {
    let escape = "ev\u{1b}[2Jil\u{202e}";
    let quotes = "o'br\"ien' OR 1=1 --";
    let long = "n".repeat(10_000);
    let names = [escape, quotes, long.as_str(), "-rf", "%", "_____", ":value", "\\", "$(id)`id`"];
    let records: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            record(
                n,
                &json!({
                    "userIdentity": {"type": "IAMUser", "userName": name, "accessKeyId": name,
                        "arn": format!("arn:aws:iam::111122223333:user/{name}")},
                    "sourceIPAddress": name,
                    "userAgent": name,
                    "eventName": name,
                    "errorCode": name,
                    "requestParameters": {"userName": name, "roleName": name},
                }),
            )
        })
        .collect();
    let scene = Scene::with(&records);
    for (n, name) in names.iter().enumerate() {
        for kind in [Kind::Who, Kind::Ip, Kind::Key, Kind::Resource] {
            let dossier = scene.dossier(kind, name);
            // What it is not needs no look-alikes.
            assert_eq!(dossier.events, 1, "{} {name:.20}", kind.word());
            for width in [1, 80] {
                for is_prompt in [true, false] {
                    let options = super::TextOptions { is_prompt, ..at(width) };
                    let shown = render_dossier(&dossier, &options);
                    assert!(
                        shown.chars().all(|c| c == '\n' || !output_is_hidden(c)),
                        "{} {name:.20}: {shown}",
                        kind.word()
                    );
                }
            }
            let json = trailhound::output::json_text(&dossier).unwrap();
            assert!(!json.chars().any(output_is_hidden), "{json}");
        }
        let event = scene.event(&format!("00000000-0000-4000-8000-{n:012}"));
        assert_eq!(event.events.len(), 1);
        let shown = event_text(&event, 80);
        assert!(shown.chars().all(|c| c == '\n' || !output_is_hidden(c)), "{shown}");
    }
    let quoted = text(&scene.dossier(Kind::Ip, quotes), 80);
    // No quotes of the prompt's can hold both.
    assert!(!quoted.contains(".who arn:aws:iam::111122223333:user/o"), "{quoted}");
    let shell = render_dossier(
        &scene.dossier(Kind::Ip, "$(id)`id`"),
        &super::TextOptions { is_prompt: false, ..at(120) },
    );
    assert!(shell.contains("trailhound key '$(id)`id`'"), "{shell}");
}

fn output_is_hidden(c: char) -> bool {
    trailhound::output::sanitize::is_hidden(c)
}

#[test]
fn values_that_cannot_be_are_refused() {
    let fault = |kind, value: &str| {
        Subject::parse(kind, value).map_or_else(|error| error.to_string(), |_| String::new())
    };
    insta::assert_snapshot!(
        [
            fault(Kind::Who, "  "),
            fault(Kind::Ip, "203.0.113.0/33"),
            fault(Kind::Ip, "203.0.113/24"),
            fault(Kind::Api, "a b c"),
            fault(Kind::Api, "*"),
            fault(Kind::Resource, &"x".repeat(70_000)),
        ]
        .join("\n"),
        @r"
    invalid value `` for `who`: expected a value to look for
    invalid value `203.0.113.0/33` for `ip`: expected a network such as 203.0.113.0/24
    invalid value `203.0.113/24` for `ip`: expected a network such as 203.0.113.0/24
    invalid value `a b c` for `api`: expected an API such as CreateAccessKey, iam:CreateAccessKey, iam:* or iam.amazonaws.com CreateAccessKey
    invalid value `*` for `api`: expected an API such as CreateAccessKey, iam:CreateAccessKey, iam:* or iam.amazonaws.com CreateAccessKey
    invalid value `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` for `resource`: it is longer than 64 KiB
    "
    );
}

#[test]
fn what_is_too_much_for_memory_is_counted_all_the_same() {
    let long = "x".repeat(300);
    let records: Vec<Value> = (0..6_000)
        .map(|n| {
            let agent = if n % 3 == 0 { "often".to_owned() } else { format!("{long}{n}") };
            record(n, &json!({"userAgent": agent, "requestParameters": {"roleName": format!("{long}{n}")}}))
        })
        .collect();
    let scene = Scene::with(&records);
    let small = DossierOptions { memory_bytes: 1, top: 3, ..OPTIONS };
    let ample = DossierOptions { memory_bytes: 1 << 30, top: 3, ..OPTIONS };
    let told = |options| scene.told(Kind::Key, "AKIAI44QH8DHBEXAMPLE", options).report;
    let (counted, known) = (told(&small), told(&ample));
    assert_eq!(values(&counted, "user_agents"), values(&known, "user_agents"));
    assert_eq!(values(&counted, "user_agents")[0], ("often".to_owned(), 2_000));
    let of = |dossier: &trailhound::pivots::dossier::Dossier, name: &str| {
        let json = serde_json::to_value(dossier).unwrap();
        let all = json["counterparts"].as_array().unwrap().clone();
        all.into_iter().find(|counted| counted["dimension"] == name).unwrap()
    };
    assert_eq!(of(&counted, "user_agents"), of(&known, "user_agents"));
    assert_eq!(of(&known, "named")["distinct"], 6_000);
    // Names in parameters are not counted beyond memory, and that is said.
    assert_eq!(of(&counted, "named")["distinct"], Value::Null);
    assert!(text(&counted, 80).contains("too many to count"));
}

#[test]
fn what_is_nowhere_else_is_told() {
    let mut records: Vec<Value> = (0..20).map(|n| record(n, &json!({}))).collect();
    let eve = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve"});
    records.push(record(20, &json!({"userIdentity": eve, "sourceIPAddress": "198.51.100.9"})));
    records.push(record(21, &json!({"userIdentity": eve, "eventName": "DeleteUser"})));
    records.push(record(22, &json!({"userIdentity": eve, "sourceIPAddress": "iam.amazonaws.com"})));
    let json = serde_json::to_value(Scene::with(&records).dossier(Kind::Who, "eve")).unwrap();
    let only: Vec<_> = json["only_here"]
        .as_array()
        .unwrap()
        .iter()
        .map(|new| {
            (new["dimension"].clone(), new["top"][0]["value"].clone(), new["distinct"].clone())
        })
        .collect();
    // A service's own address is nobody's.
    assert_eq!(
        only,
        [
            (json!("addresses"), json!("198.51.100.9"), json!(1)),
            (json!("apis"), json!("iam:DeleteUser"), json!(1)),
        ]
    );
}

#[test]
fn conflicts_copies_and_the_like_are_told_of_an_event() {
    let first = record(0, &json!({"sharedEventID": "5ba7ed00-0000-4000-8000-000000000001"}));
    let mut conflicting = first.clone();
    conflicting["userAgent"] = json!("another");
    let mut request = record(1, &json!({"requestID": "request-0"}));
    request["eventTime"] = json!("2024-05-14T02:00:09Z");
    let shared = record(
        2,
        &json!({"sharedEventID": "5ba7ed00-0000-4000-8000-000000000001", "recipientAccountId": "444455556666"}),
    );
    let issued = record(
        3,
        &json!({
            "eventSource": "sts.amazonaws.com", "eventName": "GetSessionToken", "eventTime": "2024-05-14T01:00:00Z",
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/admin", "accessKeyId": "AKIAADMINADMINEXAMPLE"},
            "responseElements": {"credentials": {"accessKeyId": "AKIAI44QH8DHBEXAMPLE"}},
        }),
    );
    let records = [first.clone(), first, conflicting, request, shared, issued];
    let report = Scene::with(&records).event("00000000-0000-4000-8000-000000000000");
    assert!(report.id_conflict);
    assert_eq!((report.events.len(), report.duplicates.len()), (2, 1));
    assert_eq!((report.same_request.len(), report.shared.len()), (1, 1));
    insta::assert_snapshot!("event_with_all_there_is", event_text(&report, 80));
}

#[test]
fn an_empty_cache_says_how_to_begin() {
    let scene = Scene::with(&[]);
    let dossier = scene.dossier(Kind::Who, "eve");
    insta::assert_snapshot!(text(&dossier, 80));
}

#[test]
fn without_unicode_bars_are_of_number_signs() {
    let records: Vec<Value> = (0..30).map(|n| record(n * 60, &json!({}))).collect();
    let dossier = Scene::with(&records).dossier(Kind::Who, "mallory");
    let options = super::TextOptions { unicode: false, ..at(60) };
    let shown = render_dossier(&dossier, &options);
    assert!(shown.contains("##############"), "{shown}");
    assert!(!shown.contains('█'), "{shown}");
}
