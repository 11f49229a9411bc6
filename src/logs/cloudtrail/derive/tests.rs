use super::{deny::Denial, *};

#[test]
fn reads_times_in_every_spelling_that_was_seen() {
    let at = 1_704_164_645_000_000; // 2024-01-02T03:04:05Z
    for text in [
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05",
        "2024-01-02 03:04:05",
        "2024-01-02 03:04:05Z",
        "2024-01-02 03:04:05 UTC",
        "20240102T030405Z",
        "2024-01-02T14:04:05+11:00",
        "2024-01-01T19:04:05-0800",
        "2024-01-02T03:04:05.000000000Z",
        "2024-01-02 03:04:05.000",
        "1704164645",
        "1704164645.0",
        "1704164645000",
        "1704164645000000",
        "1704164645000000000",
        "1.704164645E9",
        "1.704164645E12",
    ] {
        assert_eq!(event_time(text), Some(at), "{text}");
    }
    assert_eq!(event_time("2024-01-02T03:04:05.123456789Z"), Some(at + 123_456));
    assert_eq!(event_time("2024-01-02T03:04:05.5+00:00"), Some(at + 500_000));
    assert_eq!(event_time("1571956406.25"), Some(1_571_956_406_250_000));
    assert_eq!(event_time("2024-01-02"), Some(1_704_153_600_000_000));
    assert_eq!(event_time("1969-12-31T23:59:59Z"), Some(-1_000_000));
    assert_eq!(event_time("2016-12-31T23:59:60Z"), event_time("2017-01-01T00:00:00Z"));
    assert_eq!(event_time("2024-02-29T00:00:00Z"), Some(1_709_164_800_000_000));
}

#[test]
fn gives_no_time_for_what_is_none() {
    for text in [
        "",
        "...",
        "a",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-02T24:00:00Z",
        "2024-01-02T03:04:05X",
        "2024-01-02T03:04:05+",
        "20240102T03",
        "-",
        ".5",
        "1e999",
        "99999999999999999999999999",
        "2024-01-02T03:04:05.1.2Z",
        "NaN",
        "2024-01-02T03:04:05Zjunk",
    ] {
        assert_eq!(event_time(text), None, "{text}");
    }
}

#[test]
fn counts_days_like_the_calendar() {
    assert_eq!(days_from_civil(1970, 1, 1), Some(0));
    assert_eq!(days_from_civil(2000, 3, 1), Some(11_017));
    assert_eq!(days_from_civil(1600, 2, 29), Some(-135_081));
    let mut expected = days_from_civil(1999, 1, 1).unwrap();
    for (year, days) in [(1999, 365), (2000, 366), (2001, 365), (2004, 366), (2100, 365)] {
        let first = days_from_civil(year, 1, 1).unwrap();
        assert_eq!(days_from_civil(year, 12, 31).unwrap() - first, days - 1);
        for month in 1..=12 {
            for day in 1..=31 {
                if let (true, Some(n)) = (year < 2002, days_from_civil(year, month, day)) {
                    assert_eq!(n, expected, "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
    }
}

#[test]
fn tells_addresses_from_services() {
    let parse = |text: &str| Source::parse(text).map(Source::kind);
    for (text, kind) in [
        ("198.51.100.7", Some("ip4")),
        ("2001:db8::1", Some("ip6")),
        ("2001:DB8:0:0:0:0:0:1", Some("ip6")),
        ("::ffff:192.0.2.1", Some("ip6")),
        ("s3.amazonaws.com", Some("service")),
        ("resource-explorer-2.amazonaws.com", Some("service")),
        ("cloudtrail.amazonaws.com.cn", Some("service")),
        ("AWS Internal", Some("internal")),
        ("AWS Internal/3", Some("internal")),
        ("aws.internal", Some("internal")),
        ("253.252.51.07", None),
        ("77.88.999.69", None),
        ("30.*.0.210", None),
        ("redacted", None),
        ("-", None),
        ("...", None),
        ("<Attacker source IP>", None),
        ("", None),
        ("1:2", None),
    ] {
        assert_eq!(parse(text), kind, "{text}");
    }
}

#[test]
fn strips_the_api_version_from_names() {
    for (name, base) in [
        ("CreateFunction20150331", "CreateFunction"),
        ("AddPermission20150331v2", "AddPermission"),
        ("CreateFunction2020_05_31", "CreateFunction"),
        ("ListDistributions2016_01_28", "ListDistributions"),
        ("GetObject", "GetObject"),
        ("PutObjectv2", "PutObjectv2"),
        ("Thing19991231", "Thing19991231"),
        ("20150331", "20150331"),
        ("X2015033", "X2015033"),
    ] {
        assert_eq!(base_name(name), base, "{name}");
    }
}

#[test]
fn shortens_services() {
    assert_eq!(service("s3.amazonaws.com"), "s3");
    assert_eq!(service("ec2.amazonaws.com.cn"), "ec2");
    assert_eq!(service("edge.sagemaker.amazonaws.com"), "edge.sagemaker");
    assert_eq!(service("example.cn"), "example.cn");
}

#[test]
fn judges_errors_by_code_and_message() {
    let of = |code: &str, message: &str| Outcome::of(Some(code), Some(message)).as_str();
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "Client.UnauthorizedOperation",
        "VpceAccessDenied",
        "UnauthorizedAccess",
        "AuthorizationError",
        "NotAuthorized",
    ] {
        assert_eq!(of(code, ""), "denied", "{code}");
    }
    for code in [
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "Client.RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "ProvisionedThroughputExceededException",
    ] {
        assert_eq!(of(code, ""), "throttled", "{code}");
    }
    assert_eq!(of("ClientException", "Rate exceeded"), "throttled");
    assert_eq!(of("NoSuchBucket", "x"), "error");
    assert_eq!(of("", "Failed authentication"), "error");
    assert_eq!(Outcome::of(None, None).as_str(), "ok");
}

#[test]
fn reads_the_documented_denials() {
    let user = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: ";
    let kinds = [
        ("a", "identity-based policy"),
        ("a", "resource-based policy"),
        ("a", "permissions boundary"),
        ("a", "session policy"),
        ("a", "service control policy"),
        ("a", "resource control policy"),
        ("a", "VPC endpoint policy"),
        ("the", "role trust policy"),
    ];
    for (article, kind) in kinds {
        let message = format!(
            "{user}codecommit:ListRepositories because no {kind} allows the codecommit:ListRepositories action"
        );
        let expected = Denial {
            kind: Some(kind),
            policy: None,
            action: Some("codecommit:ListRepositories"),
            explicit: Some(false),
        };
        assert_eq!(denial(&message), expected, "{message}");
        let article = if kind.starts_with('i') { "an" } else { article };
        let message = format!(
            "{user}codecommit:ListRepositories on resource: arn:x with an explicit deny in {article} {kind}"
        );
        let expected = Denial { explicit: Some(true), ..expected };
        assert_eq!(denial(&message), expected, "{message}");
        let arn = "arn:aws:iam::111122223333:policy/p";
        let message = format!("{message}: {arn}");
        let expected = Denial { policy: Some(arn), ..expected };
        assert_eq!(denial(&message), expected, "{message}");
    }
}

#[test]
fn leaves_open_what_other_denials_do_not_say() {
    assert_eq!(denial("Access Denied"), Denial::default());
    let vpce = denial("The request was denied due to a VPC endpoint policy");
    assert_eq!((vpce.kind, vpce.explicit), (Some("VPC endpoint policy"), None));
    let plain = denial("User: arn:x is not authorized to perform: ec2:RunInstances.");
    assert_eq!((plain.kind, plain.action), (None, Some("ec2:RunInstances")));
    assert_eq!(denial("with an explicit deny in a hat").explicit, Some(true));
    assert_eq!(denial("because no one allows it"), Denial::default());
}

#[test]
fn derives_categories_of_old_records() {
    let of =
        |management, ty: &str, source: &str, name: &str| category(management, ty, source, name);
    assert_eq!(of(Some(true), "AwsApiCall", "s3.amazonaws.com", "GetObject"), "Management");
    assert_eq!(of(Some(false), "AwsApiCall", "x", "y"), "Data");
    assert_eq!(of(None, "AwsApiCall", "s3.amazonaws.com", "GetObject"), "Data");
    assert_eq!(of(None, "AwsApiCall", "lambda.amazonaws.com", "Invoke"), "Data");
    assert_eq!(of(None, "", "s3.amazonaws.com", "ListBuckets"), "Management");
    assert_eq!(of(None, "AWSCloudTrailInsight", "", ""), "Insight");
    assert_eq!(of(None, "AwsVpceEvents", "s3.amazonaws.com", "GetObject"), "NetworkActivity");
    assert_eq!(of(None, "AwsConsoleSignIn", "signin.amazonaws.com", "ConsoleLogin"), "Management");
}

#[test]
fn reads_accounts_and_kinds_of_keys() {
    assert_eq!(arn_account("arn:aws:iam::111122223333:user/u"), Some("111122223333"));
    assert_eq!(arn_account("arn:aws:s3:::bucket"), None);
    assert_eq!(arn_account("alice"), None);
    assert_eq!(key_kind("AKIAIOSFODNN7EXAMPLE"), Some("long-term"));
    assert_eq!(key_kind("ASIAIOSFODNN7EXAMPLE"), Some("temporary"));
    assert_eq!(key_kind("AROAEXAMPLE"), None);
    assert_eq!(key_kind(""), None);
}

#[test]
fn hashes_lists_of_texts_not_their_concatenation() {
    let hash = |texts: &[&str]| {
        let mut hasher = Hasher::new();
        for text in texts {
            hasher.add(text);
        }
        hasher.finish()
    };
    let lists: [&[&str]; 9] = [
        &[],
        &[""],
        &["", ""],
        &["a"],
        &["a", ""],
        &["", "a"],
        &["ab"],
        &["a", "b"],
        &["12345678", ""],
    ];
    for (i, a) in lists.iter().enumerate() {
        for (j, b) in lists.iter().enumerate() {
            assert_eq!(hash(a) == hash(b), i == j, "{a:?} {b:?}");
        }
    }
    assert_ne!(hash(&["1234567890"]), hash(&["1234567809"]));
}
