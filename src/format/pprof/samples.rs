//! Second pass: decodes the samples of one chunk. Runs on many threads at once; nothing here depends on other chunks.
//!
//! Start reading at [`decode`].

use super::layout::Chunk;
use super::tables::Tables;
use super::wire::{Fault, Wire};
use super::{NAME, field};
use crate::format::ReadError;
use crate::model::{Label, LabelSetId, LabelValue, Notes, Rows, Sample, StackId, kind};

/// The samples of one chunk.
pub(super) struct Decoded {
    pub(super) rows: Rows,
    pub(super) notes: Notes,
}

/// Reads all samples of `chunk`, each with `types` values.
pub(super) fn decode(chunk: &Chunk<'_>, tables: &Tables, types: usize) -> Result<Decoded, ReadError> {
    let mut reader = Reader { tables, types, scratch: Scratch::default(), rows: Rows::new(types), notes: Notes::default() };
    let mut fields = chunk.fields;
    let mut number = chunk.first_sample;
    // The first pass went over the same bytes without a fault.
    while let Ok(Some(found)) = fields.field() {
        if let (field::SAMPLE, Ok(body)) = (found.number, found.message()) {
            reader.sample(body, number)?;
            number += 1;
        }
    }
    Ok(Decoded { rows: reader.rows, notes: reader.notes })
}

struct Reader<'t> {
    tables: &'t Tables,
    types: usize,
    scratch: Scratch,
    rows: Rows,
    notes: Notes,
}

/// Lists that are used again for every sample.
#[derive(Default)]
struct Scratch {
    locations: Vec<u64>,
    values: Vec<i64>,
    labels: Vec<Label>,
    /// The last sample's locations, outermost first, each with the stack that ends in it. Neighbours share most of their callers.
    path: Vec<(u64, StackId)>,
}

impl Reader<'_> {
    fn sample(&mut self, mut body: Wire<'_>, number: u64) -> Result<(), ReadError> {
        let at = body.offset();
        self.scratch.locations.clear();
        self.scratch.values.clear();
        self.scratch.labels.clear();
        while let Some(found) = body.field().map_err(|fault| broken(fault, number))? {
            match found.number {
                1 => found.ints(&mut self.scratch.locations, |id| id),
                2 => found.ints(&mut self.scratch.values, |value| value as i64),
                3 => {
                    let label = found.message().map_err(|fault| broken(fault, number))?;
                    self.label(label, number)?;
                    Ok(())
                }
                _ => Ok(()),
            }
            .map_err(|fault| broken(fault, number))?;
        }
        let found = self.scratch.values.len();
        if found != self.types {
            let what = format!("holds {found} values, but there are {} sample types", self.types);
            return Err(ReadError::new(NAME, at, name(number), what));
        }
        let stack = self.stack(at, number)?;
        if stack.is_none() {
            self.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(at));
        }
        let labels = self.label_set();
        self.rows.sample(Sample { stack, labels, ..Sample::default() }, &self.scratch.values);
        Ok(())
    }

    fn stack(&mut self, at: u64, number: u64) -> Result<Option<StackId>, ReadError> {
        let Scratch { locations, path, .. } = &mut self.scratch;
        let mut shared = 0;
        let mut stack = None;
        let mut ids = locations.iter().rev();
        let mut next = ids.next();
        while let (Some(id), Some(&(known, known_stack))) = (next, path.get(shared)) {
            if *id != known {
                break;
            }
            stack = Some(known_stack);
            shared += 1;
            next = ids.next();
        }
        path.truncate(shared);
        for &id in next.into_iter().chain(ids) {
            let Some(location) = self.tables.locations.row(id) else {
                let what = format!("names location {id}, {}", self.tables.locations.describe());
                return Err(ReadError::new(NAME, at, name(number), what));
            };
            for &frame in self.tables.frames(location).iter().rev() {
                stack = Some(self.rows.stack(stack, frame));
            }
            path.extend(stack.map(|stack| (id, stack)));
        }
        Ok(stack)
    }

    fn label_set(&mut self) -> Option<LabelSetId> {
        self.rows.label_set(&self.scratch.labels)
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
                    self.notes.add(kind::REPAIRED, "labels with a text and a number; the text is kept, as pprof does", 1, Some(at));
                }
                LabelValue::Text(strings.get(text, at, what)?)
            }
            None if unit == 0 => LabelValue::Text(strings.empty()),
            value => LabelValue::Number(value.unwrap_or(0) as i64, strings.some(unit, at, what)?),
        };
        self.scratch.labels.push(Label { key, value });
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
