//! Samples: field by field as the kernel wrote them, call chains with their context marks, parallel in chunks.
//!
//! The order of the fields is that of `perf_event.h` (`PERF_RECORD_SAMPLE`), not that of the bits. Deliberately absent: unwinding of
//! copied user stacks, branch stacks. Start reading at [`decode_all`].

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::attr::{Attr, bit, read};
use super::container::{Capture, Event};
use super::ids::{EventId, MapId};
use super::maps::{Tasks, View};
use super::records::Mode;
use crate::base::cursor::{Cursor, Short};
use crate::base::intern::Interner;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Builder, Frame, FrameId, MappingId, Maps, Notes, Rows, Sample, ThreadId, kind};

/// Samples decoded at once. Chunks do not depend on the number of threads, so neither does the result.
const CHUNK: usize = 1 << 14;

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
}

/// The parts of a sample that make its stack.
#[derive(Debug, PartialEq, Eq)]
struct Fields<'a> {
    ip: Option<u64>,
    /// Addresses and marks, leaf first; `None` where the event records none.
    chain: Option<&'a [u8]>,
    /// Bytes of user stack that the kernel copied, for unwinding later.
    stack_bytes: u64,
    /// The kernel may deliver the user's part of the chain in a record of its own.
    is_deferred: bool,
}

/// Reads a sample's body.
fn fields<'a>(body: Cursor<'a>, event: &Event) -> Result<Fields<'a>, Short> {
    let (attr, layout) = (&event.attr, &event.layout);
    let mut cursor = body;
    let mut ip = None;
    if let Some(at) = layout.ip {
        let mut place = body;
        place.skip(at)?;
        ip = Some(place.u64()?);
    }
    cursor.skip(layout.variable)?;
    if attr.has(bit::READ) {
        counters(&mut cursor, attr, |_, _| ())?;
    }
    let mut chain = None;
    if attr.has(bit::CALLCHAIN) {
        let count = cursor.u64()?;
        chain = Some(cursor.take(usize::try_from(count.saturating_mul(8)).unwrap_or(usize::MAX))?);
    }
    // What is wrong behind the chain costs no sample.
    let stack_bytes = stack_bytes(cursor, attr).unwrap_or(0);
    Ok(Fields { ip, chain, stack_bytes, is_deferred: attr.defers_chains() })
}

fn stack_bytes(mut cursor: Cursor<'_>, attr: &Attr) -> Result<u64, Short> {
    const HW_INDEX: u64 = 1 << 17;
    const COUNTERS: u64 = 1 << 19;
    if !attr.has(bit::STACK_USER) {
        return Ok(0);
    }
    if attr.has(bit::RAW) {
        let size = cursor.u32()? as usize;
        cursor.skip(size)?;
    }
    if attr.has(bit::BRANCH_STACK) {
        let count = cursor.u64()?;
        if attr.branch_sample_type & HW_INDEX != 0 {
            cursor.skip(8)?;
        }
        let each = if attr.branch_sample_type & COUNTERS != 0 { 32 } else { 24 };
        cursor.skip(usize::try_from(count.saturating_mul(each)).unwrap_or(usize::MAX))?;
    }
    if attr.has(bit::REGS_USER) && cursor.u64()? != 0 {
        cursor.skip(attr.regs_user.count_ones() as usize * 8)?;
    }
    let size = cursor.u64()?;
    if size == 0 {
        return Ok(0);
    }
    cursor.skip(usize::try_from(size).unwrap_or(usize::MAX))?;
    Ok(cursor.u64()?.min(size))
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
    last: FxHashMap<u64, u64>,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self { last: FxHashMap::default() }
    }

    /// The (event, weight) pairs of one sample, in the group's order; counters that stand still give none.
    pub(super) fn split(&mut self, capture: &Capture<'_>, body: Cursor<'_>, event: &Event) -> Result<Vec<(EventId, u64)>, Short> {
        let mut cursor = body;
        cursor.skip(event.layout.variable)?;
        let mut rows = Vec::new();
        counters(&mut cursor, &event.attr, |id, value| {
            let last = self.last.entry(id.unwrap_or(0)).or_insert(0);
            let grown = value.wrapping_sub(*last);
            *last = value;
            if let Some(event) = capture.event_of(id).filter(|_| grown > 0) {
                rows.push((event, grown));
            }
        })?;
        Ok(rows)
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
    frames: Interner<FrameId, Local>,
    notes: Notes,
}

/// A frame before its module has a row in the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Local {
    module: Module,
    address: u64,
    is_caller: bool,
}

/// Where an address belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Module {
    /// To a module that a record named.
    Map(MapId),
    /// To a part of the machine that has no record of its own.
    Machine(Mode),
}

/// Decodes all rows, in parallel, and appends them to the builder in their order.
pub(super) fn decode_all(
    capture: &Capture<'_>,
    tasks: &Tasks,
    rows: &[Row],
    builder: &mut Builder,
    ticket: &Ticket,
) -> Result<(), Cancelled> {
    ticket.stage("decoding samples", rows.len() as u64)?;
    let types = builder.sample_types.len();
    let chunks: Result<Vec<Chunk>, Cancelled> = rows
        .par_chunks(CHUNK)
        .map(|rows| {
            let chunk = decode(capture, tasks, rows, types, ticket)?;
            ticket.advance(rows.len() as u64)?;
            Ok(chunk)
        })
        .collect();
    let mut modules = FxHashMap::<Module, Option<MappingId>>::default();
    for chunk in chunks? {
        ticket.check()?;
        let frames: Vec<FrameId> = chunk
            .frames
            .rows()
            .iter()
            .map(|frame| {
                let mapping = *modules.entry(frame.module).or_insert_with(|| mapping(frame.module, tasks, builder));
                builder.frame(Frame { mapping, address: Some(frame.address), caller: frame.is_caller, ..Frame::default() })
            })
            .collect();
        builder.rows.absorb(&chunk.rows, Maps { frames: Some(&frames), ..Maps::default() });
        builder.notes.absorb(&chunk.notes);
    }
    Ok(())
}

fn mapping(module: Module, tasks: &Tasks, builder: &mut Builder) -> Option<MappingId> {
    match module {
        Module::Map(map) => tasks.maps.get(map).map(|mapping| builder.mapping(*mapping)),
        Module::Machine(mode) => {
            let name = match mode {
                Mode::Kernel => "[kernel.kallsyms]",
                Mode::Hypervisor => "[hypervisor]",
                Mode::GuestKernel => "[guest.kernel.kallsyms]",
                Mode::User | Mode::GuestUser | Mode::Unknown => return None,
            };
            let file = Some(builder.string(name));
            Some(builder.mapping(crate::model::Mapping { file, ..crate::model::Mapping::default() }))
        }
    }
}

fn decode(capture: &Capture<'_>, tasks: &Tasks, rows: &[Row], types: usize, ticket: &Ticket) -> Result<Chunk, Cancelled> {
    let mut chunk = Chunk { rows: Rows::new(types), frames: Interner::new(), notes: Notes::default() };
    // The same address at the same moment is the same frame: saves the search through the modules.
    let mut known = FxHashMap::<(View, Mode, u64, bool), FrameId>::default();
    let mut steps = Vec::new();
    let mut copied_stacks = (0, None);
    for (n, row) in rows.iter().enumerate() {
        if n % 1024 == 0 {
            ticket.check()?;
        }
        let (Some(record), Some(event)) = (capture.record(row.at), capture.events.get(row.layout)) else { continue };
        let offset = capture.file_offset(row.at);
        steps.clear();
        match fields(record.body, event) {
            Ok(fields) => {
                steps_of(&fields, Mode::of_misc(record.misc), record.body.endian(), offset, &mut steps, &mut chunk.notes);
                if fields.stack_bytes > 0 {
                    copied_stacks.0 += 1;
                    copied_stacks.1.get_or_insert(offset);
                }
            }
            Err(_) => chunk.notes.add(kind::NO_STACK, "samples whose call chain is cut or damaged", 1, Some(offset)),
        }
        let mut stack = None;
        for step in steps.iter().rev() {
            // Kernel modules are looked up the same at every moment.
            let view = if step.mode == Mode::User { row.view } else { tasks.nothing() };
            let key = (view, step.mode, step.address, step.is_caller);
            let frame = if let Some(frame) = known.get(&key) {
                *frame
            } else {
                let module = tasks.find(row.view, step.mode, step.address).map_or(Module::Machine(step.mode), Module::Map);
                let local = Local { module, address: step.address, is_caller: step.is_caller };
                let Some(frame) = chunk.frames.intern(local) else { continue };
                known.insert(key, frame);
                frame
            };
            stack = Some(chunk.rows.stack(stack, frame));
        }
        let weight = i64::try_from(row.weight).unwrap_or_else(|_| {
            chunk.notes.add(kind::OVERFLOW, "periods beyond 2^63-1 were held at it", 1, Some(offset));
            i64::MAX
        });
        let sample = Sample { stack, thread: row.thread, labels: None, time: row.time };
        chunk.rows.event(sample, row.column, weight);
    }
    if copied_stacks.0 > 0 {
        chunk.notes.add(kind::CUT_STACKS, "user stacks recorded as raw memory are not unwound yet", copied_stacks.0, copied_stacks.1);
    }
    Ok(chunk)
}

/// The addresses of a sample, leaf first.
fn steps_of(fields: &Fields<'_>, mode: Mode, endian: crate::base::cursor::Endian, offset: u64, steps: &mut Vec<Step>, notes: &mut Notes) {
    let mut part = mode;
    // The first address of each part of the machine is that of an instruction, the others are return addresses.
    let mut is_caller = false;
    let mut cursor = Cursor::at(fields.chain.unwrap_or(&[]), 0, endian);
    while let Ok(address) = cursor.u64() {
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
            -640 if fields.is_deferred => {
                // A cookie follows; the addresses come in a record of their own.
                cursor.skip(8).ok();
                notes.add(kind::CUT_STACKS, "user stacks that the kernel delivered later are not joined yet", 1, Some(offset));
                Mode::User
            }
            // Frame pointers of code that uses the register for something else end in numbers like -1. perf drops such chains as a
            // whole; the addresses before the number are as good as any.
            _ => {
                notes.add(kind::CUT_STACKS, BROKEN_CHAIN, 1, Some(offset));
                break;
            }
        };
    }
    if steps.is_empty()
        && let Some(address) = fields.ip
    {
        if fields.chain.is_some() {
            notes.add(kind::NO_STACK, "samples with an empty call chain; the sampled address stands alone", 1, Some(offset));
        }
        steps.push(Step { address, mode, is_caller: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cursor::Endian;

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn steps(chain: Option<&[u64]>, ip: u64) -> (Vec<(u64, Mode, bool)>, Notes) {
        let bytes = chain.map(words);
        let fields = Fields { ip: Some(ip), chain: bytes.as_deref(), stack_bytes: 0, is_deferred: true };
        let (mut steps, mut notes) = (Vec::new(), Notes::default());
        steps_of(&fields, Mode::User, Endian::Little, 0, &mut steps, &mut notes);
        (steps.into_iter().map(|step| (step.address, step.mode, step.is_caller)).collect(), notes)
    }

    #[test]
    fn marks_change_the_part_and_the_first_address_after_one_is_no_return_address() {
        let (kernel, user) = (-128_i64 as u64, -512_i64 as u64);
        let (found, notes) = steps(Some(&[kernel, 1, 2, user, 3, 4]), 9);
        let expected = [(1, Mode::Kernel, false), (2, Mode::Kernel, true), (3, Mode::User, false), (4, Mode::User, true)];
        assert_eq!(found, expected);
        assert!(notes.is_empty());
    }

    #[test]
    fn an_empty_chain_leaves_the_sampled_address() {
        let (found, notes) = steps(Some(&[-512_i64 as u64]), 9);
        assert_eq!((found, notes.count(kind::NO_STACK)), (vec![(9, Mode::User, false)], 1));
        let (found, notes) = steps(None, 9);
        assert_eq!((found, notes.is_empty()), (vec![(9, Mode::User, false)], true));
    }

    #[test]
    fn a_deferred_mark_takes_its_cookie_with_it() {
        let (found, notes) = steps(Some(&[1, -640_i64 as u64, 77]), 9);
        assert_eq!((found, notes.count(kind::CUT_STACKS)), (vec![(1, Mode::User, false)], 1));
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
