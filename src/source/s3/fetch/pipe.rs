//! A long object, read while it arrives: so much of it is in memory and no more.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::{
    FetchOptions,
    lost::Named,
    transfer::{Link, Loss, Step, Transfer, Wanted},
    wait,
};
use crate::aws::{Aws, Failure, s3::Head};

/// What comes through a pipe.
enum Message {
    Head(Head),
    Bytes(Bytes),
    /// That was all.
    End,
    Lost(Loss),
}

/// Reads an object's bytes as they arrive.
pub(super) struct Pipe {
    messages: Receiver<Message>,
    /// Bytes that may still be on their way to the reader.
    space: Arc<Semaphore>,
    piece: Bytes,
    at_end: bool,
    options: FetchOptions,
    named: Named,
}

impl Pipe {
    /// Asks for an object and waits for the first of it.
    pub(super) fn open(
        aws: &Aws,
        wanted: Wanted,
        link: &Arc<Link>,
        options: &FetchOptions,
        named: Named,
    ) -> io::Result<(Head, Self)> {
        let max_bytes = usize::try_from(options.whole_bytes()).unwrap_or(usize::MAX);
        let space = Arc::new(Semaphore::new(max_bytes));
        let (sender, messages) = mpsc::channel();
        let transfer = Transfer::new(wanted, Arc::clone(link));
        aws.spawn(send(transfer, sender, Arc::clone(&space), max_bytes));
        match wait(&messages, options) {
            Ok(Message::Head(head)) => {
                let (options, piece) = (options.clone(), Bytes::new());
                Ok((head, Self { messages, space, piece, at_end: false, options, named }))
            }
            Ok(Message::Lost(loss)) | Err(loss) => Err(named.error(&loss)),
            Ok(Message::Bytes(_) | Message::End) => {
                Err(named.error(&Loss::of(Failure::other("its bytes came before its head"))))
            }
        }
    }
}

impl io::Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            if self.at_end || buf.is_empty() {
                return Ok(0);
            }
            match wait(&self.messages, &self.options) {
                Ok(Message::Bytes(bytes)) => self.piece = bytes,
                Ok(Message::Head(_)) => {}
                Ok(Message::End) => self.at_end = true,
                Ok(Message::Lost(loss)) | Err(loss) => return Err(self.named.error(&loss)),
            }
        }
        let n_bytes = buf.len().min(self.piece.len());
        let given = self.piece.split_to(n_bytes);
        if let Some(target) = buf.get_mut(..n_bytes) {
            target.copy_from_slice(&given);
        }
        self.space.add_permits(n_bytes);
        Ok(n_bytes)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Whoever sends waits for space no longer.
        self.space.close();
    }
}

/// Sends an object through a pipe, until it ends or nobody reads any more.
async fn send(
    mut transfer: Transfer,
    sender: Sender<Message>,
    space: Arc<Semaphore>,
    max_bytes: usize,
) {
    let mut is_begun = false;
    loop {
        let step = transfer.next().await;
        if !is_begun && matches!(step, Ok(Step::Bytes(_) | Step::End)) {
            is_begun = true;
            if sender.send(Message::Head(transfer.head())).is_err() {
                return;
            }
        }
        let last = match step {
            Ok(Step::Bytes(mut bytes)) => {
                while !bytes.is_empty() {
                    let piece = bytes.split_to(bytes.len().min(max_bytes));
                    let n_bytes = u32::try_from(piece.len()).unwrap_or(u32::MAX);
                    let Ok(permit) = space.acquire_many(n_bytes).await else { return };
                    permit.forget();
                    if sender.send(Message::Bytes(piece)).is_err() {
                        return;
                    }
                }
                continue;
            }
            // What was read of it cannot be taken back.
            Ok(Step::Restart) => Message::Lost(Loss::of(transfer.last_failure())),
            Ok(Step::End) => Message::End,
            Err(loss) => Message::Lost(loss),
        };
        // Nobody may read any more.
        let _ = sender.send(last);
        return;
    }
}
