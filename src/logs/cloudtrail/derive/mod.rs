//! What the companion columns say about a record, each from one or two of its texts.

mod deny;
#[cfg(test)]
mod tests;
mod time;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) use deny::denial;
pub(crate) use time::{days_from_civil, event_time};

/// What `sourceipaddress` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// The DNS name of a service.
    Service,
    /// `AWS Internal`, with or without a number.
    Internal,
}

impl Source {
    /// Reads it; nothing where it is neither, as an address some tool made unreadable.
    ///
    /// Octets with leading zeros, which anonymisers write, are no address: whether they are octal
    /// is anybody's guess.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.first()?.is_ascii_digit()
            && let Ok(ip) = text.parse::<Ipv4Addr>()
        {
            return Some(Self::Ip(IpAddr::V4(ip)));
        }
        if bytes.contains(&b':') {
            return text.parse::<Ipv6Addr>().ok().map(|ip| Self::Ip(IpAddr::V6(ip)));
        }
        let head = bytes.get(..12).unwrap_or(bytes);
        if head.eq_ignore_ascii_case(b"AWS Internal") || text.eq_ignore_ascii_case("aws.internal") {
            return Some(Self::Internal);
        }
        is_dns_name(bytes).then_some(Self::Service)
    }

    /// The word for it in `src_kind`.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Ip(IpAddr::V4(_)) => "ip4",
            Self::Ip(IpAddr::V6(_)) => "ip6",
            Self::Service => "service",
            Self::Internal => "internal",
        }
    }
}

/// Two labels at least, the last of letters.
fn is_dns_name(text: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', text) else { return false };
    let (host, top) = text.split_at(dot);
    top.len() > 2
        && top.iter().skip(1).all(u8::is_ascii_alphabetic)
        && !host.is_empty()
        && host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// `eventname` without the date and version of the API: `/(20\d\d_?\d\d_?\d\d)(v\d)?$/`.
pub(crate) fn base_name(name: &str) -> &str {
    let mut stem = name.as_bytes();
    if let [unversioned @ .., b'v', b'0'..=b'9'] = stem {
        stem = unversioned;
    }
    let date = match stem {
        [base @ .., b'2', b'0', y0, y1, b'_', m0, m1, b'_', d0, d1]
        | [base @ .., b'2', b'0', y0, y1, b'_', m0, m1, d0, d1]
        | [base @ .., b'2', b'0', y0, y1, m0, m1, b'_', d0, d1]
        | [base @ .., b'2', b'0', y0, y1, m0, m1, d0, d1] => Some((base, [y0, y1, m0, m1, d0, d1])),
        _ => None,
    };
    match date {
        Some((base, digits)) if digits.iter().all(|b| b.is_ascii_digit()) && !base.is_empty() => {
            name.get(..base.len()).unwrap_or(name)
        }
        _ => name,
    }
}

/// `eventsource` without `.amazonaws.com`.
pub(crate) fn service(source: &str) -> &str {
    let global = source.strip_suffix(".amazonaws.com");
    global.or_else(|| source.strip_suffix(".amazonaws.com.cn")).unwrap_or(source)
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Denied,
    Throttled,
    Error,
}

impl Outcome {
    /// Judges by the error's code and message.
    pub(crate) fn of(code: Option<&str>, message: Option<&str>) -> Self {
        let (None, None) = (code, message) else {
            return Self::of_error(code.unwrap_or_default(), message.unwrap_or_default());
        };
        Self::Ok
    }

    #[inline(never)]
    fn of_error(code: &str, message: &str) -> Self {
        match code {
            "" if message.is_empty() => Self::Ok,
            _ if is_denial(code) => Self::Denied,
            _ if is_throttle(code) || message.contains("Rate exceeded") => Self::Throttled,
            _ => Self::Error,
        }
    }

    /// The word for it in `outcome`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Error => "error",
        }
    }
}

fn is_denial(code: &str) -> bool {
    matches!(code, "UnauthorizedAccess" | "AuthorizationError" | "NotAuthorized")
        || code.contains("AccessDenied")
        || code.ends_with("UnauthorizedOperation")
}

fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "TooManyRequestsException" | "SlowDown" | "ProvisionedThroughputExceededException"
    ) || code.starts_with("Throttl")
        || code.ends_with("RequestLimitExceeded")
}

/// What kind of key an access key id is of, by its prefix.
pub(crate) fn key_kind(key: &str) -> Option<&'static str> {
    match key.as_bytes().first_chunk::<4>()? {
        b"AKIA" => Some("long-term"),
        b"ASIA" => Some("temporary"),
        _ => None,
    }
}

/// The account of an ARN.
pub(crate) fn arn_account(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(3).filter(|account| !account.is_empty())
}

/// `eventcategory` of records that are older than that field.
pub(crate) fn category(
    management: Option<bool>,
    event_type: &str,
    source: &str,
    name: &str,
) -> &'static str {
    if event_type.eq_ignore_ascii_case("AwsCloudTrailInsight") {
        return "Insight";
    }
    match (management, event_type) {
        (_, "AwsVpceEvent" | "AwsVpceEvents") => "NetworkActivity",
        (Some(false), _) => "Data",
        (None, "AwsApiCall" | "") if is_data_event(service(source), base_name(name)) => "Data",
        _ => "Management",
    }
}

/// The data events there were before records said so themselves: S3 objects, Lambda, DynamoDB.
fn is_data_event(service: &str, name: &str) -> bool {
    match service {
        "s3" => matches!(
            name,
            "GetObject"
                | "PutObject"
                | "HeadObject"
                | "CopyObject"
                | "DeleteObject"
                | "DeleteObjects"
                | "ListObjects"
                | "ListObjectVersions"
                | "GetObjectAcl"
                | "PutObjectAcl"
                | "GetObjectTagging"
                | "PutObjectTagging"
                | "DeleteObjectTagging"
                | "GetObjectTorrent"
                | "RestoreObject"
                | "SelectObjectContent"
                | "CreateMultipartUpload"
                | "UploadPart"
                | "UploadPartCopy"
                | "CompleteMultipartUpload"
                | "AbortMultipartUpload"
                | "ListParts"
                | "HeadBucket"
        ),
        "lambda" => name == "Invoke",
        "dynamodb" => matches!(
            name,
            "GetItem"
                | "PutItem"
                | "UpdateItem"
                | "DeleteItem"
                | "BatchGetItem"
                | "BatchWriteItem"
                | "Query"
                | "Scan"
        ),
        _ => false,
    }
}

const MULTIPLIER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Hashes texts, the same on every machine and in every version.
///
/// It orders rows and brings copies together within a run; no file format holds it, and equal
/// hashes are never taken for equal texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hasher(u128);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(MULTIPLIER >> 1)
    }

    /// Adds one text, which is not the same as adding its parts.
    #[inline]
    pub(crate) fn add(&mut self, text: &str) {
        let mut chunks = text.as_bytes().chunks_exact(8);
        for chunk in &mut chunks {
            self.word(chunk.first_chunk().map_or(0, |word| u64::from_le_bytes(*word)));
        }
        let tail = chunks.remainder().iter().rev().fold(0, |word, &b| word << 8 | u64::from(b));
        self.word(tail ^ (text.len() as u64) << 56 ^ (text.len() as u64));
    }

    /// Adds one number.
    #[inline]
    pub(crate) fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ u128::from(word)).wrapping_mul(MULTIPLIER);
        self.0 = mixed ^ mixed >> 64;
    }

    /// The hash of all that was added.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the hash")]
    pub(crate) fn finish(mut self) -> u64 {
        self.word(0);
        (self.0 >> 64) as u64 ^ self.0 as u64
    }
}
