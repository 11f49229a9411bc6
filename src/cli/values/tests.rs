use super::*;

fn now() -> DateTime<Utc> {
    "2024-03-10T12:00:00Z".parse().unwrap()
}

fn shown(text: &str, edge: Edge) -> String {
    let micros = time(text, edge, now()).unwrap();
    format!("{:?}", DateTime::from_timestamp_micros(micros).unwrap())
}

#[test]
fn times_are_days_moments_or_spans_before_now() {
    for (text, expected) in [
        ("2024-01-02", "2024-01-02T00:00:00Z"),
        ("2024-01-02T03:04", "2024-01-02T03:04:00Z"),
        ("2024-01-02T03:04Z", "2024-01-02T03:04:00Z"),
        ("2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05.25Z", "2024-01-02T03:04:05.250Z"),
        ("2024-01-02t03:04:05z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05Z"),
        ("7d", "2024-03-03T12:00:00Z"),
        ("24h", "2024-03-09T12:00:00Z"),
        ("30m", "2024-03-10T11:30:00Z"),
        ("2w", "2024-02-25T12:00:00Z"),
    ] {
        assert_eq!(shown(text, Edge::Since), expected, "{text}");
    }
}

#[test]
fn a_day_as_the_end_is_meant_whole() {
    assert_eq!(shown("2024-01-07", Edge::Until), "2024-01-07T23:59:59.999999Z");
}

#[test]
fn what_is_no_time_is_refused() {
    for text in ["", "yesterday", "2024-13-01", "7", "7y", "99999999999d", "2024-01-02T25:00"] {
        assert!(time(text, Edge::Since, now()).is_err(), "{text}");
    }
}

#[test]
fn sizes_have_binary_and_decimal_units() {
    for (text, expected) in [
        ("1048576", 1 << 20),
        ("512MiB", 512 << 20),
        ("2G", 2 << 30),
        ("2 GiB", 2 << 30),
        ("500MB", 500_000_000),
        ("1.5k", 1536),
        ("0", 0),
    ] {
        assert_eq!(size(text), Ok(expected), "{text}");
    }
    for text in ["", "MiB", "-1", "1XB", "1.2.3M", "99999999999999T", "1e9"] {
        assert!(size(text).is_err(), "{text}");
    }
    assert!(memory("1MiB").is_err());
}

#[test]
fn a_case_is_one_safe_directory_name() {
    assert!(case("acme-2024.q1").is_ok());
    for text in ["", "..", "a/b", "a\\b", "../x", ".hidden", "-x", "a\u{202e}b", "a\n", "a:b"] {
        assert!(case(text).is_err(), "{text:?}");
    }
}

#[test]
fn accounts_are_twelve_digits() {
    assert!(account("111122223333").is_ok());
    assert!(account("11112222333").is_err());
    assert!(account("11112222333x").is_err());
}

#[test]
fn parameters_split_at_the_first_equals_sign() {
    assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
    assert!(parameter("=b").is_err());
    assert!(parameter("ab").is_err());
}
