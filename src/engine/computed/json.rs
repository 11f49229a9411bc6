//! The members of a JSON object's text.

use std::borrow::Cow;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of the object `text`, in order; of a repeated key the last. `None` where it is no
/// object.
pub(super) fn members(text: &str) -> Option<Vec<(String, Option<Cow<'_, str>>)>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members).ok()?;
    json.end().ok()?;
    Some(members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Option<Cow<'de, str>>)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        let mut places = std::collections::HashMap::new();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            let value = text(value.get());
            if let Some(earlier) = places.get(&key).and_then(|at: &usize| members.get_mut(*at)) {
                earlier.1 = value;
            } else {
                places.insert(key.clone(), members.len());
                members.push((key, value));
            }
        }
        Ok(members)
    }
}

/// A value as text: a string's content, `null` as nothing, anything else as it is written.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(raw) {
            Ok(string) => Some(string),
            // Half a surrogate pair: no text has it, so show how it was written.
            Err(_) => Some(Cow::Borrowed(raw)),
        },
        _ => Some(Cow::Borrowed(raw)),
    }
}
