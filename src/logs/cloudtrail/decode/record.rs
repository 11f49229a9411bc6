//! One forward scan over a record: checks all of it and notes where each known field's text lies.
//!
//! Nothing is copied here and nothing outside of [`Parsed`] changes, so a record that turns out
//! to be damaged leaves no trace.

use crate::logs::{
    Limits, Reject, RejectReason,
    cloudtrail::{
        fields::{Field, Kind, Leaf, Node, nodes},
        scan::{self, Fault, FaultKind, Scanner, Text},
    },
};

use super::columns::{Form, Piece};

/// Where a text lies in the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    start: u32,
    end: u32,
    form: Form,
}

impl Slot {
    const EMPTY: Self = Self { start: 0, end: 0, form: Form::Plain };

    #[inline]
    fn new(start: usize, end: usize, form: Form) -> Self {
        // The decoder refuses records longer than offsets reach.
        let offset = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: offset(start), end: offset(end), form }
    }

    /// The inside of the string `text`, whose opening quote lies at `at`.
    #[inline]
    fn string(at: usize, text: Text) -> Self {
        Self::new(at + 1, text.end, if text.escaped { Form::Escaped } else { Form::Plain })
    }

    /// The text itself, as it lies in `json`.
    #[inline]
    pub(super) fn piece(self, json: &[u8]) -> Piece<'_> {
        let raw = json.get(self.start as usize..self.end as usize).unwrap_or_default();
        Piece { raw, form: self.form }
    }
}

/// One element of `resources`: ARN, accountId, type, ARNPrefix.
pub(super) type Resource = [Option<Slot>; 4];

/// Fields that tell when, in records without eventTime, the most telling first.
///
/// Logstash moves eventTime to `@timestamp`; the others are other collectors' names for it.
const TIMES: [&[u8]; 7] = [
    b"@timestamp",
    b"event_time",
    b"p_event_time",
    b"utctimestamp",
    b"timestamp",
    b"time",
    b"_time",
];

/// What the scan found.
#[derive(Debug)]
pub(super) struct Parsed {
    slots: [Slot; Leaf::ALL.len()],
    /// Leaves that have a slot.
    pub(super) present: u128,
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

    /// Where the leaf of this index lies, if it is present.
    #[inline]
    pub(super) fn slot(&self, leaf: usize) -> Option<Slot> {
        self.slots.get(leaf).copied()
    }

    /// The text of `leaf`, if it has one.
    #[inline]
    pub(super) fn get<'a>(&self, leaf: Leaf, json: &'a [u8]) -> Option<Piece<'a>> {
        let slot = self.slots.get(leaf as usize).filter(|_| self.present & leaf.bit() != 0)?;
        Some(slot.piece(json))
    }

    /// The key that the event's time was found under, where it is not eventTime.
    pub(super) fn time_key<'a>(&self, json: &'a [u8]) -> Option<Piece<'a>> {
        self.time_key.map(|(_, key)| key.piece(json))
    }

    #[inline]
    fn set(&mut self, leaf: Leaf, slot: Slot) {
        if let Some(place) = self.slots.get_mut(leaf as usize) {
            *place = slot;
            self.present |= leaf.bit();
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

/// Scans records, one after another.
#[derive(Debug)]
pub(super) struct Parser {
    scanner: Scanner,
    parsed: Parsed,
    nodes: &'static [Node],
    telling: u128,
    /// A key without its escapes.
    key: Vec<u8>,
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
            key: Vec::new(),
        }
    }

    /// Scans the record `json`, which is known to be UTF-8.
    pub(super) fn parse(&mut self, json: &[u8]) -> Result<&Parsed, Reject> {
        self.parsed.clear();
        let start = scan::space(json, 0);
        let end = match (json.get(start), self.nodes.first()) {
            (Some(b'{'), Some(node)) => self
                .scanner
                .open(0, start)
                .and_then(|()| self.object(json, start + 1, node, 1))
                .map(|(end, _)| end),
            _ => self.scanner.value(json, start, 0).map(|value| value.end),
        }
        .map_err(|fault| fault.reject(json))?;
        let rest = scan::space(json, end);
        if rest != json.len() {
            return Err(Fault { kind: FaultKind::End, at: rest }.reject(json));
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
        Ok(&self.parsed)
    }

    /// Scans an object from behind its brace; gives the offset behind it and its number of keys.
    fn object(
        &mut self,
        json: &[u8],
        start: usize,
        node: &'static Node,
        depth: usize,
    ) -> Result<(usize, usize), Fault> {
        let mut at = scan::space(json, start);
        if json.get(at) == Some(&b'}') {
            return Ok((at + 1, 0));
        }
        let mut n_keys = 0;
        loop {
            n_keys += 1;
            self.scanner.count(n_keys, at)?;
            if json.get(at) != Some(&b'"') {
                return Err(Fault { kind: FaultKind::Key, at });
            }
            let key = scan::string(json, at + 1)?;
            let key_at = at;
            at = scan::space(json, key.end + 1);
            if json.get(at) != Some(&b':') {
                return Err(Fault { kind: FaultKind::Colon, at });
            }
            at = scan::space(json, at + 1);
            let name = json.get(key_at + 1..key.end).unwrap_or_default();
            at = match node.field(name) {
                Some(field) => self.field(json, at, field, depth)?,
                None => self.unknown(json, (key_at, key), at, node, depth)?,
            };
            at = scan::space(json, at);
            match json.get(at) {
                Some(b',') => at = scan::space(json, at + 1),
                Some(b'}') => return Ok((at + 1, n_keys)),
                _ => return Err(Fault { kind: FaultKind::CommaOrBrace, at }),
            }
        }
    }

    /// Scans the value of a key that is none of `node`'s as AWS spells them.
    #[inline(never)]
    fn unknown(
        &mut self,
        json: &[u8],
        (key_at, key): (usize, Text),
        at: usize,
        node: &'static Node,
        depth: usize,
    ) -> Result<usize, Fault> {
        self.parsed.deviant = true;
        self.key.clear();
        let exact =
            scan::unescape(json.get(key_at + 1..key.end).unwrap_or_default(), &mut self.key);
        if let Some(field) = node.field_in_any_case(&self.key).filter(|_| exact) {
            let end = self.field(json, at, field, depth)?;
            if field.leaves & self.parsed.present & Leaf::EventTime.bit() != 0 {
                self.parsed.time_key = Some((0, Slot::string(key_at, key)));
            }
            return Ok(end);
        }
        let end = self.scanner.value(json, at, depth)?.end;
        let rank = TIMES.iter().position(|name| *name == self.key.as_slice());
        if let (1, Some(rank)) = (depth, rank) {
            let better = self.parsed.time_key.is_none_or(|(best, _)| rank + 1 < best);
            let time = match json.get(at) {
                Some(b'"') => scan::string(json, at + 1).ok().map(|text| Slot::string(at, text)),
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
        json: &[u8],
        at: usize,
        field: &'static Field,
        depth: usize,
    ) -> Result<usize, Fault> {
        if self.parsed.seen & field.bit != 0 {
            self.parsed.again(field);
        }
        self.parsed.seen |= field.bit;
        match (field.kind, json.get(at)) {
            (Kind::Text(leaf), Some(b'"')) => {
                let text = scan::string(json, at + 1)?;
                self.parsed.deviant |= text.lone;
                self.parsed.set(leaf, Slot::string(at, text));
                Ok(text.end + 1)
            }
            (Kind::Flag(leaf), Some(b't' | b'f')) => {
                let end = scan::scalar(json, at)?;
                self.parsed.set(leaf, Slot::new(at, end, Form::Plain));
                Ok(end)
            }
            (Kind::Json(leaf), Some(b'{')) => {
                let value = self.scanner.value(json, at, depth)?;
                let form = if value.loose { Form::Loose } else { Form::Plain };
                self.parsed.set(leaf, Slot::new(at, value.end, form));
                Ok(value.end)
            }
            (Kind::Object(child), Some(b'{')) => {
                self.scanner.open(depth, at)?;
                let Some(node) = self.nodes.get(child) else { return Ok(at) };
                let (end, n_keys) = self.object(json, at + 1, node, depth + 1)?;
                if n_keys == 0 {
                    self.parsed.empties |= field.bit;
                }
                Ok(end)
            }
            (Kind::Resources, Some(b'[')) => self.resources(json, at, depth),
            (Kind::Attributes, Some(b'{')) => self.attributes(json, at, field, depth),
            _ => self.unexpected(json, at, field, depth),
        }
    }

    /// Scans a value of a type that `field` should not have: null, or a deviation.
    #[inline(never)]
    fn unexpected(
        &mut self,
        json: &[u8],
        at: usize,
        field: &Field,
        depth: usize,
    ) -> Result<usize, Fault> {
        let value = self.scanner.value(json, at, depth)?;
        let first = json.get(at);
        if first == Some(&b'n') {
            self.parsed.nulls |= field.bit;
            return Ok(value.end);
        }
        if first == Some(&b'{') && scan::entries(json, at).next().is_none() {
            self.parsed.empties |= field.bit;
            return Ok(value.end);
        }
        self.parsed.deviant = true;
        match (field.kind, first) {
            (Kind::Json(leaf), Some(b'"')) => {
                let text = scan::string(json, at + 1)?;
                let form = if text.escaped { Form::QuotedEscaped } else { Form::Quoted };
                self.parsed.set(leaf, Slot::new(at + 1, text.end, form));
            }
            (Kind::Flag(leaf), Some(b'"')) => {
                let text = scan::string(json, at + 1)?;
                self.parsed.set(leaf, Slot::string(at, text));
            }
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
    fn resources(&mut self, json: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
        let value = self.scanner.value(json, at, depth)?;
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
        json: &[u8],
        at: usize,
        field: &Field,
        depth: usize,
    ) -> Result<usize, Fault> {
        let value = self.scanner.value(json, at, depth)?;
        let mut odd = false;
        let mut names = std::collections::HashSet::new();
        for entry in scan::entries(json, at) {
            let Ok(key) = scan::string(json, entry.key.start) else { break };
            let mut name = Vec::new();
            odd |= !scan::unescape(json.get(entry.key.clone()).unwrap_or_default(), &mut name);
            odd |= !names.insert(name);
            let key = Slot::string(entry.key.start - 1, key);
            let value = member(json, entry.value.start, entry.value.end, &mut odd);
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

/// The members of the element of `resources` at `at`.
fn resource(json: &[u8], at: usize, odd: &mut bool) -> Resource {
    const KEYS: [&[u8]; 4] = [b"ARN", b"accountId", b"type", b"ARNPrefix"];
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
            *place = member(json, entry.value.start, entry.value.end, odd);
        }
    }
    resource
}

/// A value that should be a string.
fn member(json: &[u8], start: usize, end: usize, odd: &mut bool) -> Option<Slot> {
    match json.get(start) {
        Some(b'"') => {
            let text = scan::string(json, start + 1).ok()?;
            *odd |= text.lone;
            Some(Slot::string(start, text))
        }
        first => {
            *odd = true;
            (first != Some(&b'n')).then(|| Slot::new(start, end, Form::Loose))
        }
    }
}
