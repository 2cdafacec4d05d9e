//! `emberlens info` on captures that other readers get wrong: totals and counts by event as the recording tool itself has them.
//!
//! One row per trap. Right values come from `perf script`, `perf report -T`, pprof's reference parser, and for texts from the numbers
//! that stand in them. Which program gets what wrong is in the reference beside the corpus (perf.md 8.6 and 9.4, go-and-pprof.md 3).

use std::path::PathBuf;

use emberlens::model::kind;
use serde_json::Value;

use crate::cli::{json, sample};
use crate::corpus;
use crate::formats::{read_named, samples, walk};

/// (sample type, total, records)
type Sums = &'static [(&'static str, i64, u64)];

/// Holds what `info --json` says of a file to the sums of the trap.
fn differs(trap: &str, path: &str, sums: Sums) -> Option<String> {
    let info = json(&["info", "--json", path]);
    let found: Vec<(String, i64, u64)> = info["sample_types"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|kind| {
            let text = kind["type"].as_str().expect("a name").to_owned();
            (text, kind["total"].as_i64().expect("an integer"), kind["samples"].as_u64().expect("a count"))
        })
        // Times off the CPU are derived; perf counts none.
        .filter(|(name, ..)| name != "off-cpu")
        .filter(|(name, total, count)| *total != 0 || *count != 0 || sums.iter().any(|sum| sum.0 == name))
        .collect();
    let wanted: Vec<(String, i64, u64)> = sums.iter().map(|(name, total, count)| ((*name).to_owned(), *total, *count)).collect();
    let tally = &info["tally"];
    let adds_up = tally["samples"].as_u64() == Some(tally["used"].as_u64().unwrap_or(0) + tally["skipped"].as_u64().unwrap_or(0));
    (found != wanted || !adds_up).then(|| format!("{trap}: {path}: found {found:?}, wanted {wanted:?}; {tally}"))
}

/// perf.md 8.6: recordings of which other readers lose samples. Own captures; values by `perf script -F event,period`.
const SAMPLES: &[(&str, &str, Sums)] = &[
    (
        "a counting group, of which the one record is two weights",
        "loop-group.perf.data",
        &[("cpu-clock", 258_544_851, 25), ("page-faults", 218, 25)],
    ),
    (
        "a tracepoint in pipe mode, whose format stands outside of its record",
        "sleeps-tracepoint-pipe.perf.data",
        &[("sched:sched_switch", 10, 10)],
    ),
    (
        "counter values and namespaces beside the samples",
        "sleeps-counted.perf.data",
        &[("cpu-clock", 3_009_027, 3), ("page-faults", 193, 5)],
    ),
];

#[test]
fn recordings_that_others_lose_are_whole() {
    let mut wrong: Vec<String> =
        SAMPLES.iter().filter_map(|(trap, file, sums)| differs(trap, &sample(&format!("perf-data/6.1.187/{file}")), sums)).collect();
    // `perf report -T`: the sums of its columns over all threads.
    let info = json(&["info", "--json", &sample("perf-data/6.1.187/sleeps-counted.perf.data")]);
    let counted = "cpu-clock: 4596644 ns in 4 threads and processes that ended\npage-faults: 269 in 4 threads and processes that ended";
    if info["facts"]["counted"] != counted {
        wrong.push(format!("counted: {}", info["facts"]["counted"]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// perf.md 8.6, with the captures of the corpus: every event by its own period. Values by `perf script` and `perf report`.
const RECORDINGS: &[(&str, &str, Sums)] = &[
    ("call chains", "captured/perf-data/xz-threads-fp.perf.data", &[("cpu-clock:ppp", 5_773_319_804, 5756)]),
    (
        "two events apart",
        "third-party/perf-data/perf_data_converter/multi-event-single-process.perf.data",
        &[("cpu-clock", 4_947_250_000, 19_789), ("task-clock", 4_857_000_000, 19_428)],
    ),
    ("copied stacks", "captured/perf-data/rust-hexyl-dwarf.perf.data", &[("cpu-clock:ppp", 173_913_012, 52)]),
    ("compressed records", "captured/perf-data/gcc-sqlite-O1-z.perf.data", &[("cpu-clock:ppp", 10_976_586_642, 3282)]),
    ("a probe in a stream", "third-party/perf-data/perfparser/probe.data.stream", &[("probe_untitled1:main", 1, 1)]),
    ("a folder of perf record --threads", "captured/perf-data/threads-dir.perf.data", &[("cpu-clock:ppp", 1_615_230_448, 806)]),
    ("one file of that folder", "captured/perf-data/threads-dir.perf.data/data", &[("cpu-clock:ppp", 1_615_230_448, 806)]),
    ("compressed and copied", "third-party/perf-data/perfparser/vector_static_gcc.zstd.perf.data", &[("cycles", 14_945_761, 34)]),
    (
        "compressed, two kinds of events",
        "third-party/perf-data/perfparser/parallel_static_gcc.zstd.perf.data",
        &[("cycles", 25_516_312, 233), ("sched:sched_switch", 9, 9)],
    ),
    ("a newer attribute, which perf 6.1 refuses", "third-party/perf-data/linux-perf-data/sleep.data", &[("cycles:Pu", 668_601, 7)]),
    (
        "COMPRESSED2 records, which perf 6.1 refuses",
        "third-party/perf-data/linux-perf-data/sleep.compressed.data",
        &[("cycles:P", 2_201_546, 8)],
    ),
    ("the same in a pipe", "third-party/perf-data/linux-perf-data/sleep.compressed.pipe.data", &[("cycles:P", 2_171_147, 8)]),
    ("a pipe that is named like a file", "third-party/perf-data/perfparser/contentsize.data", &[("cache-references", 386_608, 69)]),
    ("the magic of version 1, without samples", "third-party/perf-data/hotspot/perf.data.true.v1", &[]),
    (
        "a group that only shares its leader",
        "third-party/perf-data/perf_data_converter/perf.data.group_desc-4.14",
        &[("cache-references", 165_909, 7), ("branch-misses", 23_813, 6)],
    ),
    (
        "a fixed period",
        "third-party/perf-data/perf_data_converter/perf.data.throttle-3.8",
        &[("cycles", 90_360_000, 9036), ("instructions", 59_440_000, 5944)],
    ),
    (
        "six events, three of them in time order only together",
        "third-party/perf-data/perf_data_converter/perf.data.singleprocess-3.4",
        &[
            ("cycles", 2_143_535, 14),
            ("instructions", 922_214, 14),
            ("cache-references", 18_192, 12),
            ("cache-misses", 7116, 11),
            ("branches", 201_384, 13),
            ("branch-misses", 15_161, 13),
        ],
    ),
];

/// go-and-pprof.md: profiles with what viewers drop. Values by the reference parser and, where it refuses, as the note says.
const PROFILES: &[(&str, &str, Sums)] = &[
    ("two gzip members that are one profile", "bad/gz-two-members.pb.gz", &[("samples", 575, 511), ("cpu", 5_750_000_000, 511)]),
    ("negative values", "bad/negative-values.pb.gz", &[("cpu", 0, 3)]),
    ("a sample without a stack", "bad/empty-stack.pb.gz", &[("cpu", 15, 2)]),
    ("numbers of a list one by one", "bad/unpacked-repeated.pb.gz", &[("cpu", 10, 1)]),
    ("a gzip in a gzip", "bad/gz-in-gz.pb.gz", &[("samples", 575, 511), ("cpu", 5_750_000_000, 511)]),
    ("no samples at all", "captured/pprof/server/caddy-default/mutex.pb.gz", &[("contentions", 0, 0), ("delay", 0, 0)]),
    ("threads, most of them without a stack", "captured/pprof/server/caddy-gzip-gogcoff/threadcreate.pprof", &[("threadcreate", 15, 2)]),
    ("contention text", "captured/go-text/server/etcd-p2/mutex_debug_1.txt", &[("contentions", 60, 3), ("delay", 355_227_720, 3)]),
    ("the same as protobuf", "captured/pprof/server/etcd-p2/mutex.pb.gz", &[("contentions", 60, 3), ("delay", 355_227_720, 3)]),
    ("contention of Java, in microseconds", "third-party/pprof/pprof/java.contention", &[("contentions", 700, 4), ("delay", 1900, 4)]),
    (
        "contention of C++ with a period",
        "third-party/pprof/pprof/driver.cppbench.small.contention",
        &[("contentions", 1000, 1), ("delay", 3124, 1)],
    ),
];

#[test]
fn captures_of_the_corpus_that_others_misread_are_right() {
    let Some(folder) = corpus::folder() else { return };
    let wrong: Vec<String> = RECORDINGS
        .iter()
        .chain(PROFILES)
        .filter_map(|(trap, file, sums)| differs(trap, &folder.join(file).display().to_string(), sums))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} traps", RECORDINGS.len() + PROFILES.len());
}

/// perf.md 9.4: the fifteen rows, each as a text that has it.
const TEXTS: &[(&str, &str, Sums)] = &[
    (
        "two events of unequal name length",
        "a  1  1.0:     250000        cpu-clock: \n\t 10 f+0x1 (/x)\n\na  1  1.5:          3 context-switches: \n\t 10 f (/x)\n\n",
        &[("cpu-clock", 250_000, 1), ("context-switches", 3, 1)],
    ),
    (
        "a tracepoint with its text",
        "a  1 [000]  1.0:     250000 cpu-clock: \n\t 10 f (/x)\n\na  1 [000]  1.5: sched:sched_switch: prev_comm=a prev_pid=1 ==> next_comm=b c next_pid=2\n\t 20 g (k)\n\n",
        &[("cpu-clock", 250_000, 1), ("sched:sched_switch", 1, 1)],
    ),
    (
        "user and kernel side of one event",
        "a  1  1.0:  7 cycles:u: \n\t 10 f (/x)\n\na  1  1.5:  8 cycles:k: \n\tffffffff81000010 g ([kernel.kallsyms])\n\n",
        &[("cycles:u", 7, 1), ("cycles:k", 8, 1)],
    ),
    (
        "page faults first",
        "a  1  1.0:          1 page-faults: \n\t 10 f (/x)\n\na  1  1.5:     250000   cpu-clock: \n\t 10 f (/x)\n\n",
        &[("page-faults", 1, 1), ("cpu-clock", 250_000, 1)],
    ),
    (
        "no call graph",
        "              xz  6034  2.0:    1003009 cpu-clock:ppp:  ffffffff82200809 up+0x19 ([kernel.kallsyms])\n              dd  6035  2.5:    1003009 cpu-clock:ppp:      7fd9303ca314 main+0x4 (/bin/dd)\n",
        &[("cpu-clock:ppp", 2_006_018, 2)],
    ),
    ("a module with a blank", "a  1  1.0: 26 cycles: \n\t 10 f (/opt/my app/lib one.so)\n\t 20 g (/x)\n\n", &[("cycles", 26, 1)]),
    ("a module that was deleted", "a  1  1.0: 5 cycles: \n\t 10 foo+0x1 (/usr/lib/x.so (deleted))\n\n", &[("cycles", 5, 1)]),
    ("lines of the source", "a  1  1.0: 5 cycles: \n\t 10 f+0x1 (/x)\n  a.c:7\n\t 20 __GI_g (/x)\n  b.c:9\n\n", &[("cycles", 5, 1)]),
    ("a command with a blank and a number", "worker 3  77  1.0: 5 cycles: \n\t 10 f (/x)\n\n", &[("cycles", 5, 1)]),
    ("a command of one letter", "a 10  1.0: 5 cycles: \n\t 10 f (/x)\n\n", &[("cycles", 5, 1)]),
    (
        "line ends of Windows",
        "a  1  1.0: 5 cycles: \r\n\t 10 f (/x)\r\n\r\na  1  1.5: 6 cycles: \r\n\t 10 f (/x)\r\n\r\n",
        &[("cycles", 11, 2)],
    ),
    ("no blank line at the end", "a  1  1.0: 5 cycles: \n\t 10 f (/x)\n\na  1  1.5: 6 cycles: \n\t 10 f (/x)\n", &[("cycles", 11, 2)]),
    ("process -1", ":-1    -1  1.0: 5 cycles: \n\t 10 f (/x)\n\n", &[("cycles", 5, 1)]),
    ("operators of C++", "a  1  1.0: 5 cycles: \n\t 10 std::function<void (int)>::operator()(int) const+0x1 (/x)\n\n", &[("cycles", 5, 1)]),
    (
        "generics of Rust",
        "a  1  1.0: 5 cycles: \n\t 10 <alloc::boxed::Box<dyn core::ops::FnOnce()> as core::ops::FnOnce>::call_once+0x1 (/x)\n\n",
        &[("cycles", 5, 1)],
    ),
];

/// Frames and commands that the same texts must give, as `top` shows them.
const NAMES: &[(&str, &str)] = &[
    ("a module that was deleted", "foo"),
    ("operators of C++", "std::function<void (int)>::operator()(int) const"),
    ("generics of Rust", "<alloc::boxed::Box<dyn core::ops::FnOnce()> as core::ops::FnOnce>::call_once"),
    ("lines of the source", "__GI_g"),
];

/// Threads that the same texts must give.
const COMMANDS: &[(&str, &str, i64)] =
    &[("a command with a blank and a number", "worker 3", 77), ("a command of one letter", "a", 10), ("process -1", ":-1", -1)];

#[test]
fn texts_that_others_misread_are_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for (n, (trap, text, sums)) in TEXTS.iter().enumerate() {
        let path = folder.path().join(format!("{n}.txt"));
        std::fs::write(&path, text).expect("a writable folder");
        let path = path.display().to_string();
        wrong.extend(differs(trap, &path, sums));
        for (_, name) in NAMES.iter().filter(|(known, _)| known == trap) {
            let top = json(&["top", "--json", &path]).to_string();
            if !top.contains(&Value::from(*name).to_string()) {
                wrong.push(format!("{trap}: no {name} in {top}"));
            }
        }
        for (_, name, tid) in COMMANDS.iter().filter(|(known, ..)| known == trap) {
            let info = json(&["info", "--json", &path]);
            let thread = &info["thread_list"][0];
            if thread["name"] != *name || thread["tid"] != *tid {
                wrong.push(format!("{trap}: {thread}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} texts", TEXTS.len());
}

/// "Used + skipped = in the file", with a reason for every record that was skipped: a table that lacks something never looks whole.
#[test]
fn what_was_skipped_is_said_by_every_format() {
    let mut wrong = Vec::new();
    let (mut files, mut skipping) = (0, 0);
    let small = |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() < 300_000);
    let mut paths = samples();
    if let Some(folder) = corpus::folder() {
        walk(&folder, &mut paths);
    }
    for path in paths.into_iter().filter(small) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(profile) = read_named(&bytes, "x") else { continue };
        let tally = profile.info.tally;
        // Kinds of notes that may stand for records that are in no table.
        let kinds = [kind::SKIPPED, kind::NOT_UNDERSTOOD, kind::TRUNCATED];
        let said: u64 = kinds.iter().map(|kind| profile.notes.count(kind)).sum();
        files += 1;
        skipping += usize::from(tally.skipped > 0);
        if tally.samples != tally.used + tally.skipped || said < tally.skipped {
            wrong.push(format!("{}: {tally:?}, notes for {said}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files > 20, "{files} captures");
    println!("{files} captures, {skipping} of them with skipped records");
}

/// Each line or record that is left out is counted once, whatever the format: the number of all is that of an independent count.
#[test]
fn every_record_of_a_file_is_used_or_skipped() {
    let texts = [
        ("main;a 1\nmain;b 2\nno count here\nmain;c 3\n\nmain;d 4\nmain;e x\nmain;f 6\n", 7, 2),
        ("a 1 1.000000: 10 cycles: \n\t1 f (x)\n\na 1 2.000000: 10 cycles: \n\t1 f (x)\n\na 1 3.000000: 10 cycles: \n\t1 f (x)\n", 3, 0),
    ];
    for (text, records, skipped) in texts {
        let tally = read_named(text.as_bytes(), "x").expect("a readable text").info.tally;
        assert_eq!((tally.samples, tally.skipped), (records, skipped), "{text}");
    }
}

/// Sums are held at the end of their range, and that is said by every format, not only where values come from protobuf.
#[test]
fn sums_beyond_64_bits_are_said_by_every_format() {
    let most = i64::MAX;
    let texts = [
        format!("a {most}\nb {most}\n"),
        format!("a 1 1.000000: {most} cycles: \n\t1 f (x)\n\na 1 2.000000: {most} cycles: \n\t1 g (x)\n"),
        format!("events: Ir\nfn=f\n1 {most}\nfn=g\n1 {most}\n"),
    ];
    for text in texts {
        let profile = read_named(text.as_bytes(), "x").expect("a readable text");
        let note = profile.notes.iter().find(|note| note.kind == kind::OVERFLOW && note.text.contains("add up to more than 2^63-1"));
        assert!(note.is_some() && profile.total(profile.default_sample_type) == most, "{text}: {:?}", profile.notes);
    }
    let fits = read_named(format!("a {}\nb 1\n", most - 1).as_bytes(), "x").expect("a readable text");
    assert_eq!(fits.notes.count(kind::OVERFLOW), 0);
}

/// `go tool pprof -raw` (`PeriodType`, `Period`) and `perf evlist -v` (`sample_period`, and no period where it is a frequency).
#[test]
fn periods_are_those_of_the_file() {
    let period = |path: &str| {
        let info = json(&["info", "--json", "--no-symbols", &sample(path)]);
        let period = &info["period"];
        (!period.is_null())
            .then(|| format!("{} {} {}", period["type"].as_str().unwrap_or("?"), period["unit"].as_str().unwrap_or("?"), period["value"]))
    };
    let wanted = [
        ("pprof/go1.27.3/orders-cpu-before.pb.gz", Some("cpu nanoseconds 10000000")),
        ("pprof/go1.27.3/orders-heap-before.pb.gz", Some("space bytes 524288")),
        ("pprof/go1.27.3/orders-mutex-before.pb.gz", Some("contentions count 1")),
        ("pprof/go1.27.3/orders-goroutine-before.pb.gz", Some("goroutine count 1")),
        ("perf-data/6.1.187/loop-group.perf.data", None),
        ("jfr/openjdk-17/orders-before.jfr.gz", Some("cpu nanoseconds 10000000")),
    ];
    for (path, wanted) in wanted {
        assert_eq!(period(path).as_deref(), wanted, "{path}");
    }
    let Some(folder) = corpus::folder() else { return };
    for (path, wanted) in [
        ("third-party/perf-data/perf_data_converter/perf.data.throttle-3.8", "cycles count 10000"),
        ("captured/perf-data/multi-event.perf.data", "cpu-clock nanoseconds 1000003"),
    ] {
        assert_eq!(period(&folder.join(path).display().to_string()).as_deref(), Some(wanted), "{path}");
    }
}
