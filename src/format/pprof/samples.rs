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
use crate::base::forest::Forest;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Notes, StackId, kind};

/// Samples between two looks at the cancel switch.
const SAMPLES_PER_CHECK: u64 = 1024;

/// After so many stacks it is asked whether remembering their bytes pays.
const MEMO_TRIAL: u32 = 16 << 10;

/// Bytes of a memo after which nothing more is remembered.
const MEMO_BYTES: usize = 24 << 20;

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
#[derive(Default)]
struct Memo {
    bytes: Vec<u8>,
    /// Where a key begins among the bytes, its length, and its stack.
    table: HashTable<(u32, u32, Option<StackId>)>,
    asked: u32,
    found: u32,
}

fn key<'b>(bytes: &'b [u8], entry: &(u32, u32, Option<StackId>)) -> &'b [u8] {
    bytes.get(entry.0 as usize..).and_then(|rest| rest.get(..entry.1 as usize)).unwrap_or(&[])
}

impl Memo {
    const fn gave_up(&self) -> bool {
        self.asked == MEMO_TRIAL && self.found < MEMO_TRIAL / 8
    }

    /// The stack of these bytes, or their hash for [`put`](Self::put).
    fn get(&mut self, run: &[u8]) -> Result<Option<StackId>, u64> {
        if self.gave_up() {
            return Err(0);
        }
        let hash = FxBuildHasher.hash_one(run);
        let bytes = &self.bytes;
        let known = self.table.find(hash, |entry| entry.1 as usize == run.len() && key(bytes, entry) == run).map(|entry| entry.2);
        if self.asked < MEMO_TRIAL {
            self.asked += 1;
            self.found += u32::from(known.is_some());
        }
        known.ok_or(hash)
    }

    fn put(&mut self, run: &[u8], hash: u64, value: Option<StackId>) {
        if self.gave_up() {
            (self.bytes, self.table) = (Vec::new(), HashTable::new());
        } else if self.bytes.len() + run.len() <= MEMO_BYTES {
            // Both fit, since all keys together do.
            let entry = (self.bytes.len() as u32, run.len() as u32, value);
            self.bytes.extend_from_slice(run);
            let bytes = &self.bytes;
            self.table.insert_unique(hash, entry, |entry| FxBuildHasher.hash_one(key(bytes, entry)));
        }
    }
}

/// Reads samples and remembers what comes again.
#[derive(Default)]
pub(super) struct Reader {
    types: usize,
    values: Vec<i64>,
    /// By the bytes from the first list of locations to the last.
    memo: Memo,
    locations: Vec<u32>,
    /// The last decoded stack, outermost location first, each with the row that ends in it. Neighbours share callers.
    path: Vec<(u32, StackId)>,
    decoded: Decoded,
}

impl Reader {
    /// For samples with as many values as `types` says.
    pub(super) fn new(types: usize) -> Self {
        let mut reader = Self { types, ..Self::default() };
        reader.decoded.columns.values.resize_with(types, Vec::new);
        reader
    }

    /// Reads the samples among `chunk`, which follows on those before.
    pub(super) fn read(&mut self, chunk: &Chunk<'_>, ticket: &Ticket) -> Result<(), ReadError> {
        ticket.check()?;
        let mut fields = chunk.fields;
        let mut number = chunk.first_sample;
        let mut counted = fields.offset();
        // The first pass went over the same bytes without a fault.
        while let Ok(Some(found)) = fields.field() {
            if let (field::SAMPLE, Ok(body)) = (found.number, found.message()) {
                self.sample(body, number)?;
                number += 1;
                if number.is_multiple_of(SAMPLES_PER_CHECK) {
                    ticket.advance(fields.offset() - counted)?;
                    counted = fields.offset();
                }
            }
        }
        ticket.advance(fields.offset() - counted)?;
        Ok(())
    }

    /// What was read.
    pub(super) fn finish(self) -> Decoded {
        self.decoded
    }

    fn sample(&mut self, mut body: Wire<'_>, number: u64) -> Result<(), ReadError> {
        let at = body.offset();
        self.values.clear();
        let (mut locations, mut labels) = (None::<(Wire<'_>, Wire<'_>)>, None::<(Wire<'_>, Wire<'_>)>);
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
        let stack = locations.map_or(Ok(None), |(first, after)| self.stack(first.up_to(&after), number))?;
        let labels = labels.map_or(0, |(first, after)| self.labels(first.up_to(&after), number));
        let columns = &mut self.decoded.columns;
        columns.stacks.push(stack);
        columns.labels.push(labels);
        for (column, &value) in columns.values.iter_mut().zip(&self.values) {
            column.push(value);
        }
        Ok(())
    }

    /// Row of the stack whose locations stand in `fields`, which may hold other fields too.
    fn stack(&mut self, mut fields: Wire<'_>, number: u64) -> Result<Option<StackId>, ReadError> {
        let run = fields.bytes();
        let hash = match self.memo.get(run) {
            Ok(known) => return Ok(known),
            Err(hash) => hash,
        };
        let (locations, path, codes) = (&mut self.locations, &mut self.path, &mut self.decoded.codes);
        locations.clear();
        let fault = |fault| broken(fault, number);
        while let Some(found) = fields.field().map_err(fault)? {
            if found.number == 1 {
                found.ints(locations, |id| codes.code(id)).map_err(fault)?;
            }
        }
        let shared = locations.iter().rev().zip(path.iter()).take_while(|(code, known)| **code == known.0).count();
        path.truncate(shared);
        let mut stack = path.last().map(|known| known.1);
        for &code in locations.iter().rev().skip(shared) {
            stack = self.decoded.forest.child(stack, code);
            path.extend(stack.map(|stack| (code, stack)));
        }
        self.memo.put(run, hash, stack);
        Ok(stack)
    }

    /// The labels in `fields`, which may hold other fields too: row + 1 among the runs.
    fn labels(&mut self, fields: Wire<'_>, number: u64) -> u32 {
        self.decoded.runs.intern(fields.bytes(), fields.offset(), number) + 1
    }
}

/// Counted from 1, as people count.
pub(super) fn name(number: u64) -> String {
    format!("sample {}", number + 1)
}

/// The error about a sample's bytes.
pub(super) fn broken(fault: Fault, number: u64) -> ReadError {
    ReadError::new(NAME, fault.offset, name(number), fault.what.to_string())
}
