//! Functions whose result has the type of the number: integers stay integers, decimals decimals.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array},
    compute::{cast, kernels::numeric},
    datatypes::{DataType, Decimal128Type, Int64Type},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{
        ColumnarValue, Operator, ReturnFieldArgs, ScalarFunctionArgs,
        type_coercion::binary::BinaryTypeCoercer,
    },
};

use super::{
    super::{
        Function, Made,
        call::{Call, does_not_take, given, scalar},
    },
    FAMILY,
};
use crate::engine::type_name;

pub(super) fn functions() -> Vec<Function> {
    let mut all = rounding();
    all.extend(others());
    all
}

fn rounding() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "ceil",
            ["ceiling"],
            "ceil(x) → the same type",
            "The next integer that is not smaller.",
            [("ceil(1.2e0)", "2.0"), ("ceil(7)", "7")],
            one_number,
            whole_type,
            |args| rounded(args, Mode::Ceil)
        ),
        scalar!(
            FAMILY,
            "floor",
            [],
            "floor(x) → the same type",
            "The next integer that is not larger.",
            [("floor(-1.2e0)", "-2.0")],
            one_number,
            whole_type,
            |args| rounded(args, Mode::Floor)
        ),
        scalar!(
            FAMILY,
            "round",
            [],
            "round(x[, places]) → the same type",
            "The nearest integer, or number of so many decimal places; a half goes away from zero.",
            [("round(2.5e0)", "3.0"), ("round(3.14159e0, 2)", "3.14"), ("round(1250, -2)", "1300")],
            number_and_places,
            placed_type,
            |args| rounded(args, Mode::Round)
        ),
        scalar!(
            FAMILY,
            "truncate",
            ["trunc"],
            "truncate(x[, places]) → the same type",
            "The number without its digits after the point; of a decimal, places can be kept.",
            [("truncate(-1.9e0)", "-1.0")],
            truncated_types,
            placed_type,
            |args| rounded(args, Mode::Truncate)
        ),
    ]
}

fn others() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "sign",
            ["signum"],
            "sign(x) → the same type",
            "1 for a number above zero, -1 for one below, 0 for zero.",
            [("sign(-9)", "-1")],
            one_number,
            sign_type,
            sign
        ),
        scalar!(
            FAMILY,
            "mod",
            [],
            "mod(n, m) → the same type",
            "The remainder of a division; it has the sign of the first number.",
            [("mod(-7, 3)", "-1")],
            mod_types,
            mod_type,
            modulus
        ),
        Function {
            name: "abs",
            aliases: &[],
            family: FAMILY,
            signature: "abs(x) → the same type",
            text: "The number without its sign.",
            examples: &[("abs(-4)", "4")],
            make: || Made::Native,
        },
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ceil,
    Floor,
    Round,
    Truncate,
}

impl Mode {
    fn double(self, value: f64) -> f64 {
        match self {
            Self::Ceil => value.ceil(),
            Self::Floor => value.floor(),
            Self::Round => value.round(),
            Self::Truncate => value.trunc(),
        }
    }

    /// `value` in units, as Java divides: towards zero, then as the mode goes.
    fn units(self, value: i128, unit: i128) -> i128 {
        let (whole, rest) = (value / unit, value % unit);
        let away = rest.signum();
        match self {
            Self::Ceil if rest > 0 => whole + 1,
            Self::Floor if rest < 0 => whole - 1,
            Self::Round if rest.abs() >= unit - rest.abs() => whole + away,
            _ => whole,
        }
    }
}

/// The type that a number is taken as.
fn number(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            Ok(data_type.clone())
        }
        integer if integer.is_integer() => Ok(DataType::Int64),
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            Ok(DataType::Decimal128(*precision, *scale))
        }
        DataType::Null | DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            Ok(DataType::Float64)
        }
        other => plan_err!("it does not take ({})", type_name(other)),
    }
}

fn one_number(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [value] => Ok(vec![number(value)?]),
        _ => does_not_take(types),
    }
}

fn number_and_places(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [value] => Ok(vec![number(value)?]),
        [value, places] if places.is_integer() || places.is_null() => {
            Ok(vec![number(value)?, DataType::Int64])
        }
        _ => does_not_take(types),
    }
}

/// As in Trino, integers are truncated as doubles, and places are for decimals only.
fn truncated_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let types = number_and_places(types)?;
    match types.as_slice() {
        [integer] if integer.is_integer() => Ok(vec![DataType::Float64]),
        [DataType::Decimal128(..), _] | [_] => Ok(types),
        _ => plan_err!("it takes places for a decimal only"),
    }
}

fn first_type<'a>(args: &'a ReturnFieldArgs<'_>) -> Result<&'a DataType> {
    if let Some(field) = args.arg_fields.first() {
        Ok(field.data_type())
    } else {
        plan_err!("an argument is missing")
    }
}

fn whole_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(match first_type(args)? {
        DataType::Decimal128(precision, scale) => whole_decimal(*precision, *scale),
        other => other.clone(),
    })
}

/// The decimal without its places, but with room for the digit that rounding may add.
fn whole_decimal(precision: u8, scale: i8) -> DataType {
    let scale = u8::try_from(scale).unwrap_or_default();
    DataType::Decimal128((precision.saturating_sub(scale) + scale.min(1)).max(1), 0)
}

fn placed_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    match (first_type(args)?, args.arg_fields.len()) {
        (DataType::Decimal128(precision, scale), 2) => {
            Ok(DataType::Decimal128((precision + 1).min(38), *scale))
        }
        _ => whole_type(args),
    }
}

fn sign_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(match first_type(args)? {
        DataType::Decimal128(..) => DataType::Decimal128(1, 0),
        other => other.clone(),
    })
}

fn rounded(args: &ScalarFunctionArgs, mode: Mode) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let places = call.optional_longs(1)?;
    let place = |row: usize| match &places {
        Some(places) => places.get(row).map(Some),
        None => Some(None),
    };
    let (array, one) = call.column(0)?;
    let to = args.return_field.data_type();
    match array.data_type() {
        DataType::Float64 => {
            let values = call.doubles(0)?;
            call.make_doubles(|row| {
                let value = given!(values.get(row));
                Ok(Some(match given!(place(row)) {
                    Some(places) => round_double(value, places),
                    None => mode.double(value),
                }))
            })
        }
        DataType::Decimal128(_, scale) => {
            let values = array.as_primitive::<Decimal128Type>();
            let scale = i64::from(*scale);
            let made = (0..call.rows()).map(|row| {
                let at = if one { 0 } else { row };
                let value = given!(values.is_valid(at).then(|| values.value(at)));
                let places = given!(place(row));
                let unit = power(scale - places.unwrap_or(0).min(scale));
                let units = unit.map_or(0, |unit| mode.units(value, unit));
                match (places, unit) {
                    (Some(_), Some(unit)) => {
                        if let Some(value) = units.checked_mul(unit) {
                            Ok(Some(value))
                        } else {
                            exec_err!("the rounded decimal is too large")
                        }
                    }
                    _ => Ok(Some(units)),
                }
            });
            decimals(&call, made.collect::<Result<Vec<_>>>()?, to)
        }
        _ => rounded_integers(&call, array, one, place),
    }
}

/// Rounds integers to tens, hundreds and so on.
fn rounded_integers(
    call: &Call,
    array: &ArrayRef,
    one: bool,
    place: impl Fn(usize) -> Option<Option<i64>>,
) -> Result<ColumnarValue> {
    let wide = cast(array, &DataType::Int64)?;
    let values = wide.as_primitive::<Int64Type>();
    let made = (0..call.rows()).map(|row| {
        let at = if one { 0 } else { row };
        let value = given!(values.is_valid(at).then(|| values.value(at)));
        let places = given!(place(row)).unwrap_or(0);
        if places >= 0 {
            return Ok(Some(value));
        }
        let unit = power(places.saturating_neg());
        let rounded = unit.map_or(0, |unit| Mode::Round.units(i128::from(value), unit) * unit);
        if let Ok(rounded) = i64::try_from(rounded) {
            Ok(Some(rounded))
        } else {
            exec_err!("{value} rounded to {places} places is too large for its type")
        }
    });
    let made: Int64Array = made.collect::<Result<Vec<_>>>()?.into();
    let made: ArrayRef = Arc::new(made);
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    call.finish(arrow::compute::cast_with_options(&made, array.data_type(), &options)?)
}

/// Ten to the power of `exponent`; nothing where that is more than any decimal.
fn power(exponent: i64) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent.max(0)).ok()?).filter(|_| exponent <= 38)
}

fn decimals(call: &Call, values: Vec<Option<i128>>, to: &DataType) -> Result<ColumnarValue> {
    let DataType::Decimal128(precision, scale) = to else {
        return exec_err!("a decimal was expected, not {to}");
    };
    let array = Decimal128Array::from(values).with_precision_and_scale(*precision, *scale)?;
    array.validate_decimal_precision(*precision)?;
    call.finish(Arc::new(array))
}

/// As Java does: scaled, a half up, scaled back.
fn round_double(value: f64, places: i64) -> f64 {
    const WHOLE: f64 = 9_223_372_036_854_775_807.0;
    if !value.is_finite() {
        return value;
    }
    let places = i32::try_from(places.clamp(-400, 400)).unwrap_or_default();
    let factor = 10_f64.powi(places);
    let scaled = value.abs() * factor;
    // What is larger has no digits to lose.
    if scaled >= WHOLE || factor == 0.0 {
        return if factor == 0.0 { 0.0 } else { value };
    }
    let whole = scaled.floor();
    let whole = if scaled - whole >= 0.5 { whole + 1.0 } else { whole };
    (whole / factor).copysign(value)
}

fn sign(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (array, _) = call.column(0)?;
    match array.data_type() {
        DataType::Float64 => {
            let values = call.doubles(0)?;
            call.make_doubles(|row| {
                let value = given!(values.get(row));
                let signed = if value == 0.0 || value.is_nan() { value } else { value.signum() };
                Ok(Some(signed))
            })
        }
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>();
            let signs = values.iter().map(|value| value.map(i128::signum)).collect();
            decimals(&call, signs, args.return_field.data_type())
        }
        other => {
            let wide = cast(array, &DataType::Int64)?;
            let signs: Int64Array = wide.as_primitive::<Int64Type>().unary(i64::signum);
            call.finish(cast(&(Arc::new(signs) as ArrayRef), other)?)
        }
    }
}

fn mod_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [left, right]
            if (left.is_numeric() || left.is_null()) && (right.is_numeric() || right.is_null()) =>
        {
            let (left, right) =
                BinaryTypeCoercer::new(left, &Operator::Modulo, right).get_input_types()?;
            Ok(vec![left, right])
        }
        _ => does_not_take(types),
    }
}

fn mod_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    if let [left, right] = args.arg_fields {
        let (left, right) = (left.data_type(), right.data_type());
        BinaryTypeCoercer::new(left, &Operator::Modulo, right).get_result_type()
    } else {
        plan_err!("it takes two numbers")
    }
}

fn modulus(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let arrays = ColumnarValue::values_to_arrays(&args.args)?;
    if let [left, right] = arrays.as_slice() {
        call.finish(numeric::rem(left, right)?)
    } else {
        exec_err!("mod takes two numbers")
    }
}
