//! Rows as trees, and of these what is asked for.

use std::collections::HashMap;

use super::{Direction, Node, TraceOptions, rows::Row};

/// The trees of `rows`: a tree for each row without a parent among them.
///
/// A row's parent has a row before it; where it is cut off, the row begins a tree. Chains may be as
/// long as their forger likes, so nothing here calls itself.
pub(super) fn trees(rows: Vec<Row>, options: &TraceOptions) -> Vec<Node> {
    let places: HashMap<i64, usize> =
        rows.iter().enumerate().map(|(place, row)| (row.no, place)).collect();
    let above: Vec<Option<usize>> =
        rows.iter().map(|row| row.parent.and_then(|no| places.get(&no).copied())).collect();
    let order = downwards(&above);
    let kept = kept(&rows, &above, &order, options);
    let mut nodes: Vec<Option<Node>> = rows.into_iter().map(|row| Some(row.node)).collect();
    let mut trees = Vec::new();
    // From the leaves up, each is given to the one above it.
    for place in order.into_iter().rev() {
        let is_kept = |place: usize| kept.get(place).copied().unwrap_or_default();
        let Some(mut node) = nodes.get_mut(place).and_then(Option::take) else { continue };
        if !is_kept(place) {
            continue;
        }
        node.children.reverse();
        let parent = above.get(place).copied().flatten().filter(|parent| is_kept(*parent));
        match parent.and_then(|parent| nodes.get_mut(parent)?.as_mut()) {
            Some(parent) => parent.children.push(node),
            None => trees.push(node),
        }
    }
    trees.reverse();
    trees
}

/// All places, each behind that of its parent. What a circle holds is not reached; `sessions` opens
/// circles.
fn downwards(above: &[Option<usize>]) -> Vec<usize> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); above.len()];
    let mut order = Vec::with_capacity(above.len());
    for (place, parent) in above.iter().enumerate() {
        match parent.and_then(|parent| below.get_mut(parent)) {
            Some(below) => below.push(place),
            None => order.push(place),
        }
    }
    let mut at = 0;
    while let Some(place) = order.get(at).copied() {
        order.extend(below.get(place).into_iter().flatten());
        at += 1;
    }
    order
}

/// Which rows are asked for.
fn kept(
    rows: &[Row],
    above: &[Option<usize>],
    order: &[usize],
    options: &TraceOptions,
) -> Vec<bool> {
    let is_subject = |place: usize| rows.get(place).is_some_and(|row| row.node.is_subject);
    let parent = |place: usize| above.get(place).copied().flatten();
    // Whether it, or one above it, is the subject; whether it, or one below it, is.
    let (mut from, mut to) = (vec![false; rows.len()], vec![false; rows.len()]);
    let get = |marks: &[bool], place: usize| marks.get(place).copied().unwrap_or_default();
    for place in order.iter().copied() {
        let is_below = parent(place).is_some_and(|parent| get(&from, parent));
        set(&mut from, place, is_subject(place) || is_below);
    }
    for place in order.iter().rev().copied() {
        let is_above = get(&to, place) || is_subject(place);
        set(&mut to, place, is_above);
        if let Some(parent) = parent(place).filter(|_| is_above) {
            set(&mut to, parent, true);
        }
    }
    let within = |place: usize| {
        let lived = rows.get(place).and_then(|row| row.lived);
        let after = options.since.is_none_or(|since| lived.is_some_and(|(_, last)| last >= since));
        let before = options.until.is_none_or(|until| lived.is_some_and(|(at, _)| at <= until));
        after && before
    };
    let mut kept = vec![false; rows.len()];
    for place in order.iter().rev().copied() {
        let is_asked = match options.direction {
            Direction::Both => true,
            Direction::Up => get(&to, place),
            Direction::Down => get(&from, place),
        };
        // What lies between is kept, so that what was at that time hangs together.
        let keep = is_asked && (within(place) || get(&kept, place));
        set(&mut kept, place, keep);
        if let Some(parent) = parent(place).filter(|_| keep) {
            set(&mut kept, parent, true);
        }
    }
    kept
}

fn set(marks: &mut [bool], place: usize, mark: bool) {
    if let Some(known) = marks.get_mut(place) {
        *known = mark;
    }
}
