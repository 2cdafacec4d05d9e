use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::base::ticket::Ticket;
use crate::model::LabelValue;

fn read(text: &str) -> Profile {
    let profile = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(crate::model::check(&profile), []);
    profile
}

/// One line for each sample that has a record of a type: `event/unit comm/pid/tid @time: outermost;…;innermost value`.
fn shown(profile: &Profile) -> String {
    let mut text = String::new();
    let samples = &profile.samples;
    for row in 0..samples.len() {
        let thread = samples.threads()[row].map_or_else(String::new, |thread| {
            let thread = profile.threads[thread];
            let id = |id: Option<i32>| id.map_or("-".to_owned(), |id| id.to_string());
            format!("{}/{}/{}", &profile.strings[thread.name], id(thread.pid), id(thread.tid))
        });
        let mut frames: Vec<String> = profile.stack_frames(samples.stacks()[row]).map(|frame| profile.frame_name(frame)).collect();
        frames.reverse();
        let (kind, value) = (0..profile.sample_types.len())
            .map(|kind| (&profile.sample_types[kind], samples.values(kind)[row]))
            .find(|(_, value)| *value != 0)
            .unwrap();
        let time = samples.time(row).map_or(String::new(), |time| format!(" @{time}"));
        writeln!(text, "{}/{} {thread}{time}: {} {value}", kind.name, kind.unit, frames.join(";")).unwrap();
    }
    text
}

fn check(text: &str, expected: &[&str]) -> Profile {
    let profile = read(text);
    assert_eq!(shown(&profile).lines().collect::<Vec<_>>(), expected, "{text}");
    profile
}

fn notes(profile: &Profile) -> Vec<(&str, u64)> {
    profile.notes.iter().map(|note| (note.kind, note.count)).collect()
}

#[test]
fn events_of_unequal_length_keep_their_periods() {
    let text = "a  1  1.000000:     250000        cpu-clock: \n\t 10 f+0x1 (/x)\n\na  1  1.000001:          1      page-faults: \n\t 10 f (/x)\n\n\
                a  1  1.000002:  7 cycles:u: \n\t 10 f (/x)\n\na  1  1.000003:  8 cycles:k: \n\t 10 f (/x)\n\n";
    let profile = check(
        text,
        &[
            "cpu-clock/nanoseconds a/-/1 @1000000000: f 250000",
            "page-faults/count a/-/1 @1000001000: f 1",
            "cycles:u/count a/-/1 @1000002000: f 7",
            "cycles:k/count a/-/1 @1000003000: f 8",
        ],
    );
    assert_eq!(profile.default_sample_type, 0);
}

#[test]
fn tracepoints_are_events_of_their_own_and_not_the_default() {
    let text = "swapper     0 [001]  1.000000: sched:sched_switch: prev_comm=a b prev_pid=1 ==> next_comm=x: y next_pid=2\n\
                \tffffffff81000000 __schedule+0x2 ([kernel.kallsyms])\n\nworker 3    7 [000]  1.500000: 250000 cpu-clock:pppH: \n\t 1 main (/x)\n\n";
    let profile = check(
        text,
        &[
            "sched:sched_switch/count swapper/-/0 @1000000000: __schedule 1",
            "cpu-clock:pppH/nanoseconds worker 3/-/7 @1500000000: main 250000",
        ],
    );
    assert_eq!(profile.default_sample_type, 1);
    let cpu = profile.strings.find("cpu").unwrap();
    let cpus: Vec<_> = profile.label_sets.iter().flatten().filter(|label| label.key == cpu).map(|label| label.value).collect();
    // With the fields of the tracepoint and without.
    assert_eq!(cpus, [LabelValue::Number(1, None), LabelValue::Number(1, None), LabelValue::Number(0, None)]);
}

#[test]
fn captures_without_call_graphs_have_one_frame_a_sample() {
    let text = "              xz  6034  2.000000:    1003009 cpu-clock:ppp:  ffffffff82200809 up+0x19 ([kernel.kallsyms])\n\
                              dd  6034  2.100000:    1003009 cpu-clock:ppp:      7fd9303ca314 [unknown] (/usr/lib/liblzma.so.5)\n";
    check(
        text,
        &[
            "cpu-clock:ppp/nanoseconds xz/-/6034 @2000000000: up 1003009",
            "cpu-clock:ppp/nanoseconds dd/-/6034 @2100000000: liblzma.so.5+0x7fd9303ca314 1003009",
        ],
    );
}

#[test]
fn threads_alone_are_samples_and_no_folded_stacks() {
    // `perf script -F comm,tid,sym,dso` of a recording with call chains, of perf 6.1.
    let text = "             cc1  4347 \n             cc1  4347 \n              as 14350 \n";
    assert_eq!(PerfScript.sniff(text.as_bytes()), Sniff::Yes);
    let profile = read(text);
    assert_eq!((profile.samples.len(), profile.total(0), profile.threads.len()), (3, 3, 2));
    assert_eq!(profile.notes.count(kind::NO_STACK), 3);
    // Folded stacks.
    for text in ["cc1 4347\ncc1 4347\n", " cc1 4347 \n cc1 4347 \n", "             cc1;a 4347\n             cc1;b 4347\n"] {
        assert_ne!(PerfScript.sniff(text.as_bytes()), Sniff::Yes, "{text}");
    }
}

#[test]
fn names_and_modules_may_hold_anything() {
    let text = "a  1  1.000000: 2 cycles: \n\t 1 std::function<void (int)>::operator()(int) const+0x5 (/opt/my app/x y)\n\
                \t 2 <alloc::boxed::Box<dyn FnOnce()> as FnOnce>::call_once+0x1 (/usr/lib/x.so (deleted))\n\t 3 Lfoo;::bar (/run/jit/perf-1.map)\n\n\
                :-1    -1  1.100000: 3 cycles: \n\t 4 x (inlined)\n\t 4 y (/z)\n\n";
    let profile = check(
        text,
        &[
            "cycles/count a/-/1 @1000000000: Lfoo;::bar;<alloc::boxed::Box<dyn FnOnce()> as FnOnce>::call_once;\
             std::function<void (int)>::operator()(int) const 2",
            "cycles/count :-1/-/-1 @1100000000: y;x 3",
        ],
    );
    let modules: Vec<_> = profile.mappings.ids().map(|id| profile.mapping_file(id)).collect();
    assert_eq!(modules, ["/run/jit/perf-1.map", "/usr/lib/x.so", "/opt/my app/x y", "/z"]);
    let inlined = profile.frames.iter().last().unwrap();
    assert!(inlined.inlined && inlined.mapping.map(|id| profile.mapping_file(id)) == Some("/z"));
}

#[test]
fn source_lines_belong_to_the_frame_before() {
    let text = "a  1  1.000000: 2 cycles: \n\t 1 f+0x5 (/x)\n  src/a b.c:12\n\t 2 g (/x)\n  x[2]\n\t 3 __GI_h (/x)\n  ??:0\n\n";
    let profile = check(text, &["cycles/count a/-/1 @1000000000: __GI_h;g;f 2"]);
    let leaf = profile.samples.stacks()[0].unwrap();
    let frame = profile.frames.at(profile.stacks.frame(leaf));
    let function = profile.functions.at(frame.function.unwrap());
    assert_eq!((frame.line, function.file.map(|file| &profile.strings[file])), (12, Some("src/a b.c")));
    assert!(profile.notes.is_empty());
}

#[test]
fn return_addresses_are_told_from_interrupted_places() {
    let text = "a  1  1.000000: 2 cycles: \n\t 9 in (inlined)\n\t 9 leaf (/x)\n\t 8 caller (/x)\n\na  1  1.100000: 2 cycles: \n\
                \tffffffff81000009 irq (k)\n\tffffffff81000001 entry (k)\n\t 7 user (/x)\n\t 6 main (/x)\n\n";
    let profile = read(text);
    let callers = |row: usize| -> Vec<bool> {
        profile.stack_frames(profile.samples.stacks()[row]).map(|frame| profile.frames.at(frame).caller).collect()
    };
    assert_eq!((callers(0), callers(1)), (vec![false, false, true], vec![false, true, false, true]));
}

#[test]
fn samples_without_a_stack_count_and_the_last_one_needs_no_blank_line() {
    let text = "a  1  1.000000: 2 cycles: \n\nb  2  1.100000: 3 cycles: \nc  3  1.200000: 4 cycles: \n\t 1 f (/x)";
    let profile =
        check(text, &["cycles/count a/-/1 @1000000000:  2", "cycles/count b/-/2 @1100000000:  3", "cycles/count c/-/3 @1200000000: f 4"]);
    assert_eq!(notes(&profile), [(kind::NO_STACK, 2)]);
    assert_eq!(profile.sample_types[0].records, 3);
}

#[test]
fn other_records_are_counted_and_never_samples() {
    let text = "perf-exec     0     0.000000: PERF_RECORD_COMM: perf-exec:4341/4341\nx  1  0.500000: PERF_RECORD_LOST lost 12\n\
                x  1  0.500000: PERF_RECORD_THROTTLE\nPERF_RECORD_FINISHED_ROUND\nx  1  0.500000: PERF_RECORD_NEW_THING 1\na  1  1.000000: 2 cycles: \n\t 1 f (/x)\n\n";
    let profile = check(text, &["cycles/count a/-/1 @1000000000: f 2"]);
    assert_eq!(notes(&profile), [(kind::SKIPPED, 1), (kind::LOST_EVENTS, 12), (kind::THROTTLED, 1), (kind::SKIPPED, 1)]);
}

#[test]
fn text_without_first_lines_has_a_sample_for_each_paragraph() {
    let text = "\n\tffffffff81a88205 f\n\tffffffff815b97ae g\n\n\n\tffffffff816cadb9 h\n\n";
    check(text, &["samples/count : g;f 1", "samples/count : h 1"]);
    assert_eq!(PerfScript.sniff(text.as_bytes()), Sniff::Yes);
}

#[test]
fn header_lines_are_facts() {
    let text = "# ========\n# captured on    : Mon Nov 23 03:51:25 2026\n# hostname : vm\n# data size      : 1\n# ========\n#\na  1  1.000000: cycles: \n\t 1 f (/x)\n";
    assert_eq!(
        read(text).info.facts,
        [("captured on".to_owned(), "Mon Nov 23 03:51:25 2026".to_owned()), ("hostname".to_owned(), "vm".to_owned())]
    );
}

#[test]
fn what_cannot_be_read_is_counted_and_a_cut_line_is_left_out() {
    let text = "a  1  1.000000: 2 cycles: \n\t 1 f (/x)\n\t WEIRD\n\n\t 1 orphan (/x)\nhello\na  1  1.100000: 2 cycles: \n\t 1 g (/x)\n\t 36e862 ggc_inter";
    let profile = check(text, &["cycles/count a/-/1 @1000000000: f 2", "cycles/count a/-/1 @1100000000: g 2"]);
    assert_eq!(notes(&profile), [(kind::TRUNCATED, 1), (kind::NOT_UNDERSTOOD, 2), (kind::NOT_UNDERSTOOD, 1)]);
}

#[test]
fn only_perf_script_text_is_recognised() {
    for (text, expected) in [
        ("a  1  1.000000: 2 cycles: \n\t 1 f (/x)\n", Sniff::Yes),
        ("# ========\n# captured on: x\n", Sniff::Yes),
        ("dd  1  1.000000: 2 cycles:  1 f (/x)\ndd  1  1.000000: 2 cycles:  1 f (/x)\n", Sniff::Yes),
        ("a  1  1.000000: 2 cycles: \n", Sniff::Maybe),
        ("a;b 1\na;c 2\n", Sniff::No),
        ("goroutine 1 [running]:\nmain.main()\n\t/x/main.go:1 +0x1d\n", Sniff::No),
        ("heap profile: 1: 2 [3: 4] @ heap/524288\n1: 2 [3: 4] @ 0x1 0x2\n#\t0x1\tf+0x1\t/x.go:1\n", Sniff::No),
        ("404 page not found\n", Sniff::No),
        ("{\"a\": 1}", Sniff::No),
        ("", Sniff::No),
    ] {
        assert_eq!(PerfScript.sniff(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_cancelled_read_stops_and_text_without_samples_is_an_error() {
    let ticket = Ticket::new();
    assert!(read_chunked(b"# hostname : x\n", &ReadCx::new(&ticket), 8).is_err_and(|error| !error.is_cancelled()));
    ticket.cancel();
    assert!(read_chunked(b"a  1  1.000000: 2 cycles: \n\t 1 f (/x)\n", &ReadCx::new(&ticket), 8).is_err_and(|error| error.is_cancelled()));
}

fn paragraph() -> impl Strategy<Value = String> {
    let event = "(cycles:u|cpu-clock|sched:sched_switch|sched:sched_switch: prev_comm=[ab] prev_pid=[1-3]|page-faults)";
    let head = ("(a|w 3|:-1)", 0..4_u32, 0..100_u32, prop_oneof!["", "[0-9]{1,4} "], event).prop_map(|(comm, tid, time, period, event)| {
        let colon = if event.contains('=') { "" } else { ":" };
        format!("{comm}  {tid} [00{tid}]  1.{time:06}: {period}{event}{colon} \n")
    });
    let frame = ("[0-9a-f]{1,3}", "(f|g<a b>|\\[unknown\\])", "(\\+0x[0-9a-f])?", "(/x|/a b|inlined|\\[k\\])")
        .prop_map(|(address, name, offset, module)| format!("\t{address:>16} {name}{offset} ({module})\n"));
    let noise =
        prop_oneof![Just("  a.c:7\n".to_owned()), Just("x  1  0.500000: PERF_RECORD_COMM: a\n".to_owned()), Just("what\n".to_owned())];
    (head, prop::collection::vec(prop_oneof![6 => frame, 1 => noise], 0..6)).prop_map(|(head, lines)| format!("{head}{}\n", lines.concat()))
}

proptest! {
    #[test]
    fn chunks_and_whole_texts_give_the_same_profile(paragraphs in prop::collection::vec(paragraph(), 1..20), size in 1..400_usize) {
        let text = paragraphs.concat();
        let whole = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX).unwrap();
        prop_assert_eq!(whole.samples.len(), paragraphs.len());
        prop_assert_eq!(&read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), size).unwrap(), &whole);
        prop_assert_eq!(&read_chunked(text.replace('\n', "\r\n").as_bytes(), &ReadCx::new(&Ticket::new()), size).unwrap().samples, &whole.samples);
    }

    #[test]
    fn changed_bytes_never_panic(
        paragraphs in prop::collection::vec(paragraph(), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = paragraphs.concat().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            PerfScript.sniff(bytes);
            if let Ok(profile) = read_chunked(bytes, &ReadCx::new(&Ticket::new()), 64) {
                prop_assert_eq!(crate::model::check(&profile), []);
            }
        }
    }
}

#[test]
fn text_is_given_back_in_its_order() {
    let text = (0..50).map(|n| format!("a  1  1.{n:06}: 2 cycles: \n\t {n:x} f{n} (/x)\n\n")).collect::<Vec<_>>().concat();
    let heard = text::given_back(|cx| assert_eq!(read_chunked(text.as_bytes(), cx, 8).unwrap().samples.len(), 50));
    assert_eq!(heard, text.as_bytes());
}
