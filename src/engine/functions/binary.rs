//! Bytes: <https://trino.io/docs/current/functions/binary.html>.
//!
//! Hashes are those of bytes: text goes through `to_utf8` first, as in Trino.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use datafusion::{
    common::{exec_err, plan_err},
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    Function,
    call::{
        Call,
        Kind::{BigInt, Double, Varbinary, Varchar},
        bigint, double, given, quoted, scalar, take, varbinary, varchar,
    },
    digest,
    scalar::is_varchar,
};
use arrow::datatypes::DataType;

const FAMILY: &str = "binary";

pub(super) fn functions() -> Vec<Function> {
    let mut all = texts();
    all.extend(encodings());
    all.extend(hashes());
    all.extend(keyed());
    all.extend(numbers());
    all
}

fn texts() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_utf8",
            [],
            "to_utf8(string) → varbinary",
            "The bytes of a string in UTF-8.",
            [("to_hex(to_utf8('é'))", "C3A9")],
            |types| take(types, &[&[Varchar]]),
            varbinary,
            |args| {
                let call = Call::of(args)?;
                let texts = call.texts(0)?;
                call.write_bytes(|row, out| {
                    out.extend(given!(texts.get(row)).as_bytes());
                    Ok(Some(()))
                })
            }
        ),
        scalar!(
            FAMILY,
            "from_utf8",
            [],
            "from_utf8(varbinary[, replacement]) → varchar",
            "The string that bytes in UTF-8 stand for. What is no UTF-8 becomes U+FFFD, or the \
             replacement: a character, its code point, or nothing.",
            [("from_utf8(from_hex('C3A9'))", "é"), ("from_utf8(from_hex('61FF62'), '?')", "a?b")],
            |types| take(types, &[&[Varbinary], &[Varbinary, Varchar], &[Varbinary, BigInt]]),
            varchar,
            from_utf8
        ),
    ]
}

fn encodings() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_base64",
            [],
            "to_base64(varbinary) → varchar",
            "The bytes in Base64.",
            [("to_base64(to_utf8('hi'))", "aGk=")],
            bytes,
            varchar,
            |args| encode(args, |bytes, out| BASE64.encode_string(bytes, out))
        ),
        scalar!(
            FAMILY,
            "from_base64",
            [],
            "from_base64(string) → varbinary",
            "The bytes that Base64 stands for.",
            [("from_utf8(from_base64('aGk='))", "hi")],
            |types| take(types, &[&[Varchar], &[Varbinary]]),
            varbinary,
            |args| decode(args, "Base64", |bytes, out| BASE64.decode_vec(bytes, out).is_ok())
        ),
        scalar!(
            FAMILY,
            "to_base64url",
            [],
            "to_base64url(varbinary) → varchar",
            "The bytes in Base64 with `-` and `_` for `+` and `/`.",
            [("to_base64url(from_hex('FBFF'))", "-_8=")],
            bytes,
            varchar,
            |args| encode(args, |bytes, out| BASE64_URL.encode_string(bytes, out))
        ),
        scalar!(
            FAMILY,
            "from_base64url",
            [],
            "from_base64url(string) → varbinary",
            "The bytes that Base64 with `-` and `_` stands for.",
            [("to_hex(from_base64url('-_8='))", "FBFF")],
            |types| take(types, &[&[Varchar], &[Varbinary]]),
            varbinary,
            |args| decode(args, "Base64", |bytes, out| BASE64_URL.decode_vec(bytes, out).is_ok())
        ),
        scalar!(
            FAMILY,
            "to_hex",
            [],
            "to_hex(varbinary) → varchar",
            "The bytes in hexadecimal digits, upper case.",
            [("to_hex(to_utf8('az'))", "617A")],
            bytes,
            varchar,
            |args| encode(args, hex)
        ),
        scalar!(
            FAMILY,
            "from_hex",
            [],
            "from_hex(string) → varbinary",
            "The bytes that hexadecimal digits stand for.",
            [("from_utf8(from_hex('617a'))", "az")],
            |types| take(types, &[&[Varchar], &[Varbinary]]),
            varbinary,
            |args| decode(args, "hexadecimal digits", unhex)
        ),
    ]
}

fn hashes() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "md5",
            [],
            "md5(varbinary) → varbinary",
            "The MD5 hash of the bytes.",
            [("to_hex(md5(to_utf8('a')))", "0CC175B9C0F1B6A831C399E269772661")],
            bytes,
            varbinary,
            |args| hash(args, md5)
        ),
        scalar!(
            FAMILY,
            "sha1",
            [],
            "sha1(varbinary) → varbinary",
            "The SHA-1 hash of the bytes.",
            [("to_hex(sha1(to_utf8('abc')))", "A9993E364706816ABA3E25717850C26C9CD0D89D")],
            bytes,
            varbinary,
            |args| hash(args, digest::sha1)
        ),
        scalar!(
            FAMILY,
            "sha256",
            [],
            "sha256(varbinary) → varbinary",
            "The SHA-256 hash of the bytes.",
            [("length(sha256(to_utf8('a')))", "32")],
            bytes,
            varbinary,
            |args| hash(args, sha256)
        ),
        scalar!(
            FAMILY,
            "sha512",
            [],
            "sha512(varbinary) → varbinary",
            "The SHA-512 hash of the bytes.",
            [("length(sha512(to_utf8('a')))", "64")],
            bytes,
            varbinary,
            |args| hash(args, sha512)
        ),
        scalar!(
            FAMILY,
            "xxhash64",
            [],
            "xxhash64(varbinary) → varbinary",
            "The xxHash64 of the bytes, eight bytes.",
            [("to_hex(xxhash64(to_utf8('abc')))", "44BC2CF5AD770999")],
            bytes,
            varbinary,
            |args| hash(args, |data| digest::xxhash64(data).to_be_bytes().to_vec())
        ),
        scalar!(
            FAMILY,
            "crc32",
            [],
            "crc32(varbinary) → bigint",
            "The CRC-32 of the bytes.",
            [("crc32(to_utf8('trail'))", "2993194383")],
            bytes,
            bigint,
            |args| {
                let call = Call::of(args)?;
                let bytes = call.bytes(0)?;
                call.make_longs(|row| Ok(Some(i64::from(digest::crc32(given!(bytes.get(row)))))))
            }
        ),
    ]
}

fn keyed() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "hmac_md5",
            [],
            "hmac_md5(varbinary, key) → varbinary",
            "The HMAC of the bytes with a key, by MD5.",
            [("length(hmac_md5(to_utf8('a'), to_utf8('k')))", "16")],
            bytes_and_key,
            varbinary,
            |args| keyed_hash(args, md5, 64)
        ),
        scalar!(
            FAMILY,
            "hmac_sha1",
            [],
            "hmac_sha1(varbinary, key) → varbinary",
            "The HMAC of the bytes with a key, by SHA-1.",
            [("length(hmac_sha1(to_utf8('a'), to_utf8('k')))", "20")],
            bytes_and_key,
            varbinary,
            |args| keyed_hash(args, digest::sha1, 64)
        ),
        scalar!(
            FAMILY,
            "hmac_sha256",
            [],
            "hmac_sha256(varbinary, key) → varbinary",
            "The HMAC of the bytes with a key, by SHA-256.",
            [("length(hmac_sha256(to_utf8('a'), to_utf8('k')))", "32")],
            bytes_and_key,
            varbinary,
            |args| keyed_hash(args, sha256, 64)
        ),
        scalar!(
            FAMILY,
            "hmac_sha512",
            [],
            "hmac_sha512(varbinary, key) → varbinary",
            "The HMAC of the bytes with a key, by SHA-512.",
            [("length(hmac_sha512(to_utf8('a'), to_utf8('k')))", "64")],
            bytes_and_key,
            varbinary,
            |args| keyed_hash(args, sha512, 128)
        ),
    ]
}

fn numbers() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "to_big_endian_64",
            [],
            "to_big_endian_64(bigint) → varbinary",
            "The eight bytes of a bigint, the highest first.",
            [("to_hex(to_big_endian_64(258))", "0000000000000102")],
            |types| take(types, &[&[BigInt]]),
            varbinary,
            |args| {
                let call = Call::of(args)?;
                let longs = call.longs(0)?;
                call.write_bytes(|row, out| {
                    out.extend(given!(longs.get(row)).to_be_bytes());
                    Ok(Some(()))
                })
            }
        ),
        scalar!(
            FAMILY,
            "from_big_endian_64",
            [],
            "from_big_endian_64(varbinary) → bigint",
            "The bigint that eight bytes stand for.",
            [("from_big_endian_64(from_hex('0000000000000102'))", "258")],
            |types| take(types, &[&[Varbinary]]),
            bigint,
            |args| {
                let call = Call::of(args)?;
                let bytes = call.bytes(0)?;
                call.make_longs(|row| Ok(Some(i64::from_be_bytes(eight(given!(bytes.get(row)))?))))
            }
        ),
        scalar!(
            FAMILY,
            "to_ieee754_64",
            [],
            "to_ieee754_64(double) → varbinary",
            "The eight bytes of a double, the highest first.",
            [("to_hex(to_ieee754_64(1.0))", "3FF0000000000000")],
            |types| take(types, &[&[Double]]),
            varbinary,
            |args| {
                let call = Call::of(args)?;
                let doubles = call.doubles(0)?;
                call.write_bytes(|row, out| {
                    out.extend(given!(doubles.get(row)).to_be_bytes());
                    Ok(Some(()))
                })
            }
        ),
        scalar!(
            FAMILY,
            "from_ieee754_64",
            [],
            "from_ieee754_64(varbinary) → double",
            "The double that eight bytes stand for.",
            [("from_ieee754_64(from_hex('3FF0000000000000'))", "1.0")],
            |types| take(types, &[&[Varbinary]]),
            double,
            |args| {
                let call = Call::of(args)?;
                let bytes = call.bytes(0)?;
                call.make_doubles(|row| {
                    Ok(Some(f64::from_be_bytes(eight(given!(bytes.get(row)))?)))
                })
            }
        ),
    ]
}

fn eight(bytes: &[u8]) -> Result<[u8; 8]> {
    if let Ok(eight) = bytes.try_into() {
        Ok(eight)
    } else {
        exec_err!("eight bytes are expected, not {}", bytes.len())
    }
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Bytes alone; for text the way to them is named.
fn bytes(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.iter().any(is_varchar) {
        return plan_err!(
            "it takes varbinary, not varchar: to_utf8(…) gives the bytes of a string"
        );
    }
    take(types, &[&[Varbinary]])
}

fn bytes_and_key(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.iter().any(is_varchar) {
        return plan_err!(
            "it takes varbinary, not varchar: to_utf8(…) gives the bytes of a string"
        );
    }
    take(types, &[&[Varbinary, Varbinary]])
}

fn from_utf8(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let bytes = call.bytes(0)?;
    let (texts, points) = (call.texts(1).ok(), call.longs(1).ok());
    call.write_text(|row, out| {
        let bytes = given!(bytes.get(row));
        let replacement = match (&texts, &points) {
            (Some(texts), _) => {
                let text = given!(texts.get(row));
                if text.chars().count() > 1 {
                    return exec_err!(
                        "the replacement of from_utf8 must be one character or none, not {}",
                        quoted(text)
                    );
                }
                text.chars().next()
            }
            (_, Some(points)) => {
                let point = given!(points.get(row));
                match u32::try_from(point).ok().and_then(char::from_u32) {
                    Some(character) => Some(character),
                    None => return exec_err!("{point} is no Unicode code point"),
                }
            }
            _ => Some(char::REPLACEMENT_CHARACTER),
        };
        for chunk in bytes.utf8_chunks() {
            out.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                out.extend(replacement);
            }
        }
        Ok(Some(()))
    })
}

fn encode(args: &ScalarFunctionArgs, encode: fn(&[u8], &mut String)) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let bytes = call.bytes(0)?;
    call.write_text(|row, out| {
        encode(given!(bytes.get(row)), out);
        Ok(Some(()))
    })
}

fn decode(
    args: &ScalarFunctionArgs,
    what: &str,
    decode: fn(&[u8], &mut Vec<u8>) -> bool,
) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, bytes) = (call.texts(0).ok(), call.bytes(0).ok());
    let value = |row: usize| match (&texts, &bytes) {
        (Some(texts), _) => texts.get(row).map(str::as_bytes),
        (_, Some(bytes)) => bytes.get(row),
        _ => None,
    };
    call.write_bytes(|row, out| {
        let value = given!(value(row));
        if !decode(value, out) {
            return exec_err!("{} is not {what}", quoted(&String::from_utf8_lossy(value)));
        }
        Ok(Some(()))
    })
}

fn hex(bytes: &[u8], out: &mut String) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    for byte in bytes {
        out.push(digit(byte >> 4).to_ascii_uppercase());
        out.push(digit(byte & 15).to_ascii_uppercase());
    }
}

fn unhex(text: &[u8], out: &mut Vec<u8>) -> bool {
    let (pairs, rest) = text.as_chunks::<2>();
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    for [high, low] in pairs {
        match (value(*high), value(*low)) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => return false,
        }
    }
    rest.is_empty()
}

fn md5(data: &[u8]) -> Vec<u8> {
    use md5::Digest as _;
    md5::Md5::digest(data).to_vec()
}

fn sha256(data: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(data).to_vec()
}

fn sha512(data: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha512::digest(data).to_vec()
}

fn hash(args: &ScalarFunctionArgs, hash: fn(&[u8]) -> Vec<u8>) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let bytes = call.bytes(0)?;
    call.write_bytes(|row, out| {
        out.extend(hash(given!(bytes.get(row))));
        Ok(Some(()))
    })
}

fn keyed_hash(
    args: &ScalarFunctionArgs,
    hash: fn(&[u8]) -> Vec<u8>,
    block: usize,
) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (bytes, keys) = (call.bytes(0)?, call.bytes(1)?);
    call.write_bytes(|row, out| {
        let (bytes, key) = (given!(bytes.get(row)), given!(keys.get(row)));
        if key.is_empty() {
            return exec_err!("the key of an HMAC cannot be empty");
        }
        out.extend(digest::hmac(hash, block, bytes, key));
        Ok(Some(()))
    })
}
