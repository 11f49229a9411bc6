//! The next pivots worth taking: what is the subject's alone first, then what failed most, then
//! what there is most of.

use super::{Counterpart, Dimension, Dossier, Kind, Pivot};
use crate::output::human::count;

/// The most that are named.
const MAX_PIVOTS: usize = 8;

/// The pivots that lead on from `dossier`.
pub(super) fn pivots(dossier: &Dossier) -> Vec<Pivot> {
    let mut next = Next { dossier, pivots: Vec::new() };
    if dossier.events == 0 {
        for near in dossier.nothing.iter().flat_map(|nothing| &nothing.near).take(3) {
            next.add(dossier.kind.word(), &near.value, "looks alike");
        }
        if let Some(rather) = dossier.nothing.as_ref().and_then(|nothing| nothing.rather) {
            let why = match rather {
                "resource" => "something may have been done to it",
                _ => "the value looks to be one",
            };
            next.add(rather, &dossier.value, why);
        }
        return next.pivots;
    }
    if dossier.matches.len() > 1 {
        for one in dossier.matches.iter().filter(|one| one.what != "session").take(3) {
            next.add("who", &one.principal, "this one alone");
        }
    }
    if dossier.kind == Kind::Key {
        next.add("trace", &dossier.value, "where it came from, what it led to");
    }
    let order: &[(Dimension, &'static str)] = match dossier.kind {
        Kind::Who => &[(Dimension::Addresses, "ip"), (Dimension::AccessKeys, "key")],
        Kind::Ip => &[(Dimension::Principals, "who"), (Dimension::AccessKeys, "key")],
        Kind::Api => &[(Dimension::Principals, "who"), (Dimension::Addresses, "ip")],
        Kind::Key => &[(Dimension::Addresses, "ip"), (Dimension::Principals, "who")],
        Kind::Resource => &[
            (Dimension::Principals, "who"),
            (Dimension::Addresses, "ip"),
            (Dimension::Apis, "api"),
        ],
    };
    for (dimension, command) in order {
        next.failing(*dimension, command);
        next.only_here(*dimension, command);
        next.most(*dimension, command);
    }
    next.only_here(Dimension::Apis, "api");
    match dossier.kind {
        Kind::Who => {
            next.most(Dimension::Named, "resource");
            next.add("timeline", &dossier.value, "what it changed, in order");
        }
        Kind::Ip | Kind::Key => {
            next.most(Dimension::Named, "resource");
            next.add("timeline", &dossier.value, "what was changed from it, in order");
        }
        Kind::Api | Kind::Resource => {}
    }
    next.pivots
}

struct Next<'d> {
    dossier: &'d Dossier,
    pivots: Vec<Pivot>,
}

impl Next<'_> {
    fn add(&mut self, command: &'static str, value: &str, why: &str) {
        let is_own = command == self.dossier.kind.word() && value == self.dossier.value;
        let is_there =
            self.pivots.iter().any(|pivot| pivot.command == command && pivot.value == value);
        if !is_own && !is_there && self.pivots.len() < MAX_PIVOTS {
            let (value, why) = (value.to_owned(), why.to_owned());
            self.pivots.push(Pivot { command, value, why });
        }
    }

    /// What occurs nowhere else.
    fn only_here(&mut self, dimension: Dimension, command: &'static str) {
        let all = &self.dossier.only_here;
        let Some(new) = all.iter().find(|new| new.dimension == dimension) else { return };
        let most = if dimension == Dimension::Apis { 1 } else { 2 };
        for one in new.top.iter().filter(|one| leads(dimension, one)).take(most) {
            self.add(command, &one.value, "seen nowhere else");
        }
    }

    /// What failed most.
    fn failing(&mut self, dimension: Dimension, command: &'static str) {
        let worst =
            self.top(dimension).iter().filter(|one| one.failed > 0 && leads(dimension, one));
        if let Some(worst) = worst.max_by_key(|one| one.failed) {
            let (failed, events) = (count(worst.failed), count(worst.events));
            let why = format!("{failed} of {events} failed");
            let value = worst.value.clone();
            self.add(command, &value, &why);
        }
    }

    /// What there is most of.
    fn most(&mut self, dimension: Dimension, command: &'static str) {
        let Some(most) = self.top(dimension).iter().find(|one| leads(dimension, one)) else {
            return;
        };
        let value = match dimension {
            Dimension::Named => most.value.split_once('=').map_or("", |(_, name)| name).to_owned(),
            _ => most.value.clone(),
        };
        self.add(command, &value, "the most events");
    }

    fn top(&self, dimension: Dimension) -> &[Counterpart] {
        let all = &self.dossier.counterparts;
        let counted = all.iter().find(|counted| counted.dimension == dimension);
        counted.map_or(&[], |counted| counted.top.as_slice())
    }
}

/// Whether a value leads on: AWS's own services are everybody's neighbours.
fn leads(dimension: Dimension, one: &Counterpart) -> bool {
    match dimension {
        Dimension::Addresses => {
            !one.value.contains("amazonaws.com") && !one.value.starts_with("AWS Internal")
        }
        Dimension::Principals => !one.value.ends_with(".amazonaws.com"),
        _ => true,
    }
}
