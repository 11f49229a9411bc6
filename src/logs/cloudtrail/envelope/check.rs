//! Finds the first byte that keeps some bytes from being JSON. Slow and strict: it is asked only
//! where damage is suspected, and in a file that has shown some.

use super::json;

/// What a value turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is whole and ends before this index.
    Whole(usize),
    /// The byte at this index cannot stand there.
    Fault(usize),
    /// It is JSON as far as it goes.
    Short,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// Checks the value that `bytes` begin with.
pub(super) fn check(bytes: &[u8]) -> Checked {
    let mut open = Vec::new();
    let mut expect = Expect::Value;
    let mut at = 0;
    loop {
        at = json::skip_space(bytes, at);
        let Some(&byte) = bytes.get(at) else { return Checked::Short };
        let step = match (expect, byte) {
            (Expect::Value | Expect::ValueOrEnd, b'{' | b'[') => {
                open.push(byte);
                expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
                at += 1;
                continue;
            }
            (Expect::ValueOrEnd, b']') | (Expect::KeyOrEnd, b'}') => Step::To(at + 1),
            (Expect::CommaOrEnd, b'}' | b']') if open.last().is_some_and(|o| o + 2 == byte) => {
                Step::To(at + 1)
            }
            (Expect::Value | Expect::ValueOrEnd, b'"') => string(bytes, at),
            (Expect::Value | Expect::ValueOrEnd, _) => scalar(bytes, at),
            (Expect::Key | Expect::KeyOrEnd, b'"') => match string(bytes, at) {
                Step::To(end) => {
                    expect = Expect::Colon;
                    at = end;
                    continue;
                }
                other => other,
            },
            (Expect::Colon, b':') => {
                expect = Expect::Value;
                at += 1;
                continue;
            }
            (Expect::CommaOrEnd, b',') => {
                expect = if open.last() == Some(&b'{') { Expect::Key } else { Expect::Value };
                at += 1;
                continue;
            }
            _ => Step::Fault(at),
        };
        match step {
            Step::To(end) => {
                if matches!(byte, b'}' | b']') {
                    open.pop();
                }
                if open.is_empty() {
                    return Checked::Whole(end);
                }
                expect = Expect::CommaOrEnd;
                at = end;
            }
            Step::Fault(fault) => return Checked::Fault(fault),
            Step::Short => return Checked::Short,
        }
    }
}

/// How a token was read.
enum Step {
    To(usize),
    Fault(usize),
    Short,
}

fn string(bytes: &[u8], quote: usize) -> Step {
    let mut at = quote + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Step::To(at + 1),
            0..0x20 => return Step::Fault(at),
            b'\\' => match bytes.get(at + 1) {
                Some(b'u') => {
                    let digits = bytes.get(at + 2..).unwrap_or_default().iter().take(4);
                    if let Some(i) = digits.clone().position(|b| !b.is_ascii_hexdigit()) {
                        return Step::Fault(at + 2 + i);
                    }
                    at += 2 + digits.len();
                }
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                Some(_) => return Step::Fault(at + 1),
                None => return Step::Short,
            },
            _ => at += 1,
        }
    }
    Step::Short
}

fn scalar(bytes: &[u8], at: usize) -> Step {
    let end = json::scalar_end(bytes, at);
    let text = json::part(bytes, at..end);
    for literal in [b"true".as_slice(), b"false", b"null"] {
        if text == literal {
            return Step::To(end);
        }
        if end == bytes.len() && !text.is_empty() && literal.starts_with(text) {
            return Step::Short;
        }
    }
    let cut = end == bytes.len();
    match number(text) {
        None if cut => Step::Short,
        None => Step::To(end),
        Some(_) if cut && number(&[text, b"0"].concat()).is_none() => Step::Short,
        Some(fault) => Step::Fault(at + fault),
    }
}

/// Where the text stops being a JSON number.
fn number(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        text.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    match digits(at) {
        0 => return Some(at),
        n if n > 1 && text.get(at) == Some(&b'0') => return Some(at + 1),
        n => at += n,
    }
    if text.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return Some(at + 1),
            n => at += 1 + n,
        }
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + signed) {
            0 => return Some(at + 1 + signed),
            n => at += 1 + signed + n,
        }
    }
    (at != text.len()).then_some(at)
}
