//! One part of the text into a builder of its own: the state between lines.
//!
//! Lines of call chains repeat, so what a line means is looked up by its bytes. Start reading at [`read_part`].

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::header;
use super::line::{self, RawFrame, Start};
use super::rest::{self, Rest};
use crate::format::text::{self, Lines};
use crate::model::{Builder, Frame, FrameId, Function, Label, LabelSetId, LabelValue, Mapping, MappingId, Sample, Thread, ThreadId, kind};

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
    /// With a line that says who was sampled and no more (`-F comm,tid,ip,sym`).
    Named,
    /// With no line of their own (`-F ip,sym`): every paragraph of frames is a sample.
    Bare,
}

/// Reads whole samples from `text`, whose first byte stands at `base` in the input. `None` where there are too many events.
pub(super) fn read_part(text: &[u8], base: u64, shape: Shape) -> Option<Builder> {
    let mut part = Part { shape, ..Part::default() };
    for (at, line) in Lines::new(text) {
        part.line(line, base + at as u64);
        if part.events.len() > MAX_EVENTS {
            return None;
        }
    }
    part.end_sample();
    part.close();
    Some(part.builder)
}

/// A line of call chains that was seen before.
struct Known<'a> {
    raw: RawFrame<'a>,
    /// Its frame where only the line itself tells it: as innermost frame, and as caller.
    frames: [Option<FrameId>; 2],
}

/// A line of the call chain of the sample that is being read.
struct Level<'a> {
    /// Row of [`Part::known`].
    known: usize,
    /// The line after it, where that tells file and line.
    place: Option<&'a [u8]>,
    /// See [`Frame::caller`].
    caller: bool,
}

/// What tells the frame of a line together with the lines around it: its row of [`Part::known`], the place, the caller's module for an
/// inlined frame, and whether it is a caller.
type Placed<'a> = (usize, Option<&'a [u8]>, Option<MappingId>, bool);

/// The sample that is being read.
struct Open {
    sample: Sample,
    sample_type: usize,
    value: i64,
    /// The chain so far is the frame at the end of the first line.
    chain_on_line: bool,
    offset: u64,
}

/// Thread and labels of a line's words before the time.
#[derive(Clone, Copy, Default)]
struct WhoRows {
    thread: Option<ThreadId>,
    /// The same as a set and as the row of [`Part::labels`].
    labels: Option<LabelSetId>,
    row: usize,
}

#[derive(Default)]
struct Part<'a> {
    shape: Shape,
    builder: Builder,
    open: Option<Open>,
    /// Innermost first, as printed.
    chain: Vec<Level<'a>>,
    known: Vec<Known<'a>>,
    /// Rows of `known` by line.
    lines: HashMap<&'a [u8], usize, FxBuildHasher>,
    placed: HashMap<Placed<'a>, FrameId, FxBuildHasher>,
    who: HashMap<&'a [u8], WhoRows, FxBuildHasher>,
    /// Labels of each row of `who`.
    labels: Vec<Vec<Label>>,
    /// A record that is no sample stands before: further lines of it follow.
    in_record: bool,
    /// The frames of this text begin with blanks: somebody replaced perf's tabs.
    blank_frames: bool,
    /// Sum of the times so far, where they are distances.
    clock: i64,
    /// Name, whether its value is time, and sample type of each event.
    events: Vec<(&'a [u8], bool, usize)>,
    invalid: u64,
}

impl<'a> Part<'a> {
    fn line(&mut self, line: &'a [u8], offset: u64) {
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
                }
                Some(Start::Record(name)) => {
                    self.end_sample();
                    self.record(name, offset);
                    self.in_record = true;
                }
                None => self.inner(line, offset),
            },
        }
    }

    fn start(&self, line: &'a [u8]) -> Option<Start<'a>> {
        let named = |line| line::named(line).filter(|_| self.shape == Shape::Named).map(Start::Sample);
        line::start(line).or_else(|| named(line))
    }

    fn begin(&mut self, head: line::Head<'a>, offset: u64) {
        let who = match self.who.get(head.who) {
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
        let known = rest.frame.and_then(|frame| self.known(frame));
        self.open = Some(Open { sample, sample_type, value, chain_on_line: known.is_some(), offset });
        self.chain.extend(known.map(|known| Level { known, place: None, caller: false }));
    }

    fn add_who(&mut self, text: &'a [u8]) -> WhoRows {
        let who = line::who(text);
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
        let rows = WhoRows { thread, labels: self.builder.rows.label_set(&labels), row: self.labels.len() };
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
        let nanos = has_period && is_clock(name);
        if let Some((.., known)) = self.events.iter().find(|event| event.0 == name && event.1 == nanos) {
            return *known;
        }
        let text = text::lossy(name, &mut self.invalid);
        let text = if text.is_empty() { "samples" } else { &text };
        let row = self.builder.add_sample_type(text, if nanos { "nanoseconds" } else { "count" });
        self.events.push((name, nanos, row));
        row
    }

    /// The row of [`Part::known`] of a line; `None` where it is no frame.
    fn known(&mut self, line: &'a [u8]) -> Option<usize> {
        if let Some(&known) = self.lines.get(line) {
            return Some(known);
        }
        let raw = line::frame(line)?;
        self.known.push(Known { raw, frames: [None; 2] });
        self.lines.insert(line, self.known.len() - 1);
        Some(self.known.len() - 1)
    }

    /// Takes a line as the next level of the open sample's call chain; false where it is none.
    fn level(&mut self, line: &'a [u8], offset: u64) -> bool {
        let Some(known) = self.known(line) else { return false };
        if self.known.get(known).is_some_and(|known| known.raw.is_cookie()) {
            self.builder.notes.add(kind::CUT_STACKS, "call chains whose user part stands on later lines of its own", 1, Some(offset));
            return true;
        }
        if let Some(open) = &mut self.open {
            if std::mem::take(&mut open.chain_on_line) {
                // It was the address of the data.
                self.chain.clear();
                self.builder.notes.add(kind::SKIPPED, MORE_FIELDS, 1, Some(open.offset));
            }
        } else {
            if self.in_record {
                return true;
            }
            if self.shape != Shape::Bare {
                self.builder.notes.add(kind::NOT_UNDERSTOOD, "frames that belong to no sample", 1, Some(offset));
                return true;
            }
            let sample_type = self.event(b"", false);
            self.open = Some(Open { sample: Sample::default(), sample_type, value: 1, chain_on_line: false, offset });
        }
        self.chain.push(Level { known, place: None, caller: false });
        true
    }

    /// A line that starts nothing and is no frame after a tab.
    fn inner(&mut self, line: &'a [u8], offset: u64) {
        if self.open.is_none() && self.in_record {
            return;
        }
        if line::is_source_line(line)
            && let Some(level) = self.chain.last_mut()
        {
            level.place = line::source_line(line).map(|_| line);
            return;
        }
        let below_chain = self.open.as_ref().is_some_and(|open| !open.chain_on_line) && !self.chain.is_empty();
        if let Some(cause) = rest::other(line, below_chain && !self.blank_frames) {
            self.builder.notes.add(kind::SKIPPED, cause, 1, Some(offset));
        } else if line.first() == Some(&b' ') && self.level(line, offset) {
            self.blank_frames = true;
        } else {
            self.builder.notes.add(kind::NOT_UNDERSTOOD, "lines that are neither sample nor frame", 1, Some(offset));
        }
    }

    /// The frame of a line, with what the lines around it say.
    fn frame(&mut self, raw: &RawFrame<'_>, place: Option<(&[u8], u32)>, module_of_caller: Option<MappingId>, caller: bool) -> FrameId {
        let file = place.map(|(file, _)| self.builder.strings.intern(&text::lossy(file, &mut self.invalid)));
        let function = raw.symbol.map(|symbol| {
            let name = self.builder.strings.intern(&text::lossy(symbol, &mut self.invalid));
            self.builder.function(Function { name, system_name: None, file, start_line: 0 })
        });
        let mapping = raw.module.map(|module| {
            let file = Some(self.builder.strings.intern(&text::lossy(module, &mut self.invalid)));
            self.builder.mapping(Mapping { file, ..Mapping::default() })
        });
        self.builder.frame(Frame {
            function,
            mapping: mapping.or(module_of_caller),
            address: Some(raw.address),
            line: place.map_or(0, |(_, line)| line),
            column: 0,
            inlined: raw.inlined,
            caller,
        })
    }

    fn end_sample(&mut self) {
        self.in_record = false;
        let Some(mut open) = self.open.take() else { return };
        let mut chain = std::mem::take(&mut self.chain);
        self.mark_callers(&mut chain);
        let (mut stack, mut module) = (None, None);
        for level in chain.iter().rev() {
            let frame = self.level_frame(level, module);
            module = self.builder.frame_at(frame).and_then(|frame| frame.mapping);
            stack = Some(self.builder.stack(stack, frame));
        }
        chain.clear();
        self.chain = chain;
        if stack.is_none() {
            self.builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(open.offset));
        }
        open.sample.stack = stack;
        self.builder.rows.event(open.sample, open.sample_type, open.value);
    }

    /// Tells return addresses from the places where the program was interrupted: the innermost frame, and the first of user code below
    /// kernel code. Functions inlined into a frame share its address.
    fn mark_callers(&self, chain: &mut [Level<'_>]) {
        let (mut caller, mut inner) = (false, None::<RawFrame<'_>>);
        for level in chain {
            let Some(known) = self.known.get(level.known) else { continue };
            if let Some(inner) = inner.filter(|inner| !inner.inlined) {
                caller = !is_kernel(inner.address) || is_kernel(known.raw.address);
            }
            level.caller = caller;
            inner = Some(known.raw);
        }
    }

    fn level_frame(&mut self, level: &Level<'a>, module: Option<MappingId>) -> FrameId {
        let (raw, frames) = self.known.get(level.known).map_or((NOTHING, [None; 2]), |known| (known.raw, known.frames));
        let side = usize::from(level.caller);
        if level.place.is_none() && !raw.inlined {
            return frames.get(side).copied().flatten().unwrap_or_else(|| {
                let frame = self.frame(&raw, None, None, level.caller);
                if let Some(known) = self.known.get_mut(level.known).and_then(|known| known.frames.get_mut(side)) {
                    *known = Some(frame);
                }
                frame
            });
        }
        let key = (level.known, level.place, module.filter(|_| raw.inlined), level.caller);
        self.placed.get(&key).copied().unwrap_or_else(|| {
            let frame = self.frame(&raw, level.place.and_then(line::source_line), key.2, level.caller);
            self.placed.insert(key, frame);
            frame
        })
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
    ("CALLCHAIN_DEFERRED", "user parts of call chains on lines of their own"),
    ("METRIC", "lines of metrics"),
];

const NOTHING: RawFrame<'_> = RawFrame { address: 0, symbol: None, module: None, inlined: false };

/// True in the half of the addresses that kernels use on all 64-bit machines.
const fn is_kernel(address: u64) -> bool {
    address >> 63 == 1
}

/// True for the events whose period is time in nanoseconds.
fn is_clock(event: &[u8]) -> bool {
    let name = event.split(|&byte| byte == b':').next().unwrap_or(event);
    name == b"cpu-clock" || name == b"task-clock"
}
