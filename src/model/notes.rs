//! What a reader skipped, lost or guessed: one row per kind, with a count and the first place.

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
