//! What parameters and responses say of credentials beyond the companion columns.

use chrono::NaiveDateTime;

use super::{
    gather::Rare,
    ids::Id,
    texts::{Text, Texts},
    time::Time,
};
use crate::logs::cloudtrail::{derive::event_time, scan};

/// What an issuing event's parameters and response tell.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The name of the session that was asked for.
    pub(super) session_name: Option<Text>,
    /// Until when the credentials are good.
    pub(super) expiration: Time,
    /// The long-term key that was made.
    pub(super) made_key: Option<Id>,
}

impl Told {
    /// Of the event called `name`: its parameters, its response, and what it says further. What few
    /// have goes to `rare`.
    pub(super) fn of(
        name: &str,
        json: [Option<&str>; 3],
        rare: &mut Rare,
        texts: &mut Texts,
    ) -> Self {
        let [request, response, more] = json;
        let mut told = Self::default();
        match name {
            "CreateAccessKey" => {
                let made = response.and_then(|response| scan::find(response, "accessKey"));
                let user = text(made, "userName").or_else(|| text(request, "userName"));
                rare.made_for = texts.put(user.as_deref());
                told.made_key = Id::of(text(made, "accessKeyId").as_deref(), texts);
            }
            "CreateLoginProfile" | "UpdateLoginProfile" => {
                rare.made_for = texts.put(text(request, "userName").as_deref());
            }
            "ConsoleLogin" => {
                rare.mfa = text(more, "MFAUsed").map(|used| used.eq_ignore_ascii_case("yes"));
            }
            "GetWebIdentityToken" => {
                rare.token = texts.put(text(response, "webIdentityTokenId").as_deref());
            }
            _ => {
                let session = text(request, "roleSessionName").or_else(|| text(request, "name"));
                told.session_name = texts.put(session.as_deref());
                let credentials = response.and_then(|response| scan::find(response, "credentials"));
                let expiration = text(credentials, "expiration");
                told.expiration = Time::from(expiration.as_deref().and_then(instant));
                let identity = text(request, "sourceIdentity");
                let identity = identity.or_else(|| text(response, "sourceIdentity"));
                rare.source_identity = texts.put(identity.as_deref());
                let token = text(request, "webIdentityTokenId");
                let token = token.or_else(|| text(more, "webIdentityTokenId"));
                rare.token = texts.put(token.as_deref());
            }
        }
        told
    }
}

/// The text under `key` in the object `json`.
fn text(json: Option<&str>, key: &str) -> Option<String> {
    let raw = scan::find(json?, key).and_then(scan::inside)?;
    let mut out = String::with_capacity(raw.len());
    scan::unescape(raw, &mut out);
    Some(out)
}

/// The instant that an expiration tells: `Nov 30, 2024, 8:43:17 PM`, with or without the second
/// comma and with whatever space before the last word, or as other times are written.
fn instant(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split([',', ' ', '\u{a0}', '\u{202f}']).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let read = NaiveDateTime::parse_from_str(&words.join(" "), "%b %d %Y %I:%M:%S %p");
    match read {
        Ok(read) => Some(read.and_utc().timestamp_micros()),
        Err(_) => event_time(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expirations_are_read_in_all_their_spellings() {
        let at = event_time("2024-11-30T20:43:17Z");
        for text in [
            "Nov 30, 2024, 8:43:17 PM",
            "Nov 30, 2024 8:43:17 PM",
            "Nov 30, 2024, 8:43:17\u{202f}PM",
            "2024-11-30T20:43:17Z",
        ] {
            assert_eq!(instant(text), at, "{text}");
        }
        assert_eq!(instant("soon"), None);
    }
}
