//! The files of one account and region: their chains, then their logs.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
};

use serde_json::Value;

use super::{
    KeysOf, VerifyOptions,
    chain::{self, Judged, Link, Rules},
    check::{self, Facts, Finding, Mention, Mentions},
    collect::{self, Group},
    digest::{self, Digest, Name},
    on_all_threads,
    place::Location,
    report::{ChainName, ChainRow, DigestRow, FileVersion, HoleRow, LogRow, Span},
    signature::Signature,
    stops::TrailEvent,
    store::Store,
    time::HOUR,
    verdict::{Reason, status_of},
};
use crate::{
    Result,
    ingest::{
        Progress,
        inflate::{Scratch, first_member},
    },
    source::{LogFile, plain_text},
};

/// Reading from S3 waits rather than works: so many threads wait at once.
const S3_THREADS: usize = 32;

/// The largest sidecar that is read, in bytes.
const MAX_SIDECAR_BYTES: usize = 1 << 20;

/// What was found of an account and region.
#[derive(Debug, Default)]
pub(super) struct Verified {
    pub(super) digests: Vec<DigestRow>,
    pub(super) logs: Vec<LogRow>,
    pub(super) chains: Vec<ChainRow>,
    pub(super) missing: Vec<HoleRow>,
    pub(super) gaps: Vec<HoleRow>,
    pub(super) stops: Vec<TrailEvent>,
    pub(super) n_unchanged: u64,
    pub(super) inflated_bytes: u64,
}

/// What the work on a group needs.
pub(super) struct Work<'a> {
    pub(super) options: &'a VerifyOptions,
    pub(super) keys: KeysOf<'a>,
    pub(super) sidecars: &'a HashMap<Arc<str>, LogFile>,
    pub(super) store: Option<&'a Store<'a>>,
    pub(super) progress: &'a Progress,
}

/// A digest that was read.
struct Read {
    link: Link,
    sha256: Option<[u8; 32]>,
}

impl Work<'_> {
    /// Verifies a group; nothing where the user stopped it.
    pub(super) fn run(&self, group: &Group) -> Result<Option<Verified>> {
        let threads = |files: &[LogFile]| {
            let is_remote = files.first().is_some_and(|file| file.opener.is_remote());
            if is_remote { self.options.threads.max(S3_THREADS) } else { self.options.threads }
        };
        let n = threads(&group.digests);
        let read =
            on_all_threads(&group.digests, n, self.progress, Scratch::default, |file, scratch| {
                self.read(file, scratch)
            });
        let Some(read) = read else { return Ok(None) };
        let mut verified = Verified::default();
        let (links, hashes): (Vec<Link>, Vec<_>) =
            read.into_iter().map(|read| (read.link, read.sha256)).unzip();
        let judged = self.chains(group, &links, &hashes, &mut verified)?;
        let logs: Vec<&LogFile> =
            group.logs.iter().filter(|file| self.in_window(collect::delivered_at(file))).collect();
        let Some(facts) = self.facts(&logs, threads(&group.logs)) else { return Ok(None) };
        self.logs(group, (&links, &judged), &logs, facts, &mut verified);
        Ok(Some(verified))
    }

    /// Whether the user asked about what happened at `at`.
    fn in_window(&self, at: Option<i64>) -> bool {
        let filter = &self.options.filter;
        at.is_none_or(|at| {
            filter.since.is_none_or(|since| at >= since)
                && filter.until.is_none_or(|until| at <= until)
        })
    }

    /// Reads a digest file and what tells its signature.
    fn read(&self, file: &LogFile, scratch: &mut Scratch) -> Read {
        let mut signature = self.sidecar(file, scratch);
        let (mut bytes, mut over) = (Vec::new(), false);
        let mut take = |piece: &[u8]| {
            over |= bytes.len() + piece.len() > digest::MAX_BYTES;
            if !over {
                bytes.extend_from_slice(piece);
            }
        };
        let unreadable = |error: &std::io::Error| Reason::Unreadable { why: plain_text(error) };
        let first = file.open().map_err(|error| unreadable(&error)).and_then(|stored| {
            let metadata = stored.head.as_ref().map(|head| head.metadata.clone());
            if let Some(hex) = metadata.as_ref().and_then(|metadata| metadata.get("signature")) {
                signature = Some(Signature { hex: hex.clone(), from: "object metadata" });
            }
            let limits = self.options.inflate;
            first_member(stored, file.size_bytes, digest::MAX_BYTES, limits, scratch, &mut take)
                .map_err(|error| unreadable(&error))
        });
        let invalid = |detail: String| Reason::InvalidFormat { detail };
        let sha256 = first.as_ref().ok().map(|first| first.sha256);
        if let (None, Some(sha256), Some(store)) = (&signature, &sha256, self.store) {
            signature = store.signature(sha256);
        }
        let content = first.and_then(|first| match first.fault {
            _ if over => Err(invalid(format!("longer than {} MiB", digest::MAX_BYTES >> 20))),
            Some(fault) => Err(invalid(fault.reason)),
            None if first.trailing => Err(Reason::TrailingData),
            None if !first.is_gzip && file.uri.starts_with("s3://") => {
                Err(invalid("it is no gzip".to_owned()))
            }
            None => Digest::parse(&bytes).map_err(invalid),
        });
        let inner = content.as_ref().ok().map(|digest| Name::parse(&digest.key));
        let name = inner.filter(|name| name.end.is_some());
        let name = name.unwrap_or_else(|| Name::parse(file.unversioned_uri()));
        Read { link: Link { file: file.clone(), name, content, signature }, sha256 }
    }

    /// The signature in the file beside `file`.
    fn sidecar(&self, file: &LogFile, scratch: &mut Scratch) -> Option<Signature> {
        let sidecar = self.sidecars.get(&file.uri)?;
        let mut text = Vec::new();
        let mut take = |piece: &[u8]| {
            if text.len() + piece.len() <= MAX_SIDECAR_BYTES {
                text.extend_from_slice(piece);
            }
        };
        let (size_bytes, limits) = (sidecar.size_bytes, self.options.inflate);
        let stored = sidecar.open().ok()?;
        first_member(stored, size_bytes, MAX_SIDECAR_BYTES, limits, scratch, &mut take).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        let metadata = value.get("Metadata").or_else(|| value.get("metadata")).unwrap_or(&value);
        let names = ["signature", "x-amz-meta-signature"];
        let (_, hex) = metadata
            .as_object()?
            .iter()
            .find(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)))?;
        Some(Signature { hex: hex.as_str()?.to_owned(), from: "sidecar" })
    }

    /// Walks the chains; gives what was found of each digest.
    fn chains(
        &self,
        group: &Group,
        links: &[Link],
        hashes: &[Option<[u8; 32]>],
        verified: &mut Verified,
    ) -> Result<Vec<Judged>> {
        let ends = links.iter().map(Link::end).filter(|end| *end != i64::MIN);
        let span = ends.fold(None, |span: Option<(i64, i64)>, end| {
            Some(span.map_or((end, end), |(from, to)| (from.min(end), to.max(end))))
        });
        // A digest's hour may begin before its key's; back-fill is signed when it is made.
        let keys = match span {
            Some((from, to)) => {
                let (from, to) = (from.saturating_sub(2 * HOUR), to.saturating_add(2 * HOUR));
                (self.keys)(&group.region, from, to)?
            }
            None => super::KeyRing::default(),
        };
        let rules = Rules {
            keys: &keys,
            region: &group.region,
            strict_path: self.options.strict_path,
            since: self.options.filter.since,
        };
        let mut by_chain: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
        for (at, link) in links.iter().enumerate() {
            by_chain.entry((&link.name.chain, link.name.is_backfill)).or_default().push(at);
        }
        let mut judged = vec![Judged::default(); links.len()];
        for places in by_chain.into_values() {
            let of_chain: Vec<&Link> = places.iter().filter_map(|&at| links.get(at)).collect();
            let walk = chain::walk(&of_chain, &rules);
            verified.add_chain(group, &of_chain, &walk, |row| self.is_asked(row));
            for (at, found) in places.into_iter().zip(walk.judged) {
                let (Some(link), Some(slot)) = (links.get(at), judged.get_mut(at)) else {
                    continue;
                };
                let row = digest_row(group, link, &found, hashes.get(at).copied().flatten());
                if self.is_asked(&row) {
                    verified.digests.push(row);
                }
                *slot = found;
            }
        }
        Ok(judged)
    }

    /// Whether the user asked about a digest: those after the time asked about are read for what
    /// they say of it.
    fn is_asked(&self, row: &DigestRow) -> bool {
        let filter = &self.options.filter;
        let Some(end) = row.span.to else { return true };
        filter.since.is_none_or(|since| end > since)
            && (row.chain.backfill
                || filter.until.is_none_or(|until| end <= until.saturating_add(HOUR)))
    }

    /// What the bytes of log files are, in their order, and whether that is known from an earlier
    /// run since which they were not touched; nothing where the user stopped it.
    fn facts(
        &self,
        files: &[&LogFile],
        threads: usize,
    ) -> Option<Vec<(Result<Facts, Reason>, bool)>> {
        let known: Vec<Option<Facts>> =
            files.iter().map(|file| self.store.and_then(|store| store.facts(file))).collect();
        let unread = files.iter().zip(&known).filter(|(_, known)| known.is_none());
        let unread: Vec<&LogFile> = unread.map(|(file, _)| *file).collect();
        let n_known = files.len() - unread.len();
        self.progress.files_done.fetch_add(n_known as u64, Ordering::Relaxed);
        let read =
            on_all_threads(&unread, threads, self.progress, Scratch::default, |file, scratch| {
                let facts = check::facts(file, self.options.inflate, scratch);
                self.progress.bytes_done.fetch_add(file.size_bytes, Ordering::Relaxed);
                facts
            });
        let mut read = read?.into_iter();
        let each = |known: Option<Facts>| match known {
            Some(facts) => Some((Ok(facts), true)),
            None => read.next().map(|facts| (facts, false)),
        };
        Some(known.into_iter().filter_map(each).collect())
    }

    /// Judges the log files, and names those that are not there.
    fn logs(
        &self,
        group: &Group,
        (links, judged): (&[Link], &[Judged]),
        files: &[&LogFile],
        facts: Vec<(Result<Facts, Reason>, bool)>,
        verified: &mut Verified,
    ) {
        let mut mentions = Mentions::default();
        for (at, (link, judged)) in links.iter().zip(judged).enumerate() {
            let references = link.content.as_ref().map_or(&[][..], |digest| &digest.logs);
            for reference in references {
                let vouches = judged.reason.is_none();
                mentions.add(Mention { reference, digest: at, vouches });
            }
        }
        let mut met = vec![false; mentions.all.len()];
        for (file, (facts, is_known)) in files.iter().zip(facts) {
            let of_file = mentions.of(file);
            for &(at, location) in &of_file {
                let counts = location == Location::Original || !self.options.strict_path;
                if let Some(met) = met.get_mut(at).filter(|_| counts) {
                    *met = true;
                }
            }
            let finding = match &facts {
                Err(reason) => Finding { reason: Some(reason.clone()), ..Finding::default() },
                Ok(_) if of_file.is_empty() => Finding {
                    reason: Some(undigested(links, collect::delivered_at(file))),
                    ..Finding::default()
                },
                Ok(facts) => mentions.judge(file, facts, &of_file, self.options.strict_path),
            };
            verified.n_unchanged += u64::from(is_known);
            if let Ok(facts) = &facts {
                verified.stops.extend(facts.stops.iter().cloned());
                if !is_known {
                    verified.inflated_bytes += facts.inflated_bytes;
                }
            }
            let mention = finding.mention.and_then(|at| mentions.all.get(at));
            verified.logs.push(log_row(
                group,
                links,
                Some((file, facts.as_ref().ok())),
                mention,
                finding,
            ));
        }
        for (place, mention) in check::absent(&mentions, &met) {
            if !self.is_listed(&place.key) {
                continue;
            }
            let reason = if mention.vouches { Reason::NotFound } else { Reason::NotFoundUnproven };
            let finding = Finding { reason: Some(reason), ..Finding::default() };
            verified.logs.push(log_row(group, links, None, Some(mention), finding));
        }
    }

    /// Whether a log file at `key` would have been listed, and was asked about.
    fn is_listed(&self, key: &str) -> bool {
        let filter = &self.options.filter;
        filter.chooses(&crate::logs::cloudtrail::key::LogKey::parse(key))
            && self.in_window(collect::delivery_time(key))
    }
}

impl Verified {
    fn add_chain(
        &mut self,
        group: &Group,
        links: &[&Link],
        walk: &chain::Walk,
        is_asked: impl Fn(&DigestRow) -> bool,
    ) {
        let Some(first) = links.first() else { return };
        let chain = chain_name(group, &first.name);
        let mut span = Span::default();
        for (link, _) in
            links.iter().zip(&walk.judged).filter(|(_, judged)| judged.reason.is_none())
        {
            if let Ok(digest) = &link.content {
                span.widen(digest.start, digest.end);
            }
        }
        let hole = |from, to, s3| HoleRow {
            chain: chain.clone(),
            span: Span { from: Some(from), to: Some(to) },
            s3,
            events: Vec::new(),
        };
        for missing in &walk.missing {
            let s3 = missing.place.as_ref().map(ToString::to_string);
            let row = DigestRow {
                s3: s3.clone(),
                chain: chain.clone(),
                span: Span { from: Some(missing.from), to: Some(missing.to) },
                status: Some(Reason::NotFound.status()),
                reason: Some(Reason::NotFound),
                ..DigestRow::default()
            };
            if is_asked(&row) {
                self.missing.push(hole(missing.from, missing.to, s3));
                self.digests.push(row);
            }
        }
        self.gaps.extend(walk.gaps.iter().map(|&(from, to)| hole(from, to, None)));
        self.chains.push(ChainRow {
            chain,
            digests: links.len() as u64,
            span,
            ended_by: Vec::new(),
        });
    }
}

fn chain_name(group: &Group, name: &Name) -> ChainName {
    ChainName {
        account: group.account.clone(),
        region: group.region.clone(),
        trail: name.trail.clone(),
        backfill: name.is_backfill,
    }
}

fn digest_row(group: &Group, link: &Link, judged: &Judged, sha256: Option<[u8; 32]>) -> DigestRow {
    let digest = link.content.as_ref().ok();
    let end = Some(link.end()).filter(|end| *end != i64::MIN);
    DigestRow {
        uri: Some(Arc::clone(&link.file.uri)),
        s3: digest.map(|digest| digest.place().to_string()),
        chain: chain_name(group, &link.name),
        span: Span { from: digest.map(|digest| digest.start), to: end },
        status: Some(status_of(judged.reason.as_ref())),
        detail: judged.reason.as_ref().and_then(Reason::detail).map(str::to_owned),
        reason: judged.reason.clone(),
        warnings: judged.warnings.clone(),
        fingerprint: digest.map(|digest| digest.fingerprint.clone()),
        signature_from: judged.signature_from,
        previous: digest.and_then(|digest| digest.previous.as_ref()).map(ToString::to_string),
        log_files: digest.map(|digest| digest.logs.len() as u64),
        sha256_inflated: digest.map(|digest| digest.sha256),
        version: version(&link.file, sha256),
    }
}

fn log_row(
    group: &Group,
    links: &[Link],
    file: Option<(&LogFile, Option<&Facts>)>,
    mention: Option<&Mention<'_>>,
    finding: Finding,
) -> LogRow {
    let digest = mention.and_then(|mention| links.get(mention.digest));
    let facts = file.and_then(|(_, facts)| facts);
    let place = mention.map(|mention| &mention.reference.place);
    LogRow {
        uri: file.map(|(file, _)| Arc::clone(&file.uri)),
        s3: place.map(ToString::to_string),
        digest: digest.map(|link| Arc::clone(&link.file.uri)),
        backfill: digest.is_some_and(|link| link.name.is_backfill),
        account: group.account.clone(),
        region: group.region.clone(),
        delivered_at: match file {
            Some((file, _)) => collect::delivered_at(file),
            None => place.and_then(|place| collect::delivery_time(&place.key)),
        },
        status: Some(status_of(finding.reason.as_ref())),
        detail: finding.reason.as_ref().and_then(Reason::detail).map(str::to_owned),
        reason: finding.reason,
        warnings: finding.warnings,
        expected_sha256: mention.and_then(|mention| mention.reference.hash),
        actual_sha256: facts.map(|facts| facts.sha256_inflated),
        version: file
            .map(|(file, facts)| version(file, facts.map(|facts| facts.sha256)))
            .unwrap_or_default(),
        facts: facts.and_then(Facts::to_json),
    }
}

fn version(file: &LogFile, sha256: Option<[u8; 32]>) -> FileVersion {
    FileVersion {
        size_bytes: Some(file.size_bytes),
        modified_at: file.modified_at,
        etag: file.etag.clone(),
        sha256,
    }
}

/// Why no digest of `links` mentions a file delivered at `at`.
fn undigested(links: &[Link], at: Option<i64>) -> Reason {
    let newest = links.iter().map(Link::end).max();
    let Some(at) = at else { return Reason::Unmentioned };
    match newest {
        None => Reason::NoDigests,
        Some(newest) if at > newest => Reason::YoungerThanDigests,
        Some(_) => {
            let covers = |link: &Link| match &link.content {
                Ok(digest) => (digest.start..=digest.end).contains(&at),
                Err(_) => (link.end().saturating_sub(HOUR)..=link.end()).contains(&at),
            };
            if links.iter().any(covers) { Reason::Unmentioned } else { Reason::NoDigestOfItsTime }
        }
    }
}
