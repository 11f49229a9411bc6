//! Log files against what digests say of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    digest::{Place, Reference},
    place::{self, Location},
    stops::{self, TrailEvent},
    verdict::Reason,
};
use crate::{
    ingest::{
        InflateLimits,
        inflate::{Scratch, first_member},
    },
    source::{LogFile, plain_text},
};

/// Files up to this size are inflated whole.
const WHOLE_BYTES: usize = 64 << 20;

/// What a log file's bytes are, whatever digests say. Worth keeping: nothing else is expensive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// SHA-256 of the stored bytes.
    pub(super) sha256: [u8; 32],
    /// SHA-256 of what CloudTrail would have delivered: the first gzip stream, inflated.
    pub(super) sha256_inflated: [u8; 32],
    /// How many bytes those are.
    pub(super) inflated_bytes: u64,
    /// What is wrong with the bytes.
    pub(super) fault: Option<Fault>,
    /// The calls in it that end log files or digests.
    pub(super) stops: Vec<TrailEvent>,
}

/// What is wrong with a log file's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fault {
    /// Bytes follow the gzip stream.
    Trailing,
    /// It ends early.
    Cut,
    /// It is no gzip.
    Plain,
    /// It is damaged gzip.
    Damaged(String),
    /// It inflates beyond the limits.
    OverLimit(String),
}

/// Reads a file's bytes for its facts.
pub(super) fn facts(
    file: &LogFile,
    limits: InflateLimits,
    scratch: &mut Scratch,
) -> Result<Facts, Reason> {
    let unreadable = |error: &std::io::Error| Reason::Unreadable { why: plain_text(error) };
    let stored = file.open().map_err(|error| unreadable(&error))?;
    let mut stops = Vec::new();
    let look = &mut |bytes: &[u8]| stops::find(bytes, &mut stops);
    let first = first_member(stored, file.size_bytes, WHOLE_BYTES, limits, scratch, look)
        .map_err(|error| unreadable(&error))?;
    let fault = match first.fault {
        _ if first.trailing => Some(Fault::Trailing),
        Some(fault) if fault.over_limit => Some(Fault::OverLimit(fault.reason)),
        Some(fault) if fault.reason.ends_with("ends early") => Some(Fault::Cut),
        Some(fault) => Some(Fault::Damaged(fault.reason)),
        None if !first.is_gzip => Some(Fault::Plain),
        None => None,
    };
    let (sha256, sha256_inflated) = (first.sha256, first.sha256_inflated);
    Ok(Facts { sha256, sha256_inflated, inflated_bytes: first.inflated_bytes, fault, stops })
}

/// What of [`Facts`] has no column of its own.
#[derive(Serialize, Deserialize)]
struct Kept {
    inflated_bytes: u64,
    #[serde(default)]
    fault: Option<Fault>,
    #[serde(default)]
    stops: Vec<TrailEvent>,
}

impl Facts {
    /// What of them has no column of its own, as JSON.
    pub(super) fn to_json(&self) -> Option<String> {
        let Self { inflated_bytes, fault, stops, .. } = self.clone();
        serde_json::to_string(&Kept { inflated_bytes, fault, stops }).ok()
    }

    /// The facts that were kept.
    pub(super) fn of_kept(sha256: &str, sha256_inflated: &str, json: &str) -> Option<Self> {
        let Kept { inflated_bytes, fault, stops } = serde_json::from_str(json).ok()?;
        let (sha256, sha256_inflated) = (super::unhex(sha256)?, super::unhex(sha256_inflated)?);
        Some(Self { sha256, sha256_inflated, inflated_bytes, fault, stops })
    }
}

/// A digest's mention of a log file.
#[derive(Debug, Clone)]
pub(super) struct Mention<'a> {
    pub(super) reference: &'a Reference,
    /// The digest's index among the group's.
    pub(super) digest: usize,
    /// Whether the digest is valid.
    pub(super) vouches: bool,
}

/// What was found of a log file.
#[derive(Debug, Clone, Default)]
pub(super) struct Finding {
    /// Why it is not valid.
    pub(super) reason: Option<Reason>,
    /// What should be known of it, valid or not.
    pub(super) warnings: Vec<String>,
    /// The mention that decided.
    pub(super) mention: Option<usize>,
}

/// The mentions of a group's log files, by name.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    pub(super) all: Vec<Mention<'a>>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Mentions<'a> {
    pub(super) fn add(&mut self, mention: Mention<'a>) {
        let name = place::stem(place::file_name(&mention.reference.place.key));
        self.by_name.entry(name).or_default().push(self.all.len());
        self.all.push(mention);
    }

    /// The mentions of `file`, with how its place agrees.
    pub(super) fn of(&self, file: &LogFile) -> Vec<(usize, Location)> {
        let name = place::stem(place::file_name(file.unversioned_uri()));
        let named = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let located = named.iter().filter_map(|&at| {
            let location = place::locate(file, &self.all.get(at)?.reference.place);
            (location != Location::Elsewhere).then_some((at, location))
        });
        located.collect()
    }

    /// Judges a file of which digests say something.
    pub(super) fn judge(
        &self,
        file: &LogFile,
        facts: &Facts,
        mentions: &[(usize, Location)],
        strict_path: bool,
    ) -> Finding {
        // The best of what the digests say counts: a file that came late is in a back-fill digest,
        // and perhaps another copy of a digest is damaged.
        let rank = |reason: &Option<Reason>, vouches: bool| match reason {
            None => 0,
            Some(_) if vouches => 1,
            Some(_) => 2,
        };
        let mut best: Option<(u8, Finding)> = None;
        for &(at, location) in mentions {
            let Some(mention) = self.all.get(at) else { continue };
            let is_moved = location == Location::Moved;
            let reason = match mention.vouches {
                true if is_moved && strict_path => Some(Reason::Moved),
                true => contradicted(file, facts, mention.reference),
                false => Some(match contradicted(file, facts, mention.reference) {
                    Some(Reason::HashMismatch) => Reason::DigestNotValidEither,
                    _ => Reason::DigestNotValid,
                }),
            };
            let rank = rank(&reason, mention.vouches);
            if best.as_ref().is_some_and(|(known, _)| *known <= rank) {
                continue;
            }
            let mut finding = Finding { reason, mention: Some(at), ..Finding::default() };
            if is_moved {
                let place = &mention.reference.place;
                finding.warnings.push(format!("it lies elsewhere than it was delivered: {place}"));
            }
            best = Some((rank, finding));
        }
        best.map(|(_, finding)| finding).unwrap_or_default()
    }
}

/// Why `file` is not what `reference` says, in the order in which the AWS CLI looks.
fn contradicted(file: &LogFile, facts: &Facts, reference: &Reference) -> Option<Reason> {
    let invalid = |detail: &str| Some(Reason::InvalidFormat { detail: detail.to_owned() });
    let matches = reference.hash == Some(facts.sha256_inflated);
    match &facts.fault {
        Some(Fault::Trailing) => Some(Reason::TrailingData),
        Some(Fault::Damaged(reason)) => invalid(reason),
        Some(Fault::OverLimit(why)) => Some(Reason::Unreadable { why: why.clone() }),
        _ if !matches => Some(Reason::HashMismatch),
        // Its end is missing, but only what gzip has behind the content.
        Some(Fault::Cut) => invalid("the compressed data ends early"),
        // A download may have unpacked it; an object in S3 nobody unpacks but on purpose.
        Some(Fault::Plain) if file.uri.starts_with("s3://") => invalid("it is no gzip"),
        _ => None,
    }
}

/// The places that digests name and no file lies at.
pub(super) fn absent<'m, 'a>(
    mentions: &'m Mentions<'a>,
    met: &[bool],
) -> Vec<(&'a Place, &'m Mention<'a>)> {
    let mut by_place: HashMap<&Place, (bool, &Mention<'a>)> = HashMap::new();
    for (mention, met) in mentions.all.iter().zip(met) {
        let place = &mention.reference.place;
        let (known, best) = by_place.entry(place).or_insert((false, mention));
        *known |= met;
        if mention.vouches && !best.vouches {
            *best = mention;
        }
    }
    let mut absent: Vec<_> = by_place
        .into_iter()
        .filter(|(_, (met, _))| !met)
        .map(|(place, (_, mention))| (place, mention))
        .collect();
    absent.sort_by_key(|(place, _)| *place);
    absent
}
