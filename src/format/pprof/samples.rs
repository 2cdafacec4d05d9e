//! Second pass: decodes samples, one after the other, and keeps none of their bytes: stacks become rows of location numbers, labels stay as
//! they are written. What a location or a label is may stand at the end of the file.
//!
//! Equal bytes mean equal stacks and equal labels, so both are looked up by their bytes before they are decoded. Parts of a file may be
//! read at the same time, see [`Decoded::append`](super::join). Start reading at [`Reader::read`].

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::layout::Chunk;
use super::wire::{Fault, Wire};
use super::{NAME, field};
use crate::base::forest::{Forest, Lane};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Notes, StackId, kind};

/// Samples between two looks at the cancel switch.
const SAMPLES_PER_CHECK: u64 = 1024;

/// After so many stacks it is asked whether remembering their bytes pays.
const MEMO_TRIAL: u32 = 16 << 10;

/// Bytes of a memo after which nothing more is remembered.
const MEMO_BYTES: usize = 24 << 20;

/// How far a run may stand from its own slot: bounds the search in a file that was made so that all runs meet in one slot.
const PROBES: usize = 32;

/// Runs in a memo after which nothing more is remembered.
const MEMO_ENTRIES: usize = 1 << 18;

/// Samples in columns, without what they refer to.
#[derive(Default)]
pub(super) struct Columns {
    /// Rows of the forest that stands beside these columns.
    pub(super) stacks: Vec<Option<StackId>>,
    /// Rows of the runs that stand beside these columns, + 1; 0 = no labels.
    pub(super) labels: Vec<u32>,
    /// A column for each sample type.
    pub(super) values: Vec<Vec<i64>>,
}

/// Samples that stand one after the other in a file.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) columns: Columns,
    /// Stacks of [`Codes`], outermost first.
    pub(super) forest: Forest<StackId, u32>,
    pub(super) codes: Codes,
    pub(super) runs: Runs,
    pub(super) notes: Notes,
}

/// Numbers of locations in 32 bits: a number below 2³¹ stands for itself, any other for a row of a list.
#[derive(Default)]
pub(super) struct Codes {
    large: Vec<u64>,
    /// The standard hasher, because the file chooses the keys.
    rows: HashMap<u64, u32>,
}

const LARGE: u32 = 1 << 31;

impl Codes {
    /// The code of a location's number.
    #[inline]
    pub(super) fn code(&mut self, id: u64) -> u32 {
        if id < u64::from(LARGE) { id as u32 } else { self.large_code(id) }
    }

    fn large_code(&mut self, id: u64) -> u32 {
        let next = self.large.len() as u32;
        let row = *self.rows.entry(id).or_insert(next);
        if row == next {
            self.large.push(id);
        }
        // 2^31 different large numbers would take more than 20 GB of stacks.
        LARGE | row
    }

    /// The number behind a code of these codes.
    #[inline]
    pub(super) fn id(&self, code: u32) -> u64 {
        if code < LARGE { u64::from(code) } else { self.large.get((code & !LARGE) as usize).copied().unwrap_or(0) }
    }
}

impl Codes {
    /// The codes of other codes among these, which get the numbers that they lack.
    pub(super) fn join(&mut self, others: &Self) -> Moved {
        Moved(others.large.iter().map(|&id| self.code(id)).collect())
    }
}

/// Codes in the place of other codes.
pub(super) struct Moved(Vec<u32>);

impl Moved {
    /// The code that takes the place of this one.
    #[inline]
    pub(super) fn code(&self, code: u32) -> u32 {
        if code < LARGE { code } else { self.0.get((code & !LARGE) as usize).copied().unwrap_or(code) }
    }
}

/// Distinct runs of bytes, kept with where each was first seen.
#[derive(Default)]
pub(super) struct Runs {
    bytes: Vec<u8>,
    rows: Vec<Run>,
    table: HashTable<u32>,
}

/// One run of bytes: the fields of a sample from its first label to its last.
#[derive(Clone, Copy)]
struct Run {
    /// Where it ends among the bytes; it starts where the one before it ends.
    end: usize,
    /// Offset of its first byte in the file.
    at: u64,
    /// The first sample that has it.
    sample: u64,
}

impl Runs {
    /// The row of a run of bytes, which is added if it is new.
    pub(super) fn intern(&mut self, run: &[u8], at: u64, sample: u64) -> u32 {
        let hash = FxBuildHasher.hash_one(run);
        let (bytes, rows) = (&self.bytes, &self.rows);
        if let Some(&row) = self.table.find(hash, |&row| slice(bytes, rows, row as usize) == run) {
            return row;
        }
        self.bytes.extend_from_slice(run);
        self.rows.push(Run { end: self.bytes.len(), at, sample });
        let (bytes, rows) = (&self.bytes, &self.rows);
        // A run takes two bytes at least, and a chunk or the labels of a file are less than 2^32 of them.
        let row = rows.len() as u32 - 1;
        self.table.insert_unique(hash, row, |&row| FxBuildHasher.hash_one(slice(bytes, rows, row as usize)));
        row
    }

    /// All runs, with the first sample of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Wire<'_>, u64)> {
        self.rows.iter().enumerate().map(|(row, run)| (Wire::new(slice(&self.bytes, &self.rows, row), run.at), run.sample))
    }
}

fn slice<'b>(bytes: &'b [u8], rows: &[Run], row: usize) -> &'b [u8] {
    let start = row.checked_sub(1).and_then(|before| rows.get(before)).map_or(0, |run| run.end);
    let end = rows.get(row).map_or(start, |run| run.end);
    bytes.get(start..end).unwrap_or(&[])
}

/// Stacks that were decoded from the same bytes before. Gives up where hardly any stack comes twice.
///
/// Looking up waits for memory three times: for the slot and for two ends of its bytes. So several runs are looked up together:
/// [`touch`](Self::touch) asks for what all of them need, and the waits become one.
#[derive(Default)]
struct Memo {
    bytes: Vec<u8>,
    /// A power of two of them, at most half of them taken.
    slots: Vec<Slot>,
    taken: usize,
    asked: u32,
    found: u32,
}

/// A run of bytes and its stack; a run is never empty, so length 0 is a free slot.
#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u32,
    start: u32,
    len: u32,
    stack: Option<StackId>,
}

impl Memo {
    const fn gave_up(&self) -> bool {
        self.asked == MEMO_TRIAL && self.found < MEMO_TRIAL / 8
    }

    /// Loads what looking up runs of these hashes is going to need.
    fn touch(&self, hashes: impl Iterator<Item = u32> + Clone) {
        let mask = self.slots.len().wrapping_sub(1);
        let slots = hashes.filter_map(|hash| self.slots.get(hash as usize & mask));
        let ends = |slot: &Slot| {
            let start = slot.start as usize;
            let byte = |at: usize| self.bytes.get(at).copied().unwrap_or(0);
            byte(start) ^ byte(start + (slot.len / 2) as usize) ^ byte((start + slot.len as usize).saturating_sub(1))
        };
        // First all slots, then all bytes: neither waits for the other runs.
        std::hint::black_box(slots.clone().fold(0, |sum, slot| sum ^ slot.start));
        std::hint::black_box(slots.fold(0, |sum, slot| sum ^ ends(slot)));
    }

    /// The slot of these bytes.
    fn get(&mut self, run: &[u8], hash: u32) -> Option<Slot> {
        let mask = self.slots.len().checked_sub(1)?;
        let slots = (0..PROBES).map_while(|step| self.slots.get((hash as usize + step) & mask).filter(|slot| slot.len > 0));
        let mut same = slots.filter(|slot| slot.hash == hash && slot.len as usize == run.len());
        let known = same.find(|slot| self.bytes.get(slot.start as usize..).is_some_and(|bytes| bytes.starts_with(run))).copied();
        if self.asked < MEMO_TRIAL {
            self.asked += 1;
            self.found += u32::from(known.is_some());
        }
        known
    }

    fn put(&mut self, run: &[u8], hash: u32, stack: Option<StackId>) {
        if self.gave_up() {
            (self.bytes, self.slots) = (Vec::new(), Vec::new());
        } else if self.bytes.len() + run.len() <= MEMO_BYTES && self.taken < MEMO_ENTRIES && !run.is_empty() {
            if (self.taken + 1) * 2 > self.slots.len() {
                let larger = vec![Slot::default(); (self.slots.len() * 2).max(1024)];
                for slot in std::mem::replace(&mut self.slots, larger) {
                    self.place(slot);
                }
            }
            // Both fit, since all keys together do.
            self.place(Slot { hash, start: self.bytes.len() as u32, len: run.len() as u32, stack });
            self.bytes.extend_from_slice(run);
            self.taken += 1;
        }
    }

    /// Where there is no free slot near its own, it is not remembered.
    fn place(&mut self, slot: Slot) {
        let mask = self.slots.len().wrapping_sub(1);
        let near = (0..PROBES).map(|step| (slot.hash as usize + step) & mask);
        let free = near.into_iter().find(|&at| self.slots.get(at).is_some_and(|taken| taken.len == 0));
        if let Some(place) = free.filter(|_| slot.len > 0).and_then(|at| self.slots.get_mut(at)) {
            *place = slot;
        }
    }
}

/// How many stacks are looked up together.
const BATCH: usize = 16;

/// A sample of which only the stack is not yet known.
struct Pending<'c> {
    /// From the first list of locations to the last.
    run: Option<Wire<'c>>,
    hash: u32,
    number: u64,
}

/// Reads samples and remembers what comes again.
#[derive(Default)]
pub(super) struct Reader {
    types: usize,
    values: Vec<i64>,
    /// By the bytes from the first list of locations to the last.
    memo: Memo,
    /// Locations of stacks that are looked up together, innermost first, and where each stack ends. Kept for their memory.
    codes: Vec<u32>,
    ends: Vec<usize>,
    decoded: Decoded,
}

impl Reader {
    /// For samples with as many values as `types` says.
    pub(super) fn new(types: usize) -> Self {
        let mut reader = Self { types, ..Self::default() };
        reader.decoded.columns.values.resize_with(types, Vec::new);
        reader
    }

    /// How many values its samples have.
    pub(super) const fn types(&self) -> usize {
        self.types
    }

    /// Reads the samples among `chunk`, which follows on those before.
    pub(super) fn read(&mut self, chunk: &Chunk<'_>, ticket: &Ticket) -> Result<(), ReadError> {
        ticket.check()?;
        let mut fields = chunk.fields;
        let mut number = chunk.first_sample;
        let mut counted = fields.offset();
        let mut batch = Vec::with_capacity(BATCH);
        // The first pass went over the same bytes without a fault.
        while let Ok(Some(found)) = fields.field() {
            if let (field::SAMPLE, Ok(body)) = (found.number, found.message()) {
                match self.sample(body, number) {
                    Ok(pending) => batch.push(pending),
                    Err(error) => {
                        // What is wrong in a sample before comes first.
                        self.stacks(&batch)?;
                        return Err(error);
                    }
                }
                number += 1;
                if batch.len() == BATCH {
                    self.stacks(&batch)?;
                    batch.clear();
                }
                if number.is_multiple_of(SAMPLES_PER_CHECK) {
                    ticket.advance(fields.offset() - counted)?;
                    counted = fields.offset();
                }
            }
        }
        self.stacks(&batch)?;
        ticket.advance(fields.offset() - counted)?;
        Ok(())
    }

    /// What was read.
    pub(super) fn finish(self) -> Decoded {
        self.decoded
    }

    /// Everything but the stack.
    fn sample<'c>(&mut self, mut body: Wire<'c>, number: u64) -> Result<Pending<'c>, ReadError> {
        let at = body.offset();
        self.values.clear();
        let (mut locations, mut labels) = (None::<(Wire<'c>, Wire<'c>)>, None::<(Wire<'c>, Wire<'c>)>);
        loop {
            let start = body;
            let Some(found) = body.field().map_err(|fault| broken(fault, number))? else { break };
            match found.number {
                1 => locations = Some((locations.map_or(start, |first| first.0), body)),
                2 => found.ints(&mut self.values, |value| value as i64).map_err(|fault| broken(fault, number))?,
                3 => labels = Some((labels.map_or(start, |first| first.0), body)),
                _ => {}
            }
        }
        let found = self.values.len();
        if found != self.types {
            let what = format!("holds {found} values, but there are {} sample types", self.types);
            return Err(ReadError::new(NAME, at, name(number), what));
        }
        if locations.is_none() {
            self.decoded.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(at));
        }
        let labels = labels.map_or(0, |(first, after)| self.labels(first.up_to(&after), number));
        let columns = &mut self.decoded.columns;
        columns.labels.push(labels);
        for (column, &value) in columns.values.iter_mut().zip(&self.values) {
            column.push(value);
        }
        let run = locations.map(|(first, after)| first.up_to(&after));
        // The lowest bits of this hash are its best ones.
        let hash = run.filter(|_| !self.memo.gave_up()).map_or(0, |run| FxBuildHasher.hash_one(run.bytes()) as u32);
        Ok(Pending { run, hash, number })
    }

    /// The stacks of some samples that follow on those before.
    fn stacks(&mut self, batch: &[Pending<'_>]) -> Result<(), ReadError> {
        self.memo.touch(batch.iter().map(|pending| pending.hash));
        let (codes, ends) = (&mut self.codes, &mut self.ends);
        codes.clear();
        ends.clear();
        let mut known = [None; BATCH];
        for (pending, known) in batch.iter().zip(&mut known) {
            let Some(run) = pending.run else { continue };
            *known = self.memo.get(run.bytes(), pending.hash).map(|slot| slot.stack);
            if known.is_none() {
                decode(run, pending.number, &mut self.decoded.codes, codes)?;
                ends.push(codes.len());
            }
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let lane = |(start, &end): (usize, &usize)| Lane { at: None, rest: codes.get(start..end).unwrap_or(&[]) };
        let mut lanes = [Lane { at: None, rest: &[] }; BATCH];
        for (lane, new) in lanes.iter_mut().zip(starts.zip(ends.iter()).map(lane)) {
            *lane = new;
        }
        let lanes = lanes.get_mut(..ends.len()).unwrap_or_default();
        self.decoded.forest.follow(lanes);
        let mut lanes = lanes.iter();
        for (pending, known) in batch.iter().zip(known) {
            let stack = match (pending.run, known) {
                (None, _) => None,
                (Some(_), Some(stack)) => stack,
                (Some(run), None) => {
                    let stack = lanes.next().and_then(|&lane| self.decoded.forest.add(lane));
                    self.memo.put(run.bytes(), pending.hash, stack);
                    stack
                }
            };
            self.decoded.columns.stacks.push(stack);
        }
        Ok(())
    }

    /// The labels in `fields`, which may hold other fields too: row + 1 among the runs.
    fn labels(&mut self, fields: Wire<'_>, number: u64) -> u32 {
        self.decoded.runs.intern(fields.bytes(), fields.offset(), number) + 1
    }
}

/// Appends the locations in `fields`, which may hold other fields too.
fn decode(mut fields: Wire<'_>, number: u64, codes: &mut Codes, locations: &mut Vec<u32>) -> Result<(), ReadError> {
    let fault = |fault| broken(fault, number);
    while let Some(found) = fields.field().map_err(fault)? {
        if found.number == 1 {
            found.ints(locations, |id| codes.code(id)).map_err(fault)?;
        }
    }
    Ok(())
}

/// Counted from 1, as people count.
pub(super) fn name(number: u64) -> String {
    format!("sample {}", number + 1)
}

/// The error about a sample's bytes.
pub(super) fn broken(fault: Fault, number: u64) -> ReadError {
    ReadError::new(NAME, fault.offset, name(number), fault.what.to_string())
}
