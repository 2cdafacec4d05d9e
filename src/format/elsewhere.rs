//! Files of tools that no reader here is for: what they are, and what makes a capture of them that can be opened.
//!
//! Deliberately absent: reading them. Start reading at [`hint`].

/// A kind of file: how its beginning is told (blanks before it are gone), and what to say.
type Kind = (fn(&[u8]) -> bool, &'static str);

const KINDS: &[Kind] = &[
    (
        |start| is_page(start) && has(start, b"<trace-query-result"),
        "this is a table of Instruments that xctrace exported, which is not read: inferno-collapse-xctrace folds it",
    ),
    // Pages have pictures inside as well.
    (
        |start| (start.starts_with(b"<?xml") || start.starts_with(b"<svg")) && has(start, b"<svg") && !has(start, b"<html"),
        "this is a picture: open the capture or the folded stacks that it was drawn from",
    ),
    (
        |start| is_page(start) && [&b"lame graph"[..], b"lame Graph", b"lamegraph", b"lameGraph"].iter().any(|name| has(start, name)),
        "this is a flame graph as a web page: open the capture that it was made of, or let the profiler write folded stacks (`-o collapsed`)",
    ),
    (is_page, "this looks like a web page: was an error page saved instead of the profile?"),
    (
        |start| start.starts_with(b"404") || start.starts_with(b"Could not"),
        "this looks like a server's error message saved instead of the profile",
    ),
    (
        |start| start.starts_with(b"SIMPLEPERF") || start.starts_with(b"sample:\n  event_type:"),
        "this is a report of Android's simpleperf, which is not read: open the recording (perf.data) that it was made of",
    ),
    (
        |start| start.starts_with(b"go 1.") && start.get(..16).is_some_and(|head| has(head, b" trace")),
        "this is an execution trace of Go, which is not read: `go tool trace -pprof=sched` (or net, sync, syscall) makes a pprof of it",
    ),
    (
        |start| start.starts_with(b"{\"string_table\":["),
        "these are the symbols that samply saved beside a recording: open the recording, which takes its names from here",
    ),
    (|start| has(start, b"\"dhatFileVersion\""), "this is a heap profile of DHAT, which is not read: DHAT's own viewer shows it"),
    (
        |start| has(start, b"\"missed_samples\"") && has(start, b"\"frames\""),
        "this is a profile of Ruby's stackprof, which is not read: `stackprof --stackcollapse` folds it",
    ),
    (
        |start| has(start, b"Time and Allocation Profiling Report") || has(start, b"\"rts_arguments\""),
        "this is a report of GHC's profiler, which is not read: inferno-collapse-ghcprof folds the text that `+RTS -p` writes",
    ),
    (
        |start| start.starts_with(b"Weight\t") && has(start, b"Symbol Name"),
        "this is a copy of Instruments' call tree, which is not read: xctrace exports it, and inferno-collapse-xctrace folds that",
    ),
    (
        |start| start.starts_with(b"Analysis of sampling"),
        "this is a report of macOS's sample, which is not read: inferno-collapse-sample folds it",
    ),
    (|start| start.starts_with(b"Function Stack,"), "this is a table of Intel VTune, which is not read: inferno-collapse-vtune folds it"),
    (
        |start| start.starts_with(b"@ ") && has(start, b" samples]"),
        "this is a call graph of FreeBSD's pmcstat, which is not read: FlameGraph's stackcollapse-pmc.pl folds it",
    ),
    (
        |start| start.starts_with(b"Nettrace"),
        "this is a recording of .NET (nettrace), which is not read: `dotnet-trace convert --format Speedscope` makes a file of it that is",
    ),
    (
        |start| matches!(start, [b'{' | 0xfb, b')' | 0xa9, 3, ..]),
        "these are the statistics of Python's cProfile, which hold no stacks: pyprof2calltree makes a callgrind file of them",
    ),
    (
        |start| start.starts_with(b"rbspy"),
        "this is a raw recording of rbspy, which is not read: `rbspy report --format speedscope` makes a file of it that is",
    ),
    (
        |start| start.starts_with(b"v8-version,") || has(start, b"\"ticks\"") && start.starts_with(b"{\"code\""),
        "this is a log of V8's --prof, which is not read: `node --cpu-prof` writes a profile that is",
    ),
    (|start| has(start, b"\"flamebearer\""), "this is the data of a flame graph of Pyroscope, which is not read: its export as pprof is"),
    (
        |start| start.starts_with(b"# To display the perf.data header info") || has(start, b"# Overhead  "),
        "this is a report of perf, which is not read: open its recording (perf.data) or the text of `perf script`",
    ),
    (
        |start| start.starts_with(b"GO PREPROFILE V1"),
        "this is what Go's compiler makes of a CPU profile (preprofile), which holds no stacks: open the profile itself",
    ),
    (
        |start| start.starts_with(b"JAVA PROFILE 1.0"),
        "this is a dump of Java's hprof, which is not read: a recording of JFR or async-profiler is",
    ),
    (|start| has(start, b"Full thread dump "), "this is a thread dump of Java, which is not read: a recording of JFR or async-profiler is"),
    (
        |start| start.starts_with(b"gmon\x01"),
        "this is a profile of gprof, which holds no stacks and is not read: `perf record -g` records them",
    ),
    (
        |start| start.starts_with(b"desc: ") && has(start, b"\nsnapshot="),
        "this is a heap profile of Massif, which is not read: ms_print shows it",
    ),
    (
        |start| start.starts_with(b"\x04\x22\x4d\x18") && has(start.get(..64).unwrap_or(start), b"memray"),
        "this is a recording of memray, which is not read: `memray flamegraph` shows it",
    ),
    (
        |start| start.starts_with(b"{\"start_time\"") && has(start, b"\"root_frame\""),
        "this is a session of pyinstrument, which is not read: `pyinstrument -r speedscope` makes a file that is",
    ),
    (|start| start.starts_with(b"\x04\x22\x4d\x18"), "this is compressed by LZ4, which is not read: `lz4 -d` unpacks it"),
    (
        |start| start.starts_with(b"\x5d\0\0"),
        "this looks like LZMA without xz around it, which is not read: `xz -d --format=lzma` unpacks it",
    ),
    (
        |start| start.starts_with(b"{\"snapshot\"") && has(start, b"\"node_fields\""),
        "this is a heap snapshot of V8, which holds no stacks: `node --heap-prof` writes a profile of allocations that does",
    ),
    (
        |start| start.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"    -    ") && line.trim_ascii_end().ends_with(b")")),
        "this looks like stacks that a tool of bcc printed, which are not read: its option -f folds them",
    ),
    (
        |start| start.starts_with(b"MOJ"),
        "this is a recording of Austin (MOJO), which is not read: austin2speedscope of the package austin-python makes a file of it that is",
    ),
    (
        |start| start.split(|&byte| byte == b'\n').take(20).any(|line| line.starts_with(b"@") && line.trim_ascii_end().ends_with(b"[")),
        "this looks like stacks that bpftrace counted, which are not read: FlameGraph's stackcollapse-bpftrace.pl folds them",
    ),
    (
        |start| start.split(|&byte| byte == b'\n').take(20).any(|line| line.starts_with(b"  ") && line.contains(&b'`')),
        "this looks like stacks that DTrace counted, which are not read: inferno-collapse-dtrace folds them",
    ),
];

/// Whether a text begins as HTML and XML do. Frames in angle brackets (`<module>` of Python, `<T as Trait>::f` of Rust) do not.
fn is_page(start: &[u8]) -> bool {
    let Some(markup) = start.strip_prefix(b"<") else { return false };
    let begins = |word: &str| {
        let (name, rest) = markup.split_at_checked(word.len())?;
        let is_whole = rest.first().is_none_or(|next| next.is_ascii_whitespace() || b">/".contains(next));
        (name.eq_ignore_ascii_case(word.as_bytes()) && is_whole).then_some(())
    };
    markup.starts_with(b"!--")
        || ["!doctype", "html", "head", "body", "title", "?xml", "error"].into_iter().any(|word| begins(word).is_some())
}

fn has(start: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(start, text).is_some()
}

/// What a file that no reader knows seems to be, and what would help.
pub(super) fn hint(head: &[u8]) -> Option<&'static str> {
    let start = head.trim_ascii_start();
    KINDS.iter().find(|(is_it, _)| is_it(start)).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn files_of_other_tools_are_told_and_a_frame_in_angle_brackets_is_no_page() {
        for page in ["<!DOCTYPE html>", "\n<html lang=en>", "<HTML>", "<?xml version='1.0'?>", "<head><title>x", "<!-- x --><html>"] {
            assert!(hint(page.as_bytes()).is_some_and(|hint| hint.contains("web page")), "{page}");
        }
        for (file, wanted) in [
            (&b"<?xml version=\"1.0\"?>\n<svg width=\"1\">"[..], "a picture"),
            (b"<!DOCTYPE html>\n<title>Flame Graph</title>", "as a web page"),
            (b"\xfb)\x03\xfa\x01~", "cProfile"),
            (b"{\xa9\x03z", "cProfile"),
            (b"<?xml version=\"1.0\"?>\n<trace-query-result>", "xctrace"),
            (b"\x04\x22\x4d\x18\x64", "LZ4"),
            (b"\x04\x22\x4d\x18\x40\x40\xc0\x3f\0\0\0\xf5\x01memray\0\x0c", "`memray flamegraph`"),
            (b"{\"start_time\": 1.5,\"duration\": 0.1,\"root_frame\": {", "pyinstrument -r speedscope"),
            (b"{\"snapshot\":{\"meta\":{\"node_fields\":[", "--heap-prof"),
            (b"Sampling at 49 Hertz\n\n    read\n    main\n    -                cp (9036)\n        1\n", "bcc"),
            (b"Nettrace\x14\0", "dotnet-trace"),
            (b"{\"string_table\":[\"UNKNOWN\"", "samply saved"),
            (b"{\"version\":1,\"flamebearer\":{}}", "Pyroscope"),
            (b"{\"code\":[],\"ticks\":[]}", "--cpu-prof"),
            (b"# To display the perf.data header info, use x\n", "a report of perf"),
            (b"2026-01-01 00:00:00\nFull thread dump OpenJDK", "thread dump"),
            (b"desc: x\ncmd: a\n#---\nsnapshot=0\n", "Massif"),
        ] {
            let found = hint(file);
            assert!(found.is_some_and(|hint| hint.contains(wanted)), "{wanted}: {found:?}");
        }
        for stack in ["<module> (report.py:1);run", "<T as Trait>::f;main 3", "<html_parser>;main 3", "<"] {
            assert_eq!(hint(stack.as_bytes()), None, "{stack}");
        }
    }
}
