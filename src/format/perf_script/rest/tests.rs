use super::*;

/// The frame at the end of a line of `event`.
fn only_frame<'a>(event: &str, text: &'a str) -> Option<RawFrame<'a>> {
    rest(event.as_bytes(), text.trim().as_bytes()).frame.and_then(line::frame)
}

#[test]
fn the_only_frame_of_a_line() {
    for (event, text, expected) in [
        ("cycles", "ffffffff82200809 up+0x19 ([kernel.kallsyms])", Some("up")),
        ("cycles", "    7fd9303ca314 [unknown] (/usr/lib/x.so)", None),
        (
            "sched:sched_switch",
            "prev_comm=x prev_prio=120 ==> next_comm=bad ffffffff82200809 __schedule+0x2 ([kernel.kallsyms])",
            Some("__schedule"),
        ),
        ("page-faults", "a84278 [unknown] (/usr/bin/python3.11)      7f00 elf load+0x28a (/bin/a b)", Some("elf load")),
        ("cycles", "  401136 main+0x10 (/bin/x)  0x401140/0x401136/P/-/-/0  0x401136/0x401130/P/-/-/0 ", Some("main")),
        ("cycles", "  401136 main+0x10 (/bin/x) 0x401140(/bin/x)/0x401136(/bin/x)/P/-/-/0/COND/- ", Some("main")),
        ("cycles", "  401136 main+0x10 (/bin/x)f(int)+0x4(/bin/x)/main+0x2(/bin/x)/P/-/-/0/COND/SPEC_WRONG_PATH ", Some("main")),
        ("branches", "  call    401136 main+0x10 (/bin/x) =>     401140 f+0x0 (/bin/x)", Some("main")),
    ] {
        let frame = only_frame(event, text).unwrap_or_else(|| panic!("no frame: {text}"));
        assert_eq!(frame.symbol, expected.map(str::as_bytes), "{text}");
    }
    for (event, text) in [
        ("cycles", ""),
        ("corpus:malloc", "(7f94411f2930) bytes=0x20"),
        ("lock:contention_begin", "0xffff8881003c1eec (flags=SPIN)"),
        ("kmem:kmalloc", "bytes_req=16 gfp=add"),
        ("cycles", "/system.slice/x.service"),
    ] {
        assert_eq!(only_frame(event, text), None, "{text}");
    }
}

#[test]
fn tracepoints_are_told_from_modifiers() {
    for (event, expected) in [
        ("sched:sched_switch", true),
        ("probe_libc:malloc__return", true),
        ("sdt_app:x", true),
        ("cycles:u", false),
        ("cpu-clock:ppp", false),
        ("cpu/event=0x3c,name=a b/:uH", false),
        ("cycles", false),
        ("", false),
    ] {
        assert_eq!(is_tracepoint(event.as_bytes()), expected, "{event}");
    }
}

#[test]
fn fields_of_tracepoints() {
    for (text, expected) in [
        (
            "prev_comm=a b prev_pid=1 prev_state=R+ ==> next_comm=x: y=z next_pid=2",
            &[("prev_comm", "a b"), ("prev_pid", "1"), ("prev_state", "R+"), ("next_comm", "x:"), ("y", "z"), ("next_pid", "2")][..],
        ),
        ("(7f94411f2930) bytes=0x20", &[("bytes", "0x20")]),
        ("fd: 0x00000003, buf: 0x7ffd, count: 0x340", &[("fd", "0x00000003"), ("buf", "0x7ffd"), ("count", "0x340")]),
        ("0xffff8881003c1eec (flags=SPIN)", &[]),
        ("0x340", &[]),
        ("", &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
        assert_eq!(fields(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn other_lines_of_samples() {
    for (line, expected) in [
        ("  0x401140/0x401136/P/-/-/0 ", Some("branch stacks")),
        (" 0x401140/0x401136/P ", Some("branch stacks")),
        (" 0x401140/0x401136/M/-/-/12/COND/- ", Some("branch stacks")),
        ("main+0x4/f(int)+0x1/P/-/-/2 f(int)+0x9/main+0x5/P/-/-/1 ", Some("branch stacks")),
        ("\tmain+12:", Some("instructions of branch stacks")),
        ("\tmain:\tx.c:3", Some("instructions of branch stacks")),
        ("\t00000000004004f0\tinsn: 55 48 89\t# PRED 4 cycles [4] 0.25 IPC", Some("instructions of branch stacks")),
        ("\tmismatch of LBR data and executable", Some("instructions of branch stacks")),
        (" ABI:2    AX:0x0    BX:0x1 ", Some("registers")),
        ("      BPF output: 0000: 12 00 00 00 00 00 00 00  ........", Some("output of BPF programs")),
        ("                  0008: 12 00                    ..", Some("output of BPF programs")),
        (" ilen: 3 insn: 48 89 e5", Some("instructions")),
        (" \t IPC: 1.20 (12/10) ", Some("instructions")),
        ("|12       return x;", Some("lines of source code")),
        ("       0 4K N/A", Some("fields behind the call chain")),
        ("    7f0011223344", Some("fields behind the call chain")),
        ("    7f00 f (/lib/x)", None),
        ("what", None),
        ("\t WEIRD", None),
    ] {
        assert_eq!(other(line.as_bytes(), true), expected, "{line}");
    }
}
