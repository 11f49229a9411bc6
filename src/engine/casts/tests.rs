use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, StringArray},
    datatypes::{DataType, Field},
    util::display::array_value_to_string,
};
use datafusion::{
    logical_expr::planner::TypePlanner,
    sql::sqlparser::{dialect::GenericDialect, parser::Parser},
};

use super::{JSON, TypeNames, conversion::Conversion};
use crate::engine::type_name;

/// `texts` cast to `target`, as shown; the error where there is one.
fn cast(texts: &[Option<&str>], target: &DataType, lenient: bool) -> Result<Vec<String>, String> {
    let cast = Conversion::new(JSON, target.clone(), lenient).map_err(|error| error.to_string())?;
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let made = cast.cast(&texts).map_err(|error| error.to_string())?;
    assert_eq!(made.data_type(), target);
    assert_eq!(made.len(), texts.len());
    let shown = |row| {
        if made.is_null(row) {
            "NULL".to_owned()
        } else {
            array_value_to_string(&made, row).unwrap()
        }
    };
    Ok((0..made.len()).map(shown).collect())
}

fn row() -> DataType {
    let fields = vec![
        Field::new("port", DataType::Int64, true),
        Field::new("proto", DataType::Utf8, true),
        Field::new("rest", JSON, true),
    ];
    DataType::Struct(fields.into())
}

#[test]
fn an_object_becomes_a_row_by_name() {
    let made = cast(
        &[
            Some(r#"{"proto":"tls","PORT":8443,"other":[1],"rest":{"b":1,"a":2}}"#),
            Some("{}"),
            Some("null"),
            None,
        ],
        &row(),
        false,
    );
    let expected = [
        r#"{port: 8443, proto: tls, rest: {"b":1,"a":2}}"#,
        "{port: , proto: , rest: }",
        "NULL",
        "NULL",
    ];
    assert_eq!(made.unwrap(), expected);
}

#[test]
fn an_array_becomes_a_row_by_position() {
    let made = cast(&[Some(r#"[9, "z", null]"#)], &row(), false);
    assert_eq!(made.unwrap(), ["{port: 9, proto: z, rest: null}"]);
}

#[test]
fn what_does_not_fit_a_row_is_refused() {
    for text in ["[1]", "[1,\"a\",2,3]", "1", "\"x\"", r#"{"port":1,"Port":2}"#] {
        let error = cast(&[Some(text)], &row(), false).unwrap_err();
        assert!(error.contains("cannot cast JSON"), "{error}");
        assert_eq!(cast(&[Some(text), Some("{}")], &row(), true).unwrap().first().unwrap(), "NULL");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in ["", "a", "[1", "1 2", "{\"a\"}"] {
        let error = cast(&[Some(text)], &DataType::Int64, false).unwrap_err();
        assert!(error.contains("it is no JSON"), "{error}");
        assert_eq!(cast(&[Some(text)], &DataType::Int64, true).unwrap(), ["NULL"]);
    }
}

#[test]
fn decimals_are_rounded_half_away_from_zero() {
    let cases = [
        ("0.5", 1, 0, Some("1")),
        ("0.49", 1, 0, Some("0")),
        ("5e-1", 1, 0, Some("1")),
        ("5e-2", 1, 0, Some("0")),
        ("9.5", 1, 0, None),
        ("1e400", 38, 0, None),
        ("1e-400", 38, 2, Some("0.00")),
        ("0e400", 5, 2, Some("0.00")),
        (
            "12345678901234567890123456789012345678",
            38,
            0,
            Some("12345678901234567890123456789012345678"),
        ),
        ("123456789012345678901234567890123456789", 38, 0, None),
        ("\"+1.5\"", 3, 1, Some("1.5")),
        ("\"1.\"", 3, 1, Some("1.0")),
        ("\".\"", 3, 1, None),
        ("\"1.2.3\"", 3, 1, None),
        ("\"1.23x\"", 3, 1, None),
        ("[1]", 3, 1, None),
    ];
    for (text, precision, scale, expected) in cases {
        let made = cast(&[Some(text)], &DataType::Decimal128(precision, scale), true).unwrap();
        assert_eq!(made, [expected.unwrap_or("NULL")], "{text}");
    }
}

#[test]
fn types_have_their_names() {
    let cases = [
        ("JSON", "json"),
        ("ARRAY<JSON>", "array(json)"),
        ("MAP(varchar, JSON)", "map(varchar, json)"),
        ("MAP(varchar, ARRAY<bigint>)", "map(varchar, array(bigint))"),
        ("TUPLE(Port bigint, tags ARRAY<varchar>)", "row(port bigint, tags array(varchar))"),
        ("ARRAY<decimal(10,2)>", "array(decimal(10,2))"),
        ("ARRAY<timestamp>", "array(timestamp(3))"),
        ("ARRAY<timestamp(6) with time zone>", "array(timestamp(6) with time zone)"),
        ("VARBINARY", "varbinary"),
    ];
    for (sql, expected) in cases {
        let parsed = Parser::new(&GenericDialect).try_with_sql(sql).unwrap().parse_data_type();
        let field = TypeNames.plan_type_field(&parsed.unwrap()).unwrap().unwrap();
        assert_eq!(type_name(field.data_type()), expected);
        assert!(field.is_nullable());
    }
}

#[test]
fn types_that_are_none_are_refused() {
    for sql in ["ARRAY<decimal(39,2)>", "ARRAY<nonsense>", "MAP(varchar, timestamp(12))"] {
        let parsed = Parser::new(&GenericDialect).try_with_sql(sql).unwrap().parse_data_type();
        assert!(TypeNames.plan_type_field(&parsed.unwrap()).is_err(), "{sql}");
    }
}
