//! What functions that go row by row read their arguments with and write their results with.
//!
//! Scalars are never blown up to arrays; text is read in place, and results are written into one
//! buffer that all rows share.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{
        Array, ArrayBuilder, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray,
        Float64Array, Int64Array, ListArray, NullBufferBuilder, StringBuilder,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field, Float64Type, Int64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::scalar::{Text, is_varchar};
use crate::engine::type_name;

/// What an argument may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Varchar,
    BigInt,
    Double,
    Varbinary,
    Address,
}

impl Kind {
    /// The type an argument of `data_type` is cast to; nothing where it does not fit.
    fn takes(self, data_type: &DataType) -> Option<DataType> {
        let data_type = match data_type {
            DataType::Dictionary(_, value) => value,
            other => other,
        };
        let null = data_type.is_null();
        match self {
            Self::Varchar if null => Some(DataType::Utf8),
            Self::Varchar => is_varchar(data_type).then(|| data_type.clone()),
            Self::BigInt => (null || data_type.is_integer()).then_some(DataType::Int64),
            Self::Double => (null || data_type.is_numeric()).then_some(DataType::Float64),
            Self::Varbinary => {
                let fits = match data_type {
                    DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
                    DataType::FixedSizeBinary(size) => *size != ADDRESS_BYTES,
                    _ => null,
                };
                fits.then_some(DataType::Binary)
            }
            Self::Address => (null || is_address(data_type)).then_some(ADDRESS),
        }
    }
}

const ADDRESS_BYTES: i32 = 16;

/// The type `ipaddress`.
pub(super) const ADDRESS: DataType = DataType::FixedSizeBinary(ADDRESS_BYTES);

pub(in crate::engine) fn is_address(data_type: &DataType) -> bool {
    matches!(data_type, DataType::FixedSizeBinary(ADDRESS_BYTES))
}

/// The types that `types` are cast to: those of the first of `forms` that they fit.
pub(super) fn take(types: &[DataType], forms: &[&[Kind]]) -> Result<Vec<DataType>> {
    let fit = |form: &&[Kind]| {
        let pairs = form.iter().zip(types);
        let cast: Option<Vec<DataType>> = pairs.map(|(kind, given)| kind.takes(given)).collect();
        cast.filter(|_| form.len() == types.len())
    };
    match forms.iter().find_map(fit) {
        Some(cast) => Ok(cast),
        None => does_not_take(types),
    }
}

/// The error about types that do not fit.
pub(super) fn does_not_take<T>(types: &[DataType]) -> Result<T> {
    let names: Vec<String> = types.iter().map(type_name).collect();
    plan_err!("it does not take ({})", names.join(", "))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
pub(super) fn varchar(_: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(DataType::Utf8)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
pub(super) fn bigint(_: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(DataType::Int64)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
pub(super) fn double(_: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(DataType::Float64)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
pub(super) fn boolean(_: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(DataType::Boolean)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
pub(super) fn varbinary(_: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(DataType::Binary)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Returns`")]
pub(super) fn varchars(_: &ReturnFieldArgs<'_>) -> Result<DataType> {
    Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))))
}

/// The type of the first argument, with text in its plain form.
pub(super) fn as_first(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    match args.arg_fields.first().map(|field| field.data_type()) {
        Some(DataType::Utf8View) => Ok(DataType::Utf8),
        Some(other) => Ok(other.clone()),
        None => plan_err!("an argument is missing"),
    }
}

/// One entry of the table of functions.
macro_rules! scalar {
    ($family:expr, $name:expr, $aliases:expr, $signature:expr, $text:expr, $examples:expr,
     $coerce:expr, $returns:expr, $run:expr $(,)?) => {
        $crate::engine::functions::Function {
            name: $name,
            aliases: &$aliases,
            family: $family,
            signature: $signature,
            text: $text,
            examples: &$examples,
            make: || {
                $crate::engine::functions::scalar::Scalar::new($name, $coerce, $returns, $run)
                    .made()
            },
        }
    };
}

/// The value there is, or a row that is NULL.
macro_rules! given {
    ($value:expr) => {
        match $value {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

pub(super) use {given, scalar};

/// The beginning of `text`, as errors repeat it.
pub(in crate::engine) fn excerpt(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// `text` as errors quote it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", excerpt(text))
}

/// More bytes than a batch's text can have.
const BATCH_BYTES: usize = i32::MAX as usize;

/// The error about a result that is too large.
pub(super) fn too_large<T>() -> Result<T> {
    exec_err!("the result is too large: text of one batch ends at 2 GiB")
}

/// One call of a function over a batch.
pub(super) struct Call {
    columns: Vec<(ArrayRef, bool)>,
    rows: usize,
    constant: bool,
}

impl Call {
    /// A call whose result is one value when all arguments are.
    pub(super) fn of(args: &ScalarFunctionArgs) -> Result<Self> {
        let is_scalar = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Scalar(_));
        Self::with(args, args.args.iter().all(is_scalar))
    }

    /// A call whose result differs from row to row even where the arguments do not.
    pub(super) fn each_row(args: &ScalarFunctionArgs) -> Result<Self> {
        Self::with(args, false)
    }

    fn with(args: &ScalarFunctionArgs, constant: bool) -> Result<Self> {
        let column = |arg: &ColumnarValue| match arg {
            ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
            ColumnarValue::Scalar(scalar) => Ok((scalar.to_array()?, true)),
        };
        let columns = args.args.iter().map(column).collect::<Result<_>>()?;
        Ok(Self { columns, rows: if constant { 1 } else { args.number_rows }, constant })
    }

    /// How many arguments there are.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Argument `index`, and whether it is one value for all rows.
    pub(super) fn column(&self, index: usize) -> Result<(&ArrayRef, bool)> {
        if let Some((array, one)) = self.columns.get(index) {
            Ok((array, *one))
        } else {
            exec_err!("argument {} is missing", index + 1)
        }
    }

    pub(super) fn texts(&self, index: usize) -> Result<Texts<'_>> {
        let (array, one) = self.column(index)?;
        Ok(Texts { text: Text::of(array)?, one })
    }

    /// The texts of argument `index` where there is one.
    pub(super) fn optional_texts(&self, index: usize) -> Result<Option<Texts<'_>>> {
        (index < self.len()).then(|| self.texts(index)).transpose()
    }

    pub(super) fn longs(&self, index: usize) -> Result<Longs<'_>> {
        let (array, one) = self.column(index)?;
        if let Some(array) = array.as_primitive_opt::<Int64Type>() {
            Ok(Longs { array, one })
        } else {
            exec_err!("a bigint was expected, not {}", array.data_type())
        }
    }

    /// The numbers of argument `index` where there is one.
    pub(super) fn optional_longs(&self, index: usize) -> Result<Option<Longs<'_>>> {
        (index < self.len()).then(|| self.longs(index)).transpose()
    }

    pub(super) fn doubles(&self, index: usize) -> Result<Doubles<'_>> {
        let (array, one) = self.column(index)?;
        if let Some(array) = array.as_primitive_opt::<Float64Type>() {
            Ok(Doubles { array, one })
        } else {
            exec_err!("a double was expected, not {}", array.data_type())
        }
    }

    pub(super) fn bytes(&self, index: usize) -> Result<Bytes<'_>> {
        let (array, one) = self.column(index)?;
        if let Some(array) = array.as_binary_opt::<i32>() {
            Ok(Bytes { array, one })
        } else {
            exec_err!("a varbinary was expected, not {}", array.data_type())
        }
    }

    /// The result: one value for a call of constants.
    pub(super) fn finish(&self, array: ArrayRef) -> Result<ColumnarValue> {
        if self.constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }

    /// Text that is written row by row: `write` appends to an empty buffer.
    pub(super) fn write_text(
        &self,
        mut write: impl FnMut(usize, &mut String) -> Result<Option<()>>,
    ) -> Result<ColumnarValue> {
        let mut builder = StringBuilder::with_capacity(self.rows, self.rows * 16);
        let (mut buffer, mut total) = (String::new(), 0_usize);
        for row in 0..self.rows {
            buffer.clear();
            let written = write(row, &mut buffer)?;
            total = total.saturating_add(buffer.len());
            if total > BATCH_BYTES {
                return too_large();
            }
            builder.append_option(written.map(|()| buffer.as_str()));
        }
        self.finish(Arc::new(builder.finish()))
    }

    /// Text that is part of an argument.
    pub(super) fn cut_text<'a>(
        &self,
        mut cut: impl FnMut(usize) -> Result<Option<&'a str>>,
    ) -> Result<ColumnarValue> {
        let mut texts = Elements::new(self.rows, self.rows * 16);
        for row in 0..self.rows {
            texts.push(cut(row)?)?;
        }
        self.finish(Arc::new(texts.texts.finish()))
    }

    /// Bytes that are written row by row: `write` appends to an empty buffer.
    pub(super) fn write_bytes(
        &self,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> Result<Option<()>>,
    ) -> Result<ColumnarValue> {
        let mut builder = BinaryBuilder::with_capacity(self.rows, self.rows * 16);
        let (mut buffer, mut total) = (Vec::new(), 0_usize);
        for row in 0..self.rows {
            buffer.clear();
            let written = write(row, &mut buffer)?;
            total = total.saturating_add(buffer.len());
            if total > BATCH_BYTES {
                return too_large();
            }
            builder.append_option(written.map(|()| buffer.as_slice()));
        }
        self.finish(Arc::new(builder.finish()))
    }

    pub(super) fn make_longs(
        &self,
        make: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ColumnarValue> {
        let (values, nulls) = self.make_values(make)?;
        self.finish(Arc::new(Int64Array::try_new(values.into(), nulls)?))
    }

    pub(super) fn make_doubles(
        &self,
        make: impl FnMut(usize) -> Result<Option<f64>>,
    ) -> Result<ColumnarValue> {
        let (values, nulls) = self.make_values(make)?;
        self.finish(Arc::new(Float64Array::try_new(values.into(), nulls)?))
    }

    pub(super) fn make_booleans(
        &self,
        make: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ColumnarValue> {
        let (values, nulls) = self.make_values(make)?;
        self.finish(Arc::new(BooleanArray::new(values.into(), nulls)))
    }

    fn make_values<T: Default>(
        &self,
        mut make: impl FnMut(usize) -> Result<Option<T>>,
    ) -> Result<(Vec<T>, Option<NullBuffer>)> {
        let mut values = Vec::with_capacity(self.rows);
        let mut nulls = NullBufferBuilder::new(self.rows);
        for row in 0..self.rows {
            let value = make(row)?;
            nulls.append(value.is_some());
            values.push(value.unwrap_or_default());
        }
        Ok((values, nulls.finish()))
    }

    /// The bytes of a first argument that is a column of text: as much as its parts take. Room for
    /// them is made at once, since a large buffer that grows costs more than what is written into it.
    fn first_bytes(&self) -> usize {
        match self.columns.first() {
            Some((array, false)) => match array.data_type() {
                DataType::Utf8 => {
                    let ends = array.as_string::<i32>().value_offsets();
                    let bytes = ends.first().zip(ends.last()).map(|(from, to)| to - from);
                    bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default()
                }
                DataType::Utf8View => {
                    array.as_string_view().lengths().map(|length| length as usize).sum()
                }
                _ => 0,
            },
            _ => 0,
        }
    }

    /// Arrays of varchar: `make` appends the elements.
    pub(super) fn make_lists(
        &self,
        mut make: impl FnMut(usize, &mut Elements) -> Result<Option<()>>,
    ) -> Result<ColumnarValue> {
        let mut elements = Elements::new(self.rows, self.first_bytes());
        let mut ends = Vec::with_capacity(self.rows + 1);
        ends.push(0);
        let mut nulls = NullBufferBuilder::new(self.rows);
        for row in 0..self.rows {
            nulls.append(make(row, &mut elements)?.is_some());
            ends.push(i32::try_from(elements.texts.len()).or_else(|_| too_large())?);
        }
        let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let values = Arc::new(elements.texts.finish());
        let ends = OffsetBuffer::new(ends.into());
        self.finish(Arc::new(ListArray::try_new(field, ends, values, nulls.finish())?))
    }
}

/// Texts one after another: the elements of arrays that are being made.
pub(super) struct Elements {
    texts: StringBuilder,
    /// Bytes that still fit.
    room: usize,
}

impl Elements {
    fn new(elements: usize, bytes: usize) -> Self {
        // An array's offsets are 32 bits wide, and the builder would panic where they end.
        let room = usize::try_from(i32::MAX).unwrap_or(usize::MAX);
        Self { texts: StringBuilder::with_capacity(elements, bytes), room }
    }

    /// Appends a text, an element of the row's array.
    #[inline]
    pub(super) fn push(&mut self, element: Option<&str>) -> Result<()> {
        let Some(text) = element else {
            self.texts.append_null();
            return Ok(());
        };
        match self.room.checked_sub(text.len()) {
            Some(room) => self.room = room,
            None => return too_large(),
        }
        self.texts.append_value(text);
        Ok(())
    }
}

/// Texts, by row.
pub(super) struct Texts<'a> {
    text: Text<'a>,
    one: bool,
}

impl<'a> Texts<'a> {
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        self.text.get(if self.one { 0 } else { row })
    }
}

/// Integers, by row.
pub(super) struct Longs<'a> {
    array: &'a Int64Array,
    one: bool,
}

impl Longs<'_> {
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        let row = if self.one { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

/// Floating-point numbers, by row.
pub(super) struct Doubles<'a> {
    array: &'a Float64Array,
    one: bool,
}

impl Doubles<'_> {
    pub(super) fn get(&self, row: usize) -> Option<f64> {
        let row = if self.one { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

/// Bytes, by row.
pub(super) struct Bytes<'a> {
    array: &'a BinaryArray,
    one: bool,
}

impl<'a> Bytes<'a> {
    pub(super) fn get(&self, row: usize) -> Option<&'a [u8]> {
        let row = if self.one { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}
