//! One part of a text of folded stacks: its lines as rows over names of its own.
//!
//! Names stay bytes here: only what is new in the whole file becomes a string, a function and a frame. Deliberately absent: the decimals of the
//! whole file, which are known once all parts were read. Start reading at [`read_part`].

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::austin::{self, Mode};
use super::number::{MAX_DECIMALS, Number};
use super::{MAX_COLUMNS, Numbers, bare_count, is_comment, note_overflow, split_count};
use crate::base::forest::Forest;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::text::{self, Lines};
use crate::model::{Notes, StackId, kind};

/// What a part of the text says.
#[derive(Default)]
pub(super) struct Chunk<'a> {
    /// Distinct texts of frames, in the order of their first use.
    pub(super) names: Vec<&'a [u8]>,
    /// Stacks of rows of the names, outermost first.
    pub(super) forest: Forest<StackId, u32>,
    /// The stack of each line.
    pub(super) stacks: Vec<Option<StackId>>,
    /// The numbers of each line; the second and third only where every line has as many.
    pub(super) counts: [Counts; MAX_COLUMNS],
    pub(super) decimals: [u8; MAX_COLUMNS],
    pub(super) comments: Vec<String>,
    /// Comments that are not UTF-8.
    pub(super) invalid: u64,
    /// Lines that are no stack with a count.
    pub(super) skipped: u64,
    /// The counts of those of them that have a blank instead of a stack, their decimals, and the place of the first.
    pub(super) stackless: Counts,
    pub(super) stackless_decimals: u8,
    pub(super) first_stackless: Option<u64>,
    pub(super) notes: Notes,
}

/// Bytes between two looks at the ticket.
const POLL_BYTES: usize = 1 << 18;

/// Bytes for which there is room for one line: few texts have shorter ones. What is not used costs nothing.
const BYTES_PER_LINE: usize = 48;

/// Reads the part that stands `base` bytes from the start of the file.
pub(super) fn read_part<'a>(part: &'a [u8], base: u64, numbers: Numbers, ticket: &Ticket) -> Result<Chunk<'a>, ReadError> {
    let mut chunk = Chunk::default();
    chunk.reserve(part.len().min(text::CHUNK_BYTES) / BYTES_PER_LINE);
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
                let comment = text::lossy(comment, &mut chunk.invalid).into_owned();
                chunk.comments.push(comment);
            }
            continue;
        }
        if numbers == Numbers::Austin(Mode::Full) {
            let Some((stack, metrics)) = austin::split(line) else {
                chunk.skip("lines that are no stack with its time, idle state and memory", offset);
                continue;
            };
            for (column, number) in metrics.into_iter().enumerate() {
                chunk.count(column, number, offset);
            }
            let stack = stacks.stack(&mut chunk, stack, offset);
            chunk.stacks.push(stack);
            continue;
        }
        let Some((mut stack, last)) = split_count(line) else {
            if let Some(count) = bare_count(line).filter(|_| numbers == Numbers::Count) {
                chunk.skip_stackless(count, offset);
                continue;
            }
            chunk.skip("lines that are no stack with a count", offset);
            continue;
        };
        let mut first = last;
        let differential = numbers == Numbers::Sides;
        // Most names do not end in a digit: the others cost a look.
        let before = if differential || stack.last().is_some_and(u8::is_ascii_digit) { split_count(stack) } else { None };
        match before {
            Some((rest, before)) if differential => {
                (stack, first) = (rest, before);
                chunk.count(1, last, offset);
            }
            Some((_, before)) if before.decimals() == 0 => {
                let cause = "lines that end in two numbers, which not every line does: the first was read as a part of the name";
                chunk.notes.add(kind::GUESSED, cause, 1, Some(offset));
            }
            _ => {}
        }
        chunk.count(0, first, offset);
        let stack = stacks.stack(&mut chunk, stack, offset);
        chunk.stacks.push(stack);
    }
    ticket.advance((part.len() - polled) as u64)?;
    Ok(chunk)
}

impl Chunk<'_> {
    /// Makes room for so many lines: growing step by step copies every row several times.
    fn reserve(&mut self, lines: usize) {
        self.names.reserve(lines);
        self.forest.reserve(lines);
        self.forest.reserve_further(lines / 4);
        self.stacks.reserve(lines);
        if let Some(counts) = self.counts.first_mut() {
            counts.digits.reserve(lines);
        }
    }

    fn skip(&mut self, cause: &str, offset: u64) {
        self.notes.add(kind::NOT_UNDERSTOOD, cause, 1, Some(offset));
        self.skipped += 1;
    }

    /// Counted by the whole file, whose note says what they weigh.
    fn skip_stackless(&mut self, count: Number, offset: u64) {
        self.stackless.push(count);
        self.stackless_decimals = count.decimals().max(self.stackless_decimals);
        self.first_stackless.get_or_insert(offset);
        self.skipped += 1;
    }

    fn count(&mut self, column: usize, count: Number, offset: u64) {
        if count.is_odd() {
            if count.clamped() {
                note_overflow(&mut self.notes, 1, Some(offset));
            }
            if count.rounded() {
                let cause = format!("counts with more than {MAX_DECIMALS} decimals were rounded");
                self.notes.add(kind::REPAIRED, &cause, 1, Some(offset));
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

/// One count of each line.
#[derive(Default)]
pub(super) struct Counts {
    /// The digits alone: for nearly all lines the whole number.
    digits: Vec<i64>,
    /// The others, by line.
    odd: Vec<(usize, Number)>,
}

impl Counts {
    fn push(&mut self, count: Number) {
        if count.is_odd() {
            self.odd.push((self.digits.len(), count));
        }
        self.digits.push(count.digits());
    }

    /// How many lines there are.
    pub(super) const fn len(&self) -> usize {
        self.digits.len()
    }

    /// Appends the counts as they are stored with these decimals, and says how many of them do not fit.
    pub(super) fn store(&self, decimals: u8, column: &mut Vec<i64>) -> u64 {
        if decimals == 0 {
            // None of them has any.
            column.extend_from_slice(&self.digits);
            return 0;
        }
        let mut odd = self.odd.iter().peekable();
        let mut overflows = 0;
        column.extend(self.digits.iter().enumerate().map(|(row, &digits)| {
            let count = odd.next_if(|(odd, _)| *odd == row).map_or_else(|| Number::whole(digits), |(_, count)| *count);
            let (stored, fits) = count.stored(decimals);
            overflows += u64::from(!fits);
            stored
        }));
        overflows
    }
}

/// Finds the rows of stacks again. Lines are usually sorted, so most of a stack is the stack of the line before; where they are not, stacks
/// come again and again as a whole.
#[derive(Default)]
struct Stacks<'a> {
    /// Rows of the names, and the hash of each.
    names: HashTable<u32>,
    hashes: Vec<u64>,
    /// Text of the last stack that was walked.
    last: &'a [u8],
    /// The levels of that stack.
    path: Vec<Level>,
    /// Whole stacks, each in the slot that its bytes choose: the last one stays.
    whole: Vec<(&'a [u8], Option<StackId>)>,
}

/// A frame of a stack of the text.
struct Level {
    /// Where its name ends in the text.
    end: usize,
    /// The stack up to here.
    stack: Option<StackId>,
    /// A name up to here is empty, which is counted for each line.
    odd: bool,
}

/// Whole stacks that are remembered; a power of two.
const WHOLE: usize = 1 << 10;

impl<'a> Stacks<'a> {
    /// The stack that is written `text`, which is one frame at least.
    fn stack(&mut self, chunk: &mut Chunk<'a>, text: &'a [u8], offset: u64) -> Option<StackId> {
        let slot = slot(text);
        if let Some((known, stack)) = self.whole.get(slot)
            && *known == text
        {
            return *stack;
        }
        let stack = self.walk(chunk, text, offset);
        if self.path.last().is_some_and(|level| !level.odd) {
            if self.whole.is_empty() {
                self.whole.resize(WHOLE, (&[], None));
            }
            if let Some(place) = self.whole.get_mut(slot) {
                *place = (text, stack);
            }
        }
        stack
    }

    fn walk(&mut self, chunk: &mut Chunk<'a>, text: &'a [u8], offset: u64) -> Option<StackId> {
        let common = common_prefix(self.last, text);
        while self.path.last().is_some_and(|&Level { end, .. }| end > common || text.get(end).is_some_and(|&byte| byte != b';')) {
            self.path.pop();
        }
        self.last = text;
        let (mut at, mut stack, mut odd) = self.path.last().map_or((0, None, false), |level| (level.end + 1, level.stack, level.odd));
        while at <= text.len() {
            let rest = text.get(at..).unwrap_or(&[]);
            let length = memchr::memchr(b';', rest).unwrap_or(rest.len());
            let name = rest.get(..length).unwrap_or(rest);
            let row = self.name(chunk, name);
            odd |= name.is_empty();
            stack = chunk.forest.child(stack, row).or(stack);
            self.path.push(Level { end: at + length, stack, odd });
            at += length + 1;
        }
        // Line by line, so that the count does not depend on what the line before was, nor on where parts begin.
        if self.path.last().is_some_and(|level| level.odd) {
            chunk.notes.add(kind::REPAIRED, "stacks with an empty frame name", 1, Some(offset));
        }
        stack
    }

    /// The row of a name.
    fn name(&mut self, chunk: &mut Chunk<'a>, name: &'a [u8]) -> u32 {
        let hash = FxBuildHasher.hash_one(name);
        if let Some(&row) = self.names.find(hash, |&row| chunk.names.get(row as usize) == Some(&name)) {
            return row;
        }
        // Fewer than the bytes of a part.
        let row = chunk.names.len() as u32;
        self.names.insert_unique(hash, row, |&row| self.hashes.get(row as usize).copied().unwrap_or(0));
        self.hashes.push(hash);
        chunk.names.push(name);
        row
    }
}

/// The slot of a whole stack, from a few of its bytes: most texts are long, and those that differ elsewhere only take turns.
fn slot(text: &[u8]) -> usize {
    let word = |at: usize| text.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let third = text.len() / 3;
    let last = text.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let words = [text.len() as u64, word(0), word(third), word(2 * third), last];
    let mixed = words.iter().fold(0_u64, |mixed, word| (mixed.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (mixed >> 40) as usize % WHOLE
}

/// How many bytes at the start of both are the same.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 8;
    let (a_steps, b_steps) = (a.as_chunks::<STEP>().0, b.as_chunks::<STEP>().0);
    let mut same = 0;
    for (a, b) in a_steps.iter().zip(b_steps) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return same + differ.trailing_zeros() as usize / 8;
        }
        same += STEP;
    }
    // One of both ends within its last step.
    let (a, b) = (a.get(same..).unwrap_or(&[]), b.get(same..).unwrap_or(&[]));
    same + a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::common_prefix;

    #[test]
    fn common_prefixes_of_all_lengths() {
        let text: Vec<u8> = (0..40).collect();
        for length in 0..text.len() {
            for other in 0..=text.len() {
                let mut changed = text[..other].to_vec();
                if let Some(byte) = changed.get_mut(length) {
                    *byte ^= 0x80;
                }
                assert_eq!(common_prefix(&text, &changed), length.min(other));
                assert_eq!(common_prefix(&changed, &text), length.min(other));
            }
        }
    }
}
