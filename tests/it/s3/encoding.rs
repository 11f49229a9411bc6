//! Names in a listing as S3 writes them when it is asked to: XML cannot hold every key.

use s3s::dto::{CommonPrefix, ListObjectVersionsOutput, ListObjectsV2Output};

/// Encodes the names of a page.
pub(super) fn objects(page: &mut ListObjectsV2Output) {
    encode(&mut page.prefix);
    encode(&mut page.start_after);
    for object in page.contents.iter_mut().flatten() {
        encode(&mut object.key);
    }
    prefixes(page.common_prefixes.as_mut());
}

/// Encodes the names of a page of versions.
pub(super) fn versions(page: &mut ListObjectVersionsOutput) {
    encode(&mut page.prefix);
    encode(&mut page.key_marker);
    for version in page.versions.iter_mut().flatten() {
        encode(&mut version.key);
    }
    for marker in page.delete_markers.iter_mut().flatten() {
        encode(&mut marker.key);
    }
    encode(&mut page.next_key_marker);
    prefixes(page.common_prefixes.as_mut());
}

fn prefixes(prefixes: Option<&mut Vec<CommonPrefix>>) {
    for common in prefixes.into_iter().flatten() {
        encode(&mut common.prefix);
    }
}

fn encode(name: &mut Option<String>) {
    let Some(plain) = name.take() else { return };
    let encoded = plain.bytes().map(|byte| match byte {
        b' ' => "+".to_owned(),
        b'/' | b'-' | b'_' | b'.' | b'*' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    *name = Some(encoded.collect());
}
