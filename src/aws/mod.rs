//! How AWS is reached: credentials, regions, clients, and what its failures mean.
//!
//! The only module that names the AWS SDK. What it hands out is plain: pages of keys, bytes,
//! [`Failure`]s that say what to do. It is asked from ordinary threads ([`Aws::wait`]) and from
//! tasks on its own runtime ([`Aws::spawn`]).

mod access;
mod advice;
pub mod cloudtrail;
mod failure;
pub mod s3;

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::DateTime;
use tokio::{sync::OnceCell, task::JoinHandle};

pub use self::{
    access::{BucketAddress, Credentials},
    failure::{Failure, FailureKind},
};
use crate::bridge::Bridge;

/// How to reach AWS, as the user told. What is not told comes from the environment and the
/// user's AWS configuration files, as with AWS's own tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsOptions {
    /// The region to ask, where the bucket does not say its own.
    pub region: Option<String>,
    /// A profile of the user's AWS configuration.
    pub profile: Option<String>,
    /// Another service that speaks S3. It serves buckets only: roles are assumed and CloudTrail is
    /// asked at AWS, or where `AWS_ENDPOINT_URL_STS` and `AWS_ENDPOINT_URL_CLOUDTRAIL` say.
    pub endpoint_url: Option<String>,
    /// Whether a bucket's name stands in the path rather than in the host's name.
    pub path_style: bool,
    /// Whether the requester pays.
    pub requester_pays: bool,
    /// Whether requests are not signed.
    pub anonymous: bool,
    /// A role to assume with what the chain gives.
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// How often a second each region's event history is asked; see
    /// [`cloudtrail::LOOKUPS_PER_SECOND`].
    pub lookups_per_second: Option<u16>,
}

impl AwsOptions {
    /// Whether credentials were told, or lie where AWS's tools look on this machine. No request is
    /// made, so those of an EC2 instance are not seen unless an option is told.
    pub fn has_credentials(&self) -> bool {
        const VARIABLES: [&str; 5] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_PROFILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        const FILES: [(&str, &str); 2] = [
            ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            ("AWS_CONFIG_FILE", ".aws/config"),
        ];
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_there = |(name, in_home): &(&str, &str)| match std::env::var_os(name) {
            Some(path) => Path::new(&path).is_file(),
            None => std::env::home_dir().is_some_and(|home| home.join(in_home).is_file()),
        };
        *self != Self::default() || VARIABLES.iter().any(is_set) || FILES.iter().any(is_there)
    }
}

/// The region asked first where nothing names one.
const DEFAULT_REGION: &str = "us-east-1";

/// A connection to AWS: one chain of credentials, one pool of connections, one runtime.
pub struct Aws {
    options: AwsOptions,
    bridge: Bridge,
    config: OnceCell<SdkConfig>,
    paces: cloudtrail::Paces,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Aws {
    /// A connection that is made when it is first asked for something.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn new(options: AwsOptions) -> std::io::Result<Arc<Self>> {
        let bridge = Bridge::new("trailhound-aws", "the AWS SDK")?;
        Ok(Arc::new(Self {
            options,
            bridge,
            config: OnceCell::new(),
            paces: cloudtrail::Paces::default(),
        }))
    }

    /// What the user told.
    pub fn options(&self) -> &AwsOptions {
        &self.options
    }

    /// Starts `future` on the connection's threads.
    pub fn spawn<F>(&self, future: F) -> Option<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.bridge.spawn(future)
    }

    /// Runs `future` on the connection's threads and waits for it on this one, which may itself
    /// drive another runtime.
    ///
    /// # Errors
    /// What `future` gives; [`FailureKind::Other`] where it panicked.
    pub fn wait<T, F>(&self, future: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        self.bridge.wait(future)
    }

    /// Credentials, region and the rest, as the chain has them.
    pub(crate) async fn config(&self) -> &SdkConfig {
        self.config.get_or_init(|| self.load()).await
    }

    async fn load(&self) -> SdkConfig {
        let options = &self.options;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(10))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(10))
                    .read_timeout(Duration::from_mins(1))
                    .build(),
            );
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if options.anonymous {
            loader = loader.no_credentials();
        }
        let config = loader.load().await;
        let config = match config.region() {
            Some(_) => config,
            None => config.into_builder().region(Region::new(DEFAULT_REGION)).build(),
        };
        match &options.role_arn {
            Some(role) if !options.anonymous => self.assume(role, config).await,
            _ => config,
        }
    }

    /// `config` with the credentials of a role.
    async fn assume(&self, role: &str, config: SdkConfig) -> SdkConfig {
        let mut provider = aws_config::sts::AssumeRoleProvider::builder(role)
            .session_name("trailhound")
            .configure(&config);
        if let Some(external_id) = &self.options.external_id {
            provider = provider.external_id(external_id);
        }
        let provider = provider.build().await;
        config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
    }
}

/// Microseconds since 1970; `None` beyond what those can tell.
fn micros(at: &DateTime) -> Option<i64> {
    i64::try_from(at.as_nanos().div_euclid(1000)).ok()
}
