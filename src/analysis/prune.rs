//! Frames that a profile itself asks to leave out: pprof's `drop_frames` and `keep_frames`.
//!
//! Writers name frames of the profiler there (signal handlers, allocators, locks), and `go tool pprof` drops them unless it is told
//! `-all_frames`. The rule is its rule: patterns match the whole name without arguments; from the outermost frame on, the first match
//! below a frame that does not match goes, and everything that it calls. The capture keeps all frames; trees leave the hidden ones out
//! unless [`Filter::all_frames`](super::Filter) is set. Start reading at [`hidden`].

use regex::{Regex, RegexBuilder};

use super::filter::compile;
use crate::base::ticket::Checked as _;
use crate::model::{Frame, FrameId, Profile};

/// Largest compiled size of a pattern in bytes.
const PATTERN_BYTES: usize = 4 << 20;

/// Parentheses in names that do not begin arguments.
const IN_NAMES: [&str; 2] = ["(anonymous namespace)", "operator()"];

/// For each row of the stack table: whether its frame is left out. `None` where nothing is: without patterns, and where a pattern is no
/// valid expression (see [`broken_pattern`]).
pub fn hidden(profile: &Profile) -> Option<Vec<bool>> {
    let drop = anchored(profile.info.drop_frames.as_deref().filter(|pattern| !pattern.is_empty())?).ok()?;
    let keep = profile.info.keep_frames.as_deref().filter(|pattern| !pattern.is_empty()).map(anchored).transpose().ok()?;
    let functions: Vec<bool> = profile
        .functions
        .ids()
        .checked()
        .map(|id| {
            let name = without_arguments(profile.function_name(id));
            !name.is_empty() && drop.is_match(&name) && keep.as_ref().is_none_or(|keep| !keep.is_match(&name))
        })
        .collect();
    if !functions.contains(&true) {
        return None;
    }
    let matches: Vec<bool> = profile
        .frames
        .iter()
        .checked()
        .map(|frame| frame.function.and_then(|function| functions.get(function.row())).copied().unwrap_or(false))
        .collect();
    let mut states: Vec<State> = Vec::with_capacity(profile.stacks.len());
    for (parent, id) in profile.stacks.parents().iter().zip(profile.stacks.frames()).checked() {
        let parent = parent.and_then(|parent| states.get(parent.row()).copied());
        let is_match = matches.get(id.row()).copied().unwrap_or(false);
        // Frames of one instruction are judged together.
        let inlined = profile.frames.get(*id).is_some_and(|frame| frame.inlined);
        states.push(match parent.filter(|_| inlined) {
            Some(holder) => holder.inlined(is_match),
            None => State::called(parent, is_match),
        });
    }
    let hidden: Vec<bool> = states.iter().map(|state| matches!(state, State::Cut | State::TrimmedInstruction)).collect();
    hidden.contains(&true).then_some(hidden)
}

/// The pattern of a profile that is no valid expression, and why.
pub fn broken_pattern(profile: &Profile) -> Option<String> {
    let info = &profile.info;
    let patterns = [("drop_frames", &info.drop_frames), ("keep_frames", &info.keep_frames)];
    patterns.into_iter().find_map(|(name, pattern)| {
        let error = anchored(pattern.as_deref()?).err()?;
        Some(format!("{name} is no expression that can be used: {}", error.to_string().lines().last().unwrap_or_default()))
    })
}

/// How many samples lose frames by [`hidden`].
pub fn samples_with_hidden(profile: &Profile, hidden: &[bool]) -> u64 {
    let mut loses: Vec<bool> = Vec::with_capacity(hidden.len());
    for (parent, hidden) in profile.stacks.parents().iter().zip(hidden).checked() {
        let above = parent.and_then(|parent| loses.get(parent.row()).copied()).unwrap_or(false);
        loses.push(above || *hidden);
    }
    profile.samples.stacks().iter().checked().flatten().filter(|stack| loses.get(stack.row()).copied().unwrap_or(false)).count() as u64
}

/// What is known after a frame, coming from the outermost one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only matching frames so far: nothing is cut before the first frame of the program.
    Nothing,
    /// This instruction holds the first frame of the program.
    FoundHere,
    /// A frame of the program stands above this instruction.
    Found,
    /// Left out; parts of this instruction are, while nothing is found above it.
    TrimmedInstruction,
    /// Left out with everything that it calls.
    Cut,
}

impl State {
    /// After the outermost frame of an instruction that is called from a frame with state `caller`.
    const fn called(caller: Option<Self>, is_match: bool) -> Self {
        match (caller, is_match) {
            (Some(Self::Cut), _) | (Some(Self::Found | Self::FoundHere), true) => Self::Cut,
            (Some(Self::Found | Self::FoundHere), false) => Self::Found,
            (Some(Self::Nothing | Self::TrimmedInstruction) | None, true) => Self::Nothing,
            (Some(Self::Nothing | Self::TrimmedInstruction) | None, false) => Self::FoundHere,
        }
    }

    /// After a frame that is inlined into the frame with this state, so that both are parts of one instruction.
    const fn inlined(self, is_match: bool) -> Self {
        match self {
            Self::Found if is_match => Self::Cut,
            Self::FoundHere if is_match => Self::TrimmedInstruction,
            // An instruction whose outermost frame matches counts as a whole.
            other => other,
        }
    }
}

fn anchored(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&format!("^({pattern})$")).size_limit(PATTERN_BYTES).build()
}

/// For each frame: is its name, in full or as pprof looks at it, one that the pattern matches? What `-prune_from` goes by, which looks at no files and
/// modules (and not at frames without a function, which have a name of their own here).
pub fn frames_named(profile: &Profile, pattern: &str) -> Vec<bool> {
    let pattern = compile(pattern);
    let is_match = |name: &str| pattern.is_match(name) || pattern.is_match(&without_arguments(name));
    let functions: Vec<bool> = profile.functions.ids().checked().map(|id| is_match(profile.function_name(id))).collect();
    let of = |frame: Frame| frame.function.filter(|&function| !profile.function_name(function).is_empty());
    let marked = |(id, frame): (FrameId, Frame)| match of(frame) {
        Some(function) => functions.get(function.row()) == Some(&true),
        None => pattern.is_match(&profile.frame_name(id)),
    };
    profile.frames.iter_ids().checked().map(marked).collect()
}

/// A name up to its arguments, and without the dot of PowerPC's entry points.
fn without_arguments(name: &str) -> String {
    let name = name.strip_prefix('.').unwrap_or(name);
    let mut from = 0;
    while let Some(at) = name.get(from..).and_then(|rest| rest.find('(')).map(|at| at + from) {
        let reserved = IN_NAMES.iter().find_map(|word| {
            let start = at.checked_sub(word.find('(')?).filter(|start| *start >= from)?;
            name.get(start..)?.starts_with(word).then_some(start + word.len())
        });
        match reserved {
            Some(end) => from = end,
            None => return name.get(..at).unwrap_or(name).to_owned(),
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Sample};

    /// Which frames of `stack` (outermost first, `+` = inlined into the one before) are left out where names with `x` are dropped.
    fn cut(stack: &str) -> String {
        let mut builder = Builder::new([("samples", "count")]);
        let mut at = None;
        for (address, part) in stack.split(' ').enumerate() {
            let function = Some(builder.function_named(part.trim_start_matches('+')));
            let inlined = part.starts_with('+');
            let frame = builder.frame(Frame { function, inlined, address: Some(address as u64), ..Frame::default() });
            at = Some(builder.stack(at, frame));
        }
        builder.rows.sample(Sample { stack: at, ..Sample::default() }, &[1]);
        builder.info.drop_frames = Some("x.*".to_owned());
        builder.info.keep_frames = Some("xk".to_owned());
        let profile = builder.finish();
        let Some(hidden) = hidden(&profile) else { return stack.to_owned() };
        assert_eq!(samples_with_hidden(&profile, &hidden), 1);
        stack.split(' ').zip(hidden).filter(|(_, hidden)| !hidden).map(|(part, _)| part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_first_match_below_the_program_goes_with_all_it_calls() {
        assert_eq!(cut("a x1 b c"), "a");
        assert_eq!(cut("x1 x2 a x3 b"), "x1 x2 a");
        assert_eq!(cut("x1 x2"), "x1 x2");
        assert_eq!(cut("a xk b x1"), "a xk b");
        assert_eq!(cut("a yx b"), "a yx b");
    }

    #[test]
    fn inlined_frames_are_judged_with_their_instruction() {
        assert_eq!(cut("a b +x1 c"), "a b");
        // No frame of the program stands above: only the matching parts of the instruction go.
        assert_eq!(cut("a +x1 +b c x2"), "a c");
        assert_eq!(cut("x1 +a +b c x2"), "x1 +a +b c");
        assert_eq!(cut("a +b x1"), "a +b");
    }

    #[test]
    fn names_lose_their_arguments_only() {
        for (name, bare) in [
            ("f(int, g(x))", "f"),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("A::operator()(int) const", "A::operator()"),
            (".f", "f"),
            ("main.(*T).f", "main."),
            ("plain", "plain"),
        ] {
            assert_eq!(without_arguments(name), bare);
        }
    }

    #[test]
    fn broken_patterns_hide_nothing_and_are_named() {
        let mut builder = Builder::new([("samples", "count")]);
        builder.info.drop_frames = Some("a(".to_owned());
        let profile = builder.finish();
        assert_eq!(hidden(&profile), None);
        assert!(broken_pattern(&profile).is_some_and(|text| text.starts_with("drop_frames ")));
    }
}
