//! The public keys that digest files are signed with, from whatever they were saved as.
//!
//! AWS hands them out as `aws cloudtrail list-public-keys`, run in the region of the trail's logs.
//! The same key may come as JSON of that command, as PEM or as bare DER; in PKCS #1 or wrapped as a
//! `SubjectPublicKeyInfo` (AWS's own example has both). A fingerprint is the MD5 of the DER bytes:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-cli.html>.

use std::{
    collections::HashMap,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::time;
use crate::{ErrorKind, Result, aws::cloudtrail::PublicKey};

/// The largest file of keys that is read, in bytes. A year's keys of all regions are a few KiB.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// A key that may have signed digests.
#[derive(Debug)]
pub struct Key {
    /// `None` where the bytes are no RSA key.
    parsed: Option<ParsedPublicKey>,
    /// Since when it is valid, in microseconds since 1970.
    pub valid_from: Option<i64>,
    /// Until when it is valid, in microseconds since 1970.
    pub valid_until: Option<i64>,
}

impl Key {
    /// The key for checking signatures, if it is an RSA key of 2,048 bits or more.
    pub(super) fn rsa(&self) -> Option<&ParsedPublicKey> {
        self.parsed.as_ref()
    }

    /// Whether it is known to be invalid at `at`.
    pub(super) fn is_invalid_at(&self, at: i64) -> bool {
        self.valid_from.is_some_and(|from| at < from)
            || self.valid_until.is_some_and(|until| at > until)
    }
}

/// The keys at hand, by fingerprint.
#[derive(Debug, Default, Clone)]
pub struct KeyRing {
    keys: HashMap<String, Arc<Key>>,
}

impl KeyRing {
    /// Reads the keys in `files`.
    ///
    /// # Errors
    /// A file cannot be read, has no key, or has one whose fingerprint is not that of its bytes.
    pub fn read(files: &[PathBuf]) -> Result<Self> {
        let mut ring = Self::default();
        for path in files {
            let io = |source| ErrorKind::Io { action: "read", path: path.clone(), source };
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(io)?;
            std::io::copy(&mut file.take(MAX_FILE_BYTES + 1), &mut bytes).map_err(io)?;
            ring.add_file(&bytes).map_err(|reason| unusable(path, reason))?;
        }
        Ok(ring)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key with the fingerprint `fingerprint`.
    pub(super) fn get(&self, fingerprint: &str) -> Option<&Key> {
        self.keys.get(&fingerprint.to_ascii_lowercase()).map(|key| &**key)
    }

    /// Adds keys that `CloudTrail` itself gave.
    pub fn add_listed(&mut self, keys: Vec<PublicKey>) {
        for key in keys {
            self.add(&key.value, key.valid_from, key.valid_until);
        }
    }

    fn add_file(&mut self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!("it is larger than {} MiB", MAX_FILE_BYTES >> 20));
        }
        let text = std::str::from_utf8(bytes).map(|text| text.trim_start_matches('\u{feff}'));
        match text.map(str::trim_start) {
            Ok(text) if text.starts_with(['{', '[']) => self.add_json(text),
            Ok(text) if text.contains("-----BEGIN ") => self.add_pem(text),
            _ if bytes.first() == Some(&SEQUENCE) => self.add_bare(bytes),
            _ => Err(UNKNOWN_FORM.to_owned()),
        }
    }

    /// The answers of `list-public-keys`, one or several behind one another.
    fn add_json(&mut self, text: &str) -> Result<(), String> {
        let mut n_keys = 0_usize;
        for page in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            let page = page.map_err(|error| format!("it is no JSON: {error}"))?;
            let list = ["PublicKeyList", "publicKeyList"].iter().find_map(|name| page.get(name));
            let keys = match list.unwrap_or(&page) {
                Value::Array(keys) => keys.as_slice(),
                one => std::slice::from_ref(one),
            };
            for key in keys {
                self.add_entry(key)?;
                n_keys += 1;
            }
        }
        if n_keys == 0 {
            return Err("it lists no key: ask for the time of the digests, in their region, with \
                        `aws cloudtrail list-public-keys --start-time … --end-time …`"
                .to_owned());
        }
        Ok(())
    }

    fn add_entry(&mut self, entry: &Value) -> Result<(), String> {
        let member = |names: [&str; 2]| names.iter().find_map(|name| entry.get(name));
        let text = |names| member(names).and_then(Value::as_str);
        let value = text(["Value", "value"]).ok_or_else(|| UNKNOWN_FORM.to_owned())?;
        let der = STANDARD
            .decode(value.split_ascii_whitespace().collect::<String>())
            .map_err(|error| format!("a key's `Value` is no base64: {error}"))?;
        let own = fingerprint(&der);
        if let Some(stated) = text(["Fingerprint", "fingerprint"])
            && !stated.eq_ignore_ascii_case(&own)
        {
            return Err(format!(
                "a key is said to have the fingerprint `{stated}`, but its bytes have `{own}`: \
                 the file was changed or damaged"
            ));
        }
        let at = |names| member(names).and_then(time::of_json);
        let from = at(["ValidityStartTime", "validityStartTime"]);
        self.add(&der, from, at(["ValidityEndTime", "validityEndTime"]));
        Ok(())
    }

    /// PEM, one key or several.
    fn add_pem(&mut self, text: &str) -> Result<(), String> {
        let mut n_keys = 0_usize;
        for block in text.split("-----BEGIN ").skip(1) {
            let (label, rest) = block.split_once("-----").unwrap_or_default();
            if !label.ends_with("PUBLIC KEY") {
                return Err(format!("it holds a `{label}`, not a public key"));
            }
            let (body, _) = rest.split_once("-----END").unwrap_or((rest, ""));
            let der = STANDARD
                .decode(body.split_ascii_whitespace().collect::<String>())
                .map_err(|error| format!("its PEM is no base64: {error}"))?;
            self.add_bare(&der)?;
            n_keys += 1;
        }
        if n_keys == 0 { Err(UNKNOWN_FORM.to_owned()) } else { Ok(()) }
    }

    /// A key without anything that tells what it is: it must be an RSA key.
    fn add_bare(&mut self, der: &[u8]) -> Result<(), String> {
        if parse(der).is_none() {
            return Err("it is no RSA public key of 2,048 bits or more".to_owned());
        }
        self.add(der, None, None);
        Ok(())
    }

    /// Adds a key under its fingerprint, and under the one its bytes would have in the other
    /// encoding: tools rewrap keys, and the digest names what AWS has.
    fn add(&mut self, der: &[u8], valid_from: Option<i64>, valid_until: Option<i64>) {
        let key = Arc::new(Key { parsed: parse(der), valid_from, valid_until });
        if let Some(other) = rewrapped(der) {
            self.keys.entry(fingerprint(&other)).or_insert_with(|| Arc::clone(&key));
        }
        self.keys.insert(fingerprint(der), key);
    }
}

const UNKNOWN_FORM: &str = "it is neither the JSON of `aws cloudtrail list-public-keys` nor a \
                            public key as PEM or DER";

fn unusable(path: &Path, reason: String) -> crate::Error {
    ErrorKind::PublicKeys { path: path.to_owned(), reason }.into()
}

fn parse(der: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).ok()
}

/// The MD5 of a key's bytes in lower-case hexadecimal: how digests name keys.
fn fingerprint(der: &[u8]) -> String {
    use md5::Digest as _;
    let hash: [u8; 16] = md5::Md5::digest(der).into();
    format!("{:032x}", u128::from_be_bytes(hash))
}

/// DER's tags, <https://www.itu.int/rec/T-REC-X.690>.
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// `AlgorithmIdentifier` of RSA keys: rsaEncryption without parameters.
/// <https://www.rfc-editor.org/rfc/rfc3279#section-2.3.1>
const RSA_ENCRYPTION: [u8; 15] =
    [SEQUENCE, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// A PKCS #1 key as `SubjectPublicKeyInfo`, and the reverse.
fn rewrapped(der: &[u8]) -> Option<Vec<u8>> {
    let content = content_of(SEQUENCE, der)?;
    if let Some(bits) = content.strip_prefix(&RSA_ENCRYPTION) {
        // The first byte counts the bits unused in the last one: there are none.
        return content_of(BIT_STRING, bits)?.strip_prefix(&[0]).map(<[u8]>::to_vec);
    }
    let bits = wrapped(BIT_STRING, &[&[0], der].concat());
    Some(wrapped(SEQUENCE, &[&RSA_ENCRYPTION, bits.as_slice()].concat()))
}

/// What lies in the one element of type `tag` that `der` is.
fn content_of(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, content) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let n_bytes = usize::from(first & 0x7f);
        let digits = rest.get(..n_bytes).filter(|_| (1..=4).contains(&n_bytes))?;
        let length = digits.iter().fold(0, |n, &digit| n << 8 | usize::from(digit));
        (length, rest.get(n_bytes..)?)
    };
    (content.len() == length).then_some(content)
}

/// An element of type `tag` around `content`.
fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|&digit| digit == 0).collect();
    let mut out = vec![tag];
    match digits.as_slice() {
        [] => out.push(0),
        [one] if *one < 0x80 => out.push(*one),
        _ => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            out.extend(&digits);
        }
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example key of AWS's documentation of `list-public-keys`.
    const AWS_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlzPJbvZJ42UdcmLfPUqXYNfOs6I8lCfao/tOs8CmzPOEdtLWugB9xoIUz78qVHdKIqxbaG4jWHfJBiOSSFBM0lt8cdVo4TnRa7oG9iofysqujG6KAUsAMYNcMYW";

    #[test]
    fn keys_are_wrapped_and_unwrapped() {
        let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let pkcs1 = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec();
        let wrapped = rewrapped(&pkcs1).unwrap();
        assert!(parse(&wrapped).is_some());
        assert!(STANDARD.encode(&wrapped).starts_with(AWS_KEY.get(..32).unwrap()));
        assert_eq!(rewrapped(&wrapped).unwrap(), pkcs1);
        let mut ring = KeyRing::default();
        ring.add_file(&wrapped).unwrap();
        assert!(ring.get(&fingerprint(&pkcs1)).is_some());
        assert!(ring.get(&fingerprint(&wrapped).to_ascii_uppercase()).is_some());
    }

    #[test]
    fn what_holds_no_key_is_said_to() {
        let refused = |bytes: &[u8]| KeyRing::default().add_file(bytes).unwrap_err();
        assert_eq!(refused(b"hello"), UNKNOWN_FORM);
        assert_eq!(refused(b""), UNKNOWN_FORM);
        assert!(refused(b"{\"PublicKeyList\":[]}").starts_with("it lists no key"));
        assert!(refused(b"{\"Value\":\"%\"}").starts_with("a key's `Value` is no base64"));
        assert!(refused(b"{\"Value\":\"AAAA\",\"Fingerprint\":\"00\"}").contains("its bytes have"));
        assert!(refused(b"-----BEGIN PRIVATE KEY-----\n").contains("PRIVATE KEY"));
        assert!(refused(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]).contains("no RSA"));
    }
}
