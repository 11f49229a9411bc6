//! The memory of all statements of a session: who may take how much of it.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use datafusion::{
    common::resources_datafusion_err,
    error::Result,
    execution::memory_pool::{
        MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
    },
};

/// What sorting reserves to merge its sorted runs. It takes what there is and makes do with less,
/// but DataFusion counts it among those that cannot spill, who may take everything (55.2).
const MERGING: &str = "ExternalSorterMerge";

/// Stages of a plan that are at work at the same time, mostly: the others wait for their input.
const STAGES_AT_WORK: usize = 4;

/// A pool of a fixed size. Those who spill, or make do with less, share what the others leave: each
/// can count on an equal part. Where there are many of them, most of whom wait, those at work get
/// more, as long as half is left.
///
/// DataFusion's own pool that shares lets merges take what the sorting of other threads needs, and
/// gives each operator of a long plan next to nothing.
#[derive(Debug)]
pub(super) struct Pool {
    size: usize,
    /// How many may have more than their equal part at a time.
    at_work: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many share.
    n_shares: usize,
    /// Bytes of those.
    shared: usize,
    /// Bytes of those that do not.
    other: usize,
}

impl Pool {
    /// `size` bytes for statements that run on `threads` threads.
    pub(super) fn new(size: usize, threads: usize) -> Self {
        Self { size, at_work: threads.max(1) * STAGES_AT_WORK, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shares(consumer: &MemoryConsumer) -> bool {
    consumer.can_spill() || consumer.name().starts_with(MERGING)
}

impl MemoryPool for Pool {
    fn name(&self) -> &'static str {
        "trailhound"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if shares(consumer) {
            self.state().n_shares += 1;
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if shares(consumer) {
            let mut state = self.state();
            state.n_shares = state.n_shares.saturating_sub(1);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        *self.state().of(reservation.consumer()) += additional;
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        let taken = state.of(reservation.consumer());
        *taken = taken.saturating_sub(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        let consumer = reservation.consumer();
        let available = if shares(consumer) {
            state.available(self.size, self.at_work, reservation.size())
        } else {
            self.size.saturating_sub(state.shared + state.other)
        };
        if additional > available {
            return Err(resources_datafusion_err!(
                "{} asks for {} more, and {} of {} may be had",
                consumer.name(),
                human_readable_size(additional),
                human_readable_size(available),
                human_readable_size(self.size)
            ));
        }
        *state.of(consumer) += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state();
        state.shared + state.other
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.size)
    }
}

impl State {
    /// What consumers like this one have taken.
    fn of(&mut self, consumer: &MemoryConsumer) -> &mut usize {
        if shares(consumer) { &mut self.shared } else { &mut self.other }
    }

    /// What one that shares a pool of `size` and holds `held` may take in addition.
    ///
    /// Some consumers have several reservations, such as an aggregation that reads its own spilled
    /// state and merges it meanwhile: DataFusion expects that each of them gets its part, and more
    /// may be taken together than there is.
    fn available(&self, size: usize, at_work: usize, held: usize) -> usize {
        let all = size.saturating_sub(self.other);
        let n_shares = self.n_shares.max(1);
        let equal = (all / n_shares).saturating_sub(held);
        let generous = (all / n_shares.min(at_work)).saturating_sub(held);
        equal.max(generous.min((all / 2).saturating_sub(self.shared)))
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", human_readable_size(self.reserved()), human_readable_size(self.size))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SIZE: usize = 1_000;

    fn pool() -> Arc<dyn MemoryPool> {
        Arc::new(Pool::new(SIZE, 1))
    }

    fn spilling(pool: &Arc<dyn MemoryPool>, name: &str) -> MemoryReservation {
        MemoryConsumer::new(name).with_can_spill(true).register(pool)
    }

    #[test]
    fn who_is_alone_gets_everything_but_no_more() {
        let pool = pool();
        let one = spilling(&pool, "one");
        one.try_grow(SIZE).unwrap();
        let error = one.try_grow(1).unwrap_err().to_string();
        assert!(
            error.contains("one asks for 1.0 B more, and 0.0 B of 1000.0 B may be had"),
            "{error}"
        );
        drop(one);
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn merging_takes_nothing_that_sorting_can_count_on() {
        let pool = pool();
        let (sorter, other) =
            (spilling(&pool, "ExternalSorter[0]"), spilling(&pool, "ExternalSorter[1]"));
        let merge = MemoryConsumer::new("ExternalSorterMerge[0]").register(&pool);
        let other_merge = MemoryConsumer::new("ExternalSorterMerge[1]").register(&pool);
        merge.try_grow(SIZE / 4).unwrap();
        merge.try_grow(1).unwrap_err();
        for reservation in [&sorter, &other, &other_merge] {
            reservation.try_grow(SIZE / 4).unwrap();
        }
    }

    #[test]
    fn what_cannot_spill_takes_what_is_free_and_leaves_less_to_share() {
        let pool = pool();
        let join = MemoryConsumer::new("HashJoinInput").register(&pool);
        let (one, two) = (spilling(&pool, "one"), spilling(&pool, "two"));
        join.try_grow(600).unwrap();
        one.try_grow(200).unwrap();
        one.try_grow(1).unwrap_err();
        join.try_grow(201).unwrap_err();
        two.try_grow(200).unwrap();
        drop(join);
        one.try_grow(300).unwrap();
    }

    #[test]
    fn of_many_those_at_work_get_more_than_an_equal_part() {
        let pool = pool();
        let all: Vec<MemoryReservation> =
            (0..20).map(|n| spilling(&pool, &n.to_string())).collect();
        let [one, two, three, rest @ ..] = all.as_slice() else { unreachable!() };
        one.try_grow(250).unwrap();
        one.try_grow(1).unwrap_err();
        two.try_grow(250).unwrap();
        // Half is left: for everybody's equal part.
        three.try_grow(51).unwrap_err();
        three.try_grow(50).unwrap();
        for reservation in rest.iter().take(9) {
            reservation.try_grow(50).unwrap();
        }
    }
}
