//! Texts that are kept once, however often they occur.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    num::NonZeroU32,
};

/// A text of a [`Texts`]: its number, from 1, so that none takes no more room than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Text(NonZeroU32);

/// Texts, each stored once; most rows of a table of sessions name the same few roles and regions.
#[derive(Debug, Default)]
pub(super) struct Texts {
    arena: String,
    /// Where each text ends; it begins where the one before it does.
    ends: Vec<usize>,
    /// The last text of each hash; those of one hash are chained.
    last: HashMap<u64, Text>,
    /// The text before each that has the same hash.
    chain: Vec<Option<Text>>,
    hasher: RandomState,
}

impl Texts {
    /// The text that says `text`; nothing for an empty one.
    pub(super) fn put(&mut self, text: Option<&str>) -> Option<Text> {
        let text = text.filter(|text| !text.is_empty())?;
        let hash = self.hasher.hash_one(text);
        if let Some(known) = self.with_hash(hash, text) {
            return Some(known);
        }
        let new = Text(NonZeroU32::new(u32::try_from(self.ends.len() + 1).ok()?)?);
        self.arena.push_str(text);
        self.ends.push(self.arena.len());
        let before = self.last.insert(hash, new);
        self.chain.push(before);
        Some(new)
    }

    fn with_hash(&self, hash: u64, text: &str) -> Option<Text> {
        let mut at = self.last.get(&hash).copied();
        while let Some(known) = at {
            if self.get(known) == text {
                return Some(known);
            }
            at = self.chain.get(index(known)).copied().flatten();
        }
        None
    }

    /// What a text says.
    pub(super) fn get(&self, text: Text) -> &str {
        let at = index(text);
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(at).copied().unwrap_or_default();
        self.arena.get(start.unwrap_or_default()..end).unwrap_or_default()
    }

    /// What a text says, where there is one.
    pub(super) fn say(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| self.get(text))
    }

    /// The bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.arena.capacity() + self.ends.capacity() * 12 + self.last.capacity() * 16
    }
}

/// A text in two parts, of which the first is that of many: an ARN or a principal id, whose last
/// part is the name of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    head: Text,
    /// What follows the last `/` or `:`.
    pub(super) tail: Option<Text>,
}

impl Name {
    /// The name that says `text`; nothing for an empty one.
    pub(super) fn put(text: Option<&str>, texts: &mut Texts) -> Option<Self> {
        let (head, tail) = split(text?);
        Some(Self { head: texts.put(Some(head))?, tail: texts.put(Some(tail)) })
    }

    /// What it says.
    pub(super) fn spelled(self, texts: &Texts) -> String {
        let mut out = texts.get(self.head).to_owned();
        out.push_str(texts.say(self.tail).unwrap_or_default());
        out
    }
}

fn split(text: &str) -> (&str, &str) {
    let at = text.rfind(['/', ':']).map_or(text.len(), |at| at + 1);
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn index(text: Text) -> usize {
    usize::try_from(text.0.get() - 1).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_and_empty_ones_none() {
        let mut texts = Texts::default();
        let role = texts.put(Some("role")).unwrap();
        let user = texts.put(Some("user")).unwrap();
        assert_ne!(role, user);
        assert_eq!(texts.put(Some("role")), Some(role));
        assert_eq!((texts.put(None), texts.put(Some(""))), (None, None));
        assert_eq!((texts.get(role), texts.say(Some(user))), ("role", Some("user")));
    }

    #[test]
    fn names_are_parted_at_the_session() {
        let mut texts = Texts::default();
        for text in ["arn:aws:sts::1:assumed-role/R/s", "AROA:s", "AIDA", "s/", "/"] {
            let name = Name::put(Some(text), &mut texts).unwrap();
            assert_eq!(name.spelled(&texts), text);
            assert_eq!(Name::put(Some(text), &mut texts), Some(name));
        }
        assert_eq!((Name::put(Some(""), &mut texts), Name::put(None, &mut texts)), (None, None));
    }
}
