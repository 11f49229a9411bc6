//! The bridge to the table library, which is asynchronous.

use std::{future::Future, io, sync::mpsc};

use crate::error::BoxError;

/// A small runtime of our own, so that the cache can be used from any thread, one that drives
/// another runtime included.
#[derive(Debug)]
pub(super) struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    pub(super) fn new() -> io::Result<Self> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("trailhound-cache")
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
    }

    /// A handle to it, for what runs on it by itself.
    pub(super) fn handle(&self) -> Result<tokio::runtime::Handle, BoxError> {
        let runtime = self.0.as_ref().ok_or("the cache is closed")?;
        Ok(runtime.handle().clone())
    }

    /// Runs `future` on the runtime's threads and waits for it on this one.
    ///
    /// `Runtime::block_on` would panic where the caller is itself inside a runtime.
    pub(super) fn wait<T, F>(&self, future: F) -> Result<T, BoxError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, BoxError>> + Send + 'static,
    {
        let Some(runtime) = &self.0 else {
            return Err("the cache is closed".into());
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // The receiver waits below and cannot be gone.
            let _ = sender.send(future.await);
        });
        receiver.recv().unwrap_or_else(|_| Err("the table library failed (a panic)".into()))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Dropping a runtime inside another one panics; nothing of ours is in flight here.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
