//! One part of the text into a builder of its own: the state between lines.
//!
//! The outer lines of a sample are most often those of the sample before, so only what differs is looked up at all ([`Part::block`]). Frames
//! and names have ids of the part ([`Lines`]). Start reading at [`read_part`].

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::deferred::{Deferred, Key};
use super::header;
use super::layout::{self, Layout};
use super::line::{self, Brief, Start};
use super::lines::Lines;
use super::rest::{self, Rest};
use crate::base::intern::StringId;
use crate::base::ticket::Ticket;
use crate::format::{ReadError, text};
use crate::model::{Builder, FrameId, Label, LabelSetId, LabelValue, Sample, StackId, Thread, ThreadId, kind};

/// Most events of one capture. Each is a column of values, so a text with an event name of its own on every line would not fit memory.
pub(super) const MAX_EVENTS: usize = 1024;

/// How the samples of a text begin; one answer for all parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// With a line that has a time or an event.
    #[default]
    Full,
    /// The same, and each time is the distance to the sample before (`--deltatime`).
    Deltas,
    /// With a line that only together with the others tells what it says (`-F comm,ip,sym`).
    Laid,
    /// With no line of their own (`-F ip,sym`): every paragraph of frames is a sample.
    Bare,
}

/// Bytes of text for which there is room for a frame or a row of a stack, and for a sample: fewer are new.
const BYTES_PER_FRAME: usize = 96;
const BYTES_PER_SAMPLE: usize = 128;
/// The same for a stack that leaves others; here more may be new.
const BYTES_PER_BRANCH: usize = 320;

/// Bytes between two looks at the ticket.
const POLL_BYTES: usize = 1 << 18;

/// Reads whole samples from `text`, whose first byte stands at `base` in the input.
pub(super) fn read_part<'a>(
    text: &'a [u8],
    base: u64,
    shape: Shape,
    layout: Option<&'a Layout<'a>>,
    ticket: &Ticket,
) -> Result<Done, ReadError> {
    ticket.check()?;
    let mut part = Part { shape, layout, lines: Lines::for_text(text.len()), ..Part::default() };
    // Growing step by step copies every row several times; what is not used is never touched.
    let room = text.len().min(text::CHUNK_BYTES);
    part.builder.expect_frames(room / BYTES_PER_FRAME);
    part.builder.rows.reserve(room / BYTES_PER_SAMPLE, room / BYTES_PER_FRAME);
    part.builder.rows.reserve_further(room / BYTES_PER_BRANCH);
    let (mut at, mut polled) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let end = memchr::memchr(b'\n', rest);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let offset = base + at as u64;
        at += end.map_or(rest.len(), |end| end + 1);
        if part.line(line.strip_suffix(b"\r").unwrap_or(line), offset) {
            at += part.block(text.get(at..).unwrap_or(&[]), base + at as u64);
        }
        if part.events.len() > MAX_EVENTS {
            return Err(super::too_many_events(offset));
        }
        if at - polled >= POLL_BYTES {
            ticket.advance((at - polled) as u64)?;
            polled = at;
        }
    }
    ticket.advance((at - polled) as u64)?;
    part.end_sample();
    part.close();
    Ok(Done { builder: part.builder, deferred: part.deferred, broken: part.lines.broken })
}

/// A part that was read. Frames may be there twice.
pub(super) struct Done {
    pub(super) builder: Builder,
    pub(super) deferred: Deferred,
    /// Names of frames that are not UTF-8.
    pub(super) broken: Vec<StringId>,
}

/// A line of the call chain of the sample that is being read.
struct Level<'a> {
    /// Row of [`Part::lines`].
    known: usize,
    /// The line after it, where that tells file and line.
    place: Option<&'a [u8]>,
    /// See [`Frame::caller`](crate::model::Frame::caller).
    caller: bool,
    /// Bytes from the start of the line to the end of the block that it stands in; the largest number outside of blocks.
    tail: usize,
    /// The stack up to here, and the line that has the module of the frame; once these are known.
    stack: Option<StackId>,
    owner: Option<usize>,
}

impl Level<'_> {
    const fn new(known: usize, tail: usize) -> Self {
        Self { known, place: None, caller: false, tail, stack: None, owner: None }
    }
}

/// The sample that is being read.
struct Open {
    sample: Sample,
    sample_type: usize,
    value: i64,
    /// The chain so far is the frame at the end of the first line.
    chain_on_line: bool,
    /// Its stack is known: [`Part::path`] is its chain.
    placed: bool,
    /// Fields stand below its chain.
    ended: bool,
    /// Its user code stands on later lines under this number.
    waits: Option<Key>,
    tid: Option<i32>,
    offset: u64,
}

/// Thread and labels of a line's words before the time.
#[derive(Clone, Copy, Default)]
struct WhoRows {
    thread: Option<ThreadId>,
    /// The same as a set and as the row of [`Part::labels`].
    labels: Option<LabelSetId>,
    row: usize,
    tid: Option<i32>,
}

/// An event of the part.
struct Event<'a> {
    name: &'a [u8],
    /// Its values are time: a clock's periods.
    is_time: bool,
    /// The name is a clock's.
    is_clock: bool,
    /// No colon of the name stands before a blank, so it can be told by its bytes.
    is_plain: bool,
    sample_type: usize,
}

#[derive(Default)]
struct Part<'a> {
    shape: Shape,
    /// Where lines tell only together what they say.
    layout: Option<&'a Layout<'a>>,
    builder: Builder,
    open: Option<Open>,
    /// Innermost first, as printed.
    chain: Vec<Level<'a>>,
    /// Kept for its memory.
    fresh: Vec<Level<'a>>,
    /// The chain of the last sample that was placed, outermost first.
    path: Vec<Level<'a>>,
    /// The lines of `path`, where they stand in one block.
    last_block: &'a [u8],
    /// Starts of the lines of a block; kept for its memory.
    starts: Vec<usize>,
    lines: Lines<'a>,
    who: HashMap<&'a [u8], WhoRows, FxBuildHasher>,
    /// The last one that was looked up.
    last_who: (&'a [u8], WhoRows),
    /// What stood behind the time of the last sample, and what that says. Events with the same period print the same again and again.
    last_tail: (&'a [u8], line::Head<'a>),
    /// Labels of each row of `who`.
    labels: Vec<Vec<Label>>,
    /// A record that is no sample stands before: further lines of it follow.
    in_record: bool,
    /// User code for samples before: the number that they wait for. Its frames are `chain`.
    in_deferred: Option<Key>,
    deferred: Deferred,
    /// The frames of this text begin with blanks: somebody replaced perf's tabs.
    blank_frames: bool,
    /// Sum of the times so far, where they are distances.
    clock: i64,
    events: Vec<Event<'a>>,
    /// Row of `events` of the sample before.
    last_event: usize,
    invalid: u64,
}

impl<'a> Part<'a> {
    /// Takes a line; true where it begins a sample.
    fn line(&mut self, line: &'a [u8], offset: u64) -> bool {
        match line.first() {
            None => self.end_sample(),
            Some(b'\t') => {
                if !self.level(line, offset) {
                    self.inner(line, offset);
                }
            }
            Some(b'#') if line.get(1).is_none_or(|&byte| byte == b' ') => {
                let line = text::lossy(line, &mut self.invalid);
                self.builder.info.facts.extend(header::fact(&line));
            }
            _ if line.trim_ascii().is_empty() => self.end_sample(),
            _ => match self.start(line) {
                Some(Start::Sample(head)) => {
                    self.end_sample();
                    self.begin(head, offset);
                    return true;
                }
                Some(Start::Record(name)) => {
                    self.end_sample();
                    self.record(name, offset);
                    self.in_record = true;
                }
                Some(Start::Deferred(who, cookie)) => {
                    self.end_sample();
                    self.in_deferred = Some(Key { tid: line::who(who).tid, cookie });
                }
                None => self.inner(line, offset),
            },
        }
        false
    }

    fn start(&mut self, line: &'a [u8]) -> Option<Start<'a>> {
        if let Some(layout) = self.layout {
            // Below frames stand their places and further fields, until a line is empty.
            let below = self.open.as_ref().is_some_and(|open| {
                let chain = layout.chains && !open.chain_on_line && (open.placed || !self.chain.is_empty());
                chain && !layout::begins_behind(line, open.ended)
            });
            return layout.start(line).filter(|_| !below);
        }
        // Most lines begin as another did before: then there is nothing to find out about them.
        if let Some(found) = line::first_time(line) {
            if self.last_who.0 != found.0
                && let Some(&who) = self.who.get(found.0)
            {
                self.last_who = (found.0, who);
            }
            if self.last_who.0 == found.0 && self.last_who.1.tid.is_some() {
                let (who, time, tail) = found;
                if tail == self.last_tail.0 {
                    return Some(Start::Sample(line::Head { who, time: Some(time), ..self.last_tail.1 }));
                }
                let last = self.events.get(self.last_event).filter(|event| event.is_plain).map_or(&b""[..], |event| event.name);
                let start = line::after_time(found, last);
                if let Start::Sample(head) = start {
                    self.last_tail = (tail, head);
                }
                return Some(start);
            }
        }
        line::start(line)
    }

    /// Takes the call chain at the start of `text`, which follows the first line of a sample, and gives its length in bytes. 0 where
    /// there is none or where it holds anything unusual: then its lines are taken one by one.
    fn block(&mut self, text: &'a [u8], offset: u64) -> usize {
        let mut starts = std::mem::take(&mut self.starts);
        starts.clear();
        let mut end = 0;
        while let Some(rest) = text.get(end..).filter(|rest| in_block(rest, starts.is_empty())) {
            starts.push(end);
            end += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        }
        let block = text.get(..end).unwrap_or(text);
        let taken = !block.is_empty() && self.place_block(block, &starts, offset);
        self.starts = starts;
        if taken { end } else { 0 }
    }

    fn place_block(&mut self, block: &'a [u8], starts: &[usize], offset: u64) -> bool {
        let common = common_suffix(self.last_block, block);
        let mut shared = self.path.partition_point(|level| level.tail <= common);
        let mut tail = shared.checked_sub(1).and_then(|last| self.path.get(last)).map_or(0, |level| level.tail);
        // What is a line there may be the end of a line here.
        if starts.binary_search(&(block.len() - tail)).is_err() && tail > 0 {
            shared -= 1;
            tail = shared.checked_sub(1).and_then(|last| self.path.get(last)).map_or(0, |level| level.tail);
        }
        let fresh = starts.partition_point(|&start| start < block.len() - tail);
        let mut chain = std::mem::take(&mut self.fresh);
        chain.clear();
        for (row, &start) in starts.iter().enumerate().take(fresh) {
            let end = starts.get(row + 1).map_or(block.len(), |&next| next);
            let line = block.get(start..end).unwrap_or(&[]);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.first() == Some(&b'\t') {
                let known = self.lines.row(line).filter(|&known| self.lines.brief(known).is_some_and(|brief| !brief.cookie));
                let Some(known) = known else {
                    self.fresh = chain;
                    return false;
                };
                chain.push(Level::new(known, block.len() - start));
            } else if let Some(level) = chain.last_mut() {
                level.place = line::source_line(line).map(|_| line);
            }
        }
        // What stands on the first line is no frame, then.
        self.fresh = std::mem::replace(&mut self.chain, chain);
        let Some(mut open) = self.open.take() else { return false };
        if std::mem::take(&mut open.chain_on_line) {
            self.builder.notes.add(kind::SKIPPED, MORE_FIELDS, 1, Some(offset));
        }
        open.sample.stack = self.place(shared);
        open.placed = true;
        self.open = Some(open);
        self.last_block = block;
        true
    }

    /// Puts `chain` on top of the first `shared` levels of `path`, and gives the stack of the whole.
    fn place(&mut self, shared: usize) -> Option<StackId> {
        self.path.truncate(shared);
        let mut chain = std::mem::take(&mut self.chain);
        let mut callers = Callers::default();
        for level in &mut chain {
            level.caller = callers.next(self.lines.brief(level.known));
        }
        // A frame that was innermost may be a caller now, and the functions inlined into it with it.
        let mut kept = shared;
        for level in self.path.iter_mut().rev() {
            let caller = callers.next(self.lines.brief(level.known));
            if std::mem::replace(&mut level.caller, caller) == caller {
                break;
            }
            kept -= 1;
        }
        let (mut stack, mut owner) =
            kept.checked_sub(1).and_then(|last| self.path.get(last)).map_or((None, None), |level| (level.stack, level.owner));
        let again = self.path.drain(kept..);
        let again: Vec<Level<'a>> = again.collect();
        for mut level in again.into_iter().chain(chain.drain(..).rev()) {
            let frame;
            (frame, owner) = self.lines.frame(&mut self.builder, level.known, level.place, owner, level.caller);
            stack = Some(self.builder.stack(stack, frame));
            (level.stack, level.owner) = (stack, owner);
            self.path.push(level);
        }
        self.chain = chain;
        stack
    }

    /// Makes the placed chain of the open sample one to which lines can be added.
    fn reopen(&mut self) {
        if let Some(open) = self.open.as_mut().filter(|open| open.placed) {
            open.placed = false;
            self.last_block = &[];
            self.chain.extend(self.path.drain(..).rev());
        }
    }

    fn begin(&mut self, head: line::Head<'a>, offset: u64) {
        let who = match self.who.get(head.who) {
            _ if self.last_who.0 == head.who && self.last_who.1.tid.is_some() => self.last_who.1,
            Some(&known) => known,
            None => self.add_who(head.who),
        };
        let mut sample = Sample { thread: who.thread, labels: who.labels, time: head.time, stack: None };
        if self.shape == Shape::Deltas {
            self.clock = self.clock.saturating_add(head.time.unwrap_or(0));
            sample.time = Some(self.clock);
        }
        let sample_type = self.event(head.event, head.period.is_some());
        let value = head.period.map_or(1, |period| {
            i64::try_from(period).unwrap_or_else(|_| {
                self.builder.notes.add(kind::OVERFLOW, "periods beyond 63 bits were held at the limit", 1, Some(offset));
                i64::MAX
            })
        });
        let rest = rest::rest(head.event, head.rest);
        if !(rest.trace.is_empty() && rest.cgroup.is_empty() && rest.data_src.is_empty()) {
            sample.labels = self.more_labels(who, rest);
        }
        if rest.branches {
            self.builder.notes.add(kind::SKIPPED, "branch stacks", 1, Some(offset));
        }
        if rest.more {
            self.builder.notes.add(kind::SKIPPED, MORE_FIELDS, 1, Some(offset));
        }
        let known = rest.frame.and_then(|frame| self.lines.row(frame));
        self.open = Some(Open {
            sample,
            sample_type,
            value,
            chain_on_line: known.is_some(),
            placed: false,
            ended: false,
            waits: None,
            tid: who.tid,
            offset,
        });
        self.chain.extend(known.map(|known| Level::new(known, usize::MAX)));
    }

    fn add_who(&mut self, text: &'a [u8]) -> WhoRows {
        let who = self.layout.map_or_else(|| line::who(text), |layout| layout.who(text));
        let thread = (!who.comm.is_empty() || who.tid.is_some()).then(|| {
            let name = self.builder.strings.intern(&text::lossy(who.comm, &mut self.invalid));
            self.builder.thread(Thread { pid: who.pid, tid: who.tid, name })
        });
        let mut labels = Vec::new();
        for (key, number) in [("cpu", who.cpu), ("machine_pid", who.machine_pid), ("vcpu", who.vcpu)] {
            if let Some(number) = number {
                labels.push(Label { key: self.builder.string(key), value: LabelValue::Number(i64::from(number), None) });
            }
        }
        if !who.misc.is_empty() {
            labels.push(self.text_label(b"misc", who.misc));
        }
        let rows = WhoRows { thread, labels: self.builder.rows.label_set(&labels), row: self.labels.len(), tid: who.tid };
        self.labels.push(labels);
        self.who.insert(text, rows);
        rows
    }

    fn text_label(&mut self, key: &[u8], value: &[u8]) -> Label {
        let key = self.builder.strings.intern(&text::lossy(key, &mut self.invalid));
        let value = self.builder.strings.intern(&text::lossy(value, &mut self.invalid));
        Label { key, value: LabelValue::Text(value) }
    }

    /// The labels of a sample whose first line has more of them behind the event.
    fn more_labels(&mut self, who: WhoRows, rest: Rest<'a>) -> Option<LabelSetId> {
        let mut labels = self.labels.get(who.row).cloned().unwrap_or_default();
        let fields = rest::fields(rest.trace);
        if fields.is_empty() && !rest.trace.is_empty() {
            labels.push(self.text_label(b"trace", rest.trace));
        }
        for (key, value) in fields {
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            let mut label = self.text_label(key, if number.is_some() { b"" } else { value });
            if let Some(number) = number {
                label.value = LabelValue::Number(number, None);
            }
            labels.push(label);
        }
        for (key, value) in [(&b"cgroup"[..], rest.cgroup), (b"data_src", rest.data_src)] {
            if !value.is_empty() {
                labels.push(self.text_label(key, value));
            }
        }
        self.builder.rows.label_set(&labels)
    }

    /// The sample type of an event. The clocks' periods are nanoseconds; everything else counts events.
    fn event(&mut self, name: &'a [u8], has_period: bool) -> usize {
        let same = |event: &Event<'_>| event.name == name && event.is_time == (has_period && event.is_clock);
        if let Some(event) = self.events.get(self.last_event).filter(|event| same(event)) {
            return event.sample_type;
        }
        if let Some((row, event)) = self.events.iter().enumerate().find(|(_, event)| same(event)) {
            self.last_event = row;
            return event.sample_type;
        }
        let text = text::lossy(name, &mut self.invalid);
        let text = if text.is_empty() { "samples" } else { &text };
        let is_clock = is_clock(name);
        let is_time = has_period && is_clock;
        let sample_type = self.builder.add_sample_type(text, if is_time { "nanoseconds" } else { "count" });
        self.last_event = self.events.len();
        let is_plain = memchr::memmem::find(name, b": ").is_none();
        self.events.push(Event { name, is_time, is_clock, is_plain, sample_type });
        sample_type
    }

    /// Takes a line as the next level of the open sample's call chain; false where it is none.
    fn level(&mut self, line: &'a [u8], offset: u64) -> bool {
        let Some(known) = self.lines.row(line) else { return false };
        self.reopen();
        if let Some(cookie) = self.lines.brief(known).filter(|brief| brief.cookie).map(|brief| brief.address) {
            if let Some(open) = &mut self.open {
                open.waits = Some(Key { tid: open.tid, cookie });
            }
            return true;
        }
        if let Some(open) = &mut self.open {
            if std::mem::take(&mut open.chain_on_line) {
                // It was the address of the data.
                self.chain.clear();
                self.builder.notes.add(kind::SKIPPED, MORE_FIELDS, 1, Some(open.offset));
            }
        } else if self.in_deferred.is_none() {
            if self.in_record {
                return true;
            }
            if self.shape != Shape::Bare {
                self.builder.notes.add(kind::NOT_UNDERSTOOD, "frames that belong to no sample", 1, Some(offset));
                return true;
            }
            let sample_type = self.event(b"", false);
            self.open = Some(Open {
                sample: Sample::default(),
                sample_type,
                value: 1,
                chain_on_line: false,
                placed: false,
                ended: false,
                waits: None,
                tid: None,
                offset,
            });
        }
        self.chain.push(Level::new(known, usize::MAX));
        true
    }

    /// A line that starts nothing and is no frame after a tab.
    fn inner(&mut self, line: &'a [u8], offset: u64) {
        if self.open.is_none() && self.in_record {
            return;
        }
        let is_place = line::is_source_line(line);
        if is_place {
            self.reopen();
        }
        if is_place && let Some(level) = self.chain.last_mut() {
            level.place = line::source_line(line).map(|_| line);
            return;
        }
        let below_chain = self.open.as_ref().is_some_and(|open| open.placed || !open.chain_on_line && !self.chain.is_empty());
        if let Some(cause) = rest::other(line, below_chain && !self.blank_frames) {
            self.builder.notes.add(kind::SKIPPED, cause, 1, Some(offset));
            if let Some(open) = self.open.as_mut().filter(|_| below_chain) {
                open.ended = true;
            }
        } else if line.first() == Some(&b' ') && self.level(line, offset) {
            self.blank_frames = true;
        } else {
            self.builder.notes.add(kind::NOT_UNDERSTOOD, "lines that are neither sample nor frame", 1, Some(offset));
        }
    }

    fn end_sample(&mut self) {
        self.in_record = false;
        if let Some(key) = self.in_deferred.take() {
            let frames = self.chain_frames();
            return self.deferred.chain(key, frames);
        }
        let Some(mut open) = self.open.take() else { return };
        if let Some(key) = open.waits {
            let frames = self.chain_frames();
            self.deferred.wait(key, self.builder.rows.len(), frames, open.offset);
            return self.builder.rows.event(open.sample, open.sample_type, open.value);
        }
        if !open.placed {
            open.sample.stack = self.place(0);
            self.last_block = &[];
        }
        if open.sample.stack.is_none() {
            self.builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(open.offset));
        }
        self.builder.rows.event(open.sample, open.sample_type, open.value);
    }

    /// The frames of `chain`, outermost first; it is empty then.
    fn chain_frames(&mut self) -> Vec<FrameId> {
        let mut chain = std::mem::take(&mut self.chain);
        let mut callers = Callers::default();
        for level in &mut chain {
            level.caller = callers.next(self.lines.brief(level.known));
        }
        let (mut frames, mut owner) = (Vec::with_capacity(chain.len()), None);
        for level in chain.drain(..).rev() {
            let frame;
            (frame, owner) = self.lines.frame(&mut self.builder, level.known, level.place, owner, level.caller);
            frames.push(frame);
        }
        self.chain = chain;
        frames
    }

    fn record(&mut self, text: &[u8], offset: u64) {
        let end = text.iter().position(|byte| !byte.is_ascii_uppercase() && !byte.is_ascii_digit() && *byte != b'_').unwrap_or(text.len());
        let name = text.get(..end).unwrap_or(text);
        match name {
            b"LOST" | b"LOST_SAMPLES" => {
                let lost = text.rsplit(|byte| !byte.is_ascii_digit()).find_map(line::decimal);
                self.builder.notes.add(kind::LOST_EVENTS, "events that the recorder lost", lost.unwrap_or(1), Some(offset));
            }
            b"THROTTLE" => self.builder.notes.add(kind::THROTTLED, "times the kernel throttled the sampling", 1, Some(offset)),
            b"FINISHED_ROUND" | b"UNTHROTTLE" => {}
            _ => {
                let cause =
                    RECORDS.iter().find(|(known, _)| known.as_bytes() == name).map_or("records of further kinds", |(_, cause)| cause);
                self.builder.notes.add(kind::SKIPPED, cause, 1, Some(offset));
            }
        }
    }

    fn close(&mut self) {
        if self.invalid > 0 {
            let cause = "names that are not UTF-8 were read with replacement characters";
            self.builder.notes.add(kind::INVALID_UTF8, cause, self.invalid, None);
        }
    }
}

/// Says which fields of first lines are not used.
const MORE_FIELDS: &str = "fields behind the event (addresses, weights, flags)";

/// Records that are counted by name.
const RECORDS: &[(&str, &str)] = &[
    ("COMM", "records of command names"),
    ("MMAP", "records of mappings"),
    ("MMAP2", "records of mappings"),
    ("FORK", "records of forks"),
    ("EXIT", "records of exits"),
    ("SWITCH", "records of context switches"),
    ("SWITCH_CPU_WIDE", "records of context switches"),
    ("NAMESPACES", "records of namespaces"),
    ("KSYMBOL", "records of kernel symbols"),
    ("BPF_EVENT", "records of BPF programs"),
    ("CGROUP", "records of cgroups"),
    ("TEXT_POKE", "records of changed kernel code"),
    ("METRIC", "lines of metrics"),
];

/// Tells return addresses from the places where the program was interrupted, from the innermost frame outwards: the innermost, and the
/// first of user code below kernel code, were interrupted. Functions inlined into a frame share its address.
#[derive(Default)]
struct Callers {
    caller: bool,
    /// Address of the frame before and whether it was inlined.
    inner: Option<(u64, bool)>,
}

impl Callers {
    fn next(&mut self, brief: Option<Brief>) -> bool {
        let Brief { address, inlined, .. } = brief.unwrap_or_default();
        if let Some((inner, false)) = self.inner {
            self.caller = !is_kernel(inner) || is_kernel(address);
        }
        self.inner = Some((address, inlined));
        self.caller
    }
}

/// True for text that begins with a frame, or with the place of one.
fn in_block(text: &[u8], first: bool) -> bool {
    match text {
        [b'\t', ..] => true,
        [b' ', b' ', ..] if !first => {
            let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
            text.get(..end).is_some_and(line::is_source_line)
        }
        _ => false,
    }
}

/// How many bytes at the end of both are the same.
fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 16;
    let (a_rest, a_steps) = a.as_rchunks::<STEP>();
    let (b_rest, b_steps) = b.as_rchunks::<STEP>();
    let steps = a_steps.iter().rev().zip(b_steps.iter().rev()).take_while(|(a, b)| a == b).count();
    let before = |rest: &[u8], all: &[u8]| all.get(..rest.len().max(all.len() - steps * STEP)).map_or(0, <[u8]>::len);
    let (a, b) = (a.get(..before(a_rest, a)).unwrap_or(a), b.get(..before(b_rest, b)).unwrap_or(b));
    steps * STEP + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// True in the half of the addresses that kernels use on all 64-bit machines.
const fn is_kernel(address: u64) -> bool {
    address >> 63 == 1
}

/// True for the events whose period is time in nanoseconds.
fn is_clock(event: &[u8]) -> bool {
    let name = event.split(|&byte| byte == b':').next().unwrap_or(event);
    name == b"cpu-clock" || name == b"task-clock"
}
