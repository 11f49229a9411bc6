use super::{
    super::{Sniff, sniff},
    *,
};

/// Documents that hold no record, and what they are called.
const OTHERS: &[(&str, &str)] = &[
    (
        r#"{"awsAccountId":"111122223333","digestStartTime":"t","digestEndTime":"t","digestS3Bucket":"b","digestS3Object":"o","logFiles":[{"s3Bucket":"b"}]}"#,
        "CloudTrail digest file",
    ),
    (
        r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"t","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"}}}]}"#,
        "S3 event notification",
    ),
    (
        r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"}}}]}"#,
        "S3 event notification",
    ),
    (
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"t","Bucket":"b","RequestId":"r","HostId":"h"}"#,
        "S3 test event",
    ),
    (
        r#"{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":"{\"Records\":[{\"eventSource\":\"aws:s3\",\"s3\":{}}]}"}"#,
        "SNS message: S3 event notification",
    ),
    (
        r#"{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":"{\"s3Bucket\":\"b\",\"s3ObjectKey\":[\"k\"]}"}"#,
        "SNS message: CloudTrail delivery notification",
    ),
    (r#"{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":"hello"}"#, "SNS message"),
    (
        r#"{"Type":"SubscriptionConfirmation","TopicArn":"t","SubscribeURL":"u","Message":"m"}"#,
        "SNS subscription confirmation",
    ),
    (
        r#"{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"{\"s3Bucket\":\"b\",\"s3ObjectKey\":[]}"}}]}"#,
        "SNS message: CloudTrail delivery notification",
    ),
    (
        r#"{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\"}"}]}"#,
        "SQS message: S3 test event",
    ),
    (
        r#"{"Records":[{"messageId":"m","receiptHandle":"r","body":"x","eventSource":"aws:sqs","awsRegion":"us-east-1"}]}"#,
        "SQS message",
    ),
    (r#"{"s3Bucket":"b","s3ObjectKey":["k"]}"#, "CloudTrail delivery notification"),
    (r#"{"PublicKeyList":[{"Value":"v","Fingerprint":"f"}]}"#, "CloudTrail public keys"),
    (
        r#"{"Events":[{"EventId":"e","EventName":"A","EventTime":"t","Username":"u"}]}"#,
        "CloudTrail event without its record",
    ),
    (
        r#"{"fileVersion":"1.0","configSnapshotId":"c","configurationItems":[{"awsRegion":"us-east-1"}]}"#,
        "AWS Config snapshot",
    ),
    (
        r#"{"configurationItemStatus":"OK","resourceType":"AWS::S3::Bucket","awsRegion":"us-east-1"}"#,
        "AWS Config item",
    ),
    (
        r#"{"configRuleId":"c","invokingEvent":"{\"configurationItem\":{}}"}"#,
        "AWS Config rule event",
    ),
    (
        r#"{"detail-type":"Config Configuration Item Change","source":"aws.config","detail":{"configurationItem":{}}}"#,
        "AWS Config event",
    ),
    (
        r#"{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{"type":"T"}}"#,
        "GuardDuty finding",
    ),
    (
        "{\"schemaVersion\":\"2.0\",\"accountId\":\"111122223333\",\"type\":\"T\",\"service\":{\"serviceName\":\"guardduty\",\"detectorId\":\"d\"},\"severity\":5}\n",
        "GuardDuty finding",
    ),
    (
        r#"{"Findings":[{"SchemaVersion":"2018-10-08","ProductArn":"p","GeneratorId":"g","AwsAccountId":"111122223333"}]}"#,
        "Security Hub finding",
    ),
    (
        r#"{"detail-type":"Security Hub Findings - Imported","detail":{"findings":[]}}"#,
        "Security Hub finding",
    ),
    (
        r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"pending"}}"#,
        "EventBridge event: EC2 Instance State-change Notification",
    ),
    (
        r#"{"version":"0","detail-type":"ECS Deployment State Change","detail":{"eventType":"INFO","eventName":"SERVICE_DEPLOYMENT_COMPLETED","deploymentId":"d"}}"#,
        "EventBridge event: ECS Deployment State Change",
    ),
    (
        r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#,
        "CloudWatch Logs control message",
    ),
    (
        r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logEvents":[{"id":"1","timestamp":1,"message":"2 111122223333 eni-1 192.0.2.1 192.0.2.2 1 2 6 1 1 1 2 ACCEPT OK"}]}"#,
        "CloudWatch Logs subscription data",
    ),
    (
        r#"{"events":[{"timestamp":1,"message":"START RequestId"}],"nextForwardToken":"f"}"#,
        "CloudWatch Logs events",
    ),
    (
        r#"{"timestamp":1,"formatVersion":1,"webaclId":"w","action":"ALLOW","httpRequest":{"clientIp":"192.0.2.1"}}"#,
        "WAF log",
    ),
    (r#"[{"@timestamp":"t","aws":{"waf":{}}}]"#, "WAF log"),
    (
        r#"{"firewall_name":"f","availability_zone":"z","event":{"event_type":"netflow"}}"#,
        "Network Firewall log",
    ),
    (
        r#"{"version":"1.100000","account_id":"111122223333","query_name":"example.com.","query_type":"A","rcode":"NOERROR"}"#,
        "Route 53 resolver query log",
    ),
    (r#"{"version":2,"srcaddr":"192.0.2.1","dstaddr":"192.0.2.2"}"#, "VPC flow log"),
    (
        r#"{"sourceBucket":"b","destinationBucket":"arn:aws:s3:::d","version":"2016-11-30","fileFormat":"CSV","files":[]}"#,
        "S3 inventory manifest",
    ),
    (
        r#"{"AcceptRanges":"bytes","ContentLength":1,"ETag":"e","Metadata":{"signature":"00"}}"#,
        "S3 object metadata",
    ),
    (
        "version account-id interface-id srcaddr dstaddr srcport dstport\n2 111122223333 eni-1 192.0.2.1 192.0.2.2 1 2\n",
        "VPC flow log",
    ),
    (
        "2 111122223333 eni-0a1b 192.0.2.1 198.51.100.2 38471 12313 6 1 44 1674898496 1674898507 ACCEPT OK\n",
        "VPC flow log",
    ),
    (
        "http 2024-01-02T03:04:05.000000Z app/a/1 192.0.2.1:1 198.51.100.2:80 0.0 0.0 0.0 404 404 1 1 \"GET http://example.com:80/ HTTP/1.1\" \"-\"\n",
        "ELB access log",
    ),
    (
        "tls 2.0 2024-01-02T03:04:05 net/a/1 1 192.0.2.1:1 198.51.100.2:443 5 2 1 1 -\n",
        "ELB access log",
    ),
    (
        "2024-01-02T03:04:05.000000Z lb 192.0.2.1:1 198.51.100.2:80 0.0 0.0 0.0 200 200 0 29 \"GET http://example.com:80/ HTTP/1.1\"\n",
        "ELB access log",
    ),
    (
        "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes\n2024-01-02\t03:04:05\tHKG62-C2\t1\n",
        "CloudFront access log",
    ),
    (
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef bucket [06/Feb/2024:00:00:38 +0000] 192.0.2.3 - R REST.GET.OBJECT k \"GET /k HTTP/1.1\" 200 -\n",
        "S3 server access log",
    ),
    ("2024-01-02 03:04:05 UTC:192.0.2.1(5):u@db:[1]:ERROR: syntax error\n", "RDS log"),
    (
        "1.0 2024-01-02T03:04:05.000Z Z123412341234 example.com A NOERROR UDP FRA6 192.0.2.1 -\n",
        "Route 53 query log",
    ),
    ("# A data set\n\nSome logs, see below.\n", "Markdown text"),
    ("MIT License\n\nPermission is hereby granted, free of charge\n", "licence text"),
    ("a,b,c\n1,2,3\n4,5,6\n", "CSV table"),
    ("[]", "empty JSON array"),
    (" [ ]\n", "empty JSON array"),
    ("{}", "empty JSON object"),
    ("", "empty file"),
    ("\u{FEFF} \r\n", "empty file"),
    ("Just some words, and more of them.\nAnd again.\n", "text"),
    ("[section]\nkey = value\n", "text"),
    ("{% template %}", "text"),
    ("<?xml version=\"1.0\"?><a></a>", "XML document"),
    ("<!DOCTYPE html><html></html>", "HTML document"),
    ("%PDF-1.7\n", "PDF document"),
    ("[1, 2]", "JSON numbers"),
    ("[\"a\", \"b\"]", "JSON strings"),
    (r#"{"level":"info","msg":"x","n":1,"m":2}"#, "JSON with level, msg, n"),
    (
        "{\"level\":\"info\",\"msg\":\"x\"}\n{\"level\":\"warn\",\"msg\":\"y\"}\n",
        "JSON with level, msg",
    ),
    (r#"{"Records":{"a":1}}"#, "JSON with Records"),
    (r#"{"Records":[1,"a",null]}"#, "JSON numbers"),
];

#[test]
fn what_is_no_cloudtrail_is_named_and_gives_nothing() {
    for (document, name) in OTHERS {
        let framed = frame(document);
        assert_eq!(framed.kind, Kind::Other((*name).to_owned()), "{document}");
        assert_eq!(framed.items, [], "{document}");
    }
}

#[test]
fn binary_files_are_named_by_their_magic() {
    let tar = [vec![b'a'; 257], b"ustar\x0000".to_vec(), vec![0; 249]].concat();
    for (bytes, name, format) in [
        (&b"\x1F\x8B\x08\0"[..], "gzip data", Sniff::Gzip),
        (b"PK\x03\x04", "zip archive", Sniff::Zip),
        (b"PK\x05\x06\0\0", "zip archive", Sniff::Zip),
        (&tar, "tar archive", Sniff::Tar),
        (b"\x28\xB5\x2F\xFD\0", "Zstandard data", Sniff::Zstd),
        (b"\x50\x2A\x4D\x18\0\0", "Zstandard data", Sniff::Zstd),
        (b"BZh91AY&SY", "bzip2 data", Sniff::Bzip2),
        (b"\xFD7zXZ\0", "xz data", Sniff::Xz),
        (b"PAR1\x15", "Parquet file", Sniff::Parquet),
        (b"\xFF\xFE{\0", "UTF-16 text", Sniff::Utf16Le),
        (b"\xFE\xFF\0{", "UTF-16 text", Sniff::Utf16Be),
        (b"\x89PNG\r\n\x1A\n", "PNG image", Sniff::Plain),
        (b"\xFF\xD8\xFF\xE0", "JPEG image", Sniff::Plain),
        (b"SQLite format 3\0", "SQLite database", Sniff::Plain),
        (b"\x01\x02\x03\x80\x81", "binary data", Sniff::Plain),
        (b"{\"Records\":[]}", "", Sniff::Plain),
        (b"", "empty file", Sniff::Plain),
    ] {
        assert_eq!(sniff(bytes), format, "{name}");
        if !name.is_empty() {
            assert_eq!(frame(bytes).kind, Kind::Other(name.to_owned()));
        }
    }
}

#[test]
fn a_long_foreign_file_is_passed_over_in_bounded_memory_and_still_named() {
    let waf = r#"{"timestamp":1,"webaclId":"w","httpRequest":{}}"#;
    let lines = format!("{waf}\n").repeat(5000);
    assert_eq!(frame(&lines).kind, Kind::Other("WAF log".to_owned()));
    let framed = frame(format!("{lines}{}", samples::record(1)));
    assert_eq!(framed.records(), [samples::record(1)]);
    assert_eq!(framed.n_rejects(), 1000);
    let covered: u64 = framed
        .items
        .iter()
        .map(|item| match item {
            Got::Reject { length, .. } => *length,
            Got::Record { .. } => 0,
        })
        .sum();
    // All but the line ends between the first thousand are accounted for.
    assert_eq!(covered, lines.len() as u64 - 1000);
    assert_eq!(framed.kind, Kind::CloudTrail);

    let items = format!(
        r#"{{"fileVersion":"1.0","configSnapshotId":"c","configurationItems":["{}"]}}"#,
        "x".repeat(9 << 20)
    );
    assert_eq!(frame(items).kind, Kind::Other("AWS Config snapshot".to_owned()));
    let other = format!(r#"{{"list":["{}"]}}"#, "x".repeat(9 << 20));
    assert_eq!(frame(other).kind, Kind::Other("JSON with list".to_owned()));
}
