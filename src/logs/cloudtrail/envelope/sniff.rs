//! What bytes are by their first few: the formats that must be unpacked before they can be read,
//! and those that hold no log at all.

use memchr::memmem;

/// How a file must be read, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sniff {
    /// A gzip member (RFC 1952).
    Gzip,
    /// A zip archive, also an empty or a spanned one.
    Zip,
    /// A tar archive (POSIX ustar or GNU).
    Tar,
    /// A Zstandard frame (RFC 8878), also a skippable one.
    Zstd,
    /// A bzip2 stream.
    Bzip2,
    /// An xz stream.
    Xz,
    /// UTF-16 text, little-endian, with a byte-order mark: what PowerShell's `>` writes.
    Utf16Le,
    /// UTF-16 text, big-endian, with a byte-order mark.
    Utf16Be,
    /// An Apache Parquet file.
    Parquet,
    /// Nothing of these: to be read as it is.
    Plain,
}

/// The bytes that [`sniff`] must see of a longer file.
pub const SNIFF_BYTES: usize = 512;

/// Tells the format of a file from its first bytes, at least [`SNIFF_BYTES`] where there are as
/// many.
pub fn sniff(prefix: &[u8]) -> Sniff {
    let skippable = prefix.get(1..4) == Some(&[0x2A, 0x4D, 0x18])
        && prefix.first().is_some_and(|b| b & 0xF0 == 0x50);
    match prefix {
        [0x1F, 0x8B, ..] => Sniff::Gzip,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Sniff::Zip,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Sniff::Zstd,
        _ if skippable => Sniff::Zstd,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Sniff::Bzip2,
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Sniff::Xz,
        [b'P', b'A', b'R', b'1', ..] => Sniff::Parquet,
        [0xFF, 0xFE, rest @ ..] if !rest.starts_with(&[0, 0]) => Sniff::Utf16Le,
        [0xFE, 0xFF, ..] => Sniff::Utf16Be,
        _ if prefix.get(257..262) == Some(b"ustar") => Sniff::Tar,
        _ => Sniff::Plain,
    }
}

/// Formats known by their first bytes, each with its name.
static MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "PDF document"),
    (b"\x89PNG\r\n", "PNG image"),
    (b"\xFF\xD8\xFF", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"7z\xBC\xAF\x27\x1C", "7-Zip archive"),
    (b"Rar!\x1A\x07", "RAR archive"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x7FELF", "ELF binary"),
    (b"MZ", "Windows executable"),
    (b"ElfFile\0", "Windows event log"),
    (b"Obj\x01", "Avro file"),
    (b"ORC", "ORC file"),
    (b"\xD4\xC3\xB2\xA1", "packet capture"),
    (b"\xA1\xB2\xC3\xD4", "packet capture"),
    (b"\x0A\x0D\x0D\x0A", "packet capture"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "Microsoft Office document"),
    (b"OggS", "Ogg media"),
    (b"\xFF\xFE\0\0", "UTF-32 text"),
    (b"\0\0\xFE\xFF", "UTF-32 text"),
];

/// Names a file that is no text, or is markup, by its first bytes.
pub(super) fn magic(prefix: &[u8]) -> Option<&'static str> {
    let packed = match sniff(prefix) {
        Sniff::Gzip => "gzip data",
        Sniff::Zip => "zip archive",
        Sniff::Tar => "tar archive",
        Sniff::Zstd => "Zstandard data",
        Sniff::Bzip2 => "bzip2 data",
        Sniff::Xz => "xz data",
        Sniff::Utf16Le | Sniff::Utf16Be => "UTF-16 text",
        Sniff::Parquet => "Parquet file",
        Sniff::Plain => {
            // `MZ` and `ORC` begin words, too.
            let found = MAGIC.iter().find(|(magic, _)| prefix.starts_with(magic));
            let found = found.filter(|(magic, _)| magic.len() > 3 || !is_text(prefix));
            return found.map(|(_, name)| *name);
        }
    };
    Some(packed)
}

/// Whether the bytes read as text: UTF-8 (a character cut off at the end does not count), and no
/// NUL in it.
pub(super) fn is_text(prefix: &[u8]) -> bool {
    let cut = |error: std::str::Utf8Error| error.error_len().is_none();
    !prefix.contains(&0) && std::str::from_utf8(prefix).map_or_else(cut, |_| true)
}

/// Names text that is no JSON, from its beginning.
pub(super) fn text(prefix: &[u8]) -> &'static str {
    let start = prefix.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(prefix).trim_ascii_start();
    if start.is_empty() {
        return if prefix.contains(&0) { "NUL bytes" } else { "empty file" };
    }
    if start.iter().all(|b| *b == 0) {
        return "NUL bytes";
    }
    if let Some(name) = magic(prefix) {
        return name;
    }
    if !is_text(prefix) {
        return "binary data";
    }
    let has = |needle: &[u8]| memmem::find(start, needle).is_some();
    let lower = start.iter().take(256).map(u8::to_ascii_lowercase).collect::<Vec<_>>();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return "HTML document";
    }
    if lower.starts_with(b"<?xml") || start.first() == Some(&b'<') && has(b"</") {
        return "XML document";
    }
    if let Some(name) = start.split(|b| *b == b'\n').take(3).find_map(log_line) {
        return name;
    }
    if has(b"Licensed under") || has(b"License") && (has(b"Permission is hereby") || has(b"TERMS"))
    {
        return "licence text";
    }
    if has(b"Creative Commons") || lower.starts_with(b"mit license") || has(b"Apache License") {
        return "licence text";
    }
    let headed = start.starts_with(b"#") && start.trim_ascii_start().contains(&b' ');
    if headed || has(b"\n# ") || has(b"\n## ") || has(b"\n```") {
        return "Markdown text";
    }
    "text"
}

/// Names the log that a line is of, or the header of.
fn log_line(line: &[u8]) -> Option<&'static str> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let words: Vec<&str> = line.split(' ').take(12).collect();
    let word = |i: usize| words.get(i).copied().unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_time = |text: &str| text.len() >= 19 && text.get(10..11) == Some("T");
    let is_flow = line.contains("srcaddr") && line.contains("dstaddr")
        || digits(word(0)) && word(2).starts_with("eni-");
    let is_lb =
        matches!(word(0), "http" | "https" | "h2" | "grpcs" | "ws" | "wss") && is_time(word(1));
    let is_nlb = word(0) == "tls" && word(1).starts_with(|c: char| c.is_ascii_digit());
    let is_classic = is_time(word(0)) && word(2).contains(':') && word(3).contains(':');
    let is_s3 = word(0).len() == 64 && word(2).starts_with('[') && word(3).starts_with('+');
    let is_postgres = word(2).starts_with("UTC:") && line.contains("]:");
    let is_mysql = line.ends_with(",0")
        && line
            .split(',')
            .nth(6)
            .is_some_and(|w| matches!(w, "CONNECT" | "DISCONNECT" | "QUERY" | "FAILED_CONNECT"));
    Some(match () {
        () if line.starts_with("#Fields:") && line.contains("x-edge-location") => {
            "CloudFront access log"
        }
        () if line.starts_with("#Fields:") => "W3C extended log",
        () if is_flow => "VPC flow log",
        () if is_lb || is_nlb || is_classic => "ELB access log",
        () if is_s3 => "S3 server access log",
        () if is_postgres || is_mysql => "RDS log",
        () if word(0).starts_with("1.") && is_time(word(1)) && word(2).starts_with('Z') => {
            "Route 53 query log"
        }
        () if word(3).starts_with('[') && line.contains("HTTP/") => "web server access log",
        () if line.starts_with('<')
            && line.get(1..4).is_some_and(|p| p.contains('>') || digits(p)) =>
        {
            "syslog"
        }
        () => return None,
    })
}
