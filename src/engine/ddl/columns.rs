//! The columns of a declared table, as the `SerDe` would fill them from the record.
//!
//! A column is found by its name. Where its type is the stored one, or a part of it, it is read as
//! it is; else the record is rebuilt and its member read as JSON: an object becomes the text of
//! itself, a row by its members' names in any case, or a map. What is of another kind is NULL, and
//! so is a column that no record has.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array,
        Int32Array, Int64Array, ListArray, MapArray, StringArray, StructArray, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::cast,
    datatypes::{DataType, Field, Fields},
};
use datafusion::{
    common::{exec_err, utils::take_function_args},
    error::Result,
    functions::core::expr_fn::get_field,
    logical_expr::{
        ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        expr::ScalarFunction,
    },
};

use super::{declaration::Declared, hive_type::HiveType};
use crate::{
    engine::{
        computed::{event_json, row_of},
        functions::json::unescaped,
        tables::stored_column,
    },
    logs::cloudtrail::{
        scan,
        schema::{self, Group, Type},
    },
};

/// The field of the record that a column is about, by the column that holds it.
fn field(name: &str) -> Option<&'static schema::Column> {
    let is_field = |c: &&schema::Column| matches!(c.group, Group::Athena | Group::Field);
    schema::columns().iter().filter(is_field).find(|column| column.name == name)
}

/// Whether CloudTrail's records have a field of the column's name.
pub(super) fn is_known(column: &Declared) -> bool {
    field(&column.name).is_some()
}

/// The expression behind a declared column, over the stored ones.
pub(super) fn expression(column: &Declared) -> Expr {
    let stored = field(&column.name);
    if let Some(stored) = stored {
        if let Some(direct) = part_of(stored_column(stored.name), &stored.ty, &column.ty) {
            return direct;
        }
        if stored.ty == Type::Json {
            return from_json(None, &column.ty, stored_column(stored.name));
        }
    }
    let record = event_json(schema::columns().iter().map(|c| stored_column(c.name)).collect());
    from_json(Some(&column.name), &column.ty, record)
}

/// `expr` of the stored type `from` as `to`, where nothing has to be converted.
fn part_of(expr: Expr, from: &Type, to: &HiveType) -> Option<Expr> {
    if from.arrow() == to.arrow() {
        return Some(expr);
    }
    let (Type::Struct(members), HiveType::Struct(wanted)) = (from, to) else { return None };
    let mut parts = Vec::new();
    for (name, ty) in wanted {
        let (stored, of) = members.iter().find(|(member, _)| member == name)?;
        parts.push((name.as_str(), part_of(get_field(expr.clone(), *stored), of, ty)?));
    }
    Some(row_of(parts))
}

fn from_json(member: Option<&str>, ty: &HiveType, text: Expr) -> Expr {
    let function = FromJson {
        member: member.map(str::to_owned),
        ty: ty.clone(),
        signature: Signature::any(1, Volatility::Immutable),
    };
    let function = Arc::new(ScalarUDF::new_from_impl(function));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![text]))
}

/// Reads JSON as a `SerDe` does.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FromJson {
    /// The member of the object that is read, in lower case; else all of it.
    member: Option<String>,
    ty: HiveType,
    signature: Signature,
}

impl ScalarUDFImpl for FromJson {
    fn name(&self) -> &'static str {
        "from_json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.ty.arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [texts] = take_function_args(self.name(), args.args)?;
        let texts = cast(&texts.into_array(rows)?, &DataType::Utf8View)?;
        let value = |text: &'_ str| -> Option<std::ops::Range<usize>> {
            let Some(member) = &self.member else { return Some(0..text.len()) };
            let named = |entry: &scan::Entry| {
                let key = text.get(entry.key.clone()).map(unescaped);
                key.is_some_and(|key| key.to_lowercase() == *member)
            };
            scan::entries(text, 0).find(named).map(|entry| entry.value)
        };
        let texts = texts.as_string_view();
        let values: Vec<Option<&str>> =
            texts.iter().map(|text| text.and_then(|text| text.get(value(text)?))).collect();
        Ok(ColumnarValue::Array(build(&values, &self.ty)?))
    }
}

/// The column of `values`, each of which is whole JSON.
fn build(values: &[Option<&str>], ty: &HiveType) -> Result<ArrayRef> {
    let each = || values.iter().map(|value| value.map(str::trim).filter(|raw| *raw != "null"));
    Ok(match ty {
        HiveType::String => {
            let texts: Vec<Option<Cow<'_, str>>> = each().map(|raw| raw.map(text)).collect();
            if texts.iter().flatten().map(|text| text.len()).sum::<usize>() > i32::MAX as usize {
                return exec_err!("more than 2 GiB of text in one batch of rows");
            }
            Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>())
        }
        HiveType::Boolean => {
            let boolean = |raw: &str| match text(raw).to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            Arc::new(each().map(|raw| raw.and_then(boolean)).collect::<BooleanArray>())
        }
        HiveType::TinyInt => Arc::new(whole::<i8>(each()).collect::<Int8Array>()),
        HiveType::SmallInt => Arc::new(whole::<i16>(each()).collect::<Int16Array>()),
        HiveType::Int => Arc::new(whole::<i32>(each()).collect::<Int32Array>()),
        HiveType::BigInt => Arc::new(whole::<i64>(each()).collect::<Int64Array>()),
        HiveType::Float => Arc::new(number::<f32>(each()).collect::<Float32Array>()),
        HiveType::Double => Arc::new(number::<f64>(each()).collect::<Float64Array>()),
        // Declarations of such columns are refused.
        HiveType::Date => new_null_array(&DataType::Date32, values.len()),
        HiveType::Array(item) => list(each(), item)?,
        HiveType::Map(value) => map(each(), value)?,
        HiveType::Struct(members) => row(each(), members)?,
    })
}

/// A string's content; anything else as it is written.
fn text(raw: &str) -> Cow<'_, str> {
    scan::inside(raw).map_or(Cow::Borrowed(raw), unescaped)
}

fn whole<'a, T: TryFrom<i64>>(
    values: impl Iterator<Item = Option<&'a str>>,
) -> impl Iterator<Item = Option<T>> {
    values.map(|raw| {
        let text = text(raw?);
        // AWS writes some counts as `1371.0`.
        let text = text.trim().trim_end_matches('0').strip_suffix('.').unwrap_or(text.trim());
        T::try_from(text.parse::<i64>().ok()?).ok()
    })
}

fn number<'a, T: std::str::FromStr>(
    values: impl Iterator<Item = Option<&'a str>>,
) -> impl Iterator<Item = Option<T>> {
    values.map(|raw| text(raw?).trim().parse().ok())
}

fn offsets(lengths: &[usize]) -> Result<OffsetBuffer<i32>> {
    if i32::try_from(lengths.iter().sum::<usize>()).is_err() {
        return exec_err!("more than 2³¹ elements in one batch of rows");
    }
    Ok(OffsetBuffer::from_lengths(lengths.iter().copied()))
}

fn list<'a>(values: impl Iterator<Item = Option<&'a str>>, item: &HiveType) -> Result<ArrayRef> {
    let (mut items, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let value = value.filter(|raw| raw.starts_with('['));
        let before = items.len();
        if let Some(raw) = value {
            items.extend(scan::elements(raw, 0).map(|range| raw.get(range)));
        }
        valid.push(value.is_some());
        lengths.push(items.len() - before);
    }
    let items = build(&items, item)?;
    let field = Arc::new(Field::new("element", items.data_type().clone(), true));
    let nulls = Some(NullBuffer::from(valid));
    Ok(Arc::new(ListArray::try_new(field, offsets(&lengths)?, items, nulls)?))
}

fn map<'a>(values: impl Iterator<Item = Option<&'a str>>, of: &HiveType) -> Result<ArrayRef> {
    let (mut keys, mut items) = (Vec::new(), Vec::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for object in values {
        let object = object.filter(|raw| raw.starts_with('{'));
        let start = keys.len();
        let mut places = HashMap::new();
        for (raw, entry) in
            object.into_iter().flat_map(|raw| scan::entries(raw, 0).map(move |entry| (raw, entry)))
        {
            let key = raw.get(entry.key).map(unescaped).unwrap_or_default().into_owned();
            let value = raw.get(entry.value);
            // Of a key that occurs twice the last is meant.
            let earlier = places.get(&key).and_then(|at: &usize| items.get_mut(*at));
            if let Some(earlier) = earlier {
                *earlier = value;
            } else {
                places.insert(key.clone(), items.len());
                keys.push(key);
                items.push(value);
            }
        }
        valid.push(object.is_some());
        lengths.push(keys.len() - start);
    }
    let keys: ArrayRef =
        Arc::new(keys.iter().map(|key| Some(key.as_str())).collect::<StringArray>());
    let items = build(&items, of)?;
    let pair = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", items.data_type().clone(), true),
    ]);
    let entries = StructArray::try_new(pair.clone(), vec![keys, items], None)?;
    let field = Arc::new(Field::new("key_value", DataType::Struct(pair), false));
    let nulls = Some(NullBuffer::from(valid));
    Ok(Arc::new(MapArray::try_new(field, offsets(&lengths)?, entries, nulls, false)?))
}

fn row<'a>(
    values: impl Iterator<Item = Option<&'a str>>,
    members: &[(String, HiveType)],
) -> Result<ArrayRef> {
    let places: HashMap<&str, usize> =
        members.iter().enumerate().map(|(n, (name, _))| (name.as_str(), n)).collect();
    let mut columns: Vec<Vec<Option<&str>>> = vec![Vec::new(); members.len()];
    let mut valid = Vec::new();
    for value in values {
        let value = value.filter(|raw| raw.starts_with('{'));
        valid.push(value.is_some());
        for column in &mut columns {
            column.push(None);
        }
        let Some(raw) = value else { continue };
        for entry in scan::entries(raw, 0) {
            let name = raw.get(entry.key).map(unescaped).unwrap_or_default().to_lowercase();
            let column = places.get(name.as_str()).and_then(|at| columns.get_mut(*at));
            if let Some(last) = column.and_then(|column| column.last_mut()) {
                *last = raw.get(entry.value);
            }
        }
    }
    let arrays = columns.iter().zip(members).map(|(column, (_, ty))| build(column, ty));
    let arrays: Vec<ArrayRef> = arrays.collect::<Result<_>>()?;
    let fields: Fields = members
        .iter()
        .zip(&arrays)
        .map(|((name, _), array)| Field::new(name, array.data_type().clone(), true))
        .collect();
    let (length, nulls) = (valid.len(), Some(NullBuffer::from(valid)));
    Ok(Arc::new(StructArray::try_new_with_length(fields, arrays, nulls, length)?))
}

#[cfg(test)]
mod tests {
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;

    fn read(json: &str, ty: &HiveType) -> String {
        let array = build(&[Some(json)], ty).unwrap();
        let options = FormatOptions::default().with_null("NULL");
        ArrayFormatter::try_new(&array, &options).unwrap().value(0).to_string()
    }

    #[test]
    fn json_becomes_what_a_column_declares() {
        use HiveType::{BigInt, Boolean, Double, Int, String, TinyInt};
        let list = HiveType::Array(Box::new(String));
        let map = HiveType::Map(Box::new(String));
        let row = HiveType::Struct(vec![("a".to_owned(), String), ("b".to_owned(), Int)]);
        for (json, ty, expected) in [
            ("\"x\\u0041\"", &String, "xA"),
            ("{\"a\":1}", &String, "{\"a\":1}"),
            ("1.50", &String, "1.50"),
            ("null", &String, "NULL"),
            ("true", &Boolean, "true"),
            ("\"FALSE\"", &Boolean, "false"),
            ("\"perhaps\"", &Boolean, "NULL"),
            ("1371.0", &BigInt, "1371"),
            ("100", &BigInt, "100"),
            ("\"12\"", &Int, "12"),
            ("1.5", &Int, "NULL"),
            ("128", &TinyInt, "NULL"),
            ("1e3", &Double, "1000.0"),
            ("[\"a\",null,2]", &list, "[a, NULL, 2]"),
            ("{\"a\":1}", &list, "NULL"),
            ("{\"k\":\"v\",\"K\":{\"x\":[1]}}", &map, "{k: v, K: {\"x\":[1]}}"),
            ("{\"k\":1,\"k\":2}", &map, "{k: 2}"),
            ("{\"A\":\"x\",\"b\":7,\"c\":0}", &row, "{a: x, b: 7}"),
            ("\"text\"", &row, "NULL"),
            ("{}", &row, "{a: NULL, b: NULL}"),
        ] {
            assert_eq!(read(json, ty), expected, "{json} as {ty:?}");
        }
    }
}
