//! The lines of the call chains of one part, each once, and the frames that they stand for there.
//!
//! Lines of call chains repeat, so what a line means is looked up by its bytes. Names stay bytes here: only what is new in the whole text
//! becomes a string, a function and a frame ([`joined`](super::joined)). Start reading at [`Lines::row`] and [`Lines::frame`].

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::line::{self, RawFrame};
use crate::model::FrameId;

/// A line of call chains.
pub(super) struct Known<'a> {
    /// The line as it stands.
    pub(super) text: &'a [u8],
    pub(super) raw: RawFrame<'a>,
    /// Its frame where only the line itself tells it: as innermost frame, and as caller.
    frames: [Option<FrameId>; 2],
}

/// What tells a frame: a line together with the lines around it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Placed<'a> {
    /// Row of the line.
    pub(super) line: usize,
    /// The line after it, where that tells file and line.
    pub(super) place: Option<&'a [u8]>,
    /// The module of the frame: of its caller, where it is inlined.
    pub(super) module: Option<&'a [u8]>,
    /// See [`Frame::caller`](crate::model::Frame::caller).
    pub(super) caller: bool,
}

#[derive(Default)]
pub(super) struct Lines<'a> {
    /// By row, in the order of their first use.
    pub(super) known: Vec<Known<'a>>,
    rows: HashTable<u32>,
    /// By the row of their ids, which are those of this part; in the order of their first use.
    pub(super) frames: Vec<Placed<'a>>,
    placed: HashMap<Placed<'a>, FrameId, FxBuildHasher>,
}

/// Bytes of text for which there is room for one line: fewer of them are new.
const BYTES_PER_LINE: usize = 128;

impl<'a> Lines<'a> {
    /// No lines yet, with room for those of so many bytes of text.
    pub(super) fn for_text(bytes: usize) -> Self {
        let lines = (bytes / BYTES_PER_LINE).min(super::super::text::CHUNK_BYTES / BYTES_PER_LINE);
        Self { rows: HashTable::with_capacity(lines), ..Self::default() }
    }

    /// The row of a line; `None` where it is no frame.
    pub(super) fn row(&mut self, text: &'a [u8]) -> Option<usize> {
        let Self { known, rows, .. } = self;
        let hash = FxBuildHasher.hash_one(text);
        let found = rows.find(hash, |&row| known.get(row as usize).is_some_and(|known| known.text == text));
        if let Some((row, place)) = found.and_then(|&row| Some((row as usize, known.get_mut(row as usize)?))) {
            // Compared with where it stood last, the next one finds it near.
            place.text = text;
            return Some(row);
        }
        let raw = line::frame(text)?;
        let row = known.len();
        known.push(Known { text, raw, frames: [None; 2] });
        // Fewer than the bytes of a part.
        rows.insert_unique(hash, row as u32, |&row| known.get(row as usize).map_or(0, |known| FxBuildHasher.hash_one(known.text)));
        Some(row)
    }

    /// What a line says.
    pub(super) fn raw(&self, row: usize) -> Option<&RawFrame<'a>> {
        self.known.get(row).map(|known| &known.raw)
    }

    /// The frame of a line, `module` being the module of its caller; and the module of that frame.
    pub(super) fn frame(
        &mut self,
        line: usize,
        place: Option<&'a [u8]>,
        module: Option<&'a [u8]>,
        caller: bool,
    ) -> (FrameId, Option<&'a [u8]>) {
        let next = FrameId::from_row(self.frames.len()).unwrap_or_else(|| unreachable!("more frames than bytes of text"));
        let Some(known) = self.known.get_mut(line) else { return (FrameId::FIRST, None) };
        let module = known.raw.module.or_else(|| module.filter(|_| known.raw.inlined));
        let frame = if place.is_none() && !known.raw.inlined {
            let [inner, outer] = &mut known.frames;
            *(if caller { outer } else { inner }).get_or_insert(next)
        } else {
            *self.placed.entry(Placed { line, place, module, caller }).or_insert(next)
        };
        if frame == next {
            self.frames.push(Placed { line, place, module, caller });
        }
        (frame, module)
    }
}
