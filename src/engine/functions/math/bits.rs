//! Bits of integers.

use std::sync::Arc;

use arrow::{array::Int64Array, datatypes::DataType};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    super::{
        Function,
        call::{Call, Kind::BigInt, as_first, bigint, does_not_take, given, scalar, take},
    },
    FAMILY,
};

pub(super) fn functions() -> Vec<Function> {
    let mut all = logical();
    all.extend(shifts());
    all
}

fn logical() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "bitwise_and",
            [],
            "bitwise_and(x, y) → bigint",
            "The bits that both have.",
            [("bitwise_and(12, 10)", "8")],
            |types| take(types, &[&[BigInt, BigInt]]),
            bigint,
            |args| both(args, |x, y| x & y)
        ),
        scalar!(
            FAMILY,
            "bitwise_or",
            [],
            "bitwise_or(x, y) → bigint",
            "The bits that one of them has.",
            [("bitwise_or(12, 10)", "14")],
            |types| take(types, &[&[BigInt, BigInt]]),
            bigint,
            |args| both(args, |x, y| x | y)
        ),
        scalar!(
            FAMILY,
            "bitwise_xor",
            [],
            "bitwise_xor(x, y) → bigint",
            "The bits that only one of them has.",
            [("bitwise_xor(12, 10)", "6")],
            |types| take(types, &[&[BigInt, BigInt]]),
            bigint,
            |args| both(args, |x, y| x ^ y)
        ),
        scalar!(
            FAMILY,
            "bitwise_not",
            [],
            "bitwise_not(x) → bigint",
            "All bits the other way round.",
            [("bitwise_not(19)", "-20")],
            |types| take(types, &[&[BigInt]]),
            bigint,
            |args| {
                let call = Call::of(args)?;
                let values = call.longs(0)?;
                call.make_longs(|row| Ok(values.get(row).map(|value| !value)))
            }
        ),
        scalar!(
            FAMILY,
            "bit_count",
            [],
            "bit_count(x, bits) → bigint",
            "How many bits are set in a number of so many bits, from 2 to 64.",
            [("bit_count(9, 64)", "2"), ("bit_count(-7, 8)", "6")],
            |types| take(types, &[&[BigInt, BigInt]]),
            bigint,
            bit_count
        ),
    ]
}

fn shifts() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "bitwise_left_shift",
            [],
            "bitwise_left_shift(value, shift) → the same type",
            "The bits moved to the left.",
            [("bitwise_left_shift(7, 2)", "28")],
            shift_types,
            as_first,
            |args| shift(args, |value, shift, _| value << shift, |_| 0)
        ),
        scalar!(
            FAMILY,
            "bitwise_right_shift",
            [],
            "bitwise_right_shift(value, shift) → the same type",
            "The bits moved to the right; zeros come in.",
            [("bitwise_right_shift(8, 3)", "1")],
            shift_types,
            as_first,
            |args| shift(args, logical_right, |_| 0)
        ),
        scalar!(
            FAMILY,
            "bitwise_right_shift_arithmetic",
            [],
            "bitwise_right_shift_arithmetic(value, shift) → the same type",
            "The bits moved to the right; the sign stays.",
            [("bitwise_right_shift_arithmetic(-8, 2)", "-2")],
            shift_types,
            as_first,
            |args| shift(args, |value, shift, _| value >> shift, |value| value >> 63)
        ),
    ]
}

fn both(args: &ScalarFunctionArgs, of: fn(i64, i64) -> i64) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (xs, ys) = (call.longs(0)?, call.longs(1)?);
    call.make_longs(|row| Ok(xs.get(row).zip(ys.get(row)).map(|(x, y)| of(x, y))))
}

fn bit_count(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (values, widths) = (call.longs(0)?, call.longs(1)?);
    call.make_longs(|row| {
        let (value, width) = (given!(values.get(row)), given!(widths.get(row)));
        let Ok(bits @ 2..=64) = u32::try_from(width) else {
            return exec_err!("bit_count takes 2 to 64 bits, not {width}");
        };
        // What does not fit loses nothing but copies of its sign.
        if value >> (bits - 1) != value >> 63 {
            return exec_err!("{value} does not fit into {bits} bits");
        }
        let mask = u64::MAX >> (64 - bits);
        Ok(Some(i64::from((value.cast_unsigned() & mask).count_ones())))
    })
}

fn shift_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [value, shift] if shift.is_integer() || shift.is_null() => match value {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                Ok(vec![value.clone(), DataType::Int64])
            }
            _ => take(types, &[&[BigInt, BigInt]]),
        },
        _ => does_not_take(types),
    }
}

fn logical_right(value: i64, shift: u32, bits: u32) -> i64 {
    let mask = u64::MAX >> (64 - bits);
    ((value.cast_unsigned() & mask) >> shift).cast_signed()
}

/// Shifts by type: what is shifted by all its bits or more is `beyond`.
fn shift(
    args: &ScalarFunctionArgs,
    within: fn(i64, u32, u32) -> i64,
    beyond: fn(i64) -> i64,
) -> Result<ColumnarValue> {
    let to = args.return_field.data_type();
    let bits: u32 = match to {
        DataType::Int8 => 8,
        DataType::Int16 => 16,
        DataType::Int32 => 32,
        _ => 64,
    };
    let call = Call::of(args)?;
    let (array, one) = call.column(0)?;
    let values = arrow::compute::cast(array, &DataType::Int64)?;
    let values = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&values);
    let value = |row: usize| {
        let row = if one { 0 } else { row };
        arrow::array::Array::is_valid(values, row).then(|| values.value(row))
    };
    let shifts = call.longs(1)?;
    let shifted = (0..call.rows()).map(|row| {
        let (value, shift) = (given!(value(row)), given!(shifts.get(row)));
        let Ok(shift) = u32::try_from(shift.min(64)) else {
            return exec_err!("the shift cannot be negative: {shift}");
        };
        let shifted = if shift >= bits { beyond(value) } else { within(value, shift, bits) };
        // The bits that the type has, with the sign that they give.
        let spare = 64 - bits;
        Ok(Some(shifted << spare >> spare))
    });
    let shifted: Int64Array = shifted.collect::<Result<Vec<_>>>()?.into();
    call.finish(arrow::compute::cast(&(Arc::new(shifted) as arrow::array::ArrayRef), to)?)
}
