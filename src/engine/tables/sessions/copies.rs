//! One issuing is one event, however many accounts' trails have it.
//!
//! Of an `AssumeRole` across accounts both accounts get a copy with the same `sharedEventID`. The
//! caller's tells the caller's key, the role's owner sees an account alone; either may lack the
//! response.

use super::{
    gather::{Gathered, Issue},
    ids::Id,
};

/// Puts the issues in the order of time, and makes one of the copies of each.
pub(super) fn merge(all: &mut Gathered) {
    let texts = &all.texts;
    // The order that rows arrive in differs from run to run, and must decide nothing.
    all.issues.sort_unstable_by(|one, other| {
        let by_account = || texts.say(one.recipient).cmp(&texts.say(other.recipient));
        let by_id = || Id::order(one.event_id, other.event_id, texts);
        one.ts.cmp(&other.ts).then_with(by_id).then_with(by_account)
    });
    let mut shared: Vec<_> = (0_usize..)
        .zip(&all.issues)
        .filter_map(|(at, issue)| Some((issue.rare(|rare| rare.shared_id)?, issue.name, at)))
        .collect();
    shared.sort_unstable();
    let mut dropped = vec![false; all.issues.len()];
    for group in shared.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        if group.len() == 1 {
            continue;
        }
        let copies = group.iter().filter_map(|(.., at)| all.issues.get(*at).cloned());
        let Some((kept, whole)) = merged(&copies.collect::<Vec<_>>()) else { continue };
        for (nth, (.., at)) in group.iter().enumerate() {
            if nth != kept
                && let Some(drop) = dropped.get_mut(*at)
            {
                *drop = true;
            } else if let Some(issue) = all.issues.get_mut(*at) {
                *issue = whole.clone();
            }
        }
    }
    let mut dropped = dropped.into_iter();
    all.issues.retain(|_| !dropped.next().unwrap_or_default());
}

/// The copy that tells most of its caller, with what only the others tell; and its place. Nothing
/// where they are no copies of one event.
fn merged(copies: &[Issue]) -> Option<(usize, Issue)> {
    // Copies of one event hand out one key. What does not is forged, and told apart.
    let mut keys = copies.iter().filter_map(|copy| copy.key);
    let first = keys.next();
    if keys.any(|key| Some(key) != first) {
        return None;
    }
    let place = |told: fn(&Issue) -> bool| copies.iter().position(told);
    let kept = place(|copy| copy.caller.key.is_some())
        .or_else(|| place(|copy| copy.caller.arn.is_some()))
        .or_else(|| place(|copy| copy.key.is_some()))
        .unwrap_or_default();
    let mut whole = copies.get(kept)?.clone();
    for other in copies {
        whole.is_joined |= whole.key.is_none() && other.key.is_some();
        whole.key = whole.key.or(other.key);
        whole.session = whole.session.or(other.session);
        whole.role = whole.role.or(other.role);
        whole.session_name = whole.session_name.or(other.session_name);
        whole.expiration = whole.expiration.max(other.expiration);
        if let (Some(own), Some(theirs)) = (&mut whole.rare, &other.rare) {
            own.source_identity = own.source_identity.or(theirs.source_identity);
            own.token = own.token.or(theirs.token);
        }
    }
    Some((kept, whole))
}
