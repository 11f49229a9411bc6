use proptest::prelude::*;

use super::*;

fn key(account: &str, kind: &str, region: &str, day: (i32, u32, u32)) -> LogKey {
    LogKey {
        account: Some(account.to_owned()),
        region: Some(region.to_owned()),
        day: Some(day),
        kind: Some(kind.to_owned()),
    }
}

#[test]
fn reads_a_trails_key() {
    let name = "111122223333_CloudTrail_us-east-1_20240102T0305Z_Mu0KsOhtH1ar15ZZ.json.gz";
    let expected = key("111122223333", "CloudTrail", "us-east-1", (2024, 1, 2));
    for path in [
        format!("AWSLogs/111122223333/CloudTrail/us-east-1/2024/01/02/{name}"),
        format!("s3://bucket/prefix/AWSLogs/111122223333/CloudTrail/us-east-1/2024/01/02/{name}"),
        format!("AWSLogs/o-exampleorgid/111122223333/CloudTrail/us-east-1/2024/01/02/{name}"),
        format!("C:\\case\\AWSLogs\\111122223333\\CloudTrail\\us-east-1\\2024\\01\\02\\{name}"),
        format!("/evidence/logs.zip!/AWSLogs/111122223333/{name}"),
        name.to_owned(),
        name.replace(".gz", ""),
    ] {
        assert_eq!(LogKey::parse(&path), expected, "{path}");
    }
}

#[test]
fn reads_the_folders_where_the_name_tells_nothing() {
    let expected = key("111122223333", "CloudTrail", "eu-central-1", (2024, 12, 31));
    for path in [
        "AWSLogs/111122223333/CloudTrail/eu-central-1/2024/12/31/part-0.json.gz",
        "x/111122223333/CloudTrail/eu-central-1/2024/12/31/sub/folder/a.json",
    ] {
        assert_eq!(LogKey::parse(path), expected, "{path}");
    }
    let month = LogKey::parse("AWSLogs/111122223333/CloudTrail/eu-central-1/2024/12/a.json");
    assert_eq!((month.region.as_deref(), month.day), (Some("eu-central-1"), None));
}

#[test]
fn reads_every_kind_of_delivery() {
    for kind in ["CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated"] {
        let path = format!(
            "AWSLogs/111122223333/{kind}/us-gov-west-1/2025/06/07/\
             111122223333_{kind}_us-gov-west-1_20250607T0005Z_0123456789abcdef.json.gz"
        );
        assert_eq!(LogKey::parse(&path), key("111122223333", kind, "us-gov-west-1", (2025, 6, 7)));
    }
    let digest = "111122223333_CloudTrail-Digest_ap-southeast-1_my_trail_us-east-1_\
                  20240102T030405Z_backfill.json.gz";
    assert_eq!(
        LogKey::parse(digest),
        key("111122223333", "CloudTrail-Digest", "ap-southeast-1", (2024, 1, 2))
    );
}

#[test]
fn reads_old_names_and_invented_regions() {
    assert_eq!(
        LogKey::parse("111122223333_CloudTrail_us-east-1_20140620T1255ZHdkvFTXOA3Vnhbc.json.gz"),
        key("111122223333", "CloudTrail", "us-east-1", (2014, 6, 20))
    );
    assert_eq!(
        LogKey::parse("012345678901_CloudTrail_us-north-2r_20240101T0000Z_x.json").region,
        Some("us-north-2r".to_owned())
    );
}

#[test]
fn reads_hive_folders() {
    let path = "logs/account=111122223333/region=us-west-2/year=2024/month=3/day=9/a.parquet.json";
    let mut expected = key("111122223333", "", "us-west-2", (2024, 3, 9));
    expected.kind = None;
    assert_eq!(LogKey::parse(path), expected);
    assert_eq!(LogKey::parse("x/date=2024-03-09/a.json").day, Some((2024, 3, 9)));
}

#[test]
fn takes_nothing_from_paths_that_tell_nothing() {
    for path in [
        "",
        "/",
        "CloudTrail",
        "notes/CloudTrail/2024/01/02/a.json",
        "111122223333/a.json",
        "12345_CloudTrail_us-east-1_20240102T0305Z_x.json",
        "111122223333_VpcFlowLogs_us-east-1_fl-1234_20240102T0305Z_x.log.gz",
        "account=abc/region=/year=20x4/month=1/day=1/a.json",
    ] {
        assert_eq!(LogKey::parse(path), LogKey::default(), "{path}");
    }
    let impossible = "111122223333_CloudTrail_us-east-1_20240231T0305Z_x.json";
    assert_eq!(LogKey::parse(impossible).day, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics(path in any::<String>()) {
        LogKey::parse(&path);
    }

    #[test]
    fn never_panics_on_what_looks_like_a_key(
        path in "[0-9]{11,13}[_/\\\\]CloudTrail(-[A-Za-z]{0,8})?[_/\\\\é][a-z-]{0,9}[0-9]?[_/][0-9TZ/é]{0,18}"
    ) {
        LogKey::parse(&path);
    }
}
