//! Walks a file of JSON value by value, whatever its length: through arrays and through the
//! containers of [`super::shapes`], holding no more than one element in view.

use std::borrow::Cow;

use super::{
    Shape,
    bounds::Index,
    check::{Checked, check},
    garbage::Garbage,
    json::{self, Span},
    levels::{Level, Levels},
    probe::{Probe, first_key},
    record,
    skip::{Skip, Skipped},
    tally::{self, Sink, Tally},
    unwrap::{Context, Unwrapper},
};
use crate::logs::{Limits, Reject, RejectReason};

/// How far a first key is looked for, in bytes.
const FIRST_KEY: usize = 256;

/// A part of the file.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    /// The offset of its first byte in the file.
    pub(super) base: u64,
    /// Whether nothing follows.
    pub(super) last: bool,
}

impl<'a> View<'a> {
    pub(super) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Where an offset lies in the view; its end if it lies behind it.
    pub(super) fn index(&self, at: u64) -> usize {
        usize::try_from(at.saturating_sub(self.base))
            .map_or(self.bytes.len(), |i| i.min(self.bytes.len()))
    }

    pub(super) fn byte(&self, at: u64) -> Option<u8> {
        self.bytes.get(self.index(at)).copied()
    }

    pub(super) fn part(&self, from: u64, to: u64) -> &'a [u8] {
        json::part(self.bytes, self.index(from)..self.index(to))
    }

    /// The view, cut at an offset.
    pub(super) fn upto(&self, to: u64) -> &'a [u8] {
        json::part(self.bytes, 0..self.index(to))
    }
}

/// Whether a step got anywhere.
pub(super) enum Flow {
    Go,
    /// The view must be longer, or is done with.
    Stop,
}

pub(super) enum State {
    /// Between two values.
    Between,
    /// In an element.
    Element(Element),
    /// In an object that may be an element or have a container of records.
    Probe(Probe),
    /// In a member behind a container.
    Member { start: u64, value: u64, skip: Skip },
    /// In an element longer than the limit.
    Long { start: u64, skip: Skip, kept: Vec<u8> },
    /// In what is no JSON.
    Garbage(Garbage),
    /// Behind the last byte.
    Done,
}

/// An element being passed over.
pub(super) struct Element {
    pub(super) start: u64,
    pub(super) skip: Skip,
    /// Its members, if they were looked at.
    pub(super) members: Option<Vec<Span>>,
}

/// Something to do with the view.
pub(super) struct Work<'w, 's, 'a> {
    pub(super) view: View<'a>,
    pub(super) index: &'w mut Index,
    pub(super) tally: &'w mut Tally,
    pub(super) sink: Sink<'s, 'a>,
}

/// The walk through a file.
pub(super) struct Walk {
    pub(super) limits: Limits,
    /// The next byte to look at.
    pub(super) at: u64,
    pub(super) state: State,
    pub(super) levels: Levels,
    pub(super) unwrapper: Unwrapper,
    /// Damage was met: check every byte from now on.
    pub(super) careful: bool,
    /// Only white space was met on this line so far.
    pub(super) fresh_line: bool,
    /// A value stood at the top that was no container.
    pub(super) has_lines: bool,
    /// The first element's first key, by which others are found behind damage.
    pub(super) first_key: Option<Vec<u8>>,
}

impl Walk {
    /// Starts at an offset.
    pub(super) fn new(limits: Limits, at: u64) -> Self {
        Self {
            limits,
            at,
            state: State::Between,
            levels: Levels::default(),
            unwrapper: Unwrapper::default(),
            careful: false,
            fresh_line: true,
            has_lines: false,
            first_key: None,
        }
    }

    /// Starts in what is no JSON and looks for some.
    pub(super) fn in_garbage(limits: Limits, at: u64) -> Self {
        let garbage = Garbage::new(at, at, "no JSON stands here", None);
        Self { state: State::Garbage(garbage.at_top()), careful: true, ..Self::new(limits, at) }
    }

    /// The first byte that is still needed.
    pub(super) fn needed(&self) -> u64 {
        match &self.state {
            State::Between | State::Done => self.at,
            State::Element(element) => element.start,
            State::Member { start, .. } => *start,
            State::Probe(probe) => probe.start,
            State::Long { skip, .. } => skip.at(),
            State::Garbage(garbage) => garbage.needed(),
        }
    }

    /// Walks as far as the view allows.
    pub(super) fn run(&mut self, work: &mut Work<'_, '_, '_>) {
        while let Flow::Go = self.step(work) {}
    }

    fn step(&mut self, work: &mut Work<'_, '_, '_>) -> Flow {
        match std::mem::replace(&mut self.state, State::Between) {
            State::Between => self.between(work),
            State::Element(element) => self.element(element, work),
            State::Probe(probe) => self.probe(probe, work),
            State::Member { start, value, skip } => self.member(start, value, skip, work),
            State::Long { start, skip, kept } => self.long(start, skip, kept, work),
            State::Garbage(garbage) => self.garbage(garbage, work),
            State::Done => {
                self.state = State::Done;
                Flow::Stop
            }
        }
    }

    /// Passes over white space, then opens or closes what comes.
    fn between(&mut self, work: &mut Work<'_, '_, '_>) -> Flow {
        let byte = loop {
            let Some(byte) = work.view.byte(self.at) else {
                return self.at_end(work);
            };
            if !json::is_space(byte) {
                break byte;
            }
            self.fresh_line |= byte == b'\n';
            self.at += 1;
        };
        match (byte, self.levels.last()) {
            (b'{', _) => self.open_object(work),
            (b'[', level) if level.is_none_or(Level::in_array) => {
                if !self.levels.is_full() && !self.levels.has_rows() {
                    self.note_comma(work);
                    self.levels.push(Level::array());
                    self.at += 1;
                    return Flow::Go;
                }
                self.start_element(self.at, work)
            }
            (b'"', level) if level.is_none_or(Level::in_array) => {
                self.note_comma(work);
                self.start_element(self.at, work)
            }
            (b',', _) => self.eat_comma(),
            (b']', Some(level)) if level.in_array() => {
                self.levels.close_array();
                self.advance()
            }
            (b'}', Some(level)) if !level.in_array() => {
                self.levels.close_object(self.at, work.tally, work.sink);
                self.advance()
            }
            (b'"', Some(_)) => self.open_member(work),
            (0xEF, None) => self.byte_order_mark(work),
            (b']' | b'}' | b':', _) => {
                work.tally.damage(self.at, &format!("`{}` closes nothing", char::from(byte)));
                self.advance()
            }
            (_, Some(level)) if level.in_array() && is_scalar(byte) => {
                self.note_comma(work);
                self.start_element(self.at, work)
            }
            (_, level) => {
                let in_place = level.map_or(self.has_lines && self.fresh_line, Level::in_array);
                self.open_garbage(byte, in_place, work)
            }
        }
    }

    fn advance(&mut self) -> Flow {
        self.at += 1;
        self.fresh_line = false;
        Flow::Go
    }

    fn eat_comma(&mut self) -> Flow {
        self.levels.set_comma(true);
        self.at += 1;
        Flow::Go
    }

    /// A comma must stand between two elements.
    fn note_comma(&mut self, work: &mut Work<'_, '_, '_>) {
        if self.levels.lacks_comma() {
            work.tally.damage(self.at, "a comma is missing");
        }
        self.levels.set_comma(false);
    }

    fn at_end(&mut self, work: &mut Work<'_, '_, '_>) -> Flow {
        if work.view.last {
            if !self.levels.is_empty() {
                work.tally.damage(self.at, "the file ends inside an array or object");
                self.levels.abandon(self.at, work.tally, work.sink);
            }
            self.state = State::Done;
        }
        Flow::Stop
    }

    /// A byte-order mark, where files were put together.
    fn byte_order_mark(&mut self, work: &mut Work<'_, '_, '_>) -> Flow {
        let next = work.view.part(self.at, self.at + 3);
        if next == b"\xEF\xBB\xBF" {
            self.at += 3;
            return Flow::Go;
        }
        if next.len() < 3 && !work.view.last {
            return Flow::Stop;
        }
        self.open_garbage(0xEF, self.has_lines && self.fresh_line, work)
    }

    fn open_garbage(&mut self, byte: u8, in_place: bool, work: &mut Work<'_, '_, '_>) -> Flow {
        let at_top = self.levels.is_empty();
        let in_place = in_place && byte >= 0x20;
        if !in_place {
            work.tally.damage(self.at, "no JSON stands here");
        }
        let mut garbage = Garbage::new(self.at, self.at, "no JSON stands here", None);
        garbage.is_reject = in_place;
        if at_top {
            garbage = if self.fresh_line { garbage.until_line_end() } else { garbage.at_top() };
        }
        self.state = State::Garbage(garbage);
        self.careful = true;
        Flow::Go
    }

    /// Decides from its first key how to go through an object.
    fn open_object(&mut self, work: &mut Work<'_, '_, '_>) -> Flow {
        let start = self.at;
        let head = work.view.part(start, start + FIRST_KEY as u64);
        let key = first_key(head);
        if key.is_none() && head.len() < FIRST_KEY && !work.view.last {
            return Flow::Stop;
        }
        if self.levels.last().is_some_and(|level| !level.in_array()) {
            work.tally.damage(start, "an object stands where a member should");
        }
        self.note_comma(work);
        if self.first_key.is_none() {
            self.first_key = key.map(<[u8]>::to_vec);
        }
        let is_element = key.is_some_and(record::leads_record) || self.levels.is_full();
        if is_element {
            return self.start_element(start, work);
        }
        self.state = State::Probe(Probe::new(start));
        Flow::Go
    }

    fn start_element(&mut self, start: u64, work: &mut Work<'_, '_, '_>) -> Flow {
        let skip = Skip::new(work.view, start, self.careful);
        self.element(Element { start, skip, members: None }, work)
    }

    pub(super) fn limit(&self, start: u64) -> u64 {
        start.saturating_add(self.limits.max_record_bytes as u64)
    }

    fn element(&mut self, mut element: Element, work: &mut Work<'_, '_, '_>) -> Flow {
        let start = element.start;
        match element.skip.run(work.view, work.index, self.limit(start)) {
            Skipped::End(end) => self.finish_element(element, end, work),
            Skipped::More => {
                self.state = State::Element(element);
                Flow::Stop
            }
            other => self.unfinished(start, start, &other, work),
        }
    }

    pub(super) fn finish_element(
        &mut self,
        whole: Element,
        end: u64,
        work: &mut Work<'_, '_, '_>,
    ) -> Flow {
        let start = whole.start;
        let at_top = self.levels.is_empty();
        let in_array = self.levels.last().is_some_and(Level::in_array);
        // What follows tells lines from concatenated objects.
        let is_last_seen = at_top && end == work.view.end() && !work.view.last;
        match breaks_off(work.view, end, in_array) {
            Some(Some(fault)) => return self.damaged(start, fault, work),
            Some(None) if !is_last_seen => {}
            _ => {
                self.state = State::Element(Element { skip: Skip::finished(end), ..whole });
                return Flow::Stop;
            }
        }
        let element = work.view.part(start, end);
        let shape = match self.levels.last() {
            Some(level) => level.shape(),
            None => self.shape_at_top(element, work.view.byte(end)),
        };
        self.has_lines |= at_top;
        self.levels.count();
        if !self.levels.is_void() {
            let context = Context {
                container: self.levels.container(),
                shape,
                around: self.levels.around(),
                is_plain: self.levels.is_plain(),
            };
            let members = whole.members.as_deref();
            let element = Cow::Borrowed(element);
            self.unwrapper.element(element, start, members, &context, work.tally, work.sink);
        }
        self.at = end;
        self.fresh_line = false;
        Flow::Go
    }

    fn shape_at_top(&self, element: &[u8], next: Option<u8>) -> Shape {
        let alone = !self.has_lines && next.is_none();
        if memchr::memchr(b'\n', element).is_some() || alone {
            Shape::Object
        } else if self.fresh_line && next.is_none_or(|b| matches!(b, b'\n' | b'\r')) {
            Shape::Lines
        } else {
            Shape::Concatenated
        }
    }

    /// An element does not end as it should: tells why, and goes on behind it.
    /// `value` is where the JSON begins that must be looked into.
    pub(super) fn unfinished(
        &mut self,
        start: u64,
        value: u64,
        why: &Skipped,
        work: &mut Work<'_, '_, '_>,
    ) -> Flow {
        let limit = self.limit(start);
        let end = match why {
            Skipped::Over => limit.min(work.view.end()),
            _ => work.view.end().min(limit.saturating_add(1)),
        };
        let fault = match (check(work.view.part(value, end)), why) {
            (Checked::Fault(at), _) => Some(value + at as u64),
            (_, Skipped::Fault(at)) => Some(*at),
            _ => None,
        };
        if let Some(fault) = fault {
            return self.damaged(start, fault, work);
        }
        if matches!(why, Skipped::Over) {
            let kept =
                work.view.part(start, limit.min(start + tally::KEPT_OF_LONG as u64)).to_vec();
            let skip = Skip::lenient(work.view, value);
            self.state = State::Long { start, skip, kept };
            return Flow::Go;
        }
        let text = work.view.part(start, end);
        work.tally.damage(start, "the file ends inside a record");
        let reject = Reject {
            reason: RejectReason::Truncated,
            detail: "the file ends inside the record".to_owned(),
            at: text.len(),
        };
        self.give_broken(Cow::Borrowed(text), start, text.len() as u64, reject, work);
        self.levels.abandon(self.at, work.tally, work.sink);
        self.at = work.view.end();
        self.state = State::Done;
        Flow::Go
    }

    /// Passes over what damage makes unreadable.
    fn damaged(&mut self, start: u64, fault: u64, work: &mut Work<'_, '_, '_>) -> Flow {
        self.careful = true;
        let text = work.view.part(start, fault);
        let key = first_key(text).map(<[u8]>::to_vec);
        let what = match work.view.byte(fault) {
            Some(byte @ b'!'..=b'~') => format!("`{}` cannot stand here", char::from(byte)),
            Some(b'\n' | b'\r') => "the line ends here".to_owned(),
            Some(byte) => format!("byte 0x{byte:02X} cannot stand here"),
            None => "the text ends here".to_owned(),
        };
        let mut garbage = Garbage::new(start, fault, &what, key);
        garbage.is_reject = true;
        if self.levels.is_empty() {
            let one_line = memchr::memchr(b'\n', text).is_none();
            garbage = if one_line { garbage.until_line_end() } else { garbage.at_top() };
        }
        self.state = State::Garbage(garbage);
        Flow::Go
    }

    fn garbage(&mut self, mut garbage: Garbage, work: &mut Work<'_, '_, '_>) -> Flow {
        let Some(end) =
            garbage.run(work.view, self.limits.max_record_bytes, self.first_key.as_deref())
        else {
            self.state = State::Garbage(garbage);
            return Flow::Stop;
        };
        self.at = end;
        self.fresh_line = work.view.byte(end - 1) == Some(b'\n');
        self.levels.set_comma(true);
        if garbage.is_reject {
            let (text, offset, length, reject) = garbage.into_reject(end);
            if !text.is_empty() {
                self.give_broken(Cow::Owned(text), offset, length, reject, work);
            }
        }
        Flow::Go
    }

    fn long(
        &mut self,
        start: u64,
        mut skip: Skip,
        kept: Vec<u8>,
        work: &mut Work<'_, '_, '_>,
    ) -> Flow {
        let end = match skip.run(work.view, work.index, u64::MAX) {
            Skipped::More => {
                self.state = State::Long { start, skip, kept };
                return Flow::Stop;
            }
            Skipped::End(end) | Skipped::Fault(end) => end,
            Skipped::Over | Skipped::Cut => {
                work.tally.damage(start, "the file ends inside a record");
                work.view.end()
            }
        };
        self.at = end;
        self.fresh_line = false;
        self.levels.count();
        self.has_lines |= self.levels.is_empty();
        let reject = tally::too_long(self.limits.max_record_bytes);
        self.give_broken(Cow::Owned(kept), start, end - start, reject, work);
        Flow::Go
    }

    /// Rejects what is damaged, cut off or too long: at once if it was a record, else only if the
    /// file holds records.
    fn give_broken<'a>(
        &mut self,
        text: Cow<'a, [u8]>,
        offset: u64,
        length: u64,
        reject: Reject,
        work: &mut Work<'_, '_, 'a>,
    ) {
        if self.levels.is_void() {
            return;
        }
        let expected = self.levels.container() == Some(&["Records"]);
        if record::resembles(&text) || expected && reject.reason != RejectReason::TooLong {
            return work.tally.reject(text, offset, length, reject, work.sink);
        }
        if let Some(name) = super::other::known_kind(&text) {
            work.tally.name(|| name);
        }
        work.tally.foreign(text, offset, length, reject, work.sink);
    }
}

/// Whether what follows an element shows that it ended too early: a member of it, perhaps behind
/// brackets too many, or the colon that makes it a key. Gives where, or nothing where more of
/// the file must be seen.
#[expect(clippy::option_option, reason = "whether it is known, and then where")]
fn breaks_off(view: View<'_>, end: u64, in_array: bool) -> Option<Option<u64>> {
    let rest = view.part(end, end + FIRST_KEY as u64);
    let known = |found: Option<u8>| match found {
        None if rest.len() < FIRST_KEY && !view.last => None,
        found => Some(found.unwrap_or_default()),
    };
    let next = |at: usize| {
        let at = json::skip_space(rest, at);
        (at, rest.get(at).copied())
    };
    let (mut at, mut byte) = next(0);
    if known(byte)? == b':' {
        return Some(Some(end + at as u64));
    }
    if in_array && byte == Some(b']') {
        return Some(None);
    }
    while let Some(b'}' | b']') = byte {
        (at, byte) = next(at + 1);
    }
    if known(byte)? != b',' {
        return Some(None);
    }
    (at, byte) = next(at + 1);
    if known(byte)? != b'"' {
        return Some(None);
    }
    let colon = json::string_end(rest, at).and_then(|end| next(end).1);
    Some((known(colon)? == b':').then_some(end))
}

/// Whether a number or literal may begin so.
fn is_scalar(byte: u8) -> bool {
    matches!(byte, b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}
