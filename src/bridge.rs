//! The bridge from ordinary threads to libraries that are asynchronous.

use std::{future::Future, io, sync::mpsc};

use tokio::{
    runtime::{Handle, Runtime},
    task::JoinHandle,
};

/// A few threads that drive a library's tasks, so that it can be used from any thread, one that
/// drives another runtime included.
#[derive(Debug)]
pub struct Bridge {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    library: &'static str,
}

/// A library panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} failed (a panic)")]
pub struct Panicked(&'static str);

impl Bridge {
    /// Two threads called `threads`, for the library that messages call `library`.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn new(threads: &str, library: &'static str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(threads)
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime), library })
    }

    /// A handle to its threads, for what runs on them by itself; `None` only while it is dropped.
    pub fn handle(&self) -> Option<Handle> {
        self.runtime.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Starts `future` on the bridge's threads.
    pub fn spawn<F>(&self, future: F) -> Option<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.as_ref().map(|runtime| runtime.spawn(future))
    }

    /// Runs `future` on the bridge's threads and waits for it on this one.
    ///
    /// `Runtime::block_on` would panic where the caller is itself inside a runtime.
    ///
    /// # Errors
    /// What `future` gives; [`Panicked`] where it did.
    pub fn wait<T, E, F>(&self, future: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Panicked> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.spawn(async move {
            // The receiver waits below and cannot be gone.
            let _ = sender.send(future.await);
        });
        receiver.recv().unwrap_or_else(|_gone| Err(Panicked(self.library).into()))
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // Dropping a runtime inside another one panics; nothing that must be finished is in it.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
