//! Each edge, by the least events that have it.

use serde_json::json;

use super::{Events, KEY, asks, event, issues, key, session, user};

#[test]
fn a_key_is_tied_to_the_event_that_issued_it() {
    let (one, two) = (key("1"), key("2"));
    let events = Events::of(&[
        event(1, "01:00:00", "AssumeRole", user("eve", KEY), issues("app", "eve", &one)),
        event(
            2,
            "01:10:00",
            "AssumeRole",
            session("app", "eve", &one, "01:00:00"),
            issues("db", "eve", &two),
        ),
        event(3, "01:20:00", "ListBuckets", session("db", "eve", &two, "01:10:00"), json!({})),
        event(4, "01:30:00", "AssumeRole", user("eve", KEY), issues("app", "idle", &key("3"))),
        event(
            5,
            "01:31:00",
            "AssumeRole",
            user("eve", KEY),
            json!({ "errorCode": "AccessDenied" }),
        ),
    ]);
    assert_eq!(
        events.ties(),
        [
            "AKIAIOSFODNN7EXAMPLE | long_term_key | certain | - | - | 0 | 3 | -",
            "ASIA000000001EXAMPLE | issued_key | certain | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 1 | -",
            "ASIA000000002EXAMPLE | issued_key | certain | access_key | ASIA000000001EXAMPLE | 2 | 1 | -",
            "ASIA000000003EXAMPLE | issued_key | certain | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 0 | -",
        ]
    );
    assert_eq!(
        events.lines(
            "SELECT session_no, principal_key, arn, session_name, accountid, parent_principal, \
             parent_no, root, root_no, eventid, eventtime, eventname, sourceipaddress, \
             CAST(expiration AS varchar), CAST(first_use AS varchar), denied \
             FROM sessions WHERE credential = 'ASIA000000002EXAMPLE'"
        ),
        ["3 | arn:aws:iam::111122223333:role/db | \
          arn:aws:sts::111122223333:assumed-role/db/eve | eve | 111122223333 | \
          arn:aws:iam::111122223333:role/app | 2 | AKIAIOSFODNN7EXAMPLE | 1 | \
          00000000-0000-4000-8000-000000000002 | 2024-05-14T01:10:00Z | AssumeRole | \
          203.0.113.77 | 2024-05-14 23:59:59.000000 UTC | 2024-05-14 01:20:00.000000 UTC | 0"]
    );
}

#[test]
fn what_services_issue_came_from_them_or_from_instances() {
    let service = |name: &str| json!({ "type": "AWSService", "invokedBy": name });
    let saml = json!({
        "type": "SAMLUser", "principalId": "abc:maria", "userName": "maria@example.com",
        "identityProvider": "example-idp"
    });
    let events = Events::of(&[
        event(
            1,
            "01:00:00",
            "AssumeRole",
            service("ec2.amazonaws.com"),
            issues("app", "i-0a1b2c3d4e5f60718", &key("1")),
        ),
        event(
            2,
            "01:01:00",
            "AssumeRole",
            service("lambda.amazonaws.com"),
            issues("fn", "render", &key("2")),
        ),
        event(3, "01:02:00", "AssumeRoleWithSAML", saml, issues("sso", "maria", &key("3"))),
        event(
            4,
            "01:03:00",
            "AssumeRole",
            json!({ "type": "AWSAccount", "accountId": "444455556666", "principalId": "AIDAOTHER" }),
            issues("app", "x", &key("4")),
        ),
    ]);
    assert_eq!(
        events.lines(
            "SELECT parent_kind, parent, parent_principal, edge, depth FROM sessions ORDER BY 1"
        ),
        [
            "account | 444455556666 | AIDAOTHER | issued_key | 0",
            "identity_provider | example-idp | maria@example.com | issued_key | 0",
            "instance | i-0a1b2c3d4e5f60718 | ec2.amazonaws.com | issued_key | 0",
            "service | lambda.amazonaws.com | lambda.amazonaws.com | issued_key | 0",
        ]
    );
}

#[test]
fn copies_of_one_event_are_one_issuing() {
    let shared = json!({ "sharedEventID": "11111111-0000-4000-8000-000000000000" });
    let of = |more| super::with(more, &shared);
    let owner =
        json!({ "type": "AWSAccount", "accountId": "111122223333", "principalId": "AIDAEVE" });
    let there = json!({ "recipientAccountId": "444455556666" });
    let used = event(
        3,
        "01:20:00",
        "ListBuckets",
        session("app", "eve", &key("1"), "01:00:00"),
        json!({}),
    );
    // Both tell the key.
    let whole = Events::of(&[
        event(1, "01:00:00", "AssumeRole", user("eve", KEY), of(issues("app", "eve", &key("1")))),
        event(
            2,
            "01:00:00",
            "AssumeRole",
            owner.clone(),
            super::with(of(issues("app", "eve", &key("1"))), &there),
        ),
        used.clone(),
    ]);
    let tie = |edge: &str| {
        format!(
            "ASIA000000001EXAMPLE | {edge} | certain | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 1 | -"
        )
    };
    assert_eq!(whole.ties()[1..], [tie("issued_key")]);
    // The role's owner alone tells it.
    let joined = Events::of(&[
        event(1, "01:00:00", "AssumeRole", user("eve", KEY), of(asks("app", "eve"))),
        event(
            2,
            "01:00:00",
            "AssumeRole",
            owner,
            super::with(of(issues("app", "eve", &key("1"))), &there),
        ),
        used,
    ]);
    assert_eq!(joined.ties()[1..], [tie("shared_event_id")]);
}

#[test]
fn keys_and_passwords_that_were_made_lead_to_who_made_them() {
    let made = json!({ "requestParameters": { "userName": "bob" }, "responseElements": {
        "accessKey": { "userName": "bob", "accessKeyId": "AKIAI44QH8DHBEXAMPLE", "status": "Active" } } });
    let password = json!({ "requestParameters": { "userName": "bob" } });
    let mut bob = user("bob", "");
    bob.as_object_mut().unwrap().remove("accessKeyId");
    let login = json!({ "responseElements": { "ConsoleLogin": "Success" }, "additionalEventData": { "MFAUsed": "No" } });
    let events = Events::of(&[
        event(1, "01:00:00", "CreateAccessKey", user("eve", KEY), made),
        event(2, "01:01:00", "CreateLoginProfile", user("eve", KEY), password),
        event(3, "01:02:00", "ListBuckets", user("bob", "AKIAI44QH8DHBEXAMPLE"), json!({})),
        event(4, "01:03:00", "ConsoleLogin", bob, login),
    ]);
    assert_eq!(
        events.ties()[1..],
        [
            "AKIAI44QH8DHBEXAMPLE | created_key | certain | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 1 | -",
            "00000000-0000-4000-8000-000000000004 | created_password | possible | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 0 | -",
        ]
    );
    assert_eq!(
        events
            .lines("SELECT mfaauthenticated FROM sessions WHERE credential_kind = 'console_login'"),
        ["false"]
    );
}

#[test]
fn a_console_key_is_tied_to_its_sign_in() {
    let mut eve = user("eve", "");
    eve.as_object_mut().unwrap().remove("accessKeyId");
    let login = |n, time| {
        event(
            n,
            time,
            "ConsoleLogin",
            eve.clone(),
            json!({ "responseElements": { "ConsoleLogin": "Success" } }),
        )
    };
    let call = |n, name: &str, created: &str| {
        let mut identity = user("eve", &key(name));
        identity["sessionContext"] = json!({ "attributes": { "creationDate": format!("2024-05-14T{created}Z"), "mfaAuthenticated": "false" } });
        event(
            n,
            "05:00:00",
            "ListBuckets",
            identity,
            json!({ "sessionCredentialFromConsole": "true" }),
        )
    };
    let by_session = |n, name: &str| {
        let mut identity = user("eve", &key(name));
        identity["sessionContext"] =
            json!({ "signInSessionArn": "arn:aws:signin:us-east-1:111122223333:session/s1" });
        event(n, "05:30:00", "ListBuckets", identity, json!({}))
    };
    let failed = json!({ "responseElements": { "ConsoleLogin": "Failure" }, "errorMessage": "Failed authentication" });
    let events = Events::of(&[
        event(1, "02:00:00", "ConsoleLogin", eve.clone(), failed),
        login(2, "02:00:10"),
        login(3, "03:00:00"),
        super::with(login(4, "03:00:00"), &json!({ "sourceIPAddress": "203.0.113.78" })),
        call(10, "1", "02:00:10"),
        call(11, "2", "02:00:12"),
        call(12, "3", "03:00:00"),
        call(13, "4", "04:00:00"),
        by_session(14, "5"),
    ]);
    let id = |n: u32| format!("00000000-0000-4000-8000-{n:012}");
    assert_eq!(
        events.lines("SELECT credential, edge, sure, candidates, parent_kind, parent FROM sessions WHERE credential_kind = 'temporary_key' ORDER BY 1"),
        [
            format!("ASIA000000001EXAMPLE | console_login | certain | 1 | console_login | {}", id(2)),
            format!("ASIA000000002EXAMPLE | console_login | likely | 1 | console_login | {}", id(2)),
            format!("ASIA000000003EXAMPLE | console_login | likely | 2 | console_login | {}", id(4)),
            "ASIA000000004EXAMPLE | unknown_issuer | certain | 1 | console_login | -".to_owned(),
            "ASIA000000005EXAMPLE | sign_in_session | certain | 1 | console_login | arn:aws:signin:us-east-1:111122223333:session/s1".to_owned(),
        ]
    );
    // The failure issued nothing; the other three began with a person.
    assert_eq!(events.lines("SELECT count(*) FROM sessions WHERE edge = 'sign_in'"), ["3"]);
}

#[test]
fn a_session_without_its_key_is_tied_by_its_name_and_beginning() {
    let events = Events::of(&[
        event(1, "01:00:00", "AssumeRole", user("eve", KEY), asks("app", "eve")),
        event(2, "01:05:00", "AssumeRole", user("bob", "AKIAI44QH8DHBEXAMPLE"), asks("app", "eve")),
        event(
            3,
            "01:20:00",
            "ListBuckets",
            session("app", "eve", &key("1"), "01:00:00"),
            json!({}),
        ),
        event(
            4,
            "01:30:00",
            "ListBuckets",
            session("app", "eve", &key("2"), "01:04:59"),
            json!({}),
        ),
        event(
            5,
            "01:40:00",
            "ListBuckets",
            session("app", "other", &key("3"), "01:00:00"),
            json!({}),
        ),
        event(6, "01:50:00", "AssumeRole", user("eve", KEY), asks("app", "unused")),
    ]);
    assert_eq!(
        events.lines("SELECT credential, edge, sure, parent FROM sessions WHERE credential_kind = 'temporary_key' ORDER BY 1"),
        [
            "ASIA000000001EXAMPLE | role_session | likely | AKIAIOSFODNN7EXAMPLE",
            "ASIA000000002EXAMPLE | role_session | possible | AKIAI44QH8DHBEXAMPLE",
            "ASIA000000003EXAMPLE | unknown_issuer | certain | -",
            "- | issued_key | certain | AKIAIOSFODNN7EXAMPLE",
        ]
    );
}

#[test]
fn a_web_identity_token_leads_to_who_asked_for_it() {
    let token = json!({ "webIdentityTokenId": "token-1" });
    let web = json!({ "type": "WebIdentityUser", "principalId": "p", "userName": "u", "identityProvider": "sts.amazonaws.com" });
    let events = Events::of(&[
        event(
            1,
            "01:00:00",
            "GetWebIdentityToken",
            user("eve", KEY),
            json!({ "responseElements": token }),
        ),
        event(
            2,
            "01:01:00",
            "AssumeRoleWithWebIdentity",
            web,
            super::with(issues("app", "x", &key("1")), &json!({ "requestParameters": token })),
        ),
    ]);
    assert_eq!(
        events.ties()[1..],
        [
            "ASIA000000001EXAMPLE | web_identity_token | certain | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 0 | -"
        ]
    );
}

#[test]
fn a_source_identity_leads_to_where_it_was_set() {
    let identity = json!({ "sourceIdentity": "eve@example.com" });
    let sets =
        super::with(issues("app", "eve", &key("1")), &json!({ "requestParameters": identity }));
    let of = |role: &str, name: &str| {
        super::with(
            session(role, "s", &key(name), "01:30:00"),
            &json!({ "sessionContext": identity }),
        )
    };
    let events = Events::of(&[
        event(1, "01:00:00", "AssumeRole", user("eve", KEY), sets),
        event(2, "02:00:00", "ListBuckets", of("db", "2"), json!({})),
    ]);
    assert_eq!(
        events.ties()[1..],
        [
            "ASIA000000001EXAMPLE | issued_key | certain | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 0 | -",
            "ASIA000000002EXAMPLE | source_identity | possible | access_key | ASIA000000001EXAMPLE | 2 | 1 | -",
        ]
    );
    assert_eq!(
        events.lines("SELECT sourceidentity, count(*) AS n FROM sessions WHERE sourceidentity IS NOT NULL GROUP BY 1"),
        ["eve@example.com | 2"]
    );
}

#[test]
fn a_service_that_acts_for_a_caller_has_the_callers_key_above() {
    let mut forward = user("eve", &key("1"));
    forward["invokedBy"] = json!("secretsmanager.amazonaws.com");
    forward["sessionContext"] = json!({ "attributes": { "creationDate": "2024-05-14T01:00:00Z" } });
    let events = Events::of(&[
        event(1, "01:00:00", "GetSecretValue", user("eve", KEY), json!({})),
        event(
            2,
            "01:00:01",
            "Decrypt",
            forward,
            json!({ "sourceIPAddress": "secretsmanager.amazonaws.com" }),
        ),
    ]);
    assert_eq!(
        events.ties()[1..],
        [
            "ASIA000000001EXAMPLE | forward_access | likely | access_key | AKIAIOSFODNN7EXAMPLE | 1 | 1 | -"
        ]
    );
}

#[test]
fn what_a_key_was_issued_to_stands_in_its_own_records() {
    let mut function = session("fn", "render", &key("1"), "01:00:00");
    function["inScopeOf"] = json!({ "issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn:aws:lambda:us-east-1:111122223333:function:render" });
    let mut instance = session("app", "i-0a1b2c3d4e5f60718", &key("2"), "01:00:00");
    instance["sessionContext"]["ec2RoleDelivery"] = json!("1.0");
    let named = session("app", "i-0b2c3d4e5f6071829", &key("3"), "01:00:00");
    let nobody = session("app", "eve", &key("4"), "01:00:00");
    let call = |n, identity| event(n, "02:00:00", "ListBuckets", identity, json!({}));
    let events =
        Events::of(&[call(1, function), call(2, instance), call(3, named), call(4, nobody)]);
    assert_eq!(
        events.ties(),
        [
            "ASIA000000001EXAMPLE | issued_to | certain | function | arn:aws:lambda:us-east-1:111122223333:function:render | 0 | 1 | -",
            "ASIA000000002EXAMPLE | issued_to | certain | instance | i-0a1b2c3d4e5f60718 | 0 | 1 | -",
            "ASIA000000003EXAMPLE | issued_to | likely | instance | i-0b2c3d4e5f6071829 | 0 | 1 | -",
            "ASIA000000004EXAMPLE | unknown_issuer | certain | - | - | 0 | 1 | -",
        ]
    );
}
