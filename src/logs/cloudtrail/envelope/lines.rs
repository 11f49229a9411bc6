//! Reads text with a record at the end of each line: CloudWatch Logs exports to S3, syslog, and
//! what else puts something in front.

use std::borrow::Cow;

use memchr::memchr;

use super::{
    Shape, json, record,
    tally::{KEPT_OF_LONG, too_long},
    unwrap::{Context, Unwrapper},
    walk::Work,
};
use crate::logs::{Limits, Reject, RejectReason};

/// How long what stands in front may be, in bytes.
const MAX_PREFIX: usize = 1024;
/// A reader of lines.
pub(super) struct Lines {
    limits: Limits,
    /// Where the line starts.
    at: u64,
    /// The first byte that was not looked at.
    searched: u64,
    /// What is kept of a line that is too long.
    long: Option<Vec<u8>>,
    unwrapper: Unwrapper,
}

impl Lines {
    /// Whether the text's first line holds JSON behind something else.
    pub(super) fn suits(text: &[u8]) -> bool {
        let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
        let Some((prefix, rest)) = split(line) else { return false };
        let is_whole = json::value_end(rest, 0) == Some(json::trim(rest).len());
        if timestamp(prefix).is_some() {
            return is_whole || record::resembles(rest);
        }
        // A cell of a table begins with a quote, which belongs to the cell.
        !prefix.ends_with(b"\"") && !prefix.ends_with(b",") && record::resembles(rest)
    }

    /// Starts at an offset.
    pub(super) fn new(limits: Limits, at: u64) -> Self {
        Self { limits, at, searched: at, long: None, unwrapper: Unwrapper::default() }
    }

    /// The first byte that is still needed.
    pub(super) fn needed(&self) -> u64 {
        if self.long.is_some() { self.searched } else { self.at }
    }

    /// Reads as many lines as are in view.
    pub(super) fn run(&mut self, work: &mut Work<'_, '_, '_>) {
        let view = work.view;
        let longest = self.limits.max_record_bytes.saturating_add(MAX_PREFIX) as u64;
        while self.at < view.end() {
            let found = memchr(b'\n', view.part(self.searched, view.end()));
            let end = found.map(|i| self.searched + i as u64);
            self.searched = end.unwrap_or(view.end());
            if self.searched - self.at > longest && self.long.is_none() {
                let kept = view.part(self.at, self.at + longest.min(KEPT_OF_LONG as u64));
                self.long = Some(kept.to_vec());
            }
            let Some(end) = end.or(view.last.then_some(view.end())) else { return };
            match self.long.take() {
                Some(kept) => self.reject_long(kept, end, work),
                None => self.line(end, work),
            }
            self.at = end + 1;
            self.searched = self.at;
        }
    }

    fn line(&mut self, end: u64, work: &mut Work<'_, '_, '_>) {
        let line = work.view.part(self.at, end);
        if json::trim(line).is_empty() {
            return;
        }
        let Some((prefix, rest)) = split(line) else {
            let reject = Reject {
                reason: RejectReason::NotJson,
                detail: "no JSON stands on this line".to_owned(),
                at: 0,
            };
            let length = line.len() as u64;
            return work.tally.foreign(Cow::Borrowed(line), self.at, length, reject, work.sink);
        };
        let offset = self.at + prefix.len() as u64;
        let element = json::trim(rest);
        if element.len() > self.limits.max_record_bytes {
            let kept = json::part(element, 0..KEPT_OF_LONG).to_vec();
            return self.reject_long(kept, end, work);
        }
        if json::value_end(element, 0) != Some(element.len()) {
            return Self::broken(element, offset, work);
        }
        let (before, shape) = head(prefix);
        let context = Context { container: None, shape, around: (&before, b"}"), is_plain: false };
        let element = Cow::Borrowed(element);
        self.unwrapper.element(element, offset, None, &context, work.tally, work.sink);
    }

    fn broken<'a>(element: &'a [u8], offset: u64, work: &mut Work<'_, '_, 'a>) {
        let length = element.len() as u64;
        let reject = Reject {
            reason: RejectReason::NotJson,
            detail: "the line ends inside the record, or goes on behind it".to_owned(),
            at: json::value_end(element, 0).unwrap_or(element.len()),
        };
        work.tally.broken(Cow::Borrowed(element), offset, length, reject, work.sink);
    }

    fn reject_long(&self, kept: Vec<u8>, end: u64, work: &mut Work<'_, '_, '_>) {
        let reject = too_long(self.limits.max_record_bytes);
        work.tally.broken(Cow::Owned(kept), self.at, end - self.at, reject, work.sink);
    }
}

/// What stands in front of a line's JSON, and the JSON.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr(b'{', json::part(line, 0..MAX_PREFIX))?;
    line.split_at_checked(at)
}

/// The timestamp that CloudWatch Logs puts in front of each line it exports, with one space.
fn timestamp(prefix: &[u8]) -> Option<&[u8]> {
    let time = prefix.strip_suffix(b" ")?;
    let shape = b"0000-00-00T00:00:00";
    let fits =
        |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
    let rest = time.get(shape.len()..)?;
    let is_time = time.iter().zip(shape).all(fits)
        && rest.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'Z' | b'+' | b'-' | b':'));
    is_time.then_some(time)
}

/// The beginning of the envelope, and the shape.
fn head(prefix: &[u8]) -> (Vec<u8>, Shape) {
    let (key, text, shape) = match timestamp(prefix) {
        Some(time) => ("timestamp", time, Shape::CloudWatchExport),
        None => ("prefix", prefix, Shape::PrefixedLines),
    };
    let mut before = format!("{{\"{key}\":").into_bytes();
    json::quote(text, &mut before);
    before.extend_from_slice(b",\"message\":");
    (before, shape)
}
