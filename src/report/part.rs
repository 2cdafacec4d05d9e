//! Copies a choice of a capture's samples into a new profile, with only the frames that they use or with all.
//!
//! Deliberately absent: what to choose, which [`merged`](super::merged) and filters know. Start reading at `Choice`.

use crate::analysis::filter::{Chosen, Filter};
use crate::analysis::part::Part;
use crate::analysis::transform::{Transformed, by_names};
use crate::model::{
    Builder, Frame, FrameId, Function, Label, LabelSetId, LabelValue, Mapping, Profile, Sample, SampleType, StackId, StringId, Thread,
};

/// Which samples are copied, and how they change.
pub(super) struct Choice<'a> {
    /// Whether the sample of a row is copied.
    pub(super) sample: &'a dyn Fn(usize) -> bool,
    /// Stack rows that are left out, and what the others hang on then.
    pub(super) transformed: Option<&'a Transformed>,
    /// Whether values change their sign.
    pub(super) negate: bool,
    /// A label that each sample gets.
    pub(super) with_label: Option<(&'a str, &'a str)>,
    /// A label that is taken away from each sample.
    pub(super) without_label: Option<(&'a str, &'a str)>,
    /// Whether frames are copied that no copied sample uses.
    pub(super) unused: bool,
}

impl Choice<'_> {
    /// Everything as it is.
    pub(super) const ALL: Self =
        Self { sample: &|_| true, transformed: None, negate: false, with_label: None, without_label: None, unused: true };

    /// Copies the rows of a profile into the builder, whose sample types are there already; others are left out.
    pub(super) fn copy_into(&self, builder: &mut Builder, profile: &Profile) {
        let used = self.used_stacks(profile);
        let mut copy = Copy { builder, profile, frames: vec![None; profile.frames.len()] };
        if self.unused {
            copy.all();
        }
        let mut stacks: Vec<Option<StackId>> = Vec::with_capacity(profile.stacks.len());
        for (row, (parent, &frame)) in self.callers(profile).iter().zip(profile.stacks.frames()).enumerate() {
            // A parent stands before its children, so it is in the list already.
            let parent = parent.and_then(|parent| stacks.get(parent.row()).copied().flatten());
            let is_used = used.get(row).copied().unwrap_or(false);
            stacks.push(if is_used && !self.is_left_out(row) {
                let frame = copy.frame(frame);
                Some(copy.builder.stack(parent, frame))
            } else {
                parent
            });
        }
        self.samples(&mut copy, &stacks);
    }

    fn callers<'b>(&'b self, profile: &'b Profile) -> &'b [Option<StackId>] {
        let changed = self.transformed.and_then(|transformed| transformed.callers.as_deref());
        changed.unwrap_or_else(|| profile.stacks.parents())
    }

    fn end(&self, row: StackId) -> StackId {
        self.transformed.map_or(row, |transformed| transformed.end(row))
    }

    fn is_left_out(&self, row: usize) -> bool {
        self.transformed.is_some_and(|transformed| transformed.left_out.get(row).copied().unwrap_or(false))
    }

    /// Stack rows that lie on the path of a chosen sample.
    fn used_stacks(&self, profile: &Profile) -> Vec<bool> {
        let mut used = vec![self.unused; profile.stacks.len()];
        for (row, stack) in profile.samples.stacks().iter().enumerate() {
            if let Some(place) = stack.filter(|_| (self.sample)(row)).and_then(|stack| used.get_mut(self.end(stack).row())) {
                *place = true;
            }
        }
        for (row, parent) in self.callers(profile).iter().enumerate().rev() {
            if let (true, Some(parent)) = (used.get(row).copied().unwrap_or(false), parent) {
                used.get_mut(parent.row()).into_iter().for_each(|used| *used = true);
            }
        }
        used
    }

    fn samples(&self, copy: &mut Copy<'_, '_>, stacks: &[Option<StackId>]) {
        let profile = copy.profile;
        let mark =
            self.with_label.map(|(key, text)| Label { key: copy.builder.string(key), value: LabelValue::Text(copy.builder.string(text)) });
        let unlabelled = mark.and_then(|mark| copy.builder.rows.label_set(&[mark]));
        // New sets by old row, once they are used.
        let mut sets: Vec<Option<Option<LabelSetId>>> = vec![None; profile.label_sets.len()];
        if self.unused {
            sets = profile.label_sets.iter().map(|set| Some(copy.label_set(set, mark, self.without_label))).collect();
        }
        // The values of each sample type, and how many of its steps one of them is.
        let column = |kind: &SampleType| {
            let own = profile.sample_types.iter().position(|other| same_type(kind, other));
            let row = own.or_else(|| profile.comparable_column(&kind.name, &kind.unit))?;
            let steps = profile.sample_types.get(row)?.steps(&kind.unit, kind.decimals)?;
            Some((profile.samples.values(row), i64::try_from(steps).unwrap_or(i64::MAX)))
        };
        let columns: Vec<(&[i64], i64)> = copy.builder.sample_types.iter().map(|kind| column(kind).unwrap_or_default()).collect();
        let samples = &profile.samples;
        let mut values = Vec::with_capacity(columns.len());
        for (row, ((stack, thread), labels)) in samples.stacks().iter().zip(samples.threads()).zip(samples.labels()).enumerate() {
            if !(self.sample)(row) {
                continue;
            }
            values.clear();
            let own = columns.iter().map(|(column, steps)| column.get(row).map_or(0, |value| value.saturating_mul(*steps)));
            values.extend(own.map(|value| if self.negate { value.saturating_neg() } else { value }));
            let thread = thread.and_then(|thread| profile.threads.get(thread)).map(|thread| {
                let name = copy.string(thread.name);
                copy.builder.thread(Thread { name, ..*thread })
            });
            let stack = stack.and_then(|stack| stacks.get(self.end(stack).row()).copied().flatten());
            let mut label_set = |set: LabelSetId| {
                let known = sets.get(set.row()).copied().flatten();
                known.unwrap_or_else(|| {
                    let made = copy.label_set(profile.label_sets.get(set), mark, self.without_label);
                    sets.get_mut(set.row()).into_iter().for_each(|place| *place = Some(made));
                    made
                })
            };
            let labels = labels.map_or(unlabelled, &mut label_set);
            copy.builder.rows.sample(Sample { stack, thread, labels, time: samples.time(row) }, &values);
        }
    }
}

/// Whether two columns hold the same kind of value, stored the same way.
pub(super) fn same_type(a: &SampleType, b: &SampleType) -> bool {
    a.name == b.name && a.unit == b.unit && a.decimals == b.decimals
}

/// A copy in the making.
struct Copy<'b, 'p> {
    builder: &'b mut Builder,
    profile: &'p Profile,
    /// New frames by old row.
    frames: Vec<Option<FrameId>>,
}

impl Copy<'_, '_> {
    fn string(&mut self, id: StringId) -> StringId {
        self.builder.string(self.profile.strings.get(id))
    }

    /// All rows of all tables, in their order.
    fn all(&mut self) {
        for text in self.profile.strings.iter() {
            self.builder.string(text);
        }
        for id in self.profile.functions.ids() {
            self.function(id);
        }
        for id in self.profile.mappings.ids() {
            self.mapping(id);
        }
        for id in self.profile.frames.ids() {
            self.frame(id);
        }
    }

    fn function(&mut self, id: crate::model::FunctionId) -> Option<crate::model::FunctionId> {
        let row = self.profile.functions.get(id)?;
        let name = self.string(row.name);
        let (system_name, file) = (row.system_name.map(|id| self.string(id)), row.file.map(|id| self.string(id)));
        Some(self.builder.function(Function { name, system_name, file, ..row }))
    }

    fn mapping(&mut self, id: crate::model::MappingId) -> Option<crate::model::MappingId> {
        let row = self.profile.mappings.get(id).copied()?;
        let (file, build_id) = (row.file.map(|id| self.string(id)), row.build_id.map(|id| self.string(id)));
        Some(self.builder.mapping(Mapping { file, build_id, ..row }))
    }

    fn frame(&mut self, id: FrameId) -> FrameId {
        if let Some(known) = self.frames.get(id.row()).copied().flatten() {
            return known;
        }
        let row = self.profile.frames.get(id).unwrap_or_default();
        let (function, mapping) = (row.function.and_then(|id| self.function(id)), row.mapping.and_then(|id| self.mapping(id)));
        let made = self.builder.frame(Frame { function, mapping, ..row });
        self.frames.get_mut(id.row()).into_iter().for_each(|place| *place = Some(made));
        made
    }

    fn label_set(&mut self, labels: &[Label], mark: Option<Label>, without: Option<(&str, &str)>) -> Option<LabelSetId> {
        let is_without = |label: &&Label| {
            let text = if let LabelValue::Text(text) = label.value { self.profile.strings.get(text) } else { "" };
            without == Some((self.profile.strings.get(label.key), text))
        };
        let kept: Vec<Label> = labels.iter().filter(|label| !is_without(label)).copied().collect();
        let mut moved: Vec<Label> = Vec::with_capacity(kept.len() + 1);
        for label in kept {
            let value = match label.value {
                LabelValue::Text(text) => LabelValue::Text(self.string(text)),
                LabelValue::Number(number, unit) => LabelValue::Number(number, unit.map(|unit| self.string(unit))),
            };
            moved.push(Label { key: self.string(label.key), value });
        }
        moved.extend(mark);
        self.builder.rows.label_set(&moved)
    }
}

/// Gives the builder the sample types (as `types` wants them), the default, the facts and the notes of a profile.
pub(super) fn copy_head(builder: &mut Builder, profile: &Profile, types: impl Fn(&SampleType) -> Option<SampleType>) {
    for kind in profile.sample_types.iter().filter_map(types) {
        let row = builder.add_sample_type(&kind.name, &kind.unit);
        if let Some(made) = builder.sample_types.get_mut(row) {
            made.decimals = kind.decimals;
        }
    }
    let default = profile.sample_types.get(profile.default_sample_type);
    let position = |matches: &dyn Fn(&SampleType) -> bool| builder.sample_types.iter().position(matches);
    let row = default.and_then(|default| {
        position(&|kind| same_type(kind, default)).or_else(|| position(&|kind| kind.compares_with(&default.name, &default.unit)))
    });
    builder.default_sample_type = row.unwrap_or(builder.sample_types.len().saturating_sub(1));
    builder.info = profile.info.clone();
    builder.notes.absorb(&profile.notes);
}

/// A part of a capture as a capture of its own, with its own length; `None` for the whole. The error says what the capture lacks.
pub fn part_of(profile: &Profile, part: &Part) -> Result<Option<Profile>, String> {
    if part.is_whole() {
        return Ok(None);
    }
    let mut made = filtered(profile, &part.filter(profile)?);
    made.info.duration_nanos = part.duration_nanos(profile);
    let later = part.time.filter(|span| !span.is_rest).and_then(|span| span.from).unwrap_or(0);
    made.info.start_unix_nanos = profile.info.start_unix_nanos.map(|start| start.saturating_add(later));
    Ok(Some(made))
}

/// The samples that a filter lets through, as a profile of its own with everything that they use. Frames that the capture asks to drop
/// stay in it, with the wish to drop them.
pub fn filtered(profile: &Profile, filter: &Filter) -> Profile {
    let transformed = by_names(profile, filter);
    let left = transformed.as_ref().and_then(|transformed| transformed.samples.as_deref());
    let chosen = Chosen::new(profile, &[filter]).of_stacks(left);
    let mut builder = Builder::default();
    copy_head(&mut builder, profile, |kind| Some(kind.clone()));
    let choice = Choice { sample: &|row| chosen.has(row), transformed: transformed.as_ref(), unused: false, ..Choice::ALL };
    choice.copy_into(&mut builder, profile);
    builder.info.tally = crate::model::Tally::default();
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check;

    fn profile() -> Profile {
        let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
        for (n, stack) in ["main;a;b", "main;c", "main;a", "d"].into_iter().enumerate() {
            let at = builder.stack_named(stack);
            let label = Label { key: builder.string("n"), value: LabelValue::Number(n as i64, None) };
            let labels = builder.rows.label_set(&[label]);
            builder.rows.sample(Sample { stack: at, labels, ..Sample::default() }, &[1, 10 * n as i64]);
        }
        builder.default_sample_type = 1;
        builder.finish()
    }

    #[test]
    fn everything_is_the_same_profile() {
        let profile = profile();
        let found = filtered(&profile, &Filter::default());
        // Texts come in the order of their use.
        let names = |profile: &Profile| profile.functions.ids().map(|id| profile.function_name(id).to_owned()).collect::<Vec<_>>();
        assert_eq!((&found.samples, &found.stacks, names(&found)), (&profile.samples, &profile.stacks, names(&profile)));
        assert_eq!((found.label_sets.len(), found.frames.len(), found.info), (4, 5, profile.info));
    }

    #[test]
    fn what_is_filtered_out_leaves_nothing_behind() {
        let profile = profile();
        let pattern = |text: &str| Some(text.to_owned());
        let found = filtered(&profile, &Filter { focus: pattern("^a$"), hide: pattern("^main$"), ..Filter::default() });
        assert_eq!(check(&found), []);
        assert_eq!((found.samples.len(), found.total(0), found.total(1), found.default_sample_type), (2, 2, 20, 1));
        let names: Vec<&str> = found.functions.ids().map(|id| found.function_name(id)).collect();
        assert_eq!(names, ["a", "b"]);
        let found = filtered(&profile, &Filter { labels: vec![("n".to_owned(), "3".to_owned())], ..Filter::default() });
        assert_eq!((found.total(1), found.functions.len(), found.label_sets.len()), (30, 1, 1));
    }
}
