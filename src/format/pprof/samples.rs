//! Second pass: decodes samples. [`decode`] runs on many threads at once and depends on nothing but its chunk; [`Join`] adds what it
//! made to the rows of the profile, one chunk after the other.
//!
//! Equal bytes mean equal stacks and equal labels, so both are looked up by their bytes before they are decoded: a chunk only says which
//! stacks it found, and each is decoded once for the whole file. Start reading at [`decode`].

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::layout::Chunk;
use super::tables::Tables;
use super::wire::{Fault, Wire};
use super::{NAME, field};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Label, LabelSetId, LabelValue, Maps, Notes, Rows, Sample, StackId, kind};

/// Samples between two looks at the cancel switch.
const SAMPLES_PER_CHECK: u64 = 1024;

/// Stacks between two looks at the cancel switch.
const STACKS_PER_CHECK: usize = 1024;

/// Entries of a memo after which nothing more is remembered: bounds its memory (32 bytes an entry).
const MEMO_ENTRIES: usize = 1 << 20;

/// The samples of one chunk.
pub(super) struct Decoded<'a> {
    /// Their stacks are rows of `stacks`.
    rows: Rows,
    stacks: Vec<RawStack<'a>>,
    notes: Notes,
}

/// The lists of locations of one sample, not yet decoded.
#[derive(Clone, Copy)]
struct RawStack<'a> {
    /// From the first list to the last, which may hold other fields too.
    fields: Wire<'a>,
    /// The first sample that has it.
    sample: u64,
}

/// Reads all samples of `chunk`, each with as many values as `types` says.
pub(super) fn decode<'a>(chunk: &Chunk<'a>, tables: &Tables, types: usize, ticket: &Ticket) -> Result<Decoded<'a>, ReadError> {
    ticket.check()?;
    let decoded = Decoded { rows: Rows::new(types), stacks: Vec::new(), notes: Notes::default() };
    let (values, labels) = (Vec::with_capacity(types), Vec::new());
    let mut reader = Reader { tables, types, values, labels, stacks: Memo::default(), label_sets: Memo::default(), decoded };
    let mut fields = chunk.fields;
    let mut number = chunk.first_sample;
    let mut counted = fields.offset();
    // The first pass went over the same bytes without a fault.
    while let Ok(Some(found)) = fields.field() {
        if let (field::SAMPLE, Ok(body)) = (found.number, found.message()) {
            reader.sample(body, number)?;
            number += 1;
            if number.is_multiple_of(SAMPLES_PER_CHECK) {
                ticket.advance(fields.offset() - counted)?;
                counted = fields.offset();
            }
        }
    }
    ticket.advance(fields.offset() - counted)?;
    Ok(reader.decoded)
}

/// Adds chunks to the profile in the order of the file.
pub(super) struct Join<'a, 't> {
    tables: &'t Tables,
    stacks: Memo<'a, Option<StackId>>,
    locations: Vec<u64>,
    /// The last decoded stack, outermost location first, each with the stack that ends in it. Neighbours share most of their callers.
    path: Vec<(u64, StackId)>,
}

impl<'a, 't> Join<'a, 't> {
    pub(super) fn new(tables: &'t Tables) -> Self {
        Self { tables, stacks: Memo::default(), locations: Vec::new(), path: Vec::new() }
    }

    /// Adds the samples of the next chunk.
    pub(super) fn add(&mut self, decoded: &Decoded<'a>, rows: &mut Rows, notes: &mut Notes, ticket: &Ticket) -> Result<(), ReadError> {
        let mut map = Vec::with_capacity(decoded.stacks.len());
        for (row, raw) in decoded.stacks.iter().enumerate() {
            if row.is_multiple_of(STACKS_PER_CHECK) {
                ticket.check()?;
            }
            let key = raw.fields.bytes();
            if let Some(known) = self.stacks.get(key) {
                map.push(known);
                continue;
            }
            let stack = self.stack(*raw, rows)?;
            self.stacks.put(key, stack);
            map.push(stack);
        }
        rows.absorb(&decoded.rows, Maps { stacks: Some(&map), ..Maps::default() });
        notes.absorb(&decoded.notes);
        Ok(())
    }

    fn stack(&mut self, raw: RawStack<'_>, rows: &mut Rows) -> Result<Option<StackId>, ReadError> {
        let (locations, path) = (&mut self.locations, &mut self.path);
        locations.clear();
        let mut fields = raw.fields;
        let fault = |fault| broken(fault, raw.sample);
        while let Some(found) = fields.field().map_err(fault)? {
            if found.number == 1 {
                found.ints(locations, |id| id).map_err(fault)?;
            }
        }
        let shared = locations.iter().rev().zip(path.iter()).take_while(|(id, known)| **id == known.0).count();
        path.truncate(shared);
        let mut stack = path.last().map(|known| known.1);
        for &id in locations.iter().rev().skip(shared) {
            let Some(location) = self.tables.locations.row(id) else {
                let what = format!("names location {id}, {}", self.tables.locations.describe());
                return Err(ReadError::new(NAME, raw.fields.offset(), name(raw.sample), what));
            };
            for &frame in self.tables.frames(location).iter().rev() {
                stack = Some(rows.stack(stack, frame));
            }
            path.extend(stack.map(|stack| (id, stack)));
        }
        Ok(stack)
    }
}

/// What was decoded from the same bytes before.
struct Memo<'a, T> {
    table: HashTable<(&'a [u8], T)>,
}

impl<T> Default for Memo<'_, T> {
    fn default() -> Self {
        Self { table: HashTable::new() }
    }
}

impl<'a, T: Copy> Memo<'a, T> {
    fn get(&self, key: &[u8]) -> Option<T> {
        self.table.find(FxBuildHasher.hash_one(key), |entry| entry.0 == key).map(|entry| entry.1)
    }

    fn put(&mut self, key: &'a [u8], value: T) {
        if self.table.len() < MEMO_ENTRIES {
            self.table.insert_unique(FxBuildHasher.hash_one(key), (key, value), |entry| FxBuildHasher.hash_one(entry.0));
        }
    }
}

struct Reader<'a, 't> {
    tables: &'t Tables,
    types: usize,
    values: Vec<i64>,
    labels: Vec<Label>,
    /// By the bytes from the first list of locations to the last.
    stacks: Memo<'a, StackId>,
    /// By the bytes from the first label to the last.
    label_sets: Memo<'a, Option<LabelSetId>>,
    decoded: Decoded<'a>,
}

impl<'a> Reader<'a, '_> {
    fn sample(&mut self, mut body: Wire<'a>, number: u64) -> Result<(), ReadError> {
        let at = body.offset();
        self.values.clear();
        let (mut locations, mut labels) = (None::<(Wire<'a>, Wire<'a>)>, None::<(Wire<'a>, Wire<'a>)>);
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
        let stack = locations.map(|(first, after)| self.stack(RawStack { fields: first.up_to(&after), sample: number }));
        if stack.is_none() {
            self.decoded.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(at));
        }
        let labels = labels.map_or(Ok(None), |(first, after)| self.label_set(first.up_to(&after), number))?;
        self.decoded.rows.sample(Sample { stack, labels, ..Sample::default() }, &self.values);
        Ok(())
    }

    /// Row of the stack among those of this chunk.
    fn stack(&mut self, raw: RawStack<'a>) -> StackId {
        let key = raw.fields.bytes();
        if let Some(known) = self.stacks.get(key) {
            return known;
        }
        let row = StackId::from_row(self.decoded.stacks.len()).unwrap_or_else(|| unreachable!("no more stacks than bytes in a chunk"));
        self.decoded.stacks.push(raw);
        self.stacks.put(key, row);
        row
    }

    /// The set of all labels in `fields`, which may hold other fields too.
    fn label_set(&mut self, mut fields: Wire<'a>, number: u64) -> Result<Option<LabelSetId>, ReadError> {
        let key = fields.bytes();
        if let Some(known) = self.label_sets.get(key) {
            return Ok(known);
        }
        self.labels.clear();
        while let Some(found) = fields.field().map_err(|fault| broken(fault, number))? {
            if found.number == 3 {
                let label = found.message().map_err(|fault| broken(fault, number))?;
                self.label(label, number)?;
            }
        }
        let set = self.decoded.rows.label_set(&self.labels);
        self.label_sets.put(key, set);
        Ok(set)
    }

    /// Key 1, text 2, number 3, unit 4. A label that says nothing at all is kept as an empty text, or as 0 where the file wrote that 0
    /// down; pprof drops it.
    fn label(&mut self, mut body: Wire<'_>, number: u64) -> Result<(), ReadError> {
        let at = body.offset();
        let (mut key, mut text, mut value, mut unit) = (0, 0, None, 0);
        while let Some(found) = body.field().map_err(|fault| broken(fault, number))? {
            let place = match found.number {
                1 => &mut key,
                2 => &mut text,
                3 => value.insert(0),
                4 => &mut unit,
                _ => continue,
            };
            *place = found.int().map_err(|fault| broken(fault, number))?;
        }
        let strings = &self.tables.strings;
        let what = || format!("{}, a label", name(number));
        let key = strings.get(key, at, what)?;
        let value = match value {
            _ if text != 0 => {
                if value.is_some_and(|value| value != 0) {
                    self.decoded.notes.add(kind::REPAIRED, "labels with a text and a number; the text is kept, as pprof does", 1, Some(at));
                }
                LabelValue::Text(strings.get(text, at, what)?)
            }
            None if unit == 0 => LabelValue::Text(strings.empty()),
            value => LabelValue::Number(value.unwrap_or(0) as i64, strings.some(unit, at, what)?),
        };
        self.labels.push(Label { key, value });
        Ok(())
    }
}

/// Counted from 1, as people count.
fn name(number: u64) -> String {
    format!("sample {}", number + 1)
}

fn broken(fault: Fault, number: u64) -> ReadError {
    ReadError::new(NAME, fault.offset, name(number), fault.what.to_string())
}
