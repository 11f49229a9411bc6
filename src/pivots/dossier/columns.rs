//! Columns of an answer as the types they are read as.

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};

use crate::{ErrorKind, Result, error::BoxError};

fn failed(source: impl Into<BoxError>) -> crate::Error {
    ErrorKind::Columnar { action: "read an answer", source: source.into() }.into()
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| failed(format!("there is no column `{name}`")))
}

fn as_type(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    cast(column, data_type).map_err(failed)
}

/// A column of texts.
pub(super) fn texts(batch: &RecordBatch, name: &str) -> Result<StringViewArray> {
    text_array(column(batch, name)?)
}

fn text_array(column: &ArrayRef) -> Result<StringViewArray> {
    let array = as_type(column, &DataType::Utf8View)?;
    array.as_string_view_opt().cloned().ok_or_else(|| failed("expected text"))
}

/// A column of whole numbers; of timestamps, the microseconds since 1970.
pub(super) fn numbers(batch: &RecordBatch, name: &str) -> Result<Int64Array> {
    let array = as_type(column(batch, name)?, &DataType::Int64)?;
    array.as_primitive_opt::<Int64Type>().cloned().ok_or_else(|| failed("expected a number"))
}

/// The ARNs of a column of resources.
pub(super) struct Arns {
    /// Where each row's begin, and the last one's end.
    offsets: Vec<usize>,
    pub(super) values: StringViewArray,
}

impl Arns {
    /// The ARNs of the column `name`.
    pub(super) fn of(batch: &RecordBatch, name: &str) -> Result<Self> {
        let lists =
            column(batch, name)?.as_list_opt::<i32>().ok_or_else(|| failed("expected a list"))?;
        let structs =
            lists.values().as_struct_opt().ok_or_else(|| failed("expected a list of structs"))?;
        let arns =
            structs.column_by_name("arn").ok_or_else(|| failed("there is no member `arn`"))?;
        let offsets =
            lists.offsets().iter().map(|offset| usize::try_from(*offset).unwrap_or(0)).collect();
        Ok(Self { offsets, values: text_array(arns)? })
    }

    /// The places of row `row`'s in [`Self::values`].
    pub(super) fn places(&self, row: usize) -> impl Iterator<Item = usize> {
        let at = |row: usize| self.offsets.get(row).copied().unwrap_or(0);
        (at(row)..at(row + 1)).filter(|place| self.values.is_valid(*place))
    }
}

/// A text of `array`, where there is one that says something.
pub(super) fn value(array: &StringViewArray, row: usize) -> Option<&str> {
    (row < array.len() && array.is_valid(row))
        .then(|| array.value(row))
        .filter(|value| !value.is_empty())
}
