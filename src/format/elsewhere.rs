//! Files of tools that no reader here is for: what they are, and what makes a capture of them that can be opened.
//!
//! Deliberately absent: reading them. Start reading at [`hint`].

/// A kind of file: how its beginning is told (blanks before it are gone), and what to say.
type Kind = (fn(&[u8]) -> bool, &'static str);

const KINDS: &[Kind] = &[
    (|start| start.starts_with(b"<"), "this looks like a web page: was an error page saved instead of the profile?"),
    (
        |start| start.starts_with(b"404") || start.starts_with(b"Could not"),
        "this looks like a server's error message saved instead of the profile",
    ),
    (
        |start| start.starts_with(b"SIMPLEPERF"),
        "this is a report of Android's simpleperf, which is not read: open the recording (perf.data) that it was made of",
    ),
    (
        |start| start.starts_with(b"go 1.") && start.get(..16).is_some_and(|head| has(head, b" trace")),
        "this is an execution trace of Go, which is not read: `go tool trace -pprof=sched` (or net, sync, syscall) makes a pprof of it",
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
        |start| start.split(|&byte| byte == b'\n').take(20).any(|line| line.starts_with(b"  ") && line.contains(&b'`')),
        "this looks like stacks that DTrace counted, which are not read: inferno-collapse-dtrace folds them",
    ),
];

fn has(start: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(start, text).is_some()
}

/// What a file that no reader knows seems to be, and what would help.
pub(super) fn hint(head: &[u8]) -> Option<&'static str> {
    let start = head.trim_ascii_start();
    KINDS.iter().find(|(is_it, _)| is_it(start)).map(|(_, text)| *text)
}
