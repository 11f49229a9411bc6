use super::*;

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
