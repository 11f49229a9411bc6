//! Where to look for what credentials came from.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use super::{
    gather::{Gathered, Issue, Used},
    ids::Id,
    texts::{Name, Text},
};

/// Places by what is there, in the order they were put. Most have one.
#[derive(Debug)]
struct Places<K> {
    first: HashMap<K, u32>,
    more: HashMap<K, Vec<u32>>,
}

impl<K: Hash + Eq + Copy> Places<K> {
    fn new() -> Self {
        Self { first: HashMap::new(), more: HashMap::new() }
    }

    fn put(&mut self, key: K, at: usize) {
        let Ok(at) = u32::try_from(at) else { return };
        if *self.first.entry(key).or_insert(at) != at {
            self.more.entry(key).or_default().push(at);
        }
    }

    fn get(&self, key: K) -> Vec<usize> {
        let first = self.first.get(&key).into_iter();
        let all = first.chain(self.more.get(&key).into_iter().flatten());
        all.filter_map(|at| usize::try_from(*at).ok()).collect()
    }
}

/// The places of ids, in the order of both.
#[derive(Debug, Default)]
struct Ids(Vec<(Id, u32)>);

impl Ids {
    fn of(ids: impl Iterator<Item = (Id, u32)>) -> Self {
        let mut ids: Vec<(Id, u32)> = ids.collect();
        ids.sort_unstable();
        Self(ids)
    }

    fn get(&self, id: Id) -> impl Iterator<Item = usize> + '_ {
        let start = self.0.partition_point(|(of, _)| *of < id);
        let found = self.0.iter().skip(start).take_while(move |(of, _)| *of == id);
        found.filter_map(|(_, at)| usize::try_from(*at).ok())
    }
}

/// The places of issuings, in the order of time, by what is known of the credentials.
#[derive(Debug)]
pub(super) struct Index {
    by_key: Ids,
    used: Ids,
    /// The keys that are no services' by the ARN of whom uses them, where services act for these.
    by_user: Places<Name>,
    /// The issuings by the session's ARN, where that may tell more than the key.
    by_session: Places<Name>,
    logins: Places<Name>,
    sign_ins: HashMap<Text, usize>,
    tokens: HashMap<Text, usize>,
    identities: Places<Text>,
    passwords: Places<(Text, Text)>,
}

impl Index {
    /// Of all that was gathered; adds the sessions' ARNs where responses lack them.
    pub(super) fn of(all: &mut Gathered) -> Self {
        for at in 0..all.issues.len() {
            if let Some(session) = all.issues.get(at).and_then(|issue| session_arn(all, issue)) {
                let session = Name::put(Some(&session), &mut all.texts);
                if let Some(issue) = all.issues.get_mut(at) {
                    issue.session = session;
                }
            }
        }
        let issued = (0_u32..).zip(&all.issues);
        let mut index = Self {
            by_key: Ids::of(issued.filter_map(|(at, issue)| Some((issue.key?, at)))),
            used: Ids::of((0_u32..).zip(&all.used).map(|(at, used)| (used.key, at))),
            by_user: Places::new(),
            by_session: Places::new(),
            logins: Places::new(),
            sign_ins: HashMap::new(),
            tokens: HashMap::new(),
            identities: Places::new(),
            passwords: Places::new(),
        };
        // The names that are looked for: of keys that no event names, and of who signed in.
        let untold = |used: &&Used| index.by_key.get(used.key).next().is_none();
        let untold: Vec<&Used> = all.used.iter().filter(untold).collect();
        let is_login = |issue: &&Issue| all.texts.say(issue.name) == Some("ConsoleLogin");
        let logins = all.issues.iter().filter(is_login).filter_map(|login| login.caller.arn);
        let sessions: HashSet<Name> =
            untold.iter().filter_map(|used| used.arn).chain(logins).collect();
        let served = untold.iter().filter(|used| used.marks.is_of_services);
        let served: HashSet<Name> = served.filter_map(|used| used.arn).collect();
        for (at, used) in all.used.iter().enumerate() {
            if let Some(arn) = used.arn.filter(|arn| served.contains(arn))
                && !used.marks.is_of_services
            {
                index.by_user.put(arn, at);
            }
        }
        for (at, issue) in all.issues.iter().enumerate() {
            if let Some(session) = issue.session.filter(|session| sessions.contains(session)) {
                index.by_session.put(session, at);
            }
            index.add(at, issue, all);
        }
        index
    }

    fn add(&mut self, at: usize, issue: &Issue, all: &Gathered) {
        if let Some(identity) = issue.rare(|rare| rare.source_identity) {
            self.identities.put(identity, at);
        }
        match all.texts.say(issue.name).unwrap_or_default() {
            "ConsoleLogin" => {
                if let Some(arn) = issue.caller.arn {
                    self.logins.put(arn, at);
                }
                if let Some(session) = issue.rare(|rare| rare.sign_in) {
                    self.sign_ins.entry(session).or_insert(at);
                }
            }
            "GetWebIdentityToken" => {
                if let Some(token) = issue.rare(|rare| rare.token) {
                    self.tokens.entry(token).or_insert(at);
                }
            }
            "CreateLoginProfile" | "UpdateLoginProfile" => {
                let user = issue.rare(|rare| rare.made_for);
                if let (Some(account), Some(user)) = (issue.recipient, user) {
                    self.passwords.put((account, user), at);
                }
            }
            _ => {}
        }
    }

    /// The issuings that name `key`. One that two trails have without saying so is one.
    pub(super) fn issues_of(&self, key: Id, all: &Gathered) -> Vec<usize> {
        let mut places: Vec<usize> = self.by_key.get(key).collect();
        places.dedup_by(|at, before| {
            let (Some(one), Some(other)) = (all.issues.get(*before), all.issues.get(*at)) else {
                return false;
            };
            let (by, other_by) = (one.caller.key, other.caller.key);
            let is_copy =
                one.ts == other.ts && (by == other_by || by.is_none() || other_by.is_none());
            if is_copy && by.is_none() {
                *before = *at;
            }
            is_copy
        });
        places
    }

    /// The keys in use that several issuings name.
    pub(super) fn reused(&self) -> impl Iterator<Item = Id> + '_ {
        let several = self.by_key.0.chunk_by(|one, other| one.0 == other.0);
        let keys = several.filter(|issues| issues.len() > 1).filter_map(<[_]>::first);
        keys.map(|(key, _)| *key).filter(|key| self.used(*key).is_some())
    }

    /// The place of `key`, if it was used.
    pub(super) fn used(&self, key: Id) -> Option<usize> {
        self.used.get(key).next()
    }

    /// The keys that the user or session with this ARN used.
    pub(super) fn used_by(&self, arn: Name) -> Vec<usize> {
        self.by_user.get(arn)
    }

    /// The issuings of the session with this ARN.
    pub(super) fn sessions_of(&self, arn: Name) -> Vec<usize> {
        self.by_session.get(arn)
    }

    /// The sign-ins of whom this ARN names.
    pub(super) fn logins_of(&self, arn: Name) -> Vec<usize> {
        self.logins.get(arn)
    }

    /// The sign-in that began this sign-in session.
    pub(super) fn login_of_session(&self, session: Text) -> Option<usize> {
        self.sign_ins.get(&session).copied()
    }

    /// Who asked for this web identity token.
    pub(super) fn token(&self, token: Text) -> Option<usize> {
        self.tokens.get(&token).copied()
    }

    /// The issuings that set this source identity.
    pub(super) fn set_identity(&self, identity: Text) -> Vec<usize> {
        self.identities.get(identity)
    }

    /// Where the password of this account's user was made or changed by the account's administrators.
    pub(super) fn passwords_of(&self, account: Option<Text>, user: Option<Text>) -> Vec<usize> {
        account.zip(user).map_or_else(Vec::new, |of| self.passwords.get(of))
    }
}

/// The ARN of the session that `issue` asked for, where the response does not tell it: that of the
/// role without its path, and the session's name.
fn session_arn(all: &Gathered, issue: &Issue) -> Option<String> {
    if issue.session.is_some() {
        return None;
    }
    let role = all.texts.say(issue.role)?;
    let session = all.texts.say(issue.session_name)?;
    let (head, path) = role.split_once(":role/")?;
    let name = path.rsplit('/').next()?;
    let mut parts = head.split(':');
    let (partition, account) = (parts.nth(1)?, parts.nth(2)?);
    Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"))
}
