//! The lines of the call chains of one part, each once, and the frames that they stand for there.
//!
//! Lines of call chains repeat, so what a line means is looked up by its bytes. Names stay bytes here: only what is new in the whole text
//! becomes a string, a function and a frame ([`joined`](super::joined)). What is kept of a line is small, since a part has thousands of
//! them and they have to stay near to the processor. Start reading at [`Lines::row`] and [`Lines::frame`].

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::line::{self, Brief};
use crate::format::text;
use crate::model::FrameId;

/// A line of call chains.
pub(super) struct Known<'a> {
    /// The line as it stands, where it stood last: there the next one finds it near.
    pub(super) text: &'a [u8],
    /// Of the text.
    pub(super) hash: u64,
    pub(super) brief: Brief,
    /// Its frame where only the line itself tells it: as innermost frame, and as caller.
    frames: [Option<FrameId>; 2],
}

/// What tells a frame beside its line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Around<'a> {
    /// The line after it, where that tells file and line.
    pub(super) place: Option<&'a [u8]>,
    /// Row of the line into which it was inlined, which has a module.
    pub(super) owner: Option<usize>,
}

/// A frame of the part.
#[derive(Clone, Copy)]
pub(super) struct Used {
    /// Row of its line.
    line: u32,
    /// Row of [`Lines::around`] + 1; 0 where only the line tells it.
    around: u32,
    /// See [`Frame::caller`](crate::model::Frame::caller).
    pub(super) caller: bool,
}

/// What the lines of a part have told so far.
#[derive(Default)]
pub(super) struct Lines<'a> {
    /// By row, in the order of their first use.
    pub(super) known: Vec<Known<'a>>,
    rows: HashTable<u32>,
    /// By the row of their ids, which are those of this part; in the order of their first use.
    pub(super) frames: Vec<Used>,
    around: Vec<Around<'a>>,
    placed: HashMap<(usize, Around<'a>, bool), FrameId, FxBuildHasher>,
}

/// Bytes of text for which there is room for one line: fewer of them are new.
const BYTES_PER_LINE: usize = 128;

impl<'a> Lines<'a> {
    /// No lines yet, with room for those of so many bytes of text.
    pub(super) fn for_text(bytes: usize) -> Self {
        let lines = bytes.min(text::CHUNK_BYTES) / BYTES_PER_LINE;
        Self {
            known: Vec::with_capacity(lines),
            frames: Vec::with_capacity(lines),
            rows: HashTable::with_capacity(lines),
            ..Self::default()
        }
    }

    /// The row of a line; `None` where it is no frame.
    pub(super) fn row(&mut self, text: &'a [u8]) -> Option<usize> {
        let Self { known, rows, .. } = self;
        let hash = FxBuildHasher.hash_one(text);
        let found = rows.find(hash, |&row| known.get(row as usize).is_some_and(|known| known.text == text));
        if let Some((row, place)) = found.and_then(|&row| Some((row as usize, known.get_mut(row as usize)?))) {
            place.text = text;
            return Some(row);
        }
        let brief = line::brief(text)?;
        let row = known.len();
        known.push(Known { text, hash, brief, frames: [None; 2] });
        // Fewer than the bytes of a part.
        rows.insert_unique(hash, row as u32, |&row| known.get(row as usize).map_or(0, |known| known.hash));
        Some(row)
    }

    /// What a line says.
    pub(super) fn brief(&self, row: usize) -> Option<Brief> {
        self.known.get(row).map(|known| known.brief)
    }

    /// The frame of a line, and the line that has its module; `owner` is that of its caller.
    pub(super) fn frame(&mut self, line: usize, place: Option<&'a [u8]>, owner: Option<usize>, caller: bool) -> (FrameId, Option<usize>) {
        let next = FrameId::from_row(self.frames.len()).unwrap_or_else(|| unreachable!("more frames than bytes of text"));
        let Some(known) = self.known.get_mut(line) else { return (FrameId::FIRST, None) };
        let owner = owner.filter(|_| known.brief.inlined);
        let around = Around { place, owner };
        let simple = place.is_none() && !known.brief.inlined;
        let frame = if simple {
            let [inner, outer] = &mut known.frames;
            *(if caller { outer } else { inner }).get_or_insert(next)
        } else {
            *self.placed.entry((line, around, caller)).or_insert(next)
        };
        if frame == next {
            if !simple {
                self.around.push(around);
            }
            self.frames.push(Used { line: line as u32, around: if simple { 0 } else { self.around.len() as u32 }, caller });
        }
        (frame, if known.brief.inlined { owner } else { Some(line) })
    }

    /// The line of a frame, its row, and what else tells it; `None` where the line alone does.
    pub(super) fn used(&self, frame: Used) -> Option<(&Known<'a>, usize, Option<Around<'a>>)> {
        let line = frame.line as usize;
        let around = (frame.around as usize).checked_sub(1).and_then(|row| self.around.get(row)).copied();
        Some((self.known.get(line)?, line, around))
    }
}
