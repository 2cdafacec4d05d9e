//! What the filter's transforms make of the stacks of one capture: which frames are left out, what then hangs on what, and which samples are
//! left.
//!
//! Merging and collapsing lose no sample: the value of a frame that is left out goes to what it hangs on. Transforms act in a fixed order,
//! that of pprof where it has them: merge (its hide and show, then its noinlines), recursion, begin (its show_from), collapse, prune from. Deliberately absent: which samples pass by
//! their frames, threads or labels (`filter`). Start reading at [`transform`].

use rustc_hash::FxHashSet;

use super::filter::{Filter, compile, frames_matching, matching_names};
use super::place::{FramePlaces, PlaceId, Places};
use super::prune::frames_named;
use crate::base::ticket::Checked as _;
use crate::model::{FrameId, Profile, StackId};

/// The stack rows of one capture after the transforms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transformed {
    /// What each row hangs on instead of its caller; `None` = every row on its caller.
    pub callers: Option<Vec<Option<StackId>>>,
    /// Rows that are left out: they count for what they hang on.
    pub left_out: Vec<bool>,
    /// Rows whose samples are left; one more entry for samples without a stack. `None` = all of them.
    pub samples: Option<Vec<bool>>,
    /// The row at which the samples of each row stand, itself or one that it hangs on; `None` = every row itself. The rows between stay, since they may
    /// lead to samples that stand further inside.
    pub ends: Option<Vec<StackId>>,
}

impl Transformed {
    /// The row at which samples of a row stand.
    pub fn end(&self, row: StackId) -> StackId {
        self.ends.as_ref().and_then(|ends| ends.get(row.row()).copied()).unwrap_or(row)
    }
}

/// How the frames of a capture are told apart and found.
pub struct Frames<'a> {
    /// Frames with one number are one function.
    pub key: &'a dyn Fn(FrameId) -> u32,
    /// For each frame: does the pattern match it?
    pub matches: &'a dyn Fn(&str) -> Vec<bool>,
    /// The same by names of functions alone.
    pub named: &'a dyn Fn(&str) -> Vec<bool>,
}

/// The same by the places of a tree: frames that match by themselves, as in pprof whatever the rows are, or whose row goes by such a name (a package, or
/// the name that a function has on the other side). `None` where every row stays as it is.
pub fn by_places(
    profile: &Profile,
    filter: &Filter,
    (places, of_frames): (&Places, &FramePlaces),
    dropped: Option<Vec<bool>>,
) -> Option<Transformed> {
    let place = |frame: FrameId| of_frames.get(frame.row()).copied().unwrap_or_else(Places::root);
    let key = |frame: FrameId| place(frame).row() as u32;
    let matches = |pattern: &str| -> Vec<bool> {
        let found: FxHashSet<PlaceId> = matching_names(places, pattern);
        let by_frame = frames_matching(profile, &compile(pattern));
        by_frame.into_iter().zip(of_frames).checked().map(|(is_match, place)| is_match || found.contains(place)).collect()
    };
    let named = |pattern: &str| -> Vec<bool> {
        let found: FxHashSet<PlaceId> = matching_names(places, pattern);
        frames_named(profile, pattern).into_iter().zip(of_frames).checked().map(|(is, place)| is || found.contains(place)).collect()
    };
    transform(profile, filter, &Frames { key: &key, matches: &matches, named: &named }, dropped)
}

/// The same by the names of functions, files and modules.
pub fn by_names(profile: &Profile, filter: &Filter) -> Option<Transformed> {
    let name =
        |frame: FrameId| profile.frames.get(frame).and_then(|frame| profile.functions.get(frame.function?)).map(|row| row.name.row());
    // Frames without a function are each their own.
    let key = |frame: FrameId| name(frame).map_or_else(|| u32::MAX - frame.row() as u32, |row| row as u32);
    let matches = |pattern: &str| -> Vec<bool> { frames_matching(profile, &compile(pattern)) };
    let named = |pattern: &str| frames_named(profile, pattern);
    transform(profile, filter, &Frames { key: &key, matches: &matches, named: &named }, None)
}

/// No row.
const NONE: u32 = u32::MAX;
/// The way of a stack has left the path of the subtree.
const ASTRAY: u32 = u32::MAX;

/// What is known after a row, coming from the outermost one.
#[derive(Clone, Copy)]
struct State {
    /// The last row that is not merged away: this one, or one that it hangs on.
    at: u32,
    /// The row before that one.
    before: u32,
    /// A frame from which on stacks are shown was there.
    begun: bool,
    /// How many frames of the subtree's path were there.
    on_path: u32,
    /// It is shown, and what it calls is not.
    collapsed: bool,
    /// A frame of this row's instruction is shown: this one, or one that it is inlined into.
    holder: bool,
}

const START: State = State { at: NONE, before: NONE, begun: false, on_path: 0, collapsed: false, holder: false };

/// Applies the transforms. `dropped` marks rows that are left out beforehand. `None` where every row stays as it is.
pub fn transform(profile: &Profile, filter: &Filter, frames: &Frames<'_>, dropped: Option<Vec<bool>>) -> Option<Transformed> {
    if !filter.transforms() {
        return dropped.map(|left_out| Transformed { left_out, ..Transformed::default() });
    }
    let of = |pattern: &Option<String>| pattern.as_deref().map(frames.matches);
    let (merge, begin, collapse) = (of(&filter.hide), of(&filter.show_from), of(&filter.collapse));
    let show = of(&filter.show);
    let (loops, direct) = (of(&filter.recursion), of(&filter.direct_recursion));
    let path: Vec<Vec<bool>> = filter.subtree.iter().map(|pattern| (frames.matches)(pattern)).collect();
    let is = |marked: &Option<Vec<bool>>, frame: FrameId| marked.as_ref().is_some_and(|marked| marked.get(frame.row()) == Some(&true));
    let rows = profile.stacks.len();
    let mut states: Vec<State> = Vec::with_capacity(rows);
    let mut left_out = vec![false; rows];
    // Rows that are left out for being inlined.
    let mut inlines = vec![false; if filter.no_inlines { rows } else { 0 }];
    let mut callers = loops.is_some().then(|| profile.stacks.parents().to_vec());
    let is_shown = |state: &State| (begin.is_none() || state.begun) && state.on_path as usize == path.len();
    for (row, (parent, &frame)) in profile.stacks.parents().iter().zip(profile.stacks.frames()).enumerate().checked() {
        let above = parent.and_then(|parent| states.get(parent.row()).copied()).unwrap_or(START);
        let is_dropped = dropped.as_ref().is_some_and(|dropped| dropped.get(row) == Some(&true));
        // Of frames of one instruction the outermost one that is left stands for all.
        let holder = above.holder && profile.frames.get(frame).is_some_and(|frame| frame.inlined);
        let is_merged = is(&merge, frame) || show.is_some() && !is(&show, frame);
        if let Some(inlined) = inlines.get_mut(row) {
            *inlined = holder && !is_dropped && !is_merged;
        }
        let out = is_dropped || is_merged || above.collapsed || inlines.get(row) == Some(&true);
        let key = (frames.key)(frame);
        let key_of = |row: u32| profile.stacks.frames().get(row as usize).map(|&frame| (frames.key)(frame));
        let same = if out {
            None
        } else if is(&loops, frame) {
            // From the inside outwards: what stands between is part of the loop.
            std::iter::successors(Some(above.at), |&at| states.get(at as usize).map(|state| state.before))
                .take_while(|&at| at != NONE)
                .find(|&at| key_of(at) == Some(key))
        } else {
            Some(above.at).filter(|&at| at != NONE && is(&direct, frame) && key_of(at) == Some(key))
        };
        let state = match same.and_then(|at| states.get(at as usize).copied()) {
            Some(state) => {
                if let (Some(callers), Some(at)) = (&mut callers, same) {
                    callers[row] = StackId::from_row(at as usize);
                }
                left_out[row] = true;
                State { holder: is_shown(&state), ..state }
            }
            None if out => {
                left_out[row] = true;
                State { holder, ..above }
            }
            None => {
                let begun = above.begun || is(&begin, frame);
                // A path is one of what is shown.
                let on_path = match path.get(above.on_path as usize).filter(|_| begin.is_none() || begun) {
                    Some(marked) if marked.get(frame.row()) == Some(&true) => above.on_path + 1,
                    Some(_) => ASTRAY,
                    None => above.on_path,
                };
                let mut state = State { at: row as u32, before: above.at, begun, on_path, collapsed: false, holder: false };
                left_out[row] = !is_shown(&state);
                state.holder = !left_out[row];
                state.collapsed = !left_out[row] && is(&collapse, frame);
                state
            }
        };
        states.push(state);
    }
    let samples = (begin.is_some() || !path.is_empty()).then(|| states.iter().map(is_shown).chain([false]).collect());
    let ends = filter.prune_from.as_deref().map(|pattern| ends(profile, &(frames.named)(pattern), &left_out, &inlines, callers.as_deref()));
    Some(Transformed { callers, left_out, samples, ends })
}

/// For each row the last marked one on its way that is shown, by itself or by what it is inlined into, or itself.
fn ends(profile: &Profile, marked: &[bool], left_out: &[bool], inlines: &[bool], callers: Option<&[Option<StackId>]>) -> Vec<StackId> {
    let callers = callers.unwrap_or_else(|| profile.stacks.parents());
    let mut found: Vec<Option<StackId>> = Vec::with_capacity(left_out.len());
    let mut ends = Vec::with_capacity(left_out.len());
    for (at, (frame, caller)) in profile.stacks.frames().iter().zip(callers).enumerate().checked() {
        let is_out = left_out.get(at) == Some(&true) && inlines.get(at) != Some(&true);
        let is_marked = marked.get(frame.row()) == Some(&true) && !is_out;
        let row = StackId::from_row(at);
        let end = row.filter(|_| is_marked).or_else(|| caller.and_then(|caller| found.get(caller.row()).copied().flatten()));
        found.push(end);
        ends.extend(end.or(row));
    }
    ends
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Builder, Frame, Sample};

    /// A capture of stacks (outermost first), one sample each; `~` marks a frame that is inlined into its caller.
    pub(in crate::analysis) fn capture(stacks: &[&str]) -> Profile {
        let mut builder = Builder::new([("samples", "count")]);
        for stack in stacks {
            let mut at = None;
            for name in stack.split(' ') {
                let inlined = name.starts_with('~');
                let function = Some(builder.function_named(name.trim_start_matches('~')));
                let frame = builder.frame(Frame { function, inlined, ..Frame::default() });
                at = Some(builder.stack(at, frame));
            }
            builder.rows.sample(Sample { stack: at, ..Sample::default() }, &[1]);
        }
        builder.finish()
    }

    /// A stack after a filter, `-` where its sample is dropped.
    fn after(stack: &str, filter: &Filter) -> String {
        let profile = capture(&[stack]);
        let Some(made) = by_names(&profile, filter) else { return stack.to_owned() };
        let row = profile.samples.stacks()[0];
        if row.is_some_and(|row| made.samples.as_ref().is_some_and(|samples| !samples[row.row()])) {
            return "-".to_owned();
        }
        let caller = |row: StackId| made.callers.as_ref().map_or(profile.stacks.parents()[row.row()], |callers| callers[row.row()]);
        let mut names: Vec<String> = std::iter::successors(row, |&row| caller(row))
            .filter(|row| !made.left_out[row.row()])
            .map(|row| profile.frame_name(profile.stacks.frames()[row.row()]))
            .collect();
        names.reverse();
        names.join(" ")
    }

    #[test]
    fn recursion_is_one_frame_from_the_outermost_to_the_innermost() {
        let all = Filter { recursion: Some(".".to_owned()), ..Filter::default() };
        for (stack, expected) in [
            ("a f g f h", "a f h"),
            ("a f f f", "a f"),
            ("a b c b a d", "a d"),
            ("a b a c", "a c"),
            ("a b c", "a b c"),
            // The inner loop is gone with the outer one, and what follows is none.
            ("a b b a b c", "a b c"),
        ] {
            assert_eq!(after(stack, &all), expected, "{stack}");
        }
        let one = Filter { recursion: Some("^f$".to_owned()), ..Filter::default() };
        assert_eq!(after("g f g f g h g", &one), "g f g h g");
        let direct = Filter { direct_recursion: Some("^f$".to_owned()), ..Filter::default() };
        assert_eq!(after("g g f f f g f f", &direct), "g g f g f");
    }

    #[test]
    fn merged_frames_are_no_obstacle_to_recursion() {
        let filter = Filter { hide: Some("^g$".to_owned()), direct_recursion: Some(".".to_owned()), ..Filter::default() };
        assert_eq!(after("a f g f h", &filter), "a f h");
    }

    #[test]
    fn of_a_stack_only_what_is_to_be_shown_stays() {
        let show = |pattern: &str| Filter { show: Some(pattern.to_owned()), ..Filter::default() };
        for (stack, expected) in [("a f b f c", "f f"), ("a b", ""), ("f", "f")] {
            assert_eq!(after(stack, &show("^f$")), expected, "{stack}");
        }
        let both = Filter { hide: Some("^g$".to_owned()), ..show("^[fg]$") };
        assert_eq!(after("a f g b", &both), "f");
        let collapsed = Filter { collapse: Some("^f$".to_owned()), ..show("^[fh]$") };
        assert_eq!(after("a h b f h", &collapsed), "h f");
    }

    #[test]
    fn of_an_instruction_the_outermost_frame_that_is_shown_stays() {
        let outer = Filter { no_inlines: true, ..Filter::default() };
        for (stack, expected) in [("a ~b ~c d ~e", "a d"), ("a b", "a b"), ("~a b", "~a b")] {
            assert_eq!(after(stack, &outer).replace('~', ""), expected.replace('~', ""), "{stack}");
        }
        // What is merged or stands above the beginning holds nothing.
        let hide = Filter { hide: Some("^[ad]$".to_owned()), ..outer.clone() };
        assert_eq!(after("a ~b ~c d ~e f", &hide), "b e f");
        let begin = Filter { show_from: Some("^c$".to_owned()), ..outer.clone() };
        for (stack, expected) in [("a ~b ~c ~e d ~f", "c d"), ("a ~b", "-"), ("x c ~d", "c")] {
            assert_eq!(after(stack, &begin), expected, "{stack}");
        }
        // Recursion is looked for in what is left, and a frame inlined into a merged one is held by the frame that stands for it.
        let recursion = Filter { recursion: Some(".".to_owned()), ..outer.clone() };
        assert_eq!(after("a ~b a ~c d", &recursion), "a d");
        // Callees of an inlined match become its own value, which is that of what holds it.
        let prune = Filter { prune_from: Some("^b$".to_owned()), ..outer };
        let profile = capture(&["a ~b ~c d"]);
        let made = by_names(&profile, &prune).expect("rows are left out");
        let end = made.end(profile.samples.stacks()[0].expect("a stack"));
        assert_eq!(profile.frame_name(profile.stacks.frame(end)), "b");
        assert!(made.left_out[end.row()], "what counts for its caller");
    }

    #[test]
    fn what_a_collapsed_function_calls_is_its_own() {
        let filter = Filter { collapse: Some("^f$".to_owned()), ..Filter::default() };
        for (stack, expected) in [("a f b c", "a f"), ("a f b f c", "a f"), ("a b", "a b"), ("f", "f")] {
            assert_eq!(after(stack, &filter), expected, "{stack}");
        }
    }

    #[test]
    fn stacks_begin_at_the_outermost_match_or_at_one_path_only() {
        let filter = Filter { show_from: Some("^f$".to_owned()), ..Filter::default() };
        for (stack, expected) in [("a f b f c", "f b f c"), ("a b", "-"), ("f", "f")] {
            assert_eq!(after(stack, &filter), expected, "{stack}");
        }
        let filter = Filter { subtree: vec!["^a$".to_owned(), "^f$".to_owned()], ..Filter::default() };
        for (stack, expected) in [("a f b", "f b"), ("a b f", "-"), ("f", "-"), ("a", "-"), ("a f", "f"), ("b a f", "-")] {
            assert_eq!(after(stack, &filter), expected, "{stack}");
        }
    }

    #[test]
    fn a_path_is_one_of_what_is_shown() {
        let path = vec!["^f$".to_owned(), "^g$".to_owned()];
        let filter = Filter { show_from: Some("^f$".to_owned()), subtree: path, ..Filter::default() };
        for (stack, expected) in [("a f g h", "g h"), ("b c f g", "g"), ("a f h g", "-"), ("f f g", "-")] {
            assert_eq!(after(stack, &filter), expected, "{stack}");
        }
    }

    #[test]
    fn a_stack_begins_before_it_is_collapsed_as_in_pprof() {
        let filter = Filter { show_from: Some("^f$".to_owned()), collapse: Some("^(a|g)$".to_owned()), ..Filter::default() };
        assert_eq!(after("a b f g h", &filter), "f g");
    }
}
