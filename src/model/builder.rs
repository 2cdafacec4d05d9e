//! The only way to make a [`Profile`].
//!
//! Parallel readers give each chunk a private [`Builder`] (or only [`Rows`], where functions and frames are known before) and
//! [`absorb`](Builder::absorb) them in chunk order: row numbers then follow the file and not the threads.

use super::labels::{Label, LabelSetId, LabelSets, LabelValue};
use super::notes::{Notes, Tally};
use super::samples::{Columns, NO_TIME, SampleType};
use super::tables::{Frame, FrameId, Function, FunctionId, Mapping, MappingId, StackId, StackTable, Thread, ThreadId};
use super::{Info, Profile};
use crate::base::discard::Unfinished;
use crate::base::forest::Forest;
use crate::base::intern::{Interner, StringId, Strings};
use crate::base::spread::Spread;

/// One record without its values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Its stack; `None` = recorded without one.
    pub stack: Option<StackId>,
    /// Its thread.
    pub thread: Option<ThreadId>,
    /// Its labels.
    pub labels: Option<LabelSetId>,
    /// Its time in nanoseconds of the capture's clock.
    pub time: Option<i64>,
}

/// Stacks, label sets and samples: the tables that grow with the records.
#[derive(Default)]
pub struct Rows {
    stacks: Forest<StackId, FrameId>,
    label_sets: LabelSets,
    samples: Columns,
    /// Records with a value, per sample type.
    records: Vec<u64>,
}

/// New ids of the rows of another builder's tables, by old row; `None` = the tables are shared and ids stay.
#[derive(Clone, Copy, Default)]
pub struct Maps<'a> {
    /// Strings (used by label sets).
    pub strings: Option<&'a [StringId]>,
    /// Frames.
    pub frames: Option<&'a [FrameId]>,
    /// Threads.
    pub threads: Option<&'a [ThreadId]>,
}

fn moved<T: Copy>(map: Option<&[T]>, row: usize, old: T) -> T {
    map.and_then(|map| map.get(row).copied()).unwrap_or(old)
}

fn all<I>(ids: Vec<Option<I>>) -> Vec<I> {
    ids.into_iter().map(|id| id.unwrap_or_else(|| full())).collect()
}

fn full() -> ! {
    unreachable!("more than 2^32-2 rows: the input would have to be larger than any cap allows")
}

impl Rows {
    /// No rows yet, for `types` sample types.
    pub fn new(types: usize) -> Self {
        let samples = Columns { values: vec![Vec::new(); types], ..Columns::default() };
        Self { samples, records: vec![0; types], ..Self::default() }
    }

    /// Makes room for so many more samples and rows of stacks: growing step by step copies every row several times.
    pub fn reserve(&mut self, samples: usize, stacks: usize) {
        let Columns { stack, thread, labels, time, range: _, values } = &mut self.samples;
        stack.reserve(samples);
        thread.reserve(samples);
        labels.reserve(samples);
        time.reserve(samples);
        for column in values {
            column.reserve(samples);
        }
        self.stacks.reserve(stacks);
    }

    /// Makes room for finding so many more rows of stacks that do not stand right after their callers.
    pub fn reserve_further(&mut self, stacks: usize) {
        self.stacks.reserve_further(stacks);
    }

    /// Parents and frames of the stacks so far, by row.
    pub fn stacks(&self) -> (&[Option<StackId>], &[FrameId]) {
        (self.stacks.parents().as_slice(), self.stacks.items().as_slice())
    }

    /// Number of rows of stacks so far.
    pub fn stack_rows(&self) -> usize {
        self.stacks.len()
    }

    /// The stack of `frame` called from `parent`.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        self.stacks.child(parent, frame).unwrap_or_else(|| full())
    }

    /// The id of a set of labels; `None` for the empty set.
    pub fn label_set(&mut self, labels: &[Label]) -> Option<LabelSetId> {
        self.label_sets.intern(labels)
    }

    /// Adds a record with a value for each sample type (missing ones are 0, further ones are dropped).
    pub fn sample(&mut self, sample: Sample, values: &[i64]) {
        self.row(sample);
        for (at, column) in self.samples.values.iter_mut().enumerate() {
            let value = values.get(at).copied().unwrap_or(0);
            column.push(value);
            if let Some(records) = self.records.get_mut(at).filter(|_| value != 0) {
                *records += 1;
            }
        }
    }

    /// Adds a record of one event: `value` in the column of `sample_type`, 0 in all others. Counts as a record of that type even
    /// with value 0.
    pub fn event(&mut self, sample: Sample, sample_type: usize, value: i64) {
        self.row(sample);
        for (at, column) in self.samples.values.iter_mut().enumerate() {
            column.push(if at == sample_type { value } else { 0 });
        }
        if let Some(records) = self.records.get_mut(sample_type) {
            *records += 1;
        }
    }

    fn sum_into(&mut self, column: usize, of: &[usize]) {
        let mut sum = vec![0_i64; self.samples.len()];
        for &part in of {
            for (sum, value) in sum.iter_mut().zip(self.samples.values(part)) {
                *sum = sum.saturating_add(*value);
            }
        }
        let records = of.iter().filter_map(|&part| self.records.get(part)).sum();
        if let (Some(place), Some(total)) = (self.samples.values.get_mut(column), self.records.get_mut(column)) {
            (*place, *total) = (sum, records);
        }
    }

    /// Number of distinct sets of labels so far.
    pub fn label_sets(&self) -> usize {
        self.label_sets.len()
    }

    /// Gives every sample its labels: one entry per sample, ids from [`Self::label_set`]. Nothing happens where the numbers differ.
    pub fn set_labels(&mut self, labels: Vec<Option<LabelSetId>>) {
        debug_assert!(labels.is_empty() || labels.len() == self.samples.len(), "one entry per sample");
        if labels.len() == self.samples.len() {
            self.samples.labels = labels;
        }
    }

    /// Gives a sample another stack. Nothing happens where there is no such sample.
    pub fn set_stack(&mut self, sample: usize, stack: Option<StackId>) {
        if let Some(place) = self.samples.stack.get_mut(sample) {
            *place = stack;
        }
    }

    /// Number of samples so far.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.samples.len() == 0
    }

    /// Sample types from now on; existing samples get 0 for new ones.
    pub fn set_types(&mut self, types: usize) {
        let rows = self.samples.len();
        self.samples.values.resize_with(types, || vec![0; rows]);
        self.records.resize(types, 0);
    }

    fn row(&mut self, sample: Sample) {
        let row = self.samples.len();
        if sample.time.is_some() && self.samples.time.is_empty() {
            self.samples.time = vec![NO_TIME; row];
        }
        if let Some(time) = sample.time {
            self.samples.time.push(time);
            if time != NO_TIME {
                self.samples.reach((time, time));
            }
        } else if !self.samples.time.is_empty() {
            self.samples.time.push(NO_TIME);
        }
        self.samples.stack.push(sample.stack);
        self.samples.thread.push(sample.thread);
        self.samples.labels.push(sample.labels);
    }

    /// Takes whole columns as the samples, all of one length, in the place of those before; none has a thread or a time.
    ///
    /// Stacks are rows of the table that `Builder::finish_with` is given.
    pub fn set_columns(&mut self, stacks: Vec<Option<StackId>>, labels: Vec<Option<LabelSetId>>, values: Vec<Vec<i64>>) {
        self.records = values.iter().map(|column| column.iter().filter(|&&value| value != 0).count() as u64).collect();
        self.samples = Columns { thread: vec![None; stacks.len()], stack: stacks, labels, time: Vec::new(), range: None, values };
    }

    /// Appends the rows of `other`, whose ids are moved by `maps`.
    pub fn absorb(&mut self, other: &Self, maps: Maps<'_>) {
        let stacks = self.absorb_stacks(other, maps.frames);
        self.absorb_samples(other, &stacks, maps);
    }

    /// Appends the samples of `other`; `stacks` are new ids of its stacks, by row.
    fn absorb_samples(&mut self, other: &Self, stacks: &[Option<StackId>], maps: Maps<'_>) {
        let types = self.samples.values.len().max(other.samples.values.len());
        self.set_types(types);
        let label_map = self.absorb_labels(other, maps.strings);
        let before = self.samples.len();
        let theirs = &other.samples;
        self.samples.stack.extend(theirs.stack.iter().map(|stack| stack.and_then(|stack| stacks.get(stack.row()).copied().flatten())));
        self.samples.labels.extend(theirs.labels.iter().map(|set| set.and_then(|set| label_map.get(set.row()).copied().flatten())));
        self.samples.thread.extend(theirs.thread.iter().map(|thread| thread.map(|thread| moved(maps.threads, thread.row(), thread))));
        if self.samples.has_times() || theirs.has_times() {
            self.samples.time.resize(before, NO_TIME);
            self.samples.time.extend_from_slice(&theirs.time);
            self.samples.time.resize(self.samples.stack.len(), NO_TIME);
            theirs.range.into_iter().for_each(|range| self.samples.reach(range));
        }
        for (at, column) in self.samples.values.iter_mut().enumerate() {
            column.extend_from_slice(theirs.values(at));
            column.resize(self.samples.stack.len(), 0);
        }
        for (mine, theirs) in self.records.iter_mut().zip(&other.records) {
            *mine += theirs;
        }
    }
}

impl Rows {
    /// New ids of the sets of labels of `other`, by row.
    fn absorb_labels(&mut self, other: &Self, strings: Option<&[StringId]>) -> Vec<Option<LabelSetId>> {
        let mut scratch = Vec::new();
        let sets = other.label_sets.iter().map(|set| {
            scratch.clear();
            scratch.extend(set.iter().map(|label| move_label(*label, strings)));
            self.label_sets.intern(&scratch)
        });
        sets.collect()
    }

    /// New ids of the stacks of `other`, by row.
    fn absorb_stacks(&mut self, other: &Self, frames: Option<&[FrameId]>) -> Vec<Option<StackId>> {
        let items = other.stacks.items().as_slice();
        let frame = |row: usize| items.get(row).map(|&frame| moved(frames, frame.row(), frame));
        self.join_stacks(other.stacks.parents().as_slice(), frame)
    }

    /// New ids of stacks that were put together elsewhere, by row; `frame` gives the frame of a row, whose parent stands before it. A row without a
    /// frame becomes its parent.
    pub fn join_stacks(&mut self, parents: &[Option<StackId>], frame: impl Fn(usize) -> Option<FrameId>) -> Vec<Option<StackId>> {
        self.stacks.join(parents, frame, |_| Ok(())).unwrap_or_default()
    }
}

fn move_label(label: Label, strings: Option<&[StringId]>) -> Label {
    let string = |id: StringId| moved(strings, id.row(), id);
    let value = match label.value {
        LabelValue::Text(text) => LabelValue::Text(string(text)),
        LabelValue::Number(number, unit) => LabelValue::Number(number, unit.map(string)),
    };
    Label { key: string(label.key), value }
}

/// New ids of another builder's strings, functions and mappings, by row.
#[derive(Default)]
pub struct Names {
    strings: Vec<StringId>,
    functions: Vec<FunctionId>,
    mappings: Vec<MappingId>,
}

/// New ids of what the samples of another builder name, by row.
#[derive(Default)]
pub struct Moves {
    /// Stacks.
    pub stacks: Vec<Option<StackId>>,
    /// Threads.
    pub threads: Vec<ThreadId>,
    /// Sets of labels.
    pub labels: Vec<Option<LabelSetId>>,
}

impl Names {
    /// The new id of a string.
    pub fn string(&self, id: StringId) -> StringId {
        moved(Some(&self.strings), id.row(), id)
    }

    /// A frame with new ids.
    pub fn frame(&self, frame: &Frame) -> Frame {
        let function = frame.function.map(|id| moved(Some(&self.functions), id.row(), id));
        let mapping = frame.mapping.map(|id| moved(Some(&self.mappings), id.row(), id));
        Frame { function, mapping, ..*frame }
    }
}

/// A profile in the making.
#[derive(Default)]
pub struct Builder {
    /// All text; intern names here first.
    pub strings: Unfinished<Strings>,
    functions: Unfinished<Interner<FunctionId, Function, Spread<FunctionId, Function>>>,
    /// Functions of which only the name is known, by its row: they need no hash.
    plain: Vec<Option<FunctionId>>,
    mappings: Interner<MappingId, Mapping>,
    frames: Unfinished<Interner<FrameId, Frame, Spread<FrameId, Frame>>>,
    threads: Interner<ThreadId, Thread>,
    /// The tables that grow with the records.
    pub rows: Unfinished<Rows>,
    /// Names and units of the value columns.
    pub sample_types: Vec<SampleType>,
    /// Which of them a viewer shows first.
    pub default_sample_type: usize,
    /// Where the capture comes from.
    pub info: Info,
    /// Losses so far.
    pub notes: Notes,
    /// See [`Builder::covers`].
    covered: Option<(i64, i64)>,
}

impl Builder {
    /// An empty profile with these sample types, each (name, unit).
    pub fn new<'a>(sample_types: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut builder = Self::default();
        for (name, unit) in sample_types {
            builder.add_sample_type(name, unit);
        }
        builder
    }

    /// Adds a sample type (existing samples get 0) and gives its row.
    pub fn add_sample_type(&mut self, name: &str, unit: &str) -> usize {
        self.sample_types.push(SampleType { name: name.to_owned(), unit: unit.to_owned(), ..SampleType::default() });
        self.rows.set_types(self.sample_types.len());
        self.sample_types.len() - 1
    }

    /// Adds a sample type that holds the sum of others, row by row (held at the ends of `i64`), and gives its row. Its records are those of
    /// all of them: a record must belong to one only.
    pub fn add_sum(&mut self, name: &str, unit: &str, of: &[usize]) -> usize {
        let column = self.add_sample_type(name, unit);
        self.rows.sum_into(column, of);
        column
    }

    /// The id of a text.
    pub fn string(&mut self, text: &str) -> StringId {
        self.strings.intern(text)
    }

    /// The id of a function.
    pub fn function(&mut self, function: Function) -> FunctionId {
        if !function.is_plain() {
            return self.functions.intern(function).unwrap_or_else(|| full());
        }
        let row = function.name.row();
        if let Some(known) = self.plain.get(row).copied().flatten() {
            return known;
        }
        let id = self.add_function(function);
        if row >= self.plain.len() {
            self.plain.resize(row + 1, None);
        }
        self.plain.get_mut(row).into_iter().for_each(|place| *place = Some(id));
        id
    }

    /// The id of a function of which only the name is known.
    pub fn function_named(&mut self, name: &str) -> FunctionId {
        let name = self.string(name);
        self.function(Function { name, system_name: None, file: None, start_line: 0 })
    }

    /// The id of a mapping.
    pub fn mapping(&mut self, mapping: Mapping) -> MappingId {
        self.mappings.intern(mapping).unwrap_or_else(|| full())
    }

    /// The id of a frame.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        self.frames.intern(frame).unwrap_or_else(|| full())
    }

    /// Adds a function that is known to be new and that nobody will ask for: [`function`](Self::function) does not find it.
    pub fn add_function(&mut self, function: Function) -> FunctionId {
        self.functions.add(function).unwrap_or_else(|| full())
    }

    /// Adds a frame that is known to be new and that nobody will ask for: [`frame`](Self::frame) does not find it.
    pub fn add_frame(&mut self, frame: Frame) -> FrameId {
        self.frames.add(frame).unwrap_or_else(|| full())
    }

    /// The ids of frames, as if each were asked for after those before it. Much faster where there are many.
    pub fn frames(&mut self, rows: &[Frame]) -> Vec<FrameId> {
        all(self.frames.intern_all(rows.iter().copied()))
    }

    /// Keeps the first frames alone, and [finds](Self::frame) them from now on though they were [added](Self::add_frame).
    pub fn find_frames(&mut self, first: usize) {
        let rows = std::mem::take(&mut *self.frames).into_rows();
        for frame in rows.iter().take(first) {
            self.frame(frame);
        }
    }

    /// Makes room for so many more frames.
    pub fn reserve_frames(&mut self, additional: usize) {
        self.frames.reserve(additional);
    }

    /// Makes room for the rows of so many more frames, but not for finding them: for a number that is a guess.
    pub fn expect_frames(&mut self, additional: usize) {
        self.frames.expect(additional);
    }

    /// The id of a thread under a name.
    pub fn thread(&mut self, thread: Thread) -> ThreadId {
        self.threads.intern(thread).unwrap_or_else(|| full())
    }

    /// The stack of `frame` called from `parent`.
    pub fn stack(&mut self, parent: Option<StackId>, frame: FrameId) -> StackId {
        self.rows.stack(parent, frame)
    }

    /// The mappings so far.
    pub fn mapping_at(&self, id: MappingId) -> Option<&Mapping> {
        self.mappings.rows().get(id)
    }

    /// All frames so far, by row.
    pub fn frame_rows(&self) -> &Spread<FrameId, Frame> {
        self.frames.rows()
    }

    /// Appends everything that `other` holds; sample types are matched by name and unit, new ones are added. Gives the new ids of its
    /// frames, by row.
    pub fn absorb(&mut self, other: Self) -> Vec<FrameId> {
        let names = self.absorb_names(&other);
        let frames = all(self.frames.intern_all(other.frames.rows().iter().map(|frame| names.frame(&frame))));
        let stacks = self.rows.absorb_stacks(&other.rows, Some(&frames));
        self.absorb_samples(other, &names, &stacks);
        frames
    }

    /// Appends everything that `other` holds but samples and their types, and gives the new ids of what samples name.
    pub fn absorb_tables(&mut self, other: &Self) -> Moves {
        let names = self.absorb_names(other);
        let frames = all(self.frames.intern_all(other.frames.rows().iter().map(|frame| names.frame(&frame))));
        let stacks = self.rows.absorb_stacks(&other.rows, Some(&frames));
        let threads = self.absorb_threads(other, &names);
        let labels = self.rows.absorb_labels(&other.rows, Some(&names.strings));
        self.notes.absorb(&other.notes);
        Moves { stacks, threads, labels }
    }

    fn absorb_threads(&mut self, other: &Self, names: &Names) -> Vec<ThreadId> {
        other.threads.rows().iter().map(|row| self.thread(Thread { name: names.string(row.name), ..*row })).collect()
    }

    /// Appends strings, functions and mappings of `other`.
    pub fn absorb_names(&mut self, other: &Self) -> Names {
        let strings = self.strings.intern_all(other.strings.iter());
        let string = |id: StringId| moved(Some(&strings), id.row(), id);
        let functions = other.functions.rows().iter().map(|row| {
            let (name, system_name, file) = (string(row.name), row.system_name.map(string), row.file.map(string));
            Function { name, system_name, file, start_line: row.start_line }
        });
        let functions = self.absorb_functions(&functions.collect::<Vec<_>>());
        let mappings = other
            .mappings
            .rows()
            .iter()
            .map(|row| self.mapping(Mapping { file: row.file.map(string), build_id: row.build_id.map(string), ..*row }))
            .collect();
        Names { strings, functions, mappings }
    }

    /// The ids of functions that have got new names.
    fn absorb_functions(&mut self, functions: &[Function]) -> Vec<FunctionId> {
        if functions.iter().any(Function::is_plain) {
            return functions.iter().map(|&function| self.function(function)).collect();
        }
        all(self.functions.intern_all(functions.iter().copied()))
    }

    /// Appends threads, samples and notes of `other`, whose names and stacks are here already: the ids of the stacks by the row that they have
    /// there.
    pub fn absorb_samples(&mut self, mut other: Self, names: &Names, stacks: &[Option<StackId>]) {
        let types: Vec<usize> = other
            .sample_types
            .iter()
            .map(|theirs| {
                let known = self.sample_types.iter().position(|mine| mine.name == theirs.name && mine.unit == theirs.unit);
                known.unwrap_or_else(|| {
                    self.sample_types.push(theirs.clone());
                    self.sample_types.len() - 1
                })
            })
            .collect();
        other.rows.reorder_types(&types, self.sample_types.len());
        let threads = self.absorb_threads(&other, names);
        self.rows.absorb_samples(&other.rows, stacks, Maps { strings: Some(&names.strings), frames: None, threads: Some(&threads) });
        self.notes.absorb(&other.notes);
    }

    /// Gives up strings and functions, once another builder has them ([`absorb_names`](Self::absorb_names)): memory for those that follow.
    pub fn give_up_names(&mut self) {
        self.strings = Unfinished::default();
        self.functions = Unfinished::default();
        self.plain = Vec::new();
    }

    /// Gives up frames, once another builder has them.
    pub fn give_up_frames(&mut self) {
        self.frames = Unfinished::default();
    }

    /// Says that the capture holds this time too, in nanoseconds of its clock: the last sample has a time where it begins, and none where it ends.
    pub fn covers(&mut self, from: i64, to: i64) {
        let (first, last) = self.covered.unwrap_or((from, to));
        self.covered = Some((first.min(from), last.max(to)));
    }

    /// The finished profile.
    pub fn finish(mut self) -> Profile {
        let stacks = StackTable::from_columns(std::mem::take(&mut self.rows.stacks).into_columns());
        self.finish_with(stacks)
    }

    /// The finished profile, over stacks that were put together elsewhere: its samples name rows of `stacks`.
    pub(crate) fn finish_with(mut self, stacks: StackTable) -> Profile {
        self.rows.set_types(self.sample_types.len());
        for (kind, &records) in self.sample_types.iter_mut().zip(&self.rows.records) {
            kind.records = records;
        }
        if self.info.duration_nanos.is_none() {
            let ranges = self.rows.samples.range.into_iter().chain(self.covered);
            let range = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            self.info.duration_nanos = range.and_then(|(first, last)| last.checked_sub(first)).filter(|&nanos| nanos > 0);
        }
        if self.info.tally == Tally::default() {
            self.info.tally = Tally::new(self.rows.len() as u64, 0);
        }
        let rows = self.rows.keep();
        let default_sample_type = self.default_sample_type.min(self.sample_types.len().saturating_sub(1));
        Profile {
            strings: self.strings.keep(),
            functions: self.functions.keep().into_rows(),
            mappings: self.mappings.into_rows(),
            frames: self.frames.keep().into_rows(),
            stacks,
            threads: self.threads.into_rows(),
            label_sets: rows.label_sets,
            samples: rows.samples.finish(),
            sample_types: self.sample_types,
            default_sample_type,
            info: self.info,
            notes: self.notes,
        }
    }
}

impl Rows {
    /// Moves value column `n` to place `order[n]` of `types` columns.
    fn reorder_types(&mut self, order: &[usize], types: usize) {
        if order.iter().enumerate().all(|(at, &to)| at == to) {
            return self.set_types(types);
        }
        let rows = self.samples.len();
        let mut values = vec![Vec::new(); types];
        let mut records = vec![0; types];
        let old = std::mem::take(&mut self.samples.values);
        for ((column, count), &to) in old.into_iter().zip(std::mem::take(&mut self.records)).zip(order) {
            if let (Some(place), Some(total)) = (values.get_mut(to), records.get_mut(to)) {
                *place = column;
                *total = count;
            }
        }
        for column in &mut values {
            column.resize(rows, 0);
        }
        self.samples.values = values;
        self.records = records;
    }
}

#[cfg(test)]
impl Builder {
    /// The stack of `root;leaf`: functions of which the name alone is known.
    pub(crate) fn stack_named(&mut self, names: &str) -> Option<StackId> {
        names.split(';').fold(None, |caller, name| {
            let function = Some(self.function_named(name));
            let frame = self.frame(Frame { function, ..Frame::default() });
            Some(self.stack(caller, frame))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check;

    /// Builds from lines `root;leaf value`.
    fn from_text(lines: &[(&str, i64)]) -> Builder {
        let mut builder = Builder::new([("samples", "count")]);
        for (stack, value) in lines {
            let at = builder.stack_named(stack);
            builder.rows.sample(Sample { stack: at, ..Sample::default() }, &[*value]);
        }
        builder
    }

    #[test]
    fn absorbing_chunks_in_order_equals_one_reader() {
        let lines = [("main;a;b", 1), ("main;c", 2), ("main;a;b", 3), ("x", 4), ("main;a", -5)];
        let whole = from_text(&lines).finish();
        for cut in 0..=lines.len() {
            let mut first = from_text(&lines[..cut]);
            first.absorb(from_text(&lines[cut..]));
            let joined = first.finish();
            assert_eq!(joined, whole);
            assert_eq!(check(&joined), []);
        }
    }

    #[test]
    fn absorbing_matches_sample_types_by_name() {
        let mut first = Builder::new([("cycles", "count")]);
        first.rows.event(Sample::default(), 0, 7);
        let mut second = Builder::new([("faults", "count"), ("cycles", "count")]);
        second.rows.event(Sample::default(), 0, 1);
        second.rows.event(Sample::default(), 1, 9);
        first.absorb(second);
        let profile = first.finish();
        assert_eq!((profile.total(0), profile.total(1)), (16, 1));
        assert_eq!(profile.sample_types.iter().map(|kind| kind.records).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(check(&profile), []);
    }

    #[test]
    fn times_may_start_late_and_be_missing() {
        let mut builder = Builder::new([("samples", "count")]);
        builder.rows.sample(Sample::default(), &[1]);
        builder.rows.sample(Sample { time: Some(50), ..Sample::default() }, &[1]);
        builder.rows.sample(Sample::default(), &[1]);
        let profile = builder.finish();
        assert_eq!((0..3).map(|row| profile.samples.time(row)).collect::<Vec<_>>(), [None, Some(50), None]);
        assert_eq!(check(&profile), []);
    }
}
