use proptest::{collection::vec, prelude::*};

use super::{
    super::{
        bounds::{Bounds, Found, Index},
        check::{Checked, check},
        json,
    },
    *,
};

/// Bytes that show as text.
#[derive(Clone)]
struct Text(Vec<u8>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Bytes that JSON is made of, and a few that it is not.
fn json_like() -> impl Strategy<Value = Text> {
    let parts: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b":",
        b",",
        b"\\",
        b"\\\"",
        b"\n",
        b" ",
        b"\0",
        b"1",
        b"-",
        b"true",
        b"null",
        b"\"a\"",
        b"\"a\":",
        b"{\"eventVersion\":\"1.08\",\"eventName\":\"A\"}",
        b"{\"Records\":[",
        b"{\"Events\":[",
        b"\"CloudTrailEvent\":",
        b"\"message\":",
        b"\"{",
        b"}\"",
        b"{\"hits\":{\"hits\":[",
        b"\"_source\":",
        b"{\"eventVersion\":",
        b"]}",
        b"\xFF",
        b"\xEF\xBB\xBF",
        b"\"\"",
        b"{\"a\":1}\n",
        b"a,b\n",
        b"2024-01-02T03:04:05.000Z ",
    ];
    vec(prop::sample::select(parts), 0..60).prop_map(|parts| Text(parts.concat()))
}

/// A document of some shape, or some of them, damaged a little or not.
fn document(n_parts: std::ops::Range<usize>) -> impl Strategy<Value = Text> {
    let samples = samples::all();
    let documents: Vec<_> = samples.into_iter().map(|sample| sample.document).collect();
    let damage =
        (any::<prop::sample::Index>(), 0..4_u8, prop::sample::select(&b"{}[]\",:\\\n \0x"[..]));
    (vec(prop::sample::select(documents), n_parts), vec(damage, 0..4)).prop_map(
        |(parts, damage)| {
            let mut bytes = parts.concat();
            for (at, how, byte) in damage {
                let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
                match how {
                    _ if bytes.is_empty() => bytes.push(byte),
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at + 1),
                }
            }
            Text(bytes)
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let lengths = prop::sample::select(vec![20, 100, 300, 460, 1000, 8 << 20]);
    lengths.prop_map(|max_record_bytes| Limits { max_record_bytes, ..Limits::default() })
}

/// What every result must hold to, whatever the bytes.
fn assert_sane(framed: &Framed, bytes: &[u8], limits: Limits) {
    let mut behind = 0;
    for item in &framed.items {
        match item {
            Got::Record { json, offset, envelope, .. } => {
                assert!(*offset >= behind, "out of order: {framed:?}");
                behind = *offset;
                assert!(*offset < bytes.len() as u64);
                assert!(json.starts_with('{') && json.ends_with('}'), "{json}");
                if let Some(envelope) = envelope {
                    assert!(envelope.contains("null"), "{envelope}");
                }
            }
            Got::Reject { text, offset, length, .. } => {
                assert!(*offset >= behind && *length > 0, "{framed:?}");
                behind = *offset;
                assert!(offset + length <= bytes.len() as u64);
                assert!(text.len() <= limits.max_record_bytes.max(64 << 10) + (64 << 10));
            }
        }
    }
    if matches!(framed.kind, Kind::Other(_)) {
        assert_eq!(framed.items, []);
    }
}

/// Cases of each property.
const CASES: u32 = 500;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_give_the_same_items_however_they_are_cut(
        Text(bytes) in document(1..3), limits in limits(), reads in vec(1..200_usize, 1..8),
    ) {
        let whole = frame_with(limits, &bytes, &[]);
        assert_sane(&whole, &bytes, limits);
        prop_assert_eq!(frame_with(limits, &bytes, &reads), whole);
    }

    #[test]
    fn long_documents_give_the_same_items_however_they_are_cut(
        Text(bytes) in document(4..30), limits in limits(), reads in vec(1..9000_usize, 1..8),
    ) {
        let whole = frame_with(limits, &bytes, &[]);
        assert_sane(&whole, &bytes, limits);
        prop_assert_eq!(frame_with(limits, &bytes, &reads), whole);
    }

    #[test]
    fn bytes_like_json_give_the_same_items_however_they_are_cut(
        Text(bytes) in json_like(), limits in limits(), reads in vec(1..40_usize, 1..8),
    ) {
        let whole = frame_with(limits, &bytes, &[]);
        assert_sane(&whole, &bytes, limits);
        prop_assert_eq!(frame_with(limits, &bytes, &reads), whole);
    }

    #[test]
    fn any_bytes_give_the_same_items_however_they_are_cut(
        bytes in vec(any::<u8>(), 0..400), reads in vec(1..40_usize, 1..8),
    ) {
        let limits = Limits::default();
        let whole = frame_with(limits, &bytes, &[]);
        assert_sane(&whole, &bytes, limits);
        prop_assert_eq!(frame_with(limits, &bytes, &reads), whole);
    }

    #[test]
    fn whole_documents_give_every_record_however_they_are_cut(
        sample in prop::sample::select(samples::all()), reads in vec(1..300_usize, 1..8),
    ) {
        let framed = frame_with(Limits::default(), &sample.document, &reads);
        prop_assert_eq!(framed.records(), sample.records);
        prop_assert_eq!(framed.kind, Kind::CloudTrail);
    }

    #[test]
    fn what_checks_as_whole_is_what_serde_json_reads(Text(bytes) in json_like()) {
        let strict = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
        let checked = match check(&bytes) {
            Checked::Whole(end) => json::skip_space(&bytes, end) == bytes.len(),
            // A number may go on, as far as it can tell.
            Checked::Short => json::trim(&bytes).last().is_some_and(u8::is_ascii_digit)
                && strict,
            Checked::Fault(_) => false,
        };
        // Bytes that are no UTF-8 are the decoder's affair.
        prop_assert!(checked == strict || checked && bytes.contains(&0xFF), "{:?}", check(&bytes));
    }

    #[test]
    fn bounds_end_where_a_reader_byte_by_byte_ends(
        front in vec(any::<u8>(), 0..70), Text(bytes) in document(1..16), cut in any::<prop::sample::Index>(),
    ) {
        let bytes = [front.as_slice(), b"[", &bytes, b"]"].concat();
        let start = front.len();
        let mut index = Index::new();
        let mut bounds = Bounds::lenient();
        let cut = start + cut.index(bytes.len() - start);
        let found = match bounds.run(&mut index, &bytes[..cut], start) {
            Found::More => {
                index.clear();
                bounds.run(&mut index, &bytes, cut)
            }
            found => found,
        };
        let wanted = json::nested_end(&bytes, start).map_or(Found::More, Found::End);
        prop_assert_eq!(found, wanted);
    }
}

#[test]
fn every_document_gives_the_same_items_byte_by_byte() {
    for sample in samples::all() {
        let whole = frame(&sample.document);
        assert_eq!(frame_with(Limits::default(), &sample.document, &[1]), whole, "{}", sample.name);
    }
}
