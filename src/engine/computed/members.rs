//! `id_conflict` and `superseded`: whether a row belongs to a set that is known only once the
//! whole snapshot has been looked at.
//!
//! The sets are built when the first statement on a snapshot asks for them, by aggregate queries
//! that spill; what stays in memory is the exceptions, and the memory pool is told of them.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{Array, AsArray, BooleanArray, BooleanBuilder},
    compute::cast,
    datatypes::{DataType, Int32Type},
};
use datafusion::{
    common::{exec_err, internal_datafusion_err, utils::take_function_args},
    error::Result,
    execution::memory_pool::MemoryReservation,
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};
use tokio::sync::OnceCell;

use super::{call, digests::Statuses};

/// The sets of one snapshot.
#[derive(Debug)]
pub(in crate::engine) struct Members {
    version: u64,
    /// Hashes of the (recipient account, event id) that several rows have.
    pub(in crate::engine) conflicts: OnceCell<Conflicts>,
    /// The latest version of each file that has several.
    pub(in crate::engine) versions: OnceCell<Versions>,
    /// What verification found of each file.
    pub(in crate::engine) statuses: OnceCell<Statuses>,
}

/// The event ids that several rows have.
#[derive(Debug)]
pub(in crate::engine) struct Conflicts {
    ids: HashSet<u128>,
    reserved: MemoryReservation,
}

/// The latest version by URI.
#[derive(Debug)]
pub(in crate::engine) struct Versions {
    latest: HashMap<String, i32>,
    reserved: MemoryReservation,
}

/// Bytes a hash takes in a set.
const ID_BYTES: usize = 24;

impl Conflicts {
    pub(in crate::engine) fn new(reserved: MemoryReservation) -> Self {
        Self { ids: HashSet::new(), reserved }
    }

    /// Adds the ids that `accounts` and `ids` name, row by row.
    pub(in crate::engine) fn add(&mut self, accounts: &dyn Array, ids: &dyn Array) -> Result<()> {
        self.reserved.try_grow(ids.len() * ID_BYTES)?;
        let (accounts, ids) = (cast(accounts, &DataType::Utf8)?, cast(ids, &DataType::Utf8)?);
        let pairs = accounts.as_string::<i32>().iter().zip(ids.as_string::<i32>());
        self.ids.extend(pairs.filter_map(|(account, id)| Some(hash(account, id?))));
        Ok(())
    }
}

impl Versions {
    pub(in crate::engine) fn new(reserved: MemoryReservation) -> Self {
        Self { latest: HashMap::new(), reserved }
    }

    /// Adds the latest version of each URI, row by row.
    pub(in crate::engine) fn add(&mut self, uris: &dyn Array, versions: &dyn Array) -> Result<()> {
        let uris = cast(uris, &DataType::Utf8)?;
        let versions = cast(versions, &DataType::Int32)?;
        self.reserved.try_grow(uris.get_array_memory_size() + uris.len() * ID_BYTES)?;
        for (uri, version) in
            uris.as_string::<i32>().iter().zip(versions.as_primitive::<Int32Type>())
        {
            if let (Some(uri), Some(version)) = (uri, version) {
                self.latest.insert(uri.to_owned(), version);
            }
        }
        Ok(())
    }
}

/// 128 bits of a hash that nobody can find two inputs for.
fn hash(account: Option<&str>, id: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(account.map_or("", |a| a).as_bytes());
    hasher.update(&[u8::from(account.is_some()), 0]);
    hasher.update(id.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

impl Members {
    pub(in crate::engine) fn new(version: u64) -> Self {
        Self {
            version,
            conflicts: OnceCell::new(),
            versions: OnceCell::new(),
            statuses: OnceCell::new(),
        }
    }

    /// The snapshot's version.
    pub(super) fn version(&self) -> u64 {
        self.version
    }
}

/// Which set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::engine) enum Kind {
    /// `id_conflict`.
    Conflict,
    /// `superseded`.
    Superseded,
}

/// Whether several rows have this recipient account and event id.
pub(in crate::engine) fn id_conflict(members: &Arc<Members>, account: Expr, id: Expr) -> Expr {
    member(Kind::Conflict, members, vec![account, id])
}

/// Whether the file at this URI has a later version.
pub(in crate::engine) fn superseded(members: &Arc<Members>, uri: Expr, version: Expr) -> Expr {
    member(Kind::Superseded, members, vec![uri, version])
}

fn member(kind: Kind, members: &Arc<Members>, args: Vec<Expr>) -> Expr {
    let signature = Signature::any(2, Volatility::Immutable);
    call(IsMember { kind, members: Arc::clone(members), signature }, args)
}

/// The function behind both.
#[derive(Debug)]
pub(in crate::engine) struct IsMember {
    pub(in crate::engine) kind: Kind,
    members: Arc<Members>,
    signature: Signature,
}

impl PartialEq for IsMember {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.members.version == other.members.version
    }
}

impl Eq for IsMember {}

impl Hash for IsMember {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.members.version.hash(state);
    }
}

impl ScalarUDFImpl for IsMember {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Conflict => "is_id_conflict",
            Kind::Superseded => "is_superseded",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [left, right] = take_function_args(self.name(), args.args)?;
        let (left, right) = (left.into_array(rows)?, right.into_array(rows)?);
        let is_member = match self.kind {
            Kind::Conflict => self.conflicts(&left, &right)?,
            Kind::Superseded => self.superseded(&left, &right)?,
        };
        Ok(ColumnarValue::Array(Arc::new(is_member)))
    }
}

impl IsMember {
    fn conflicts(&self, accounts: &dyn Array, ids: &dyn Array) -> Result<BooleanArray> {
        let set = &self.members.conflicts;
        let set = set.get().ok_or_else(|| internal_datafusion_err!("id conflicts not gathered"))?;
        if set.ids.is_empty() {
            return Ok(BooleanArray::from(vec![false; ids.len()]));
        }
        let (accounts, ids) = (cast(accounts, &DataType::Utf8)?, cast(ids, &DataType::Utf8)?);
        let pairs = accounts.as_string::<i32>().iter().zip(ids.as_string::<i32>());
        Ok(pairs
            .map(|(account, id)| Some(id.is_some_and(|id| set.ids.contains(&hash(account, id)))))
            .collect())
    }

    fn superseded(&self, uris: &dyn Array, versions: &dyn Array) -> Result<BooleanArray> {
        let set = &self.members.versions;
        let set = set.get().ok_or_else(|| internal_datafusion_err!("versions not gathered"))?;
        let uris = cast(uris, &DataType::Utf8)?;
        let Some(versions) = versions.as_primitive_opt::<Int32Type>() else {
            return exec_err!("a version is a number");
        };
        let mut superseded = BooleanBuilder::with_capacity(uris.len());
        for (uri, version) in uris.as_string::<i32>().iter().zip(versions) {
            let latest = uri.and_then(|uri| set.latest.get(uri));
            superseded.append_value(latest.zip(version).is_some_and(|(last, of)| of < *last));
        }
        Ok(superseded.finish())
    }
}
