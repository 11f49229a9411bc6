//! What several tests need: ingesting, reading a cache whole, hashing it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    util::display::{ArrayFormatter, FormatOptions},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use trailhound::{
    aws::AwsOptions,
    cache::{Cache, Table},
    ingest::{self, InflateLimits, IngestOptions, IngestReport, Progress},
    logs::{Limits, cloudtrail::rebuild},
    source::Filter,
};

/// A path from the project's root.
pub(crate) fn from_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The published samples beside the checkout; without them says that the test was skipped.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn shared_data(test: &str) -> Option<PathBuf> {
    let dir = from_root("../shared/data");
    if !dir.is_dir() {
        eprintln!("SKIPPED {test}: there is no {}", dir.display());
        return None;
    }
    Some(dir.canonicalize().unwrap())
}

/// Literals that a script of tests/oracle derived.
pub(crate) fn literals(name: &str) -> Value {
    let text = std::fs::read_to_string(from_root("tests/oracle").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// How `sources` are ingested unless a test wants something else.
pub(crate) fn options(sources: &[&Path]) -> IngestOptions {
    IngestOptions {
        sources: sources.iter().map(|path| path.to_str().unwrap().to_owned()).collect(),
        filter: Filter::default(),
        aws: AwsOptions::default(),
        versions: false,
        inventories: Vec::new(),
        limits: Limits::default(),
        inflate: InflateLimits::default(),
        memory_bytes: 256 << 20,
        threads: 2,
        temp_dir: std::env::temp_dir(),
    }
}

/// Ingests `source` into the cache at `dir`.
pub(crate) fn ingest_into(dir: &Path, source: &Path) -> IngestReport {
    let cache = Cache::create(dir).unwrap();
    ingest::run(&cache, &options(&[source]), &Arc::new(Progress::default())).unwrap()
}

/// All rows of `table`, whole.
pub(crate) fn batches(dir: &Path, table: Table) -> Vec<RecordBatch> {
    let cache = Cache::open(dir).unwrap();
    let snapshot = cache.snapshot().unwrap();
    let schema = table.schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let mut out = Vec::new();
    cache
        .read(&snapshot, table, &names, None, &mut |batch| {
            out.push(batch);
            Ok(())
        })
        .unwrap();
    out
}

/// One column of `batches` as text, NULL as nothing.
pub(crate) fn column(batches: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let options = FormatOptions::default();
    let mut out = Vec::new();
    for batch in batches {
        let array = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
        let format = ArrayFormatter::try_new(array, &options).unwrap();
        out.extend(
            (0..array.len()).map(|row| array.is_valid(row).then(|| format.value(row).to_string())),
        );
    }
    out
}

/// A member of a struct column as text.
pub(crate) fn member(batches: &[RecordBatch], name: &str, field: &str) -> Vec<Option<String>> {
    let mut out = Vec::new();
    for batch in batches {
        let parent = batch.column_by_name(name).unwrap().as_struct();
        let child = parent.column_by_name(field).unwrap().as_string::<i32>();
        out.extend((0..parent.len()).map(|row| {
            (parent.is_valid(row) && child.is_valid(row)).then(|| child.value(row).to_owned())
        }));
    }
    out
}

/// How often each value occurs; NULL counts as `None`, as the oracle prints it.
pub(crate) fn counts(values: &[Option<String>]) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for value in values {
        *out.entry(value.clone().unwrap_or_else(|| "None".to_owned())).or_default() += 1;
    }
    out
}

/// The oracle's counts of the same form.
pub(crate) fn expected_counts(value: &Value) -> BTreeMap<String, u64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The rows of `table` as text, one line each without the columns `but`, each with how often it
/// occurs. Equal maps, equal tables, whatever the order of rows and files.
pub(crate) fn rows(dir: &Path, table: Table, but: &[&str]) -> BTreeMap<String, u64> {
    let options = FormatOptions::default().with_null("∅");
    let mut out = BTreeMap::new();
    for batch in batches(dir, table) {
        let schema = batch.schema();
        let formats: Vec<_> = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .filter(|(field, _)| !but.contains(&field.name().as_str()))
            .map(|(field, array)| (field.name(), ArrayFormatter::try_new(array, &options).unwrap()))
            .collect();
        for row in 0..batch.num_rows() {
            let line: Vec<_> =
                formats.iter().map(|(name, f)| format!("{name}={}", f.value(row))).collect();
            *out.entry(line.join("\u{1f}")).or_default() += 1;
        }
    }
    out
}

/// The number of rows of `table` and an order-independent hash over all its columns without `but`.
pub(crate) fn fingerprint(dir: &Path, table: Table, but: &[&str]) -> (usize, String) {
    let options = FormatOptions::default().with_null("\u{2205}");
    let (mut n_rows, mut sum) = (0, Sum::default());
    for batch in batches(dir, table) {
        let schema = batch.schema();
        let kept = schema.fields().iter().zip(batch.columns());
        let formats: Vec<_> = kept
            .filter(|(field, _)| !but.contains(&field.name().as_str()))
            .map(|(_, array)| ArrayFormatter::try_new(array, &options).unwrap())
            .collect();
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for format in &formats {
                format.value(row).write(&mut line).unwrap();
                line.push('\u{1f}');
            }
            sum.add(Sha256::digest(&line).into());
        }
        n_rows += batch.num_rows();
    }
    (n_rows, sum.to_string())
}

/// A sum of hashes modulo 2^256.
#[derive(Debug, Default)]
struct Sum([u8; 32]);

impl Sum {
    fn add(&mut self, hash: [u8; 32]) {
        let mut carry = 0;
        for (digit, add) in self.0.iter_mut().zip(hash).rev() {
            let sum = u16::from(*digit) + u16::from(add) + carry;
            *digit = u8::try_from(sum & 0xFF).unwrap();
            carry = sum >> 8;
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The sum, modulo 2^256, of the hashes of all records as they are rebuilt from the rows: the
/// `content_hash` of the oracle, whatever the order.
pub(crate) fn content_hash(events: &[RecordBatch]) -> String {
    let mut sum = Sum::default();
    for batch in events {
        for row in 0..batch.num_rows() {
            sum.add(content(&rebuild::record(batch, row)));
        }
    }
    sum.to_string()
}

/// `content` as the oracle prints it.
pub(crate) fn hash_of(record: &str) -> String {
    Sum(content(record)).to_string()
}

/// The contents of the records of a delivery file's plain text, sorted.
pub(crate) fn contents_of_delivery(text: &[u8]) -> Vec<[u8; 32]> {
    let Node::Object(members) = Json(text).value(&mut 0) else { panic!("not an object") };
    let (_, records) = members.into_iter().find(|((_, key), _)| key == b"Records").unwrap();
    let Node::Array(records) = records else { panic!("Records is no array") };
    let content = |record: &Node| content(std::str::from_utf8(&record.compact()).unwrap());
    let mut out: Vec<_> = records.iter().map(content).collect();
    out.sort_unstable();
    out
}

/// The hash of a record's content: white space and the order of keys that AWS's schema names do
/// not count; inside other JSON everything but white space does. The same as `content` of
/// tests/oracle/reading.py, written again.
pub(crate) fn content(record: &str) -> [u8; 32] {
    const UNORDERED: [&[u8]; 4] = [b"userIdentity", b"addendum", b"tlsDetails", b"resources"];
    let node = Json(record.as_bytes()).value(&mut 0);
    let Node::Object(members) = node else { panic!("not an object: {record}") };
    let (mut seen, mut parts) = (HashMap::<Vec<u8>, u64>::new(), Vec::new());
    for ((_, key), value) in members {
        let plain = UNORDERED.contains(&key.as_slice()) || matches!(value, Node::Text(..));
        let n = seen.entry(key.clone()).or_default();
        parts.push((key, *n, value.canonical(!plain)));
        *n += 1;
    }
    parts.sort();
    let lines: Vec<Vec<u8>> = parts.into_iter().map(numbered).collect();
    Sha256::digest(lines.join(&2)).into()
}

fn numbered((key, n, value): (Vec<u8>, u64, Vec<u8>)) -> Vec<u8> {
    [key, n.to_string().into_bytes(), value].join(&1)
}

/// A reader of valid JSON that keeps the spelling of what it reads, duplicate keys and lone
/// surrogates.
struct Json<'a>(&'a [u8]);

/// A string's spelling, quotes and all, and its value in WTF-8.
type Key = (Vec<u8>, Vec<u8>);

enum Node {
    /// Members in order: a key's spelling and value, and what it names.
    Object(Vec<(Key, Node)>),
    Array(Vec<Node>),
    Text(Key),
    Word(Vec<u8>),
}

impl Json<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or_else(|| panic!("JSON ends at {at}"))
    }

    fn space(&self, at: &mut usize) {
        while self.0.get(*at).is_some_and(u8::is_ascii_whitespace) {
            *at += 1;
        }
    }

    fn value(&self, at: &mut usize) -> Node {
        self.space(at);
        match self.byte(*at) {
            b'{' => Node::Object(self.list(at, b'}', |json, at| {
                let Node::Text(key) = json.value(at) else { panic!("a key at {at}") };
                json.space(at);
                assert_eq!(json.byte(*at), b':', "a colon at {at}");
                *at += 1;
                (key, json.value(at))
            })),
            b'[' => Node::Array(self.list(at, b']', Self::value)),
            b'"' => self.text(at),
            _ => {
                let start = *at;
                while self.0.get(*at).is_some_and(|c| !b",]} \n\r\t".contains(c)) {
                    *at += 1;
                }
                Node::Word(self.0.get(start..*at).unwrap().to_vec())
            }
        }
    }

    fn list<T>(&self, at: &mut usize, close: u8, one: impl Fn(&Self, &mut usize) -> T) -> Vec<T> {
        let mut out = Vec::new();
        *at += 1;
        self.space(at);
        while self.byte(*at) != close {
            if !out.is_empty() {
                assert_eq!(self.byte(*at), b',', "a comma at {at}");
                *at += 1;
                self.space(at);
            }
            out.push(one(self, at));
            self.space(at);
        }
        *at += 1;
        out
    }

    fn text(&self, at: &mut usize) -> Node {
        let start = *at;
        let mut value = Vec::new();
        *at += 1;
        while self.byte(*at) != b'"' {
            let c = self.byte(*at);
            *at += 1;
            if c == b'\\' { self.escape(at, &mut value) } else { value.push(c) }
        }
        *at += 1;
        Node::Text((self.0.get(start..*at).unwrap().to_vec(), value))
    }

    fn escape(&self, at: &mut usize, value: &mut Vec<u8>) {
        let c = self.byte(*at);
        *at += 1;
        match c {
            b'u' => {
                let mut code = self.unit(at);
                let low = self.0.get(*at..*at + 2) == Some(b"\\u");
                if (0xD800..0xDC00).contains(&code) && low {
                    let mut after = *at + 2;
                    let second = self.unit(&mut after);
                    if (0xDC00..0xE000).contains(&second) {
                        code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
                        *at = after;
                    }
                }
                wtf8(code, value);
            }
            b'b' => value.push(8),
            b'f' => value.push(12),
            b'n' => value.push(b'\n'),
            b'r' => value.push(b'\r'),
            b't' => value.push(b'\t'),
            other => value.push(other),
        }
    }

    fn unit(&self, at: &mut usize) -> u32 {
        let digits = std::str::from_utf8(self.0.get(*at..*at + 4).unwrap()).unwrap();
        *at += 4;
        u32::from_str_radix(digits, 16).unwrap()
    }
}

/// UTF-8 that may hold lone surrogates.
fn wtf8(code: u32, out: &mut Vec<u8>) {
    if let Some(c) = char::from_u32(code) {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let byte = |n: u32| u8::try_from(n).unwrap();
        let tail = |shift: u32| byte(0x80 | (code >> shift & 0x3F));
        out.extend_from_slice(&[byte(0xE0 | code >> 12), tail(6), tail(0)]);
    }
}

impl Node {
    fn canonical(&self, ordered: bool) -> Vec<u8> {
        match self {
            _ if ordered => self.compact(),
            Self::Text((_, value)) => [b"s", value.as_slice()].concat(),
            Self::Word(word) => word.clone(),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| item.canonical(false)).collect();
                [b"[", items.join(&0).as_slice(), b"]"].concat()
            }
            Self::Object(members) => {
                let (mut seen, mut parts) = (HashMap::<&[u8], u64>::new(), Vec::new());
                for ((_, key), value) in members {
                    let n = seen.entry(key).or_default();
                    parts.push((key.clone(), *n, value.canonical(false)));
                    *n += 1;
                }
                parts.sort();
                let lines: Vec<Vec<u8>> = parts.into_iter().map(numbered).collect();
                [b"{", lines.join(&0).as_slice(), b"}"].concat()
            }
        }
    }

    /// The value's own spelling without white space.
    fn compact(&self) -> Vec<u8> {
        match self {
            Self::Text((spelling, _)) => spelling.clone(),
            Self::Word(word) => word.clone(),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(Self::compact).collect();
                [b"[", items.join(&b',').as_slice(), b"]"].concat()
            }
            Self::Object(members) => {
                let member = |((spelling, _), value): &(Key, Node)| {
                    [spelling.as_slice(), b":", value.compact().as_slice()].concat()
                };
                let members: Vec<_> = members.iter().map(member).collect();
                [b"{", members.join(&b',').as_slice(), b"}"].concat()
            }
        }
    }
}
