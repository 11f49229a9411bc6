//! What a call did, in plain words: its phrase with the slots filled, or one made from its name.

use super::{
    phrase::{Condition, Mark, Part, Phrase, Phrases},
    reading,
    record::Event,
};

/// Verbs whose past is not made by rule, with it.
const IRREGULAR: &[(&str, &str)] = &[
    ("begin", "began"),
    ("build", "built"),
    ("forbid", "forbade"),
    ("forget", "forgot"),
    ("get", "got"),
    ("give", "gave"),
    ("hold", "held"),
    ("keep", "kept"),
    ("leave", "left"),
    ("let", "let"),
    ("make", "made"),
    ("put", "put"),
    ("read", "read"),
    ("reset", "reset"),
    ("run", "ran"),
    ("say", "said"),
    ("send", "sent"),
    ("set", "set"),
    ("split", "split"),
    ("take", "took"),
    ("undo", "undid"),
    ("withdraw", "withdrew"),
    ("write", "wrote"),
];

/// Verbs whose last letter is doubled.
const DOUBLED: &[&str] = &[
    "admit", "commit", "drop", "log", "map", "opt", "plan", "put", "scan", "ship", "stop",
    "submit", "tag", "transfer", "trim", "untag", "wrap",
];

/// Verbs with which names of APIs begin and that no phrase has; what begins otherwise is told by
/// its name alone.
const FURTHER_VERBS: &[&str] = &[
    "abort",
    "accept",
    "acknowledge",
    "add",
    "analyze",
    "apply",
    "approve",
    "archive",
    "assign",
    "batch",
    "bulk",
    "cancel",
    "check",
    "claim",
    "clear",
    "clone",
    "confirm",
    "configure",
    "contain",
    "convert",
    "count",
    "decrypt",
    "define",
    "deliver",
    "deploy",
    "deprecate",
    "describe",
    "detect",
    "encrypt",
    "enroll",
    "estimate",
    "evaluate",
    "evict",
    "expire",
    "extend",
    "failover",
    "filter",
    "flush",
    "generate",
    "head",
    "import",
    "increase",
    "index",
    "initialize",
    "initiate",
    "install",
    "invite",
    "issue",
    "list",
    "lock",
    "lookup",
    "merge",
    "migrate",
    "modify",
    "monitor",
    "notify",
    "opt",
    "poll",
    "post",
    "preview",
    "process",
    "promote",
    "provision",
    "publish",
    "purchase",
    "reboot",
    "record",
    "refresh",
    "register",
    "reject",
    "release",
    "remove",
    "renew",
    "replace",
    "report",
    "resend",
    "reserve",
    "resolve",
    "respond",
    "resume",
    "retrieve",
    "retry",
    "return",
    "rollback",
    "search",
    "select",
    "sign",
    "signal",
    "simulate",
    "swap",
    "switch",
    "sync",
    "synchronize",
    "test",
    "track",
    "transfer",
    "unarchive",
    "unassign",
    "undeploy",
    "uninstall",
    "unlabel",
    "unlink",
    "unlock",
    "unmonitor",
    "unregister",
    "unsubscribe",
    "unshare",
    "upgrade",
    "upload",
    "validate",
    "verify",
    "view",
    "wait",
];

/// What a call did, in parts, so that several like it can be told as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether it is told unless everything is.
    pub(super) mark: Mark,
    /// The verb, in its plain form.
    pub(super) verb: String,
    /// What stands between the verb and the first slot.
    pub(super) head: String,
    /// What the first slot holds: a value or a list.
    pub(super) firsts: Vec<String>,
    /// What follows it.
    pub(super) rest: String,
}

impl Said {
    /// What the call of `event` did.
    pub(super) fn of(event: &Event<'_>) -> Self {
        let service = event.get("service").unwrap_or_default();
        let name = event.get("name").or_else(|| event.get("eventname")).unwrap_or_default();
        let phrases = Phrases::table().of(service, name);
        let applies = |phrase: &&Phrase| phrase.conditions.iter().all(|one| holds(event, one));
        let phrase = phrases.iter().find(applies);
        phrase.and_then(|phrase| filled(event, phrase)).unwrap_or_else(|| {
            let mark = phrase.map_or(Mark::Changes, |phrase| phrase.mark);
            Self { mark, ..made_from_name(event, service, name) }
        })
    }

    /// What was done: `created access key AKIA… for user bob`.
    pub(super) fn done(&self) -> String {
        self.with(&past(&self.verb))
    }

    /// What was to be done: `create access key for user bob`.
    pub(super) fn to_be_done(&self) -> String {
        self.with(&self.verb)
    }

    fn with(&self, verb: &str) -> String {
        let first = reading::listed(self.firsts.clone()).unwrap_or_default();
        format!("{verb}{}{first}{}", self.head, self.rest)
    }

    /// Whether several that differ in the first slot alone can be told as one: a noun stands
    /// before it.
    pub(super) fn is_countable(&self) -> bool {
        let (_, noun) = self.noun();
        !self.firsts.is_empty()
            && self.head.ends_with(' ')
            && !noun.is_empty()
            && noun.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | ' '))
    }

    /// `n` times the same with other first slots: `read 95 objects of bucket b`.
    pub(super) fn counted(&self, verb: &str, about: &str, n: u64) -> String {
        let (before, noun) = self.noun();
        let n = crate::output::human::count(n);
        format!("{verb}{before}{about}{n} {}{}", plural(noun), self.rest)
    }

    /// The words before the first slot: those up to its noun, and the noun.
    fn noun(&self) -> (&str, &str) {
        const NO_NOUNS: [&str; 17] = [
            "the", "a", "an", "of", "in", "to", "for", "from", "with", "by", "on", "at", "as",
            "whether", "which", "who", "what",
        ];
        let head = self.head.trim_end();
        let (mut start, mut at) = (head.len() - head.trim_start().len(), 0);
        for word in head.split_inclusive(' ') {
            at += word.len();
            if NO_NOUNS.contains(&word.trim()) {
                start = at;
            }
        }
        head.split_at_checked(start).unwrap_or((head, ""))
    }
}

fn holds(event: &Event<'_>, condition: &Condition) -> bool {
    reading::holds(event, &condition.path, condition.value.as_deref())
}

/// `phrase` with its slots filled; nothing where one leads nowhere.
fn filled(event: &Event<'_>, phrase: &Phrase) -> Option<Said> {
    let mut said = Said {
        mark: phrase.mark,
        verb: phrase.verb.clone(),
        head: String::new(),
        firsts: Vec::new(),
        rest: String::new(),
    };
    let mut parts = phrase.parts.iter();
    for part in parts.by_ref() {
        match part {
            Part::Words(words) => said.head.push_str(words),
            Part::Slot(paths) => {
                let read = |path| Some(reading::words(event, path)).filter(|w| !w.is_empty());
                said.firsts = paths.iter().find_map(read)?;
                break;
            }
            Part::Maybe(_) => {
                said.head.push_str(&text_of(event, std::slice::from_ref(part))?);
            }
        }
    }
    said.rest = text_of(event, parts.as_slice())?;
    Some(said)
}

fn text_of(event: &Event<'_>, parts: &[Part]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Words(words) => text.push_str(words),
            Part::Slot(paths) => {
                text.push_str(&paths.iter().find_map(|path| reading::read(event, path))?);
            }
            Part::Maybe(parts) => text.push_str(&text_of(event, parts).unwrap_or_default()),
        }
    }
    Some(text)
}

/// `CreateDBSnapshot` → `create DB snapshot NAME`, with the parameter that tells most.
fn made_from_name(event: &Event<'_>, service: &str, name: &str) -> Said {
    let mark = Mark::Changes;
    let words = split(name);
    let verb = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    if !is_verb(&verb) {
        let name = if name.is_empty() { "a call without a name" } else { name };
        let of = if service.is_empty() { String::new() } else { format!(" of {service}") };
        let verb =
            if event.get("eventtype") == Some("AwsServiceEvent") { "report" } else { "call" };
        let head = " ".to_owned();
        return Said { mark, verb: verb.to_owned(), head, firsts: vec![name.to_owned()], rest: of };
    }
    let noun: Vec<String> = words.iter().skip(1).map(|word| lower(word)).collect();
    let head = if noun.is_empty() { " ".to_owned() } else { format!(" {} ", noun.join(" ")) };
    let Some(first) = telling(event, &noun) else {
        let (head, rest) = (head.trim_end().to_owned(), format!(" ({service})"));
        return Said { mark, verb, head, firsts: Vec::new(), rest };
    };
    Said { mark, verb, head, firsts: vec![first], rest: String::new() }
}

fn is_verb(word: &str) -> bool {
    static VERBS: std::sync::LazyLock<std::collections::HashSet<String>> =
        std::sync::LazyLock::new(|| {
            let further = FURTHER_VERBS.iter().map(|verb| (*verb).to_owned());
            let irregular = IRREGULAR.iter().map(|(verb, _)| (*verb).to_owned());
            further.chain(irregular).chain(Phrases::table().verbs()).collect()
        });
    VERBS.contains(word)
}

/// The parameter that names what a call is about: `dBSnapshotIdentifier` for `DB snapshot`.
fn telling(event: &Event<'_>, noun: &[String]) -> Option<String> {
    const ENDINGS: [&str; 5] = ["name", "identifier", "id", "arn", ""];
    let noun = noun.concat().to_lowercase();
    let singular = noun.strip_suffix('s').unwrap_or(&noun);
    let wanted = ENDINGS.iter().map(|ending| format!("{singular}{ending}"));
    let wanted = wanted.chain(["name", "id", "identifier", "arn"].map(str::to_owned));
    let request = super::phrase::Path {
        root: super::phrase::Root::Request,
        steps: Vec::new(),
        reading: None,
    };
    let members = event.values(&request).into_iter().find_map(|value| value.as_object());
    if let Some(members) = members {
        let scalar = |name: &str| {
            let path = super::phrase::Path { steps: vec![name.to_owned()], ..request.clone() };
            reading::read(event, &path)
        };
        let mut exact = wanted.into_iter().filter(|name| !name.is_empty());
        let found = exact.find_map(|name| scalar(&name));
        let by_ending = || {
            let mut names = members.keys().filter(|name| {
                ["Name", "Id", "Identifier", "Arn", "ARN"].iter().any(|end| name.ends_with(end))
            });
            names.find_map(|name| scalar(name))
        };
        if let Some(found) = found.or_else(by_ending) {
            return Some(found);
        }
    }
    ["denied", "resource"].into_iter().find_map(|part| {
        let root = super::phrase::Root::Event;
        let path = super::phrase::Path { root, steps: vec![part.to_owned()], reading: None };
        reading::read(event, &path)
    })
}

/// `CreateDBSnapshot` → `Create`, `DB`, `Snapshot`.
fn split(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut words: Vec<String> = Vec::new();
    for (at, c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = c.is_uppercase()
            && (before.is_none_or(|before| !before.is_uppercase())
                || after.is_some_and(|after| after.is_lowercase()));
        match words.last_mut() {
            Some(word) if !begins => word.push(*c),
            _ => words.push(c.to_string()),
        }
    }
    words
}

/// `Snapshot` → `snapshot`; `DB` stays, and so do what are no words: `Kms` → `KMS`.
fn lower(word: &str) -> String {
    const NO_WORDS: [&str; 22] = [
        "ACL", "AMI", "API", "AWS", "DB", "DNS", "EBS", "EC2", "IAM", "IP", "KMS", "MFA", "RDS",
        "SAML", "SES", "SMS", "SNS", "SQS", "SSM", "TLS", "URL", "VPC",
    ];
    if let Some(known) = NO_WORDS.iter().find(|known| known.eq_ignore_ascii_case(word)) {
        return (*known).to_owned();
    }
    let is_acronym = word.chars().count() > 1 && word.chars().all(|c| !c.is_lowercase());
    if is_acronym { word.to_owned() } else { word.to_lowercase() }
}

/// The past of `verb`.
pub(super) fn past(verb: &str) -> String {
    if let Some((_, past)) = IRREGULAR.iter().find(|(plain, _)| *plain == verb) {
        return (*past).to_owned();
    }
    let last = verb.chars().last().unwrap_or('e');
    let before = verb.chars().rev().nth(1).unwrap_or('e');
    if DOUBLED.contains(&verb) {
        format!("{verb}{last}ed")
    } else if last == 'e' {
        format!("{verb}d")
    } else if last == 'y' && !"aeiou".contains(before) {
        format!("{}ied", verb.trim_end_matches('y'))
    } else {
        format!("{verb}ed")
    }
}

/// Several of `noun`.
fn plural(noun: &str) -> String {
    let last_two: String = noun.chars().rev().take(2).collect();
    match last_two.chars().collect::<Vec<_>>().as_slice() {
        ['y', before] if !"aeiou".contains(*before) => {
            format!("{}ies", noun.trim_end_matches('y'))
        }
        ['s', 's'] | ['x', _] | ['h', 'c' | 's'] => format!("{noun}es"),
        ['s', _] => noun.to_owned(),
        _ => format!("{noun}s"),
    }
}
