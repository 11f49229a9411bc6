//! Ctrl-C while a statement runs, heard on a thread that does nothing else: neither a plan that
//! takes long nor a pager that nobody scrolls keeps it waiting.

use std::{
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
};

use tokio::sync::Notify;

/// Counts how often Ctrl-C was heard.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupts(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    heard: AtomicU64,
    came: Notify,
    listening: OnceLock<()>,
}

/// Tells whether Ctrl-C was heard since some moment.
#[derive(Debug, Clone)]
pub(super) struct Since {
    interrupts: Interrupts,
    before: u64,
}

impl Interrupts {
    /// From now on.
    pub(super) fn since_now(&self) -> Since {
        self.0.listening.get_or_init(|| {
            let (ready, is_ready) = mpsc::channel();
            let counter = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("interrupts".to_owned());
            // Without the thread Ctrl-C ends the process, as it does by itself.
            if thread.spawn(move || listen(&counter, &ready)).is_ok() {
                let _gone = is_ready.recv();
            }
        });
        Since { interrupts: self.clone(), before: self.0.heard.load(Relaxed) }
    }
}

fn listen(counter: &Counter, ready: &mpsc::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let mut next = pin!(tokio::signal::ctrl_c());
        // The first look installs the handler; only then may work begin.
        let mut heard = futures::poll!(&mut next);
        let _gone = ready.send(());
        loop {
            let outcome = match heard {
                std::task::Poll::Ready(outcome) => outcome,
                std::task::Poll::Pending => (&mut next).await,
            };
            if outcome.is_err() {
                return;
            }
            counter.heard.fetch_add(1, Relaxed);
            counter.came.notify_waiters();
            next.set(tokio::signal::ctrl_c());
            heard = std::task::Poll::Pending;
        }
    });
}

impl Since {
    /// Whether it was heard.
    pub(super) fn is_heard(&self) -> bool {
        self.interrupts.0.heard.load(Relaxed) != self.before
    }

    /// Waits until it is heard.
    pub(super) async fn heard(&self) {
        loop {
            let mut came = pin!(self.interrupts.0.came.notified());
            came.as_mut().enable();
            if self.is_heard() {
                return;
            }
            came.await;
        }
    }
}
