//! Giving memory back where nobody waits for it.
//!
//! The system takes large tables back page by page: about 100 ms for a gigabyte. A window that closes a capture must not stand still that long,
//! and work that is cancelled ends when it returns: both hand what they held to a thread that drops it ([`discard`], [`Unfinished`]). Deliberately
//! absent: tables of work that came to its end. Those are dropped where they are, or a program that makes them faster than they are dropped
//! would hold more and more of them.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;
use std::sync::mpsc::Sender;

use super::ticket::{Here, checkpoint};

/// Rows that are copied between two checkpoints.
const ROWS_PER_CHECK: usize = 1 << 14;

/// Drops a value on the thread for that.
///
/// It is dropped here where there is no such thread.
pub fn discard<T: Send + 'static>(value: T) {
    // A value that cannot be sent is in the error.
    drop(BIN.send(Box::new(value)));
}

/// One thread for all of them: several would take the processors from those that go on.
static BIN: LazyLock<Sender<Box<dyn Send>>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "nothing comes back through it: it is no inbox")]
    let (sender, values) = std::sync::mpsc::channel::<Box<dyn Send>>();
    drop(std::thread::Builder::new().name("discard".to_owned()).spawn(move || values.into_iter().for_each(drop)));
    sender
});

/// A table of work that may not come to its end: a cancelled [`run`](super::ticket::Ticket::run) leaves it without waiting until it is dropped.
///
/// In work that is not cancelled it is the value and nothing more. On the threads of a parallel iterator no run is known, and it is dropped there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished<T: Default + Send + 'static>(T);

impl<T: Default + Send + 'static> Unfinished<T> {
    /// Holds what the work has so far.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the result.
    pub fn keep(mut self) -> T {
        std::mem::take(&mut self.0)
    }
}

impl<T: Copy + Send + 'static> Unfinished<Vec<T>> {
    /// A copy of a large table, with checkpoints.
    pub fn copy(rows: &[T]) -> Self {
        let mut made = Self(Vec::with_capacity(rows.len()));
        for part in rows.chunks(ROWS_PER_CHECK) {
            checkpoint();
            made.extend_from_slice(part);
        }
        made
    }
}

/// What is collected belongs to the work from the first row on: an iterator may be left in the middle.
impl<T: Send + 'static> FromIterator<T> for Unfinished<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut made = Self::default();
        made.extend(rows);
        made
    }
}

impl<T: Default + Send + 'static> Drop for Unfinished<T> {
    fn drop(&mut self) {
        if Here::new().is_cancelled() {
            discard(std::mem::take(&mut self.0));
        }
    }
}

impl<T: Default + Send + 'static> Deref for Unfinished<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Default + Send + 'static> DerefMut for Unfinished<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::thread::ThreadId;

    use super::*;
    use crate::base::ticket::{Cancelled, Ticket};

    /// Says which thread drops it.
    #[derive(Default)]
    struct Witness(Option<Arc<Mutex<Option<ThreadId>>>>);

    impl Drop for Witness {
        fn drop(&mut self) {
            if let Some(place) = self.0.take() {
                *place.lock().unwrap() = Some(std::thread::current().id());
            }
        }
    }

    fn witness() -> (Witness, Arc<Mutex<Option<ThreadId>>>) {
        let place = Arc::new(Mutex::new(None));
        (Witness(Some(Arc::clone(&place))), place)
    }

    /// Returns once everything was dropped that was discarded before: one thread drops it in order.
    fn settle() {
        #[expect(clippy::disallowed_methods, reason = "a test waits for a thread")]
        let (sender, done) = std::sync::mpsc::channel::<()>();
        discard(sender);
        assert!(done.recv().is_err(), "nothing is sent: the end of the sender is what is waited for");
    }

    fn dropped_here(place: &Mutex<Option<ThreadId>>) -> Option<bool> {
        place.lock().unwrap().map(|thread| thread == std::thread::current().id())
    }

    #[test]
    fn a_discarded_value_is_dropped_by_another_thread() {
        let (value, place) = witness();
        discard(value);
        settle();
        assert_eq!(dropped_here(&place), Some(false));
    }

    #[test]
    fn unfinished_work_is_left_to_another_thread_only_by_a_cancelled_run() {
        for (ticket, here) in [(Ticket::new(), true), (Ticket::cancelled_at_check(1), false)] {
            let (value, place) = witness();
            let end = ticket.run(|| {
                let _table = Unfinished::new(value);
                checkpoint();
            });
            assert_eq!(end, if here { Ok(()) } else { Err(Cancelled) });
            settle();
            assert_eq!(dropped_here(&place), Some(here));
        }
    }

    #[test]
    fn what_is_kept_is_not_dropped() {
        let (value, place) = witness();
        let kept = Ticket::new().run(|| Unfinished::new(value).keep());
        settle();
        assert_eq!(dropped_here(&place), None);
        drop(kept);
        assert_eq!(dropped_here(&place), Some(true));
    }
}
