//! URLs: <https://trino.io/docs/current/functions/url.html>.
//!
//! Trino reads them with `java.net.URI`, so what that does not take (a space, `|`, a broken escape)
//! is no URL and gives NULL, and a host with an underscore is none, which gives the empty string.

use std::{borrow::Cow, net::Ipv6Addr};

use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    Function,
    call::{Call, Kind::Varchar, bigint, given, quoted, scalar, take, varchar},
};

const FAMILY: &str = "URLs";

pub(super) fn functions() -> Vec<Function> {
    let mut all = parts();
    all.extend(rest());
    all
}

fn parts() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "url_extract_protocol",
            [],
            "url_extract_protocol(url) → varchar",
            "What is before the colon: https, s3.",
            [("url_extract_protocol('https://example.com/p')", "https")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| part(args, |url| Cow::Borrowed(url.scheme))
        ),
        scalar!(
            FAMILY,
            "url_extract_host",
            [],
            "url_extract_host(url) → varchar",
            "The host.",
            [("url_extract_host('https://example.com:8443/p')", "example.com")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| part(args, |url| Cow::Borrowed(url.host))
        ),
        scalar!(
            FAMILY,
            "url_extract_path",
            [],
            "url_extract_path(url) → varchar",
            "The path, its escapes decoded.",
            [("url_extract_path('https://example.com/a%20b?c')", "/a b")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| part(args, |url| decoded(url.path))
        ),
        scalar!(
            FAMILY,
            "url_extract_query",
            [],
            "url_extract_query(url) → varchar",
            "What is after the question mark, its escapes decoded.",
            [("url_extract_query('https://example.com/p?a=1&b=2#c')", "a=1&b=2")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| part(args, |url| decoded(url.query.unwrap_or_default()))
        ),
        scalar!(
            FAMILY,
            "url_extract_fragment",
            [],
            "url_extract_fragment(url) → varchar",
            "What is after the number sign, its escapes decoded.",
            [("url_extract_fragment('https://example.com/p#top')", "top")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            |args| part(args, |url| decoded(url.fragment))
        ),
    ]
}

fn rest() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "url_extract_port",
            [],
            "url_extract_port(url) → bigint",
            "The port; NULL where the URL names none.",
            [("url_extract_port('https://example.com:8443/p')", "8443")],
            |types| take(types, &[&[Varchar]]),
            bigint,
            port
        ),
        scalar!(
            FAMILY,
            "url_extract_parameter",
            [],
            "url_extract_parameter(url, name) → varchar",
            "The first value of a parameter of the query, its escapes decoded: empty where it has \
             none, NULL where the parameter is not there.",
            [("url_extract_parameter('https://example.com/?a=1&b=x%20y', 'b')", "x y")],
            |types| take(types, &[&[Varchar, Varchar]]),
            varchar,
            parameter
        ),
        scalar!(
            FAMILY,
            "url_encode",
            [],
            "url_encode(string) → varchar",
            "The string for use as a parameter's name or value: a space becomes `+`, what is not a \
             letter, a digit or one of `.-*_` an escape.",
            [("url_encode('a b&c')", "a+b%26c")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            encode
        ),
        scalar!(
            FAMILY,
            "url_decode",
            [],
            "url_decode(string) → varchar",
            "The reverse of url_encode. A broken escape is an error.",
            [("url_decode('a+b%26c')", "a b&c")],
            |types| take(types, &[&[Varchar]]),
            varchar,
            decode
        ),
    ]
}

/// The parts of a URL, as they are written.
#[derive(Debug, Default)]
struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<i64>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: &'a str,
}

/// Characters that URIs have without escapes besides letters and digits.
const UNRESERVED: &str = "-_.!~*'()";

/// Whether `text` is made of letters, digits, `more`, escapes, and characters that are not ASCII.
fn legal(text: &str, more: &str) -> bool {
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let fits = match character {
            '%' => {
                let digits = [rest.next(), rest.next()];
                digits.iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            ascii if ascii.is_ascii() => {
                ascii.is_ascii_alphanumeric() || UNRESERVED.contains(ascii) || more.contains(ascii)
            }
            other => !other.is_control() && !other.is_whitespace(),
        };
        if !fits {
            return false;
        }
    }
    true
}

impl<'a> Url<'a> {
    const ANY: &'static str = ";/?:@&=+$,[]";
    const PATH: &'static str = ":@&=+$,;/";

    fn parse(text: &'a str) -> Option<Self> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        if !legal(fragment, Self::ANY) {
            return None;
        }
        let mut url = Self { fragment, ..Self::default() };
        let mut rest = text;
        let scheme = text.find([':', '/', '?']).and_then(|at| text.split_at_checked(at));
        if let Some((scheme, after)) = scheme
            && let Some(after) = after.strip_prefix(':')
        {
            let mut letters = scheme.chars();
            let first = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
            let fits = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
            if !first || !letters.all(fits) || after.is_empty() {
                return None;
            }
            (url.scheme, rest) = (scheme, after);
            if !after.starts_with('/') {
                // Not hierarchical: `mailto:bob@example.com`.
                return legal(after, Self::ANY).then_some(url);
            }
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        if !query.is_none_or(|query| legal(query, Self::ANY)) {
            return None;
        }
        url.query = query;
        url.path = rest;
        if let Some(after) = rest.strip_prefix("//") {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(end)?;
            url.path = path;
            if authority.is_empty() && path.is_empty() && query.is_none() && fragment.is_empty() {
                return None;
            }
            url.authority(authority)?;
        }
        legal(url.path, Self::PATH).then_some(url)
    }

    /// Takes host and port out of `authority`: nothing where it is not legal, no host where it is
    /// legal but not that of a server.
    fn authority(&mut self, authority: &'a str) -> Option<()> {
        const REGISTRY: &str = "$,;:@&=+";
        let after = match authority.rsplit_once('@') {
            Some((user, after)) if legal(user, ";:&=+$,") => after,
            _ => authority,
        };
        let (host, port) = match after.strip_prefix('[') {
            Some(bracketed) => {
                let (address, rest) = bracketed.split_once(']')?;
                let address = address.split_once('%').map_or(address, |(address, _)| address);
                address.parse::<Ipv6Addr>().ok()?;
                let host = after.get(..after.len() - rest.len())?;
                (host, rest)
            }
            None => {
                after.find(':').and_then(|at| after.split_at_checked(at)).unwrap_or((after, ""))
            }
        };
        let digits = port.strip_prefix(':').unwrap_or(port);
        let is_port = digits.bytes().all(|byte| byte.is_ascii_digit())
            && (port.is_empty() || port.starts_with(':'));
        if host.starts_with('[') || is_host(host) {
            if is_port {
                self.host = host;
                self.port = match digits {
                    "" => None,
                    digits => Some(i64::from(digits.parse::<i32>().ok()?)),
                };
                return Some(());
            }
            if host.starts_with('[') {
                return None;
            }
        }
        legal(authority, REGISTRY).then_some(())
    }
}

/// Whether `host` is an IPv4 address or a name: labels of letters, digits and inner hyphens, the
/// last beginning with a letter.
fn is_host(host: &str) -> bool {
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.split('.').all(label) && last.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// `text` with its escapes decoded; what they decode to and is no UTF-8 becomes U+FFFD.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    // Checked when it was parsed.
    let _ = unescape(text, &mut bytes);
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Appends `text` with its escapes decoded; nothing where one is broken.
fn unescape(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut pieces = text.split('%');
    out.extend(pieces.next().unwrap_or_default().bytes());
    for piece in pieces {
        let (digits, after) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend(after.bytes());
    }
    Some(())
}

fn part(
    args: &ScalarFunctionArgs,
    of: impl for<'a> Fn(&Url<'a>) -> Cow<'a, str>,
) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.write_text(|row, out| {
        out.push_str(&of(&given!(Url::parse(given!(texts.get(row))))));
        Ok(Some(()))
    })
}

fn port(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.make_longs(|row| Ok(given!(Url::parse(given!(texts.get(row)))).port))
}

fn parameter(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (texts, names) = (call.texts(0)?, call.texts(1)?);
    call.write_text(|row, out| {
        let (text, name) = (given!(texts.get(row)), given!(names.get(row)));
        let query = given!(given!(Url::parse(text)).query);
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decoded(key) == name {
                out.push_str(&decoded(value));
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
}

fn encode(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    call.write_text(|row, out| {
        for byte in given!(texts.get(row)).bytes() {
            match byte {
                b' ' => out.push('+'),
                b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
                _ => out.extend(['%', digit(byte >> 4), digit(byte & 15)]),
            }
        }
        Ok(Some(()))
    })
}

fn decode(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let texts = call.texts(0)?;
    let mut bytes = Vec::new();
    call.write_text(|row, out| {
        let text = given!(texts.get(row));
        bytes.clear();
        if unescape(&text.replace('+', " "), &mut bytes).is_none() {
            return exec_err!("an escape in {} is broken", quoted(text));
        }
        out.push_str(&String::from_utf8_lossy(&bytes));
        Ok(Some(()))
    })
}
