//! Which tree each row belongs to, and how deep it lies.

use std::collections::HashMap;

use super::{gather::Gathered, ids::Id, link::Link};

/// Finds the row above each, then the roots and the depths.
///
/// No real credentials come from themselves. Where forged events say so, the circle is opened at
/// its earliest row, which is then a root that says what it came from all the same.
pub(super) fn settle(links: &mut [Link], all: &Gathered) {
    // The parents alone: most credentials issue nothing.
    let mut rows: HashMap<Id, Vec<u32>> =
        links.iter().filter_map(|link| Some((link.tie.parent?, Vec::new()))).collect();
    for (at, link) in (0_u32..).zip(links.iter()) {
        if let Some(rows) = link.credential(all).and_then(|id| rows.get_mut(&id)) {
            rows.push(at);
        }
    }
    for (at, row) in (0..links.len()).zip(0_u32..) {
        let above = links.get(at).and_then(|link| {
            let rows = rows.get(&link.tie.parent?)?;
            // Of a key that was issued several times the last one before; itself where it is alone.
            let is_before = |other: &&u32| {
                let begun = get(links, **other).and_then(|link| link.begun(all));
                **other != row && begun <= link.begun(all)
            };
            rows.iter().rev().find(is_before).or_else(|| rows.first()).copied()
        });
        if let Some(link) = links.get_mut(at) {
            link.above = above;
        }
    }
    let mut settled = vec![false; links.len()];
    for at in (0_u32..).take(links.len()) {
        settle_one(at, links, &mut settled, all);
    }
}

fn place(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

fn get(links: &[Link], row: u32) -> Option<&Link> {
    links.get(place(row))
}

/// Settles the row at `at` and all above it.
fn settle_one(at: u32, links: &mut [Link], settled: &mut [bool], all: &Gathered) {
    let mut path: Vec<u32> = Vec::new();
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut next = Some(at);
    while let Some(row) = next {
        if settled.get(place(row)).copied().unwrap_or(true) {
            break;
        }
        if let Some(from) = places.get(&row).copied() {
            let circle = path.split_off(from);
            let begun = |row: &u32| (get(links, *row).and_then(|link| link.begun(all)), *row);
            let earliest = circle.iter().copied().min_by_key(begun);
            for row in &circle {
                if let Some(link) = links.get_mut(place(*row)) {
                    link.is_circular = true;
                }
            }
            // From the row that it is opened at, each is below the one above it again.
            let start = circle.iter().position(|row| Some(*row) == earliest).unwrap_or_default();
            let (before, after) = circle.split_at(start);
            if let Some(link) = earliest.and_then(|row| links.get_mut(place(row))) {
                link.above = None;
            }
            path.extend(after.iter().skip(1));
            path.extend(before);
            path.extend(earliest);
            break;
        }
        places.insert(row, path.len());
        path.push(row);
        next = get(links, row).and_then(|link| link.above);
    }
    for row in path.into_iter().rev() {
        let above = get(links, row).and_then(|link| link.above);
        let (root, depth) = match above.and_then(|above| get(links, above)) {
            Some(above) => (above.root, above.depth + 1),
            None => (row, 0),
        };
        if let Some(link) = links.get_mut(place(row)) {
            (link.root, link.depth) = (root, depth);
        }
        if let Some(settled) = settled.get_mut(place(row)) {
            *settled = true;
        }
    }
}
