//! What of a digest is signed, and whether a signature is one of it.

use super::{digest::Digest, key::Key};

/// The signature of a digest, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    /// In hexadecimal.
    pub(super) hex: String,
    /// Where it was found.
    pub(super) from: &'static str,
}

/// Whether `signature`, in hexadecimal, is `key`'s of `digest`; `None` where the key is unusable.
///
/// RSASSA-PKCS1-v1_5 with SHA-256, over what AWS documents as the data signing string:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>.
pub(super) fn verify(digest: &Digest, signature: &str, key: &Key) -> Option<bool> {
    let key = key.rsa()?;
    let genuine = bytes(signature)
        .is_some_and(|signature| key.verify_sig(&signed_text(digest), &signature).is_ok());
    Some(genuine)
}

/// What CloudTrail signs: the bucket and key are those within the digest, so that a copy of it
/// can be verified wherever it lies.
fn signed_text(digest: &Digest) -> Vec<u8> {
    let Digest { end_text, bucket, key, previous_signature, .. } = digest;
    let hash = super::hex(&digest.sha256);
    // The four letters of Java's null stand for the signature before a chain's first digest.
    let previous = previous_signature.as_deref().unwrap_or("null");
    format!("{end_text}\n{bucket}/{key}\n{hash}\n{previous}").into_bytes()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.trim().as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|v| u8::try_from(v).ok());
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_both_cases_and_nothing_else_is() {
        assert_eq!(bytes("00fFA0"), Some(vec![0, 255, 160]));
        assert_eq!(bytes(""), Some(vec![]));
        assert_eq!((bytes("0"), bytes("0g"), bytes("é")), (None, None, None));
    }
}
