//! Streaming inflation with flate2: gzip with all its members, and the bare deflate of zip.

use std::{
    io::{self, Read},
    sync::{Arc, atomic::Ordering},
};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Fault, InflateLimits, Layer, Meters, RATIO_FREE_BYTES, input::Input};

/// What gzip begins with: its two magic bytes and the one method there is.
/// <https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1>
pub(crate) const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of a gzip trailer: checksum and size.
const TRAILER_BYTES: usize = 8;

/// What lies around the deflated bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Gzip members, one after the other.
    Gzip,
    /// Nothing.
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a member's header, or at the end.
    Header,
    Body,
    Trailer,
    End,
}

/// Inflates a stream. Every byte before damage or a limit comes out before the error does.
pub(super) struct Inflater {
    input: Input,
    framing: Framing,
    limits: InflateLimits,
    meters: Arc<Meters>,
    layer: Arc<Layer>,
    inflate: Decompress,
    crc: Crc,
    state: State,
    n_members: u32,
    out_bytes: u64,
    error: Option<io::Error>,
}

impl Inflater {
    pub(super) fn new(
        input: Input,
        framing: Framing,
        limits: InflateLimits,
        meters: Arc<Meters>,
    ) -> Self {
        Self {
            input,
            framing,
            limits,
            meters,
            layer: Arc::default(),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: if framing == Framing::Gzip { State::Header } else { State::Body },
            n_members: 0,
            out_bytes: 0,
            error: None,
        }
    }

    /// What it counts of its members.
    pub(super) fn layer(&self) -> &Arc<Layer> {
        &self.layer
    }

    /// As reading, but ends where the member does that is being read.
    pub(super) fn read_member(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n_before = self.n_members;
        while self.n_members == n_before && (self.error.is_some() || self.state != State::End) {
            let step = self.step(out)?;
            if step > 0 {
                return Ok(step);
            }
        }
        Ok(0)
    }

    /// Whether there are bytes behind what was read.
    pub(super) fn has_more(&mut self) -> bool {
        !self.input.look(1).is_empty()
    }

    /// Reads a member's header, or finds the end, or what should not be there.
    fn header(&mut self) -> io::Result<()> {
        if self.n_members > 0 {
            // Tapes and block devices pad with zeros; gzip(1) passes over them, too.
            loop {
                let ahead = self.input.peek(1)?;
                let n_zeros = ahead.iter().take_while(|&&byte| byte == 0).count();
                if n_zeros == 0 {
                    break;
                }
                self.input.consume(n_zeros);
            }
            let ahead = self.input.peek(GZIP_MAGIC.len())?;
            if ahead.is_empty() {
                self.state = State::End;
                return Ok(());
            }
            if !ahead.starts_with(&GZIP_MAGIC) {
                return Err(Fault::damage("what follows the gzip data is not gzip"));
            }
        }
        let fixed = self.take(10)?;
        let flags = fixed.get(3).copied().unwrap_or_default();
        if flags & 0xe0 != 0 {
            return Err(Fault::damage("the gzip header is damaged"));
        }
        if flags & 4 != 0 {
            let length = self.take(2)?;
            let extra_bytes = length.iter().rev().fold(0, |n, &byte| n << 8 | usize::from(byte));
            self.take(extra_bytes)?;
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                while self.take(1)? != [0] {}
            }
        }
        if flags & 2 != 0 {
            self.take(2)?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.state = State::Body;
        Ok(())
    }

    /// Does what comes next, and gives how many bytes came out of it.
    fn step(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let step = match (self.error.take(), self.state) {
            (Some(error), _) => Err(error),
            (None, State::Header) => self.header().map(|()| 0),
            (None, State::Body) => self.body(out),
            (None, State::Trailer) => self.trailer().map(|()| 0),
            (None, State::End) => Ok(0),
        };
        step.inspect_err(|_| self.state = State::End)
    }

    fn take(&mut self, n_bytes: usize) -> io::Result<Vec<u8>> {
        let ahead = self.input.peek(n_bytes)?;
        let taken = ahead.get(..n_bytes).ok_or_else(ends_early)?.to_vec();
        self.input.consume(n_bytes);
        Ok(taken)
    }

    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ahead = self.input.peek(1)?;
        let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
        let n_ahead = ahead.len();
        let result = self.inflate.decompress(ahead, out, FlushDecompress::None);
        let n_in = usize::try_from(self.inflate.total_in() - in_before).unwrap_or(usize::MAX);
        let n_out = usize::try_from(self.inflate.total_out() - out_before).unwrap_or(usize::MAX);
        self.input.consume(n_in);
        if self.framing == Framing::Gzip {
            self.crc.update(out.get(..n_out).unwrap_or_default());
        }
        match result {
            Ok(Status::StreamEnd) => {
                self.state =
                    if self.framing == Framing::Gzip { State::Trailer } else { State::End };
            }
            Ok(_) if n_in == 0 && n_out == 0 && n_ahead == 0 => return Err(ends_early()),
            Ok(_) if n_in == 0 && n_out == 0 => return Err(Fault::damage(CORRUPT)),
            Ok(_) => {}
            Err(_corrupt) => self.error = Some(Fault::damage(CORRUPT)),
        }
        Ok(self.limited(n_out))
    }

    /// Counts `n_out` more bytes and gives how many of them are within the limits.
    fn limited(&mut self, n_out: usize) -> usize {
        let before = self.out_bytes;
        self.out_bytes += n_out as u64;
        let packed = self.meters.packed.load(Ordering::Relaxed);
        let by_ratio = packed.saturating_mul(self.limits.max_ratio).max(RATIO_FREE_BYTES);
        let allowed = by_ratio.min(self.limits.max_bytes);
        if self.out_bytes <= allowed {
            return n_out;
        }
        self.error = Some(if self.out_bytes > self.limits.max_bytes {
            Fault::limit(format!("inflates to more than {} bytes", self.limits.max_bytes))
        } else {
            Fault::limit(format!("inflates to more than {} times its size", self.limits.max_ratio))
        });
        usize::try_from(allowed.saturating_sub(before)).unwrap_or(n_out).min(n_out)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let trailer = self.take(TRAILER_BYTES)?;
        let expected = [self.crc.sum().to_le_bytes(), self.crc.amount().to_le_bytes()].concat();
        if trailer != expected {
            return Err(Fault::damage("the gzip checksum does not match the content"));
        }
        self.n_members = self.n_members.saturating_add(1);
        self.layer.n_members.store(self.n_members, Ordering::Relaxed);
        if self.n_members == 1 {
            self.layer.first_end.store(self.out_bytes, Ordering::Relaxed);
        }
        self.state = State::Header;
        Ok(())
    }
}

const CORRUPT: &str = "the compressed data is corrupt";

fn ends_early() -> io::Error {
    Fault::damage("the compressed data ends early")
}

impl Read for Inflater {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.error.is_some() || self.state != State::End {
            let n_bytes = self.step(out)?;
            if n_bytes > 0 {
                return Ok(n_bytes);
            }
        }
        Ok(0)
    }
}
