//! The values of partition columns, from paths to columns of their declared types.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, Date32Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray,
        StringViewArray,
    },
    datatypes::DataType,
};
use chrono::NaiveDate;

use super::{dates::DateFormat, hive_type::HiveType, store::DeclaredTable};

/// The type of the partition column `at` of `table`.
pub(super) fn data_type(table: &DeclaredTable, at: usize) -> DataType {
    let column = table.declaration.partitions.get(at);
    column.map_or(DataType::Utf8, |column| column.ty.arrow())
}

/// The values `texts` of the partition column `at`, in its type. What is no value of that type
/// is NULL, as in Athena.
pub(super) fn column<'t>(
    table: &DeclaredTable,
    at: usize,
    texts: impl Iterator<Item = Option<&'t str>>,
) -> ArrayRef {
    let ty = table.declaration.partitions.get(at).map_or(&HiveType::String, |column| &column.ty);
    let projected = table.declaration.projection.as_ref().and_then(|p| p.values.get(at));
    let format = projected.and_then(|values| values.format());
    match ty {
        HiveType::TinyInt => Arc::new(numbers::<i8>(texts).collect::<Int8Array>()),
        HiveType::SmallInt => Arc::new(numbers::<i16>(texts).collect::<Int16Array>()),
        HiveType::Int => Arc::new(numbers::<i32>(texts).collect::<Int32Array>()),
        HiveType::BigInt => Arc::new(numbers::<i64>(texts).collect::<Int64Array>()),
        HiveType::Date => Arc::new(texts.map(|text| days(text?, format)).collect::<Date32Array>()),
        _ => Arc::new(texts.collect::<StringArray>()),
    }
}

/// `text` as Hive keeps a value of the type `ty`: numbers without zeros in front.
pub(super) fn spelled(ty: &HiveType, text: &str) -> String {
    match (ty, text.parse::<i64>()) {
        (HiveType::String | HiveType::Date, _) | (_, Err(_)) => text.to_owned(),
        (_, Ok(number)) => number.to_string(),
    }
}

fn numbers<'t, T: std::str::FromStr>(
    texts: impl Iterator<Item = Option<&'t str>>,
) -> impl Iterator<Item = Option<T>> {
    texts.map(|text| text?.parse().ok())
}

/// The day that `text` means, in days since 1970.
pub(super) fn days(text: &str, format: Option<&DateFormat>) -> Option<i32> {
    let date = match format {
        Some(format) => format.read(text)?.date(),
        None => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?,
    };
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// What `of` makes of each of `texts`, made once where the same text comes many times over.
///
/// Texts of one page of a dictionary are the same bytes of the same buffer, which their views
/// tell without looking at them.
pub(super) fn each_once<T>(
    texts: &StringViewArray,
    mut of: impl FnMut(&str) -> T,
) -> (Vec<T>, Vec<Option<usize>>) {
    use arrow::array::Array as _;
    let (mut made, mut known) = (Vec::new(), HashMap::<u128, usize>::new());
    let views = texts.views().iter().enumerate();
    let places = views.map(|(row, view)| {
        texts.is_valid(row).then(|| {
            *known.entry(*view).or_insert_with(|| {
                made.push(of(texts.value(row)));
                made.len() - 1
            })
        })
    });
    let places = places.collect();
    (made, places)
}
