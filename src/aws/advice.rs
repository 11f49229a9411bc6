//! What to do about a failure, in a line.

use super::{AwsOptions, Failure, FailureKind};

impl Failure {
    /// What the user can do about it, given what was told.
    pub fn advice(&self, options: &AwsOptions) -> Option<String> {
        let advice = match &self.kind {
            _ if self.is_untrusted() => {
                "a proxy that inspects TLS has an authority of its own: name its certificate (PEM) \
                 with SSL_CERT_FILE; AWS_CA_BUNDLE is not read"
            }
            FailureKind::NotFound if self.code.as_deref() == Some("NoSuchBucket") => {
                "look at its spelling; the region of --profile or --aws-region decides the AWS \
                 partition that is asked (China, GovCloud)"
            }
            FailureKind::NotFound => {
                "it is gone: list again; with --versions what was deleted is read where the bucket \
                 keeps versions"
            }
            FailureKind::Denied if options.anonymous => {
                "it is not open to everyone: leave --no-sign-request out"
            }
            FailureKind::Denied if !options.requester_pays => {
                "the policy needs s3:ListBucket on the bucket and s3:GetObject on its objects; \
                 where the requester pays, give --requester-pays"
            }
            FailureKind::Denied => {
                "the policy needs s3:ListBucket on the bucket and s3:GetObject on its objects"
            }
            FailureKind::KmsDenied => {
                "the policy needs kms:Decrypt on the key that encrypts the objects"
            }
            FailureKind::Archived => {
                "restore it first (`aws s3api restore-object`), then ingest again"
            }
            FailureKind::Credentials if self.code.is_none() && options.profile.is_some() => {
                let profile = options.profile.as_deref().unwrap_or_default();
                return Some(format!(
                    "`aws configure list --profile {profile}` shows what the profile has, and \
                     `aws sso login --profile {profile}` renews it"
                ));
            }
            FailureKind::Credentials => match self.code.as_deref() {
                Some("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired") => {
                    "the credentials have expired: get new ones (`aws sso login`), then run it \
                     again; it goes on where it stopped"
                }
                Some("RequestTimeTooSkewed") => "set this machine's clock",
                Some(_) => "look at the credentials; --profile chooses others",
                None => {
                    "give credentials: --profile NAME, AWS_ACCESS_KEY_ID and \
                     AWS_SECRET_ACCESS_KEY, or `aws sso login`; --no-sign-request reads what is \
                     open to everyone"
                }
            },
            FailureKind::Region(Some(region)) => {
                return Some(format!("give --aws-region {region}"));
            }
            FailureKind::Region(None) => "give the bucket's region with --aws-region",
            FailureKind::Throttled => {
                "wait a while, then run it again: it goes on where it stopped"
            }
            FailureKind::Transient | FailureKind::TimedOut if options.endpoint_url.is_some() => {
                "look at --endpoint-url and the network, then run it again"
            }
            FailureKind::Transient | FailureKind::TimedOut => {
                "look at the network, then run it again"
            }
            FailureKind::Changed | FailureKind::Fault | FailureKind::Other => return None,
        };
        Some(advice.to_owned())
    }
}
