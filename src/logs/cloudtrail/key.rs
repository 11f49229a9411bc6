//! The S3 key layout of CloudTrail's deliveries.

/// What an S3 key, or a local path that ends like one, tells of the log file below it.
///
/// The day is that of delivery, not of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogKey {
    /// The account whose trail delivered the file.
    pub account: Option<String>,
    /// The region the events were recorded in.
    pub region: Option<String>,
    /// The delivery day as (year, month, day).
    pub day: Option<(i32, u32, u32)>,
    /// `CloudTrail`, `CloudTrail-Insight`, `CloudTrail-Digest`, ….
    pub kind: Option<String>,
}

impl LogKey {
    /// Reads what `path` tells; whatever it does not tell stays `None`.
    pub fn parse(path: &str) -> Self {
        let _ = path;
        Self::default()
    }
}
