//! What a failed request means, and what to do about it.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::bridge::Panicked;

/// A request that failed for good: whatever can be tried again was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// The code that AWS gave, such as `AccessDenied`.
    pub code: Option<String>,
    /// What to tell the user: one lower-case line.
    pub text: String,
}

/// What a failed request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// There is no such bucket, key or version.
    NotFound,
    /// A policy denies it.
    Denied,
    /// The key that encrypts the object may not be used.
    KmsDenied,
    /// The object lies in an archive storage class and must be restored first.
    Archived,
    /// The object is another one than was listed.
    Changed,
    /// Credentials are missing, wrong or expired.
    Credentials,
    /// The bucket lies in another region: this one, where AWS says so.
    Region(Option<String>),
    /// It is too much at once.
    Throttled,
    /// No answer came in time; trying again may help.
    TimedOut,
    /// The connection or the service failed; trying again may help.
    Transient,
    /// What came is not what should have come.
    Fault,
    /// Anything else.
    Other,
}

impl From<Panicked> for Failure {
    fn from(panicked: Panicked) -> Self {
        Self::other(panicked.to_string())
    }
}

impl Failure {
    /// A failure that no code of AWS's stands behind.
    pub fn other(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Other, code: None, text: text.into() }
    }

    /// One that trying again may mend.
    pub fn transient(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Transient, code: None, text: text.into() }
    }

    /// Nothing came for too long.
    pub fn timed_out() -> Self {
        let text = "no answer came in time".to_owned();
        Self { kind: FailureKind::TimedOut, code: None, text }
    }

    /// The object is another one than was asked for.
    pub fn changed() -> Self {
        let text = "it was overwritten while it was read".to_owned();
        Self { kind: FailureKind::Changed, code: None, text }
    }

    /// Bytes that are not what they should be.
    pub fn fault(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Fault, code: None, text: text.into() }
    }

    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, FailureKind::Throttled | FailureKind::TimedOut | FailureKind::Transient)
    }

    /// What an error in the middle of a body means.
    pub(super) fn of_body(error: &(dyn StdError + 'static)) -> Self {
        Self::transient(format!("the connection broke: {}", root_cause(error)))
    }

    /// What `error` means.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let Some(response) = error.raw_response() else { return Self::without_answer(error) };
        let (status, headers) = (response.status().as_u16(), response.headers());
        let code = error.code().map(str::to_owned);
        let message = error.message().unwrap_or_default();
        let kind = match code.as_deref() {
            Some(code) => of_code(code, message).unwrap_or_else(|| of_status(status)),
            None => of_status(status),
        };
        let kind = match kind {
            FailureKind::Region(_) => {
                FailureKind::Region(headers.get("x-amz-bucket-region").map(str::to_owned))
            }
            other => other,
        };
        let text = match (&code, message) {
            (Some(code), "") => code.clone(),
            (Some(code), message) => format!("{code}: {message}"),
            (None, _) => format!("the service answered with status {status}"),
        };
        Self { kind, code, text }
    }

    /// What an error means that came before any answer.
    fn without_answer<E: StdError + 'static>(error: &SdkError<E, HttpResponse>) -> Self {
        if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref()) {
            return Self::of_credentials(error);
        }
        let (kind, text) = match error {
            SdkError::TimeoutError(_) => return Self::timed_out(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => return Self::timed_out(),
            SdkError::DispatchFailure(failure) if failure.is_user() => {
                (FailureKind::Other, root_cause(error))
            }
            // What rustls says is known by its words alone: its type is not ours to name.
            SdkError::DispatchFailure(_) if root_cause(error).starts_with(UNTRUSTED) => {
                (FailureKind::Other, root_cause(error))
            }
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
                (FailureKind::Transient, format!("the connection failed: {}", root_cause(error)))
            }
            _ => (FailureKind::Other, root_cause(error)),
        };
        Self { kind, code: None, text }
    }

    /// Whether the server's certificate is not trusted.
    pub fn is_untrusted(&self) -> bool {
        self.text.starts_with(UNTRUSTED)
    }

    fn of_credentials(error: &CredentialsError) -> Self {
        let text = match error {
            CredentialsError::CredentialsNotLoaded(_) => "no AWS credentials were found".to_owned(),
            CredentialsError::ProviderTimedOut(_) => {
                "the AWS credentials did not come in time".to_owned()
            }
            _ => format!("the AWS credentials cannot be used: {}", root_cause(error)),
        };
        Self { kind: FailureKind::Credentials, code: None, text }
    }
}

/// What is said of a certificate that no authority known here signed.
const UNTRUSTED: &str = "invalid peer certificate";

/// What an error code means. Source: "Error responses" in the Amazon S3 API Reference, and
/// "Common errors" in those of STS and CloudTrail.
fn of_code(code: &str, message: &str) -> Option<FailureKind> {
    let kind = match code {
        "NoSuchKey" | "NoSuchVersion" | "NoSuchBucket" | "NotFound" => FailureKind::NotFound,
        "InvalidObjectState" => FailureKind::Archived,
        "PreconditionFailed" => FailureKind::Changed,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "InvalidToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException"
        | "RequestExpired"
        | "RequestTimeTooSkewed" => FailureKind::Credentials,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "Redirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => FailureKind::Region(None),
        // S3 denies with `AccessDenied`, and its message names the action.
        _ if code.starts_with("KMS") || is_about_kms(message) => FailureKind::KmsDenied,
        "SlowDown"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded" => FailureKind::Throttled,
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "AccountProblem" => {
            FailureKind::Denied
        }
        "RequestTimeout" | "RequestTimeoutException" | "InternalError" | "InternalFailure" => {
            FailureKind::Transient
        }
        _ => return None,
    };
    Some(kind)
}

/// Whether a message tells of the key that encrypts an object.
fn is_about_kms(message: &str) -> bool {
    message.contains("kms:") || message.contains("ciphertext refers to a customer master key")
}

fn of_status(status: u16) -> FailureKind {
    match status {
        301 | 302 | 307 | 308 => FailureKind::Region(None),
        401 | 403 => FailureKind::Denied,
        404 => FailureKind::NotFound,
        412 => FailureKind::Changed,
        429 | 503 => FailureKind::Throttled,
        408 | 500..=599 => FailureKind::Transient,
        _ => FailureKind::Other,
    }
}

/// `error` and what stands behind it.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What stands behind all of `error`, in the words of who met it, without the number of an error
/// of the operating system.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let root = causes(error).last().map(ToString::to_string).unwrap_or_default();
    match root.rsplit_once(" (os error ") {
        Some((plain, _number)) => plain.to_owned(),
        None => root,
    }
}
