//! Progress and cancel of one piece of work, shared between the thread that does it and the one that shows it.
//!
//! Deliberately absent: time. A ticket counts bytes or rows; what a rate or an estimate is made of belongs to the viewer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The work was cancelled; whoever sees it returns at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl std::fmt::Display for Cancelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    stage: Mutex<&'static str>,
}

/// A handle to one piece of work. Clones share it.
#[derive(Clone, Default)]
pub struct Ticket(Arc<State>);

/// What a ticket says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done (bytes while reading) of the current stage.
    pub done: u64,
    /// Steps of the current stage; 0 where unknown.
    pub total: u64,
    /// What is being done, for people: "inflating", "decoding".
    pub stage: &'static str,
}

impl Progress {
    /// Part done, 0 to 1, where the total is known.
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| (self.done as f64 / self.total as f64).clamp(0.0, 1.0) as f32)
    }
}

impl Ticket {
    /// A fresh ticket: nothing done, not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop; it does so at its next `advance` or `check`.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// True after [`cancel`](Self::cancel).
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Begins a stage of `total` steps (0 = unknown).
    pub fn stage(&self, stage: &'static str, total: u64) -> Result<(), Cancelled> {
        *self.0.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
        self.check()
    }

    /// Counts `steps` as done; an error when cancelled.
    pub fn advance(&self, steps: u64) -> Result<(), Cancelled> {
        self.0.done.fetch_add(steps, Ordering::Relaxed);
        self.check()
    }

    /// An error when cancelled.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Where the work stands now.
    pub fn progress(&self) -> Progress {
        Progress {
            done: self.0.done.load(Ordering::Relaxed),
            total: self.0.total.load(Ordering::Relaxed),
            stage: *self.0.stage.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_ticket_stops_all_its_clones() {
        let ticket = Ticket::new();
        let worker = ticket.clone();
        assert_eq!(worker.advance(5), Ok(()));
        ticket.cancel();
        assert_eq!(worker.advance(5), Err(Cancelled));
        assert_eq!(ticket.progress().done, 10);
    }

    #[test]
    fn a_stage_starts_at_zero() {
        let ticket = Ticket::new();
        ticket.advance(9).unwrap();
        ticket.stage("decoding", 20).unwrap();
        ticket.advance(5).unwrap();
        assert_eq!(ticket.progress(), Progress { done: 5, total: 20, stage: "decoding" });
        assert_eq!(ticket.progress().fraction(), Some(0.25));
    }
}
