//! What is said of an object that cannot be had: what happened, and what to do.

use std::{fmt, io, sync::Arc};

use super::transfer::{Loss, Wanted};
use crate::aws::{Aws, AwsOptions, FailureKind};

/// Why a file of a store cannot be read; travels inside [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    /// For people: what happened; for one file alone also what to do about it.
    pub(crate) reason: String,
    /// Whether nothing more can be read: not this file, but the work ends here.
    pub(crate) ends_all: bool,
    /// What to do then.
    pub(crate) help: Option<String>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Lost {}

impl Lost {
    /// What `error` carries; otherwise something else failed.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

/// An object, for what is said of it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) wanted: Option<Wanted>,
    pub(super) aws: Arc<Aws>,
}

impl Named {
    /// That the object cannot be had.
    pub(super) fn error(&self, loss: &Loss) -> io::Error {
        let (failure, options) = (&loss.failure, self.aws.options());
        let lost = if loss.is_of_all {
            Lost { reason: told(loss), ends_all: true, help: failure.advice(options) }
        } else {
            let reason = match &self.wanted {
                Some(wanted) => reason(wanted, loss, options),
                None => told(loss),
            };
            Lost { reason, ends_all: false, help: None }
        };
        io::Error::other(lost)
    }
}

/// What happened, and for how long.
fn told(loss: &Loss) -> String {
    let text = &loss.failure.text;
    match loss.tried_for.map(|tried_for| tried_for.as_secs()) {
        Some(seconds) if seconds >= 120 => format!("{text}, for {} minutes", seconds / 60),
        Some(seconds) => format!("{text}, for {seconds} seconds"),
        None => text.clone(),
    }
}

/// What happened to one object, and what to do about it.
fn reason(wanted: &Wanted, loss: &Loss, options: &AwsOptions) -> String {
    let Wanted { bucket, key, version, .. } = wanted;
    let (failure, bucket) = (&loss.failure, bucket.name());
    let text = told(loss);
    match failure.kind {
        FailureKind::Archived => {
            let version = version.as_deref().map(|id| format!(" --version-id {}", quoted(id)));
            format!(
                "it lies in an archive storage class: restore it with `aws s3api restore-object \
                 --bucket {} --key {}{} --restore-request Days=7`, and ingest again once that is \
                 done ({text})",
                quoted(bucket),
                quoted(key),
                version.unwrap_or_default()
            )
        }
        FailureKind::KmsDenied => match kms_key(&failure.text) {
            Some(arn) => format!("its key denies it: kms:Decrypt on {arn} is needed ({text})"),
            None => format!(
                "its key denies it: kms:Decrypt is needed on the key that `aws s3api head-object` \
                 names ({text})"
            ),
        },
        FailureKind::Denied => {
            let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
            let payer = if options.requester_pays || options.anonymous {
                ""
            } else {
                "; where the requester pays, give --requester-pays"
            };
            format!("a policy denies it: {action} is needed{payer} ({text})")
        }
        FailureKind::NotFound => {
            format!(
                "it was deleted after it was listed: --versions reads what is deleted, where the bucket keeps versions ({text})"
            )
        }
        FailureKind::Changed => format!("it was overwritten whenever it was read ({text})"),
        FailureKind::Fault => format!(
            "it came damaged, time after time: {text}; `aws s3api get-object` shows whether it \
             lies so in the bucket"
        ),
        FailureKind::Throttled | FailureKind::TimedOut | FailureKind::Transient => {
            format!("{text}; the next ingest tries it again")
        }
        FailureKind::Credentials | FailureKind::Region(_) | FailureKind::Other => {
            match failure.advice(options) {
                Some(advice) => format!("{text}: {advice}"),
                None => text,
            }
        }
    }
}

/// The ARN of a key of KMS that a message names.
fn kms_key(text: &str) -> Option<&str> {
    let is_of_kms = |word: &&str| word.starts_with("arn:") && word.contains(":kms:");
    let words = text.split_whitespace().map(|word| word.trim_end_matches(['.', ',', ')', '"']));
    words.filter(|word| word.contains(":key/") || word.contains(":alias/")).find(is_of_kms)
}

/// `text` as one word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=+,@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_kms_is_found_in_what_s3_says() {
        let text = "AccessDenied: User: arn:aws:iam::111122223333:user/ir is not authorized to \
                    perform: kms:Decrypt on resource: \
                    arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab \
                    because no identity-based policy allows the kms:Decrypt action";
        assert_eq!(
            kms_key(text),
            Some("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
        );
        assert_eq!(kms_key("AccessDenied: Access Denied"), None);
    }

    #[test]
    fn a_command_can_be_pasted_whatever_the_key() {
        assert_eq!(quoted("AWSLogs/1/a.json.gz"), "AWSLogs/1/a.json.gz");
        assert_eq!(quoted("it's; rm -rf"), r"'it'\''s; rm -rf'");
    }
}
