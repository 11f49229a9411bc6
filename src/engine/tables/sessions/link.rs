//! Ties credentials to what they came from.
//!
//! An event that names the key it handed out proves the tie. Where no event does, the session's own
//! record is asked what it tells of its beginning: the instant, the sign-in, the instance; and what
//! could have begun it is counted.

use std::collections::HashMap;

use super::{
    gather::{Caller, Gathered, Issue, Used},
    ids::Id,
    index::Index,
    texts::Text,
    time::Time,
    words::{Edge, Kind, Origin, Sure},
};

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// Clocks of services differ by less; a key that was used earlier was not issued then.
const SKEW: i64 = 300 * SECOND;

/// The console's sessions begin with the sign-in; what begins within this time may be it.
const SIGN_IN: i64 = 5 * SECOND;

/// A service acts for a call within this time of it.
const FORWARD: i64 = 5 * SECOND;

/// The longest that a role's session lasts.
const LONGEST_SESSION: i64 = 12 * 3600 * SECOND;

/// The uses of keys: each one's time, and whether it was denied.
pub(super) type Times = HashMap<String, Vec<(Option<i64>, bool)>>;

/// A row of the table: credentials, and what they came from.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) kind: Kind,
    /// The place among [`Gathered::used`], where they were used.
    pub(super) used: Option<u32>,
    /// The place of the issuing event among [`Gathered::issues`].
    pub(super) issue: Option<u32>,
    pub(super) tie: Tie,
    /// The row of what they came from.
    pub(super) above: Option<u32>,
    /// The row that its tree begins with.
    pub(super) root: u32,
    /// How many rows it lies below the root.
    pub(super) depth: u32,
    /// Whether it came from itself, over others: no real credentials do.
    pub(super) is_circular: bool,
    /// Whether its key was issued several times.
    pub(super) is_reused: bool,
}

/// What credentials came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tie {
    pub(super) edge: Edge,
    pub(super) sure: Sure,
    /// What could be meant as well, this included.
    pub(super) candidates: u32,
    pub(super) parent: Option<Id>,
    pub(super) origin: Option<Origin>,
    pub(super) principal: Option<Text>,
}

/// The use of credentials.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Life {
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) calls: u32,
    pub(super) denied: u32,
}

impl Life {
    /// Adds a use.
    pub(super) fn add(&mut self, at: Option<i64>, is_denied: bool) {
        if let Some(at) = at {
            self.first = Time::from(Some(self.first.get().map_or(at, |first| first.min(at))));
            self.last = self.last.max(Time::from(Some(at)));
        }
        self.calls = self.calls.saturating_add(1);
        self.denied = self.denied.saturating_add(u32::from(is_denied));
    }
}

impl Tie {
    fn new(edge: Edge, sure: Sure) -> Self {
        Self { edge, sure, candidates: 1, parent: None, origin: None, principal: None }
    }

    fn from(self, origin: Origin, parent: Option<Id>, principal: Option<Text>) -> Self {
        Self { origin: Some(origin), parent, principal, ..self }
    }
}

impl Link {
    fn new(kind: Kind, tie: Tie, used: Option<usize>, issue: Option<usize>) -> Self {
        let place = |at: Option<usize>| at.and_then(|at| u32::try_from(at).ok());
        Self {
            kind,
            used: place(used),
            issue: place(issue),
            tie,
            above: None,
            root: 0,
            depth: 0,
            is_circular: false,
            is_reused: false,
        }
    }

    /// The use of its key.
    pub(super) fn used<'a>(&self, all: &'a Gathered) -> Option<&'a Used> {
        all.used.get(usize::try_from(self.used?).ok()?)
    }

    /// The event that issued it.
    pub(super) fn issue<'a>(&self, all: &'a Gathered) -> Option<&'a Issue> {
        all.issues.get(usize::try_from(self.issue?).ok()?)
    }

    /// The access key id, or the id of a sign-in's event; nothing where it is not in the evidence.
    pub(super) fn credential(&self, all: &Gathered) -> Option<Id> {
        if let Some(used) = self.used(all) {
            return Some(used.key);
        }
        let issue = self.issue(all)?;
        if self.kind == Kind::ConsoleLogin { issue.event_id } else { issue.key }
    }

    /// When they were issued, else first used.
    pub(super) fn begun(&self, all: &Gathered) -> Option<i64> {
        let issued = self.issue(all).and_then(|issue| issue.ts.get());
        issued.or_else(|| self.used(all)?.life.first.get())
    }
}

/// The links of all credentials, in the order in which these began.
pub(super) fn links(all: &Gathered, index: &Index) -> Vec<Link> {
    let mut linker = Linker { all, index, done: vec![false; all.issues.len()] };
    let mut links = Vec::with_capacity(all.used.len());
    for at in 0..linker.all.used.len() {
        linker.used(at, &mut links);
    }
    for at in 0..linker.all.issues.len() {
        links.extend(linker.unused(at));
    }
    links.shrink_to_fit();
    links.sort_by_key(|link| {
        let begun = link.begun(all);
        (begun.is_none(), begun, link.kind != Kind::ConsoleLogin)
    });
    links
}

/// The use of each row whose key was issued several times: from one issuing up to the next.
pub(super) fn lives(links: &[Link], all: &Gathered, times: &Times) -> HashMap<usize, Life> {
    let mut rows: HashMap<Id, Vec<usize>> = HashMap::new();
    for (at, link) in links.iter().enumerate().filter(|(_, link)| link.is_reused) {
        if let Some(key) = link.credential(all) {
            rows.entry(key).or_default().push(at);
        }
    }
    let mut lives = HashMap::new();
    for (key, rows) in rows {
        let uses = times.get(&key.spelled(&all.texts));
        for (at, is_denied) in uses.into_iter().flatten() {
            let is_before = |row: &&usize| links.get(**row).and_then(|link| link.begun(all)) <= *at;
            let row = rows.iter().rev().find(is_before).or_else(|| rows.first());
            if let Some(row) = row {
                lives.entry(*row).or_insert_with(Life::default).add(*at, *is_denied);
            }
        }
        for row in rows {
            lives.entry(row).or_default();
        }
    }
    lives
}

struct Linker<'a> {
    all: &'a Gathered,
    index: &'a Index,
    /// The issuings that have their row.
    done: Vec<bool>,
}

impl Linker<'_> {
    /// Adds the rows of the key at `at`: one, or one for each time it was issued.
    fn used(&mut self, at: usize, links: &mut Vec<Link>) {
        let Some(used) = self.all.used.get(at) else { return };
        let kind = self.kind(used.key);
        let issues = self.index.issues_of(used.key, self.all);
        if issues.is_empty() {
            let (tie, issue) = self.untold(used);
            links.push(Link::new(kind, tie, Some(at), issue));
        }
        for issue_at in &issues {
            let Some(issue) = self.all.issues.get(*issue_at) else { continue };
            self.set_done(*issue_at);
            let mut tie = self.issued(issue);
            if issues.len() > 1 {
                tie.candidates = few(issues.len());
                tie.sure = Sure::Likely;
            } else if is_early(used, issue) {
                tie.sure = Sure::Possible;
            }
            let mut link = Link::new(kind, tie, Some(at), Some(*issue_at));
            link.is_reused = issues.len() > 1;
            links.push(link);
        }
    }

    /// The row of an issuing whose credentials nobody is seen to use; of a sign-in always.
    fn unused(&self, at: usize) -> Option<Link> {
        let issue = self.all.issues.get(at)?;
        let name = self.all.texts.say(issue.name).unwrap_or_default();
        let (kind, tie) = match name {
            "ConsoleLogin" => (Kind::ConsoleLogin, self.signed_in(issue)),
            "CreateLoginProfile" | "UpdateLoginProfile" | "GetWebIdentityToken" => return None,
            // A copy of one that has its row.
            _ if issue.key.is_some_and(|key| self.index.used(key).is_some()) => return None,
            _ if self.is_done(at) => return None,
            "CreateAccessKey" => (self.kind(issue.key?), self.issued(issue)),
            _ => (Kind::TemporaryKey, self.issued(issue)),
        };
        Some(Link::new(kind, tie, None, Some(at)))
    }

    fn is_done(&self, at: usize) -> bool {
        self.done.get(at).copied().unwrap_or_default()
    }

    fn set_done(&mut self, at: usize) {
        if let Some(done) = self.done.get_mut(at) {
            *done = true;
        }
    }

    fn kind(&self, key: Id) -> Kind {
        // Both prefixes are reserved for these; what has another is no key of AWS's.
        if key.spelled(&self.all.texts).starts_with("AKIA") {
            Kind::LongTermKey
        } else {
            Kind::TemporaryKey
        }
    }

    /// What the credentials of `issue`, which names them, came from.
    fn issued(&self, issue: &Issue) -> Tie {
        let edge = match issue {
            _ if self.is_called(issue, "CreateAccessKey") => Edge::CreatedKey,
            _ if issue.is_joined => Edge::SharedEventId,
            _ => Edge::IssuedKey,
        };
        let token = issue.rare(|rare| rare.token).and_then(|token| self.index.token(token));
        if let Some(caller) = token.and_then(|at| Some(&self.all.issues.get(at)?.caller)) {
            let tie = Tie::new(Edge::WebIdentityToken, Sure::Certain);
            return tie.from(Origin::AccessKey, caller.key, caller.principal);
        }
        self.called_by(&issue.caller, issue, Tie::new(edge, Sure::Certain))
    }

    fn is_called(&self, issue: &Issue, name: &str) -> bool {
        self.all.texts.say(issue.name) == Some(name)
    }

    /// `tie` with who called for `issue`.
    fn called_by(&self, caller: &Caller, issue: &Issue, tie: Tie) -> Tie {
        if caller.key.is_some() {
            return tie.from(Origin::AccessKey, caller.key, caller.principal);
        }
        let who = caller.principal;
        match self.all.texts.say(caller.kind).unwrap_or_default() {
            "WebIdentityUser" | "SAMLUser" => {
                let id = issue.rare(|rare| rare.principal_id);
                let name = issue.rare(|rare| rare.user_name).or(id);
                let provider = issue.rare(|rare| rare.provider).or(id);
                tie.from(Origin::IdentityProvider, provider.map(Id::Text), name)
            }
            "AWSAccount" => {
                let id = issue.rare(|rare| rare.principal_id);
                let (who, account) = (id.or(who), caller.account.or(id));
                tie.from(Origin::Account, account.map(Id::Text), who)
            }
            _ if caller.service.is_some() => {
                let session = issue.session_name;
                match self.all.texts.say(session) {
                    Some(name) if is_instance(name) => {
                        tie.from(Origin::Instance, session.map(Id::Text), caller.service)
                    }
                    _ => {
                        let service = caller.service.map(Id::Text);
                        tie.from(Origin::Service, service, caller.service)
                    }
                }
            }
            _ => tie.from(Origin::User, who.map(Id::Text), who),
        }
    }

    /// What a sign-in came from: the user, as far as the evidence tells.
    fn signed_in(&self, issue: &Issue) -> Tie {
        let caller = &issue.caller;
        if caller.key.is_some_and(|key| self.index.used(key).is_some()) {
            let tie = Tie::new(Edge::ConsoleLogin, Sure::Certain);
            return tie.from(Origin::AccessKey, caller.key, caller.principal);
        }
        let session = caller.arn.and_then(|arn| {
            let all = self.index.sessions_of(arn);
            self.latest(&all, issue.ts.get()?, LONGEST_SESSION)
        });
        if let Some((at, n)) = session {
            let key = self.all.issues.get(at).and_then(|session| session.key);
            let mut tie = Tie::new(Edge::RoleSession, Sure::Possible);
            tie.candidates = n;
            if key.is_some() {
                return tie.from(Origin::AccessKey, key, caller.principal);
            }
        }
        let made = self.index.passwords_of(caller.account, issue.rare(|rare| rare.user_name));
        if let Some((at, n)) = issue.ts.get().and_then(|ts| self.latest(&made, ts, i64::MAX))
            && let Some(by) = self.all.issues.get(at).map(|made| &made.caller)
            && by.key.is_some()
            && by.arn != caller.arn
        {
            let mut tie = Tie::new(Edge::CreatedPassword, Sure::Possible);
            tie.candidates = n;
            return tie.from(Origin::AccessKey, by.key, by.principal);
        }
        let tie = Tie::new(Edge::SignIn, Sure::Certain);
        let user = caller.principal.map(Id::Text);
        tie.from(Origin::User, user, caller.principal)
    }

    /// What a key came from that no event names, and the event that may have issued it.
    fn untold(&mut self, used: &Used) -> (Tie, Option<usize>) {
        if self.kind(used.key) == Kind::LongTermKey {
            return (Tie::new(Edge::LongTermKey, Sure::Certain), None);
        }
        let found = self.by_sign_in(used).or_else(|| self.by_session(used));
        if let Some(found) = found {
            return found;
        }
        let tie = self.by_scope(used).or_else(|| self.by_forward(used));
        if let Some(tie) = tie.or_else(|| self.by_source_identity(used)) {
            return (tie, None);
        }
        let tie = Tie::new(Edge::UnknownIssuer, Sure::Certain);
        let origin = used.marks.is_of_console.then_some(Origin::ConsoleLogin);
        (Tie { origin, ..tie }, None)
    }

    /// The sign-in that a console's key came from.
    fn by_sign_in(&self, used: &Used) -> Option<(Tie, Option<usize>)> {
        let from = |edge, sure, candidates, at: usize| {
            let login = self.all.issues.get(at)?;
            let tie = Tie { candidates, ..Tie::new(edge, sure) };
            let who = login.caller.principal;
            Some((tie.from(Origin::ConsoleLogin, login.event_id, who), Some(at)))
        };
        if let Some(session) = used.sign_in {
            if let Some(at) = self.index.login_of_session(session) {
                return from(Edge::SignInSession, Sure::Certain, 1, at);
            }
            let tie = Tie::new(Edge::SignInSession, Sure::Certain);
            return Some((
                tie.from(Origin::ConsoleLogin, Some(Id::Text(session)), used.principal),
                None,
            ));
        }
        let created = used.created.get()?;
        let logins = self.index.logins_of(used.arn?);
        let near = |most: i64| -> Vec<usize> {
            let ts = |at: &&usize| self.all.issues.get(**at).and_then(|login| login.ts.get());
            let fits = |at: &&usize| ts(at).is_some_and(|ts| (0..=most).contains(&(created - ts)));
            logins.iter().filter(fits).copied().collect()
        };
        let exact = near(0);
        let (sure, near) = match exact.len() {
            0 => (Sure::Likely, near(SIGN_IN)),
            1 => (Sure::Certain, exact),
            _ => (Sure::Likely, exact),
        };
        from(Edge::ConsoleLogin, sure, few(near.len()), *near.last()?)
    }

    /// The issuing of the same role session whose response does not tell the key, or another.
    fn by_session(&mut self, used: &Used) -> Option<(Tie, Option<usize>)> {
        let all = self.index.sessions_of(used.arn?);
        let free = |at: &usize| {
            let key = self.all.issues.get(*at).and_then(|issue| issue.key);
            !self.is_done(*at) && key.is_none_or(|key| self.index.used(key).is_none())
        };
        let free: Vec<usize> = all.into_iter().filter(free).collect();
        let begun = |at: &&usize| {
            let ts = self.all.issues.get(**at).and_then(|issue| issue.ts.get());
            ts.is_some() && ts == used.created.get()
        };
        let exact: Vec<usize> = free.iter().filter(begun).copied().collect();
        let (sure, at, candidates) = if let Some(at) = exact.first() {
            (Sure::Likely, *at, few(exact.len()))
        } else {
            let (at, n) = self.latest(&free, used.life.first.get()?, LONGEST_SESSION)?;
            (Sure::Possible, at, n)
        };
        let issue = self.all.issues.get(at)?;
        let tie = Tie { candidates, ..Tie::new(Edge::RoleSession, sure) };
        let tie = self.called_by(&issue.caller, issue, tie);
        self.set_done(at);
        Some((tie, Some(at)))
    }

    /// What the key's own records say it was issued to.
    fn by_scope(&self, used: &Used) -> Option<Tie> {
        let texts = &self.all.texts;
        if let (Some(issuer), Some(of)) = used.scope {
            let tie = Tie::new(Edge::IssuedTo, Sure::Certain);
            let origin = Origin::of_issuer(texts.get(issuer));
            return Some(tie.from(origin, Some(Id::Text(of)), used.principal));
        }
        let session = used.principal_id?.tail?;
        if !is_instance(texts.get(session)) {
            return None;
        }
        let sure = if used.marks.is_of_instance { Sure::Certain } else { Sure::Likely };
        let tie = Tie::new(Edge::IssuedTo, sure);
        Some(tie.from(Origin::Instance, Some(Id::Text(session)), used.principal))
    }

    /// The key for whose call a service acts with one of its own: that which the same user or
    /// session used when the service's began.
    fn by_forward(&self, used: &Used) -> Option<Tie> {
        let begun = used.created.get().or(used.life.first.get());
        let begun = begun.filter(|_| used.marks.is_of_services)?;
        let near = |key: &&Used| {
            let of = key.life.first.get().zip(key.life.last.get());
            of.is_some_and(|(first, last)| (first - FORWARD..=last + FORWARD).contains(&begun))
        };
        let keys = self.index.used_by(used.arn?);
        let keys: Vec<&Used> =
            keys.iter().filter_map(|at| self.all.used.get(*at)).filter(near).collect();
        let key = keys.iter().max_by_key(|key| key.life.first)?;
        let sure = if keys.len() == 1 { Sure::Likely } else { Sure::Possible };
        let tie = Tie { candidates: few(keys.len()), ..Tie::new(Edge::ForwardAccess, sure) };
        Some(tie.from(Origin::AccessKey, Some(key.key), key.principal))
    }

    /// The session that the key's source identity was set for, and its chain began with.
    fn by_source_identity(&self, used: &Used) -> Option<Tie> {
        let set = self.index.set_identity(used.source_identity?);
        let (at, candidates) = self.latest(&set, used.life.first.get()?, LONGEST_SESSION)?;
        let issue = self.all.issues.get(at)?;
        let key = issue.key.filter(|key| *key != used.key)?;
        let tie = Tie { candidates, ..Tie::new(Edge::SourceIdentity, Sure::Possible) };
        Some(tie.from(Origin::AccessKey, Some(key), issue.caller.principal))
    }

    /// The latest of `issues` up to `ts`, no longer before than `most`; and how many there are.
    fn latest(&self, issues: &[usize], ts: i64, most: i64) -> Option<(usize, u32)> {
        let fits = |at: &&usize| {
            let of = self.all.issues.get(**at).and_then(|issue| issue.ts.get());
            of.is_some_and(|of| of <= ts && ts.saturating_sub(of) <= most)
        };
        let fitting: Vec<usize> = issues.iter().filter(fits).copied().collect();
        Some((*fitting.last()?, few(fitting.len())))
    }
}

/// Whether a key was used well before `issue` handed it out.
pub(super) fn is_early(used: &Used, issue: &Issue) -> bool {
    let (Some(first), Some(ts)) = (used.life.first.get(), issue.ts.get()) else { return false };
    first < ts.saturating_sub(SKEW)
}

fn few(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whether a session is called as those of instances are: by the instance's id.
fn is_instance(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
