//! Progress and cancel of one piece of work, shared between the thread that does it and the one that shows it.
//!
//! Work that reads gets its ticket as an argument and passes errors on. Pure functions over tables know of no ticket: whoever starts them does
//! so inside [`Ticket::run`], and their long loops say [`checkpoint`] or [`Checked::checked`], which leave the whole work by unwinding once it is
//! cancelled. So a sort or a closure can be left as well as a loop, and outside of `run` they cost a branch. Deliberately absent: time. A ticket
//! counts bytes or rows; what a rate or an estimate is made of belongs to the viewer.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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
    /// How often the work asked whether it is cancelled.
    checks: AtomicU64,
    /// The check with this number cancels; 0 = none does.
    last_check: u64,
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

    /// A ticket that cancels itself at the `n`-th check, from 1: what stops in the middle can be tested without a clock.
    pub fn cancelled_at_check(n: u64) -> Self {
        Self(Arc::new(State { last_check: n, ..State::default() }))
    }

    /// How often the work has asked whether it is cancelled.
    pub fn checks(&self) -> u64 {
        self.0.checks.load(Ordering::Relaxed)
    }

    /// Runs `work` as this ticket's: its [`checkpoint`]s on this thread ask this ticket.
    ///
    /// For threads that were started for one piece of work; inside a parallel iterator the pool's threads do other work in between.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, Cancelled> {
        let outer = CURRENT.replace(Some(self.clone()));
        // What the work was changing is not seen again: it is dropped here, or belongs to the caller, who learns that it was cancelled.
        let result = catch_unwind(AssertUnwindSafe(work));
        CURRENT.set(outer);
        result.map_err(|panic| if panic.is::<Cancelled>() { Cancelled } else { resume_unwind(panic) })
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
        let checks = self.0.checks.fetch_add(1, Ordering::Relaxed) + 1;
        if checks == self.0.last_check {
            self.cancel();
        }
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

thread_local! {
    static CURRENT: RefCell<Option<Ticket>> = const { RefCell::new(None) };
}

/// Leaves the work of this thread by unwinding where its ticket was cancelled, see [`Ticket::run`].
pub fn checkpoint() {
    Here::new().checkpoint();
}

/// Begins a stage of the work on this thread whose steps nobody counts, and is a [`checkpoint`], see [`Ticket::run`].
pub fn stage(stage: &'static str) {
    if let Some(ticket) = Here::new().0
        && ticket.stage(stage, 0).is_err()
    {
        resume_unwind(Box::new(Cancelled));
    }
}

/// The ticket of the work on this thread, to be asked from the threads of a parallel iterator.
#[derive(Clone)]
pub struct Here(Option<Ticket>);

impl Here {
    /// The ticket of this thread's [`Ticket::run`]; outside of one there is nothing to ask.
    pub fn new() -> Self {
        Self(CURRENT.with_borrow(Clone::clone))
    }

    /// True where there is such a ticket and it was cancelled; this is no check.
    pub fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(Ticket::is_cancelled)
    }

    /// Leaves the work by unwinding where it was cancelled.
    pub fn checkpoint(&self) {
        if self.0.as_ref().is_some_and(|ticket| ticket.check().is_err()) {
            // Not a panic: nothing is printed, and `run` knows it.
            resume_unwind(Box::new(Cancelled));
        }
    }
}

impl Default for Here {
    fn default() -> Self {
        Self::new()
    }
}

/// Items of a piece of work that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 15;

/// Does two pieces of one work on so many `items` side by side, both as the ticket of this thread: each stops when it is cancelled, and so does the
/// work. One after the other where there are few items, and on a thread of the pool: if that waited here, all of them might, and nobody would be
/// left to do what the pieces give to the pool.
pub fn both<A: Send, B>(items: usize, beside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    if items < WORTH_A_THREAD || rayon::current_thread_index().is_some() {
        return (beside(), here());
    }
    let ticket = Here::new();
    std::thread::scope(|scope| {
        // A thread of its own: one of the pool would do other work in between.
        let beside = scope.spawn(move || match &ticket.0 {
            Some(ticket) => ticket.run(beside),
            None => Ok(beside()),
        });
        let here = here();
        match beside.join() {
            Ok(Ok(beside)) => (beside, here),
            Ok(Err(cancelled)) => resume_unwind(Box::new(cancelled)),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Items between two checkpoints of a loop.
pub const ITEMS_PER_CHECK: u32 = 1 << 10;

/// A [`checkpoint`] once in [`ITEMS_PER_CHECK`] steps, for what is no plain loop: the comparisons of a sort.
pub struct Watch {
    here: Here,
    left: Cell<u32>,
}

impl Watch {
    /// Asks the ticket of this thread.
    pub fn new() -> Self {
        Self { here: Here::new(), left: Cell::new(ITEMS_PER_CHECK) }
    }

    /// One step.
    #[inline]
    pub fn step(&self) {
        let left = self.left.get() - 1;
        self.left.set(if left == 0 { ITEMS_PER_CHECK } else { left });
        if left == 0 {
            self.here.checkpoint();
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

/// Loops that end when their work is cancelled.
pub trait Checked: Iterator + Sized {
    /// The same items, with a [`checkpoint`] once in [`ITEMS_PER_CHECK`] of them.
    fn checked(self) -> impl Iterator<Item = Self::Item> {
        let watch = Watch::new();
        self.inspect(move |_| watch.step())
    }
}

impl<I: Iterator> Checked for I {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_run_is_left_from_loops_sorts_and_other_threads() {
        use rayon::prelude::*;
        let works: [fn() -> u64; 4] = [
            || {
                let sum = || (0..1 << 19).checked().sum::<u64>();
                let (beside, here) = both(1 << 19, sum, sum);
                beside + here
            },
            || (0..1 << 20).checked().sum(),
            || {
                let mut rows: Vec<u64> = (0..1 << 16).map(|row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
                let watch = Watch::new();
                rows.sort_unstable_by(|a, b| {
                    watch.step();
                    a.cmp(b)
                });
                rows.first().copied().unwrap_or(0)
            },
            || {
                let here = Here::new();
                let row = |row: u64| {
                    here.checkpoint();
                    row
                };
                (0_u64..1 << 10).into_par_iter().map(row).sum()
            },
        ];
        for work in works {
            let whole = Ticket::new();
            assert_eq!(whole.run(work), Ok(work()));
            assert!(whole.checks() >= 100, "{}", whole.checks());
            let stopped = Ticket::cancelled_at_check(10);
            assert_eq!(stopped.run(work), Err(Cancelled));
            assert!(stopped.checks() < whole.checks());
        }
    }

    #[test]
    fn work_without_a_ticket_of_its_own_says_its_stage_and_stops_there() {
        stage("outside of any work nobody asks");
        let ticket = Ticket::new();
        let said = ticket.run(|| {
            stage("searching");
            ticket.progress()
        });
        assert_eq!(said, Ok(Progress { done: 0, total: 0, stage: "searching" }));
        ticket.cancel();
        assert_eq!(ticket.run(|| stage("judging")), Err(Cancelled));
    }

    #[test]
    fn a_thread_of_the_pool_does_both_itself() {
        let here = || std::thread::current().id();
        let (beside, own) = both(usize::MAX, here, here);
        assert_ne!(beside, own);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (beside, own) = pool.install(|| both(usize::MAX, here, here));
        assert_eq!(beside, own);
    }

    #[test]
    fn a_panic_is_not_taken_for_a_cancel() {
        let caught = catch_unwind(|| Ticket::new().run(|| resume_unwind(Box::new("boom"))));
        assert!(caught.is_err_and(|panic| panic.is::<&str>()));
    }

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
