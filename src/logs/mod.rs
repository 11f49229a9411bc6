//! What a log is: bytes in, Arrow out. Pure: no files, no network, no SQL.

pub mod cloudtrail;

/// Bounds on one record, by defaults that no genuine record reaches.
///
/// AWS bounds an event at 256 KB (1 MB where Lake enriches it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest record, in bytes of JSON.
    pub max_record_bytes: usize,
    /// The deepest nesting of objects and arrays.
    pub max_depth: usize,
    /// The most keys in one object.
    pub max_keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_record_bytes: 8 << 20, max_depth: 128, max_keys: 20_000 }
    }
}

/// Why a record was not written. Its text, file and position are kept in `rejects`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The class, stable for scripts.
    pub reason: RejectReason,
    /// What exactly, for people: ``expected a value, but found `}` ``.
    pub detail: String,
    /// Where in the record, in bytes from its start.
    pub at: usize,
}

/// The classes of [`Reject`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The text is not JSON.
    NotJson,
    /// The file ends inside the record.
    Truncated,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// JSON, but not a CloudTrail record.
    NotARecord,
    /// Longer than [`Limits::max_record_bytes`].
    TooLong,
    /// Nested deeper than [`Limits::max_depth`].
    TooDeep,
    /// More keys in one object than [`Limits::max_keys`].
    TooManyKeys,
}

impl RejectReason {
    /// The word for it in the `rejects` table and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not JSON",
            Self::Truncated => "truncated",
            Self::NotUtf8 => "not UTF-8",
            Self::NotARecord => "not a CloudTrail record",
            Self::TooLong => "record too long",
            Self::TooDeep => "nested too deep",
            Self::TooManyKeys => "too many keys",
        }
    }
}
