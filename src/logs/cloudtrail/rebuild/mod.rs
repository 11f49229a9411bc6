//! A row → the record it was decoded from.
//!
//! What the columns hold, `empty_fields` and `extra` together say all that the record said:
//! `extra` wins over a column for the path it names, and one of its keys that is a known field's
//! in another spelling, or that it has more than once, silences that field's columns. Keys of the
//! record itself and of its known objects come in the order AWS writes them, mostly; JSON text is
//! given as it stands.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, Int32Type},
};

use super::{
    fields::{Field, Kind, Leaf, Node, nodes},
    scan::{self, Entry},
};

/// The record in row `row` of `batch`, as JSON.
///
/// `batch` has the columns of [`super::schema::events`] by name, in any order, or at least
/// `eventjson` of [`super::schema::aggregated`]. For many rows, keep a [`Rebuilder`].
pub fn record(batch: &RecordBatch, row: usize) -> String {
    Rebuilder::new(batch).record(row)
}

/// The record together with what wrapped it, as JSON: itself where nothing did.
///
/// A record that came inside a string (as in lookup-events' `CloudTrailEvent`) stands there as an
/// object.
pub fn enveloped(batch: &RecordBatch, row: usize) -> String {
    Rebuilder::new(batch).enveloped(row)
}

/// Rebuilds the records of one batch.
#[derive(Debug)]
pub struct Rebuilder {
    leaves: Vec<Option<ArrayRef>>,
    attributes: Option<ArrayRef>,
    resources: Option<ArrayRef>,
    prefixes: Option<ArrayRef>,
    time_source: Option<ArrayRef>,
    empty_fields: Option<ArrayRef>,
    extra: Option<ArrayRef>,
    envelope: Option<ArrayRef>,
    event_json: Option<ArrayRef>,
}

/// What of one row is not in a column of its own.
struct Row<'a> {
    index: usize,
    /// The paths of empty fields, each with its value.
    empty: Vec<(&'a str, &'a str)>,
    /// eventTime's column was filled from another field.
    borrowed_time: bool,
}

impl Rebuilder {
    /// Looks up the columns of `batch`; a column that it lacks is taken for NULL.
    pub fn new(batch: &RecordBatch) -> Self {
        let column = |name: &str| member(batch, name);
        Self {
            leaves: Leaf::ALL.iter().map(|leaf| column(leaf.path())).collect(),
            attributes: column("useridentity.sessioncontext.webidfederationdata.attributes"),
            resources: column("resources"),
            prefixes: column("resourcearnprefixes"),
            time_source: column("time_source"),
            empty_fields: column("empty_fields"),
            extra: column("extra"),
            envelope: column("envelope"),
            event_json: column("eventjson"),
        }
    }

    /// The record in row `row`, as JSON; see [`record`].
    pub fn record(&self, row: usize) -> String {
        if let Some(json) = text(self.event_json.as_ref(), row) {
            return json.to_owned();
        }
        let empty = text(self.empty_fields.as_ref(), row).unwrap_or_default();
        let context = Row {
            index: row,
            empty: empty.split(',').filter_map(|path| path.rsplit_once(':')).collect(),
            borrowed_time: text(self.time_source.as_ref(), row).is_some(),
        };
        let extra = text(self.extra.as_ref(), row).unwrap_or_default();
        let mut out = String::new();
        if let Some(node) = nodes().first() {
            self.object(&context, node, extra, &mut out);
        }
        if out.is_empty() {
            out.push_str("{}");
        }
        out
    }

    /// The record in row `row` with what wrapped it, as JSON; see [`enveloped`].
    pub fn enveloped(&self, row: usize) -> String {
        let record = self.record(row);
        let Some(envelope) = text(self.envelope.as_ref(), row) else { return record };
        let Some(place) = placeholder(envelope) else { return record };
        let (head, tail) = envelope.split_at_checked(place).unwrap_or((envelope, ""));
        format!("{head}{record}{}", tail.strip_prefix("null").unwrap_or(tail))
    }

    /// Appends the object of `node`, with what `extra`, the object at the same place, adds to it;
    /// nothing where neither has anything.
    fn object(&self, row: &Row<'_>, node: &Node, extra: &str, out: &mut String) {
        let before = out.len();
        let mut added: Vec<(Entry, Cow<'_, str>)> =
            scan::entries(extra, 0).map(|entry| (entry.clone(), key(extra, &entry))).collect();
        for field in &node.fields {
            let claims: Vec<usize> = added
                .iter()
                .enumerate()
                .filter(|(_, (_, key))| key.eq_ignore_ascii_case(field.key))
                .map(|(index, _)| index)
                .collect();
            let start = out.len();
            out.push(if start == before { '{' } else { ',' });
            scan::write_string(field.key, out);
            out.push(':');
            let value_at = out.len();
            match claims.as_slice() {
                [] => self.value(row, field, "", out),
                &[claim] => {
                    let part = added.get(claim).and_then(|(entry, _)| part_of(extra, entry, field));
                    if let Some(part) = part {
                        added.remove(claim);
                        self.value(row, field, part, out);
                    }
                }
                _ => {}
            }
            if out.len() == value_at {
                out.truncate(start);
            }
        }
        for (entry, _) in added {
            out.push(if out.len() == before { '{' } else { ',' });
            let raw = extra.get(entry.key.start - 1..entry.value.end);
            out.push_str(raw.unwrap_or_default());
        }
        if out.len() > before {
            out.push('}');
        }
    }

    /// Appends the value of `field`; nothing where it was absent.
    fn value(&self, row: &Row<'_>, field: &Field, extra: &str, out: &mut String) {
        let before = out.len();
        match field.kind {
            Kind::Text(Leaf::EventTime) if row.borrowed_time => {}
            Kind::Text(leaf) => {
                if let Some(text) = self.leaf(leaf, row.index) {
                    scan::write_string(text, out);
                }
            }
            Kind::Flag(leaf) => {
                if let Some(flag) = self.flag(leaf, row.index) {
                    out.push_str(if flag { "true" } else { "false" });
                }
            }
            Kind::Json(leaf) => {
                out.push_str(self.leaf(leaf, row.index).unwrap_or_default());
            }
            Kind::Object(child) => {
                if let Some(node) = nodes().get(child) {
                    self.object(row, node, extra, out);
                }
            }
            Kind::Attributes => self.attributes(row.index, out),
            Kind::Resources => self.resources(row.index, out),
        }
        if out.len() == before {
            let empty = row.empty.iter().find(|(path, _)| *path == field.path);
            out.push_str(empty.map_or("", |(_, value)| value));
        }
    }

    fn leaf(&self, leaf: Leaf, row: usize) -> Option<&str> {
        text(self.leaves.get(leaf as usize)?.as_ref(), row)
    }

    fn flag(&self, leaf: Leaf, row: usize) -> Option<bool> {
        let array = self.leaves.get(leaf as usize)?.as_ref()?;
        match array.as_boolean_opt() {
            Some(flags) => flags.is_valid(row).then(|| flags.value(row)),
            None => text(Some(array), row)?.parse().ok(),
        }
    }

    fn attributes(&self, row: usize, out: &mut String) {
        let Some(map) = self.attributes.as_ref().and_then(|array| array.as_map_opt()) else {
            return;
        };
        let Some((start, end)) = run(map, map.value_offsets(), row) else { return };
        for entry in start..end {
            out.push(if entry == start { '{' } else { ',' });
            let key = text(Some(map.keys()), entry).unwrap_or_default();
            scan::write_string(key, out);
            out.push(':');
            write_or_null(text(Some(map.values()), entry), out);
        }
        if start < end {
            out.push('}');
        }
    }

    fn resources(&self, row: usize, out: &mut String) {
        let Some(list) = self.resources.as_ref().and_then(|array| array.as_list_opt::<i32>())
        else {
            return;
        };
        let Some((start, end)) = run(list, list.value_offsets(), row) else { return };
        let prefixes = self.prefixes.as_ref().and_then(|array| array.as_list_opt::<i32>());
        let prefixes = prefixes
            .and_then(|list| Some((list.values(), run(list, list.value_offsets(), row)?.0)));
        let Some(structs) = list.values().as_struct_opt() else { return };
        out.push('[');
        for element in start..end {
            out.push_str(if element == start { "{" } else { ",{" });
            let brace = out.len();
            let mut put = |key: &str, value: Option<&str>| {
                if let Some(value) = value {
                    if out.len() > brace {
                        out.push(',');
                    }
                    scan::write_string(key, out);
                    out.push(':');
                    scan::write_string(value, out);
                }
            };
            for (key, name) in [("ARN", "arn"), ("accountId", "accountid"), ("type", "type")] {
                put(key, text(structs.column_by_name(name), element));
            }
            if let Some((values, first)) = prefixes {
                put("ARNPrefix", text(Some(values), first + (element - start)));
            }
            out.push('}');
        }
        out.push(']');
    }
}

/// The column or member at `path`, its names joined by dots.
fn member(batch: &RecordBatch, path: &str) -> Option<ArrayRef> {
    let mut names = path.split('.');
    let mut array = Arc::clone(batch.column_by_name(names.next()?)?);
    for name in names {
        array = Arc::clone(array.as_struct_opt()?.column_by_name(name)?);
    }
    Some(array)
}

/// The text in row `row`, however the engine keeps texts.
fn text(array: Option<&ArrayRef>, row: usize) -> Option<&str> {
    let array = array?;
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string_opt::<i32>()?.value(row)),
        DataType::LargeUtf8 => Some(array.as_string_opt::<i64>()?.value(row)),
        DataType::Utf8View => Some(array.as_string_view_opt()?.value(row)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let key = match dictionary.keys().as_primitive_opt::<Int32Type>() {
                Some(keys) => usize::try_from(keys.value(row)).ok()?,
                None => *dictionary.normalized_keys().get(row)?,
            };
            text(Some(dictionary.values()), key)
        }
        _ => None,
    }
}

/// Where the elements of row `row` begin and end.
fn run(array: &dyn Array, offsets: &[i32], row: usize) -> Option<(usize, usize)> {
    let &[start, end] = offsets.get(row..row + 2)? else { return None };
    let valid = array.is_valid(row);
    valid.then_some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

fn write_or_null(text: Option<&str>, out: &mut String) {
    match text {
        Some(text) => scan::write_string(text, out),
        None => out.push_str("null"),
    }
}

/// The key of `entry`, without its escapes.
fn key<'a>(json: &'a str, entry: &Entry) -> Cow<'a, str> {
    let raw = json.get(entry.key.clone()).unwrap_or_default();
    if !entry.key_escaped {
        return Cow::Borrowed(raw);
    }
    let mut key = String::new();
    if scan::unescape(raw, &mut key) { Cow::Owned(key) } else { Cow::Borrowed(raw) }
}

/// The value of `entry` where it adds to the object `field` rather than to stand for it.
fn part_of<'a>(extra: &'a str, entry: &Entry, field: &Field) -> Option<&'a str> {
    let spelled = extra.get(entry.key.clone())?;
    let value = extra.get(entry.value.clone())?;
    let part =
        matches!(field.kind, Kind::Object(_)) && spelled == field.key && value.starts_with('{');
    part.then_some(value)
}

/// Keys that hold a record in the shapes we know, the most telling first.
const HOLDERS: [&str; 20] = [
    "CloudTrailEvent",
    "cloudTrailEvent",
    "eventJson",
    "eventjson",
    "event_json",
    "detail",
    "cloudtrail",
    "_source",
    "_raw",
    "original",
    "result",
    "aws",
    "Message",
    "message",
    "body",
    "data",
    "event",
    "record",
    "Records",
    "records",
];

/// Where in the envelope `json` the record belongs: at a `null`, and where there are several, at
/// the one whose key is known to hold records, else at the first.
fn placeholder(json: &str) -> Option<usize> {
    let mut nulls = Vec::new();
    collect_nulls(json, 0, HOLDERS.len(), 0, &mut nulls);
    nulls.into_iter().min().map(|(_, at)| at)
}

/// Gathers the nulls at and below `at`, each with the rank of the key it stands under.
fn collect_nulls(json: &str, at: usize, rank: usize, depth: usize, out: &mut Vec<(usize, usize)>) {
    // Envelopes are shallow; what lies deeper is no record's place.
    if depth > 64 {
        return;
    }
    match json.as_bytes().get(at) {
        Some(b'n') => out.push((rank, at)),
        Some(b'{') => {
            for entry in scan::entries(json, at) {
                let key = json.get(entry.key).unwrap_or_default();
                let rank = HOLDERS.iter().position(|holder| *holder == key);
                let rank = rank.unwrap_or(HOLDERS.len() + 1);
                collect_nulls(json, entry.value.start, rank, depth + 1, out);
            }
        }
        Some(b'[') => {
            for element in scan::elements(json, at) {
                collect_nulls(json, element.start, HOLDERS.len(), depth + 1, out);
            }
        }
        _ => {}
    }
}
