use proptest::prelude::*;

use super::*;

fn whole(json: &[u8]) -> Result<Value, Fault> {
    Scanner::new(Limits::default()).value(json, 0, 0)
}

fn compacted(json: &str) -> String {
    let mut out = String::new();
    compact(json, &mut out);
    out
}

#[test]
fn accepts_what_json_allows() {
    for json in [
        "0",
        "-0",
        "10.50",
        "1e9",
        "1E+9",
        "-1.5e-300",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\\u00e9\\n\\/\"",
        "{}",
        "[]",
        "[1,2]",
        "{\"a\":{\"b\":[{}]}}",
        "\"\\ud83d\\ude00\"",
        "[ 1 , 2 ]",
        "{ \"a\" : 1 }",
        "[[[[]]]]",
    ] {
        assert_eq!(whole(json.as_bytes()).map(|v| v.end), Ok(json.len()), "{json}");
    }
}

#[test]
fn refuses_what_json_forbids() {
    for json in [
        "",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "-",
        "tru",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "'a'",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "[1,]",
        "[1 2]",
        "[",
        "[}",
        "{]",
        "{\"a\":1]",
        "[1}",
        "\u{feff}1",
    ] {
        let scanned = whole(json.as_bytes());
        assert!(
            scanned.is_err_and(|f| f.at <= json.len()) || scanned.unwrap().end < json.len(),
            "{json}"
        );
    }
}

#[test]
fn knows_the_end_of_the_text_from_a_fault_in_it() {
    let fault = whole(b"{\"a\":[1,").unwrap_err();
    assert_eq!(fault.reject(b"{\"a\":[1,").reason, RejectReason::Truncated);
    let fault = whole(b"{\"a\":[1,]}").unwrap_err();
    let reject = fault.reject(b"{\"a\":[1,]}");
    assert_eq!((reject.reason, reject.at), (RejectReason::NotJson, 8));
    assert_eq!(reject.detail, "expected a value, but found `]`");
}

#[test]
fn holds_values_to_the_limits() {
    let limits = Limits { max_depth: 3, max_keys: 2, ..Limits::default() };
    let mut scanner = Scanner::new(limits);
    assert!(scanner.value(b"[[[]]]", 0, 0).is_ok());
    assert_eq!(scanner.value(b"[[[[]]]]", 0, 0).unwrap_err().kind, FaultKind::TooDeep);
    assert_eq!(scanner.value(b"[[[]]]", 0, 1).unwrap_err().kind, FaultKind::TooDeep);
    assert!(scanner.value(b"{\"a\":{\"b\":1,\"c\":2},\"d\":3}", 0, 0).is_ok());
    let crowded = scanner.value(b"{\"a\":{\"b\":1,\"c\":2,\"d\":3}}", 0, 0);
    assert_eq!(crowded.unwrap_err().kind, FaultKind::TooManyKeys);
}

#[test]
fn survives_nesting_that_would_overflow_a_thread() {
    let limits = Limits { max_depth: usize::MAX, ..Limits::default() };
    let json = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    assert_eq!(Scanner::new(limits).value(json.as_bytes(), 0, 0).unwrap().end, json.len());
}

#[test]
fn notes_escapes_surrogates_and_control_characters() {
    let scan = |s: &str| string(s.as_bytes(), 0).unwrap();
    assert_eq!(scan("abcdefghijklm\""), Text { end: 13, ..Text::default() });
    assert!(scan("a\\n\"").escaped && !scan("a\\n\"").lone);
    assert!(scan("\\ud800\"").lone && scan("\\udc00\"").lone && scan("\\ud800\\u0041\"").lone);
    assert!(scan("\\ud800\\ud800\\udc00\"").lone);
    assert!(!scan("\\ud83d\\ude00\"").lone);
    assert!(scan("a\u{1}b\"").control && scan("a\nb\"").control);
}

#[test]
fn compacts_without_touching_tokens() {
    assert_eq!(
        compacted(" { \"a b\" : [ 1.0 , \"\\u0041 \\\" x\" , { } ] } "),
        "{\"a b\":[1.0,\"\\u0041 \\\" x\",{}]}"
    );
    assert_eq!(compacted("[\"a\u{0}\n\u{1f}é\"]"), "[\"a\\u0000\\n\\u001fé\"]");
}

#[test]
fn unescapes_to_the_text_that_serde_reads() {
    for raw in ["plain", "a\\\"b\\\\c\\/d", "\\b\\f\\n\\r\\t", "\\u00e9\\u20ac", "\\ud83d\\ude00!"]
    {
        let mut out = String::new();
        assert!(unescape(raw, &mut out));
        let expected: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
        assert_eq!(out, expected);
    }
    let mut out = String::new();
    assert!(!unescape("a\\ud800b", &mut out));
    assert_eq!(out, "a\u{fffd}b");
}

#[test]
fn walks_entries_and_elements() {
    let json = "{\"a\": 1, \"b\" :[2,{\"c\":3}], \"a\":\"x\"}";
    let keys: Vec<_> = entries(json, 0).map(|e| json.get(e.key).unwrap()).collect();
    assert_eq!(keys, ["a", "b", "a"]);
    assert_eq!(find(json, "a"), Some("\"x\""));
    let list = find(json, "b").unwrap();
    let items: Vec<_> = elements(list, 0).map(|r| list.get(r).unwrap()).collect();
    assert_eq!(items, ["2", "{\"c\":3}"]);
    assert_eq!(find_path(list, &["c"]), None);
    assert_eq!(find_path("{\"x\":{\"y\":\"z\"}}", &["x", "y"]).and_then(inside), Some("z"));
    assert_eq!(entries("[1]", 0).count() + elements("{}", 0).count(), 0);
}

/// A JSON value as text, with one of `pads` around every token of an array or object.
fn json_text(pads: &'static [&'static str]) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        any::<i128>().prop_map(|n| n.to_string()),
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
        "[a-zA-Z0-9 ]{0,40}".prop_map(|s| format!("\"{s}\\ud83d\\ude00\\u0000\"")),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let pad = || prop::sample::select(pads);
        let array = (prop::collection::vec(inner.clone(), 0..6), pad())
            .prop_map(|(v, p)| format!("[{p}{}{p}]", v.join(&format!("{p},{p}"))));
        let entry = ("[a-z\"\\\\]{0,12}", inner);
        let object = (prop::collection::vec(entry, 0..6), pad()).prop_map(|(v, p)| {
            let entries: Vec<_> = v
                .into_iter()
                .map(|(k, v)| format!("{}{p}:{p}{v}", serde_json::to_string(&k).unwrap()))
                .collect();
            format!("{{{p}{}{p}}}", entries.join(&format!("{p},{p}")))
        });
        prop_oneof![array, object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_serde_on_any_text(json in "[\\[\\]{}:,\"\\\\ 0-9eE.+a-u-]{0,24}") {
        let ours = whole(json.as_bytes()).is_ok_and(|v| v.end == json.len());
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&json)
            .is_ok_and(|v| v.get().len() == json.len());
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn never_panics_on_any_bytes(json in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = whole(&json).map_err(|fault| fault.reject(&json));
        let json = String::from_utf8_lossy(&json);
        let mut out = String::new();
        compact(&json, &mut out);
        unescape(&json, &mut out);
        write_string(&json, &mut out);
        let _ = entries(&json, 0).count() + elements(&json, 0).count();
    }

    #[test]
    fn scans_compact_values_as_compact(json in json_text(&[""])) {
        prop_assert_eq!(whole(json.as_bytes()), Ok(Value { end: json.len(), loose: false }));
        prop_assert_eq!(compacted(&json), json);
    }

    #[test]
    fn compacting_keeps_the_value(json in json_text(&["", " ", "\t", "\r\n  "])) {
        let once = compacted(&json);
        prop_assert_eq!(whole(json.as_bytes()).map(|v| v.end), Ok(json.len()));
        prop_assert!(!whole(once.as_bytes()).unwrap().loose);
        let a: serde_json::Value = serde_json::from_str(&json).unwrap();
        let b: serde_json::Value = serde_json::from_str(&once).unwrap();
        prop_assert_eq!(a, b);
    }

    #[test]
    fn writing_and_unescaping_a_string_gives_it_back(text in any::<String>()) {
        let mut json = String::new();
        write_string(&text, &mut json);
        let mut back = String::new();
        prop_assert!(unescape(inside(&json).unwrap(), &mut back));
        prop_assert_eq!(back, text);
    }
}
