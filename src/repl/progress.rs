//! How far an ingest is, drawn on stderr, and Ctrl-C during it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;
use crate::{
    ingest::Progress,
    output::human::{approximate, bytes, count, duration},
};

/// Short work shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

const TICK: Duration = Duration::from_millis(100);

/// Runs `work` while its progress is drawn, where stderr is a terminal, and Ctrl-C is heard: the
/// first asks the work to stop after what is being committed, the second ends the process.
pub(super) fn watch<T>(screen: Screen, progress: &Arc<Progress>, work: impl FnOnce() -> T) -> T {
    let _interrupts = Interrupts::heed(screen, progress);
    let (done, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        if screen.stderr_is_terminal {
            scope.spawn(move || draw(&|elapsed| line(progress, elapsed), &finished));
        }
        let outcome = work();
        drop(done);
        outcome
    })
}

/// As [`watch`], with how many of the files are done with.
pub(super) fn watch_files<T>(
    screen: Screen,
    verb: &str,
    progress: &Arc<Progress>,
    work: impl FnOnce() -> T,
) -> T {
    let _interrupts = Interrupts::heed(screen, progress);
    let (done, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        if screen.stderr_is_terminal {
            let line = move |elapsed: Duration| {
                let (done, total) =
                    (progress.files_done.load(Relaxed), progress.files_total.load(Relaxed));
                let read = progress.bytes_done.load(Relaxed);
                let rate = whole(approximate(read) / elapsed.as_secs_f64().max(0.001));
                let (done, total) = (count(done), count(total));
                format!("{verb} {done}/{total} files · {} · {}/s", bytes(read), bytes(rate))
            };
            scope.spawn(move || draw(&line, &finished));
        }
        let outcome = work();
        drop(done);
        outcome
    })
}

/// Runs `work` while it is drawn how much of a known number of things is done.
pub fn watch_count<T>(
    screen: Screen,
    verb: &str,
    things: &str,
    (done, total): (&AtomicU64, u64),
    work: impl FnOnce() -> T,
) -> T {
    let (working, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        if screen.stderr_is_terminal {
            let line = move |elapsed: Duration| {
                let done = done.load(Relaxed);
                let rate = whole(approximate(done) / elapsed.as_secs_f64().max(0.001));
                format!("{verb} {}/{} {things} · {}/s", count(done), count(total), count(rate))
            };
            scope.spawn(move || draw(&line, &finished));
        }
        let outcome = work();
        drop(working);
        outcome
    })
}

fn draw(line: &dyn Fn(Duration) -> String, finished: &mpsc::Receiver<()>) {
    let started = Instant::now();
    if finished.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    while finished.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        bar.set_message(line(started.elapsed()));
        bar.tick();
    }
    bar.finish_and_clear();
}

/// `ingest 312/1 040 files · 1.2 GB · 1 234 567 records · 88 MB/s · 2 skipped · 3 min 4 s left`;
/// what comes from buckets also as `· 4 321 objects/s · 7 retries`.
fn line(progress: &Progress, elapsed: Duration) -> String {
    let get = |counter: &AtomicU64| counter.load(Relaxed);
    if get(&progress.files_total) == 0 && get(&progress.n_listed) > 0 {
        let listed = get(&progress.n_listed);
        let rate = whole(approximate(listed) / elapsed.as_secs_f64().max(0.001));
        return format!("list {} objects · {}/s", count(listed), count(rate));
    }
    let traffic = &progress.traffic;
    let total = get(&progress.bytes_total);
    // What is fetched ahead is work done: waiting for it is what takes time.
    let came = get(&traffic.n_bytes);
    let done = get(&progress.bytes_done).max(came.min(total));
    let elapsed = if came > 0 { traffic.elapsed() } else { elapsed };
    let per_second = |n: u64| approximate(n) / elapsed.as_secs_f64().max(0.001);
    let rate = per_second(done);
    let mut parts = vec![
        format!(
            "ingest {}/{} files",
            count(get(&progress.files_done)),
            count(get(&progress.files_total))
        ),
        bytes(done),
        format!("{} records", count(get(&progress.records))),
        format!("{}/s", bytes(whole(rate))),
    ];
    if came > 0 {
        parts.push(format!("{} objects/s", count(whole(per_second(get(&traffic.n_objects))))));
    }
    if get(&traffic.n_retries) > 0 {
        parts.push(format!("{} retries", count(get(&traffic.n_retries))));
    }
    if get(&progress.skipped) > 0 {
        parts.push(format!("{} skipped", count(get(&progress.skipped))));
    }
    if progress.cancelled.load(Relaxed) {
        parts.push("stopping".to_owned());
    } else if let Some(left) = seconds_left(progress, done, elapsed) {
        // Nobody plans by more than a month, and no float overflows a duration then.
        let left = Duration::from_secs(whole(left.clamp(1.0, 2_592_000.0)));
        let text = if left < Duration::from_mins(1) {
            format!("{} s", left.as_secs())
        } else {
            duration(left)
        };
        parts.push(format!("{text} left"));
    }
    parts.join(" · ")
}

/// How long it takes at the rate so far: by bytes, or by files where those have no size before
/// they are fetched, as the hours of an event history.
fn seconds_left(progress: &Progress, bytes_done: u64, elapsed: Duration) -> Option<f64> {
    let of = |done: &AtomicU64, total: &AtomicU64| (done.load(Relaxed), total.load(Relaxed));
    let bytes = (bytes_done, progress.bytes_total.load(Relaxed));
    let files = of(&progress.files_done, &progress.files_total);
    let (done, total) = if bytes.1 > 0 { bytes } else { files };
    let left = total.checked_sub(done).filter(|left| *left > 0 && done > 0)?;
    Some(approximate(left) / approximate(done) * elapsed.as_secs_f64())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for people, never negative; the cast saturates"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

/// Hears Ctrl-C for as long as it lives.
struct Interrupts {
    /// Dropping it ends the listening.
    _listening: tokio::sync::oneshot::Sender<()>,
}

impl Interrupts {
    fn heed(screen: Screen, progress: &Arc<Progress>) -> Self {
        let (listening, ended) = tokio::sync::oneshot::channel();
        let progress = Arc::clone(progress);
        let listen = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(listen(screen, &progress, ended));
            }
        };
        // Without the thread Ctrl-C ends the process at once, which loses nothing either.
        drop(std::thread::Builder::new().name("interrupts".to_owned()).spawn(listen));
        Self { _listening: listening }
    }
}

async fn listen(
    screen: Screen,
    progress: &Progress,
    mut ended: tokio::sync::oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            _ = &mut ended => return,
            heard = tokio::signal::ctrl_c() => if heard.is_err() { return },
        }
        if progress.cancelled.swap(true, Relaxed) {
            end_process();
        }
        screen.say("stopping after what is being committed; Ctrl-C again stops at once");
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the second Ctrl-C means now; a commit is atomic, so nothing is lost"
)]
fn end_process() {
    std::process::exit(super::EXIT_INTERRUPTED.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_what_is_done_and_what_is_left() {
        let progress = Progress::default();
        progress.files_total.store(1040, Relaxed);
        progress.files_done.store(312, Relaxed);
        progress.bytes_total.store(1_000_000_000, Relaxed);
        progress.bytes_done.store(100_000_000, Relaxed);
        progress.records.store(1_234_567, Relaxed);
        assert_eq!(
            line(&progress, Duration::from_secs(10)),
            "ingest 312/1 040 files · 100 MB · 1 234 567 records · 10 MB/s · 1 min 30 s left"
        );
        progress.skipped.store(2, Relaxed);
        progress.cancelled.store(true, Relaxed);
        assert_eq!(
            line(&progress, Duration::from_secs(10)),
            "ingest 312/1 040 files · 100 MB · 1 234 567 records · 10 MB/s · 2 skipped · stopping"
        );
    }

    #[test]
    fn a_listing_counts_objects() {
        let progress = Progress::default();
        progress.n_listed.store(120_000, Relaxed);
        assert_eq!(line(&progress, Duration::from_secs(10)), "list 120 000 objects · 12 000/s");
    }

    #[test]
    fn what_comes_from_buckets_counts_as_it_comes() {
        let progress = Progress::default();
        progress.bytes_total.store(1_000_000, Relaxed);
        progress.traffic.n_bytes.store(500_000, Relaxed);
        progress.traffic.n_objects.store(25, Relaxed);
        progress.traffic.n_retries.store(3, Relaxed);
        let line = line(&progress, Duration::from_secs(10));
        assert!(line.contains(" · 500 kB · 0 records · "), "{line}");
        assert!(line.contains(" objects/s · 3 retries · 1 s left"), "{line}");
    }

    #[test]
    fn nothing_done_yet_promises_nothing() {
        let progress = Progress::default();
        progress.bytes_total.store(u64::MAX, Relaxed);
        assert_eq!(line(&progress, Duration::ZERO), "ingest 0/0 files · 0 B · 0 records · 0 B/s");
        progress.bytes_done.store(1, Relaxed);
        assert!(line(&progress, Duration::from_secs(9)).ends_with("720 h 0 min left"));
    }

    #[test]
    fn what_has_no_size_yet_is_counted_by_files() {
        let progress = Progress::default();
        progress.files_total.store(2160, Relaxed);
        progress.files_done.store(540, Relaxed);
        progress.records.store(100, Relaxed);
        assert_eq!(
            line(&progress, Duration::from_secs(10)),
            "ingest 540/2 160 files · 0 B · 100 records · 0 B/s · 30 s left"
        );
    }

    #[test]
    fn work_gives_its_outcome_back() {
        let screen = Screen {
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            stdout_color: false,
            stderr_color: false,
        };
        assert_eq!(watch(screen, &Arc::default(), || 7), 7);
    }
}
