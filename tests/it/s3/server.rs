//! The server: started and stopped by a test, asked what it met.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use s3s::service::S3ServiceBuilder;
use tokio::{net::TcpListener, runtime::Runtime};

use super::{
    access::{ACCESS_KEY, Keys, Policies, SECRET_KEY},
    faults::{Fault, Faults, Kind, Plan},
    service::Service,
    store::{Bucket, Policy},
    wire,
};

/// S3 on a port of its own, for as long as it is held.
///
/// Dropping it fails the test if anything tried to write to evidence.
pub(crate) struct Server {
    shared: Arc<Shared>,
    endpoint: String,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// What connections and the test share.
#[derive(Debug)]
pub(super) struct Shared {
    buckets: RwLock<BTreeMap<String, Bucket>>,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    /// Requests that would have changed evidence.
    forbidden: Mutex<Vec<String>>,
}

impl Server {
    /// S3 with these buckets, where nothing goes wrong.
    pub(crate) fn start(buckets: impl IntoIterator<Item = Bucket>) -> Self {
        Self::with_faults(buckets, Plan::none())
    }

    /// S3 with these buckets, where `plan` goes wrong.
    pub(crate) fn with_faults(buckets: impl IntoIterator<Item = Bucket>, plan: Plan) -> Self {
        let buckets = buckets.into_iter().map(|bucket| (bucket.name.clone(), bucket)).collect();
        let shared = Arc::new(Shared {
            buckets: RwLock::new(buckets),
            faults: Faults::new(plan),
            counts: Counts::default(),
            forbidden: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut builder = S3ServiceBuilder::new(Service(Arc::clone(&shared)));
        builder.set_auth(Keys);
        builder.set_access(Policies(Arc::clone(&shared)));
        runtime.spawn(wire::serve(listener, builder.build(), Arc::clone(&shared)));
        Self { shared, endpoint, runtime: Some(runtime) }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A command of the binary that takes this server for S3 and `cache` for its cache, with the
    /// server's credentials and nothing of the user's: `&["ingest", "s3://logs"]`.
    pub(crate) fn command(&self, cache: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
        command
            .env_clear()
            .envs(Self::environment())
            .env("HOME", cache)
            .args(["--threads", "2", "--cache"])
            .arg(cache)
            .args(arguments)
            .args(["--endpoint-url", &self.endpoint, "--path-style"]);
        command
    }

    /// What the AWS SDK takes from the environment, and nothing that leads to the user's.
    pub(crate) fn environment() -> [(&'static str, &'static str); 6] {
        [
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", ""),
            ("AWS_SHARED_CREDENTIALS_FILE", ""),
        ]
    }

    /// Changes what a bucket holds, as its owner would while others read.
    pub(crate) fn change<T>(&self, bucket: &str, change: impl FnOnce(&mut Bucket) -> T) -> T {
        change(self.shared.buckets_mut().get_mut(bucket).unwrap())
    }

    /// Lets other things go wrong from now on.
    pub(crate) fn set_plan(&self, plan: Plan) {
        self.shared.faults.set_plan(plan);
    }

    /// Requests of a kind since the start, or since they were last forgotten.
    pub(crate) fn requests(&self, kind: Kind) -> u64 {
        self.shared.counts.of(kind)
    }

    /// The most requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.counts.most_at_once.load(Ordering::Relaxed)
    }

    /// Keys that listings have told.
    pub(crate) fn keys_listed(&self) -> u64 {
        self.shared.counts.keys_listed.load(Ordering::Relaxed)
    }

    /// Counts requests from nothing again.
    pub(crate) fn forget_requests(&self) {
        self.shared.counts.forget();
    }

    /// How often `fault` struck.
    pub(crate) fn injected(&self, fault: Fault) -> u64 {
        self.shared.faults.injected(fault)
    }

    /// Fails unless `fault` struck: a test of a fault that never came proves nothing.
    #[track_caller]
    pub(crate) fn assert_injected(&self, fault: Fault) {
        assert!(self.injected(fault) > 0, "{fault:?} was never injected");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let forbidden = self.shared.forbidden.lock().unwrap_or_else(PoisonError::into_inner);
        let is_untouched = forbidden.is_empty() || thread::panicking();
        assert!(is_untouched, "evidence was written to:\n{}", forbidden.join("\n"));
    }
}

impl Shared {
    pub(super) fn buckets(&self) -> RwLockReadGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn buckets_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a request that would change something where nobody may.
    pub(super) fn watch_write(&self, method: &str, path: &str) {
        let bucket = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if !self.buckets().get(bucket).is_some_and(|bucket| bucket.policy == Policy::Writable) {
            let mut forbidden = self.forbidden.lock().unwrap_or_else(PoisonError::into_inner);
            forbidden.push(format!("  {method} {path}"));
        }
    }
}

/// Requests, counted as they come.
#[derive(Debug, Default)]
pub(super) struct Counts {
    of_kind: Mutex<BTreeMap<Kind, u64>>,
    all: AtomicU64,
    in_flight: AtomicUsize,
    most_at_once: AtomicUsize,
    keys_listed: AtomicU64,
}

impl Counts {
    pub(super) fn begin(&self, kind: Kind) -> InFlight<'_> {
        *self.of_kind.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
        self.all.fetch_add(1, Ordering::Relaxed);
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(now, Ordering::Relaxed);
        InFlight(self)
    }

    pub(super) fn listed(&self, n_keys: usize) {
        self.keys_listed.fetch_add(n_keys as u64, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn of(&self, kind: Kind) -> u64 {
        let of_kind = self.of_kind.lock().unwrap_or_else(PoisonError::into_inner);
        of_kind.get(&kind).copied().unwrap_or_default()
    }

    fn forget(&self) {
        self.of_kind.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.all.store(0, Ordering::Relaxed);
        self.keys_listed.store(0, Ordering::Relaxed);
        self.most_at_once.store(0, Ordering::Relaxed);
    }
}

/// A request that is under way until this is dropped.
pub(super) struct InFlight<'a>(&'a Counts);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
