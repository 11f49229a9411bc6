//! What the companion columns say about a record, each from one or two of its texts.

mod deny;
#[cfg(test)]
mod tests;
mod time;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

pub(crate) use deny::{Denial, denial};
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
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let first = *text.first()?;
        if first.is_ascii_digit() {
            if let Some(ip) = ascii::<Ipv4Addr>(text) {
                return Some(Self::Ip(IpAddr::V4(ip)));
            }
        }
        if text.contains(&b':') {
            return ascii::<Ipv6Addr>(text).map(|ip| Self::Ip(IpAddr::V6(ip)));
        }
        let head = text.get(..12).unwrap_or(text);
        if head.eq_ignore_ascii_case(b"AWS Internal") || text.eq_ignore_ascii_case(b"aws.internal")
        {
            return Some(Self::Internal);
        }
        is_dns_name(text).then_some(Self::Service)
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

fn ascii<T: FromStr>(text: &[u8]) -> Option<T> {
    str::from_utf8(text).ok()?.parse().ok()
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
pub(crate) fn base_name(name: &[u8]) -> &[u8] {
    let stem = match name {
        [stem @ .., b'v', b'0'..=b'9'] => stem,
        _ => name,
    };
    let date = match stem {
        [.., b'2', b'0', a, b, b'_', c, d, b'_', e, f] => Some(([a, b, c, d, e, f], 10)),
        [.., b'2', b'0', a, b, b'_', c, d, e, f] => Some(([a, b, c, d, e, f], 9)),
        [.., b'2', b'0', a, b, c, d, b'_', e, f] => Some(([a, b, c, d, e, f], 9)),
        [.., b'2', b'0', a, b, c, d, e, f] => Some(([a, b, c, d, e, f], 8)),
        _ => None,
    };
    match date {
        Some((digits, length)) if digits.iter().all(|b| b.is_ascii_digit()) => {
            match stem.get(..stem.len() - length) {
                Some(base) if !base.is_empty() => base,
                _ => name,
            }
        }
        _ => name,
    }
}

/// `eventsource` without `.amazonaws.com`.
pub(crate) fn service(source: &[u8]) -> &[u8] {
    let global = source.strip_suffix(b".amazonaws.com");
    global.or_else(|| source.strip_suffix(b".amazonaws.com.cn")).unwrap_or(source)
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
    pub(crate) fn of(code: Option<&[u8]>, message: Option<&[u8]>) -> Self {
        let code = code.unwrap_or_default();
        let message = message.unwrap_or_default();
        if code.is_empty() && message.is_empty() {
            return Self::Ok;
        }
        let has = |part: &[u8]| memchr::memmem::find(code, part).is_some();
        let rate = || memchr::memmem::find(message, b"Rate exceeded").is_some();
        match code {
            b"UnauthorizedAccess" | b"AuthorizationError" | b"NotAuthorized" => Self::Denied,
            _ if has(b"AccessDenied") || code.ends_with(b"UnauthorizedOperation") => Self::Denied,
            b"TooManyRequestsException"
            | b"SlowDown"
            | b"ProvisionedThroughputExceededException" => Self::Throttled,
            _ if code.starts_with(b"Throttl") || code.ends_with(b"RequestLimitExceeded") => {
                Self::Throttled
            }
            _ if rate() => Self::Throttled,
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

/// What kind of key an access key id is of, by its prefix.
pub(crate) fn key_kind(key: &[u8]) -> Option<&'static str> {
    match key.first_chunk::<4>()? {
        b"AKIA" => Some("long-term"),
        b"ASIA" => Some("temporary"),
        _ => None,
    }
}

/// The account of an ARN.
pub(crate) fn arn_account(arn: &[u8]) -> Option<&[u8]> {
    arn.strip_prefix(b"arn:")?.split(|&b| b == b':').nth(3).filter(|account| !account.is_empty())
}

/// `eventcategory` of records that are older than that field.
pub(crate) fn category(
    management: Option<bool>,
    event_type: &[u8],
    source: &[u8],
    name: &[u8],
) -> &'static str {
    if event_type.eq_ignore_ascii_case(b"AwsCloudTrailInsight") {
        return "Insight";
    }
    match (management, event_type) {
        (_, b"AwsVpceEvent" | b"AwsVpceEvents") => "NetworkActivity",
        (Some(true), _) => "Management",
        (Some(false), _) => "Data",
        (None, b"AwsApiCall" | b"") if is_data_event(service(source), base_name(name)) => "Data",
        (None, _) => "Management",
    }
}

/// The data events there were before records said so themselves: S3 objects, Lambda, DynamoDB.
fn is_data_event(service: &[u8], name: &[u8]) -> bool {
    match service {
        b"s3" => matches!(
            name,
            b"GetObject"
                | b"PutObject"
                | b"HeadObject"
                | b"CopyObject"
                | b"DeleteObject"
                | b"DeleteObjects"
                | b"ListObjects"
                | b"ListObjectVersions"
                | b"GetObjectAcl"
                | b"PutObjectAcl"
                | b"GetObjectTagging"
                | b"PutObjectTagging"
                | b"DeleteObjectTagging"
                | b"GetObjectTorrent"
                | b"RestoreObject"
                | b"SelectObjectContent"
                | b"CreateMultipartUpload"
                | b"UploadPart"
                | b"UploadPartCopy"
                | b"CompleteMultipartUpload"
                | b"AbortMultipartUpload"
                | b"ListParts"
                | b"HeadBucket"
        ),
        b"lambda" => name == b"Invoke",
        b"dynamodb" => matches!(
            name,
            b"GetItem"
                | b"PutItem"
                | b"UpdateItem"
                | b"DeleteItem"
                | b"BatchGetItem"
                | b"BatchWriteItem"
                | b"Query"
                | b"Scan"
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
    pub(crate) fn add(&mut self, text: &[u8]) {
        let mut chunks = text.chunks_exact(8);
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
