use std::{fs::File, sync::Arc};

use arrow::array::{RecordBatch, StringArray};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    file::metadata::ParquetMetaData,
};
use serde_json::Value;

use super::{
    commits::open,
    standin::{self, MIN_TS, Row, batch, row, rows_of, schemas, sorted, stored},
};
use crate::{
    cache::{Cache, Chunk, CommitOutcome, Sorted, Table, settings},
    logs::cloudtrail::decode::Rows,
};

fn commit(cache: &Cache, events: Sorted) {
    let chunk = Chunk { events, ..Chunk::default() };
    let outcome = cache.commit(&cache.snapshot().unwrap(), &chunk).unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
}

fn stats(cache: &Cache) -> Value {
    let snapshot = cache.snapshot().unwrap();
    serde_json::from_str(snapshot.files(Table::Events)[0].stats.as_deref().unwrap()).unwrap()
}

fn metadata(cache: &Cache) -> Arc<ParquetMetaData> {
    let file = &cache.snapshot().unwrap().files(Table::Events)[0].path.clone();
    let options = ArrowReaderOptions::new().with_page_index_policy(true.into());
    let metadata = ArrowReaderMetadata::load(&File::open(file).unwrap(), options).unwrap();
    Arc::clone(metadata.metadata())
}

#[test]
fn statistics_tell_bounds_and_nulls() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    commit(&cache, sorted(&schemas().events, &rows_of("a", 300, 60), 50));
    let stats = stats(&cache);
    assert_eq!(stats["numRecords"], 300);
    assert_eq!(stats["minValues"]["event_ts"], "2024-01-01T00:00:00.000000Z");
    assert_eq!(stats["maxValues"]["event_ts"], "2024-01-01T04:59:00.000000Z");
    assert_eq!(stats["nullCount"]["event_ts"], 0);
    assert_eq!(stats["minValues"]["eventname"], "ListBuckets");
    assert_eq!(stats["nullCount"]["eventname"], 100);
    assert_eq!(stats["minValues"]["account"], "111122223333");
    assert!(stats["minValues"].get("requestparameters").is_none());
    let file = cache.snapshot().unwrap().files(Table::Events)[0].clone();
    assert_eq!(file.event_ts, Some((MIN_TS, MIN_TS + 299 * 60_000_000)));
}

#[test]
fn a_file_with_rows_without_a_time_has_no_bounds_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = [Row { ts: None, ..row(0, "x", "a", 1) }, row(5, "y", "a", 2)];
    commit(&cache, sorted(&schemas().events, &rows, 50));
    assert_eq!(stats(&cache)["nullCount"]["event_ts"], 1);
    assert_eq!(cache.snapshot().unwrap().files(Table::Events)[0].event_ts, None);
}

#[test]
fn a_column_that_is_null_throughout_has_a_count_and_no_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    // Every third record has no name.
    let rows = [row(1, "x", "a", 3), row(2, "y", "a", 6)];
    commit(&cache, sorted(&schemas().events, &rows, 50));
    let stats = stats(&cache);
    assert_eq!(stats["nullCount"]["eventname"], 2);
    assert!(stats["minValues"].get("eventname").is_none());
    assert!(stats["maxValues"].get("eventname").is_none());
}

#[test]
fn bounds_of_long_texts_are_cut_and_still_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let schema = schemas().events;
    let name = "é".repeat(500);
    let mut columns = batch(&schema, &[row(1, "x", "a", 1)]).columns().to_vec();
    let index = schema.index_of("eventsource").unwrap();
    columns[index] = Arc::new(StringArray::from(vec![name.as_str()]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let keys = sorted(&schema, &[row(1, "x", "a", 1)], 1).batches[0].keys.clone();
    let rows = Sorted { batches: vec![Arc::new(Rows { batch, keys })], order: vec![(0, 0)] };
    commit(&cache, rows);
    let stats = stats(&cache);
    let bound = |side: &str| stats[side]["eventsource"].as_str().unwrap().to_owned();
    assert!(bound("minValues").len() <= 64 && bound("minValues") <= name);
    assert!(bound("maxValues").len() <= 66 && bound("maxValues") >= name);
}

#[test]
fn times_that_not_every_reader_parses_are_no_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let year_10000 = (253_402_300_800_000_000 - MIN_TS) / 1_000_000;
    commit(&cache, sorted(&schemas().events, &[row(year_10000, "x", "a", 1)], 1));
    assert!(stats(&cache)["maxValues"].get("event_ts").is_none());
    let snapshot = cache.snapshot().unwrap();
    assert_eq!(snapshot.files(Table::Events)[0].event_ts, None);
    assert_eq!(stored(&cache, &snapshot, Table::Events)[0].ts, Some(year_10000));
}

#[test]
fn files_say_how_they_are_sorted_and_have_filters_and_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    commit(&cache, sorted(&schemas().events, &rows_of("a", 40_000, 1), 7_000));
    let metadata = metadata(&cache);
    assert!(metadata.file_metadata().created_by().unwrap().starts_with("trailhound version "));
    let group = metadata.row_group(0);
    let column = |name: &str| {
        let columns = group.columns().iter();
        columns.map(|c| (c.column_path().string(), c)).position(|(path, _)| path == name).unwrap()
    };
    let time = column("event_ts");
    let sorting = group.sorting_columns().unwrap();
    assert_eq!(sorting[0].column_idx, i32::try_from(time).unwrap());
    for name in ["eventid", "eventname", "useridentity.accesskeyid", "useridentity.arn"] {
        let filter = group.column(column(name)).bloom_filter_offset();
        assert!(filter.is_some(), "{name}");
    }
    assert!(group.column(column("requestparameters")).bloom_filter_offset().is_none());
    assert!(group.column(column("eventid")).dictionary_page_offset().is_none());
    let pages = &metadata.offset_index().unwrap()[0][time];
    assert_eq!(pages.page_locations().len(), 3);
    let index = &metadata.column_index().unwrap()[0][time];
    assert_eq!(index.null_counts().map(Vec::len), Some(3));
}

#[test]
fn rows_fill_groups_and_files_up_to_their_limits() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let rows = rows_of("a", 300_000, 1);
    commit(&cache, sorted(&schemas().events, &rows, 10_000));
    let metadata = metadata(&cache);
    let groups: Vec<i64> = metadata
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    let full = i64::try_from(settings::MAX_GROUP_ROWS).unwrap();
    assert_eq!(groups, [full, full, 300_000 - 2 * full]);
    let snapshot = cache.snapshot().unwrap();
    assert!(stored(&cache, &snapshot, Table::Events) == rows);
}

#[test]
fn threads_do_not_change_what_is_written() {
    let rows = rows_of("a", 140_000, 1);
    let written: Vec<Vec<u8>> = [1, 4]
        .into_iter()
        .map(|threads| {
            let dir = tempfile::tempdir().unwrap();
            let cache = open(dir.path()).with_threads(threads);
            commit(&cache, sorted(&schemas().events, &rows, 9_999));
            std::fs::read(&cache.snapshot().unwrap().files(Table::Events)[0].path).unwrap()
        })
        .collect();
    assert!(written[0] == written[1]);
}

#[test]
fn reads_only_the_rows_whose_time_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let mut rows = rows_of("a", 300_000, 1);
    rows.push(Row { ts: None, ..row(0, "timeless", "a", 300_001) });
    commit(&cache, sorted(&schemas().events, &rows, 10_000));
    commit(&cache, sorted(&schemas().events, &rows_of("b", 10, 1), 10));
    let snapshot = cache.snapshot().unwrap();
    let read = |ranges: &[(i64, i64)]| {
        let mut n = 0;
        let each = &mut |batch: RecordBatch| {
            n += batch.num_rows();
            Ok(())
        };
        cache.read(&snapshot, Table::Events, &["eventid"], Some(ranges), each).unwrap();
        n
    };
    let at = |second: i64| MIN_TS + second * 1_000_000;
    assert_eq!(read(&[(at(1_000_000), at(2_000_000))]), 0);
    assert_eq!(read(&[(at(200_000), at(200_000))]), 1);
    assert_eq!(read(&[(i64::MIN, i64::MIN)]), 1);
    assert_eq!(read(&[(at(0), at(0)), (at(131_000), at(299_999))]), 2 + 300_000 - 131_000);
    assert_eq!(read(&[]), 0);
}

#[test]
fn refuses_rows_out_of_order_or_of_another_schema() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(dir.path());
    let base = cache.snapshot().unwrap();
    let schema = schemas().events;
    let mut wrong = sorted(&schema, &rows_of("a", 10, 1), 5);
    wrong.order.reverse();
    let chunk = Chunk { events: wrong, ..Chunk::default() };
    cache.commit(&base, &chunk).unwrap_err();
    let mut beyond = sorted(&schema, &rows_of("a", 10, 1), 5);
    beyond.order.push((1, 5));
    cache.commit(&base, &Chunk { events: beyond, ..Chunk::default() }).unwrap_err();
    let other = sorted(&schemas().aggregated, &rows_of("a", 10, 1), 5);
    cache.commit(&base, &Chunk { events: other, ..Chunk::default() }).unwrap_err();
    let ledger = standin::ledger("a", "b", 1);
    let chunk = Chunk { duplicates: Some(ledger), ..Chunk::default() };
    cache.commit(&base, &chunk).unwrap_err();
    assert_eq!(cache.snapshot().unwrap().version(), base.version());
}
