//! Who may do what: signatures, regions, who pays, and that nobody writes to evidence.

use std::sync::Arc;

use hyper::{HeaderMap, StatusCode, header::HeaderValue};
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    path::S3Path,
    s3_error,
};

use super::{
    Shared,
    store::{Bucket, Policy},
};

/// The only credentials there are; AWS's own examples.
pub(crate) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// The secret of [`ACCESS_KEY`].
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Knows one pair of keys; s3s compares the signatures.
pub(super) struct Keys;

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == ACCESS_KEY {
            Ok(SECRET_KEY.into())
        } else {
            Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist"))
        }
    }
}

/// The buckets' policies.
pub(super) struct Policies(pub(super) Arc<Shared>);

#[async_trait::async_trait]
impl S3Access for Policies {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let (S3Path::Bucket { bucket: name } | S3Path::Object { bucket: name, .. }) = cx.s3_path()
        else {
            return Err(denied());
        };
        let buckets = self.0.buckets();
        let bucket = buckets.get(&**name).ok_or(S3ErrorCode::NoSuchBucket)?;
        if let Some(region) = signed_region(cx.headers())
            && region != bucket.region
        {
            return Err(elsewhere(bucket));
        }
        let operation = cx.s3_op().name();
        let reads = ["Get", "Head", "List"].iter().any(|verb| operation.starts_with(verb));
        let pays = cx.headers().get("x-amz-request-payer").is_some_and(|it| it == "requester");
        let may = match (bucket.policy, cx.credentials()) {
            (Policy::Public, _) | (Policy::Evidence, Some(_)) => reads,
            (Policy::RequesterPays, Some(_)) => reads && pays,
            (Policy::Writable, Some(_)) => true,
            (_, None) => false,
        };
        if may { Ok(()) } else { Err(denied()) }
    }
}

fn denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

/// The region a request was signed for, `Credential=KEY/DATE/REGION/s3/aws4_request`.
fn signed_region(headers: &HeaderMap) -> Option<&str> {
    let signed = headers.get("authorization")?.to_str().ok()?;
    signed.split_once("Credential=")?.1.split('/').nth(2)
}

/// S3's answer where the bucket lies in another region: also for `HeadBucket`, whatever else it
/// denies (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>).
fn elsewhere(bucket: &Bucket) -> S3Error {
    let message = "The bucket you are attempting to access must be addressed using the specified \
                   endpoint";
    let mut error = S3Error::with_message(S3ErrorCode::PermanentRedirect, message);
    error.set_status_code(StatusCode::MOVED_PERMANENTLY);
    let mut headers = HeaderMap::new();
    if let Ok(region) = HeaderValue::from_str(&bucket.region) {
        headers.insert("x-amz-bucket-region", region);
    }
    error.set_headers(headers);
    error
}
