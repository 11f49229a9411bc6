//! Copies: within a run, across runs, and what only looks like one.

use super::*;

fn kept(case: &Case) -> Vec<Vec<String>> {
    let columns = ["eventid", "source_file", "record_no", "of_file", "of_record_no"];
    case.rows(Table::Duplicates, &columns)
}

#[test]
fn of_equal_copies_the_first_in_plan_order_stays() {
    let case = Case::new();
    case.write("b.json", file_of(0..10));
    case.write("a.json", file_of(5..15));
    case.write("c.json", file_of([7, 7, 20]));
    let report = case.ingest();
    assert_eq!((report.records.read, report.records.written), (23, 16));
    assert_eq!(report.records.duplicates, 7);
    let files = case.rows(Table::Events, &["eventid", "source_file"]);
    assert_eq!(files[4], [id(4), case.uri("b.json")]);
    assert_eq!(files[5], [id(5), case.uri("a.json")]);
    let kept = kept(&case);
    let of = |n: u32, file: &str, no: &str| {
        vec![id(n), case.uri(file), no.to_owned(), case.uri("a.json"), (n - 4).to_string()]
    };
    assert!(kept.contains(&of(5, "b.json", "6")));
    assert!(kept.contains(&of(7, "c.json", "1")) && kept.contains(&of(7, "c.json", "2")));
    assert_eq!(kept.len(), 7);
}

#[test]
fn across_runs_the_one_in_the_cache_stays() {
    let case = Case::new();
    case.write("z.json", file_of(0..10));
    case.ingest();
    case.write("a.json", file_of(5..15));
    case.write("b.json", file_of(9..12));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (5, 8));
    let kept = kept(&case);
    assert_eq!(kept[0][3..], [case.uri("z.json"), "6".to_owned()]);
    let nine: Vec<_> = kept.iter().filter(|row| row[0] == id(9)).collect();
    assert_eq!(nine.len(), 2);
    assert!(nine.iter().all(|row| row[3] == case.uri("z.json")));
}

#[test]
fn the_same_id_with_other_content_stays() {
    let case = Case::new();
    let lines = [
        record_as(1, "GetObject"),
        record_as(1, "PutObject"),
        record_as(1, "GetObject"),
        record_as(1, "GetObject").replace(r#""responseElements":null,"#, ""),
        record_as(1, "GetObject").replace(r#""readOnly":true"#, r#""readOnly":true,"later":1"#),
        record_as(1, "GetObject").replace("111122223333\"}", "444455556666\"}"),
    ];
    case.write("a.json", format!(r#"{{"Records":[{}]}}"#, lines.join(",")));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (5, 1));
    case.write("b.json", format!(r#"{{"Records":[{}]}}"#, lines[1..3].join(",")));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (0, 2));
}

#[test]
fn records_without_id_or_time_are_told_apart_by_content() {
    let case = Case::new();
    let bare = |n: u32, drop: &str| {
        let text = record(n);
        let (start, end) = (text.find(drop).unwrap(), text.find("\"eventSource\"").unwrap());
        match drop {
            "\"eventTime\"" => format!("{}{}", &text[..start], &text[end..]),
            _ => text.replace(&format!("\"eventID\":\"{}\",", id(n)), ""),
        }
    };
    let lines = [
        bare(1, "\"eventID\""),
        bare(2, "\"eventID\""),
        bare(1, "\"eventID\""),
        bare(1, "\"eventTime\""),
        bare(1, "\"eventTime\""),
    ];
    case.write("a.json", format!(r#"{{"Records":[{}]}}"#, lines.join(",")));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (3, 2));
    case.write("b.json", format!(r#"{{"Records":[{}]}}"#, lines.join(",")));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (0, 5));
}

#[test]
fn the_order_and_number_of_threads_do_not_matter() {
    let content = |threads: usize, memory_bytes: usize| {
        let mut case = Case::new();
        case.options.threads = threads;
        case.options.memory_bytes = memory_bytes;
        for n in 0..60 {
            let file = file_of((n * 40..n * 40 + 100).chain(n..n + 3));
            let name = format!("{:02}.json", n * 7 % 60);
            if n % 2 == 0 {
                case.write(&name, file)
            } else {
                case.write(&name, gzip(file))
            };
        }
        case.write("30.bin", gzip(tar_with(&file_of(100..200))));
        case.ingest();
        case.content()
    };
    let expected = content(1, 512 << 20);
    for (threads, memory_bytes) in [(2, 512 << 20), (8, 512 << 20), (1, 1 << 20), (8, 1 << 20)] {
        let content = content(threads, memory_bytes);
        let differs = expected.iter().zip(&content).find(|(a, b)| a != b);
        assert_eq!(differs, None, "{threads} threads, {memory_bytes} bytes");
        assert_eq!(expected.len(), content.len());
    }
}

fn tar_with(text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in ["m.json", "n.json"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An aggregated event with three buckets.
fn aggregated(n: u32, count: u32) -> String {
    format!(
        r#"{{"eventVersion":"1.11","accountId":"111122223333","eventId":"{}","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"us-east-1","eventSource":"s3.amazonaws.com","timeWindow":{{"windowStart":"2025-10-30 23:45:00","windowEnd":"2025-10-30 23:50:00","windowSize":"PT5M"}},"summary":{{"primaryDimension":{{"dimension":"eventName","statistics":[{{"name":"GetObject","value":{count}}}],"aggregationType":"Count"}},"details":[{{"dimension":"userAgent","statistics":[{{"name":"aws-cli","value":3}},{{"name":"boto3","value":4}}],"aggregationType":"Count"}}]}}}}"#,
        id(n)
    )
}

#[test]
fn an_aggregated_event_is_one_record_of_several_rows() {
    let case = Case::new();
    let text = |events: &[String]| format!(r#"{{"Records":[{}]}}"#, events.join(","));
    let (a, b, c) = (aggregated(1, 7), aggregated(2, 7), aggregated(1, 8));
    case.write("a.json", text(&[a.clone(), b.clone(), a.clone(), c.clone(), record(3)]));
    let report = case.ingest();
    assert_eq!((report.records.read, report.records.written), (5, 4));
    assert_eq!(report.records.duplicates, 1);
    assert_eq!(case.rows(Table::Aggregated, &["eventjson"]).len(), 9);
    case.write("b.json", text(&[c, b, aggregated(9, 1)]));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (1, 2));
    assert_eq!(case.rows(Table::Aggregated, &["eventjson"]).len(), 12);
    let kept =
        case.rows(Table::Duplicates, &["source_file", "record_no", "of_file", "of_record_no"]);
    let row = |file: &str, no: &str, of: &str| {
        vec![case.uri(file), no.to_owned(), case.uri("a.json"), of.to_owned()]
    };
    assert_eq!(kept, [row("a.json", "3", "1"), row("b.json", "1", "4"), row("b.json", "2", "2")]);
}

#[test]
fn wrappers_are_kept_for_copies_and_what_follows_the_records_for_the_ledger() {
    let case = Case::new();
    let event = |id: &str| {
        format!(
            r#"{{"version":"0","id":"{id}","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","time":"2024-03-05T00:00:01Z","region":"us-east-1","resources":[],"detail":{}}}"#,
            record(1)
        )
    };
    case.write("a.json", file_of(1..2).replace("]}", r#"],"nextToken":"abc"}"#));
    case.write("b.jsonl", format!("{}\n{}\n", event("one"), event("two")));
    let report = case.ingest();
    assert_eq!((report.records.written, report.records.duplicates), (1, 2));
    let copies = case.rows(Table::Duplicates, &["record_no", "shape", "envelope"]);
    assert!(copies[0][2].contains(r#""id":"one""#) && copies[1][2].contains(r#""id":"two""#));
    assert!(copies[0][2].contains(r#""detail":null"#), "{copies:?}");
    assert!(case.entry("a.json")["wrapper"].contains("nextToken"));
}
