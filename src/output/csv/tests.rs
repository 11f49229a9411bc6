use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use proptest::prelude::*;

use crate::output::{
    Format, OutputOptions,
    tests::{batch, text_batch, text_of},
};

fn raw() -> OutputOptions {
    OutputOptions { raw: true, ..OutputOptions::new(Format::Csv) }
}

#[test]
fn formulas_get_a_quote_and_numbers_do_not() {
    let text: ArrayRef =
        Arc::new(StringArray::from(vec!["=1", "+1", "-1", "@x", "\tx", "\rx", "x=1"]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![-1, -2, -3, -4, -5, -6, -7]));
    let both = batch(vec![("t", text), ("n", number)]);
    assert_eq!(
        text_of(&OutputOptions::new(Format::Csv), &both),
        "t,n\n'=1,-1\n'+1,-2\n'-1,-3\n'@x,-4\n'\\tx,-5\n'\\rx,-6\nx=1,-7\n"
    );
    assert_eq!(
        text_of(&raw(), &both),
        "t,n\n=1,-1\n+1,-2\n-1,-3\n@x,-4\n\tx,-5\n\"\rx\",-6\nx=1,-7\n"
    );
}

#[test]
fn null_and_the_empty_string_differ() {
    let a: ArrayRef = Arc::new(StringArray::from(vec![Some(""), None]));
    let both = batch(vec![("a", Arc::clone(&a)), ("b", a)]);
    assert_eq!(text_of(&OutputOptions::new(Format::Csv), &both), "a,b\n\"\",\"\"\n,\n");
}

#[test]
fn a_row_of_one_null_is_no_empty_line() {
    let one = text_batch("a", &[None, Some("x")]);
    assert_eq!(text_of(&OutputOptions::new(Format::Csv), &one), "a\n\"\"\nx\n");
}

proptest! {
    #[test]
    fn raw_csv_reads_back(rows in prop::collection::vec((any::<String>(), ".{0,9}"), 0..6)) {
        let column = |pick: fn(&(String, String)) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(pick)))
        };
        let both = batch(vec![("a", column(|r| &r.0)), ("b,\"", column(|r| &r.1))]);
        let text = text_of(&raw(), &both);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        prop_assert_eq!(reader.headers().unwrap(), vec!["a", "b,\""]);
        let read: Vec<(String, String)> =
            reader.deserialize().map(Result::unwrap).collect();
        prop_assert_eq!(read, rows);
    }
}
