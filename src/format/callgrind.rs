//! Callgrind and Cachegrind profiles (Valgrind, KCachegrind's converters, Xdebug): costs of lines, and costs of calls between functions.
//!
//! The file holds a call GRAPH: it says what each function costs by itself, line by line, and what each of its calls costs, but not on
//! which path it was called. The reader makes a tree of it as KCachegrind and gprof do: a call's cost is split among the paths on which its
//! caller was reached, as if every call from the same line cost the same. So self costs and the totals of functions and of direct calls
//! are those of the file, longer paths are estimates, and a note says so. Recursion is the exception: the file counts every level of it
//! again, so a recursive function's total is what came from outside of the recursion, and where functions call each other in a circle it is
//! an estimate; totals of their callers and of what they call are exact. Every event is a sample type.
//! Deliberately absent: jumps, and event types that are sums of others. Start reading at [`Callgrind`], then `graph`, `flow` and `tree`;
//! `signed` is for costs below zero.
//!
//! Rules follow "Callgrind Format Specification" in the manual of Valgrind 3.19.

mod flow;
mod graph;
mod signed;
mod tree;

use super::text;
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::model::Profile;

/// The reader of callgrind files.
pub(super) struct Callgrind;

const NAME: &str = "callgrind";

impl Format for Callgrind {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Callgrind and Cachegrind files (Valgrind, Xdebug), a tree estimated from the call graph"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["callgrind", "callgrind.out", "cachegrind.out"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        if head.starts_with(b"# callgrind format") {
            return Sniff::Yes;
        }
        let mut events = false;
        for line in head.split(|&byte| byte == b'\n').take(200) {
            let line = line.trim_ascii_end();
            let is = |start: &[u8]| line.starts_with(start);
            if is(b"events:") {
                events = true;
            } else if events && (is(b"fn=") || is(b"fl=") || is(b"ob=")) {
                return Sniff::Yes;
            } else if !(line.is_empty() || line.starts_with(b"#") || line.iter().take(16).any(|&byte| byte == b':')) {
                // A header is nothing but `key: value`.
                return Sniff::No;
            }
        }
        Sniff::No
    }

    fn whole(&self, bytes: &[u8]) -> usize {
        text::whole_lines(bytes)
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        let mut graph = graph::read(input.bytes, cx.ticket)?;
        tree::build(&mut graph, cx.ticket)?;
        Ok(graph.builder.finish())
    }
}

#[cfg(test)]
mod tests;
