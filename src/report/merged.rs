//! Before and after as one profile, the way `go tool pprof -diff_base … -proto` saves a comparison, and back.
//!
//! Samples of before are negated and carry the label `pprof::base=true`; tools that know the label take percentages of before.
//! Deliberately absent: scaling. Start reading at [`merge_pair`] and [`split_pair`];
//! [`split_columns`] does the same for folded stacks.

use super::part::{Choice, copy_head};
use crate::analysis::comparison::finest;
use crate::model::{BASE_LABEL, Builder, Profile, SampleType, Tally, kind};

/// How long each side took, as comments: a pprof file has room for one duration, and rates need both.
const TOOK: [&str; 2] = ["emberlens: before took ", "emberlens: after took "];

/// The difference of two captures as one profile with the sample types that both have, in the finer unit of the two.
pub fn merge_pair(before: &Profile, after: &Profile) -> Profile {
    let mut builder = Builder::default();
    copy_head(&mut builder, after, |kind| {
        let other = before.sample_types.get(before.comparable_column(&kind.name, &kind.unit)?)?;
        let (unit, decimals) = finest([other, kind], &kind.unit);
        Some(SampleType { unit, decimals, ..kind.clone() })
    });
    // As pprof merges: the earliest start, and the time of both.
    builder.info.start_unix_nanos = before.info.start_unix_nanos.into_iter().chain(after.info.start_unix_nanos).min();
    builder.info.duration_nanos = before.info.duration_nanos.zip(after.info.duration_nanos).map(|(a, b)| a.saturating_add(b));
    builder.info.comments.retain(|comment| took(comment).is_none());
    for (name, side) in TOOK.into_iter().zip([before, after]) {
        builder.info.comments.extend(side.info.duration_nanos.map(|nanos| format!("{name}{nanos} ns")));
    }
    let (mine, theirs) = (before.info.tally, after.info.tally);
    builder.info.tally = Tally::new(mine.used.saturating_add(theirs.used), mine.skipped.saturating_add(theirs.skipped));
    Choice { negate: true, with_label: Some(BASE_LABEL), ..Choice::ALL }.copy_into(&mut builder, before);
    Choice::ALL.copy_into(&mut builder, after);
    builder.notes.absorb(&before.notes);
    builder.finish()
}

/// The two sides of a saved comparison, before first; `None` for any other profile.
///
/// Facts are those of the comparison. Sides have durations only where Emberlens saved it: pprof saves the sum of both.
pub fn split_pair(profile: &Profile) -> Option<(Profile, Profile)> {
    let base = profile.base_label_sets()?;
    let is_before = |row: usize| profile.samples.labels().get(row).copied().flatten().is_some_and(|set| base.get(set.row()) == Some(&true));
    let side = |before: bool| {
        let mut builder = Builder::default();
        copy_head(&mut builder, profile, |kind| Some(kind.clone()));
        let sample = |row: usize| is_before(row) == before;
        let without_label = Some(BASE_LABEL);
        Choice { sample: &sample, negate: before, without_label, unused: false, ..Choice::ALL }.copy_into(&mut builder, profile);
        let durations = profile.info.comments.iter().filter_map(|comment| took(comment));
        builder.info.duration_nanos = durations.filter(|(side, _)| (*side == 0) == before).map(|(_, nanos)| nanos).next_back();
        builder.info.comments.retain(|comment| took(comment).is_none());
        builder.info.tally = Tally::default();
        builder.notes.remove(kind::SAVED_COMPARISON);
        builder.finish()
    };
    Some((side(true), side(false)))
}

/// The side, 0 = before, and the nanoseconds of a comment that says how long it took.
fn took(comment: &str) -> Option<(usize, i64)> {
    let (side, rest) = TOOK.iter().enumerate().find_map(|(side, name)| Some((side, comment.strip_prefix(name)?)))?;
    Some((side, rest.strip_suffix(" ns")?.parse().ok().filter(|&nanos| nanos > 0)?))
}

/// The two sides of a comparison as folded stacks with two numbers a line, before first, as `export --diff` and `difffolded.pl` write them; `None`
/// for any other profile.
///
/// Each side has the samples with a value there, under one name for both sides.
pub fn split_columns(profile: &Profile) -> Option<(Profile, Profile)> {
    let [before, after] = profile.sample_types.as_slice() else { return None };
    if (profile.info.format.as_str(), before.name.as_str(), after.name.as_str()) != ("folded", "before", "after") {
        return None;
    }
    let side = |column: usize| {
        let mut builder = Builder::default();
        let wanted = profile.sample_types.get(column)?;
        copy_head(&mut builder, profile, |kind| (kind.name == wanted.name).then(|| kind.clone()));
        let has_value = |row: usize| profile.samples.values(column).get(row).is_some_and(|&value| value != 0);
        Choice { sample: &has_value, unused: false, ..Choice::ALL }.copy_into(&mut builder, profile);
        for kind in &mut builder.sample_types {
            "samples".clone_into(&mut kind.name);
        }
        builder.info.tally = Tally::default();
        builder.notes.remove(kind::GUESSED);
        Some(builder.finish())
    };
    Some((side(0)?, side(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::filter;
    use crate::model::{Sample, check};

    fn profile(lines: &[(&str, i64)]) -> Profile {
        let mut builder = Builder::new([("samples", "count")]);
        for (stack, value) in lines {
            let at = builder.stack_named(stack);
            builder.rows.sample(Sample { stack: at, ..Sample::default() }, &[*value]);
        }
        builder.finish()
    }

    #[test]
    fn the_sum_is_after_minus_before_and_before_is_marked() {
        let (mut before, mut after) = (profile(&[("main;a", 5), ("main;b", 2)]), profile(&[("main;a", 7), ("main;c", 1)]));
        // Rates of the two sides are the same again, though the file says how long both took together.
        (before.info.duration_nanos, after.info.duration_nanos) = (Some(20_000_000_000), Some(31_000_000_000));
        let merged = merge_pair(&before, &after);
        assert_eq!(check(&merged), []);
        assert_eq!(merged.total(0), 8 - 7);
        assert_eq!(merged.info.duration_nanos, Some(51_000_000_000));
        let marked = merged.samples.labels().iter().zip(merged.samples.values(0));
        let base: i64 = marked.filter(|(set, _)| set.is_some()).map(|(_, value)| value).sum();
        assert_eq!(base, -7);
        let labels: Vec<_> = merged.label_sets.iter().map(|set| filter::texts(&merged, set)).collect();
        assert_eq!(labels, [[("pprof::base".to_owned(), "true".to_owned())]]);
        let (again_before, again_after) = split_pair(&merged).expect("it is a saved comparison");
        assert_eq!((&again_before, &again_after), (&before, &after));
        assert!(split_pair(&after).is_none());
        let elsewhere = ["emberlens: before took ns", "emberlens: before took -5 ns", "before took 5 ns"];
        assert_eq!(elsewhere.map(took), [None; 3]);
    }
}
