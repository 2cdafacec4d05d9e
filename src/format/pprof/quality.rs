//! What a Go profile says about its own quality: samples that Go's profiler lost, and stacks that it cut. Notes only: no number changes.
//!
//! The names and limits are those of Go's `runtime` and `runtime/pprof` (1.27); Go's text forms have the same. Start reading at [`note`].

use crate::base::ticket::Checked as _;
use crate::model::{FrameId, FunctionId, Profile, StackId, kind};

/// Functions that stand for samples which were lost or could not be placed.
const LOST: [&str; 4] = [
    "runtime._LostExternalCode",
    "runtime._LostSIGPROFDuringAtomic64",
    "runtime._LostContendedRuntimeLock",
    "runtime/pprof.lostProfileEvent",
];

/// Frames at which Go ends a stack: processor profiles (`maxCPUProfStack`), and all others since 1.23 (`profstackdepth`).
const CPU_LIMIT: u32 = 64;
const LIMIT: u32 = 128;

/// The limit counts addresses, one for each frame. The outermost one may lie in code that was inlined, and then it is expanded to all functions around it,
/// recorded or not (`allFrames` in `runtime/pprof/proto.go`): so many more there may be.
const EXPANDED: u32 = 8;

/// Adds the notes.
pub(in crate::format) fn note(profile: &mut Profile) {
    let name = |id: FunctionId| profile.function_name(id);
    let is_go = profile.functions.ids().any(|id| name(id).starts_with("runtime."));
    if !is_go {
        return;
    }
    let lost: Vec<Option<usize>> = profile.functions.ids().map(|id| LOST.iter().position(|lost| *lost == name(id))).collect();
    let mut walked: Vec<Walked> = Vec::with_capacity(profile.stacks.parents().len());
    for (parent, &frame) in profile.stacks.parents().iter().zip(profile.stacks.frames()).checked() {
        let above = parent.and_then(|parent| walked.get(parent.row())).copied();
        walked.push(Walked::below(above, frame, profile, &lost));
    }
    let of = |stack: &Option<StackId>| stack.and_then(|stack| walked.get(stack.row()));
    let values = profile.samples.values(profile.default_sample_type);
    let mut lost_counts = [0_u64; LOST.len()];
    let limit = if profile.find_sample_type("cpu").is_some() { CPU_LIMIT } else { LIMIT };
    // Older versions count addresses of which each may be several frames: then there are deeper stacks.
    let counts_frames = walked.iter().all(|walked| walked.frames <= limit + EXPANDED);
    let mut cut = (0_u64, 0_u128);
    // How many events a sample is, where the profile says it (`samples/count` of processor profiles).
    let counts = profile.find_sample_type("samples").map_or(&[][..], |row| profile.samples.values(row));
    for (row, (stack, value)) in profile.samples.stacks().iter().zip(values).enumerate().checked() {
        let Some(walked) = of(stack) else { continue };
        if let Some(count) = walked.lost.and_then(|lost| lost_counts.get_mut(lost)) {
            *count += counts.get(row).map_or(1, |count| count.unsigned_abs());
        }
        if walked.is_cut(limit, counts_frames, profile) {
            cut = (cut.0 + 1, cut.1 + u128::from(value.unsigned_abs()));
        }
    }
    let whole = profile.gross_total(profile.default_sample_type) as f64;
    let kind_name = profile.sample_types.get(profile.default_sample_type).map_or("", |kind| kind.name.as_str()).to_owned();
    for (name, count) in LOST.iter().zip(lost_counts).filter(|(_, count)| *count > 0) {
        profile.notes.add(kind::LOST_EVENTS, &format!("samples that Go's profiler lost or could not place: {name}"), count, None);
    }
    let (samples, sum) = cut;
    if samples > 0 {
        let share = if whole > 0.0 { sum as f64 / whole * 100.0 } else { 0.0 };
        let text = format!(
            "samples whose stacks end at Go's limit of {limit} frames ({share:.1} % of {kind_name}): their outermost callers are missing"
        );
        profile.notes.add(kind::CUT_STACKS, &text, samples, None);
    }
}

/// What the frames of a stack say together.
#[derive(Clone, Copy)]
struct Walked {
    /// Frames, and those of them that are no inlined ones.
    frames: u32,
    places: u32,
    root: FrameId,
    /// Row of [`LOST`].
    lost: Option<usize>,
}

impl Walked {
    fn below(above: Option<Self>, frame: FrameId, profile: &Profile, lost: &[Option<usize>]) -> Self {
        let found = profile.frames.get(frame);
        let lost = found.and_then(|found| found.function).and_then(|function| lost.get(function.row())).copied().flatten();
        let place = u32::from(!found.is_some_and(|found| found.inlined));
        let first = Self { frames: 0, places: 0, root: frame, lost: None };
        let above = above.unwrap_or(first);
        Self { frames: above.frames + 1, places: above.places + place, lost: lost.or(above.lost), ..above }
    }

    /// Whether the stack was cut at the limit. Whole stacks begin in Go's runtime, with `runtime.goexit` or on a thread of its own.
    fn is_cut(&self, limit: u32, counts_frames: bool, profile: &Profile) -> bool {
        let is_at = self.places == limit || (counts_frames && self.frames >= limit);
        let root = || profile.frames.get(self.root).and_then(|frame| frame.function);
        is_at && root().is_some_and(|root| !profile.function_name(root).starts_with("runtime."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Frame, Function, Sample};

    fn profile(stacks: &[(&[&str], usize, i64)]) -> Profile {
        let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
        builder.default_sample_type = 1;
        for (names, repeated, count) in stacks {
            let mut stack = None;
            let deep = (0..*repeated).map(|number| format!("main.f{number}"));
            for name in names.iter().map(|name| (*name).to_owned()).chain(deep) {
                let name = builder.string(&name);
                let function = Some(builder.function(Function { name, system_name: None, file: None, start_line: 0 }));
                let frame = builder.frame(Frame { function, ..Frame::default() });
                stack = Some(builder.stack(stack, frame));
            }
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[*count, *count * 10]);
        }
        let mut profile = builder.finish();
        note(&mut profile);
        profile
    }

    fn notes(profile: &Profile) -> Vec<(&str, u64, &str)> {
        profile.notes.iter().map(|note| (note.kind, note.count, note.text.as_str())).collect()
    }

    #[test]
    fn stacks_at_the_limit_are_cut_unless_they_begin_in_the_runtime() {
        let found = profile(&[(&["runtime.goexit"], 63, 1), (&[], 64, 1), (&["runtime.main"], 3, 2), (&[], 63, 1)]);
        let text = "samples whose stacks end at Go's limit of 64 frames (20.0 % of cpu): their outermost callers are missing";
        assert_eq!(notes(&found), [(kind::CUT_STACKS, 1, text)]);
        assert!(profile(&[(&["main"], 63, 1)]).notes.is_empty(), "no program of Go");
    }

    #[test]
    fn lost_samples_are_counted_by_what_lost_them() {
        let found = profile(&[
            (&["runtime._ExternalCode", "runtime._LostExternalCode"], 0, 7),
            (&["runtime/pprof.lostProfileEvent"], 0, 3),
            (&["runtime.goexit"], 2, 5),
        ]);
        let text = |name: &str| format!("samples that Go's profiler lost or could not place: {name}");
        assert_eq!(
            notes(&found),
            [
                (kind::LOST_EVENTS, 7, text("runtime._LostExternalCode").as_str()),
                (kind::LOST_EVENTS, 3, text("runtime/pprof.lostProfileEvent").as_str())
            ]
        );
    }

    fn goroutine(frames: &[bool]) -> Profile {
        let mut builder = Builder::new([("goroutine", "count")]);
        let mut stack = None;
        for (number, &inlined) in frames.iter().enumerate() {
            let name = builder.string(&format!("main.f{number}"));
            let function = Some(builder.function(Function { name, system_name: None, file: None, start_line: 0 }));
            let frame = builder.frame(Frame { function, inlined, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.function_named("runtime.gopark");
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[1]);
        let mut profile = builder.finish();
        note(&mut profile);
        profile
    }

    /// Go's limit counts addresses, and the outermost one may become several frames.
    #[test]
    fn a_cut_stack_may_have_some_frames_more_than_the_limit() {
        let cut = |frames: &[bool]| goroutine(frames).notes.count(kind::CUT_STACKS);
        assert_eq!(cut(&[false; 127]), 0);
        assert_eq!(cut(&[false; 64]), 0, "the limit of processor profiles");
        assert_eq!(cut(&[false; 128]), 1);
        assert_eq!(cut(&[false; 129]), 1);
        assert_eq!(cut(&[false; 140]), 0, "its limit was another");
        // Versions that count places: 128 of them, and 12 inlined frames.
        let inlined: Vec<bool> = (0..140).map(|at| at % 10 == 5 && at < 120).collect();
        assert_eq!(cut(&inlined), 1);
    }
}
