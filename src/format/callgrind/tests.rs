use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Callgrind;
use crate::base::ticket::Ticket;
use crate::format::{Format as _, Input, ReadCx, ReadError, Sniff};
use crate::model::{Profile, check, kind};

fn profile(text: &str) -> Result<Profile, ReadError> {
    let profile = Callgrind.read(&Input { bytes: text.as_bytes(), name: "x" }, &ReadCx::new(&Ticket::new()))?;
    assert_eq!(check(&profile), []);
    Ok(profile)
}

/// Stacks, outermost first, with the value of the first event.
fn stacks(profile: &Profile) -> Vec<(String, i64)> {
    let mut rows: Vec<(String, i64)> = profile
        .samples
        .stacks()
        .iter()
        .zip(profile.samples.values(0))
        .map(|(stack, &value)| {
            let mut names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect();
            names.reverse();
            (names.join(";"), value)
        })
        .collect();
    rows.sort();
    rows
}

/// What stands below each function, those of one name together.
fn totals(profile: &Profile) -> BTreeMap<String, i64> {
    let mut totals = BTreeMap::new();
    for (stack, cost) in stacks(profile) {
        for name in stack.split(';').collect::<BTreeSet<_>>() {
            *totals.entry(name.to_owned()).or_default() += cost;
        }
    }
    totals
}

/// The notes' texts, each with its count.
fn notes(profile: &Profile) -> String {
    profile.notes.iter().map(|note| format!("{} {}", note.count, note.text)).collect::<Vec<_>>().join("\n")
}

/// The same blocks one after the other in both directions: where a function stands in a file says nothing.
fn both_ways(blocks: &[&str]) -> [Profile; 2] {
    let read = |blocks: Vec<&str>| profile(&format!("events: Ir\n\n{}", blocks.join("\n\n"))).unwrap();
    [read(blocks.to_vec()), read(blocks.iter().rev().copied().collect())]
}

/// The extended example of the specification.
const PLAIN: &str = "# callgrind format\nevents: Instructions\n\nfl=file1.c\nfn=main\n16 20\ncfn=func1\ncalls=1 50\n16 400\ncfi=file2.c\n\
    cfn=func2\ncalls=3 20\n16 400\n\nfn=func1\n51 100\ncfi=file2.c\ncfn=func2\ncalls=2 20\n51 300\n\nfl=file2.c\nfn=func2\n20 700\n";

#[test]
fn the_example_of_the_specification_becomes_the_tree_that_it_describes() {
    let profile = profile(PLAIN).unwrap();
    assert_eq!(
        stacks(&profile),
        [("main", 20), ("main;func1", 100), ("main;func1;func2", 300), ("main;func2", 400)].map(|(names, cost)| (names.to_owned(), cost))
    );
    assert_eq!(profile.total(0), 820, "as the specification says of main");
    assert_eq!((profile.notes.count(kind::GUESSED), profile.info.tally.samples), (3, 3));
    let leaf = profile.stack_frames(profile.samples.stacks()[0]).next().unwrap();
    assert_eq!(profile.frames.at(leaf).line, 16);
}

#[test]
fn compressed_names_and_positions_say_the_same() {
    let short = "version: 1\nevents: Instructions\nfl=(1) file1.c\nfn=(1) main\n16 20\ncfn=(2) func1\ncalls=1 50\n* 400\ncfi=(2) file2.c\n\
        cfn=(3) func2\ncalls=3 20\n+0 400\n\nfn=(2)\n+35 100\ncfi=(2)\ncfn=(3)\ncalls=2 20\n* 300\n\nfl=(2)\nfn=(3)\n-31 700\ntotals: 820\n";
    let (short, plain) = (profile(short).unwrap(), profile(PLAIN).unwrap());
    assert_eq!(stacks(&short), stacks(&plain));
    assert_eq!(short.frames, plain.frames);
    assert_eq!(short.notes, plain.notes, "the totals line agrees");
}

#[test]
fn every_event_keeps_its_own_costs_and_what_is_missing_is_zero() {
    let text =
        "positions: instr line\nevents: Ir Dr\nob=/lib/a.so\nfl=a.c\nfn=f\n0x80001234 90 1 7\n+3 * 5\nfi=a.h\n+1 +1 6\ntotals: 12 8\n";
    let profile = profile(text).unwrap();
    assert_eq!((profile.total(0), profile.total(1)), (12, 7));
    let frames: Vec<_> =
        profile.samples.stacks().iter().map(|stack| profile.frames.at(profile.stack_frames(*stack).next().unwrap())).collect();
    assert_eq!(
        frames.iter().map(|frame| (frame.address.unwrap(), frame.line)).collect::<Vec<_>>(),
        [(0x8000_1234, 90), (0x8000_1237, 90), (0x8000_1238, 91)]
    );
    let file = |at: usize| profile.strings.get(profile.functions.at(frames[at].function.unwrap()).file.unwrap());
    assert_eq!((file(0), file(2)), ("a.c", "a.h"), "code inlined from another file keeps its file");
    assert_eq!(profile.mapping_file(frames[0].mapping.unwrap()), "/lib/a.so");
    assert_eq!(profile.notes.count(kind::REPAIRED), 1, "the file says 8 of Dr, its lines add up to 7");
}

#[test]
fn a_later_part_may_count_more_events() {
    let text = "events: Ir\nfn=f\n1 5\n2 6\ncfn=g\ncalls=1 1\n2 3\nfn=g\n1 3\nevents: Ir Dr\nfn=f\n2 4 9\nfn=h\n1 1 2\n";
    let profile = profile(text).unwrap();
    assert_eq!((profile.total(0), profile.total(1)), (19, 11));
    assert_eq!(stacks(&profile), [("f", 5), ("f", 10), ("f;g", 3), ("h", 1)].map(|(names, cost)| (names.to_owned(), cost)));
}

#[test]
fn costs_are_split_among_callers_by_what_their_calls_cost() {
    // c costs 100 by itself; 30 of it on calls from a, 70 on calls from b.
    let text = "events: Ir\nfn=main\n1 10\ncfn=a\ncalls=1 1\n2 35\ncfn=b\ncalls=1 1\n3 75\n\
        fn=a\n1 5\ncfn=c\ncalls=3 1\n2 30\nfn=b\n1 5\ncfn=c\ncalls=7 1\n2 70\nfn=c\n1 60\n2 40\n";
    let profile = profile(text).unwrap();
    let sums = |name: &str| stacks(&profile).iter().filter(|(stack, _)| stack == name).map(|(_, cost)| cost).sum::<i64>();
    assert_eq!((sums("main;a;c"), sums("main;b;c"), sums("main;a"), sums("main")), (30, 70, 5, 10));
    assert_eq!(profile.total(0), 120);
}

#[test]
fn recursion_ends_and_loses_nothing() {
    // f calls itself: 80 of its 100 are spent in calls from itself.
    let text = "events: Ir\nfn=main\n1 1\ncfn=f\ncalls=1 1\n1 100\nfn=f\n1 100\ncfn=f\ncalls=9 1\n2 400\n";
    let profile = profile(text).unwrap();
    assert_eq!(profile.total(0), 101);
    // Two that call each other and nobody else: without a beginning, costs stand at the functions.
    let ring = "events: Ir\nfn=a\n1 3\ncfn=b\ncalls=1 1\n1 10\nfn=b\n1 7\ncfn=a\ncalls=1 1\n1 10\n";
    assert_eq!(self::profile(ring).unwrap().total(0), 10);
}

#[test]
fn callers_of_recursive_functions_have_their_totals_in_any_order_of_blocks() {
    let profiles = both_ways(&["fn=rec\n1 100\ncfn=rec\ncalls=9 1\n1 450", "fn=main\n5 5\ncfn=rec\ncalls=1 1\n6 100"]);
    for profile in &profiles {
        assert_eq!(totals(profile), [("main", 105), ("rec", 100)].map(|(name, cost)| (name.to_owned(), cost)).into());
        assert_eq!(stacks(profile), stacks(&profiles[0]));
        assert_eq!(profile.notes.iter().count(), 1, "nothing is missing");
    }
}

/// a(b(a(b))): every `a` costs 20 by itself and every `b` 30; each calls what costs 5 beside it.
const RING: [&str; 5] = [
    "fn=main\n1 7\ncfn=a\ncalls=1 1\n2 112",
    "fn=a\n1 40\ncfn=b\ncalls=2 1\n2 121\ncfn=leaf\ncalls=2 1\n3 7",
    "fn=b\n1 60\ncfn=a\ncalls=1 1\n2 56\ncfn=mid\ncalls=2 1\n3 5",
    "fn=mid\n1 2\ncfn=leaf\ncalls=2 1\n2 3",
    "fn=leaf\n1 10",
];

#[test]
fn functions_that_call_each_other_stand_below_those_that_called_them_first() {
    for profile in both_ways(&RING) {
        assert!(stacks(&profile).iter().all(|(stack, _)| stack.starts_with("main")), "{:?}", stacks(&profile));
        let totals = totals(&profile);
        assert_eq!(["main", "a", "mid", "leaf"].map(|name| totals[name]), [119, 112, 5, 10]);
        assert!((65..=112).contains(&totals["b"]), "its own costs and what it calls, at most all: {}", totals["b"]);
        assert_eq!(stacks(&profile).iter().filter(|(stack, _)| stack.ends_with(";b")).map(|(_, cost)| cost).sum::<i64>(), 60);
    }
}

#[test]
fn a_chain_below_a_recursive_function_keeps_its_totals() {
    let profiles = both_ways(&[
        "fn=main\n1 1\ncfn=top\ncalls=1 1\n2 1000",
        "fn=top\n1 10\ncfn=rec\ncalls=1 1\n2 990",
        "fn=rec\n1 90\ncfn=rec\ncalls=99 1\n2 49000\ncfn=one\ncalls=100 1\n3 900",
        "fn=one\n1 300\ncfn=two\ncalls=100 1\n2 600",
        "fn=two\n1 600",
    ]);
    for profile in profiles {
        let totals = totals(&profile);
        assert_eq!(["main", "top", "rec", "one", "two"].map(|name| totals[name]), [1001, 1000, 990, 900, 600]);
    }
}

#[test]
fn recursion_that_nobody_called_keeps_what_it_calls_below_it() {
    let profiles = both_ways(&[
        "fn=a\n1 3\ncfn=b\ncalls=1 1\n1 100",
        "fn=b\n1 7\ncfn=a\ncalls=1 1\n1 103\ncfn=one\ncalls=1 1\n2 40",
        "fn=one\n1 10\ncfn=two\ncalls=1 1\n1 30",
        "fn=two\n1 30",
    ]);
    for profile in profiles {
        let totals = totals(&profile);
        assert_eq!((profile.total(0), totals["one"], totals["two"]), (50, 40, 30));
        assert!(stacks(&profile).iter().all(|(stack, _)| stack.starts_with(['a', 'b'])), "{:?}", stacks(&profile));
    }
}

#[test]
fn rare_paths_stand_below_their_callers() {
    // Two functions in each of 24 layers, each calling both of the next: far more paths than can be shown.
    let mut text = String::from("events: Ir\nfn=main\n1 1\ncfn=a0\ncalls=1 1\n1 72000\ncfn=b0\ncalls=1 1\n1 144000\n");
    for layer in 0..24 {
        for (name, own) in [("a", 3000), ("b", 6000)] {
            write!(text, "fn={name}{layer}\n1 {own}\n").unwrap();
            for (callee, part) in [("a", 1), ("b", 2)].into_iter().filter(|_| layer < 23) {
                let cost = (23 - layer) * own / 3 * part;
                write!(text, "cfn={callee}{}\ncalls=1 1\n2 {cost}\n", layer + 1).unwrap();
            }
        }
    }
    let profile = profile(&text).unwrap();
    let totals = totals(&profile);
    assert_eq!(totals["main"], 216_001);
    for layer in 0..24 {
        let found = ["a", "b"].map(|name| totals[&format!("{name}{layer}")]);
        assert_eq!(found, [3000, 6000].map(|own| own * (24 - layer)), "layer {layer}");
    }
    assert!(profile.stacks.len() < 500_000 && notes(&profile).contains(" paths with rare or deep calls ("), "{}", notes(&profile));
    assert!(!notes(&profile).contains("without callers"), "{}", notes(&profile));
}

#[test]
fn very_deep_calls_stand_at_the_last_frame_that_is_shown() {
    let mut text = String::from("events: Ir\n");
    for depth in 0..3000 {
        let rest = 2999 - depth;
        write!(text, "fn=f{depth:04}\n1 1\ncfn=f{:04}\ncalls=1 1\n2 {rest}\n", depth + 1).unwrap();
    }
    let profile = profile(&text).unwrap();
    let totals = totals(&profile);
    assert_eq!(["f0000", "f0500", "f0999", "f2500"].map(|name| totals[name]), [3000, 2500, 2001, 1]);
    assert!(notes(&profile).contains("very deep paths (66.633 % of all costs)"), "{}", notes(&profile));
}

#[test]
fn calls_that_cost_more_than_their_functions_are_scaled_down_and_a_note_says_so() {
    let profiles = both_ways(&["fn=a\n1 1\ncfn=c\ncalls=1 1\n1 100", "fn=b\n1 1\ncfn=c\ncalls=1 1\n1 300", "fn=c\n1 200"]);
    for profile in profiles {
        let expected = [("a", 1), ("a;c", 50), ("b", 1), ("b;c", 150)].map(|(stack, cost)| (stack.to_owned(), cost));
        assert_eq!(stacks(&profile), expected);
        assert!(notes(&profile).contains("2 calls cost more than what they lead to (by 99.010 % of all costs)"), "{}", notes(&profile));
    }
}

#[test]
fn what_is_named_in_jumps_is_known_afterwards() {
    // As `--collect-jumps=yes` writes it: names are compressed where they are met first, and a place without costs follows.
    let text = "positions: line\nevents: Ir\nob=(1) a.out\nfl=(1) a.c\nfn=(1) main\n1 2\njob=(2) b.so\njfi=(2) b.h\njfn=(2) g\n\
        jump=3 9\n2\njcnd=1/3 +4\n* \n+1 3\nfi=(2)\n8 4\nob=(2)\nfl=(2)\nfn=(2)\n1 5\n";
    let profile = profile(text).unwrap();
    assert_eq!(stacks(&profile), [("g", 5), ("main", 2), ("main", 3), ("main", 4)].map(|(names, cost)| (names.to_owned(), cost)));
    assert_eq!((profile.notes.count(kind::NOT_UNDERSTOOD), profile.total(0)), (0, 14));
    let lines: Vec<u32> = profile.frames.iter().map(|frame| frame.line).collect();
    assert_eq!(lines, [1, 1, 3, 8], "jumps move the place that later lines are relative to");
}

#[test]
fn a_callee_in_no_known_file_is_not_in_the_file_of_its_caller() {
    let text = "events: Ir\nob=(1) a.out\nfl=(1) a.c\nfn=(1) main\n1 2\ncob=(2) b.so\ncfi=(2) ???\ncfn=(2) 0x10\ncalls=1 0\n1 5\n\
        ob=(2)\nfl=(2)\nfn=(2)\n0 5\n";
    assert_eq!(stacks(&profile(text).unwrap()), [("main", 2), ("main;0x10", 5)].map(|(names, cost)| (names.to_owned(), cost)));
}

/// Found by fuzzing: calls that cost far more than all functions together lead round and round, here three ways at each step.
#[test]
fn calls_that_cost_more_than_everything_end_soon() {
    let call = |callee: char| format!("cfn={callee}\ncalls=1 1\n1 1000000000\n");
    let function = |name: char, others: [char; 3]| format!("fn={name}\n1 1\n{}", others.map(call).concat());
    let text = format!(
        "events: Ir\n{}{}{}{}",
        function('a', ['b', 'c', 'd']),
        function('b', ['a', 'c', 'd']),
        function('c', ['a', 'b', 'd']),
        function('d', ['a', 'b', 'c'])
    );
    let profile = profile(&text).unwrap();
    assert_eq!(profile.total(0), 4, "self costs are exact whatever the calls say");
    assert!(profile.stacks.len() < 200_000, "{} stacks", profile.stacks.len());
}

#[test]
fn a_file_without_its_end_is_told_by_its_summary() {
    let counts = |text: &str| {
        let profile = profile(text).unwrap();
        [kind::TRUNCATED, kind::REPAIRED].map(|kind| profile.notes.count(kind))
    };
    let text = "events: Ir Dr\nsummary: 10002 4\nfn=f\n1 10000 4\n";
    assert_eq!(counts(&format!("{text}totals: 10000 4\n")), [0, 0], "with simulated caches the summary is slightly above the sum");
    assert_eq!(counts(text), [0, 1], "totals are missing, and nearly all costs are there");
    assert_eq!(counts("events: Ir\nsummary: 999\nfn=f\n1 10\n"), [1, 0]);
    assert_eq!(counts("events: Ir\nfn=f\n1 10\nsummary: 10\n"), [0, 0], "cachegrind writes it at the end");
    // Without its totals the first part has a summary alone: in its own order of events, whatever the next part counts.
    let turned = "events: Ir Dr\nsummary: 10000 4\nfn=f\n1 10000 4\nevents: Dr Ir Dw\nsummary: 5 700 3\nfn=f\n1 5 700 3\n";
    assert_eq!(counts(turned), [0, 0], "both parts agree with their own columns");
    assert_eq!(counts(&format!("{turned}totals: 5 700 3\n")), [0, 0]);
    assert_eq!(counts(&turned.replace("1 5 700 3", "1 5 70 3")), [1, 0], "the second part is cut");
    let two = "events: Ir\nsummary: 10\nfn=f\n1 10\ntotals: 10\n";
    assert_eq!(counts(&format!("{two}{two}")), [0, 0]);
    assert_eq!(counts(&format!("{two}events: Ir\nsummary: 10\nfn=f\n1 4\n")), [1, 0], "the second part is cut");
}

#[test]
fn broken_files_say_where() {
    for (text, what) in [
        ("fl=x\nfn=f\n1 2\n", "there is no line `events:` before it (at byte 0xa)"),
        ("events: Ir\n1 2\n", "there is no line `fn=` before it (at byte 0xb)"),
        ("events: Ir\nfn=f\n1 x\n", "wanted a cost, found `x` (at byte 0x10)"),
        ("events: Ir\nfn=(3)\n", "number 3 stands for no name so far (at byte 0xb)"),
        ("events: Ir\nfn=f\ncalls=1 1\n1 2\n", "there is no line `cfn=` before it"),
        ("version: 2\nevents: Ir\n", "wanted 0 or 1, found 2"),
        ("# callgrind format\n", "there is no line `events:`"),
    ] {
        let error = profile(text).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn only_files_of_costs_are_recognised() {
    for text in [
        PLAIN,
        "version: 0.9.6\ncmd: x.php\npart: 1\npositions: line\n\nevents: Time\n\nfl=php:internal\nfn=php::f\n1 5\n",
        "desc: I1 cache: 1\ncmd: ./a\nevents: Ir\nfl=x.c\nfn=main\n1 2\n",
    ] {
        assert_eq!(Callgrind.sniff(text.as_bytes()), Sniff::Yes);
    }
    for text in ["main;a 1\n", "events: a\nmain;b 3\n", "{\"events\": 1}", ""] {
        assert_eq!(Callgrind.sniff(text.as_bytes()), Sniff::No, "{text}");
    }
}

/// What Xdebug writes: `Memory` may be less at the end of a function than at its start.
const XDEBUG: &str = "version: 1\ncreator: xdebug 3.1.1 (PHP 8.1.0)\npositions: line\n\nevents: Time_(10ns) Memory_(bytes)\n\n\
    fl=(1) php:internal\nfn=(1) php::strlen\n10 5 0\n\nfl=(2) app.php\nfn=(2) free\n7 3 -100\n\n\
    fl=(2)\nfn=(3) {main}\n1 20 400\ncfl=(1)\ncfn=(1)\ncalls=1 0 0\n3 5 0\ncfl=(2)\ncfn=(2)\ncalls=1 0 0\n4 3 -100\n";

#[test]
fn negative_costs_are_read_and_units_stand_in_names_of_events() {
    let profile = profile(XDEBUG).unwrap();
    let types: Vec<_> = profile.sample_types.iter().map(|kind| (kind.name.as_str(), kind.unit.as_str())).collect();
    assert_eq!(types, [("Time", "nanoseconds"), ("Memory", "bytes")]);
    assert_eq!((profile.total(0), profile.total(1)), (280, 300));
    assert_eq!(
        stacks(&profile),
        [("{main}", 200), ("{main};free", 30), ("{main};php::strlen", 50)].map(|(name, cost)| (name.to_owned(), cost))
    );
    let memory: Vec<i64> = profile.samples.values(1).to_vec();
    assert_eq!((memory.len(), memory.iter().copied().min(), memory.iter().copied().max()), (3, Some(-100), Some(400)));
    assert!(notes(&profile).contains("Memory"), "how such costs are split is said: {}", notes(&profile));
}

/// One function gives memory back to two callers that ran it for 3 and 1 of its time: so its costs are split.
#[test]
fn negative_costs_are_split_as_the_first_event_is() {
    let text = "events: Time Memory\n\nfn=free\n1 40 -800\n2 0 100\n\nfn=a\n1 5 7\ncfn=free\ncalls=1 0\n1 30 -1\n\n\
        fn=b\n1 5 -9\ncfn=free\ncalls=1 0\n1 10 -2\n";
    for text in [text.to_owned(), text.replace("events: Time Memory", "events: Time\nevents: Time Memory")] {
        let profile = profile(&text).unwrap();
        let mut memory = BTreeMap::<String, i64>::new();
        for (stack, value) in profile.samples.stacks().iter().zip(profile.samples.values(1)) {
            let names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect();
            *memory.entry(names.join("<")).or_default() += value;
        }
        assert_eq!(profile.total(1), -702);
        let expected = [("a", 7), ("b", -9), ("free<a", -525), ("free<b", -175)];
        assert_eq!(memory, expected.into_iter().map(|(name, cost)| (name.to_owned(), cost)).collect());
    }
}

#[test]
fn units_in_names_of_events_are_those_of_pprof_too() {
    let profile = profile("events: cpu(ms) space(kB) samples(count) other(x) Ir (\n\nfn=a\n1 3 2 7 8 9 1\n").unwrap();
    let types: Vec<_> = profile.sample_types.iter().map(|kind| (kind.name.as_str(), kind.unit.as_str())).collect();
    let expected =
        [("cpu", "nanoseconds"), ("space", "bytes"), ("samples", "count"), ("other(x)", "count"), ("Ir", "count"), ("(", "count")];
    assert_eq!(types, expected);
    assert_eq!((0..6).map(|row| profile.total(row)).collect::<Vec<_>>(), [3_000_000, 2048, 7, 8, 9, 1]);
}
