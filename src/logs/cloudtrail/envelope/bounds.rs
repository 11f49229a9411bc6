//! Finds where a JSON object or array ends, without recursion and without looking twice.
//!
//! [`Index`] classes 4 KiB of a window at a time with plain comparisons, which compilers turn into
//! vector code on every platform, four bits to the byte; [`Bounds`] walks those 16 bytes to the
//! word. Besides the depth it watches a sign of damage that costs next to nothing here and would
//! otherwise let one stray quote swallow the records behind it: a string that opens where none
//! can, because the byte before it is no bracket, comma, colon or white space.

#![expect(clippy::indexing_slicing, reason = "hot; every index is bounded by the lines above it")]

use memchr::memchr;

/// Bytes classed at a time.
const CHUNK: usize = 4096;
/// Bytes in a group of words.
const GROUP: usize = 64;
/// Bytes in a word of classes.
const WORD: usize = 16;
/// The lowest bit of each byte's four.
const LANES: u64 = 0x1111_1111_1111_1111;
/// A byte's classes: a quote, an opening bracket, a closing bracket, a quote that must close.
const QUOTE: u8 = 1;
const OPEN: u8 = 2;
const CLOSE: u8 = 4;
const CLOSING_QUOTE: u8 = 8;

/// The classes of a part of a window. Good for one window only.
pub(super) struct Index {
    start: usize,
    length: usize,
    /// Whether the byte behind the part is escaped.
    escaped: bool,
    groups: Box<[[u64; 4]; CHUNK / GROUP]>,
}

impl Index {
    /// An index of nothing.
    pub(super) fn new() -> Self {
        Self { start: 0, length: 0, escaped: false, groups: Box::new([[0; 4]; CHUNK / GROUP]) }
    }

    /// Forgets the window.
    pub(super) fn clear(&mut self) {
        self.start = 0;
        self.length = 0;
    }

    fn end(&self) -> usize {
        self.start + self.length
    }

    /// Classes the part of `bytes` that begins at `at`.
    #[inline(never)]
    fn build(&mut self, bytes: &[u8], at: usize, escaped: bool) {
        let chunk = &bytes[at..bytes.len().min(at + CHUNK)];
        self.start = at;
        self.length = chunk.len();
        let input = at.checked_sub(1).and_then(|before| bytes.get(before..at + CHUNK));
        if let Some(input) = input {
            self.classify(input);
        } else {
            let mut input = [b' '; CHUNK + 1];
            if at > 0 {
                input[0] = bytes[at - 1];
            }
            input[1..=chunk.len()].copy_from_slice(chunk);
            self.classify(&input);
        }
        self.escaped = false;
        let mut next = usize::from(escaped);
        if escaped {
            self.unquote(0);
        }
        while let Some(found) = memchr(b'\\', chunk.get(next..).unwrap_or_default()) {
            let target = next + found + 1;
            if target == chunk.len() {
                self.escaped = true;
                break;
            }
            self.unquote(target);
            next = target + 1;
        }
    }

    /// `input` has one byte more in front.
    fn classify(&mut self, input: &[u8]) {
        let mut classes = [0; CHUNK];
        for ((class, &before), &byte) in classes.iter_mut().zip(input).zip(&input[1..]) {
            let quote = if byte == b'"' { 0xFF } else { 0 };
            let lead = matches!(before, b',' | b':' | 0..=b' ') || before | 0x20 == b'{';
            let closing = if lead { 0 } else { CLOSING_QUOTE };
            let open = if byte | 0x20 == b'{' { OPEN } else { 0 };
            let close = if byte | 0x20 == b'}' { CLOSE } else { 0 };
            *class = quote & (QUOTE | closing) | open | close;
        }
        let mut pairs = [0; CHUNK / 2];
        for (pair, two) in pairs.iter_mut().zip(classes.as_chunks::<2>().0) {
            let both = u16::from_le_bytes(*two);
            *pair = (both | both >> 4).to_le_bytes()[0];
        }
        for (group, bytes) in self.groups.iter_mut().zip(pairs.as_chunks::<32>().0) {
            *group = std::array::from_fn(|i| u64::from_le_bytes(bytes.as_chunks::<8>().0[i]));
        }
    }

    /// The byte at `at` of the part is escaped: if it is a quote, it is none that counts.
    fn unquote(&mut self, at: usize) {
        let lane = at % WORD * 4;
        self.groups[at / GROUP][at % GROUP / WORD] &= !(u64::from(QUOTE | CLOSING_QUOTE) << lane);
    }
}

/// What a run over some bytes found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The value's last byte is the one before this index.
    End(usize),
    /// All bytes were read and the value goes on.
    More,
    /// The bytes cannot be JSON: damage lies at or before this index.
    Fault(usize),
}

/// The state of a search for the end of an object or array, between any two bytes of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    depth: usize,
    string: bool,
    escaped: bool,
    heed_faults: bool,
}

impl Bounds {
    /// Before an opening bracket.
    pub(super) fn new() -> Self {
        Self { depth: 0, string: false, escaped: false, heed_faults: true }
    }

    /// Before an opening bracket, giving no [`Found::Fault`].
    pub(super) fn lenient() -> Self {
        Self { heed_faults: false, ..Self::new() }
    }

    /// Reads `bytes` from `from` on: where the last run over them ended, or the value's start.
    pub(super) fn run(&mut self, index: &mut Index, bytes: &[u8], from: usize) -> Found {
        let mut at = from;
        while at < bytes.len() {
            if at < index.start || at >= index.end() {
                index.build(bytes, at, self.escaped);
            }
            // The index may reach further than the bytes to look at.
            match self.run_part(index, at - index.start) {
                Found::End(i) if index.start + i <= bytes.len() => {
                    return Found::End(index.start + i);
                }
                Found::Fault(i) if index.start + i < bytes.len() => {
                    return Found::Fault(index.start + i);
                }
                Found::More => at = index.end(),
                Found::End(_) | Found::Fault(_) => return Found::More,
            }
            self.escaped = index.escaped;
        }
        Found::More
    }

    /// Reads what the index holds from `from` on.
    fn run_part(&mut self, index: &Index, from: usize) -> Found {
        let mut carry = if self.string { LANES } else { 0 };
        let mut depth = self.depth;
        let groups = &index.groups[..index.length.div_ceil(GROUP)];
        let mut i = from / GROUP;
        let head = behind(&groups[i], from % GROUP);
        let mut next = Some(&head);
        while let Some(group) = next {
            let before = carry;
            let (mut opens, mut closes, mut faults) = (0, 0, 0);
            for &word in group {
                let string = strings(word, carry);
                opens += word >> 1 & LANES & !string;
                closes += word >> 2 & LANES & !string;
                faults |= word >> 3 & string;
                carry = 0_u64.wrapping_sub(string >> 60) & LANES;
            }
            let closed = sum(closes);
            if closed >= depth || self.heed_faults && faults & LANES != 0 {
                match self.walk(group, before, &mut depth) {
                    Found::End(at) => return Found::End(i * GROUP + at),
                    Found::Fault(at) => return Found::Fault(i * GROUP + at),
                    Found::More => {}
                }
            } else {
                depth = depth + sum(opens) - closed;
            }
            i += 1;
            next = groups.get(i);
        }
        self.string = carry != 0;
        self.depth = depth;
        Found::More
    }

    /// Reads a group bracket by bracket, because it may hold the end or damage.
    #[inline(never)]
    fn walk(&self, group: &[u64; 4], mut carry: u64, depth: &mut usize) -> Found {
        for (i, &word) in group.iter().enumerate() {
            let string = strings(word, carry);
            let opens = word >> 1 & LANES & !string;
            let closes = word >> 2 & LANES & !string;
            let faults = if self.heed_faults { word >> 3 & LANES & string } else { 0 };
            let mut bits = opens | closes | faults;
            while bits != 0 {
                let bit = bits & bits.wrapping_neg();
                bits ^= bit;
                let at = i * WORD + (bit.trailing_zeros() / 4) as usize;
                if faults & bit != 0 {
                    return Found::Fault(at);
                } else if opens & bit != 0 {
                    *depth += 1;
                } else if *depth <= 1 {
                    return Found::End(at + 1);
                } else {
                    *depth -= 1;
                }
            }
            carry = 0_u64.wrapping_sub(string >> 60) & LANES;
        }
        Found::More
    }
}

/// The lanes inside strings, their opening quotes included.
#[inline]
fn strings(word: u64, carry: u64) -> u64 {
    let mut lanes = word & LANES;
    lanes ^= lanes << 4;
    lanes ^= lanes << 8;
    lanes ^= lanes << 16;
    lanes ^= lanes << 32;
    lanes ^ carry
}

/// `group` without its first `n` bytes.
fn behind(group: &[u64; 4], n: usize) -> [u64; 4] {
    std::array::from_fn(|i| match n.saturating_sub(i * WORD) {
        skip if skip < WORD => group[i] & !0 << (skip * 4),
        _ => 0,
    })
}

/// The sum of all lanes, none of which is above 15.
#[inline]
fn sum(lanes: u64) -> usize {
    const LOW: u64 = 0x0F0F_0F0F_0F0F_0F0F;
    let bytes = (lanes & LOW) + (lanes >> 4 & LOW);
    usize::from((bytes.wrapping_mul(0x0101_0101_0101_0101) >> 56).to_le_bytes()[0])
}
