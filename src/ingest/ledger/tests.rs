use super::*;

#[test]
fn the_row_that_completes_a_file_has_the_same_number_however_many_came_before() {
    assert_eq!(next_part(None, true), 0);
    let first = next_part(None, false);
    let second = next_part(Some(first), false);
    assert!(first < second && second < 0);
    assert_eq!(next_part(Some(second), true), 0);
    assert_eq!(next_part(Some(0), true), 1);
    assert_eq!(next_part(Some(4), false), 5);
}
