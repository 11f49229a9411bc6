//! What an access-denied message tells of the policy behind it.

use memchr::memmem;

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Denial<'a> {
    /// The kind of policy that refused access.
    pub(crate) kind: Option<&'static str>,
    /// Its ARN.
    pub(crate) policy: Option<&'a [u8]>,
    /// The action that was refused.
    pub(crate) action: Option<&'a [u8]>,
    /// Whether it was denied explicitly, or allowed by none.
    pub(crate) explicit: Option<bool>,
}

const KINDS: [&str; 8] = [
    "identity-based policy",
    "resource-based policy",
    "permissions boundary",
    "session policy",
    "service control policy",
    "resource control policy",
    "VPC endpoint policy",
    "role trust policy",
];

/// Reads the forms that "Troubleshoot access denied error messages" of the IAM User Guide
/// documents; whatever a message does not say stays `None`.
pub(crate) fn denial(message: &[u8]) -> Denial<'_> {
    let mut denial = Denial {
        action: after(message, b"not authorized to perform: ").and_then(word),
        ..Denial::default()
    };
    if let Some(rest) = after(message, b"with an explicit deny in ") {
        let rest = [&b"a "[..], b"an ", b"the "]
            .iter()
            .find_map(|article| rest.strip_prefix(*article))
            .unwrap_or(rest);
        denial.explicit = Some(true);
        if let Some((kind, rest)) = kind(rest) {
            denial.kind = Some(kind);
            let policy = rest.strip_prefix(b": ").and_then(word);
            denial.policy = policy.filter(|policy| policy.starts_with(b"arn:"));
        }
    } else if let Some(rest) = after(message, b"because no ") {
        if let Some((kind, rest)) = kind(rest) {
            denial.kind = Some(kind);
            denial.explicit = Some(false);
            if let Some(rest) = rest.strip_prefix(b" allows the ") {
                denial.action = word(rest).or(denial.action);
            }
        }
    } else if after(message, b"denied due to a VPC endpoint policy").is_some() {
        denial.kind = Some("VPC endpoint policy");
    }
    denial
}

fn after<'a>(message: &'a [u8], words: &[u8]) -> Option<&'a [u8]> {
    message.get(memmem::find(message, words)? + words.len()..)
}

fn kind(text: &[u8]) -> Option<(&'static str, &[u8])> {
    KINDS.iter().find_map(|kind| Some((*kind, text.strip_prefix(kind.as_bytes())?)))
}

/// The word that `text` begins with, without the punctuation behind it.
fn word(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let mut word = text.get(..end)?;
    while let [rest @ .., b'.' | b',' | b';' | b':'] = word {
        word = rest;
    }
    (!word.is_empty()).then_some(word)
}
