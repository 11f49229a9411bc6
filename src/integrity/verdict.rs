//! What can be found of a file, and what each finding means.

use serde::{Serialize, Serializer};

/// The word for what was found of a file. What cannot be verified is never valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A signature of CloudTrail's vouches for its content.
    Valid,
    /// It is not what CloudTrail delivered, or it is gone.
    Invalid,
    /// Nothing vouches for it, and nothing contradicts.
    Unverifiable,
    /// A log file that no digest mentions.
    Undigested,
}

impl Status {
    /// As SQL and JSON have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unverifiable => "unverifiable",
            Self::Undigested => "undigested",
        }
    }
}

/// Why a file is not valid. Where the AWS CLI has words for it, these are they.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A digest or log file is named by a valid digest, and there is no such file.
    #[error("not found")]
    NotFound,
    /// Its bytes are not of the format they should have.
    #[error("invalid format")]
    InvalidFormat {
        /// What exactly is wrong with them.
        detail: String,
    },
    /// It lies elsewhere than its content says.
    #[error("has been moved from its original location")]
    Moved,
    /// The signature is not one of this digest.
    #[error("signature verification failed")]
    SignatureFailed,
    /// The key with the digest's fingerprint is no RSA key.
    #[error("Unable to load PKCS #1 key with fingerprint {fingerprint}")]
    KeyUnusable {
        /// The MD5 of the key.
        fingerprint: String,
    },
    /// The next digest of the chain is valid and was made from another one.
    #[error("is not the digest that the next one of its chain names: its {what} differs")]
    Replaced {
        /// `hash` or `signature`.
        what: &'static str,
    },
    /// A log file's content is not that which its digest vouches for.
    #[error("hash value doesn't match")]
    HashMismatch,
    /// Bytes follow the gzip stream that CloudTrail delivered.
    #[error("unexpected data after end of compressed stream")]
    TrailingData,

    /// No key was given that the digest could have been signed with.
    #[error("public key not found in region {region} for fingerprint {fingerprint}")]
    KeyNotFound {
        /// The digest's region: keys are per region.
        region: String,
        /// The MD5 of the key.
        fingerprint: String,
    },
    /// Neither metadata nor a next digest has its signature.
    #[error("signature not supplied: it is in the metadata of the object in S3")]
    NoSignature,
    /// Only a digest that is not valid has its signature, and that is none of it.
    #[error("its signature is known only from a digest that is not valid itself")]
    SignatureUnproven,
    /// The file cannot be read, or not to its end.
    #[error("cannot be read: {why}")]
    Unreadable {
        /// What the system says.
        why: String,
    },
    /// The digests that name a log file are not valid.
    #[error("the digest that names it is not valid")]
    DigestNotValid,
    /// The same, and the hash differs, too.
    #[error("the digest that names it is not valid, and the hash value doesn't match")]
    DigestNotValidEither,
    /// The same, and the log file is not there.
    #[error("not found, but the digest that names it is not valid")]
    NotFoundUnproven,

    /// A log file delivered in an hour whose digest does not name it.
    #[error("no digest mentions it, though there are digests of its time")]
    Unmentioned,
    /// A log file delivered when no digest was made, or none is at hand.
    #[error("there is no digest of its time")]
    NoDigestOfItsTime,
    /// A log file younger than the newest digest.
    #[error("it is younger than the newest digest")]
    YoungerThanDigests,
    /// There are no digests of the file's account and region.
    #[error("there are no digests of its account and region")]
    NoDigests,
}

impl Reason {
    /// What it means for the file.
    pub fn status(&self) -> Status {
        match self {
            Self::NotFound
            | Self::InvalidFormat { .. }
            | Self::Moved
            | Self::SignatureFailed
            | Self::KeyUnusable { .. }
            | Self::Replaced { .. }
            | Self::HashMismatch
            | Self::TrailingData => Status::Invalid,
            Self::KeyNotFound { .. }
            | Self::NoSignature
            | Self::SignatureUnproven
            | Self::Unreadable { .. }
            | Self::DigestNotValid
            | Self::DigestNotValidEither
            | Self::NotFoundUnproven => Status::Unverifiable,
            Self::Unmentioned
            | Self::NoDigestOfItsTime
            | Self::YoungerThanDigests
            | Self::NoDigests => Status::Undigested,
        }
    }

    /// What is known beyond the reason's words.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::InvalidFormat { detail } => Some(detail),
            _ => None,
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The status of a file that is not valid for `reason`, and valid without one.
pub(super) fn status_of(reason: Option<&Reason>) -> Status {
    reason.map_or(Status::Valid, Reason::status)
}
