//! The column `extra`: what of a record no other column can give back.
//!
//! Only records in which [`super::record`] met a deviation come here, for a second walk.

use std::ops::Range;

use crate::logs::cloudtrail::{
    fields::{Field, Kind, Node, nodes},
    scan::{self, Entry},
};

use super::record::Parsed;

/// Appends the JSON object of all that deviates in the record `json`; nothing where all is as it
/// should be.
pub(super) fn write(json: &[u8], parsed: &Parsed, out: &mut Vec<u8>) {
    if let Some(record) = nodes().first() {
        object(json, 0..json.len(), record, parsed, out);
    }
}

/// What one key of an object means.
struct Found<'n> {
    entry: Entry,
    field: Option<&'n Field>,
    /// The key is spelled as AWS does.
    canonical: bool,
}

/// Appends what deviates in the object at `range`; nothing where all is as it should be.
fn object(json: &[u8], range: Range<usize>, node: &Node, parsed: &Parsed, out: &mut Vec<u8>) {
    let found: Vec<Found<'_>> =
        scan::entries(json, range.start).map(|entry| classify(json, entry, node)).collect();
    let mut met = 0_u128;
    let mut repeated = 0_u128;
    for field in found.iter().filter_map(|found| found.field) {
        repeated |= met & field.bit;
        met |= field.bit;
    }
    let before = out.len();
    for Found { entry, field, canonical } in found {
        let start = out.len();
        out.push(if start == before { b'{' } else { b',' });
        // As spelled, but for control characters, which are escaped.
        let key = entry.key.start - 1..entry.key.end + 1;
        scan::compact(json.get(key).unwrap_or_default(), out);
        out.push(b':');
        let value_at = out.len();
        match field.filter(|field| canonical && repeated & field.bit == 0) {
            Some(field) => known(json, entry.value, field, parsed, out),
            None => scan::compact(json.get(entry.value).unwrap_or_default(), out),
        }
        if out.len() == value_at {
            out.truncate(start);
        }
    }
    if out.len() > before {
        out.push(b'}');
    }
}

fn classify<'n>(json: &[u8], entry: Entry, node: &'n Node) -> Found<'n> {
    let spelled = json.get(entry.key.clone()).unwrap_or_default();
    if let Some(field) = node.field(spelled) {
        return Found { entry, field: Some(field), canonical: true };
    }
    let mut key = Vec::new();
    let exact = scan::unescape(spelled, &mut key);
    let field = node.field_in_any_case(&key).filter(|_| exact);
    Found { entry, field, canonical: false }
}

/// Appends the value of `field` where its column cannot give it back, or the part of it.
fn known(json: &[u8], value: Range<usize>, field: &Field, parsed: &Parsed, out: &mut Vec<u8>) {
    let first = json.get(value.start).copied().unwrap_or_default();
    let empty = first == b'{' && scan::entries(json, value.start).next().is_none();
    let fits = match (field.kind, first) {
        (_, b'n') => true,
        (Kind::Text(_), b'"') => scan::string(json, value.start + 1).is_ok_and(|text| !text.lone),
        (Kind::Flag(_), b't' | b'f') | (Kind::Json(_), b'{') => true,
        (Kind::Resources, b'[') => !parsed.odd_resources,
        (Kind::Attributes, b'{') => !parsed.odd_attributes,
        (Kind::Object(child), b'{') => {
            if let Some(node) = nodes().get(child) {
                object(json, value, node, parsed, out);
            }
            return;
        }
        _ => empty,
    };
    if !fits {
        scan::compact(json.get(value).unwrap_or_default(), out);
    }
}
