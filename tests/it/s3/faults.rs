//! What goes wrong, when, and how often it did.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Something that goes wrong between a client and S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// 503 `SlowDown`.
    SlowDown,
    /// 500 `InternalError`.
    InternalError,
    /// The connection is reset in the middle of a body.
    Reset,
    /// The connection is closed before all bytes of the body came.
    Cut,
    /// The body is shorter than the object, and the answer's length agrees with the body.
    ShortBody,
    /// A byte of the body is another one.
    WrongBytes,
    /// What was asked for is done, and the answer is 500 `InternalError`.
    LostAnswer,
    /// A listing has an object that is gone. Met where a client asks for it.
    ListedThoughGone,
    /// A listing has an `ETag` that no longer holds. Met where a client asks for it.
    ListedAsItWas,
    /// 400 `ExpiredToken`.
    ExpiredToken,
}

impl Fault {
    /// Those that chance brings about, whatever the bucket holds.
    pub(crate) const RANDOM: [Self; 6] = [
        Self::SlowDown,
        Self::InternalError,
        Self::Reset,
        Self::Cut,
        Self::ShortBody,
        Self::WrongBytes,
    ];

    fn can_strike(self, kind: Kind) -> bool {
        match self {
            Self::SlowDown | Self::InternalError => true,
            Self::Reset | Self::Cut => matches!(kind, Kind::Get | Kind::List | Kind::ListVersions),
            Self::ShortBody | Self::WrongBytes => kind == Kind::Get,
            Self::LostAnswer => kind == Kind::Write,
            Self::ListedThoughGone | Self::ListedAsItWas | Self::ExpiredToken => false,
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `ListObjectsV2`.
    List,
    /// `ListObjectVersions`.
    ListVersions,
    /// `GetObject`.
    Get,
    /// `HeadObject`.
    Head,
    /// `HeadBucket`.
    HeadBucket,
    /// Any that would change something.
    Write,
    /// Any other that only reads.
    Other,
}

impl Kind {
    /// Of a request in path style.
    pub(super) fn of(method: &str, path: &str, query: &str) -> Self {
        let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
        let has =
            |name: &str| query.split('&').any(|part| part == name || part == format!("{name}="));
        match method {
            "HEAD" if key.is_empty() => Self::HeadBucket,
            "HEAD" => Self::Head,
            "GET" if key.is_empty() && query.contains("list-type=2") => Self::List,
            "GET" if key.is_empty() && has("versions") => Self::ListVersions,
            "GET" if !key.is_empty() => Self::Get,
            "GET" | "OPTIONS" => Self::Other,
            _ => Self::Write,
        }
    }
}

/// What is to go wrong. Chance depends on the seed, the request and how often it came, never on
/// the order of requests: the same run meets the same faults.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What chance is made of.
    pub(crate) seed: u64,
    /// How many requests of a million each fault strikes, of those it can.
    pub(crate) per_million: Vec<(Fault, u32)>,
    /// How often one and the same request is struck at most, so that trying again helps.
    pub(crate) at_most: u32,
    /// How long each request takes.
    pub(crate) latency: Duration,
    /// After how many requests the credentials have expired.
    pub(crate) expires_after: Option<u64>,
    /// More requests than these at once are told to slow down.
    pub(crate) most_at_once: Option<usize>,
}

impl Plan {
    /// Nothing goes wrong.
    pub(crate) fn none() -> Self {
        Self {
            seed: 1,
            per_million: Vec::new(),
            at_most: 3,
            latency: Duration::ZERO,
            expires_after: None,
            most_at_once: None,
        }
    }

    /// `fault` strikes as many of a million requests.
    pub(crate) fn with(mut self, fault: Fault, per_million: u32) -> Self {
        self.per_million.push((fault, per_million));
        self
    }
}

/// What has gone wrong so far.
#[derive(Debug)]
pub(super) struct Faults {
    plan: Mutex<Plan>,
    /// Of each request, by its hash: how often it came, and how often it was struck.
    seen: Mutex<HashMap<u64, (u32, u32)>>,
    injected: Mutex<BTreeMap<Fault, u64>>,
}

impl Faults {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan: Mutex::new(plan), seen: Mutex::default(), injected: Mutex::default() }
    }

    pub(super) fn plan(&self) -> Plan {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_plan(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// The fault that strikes this request, if any. Whoever lets it strike calls [`Self::struck`].
    pub(super) fn next(&self, kind: Kind, target: &str) -> Option<Fault> {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (n_seen, n_struck) = seen.entry(hash((target, kind as u8))).or_default();
        *n_seen += 1;
        if *n_struck >= plan.at_most {
            return None;
        }
        let chance = hash((plan.seed, target, *n_seen)) % 1_000_000;
        let mut from = 0;
        for (fault, per_million) in &plan.per_million {
            let to = from + u64::from(*per_million);
            if (from..to).contains(&chance) && fault.can_strike(kind) {
                *n_struck += 1;
                return Some(*fault);
            }
            from = to;
        }
        None
    }

    pub(super) fn struck(&self, fault: Fault) {
        *self.lock().entry(fault).or_default() += 1;
    }

    pub(super) fn injected(&self, fault: Fault) -> u64 {
        self.lock().get(&fault).copied().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Fault, u64>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
