//! An organisation's bucket: everything arrives though requests fail, a question about one day of
//! one account lists next to nothing, and a second run only lists.
//!
//! By default a small one. The full form, 200,000 log files of 8 accounts in 5 regions over 60
//! days: `TRAILHOUND_TEST_ORG=1 cargo test --release --test it -- s3::organisation --nocapture`.

use std::time::{Duration, Instant};

use super::{
    Fault, Kind, Plan,
    delivery::{Organisation, account_id},
    ingest::{Case, Run},
};

const SMALL: Organisation = Organisation { accounts: 8, regions: 5, days: 6, log_files: 2_000 };
const FULL: Organisation = Organisation { accounts: 8, regions: 5, days: 60, log_files: 200_000 };

/// The share of a bucket's keys that one day of one account may cost, in hundredths. In the small
/// form three of six days are listed: the day asked for, and two for what was delivered late.
fn most_listed(organisation: Organisation) -> u64 {
    if organisation.days < 60 { 15 } else { 5 }
}

#[test]
fn an_organisation_is_ingested_whole_filtered_and_again() {
    let is_full = std::env::var_os("TRAILHOUND_TEST_ORG").is_some();
    let organisation = if is_full { FULL } else { SMALL };
    let n_log_files = organisation.log_files as u64;
    let n_keys = n_log_files + organisation.folders() as u64;
    // A twentieth of all requests fails, in one of the ways there are.
    let plan = Fault::RANDOM.iter().fold(Plan::none(), |plan, fault| plan.with(*fault, 8_333));
    let case = Case::new(organisation.bucket("logs"), plan);

    let (run, took) = timed(|| case.ingest(&[]));
    run.assert_clean();
    assert_eq!(run.count("files", "ingested"), n_log_files);
    assert_eq!(run.count("files", "other"), organisation.folders() as u64, "digests");
    for fault in Fault::RANDOM {
        case.server.assert_injected(fault);
    }
    let n_faults: u64 = Fault::RANDOM.iter().map(|fault| case.server.injected(*fault)).sum();
    case.assert_whole();
    tell(&format!("ingest: {n_keys} keys, {took:.1?}, {} faults; {}", n_faults, requests(&case)));

    case.server.forget_requests();
    let (again, took) = timed(|| case.ingest(&[]));
    again.assert_clean();
    assert_eq!(again.count("files", "unchanged"), n_keys);
    assert_eq!(case.server.requests(Kind::Get), 0, "a second run only lists");
    tell(&format!("again: {took:.1?}; {}", requests(&case)));

    let (account, day) = (account_id(2), "2024-01-03");
    let chosen = ["--account", &account, "--since", day, "--until", day];
    let other = case.with_another_cache();
    other.server.forget_requests();
    let (filtered, took) = timed(|| other.ingest(&chosen));
    filtered.assert_clean();
    let listed = other.server.keys_listed();
    tell(&format!(
        "one day of one account: {took:.1?}, {listed} keys listed; {}",
        requests(&other)
    ));
    assert!(filtered.count("files", "ingested") > 0, "{}", filtered.report);
    assert!(
        listed * 100 < n_keys * most_listed(organisation),
        "{listed} of {n_keys} keys were listed"
    );
}

fn timed(run: impl FnOnce() -> Run) -> (Run, Duration) {
    let began = Instant::now();
    (run(), began.elapsed())
}

fn requests(case: &Case) -> String {
    let of = |kind| case.server.requests(kind);
    format!(
        "requests: {} List, {} Get, {} Head; at most {} at once",
        of(Kind::List),
        of(Kind::Get),
        of(Kind::Head) + of(Kind::HeadBucket),
        case.server.most_at_once()
    )
}

#[expect(clippy::print_stderr, reason = "figures of the full form")]
fn tell(figures: &str) {
    eprintln!("{figures}");
}
