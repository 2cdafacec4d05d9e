//! Locations for the writer: frames of inlined functions go back into one location with the function that holds them.
//!
//! Locations are put in an order that makes a reader number the frames as they are numbered now. Start reading at [`Places::new`].

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::base::index::{Column, Index};
use crate::base::intern::Interner;
use crate::model::{Frame, FrameId, MappingId, Profile, StackId};

/// A frame together with the frames it is inlined into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct ChainId(NonZeroU32);

impl Index for ChainId {
    fn from_row(row: usize) -> Option<Self> {
        u32::try_from(row).ok()?.checked_add(1).and_then(NonZeroU32::new).map(Self)
    }

    fn row(self) -> usize {
        (self.0.get() - 1) as usize
    }
}

/// The chain of the frame that this frame is inlined into, if it is; and the frame.
type Link = (Option<ChainId>, FrameId);

/// All locations.
pub(super) struct Places<'p> {
    profile: &'p Profile,
    chains: Column<ChainId, Link>,
    order: Vec<ChainId>,
    /// Chain of each stack row.
    chain_of: Vec<ChainId>,
    /// Stack row that called the whole location, by stack row.
    callers: Vec<Option<StackId>>,
    /// Number of each chain's location.
    numbers: Vec<u32>,
}

/// One location.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    profile: &'p Profile,
    chains: &'p Column<ChainId, Link>,
    chain: ChainId,
}

impl<'p> Places<'p> {
    /// The locations that the stacks of `profile` use, and those of frames that no stack uses.
    pub(super) fn new(profile: &'p Profile) -> Self {
        let mut chains = Interner::<ChainId, Link>::new();
        let mut chain_of: Vec<ChainId> = Vec::with_capacity(profile.stacks.len());
        let mut callers: Vec<Option<StackId>> = Vec::with_capacity(profile.stacks.len());
        let mut used = Vec::new();
        let use_chain = |used: &mut Vec<bool>, chain: ChainId| {
            used.resize(used.len().max(chain.row() + 1), false);
            used.get_mut(chain.row()).into_iter().for_each(|used| *used = true);
        };
        for row in profile.stacks.ids() {
            let (frame, parent) = (profile.stacks.frame(row), profile.stacks.parent(row));
            let holder = parent.filter(|&parent| is_inlined(profile, frame, profile.stacks.frame(parent)));
            let outer = holder.and_then(|holder| chain_of.get(holder.row()).copied());
            let chain = chains.intern((outer, frame)).unwrap_or_else(|| unreachable!("no more chains than stacks"));
            chain_of.push(chain);
            callers.push(holder.map_or(parent, |holder| callers.get(holder.row()).copied().flatten()));
            // A location ends where the next frame is not inlined into it.
            if let (None, Some(parent)) = (holder, parent) {
                chain_of.get(parent.row()).into_iter().for_each(|&chain| use_chain(&mut used, chain));
            }
        }
        for leaf in profile.samples.stacks().iter().flatten() {
            chain_of.get(leaf.row()).into_iter().for_each(|&chain| use_chain(&mut used, chain));
        }
        let unused = frames_without_stack(profile, chains.rows());
        for chain in add_unused(profile, &unused, &mut chains) {
            use_chain(&mut used, chain);
        }
        let mut places = Self { profile, chains: chains.into_rows(), order: Vec::new(), chain_of, callers, numbers: vec![0; used.len()] };
        places.order = places.sorted(&used);
        for (number, chain) in places.order.iter().enumerate() {
            places.numbers.get_mut(chain.row()).into_iter().for_each(|place| *place = number as u32);
        }
        places
    }

    /// All locations, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = Place<'_>> {
        self.order.iter().map(|&chain| self.place(chain))
    }

    /// Number of the location whose innermost frame stands at `row`, and the row of its callers.
    pub(super) fn of(&self, row: StackId) -> (usize, Option<StackId>) {
        let number = self.chain_of.get(row.row()).and_then(|chain| self.numbers.get(chain.row())).copied().unwrap_or(0);
        (number as usize, self.callers.get(row.row()).copied().flatten())
    }

    /// Whether a line has no function, so that one without a name is needed.
    pub(super) fn needs_nameless(&self) -> bool {
        self.iter().any(|place| place.has_lines() && place.frames().any(|frame| frame.function.is_none()))
    }

    fn place(&self, chain: ChainId) -> Place<'_> {
        Place { profile: self.profile, chains: &self.chains, chain }
    }

    /// The used chains in such an order that their frames, read in turn, come in the order of their rows.
    ///
    /// Each location brings new frames, one row after the other, or none: so the largest row decides, and among locations with the same
    /// largest row the one that brings most new frames in order comes first.
    fn sorted(&self, used: &[bool]) -> Vec<ChainId> {
        let mut by_largest = BTreeMap::<usize, Vec<ChainId>>::new();
        for (chain, _) in self.chains.ids().zip(used).filter(|(_, used)| **used) {
            let largest = self.place(chain).ids().map(FrameId::row).max().unwrap_or(0);
            by_largest.entry(largest).or_default().push(chain);
        }
        let mut order = Vec::with_capacity(used.len());
        let mut next = 0;
        for (largest, mut chains) in by_largest {
            let first =
                chains.iter().position(|&chain| self.place(chain).ids().map(FrameId::row).filter(|&row| row >= next).eq(next..=largest));
            if let Some(first) = first {
                order.push(chains.remove(first));
            }
            order.append(&mut chains);
            next = largest + 1;
        }
        order
    }
}

impl Place<'_> {
    /// Frames, innermost first.
    pub(super) fn frames(self) -> impl Iterator<Item = Frame> {
        self.ids().filter_map(move |id| self.profile.frames.get(id))
    }

    /// The mapping of all its frames.
    pub(super) fn mapping(self) -> Option<MappingId> {
        self.frames().next().and_then(|frame| frame.mapping)
    }

    /// The address inside the instruction; 0 where unknown.
    pub(super) fn address(self) -> u64 {
        self.recorded().map_or(0, |(address, caller)| address.saturating_sub(u64::from(caller)))
    }

    /// Whether the address was a return address, one behind that inside the call.
    pub(super) fn is_caller(self) -> bool {
        self.recorded().is_some_and(|(address, caller)| caller && address > 1)
    }

    /// The address as the capture holds it, and whether it is a return address.
    fn recorded(self) -> Option<(u64, bool)> {
        self.frames().find_map(|frame| frame.address.map(|address| (address, frame.caller)))
    }

    /// False for a bare address.
    pub(super) fn has_lines(self) -> bool {
        let bare = |frame: Frame| frame.function.is_none() && frame.line == 0 && frame.column == 0;
        !(self.frames().count() == 1 && self.frames().all(bare))
    }

    fn ids(self) -> impl Iterator<Item = FrameId> {
        std::iter::successors(self.chains.get(self.chain), move |link| link.0.and_then(|outer| self.chains.get(outer))).map(|link| link.1)
    }
}

/// Whether `inner`, called from `outer`, is a part of the same instruction.
fn is_inlined(profile: &Profile, inner: FrameId, outer: FrameId) -> bool {
    let (Some(inner), Some(outer)) = (profile.frames.get(inner), profile.frames.get(outer)) else { return false };
    let address = inner.address.zip(outer.address).is_none_or(|(inner, outer)| inner == outer);
    inner.inlined && address && inner.mapping == outer.mapping
}

fn frames_without_stack(profile: &Profile, chains: &Column<ChainId, Link>) -> Vec<FrameId> {
    let mut seen = vec![false; profile.frames.len()];
    for (_, frame) in chains {
        seen.get_mut(frame.row()).into_iter().for_each(|seen| *seen = true);
    }
    profile.frames.ids().zip(seen).filter(|(_, seen)| !seen).map(|(id, _)| id).collect()
}

/// Locations that no sample names: the frames of one stand in neighbouring rows, innermost first.
fn add_unused(profile: &Profile, frames: &[FrameId], chains: &mut Interner<ChainId, Link>) -> Vec<ChainId> {
    let mut ends = Vec::new();
    let mut outer = None::<(ChainId, FrameId)>;
    for &frame in frames.iter().rev() {
        let holder = outer.filter(|&(_, holder)| frame.row() + 1 == holder.row() && is_inlined(profile, frame, holder));
        if let (None, Some((end, _))) = (holder, outer) {
            ends.push(end);
        }
        outer = chains.intern((holder.map(|(chain, _)| chain), frame)).map(|chain| (chain, frame));
    }
    ends.extend(outer.map(|(end, _)| end));
    ends
}
