//! Every choice of fields that has frames, printed as `perf script -F` pads them, with names of threads that look like other fields.

use std::fmt::Write as _;

use super::*;
use crate::base::ticket::Ticket;
use crate::format;

/// Command, process, thread, processor, event, period; the frames, innermost first.
type Printed = (&'static str, i32, i32, u32, &'static str, u64, &'static [(u64, &'static str)]);

const SAMPLES: &[Printed] = &[
    ("w", 8507, 8507, 0, "cpu-clock", 1_003_009, &[(0x1184, "spin"), (0x11a6, "rec"), (0xffff_ffff_8226_5488, "[unknown]")]),
    ("w 3: [x] (y)", 8507, 8509, 1, "cpu-clock", 1_003_009, &[(0x1184, "spin")]),
    ("cycles: 7 ev:", 8507, 8510, 0, "page-faults", 1, &[(0x7f00_1234_5678, "std::vector<int, a>::at(int)")]),
    ("12 34", 8507, 123_456, 15, "cpu-clock", 12_345_678_901, &[(0x1173, "spin"), (0x11a6, "rec")]),
    ("a [001] 1.5", 7, 8, 0, "page-faults", 3, &[(0x10, "f"), (0x20, "f")]),
    (":-1", -1, -1, 1, "cpu-clock", 0, &[(0x10, "f")]),
];

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field that lines have or have not")]
struct Fields {
    comm: bool,
    pid: bool,
    tid: bool,
    cpu: bool,
    time: bool,
    period: bool,
    event: bool,
    module: bool,
    chains: bool,
    /// A weight behind the other fields of a chain's first line, or an address before the frame of a line: `%16lu`, and no blank behind it.
    weight: bool,
    /// A page size behind the chain, which stands where the empty line between samples would be.
    page_size: bool,
    /// The length of the instruction behind the frame of a line.
    length: bool,
}

/// As `builtin-script.c` and `evsel_fprintf.c` print: the command raw where chains are printed, else sixteen wide; `%5d`, `%5d/%-5d`,
/// `[%03d]`, `%5lu.%06lu`, `%10lu`, the event as wide as the longest, `%16x`.
fn print(fields: Fields) -> String {
    let mut text = String::new();
    for (row, &(comm, pid, tid, cpu, event, period, frames)) in SAMPLES.iter().enumerate() {
        let mut add = |wanted: bool, field: std::fmt::Arguments<'_>| {
            if wanted {
                text.write_fmt(field).unwrap();
            }
        };
        add(fields.comm && fields.chains, format_args!("{comm} "));
        add(fields.comm && !fields.chains, format_args!("{comm:>16} "));
        add(fields.pid && fields.tid, format_args!("{pid:5}/{tid:<5} "));
        add(fields.pid != fields.tid, format_args!("{:5} ", if fields.pid { pid } else { tid }));
        add(fields.cpu, format_args!("[{cpu:03}] "));
        add(fields.time, format_args!("{:>5}.{:06}: ", 100 + row, 500 * row));
        add(fields.period, format_args!("{period:10} "));
        add(fields.event, format_args!("{event:>11}: "));
        let module = if fields.module { " (/bin/w x)" } else { "" };
        if fields.chains {
            if fields.weight {
                write!(text, "{:16}", 7 * row).unwrap();
            }
            text.push('\n');
            for (address, name) in frames {
                writeln!(text, "\t{address:16x} {name}{module}").unwrap();
            }
            if fields.page_size {
                text.push_str(" 4K");
            }
            text.push('\n');
        } else {
            let (address, name) = frames[0];
            let length = if fields.length { " ilen: 4" } else { "" };
            if fields.weight {
                write!(text, "{:16x}", 0x7f12 * row).unwrap();
            }
            writeln!(text, " {address:16x} {name}{module}{length}").unwrap();
        }
    }
    text
}

#[test]
fn every_choice_of_fields_gives_the_same_samples() {
    let mut wrong = Vec::new();
    for bits in 0..1_u32 << 11 {
        let on = |bit: u32| bits & 1 << bit != 0;
        let fields = Fields {
            comm: on(0),
            pid: on(1),
            tid: on(2),
            cpu: on(3),
            time: on(4),
            period: on(5),
            event: on(6),
            module: on(7),
            chains: on(8),
            weight: on(9),
            page_size: on(8) && on(10),
            // For lines without chains the same bit, so that there are no more choices than that.
            length: !on(8) && on(10),
        };
        let text = print(fields);
        let name =
            format::recognise(&Input { bytes: text.as_bytes(), name: "x" }, &Ticket::new()).map_or("none", |(format, _)| format.name());
        if name != "perf-script" {
            wrong.push(format!("{fields:?}: recognised as {name}\n{text}"));
            continue;
        }
        let profile = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX).unwrap();
        assert_eq!(read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), 8).as_ref(), Ok(&profile), "{fields:?}: in parts");
        let types = &profile.sample_types;
        let found: Vec<_> = (0..profile.samples.len())
            .map(|row| {
                let kind = (0..types.len()).find(|&kind| profile.samples.values(kind)[row] != 0);
                let thread = profile.samples.threads()[row].map(|thread| profile.threads[thread]);
                let frames = profile.stack_frames(profile.samples.stacks()[row]).count();
                (
                    kind.map(|kind| (types[kind].name.clone(), profile.samples.values(kind)[row])),
                    thread.map(|thread| (profile.strings[thread.name].to_owned(), thread.pid, thread.tid)),
                    profile.samples.time(row).is_some(),
                    frames,
                )
            })
            .collect();
        let wanted: Vec<_> = SAMPLES
            .iter()
            .map(|&(comm, pid, tid, _, event, period, frames)| {
                let value = if fields.period { period as i64 } else { 1 };
                let kind = (value != 0).then(|| (if fields.event { event } else { "samples" }.to_owned(), value));
                let named = fields.comm || fields.pid || fields.tid;
                let comm = if fields.comm { comm } else { "" }.to_owned();
                // One id is that of the thread, whatever it was asked for as: the text does not say which.
                let ids = ((fields.pid && fields.tid).then_some(pid), if fields.tid { Some(tid) } else { fields.pid.then_some(pid) });
                (kind, named.then_some((comm, ids.0, ids.1)), fields.time, if fields.chains { frames.len() } else { 1 })
            })
            .collect();
        let more = fields.weight || fields.page_size || fields.length;
        if found != wanted || profile.notes.is_empty() == more {
            let notes: Vec<_> = profile.notes.iter().map(|note| note.text.clone()).collect();
            wrong.push(format!("{fields:?}: {notes:?}\n{text}  found  {found:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} choices are wrong, such as\n{}",
        wrong.len(),
        wrong.iter().take(3).cloned().collect::<Vec<_>>().join("\n\n")
    );
}

#[test]
fn what_memory_accesses_did_stands_between_the_period_and_the_frame() {
    // `perf script -F tid,time,period,data_src,ip,sym,dso,misc`, without call chains (`-G`) and with them; with `addr` before it, and with `weight` and
    // `ins_lat` behind it.
    let plain = "1e05080021 |OP N/A|LVL N/A or N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A";
    for (before, behind) in [("", ""), ("               0", ""), ("    7f4469cb4000", "              31              12")] {
        check_accesses(&format!("{before}      {plain}{behind}"));
    }
}

fn check_accesses(access: &str) {
    let flat = format!(
        "20017 K     17476.309390:     100000 {access} ffffffff821f5127 exc_page_fault ([kernel.kallsyms])\n\
         20017 U     17476.309480:     100000 {access}     7f4469cb489e start (/usr/lib/ld.so.2)\n"
    );
    let chains = format!(
        "20017 K     17476.309390:     100000 {access}\n\tffffffff821f5127 exc_page_fault ([kernel.kallsyms])\n\n\
         20017 U     17476.309480:     100000 {access}\n\t    7f4469cb489e start (/usr/lib/ld.so.2)\n\n"
    );
    for text in [flat, chains] {
        assert_eq!(PerfScript.sniff(text.as_bytes()), Sniff::Yes, "{text}");
        let profile = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX).unwrap();
        assert_eq!((profile.total(0), profile.threads.len(), profile.frames.len()), (200_000, 1, 2), "{text}");
        assert_eq!(profile.samples.time(1), Some(17_476_309_480_000));
        assert!(profile.strings.find("OP N/A|LVL N/A or N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A").is_some(), "{text}");
    }
}

#[test]
fn places_stand_on_lines_of_their_own_below_single_frames_too() {
    // `perf script -F comm,time,srcline,ip,sym -G`; the second command is fourteen letters long.
    let text = "          t prog 17476.313661:      55c94229e1b8 mid\n  t.c:3\n  fourteen-chars 17476.313705:  ffffffff815d4e62 up\n\
                \x20 [kernel.kallsyms][ffffffff815d4e62]\n          t prog 17476.313705:      55c94229e1b9 mid\n  t.c:4\n";
    for text in [text.to_owned(), text.replace(" 17476.313661:", "").replace(" 17476.313705:", "")] {
        assert_eq!(PerfScript.sniff(text.as_bytes()), Sniff::Yes, "{text}");
        for size in [1, usize::MAX] {
            let profile = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), size).unwrap();
            let lines: Vec<u32> = profile.frames.iter().map(|frame| frame.line).collect();
            assert_eq!((profile.samples.len(), profile.threads.len(), lines), (3, 2, vec![3, 0, 4]), "{text}");
            assert!(profile.notes.is_empty(), "{text}");
        }
    }
}

#[test]
fn lists_of_addresses_of_other_programs_are_no_samples() {
    let others = [
        ("nm", "0000000000001149 T main\n0000000000001173 t f\n                 U malloc\n"),
        ("kallsyms", "ffffffff81000000 T _text\nffffffff81000040 t run_init_process\n"),
        ("a memory map", "5569e4591000-5569e4592000 r--p 00000000 fe:01 1234   /usr/bin/w\n7f00-7f01 r-xp 0 00:00 0 [vdso]\n"),
        (
            "objdump",
            "0000000000001149 <main>:\n    1149:\t55                   \tpush   %rbp\n    114a:\t48 89 e5             \tmov    %rsp,%rbp\n",
        ),
        ("a hexdump", "00000000  7f 45 4c 46 02 01 01 00  |.ELF....|\n00000010  03 00 3e 00 01 00 00 00  |..>.....|\n"),
        ("a table", "worker 3\n\tpeak 12\n\nworker 4\n\tpeak 13\n\n"),
        ("a makefile", "all: x \n\tcc -o x x.c\n\nclean: \n\trm x\n"),
        ("a list of hexadecimal numbers", "one \n\tdeadbeef cafe\n\ntwo \n\tbeef food\n"),
        ("a list of versions", "## Changes\n- 1.0: first release\n- 1.1: bug fixes\n- 2.0: rewrite\n"),
        ("a program", "def f(x):\n    if x == 0.0:\n        return 1\n    else:\n        a = b\n"),
        ("a program with tabs", "if x in 3 else y:\n\ta = b\n\tdef c\nif r < 0.0:\n\tadd x\n"),
        ("a program that holds a sample", "w(\"prog 1 1.000000: 1 cycles: \\n\\tffff\")\nif a:\n    e = f\n    c = d\n"),
        ("times of runs", "run 1 took 0.5: ok\nrun 2 took 0.7: ok\nrun 3 took 0.9: slow\n"),
        ("times behind numbers", "elapsed 12 3.5: step one\nelapsed 12 4.5: step two: end\n"),
        ("a journal", "Nov 29 10:00:00 host kernel: usb 1-1: new device\nNov 29 10:00:01 host app[123]: 1.5: something: x\n"),
        ("one line of a program", "        elif data.real == 0.0:\n"),
        ("counted lines", "     12 foo\n      3 bar\n"),
    ];
    for (what, text) in others {
        assert_eq!(PerfScript.sniff(text.as_bytes()), Sniff::No, "{what}");
        assert_eq!(layout::find(text.as_bytes(), true), None, "{what}");
    }
}

#[test]
fn a_text_that_is_cut_in_a_line_is_what_its_whole_lines_say() {
    for (what, line) in [
        ("an event and a frame", "cpu-clock:ppp:  ffffffff82200809 [unknown]\n"),
        ("a command and a frame", "             xz      7fd9303ca314 lzma_code\n"),
        ("a time and a frame", "             cc1  4347   2.500000:  ffffffff821e5202 xas_load\n"),
    ] {
        for shift in 0..line.len() {
            let text = format!("# {}\n{}", "-".repeat(shift), line.repeat(super::super::HEAD_BYTES / line.len() + 2));
            let found =
                format::recognise(&Input { bytes: text.as_bytes(), name: "x" }, &Ticket::new()).map_or("none", |(format, _)| format.name());
            assert_eq!(found, "perf-script", "{what}, {shift} bytes further");
        }
    }
    let line = "worker 7/7      2.500000:              e5080e make_node\n";
    for shift in [0, 20, 27] {
        let text = format!("# {}\n{}", "-".repeat(shift), line.repeat(PROBE_BYTES / line.len() + 9));
        let profile = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX).unwrap();
        assert_eq!((profile.threads.len(), profile.samples.time(0)), (1, Some(2_500_000_000)), "{shift} bytes further");
    }
}
