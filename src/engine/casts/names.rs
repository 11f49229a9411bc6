//! The names of types in statements.
//!
//! <https://trino.io/docs/current/language/types.html>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::{
    common::{not_impl_err, plan_err},
    error::Result,
    logical_expr::planner::TypePlanner,
    sql::sqlparser::ast::{
        ArrayElemTypeDef, CharacterLength, DataType as Sql, ExactNumberInfo, StructField,
        TimezoneInfo,
    },
};

use super::{JSON, fit};

/// Plans the types that DataFusion does not know: `json`, `ipaddress`, `map(…)`, `row(…)`,
/// `varbinary` and arrays of them; and `decimal` alone, which has no digits behind the point.
#[derive(Debug, Default)]
pub(in crate::engine) struct TypeNames;

impl TypePlanner for TypeNames {
    fn plan_type_field(&self, sql: &Sql) -> Result<Option<FieldRef>> {
        let ours = match sql {
            Sql::JSON
            | Sql::Decimal(ExactNumberInfo::None)
            | Sql::Varbinary(_)
            | Sql::Map(..)
            | Sql::Tuple(_)
            | Sql::Struct(..)
            | Sql::Array(_) => true,
            Sql::Custom(name, arguments) => {
                arguments.is_empty() && name.to_string().eq_ignore_ascii_case("ipaddress")
            }
            _ => false,
        };
        if let Sql::Varchar(Some(CharacterLength::IntegerLength { length, .. })) = sql {
            return Ok(Some(fit::field(*length)));
        }
        // What DataFusion knows by itself it plans by its options.
        Ok(if ours { Some(Arc::new(Field::new("", planned(sql)?, true))) } else { None })
    }
}

/// The type that `sql` names.
fn planned(sql: &Sql) -> Result<DataType> {
    Ok(match sql {
        Sql::JSON => JSON,
        Sql::Boolean | Sql::Bool => DataType::Boolean,
        Sql::TinyInt(None) => DataType::Int8,
        Sql::SmallInt(None) => DataType::Int16,
        Sql::Int(None) | Sql::Integer(None) => DataType::Int32,
        Sql::BigInt(None) => DataType::Int64,
        Sql::Real | Sql::Float(ExactNumberInfo::None) => DataType::Float32,
        Sql::Double(ExactNumberInfo::None) | Sql::DoublePrecision => DataType::Float64,
        Sql::Decimal(info) | Sql::Numeric(info) | Sql::Dec(info) => decimal(info)?,
        Sql::Varchar(None) | Sql::Text | Sql::String(None) => DataType::Utf8,
        Sql::Varbinary(_) => DataType::Binary,
        Sql::Date => DataType::Date32,
        Sql::Timestamp(precision, zone) => timestamp(*precision, *zone)?,
        Sql::Custom(name, arguments) if arguments.is_empty() => {
            if !name.to_string().eq_ignore_ascii_case("ipaddress") {
                return plan_err!("unknown type: {name}");
            }
            DataType::FixedSizeBinary(16)
        }
        Sql::Array(
            ArrayElemTypeDef::AngleBracket(item)
            | ArrayElemTypeDef::Parenthesis(item)
            | ArrayElemTypeDef::SquareBracket(item, None),
        ) => DataType::new_list(planned(item)?, true),
        Sql::Map(key, value) => map(planned(key)?, planned(value)?),
        Sql::Tuple(fields) | Sql::Struct(fields, _) => DataType::Struct(members(fields)?),
        other => return not_impl_err!("the type {other} is not supported here"),
    })
}

fn decimal(info: &ExactNumberInfo) -> Result<DataType> {
    let (precision, scale) = match *info {
        ExactNumberInfo::None => (38, 0),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p @ 1..=38), Ok(s @ 0..)) if scale.unsigned_abs() <= precision => {
            Ok(DataType::Decimal128(p, s))
        }
        _ => plan_err!("decimal({precision}, {scale}): precision is 1 to 38, scale 0 to precision"),
    }
}

fn timestamp(precision: Option<u64>, zone: TimezoneInfo) -> Result<DataType> {
    let unit = match precision {
        Some(0) => TimeUnit::Second,
        None | Some(1..=3) => TimeUnit::Millisecond,
        Some(4..=6) => TimeUnit::Microsecond,
        Some(7..=9) => TimeUnit::Nanosecond,
        Some(other) => return plan_err!("timestamp({other}): precision is 0 to 9 here"),
    };
    let zoned = matches!(zone, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone);
    Ok(DataType::Timestamp(unit, zoned.then(|| "UTC".into())))
}

fn map(key: DataType, value: DataType) -> DataType {
    let pair = vec![Field::new("key", key, false), Field::new("value", value, true)];
    let entries = Field::new("entries", DataType::Struct(pair.into()), false);
    DataType::Map(Arc::new(entries), false)
}

fn members(fields: &[StructField]) -> Result<Fields> {
    let members = fields.iter().enumerate().map(|(n, field)| {
        let name = match &field.field_name {
            Some(name) if name.quote_style.is_none() => name.value.to_lowercase(),
            Some(name) => name.value.clone(),
            None => format!("c{n}"),
        };
        Ok(Field::new(name, planned(&field.field_type)?, true))
    });
    members.collect()
}
