//! What the functions over arrays and maps share: the elements of a batch laid out flat, keys that
//! compare elements of any type, and arrays put together from elements of others.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Float32Array, Float64Array, ListArray, MapArray, StructArray,
        UInt32Array, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    compute::{cast, take},
    datatypes::{DataType, Field, FieldRef, Fields, Float32Type, Float64Type},
    row::{RowConverter, Rows, SortField},
};
use datafusion::{
    common::{exec_datafusion_err, internal_err, plan_err},
    error::Result,
    logical_expr::{
        ReturnFieldArgs, ScalarFunctionArgs, binary::binary_numeric_coercion, type_coercion,
    },
};

/// An error that tells the types a function was called with.
pub(super) fn refuse<T>(wants: &str, types: &[DataType]) -> Result<T> {
    let types: Vec<String> = types.iter().map(crate::engine::type_name).collect();
    plan_err!("takes {wants}, not ({})", types.join(", "))
}

/// The type `data_type` is read as where an array is wanted; nothing where it is none.
pub(super) fn as_list(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::List(_) => Some(data_type.clone()),
        DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(DataType::List(Arc::clone(field))),
        DataType::Null => Some(list_of(DataType::Null)),
        _ => None,
    }
}

/// The type of an array of `element`.
pub(super) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// The type of the elements of an array.
pub(super) fn element(list: &DataType) -> Result<&DataType> {
    match list {
        DataType::List(field) => Ok(field.data_type()),
        other => internal_err!("an array was expected, not {other}"),
    }
}

/// The type of a map.
pub(super) fn map_of(key: DataType, value: DataType) -> DataType {
    DataType::Map(Arc::new(entries_field(key, value)), false)
}

fn entries_field(key: DataType, value: DataType) -> Field {
    let pair = vec![Field::new("key", key, false), Field::new("value", value, true)];
    Field::new("entries", DataType::Struct(Fields::from(pair)), false)
}

/// The types of the keys and of the values of a map.
pub(super) fn key_value(map: &DataType) -> Result<(&DataType, &DataType)> {
    if let DataType::Map(entries, _) = map
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = &fields[..]
    {
        return Ok((key.data_type(), value.data_type()));
    }
    internal_err!("a map was expected, not {map}")
}

/// The type that values of both types can be compared as; nothing where Trino would not compare
/// them.
pub(super) fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    let text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::Utf8View);
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        _ if text(left) && text(right) => Some(DataType::Utf8),
        _ if left.is_numeric() && right.is_numeric() => binary_numeric_coercion(left, right),
        (
            DataType::Date32 | DataType::Timestamp(..),
            DataType::Date32 | DataType::Timestamp(..),
        ) => type_coercion::binary::comparison_coercion(left, right),
        (DataType::List(left), DataType::List(right)) => {
            common(left.data_type(), right.data_type()).map(list_of)
        }
        (DataType::Map(..), DataType::Map(..)) => {
            let ((left_key, left_value), (right_key, right_value)) =
                (key_value(left).ok()?, key_value(right).ok()?);
            Some(map_of(common(left_key, right_key)?, common(left_value, right_value)?))
        }
        (DataType::Struct(left), DataType::Struct(right)) if left.len() == right.len() => {
            let fields: Option<Vec<Field>> = left
                .iter()
                .zip(right)
                .map(|(left, right)| {
                    let data_type = common(left.data_type(), right.data_type())?;
                    Some(Field::new(left.name(), data_type, true))
                })
                .collect();
            Some(DataType::Struct(fields?.into()))
        }
        _ => None,
    }
}

/// As [`common`], with an error that tells the types.
pub(super) fn common_or_refuse(left: &DataType, right: &DataType) -> Result<DataType> {
    match common(left, right) {
        Some(data_type) => Ok(data_type),
        None => refuse("values of one type", &[left.clone(), right.clone()]),
    }
}

/// The type of argument `index`.
pub(super) fn argument<'a>(args: &'a ReturnFieldArgs<'_>, index: usize) -> Result<&'a DataType> {
    if let Some(field) = args.arg_fields.get(index) {
        Ok(field.data_type())
    } else {
        plan_err!("argument {} is missing", index + 1)
    }
}

/// The values of argument `index`, one for each row.
pub(super) fn column(args: &ScalarFunctionArgs, index: usize) -> Result<ArrayRef> {
    if let Some(value) = args.args.get(index) {
        value.to_array(args.number_rows)
    } else {
        internal_err!("argument {index} is missing")
    }
}

/// The arrays of argument `index`.
pub(super) fn lists(args: &ScalarFunctionArgs, index: usize) -> Result<Lists> {
    Lists::of(&column(args, index)?)
}

/// The elements of the arrays (or the entries of the maps) of a batch, back to back.
pub(super) struct Lists {
    /// The elements of all rows, without those that lie under a NULL.
    pub(super) values: ArrayRef,
    offsets: Vec<usize>,
    pub(super) nulls: Option<NullBuffer>,
}

impl Lists {
    /// The elements of `array`, a column of arrays or maps.
    pub(super) fn of(array: &ArrayRef) -> Result<Self> {
        let (values, offsets): (ArrayRef, &OffsetBuffer<i32>) =
            if let Some(list) = array.as_list_opt::<i32>() {
                (Arc::clone(list.values()), list.offsets())
            } else if let Some(map) = array.as_map_opt() {
                (Arc::new(map.entries().clone()), map.offsets())
            } else {
                return internal_err!("an array or a map was expected, not {}", array.data_type());
            };
        let bounds: Vec<usize> =
            offsets.iter().map(|offset| usize::try_from(*offset).unwrap_or_default()).collect();
        let first = bounds.first().copied().unwrap_or_default();
        let last = bounds.last().copied().unwrap_or_default();
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let hidden = nulls.as_ref().is_some_and(|nulls| {
            bounds.windows(2).enumerate().any(|(row, pair)| nulls.is_null(row) && !empty(pair))
        });
        if !hidden {
            let values = values.slice(first, last - first);
            let offsets = bounds.iter().map(|bound| bound - first).collect();
            return Ok(Self { values, offsets, nulls });
        }
        let mut picked = Vec::with_capacity(last - first);
        let mut offsets = Vec::with_capacity(bounds.len());
        offsets.push(0);
        for (row, pair) in bounds.windows(2).enumerate() {
            if let [start, end] = pair
                && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
            {
                picked.extend((*start..*end).map(index));
            }
            offsets.push(picked.len());
        }
        let values = take(&values, &UInt32Array::from(picked), None)?;
        Ok(Self { values, offsets, nulls })
    }

    /// The same with the elements as `data_type`.
    pub(super) fn cast(mut self, data_type: &DataType) -> Result<Self> {
        self.values = cast_to(&self.values, data_type)?;
        Ok(self)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Where the elements of `row` are; nothing where it is NULL.
    pub(super) fn row(&self, row: usize) -> Option<Range<usize>> {
        let valid = self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        valid.then(|| self.span(row))
    }

    /// Where the elements of `row` are; nowhere where it is NULL.
    pub(super) fn span(&self, row: usize) -> Range<usize> {
        let bound = |at: usize| self.offsets.get(at).copied().unwrap_or_default();
        bound(row)..bound(row + 1)
    }

    /// The rows, each with where its elements are.
    pub(super) fn rows(&self) -> impl Iterator<Item = Option<Range<usize>>> + '_ {
        (0..self.len()).map(|row| self.row(row))
    }

    /// The row of each element.
    pub(super) fn row_of_each(&self) -> UInt32Array {
        let mut rows = Vec::with_capacity(self.values.len());
        for row in 0..self.len() {
            rows.extend(std::iter::repeat_n(index(row), self.span(row).len()));
        }
        UInt32Array::from(rows)
    }

    /// The keys and the values of maps.
    pub(super) fn pairs(&self) -> Result<(ArrayRef, ArrayRef)> {
        if let Some(entries) = self.values.as_struct_opt()
            && let [keys, values] = entries.columns()
        {
            return Ok((Arc::clone(keys), Arc::clone(values)));
        }
        internal_err!("maps were expected, not {}", self.values.data_type())
    }

    /// Arrays of the same lengths with other elements.
    pub(super) fn list_of(&self, values: ArrayRef) -> Result<ArrayRef> {
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        Ok(Arc::new(ListArray::try_new(field, self.offsets()?, values, self.nulls.clone())?))
    }

    /// Maps of the same lengths with other entries.
    pub(super) fn map_of(&self, keys: ArrayRef, values: ArrayRef) -> Result<ArrayRef> {
        map_array(keys, values, self.offsets()?, self.nulls.clone())
    }

    fn offsets(&self) -> Result<OffsetBuffer<i32>> {
        offset_buffer(self.offsets.iter().copied())
    }
}

fn empty(pair: &[usize]) -> bool {
    matches!(pair, [start, end] if start == end)
}

/// Maps of these entries.
pub(super) fn map_array(
    keys: ArrayRef,
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let entries = entries_field(keys.data_type().clone(), values.data_type().clone());
    let DataType::Struct(fields) = entries.data_type() else {
        return internal_err!("the entries of a map are rows");
    };
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(Arc::new(entries), offsets, pairs, nulls, false)?))
}

/// Offsets as Arrow has them; an error where there are too many elements for one batch.
pub(super) fn offset_buffer(
    offsets: impl ExactSizeIterator<Item = usize>,
) -> Result<OffsetBuffer<i32>> {
    let mut all = Vec::with_capacity(offsets.len());
    for offset in offsets {
        let offset = i32::try_from(offset).map_err(|error| {
            exec_datafusion_err!("the arrays of a batch have too many elements: {error}")
        })?;
        all.push(offset);
    }
    Ok(OffsetBuffer::new(all.into()))
}

/// `position` as Arrow's kernels take it. A batch has fewer than 2³² elements: offsets are `i32`.
pub(super) fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// `array` as `data_type`; the same array where it is that already.
pub(super) fn cast_to(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    Ok(cast(array, data_type)?)
}

/// Values of any type in a form whose bytes compare as the values do, NULL last and equal to NULL.
pub(super) struct Keys {
    rows: Rows,
}

impl Keys {
    /// The keys of `values`.
    pub(super) fn of(values: &ArrayRef) -> Result<Self> {
        let values = canonical(values);
        let converter = converter(values.data_type())?;
        Ok(Self { rows: converter.convert_columns(&[values])? })
    }

    /// The key at `index`.
    pub(super) fn get(&self, index: usize) -> &[u8] {
        self.rows.row(index).data()
    }
}

/// What makes keys of values of `data_type`.
pub(super) fn converter(data_type: &DataType) -> Result<RowConverter> {
    let options = arrow::compute::SortOptions { descending: false, nulls_first: false };
    Ok(RowConverter::new(vec![SortField::new_with_options(data_type.clone(), options)])?)
}

/// `values` with one zero and one NaN, as equal numbers have to have equal keys.
pub(super) fn canonical(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            let one = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            let values: Float64Array = values.as_primitive::<Float64Type>().unary(one);
            Arc::new(values)
        }
        DataType::Float32 => {
            let one = |value: f32| if value.is_nan() { f32::NAN } else { value + 0.0 };
            let values: Float32Array = values.as_primitive::<Float32Type>().unary(one);
            Arc::new(values)
        }
        _ => Arc::clone(values),
    }
}

/// Arrays put together from elements of one array of values.
pub(super) struct Picks {
    picked: Vec<Option<u32>>,
    offsets: Vec<usize>,
    valid: Vec<bool>,
}

impl Picks {
    /// Room for `rows` arrays.
    pub(super) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { picked: Vec::new(), offsets, valid: Vec::with_capacity(rows) }
    }

    /// Adds the element at `position` to the array at hand.
    pub(super) fn push(&mut self, position: usize) {
        self.picked.push(Some(index(position)));
    }

    /// Adds the elements at `positions`.
    pub(super) fn extend(&mut self, positions: Range<usize>) {
        self.picked.extend(positions.map(|position| Some(index(position))));
    }

    /// Adds a NULL to the array at hand.
    pub(super) fn push_null(&mut self) {
        self.picked.push(None);
    }

    /// Ends the array at hand.
    pub(super) fn end_row(&mut self) {
        self.offsets.push(self.picked.len());
        self.valid.push(true);
    }

    /// Ends the row: it is NULL.
    pub(super) fn null_row(&mut self) {
        self.offsets.push(self.picked.len());
        self.valid.push(false);
    }

    /// The arrays, with elements of `values`.
    pub(super) fn finish(self, values: &ArrayRef) -> Result<ArrayRef> {
        let data_type = values.data_type();
        let picked = UInt32Array::from(self.picked);
        let values = if picked.null_count() == picked.len() {
            new_null_array(data_type, picked.len())
        } else {
            take(values, &picked, None)?
        };
        let field: FieldRef = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let offsets = offset_buffer(self.offsets.into_iter())?;
        Ok(Arc::new(ListArray::try_new(field, offsets, values, Some(self.valid.into()))?))
    }
}
