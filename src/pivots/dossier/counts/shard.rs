//! A table of texts and what is known of each, made to hold millions: nothing is copied as it grows
//! but the places of entries, and it is dropped at once.

use hashbrown::HashTable;

use super::super::tally::Stat;

/// Texts are kept together in chunks of this size, or of their own where they are longer.
const CHUNK_BYTES: usize = 64 << 10;

/// Entries are kept together in as many.
const CHUNK_ENTRIES: usize = 512;

/// What an entry takes beside its text, about: itself, its place in the table, and the room that
/// tables leave free as they grow.
const ENTRY_BYTES: usize = size_of::<Entry>() + 12;

#[derive(Debug, Default)]
pub(super) struct Shard {
    places: HashTable<u32>,
    entries: Vec<Vec<Entry>>,
    n_entries: usize,
    texts: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    chunk: u32,
    start: u32,
    length: u32,
    stat: Stat,
}

impl Shard {
    /// Adds `stat` to what is known of `text`, whose hash is `hash`. Gives the bytes that this takes
    /// anew.
    pub(super) fn add(&mut self, hash: u64, text: &str, stat: &Stat) -> usize {
        let Self { places, entries, texts, .. } = &mut *self;
        let is_same = |place: &u32| {
            entry(entries, *place)
                .is_some_and(|entry| entry.hash == hash && entry.text(texts) == text)
        };
        if let Some(place) = places.find(hash, is_same) {
            if let Some(known) = entry_mut(entries, *place) {
                known.stat.merge(stat);
            }
            return 0;
        }
        // So many entries, or texts so long, fit in no memory there is.
        let (Ok(place), Ok(length)) = (u32::try_from(self.n_entries), u32::try_from(text.len()))
        else {
            return 0;
        };
        let Some((chunk, start)) = self.keep(text) else { return 0 };
        if self.n_entries.is_multiple_of(CHUNK_ENTRIES) {
            self.entries.push(Vec::with_capacity(CHUNK_ENTRIES));
        }
        if let Some(last) = self.entries.last_mut() {
            last.push(Entry { hash, chunk, start, length, stat: *stat });
        }
        self.n_entries += 1;
        let entries = &self.entries;
        let hash_of = |place: &u32| entry(entries, *place).map_or(0, |entry| entry.hash);
        self.places.insert_unique(hash, place, hash_of);
        text.len() + ENTRY_BYTES
    }

    /// Keeps `text`; gives its chunk and where it starts there.
    fn keep(&mut self, text: &str) -> Option<(u32, u32)> {
        let has_room = |chunk: &String| chunk.capacity() - chunk.len() >= text.len();
        if !self.texts.last().is_some_and(has_room) {
            self.texts.push(String::with_capacity(CHUNK_BYTES.max(text.len())));
        }
        let chunk = u32::try_from(self.texts.len() - 1).ok()?;
        let last = self.texts.last_mut()?;
        let start = u32::try_from(last.len()).ok()?;
        last.push_str(text);
        Some((chunk, start))
    }

    /// What is known of `text`.
    pub(super) fn get(&self, hash: u64, text: &str) -> Option<&Stat> {
        let is_same = |place: &u32| {
            entry(&self.entries, *place).is_some_and(|entry| entry.text(&self.texts) == text)
        };
        let place = self.places.find(hash, is_same)?;
        entry(&self.entries, *place).map(|entry| &entry.stat)
    }

    /// All texts, and what is known of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Stat)> {
        self.entries.iter().flatten().map(|entry| (entry.text(&self.texts), &entry.stat))
    }
}

impl Entry {
    fn text<'t>(&self, texts: &'t [String]) -> &'t str {
        let (start, length) = (self.start as usize, self.length as usize);
        let chunk = texts.get(self.chunk as usize);
        chunk.and_then(|chunk| chunk.get(start..start + length)).unwrap_or_default()
    }
}

fn entry(entries: &[Vec<Entry>], place: u32) -> Option<&Entry> {
    let place = place as usize;
    entries.get(place / CHUNK_ENTRIES)?.get(place % CHUNK_ENTRIES)
}

fn entry_mut(entries: &mut [Vec<Entry>], place: u32) -> Option<&mut Entry> {
    let place = place as usize;
    entries.get_mut(place / CHUNK_ENTRIES)?.get_mut(place % CHUNK_ENTRIES)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Short texts, others than ASCII, and some that fill a chunk.
    fn text(n: usize) -> String {
        if n.is_multiple_of(100) {
            "x".repeat(n * 100)
        } else {
            "é".repeat(n % 5) + &n.to_string()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_holds_what_a_map_would(numbers in prop::collection::vec(0..700_usize, 0..1_500)) {
            let texts: Vec<String> = numbers.iter().map(|n| text(*n)).collect();
            let (mut shard, mut map) = (Shard::default(), HashMap::<&str, u64>::new());
            let one = |n: u64| Stat { events: n, total: n, ..Stat::NONE };
            // Many hashes are the same on purpose.
            let hash = |text: &str| text.len() as u64 % 3;
            for (text, n) in texts.iter().zip(1..) {
                let is_new = !map.contains_key(text.as_str());
                let bytes = shard.add(hash(text), text, &one(n));
                prop_assert_eq!(bytes > 0, is_new);
                *map.entry(text).or_default() += n;
            }
            let held: HashMap<&str, u64> = shard.iter().map(|(text, stat)| (text, stat.total)).collect();
            prop_assert_eq!(&held, &map);
            for text in map.keys() {
                prop_assert_eq!(shard.get(hash(text), text).map(|stat| stat.events), map.get(text).copied());
            }
            prop_assert!(shard.get(0, "zzz").is_none());
        }
    }
}
