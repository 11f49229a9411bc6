//! `checksum(x)`: whether two tables hold the same values, whatever their order.
//!
//! As in Trino: the sum of the values' xxHash64, each times a prime; a NULL adds the prime.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Date32Type, Float64Type, Int64Type},
};
use datafusion::{
    common::{ScalarValue, internal_err},
    error::Result,
    logical_expr::Accumulator,
};

use super::super::{digest::xxhash64, nested::refuse, scalar::Text};

const PRIME: u64 = 0x9E37_79B1_85EB_CA87;

/// One value of a type whose hash is known to be Trino's.
pub(super) fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let wanted = match types {
        [text @ (DataType::Utf8 | DataType::Utf8View)] => text.clone(),
        [DataType::Null] => DataType::Utf8,
        [DataType::Binary | DataType::LargeBinary | DataType::BinaryView] => DataType::Binary,
        [DataType::Boolean] => DataType::Boolean,
        [DataType::Date32] => DataType::Date32,
        [DataType::Float64] => DataType::Float64,
        [integer] if integer.is_signed_integer() => DataType::Int64,
        _ => return refuse("a varchar, varbinary, integer, boolean, date or double", types),
    };
    Ok(vec![wanted])
}

/// `checksum(x)`.
pub(super) fn checksum() -> Box<dyn Accumulator> {
    Box::new(Checksum { sum: None })
}

#[derive(Debug)]
struct Checksum {
    sum: Option<u64>,
}

impl Checksum {
    fn add(&mut self, part: u64) {
        self.sum = Some(self.sum.unwrap_or_default().wrapping_add(part));
    }

    fn add_all(&mut self, hashes: impl Iterator<Item = Option<u64>>) {
        for hash in hashes {
            self.add(hash.map_or(PRIME, |hash| hash.wrapping_mul(PRIME)));
        }
    }
}

fn of_long(value: i64) -> u64 {
    xxhash64(&value.to_le_bytes())
}

impl Accumulator for Checksum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [values, ..] = values else { return internal_err!("a value was expected") };
        match values.data_type() {
            DataType::Utf8 | DataType::Utf8View => {
                let texts = Text::of(values)?;
                let hash = |row| texts.get(row).map(|text| xxhash64(text.as_bytes()));
                self.add_all((0..values.len()).map(hash));
            }
            DataType::Binary => {
                self.add_all(values.as_binary::<i32>().iter().map(|bytes| bytes.map(xxhash64)));
            }
            DataType::Boolean => {
                let hash = |value: Option<bool>| value.map(|value| of_long(i64::from(value)));
                self.add_all(values.as_boolean().iter().map(hash));
            }
            DataType::Float64 => {
                // There is one zero and one NaN, since equal values have equal sums.
                let hash = |value: Option<f64>| {
                    value.map(|value| {
                        let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
                        xxhash64(&value.to_le_bytes())
                    })
                };
                self.add_all(values.as_primitive::<Float64Type>().iter().map(hash));
            }
            DataType::Date32 => {
                let days = values.as_primitive::<Date32Type>();
                self.add_all(days.iter().map(|day| day.map(|day| of_long(i64::from(day)))));
            }
            DataType::Int64 => {
                let longs = values.as_primitive::<Int64Type>();
                self.add_all(longs.iter().map(|long| long.map(of_long)));
            }
            other => return internal_err!("no checksum of {other}"),
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.sum.map(|sum| sum.to_le_bytes().to_vec())))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(self.sum.map(u64::cast_signed))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [sums, ..] = states else { return internal_err!("a state was expected") };
        for sum in sums.as_primitive::<Int64Type>().iter().flatten() {
            self.add(sum.cast_unsigned());
        }
        Ok(())
    }
}
