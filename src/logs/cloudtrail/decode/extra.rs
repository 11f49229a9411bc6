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
pub(super) fn write(json: &str, parsed: &Parsed, out: &mut String) {
    if let Some(record) = nodes().first() {
        object(json, 0..json.len(), record, parsed, out);
    }
}

/// What one key of an object means.
struct Found<'n> {
    entry: Entry,
    /// The key without its escapes, in lower case.
    sort: String,
    field: Option<&'n Field>,
    /// The key is spelled as AWS does.
    canonical: bool,
}

/// Appends what deviates in the object at `range`; nothing where all is as it should be.
fn object(json: &str, range: Range<usize>, node: &Node, parsed: &Parsed, out: &mut String) {
    let mut found: Vec<Found<'_>> =
        scan::entries(json, range.start).map(|entry| classify(json, entry, node)).collect();
    // Sorted, so that the order of keys makes no copy of a record another record. What differs in
    // case alone keeps its order: of those the last one fills the column.
    found.sort_by(|a, b| a.sort.cmp(&b.sort));
    let mut met = 0_u128;
    let mut repeated = 0_u128;
    for field in found.iter().filter_map(|found| found.field) {
        repeated |= met & field.bit;
        met |= field.bit;
    }
    let before = out.len();
    for Found { entry, field, canonical, .. } in found {
        let start = out.len();
        out.push(if start == before { '{' } else { ',' });
        // As spelled, but for control characters, which are escaped.
        let key = entry.key.start - 1..entry.key.end + 1;
        scan::compact(json.get(key).unwrap_or_default(), out);
        out.push(':');
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
        out.push('}');
    }
}

fn classify<'n>(json: &str, entry: Entry, node: &'n Node) -> Found<'n> {
    let spelled = json.get(entry.key.clone()).unwrap_or_default();
    let mut sort = String::with_capacity(spelled.len());
    let exact = scan::unescape(spelled, &mut sort);
    let canonical = node.field(spelled.as_bytes());
    let field = canonical.or_else(|| node.field_in_any_case(sort.as_bytes()).filter(|_| exact));
    sort.make_ascii_lowercase();
    Found { entry, sort, field, canonical: canonical.is_some() }
}

/// Appends the value of `field` where its column cannot give it back, or the part of it.
fn known(json: &str, value: Range<usize>, field: &Field, parsed: &Parsed, out: &mut String) {
    let first = json.as_bytes().get(value.start).copied().unwrap_or_default();
    let empty = first == b'{' && scan::entries(json, value.start).next().is_none();
    let fits = match (field.kind, first) {
        (Kind::Text(_), b'"') => {
            scan::string(json.as_bytes(), value.start + 1).is_ok_and(|text| !text.lone)
        }
        (_, b'n') | (Kind::Flag(_), b't' | b'f') | (Kind::Json(_), b'{') => true,
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
