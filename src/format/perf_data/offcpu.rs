//! Time in which threads did not run: from the moment a thread was switched out until it ran again.
//!
//! The moments come from `SWITCH` records (`perf record --switch-events`) or, without any, from samples of `sched:sched_switch`, which are only
//! complete where all processors were recorded. The stack is that of the sample which an event of the switch itself left (`sched:sched_switch`,
//! `context-switches`); without one the time has no stack. Deliberately absent: guessed ends and guessed stacks. Start reading at [`OffCpu`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::attr::{Attr, bit};
use super::container::Capture;
use super::labels::{Wait, tracepoint};
use super::samples::Row;
use super::{extra, records};
use crate::model::{Builder, kind};

/// Name of the sample type.
pub(super) const NAME: &str = "off-cpu";

/// `SWITCH`: out, not in.
pub(super) const MISC_OUT: u16 = 1 << 13;
/// `SWITCH`: the thread could have run on.
pub(super) const MISC_PREEMPT: u16 = 1 << 14;

/// Bit of a kernel task state that means "could have run on" (`TASK_REPORT_MAX`).
const STATE_PREEMPTED: i64 = 0x100;

/// Threads that do not run at the moment, and what was seen of them.
pub(super) struct OffCpu {
    /// The column of the times: behind those of the events.
    column: usize,
    /// Records say when threads are switched; else only samples do.
    has_records: bool,
    /// The sample that a thread left while it was switched out, by thread.
    asleep: FxHashMap<i32, Row>,
    /// The row of the time that has begun, by thread.
    waiting: FxHashMap<i32, usize>,
    /// Threads that end: they are switched out once more and never run again.
    exited: FxHashSet<i32>,
}

/// Value of a row whose end was not seen.
const UNENDED: u64 = u64::MAX;

impl OffCpu {
    pub(super) fn new(capture: &Capture<'_>) -> Self {
        let has_records = capture.count_of(records::SWITCH) + capture.count_of(records::SWITCH_CPU_WIDE) > 0;
        Self {
            column: capture.events.len(),
            has_records,
            asleep: FxHashMap::default(),
            waiting: FxHashMap::default(),
            exited: FxHashSet::default(),
        }
    }

    /// A sample of the thread `tid` became `row`.
    pub(super) fn sample(&mut self, capture: &Capture<'_>, tid: i32, row: Row, rows: &mut Vec<Row>) {
        let Some(event) = capture.events.get(row.layout) else { return };
        if tid == 0 || !is_switch(&event.attr, event.name.as_deref(), capture) {
            return;
        }
        if self.has_records {
            self.asleep.insert(tid, row);
            return;
        }
        let Some((format, record)) = tracepoint(capture, &event.attr).zip(capture.record(row.at)) else { return };
        let Some(raw) = extra::extra(record.body, event).ok().and_then(|extra| extra.raw) else { return };
        let number = |name| format.number(name, raw, capture.endian);
        let Some((before, after)) = number("prev_pid").zip(number("next_pid")) else { return };
        // A period above 1 skips switches: the times between would be wrong. So would be those of a thread whose record is another's.
        if event.attr.sample_period != 1 || event.attr.is_frequency() || before != i64::from(tid) {
            return;
        }
        let state = number("prev_state").unwrap_or(1);
        let wait = if state == 0 || state & STATE_PREEMPTED != 0 { Wait::Preempted } else { Wait::Slept };
        self.begin(tid, row, wait, rows);
        self.end(after as i32, row.time, rows);
    }

    /// A thread was switched out, as a record says; `row` is that record.
    pub(super) fn switched_out(&mut self, tid: i32, row: Row, is_preempted: bool, rows: &mut Vec<Row>) {
        let wait = if is_preempted { Wait::Preempted } else { Wait::Slept };
        let seen = self.asleep.remove(&tid);
        let row = seen.map_or(row, |seen| Row { time: row.time, ..seen });
        self.begin(tid, row, wait, rows);
    }

    /// A thread runs again, as a record says.
    pub(super) fn switched_in(&mut self, tid: i32, time: Option<i64>, rows: &mut [Row]) {
        self.asleep.remove(&tid);
        self.end(tid, time, rows);
    }

    /// The thread ends.
    pub(super) fn exit(&mut self, tid: i32) {
        self.exited.insert(tid);
    }

    /// A new thread has the number.
    pub(super) fn fork(&mut self, tid: i32) {
        self.asleep.remove(&tid);
        self.waiting.remove(&tid);
        self.exited.remove(&tid);
    }

    fn begin(&mut self, tid: i32, row: Row, wait: Wait, rows: &mut Vec<Row>) {
        if tid == 0 || row.time.is_none() || self.exited.contains(&tid) {
            return;
        }
        self.waiting.insert(tid, rows.len());
        rows.push(Row { column: self.column, weight: UNENDED, wait: Some(wait), ..row });
    }

    fn end(&mut self, tid: i32, time: Option<i64>, rows: &mut [Row]) {
        let row = self.waiting.remove(&tid).and_then(|at| rows.get_mut(at));
        if let Some((row, now)) = row.zip(time) {
            row.weight = row.time.and_then(|then| u64::try_from(now.checked_sub(then)?).ok()).unwrap_or(0);
        }
    }

    /// Takes away the rows whose end was not seen, and says so. Gives how many stay.
    pub(super) fn finish(&self, capture: &Capture<'_>, rows: &mut Vec<Row>, builder: &mut Builder) -> u64 {
        let is_open = |row: &Row| row.column == self.column && row.weight == UNENDED;
        let first = rows.iter().find(|row| is_open(row)).map(|row| capture.file_offset(row.at));
        let before = rows.len();
        if first.is_some() {
            rows.retain(|row| !is_open(row));
            let text = "times off the CPU whose end the capture does not show; they are not counted";
            builder.notes.add(kind::SKIPPED, text, (before - rows.len()) as u64, first);
        }
        rows.iter().filter(|row| row.column == self.column).count() as u64
    }
}

/// True for events that happen at a switch, in the thread that stops running.
fn is_switch(attr: &Attr, name: Option<&str>, capture: &Capture<'_>) -> bool {
    const SOFTWARE: u32 = 1;
    const CONTEXT_SWITCHES: u64 = 3;
    const SCHED_SWITCH: &str = "sched:sched_switch";
    (attr.kind == SOFTWARE && attr.config == CONTEXT_SWITCHES)
        || name == Some(SCHED_SWITCH)
        || (attr.has(bit::RAW) && tracepoint(capture, attr).is_some_and(|tracepoint| tracepoint.name == SCHED_SWITCH))
}
