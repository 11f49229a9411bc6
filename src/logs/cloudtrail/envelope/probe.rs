//! Looks through an object's members for a container of records, and through what stands behind
//! one.

use super::{
    json::{self, Span},
    shapes,
    skip::{Skip, Skipped},
    walk::{Element, Flow, State, View, Walk, Work},
};

/// A look for a container in an object.
pub(super) struct Probe {
    pub(super) start: u64,
    at: u64,
    /// The keys on the way to a container behind which the probe is.
    way: Vec<&'static str>,
    /// The value being passed over.
    skip: Option<Skip>,
    /// The members passed.
    members: Vec<Span>,
}

impl Probe {
    /// A look into the object at an offset.
    pub(super) fn new(start: u64) -> Self {
        Self { start, at: start + 1, way: Vec::new(), skip: None, members: Vec::new() }
    }

    /// Notes where a member of the object itself begins.
    fn open(&mut self, view: View<'_>, key: &[u8], at: u64, value: u64) {
        if self.way.is_empty() {
            let start = view.index(self.start);
            let (open, value) = (view.index(at) + 1 - start, view.index(value) - start);
            self.members.push(Span { key: open..open + key.len(), value: value..value });
        }
    }

    /// Notes where it ends.
    fn close(&mut self, end: u64) {
        if self.way.is_empty()
            && let Some(member) = self.members.last_mut()
        {
            member.value.end = usize::try_from(end - self.start).unwrap_or(usize::MAX);
        }
    }
}

impl Walk {
    /// Goes through an object's members until one is a container, or the object ends.
    pub(super) fn probe(&mut self, mut probe: Probe, work: &mut Work<'_, '_, '_>) -> Flow {
        let limit = self.limit(probe.start);
        loop {
            if let Some(mut skip) = probe.skip.take() {
                match skip.run(work.view, work.index, limit) {
                    Skipped::End(end) => {
                        probe.at = end;
                        probe.close(end);
                    }
                    Skipped::More => {
                        probe.skip = Some(skip);
                        self.state = State::Probe(probe);
                        return Flow::Stop;
                    }
                    other => return self.unfinished(probe.start, probe.start, &other, work),
                }
            }
            let view = work.view;
            let mut at = probe.at;
            while at < limit && view.byte(at).is_some_and(|b| json::is_space(b) || b == b',') {
                at += 1;
            }
            probe.at = at;
            match view.byte(at) {
                _ if at >= limit => {
                    return self.unfinished(probe.start, probe.start, &Skipped::Over, work);
                }
                Some(b'}') if probe.way.pop().is_some() => {
                    probe.at += 1;
                    probe.close(probe.at);
                }
                Some(b'}') => {
                    return self.finish_probe(probe, work);
                }
                Some(b'"') => match read_key(view, at, limit) {
                    Key::Found { key, value } => {
                        let opens_with = view.byte(value).unwrap_or_default();
                        probe.open(view, key, at, value);
                        match shapes::step(&probe.way, key, opens_with) {
                            shapes::Step::Array(keys) => {
                                return self.descend(probe.start, value, keys, work);
                            }
                            shapes::Step::Object => {
                                probe.way.extend(shapes::find_key(probe.way.len(), key));
                                probe.at = value + 1;
                            }
                            shapes::Step::Aside => {
                                probe.skip = Some(Skip::new(view, value, self.careful));
                            }
                        }
                    }
                    Key::More => {
                        self.state = State::Probe(probe);
                        return Flow::Stop;
                    }
                    Key::Bad(why) => return self.unfinished(probe.start, probe.start, &why, work),
                },
                None if !view.last => {
                    self.state = State::Probe(probe);
                    return Flow::Stop;
                }
                None => return self.unfinished(probe.start, probe.start, &Skipped::Cut, work),
                Some(_) => {
                    return self.unfinished(probe.start, probe.start, &Skipped::Fault(at), work);
                }
            }
        }
    }

    /// The object ends without a container in it, so it is an element.
    fn finish_probe(&mut self, probe: Probe, work: &mut Work<'_, '_, '_>) -> Flow {
        let Probe { start, at, members, .. } = probe;
        let end = at + 1;
        if end > self.limit(start) {
            return self.unfinished(start, start, &Skipped::Over, work);
        }
        let skip = Skip::finished(end);
        self.finish_element(Element { start, skip, members: Some(members) }, end, work)
    }

    /// Steps into the container whose array opens at `array`.
    fn descend(
        &mut self,
        start: u64,
        array: u64,
        keys: &'static [&'static str],
        work: &mut Work<'_, '_, '_>,
    ) -> Flow {
        let head = work.view.part(start, array);
        work.tally.records_array |= keys == ["Records"];
        self.levels.enter(start, head, keys, work.tally, work.sink);
        self.at = array + 1;
        self.fresh_line = false;
        Flow::Go
    }

    /// A member behind a container's array: another container, or something to keep.
    pub(super) fn open_member(&mut self, work: &mut Work<'_, '_, '_>) -> Flow {
        let limit = self.limit(self.at);
        match read_key(work.view, self.at, limit) {
            Key::Found { key, value } => {
                let way = self.levels.way();
                let opens_with = work.view.byte(value).unwrap_or_default();
                if let shapes::Step::Array(keys) = shapes::step(way, key, opens_with) {
                    work.tally.records_array |= keys == ["Records"];
                    self.levels.reenter(keys);
                    self.at = value + 1;
                    return Flow::Go;
                }
                let skip = Skip::new(work.view, value, self.careful);
                self.state = State::Member { start: self.at, value, skip };
                Flow::Go
            }
            Key::More => Flow::Stop,
            Key::Bad(why) => self.unfinished(self.at, self.at, &why, work),
        }
    }

    pub(super) fn member(
        &mut self,
        start: u64,
        value: u64,
        mut skip: Skip,
        work: &mut Work<'_, '_, '_>,
    ) -> Flow {
        match skip.run(work.view, work.index, self.limit(start)) {
            Skipped::End(end) => {
                self.levels.trail(work.view.part(start, end));
                self.at = end;
                Flow::Go
            }
            Skipped::More => {
                self.state = State::Member { start, value, skip };
                Flow::Stop
            }
            other => self.unfinished(start, value, &other, work),
        }
    }
}

/// A key and the colon behind it.
enum Key<'a> {
    Found { key: &'a [u8], value: u64 },
    More,
    Bad(Skipped),
}

/// Reads the key whose quote opens at `at`, up to the first byte of its value.
fn read_key(view: View<'_>, at: u64, limit: u64) -> Key<'_> {
    let bytes = view.upto(limit);
    let open = view.index(at);
    let short = if view.end() >= limit {
        Key::Bad(Skipped::Over)
    } else if view.last {
        Key::Bad(Skipped::Cut)
    } else {
        Key::More
    };
    let Some(end) = json::string_end(bytes, open) else { return short };
    let colon = json::skip_space(bytes, end);
    match bytes.get(colon) {
        Some(b':') => {}
        Some(_) => return Key::Bad(Skipped::Fault(view.base + colon as u64)),
        None => return short,
    }
    let value = json::skip_space(bytes, colon + 1);
    if value == bytes.len() {
        return short;
    }
    Key::Found { key: json::part(bytes, open + 1..end - 1), value: view.base + value as u64 }
}

/// The first key of the object that `bytes` begin with.
pub(super) fn first_key(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let open = json::skip_space(bytes, 1);
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    json::string_end(bytes, open).map(|end| json::part(bytes, open + 1..end - 1))
}
