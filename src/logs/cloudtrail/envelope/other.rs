//! Names JSON that is no CloudTrail record.

use super::json::{self, Members, Span};

/// How long a key or type may be in a name, in characters.
const MAX_WORD: usize = 60;

/// A kind of JSON object, known by keys it has.
struct Known {
    name: &'static str,
    /// Keys that must be there; a dot leads into an object.
    keys: &'static [&'static str],
}

const fn known(name: &'static str, keys: &'static [&'static str]) -> Known {
    Known { name, keys }
}

/// Kinds of objects, most telling first.
static KNOWN: &[Known] = &[
    known("CloudTrail digest file", &["digestStartTime", "digestEndTime"]),
    known("CloudTrail digest file", &["digestS3Object"]),
    known("CloudTrail delivery notification", &["s3Bucket", "s3ObjectKey"]),
    known("CloudTrail public keys", &["PublicKeyList"]),
    known("CloudTrail public keys", &["publicKeyList"]),
    known("CloudTrail event without its record", &["EventId", "EventName", "EventTime"]),
    known("AWS Config item", &["configurationItemStatus"]),
    known("AWS Config item", &["configurationItemVersion"]),
    known("AWS Config item", &["configurationItemCaptureTime", "resourceType"]),
    known("AWS Config snapshot", &["configSnapshotId"]),
    known("AWS Config item", &["configurationItems"]),
    known("AWS Config rule event", &["configRuleId", "invokingEvent"]),
    known("AWS Config notification", &["messageType", "notificationCreationTime"]),
    known("AWS Config notification", &["configurationItem"]),
    known("GuardDuty finding", &["service.detectorId"]),
    known("GuardDuty finding", &["Service.DetectorId"]),
    known("Security Hub finding", &["ProductArn", "GeneratorId"]),
    known("Security Hub finding", &["AwsAccountId", "SchemaVersion", "Types"]),
    known("Inspector finding", &["findingArn", "awsAccountId"]),
    known("Macie finding", &["resourcesAffected", "severity", "category"]),
    known("OCSF event", &["class_uid", "metadata"]),
    known("WAF log", &["webaclId", "httpRequest"]),
    known("Network Firewall log", &["firewall_name", "event"]),
    known("Route 53 resolver query log", &["query_name", "query_type", "rcode"]),
    known("VPC flow log", &["srcaddr", "dstaddr"]),
    known("WAF log", &["aws.waf"]),
    known("ELB access log", &["aws.elb"]),
    known("CloudFront access log", &["aws.cloudfront"]),
    known("CloudFront access log", &["x-edge-location"]),
    known("VPC flow log", &["aws.vpc"]),
    known("RDS log", &["aws.rds"]),
    known("S3 server access log", &["aws.s3"]),
    known("S3 inventory manifest", &["sourceBucket", "destinationBucket", "files"]),
    known("S3 object metadata", &["ContentLength", "ETag", "Metadata"]),
    known("SNS subscription confirmation", &["Type", "TopicArn", "SubscribeURL"]),
    known("Elasticsearch bulk request", &["index._index"]),
    known("Elasticsearch bulk request", &["create._index"]),
    known("CloudFormation template", &["AWSTemplateFormatVersion"]),
    known("IAM policy", &["Version", "Statement"]),
    known("SNS message", &["Type", "TopicArn", "Message"]),
    known("SNS message", &["Sns"]),
    known("SQS message", &["receiptHandle", "body"]),
    known("SQS message", &["ReceiptHandle", "Body"]),
    known("SQS messages", &["Messages"]),
    known("CloudWatch Logs subscription data", &["messageType", "logEvents"]),
];

/// Names a JSON value that is no record.
pub(super) fn name(value: &[u8]) -> String {
    name_within(value, 3)
}

/// Names a JSON value that is no record, by the container it stands in where that tells more.
pub(super) fn name_in(value: &[u8], container: Option<&[&str]>) -> String {
    let is_void = is_void(value);
    match container {
        Some(["logEvents"]) if !is_void => "CloudWatch Logs subscription data".to_owned(),
        Some(["events"]) if !is_void && json::member(value, "message").is_some() => {
            "CloudWatch Logs events".to_owned()
        }
        _ => name(value),
    }
}

/// Names a JSON object that may be cut off, where it is a kind that has a name of its own.
pub(super) fn known_kind(text: &[u8]) -> Option<String> {
    if text.first() != Some(&b'{') {
        return None;
    }
    let object = Object::new(text);
    let of_its_own = event_source(&object).or_else(|| event_bridge(&object));
    of_its_own.or_else(|| object.known().map(str::to_owned))
}

/// An object and where its members stand.
struct Object<'b> {
    bytes: &'b [u8],
    members: Vec<Span>,
}

impl<'b> Object<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        let members = match bytes.first() {
            Some(b'{') => Members::new(bytes).collect(),
            _ => Vec::new(),
        };
        Self { bytes, members }
    }

    /// The value of the first member called `key`.
    fn get(&self, key: &str) -> Option<&'b [u8]> {
        let mut members = self.members.iter();
        let found = members.find(|m| json::part(self.bytes, m.key.clone()) == key.as_bytes())?;
        Some(json::part(self.bytes, found.value.clone()))
    }

    /// The text of the string member called `key`, as spelled.
    fn text(&self, key: &str) -> Option<&'b [u8]> {
        self.get(key)?.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// Whether there is such a member; a dot leads into an object.
    fn has(&self, key: &str) -> bool {
        match key.split_once('.') {
            Some((outer, inner)) => {
                self.get(outer).is_some_and(|value| json::member(value, inner).is_some())
            }
            None => self.get(key).is_some(),
        }
    }

    /// What kind it is, by its keys.
    fn known(&self) -> Option<&'static str> {
        KNOWN.iter().find(|kind| kind.keys.iter().all(|key| self.has(key))).map(|kind| kind.name)
    }
}

/// Names JSON that may be cut off, from its beginning.
pub(super) fn sketch(text: &[u8]) -> String {
    let text = json::trim(text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text));
    let inner = text.strip_prefix(b"[").map_or(text, json::trim);
    if let Some(name) = known_kind(inner) {
        return name;
    }
    match (super::probe::first_key(inner), inner) {
        (Some(key), _) => format!("JSON with {}", word(key)),
        (None, b"]") => "empty JSON array".to_owned(),
        _ => "JSON".to_owned(),
    }
}

fn name_within(value: &[u8], depth: u8) -> String {
    match value.first() {
        Some(b'{') => name_object(value, depth),
        Some(b'[') => match json::Elements::new(value).next() {
            Some(first) if depth > 0 => name_within(json::part(value, first), depth - 1),
            Some(_) => "JSON arrays".to_owned(),
            None => "empty JSON array".to_owned(),
        },
        Some(b'"') => "JSON strings".to_owned(),
        Some(b'-' | b'0'..=b'9') => "JSON numbers".to_owned(),
        _ => "JSON literals".to_owned(),
    }
}

fn name_object(bytes: &[u8], depth: u8) -> String {
    let object = Object::new(bytes);
    if let Some(name) = event_source(&object).or_else(|| event_bridge(&object)) {
        return name;
    }
    if let Some(name) = object.known() {
        // What a message carries tells more than the message.
        let inner = ["Message", "body", "Body"].into_iter().find_map(|key| object.text(key));
        return match inner.filter(|_| depth > 0 && name.ends_with("message")) {
            Some(inner) => carrying(name, inner, depth - 1),
            None => name.to_owned(),
        };
    }
    if object.text("Event") == Some(b"s3:TestEvent") {
        return "S3 test event".to_owned();
    }
    if let Some(name) = listed(&object, depth) {
        return name;
    }
    if object.text("message").is_some_and(|text| text.starts_with(CONTROL)) {
        return CONTROL_NAME.to_owned();
    }
    let keys = object.members.iter().take(3).map(|m| word(json::part(bytes, m.key.clone())));
    match keys.collect::<Vec<_>>().as_slice() {
        [] => "empty JSON object".to_owned(),
        keys => format!("JSON with {}", keys.join(", ")),
    }
}

/// The name of what an object lists, such as findings.
fn listed(object: &Object<'_>, depth: u8) -> Option<String> {
    let keys = ["Records", "Findings", "findings", "logEvents", "Messages"];
    let list = keys.into_iter().find_map(|key| object.get(key))?;
    let first = json::Elements::new(list).next().filter(|_| depth > 0 && list.starts_with(b"["))?;
    Some(name_within(json::part(list, first), depth - 1))
}

/// Notifications that look like CloudTrail records: `eventSource` is `aws:s3` and the like.
fn event_source(object: &Object<'_>) -> Option<String> {
    let Some(source) = object.text("eventSource").or_else(|| object.text("EventSource")) else {
        let is_s3 = object.has("s3.bucket") && object.has("eventName");
        return is_s3.then(|| "S3 event notification".to_owned());
    };
    let (name, inner) = match source {
        b"aws:s3" => ("S3 event notification", None),
        b"aws:sqs" => ("SQS message", object.text("body")),
        b"aws:sns" => {
            let sns = object.get("Sns");
            ("SNS message", sns.and_then(|sns| Object::new(sns).text("Message")))
        }
        b"aws:dynamodb" => ("DynamoDB stream record", None),
        b"aws:kinesis" => ("Kinesis stream record", None),
        _ => {
            let service = source.strip_prefix(b"aws:")?;
            return Some(format!("{} event", word(service)));
        }
    };
    Some(inner.map_or_else(|| name.to_owned(), |inner| carrying(name, inner, 1)))
}

/// A message, named with the document that it carries as a string.
fn carrying(what: &str, inner: &[u8], depth: u8) -> String {
    match json::unescape(inner) {
        Some(text) if text.starts_with(b"{") => format!("{what}: {}", name_within(&text, depth)),
        _ => what.to_owned(),
    }
}

fn event_bridge(object: &Object<'_>) -> Option<String> {
    let detail_type = object.text("detail-type")?;
    Some(match detail_type {
        b"GuardDuty Finding" => "GuardDuty finding".to_owned(),
        b"Macie Finding" => "Macie finding".to_owned(),
        b"Inspector2 Finding" => "Inspector finding".to_owned(),
        _ if detail_type.starts_with(b"Security Hub Findings") => "Security Hub finding".to_owned(),
        _ if detail_type.starts_with(b"Config ") => "AWS Config event".to_owned(),
        _ => format!("EventBridge event: {}", word(detail_type)),
    })
}

/// Whether an `EventBridge` event carries a CloudTrail record, by its own word.
pub(super) fn is_via_cloudtrail(event: &[u8]) -> bool {
    json::text(event, "detail-type").is_some_and(|text| text.ends_with(b"via CloudTrail"))
}

/// How CloudWatch Logs begins the message by which it tests a subscription.
const CONTROL: &[u8] = b"CWL CONTROL MESSAGE";
/// What that is called.
pub(super) const CONTROL_NAME: &str = "CloudWatch Logs control message";

/// Whether it stands between records by design, holding none and missing none.
pub(super) fn is_void(element: &[u8]) -> bool {
    let is_control = json::text(element, "message").is_some_and(|text| text.starts_with(CONTROL));
    is_control
        || ["index._index", "create._index"].iter().any(|key| Object::new(element).has(key))
            && Members::new(element).count() == 1
}

/// A word out of a file, for a name.
fn word(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(json::part(bytes, 0..4 * MAX_WORD));
    text.chars().take(MAX_WORD).collect()
}
