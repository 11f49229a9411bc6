use serde_json::{Value, json};

use super::{super::wrap, samples::Sample, *};

#[test]
fn finds_the_records_of_every_shape() {
    for Sample { name, document, shape, records, envelope, beside } in samples::all() {
        let framed = frame(&document);
        assert_eq!(framed.kind, Kind::CloudTrail, "{name}");
        assert_eq!(framed.records(), records, "{name}");
        assert_eq!(framed.n_rejects(), 0, "{name}: {framed:?}");
        assert_eq!(framed.beside.as_deref(), beside, "{name}");
        let shapes = framed.items.iter().map(|item| match item {
            Got::Record { shape, .. } => *shape,
            Got::Reject { .. } => unreachable!("no rejects"),
        });
        assert!(
            shapes.clone().all(|found| found == shape),
            "{name}: {:?}",
            shapes.collect::<Vec<_>>()
        );
        let Some(Got::Record { envelope: found, .. }) = framed.items.first() else {
            panic!("{name}: no record");
        };
        assert_eq!(found.as_deref(), envelope, "{name}");
    }
}

#[test]
fn every_shape_has_a_sample_and_a_word_of_its_own() {
    let found: std::collections::HashSet<_> =
        samples::all().iter().map(|sample| sample.shape).collect();
    let words: std::collections::HashSet<_> = found.iter().map(|shape| shape.as_str()).collect();
    assert_eq!(found.len(), 26, "{found:?}");
    assert_eq!(words.len(), found.len());
}

#[test]
fn offsets_point_at_records_or_at_what_holds_them() {
    for Sample { name, document, records, .. } in samples::all() {
        for (item, record) in frame(&document).items.iter().zip(records) {
            let Got::Record { offset, .. } = item else { panic!("{name}: {item:?}") };
            let there = &document[usize::try_from(*offset).unwrap()..];
            let text = std::str::from_utf8(there).unwrap();
            let holds = text.starts_with(&record)
                || text.starts_with("\"{") && text.contains("eventVersion")
                || text.starts_with('"') && name.contains("firehose")
                || text.starts_with('"') && name.contains("kinesis");
            assert!(holds, "{name}: {text}");
        }
    }
}

/// Joins documents whose siblings in arrays were left out. `path` is what led to the hole.
fn join(all: &mut Value, one: Value) {
    match (all, one) {
        (Value::Object(all), Value::Object(one)) => {
            for (key, value) in one {
                match all.get_mut(&key) {
                    Some(Value::Array(list)) if IN_ARRAYS.contains(&key.as_str()) => {
                        let Value::Array(more) = value else { panic!("{key} is no array") };
                        list.extend(more);
                    }
                    Some(known) if key == "hits" => join(known, value),
                    Some(known) => assert_eq!(*known, value, "{key}"),
                    None => {
                        all.insert(key, value);
                    }
                }
            }
        }
        (all, one) => panic!("{all} and {one}"),
    }
}

/// The keys of the arrays that containers have.
const IN_ARRAYS: [&str; 9] = [
    "Records",
    "Events",
    "events",
    "logEvents",
    "records",
    "hits",
    "Messages",
    "results",
    "QueryResultRows",
];

/// The documents of a sample, built anew from what the framer gave.
fn rebuild(framed: &Framed) -> Vec<Value> {
    let mut documents: Vec<Value> = Vec::new();
    for item in &framed.items {
        let Got::Record { json, shape, envelope, .. } = item else { panic!("{item:?}") };
        let text = wrap(*shape, envelope.as_deref(), json).unwrap();
        let text = match shape {
            Shape::CloudWatchExport | Shape::PrefixedLines => Value::String(text).to_string(),
            _ => text,
        };
        let document: Value = serde_json::from_str(&text).unwrap();
        let is_container = |value: &Value| {
            value
                .as_object()
                .is_some_and(|object| object.keys().any(|key| IN_ARRAYS.contains(&key.as_str())))
        };
        match documents.last_mut() {
            Some(last) if is_container(last) && is_container(&document) => join(last, document),
            _ => documents.push(document),
        }
    }
    if let Some(beside) = &framed.beside {
        let beside: Value = serde_json::from_str(beside).unwrap();
        match documents.first_mut().unwrap() {
            first if first.get("eventID").is_some() => documents.push(beside),
            first => join(first, beside),
        }
    }
    documents
}

/// The documents as they stood, in the form that [`rebuild`] gives.
fn original(sample: &Sample) -> Vec<Value> {
    let text = std::str::from_utf8(&sample.document).unwrap().replace('\u{FEFF}', "");
    if matches!(sample.shape, Shape::CloudWatchExport | Shape::PrefixedLines) {
        return text.lines().map(|line| Value::String(line.to_owned())).collect();
    }
    if sample.shape == Shape::Csv {
        let delimiter = if text.contains('\t') { b'\t' } else { b',' };
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
        let names = reader.headers().unwrap().clone();
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            let cells = names.iter().zip(row.iter());
            Value::Object(cells.map(|(name, cell)| (name.to_owned(), json!(cell))).collect())
        });
        return rows.collect();
    }
    let text = text.replace("\n,{", "\n{");
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        flatten(value.unwrap(), sample, &mut found);
    }
    found
}

/// Takes apart what counts as no wrapper.
fn flatten(value: Value, sample: &Sample, out: &mut Vec<Value>) {
    match value {
        Value::Array(list) => list.into_iter().for_each(|value| flatten(value, sample, out)),
        Value::String(text) => out.push(serde_json::from_str(&text).unwrap()),
        // A wrapper that holds no record leaves none.
        Value::Object(object) if object.get("messageType") == Some(&json!("CONTROL_MESSAGE")) => {}
        Value::Object(object) if object.get("index").is_some() => {}
        Value::Object(mut object)
            if sample.envelope.is_none() && object.contains_key("Records") =>
        {
            flatten(object.remove("Records").unwrap(), sample, out);
            if !object.is_empty() {
                out.push(Value::Object(object));
            }
        }
        object => match out.last_mut() {
            Some(last) if last.get("logEvents").is_some() => join(last, keep_container(object)),
            _ => out.push(object),
        },
    }
}

fn keep_container(mut object: Value) -> Value {
    object.as_object_mut().unwrap().remove("messageType");
    object
}

#[test]
fn documents_are_rebuilt_from_records_envelopes_and_members_beside_them() {
    for sample in samples::all() {
        let found = rebuild(&frame(&sample.document));
        assert_eq!(found, original(&sample), "{}", sample.name);
    }
}

#[test]
fn an_empty_records_array_is_cloudtrail_with_no_record() {
    for document in [r#"{"Records":[]}"#, "{ \"Records\" : [ ] }\n", "\u{FEFF}{\"Records\":[]}"] {
        let framed = frame(document);
        assert_eq!((framed.kind, framed.items), (Kind::CloudTrail, vec![]));
    }
}

#[test]
fn records_of_every_kind_are_recognised() {
    for record in [
        // An Insight event and an aggregated event, which lack most keys.
        r#"{"eventVersion":"1.07","eventTime":"2024-01-02T03:04:05Z","awsRegion":"us-east-1","eventID":"1","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333","insightDetails":{},"eventCategory":"Insight"}"#,
        r#"{"eventVersion":"1.11","accountId":"111122223333","eventId":"1","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"us-east-1","timeWindow":{},"summary":{}}"#,
        // Keys in the order of the alphabet, in lower case, of Logstash, of Panther, of old.
        r#"{"awsRegion":"us-east-1","eventID":"1","eventName":"A","eventSource":"iam.amazonaws.com","eventVersion":"1.08","userIdentity":{"type":"Root"}}"#,
        r#"{"eventversion":"1.08","useridentity":"{type=Root}","eventtime":"2024-01-02T03:04:05Z","eventname":"A"}"#,
        r#"{"requestParameters":{"s3":1},"@timestamp":"2024-01-02T03:04:05Z","@version":"1","eventName":"A","eventSource":"s3.amazonaws.com","s3":{"bucket":{}}}"#,
        r#"{"p_log_type":"AWS.CloudTrail","eventVersion":"1.08","eventName":"A","p_event_time":"t"}"#,
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"A","userIdentity":{"accountId":"111122223333"}}"#,
    ] {
        for document in
            [record.to_owned(), format!("[{record}]"), format!("{{\"Records\":[{record}]}}")]
        {
            let framed = frame(&document);
            assert_eq!(framed.records(), [record], "{document}");
            assert_eq!(framed.kind, Kind::CloudTrail);
        }
    }
}

#[test]
fn look_alikes_are_not_taken_for_records() {
    for (event, name) in [
        (
            r#"{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"t","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"p"},"requestParameters":{},"responseElements":{},"s3":{}}"#,
            "S3 event notification",
        ),
        (
            r#"{"eventVersion":"1.1","eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","awsRegion":"us-east-1","dynamodb":{},"userIdentity":{}}"#,
            "DynamoDB stream record",
        ),
        (
            r#"{"eventVersion":"1.0","eventID":"1","kinesis":{},"eventName":"aws:kinesis:record","eventSource":"aws:kinesis","awsRegion":"us-east-1"}"#,
            "Kinesis stream record",
        ),
        (
            r#"{"eventVersion":"1.0","eventID":"1","eventSource":"aws:codecommit","eventName":"T","awsRegion":"us-east-1"}"#,
            "codecommit event",
        ),
    ] {
        let framed = frame(format!("{{\"Records\":[{event}]}}"));
        assert_eq!(framed.kind, Kind::Other(name.to_owned()));
        assert_eq!(framed.items, []);
    }
}

#[test]
fn members_too_long_to_repeat_with_each_record_go_beside_them() {
    let long = "x".repeat(20 << 10);
    let (one, two) = (samples::record(1), samples::record(2));
    let framed = frame(format!("{{\"a\":\"{long}\", \"Records\":[{one},{two}],\"b\":1}}"));
    assert_eq!(framed.records(), [one, two]);
    let beside = format!("[{{\"a\":\"{long}\"}},{{\"b\":1}}]");
    assert_eq!(framed.beside, Some(beside));
}

#[test]
fn lone_surrogates_and_bytes_that_are_no_utf8_survive_in_strings_and_envelopes() {
    let framed = frame(br#"{"CloudTrailEvent":"{\"eventVersion\":\"1.08\",\"eventName\":\"\uD83D\uDE00 \uD800 \\u0041\"}","x":"\xFF"}"#);
    assert_eq!(
        framed.records(),
        ["{\"eventVersion\":\"1.08\",\"eventName\":\"\u{1F600} \\uD800 \\u0041\"}"]
    );
    let mut document =
        br#"{"x":"A","CloudTrailEvent":"{\"eventVersion\":\"1.08\",\"eventName\":\"A\"}"}"#
            .to_vec();
    document[6] = 0xFF;
    let framed = frame(document);
    let Some(Got::Record { envelope, .. }) = framed.items.first() else { panic!("{framed:?}") };
    assert_eq!(envelope.as_deref(), Some(r#"{"x":"\udcff","CloudTrailEvent":null}"#));
}
