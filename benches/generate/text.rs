//! Writing the small pieces that every record has: ids, times, templates.

use super::random::Rng;

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const UPPER: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ALNUM: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends a string.
pub fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `n` digits of `alphabet`, a power of two long.
fn letters<const N: usize>(out: &mut Vec<u8>, rng: &mut Rng, alphabet: &[u8; N], n: usize) {
    let bits = N.trailing_zeros();
    let per_word = (64 / bits) as usize;
    let mut left = n;
    while left > 0 {
        let mut word = rng.bits();
        for _ in 0..left.min(per_word) {
            out.push(alphabet[(word % N as u64) as usize]);
            word >>= bits;
        }
        left -= left.min(per_word);
    }
}

/// Appends `n` lower-case hexadecimal digits.
pub fn hex(out: &mut Vec<u8>, rng: &mut Rng, n: usize) {
    letters(out, rng, HEX, n);
}

/// Appends `n` letters and digits, as in tokens.
pub fn token(out: &mut Vec<u8>, rng: &mut Rng, n: usize) {
    letters(out, rng, ALNUM, n);
}

/// Appends S3's kind of request id.
pub fn s3_request_id(out: &mut Vec<u8>, rng: &mut Rng) {
    letters(out, rng, UPPER, 16);
}

/// Appends a version 4 UUID.
pub fn uuid(out: &mut Vec<u8>, rng: &mut Rng) {
    let start = out.len();
    letters(out, rng, HEX, 36);
    for dash in [8, 13, 18, 23] {
        out[start + dash] = b'-';
    }
    out[start + 14] = b'4';
    out[start + 19] = b"89ab"[(out[start + 19] & 3) as usize];
}

/// Appends an AWS unique id that ends in EXAMPLE: `AKIA` and nine letters more.
pub fn unique_id(out: &mut Vec<u8>, prefix: &str, rng: &mut Rng, n: usize) {
    put(out, prefix);
    letters(out, rng, BASE32, n);
    put(out, "EXAMPLE");
}

/// Appends a number.
pub fn number(out: &mut Vec<u8>, n: u64) {
    let mut digits = [0_u8; 20];
    let (mut at, mut rest) = (digits.len(), n);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn two(out: &mut Vec<u8>, n: i64) {
    out.push(b'0' + (n / 10 % 10) as u8);
    out.push(b'0' + (n % 10) as u8);
}

/// A civil date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    pub year: i64,
    pub month: i64,
    pub day: i64,
}

/// The date of a day counted from 1970-01-01 (Hinnant's `civil_from_days`).
pub fn date_of(days: i64) -> Date {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    Date { year: yoe + era * 400 + i64::from(month <= 2), month, day: doy - (153 * mp + 2) / 5 + 1 }
}

/// The day of a date, counted from 1970-01-01.
pub fn days_of(date: Date) -> i64 {
    let y = date.year - i64::from(date.month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (date.month + 9) % 12;
    let doy = (153 * mp + 2) / 5 + date.day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Appends `2024-01-02T03:04:05Z`; `seconds` count from 1970.
pub fn iso(out: &mut Vec<u8>, seconds: i64) {
    let (date, s) = (date_of(seconds.div_euclid(86_400)), seconds.rem_euclid(86_400));
    number(out, date.year.unsigned_abs());
    out.push(b'-');
    two(out, date.month);
    out.push(b'-');
    two(out, date.day);
    out.push(b'T');
    two(out, s / 3600);
    out.push(b':');
    two(out, s / 60 % 60);
    out.push(b':');
    two(out, s % 60);
    out.push(b'Z');
}

/// Appends `Jan 2, 2024, 3:04:05 AM`, with U+202F before AM as AWS writes since 2024.
pub fn us_date(out: &mut Vec<u8>, seconds: i64) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, s) = (date_of(seconds.div_euclid(86_400)), seconds.rem_euclid(86_400));
    put(out, MONTHS[(date.month - 1) as usize]);
    out.push(b' ');
    number(out, date.day.unsigned_abs());
    put(out, ", ");
    number(out, date.year.unsigned_abs());
    put(out, ", ");
    number(out, ((s / 3600 + 11) % 12 + 1).unsigned_abs());
    out.push(b':');
    two(out, s / 60 % 60);
    out.push(b':');
    two(out, s % 60);
    put(out, if s < 43_200 { "\u{202f}AM" } else { "\u{202f}PM" });
}

/// What a template's placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// `{a}`: the recipient account.
    pub account: &'a str,
    /// `{r}`: the region.
    pub region: &'a str,
    /// `{b}`: a bucket's name.
    pub bucket: &'a str,
    /// `{k}`: an object's key, the same wherever it occurs in one record.
    pub object: u64,
    /// `{d}` and `{m}`: the event's time.
    pub seconds: i64,
}

#[derive(Debug, Clone, Copy)]
enum Piece {
    Text(&'static str),
    Hole(u8),
}

/// JSON with holes: `{a}` account, `{r}` region, `{b}` bucket, `{k}` object key, `{h}` 17 hex
/// digits, `{u}` UUID, `{n}` a number, `{z}` a token of 75 letters, `{d}` a date in words, `{m}`
/// milliseconds since 1970, `{x}` a long text.
#[derive(Debug, Clone)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Cuts `text` at its holes.
    pub fn new(text: &'static str) -> Self {
        let (mut pieces, mut start) = (Vec::new(), 0);
        let bytes = text.as_bytes();
        for at in 0..bytes.len().saturating_sub(2) {
            let hole =
                bytes[at] == b'{' && bytes[at + 2] == b'}' && bytes[at + 1].is_ascii_lowercase();
            if hole && at >= start {
                pieces.push(Piece::Text(text.get(start..at).unwrap_or_default()));
                pieces.push(Piece::Hole(bytes[at + 1]));
                start = at + 3;
            }
        }
        pieces.push(Piece::Text(text.get(start..).unwrap_or_default()));
        Self(pieces)
    }

    /// Appends it filled.
    pub fn fill(&self, out: &mut Vec<u8>, filling: &Filling<'_>, rng: &mut Rng) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => put(out, text),
                Piece::Hole(hole) => fill_hole(out, *hole, filling, rng),
            }
        }
    }
}

fn fill_hole(out: &mut Vec<u8>, hole: u8, filling: &Filling<'_>, rng: &mut Rng) {
    match hole {
        b'a' => put(out, filling.account),
        b'r' => put(out, filling.region),
        b'b' => put(out, filling.bucket),
        b'k' => object_key(out, filling),
        b'h' => hex(out, rng, 17),
        b'u' => uuid(out, rng),
        b'n' => {
            let n = rng.below(1_000_000);
            number(out, n);
        }
        b'z' => token(out, rng, 75),
        b'd' => us_date(out, filling.seconds),
        b'm' => number(out, filling.seconds.unsigned_abs() * 1000),
        _ => {
            // Text that compresses about as well as policies and manifests do.
            let n = 4 + rng.index(24);
            for _ in 0..n {
                put(out, "{\\\"Effect\\\":\\\"Allow\\\",\\\"Sid\\\":\\\"");
                hex(out, rng, 12);
                put(out, "\\\"},");
            }
        }
    }
}

fn object_key(out: &mut Vec<u8>, filling: &Filling<'_>) {
    const FOLDERS: [&str; 8] =
        ["orders", "exports", "logs/app", "images", "raw", "reports", "tmp", "backup"];
    let n = filling.object;
    put(out, FOLDERS[(n % 8) as usize]);
    put(out, "/dt=");
    let date = date_of(filling.seconds.div_euclid(86_400));
    number(out, date.year.unsigned_abs());
    out.push(b'-');
    two(out, date.month);
    out.push(b'-');
    two(out, date.day);
    put(out, "/part-");
    number(out, n / 8);
    put(out, ".parquet");
}
