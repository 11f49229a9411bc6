//! The arrays and containers that a walk is in.

use std::borrow::Cow;

use memchr::memmem;

use super::{
    Shape, json, other,
    shapes::{self, ROUTES, Route},
    tally::{self, Sink, Tally},
};

/// How deep arrays and containers are walked into. What lies deeper is one element.
const MAX_LEVELS: usize = 8;
/// How long the members before a container may be to be repeated with each record, in bytes.
const MAX_REPEATED: usize = 16 << 10;

/// An array or a container.
#[expect(clippy::struct_excessive_bools, reason = "four facts, each its own")]
pub(super) struct Level {
    /// The keys that led to the container's array.
    keys: Option<&'static [&'static str]>,
    shape: Shape,
    in_array: bool,
    /// Elements so far.
    n: u64,
    /// A comma came behind the last element.
    comma: bool,
    /// What stands before and behind the elements.
    open: Vec<u8>,
    close: Vec<u8>,
    /// It holds no records by design.
    is_void: bool,
    /// `{"Records":[` or `[` and nothing else.
    is_plain: bool,
    /// The objects around its array that are still open.
    objects: usize,
    /// Members behind the array, by object.
    trailing: Vec<Vec<u8>>,
}

impl Level {
    /// An array.
    pub(super) fn array() -> Self {
        Self {
            keys: None,
            shape: Shape::Array,
            in_array: true,
            n: 0,
            comma: false,
            open: b"[".to_vec(),
            close: b"]".to_vec(),
            is_void: false,
            is_plain: true,
            objects: 0,
            trailing: Vec::new(),
        }
    }

    /// Whether elements come next, and not members.
    pub(super) fn in_array(&self) -> bool {
        self.in_array
    }

    /// The shape of a record that is an element.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }
}

/// All of them, from the outside in.
#[derive(Default)]
pub(super) struct Levels {
    stack: Vec<Level>,
    open: Vec<u8>,
    close: Vec<u8>,
    is_plain: bool,
}

impl Levels {
    pub(super) fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.stack.len() >= MAX_LEVELS
    }

    pub(super) fn last(&self) -> Option<&Level> {
        self.stack.last()
    }

    pub(super) fn push(&mut self, level: Level) {
        self.count();
        self.stack.push(level);
        self.refresh();
    }

    /// Counts an element.
    pub(super) fn count(&mut self) {
        if let Some(level) = self.stack.last_mut() {
            level.n += 1;
            level.comma = false;
        }
    }

    pub(super) fn set_comma(&mut self, comma: bool) {
        if let Some(level) = self.stack.last_mut() {
            level.comma = comma;
        }
    }

    /// Whether an array that comes next is a row, and so one element.
    pub(super) fn has_rows(&self) -> bool {
        self.stack.last().is_some_and(|level| shapes::has_rows(level.keys))
    }

    /// Whether an element that came now would follow another without a comma.
    pub(super) fn lacks_comma(&self) -> bool {
        self.stack.last().is_some_and(|level| level.in_array && level.n > 0 && !level.comma)
    }

    pub(super) fn is_void(&self) -> bool {
        self.stack.iter().any(|level| level.is_void)
    }

    /// The container whose elements come next.
    pub(super) fn container(&self) -> Option<&'static [&'static str]> {
        self.stack.iter().rev().find_map(|level| level.keys)
    }

    /// The keys of the objects around a member that comes next.
    pub(super) fn way(&self) -> &'static [&'static str] {
        let level = self.stack.last();
        let keys = level.and_then(|level| level.keys);
        let n = level.map_or(0, |level| level.objects.saturating_sub(1));
        keys.and_then(|keys| keys.get(..n)).unwrap_or_default()
    }

    /// What stands before and behind an element.
    pub(super) fn around(&self) -> (&[u8], &[u8]) {
        (&self.open, &self.close)
    }

    /// Whether that is nothing worth telling.
    pub(super) fn is_plain(&self) -> bool {
        self.stack.is_empty() || self.is_plain
    }

    /// Enters a container. `head` is its text from its first brace up to its array.
    pub(super) fn enter(
        &mut self,
        start: u64,
        head: &[u8],
        keys: &'static [&'static str],
        tally: &mut Tally,
        sink: Sink<'_, '_>,
    ) {
        let mut open = Vec::new();
        json::compact(head, &mut open);
        let bare: &[u8] = &bare(keys);
        let is_void = memmem::find(&open, b"\"messageType\":\"CONTROL_MESSAGE\"").is_some();
        if is_void {
            tally.name(|| other::CONTROL_NAME.to_owned());
        }
        if open.len() > MAX_REPEATED {
            let key = keys.last().copied().unwrap_or_default();
            open.truncate(open.len().saturating_sub(key.len() + b"\"\":".len()));
            if open.last() == Some(&b',') {
                open.pop();
            }
            open.extend(keys.iter().map(|_| b'}'));
            keep(open, start, tally, sink);
            open = bare.to_vec();
        } else {
            open.push(b'[');
        }
        let is_plain = keys == ["Records"] && open == bare;
        let mut close = b"]".to_vec();
        close.extend(keys.iter().map(|_| b'}'));
        self.push(Level {
            keys: Some(keys),
            shape: shape_of(keys),
            is_void,
            is_plain,
            objects: keys.len(),
            trailing: vec![Vec::new(); keys.len()],
            open,
            close,
            ..Level::array()
        });
    }

    /// Enters another array of the container whose members come next.
    pub(super) fn reenter(&mut self, keys: &'static [&'static str]) {
        if let Some(level) = self.stack.last_mut() {
            level.keys = Some(keys);
            level.shape = shape_of(keys);
            level.in_array = true;
            level.n = 0;
            level.comma = false;
            level.open = bare(keys);
            level.is_plain = keys == ["Records"];
        }
        self.refresh();
    }

    /// An array ends.
    pub(super) fn close_array(&mut self) {
        match self.stack.last_mut() {
            Some(level) if level.keys.is_some() => level.in_array = false,
            _ => {
                self.stack.pop();
                self.refresh();
            }
        }
    }

    /// Keeps a member behind a container's array.
    pub(super) fn trail(&mut self, member: &[u8]) {
        let Some(level) = self.stack.last_mut() else { return };
        let Some(members) = level.trailing.get_mut(level.objects.saturating_sub(1)) else { return };
        if !members.is_empty() {
            members.push(b',');
        }
        json::compact(member, members);
    }

    /// An object around a container's array ends.
    pub(super) fn close_object(&mut self, at: u64, tally: &mut Tally, sink: Sink<'_, '_>) {
        let Some(level) = self.stack.last_mut() else { return };
        level.objects = level.objects.saturating_sub(1);
        if level.objects == 0 {
            self.leave(at, tally, sink);
        }
    }

    /// The file ends inside all of them.
    pub(super) fn abandon(&mut self, at: u64, tally: &mut Tally, sink: Sink<'_, '_>) {
        while !self.stack.is_empty() {
            self.leave(at, tally, sink);
        }
    }

    fn leave(&mut self, at: u64, tally: &mut Tally, sink: Sink<'_, '_>) {
        let Some(level) = self.stack.pop() else { return };
        self.refresh();
        if level.trailing.iter().all(Vec::is_empty) {
            return;
        }
        let keys = level.keys.unwrap_or_default();
        let mut object = Vec::new();
        for (i, members) in level.trailing.iter().enumerate().rev() {
            let inner = std::mem::take(&mut object);
            object.push(b'{');
            if !inner.is_empty() {
                json::quote(keys.get(i).copied().unwrap_or_default().as_bytes(), &mut object);
                object.push(b':');
                object.extend(inner);
                if !members.is_empty() {
                    object.push(b',');
                }
            }
            object.extend_from_slice(members);
            object.push(b'}');
            if object == b"{}" {
                object.clear();
            }
        }
        keep(object, at, tally, sink);
    }

    fn refresh(&mut self) {
        self.is_plain = self.stack.iter().all(|level| level.is_plain);
        self.open.clear();
        self.close.clear();
        let from = self.stack.iter().position(|level| level.keys.is_some());
        let levels = from.and_then(|from| self.stack.get(from..)).unwrap_or_default();
        for level in levels {
            self.open.extend_from_slice(&level.open);
        }
        for level in levels.iter().rev() {
            self.close.extend_from_slice(&level.close);
        }
    }
}

/// The shape of a record that is an element of a container.
fn shape_of(keys: &'static [&'static str]) -> Shape {
    let of_whole = |route: &&Route| route.container() == Some(keys) && route.within().is_empty();
    ROUTES.iter().find(of_whole).map_or(Shape::Array, |route| route.shape)
}

/// `{"key":[`, or deeper.
fn bare(keys: &[&str]) -> Vec<u8> {
    let mut open = Vec::new();
    for key in keys {
        open.push(b'{');
        json::quote(key.as_bytes(), &mut open);
        open.push(b':');
    }
    open.push(b'[');
    open
}

/// Keeps members that go with no single record; as a reject where there is no room.
fn keep(object: Vec<u8>, at: u64, tally: &mut Tally, sink: Sink<'_, '_>) {
    let text = json::to_text(object);
    if let Err(text) = tally.trail(text) {
        let length = text.len() as u64;
        let reject = tally::no_record("members beside the records".to_owned());
        tally.foreign(Cow::Owned(text.into_bytes()), at, length, reject, sink);
    }
}
