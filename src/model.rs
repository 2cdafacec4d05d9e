//! What ONE capture says, in columns.
//!
//! A [`Profile`] is immutable once [`Builder`] made it and is shared as `Arc<Profile>`. Deliberately absent: file formats, symbol
//! search, trees, totals over functions, threads of this program. Start reading at [`Profile`], then [`Builder`].

mod builder;
mod check;
mod labels;
mod notes;
mod samples;
mod scale;
mod tables;
mod unit;

pub use builder::{Builder, Maps, Moves, Names, Rows, Sample};
pub use check::{Broken, check};
pub use labels::{BASE_LABEL, Label, LabelSetId, LabelSets, LabelValue};
pub use notes::{Note, Notes, Tally, kind, note_words};
pub use samples::{SampleType, Samples};
pub use scale::{Scale, time_mark};
pub use tables::{FileId, Frame, FrameId, Function, FunctionId, Mapping, MappingId, Numbering, StackId, StackTable, Thread, ThreadId};
pub use unit::{Unit, counted, grouped, human, human_delta, human_duration, human_of, parse_human, type_name};

pub use crate::base::inflate::Container;
pub use crate::base::intern::{StringId, Strings};

use crate::base::index::Column;
use crate::base::spread::Spread;

/// How the kernel is named as a module.
const KERNEL: &str = "[kernel.kallsyms]";

/// One capture.
///
/// Invariants, held by [`check()`]:
/// - every id names a row of its table; `strings` hold no duplicates; functions, mappings, frames, threads and label sets are unique;
/// - a stack's parent stands before it, so a forward loop sees callers first and a backward loop callees first;
/// - every column of `samples` has one entry per sample; the time column may be absent as a whole;
/// - `sample_types` and the value columns have the same length, `default_sample_type` names one of them where there is any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// All text.
    pub strings: Strings,
    /// Named code.
    pub functions: Spread<FunctionId, Function>,
    /// Loaded modules (binaries, libraries, kernel).
    pub mappings: Column<MappingId, Mapping>,
    /// Levels of stacks: function, line, address, inlined or not.
    pub frames: Spread<FrameId, Frame>,
    /// Distinct stacks as a forest of frames.
    pub stacks: StackTable,
    /// Processes and threads by name; empty where the format has none.
    pub threads: Column<ThreadId, Thread>,
    /// Distinct sets of labels.
    pub label_sets: LabelSets,
    /// The records.
    pub samples: Samples,
    /// What each value column means.
    pub sample_types: Vec<SampleType>,
    /// Row of `sample_types` that a viewer shows first.
    pub default_sample_type: usize,
    /// Where the capture comes from.
    pub info: Info,
    /// What was lost or guessed on the way.
    pub notes: Notes,
}

/// Where a capture comes from and how it was taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// Name of the format's reader: `pprof`, `perf-data`, `go-text` and so on.
    pub format: String,
    /// Compression around it.
    pub container: Container,
    /// Start of the capture, nanoseconds since 1970 in UTC.
    pub start_unix_nanos: Option<i64>,
    /// Length of the capture in nanoseconds. Where the format has no field for it: last minus first sample time.
    pub duration_nanos: Option<i64>,
    /// What one event is, and how many of its units lie between two samples: (type, unit, period).
    pub period: Option<(String, String, i64)>,
    /// Free text kept in the capture.
    pub comments: Vec<String>,
    /// A page about the capture; shown as a link, never opened by itself.
    pub doc_url: Option<String>,
    /// pprof's patterns of frames to drop and to keep.
    pub drop_frames: Option<String>,
    /// See `drop_frames`.
    pub keep_frames: Option<String>,
    /// Host, command, versions and the like, in the order of the file: (key, text). Keys are lower-case words.
    pub facts: Vec<(String, String)>,
    /// Sample records in the input, and how many of them were used. A reader that skips some says so; else all rows count as used.
    pub tally: Tally,
    /// Modules with addresses that were looked up and have no name, those in most samples first.
    pub unnamed: Vec<Unnamed>,
}

/// A module with addresses that have no name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unnamed {
    /// Path of the module, or what stands for one: `[kernel]`, `[vdso]`, `no known module`.
    pub module: String,
    /// Build id in lower-case hex.
    pub build_id: Option<String>,
    /// Number of its addresses without a name.
    pub addresses: u64,
    /// Number of samples with at least one of them in their stack.
    pub samples: u64,
    /// Why: `the file is not on this machine`.
    pub why: String,
    /// What would help.
    pub fix: String,
}

impl Info {
    /// The page about the capture, where its address is an absolute one of the web: only such may be shown as one (pprof's `doc_url`).
    pub fn page(&self) -> Option<&str> {
        let is_web = |url: &&str| {
            ["http://", "https://"].iter().any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        };
        self.doc_url.as_deref().filter(is_web)
    }

    /// The text of a fact.
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.facts.iter().find(|(name, _)| name == key).map(|(_, text)| text.as_str())
    }
}

impl Profile {
    /// Sum of one value column, in stored integers (see [`SampleType::in_unit`]); saturates at the ends of `i64`. 0 for a column that does not exist.
    pub fn total(&self, sample_type: usize) -> i64 {
        let sum: i128 = self.samples.values(sample_type).iter().map(|&value| i128::from(value)).sum();
        i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
    }

    /// Sum of the absolute values of one column: the denominator that pprof uses, and the right one where values are negative.
    pub fn gross_total(&self, sample_type: usize) -> u64 {
        let sum: u128 = self.samples.values(sample_type).iter().map(|&value| u128::from(value.unsigned_abs())).sum();
        u64::try_from(sum).unwrap_or(u64::MAX)
    }

    /// What pprof takes percentages of where the capture is a comparison that it saved: the sum of absolute values of the side before only. `None`
    /// where no sample is marked, or the marked ones hold nothing (pprof's `computeTotal`).
    pub fn base_gross_total(&self, sample_type: usize) -> Option<u64> {
        let base = self.base_label_sets()?;
        let marked = |set: &Option<LabelSetId>| set.is_some_and(|set| base.get(set.row()) == Some(&true));
        let values = self.samples.values(sample_type).iter().zip(self.samples.labels());
        let sum: u128 = values.filter(|(_, set)| marked(set)).map(|(&value, _)| u128::from(value.unsigned_abs())).sum();
        Some(u64::try_from(sum).unwrap_or(u64::MAX)).filter(|&sum| sum > 0)
    }

    /// For each label set: whether it marks samples of the side before in a saved comparison; `None` where no set does.
    pub fn base_label_sets(&self) -> Option<Vec<bool>> {
        let (key, text) = (self.strings.find(BASE_LABEL.0)?, self.strings.find(BASE_LABEL.1)?);
        let mark = Label { key, value: LabelValue::Text(text) };
        let sets: Vec<bool> = self.label_sets.iter().map(|set| set.contains(&mark)).collect();
        sets.contains(&true).then_some(sets)
    }

    /// Row of the sample type of that name. `type/unit` and pprof's short forms (`space` for `inuse_space`) are understood.
    pub fn find_sample_type(&self, name: &str) -> Option<usize> {
        let by = |matches: &dyn Fn(&SampleType) -> bool| self.sample_types.iter().position(matches);
        by(&|kind| kind.name == name)
            .or_else(|| by(&|kind| format!("{}/{}", kind.name, kind.unit) == name))
            .or_else(|| by(&|kind| kind.name.strip_prefix("inuse_") == Some(name)))
            .or_else(|| name.parse().ok().filter(|&row| row < self.sample_types.len()))
    }

    /// Row of the sample type of that name and unit; where there is none, of one that is [like](SampleType::is_like) it.
    pub fn column_of(&self, name: &str, unit: &str) -> Option<usize> {
        let exact = self.sample_types.iter().position(|kind| kind.name == name && kind.unit == unit);
        exact.or_else(|| self.sample_types.iter().position(|kind| kind.is_like(name, unit)))
    }

    /// The same; where there is none, of one in another unit of the same kind, see [`SampleType::compares_with`].
    pub fn comparable_column(&self, name: &str, unit: &str) -> Option<usize> {
        self.column_of(name, unit).or_else(|| self.sample_types.iter().position(|kind| kind.compares_with(name, unit)))
    }

    /// The name of a function row; empty text for none.
    pub fn function_name(&self, id: FunctionId) -> &str {
        self.functions.get(id).map_or("", |function| self.strings.get(function.name))
    }

    /// The text of a frame's file name.
    pub fn mapping_file(&self, id: MappingId) -> &str {
        self.mappings.get(id).and_then(|mapping| mapping.file).map_or("", |file| self.strings.get(file))
    }

    /// The name of a frame: its function's, else `module+0xaddr`, else `0xaddr`, else `(unknown)`.
    ///
    /// `0xaddr` behind a module is the offset in its file, as `perf script` prints it, and not the address that the file itself gives the place
    /// (`p_vaddr`): only the file says that, and a name must not depend on whether the file is here.
    pub fn frame_name(&self, id: FrameId) -> String {
        let Some(frame) = self.frames.get(id) else { return String::new() };
        if let Some(function) = frame.function {
            let name = self.function_name(function);
            if !name.is_empty() {
                return name.to_owned();
            }
        }
        let module = frame.mapping.map(|mapping| base_name(self.mapping_file(mapping))).unwrap_or_default();
        // Behind the kernel's name stands the symbol by which its place is known (`[kernel.kallsyms]_text`).
        let module = if module.starts_with(KERNEL) { KERNEL } else { module };
        match (frame.address, module) {
            (Some(address), "") => format!("{address:#x}"),
            (Some(address), module) => {
                let mapping = frame.mapping.and_then(|mapping| self.mappings.get(mapping));
                // Relative to the file, so that two runs under address randomisation give one name.
                let relative = mapping.map_or(address, |mapping| mapping.file_address(address));
                format!("{module}+{relative:#x}")
            }
            (None, "") => "(unknown)".to_owned(),
            (None, module) => module.to_owned(),
        }
    }

    /// Frames of a stack, leaf first.
    pub fn stack_frames(&self, stack: Option<StackId>) -> impl Iterator<Item = FrameId> + '_ {
        std::iter::successors(stack, |&at| self.stacks.parent(at)).map(|at| self.stacks.frame(at))
    }
}

/// The part of a path after its last separator.
pub fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}
