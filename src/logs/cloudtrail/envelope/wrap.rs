//! Puts a record back into what wrapped it.

use std::ops::Range;

use super::{
    json::{self, Members},
    shapes::{ANY, EACH, Leaf, ROUTES, Route, Shape},
};

/// The document a record stood in, its siblings in arrays left out and without white space, given
/// the shape and envelope that the framer gave with it.
///
/// A row of a table comes as a JSON object of its cells, each a string; a line with something in
/// front as that line. Where the envelope is none, it is the record. Gives nothing where the
/// envelope is none that the framer made.
pub fn wrap(shape: Shape, envelope: Option<&str>, record: &str) -> Option<String> {
    let Some(envelope) = envelope else { return Some(record.to_owned()) };
    let (envelope, record) = (envelope.as_bytes(), record.as_bytes());
    let filled = match shape {
        Shape::Csv => fill_cell(envelope, record),
        Shape::CloudWatchExport => fill_line(envelope, record, "timestamp", b" "),
        Shape::PrefixedLines => fill_line(envelope, record, "prefix", b""),
        _ => fill(envelope, Some(shape), record),
    };
    filled.map(json::to_text)
}

/// Fills the hole of an envelope; `shape` says which places to try.
fn fill(envelope: &[u8], shape: Option<Shape>, record: &[u8]) -> Option<Vec<u8>> {
    let wanted = |route: &&Route| {
        let whole = route.within().is_empty();
        shape.is_none_or(|shape| shape == route.shape || whole && shape == Shape::Array)
    };
    // Elements that are no container's stand in one all the same where it had other members.
    let containers = ROUTES.iter().filter_map(Route::container).filter_map(|keys| {
        let array = [keys, &[EACH]].concat();
        fill_at(envelope, &array, Leaf::Json, shape, record)
    });
    let places = ROUTES.iter().filter(wanted).filter_map(|route| {
        let within = Some(route.within()).filter(|path| !path.is_empty());
        fill_at(envelope, route.path, route.leaf, None, record)
            .or_else(|| fill_at(envelope, within?, route.leaf, None, record))
    });
    places.chain(containers).next()
}

/// Fills the hole at the end of a path, if there is one.
fn fill_at(
    envelope: &[u8],
    path: &[&str],
    leaf: Leaf,
    shape: Option<Shape>,
    record: &[u8],
) -> Option<Vec<u8>> {
    let Some((step, rest)) = path.split_first() else {
        return fill_leaf(envelope, leaf, shape, record);
    };
    let within = |range: Range<usize>| {
        let filled = fill_at(json::part(envelope, range.clone()), rest, leaf, shape, record)?;
        let behind = json::part(envelope, range.end..envelope.len());
        Some([json::part(envelope, 0..range.start), &filled, behind].concat())
    };
    match *step {
        EACH | ANY if envelope.first() != Some(&b'[') => None,
        // The siblings of a record are left out, those of a cell are not.
        EACH => within(json::Elements::new(envelope).next()?),
        ANY => json::Elements::new(envelope).find_map(within),
        key => within(json::member(envelope, key)?),
    }
}

/// Puts the record in the place of a value: the hole, or a document that has it.
fn fill_leaf(value: &[u8], leaf: Leaf, shape: Option<Shape>, record: &[u8]) -> Option<Vec<u8>> {
    let inner = match (value.first()?, leaf) {
        (b'n', _) => record.to_vec(),
        (b'{' | b'[', Leaf::Json) => fill(value, shape, record)?,
        (b'"', Leaf::Text | Leaf::Base64) => {
            let text = json::unescape(value.strip_prefix(b"\"")?.strip_suffix(b"\"")?)?;
            let text = if leaf == Leaf::Base64 { json::base64(&text)? } else { text };
            fill(&text, None, record)?
        }
        _ => return None,
    };
    let mut filled = Vec::new();
    match leaf {
        Leaf::Json => return Some(inner),
        Leaf::Text => json::quote(&inner, &mut filled),
        Leaf::Base64 => json::quote(&json::to_base64(&inner), &mut filled),
    }
    Some(filled)
}

/// Fills the one cell of a row that is no string.
fn fill_cell(envelope: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    let mut cells = Members::new(envelope).map(|member| member.value);
    let hole = cells.find(|value| envelope.get(value.start) != Some(&b'"'))?;
    let value = json::part(envelope, hole.clone());
    let inner = if value == b"null" { record.to_vec() } else { fill(value, None, record)? };
    let mut filled = json::part(envelope, 0..hole.start).to_vec();
    json::quote(&inner, &mut filled);
    filled.extend_from_slice(json::part(envelope, hole.end..envelope.len()));
    Some(filled)
}

/// Puts what stood in front of a line in front of the record.
fn fill_line(envelope: &[u8], record: &[u8], key: &str, space: &[u8]) -> Option<Vec<u8>> {
    let front = json::unescape(json::text(envelope, key)?)?;
    let message = json::part(envelope, json::member(envelope, "message")?);
    let inner = if message == b"null" { record.to_vec() } else { fill(message, None, record)? };
    Some([&front, space, &inner].concat())
}
