//! Which files there are: account, region, window of time, number of events.

use std::collections::HashMap;

use super::{
    Mix, Options,
    random::{Rng, Weighted},
    text::date_of,
    world::{REGIONS, World},
};

/// One file of the archive.
#[derive(Debug, Clone)]
pub struct File {
    /// Its place in the plan.
    pub index: u64,
    /// The account, as an index.
    pub account: usize,
    /// The region.
    pub region: &'static str,
    /// The window of its events, in seconds since 1970.
    pub start: i64,
    /// Its end.
    pub end: i64,
    /// When it was delivered.
    pub delivered: i64,
    /// How many records are its own.
    pub events: usize,
    /// How many of them are AssumeRole calls by services.
    pub sessions: usize,
    /// An earlier file of the account whose credentials are still used.
    pub previous: Option<usize>,
    /// The account into which its first session goes on.
    pub crosses_to: Option<usize>,
    /// The file whose session came into this account.
    pub crossed_from: Option<usize>,
    /// The file before it of the same account and region.
    pub before: Option<usize>,
    /// How many records of `before` are delivered again in this one.
    pub copies: usize,
}

/// Plans an archive of `options`, file by file in the order of time.
pub fn files(options: &Options, world: &World) -> Vec<File> {
    let mut rng = Rng::new(&[options.seed, 7]);
    let accounts = Weighted::long_tail(world.accounts.len());
    let regions = Weighted::long_tail(options.regions.clamp(1, REGIONS.len()));
    let (mut out, mut done): (Vec<File>, u64) = (Vec::new(), 0);
    let mut recent: Vec<Option<usize>> = vec![None; world.accounts.len()];
    let (mut last, mut owed) = (HashMap::new(), 0);
    let whole = i64::from(options.days.max(1)) * 86_400;
    while done < options.events {
        let left = options.events - done;
        let events = size(options.mix, &mut rng).min(left);
        let progress = (i128::from(done) * i128::from(whole) / i128::from(options.events)) as i64;
        let window = if events > 2000 { 3600 } else { 300 };
        let start = options.start + progress;
        let late = rng.once_in(200);
        let delay = if late { 3600 + rng.below(170_000) } else { 120 + rng.below(300) };
        let account = accounts.sample(&mut rng);
        let sessions = if events < 8 { u64::from(rng.below(12) < events) } else { events / 12 };
        let index = out.len();
        let events = usize::try_from(events).unwrap_or(usize::MAX);
        let region = REGIONS[regions.sample(&mut rng)];
        // A file can only repeat what the one before it has; what is left is owed.
        let before = last.insert((account, region), index);
        owed += events as u64 * options.duplicates_ppm;
        let most = before.map_or(0, |n| out[n].events);
        let copies = usize::try_from(owed / 1_000_000).unwrap_or(most).min(most);
        owed -= copies as u64 * 1_000_000;
        out.push(File {
            index: index as u64,
            account,
            region,
            start,
            end: start + window,
            delivered: start + window + delay as i64,
            events,
            sessions: usize::try_from(sessions).unwrap_or(0),
            previous: recent[account],
            crosses_to: None,
            crossed_from: None,
            before,
            copies,
        });
        if sessions > 0 {
            recent[account] = Some(index);
        }
        done += events as u64;
    }
    cross(&mut out, &mut rng);
    out
}

/// Lets a session of some files go on into the account of a file soon after.
fn cross(files: &mut [File], rng: &mut Rng) {
    for from in 0..files.len() {
        let room = |file: &File| file.events > file.sessions + 2;
        if files[from].sessions == 0 || !room(&files[from]) || !rng.once_in(3) {
            continue;
        }
        let soon = (from + 1..files.len().min(from + 9)).find(|&to| {
            let target = &files[to];
            target.account != files[from].account
                && target.crossed_from.is_none()
                && room(target)
                && target.start < files[from].start + 36_000
        });
        if let Some(to) = soon {
            files[from].crosses_to = Some(files[to].account);
            files[to].crossed_from = Some(from);
        }
    }
}

/// How many events a file has: most files are small, most events lie in large ones.
fn size(mix: Mix, rng: &mut Rng) -> u64 {
    match mix {
        Mix::Tiny => 3 + rng.below(5),
        Mix::Single => 2000,
        Mix::Default => match rng.below(100) {
            0..=54 => 1 + rng.below(20),
            55..=84 => 20 + rng.below(180),
            85..=97 => 200 + rng.below(1800),
            98 => 2000 + rng.below(4000),
            _ => 6000 + rng.below(14_000),
        },
    }
}

impl File {
    /// Its key below the archive, in the S3 layout.
    pub fn key(&self, world: &World, seed: u64, gz: bool) -> String {
        let account = &world.accounts[self.account].id;
        let (date, s) =
            (date_of(self.delivered.div_euclid(86_400)), self.delivered.rem_euclid(86_400));
        let mut random = Vec::new();
        super::text::token(&mut random, &mut Rng::new(&[seed, 8, self.index]), 16);
        let random = String::from_utf8(random).unwrap_or_default().replace(['+', '/'], "x");
        let ending = if gz { "json.gz" } else { "json" };
        format!(
            "AWSLogs/{account}/CloudTrail/{region}/{y:04}/{m:02}/{d:02}/\
             {account}_CloudTrail_{region}_{y:04}{m:02}{d:02}T{hour:02}{minute:02}Z_{random}.{ending}",
            region = self.region,
            y = date.year,
            m = date.month,
            d = date.day,
            hour = s / 3600,
            minute = s / 60 % 60,
        )
    }
}
