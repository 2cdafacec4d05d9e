//! Every invariant of a [`Profile`], for tests, fuzzing and debug builds.

use std::hash::Hash;

use super::labels::LabelValue;
use super::{FrameId, FunctionId, Profile, StringId};
use crate::base::table::RowTable;

/// An invariant that does not hold: which table, which row, what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The table or column.
    pub table: &'static str,
    /// Its row.
    pub row: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// All broken invariants; empty for a sound profile.
pub fn check(profile: &Profile) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut say = |table, row, what| broken.push(Broken { table, row, what });
    let strings = profile.strings.len();
    let string = |id: StringId| id.row() < strings;
    let optional = |id: Option<StringId>| id.is_none_or(string);

    for (id, row) in profile.functions.iter_ids() {
        if !(string(row.name) && optional(row.system_name) && optional(row.file)) {
            say("functions", id.row(), "names a string that does not exist");
        }
    }
    for (id, row) in profile.mappings.iter_ids() {
        if !(optional(row.file) && optional(row.build_id)) {
            say("mappings", id.row(), "names a string that does not exist");
        }
    }
    for (id, row) in profile.frames.iter_ids() {
        if row.function.is_some_and(|function| function.row() >= profile.functions.len()) {
            say("frames", id.row(), "names a function that does not exist");
        }
        if row.mapping.is_some_and(|mapping| mapping.row() >= profile.mappings.len()) {
            say("frames", id.row(), "names a mapping that does not exist");
        }
    }
    for (id, row) in profile.threads.iter_ids() {
        if !string(row.name) {
            say("threads", id.row(), "names a string that does not exist");
        }
    }
    for (row, (parent, frame)) in profile.stacks.parents().iter().zip(profile.stacks.frames()).enumerate() {
        if parent.is_some_and(|parent| parent.row() >= row) {
            say("stacks", row, "its parent does not stand before it");
        }
        if frame.row() >= profile.frames.len() {
            say("stacks", row, "names a frame that does not exist");
        }
    }
    for (row, set) in profile.label_sets.iter().enumerate() {
        let known = set.iter().all(|label| {
            string(label.key)
                && match label.value {
                    LabelValue::Text(text) => string(text),
                    LabelValue::Number(_, unit) => optional(unit),
                }
        });
        if !known {
            say("label sets", row, "names a string that does not exist");
        }
    }
    check_samples(profile, &mut say);
    for (table, unique) in [
        ("functions", unique(profile.functions.len(), |row| profile.functions.get(FunctionId::from_row(row)?))),
        ("mappings", unique(profile.mappings.len(), |row| profile.mappings.as_slice().get(row))),
        ("frames", unique(profile.frames.len(), |row| profile.frames.get(FrameId::from_row(row)?))),
        ("threads", unique(profile.threads.len(), |row| profile.threads.as_slice().get(row))),
    ] {
        if !unique {
            say(table, 0, "a row stands twice");
        }
    }
    broken
}

fn check_samples(profile: &Profile, say: &mut impl FnMut(&'static str, usize, &'static str)) {
    let samples = &profile.samples;
    let rows = samples.len();
    let columns = &samples.rest;
    let lengths = [columns.thread.len(), columns.labels.len(), if columns.time.is_empty() { rows } else { columns.time.len() }];
    if lengths.iter().chain(columns.values.iter().map(Vec::len).collect::<Vec<_>>().iter()).any(|&len| len != rows) {
        say("samples", 0, "columns differ in length");
    }
    if columns.values.len() != profile.sample_types.len() {
        say("sample types", 0, "as many value columns as sample types are wanted");
    }
    if !profile.sample_types.is_empty() && profile.default_sample_type >= profile.sample_types.len() {
        say("sample types", profile.default_sample_type, "the default does not exist");
    }
    let times = || (0..rows).filter_map(|row| samples.time(row));
    if samples.time_range() != times().min().zip(times().max()) {
        say("samples", 0, "first and last time are not those of the samples");
    }
    let tally = profile.info.tally;
    if tally.used.checked_add(tally.skipped) != Some(tally.samples) {
        say("tally", 0, "used and skipped records do not add up to those in the file");
    }
    if (tally.used == 0 && tally.made == 0) != (rows == 0) {
        say("tally", 0, "there are rows exactly where records were used");
    }
    for (row, stack) in samples.stack.iter().enumerate() {
        if stack.is_some_and(|stack| stack.row() >= profile.stacks.len()) {
            say("samples", row, "names a stack that does not exist");
        }
    }
    for (row, thread) in columns.thread.iter().enumerate() {
        if thread.is_some_and(|thread| thread.row() >= profile.threads.len()) {
            say("samples", row, "names a thread that does not exist");
        }
    }
    for (row, set) in columns.labels.iter().enumerate() {
        if set.is_some_and(|set| set.row() >= profile.label_sets.len()) {
            say("samples", row, "names a label set that does not exist");
        }
    }
}

/// True where no two of these rows are the same.
fn unique<T: Eq + Hash>(rows: usize, row: impl Fn(usize) -> Option<T>) -> bool {
    let mut seen = RowTable::new();
    (0..rows).all(|at| {
        let hash = seen.hash(row(at));
        let is_new = seen.find(hash, |other| row(other) == row(at)).is_none();
        seen.insert(hash, at);
        is_new
    })
}
