//! The object store of a bucket, with the SDK's credentials and address.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use object_store::{
    BackoffConfig, ClientOptions, CredentialProvider, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AwsCredential, S3ConditionalPut},
    client::SpawnedReqwestConnector,
};
use tokio::{runtime::Handle, sync::Mutex};

use super::super::place::S3Place;
use crate::{
    aws::{Aws, Credentials, Failure},
    error::BoxError,
};

/// New credentials are asked for when the old ones end within this time: a request with its
/// retries is signed once.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// How long credentials that do not end are used before the chain is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_mins(15);

/// How long a request may take, its body included. Bodies are of some megabytes at most.
const TIMEOUT: Duration = Duration::from_mins(3);

/// The object store whose root is the bucket of `place`; its requests run on `runtime`.
pub(super) fn connect(place: &S3Place, runtime: &Handle) -> Result<AmazonS3, BoxError> {
    let (aws, bucket) = (Arc::clone(&place.aws), place.bucket.clone());
    let address = place.aws.wait(async move { aws.bucket_address(&bucket).await })?;
    let options = place.aws.options();
    let http = ClientOptions::new()
        .with_allow_http(address.url.starts_with("http://"))
        .with_connect_timeout(Duration::from_secs(10))
        .with_timeout(TIMEOUT);
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(15),
            base: 2.0,
        },
        max_retries: 10,
        retry_timeout: TIMEOUT,
    };
    let credentials = Chain { aws: Arc::clone(&place.aws), kept: Mutex::default() };
    let store = AmazonS3Builder::new()
        .with_bucket_name(&place.bucket)
        .with_region(address.region)
        // The address is the bucket's own, whichever style it has.
        .with_endpoint(address.url)
        .with_virtual_hosted_style_request(true)
        .with_credentials(Arc::new(credentials))
        .with_skip_signature(options.anonymous)
        .with_request_payer(options.requester_pays)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_client_options(http)
        .with_retry(retry)
        .with_http_connector(SpawnedReqwestConnector::new(runtime.clone()))
        .build()?;
    Ok(store)
}

/// The SDK's chain of credentials, as the object store asks for it.
#[derive(Debug)]
struct Chain {
    aws: Arc<Aws>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    credential: Arc<AwsCredential>,
    until: SystemTime,
}

impl Chain {
    async fn ask(&self) -> Result<Credentials, Failure> {
        let aws = Arc::clone(&self.aws);
        // On the connection's own threads, where the chain's clients live.
        let asked = self.aws.spawn(async move { aws.credentials().await });
        let Some(asked) = asked else {
            return Err(Failure::other("the connection to AWS is closed"));
        };
        asked.await.unwrap_or_else(|error| Err(Failure::other(error.to_string())))
    }
}

#[async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut kept = self.kept.lock().await;
        let now = SystemTime::now();
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.until) {
            return Ok(Arc::clone(&kept.credential));
        }
        let found = self.ask().await.map_err(|failure| {
            let (path, source) = (String::new(), failure.into());
            object_store::Error::Unauthenticated { path, source }
        })?;
        let left = found.expires_at.map(|end| end.duration_since(now).unwrap_or_default());
        let until = match left {
            // Of the last minutes half at a time, lest each request ask the chain.
            Some(left) => now + left.saturating_sub(RENEW_BEFORE).max(left / 2),
            None => now + ASK_AGAIN_AFTER,
        };
        let credential = Arc::new(AwsCredential {
            key_id: found.access_key_id,
            secret_key: found.secret_access_key,
            token: found.session_token,
        });
        *kept = Some(Kept { credential: Arc::clone(&credential), until });
        Ok(credential)
    }
}
