//! Arrays of another shape: parts, repetitions, arrays of arrays.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray, UInt32Array},
    compute::take,
    datatypes::{DataType, Field, Fields, Int64Type},
};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::super::nested::{
    Lists, Picks, argument, as_list, column, element, index, list_of, lists, offset_buffer, refuse,
};

/// As in Trino: the longest array that `repeat` makes.
const REPEATED: i64 = 10_000;
/// As in Trino: the longest combination.
const CHOSEN: usize = 5;
/// As in Trino: the most combinations.
const COMBINATIONS: usize = 100_000;

fn integers(args: &ScalarFunctionArgs, index: usize) -> Result<Int64Array> {
    Ok(column(args, index)?.as_primitive::<Int64Type>().clone())
}

/// An array and `count` whole numbers.
fn list_and_integers(types: &[DataType], wants: &str, count: usize) -> Result<Vec<DataType>> {
    let Some((list, rest)) = types.split_first() else { return refuse(wants, types) };
    let whole = |data_type: &DataType| data_type.is_integer() || data_type.is_null();
    match as_list(list) {
        Some(list) if rest.len() == count && rest.iter().all(whole) => {
            let mut all = vec![list];
            all.resize(count + 1, DataType::Int64);
            Ok(all)
        }
        _ => refuse(wants, types),
    }
}

/// An array and a number.
pub(super) fn list_and_number(types: &[DataType]) -> Result<Vec<DataType>> {
    list_and_integers(types, "an array and a number", 1)
}

/// An array, where to start and how many.
pub(super) fn slice_types(types: &[DataType]) -> Result<Vec<DataType>> {
    list_and_integers(types, "an array, a position and a length", 2)
}

/// `slice(array, start, length)`.
pub(super) fn slice(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let (starts, lengths) = (integers(args, 1)?, integers(args, 2)?);
    let mut picks = Picks::new(lists.len());
    for ((span, start), length) in lists.rows().zip(&starts).zip(&lengths) {
        let (Some(span), Some(start), Some(length)) = (span, start, length) else {
            picks.null_row();
            continue;
        };
        if start == 0 {
            return exec_err!("positions in an array start at 1, not at 0");
        }
        let Ok(length) = usize::try_from(length) else {
            return exec_err!("the length of a slice is 0 or more, not {length}");
        };
        let skipped = match usize::try_from(start) {
            Ok(start) => Some(start - 1),
            Err(_) => usize::try_from(start.unsigned_abs())
                .ok()
                .and_then(|back| span.len().checked_sub(back)),
        };
        if let Some(skipped) = skipped.filter(|skipped| *skipped < span.len()) {
            let first = span.start + skipped;
            picks.extend(first..span.end.min(first.saturating_add(length)));
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}

/// `trim_array(array, n)`.
pub(super) fn trim_array(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let sizes = integers(args, 1)?;
    let mut picks = Picks::new(lists.len());
    for (span, size) in lists.rows().zip(&sizes) {
        let (Some(span), Some(size)) = (span, size) else {
            picks.null_row();
            continue;
        };
        let kept = match usize::try_from(size) {
            Ok(size) => span.len().checked_sub(size),
            Err(_) => return exec_err!("the size to trim is 0 or more, not {size}"),
        };
        let Some(kept) = kept else {
            return exec_err!("cannot trim {size} elements off an array of {}", span.len());
        };
        picks.extend(span.start..span.start + kept);
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}

/// A value and how often.
pub(super) fn repeat_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [value, count] if count.is_integer() || count.is_null() => {
            Ok(vec![value.clone(), DataType::Int64])
        }
        _ => refuse("a value and a count", types),
    }
}

/// An array of the first argument.
pub(super) fn list_of_first(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(list_of(argument(args, 0)?.clone()))
}

/// `repeat(value, count)`.
pub(super) fn repeat(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let (values, counts) = (column(args, 0)?, integers(args, 1)?);
    let mut picks = Picks::new(values.len());
    for (row, count) in counts.iter().enumerate() {
        let Some(count) = count else {
            picks.null_row();
            continue;
        };
        if !(0..=REPEATED).contains(&count) {
            return exec_err!("the count of repeat is from 0 to {REPEATED}, not {count}");
        }
        for _ in 0..count {
            picks.push(row);
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&values)?))
}

/// An array of arrays.
pub(super) fn flatten_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if let [list] = types
        && let Some(list) = as_list(list)
    {
        match element(&list)? {
            DataType::Null => return Ok(vec![list_of(list_of(DataType::Null))]),
            inner => {
                if let Some(inner) = as_list(inner) {
                    return Ok(vec![list_of(inner)]);
                }
            }
        }
    }
    refuse("an array of arrays", types)
}

/// The type of the arrays inside.
pub(super) fn flatten_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let inner = element(argument(args, 0)?)?;
    Ok(list_of(element(inner)?.clone()))
}

/// `flatten(arrays)`: arrays inside that are NULL are left out.
pub(super) fn flatten(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let outer = lists(args, 0)?;
    let inner = Lists::of(&outer.values)?;
    let mut picks = Picks::new(outer.len());
    for span in outer.rows() {
        let Some(span) = span else {
            picks.null_row();
            continue;
        };
        span.for_each(|at| picks.extend(inner.span(at)));
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&inner.values)?))
}

/// Arrays, two to five.
pub(super) fn zip_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let lists: Option<Vec<DataType>> = types.iter().map(as_list).collect();
    match lists {
        Some(lists) if (2..=5).contains(&lists.len()) => Ok(lists),
        _ => refuse("two to five arrays", types),
    }
}

/// An array of rows, their fields without names of their own.
pub(super) fn zip_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let mut fields = Vec::with_capacity(args.arg_fields.len());
    for (at, field) in args.arg_fields.iter().enumerate() {
        fields.push(Field::new(format!("c{at}"), element(field.data_type())?.clone(), true));
    }
    Ok(list_of(DataType::Struct(Fields::from(fields))))
}

/// The elements of `lists` side by side, each column padded with NULL; the lengths; where all are
/// there.
pub(in super::super) fn side_by_side(lists: &[Lists]) -> Result<(Vec<ArrayRef>, Lists)> {
    let rows = lists.first().map_or(0, Lists::len);
    let mut picked: Vec<Vec<Option<u32>>> = vec![Vec::new(); lists.len()];
    let mut shape = Picks::new(rows);
    for row in 0..rows {
        let spans: Option<Vec<_>> = lists.iter().map(|list| list.row(row)).collect();
        let Some(spans) = spans else {
            shape.null_row();
            continue;
        };
        let longest = spans.iter().map(ExactSizeIterator::len).max().unwrap_or_default();
        for (span, picked) in spans.into_iter().zip(&mut picked) {
            let missing = longest - span.len();
            picked.extend(span.map(|at| Some(index(at))));
            picked.extend(std::iter::repeat_n(None, missing));
        }
        (0..longest).for_each(|_| shape.push_null());
        shape.end_row();
    }
    let columns: Result<Vec<ArrayRef>> = lists
        .iter()
        .zip(picked)
        .map(|(list, picked)| Ok(take(&list.values, &UInt32Array::from(picked), None)?))
        .collect();
    let nothing: ArrayRef = Arc::new(arrow::array::NullArray::new(0));
    Ok((columns?, Lists::of(&shape.finish(&nothing)?)?))
}

/// `zip(array, array, …)`.
pub(super) fn zip(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let all: Result<Vec<Lists>> = (0..args.args.len()).map(|at| lists(args, at)).collect();
    let (columns, shape) = side_by_side(&all?)?;
    let fields: Vec<Field> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| Field::new(format!("c{at}"), column.data_type().clone(), true))
        .collect();
    let rows = StructArray::try_new(Fields::from(fields), columns, None)?;
    Ok(ColumnarValue::Array(shape.list_of(Arc::new(rows))?))
}

/// An array of arrays as the first argument.
pub(super) fn list_of_lists(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(list_of(list_of(element(argument(args, 0)?)?.clone())))
}

fn nested(
    args: &ScalarFunctionArgs,
    make: impl Fn(std::ops::Range<usize>, i64, &mut Picks) -> Result<usize>,
) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    let sizes = integers(args, 1)?;
    let mut picks = Picks::new(lists.len());
    let (mut offsets, mut valid, mut total) = (vec![0], Vec::with_capacity(lists.len()), 0);
    for (span, size) in lists.rows().zip(&sizes) {
        if let (Some(span), Some(size)) = (span, size) {
            total += make(span, size, &mut picks)?;
            valid.push(true);
        } else {
            valid.push(false);
        }
        offsets.push(total);
    }
    let inner = picks.finish(&lists.values)?;
    let field = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
    let offsets = offset_buffer(offsets.into_iter())?;
    Ok(ColumnarValue::Array(Arc::new(ListArray::try_new(
        field,
        offsets,
        inner,
        Some(valid.into()),
    )?)))
}

/// `ngrams(array, n)`.
pub(super) fn ngrams(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    nested(args, |span, n, picks| {
        let n = match usize::try_from(n) {
            Ok(n) if n > 0 => n.min(span.len()),
            _ => return exec_err!("the size of n-grams is 1 or more, not {n}"),
        };
        let grams = span.len() - n + 1;
        for first in span.start..span.start + grams {
            picks.extend(first..first + n);
            picks.end_row();
        }
        Ok(grams)
    })
}

/// `combinations(array, n)`, in the order Trino gives them: by the last element, then by those
/// before.
pub(super) fn combinations(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    nested(args, |span, n, picks| {
        let n = match usize::try_from(n) {
            Ok(n) if n <= CHOSEN => n,
            _ => return exec_err!("the size of combinations is from 0 to {CHOSEN}, not {n}"),
        };
        if n > span.len() {
            return Ok(0);
        }
        let mut chosen: Vec<usize> = (0..n).collect();
        let mut made = 0;
        loop {
            made += 1;
            if made > COMBINATIONS {
                return exec_err!(
                    "more than {COMBINATIONS} combinations of {n} out of {} elements",
                    span.len()
                );
            }
            for at in &chosen {
                picks.push(span.start + at);
            }
            picks.end_row();
            if !advance(&mut chosen, span.len()) {
                return Ok(made);
            }
        }
    })
}

/// The next choice out of `all`; false where there is none.
fn advance(chosen: &mut [usize], all: usize) -> bool {
    for at in 0..chosen.len() {
        let limit = chosen.get(at + 1).copied().unwrap_or(all);
        if let Some(one) = chosen.get_mut(at)
            && *one + 1 < limit
        {
            *one += 1;
            chosen.iter_mut().take(at).enumerate().for_each(|(at, one)| *one = at);
            return true;
        }
    }
    false
}

/// `shuffle(array)`.
pub(super) fn shuffle(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let lists = lists(args, 0)?;
    // The keys of a new hasher are random.
    let random = RandomState::new();
    let mut picks = Picks::new(lists.len());
    for span in lists.rows() {
        let Some(span) = span else {
            picks.null_row();
            continue;
        };
        let mut order: Vec<usize> = span.collect();
        order.sort_by_cached_key(|at| {
            let mut hasher = random.build_hasher();
            hasher.write_usize(*at);
            hasher.finish()
        });
        for at in order {
            picks.push(at);
        }
        picks.end_row();
    }
    Ok(ColumnarValue::Array(picks.finish(&lists.values)?))
}
