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
        ("--- contention\ncycles/second=5\n", (Form::Contention, GPERFTOOLS, true)),
        ("--- symbol\n0x1 a\n---\n--- heap\nheap_v2/524288\n", (Form::Named, JEMALLOC, true)),
        ("--- symbol\n0x1 a\n", (Form::Named, GPERFTOOLS, true)),
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

/// One input of every form, with everything that it may hold.
fn seeds() -> Vec<Vec<u8>> {
    let maps = "--- Memory map: ---\nb=/x\n 00000010-00000060: $b/prog (@10) abcdef\n 100-200 r-xp 00000100 fe:00 7 /lib/l.so.6\n";
    let text = [
        "heap profile: 3: 60 [5: 100] @ heap/64\n2: 40 [3: 60] @ 0x11 0x21\n#\t0x10\tmain.f+0x4\tm.go:7\n#\t0x20\tmain.g+0x14\tm.go:9\n\n\
         -1: -20 [2: 40] @\n# runtime.MemStats\n# Alloc = 5\n",
        "heap profile: 1: 2 [1: 2] @ growthz\n1: 2 [1: 2] @ 0x11 0xffffffffffffffff 0x0\nMAPPED_LIBRARIES:\n",
        "heap_v2/64\n  t*: 2: 90 [1: 5]\n@ 0x11 0x21\n  t*: 2: 90 [1: 5]\n  t1: 1: 40 [1: 5]\n  t2: 1: 50 [0: 0] name\n@ 0x31\n  t*: 9: 9 [0: 0]\n",
        "goroutine profile: total 3\n2 @ 0x11 0x21\n# labels: {\"a\":\"\\x41\", \"b\":\"\\u00e9\"}\n#\t0x10\tf+0x1\tm.go:1\n\n1 @\n#\t0x0\n",
        "--- mutex:\ncycles/second=1000\nsampling period=5\n100 3 @ 0x11 0x21\n#\t0x10\tf+0x1\tm.go:1\n",
        "--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\nms since reset = 6\n1 2 @ 0x3 0x4\n \
         0x0000003 com.f (s.java:03)\n 0x4 GC\n",
        "--- heapz 1 ---\nformat = java\nresolution = bytes\n 500 1 @ 0x3 0x4\n 0x3 com.f (/l.so)\n",
        "--- threadz 1 ---\n--- Thread 7e (name: main/25) stack: ---\n  PC: 0x31: f(x)\n 0x21: g\n--- Thread 8e (name: w/26) stack: ---\n \
         [same as previous thread]\n",
        "panic: x\n\ngoroutine 7 gp=0x1 m=nil [chan receive (durable), 5 minutes, locked to thread] {a: \"b\"}:\nm.f(...)\n\t/m.go:7\nm.g(0x1)\n\
         \t/m.go:8 +0x1 fp=0x1 sp=0x2 pc=0x30\n...additional frames elided...\ncreated by m.h in goroutine 1\n\t/m.go:9 +0x5\n\nexit 2\n",
    ];
    let mut seeds: Vec<Vec<u8>> = text.iter().map(|text| [text.as_bytes(), maps.as_bytes()].concat()).collect();
    for java in [0_u32, 1] {
        let words = [0, 3, java, 10_000, 0, 2, 2, 0x11, 0x21, 1, 3, 0x11, 0x11, 0x21, 0, 1, 0];
        let names = if java == 1 { "\n 0x11 com.f (s.java:3)\n" } else { maps };
        seeds.push(words.iter().flat_map(|word| word.to_le_bytes()).chain(names.bytes()).collect());
    }
    let names = "--- symbol\nbinary=/x\n0x11 f--g\n0x20 h\n0x31\ti::operator--()\n---\n--- heap\n";
    let cpu = [0_u32, 3, 0, 10_000, 0, 2, 2, 0x11, 0x21, 1, 1, 0x31, 0, 1, 0];
    seeds.push(names.bytes().chain(cpu.iter().flat_map(|word| word.to_le_bytes())).chain(maps.bytes()).collect());
    seeds.push([names.as_bytes(), text[2].as_bytes(), maps.as_bytes()].concat());
    seeds.push(b"--- contention\ncycles/second=1000\n100 3 @ 0x11 0x21\n100-200 r-xp 00000100 fe:00 7 /lib/l.so.6\n".to_vec());
    seeds
}

/// The next number of a generator that is good enough to choose places.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn turned_bytes_give_an_error_or_a_sound_profile() {
    let ticket = Ticket::new();
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let (mut read_well, mut refused) = (0, 0);
    for seed in seeds() {
        let whole = read(&Input { bytes: &seed, name: "x" }, GO_TEXT, &ticket).expect("a seed is whole");
        assert!(!whole.samples.is_empty() && check(&whole).is_empty());
        for _ in 0..2_000 {
            let mut bytes = seed.clone();
            for _ in 0..=next(&mut state) % 4 {
                let at = next(&mut state) as usize % bytes.len();
                match next(&mut state) % 5 {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = next(&mut state) as u8,
                    2 => bytes[at] = *b"0123456789:@[]-\n\t {}\"x".get(next(&mut state) as usize % 22).unwrap_or(&b' '),
                    3 => drop(bytes.remove(at)),
                    _ => {
                        let part = bytes[at..bytes.len().min(at + 40)].to_vec();
                        let to = next(&mut state) as usize % bytes.len();
                        bytes.splice(to..to, part);
                    }
                }
                if bytes.is_empty() {
                    bytes.push(b'0');
                }
            }
            match read(&Input { bytes: &bytes, name: "x" }, GO_TEXT, &ticket) {
                Ok(profile) => {
                    assert_eq!(check(&profile), [], "{}", String::from_utf8_lossy(&bytes));
                    read_well += 1;
                }
                Err(error) => {
                    assert!(error.to_string().contains("at byte 0x"), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(read_well > 5_000 && refused > 500, "{read_well} were read, {refused} refused: too few of one to say anything");
}
