//! How much of a sample type each value of each label holds: pprof's `-tags`.
//!
//! Values that stand several times in one sample's labels count once. Deliberately absent: shares of sides for the menus of the window, which
//! [`facets`](mod@super::facets) has. Start reading at [`label_sums`].

use std::collections::BTreeMap;

use super::filter::{Chosen, Filter, texts};
use super::transform::by_names;
use crate::base::ticket::Checked as _;
use crate::model::Profile;

/// What the samples with a label hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSums {
    /// All of them.
    pub total: i64,
    /// By the label's value; a sample with several of them counts for each.
    pub values: BTreeMap<String, i64>,
}

/// The labels of a capture's samples that pass a filter, by key, and what all of these samples hold.
pub fn label_sums(profile: &Profile, column: usize, filter: &Filter) -> (BTreeMap<String, LabelSums>, i64) {
    let transformed = by_names(profile, filter);
    let left = transformed.as_ref().and_then(|transformed| transformed.samples.as_deref());
    let chosen = Chosen::new(profile, &[filter]).of_stacks(left);
    let mut of_sets = vec![0_i64; profile.label_sets.len()];
    let mut all = 0_i64;
    for (row, (&value, set)) in profile.samples.values(column).iter().zip(profile.samples.labels()).enumerate().checked() {
        if value != 0 && chosen.has(row) {
            all = all.saturating_add(value);
            if let Some(sum) = set.and_then(|set| of_sets.get_mut(set.row())) {
                *sum = sum.saturating_add(value);
            }
        }
    }
    let mut labels = BTreeMap::<String, LabelSums>::new();
    for (set, sum) in profile.label_sets.iter().zip(of_sets).checked().filter(|(_, sum)| *sum != 0) {
        let mut pairs = texts(profile, set);
        pairs.sort_unstable();
        pairs.dedup();
        let mut last: Option<String> = None;
        for (key, value) in pairs {
            let sums = labels.entry(key.clone()).or_default();
            if last.as_ref() != Some(&key) {
                sums.total = sums.total.saturating_add(sum);
            }
            let place = sums.values.entry(value).or_default();
            *place = place.saturating_add(sum);
            last = Some(key);
        }
    }
    (labels, all)
}
