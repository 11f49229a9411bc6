//! The service itself is what the other tests take it for: asked with AWS's own SDK.

use std::{collections::BTreeSet, time::Duration};

use aws_credential_types::Credentials;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    operation::list_objects_v2::ListObjectsV2Output,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, OptionalObjectAttributes, RequestPayer},
};
use bytes::Bytes;
use tokio::runtime::Runtime;

use super::{
    Bucket, Content, Denial, Fault, Kind, Listed, Plan, Policy, Server,
    access::{ACCESS_KEY, SECRET_KEY},
};

/// A client that gives up at once, so that each fault is seen; without a secret it does not sign.
fn client(server: &Server, secret: Option<&str>) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.endpoint())
        .region(Region::new("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .force_path_style(true);
    let Some(secret) = secret else {
        return Client::from_conf(config.allow_no_auth().build());
    };
    let keys = Credentials::builder()
        .access_key_id(ACCESS_KEY)
        .secret_access_key(secret)
        .provider_name("test")
        .build();
    Client::from_conf(config.credentials_provider(keys).build())
}

fn reader(server: &Server) -> Client {
    client(server, Some(SECRET_KEY))
}

/// Runs what talks to the server, apart from the server's own threads.
fn run<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap().block_on(future)
}

/// The code of an answer that is a refusal.
fn code<T, E: ProvideErrorMetadata>(answer: Result<T, E>) -> String {
    let Err(error) = answer else { panic!("it was not refused") };
    error.code().unwrap_or("none").to_owned()
}

/// Reads an object whole.
async fn read(client: &Client, key: &str) -> Result<Bytes, String> {
    let got = client.get_object().bucket("logs").key(key).send().await;
    let got = got.map_err(|error| error.code().unwrap_or("broken").to_owned())?;
    let body = got.body.collect().await.map_err(|_error| "broken".to_owned())?;
    Ok(body.into_bytes())
}

#[test]
fn pages_have_a_thousand_keys_and_lead_through_all() {
    let mut bucket = Bucket::evidence("logs");
    for n in 0..2500 {
        bucket.put(&format!("a/{n:05}"), Content::made(|key| Bytes::from(key.to_owned())));
    }
    bucket.put("b/1", "one").is_restored = true;
    bucket.put("b/2", "two");
    let server = Server::start([bucket]);
    run(async {
        let client = reader(&server);
        let pages = client.list_objects_v2().bucket("logs").into_paginator().send();
        let pages = pages.try_collect().await.unwrap();
        let sizes: Vec<usize> = pages.iter().map(|page| page.contents().len()).collect();
        assert_eq!(sizes, [1000, 1000, 502]);
        let keys: BTreeSet<&str> =
            pages.iter().flat_map(ListObjectsV2Output::contents).filter_map(|o| o.key()).collect();
        assert_eq!(keys.len(), 2502);

        let cut = client.list_objects_v2().bucket("logs").delimiter("/").max_keys(1);
        let cut = cut.into_paginator().send().try_collect().await.unwrap();
        let prefixes: Vec<_> = cut
            .iter()
            .flat_map(ListObjectsV2Output::common_prefixes)
            .filter_map(|p| p.prefix())
            .collect();
        assert_eq!(prefixes, ["a/", "b/"]);

        let restored = client
            .list_objects_v2()
            .bucket("logs")
            .prefix("b/")
            .optional_object_attributes(OptionalObjectAttributes::RestoreStatus);
        let restored = restored.send().await.unwrap();
        let of_each: Vec<bool> =
            restored.contents().iter().map(|o| o.restore_status().is_some()).collect();
        assert_eq!(of_each, [true, false]);
        assert_eq!(read(&client, "a/00007").await.unwrap(), "a/00007");
    });
    assert_eq!((server.requests(Kind::List), server.requests(Kind::Get)), (6, 1));
}

#[test]
fn versions_and_delete_markers_are_listed_newest_first() {
    let mut bucket = Bucket::evidence("logs");
    bucket.keeps_versions = true;
    bucket.put("gone", "first");
    bucket.put("gone", "second");
    bucket.delete("gone");
    bucket.put("kept", "only").metadata.insert("signature".into(), "00ff".into());
    let server = Server::start([bucket]);
    run(async {
        let client = reader(&server);
        let listed = client.list_objects_v2().bucket("logs").send().await.unwrap();
        assert_eq!(listed.contents().len(), 1, "what is deleted is not listed");

        let (mut seen, mut place) = (Vec::new(), (None, None));
        loop {
            let page = client
                .list_object_versions()
                .bucket("logs")
                .max_keys(2)
                .set_key_marker(place.0)
                .set_version_id_marker(place.1);
            let page = page.send().await.unwrap();
            let of = |id: Option<&str>, latest| format!("{} {latest:?}", id.unwrap());
            seen.extend(page.delete_markers().iter().map(|m| of(m.version_id(), m.is_latest())));
            seen.extend(page.versions().iter().map(|v| of(v.version_id(), v.is_latest())));
            place = (page.next_key_marker, page.next_version_id_marker);
            if page.is_truncated != Some(true) {
                break;
            }
        }
        let wanted = [
            "v000003 Some(true)",
            "v000002 Some(false)",
            "v000001 Some(false)",
            "v000004 Some(true)",
        ];
        assert_eq!(seen, wanted);

        let first = client.get_object().bucket("logs").key("gone").version_id("v000001");
        let first = first.send().await.unwrap().body.collect().await.unwrap().into_bytes();
        assert_eq!(first, "first");
        assert_eq!(read(&client, "gone").await.unwrap_err(), "NoSuchKey");
        let head = client.head_object().bucket("logs").key("kept").send().await.unwrap();
        assert_eq!(head.metadata().unwrap()["signature"], "00ff");
    });
}

#[test]
fn conditions_and_ranges_hold() {
    let server = Server::start([Bucket::evidence("logs").with("x", "0123456789")]);
    run(async {
        let client = reader(&server);
        let get = || client.get_object().bucket("logs").key("x");
        let etag = get().send().await.unwrap().e_tag.unwrap();
        let part = get().if_match(&etag).range("bytes=4-").send().await.unwrap();
        assert_eq!(part.content_length, Some(6));
        assert_eq!(part.content_range.as_deref(), Some("bytes 4-9/10"));
        assert_eq!(part.body.collect().await.unwrap().into_bytes(), "456789");
        assert_eq!(code(get().if_match("\"other\"").send().await), "PreconditionFailed");
    });
}

#[test]
fn nobody_reads_what_a_policy_an_archive_or_a_region_denies() {
    let mut bucket = Bucket::evidence("logs");
    bucket.put("policy", "x").denial = Some(Denial::Policy);
    bucket.put("kms", "x").denial = Some(Denial::Kms);
    bucket.put("archived", "x").storage_class = Some("GLACIER".into());
    bucket.put("restored", "x").storage_class = Some("GLACIER".into());
    bucket.latest_mut("restored").unwrap().is_restored = true;
    let paid = Bucket { policy: Policy::RequesterPays, ..Bucket::evidence("paid").with("x", "x") };
    let far = Bucket { region: "eu-west-1".into(), ..Bucket::evidence("far") };
    let open = Bucket { policy: Policy::Public, ..Bucket::evidence("open").with("x", "x") };
    let server = Server::start([bucket, paid, far, open]);
    run(async {
        let client = reader(&server);
        assert_eq!(read(&client, "policy").await.unwrap_err(), "AccessDenied");
        assert_eq!(read(&client, "kms").await.unwrap_err(), "AccessDenied");
        assert_eq!(read(&client, "archived").await.unwrap_err(), "InvalidObjectState");
        assert_eq!(read(&client, "restored").await.unwrap(), "x");
        assert_eq!(read(&client, "absent").await.unwrap_err(), "NoSuchKey");
        let paid = client.get_object().bucket("paid").key("x");
        assert_eq!(code(paid.clone().send().await), "AccessDenied");
        assert!(paid.request_payer(RequestPayer::Requester).send().await.is_ok());
        let nobody = self::client(&server, None);
        let read_by_nobody = |bucket: &str| nobody.get_object().bucket(bucket).key("x");
        assert_eq!(code(read_by_nobody("logs").send().await), "AccessDenied");
        assert!(read_by_nobody("open").send().await.is_ok());
        let far = client.head_bucket().bucket("far").send().await.unwrap_err();
        let region = far.raw_response().unwrap().headers().get("x-amz-bucket-region");
        assert_eq!(region, Some("eu-west-1"));
        let forged = self::client(&server, Some("another secret"));
        assert_eq!(read(&forged, "restored").await.unwrap_err(), "SignatureDoesNotMatch");
    });
}

#[test]
fn a_cache_can_be_written_with_conditions_and_in_parts() {
    let server = Server::start([Bucket::writable("cache")]);
    run(async {
        let client = reader(&server);
        let put = |key: &str| client.put_object().bucket("cache").key(key);
        let once = put("a").if_none_match("*").body(ByteStream::from_static(b"one"));
        once.send().await.unwrap();
        let twice = put("a").if_none_match("*").body(ByteStream::from_static(b"two"));
        assert_eq!(code(twice.send().await), "PreconditionFailed");

        let many = client.create_multipart_upload().bucket("cache").key("m").send().await.unwrap();
        let id = many.upload_id().unwrap();
        let mut parts = CompletedMultipartUpload::builder();
        for (n, text) in [(1, "first "), (2, "second")] {
            let part = client.upload_part().bucket("cache").key("m").upload_id(id).part_number(n);
            let part = part.body(ByteStream::from_static(text.as_bytes())).send().await.unwrap();
            let etag = part.e_tag.unwrap();
            parts = parts.parts(CompletedPart::builder().part_number(n).e_tag(etag).build());
        }
        let done = client.complete_multipart_upload().bucket("cache").key("m").upload_id(id);
        let done = done.multipart_upload(parts.build());
        assert!(done.send().await.unwrap().e_tag().unwrap().ends_with("-2\""));
        client.delete_object().bucket("cache").key("a").send().await.unwrap();
    });
    let keys = server.change("cache", |cache| cache.keys().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(keys, ["m"]);
}

#[test]
fn a_write_to_evidence_is_refused_and_fails_the_test() {
    let server = Server::start([Bucket::evidence("logs").with("x", "x")]);
    run(async {
        let put = reader(&server).put_object().bucket("logs").key("x");
        assert_eq!(code(put.body(ByteStream::from_static(b"y")).send().await), "AccessDenied");
    });
    assert_eq!(server.change("logs", |logs| logs.latest("x").unwrap().size_bytes), 1);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(server)));
    let said = *dropped.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(said, "evidence was written to:\n  PUT /logs/x");
}

#[test]
fn each_fault_is_what_its_name_says_and_is_counted() {
    let whole = Bytes::from(vec![7; 100_000]);
    for fault in Fault::RANDOM {
        let bucket = Bucket::evidence("logs").with("x", whole.clone());
        let plan = Plan { at_most: 1, ..Plan::none().with(fault, 1_000_000) };
        let server = Server::with_faults([bucket], plan);
        run(async {
            let client = reader(&server);
            let spoilt = read(&client, "x").await;
            match fault {
                Fault::SlowDown => assert_eq!(spoilt.unwrap_err(), "SlowDown"),
                Fault::InternalError => assert_eq!(spoilt.unwrap_err(), "InternalError"),
                Fault::Reset | Fault::Cut => assert_eq!(spoilt.unwrap_err(), "broken"),
                Fault::ShortBody => assert_eq!(spoilt.unwrap().len(), 50_000),
                _ => {
                    let spoilt = spoilt.unwrap();
                    assert_eq!(spoilt.len(), whole.len());
                    assert_eq!(spoilt.iter().filter(|byte| **byte != 7).count(), 1);
                }
            }
            assert_eq!(read(&client, "x").await.unwrap(), whole, "once more helps");
        });
        assert_eq!(server.injected(fault), 1, "{fault:?}");
    }
}

#[test]
fn too_many_at_once_are_told_to_slow_down() {
    let plan = Plan { most_at_once: Some(2), latency: Duration::from_millis(20), ..Plan::none() };
    let server = Server::with_faults([Bucket::evidence("logs").with("x", "x")], plan);
    run(async {
        let client = reader(&server);
        let eight = futures::future::join_all((0..8).map(|_| read(&client, "x"))).await;
        assert!(eight.iter().any(|answer| answer.as_ref().is_err_and(|code| code == "SlowDown")));
    });
    server.assert_injected(Fault::SlowDown);
    assert!(server.most_at_once() > 2, "{}", server.most_at_once());
    server.forget_requests();
    assert_eq!((server.requests(Kind::Get), server.most_at_once()), (0, 0));
}

#[test]
fn a_checksum_shows_wrong_bytes() {
    let mut bucket = Bucket::evidence("logs").with("x", vec![7; 1000]);
    bucket.has_checksums = true;
    let server = Server::with_faults([bucket], Plan::none().with(Fault::WrongBytes, 1_000_000));
    assert_eq!(run(async { read(&reader(&server), "x").await }).unwrap_err(), "broken");
    server.assert_injected(Fault::WrongBytes);
}

#[test]
fn listings_lie_as_they_are_told_and_credentials_expire() {
    let mut bucket = Bucket::evidence("logs");
    bucket.put("gone", "x").listed = Listed::ThoughGone;
    bucket.put("was", "x").listed = Listed::AsItWas;
    let server = Server::start([bucket]);
    run(async {
        let client = reader(&server);
        let listed = client.list_objects_v2().bucket("logs").send().await.unwrap();
        let etags: Vec<_> = listed.contents().iter().filter_map(|object| object.e_tag()).collect();
        assert_eq!(read(&client, "gone").await.unwrap_err(), "NoSuchKey");
        let was = client.get_object().bucket("logs").key("was");
        assert_eq!(code(was.clone().if_match(etags[1]).send().await), "PreconditionFailed");
        assert!(was.send().await.is_ok());
        server.set_plan(Plan { expires_after: Some(0), ..Plan::none() });
        assert_eq!(read(&client, "was").await.unwrap_err(), "ExpiredToken");
    });
    for fault in [Fault::ListedThoughGone, Fault::ListedAsItWas, Fault::ExpiredToken] {
        server.assert_injected(fault);
    }
}

#[test]
fn the_same_plan_strikes_the_same_requests() {
    let struck = || {
        let mut bucket = Bucket::evidence("logs");
        for n in 0..200 {
            bucket.put(&n.to_string(), "x");
        }
        let plan = Plan { at_most: 1, ..Plan::none().with(Fault::SlowDown, 100_000) };
        let server = Server::with_faults([bucket], plan);
        let failed = run(async {
            let client = reader(&server);
            let all = (0..200).map(|n| {
                let client = &client;
                async move { (n, read(client, &n.to_string()).await.is_err()) }
            });
            futures::future::join_all(all).await
        });
        failed.into_iter().filter(|(_, failed)| *failed).map(|(n, _)| n).collect::<Vec<i32>>()
    };
    let first = struck();
    assert!((5..40).contains(&first.len()), "a tenth: {}", first.len());
    assert_eq!(first, struck());
}
