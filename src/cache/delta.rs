//! The transaction log of one table: the only module that touches `deltalake`.
//!
//! The library creates tables, reads their state at opening (checkpoints included), writes log
//! entries with put-if-absent, and writes checkpoints. Following the log from one entry to the
//! next and deciding what conflicts is done here: the library's own conflict check takes two
//! compactions that remove the same file for compatible, and knows nothing of what a commit to
//! one table promises for another.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use arrow::datatypes::Schema;
use deltalake::{
    DeltaTable, TableProperty,
    kernel::{
        Action, Add, CommitInfo, Metadata, MetadataExt as _, Remove, StructField, StructType,
        Transaction,
        engine::arrow_conversion::TryIntoKernel,
        transaction::{PROTOCOL, TransactionError},
    },
    logstore::{
        CommitOrBytes, LogStore, LogStoreRef, ObjectStoreRef, StorageConfig,
        commit_uri_from_version, get_actions, logstore_with,
    },
    operations::create::CreateBuilder,
    protocol::SaveMode,
};
use futures::StreamExt;
use object_store::ObjectStoreExt as _;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::{DataFile, Table, files::Folder, read, stats, tables};
use crate::error::BoxError;

/// The application id of our transactions.
const APP_ID: &str = "trailhound";

/// The key of what is ours in an entry's `commitInfo`.
const INFO_KEY: &str = "trailhound";

/// Every so many entries the state is written out whole, so that opening stays fast.
pub(super) const CHECKPOINT_INTERVAL: u64 = 50;

/// One change to a table's files.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// A file joins.
    Add(DataFile),
    /// A file leaves; its bytes stay on disk until the sweep.
    Remove(DataFile),
}

/// Changes by table.
pub(super) type Changes = HashMap<Table, Vec<Change>>;

/// What a table's log says at one version.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The version of the newest entry.
    pub(super) version: u64,
    /// The number of our newest transaction in it.
    pub(super) n: i64,
    /// The files, by the name in the log.
    pub(super) files: HashMap<String, DataFile>,
    /// The names of its columns.
    pub(super) columns: HashSet<String>,
}

/// One entry of a log, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// Its version.
    pub(super) version: u64,
    /// The number of our transaction, if it is one of ours.
    pub(super) n: Option<i64>,
    /// The files it adds.
    pub(super) adds: Vec<DataFile>,
    /// The names of the files it removes.
    pub(super) removes: Vec<String>,
    /// Whether rows came or went, rather than only moved between files.
    pub(super) data_change: bool,
    /// Whether the table's schema, settings or protocol changed.
    pub(super) metadata: bool,
    /// The names of the table's columns, where it tells them.
    pub(super) columns: Option<HashSet<String>>,
    /// Whether it asks readers or writers for more than tables of ours do.
    pub(super) asks_more: bool,
    /// The changes it promises for the other tables.
    pub(super) pending: Changes,
}

/// What an entry to be written says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    /// Delta's word for the operation.
    pub(super) operation: &'static str,
    /// Whether rows come or go, rather than only move between files.
    pub(super) data_change: bool,
}

/// The transaction log of one table.
#[derive(Debug, Clone)]
pub(super) struct Log {
    folder: Folder,
    store: LogStoreRef,
}

impl Log {
    /// The log of the table whose files lie in `folder`; the root of `store` is the cache.
    ///
    /// The library is given addresses below `store`'s root rather than paths: it would decode a
    /// directory's name that looks like a percent-encoding. The scheme only says which kind of
    /// log store to use, one that puts if absent; below `file` it would look at the paths itself.
    pub(super) fn new(folder: Folder, store: &ObjectStoreRef) -> Result<Self, BoxError> {
        let url = Url::parse(&format!("memory:///{}/", folder.table().name()))?;
        let store = logstore_with(Arc::clone(store), &url, StorageConfig::default())?;
        Ok(Self { folder, store })
    }

    /// Whose log it is.
    pub(super) fn table(&self) -> Table {
        self.folder.table()
    }

    /// Where its files lie.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Whether there is one.
    pub(super) async fn exists(&self) -> Result<bool, BoxError> {
        Ok(self.store.is_delta_table_location().await?)
    }

    /// Creates it with `schema`. That another process did so at the same moment is no error.
    pub(super) async fn create(&self, schema: &Schema) -> Result<(), BoxError> {
        let fields: StructType = schema.try_into_kernel()?;
        let stats = tables::stats_columns(schema).join(",");
        let result = CreateBuilder::new()
            .with_log_store(Arc::clone(&self.store))
            .with_table_name(self.table().name())
            .with_save_mode(SaveMode::ErrorIfExists)
            .with_columns(fields.fields().cloned())
            .with_configuration_property(TableProperty::DataSkippingStatsColumns, Some(stats))
            .with_configuration_property(
                TableProperty::CheckpointInterval,
                Some(CHECKPOINT_INTERVAL.to_string()),
            )
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) => {
                if self.exists().await? {
                    Ok(())
                } else {
                    Err(error.into())
                }
            }
        }
    }

    /// Tells other readers of columns of `schema` that the table does not have yet: an earlier
    /// build created it. Rows that were written before are NULL there.
    pub(super) async fn grow(&self, schema: &Schema) -> Result<(), BoxError> {
        let wanted: StructType = schema.try_into_kernel()?;
        loop {
            let table = self.open().await?;
            let snapshot = table.snapshot()?;
            let known = snapshot.schema();
            let is_missing = |field: &&StructField| known.field(field.name()).is_none();
            let missing: Vec<StructField> = wanted.fields().filter(is_missing).cloned().collect();
            if missing.is_empty() {
                return Ok(());
            }
            let fields = known.fields().cloned().chain(missing);
            let grown = StructType::try_new(fields)?;
            let metadata = snapshot.metadata().clone().with_schema(&grown)?;
            let version = snapshot.version() + 1;
            let note = Note { operation: "ADD COLUMNS", data_change: false };
            let info = commit_info(version, note, &Changes::new())?;
            let actions = [Action::CommitInfo(info), Action::Metadata(metadata)];
            // Where another process was faster, it may have done this.
            if self.put(version, &actions).await? {
                return Ok(());
            }
        }
    }

    /// Reads its state whole.
    pub(super) async fn load(&self) -> Result<State, BoxError> {
        match self.replay().await? {
            Some(state) => Ok(state),
            None if self.table().came_later() && !self.exists().await? => Ok(State::default()),
            None => self.load_by_library().await,
        }
    }

    /// Reads the log from its first entry, as long as there is no checkpoint: the library takes ten
    /// times as long for a few entries. Nothing where there is one, or where an entry asks for what
    /// only the library can judge.
    async fn replay(&self) -> Result<Option<State>, BoxError> {
        let hint = object_store::path::Path::from("_delta_log/_last_checkpoint");
        match self.store.object_store(None).head(&hint).await {
            Err(object_store::Error::NotFound { .. }) => {}
            Ok(_) | Err(_) => return Ok(None),
        }
        let Some(first) = self.entry(0).await? else { return Ok(None) };
        let mut state = State::default();
        state.apply(&first);
        let later = self.follow(&mut state).await?;
        let entries = || std::iter::once(&first).chain(&later);
        let is_plain = entries().all(|entry| !entry.asks_more) && first.metadata;
        Ok(is_plain.then_some(state))
    }

    async fn load_by_library(&self) -> Result<State, BoxError> {
        let table = self.open().await?;
        let snapshot = table.snapshot()?;
        let mut state = State { version: snapshot.version(), ..State::default() };
        state.n = snapshot.transaction_version(&*self.store, APP_ID).await?.unwrap_or(0);
        state.columns = snapshot.schema().fields().map(|field| field.name().clone()).collect();
        for view in snapshot.log_data().iter() {
            if view.deletion_vector_descriptor().is_some() {
                return Err(deletion_vector(&view.path()));
            }
            let (size, written_at) = (view.size(), view.modification_time());
            let file = self.data_file(&view.path(), size, written_at, view.stats()).await?;
            state.files.insert(file.name.to_string(), file);
        }
        Ok(state)
    }

    /// Has the library read it, which also judges whether we may write to it.
    async fn open(&self) -> Result<DeltaTable, BoxError> {
        let mut table = DeltaTable::new(Arc::clone(&self.store));
        table.load().await?;
        PROTOCOL.can_write_to(table.snapshot()?)?;
        Ok(table)
    }

    /// The files that were removed, with the time in milliseconds since 1970 where it is known.
    pub(super) async fn tombstones(&self) -> Result<HashMap<String, Option<i64>>, BoxError> {
        let table = self.open().await?;
        let mut views = table.snapshot()?.all_tombstones(&*self.store);
        let mut tombstones = HashMap::new();
        while let Some(view) = views.next().await {
            let view = view?;
            tombstones.insert(view.path().into_owned(), view.deletion_timestamp());
        }
        Ok(tombstones)
    }

    /// The entry `version`, if it has been written and not been cleaned away.
    pub(super) async fn entry(&self, version: u64) -> Result<Option<Entry>, BoxError> {
        let Some(bytes) = self.store.read_commit_entry(version).await? else {
            return Ok(None);
        };
        let mut entry = Entry { version, ..Entry::default() };
        for action in get_actions(version, &bytes)? {
            self.read_action(&mut entry, action).await?;
        }
        Ok(Some(entry))
    }

    async fn read_action(&self, entry: &mut Entry, action: Action) -> Result<(), BoxError> {
        match action {
            Action::Add(add) => {
                entry.data_change |= add.data_change;
                entry.adds.push(self.added(add).await?);
            }
            Action::Remove(remove) => {
                entry.data_change |= remove.data_change;
                entry.removes.push(remove.path);
            }
            Action::Txn(txn) if txn.app_id == APP_ID => entry.n = Some(txn.version),
            Action::CommitInfo(info) => {
                if let Some(ours) = info.info.get(INFO_KEY) {
                    self.read_pending(entry, ours).await?;
                }
            }
            Action::Metadata(metadata) => {
                entry.metadata = true;
                entry.columns = Some(column_names(&metadata)?);
            }
            Action::Protocol(protocol) => {
                entry.metadata = true;
                entry.asks_more |= serde_json::to_value(protocol)? != plain_protocol();
            }
            Action::Txn(_) | Action::Cdc(_) | Action::DomainMetadata(_) => {}
        }
        Ok(())
    }

    async fn read_pending(&self, entry: &mut Entry, ours: &Value) -> Result<(), BoxError> {
        let tables = ours.get("pending").and_then(Value::as_object).into_iter().flatten();
        for (name, actions) in tables {
            let Some(table) = Table::ALL.into_iter().find(|table| table.name() == name) else {
                return Err(format!("an entry is meant for an unknown table `{name}`").into());
            };
            let folder = self.folder.sibling(table);
            let other = Self { folder, store: Arc::clone(&self.store) };
            let list = entry.pending.entry(table).or_default();
            for action in Vec::<Action>::deserialize(actions)? {
                match action {
                    Action::Add(add) => {
                        entry.data_change |= add.data_change;
                        list.push(Change::Add(other.added(add).await?));
                    }
                    Action::Remove(remove) => {
                        entry.data_change |= remove.data_change;
                        list.push(Change::Remove(other.removed(&remove).await?));
                    }
                    _ => return Err("an entry promises what is no file".into()),
                }
            }
        }
        Ok(())
    }

    async fn added(&self, add: Add) -> Result<DataFile, BoxError> {
        if add.deletion_vector.is_some() {
            return Err(deletion_vector(&add.path));
        }
        self.data_file(&add.path, add.size, add.modification_time, add.stats).await
    }

    async fn removed(&self, remove: &Remove) -> Result<DataFile, BoxError> {
        // The statistics are not needed to take a file away, and are not there.
        let stats = Some(r#"{"numRecords":0}"#.to_owned());
        self.data_file(&remove.path, remove.size.unwrap_or(0), 0, stats).await
    }

    async fn data_file(
        &self,
        name: &str,
        size: i64,
        written_at: i64,
        stats: Option<String>,
    ) -> Result<DataFile, BoxError> {
        if name.contains("://") || Path::new(name).is_absolute() {
            return Err(format!("a file outside of the table: `{name}`").into());
        }
        let size = size.unsigned_abs();
        let mut summary = stats.as_deref().map(stats::summary).unwrap_or_default();
        if summary.n_records.is_none() {
            // Another program's: its statistics are optional.
            summary.n_records = Some(read::n_rows(&self.folder, name, size).await?);
        }
        Ok(DataFile::new(&self.folder, name, size, written_at, &summary, stats))
    }

    /// Brings `state` up to date and gives the entries that did it.
    pub(super) async fn follow(&self, state: &mut State) -> Result<Vec<Entry>, BoxError> {
        let mut entries = Vec::new();
        while let Some(entry) = self.entry(state.version + 1).await? {
            state.apply(&entry);
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Whether the entry `version` is still there; old ones are cleaned away.
    pub(super) async fn has_entry(&self, version: u64) -> Result<bool, BoxError> {
        let path = commit_uri_from_version(Some(version));
        match self.store.object_store(None).head(&path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the entry `version`: our transaction `n` with `changes`, and what it promises for
    /// the other tables. Gives `false`, and has changed nothing, when there is one already.
    pub(super) async fn write(
        &self,
        version: u64,
        n: i64,
        note: Note,
        changes: &[Change],
        pending: &Changes,
    ) -> Result<bool, BoxError> {
        let mut actions = vec![
            Action::CommitInfo(commit_info(version, note, pending)?),
            Action::Txn(Transaction::new_with_last_update(APP_ID, n, Some(now()))),
        ];
        actions.extend(changes.iter().map(|change| action(change, note.data_change)));
        self.put(version, &actions).await
    }

    /// Writes the entry `version`; `false` when there is one already.
    async fn put(&self, version: u64, actions: &[Action]) -> Result<bool, BoxError> {
        let mut bytes = Vec::new();
        for action in actions {
            serde_json::to_writer(&mut bytes, action)?;
            bytes.push(b'\n');
        }
        let entry = CommitOrBytes::LogBytes(bytes.into());
        match self.store.write_commit_entry(version, entry, Uuid::new_v4()).await {
            Ok(()) => Ok(true),
            Err(TransactionError::VersionAlreadyExists(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a checkpoint after entry `version` when it is time for one. Without it everything
    /// works, only slower: a failure is no error.
    pub(super) async fn checkpoint_if_due(&self, version: u64) {
        if version > 0 && version.is_multiple_of(CHECKPOINT_INTERVAL) {
            let _ = self.checkpoint().await;
        }
    }

    /// Writes a checkpoint now.
    pub(super) async fn checkpoint(&self) -> Result<(), BoxError> {
        Ok(deltalake::checkpoints::create_checkpoint(&self.open().await?, None).await?)
    }

    /// Deletes log entries that a checkpoint made superfluous and that are older than the table's
    /// log retention (30 days).
    pub(super) async fn clean(&self) -> Result<usize, BoxError> {
        Ok(deltalake::checkpoints::cleanup_metadata(&self.open().await?, None).await?)
    }
}

impl State {
    fn apply(&mut self, entry: &Entry) {
        self.version = entry.version;
        self.n = entry.n.unwrap_or(self.n);
        if let Some(columns) = &entry.columns {
            self.columns.clone_from(columns);
        }
        for name in &entry.removes {
            self.files.remove(name);
        }
        for file in &entry.adds {
            self.files.insert(file.name.to_string(), file.clone());
        }
    }
}

/// The names in the schema that `metadata` tells, as Delta's protocol spells it: JSON in a text.
fn column_names(metadata: &Metadata) -> Result<HashSet<String>, BoxError> {
    #[derive(Deserialize)]
    struct Schema {
        fields: Vec<Field>,
    }
    #[derive(Deserialize)]
    struct Field {
        name: String,
    }
    let metadata = serde_json::to_value(metadata)?;
    let schema = metadata.get("schemaString").and_then(Value::as_str).unwrap_or_default();
    let schema: Schema = serde_json::from_str(schema)?;
    Ok(schema.fields.into_iter().map(|field| field.name).collect())
}

/// The protocol of the tables that we create: no features beyond plain files.
fn plain_protocol() -> Value {
    serde_json::json!({ "minReaderVersion": 1, "minWriterVersion": 2 })
}

fn deletion_vector(name: &str) -> BoxError {
    format!("`{name}` has a deletion vector, which trailhound does not read").into()
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

fn commit_info(version: u64, note: Note, pending: &Changes) -> Result<CommitInfo, BoxError> {
    let mut tables = Map::new();
    for (table, changes) in pending {
        let actions: Vec<Action> =
            changes.iter().map(|change| action(change, note.data_change)).collect();
        tables.insert(table.name().to_owned(), serde_json::to_value(actions)?);
    }
    // No two entries are the same, whoever writes them and when: a store that compares what it finds
    // with what it wrote can tell its own.
    let id = Uuid::new_v4().to_string();
    let mut info = HashMap::from([("txnId".to_owned(), Value::String(id))]);
    if !tables.is_empty() {
        let ours = Map::from_iter([("pending".to_owned(), Value::Object(tables))]);
        info.insert(INFO_KEY.to_owned(), Value::Object(ours));
    }
    Ok(CommitInfo {
        timestamp: Some(now()),
        operation: Some(note.operation.to_owned()),
        operation_parameters: Some(HashMap::new()),
        read_version: version.checked_sub(1),
        is_blind_append: Some(false),
        engine_info: Some(concat!("trailhound ", env!("CARGO_PKG_VERSION")).to_owned()),
        info,
        ..CommitInfo::default()
    })
}

fn action(change: &Change, data_change: bool) -> Action {
    match change {
        Change::Add(file) => Action::Add(Add {
            path: file.name.to_string(),
            size: i64::try_from(file.size_bytes).unwrap_or(i64::MAX),
            modification_time: file.written_at,
            data_change,
            stats: file.stats.as_deref().map(str::to_owned),
            ..Add::default()
        }),
        Change::Remove(file) => Action::Remove(Remove {
            path: file.name.to_string(),
            data_change,
            deletion_timestamp: Some(now()),
            extended_file_metadata: Some(true),
            partition_values: Some(HashMap::new()),
            size: Some(i64::try_from(file.size_bytes).unwrap_or(i64::MAX)),
            ..Remove::default()
        }),
    }
}
