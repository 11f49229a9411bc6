//! Where credentials came from, and all that was done with what came of them.
//!
//! The links are the table `sessions`; here they become trees: from the human, the key or the
//! service that began them down to the last session, with what was called at each place.
//!
//! ```text
//! sessions ─ rows ─► those of the subject's trees ─ tree ─► what is asked for, folded
//! events ─ calls ─► what was done with each ──────────────► text
//! ```

mod calls;
mod fold;
mod near;
mod rows;
mod text;
mod tree;

use serde::Serialize;

pub use self::text::{TextOptions, render};
use crate::{ErrorKind, Result, engine::Session};

/// The longest value that is looked for, in bytes.
const MAX_VALUE_BYTES: usize = 8 << 10;

/// The most trees that are shown.
const MAX_TREES: usize = 20;

/// What of a tree is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The whole tree: up to what began it, and down from there.
    #[default]
    Both,
    /// From what began it down to the subject.
    Up,
    /// From the subject down.
    Down,
}

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceOptions {
    /// Only credentials that were used or issued at this time or later, in microseconds.
    pub since: Option<i64>,
    /// Or at this time or earlier.
    pub until: Option<i64>,
    /// Which way to go.
    pub direction: Direction,
}

/// The trees that a subject stands in.
#[derive(Debug, Serialize)]
pub struct Trace {
    /// What was asked for.
    pub subject: String,
    /// What it was taken for: `credential`, `principal`, or `source`, what credentials came from.
    pub read_as: &'static str,
    /// Which way.
    pub direction: Direction,
    /// The credentials that are the subject, or the subject's.
    pub found: u64,
    /// The credentials in their trees; those that were looked at where there are too many.
    pub credentials: u64,
    /// How many of the trees' credentials were not looked at.
    pub not_looked_at: u64,
    /// The trees.
    pub trees: Vec<Node>,
    /// How many more there are.
    pub trees_left_out: u64,
    /// Where nothing was found: values of the cache that look like the subject.
    pub near: Vec<String>,
    /// What should be known beside the answer.
    #[serde(skip)]
    pub notices: Vec<String>,
}

/// Credentials in a tree, or several alike that are folded into one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Node {
    /// The access key id, or the id of a sign-in's event; nothing where it is not known or several.
    pub credential: Option<String>,
    /// `long_term_key`, `temporary_key`, `console_login`.
    pub kind: String,
    /// Whether it is the subject, or has it among those that are folded.
    pub is_subject: bool,
    /// How many credentials are folded here; 1 for those that stand for themselves.
    pub folded: u64,
    /// Whose they are.
    pub principal: Option<String>,
    /// The session's name; where sessions are folded, what is common to their names.
    pub session_name: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// What ties them to their parent, as in `sessions`.
    pub edge: String,
    /// How sure that is.
    pub sure: String,
    /// How many could be meant.
    pub candidates: u64,
    /// The parent, as in `sessions`.
    pub parent: Option<String>,
    /// What it is.
    pub parent_kind: Option<String>,
    /// Whose it is.
    pub parent_principal: Option<String>,
    /// The event that issued them; of several the first.
    pub issued: Option<Issued>,
    /// When the last of those that are folded was issued.
    pub last_issued: Option<String>,
    /// Whether MFA was used, where it is told.
    pub mfa: Option<String>,
    /// The first event made with them.
    pub first_use: Option<String>,
    /// The last.
    pub last_use: Option<String>,
    /// Events made with them.
    pub calls: u64,
    /// How many of these were denied.
    pub denied: u64,
    /// What was called; nothing where too many credentials are folded.
    pub done: Option<Done>,
    /// What is odd.
    pub note: Option<String>,
    /// What came of them.
    pub children: Vec<Node>,
    /// The access keys that stand here.
    #[serde(skip)]
    keys: Vec<String>,
}

/// An issuing event.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Issued {
    /// When.
    pub time: String,
    /// Its id.
    pub event_id: Option<String>,
    /// Its name.
    pub event_name: Option<String>,
    /// From where it was called.
    pub address: Option<String>,
}

/// What was done with credentials.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Done {
    /// How many different APIs were called.
    pub apis: u64,
    /// From where, the most frequent first.
    pub addresses: Vec<Counted>,
    /// How many more addresses there are.
    pub more_addresses: u64,
    /// What may have changed something, in the order of the first time.
    pub changes: Vec<Counted>,
    /// How many more such APIs there are.
    pub more_changes: u64,
}

/// Something, how often, and how often denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The API or address.
    pub value: String,
    /// How often.
    pub count: u64,
    /// How often it was denied.
    pub denied: u64,
}

/// Traces `subject`, an access key id, a principal, or what credentials came from.
///
/// # Errors
/// The subject is no such thing, or the cache cannot be read.
pub async fn trace(session: &Session, subject: &str, options: TraceOptions) -> Result<Trace> {
    let subject = subject.trim();
    if subject.is_empty() || subject.len() > MAX_VALUE_BYTES {
        return Err(ErrorKind::Value {
            name: "trace".to_owned(),
            value: subject.chars().take(40).collect(),
            reason: "expected an access key id, an ARN, or the name of a user, role or session"
                .to_owned(),
        }
        .into());
    }
    let found = rows::of(session, subject).await?;
    let mut answer = Trace {
        subject: subject.to_owned(),
        read_as: found.read_as,
        direction: options.direction,
        found: found.n_subjects,
        credentials: found.rows.len() as u64,
        not_looked_at: found.n_more,
        trees: Vec::new(),
        trees_left_out: 0,
        near: Vec::new(),
        notices: found.notices,
    };
    if found.rows.is_empty() {
        answer.near = near::near(session, subject).await?;
        return Ok(answer);
    }
    let is_one = found.read_as == "credential";
    let mut trees = fold::folded(tree::trees(found.rows, &options), is_one);
    answer.trees_left_out = trees.len().saturating_sub(MAX_TREES) as u64;
    trees.truncate(MAX_TREES);
    answer.trees = trees;
    calls::add(session, &mut answer.trees).await?;
    Ok(answer)
}
