//! The values that Tab offers inside quotes: what columns of the cache hold.
//!
//! They are read from the dictionaries of the cache's Parquet files by a thread that begins when
//! the prompt opens, the newest file first. Nobody waits for it: Tab offers what is known so far.
//! Files never change, so each is looked into once; where files went (a compaction, `forget`), all
//! is read anew. Nothing is written anywhere.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
};

use crate::{
    Result,
    cache::{Cache, Table},
    output::sanitize::is_hidden,
};

/// The most values of a column that are kept.
const MAX_VALUES: usize = 100_000;

/// The most text of a column that is kept, in bytes.
const MAX_COLUMN_BYTES: usize = 8 << 20;

/// The longest value that is kept, in bytes: nobody completes a longer one.
const MAX_VALUE_BYTES: usize = 512;

/// The columns whose values are known, as SQL names them. The path of a leaf in Parquet is the
/// same but for lists.
const COLUMNS: &[(&str, &str)] = &[
    ("eventname", "eventname"),
    ("eventsource", "eventsource"),
    ("awsregion", "awsregion"),
    ("recipientaccountid", "recipientaccountid"),
    ("errorcode", "errorcode"),
    ("sourceipaddress", "sourceipaddress"),
    ("useragent", "useragent"),
    ("eventtype", "eventtype"),
    ("eventcategory", "eventcategory"),
    ("vpcendpointid", "vpcendpointid"),
    ("useridentity.type", "useridentity.type"),
    ("useridentity.principalid", "useridentity.principalid"),
    ("useridentity.arn", "useridentity.arn"),
    ("useridentity.accountid", "useridentity.accountid"),
    ("useridentity.invokedby", "useridentity.invokedby"),
    ("useridentity.accesskeyid", "useridentity.accesskeyid"),
    ("useridentity.username", "useridentity.username"),
    (
        "useridentity.sessioncontext.sessionissuer.arn",
        "useridentity.sessioncontext.sessionissuer.arn",
    ),
    (
        "useridentity.sessioncontext.sessionissuer.username",
        "useridentity.sessioncontext.sessionissuer.username",
    ),
    ("resources.arn", "resources.list.element.arn"),
    ("principal_key", "principal_key"),
    ("session_name", "session_name"),
    ("issued_key", "issued_key"),
    ("event_name_base", "event_name_base"),
    ("service", "service"),
    ("src_kind", "src_kind"),
    ("outcome", "outcome"),
    ("target_role", "target_role"),
];

/// Columns that hold the values of another one.
const SAME: &[(&str, &str)] = &[
    ("region", "awsregion"),
    ("account", "recipientaccountid"),
    ("account_id", "recipientaccountid"),
    ("src_ip", "sourceipaddress"),
    ("actor_account", "useridentity.accountid"),
    ("owner_account", "recipientaccountid"),
];

/// What an argument of a command or a parameter of a saved query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Who acted.
    Principal,
    /// Where a request came from.
    Address,
    /// The name of an API.
    Api,
    /// An access key.
    Key,
    /// What was acted on.
    Resource,
    /// Any of principal, address and key.
    Caller,
}

impl Subject {
    /// The columns that hold such values.
    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Principal => &["principal_key", "useridentity.arn", "useridentity.username"],
            Self::Address => &["sourceipaddress"],
            Self::Api => &["eventname"],
            Self::Key => &["useridentity.accesskeyid", "issued_key"],
            Self::Resource => &["resources.arn"],
            Self::Caller => &[
                "principal_key",
                "useridentity.arn",
                "useridentity.username",
                "useridentity.accesskeyid",
                "sourceipaddress",
            ],
        }
    }

    /// The columns that hold values of a saved query's parameter `name`, as far as names tell.
    pub(super) fn of_parameter(name: &str) -> &'static [&'static str] {
        match name {
            "key" | "keys" | "access_key" | "access_keys" | "accesskeyid" | "access_key_id"
            | "key_id" => Self::Key.columns(),
            "ip" | "ips" | "address" | "addresses" | "source_ip" | "sourceipaddress" => {
                Self::Address.columns()
            }
            "principal" | "principals" | "caller" | "callers" | "actor" | "actors" | "who"
            | "identity" | "principal_key" => Self::Principal.columns(),
            "arn" | "principal_arn" | "user_arn" => &["useridentity.arn"],
            "user" | "users" | "user_name" | "username" => &["useridentity.username"],
            "role" | "roles" | "role_name" => {
                &["useridentity.sessioncontext.sessionissuer.username"]
            }
            "role_arn" => &["useridentity.sessioncontext.sessionissuer.arn"],
            "account" | "accounts" | "account_id" => &["recipientaccountid"],
            "region" | "regions" => &["awsregion"],
            "event" | "events" | "event_name" | "event_names" | "eventname" | "api" | "apis"
            | "action" | "actions" => Self::Api.columns(),
            "source" | "event_source" | "eventsource" => &["eventsource"],
            "service" | "services" => &["service", "eventsource"],
            "error" | "errors" | "error_code" | "errorcode" => &["errorcode"],
            "user_agent" | "useragent" | "agent" => &["useragent"],
            "session" | "session_name" => &["session_name"],
            "resource" | "resources" | "bucket" | "buckets" | "resource_arn" => {
                Self::Resource.columns()
            }
            _ => &[],
        }
    }
}

/// What columns hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    known: Arc<Mutex<Known>>,
    /// Asks for another look at the cache.
    look: Option<Sender<()>>,
}

/// What is known so far.
#[derive(Debug)]
struct Known {
    columns: Vec<Column>,
    files: HashSet<PathBuf>,
}

impl Default for Known {
    fn default() -> Self {
        let columns = COLUMNS.iter().map(|_| Column::default()).collect();
        Self { columns, files: HashSet::new() }
    }
}

/// A value; values are in alphabetical order whatever their case, so that those that begin alike
/// stand together.
#[derive(Debug, PartialEq, Eq)]
struct Value(Box<str>);

impl Value {
    /// The least of all that begin with `typed` in any case.
    fn least(typed: &str) -> Self {
        // Of equal letters, capitals come first.
        Self(typed.to_ascii_uppercase().into())
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.0.bytes(), other.0.bytes());
        let lower = |byte: u8| byte.to_ascii_lowercase();
        ours.map(lower).cmp(theirs.map(lower)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The values of one column.
#[derive(Debug, Default)]
struct Column {
    values: BTreeSet<Value>,
    bytes: usize,
    is_partial: bool,
}

impl Column {
    fn add(&mut self, value: &str) {
        // Log text is written by attackers: what cannot be seen is never put into a line.
        if value.is_empty() || value.chars().any(is_hidden) {
            return;
        }
        let kept = Value(value.into());
        if self.values.contains(&kept) {
            return;
        }
        let is_full =
            self.values.len() >= MAX_VALUES || self.bytes + value.len() > MAX_COLUMN_BYTES;
        if is_full || value.len() > MAX_VALUE_BYTES {
            self.is_partial = true;
            return;
        }
        self.bytes += value.len();
        self.values.insert(kept);
    }
}

/// Values that begin as told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The values, in alphabetical order.
    pub(super) values: Vec<String>,
    /// Whether there may be others that are not known.
    pub(super) is_partial: bool,
}

impl Values {
    /// Begins to read what `cache` holds.
    pub(super) fn of(cache: &Arc<Cache>) -> Self {
        let known = Arc::<Mutex<Known>>::default();
        let (look, looks) = mpsc::channel();
        let (theirs, cache) = (Arc::clone(&known), Arc::clone(cache));
        let spawned = std::thread::Builder::new()
            .name("values".to_owned())
            .spawn(move || keep_up(&cache, &theirs, &looks));
        // Without a thread, Tab offers no values; nothing else is lost.
        let values = Self { known, look: spawned.is_ok().then_some(look) };
        values.refresh();
        values
    }

    /// Has the cache looked at again, for what came since.
    pub(super) fn refresh(&self) {
        if let Some(look) = &self.look {
            // Without its thread there is nothing to be told.
            let _gone = look.send(());
        }
    }

    /// The column of which values are known that `path` means, without a table's name in front.
    pub(super) fn column(path: &str) -> Option<&'static str> {
        let path = path.to_ascii_lowercase();
        let mut rest = path.as_str();
        loop {
            let same = SAME.iter().find(|(name, _)| *name == rest).map(|(_, same)| *same);
            let known = COLUMNS.iter().map(|(name, _)| *name).find(|name| *name == rest);
            if let Some(found) = known.or(same) {
                return Some(found);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The values of `columns` that begin with `typed`, whatever its case.
    pub(super) fn find(&self, columns: &[&str], typed: &str) -> Found {
        let known = locked(&self.known);
        let mut values = BTreeSet::new();
        let mut is_partial = false;
        for ((name, _), column) in COLUMNS.iter().zip(&known.columns) {
            if !columns.contains(name) {
                continue;
            }
            is_partial |= column.is_partial;
            let begins = |value: &&Value| {
                let head = value.0.as_bytes().get(..typed.len());
                head.is_some_and(|head| head.eq_ignore_ascii_case(typed.as_bytes()))
            };
            values.extend(column.values.range(Value::least(typed)..).take_while(begins));
        }
        let values = values.into_iter().map(|value| value.0.to_string()).collect();
        Found { values, is_partial }
    }

    /// Some values, for tests.
    #[cfg(test)]
    pub(super) fn with(values: &[(&str, &[&str])]) -> Self {
        let all = Self::default();
        for (column, values) in values {
            let place = COLUMNS.iter().position(|(name, _)| name == column).unwrap();
            let mut known = locked(&all.known);
            values.iter().for_each(|value| known.columns[place].add(value));
        }
        all
    }
}

fn locked(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at the cache whenever asked, until nobody can ask any more.
fn keep_up(cache: &Cache, known: &Mutex<Known>, looks: &Receiver<()>) {
    while looks.recv().is_ok() {
        // Several requests are one.
        while looks.try_recv().is_ok() {}
        // What cannot be read now is told by the statement that needs it.
        drop(look(cache, known));
    }
}

fn look(cache: &Cache, known: &Mutex<Known>) -> Result<()> {
    let snapshot = cache.snapshot()?;
    let files = snapshot.files(Table::Events);
    let there: HashSet<&PathBuf> = files.iter().map(|file| &file.path).collect();
    let is_behind = locked(known).files.iter().any(|file| !there.contains(file));
    let fresh = Mutex::new(Known::default());
    let target = if is_behind { &fresh } else { known };
    let leaves: Vec<&str> = COLUMNS.iter().map(|(_, leaf)| *leaf).collect();
    for file in files.iter().rev() {
        if locked(target).files.contains(&file.path) {
            continue;
        }
        let partial = cache.texts_of(file, &leaves, &mut |place, text| {
            if let Some(column) = locked(target).columns.get_mut(place) {
                column.add(text);
            }
        });
        let mut target = locked(target);
        target.files.insert(file.path.clone());
        // A file that cannot be read leaves all columns without its values.
        let partial = partial.unwrap_or_else(|_| (0..COLUMNS.len()).collect());
        for place in partial {
            if let Some(column) = target.columns.get_mut(place) {
                column.is_partial = true;
            }
        }
    }
    if is_behind {
        *locked(known) = fresh.into_inner().unwrap_or_else(PoisonError::into_inner);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_beginning_in_any_case() {
        let values =
            Values::with(&[("eventname", &["AssumeRole", "AssumeRoleWithSAML", "GetKey"])]);
        let found = values.find(&["eventname"], "assu");
        assert_eq!(found.values, ["AssumeRole", "AssumeRoleWithSAML"]);
        assert!(!found.is_partial);
        assert_eq!(values.find(&["errorcode"], ""), Found::default());
        let values = Values::with(&[("useragent", &["b", "Aws-cli", "aws-cli", "AWS-sdk", "A"])]);
        assert_eq!(values.find(&["useragent"], "aws-").values, ["Aws-cli", "aws-cli", "AWS-sdk"]);
        assert_eq!(values.find(&["useragent"], "AWS-CLI").values, ["Aws-cli", "aws-cli"]);
        assert_eq!(values.find(&["useragent"], "").values.len(), 5);
    }

    #[test]
    fn a_column_is_known_behind_an_alias_and_by_its_other_names() {
        assert_eq!(Values::column("EventName"), Some("eventname"));
        assert_eq!(Values::column("t.useridentity.arn"), Some("useridentity.arn"));
        assert_eq!(Values::column("l.region"), Some("awsregion"));
        assert_eq!(Values::column("arn"), None);
        assert_eq!(Values::column(""), None);
    }

    #[test]
    fn what_cannot_be_seen_is_not_kept_and_what_is_too_long_is_told() {
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        let values = Values::with(&[("useragent", &["a\u{1b}[2J", "a\u{202e}b", "ok", ""])]);
        assert_eq!(values.find(&["useragent"], "").values, ["ok"]);
        assert!(!values.find(&["useragent"], "").is_partial);
        let values = Values::with(&[("useragent", &["ok", &long])]);
        assert!(values.find(&["useragent"], "").is_partial);
    }

    #[test]
    fn parameters_tell_by_their_names_what_they_are_about() {
        assert_eq!(Subject::of_parameter("keys"), Subject::Key.columns());
        assert_eq!(Subject::of_parameter("addresses"), Subject::Address.columns());
        assert_eq!(Subject::of_parameter("address"), Subject::Address.columns());
        assert_eq!(Subject::of_parameter("since"), [""; 0]);
    }
}
