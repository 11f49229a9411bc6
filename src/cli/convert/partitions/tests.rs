use arrow::array::{ArrayRef, Int64Array, StringArray};

use super::*;

#[test]
fn levels_are_named_as_hive_names_them_and_lead_nowhere_else() {
    let region = |value| level_name(PartitionKey::Region, value);
    assert_eq!(region(Some("us-east-1")), "region=us-east-1");
    assert_eq!(region(None), "region=__HIVE_DEFAULT_PARTITION__");
    assert_eq!(region(Some("../../etc")), "region=..%2F..%2Fetc");
    assert_eq!(region(Some("a\u{202e}\n=")), "region=a%E2%80%AE%0A%3D");
    assert!(region(Some(&"é".repeat(500))).len() < 255);
}

#[test]
fn each_partition_has_its_file_and_every_row_is_in_one() {
    let root = tempfile::tempdir().unwrap();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..6));
    let regions: ArrayRef =
        Arc::new(StringArray::from(vec![Some("a"), Some("a"), Some("b"), Some("b"), None, None]));
    let batch = RecordBatch::try_from_iter([("n", numbers), ("partition_0", regions)]).unwrap();
    let written = AtomicU64::new(0);
    let keys = [PartitionKey::Region];
    let mut writer = Partitioned::new(root.path(), &keys, &batch.schema(), &written);
    // The second partition reaches over the batches' border.
    writer.write(&batch.slice(0, 3)).unwrap();
    writer.write(&batch.slice(3, 3)).unwrap();
    assert_eq!(writer.finish().unwrap(), 6);
    let rows = |dir: &str| {
        let file = fs::File::open(root.path().join(dir).join("part-0.parquet")).unwrap();
        parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1024)
            .unwrap()
            .map(|batch| batch.unwrap())
            .inspect(|batch| assert_eq!(batch.num_columns(), 1))
            .map(|batch| batch.num_rows())
            .sum::<usize>()
    };
    assert_eq!(
        [rows("region=a"), rows("region=b"), rows(&format!("region={NULL_PARTITION}"))],
        [2; 3]
    );
}

#[test]
fn rows_of_one_partition_that_come_apart_are_a_fault() {
    let root = tempfile::tempdir().unwrap();
    let regions: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a"]));
    let batch = RecordBatch::try_from_iter([("r", Arc::clone(&regions)), ("partition_0", regions)])
        .unwrap();
    let written = AtomicU64::new(0);
    let keys = [PartitionKey::Region];
    let mut writer = Partitioned::new(root.path(), &keys, &batch.schema(), &written);
    assert!(writer.write(&batch).is_err());
}
