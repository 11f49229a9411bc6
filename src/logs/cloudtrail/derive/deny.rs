//! What an access-denied message tells of the policy behind it.

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Denial<'a> {
    /// The kind of policy that refused access.
    pub(crate) kind: Option<&'static str>,
    /// Its ARN.
    pub(crate) policy: Option<&'a str>,
    /// The action that was refused.
    pub(crate) action: Option<&'a str>,
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
pub(crate) fn denial(message: &str) -> Denial<'_> {
    let mut denial = Denial {
        action: after(message, "not authorized to perform: ").and_then(word),
        ..Denial::default()
    };
    if let Some(rest) = after(message, "with an explicit deny in ") {
        let article = ["a ", "an ", "the "].iter().find_map(|article| rest.strip_prefix(article));
        denial.explicit = Some(true);
        if let Some((kind, rest)) = kind(article.unwrap_or(rest)) {
            denial.kind = Some(kind);
            let policy = rest.strip_prefix(": ").and_then(word);
            denial.policy = policy.filter(|policy| policy.starts_with("arn:"));
        }
    } else if let Some((kind, rest)) = after(message, "because no ").and_then(kind) {
        denial.kind = Some(kind);
        denial.explicit = Some(false);
        denial.action = rest.strip_prefix(" allows the ").and_then(word).or(denial.action);
    } else if message.contains("denied due to a VPC endpoint policy") {
        denial.kind = Some("VPC endpoint policy");
    }
    denial
}

fn after<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words).map(|(_, rest)| rest)
}

fn kind(text: &str) -> Option<(&'static str, &str)> {
    KINDS.iter().find_map(|kind| Some((*kind, text.strip_prefix(kind)?)))
}

/// The word that `text` begins with, without the punctuation behind it.
fn word(text: &str) -> Option<&str> {
    let word = text.split_ascii_whitespace().next()?.trim_end_matches(['.', ',', ';', ':']);
    (!word.is_empty()).then_some(word)
}
