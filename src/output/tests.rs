//! What all formats share: the sample, and what each makes of it.

use std::sync::{Arc, Mutex};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
        Float64Array, Int64Array, ListArray, MapBuilder, NullArray, StringArray, StringBuilder,
        StringViewArray, StructArray, TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Int32Type},
};
use proptest::prelude::*;

use super::*;

/// A sink that the test can read.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `options` make of `batches`, as bytes.
pub(super) fn bytes_of(options: &OutputOptions, batches: &[RecordBatch]) -> Vec<u8> {
    let sink = Shared::default();
    let mut writer = writer(options, &batches[0].schema(), Box::new(sink.clone())).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(writer.finish().unwrap(), rows as u64);
    drop(writer);
    Arc::into_inner(sink.0).unwrap().into_inner().unwrap()
}

/// What `options` make of `batch`, as text.
pub(super) fn text_of(options: &OutputOptions, batch: &RecordBatch) -> String {
    String::from_utf8(bytes_of(options, std::slice::from_ref(batch))).unwrap()
}

/// A batch of columns that may be NULL.
pub(super) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

/// A batch of one column of text.
pub(super) fn text_batch(name: &str, cells: &[Option<&str>]) -> RecordBatch {
    batch(vec![(name, Arc::new(StringArray::from(cells.to_vec())))])
}

fn strings(cells: [Option<&str>; 3]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

/// Three rows: ordinary, hostile, and all NULL.
pub(super) fn sample() -> RecordBatch {
    let identity = StructArray::from(vec![
        (Arc::new(Field::new("type", DataType::Utf8, true)), strings([Some("Root"), None, None])),
        (
            Arc::new(Field::new("arn", DataType::Utf8, true)),
            strings([None, Some("a\u{202e}b\"\\\u{1b}"), None]),
        ),
    ]);
    let identity = StructArray::new(
        identity.fields().clone(),
        identity.columns().to_vec(),
        Some(vec![true, true, false].into()),
    );
    let mut tags = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    tags.keys().append_value("k");
    tags.values().append_value("v");
    tags.append(true).unwrap();
    tags.append(true).unwrap();
    tags.append(false).unwrap();
    let numbers = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(vec![
        Some(vec![Some(1), None]),
        Some(vec![]),
        None,
    ]);
    let at = TimestampMicrosecondArray::from(vec![
        Some(1_704_164_645_000_000),
        Some(1_704_164_645_120_000),
        None,
    ]);
    let kind: DictionaryArray<Int32Type> = vec![Some("x"), Some("=y"), None].into_iter().collect();
    batch(vec![
        ("eventname", strings([Some("GetObject"), Some("=cmd|'/c calc'!A1"), None])),
        (
            "useragent",
            Arc::new(StringViewArray::from(vec![
                Some("aws-cli/2, \"x\""),
                Some("a\x1b[31m\u{200b}\tz\u{9b}"),
                None,
            ])),
        ),
        ("n", Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(-5), None]))),
        ("d", Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN), None]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("event_ts", Arc::new(at.with_timezone("UTC"))),
        ("day", Arc::new(Date32Array::from(vec![Some(19_724), Some(0), None]))),
        (
            "cost",
            Arc::new(
                Decimal128Array::from(vec![Some(12_345), Some(-1), None])
                    .with_precision_and_scale(30, 2)
                    .unwrap(),
            ),
        ),
        ("raw", Arc::new(BinaryArray::from(vec![Some(&b"\x00ab"[..]), Some(b""), None]))),
        ("useridentity", Arc::new(identity)),
        ("tags", Arc::new(tags.finish())),
        ("list", Arc::new(numbers)),
        ("kind", Arc::new(kind)),
        ("nothing", Arc::new(NullArray::new(3))),
    ])
}

#[test]
fn csv_of_the_sample() {
    insta::assert_snapshot!(text_of(&OutputOptions::new(Format::Csv), &sample()));
}

#[test]
fn json_of_the_sample() {
    insta::assert_snapshot!(text_of(&OutputOptions::new(Format::Json), &sample()));
}

#[test]
fn ndjson_of_the_sample() {
    insta::assert_snapshot!(text_of(&OutputOptions::new(Format::Ndjson), &sample()));
}

#[test]
fn markdown_of_the_sample() {
    insta::assert_snapshot!(text_of(&OutputOptions::new(Format::Markdown), &sample()));
}

#[test]
fn expanded_of_the_sample() {
    insta::assert_snapshot!(text_of(&OutputOptions::new(Format::Expanded), &sample()));
}

#[test]
fn table_of_the_sample() {
    let narrow = sample().project(&[0, 1, 2, 3, 4, 5, 6]).unwrap();
    insta::assert_snapshot!(text_of(&OutputOptions::new(Format::Table), &narrow));
}

#[test]
fn parquet_gives_every_value_back() {
    let sample = sample();
    let options = OutputOptions::new(Format::Parquet);
    let bytes = bytes_of(&options, &[sample.clone(), sample.clone()]);
    let reader = ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(
        bytes::Bytes::from(bytes),
    )
    .unwrap()
    .build()
    .unwrap();
    let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let whole = |batches: &[RecordBatch]| {
        arrow::compute::concat_batches(&batches[0].schema(), batches).unwrap()
    };
    assert_eq!(whole(&read).columns(), whole(&[sample.clone(), sample]).columns());
}

#[test]
fn an_answer_without_rows_has_its_header() {
    let empty = sample().slice(0, 0).project(&[0, 2]).unwrap();
    let text = |format| text_of(&OutputOptions::new(format), &empty);
    assert_eq!(text(Format::Csv), "eventname,n\n");
    assert_eq!(text(Format::Json), "[]\n");
    assert_eq!(text(Format::Ndjson), "");
    assert_eq!(text(Format::Markdown), "| eventname | n |\n| --- | ---: |\n");
    assert_eq!(text(Format::Table), " eventname │ n\n───────────┼───\n");
    assert_eq!(text(Format::Expanded), "");
}

#[test]
fn an_answer_without_columns_is_nothing() {
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    for format in [Format::Csv, Format::Markdown, Format::Table, Format::Expanded] {
        assert_eq!(text_of(&OutputOptions::new(format), &nothing), "", "{format:?}");
    }
}

#[test]
fn columns_of_one_name_stay_apart_in_json() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let fields = ["a", "a", "A", "a_1"].map(|name| Field::new(name, DataType::Int64, true));
    let doubled = RecordBatch::try_new(
        Arc::new(Schema::new(fields.to_vec())),
        vec![Arc::clone(&one), Arc::clone(&one), Arc::clone(&one), one],
    )
    .unwrap();
    let text = text_of(&OutputOptions::new(Format::Ndjson), &doubled);
    assert_eq!(text, "{\"a\":1,\"a_1\":1,\"A_2\":1,\"a_1_1\":1}\n");
    assert_eq!(text_of(&OutputOptions::new(Format::Csv), &doubled), "a,a,A,a_1\n1,1,1,1\n");
}

#[test]
fn a_closed_pipe_is_an_error_of_the_output_in_every_format() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for format in <Format as clap::ValueEnum>::value_variants() {
        let options = OutputOptions::new(*format);
        let outcome =
            writer(&options, &sample().schema(), Box::new(Closed)).and_then(|mut writer| {
                writer.write(&sample())?;
                writer.finish()
            });
        let error = outcome.expect_err("the pipe is closed");
        assert!(
            matches!(error.kind(), ErrorKind::Output(e) if e.kind() == std::io::ErrorKind::BrokenPipe),
            "{format:?}: {error:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_format_for_people_shows_hidden_characters(cells in prop::collection::vec(any::<Option<String>>(), 1..5), name in any::<String>()) {
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let batch = text_batch(&name, &cells);
        for format in [Format::Table, Format::Expanded, Format::Csv, Format::Markdown, Format::Json] {
            for width in [None, Some(20)] {
                let options = OutputOptions { width, ..OutputOptions::new(format) };
                let text = text_of(&options, &batch);
                prop_assert!(!text.chars().any(|c| c != '\n' && sanitize::is_hidden(c)), "{:?}", text);
            }
        }
    }

    #[test]
    fn json_reads_back(cells in prop::collection::vec(any::<Option<String>>(), 0..5)) {
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let batch = text_batch("a\u{202e}", &cells);
        let want: Vec<serde_json::Value> =
            cells.iter().map(|cell| serde_json::json!({ "a\u{202e}": cell })).collect();
        let array = text_of(&OutputOptions::new(Format::Json), &batch);
        prop_assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&array).unwrap(), want.clone());
        let lines = text_of(&OutputOptions::new(Format::Ndjson), &batch);
        let read: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(read, want);
    }
}
