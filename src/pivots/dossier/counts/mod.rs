//! What is known of each value of each dimension, counted by all threads at once.
//!
//! The values of a dimension lie in shards, each behind a lock of its own, and each thread adds what
//! a batch had. The memory that they take together is bounded: where they need more, the dimension
//! that takes the most is given up here, and asked for in SQL, which spills (`super::top`).

mod shard;

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::HashMap,
    hash::BuildHasher as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{self, AtomicBool, AtomicUsize},
    },
};

use foldhash::quality::RandomState;

use self::shard::Shard;
use super::tally::{Dimension, Stat};

/// Shards of one dimension: several times the threads that most machines have.
const SHARDS: usize = 32;

/// The counts of all dimensions while they are made.
#[derive(Debug)]
pub(super) struct Counting {
    hasher: RandomState,
    /// In the order of [`Dimension::ALL`].
    dimensions: Vec<CountingOne>,
    /// Bytes for all values of all dimensions.
    budget: usize,
}

#[derive(Debug)]
struct CountingOne {
    dimension: Dimension,
    shards: Vec<Mutex<Shard>>,
    bytes: AtomicUsize,
    /// There are too many values: none is kept.
    is_given_up: AtomicBool,
}

impl Counting {
    pub(super) fn new(budget: usize) -> Self {
        let hasher = RandomState::default();
        let dimensions = Dimension::ALL
            .into_iter()
            .map(|dimension| CountingOne {
                dimension,
                shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
                bytes: AtomicUsize::new(0),
                is_given_up: AtomicBool::new(false),
            })
            .collect();
        Self { hasher, dimensions, budget }
    }

    /// Whether there is no use in counting `dimension` any further.
    pub(super) fn has_given_up(&self, dimension: Dimension) -> bool {
        self.of(dimension).is_none_or(CountingOne::has_given_up)
    }

    /// Adds what is known of `values`, of which one may stand there several times.
    pub(super) fn add(&self, dimension: Dimension, values: &[(Cow<'_, str>, Stat)]) {
        let Some(counting) = self.of(dimension) else { return };
        let hashed: Vec<u64> =
            values.iter().map(|(value, _)| self.hasher.hash_one(value.as_ref())).collect();
        let mut order: Vec<usize> = (0..values.len()).collect();
        let shard_at = |at: &usize| hashed.get(*at).map_or(0, |hash| shard_of(*hash));
        order.sort_unstable_by_key(shard_at);
        for places in order.chunk_by(|a, b| shard_at(a) == shard_at(b)) {
            let shard = places.first().and_then(|at| counting.shards.get(shard_at(at)));
            let Some(mut shard) = shard.map(lock) else { continue };
            // Asked under the lock, so that what is given up stays empty.
            if counting.has_given_up() {
                return;
            }
            let mut bytes = 0;
            for at in places {
                if let (Some((value, stat)), Some(hash)) = (values.get(*at), hashed.get(*at)) {
                    bytes += shard.add(*hash, value, stat);
                }
            }
            drop(shard);
            counting.bytes.fetch_add(bytes, atomic::Ordering::Relaxed);
        }
        if self.dimensions.iter().map(CountingOne::taken).sum::<usize>() > self.budget
            && let Some(largest) = self.dimensions.iter().max_by_key(|one| one.taken())
        {
            largest.give_up();
        }
    }

    /// What was counted.
    pub(super) fn finish(self) -> HashMap<Dimension, Values> {
        let values = self.dimensions.into_iter().map(|one| {
            let overflowed = one.has_given_up();
            let shards = one.shards.into_iter().map(Mutex::into_inner);
            let shards =
                shards.map(|shard| shard.unwrap_or_else(PoisonError::into_inner)).collect();
            (one.dimension, Values { hasher: self.hasher.clone(), shards, overflowed })
        });
        values.collect()
    }

    fn of(&self, dimension: Dimension) -> Option<&CountingOne> {
        self.dimensions.iter().find(|one| one.dimension == dimension)
    }
}

impl CountingOne {
    fn has_given_up(&self) -> bool {
        self.is_given_up.load(atomic::Ordering::Acquire)
    }

    /// Bytes that the values take.
    fn taken(&self) -> usize {
        if self.has_given_up() { 0 } else { self.bytes.load(atomic::Ordering::Relaxed) }
    }

    fn give_up(&self) {
        self.is_given_up.store(true, atomic::Ordering::Release);
        for shard in &self.shards {
            let mut shard = lock(shard);
            *shard = Shard::default();
        }
    }
}

/// A panic is told where the thread that counted is waited for.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The upper bits: the tables in the shards go by the lower ones.
fn shard_of(hash: u64) -> usize {
    usize::try_from(hash >> 40).unwrap_or(0) % SHARDS
}

/// The values of one dimension.
#[derive(Debug)]
pub(super) struct Values {
    hasher: RandomState,
    shards: Vec<Shard>,
    /// There were more than fit: nothing is known of any.
    pub(super) overflowed: bool,
}

impl Values {
    /// Whether `value` is among them.
    pub(super) fn has(&self, value: &str) -> bool {
        let hash = self.hasher.hash_one(value);
        let shard = self.shards.get(shard_of(hash));
        shard.is_some_and(|shard| shard.get(hash, value).is_some())
    }

    /// Of the values that are `meant`, the first `limit`, those with the most events first and of
    /// as many by name; and how many there are.
    pub(super) fn ranked(
        &self,
        limit: usize,
        meant: impl Fn(&Stat) -> bool,
    ) -> (u64, Vec<(&str, &Stat)>) {
        let (mut n, mut first) = (0, Vec::new());
        // The events that a value needs at least to be among the first.
        let mut least = 0;
        for (value, stat) in self.shards.iter().flat_map(Shard::iter) {
            if stat.events == 0 || !meant(stat) {
                continue;
            }
            n += 1;
            if stat.events < least {
                continue;
            }
            first.push((value, stat));
            if first.len() >= limit.saturating_mul(2).saturating_add(1_024) {
                first.sort_unstable_by(by_events);
                first.truncate(limit);
                least = first.last().map_or(0, |(_, stat)| stat.events);
            }
        }
        first.sort_unstable_by(by_events);
        first.truncate(limit);
        (n, first)
    }
}

/// Those with the most events first; of as many, by name.
fn by_events(a: &(&str, &Stat), b: &(&str, &Stat)) -> Ordering {
    b.1.events.cmp(&a.1.events).then_with(|| a.0.cmp(b.0))
}
