//! One object on its way: asked for until it is whole, from where it broke off.

use std::{
    hash::{BuildHasher as _, Hasher as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::{Traffic, pace::Pace};
use crate::aws::{
    Failure, FailureKind,
    s3::{Body, Bucket, Head},
};

/// How long a body may bring nothing.
const MAX_SILENCE: Duration = Duration::from_mins(1);

/// How often an object may bring bytes that are not what they should be.
const MAX_FAULTS: u32 = 5;

/// How often an object may change while it is read.
const MAX_CHANGES: u32 = 5;

/// How often credentials are tried that were refused: whoever gives them may have been busy.
const MAX_REFUSALS: u32 = 3;

/// The longest pause before the first and before later attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// An object, as it was listed.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) bucket: Bucket,
    pub(super) key: String,
    pub(super) version: Option<Arc<str>>,
    pub(super) size_bytes: u64,
    pub(super) etag: Option<Arc<str>>,
}

/// What all transfers share.
#[derive(Debug)]
pub(super) struct Link {
    pace: Mutex<Pace>,
    pub(super) traffic: Arc<Traffic>,
    /// How long an object is asked for in vain.
    patience: Duration,
    started_at: Instant,
    /// When anything came last, in milliseconds since the start.
    heard_at: AtomicU64,
}

impl Link {
    pub(super) fn new(traffic: Arc<Traffic>, patience: Duration) -> Self {
        let now = Instant::now();
        let pace = Mutex::new(Pace::new(now));
        Self { pace, traffic, patience, started_at: now, heard_at: AtomicU64::new(0) }
    }

    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn heard(&self, n_bytes: usize) {
        self.traffic.came(n_bytes);
        self.heard_at.store(self.millis(), Ordering::Relaxed);
    }

    /// Whether nothing came of any object for longer than anyone should wait.
    fn is_dead(&self) -> bool {
        let silent = self.millis().saturating_sub(self.heard_at.load(Ordering::Relaxed));
        u128::from(silent) >= self.patience.as_millis()
    }
}

/// An object that cannot be had.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    pub(super) failure: Failure,
    /// How long it was tried, where trying again might have helped.
    pub(super) tried_for: Option<Duration>,
    /// Whether no other object can be had either.
    pub(super) is_of_all: bool,
}

impl Loss {
    pub(super) fn of(failure: Failure) -> Self {
        let is_of_all = failure.kind == FailureKind::Credentials;
        Self { failure, tried_for: None, is_of_all }
    }
}

/// What a transfer gives next.
#[derive(Debug)]
pub(super) enum Step {
    /// The bytes that follow.
    Bytes(Bytes),
    /// Forget what was given: from here on it comes from the front.
    Restart,
    /// That was all of it, and it is what it should be.
    End,
}

/// One object on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    wanted: Wanted,
    link: Arc<Link>,
    /// What the object must still have.
    etag: Option<Arc<str>>,
    head: Option<Head>,
    body: Option<Body>,
    /// Where in the object the body is.
    at: u64,
    /// Bytes given.
    given: u64,
    /// The most that were ever given, restarts included.
    reached: u64,
    md5: Md5,
    /// When it last came further.
    moved_at: Instant,
    n_failures: u32,
    n_faults: u32,
    n_changes: u32,
    n_refusals: u32,
    last_failure: Option<Failure>,
}

impl Transfer {
    pub(super) fn new(wanted: Wanted, link: Arc<Link>) -> Self {
        Self {
            etag: wanted.etag.clone(),
            wanted,
            link,
            head: None,
            body: None,
            at: 0,
            given: 0,
            reached: 0,
            md5: Md5::new(),
            moved_at: Instant::now(),
            n_failures: 0,
            n_faults: 0,
            n_changes: 0,
            n_refusals: 0,
            last_failure: None,
        }
    }

    /// What the service said of the object, once something came of it.
    pub(super) fn head(&self) -> Head {
        self.head.clone().unwrap_or_default()
    }

    /// What failed last.
    pub(super) fn last_failure(&self) -> Failure {
        self.last_failure.clone().unwrap_or_else(Failure::changed)
    }

    /// What comes next, however often the connection breaks.
    pub(super) async fn next(&mut self) -> Result<Step, Loss> {
        loop {
            let given = self.given;
            match self.attempt().await {
                Ok(Some(step)) => return Ok(step),
                Ok(None) => {}
                Err(failure) => {
                    self.mend(failure).await?;
                    if self.given < given {
                        return Ok(Step::Restart);
                    }
                }
            }
        }
    }

    async fn attempt(&mut self) -> Result<Option<Step>, Failure> {
        if self.body.is_none() {
            self.ask().await?;
        }
        let Some(body) = &mut self.body else { return Ok(None) };
        let next = tokio::time::timeout(MAX_SILENCE, body.next()).await;
        match next.map_err(|_silence| Failure::timed_out())? {
            Some(bytes) => Ok(self.accept(bytes?).map(Step::Bytes)),
            None => self.check().map(|()| Some(Step::End)),
        }
    }

    /// Asks for what is still to come.
    async fn ask(&mut self) -> Result<(), Failure> {
        let Wanted { bucket, key, version, .. } = &self.wanted;
        let etag = self.etag.as_deref();
        let (head, body) = bucket.get(key, version.as_deref(), etag, self.given).await?;
        if self.given > 0 && head.etag.as_deref() != etag {
            return Err(Failure::changed());
        }
        if body.start() > self.given {
            self.forget();
            return Err(Failure::fault("the service sent another range than was asked for"));
        }
        self.at = body.start();
        self.body = Some(body);
        if self.given == 0 {
            self.etag = head.etag.as_deref().map(Arc::from);
            self.head = Some(head);
        }
        Ok(())
    }

    /// What of `bytes` is new.
    fn accept(&mut self, mut bytes: Bytes) -> Option<Bytes> {
        let n_bytes = bytes.len();
        let known = usize::try_from(self.given.saturating_sub(self.at)).unwrap_or(usize::MAX);
        self.at += n_bytes as u64;
        let new = bytes.split_off(known.min(n_bytes));
        if new.is_empty() {
            return None;
        }
        self.given += new.len() as u64;
        self.md5.update(&new);
        self.link.heard(new.len());
        if self.given > self.reached {
            self.reached = self.given;
            self.moved_at = Instant::now();
            self.n_failures = 0;
        }
        Some(new)
    }

    /// Bytes that the object has. A listing tells it too; what was listed under the same `ETag`
    /// and is now shorter was cut on its way.
    fn expected(&self) -> Option<u64> {
        let head = self.head.as_ref()?;
        let is_as_listed = self.wanted.etag.is_some() && head.etag.as_deref() == self.listed_etag();
        if is_as_listed { Some(self.wanted.size_bytes) } else { head.size_bytes }
    }

    fn listed_etag(&self) -> Option<&str> {
        self.wanted.etag.as_deref()
    }

    /// Whether what came is all of it.
    fn check(&mut self) -> Result<(), Failure> {
        let given = self.given;
        if let Some(expected) = self.expected().filter(|expected| *expected != given) {
            if given > expected {
                self.forget();
            }
            let fault = format!("{given} of its {expected} bytes came");
            return Err(Failure::fault(fault));
        }
        let sum: [u8; 16] = self.md5.clone().finalize().into();
        if let Some(expected) = self.head.as_ref().and_then(|head| head.md5)
            && expected != sum
        {
            self.forget();
            let sum = u128::from_be_bytes(sum);
            let fault = format!("its bytes have the MD5 {sum:032x}, which its ETag is not");
            return Err(Failure::fault(fault));
        }
        Ok(())
    }

    /// Begins anew.
    fn forget(&mut self) {
        self.given = 0;
        self.md5 = Md5::new();
        self.body = None;
    }

    /// Makes ready for another attempt, after a pause; or says that there is no point in one.
    async fn mend(&mut self, failure: Failure) -> Result<(), Loss> {
        self.body = None;
        let traffic = &self.link.traffic;
        traffic.n_retries.fetch_add(1, Ordering::Relaxed);
        self.last_failure = Some(failure.clone());
        match failure.kind {
            FailureKind::Changed if self.n_changes < MAX_CHANGES => {
                self.n_changes += 1;
                self.etag = None;
                self.forget();
                return Ok(());
            }
            FailureKind::Credentials if self.n_refusals < MAX_REFUSALS => self.n_refusals += 1,
            FailureKind::Fault if self.n_faults < MAX_FAULTS => self.n_faults += 1,
            // What was sent was cut short: there is nothing where it should go on.
            FailureKind::Other
                if failure.code.as_deref() == Some("InvalidRange")
                    && self.n_faults < MAX_FAULTS =>
            {
                self.n_faults += 1;
                self.forget();
            }
            FailureKind::Throttled | FailureKind::TimedOut | FailureKind::Transient => {
                if failure.kind != FailureKind::Transient {
                    self.link.pace().refused(Instant::now());
                }
                let tried_for = self.moved_at.elapsed();
                if tried_for >= self.link.patience {
                    let is_of_all = self.link.is_dead();
                    return Err(Loss { failure, tried_for: Some(tried_for), is_of_all });
                }
            }
            _ => return Err(Loss::of(failure)),
        }
        tokio::time::sleep(pause(self.n_failures)).await;
        self.n_failures = self.n_failures.saturating_add(1);
        Ok(())
    }
}

/// How long to wait before the attempt that follows `n_failures` in a row: longer each time, and
/// by chance, so that not all who failed together come again together.
fn pause(n_failures: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << n_failures.min(16)).min(LONGEST_PAUSE);
    // The standard library's hashers are keyed at random.
    let chance = std::hash::RandomState::new().build_hasher().finish() >> 32;
    let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX) / 2;
    Duration::from_millis(millis + (millis.saturating_mul(chance) >> 32))
}

/// All of a small object.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) head: Head,
    pub(super) bytes: Vec<u8>,
}

/// Fetches an object whole; nothing where it is longer than `max_bytes`.
pub(super) async fn whole(
    wanted: Wanted,
    link: Arc<Link>,
    max_bytes: u64,
) -> Result<Option<Whole>, Loss> {
    let size_bytes = usize::try_from(wanted.size_bytes.min(max_bytes)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(size_bytes);
    let mut transfer = Transfer::new(wanted, link);
    loop {
        match transfer.next().await? {
            Step::Bytes(more) => bytes.extend_from_slice(&more),
            Step::Restart => bytes.clear(),
            Step::End => {
                transfer.link.traffic.n_objects.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(Whole { head: transfer.head(), bytes }));
            }
        }
        if bytes.len() as u64 > max_bytes {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_differ_and_end() {
        let is_within = |n_failures: u32, from: u64, to: u64| {
            let pause = pause(n_failures);
            assert!((from..=to).contains(&u64::try_from(pause.as_millis()).unwrap()), "{pause:?}");
        };
        is_within(0, 50, 100);
        is_within(3, 400, 800);
        is_within(u32::MAX, 10_000, 20_000);
        let pauses: Vec<_> = (0..20).map(|_| pause(10)).collect();
        assert!(pauses.iter().any(|one| Some(one) != pauses.first()));
    }
}
