//! Ids of credentials and events in little room.
//!
//! A table of a million sessions has several million ids, each of them once or twice: what looks as
//! AWS's ids do is packed, anything else is a text.

use std::{cmp::Ordering, fmt::Write as _};

use super::texts::{Text, Texts};

/// An access key id, the id of an event, or another name of what credentials came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Id {
    /// 20 capital letters and digits, six bits for each.
    Key([u8; 15]),
    /// A UUID in its usual spelling.
    Uuid([u8; 16]),
    /// Anything else.
    Text(Text),
}

/// The characters of access key ids.
const KEY_CHARACTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Id {
    /// The id that `text` spells; nothing for an empty one.
    pub(super) fn of(text: Option<&str>, texts: &mut Texts) -> Option<Self> {
        let text = text?;
        packed(text).or_else(|| texts.put(Some(text)).map(Self::Text))
    }

    /// Appends what it spells.
    pub(super) fn push(self, texts: &Texts, out: &mut String) {
        match self {
            Self::Key(bytes) => {
                for chunk in bytes.chunks_exact(3) {
                    let bits =
                        chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
                    for shift in [18, 12, 6, 0] {
                        let character = KEY_CHARACTERS.get(bits >> shift & 63);
                        out.push(char::from(*character.unwrap_or(&b'?')));
                    }
                }
            }
            // Writing to a String does not fail.
            Self::Uuid(bytes) => drop(write!(out, "{}", uuid::Uuid::from_bytes(bytes))),
            Self::Text(text) => out.push_str(texts.get(text)),
        }
    }

    /// The order of what they spell, as far as they are packed; the numbers of texts differ from run
    /// to run.
    pub(super) fn order(one: Option<Self>, other: Option<Self>, texts: &Texts) -> Ordering {
        match (one, other) {
            (Some(Self::Text(one)), Some(Self::Text(other))) => {
                texts.get(one).cmp(texts.get(other))
            }
            _ => one.cmp(&other),
        }
    }

    /// What it spells.
    pub(super) fn spelled(self, texts: &Texts) -> String {
        let mut out = String::new();
        self.push(texts, &mut out);
        out
    }
}

fn packed(text: &str) -> Option<Id> {
    match text.len() {
        20 => {
            let mut bytes = [0; 15];
            for (four, three) in text.as_bytes().chunks_exact(4).zip(bytes.chunks_exact_mut(3)) {
                let bits = four.iter().try_fold(0_u32, |bits, c| Some(bits << 6 | bits_of(*c)?))?;
                let [_, packed @ ..] = bits.to_be_bytes();
                three.copy_from_slice(&packed);
            }
            Some(Id::Key(bytes))
        }
        36 => {
            let uuid = uuid::Uuid::try_parse(text).ok()?;
            let mut buffer = uuid::Uuid::encode_buffer();
            let spelled: &str = uuid.hyphenated().encode_lower(&mut buffer);
            (spelled == text).then(|| Id::Uuid(uuid.into_bytes()))
        }
        _ => None,
    }
}

fn bits_of(character: u8) -> Option<u32> {
    match character {
        b'0'..=b'9' => Some(u32::from(character - b'0')),
        b'A'..=b'Z' => Some(u32::from(character - b'A') + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spelled_as_they_were() {
        let mut texts = Texts::default();
        for (text, is_packed) in [
            ("AKIAIOSFODNN7EXAMPLE", true),
            ("ASIA0123456789ABCXYZ", true),
            ("AKIA****************", false),
            ("akiaiosfodnn7example", false),
            ("3a3eb7fd-760f-4b7c-8626-1cbe5711ee98", true),
            ("3A3EB7FD-760F-4B7C-8626-1CBE5711EE98", false),
            ("äöüäöüäöüä", false),
            ("ec2.amazonaws.com", false),
        ] {
            let id = Id::of(Some(text), &mut texts).unwrap();
            assert_eq!(id.spelled(&texts), text);
            assert_eq!(!matches!(id, Id::Text(_)), is_packed, "{text}");
        }
        assert_eq!(Id::of(None, &mut texts), None);
        assert_eq!(Id::of(Some(""), &mut texts), None);
    }
}
