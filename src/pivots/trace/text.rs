//! Trees as text: a line for whose the credentials are, then how they came, when, what was done.

use std::{borrow::Cow, fmt::Write as _};

use unicode_width::UnicodeWidthStr as _;

use super::{Counted, Direction, Done, Node, Trace};
use crate::output::{
    human::{count, counted},
    visible,
};

/// How text is written.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    /// The width of lines, in columns.
    pub width: usize,
    /// Whether to use colour.
    pub color: bool,
    /// Whether lines may be drawn with characters beyond ASCII.
    pub unicode: bool,
}

/// The least columns that are written for.
const MIN_WIDTH: usize = 40;

/// The deepest that lines are indented, in levels; what lies deeper says how deep.
const MAX_INDENT: usize = 12;

/// Tells `trace` in lines; ends in a line feed.
pub fn render(trace: &Trace, options: &TextOptions) -> String {
    let mut paper =
        Paper { width: options.width.max(MIN_WIDTH), color: options.color, text: String::new() };
    let subject = visible(&trace.subject);
    if trace.trees.is_empty() {
        nothing(trace, &subject, &mut paper);
        return paper.text;
    }
    if trace.found > 1 || trace.not_looked_at > 0 || trace.trees_left_out > 0 {
        paper.line("", "", &summary(trace, &subject), "");
        paper.text.push('\n');
    }
    for (nth, tree) in trace.trees.iter().enumerate() {
        if nth > 0 {
            paper.text.push('\n');
        }
        branch(tree, &mut paper);
    }
    if options.unicode { paper.text } else { in_ascii(&paper.text) }
}

/// The text with what is drawn here in ASCII.
fn in_ascii(text: &str) -> String {
    const SPELLINGS: [(&str, &str); 7] =
        [("├─", "|-"), ("└─", "`-"), ("│", "|"), ("◀", "<-"), ("·", "-"), ("→", "to"), ("×", "x")];
    SPELLINGS.iter().fold(text.to_owned(), |text, (drawn, plain)| text.replace(drawn, plain))
}

fn summary(trace: &Trace, subject: &str) -> String {
    let trees = trace.trees.len() as u64 + trace.trees_left_out;
    let of = match trace.read_as {
        "source" => "came from",
        "principal" => "belong to",
        _ => "are",
    };
    let mut text = format!(
        "{} {of} {subject} · {}",
        counted(trace.found, "credential", "credentials"),
        counted(trees, "tree", "trees")
    );
    if trace.trees_left_out > 0 {
        let _ = write!(text, ", the first {} of them here", trace.trees.len());
    }
    if trace.not_looked_at > 0 {
        let _ = write!(
            text,
            " · only the first {} of {} credentials were looked at: SQL over `sessions` has all",
            count(trace.credentials),
            count(trace.credentials + trace.not_looked_at)
        );
    }
    text
}

fn nothing(trace: &Trace, subject: &str, paper: &mut Paper) {
    if trace.found > 0 {
        paper.line("", "", &format!("no credentials of {subject} lived at that time"), "");
        return;
    }
    let text = format!(
        "no credentials are called {subject} or belong to such a principal, as far as the evidence \
         goes (`trailhound status` tells what it covers)"
    );
    paper.line("", "", &text, "");
    for near in &trace.near {
        paper.line("  ", "    ", &format!("near: {}", visible(near)), "");
    }
}

/// Writes a tree; its nodes are kept on a list, however deep they lie.
fn branch(tree: &Node, paper: &mut Paper) {
    let mut left: Vec<(&Node, Vec<bool>)> = vec![(tree, Vec::new())];
    while let Some((node, lasts)) = left.pop() {
        let levels = lasts.get(lasts.len().saturating_sub(MAX_INDENT)..).unwrap_or_default();
        let is_root = lasts.is_empty();
        let mut before = String::new();
        if lasts.len() > MAX_INDENT {
            let _ = write!(before, "({}) ", lasts.len());
        }
        let (ends, inner) =
            levels.split_last().map_or((None, levels), |(end, rest)| (Some(*end), rest));
        for is_last in inner {
            before.push_str(if *is_last { "   " } else { "│  " });
        }
        let mut after = before.clone();
        if let Some(is_last) = ends {
            before.push_str(if is_last { "└─ " } else { "├─ " });
            after.push_str(if is_last { "   " } else { "│  " });
        }
        after.push_str(if node.children.is_empty() { "   " } else { "│  " });
        head(node, &before, &after, paper);
        for line in details(node, is_root) {
            paper.line(&after, "", &line, "");
        }
        let n_children = node.children.len();
        for (nth, child) in node.children.iter().enumerate().rev() {
            let mut lasts = lasts.clone();
            lasts.push(nth + 1 == n_children);
            left.push((child, lasts));
        }
    }
}

/// Who.
fn head(node: &Node, before: &str, after: &str, paper: &mut Paper) {
    let name = match &node.credential {
        _ if node.folded > 1 => counted(node.folded, "credential", "credentials"),
        Some(_) if node.kind == "console_login" => "console sign-in".to_owned(),
        Some(credential) => visible(credential).into_owned(),
        None => "credentials whose key is not recorded".to_owned(),
    };
    let mut text = String::new();
    if let Some(principal) = &node.principal {
        let _ = write!(text, " · {}", short(principal));
    }
    if let Some(session) = &node.session_name {
        let _ = write!(text, " · session {}", visible(session));
    }
    if let Some(account) = &node.account {
        let _ = write!(text, " · {}", visible(account));
    }
    let mark = match (node.is_subject, node.folded > 1) {
        (false, _) => "",
        (true, false) => "  ◀",
        (true, true) => "  ◀ among them",
    };
    paper.headline(before, after, &name, &text, mark);
}

/// The end of a principal's ARN that tells who it is: `user/bob`, `role/app`.
fn short(principal: &str) -> Cow<'_, str> {
    let end = principal.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4));
    visible(end.unwrap_or(principal))
}

fn details(node: &Node, is_root: bool) -> Vec<String> {
    let mut lines = vec![how(node, is_root)];
    lines.extend(when(node));
    if let Some(done) = &node.done {
        lines.extend(from(done));
        lines.extend(changes(done));
    }
    if let Some(note) = &node.note {
        lines.push(format!("odd: {}", visible(note)));
    }
    lines
}

/// How they came to be.
fn how(node: &Node, is_root: bool) -> String {
    let issued = issued(node);
    let mut text = match node.edge.as_str() {
        "created_key" => format!("made{issued}"),
        "console_login" | "sign_in_session" if node.parent.is_some() && !is_root => {
            "key of that sign-in".to_owned()
        }
        "sign_in_session" => "key of a sign-in that is not in the evidence".to_owned(),
        "sign_in" => format!("signed in{issued}"),
        "created_password" => {
            format!("signed in{issued} with a password that the parent may have set")
        }
        "forward_access" => "a service's key, for a call of the parent".to_owned(),
        "source_identity" => "has the source identity that the parent set".to_owned(),
        "issued_to" => "no event tells the issuing".to_owned(),
        "long_term_key" => "no event tells who made it".to_owned(),
        "unknown_issuer" if node.parent_kind.is_some() => {
            "unknown issuer: a console session whose sign-in is not in the evidence".to_owned()
        }
        "unknown_issuer" => "unknown issuer: the evidence does not cover it".to_owned(),
        "web_identity_token" => format!("issued{issued} for a token that the parent asked for"),
        "shared_event_id" => format!("issued{issued}, joined over two accounts"),
        "role_session" => format!("issued{issued} for the same session"),
        _ => format!("issued{issued}"),
    };
    let is_outside = is_root && !matches!(node.edge.as_str(), "sign_in" | "long_term_key");
    if let (true, Some(kind), Some(parent)) = (is_outside, &node.parent_kind, &node.parent) {
        let kind = kind.replace('_', " ");
        let _ = write!(text, " · from {kind} {}", visible(parent));
        let who = node.parent_principal.as_ref().filter(|who| *who != parent);
        if let Some(who) = who {
            let _ = write!(text, " ({})", short(who));
        }
    }
    match node.mfa.as_deref() {
        Some("true") => text.push_str(" · with MFA"),
        Some("false") if node.kind == "console_login" => text.push_str(" · without MFA"),
        _ => {}
    }
    if node.sure != "certain" && !node.sure.is_empty() {
        let _ = write!(text, " · {}", visible(&node.sure));
        if node.candidates > 1 && node.folded == 1 {
            let _ = write!(text, ", one of {}", count(node.candidates));
        }
    }
    text
}

/// ` by AssumeRole at … from …`.
fn issued(node: &Node) -> String {
    let Some(issued) = &node.issued else { return String::new() };
    let mut text = String::new();
    if let Some(name) = issued.event_name.as_ref().filter(|name| *name != "ConsoleLogin") {
        let _ = write!(text, " by {}", visible(name));
    }
    let _ = write!(text, " at {}", visible(&issued.time));
    if let Some(last) = node.last_issued.as_ref().filter(|last| **last != issued.time) {
        let _ = write!(text, " → {}", visible(last));
    }
    if let Some(address) = &issued.address {
        let _ = write!(text, " from {}", visible(address));
    }
    text
}

/// When they were used, and how much.
fn when(node: &Node) -> Option<String> {
    let (Some(first), Some(last)) = (&node.first_use, &node.last_use) else {
        return (node.kind != "console_login").then(|| "no event shows them used".to_owned());
    };
    let mut text = if first == last { first.clone() } else { format!("{first} → {last}") };
    let _ = write!(text, " · {}", counted(node.calls, "call", "calls"));
    if node.denied > 0 {
        let _ = write!(text, ", {} denied", count(node.denied));
    }
    if let Some(done) = &node.done {
        let _ = write!(text, " · {}", counted(done.apis, "API", "APIs"));
    }
    Some(text)
}

fn from(done: &Done) -> Option<String> {
    let addresses: Vec<String> = done
        .addresses
        .iter()
        .map(|address| format!("{} ({})", visible(&address.value), count(address.count)))
        .collect();
    let more = if done.more_addresses > 0 {
        format!(" and {} more", count(done.more_addresses))
    } else {
        String::new()
    };
    (!addresses.is_empty()).then(|| format!("from {}{more}", addresses.join(", ")))
}

fn changes(done: &Done) -> Option<String> {
    let change = |change: &Counted| {
        let times =
            if change.count > 1 { format!(" ×{}", count(change.count)) } else { String::new() };
        let denied = match change.denied {
            0 => String::new(),
            n if n == change.count => " (denied)".to_owned(),
            n => format!(" ({} denied)", count(n)),
        };
        format!("{}{times}{denied}", visible(&change.value))
    };
    let changes: Vec<String> = done.changes.iter().map(change).collect();
    let more = if done.more_changes > 0 {
        format!(" and {} more APIs", count(done.more_changes))
    } else {
        String::new()
    };
    (!changes.is_empty()).then(|| format!("changed: {}{more}", changes.join(", ")))
}

/// Text as it grows, in lines no wider than the screen.
struct Paper {
    width: usize,
    color: bool,
    text: String,
}

impl Paper {
    /// A name that stands out, and what follows it.
    fn headline(&mut self, before: &str, after: &str, name: &str, rest: &str, mark: &str) {
        let start = self.text.len();
        self.line(before, after, &format!("{name}{rest}"), mark);
        if self.color
            && let Some(at) = self.text.get(start..).and_then(|line| line.find(name))
        {
            let from = start + at;
            self.text.insert_str(from + name.len(), "\x1b[0m");
            self.text.insert_str(from, "\x1b[1m");
        }
    }

    /// A line that begins with `before`, and each further one with `after` where that is told;
    /// `mark` stands at the end.
    fn line(&mut self, before: &str, after: &str, text: &str, mark: &str) {
        let after = if after.is_empty() { before } else { after };
        let mut line = before.to_owned();
        let mut is_empty = true;
        for word in text.split(' ').chain(Some(mark).filter(|mark| !mark.is_empty())) {
            let space = if is_empty || word == mark && !mark.is_empty() { "" } else { " " };
            if !is_empty && line.width() + space.len() + word.width() > self.width {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line = format!("{after}  {}", word.trim_start());
            } else {
                line.push_str(space);
                line.push_str(word);
            }
            is_empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

impl Direction {
    /// Of the flags that ask for one way.
    pub fn of(up: bool, down: bool) -> Self {
        match (up, down) {
            (true, false) => Self::Up,
            (false, true) => Self::Down,
            _ => Self::Both,
        }
    }
}
