//! JSON that keeps the order of its members, since a record's text does.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The member `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Gives the member `key` a value; NULL takes it away.
    pub(super) fn set(&mut self, key: &str, value: Self) {
        if let Self::List(items) = self {
            let at: usize = key.parse().unwrap_or_else(|_| panic!("`{key}` is no place in a list"));
            items[at] = value;
            return;
        }
        let Self::Object(members) = self else { panic!("`{key}` of what is no object") };
        if value == Self::Null {
            members.retain(|(name, _)| name != key);
        } else if let Some((_, old)) = members.iter_mut().find(|(name, _)| name == key) {
            *old = value;
        } else {
            members.push((key.to_owned(), value));
        }
    }

    /// Gives the member at `path`, parted by dots, a value; objects on the way are made.
    pub(super) fn set_at(&mut self, path: &str, value: Self) {
        let Some((first, rest)) = path.split_once('.') else { return self.put(path, value) };
        if let Self::Object(members) = self
            && !members.iter().any(|(name, _)| name == first)
        {
            members.push((first.to_owned(), Self::Object(Vec::new())));
        }
        let next = match self {
            Self::Object(members) => members.iter_mut().find(|(name, _)| name == first),
            Self::List(items) => {
                return items[first.parse::<usize>().unwrap()].set_at(rest, value);
            }
            _ => None,
        };
        next.unwrap_or_else(|| panic!("nothing at `{path}`")).1.set_at(rest, value);
    }

    /// Like [`Self::set`], but keeps NULL, which tells a merge to take the member away.
    fn put(&mut self, key: &str, value: Self) {
        if let (Self::Object(members), Self::Null) = (&mut *self, &value) {
            members.retain(|(name, _)| name != key);
            members.push((key.to_owned(), Self::Null));
        } else {
            self.set(key, value);
        }
    }

    /// `self` with what `over` says: objects are merged, NULL takes away. A `userIdentity` that has
    /// a type replaces the other one whole.
    pub(super) fn merged(mut self, over: &Self) -> Self {
        let Self::Object(members) = over else { return over.clone() };
        for (key, value) in members {
            let is_merged = match (self.get(key), value) {
                (Some(Self::Object(_)), Self::Object(_)) if key == "userIdentity" => {
                    value.get("type").is_none()
                }
                (Some(Self::Object(_)), Self::Object(_)) => true,
                _ => false,
            };
            let value = match self.get(key) {
                Some(old) if is_merged => old.clone().merged(value),
                _ => value.clone(),
            };
            self.set(key, value);
        }
        self
    }

    /// The text of a value on the command line.
    pub(super) fn argument(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => serde_json::to_string(other).unwrap(),
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Json>()? {
            assert!(members.iter().all(|(name, _)| *name != key), "`{key}` is there twice");
            members.push((key, value));
        }
        Ok(Json::Object(members))
    }
}
