//! `$unnest`: the arrays and maps of one UNNEST as one list of rows.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanBufferBuilder, Int64Array, ListArray, StructArray,
        UInt32Array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::take,
    datatypes::{DataType, Field, FieldRef, Fields},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::{DataFusionError, Result},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
    },
    scalar::ScalarValue,
};

/// The name of the call in the syntax tree.
pub(in crate::engine) const NAME: &str = "$unnest";

/// `$unnest(names, with_ordinality, array or map, …)`: a list of rows with the fields `c0`, `c1`, …:
/// the elements of each array, the keys and values of each map, side by side, NULL where one is
/// shorter; the members of rows apart where there are `names` for each of them; at last the place,
/// from 1. NULL where there is no row at all.
pub(in crate::engine) fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(Rows { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rows {
    signature: Signature,
}

/// What an argument's elements give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A column of the elements.
    Element,
    /// A column for each of so many members.
    Members(usize),
}

fn members(of: &DataType) -> Result<Part> {
    match of {
        DataType::List(item) => Ok(match item.data_type() {
            DataType::Struct(fields) => Part::Members(fields.len()),
            _ => Part::Element,
        }),
        DataType::Map(..) => Ok(Part::Members(2)),
        other => plan_err!("UNNEST takes arrays and maps, not {}", super::type_name(other)),
    }
}

/// How the arguments are spread so that they give `names` columns; with 0 names, rows stay whole.
fn spread(types: &[DataType], names: usize, ordinality: bool) -> Result<Vec<Part>> {
    let parts = types.iter().map(members).collect::<Result<Vec<_>>>()?;
    let width = |part: &Part| match part {
        Part::Element => 1,
        Part::Members(n) => *n,
    };
    let apart: usize = parts.iter().map(width).sum::<usize>() + usize::from(ordinality);
    let whole: Vec<Part> = types
        .iter()
        .zip(&parts)
        .map(|(of, part)| if matches!(of, DataType::Map(..)) { *part } else { Part::Element })
        .collect();
    let together = whole.iter().map(width).sum::<usize>() + usize::from(ordinality);
    match names {
        names if names == apart => Ok(parts),
        names if names == 0 || names == together => Ok(whole),
        _ => plan_err!("UNNEST gives {apart} columns, but {names} are named"),
    }
}

/// The columns of one argument: their types.
fn columns(of: &DataType, part: Part) -> Vec<DataType> {
    let fields = |of: &DataType| match of {
        DataType::Struct(fields) => fields.iter().map(|f| f.data_type().clone()).collect(),
        other => vec![other.clone()],
    };
    match (of, part) {
        (DataType::List(item), Part::Element) => vec![item.data_type().clone()],
        (DataType::List(item), Part::Members(_)) => fields(item.data_type()),
        (DataType::Map(entries, _), _) => fields(entries.data_type()),
        _ => Vec::new(),
    }
}

fn row_fields(types: &[DataType], parts: &[Part], ordinality: bool) -> Fields {
    let all = types.iter().zip(parts).flat_map(|(of, part)| columns(of, *part));
    let all = all.chain(ordinality.then_some(DataType::Int64));
    all.enumerate().map(|(at, of)| Field::new(format!("c{at}"), of, true)).collect()
}

fn settings(
    names: Option<&ScalarValue>,
    ordinality: Option<&ScalarValue>,
) -> Result<(usize, bool)> {
    if let (Some(ScalarValue::Int64(Some(names))), Some(ScalarValue::Boolean(Some(ordinality)))) =
        (names, ordinality)
    {
        Ok((usize::try_from(*names).unwrap_or(0), *ordinality))
    } else {
        plan_err!("{NAME} is not called by name: write UNNEST")
    }
}

impl ScalarUDFImpl for Rows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let list = |item: &FieldRef| DataType::List(Arc::clone(item));
        let coerced = types.iter().enumerate().map(|(at, of)| match of {
            _ if at < 2 => of.clone(),
            DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => list(item),
            DataType::Null => list(&Arc::new(Field::new_list_field(DataType::Null, true))),
            other => other.clone(),
        });
        Ok(coerced.collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("{NAME} asks for its arguments")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let value = |at: usize| args.scalar_arguments.get(at).copied().flatten();
        let (names, ordinality) = settings(value(0), value(1))?;
        let types: Vec<DataType> =
            args.arg_fields.iter().skip(2).map(|field| field.data_type().clone()).collect();
        let parts = spread(&types, names, ordinality)?;
        let row = DataType::Struct(row_fields(&types, &parts, ordinality));
        let list = DataType::List(Arc::new(Field::new_list_field(row, true)));
        Ok(Arc::new(Field::new(NAME, list, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = |at: usize| match args.args.get(at) {
            Some(ColumnarValue::Scalar(value)) => Some(value),
            _ => None,
        };
        let (names, ordinality) = settings(value(0), value(1))?;
        let arrays = args
            .args
            .iter()
            .skip(2)
            .map(|value| value.to_array(args.number_rows))
            .collect::<Result<Vec<_>>>()?;
        let types: Vec<DataType> = arrays.iter().map(|array| array.data_type().clone()).collect();
        let parts = spread(&types, names, ordinality)?;
        let fields = row_fields(&types, &parts, ordinality);
        Ok(ColumnarValue::Array(zip(&arrays, &parts, &fields, ordinality, args.number_rows)?))
    }
}

/// Where the elements of one argument lie.
struct Elements {
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
    values: Vec<ArrayRef>,
    /// Of the rows whose members are spread: those that are there.
    rows: Option<NullBuffer>,
}

impl Elements {
    fn of(array: &ArrayRef, part: Part) -> Result<Self> {
        let nulls = array.nulls().cloned();
        let spread = |values: &ArrayRef| match values.as_struct_opt() {
            Some(rows) => (rows.columns().to_vec(), rows.nulls().cloned()),
            None => (vec![Arc::clone(values)], None),
        };
        if let Some(list) = array.as_list_opt::<i32>() {
            let (values, rows) = match part {
                Part::Element => (vec![Arc::clone(list.values())], None),
                Part::Members(_) => spread(list.values()),
            };
            Ok(Self { offsets: list.offsets().clone(), nulls, values, rows })
        } else if let Some(map) = array.as_map_opt() {
            let values = map.entries().columns().to_vec();
            Ok(Self { offsets: map.offsets().clone(), nulls, values, rows: None })
        } else {
            exec_err!("UNNEST takes arrays and maps")
        }
    }

    /// The elements of `row`: the first, and how many.
    fn range(&self, row: usize) -> (usize, usize) {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return (0, 0);
        }
        let at = |place: usize| {
            self.offsets.get(place).map_or(0, |at| usize::try_from(*at).unwrap_or(0))
        };
        (at(row), at(row + 1).saturating_sub(at(row)))
    }
}

fn zip(
    arrays: &[ArrayRef],
    parts: &[Part],
    fields: &Fields,
    ordinality: bool,
    n_rows: usize,
) -> Result<ArrayRef> {
    let elements = arrays
        .iter()
        .zip(parts)
        .map(|(array, part)| Elements::of(array, *part))
        .collect::<Result<Vec<_>>>()?;
    let mut lengths = Vec::with_capacity(n_rows);
    let mut valid = BooleanBufferBuilder::new(n_rows);
    let mut places: Vec<Vec<Option<u32>>> = vec![Vec::new(); elements.len()];
    let mut ordinals = Vec::new();
    for row in 0..n_rows {
        let length = elements.iter().map(|of| of.range(row).1).max().unwrap_or(0);
        for (of, places) in elements.iter().zip(&mut places) {
            let (first, n) = of.range(row);
            for at in 0..length {
                let place = u32::try_from(first + at).ok().filter(|_| at < n);
                let is_row =
                    |at: &u32| of.rows.as_ref().is_none_or(|rows| rows.is_valid(*at as usize));
                places.push(place.filter(is_row));
            }
        }
        if ordinality {
            ordinals.extend((1..=length).map(|place| i64::try_from(place).unwrap_or(i64::MAX)));
        }
        lengths.push(length);
        valid.append(length > 0);
    }
    let total: usize = lengths.iter().sum();
    if i32::try_from(total).is_err() {
        return Err(DataFusionError::Execution(format!(
            "UNNEST gives {total} rows for one batch: that is too many"
        )));
    }
    let mut columns = Vec::with_capacity(fields.len());
    for (of, places) in elements.into_iter().zip(places) {
        let places = UInt32Array::from(places);
        for values in &of.values {
            columns.push(take(values, &places, None)?);
        }
    }
    if ordinality {
        columns.push(Arc::new(Int64Array::from(ordinals)));
    }
    let rows = StructArray::try_new_with_length(fields.clone(), columns, None, total)?;
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields.clone()), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = NullBuffer::new(valid.finish());
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(rows), Some(nulls))?))
}
