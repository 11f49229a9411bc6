use super::*;

const SECOND: i64 = 1_000_000;

#[test]
fn stretches_of_time_hold_every_time_and_leave_wide_gaps_out() {
    let times = [i64::MIN, i64::MIN, 0, 30 * SECOND, 1_000 * SECOND, 1_000 * SECOND];
    assert_eq!(
        ranges(&times.into_iter()),
        [(i64::MIN, i64::MIN), (0, 30 * SECOND), (1_000 * SECOND, 1_000 * SECOND)]
    );
    assert!(ranges(&std::iter::empty()).is_empty());
}

#[test]
fn many_stretches_become_fewer_and_wider() {
    let times = (0..10_000_i64).map(|n| n * n * SECOND);
    let ranges = ranges(&times);
    assert!(ranges.len() <= MAX_RANGES, "{}", ranges.len());
    assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
    for ts in times {
        assert!(ranges.iter().any(|&(start, end)| (start..=end).contains(&ts)));
    }
}
