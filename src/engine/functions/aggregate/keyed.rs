//! Aggregates that give a map: `histogram`, `map_agg`, `multimap_agg`, `map_union`.

use std::{collections::HashMap, fmt, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, ListArray, UInt32Array, new_empty_array},
    compute::{concat, take},
    datatypes::{DataType, Field, Int64Type},
    row::{RowConverter, Rows},
};
use datafusion::{
    common::{ScalarValue, internal_err},
    error::Result,
    logical_expr::Accumulator,
};

use super::super::nested::{
    Lists, canonical, converter, index, key_value, list_of, map_array, map_of, offset_buffer,
    refuse,
};

/// What an entry of a hash table takes besides its key, about.
const ENTRY_BYTES: usize = 48;

/// Parts of one array.
#[derive(Debug)]
struct Parts {
    data_type: DataType,
    arrays: Vec<ArrayRef>,
    bytes: usize,
}

impl Parts {
    fn new(data_type: &DataType) -> Self {
        Self { data_type: data_type.clone(), arrays: Vec::new(), bytes: 0 }
    }

    fn add(&mut self, values: &ArrayRef, picked: &UInt32Array) -> Result<()> {
        if !picked.is_empty() {
            let part = take(values, picked, None)?;
            self.bytes += part.get_array_memory_size();
            self.arrays.push(part);
        }
        Ok(())
    }

    fn all(&self) -> Result<ArrayRef> {
        if self.arrays.is_empty() {
            return Ok(new_empty_array(&self.data_type));
        }
        let parts: Vec<&dyn Array> = self.arrays.iter().map(AsRef::as_ref).collect();
        Ok(concat(&parts)?)
    }
}

/// The distinct keys seen, numbered as they came.
struct Seen {
    converter: RowConverter,
    numbers: HashMap<Box<[u8]>, usize>,
    keys: Parts,
    bytes: usize,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.numbers.len())
    }
}

impl Seen {
    fn new(data_type: &DataType) -> Result<Self> {
        let converter = converter(data_type)?;
        Ok(Self { converter, numbers: HashMap::new(), keys: Parts::new(data_type), bytes: 0 })
    }

    fn rows(&self, keys: &ArrayRef) -> Result<Rows> {
        Ok(self.converter.convert_columns(&[canonical(keys)])?)
    }

    /// The number of each of `keys`, nothing for NULL.
    fn number(&mut self, keys: &ArrayRef) -> Result<Vec<Option<usize>>> {
        let rows = self.rows(keys)?;
        let nulls = keys.logical_nulls();
        let mut numbers = Vec::with_capacity(keys.len());
        let mut new = Vec::new();
        for at in 0..keys.len() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(at)) {
                numbers.push(None);
                continue;
            }
            let key = rows.row(at).data();
            let number = if let Some(number) = self.numbers.get(key) {
                *number
            } else {
                let number = self.numbers.len();
                self.bytes += key.len() + ENTRY_BYTES;
                self.numbers.insert(key.into(), number);
                new.push(index(at));
                number
            };
            numbers.push(Some(number));
        }
        self.keys.add(keys, &UInt32Array::from(new))?;
        Ok(numbers)
    }

    fn bytes(&self) -> usize {
        self.bytes + self.keys.bytes
    }
}

/// One map as a value.
fn one_map(keys: ArrayRef, values: ArrayRef) -> Result<ScalarValue> {
    let offsets = offset_buffer([0, keys.len()].into_iter())?;
    ScalarValue::try_from_array(&map_array(keys, values, offsets, None)?, 0)
}

fn entries(maps: &[ArrayRef]) -> Result<(Lists, ArrayRef, ArrayRef)> {
    let Some(maps) = maps.first() else { return internal_err!("a map was expected") };
    let maps = Lists::of(maps)?;
    let (keys, values) = maps.pairs()?;
    Ok((maps, keys, values))
}

/// One argument of any type.
pub(super) fn one(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { Ok(plain(types)) } else { refuse("one value", types) }
}

/// `types` with text in its plain form: maps are subscripted with such keys.
fn plain(types: &[DataType]) -> Vec<DataType> {
    let plain = |data_type: &DataType| match data_type {
        DataType::Utf8View => DataType::Utf8,
        other => other.clone(),
    };
    types.iter().map(plain).collect()
}

/// A map from the argument to a count.
pub(super) fn histogram_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [key] => Ok(map_of(key.clone(), DataType::Int64)),
        _ => refuse("one value", types),
    }
}

/// The state of `histogram`: the map so far.
pub(super) fn histogram_state(types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(vec![histogram_type(types)?])
}

/// `histogram(x)`.
pub(super) fn histogram(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    let result = histogram_type(types)?;
    let seen = Seen::new(key_value(&result)?.0)?;
    Ok(Box::new(Histogram { result, seen, counts: Vec::new() }))
}

#[derive(Debug)]
struct Histogram {
    result: DataType,
    seen: Seen,
    counts: Vec<i64>,
}

impl Histogram {
    fn add(&mut self, number: usize, count: i64) {
        if number >= self.counts.len() {
            self.counts.resize(number + 1, 0);
        }
        if let Some(slot) = self.counts.get_mut(number) {
            *slot += count;
        }
    }
}

impl Accumulator for Histogram {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [keys, ..] = values else { return internal_err!("a value was expected") };
        for number in self.seen.number(keys)?.into_iter().flatten() {
            self.add(number, 1);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.counts.is_empty() {
            return ScalarValue::try_new_null(&self.result);
        }
        one_map(self.seen.keys.all()?, Arc::new(Int64Array::from(self.counts.clone())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.seen.bytes() + self.counts.capacity() * 8
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (_, keys, counts) = entries(states)?;
        let numbers = self.seen.number(&keys)?;
        for (number, count) in numbers.into_iter().zip(counts.as_primitive::<Int64Type>()) {
            if let (Some(number), Some(count)) = (number, count) {
                self.add(number, count);
            }
        }
        Ok(())
    }
}

/// A key and a value.
pub(super) fn two(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 2 { Ok(plain(types)) } else { refuse("a key and a value", types) }
}

/// A map from the first argument to the second.
pub(super) fn map_agg_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [key, value] => Ok(map_of(key.clone(), value.clone())),
        _ => refuse("a key and a value", types),
    }
}

/// The state of `map_agg`: the map so far.
pub(super) fn map_agg_state(types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(vec![map_agg_type(types)?])
}

/// `map_agg(key, value)`.
pub(super) fn map_agg(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Union::new(map_agg_type(types)?, false)?))
}

/// One map.
pub(super) fn a_map(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [DataType::Map(..)] => Ok(types.to_vec()),
        _ => refuse("a map", types),
    }
}

/// A map of the same keys and values.
pub(super) fn map_union_type(types: &[DataType]) -> Result<DataType> {
    let [map] = types else { return refuse("a map", types) };
    let (key, value) = key_value(map)?;
    Ok(map_of(key.clone(), value.clone()))
}

/// The state of `map_union`: the map so far.
pub(super) fn map_union_state(types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(vec![map_union_type(types)?])
}

/// `map_union(map)`.
pub(super) fn map_union(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Union::new(map_union_type(types)?, true)?))
}

/// The first value of each key.
#[derive(Debug)]
struct Union {
    result: DataType,
    of_maps: bool,
    seen: Seen,
    values: Parts,
    any: bool,
}

impl Union {
    fn new(result: DataType, of_maps: bool) -> Result<Self> {
        let (key, value) = key_value(&result)?;
        let (seen, values) = (Seen::new(key)?, Parts::new(value));
        Ok(Self { result, of_maps, seen, values, any: false })
    }

    fn add(&mut self, keys: &ArrayRef, values: &ArrayRef) -> Result<()> {
        let mut known = self.seen.numbers.len();
        let numbers = self.seen.number(keys)?;
        let mut new = Vec::new();
        for (at, number) in numbers.into_iter().enumerate() {
            self.any |= number.is_some();
            if number == Some(known) {
                new.push(index(at));
                known += 1;
            }
        }
        self.values.add(values, &UInt32Array::from(new))
    }
}

impl Accumulator for Union {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.of_maps {
            return self.merge_batch(values);
        }
        let [keys, values] = values else { return internal_err!("a key and a value are missing") };
        self.add(keys, values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if !self.any {
            return ScalarValue::try_new_null(&self.result);
        }
        one_map(self.seen.keys.all()?, self.values.all()?)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.seen.bytes() + self.values.bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (maps, keys, values) = entries(states)?;
        self.any |= maps.rows().any(|map| map.is_some());
        self.add(&keys, &values)
    }
}

/// A map from the first argument to an array of the second.
pub(super) fn multimap_agg_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [key, value] => Ok(map_of(key.clone(), list_of(value.clone()))),
        _ => refuse("a key and a value", types),
    }
}

/// The state of `multimap_agg`: the map so far.
pub(super) fn multimap_agg_state(types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(vec![multimap_agg_type(types)?])
}

/// `multimap_agg(key, value)`.
pub(super) fn multimap_agg(types: &[DataType]) -> Result<Box<dyn Accumulator>> {
    let result = multimap_agg_type(types)?;
    let [key, value] = types else { return refuse("a key and a value", types) };
    let (seen, values) = (Seen::new(key)?, Parts::new(value));
    Ok(Box::new(Multimap { result, seen, values, owners: Vec::new() }))
}

/// All values of each key.
#[derive(Debug)]
struct Multimap {
    result: DataType,
    seen: Seen,
    values: Parts,
    /// The number of the key of each value.
    owners: Vec<usize>,
}

impl Accumulator for Multimap {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [keys, values] = values else { return internal_err!("a key and a value are missing") };
        let mut picked = Vec::new();
        for (at, number) in self.seen.number(keys)?.into_iter().enumerate() {
            if let Some(number) = number {
                self.owners.push(number);
                picked.push(index(at));
            }
        }
        self.values.add(values, &UInt32Array::from(picked))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.owners.is_empty() {
            return ScalarValue::try_new_null(&self.result);
        }
        let mut lengths = vec![0; self.seen.numbers.len()];
        for owner in &self.owners {
            if let Some(length) = lengths.get_mut(*owner) {
                *length += 1;
            }
        }
        let mut offsets = vec![0];
        let mut total = 0;
        offsets.extend(lengths.into_iter().map(|length| {
            total += length;
            total
        }));
        let mut order: Vec<usize> = (0..self.owners.len()).collect();
        order.sort_by_key(|at| self.owners.get(*at));
        let order: Vec<u32> = order.into_iter().map(index).collect();
        let values = take(&self.values.all()?, &UInt32Array::from(order), None)?;
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let offsets = offset_buffer(offsets.into_iter())?;
        let lists = ListArray::try_new(field, offsets, values, None)?;
        one_map(self.seen.keys.all()?, Arc::new(lists))
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.seen.bytes()
            + self.values.bytes
            + self.owners.capacity() * size_of::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (_, keys, lists) = entries(states)?;
        let numbers = self.seen.number(&keys)?;
        let lists = Lists::of(&lists)?;
        for (list, number) in numbers.into_iter().enumerate() {
            let length = lists.span(list).len();
            self.owners.extend(std::iter::repeat_n(number.unwrap_or_default(), length));
        }
        let all: Vec<u32> = (0..lists.values.len()).map(index).collect();
        self.values.add(&lists.values, &UInt32Array::from(all))
    }
}
