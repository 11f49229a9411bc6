//! Columns under construction.
//!
//! A row touches only the columns it has values for: each column knows the row it was last
//! written at and fills what lies between with nulls when it is written again, or finished. So a
//! field that is absent costs nothing. Nothing is allocated per value.

use std::{mem, sync::Arc};

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, MapArray, PrimitiveArray,
        StringArray, StructArray,
    },
    buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::{ArrowNativeType, DataType, FieldRef},
};

use crate::logs::cloudtrail::scan;

/// A bit for each row, unset where nothing was said.
#[derive(Debug, Default, Clone)]
pub(super) struct Bits(Vec<u8>);

impl Bits {
    #[inline]
    pub(super) fn set(&mut self, row: usize) {
        let byte = row / 8;
        if byte >= self.0.len() {
            self.0.resize(byte + 1, 0);
        }
        if let Some(byte) = self.0.get_mut(byte) {
            *byte |= 1 << (row % 8);
        }
    }

    /// Sets every bit that is set in `other`.
    pub(super) fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (byte, other) in self.0.iter_mut().zip(&other.0) {
            *byte |= other;
        }
    }

    fn buffer(mut self, rows: usize) -> BooleanBuffer {
        self.0.resize(rows.div_ceil(8), 0);
        BooleanBuffer::new(Buffer::from_vec(self.0), 0, rows)
    }

    /// As the validity of `rows` rows; nothing where all are valid.
    pub(super) fn nulls(self, rows: usize) -> Option<NullBuffer> {
        let nulls = NullBuffer::new(self.buffer(rows));
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// A length as an offset. The decoder refuses records before a column gets this long.
#[inline]
fn offset(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// Ends of runs, one for each row, behind a leading 0.
#[derive(Debug)]
struct Offsets(Vec<i32>);

impl Offsets {
    fn new(capacity: usize) -> Self {
        let mut offsets = Vec::with_capacity(capacity + 1);
        offsets.push(0);
        Self(offsets)
    }

    #[inline]
    fn last(&self) -> i32 {
        self.0.last().copied().unwrap_or(0)
    }

    /// Ends all rows before `row`, those not written empty.
    #[inline]
    fn fill(&mut self, row: usize) {
        if self.0.len() <= row {
            self.0.resize(row + 1, self.last());
        }
    }

    /// Where the values of `row` begin and end, if it is the last one written.
    #[inline]
    fn of(&self, row: usize) -> Option<(usize, usize)> {
        match self.0.get(row..)? {
            [start, end] => Some((start.as_usize(), end.as_usize())),
            _ => None,
        }
    }

    fn take(&mut self, rows: usize) -> OffsetBuffer<i32> {
        self.fill(rows);
        let offsets = mem::replace(self, Self::new(rows));
        OffsetBuffer::new(ScalarBuffer::from(offsets.0))
    }
}

/// Texts.
#[derive(Debug)]
pub(super) struct TextColumn {
    data: Vec<u8>,
    offsets: Offsets,
    valid: Bits,
}

impl TextColumn {
    pub(super) fn new() -> Self {
        Self { data: Vec::new(), offsets: Offsets::new(0), valid: Bits::default() }
    }

    /// Gives `row`, which must be behind all rows written, the value that `write` appends.
    #[inline]
    pub(super) fn write(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.offsets.fill(row);
        write(&mut self.data);
        self.offsets.0.push(offset(self.data.len()));
        self.valid.set(row);
    }

    #[inline]
    pub(super) fn push(&mut self, row: usize, value: &[u8]) {
        self.write(row, |data| data.extend_from_slice(value));
    }

    /// Ends a row without a value, where rows are counted and not skipped.
    pub(super) fn push_null(&mut self, row: usize) {
        self.offsets.fill(row + 1);
    }

    /// The value of `row`, if it has one and none behind it was written.
    #[inline]
    pub(super) fn last(&self, row: usize) -> Option<&[u8]> {
        let (start, end) = self.offsets.of(row)?;
        self.data.get(start..end)
    }

    pub(super) fn valid(&self) -> &Bits {
        &self.valid
    }

    /// The first `rows` rows, and starts anew.
    pub(super) fn take(&mut self, rows: usize) -> StringArray {
        let used = self.data.len();
        let data = mem::replace(&mut self.data, Vec::with_capacity(used));
        let nulls = mem::take(&mut self.valid).nulls(rows);
        // The values are whole pieces of records that were checked to be UTF-8, cut at ASCII.
        StringArray::new(self.offsets.take(rows), Buffer::from_vec(data), nulls)
    }
}

/// Numbers.
#[derive(Debug)]
pub(super) struct NumberColumn<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    valid: Bits,
}

impl<T: ArrowPrimitiveType> NumberColumn<T> {
    pub(super) fn new() -> Self {
        Self { values: Vec::new(), valid: Bits::default() }
    }

    #[inline]
    pub(super) fn push(&mut self, row: usize, value: T::Native) {
        self.fill(row);
        self.values.push(value);
        self.valid.set(row);
    }

    #[inline]
    fn fill(&mut self, row: usize) {
        if self.values.len() < row {
            self.values.resize(row, T::Native::default());
        }
    }

    pub(super) fn take(&mut self, rows: usize) -> PrimitiveArray<T> {
        self.fill(rows);
        let values = mem::replace(&mut self.values, Vec::with_capacity(rows));
        let nulls = mem::take(&mut self.valid).nulls(rows);
        PrimitiveArray::new(ScalarBuffer::from(values), nulls)
    }
}

/// Truths.
#[derive(Debug, Default)]
pub(super) struct BooleanColumn {
    values: Bits,
    valid: Bits,
}

impl BooleanColumn {
    #[inline]
    pub(super) fn push(&mut self, row: usize, value: bool) {
        if value {
            self.values.set(row);
        }
        self.valid.set(row);
    }

    pub(super) fn take(&mut self, rows: usize) -> BooleanArray {
        let values = mem::take(&mut self.values).buffer(rows);
        BooleanArray::new(values, mem::take(&mut self.valid).nulls(rows))
    }
}

/// Lists whose elements have `N` texts each: structs, entries of a map, or plain texts.
#[derive(Debug)]
pub(super) struct ListColumn<const N: usize> {
    members: [TextColumn; N],
    elements: usize,
    offsets: Offsets,
    valid: Bits,
}

/// A text as it lies in a record, or none.
pub(super) type Member<'a> = Option<Piece<'a>>;

/// A piece of a record, and how to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) raw: &'a [u8],
    pub(super) form: Form,
}

/// How a text is spelled in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is to be stored.
    Plain,
    /// The inside of a string with escapes.
    Escaped,
    /// JSON that is to be compacted.
    Loose,
    /// The inside of a string, without escapes, that stands where JSON was expected.
    Quoted,
    /// The same with escapes.
    QuotedEscaped,
}

impl Piece<'_> {
    /// Appends the text to `data`.
    #[inline]
    pub(super) fn write(self, data: &mut Vec<u8>) {
        match self.form {
            Form::Plain => data.extend_from_slice(self.raw),
            _ => self.write_changed(data),
        }
    }

    #[inline(never)]
    fn write_changed(self, data: &mut Vec<u8>) {
        match self.form {
            Form::Plain => data.extend_from_slice(self.raw),
            Form::Escaped => {
                scan::unescape(self.raw, data);
            }
            Form::Loose => scan::compact(self.raw, data),
            Form::Quoted => write_json_in_string(self.raw, data),
            Form::QuotedEscaped => {
                let mut text = Vec::with_capacity(self.raw.len());
                scan::unescape(self.raw, &mut text);
                write_json_in_string(&text, data);
            }
        }
    }
}

/// Appends `text` compacted where it is an object or an array, else as it is.
fn write_json_in_string(text: &[u8], data: &mut Vec<u8>) {
    let start = scan::space(text, 0);
    // The record's limits were checked already, and this is no deeper than it is long.
    let mut scanner = scan::Scanner::new(crate::logs::Limits {
        max_record_bytes: usize::MAX,
        max_depth: usize::MAX,
        max_keys: usize::MAX,
    });
    let whole = matches!(text.get(start), Some(b'{' | b'['))
        && scanner
            .value(text, start, 0)
            .is_ok_and(|value| scan::space(text, value.end) == text.len());
    if whole {
        scan::compact(text, data);
    } else {
        data.extend_from_slice(text);
    }
}

impl<const N: usize> ListColumn<N> {
    pub(super) fn new() -> Self {
        Self {
            members: std::array::from_fn(|_| TextColumn::new()),
            elements: 0,
            offsets: Offsets::new(0),
            valid: Bits::default(),
        }
    }

    /// Gives `row`, which must be behind all rows written, the list of `elements`.
    pub(super) fn push<'a>(&mut self, row: usize, elements: impl Iterator<Item = [Member<'a>; N]>) {
        self.offsets.fill(row);
        for element in elements {
            for (member, piece) in self.members.iter_mut().zip(element) {
                match piece {
                    Some(piece) => member.write(self.elements, |data| piece.write(data)),
                    None => member.push_null(self.elements),
                }
            }
            self.elements += 1;
        }
        self.offsets.0.push(offset(self.elements));
        self.valid.set(row);
    }

    pub(super) fn valid(&self) -> &Bits {
        &self.valid
    }

    /// Appends what tells the list of `row`, the last one written, from other lists.
    pub(super) fn last(&self, row: usize, mut each: impl FnMut(Option<&[u8]>)) {
        let Some((start, end)) = self.offsets.of(row) else { return };
        for element in start..end {
            for member in &self.members {
                each(member.at(element));
            }
        }
    }

    /// The first `rows` lists, and starts anew. `ty` is the type of the list or map.
    pub(super) fn take(&mut self, rows: usize, ty: &DataType) -> ArrayRef {
        let elements = mem::take(&mut self.elements);
        let mut members = self.members.iter_mut().map(|m| Arc::new(m.take(elements)) as ArrayRef);
        let offsets = self.offsets.take(rows);
        let nulls = mem::take(&mut self.valid).nulls(rows);
        let structs = |field: &FieldRef, members: Vec<ArrayRef>| match field.data_type() {
            DataType::Struct(fields) => Some(StructArray::new(fields.clone(), members, None)),
            _ => None,
        };
        match ty {
            DataType::Map(field, ordered) => {
                if let Some(entries) = structs(field, members.by_ref().collect()) {
                    return Arc::new(MapArray::new(
                        Arc::clone(field),
                        offsets,
                        entries,
                        nulls,
                        *ordered,
                    ));
                }
            }
            DataType::List(field) => {
                let members: Vec<ArrayRef> = members.by_ref().collect();
                let values = match structs(field, members.clone()) {
                    Some(structs) => Some(Arc::new(structs) as ArrayRef),
                    None => members.into_iter().next(),
                };
                if let Some(values) = values {
                    return Arc::new(ListArray::new(Arc::clone(field), offsets, values, nulls));
                }
            }
            _ => {}
        }
        arrow::array::new_null_array(ty, rows)
    }
}

impl TextColumn {
    /// The value of `row`, wherever it stands.
    fn at(&self, row: usize) -> Option<&[u8]> {
        let valid = self.valid.0.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1);
        let &[start, end] = self.offsets.0.get(row..row + 2).filter(|_| valid)? else {
            return None;
        };
        self.data.get(start.as_usize()..end.as_usize())
    }
}
