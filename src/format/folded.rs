//! Folded stacks: one line for each stack, frames joined by `;` with the outermost first, then a blank and one or two numbers.
//!
//! Understood beside the plain form: fractional counts (kept as integers with [`SampleType::decimals`](crate::model::SampleType::decimals)), two counts on every line (a
//! comparison written by difffolded.pl or inferno-diff-folded: sample types `before` and `after`), the suffixes `_[k]`, `_[i]`,
//! `_[j]`, `_[1]` and `_[0]` (kernel, inlined, JIT, its first compiler, interpreted), UTF-16, all line ends, `#` comments, and what Austin says in
//! its comments of its numbers (`austin`). Deliberately absent: guessing what the counts count, and processes: a first frame that is a
//! process name stays a frame. Start reading at [`Folded`] or, for writing, [`write_folded`].

mod austin;
mod number;
mod part;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use self::austin::Mode;
use self::number::Number;
use self::part::{Chunk, Counts};
use super::text::{self, Lines, Text};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::intern::StringId;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Builder, Frame, FrameId, Function, FunctionId, Mapping, MappingId, Notes, Profile, StackId, Tally, kind};

/// The reader of folded stacks.
pub struct Folded;

/// Lines that decide whether a text is folded stacks.
const SNIFF_LINES: usize = 200;

/// Mapping of frames with the suffix `_[k]`.
const KERNEL: &str = "[kernel]";

/// Mapping of frames with the suffix `_[j]` or `_[1]`.
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
        let (mut lines, mut counted, mut joined, mut named, mut blanks) = (0, 0, 0, 0, 0);
        let split = match austin::mode(seen) {
            Some(Mode::Full) => |line| austin::split(line).map(|(stack, _)| stack),
            _ => |line| split_count(line).map(|(stack, _)| stack),
        };
        for (_, line) in Lines::new(seen).filter(|(_, line)| !is_comment(line)).take(SNIFF_LINES) {
            lines += 1;
            if let Some(stack) = split(line) {
                counted += 1;
                joined += usize::from(stack.contains(&b';'));
                blanks += usize::from(stack.contains(&b' ') && split_count(stack).is_none());
                // `exclude_guest: 1` is a setting.
                named += usize::from(!stack.ends_with(b":") && stack.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()));
            }
        }
        match (counted * 2 > lines, joined > 0, counted * 10 >= lines * 9) {
            (true, true, _) => Sniff::Yes,
            // `done 8549 of 8549` alone is a sentence.
            (true, false, true) if counted == 1 && lines == 1 && blanks > 0 => Sniff::No,
            // Stacks of one frame only are rare, and tables of other programs end in numbers too; those of numbers alone hold no names.
            (true, false, true) if named * 2 > counted => Sniff::Maybe,
            _ => Sniff::No,
        }
    }

    fn whole(&self, bytes: &[u8]) -> usize {
        text::whole_lines(bytes)
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read_chunked(input.bytes, cx, text::CHUNK_BYTES)
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

/// The count of a line that has a blank and a count and nothing else: py-spy's samples of threads without a frame.
fn bare_count(line: &[u8]) -> Option<Number> {
    line.first().filter(|first| first.is_ascii_whitespace()).and(number::parse(line.trim_ascii()))
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

/// What the numbers at the end of lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// One count of something.
    Count,
    /// Two counts on every line: both sides of a comparison.
    Sides,
    /// Of Austin, whose comments say what they are.
    Austin(Mode),
}

impl Numbers {
    fn of(text: &[u8], parts: &[(usize, &[u8])]) -> Self {
        if let Some(mode) = austin::mode(text) {
            return Self::Austin(mode);
        }
        // The first part nearly always has a line that says no.
        let starts_so = parts.first().is_some_and(|(_, part)| is_differential(part));
        if starts_so && parts.par_iter().all(|(_, part)| is_differential(part)) { Self::Sides } else { Self::Count }
    }

    /// Name and unit of each.
    const fn types(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Count => &[("samples", "count")],
            Self::Sides => &[("before", "count"), ("after", "count")],
            Self::Austin(mode) => mode.types(),
        }
    }
}

/// Most numbers of a line.
const MAX_COLUMNS: usize = 3;

fn read_chunked(bytes: &[u8], cx: &ReadCx<'_>, chunk_bytes: usize) -> Result<Profile, ReadError> {
    text::read_decoded(bytes, cx.ticket, |text| read_text(text, cx, chunk_bytes))
}

fn read_text(text: Text<'_>, cx: &ReadCx<'_>, chunk_bytes: usize) -> Result<Profile, ReadError> {
    let ticket = cx.ticket;
    let parts = text::chunks(&text.bytes, chunk_bytes, |_| true);
    let numbers = Numbers::of(&text.bytes, &parts);
    let mut builder = Builder::default();
    builder.notes = text.notes;
    for (name, unit) in numbers.types() {
        builder.add_sample_type(name, unit);
    }
    let mut joined = Joined::default();
    text::in_order(
        &parts,
        |&(at, part)| {
            let offset = text.base + at as u64;
            text::plain(part, offset)?;
            Ok((part, part::read_part(part, offset, numbers, ticket)?))
        },
        |(part, chunk)| {
            ticket.check()?;
            joined.add(&mut builder, chunk);
            cx.done_with(part);
            Ok(())
        },
    )?;
    if joined.stacks.is_empty() {
        return Err(ReadError::new("folded", 0, "reading stacks", "no line ends in a count"));
    }
    let skipped = joined.skipped;
    joined.finish(&mut builder, ticket)?;
    if numbers == Numbers::Sides {
        let samples = builder.rows.len() as u64;
        builder.notes.add(kind::GUESSED, "two numbers at the end of every line: read as the two sides of a comparison", samples, None);
        builder.default_sample_type = 1;
    }
    builder.info.tally = Tally::new(builder.rows.len() as u64, skipped);
    "folded".clone_into(&mut builder.info.format);
    Ok(builder.finish())
}

fn note_overflow(notes: &mut Notes, count: u64, offset: Option<u64>) {
    notes.add(kind::OVERFLOW, "counts beyond 64 bits were held at the limit", count, offset);
}

/// Names that are looked up together. They stay near to the processor meanwhile.
const NAMES_TOGETHER: usize = 256;

/// What the suffix of a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Suffix {
    None,
    Kernel,
    Jit,
    Inlined,
}

/// Chunks on their way into the profile: a name becomes a frame once, however many chunks have it.
#[derive(Default)]
struct Joined<'a> {
    /// The frame without a suffix of a text, by the row of the text.
    named: Vec<Option<FrameId>>,
    /// The functions of other texts.
    functions: HashMap<StringId, FunctionId, FxBuildHasher>,
    /// All other frames.
    suffixed: HashMap<(Option<StringId>, Suffix), FrameId, FxBuildHasher>,
    /// Mappings of what suffixes name, by [`Suffix`].
    modules: [Option<MappingId>; 4],
    stacks: Vec<Option<StackId>>,
    counts: Vec<[Counts; MAX_COLUMNS]>,
    decimals: [u8; MAX_COLUMNS],
    skipped: u64,
    /// Counts without a stack, with their decimals, and the place of the first.
    stackless: Vec<(Counts, u8)>,
    first_stackless: Option<u64>,
    /// Names that are not UTF-8, and the number of such comments.
    broken: HashSet<&'a [u8], FxBuildHasher>,
    invalid: u64,
}

impl<'a> Joined<'a> {
    /// Adds a chunk that follows on those before.
    fn add(&mut self, builder: &mut Builder, mut chunk: Chunk<'a>) {
        builder.notes.absorb(&chunk.notes);
        builder.info.comments.append(&mut chunk.comments);
        self.invalid += chunk.invalid;
        self.skipped += chunk.skipped;
        if chunk.stackless.len() > 0 {
            self.first_stackless = self.first_stackless.or(chunk.first_stackless);
            self.stackless.push((chunk.stackless, chunk.stackless_decimals));
        }
        self.decimals = std::array::from_fn(|column| self.decimals[column].max(chunk.decimals[column]));
        let frames = self.frames(builder, &chunk.names);
        let (parents, items) = chunk.forest.into_columns();
        let frame = |row: usize| items.as_slice().get(row).and_then(|&name| frames.get(name as usize).copied());
        let moved = builder.rows.join_stacks(parents.as_slice(), frame);
        self.stacks.extend(chunk.stacks.iter().map(|stack| stack.and_then(|stack| moved.get(stack.row()).copied().flatten())));
        self.counts.push(chunk.counts);
    }

    /// The frames of names. Texts are looked up many together: then their waits for memory are one.
    fn frames(&mut self, builder: &mut Builder, names: &[&'a [u8]]) -> Vec<FrameId> {
        let mut frames = Vec::with_capacity(names.len());
        let mut waiting: Vec<(Cow<'a, str>, Suffix)> = Vec::with_capacity(NAMES_TOGETHER);
        for bytes in names {
            let (name, suffix) = parse(bytes);
            let module = match suffix {
                Suffix::Kernel => Some(KERNEL),
                Suffix::Jit => Some(JIT),
                Suffix::None | Suffix::Inlined => None,
            };
            let module = module.filter(|_| self.modules[suffix as usize].is_none());
            if module.is_some() || name.is_empty() || waiting.len() == NAMES_TOGETHER {
                // Rows are in the order of the names, wherever parts begin: first those before.
                self.add_frames(builder, &mut waiting, &mut frames);
            }
            if let Some(module) = module {
                let file = Some(builder.string(module));
                self.modules[suffix as usize] = Some(builder.mapping(Mapping { file, ..Mapping::default() }));
            }
            if name.is_empty() {
                let frame = self.frame(None, suffix);
                frames.push(*self.suffixed.entry((None, suffix)).or_insert_with(|| builder.add_frame(frame)));
                continue;
            }
            let mut broken = 0;
            waiting.push((text::lossy(name, &mut broken), suffix));
            if broken > 0 {
                self.broken.insert(bytes);
            }
        }
        self.add_frames(builder, &mut waiting, &mut frames);
        frames
    }

    /// Appends the frames of those that wait, which are none then.
    fn add_frames(&mut self, builder: &mut Builder, waiting: &mut Vec<(Cow<'a, str>, Suffix)>, frames: &mut Vec<FrameId>) {
        let texts = builder.strings.intern_all(waiting.iter().map(|(name, _)| name.as_ref()));
        self.named.resize(builder.strings.len(), None);
        for (name, (_, suffix)) in texts.into_iter().zip(waiting.drain(..)) {
            let plain = self.named.get(name.row()).copied().flatten();
            let known = if suffix == Suffix::None { plain } else { self.suffixed.get(&(Some(name), suffix)).copied() };
            frames.push(known.unwrap_or_else(|| {
                let function =
                    plain.and_then(|frame| builder.frame_rows().get(frame)?.function).or_else(|| self.functions.get(&name).copied());
                let new = || builder.add_function(Function { name, system_name: None, file: None, start_line: 0 });
                let function = function.unwrap_or_else(new);
                let frame = builder.add_frame(self.frame(Some(function), suffix));
                if suffix == Suffix::None {
                    self.named.get_mut(name.row()).into_iter().for_each(|place| *place = Some(frame));
                } else {
                    self.suffixed.insert((Some(name), suffix), frame);
                    self.functions.insert(name, function);
                }
                frame
            }));
        }
    }

    fn frame(&self, function: Option<FunctionId>, suffix: Suffix) -> Frame {
        Frame { function, mapping: self.modules[suffix as usize], inlined: suffix == Suffix::Inlined, ..Frame::default() }
    }

    /// Says what samples without a stack weigh. They are left out, as inferno does: totals of folded stacks are those of the stacks.
    fn note_stackless(&mut self, builder: &mut Builder) {
        let lines = self.stackless.iter().map(|(counts, _)| counts.len() as u64).sum();
        if lines == 0 {
            return;
        }
        let decimals = self.stackless.iter().map(|(_, decimals)| *decimals).max().unwrap_or(0);
        let mut stored = Vec::new();
        for (counts, _) in std::mem::take(&mut self.stackless) {
            counts.store(decimals, &mut stored);
        }
        let weight = number::decimal(stored.into_iter().map(i128::from).sum(), decimals);
        let cause = format!("lines with a count and no stack: samples of {weight} without a stack were left out");
        builder.notes.add(kind::NOT_UNDERSTOOD, &cause, lines, self.first_stackless);
    }

    /// Gives the samples to the profile.
    fn finish(mut self, builder: &mut Builder, ticket: &Ticket) -> Result<(), Cancelled> {
        self.note_stackless(builder);
        let Self { stacks, mut counts, decimals, broken, invalid, .. } = self;
        let invalid = invalid + broken.len() as u64;
        if invalid > 0 {
            builder.notes.add(kind::INVALID_UTF8, "names that are not UTF-8 were read with replacement characters", invalid, None);
        }
        let mut values = Vec::new();
        for (at, (column, decimals)) in builder.sample_types.iter_mut().zip(decimals).enumerate() {
            column.decimals = decimals;
            let mut stored = Vec::with_capacity(stacks.len());
            for counts in counts.iter_mut().filter_map(|counts| counts.get_mut(at)) {
                ticket.check()?;
                // Each is given up as it is stored.
                let overflows = std::mem::take(counts).store(decimals, &mut stored);
                if overflows > 0 {
                    note_overflow(&mut builder.notes, overflows, None);
                }
            }
            values.push(stored);
        }
        let labels = vec![None; stacks.len()];
        builder.rows.set_columns(stacks, labels, values);
        Ok(())
    }
}

/// A name without its suffix, and the suffix.
const fn parse(name: &[u8]) -> (&[u8], Suffix) {
    match name {
        [name @ .., b'_', b'[', b'k', b']'] if !name.is_empty() => (name, Suffix::Kernel),
        [name @ .., b'_', b'[', b'j' | b'1', b']'] if !name.is_empty() => (name, Suffix::Jit),
        [name @ .., b'_', b'[', b'0', b']'] if !name.is_empty() => (name, Suffix::None),
        [name @ .., b'_', b'[', b'i', b']'] if !name.is_empty() => (name, Suffix::Inlined),
        _ => (name, Suffix::None),
    }
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
