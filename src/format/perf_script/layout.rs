//! Which fields the first lines of a text have, where a line alone does not tell: no time, or a time without an event.
//!
//! All samples of a text are printed with one choice of fields, and perf pads them (`%5d` an id, `%10lu` a period, `%16x` an address), so
//! the lines together tell what one of them does not: `w 3 ` is a command, unless every line ends in a number that is padded like an id.
//! Where each line has words that could be events, the event is the word that most lines have. Start reading at [`find`].

use rustc_hash::FxHashMap;

use super::line::{self, Head, Start, Who};
use super::rest;
use crate::format::text::Lines;

/// Lines that decide about the fields.
const LINES: usize = 20_000;

/// Longest first line of a sample that is looked at, in bytes: what a command, its ids and a tracepoint's text need.
const HEAD_BYTES: usize = 4096;

/// The fields of the first lines of a text.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field that lines have or have not")]
pub(super) struct Layout<'a> {
    /// Frames follow on lines of their own; else each line is a sample.
    pub(super) chains: bool,
    id: bool,
    misc: bool,
    cpu: bool,
    time: bool,
    period: bool,
    event: bool,
    /// Further fields behind all of them: weights, latencies, addresses of data, and what a memory access did.
    further: usize,
    /// Words that are events, without their colons, in the order of their first use.
    events: Vec<&'a [u8]>,
}

/// The first line of a sample, and what stands below it.
struct Seen<'a> {
    line: &'a [u8],
    frames: usize,
}

/// The fields of a text's first lines; `None` where it is not all samples. `sure` asks for everything as perf pads it, so that no other
/// text is taken for perf's.
pub(super) fn find(text: &[u8], sure: bool) -> Option<Layout<'_>> {
    let heads = heads(text, sure)?;
    let chains = heads.iter().any(|head| head.frames > 0);
    if heads.is_empty() || (sure && !chains && heads.len() < 2) {
        return None;
    }
    let mut layout = Layout { chains, ..Layout::default() };
    layout.events = events(&heads);
    layout.event = !layout.events.is_empty();
    let mut lefts: Vec<&[u8]> = heads.iter().map(|head| layout.left(head.line).0).collect();
    // What is printed last is told first: each field ends what stands before it.
    while !layout.event && strip(&mut lefts, further) {
        layout.further += 1;
    }
    layout.period = strip(&mut lefts, |left| period(left).map(|(left, _)| left));
    layout.time = strip(&mut lefts, |left| time(left).map(|(left, _)| left));
    layout.cpu = strip(&mut lefts, |left| cpu(left).map(|(left, _)| left));
    layout.misc = strip(&mut lefts, |left| misc(left).map(|(left, _)| left));
    layout.id = lefts.iter().all(|left| is_id(left));
    let names = lefts.iter().all(|left| !left.trim_ascii().is_empty());
    let known = layout.event || layout.period || layout.time || layout.cpu || layout.id || layout.further > 0;
    let flat = |head: &Seen<'_>| padded_frame(head.line);
    // A blank and sixteen columns: the address is all that there is.
    let bare = !chains && heads.iter().all(|head| flat(head).is_some_and(|(_, end)| end == 17));
    let fits = if chains {
        let ended = |line: &[u8]| matches!(line.last(), Some(b' ' | b':'));
        layout.event || layout.further > 0 || heads.iter().all(|head| head.frames == 0 || ended(head.line))
    } else {
        // Without frames (`-F comm,tid`) only the columns tell it from folded stacks of which the ids are counts.
        heads.iter().all(|head| flat(head).is_some()) || layout.id && heads.iter().all(|head| is_padded_thread(head.line))
    };
    ((known || names || bare) && (fits || !sure)).then_some(layout)
}

/// The first lines of all samples of a text.
fn heads(text: &[u8], sure: bool) -> Option<Vec<Seen<'_>>> {
    let mut heads: Vec<Seen<'_>> = Vec::new();
    let mut open = false;
    // Below the frames of the last one stands a line that is none.
    let mut ended = false;
    for (_, line) in Lines::new(text).take(LINES) {
        match line.first() {
            _ if line.trim_ascii().is_empty() => open = false,
            Some(b'#') if line.get(1).is_none_or(|&byte| byte == b' ') => {}
            _ if memchr::memmem::find(line, line::RECORD).is_some() => open = false,
            Some(b'\t') => {
                let head = heads.last_mut().filter(|_| open)?;
                let frame = line::frame(line).is_some() && (!sure || super::is_padded(line));
                head.frames += usize::from(frame);
                if !frame && rest::other(line, true).is_none() {
                    return None;
                }
            }
            _ if open && heads.last().is_some_and(|head| head.frames > 0) && !begins_behind(line, ended) => {
                if !line::is_source_line(line) {
                    rest::other(line, true)?;
                    ended = true;
                }
            }
            _ if is_place(line) && heads.last().is_some_and(|head| padded_frame(head.line).is_some()) => {}
            _ if line.len() > HEAD_BYTES => return None,
            _ => {
                heads.push(Seen { line, frames: 0 });
                (open, ended) = (true, false);
            }
        }
    }
    // The text may end before the frames of the last one.
    if heads.len() > 1 && heads.iter().any(|head| head.frames > 0) && heads.last().is_some_and(|head| head.frames == 0) {
        heads.pop();
    }
    Some(heads)
}

/// True for a line that tells file and line of the frame at the end of the line before (`srcline`). A command of fourteen letters begins as it does.
fn is_place(line: &[u8]) -> bool {
    line::is_source_line(line) && padded_frame(line).is_none()
}

/// True for a line that begins a sample though no empty line stands before it: fields behind a chain (page sizes, instructions) take the place of
/// that line. `ended` says that the sample before has some already. Lines that no first line looks like may follow them.
pub(super) fn begins_behind(line: &[u8], ended: bool) -> bool {
    ended && rest::other(line, false).is_none()
}

/// The words that are events; none where a line has none.
fn events<'a>(heads: &[Seen<'a>]) -> Vec<&'a [u8]> {
    let mut lines: FxHashMap<&[u8], usize> = FxHashMap::default();
    for head in heads {
        let mut seen: Vec<&[u8]> = Vec::new();
        for (at, end) in candidates(head.line) {
            let word = head.line.get(at..end).unwrap_or(&[]);
            if !seen.contains(&word) {
                seen.push(word);
                *lines.entry(word).or_default() += 1;
            }
        }
    }
    let mut events: Vec<&[u8]> = Vec::new();
    for head in heads {
        let words = candidates(head.line).map(|(at, end)| head.line.get(at..end).unwrap_or(&[]));
        // Behind a tracepoint stands a text; all other events are the last that could be one.
        let rank = |word: &&[u8]| (lines.get(*word).copied().unwrap_or(0), rest::is_tracepoint(word));
        let Some(word) = words.max_by_key(rank) else { return Vec::new() };
        if !events.contains(&word) {
            events.push(word);
        }
    }
    events
}

/// Starts and ends of the words of a line that end in a colon and are neither times nor names of fields.
fn candidates(line: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    line::colons(line).filter_map(|colon| {
        let before = line.get(..colon)?;
        let at = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        let word = before.get(at..).filter(|word| word.first().is_some_and(u8::is_ascii_alphabetic) && !line::is_field(word));
        (word.is_some() && line::time_before(before).is_none()).then_some((at, colon))
    })
}

/// Takes a field off all texts; false where one of them has none.
fn strip<'a>(texts: &mut [&'a [u8]], field: impl Fn(&'a [u8]) -> Option<&'a [u8]>) -> bool {
    let Some(shorter) = texts.iter().map(|text| field(text)).collect::<Option<Vec<_>>>() else { return false };
    texts.copy_from_slice(&shorter);
    true
}

/// A text without the blanks at its end and the word before them, that word, and how far both reach: the word and the blanks that pad it.
fn last(text: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let text = text.trim_ascii_end();
    let start = text.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
    let (before, word) = text.split_at_checked(start).filter(|(_, word)| !word.is_empty())?;
    let blanks = before.len() - before.trim_ascii_end().len();
    // One of the blanks parts the fields, unless there is no field before.
    let pad = blanks - usize::from(blanks > 0 && blanks < before.len());
    Some((before, word, pad + word.len()))
}

/// A text without what stands behind the period and has no place of its own in the profile, or only with the frame's.
fn further(text: &[u8]) -> Option<&[u8]> {
    access(text).or_else(|| number(text))
}

/// A text without what a memory access did (`       1e05080021 |OP N/A|LVL N/A or N/A|…`) and what stands behind it.
fn access(text: &[u8]) -> Option<&[u8]> {
    wide(text.get(..memchr::memmem::rfind(text, b" |OP ")?)?)
}

/// A text without the number at its end that perf pads to sixteen columns; unlike all fields before it, no blank follows.
fn number(text: &[u8]) -> Option<&[u8]> {
    wide(text).filter(|_| !text.ends_with(b" "))
}

/// A text without the sixteen columns at its end, which are a number. Another such number may stand right before them, so one blank of the padding
/// may be missing.
fn wide(text: &[u8]) -> Option<&[u8]> {
    let (_, word, width) = last(text)?;
    let start = text.len().checked_sub(16.max(word.len()))?;
    (width >= 15 && word.iter().all(u8::is_ascii_hexdigit)).then(|| text.get(..start)).flatten()
}

fn period(text: &[u8]) -> Option<(&[u8], u64)> {
    let (before, word, width) = last(text)?;
    (width >= 10).then_some((before, line::decimal(word)?))
}

fn time(text: &[u8]) -> Option<(&[u8], i64)> {
    let text = text.trim_ascii_end().strip_suffix(b":")?;
    let (at, time) = line::time_before(text)?;
    Some((text.get(..at)?, time))
}

fn cpu(text: &[u8]) -> Option<(&[u8], u32)> {
    let (before, word, _) = last(text)?;
    let digits = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")).filter(|digits| digits.len() >= 3)?;
    Some((before, u32::try_from(line::decimal(digits)?).ok()?))
}

/// The letters of the field `misc`, which perf pads to five columns on their right.
fn misc(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, word, _) = last(text)?;
    let padded = text.len() - before.len() >= 5;
    (padded && word.len() <= 4 && line::is_misc(word)).then_some((before, word))
}

fn is_id(text: &[u8]) -> bool {
    last(text).is_some_and(|(_, word, width)| {
        let number = |id: &[u8]| line::decimal(id.strip_prefix(b"-").unwrap_or(id)).is_some();
        let mut ids = word.splitn(2, |&byte| byte == b'/');
        width >= 5 && ids.next().is_some_and(number) && ids.next().is_none_or(number)
    })
}

/// True for a command in sixteen columns, an id in five, and the blanks behind both of them.
fn is_padded_thread(line: &[u8]) -> bool {
    let command = line.get(..16).map_or(&[][..], <[u8]>::trim_ascii_start);
    let id = line.get(17..).unwrap_or(&[]);
    !command.is_empty() && line.get(16) == Some(&b' ') && id.ends_with(b" ") && id.len() >= 6 && is_id(id)
}

/// Where the address of the frame begins and ends that ends a line: padded to sixteen columns, no zeros before it, a name behind it.
fn padded_frame(text: &[u8]) -> Option<(usize, usize)> {
    let at = rest::frame_at(text, true)?;
    let digits = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let blanks = text.get(..at)?.iter().rev().take_while(|&&byte| byte == b' ').count();
    let zeros = digits > 1 && text.get(at) == Some(&b'0');
    (!zeros && digits + blanks > 16).then_some((at, at + digits))
}

impl Layout<'_> {
    /// What a line starts; `None` where it is not as the others are.
    pub(super) fn start<'l>(&self, line: &'l [u8]) -> Option<Start<'l>> {
        if let Some(at) = memchr::memmem::find(line, line::RECORD) {
            return line.get(at + line::RECORD.len()..).map(Start::Record);
        }
        let (left, event, rest) = self.left(line);
        if self.event && event.is_empty() || !self.chains && is_place(line) {
            return None;
        }
        let mut head = Head { who: left, event, rest: rest.trim_ascii(), ..Head::default() };
        for _ in 0..self.further {
            head.who = further(head.who)?;
        }
        if self.further > 0 {
            head.rest = line.get(head.who.len()..).unwrap_or(&[]).trim_ascii();
        }
        if self.period {
            let (left, number) = period(head.who)?;
            (head.who, head.period) = (left, Some(number));
        }
        if self.time {
            let (left, nanos) = time(head.who)?;
            (head.who, head.time) = (left, Some(nanos));
        }
        Some(Start::Sample(head))
    }

    /// What stands before the event of a line, the event, and what stands behind it. Without events the frame stands behind.
    fn left<'l>(&self, line: &'l [u8]) -> (&'l [u8], &'l [u8], &'l [u8]) {
        let parts = |at: usize, end: usize, next: usize| {
            (line.get(..at).unwrap_or(line), line.get(at..end).unwrap_or(&[]), line.get(next..).unwrap_or(&[]))
        };
        if self.event {
            let all = || candidates(line);
            let known = all().filter(|&(at, end)| line.get(at..end).is_some_and(|word| self.events.contains(&word)));
            // The first tracepoint, else the last word: a name like an event's can stand in the command, and in the text behind.
            let tracepoint = |&(at, end): &(usize, usize)| line.get(at..end).is_some_and(rest::is_tracepoint);
            let mut known = known.collect::<Vec<_>>();
            if let Some(first) = known.iter().position(tracepoint) {
                known.truncate(first + 1);
            }
            return known.last().copied().or_else(|| all().last()).map_or((line, &[], &[]), |(at, end)| parts(at, end, end + 1));
        }
        padded_frame(line).map_or((line, &[], &[]), |(at, end)| {
            // A blank and sixteen columns: no blank before them pads the address.
            let start = end.checked_sub(17).filter(|&start| line.get(start) == Some(&b' ')).unwrap_or(at);
            (line.get(..start).unwrap_or(line), &[], line.get(at..).unwrap_or(&[]))
        })
    }

    /// Command, ids and processor of what [`start`](Self::start) gives as `who`.
    pub(super) fn who<'l>(&self, text: &'l [u8]) -> Who<'l> {
        if self.id {
            return line::who(text);
        }
        let mut who = Who::default();
        let mut text = text;
        if let Some((before, number)) = cpu(text).filter(|_| self.cpu) {
            (text, who.cpu) = (before, Some(number));
        }
        if let Some((before, letters)) = misc(text).filter(|_| self.misc) {
            (text, who.misc) = (before, letters);
        }
        who.comm = text.trim_ascii();
        who
    }
}
