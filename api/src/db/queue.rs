//! Group commit: work that arrives together shares one transaction, so that one disk flush serves many ballots.
//!
//! One thread per process writes. Jobs wait in a bounded queue; when it is full the caller is told at once
//! instead of waiting in line for a place in the line.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Conn, Db, DbError};

/// Why a job was not done. Nothing of it is in the database, unless the commit itself was cut off: asking again
/// is always safe for jobs that can be repeated, and they all can.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// Too many jobs are waiting; try again shortly.
    #[error("the queue is full")]
    Full,
    /// The transaction failed; the cause has been logged.
    #[error("the database did not take the batch")]
    Failed,
    /// The queue is shutting down.
    #[error("the queue is closed")]
    Closed,
}

struct Waiting<J, O> {
    job: J,
    answer: oneshot::Sender<Result<O, QueueError>>,
}

/// The way into the queue; cheap to clone. The thread ends when the last of them is dropped.
pub struct Queue<J, O> {
    tx: SyncSender<Waiting<J, O>>,
}

impl<J, O> Clone for Queue<J, O> {
    fn clone(&self) -> Self {
        Self { tx: self.tx.clone() }
    }
}

/// Does a batch of jobs inside one transaction; answers in the order of the jobs.
pub type Batch<J, O> = dyn Fn(&Db, &mut Conn, &[J]) -> Result<Vec<O>, DbError> + Send + Sync;

impl<J: Send + 'static, O: Send + 'static> Queue<J, O> {
    /// Starts the writing thread: `length` jobs may wait, up to `batch` of them share a transaction.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        db: &Db,
        name: &str,
        length: usize,
        batch: usize,
        work: Arc<Batch<J, O>>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (tx, rx) = sync_channel(length.max(1));
        let db = db.clone();
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&db, &rx, batch.max(1), &*work))?;
        Ok((Self { tx }, thread))
    }

    /// Puts a job in; the answer comes through the receiver.
    ///
    /// # Errors
    /// [`QueueError::Full`] or [`QueueError::Closed`], at once.
    pub fn put(&self, job: J) -> Result<Answer<O>, QueueError> {
        let (answer, waiting) = oneshot::channel();
        match self.tx.try_send(Waiting { job, answer }) {
            Ok(()) => Ok(Answer(waiting)),
            Err(TrySendError::Full(_)) => Err(QueueError::Full),
            Err(TrySendError::Disconnected(_)) => Err(QueueError::Closed),
        }
    }
}

/// A job's answer, when it comes.
pub struct Answer<O>(oneshot::Receiver<Result<O, QueueError>>);

impl<O> Answer<O> {
    /// Waits for the commit.
    ///
    /// # Errors
    /// [`QueueError`] when the batch failed.
    pub async fn wait(self) -> Result<O, QueueError> {
        self.0.await.unwrap_or(Err(QueueError::Closed))
    }

    /// Waits for the commit, blocking the thread; not for use inside async code.
    ///
    /// # Errors
    /// As [`Answer::wait`].
    pub fn wait_here(self) -> Result<O, QueueError> {
        self.0.blocking_recv().unwrap_or(Err(QueueError::Closed))
    }
}

fn run<J, O>(db: &Db, rx: &Receiver<Waiting<J, O>>, batch: usize, work: &Batch<J, O>) {
    while let Ok(first) = rx.recv() {
        let mut answers = vec![first.answer];
        let mut jobs = vec![first.job];
        while jobs.len() < batch
            && let Ok(next) = rx.try_recv()
        {
            answers.push(next.answer);
            jobs.push(next.job);
        }
        match db.write_here(|conn| work(db, conn, &jobs)) {
            Ok(done) => {
                for (answer, outcome) in answers.into_iter().zip(done) {
                    // A caller who stopped waiting asks again with the same code and gets the same receipt.
                    let _ = answer.send(Ok(outcome));
                }
            }
            Err(error) => {
                tracing::error!(%error, jobs = jobs.len(), "batch rolled back");
                for answer in answers {
                    let _ = answer.send(Err(QueueError::Failed));
                }
            }
        }
    }
}
