use std::sync::Arc;

use arrow::array::{
    Int32Array, RunArray, StringArray, TimestampMillisecondArray, TimestampSecondArray,
};

use super::*;

fn text(array: &dyn Array, row: usize) -> Option<String> {
    let mut out = String::new();
    push_text(array, row, &mut out).then_some(out)
}

fn json(array: &dyn Array, row: usize) -> String {
    let mut out = String::new();
    push_json(array, row, Nulls::Write, &mut out);
    out
}

#[test]
fn times_are_iso_8601_with_the_zone_they_have() {
    let utc = TimestampMillisecondArray::from(vec![1_704_164_645_120]);
    assert_eq!(text(&utc.clone().with_timezone("UTC"), 0).unwrap(), "2024-01-02T03:04:05.120Z");
    assert_eq!(
        text(&utc.clone().with_timezone("+02:00"), 0).unwrap(),
        "2024-01-02T05:04:05.120+02:00"
    );
    assert_eq!(json(&utc, 0), "\"2024-01-02T03:04:05.120\"");
}

#[test]
fn a_time_beyond_the_calendar_is_its_number() {
    let far = TimestampSecondArray::from(vec![i64::MAX]).with_timezone("UTC");
    assert_eq!(text(&far, 0).unwrap(), i64::MAX.to_string());
}

#[test]
fn runs_are_read_through() {
    let ends = Int32Array::from(vec![2, 3]);
    let values = StringArray::from(vec![Some("a"), None]);
    let runs = RunArray::try_new(&ends, &values).unwrap();
    assert_eq!([0, 1, 2].map(|row| text(&runs, row)), [Some("a".into()), Some("a".into()), None]);
    assert_eq!([0, 1, 2].map(|row| json(&runs, row)), ["\"a\"", "\"a\"", "null"]);
}

#[test]
fn type_names_are_athenas() {
    let row =
        DataType::Struct(vec![arrow::datatypes::Field::new("a", DataType::Utf8, true)].into());
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")));
    let names = [DataType::Utf8View, DataType::Int64, row, zoned, DataType::Decimal128(10, 2)];
    assert_eq!(
        names.map(|kind| type_name(&kind)),
        ["varchar", "bigint", "row", "timestamp with time zone", "decimal(10,2)"]
    );
}

#[test]
fn invisible_characters_beyond_the_first_plane_are_surrogates() {
    let mut out = String::new();
    push_json_string("\u{e0041}", &mut out);
    assert_eq!(out, "\"\\udb40\\udc41\"");
    assert_eq!(serde_json::from_str::<String>(&out).unwrap(), "\u{e0041}");
}
