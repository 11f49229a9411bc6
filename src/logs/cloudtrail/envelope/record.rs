//! Is it a CloudTrail record?
//!
//! No key is in every record (Insight and aggregated events lack most), and look-alikes share
//! many: S3, `DynamoDB` and other notifications have `eventVersion`, `eventSource`, `eventName` and
//! `awsRegion` too, but their `eventSource` begins with `aws:`. So the keys are weighed.
//! Source: the [record contents] in the CloudTrail user guide.
//!
//! [record contents]: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

use memchr::memmem;

use super::json::{self, Span};

/// How sure one must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where CloudTrail puts its records: an element of `Records`, an `EventBridge` `detail`.
    Expected,
    /// Anywhere else.
    Anywhere,
}

impl Place {
    fn weight_needed(self) -> u32 {
        match self {
            Self::Expected => 2,
            Self::Anywhere => 4,
        }
    }
}

/// What a key tells for a record. Athena and Lake give the keys back in lower case.
fn weight(key: &[u8]) -> u32 {
    match key {
        b"eventVersion"
        | b"eventName"
        | b"eventSource"
        | b"userIdentity"
        | b"eventID"
        | b"recipientAccountId"
        | b"insightDetails"
        | b"eventversion"
        | b"eventname"
        | b"eventsource"
        | b"useridentity"
        | b"eventid"
        | b"recipientaccountid"
        | b"insightdetails" => 2,
        b"eventTime"
        | b"eventType"
        | b"eventCategory"
        | b"awsRegion"
        | b"sourceIPAddress"
        | b"userAgent"
        | b"requestParameters"
        | b"responseElements"
        | b"requestID"
        | b"readOnly"
        | b"managementEvent"
        | b"additionalEventData"
        | b"serviceEventDetails"
        | b"sharedEventID"
        | b"tlsDetails"
        | b"apiVersion"
        | b"eventId"
        | b"timeWindow"
        | b"vpcEndpointId"
        | b"errorCode"
        | b"errorMessage"
        | b"eventtime"
        | b"eventtype"
        | b"eventcategory"
        | b"awsregion"
        | b"sourceipaddress"
        | b"useragent"
        | b"requestparameters"
        | b"responseelements"
        | b"requestid"
        | b"readonly"
        | b"managementevent"
        | b"additionaleventdata" => 1,
        _ => 0,
    }
}

/// Whether only a record has such a first key, so that what follows need not be looked through
/// for a container of records.
pub(super) fn leads_record(key: &[u8]) -> bool {
    weight(key) > 0
}

/// Whether it begins as CloudTrail delivers them: version 1 and a `userIdentity`, which no
/// look-alike has behind its version.
pub(super) fn is_delivered(object: &[u8]) -> bool {
    let eat = |at: usize, token: &[u8]| {
        let at = json::skip_space(object, at);
        object.get(at..)?.starts_with(token).then_some(at + token.len())
    };
    let version =
        eat(0, b"{").and_then(|at| eat(at, b"\"eventVersion\"")).and_then(|at| eat(at, b":"));
    let Some(digits) = version.and_then(|at| eat(at, b"\"1.")) else { return false };
    let rest = object.get(digits..).unwrap_or_default();
    let n_digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let end = eat(digits + n_digits, b"\"").and_then(|at| eat(at, b","));
    end.and_then(|at| eat(at, b"\"userIdentity\"")).is_some()
}

/// Whether the object is a CloudTrail record, by its members.
pub(super) fn is_record(
    object: &[u8],
    members: impl IntoIterator<Item = Span>,
    place: Place,
) -> bool {
    let mut sum = 0;
    let mut sourced = false;
    let mut foreign = false;
    for Span { key, value } in members {
        let key = json::part(object, key);
        sum += weight(key);
        match key {
            b"eventSource" | b"eventsource" => {
                if json::part(object, value).starts_with(b"\"aws:") {
                    return false;
                }
                sourced = true;
            }
            b"s3" | b"Sns" | b"dynamodb" | b"kinesis" => foreign = true,
            _ => {}
        }
        if sourced && sum >= place.weight_needed() {
            return true;
        }
    }
    sum >= place.weight_needed() && !foreign
}

/// Whether what is damaged or cut off was a record, as far as can be told.
pub(super) fn resembles(text: &[u8]) -> bool {
    let start = json::part(text, 0..4096);
    let keys: [&[u8]; 3] = [b"\"eventSource\"", b"\"eventVersion\"", b"\"userIdentity\""];
    let mut found = keys.into_iter().map(|key| (memmem::find(start, key), key.len()));
    let Some((Some(source), length)) = found.next() else {
        return found.any(|(at, _)| at.is_some());
    };
    let colon = json::skip_space(start, source + length);
    let value = json::skip_space(start, colon + 1);
    !json::part(start, value..start.len()).starts_with(b"\"aws:")
}
