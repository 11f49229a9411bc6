//! Rows of `cloudtrail_logs` under construction.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StructArray, new_null_array},
    datatypes::{DataType, Schema},
};

use crate::logs::cloudtrail::{
    derive::Hasher,
    fields::{Leaf, nodes},
    schema::{self, Column, Type},
};

use super::{
    FileMeta, RecordMeta, SortKey,
    columns::{BooleanColumn, ListColumn, TextColumn, any_valid},
    companions::Companions,
    extra,
    origin::{Fallback, Origin},
    record::Parsed,
};

/// The texts of the record at hand, as they are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) parsed: &'a Parsed,
    pub(super) json: &'a str,
}

impl<'a> Texts<'a> {
    /// The text of `leaf`; nothing where it is absent, null or empty.
    #[inline]
    pub(super) fn get(self, leaf: Leaf) -> Option<&'a str> {
        self.parsed.get(leaf, self.json).filter(|text| !text.is_empty())
    }

    /// The truth that a flag's text spells.
    pub(super) fn flag(self, leaf: Leaf) -> Option<bool> {
        match self.get(leaf)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

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
    /// What of the record at hand goes to `extra`.
    deviations: String,
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            rows: 0,
            leaves: std::array::from_fn(|_| TextColumn::new()),
            attributes: ListColumn::new(),
            resources: ListColumn::new(),
            prefixes: ListColumn::new(),
            management_event: BooleanColumn::new(),
            empty_fields: TextColumn::new(),
            extra: TextColumn::new(),
            companions: Companions::new(),
            origin: Origin::new(),
            empty: EmptyFields::new(),
            deviations: String::new(),
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
        json: &str,
        parsed: &Parsed,
    ) -> (SortKey, usize) {
        let row = self.rows;
        let texts = Texts { parsed, json };
        self.push_leaves(row, texts);
        self.push_lists(row, texts);
        if parsed.nulls | parsed.empties != 0 {
            self.empty_fields.push(row, self.empty.text(parsed.nulls, parsed.empties));
        }
        self.deviations.clear();
        if parsed.deviant {
            extra::write(json, parsed, &mut self.deviations);
            self.extra.push(row, &self.deviations);
        }
        let ts = self.companions.push(row, texts);
        let fallback = Fallback {
            account: texts.get(Leaf::RecipientAccount).or_else(|| texts.get(Leaf::UserAccount)),
            region: texts.get(Leaf::AwsRegion),
            time: ts,
        };
        let size = self.origin.push(row, file, record, fallback);
        self.rows += 1;
        let ts = ts.unwrap_or(i64::MIN);
        let id = self.id(texts);
        // A row keeps about its record's bytes, and four bytes of offset in each column.
        let size = size + json.len() + 4 * (Leaf::ALL.len() + 32);
        (SortKey { ts, id, seq: file.seq, record_no: record.record_no }, size)
    }

    fn push_leaves(&mut self, row: usize, texts: Texts<'_>) {
        let mut rest = texts.parsed.present & !Leaf::ManagementEvent.bit();
        while rest != 0 {
            let index = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let text = texts.parsed.at(index, texts.json);
            if let (Some(column), Some(text)) = (self.leaves.get_mut(index), text) {
                column.push(row, text);
            }
        }
        if let Some(flag) = texts.flag(Leaf::ManagementEvent) {
            self.management_event.push(row, flag);
        }
    }

    fn push_lists(&mut self, row: usize, Texts { parsed, json }: Texts<'_>) {
        if !parsed.attributes.is_empty() {
            let entries = parsed.attributes.iter();
            let texts = entries.map(|entry| entry.map(|slot| parsed.text(slot?, json)));
            self.attributes.push(row, texts);
        }
        let Some(resources) = &parsed.resources else { return };
        let text = |slot| parsed.text(slot, json);
        let members = resources.iter().map(|[arn, account, ty, _]| {
            [arn.and_then(text), account.and_then(text), ty.and_then(text)]
        });
        self.resources.push(row, members);
        if resources.iter().any(|[.., prefix]| prefix.is_some()) {
            self.prefixes.push(row, resources.iter().map(|[.., prefix]| [prefix.and_then(text)]));
        }
    }

    /// The hash of (recipient account, event id), or of the content where there is no event id.
    ///
    /// Hashes texts as stored, so that equal rows have equal hashes however they were spelled.
    fn id(&self, texts: Texts<'_>) -> u64 {
        let mut hasher = Hasher::new();
        if let Some(event_id) = texts.get(Leaf::EventId) {
            hasher.add(texts.get(Leaf::RecipientAccount).unwrap_or_default());
            hasher.add(event_id);
            return hasher.finish();
        }
        let Texts { parsed, json } = texts;
        for leaf in Leaf::ALL {
            if let Some(text) = parsed.get(*leaf, json) {
                hasher.word(*leaf as u64);
                hasher.add(text);
            }
        }
        for set in [parsed.nulls, parsed.empties] {
            for word in set.to_le_bytes().as_chunks::<8>().0 {
                hasher.word(u64::from_le_bytes(*word));
            }
        }
        hasher.add(&self.deviations);
        let resources = parsed.resources.iter().flatten().flatten();
        for slot in resources.chain(parsed.attributes.iter().flatten()) {
            match slot.and_then(|slot| parsed.text(slot, json)) {
                Some(text) => hasher.add(text),
                None => hasher.word(u64::MAX),
            }
        }
        hasher.finish()
    }

    /// The rows gathered; starts anew.
    pub(super) fn take(&mut self) -> RecordBatch {
        let rows = std::mem::take(&mut self.rows);
        batch(schema::columns(), &schema::events(), |column| {
            let origin = self.origin.take(column.name, rows);
            origin
                .or_else(|| self.companions.take(column.name, rows))
                .unwrap_or_else(|| self.take_record(column.name, column.ty, rows))
        })
    }

    /// The column or member at `path`.
    fn take_record(&mut self, path: &str, ty: Type, rows: usize) -> ArrayRef {
        let arrow = ty.arrow();
        if let (Type::Struct(members), DataType::Struct(fields)) = (ty, &arrow) {
            let member =
                |(name, ty): &(&str, Type)| self.take_record(&format!("{path}.{name}"), *ty, rows);
            let arrays: Vec<_> = members.iter().map(member).collect();
            // A struct is there where any of its members is: `{}` reads as NULL.
            let nulls = any_valid(&arrays);
            return Arc::new(StructArray::new(fields.clone(), arrays, nulls));
        }
        match path {
            "resources" => self.resources.take(rows, &arrow),
            "resourcearnprefixes" => self.prefixes.take(rows, &arrow),
            "managementevent" => Arc::new(self.management_event.take(rows)),
            "empty_fields" => Arc::new(self.empty_fields.take(rows)),
            "extra" => Arc::new(self.extra.take(rows)),
            "useridentity.sessioncontext.webidfederationdata.attributes" => {
                self.attributes.take(rows, &arrow)
            }
            _ => {
                let leaf = Leaf::ALL.iter().position(|leaf| leaf.path() == path);
                match leaf.and_then(|leaf| self.leaves.get_mut(leaf)) {
                    Some(column) => Arc::new(column.take(rows)),
                    None => new_null_array(&arrow, rows),
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

/// Writes the column `empty_fields`.
#[derive(Debug)]
struct EmptyFields {
    /// The combination last met and its text: most records share one.
    nulls: u128,
    empties: u128,
    text: String,
    /// The paths of fields, by their bits.
    paths: Vec<&'static str>,
}

impl EmptyFields {
    fn new() -> Self {
        let fields = nodes().iter().flat_map(|node| &node.fields);
        let mut paths: Vec<_> = fields.map(|field| (field.id, field.path.as_str())).collect();
        paths.sort_unstable();
        let paths = paths.into_iter().map(|(_, path)| path).collect();
        Self { nulls: 0, empties: 0, text: String::new(), paths }
    }

    /// The paths in the schema's order, whatever the record's.
    fn text(&mut self, nulls: u128, empties: u128) -> &str {
        if (self.nulls, self.empties) != (nulls, empties) {
            (self.nulls, self.empties) = (nulls, empties);
            self.text.clear();
            for (bit, path) in self.paths.iter().enumerate() {
                let value = match (nulls >> bit & 1, empties >> bit & 1) {
                    (1, _) => ":null",
                    (_, 1) => ":{}",
                    _ => continue,
                };
                if !self.text.is_empty() {
                    self.text.push(',');
                }
                self.text.push_str(path);
                self.text.push_str(value);
            }
        }
        &self.text
    }
}
