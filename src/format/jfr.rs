//! Java Flight Recorder: what the JVM records (`-XX:StartFlightRecording`, `jcmd JFR.start`) and what async-profiler writes (`-o jfr`).
//!
//! Every event with a stack is a sample. Each kind of event is a sample type of its own, named after the event: samples of the profiler are
//! counted, and weighed by the interval of the profiler where the file says it (`samples`, `cpu`; `wall` for those of async-profiler that it takes of
//! threads whether they run or not, whose states are labels; `wall-samples` where those are events of their own); allocations are bytes, events that last are
//! nanoseconds (`thread-park`, `socket-read`), all others are counted. States, classes, paths and hosts are labels. Deliberately absent: events
//! without a stack, but for those that say which machine and program it was; addresses of objects; the files of JDK 8 and before, which are
//! laid out otherwise. Start reading at [`read`].
//!
//! A file is a row of chunks, each with its own constants and its own description of all classes, so nothing is assumed of the fields of an
//! event but their names. Rules follow `jdk.jfr.internal.consumer` and `jfr/recorder` of OpenJDK 17 to 25, and `flightRecorder.cpp` of async-profiler.

mod events;
mod pools;
mod types;
mod values;

#[cfg(test)]
mod tests;

use self::events::Events;
use self::pools::Pools;
use self::types::{Tick, Types};
use self::values::{Bad, Values};
use super::{Format, Input, ReadCx, ReadError, Sniff, text};
use crate::base::cursor::{Cursor, Endian};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Ticket, Watch, checkpoint};
use crate::model::{Builder, LabelSetId, Moves, Profile, Sample, StackId, Tally, ThreadId, human, kind};

/// The reader of flight recordings.
pub(super) struct Jfr;

const NAME: &str = "jfr";

/// First bytes of every chunk.
const MAGIC: &[u8] = b"FLR\0";

/// Bytes of a chunk's header.
const HEADER: usize = 68;

/// Events of the profiler.
const EXECUTION: &str = "jdk.ExecutionSample";

/// Events of async-profiler 4 by the clock on the wall, which may stand beside the others (`--wall`). One is many looks where a thread slept on
/// (`recordWallClockSample` in `flightRecorder.cpp`).
const WALL_CLOCK: &str = "profiler.WallClockSample";

/// Samples by time on the processor, of Linux since JDK 25 (JEP 509). Each says how much it stands for.
const CPU_TIME: &str = "jdk.CPUTimeSample";

/// What the default sample type is chosen by: the kinds of samples of a profiler stand before all others, which are chosen by their number.
const BY_CPU_TIME: u64 = u64::MAX;
const BY_INTERVAL: u64 = u64::MAX - 1;
const BY_WALL: u64 = u64::MAX - 2;

/// Bytes between two looks at the ticket.
const POLL_BYTES: usize = 1 << 18;

/// Types of the two events that describe others.
const METADATA: i64 = 0;
const CHECKPOINT: i64 = 1;

/// The JVM looks at so many running threads at a time, most of all (`MAX_NR_OF_JAVA_SAMPLES` in `jfrThreadSampler.cpp`).
const LOOKED_AT: usize = 5;

impl Format for Jfr {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Java Flight Recorder (JDK 9 and later, async-profiler)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["jfr"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        if head.starts_with(MAGIC) { Sniff::Yes } else { Sniff::No }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input.bytes, cx.ticket)
    }
}

/// How ticks become time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Nanoseconds since 1970 at the first of the ticks.
    start_nanos: i64,
    start_ticks: i64,
    /// Ticks of a second.
    frequency: i64,
}

impl Clock {
    /// A number of ticks in nanoseconds.
    fn span(self, ticks: i64) -> i64 {
        let nanos = i128::from(ticks) * 1_000_000_000 / i128::from(self.frequency.max(1));
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    /// Nanoseconds since 1970.
    fn time(self, ticks: i64) -> i64 {
        self.start_nanos.saturating_add(self.span(ticks.saturating_sub(self.start_ticks)))
    }

    /// A value in nanoseconds, or as it is where it is no time.
    fn nanos(self, value: i64, tick: Tick) -> i64 {
        match tick {
            Tick::None => value,
            Tick::Ticks => self.span(value),
            Tick::Nanos(unit) => value.saturating_mul(unit),
        }
    }
}

/// One chunk: its bytes, and what its header says.
#[derive(Clone, Copy, Debug)]
struct Chunk<'a> {
    bytes: &'a [u8],
    /// Offset of its first byte in the file.
    base: u64,
    /// Offset of the metadata in the chunk.
    metadata: usize,
    packed: bool,
    clock: Clock,
    duration_nanos: i64,
    /// The file ends before the chunk does.
    is_cut: bool,
}

/// One event with a stack.
struct Row {
    column: usize,
    stack: Option<StackId>,
    /// It names a stack that the file does not hold.
    is_lost: bool,
    thread: Option<ThreadId>,
    labels: Option<LabelSetId>,
    time: Option<i64>,
    value: i64,
}

/// A kind of event with a stack.
struct Column {
    event: String,
    unit: &'static str,
    /// Its values say how long the events lasted.
    is_span: bool,
}

/// What was seen of a kind of events.
#[derive(Clone, Copy, Default)]
struct Seen {
    rows: u64,
    /// Some of them name a stack, whether it is there or not.
    has_stack: bool,
    has_value: bool,
}

/// Rows that one chunk gave, up to `end`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    end: usize,
    /// Nanoseconds between two looks of the profiler.
    interval: Option<i64>,
    /// It looks at threads whether they run or not.
    is_wall: bool,
    /// Nanoseconds between two looks by the clock on the wall, of [`WALL_CLOCK`].
    wall_interval: Option<i64>,
}

/// Columns of a kind of events: its own, and those of its times by the clock of the processor and by that on the wall.
#[derive(Clone, Copy)]
struct Places {
    own: usize,
    cpu: Option<usize>,
    wall: Option<usize>,
}

/// What was read so far, of all chunks.
#[derive(Default)]
struct Draft {
    builder: Builder,
    rows: Unfinished<Vec<Row>>,
    columns: Vec<Column>,
    /// Nanoseconds between two looks of the profiler, as the last chunk says.
    interval: Option<i64>,
    /// The same by the clock on the wall, where that has an interval of its own.
    wall_interval: Option<i64>,
    /// The JVM's own profiler took the samples.
    is_of_jvm: bool,
    /// async-profiler's recording is one by the clock on the wall, as its settings say.
    is_wall: Option<bool>,
    /// The profiler saw threads that slept.
    sleeps: bool,
    /// The chunks that were read to their end.
    ranges: Vec<Range>,
    /// Events whose stacks stood in the part of the file that was cut off.
    cut_stacks: u64,
    /// How often the recorder lost something, and how many bytes.
    lost: (u64, u64),
    missing_stacks: u64,
    missing_methods: u64,
    /// Events with a stack that could not be read.
    bad_samples: u64,
}

impl Draft {
    fn column(&mut self, event: &str, unit: &'static str) -> usize {
        self.columns.iter().position(|column| column.event == event && column.unit == unit).unwrap_or_else(|| {
            self.columns.push(Column { event: event.to_owned(), unit, is_span: false });
            self.columns.len() - 1
        })
    }

    fn fact(&mut self, key: &str, text: String) {
        if !text.is_empty() && self.builder.info.fact(key).is_none() {
            self.builder.info.facts.push((key.to_owned(), text));
        }
    }

    fn not_understood(&mut self, what: &str, bad: &Bad) {
        self.builder.notes.add(kind::NOT_UNDERSTOOD, &format!("{what}: {}", bad.what), 1, Some(bad.offset));
    }
}

fn read(bytes: &[u8], ticket: &Ticket) -> Result<Profile, ReadError> {
    let (mut chunks, mut at, mut behind) = (Vec::new(), 0, None);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match Chunk::new(rest, at as u64) {
            Ok(chunk) => {
                at += chunk.bytes.len();
                chunks.push(chunk);
            }
            Err(error) if at == 0 => return Err(error),
            Err(error) => {
                behind = Some((format!("bytes behind the last chunk that could be read ({error})"), rest.len()));
                break;
            }
        }
    }
    let mut draft = Draft::default();
    NAME.clone_into(&mut draft.builder.info.format);
    let (mut read, mut first_error) = (0, None);
    text::in_order(
        &chunks,
        |chunk| {
            let mut draft = Draft::default();
            // The thread does nothing else meanwhile.
            let result = ticket.run(|| chunk.read(&mut draft, ticket))?;
            Ok((*chunk, draft, result))
        },
        |(chunk, later, result)| {
            ticket.check()?;
            draft.absorb(&chunk, later, result.is_ok());
            match result {
                Ok(()) => read += 1,
                Err(bad) => {
                    draft.not_understood("chunks that could not be read", &bad);
                    first_error.get_or_insert(bad);
                }
            }
            if chunk.is_cut {
                draft.builder.notes.add(kind::TRUNCATED, "the last chunk has no end; what is there was read", 1, Some(bytes.len() as u64));
            }
            Ok(())
        },
    )?;
    if let Some((cause, rest)) = behind {
        draft.builder.notes.add(kind::NOT_UNDERSTOOD, &cause, rest as u64, Some(at as u64));
    }
    match first_error {
        Some(bad) if read == 0 => Err(bad.error("reading the first chunk")),
        _ => Ok(draft.finish()),
    }
}

impl Draft {
    /// Appends what a later chunk says.
    fn absorb(&mut self, chunk: &Chunk<'_>, mut later: Self, is_whole: bool) {
        let columns: Vec<usize> = later
            .columns
            .iter()
            .map(|column| {
                let row = self.column(&column.event, column.unit);
                self.columns.get_mut(row).into_iter().for_each(|known| known.is_span = column.is_span);
                row
            })
            .collect();
        for (key, text) in std::mem::take(&mut later.builder.info.facts) {
            self.fact(&key, text);
        }
        let Moves { stacks, threads, labels } = self.builder.absorb_tables(&later.builder);
        self.rows.extend(later.rows.iter().map(|row| Row {
            column: columns.get(row.column).copied().unwrap_or(row.column),
            stack: row.stack.and_then(|stack| *stacks.get(stack.row())?),
            thread: row.thread.and_then(|thread| threads.get(thread.row()).copied()),
            labels: row.labels.and_then(|labels_of| *labels.get(labels_of.row())?),
            ..*row
        }));
        self.interval = later.interval.or(self.interval);
        self.wall_interval = later.wall_interval.or(self.wall_interval);
        self.is_of_jvm |= later.is_of_jvm;
        self.lost = (self.lost.0 + later.lost.0, self.lost.1.saturating_add(later.lost.1));
        self.is_wall = later.is_wall.or(self.is_wall);
        if chunk.is_cut {
            self.cut_stacks += later.rows.iter().filter(|row| row.is_lost).count() as u64;
        } else {
            self.missing_stacks += later.missing_stacks;
        }
        self.missing_methods += later.missing_methods;
        self.bad_samples += later.bad_samples;
        if is_whole {
            // Who sleeps uses no processor, whatever the settings say; the JVM's own profiler looks only at threads that run.
            let is_wall = self.is_wall == Some(true) || (later.sleeps && !self.is_of_jvm);
            let wall_interval = self.wall_interval.or_else(|| self.interval.filter(|_| self.is_wall == Some(true)));
            self.ranges.push(Range { end: self.rows.len(), interval: self.interval, is_wall, wall_interval });
            let start = chunk.clock.start_nanos;
            self.builder.info.start_unix_nanos.get_or_insert(start);
            if chunk.duration_nanos > 0 {
                self.builder.covers(start, start.saturating_add(chunk.duration_nanos));
            }
        }
    }
}

impl<'a> Chunk<'a> {
    fn new(bytes: &'a [u8], base: u64) -> Result<Self, ReadError> {
        let doing = "reading the header of a chunk";
        if !bytes.starts_with(MAGIC) {
            return Err(ReadError::new(NAME, base, doing, "wanted `FLR`, found something else"));
        }
        let mut cursor = Cursor::at(bytes, base, Endian::Big);
        let mut header = || {
            cursor.skip(MAGIC.len())?;
            let version = (cursor.u16()?, cursor.u16()?);
            let (size, _constants, metadata) = (cursor.i64()?, cursor.i64()?, cursor.i64()?);
            let (start_nanos, duration, start_ticks, frequency) = (cursor.i64()?, cursor.i64()?, cursor.i64()?, cursor.i64()?);
            Ok((version, size, metadata, duration, Clock { start_nanos, start_ticks, frequency }, cursor.u32()?))
        };
        let (version, size, metadata, duration_nanos, clock, flags) = header().map_err(|short| ReadError::short(NAME, doing, short))?;
        if !(1..=2).contains(&version.0) {
            let what = format!("wanted version 1 or 2, found {}.{}: files of JDK 8 and before are not read", version.0, version.1);
            return Err(ReadError::new(NAME, base + 4, doing, what));
        }
        // While it is written it has no size, or the one up to where it was last made whole.
        let size = usize::try_from(size).ok().filter(|size| *size >= HEADER);
        let whole = size.filter(|size| *size <= bytes.len());
        let bytes = whole.and_then(|size| bytes.get(..size)).unwrap_or(bytes);
        let metadata = usize::try_from(metadata).unwrap_or(0);
        Ok(Self { bytes, base, metadata, packed: flags & 1 != 0, clock, duration_nanos, is_cut: whole.is_none() })
    }

    fn values(&self, at: usize) -> Values<'a> {
        Values::new(self.bytes.get(at..).unwrap_or(&[]), self.base + at as u64, self.packed)
    }

    /// Type and content of each event up to where no further one begins; gives why it ended there, where that is not the end.
    fn each(&self, mut each: impl FnMut(usize, i64, Values<'a>)) -> Option<Bad> {
        let watch = Watch::new();
        let mut at = HEADER;
        while at < self.bytes.len() {
            watch.step();
            let mut whole = self.values(at);
            let size = match whole.number(4) {
                Ok(size) => usize::try_from(size).ok().filter(|size| *size > 0 && *size <= self.bytes.len() - at),
                Err(bad) => return Some(bad),
            };
            let Some(size) = size else {
                return Some(Bad::new(self.base + at as u64, "wanted the size of an event that ends inside of its chunk"));
            };
            let head = usize::try_from(whole.offset() - self.base).unwrap_or(at).saturating_sub(at);
            match whole.sub(size.saturating_sub(head)).and_then(|mut event| Ok((event.long()?, event))) {
                Ok((id, event)) => each(at, id, event),
                Err(bad) => return Some(bad),
            }
            at += size;
        }
        None
    }

    fn read(&self, draft: &mut Draft, ticket: &Ticket) -> Result<(), Bad> {
        let (mut metadata, mut checkpoints) = (None, Vec::new());
        let stopped = self.each(|at, id, event| match id {
            METADATA if at == self.metadata || metadata.is_none_or(|(last, _)| last != self.metadata) => metadata = Some((at, event)),
            CHECKPOINT => checkpoints.push(event),
            _ => {}
        });
        if let Some(bad) = stopped.filter(|_| !self.is_cut) {
            draft.not_understood("chunks with something that is no event, at which reading them ended", &bad);
        }
        let Some((_, mut metadata)) = metadata else {
            return Err(Bad::new(self.base, "the chunk does not describe its events (it has no metadata)"));
        };
        let types = Types::read(&mut metadata)?;
        let (mut pools, watch) = (Pools::default(), Watch::new());
        for mut checkpoint in checkpoints {
            if let Err(bad) = pools.add(&types, &mut checkpoint, &watch) {
                draft.not_understood("tables of constants that could not be read to their end", &bad);
            }
        }
        let mut events = Events::new(self, &types, &pools);
        let mut told = 0;
        let mut tell = |at: usize| {
            if ticket.advance((at - told) as u64).is_err() {
                checkpoint();
            }
            told = at;
        };
        let mut next = POLL_BYTES;
        self.each(|at, id, mut event| {
            if at >= next {
                tell(at);
                next = at + POLL_BYTES;
            }
            if id == METADATA || id == CHECKPOINT {
                return;
            }
            if let Err(bad) = events.read(id, &mut event, draft) {
                draft.bad_samples += u64::from(events.is_sample(id));
                draft.not_understood("events that could not be read", &bad);
            }
        });
        tell(self.bytes.len());
        Ok(())
    }
}

/// How many threads ran at once: between the first and the last time that the profiler saw each, chunk by chunk.
#[derive(Default)]
struct Running {
    /// First and last time of the chunk at hand.
    times: std::collections::BTreeMap<ThreadId, (i64, i64)>,
    most: usize,
}

impl Running {
    fn saw(&mut self, thread: Option<ThreadId>, time: Option<i64>) {
        let (Some(thread), Some(time)) = (thread, time) else { return };
        let (first, last) = self.times.entry(thread).or_insert((time, time));
        (*first, *last) = ((*first).min(time), (*last).max(time));
    }

    fn end_chunk(&mut self) {
        let times = std::mem::take(&mut self.times);
        // A thread that begins when another ends ran beside it.
        let mut turns: Vec<(i64, bool)> = times.values().flat_map(|&(first, last)| [(first, false), (last, true)]).collect();
        turns.sort_unstable();
        let mut now = 0_usize;
        for (_, is_end) in turns {
            now = if is_end { now.saturating_sub(1) } else { now + 1 };
            self.most = self.most.max(now);
        }
    }
}

impl Draft {
    fn finish(mut self) -> Profile {
        let mut seen = vec![Seen::default(); self.columns.len()];
        for row in self.rows.iter().checked() {
            if let Some(seen) = seen.get_mut(row.column) {
                seen.rows += 1;
                seen.has_stack |= row.stack.is_some() || row.is_lost;
                seen.has_value |= row.value != 0;
            }
        }
        // Events of which the JVM says a length, and which never have any, happen in no time: they are counted.
        for (column, _) in self.columns.iter_mut().zip(&seen).filter(|(column, seen)| column.is_span && !seen.has_value) {
            column.unit = "count";
        }
        let types = self.add_types(&seen);
        let (mut used, mut without, mut ranges) = (0, 0, self.ranges.iter().copied().peekable());
        let mut values = vec![0; self.builder.sample_types.len()];
        let (mut running, mut timed) = (Running::default(), 0);
        for (at, row) in self.rows.iter().enumerate().checked() {
            while ranges.next_if(|range| range.end <= at).is_some() {
                running.end_chunk();
            }
            let Some(Places { own: column, cpu, wall }) = types.get(row.column).copied().flatten() else { continue };
            let value =
                if self.columns.get(row.column).is_some_and(|column| column.is_span && column.unit == "count") { 1 } else { row.value };
            used += 1;
            without += u64::from(row.stack.is_none() && !(row.is_lost && self.cut_stacks > 0));
            let sample = Sample { stack: row.stack, thread: row.thread, labels: row.labels, time: row.time };
            let is_execution = self.columns.get(row.column).is_some_and(|column| column.event == EXECUTION);
            let clock = ranges.peek().and_then(|range| match (is_execution, range.is_wall) {
                (true, false) => Some((cpu?, range.interval?)),
                (true, true) => Some((wall?, range.interval?)),
                (false, _) => Some((wall?, range.wall_interval?)),
            });
            if let Some((clock, interval)) = clock {
                if is_execution {
                    timed += 1;
                    running.saw(row.thread, row.time);
                }
                values.fill(0);
                values.get_mut(column).into_iter().for_each(|cell| *cell = value);
                values.get_mut(clock).into_iter().for_each(|cell| *cell = interval.saturating_mul(value));
                self.builder.rows.sample(sample, &values);
            } else {
                self.builder.rows.event(sample, column, value);
            }
        }
        running.end_chunk();
        let builder = &mut self.builder;
        builder.info.tally = Tally::new(used, self.bad_samples);
        let mut note = |kind, cause: &str, count: u64| {
            if count > 0 {
                builder.notes.add(kind, cause, count, None);
            }
        };
        note(kind::NO_STACK, "samples without a stack", without);
        note(kind::TRUNCATED, "samples without a stack, since the part of the file that was cut off holds it", self.cut_stacks);
        note(kind::NOT_UNDERSTOOD, "stacks that samples name and the file does not hold, or not whole", self.missing_stacks);
        note(kind::NOT_UNDERSTOOD, "frames that name no method of the file; they are called [unknown]", self.missing_methods);
        let lost = format!("the recorder lost events ({} in all)", human(self.lost.1 as f64, "bytes"));
        note(kind::LOST_EVENTS, &lost, self.lost.0);
        if running.most > LOOKED_AT && self.is_of_jvm {
            let cause = format!(
                "times are samples by the interval of the profiler; a JVM looks at {LOOKED_AT} running threads at a time, so that where more ran at \
                 once there was more time than that"
            );
            note(kind::GUESSED, &cause, timed);
        }
        self.builder.finish()
    }

    /// Adds a sample type for each kind of event that has stacks: for each column of events its row, and those of its times where it has them.
    fn add_types(&mut self, seen: &[Seen]) -> Vec<Option<Places>> {
        let mut types = vec![None; self.columns.len()];
        // The default: the profiler's samples, else what has most rows.
        let mut best = (0, 0);
        let all = |has: fn(&Range) -> bool| !self.ranges.is_empty() && self.ranges.iter().all(|range| range.end == 0 || has(range));
        let (has_interval, has_wall_interval) = (all(|range| range.interval.is_some()), all(|range| range.wall_interval.is_some()));
        let has_wall = self.ranges.iter().any(|range| range.is_wall);
        let has_cpu = self.ranges.iter().any(|range| !range.is_wall);
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        // What the profiler saw comes first.
        let rank = |column: &Column| [EXECUTION, WALL_CLOCK, CPU_TIME].iter().position(|event| *event == column.event).unwrap_or(3);
        order.sort_by_key(|&row| self.columns.get(row).map(rank));
        for row in order {
            let (Some(column), Some(&Seen { rows, has_stack, .. })) = (self.columns.get(row), seen.get(row)) else { continue };
            if !has_stack {
                // No samples: the JVM could give them a stack and never does.
                self.builder.notes.add(kind::SKIPPED, "events of kinds that have no stack in this file", rows, None);
                continue;
            }
            let name = self.type_name(column);
            let at = self.builder.add_sample_type(&name, column.unit);
            let rank = rank(column);
            let [has_cpu, has_wall] = match rank {
                0 => [has_interval && has_cpu, has_interval && has_wall],
                1 => [false, has_wall_interval],
                _ => [false; 2],
            };
            let mut time = |name: &str, is_there: bool| {
                let known = self.builder.sample_types.iter().position(|kind| kind.name == name);
                is_there.then(|| known.unwrap_or_else(|| self.builder.add_sample_type(name, "nanoseconds")))
            };
            let (cpu, wall) = (time("cpu", has_cpu), time("wall", has_wall));
            if let Some(place) = types.get_mut(row) {
                *place = Some(Places { own: at, cpu, wall });
            }
            // Samples by time on the processor are there only where somebody asked for them.
            let weight = [BY_INTERVAL, BY_WALL, BY_CPU_TIME].get(rank).copied().unwrap_or(rows);
            if weight > best.0 {
                best = (weight, cpu.or(wall).unwrap_or(at));
            }
        }
        self.builder.default_sample_type = best.1;
        // That of the default: by the clock on the wall where the profiler saw nothing else.
        let by_wall = best.0 == BY_WALL;
        let of = |range: &Range| if by_wall { (range.wall_interval, true) } else { (range.interval, range.is_wall) };
        let first = self.ranges.first().map(of).filter(|first| self.ranges.iter().all(|next| of(next) == *first));
        if let Some((Some(interval), is_wall)) = first.filter(|_| best.0 != BY_CPU_TIME) {
            let clock = if is_wall { "wall" } else { "cpu" };
            self.builder.info.period = Some((clock.to_owned(), "nanoseconds".to_owned(), interval));
        }
        types
    }

    /// `samples` for those of the profiler, `wall-samples` for those by the clock on the wall; the event's name without its package, in small letters, for others: `thread-park`.
    fn type_name(&self, column: &Column) -> String {
        match column.event.as_str() {
            EXECUTION => return "samples".to_owned(),
            WALL_CLOCK => return "wall-samples".to_owned(),
            _ => {}
        }
        let short = column.event.rsplit('.').next().unwrap_or_default();
        let mut made = String::new();
        let (mut before, mut letters) = (' ', short.chars().peekable());
        while let Some(letter) = letters.next() {
            // A word begins with a capital; several capitals are a word up to the last one before a small letter: `SystemGC`, `GCPhasePause`.
            let begins = before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase()));
            if letter.is_uppercase() && begins {
                made.push('-');
            }
            made.extend(letter.to_lowercase());
            before = letter;
        }
        let is_taken = self.builder.sample_types.iter().any(|kind| kind.name == made);
        if is_taken || made.is_empty() { column.event.clone() } else { made }
    }
}
