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
    assert_eq!(profile.frames[leaf].line, 16);
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
        profile.samples.stacks().iter().map(|stack| profile.frames[profile.stack_frames(*stack).next().unwrap()]).collect();
    assert_eq!(
        frames.iter().map(|frame| (frame.address.unwrap(), frame.line)).collect::<Vec<_>>(),
        [(0x8000_1234, 90), (0x8000_1237, 90), (0x8000_1238, 91)]
    );
    let file = |at: usize| profile.strings.get(profile.functions[frames[at].function.unwrap()].file.unwrap());
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
