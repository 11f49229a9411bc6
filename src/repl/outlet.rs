//! Writes on a thread of its own: whoever makes rows never waits for a reader without hearing
//! Ctrl-C, be it a pager that nobody scrolls, a terminal that is stopped, or a slow disk.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{SendTimeoutError, Sender, bounded};

use super::interrupts::Since;

/// Bytes that are handed over at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Chunks that may wait for the reader.
const CHUNKS_AHEAD: usize = 4;

/// How long a full outlet is waited for before Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(20);

/// A sink behind a thread.
#[derive(Debug)]
pub(super) struct Outlet {
    chunks: Option<Sender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    buffer: Vec<u8>,
    /// Tells the thread to leave the rest.
    stop: Arc<AtomicBool>,
    interrupts: Since,
    waited: Duration,
}

impl Outlet {
    /// Writes to `sink` until Ctrl-C is heard.
    ///
    /// # Errors
    /// There is no thread.
    pub(super) fn new(
        mut sink: impl Write + Send + 'static,
        interrupts: Since,
    ) -> io::Result<Self> {
        let (chunks, inbox) = bounded::<Vec<u8>>(CHUNKS_AHEAD);
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("outlet".to_owned()).spawn(move || {
            for chunk in inbox {
                for piece in chunk.chunks(CHUNK_BYTES / 4) {
                    if stopped.load(Relaxed) {
                        return Ok(());
                    }
                    sink.write_all(piece)?;
                }
                sink.flush()?;
            }
            sink.flush()
        })?;
        let thread = Some(thread);
        let (buffer, waited) = (Vec::new(), Duration::ZERO);
        Ok(Self { chunks: Some(chunks), thread, buffer, stop, interrupts, waited })
    }

    /// How long the reader kept us waiting.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// The sink cannot be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let handed = self.hand_over();
        self.chunks = None;
        // What the sink said is the reason, where there is one.
        self.join().and(handed)
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut chunk = std::mem::take(&mut self.buffer);
        let began = Instant::now();
        loop {
            let Some(chunks) = &self.chunks else { return Err(io::ErrorKind::BrokenPipe.into()) };
            if self.interrupts.is_heard() {
                return Err(not_to_be_repeated(io::ErrorKind::Interrupted.into()));
            }
            match chunks.send_timeout(chunk, PATIENCE) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(back)) => chunk = back,
                Err(SendTimeoutError::Disconnected(_)) => {
                    self.chunks = None;
                    return self.join().and(Err(io::ErrorKind::BrokenPipe.into()));
                }
            }
        }
        self.waited += began.elapsed();
        Ok(())
    }

    fn join(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes failed")))
    }
}

/// `write_all` repeats what [`io::ErrorKind::Interrupted`] ended; this one is meant.
fn not_to_be_repeated(error: io::Error) -> io::Error {
    io::Error::other(error)
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES.saturating_sub(self.buffer.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= CHUNK_BYTES {
            self.hand_over()?;
        }
        Ok(taken.len())
    }

    /// Hands over what is there; that it is written, only [`Outlet::finish`] tells.
    fn flush(&mut self) -> io::Result<()> {
        self.hand_over()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        // After a failure or Ctrl-C: nothing more is to be seen.
        self.stop.store(true, Relaxed);
        self.chunks = None;
        drop(self.join());
    }
}

#[cfg(test)]
mod tests {
    use super::{super::interrupts::Interrupts, *};

    #[test]
    fn all_that_is_written_arrives_in_order() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::new(writer, Interrupts::default().since_now()).unwrap();
        let thread = std::thread::spawn(move || io::read_to_string(&mut reader).unwrap());
        let lines: Vec<String> = (0..100_000).map(|n| format!("{n}\n")).collect();
        for line in &lines {
            outlet.write_all(line.as_bytes()).unwrap();
        }
        outlet.finish().unwrap();
        assert!(thread.join().unwrap() == lines.concat());
    }

    #[test]
    fn a_reader_that_leaves_ends_the_writing() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut outlet = Outlet::new(writer, Interrupts::default().since_now()).unwrap();
        let chunk = vec![b'x'; CHUNK_BYTES];
        let failed = (0..100).find_map(|_| outlet.write_all(&chunk).err()).unwrap();
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
    }
}
