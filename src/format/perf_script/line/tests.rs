use proptest::prelude::*;

use super::*;

/// Command, pid, tid, processor, time, period, event.
type Shown = (String, Option<i32>, Option<i32>, Option<u32>, Option<i64>, Option<u64>, String);

fn sample(line: &str) -> Shown {
    let Some(Start::Sample(head)) = start(line.as_bytes()) else { panic!("no sample: {line}") };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let found = who(head.who);
    (text(found.comm), found.pid, found.tid, found.cpu, head.time, head.period, text(head.event))
}

#[test]
fn first_lines_of_samples() {
    let time = Some(8_801_193_547_000);
    for (line, comm, pid, tid, cpu, time, period, event) in [
        ("cc1  4347  8801.193547:    2004008 cpu-clock:ppp: ", "cc1", None, Some(4347), None, time, Some(2_004_008), "cpu-clock:ppp"),
        (
            "worker 3   77 [002]  8801.193547: sched:sched_switch: prev_comm=x y ==> z",
            "worker 3",
            None,
            Some(77),
            Some(2),
            time,
            None,
            "sched:sched_switch",
        ),
        ("a    77/78   8801.193547:  250000        cycles:u: ", "a", Some(77), Some(78), None, time, Some(250_000), "cycles:u"),
        (":-1    -1  8801.193547: 1 cycles:k:", ":-1", None, Some(-1), None, time, Some(1), "cycles:k"),
        (
            "Gecko\t25122 [007] 8801.193547:\t\t1000000 task-clock:u:",
            "Gecko",
            None,
            Some(25122),
            Some(7),
            time,
            Some(1_000_000),
            "task-clock:u",
        ),
        ("x 1.5: y  9 8801,193547: page-faults:  a84278 [unknown] (/bin/p)", "x 1.5: y", None, Some(9), None, time, None, "page-faults"),
        (
            "kworker/0:1-ev   12 K [000]  8801.193547: 7 cpu/event=0x3c,umask=0x1/: ",
            "kworker/0:1-ev",
            None,
            Some(12),
            Some(0),
            time,
            Some(7),
            "cpu/event=0x3c,umask=0x1/",
        ),
        (
            "dd  6034  8801.193547000:    1003009 cpu-clock:ppp:  ffffffff82200809 f+0x19 (k)",
            "dd",
            None,
            Some(6034),
            None,
            time,
            Some(1_003_009),
            "cpu-clock:ppp",
        ),
        ("node-v011 31912 cpu-clock: ", "node-v011", None, Some(31912), None, None, None, "cpu-clock"),
        ("node 31912 [001] 99 cycles: ", "node", None, Some(31912), Some(1), None, Some(99), "cycles"),
        ("x  5  8801.193547: ", "x", None, Some(5), None, time, None, ""),
        ("x  5  8801.193547:  7f00 foo+0x1 (/lib/x: y)", "x", None, Some(5), None, time, None, ""),
    ] {
        let expected = (comm.to_owned(), pid, tid, cpu, time, period, event.to_owned());
        assert_eq!(sample(line), expected, "{line}");
        // Commands are right-aligned in captures without call graphs.
        if time.is_some() {
            assert_eq!(sample(&format!("        {line}")), expected, "{line}");
        }
    }
}

#[test]
fn lines_that_start_no_sample() {
    for line in [
        "",
        "\t          401b97 main+0x1f (/bin/x)",
        "            13a80b608e0a RegExp:[&<>] x.<anonymous>:1 (/run/jit/perf-7539.map)",
        "  file.c:12",
        "404 page not found",
        "foo: bar",
        "# time of first sample : 2705.892294",
        "THIS_IS_A_WEIRD_LINE",
    ] {
        assert_eq!(start(line.as_bytes()), None, "{line}");
    }
    assert_eq!(start(b"gcc  4341  2440.163055: PERF_RECORD_COMM exec: gcc:4341/4341"), Some(Start::Record(b"COMM exec: gcc:4341/4341")));
    assert_eq!(start(b"PERF_RECORD_FINISHED_ROUND"), Some(Start::Record(b"FINISHED_ROUND")));
}

#[test]
fn frames() {
    for (line, address, symbol, module, inlined) in [
        ("\tffffffff821e5202 xas_load+0x32 ([kernel.kallsyms])", 0xffff_ffff_821e_5202, "xas_load", "[kernel.kallsyms]", false),
        ("\t    7fec95e7a758 [unknown] ([unknown])", 0x7fec_95e7_a758, "", "", false),
        ("\t           164c8 [unknown] (/usr/lib/liblzma.so.5.4.1)", 0x164c8, "", "/usr/lib/liblzma.so.5.4.1", false),
        ("        b3cea6c4\tLock::unlock() (/system/lib/libc.so)", 0xb3ce_a6c4, "Lock::unlock()", "/system/lib/libc.so", false),
        ("\t 1 foo+0x1 (/usr/lib/x.so (deleted))", 1, "foo", "/usr/lib/x.so", false),
        ("\t 1 foo+0x1 (/home/me/my dir (2)/x)", 1, "foo", "/home/me/my dir (2)/x", false),
        ("\t 1 foo (/opt/odd)name)", 1, "foo", "/opt/odd)name", false),
        ("\t 1 foo (/opt/x+0x1f00)", 1, "foo", "/opt/x", false),
        (
            "\t 1 void (anonymous namespace)::f<int (int)>(char) const+0xff (/bin/x)",
            1,
            "void (anonymous namespace)::f<int (int)>(char) const",
            "/bin/x",
            false,
        ),
        ("\t 1 LFoo;::bar(a b)+c (//anon)", 1, "LFoo;::bar(a b)+c", "//anon", false),
        ("\t 3f4d7 hexyl::run+0x7497 (inlined)", 0x3f4d7, "hexyl::run", "", true),
        ("\tffffffff81a88205 security_mmap_file", 0xffff_ffff_81a8_8205, "security_mmap_file", "", false),
        ("\t 1 start_thread (/lib/x86_64-linux-gnu", 1, "start_thread", "", false),
        ("\t 10 (/bin/x)", 16, "", "/bin/x", false),
        ("\t 10", 16, "", "", false),
    ] {
        let expected = RawFrame {
            address,
            symbol: Some(symbol.as_bytes()).filter(|text| !text.is_empty()),
            module: Some(module.as_bytes()).filter(|text| !text.is_empty()),
            inlined,
        };
        assert_eq!(frame(line.as_bytes()), Some(expected), "{line}");
    }
    for line in ["\t THIS_IS_A_WEIRD_LINE", "\t", "\t 12345678901234567 too long (x)", "\t0x12/0x13/P/-/-/0"] {
        assert_eq!(frame(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn places_of_frames() {
    assert_eq!(source_line(b"  hexyl.rs:120"), Some((&b"hexyl.rs"[..], 120)));
    assert_eq!(source_line(b"  a b.c:7 (discriminator 2)"), Some((&b"a b.c"[..], 7)));
    for line in ["  ??:0", "  x.c:0", "  libc.so.6[98930]"] {
        assert!(is_source_line(line.as_bytes()) && source_line(line.as_bytes()).is_none(), "{line}");
    }
    assert!(!is_source_line(b"   three blanks:1"));
}

proptest! {
    #[test]
    fn the_short_way_to_a_time_reads_the_same(before in "[a-z /0-9.:]{0,12}", seconds in "[0-9x]{0,9}", mark in "[.,x]", fraction in "[0-9x]{5,7}") {
        let text = format!("{before}{seconds}{mark}{fraction}").into_bytes();
        if let Some(found) = usual_time(&text) {
            prop_assert_eq!(Some(found), any_time(&text));
        }
        let usual = format!("comm  1234 {}.{:06}", seconds.len(), fraction.len()).into_bytes();
        prop_assert!(usual_time(&usual).is_some());
    }

    #[test]
    fn the_short_way_to_a_frame_says_the_same(
        address in "[ \t]{0,2}[0-9a-fA-F]{0,17}",
        symbol in "( {1,2}(f|operator\\(\\)|\\(cookie\\)|a b|\\[unknown\\]|inlined)(\\+0x[0-9a-f])?)?",
        module in "( ?\\((inlined|/x|/a \\(deleted\\)|\\[unknown\\])\\)?)?",
        end in "[ )]?",
    ) {
        let line = format!("{address}{symbol}{module}{end}").into_bytes();
        let whole = frame(&line).map(|raw| Brief { address: raw.address, inlined: raw.inlined, cookie: raw.is_cookie() });
        prop_assert_eq!(brief(&line), whole);
    }
}
