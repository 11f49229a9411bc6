//! One forward scan over a record: checks all of it and notes where each known field's text lies.
//!
//! Nothing outside of [`Parsed`] changes, so a record that turns out to be damaged leaves no
//! trace.

use std::collections::HashSet;

use crate::logs::{
    Limits, Reject, RejectReason,
    cloudtrail::{
        fields::{Field, Kind, Leaf, NO_FIELD, Node, nodes},
        scan::{self, Entry, Fault, FaultKind, Scanner, Text},
    },
};

use super::slot::{Form, Slot};

/// One element of `resources`: `ARN`, `accountId`, `type`, `ARNPrefix`.
pub(super) type Resource = [Option<Slot>; 4];

/// Fields that tell when, in records without eventTime, the most telling first.
///
/// Logstash moves eventTime to `@timestamp`; the others are other collectors' names for it.
const TIMES: [&str; 7] =
    ["@timestamp", "event_time", "p_event_time", "utctimestamp", "timestamp", "time", "_time"];

/// What the scan found.
#[derive(Debug)]
pub(super) struct Parsed {
    slots: [Slot; Leaf::ALL.len()],
    /// Leaves that have a slot.
    pub(super) present: u128,
    /// Leaves whose slot is not plain.
    unusual: u128,
    /// The texts that do not lie in the record as they are.
    rewritten: String,
    /// Fields that were met.
    seen: u128,
    /// Known fields that were null.
    pub(super) nulls: u128,
    /// Known fields that were `{}`, except where that is JSON text.
    pub(super) empties: u128,
    /// Something is not as the schema has it: `extra` has to tell.
    pub(super) deviant: bool,
    /// The elements of `resources`, where it was an array.
    pub(super) resources: Option<Vec<Resource>>,
    /// `resources` cannot be given back from its column.
    pub(super) odd_resources: bool,
    /// The entries of webIdFederationData.attributes, where there were any.
    pub(super) attributes: Vec<[Option<Slot>; 2]>,
    /// webIdFederationData.attributes cannot be given back from its column.
    pub(super) odd_attributes: bool,
    /// The key that the time was found under, where that is not eventTime: 0 for another
    /// spelling of it, else its place in [`TIMES`] from 1.
    time_key: Option<(usize, Slot)>,
    /// The time under that key, where it is one of [`TIMES`].
    time: Slot,
    spare_resources: Vec<Resource>,
}

impl Parsed {
    fn new() -> Self {
        Self {
            slots: [Slot::EMPTY; Leaf::ALL.len()],
            present: 0,
            unusual: 0,
            rewritten: String::new(),
            seen: 0,
            nulls: 0,
            empties: 0,
            deviant: false,
            resources: None,
            odd_resources: false,
            attributes: Vec::new(),
            odd_attributes: false,
            time_key: None,
            time: Slot::EMPTY,
            spare_resources: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.present = 0;
        self.unusual = 0;
        self.rewritten.clear();
        self.seen = 0;
        self.nulls = 0;
        self.empties = 0;
        self.deviant = false;
        self.odd_resources = false;
        self.odd_attributes = false;
        self.attributes.clear();
        self.time_key = None;
        if let Some(resources) = self.resources.take() {
            self.spare_resources = resources;
        }
    }

    /// The text of `leaf` as it is to be stored, if it is present.
    #[inline]
    pub(super) fn get<'a>(&'a self, leaf: Leaf, json: &'a str) -> Option<&'a str> {
        if self.present & leaf.bit() == 0 {
            return None;
        }
        self.at(leaf as usize, json)
    }

    /// The same for the leaf of this index, which must be present.
    #[inline]
    pub(super) fn at<'a>(&'a self, leaf: usize, json: &'a str) -> Option<&'a str> {
        self.text(*self.slots.get(leaf)?, json)
    }

    /// The text that lies at `slot`.
    #[inline]
    pub(super) fn text<'a>(&'a self, slot: Slot, json: &'a str) -> Option<&'a str> {
        slot.text(json, &self.rewritten)
    }

    /// The key that the event's time was found under, where it is not eventTime.
    pub(super) fn time_key<'a>(&'a self, json: &'a str) -> Option<&'a str> {
        self.text(self.time_key?.1, json)
    }

    /// Makes every slot lead to its text as it is to be stored.
    fn rewrite(&mut self, json: &str) {
        let mut rest = self.unusual & self.present;
        while rest != 0 {
            if let Some(slot) = self.slots.get_mut(rest.trailing_zeros() as usize) {
                slot.rewrite(json, &mut self.rewritten);
            }
            rest &= rest - 1;
        }
        if let Some((_, key)) = &mut self.time_key {
            key.rewrite(json, &mut self.rewritten);
        }
        let resources = self.resources.iter_mut().flatten().flatten();
        for slot in resources.chain(self.attributes.iter_mut().flatten()).flatten() {
            slot.rewrite(json, &mut self.rewritten);
        }
    }

    #[inline]
    fn set(&mut self, leaf: Leaf, slot: Slot) {
        if let Some(place) = self.slots.get_mut(leaf as usize) {
            *place = slot;
            self.present |= leaf.bit();
            if !slot.is_plain() {
                self.unusual |= leaf.bit();
            }
        }
    }

    /// Forgets what an earlier copy of `field` said: the last one counts.
    #[cold]
    fn again(&mut self, field: &Field) {
        self.deviant = true;
        self.present &= !field.leaves;
        let fields = field.bit | field.below;
        self.seen &= !fields;
        self.nulls &= !fields;
        self.empties &= !fields;
        if field.leaves & Leaf::EventTime.bit() != 0 {
            self.time_key = self.time_key.filter(|(rank, _)| *rank > 0);
        }
        match field.kind {
            Kind::Resources => self.resources = None,
            Kind::Attributes => self.attributes.clear(),
            Kind::Object(_) if field.below & attributes_bit() != 0 => self.attributes.clear(),
            _ => {}
        }
    }
}

fn attributes_bit() -> u128 {
    let fields = nodes().iter().flat_map(|node| &node.fields);
    fields.filter(|field| field.kind == Kind::Attributes).fold(0, |set, field| set | field.bit)
}

/// The fields one of which makes an object a record.
const TELLING: [&[u8]; 10] = [
    b"eventVersion",
    b"userIdentity",
    b"eventTime",
    b"eventSource",
    b"eventName",
    b"eventID",
    b"eventType",
    b"requestID",
    b"eventCategory",
    b"insightDetails",
];

/// Room for the numbers of all fields and, behind them, of all nodes.
const MAX_FIELDS: usize = 128;
const MAX_NODES: usize = 16;

/// Scans records, one after another.
#[derive(Debug)]
pub(super) struct Parser {
    scanner: Scanner,
    parsed: Parsed,
    nodes: &'static [Node],
    telling: u128,
    /// Which field followed a field, or came first in a node, when last seen: AWS writes keys in
    /// a fixed order, so the guess is mostly right and spares looking for the key's end.
    next: [u8; MAX_FIELDS + MAX_NODES],
    /// A key without its escapes.
    key: String,
}

/// Skips white space, of which there mostly is none.
#[inline]
fn skip(json: &[u8], at: usize) -> usize {
    match json.get(at) {
        Some(&b) if b > b' ' => at,
        _ => scan::space(json, at),
    }
}

impl Parser {
    pub(super) fn new(limits: Limits) -> Self {
        let nodes = nodes();
        let record = nodes.first();
        let telling = TELLING.iter().filter_map(|key| record?.field(key));
        Self {
            scanner: Scanner::new(limits),
            parsed: Parsed::new(),
            nodes,
            telling: telling.fold(0, |set, field| set | field.bit),
            next: [NO_FIELD; MAX_FIELDS + MAX_NODES],
            key: String::new(),
        }
    }

    /// Scans the record `json`.
    pub(super) fn parse(&mut self, json: &str) -> Result<&Parsed, Reject> {
        let bytes = json.as_bytes();
        self.parsed.clear();
        let start = scan::space(bytes, 0);
        let end = match bytes.get(start) {
            Some(b'{') => self
                .scanner
                .open(0, start)
                .and_then(|()| self.object(json, start + 1, 0, 1))
                .map(|(end, _)| end),
            _ => self.scanner.value(bytes, start, 0).map(|value| value.end),
        }
        .map_err(|fault| fault.reject(bytes))?;
        let rest = scan::space(bytes, end);
        if rest != bytes.len() {
            return Err(Fault { kind: FaultKind::End, at: rest }.reject(bytes));
        }
        if self.parsed.seen & self.telling == 0 {
            let detail = "expected an object with `eventName`, `eventSource` or the like";
            let reason = RejectReason::NotARecord;
            return Err(Reject { reason, detail: detail.to_owned(), at: start });
        }
        if self.parsed.time_key.is_some_and(|(rank, _)| rank > 0) {
            if self.parsed.present & Leaf::EventTime.bit() == 0 {
                self.parsed.set(Leaf::EventTime, self.parsed.time);
            } else {
                self.parsed.time_key = None;
            }
        }
        self.parsed.rewrite(json);
        Ok(&self.parsed)
    }

    /// Scans an object from behind its brace; gives the offset behind it and its number of keys.
    fn object(
        &mut self,
        json: &str,
        start: usize,
        node_id: usize,
        depth: usize,
    ) -> Result<(usize, usize), Fault> {
        let bytes = json.as_bytes();
        let mut at = skip(bytes, start);
        if bytes.get(at) == Some(&b'}') {
            return Ok((at + 1, 0));
        }
        let Some(node) = self.nodes.get(node_id) else {
            return Err(Fault { kind: FaultKind::TooDeep, at });
        };
        let mut before = MAX_FIELDS + node_id;
        let mut n_keys = 0;
        loop {
            n_keys += 1;
            self.scanner.count(n_keys, at)?;
            let guess = self.next.get(before).and_then(|&next| node.fields.get(usize::from(next)));
            if let Some(field) = guess.filter(|field| field.quoted.is_at(bytes, at)) {
                before = field.id;
                at = self.field(json, skip(bytes, at + field.quoted.len), field, depth)?;
            } else {
                let (key, value_at) = key(bytes, at)?;
                let name = bytes.get(at + 1..key.end).unwrap_or_default();
                at = if let Some(field) = node.field(name) {
                    if let Some(next) = self.next.get_mut(before) {
                        *next = field.position;
                    }
                    before = field.id;
                    self.field(json, value_at, field, depth)?
                } else {
                    self.unknown(json, (at, key), value_at, node, depth)?
                };
            }
            at = skip(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = skip(bytes, at + 1),
                Some(b'}') => return Ok((at + 1, n_keys)),
                _ => return Err(Fault { kind: FaultKind::CommaOrBrace, at }),
            }
        }
    }

    /// Scans the value of a key that is none of `node`'s as AWS spells them.
    #[inline(never)]
    fn unknown(
        &mut self,
        json: &str,
        (key_at, key): (usize, Text),
        at: usize,
        node: &'static Node,
        depth: usize,
    ) -> Result<usize, Fault> {
        self.parsed.deviant = true;
        self.key.clear();
        let exact =
            scan::unescape(json.get(key_at + 1..key.end).unwrap_or_default(), &mut self.key);
        let known = node.field_in_any_case(self.key.as_bytes());
        if let Some(field) = known.filter(|_| exact) {
            let end = self.field(json, at, field, depth)?;
            if field.leaves & self.parsed.present & Leaf::EventTime.bit() != 0 {
                self.parsed.time_key = Some((0, Slot::string(key_at, key)));
            }
            return Ok(end);
        }
        let bytes = json.as_bytes();
        let end = self.scanner.value(bytes, at, depth)?.end;
        let rank = TIMES.iter().position(|name| *name == self.key);
        if let (1, Some(rank)) = (depth, rank) {
            let better = self.parsed.time_key.is_none_or(|(best, _)| rank + 1 < best);
            let time = match bytes.get(at) {
                Some(b'"') => scan::string(bytes, at + 1).ok().map(|text| Slot::string(at, text)),
                Some(b'-' | b'0'..=b'9') => Some(Slot::new(at, end, Form::Plain)),
                _ => None,
            };
            if let Some(time) = time.filter(|_| better) {
                self.parsed.time_key = Some((rank + 1, Slot::string(key_at, key)));
                self.parsed.time = time;
            }
        }
        Ok(end)
    }

    /// Scans the value of `field` at `at`; gives the offset behind it.
    #[inline]
    fn field(
        &mut self,
        json: &str,
        at: usize,
        field: &'static Field,
        depth: usize,
    ) -> Result<usize, Fault> {
        let bytes = json.as_bytes();
        if self.parsed.seen & field.bit != 0 {
            self.parsed.again(field);
        }
        self.parsed.seen |= field.bit;
        match (field.kind, bytes.get(at)) {
            (Kind::Text(leaf), Some(b'"')) => {
                let text = scan::string(bytes, at + 1)?;
                self.parsed.deviant |= text.lone;
                self.parsed.set(leaf, Slot::string(at, text));
                Ok(text.end + 1)
            }
            (Kind::Flag(leaf), Some(b't' | b'f')) => {
                let end = scan::scalar(bytes, at)?;
                self.parsed.set(leaf, Slot::new(at, end, Form::Plain));
                Ok(end)
            }
            (Kind::Json(leaf), Some(b'{')) => {
                let value = self.scanner.value(bytes, at, depth)?;
                let form = if value.loose { Form::Loose } else { Form::Plain };
                self.parsed.set(leaf, Slot::new(at, value.end, form));
                Ok(value.end)
            }
            (Kind::Object(child), Some(b'{')) => {
                self.scanner.open(depth, at)?;
                let (end, n_keys) = self.object(json, at + 1, child, depth + 1)?;
                if n_keys == 0 {
                    self.parsed.empties |= field.bit;
                }
                Ok(end)
            }
            (Kind::Resources, Some(b'[')) => self.resources(json, at, depth),
            (Kind::Attributes, Some(b'{')) => self.attributes(json, at, field, depth),
            (_, Some(b'n')) => {
                let end = scan::scalar(bytes, at)?;
                self.parsed.nulls |= field.bit;
                Ok(end)
            }
            _ => self.unexpected(json, at, field, depth),
        }
    }

    /// Scans a value of a type that `field` should not have.
    #[inline(never)]
    fn unexpected(
        &mut self,
        json: &str,
        at: usize,
        field: &Field,
        depth: usize,
    ) -> Result<usize, Fault> {
        let bytes = json.as_bytes();
        let value = self.scanner.value(bytes, at, depth)?;
        let first = bytes.get(at);
        if first == Some(&b'{') && scan::entries(json, at).next().is_none() {
            self.parsed.empties |= field.bit;
            return Ok(value.end);
        }
        self.parsed.deviant = true;
        let inside = |form| Slot::new(at + 1, value.end - 1, form);
        match (field.kind, first) {
            (Kind::Json(leaf), Some(b'"')) => self.parsed.set(leaf, inside(Form::Json)),
            (Kind::Flag(leaf), Some(b'"')) => self.parsed.set(leaf, inside(Form::Flag)),
            (Kind::Text(leaf) | Kind::Json(leaf) | Kind::Flag(leaf), _) => {
                let form = if value.loose { Form::Loose } else { Form::Plain };
                self.parsed.set(leaf, Slot::new(at, value.end, form));
            }
            (Kind::Resources, _) => self.parsed.odd_resources = true,
            (Kind::Attributes, _) => self.parsed.odd_attributes = true,
            (Kind::Object(_), _) => {}
        }
        Ok(value.end)
    }

    /// Scans `resources`.
    fn resources(&mut self, json: &str, at: usize, depth: usize) -> Result<usize, Fault> {
        let value = self.scanner.value(json.as_bytes(), at, depth)?;
        let mut list = std::mem::take(&mut self.parsed.spare_resources);
        list.clear();
        let mut odd = false;
        for element in scan::elements(json, at) {
            list.push(resource(json, element.start, &mut odd));
        }
        self.parsed.resources = Some(list);
        self.parsed.odd_resources = odd;
        self.parsed.deviant |= odd;
        Ok(value.end)
    }

    /// Scans webIdFederationData.attributes.
    fn attributes(
        &mut self,
        json: &str,
        at: usize,
        field: &Field,
        depth: usize,
    ) -> Result<usize, Fault> {
        let value = self.scanner.value(json.as_bytes(), at, depth)?;
        let mut odd = false;
        let mut names = HashSet::new();
        for entry in scan::entries(json, at) {
            let mut name = String::new();
            odd |= !scan::unescape(json.get(entry.key.clone()).unwrap_or_default(), &mut name);
            odd |= !names.insert(name);
            let form = if entry.key_escaped { Form::Escaped } else { Form::Plain };
            let key = Slot::new(entry.key.start, entry.key.end, form);
            let value = member(json, &entry, &mut odd);
            self.parsed.attributes.push([Some(key), value]);
        }
        if names.is_empty() {
            self.parsed.empties |= field.bit;
        }
        self.parsed.odd_attributes = odd;
        self.parsed.deviant |= odd;
        Ok(value.end)
    }
}

/// Scans a key and its colon, and gives the offset of the value.
#[inline]
fn key(json: &[u8], at: usize) -> Result<(Text, usize), Fault> {
    if json.get(at) != Some(&b'"') {
        return Err(Fault { kind: FaultKind::Key, at });
    }
    let text = scan::string(json, at + 1)?;
    let colon = skip(json, text.end + 1);
    if json.get(colon) != Some(&b':') {
        return Err(Fault { kind: FaultKind::Colon, at: colon });
    }
    Ok((text, skip(json, colon + 1)))
}

/// The members of the element of `resources` at `at`.
fn resource(json: &str, at: usize, odd: &mut bool) -> Resource {
    const KEYS: [&str; 4] = ["ARN", "accountId", "type", "ARNPrefix"];
    let mut resource: Resource = [None; 4];
    let mut entries = scan::entries(json, at).peekable();
    *odd |= entries.peek().is_none();
    for entry in entries {
        let key = json.get(entry.key.clone()).unwrap_or_default();
        let index = KEYS.iter().position(|name| *name == key).or_else(|| {
            *odd = true;
            KEYS.iter().position(|name| name.eq_ignore_ascii_case(key))
        });
        if let Some(place) = index.and_then(|index| resource.get_mut(index)) {
            *odd |= place.is_some();
            *place = member(json, &entry, odd);
        }
    }
    resource
}

/// A value that should be a string.
fn member(json: &str, entry: &Entry, odd: &mut bool) -> Option<Slot> {
    let (start, end) = (entry.value.start, entry.value.end);
    match json.as_bytes().get(start) {
        Some(b'"') => {
            let text = scan::string(json.as_bytes(), start + 1).ok()?;
            *odd |= text.lone;
            Some(Slot::string(start, text))
        }
        first => {
            *odd = true;
            (first != Some(&b'n')).then(|| Slot::new(start, end, Form::Loose))
        }
    }
}
