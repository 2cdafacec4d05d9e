//! What the tests of the forms share, and tests of telling them apart.

use super::*;
use crate::model::{LabelValue, check};

/// Reads a text with one form's reader; panics where it refuses it or breaks the model.
pub(super) fn with(read: fn(&mut Source<'_>, &Ticket) -> Result<Profile, ReadError>, text: &str) -> Profile {
    let ticket = Ticket::new();
    let profile = read(&mut Source::new(text.as_bytes(), 0, &ticket), &ticket).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(check(&profile), []);
    profile
}

/// The values of each sample.
pub(super) fn values(profile: &Profile) -> Vec<Vec<i64>> {
    (0..profile.samples.len()).map(|row| (0..profile.sample_types.len()).map(|kind| profile.samples.values(kind)[row]).collect()).collect()
}

/// The stack of each sample, outermost first.
pub(super) fn stacks(profile: &Profile) -> Vec<String> {
    let stacks = profile.samples.stacks().iter();
    stacks
        .map(|stack| {
            let mut names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect();
            names.reverse();
            names.join(";")
        })
        .collect()
}

/// The labels of a sample as text, sorted.
pub(super) fn labels(profile: &Profile, row: usize) -> Vec<String> {
    let labels = profile.samples.labels()[row].map(|set| profile.label_sets.get(set)).unwrap_or_default();
    let text = |id| profile.strings.get(id);
    let mut texts: Vec<String> = labels
        .iter()
        .map(|label| match label.value {
            LabelValue::Text(value) => format!("{}={}", text(label.key), text(value)),
            LabelValue::Number(number, None) => format!("{}={number}", text(label.key)),
            LabelValue::Number(number, Some(unit)) => format!("{}={number} {}", text(label.key), text(unit)),
        })
        .collect();
    texts.sort_unstable();
    texts
}

#[test]
fn every_form_is_told_by_its_first_lines() {
    let of = |text: &str| form(text.as_bytes()).map(|(form, reader, sniff)| (form, reader, sniff == Sniff::Yes));
    for (text, wanted) in [
        ("heap profile: 1: 2 [3: 4] @ heap/1048576\n", (Form::Heap, GO_TEXT, true)),
        ("heap profile: 1: 2 [3: 4] @ growthz\n", (Form::Heap, GPERFTOOLS, true)),
        ("heap profile: cut", (Form::Heap, GPERFTOOLS, true)),
        ("heap_v2/524288\n", (Form::Jemalloc, JEMALLOC, true)),
        ("\n# hello\ngoroutine profile: total 5\n", (Form::Count, GO_TEXT, true)),
        ("--- mutex:\ncycles/second=5\n", (Form::Contention, GO_TEXT, true)),
        ("--- contentionz 1 ---\ncycles/second = 5\n", (Form::Contention, GPERFTOOLS, true)),
        ("--- contentionz 1 ---\nformat = java\n", (Form::Java, GPERFTOOLS, true)),
        ("--- heapz 1 ---\nformat = java\n", (Form::Java, GPERFTOOLS, true)),
        ("--- threadz 1 ---\n", (Form::Threads, GPERFTOOLS, true)),
        ("goroutine 1 [running]:\nmain.main()\n", (Form::Dump, GO_TEXT, true)),
        ("panic: x\n\ngoroutine 1 [running]:\n", (Form::Dump, GO_TEXT, false)),
    ] {
        assert_eq!(of(text), Some(wanted), "{text}");
    }
    for text in
        ["", "main;f 5\n", "goroutine;main 5\n", "Could not enable CPU profiling: cpu profiling already in use\n", "404 page not found"]
    {
        assert_eq!(of(text), None, "{text}");
    }
}

#[test]
fn cancelling_stops_every_reader() {
    let ticket = Ticket::new();
    ticket.cancel();
    let mut big = "goroutine profile: total 5\n".to_owned();
    big.extend(std::iter::repeat_n("1 @ 0x1\n", 20_000));
    let dump = "goroutine 1 [running]:\nmain.main()\n\tm.go:1\n\n";
    for text in [big.as_str(), dump] {
        let error = read(&Input { bytes: text.as_bytes(), name: "x" }, GO_TEXT, &ticket).expect_err("it was cancelled");
        assert!(error.is_cancelled());
    }
}
