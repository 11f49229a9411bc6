//! How fast inflated CloudTrail files become Arrow, on one core.
//!
//! Real records where `../shared/data` lies beside the checkout, and synthetic ones anywhere.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark may panic, and says what it skips"
)]

use std::{fs, hint::black_box, path::Path, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::value::RawValue;
use trailhound::logs::{
    Limits,
    cloudtrail::{
        decode::{Decoder, FileMeta, RecordMeta},
        envelope::Shape,
        key::LogKey,
        rebuild::Rebuilder,
    },
};

/// Decoded bytes after which a batch is taken, as ingest does.
const BATCH_BYTES: usize = 64 << 20;
/// Bytes of records to a run.
const RUN_BYTES: usize = 100 << 20;

fn main_benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.sample_size(10);
    for (name, records) in [("invictus", invictus()), ("synthetic", synthetic())] {
        if records.is_empty() {
            continue;
        }
        let bytes: usize = records.iter().map(String::len).sum();
        let rounds = (RUN_BYTES / bytes).max(1);
        group.throughput(Throughput::Bytes((rounds * bytes) as u64));
        group.bench_function(name, |b| b.iter(|| black_box(decode(&records, rounds))));
    }
    group.finish();
    let mut group = c.benchmark_group("rebuild");
    group.sample_size(10);
    let records = synthetic();
    group.throughput(Throughput::Bytes(records.iter().map(|r| r.len() as u64).sum()));
    let mut decoder = Decoder::new(Limits::default());
    push(&mut decoder, &records);
    let batch = decoder.take().events.map(|rows| rows.batch);
    group.bench_function("synthetic", |b| {
        b.iter(|| {
            let Some(batch) = &batch else { return };
            let rebuilder = Rebuilder::new(batch);
            for row in 0..batch.num_rows() {
                black_box(rebuilder.record(row));
            }
        });
    });
    group.finish();
}

/// Decodes all of `records` that many times; gives the rows.
fn decode(records: &[String], rounds: usize) -> usize {
    let mut decoder = Decoder::new(Limits::default());
    let mut n_rows = 0;
    for _ in 0..rounds {
        push(&mut decoder, records);
        if decoder.bytes() >= BATCH_BYTES {
            n_rows += black_box(decoder.take()).events.map_or(0, |rows| rows.batch.num_rows());
        }
    }
    n_rows + black_box(decoder.take()).events.map_or(0, |rows| rows.batch.num_rows())
}

fn push(decoder: &mut Decoder, records: &[String]) {
    let name = "AWSLogs/111122223333/CloudTrail/us-east-1/2024/01/02/\
                111122223333_CloudTrail_us-east-1_20240102T0305Z_Mu0KsOhtH1ar15ZZ.json.gz";
    let file = FileMeta {
        seq: 0,
        source_file: Arc::from(format!("s3://example-trail/{name}")),
        source_version: 1,
        key: LogKey::parse(name),
    };
    let mut offset = 12;
    for (json, record_no) in records.iter().zip(1..) {
        let record = RecordMeta {
            record_no,
            offset,
            appended: false,
            shape: Shape::Records,
            envelope: None,
        };
        let pushed = decoder.push(&file, &record, json.as_bytes());
        assert!(pushed.is_ok(), "{pushed:?}: {json}");
        offset += json.len() as u64 + 1;
    }
}

#[derive(serde::Deserialize)]
struct File {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

/// The records of a published data set, if it is there.
fn invictus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/invictus");
    let Ok(entries) = fs::read_dir(folder) else {
        eprintln!("skipped: no ../shared/data/invictus");
        return Vec::new();
    };
    let files = entries.flatten().filter_map(|entry| fs::read(entry.path()).ok());
    let files = files.filter_map(|bytes| serde_json::from_slice::<File>(&bytes).ok());
    files.flat_map(|file| file.records).map(|record| record.get().to_owned()).collect()
}

/// Records such as a busy account writes: mostly calls of roles, some data events, some errors.
fn synthetic() -> Vec<String> {
    (0_u32..4_000)
        .map(|i| {
            let role = ["deploy", "backup", "app-server", "data-pipeline"][i as usize % 4];
            let user = format!(
                r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE{i:07}:i-{i:017x}","arn":"arn:aws:sts::111122223333:assumed-role/{role}/i-{i:017x}","accountId":"111122223333","accessKeyId":"ASIA{i:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{i:07}","arn":"arn:aws:iam::111122223333:role/{role}","accountId":"111122223333","userName":"{role}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2024-01-02T00:00:00Z","mfaAuthenticated":"false"}},"ec2RoleDelivery":"2.0"}}}}"#
            );
            let error = match i % 13 {
                0 => format!(r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::111122223333:assumed-role/{role}/i-{i:017x} is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::example/{i}\" because no identity-based policy allows the s3:GetObject action","#),
                _ => String::new(),
            };
            format!(
                r#"{{"eventVersion":"1.08","userIdentity":{user},"eventTime":"2024-01-02T{:02}:{:02}:{:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.{}","userAgent":"[aws-sdk-java/2.20.1 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.7+7-LTS Java/17.0.7 vendor/Amazon.com_Inc. io/sync http/Apache]",{error}"requestParameters":{{"bucketName":"example","Host":"example.s3.us-east-1.amazonaws.com","key":"data/2024/01/02/part-{i:05}.parquet","range":"bytes=0-1048575"}},"responseElements":null,"additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"EXAMPLE{i:060}","bytesTransferredOut":{}}},"requestID":"{i:016X}","eventID":"{i:08x}-1111-4222-8333-444455556666","readOnly":true,"resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::example/data/2024/01/02/part-{i:05}.parquet"}},{{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::example"}}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","clientProvidedHostHeader":"example.s3.us-east-1.amazonaws.com"}}}}"#,
                i / 3600 % 24,
                i / 60 % 60,
                i % 60,
                i % 250,
                i * 7,
            )
        })
        .collect()
}

criterion_group!(benches, main_benches);
criterion_main!(benches);
