use super::*;

#[test]
fn every_column_is_asked_for_in_the_order_of_the_partitions() {
    let sql = events_sql(&[PartitionKey::Account, PartitionKey::Day]);
    for column in schema::columns() {
        assert!(sql.contains(&format!("\"{}\"", column.name)), "{}", column.name);
    }
    assert!(sql.contains("\"id_conflict\", account AS partition_0"), "{sql}");
    assert!(sql.ends_with(
        "ORDER BY partition_0, partition_1, event_ts, source_file, source_version, record_no"
    ));
}

#[test]
fn a_directory_with_something_in_it_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine"), "x").unwrap();
    let error = Place::prepare(dir.path(), &[]).err().unwrap();
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_inside_a_source_is_refused_and_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().to_str().unwrap().to_owned();
    let inside = dir.path().join("out");
    let error = Place::prepare(&inside, &[source]).err().unwrap();
    assert!(error.to_string().contains("inside a source"), "{error}");
    assert!(!inside.exists());
}

#[test]
fn what_an_interrupted_conversion_left_is_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let left = dir.path().join(UNFINISHED);
    fs::create_dir_all(left.join("account=1")).unwrap();
    let place = Place::prepare(dir.path(), &[]).unwrap();
    assert_eq!(fs::read_dir(&left).unwrap().count(), 0);
    fs::write(place.unfinished.join("part"), "x").unwrap();
    place.finish().unwrap();
    assert!(dir.path().join("part").is_file() && !left.exists());
}
