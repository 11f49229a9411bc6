//! What a failed request to the cache's bucket means, without the transport's noise.

use std::error::Error;

use crate::{
    aws::{AwsOptions, Failure, FailureKind},
    error::{BoxError, ErrorKind},
};

/// What the service said, found in the text of the errors that carry it.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    code: String,
    message: String,
}

impl Said {
    /// What the service said, if `error` or a cause of it carries its XML.
    fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        chain(error).find_map(|cause| {
            let text = cause.to_string();
            let code = between(&text, "<Code>", "</Code>")?.to_owned();
            let message = between(&text, "<Message>", "</Message>").unwrap_or_default();
            Some(Self { code, message: message.trim_end_matches('.').to_owned() })
        })
    }

    fn text(&self) -> String {
        match self.message.as_str() {
            "" => self.code.clone(),
            message => format!("{}: {message}", self.code),
        }
    }
}

/// What to do about an answer with `code`.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "NoSuchBucket" => "create the bucket, or name another place with --cache",
        "AccessDenied" | "AllAccessDisabled" => {
            "a cache is written to: the policy needs s3:ListBucket on the bucket, and \
                 s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the \
                 objects there"
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "get new credentials (`aws sso login`), then run it again; it goes on where it \
                 stopped"
        }
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" => {
            "look at the credentials; --profile chooses others"
        }
        "RequestTimeTooSkewed" => "set this machine's clock",
        "NotImplemented" => {
            "a cache needs a service with conditional writes (If-None-Match and If-Match)"
        }
        "SlowDown" | "InternalError" | "ServiceUnavailable" | "RequestTimeout" => {
            "run it again; it goes on where it stopped"
        }
        _ => return None,
    })
}

/// What the object store says of a redirect, which is all it tells of a bucket in another region.
const ELSEWHERE: &str = "incorrectly configured region";

/// `error` and its causes.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}

/// The error to tell for `source`, met when doing `action` with the cache `name`.
pub(super) fn told(
    action: &'static str,
    name: &std::path::Path,
    source: BoxError,
    options: &AwsOptions,
) -> ErrorKind {
    let (reason, help) = if let Some(said) = Said::of(&*source) {
        (said.text(), advice(&said.code).map(str::to_owned))
    } else if let Some(failure) = chain(&*source).find_map(|e| e.downcast_ref::<Failure>()) {
        let ours = failure.code.as_deref().and_then(advice).map(str::to_owned);
        (failure.text.clone(), ours.or_else(|| failure.advice(options)))
    } else if chain(&*source).any(|cause| cause.to_string().contains(ELSEWHERE)) {
        let (text, kind) =
            ("the bucket lies in another region".to_owned(), FailureKind::Region(None));
        (text.clone(), Failure { kind, code: None, text }.advice(options))
    } else if let Some(lost) = unanswered(&*source) {
        let failure = Failure { kind: FailureKind::Transient, code: None, text: lost };
        (failure.text.clone(), failure.advice(options))
    } else {
        return ErrorKind::Cache { action, path: name.to_owned(), source };
    };
    let action = match action {
        "create" => "create the cache at",
        "open" => "open the cache at",
        "read" => "read the cache at",
        "commit to" => "commit to the cache at",
        "sweep" => "sweep the cache at",
        _ => "use the cache at",
    };
    ErrorKind::S3 { action, uri: name.display().to_string(), reason, help }
}

/// Why a request got no answer, where that is what failed: the innermost cause.
fn unanswered(error: &(dyn Error + 'static)) -> Option<String> {
    let is_request = |cause: &(dyn Error + 'static)| {
        let text = cause.to_string();
        text.contains("Error performing ") || text.contains("response body")
    };
    chain(error).any(is_request).then(|| chain(error).last().map(ToString::to_string)).flatten()
}

/// Whether only the key is missing that was asked for, and not the bucket.
pub(super) fn is_missing_key(error: &(dyn Error + 'static)) -> bool {
    Said::of(error).is_none_or(|said| said.code != "NoSuchBucket")
}

/// Whether trying again is of no use.
pub(super) fn is_final(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref::<object_store::Error>();
    let is_denied = matches!(
        kind,
        Some(
            object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
        )
    );
    is_denied || Said::of(error).is_some_and(|said| said.code == "NoSuchBucket")
}
