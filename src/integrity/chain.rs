//! A chain of digests, from its newest to its start: which of them are genuine, which are missing.
//!
//! Each digest holds the hash and the signature of the one before it. Walking from the newest, every
//! digest is judged by its own signature and by what the next one, once found valid, says of it. A
//! signature that one of CloudTrail's keys made proves a digest wherever it was found; that a digest
//! which is not valid itself says something proves nothing.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    digest::{Digest, Name, Place},
    key::{Key, KeyRing},
    place::{self, Location},
    signature::{self, Signature},
    time::{self, HOUR},
    verdict::{Reason, Status, status_of},
};
use crate::source::LogFile;

/// A digest file of a chain.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) file: LogFile,
    /// What its name tells; that within the digest, where it can be read.
    pub(super) name: Name,
    pub(super) content: Result<Digest, Reason>,
    /// The signature that came with the file.
    pub(super) signature: Option<Signature>,
}

impl Link {
    fn digest(&self) -> Option<&Digest> {
        self.content.as_ref().ok()
    }

    /// The end of its hour, `i64::MIN` where nothing tells.
    pub(super) fn end(&self) -> i64 {
        let told = self.digest().map(|digest| digest.end).or(self.name.end);
        told.unwrap_or(i64::MIN)
    }
}

/// What was found of a digest.
#[derive(Debug, Clone, Default)]
pub(super) struct Judged {
    /// Why it is not valid.
    pub(super) reason: Option<Reason>,
    /// What should be known of it, valid or not.
    pub(super) warnings: Vec<String>,
    /// Where the signature was found that it was verified by.
    pub(super) signature_from: Option<&'static str>,
}

impl Judged {
    fn is_valid(&self) -> bool {
        self.reason.is_none()
    }
}

/// An hour without a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) from: i64,
    pub(super) to: i64,
    /// Where it was, if the digest after it tells.
    pub(super) place: Option<Place>,
}

/// What a chain's walk gives.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// A finding for each link.
    pub(super) judged: Vec<Judged>,
    pub(super) missing: Vec<Missing>,
    /// Times for which CloudTrail made no digests: (from, to).
    pub(super) gaps: Vec<(i64, i64)>,
}

/// How a chain is judged.
pub(super) struct Rules<'a> {
    pub(super) keys: &'a KeyRing,
    pub(super) region: &'a str,
    /// Whether a copy whose path differs from the key is invalid.
    pub(super) strict_path: bool,
    /// What lies before is not asked about.
    pub(super) since: Option<i64>,
}

/// Between what cannot be trusted and what can, no more than this is taken for hours of a chain:
/// anybody can write a name with any year.
const FAR: i64 = 31 * 24 * HOUR;

/// The most hours that are listed one by one between two digests.
const MAX_HOURS: usize = 10_000;

/// Judges the digests of one chain.
pub(super) fn walk(links: &[&Link], rules: &Rules<'_>) -> Walk {
    let mut order: Vec<usize> = (0..links.len()).collect();
    order.sort_by_key(|&at| links.get(at).map(|l| (Reverse(l.end()), Arc::clone(&l.file.uri))));
    let mut chain =
        Chain { links, rules, judged: vec![None; links.len()], followers: HashMap::new() };
    for (at, link) in links.iter().enumerate() {
        if let Some(previous) = link.digest().and_then(|digest| digest.previous.as_ref()) {
            chain.followers.entry(previous).or_default().push(at);
        }
    }
    for &at in &order {
        let judged = links.get(at).map(|link| chain.judge(link));
        if let Some(slot) = chain.judged.get_mut(at) {
            *slot = judged;
        }
    }
    let (missing, gaps) = chain.holes(&order);
    let judged = chain.judged.into_iter().map(Option::unwrap_or_default).collect();
    Walk { judged, missing, gaps }
}

struct Chain<'a> {
    links: &'a [&'a Link],
    rules: &'a Rules<'a>,
    /// By link; `None` as long as the walk has not come to it.
    judged: Vec<Option<Judged>>,
    /// The links that name a place as that of their predecessor.
    followers: HashMap<&'a Place, Vec<usize>>,
}

impl<'a> Chain<'a> {
    fn judge(&self, link: &Link) -> Judged {
        let digest = match &link.content {
            Ok(digest) => digest,
            Err(reason) => return Judged { reason: Some(reason.clone()), ..Judged::default() },
        };
        let mut judged = Judged::default();
        match place::locate(&link.file, &digest.place()) {
            Location::Original => {}
            Location::Moved if !self.rules.strict_path => {
                judged
                    .warnings
                    .push(format!("it lies elsewhere than it was delivered: {}", digest.place()));
            }
            Location::Moved | Location::Elsewhere => judged.reason = Some(Reason::Moved),
        }
        if judged.reason.is_none() {
            judged.reason = self.genuine(link, digest, &mut judged);
        }
        self.note_forks(digest, &mut judged);
        judged
    }

    /// Why `digest` is not genuine.
    fn genuine(&self, link: &Link, digest: &Digest, judged: &mut Judged) -> Option<Reason> {
        let followers = self.followers(digest);
        let heirs: Vec<&Digest> = followers
            .iter()
            .filter(|(_, judged)| judged.is_valid())
            .map(|(digest, _)| *digest)
            .collect();
        let replaced = replaced(link, digest, &heirs);
        let Some(key) = self.rules.keys.get(&digest.fingerprint) else {
            return Some(replaced.unwrap_or_else(|| Reason::KeyNotFound {
                region: self.rules.region.to_owned(),
                fingerprint: digest.fingerprint.clone(),
            }));
        };
        let signed = match &link.signature {
            Some(own) => signature::verify(digest, &own.hex, key).map(|genuine| {
                judged.signature_from = Some(own.from);
                if genuine { Ok(()) } else { Err(Reason::SignatureFailed) }
            }),
            None => inherited(digest, key, &followers, !heirs.is_empty(), judged),
        };
        let Some(signed) = signed else {
            return Some(Reason::KeyUnusable { fingerprint: digest.fingerprint.clone() });
        };
        if key.is_invalid_at(digest.end) {
            let end = time::text(digest.end);
            judged.warnings.push(format!("its key is not valid at its end, {end}"));
        }
        match (signed, replaced) {
            (Ok(()), replaced) => replaced,
            (Err(reason), Some(Reason::Replaced { what: "hash" })) => {
                judged.warnings.push(
                    "the next digest was made from another content: this one was altered"
                        .to_owned(),
                );
                Some(if reason.status() == Status::Invalid {
                    reason
                } else {
                    Reason::Replaced { what: "hash" }
                })
            }
            (Err(reason), _) => {
                if !heirs.is_empty() && reason == Reason::SignatureFailed {
                    judged.warnings.push(
                        "the next digest confirms its content: the signature was altered"
                            .to_owned(),
                    );
                }
                Some(reason)
            }
        }
    }

    /// The digests after `digest` that name it, as far as the walk has judged them.
    fn followers(&self, digest: &Digest) -> Vec<(&'a Digest, &Judged)> {
        let named = self.followers.get(&digest.place()).map_or(&[][..], Vec::as_slice);
        let one = |&at: &usize| {
            let follower = self.links.get(at)?.digest()?;
            let judged = self.judged.get(at)?.as_ref()?;
            (follower.end > digest.end).then_some((follower, judged))
        };
        named.iter().filter_map(one).collect()
    }

    /// A chain that branches was tampered with, whichever branch is genuine.
    fn note_forks(&self, digest: &Digest, judged: &mut Judged) {
        let Some(previous) = &digest.previous else { return };
        let rivals: HashSet<Place> = self
            .followers
            .get(previous)
            .into_iter()
            .flatten()
            .filter_map(|&at| Some(self.links.get(at)?.digest()?.place()))
            .filter(|place| *place != digest.place())
            .collect();
        for rival in rivals {
            judged.warnings.push(format!("{rival} names the same predecessor: the chain forks"));
        }
    }

    /// Hours without a digest, and times for which none was made. `order` is newest first.
    fn holes(&self, order: &[usize]) -> (Vec<Missing>, Vec<(i64, i64)>) {
        let (mut missing, mut gaps) = (Vec::new(), Vec::new());
        let anchors = self.anchors(order);
        let known: HashMap<String, i64> = anchors
            .iter()
            .filter_map(|&at| self.links.get(at))
            .flat_map(|link| {
                let inner = link.digest().map(|digest| digest.key.as_str());
                [Some(link.file.unversioned_uri()), inner]
                    .into_iter()
                    .flatten()
                    .map(|path| (name_of(path), link.end()))
            })
            .collect();
        for (n, &at) in anchors.iter().enumerate() {
            let Some(link) = self.links.get(at) else { continue };
            let older =
                anchors.get(n + 1).and_then(|&at| self.links.get(at)).map(|link| link.end());
            let trusted = link.digest().filter(|_| self.is_trusted(at));
            let begin = trusted.map_or_else(|| link.end().saturating_sub(HOUR), |d| d.start);
            let previous = trusted.and_then(|digest| digest.previous.as_ref());
            let there = previous.and_then(|place| known.get(&name_of(&place.key)).copied());
            match (previous, there, older) {
                // It begins a chain, though there are older digests.
                (None, _, Some(older)) if trusted.is_some() && older < begin => {
                    gaps.push((older, begin));
                }
                // Its predecessor is there, but ended long before.
                (Some(_), Some(end), _)
                    if end.saturating_add(HOUR / 60) < begin && !link.name.is_backfill =>
                {
                    gaps.push((end, begin));
                }
                (Some(place), None, older) => {
                    let end = Name::parse(&place.key).end.unwrap_or(begin);
                    let older = older.filter(|_| !link.name.is_backfill);
                    let from =
                        older.filter(|&older| older < end).unwrap_or(end.saturating_sub(HOUR));
                    hours(from, end, Some(place), &mut missing);
                }
                (None, _, Some(older)) if trusted.is_none() && !link.name.is_backfill => {
                    hours(older, begin, None, &mut missing);
                }
                _ => {}
            }
        }
        let asked = |to: i64| self.rules.since.is_none_or(|since| to > since);
        missing.retain(|hour: &Missing| asked(hour.to));
        gaps.retain(|&(_, to)| asked(to));
        (missing, gaps)
    }

    /// The links that say which hours there are, one for each end, newest first.
    fn anchors(&self, order: &[usize]) -> Vec<usize> {
        let end = |at: usize| self.links.get(at).map_or(i64::MIN, |link| link.end());
        let mut trusted: Vec<i64> =
            order.iter().filter(|&&at| self.is_trusted(at)).map(|&at| end(at)).collect();
        trusted.sort_unstable();
        let near = |at: usize| {
            let end = end(at);
            let next = trusted.partition_point(|&other| other < end);
            let neighbours = [next.checked_sub(1), Some(next)].into_iter().flatten();
            end != i64::MIN
                && (trusted.is_empty()
                    || neighbours
                        .filter_map(|n| trusted.get(n))
                        .any(|other| other.abs_diff(end) <= FAR.unsigned_abs()))
        };
        let mut anchors: Vec<usize> = Vec::new();
        for &at in order {
            if !self.is_trusted(at) && !near(at) {
                continue;
            }
            match anchors.last_mut() {
                Some(last) if end(*last) == end(at) => {
                    if !self.is_trusted(*last) {
                        *last = at;
                    }
                }
                _ => anchors.push(at),
            }
        }
        anchors
    }

    /// Whether what a digest says of its neighbours is believed: it is valid, or nothing speaks
    /// against it.
    fn is_trusted(&self, at: usize) -> bool {
        self.judged.get(at).and_then(Option::as_ref).is_some_and(|judged| {
            status_of(judged.reason.as_ref()) != Status::Invalid
                && self.links.get(at).is_some_and(|link| link.content.is_ok())
        })
    }
}

fn name_of(path: &str) -> String {
    place::stem(place::file_name(path)).to_owned()
}

/// Whether a valid next digest was made from another one than `digest`.
fn replaced(link: &Link, digest: &Digest, heirs: &[&Digest]) -> Option<Reason> {
    let differs = |told: Option<[u8; 32]>| told.is_some_and(|hash| hash != digest.sha256);
    if heirs.iter().any(|heir| differs(heir.previous_hash)) {
        return Some(Reason::Replaced { what: "hash" });
    }
    let own = link.signature.as_ref()?;
    let other = |heir: &&Digest| {
        heir.previous_signature.as_ref().is_some_and(|told| !told.eq_ignore_ascii_case(&own.hex))
    };
    heirs.iter().any(other).then_some(Reason::Replaced { what: "signature" })
}

/// Verifies a digest by the signature that the digests after it have of it.
fn inherited(
    digest: &Digest,
    key: &Key,
    followers: &[(&Digest, &Judged)],
    has_heir: bool,
    judged: &mut Judged,
) -> Option<Result<(), Reason>> {
    key.rsa()?;
    let mut told = followers.iter().filter_map(|(d, _)| d.previous_signature.as_deref()).peekable();
    if told.peek().is_none() {
        return Some(Err(Reason::NoSignature));
    }
    judged.signature_from = Some("next digest");
    if told.any(|signature| signature::verify(digest, signature, key) == Some(true)) {
        return Some(Ok(()));
    }
    Some(Err(if has_heir { Reason::SignatureFailed } else { Reason::SignatureUnproven }))
}

/// Lists the hours from `from` to `to`; the last is that of the digest at `place`.
fn hours(from: i64, to: i64, place: Option<&Place>, out: &mut Vec<Missing>) {
    let mut at = from;
    let first = out.len();
    for n in 0.. {
        // Digests end some seconds apart from the full hour; a rest of a minute is no hour.
        let rest = to.saturating_sub(at);
        if rest <= HOUR / 60 && n > 0 || rest <= 0 {
            break;
        }
        let next = if rest <= HOUR + HOUR / 60 || n >= MAX_HOURS { to } else { at + HOUR };
        out.push(Missing { from: at, to: next, place: None });
        at = next;
    }
    if let Some(last) = out.get_mut(first..).and_then(<[Missing]>::last_mut) {
        last.place = place.cloned();
    }
}
