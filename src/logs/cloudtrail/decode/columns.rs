//! Columns under construction.
//!
//! A row touches only the columns it has values for: each column fills what lies between with
//! nulls when it is written again, or finished. So a field that is absent costs nothing, and
//! nothing is allocated per value.

use std::{mem, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, ListArray,
        MapArray, PrimitiveArray, StringArray, StringBuilder, StructArray, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::{DataType, FieldRef},
};

/// Texts.
#[derive(Debug)]
pub(super) struct TextColumn {
    /// Rows written or filled.
    rows: usize,
    builder: StringBuilder,
}

impl TextColumn {
    pub(super) fn new() -> Self {
        Self { rows: 0, builder: StringBuilder::with_capacity(0, 0) }
    }

    /// Gives `row`, which must be behind all rows written, a value.
    #[inline]
    pub(super) fn push(&mut self, row: usize, value: &str) {
        if self.rows != row {
            self.fill(row);
        }
        self.builder.append_value(value);
        self.rows = row + 1;
    }

    /// The same, where there may be none.
    #[inline]
    pub(super) fn put(&mut self, row: usize, value: Option<&str>) {
        if let Some(value) = value {
            self.push(row, value);
        }
    }

    #[inline(never)]
    fn fill(&mut self, rows: usize) {
        self.builder.append_nulls(rows.saturating_sub(self.rows));
        self.rows = rows;
    }

    /// The first `rows` rows, and starts anew, with as much room as was used.
    pub(super) fn take(&mut self, rows: usize) -> StringArray {
        if self.rows == 0 {
            return StringArray::new_null(rows);
        }
        self.fill(rows);
        self.rows = 0;
        let room = StringBuilder::with_capacity(rows, self.builder.values_slice().len());
        mem::replace(&mut self.builder, room).finish()
    }
}

/// Numbers.
#[derive(Debug)]
pub(super) struct NumberColumn<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    valid: Valid,
}

impl<T: ArrowPrimitiveType> NumberColumn<T> {
    pub(super) fn new() -> Self {
        Self { values: Vec::new(), valid: Valid::default() }
    }

    /// Gives `row`, which must be behind all rows written, a value.
    #[inline]
    pub(super) fn push(&mut self, row: usize, value: T::Native) {
        self.valid.push(row);
        if self.values.len() != row {
            self.values.resize(row, T::Native::default());
        }
        self.values.push(value);
    }

    pub(super) fn take(&mut self, rows: usize) -> PrimitiveArray<T> {
        self.values.resize(rows, T::Native::default());
        let values = mem::replace(&mut self.values, Vec::with_capacity(rows));
        PrimitiveArray::new(ScalarBuffer::from(values), self.valid.take(rows))
    }
}

/// Truths.
#[derive(Debug)]
pub(super) struct BooleanColumn {
    values: BooleanBufferBuilder,
    valid: Valid,
}

impl BooleanColumn {
    pub(super) fn new() -> Self {
        Self { values: BooleanBufferBuilder::new(0), valid: Valid::default() }
    }

    /// Gives `row`, which must be behind all rows written, a value.
    #[inline]
    pub(super) fn push(&mut self, row: usize, value: bool) {
        self.valid.push(row);
        if self.values.len() != row {
            self.values.resize(row);
        }
        self.values.append(value);
    }

    pub(super) fn take(&mut self, rows: usize) -> BooleanArray {
        self.values.resize(rows);
        BooleanArray::new(self.values.finish(), self.valid.take(rows))
    }
}

/// Which rows have a value.
#[derive(Debug, Default)]
struct Valid {
    rows: usize,
    /// Nothing as long as all rows have one.
    bits: Option<BooleanBufferBuilder>,
}

impl Valid {
    #[inline]
    fn push(&mut self, row: usize) {
        if self.rows != row {
            self.fill(row);
        }
        if let Some(bits) = &mut self.bits {
            bits.append(true);
        }
        self.rows = row + 1;
    }

    #[inline(never)]
    fn fill(&mut self, rows: usize) {
        if rows > self.rows {
            let written = self.rows;
            let bits = self.bits.get_or_insert_with(|| {
                let mut bits = BooleanBufferBuilder::new(rows);
                bits.append_n(written, true);
                bits
            });
            bits.append_n(rows - written, false);
            self.rows = rows;
        }
    }

    fn take(&mut self, rows: usize) -> Option<NullBuffer> {
        self.fill(rows);
        self.rows = 0;
        Some(NullBuffer::new(self.bits.take()?.finish()))
    }
}

/// Lists whose elements have `N` texts each: structs, entries of a map, or plain texts.
#[derive(Debug)]
pub(super) struct ListColumn<const N: usize> {
    members: [TextColumn; N],
    elements: usize,
    /// Where each row's elements end.
    ends: Vec<i32>,
    valid: Valid,
}

impl<const N: usize> ListColumn<N> {
    pub(super) fn new() -> Self {
        Self {
            members: std::array::from_fn(|_| TextColumn::new()),
            elements: 0,
            ends: Vec::new(),
            valid: Valid::default(),
        }
    }

    /// Gives `row`, which must be behind all rows written, the list of `elements`.
    pub(super) fn push<'a>(
        &mut self,
        row: usize,
        elements: impl Iterator<Item = [Option<&'a str>; N]>,
    ) {
        self.valid.push(row);
        self.fill(row);
        for element in elements {
            for (member, text) in self.members.iter_mut().zip(element) {
                member.put(self.elements, text);
            }
            self.elements += 1;
        }
        self.ends.push(offset(self.elements));
    }

    fn fill(&mut self, rows: usize) {
        if self.ends.len() < rows {
            self.ends.resize(rows, self.ends.last().copied().unwrap_or(0));
        }
    }

    /// The first `rows` lists, and starts anew. `ty` is the type of the list or map.
    pub(super) fn take(&mut self, rows: usize, ty: &DataType) -> ArrayRef {
        self.fill(rows);
        let elements = mem::take(&mut self.elements);
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let nulls = self.valid.take(rows);
        let members: Vec<ArrayRef> =
            self.members.iter_mut().map(|member| Arc::new(member.take(elements)) as _).collect();
        let structs = |field: &FieldRef, members| match field.data_type() {
            DataType::Struct(fields) => Some(StructArray::new(fields.clone(), members, None)),
            _ => None,
        };
        match ty {
            DataType::Map(field, ordered) => match structs(field, members) {
                Some(entries) => {
                    let field = Arc::clone(field);
                    Arc::new(MapArray::new(field, offsets, entries, nulls, *ordered))
                }
                None => new_null_array(ty, rows),
            },
            DataType::List(field) => {
                let texts = members.first().map(Arc::clone);
                let structs = structs(field, members).map(|structs| Arc::new(structs) as ArrayRef);
                match structs.or(texts) {
                    Some(values) => {
                        Arc::new(ListArray::new(Arc::clone(field), offsets, values, nulls))
                    }
                    None => new_null_array(ty, rows),
                }
            }
            _ => new_null_array(ty, rows),
        }
    }
}

/// A number of elements as an offset. The decoder refuses records before there are so many.
fn offset(elements: usize) -> i32 {
    i32::try_from(elements).unwrap_or(i32::MAX)
}

/// The rows in which any of `arrays` has a value; all of them where that is nothing.
pub(super) fn any_valid(arrays: &[ArrayRef]) -> Option<NullBuffer> {
    let mut any: Option<NullBuffer> = None;
    for array in arrays {
        let valid = array.nulls()?;
        any = Some(match any {
            Some(others) => NullBuffer::new(others.inner() | valid.inner()),
            None => valid.clone(),
        });
    }
    any
}
