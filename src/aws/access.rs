//! What another client of S3 needs to reach the same buckets with the same credentials: the
//! cache's tables are read and written through the object store of their own library.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_s3::{operation::get_object::GetObjectError, presigning::PresigningConfig};

use super::{Aws, Failure, FailureKind};

/// Credentials as the chain has them now.
#[derive(Clone)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// The session's token, where they are temporary.
    pub session_token: Option<String>,
    /// When they end, where they do.
    pub expires_at: Option<SystemTime>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// How a bucket is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    /// The address of the bucket itself: a key behind a slash makes it an object's.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
}

/// The key of the object whose address tells the bucket's.
const PROBE: &str = "trailhound.json";

impl Aws {
    /// Credentials, from the chain that all requests use. They are not kept here.
    ///
    /// # Errors
    /// [`FailureKind::Credentials`]: there are none, or they cannot be had.
    pub async fn credentials(&self) -> Result<Credentials, Failure> {
        let failed = |text: String| Failure { kind: FailureKind::Credentials, code: None, text };
        let config = self.config().await;
        let Some(provider) = config.credentials_provider() else {
            return Err(failed("there are no credentials".to_owned()));
        };
        let found = provider
            .provide_credentials()
            .await
            .map_err(|error| failed(aws_sdk_s3::error::DisplayErrorContext(error).to_string()))?;
        Ok(Credentials {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: found.secret_access_key().to_owned(),
            session_token: found.session_token().map(str::to_owned),
            expires_at: found.expiry(),
        })
    }

    /// Where the bucket `name` (or the access point of that ARN) is reached: what the SDK makes of
    /// regions, partitions, endpoints and path style.
    ///
    /// # Errors
    /// There are no credentials, or no such address.
    pub async fn bucket_address(&self, name: &str) -> Result<BucketAddress, Failure> {
        let bucket = self.bucket(name).await?;
        let client = bucket.client();
        let for_a_minute = PresigningConfig::expires_in(Duration::from_mins(1))
            .map_err(|error| Failure::other(error.to_string()))?;
        let request = client.get_object().bucket(name).key(PROBE).presigned(for_a_minute).await;
        let request = request.map_err(|error| Failure::of::<GetObjectError>(&error))?;
        let (address, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        let url = address
            .strip_suffix(PROBE)
            .and_then(|url| url.strip_suffix('/'))
            .ok_or_else(|| Failure::other(format!("the address `{address}` is not understood")))?;
        let region = signing_region(query)
            .or_else(|| Some(client.config().region()?.to_string()))
            .unwrap_or_default();
        Ok(BucketAddress { url: url.to_owned(), region })
    }
}

/// The region in the scope of a signature: `…/20240131/eu-west-1/s3/aws4_request`.
fn signing_region(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, scope) = pairs.find(|(name, _)| name == "X-Amz-Credential")?;
    scope.rsplit('/').nth(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_stands_in_the_scope_of_the_signature() {
        let query =
            "x-id=GetObject&X-Amz-Credential=AKIA%2F20240131%2Fcn-north-1%2Fs3%2Faws4_request";
        assert_eq!(signing_region(query).as_deref(), Some("cn-north-1"));
        assert_eq!(signing_region("x-id=GetObject"), None);
    }
}
