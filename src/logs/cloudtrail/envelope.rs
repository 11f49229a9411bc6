//! The shapes records come wrapped in, and what looks like CloudTrail but is not.

use std::borrow::Cow;

use crate::logs::{Limits, Reject};

/// The shape a record came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `{"Records":[…]}`: a delivery file.
    Records,
}

impl Shape {
    /// The word for it in the column `shape`.
    pub fn as_str(self) -> &'static str {
        "records"
    }
}

/// One thing found in a file, in order.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record's JSON.
    Record {
        /// The record, unescaped where it came inside a string.
        json: Cow<'a, [u8]>,
        /// Offset of its first byte in the inflated file.
        offset: u64,
        /// The shape it came in.
        shape: Shape,
        /// What wrapped it, as JSON with `null` in its place.
        envelope: Option<String>,
    },
    /// Something in a record's place that is none.
    Reject {
        /// Its bytes, as far as kept (at most [`Limits::max_record_bytes`]).
        text: Cow<'a, [u8]>,
        /// Offset of its first byte in the inflated file.
        offset: u64,
        /// Its whole length in bytes.
        length: u64,
        /// Why.
        reject: Reject,
    },
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// CloudTrail records came out of it, or it is an empty `{"Records":[]}`.
    CloudTrail,
    /// Recognised, no CloudTrail log, no fault: the name of what it is.
    Other(String),
    /// Damaged: what was whole came out before `offset`.
    Damaged {
        /// Where the damage begins, in the inflated file.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Finds the records in a file's inflated bytes, whatever they come wrapped in.
///
/// Feed it windows of the file; it remembers where it is between them.
pub struct Framer {
    _limits: Limits,
}

impl Framer {
    /// Starts on a new file.
    pub fn new(limits: Limits) -> Self {
        Self { _limits: limits }
    }

    /// Frames as much of `window` as is whole and gives how many of its bytes are done with.
    ///
    /// `window` starts where the last call's consumed bytes ended, so the caller moves the rest
    /// to the front, appends what it reads, and calls again; with `last` nothing follows. When it
    /// consumes nothing, it needs a longer window. It never asks for one longer than
    /// [`Limits::max_record_bytes`] plus a small constant.
    pub fn feed<'a>(
        &mut self,
        window: &'a [u8],
        last: bool,
        sink: &mut dyn FnMut(Item<'a>),
    ) -> usize {
        let _ = (window, last, sink);
        todo!()
    }

    /// What the file was, after the last window. Members that follow the records in their
    /// container are given as JSON, for the ledger.
    pub fn finish(self) -> (Kind, Option<String>) {
        todo!()
    }
}
