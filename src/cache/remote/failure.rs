//! What a failed request to the cache's bucket means, without the transport's noise.

use std::{error::Error, path::Path};

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
    name: &Path,
    source: BoxError,
    options: &AwsOptions,
) -> ErrorKind {
    let Some((reason, help)) = meaning(&*source, options) else {
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

/// What failed and what to do about it, if that was a request.
pub(super) fn meaning(
    error: &(dyn Error + 'static),
    options: &AwsOptions,
) -> Option<(String, Option<String>)> {
    let of = |failure: &Failure| (failure.text.clone(), failure.advice(options));
    if let Some(said) = Said::of(error) {
        return Some((said.text(), advice(&said.code).map(str::to_owned)));
    }
    if let Some(failure) = chain(error).find_map(|cause| cause.downcast_ref::<Failure>()) {
        let ours = failure.code.as_deref().and_then(advice).map(str::to_owned);
        let (text, theirs) = of(failure);
        return Some((text, ours.or(theirs)));
    }
    if chain(error).any(|cause| cause.to_string().contains(ELSEWHERE)) {
        let text = "the bucket lies in another region".to_owned();
        return Some(of(&Failure { kind: FailureKind::Region(None), code: None, text }));
    }
    unanswered(error).map(|text| of(&Failure { kind: FailureKind::Transient, code: None, text }))
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
