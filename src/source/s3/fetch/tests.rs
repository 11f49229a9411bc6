//! Against a service of a few lines, which answers as each test tells it to.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::AtomicU32,
    thread,
};

use super::*;
use crate::aws::{AwsOptions, FailureKind, s3::Head};

/// What a service does with a request.
enum Answer {
    /// Status, headers and body.
    Says(u16, &'static str, &'static str),
    /// Bytes as they are, and then the end.
    Raw(Vec<u8>),
    /// Nothing, ever.
    Silence,
}

/// A service that gives the `n`th request, from 0, for `path` this answer.
fn serve(answer: impl Fn(u32, &str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (answer, n_requests) = (Arc::new(answer), Arc::new(AtomicU32::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, n_requests) = (Arc::clone(&answer), Arc::clone(&n_requests));
            thread::spawn(move || converse(&stream, &n_requests, &*answer));
        }
    });
    endpoint
}

fn converse(stream: &TcpStream, n_requests: &AtomicU32, answer: &dyn Fn(u32, &str) -> Answer) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        // The headers; a GET has no body.
        let _headers = lines.by_ref().take_while(|line| !line.is_empty()).count();
        let path = request.split(' ').nth(1).unwrap().to_owned();
        let path = path.split('?').next().unwrap();
        let mut out = stream;
        if request.starts_with("HEAD") {
            // Which region the bucket lies in.
            let head = "HTTP/1.1 200 x\r\nx-amz-bucket-region: us-east-1\r\n\r\n";
            let _gone = out.write_all(head.as_bytes());
            continue;
        }
        match answer(n_requests.fetch_add(1, Ordering::Relaxed), path) {
            Answer::Says(status, headers, body) => {
                let len = body.len();
                let text =
                    format!("HTTP/1.1 {status} x\r\ncontent-length: {len}\r\n{headers}\r\n{body}");
                if out.write_all(text.as_bytes()).is_err() {
                    return;
                }
            }
            Answer::Raw(bytes) => {
                let _gone = out.write_all(&bytes);
                let _closed = stream.shutdown(std::net::Shutdown::Both);
                return;
            }
            Answer::Silence => thread::sleep(Duration::from_hours(1)),
        }
    }
}

fn connect(endpoint: &str) -> Arc<Aws> {
    Aws::new(AwsOptions {
        endpoint_url: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        path_style: true,
        anonymous: true,
        ..AwsOptions::default()
    })
    .unwrap()
}

fn objects(endpoint: &str, options: FetchOptions) -> Arc<Objects> {
    let aws = connect(endpoint);
    let connection = Arc::clone(&aws);
    let bucket = aws.wait(async move { connection.bucket("logs").await }).unwrap();
    Arc::new(Objects { aws, bucket, fetcher: Arc::new(Fetcher::new(options)) })
}

fn file(objects: &Arc<Objects>, key: &str, size_bytes: u64, etag: Option<&str>) -> LogFile {
    let uri = format!("s3://logs/{key}").into();
    let opener = Arc::clone(objects) as Arc<dyn Open>;
    LogFile {
        size_bytes,
        etag: etag.map(Arc::from),
        ..LogFile::new(uri, "s3://logs".into(), opener)
    }
}

fn read(file: &LogFile) -> io::Result<(Option<Head>, Vec<u8>)> {
    let mut stored = file.open()?;
    let mut bytes = Vec::new();
    io::copy(&mut stored.reader, &mut bytes)?;
    Ok((stored.head, bytes))
}

fn lost(file: &LogFile) -> Lost {
    Lost::of(&read(file).unwrap_err()).unwrap().clone()
}

fn impatient() -> FetchOptions {
    FetchOptions { patience: Duration::from_millis(300), ..FetchOptions::default() }
}

/// An error as S3 gives it.
macro_rules! error {
    ($status:literal, $code:literal, $message:literal) => {
        Answer::Says(
            $status,
            "content-type: application/xml\r\n",
            concat!(
                "<?xml version=\"1.0\"?><Error><Code>",
                $code,
                "</Code><Message>",
                $message,
                "</Message></Error>"
            ),
        )
    };
}

#[test]
fn failures_are_told_apart_by_what_the_service_says() {
    let endpoint = serve(|_n, path| match path.rsplit('/').next().unwrap() {
        "slow" => error!(503, "SlowDown", "Please reduce your request rate."),
        "busy" => Answer::Says(503, "", ""),
        "broken" => error!(500, "InternalError", "We encountered an internal error."),
        "gateway" => Answer::Says(502, "content-type: text/html\r\n", "<html>bad gateway</html>"),
        "gone" => error!(404, "NoSuchKey", "The specified key does not exist."),
        "marker" => Answer::Says(404, "x-amz-delete-marker: true\r\n", ""),
        "cold" => error!(403, "InvalidObjectState", "The operation is not valid"),
        "kms" => error!(403, "AccessDenied", "not authorized to perform: kms:Decrypt on x"),
        "disabled" => error!(400, "KMS.DisabledException", "the key is disabled"),
        "denied" => error!(403, "AccessDenied", "Access Denied"),
        "expired" => error!(400, "ExpiredToken", "The provided token has expired."),
        "unknown" => error!(403, "InvalidAccessKeyId", "no such key"),
        "clock" => error!(403, "RequestTimeTooSkewed", "the clock"),
        "other" => error!(412, "PreconditionFailed", "At least one of the pre-conditions"),
        "elsewhere" => Answer::Says(301, "x-amz-bucket-region: eu-west-1\r\n", ""),
        "odd" => error!(400, "InvalidRequest", "it is odd"),
        "cut" => Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-".to_vec()),
        _ => Answer::Says(200, "etag: \"e\"\r\n", "ok"),
    });
    let objects = objects(&endpoint, FetchOptions::default());
    let failure = |key: &str| {
        let (bucket, key) = (objects.bucket.clone(), key.to_owned());
        objects.aws.wait(async move { bucket.get(&key, None, None, 0).await }).unwrap_err()
    };
    for (key, kind) in [
        ("slow", FailureKind::Throttled),
        ("busy", FailureKind::Throttled),
        ("broken", FailureKind::Transient),
        ("gateway", FailureKind::Transient),
        ("gone", FailureKind::NotFound),
        ("marker", FailureKind::NotFound),
        ("cold", FailureKind::Archived),
        ("kms", FailureKind::KmsDenied),
        ("disabled", FailureKind::KmsDenied),
        ("denied", FailureKind::Denied),
        ("expired", FailureKind::Credentials),
        ("unknown", FailureKind::Credentials),
        ("clock", FailureKind::Credentials),
        ("other", FailureKind::Changed),
        ("elsewhere", FailureKind::Region(Some("eu-west-1".to_owned()))),
        ("odd", FailureKind::Other),
        ("cut", FailureKind::Transient),
    ] {
        assert_eq!(failure(key).kind, kind, "{key}: {:?}", failure(key));
    }
    assert_eq!(failure("denied").text, "AccessDenied: Access Denied");
    assert_eq!(failure("gateway").text, "the service answered with status 502");
    for key in ["cut", "gateway", "busy"] {
        let text = failure(key).text;
        assert!(!text.contains(['{', '(']), "a structure of the program's: {text}");
    }
}

#[test]
fn where_nothing_comes_at_all_the_work_ends() {
    let objects = objects(&serve(|_n, _path| Answer::Raw(Vec::new())), impatient());
    let lost = lost(&file(&objects, "a", 2, None));
    assert!(lost.ends_all, "nothing else can be had either: {lost:?}");
    assert!(lost.reason.starts_with("the connection failed: "), "{}", lost.reason);
    assert!(lost.help.unwrap().contains("--endpoint-url"));
}

#[test]
fn what_fails_too_long_is_left_out_where_other_objects_come() {
    let endpoint = serve(|_n, path| match path {
        "/logs/bad" => error!(500, "InternalError", "We encountered an internal error."),
        _ => Answer::Says(200, "etag: \"e\"\r\n", "ok"),
    });
    let objects = objects(&endpoint, impatient());
    let bad = file(&objects, "bad", 2, None);
    assert!(bad.opener.prepare(&bad));
    let done = AtomicBool::new(false);
    let lost = thread::scope(|scope| {
        // Others come all the while.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(read(&file(&objects, "good", 2, None)).unwrap().1, b"ok");
                thread::sleep(Duration::from_millis(5));
            }
        });
        let lost = lost(&bad);
        done.store(true, Ordering::Relaxed);
        lost
    });
    assert!(!lost.ends_all, "{lost:?}");
    assert!(lost.reason.contains("the next ingest tries it again"), "{}", lost.reason);
}

#[test]
fn an_object_is_read_on_from_where_it_broke_off() {
    // Each answer has the next ten bytes of a hundred, and promises all that are left.
    let endpoint = serve(|n, _path| {
        let from = n * 10;
        let text = format!(
            "HTTP/1.1 {} x\r\ncontent-length: {}\r\netag: \"e-1\"\r\n\
             content-range: bytes {from}-99/100\r\n\r\n{}",
            if n == 0 { 200 } else { 206 },
            100 - from,
            n.to_string().repeat(10)
        );
        Answer::Raw(text.into_bytes())
    });
    let objects = objects(&endpoint, FetchOptions::default());
    let (head, bytes) = read(&file(&objects, "a", 100, Some("e-1"))).unwrap();
    let expected: String = (0..10).map(|n: u32| n.to_string().repeat(10)).collect();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    assert_eq!(head.unwrap().size_bytes, Some(100));
}

#[test]
fn a_service_without_ranges_is_read_from_the_front_again() {
    let endpoint = serve(|n, _path| match n {
        0 => Answer::Raw(
            b"HTTP/1.1 200 x\r\ncontent-length: 10\r\netag: \"e-1\"\r\n\r\nabcde".to_vec(),
        ),
        _ => Answer::Says(200, "etag: \"e-1\"\r\n", "abcdefghij"),
    });
    let objects = objects(&endpoint, FetchOptions::default());
    assert_eq!(read(&file(&objects, "a", 10, Some("e-1"))).unwrap().1, b"abcdefghij");
}

#[test]
fn what_changes_while_it_is_read_is_read_anew_and_whole() {
    let endpoint = serve(|n, _path| match n {
        0 => Answer::Raw(
            b"HTTP/1.1 200 x\r\ncontent-length: 10\r\netag: \"a-1\"\r\n\r\nold".to_vec(),
        ),
        1 => error!(412, "PreconditionFailed", "At least one of the pre-conditions"),
        _ => Answer::Says(200, "etag: \"b-1\"\r\n", "new bytes"),
    });
    let objects = objects(&endpoint, FetchOptions::default());
    let (head, bytes) = read(&file(&objects, "a", 10, Some("a-1"))).unwrap();
    assert_eq!((bytes.as_slice(), head.unwrap().etag.as_deref()), (&b"new bytes"[..], Some("b-1")));
}

#[test]
fn bytes_are_compared_with_an_etag_that_is_their_md5() {
    // Of `right`, and of nothing here; the second as of an object under a key of KMS.
    let endpoint = serve(|n, path| match (path, n) {
        ("/logs/kms", _) => Answer::Says(
            200,
            "etag: \"00000000000000000000000000000000\"\r\nx-amz-server-side-encryption: aws:kms\r\n",
            "right",
        ),
        (_, 0) => Answer::Says(200, "etag: \"7c4f29407893c334a6cb7a87bf045c0d\"\r\n", "wrong"),
        _ => Answer::Says(200, "etag: \"7c4f29407893c334a6cb7a87bf045c0d\"\r\n", "right"),
    });
    let objects = objects(&endpoint, FetchOptions::default());
    assert_eq!(read(&file(&objects, "a", 5, None)).unwrap().1, b"right");
    assert_eq!(read(&file(&objects, "kms", 5, None)).unwrap().1, b"right");
}

#[test]
fn a_long_object_that_changes_is_not_put_together_from_two() {
    let endpoint = serve(|n, _path| match n {
        0 => {
            let mut bytes =
                b"HTTP/1.1 200 x\r\ncontent-length: 1000000\r\netag: \"a-1\"\r\n\r\n".to_vec();
            bytes.resize(500_000, b'x');
            Answer::Raw(bytes)
        }
        _ => error!(412, "PreconditionFailed", "At least one of the pre-conditions"),
    });
    let options = FetchOptions { memory_bytes: 1 << 20, ..FetchOptions::default() };
    let objects = objects(&endpoint, options);
    let lost = lost(&file(&objects, "a", 1_000_000, Some("a-1")));
    assert!(lost.reason.contains("overwritten"), "{}", lost.reason);
}

#[test]
fn memory_for_what_is_fetched_ahead_is_bounded_and_asking_goes_first() {
    let endpoint = serve(|_n, path| match path {
        "/logs/now" => Answer::Says(200, "etag: \"e\"\r\n", "now"),
        _ => Answer::Silence,
    });
    let options = FetchOptions { memory_bytes: 1 << 20, ..FetchOptions::default() };
    let cancelled = Arc::clone(&options.cancelled);
    let objects = objects(&endpoint, options);
    let ahead = |n: usize| file(&objects, &format!("{n}"), 100_000, None);
    let n_noted = (0..100).take_while(|n| objects.prepare(&ahead(*n))).count();
    assert!((8..=10).contains(&n_noted), "{n_noted}");
    assert!(objects.prepare(&ahead(0)), "what is known already needs no room");
    // Nothing of that ever comes; what is asked for does not wait for it.
    assert_eq!(read(&file(&objects, "now", 3, None)).unwrap().1, b"now");
    cancelled.store(true, Ordering::Relaxed);
    assert!(read(&ahead(0)).is_err(), "whoever waits hears that the work is over");
}
