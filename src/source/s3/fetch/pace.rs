//! How many requests are under way at once: more while that brings more, fewer where the service
//! says that it is too much.

use std::time::{Duration, Instant};

/// The fewest requests under way at once.
const MIN_REQUESTS: f64 = 4.0;

/// The most. S3 serves some 100 requests a second on a connection of its own each, and answers
/// 5,500 a second below one prefix.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
const MAX_REQUESTS: f64 = 256.0;

/// Requests under way at first.
const FIRST_REQUESTS: f64 = 16.0;

/// What a request costs beside its bytes, in bytes: small objects are worth their round trip.
const REQUEST_BYTES: u64 = 16 << 10;

/// The shortest time over which throughput is compared.
const MIN_EPOCH: Duration = Duration::from_millis(100);

/// Epochs after which it is tried anew whether more requests bring more.
const HELD_EPOCHS: u32 = 10;

/// By how much the number grows, once doubling it no longer paid.
const STEP: f64 = 1.25;

/// Which part of what was hoped for from more requests is enough to keep them.
const WORTH: f64 = 0.3;

/// Chooses the number of requests under way.
///
/// It counts in epochs of about as many requests as are under way. Where requests had to wait for
/// their turn, it takes more; were these worth little, it goes back and tries again later. Of
/// requests that the service turned away, it takes the same part away from the number, at most
/// half: a few of many are no reason to crawl.
#[derive(Debug)]
pub(super) struct Pace {
    limit: f64,
    n_running: usize,
    epoch: Epoch,
    /// Throughput and limit before the limit was raised last.
    before: Option<(f64, f64)>,
    is_doubling: bool,
    n_held: u32,
}

/// What happened since the limit was last thought about.
#[derive(Debug)]
struct Epoch {
    started_at: Instant,
    work: u64,
    n_done: u32,
    n_refused: u32,
    /// Whether something had to wait because of the limit.
    was_full: bool,
}

impl Epoch {
    fn new(now: Instant) -> Self {
        Self { started_at: now, work: 0, n_done: 0, n_refused: 0, was_full: false }
    }
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            limit: FIRST_REQUESTS,
            n_running: 0,
            epoch: Epoch::new(now),
            before: None,
            is_doubling: true,
            n_held: 0,
        }
    }

    /// Begins another request, for one that waits, if there is room for it.
    pub(super) fn begin_if_room(&mut self) -> bool {
        let has_room = self.n_running < self.limit();
        self.epoch.was_full |= !has_room;
        self.n_running += usize::from(has_room);
        has_room
    }

    /// Begins another request, whether there is room for it or not.
    pub(super) fn begin(&mut self) {
        self.n_running += 1;
    }

    /// Requests that may be under way at once.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 4 and 256"
    )]
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// An object is done with, of which so many bytes came.
    pub(super) fn ended(&mut self, n_bytes: u64, now: Instant) {
        self.n_running = self.n_running.saturating_sub(1);
        self.epoch.n_done += 1;
        self.epoch.work += n_bytes + REQUEST_BYTES;
        self.look(now);
    }

    /// The service turned a request away, or did not answer it.
    pub(super) fn refused(&mut self, now: Instant) {
        self.epoch.n_refused += 1;
        self.look(now);
    }

    fn look(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.epoch.started_at);
        let n_events = f64::from(self.epoch.n_done + self.epoch.n_refused);
        if elapsed < MIN_EPOCH || n_events < self.limit {
            return;
        }
        let epoch = std::mem::replace(&mut self.epoch, Epoch::new(now));
        #[expect(clippy::cast_precision_loss, reason = "a rate to compare with another")]
        let rate = epoch.work as f64 / elapsed.as_secs_f64();
        let refused = f64::from(epoch.n_refused) / n_events;
        self.judge(rate, epoch.was_full);
        if refused > 0.0 {
            self.is_doubling = false;
            self.set(self.limit * (1.0 - refused.min(0.5)));
        }
    }

    fn judge(&mut self, rate: f64, was_full: bool) {
        if let Some((before_rate, before_limit)) = self.before.take() {
            let hoped = before_rate * (self.limit / before_limit - 1.0).max(0.0);
            if rate < before_rate + WORTH * hoped {
                self.is_doubling = false;
                self.n_held = 0;
                self.set(before_limit);
                return;
            }
        } else if !self.is_doubling && self.n_held < HELD_EPOCHS {
            self.n_held += 1;
            return;
        }
        if was_full {
            self.before = Some((rate, self.limit));
            self.set(self.limit * if self.is_doubling { 2.0 } else { STEP });
        }
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.clamp(MIN_REQUESTS, MAX_REQUESTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets `pace` run against a service that answers in 20 ms as long as no more than `capacity`
    /// requests are under way, and slower then; `refuses` tells what it does to the n-th.
    fn run(pace: &mut Pace, epochs: u32, capacity: f64, refuses: impl Fn(u32) -> bool) {
        let mut now = pace.epoch.started_at;
        let mut n = 0;
        for _ in 0..epochs * 10 {
            let limit = pace.limit();
            assert!(!(0..=limit).all(|_| pace.begin_if_room()));
            let slower = (f64::from(u32::try_from(limit).unwrap()) / capacity).max(1.0);
            now += Duration::from_millis(20).mul_f64(slower);
            for _ in 0..limit {
                n += 1;
                if refuses(n) {
                    pace.refused(now);
                }
                pace.ended(20_000, now);
            }
        }
    }

    #[test]
    fn it_grows_as_long_as_more_requests_bring_more() {
        let mut pace = Pace::new(Instant::now());
        run(&mut pace, 30, 1e9, |_| false);
        assert_eq!(pace.limit(), 256);
        let mut pace = Pace::new(Instant::now());
        run(&mut pace, 30, 64.0, |_| false);
        assert!((60..=160).contains(&pace.limit()), "{}", pace.limit());
    }

    #[test]
    fn it_shrinks_where_requests_are_turned_away_and_grows_again() {
        let mut pace = Pace::new(Instant::now());
        run(&mut pace, 30, 1e9, |_| false);
        run(&mut pace, 10, 1e9, |_| true);
        assert_eq!(pace.limit(), 4);
        run(&mut pace, 400, 1e9, |_| false);
        assert_eq!(pace.limit(), 256);
    }

    #[test]
    fn a_few_refusals_do_not_make_it_crawl() {
        let mut pace = Pace::new(Instant::now());
        run(&mut pace, 200, 1e9, |n| n % 20 == 0);
        assert!(pace.limit() >= 16, "{}", pace.limit());
    }

    #[test]
    fn without_anything_waiting_it_stays() {
        let mut pace = Pace::new(Instant::now());
        let mut now = Instant::now();
        for _ in 0..1_000 {
            pace.begin();
            now += Duration::from_millis(20);
            pace.ended(20_000, now);
        }
        assert_eq!(pace.limit(), 16);
    }
}
