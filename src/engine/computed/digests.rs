//! `digest_status`: what verification found of the file a row came from.
//!
//! A verdict belongs to a content, so it is joined by URI and SHA-256 with the ledger, which knows
//! the version of each row. The join is made when the first statement on a snapshot asks for it.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{Array, AsArray, StringBuilder},
    compute::cast,
    datatypes::{DataType, Int32Type},
};
use datafusion::{
    common::{internal_datafusion_err, utils::take_function_args},
    error::Result,
    execution::memory_pool::MemoryReservation,
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};

use super::{call, members::Members};

/// Bytes that a file takes in the map.
const FILE_BYTES: usize = 40;

/// The status of each file and version that was verified.
#[derive(Debug)]
pub(in crate::engine) struct Statuses {
    by_file: HashMap<u128, &'static str>,
    reserved: MemoryReservation,
}

impl Statuses {
    pub(in crate::engine) fn new(reserved: MemoryReservation) -> Self {
        Self { by_file: HashMap::new(), reserved }
    }

    /// Adds the statuses of files and versions, row by row.
    pub(in crate::engine) fn add(
        &mut self,
        uris: &dyn Array,
        versions: &dyn Array,
        statuses: &dyn Array,
    ) -> Result<()> {
        self.reserved.try_grow(uris.len() * FILE_BYTES)?;
        let (uris, statuses) = (cast(uris, &DataType::Utf8)?, cast(statuses, &DataType::Utf8)?);
        let versions = cast(versions, &DataType::Int32)?;
        let files = uris.as_string::<i32>().iter().zip(versions.as_primitive::<Int32Type>());
        for ((uri, version), status) in files.zip(statuses.as_string::<i32>()) {
            if let (Some(uri), Some(version), Some(status)) = (uri, version, status.and_then(word))
            {
                self.by_file.insert(hash(uri, version), status);
            }
        }
        Ok(())
    }
}

/// A status as one of the words that there are.
fn word(status: &str) -> Option<&'static str> {
    const WORDS: [&str; 4] = ["valid", "invalid", "unverifiable", "undigested"];
    WORDS.into_iter().find(|word| *word == status)
}

/// 128 bits of a hash that nobody can find two inputs for.
fn hash(uri: &str, version: i32) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&version.to_le_bytes());
    hasher.update(uri.as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

/// What verification found of the file at `uri` in `version`.
pub(in crate::engine) fn digest_status(members: &Arc<Members>, uri: Expr, version: Expr) -> Expr {
    let signature = Signature::any(2, Volatility::Immutable);
    call(DigestStatus { members: Arc::clone(members), signature }, vec![uri, version])
}

/// The function behind it.
#[derive(Debug)]
pub(in crate::engine) struct DigestStatus {
    members: Arc<Members>,
    signature: Signature,
}

impl PartialEq for DigestStatus {
    fn eq(&self, other: &Self) -> bool {
        self.members.version() == other.members.version()
    }
}

impl Eq for DigestStatus {}

impl Hash for DigestStatus {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.members.version().hash(state);
    }
}

impl ScalarUDFImpl for DigestStatus {
    fn name(&self) -> &'static str {
        "digest_status_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [uris, versions] = take_function_args(self.name(), args.args)?;
        let uris = cast(&uris.into_array(rows)?, &DataType::Utf8)?;
        let versions = cast(&versions.into_array(rows)?, &DataType::Int32)?;
        let known = self.members.statuses.get();
        let known = known.ok_or_else(|| internal_datafusion_err!("statuses not gathered"))?;
        let mut out = StringBuilder::with_capacity(rows, rows * 5);
        // Neighbours mostly come from one file.
        let mut last: Option<(&str, i32, Option<&'static str>)> = None;
        let files = uris.as_string::<i32>().iter().zip(versions.as_primitive::<Int32Type>());
        for file in files {
            let (Some(uri), Some(version)) = file else {
                out.append_null();
                continue;
            };
            let status = match last {
                Some((of, at, status)) if of == uri && at == version => status,
                _ if known.by_file.is_empty() => None,
                _ => known.by_file.get(&hash(uri, version)).copied(),
            };
            last = Some((uri, version, status));
            out.append_option(status);
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish())))
    }
}
