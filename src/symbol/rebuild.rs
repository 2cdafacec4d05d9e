//! The same profile with other frames: stacks grow by inlined functions, samples keep everything but the number of their stack.
//!
//! A frame keeps its address, so frames that were two stay two, and so do stacks: rows only move, and none has to be looked up to find
//! its new place. Only where frames fall together after all (the capture had names or lines for some frames of an address) are stacks
//! put together anew. Deliberately absent: where names come from. Start reading at [`with_levels`].

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::answer::{Answer, Level};
use super::is_unnamed;
use super::table::STUB;
use crate::base::demangle::readable;
use crate::base::forest::Forest;
use crate::base::index::Column;
use crate::base::intern::{Interner, StringId, Strings};
use crate::base::spread::Spread;
use crate::base::table::TOGETHER;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Frame, FrameId, Function, FunctionId, MappingId, Profile, StackId, StackTable};

/// Where the levels of a frame stand: the answer and its row.
pub(super) type At = Option<(u32, u32)>;

/// Rows between two looks at the ticket.
const PART: usize = 1 << 15;

/// The profile with the levels at `places[row]` in the place of each frame; frames without levels stay as they are.
pub(super) fn with_levels(profile: &Profile, answers: &[Answer], places: &[At], ticket: &Ticket) -> Result<Profile, Cancelled> {
    let mut names = Names::new(profile, answers, ticket)?;
    let mut frames = Frames::new(profile);
    let mut found = Vec::with_capacity(TOGETHER);
    let mut old = profile.frames.iter();
    for (n, places) in places.chunks(TOGETHER).enumerate() {
        if n % (PART / TOGETHER) == 0 {
            ticket.check()?;
        }
        found.clear();
        let levels_at = |(answer, row): (u32, u32)| Some((answer as usize, answers.get(answer as usize)?.levels_at(row as usize)));
        found.extend(places.iter().map(|at| at.and_then(levels_at)));
        // Answers stand in the order of addresses, frames in that of their use: what all of these need is loaded before any is made.
        let near = found.iter().flatten().map(|(answer, (first, levels))| {
            levels.first().map_or(0, |level| u64::from(level.line)).wrapping_add(names.touch(*answer, *first))
        });
        std::hint::black_box(near.fold(0, u64::wrapping_add));
        // In this order: the shorter side is asked first.
        for (found, frame) in found.iter().zip(&mut old) {
            frames.begin(&frame);
            match *found {
                Some((answer, (first, levels))) if !levels.is_empty() => {
                    for (at, level) in levels.iter().enumerate().rev() {
                        let function = names.function(answer, first + at);
                        let inlined = at + 1 < levels.len();
                        frames.level(Frame { function, line: level.line, column: level.column, inlined, ..frame });
                    }
                }
                _ => frames.level(frame),
            }
            frames.end();
        }
    }
    let Frames { rows, chains, .. } = frames;
    let (stacks, moved) = match lengthened(profile, &chains, ticket)? {
        Some(lengthened) => lengthened,
        None => joined(profile, &chains, ticket)?,
    };
    Ok(Profile {
        strings: names.strings,
        functions: names.functions.into_rows(),
        mappings: profile.mappings.clone(),
        frames: rows,
        stacks,
        threads: profile.threads.clone(),
        label_sets: profile.label_sets.clone(),
        samples: profile.samples.with_stacks(|stack| moved.get(stack.row()).copied().flatten()),
        sample_types: profile.sample_types.clone(),
        default_sample_type: profile.default_sample_type,
        info: profile.info.clone(),
        notes: profile.notes.clone(),
    })
}

/// What two frames have to have in common to become the same one.
type Spot = (Option<MappingId>, Option<u64>, bool);

const fn spot(frame: &Frame) -> Spot {
    (frame.mapping, frame.address, frame.caller)
}

/// The new frames.
struct Frames {
    rows: Spread<FrameId, Frame>,
    chains: Chains,
    /// Spots with frames that have more than an address: what is put there may be there already.
    shared: FxHashSet<Spot>,
    /// The frames at those spots.
    known: FxHashMap<Frame, FrameId>,
    /// The frame at hand stands at such a spot.
    is_shared: bool,
}

/// New frames, outermost first, for each old frame.
struct Chains {
    frames: Vec<FrameId>,
    ends: Vec<u32>,
    /// No two begin with the same frame.
    is_one_to_one: bool,
    /// Each of `frames` is the row of its number, as long as no frame stands in several places.
    is_plain: bool,
}

impl Chains {
    /// Where the chain of an old frame stands in `frames`.
    fn span(&self, frame: FrameId) -> (usize, usize) {
        let start = frame.row().checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        (start, self.ends.get(frame.row()).map_or(start, |end| *end as usize))
    }

    fn frame(&self, at: usize) -> Option<FrameId> {
        if self.is_plain { FrameId::from_row(at) } else { self.frames.get(at).copied() }
    }
}

impl Frames {
    fn new(profile: &Profile) -> Self {
        let is_bare = |frame: &Frame| is_unnamed(frame) && frame.line == 0 && frame.column == 0 && !frame.inlined;
        let shared = profile.frames.iter().filter(|frame| frame.address.is_some() && !is_bare(frame)).map(|frame| spot(&frame)).collect();
        let len = profile.frames.len();
        let chains = Chains { frames: Vec::with_capacity(len), ends: Vec::with_capacity(len), is_one_to_one: true, is_plain: true };
        let mut rows = Spread::new();
        rows.reserve(len + len / 4);
        Self { rows, chains, shared, known: FxHashMap::default(), is_shared: false }
    }

    /// Begins the chain of an old frame.
    fn begin(&mut self, frame: &Frame) {
        self.is_shared = !self.shared.is_empty() && self.shared.contains(&spot(frame));
    }

    /// Adds a level inside of those that the chain has.
    fn level(&mut self, row: Frame) {
        let start = self.chains.ends.last().map_or(0, |end| *end as usize);
        let chain = self.chains.frames.get(start..).unwrap_or(&[]);
        let known = if self.is_shared {
            self.known.get(&row).copied()
        } else {
            // Alone at its spot: only a function that was inlined into itself gives a frame twice.
            chain.iter().copied().find(|&id| self.rows.get(id) == Some(row))
        };
        self.chains.is_one_to_one &= known.is_none() || !chain.is_empty();
        let id = known.or_else(|| self.rows.push(row));
        if let (true, None, Some(id)) = (self.is_shared, known, id) {
            self.known.insert(row, id);
        }
        self.chains.is_plain &= id.is_some_and(|id| id.row() == self.chains.frames.len());
        self.chains.frames.extend(id);
    }

    fn end(&mut self) {
        // More levels than that would have to be more bytes than any cap allows.
        self.chains.ends.push(u32::try_from(self.chains.frames.len()).unwrap_or(u32::MAX));
    }
}

/// The stacks where no two chains begin with the same frame: children of one row stay different, so each row becomes as many rows as
/// its chain has, in the same order. `None` where chains are not like that, or rows too many.
fn lengthened(profile: &Profile, chains: &Chains, ticket: &Ticket) -> Result<Option<Stacks>, Cancelled> {
    let (parents, frames) = (profile.stacks.parents(), profile.stacks.frames());
    if !chains.is_one_to_one {
        return Ok(None);
    }
    let mut moved: Vec<Option<StackId>> = Vec::with_capacity(parents.len());
    // As much longer as the chains are than the frames, on average, and a little more.
    let longer = chains.frames.len() as f64 / chains.ends.len().max(1) as f64;
    let expected = (parents.len() as f64 * longer * 1.05) as usize;
    let mut new_parents: Vec<Option<StackId>> = Vec::with_capacity(expected);
    let mut new_frames: Column<StackId, FrameId> = Column::new();
    new_frames.reserve(expected);
    let mut spans = [(0, 0); TOGETHER];
    for (n, (parents, frames)) in parents.chunks(TOGETHER).zip(frames.chunks(TOGETHER)).enumerate() {
        if n % (PART / TOGETHER) == 0 {
            ticket.check()?;
        }
        // First all that has to come from memory: it is waited for once.
        for (span, frame) in spans.iter_mut().zip(frames) {
            *span = chains.span(*frame);
        }
        for (parent, (start, end)) in parents.iter().zip(spans) {
            let mut row = parent.and_then(|parent| moved.get(parent.row()).copied().flatten());
            for at in start..end {
                let Some(frame) = chains.frame(at) else { return Ok(None) };
                new_parents.push(row);
                row = new_frames.push(frame);
                if row.is_none() {
                    return Ok(None);
                }
            }
            moved.push(row);
        }
    }
    Ok(Some((StackTable::from_columns((Column::from_vec(new_parents), new_frames)), moved)))
}

/// New stacks, and the new row of each old one.
type Stacks = (StackTable, Vec<Option<StackId>>);

/// The stacks put together anew, where some fall together.
fn joined(profile: &Profile, chains: &Chains, ticket: &Ticket) -> Result<Stacks, Cancelled> {
    let mut stacks = Forest::<StackId, FrameId>::new();
    let frames = profile.stacks.frames();
    let levels = |row: usize| {
        let (start, end) = frames.get(row).map_or((0, 0), |frame| chains.span(*frame));
        chains.frames.get(start..end).unwrap_or(&[]).iter().copied()
    };
    let moved = stacks.join(profile.stacks.parents(), levels, |_| ticket.check())?;
    Ok((StackTable::from_columns(stacks.into_columns()), moved))
}

/// Functions and their texts in the new profile.
struct Names<'a> {
    strings: Strings,
    functions: Interner<FunctionId, Function, Spread<FunctionId, Function>>,
    answers: Vec<Spelled<'a>>,
}

/// The functions of one answer, each once.
struct Spelled<'a> {
    answer: &'a Answer,
    /// The name as people read it, by row of the answer's strings; `None` = the text itself.
    readable: Vec<Option<String>>,
    /// Name in the profile, and the one in the binary where it differs, by row of the answer's strings.
    names: Vec<Option<(StringId, Option<StringId>)>>,
    /// A level of each function, and the function in the profile once it was wanted.
    functions: Vec<(&'a Level, Option<FunctionId>)>,
    /// Row of `functions` for each level.
    of_level: Vec<u32>,
}

impl<'a> Spelled<'a> {
    fn new(answer: &'a Answer, ticket: &Ticket) -> Result<Self, Cancelled> {
        let mut rows = FxHashMap::<(StringId, Option<StringId>, u32), u32>::default();
        let mut functions: Vec<(&Level, Option<FunctionId>)> = Vec::new();
        let mut of_level: Vec<u32> = Vec::with_capacity(answer.all_levels().len());
        let mut readable_names = vec![None; answer.strings().len()];
        for (n, level) in answer.all_levels().iter().enumerate() {
            if n % PART == 0 {
                ticket.check()?;
            }
            let row = *rows.entry((level.name, level.file, level.start_line)).or_insert_with(|| {
                functions.push((level, None));
                functions.len() as u32 - 1
            });
            of_level.push(row);
        }
        // Function by function and not name by name: strings hold files, too.
        let mut is_known = vec![false; answer.strings().len()];
        for (n, (level, _)) in functions.iter().enumerate() {
            if n % 256 == 0 {
                ticket.check()?;
            }
            let (Some(is_known), Some(place)) = (is_known.get_mut(level.name.row()), readable_names.get_mut(level.name.row())) else {
                continue;
            };
            if !std::mem::replace(is_known, true) {
                *place = readable_name(answer.strings().get(level.name));
            }
        }
        Ok(Self { answer, readable: readable_names, names: vec![None; answer.strings().len()], functions, of_level })
    }
}

/// The readable form of a name that is not readable as it is; a stub's is that of what it calls.
fn readable_name(name: &str) -> Option<String> {
    match name.strip_suffix(STUB) {
        Some(called) => readable(called).map(|called| called + STUB),
        None => readable(name),
    }
}

impl<'a> Names<'a> {
    /// Names are read and made readable once for each answer.
    fn new(profile: &Profile, answers: &'a [Answer], ticket: &Ticket) -> Result<Self, Cancelled> {
        let answers: Result<Vec<Spelled<'a>>, Cancelled> = answers.par_iter().map(|answer| Spelled::new(answer, ticket)).collect();
        let mut functions = Interner::<FunctionId, Function, Spread<FunctionId, Function>>::new();
        for function in profile.functions.iter() {
            functions.intern(function);
        }
        Ok(Self { strings: profile.strings.clone(), functions, answers: answers? })
    }

    /// Loads what the function of a level is found by, and gives any number.
    fn touch(&self, answer: usize, level: usize) -> u64 {
        self.answers.get(answer).and_then(|spelled| spelled.of_level.get(level)).map_or(0, |row| u64::from(*row))
    }

    /// The function of a level of an answer.
    fn function(&mut self, answer: usize, level: usize) -> Option<FunctionId> {
        let spelled = self.answers.get_mut(answer)?;
        let (level, known) = spelled.functions.get_mut(*spelled.of_level.get(level)? as usize)?;
        if known.is_some() {
            return *known;
        }
        let strings = &mut self.strings;
        let text = |id| spelled.answer.strings().get(id);
        let name = level.name.row();
        let (name, system_name) = *spelled.names.get_mut(name)?.get_or_insert_with(|| match spelled.readable.get(name) {
            Some(Some(readable)) => (strings.intern(readable), Some(strings.intern(text(level.name)))),
            _ => (strings.intern(text(level.name)), None),
        });
        let file = level.file.map(|file| strings.intern(text(file)));
        *known = self.functions.intern(Function { name, system_name, file, start_line: level.start_line });
        *known
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Source;
    use super::*;
    use crate::model::{Builder, Sample, check};

    /// Stacks over frames of which some have a function or a line already, and of which some get several levels.
    fn made(with_named: bool) -> (Profile, Answer, Vec<At>) {
        let mut builder = Builder::new([("samples", "count")]);
        let function = Some(builder.function_named("named"));
        let mut seed = 7_u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        for _ in 0..500 {
            let mut stack = None;
            for _ in 0..below(12) {
                let mut frame = Frame { address: Some(below(40)), caller: below(2) == 0, ..Frame::default() };
                if with_named {
                    match below(6) {
                        0 => frame.line = 3,
                        1 => frame.function = function,
                        2 => frame.address = None,
                        _ => {}
                    }
                }
                let frame = builder.frame(frame);
                stack = Some(builder.stack(stack, frame));
            }
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[1]);
        }
        let mut answer = Answer::default();
        for address in 0..40_u64 {
            // Every third is a function that was inlined into itself at one line, every seventh is not known.
            let levels = if address % 7 == 0 { 0 } else { 1 + address % 3 };
            for level in 0..levels {
                let source = Source { file: Some("a.c"), line: (address % 3 + level % 2) as u32, ..Source::default() };
                answer.push(if address % 3 == 2 { "again" } else { "main" }, source);
            }
            answer.close();
        }
        let profile = builder.finish();
        let place = |frame: Frame| frame.address.filter(|_| is_unnamed(&frame)).map(|address| (0, address as u32));
        let places = profile.frames.iter().map(place).collect();
        (profile, answer, places)
    }

    /// What a sample's stack has to be, leaf first: names and lines of every level.
    fn expected(profile: &Profile, answer: &Answer, places: &[At], stack: Option<StackId>) -> Vec<(String, u32)> {
        let mut levels = Vec::new();
        for id in profile.stack_frames(stack) {
            let found = places[id.row()].map_or(&[][..], |(_, row)| answer.levels(row as usize));
            levels.extend(found.iter().map(|level| (answer.strings().get(level.name).to_owned(), level.line)));
            if found.is_empty() {
                levels.push((profile.frame_name(id), profile.frames.at(id).line));
            }
        }
        levels
    }

    #[test]
    fn every_level_of_every_sample_is_where_it_belongs() {
        for with_named in [false, true] {
            let (profile, answer, places) = made(with_named);
            let named = with_levels(&profile, std::slice::from_ref(&answer), &places, &Ticket::new()).unwrap();
            assert_eq!(check(&named), []);
            for (old, new) in profile.samples.stacks().iter().zip(named.samples.stacks()) {
                let got: Vec<_> = named.stack_frames(*new).map(|id| (named.frame_name(id), named.frames.at(id).line)).collect();
                assert_eq!(got, expected(&profile, &answer, &places, *old));
            }
        }
    }

    #[test]
    fn stacks_that_only_move_are_those_that_are_put_together_anew() {
        let (profile, answer, places) = made(false);
        let mut frames = Frames::new(&profile);
        for (frame, at) in profile.frames.iter().zip(&places) {
            frames.begin(&frame);
            let levels = at.map_or(&[][..], |(_, row)| answer.levels(row as usize));
            for level in levels.iter().rev() {
                frames.level(Frame { line: level.line, ..frame });
            }
            if levels.is_empty() {
                frames.level(frame);
            }
            frames.end();
        }
        let ticket = Ticket::new();
        let (moved, anew) = (lengthened(&profile, &frames.chains, &ticket).unwrap(), joined(&profile, &frames.chains, &ticket).unwrap());
        assert_eq!(moved, Some(anew));
        // Frames of one address, of which one has a line already, fall together: such stacks cannot only move.
        let (profile, answer, places) = made(true);
        let named = with_levels(&profile, std::slice::from_ref(&answer), &places, &Ticket::new()).unwrap();
        let rows: FxHashSet<_> = named.stacks.parents().iter().zip(named.stacks.frames()).collect();
        assert_eq!(rows.len(), named.stacks.len(), "no stack stands twice");
    }
}
