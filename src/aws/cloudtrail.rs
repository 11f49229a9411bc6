//! CloudTrail's own API: the keys that digest files are signed with.

use aws_sdk_cloudtrail::{Client, config::Builder};
use aws_smithy_types::DateTime;

use super::{Aws, Failure, micros};

/// The public half of a key that `CloudTrail` signs digest files with.
///
/// Source: `PublicKey` in AWS's `CloudTrail` API reference. Keys belong to a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The key as DER, in PKCS #1 form.
    pub value: Vec<u8>,
    /// The MD5 of `value` in lower-case hexadecimal, as digest files name it.
    pub fingerprint: String,
    /// Since when it is valid, in microseconds since 1970.
    pub valid_from: Option<i64>,
    /// Until when it is valid, in microseconds since 1970.
    pub valid_until: Option<i64>,
}

impl Aws {
    /// The keys that `CloudTrail` signed digest files of `region` with between `since` and `until`,
    /// in microseconds since 1970 (`ListPublicKeys`). All pages of the answer are read.
    ///
    /// # Errors
    /// What the service says, once trying again no longer helps; without the permission
    /// `cloudtrail:ListPublicKeys` [`super::FailureKind::Denied`].
    pub async fn public_keys(
        &self,
        region: &str,
        since: i64,
        until: i64,
    ) -> Result<Vec<PublicKey>, Failure> {
        let client = self.cloudtrail(region).await;
        let mut pages = client
            .list_public_keys()
            .start_time(date_time(since))
            .end_time(date_time(until))
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of(&error))?;
            keys.extend(page.public_key_list.unwrap_or_default().into_iter().map(|key| {
                PublicKey {
                    value: key.value.map(aws_smithy_types::Blob::into_inner).unwrap_or_default(),
                    fingerprint: key.fingerprint.unwrap_or_default().to_ascii_lowercase(),
                    valid_from: key.validity_start_time.and_then(|at| micros(&at)),
                    valid_until: key.validity_end_time.and_then(|at| micros(&at)),
                }
            }));
        }
        Ok(keys)
    }

    /// A client for `CloudTrail` in `region`.
    async fn cloudtrail(&self, region: &str) -> Client {
        let region = aws_config::Region::new(region.to_owned());
        Client::from_conf(Builder::from(self.config().await).region(region).build())
    }
}

/// The whole second of a time in microseconds since 1970: the API takes no more.
fn date_time(micros: i64) -> DateTime {
    DateTime::from_secs(micros.div_euclid(1_000_000))
}
