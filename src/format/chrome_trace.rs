//! Trace event files: CPU profiles inside traces of Chrome and Node.js, and the slices that many tools write (`clang -ftime-trace`,
//! `--trace-event-categories`, Perfetto's JSON export).
//!
//! Where a trace holds samples of V8's profiler they are what is read, else samples of the whole system beside the events; without both
//! nested slices are (events `X`, and pairs of `B` and `E`), each weighed by the time that no slice inside it covers. Deliberately absent: asynchronous
//! slices, counters, instants and flows, which have no stack (notes count them). Start reading at [`ChromeTrace`].
//!
//! Rules follow the "Trace Event Format" document of the Chromium project.

mod sampled;
mod slices;

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use self::sampled::Sampled;
use self::slices::Slices;
use super::cpuprofile::{Nodes, TYPES, Times, add_samples};
use super::json::{Json, Kind, Number, looks_like};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::intern::StringId;
use crate::base::ticket::Ticket;
use crate::model::{Builder, Profile, Tally, Thread, ThreadId, kind};

/// The reader of trace event files.
pub(super) struct ChromeTrace;

const NAME: &str = "chrome-trace";

impl Format for ChromeTrace {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Trace event JSON (Chrome performance traces, clang -ftime-trace)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["trace", "json"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let in_list = text.trim_ascii_start().starts_with(b"[") && looks_like(head, &["\"ph\":", "\"ts\":"]);
        if in_list || looks_like(head, &["\"traceEvents\""]) { Sniff::Yes } else { Sniff::No }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input.bytes, cx.ticket)
    }
}

/// What events name a process or a thread by: a number, or text of any kind (PyTorch's `Spans`, `worker A`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Id {
    Number(i64),
    Text(StringId),
}

impl Default for Id {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Id {
    /// The id that comes next; 0 for what is neither. A number may be written as text.
    fn read(json: &mut Json<'_>, builder: &mut Builder) -> Result<Self, ReadError> {
        Ok(match json.kind()? {
            Kind::Number => Self::Number(json.number()?.integer()),
            Kind::Text => {
                let text = json.text()?;
                text.parse().map_or_else(|_| Self::Text(builder.string(&text)), Self::Number)
            }
            _ => {
                json.skip()?;
                Self::default()
            }
        })
    }

    fn number(self) -> Option<i32> {
        if let Self::Number(number) = self { i32::try_from(number).ok() } else { None }
    }

    /// What stands for the id where the model has no number for it: a text, or a number beyond its room (py-spy writes addresses of threads).
    fn text(self, builder: &Builder) -> Option<String> {
        match self {
            Self::Text(text) => Some(builder.strings.get(text).to_owned()),
            Self::Number(number) => i32::try_from(number).is_err().then(|| number.to_string()),
        }
    }
}

/// A thread as events name it: process and thread.
type ThreadKey = (Id, Id);

/// One event.
#[derive(Default)]
struct Event<'a> {
    name: std::borrow::Cow<'a, str>,
    phase: u8,
    thread: ThreadKey,
    id: std::borrow::Cow<'a, str>,
    /// Nanoseconds; 0 where it has no time.
    time: i64,
    timed: bool,
    length: Option<i64>,
    args: Option<usize>,
}

/// Samples of one run of V8's profiler, which come in several events.
#[derive(Default)]
struct Samples {
    thread: ThreadKey,
    nodes: Nodes,
    times: Times,
}

#[derive(Default)]
struct Trace {
    slices: Slices,
    sampled: Sampled,
    /// In the order of their first events, and the row of each process and id.
    samples: Vec<Samples>,
    runs: HashMap<(Id, String), usize>,
    processes: FxHashMap<Id, String>,
    threads: FxHashMap<ThreadKey, String>,
    /// Events that are neither.
    others: u64,
    /// Slices without a time that can be read.
    untimed: u64,
    /// Sums by name that clang writes behind the slices.
    sums: u64,
    events: u64,
    /// From the first begin of a slice to the last end.
    range: Option<(i64, i64)>,
}

fn read(bytes: &[u8], ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut json = Json::new(NAME, bytes, ticket);
    let mut builder = Builder::default();
    NAME.clone_into(&mut builder.info.format);
    let mut trace = Trace::default();
    if json.kind()? == Kind::Array {
        trace.read_list(&mut json, &mut builder)?;
    } else {
        json.object()?;
        let mut found = false;
        loop {
            match json.key() {
                Ok(Some(key)) if key == "traceEvents" => {
                    found = true;
                    trace.read_list(&mut json, &mut builder)?;
                }
                Ok(Some(key)) if key == "samples" && json.kind()? == Kind::Array => trace.sampled.samples_at = Some(json.skip()?),
                Ok(Some(key)) if key == "stackFrames" && json.kind()? == Kind::Object => trace.sampled.frames_at = Some(json.skip()?),
                Ok(Some(_)) => drop(json.skip()?),
                Ok(None) => break,
                // The list was cut, which its reader noted.
                Err(_) if json.is_cut() && found => break,
                Err(error) => return Err(error),
            }
        }
        if !found {
            return Err(json.error(0, "the list `traceEvents`", "there is no such list"));
        }
    }
    trace.finish(&mut json, &mut builder, ticket)?;
    json.note(&mut builder.notes);
    Ok(builder.finish())
}

impl Trace {
    /// The list of events. Programs that crash leave it without an end, which the format allows.
    fn read_list(&mut self, json: &mut Json<'_>, builder: &mut Builder) -> Result<(), ReadError> {
        json.list()?;
        loop {
            let event = match json.item() {
                Ok(false) => return Ok(()),
                Ok(true) => read_event(json, builder),
                Err(error) => Err(error),
            };
            match event {
                Ok(event) => {
                    self.events += 1;
                    self.event(&event, json, builder)?;
                }
                Err(error) if json.is_cut() && self.events > 0 && !error.is_cancelled() => {
                    builder.notes.add(
                        kind::TRUNCATED,
                        "the list of events has no end; those before it were read",
                        1,
                        Some(json.offset() as u64),
                    );
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn event(&mut self, event: &Event<'_>, json: &mut Json<'_>, builder: &mut Builder) -> Result<(), ReadError> {
        if matches!(event.phase, b'X' | b'B' | b'E') {
            if is_sum(event, json)? {
                self.sums += 1;
                return Ok(());
            }
            if !event.timed {
                self.untimed += 1;
                return Ok(());
            }
            let end = event.time.saturating_add(event.length.unwrap_or(0).max(0));
            let (first, last) = self.range.unwrap_or((event.time, end));
            self.range = Some((first.min(event.time), last.max(end)));
        }
        match (event.phase, &*event.name) {
            (b'P', "Profile" | "ProfileChunk") | (b'I' | b'P', "CpuProfile") => self.sample_event(event, json, builder)?,
            (b'M', "process_name" | "thread_name") => {
                if let Some(name) = args_text(json, event, "name")? {
                    if event.name == "process_name" {
                        self.processes.insert(event.thread.0, name);
                    } else {
                        self.threads.insert(event.thread, name);
                    }
                }
            }
            (b'M', _) => {}
            (b'X', _) => {
                let detail = args_text(json, event, "detail")?;
                self.slices.whole(event.thread, event.time, event.length.unwrap_or(0), &event.name, detail.as_deref(), builder);
            }
            (b'B', _) => {
                let detail = args_text(json, event, "detail")?;
                self.slices.begin(event.thread, event.time, &event.name, detail.as_deref(), builder);
            }
            (b'E', _) => self.slices.end(event.thread, event.time, builder),
            _ => self.others += 1,
        }
        Ok(())
    }

    /// A part of a CPU profile.
    fn sample_event(&mut self, event: &Event<'_>, json: &mut Json<'_>, builder: &mut Builder) -> Result<(), ReadError> {
        let key = (event.thread.0, event.id.clone().into_owned());
        let at = *self.runs.entry(key).or_insert_with(|| {
            self.samples.push(Samples { thread: event.thread, ..Samples::default() });
            self.samples.len() - 1
        });
        let (Some(samples), Some(args)) = (self.samples.get_mut(at), event.args) else { return Ok(()) };
        if event.name == "Profile" {
            // Chunks come from the profiler's own thread, this one from the thread that is profiled.
            samples.thread = event.thread;
        }
        let after = json.offset();
        json.go_to(args);
        json.object()?;
        while let Some(key) = json.key()? {
            if key == "data" {
                read_data(json, samples, builder)?;
            } else {
                json.skip()?;
            }
        }
        json.go_to(after);
        Ok(())
    }

    fn finish(mut self, json: &mut Json<'_>, builder: &mut Builder, ticket: &Ticket) -> Result<(), ReadError> {
        let has_samples = self.samples.iter().any(|samples| !samples.times.samples.is_empty());
        let is_sampled = self.sampled.has_samples(json)?;
        let mut skipped = 0;
        if has_samples {
            for (name, unit) in TYPES {
                builder.add_sample_type(name, unit);
            }
            for mut samples in std::mem::take(&mut self.samples) {
                samples.times.check(json)?;
                let stacks = samples.nodes.stacks(json, builder)?;
                let thread = Some(self.thread(samples.thread, builder));
                skipped += add_samples(&samples.nodes, &stacks, &samples.times, thread, builder, ticket)?;
            }
            self.others += self.slices.len();
            if is_sampled {
                builder.notes.add(kind::SKIPPED, "the list `samples` beside a CPU profile was left out", 1, None);
            }
        } else if is_sampled {
            skipped += self.sampled.add(json, builder, |tid, builder| self.thread_of(tid, builder))?;
            self.others += self.slices.len();
        } else {
            let column = builder.add_sample_type("time", "nanoseconds");
            let mut slices = std::mem::take(&mut self.slices);
            for key in slices.threads() {
                let thread = Some(self.thread(key, builder));
                slices.add(key, thread, column, builder, ticket)?;
            }
            if let Some((first, last)) = self.range {
                builder.covers(first, last);
            }
            skipped += self.untimed;
        }
        if self.untimed > 0 {
            builder.notes.add(kind::SKIPPED, "slices without a time", self.untimed, None);
        }
        if self.sums > 0 {
            let cause =
                "slices named `Total …` in which clang adds up the slices of each name: they are left out, or all time would count again";
            builder.notes.add(kind::SKIPPED, cause, self.sums, None);
        }
        if self.others > 0 {
            let cause = "events that are no samples (slices beside a CPU profile, asynchronous slices, counters, instants)";
            builder.notes.add(kind::SKIPPED, cause, self.others, None);
        }
        builder.info.tally = Tally::new(builder.rows.len() as u64, skipped);
        Ok(())
    }

    /// The thread of that number. Samples name no process; where events name a thread of one process by that number, it is that.
    fn thread_of(&self, tid: i64, builder: &mut Builder) -> ThreadId {
        let mut named = self.threads.keys().filter(|(_, thread)| *thread == Id::Number(tid));
        if let (Some(&key), None) = (named.next(), named.next()) {
            return self.thread(key, builder);
        }
        let name = builder.string("");
        builder.thread(Thread { pid: None, tid: i32::try_from(tid).ok(), name })
    }

    fn thread(&self, key: ThreadKey, builder: &mut Builder) -> ThreadId {
        let process = self.processes.get(&key.0).cloned().or_else(|| key.0.text(builder));
        let thread = self.threads.get(&key).cloned().or_else(|| key.1.text(builder));
        let name = match (process, thread) {
            (Some(process), Some(thread)) => format!("{thread} ({process})"),
            (Some(name), None) | (None, Some(name)) => name,
            (None, None) => String::new(),
        };
        let name = builder.string(&name);
        builder.thread(Thread { pid: key.0.number(), tid: key.1.number(), name })
    }
}

/// Microseconds, often with a fraction, as nanoseconds. Some programs write them as text.
fn micros(json: &mut Json<'_>) -> Result<Option<i64>, ReadError> {
    Ok(match json.kind()? {
        Kind::Number => Some(json.number()?.times(1000)),
        Kind::Text => json.text()?.trim().parse::<f64>().ok().filter(|time| time.is_finite()).map(|time| (time * 1000.0).round() as i64),
        _ => {
            json.skip()?;
            None
        }
    })
}

fn read_event<'a>(json: &mut Json<'a>, builder: &mut Builder) -> Result<Event<'a>, ReadError> {
    let mut event = Event::default();
    let mut thread_length = None;
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "name" => event.name = json.maybe_text()?.unwrap_or_default(),
            "ph" => event.phase = json.maybe_text()?.and_then(|phase| phase.bytes().next()).unwrap_or(0),
            "id" if json.kind()? == Kind::Text => event.id = json.text()?,
            "ts" => {
                let time = micros(json)?;
                (event.timed, event.time) = (time.is_some(), time.unwrap_or(0));
            }
            "dur" => event.length = micros(json)?,
            "tdur" => thread_length = micros(json)?,
            "pid" => event.thread.0 = Id::read(json, builder)?,
            "tid" => event.thread.1 = Id::read(json, builder)?,
            "args" if json.kind()? == Kind::Object => event.args = Some(json.skip()?),
            _ => drop(json.skip()?),
        }
    }
    event.length = event.length.or(thread_length);
    Ok(event)
}

/// Whether an event is one of those with which clang ends its file: `Total NAME` for each name of slices, from time 0 and on a thread of its own, with how
/// many there were (`count`) and how long one was (`avg ms`). See `TimeTraceProfiler::write` of LLVM.
fn is_sum(event: &Event<'_>, json: &mut Json<'_>) -> Result<bool, ReadError> {
    let Some(args) = event.args.filter(|_| event.phase == b'X' && event.time == 0 && event.name.starts_with("Total ")) else {
        return Ok(false);
    };
    let after = json.offset();
    let mut is_sum = false;
    json.go_to(args);
    json.object()?;
    while let Some(key) = json.key()? {
        is_sum |= key == "avg ms";
        json.skip()?;
    }
    json.go_to(after);
    Ok(is_sum)
}

/// One text among the arguments of an event.
fn args_text(json: &mut Json<'_>, event: &Event<'_>, wanted: &str) -> Result<Option<String>, ReadError> {
    let Some(args) = event.args else { return Ok(None) };
    let after = json.offset();
    let mut text = None;
    json.go_to(args);
    json.object()?;
    while let Some(key) = json.key()? {
        if key == wanted {
            text = json.maybe_text()?.map(std::borrow::Cow::into_owned);
        } else {
            json.skip()?;
        }
    }
    json.go_to(after);
    Ok(text.filter(|text| !text.is_empty()))
}

/// `data` of an event of V8's profiler.
fn read_data(json: &mut Json<'_>, samples: &mut Samples, builder: &mut Builder) -> Result<(), ReadError> {
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "cpuProfile" if json.kind()? == Kind::Object => {
                json.object()?;
                while let Some(key) = json.key()? {
                    match &*key {
                        "nodes" => samples.nodes.read_list(json, builder)?,
                        "samples" => samples.times.read_samples(json)?,
                        key => read_time(key, json, samples)?,
                    }
                }
            }
            key => read_time(key, json, samples)?,
        }
    }
    Ok(())
}

fn read_time(key: &str, json: &mut Json<'_>, samples: &mut Samples) -> Result<(), ReadError> {
    match key {
        "timeDeltas" => samples.times.read_deltas(json)?,
        "startTime" => samples.times.start = json.maybe_number()?.map_or(0, Number::integer),
        "endTime" => samples.times.end = json.maybe_number()?.map(Number::integer),
        _ => drop(json.skip()?),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
