//! What perf printed over its versions and fields: one row per way. The first fifteen are those that other programs misread.

use std::fmt::Write as _;

use super::*;
use crate::base::ticket::Ticket;
use crate::model::{LabelValue, check};

/// A way to print, the text, the samples and the notes in it.
///
/// A sample is `event/unit comm/pid/tid {labels} @nanoseconds value: outermost;…;innermost`. A frame is its name, then `@file:line` where
/// its line is known, then `~` where it is inlined.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, u64)]);

fn shown(profile: &Profile) -> Vec<String> {
    let samples = &profile.samples;
    let show = |row: usize| {
        let mut text = String::new();
        let (kind, value) = (0..profile.sample_types.len())
            .map(|kind| (&profile.sample_types[kind], samples.values(kind)[row]))
            .find(|(_, value)| *value != 0)
            .unwrap();
        write!(text, "{}/{}", kind.name, kind.unit).unwrap();
        if let Some(thread) = samples.threads()[row].map(|thread| profile.threads[thread]) {
            let id = |id: Option<i32>| id.map_or("-".to_owned(), |id| id.to_string());
            write!(text, " {}/{}/{}", &profile.strings[thread.name], id(thread.pid), id(thread.tid)).unwrap();
        }
        if let Some(set) = samples.labels()[row] {
            let mut labels: Vec<String> = (profile.label_sets.get(set).iter())
                .map(|label| match label.value {
                    LabelValue::Number(number, _) => format!("{}={number}", &profile.strings[label.key]),
                    LabelValue::Text(value) => format!("{}={}", &profile.strings[label.key], &profile.strings[value]),
                })
                .collect();
            labels.sort();
            write!(text, " {{{}}}", labels.join(", ")).unwrap();
        }
        if let Some(time) = samples.time(row) {
            write!(text, " @{time}").unwrap();
        }
        let mut frames: Vec<String> = profile
            .stack_frames(samples.stacks()[row])
            .map(|id| {
                let frame = profile.frames.at(id);
                let file = frame.function.and_then(|function| profile.functions.at(function).file).map(|file| &profile.strings[file]);
                let place = file.map_or(String::new(), |file| format!("@{file}:{}", frame.line));
                format!("{}{place}{}", profile.frame_name(id), if frame.inlined { "~" } else { "" })
            })
            .collect();
        frames.reverse();
        write!(text, " {value}: {}", frames.join(";")).unwrap();
        text
    };
    (0..samples.len()).map(show).collect()
}

#[test]
fn every_way_to_print_is_read() {
    let mut wrong = Vec::new();
    for (way, text, samples, notes) in MISREAD_BY_OTHERS.iter().chain(VERSIONS).chain(FIELDS) {
        let profile = match read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX) {
            Ok(profile) => profile,
            Err(error) => {
                wrong.push(format!("{way}: {error}"));
                continue;
            }
        };
        assert_eq!(check(&profile), [], "{way}");
        // A part for every line gives the same, though the halves of a stack then lie in different parts.
        assert_eq!(read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), 8).as_ref(), Ok(&profile), "{way}");
        let found: Vec<_> = profile.notes.iter().map(|note| (note.kind, note.count)).collect();
        if shown(&profile) != *samples || found != *notes {
            let notes: Vec<_> = profile.notes.iter().map(|note| format!("{} x{}: {}", note.kind, note.count, note.text)).collect();
            wrong.push(format!("{way}:\n  {}\n  {}", shown(&profile).join("\n  "), notes.join("\n  ")));
        }
        if PerfScript.sniff(text.as_bytes()) == Sniff::No {
            wrong.push(format!("{way}: not recognised"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const MISREAD_BY_OTHERS: &[Row] = &[
    (
        "two events of unequal name length",
        "a  1  1.000000:     250000        cpu-clock: \n\t 10 f+0x1 (/x)\n\na  1  1.500000:          3 context-switches: \n\t 10 f (/x)\n\n",
        &["cpu-clock/nanoseconds a/-/1 @1000000000 250000: f", "context-switches/count a/-/1 @1500000000 3: f"],
        &[],
    ),
    (
        "tracepoint with text",
        "a  1 [000]  1.000000:     250000 cpu-clock: \n\t 10 f (/x)\n\n\
         a  1 [000]  1.500000: sched:sched_switch: prev_comm=a prev_pid=1 prev_state=S ==> next_comm=b c next_pid=2\n\t 20 g (k)\n\n",
        &[
            "cpu-clock/nanoseconds a/-/1 {cpu=0} @1000000000 250000: f",
            "sched:sched_switch/count a/-/1 {cpu=0, next_comm=b c, next_pid=2, prev_comm=a, prev_pid=1, prev_state=S} @1500000000 1: g",
        ],
        &[],
    ),
    (
        "one event in user and kernel mode",
        "a  1  1.000000:  7 cycles:u: \n\t 10 f (/x)\n\na  1  1.500000:  8 cycles:k: \n\tffffffff81000010 g ([kernel.kallsyms])\n\n",
        &["cycles:u/count a/-/1 @1000000000 7: f", "cycles:k/count a/-/1 @1500000000 8: g"],
        &[],
    ),
    (
        "a second event that is no page fault",
        "a  1  1.000000:          1 page-faults: \n\t 10 f (/x)\n\na  1  1.500000:     250000   cpu-clock: \n\t 10 f (/x)\n\n",
        &["page-faults/count a/-/1 @1000000000 1: f", "cpu-clock/nanoseconds a/-/1 @1500000000 250000: f"],
        &[],
    ),
    (
        "no call graph",
        "              xz  6034  2.000000:    1003009 cpu-clock:ppp:  ffffffff82200809 up+0x19 ([kernel.kallsyms])\n              \
         dd  6035  2.500000:    1003009 cpu-clock:ppp:      7fd9303ca314 main+0x4 (/bin/dd)\n",
        &["cpu-clock:ppp/nanoseconds xz/-/6034 @2000000000 1003009: up", "cpu-clock:ppp/nanoseconds dd/-/6035 @2500000000 1003009: main"],
        &[],
    ),
    (
        "a module with a blank",
        "a  1  1.000000: 2 cycles: \n\t 1 f+0x5 (/opt/my app/x y)\n\t 2 g (/opt/my app/x y)\n\n",
        &["cycles/count a/-/1 @1000000000 2: g;f"],
        &[],
    ),
    (
        "a deleted module",
        "a  1  1.000000: 2 cycles: \n\t 1 foo+0x1 (/usr/lib/x.so (deleted))\n\n",
        &["cycles/count a/-/1 @1000000000 2: foo"],
        &[],
    ),
    (
        "source lines",
        "a  1  1.000000: 2 cycles: \n\t 1 __GI___f+0x5 (/x)\n  a b.c:12\n\t 2 g (inlined)\n\t 2 h+0x1 (/x)\n  x.c:7 (discriminator 3)\n\t 3 i (/x)\n  x[3]\n\n",
        &["cycles/count a/-/1 @1000000000 2: i;h@x.c:7;g~;__GI___f@a b.c:12"],
        &[],
    ),
    (
        "a command that ends in a number",
        "worker 3  77  1.000000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count worker 3/-/77 @1000000000 2: f"],
        &[],
    ),
    ("a command of one character", "a 10  1.000000: 2 cycles: \n\t 1 f (/x)\n\n", &["cycles/count a/-/10 @1000000000 2: f"], &[]),
    (
        "line ends of Windows",
        "a  1  1.000000: 2 cycles: \r\n\t 1 f+0x1 (/x)\r\n  x.c:3\r\n\r\na  1  1.500000: 2 cycles: \r\n\t 1 g (/x)\r\n\r\n",
        &["cycles/count a/-/1 @1000000000 2: f@x.c:3", "cycles/count a/-/1 @1500000000 2: g"],
        &[],
    ),
    (
        "no blank line at the end",
        "a  1  1.000000: 2 cycles: \n\t 1 f (/x)\n\na  1  1.500000: 3 cycles: \n\t 1 g (/x)",
        &["cycles/count a/-/1 @1000000000 2: f", "cycles/count a/-/1 @1500000000 3: g"],
        &[],
    ),
    ("a process that is gone", ":-1    -1  1.000000: 2 cycles: \n\t 1 f (/x)\n\n", &["cycles/count :-1/-/-1 @1000000000 2: f"], &[]),
    (
        "C++ operators and templates",
        "a  1  1.000000: 2 cycles: \n\t 1 std::function<void (int)>::operator()(int) const+0x5 (/x)\n\t 2 (anonymous namespace)::f(char)+0x1 (/x)\n\n",
        &["cycles/count a/-/1 @1000000000 2: (anonymous namespace)::f(char);std::function<void (int)>::operator()(int) const"],
        &[],
    ),
    (
        "Rust trait objects",
        "a  1  1.000000: 2 cycles: \n\t 1 <alloc::boxed::Box<dyn FnOnce()> as core::ops::FnOnce>::call_once+0x1 (/x)\n\n",
        &["cycles/count a/-/1 @1000000000 2: <alloc::boxed::Box<dyn FnOnce()> as core::ops::FnOnce>::call_once"],
        &[],
    ),
];

const VERSIONS: &[Row] = &[
    (
        "before 3.14: no period, no time",
        "node 31912 cpu-clock: \n\t          401b97 f (/x)\n\nnode 31912 cpu-clock: \n\t          401b97 g (/x)\n\n",
        &["cpu-clock/count node/-/31912 1: f", "cpu-clock/count node/-/31912 1: g"],
        &[],
    ),
    (
        "before 4.100000: processor and time, no period",
        "node 31912 [001]  1.000000: cpu-clock: \n\t          401b97 f (/x)\n\n",
        &["cpu-clock/count node/-/31912 {cpu=1} @1000000000 1: f"],
        &[],
    ),
    (
        "3.14: --header",
        "# ========\n# captured on: Tue Feb 21 03:35:44 2017\n# cmdline : /usr/bin/perf record \n# ========\n#\na  1  1.000000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 @1000000000 2: f"],
        &[],
    ),
    (
        "4.14: letters of the mode behind the processor",
        "a  1 [000] K      1.000000: 2 cycles: \n\t 1 f (/x)\n\na  1 U      1.500000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 {cpu=0, misc=K} @1000000000 2: f", "cycles/count a/-/1 {misc=U} @1500000000 2: f"],
        &[],
    ),
    (
        "4.17: inlined frames",
        "a  1  1.000000: 2 cycles: \n\t 1 f (inlined)\n\t 1 g+0x3 (inlined)\n\t 1 h+0x3 (/x)\n\n",
        &["cycles/count a/-/1 @1000000000 2: h;g~;f~"],
        &[],
    ),
    (
        "5.x: --reltime",
        "a  1     0.000000: 2 cycles: \n\t 1 f (/x)\n\na  1     0.500000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 @0 2: f", "cycles/count a/-/1 @500000000 2: f"],
        &[],
    ),
    (
        "5.x: --deltatime",
        "a  1     0.000000: 2 cycles: \n\t 1 f (/x)\n\na  1     0.500000: 2 cycles: \n\t 1 f (/x)\n\na  1     0.250000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 @0 2: f", "cycles/count a/-/1 @500000000 2: f", "cycles/count a/-/1 @750000000 2: f"],
        &[(kind::GUESSED, 1)],
    ),
    ("5.x: --ns", "a  1  8801.193547123: 2 cycles: \n\t 1 f (/x)\n\n", &["cycles/count a/-/1 @8801193547123 2: f"], &[]),
    (
        "5.x: time of day",
        "a  1 2026-11-23 03:51:25.000001   8801.500000: 2 cycles: \n\t 1 f (/x)\n\na  1 2026-11-23 03:51:25.000002   8802.500000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 @8801500000000 2: f", "cycles/count a/-/1 @8802500000000 2: f"],
        &[],
    ),
    (
        "6.x: a guest's process and processor",
        "VM: 1234 VCPU:001 a  1 [000]  1.000000: 2 cycles: \n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 {cpu=0, machine_pid=1234, vcpu=1} @1000000000 2: f"],
        &[],
    ),
    (
        "6.x: offsets in modules",
        "a  1  1.000000: 2 cycles: \n\t    7f0000401136 main+0x10 (/bin/x+0x1136)\n\t    7f0000401140 [unknown] (/lib/a b.so+0x99)\n\n",
        &["cycles/count a/-/1 @1000000000 2: a b.so+0x7f0000401140;main"],
        &[],
    ),
    (
        "6.19: user parts of call chains on lines of their own",
        "pwd    2312   1.000000:     249113 cpu/cycles/P: \n\tffffffff845b78d8 build_id+0x218 ([kernel.kallsyms])\n\t       b00000006 (cookie) ([unknown])\n\n\
         pwd    2312   1.500000: DEFERRED CALLCHAIN [cookie: b00000006]\n\t    7f18fe337fa7 mprotect+0x7 (/lib/ld.so)\n\t    7f18fe330e0f start+0x7f (/lib/ld.so)\n\n",
        &["cpu/cycles/P/count pwd/-/2312 @1000000000 249113: start;mprotect;build_id"],
        &[],
    ),
    (
        "6.19: several samples wait for one, threads have numbers of their own, and one never comes",
        "a  1  1.000000: 5 cycles: \n\tffffffff84000000 read ([k])\n\t b06 (cookie) ([unknown])\n\n\
         b  2  1.100000: 6 cycles: \n\tffffffff84000010 write ([k])\n\t b06 (cookie) ([unknown])\n\n\
         a  1  1.200000: 7 cycles: \n\t b06 (cookie) ([unknown])\n\n\
         a  1  1.300000: DEFERRED CALLCHAIN [cookie: b06]\n\t 10 f (/x)\n\t 20 g (/x)\n\n\
         a  1  1.400000: 8 cycles: \n\tffffffff84000020 exit ([k])\n\t b07 (cookie) ([unknown])\n\n\
         b  2  1.500000: DEFERRED CALLCHAIN [cookie: b06]\n\t 30 h (/x)\n\n\
         a  1  1.600000: 9 cycles: \n\t 10 f (/x)\n\t 20 g (/x)\n\n",
        &[
            "cycles/count a/-/1 @1000000000 5: g;f;read",
            "cycles/count b/-/2 @1100000000 6: h;write",
            "cycles/count a/-/1 @1200000000 7: g;f",
            "cycles/count a/-/1 @1400000000 8: exit",
            "cycles/count a/-/1 @1600000000 9: g;f",
        ],
        &[(kind::CUT_STACKS, 1)],
    ),
];

const FIELDS: &[Row] = &[
    ("pid and tid", "a    77/78    1.000000: 2 cycles: \n\t 1 f (/x)\n\n", &["cycles/count a/77/78 @1000000000 2: f"], &[]),
    (
        "event names with any sign",
        "a  1  1.000000: 2 cpu/event=0x3c,umask=0x1,name=a b/:uH: \n\t 1 f (/x)\n\n",
        &["cpu/event=0x3c,umask=0x1,name=a b/:uH/count a/-/1 @1000000000 2: f"],
        &[],
    ),
    (
        "command and id only",
        "cc1  4347 \n\t            4970 f+0x1 (/x)\n\t            4971 g+0x1 (/x)\n\ncc1  4348 \n\t            4970 f+0x1 (/x)\n\n",
        &["samples/count cc1/-/4347 1: g;f", "samples/count cc1/-/4348 1: f"],
        &[],
    ),
    (
        "id only",
        "   4347 \n\t            4970 f\n\n   4348 \n\t            4970 f\n\t            4980 g\n\n",
        &["samples/count /-/4347 1: f", "samples/count /-/4348 1: g;f"],
        &[],
    ),
    (
        "address and name only",
        "\n\t            4970 f\n\t            4980 g\n\n\n\t            4970 f\n\n",
        &["samples/count 1: g;f", "samples/count 1: f"],
        &[],
    ),
    (
        "time and event only",
        " 2440.176139: cpu-clock:ppp: \n\t            4970 f\n\n 2440.181243: cpu-clock:ppp: \n\t            4970 f\n\n",
        &["cpu-clock:ppp/count @2440176139000 1: f", "cpu-clock:ppp/count @2440181243000 1: f"],
        &[],
    ),
    (
        "address only",
        "cc1  4347  1.000000: \n\t            4970\n\t            5970\n\n",
        &["samples/count cc1/-/4347 @1000000000 1: 0x5970;0x4970"],
        &[],
    ),
    (
        "a period without an event",
        "             cc1  4347  1.000000:    2004008            e5080e make_node\n             cc1  4347  1.500000:    2004009  ffffffff821e5202 xas_load\n",
        &["samples/count cc1/-/4347 @1000000000 2004008: make_node", "samples/count cc1/-/4347 @1500000000 2004009: xas_load"],
        &[],
    ),
    (
        "a data address",
        "a  1  1.000000:          1 page-faults:      7ff26b394e06 _rtld_global+0xde6 (/lib/ld.so) \n\t 1 f (/x)\n\n",
        &["page-faults/count a/-/1 @1000000000 1: f"],
        &[(kind::SKIPPED, 1)],
    ),
    (
        "a data address without call graph",
        "      python3.11  6657  1.000000:          1 page-faults:     7ff26b394e06 _rtld_global+0xde6 (/lib/ld.so)     7ff26b37c7ad _dl_start+0x3d (/lib/ld.so)\n",
        &["page-faults/count python3.11/-/6657 @1000000000 1: _dl_start"],
        &[(kind::SKIPPED, 1)],
    ),
    (
        "memory accesses with weights and latencies",
        "a  1 [002]  1.000000:          1 cpu/mem-loads/P:      7ff26b394e06         68100142 |OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A               42               7               3\n\t 1 f (/x)\n\n",
        &["cpu/mem-loads/P/count a/-/1 {cpu=2, data_src=OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A} @1000000000 1: f"],
        &[(kind::SKIPPED, 1)],
    ),
    (
        "physical addresses and page sizes",
        "a  1  1.000000:          1 cycles: \n\t 1 f (/x)\n       12345f000 4K 2M\n\na  1  1.500000:          1 cycles: \n\t 1 f (/x)\n               0 N/A 4K\n\n",
        &["cycles/count a/-/1 @1000000000 1: f", "cycles/count a/-/1 @1500000000 1: f"],
        &[(kind::SKIPPED, 2)],
    ),
    (
        "control groups",
        "a  1  1.000000:          1 cycles:  /system.slice/docker-1.scope\n\t 1 f (/x)\n\n",
        &["cycles/count a/-/1 {cgroup=/system.slice/docker-1.scope} @1000000000 1: f"],
        &[],
    ),
    (
        "kinds of branches (flags)",
        "a  1 [000]  1.000000:          1 branches:   call                      401136 main+0x10 (/bin/x) =>           401140 f+0x0 (/bin/x)\n",
        &["branches/count a/-/1 {cpu=0} @1000000000 1: main"],
        &[(kind::SKIPPED, 1)],
    ),
    (
        "branch stacks of three and six parts below the chain",
        "a  1  1.000000: 2 cycles: \n\t 401136 f (/x)\n 0x401140/0x401136/P  0x401136/0x401130/M \n\n\
         a  1  1.500000: 2 cycles: \n\t 401136 f (/x)\n 0x401140/0x401136/P/-/-/0  0x401136/0x401130/P/X/A/12 \n\n",
        &["cycles/count a/-/1 @1000000000 2: f", "cycles/count a/-/1 @1500000000 2: f"],
        &[(kind::SKIPPED, 2)],
    ),
    (
        "branch stacks of eight parts with modules, on the line",
        "  perf 5805 1.000000:          1 cycles:ppp:          4071f2 g+0x2 (/x) 0x8e16(/x)/0x71e3(/x)/P/-/-/4/COND/-  0xb684(/x)/0x8e00(/x)/M/-/-/2/RET/SPEC_WRONG_PATH \n",
        &["cycles:ppp/count perf/-/5805 @1000000000 1: g"],
        &[(kind::SKIPPED, 1)],
    ),
    (
        "branch stacks of symbols",
        "  perf 5805 1.000000:          1 cycles:ppp:          4071f2 g+0x2 (/x)[unknown]([kernel.kallsyms])/f+0x3(/x)/P/-/-/4/ [unknown](/x)/g(/x)/P/-/-/2/ \n\
         a  1  1.500000: 2 cycles: \n\t 401136 f (/x)\nmain+0x4/f+0x0/P/-/-/2/CALL/- f+0x9/main+0x5/P/-/-/1/RET/- \n\n",
        &["cycles:ppp/count perf/-/5805 @1000000000 1: g", "cycles/count a/-/1 @1500000000 2: f"],
        &[(kind::SKIPPED, 2)],
    ),
    (
        "instructions of branch stacks",
        "  perf 5805 1.000000:          1 cycles:          4004f9 add+0x9 (/x)\n\tadd:\n\t00000000004004f0\tinsn: 55 48                     # PRED 4 cycles [4] 0.25 IPC\n\
         \t00000000004004f2\tinsn: 89 e5\n\t... not reaching sample ...\n\n",
        &["cycles/count perf/-/5805 @1000000000 1: add"],
        &[(kind::SKIPPED, 4)],
    ),
    (
        "instructions and their rate",
        "a  1  1.000000: 2 cycles: \n\t 401136 f (/x)\n ilen: 3 insn: 48 89 e5\n\na  1  1.500000: 2 instructions:           401136 f (/x) ilen: 2 insn: 89 e5 \t IPC: 1.20 (12/10) \n",
        &["cycles/count a/-/1 @1000000000 2: f", "instructions/count a/-/1 @1500000000 2: f"],
        &[(kind::SKIPPED, 1), (kind::SKIPPED, 1)],
    ),
    (
        "physical addresses, page sizes and registers on the line",
        "  perf 5805 1.000000:          1 cycles:          4004f9 add+0x9 (/x)       12345f000 4K N/A\n  perf 5805 1.500000:          1 cycles:          4004f9 sub+0x9 (/a b) ABI:2    AX:0x0    BX:0x1 \n",
        &["cycles/count perf/-/5805 @1000000000 1: add", "cycles/count perf/-/5805 @1500000000 1: sub"],
        &[(kind::SKIPPED, 2)],
    ),
    (
        "registers and output of BPF programs",
        "a  1  1.000000: 2 cycles: \n\t 401136 f (/x)\n ABI:2    AX:0x0    BX:0x1 \n\n\
         a  1  1.500000: 1 bpf-output: \n\t 401136 f (/x)\n\n      BPF output: 0000: 12 00 00 00 00 00 00 00  ........\n                  0008: 12 00                    ..\n\n",
        &["cycles/count a/-/1 @1000000000 2: f", "bpf-output/count a/-/1 @1500000000 1: f"],
        &[(kind::SKIPPED, 1), (kind::SKIPPED, 2)],
    ),
    (
        "source code",
        "a  1  1.000000: 2 cycles: \n\t 401136 f (/x)\n  x.c:12\n\n|12       return x;\n",
        &["cycles/count a/-/1 @1000000000 2: f@x.c:12"],
        &[(kind::SKIPPED, 1)],
    ),
    (
        "source lines without call graph",
        "              xz  6034  2.000000:    1003009 cpu-clock:ppp:      7fd9303ca314 f+0x4 (/bin/xz)\n  x.c:7\n              \
         xz  6034  2.500000:    1003009 cpu-clock:ppp:      7fd9303ca319 g+0x4 (/bin/xz)\n  xz[3ca319]\n",
        &["cpu-clock:ppp/nanoseconds xz/-/6034 @2000000000 1003009: f@x.c:7", "cpu-clock:ppp/nanoseconds xz/-/6034 @2500000000 1003009: g"],
        &[],
    ),
    (
        "text of tracepoints",
        "xz  7084 [000]  1.000000: lock:contention_begin: 0xffff8881003c1eec (flags=SPIN)\n\tffffffff822014be f ([k])\n\n\
         py  8787 [001]  1.500000:          1 corpus:malloc: (7f94411f2930) bytes=0x20\n\t 98930 malloc+0x0 (/lib/libc.so.6)\n\n\
         cat  9 [001]  2.000000: syscalls:sys_enter_read: fd: 0x00000003, buf: 0x7ffd, count: 0x00000340\n\t 98930 read (/lib/libc.so.6)\n\n",
        &[
            "lock:contention_begin/count xz/-/7084 {cpu=0, trace=0xffff8881003c1eec (flags=SPIN)} @1000000000 1: f",
            "corpus:malloc/count py/-/8787 {bytes=0x20, cpu=1} @1500000000 1: malloc",
            "syscalls:sys_enter_read/count cat/-/9 {buf=0x7ffd, count=0x00000340, cpu=1, fd=0x00000003} @2000000000 1: read",
        ],
        &[],
    ),
    (
        "records between the samples",
        "swapper     0     0.000000: PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x12090c8) @ 0xffffffff81000000]: x [kernel.kallsyms]_text\n\
         perf  5969  0.500000: PERF_RECORD_NAMESPACES 5969/5969 - nr_namespaces: 7\n\t\t[0/net: 3/0xf00000a0, 1/uts: 3/0xeffffffe, \n\t\t 4/user: 3/0xeffffffd]\n\
         a  1  1.000000: 2 cycles: \n\t 1 f (/x)\n\nsleep  5969 1.200000: PERF_RECORD_SWITCH OUT preempt\nsleep  5969 1.300000: PERF_RECORD_LOST lost 12\n\
         PERF_RECORD_FINISHED_ROUND\nsleep  5969 1.400000: PERF_RECORD_EXIT(5969:5969):(5969:5969)\n",
        &["cycles/count a/-/1 @1000000000 2: f"],
        &[(kind::SKIPPED, 1), (kind::SKIPPED, 1), (kind::SKIPPED, 1), (kind::LOST_EVENTS, 12), (kind::SKIPPED, 1)],
    ),
    (
        "metrics",
        "a  1  1.000000: 2 cycles: \n\t 1 f (/x)\n\na  1  1.000000: \tmetric:       0.5  insn per cycle\n",
        &["cycles/count a/-/1 @1000000000 2: f"],
        &[(kind::SKIPPED, 1)],
    ),
];
