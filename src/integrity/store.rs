//! What the cache knows of earlier verifications, and keeps of this one.

use super::{VerifyReport, check::KnownFacts, collect::Group, group::Verified, stops::TrailEvent};
use crate::{Result, cache::Cache};

/// The tables of digests and verdicts in a cache.
pub(super) struct Store<'a> {
    cache: &'a Cache,
}

impl<'a> Store<'a> {
    pub(super) fn open(cache: &'a Cache) -> Result<Self> {
        Ok(Self { cache })
    }

    pub(super) fn known(&self, _group: &Group) -> Result<KnownFacts> {
        Ok(KnownFacts::default())
    }

    pub(super) fn keep(&mut self, _verified: &Verified) -> Result<()> {
        Ok(())
    }

    pub(super) fn trail_events(&self, _report: &VerifyReport) -> Result<Vec<TrailEvent>> {
        Ok(Vec::new())
    }
}
