//! What a reader skipped, lost or guessed: one row per kind, with a count and the first place.

use super::unit::grouped;

/// Kinds of notes, stable names that programs may match.
pub mod kind {
    /// The container (gzip, zstd) was damaged; the bytes before the damage were read.
    pub const CONTAINER_DAMAGED: &str = "container-damaged";
    /// The input ends in the middle of a record.
    pub const TRUNCATED: &str = "truncated";
    /// Text that is not UTF-8 was read with replacement characters.
    pub const INVALID_UTF8: &str = "invalid-utf8";
    /// Lines or records that could not be understood and hold no sample that could be counted.
    pub const NOT_UNDERSTOOD: &str = "not-understood";
    /// Records of a kind that this version does not use.
    pub const SKIPPED: &str = "skipped-record";
    /// The recorder lost events before they reached the file.
    pub const LOST_EVENTS: &str = "lost-events";
    /// The kernel throttled the sampling.
    pub const THROTTLED: &str = "throttled";
    /// Samples without a stack.
    pub const NO_STACK: &str = "no-stack";
    /// A sum or a value exceeds 64 bits and was held at the limit.
    pub const OVERFLOW: &str = "overflow";
    /// The file breaks a rule of its format in a way that leaves its meaning clear; what was done instead is in the text.
    pub const REPAIRED: &str = "repaired";
    /// A meaning was guessed.
    pub const GUESSED: &str = "guessed";
    /// The capture is a comparison that pprof saved: samples of before are negative and marked.
    pub const SAVED_COMPARISON: &str = "saved-comparison";
    /// Addresses without a name.
    pub const NO_SYMBOLS: &str = "no-symbols";
    /// User stacks recorded as raw memory whose callers could not all be found.
    pub const NOT_UNWOUND: &str = "not-unwound";
    /// A name contains frames cut by the recorder's depth limit.
    pub const CUT_STACKS: &str = "cut-stacks";
}

/// One kind of loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// One of [`kind`].
    pub kind: &'static str,
    /// How often.
    pub count: u64,
    /// Byte offset (in the uncompressed input) of the first.
    pub first_offset: Option<u64>,
    /// What happened, without the count and without a period: `samples without a stack`.
    pub text: String,
}

/// A note with its count in words: `312 samples without a stack`, `1 sample without a stack`, `the input ends inside a record`. Texts say what happened to
/// several things; where it happened once and the words cannot follow, that is said behind them.
pub fn note_words(count: u64, text: &str) -> String {
    let words: Vec<&str> = text.splitn(3, ' ').collect();
    let is_plural = |word: &&&str| word.ends_with('s');
    // A sentence about the file has a number of its own, or happened once.
    let statements = ["the", "a", "an", "no", "one", "two", "zero", "broken", "values", "ids"];
    let is_statement =
        words.first().is_some_and(|word| statements.contains(word) || word.starts_with(|first: char| first.is_ascii_digit()));
    let noun = words.iter().take(2).position(|word| is_plural(&word)).filter(|_| !is_statement);
    match (noun, count) {
        (None, 1) => text.to_owned(),
        (None, _) => format!("{text} ({} times)", grouped(count)),
        (Some(_), 2.. | 0) => format!("{} {text}", grouped(count)),
        (Some(at), 1) => {
            let has = |part: &str| text.contains(part);
            let agrees = [" are ", " were ", " have ", " do ", " that ", " which ", " their ", ",", ";", ":"].into_iter().any(has);
            if agrees {
                return format!("{text} (once)");
            }
            let one = words.iter().enumerate().map(|(row, word)| if row == at { singular(word) } else { (*word).to_owned() });
            format!("1 {}", one.collect::<Vec<_>>().join(" "))
        }
    }
}

/// One of what a plural counts, as far as notes have such words.
fn singular(plural: &str) -> String {
    if let Some(stem) = plural.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let stem = ["sses", "ches"].into_iter().find_map(|end| plural.strip_suffix("es").filter(|_| plural.ends_with(end)));
    stem.or_else(|| plural.strip_suffix('s')).unwrap_or(plural).to_owned()
}

impl Note {
    /// True where data is missing for it: numbers of the capture are smaller than what was recorded, or than what happened. What was only guessed or
    /// repaired, and records that are not used on purpose, are no loss.
    pub fn is_loss(&self) -> bool {
        let kinds = [kind::CONTAINER_DAMAGED, kind::TRUNCATED, kind::NOT_UNDERSTOOD, kind::LOST_EVENTS, kind::THROTTLED, kind::OVERFLOW];
        kinds.contains(&self.kind)
    }
}

/// What became of the sample records of the input.
///
/// `samples == used + skipped` always holds (see [`check`](super::check())): what was read and what was left out add up to what is there. Why something was
/// left out stands in the [`Notes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sample records in the input: messages, records, paragraphs or lines that stand for samples, whether they were understood or not.
    pub samples: u64,
    /// Those that became rows of the profile. One record may become several rows (perf's groups) or share one (equal stacks joined).
    pub used: u64,
    /// Those that did not.
    pub skipped: u64,
    /// Rows beside those of `used`, which a reader made of other records: times between context switches.
    pub made: u64,
}

impl Tally {
    /// `used` records were read and `skipped` were not.
    pub const fn new(used: u64, skipped: u64) -> Self {
        Self { samples: used.saturating_add(skipped), used, skipped, made: 0 }
    }
}

/// All notes of a capture, at most one per kind and cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Counts `count` more of `kind`. `cause` says what happened without the count; rows of one kind are told apart by it.
    pub fn add(&mut self, kind: &'static str, cause: &str, count: u64, offset: Option<u64>) {
        if let Some(note) = self.0.iter_mut().find(|note| note.kind == kind && note.text == cause) {
            note.count = note.count.saturating_add(count);
            note.first_offset = match (note.first_offset, offset) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        } else {
            self.0.push(Note { kind, count, first_offset: offset, text: cause.to_owned() });
        }
    }

    /// Adds all of `other`, whose offsets are already absolute.
    pub fn absorb(&mut self, other: &Self) {
        for note in other.iter() {
            self.add(note.kind, &note.text, note.count, note.first_offset);
        }
    }

    /// Gives every offset that of the bytes from which the ones that were read had been made.
    pub fn move_offsets(&mut self, place: impl Fn(u64) -> u64) {
        for note in &mut self.0 {
            note.first_offset = note.first_offset.map(&place);
        }
    }

    /// Keeps only some rows.
    pub fn retain(&mut self, keep: impl Fn(&Note) -> bool) {
        self.0.retain(keep);
    }

    /// Drops the rows of one kind.
    pub fn remove(&mut self, kind: &str) {
        self.0.retain(|note| note.kind != kind);
    }

    /// The notes in order of first appearance.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Note> {
        self.0.iter()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where nothing was lost or guessed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sum of the counts of one kind.
    pub fn count(&self, kind: &str) -> u64 {
        self.iter().filter(|note| note.kind == kind).map(|note| note.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_said_of_one_thing() {
        for (count, text, words) in [
            (1, "samples without a stack", "1 sample without a stack"),
            (1234, "samples without a stack", "1,234 samples without a stack"),
            (1, "branch stacks", "1 branch stack"),
            (1, "addresses of more than 64 bits", "1 address of more than 64 bits"),
            (1, "COMM records", "1 COMM record"),
            (1, "lines that are no stack with a count", "lines that are no stack with a count (once)"),
            (1, "values were multiplied by the period 5", "values were multiplied by the period 5"),
            (1, "the input ends inside a record", "the input ends inside a record"),
            (3, "the input ends inside a record", "the input ends inside a record (3 times)"),
        ] {
            assert_eq!(note_words(count, text), words);
        }
    }
}
