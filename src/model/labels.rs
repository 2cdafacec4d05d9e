//! Sets of labels (pprof's tags), interned: a sample holds only the set's id.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::base::intern::StringId;
use crate::index;

index!(
    /// A row of [`LabelSets`].
    LabelSetId
);

/// One key with one value. A set may hold a key several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// The key.
    pub key: StringId,
    /// The value.
    pub value: LabelValue,
}

/// Key and value of pprof's mark of samples that belong to the side before of a saved comparison.
pub const BASE_LABEL: (&str, &str) = ("pprof::base", "true");

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelValue {
    /// Text.
    Text(StringId),
    /// A number; the unit where the file has one.
    Number(i64, Option<StringId>),
}

/// Distinct sets, each sorted by key and value id.
#[derive(Clone, Default)]
pub struct LabelSets {
    labels: Vec<Label>,
    ends: Vec<usize>,
    table: HashTable<u32>,
}

impl LabelSets {
    /// The id of a set, which is added if it is new; `None` for the empty set. Order does not matter, repeats are kept.
    pub fn intern(&mut self, labels: &[Label]) -> Option<LabelSetId> {
        if labels.is_empty() {
            return None;
        }
        if !labels.is_sorted() {
            let mut sorted = labels.to_vec();
            sorted.sort_unstable();
            return self.intern(&sorted);
        }
        let hash = FxBuildHasher.hash_one(labels);
        let found = self.table.find(hash, |&row| self.row(row as usize) == labels).copied();
        if let Some(row) = found {
            return LabelSetId::from_row(row as usize);
        }
        let row = self.ends.len();
        self.labels.extend_from_slice(labels);
        self.ends.push(self.labels.len());
        let (labels, ends) = (&self.labels, &self.ends);
        self.table.insert_unique(hash, row as u32, |&row| FxBuildHasher.hash_one(slice(labels, ends, row as usize)));
        LabelSetId::from_row(row)
    }

    /// The labels of a set, sorted by key id.
    pub fn get(&self, id: LabelSetId) -> &[Label] {
        self.row(id.row())
    }

    /// Number of distinct sets.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True where no sample has a label.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All sets in row order.
    pub fn iter(&self) -> impl Iterator<Item = &[Label]> {
        (0..self.ends.len()).map(|row| self.row(row))
    }

    fn row(&self, row: usize) -> &[Label] {
        slice(&self.labels, &self.ends, row)
    }
}

fn slice<'a>(labels: &'a [Label], ends: &[usize], row: usize) -> &'a [Label] {
    let start = if row == 0 { 0 } else { ends.get(row - 1).copied().unwrap_or(0) };
    let end = ends.get(row).copied().unwrap_or(start);
    labels.get(start..end).unwrap_or(&[])
}

impl PartialEq for LabelSets {
    fn eq(&self, other: &Self) -> bool {
        self.labels == other.labels && self.ends == other.ends
    }
}

impl std::fmt::Debug for LabelSets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
