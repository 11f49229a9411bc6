//! A buffered reader that can look ahead.

use std::io::{self, Read};

/// Bytes read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Reads ahead, so that content can be looked at before it is decided what it is.
pub(super) struct Input {
    inner: Box<dyn Read + Send>,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// What ended the input: the error is given once all bytes before it are consumed.
    error: Option<io::Error>,
    at_end: bool,
}

impl Input {
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { inner, buf: vec![0; BUFFER_BYTES], start: 0, end: 0, error: None, at_end: false }
    }

    /// The next `wanted` bytes (at most the buffer), or as many as there are.
    ///
    /// An error is given only where no byte is left before it.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.look(wanted).is_empty()
            && let Some(error) = self.error.take()
        {
            self.at_end = true;
            return Err(error);
        }
        Ok(self.look(0))
    }

    /// As [`Input::peek`], but an error is kept for whoever reads.
    pub(super) fn look(&mut self, wanted: usize) -> &[u8] {
        let wanted = wanted.min(self.buf.len());
        if self.end - self.start < wanted && !self.at_end && self.error.is_none() {
            self.buf.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.fill(wanted);
        }
        self.buf.get(self.start..self.end).unwrap_or_default()
    }

    fn fill(&mut self, wanted: usize) {
        while self.end < wanted {
            let Some(free) = self.buf.get_mut(self.end..) else { return };
            match self.inner.read(free) {
                Ok(0) => {
                    self.at_end = true;
                    return;
                }
                Ok(n_bytes) => self.end += n_bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    return;
                }
            }
        }
    }

    /// Drops `n_bytes` of those that [`Input::peek`] gave.
    pub(super) fn consume(&mut self, n_bytes: usize) {
        self.start = (self.start + n_bytes).min(self.end);
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let is_drained = self.start == self.end && self.error.is_none() && !self.at_end;
        if is_drained && out.len() >= self.buf.len() {
            return self.inner.read(out);
        }
        let ready = self.peek(1)?;
        let n_bytes = ready.len().min(out.len());
        if let (Some(from), Some(to)) = (ready.get(..n_bytes), out.get_mut(..n_bytes)) {
            to.copy_from_slice(from);
        }
        self.consume(n_bytes);
        Ok(n_bytes)
    }
}
