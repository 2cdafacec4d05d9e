//! The lines of the call chains of one part, each once, and the frames that they stand for.
//!
//! Lines of call chains repeat, so what a line means is looked up by its bytes. What is kept of a line is small, since a part has thousands of
//! them and they have to stay near to the processor. Two lines may make the same frame twice: that is found out where parts are put together.
//! Start reading at [`Lines::row`] and [`Lines::frame`].

use std::collections::HashMap;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::line::{self, Brief, RawFrame};
use crate::base::intern::StringId;
use crate::format::text;
use crate::model::{Builder, Frame, FrameId, Function, FunctionId, Mapping, MappingId};

/// A line of call chains.
struct Known<'a> {
    /// The line as it stands, where it stood last: there the next one finds it near.
    text: &'a [u8],
    /// Of the text.
    hash: u64,
    brief: Brief,
    /// Its frame where only the line itself tells it: as innermost frame, and as caller.
    frames: [Option<FrameId>; 2],
}

/// What tells a frame beside its line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Around<'a> {
    /// The line after it, where that tells file and line.
    place: Option<&'a [u8]>,
    /// Row of the line into which it was inlined, which has a module.
    owner: Option<usize>,
}

/// A function's name.
#[derive(Clone, Copy)]
struct Symbol {
    name: StringId,
    /// The function of which no file is known.
    plain: Option<FunctionId>,
}

/// What the lines of a part have told so far.
#[derive(Default)]
pub(super) struct Lines<'a> {
    /// By row, in the order of their first use.
    known: Vec<Known<'a>>,
    rows: HashTable<u32>,
    placed: HashMap<(usize, Around<'a>, bool), FrameId, FxBuildHasher>,
    /// What was made of names: each is told from others here, and so the part's tables need not find them again.
    symbols: HashMap<&'a [u8], Symbol, FxBuildHasher>,
    modules: HashMap<&'a [u8], MappingId, FxBuildHasher>,
    /// The last module that was named.
    last_module: Option<(&'a [u8], MappingId)>,
    /// Names that are not UTF-8.
    pub(super) broken: Vec<StringId>,
}

/// Bytes of text for which there is room for one line: fewer of them are new.
const BYTES_PER_LINE: usize = 128;

impl<'a> Lines<'a> {
    /// No lines yet, with room for those of so many bytes of text.
    pub(super) fn for_text(bytes: usize) -> Self {
        let lines = bytes.min(text::CHUNK_BYTES) / BYTES_PER_LINE;
        Self { known: Vec::with_capacity(lines), rows: HashTable::with_capacity(lines), ..Self::default() }
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
    pub(super) fn frame(
        &mut self,
        builder: &mut Builder,
        line: usize,
        place: Option<&'a [u8]>,
        owner: Option<usize>,
        caller: bool,
    ) -> (FrameId, Option<usize>) {
        let Some(known) = self.known.get(line) else { return (FrameId::FIRST, None) };
        let inlined = known.brief.inlined;
        let owner = owner.filter(|_| inlined);
        let next = if inlined { owner } else { Some(line) };
        if place.is_none() && !inlined {
            if let Some(frame) = known.frames.get(usize::from(caller)).copied().flatten() {
                return (frame, next);
            }
            let raw = line::frame(known.text).unwrap_or_default();
            let frame = self.make(builder, &raw, None, raw.module, caller);
            if let Some(place) = self.known.get_mut(line).and_then(|known| known.frames.get_mut(usize::from(caller))) {
                *place = Some(frame);
            }
            return (frame, next);
        }
        let key = (line, Around { place, owner }, caller);
        if let Some(&frame) = self.placed.get(&key) {
            return (frame, next);
        }
        let raw = line::frame(known.text).unwrap_or_default();
        let of_owner = || line::frame(self.known.get(owner?)?.text)?.module;
        let module = if inlined { of_owner() } else { raw.module };
        let frame = self.make(builder, &raw, place, module, caller);
        self.placed.insert(key, frame);
        (frame, next)
    }

    /// A new frame: what its line says, with what the lines around it say.
    fn make(&mut self, builder: &mut Builder, raw: &RawFrame<'a>, place: Option<&[u8]>, module: Option<&'a [u8]>, caller: bool) -> FrameId {
        let place = place.and_then(line::source_line);
        let file = place.map(|(file, _)| {
            let mut invalid = 0;
            let id = builder.strings.intern(&text::lossy(file, &mut invalid));
            self.broken.extend((invalid > 0).then_some(id));
            id
        });
        let function = raw.symbol.map(|symbol| {
            let broken = &mut self.broken;
            let known = self.symbols.entry(symbol).or_insert_with(|| Symbol { name: new_string(builder, symbol, broken), plain: None });
            let new = Function { name: known.name, system_name: None, file, start_line: 0 };
            if file.is_some() { builder.function(new) } else { *known.plain.get_or_insert_with(|| builder.add_function(new)) }
        });
        let mapping = module.map(|module| match self.last_module {
            Some((last, mapping)) if last == module => mapping,
            _ => {
                let broken = &mut self.broken;
                let mapping = *self.modules.entry(module).or_insert_with(|| {
                    let file = Some(new_string(builder, module, broken));
                    builder.mapping(Mapping { file, ..Mapping::default() })
                });
                self.last_module = Some((module, mapping));
                mapping
            }
        });
        builder.add_frame(Frame {
            function,
            mapping,
            address: Some(raw.address),
            line: place.map_or(0, |(_, line)| line),
            inlined: raw.inlined,
            caller,
            ..Frame::default()
        })
    }
}

/// A string that the part may have already under another id, which is found out where parts are put together.
fn new_string(builder: &mut Builder, text: &[u8], broken: &mut Vec<StringId>) -> StringId {
    let mut invalid = 0;
    let id = builder.strings.add(&text::lossy(text, &mut invalid));
    broken.extend((invalid > 0).then_some(id));
    id
}
