//! What stands behind the event of a first line, and the lines of a sample that are no frames.
//!
//! perf does not say which fields it printed, so everything is told by its shape. Deliberately absent: addresses of data, weights,
//! latencies, registers and instructions, which the model has no place for; they are counted. Start reading at [`rest`].

use super::line::{self, RawFrame};

/// What a first line says behind its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest<'a> {
    /// The only frame of a sample without call graph, as it stands.
    pub(super) frame: Option<&'a [u8]>,
    /// Text of a tracepoint.
    pub(super) trace: &'a [u8],
    /// Path of the control group.
    pub(super) cgroup: &'a [u8],
    /// What a memory access did: `OP LOAD|LVL L1 hit|…`.
    pub(super) data_src: &'a [u8],
    /// A branch stack follows.
    pub(super) branches: bool,
    /// There is more: addresses, weights, flags.
    pub(super) more: bool,
}

/// Reads what follows an event.
pub(super) fn rest<'a>(event: &[u8], text: &'a [u8]) -> Rest<'a> {
    let mut found = Rest::default();
    if text.is_empty() {
        return found;
    }
    let tracepoint = is_tracepoint(event);
    let mut text = text;
    if !tracepoint {
        // Where a branch went (`=>`) is not where it was sampled.
        if let Some(at) = memchr::memmem::find(text, b" => ") {
            (text, found.more) = (text.get(..at).unwrap_or(text), true);
        }
        if let Some(at) = branches_at(text) {
            (text, found.branches) = (text.get(..at).unwrap_or(text).trim_ascii_end(), true);
        }
        if let Some(at) = behind_frame(text) {
            (text, found.more) = (text.get(..at).unwrap_or(text), true);
        }
    }
    let frame = frame_at(text, tracepoint);
    let before = frame.map_or(text, |at| text.get(..at).unwrap_or(text)).trim_ascii();
    found.frame = frame.and_then(|at| text.get(at..));
    if tracepoint {
        found.trace = before;
    } else if before.starts_with(b"/") {
        found.cgroup = before;
    } else if let Some(at) = memchr::memmem::find(before, b"|OP ") {
        let text = before.get(at + 1..).unwrap_or(&[]);
        // Weights are padded to sixteen places.
        let end = memchr::memmem::find(text, b"   ").unwrap_or(text.len());
        found.data_src = text.get(..end).unwrap_or(text).trim_ascii();
        found.more = true;
    } else {
        found.more |= !before.is_empty();
    }
    found
}

/// True for the name of a tracepoint or probe (`system:name`); false for an event with modifiers (`cycles:ppp`).
pub(super) fn is_tracepoint(event: &[u8]) -> bool {
    let colon = memchr::memchr(b':', event).and_then(|at| event.split_at_checked(at));
    let (system, name) = colon.map_or((&[][..], &[][..]), |(system, name)| (system, name.get(1..).unwrap_or(&[])));
    let word = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.$@*".contains(byte));
    word(system) && word(name) && !name.iter().all(|byte| b"ukhGHIpPSDWeRb".contains(byte))
}

/// Where the frame begins that ends `text`. Before it may stand text of a tracepoint, or a data address with its symbol.
pub(super) fn frame_at(text: &[u8], tracepoint: bool) -> Option<usize> {
    let mut found = None;
    let mut at = 0;
    while let Some(word) = text.get(at..).filter(|word| !word.is_empty()) {
        let length = word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len());
        // perf prints addresses 16 wide after a blank: a shorter one has at least two blanks before it.
        let first = at == 0 && !tracepoint;
        let padded = first || length == 16 || at.checked_sub(2).and_then(|two| text.get(two..at)).is_some_and(|before| before == b"  ");
        // One blank between address and symbol: more of them pad the next number.
        let symbol = word.get(length + 1..).and_then(<[u8]>::first).is_some_and(|byte| !byte.is_ascii_whitespace() && *byte != b'|');
        let is_frame = |frame: RawFrame<'_>| symbol && (frame.symbol.is_some() || frame.module.is_some() || word.contains(&b'['));
        if padded && line::frame(word).is_some_and(is_frame) {
            found = Some(at);
        }
        at += length + word.get(length..).map_or(0, |blanks| blanks.iter().take_while(|byte| byte.is_ascii_whitespace()).count());
    }
    found
}

/// Where the fields begin that perf prints behind the frame of a line: registers, instructions, addresses, page sizes.
fn behind_frame(text: &[u8]) -> Option<usize> {
    let close = memchr::memrchr(b')', text).map_or(0, |at| at + 1);
    let after = text.get(close..).unwrap_or(&[]);
    let numbers = close > 0 && !after.is_empty() && after.iter().all(|byte| byte.is_ascii_hexdigit() || b" KMGTN/A".contains(byte));
    let marks = [&b" ABI:"[..], b" ilen: ", b" insn: ", b" \t IPC: "];
    let words = marks.iter().filter_map(|mark| memchr::memmem::find(text, mark)).min();
    words.or_else(|| numbers.then_some(close))
}

/// Where the first branch of a branch stack begins.
fn branches_at(text: &[u8]) -> Option<usize> {
    let word = |at: usize| text.get(..at).map(|before| before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1));
    let flags = flags_at(text)?;
    if let Some(to) = memchr::memmem::find(text, b"/0x").filter(|&to| to < flags) {
        return word(to);
    }
    // Symbols follow the frame's module without a blank: `7f00 f+0x1 (/bin/x)g+0x2(/bin/x)/f(/bin/x)/P/-/-/0`.
    let open = [&b" (/"[..], b" ([", b" (//"].iter().filter_map(|mark| memchr::memmem::find(text, mark)).min();
    let module = open.filter(|&open| open < flags).map(|open| open + 1);
    let Some(module) = module else { return word(flags) };
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate().skip(module) {
        match byte {
            b'(' => depth += 1,
            b')' if depth <= 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    word(flags)
}

/// Where the flags of a branch stand: `/P` or `/M` or `/-`, then more parts or the end of the word.
fn flags_at(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'/', text).find(|&at| {
        let after = text.get(at + 1..).unwrap_or(&[]);
        let part = |n: usize, letters: &[u8]| {
            let slash = n == 0 || after.get(2 * n - 1) == Some(&b'/');
            slash && after.get(2 * n).is_some_and(|byte| letters.contains(byte))
        };
        part(0, b"PMN-") && (part(1, b"X-") && part(2, b"A-") || after.get(1).is_none_or(u8::is_ascii_whitespace))
    })
}

/// A line of a sample that is neither frame nor place, by what it tells; `None` for what perf does not print. `below_chain` is true
/// where frames after a tab stand before it.
pub(super) fn other(line: &[u8], below_chain: bool) -> Option<&'static str> {
    let text = line.trim_ascii();
    if flags_at(text).is_some() && (memchr::memmem::find(text, b"/0x").is_some() || memchr::memmem::find(text, b"/-/").is_some()) {
        return Some("branch stacks");
    }
    let starts = |mark: &[u8]| text.starts_with(mark);
    match line.first() {
        Some(b'|') => return Some("lines of source code"),
        Some(b'\t') => {
            // `main+12:`, then address, bytes or text of each instruction.
            let label = text.ends_with(b":") || memchr::memmem::find(text, b":\t").is_some();
            let instruction = text.get(16) == Some(&b'\t') && text.iter().take(16).all(u8::is_ascii_hexdigit);
            let remark = starts(b"mismatch of LBR data") || starts(b"... not reaching sample");
            return (label || instruction || remark).then_some("instructions of branch stacks");
        }
        Some(b' ') => {}
        _ => return starts(b"br_cntr").then_some("branch stacks"),
    }
    if starts(b"ABI:") {
        return Some("registers");
    }
    let hex = text.get(..5).is_some_and(|start| start.ends_with(b":") && start.iter().take(4).all(u8::is_ascii_hexdigit));
    if starts(b"BPF output:") || starts(b"BPF string:") || hex {
        return Some("output of BPF programs");
    }
    if starts(b"ilen:") || starts(b"insn:") || starts(b"IPC:") {
        return Some("instructions");
    }
    // A physical address, page sizes, a control group.
    (below_chain && line::frame(text).is_none_or(|frame| frame.module.is_none())).then_some("fields behind the call chain")
}

/// The fields of a tracepoint's text, in its order: `prev_comm=xz prev_pid=7 ==> next_comm=a b`, or `fd: 0x3, count: 0x20`. Nothing
/// where it does not begin with a field.
pub(super) fn fields(text: &[u8]) -> Vec<(&[u8], &[u8])> {
    // Probes begin with the address where they sit.
    let probe = text.strip_prefix(b"(").and_then(|rest| memchr::memchr(b')', rest).and_then(|at| rest.get(at + 1..)));
    let text = probe.unwrap_or(text).trim_ascii();
    let key = |from: usize| {
        let rest = text.get(from..).unwrap_or(&[]);
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        rest.first().filter(|byte| byte.is_ascii_alphabetic() || **byte == b'_').and(rest.get(length)).map(|mark| (length, *mark))
    };
    let Some((_, mark)) = key(0).filter(|(_, mark)| matches!(mark, b'=' | b':')) else { return Vec::new() };
    let mut starts = vec![0];
    let separator = if mark == b'=' { b' ' } else { b',' };
    for at in memchr::memchr_iter(separator, text) {
        let next = at + 1 + usize::from(mark == b':' && text.get(at + 1) == Some(&b' '));
        if key(next).is_some_and(|(_, found)| found == mark) {
            starts.push(next);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let pair = |(start, end): (usize, usize)| {
        let field = text.get(start..end)?;
        let at = memchr::memchr(mark, field)?;
        let value = field.get(at + 1..)?.trim_ascii();
        let value = value.strip_suffix(b"==>").or_else(|| value.strip_suffix(b",")).unwrap_or(value).trim_ascii();
        Some((field.get(..at)?, value))
    };
    starts.iter().copied().zip(ends).filter_map(pair).collect()
}

#[cfg(test)]
mod tests;
