//! Before and after as one profile, the way `go tool pprof -diff_base … -proto` saves a comparison.
//!
//! Samples of before are negated and carry the label `pprof::base=true`; tools that know the label take percentages of before.
//! Deliberately absent: scaling. Start reading at [`merge_pair`].

use crate::base::index::{Column, Index};
use crate::model::{Builder, Frame, FrameId, Function, Label, LabelSetId, LabelValue, Mapping, Profile, Sample, StackId, StringId, Thread};

/// Label of the samples that are compared from.
const BASE_LABEL: (&str, &str) = ("pprof::base", "true");

/// The difference of two captures as one profile with the sample types that both have.
pub fn merge_pair(before: &Profile, after: &Profile) -> Profile {
    let mut builder = Builder::default();
    for kind in &after.sample_types {
        let same =
            |other: &&crate::model::SampleType| other.name == kind.name && other.unit == kind.unit && other.decimals == kind.decimals;
        if before.sample_types.iter().any(|other| same(&other)) {
            let row = builder.add_sample_type(&kind.name, &kind.unit);
            if let Some(made) = builder.sample_types.get_mut(row) {
                made.decimals = kind.decimals;
            }
        }
    }
    let default = after.sample_types.get(after.default_sample_type).map(|kind| kind.name.as_str());
    builder.default_sample_type = builder.sample_types.iter().position(|kind| Some(kind.name.as_str()) == default).unwrap_or(0);
    builder.info = after.info.clone();
    // As pprof merges: the earliest start, and the time of both.
    builder.info.start_unix_nanos = before.info.start_unix_nanos.into_iter().chain(after.info.start_unix_nanos).min();
    builder.info.duration_nanos = before.info.duration_nanos.zip(after.info.duration_nanos).map(|(a, b)| a.saturating_add(b));
    add(&mut builder, before, Some(BASE_LABEL));
    add(&mut builder, after, None);
    builder.notes.absorb(&before.notes);
    builder.notes.absorb(&after.notes);
    builder.finish()
}

/// Copies the rows of a profile into the builder; a label makes it the negative side.
fn add(builder: &mut Builder, profile: &Profile, negative: Option<(&str, &str)>) {
    let strings: Vec<StringId> = profile.strings.iter().map(|text| builder.string(text)).collect();
    let string = |id: StringId| strings.get(id.row()).copied().unwrap_or(id);
    let functions = copy(&profile.functions, |row: &Function| {
        builder.function(Function { name: string(row.name), system_name: row.system_name.map(string), file: row.file.map(string), ..*row })
    });
    let mappings = copy(&profile.mappings, |row: &Mapping| {
        builder.mapping(Mapping { file: row.file.map(string), build_id: row.build_id.map(string), ..*row })
    });
    let frames: Vec<FrameId> = copy(&profile.frames, |row: &Frame| {
        let function = row.function.and_then(|id| functions.get(id.row()).copied());
        let mapping = row.mapping.and_then(|id| mappings.get(id.row()).copied());
        builder.frame(Frame { function, mapping, ..*row })
    });
    let threads = copy(&profile.threads, |row: &Thread| builder.thread(Thread { name: string(row.name), ..*row }));
    let mut stacks: Vec<StackId> = Vec::with_capacity(profile.stacks.len());
    for (parent, frame) in profile.stacks.parents().iter().zip(profile.stacks.frames()) {
        // A parent stands before its children, so it is in the list already.
        let parent = parent.and_then(|parent| stacks.get(parent.row()).copied());
        stacks.push(builder.stack(parent, frames.get(frame.row()).copied().unwrap_or(*frame)));
    }
    let mark = negative.map(|(key, text)| Label { key: builder.string(key), value: LabelValue::Text(builder.string(text)) });
    let mut label_set = |labels: &[Label]| -> Option<LabelSetId> {
        let moved = labels.iter().map(|label| {
            let value = match label.value {
                LabelValue::Text(text) => LabelValue::Text(string(text)),
                LabelValue::Number(number, unit) => LabelValue::Number(number, unit.map(string)),
            };
            Label { key: string(label.key), value }
        });
        let all: Vec<Label> = moved.chain(mark).collect();
        builder.rows.label_set(&all)
    };
    let unlabelled = label_set(&[]);
    let sets: Vec<Option<LabelSetId>> = profile.label_sets.iter().map(&mut label_set).collect();
    let columns: Vec<&[i64]> = builder
        .sample_types
        .iter()
        .map(|kind| profile.sample_types.iter().position(|other| other.name == kind.name && other.unit == kind.unit))
        .map(|row| row.map_or(&[][..], |row| profile.samples.values(row)))
        .collect();
    let samples = &profile.samples;
    let mut values = Vec::with_capacity(columns.len());
    for (row, ((stack, thread), labels)) in samples.stacks().iter().zip(samples.threads()).zip(samples.labels()).enumerate() {
        values.clear();
        values.extend(
            columns
                .iter()
                .map(|column| column.get(row).copied().unwrap_or(0))
                .map(|value| if negative.is_some() { value.saturating_neg() } else { value }),
        );
        let sample = Sample {
            stack: stack.and_then(|stack| stacks.get(stack.row()).copied()),
            thread: thread.and_then(|thread| threads.get(thread.row()).copied()),
            labels: labels.map_or(unlabelled, |set| sets.get(set.row()).copied().flatten()),
            time: samples.time(row),
        };
        builder.rows.sample(sample, &values);
    }
}

fn copy<I: Index, T, N>(rows: &Column<I, T>, each: impl FnMut(&T) -> N) -> Vec<N> {
    rows.as_slice().iter().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::filter;
    use crate::model::check;

    fn profile(lines: &[(&str, i64)]) -> Profile {
        let mut builder = Builder::new([("samples", "count")]);
        for (stack, value) in lines {
            let mut at = None;
            for name in stack.split(';') {
                let function = Some(builder.function_named(name));
                let frame = builder.frame(Frame { function, ..Frame::default() });
                at = Some(builder.stack(at, frame));
            }
            builder.rows.sample(Sample { stack: at, ..Sample::default() }, &[*value]);
        }
        builder.finish()
    }

    #[test]
    fn the_sum_is_after_minus_before_and_before_is_marked() {
        let (before, after) = (profile(&[("main;a", 5), ("main;b", 2)]), profile(&[("main;a", 7), ("main;c", 1)]));
        let merged = merge_pair(&before, &after);
        assert_eq!(check(&merged), []);
        assert_eq!(merged.total(0), 8 - 7);
        let marked = merged.samples.labels().iter().zip(merged.samples.values(0));
        let base: i64 = marked.filter(|(set, _)| set.is_some()).map(|(_, value)| value).sum();
        assert_eq!(base, -7);
        let labels: Vec<_> = merged.label_sets.iter().map(|set| filter::texts(&merged, set)).collect();
        assert_eq!(labels, [[("pprof::base".to_owned(), "true".to_owned())]]);
    }
}
