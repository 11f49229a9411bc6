//! Tests of the framer, with documentation identities only.

mod corpus;
mod damage;
mod names;
mod props;
mod samples;
mod shapes;

use super::{Framer, Item, Kind, Shape};
use crate::logs::{Limits, RejectReason};

/// An item that owns what it holds.
#[derive(Clone, PartialEq, Eq)]
enum Got {
    Record { json: String, offset: u64, shape: Shape, envelope: Option<String> },
    Reject { text: Vec<u8>, offset: u64, length: u64, reason: RejectReason, detail: String },
}

impl std::fmt::Debug for Got {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record { json, offset, shape, envelope } => {
                write!(f, "{offset}: {} {envelope:?} {json}", shape.as_str())
            }
            Self::Reject { text, offset, length, reason, detail } => {
                let reason = reason.as_str();
                write!(f, "{offset}+{length}: {reason}: {detail}: `{}`", text.escape_ascii())
            }
        }
    }
}

impl From<Item<'_>> for Got {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Record { json, offset, shape, envelope } => {
                let json = String::from_utf8_lossy(&json).into_owned();
                Self::Record { json, offset, shape, envelope }
            }
            Item::Reject { text, offset, length, reject } => {
                let (reason, detail) = (reject.reason, reject.detail);
                Self::Reject { text: text.into_owned(), offset, length, reason, detail }
            }
        }
    }
}

/// What came out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Framed {
    items: Vec<Got>,
    kind: Kind,
    beside: Option<String>,
}

impl Framed {
    fn records(&self) -> Vec<&str> {
        let json = self.items.iter().filter_map(|item| match item {
            Got::Record { json, .. } => Some(json.as_str()),
            Got::Reject { .. } => None,
        });
        json.collect()
    }

    fn n_rejects(&self) -> usize {
        self.items.len() - self.records().len()
    }
}

/// Frames a file given in one window.
fn frame(bytes: impl AsRef<[u8]>) -> Framed {
    frame_with(Limits::default(), bytes.as_ref(), &[])
}

/// Frames a file as a caller does who reads as many bytes at a time as `reads` say, over and
/// over; all of it at once where they say nothing.
fn frame_with(limits: Limits, bytes: &[u8], reads: &[usize]) -> Framed {
    let mut framer = Framer::new(limits);
    let mut items = Vec::new();
    let (mut start, mut end) = (0, 0);
    let mut reads = reads.iter().map(|n| *n.max(&1)).cycle();
    loop {
        end = (end + reads.next().unwrap_or(bytes.len())).min(bytes.len());
        let last = end == bytes.len();
        let window = &bytes[start..end];
        let consumed = framer.feed(window, last, &mut |item| items.push(Got::from(item)));
        assert!(consumed <= window.len(), "more consumed than given");
        start += consumed;
        let longest = limits.max_record_bytes + (64 << 10) + (1 << 10);
        assert!(end - start <= longest.max(window.len()), "too long a window is asked for");
        if last {
            assert_eq!(start, end, "not all is consumed");
            let (kind, beside) = framer.finish();
            return Framed { items, kind, beside };
        }
    }
}
