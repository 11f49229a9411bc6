//! The call that a cast becomes, and what it does with the parts of nested values.
//!
//! Rows are cast by position, whatever their members are called; arrays, maps and rows part by part,
//! so that JSON inside of them is read and not copied.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_empty_array, new_null_array,
    },
    buffer::OffsetBuffer,
    compute::{CastOptions, can_cast_types, cast_with_options, concat},
    datatypes::DataType,
};
use datafusion::{
    common::{ScalarValue, plan_err, utils::take_function_args},
    error::Result,
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility},
};

use super::{JSON, from_json, scalar, to_json};
use crate::engine::types::type_name;

/// Casts to a type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Conversion {
    source: DataType,
    target: DataType,
    /// What cannot be cast is NULL.
    lenient: bool,
    signature: Signature,
}

impl Conversion {
    /// The cast from `source` to `target`; text counts as JSON where that is the source.
    pub(super) fn new(source: DataType, target: DataType, lenient: bool) -> Result<Self> {
        check(&source, &target)?;
        let signature = Signature::any(1, Volatility::Immutable);
        Ok(Self { source, target, lenient, signature })
    }

    fn shown_over(&self, value: &str) -> String {
        let cast = if self.lenient { "TRY_CAST" } else { "CAST" };
        format!("{cast}({value} AS {})", type_name(&self.target))
    }

    /// The column `values`, cast.
    pub(super) fn cast(&self, values: &ArrayRef) -> Result<ArrayRef> {
        if scalar::covers(&self.source, &self.target) {
            return scalar::column(values, &self.target, self.lenient);
        }
        let made = self.strict(values);
        if made.is_ok() || !self.lenient || values.is_empty() {
            return made;
        }
        // Row by row, so that those that can be cast are.
        let null = new_null_array(&self.target, 1);
        let rows: Vec<ArrayRef> = (0..values.len())
            .map(|row| self.strict(&values.slice(row, 1)).unwrap_or_else(|_| Arc::clone(&null)))
            .collect();
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        Ok(concat(&rows)?)
    }

    fn strict(&self, values: &ArrayRef) -> Result<ArrayRef> {
        if self.source == JSON {
            return from_json::column(values, &self.target);
        }
        convert(values, &self.target)
    }
}

impl ScalarUDFImpl for Conversion {
    fn name(&self) -> &'static str {
        "cast"
    }

    // Casts to different types are different columns.
    fn display_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = take_function_args("cast", args)?;
        Ok(self.shown_over(&value.to_string()))
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = take_function_args("cast", args)?;
        Ok(self.shown_over(&value.schema_name().to_string()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args("cast", &args.args)?;
        if let ColumnarValue::Scalar(value) = value {
            let made = self.cast(&value.to_array()?)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&made, 0)?));
        }
        Ok(ColumnarValue::Array(self.cast(&value.to_array(args.number_rows)?)?))
    }
}

/// Whether a cast between these is ours: JSON is in one of them, rows are in both, or a part is a
/// scalar that Arrow casts otherwise.
pub(super) fn is_ours(source: &DataType, target: &DataType) -> bool {
    let json = |part: &DataType| *part == JSON;
    let row = |part: &DataType| matches!(part, DataType::Struct(_));
    // A map's entries are a struct too, and are no row.
    has(source, &json)
        || has(target, &json)
        || (has(source, &row) && has(target, &row))
        || otherwise(source, target)
}

/// Whether a scalar in `source` is cast otherwise by Arrow.
fn otherwise(source: &DataType, target: &DataType) -> bool {
    match (source, target) {
        (DataType::List(from), DataType::List(to))
        | (DataType::Map(from, _), DataType::Map(to, _)) => {
            otherwise(from.data_type(), to.data_type())
        }
        (DataType::Struct(from), DataType::Struct(to)) => {
            from.iter().zip(to).any(|(from, to)| otherwise(from.data_type(), to.data_type()))
        }
        (source, target) => scalar::covers(source, target),
    }
}

/// Whether `data_type` or a part of it is what `is` says.
fn has(data_type: &DataType, is: &dyn Fn(&DataType) -> bool) -> bool {
    is(data_type)
        || match data_type {
            DataType::List(item) => has(item.data_type(), is),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(pair) => pair.iter().any(|part| has(part.data_type(), is)),
                _ => false,
            },
            DataType::Struct(fields) => fields.iter().any(|field| has(field.data_type(), is)),
            _ => false,
        }
}

/// Fails where `source` cannot be cast to `target`.
fn check(source: &DataType, target: &DataType) -> Result<()> {
    match (source, target) {
        (DataType::Null, _) => Ok(()),
        (source, target) if source == target => Ok(()),
        (&JSON, target) => from_json::check(target),
        (source, &JSON) => to_json::check(source),
        (DataType::List(from), DataType::List(to))
        | (DataType::Map(from, _), DataType::Map(to, _)) => check(from.data_type(), to.data_type()),
        (DataType::Struct(from), DataType::Struct(to)) if from.len() == to.len() => {
            from.iter().zip(to).try_for_each(|(from, to)| check(from.data_type(), to.data_type()))
        }
        (from, to) if scalar::covers(from, to) => Ok(()),
        (from, to) if from.is_nested() || to.is_nested() || !can_cast_types(from, to) => {
            plan_err!("cannot cast {} to {}", type_name(from), type_name(to))
        }
        _ => Ok(()),
    }
}

/// `values` as `target`, part by part.
fn convert(values: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if values.data_type() == target {
        return Ok(Arc::clone(values));
    }
    if values.is_empty() {
        return Ok(new_empty_array(target));
    }
    Ok(match (values.data_type(), target) {
        (&JSON, target) => from_json::column(values, target)?,
        (_, &JSON) => to_json::column(values)?,
        (DataType::List(_), DataType::List(item)) => {
            let lists = values.as_list::<i32>();
            let (offsets, range) = from_start(lists.offsets());
            let items = lists.values().slice(range.0, range.1);
            let items = convert(&items, item.data_type())?;
            let nulls = lists.nulls().cloned();
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls)?)
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let maps = values.as_map();
            let (offsets, range) = from_start(maps.offsets());
            let pairs: ArrayRef = Arc::new(maps.entries().slice(range.0, range.1));
            let pairs = convert(&pairs, entries.data_type())?;
            Arc::new(MapArray::try_new(
                Arc::clone(entries),
                offsets,
                pairs.as_struct().clone(),
                maps.nulls().cloned(),
                *sorted,
            )?)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let rows = values.as_struct();
            let columns = rows.columns().iter().zip(fields);
            let columns: Vec<ArrayRef> = columns
                .map(|(column, field)| convert(column, field.data_type()))
                .collect::<Result<_>>()?;
            let nulls = rows.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, rows.len())?)
        }
        (source, target) if scalar::covers(source, target) => {
            scalar::column(values, target, false)?
        }
        (_, target) => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(values, target, &strict)?
        }
    })
}

/// `offsets` counted from the first one's place, and the start and length of what they span.
fn from_start(offsets: &OffsetBuffer<i32>) -> (OffsetBuffer<i32>, (usize, usize)) {
    let first = offsets.first().copied().unwrap_or_default();
    let last = offsets.last().copied().unwrap_or_default();
    let start = usize::try_from(first).unwrap_or_default();
    let end = usize::try_from(last).unwrap_or_default();
    (OffsetBuffer::from_lengths(offsets.lengths()), (start, end.saturating_sub(start)))
}
