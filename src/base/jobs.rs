//! Background work: start, one inbox, one wake-up.
//!
//! Each job runs on a named thread (rayon splits inside it), may not touch the application, and ends in one event. Results of
//! cancelled jobs are discarded at the inbox even when they came to an end. Deliberately absent: what an event means.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::base::discard::discard;
use crate::base::ticket::{Progress, Ticket};

/// Names one started job; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

impl JobId {
    /// The job of that number, for scripts and tests.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number shown to people and scripts.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A job that has not delivered yet.
pub struct Running {
    /// Its id.
    pub id: JobId,
    /// What it does, for people.
    pub name: String,
    /// Its progress and cancel switch.
    pub ticket: Ticket,
    started: Instant,
}

impl Running {
    /// Where it stands.
    pub fn progress(&self) -> Progress {
        self.ticket.progress()
    }

    /// Time since it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

enum Mode {
    Threads,
    /// Jobs run inside `start`: tests and scripts need no waiting and see one order.
    Inline,
}

/// Starts jobs and collects what they deliver.
pub struct Jobs<E> {
    mode: Mode,
    next: u64,
    running: Vec<Running>,
    sender: Sender<(JobId, E)>,
    inbox: Receiver<(JobId, E)>,
    wake: Arc<dyn Fn() + Send + Sync>,
    on_panic: fn(String) -> E,
}

impl<E: Send + 'static> Jobs<E> {
    /// Jobs on threads. `wake` is called after each delivery (from the job's thread); `on_panic` makes the event of a job that
    /// panicked.
    pub fn threads(wake: impl Fn() + Send + Sync + 'static, on_panic: fn(String) -> E) -> Self {
        Self::new(Mode::Threads, Arc::new(wake), on_panic)
    }

    /// Jobs that run to their end inside [`start`](Self::start).
    pub fn inline(on_panic: fn(String) -> E) -> Self {
        Self::new(Mode::Inline, Arc::new(|| {}), on_panic)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one inbox")]
    fn new(mode: Mode, wake: Arc<dyn Fn() + Send + Sync>, on_panic: fn(String) -> E) -> Self {
        let (sender, inbox) = std::sync::mpsc::channel();
        Self { mode, next: 1, running: Vec::new(), sender, inbox, wake, on_panic }
    }

    /// Replaces the wake-up, for a window that opens after the jobs exist.
    pub fn set_wake(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        self.wake = Arc::new(wake);
    }

    /// Starts `work`; its event arrives at [`next_event`](Self::next_event).
    pub fn start(&mut self, name: impl Into<String>, work: impl FnOnce(&Ticket) -> E + Send + 'static) -> JobId {
        let id = JobId(self.next);
        self.next += 1;
        let (name, ticket) = (name.into(), Ticket::new());
        self.running.push(Running { id, name: name.clone(), ticket: ticket.clone(), started: Instant::now() });
        let (sender, wake, on_panic) = (self.sender.clone(), Arc::clone(&self.wake), self.on_panic);
        let run = move || {
            let event = catch_unwind(AssertUnwindSafe(|| work(&ticket))).unwrap_or_else(|panic| on_panic(panic_text(panic.as_ref())));
            // The receiver is gone only when the application ended: then nobody wants the event.
            drop(sender.send((id, event)));
            wake();
        };
        match self.mode {
            Mode::Inline => run(),
            Mode::Threads => {
                let builder = std::thread::Builder::new().name(name).stack_size(16 << 20);
                if let Err(error) = builder.spawn(run) {
                    let event = (self.on_panic)(format!("no thread could be started: {error}"));
                    drop(self.sender.send((id, event)));
                }
            }
        }
        id
    }

    /// Asks a job to stop and forgets it: its event will be dropped.
    pub fn cancel(&mut self, id: JobId) {
        self.running.retain(|job| {
            if job.id == id {
                job.ticket.cancel();
            }
            job.id != id
        });
    }

    /// The next event of a job that is still wanted, without waiting.
    pub fn next_event(&mut self) -> Option<(JobId, E)> {
        while let Ok((id, event)) = self.inbox.try_recv() {
            if self.finish(id) {
                return Some((id, event));
            }
            discard(event);
        }
        None
    }

    /// The next event, waiting at most `limit` for it.
    pub fn wait_event(&mut self, limit: Duration) -> Option<(JobId, E)> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok((id, event)) if self.finish(id) => return Some((id, event)),
                Ok((_, event)) => discard(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Jobs that have not delivered, oldest first.
    pub fn running(&self) -> &[Running] {
        &self.running
    }

    /// True while `id` has not delivered.
    pub fn is_running(&self, id: JobId) -> bool {
        self.running.iter().any(|job| job.id == id)
    }

    fn finish(&mut self, id: JobId) -> bool {
        let before = self.running.len();
        self.running.retain(|job| job.id != id);
        self.running.len() < before
    }
}

impl<E> Drop for Jobs<E> {
    fn drop(&mut self) {
        for job in &self.running {
            job.ticket.cancel();
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Event {
        Sum(u64),
        Panicked,
    }

    fn panicked(_: String) -> Event {
        Event::Panicked
    }

    #[test]
    fn a_job_delivers_once() {
        let mut jobs = Jobs::threads(|| {}, panicked);
        let id = jobs.start("sum", |_| Event::Sum((1..=10).sum()));
        assert_eq!(jobs.wait_event(Duration::from_mins(1)), Some((id, Event::Sum(55))));
        assert!(jobs.running().is_empty());
        assert_eq!(jobs.next_event(), None);
    }

    #[test]
    fn a_cancelled_job_never_delivers_even_when_it_finished() {
        let mut jobs = Jobs::inline(panicked);
        let first = jobs.start("sum", |_| Event::Sum(1));
        let second = jobs.start("sum", |_| Event::Sum(2));
        jobs.cancel(first);
        assert_eq!(jobs.next_event(), Some((second, Event::Sum(2))));
        assert_eq!(jobs.next_event(), None);
    }

    #[test]
    fn a_panic_becomes_an_event() {
        let mut jobs: Jobs<Event> = Jobs::threads(|| {}, panicked);
        let id = jobs.start("boom", |_| panic!("boom"));
        assert_eq!(jobs.wait_event(Duration::from_mins(1)), Some((id, Event::Panicked)));
    }
}
