//! Parts on their way into the profile: a line becomes a frame once, however many parts have it.
//!
//! Rows follow the order in which a single part would have made them, wherever parts begin. Start reading at [`Joined::add`].

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::deferred::Deferred;
use super::line::{self, RawFrame};
use super::lines::{Lines, Used};
use super::part::Done;
use super::texts::Texts;
use crate::format::text;
use crate::model::{Builder, Frame, FrameId, Function, FunctionId, Mapping, MappingId, kind};

/// What tells a frame that its line alone does not tell.
#[derive(PartialEq, Eq, Hash)]
struct Placed<'a> {
    /// Row of the line.
    line: usize,
    /// The line after it, where that tells file and line.
    place: Option<&'a [u8]>,
    /// The module of the frame: of its caller, where it is inlined.
    module: Option<&'a [u8]>,
    caller: bool,
}

/// The parts so far.
#[derive(Default)]
pub(super) struct Joined<'a> {
    pub(super) builder: Builder,
    pub(super) deferred: Deferred,
    /// Lines of call chains, each with the frames that only the line itself tells: as innermost frame, and as caller.
    lines: Texts<'a, [Option<FrameId>; 2]>,
    placed: HashMap<Placed<'a>, FrameId, FxBuildHasher>,
    /// Functions without a file, by name.
    functions: Texts<'a, Option<FunctionId>>,
    /// Kept for its memory.
    fresh: Vec<Frame>,
    /// The last module that was named.
    last_module: Option<(&'a [u8], MappingId)>,
    /// Names that are not UTF-8.
    invalid: u64,
}

impl<'a> Joined<'a> {
    /// Adds a part that follows on those before.
    pub(super) fn add(&mut self, part: Done<'a>) {
        let Done { mut builder, deferred, lines, marks } = part;
        let rows = self.lines.rows(lines.known.iter().map(|known| (known.hash, known.text)));
        let mut frames = Vec::with_capacity(lines.frames.len());
        let mut strings = Vec::with_capacity(builder.strings.len());
        let mut texts = builder.strings.iter();
        for (before, named) in marks.into_iter().chain([(lines.frames.len(), builder.strings.len())]) {
            self.add_frames(&lines, &rows, lines.frames.get(frames.len()..before).unwrap_or(&[]), &mut frames);
            strings.extend(texts.by_ref().take(named - strings.len()).map(|text| self.builder.strings.intern(text)));
        }
        drop(texts);
        let samples = self.builder.rows.len();
        self.builder.info.facts.append(&mut builder.info.facts);
        self.builder.absorb_rows(builder, &strings, &frames);
        self.deferred.absorb(deferred, samples, &frames);
        if self.invalid > 0 {
            let cause = "names that are not UTF-8 were read with replacement characters";
            self.builder.notes.add(kind::INVALID_UTF8, cause, std::mem::take(&mut self.invalid), None);
        }
    }

    /// Appends the ids of frames. New ones are looked up many together: then their waits for memory are one.
    fn add_frames(&mut self, lines: &Lines<'a>, rows: &[usize], used: &[Used], frames: &mut Vec<FrameId>) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.clear();
        let (mut places, mut keys) = (Vec::new(), Vec::new());
        let module = |line: usize| lines.known.get(line).and_then(|known| line::frame(known.text)?.module);
        for &frame in used {
            let Some((known, part_row, around)) = lines.used(frame) else { continue };
            let line = rows.get(part_row).copied().unwrap_or(0);
            let key = around.map(|around| {
                let module = if known.brief.inlined { around.owner.and_then(module) } else { module(part_row) };
                Placed { line, place: around.place, module, caller: frame.caller }
            });
            let found = match &key {
                None => self.lines.get_mut(line).and_then(|frames| frames.get(usize::from(frame.caller))).copied().flatten(),
                Some(key) => self.placed.get(key).copied(),
            };
            if found.is_none() {
                let raw = line::frame(known.text).unwrap_or_default();
                let (place, module) = key.as_ref().map_or((None, raw.module), |key| (key.place, key.module));
                fresh.push(Frame { caller: frame.caller, ..self.frame(&raw, place, module) });
                places.push((frames.len(), key.is_none().then_some(line), frame.caller));
                keys.extend(key.map(|key| (places.len() - 1, key)));
            }
            frames.push(found.unwrap_or(FrameId::FIRST));
        }
        let ids = self.builder.frames(&fresh);
        self.fresh = fresh;
        for (&(at, line, caller), &frame) in places.iter().zip(&ids) {
            if let Some(place) = frames.get_mut(at) {
                *place = frame;
            }
            let frames = line.and_then(|line| self.lines.get_mut(line));
            if let Some(place) = frames.and_then(|frames| frames.get_mut(usize::from(caller))) {
                *place = Some(frame);
            }
        }
        self.placed.extend(keys.into_iter().filter_map(|(at, key)| Some((key, *ids.get(at)?))));
    }

    /// The frame of a line, with what the lines around it say.
    fn frame(&mut self, raw: &RawFrame<'a>, place: Option<&[u8]>, module: Option<&'a [u8]>) -> Frame {
        let place = place.and_then(line::source_line);
        let file = place.map(|(file, _)| self.builder.strings.intern(&text::lossy(file, &mut self.invalid)));
        let function = raw.symbol.map(|symbol| {
            let row = file.is_none().then(|| self.functions.row(symbol));
            if let Some(function) = row.and_then(|row| *self.functions.get_mut(row)?) {
                return function;
            }
            let name = self.builder.strings.intern(&text::lossy(symbol, &mut self.invalid));
            let function = self.builder.function(Function { name, system_name: None, file, start_line: 0 });
            if let Some(place) = row.and_then(|row| self.functions.get_mut(row)) {
                *place = Some(function);
            }
            function
        });
        let mapping = module.map(|module| match self.last_module {
            Some((last, mapping)) if last == module => mapping,
            _ => {
                let file = Some(self.builder.strings.intern(&text::lossy(module, &mut self.invalid)));
                let mapping = self.builder.mapping(Mapping { file, ..Mapping::default() });
                self.last_module = Some((module, mapping));
                mapping
            }
        });
        Frame {
            function,
            mapping,
            address: Some(raw.address),
            line: place.map_or(0, |(_, line)| line),
            inlined: raw.inlined,
            ..Frame::default()
        }
    }
}
