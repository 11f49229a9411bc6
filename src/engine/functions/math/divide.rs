//! Division of decimals: the quotient has the larger scale of the two and is rounded half up.
//!
//! <https://trino.io/docs/current/functions/decimal.html>, "Binary arithmetic decimal operators"

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, Decimal128Array},
    datatypes::{DataType, Decimal128Type, i256},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF},
};

use super::super::{
    Made,
    call::{Call, does_not_take, given},
    scalar::Scalar,
};

/// The most digits that a decimal has.
const WIDEST: u8 = 38;

/// What `a / b` is where one is a decimal and the other a decimal or an integer.
pub(in crate::engine) fn divide() -> Option<ScalarUDF> {
    match Scalar::new("$divide", types, quotient_type, quotient).made() {
        Made::Scalar(function) => Some(function),
        _ => None,
    }
}

/// The decimal that a number is divided as; nothing where it is none.
pub(in crate::engine) fn as_decimal(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            Some(DataType::Decimal128(*precision, *scale))
        }
        DataType::Int8 => Some(DataType::Decimal128(3, 0)),
        DataType::Int16 => Some(DataType::Decimal128(5, 0)),
        DataType::Int32 => Some(DataType::Decimal128(10, 0)),
        DataType::Int64 => Some(DataType::Decimal128(19, 0)),
        _ => None,
    }
}

fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let decimals: Option<Vec<DataType>> = types.iter().map(as_decimal).collect();
    decimals.filter(|decimals| decimals.len() == 2).map_or_else(|| does_not_take(types), Ok)
}

fn quotient_type(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let fields: Vec<&DataType> = args.arg_fields.iter().map(|field| field.data_type()).collect();
    if let [DataType::Decimal128(p1, s1), DataType::Decimal128(_, s2)] = fields.as_slice() {
        let further = u8::try_from(s2 + (s2 - s1).max(0)).unwrap_or_default();
        Ok(DataType::Decimal128(p1.saturating_add(further).min(WIDEST), *s1.max(s2)))
    } else {
        plan_err!("division takes two decimals")
    }
}

fn quotient(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let ((left, one_left), (right, one_right)) = (call.column(0)?, call.column(1)?);
    let (&DataType::Decimal128(_, s1), &DataType::Decimal128(_, s2), &DataType::Decimal128(p, s)) =
        (left.data_type(), right.data_type(), args.return_field.data_type())
    else {
        return exec_err!("division takes two decimals");
    };
    let (left, right) =
        (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let at = |values: &Decimal128Array, one: bool, row: usize| {
        let row = if one { 0 } else { row };
        values.is_valid(row).then(|| values.value(row))
    };
    let up = u32::try_from(s - s1 + s2).unwrap_or_default();
    let divided = (0..call.rows()).map(|row| {
        let (a, b) = (given!(at(left, one_left, row)), given!(at(right, one_right, row)));
        if b == 0 {
            return exec_err!("division by zero");
        }
        if let Some(value) = rounded(a, up, b) {
            Ok(Some(value))
        } else {
            exec_err!("the quotient is out of the range of decimal({p},{s})")
        }
    });
    let divided: Decimal128Array = divided.collect::<Result<Vec<_>>>()?.into();
    let divided = divided.with_precision_and_scale(p, s)?;
    divided.validate_decimal_precision(p)?;
    call.finish(Arc::new(divided))
}

/// `a` times ten to the power of `up`, divided by `b`; a half goes away from zero.
fn rounded(a: i128, up: u32, b: i128) -> Option<i128> {
    // Most decimals are small enough for the machine's own division.
    if let Some(a) = 10_i128.checked_pow(up).and_then(|power| a.checked_mul(power)) {
        let (whole, rest) = (a.checked_div(b)?, a.checked_rem(b)?.unsigned_abs());
        let away = if (a < 0) == (b < 0) { 1 } else { -1 };
        // Doubling the rest could overflow.
        return if rest >= b.unsigned_abs() - rest { whole.checked_add(away) } else { Some(whole) };
    }
    let a = i256::from_i128(a).checked_mul(i256::from_i128(10).checked_pow(up)?)?;
    let b = i256::from_i128(b);
    let (whole, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
    let (rest, of) = (rest.checked_abs()?, b.checked_abs()?);
    let away = if a.is_negative() == b.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    let whole = if rest >= of - rest { whole.checked_add(away)? } else { whole };
    whole.to_i128()
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn halves_go_away_from_zero_in_either_width() {
        assert_eq!(rounded(10, 0, 4), Some(3));
        assert_eq!(rounded(-10, 0, 4), Some(-3));
        assert_eq!(rounded(10, 0, -4), Some(-3));
        assert_eq!(rounded(9, 0, 4), Some(2));
        assert_eq!(rounded(10, 38, 8), Some(125 * 10_i128.pow(36)));
        assert_eq!(rounded(10, 38, 4), None);
        assert_eq!(rounded(i128::MAX, 38, 1), None);
        assert_eq!(rounded(-5, 37, 2 * 10_i128.pow(37)), Some(-3));
        assert_eq!(rounded(1, 0, 0), None);
    }
}
