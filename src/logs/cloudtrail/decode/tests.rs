use std::collections::HashSet;

use arrow::array::{Array, AsArray};
use proptest::prelude::*;

use super::*;
use crate::logs::cloudtrail::{
    schema,
    testing::{self, Choices, decode, file, meta, reject},
};

/// The text of `column`, a path of names joined by dots, in the only row of `record`.
fn column(record: &str, column: &str) -> Option<String> {
    let batch = decode(&[record]).events.unwrap().batch;
    text(&batch, column, 0)
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let mut names = column.split('.');
    let mut array = Arc::clone(batch.column_by_name(names.next().unwrap()).unwrap());
    for name in names {
        array = Arc::clone(array.as_struct().column_by_name(name).unwrap());
    }
    arrow::util::display::array_value_to_string(&array, row).ok().filter(|_| array.is_valid(row))
}

/// Asserts columns of one record.
fn expect(record: &str, columns: &[(&str, Option<&str>)]) {
    let batch = decode(&[record]).events.unwrap().batch;
    for (name, expected) in columns {
        assert_eq!(text(&batch, name, 0).as_deref(), *expected, "{name} of {record}");
    }
}

#[test]
fn fills_the_schema_it_promises() {
    let decoded = decode(&[r#"{"eventName":"A"}"#]);
    assert_eq!(decoded.events.unwrap().batch.schema(), schema::events());
    let aggregated = decode(&[r#"{"eventType":"AwsAggregatedEvent"}"#]).aggregated;
    assert_eq!(aggregated.unwrap().batch.schema(), schema::aggregated());
    assert!(decode(&[]).events.is_none() && decode(&[]).aggregated.is_none());
}

#[test]
fn keeps_json_text_as_the_record_spells_it() {
    expect(
        "{\"eventName\":\"A\",\"requestParameters\": { \"b\" : 1.50 , \"a\":\"\\u0041 \\\" x\" },\n\
         \"responseElements\":{}, \"userAgent\":\"\\u0041\\n\"}",
        &[
            ("requestparameters", Some(r#"{"b":1.50,"a":"\u0041 \" x"}"#)),
            ("responseelements", Some("{}")),
            ("useragent", Some("A\n")),
            ("extra", None),
            ("empty_fields", None),
        ],
    );
}

#[test]
fn coerces_what_has_another_type_and_keeps_it_in_extra() {
    expect(
        r#"{"eventName":"A","readOnly":"True","managementEvent":"false","apiVersion":1.50,
            "requestParameters":"{ \"a\" : [1] }","responseElements":"not json",
            "userAgent":["x", 1],"sourceIPAddress":{"ip":"y"},"userIdentity":{"accountId":111122223333,
            "sessionContext":{"attributes":{"mfaAuthenticated":true}}}}"#,
        &[
            ("readonly", Some("true")),
            ("managementevent", Some("false")),
            ("is_write", Some("false")),
            ("apiversion", Some("1.50")),
            ("requestparameters", Some(r#"{"a":[1]}"#)),
            ("responseelements", Some("not json")),
            ("useragent", Some(r#"["x",1]"#)),
            ("sourceipaddress", Some(r#"{"ip":"y"}"#)),
            ("useridentity.accountid", Some("111122223333")),
            ("useridentity.sessioncontext.attributes.mfaauthenticated", Some("true")),
            (
                "extra",
                Some(
                    r#"{"apiVersion":1.50,"managementEvent":"false","readOnly":"True","requestParameters":"{ \"a\" : [1] }","responseElements":"not json","sourceIPAddress":{"ip":"y"},"userAgent":["x",1],"userIdentity":{"accountId":111122223333,"sessionContext":{"attributes":{"mfaAuthenticated":true}}}}"#,
                ),
            ),
        ],
    );
}

#[test]
fn takes_the_last_of_duplicate_keys_and_keeps_all_in_extra() {
    expect(
        r#"{"eventName":"A","eventName":"B","userIdentity":{"type":"Root","arn":"x"},
            "userIdentity":{"type":"IAMUser"},"errorCode":"E","errorCode":null}"#,
        &[
            ("eventname", Some("B")),
            ("useridentity.type", Some("IAMUser")),
            ("useridentity.arn", None),
            ("errorcode", None),
            (
                "extra",
                Some(
                    r#"{"errorCode":"E","errorCode":null,"eventName":"A","eventName":"B","userIdentity":{"type":"Root","arn":"x"},"userIdentity":{"type":"IAMUser"}}"#,
                ),
            ),
        ],
    );
}

#[test]
fn reads_re_exports_in_lower_case() {
    expect(
        r#"{"eventname":"A","eventtime":"2024-01-02T03:04:05Z","useridentity":{"sessioncontext":{"sessionissuer":{"arn":"arn:aws:iam::111122223333:role/r"}}}}"#,
        &[
            ("eventname", Some("A")),
            ("time_source", Some("eventtime")),
            ("event_ts", Some("2024-01-02T03:04:05Z")),
            ("principal_key", Some("arn:aws:iam::111122223333:role/r")),
        ],
    );
}

#[test]
fn takes_the_time_from_another_field_where_event_time_is_absent() {
    let logstash = r#"{"eventName":"A","time":"1","@timestamp":"2020-09-14T00:44:23.000Z"}"#;
    expect(
        logstash,
        &[
            ("eventtime", Some("2020-09-14T00:44:23.000Z")),
            ("time_source", Some("@timestamp")),
            ("event_ts", Some("2020-09-14T00:44:23Z")),
            ("delivery_date", Some("2020-09-14")),
        ],
    );
    expect(
        r#"{"eventName":"A","time":1571956406.5,"eventTime":null}"#,
        &[
            ("eventtime", Some("1571956406.5")),
            ("time_source", Some("time")),
            ("event_ts", Some("2019-10-24T22:33:26.500Z")),
            ("empty_fields", Some("eventTime:null")),
        ],
    );
    let both = r#"{"@timestamp":"2020-09-14T00:44:23Z","eventName":"A","eventTime":"2020-01-01T00:00:00Z"}"#;
    expect(both, &[("time_source", None), ("eventtime", Some("2020-01-01T00:00:00Z"))]);
    let none = decode(&[r#"{"eventName":"A"}"#]).events.unwrap();
    assert_eq!(none.keys[0].ts, i64::MIN);
}

#[test]
fn reads_empty_objects_as_null() {
    let record = r#"{"eventName":"A","responseElements":null,"userIdentity":{"type":"IAMUser","sessionContext":{"webIdFederationData":{},"sessionIssuer":{}}},"tlsDetails":{}}"#;
    let batch = decode(&[record]).events.unwrap().batch;
    let user = batch.column_by_name("useridentity").unwrap().as_struct();
    assert!(user.is_valid(0) && user.column_by_name("sessioncontext").unwrap().is_null(0));
    assert!(batch.column_by_name("tlsdetails").unwrap().is_null(0));
    assert_eq!(
        text(&batch, "empty_fields", 0).as_deref(),
        Some(
            "userIdentity.sessionContext.sessionIssuer:{},\
             userIdentity.sessionContext.webIdFederationData:{},responseElements:null,tlsDetails:{}"
        )
    );
}

#[test]
fn keeps_the_prefixes_of_resources_in_step() {
    let record = r#"{"eventName":"A","resources":[{"ARN":"a","type":"t"},{"ARNPrefix":"p","type":"t"},{"accountId":"111122223333"}]}"#;
    expect(
        record,
        &[
            (
                "resources",
                Some(
                    "[{arn: a, accountid: , type: t}, {arn: , accountid: , type: t}, \
                     {arn: , accountid: 111122223333, type: }]",
                ),
            ),
            ("resourcearnprefixes", Some("[, p, ]")),
            ("extra", None),
        ],
    );
    expect(
        r#"{"eventName":"A","resources":[]}"#,
        &[("resources", Some("[]")), ("resourcearnprefixes", None)],
    );
}

#[test]
fn derives_who_acted() {
    expect(
        r#"{"eventName":"A","recipientAccountId":"444455556666","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:alice@example.com","arn":"arn:aws:sts::111122223333:assumed-role/r/alice","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/p/r"}}}}"#,
        &[
            ("principal_key", Some("arn:aws:iam::111122223333:role/p/r")),
            ("session_name", Some("alice@example.com")),
            ("actor_account", Some("111122223333")),
            ("owner_account", Some("444455556666")),
            ("is_cross_account", Some("true")),
            ("key_kind", Some("temporary")),
            ("account", Some("444455556666")),
        ],
    );
    for (identity, key) in [
        (r#"{"arn":"a","principalId":"p"}"#, Some("a")),
        (r#"{"principalId":"p","accountId":"111122223333"}"#, Some("p")),
        (r#"{"principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}"#, Some("ANONYMOUS_PRINCIPAL")),
        (r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#, Some("ec2.amazonaws.com")),
        (
            r#"{"accountId":"111122223333","invokedBy":"ec2.amazonaws.com"}"#,
            Some("111122223333|ec2.amazonaws.com"),
        ),
        ("{}", None),
    ] {
        let record = format!(r#"{{"eventName":"A","userIdentity":{identity}}}"#);
        assert_eq!(column(&record, "principal_key").as_deref(), key, "{identity}");
    }
}

#[test]
fn derives_how_a_call_ended() {
    for (fields, outcome) in [
        ("", "ok"),
        (r#","errorCode":null,"errorMessage":"""#, "ok"),
        (r#","errorCode":"AccessDenied""#, "denied"),
        (r#","errorCode":"Client.UnauthorizedOperation""#, "denied"),
        (r#","errorCode":"ThrottlingException","errorMessage":"Rate exceeded""#, "throttled"),
        (r#","errorCode":"NoSuchBucket""#, "error"),
        (r#","errorMessage":"Failed authentication""#, "error"),
        (
            r#","eventSource":"signin.amazonaws.com","responseElements":{"ConsoleLogin":"Failure"}"#,
            "error",
        ),
        (
            r#","eventSource":"signin.amazonaws.com","responseElements":{"ConsoleLogin":"Success"}"#,
            "ok",
        ),
    ] {
        let record = format!(r#"{{"eventName":"ConsoleLogin"{fields}}}"#);
        assert_eq!(column(&record, "outcome").as_deref(), Some(outcome), "{fields}");
    }
    assert_eq!(column(r#"{"insightDetails":{"state":"Start"}}"#, "outcome"), None);
}

#[test]
fn names_the_policy_that_denied() {
    expect(
        r#"{"eventName":"A","errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::111122223333:user/alice is not authorized to perform: s3:GetObject on resource: x with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-example/service_control_policy/p-example"}"#,
        &[
            ("deny_type", Some("service control policy")),
            ("deny_action", Some("s3:GetObject")),
            ("deny_explicit", Some("true")),
            (
                "deny_policy_arn",
                Some(
                    "arn:aws:organizations::111122223333:policy/o-example/service_control_policy/p-example",
                ),
            ),
        ],
    );
}

#[test]
fn finds_the_session_a_call_handed_out() {
    expect(
        r#"{"eventName":"AssumeRole","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/r","roleSessionName":"s"},"responseElements":{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","expiration":"x"},"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLE:s","arn":"arn:aws:sts::111122223333:assumed-role/r/s"}}}"#,
        &[
            ("issued_key", Some("ASIAIOSFODNN7EXAMPLE")),
            ("issued_session_arn", Some("arn:aws:sts::111122223333:assumed-role/r/s")),
            ("target_role", Some("arn:aws:iam::111122223333:role/r")),
        ],
    );
    expect(
        r#"{"eventName":"CreateSession","responseElements":{"credentialSet":[{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE"},"assumedRoleUser":{"arn":"arn:x"}}]}}"#,
        &[("issued_key", Some("ASIAIOSFODNN7EXAMPLE")), ("issued_session_arn", Some("arn:x"))],
    );
    expect(
        r#"{"eventName":"CreateRole","requestParameters":{"roleArn":"arn:x"},"responseElements":{"role":{"arn":"arn:y"}}}"#,
        &[("issued_key", None), ("issued_session_arn", None), ("target_role", None)],
    );
}

#[test]
fn takes_partition_and_provenance_from_the_file() {
    let mut decoder = Decoder::new(Limits::default());
    let name = "111122223333_CloudTrail_eu-west-1_20240103T0000Z_x.json.gz";
    let file = FileMeta { key: LogKey::parse(name), source_file: name.into(), ..file() };
    let record = RecordMeta { appended: true, envelope: Some("{\"detail\":null}"), ..meta(3) };
    let json = r#"{"eventName":"A","eventTime":"2024-01-02T23:59:59Z","awsRegion":"us-east-1","recipientAccountId":"444455556666","eventID":"e"}"#;
    decoder.push(&file, &record, json.as_bytes()).unwrap();
    let rows = decoder.take().events.unwrap();
    let key = rows.keys[0];
    assert_eq!((key.ts, key.seq, key.record_no), (1_704_239_999_000_000, 7, 3));
    for (column, value) in [
        ("account", "111122223333"),
        ("region", "eu-west-1"),
        ("delivery_date", "2024-01-03"),
        ("source_file", name),
        ("source_version", "1"),
        ("record_no", "3"),
        ("record_offset", "12"),
        ("appended", "true"),
        ("shape", "records"),
        ("envelope", "{\"detail\":null}"),
    ] {
        assert_eq!(text(&rows.batch, column, 0).as_deref(), Some(value), "{column}");
    }
}

#[test]
fn identifies_records_by_account_and_event_id_or_by_content() {
    let id = |record: &str| decode(&[record]).events.unwrap().keys[0].id;
    let base = id(r#"{"eventID":"e","recipientAccountId":"111122223333","eventName":"A"}"#);
    assert_eq!(base, id(r#"{"recipientAccountId":"111122223333","eventID":"\u0065"}"#));
    assert_ne!(base, id(r#"{"recipientAccountId":"444455556666","eventID":"e"}"#));
    assert_ne!(base, id(r#"{"recipientAccountId":"111122223333","eventID":"f"}"#));
    let content = id(r#"{"eventName":"A","userIdentity":{"type":"Root","arn":"a"},"x":1}"#);
    assert_eq!(content, id(r#"{"userIdentity":{"arn":"a","type":"Root"},"x": 1,"eventName":"A"}"#));
    for other in [
        r#"{"eventName":"A","userIdentity":{"type":"Root","arn":"a"},"x":2}"#,
        r#"{"eventName":"A","userIdentity":{"type":"Root","arn":"a"},"x":1,"errorCode":null}"#,
        r#"{"eventName":"A","userIdentity":{"type":"a","arn":"Root"},"x":1}"#,
        r#"{"eventName":"A","userIdentity":{"type":"Root","arn":"a"},"x":1,"resources":[{"ARN":"b"}]}"#,
    ] {
        assert_ne!(content, id(other), "{other}");
    }
    // Stable over versions and machines: sorted files depend on it only within a run, but tests
    // of other modules may name it.
    assert_eq!(base, 10_174_831_963_884_418_229);
}

#[test]
fn loads_aggregated_events_bucket_by_bucket() {
    let record = r#"{"eventVersion":"1.0","accountId":"111122223333","eventId":"e","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"us-east-1","eventSource":"s3.amazonaws.com","timeWindow":{"windowStart":"2025-10-30 23:45:00","windowEnd":"2025-10-30 23:50:00","windowSize":"PT5M"},"summary":{"primaryDimension":{"dimension":"eventName","statistics":[{"name":"GetObject","value":12},{"name":"PutObject","value":3}],"aggregationType":"Count"},"details":[{"dimension":"userAgent","statistics":[{"name":"x","value":99999999999999999999}],"aggregationType":"Count"}]},"addendum":{"reason":"DELIVERY_DELAY"}}"#;
    let decoded = decode(&[r#"{"eventName":"A"}"#, record]);
    assert_eq!(decoded.events.unwrap().batch.num_rows(), 1);
    let rows = decoded.aggregated.unwrap();
    let all = |column: &str| {
        (0..rows.batch.num_rows())
            .map(|row| text(&rows.batch, column, row).unwrap_or_else(|| "-".to_owned()))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(all("name"), "GetObject,PutObject,x");
    assert_eq!(all("value"), "12,3,-");
    assert_eq!(all("dimension"), "eventName,eventName,userAgent");
    assert_eq!(all("is_primary"), "true,true,false");
    assert_eq!(all("bucket_no"), "1,2,3");
    assert_eq!(all("accountid"), "111122223333,111122223333,111122223333");
    assert_eq!(all("addendum_reason"), "DELIVERY_DELAY,DELIVERY_DELAY,DELIVERY_DELAY");
    assert_eq!(text(&rows.batch, "event_ts", 2).unwrap(), "2025-10-30T23:45:00Z");
    assert_eq!(text(&rows.batch, "delivery_date", 0).unwrap(), "2025-10-30");
    assert_eq!(text(&rows.batch, "eventjson", 1).unwrap(), record);
    assert!(rows.keys.len() == 3 && rows.keys.iter().all(|key| *key == rows.keys[0]));
    let bare = decode(&[r#"{"eventCategory":"Aggregated","summary":{"details":7}}"#]).aggregated;
    let bare = bare.unwrap();
    assert_eq!(
        (bare.batch.num_rows(), text(&bare.batch, "bucket_no", 0).unwrap()),
        (1, "0".into())
    );
}

#[test]
fn bounds_what_the_buckets_of_one_record_take() {
    let buckets = "{\"name\":\"n\",\"value\":1},".repeat(100_000);
    let record = format!(
        "{{\"eventCategory\":\"Aggregated\",\"summary\":{{\"primaryDimension\":{{\"statistics\":[{}]}}}}}}",
        buckets.trim_end_matches(',')
    );
    assert_eq!(reject(record.as_bytes(), Limits::default()).reason, RejectReason::TooLong);
}

#[test]
fn can_be_sent_to_another_thread() {
    fn assert_send<T: Send>(_: &T) {}
    assert_send(&Decoder::new(Limits::default()));
}

#[test]
fn rejects_what_is_no_record_and_says_why() {
    let why = |record: &[u8]| reject(record, Limits::default());
    assert_eq!(why(b"{\"eventName\":\"A\"").reason, RejectReason::Truncated);
    assert_eq!(why(b"{\"eventName\":\"A\",}").reason, RejectReason::NotJson);
    assert_eq!(why(b"{\"eventName\":\"A\"} x").reason, RejectReason::NotJson);
    assert_eq!(why(b"{\"eventName\":\"A\",\"requestParameters\":{\"a\":01}}").at, 43);
    assert_eq!(why(b"{\"eventName\":\"\\x\"}").reason, RejectReason::NotJson);
    assert_eq!(why(b"{\"eventName\":\"\xff\"}").reason, RejectReason::NotUtf8);
    assert_eq!(why(b"{\"eventName\":\"\xff\"}").at, 14);
    for other in ["{}", "[]", "7", "null", "\"text\"", "{\"foo\":1,\"resources\":[]}"] {
        assert_eq!(why(other.as_bytes()).reason, RejectReason::NotARecord, "{other}");
    }
    assert_eq!(why(b"").reason, RejectReason::Truncated);
    assert_eq!(why(b"{\"eventName\":\"A\" \"b\":1}").detail, "expected `,` or `}`, but found `\"`");
}

#[test]
fn holds_records_to_the_limits() {
    let limits = Limits { max_record_bytes: 100, max_depth: 4, max_keys: 3 };
    let why = |record: &str| reject(record.as_bytes(), limits).reason;
    let long = format!("{{\"eventName\":\"{}\"}}", "x".repeat(100));
    assert_eq!(why(&long), RejectReason::TooLong);
    assert_eq!(why(r#"{"eventName":"A","x":[[[[1]]]]}"#), RejectReason::TooDeep);
    assert_eq!(why(r#"{"eventName":"A","requestParameters":{"a":[[{}]]}}"#), RejectReason::TooDeep);
    assert_eq!(why(r#"{"eventName":"A","b":1,"c":1,"d":1}"#), RejectReason::TooManyKeys);
    assert_eq!(
        why(r#"{"eventName":"A","b":{"b":1,"c":1,"d":1,"e":1}}"#),
        RejectReason::TooManyKeys
    );
    let mut decoder = Decoder::new(limits);
    let fits = r#"{"eventName":"A","x":[[[1]]],"y":{"b":1,"c":1,"d":1}}"#;
    assert!(decoder.push(&file(), &meta(1), fits.as_bytes()).is_ok());
}

#[test]
fn goes_on_after_a_reject_as_if_it_had_not_been() {
    let good =
        r#"{"eventName":"A","userIdentity":{"type":"Root"},"resources":[{"ARN":"a"}],"x":1}"#;
    let bad =
        r#"{"eventName":"B","errorCode":"E","userIdentity":{"arn":"b"},"resources":[{"ARN":"b"}],"#;
    let mut decoder = Decoder::new(Limits::default());
    decoder.push(&file(), &meta(1), good.as_bytes()).unwrap();
    let before = (decoder.rows(), decoder.bytes());
    assert!(decoder.push(&file(), &meta(9), bad.as_bytes()).is_err());
    assert_eq!(before, (decoder.rows(), decoder.bytes()));
    decoder.push(&file(), &meta(2), good.as_bytes()).unwrap();
    assert_eq!(decoder.take().events.unwrap().batch, decode(&[good, good]).events.unwrap().batch);
    assert_eq!((decoder.rows(), decoder.bytes()), (0, 0));
}

#[test]
fn starts_anew_after_each_take() {
    let one = r#"{"eventName":"A","eventID":"1","errorCode":"E","requestParameters":{"a":1}}"#;
    let two = r#"{"eventName":"B","eventID":"2","userIdentity":{"type":"Root"}}"#;
    let mut decoder = Decoder::new(Limits::default());
    for record in [one, two, one] {
        decoder.push(&file(), &meta(1), record.as_bytes()).unwrap();
        let rows = decoder.take().events.unwrap();
        assert_eq!(rows.batch, decode(&[record]).events.unwrap().batch);
        assert_eq!(rows.keys, decode(&[record]).events.unwrap().keys);
    }
}

#[test]
fn fills_rows_between_with_nulls() {
    let sparse: Vec<String> = (0..100)
        .map(|i| match i % 17 {
            0 => format!(
                r#"{{"eventName":"A{i}","errorCode":"E{i}","tlsDetails":{{"tlsVersion":"{i}"}}}}"#
            ),
            _ => format!(r#"{{"eventName":"A{i}"}}"#),
        })
        .collect();
    let batch =
        decode(&sparse.iter().map(String::as_str).collect::<Vec<_>>()).events.unwrap().batch;
    for row in 0..100 {
        let error = (row % 17 == 0).then(|| format!("E{row}"));
        assert_eq!(text(&batch, "errorcode", row), error);
        let tls = (row % 17 == 0).then(|| row.to_string());
        assert_eq!(text(&batch, "tlsdetails.tlsversion", row), tls);
        assert_eq!(text(&batch, "eventname", row), Some(format!("A{row}")));
    }
}

/// What was measured on a published data set, by others than this decoder.
#[test]
fn derives_from_real_records_what_is_known_of_them() {
    let Some(folder) = testing::samples("invictus") else {
        eprintln!("skipped: no ../shared/data/invictus");
        return;
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let records: Vec<String> =
        files.flat_map(|path| testing::records(&std::fs::read(path).unwrap())).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let rows = decode(&records).events.unwrap();
    let all = |name: &str| -> Vec<Option<String>> {
        (0..rows.batch.num_rows()).map(|row| text(&rows.batch, name, row)).collect()
    };
    let count = |name: &str, value: Option<&str>| {
        all(name).iter().filter(|found| found.as_deref() == value).count()
    };
    assert_eq!(rows.batch.num_rows(), 2_900);
    assert_eq!(all("eventid").into_iter().collect::<HashSet<_>>().len(), 2_900);
    assert_eq!(rows.keys.iter().map(|key| key.id).collect::<HashSet<_>>().len(), 2_900);
    assert_eq!(count("useridentity.type", None), 42);
    assert_eq!(count("src_ip", None), 353);
    assert_eq!(count("eventtype", Some("AwsConsoleSignIn")), 3);
    assert_eq!(count("event_ts", None) + count("principal_key", None) + count("outcome", None), 0);
    assert_eq!(count("outcome", Some("throttled")), 102);
    assert_eq!(count("outcome", Some("denied")), 44 + 16);
    // Every call of a role session can be led back to the call that handed out its key.
    let issued: HashSet<_> = all("issued_key").into_iter().flatten().collect();
    let sessions = all("useridentity.type").into_iter().zip(all("useridentity.accesskeyid"));
    let sessions = sessions.filter(|(ty, _)| ty.as_deref() == Some("AssumedRole"));
    let keys: Vec<_> = sessions.filter_map(|(_, key)| key).collect();
    assert_eq!(keys.len(), 70);
    assert!(keys.iter().all(|key| issued.contains(key)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn white_space_between_tokens_changes_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        pads in prop::collection::vec(prop::sample::select(&["", " ", "\n\t", "\r\n  "][..]), 1..20),
    ) {
        let record = testing::record(&mut Choices(&bytes));
        let mut pads = pads.iter().cycle();
        let padded = record.write(&mut || pads.next().unwrap());
        let (compact, padded) = (decode(&[&record.compact()]), decode(&[&padded]));
        let (compact, padded) = (compact.events.unwrap(), padded.events.unwrap());
        prop_assert_eq!(compact.batch, padded.batch);
        prop_assert_eq!(compact.keys, padded.keys);
    }

    #[test]
    fn any_bytes_are_decoded_or_rejected(json in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut decoder = Decoder::new(Limits::default());
        let accepted = decoder.push(&file(), &meta(1), &json).is_ok();
        prop_assert_eq!(decoder.rows(), usize::from(accepted));
    }

    #[test]
    fn a_damaged_record_is_decoded_or_rejected_without_a_trace(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let record = testing::record(&mut Choices(&bytes)).compact();
        let mut damaged = record.clone().into_bytes();
        let at = at.index(damaged.len());
        if cut {
            damaged.truncate(at);
        } else {
            damaged[at] = byte;
        }
        let mut decoder = Decoder::new(Limits::default());
        let first = decoder.push(&file(), &meta(1), &damaged);
        if cut {
            prop_assert!(first.is_err_and(|reject| reject.at <= at));
        } else if first.is_ok() {
            // A changed byte inside a string gives another record; it must be a whole one.
            prop_assert_eq!(decoder.take().events.map_or(1, |rows| rows.batch.num_rows()), 1);
        }
        decoder.take();
        decoder.push(&file(), &meta(1), record.as_bytes()).unwrap();
        let rows = decoder.take().events.unwrap();
        prop_assert_eq!(rows.batch, decode(&[&record]).events.unwrap().batch);
    }
}
