//! Nested slices of time, thread by thread, as samples of the time that nothing inside them covers.

use rustc_hash::FxHashMap;

use super::ThreadKey;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Builder, Frame, FrameId, Sample, StackId, ThreadId, kind};

/// A slice of one thread.
struct Slice {
    start: i64,
    end: i64,
    /// How many slices of the thread begin before it in the file.
    order: usize,
    frame: FrameId,
}

#[derive(Default)]
struct Lane {
    done: Vec<Slice>,
    /// Begun and not ended: when, its order, what.
    open: Vec<(i64, usize, FrameId)>,
    last: i64,
}

impl Lane {
    /// The order of the next slice.
    const fn next(&self) -> usize {
        self.done.len() + self.open.len()
    }
}

/// All slices.
#[derive(Default)]
pub(super) struct Slices {
    lanes: FxHashMap<ThreadKey, Lane>,
    /// Threads in the order of their first slices.
    order: Vec<ThreadKey>,
}

impl Slices {
    fn lane(&mut self, thread: ThreadKey) -> &mut Lane {
        self.lanes.entry(thread).or_insert_with(|| {
            self.order.push(thread);
            Lane::default()
        })
    }

    /// Number of slices.
    pub(super) fn len(&self) -> u64 {
        self.lanes.values().map(|lane| (lane.done.len() + lane.open.len()) as u64).sum()
    }

    /// The threads that have slices.
    pub(super) fn threads(&self) -> Vec<ThreadKey> {
        self.order.clone()
    }

    /// A slice with its length (`X`).
    pub(super) fn whole(&mut self, thread: ThreadKey, start: i64, length: i64, name: &str, detail: Option<&str>, builder: &mut Builder) {
        let frame = frame(name, detail, builder);
        let lane = self.lane(thread);
        let end = start.saturating_add(length.max(0));
        lane.last = lane.last.max(end);
        let order = lane.next();
        lane.done.push(Slice { start, end, order, frame });
    }

    /// The begin of a slice (`B`).
    pub(super) fn begin(&mut self, thread: ThreadKey, time: i64, name: &str, detail: Option<&str>, builder: &mut Builder) {
        let frame = frame(name, detail, builder);
        let lane = self.lane(thread);
        lane.last = lane.last.max(time);
        lane.open.push((time, lane.next(), frame));
    }

    /// The end of the slice that was begun last (`E`).
    pub(super) fn end(&mut self, thread: ThreadKey, time: i64, builder: &mut Builder) {
        let lane = self.lane(thread);
        lane.last = lane.last.max(time);
        match lane.open.pop() {
            Some((start, order, frame)) => lane.done.push(Slice { start, end: time.max(start), order, frame }),
            None => builder.notes.add(kind::SKIPPED, "ends of slices without a begin", 1, None),
        }
    }

    /// Adds the slices of a thread as samples.
    pub(super) fn add(
        &mut self,
        key: ThreadKey,
        thread: Option<ThreadId>,
        column: usize,
        builder: &mut Builder,
        ticket: &Ticket,
    ) -> Result<(), Cancelled> {
        let Some(mut lane) = self.lanes.remove(&key) else { return Ok(()) };
        if !lane.open.is_empty() {
            builder.notes.add(kind::REPAIRED, "slices without an end were ended with their thread", lane.open.len() as u64, None);
            let last = lane.last;
            lane.done.extend(lane.open.drain(..).map(|(start, order, frame)| Slice { start, end: last.max(start), order, frame }));
        }
        // Callers first: what begins earlier, of those that begin together the longest, of those that end together too the first in the file
        // (slices stand here in the order of their ends, callees first).
        lane.done.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)).then(a.order.cmp(&b.order)));
        let mut sweep = Sweep { open: Vec::new(), at: i64::MIN, thread, column, builder };
        for (number, slice) in lane.done.iter().enumerate() {
            if number.is_multiple_of(4096) {
                ticket.check()?;
            }
            sweep.close_until(slice.start);
            sweep.advance(slice.start);
            let mut end = slice.end;
            if let Some(&(outer, _)) = sweep.open.last().filter(|(outer, _)| end > *outer) {
                sweep.builder.notes.add(kind::REPAIRED, "slices that end after the slice around them were cut there", 1, None);
                end = outer;
            }
            let stack = sweep.builder.stack(sweep.open.last().map(|(_, stack)| *stack), slice.frame);
            sweep.open.push((end, stack));
        }
        sweep.close_until(i64::MAX);
        Ok(())
    }
}

fn frame(name: &str, detail: Option<&str>, builder: &mut Builder) -> FrameId {
    let function = match detail {
        Some(detail) => builder.function_named(&format!("{name} ({detail})")),
        None => builder.function_named(name),
    };
    builder.frame(Frame { function: Some(function), ..Frame::default() })
}

/// A walk along the time of one thread.
struct Sweep<'b> {
    /// End and stack of the slices around the place, outermost first.
    open: Vec<(i64, StackId)>,
    at: i64,
    thread: Option<ThreadId>,
    column: usize,
    builder: &'b mut Builder,
}

impl Sweep<'_> {
    /// Goes to `time`; what lies before it belongs to the innermost open slice.
    fn advance(&mut self, time: i64) {
        if let Some(&(_, stack)) = self.open.last()
            && time > self.at
        {
            let sample = Sample { stack: Some(stack), thread: self.thread, time: Some(self.at), ..Sample::default() };
            self.builder.rows.event(sample, self.column, time.saturating_sub(self.at));
        }
        self.at = self.at.max(time);
    }

    /// Closes the slices that end at `time` or before.
    fn close_until(&mut self, time: i64) {
        while let Some(&(end, _)) = self.open.last().filter(|(end, _)| *end <= time) {
            self.advance(end);
            self.open.pop();
        }
    }
}
