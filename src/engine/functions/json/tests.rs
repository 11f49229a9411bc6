use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    Finder, Members, double_as_varchar,
    path::{Path, Step},
    standard,
    text::copy,
    write, write_double, write_real,
};

/// Random JSON: names that need quotes, escapes and none, numbers that serde and Java read alike.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| json!(f64::from(n) / 4.0)),
        "[ -~ä😀\n\"\\\\]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names(), inner), 0..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "[0-3]", Just(String::new()), "[ab\"\\\\ .\n]{1,3}", "[äa-]{1,2}"]
}

/// `names` as a path, all in quotes: what is in quotes may be anything.
fn quoted(names: &[String]) -> String {
    let step = |name: &String| format!("[\"{}\"]", name.replace('\\', "\\\\").replace('"', "\\\""));
    format!("${}", names.iter().map(step).collect::<String>())
}

/// What is at `names`, by the tree.
fn walked<'a>(document: &'a Value, names: &[String]) -> Option<&'a Value> {
    names.iter().try_fold(document, |value, name| match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The steps to a value in `document`: down as far as `choices` go, at times into nothing.
fn steps(document: &Value, choices: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut value = document;
    for &choice in choices {
        let inner = match value {
            Value::Object(members) => members.iter().nth(usize::from(choice) % 5),
            Value::Array(items) => {
                let index = usize::from(choice) % 5;
                names.push(index.to_string());
                match items.get(index) {
                    Some(item) => value = item,
                    None => break,
                }
                continue;
            }
            _ => break,
        };
        let Some((name, member)) = inner else { break };
        names.push(name.clone());
        value = member;
    }
    names
}

fn found(text: &str, path: &str) -> Option<String> {
    let path = Path::read(path).unwrap();
    Finder::new().scalar(text, &path).map(std::borrow::Cow::into_owned)
}

fn extracted(text: &str, path: &str) -> Option<String> {
    let path = Path::read(path).unwrap();
    let mut finder = Finder::new();
    let at = finder.find(text, &path)?;
    let end = finder.end(text, at)?;
    let mut copied = String::new();
    copy(text.get(at..end).unwrap(), &mut copied);
    Some(copied)
}

proptest! {
    #[test]
    fn what_is_found_is_what_the_tree_has(
        document in documents(),
        choices in prop::collection::vec(any::<u8>(), 0..6),
        strange in prop::option::of(names()),
        pretty in any::<bool>(),
    ) {
        let mut names = steps(&document, &choices);
        names.extend(strange);
        let text = if pretty {
            serde_json::to_string_pretty(&document).unwrap()
        } else {
            document.to_string()
        };
        let expected = walked(&document, &names);
        let path = quoted(&names);
        prop_assert_eq!(found(&text, &path), expected.and_then(scalar));
        let extracted = extracted(&text, &path);
        let back = extracted.map(|text| serde_json::from_str::<Value>(&text).unwrap());
        prop_assert_eq!(back.as_ref(), expected);
    }

    #[test]
    fn what_is_found_in_broken_text_is_the_beginning_of_what_is_there(
        document in documents(),
        choices in prop::collection::vec(any::<u8>(), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = document.to_string();
        let mut end = cut.index(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let path = quoted(&steps(&document, &choices));
        if let Some(part) = found(text.get(..end).unwrap(), &path) {
            let whole = found(&text, &path);
            prop_assert!(whole.is_some_and(|whole| whole.starts_with(&part)));
        }
    }

    #[test]
    fn no_text_and_no_path_panics(text in "[\\[\\]{}\",:a0.e \\\\u-]{0,30}", path in "\\$[\\[\\]\".a0*-]{0,8}") {
        let mut finder = Finder::new();
        if let Ok(path) = Path::read(&path) {
            let _ = finder.scalar(&text, &path);
            if let Some(at) = finder.find(&text, &path) {
                let _ = finder.end(&text, at);
            }
        }
        let whole = finder.whole(&text).is_some();
        // The scanner takes nothing that serde does not, and the other way round.
        prop_assert_eq!(whole, serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok());
        if let Ok(path) = standard::Path::read(&format!("lax {path}")) {
            let _ = standard::items(&mut finder, &text, &path);
        }
    }

    #[test]
    fn parsed_text_means_the_same_and_parses_to_itself(document in documents()) {
        let mut once = String::new();
        write(&serde_json::to_string_pretty(&document).unwrap(), Members::Sorted, &mut once).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&once).unwrap(), document);
        let mut twice = String::new();
        write(&once, Members::Sorted, &mut twice).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn doubles_keep_their_value(value in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let mut text = String::new();
        write_double(value, &mut text);
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
        prop_assert_eq!(double_as_varchar(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
    }
}

#[test]
fn a_path_is_its_steps() {
    let path = Path::read("$.a[\"b\\\"c\"][3].4[d]").unwrap();
    let steps: Vec<(&str, Option<usize>)> =
        path.steps.iter().map(|Step { name, index }| (name.as_str(), *index)).collect();
    let expected = [("a", None), ("b\"c", None), ("3", Some(3)), ("4", Some(4)), ("d", None)];
    assert_eq!(steps, expected);
}

#[test]
fn doubles_are_written_as_java_writes_them() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.000_99, "9.9E-4"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (1.234e-10, "1.234E-10"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ];
    for (value, expected) in cases {
        let mut text = String::new();
        write_double(value, &mut text);
        assert_eq!(text, expected);
    }
    let mut text = String::new();
    write_real(0.1, &mut text);
    assert_eq!(text, "0.1");
}

#[test]
fn doubles_are_cast_in_scientific_notation() {
    let cases = [
        (0.0, "0E0"),
        (-0.0, "-0E0"),
        (1.0, "1.0E0"),
        (128.9, "1.289E2"),
        (-1.5e-7, "-1.5E-7"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
    ];
    for (value, expected) in cases {
        assert_eq!(double_as_varchar(value), expected);
    }
}

#[test]
fn text_that_nests_without_end_is_scanned_without_recursion() {
    let depth = 1_000_000;
    let text = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(found(&text, "$.b").as_deref(), Some("1"));
    assert_eq!(extracted(&text, "$.a").unwrap().len(), 2 * depth);
    assert!(write(&text, Members::Sorted, &mut String::new()).is_err());
}

#[test]
fn what_follows_the_value_is_not_looked_at() {
    assert_eq!(found("{\"a\":1} oops", "$.a").as_deref(), Some("1"));
    assert_eq!(found("{\"x\":oops,\"a\":1}", "$.a"), None);
}
