//! Instants in little room.

/// An instant in microseconds since 1970, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(i64);

/// No instant that a record can tell.
const NONE: i64 = i64::MIN;

impl Default for Time {
    fn default() -> Self {
        Self(NONE)
    }
}

impl From<Option<i64>> for Time {
    fn from(micros: Option<i64>) -> Self {
        Self(micros.unwrap_or(NONE))
    }
}

impl Time {
    /// The microseconds.
    pub(super) fn get(self) -> Option<i64> {
        (self.0 != NONE).then_some(self.0)
    }

    /// The instant as records spell it.
    pub(super) fn spelled(self) -> Option<String> {
        let instant = chrono::DateTime::from_timestamp_micros(self.get()?)?;
        Some(instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }
}
