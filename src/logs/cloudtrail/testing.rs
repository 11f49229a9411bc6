//! What the tests of the decoder and of rebuilding share: records made of arbitrary bytes, and a
//! JSON reader that keeps what matters and owes nothing to the scanner under test.
#![expect(clippy::string_slice, reason = "tests may panic")]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{
    decode::{Decoded, Decoder, FileMeta, RecordMeta},
    envelope::Shape,
    fields::{Kind, nodes},
    key::LogKey,
};
use crate::logs::{Limits, Reject};

/// A file of no particular name.
pub(crate) fn file() -> FileMeta {
    FileMeta {
        seq: 7,
        source_file: Arc::from("/evidence/a.json.gz"),
        source_version: 1,
        key: LogKey::default(),
    }
}

/// The `record_no`th record of a file.
pub(crate) fn meta(record_no: u32) -> RecordMeta<'static> {
    RecordMeta { record_no, offset: 12, appended: false, shape: Shape::Records, envelope: None }
}

/// Decodes `records`, which must all be good.
pub(crate) fn decode(records: &[&str]) -> Decoded {
    let mut decoder = Decoder::new(Limits::default());
    for (record, number) in records.iter().zip(1..) {
        decoder.push(&file(), &meta(number), record.as_bytes()).unwrap();
    }
    decoder.take()
}

/// Why `record` is not accepted.
pub(crate) fn reject(record: &[u8], limits: Limits) -> Reject {
    let mut decoder = Decoder::new(limits);
    let reject = decoder.push(&file(), &meta(1), record).unwrap_err();
    assert_eq!((decoder.rows(), decoder.bytes()), (0, 0));
    assert!(decoder.take().events.is_none());
    reject
}

/// The samples beside the checkout, where they are.
pub(crate) fn samples(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    path.is_dir().then_some(path)
}

/// A document: numbers as spelled, strings as UTF-16 so that lone surrogates survive, every key
/// in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Word(String),
    Text(Vec<u16>),
    Array(Vec<Json>),
    Object(Vec<(Vec<u16>, Json)>),
}

impl Json {
    /// Reads `json`, control characters in strings included.
    pub(crate) fn read(json: &str) -> Self {
        let mut rest = json;
        let value = Self::value(&mut rest);
        assert_eq!(rest.trim_matches([' ', '\t', '\r', '\n']), "", "in {json}");
        value
    }

    fn value(rest: &mut &str) -> Self {
        skip(rest);
        match rest.chars().next() {
            Some('"') => Self::Text(string(rest)),
            Some('[') => {
                *rest = &rest[1..];
                let mut items = Vec::new();
                while !close(rest, ']') {
                    items.push(Self::value(rest));
                }
                Self::Array(items)
            }
            Some('{') => {
                *rest = &rest[1..];
                let mut entries = Vec::new();
                while !close(rest, '}') {
                    let key = string(rest);
                    skip(rest);
                    *rest = rest.strip_prefix(':').unwrap();
                    entries.push((key, Self::value(rest)));
                }
                Self::Object(entries)
            }
            _ => {
                let end = rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
                assert!(end > 0, "no value at {rest}");
                let word = rest[..end].to_owned();
                *rest = &rest[end..];
                Self::Word(word)
            }
        }
    }

    /// Orders the keys where their order need not survive: in the record, in its known objects
    /// and in the elements of `resources`. Copies of one key stay in order.
    pub(crate) fn normal(self) -> Self {
        self.normal_at("")
    }

    fn normal_at(self, path: &str) -> Self {
        match self {
            Self::Object(mut entries) if order_is_free(path) => {
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                let dot = if path.is_empty() { "" } else { "." };
                let below = |key: &[u16]| format!("{path}{dot}{}", String::from_utf16_lossy(key));
                let entries = entries.into_iter();
                Self::Object(entries.map(|(k, v)| (k.clone(), v.normal_at(&below(&k)))).collect())
            }
            Self::Array(items) if path == "resources" => {
                Self::Array(items.into_iter().map(|item| item.normal_at("resources[]")).collect())
            }
            other => other,
        }
    }
}

fn order_is_free(path: &str) -> bool {
    let mut fields = nodes().iter().flat_map(|node| &node.fields);
    path.is_empty()
        || path == "resources[]"
        || fields.any(|field| matches!(field.kind, Kind::Object(_)) && field.path == path)
}

fn skip(rest: &mut &str) {
    *rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
}

/// Steps over a comma, or says that `end` closes.
fn close(rest: &mut &str, end: char) -> bool {
    skip(rest);
    if let Some(after) = rest.strip_prefix(end) {
        *rest = after;
        return true;
    }
    *rest = rest.strip_prefix(',').unwrap_or(rest);
    skip(rest);
    false
}

fn string(rest: &mut &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut chars = rest.strip_prefix('"').unwrap().char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                *rest = &rest[at + 2..];
                return units;
            }
            '\\' => match chars.next().unwrap().1 {
                'b' => units.push(8),
                'f' => units.push(12),
                'n' => units.push(10),
                'r' => units.push(13),
                't' => units.push(9),
                'u' => {
                    let hex: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    units.push(u16::from_str_radix(&hex, 16).unwrap());
                }
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            },
            c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
        }
    }
    panic!("no end of {rest}");
}

/// Makes choices of bytes; when they run out, the simplest.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    /// A number below `n`.
    fn below(&mut self, n: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A value as it is to be written, token by token.
#[derive(Debug, Clone)]
pub(crate) enum Raw {
    Token(String),
    Array(Vec<Raw>),
    Object(Vec<(String, Raw)>),
}

impl Raw {
    /// Writes it with white space between the tokens, or without.
    pub(crate) fn write(&self, pad: &mut dyn FnMut() -> &'static str) -> String {
        let (open, items, end) = match self {
            Self::Token(token) => return format!("{}{token}{}", pad(), pad()),
            Self::Array(items) => ('[', items.iter().map(|i| i.write(pad)).collect(), ']'),
            Self::Object(entries) => {
                let entry =
                    |(k, v): &(String, Raw)| format!("{}{k}{}:{}", pad(), pad(), v.write(pad));
                ('{', entries.iter().map(entry).collect::<Vec<_>>(), '}')
            }
        };
        format!("{}{open}{}{}{end}{}", pad(), items.join(","), pad(), pad())
    }

    pub(crate) fn compact(&self) -> String {
        self.write(&mut || "")
    }
}

/// A record with all that can go wrong in one, made of `choices`.
pub(crate) fn record(choices: &mut Choices<'_>) -> Raw {
    let mut entries = object(choices, 0);
    entries.insert(
        choices.below(entries.len() + 1),
        ("\"eventName\"".to_owned(), Raw::Token("\"GetObject\"".to_owned())),
    );
    Raw::Object(entries)
}

fn object(c: &mut Choices<'_>, node: usize) -> Vec<(String, Raw)> {
    let mut entries = Vec::new();
    for field in &nodes()[node].fields {
        let copies = c.of(&[0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2]);
        for _ in 0..copies {
            let key = match c.below(16) {
                13 => field.key.to_lowercase(),
                14 => field.key.to_uppercase(),
                15 => {
                    let first = field.key.as_bytes()[0];
                    format!("\\u{first:04x}{}", &field.key[1..])
                }
                _ => field.key.to_owned(),
            };
            let value = if c.below(8) == 7 { any(c, 3) } else { expected(c, field.kind) };
            let at = entries.len() - c.below(entries.len().min(4) + 1);
            entries.insert(at, (format!("\"{key}\""), value));
        }
    }
    while c.below(4) == 3 {
        let value = any(c, 4);
        entries.insert(c.below(entries.len() + 1), (key(c), value));
    }
    entries
}

/// A value of the type that the schema expects, mostly.
fn expected(c: &mut Choices<'_>, kind: Kind) -> Raw {
    match kind {
        Kind::Text(_) => Raw::Token(text(c)),
        Kind::Flag(_) => Raw::Token(c.of(&["true", "false"]).to_owned()),
        Kind::Json(_) => Raw::Object((0..c.below(4)).map(|_| (key(c), any(c, 3))).collect()),
        Kind::Object(child) => Raw::Object(object(c, child)),
        Kind::Attributes => {
            Raw::Object((0..c.below(3)).map(|_| (key(c), Raw::Token(text(c)))).collect())
        }
        Kind::Resources => Raw::Array(
            (0..c.below(3))
                .map(|_| {
                    let keys = ["ARN", "accountId", "type", "ARNPrefix", "arn", "other"];
                    let n = c.below(5);
                    Raw::Object(
                        (0..n)
                            .map(|_| {
                                let key =
                                    keys[c.below(12).min(11) % if c.below(8) == 7 { 6 } else { 4 }];
                                let odd = c.below(16) == 15;
                                let value = if odd { any(c, 1) } else { Raw::Token(text(c)) };
                                (format!("\"{key}\""), value)
                            })
                            .collect(),
                    )
                })
                .collect(),
        ),
    }
}

fn any(c: &mut Choices<'_>, depth: usize) -> Raw {
    match c.below(if depth == 0 { 4 } else { 8 }) {
        0 => Raw::Token("null".to_owned()),
        1 => Raw::Token(text(c)),
        2 => Raw::Token(
            c.of(&[
                "0",
                "-0",
                "1.50",
                "9007199254740993",
                "1e400",
                "-12345678901234567890123",
                "true",
            ])
            .to_owned(),
        ),
        3 => Raw::Token("false".to_owned()),
        4 => Raw::Object(Vec::new()),
        5 => Raw::Array((0..c.below(4)).map(|_| any(c, depth - 1)).collect()),
        _ => Raw::Object((0..c.below(4)).map(|_| (key(c), any(c, depth - 1))).collect()),
    }
}

/// A string's token: plain, empty, escaped, and what JSON allows or should not.
fn text(c: &mut Choices<'_>) -> String {
    let text = c.of(&[
        "",
        "a",
        "arn:aws:iam::111122223333:user/alice",
        "2024-01-02T03:04:05Z",
        "198.51.100.7",
        "true",
        "null",
        "{}",
        "{ \\\"a\\\" : [ 1 , 2 ] }",
        "[1]",
        "\\u0041\\n\\/\\\\\\\"",
        "\\ud83d\\ude00 é €",
        "\\ud800",
        "x\\udc00y",
        "\\ud800\\u0041",
        "\\u0000",
        "\u{1}\u{0}\n",
        "a  b : , } ]",
        "exactly8",
        "exactly sixteen.",
        "seventeen letters",
    ]);
    format!("\"{text}\"")
}

fn key(c: &mut Choices<'_>) -> String {
    let key = c.of(&[
        "hostname",
        "a",
        "",
        "@timestamp",
        "time",
        "eventname",
        "roleArn",
        "credentials",
        "a b",
        "\\u0061",
        "\\ud800",
        "\\\"",
        "userIdentity",
        "type",
        "é",
        "\u{2}",
    ]);
    format!("\"{key}\"")
}

/// The records of a file of samples, whatever simple shape it has.
pub(crate) fn records(bytes: &[u8]) -> Vec<String> {
    use serde_json::value::RawValue;
    type Raws = Vec<Box<RawValue>>;
    let text = |raws: Raws| raws.into_iter().map(|raw| raw.get().to_owned()).collect();
    if let Ok(mut object) = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(bytes)
        && let Some(records) = object.remove("Records")
    {
        return text(serde_json::from_str::<Raws>(records.get()).unwrap());
    }
    if let Ok(raws) = serde_json::from_slice::<Raws>(bytes) {
        return text(raws);
    }
    let stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Box<RawValue>>();
    text(stream.collect::<Result<_, _>>().unwrap())
}
