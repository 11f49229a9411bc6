//! Functions of doubles, and numbers in other bases.

use arrow::{
    array::{Array, AsArray},
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, Volatility},
};

use super::{
    super::{
        Function,
        call::{
            Call,
            Kind::{BigInt, Double, Varchar},
            bigint, boolean, double, given, quoted, scalar, take, varchar,
        },
        scalar::Scalar,
    },
    FAMILY,
};

/// A function of one double.
macro_rules! real {
    ($name:literal, $text:literal, $example:expr, $of:expr) => {
        scalar!(
            FAMILY,
            $name,
            [],
            concat!($name, "(x) → double"),
            $text,
            [$example],
            |types| take(types, &[&[Double]]),
            double,
            |args| {
                let call = Call::of(args)?;
                let values = call.doubles(0)?;
                let of: fn(f64) -> f64 = $of;
                call.make_doubles(|row| Ok(values.get(row).map(of)))
            }
        )
    };
}

/// A function of two doubles.
macro_rules! real2 {
    ($name:literal, $aliases:expr, $args:literal, $text:literal, $example:expr, $of:expr) => {
        scalar!(
            FAMILY,
            $name,
            $aliases,
            concat!($name, $args, " → double"),
            $text,
            [$example],
            |types| take(types, &[&[Double, Double]]),
            double,
            |args| {
                let call = Call::of(args)?;
                let (xs, ys) = (call.doubles(0)?, call.doubles(1)?);
                let of: fn(f64, f64) -> f64 = $of;
                call.make_doubles(|row| Ok(xs.get(row).zip(ys.get(row)).map(|(x, y)| of(x, y))))
            }
        )
    };
}

/// A question about a double.
macro_rules! question {
    ($name:literal, $text:literal, $example:expr, $of:expr) => {
        scalar!(
            FAMILY,
            $name,
            [],
            concat!($name, "(x) → boolean"),
            $text,
            [$example],
            |types| take(types, &[&[Double]]),
            boolean,
            |args| {
                let call = Call::of(args)?;
                let values = call.doubles(0)?;
                let of: fn(f64) -> bool = $of;
                call.make_booleans(|row| Ok(values.get(row).map(of)))
            }
        )
    };
}

/// A number that is always the same.
macro_rules! constant {
    ($name:literal, $text:literal, $example:expr, $value:expr) => {
        scalar!(
            FAMILY,
            $name,
            [],
            concat!($name, "() → double"),
            $text,
            [$example],
            |types| take(types, &[&[]]),
            double,
            |_| Ok(ColumnarValue::Scalar($value.into()))
        )
    };
}

pub(super) fn functions() -> Vec<Function> {
    let mut all = powers();
    all.extend(angles());
    all.extend(constants());
    all.extend(bases());
    all
}

fn powers() -> Vec<Function> {
    vec![
        real!("sqrt", "The square root.", ("sqrt(9)", "3.0"), f64::sqrt),
        real!("cbrt", "The cube root.", ("cbrt(27)", "3.0"), f64::cbrt),
        real!("exp", "Euler's number to a power.", ("exp(0)", "1.0"), f64::exp),
        real!("ln", "The natural logarithm.", ("ln(1)", "0.0"), f64::ln),
        real!("log2", "The logarithm to base 2.", ("log2(8)", "3.0"), f64::log2),
        real!("log10", "The logarithm to base 10.", ("log10(1000)", "3.0"), f64::log10),
        real2!(
            "log",
            [],
            "(base, x)",
            "The logarithm to a base.",
            ("log(2, 8)", "3.0"),
            |base, x| x.ln() / base.ln()
        ),
        real2!(
            "power",
            ["pow"],
            "(x, p)",
            "The number to a power.",
            ("power(2, 10)", "1024.0"),
            java_power
        ),
    ]
}

/// `Math.pow`: unlike C's, NaN where 1 is raised to infinity or NaN.
fn java_power(x: f64, p: f64) -> f64 {
    if p.is_nan() || (p.is_infinite() && x.abs().total_cmp(&1.0).is_eq()) {
        f64::NAN
    } else {
        x.powf(p)
    }
}

fn angles() -> Vec<Function> {
    vec![
        real!("sin", "The sine of an angle in radians.", ("sin(0)", "0.0"), f64::sin),
        real!("cos", "The cosine of an angle in radians.", ("cos(0)", "1.0"), f64::cos),
        real!("tan", "The tangent of an angle in radians.", ("tan(0)", "0.0"), f64::tan),
        real!("asin", "The arc sine.", ("asin(0)", "0.0"), f64::asin),
        real!("acos", "The arc cosine.", ("acos(1)", "0.0"), f64::acos),
        real!("atan", "The arc tangent.", ("atan(0)", "0.0"), f64::atan),
        real!("sinh", "The hyperbolic sine.", ("sinh(0)", "0.0"), f64::sinh),
        real!("cosh", "The hyperbolic cosine.", ("cosh(0)", "1.0"), f64::cosh),
        real!("tanh", "The hyperbolic tangent.", ("tanh(0)", "0.0"), f64::tanh),
        real!("degrees", "Radians as degrees.", ("degrees(0)", "0.0"), f64::to_degrees),
        real!("radians", "Degrees as radians.", ("radians(0)", "0.0"), f64::to_radians),
        real2!(
            "atan2",
            [],
            "(y, x)",
            "The angle of the point (x, y).",
            ("atan2(0, 1)", "0.0"),
            f64::atan2
        ),
    ]
}

fn constants() -> Vec<Function> {
    vec![
        constant!("e", "Euler's number.", ("e() > 2.718", "true"), std::f64::consts::E),
        constant!("pi", "The circle's number.", ("pi() > 3.141", "true"), std::f64::consts::PI),
        constant!(
            "infinity",
            "What is larger than any number.",
            ("is_infinite(infinity())", "true"),
            f64::INFINITY
        ),
        constant!("nan", "What is no number.", ("is_nan(nan())", "true"), f64::NAN),
        question!(
            "is_nan",
            "Whether the double is NaN.",
            ("is_nan(0e0 / 0e0)", "true"),
            f64::is_nan
        ),
        question!(
            "is_finite",
            "Whether the double is neither infinite nor NaN.",
            ("is_finite(1e0)", "true"),
            f64::is_finite
        ),
        question!(
            "is_infinite",
            "Whether the double is infinite.",
            ("is_infinite(1e0 / 0e0)", "true"),
            f64::is_infinite
        ),
        Function {
            name: "random",
            aliases: &["rand"],
            family: FAMILY,
            signature: "random([[from, ]to]) → double or bigint",
            text: "A number by chance: a double from 0 up to 1, or an integer from `from` (or 0) up \
                   to but not `to`.",
            examples: &[("random(1)", "0")],
            make: || {
                let returns = |args: &datafusion::logical_expr::ReturnFieldArgs<'_>| {
                    Ok(if args.arg_fields.is_empty() { DataType::Float64 } else { DataType::Int64 })
                };
                let coerce = |types: &[DataType]| take(types, &[&[], &[BigInt], &[BigInt, BigInt]]);
                let function = Scalar::new("random", coerce, returns, random);
                Scalar { volatility: Volatility::Volatile, ..function }.made()
            },
        },
    ]
}

fn bases() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "from_base",
            [],
            "from_base(string, radix) → bigint",
            "The number that the digits stand for in a base from 2 to 36.",
            [("from_base('ff', 16)", "255")],
            |types| take(types, &[&[Varchar, BigInt]]),
            bigint,
            from_base
        ),
        scalar!(
            FAMILY,
            "to_base",
            [],
            "to_base(x, radix) → varchar",
            "The digits of an integer in a base from 2 to 36.",
            [("to_base(255, 16)", "ff")],
            |types| take(types, &[&[BigInt, BigInt]]),
            varchar,
            to_base
        ),
        scalar!(
            FAMILY,
            "width_bucket",
            [],
            "width_bucket(x, bound, bound, buckets) or width_bucket(x, bins) → bigint",
            "Which of so many buckets between two bounds, or of those that sorted bins begin, has \
             the number.",
            [("width_bucket(5, 0, 10, 5)", "3"), ("width_bucket(2.5e0, ARRAY[1e0, 2e0])", "2")],
            |types| match types {
                [_, DataType::List(item)] if item.data_type().is_numeric() => {
                    let item = item.as_ref().clone().with_data_type(DataType::Float64);
                    let bins = DataType::List(item.into());
                    Ok(vec![DataType::Float64, bins])
                }
                _ => take(types, &[&[Double, Double, Double, BigInt]]),
            },
            bigint,
            width_bucket
        ),
    ]
}

fn radix(radix: i64) -> Result<u32> {
    if let Ok(radix @ 2..=36) = u32::try_from(radix) {
        Ok(radix)
    } else {
        exec_err!("a base must be from 2 to 36, not {radix}")
    }
}

fn from_base(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, radixes) = (call.texts(0)?, call.longs(1)?);
    call.make_longs(|row| {
        let (text, radix) = (given!(texts.get(row)), radix(given!(radixes.get(row)))?);
        if let Ok(value) = i64::from_str_radix(text, radix) {
            Ok(Some(value))
        } else {
            exec_err!("{} is no bigint in base {radix}", quoted(text))
        }
    })
}

fn to_base(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (values, radixes) = (call.longs(0)?, call.longs(1)?);
    let mut digits = Vec::new();
    call.write_text(|row, out| {
        let (value, radix) = (given!(values.get(row)), radix(given!(radixes.get(row)))?);
        let mut left = value.unsigned_abs();
        digits.clear();
        loop {
            let digit = u32::try_from(left % u64::from(radix)).unwrap_or_default();
            digits.extend(char::from_digit(digit, radix));
            left /= u64::from(radix);
            if left == 0 {
                break;
            }
        }
        if value < 0 {
            out.push('-');
        }
        out.extend(digits.iter().rev());
        Ok(Some(()))
    })
}

fn width_bucket(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let values = call.doubles(0)?;
    if call.len() == 2 {
        let (bins, one) = call.column(1)?;
        let Some(bins) = bins.as_list_opt::<i32>() else { return exec_err!("no array") };
        return call.make_longs(|row| {
            let value = given!(values.get(row));
            let row = if one { 0 } else { row };
            if bins.is_null(row) {
                return Ok(None);
            }
            bin(value, bins.value(row).as_primitive::<Float64Type>()).map(Some)
        });
    }
    let (firsts, seconds, counts) = (call.doubles(1)?, call.doubles(2)?, call.longs(3)?);
    call.make_longs(|row| {
        let value = given!(values.get(row));
        let (first, second) = (given!(firsts.get(row)), given!(seconds.get(row)));
        let count = given!(counts.get(row));
        if count <= 0 {
            return exec_err!("the number of buckets must be above 0, not {count}");
        }
        if value.is_nan()
            || !first.is_finite()
            || !second.is_finite()
            || first.partial_cmp(&second).is_none_or(std::cmp::Ordering::is_eq)
        {
            return exec_err!("width_bucket takes two finite bounds that differ, and no NaN");
        }
        let (lower, upper) = (first.min(second), first.max(second));
        let ascending = if value < lower {
            0
        } else if value >= upper {
            match count.checked_add(1) {
                Some(after) => after,
                None => return exec_err!("there are too many buckets: {count}"),
            }
        } else {
            #[expect(clippy::cast_precision_loss, reason = "as Trino computes it")]
            let bucket = count as f64 * (value - lower) / (upper - lower) + 1.0;
            #[expect(clippy::cast_possible_truncation, reason = "a bucket's number is an integer")]
            let bucket = bucket as i64;
            bucket
        };
        Ok(Some(if first > second { count - ascending + 1 } else { ascending }))
    })
}

/// How many bins begin at `value` or before.
fn bin(value: f64, bins: &arrow::array::Float64Array) -> Result<i64> {
    if bins.is_empty() || bins.null_count() > 0 || value.is_nan() {
        return exec_err!("width_bucket takes bins without NULL, at least one, and no NaN");
    }
    let values = bins.values();
    if values.iter().any(|bin| !bin.is_finite()) || !values.is_sorted() {
        return exec_err!("the bins of width_bucket must be finite and sorted");
    }
    Ok(i64::try_from(values.partition_point(|bin| *bin <= value)).unwrap_or(i64::MAX))
}

/// Numbers by chance (splitmix64), begun anew for each batch.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        Self(uuid::Uuid::new_v4().as_u64_pair().1 ^ uuid::Uuid::new_v4().as_u64_pair().0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn random(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::each_row(args)?;
    let mut chance = Chance::new();
    if call.len() == 0 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits, all that a double has")]
        return call
            .make_doubles(|_| Ok(Some((chance.next() >> 11) as f64 / (1_u64 << 53) as f64)));
    }
    let (first, second) = (call.longs(0)?, call.optional_longs(1)?);
    call.make_longs(|row| {
        let first = given!(first.get(row));
        let (from, to) = match &second {
            Some(second) => (first, given!(second.get(row))),
            None => (0, first),
        };
        if from >= to {
            return exec_err!("there is no integer from {from} up to {to}");
        }
        let range = i128::from(to) - i128::from(from);
        let picked = i128::from(from) + i128::from(chance.next()) % range;
        Ok(i64::try_from(picked).ok())
    })
}
