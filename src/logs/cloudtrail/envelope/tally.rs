//! What came out of a file so far, and what that makes of it.
//!
//! A file without any record is no CloudTrail log, and what stands in it was never rejected. So
//! what is no record is held back, within bounds, until the first record shows up.

use std::borrow::Cow;

use super::{Item, Kind, Shape, record};
use crate::logs::{Reject, RejectReason};

/// Where items go.
pub(super) type Sink<'s, 'a> = &'s mut dyn FnMut(Item<'a>);

/// Rejects held back, at most.
const MAX_HELD: usize = 1000;
/// Text of the rejects held back, at most, in bytes.
const MAX_HELD_BYTES: usize = 1 << 20;
/// Members behind records in their containers, at most, in bytes.
const MAX_TRAILING_BYTES: usize = 1 << 20;

/// What is kept of something that is too long, in bytes.
pub(super) const KEPT_OF_LONG: usize = 64 << 10;

struct Held {
    text: Vec<u8>,
    offset: u64,
    length: u64,
    reject: Reject,
    more: u64,
}

/// The account of one file.
#[derive(Default)]
pub(super) struct Tally {
    /// A record, or something that was meant to be one, has been given.
    firm: bool,
    /// A `Records` array was seen.
    pub(super) records_array: bool,
    held: Vec<Held>,
    held_bytes: usize,
    /// What the file is, if it holds no record.
    name: Option<String>,
    damage: Option<(u64, String)>,
    trailing: Vec<String>,
    trailing_bytes: usize,
}

impl Tally {
    /// Gives a record.
    pub(super) fn record<'a>(
        &mut self,
        json: Cow<'a, [u8]>,
        offset: u64,
        shape: Shape,
        envelope: Option<String>,
        sink: Sink<'_, 'a>,
    ) {
        self.flush(sink);
        sink(Item::Record { json, offset, shape, envelope });
    }

    /// Rejects what was meant to be a record.
    pub(super) fn reject<'a>(
        &mut self,
        text: Cow<'a, [u8]>,
        offset: u64,
        length: u64,
        reject: Reject,
        sink: Sink<'_, 'a>,
    ) {
        self.flush(sink);
        sink(Item::Reject { text, offset, length, reject });
    }

    /// Rejects what is no record, unless the file turns out to hold none.
    pub(super) fn foreign<'a>(
        &mut self,
        text: Cow<'a, [u8]>,
        offset: u64,
        length: u64,
        reject: Reject,
        sink: Sink<'_, 'a>,
    ) {
        if self.firm {
            return sink(Item::Reject { text, offset, length, reject });
        }
        if !self.has_room() {
            return self.pass(offset + length);
        }
        let mut text = text.into_owned();
        text.truncate(KEPT_OF_LONG);
        self.held_bytes += text.len();
        self.held.push(Held { text, offset, length, reject, more: 0 });
    }

    /// Whether what is no record would be given or kept.
    pub(super) fn has_room(&self) -> bool {
        self.firm || self.held.len() < MAX_HELD && self.held_bytes < MAX_HELD_BYTES
    }

    /// Counts what is no record with what was kept last.
    pub(super) fn pass(&mut self, end: u64) {
        if let Some(last) = self.held.last_mut() {
            last.length = end - last.offset;
            last.more += 1;
        }
    }

    /// Rejects what is broken: at once if it was meant to be a record, else unless the file turns
    /// out to hold none.
    pub(super) fn broken<'a>(
        &mut self,
        text: Cow<'a, [u8]>,
        offset: u64,
        length: u64,
        reject: Reject,
        sink: Sink<'_, 'a>,
    ) {
        if record::resembles(&text) {
            self.reject(text, offset, length, reject, sink);
        } else {
            self.foreign(text, offset, length, reject, sink);
        }
    }

    /// Says what a file is that holds no record; the first to speak is believed.
    pub(super) fn name(&mut self, name: impl FnOnce() -> String) {
        if self.name.is_none() && !self.firm {
            self.name = Some(name());
        }
    }

    /// Notes damage outside any record's place; the first is kept.
    pub(super) fn damage(&mut self, offset: u64, reason: &str) {
        self.damage.get_or_insert_with(|| (offset, reason.to_owned()));
    }

    /// Keeps members that stand behind the records of a container, or are too long to be
    /// repeated with each; gives them back where there is no room.
    pub(super) fn trail(&mut self, object: String) -> Result<(), String> {
        if self.trailing_bytes + object.len() > MAX_TRAILING_BYTES {
            return Err(object);
        }
        self.trailing_bytes += object.len();
        self.trailing.push(object);
        Ok(())
    }

    fn flush(&mut self, sink: Sink<'_, '_>) {
        if self.firm {
            return;
        }
        self.firm = true;
        for mut held in std::mem::take(&mut self.held) {
            if held.more > 0 {
                held.reject.detail = format!("{}, and {} more", held.reject.detail, held.more);
            }
            sink(Item::Reject {
                text: Cow::Owned(held.text),
                offset: held.offset,
                length: held.length,
                reject: held.reject,
            });
        }
    }

    /// Settles, behind the last byte, what becomes of what was held back.
    pub(super) fn close(&mut self, sink: Sink<'_, '_>) {
        if self.damage.is_some() && self.name.is_none() {
            self.flush(sink);
        }
    }

    /// What the file was; `fallback` names it where nothing in it did.
    pub(super) fn finish(self, fallback: impl FnOnce() -> String) -> (Kind, Option<String>) {
        let trailing = match self.trailing.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("[{}]", many.join(","))),
        };
        let kind = match (self.firm, self.name, self.damage) {
            (false, Some(name), _) => Kind::Other(name),
            (_, _, Some((offset, reason))) => Kind::Damaged { offset, reason },
            (true, _, None) => Kind::CloudTrail,
            (false, None, None) if self.records_array => Kind::CloudTrail,
            (false, None, None) => Kind::Other(fallback()),
        };
        (kind, trailing)
    }
}

/// A [`Reject`] of something longer than `limit` bytes.
pub(super) fn too_long(limit: usize) -> Reject {
    let detail = format!("longer than {limit} bytes");
    Reject { reason: RejectReason::TooLong, detail, at: limit }
}

/// A [`Reject`] of something that is no record.
pub(super) fn no_record(what: String) -> Reject {
    Reject { reason: RejectReason::NotARecord, detail: what, at: 0 }
}
