//! Files of tools that no reader here is for: what they are, and what makes a capture of them that can be opened.
//!
//! Deliberately absent: reading them. Start reading at [`hint`].

/// A kind of file: how its beginning is told (blanks before it are gone), and what to say.
type Kind = (fn(&[u8]) -> bool, &'static str);

const KINDS: &[Kind] = &[
    (is_page, "this looks like a web page: was an error page saved instead of the profile?"),
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
    fn a_page_begins_with_markup_and_not_with_a_frame_in_angle_brackets() {
        for page in ["<!DOCTYPE html>", "\n<html lang=en>", "<HTML>", "<?xml version='1.0'?>", "<head><title>x", "<!-- x --><html>"] {
            assert!(hint(page.as_bytes()).is_some_and(|hint| hint.contains("web page")), "{page}");
        }
        for stack in ["<module> (report.py:1);run", "<T as Trait>::f;main 3", "<html_parser>;main 3", "<"] {
            assert_eq!(hint(stack.as_bytes()), None, "{stack}");
        }
    }
}
