//! The same profile with other frames: stacks grow by inlined functions, samples keep everything but the number of their stack.

use super::names::readable;
use super::{Level, Levels};
use crate::base::forest::Forest;
use crate::base::intern::Interner;
use crate::model::{Frame, FrameId, Function, FunctionId, Profile, StackId, StackTable, StringId};

/// The profile with `levels[row]` in the place of each frame; frames without levels stay as they are.
pub(super) fn with_levels(profile: &Profile, levels: &[Levels]) -> Profile {
    let mut named = profile.clone();
    let mut functions = Interner::<FunctionId, Function>::new();
    for function in &profile.functions {
        functions.intern(*function);
    }
    let mut frames = Interner::<FrameId, Frame>::new();
    // Frames of one chain, outermost first, for each old frame.
    let mut chains: Vec<Vec<FrameId>> = Vec::with_capacity(levels.len());
    for (frame, levels) in profile.frames.iter().zip(levels) {
        let mut chain = Vec::with_capacity(levels.len().max(1));
        if levels.is_empty() {
            chain.extend(frames.intern(*frame));
        }
        for (depth, level) in levels.iter().rev().enumerate() {
            let function = functions.intern(function(level, &mut |text| named.strings.intern(text)));
            let inlined = depth > 0;
            chain.extend(frames.intern(Frame { function, line: level.line, column: level.column, inlined, ..*frame }));
        }
        chains.push(chain);
    }
    let mut stacks = Forest::<StackId, FrameId>::new();
    let mut moved: Vec<Option<StackId>> = Vec::with_capacity(profile.stacks.len());
    for (parent, frame) in profile.stacks.parents().iter().zip(profile.stacks.frames()) {
        // A parent stands before its children, so it has moved already.
        let mut at = parent.and_then(|parent| moved.get(parent.row()).copied().flatten());
        for &frame in chains.get(frame.row()).map_or(&[][..], Vec::as_slice) {
            at = stacks.child(at, frame);
        }
        moved.push(at);
    }
    named.functions = functions.into_rows();
    named.frames = frames.into_rows();
    named.stacks = StackTable::from_columns(stacks.into_columns());
    named.samples = profile.samples.with_stacks(|stack| moved.get(stack.row()).copied().flatten());
    named
}

fn function(level: &Level, intern: &mut impl FnMut(&str) -> StringId) -> Function {
    let file = level.file.as_deref().map(&mut *intern);
    match readable(&level.name) {
        Some(name) => Function { name: intern(&name), system_name: Some(intern(&level.name)), file, start_line: 0 },
        None => Function { name: intern(&level.name), system_name: None, file, start_line: 0 },
    }
}
