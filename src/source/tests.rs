use std::{
    fs,
    io::{Cursor, Read as _, Write as _},
};

use ::zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{archive::Format, *};

fn uris(listing: &Listing) -> Vec<&str> {
    listing.files.iter().map(|file| &*file.uri).collect()
}

fn list(sources: &[String]) -> Result<Listing> {
    let (filter, aws) = (Filter::default(), AwsOptions::default());
    let (n_listed, cancelled) = (AtomicU64::new(0), Arc::default());
    let temp_dir = std::env::temp_dir();
    let options = ListOptions {
        filter: &filter,
        aws: &aws,
        versions: false,
        inventories: &[],
        n_listed: &n_listed,
        temp_dir: &temp_dir,
        cancelled: &cancelled,
        fetcher: &Arc::default(),
    };
    super::list(sources, &options)
}

fn list_of(path: &Path) -> Listing {
    list(&[path.to_str().unwrap().to_owned()]).unwrap()
}

fn read(file: &LogFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = file.open().unwrap().reader.take(1 << 20);
    io::copy(&mut reader, &mut bytes).unwrap();
    bytes
}

fn tree() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap().to_str().unwrap().to_owned();
    (dir, root)
}

#[test]
fn lists_every_file_hidden_ones_and_those_in_git_included() {
    let (dir, root) = tree();
    for name in ["b.json", ".hidden/a.json", ".git/config", "a/z.json.gz", "README.md"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let listing = list_of(dir.path());
    let expected = [".git/config", ".hidden/a.json", "README.md", "a/z.json.gz", "b.json"];
    assert_eq!(uris(&listing), expected.map(|name| format!("{root}/{name}")));
    assert!(listing.unread.is_empty());
    let file = &listing.files[4];
    assert_eq!((file.size_bytes, &*file.source), (6, root.as_str()));
    assert!(file.modified_at.is_some() && !file.once && file.container.is_none());
    assert_eq!(read(file), b"b.json");
}

#[test]
fn a_file_named_twice_is_listed_once() {
    let (dir, root) = tree();
    fs::write(dir.path().join("a.json"), "[]").unwrap();
    let sources = [
        root.clone(),
        format!("{root}/a.json"),
        format!("{root}/../{}", { dir.path().file_name().unwrap().to_str().unwrap() }),
    ];
    let listing = list(&sources).unwrap();
    assert_eq!(uris(&listing), [format!("{root}/a.json")]);
}

#[cfg(unix)]
#[test]
fn links_are_named_and_not_followed() {
    let (dir, root) = tree();
    let (outside, _) = tree();
    fs::write(outside.path().join("x.json"), "[]").unwrap();
    fs::write(dir.path().join("a.json"), "[]").unwrap();
    let link = |target: &Path, name| std::os::unix::fs::symlink(target, dir.path().join(name));
    link(dir.path(), "loop").unwrap();
    link(&dir.path().join("a.json"), "in").unwrap();
    link(outside.path(), "out").unwrap();
    link(Path::new("nowhere"), "dangling").unwrap();
    let listing = list_of(dir.path());
    assert_eq!(uris(&listing), [format!("{root}/a.json")]);
    let why = |name: &str| {
        let uri = format!("{root}/{name}");
        &listing.unread.iter().find(|unread| *unread.uri == uri).unwrap().why
    };
    assert!(matches!(why("loop"), Why::Other(_)));
    assert!(matches!(why("in"), Why::Other(_)));
    assert!(matches!(why("out"), Why::Fault(reason) if reason.contains("leads out")));
    assert!(matches!(why("dangling"), Why::Fault(_)));
    // A source that is itself a link is meant.
    assert_eq!(uris(&list_of(&dir.path().join("loop"))), [format!("{root}/a.json")]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_named_below_a_source_and_read_once_as_one() {
    let (dir, root) = tree();
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let listing = list_of(dir.path());
    assert!(listing.files.is_empty());
    assert_eq!(&*listing.unread[0].uri, format!("{root}/pipe"));
    let listing = list_of(&pipe);
    assert!(listing.files[0].once);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_told_apart_and_can_be_opened() {
    use std::os::unix::ffi::OsStrExt as _;
    let (dir, root) = tree();
    for name in [&b"caf\xe9.json"[..], b"caf\xe8.json", b"caf%E9.json", b"50%\xff"] {
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
    }
    let listing = list_of(dir.path());
    let expected = ["50%25%FF", "caf%E8.json", "caf%E9.json"];
    assert_eq!(uris(&listing)[..3], expected.map(|name| format!("{root}/{name}")));
    assert_eq!(read(&listing.files[1]), b"caf\xe8.json");
}

#[test]
fn sources_that_cannot_be_read_say_why() {
    let message = |source: &str| {
        let error = list(&[source.to_owned()]).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        message("/no/such/place"),
        "cannot read the source `/no/such/place`: there is no such file or directory"
    );
    assert_eq!(
        message("s3:///prefix"),
        "cannot read the source `s3:///prefix`: it names no bucket: `s3://bucket/prefix`"
    );
}

#[test]
fn a_filter_chooses_by_what_the_key_tells() {
    let key = |account: &str, region: &str, day| LogKey {
        account: Some(account.to_owned()),
        region: Some(region.to_owned()),
        day: Some(day),
        kind: None,
    };
    let day = |day: u32| {
        let date = NaiveDate::from_ymd_opt(2024, 3, day).unwrap();
        date.and_hms_opt(15, 0, 0).unwrap().and_utc().timestamp_micros()
    };
    let filter = Filter {
        since: Some(day(5)),
        until: Some(day(7)),
        accounts: vec!["111122223333".to_owned()],
        regions: vec!["us-east-1".to_owned(), "eu-west-1".to_owned()],
        ..Filter::default()
    };
    let chosen = |account, region, day| filter.chooses(&key(account, region, (2024, 3, day)));
    assert!(!chosen("111122223333", "us-east-1", 4));
    assert!(chosen("111122223333", "us-east-1", 5));
    // Events of the 7th may be delivered two days later.
    assert!(chosen("111122223333", "eu-west-1", 9));
    assert!(!chosen("111122223333", "us-east-1", 10));
    assert!(!chosen("444455556666", "us-east-1", 6));
    assert!(!chosen("111122223333", "us-west-2", 6));
    assert!(filter.chooses(&LogKey::default()));
}

#[test]
fn caches_and_sources_are_kept_apart() {
    let (dir, root) = tree();
    let evidence = dir.path().join("evidence");
    fs::create_dir(&evidence).unwrap();
    let sources = [format!("{root}/evidence")];
    let apart = |cache: &str| check_apart(&dir.path().join(cache), None, &sources);
    assert!(apart("cache").is_ok());
    assert!(apart("evidence2/cache").is_ok());
    for cache in ["evidence", "evidence/new/cache", "evidence2/../evidence/cache", ""] {
        let error = apart(cache).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::CacheInsideSource { .. }), "{cache}: {error}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&evidence, dir.path().join("link")).unwrap();
        assert!(apart("link/cache").is_err());
    }
    let spools = check_apart(&dir.path().join("cache"), Some(&evidence.join("tmp")), &sources);
    assert!(matches!(spools.unwrap_err().kind(), ErrorKind::Value { .. }));
}

#[test]
fn a_cache_in_a_bucket_is_kept_apart_from_sources_there() {
    let apart = |cache: &str, source: &str| {
        let temp_dir = std::env::temp_dir();
        check_apart(Path::new(cache), Some(&temp_dir), &[source.to_owned()])
    };
    assert!(apart("s3://logs/cache", "s3://logs/AWSLogs").is_ok());
    assert!(apart("s3://logs/AWSLogs2", "s3://logs/AWSLogs").is_ok());
    assert!(apart("/cache", "s3://logs").is_ok());
    for (cache, source) in [
        ("s3://logs/AWSLogs/cache", "s3://logs/AWSLogs"),
        ("s3://logs/cache", "s3://logs"),
        ("s3://logs", "s3://logs/AWSLogs/"),
    ] {
        let error = apart(cache, source).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::CacheInsideSource { .. }), "{cache}: {error}");
    }
}

fn zip_of(members: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, method) in members {
        let options = SimpleFileOptions::default().compression_method(*method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn expanded(bytes: &[u8]) -> io::Result<archive::Members> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, bytes).unwrap();
    let mut file = list_of(&path).files.remove(0);
    file.uri = Arc::from("/e/a.zip");
    let window = Window::of_spool(fs::File::open(&path).unwrap(), bytes.len() as u64);
    let format = archive::sniff(&bytes[..bytes.len().min(archive::SNIFF_BYTES)]).unwrap();
    archive::expand(&file, &window, format, &Filter::default())
}

/// Patches a number in every header of a zip: (offset in the local one, in the central one).
fn patch(zip: &mut [u8], name: &str, (local, central): (usize, usize), value: u16) {
    let at = |zip: &[u8], signature: &[u8], name_at: usize| {
        (0..zip.len() - name_at).find(|&at| {
            zip[at..].starts_with(signature) && zip[at + name_at..].starts_with(name.as_bytes())
        })
    };
    let places = [
        at(zip, b"PK\x03\x04", 30).unwrap() + local,
        at(zip, b"PK\x01\x02", 46).unwrap() + central,
    ];
    for place in places {
        zip[place..place + 2].copy_from_slice(&value.to_le_bytes());
    }
}

#[test]
fn zip_members_are_files_whatever_their_names() {
    let (stored, deflated) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    let mut bytes = zip_of(&[
        ("b.json", b"second", deflated),
        ("../../etc/passwd", b"slip", stored),
        ("x.json", b"first", stored),
        ("y.json", b"again", stored),
        ("dir/", b"", stored),
        ("secret.json", b"hidden", stored),
        ("odd.json", b"packed", stored),
    ]);
    // A name that occurs twice, which the writer refuses to write.
    for at in 0..bytes.len() - 6 {
        if &bytes[at..at + 6] == b"y.json" {
            bytes[at] = b'x';
        }
    }
    patch(&mut bytes, "secret.json", (6, 8), 1);
    patch(&mut bytes, "odd.json", (8, 10), 12);
    let members = expanded(&bytes).unwrap();
    let names: Vec<_> = members.files.iter().map(|file| &*file.uri).collect();
    assert_eq!(
        names,
        [
            "/e/a.zip!/../../etc/passwd",
            "/e/a.zip!/b.json",
            "/e/a.zip!/x.json",
            "/e/a.zip!/x.json#2"
        ]
    );
    let contents: Vec<_> = members.files.iter().filter(|file| file.order != 1).map(read).collect();
    assert_eq!(contents, [&b"slip"[..], b"first", b"again"]);
    let packed = members.files[1].open().unwrap();
    assert!(packed.deflated && packed.crc32 == Some(libdeflater::crc32(b"second")));
    assert_eq!(members.files[1].size_bytes, 6);
    assert_eq!(members.files[1].container.as_deref(), Some("/e/a.zip"));
    let whys: Vec<_> = members.unread.iter().map(|unread| (&*unread.uri, &unread.why)).collect();
    assert_eq!(whys[0].0, "/e/a.zip!/secret.json");
    assert_eq!(*whys[0].1, Why::Fault("encrypted zip member".to_owned()));
    assert!(matches!(whys[1].1, Why::Fault(why) if why.contains("bzip2")), "{whys:?}");
    assert!(members.damage.is_none() && !members.filtered);
}

#[test]
fn a_zip_without_its_directory_is_damaged() {
    let bytes = zip_of(&[("a.json", b"[]", CompressionMethod::Stored)]);
    let error = expanded(&bytes[..bytes.len() - 30]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn tar_members_are_files_also_where_a_name_comes_again() {
    let long = format!("{}/x.json", "d".repeat(150));
    let bytes = tar_of(&[("a.json", b"one"), (&long, b"two"), ("a.json", b"three")]);
    assert_eq!(archive::sniff(&bytes), Some(Format::Tar));
    let members = expanded(&bytes).unwrap();
    let names: Vec<_> = members.files.iter().map(|file| &*file.uri).collect();
    let long = format!("/e/a.zip!/{long}");
    assert_eq!(names, ["/e/a.zip!/a.json", "/e/a.zip!/a.json#2", &long]);
    assert_eq!(members.files.iter().map(read).collect::<Vec<_>>(), [&b"one"[..], b"three", b"two"]);
    assert_eq!(members.files[0].modified_at, Some(1_700_000_000_000_000));
    assert!(members.damage.is_none());
}

#[test]
fn a_tar_that_ends_early_gives_what_is_there_and_says_so() {
    let bytes = tar_of(&[("a.json", b"one"), ("b.json", &[b'x'; 2000])]);
    let members = expanded(&bytes[..512 + 512 + 512 + 700]).unwrap();
    assert_eq!(members.files.len(), 2);
    let (offset, reason) = members.damage.unwrap();
    assert_eq!((offset, reason.as_str()), (2236, "the tar archive ends inside `b.json`"));
    let mut broken = tar_of(&[("a.json", b"one"), ("b.json", b"two")]);
    broken[1024 + 150] ^= 1;
    let members = expanded(&broken).unwrap();
    assert_eq!(members.files.len(), 1);
    assert!(members.damage.is_some());
}

#[test]
fn json_is_no_archive() {
    let mut text = b"{\"Records\":[".repeat(60);
    assert_eq!(archive::sniff(&text), None);
    text[148..156].copy_from_slice(b"0000000\0");
    assert_eq!(archive::sniff(&text), None);
    assert_eq!(archive::sniff(b"PK"), None);
    assert_eq!(archive::sniff(b""), None);
    assert_eq!(archive::sniff(&[0; 512]), None);
}
