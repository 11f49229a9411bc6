use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::output::{
    Format,
    tests::{batch, bytes_of, text_batch, text_of},
};

fn screen(width: usize) -> OutputOptions {
    OutputOptions { width: Some(width), types: true, ..OutputOptions::new(Format::Table) }
}

fn top() -> RecordBatch {
    let names: ArrayRef =
        Arc::new(StringArray::from(vec![Some("GetObject"), Some("AssumeRole"), Some(""), None]));
    let counts: ArrayRef = Arc::new(Int64Array::from(vec![Some(4312), Some(118), None, Some(0)]));
    batch(vec![("eventname", names), ("n", counts)])
}

#[test]
fn types_stand_below_names_and_numbers_to_the_right() {
    insta::assert_snapshot!(text_of(&screen(80), &top()), @r"
     eventname  │      n
     varchar    │ bigint
    ────────────┼────────
     GetObject  │   4312
     AssumeRole │    118
                │   NULL
     NULL       │      0
    ");
}

#[test]
fn null_is_dim_where_there_is_colour() {
    let options = OutputOptions { color: true, ..screen(80) };
    let text = text_of(&options, &top());
    assert!(text.contains("\x1b[2mNULL\x1b[0m"), "{text:?}");
    assert!(text.contains("\x1b[1meventname\x1b[0m"), "{text:?}");
}

#[test]
fn the_middle_of_a_long_answer_is_hidden_and_counted() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=1000));
    let options = OutputOptions { max_rows: Some(5), ..screen(80) };
    insta::assert_snapshot!(text_of(&options, &batch(vec![("n", numbers)])), @r"
          n
     bigint
    ────────
          1
          2
          3
     … 995 rows hidden
        999
       1000
    ");
}

#[test]
fn as_many_rows_as_allowed_are_all_shown() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=5));
    let options = OutputOptions { max_rows: Some(5), ..OutputOptions::new(Format::Table) };
    let text = text_of(&options, &batch(vec![("n", numbers)]));
    assert_eq!(text, " n\n───\n 1\n 2\n 3\n 4\n 5\n");
}

#[test]
fn wide_cells_are_cut_visibly_to_the_screen() {
    let long = "x".repeat(100);
    let cells: ArrayRef =
        Arc::new(StringArray::from(vec![long.as_str(), "東京東京東京東京東京東京東京東京"]));
    let wide = batch(vec![("a", Arc::clone(&cells)), ("b", cells)]);
    let text = text_of(&screen(60), &wide);
    assert!(text.lines().all(|line| line.width() <= 60), "{text}");
    assert_eq!(text.matches('…').count(), 4, "{text}");
}

#[test]
fn a_row_too_wide_for_the_screen_is_written_expanded_and_whole() {
    let long = "x".repeat(100);
    let cells: ArrayRef = Arc::new(StringArray::from(vec![long.as_str()]));
    let columns = ["a", "b", "c", "d"].map(|name| (name, Arc::clone(&cells)));
    let text = text_of(&screen(60), &batch(columns.to_vec()));
    assert_eq!(text.matches(&long).count(), 4, "{text}");
    assert!(text.starts_with("─[ 1 ]"), "{text}");
}

#[test]
fn nothing_is_cut_away_from_a_screen() {
    let long = "x".repeat(100_000);
    let text = text_of(&OutputOptions::new(Format::Table), &text_batch("a", &[Some(&long)]));
    assert!(text.contains(&long));
}

#[test]
fn a_huge_answer_streams_with_the_widths_it_has() {
    let long = "x".repeat(1 << 20);
    let first = text_batch("a", &vec![Some(long.as_str()); 40]);
    let rest = text_batch("a", &[Some("short"), Some(&format!("{long}y"))]);
    let bytes = bytes_of(&OutputOptions::new(Format::Table), &[first, rest]);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count(), 44);
    assert!(text.ends_with(&format!("short\n {long}y\n")));
}

#[test]
fn large_rows_never_fill_memory_behind_a_limit_on_rows() {
    let long = "x".repeat(4 << 20);
    let many = text_batch("a", &vec![Some(long.as_str()); 40]);
    let options = OutputOptions { max_rows: Some(40), ..OutputOptions::new(Format::Table) };
    let text = text_of(&options, &many);
    assert!(text.len() < 64 << 20, "{} bytes", text.len());
    let shown = text.matches(&long).count();
    assert!(text.contains(&format!("… {} rows hidden", 40 - shown)), "{shown} shown");
}
