//! User code that perf prints apart from the sample that it belongs to (`perf script --no-merge-callchains`, Linux 6.19).
//!
//! A sample that the kernel took in its own code ends in a number, `b00000006 (cookie)`. What the thread was doing in user code stands
//! on later lines under that number: `DEFERRED CALLCHAIN [cookie: b00000006]`. The two may lie in different parts of the text, so they
//! are joined when all parts are read. Start reading at [`Deferred::join`].

use rustc_hash::FxHashMap;

use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Builder, FrameId, kind};

/// What a sample and its user code have in common. perf compares both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tid: Option<i32>,
    pub(super) cookie: u64,
}

/// A sample without its user code.
struct Waiting {
    key: Key,
    /// Its row.
    sample: usize,
    /// The kernel's part of its stack, outermost first.
    frames: Vec<FrameId>,
    offset: u64,
}

/// Both halves of the samples of a text.
#[derive(Default)]
pub(super) struct Deferred {
    waiting: Vec<Waiting>,
    /// User code, outermost first. Should a number come again, the first one belongs to the samples before it.
    chains: FxHashMap<Key, Vec<FrameId>>,
}

impl Deferred {
    /// The sample at a row waits for its user code.
    pub(super) fn wait(&mut self, key: Key, sample: usize, frames: Vec<FrameId>, offset: u64) {
        self.waiting.push(Waiting { key, sample, frames, offset });
    }

    /// User code, outermost first.
    pub(super) fn chain(&mut self, key: Key, frames: Vec<FrameId>) {
        self.chains.entry(key).or_insert(frames);
    }

    /// True without samples that wait.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Appends those of a later part, of which the samples begin at row `before` and the frames have got other ids.
    pub(super) fn absorb(&mut self, later: Self, before: usize, moved: &[FrameId]) {
        let frames = |frames: Vec<FrameId>| frames.into_iter().filter_map(|frame| moved.get(frame.row()).copied()).collect::<Vec<_>>();
        for waiting in later.waiting {
            self.waiting.push(Waiting { sample: waiting.sample + before, frames: frames(waiting.frames), ..waiting });
        }
        #[expect(clippy::iter_over_hash_type, reason = "the keys of one part differ, so their order decides nothing")]
        for (key, chain) in later.chains {
            self.chains.entry(key).or_insert_with(|| frames(chain));
        }
    }

    /// Puts every waiting sample on top of its user code.
    pub(super) fn join(self, builder: &mut Builder, ticket: &Ticket) -> Result<(), Cancelled> {
        for (n, Waiting { key, sample, frames, offset }) in self.waiting.into_iter().enumerate() {
            if n % 1024 == 0 {
                ticket.check()?;
            }
            let user = self.chains.get(&key);
            if user.is_none() {
                let text = "user stacks that the kernel meant to deliver later and that are not in the text";
                builder.notes.add(kind::CUT_STACKS, text, 1, Some(offset));
            }
            let mut stack = None;
            for &frame in user.into_iter().flatten().chain(&frames) {
                stack = Some(builder.stack(stack, frame));
            }
            if stack.is_none() {
                builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(offset));
            }
            builder.rows.set_stack(sample, stack);
        }
        Ok(())
    }
}
