//! Bursts: the same actor doing the same with the same outcome is one line.
//!
//! Events come in order of time. A line waits until no event can join it any more, so that it
//! stands where its first event was, and lines leave in order. What waits is bounded: where too
//! much does, the oldest line goes as it is and a later event begins another.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
};

use super::line::{Line, Telling};

/// The most lines that wait.
const MOST_WAITING: usize = 4096;

/// The most first slots of a burst that are told apart.
const MOST_DIFFERENT: usize = 1 << 16;

/// How many of them are named; the reading of lists names as many.
const MOST_NAMED: usize = 4;

/// How long after an event that reads another may join it, in microseconds.
const GAP_READING: i64 = 300_000_000;

/// The same for events that change something: there the order matters more.
const GAP_CHANGING: i64 = 60_000_000;

/// What the events of a line have in common.
type Key = Vec<Option<String>>;

/// A line that events may still join.
struct Waiting {
    line: Line,
    key: Option<Key>,
    gap: i64,
    /// The hashes of the first slots so far.
    different: HashSet<u64>,
}

/// Folds what is told.
#[derive(Default)]
pub(super) struct Fold {
    waiting: VecDeque<Waiting>,
    /// The number of the first of `waiting`.
    first: u64,
    open: HashMap<Key, u64>,
    /// Copies of one action in several accounts, by the id they share.
    shared: HashMap<String, u64>,
}

impl Fold {
    /// Takes what an event is told as; gives the lines that no event can join any more.
    pub(super) fn push(&mut self, telling: Telling, folds: bool, out: &mut Vec<Line>) {
        while let Some(front) = self.waiting.front() {
            if !front.is_over(telling.micros) && self.waiting.len() < MOST_WAITING {
                break;
            }
            self.release_first(out);
        }
        let copy = telling.shared_id.as_ref().and_then(|id| self.shared.get(id)).copied();
        if let Some(waiting) = copy.and_then(|number| self.at(number)) {
            waiting.line.copy_of(telling);
            return;
        }
        let key = folds.then(|| key(&telling));
        let number = key.as_ref().and_then(|key| self.open.get(key)).copied();
        if let Some(waiting) = number.and_then(|number| self.at(number))
            && !waiting.is_over(telling.micros)
        {
            waiting.join(&telling);
            return;
        }
        self.begin(telling, key);
    }

    /// Gives all lines that are left.
    pub(super) fn finish(&mut self, out: &mut Vec<Line>) {
        while !self.waiting.is_empty() {
            self.release_first(out);
        }
    }

    fn at(&mut self, number: u64) -> Option<&mut Waiting> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.waiting.get_mut(place)
    }

    fn begin(&mut self, telling: Telling, key: Option<Key>) {
        let number = self.first + self.waiting.len() as u64;
        if let Some(key) = &key {
            self.open.insert(key.clone(), number);
        }
        if let Some(id) = &telling.shared_id {
            self.shared.insert(id.clone(), number);
        }
        let gap = if telling.changes { GAP_CHANGING } else { GAP_READING };
        let firsts = telling.said.firsts.clone();
        let mut waiting = Waiting { line: Line::of(telling), key, gap, different: HashSet::new() };
        waiting.tell_apart(firsts);
        self.waiting.push_back(waiting);
    }

    fn release_first(&mut self, out: &mut Vec<Line>) {
        let number = self.first;
        self.first += 1;
        let Some(waiting) = self.waiting.pop_front() else { return };
        if let Some(key) = &waiting.key
            && self.open.get(key) == Some(&number)
        {
            self.open.remove(key);
        }
        if let Some(id) = &waiting.line.event.shared_id
            && self.shared.get(id) == Some(&number)
        {
            self.shared.remove(id);
        }
        out.push(waiting.line);
    }
}

impl Waiting {
    /// Whether nothing at `now` can join.
    fn is_over(&self, now: Option<i64>) -> bool {
        match (self.line.until, now) {
            (Some(until), Some(now)) => now.saturating_sub(until) > self.gap,
            // Events without a time are told one by one, after all others.
            _ => true,
        }
    }

    fn join(&mut self, telling: &Telling) {
        let line = &mut self.line;
        line.n_events += 1;
        line.until = telling.micros.or(line.until);
        line.bytes = line.bytes.saturating_add(telling.bytes);
        self.tell_apart(telling.said.firsts.clone());
    }

    fn tell_apart(&mut self, firsts: Vec<String>) {
        let line = &mut self.line;
        for first in firsts {
            if self.different.len() >= MOST_DIFFERENT {
                line.is_at_least |= !self.different.contains(&hash(&first));
            } else if self.different.insert(hash(&first)) {
                line.n_different += 1;
                if line.named.len() < MOST_NAMED {
                    line.named.push(first);
                }
            }
        }
    }
}

fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}

/// Who did what with which outcome; the first slot may differ where that can be counted.
fn key(telling: &Telling) -> Key {
    let said = &telling.said;
    let first = if said.is_countable() { None } else { Some(said.firsts.join("\u{1f}")) };
    let head = Some(format!("{} {}", said.verb, said.head));
    let outcome = Some(telling.outcome.clone());
    vec![
        telling.principal.clone(),
        Some(telling.actor.clone()),
        telling.key.clone(),
        telling.address.clone(),
        telling.account.clone(),
        telling.region.clone(),
        telling.service.clone(),
        telling.action.clone(),
        outcome,
        telling.ending.clone(),
        head,
        first,
        Some(said.rest.clone()),
    ]
}
