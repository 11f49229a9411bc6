//! What a failed request means, and what to do about it.

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

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
    /// The connection or the service failed; trying again may help.
    Transient,
    /// Anything else.
    Other,
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

    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, FailureKind::Throttled | FailureKind::Transient)
    }

    /// What `error` means.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let header = |name: &str| {
            let response = error.raw_response()?;
            response.headers().get(name).map(str::to_owned)
        };
        let message = error.message().unwrap_or_default();
        let kind = match (code.as_deref(), status) {
            (Some("NoSuchKey" | "NoSuchVersion" | "NoSuchBucket" | "NotFound"), _) => {
                FailureKind::NotFound
            }
            (Some("InvalidObjectState"), _) => FailureKind::Archived,
            (Some("PreconditionFailed"), _) | (None, Some(412)) => FailureKind::Changed,
            (
                Some(
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
                    | "RequestTimeTooSkewed",
                ),
                _,
            ) => FailureKind::Credentials,
            (Some("PermanentRedirect" | "AuthorizationHeaderMalformed"), _)
            | (_, Some(301 | 307)) => FailureKind::Region(header("x-amz-bucket-region")),
            (Some(code), _) if code.starts_with("KMS") || message.contains("kms:Decrypt") => {
                FailureKind::KmsDenied
            }
            (
                Some("SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded"),
                _,
            )
            | (_, Some(429 | 503)) => FailureKind::Throttled,
            (Some("AccessDenied" | "AccessDeniedException" | "AllAccessDisabled"), _)
            | (_, Some(403)) => FailureKind::Denied,
            (_, Some(404)) => FailureKind::NotFound,
            (Some("RequestTimeout" | "InternalError"), _) | (_, Some(500..=599)) => {
                FailureKind::Transient
            }
            _ => Self::without_code(error),
        };
        let text = match (&code, message) {
            (Some(code), "") => code.clone(),
            (Some(code), message) => format!("{code}: {message}"),
            (None, _) => match status {
                Some(status) => format!("the service answered with status {status}"),
                None => DisplayErrorContext(error).to_string(),
            },
        };
        Self { kind, code, text }
    }

    fn without_code<E: std::error::Error + 'static>(
        error: &SdkError<E, HttpResponse>,
    ) -> FailureKind {
        match error {
            SdkError::ConstructionFailure(_) => FailureKind::Credentials,
            SdkError::DispatchFailure(failure) if failure.is_user() => FailureKind::Other,
            SdkError::DispatchFailure(_)
            | SdkError::TimeoutError(_)
            | SdkError::ResponseError(_) => FailureKind::Transient,
            _ => FailureKind::Other,
        }
    }
}
