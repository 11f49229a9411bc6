use std::io::{Cursor, Write as _};

use flate2::{Compression, write::GzEncoder};

use super::*;

const ROOMY: InflateLimits = InflateLimits { max_ratio: 250, max_bytes: 1 << 30 };

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Text that does not compress away.
fn noise(n_bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let step = |_index| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        b"0123456789abcdef {}\",:\n"[state as usize % 23]
    };
    (0..n_bytes).map(step).collect()
}

/// What reading gave: the bytes, their digest, where the first member ends, what was wrong.
type Read4 = (Vec<u8>, Digest, u64, Option<Fault>);

fn streamed_of(stored: Stored, limits: InflateLimits) -> Read4 {
    let Opened::Data(mut stream) = open(stored, limits) else { panic!("no data") };
    let (mut data, mut fault) = (Vec::new(), None);
    let mut buf = vec![0; 1000];
    loop {
        match stream.read(&mut buf) {
            Ok(0) => break,
            Ok(n_bytes) => data.extend_from_slice(&buf[..n_bytes]),
            Err(error) => {
                fault = Some(Fault::of(&error).unwrap().clone());
                break;
            }
        }
    }
    let first_member_end = stream.layer.first_end.load(Ordering::Relaxed);
    (data, stream.finish().unwrap(), first_member_end, fault)
}

fn streamed(stored: &[u8]) -> Read4 {
    streamed_of(Stored::plain(Cursor::new(stored.to_vec())), ROOMY)
}

fn whole_of(stored: Stored, limits: InflateLimits) -> Read4 {
    let mut scratch = Scratch::default();
    match whole(stored, 100, 1 << 20, limits, &mut scratch).unwrap() {
        Whole::Data { data, digest, first_member_end, fault } => {
            (data.to_vec(), digest, first_member_end, fault)
        }
        other => panic!("no data: {other:?}"),
    }
}

/// Reads `stored` both ways, and insists that they agree.
fn both(stored: &[u8]) -> Read4 {
    let whole = whole_of(Stored::plain(Cursor::new(stored.to_vec())), ROOMY);
    let streamed = streamed(stored);
    assert!(whole.0 == streamed.0, "{} and {} bytes", whole.0.len(), streamed.0.len());
    assert_eq!((&whole.1, whole.2, &whole.3), (&streamed.1, streamed.2, &streamed.3));
    assert_eq!(whole.1.sha256, <[u8; 32]>::from(Sha256::digest(stored)));
    whole
}

#[test]
fn plain_bytes_come_out_as_they_are() {
    let (data, digest, first_member_end, fault) = both(b"{\"Records\":[]}");
    assert_eq!(data, b"{\"Records\":[]}");
    assert_eq!(digest.sha256_inflated, Some(digest.sha256));
    assert_eq!((digest.gzip_members, first_member_end, fault), (0, u64::MAX, None));
    assert_eq!(both(b"").0, b"");
}

#[test]
fn one_gzip_member_is_inflated() {
    let text = noise(300_000);
    let (data, digest, first_member_end, fault) = both(&gzip(&text));
    assert!(data == text);
    assert_eq!(digest.inflated_bytes, 300_000);
    assert_eq!(digest.sha256_inflated, Some(Sha256::digest(&text).into()));
    assert_eq!((digest.gzip_members, first_member_end, fault), (1, 300_000, None));
}

#[test]
fn appended_members_are_read_even_when_they_equal_the_first() {
    let text = noise(5_000);
    let (data, digest, first_member_end, fault) = both(&[gzip(&text), gzip(&text)].concat());
    assert!(data == [text.clone(), text].concat());
    assert_eq!((digest.gzip_members, first_member_end, fault), (2, 5_000, None));
}

#[test]
fn gzip_in_gzip_is_inflated() {
    let text = noise(5_000);
    let (data, digest, ..) = both(&gzip(&gzip(&gzip(&text))));
    assert!(data == text);
    assert_eq!(digest.gzip_members, 1);
}

#[test]
fn zeros_behind_gzip_are_padding_and_other_bytes_are_damage() {
    let text = noise(5_000);
    let padded = [gzip(&text), vec![0; 700]].concat();
    assert_eq!(both(&padded).3, None);
    let (data, _, _, fault) = both(&[padded, b"garbage".to_vec()].concat());
    assert!(data == text);
    let fault = fault.unwrap();
    assert_eq!(fault.reason, "what follows the gzip data is not gzip");
    assert!(!fault.over_limit);
}

#[test]
fn truncated_gzip_gives_what_is_whole() {
    let text = noise(100_000);
    let packed = gzip(&text);
    for cut in (10..packed.len()).step_by(997) {
        let (data, digest, _, fault) = both(&packed[..cut]);
        assert!(text.starts_with(&data));
        assert_eq!(digest.gzip_members, 0);
        assert_eq!(fault.unwrap().reason, "the compressed data ends early");
    }
    let (data, ..) = both(&packed[..packed.len() - 9]);
    assert!(data.len() > 99_000, "{} bytes", data.len());
    let (data, ..) = both(&packed[..packed.len() - 3]);
    assert!(data == text);
}

#[test]
fn corrupt_gzip_gives_what_comes_before() {
    let text = noise(100_000);
    let mut packed = gzip(&text);
    let middle = packed.len() / 2;
    packed[middle..middle + 40].fill(0xff);
    let (data, _, _, fault) = both(&packed);
    assert!(data.len() > 30_000, "{} bytes", data.len());
    assert!(text.starts_with(&data[..30_000]));
    assert!(fault.is_some());
    let mut checksum = gzip(&text);
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    let (data, _, _, fault) = both(&checksum);
    assert!(data == text);
    assert_eq!(fault.unwrap().reason, "the gzip checksum does not match the content");
}

#[test]
fn optional_header_fields_are_passed_over() {
    let text = b"[]";
    let mut encoder = flate2::GzBuilder::new()
        .filename("log.json")
        .comment("from a trail")
        .extra(vec![7; 90])
        .write(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    assert_eq!(both(&encoder.finish().unwrap()).0, text);
}

#[test]
fn inflation_stops_at_the_limits() {
    let stored = gzip(&noise(100_000));
    let limits = InflateLimits { max_ratio: 250, max_bytes: 60_000 };
    for read in [whole_of, streamed_of] {
        let (data, _, _, fault) = read(Stored::plain(Cursor::new(stored.clone())), limits);
        assert_eq!(data.len(), 60_000);
        let fault = fault.unwrap();
        assert!(fault.over_limit);
        assert_eq!(fault.reason, "inflates to more than 60000 bytes");
    }
    let bomb = gzip(&vec![b' '; 80 << 20]);
    let limits = InflateLimits { max_ratio: 20, max_bytes: u64::MAX };
    let (data, digest, _, fault) = streamed_of(Stored::plain(Cursor::new(bomb.clone())), limits);
    assert_eq!(data.len(), 64 << 20);
    assert_eq!(fault.unwrap().reason, "inflates to more than 20 times its size");
    assert_eq!(digest.sha256, <[u8; 32]>::from(Sha256::digest(&bomb)));
}

#[test]
fn what_is_too_long_is_not_read_whole() {
    for stored in [vec![b' '; 3000], gzip(&vec![b' '; 3000])] {
        let stored = Stored::plain(Cursor::new(stored));
        let mut scratch = Scratch::default();
        let read = whole(stored, 0, 2000, ROOMY, &mut scratch).unwrap();
        assert!(matches!(read, Whole::TooBig), "{read:?}");
    }
}

#[test]
fn utf16_becomes_utf8_and_lone_surrogates_become_escapes() {
    let units: Vec<u16> = [0xfeff]
        .into_iter()
        .chain("{\"é\":\"🦀".encode_utf16())
        .chain([0xd800])
        .chain("\"}".encode_utf16())
        .chain([0xdc00])
        .collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let expected = "{\"é\":\"🦀\\ud800\"}\\udc00";
    for stored in [little.clone(), big, gzip(&little)] {
        let (data, ..) = both(&stored);
        assert_eq!(String::from_utf8(data).unwrap(), expected);
    }
    let odd = [little, vec![b'x']].concat();
    assert_eq!(both(&odd).0, format!("{expected}\u{fffd}").into_bytes());
}

#[test]
fn what_is_packed_otherwise_is_named() {
    assert_eq!(foreign(b"BZh91AY&SY..."), Some("bzip2"));
    assert_eq!(foreign(b"BZh is how a note may begin"), None);
    assert_eq!(foreign(b"\x28\xb5\x2f\xfd..."), Some("zstd"));
    assert_eq!(foreign(b"{}"), None);
    let stored = || Stored::plain(Cursor::new(gzip(b"\xfd7zXZ\x00...")));
    assert!(matches!(open(stored(), ROOMY), Opened::Foreign("xz")));
    let mut scratch = Scratch::default();
    let read = whole(stored(), 0, 1000, ROOMY, &mut scratch).unwrap();
    assert!(matches!(read, Whole::Foreign("xz", _)), "{read:?}");
}

#[test]
fn deflated_members_are_inflated_and_checked() {
    let text = noise(70_000);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&text).unwrap();
    let deflated = encoder.finish().unwrap();
    let stored = |crc32| Stored {
        reader: Box::new(Cursor::new(deflated.clone())),
        deflated: true,
        crc32: Some(crc32),
        head: None,
    };
    let crc32 = libdeflater::crc32(&text);
    for read in [whole_of, streamed_of] {
        let (data, digest, _, fault) = read(stored(crc32), ROOMY);
        assert!(data == text);
        assert_eq!(fault, None);
        assert_eq!(digest.sha256, <[u8; 32]>::from(Sha256::digest(&text)));
        let (data, _, _, fault) = read(stored(crc32 ^ 1), ROOMY);
        assert!(data == text);
        assert!(fault.unwrap().reason.contains("checksum"));
    }
}

#[test]
fn failing_to_read_is_no_damage() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _buf: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let mut scratch = Scratch::default();
    let error = whole(Stored::plain(Broken), 0, 1000, ROOMY, &mut scratch).unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
}

/// What the first member is, by reading whole and by streaming, which must agree.
fn first(stored: &[u8]) -> first::First {
    let read = |max_bytes: usize| {
        let (mut scratch, mut seen) = (Scratch::default(), Vec::new());
        let stored = Stored::plain(Cursor::new(stored.to_vec()));
        let first = first_member(stored, 0, max_bytes, ROOMY, &mut scratch, &mut |bytes| {
            seen.extend_from_slice(bytes);
        });
        let first = first.unwrap();
        assert_eq!(first.sha256_inflated, <[u8; 32]>::from(Sha256::digest(&seen)));
        assert_eq!(first.inflated_bytes, seen.len() as u64);
        first
    };
    let whole = read(1 << 20);
    assert_eq!(whole, read(1000));
    assert_eq!(whole.sha256, <[u8; 32]>::from(Sha256::digest(stored)));
    whole
}

#[test]
fn the_first_member_ends_where_its_trailer_does() {
    let text = noise(5_000);
    let packed = gzip(&text);
    let clean = first(&packed);
    assert_eq!(clean.sha256_inflated, <[u8; 32]>::from(Sha256::digest(&text)));
    assert_eq!((clean.is_gzip, clean.trailing, &clean.fault), (true, false, &None));
    let trailer = packed.last_chunk::<8>().unwrap();
    let one_byte = &trailer[7..];
    // Whatever follows, even what ends like the member itself.
    for appended in [&packed[..], b"\0", b"x", b"garbage", trailer, one_byte, &gzip(b"")] {
        let found = first(&[packed.as_slice(), appended].concat());
        assert!(found.trailing, "{appended:?}");
        assert_eq!(found.sha256_inflated, clean.sha256_inflated);
        assert_eq!(found.fault, None);
    }
}

#[test]
fn a_first_member_that_is_damaged_or_none_is_told() {
    let text = noise(5_000);
    let packed = gzip(&text);
    let cut = first(&packed[..packed.len() - 3]);
    assert_eq!(cut.fault.unwrap().reason, "the compressed data ends early");
    assert_eq!(cut.sha256_inflated, <[u8; 32]>::from(Sha256::digest(&text)));
    let mut flipped = packed.clone();
    flipped[packed.len() - 6] ^= 1;
    assert!(first(&flipped).fault.is_some());
    let plain = first(&text);
    assert!(!plain.is_gzip && plain.fault.is_none() && !plain.trailing);
    // The layers within are the delivery's own content.
    let twice = first(&gzip(&packed));
    assert_eq!(twice.sha256_inflated, <[u8; 32]>::from(Sha256::digest(&packed)));
    assert_eq!(first(b"").inflated_bytes, 0);
}
