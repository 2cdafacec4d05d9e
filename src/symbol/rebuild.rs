//! The same profile with other frames: stacks grow by inlined functions, samples keep everything but the number of their stack.

use super::answer::{Answer, Level};
use crate::base::demangle::readable;
use crate::base::forest::Forest;
use crate::base::intern::Interner;
use crate::model::{Frame, FrameId, Function, FunctionId, Profile, StackId, StackTable, StringId};

/// Where the levels of a frame stand: the answer and its row.
pub(super) type At = Option<(u32, u32)>;

/// The profile with the levels at `places[row]` in the place of each frame; frames without levels stay as they are.
pub(super) fn with_levels(profile: &Profile, answers: &[Answer], places: &[At]) -> Profile {
    let mut named = profile.clone();
    let mut functions = Interner::<FunctionId, Function>::new();
    for function in &profile.functions {
        functions.intern(*function);
    }
    let mut frames = Interner::<FrameId, Frame>::new();
    // Names are read and made readable once for each answer.
    let mut names: Vec<Names> = answers.iter().map(|answer| Names(vec![None; answer.strings().len()])).collect();
    // Frames of one chain, outermost first, for each old frame.
    let mut chains: Vec<FrameId> = Vec::with_capacity(places.len());
    let mut ends: Vec<usize> = Vec::with_capacity(places.len());
    for (frame, at) in profile.frames.iter().zip(places) {
        let answer = at.and_then(|(answer, row)| Some((answers.get(answer as usize)?, names.get_mut(answer as usize)?, row as usize)));
        match answer {
            Some((answer, names, row)) if !answer.levels(row).is_empty() => {
                for (depth, level) in answer.levels(row).iter().rev().enumerate() {
                    let function = functions.intern(names.function(level, answer, &mut |text| named.strings.intern(text)));
                    chains.extend(frames.intern(Frame { function, line: level.line, column: level.column, inlined: depth > 0, ..*frame }));
                }
            }
            _ => chains.extend(frames.intern(*frame)),
        }
        ends.push(chains.len());
    }
    let mut stacks = Forest::<StackId, FrameId>::new();
    let frames_of = profile.stacks.frames();
    let levels = |row: usize| {
        let frame = frames_of.get(row).map_or(0, |frame| frame.row());
        let start = frame.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        let end = ends.get(frame).copied().unwrap_or(start);
        chains.get(start..end).unwrap_or(&[]).iter().copied()
    };
    let moved = stacks.join(profile.stacks.parents(), levels, |_| Ok(())).unwrap_or_default();
    named.functions = functions.into_rows();
    named.frames = frames.into_rows();
    named.stacks = StackTable::from_columns(stacks.into_columns());
    named.samples = profile.samples.with_stacks(|stack| moved.get(stack.row()).copied().flatten());
    named
}

/// The strings of one answer in the profile: the name as people read it, and the one in the binary where it differs.
struct Names(Vec<Option<(StringId, Option<StringId>)>>);

impl Names {
    fn function(&mut self, level: &Level, answer: &Answer, intern: &mut impl FnMut(&str) -> StringId) -> Function {
        let mut make = |text: &str| match readable(text) {
            Some(name) => (intern(&name), Some(intern(text))),
            None => (intern(text), None),
        };
        let text = answer.strings().get(level.name);
        let (name, system_name) = match self.0.get_mut(level.name.row()) {
            Some(known) => *known.get_or_insert_with(|| make(text)),
            None => make(text),
        };
        Function { name, system_name, file: level.file.map(|file| intern(answer.strings().get(file))), start_line: level.start_line }
    }
}
