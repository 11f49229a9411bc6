//! What the events say of credentials: who used which, and which event handed them out.
//!
//! Two questions to the events. The first reads a dozen columns of all of them, of which only what is
//! new of a key is looked at; the second reads the parameters and the response of those events
//! alone that hand something out.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use arrow::{
    array::{Array, AsArray, RecordBatch, StringViewArray, TimestampMicrosecondArray},
    compute::cast,
    datatypes::{DataType, TimeUnit},
};
use datafusion::{
    common::internal_datafusion_err,
    error::Result,
    execution::{memory_pool::MemoryReservation, session_state::SessionState},
    logical_expr::{LogicalPlan, LogicalPlanBuilder, ident, lit},
    physical_plan::execute_stream,
    sql::parser::DFParser,
};
use futures::StreamExt as _;

use super::{
    copies,
    ids::Id,
    json::Told,
    link::{Life, Link, Times},
    texts::{Name, Text, Texts},
    time::Time,
};
use crate::logs::cloudtrail::derive::event_time;

/// The use of access keys.
const USES: &str = "SELECT useridentity['accesskeyid'], event_ts, outcome, \
    useridentity['principalid'], useridentity['arn'], actor_account, principal_key, \
    useridentity['sessioncontext']['attributes']['creationdate'], \
    useridentity['sessioncontext']['attributes']['mfaauthenticated'], \
    signinsessionarn, sourceidentity, inscopeof['issuertype'], inscopeof['credentialsissuedto'], \
    useridentity['sessioncontext']['ec2roledelivery'], sessioncredentialfromconsole, \
    useridentity['invokedby'] \
    FROM cache.cloudtrail_logs WHERE useridentity['accesskeyid'] <> ''";

/// The events that handed out credentials, or what leads to them.
const ISSUES: &str = "SELECT event_ts, eventid, sharedeventid, eventtime, eventname, eventsource, \
    awsregion, recipientaccountid, sourceipaddress, useragent, \
    issued_key, issued_session_arn, target_role, \
    useridentity['accesskeyid'], useridentity['type'], useridentity['principalid'], \
    useridentity['arn'], useridentity['username'], actor_account, principal_key, \
    useridentity['invokedby'], identityprovider, signinsessionarn, \
    requestparameters, responseelements, additionaleventdata \
    FROM cache.cloudtrail_logs WHERE outcome = 'ok' AND (issued_key IS NOT NULL OR eventname IN \
    ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'AssumeRoot', \
    'GetSessionToken', 'GetFederationToken', 'GetWebIdentityToken', \
    'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'ConsoleLogin'))";

/// The times at which access keys were used.
const TIMES: &str = "SELECT useridentity['accesskeyid'] AS access_key, event_ts, outcome \
    FROM cache.cloudtrail_logs";

/// What linking adds for each key: its row, and its place in two indexes.
const LINKING_BYTES: usize = size_of::<Link>() + 2 * size_of::<(Id, u32)>();

/// What is known of an access key by its use; of its principal what its first event says.
#[derive(Debug, Clone)]
pub(super) struct Used {
    pub(super) key: Id,
    pub(super) life: Life,
    pub(super) principal_id: Option<Name>,
    pub(super) arn: Option<Name>,
    pub(super) account: Option<Text>,
    pub(super) principal: Option<Text>,
    /// When its session began.
    pub(super) created: Time,
    pub(super) mfa: Option<Text>,
    pub(super) sign_in: Option<Text>,
    pub(super) source_identity: Option<Text>,
    /// What it was issued to, where the record says: the type and the name.
    pub(super) scope: (Option<Text>, Option<Text>),
    pub(super) marks: Marks,
    /// Tells principals apart: their texts lie far from here.
    principal_hash: u64,
}

/// What is so or not of a key's use.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about many events")]
pub(super) struct Marks {
    /// Several principals used it.
    pub(super) is_several: bool,
    /// It was delivered to an instance.
    pub(super) is_of_instance: bool,
    /// It comes from a console's session.
    pub(super) is_of_console: bool,
    /// Services alone used it, for its principal.
    pub(super) is_of_services: bool,
}

/// An event that handed out credentials.
#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub(super) event_id: Option<Id>,
    pub(super) ts: Time,
    pub(super) name: Option<Text>,
    pub(super) source: Option<Text>,
    pub(super) region: Option<Text>,
    pub(super) recipient: Option<Text>,
    pub(super) address: Option<Text>,
    pub(super) agent: Option<Text>,
    /// The key it handed out.
    pub(super) key: Option<Id>,
    /// The session it handed out.
    pub(super) session: Option<Name>,
    pub(super) role: Option<Text>,
    /// The name of the session that was asked for.
    pub(super) session_name: Option<Text>,
    /// Until when the credentials are good.
    pub(super) expiration: Time,
    /// Who called.
    pub(super) caller: Caller,
    /// What few have.
    pub(super) rare: Option<Box<Rare>>,
    /// Whether the key and its caller stood in copies of different accounts.
    pub(super) is_joined: bool,
}

/// Who called for credentials.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) key: Option<Id>,
    pub(super) kind: Option<Text>,
    pub(super) arn: Option<Name>,
    pub(super) account: Option<Text>,
    pub(super) principal: Option<Text>,
    pub(super) service: Option<Text>,
}

/// What few events have that hand out credentials: those that services make have none of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rare {
    /// The id that its copies in other accounts share.
    pub(super) shared_id: Option<Id>,
    /// `eventtime`, where the instant is not spelled so.
    pub(super) time: Option<Text>,
    pub(super) principal_id: Option<Text>,
    pub(super) user_name: Option<Text>,
    pub(super) provider: Option<Text>,
    pub(super) sign_in: Option<Text>,
    /// The user that a key or a password was made for.
    pub(super) made_for: Option<Text>,
    /// The source identity that was set.
    pub(super) source_identity: Option<Text>,
    /// The id of a web identity token that AWS issued.
    pub(super) token: Option<Text>,
    /// Whether a sign-in used MFA.
    pub(super) mfa: Option<bool>,
}

impl Issue {
    /// One of the things that few have.
    pub(super) fn rare<T: Copy>(&self, part: fn(&Rare) -> Option<T>) -> Option<T> {
        self.rare.as_deref().and_then(part)
    }
}

/// All that the events say.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) texts: Texts,
    pub(super) used: Vec<Used>,
    /// In the order of time.
    pub(super) issues: Vec<Issue>,
}

/// While it is gathered.
#[derive(Debug, Default)]
struct Gathering {
    all: Gathered,
    /// The place of each key.
    places: HashMap<Id, u32>,
    hasher: RandomState,
}

impl Gathered {
    /// Asks the events of the snapshot that `state` is over.
    pub(super) async fn of(state: &SessionState, reserved: &MemoryReservation) -> Result<Self> {
        let mut so_far = Gathering::default();
        each(state, &planned(state, ISSUES).await?, |batch| {
            so_far.add_issues(batch)?;
            reserved.try_resize(so_far.bytes())
        })
        .await?;
        copies::merge(&mut so_far.all);
        so_far.all.issues.shrink_to_fit();
        each(state, &planned(state, USES).await?, |batch| {
            so_far.add_uses(batch)?;
            reserved.try_resize(so_far.bytes())
        })
        .await?;
        let mut all = so_far.all;
        all.used.shrink_to_fit();
        // The order that rows arrive in differs from run to run, and must decide nothing.
        let texts = &all.texts;
        all.used.sort_unstable_by(|one, other| {
            let by_key = || Id::order(Some(one.key), Some(other.key), texts);
            one.life.first.cmp(&other.life.first).then_with(by_key)
        });
        Ok(all)
    }

    /// The bytes this takes.
    pub(super) fn bytes(&self) -> usize {
        self.texts.bytes()
            + self.used.capacity() * size_of::<Used>()
            + self.issues.capacity() * size_of::<Issue>()
    }
}

impl Gathering {
    /// The bytes this takes, and what linking will add.
    fn bytes(&self) -> usize {
        // The places are given up before linking begins.
        let places = self.places.capacity() * (size_of::<(Id, u32)>() + 1);
        let linking = self.all.used.len().max(self.all.issues.len()) * LINKING_BYTES;
        self.all.bytes() + places.max(linking)
    }

    fn add_uses(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = Columns(batch);
        let times = columns.times(1)?;
        let texts = [0].into_iter().chain(2..16).map(|at| columns.texts(at));
        let texts: Vec<StringViewArray> = texts.collect::<Result<_>>()?;
        let [keys, outcomes, principals, ..] = texts.as_slice() else {
            return Err(internal_datafusion_err!("uses have other columns"));
        };
        let services = texts.last();
        for row in 0..batch.num_rows() {
            let Some(key) = Id::of(text(keys, row), &mut self.all.texts) else { continue };
            let at = time(&times, row);
            let is_denied = text(outcomes, row) == Some("denied");
            let by_service = services.and_then(|services| text(services, row)).is_some();
            let place = self.places.get(&key).and_then(|at| usize::try_from(*at).ok());
            let Some(used) = place.and_then(|place| self.all.used.get_mut(place)) else {
                let mut used = self.all.first_use(key, texts.as_slice(), row);
                used.life.add(at, is_denied);
                used.marks.is_of_services = by_service;
                used.principal_hash = hash_of(principals, row, &self.hasher);
                let place = u32::try_from(self.all.used.len());
                self.places
                    .insert(key, place.map_err(|_many| internal_datafusion_err!("too many keys"))?);
                self.all.used.push(used);
                continue;
            };
            let is_first =
                at.is_some_and(|at| used.life.first.get().is_none_or(|first| at < first));
            used.life.add(at, is_denied);
            used.marks.is_of_services &= by_service;
            used.marks.is_several |= used.principal_hash != hash_of(principals, row, &self.hasher);
            if is_first {
                let (life, marks) = (used.life, used.marks);
                let mut first = self.all.first_use(key, texts.as_slice(), row);
                first.life = life;
                first.principal_hash = hash_of(principals, row, &self.hasher);
                first.marks.is_several = marks.is_several;
                first.marks.is_of_services = marks.is_of_services;
                first.marks.is_of_console |= marks.is_of_console;
                if let Some(used) = place.and_then(|place| self.all.used.get_mut(place)) {
                    *used = first;
                }
            }
        }
        Ok(())
    }

    fn add_issues(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = Columns(batch);
        let times = columns.times(0)?;
        let texts: Vec<StringViewArray> =
            (1..26).map(|at| columns.texts(at)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            let said: Vec<Option<&str>> = texts.iter().map(|column| text(column, row)).collect();
            self.add_issue(time(&times, row), &said);
        }
        Ok(())
    }

    /// Adds an issue, of which `said` has the columns in the order of [`ISSUES`] without the time.
    fn add_issue(&mut self, ts: Option<i64>, said: &[Option<&str>]) {
        let mut said = said.iter().copied();
        let mut next = || said.next().flatten();
        let texts = &mut self.all.texts;
        let event_id = Id::of(next(), texts);
        let mut rare = Rare { shared_id: Id::of(next(), texts), ..Rare::default() };
        let ts = Time::from(ts);
        let clock = next().filter(|clock| ts.spelled().as_deref() != Some(*clock));
        rare.time = texts.put(clock);
        let name = next();
        let mut put = || texts.put(next());
        let (source, region, recipient, address, agent) = (put(), put(), put(), put(), put());
        let key = Id::of(next(), texts);
        let (session, role) = (Name::put(next(), texts), texts.put(next()));
        let by = Id::of(next(), texts);
        let kind = next();
        if kind == Some("AWSService") {
            // What a service asks for is in one account's trail.
            rare.shared_id = None;
        }
        let kind = texts.put(kind);
        rare.principal_id = texts.put(next());
        let arn = Name::put(next(), texts);
        rare.user_name = texts.put(next());
        let mut put = || texts.put(next());
        let (account, principal, service) = (put(), put(), put());
        (rare.provider, rare.sign_in) = (put(), put());
        let caller = Caller { key: by, kind, arn, account, principal, service };
        let json = [next(), next(), next()];
        let told = Told::of(name.unwrap_or_default(), json, &mut rare, texts);
        self.all.issues.push(Issue {
            event_id,
            ts,
            name: texts.put(name),
            source,
            region,
            recipient,
            address,
            agent,
            key: key.or(told.made_key),
            session,
            role,
            session_name: told.session_name,
            expiration: told.expiration,
            caller,
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
            is_joined: false,
        });
    }
}

impl Gathered {
    /// What the use in `row` of `columns`, in the order of [`USES`] without the time, says of its
    /// key.
    fn first_use(&mut self, key: Id, columns: &[StringViewArray], row: usize) -> Used {
        let mut said = columns.iter().skip(2).map(|column| text(column, row));
        let mut next = || said.next().flatten();
        let texts = &mut self.texts;
        let (principal_id, arn) = (Name::put(next(), texts), Name::put(next(), texts));
        let (account, principal) = (texts.put(next()), texts.put(next()));
        let created = Time::from(next().and_then(event_time));
        let (mfa, sign_in) = (texts.put(next()), texts.put(next()));
        let source_identity = texts.put(next());
        let scope = (texts.put(next()), texts.put(next()));
        let marks = Marks {
            is_several: false,
            is_of_instance: next().is_some(),
            is_of_console: next() == Some("true"),
            is_of_services: false,
        };
        Used {
            key,
            life: Life::default(),
            principal_id,
            arn,
            account,
            principal,
            created,
            mfa,
            sign_in,
            source_identity,
            scope,
            marks,
            principal_hash: 0,
        }
    }
}

/// The uses of `keys`.
pub(super) async fn times_of(state: &SessionState, keys: &[String]) -> Result<Times> {
    let mut times = Times::new();
    if keys.is_empty() {
        return Ok(times);
    }
    let keys = keys.iter().map(|key| lit(key.as_str())).collect();
    let plan = LogicalPlanBuilder::from(planned(state, TIMES).await?)
        .filter(ident("access_key").in_list(keys, false))?
        .build()?;
    each(state, &plan, |batch| {
        let columns = Columns(batch);
        let (key, at, outcome) = (columns.texts(0)?, columns.times(1)?, columns.texts(2)?);
        for row in 0..batch.num_rows() {
            let key = text(&key, row).unwrap_or_default().to_owned();
            let use_of = (time(&at, row), text(&outcome, row) == Some("denied"));
            times.entry(key).or_default().push(use_of);
        }
        Ok(())
    })
    .await?;
    Ok(times)
}

async fn planned(state: &SessionState, sql: &str) -> Result<LogicalPlan> {
    let tree = DFParser::parse_sql(sql)?.pop_front();
    let tree = tree.ok_or_else(|| internal_datafusion_err!("no statement"))?;
    state.statement_to_plan(tree).await
}

/// Runs `plan`, and gives each batch of its answer to `take`.
async fn each(
    state: &SessionState,
    plan: &LogicalPlan,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let plan = state.create_physical_plan(plan).await?;
    let mut rows = execute_stream(plan, state.task_ctx())?;
    while let Some(batch) = rows.next().await {
        take(&batch?)?;
    }
    Ok(())
}

/// The columns of a batch by their place.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn typed(&self, at: usize, data_type: &DataType) -> Result<arrow::array::ArrayRef> {
        let column = self.0.columns().get(at);
        let column = column.ok_or_else(|| internal_datafusion_err!("no column {at}"))?;
        Ok(cast(column, data_type)?)
    }

    fn texts(&self, at: usize) -> Result<StringViewArray> {
        Ok(self.typed(at, &DataType::Utf8View)?.as_string_view().clone())
    }

    fn times(&self, at: usize) -> Result<TimestampMicrosecondArray> {
        let instants = self.typed(at, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        Ok(instants.as_primitive().clone())
    }
}

fn hash_of(column: &StringViewArray, row: usize, hasher: &RandomState) -> u64 {
    hasher.hash_one(text(column, row).unwrap_or_default())
}

fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    (row < column.len() && column.is_valid(row)).then(|| column.value(row))
}

fn time(column: &TimestampMicrosecondArray, row: usize) -> Option<i64> {
    (row < column.len() && column.is_valid(row)).then(|| column.value(row))
}
