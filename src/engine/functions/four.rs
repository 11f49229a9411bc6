//! Bytes by fours and fives: numbers of 32 bits, base 32, and a hash of two words.
//!
//! <https://trino.io/docs/current/functions/binary.html>

use std::sync::Arc;

use arrow::{
    array::{Float32Array, Int32Array},
    datatypes::DataType,
};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    Function,
    call::{
        Call,
        Kind::{BigInt, Double, Varbinary, Varchar},
        given, quoted, scalar, take, varbinary, varchar,
    },
};

const FAMILY: &str = "binary";

pub(super) fn functions() -> Vec<Function> {
    let mut all = numbers();
    all.extend(texts());
    all
}

fn numbers() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_big_endian_32",
            [],
            "to_big_endian_32(integer) → varbinary",
            "The four bytes of an integer, the highest first.",
            [("to_hex(to_big_endian_32(258))", "00000102")],
            |types| take(types, &[&[BigInt]]),
            varbinary,
            to_big_endian
        ),
        scalar!(
            FAMILY,
            "from_big_endian_32",
            [],
            "from_big_endian_32(varbinary) → integer",
            "The integer that four bytes stand for.",
            [("from_big_endian_32(from_hex('00000102'))", "258")],
            |types| take(types, &[&[Varbinary]]),
            |_| Ok(DataType::Int32),
            |args| {
                let (call, found) = fours(args)?;
                let numbers = found.into_iter().map(|four| four.map(i32::from_be_bytes));
                call.finish(Arc::new(numbers.collect::<Int32Array>()))
            }
        ),
        scalar!(
            FAMILY,
            "to_ieee754_32",
            [],
            "to_ieee754_32(real) → varbinary",
            "The four bytes of a real, the highest first.",
            [("to_hex(to_ieee754_32(CAST(1.0 AS real)))", "3F800000")],
            |types| take(types, &[&[Double]]),
            varbinary,
            to_ieee754
        ),
        scalar!(
            FAMILY,
            "from_ieee754_32",
            [],
            "from_ieee754_32(varbinary) → real",
            "The real that four bytes stand for.",
            [("from_ieee754_32(from_hex('3F800000'))", "1.0")],
            |types| take(types, &[&[Varbinary]]),
            |_| Ok(DataType::Float32),
            |args| {
                let (call, found) = fours(args)?;
                let numbers = found.into_iter().map(|four| four.map(f32::from_be_bytes));
                call.finish(Arc::new(numbers.collect::<Float32Array>()))
            }
        ),
    ]
}

fn texts() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_base32",
            [],
            "to_base32(varbinary) → varchar",
            "The bytes in base 32, padded.",
            [("to_base32(to_utf8('trail'))", "ORZGC2LM")],
            |types| take(types, &[&[Varbinary]]),
            varchar,
            |args| {
                let call = Call::of(args)?;
                let bytes = call.bytes(0)?;
                call.write_text(|row, out| {
                    encode(given!(bytes.get(row)), out);
                    Ok(Some(()))
                })
            }
        ),
        scalar!(
            FAMILY,
            "from_base32",
            [],
            "from_base32(string) → varbinary",
            "The bytes that text in base 32 stands for; padding may be missing.",
            [("from_utf8(from_base32('ORZGC2LM'))", "trail")],
            |types| take(types, &[&[Varchar]]),
            varbinary,
            |args| {
                let call = Call::of(args)?;
                let texts = call.texts(0)?;
                call.write_bytes(|row, out| {
                    let text = given!(texts.get(row));
                    if decode(text, out).is_none() {
                        return exec_err!("{} is not base 32", quoted(text));
                    }
                    Ok(Some(()))
                })
            }
        ),
        scalar!(
            FAMILY,
            "murmur3",
            [],
            "murmur3(varbinary) → varbinary",
            "The MurmurHash3 of the bytes, in 128 bits.",
            [("to_hex(murmur3(from_base64('aaaaaa==')))", "BA5855635569B42F4920372CA0E396EF")],
            |types| take(types, &[&[Varbinary]]),
            varbinary,
            |args| {
                let call = Call::of(args)?;
                let bytes = call.bytes(0)?;
                call.write_bytes(|row, out| {
                    out.extend(murmur3(given!(bytes.get(row))));
                    Ok(Some(()))
                })
            }
        ),
    ]
}

fn to_big_endian(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let longs = call.longs(0)?;
    call.write_bytes(|row, out| {
        let long = given!(longs.get(row));
        match i32::try_from(long) {
            Ok(integer) => out.extend(integer.to_be_bytes()),
            Err(_) => return exec_err!("{long} is out of range for integer"),
        }
        Ok(Some(()))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a real was widened to come here")]
fn to_ieee754(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let doubles = call.doubles(0)?;
    call.write_bytes(|row, out| {
        out.extend((given!(doubles.get(row)) as f32).to_be_bytes());
        Ok(Some(()))
    })
}

/// The four bytes of each row.
fn fours(args: &ScalarFunctionArgs) -> Result<(Call, Vec<Option<[u8; 4]>>)> {
    let call = Call::of(args)?;
    let bytes = call.bytes(0)?;
    let found = (0..call.rows()).map(|row| four(bytes.get(row))).collect::<Result<_>>()?;
    Ok((call, found))
}

fn four(bytes: Option<&[u8]>) -> Result<Option<[u8; 4]>> {
    let Some(bytes) = bytes else { return Ok(None) };
    if let Ok(four) = bytes.try_into() {
        Ok(Some(four))
    } else {
        exec_err!("four bytes were expected, not {}", bytes.len())
    }
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode(bytes: &[u8], out: &mut String) {
    for group in bytes.chunks(5) {
        let mut five = [0; 8];
        for (to, from) in five.iter_mut().skip(3).zip(group) {
            *to = *from;
        }
        let bits = u64::from_be_bytes(five);
        let letters = (group.len() * 8).div_ceil(5);
        for place in 0..8 {
            let value = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or_default();
            let letter = LETTERS.get(value).copied().filter(|_| place < letters);
            out.push(letter.map_or('=', char::from));
        }
    }
}

/// As Guava's decoder: upper case alone, padding only at the end, no check of the bits left over.
fn decode(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let text = text.trim_end_matches('=');
    for group in text.as_bytes().chunks(8) {
        // Five bits a letter: 1, 3 and 6 letters end within a byte that began with no need.
        if matches!(group.len(), 1 | 3 | 6) {
            return None;
        }
        let mut bits = 0_u64;
        for letter in group {
            let value = LETTERS.iter().position(|known| known == letter)?;
            bits = bits << 5 | u64::try_from(value).ok()?;
        }
        bits <<= 40 - 5 * group.len();
        out.extend(bits.to_be_bytes().iter().skip(3).take(group.len() * 5 / 8));
    }
    Some(())
}

const FIRST: u64 = 0x87c3_7b91_1142_53d5;
const SECOND: u64 = 0x4cf5_ad43_2745_937f;

/// `MurmurHash3_x64_128` with the seed 0.
fn murmur3(bytes: &[u8]) -> [u8; 16] {
    let first = |word: u64| word.wrapping_mul(FIRST).rotate_left(31).wrapping_mul(SECOND);
    let second = |word: u64| word.wrapping_mul(SECOND).rotate_left(33).wrapping_mul(FIRST);
    let (mut high, mut low) = (0_u64, 0_u64);
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        let [one, two] = words(block);
        high ^= first(one);
        high = high.rotate_left(27).wrapping_add(low).wrapping_mul(5).wrapping_add(0x52dc_e729);
        low ^= second(two);
        low = low.rotate_left(31).wrapping_add(high).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let mut tail = [0; 16];
    for (to, from) in tail.iter_mut().zip(rest) {
        *to = *from;
    }
    let [one, two] = words(&tail);
    low ^= second(two);
    high ^= first(one);
    let length = bytes.len() as u64;
    high ^= length;
    low ^= length;
    high = high.wrapping_add(low);
    low = low.wrapping_add(high);
    high = mixed(high);
    low = mixed(low);
    high = high.wrapping_add(low);
    low = low.wrapping_add(high);
    let mut hash = [0; 16];
    for (to, from) in hash.iter_mut().zip(high.to_le_bytes().into_iter().chain(low.to_le_bytes())) {
        *to = from;
    }
    hash
}

fn words(block: &[u8; 16]) -> [u64; 2] {
    let word = u128::from_le_bytes(*block);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    [word as u64, (word >> 64) as u64]
}

fn mixed(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ word >> 33
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn base_32_is_read_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let (mut text, mut back) = (String::new(), Vec::new());
            encode(&bytes, &mut text);
            prop_assert_eq!(text.len() % 8, 0);
            prop_assert!(decode(&text, &mut back).is_some());
            prop_assert_eq!(back, bytes);
        }

        #[test]
        fn any_text_does_no_harm(text in "\\PC{0,20}") {
            let _ = decode(&text, &mut Vec::new());
        }
    }

    /// The test vectors of RFC 4648.
    #[test]
    fn base_32_is_that_of_its_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ] {
            let mut encoded = String::new();
            encode(bytes.as_bytes(), &mut encoded);
            assert_eq!(encoded, text);
        }
    }
}
