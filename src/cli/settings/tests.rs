use std::path::Path;

use clap::Parser as _;

use super::*;
use crate::cli::args::Arguments;

fn global(line: &[&str]) -> Global {
    let line = ["trailhound"].iter().chain(line);
    Arguments::try_parse_from(line).unwrap().global
}

fn surroundings(dir: &Path) -> Surroundings {
    Surroundings {
        config_dir: Some(dir.join("config")),
        data_dir: Some(dir.join("data")),
        state_dir: Some(dir.join("state")),
        cache: None,
        no_color: false,
    }
}

fn settings(line: &[&str], dir: &Path) -> Settings {
    Settings::within(&global(line), &surroundings(dir)).unwrap()
}

#[test]
fn the_cache_is_the_case_below_the_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let at = |line: &[&str]| settings(line, dir.path()).cache;
    assert_eq!(at(&[]), dir.path().join("data/cases/default"));
    assert_eq!(at(&["--case", "acme"]), dir.path().join("data/cases/acme"));
    assert_eq!(at(&["--cache", "/x/y"]), Path::new("/x/y"));
}

#[test]
fn the_environment_names_the_cache_unless_a_flag_does() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Some(PathBuf::from("/env"));
    let surroundings = Surroundings { cache, ..surroundings(dir.path()) };
    let at = |line: &[&str]| Settings::within(&global(line), &surroundings).unwrap().cache;
    assert_eq!(at(&[]), Path::new("/env"));
    assert_eq!(at(&["--cache", "/flag"]), Path::new("/flag"));
    assert_eq!(at(&["--case", "acme"]), dir.path().join("data/cases/acme"));
}

#[test]
fn flags_win_over_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("config")).unwrap();
    std::fs::write(
        dir.path().join("config/config.toml"),
        "case = 'filed'\nmemory = '1GiB'\nthreads = 3\n[limits]\nmax-depth = 9\nmax-keys = 7\n",
    )
    .unwrap();
    let quiet = settings(&[], dir.path());
    assert_eq!(quiet.cache, dir.path().join("data/cases/filed"));
    assert_eq!((quiet.memory_bytes, quiet.threads), (1 << 30, 3));
    let told = settings(&["--case", "told", "--memory", "2G", "--threads", "1"], dir.path());
    assert_eq!(told.cache, dir.path().join("data/cases/told"));
    assert_eq!((told.memory_bytes, told.threads), (2 << 30, 1));
    assert!(!quiet.session().strict);
    assert!(settings(&["--strict"], dir.path()).session().strict);
    let (limits, _) = bounds(quiet.limits);
    assert_eq!((limits.max_depth, limits.max_keys), (9, 7));
    assert_eq!(limits.max_record_bytes, Limits::default().max_record_bytes);
}

#[test]
fn a_configuration_file_that_was_asked_for_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let line = ["--config", "/nowhere/config.toml"];
    let error = Settings::within(&global(&line), &surroundings(dir.path())).unwrap_err();
    assert!(error.to_string().contains("/nowhere/config.toml"));
}

#[test]
fn a_cache_and_a_case_exclude_each_other() {
    let line = ["trailhound", "--cache", "x", "--case", "y"];
    assert!(Arguments::try_parse_from(line).is_err());
}

#[test]
fn an_empty_span_of_time_is_an_error() {
    let args = FilterArgs {
        since: Some(2),
        until: Some(1),
        late_days: None,
        account: vec![],
        region: vec![],
        versions: false,
        inventory: vec![],
    };
    assert!(filter(&args, None).unwrap_err().to_string().contains("later than --until"));
}
