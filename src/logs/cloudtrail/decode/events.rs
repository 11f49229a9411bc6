//! Rows of `cloudtrail_logs` under construction.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, StructArray, new_null_array},
    datatypes::{DataType, Schema},
};

use crate::logs::cloudtrail::{
    derive::Hasher,
    fields::{Leaf, nodes},
    schema::{self, Column, Type},
};

use super::{
    FileMeta, RecordMeta, SortKey,
    columns::{Bits, BooleanColumn, Form, ListColumn, Piece, TextColumn},
    companions::Companions,
    extra,
    origin::{Fallback, Origin},
    record::Parsed,
};

/// The texts of the row at hand, as stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    columns: &'a [TextColumn; Leaf::ALL.len()],
    row: usize,
}

impl<'a> Texts<'a> {
    /// The text of `leaf`; nothing where it is absent, null or empty.
    #[inline]
    pub(super) fn get(self, leaf: Leaf) -> Option<&'a [u8]> {
        self.columns.get(leaf as usize)?.last(self.row).filter(|text| !text.is_empty())
    }
}

/// The leaves whose value is a flag, not a text.
const FLAGS: u128 = Leaf::ReadOnly.bit() | Leaf::ManagementEvent.bit();

/// The columns of `cloudtrail_logs`.
#[derive(Debug)]
pub(super) struct Events {
    rows: usize,
    leaves: [TextColumn; Leaf::ALL.len()],
    attributes: ListColumn<2>,
    resources: ListColumn<3>,
    prefixes: ListColumn<1>,
    management_event: BooleanColumn,
    empty_fields: TextColumn,
    extra: TextColumn,
    companions: Companions,
    origin: Origin,
    empty: EmptyFields,
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            rows: 0,
            leaves: std::array::from_fn(|_| TextColumn::new()),
            attributes: ListColumn::new(),
            resources: ListColumn::new(),
            prefixes: ListColumn::new(),
            management_event: BooleanColumn::default(),
            empty_fields: TextColumn::new(),
            extra: TextColumn::new(),
            companions: Companions::new(),
            origin: Origin::new(),
            empty: EmptyFields::new(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends the record `json` that `parsed` describes; gives its key and its bytes.
    pub(super) fn push(
        &mut self,
        file: &FileMeta,
        record: &RecordMeta<'_>,
        json: &[u8],
        parsed: &Parsed,
    ) -> (SortKey, usize) {
        let row = self.rows;
        self.push_leaves(row, json, parsed);
        let management = self.push_flags(row, json, parsed);
        self.push_lists(row, json, parsed);
        if parsed.nulls | parsed.empties != 0 {
            self.empty_fields.push(row, self.empty.text(parsed.nulls, parsed.empties));
        }
        if parsed.deviant {
            self.extra.write(row, |out| extra::write(json, parsed, out));
        }
        let id = self.id(row, parsed);
        let texts = Texts { columns: &self.leaves, row };
        let time_key = parsed.time_key(json);
        let ts = self.companions.push(row, texts, management, time_key);
        let fallback = Fallback {
            account: texts.get(Leaf::RecipientAccount).or_else(|| texts.get(Leaf::UserAccount)),
            region: texts.get(Leaf::AwsRegion),
            time: ts,
        };
        let size = self.origin.push(row, file, record, fallback);
        self.rows += 1;
        let ts = ts.unwrap_or(i64::MIN);
        // A row keeps about its record's bytes, and four bytes of offset in each column.
        let size = size + json.len() + 4 * (Leaf::ALL.len() + 32);
        (SortKey { ts, id, seq: file.seq, record_no: record.record_no }, size)
    }

    fn push_leaves(&mut self, row: usize, json: &[u8], parsed: &Parsed) {
        let mut rest = parsed.present & !FLAGS;
        while rest != 0 {
            let index = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if let (Some(column), Some(slot)) = (self.leaves.get_mut(index), parsed.slot(index)) {
                let piece = slot.piece(json);
                column.write(row, |data| piece.write(data));
            }
        }
    }

    /// Gives managementEvent.
    fn push_flags(&mut self, row: usize, json: &[u8], parsed: &Parsed) -> Option<bool> {
        if let Some(piece) = parsed.get(Leaf::ReadOnly, json) {
            if let Some(column) = self.leaves.get_mut(Leaf::ReadOnly as usize) {
                match flag(piece) {
                    Some(true) => column.push(row, b"true"),
                    Some(false) => column.push(row, b"false"),
                    None => column.write(row, |data| piece.write(data)),
                }
            }
        }
        let management = parsed.get(Leaf::ManagementEvent, json).and_then(flag);
        if let Some(management) = management {
            self.management_event.push(row, management);
        }
        management
    }

    fn push_lists(&mut self, row: usize, json: &[u8], parsed: &Parsed) {
        let piece = |slot: Option<super::record::Slot>| slot.map(|slot| slot.piece(json));
        if !parsed.attributes.is_empty() {
            let entries = parsed.attributes.iter();
            self.attributes.push(row, entries.map(|entry| entry.map(piece)));
        }
        let Some(resources) = &parsed.resources else { return };
        self.resources.push(
            row,
            resources.iter().map(|[arn, account, ty, _]| [arn, account, ty].map(|s| piece(*s))),
        );
        if resources.iter().any(|[.., prefix]| prefix.is_some()) {
            self.prefixes.push(row, resources.iter().map(|[.., prefix]| [piece(*prefix)]));
        }
    }

    /// The hash of (recipient account, event id), or of the content where there is no event id.
    ///
    /// Hashes texts as stored, so that equal rows have equal hashes however they were spelled.
    fn id(&self, row: usize, parsed: &Parsed) -> u64 {
        let texts = Texts { columns: &self.leaves, row };
        let mut hasher = Hasher::new();
        if let Some(event_id) = texts.get(Leaf::EventId) {
            hasher.add(texts.get(Leaf::RecipientAccount).unwrap_or_default());
            hasher.add(event_id);
            return hasher.finish();
        }
        for (column, index) in self.leaves.iter().zip(0..) {
            if let Some(text) = column.last(row) {
                hasher.word(index);
                hasher.add(text);
            }
        }
        for list in [self.empty_fields.last(row), self.extra.last(row)].into_iter().flatten() {
            hasher.add(list);
        }
        let mut add = |text: Option<&[u8]>| match text {
            Some(text) => hasher.add(text),
            None => hasher.word(u64::MAX),
        };
        if parsed.resources.is_some() {
            self.resources.last(row, &mut add);
            self.prefixes.last(row, &mut add);
        }
        if !parsed.attributes.is_empty() {
            self.attributes.last(row, &mut add);
        }
        hasher.finish()
    }

    /// The rows gathered; starts anew.
    pub(super) fn take(&mut self) -> RecordBatch {
        let rows = std::mem::take(&mut self.rows);
        batch(schema::columns(), &schema::events(), |column| {
            let origin = self.origin.take(column.name, rows);
            match origin.or_else(|| self.companions.take(column.name, rows)) {
                Some(array) => array,
                None => self.take_record(column.name, column.ty, rows).0,
            }
        })
    }

    /// The column or member at `path`, and which of its rows are valid.
    fn take_record(&mut self, path: &str, ty: Type, rows: usize) -> (ArrayRef, Bits) {
        if let Type::Struct(members) = ty {
            // A struct is there where any of its members is: `{}` reads as NULL.
            let mut valid = Bits::default();
            let arrays = members.iter().map(|(name, ty)| {
                let (array, bits) = self.take_record(&format!("{path}.{name}"), *ty, rows);
                valid.join(&bits);
                array
            });
            let arrays: Vec<_> = arrays.collect();
            let nulls = valid.clone().nulls(rows);
            return match ty.arrow() {
                DataType::Struct(fields) => {
                    (Arc::new(StructArray::new(fields, arrays, nulls)), valid)
                }
                other => (new_null_array(&other, rows), Bits::default()),
            };
        }
        let arrow = ty.arrow();
        match path {
            "resources" => (self.resources.take(rows, &arrow), Bits::default()),
            "resourcearnprefixes" => (self.prefixes.take(rows, &arrow), Bits::default()),
            "managementevent" => (Arc::new(self.management_event.take(rows)), Bits::default()),
            "empty_fields" => (Arc::new(self.empty_fields.take(rows)), Bits::default()),
            "extra" => (Arc::new(self.extra.take(rows)), Bits::default()),
            "useridentity.sessioncontext.webidfederationdata.attributes" => {
                let valid = self.attributes.valid().clone();
                (self.attributes.take(rows, &arrow), valid)
            }
            _ => {
                let leaf = Leaf::ALL.iter().position(|leaf| leaf.path() == path);
                match leaf.and_then(|leaf| self.leaves.get_mut(leaf)) {
                    Some(column) => {
                        let valid = column.valid().clone();
                        (Arc::new(column.take(rows)), valid)
                    }
                    None => (new_null_array(&arrow, rows), Bits::default()),
                }
            }
        }
    }
}

/// A batch of `columns`, each made by `array`.
pub(super) fn batch(
    columns: &[Column],
    schema: &Schema,
    array: impl FnMut(&Column) -> ArrayRef,
) -> RecordBatch {
    let arrays: Vec<ArrayRef> = columns.iter().map(array).collect();
    RecordBatch::from(StructArray::new(schema.fields().clone(), arrays, None))
}

/// The truth that a flag's text spells.
fn flag(piece: Piece<'_>) -> Option<bool> {
    match piece.raw {
        b"true" => Some(true),
        b"false" => Some(false),
        _ if piece.form != Form::Plain => None,
        raw if raw.eq_ignore_ascii_case(b"true") => Some(true),
        raw if raw.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Writes the column `empty_fields`.
#[derive(Debug)]
struct EmptyFields {
    /// The combination last met and its text: most records share one.
    nulls: u128,
    empties: u128,
    text: Vec<u8>,
    /// The paths of fields, by their bits.
    paths: Vec<&'static str>,
}

impl EmptyFields {
    fn new() -> Self {
        let fields = nodes().iter().flat_map(|node| &node.fields);
        let mut paths: Vec<_> = fields.map(|field| (field.bit, field.path.as_str())).collect();
        paths.sort_unstable();
        let paths = paths.into_iter().map(|(_, path)| path).collect();
        Self { nulls: 0, empties: 0, text: Vec::new(), paths }
    }

    /// The paths in the schema's order, whatever the record's.
    fn text(&mut self, nulls: u128, empties: u128) -> &[u8] {
        if (self.nulls, self.empties) != (nulls, empties) {
            (self.nulls, self.empties) = (nulls, empties);
            self.text.clear();
            for (bit, path) in self.paths.iter().enumerate() {
                let value = match (nulls >> bit & 1, empties >> bit & 1) {
                    (1, _) => &b":null"[..],
                    (_, 1) => b":{}",
                    _ => continue,
                };
                if !self.text.is_empty() {
                    self.text.push(b',');
                }
                self.text.extend_from_slice(path.as_bytes());
                self.text.extend_from_slice(value);
            }
        }
        &self.text
    }
}
