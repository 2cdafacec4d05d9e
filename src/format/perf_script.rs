//! The text that `perf script` prints, of every version and every choice of fields with frames.
//!
//! Every event is a sample type of its own, named as perf names it. A sample's value is its period where that is printed, else 1. The
//! unit is `count`; only the periods of `cpu-clock` and `task-clock` are `nanoseconds`. Command and ids are the thread, the processor
//! is the label `cpu`, fields of tracepoints are labels, header lines are facts in the words of the perf.data reader. Lines without a
//! thread, a time or an event are read by what all of them have in common ([`layout`]). Without the field `ip` perf prints no
//! frames, whatever else is asked for, and such samples have no stack (`process_event` of `builtin-script.c`). Deliberately absent:
//! demangling, choosing one event, tidying names up, and branch stacks. Start reading at [`PerfScript`], then [`line`] and [`rest`] (the
//! grammar), [`part`] (the state between lines) and [`joined`].

mod deferred;
mod header;
mod joined;
mod layout;
mod line;
mod lines;
mod part;
mod rest;

use self::joined::Joined;
use self::layout::Layout;
use self::line::Start;
use self::part::{MAX_EVENTS, Shape};
use super::text::{self, Lines, Text};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::model::{Profile, SampleType, kind};

/// The reader of `perf script` text.
pub(super) struct PerfScript;

/// How far to look for the first sample before every paragraph is taken for one.
const PROBE_BYTES: usize = 1 << 20;

/// Parts that are read before they are put together, and how many of them each thread has at least: enough to make that worth it, and few enough
/// to bound the memory that they take in between.
const PARTS_PER_ROUND: usize = 32;
const PARTS_PER_THREAD: usize = 8;

/// Samples that decide whether times are distances.
const DELTA_SAMPLES: usize = 100;

/// Lines that decide whether a text is perf's.
const SNIFF_LINES: usize = 400;

impl Format for PerfScript {
    fn name(&self) -> &'static str {
        "perf-script"
    }

    fn summary(&self) -> &'static str {
        "Text of perf script (Linux perf)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["perf", "txt", "script"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let text = text::decode(head);
        let is_cut = head.len() >= super::HEAD_BYTES;
        let lines = text::first_lines(&text.bytes, if is_cut { text.bytes.len() } else { usize::MAX });
        let seen = Seen::count(lines);
        let chains = seen.frames > 0;
        let one_line = seen.starts + seen.others > 1 && seen.starts > 0 && (seen.starts + seen.others) * 10 >= seen.lines * 8;
        let bare = seen.starts == 0 && seen.wide_frames > 1 && seen.wide_frames * 10 >= (seen.lines - seen.fields) * 9;
        if seen.signs > 0 || chains || one_line || bare || layout::find(lines, true).is_some() {
            Sniff::Yes
        } else if seen.starts > 0 && seen.starts * 2 >= seen.lines {
            Sniff::Maybe
        } else {
            Sniff::No
        }
    }

    fn whole(&self, bytes: &[u8]) -> usize {
        // A chain that was cut lacks its outermost frames; texts without chains have no empty lines between samples.
        let paragraphs = text::whole_paragraphs(bytes);
        let above = bytes.get(..paragraphs).unwrap_or(bytes).trim_ascii_end();
        let last = memchr::memrchr(b'\n', above).map_or(0, |end| end + 1);
        if matches!(bytes.get(last), Some(b'\t' | b' ')) { paragraphs } else { text::whole_lines(bytes) }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read_chunked(input.bytes, cx, text::CHUNK_BYTES)
    }
}

/// What the first lines are.
#[derive(Default)]
struct Seen {
    /// Neither blank nor comments.
    lines: usize,
    /// First lines of samples with an id, an event and a time as perf writes it, and records.
    starts: usize,
    /// Frames below such lines, and frames with a module or exactly as perf pads them below first lines without a time.
    frames: usize,
    /// Frames exactly as perf pads them.
    wide_frames: usize,
    /// Branch stacks, instructions and the like after the first start.
    others: usize,
    /// Single lines below frames exactly as perf pads them that can be further fields.
    fields: usize,
    /// Header lines that only perf writes.
    signs: usize,
}

impl Seen {
    fn count(text: &[u8]) -> Self {
        let mut seen = Self::default();
        let mut above = Above::Other;
        let mut below_frame = false;
        for (_, line) in Lines::new(text).take(SNIFF_LINES) {
            if line.starts_with(b"#") {
                seen.signs += usize::from(header::is_sign(line));
                continue;
            }
            if line.trim_ascii().is_empty() {
                above = Above::Other;
                continue;
            }
            seen.lines += 1;
            let below = std::mem::take(&mut below_frame);
            if let Some(start) = line::start(line) {
                above = Above::of(start, line);
                seen.starts += usize::from(above == Above::Timed);
            } else if let Some(frame) = line::frame(line).filter(|_| matches!(line.first(), Some(b'\t' | b' '))) {
                // A tab, 16 columns of address, a blank.
                let is_wide = line.first() == Some(&b'\t') && is_padded(line);
                seen.frames += usize::from(above == Above::Timed || above == Above::Untimed && (is_wide || frame.module.is_some()));
                seen.wide_frames += usize::from(is_wide);
                below_frame = is_wide;
            } else {
                above = Above::Other;
                seen.fields += usize::from(below && rest::other(line, true).is_some());
                seen.others += usize::from(seen.starts > 0 && rest::other(line, false).is_some());
            }
        }
        seen
    }
}

/// What stands above a frame, as far as it tells that the text is perf's. Prose and programs have lines that look like first lines of
/// samples with fewer fields (`if x == 0.0:`); texts of such choices of fields are told by all of their lines ([`layout`]).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Above {
    /// No first line, or one that could be anything.
    Other,
    /// A first line with an id and an event; a time has not as many digits as perf writes.
    Untimed,
    /// The same with a time as perf writes it, or a record.
    Timed,
}

impl Above {
    fn of(start: Start<'_>, line: &[u8]) -> Self {
        let Start::Sample(head) = start else { return Self::Timed };
        if head.event.is_empty() || line::who(head.who).tid.is_none() {
            Self::Other
        } else if head.time.is_some() && line::has_whole_time(line) {
            Self::Timed
        } else {
            Self::Untimed
        }
    }
}

fn is_padded(line: &[u8]) -> bool {
    line.get(16).is_some_and(u8::is_ascii_hexdigit) && line.get(17).is_none_or(|&byte| byte == b' ')
}

fn read_chunked(bytes: &[u8], cx: &ReadCx<'_>, chunk_bytes: usize) -> Result<Profile, ReadError> {
    text::read_decoded(bytes, cx.ticket, |text| read_text(text, cx, chunk_bytes))
}

fn read_text(text: Text<'_>, cx: &ReadCx<'_>, chunk_bytes: usize) -> Result<Profile, ReadError> {
    let ticket = cx.ticket;
    let Text { bytes, base, mut notes } = text;
    let mut whole: &[u8] = &bytes;
    let probe = text::first_lines(whole, PROBE_BYTES);
    let (shape, layout) = shape(probe);
    if shape == Shape::Deltas {
        let text = "text whose times are distances to the sample before (--deltatime): they were added up";
        notes.add(kind::GUESSED, text, 1, Some(base));
    }
    if let Some(cut) = cut_line(whole, probe) {
        notes.add(kind::TRUNCATED, "the text ends in the middle of a line, which was left out", 1, Some(base + cut as u64));
        whole = whole.get(..cut).unwrap_or(whole);
    }
    let starts = |line: &[u8]| match shape {
        // A sum over all samples before: one part.
        Shape::Deltas => false,
        Shape::Full => line::start(line).is_some(),
        Shape::Laid => line.is_empty() || layout.as_ref().is_some_and(|layout| !layout.chains && layout.start(line).is_some()),
        Shape::Bare => line.is_empty(),
    };
    let mut joined = Joined::default();
    joined.builder.notes = notes;
    let parts_per_round = PARTS_PER_ROUND.max(PARTS_PER_THREAD * rayon::current_num_threads());
    for round in text::chunks(whole, chunk_bytes, starts).chunks(parts_per_round) {
        text::in_order(
            round,
            |&(at, part)| {
                let offset = base + at as u64;
                text::plain(part, offset)?;
                part::read_part(part, offset, shape, layout.as_ref(), ticket)
            },
            |part| {
                ticket.check()?;
                joined.take(part);
                Ok(())
            },
        )?;
        joined.join(base, ticket)?;
        for (_, part) in round {
            cx.done_with(part);
        }
    }
    let builder = &mut joined.builder;
    if builder.rows.is_empty() {
        return Err(ReadError::new("perf-script", base, "reading samples", "no sample found"));
    }
    builder.info.facts = header::facts(std::mem::take(&mut builder.info.facts));
    "perf-script".clone_into(&mut builder.info.format);
    builder.default_sample_type = default_sample_type(&builder.sample_types);
    Ok(joined.finish(ticket)?)
}

/// How samples begin, from the first of them.
fn shape(probe: &[u8]) -> (Shape, Option<Layout<'_>>) {
    let mut heads = Lines::new(probe).filter_map(|(_, line)| match line::start(line) {
        Some(Start::Sample(head)) => Some(head),
        _ => None,
    });
    let first = heads.next();
    // With an id, a time and an event a line tells all that it says.
    let plain = |head: line::Head<'_>| head.time.is_some() && !head.event.is_empty() && line::who(head.who).tid.is_some();
    if !first.is_some_and(plain)
        && let Some(layout) = layout::find(probe, false)
    {
        return (Shape::Laid, Some(layout));
    }
    let Some(first) = first else { return (Shape::Bare, None) };
    let mut times = heads.map(|head| head.time);
    // perf prints samples in the order of their times. Distances begin with 0 and fall as often as they rise.
    let mut before = first.time;
    let mut falls = |time: Option<i64>| time < std::mem::replace(&mut before, time);
    let deltas = first.time == Some(0) && times.by_ref().take(DELTA_SAMPLES).any(&mut falls);
    (if deltas { Shape::Deltas } else { Shape::Full }, None)
}

fn too_many_events(offset: u64) -> ReadError {
    ReadError::new("perf-script", offset, "reading samples", format!("more than {MAX_EVENTS} different events"))
}

/// Start of the last line where that is a frame that was cut: it has no line end and no module, though the first frame has one.
fn cut_line(text: &[u8], probe: &[u8]) -> Option<usize> {
    let start = memchr::memrchr(b'\n', text)? + 1;
    let last = text.get(start..)?.trim_ascii_end();
    let is_indented = matches!(last.first(), Some(b'\t' | b' '));
    if !is_indented || last.ends_with(b")") || line::start(last).is_some() {
        return None;
    }
    let first = Lines::new(probe).find(|(_, line)| line.first() == Some(&b'\t')).and_then(|(_, line)| line::frame(line))?;
    (first.module.is_some() || first.inlined || first.symbol.is_none()).then_some(start)
}

/// Words that begin the names of events that sample where time goes.
const TIME_EVENTS: &[&str] = &["cycles", "cpu-cycles", "cpu-clock", "task-clock", "ref-cycles", "bus-cycles"];

/// The first event that samples time, else the first that is more than one a record, else the first.
fn default_sample_type(types: &[SampleType]) -> usize {
    let samples_time = |kind: &SampleType| {
        // `cpu_core/cycles/u` is the event of one sort of core.
        let name = kind.name.strip_prefix("cpu").and_then(|name| name.split_once('/')).map_or(kind.name.as_str(), |(_, name)| name);
        name.split([':', '/']).next().is_some_and(|base| TIME_EVENTS.contains(&base))
    };
    let tracepoint = |kind: &SampleType| kind.name.split(':').nth(1).is_some_and(|name| name.len() > 6);
    let first = |matches: &dyn Fn(&SampleType) -> bool| types.iter().position(matches);
    first(&samples_time).or_else(|| first(&|kind| !tracepoint(kind))).unwrap_or(0)
}

#[cfg(test)]
mod choices;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod variants;
