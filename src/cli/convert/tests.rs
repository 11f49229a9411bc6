use super::*;

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
fn what_a_killed_conversion_left_is_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let left = dir.path().join(UNFINISHED);
    fs::create_dir_all(left.join("account=1")).unwrap();
    let place = Place::prepare(dir.path(), &[]).unwrap();
    assert_eq!(fs::read_dir(&left).unwrap().count(), 0);
    fs::write(place.unfinished.join("part"), "x").unwrap();
    place.finish().unwrap();
    assert!(dir.path().join("part").is_file() && !left.exists());
}

#[test]
fn a_conversion_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let place = Place::prepare(&out, &[]).unwrap();
    fs::write(place.unfinished.join("part"), "x").unwrap();
    drop(place);
    assert!(!out.exists());
    drop(Place::prepare(dir.path(), &[]).unwrap());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
