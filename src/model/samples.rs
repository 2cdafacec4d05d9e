//! The records of a capture, in columns.

use std::borrow::Cow;
use std::sync::Arc;

use super::labels::LabelSetId;
use super::tables::{StackId, ThreadId};
use super::unit::Unit;

/// What one value column means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleType {
    /// Name as the capture's tool writes it: `cpu`, `inuse_space`, `cycles:u`.
    pub name: String,
    /// Unit as written: `nanoseconds`, `bytes`, `count`. See [`Unit`](super::Unit).
    pub unit: String,
    /// Number of records that have a value of this type: non-zero values, or for perf the records of this event.
    pub records: u64,
    /// Decimals of the stored integers: 3 = the value 31.23 is stored as 31230. 0 but for formats with fractional counts.
    pub decimals: u8,
}

impl SampleType {
    /// A stored value (or a sum of stored values) in `unit`.
    ///
    /// Divides, and does not multiply by a fraction: 334618 with three decimals is then exactly the number that is written 334.618.
    pub fn in_unit(&self, stored: f64) -> f64 {
        stored / 10_f64.powi(i32::from(self.decimals))
    }

    /// True for values of the same kind under this name and unit: events of perf may differ in how precisely they tell the place, which its default
    /// event does from version to version (`cycles`, `cycles:ppp`, `cycles:P`).
    pub fn is_like(&self, name: &str, unit: &str) -> bool {
        self.unit == unit && self.is_named_like(name)
    }

    fn is_named_like(&self, name: &str) -> bool {
        self.name == name || without_precision(&self.name) == without_precision(name)
    }

    /// True for values that compare with those of this name and unit: [like](Self::is_like) them, or they would be in another unit of
    /// the same kind (`cpu/milliseconds`, `cpu/nanoseconds`).
    pub fn compares_with(&self, name: &str, unit: &str) -> bool {
        self.is_named_like(name) && (self.unit == unit || Unit::parse(&self.unit).per(&Unit::parse(unit)).is_some())
    }

    /// How many stored integers with `decimals` in `unit` are one of these; `None` where that is no whole number, or never.
    pub fn steps(&self, unit: &str, decimals: u8) -> Option<u64> {
        let per = if self.unit == unit { 1.0 } else { Unit::parse(&self.unit).per(&Unit::parse(unit))? };
        let finer = 10_u64.checked_pow(u32::from(decimals.checked_sub(self.decimals)?))?;
        // All factors of units are whole numbers far below 2^53.
        (per >= 1.0 && per.fract() == 0.0).then(|| finer.checked_mul(per as u64)).flatten()
    }
}

/// An event's name without the modifiers `p` and `P` (perf-list(1), "Event modifiers").
fn without_precision(name: &str) -> Cow<'_, str> {
    let Some((event, modifiers)) = name.rsplit_once(':') else { return Cow::Borrowed(name) };
    let is_precision = |letter: char| matches!(letter, 'p' | 'P');
    // `sched:sched_switch` has a name behind the colon.
    if !modifiers.contains(is_precision) || !modifiers.chars().all(|letter| "ukhGHIpPSDWeb".contains(letter)) {
        return Cow::Borrowed(name);
    }
    match modifiers.replace(is_precision, "") {
        rest if rest.is_empty() => Cow::Borrowed(event),
        rest => Cow::Owned(format!("{event}:{rest}")),
    }
}

/// All records: every column has one entry per sample.
///
/// Finding names gives samples other stacks and nothing else, so all but the stacks is shared with the capture as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    pub(super) stack: Vec<Option<StackId>>,
    /// Without stacks.
    pub(super) rest: Arc<Columns>,
}

/// Samples that are still being added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) stack: Vec<Option<StackId>>,
    pub(super) thread: Vec<Option<ThreadId>>,
    pub(super) labels: Vec<Option<LabelSetId>>,
    /// Nanoseconds, [`NO_TIME`] = this sample has none; empty where no sample has one.
    pub(super) time: Vec<i64>,
    /// First and last of them.
    pub(super) range: Option<(i64, i64)>,
    pub(super) values: Vec<Vec<i64>>,
}

/// Mark of a missing time.
pub(super) const NO_TIME: i64 = i64::MIN;

impl Columns {
    pub(super) fn len(&self) -> usize {
        self.stack.len()
    }

    pub(super) fn has_times(&self) -> bool {
        !self.time.is_empty()
    }

    /// The values of one sample type; empty for a type that does not exist.
    pub(super) fn values(&self, sample_type: usize) -> &[i64] {
        self.values.get(sample_type).map_or(&[], Vec::as_slice)
    }

    /// Takes a time, or first and last of several, into the range.
    pub(super) fn reach(&mut self, (first, last): (i64, i64)) {
        let (from, to) = self.range.unwrap_or((first, last));
        self.range = Some((from.min(first), to.max(last)));
    }

    /// The samples, of which there will be no more.
    pub(super) fn finish(mut self) -> Samples {
        Samples { stack: std::mem::take(&mut self.stack), rest: Arc::new(self) }
    }
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.stack.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.stack.is_empty()
    }

    /// The stack of each sample; `None` = recorded without one.
    pub fn stacks(&self) -> &[Option<StackId>] {
        &self.stack
    }

    /// The thread of each sample.
    pub fn threads(&self) -> &[Option<ThreadId>] {
        &self.rest.thread
    }

    /// The label set of each sample.
    pub fn labels(&self) -> &[Option<LabelSetId>] {
        &self.rest.labels
    }

    /// The values of one sample type, one per sample; empty for a type that does not exist.
    pub fn values(&self, sample_type: usize) -> &[i64] {
        self.rest.values(sample_type)
    }

    /// True where at least one sample has a time.
    pub fn has_times(&self) -> bool {
        self.rest.has_times()
    }

    /// Time of a sample in nanoseconds of the capture's clock.
    pub fn time(&self, row: usize) -> Option<i64> {
        self.rest.time.get(row).copied().filter(|&time| time != NO_TIME)
    }

    /// First and last sample time.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        self.rest.range
    }

    /// The same samples over other stacks; `moved` gives the new stack of each old one.
    pub(crate) fn with_stacks(&self, moved: impl Fn(StackId) -> Option<StackId>) -> Self {
        Self { stack: self.stack.iter().map(|stack| stack.and_then(&moved)).collect(), rest: Arc::clone(&self.rest) }
    }

    /// The same samples with these stacks, one each.
    pub(crate) fn with_stack_rows(&self, stack: Vec<Option<StackId>>) -> Self {
        Self { stack, rest: Arc::clone(&self.rest) }
    }

    /// Bytes held by the columns.
    pub fn bytes(&self) -> usize {
        self.len() * 12 + self.rest.time.len() * 8 + self.rest.values.iter().map(|column| column.len() * 8).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_differ_in_precision_alone_are_alike() {
        let is_like = |one: &str, other: &str| {
            let kind = SampleType { name: one.to_owned(), unit: "count".to_owned(), ..SampleType::default() };
            kind.is_like(other, "count")
        };
        for names in [["cycles", "cycles:P"], ["cycles:ppp", "cycles:P"], ["cycles:uppp", "cycles:u"], ["cpu-clock:pppH", "cpu-clock:H"]] {
            assert!(is_like(names[0], names[1]) && is_like(names[1], names[0]), "{names:?}");
        }
        for names in [["cycles:u", "cycles"], ["cycles:uP", "cycles:kP"], ["cycles", "instructions:P"], ["sched:sched_pp", "sched:sched_p"]]
        {
            assert!(!is_like(names[0], names[1]) && !is_like(names[1], names[0]), "{names:?}");
        }
        let other = SampleType { name: "cycles".to_owned(), unit: "nanoseconds".to_owned(), ..SampleType::default() };
        assert!(!other.is_like("cycles", "count"), "the unit is another");
    }
}
