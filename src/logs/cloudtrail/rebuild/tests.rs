use std::{fs, io::Read, path::Path, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::logs::{
    Limits,
    cloudtrail::{
        decode::{Decoder, RecordMeta, Rows},
        schema,
        testing::{self, Choices, Json, decode, file, meta},
    },
};

/// Rebuilds `source` from its row and compares.
fn check(source: &str) -> String {
    let rows = decode(&[source]).events.unwrap();
    let rebuilt = record(&rows.batch, 0);
    assert_eq!(Json::read(&rebuilt).normal(), Json::read(source).normal(), "{source}\n{rebuilt}");
    rebuilt
}

fn content(rows: &Rows) -> Vec<(&'static str, ArrayRef)> {
    let columns = schema::content_columns();
    columns.map(|c| (c.name, Arc::clone(rows.batch.column_by_name(c.name).unwrap()))).collect()
}

#[test]
fn gives_back_a_record_as_aws_writes_it() {
    let source = r#"{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:s","arn":"arn:aws:sts::111122223333:assumed-role/r/s","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/r","accountId":"111122223333","userName":"r"},"webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/example.com","attributes":{"appid":"1","aud":"2"}},"attributes":{"creationDate":"2024-01-02T03:04:05Z","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0","sourceIdentity":"alice","assumedRoot":"true","signInSessionArn":"arn:aws:signin:us-east-1:111122223333:session/x"},"invokedByDelegate":{"accountId":"444455556666"},"inScopeOf":{"sourceArn":"arn:aws:lambda:us-east-1:111122223333:function:f","sourceAccount":"111122223333","issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn"}},"eventTime":"2024-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"DeleteObjects","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.7","userAgent":"[x]","requestParameters":{"b":1.0,"a":[{},""]},"responseElements":null,"additionalEventData":{},"requestID":"R","eventID":"11111111-2222-3333-4444-555555555555","readOnly":false,"resources":[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::b/"},{"ARN":"arn:aws:s3:::b","accountId":"111122223333","type":"AWS::S3::Bucket"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"b.s3.amazonaws.com","keyExchange":"X25519MLKEM768"}}"#;
    assert_eq!(check(source), source);
    let rows = decode(&[source]).events.unwrap();
    assert!(rows.batch.column_by_name("extra").unwrap().is_null(0));
}

#[test]
fn keeps_what_the_schema_does_not_know() {
    for source in [
        r#"{"eventName":"A","hostname":"h","randomseed":1.50,"tags":[1,{"b":2,"a":1}]}"#,
        r#"{"eventName":"A","userIdentity":{"accesKeyId":"x","type":"Root","new":{"k":[]}}}"#,
        r#"{"eventName":"A","userIdentity":{"sessionContext":{"attributes":{"key1":null}}}}"#,
        r#"{"eventName":"A","tlsDetails":{"tlsVersion":"1","pq":true},"addendum":{"originalUID":"u"}}"#,
        r#"{"eventName":"A","resources":[{"ARN":"a","region":"r"}],"resource":[]}"#,
    ] {
        check(source);
    }
}

#[test]
fn keeps_values_of_other_types() {
    for source in [
        r#"{"eventName":"A","readOnly":"true","managementEvent":"True","apiVersion":20140328}"#,
        r#"{"eventName":"A","requestParameters":"{ \"a\" : 1 }","responseElements":"","serviceEventDetails":[1]}"#,
        r#"{"eventName":"A","sourceIPAddress":{"ip":"198.51.100.7"},"userAgent":["x","y"],"eventID":9007199254740993}"#,
        r#"{"eventName":"A","userIdentity":"alice","resources":"","tlsDetails":[],"addendum":0}"#,
        r#"{"eventName":"A","resources":["arn",{},null,{"ARN":1},{"ARN":null},{"arn":"a"},{"ARN":"a","ARN":"b"}]}"#,
        r#"{"eventName":"A","userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":true},"webIdFederationData":{"attributes":{"a":1,"b":null}}}}}"#,
    ] {
        check(source);
    }
}

#[test]
fn tells_null_and_empty_from_absent() {
    for source in [
        r#"{"eventName":"A","responseElements":null,"requestParameters":{},"userIdentity":null}"#,
        r#"{"eventName":"A","userIdentity":{},"resources":[],"tlsDetails":{},"errorCode":null}"#,
        r#"{"eventName":"A","userIdentity":{"sessionContext":{"sessionIssuer":{},"webIdFederationData":{"attributes":{}}},"arn":null}}"#,
        r#"{"eventName":"A","errorCode":{},"readOnly":{},"resources":null,"managementEvent":null}"#,
        r#"{"eventName":"","eventSource":"","userIdentity":{"principalId":""}}"#,
    ] {
        check(source);
    }
}

#[test]
fn keeps_duplicate_keys_and_other_spellings() {
    for source in [
        r#"{"eventName":"A","eventName":"B","x":1,"x":2}"#,
        r#"{"eventName":"A","userIdentity":{"type":"Root"},"userIdentity":{"arn":"a"}}"#,
        r#"{"eventName":"A","userIdentity":{"type":"Root","type":"Root","arn":"a"}}"#,
        r#"{"eventname":"A","useridentity":{"sessioncontext":{"sessionissuer":{"username":"u"}}}}"#,
        r#"{"eventName":"A","EventName":"B","eventTime":"x","eventTime":null}"#,
        r#"{"\u0065ventName":"A","userIdentity":{"\u0074ype":"Root"}}"#,
        r#"{"eventName":"A","requestParameters":{"a":1,"a":2},"requestParameters":null}"#,
    ] {
        check(source);
    }
}

#[test]
fn keeps_texts_that_are_no_unicode() {
    for source in [
        r#"{"eventName":"A","userAgent":"\ud800","errorMessage":"x\udc00","requestParameters":{"\ud800":"\udfff"}}"#,
        r#"{"eventName":"A","userIdentity":{"userName":"\ud800\u0041"},"resources":[{"ARN":"\udc00"}]}"#,
        "{\"eventName\":\"A\",\"userAgent\":\"\u{0}\u{1b}[31m\u{202e}\",\"requestParameters\":{\"a\u{1}\":\"\n\"},\"x\u{2}\":\"\u{3}\"}",
    ] {
        check(source);
    }
}

#[test]
fn gives_back_times_from_where_they_came() {
    check(r#"{"eventName":"A","@timestamp":"2020-09-14T00:44:23.000Z","@version":"1"}"#);
    check(r#"{"eventName":"A","eventTime":null,"time":1571956406.0}"#);
    check(r#"{"eventName":"A","eventtime":"2022-02-08 09:23:37+11:00","time":"x"}"#);
}

#[test]
fn puts_a_record_back_into_what_wrapped_it() {
    let envelopes = [
        (r#"{"id":null,"detail":null,"account":"1"}"#, r#"{"id":null,"detail":R,"account":"1"}"#),
        (
            r#"{"Events":[{"EventId":"e","CloudTrailEvent":null}]}"#,
            r#"{"Events":[{"EventId":"e","CloudTrailEvent":R}]}"#,
        ),
        (r#"{"a":[null]}"#, r#"{"a":[R]}"#),
        (r#"{"own":null}"#, r#"{"own":R}"#),
    ];
    for (envelope, expected) in envelopes {
        let mut decoder = Decoder::new(Limits::default());
        let meta = RecordMeta { envelope: Some(envelope), ..meta(1) };
        let source = r#"{"eventName":"A"}"#;
        decoder.push(&file(), &meta, source.as_bytes()).unwrap();
        let rows = decoder.take().events.unwrap();
        assert_eq!(enveloped(&rows.batch, 0), expected.replace('R', source));
    }
    let rows = decode(&[r#"{"eventName":"A"}"#]).events.unwrap();
    assert_eq!(enveloped(&rows.batch, 0), r#"{"eventName":"A"}"#);
}

#[test]
fn reads_columns_in_any_order_and_of_any_text_type() {
    let source = r#"{"eventName":"A","userIdentity":{"type":"Root"},"readOnly":true,"x":1}"#;
    let batch = decode(&["{\"eventName\":\"other\"}", source]).events.unwrap().batch;
    let views = batch.project(&(0..batch.num_columns()).rev().collect::<Vec<_>>()).unwrap();
    let schema = views.schema();
    let columns = schema.fields().iter().zip(views.columns()).map(|(field, column)| {
        let view = DataType::Utf8View;
        let column = match field.data_type() {
            DataType::Utf8 => arrow::compute::cast(column, &view).unwrap(),
            _ => Arc::clone(column),
        };
        (field.name().clone(), column)
    });
    let views = RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
    for batch in [views.clone(), views.slice(1, 1)] {
        let row = batch.num_rows() - 1;
        assert_eq!(Json::read(&record(&batch, row)).normal(), Json::read(source).normal());
    }
}

/// Rebuilds every record below `folder` that is one.
fn check_samples(folder: &str) -> Option<usize> {
    let Some(root) = testing::samples(folder) else {
        eprintln!("skipped: no ../shared/data/{folder}");
        return None;
    };
    let mut n_records = 0;
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_sample(&path) {
                for source in testing::records(&read(&path)) {
                    check(&source);
                    n_records += 1;
                }
            }
        }
    }
    Some(n_records)
}

fn is_sample(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    [".json", ".json.gz", ".cloudtrail"].iter().any(|end| name.ends_with(end))
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut inflated = String::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(&bytes[..]).take(1 << 30);
    decoder.read_to_string(&mut inflated).unwrap();
    inflated.into_bytes()
}

#[test]
fn rebuilds_every_record_of_invictus() {
    assert!(check_samples("invictus").is_none_or(|n| n == 2_900));
}

#[test]
fn rebuilds_every_record_of_stratus() {
    assert!(check_samples("stratus").is_none_or(|n| n > 50));
}

#[test]
fn rebuilds_every_record_of_umccr() {
    assert!(check_samples("umccr").is_none_or(|n| n > 50));
}

#[test]
fn rebuilds_every_record_of_traildiscover() {
    assert!(check_samples("traildiscover").is_none_or(|n| n > 200));
}

#[test]
fn rebuilds_every_record_of_otrf() {
    assert!(check_samples("otrf").is_none_or(|n| n > 100));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_can_be_rebuilt_from_its_row(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let source = testing::record(&mut Choices(&bytes)).compact();
        let rows = decode(&[&source]).events.unwrap();
        let rebuilt = record(&rows.batch, 0);
        prop_assert_eq!(Json::read(&rebuilt).normal(), Json::read(&source).normal(), "{}\n{}", source, rebuilt);
        // And the rebuilt record is the same record: a copy, as deduplication sees it.
        let again = decode(&[&rebuilt]).events.unwrap();
        prop_assert_eq!(content(&again), content(&rows), "{}", source);
        prop_assert_eq!(again.keys[0].id, rows.keys[0].id);
    }

    #[test]
    fn extra_is_json_that_anyone_can_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let source = testing::record(&mut Choices(&bytes)).compact();
        let rows = decode(&[&source]).events.unwrap();
        for column in ["extra", "requestparameters"] {
            let column = rows.batch.column_by_name(column).unwrap();
            let json = text(Some(column), 0).unwrap_or("{}");
            let whole = scan::Scanner::new(Limits::default()).value(json.as_bytes(), 0, 0);
            if json.starts_with('{') {
                prop_assert_eq!(whole, Ok(scan::Value { end: json.len(), loose: false }));
            }
        }
    }
}
