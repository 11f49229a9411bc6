#![expect(clippy::string_slice, reason = "the samples are ASCII")]

use super::{samples::record, *};

/// The reasons of the rejects, in order.
fn reasons(framed: &Framed) -> Vec<RejectReason> {
    let reasons = framed.items.iter().filter_map(|item| match item {
        Got::Reject { reason, .. } => Some(*reason),
        Got::Record { .. } => None,
    });
    reasons.collect()
}

/// The texts of the rejects, in order, each of which must stand at its offset.
fn rejected<'d>(framed: &Framed, document: &'d str) -> Vec<&'d str> {
    let texts = framed.items.iter().filter_map(|item| match item {
        Got::Reject { text, offset, length, .. } => {
            let offset = usize::try_from(*offset).unwrap();
            let there = &document[offset..offset + usize::try_from(*length).unwrap()];
            assert_eq!(there.as_bytes(), text);
            Some(there)
        }
        Got::Record { .. } => None,
    });
    texts.collect()
}

fn damaged(offset: usize, reason: &str) -> Kind {
    Kind::Damaged { offset: offset as u64, reason: reason.to_owned() }
}

#[test]
fn what_is_whole_comes_out_of_a_truncated_file() {
    let (one, two) = (record(1), record(2));
    let whole = format!("{{\"Records\":[{one},{two}]}}");
    let second = whole.find(&two).unwrap();
    for end in second + 1..second + two.len() {
        let framed = frame(&whole[..end]);
        assert_eq!(framed.records(), [&one]);
        assert_eq!(rejected(&framed, &whole), [&whole[second..end]]);
        assert_eq!(reasons(&framed), [RejectReason::Truncated]);
        assert_eq!(framed.kind, damaged(second, "the file ends inside a record"));
    }
    for end in [second + two.len(), whole.len() - 1] {
        let framed = frame(&whole[..end]);
        assert_eq!(framed.records(), [&one, &two]);
        assert_eq!(framed.n_rejects(), 0);
        assert_eq!(framed.kind, damaged(end, "the file ends inside an array or object"));
    }
}

#[test]
fn a_truncated_line_is_rejected_and_named() {
    let document = format!("{}\n{}", record(1), &record(2)[..100]);
    let framed = frame(&document);
    assert_eq!(framed.records(), [record(1)]);
    assert_eq!(rejected(&framed, &document), [&record(2)[..100]]);
    assert_eq!(framed.kind, damaged(record(1).len() + 1, "the file ends inside a record"));
}

/// What may be wrong with a record so that its brackets or quotes no longer match.
fn broken(record: &str) -> Vec<String> {
    let mut found = vec![
        record.replacen("\"type\":\"IAMUser\"", "\"type\":\"IAMUser", 1),
        record.replacen("\"type\":\"IAMUser\"", "\"type\":IAMUser\"", 1),
        record.replacen("\"eventName\"", "\"eventName", 1),
        record.replacen("},\"eventTime\"", ",\"eventTime\"", 1),
        record.replacen("},\"eventTime\"", "}},\"eventTime\"", 1),
        record.replacen("},\"eventTime\"", "],\"eventTime\"", 1),
        record.replacen("[{\"eventVersion\"", "[[{\"eventVersion\"", 1),
        record.replacen("{\"list\"", "{{\"list\"", 1),
        record.replacen("},\"responseElements\"", "]},\"responseElements\"", 1),
        record.replacen("\"awsRegion\":\"us-east-1\"", "\"awsRegion\":\"us-\n", 1),
        record.replacen("\"eventID\":\"", "\"eventID\":\\\"", 1),
    ];
    found.push(record[..record.len() - 1].to_owned());
    found.push(format!("{record}}}"));
    found
}

#[test]
fn one_broken_record_costs_no_other_in_any_place() {
    let whole: Vec<_> = (0..6).map(record).collect();
    let layouts: [(&str, &str, &str); 4] =
        [("{\"Records\":[", ",", "]}"), ("[\n", ",\n", "\n]"), ("", "\n", "\n"), ("[", " , ", "]")];
    for (before, between, behind) in layouts {
        for place in 0..5 {
            for broken in broken(&whole[place]) {
                let mut parts = whole.clone();
                parts[place].clone_from(&broken);
                let document = format!("{before}{}{behind}", parts.join(between));
                let framed = frame(&document);
                // What is broken behind its end is whole up to there.
                let mut wanted = whole.clone();
                if !broken.starts_with(&whole[place]) {
                    wanted.remove(place);
                }
                let found = framed.records();
                let missing: Vec<_> =
                    wanted.iter().filter(|r| !found.contains(&r.as_str())).collect();
                assert!(
                    missing.is_empty(),
                    "{broken}\n is broken, but this is missing: {missing:?}\n{:?}",
                    framed.items
                );
                let extra = found.iter().filter(|r| !wanted.iter().any(|w| w == *r)).count();
                assert!(extra + framed.n_rejects() <= 4, "{broken}: {:?}", framed.items);
                rejected(&framed, &document);
            }
        }
    }
}

#[test]
fn two_stray_quotes_do_not_hide_the_records_between_them() {
    let mut parts: Vec<_> = (0..6).map(record).collect();
    for place in [1, 4] {
        parts[place] = parts[place].replacen("\"type\":\"IAMUser\"", "\"type\":\"IAMUser", 1);
    }
    let framed = frame(format!("{{\"Records\":[{}]}}", parts.join(",")));
    assert_eq!(framed.records(), [record(0), record(2), record(3), record(5)]);
    assert_eq!(reasons(&framed), [RejectReason::NotJson, RejectReason::NotJson]);
    assert_eq!(framed.kind, Kind::CloudTrail);
}

#[test]
fn lines_that_are_no_json_are_rejected_one_by_one() {
    let document = format!("{}\nno json\n\nnor this {{\n{}\n\"a\" : 1\n", record(1), record(2));
    let framed = frame(&document);
    assert_eq!(framed.records(), [record(1), record(2)]);
    assert_eq!(rejected(&framed, &document), ["no json", "nor this {", "\"a\" : 1"]);
    assert_eq!(framed.kind, Kind::CloudTrail);
}

#[test]
fn what_follows_the_document_is_damage_and_no_reject() {
    for behind in ["\0\0\0\0", "]", "}}", " trailing text", "\u{1}\u{2}", ":"] {
        let document = format!("{{\"Records\":[{}]}}", record(1));
        let framed = frame(format!("{document}{behind}"));
        assert_eq!(framed.records(), [record(1)], "{behind}");
        assert_eq!(framed.n_rejects(), 0, "{behind}");
        let Kind::Damaged { offset, .. } = framed.kind else {
            panic!("{behind}: {:?}", framed.kind)
        };
        let spaces = behind.len() - behind.trim_start().len();
        assert_eq!(offset, (document.len() + spaces) as u64, "{behind}");
    }
}

#[test]
fn records_behind_damage_are_found() {
    let (one, two) = (record(1), record(2));
    for damage in ["\0\0\0", "]]", "text and a quote\"\n", "{\"a\":1\n"] {
        let document = format!("{{\"Records\":[{one}]}}{damage}\n{{\"Records\":[{two}]}}");
        let framed = frame(&document);
        assert_eq!(framed.records(), [&one, &two], "{damage}");
        assert!(matches!(framed.kind, Kind::Damaged { .. }) || framed.n_rejects() > 0, "{damage}");
    }
    let framed = frame(format!("warning: something\n{{\"Records\":[{one}]}}\n"));
    assert_eq!(framed.records(), [&one]);
    assert_eq!(framed.kind, damaged(0, "no JSON stands here"));
    for front in ["\0\0\0\0", &"\0".repeat(100_000)] {
        let framed = frame(format!("{front}{one}\n{two}"));
        assert_eq!(framed.records().last(), Some(&two.as_str()));
        assert_eq!(framed.kind, damaged(0, "NUL bytes"));
    }
}

#[test]
fn elements_that_are_no_records_are_rejected_beside_records() {
    for foreign in ["\"text\"", "1.5", "null", "true", "[]", "[1]", "{}", "{\"a\":{\"b\":[1]}}"] {
        let document = format!("{{\"Records\":[{foreign},{},{foreign}]}}", record(1));
        let framed = frame(&document);
        assert_eq!(framed.records(), [record(1)], "{foreign}");
        let expected = match foreign {
            "[]" => vec![],
            "[1]" => vec!["1", "1"],
            _ => vec![foreign, foreign],
        };
        assert_eq!(rejected(&framed, &document), expected, "{foreign}");
        assert!(reasons(&framed).iter().all(|r| *r == RejectReason::NotARecord));
        assert_eq!(framed.kind, Kind::CloudTrail);
    }
}

#[test]
fn a_record_that_is_too_long_is_rejected_with_its_beginning_and_length() {
    let limits = Limits { max_record_bytes: 100_000, ..Limits::default() };
    for n in [100_000, 1_000_000] {
        let long = record(2).replace("us-east-1", &"x".repeat(n));
        let document = format!("{{\"Records\":[{},{long},{}]}}", record(1), record(3));
        for reads in [&[][..], &[1000], &[70_001]] {
            let framed = frame_with(limits, document.as_bytes(), reads);
            assert_eq!(framed.records(), [record(1), record(3)]);
            assert_eq!(framed.kind, Kind::CloudTrail);
            let [_, Got::Reject { text, length, reason, offset, .. }, _] = &framed.items[..] else {
                panic!("{:?}", framed.items.len());
            };
            assert_eq!(text.as_slice(), &long.as_bytes()[..64 << 10]);
            assert_eq!(*offset, document.find(&long).unwrap() as u64);
            assert_eq!((*length, *reason), (long.len() as u64, RejectReason::TooLong));
        }
    }
}

#[test]
fn a_record_as_long_as_the_limit_is_no_longer_than_it() {
    let one = record(1);
    for (limit, n) in [(one.len(), 1), (one.len() - 1, 0)] {
        let limits = Limits { max_record_bytes: limit, ..Limits::default() };
        for document in [format!("[{one}]"), format!("{{\"Records\":[{one}]}}"), one.clone()] {
            for reads in [&[][..], &[1], &[one.len() + 1]] {
                let framed = frame_with(limits, document.as_bytes(), reads);
                assert_eq!(framed.records().len(), n, "{limit} {reads:?}: {:?}", framed.items);
                assert_eq!(framed.n_rejects(), 1 - n);
            }
        }
    }
}

#[test]
fn deep_nesting_is_framed_without_recursion() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let one = record(1).replace("null", &deep);
    let framed = frame(format!("[{one},{}]", record(2)));
    assert_eq!(framed.records(), [&one, &record(2)]);
    for open in ["[", "{\"a\":", "{\"Records\":[", "{\"hits\":{\"hits\":[", "{\"message\":"] {
        frame(open.repeat(300_000));
    }
    let mut text = record(1);
    for _ in 0..8 {
        text = format!("{{\"message\":{}}}", serde_json::Value::String(text));
    }
    assert_eq!(frame(&text).records().len(), 0);
}

#[test]
fn damage_everywhere_takes_time_in_proportion_to_the_length() {
    // Each of these makes a reader that starts over at each fault read on to the limit.
    for part in
        ["{\"a\":[},", "{\"a\":\",", "{\"eventVersion\":[},", "[\"", "{\"eventVersion\":\"1.0\",\n"]
    {
        let document = format!("[{}", part.repeat(500_000 / part.len()));
        let start = std::time::Instant::now();
        frame(&document);
        assert!(start.elapsed().as_secs() < 20, "{part}");
    }
}

#[test]
fn a_file_of_broken_records_only_is_cloudtrail_with_rejects() {
    let text = &record(1)[..60];
    let framed = frame(format!("[{text}}},{text}}}]"));
    assert_eq!(framed.records(), [] as [&str; 0]);
    assert!(framed.n_rejects() > 0, "{framed:?}");
}

#[test]
fn a_message_cut_off_inside_its_string_is_rejected() {
    let cut = serde_json::Value::String(record(2)[..200].to_owned());
    let whole = serde_json::Value::String(record(1));
    let document = format!("{{\"logEvents\":[{{\"message\":{whole}}},{{\"message\":{cut}}}]}}");
    let framed = frame(document);
    assert_eq!(framed.records(), [record(1)]);
    assert_eq!(reasons(&framed), [RejectReason::Truncated]);
}
