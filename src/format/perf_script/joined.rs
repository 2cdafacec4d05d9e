//! Parts on their way into the profile, many at a time.
//!
//! Rows follow the order in which a single part would have made them, wherever parts begin. The frames of all parts are first told apart by a hash of
//! what they say, side by side ([`Distinct`]), and then compared with the rows that they were given; so are stacks, by a hash of their frames: they
//! cannot be told apart by what they say, before their callers have got their ids. Start reading at [`Joined::take`].

use rayon::prelude::*;

use super::deferred::Deferred;
use super::part::{Done, MAX_EVENTS};
use crate::base::discard::Unfinished;
use crate::base::distinct::{Distinct, Placed};
use crate::base::index::Column;
use crate::base::ticket::{Cancelled, Ticket};
use crate::format::ReadError;
use crate::model::{Builder, Frame, FrameId, FunctionId, MappingId, Names, Profile, StackId, StackTable, kind};

/// The parts so far.
#[derive(Default)]
pub(super) struct Joined {
    pub(super) builder: Builder,
    pub(super) deferred: Deferred,
    /// Parts of which the builder has the names alone.
    parts: Vec<Done>,
    /// Their names' new ids.
    names: Vec<Names>,
    /// Names of theirs that are new and no UTF-8.
    invalid: u64,
    frames: Unfinished<Distinct<FrameId>>,
    stacks: Unfinished<Distinct<StackId>>,
    /// Parent and frame of each stack.
    parents: Unfinished<Vec<Option<StackId>>>,
    items: Unfinished<Vec<FrameId>>,
    /// Two frames had the same hash: they are told apart by the builder from then on, one after the other.
    has_exact_frames: bool,
    /// The same of stacks.
    is_exact: bool,
    /// Bits of hashes that tests take away.
    #[cfg(test)]
    pub(super) ignored: u64,
}

/// All that tells a frame of this format.
fn said(frame: &Frame) -> [u64; 3] {
    let id = |row: Option<usize>| row.map_or(0, |row| row as u64 + 1);
    let marks = u64::from(frame.inlined) | u64::from(frame.caller) << 1;
    let (function, mapping) = (id(frame.function.map(FunctionId::row)), id(frame.mapping.map(MappingId::row)));
    [frame.address.unwrap_or(0), function << 32 | mapping, u64::from(frame.line) << 32 | marks]
}

impl Joined {
    /// Adds the names of a part that follows on those before: one thread has to, while others read. They are half of what a part holds.
    pub(super) fn take(&mut self, mut part: Done) {
        let known = self.builder.strings.len();
        let found = self.builder.absorb_names(&part.builder);
        let mut broken: Vec<_> = part.broken.iter().map(|&name| found.string(name)).filter(|name| name.row() >= known).collect();
        broken.sort_unstable();
        broken.dedup();
        self.invalid += broken.len() as u64;
        self.builder.info.facts.append(&mut part.builder.info.facts);
        part.builder.give_up_names();
        self.names.push(found);
        self.parts.push(part);
    }

    /// Adds all else that the parts say which were taken; `base` is the offset of the text.
    pub(super) fn join(&mut self, base: u64, ticket: &Ticket) -> Result<(), ReadError> {
        let (mut parts, names) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.names));
        let invalid = std::mem::take(&mut self.invalid);
        if invalid > 0 {
            let cause = "names that are not UTF-8 were read with replacement characters";
            self.builder.notes.add(kind::INVALID_UTF8, cause, invalid, None);
        }
        let frames = self.add_frames(&parts, &names, ticket)?;
        for part in &mut parts {
            part.builder.give_up_frames();
        }
        let stacks = self.add_stacks(&parts, &frames, ticket)?;
        for (((part, names), frames), stacks) in parts.into_iter().zip(&names).zip(frames).zip(stacks) {
            ticket.check()?;
            self.deferred.absorb(part.deferred, self.builder.rows.len(), &frames);
            self.builder.absorb_samples(part.builder, names, &stacks);
            if self.builder.sample_types.len() > MAX_EVENTS {
                return Err(super::too_many_events(base));
            }
        }
        Ok(())
    }

    /// The new ids of the frames of each part, by row.
    fn add_frames(&mut self, parts: &[Done], names: &[Names], ticket: &Ticket) -> Result<Vec<Vec<FrameId>>, Cancelled> {
        if self.has_exact_frames {
            return self.add_frames_exactly(parts, names, ticket);
        }
        let dealt = parts.par_iter().zip(names).map(|(part, names)| {
            ticket.check()?;
            let hash = |frame: Frame| self.masked(said(&names.frame(&frame)).into_iter().fold(0, |hash, word| self.frames.mix(hash, word)));
            let hashes: Vec<u64> = part.builder.frame_rows().iter().map(hash).collect();
            Ok(Distinct::<FrameId>::deal(&hashes))
        });
        let dealt: Vec<_> = dealt.collect::<Result<_, Cancelled>>()?;
        let placed = self.frames.add(&dealt, ticket)?;
        drop(dealt);
        let before = self.builder.frame_rows().len();
        for ((part, names), placed) in parts.iter().zip(names).zip(&placed) {
            let rows = part.builder.frame_rows();
            for frame in placed.first.iter().filter_map(|&row| rows.get(FrameId::from_row(row as usize)?)) {
                self.builder.add_frame(names.frame(&frame));
            }
        }
        let known = self.builder.frame_rows();
        let all_same = parts.par_iter().zip(names).zip(&placed).all(|((part, names), placed)| {
            part.builder.frame_rows().iter().zip(&placed.ids).all(|(frame, &id)| known.get(id) == Some(names.frame(&frame)))
        });
        ticket.check()?;
        if all_same {
            return Ok(placed.into_iter().map(|placed| placed.ids).collect());
        }
        self.has_exact_frames = true;
        self.builder.find_frames(before);
        self.add_frames_exactly(parts, names, ticket)
    }

    fn add_frames_exactly(&mut self, parts: &[Done], names: &[Names], ticket: &Ticket) -> Result<Vec<Vec<FrameId>>, Cancelled> {
        let frames = parts.iter().zip(names).map(|(part, names)| {
            ticket.check()?;
            let rows: Vec<Frame> = part.builder.frame_rows().iter().map(|frame| names.frame(&frame)).collect();
            Ok(self.builder.frames(&rows))
        });
        frames.collect()
    }

    /// The new ids of the stacks of each part, by row.
    fn add_stacks(&mut self, parts: &[Done], frames: &[Vec<FrameId>], ticket: &Ticket) -> Result<Vec<Vec<Option<StackId>>>, Cancelled> {
        if self.is_exact {
            return self.add_stacks_exactly(parts, frames, ticket);
        }
        let dealt = parts.par_iter().zip(frames).map(|(part, frames)| {
            ticket.check()?;
            let (parents, items) = part.builder.rows.stacks();
            let mut hashes: Vec<u64> = Vec::with_capacity(items.len());
            for (parent, &frame) in parents.iter().zip(items) {
                let parent = parent.and_then(|parent| hashes.get(parent.row())).copied();
                let frame = frames.get(frame.row()).map_or(0, |frame| frame.row());
                hashes.push(self.hash(parent, frame));
            }
            Ok(Distinct::<StackId>::deal(&hashes))
        });
        let dealt: Vec<_> = dealt.collect::<Result<_, Cancelled>>()?;
        let placed = self.stacks.add(&dealt, ticket)?;
        drop(dealt);
        let before = self.items.len();
        for ((part, frames), placed) in parts.iter().zip(frames).zip(&placed) {
            let rows = Rows::new(part, frames, placed);
            let first = placed.first.iter().filter_map(|&row| rows.row(row as usize));
            for (_, parent, frame) in first {
                self.parents.push(parent);
                self.items.push(frame);
            }
        }
        let is_same = |(id, parent, frame): (StackId, Option<StackId>, FrameId)| {
            self.items.get(id.row()) == Some(&frame) && self.parents.get(id.row()) == Some(&parent)
        };
        let all_same = parts.par_iter().zip(frames).zip(&placed).all(|((part, frames), placed)| {
            let rows = Rows::new(part, frames, placed);
            (0..rows.items.len()).all(|row| rows.row(row).is_some_and(is_same))
        });
        ticket.check()?;
        if all_same {
            return Ok(placed.into_par_iter().map(|placed| placed.ids.into_iter().map(Some).collect()).collect());
        }
        self.parents.truncate(before);
        self.items.truncate(before);
        self.make_exact();
        self.add_stacks_exactly(parts, frames, ticket)
    }

    /// The hash of a stack, from that of its callers. Nobody can choose two of one hash without the key, which is drawn at random.
    fn hash(&self, parent: Option<u64>, frame: usize) -> u64 {
        self.masked(self.stacks.mix(parent.unwrap_or(1), frame as u64))
    }

    /// The hash, but for what tests ignore of it.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "tests need it"))]
    const fn masked(&self, hash: u64) -> u64 {
        #[cfg(test)]
        let hash = hash & !self.ignored;
        hash
    }

    fn make_exact(&mut self) {
        self.is_exact = true;
        for (parent, frame) in std::mem::take(&mut *self.parents).into_iter().zip(std::mem::take(&mut *self.items)) {
            // All of them differ, so they get the ids that they have.
            self.builder.stack(parent, frame);
        }
    }

    fn add_stacks_exactly(
        &mut self,
        parts: &[Done],
        frames: &[Vec<FrameId>],
        ticket: &Ticket,
    ) -> Result<Vec<Vec<Option<StackId>>>, Cancelled> {
        let stacks = parts.iter().zip(frames).map(|(part, frames)| {
            ticket.check()?;
            let (parents, items) = part.builder.rows.stacks();
            Ok(self.builder.rows.join_stacks(parents, |row| frames.get(items.get(row)?.row()).copied()))
        });
        stacks.collect()
    }

    /// The profile of all parts.
    pub(super) fn finish(mut self, ticket: &Ticket) -> Result<Profile, Cancelled> {
        if !self.deferred.is_empty() && !self.is_exact {
            self.make_exact();
        }
        self.deferred.join(&mut self.builder, ticket)?;
        if self.is_exact {
            return Ok(self.builder.finish());
        }
        let columns = (Column::from_vec(self.parents.keep()), Column::from_vec(self.items.keep()));
        Ok(self.builder.finish_with(StackTable::from_columns(columns)))
    }
}

/// The stacks of a part with new ids.
struct Rows<'a> {
    parents: &'a [Option<StackId>],
    items: &'a [FrameId],
    frames: &'a [FrameId],
    ids: &'a [StackId],
}

impl<'a> Rows<'a> {
    fn new(part: &'a Done, frames: &'a [FrameId], placed: &'a Placed<StackId>) -> Self {
        let (parents, items) = part.builder.rows.stacks();
        Self { parents, items, frames, ids: &placed.ids }
    }

    /// The stack of a row, its parent, and its frame.
    fn row(&self, row: usize) -> Option<(StackId, Option<StackId>, FrameId)> {
        let parent = self.parents.get(row)?.and_then(|parent| self.ids.get(parent.row()).copied());
        Some((*self.ids.get(row)?, parent, *self.frames.get(self.items.get(row)?.row())?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::part::{Shape, read_part};
    use super::*;

    #[test]
    fn frames_and_stacks_of_one_hash_are_told_apart() {
        let sample =
            |n: usize| format!("a  {n}  1.{n:06}: 2 cycles: \n\t {:x} f (/x)\n\t {:x} g (/x)\n\t 1 main (/x)\n\n", n % 7 + 9, n % 5 + 3);
        let texts: Vec<String> = (0..6).map(|part| (part * 20..part * 20 + 30).map(sample).collect()).collect();
        let ticket = Ticket::new();
        // How many hashes are the same: none, some, all; from the first parts on, and from later ones on.
        for (ignored, from) in [(0, 0), (u64::MAX << 3, 0), (u64::MAX, 0), (u64::MAX, 2), (u64::MAX << 2, 4)] {
            let mut joined = Joined::default();
            let mut whole = Builder::default();
            for (round, texts) in texts.chunks(2).enumerate() {
                let parts = || texts.iter().map(|text| read_part(text.as_bytes(), 0, Shape::Full, None, &ticket).unwrap());
                joined.ignored = if round * 2 >= from { ignored } else { 0 };
                parts().for_each(|part| joined.take(part));
                joined.join(0, &ticket).unwrap();
                parts().for_each(|part| drop(whole.absorb(part.builder)));
            }
            assert_eq!((joined.has_exact_frames, joined.is_exact), (ignored != 0, ignored != 0));
            assert_eq!(joined.finish(&ticket).unwrap(), whole.finish());
        }
    }
}
