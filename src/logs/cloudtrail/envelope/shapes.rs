//! The one table of the places in which records stand in other documents.

use super::record::Place;

/// The shape a record came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `{"Records":[…]}`: a delivery file.
    Records,
    /// `[…]`.
    Array,
    /// An object alone, or spread over several lines.
    Object,
    /// One object to the line.
    Lines,
    /// Objects one after another without a line's end between them.
    Concatenated,
    /// JSON strings that hold a record each: `--query 'Events[].CloudTrailEvent'`.
    Strings,
    /// The output of `aws cloudtrail lookup-events`, or one of its events.
    LookupEvents,
    /// An `EventBridge` event with the record as its `detail`.
    EventBridge,
    /// A CloudWatch Logs subscription's `DATA_MESSAGE`.
    CloudWatchSubscription,
    /// `aws logs get-log-events` or `filter-log-events`; Firehose with decompression.
    CloudWatchEvents,
    /// `aws logs get-query-results`: `results[][].value` of the field `@message`.
    CloudWatchInsights,
    /// A CloudWatch Logs export to S3: `<ISO timestamp> <record>` to the line.
    CloudWatchExport,
    /// Any other text in front of a record on its line.
    PrefixedLines,
    /// The body of a Firehose HTTP delivery: `records[].data` in base64.
    FirehoseHttp,
    /// Lake's query results: `eventJson`, also below `QueryResultRows[][]`.
    Lake,
    /// Elasticsearch or `OpenSearch` documents: `_source`, also below `hits.hits`.
    Elasticsearch,
    /// `event.original` of the Elastic Common Schema.
    EventOriginal,
    /// `aws.cloudtrail`, as the `OpenSearch` catalogue has it.
    AwsCloudTrail,
    /// `data.aws`, as Wazuh has it.
    Wazuh,
    /// Splunk: `_raw` or `result`.
    Splunk,
    /// A string called `message` (Logstash, Filebeat, Graylog), or the like.
    Message,
    /// A record nested under another name.
    Nested,
    /// An SNS notification's `Message`.
    Sns,
    /// An SQS message's `body`.
    Sqs,
    /// A Kinesis record's `data`.
    Kinesis,
    /// A column of a table of comma- or tab-separated values.
    Csv,
}

impl Shape {
    /// The word for it in the column `shape`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Array => "array",
            Self::Object => "object",
            Self::Lines => "lines",
            Self::Concatenated => "concatenated",
            Self::Strings => "strings",
            Self::LookupEvents => "lookup-events",
            Self::EventBridge => "eventbridge",
            Self::CloudWatchSubscription => "cloudwatch-subscription",
            Self::CloudWatchEvents => "cloudwatch-events",
            Self::CloudWatchInsights => "cloudwatch-insights",
            Self::CloudWatchExport => "cloudwatch-export",
            Self::PrefixedLines => "prefixed-lines",
            Self::FirehoseHttp => "firehose-http",
            Self::Lake => "lake",
            Self::Elasticsearch => "elasticsearch",
            Self::EventOriginal => "event-original",
            Self::AwsCloudTrail => "aws-cloudtrail",
            Self::Wazuh => "wazuh",
            Self::Splunk => "splunk",
            Self::Message => "message",
            Self::Nested => "nested",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::Kinesis => "kinesis",
            Self::Csv => "csv",
        }
    }
}

/// What stands at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// A JSON value.
    Json,
    /// A string that holds JSON.
    Text,
    /// A string that holds JSON in base64.
    Base64,
}

/// A place in which records stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) shape: Shape,
    /// Keys from the outside in; [`EACH`] is every element of an array, [`ANY`] one of a row.
    pub(super) path: &'static [&'static str],
    pub(super) leaf: Leaf,
    /// How sure one must be of what stands there.
    pub(super) place: Place,
}

/// Every element.
pub(super) const EACH: &str = "[]";
/// The one element of a row that holds a record; the others belong to it.
pub(super) const ANY: &str = "[*]";

const fn route(shape: Shape, path: &'static [&'static str], leaf: Leaf, place: Place) -> Route {
    Route { shape, path, leaf, place }
}

/// The places, most telling first. What has an [`EACH`] is read element by element, however long.
pub(super) static ROUTES: &[Route] = {
    use Leaf::{Base64, Json, Text};
    use Place::{Anywhere, Expected};
    &[
        route(Shape::Records, &["Records", EACH], Json, Expected),
        route(Shape::LookupEvents, &["Events", EACH, "CloudTrailEvent"], Text, Expected),
        route(Shape::CloudWatchSubscription, &["logEvents", EACH, "message"], Text, Anywhere),
        route(Shape::CloudWatchEvents, &["events", EACH, "message"], Text, Anywhere),
        route(Shape::FirehoseHttp, &["records", EACH, "data"], Base64, Anywhere),
        route(Shape::Elasticsearch, &["hits", "hits", EACH, "_source"], Json, Anywhere),
        route(Shape::Sqs, &["Messages", EACH, "Body"], Text, Anywhere),
        route(Shape::CloudWatchInsights, &["results", EACH, ANY, "value"], Text, Anywhere),
        route(Shape::Lake, &["QueryResultRows", EACH, ANY, "eventJson"], Text, Expected),
        route(Shape::LookupEvents, &["CloudTrailEvent"], Text, Expected),
        route(Shape::EventBridge, &["detail"], Json, Expected),
        route(Shape::Lake, &["eventJson"], Text, Expected),
        route(Shape::Lake, &["eventjson"], Text, Expected),
        route(Shape::Elasticsearch, &["_source"], Json, Anywhere),
        route(Shape::EventOriginal, &["event", "original"], Text, Anywhere),
        route(Shape::EventOriginal, &["event.original"], Text, Anywhere),
        route(Shape::AwsCloudTrail, &["aws", "cloudtrail"], Json, Anywhere),
        route(Shape::Wazuh, &["data", "aws"], Json, Anywhere),
        route(Shape::Splunk, &["result", "_raw"], Text, Anywhere),
        route(Shape::Splunk, &["_raw"], Text, Anywhere),
        route(Shape::Splunk, &["result"], Json, Anywhere),
        route(Shape::Sns, &["Message"], Text, Anywhere),
        route(Shape::Sns, &["Sns", "Message"], Text, Anywhere),
        route(Shape::Sqs, &["body"], Text, Anywhere),
        route(Shape::Sqs, &["Body"], Text, Anywhere),
        route(Shape::Kinesis, &["kinesis", "data"], Base64, Anywhere),
        route(Shape::Message, &["message"], Text, Anywhere),
        route(Shape::Message, &["@message"], Text, Anywhere),
        route(Shape::Message, &["log"], Text, Anywhere),
        route(Shape::Nested, &["event"], Json, Anywhere),
        route(Shape::Nested, &["message"], Json, Anywhere),
        route(Shape::Nested, &["record"], Json, Anywhere),
        route(Shape::Nested, &["cloudtrail"], Json, Anywhere),
        route(Shape::Nested, &["data"], Json, Anywhere),
        route(Shape::Nested, &["log"], Json, Anywhere),
    ]
};

impl Route {
    /// The keys in front of the array whose elements are read one by one.
    pub(super) fn container(&self) -> Option<&'static [&'static str]> {
        let each = self.path.iter().position(|step| *step == EACH)?;
        self.path.get(..each)
    }

    /// The keys within one element.
    pub(super) fn within(&self) -> &'static [&'static str] {
        let from = self.container().map_or(0, |keys| keys.len() + 1);
        self.path.get(from..).unwrap_or_default()
    }
}

/// Whether the container's elements are rows, each an array that is one element.
pub(super) fn has_rows(container: Option<&[&str]>) -> bool {
    let mut routes = ROUTES.iter().filter(|route| route.container() == container);
    container.is_some() && routes.any(|route| route.within().first() == Some(&ANY))
}

/// What lies behind a key on the way to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An array of what holds records.
    Array(&'static [&'static str]),
    /// An object that may have such an array.
    Object,
    /// Nothing.
    Aside,
}

/// Looks a key up behind the `n` keys of `so_far` on the way to a container.
pub(super) fn step(so_far: &[&str], key: &[u8], opens_with: u8) -> Step {
    let n = so_far.len();
    for keys in ROUTES.iter().filter_map(Route::container) {
        let on_way =
            keys.get(..n) == Some(so_far) && keys.get(n).is_some_and(|step| step.as_bytes() == key);
        match (on_way, keys.len() == n + 1, opens_with) {
            (true, true, b'[') => return Step::Array(keys),
            (true, false, b'{') => return Step::Object,
            _ => {}
        }
    }
    Step::Aside
}

/// The key of a container's way at a depth, for building it anew.
pub(super) fn find_key(so_far: usize, key: &[u8]) -> Option<&'static str> {
    ROUTES
        .iter()
        .filter_map(Route::container)
        .filter_map(|keys| keys.get(so_far))
        .copied()
        .find(|step| step.as_bytes() == key)
}
