//! Hive's types, as AWS writes them in the tables of its documentation.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::cursor::{Cursor, fault};
use crate::engine::rewrite::Fault;

/// How deep types may nest; CloudTrail's own reach five.
const MAX_DEPTH: usize = 32;

/// The type of a declared column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) enum HiveType {
    /// `STRING`.
    String,
    /// `BOOLEAN`.
    Boolean,
    /// `TINYINT`.
    TinyInt,
    /// `SMALLINT`.
    SmallInt,
    /// `INT`, `INTEGER`.
    Int,
    /// `BIGINT`.
    BigInt,
    /// `FLOAT`.
    Float,
    /// `DOUBLE`.
    Double,
    /// `DATE`, of partitions alone.
    Date,
    /// `ARRAY<T>`.
    Array(Box<HiveType>),
    /// `MAP<STRING, T>`.
    Map(Box<HiveType>),
    /// `STRUCT<name: T, …>`, the names in lower case.
    Struct(Vec<(String, HiveType)>),
}

impl HiveType {
    /// The Arrow type, its parts named as those of the stored columns are.
    pub(in crate::engine) fn arrow(&self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Array(item) => {
                DataType::List(Arc::new(Field::new("element", item.arrow(), true)))
            }
            Self::Map(value) => {
                let pair = Fields::from(vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", value.arrow(), true),
                ]);
                let entries = Field::new("key_value", DataType::Struct(pair), false);
                DataType::Map(Arc::new(entries), false)
            }
            Self::Struct(members) => DataType::Struct(
                members.iter().map(|(name, ty)| Field::new(name, ty.arrow(), true)).collect(),
            ),
        }
    }

    /// Reads a type.
    pub(super) fn parse(cursor: &mut Cursor) -> Result<Self, Fault> {
        Self::nested(cursor, 0)
    }

    fn nested(cursor: &mut Cursor, depth: usize) -> Result<Self, Fault> {
        let span = cursor.span();
        if depth > MAX_DEPTH {
            return Err(fault(span, "the type is nested too deep".to_owned(), None));
        }
        let name = cursor.name("a type")?;
        Ok(match name.as_str() {
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "tinyint" => Self::TinyInt,
            "smallint" => Self::SmallInt,
            "int" | "integer" => Self::Int,
            "bigint" => Self::BigInt,
            "float" => Self::Float,
            "double" => Self::Double,
            "date" => Self::Date,
            "array" => {
                cursor.take(&Token::Lt)?;
                let item = Self::nested(cursor, depth + 1)?;
                cursor.take_angle()?;
                Self::Array(Box::new(item))
            }
            "map" => {
                cursor.take(&Token::Lt)?;
                let at = cursor.span();
                if Self::nested(cursor, depth + 1)? != Self::String {
                    let message = "the keys of a MAP are STRING here, as those of JSON are";
                    return Err(fault(at, message.to_owned(), None));
                }
                cursor.take(&Token::Comma)?;
                let value = Self::nested(cursor, depth + 1)?;
                cursor.take_angle()?;
                Self::Map(Box::new(value))
            }
            "struct" => Self::members(cursor, depth)?,
            other => {
                let message = format!("type {} is not supported", other.to_uppercase());
                let help = "types are STRING, BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, \
                            DOUBLE, ARRAY<…>, MAP<STRING, …> and STRUCT<…>; of partitions DATE too";
                return Err(fault(span, message, Some(help)));
            }
        })
    }

    fn members(cursor: &mut Cursor, depth: usize) -> Result<Self, Fault> {
        cursor.take(&Token::Lt)?;
        let mut members: Vec<(String, Self)> = Vec::new();
        loop {
            let span = cursor.span();
            let name = cursor.name("a member's name")?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(fault(span, format!("member `{name}` is declared twice"), None));
            }
            cursor.take(&Token::Colon)?;
            members.push((name, Self::nested(cursor, depth + 1)?));
            if cursor.eats(&["comment"]) {
                cursor.text("a comment in quotes")?;
            }
            if !cursor.eats_token(&Token::Comma) {
                break;
            }
        }
        cursor.take_angle()?;
        Ok(Self::Struct(members))
    }

    /// Whether a date is in it, which no JSON value is.
    pub(super) fn has_date(&self) -> bool {
        match self {
            Self::Date => true,
            Self::Array(item) | Self::Map(item) => item.has_date(),
            Self::Struct(members) => members.iter().any(|(_, ty)| ty.has_date()),
            _ => false,
        }
    }
}
