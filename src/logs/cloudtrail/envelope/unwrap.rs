//! Finds the records in one element of a file: the element itself, or what stands in it at one of
//! the places of [`ROUTES`], up to some strings deep.

use std::{borrow::Cow, ops::Range};

use super::{
    json::{self, Members, Span},
    other,
    record::{self, Place},
    shapes::{ANY, EACH, Leaf, ROUTES, Route, Shape},
    tally::{self, Sink, Tally},
};
use crate::logs::{Reject, RejectReason};

/// How often a record may be wrapped.
const MAX_DEPTH: usize = 5;
/// What the envelopes of one element's records may take together, in bytes.
const MAX_ENVELOPES: usize = 64 << 20;
/// Stands for the record in an envelope.
const HOLE: &[u8] = b"null";

/// Where an element stands.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    /// The container it is an element of.
    pub(super) container: Option<&'static [&'static str]>,
    /// The shape of a record that is the element itself.
    pub(super) shape: Shape,
    /// What stands before and behind it.
    pub(super) around: (&'c [u8], &'c [u8]),
    /// Whether that is nothing worth telling.
    pub(super) is_plain: bool,
}

/// Bytes of the file, or made from them.
#[derive(Clone, Copy)]
enum Source<'a, 'm> {
    Window(&'a [u8], u64),
    /// Unescaped or decoded; the offset is that of the string they come from.
    Made(&'m [u8], u64),
}

impl<'a> Source<'a, '_> {
    #[expect(clippy::match_same_arms, reason = "the bytes live differently long")]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Window(bytes, _) => bytes,
            Self::Made(bytes, _) => bytes,
        }
    }

    fn offset(&self) -> u64 {
        match self {
            Self::Window(_, offset) | Self::Made(_, offset) => *offset,
        }
    }

    fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Window(bytes, offset) => {
                Self::Window(json::part(bytes, range.clone()), offset + range.start as u64)
            }
            Self::Made(bytes, offset) => Self::Made(json::part(bytes, range), *offset),
        }
    }

    fn to_cow(self) -> Cow<'a, [u8]> {
        match self {
            Self::Window(bytes, _) => Cow::Borrowed(bytes),
            Self::Made(bytes, _) => Cow::Owned(bytes.to_vec()),
        }
    }
}

/// What stands in a record's place.
enum Content {
    Record,
    Reject(Reject),
}

struct Piece<'a> {
    text: Cow<'a, [u8]>,
    offset: u64,
    content: Content,
    envelope: Vec<u8>,
}

/// Finds the records of elements.
#[derive(Default)]
pub(super) struct Unwrapper {
    /// The place where the last record stood, which is tried first.
    last: Option<&'static Route>,
}

impl Unwrapper {
    /// Gives the element's records, or what it is instead. Its members may be known already.
    pub(super) fn element<'a>(
        &mut self,
        element: Cow<'a, [u8]>,
        offset: u64,
        members: Option<&[Span]>,
        context: &Context<'_>,
        tally: &mut Tally,
        sink: Sink<'_, 'a>,
    ) {
        if record::is_delivered(&element) {
            let envelope = context.envelope(HOLE);
            return tally.record(element, offset, context.shape, envelope, sink);
        }
        let expected = context.container == Some(&["Records"]);
        let place = if expected { Place::Expected } else { Place::Anywhere };
        let is_object = element.first() == Some(&b'{');
        let is_record = match members {
            Some(members) => record::is_record(&element, members.iter().cloned(), place),
            None => is_object && record::is_record(&element, Members::new(&element), place),
        };
        if is_record {
            let envelope = context.envelope(HOLE);
            return tally.record(element, offset, context.shape, envelope, sink);
        }
        let members = match members {
            Some(members) => Cow::Borrowed(members),
            None if is_object => Members::new(&element).collect(),
            None => Cow::default(),
        };
        let mut pieces = Vec::new();
        let source = match &element {
            Cow::Borrowed(bytes) => Source::Window(bytes, offset),
            Cow::Owned(bytes) => Source::Made(bytes, offset),
        };
        let Some(shape) = self.search(source, &members, context.container, &mut pieces) else {
            return foreign(element, offset, context, tally, sink);
        };
        for Piece { text, offset, content, envelope } in pieces {
            let length = text.len() as u64;
            match content {
                Content::Record => {
                    tally.record(text, offset, shape, context.envelope(&envelope), sink);
                }
                Content::Reject(reject) => tally.reject(text, offset, length, reject, sink),
            }
        }
    }

    fn search<'a>(
        &mut self,
        source: Source<'a, '_>,
        members: &[Span],
        container: Option<&'static [&'static str]>,
        out: &mut Vec<Piece<'a>>,
    ) -> Option<Shape> {
        if source.bytes().first() == Some(&b'"') {
            let found = text(source, Leaf::Text, Place::Anywhere, 0, out);
            return found.then_some(Shape::Strings);
        }
        if source.bytes().first() == Some(&b'[') {
            let of_rows = |route: &&Route| container.is_some() && route.container() == container;
            let mut routes = ROUTES.iter().filter(of_rows);
            let found = routes.find(|r| follow(source, r.within(), r.leaf, r.place, 0, out));
            return found.map(|route| route.shape);
        }
        let usual = |route: &&Route| match route.container() {
            Some(keys) => container == Some(keys) && !route.within().is_empty(),
            None => true,
        };
        let routes = self.last.into_iter().chain(ROUTES).filter(usual);
        let found =
            routes.into_iter().find(|r| follow_member(source, members, r, r.within(), 0, out));
        self.last = found.or(self.last);
        found.map(|route| route.shape)
    }
}

/// The records of a value; whether there are any.
fn value<'a>(source: Source<'a, '_>, place: Place, depth: usize, out: &mut Vec<Piece<'a>>) -> bool {
    let bytes = source.bytes();
    match bytes.first() {
        Some(b'{') if record::is_delivered(bytes) => record_of(source, out),
        Some(b'{') if record::is_record(bytes, Members::new(bytes), place) => {
            record_of(source, out)
        }
        _ if depth >= MAX_DEPTH => false,
        Some(b'{') => {
            let members: Vec<_> = Members::new(bytes).collect();
            ROUTES.iter().any(|r| follow_member(source, &members, r, r.path, depth, out))
        }
        Some(b'[') => each(source, out, |element, out| value(element, place, depth + 1, out)),
        Some(b'"') => text(source, Leaf::Text, place, depth, out),
        _ => false,
    }
}

fn record_of<'a>(source: Source<'a, '_>, out: &mut Vec<Piece<'a>>) -> bool {
    let (text, offset) = (source.to_cow(), source.offset());
    out.push(Piece { text, offset, content: Content::Record, envelope: HOLE.to_vec() });
    true
}

/// Rejects an element in which no record stands, unless the file turns out to hold none.
fn foreign<'a>(
    element: Cow<'a, [u8]>,
    offset: u64,
    context: &Context<'_>,
    tally: &mut Tally,
    sink: Sink<'_, 'a>,
) {
    let length = element.len() as u64;
    // Files of another kind are long, too; only the first few names are ever seen.
    if !tally.has_room() {
        return tally.pass(offset + length);
    }
    let name = other::name_in(&element, context.container);
    if other::is_void(&element) {
        return tally.name(|| name);
    }
    let reject = tally::no_record(name.clone());
    tally.name(|| name);
    tally.foreign(element, offset, length, reject, sink);
}

/// The records at the end of `path`, whose first key is sought among the object's members.
fn follow_member<'a>(
    source: Source<'a, '_>,
    members: &[Span],
    route: &Route,
    path: &[&str],
    depth: usize,
    out: &mut Vec<Piece<'a>>,
) -> bool {
    let Some((key, rest)) = path.split_first() else { return false };
    let is_it = |member: &&Span| json::part(source.bytes(), member.key.clone()) == key.as_bytes();
    let Some(Span { value: range, .. }) = members.iter().find(is_it) else { return false };
    let place = match route.shape {
        Shape::EventBridge if other::is_via_cloudtrail(source.bytes()) => Place::Expected,
        Shape::EventBridge => Place::Anywhere,
        _ => route.place,
    };
    follow_part(source, range.clone(), rest, route.leaf, place, depth, out)
}

/// The records at the end of `path`.
fn follow<'a>(
    source: Source<'a, '_>,
    path: &[&str],
    leaf: Leaf,
    place: Place,
    depth: usize,
    out: &mut Vec<Piece<'a>>,
) -> bool {
    let bytes = source.bytes();
    match path.split_first() {
        None if leaf == Leaf::Json => {
            bytes.first() == Some(&b'{') && value(source, place, depth + 1, out)
        }
        None => text(source, leaf, place, depth, out),
        Some((&EACH, rest)) if bytes.first() == Some(&b'[') => {
            each(source, out, |element, out| follow(element, rest, leaf, place, depth, out))
        }
        Some((&ANY, rest)) if bytes.first() == Some(&b'[') => json::Elements::new(bytes)
            .any(|range| follow_part(source, range, rest, leaf, place, depth, out)),
        Some((key, rest)) => json::member(bytes, key)
            .is_some_and(|range| follow_part(source, range, rest, leaf, place, depth, out)),
    }
}

/// The records at the end of `path` from a part of the source, which stays around them.
fn follow_part<'a>(
    source: Source<'a, '_>,
    range: Range<usize>,
    path: &[&str],
    leaf: Leaf,
    place: Place,
    depth: usize,
    out: &mut Vec<Piece<'a>>,
) -> bool {
    let first = out.len();
    if !follow(source.part(range.clone()), path, leaf, place, depth, out) {
        return false;
    }
    let (mut before, mut behind) = (Vec::new(), Vec::new());
    json::compact(json::part(source.bytes(), 0..range.start), &mut before);
    json::compact(json::part(source.bytes(), range.end..usize::MAX), &mut behind);
    surround(out.get_mut(first..).unwrap_or_default(), &before, &behind);
    true
}

/// The records of an array's elements. Where some hold records, those that do not are rejected.
fn each<'a, 'm>(
    source: Source<'a, 'm>,
    out: &mut Vec<Piece<'a>>,
    find: impl Fn(Source<'a, 'm>, &mut Vec<Piece<'a>>) -> bool,
) -> bool {
    let first = out.len();
    let mut any = false;
    for range in json::Elements::new(source.bytes()) {
        let element = source.part(range);
        if find(element, out) {
            any = true;
            continue;
        }
        let reject = tally::no_record(other::name(element.bytes()));
        let (text, offset) = (element.to_cow(), element.offset());
        out.push(Piece { text, offset, content: Content::Reject(reject), envelope: Vec::new() });
    }
    if any {
        surround(out.get_mut(first..).unwrap_or_default(), b"[", b"]");
    } else {
        out.truncate(first);
    }
    any
}

/// The records of a document that stands in a string.
fn text<'a>(
    source: Source<'a, '_>,
    leaf: Leaf,
    place: Place,
    depth: usize,
    out: &mut Vec<Piece<'a>>,
) -> bool {
    let quoted = source.bytes().strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    // Most strings hold no document, so look before making one.
    let Some(quoted) = quoted.filter(|q| leaf == Leaf::Base64 || opens_document(q)) else {
        return false;
    };
    let made = json::unescape(quoted)
        .and_then(|text| if leaf == Leaf::Base64 { json::base64(&text) } else { Some(text) });
    let Some(made) = made else { return false };
    let made = json::trim(&made);
    if !opens_document(made) {
        return false;
    }
    if json::value_end(made, 0) != Some(made.len()) {
        if !record::resembles(made) || made.first() != Some(&b'{') {
            return false;
        }
        let reject = cut_off(made);
        let (text, offset) = (Cow::Owned(made.to_vec()), source.offset());
        out.push(Piece { text, offset, content: Content::Reject(reject), envelope: Vec::new() });
        return true;
    }
    let first = out.len();
    if !value(Source::Made(made, source.offset()), place, depth + 1, out) {
        return false;
    }
    for piece in out.get_mut(first..).unwrap_or_default() {
        if piece.envelope != HOLE {
            let inner = std::mem::take(&mut piece.envelope);
            let inner = if leaf == Leaf::Base64 { json::to_base64(&inner) } else { inner };
            json::quote(&inner, &mut piece.envelope);
        }
    }
    true
}

fn opens_document(bytes: &[u8]) -> bool {
    let bytes = json::trim(bytes);
    bytes.starts_with(b"{") || bytes.starts_with(b"[")
}

/// Why a record's text that does not end where its string does is none.
fn cut_off(text: &[u8]) -> Reject {
    use super::check::{Checked, check};
    match check(text) {
        Checked::Short => Reject {
            reason: RejectReason::Truncated,
            detail: "the text ends inside the record".to_owned(),
            at: text.len(),
        },
        Checked::Fault(at) | Checked::Whole(at) => Reject {
            reason: RejectReason::NotJson,
            detail: "the text around it is not JSON".to_owned(),
            at,
        },
    }
}

/// Puts what stands around them around the envelopes of some pieces.
fn surround(pieces: &mut [Piece<'_>], before: &[u8], behind: &[u8]) {
    let total = pieces.len().saturating_mul(before.len() + behind.len());
    // Records that share more than is worth repeating leave it to the first of them; they share
    // its offset, too.
    let n = if pieces.len() > 1 && total > MAX_ENVELOPES { 1 } else { pieces.len() };
    for piece in pieces.iter_mut().take(n) {
        piece.envelope = [before, &piece.envelope, behind].concat();
    }
}

impl Context<'_> {
    /// The envelope of a record, given what is around it within its element.
    fn envelope(&self, inner: &[u8]) -> Option<String> {
        if self.is_plain && inner == HOLE {
            return None;
        }
        let (before, behind) = self.around;
        Some(json::to_text([before, inner, behind].concat()))
    }
}
