//! Values as they are typed on the command line: sizes, names; times are those of the pivots.

pub(super) use crate::pivots::{since, until};

/// Parses a size in bytes: `512MiB`, `2G`, `1.5GB`, `1048576`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 512MiB, 2GiB, 500MB or 1048576 (bytes)".to_owned();
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).ok_or_else(wrong)?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nobody means more than nine digits behind the point.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let whole: u64 = whole.parse().map_err(|_not_a_number| wrong())?;
    let scale = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let part = if fraction.is_empty() {
        0
    } else {
        let part: u64 = fraction.parse().map_err(|_not_a_number| wrong())?;
        u64::try_from(u128::from(part) * u128::from(factor) / u128::from(scale)).unwrap_or(0)
    };
    whole
        .checked_mul(factor)
        .and_then(|bytes| bytes.checked_add(part))
        .ok_or_else(|| "that is more than any machine has".to_owned())
}

/// Like [`size`], but at least one byte.
pub(super) fn positive_size(text: &str) -> Result<u64, String> {
    size(text).and_then(|bytes| match bytes {
        0 => Err("expected more than nothing".to_owned()),
        bytes => Ok(bytes),
    })
}

/// Parses the memory to use, which must be enough to work with.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    size(text).and_then(|bytes| match bytes {
        0..0x400_0000 => Err("at least 64MiB are needed".to_owned()),
        bytes => Ok(bytes),
    })
}

/// Parses the URL of a service.
pub(super) fn url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => {
            Err("expected a URL such as https://s3.example.org or http://127.0.0.1:7070".to_owned())
        }
    }
}

/// Parses an AWS account id: twelve digits.
pub(super) fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("expected twelve digits".to_owned()) }
}

/// Parses the name of a case, which becomes the name of a directory.
pub(super) fn case(text: &str) -> Result<String, String> {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let is_name = !text.is_empty()
        && text.len() <= 100
        && !text.starts_with(['.', ' ', '-'])
        && !text.ends_with([' ', '.'])
        && text.chars().all(is_fine);
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits, `-`, `_` and `.`, starting with a letter or digit"
            .to_owned())
    }
}

/// Parses a parameter of a saved query: `key=value`.
pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests;
