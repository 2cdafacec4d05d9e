//! Puts decoded samples together in the order of the file, and gives their locations and labels the rows of the profile.
//!
//! Deliberately absent: the bytes of samples, which are gone by now. Start reading at [`Decoded::append`], then [`Decoded::finish`].

use super::NAME;
use super::samples::{Decoded, broken, name};
use super::tables::Tables;
use super::wire::Wire;
use crate::base::forest::Forest;
use crate::base::index::Column;
use crate::base::ticket::{Cancelled, Ticket};
use crate::format::ReadError;
use crate::model::{Builder, FrameId, Label, LabelSetId, LabelValue, Notes, Profile, Rows, StackId, StackTable, kind};

/// Rows between two looks at the cancel switch.
const ROWS_PER_CHECK: usize = 1 << 16;

impl Decoded {
    /// Number of samples.
    pub(super) fn samples(&self) -> u64 {
        self.columns.stacks.len() as u64
    }

    /// Adds the samples that follow on these in the file: all rows become those that reading one after the other would have given.
    pub(super) fn append(&mut self, later: Self, ticket: &Ticket) -> Result<(), Cancelled> {
        // The tables for finding the later rows again are not needed any more.
        let (parents, items) = later.forest.into_columns();
        let large = self.codes.join(&later.codes);
        let code = |row: usize| items.as_slice().get(row).map(|&code| large.code(code));
        let stacks = self.forest.join(parents.as_slice(), code, |_| ticket.check())?;
        drop((parents, items));
        let runs: Vec<u32> = later.runs.iter().map(|(run, sample)| self.runs.intern(run.bytes(), run.offset(), sample) + 1).collect();
        let moved = |stack: &Option<StackId>| stack.and_then(|stack| stacks.get(stack.row()).copied().flatten());
        extend(&mut self.columns.stacks, &later.columns.stacks, moved, ticket)?;
        let label = |&row: &u32| (row as usize).checked_sub(1).and_then(|row| runs.get(row)).copied().unwrap_or(0);
        extend(&mut self.columns.labels, &later.columns.labels, label, ticket)?;
        for (column, more) in self.columns.values.iter_mut().zip(&later.columns.values) {
            extend(column, more, |&value| value, ticket)?;
        }
        self.notes.absorb(&later.notes);
        Ok(())
    }

    /// The profile. `locate` gives the offset of a sample's list of locations, for the error about a location that is not there.
    pub(super) fn finish(
        self,
        mut builder: Builder,
        tables: &Tables,
        locate: impl Fn(u64) -> u64,
        ticket: &Ticket,
    ) -> Result<Profile, ReadError> {
        let Self { columns, forest, codes, runs, notes: _ } = self;
        let (parents, items) = forest.into_columns();
        let rows = |code: u32| tables.locations.row(codes.id(code));
        for (part, items) in items.as_slice().chunks(ROWS_PER_CHECK).enumerate() {
            ticket.check()?;
            if let Some(at) = items.iter().position(|&code| rows(code).is_none()) {
                // Rows follow their first use, so the first sample at this row or after it is the one that brought it.
                let row = part * ROWS_PER_CHECK + at;
                let sample = columns.stacks.iter().position(|stack| stack.is_some_and(|stack| stack.row() >= row)).unwrap_or(0) as u64;
                let id = items.get(at).map_or(0, |&code| codes.id(code));
                let why = if id == 0 { "but 0 stands for no location".to_owned() } else { tables.locations.describe() };
                let what = format!("names location {id}, {why}");
                return Err(ReadError::new(NAME, locate(sample), name(sample), what));
            }
        }
        let mut sets = Vec::with_capacity(1);
        let (mut label_rows, mut scratch) = (Rows::default(), Vec::new());
        for (row, (run, sample)) in runs.iter().enumerate() {
            if row.is_multiple_of(1024) {
                ticket.check()?;
            }
            read_labels(run, sample, tables, &mut builder.notes, &mut scratch)?;
            sets.push(label_rows.label_set(&scratch));
        }
        let label = |row: u32| (row as usize).checked_sub(1).and_then(|row| sets.get(row)).copied().flatten();
        let labels: Vec<Option<LabelSetId>> = mapped(columns.labels, label, ticket)?;
        let (stacks, table) = if tables.is_one_frame_each() {
            let frame = |code: u32| rows(code).and_then(|row| tables.frames(row).first()).copied().unwrap_or(FrameId::FIRST);
            let frames: Vec<FrameId> = mapped(items.into_vec(), frame, ticket)?;
            (columns.stacks, StackTable::from_columns((parents, Column::from_vec(frames))))
        } else {
            let (moved, table) =
                with_frames(parents.as_slice(), items.as_slice(), |code| rows(code).map(|row| tables.frames(row)), ticket)?;
            let moved = |stack: Option<StackId>| stack.and_then(|stack| moved.get(stack.row()).copied().flatten());
            (mapped(columns.stacks, moved, ticket)?, table)
        };
        ticket.check()?;
        *builder.rows = label_rows;
        builder.rows.set_columns(stacks, labels, columns.values);
        Ok(builder.finish_with(table))
    }
}

/// Other rows of the same length, in the same memory (which is why they are as wide: 4 bytes).
fn mapped<T, U>(rows: Vec<T>, convert: impl Fn(T) -> U, ticket: &Ticket) -> Result<Vec<U>, Cancelled> {
    let mut at = 0_usize;
    let rows = rows.into_iter().map_while(|row| {
        at += 1;
        let stop = at.is_multiple_of(ROWS_PER_CHECK) && ticket.is_cancelled();
        (!stop).then(|| convert(row))
    });
    let rows = rows.collect();
    ticket.check()?;
    Ok(rows)
}

fn extend<T, U>(rows: &mut Vec<U>, more: &[T], convert: impl Fn(&T) -> U, ticket: &Ticket) -> Result<(), Cancelled> {
    for part in more.chunks(ROWS_PER_CHECK) {
        ticket.check()?;
        rows.extend(part.iter().map(&convert));
    }
    Ok(())
}

/// Rows of frames instead of locations; gives also the new row of each old one.
fn with_frames<'t>(
    parents: &[Option<StackId>],
    codes: &[u32],
    frames: impl Fn(u32) -> Option<&'t [FrameId]>,
    ticket: &Ticket,
) -> Result<(Vec<Option<StackId>>, StackTable), Cancelled> {
    let mut forest = Forest::<StackId, FrameId>::new();
    let frames = |row: usize| codes.get(row).and_then(|&code| frames(code)).unwrap_or(&[]).iter().rev().copied();
    let moved = forest.join(parents, frames, |_| ticket.check())?;
    Ok((moved, StackTable::from_columns(forest.into_columns())))
}

/// All labels in `fields`, which may hold other fields too.
fn read_labels(mut fields: Wire<'_>, sample: u64, tables: &Tables, notes: &mut Notes, labels: &mut Vec<Label>) -> Result<(), ReadError> {
    labels.clear();
    while let Some(found) = fields.field().map_err(|fault| broken(fault, sample))? {
        if found.number == 3 {
            labels.push(read_label(found.message().map_err(|fault| broken(fault, sample))?, sample, tables, notes)?);
        }
    }
    Ok(())
}

/// Key 1, text 2, number 3, unit 4. A label that says nothing at all is kept as an empty text, or as 0 where the file wrote that 0
/// down; pprof drops it.
fn read_label(mut body: Wire<'_>, sample: u64, tables: &Tables, notes: &mut Notes) -> Result<Label, ReadError> {
    let at = body.offset();
    let (mut key, mut text, mut value, mut unit) = (0, 0, None, 0);
    while let Some(found) = body.field().map_err(|fault| broken(fault, sample))? {
        let place = match found.number {
            1 => &mut key,
            2 => &mut text,
            3 => value.insert(0),
            4 => &mut unit,
            _ => continue,
        };
        *place = found.int().map_err(|fault| broken(fault, sample))?;
    }
    let strings = &tables.strings;
    let what = || format!("{}, a label", name(sample));
    let key = strings.get(key, at, what)?;
    let value = match value {
        _ if text != 0 => {
            if value.is_some_and(|value| value != 0) {
                notes.add(kind::REPAIRED, "labels with a text and a number; the text is kept, as pprof does", 1, Some(at));
            }
            LabelValue::Text(strings.get(text, at, what)?)
        }
        None if unit == 0 => LabelValue::Text(strings.empty()),
        value => LabelValue::Number(value.unwrap_or(0) as i64, strings.some(unit, at, what)?),
    };
    Ok(Label { key, value })
}
