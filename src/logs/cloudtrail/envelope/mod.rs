//! The shapes records come wrapped in, and what looks like CloudTrail but is not.
//!
//! [`Framer`] takes a file's inflated bytes window by window and gives each record's bytes, where
//! they stand, and what wraps them:
//!
//! ```text
//! framer   how must this file be read?  JSON · lines with something in front · a table · not at all
//!   walk   JSON value by value: levels of arrays and containers, probing objects for containers
//!     bounds, skip   the end of a value, fast;  check   the first byte that is no JSON, strict
//!     garbage        from damage to the next record
//!   unwrap   one element → its records, by the table in shapes;  record   is it one?
//!   tally    what came out; other, sniff   what a file without records is
//! ```

mod bounds;
mod check;
mod csv;
mod framer;
mod garbage;
mod json;
mod levels;
mod lines;
mod other;
mod probe;
mod record;
mod shapes;
mod skip;
mod sniff;
mod tally;
mod unwrap;
mod walk;
mod wrap;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use framer::Framer;
pub use shapes::Shape;
pub use sniff::{SNIFF_BYTES, Sniff, sniff};
pub use wrap::wrap;

use crate::logs::Reject;

/// One thing found in a file, in order.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record's JSON.
    Record {
        /// The record, unescaped where it came inside a string. Its brackets match; whether it is
        /// JSON is for the decoder to say.
        json: Cow<'a, [u8]>,
        /// Offset of its first byte in the inflated file; for a record inside a string or a cell,
        /// of that string or cell.
        offset: u64,
        /// The shape it came in.
        shape: Shape,
        /// What wrapped it, as JSON with `null` in its place; nothing where that is only
        /// `{"Records":[…]}`, an array or a line of its own.
        ///
        /// Siblings of the record in arrays are left out; white space, too. Lines with something
        /// in front give `{"timestamp":…,"message":null}` or `{"prefix":…,"message":null}`, rows of
        /// a table an object of their cells. A record wrapped several times leaves `null` in the
        /// innermost wrapper, and a wrapper that stood in a string stays a string.
        envelope: Option<String>,
    },
    /// Something in a record's place that is none.
    Reject {
        /// Its bytes, as far as kept: at most [`crate::logs::Limits::max_record_bytes`], or
        /// 64 KiB of what is longer than that.
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
    /// Recognised, no CloudTrail log, no fault: the name of what it is. No item came out of it.
    Other(String),
    /// Damaged: what was whole came out before `offset`, and behind it as far as it could be told.
    Damaged {
        /// Where the damage begins, in the inflated file.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
}
