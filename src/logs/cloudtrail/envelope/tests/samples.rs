//! One document of every shape, and what must come out of it.

#![expect(clippy::too_many_lines, reason = "tables")]

use super::super::{Shape, json};

/// A record as CloudTrail delivers it, the `n`th of its kind.
pub(super) fn record(n: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","accountId":"111122223333","userName":"a}}],\"b{{[\\"}},"eventTime":"2024-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.{n}","requestParameters":{{"list":[{{"eventVersion":"1.0"}},[],{{}}],"n":{n}.0}},"responseElements":null,"eventID":"00000000-0000-4000-8000-{n:012}","recipientAccountId":"111122223333"}}"#
    )
}

/// A document and what comes out of it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) document: Vec<u8>,
    pub(super) shape: Shape,
    pub(super) records: Vec<String>,
    /// The envelope of the first record.
    pub(super) envelope: Option<&'static str>,
    /// The members beside the records.
    pub(super) beside: Option<&'static str>,
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    json::quote(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

fn base64(text: &str) -> String {
    String::from_utf8(json::to_base64(text.as_bytes())).unwrap()
}

/// `document` with `@0`, `@1` replaced by records, `$0`, `$1` by strings that hold them, `%0`,
/// `%1` by base64 that does, and `#0`, `#1` by cells.
fn sample(
    name: &'static str,
    shape: Shape,
    n: usize,
    envelope: Option<&'static str>,
    document: &str,
) -> Sample {
    let records: Vec<_> = (0..n).map(record).collect();
    let mut text = document.to_owned();
    for (i, record) in records.iter().enumerate() {
        text = text
            .replace(&format!("@{i}"), record)
            .replace(&format!("${i}"), &quoted(record))
            .replace(&format!("%{i}"), &format!("\"{}\"", base64(record)))
            .replace(&format!("#{i}"), &format!("\"{}\"", record.replace('"', "\"\"")));
    }
    Sample { name, document: text.into_bytes(), shape, records, envelope, beside: None }
}

fn with_beside(sample: Sample, beside: &'static str) -> Sample {
    Sample { beside: Some(beside), ..sample }
}

/// Spread over lines.
fn pretty(text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

/// The shapes in which nothing worth telling wraps a record.
fn plain() -> Vec<Sample> {
    let mut all = vec![
        sample("records", Shape::Records, 2, None, r#"{"Records":[@0,@1]}"#),
        sample(
            "records, spread",
            Shape::Records,
            2,
            None,
            "{\n \"Records\" : [\r\n  @0 ,\n @1\n ]\n}\n",
        ),
        sample(
            "records, several",
            Shape::Records,
            3,
            None,
            r#"{"Records":[@0]}{"Records":[]} {"Records":[@1,@2]}"#,
        ),
        sample(
            "records in an array",
            Shape::Records,
            2,
            None,
            r#"[{"Records":[@0]},{"Records":[@1]}]"#,
        ),
        sample("array", Shape::Array, 3, None, "[@0,\n@1, @2]\n"),
        sample("nested arrays", Shape::Array, 2, None, "[[@0],[[@1]]]"),
        sample("object", Shape::Object, 1, None, "@0"),
        sample("lines", Shape::Lines, 3, None, "@0\n@1\r\n\n@2"),
        sample("lines with a mark", Shape::Lines, 2, None, "\u{FEFF}@0\n\u{FEFF}@1\n"),
        sample("lines with commas", Shape::Lines, 2, None, "@0\n,@1\n"),
        sample("concatenated", Shape::Concatenated, 3, None, "@0@1 @2"),
        sample("strings", Shape::Strings, 2, None, "[$0, $1]"),
        sample("strings, nested", Shape::Strings, 2, None, "[[$0], [$1]]"),
        sample("strings, lines", Shape::Strings, 2, None, "$0\n$1\n"),
    ];
    let mut object = sample("object, spread", Shape::Object, 1, None, "");
    object.document = pretty(&record(0)).into_bytes();
    object.records = vec![pretty(&record(0))];
    all.push(object);
    all
}

/// What AWS wraps records in.
fn by_aws() -> Vec<Sample> {
    let bridge = r#"{"version":"0","id":"i","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","time":"2024-01-02T03:04:05Z","region":"us-east-1","resources":[],"detail":null}"#;
    let one = bridge.replace("null", "@0");
    let two = bridge.replace("null", "@1");
    let inside = quoted(&bridge.replace("null", &record(0)));
    vec![
        sample(
            "records, other members",
            Shape::Records,
            2,
            Some(r#"{"a":{"Records":1},"Records":[null]}"#),
            r#"{"a": {"Records" : 1}, "Records":[@0,@1]}"#,
        ),
        with_beside(
            sample(
                "records, members behind",
                Shape::Records,
                1,
                None,
                r#"{"Records":[@0], "b" : [1, 2], "c":"}"}"#,
            ),
            r#"{"b":[1,2],"c":"}"}"#,
        ),
        with_beside(
            sample(
                "lookup-events",
                Shape::LookupEvents,
                2,
                Some(
                    r#"{"Events":[{"EventId":"e","ReadOnly":"true","Resources":[{"ResourceName":"b"}],"CloudTrailEvent":null,"Username":"u"}]}"#,
                ),
                r#"{"Events": [{"EventId": "e", "ReadOnly": "true", "Resources": [{"ResourceName": "b"}], "CloudTrailEvent": $0, "Username":"u"}, {"EventId":"f","CloudTrailEvent":$1}], "NextToken": "t"}"#,
            ),
            r#"{"NextToken":"t"}"#,
        ),
        sample(
            "lookup-events, token first",
            Shape::LookupEvents,
            1,
            Some(r#"{"NextToken":"t","Events":[{"CloudTrailEvent":null}]}"#),
            r#"{"NextToken":"t","Events":[{"CloudTrailEvent":$0}]}"#,
        ),
        sample(
            "lookup-events, lines",
            Shape::LookupEvents,
            2,
            Some(r#"{"EventId":"e","CloudTrailEvent":null}"#),
            "{\"EventId\":\"e\",\"CloudTrailEvent\":$0}\n{\"EventId\":\"f\",\"CloudTrailEvent\":$1}\n",
        ),
        sample(
            "lookup-events, array",
            Shape::LookupEvents,
            2,
            Some(r#"{"EventId":"e","CloudTrailEvent":null}"#),
            r#"[{"EventId":"e","CloudTrailEvent":$0},{"EventId":"f","CloudTrailEvent":$1}]"#,
        ),
        sample("eventbridge", Shape::EventBridge, 1, Some(bridge), &one),
        sample(
            "eventbridge, array",
            Shape::EventBridge,
            2,
            Some(bridge),
            &format!("[{one},{two}]"),
        ),
        sample(
            "eventbridge, lines",
            Shape::EventBridge,
            2,
            Some(bridge),
            &format!("{one}\n{two}\n"),
        ),
        sample(
            "eventbridge, as published",
            Shape::EventBridge,
            1,
            Some(
                r#"{"source":"aws.signin","detail":null,"resources":[],"detail-type":"AWS Console Sign In via CloudTrail","debug":true}"#,
            ),
            r#"{"source":"aws.signin", "detail": @0, "resources": [], "detail-type":"AWS Console Sign In via CloudTrail", "debug": true}"#,
        ),
        sample(
            "subscription",
            Shape::CloudWatchSubscription,
            2,
            Some(
                r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":null}]}"#,
            ),
            r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":$0},{"id":"2","timestamp":2,"message":$1}]}"#,
        ),
        sample(
            "subscriptions, with a test",
            Shape::CloudWatchSubscription,
            2,
            Some(r#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":null}]}"#),
            r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":$0}]}{"messageType":"DATA_MESSAGE","logEvents":[{"id":"2","message":$1}]}"#,
        ),
        with_beside(
            sample(
                "get-log-events",
                Shape::CloudWatchEvents,
                2,
                Some(r#"{"events":[{"timestamp":1,"message":null,"ingestionTime":2}]}"#),
                r#"{"events":[{"timestamp":1,"message":$0,"ingestionTime":2},{"timestamp":1,"message":$1}],"nextForwardToken":"f/1","nextBackwardToken":"b/1"}"#,
            ),
            r#"{"nextForwardToken":"f/1","nextBackwardToken":"b/1"}"#,
        ),
        with_beside(
            sample(
                "insights",
                Shape::CloudWatchInsights,
                2,
                Some(
                    r#"{"results":[[{"field":"@timestamp","value":"t"},{"field":"@message","value":null},{"field":"@ptr","value":"p"}]]}"#,
                ),
                r#"{"results":[[{"field":"@timestamp","value":"t"},{"field":"@message","value":$0},{"field":"@ptr","value":"p"}],[{"field":"@message","value":$1}]],"statistics":{"recordsMatched":2.0},"status":"Complete"}"#,
            ),
            r#"{"statistics":{"recordsMatched":2.0},"status":"Complete"}"#,
        ),
        sample(
            "lake, rows",
            Shape::Lake,
            2,
            Some(
                r#"{"QueryStatus":"FINISHED","QueryResultRows":[[{"eventID":"1"},{"eventJson":null}]]}"#,
            ),
            r#"{"QueryStatus":"FINISHED","QueryResultRows":[[{"eventID":"1"},{"eventJson":$0}],[{"eventJson":$1}]]}"#,
        ),
        sample(
            "export",
            Shape::CloudWatchExport,
            2,
            Some(r#"{"timestamp":"2024-01-02T03:04:05.000Z","message":null}"#),
            "2024-01-02T03:04:05.000Z @0\n2024-01-02T03:04:06.000Z @1\n",
        ),
        sample(
            "firehose, http",
            Shape::FirehoseHttp,
            2,
            Some(r#"{"requestId":"r","timestamp":1,"records":[{"data":null}]}"#),
            r#"{"requestId":"r","timestamp":1,"records":[{"data":%0},{"data":%1}]}"#,
        ),
        sample(
            "lake",
            Shape::Lake,
            1,
            Some(r#"{"eventJsonChecksum":"c","eventJson":null}"#),
            r#"{"eventJsonChecksum":"c","eventJson":$0}"#,
        ),
        sample(
            "sns",
            Shape::Sns,
            1,
            Some(r#"{"Type":"Notification","TopicArn":"t","Message":null}"#),
            r#"{"Type":"Notification","TopicArn":"t","Message":$0}"#,
        ),
        sample(
            "sqs",
            Shape::Sqs,
            2,
            Some(r#"{"Messages":[{"MessageId":"m","Body":null}]}"#),
            r#"{"Messages":[{"MessageId":"m","Body":$0},{"MessageId":"n","Body":$1}]}"#,
        ),
        sample(
            "sqs, to Lambda",
            Shape::Sqs,
            1,
            Some(
                r#"{"Records":[{"messageId":"m","receiptHandle":"r","body":null,"eventSource":"aws:sqs"}]}"#,
            ),
            r#"{"Records":[{"messageId":"m","receiptHandle":"r","body":$0,"eventSource":"aws:sqs"}]}"#,
        ),
        sample(
            "kinesis, to Lambda",
            Shape::Kinesis,
            1,
            Some(
                r#"{"Records":[{"kinesis":{"partitionKey":"p","data":null},"eventSource":"aws:kinesis","eventName":"aws:kinesis:record"}]}"#,
            ),
            r#"{"Records":[{"kinesis":{"partitionKey":"p","data":%0},"eventSource":"aws:kinesis","eventName":"aws:kinesis:record"}]}"#,
        ),
        sample(
            "eventbridge in cloudwatch",
            Shape::CloudWatchEvents,
            1,
            Some(
                r#"{"events":[{"timestamp":1,"message":"{\"version\":\"0\",\"id\":\"i\",\"detail-type\":\"AWS API Call via CloudTrail\",\"source\":\"aws.s3\",\"account\":\"111122223333\",\"time\":\"2024-01-02T03:04:05Z\",\"region\":\"us-east-1\",\"resources\":[],\"detail\":null}"}]}"#,
            ),
            &format!(r#"{{"events":[{{"timestamp":1,"message":{inside}}}]}}"#),
        ),
    ]
}

/// What others wrap records in.
fn by_others() -> Vec<Sample> {
    vec![
        sample(
            "aws.cloudtrail",
            Shape::AwsCloudTrail,
            2,
            Some(r#"{"@timestamp":"t","aws":{"cloudtrail":null},"cloud":{}}"#),
            r#"[{"@timestamp":"t","aws":{"cloudtrail":@0},"cloud":{}},{"aws":{"cloudtrail":@1}}]"#,
        ),
        with_beside(
            sample(
                "elasticsearch, hits",
                Shape::Elasticsearch,
                2,
                Some(
                    r#"{"took":1,"hits":{"total":{"value":2},"hits":[{"_id":"1","_source":null}]}}"#,
                ),
                r#"{"took":1,"hits":{"total":{"value":2},"hits":[{"_id":"1","_source":@0},{"_id":"2","_source":@1}],"x":1},"y":2}"#,
            ),
            r#"{"hits":{"x":1},"y":2}"#,
        ),
        sample(
            "elasticsearch, lines",
            Shape::Elasticsearch,
            2,
            Some(r#"{"_index":"i","_source":null}"#),
            "{\"_index\":\"i\",\"_source\":@0}\n{\"_index\":\"i\",\"_source\":@1}\n",
        ),
        sample(
            "elasticsearch, bulk",
            Shape::Lines,
            2,
            None,
            "{\"index\":{\"_index\":\"i\"}}\n@0\n{\"index\":{\"_index\":\"i\"}}\n@1\n",
        ),
        sample(
            "event.original",
            Shape::EventOriginal,
            1,
            Some(
                r#"{"message":null,"event":{"action":"x","original":null},"aws":{"cloudtrail":{"event_version":"1.08"}}}"#,
            ),
            r#"{"message":null,"event":{"action":"x","original":$0},"aws":{"cloudtrail":{"event_version":"1.08"}}}"#,
        ),
        sample(
            "event.original in _source",
            Shape::Elasticsearch,
            1,
            Some(r#"{"_source":{"event":{"original":null}}}"#),
            r#"{"_source":{"event":{"original":$0}}}"#,
        ),
        sample(
            "message",
            Shape::Message,
            1,
            Some(r#"{"@version":"1","message":null}"#),
            r#"{"@version":"1","message":$0}"#,
        ),
        sample(
            "splunk",
            Shape::Splunk,
            2,
            Some(r#"{"preview":false,"result":{"_raw":null,"_time":"t"}}"#),
            "{\"preview\":false,\"result\":{\"_raw\":$0,\"_time\":\"t\"}}\n{\"preview\":false,\"result\":{\"_raw\":$1}}\n",
        ),
        sample(
            "splunk, raw",
            Shape::Splunk,
            1,
            Some(r#"{"_raw":null,"host":"h"}"#),
            r#"{"_raw":$0,"host":"h"}"#,
        ),
        sample(
            "wazuh",
            Shape::Wazuh,
            1,
            Some(r#"{"rule":{},"data":{"integration":"aws","aws":null}}"#),
            r#"{"rule":{},"data":{"integration":"aws","aws":@0}}"#,
        ),
        sample(
            "nested",
            Shape::Nested,
            1,
            Some(r#"{"id":1,"event":null}"#),
            r#"{"id":1,"event":@0}"#,
        ),
        sample(
            "syslog",
            Shape::PrefixedLines,
            2,
            Some(r#"{"prefix":"<134>Jan  2 03:04:05 host trail: ","message":null}"#),
            "<134>Jan  2 03:04:05 host trail: @0\n<134>Jan  2 03:04:05 host trail: @1\n",
        ),
        sample(
            "csv",
            Shape::Csv,
            2,
            Some(r#"{"eventID":"1","eventJson":null,"note":"a, \"b\"\nc"}"#),
            "eventID,eventJson,note\r\n1,#0,\"a, \"\"b\"\"\nc\"\r\n2,#1,\r\n",
        ),
        sample(
            "csv, one column",
            Shape::Csv,
            2,
            Some(r#"{"eventJson":null}"#),
            "\"eventJson\"\n#0\n#1\n",
        ),
        sample(
            "tab-separated",
            Shape::Csv,
            1,
            Some(r#"{"time":"t","_raw":null}"#),
            "time\t_raw\nt\t#0\n",
        ),
    ]
}

/// All of them.
pub(super) fn all() -> Vec<Sample> {
    [plain(), by_aws(), by_others()].concat()
}
