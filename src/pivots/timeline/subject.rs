//! Whose events: what the user named, and the SQL that finds it.

use std::net::IpAddr;

use crate::{ErrorKind, Result};

/// Something that a timeline is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// An access key id.
    Key(String),
    /// An address, in canonical text.
    Address(String),
    /// A network, such as 203.0.113.0/24.
    Network(String),
    /// Whoever has this ARN: a user, a role with all its sessions, one session.
    Arn(String),
    /// All of an account.
    Account(String),
    /// A service, such as lambda.amazonaws.com.
    Service(String),
    /// An id such as AIDA… or AROA…, with all its sessions.
    PrincipalId(String),
    /// A user, a role, a session of that name, or `role/session`.
    Name(String),
}

impl Subject {
    /// What the user named.
    ///
    /// # Errors
    /// It can be nothing of all this.
    pub(super) fn read(text: &str) -> Result<Self> {
        let wrong = |reason: &str| ErrorKind::Value {
            name: "SUBJECT".to_owned(),
            value: text.to_owned(),
            reason: reason.to_owned(),
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(wrong("expected an access key, an address, a principal or a name").into());
        }
        if let Ok(address) = trimmed.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_string()));
        }
        if let Some((address, bits)) = trimmed.split_once('/')
            && let Ok(address) = address.parse::<IpAddr>()
        {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= most);
            let bits = bits.ok_or_else(|| wrong("expected a network such as 203.0.113.0/24"))?;
            return Ok(Self::Network(format!("{address}/{bits}")));
        }
        let owned = trimmed.to_owned();
        Ok(match trimmed {
            _ if trimmed.starts_with("arn:") => Self::Arn(owned),
            _ if is_id(trimmed, &["AKIA", "ASIA"]) => Self::Key(owned),
            _ if is_id(trimmed, &["AIDA", "AROA", "AIPA", "AGPA"]) => Self::PrincipalId(owned),
            _ if trimmed.len() == 12 && trimmed.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Account(owned)
            }
            _ if trimmed.ends_with(".amazonaws.com") => Self::Service(owned),
            _ => Self::Name(owned),
        })
    }

    /// The condition that finds its events, with `:p` for its text.
    pub(super) fn condition(&self, p: &str) -> String {
        match self {
            Self::Key(_) => format!("useridentity.accesskeyid = :{p}"),
            // The same address is written in several ways only where it is one of IPv6.
            Self::Address(address) if address.contains(':') => format!("src_ip = :{p}"),
            Self::Address(_) => format!("sourceipaddress = :{p}"),
            Self::Network(_) => format!("contains(:{p}, TRY_CAST(src_ip AS ipaddress))"),
            Self::Arn(_) => format!("(principal_key = :{p} OR useridentity.arn = :{p})"),
            Self::Account(_) => format!("actor_account = :{p}"),
            Self::Service(_) => {
                format!("(useridentity.invokedby = :{p} OR sourceipaddress = :{p})")
            }
            Self::PrincipalId(_) => format!(
                "(split_part(useridentity.principalid, ':', 1) = :{p} \
                  OR useridentity.sessioncontext.sessionissuer.principalid = :{p})"
            ),
            Self::Name(_) => format!(
                "(useridentity.username = :{p} OR session_name = :{p} \
                  OR useridentity.sessioncontext.sessionissuer.username = :{p} \
                  OR (useridentity.type = 'Root' AND lower(:{p}) = 'root') \
                  OR concat(useridentity.sessioncontext.sessionissuer.username, '/', session_name) = :{p})"
            ),
        }
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Key(text)
            | Self::Address(text)
            | Self::Network(text)
            | Self::Arn(text)
            | Self::Account(text)
            | Self::Service(text)
            | Self::PrincipalId(text)
            | Self::Name(text) => text,
        }
    }
}

/// Whether `text` is an id that begins with one of `kinds`.
fn is_id(text: &str, kinds: &[&str]) -> bool {
    text.len() >= 16
        && kinds.iter().any(|kind| text.starts_with(kind))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_told_by_its_form() {
        let read = |text: &str| Subject::read(text).unwrap();
        assert_eq!(read("AKIAIOSFODNN7EXAMPLE"), Subject::Key("AKIAIOSFODNN7EXAMPLE".into()));
        assert_eq!(read("2001:DB8::0:1"), Subject::Address("2001:db8::1".into()));
        assert_eq!(read("203.0.113.0/24"), Subject::Network("203.0.113.0/24".into()));
        assert_eq!(read("111122223333"), Subject::Account("111122223333".into()));
        assert_eq!(read("config.amazonaws.com"), Subject::Service("config.amazonaws.com".into()));
        assert_eq!(read("data/backup"), Subject::Name("data/backup".into()));
        assert_eq!(read("AKIAnovel"), Subject::Name("AKIAnovel".into()));
        assert!(Subject::read("203.0.113.0/99").is_err());
        assert!(Subject::read(" ").is_err());
    }
}
