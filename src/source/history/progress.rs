//! How far the event histories are that are fetched, for whoever draws it.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How far all event histories of an ingest are.
#[derive(Debug, Default)]
pub struct HistoryProgress {
    regions: Mutex<Vec<Arc<Hours>>>,
    /// Events that came.
    pub n_events: AtomicU64,
    began_at: OnceLock<Instant>,
}

/// The hours of one region that are wanted, and those of them that are there.
#[derive(Debug, Default)]
pub(super) struct Hours {
    pub(super) n_wanted: AtomicU64,
    pub(super) n_here: AtomicU64,
}

impl HistoryProgress {
    /// Takes up a region of which so many hours are wanted.
    pub(super) fn add(&self, hours: &Arc<Hours>) {
        self.began_at.get_or_init(Instant::now);
        self.regions.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(hours));
    }

    /// How many hours are there, and how many are wanted.
    pub fn hours(&self) -> (u64, u64) {
        let regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |of: fn(&Hours) -> &AtomicU64| regions.iter().map(|r| of(r).load(Relaxed)).sum();
        (sum(|hours| &hours.n_here), sum(|hours| &hours.n_wanted))
    }

    /// How long something has been coming.
    pub fn elapsed(&self) -> Duration {
        self.began_at.get().map(Instant::elapsed).unwrap_or_default()
    }

    /// How many seconds it takes until the slowest region is there, at its rate so far.
    pub fn seconds_left(&self) -> Option<f64> {
        let elapsed = self.elapsed().as_secs_f64();
        let regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let left = regions.iter().filter_map(|hours| {
            let (here, wanted) = (hours.n_here.load(Relaxed), hours.n_wanted.load(Relaxed));
            let left = wanted.checked_sub(here).filter(|left| *left > 0 && here > 0)?;
            Some(ratio(left, here) * elapsed)
        });
        left.max_by(f64::total_cmp)
    }
}

#[expect(clippy::cast_precision_loss, reason = "for an estimate that people read")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_region_says_how_long_it_takes() {
        let progress = HistoryProgress::default();
        assert_eq!(progress.seconds_left(), None);
        for (here, wanted) in [(100, 100), (50, 100), (1, 100)] {
            let hours = Hours { n_wanted: wanted.into(), n_here: here.into() };
            progress.add(&Arc::new(hours));
        }
        assert_eq!(progress.hours(), (151, 300));
        std::thread::sleep(Duration::from_millis(2));
        let elapsed = progress.elapsed().as_secs_f64();
        assert!(progress.seconds_left().unwrap() >= 99.0 * elapsed);
    }
}
