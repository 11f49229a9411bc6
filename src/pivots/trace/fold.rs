//! Trees that a person can read: what is alike below one parent becomes one node.
//!
//! A role that a service assumes a hundred thousand times is one line with its counts. Chains are as
//! deep as their forger likes, so that nothing here follows them by calling itself beyond
//! [`MAX_DEPTH`].

use std::collections::HashMap;

use super::{Issued, Node};

/// So many alike are folded.
const FOLD_FROM: usize = 4;

/// The most nodes below one parent; the last of them stands for the rest.
const MAX_CHILDREN: usize = 40;

/// How deep trees are followed; what lies deeper is counted at its ancestor.
const MAX_DEPTH: usize = 64;

/// `trees` with what is alike folded. Where the subject `is_one` credential, it stands by itself.
pub(super) fn folded(trees: Vec<Node>, is_one: bool) -> Vec<Node> {
    level(trees, is_one, 0)
}

/// What nodes must have in common to be folded.
type Likeness = [Option<String>; 8];

fn level(nodes: Vec<Node>, is_one: bool, depth: usize) -> Vec<Node> {
    let mut groups: Vec<Vec<Node>> = Vec::new();
    let mut places: HashMap<Likeness, usize> = HashMap::new();
    for node in nodes {
        if is_one && has_subject(&node) {
            groups.push(vec![node]);
            continue;
        }
        let place = *places.entry(likeness(&node, depth)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    let mut out = Vec::new();
    for group in groups {
        if group.len() >= FOLD_FROM {
            out.extend(merged(group));
        } else {
            out.extend(group);
        }
    }
    if depth > 0 && out.len() > MAX_CHILDREN {
        let (subject, rest): (Vec<Node>, Vec<Node>) =
            out.into_iter().partition(|node| is_one && has_subject(node));
        let mut rest = rest.into_iter();
        out = subject.into_iter().chain(rest.by_ref().take(MAX_CHILDREN - 1)).collect();
        out.extend(merged(rest.collect()));
    }
    for node in &mut out {
        let children = std::mem::take(&mut node.children);
        if depth < MAX_DEPTH {
            node.children = level(children, is_one, depth + 1);
        } else {
            absorb(node, children);
        }
    }
    out
}

/// Whether the subject is at `node` or below.
fn has_subject(node: &Node) -> bool {
    let mut left = vec![node];
    while let Some(node) = left.pop() {
        if node.is_subject {
            return true;
        }
        left.extend(&node.children);
    }
    false
}

fn likeness(node: &Node, depth: usize) -> Likeness {
    // Below one parent all have the same; roots came from different things.
    let parent = if depth == 0 { node.parent.clone() } else { None };
    [
        Some(format!("{} {}", node.kind, node.edge)),
        node.issued.as_ref().and_then(|issued| issued.event_name.clone()),
        node.principal.clone(),
        node.session_name.as_deref().map(pattern),
        node.account.clone(),
        parent,
        node.note.clone(),
        Some(node.sure.clone()),
    ]
}

/// A session's name with `*` for what differs from one to the next: words with digits that are
/// numbers or long.
fn pattern(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for part in name.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_id = word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit());
        if is_number || is_id {
            out.push('*');
            out.push_str(part.get(word.len()..).unwrap_or_default());
        } else {
            out.push_str(part);
        }
    }
    out
}

/// One node for all of `group`.
fn merged(group: Vec<Node>) -> Option<Node> {
    let mut nodes = group.into_iter();
    let mut whole = nodes.next()?;
    let rest: Vec<Node> = nodes.collect();
    if rest.is_empty() {
        return Some(whole);
    }
    let first = &whole;
    let is_same =
        |part: fn(&Node) -> &Option<String>| rest.iter().all(|node| part(node) == part(first));
    let same_principal = is_same(|node| &node.principal);
    let same_account = is_same(|node| &node.account);
    let same_name = is_same(|node| &node.session_name);
    let same_event =
        rest.iter().all(|node| name(node.issued.as_ref()) == name(whole.issued.as_ref()));
    let patterns = whole.session_name.as_deref().map(pattern);
    let same_pattern =
        rest.iter().all(|node| node.session_name.as_deref().map(pattern) == patterns);
    let same_mfa = is_same(|node| &node.mfa);
    whole.candidates = rest.iter().fold(whole.candidates, |most, node| most.max(node.candidates));
    whole.mfa = whole.mfa.filter(|_| same_mfa);
    whole.credential = None;
    whole.principal = whole.principal.filter(|_| same_principal);
    whole.account = whole.account.filter(|_| same_account);
    if !same_name {
        whole.session_name = patterns.filter(|_| same_pattern);
    }
    whole.last_issued = whole.issued.as_ref().map(|issued| issued.time.clone());
    if let Some(issued) = &mut whole.issued {
        issued.event_id = None;
        issued.event_name = issued.event_name.take().filter(|_| same_event);
        let address = issued.address.clone();
        let address_of =
            |node: &Node| node.issued.as_ref().and_then(|issued| issued.address.clone());
        issued.address =
            address.filter(|one| rest.iter().all(|node| address_of(node).as_ref() == Some(one)));
    }
    absorb_siblings(&mut whole, rest);
    Some(whole)
}

fn name(issued: Option<&Issued>) -> Option<&String> {
    issued.and_then(|issued| issued.event_name.as_ref())
}

fn absorb_siblings(whole: &mut Node, rest: Vec<Node>) {
    for node in rest {
        let issued = node.issued.as_ref().map(|issued| issued.time.clone());
        whole.last_issued = whole.last_issued.take().max(node.last_issued.clone()).max(issued);
        let children = add(whole, node);
        whole.children.extend(children);
    }
}

/// Counts all of `nodes` and what is below them at `whole`.
fn absorb(whole: &mut Node, nodes: Vec<Node>) {
    let mut left = nodes;
    while let Some(node) = left.pop() {
        left.extend(add(whole, node));
    }
}

/// Adds the counts of `node`; gives its children.
fn add(whole: &mut Node, node: Node) -> Vec<Node> {
    whole.is_subject |= node.is_subject;
    whole.folded += node.folded;
    whole.calls += node.calls;
    whole.denied += node.denied;
    whole.first_use = match (whole.first_use.take(), node.first_use) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    whole.last_use = whole.last_use.take().max(node.last_use);
    whole.keys.extend(node.keys);
    node.children
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_names_of_sessions_is_left_open() {
        for (name, expected) in [
            ("aws-go-sdk-1688990565286187801", "aws-go-sdk-*"),
            ("i-0a1b2c3d4e5f60718", "i-*"),
            ("maria.rossi@example.com", "maria.rossi@example.com"),
            ("gha-0513", "gha-*"),
            ("backup", "backup"),
            ("s3-sync", "s3-sync"),
            ("", ""),
        ] {
            assert_eq!(pattern(name), expected);
        }
    }
}
