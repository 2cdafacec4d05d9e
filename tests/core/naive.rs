//! The slowest obvious way to add a profile up: what the fast code is compared with.

use std::collections::{BTreeMap, BTreeSet};

use emberlens::model::Profile;

/// Self and total of each frame name for one sample type; a name that stands several times in a stack counts once towards its total.
pub(crate) fn top(profile: &Profile, sample_type: usize) -> BTreeMap<String, (i128, i128)> {
    let mut rows = BTreeMap::<String, (i128, i128)>::new();
    for (stack, value) in profile.samples.stacks().iter().zip(profile.samples.values(sample_type)) {
        let value = i128::from(*value);
        let names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect();
        if let Some(leaf) = names.first() {
            rows.entry(leaf.clone()).or_default().0 += value;
        }
        for name in names.into_iter().collect::<BTreeSet<_>>() {
            rows.entry(name).or_default().1 += value;
        }
    }
    rows
}

/// Folded text: outermost frame first, `;` inside names written as `:`, equal stacks added up, lines sorted by bytes.
pub(crate) fn folded(profile: &Profile, sample_type: usize) -> String {
    let mut stacks = BTreeMap::<String, i128>::new();
    for (stack, value) in profile.samples.stacks().iter().zip(profile.samples.values(sample_type)) {
        let mut names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame).replace(';', ":")).collect();
        names.reverse();
        *stacks.entry(names.join(";")).or_default() += i128::from(*value);
    }
    stacks.iter().map(|(stack, value)| format!("{stack} {value}\n")).collect()
}
