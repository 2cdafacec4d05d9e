//! Folded stacks: one line for each stack, frames joined by `;` with the outermost first, then a blank and one or two numbers.
//!
//! Understood beside the plain form: fractional counts (kept as integers with [`SampleType::decimals`](crate::model::SampleType::decimals)), two counts on every line (a
//! comparison written by difffolded.pl or inferno-diff-folded: sample types `before` and `after`), the suffixes `_[k]`, `_[i]` and
//! `_[j]` (kernel, inlined, JIT), UTF-16, all line ends, `#` comments. Deliberately absent: guessing what the counts count, and
//! processes: a first frame that is a process name stays a frame. Start reading at [`Folded`] or, for writing, [`write_folded`].

mod number;

use std::collections::HashMap;
use std::fmt::Write as _;

use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use self::number::{MAX_DECIMALS, Number};
use super::text::{self, Lines};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::ticket::Ticket;
use crate::model::{Builder, Frame, FrameId, Mapping, Notes, Profile, Sample, StackId, Tally, kind};

/// The reader of folded stacks.
pub struct Folded;

/// Lines that decide whether a text is folded stacks.
const SNIFF_LINES: usize = 200;

/// Mapping of frames with the suffix `_[k]`.
const KERNEL: &str = "[kernel]";

/// Mapping of frames with the suffix `_[j]`.
const JIT: &str = "[jit]";

impl Format for Folded {
    fn name(&self) -> &'static str {
        "folded"
    }

    fn summary(&self) -> &'static str {
        "Folded stacks (stackcollapse, inferno, py-spy, async-profiler)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["folded", "collapsed", "txt"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let text = text::decode(head);
        if text.notes.count(kind::REPAIRED) > 0 || has_control_bytes(&text.bytes) || looks_like_markup(&text.bytes) {
            return Sniff::No;
        }
        let whole = head.len() < super::HEAD_BYTES;
        let last_line = memchr::memrchr(b'\n', &text.bytes).map_or(0, |at| at + 1);
        if last_line == 0 && !whole {
            // One line longer than the head: a deep stack, as far as can be seen from here.
            let semicolons = memchr::memchr_iter(b';', &text.bytes).take(9).count();
            return if semicolons > 8 { Sniff::Maybe } else { Sniff::No };
        }
        let seen = if whole { &text.bytes } else { text.bytes.get(..last_line).unwrap_or(&[]) };
        let (mut lines, mut counted, mut joined) = (0, 0, 0);
        for (_, line) in Lines::new(seen).filter(|(_, line)| !is_comment(line)).take(SNIFF_LINES) {
            lines += 1;
            if let Some((stack, _)) = split_count(line) {
                counted += 1;
                joined += usize::from(stack.contains(&b';'));
            }
        }
        match (counted * 2 > lines, joined > 0, counted * 10 >= lines * 9) {
            (true, true, _) => Sniff::Yes,
            // Stacks of one frame only are rare, and tables of other programs end in numbers too.
            (true, false, true) => Sniff::Maybe,
            _ => Sniff::No,
        }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read_chunked(input.bytes, cx.ticket, text::CHUNK_BYTES)
    }
}

fn has_control_bytes(text: &[u8]) -> bool {
    text.iter().any(|&byte| byte < b'\t')
}

fn looks_like_markup(text: &[u8]) -> bool {
    let start = text.trim_ascii_start();
    start.starts_with(b"{") || start.starts_with(b"<!") || start.starts_with(b"<?") || start.starts_with(b"<html")
}

fn is_comment(line: &[u8]) -> bool {
    match line.first() {
        None | Some(b'#') => true,
        Some(byte) => byte.is_ascii_whitespace() && line.trim_ascii().is_empty(),
    }
}

/// A line's stack and the count after it. `None` where the line does not end in a number or has nothing before it.
fn split_count(line: &[u8]) -> Option<(&[u8], Number)> {
    let line = line.trim_ascii_end();
    if let Some((stack, number)) = number::at_end(line) {
        let stack = stack.trim_ascii_end();
        return (!stack.is_empty()).then_some((stack, number));
    }
    let blank = memchr::memrchr2(b' ', b'\t', line)?;
    let (stack, count) = line.split_at_checked(blank)?;
    let number = number::parse(count.get(1..)?)?;
    let stack = stack.trim_ascii_end();
    (!stack.is_empty()).then_some((stack, number))
}

/// True where every line that has a count has two of them. Whole numbers only: a name may well end in a version such as `2.5`.
fn is_differential(text: &[u8]) -> bool {
    let mut found = false;
    for (_, line) in Lines::new(text).filter(|(_, line)| !is_comment(line)) {
        if let Some((stack, _)) = split_count(line) {
            if split_count(stack).is_none_or(|(_, count)| count.decimals() > 0) {
                return false;
            }
            found = true;
        }
    }
    found
}

/// A part of the text. Its rows wait outside the builder until the decimals of the whole file are known.
#[derive(Default)]
struct Chunk {
    builder: Builder,
    stacks: Vec<StackId>,
    /// First and second count of each stack; the second only where every line has two.
    counts: [Vec<Number>; 2],
    decimals: [u8; 2],
    /// Lines that are no stack with a count.
    skipped: u64,
}

fn read_chunked(bytes: &[u8], ticket: &Ticket, chunk_bytes: usize) -> Result<Profile, ReadError> {
    let text = text::decode(bytes);
    let parts = text::chunks(&text.bytes, chunk_bytes, |_| true);
    // The first part nearly always has a line that says no.
    let differential =
        parts.first().is_some_and(|(_, part)| is_differential(part)) && parts.par_iter().all(|(_, part)| is_differential(part));
    let mut chunks: Vec<Chunk> = parts
        .par_iter()
        .map(|&(at, part)| read_part(part, text.base + at as u64, differential, ticket))
        .collect::<Result<_, ReadError>>()?;
    let skipped = chunks.iter().map(|chunk| chunk.skipped).sum();
    if chunks.iter().all(|chunk| chunk.stacks.is_empty()) {
        return Err(ReadError::new("folded", 0, "reading stacks", "no line ends in a count"));
    }
    let decimals = chunks.iter().fold([0, 0], |[a, b], chunk| [chunk.decimals[0].max(a), chunk.decimals[1].max(b)]);
    let columns = 1 + usize::from(differential);
    chunks.par_iter_mut().try_for_each(|chunk| ticket.check().map(|()| chunk.put_rows(columns, decimals)))?;
    let mut chunks = chunks.into_iter();
    let mut builder = chunks.next().map(|chunk| chunk.builder).unwrap_or_default();
    let mut notes = text.notes;
    notes.absorb(&builder.notes);
    builder.notes = notes;
    for mut chunk in chunks {
        ticket.check()?;
        builder.info.comments.append(&mut chunk.builder.info.comments);
        builder.absorb(chunk.builder);
    }
    if differential {
        let samples = builder.rows.len() as u64;
        builder.notes.add(kind::GUESSED, "two numbers at the end of every line: read as the two sides of a comparison", samples, None);
        builder.default_sample_type = 1;
    }
    builder.info.tally = Tally::new(builder.rows.len() as u64, skipped);
    "folded".clone_into(&mut builder.info.format);
    Ok(builder.finish())
}

impl Chunk {
    /// Adds the rows as samples, all with the same decimals.
    fn put_rows(&mut self, columns: usize, decimals: [u8; 2]) {
        let names = if columns == 1 { ["samples", ""] } else { ["before", "after"] };
        for (name, decimals) in names.into_iter().zip(decimals).take(columns) {
            let row = self.builder.add_sample_type(name, "count");
            if let Some(column) = self.builder.sample_types.get_mut(row) {
                column.decimals = decimals;
            }
        }
        let counts = std::mem::take(&mut self.counts);
        for (row, stack) in std::mem::take(&mut self.stacks).into_iter().enumerate() {
            let mut values = [0; 2];
            for ((value, counts), decimals) in values.iter_mut().zip(&counts).zip(decimals).take(columns) {
                let (stored, fits) = counts.get(row).map_or((0, true), |count| count.stored(decimals));
                *value = stored;
                if !fits {
                    note_overflow(&mut self.builder.notes, None);
                }
            }
            self.builder.rows.sample(Sample { stack: Some(stack), ..Sample::default() }, values.get(..columns).unwrap_or(&values));
        }
    }
}

fn note_overflow(notes: &mut Notes, offset: Option<u64>) {
    notes.add(kind::OVERFLOW, "counts beyond 64 bits were held at the limit", 1, offset);
}

/// Bytes between two looks at the ticket.
const POLL_BYTES: usize = 1 << 18;

fn read_part(part: &[u8], base: u64, differential: bool, ticket: &Ticket) -> Result<Chunk, ReadError> {
    let mut chunk = Chunk::default();
    let mut stacks = Stacks::default();
    let mut polled = 0;
    for (at, line) in Lines::new(part) {
        let offset = base + at as u64;
        if at - polled >= POLL_BYTES {
            ticket.advance((at - polled) as u64)?;
            polled = at;
        }
        if is_comment(line) {
            let comment = line.trim_ascii();
            if !comment.is_empty() {
                chunk.builder.info.comments.push(text::lossy(comment, &mut stacks.invalid).into_owned());
            }
            continue;
        }
        let Some((mut stack, last)) = split_count(line) else {
            chunk.builder.notes.add(kind::NOT_UNDERSTOOD, "lines that are no stack with a count", 1, Some(offset));
            chunk.skipped += 1;
            continue;
        };
        let mut first = last;
        if let Some((rest, before)) = differential.then(|| split_count(stack)).flatten() {
            (stack, first) = (rest, before);
            chunk.count(1, last, offset);
        }
        chunk.count(0, first, offset);
        chunk.stacks.extend(stacks.stack(&mut chunk.builder, stack, offset));
    }
    ticket.advance((part.len() - polled) as u64)?;
    if stacks.invalid > 0 {
        chunk.builder.notes.add(kind::INVALID_UTF8, "names that are not UTF-8 were read with replacement characters", stacks.invalid, None);
    }
    Ok(chunk)
}

impl Chunk {
    fn count(&mut self, column: usize, count: Number, offset: u64) {
        if count.is_odd() {
            if count.clamped() {
                note_overflow(&mut self.builder.notes, Some(offset));
            }
            if count.rounded() {
                let cause = format!("counts with more than {MAX_DECIMALS} decimals were rounded");
                self.builder.notes.add(kind::REPAIRED, &cause, 1, Some(offset));
            }
            if let Some(decimals) = self.decimals.get_mut(column) {
                *decimals = count.decimals().max(*decimals);
            }
        }
        if let Some(counts) = self.counts.get_mut(column) {
            counts.push(count);
        }
    }
}

/// Finds the rows of stacks again. Lines are usually sorted, so most of a stack is the stack of the line before.
#[derive(Default)]
struct Stacks<'a> {
    frames: HashMap<&'a [u8], FrameId, FxBuildHasher>,
    /// Text of the last stack.
    last: &'a [u8],
    /// Where each of its frames ends, and the stack up to there.
    path: Vec<(usize, StackId)>,
    invalid: u64,
}

impl<'a> Stacks<'a> {
    /// The stack that is written `text`; always there, for a text is at least one frame.
    fn stack(&mut self, builder: &mut Builder, text: &'a [u8], offset: u64) -> Option<StackId> {
        let common = common_prefix(self.last, text);
        while self.path.last().is_some_and(|&(end, _)| end > common || text.get(end).is_some_and(|&byte| byte != b';')) {
            self.path.pop();
        }
        self.last = text;
        let mut at = self.path.last().map_or(0, |(end, _)| end + 1);
        while at <= text.len() {
            let rest = text.get(at..).unwrap_or(&[]);
            let length = memchr::memchr(b';', rest).unwrap_or(rest.len());
            let name = rest.get(..length).unwrap_or(rest);
            let frame = self.frames.get(name).copied().unwrap_or_else(|| {
                let frame = make_frame(builder, name, &mut self.invalid);
                self.frames.insert(name, frame);
                frame
            });
            if name.is_empty() {
                builder.notes.add(kind::REPAIRED, "empty frame names", 1, Some(offset));
            }
            let stack = builder.stack(self.path.last().map(|(_, stack)| *stack), frame);
            self.path.push((at + length, stack));
            at += length + 1;
        }
        self.path.last().map(|(_, stack)| *stack)
    }
}

/// How many bytes at the start of both are the same.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 16;
    let (a_steps, _) = a.as_chunks::<STEP>();
    let (b_steps, _) = b.as_chunks::<STEP>();
    let same = a_steps.iter().zip(b_steps).take_while(|(a, b)| a == b).count() * STEP;
    let (a, b) = (a.get(same..).unwrap_or(&[]), b.get(same..).unwrap_or(&[]));
    same + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn make_frame(builder: &mut Builder, name: &[u8], invalid: &mut u64) -> FrameId {
    let (name, module, inlined) = match name {
        [name @ .., b'_', b'[', b'k', b']'] if !name.is_empty() => (name, Some(KERNEL), false),
        [name @ .., b'_', b'[', b'j', b']'] if !name.is_empty() => (name, Some(JIT), false),
        [name @ .., b'_', b'[', b'i', b']'] if !name.is_empty() => (name, None, true),
        _ => (name, None, false),
    };
    let mapping = module.map(|module| {
        let file = Some(builder.string(module));
        builder.mapping(Mapping { file, ..Mapping::default() })
    });
    let function = (!name.is_empty()).then(|| builder.function_named(&text::lossy(name, invalid)));
    builder.frame(Frame { function, mapping, inlined, ..Frame::default() })
}

/// One sample type as folded stacks: `outermost;…;innermost value`, equal stacks added up, sorted by bytes, each line ended.
///
/// In names `;` is written `:` and line ends as `\n` and `\r`. Samples without a stack are one line `(no stack)`; stacks that have no
/// value of this type are left out. Values of a type with decimals are written with as many as they need.
pub fn write_folded(profile: &Profile, sample_type: usize) -> String {
    let mut sums: Vec<Option<i128>> = vec![None; profile.stacks.len()];
    let mut without = None;
    for (stack, &value) in profile.samples.stacks().iter().zip(profile.samples.values(sample_type)).filter(|(_, value)| **value != 0) {
        let sum = stack.map_or(Some(&mut without), |stack| sums.get_mut(stack.row()));
        if let Some(sum) = sum {
            *sum = Some(sum.unwrap_or(0) + i128::from(value));
        }
    }
    let names: Vec<String> = profile.frames.ids().map(|frame| escaped(&profile.frame_name(frame))).collect();
    let mut lines: Vec<(String, i128)> = without.map(|sum| ("(no stack)".to_owned(), sum)).into_iter().collect();
    let mut path = Vec::new();
    for (stack, sum) in profile.stacks.ids().zip(&sums) {
        let Some(sum) = sum else { continue };
        path.clear();
        path.extend(profile.stack_frames(Some(stack)).map(|frame| names.get(frame.row()).map_or("", String::as_str)));
        path.reverse();
        lines.push((path.join(";"), *sum));
    }
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    let decimals = profile.sample_types.get(sample_type).map_or(0, |column| column.decimals);
    let mut text = String::new();
    for (stack, sum) in lines {
        // Writing to a string cannot fail.
        writeln!(text, "{stack} {}", number::decimal(sum, decimals)).unwrap_or_default();
    }
    text
}

fn escaped(name: &str) -> String {
    if name.contains([';', '\n', '\r']) { name.replace(';', ":").replace('\n', "\\n").replace('\r', "\\r") } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
