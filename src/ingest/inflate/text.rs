//! UTF-16 → UTF-8, for what Windows tools wrote.

use std::io::{self, Read};

/// The byte order that a mark at the front tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Utf16 {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Utf16 {
    /// The order that the mark at the front of `head` tells, if there is one.
    pub(super) fn of_mark(head: &[u8]) -> Option<Self> {
        match head {
            // UTF-32 begins like UTF-16 with two zero bytes more; nobody writes it.
            [0xff, 0xfe, 0, 0, ..] => None,
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }

    fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }
}

/// Transcodes whole buffers, keeping a pair that is split between two.
pub(super) struct Converter {
    order: Utf16,
    mark_seen: bool,
    odd: Option<u8>,
    high: Option<u16>,
}

impl Converter {
    pub(super) fn new(order: Utf16) -> Self {
        Self { order, mark_seen: false, odd: None, high: None }
    }

    /// Appends `input` as UTF-8 to `out`.
    ///
    /// A lone surrogate has no UTF-8: it is written as the JSON escape that means it.
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut bytes = self.odd.take().into_iter().chain(input.iter().copied());
        while let Some(first) = bytes.next() {
            let Some(second) = bytes.next() else {
                self.odd = Some(first);
                break;
            };
            let unit = self.order.unit([first, second]);
            if !std::mem::replace(&mut self.mark_seen, true) && unit == 0xfeff {
                continue;
            }
            self.unit(unit, out);
        }
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        let (pending, low) = (self.high.take(), (0xdc00..0xe000).contains(&unit));
        if let (Some(high), true) = (pending, low) {
            let code = 0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
            push_char(code, out);
            return;
        }
        if let Some(high) = pending {
            push_escape(high, out);
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else if low {
            push_escape(unit, out);
        } else {
            push_char(unit.into(), out);
        }
    }

    /// Appends what is still pending at the end.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            push_escape(high, out);
        }
        if self.odd.take().is_some() {
            push_char(0xfffd, out);
        }
    }
}

fn push_char(code: u32, out: &mut Vec<u8>) {
    let text = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(text.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_escape(surrogate: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\\u{surrogate:04x}").as_bytes());
}

/// Transcodes a stream.
pub(super) struct Transcoder<R> {
    inner: R,
    converter: Converter,
    raw: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    at_end: bool,
}

impl<R: Read> Transcoder<R> {
    pub(super) fn new(inner: R, order: Utf16) -> Self {
        Self {
            inner,
            converter: Converter::new(order),
            raw: vec![0; 32 << 10],
            ready: Vec::new(),
            given: 0,
            at_end: false,
        }
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.at_end {
            self.ready.clear();
            self.given = 0;
            let n_bytes = self.inner.read(&mut self.raw)?;
            if n_bytes == 0 {
                self.at_end = true;
                self.converter.finish(&mut self.ready);
            } else {
                self.converter.push(self.raw.get(..n_bytes).unwrap_or_default(), &mut self.ready);
            }
        }
        let left = self.ready.get(self.given..).unwrap_or_default();
        let n_bytes = left.len().min(out.len());
        if let (Some(from), Some(to)) = (left.get(..n_bytes), out.get_mut(..n_bytes)) {
            to.copy_from_slice(from);
        }
        self.given += n_bytes;
        Ok(n_bytes)
    }
}
