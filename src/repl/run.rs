//! Runs one statement: rows to a writer, and Ctrl-C stops it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arrow::datatypes::SchemaRef;
use futures::StreamExt as _;
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    task::JoinSet,
};

use super::interrupts::{Interrupts, Since};
use crate::{
    ErrorKind, Result,
    engine::{Coverage, Session, Statement, THREAD_STACK_BYTES},
    output::{RowWriter, human},
};

/// Batches that may wait for the writer.
const BATCHES_AHEAD: usize = 2;

/// Runs statements on threads of its own.
#[derive(Debug)]
pub struct Runner {
    threads: usize,
    runtime: Mutex<Option<Runtime>>,
    interrupts: Interrupts,
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// How a statement went.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Rows written.
    pub rows: u64,
    /// Whether it was a question: those that are not have no columns.
    pub has_columns: bool,
    /// Wall-clock time.
    pub elapsed: Duration,
    /// Bytes read from the cache.
    pub scanned_bytes: u64,
    /// What the user should know beside the rows.
    pub notices: Vec<String>,
}

impl Ran {
    /// `2 rows · 0.081 s · data scanned 1.9 MB`.
    pub fn footer(&self) -> String {
        let mut footer = human::counted(self.rows, "row", "rows");
        footer.push_str(" · ");
        footer.push_str(&human::duration(self.elapsed));
        footer.push_str(" · data scanned ");
        footer.push_str(&human::bytes(self.scanned_bytes));
        footer
    }
}

impl Runner {
    /// A runner with `threads` threads.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn new(threads: usize) -> Result<Self> {
        let threads = threads.max(1);
        Ok(Self {
            threads,
            runtime: Mutex::new(Some(runtime(threads)?)),
            interrupts: Interrupts::default(),
        })
    }

    /// Leaves the threads to themselves: a query that was cancelled may be busy for long before it
    /// notices, and neither the next one nor the end of the program waits for it.
    fn abandon(&self) {
        let mut held = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = held.take() {
            runtime.shutdown_background();
        }
    }

    /// Runs `statement`; `open` makes the writer once the columns are known.
    ///
    /// # Errors
    /// The statement fails, the writer's sink does, or the user interrupted.
    pub fn run<'w>(
        &self,
        session: &Arc<Session>,
        statement: &Statement,
        open: impl FnOnce(&SchemaRef) -> Result<Box<dyn RowWriter + 'w>>,
    ) -> Result<Ran> {
        self.until_interrupted(drive(session, statement, open))
    }

    /// What the cache of `session` covers.
    ///
    /// # Errors
    /// The cache cannot be read, or the user interrupted.
    pub fn coverage(&self, session: &Session) -> Result<Coverage> {
        self.until_interrupted(session.coverage())
    }

    /// Tells of Ctrl-C from now on.
    pub(super) fn interrupts(&self) -> Since {
        self.interrupts.since_now()
    }

    /// Runs `work` to its end or to Ctrl-C.
    ///
    /// # Errors
    /// As `work`; or the user interrupted.
    pub fn until_interrupted<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let interrupts = self.interrupts();
        let done = {
            let mut held = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
            let runtime = match held.as_mut() {
                Some(runtime) => runtime,
                None => held.insert(runtime(self.threads)?),
            };
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = interrupts.heard() => None,
                    done = work => Some(done),
                }
            })
        };
        match done {
            Some(Ok(done)) => Ok(done),
            // A sink that heard of Ctrl-C first fails in words of its own.
            Some(Err(error)) if !interrupts.is_heard() => Err(error),
            _ => {
                self.abandon();
                Err(ErrorKind::Interrupted.into())
            }
        }
    }
}

fn runtime(threads: usize) -> Result<Runtime> {
    let built = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("query")
        .thread_stack_size(THREAD_STACK_BYTES)
        .enable_all()
        .build();
    Ok(built.map_err(|source| ErrorKind::Engine(Box::new(source)))?)
}

async fn drive<'w>(
    session: &Arc<Session>,
    statement: &Statement,
    open: impl FnOnce(&SchemaRef) -> Result<Box<dyn RowWriter + 'w>>,
) -> Result<Ran> {
    let started = Instant::now();
    // Planning may take long without a pause: in a task of its own, so that this one stays free to
    // hear of Ctrl-C.
    let mut planning = JoinSet::new();
    let (theirs, asked) = (Arc::clone(session), statement.clone());
    planning.spawn(async move { theirs.run(&asked).await });
    let answer = match planning.join_next().await {
        Some(Ok(answer)) => answer?,
        Some(Err(panicked)) => return Err(ErrorKind::Engine(Box::new(panicked)).into()),
        None => return Err(ErrorKind::Interrupted.into()),
    };
    let has_columns = !answer.schema.fields().is_empty();
    let mut writer = open(&answer.schema)?;
    let (send, mut receive) = mpsc::channel(BATCHES_AHEAD);
    let mut rows = answer.rows;
    // The rows too; dropping the set stops the task, and with it the query.
    let mut query = JoinSet::new();
    query.spawn(async move {
        while let Some(batch) = rows.next().await {
            let was_last = batch.is_err();
            if send.send(batch).await.is_err() || was_last {
                break;
            }
        }
    });
    while let Some(batch) = receive.recv().await {
        writer.write(&batch.map_err(|error| session.explain(statement, error))?)?;
    }
    // A task that panicked closes the channel like one that is done: an answer must not look
    // whole then.
    if let Some(Err(panicked)) = query.join_next().await {
        return Err(ErrorKind::Engine(Box::new(panicked)).into());
    }
    let n_rows = writer.finish()?;
    Ok(Ran {
        rows: n_rows,
        has_columns,
        elapsed: started.elapsed(),
        scanned_bytes: answer.outcome.bytes_scanned(),
        notices: [answer.notices, answer.outcome.closing_notices().await].concat(),
    })
}
