//! `CloudTrail`'s own API: the keys that digest files are signed with, and the event history.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_cloudtrail::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents,
        interceptors::AfterDeserializationInterceptorContextRef, retry::RetryConfig,
    },
};
use aws_smithy_types::{Blob, DateTime};
use serde::Deserialize;
use serde_json::value::RawValue;

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

/// Lookups a second that AWS grants an account in a region, whoever asks.
///
/// Source: `LookupEvents` in AWS's `CloudTrail` API reference.
pub const LOOKUPS_PER_SECOND: u16 = 2;

/// How often the SDK tries a request, some ten seconds in all: who reads a history tries longer,
/// who only asks which regions answer should not wait for minutes.
const MAX_ATTEMPTS: u32 = 5;

/// Events on a page, at most.
const PAGE_EVENTS: i32 = 50;

/// The event history of the credentials' account in one region.
#[derive(Debug, Clone)]
pub struct EventHistory {
    client: Client,
    pace: Arc<Pace>,
}

/// A page of an event history, the latest event first.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// The events.
    pub events: Vec<HistoryEvent>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// One event of an event history.
#[derive(Debug, Clone)]
pub struct HistoryEvent {
    /// Its time, in microseconds since 1970; whole seconds.
    pub at: Option<i64>,
    /// The event as it was sent, with its `CloudTrailEvent`: one object of JSON.
    pub json: Box<RawValue>,
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
            let page = page.public_key_list.unwrap_or_default().into_iter();
            keys.extend(page.map(|key| PublicKey {
                value: key.value.map(Blob::into_inner).unwrap_or_default(),
                fingerprint: key.fingerprint.unwrap_or_default().to_ascii_lowercase(),
                valid_from: key.validity_start_time.and_then(|at| micros(&at)),
                valid_until: key.validity_end_time.and_then(|at| micros(&at)),
            }));
        }
        Ok(keys)
    }

    /// The event history in `region`. All that ask one region take turns: see
    /// [`LOOKUPS_PER_SECOND`].
    pub async fn event_history(&self, region: &str) -> EventHistory {
        let client = self.cloudtrail(region).await;
        let rate = self.options().lookups_per_second.unwrap_or(LOOKUPS_PER_SECOND).max(1);
        EventHistory {
            client,
            pace: self.paces.of(region, Duration::from_secs(1) / u32::from(rate)),
        }
    }

    /// The account that the credentials themselves name, as those of SSO and of roles do.
    pub async fn own_account(&self) -> Option<String> {
        use aws_credential_types::provider::ProvideCredentials as _;
        let provider = self.config().await.credentials_provider()?;
        let credentials = provider.provide_credentials().await.ok()?;
        credentials.account_id().map(|account| account.as_str().to_owned())
    }

    /// The region that is asked where nothing names one.
    pub async fn home_region(&self) -> String {
        let region = self.config().await.region();
        region.map_or(super::DEFAULT_REGION, AsRef::as_ref).to_owned()
    }

    /// A client for `CloudTrail` in `region`.
    async fn cloudtrail(&self, region: &str) -> Client {
        let region = aws_config::Region::new(region.to_owned());
        let retries = RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS);
        let config = Builder::from(self.config().await).region(region).retry_config(retries);
        Client::from_conf(config.build())
    }
}

impl EventHistory {
    /// A page of the management events from `since` to `until`, both included, in microseconds
    /// since 1970, of which whole seconds count (`LookupEvents`).
    ///
    /// # Errors
    /// What the service says, once trying again no longer helps. The code of a token that is no
    /// longer known is `InvalidNextTokenException`.
    pub async fn page(
        &self,
        since: i64,
        until: i64,
        next: Option<String>,
    ) -> Result<HistoryPage, Failure> {
        self.pace.turn().await;
        let sent = Sent::default();
        let page = self
            .client
            .lookup_events()
            .start_time(date_time(since))
            .end_time(date_time(until))
            .max_results(PAGE_EVENTS)
            .set_next_token(next)
            .customize()
            .interceptor(sent.clone())
            .send()
            .await
            .map_err(|error| Failure::of(&error))?;
        let json = sent.take()?;
        let typed = page.events.unwrap_or_default();
        if json.len() != typed.len() {
            return Err(Failure::other("CloudTrail's answer has events that cannot be read"));
        }
        let events = json.into_iter().zip(typed).map(|(json, event)| HistoryEvent {
            at: event.event_time.and_then(|at| micros(&at)),
            json,
        });
        Ok(HistoryPage {
            events: events.collect(),
            next: page.next_token.filter(|token| !token.is_empty()),
        })
    }
}

/// Takes the text of an answer beside what the SDK makes of it: evidence is kept as it was sent,
/// members that the SDK does not know included.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<Vec<u8>>>);

impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "trailhound-sent"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

impl Sent {
    /// The events of the last answer.
    fn take(&self) -> Result<Vec<Box<RawValue>>, Failure> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(rename = "Events")]
            events: Option<Vec<Box<RawValue>>>,
        }
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page: Page = serde_json::from_slice(&body).map_err(|error| {
            Failure::other(format!("CloudTrail's answer is not the JSON it should be: {error}"))
        })?;
        Ok(page.events.unwrap_or_default())
    }
}

/// The paces of the regions asked.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<HashMap<String, Arc<Pace>>>);

impl Paces {
    fn of(&self, region: &str, interval: Duration) -> Arc<Pace> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Pace { interval, next: Mutex::new(None) });
        Arc::clone(paces.entry(region.to_owned()).or_insert_with(new))
    }
}

/// Lets one request through each interval.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    /// When the next may go.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    async fn turn(&self) {
        tokio::time::sleep(self.reserve(Instant::now())).await;
    }

    /// Takes the next turn; gives how long it is until then.
    fn reserve(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.unwrap_or(now).max(now);
        *next = turn.checked_add(self.interval);
        turn.duration_since(now)
    }
}

/// The whole second of a time in microseconds since 1970: the API takes no more.
fn date_time(micros: i64) -> DateTime {
    DateTime::from_secs(micros.div_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_a_region_take_turns_and_those_of_others_do_not_wait() {
        let paces = Paces::default();
        let interval = Duration::from_millis(500);
        let now = Instant::now();
        let waits = |region: &str, after: u64| {
            paces.of(region, interval).reserve(now + Duration::from_millis(after)).as_millis()
        };
        assert_eq!(waits("eu-west-1", 0), 0);
        assert_eq!(waits("eu-west-1", 0), 500);
        assert_eq!(waits("us-east-1", 0), 0);
        assert_eq!(waits("eu-west-1", 100), 900);
        // A pause is not made up for.
        assert_eq!(waits("eu-west-1", 10_000), 0);
        assert_eq!(waits("eu-west-1", 10_000), 500);
    }
}
