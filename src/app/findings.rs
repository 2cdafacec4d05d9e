//! The list of findings as it is on screen: what the filter lets through, in groups or by rank.
//!
//! Panel, keys and scripts step through the same list. Deliberately absent: what a finding is (`analysis::regress`). Start reading at
//! [`order`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::analysis::diff::{Spec, Verdict};
use crate::analysis::regress::{Cause, Finding};

/// Kinds of rows that can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Regressions and new places.
    Worse,
    /// Improvements and places that are gone.
    Better,
    /// Cost that only stands elsewhere.
    Moved,
    /// Everything that is no finding.
    Others,
}

impl FindingKind {
    /// All, in the order of the switches.
    pub const ALL: [Self; 4] = [Self::Worse, Self::Better, Self::Moved, Self::Others];

    /// Words on the switch.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Worse => "Worse",
            Self::Better => "Better",
            Self::Moved => "Moved",
            Self::Others => "Others",
        }
    }

    /// What a row is.
    pub const fn of(verdict: Verdict) -> Self {
        if verdict.is_worse() {
            Self::Worse
        } else if verdict.is_structure() {
            Self::Moved
        } else if verdict.is_change() {
            Self::Better
        } else {
            Self::Others
        }
    }
}

/// What of the findings is shown, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct FindingList {
    /// Text that function, verdict or reason must hold; empty = all.
    pub text: String,
    /// Kinds not shown.
    pub hidden: BTreeSet<FindingKind>,
    /// Findings of one cause stand together.
    pub grouped: bool,
}

impl Default for FindingList {
    fn default() -> Self {
        Self { text: String::new(), hidden: BTreeSet::new(), grouped: true }
    }
}

impl FindingList {
    /// True where a row is shown.
    pub fn shows(&self, row: &Finding) -> bool {
        if self.hidden.contains(&FindingKind::of(row.verdict)) {
            return false;
        }
        let text = self.text.trim().to_lowercase();
        let has = |part: &str| part.to_lowercase().contains(&text);
        text.is_empty() || has(&row.func) || has(row.verdict.label()) || has(&row.because) || row.new.as_deref().is_some_and(has)
    }
}

/// Rows of findings in the order on screen: groups by their best rank, and within each by rank.
pub fn order(rows: &[Finding], list: &FindingList) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..rows.len()).filter(|&at| list.shows(&rows[at])).collect();
    if list.grouped {
        let mut causes: Vec<Cause> = Vec::new();
        for &at in &shown {
            if !causes.contains(&rows[at].cause) {
                causes.push(rows[at].cause);
            }
        }
        shown.sort_by_key(|&at| (causes.iter().position(|cause| *cause == rows[at].cause), at));
    }
    shown
}

/// From where on a change is named, as the user sets it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Thresholds {
    /// Error level: see [`Spec::level`].
    pub level: f64,
    /// Minimum effect as a part of the total: see [`Spec::min_share`].
    pub min_share: f64,
    /// Minimum effect as a ratio: see [`Spec::min_ratio`].
    pub min_ratio: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        let Spec { level, min_share, min_ratio, .. } = Spec::default();
        Self { level, min_share, min_ratio }
    }
}

// Keys of results hold it: its numbers are finite (see `sane`), so equal bits are equal numbers.
impl Eq for Thresholds {}

impl std::hash::Hash for Thresholds {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        [self.level, self.min_share, self.min_ratio].map(f64::to_bits).hash(state);
    }
}

impl Thresholds {
    /// The same within what the test can use.
    pub(super) fn sane(self) -> Self {
        let default = Self::default();
        let within = |value: f64, least: f64, most: f64, default: f64| if value.is_finite() { value.clamp(least, most) } else { default };
        Self {
            level: within(self.level, 1e-6, 0.5, default.level),
            min_share: within(self.min_share, 0.0, 0.5, default.min_share),
            min_ratio: within(self.min_ratio, 0.0, 5.0, default.min_ratio),
        }
    }

    /// What the test is told.
    pub fn spec(self) -> Spec {
        Spec { level: self.level, min_share: self.min_share, min_ratio: self.min_ratio, ..Spec::default() }
    }
}
