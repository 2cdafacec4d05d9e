//! Samples: field by field as the kernel wrote them, call chains with their context marks, parallel in chunks.
//!
//! The order of the fields is that of `perf_event.h` (`PERF_RECORD_SAMPLE`), not that of the bits. Deliberately absent: unwinding of
//! copied user stacks (`unwind`), branches that are no call stack. Start reading at [`decode_all`].

mod merge;

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use self::merge::Merge;
use super::attr::{Attr, bit, branch, read};
use super::container::{Capture, Event};
use super::ids::{EventId, MapId, NamespaceId};
use super::labels::Wait;
use super::maps::{Tasks, View};
use super::records::{self, Mode};
use super::unwind::{Ends, Files, Raw, Walker};
use crate::base::cursor::{Cursor, Endian, Short};
use crate::base::index::Column;
use crate::base::ticket::Cancelled;
use crate::format::ReadCx;
use crate::model::{Builder, FrameId, Notes, Rows, Sample, StackId, ThreadId, kind};

/// Samples decoded at once. Chunks do not depend on the number of threads, so neither does the result.
const CHUNK: usize = 1 << 14;

/// Samples that are decoded before any of them is joined to the profile: the last of them wait for one thread to join them.
const WAVE: usize = 1 << 16;

/// The same where each sample has a stack to unwind.
const CHUNK_WITH_STACKS: usize = 1 << 10;
/// See [`WAVE`]; each wave of them learns anew how to unwind.
const WAVE_WITH_STACKS: usize = 1 << 16;

/// The frame under which the known part of a stack stands where its callers were not recorded.
const CUT: &str = "[truncated stack]";

/// Addresses from here up in a call chain are marks, not addresses (`PERF_CONTEXT_MAX`).
const FIRST_MARK: u64 = -4095_i64 as u64;

/// Text of the note on chains that end in a number that is no address.
const BROKEN_CHAIN: &str = "call chains that end in a number which is no address (broken frame pointers); the part before it is kept";

/// One row of the result: a sample for one event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) at: u64,
    pub(super) time: Option<i64>,
    /// Column of the event's sample type.
    pub(super) column: usize,
    /// Event whose attributes say how the record is laid out: the leader, for members of a group.
    pub(super) layout: EventId,
    pub(super) thread: Option<ThreadId>,
    pub(super) view: View,
    pub(super) weight: u64,
    /// For time off the CPU: why. Such a row is about a sample of the switch, or about a record of it, which has no stack.
    pub(super) wait: Option<Wait>,
    /// In which namespaces its thread was, where records say so.
    pub(super) namespaces: Option<NamespaceId>,
}

/// User call chains that came in records of their own, by thread and cookie.
pub(super) type Deferred = FxHashMap<(i32, u64), u64>;

/// The parts of a sample that make its stack.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields<'a> {
    ip: Option<u64>,
    tid: i32,
    /// Addresses and marks, leaf first; `None` where the event records none.
    chain: Option<&'a [u8]>,
    /// The last branches: 24 bytes each (from, to, flags), newest first.
    branches: &'a [u8],
    /// Branches are calls that have not returned yet.
    is_call_stack: bool,
    /// What was copied to unwind the user's part of the stack.
    raw: Option<Raw<'a>>,
    /// The kernel may deliver the user's part of the chain in a record of its own.
    is_deferred: bool,
}

/// Reads a sample's body.
fn fields<'a>(body: Cursor<'a>, event: &Event) -> Result<Fields<'a>, Short> {
    let (attr, layout) = (&event.attr, &event.layout);
    let field = |at: usize| {
        let mut place = body;
        place.skip(at).map(|()| place)
    };
    let mut cursor = body;
    let mut fields = Fields { is_deferred: attr.defers_chains(), ..Fields::default() };
    fields.is_call_stack = attr.branch_sample_type & branch::CALL_STACK != 0;
    if let Some(at) = layout.ip {
        fields.ip = Some(field(at)?.u64()?);
    }
    if let Some(at) = layout.tid {
        fields.tid = field(at + 4)?.i32()?;
    }
    cursor.skip(layout.variable)?;
    if attr.has(bit::READ) {
        counters(&mut cursor, attr, |_, _| ())?;
    }
    if attr.has(bit::CALLCHAIN) {
        fields.chain = Some(many(&mut cursor, 8)?);
    }
    // What is wrong behind the chain costs no sample.
    stack_fields(cursor, attr, &mut fields).ok();
    Ok(fields)
}

/// A count, and so many times `size` bytes.
fn many<'a>(cursor: &mut Cursor<'a>, size: u64) -> Result<&'a [u8], Short> {
    let count = cursor.u64()?;
    cursor.take(usize::try_from(count.saturating_mul(size)).unwrap_or(usize::MAX))
}

/// Reads the fields behind the call chain that stacks can be made of.
fn stack_fields<'a>(mut cursor: Cursor<'a>, attr: &Attr, fields: &mut Fields<'a>) -> Result<(), Short> {
    if attr.has(bit::RAW) {
        let size = cursor.u32()? as usize;
        cursor.skip(size)?;
    }
    if attr.has(bit::BRANCH_STACK) {
        let mut count = cursor;
        cursor.skip(8)?;
        if attr.branch_sample_type & branch::HW_INDEX != 0 {
            cursor.skip(8)?;
        }
        let count = count.u64()?;
        fields.branches = cursor.take(usize::try_from(count.saturating_mul(24)).unwrap_or(usize::MAX))?;
        if attr.branch_sample_type & branch::COUNTERS != 0 {
            cursor.skip(usize::try_from(count.saturating_mul(8)).unwrap_or(usize::MAX))?;
        }
    }
    let (mut abi, mut regs) = (0, &[][..]);
    if attr.has(bit::REGS_USER) {
        abi = cursor.u64()?;
        if abi != 0 {
            regs = cursor.take(attr.regs_user.count_ones() as usize * 8)?;
        }
    }
    if attr.has(bit::STACK_USER) {
        let stack = many(&mut cursor, 1)?;
        // How much of the room was filled; the field is there only with room.
        let filled = if stack.is_empty() { 0 } else { usize::try_from(cursor.u64()?).unwrap_or(usize::MAX) };
        // Threads of the kernel have no user registers. Where nothing could be copied (an exec, the first instructions of a program),
        // the registers are those of another moment, and perf does without them, too.
        fields.raw = (abi != 0 && filled > 0).then(|| Raw {
            is_64_bit: abi == 2,
            mask: attr.regs_user,
            regs,
            stack: stack.get(..filled).unwrap_or(stack),
            is_full: filled >= stack.len(),
        });
    }
    Ok(())
}

/// Reads the counter values of a sample: (id, value) of every member of the group, or of the one event.
pub(super) fn counters(cursor: &mut Cursor<'_>, attr: &Attr, mut found: impl FnMut(Option<u64>, u64)) -> Result<(), Short> {
    let has = |bit| attr.read_format & bit != 0;
    let is_group = has(read::GROUP);
    let count = if is_group { cursor.u64()? } else { 1 };
    let single = if is_group { None } else { Some(cursor.u64()?) };
    for bit in [read::TIME_ENABLED, read::TIME_RUNNING] {
        if has(bit) {
            cursor.skip(8)?;
        }
    }
    for _ in 0..count {
        let value = match single {
            Some(value) => value,
            None => cursor.u64()?,
        };
        let id = if has(read::ID) { Some(cursor.u64()?) } else { None };
        if has(read::LOST) {
            cursor.skip(8)?;
        }
        found(id, value);
    }
    Ok(())
}

/// Splits the samples of counting groups into one row per counter: each weighs what its counter grew by since its last value.
pub(super) struct Groups {
    /// By thread, where threads count on their own, and id.
    last: FxHashMap<(Option<i32>, u64), u64>,
    /// The keys of `last` by thread.
    of_thread: FxHashMap<i32, Vec<u64>>,
}

/// The rows of one sample of a group, and how many of its counters were set back.
#[derive(Default)]
pub(super) struct Grown {
    /// Event and weight.
    pub(super) rows: Vec<(EventId, u64)>,
    pub(super) fell: u64,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self { last: FxHashMap::default(), of_thread: FxHashMap::default() }
    }

    /// A new thread has the number: its counters begin at zero.
    pub(super) fn fork(&mut self, tid: i32) {
        for id in self.of_thread.remove(&tid).unwrap_or_default() {
            self.last.remove(&(Some(tid), id));
        }
    }

    /// What the counters of one sample grew by, in the group's order; counters that stand still give none. One that is below its last value
    /// was set to zero meanwhile.
    pub(super) fn split(&mut self, capture: &Capture<'_>, body: Cursor<'_>, event: &Event, tid: Option<i32>) -> Result<Grown, Short> {
        let mut cursor = body;
        cursor.skip(event.layout.variable)?;
        let mut grown = Grown::default();
        let thread = tid.filter(|_| event.attr.counts_by_thread());
        counters(&mut cursor, &event.attr, |id, value| {
            let id_or_none = id.unwrap_or(0);
            let last = self.last.entry((thread, id_or_none)).or_insert_with(|| {
                if let Some(thread) = thread {
                    self.of_thread.entry(thread).or_default().push(id_or_none);
                }
                0
            });
            grown.fell += u64::from(value < *last);
            let by = value.checked_sub(*last).unwrap_or(value);
            *last = value;
            if let Some(event) = capture.event_of(id).filter(|_| by > 0) {
                grown.rows.push((event, by));
            }
        })?;
        Ok(grown)
    }
}

/// One address of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    address: u64,
    mode: Mode,
    is_caller: bool,
}

/// What a chunk of samples becomes: rows over frames of its own.
struct Chunk {
    rows: Rows,
    /// May hold a frame twice, where an address space changed between two samples: the profile's own table joins them.
    frames: Column<FrameId, Local>,
    notes: Notes,
    ends: Ends,
}

/// What all chunks are decoded from.
struct Decoding<'a> {
    capture: &'a Capture<'a>,
    around: Around<'a>,
}

/// What stays the same while a capture gives up what was decoded.
#[derive(Clone, Copy)]
struct Around<'a> {
    tasks: &'a Tasks,
    deferred: &'a Deferred,
    types: usize,
    cx: &'a ReadCx<'a>,
    /// Tables that decoders are done with: making one grow costs as much as using it.
    spare: &'a Mutex<Vec<KnownFrames>>,
}

impl<'a> Around<'a> {
    const fn of<'b>(self, capture: &'b Capture<'b>) -> Decoding<'b>
    where
        'a: 'b,
    {
        Decoding { capture, around: self }
    }
}

/// The frames of a chunk by what they are made from.
type KnownFrames = FxHashMap<(View, Mode, u64, bool), FrameId>;

/// A frame before its module has a row in the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Local {
    module: Module,
    address: u64,
    is_caller: bool,
}

/// Threads of which the last stack is remembered.
const PATHS_MAX: usize = 1 << 10;

/// The stack of a thread's last sample, root first: most samples share the root's end of it, which then needs no look-up.
#[derive(Default)]
struct Path {
    levels: Vec<(Step, View, StackId)>,
    /// The stack that stands for callers which were not recorded, where that is so.
    cut: Option<StackId>,
}

impl Path {
    fn begin(&mut self, cut: Option<StackId>) {
        if self.cut != cut {
            self.levels.clear();
        }
        self.cut = cut;
    }

    /// Number of levels that the last stack has, too; further ones of that are forgotten.
    fn shared(&mut self, steps: impl Iterator<Item = (Step, View)>) -> usize {
        let shared = self.levels.iter().zip(steps).take_while(|(known, step)| (known.0, known.1) == *step).count();
        self.levels.truncate(shared);
        shared
    }

    /// The stack so far.
    fn leaf(&self) -> Option<StackId> {
        self.levels.last().map(|level| level.2).or(self.cut)
    }
}

/// Where an address belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Module {
    /// To a module that a record named.
    Map(MapId),
    /// To a part of the machine that has no record of its own.
    Machine(Mode),
    /// Nowhere: it stands for callers that were not recorded.
    Cut,
}

/// Decodes all rows, in parallel, and appends them to the builder in their order.
///
/// `beside` is done with the builder and all rows before the first sample is appended, while others are decoded.
pub(super) fn decode_all<T: Send>(
    capture: &mut Capture<'_>,
    tasks: &Tasks,
    deferred: &Deferred,
    mut rows: Vec<Row>,
    builder: &mut Builder,
    cx: &ReadCx<'_>,
    beside: impl FnOnce(&Capture<'_>, &mut Builder, &[Row]) -> Result<T, Cancelled> + Send,
) -> Result<T, Cancelled> {
    cx.ticket.stage("decoding samples", rows.len() as u64)?;
    let types = builder.sample_types.len();
    let copied = capture.events.iter().find(|event| event.attr.has(bit::STACK_USER)).map(|event| event.attr.regs_user);
    let facts = &capture.features.facts;
    let fact = |wanted: &str| facts.iter().find(|(key, _)| key == wanted).map(|(_, text)| text.as_str());
    let files = Files::new(tasks, builder, cx.binaries, (capture.endian, copied.unwrap_or(0)), fact, cx.ticket);
    let spare = Mutex::default();
    let around = Around { tasks, deferred, types, cx, spare: &spare };
    let (size, wave) = if copied.is_some() { (CHUNK_WITH_STACKS, WAVE_WITH_STACKS) } else { (CHUNK, WAVE) };
    let decode_wave = |input: &Decoding<'_>, rows: &[Row]| -> Result<Vec<Chunk>, Cancelled> {
        rows.par_chunks(size).map_init(|| Walker::new(&files), |walker, rows| decode(input, rows, walker)).collect()
    };
    let mut merge = Merge::new(builder, rows.len());
    let (first, later) = rows.split_at_checked(wave).unwrap_or((&rows, &[]));
    let mut needed = needed(later, wave);
    let (decoded, done) = rayon::join(|| decode_wave(&around.of(capture), first), || beside(capture, merge.builder, &rows));
    let (mut decoded, done) = (decoded?, done?);
    merge.builder.rows.reserve(rows.len(), 0);
    // Taken from the end, so that the memory of those that are decoded is given back.
    rows.reverse();
    rows.truncate(rows.len().saturating_sub(wave));
    // While one wave is decoded the one before it is joined to the profile, which also frees its memory.
    while !rows.is_empty() {
        let mut rows_of_wave = rows.split_off(rows.len().saturating_sub(wave));
        rows_of_wave.reverse();
        rows.shrink_to_fit();
        // Chains that come later may stand anywhere.
        if let Some(at) = needed.pop().flatten().filter(|_| deferred.is_empty()) {
            capture.give_up_before(at);
        }
        let input = around.of(capture);
        let (next, joined) = rayon::join(|| decode_wave(&input, &rows_of_wave), || merge.absorb(std::mem::take(&mut decoded), &input));
        joined?;
        decoded = next?;
    }
    merge.absorb(decoded, &around.of(capture))?;
    let Merge { builder, ends, .. } = merge;
    ends.note(&files, &mut builder.notes);
    Ok(done)
}

/// For each wave of rows, the last first: the first place in what was inflated of its rows and of all behind them.
fn needed(rows: &[Row], wave: usize) -> Vec<Option<u64>> {
    let mut needed: Vec<Option<u64>> = rows.chunks(wave).map(|rows| Capture::first_inflated(rows.iter().map(|row| row.at))).collect();
    needed.reverse();
    let mut least = None;
    for place in &mut needed {
        least = place.iter().chain(&least).min().copied();
        *place = least;
    }
    needed
}

fn decode(input: &Decoding<'_>, rows: &[Row], walker: &mut Walker<'_>) -> Result<Chunk, Cancelled> {
    /// Samples between two looks at the ticket: unwinding the largest stacks that fit takes 20 ms for so many.
    const TOLD: usize = 64;
    let Decoding { capture, around: Around { tasks, .. } } = input;
    let mut chunk = Chunk { rows: Rows::new(input.around.types), frames: Column::new(), notes: Notes::default(), ends: Ends::default() };
    chunk.rows.reserve(rows.len(), rows.len());
    // The same address at the same moment is the same frame: saves the search through the modules.
    let mut known = input.around.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    // Processors take turns in the order of time: the sample before is another thread's.
    let mut paths = FxHashMap::<Option<ThreadId>, Path>::default();
    let mut known_cut = None;
    let (mut steps, mut levels) = (Vec::new(), Vec::new());
    let mut branches = (0, None);
    // A sample of a group is several rows, one behind the other.
    let mut last = None;
    for (n, row) in rows.iter().enumerate() {
        if n % TOLD == TOLD - 1 {
            input.around.cx.ticket.advance(TOLD as u64)?;
        }
        let (Some(record), Some(event)) = (capture.record(row.at), capture.events.get(row.layout)) else { continue };
        let offset = capture.file_offset(row.at);
        if let Some((at, stack)) = last
            && at == row.at
        {
            event_row(&mut chunk, row, stack, offset);
            continue;
        }
        steps.clear();
        let mut is_cut = false;
        match fields(record.body, event) {
            _ if record.kind != records::SAMPLE => {}
            Ok(fields) => {
                let mode = Mode::of_misc(record.misc);
                chain_steps(&fields, mode, record.body.endian(), offset, input, &mut steps, &mut chunk.notes);
                if let Some(raw) = &fields.raw {
                    // The kernel wrote only its own part of the chain; should there be another one of the user, the copy knows more.
                    let chain = steps.len();
                    let found = |address, is_caller| steps.push(Step { address, mode: Mode::User, is_caller });
                    is_cut = walker.unwind(tasks, row.view, raw, offset, &mut chunk.ends, found)?;
                    if steps.len() > chain {
                        let mut at = 0..chain;
                        steps.retain(|step| at.next().is_none() || step.mode != Mode::User);
                    }
                }
                if steps.is_empty() {
                    alone(&fields, mode, offset, &mut steps, &mut chunk.notes);
                }
                if !fields.is_call_stack && !fields.branches.is_empty() {
                    branches.0 += fields.branches.len() as u64 / 24;
                    branches.1.get_or_insert(offset);
                }
            }
            Err(_) => chunk.notes.add(kind::NO_STACK, "samples whose call chain is cut or damaged", 1, Some(offset)),
        }
        if is_cut && known_cut.is_none() {
            let cut = chunk.frames.push(Local { module: Module::Cut, address: 0, is_caller: false });
            known_cut = cut.map(|frame| chunk.rows.stack(None, frame));
        }
        if paths.len() == PATHS_MAX && !paths.contains_key(&row.thread) {
            paths.clear();
        }
        let path = paths.entry(row.thread).or_default();
        path.begin(known_cut.filter(|_| is_cut));
        // Kernel modules are looked up the same at every moment.
        let view_of = |step: &Step| if step.mode == Mode::User { row.view } else { tasks.nothing() };
        let shared = path.shared(steps.iter().rev().map(|step| (*step, view_of(step))));
        levels.clear();
        // First all frames, then all stacks: the look-ups of one do not wait for those of the other.
        for step in steps.iter().rev().skip(shared) {
            let view = view_of(step);
            let key = (view, step.mode, step.address, step.is_caller);
            let frame = if let Some(frame) = known.get(&key) {
                *frame
            } else {
                let module = tasks.find(row.view, step.mode, step.address).map_or(Module::Machine(step.mode), Module::Map);
                let local = Local { module, address: step.address, is_caller: step.is_caller };
                let Some(frame) = chunk.frames.push(local) else { break };
                known.insert(key, frame);
                frame
            };
            levels.push((*step, view, frame));
        }
        for &(step, view, frame) in &levels {
            let stack = chunk.rows.stack(path.leaf(), frame);
            path.levels.push((step, view, stack));
        }
        let stack = path.leaf();
        last = Some((row.at, stack));
        event_row(&mut chunk, row, stack, offset);
    }
    input.around.cx.ticket.advance((rows.len() % TOLD) as u64)?;
    capture.done_with(rows.iter().map(|row| row.at), input.around.cx);
    known.clear();
    input.around.spare.lock().unwrap_or_else(PoisonError::into_inner).push(known);
    if branches.0 > 0 {
        chunk.notes.add(kind::SKIPPED, "branches that were recorded with samples (perf record -b)", branches.0, branches.1);
    }
    Ok(chunk)
}

fn event_row(chunk: &mut Chunk, row: &Row, stack: Option<StackId>, offset: u64) {
    let weight = i64::try_from(row.weight).unwrap_or_else(|_| {
        chunk.notes.add(kind::OVERFLOW, "periods beyond 2^63-1 were held at it", 1, Some(offset));
        i64::MAX
    });
    let sample = Sample { stack, thread: row.thread, labels: None, time: row.time };
    chunk.rows.event(sample, row.column, weight);
}

/// The addresses that the kernel recorded for a sample, leaf first.
fn chain_steps(
    fields: &Fields<'_>,
    mode: Mode,
    endian: Endian,
    offset: u64,
    input: &Decoding<'_>,
    steps: &mut Vec<Step>,
    notes: &mut Notes,
) {
    let Some(cookie) = marked_steps(fields.chain.unwrap_or(&[]), mode, endian, offset, fields.is_deferred, steps, notes) else {
        return call_stack(fields, endian, steps);
    };
    let record = input.around.deferred.get(&(fields.tid, cookie)).and_then(|at| input.capture.record(*at));
    match record.map(|record| records::deferred(record.body)) {
        Some(Ok(deferred)) => {
            marked_steps(deferred.chain, Mode::User, endian, offset, false, steps, notes);
        }
        _ => notes.add(
            kind::CUT_STACKS,
            "user stacks that the kernel meant to deliver later and that are not in the capture",
            1,
            Some(offset),
        ),
    }
}

/// Reads addresses and marks; gives the cookie of a user chain that comes later.
fn marked_steps(
    chain: &[u8],
    mode: Mode,
    endian: Endian,
    offset: u64,
    is_deferred: bool,
    steps: &mut Vec<Step>,
    notes: &mut Notes,
) -> Option<u64> {
    let mut part = mode;
    // The first address of each part of the machine is that of an instruction, the others are return addresses.
    let mut is_caller = false;
    let mut words = chain.as_chunks::<8>().0.iter().map(|word| match endian {
        Endian::Little => u64::from_le_bytes(*word),
        Endian::Big => u64::from_be_bytes(*word),
    });
    while let Some(address) = words.next() {
        if address < FIRST_MARK {
            steps.push(Step { address, mode: part, is_caller });
            is_caller = true;
            continue;
        }
        is_caller = false;
        part = match address as i64 {
            -32 => Mode::Hypervisor,
            -128 => Mode::Kernel,
            -512 => Mode::User,
            -2048 | -2176 => Mode::GuestKernel,
            -2560 => Mode::GuestUser,
            // Without the event's consent the number is as much garbage as any other (seen: return addresses of -640).
            -640 if is_deferred => return Some(words.next().unwrap_or(0)),
            // Frame pointers of code that uses the register for something else end in numbers like -1. perf drops such chains as a
            // whole; the addresses before the number are as good as any.
            _ => {
                notes.add(kind::CUT_STACKS, BROKEN_CHAIN, 1, Some(offset));
                break;
            }
        };
    }
    None
}

/// Puts the calls that the processor kept (`perf record --call-graph lbr`) in the place of the user's part of the chain, which ends
/// where a function uses the frame pointer for something else.
///
/// Like `resolve_lbr_callchain_sample` in perf's `machine.c`, but for the innermost address: perf shows where the last call led to, here
/// it is the sampled instruction, as in perf's own rows of a report.
fn call_stack(fields: &Fields<'_>, endian: Endian, steps: &mut Vec<Step>) {
    if !fields.is_call_stack {
        return;
    }
    let Some(first) = steps.iter().position(|step| step.mode == Mode::User) else { return };
    let words = |cursor: &mut Cursor<'_>| Some((cursor.u64().ok()?, cursor.u64().ok()?, cursor.u64().ok()?));
    let mut cursor = Cursor::at(fields.branches, 0, endian);
    let calls = std::iter::from_fn(|| words(&mut cursor)).map(|(from, ..)| Step { address: from, mode: Mode::User, is_caller: false });
    let mut calls = calls.peekable();
    if calls.peek().is_some() {
        steps.truncate(first + 1);
        // The address of a call is that of the instruction, not of the one after it.
        steps.extend(calls);
    }
}

/// The sampled address, for a sample without a chain.
fn alone(fields: &Fields<'_>, mode: Mode, offset: u64, steps: &mut Vec<Step>, notes: &mut Notes) {
    if let Some(address) = fields.ip {
        if fields.chain.is_some() {
            notes.add(kind::NO_STACK, "samples with an empty call chain; the sampled address stands alone", 1, Some(offset));
        }
        steps.push(Step { address, mode, is_caller: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    type Steps = Vec<(u64, Mode, bool)>;

    /// The steps of a chain, the cookie of a later one, and notes.
    fn steps(chain: &[u64]) -> (Steps, Option<u64>, Notes) {
        let (mut steps, mut notes) = (Vec::new(), Notes::default());
        let cookie = marked_steps(&words(chain), Mode::User, Endian::Little, 0, true, &mut steps, &mut notes);
        (steps.into_iter().map(|step| (step.address, step.mode, step.is_caller)).collect(), cookie, notes)
    }

    const KERNEL: u64 = -128_i64 as u64;
    const USER: u64 = -512_i64 as u64;

    #[test]
    fn marks_change_the_part_and_the_first_address_after_one_is_no_return_address() {
        let (found, _, notes) = steps(&[KERNEL, 1, 2, USER, 3, 4, -2176_i64 as u64, 5, 6, -2560_i64 as u64, 7]);
        let expected = [
            (1, Mode::Kernel, false),
            (2, Mode::Kernel, true),
            (3, Mode::User, false),
            (4, Mode::User, true),
            (5, Mode::GuestKernel, false),
            (6, Mode::GuestKernel, true),
            (7, Mode::GuestUser, false),
        ];
        assert_eq!(found, expected);
        assert!(notes.is_empty());
    }

    #[test]
    fn an_empty_chain_leaves_the_sampled_address() {
        let alone_in = |chain: Option<&[u8]>| {
            let fields = Fields { ip: Some(9), chain, ..Fields::default() };
            let (mut steps, mut notes) = (Vec::new(), Notes::default());
            alone(&fields, Mode::User, 0, &mut steps, &mut notes);
            assert_eq!(steps, [Step { address: 9, mode: Mode::User, is_caller: false }]);
            notes.count(kind::NO_STACK)
        };
        assert_eq!((alone_in(Some(&words(&[USER]))), alone_in(None)), (1, 0));
    }

    #[test]
    fn a_deferred_mark_takes_its_cookie_with_it() {
        let (found, cookie, notes) = steps(&[KERNEL, 1, -640_i64 as u64, 77]);
        assert_eq!((found, cookie, notes.is_empty()), (vec![(1, Mode::Kernel, false)], Some(77), true));
    }

    /// As the processor writes it for `main` → `run` → `work`: newest call first, each from the calling instruction.
    #[test]
    fn calls_that_the_processor_kept_take_the_place_of_the_users_chain() {
        let calls = words(&[0x210, 0x300, 0, 0x110, 0x200, 0]);
        let check = |branches: &[u8], is_call_stack, expected: &[(u64, bool)]| {
            let fields = Fields { branches, is_call_stack, ..Fields::default() };
            let (mut steps, mut notes) = (Vec::new(), Notes::default());
            marked_steps(&words(&[KERNEL, 1, 2, USER, 0x305, 0x666]), Mode::Kernel, Endian::Little, 0, false, &mut steps, &mut notes);
            call_stack(&fields, Endian::Little, &mut steps);
            assert_eq!(steps.iter().map(|step| (step.address, step.is_caller)).collect::<Vec<_>>(), expected);
        };
        check(&calls, true, &[(1, false), (2, true), (0x305, false), (0x210, false), (0x110, false)]);
        let chain = [(1, false), (2, true), (0x305, false), (0x666, true)];
        check(&[], true, &chain);
        check(&calls, false, &chain);
    }

    /// The fields behind a chain stand where `perf_event.h` says, whatever stands between.
    #[test]
    fn registers_and_stack_stand_behind_raw_bytes_and_branches() {
        let attr = Attr {
            sample_type: bit::RAW | bit::BRANCH_STACK | bit::REGS_USER | bit::STACK_USER,
            branch_sample_type: branch::HW_INDEX | branch::COUNTERS,
            regs_user: 0b1_1000_0000,
            ..Attr::default()
        };
        let mut bytes = 12_u32.to_le_bytes().to_vec();
        bytes.extend([0xee; 12]);
        // One branch with its index and counter, two registers, 16 bytes of stack of which 8 were filled.
        bytes.extend(words(&[1, 5, 0x10, 0x20, 0x30, 0x99, 2, 0x7000, 0x400, 16, 0x1234, 0x5678, 8]));
        let mut fields = Fields::default();
        stack_fields(Cursor::new(&bytes), &attr, &mut fields).unwrap();
        let raw = fields.raw.unwrap();
        assert_eq!(fields.branches, words(&[0x10, 0x20, 0x30]));
        assert_eq!((raw.is_64_bit, raw.regs, raw.stack, raw.is_full), (true, &words(&[0x7000, 0x400])[..], &words(&[0x1234])[..], false));
        // A thread of the kernel: no registers, no stack.
        let mut fields = Fields::default();
        let attr = Attr { sample_type: bit::REGS_USER | bit::STACK_USER, ..attr };
        let bytes = words(&[0, 0]);
        stack_fields(Cursor::new(&bytes), &attr, &mut fields).unwrap();
        assert_eq!(fields.raw, None);
    }

    #[test]
    fn counters_of_groups_and_single_events() {
        let check = |format: u64, bytes: &[u64], expected: &[(Option<u64>, u64)]| {
            let attr = Attr { read_format: format, ..Attr::default() };
            let bytes = words(bytes);
            let mut cursor = Cursor::new(&bytes);
            let mut found = Vec::new();
            counters(&mut cursor, &attr, |id, value| found.push((id, value))).unwrap();
            assert_eq!(found, expected);
            assert!(cursor.is_empty(), "all of it is consumed");
        };
        check(read::GROUP | read::ID | read::LOST, &[2, 10, 71, 0, 20, 72, 5], &[(Some(71), 10), (Some(72), 20)]);
        check(read::GROUP | read::ID | read::TIME_ENABLED | read::TIME_RUNNING, &[1, 8, 9, 10, 71], &[(Some(71), 10)]);
        check(read::ID | read::LOST | read::TIME_ENABLED, &[10, 8, 71, 5], &[(Some(71), 10)]);
        check(0, &[10], &[(None, 10)]);
    }
}
