//! How the boxes of a flame graph look: by the code that they stand for, or by how they changed.
//!
//! Start reading at [`Palette::place_fills`] and [`BoxLook::of_change`].

use serde::{Deserialize, Serialize};

use super::{Palette, Rgb};
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::{self, NodeDiff};
use crate::analysis::names::{self, CodeKind};
use crate::analysis::{NodeId, Places};
use crate::model::base_name;

/// Certainty below which a change is marked as one that may be none: one in twenty by chance.
const CERTAIN: f32 = 0.5;

/// What gives a flame box its hue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorBy {
    /// Package, namespace or crate.
    #[default]
    Package,
    /// Binary or library.
    Module,
    /// Signed change (comparisons).
    Delta,
}

impl ColorBy {
    /// The choice, or what fits: change where there are two sides, package where there is one.
    pub fn fitting(choice: Option<Self>, comparison: &Comparison) -> Self {
        match (choice, comparison.pair()) {
            (Some(Self::Delta) | None, None) => Self::Package,
            (Some(by), _) => by,
            (None, Some(_)) => Self::Delta,
        }
    }
}

/// Bits that say more about a box than its fill.
pub mod mark {
    /// Outline only: the box is not in what is shown, only in what it is compared with.
    pub const GHOST: u8 = 1;
    /// Hatched: what the fill says is not certain.
    pub const UNCERTAIN: u8 = 2;
    /// A corner: the box is only in what is shown.
    pub const NEW: u8 = 4;
    /// A strip in both colours of change along the bottom: what stands on the box rises and falls.
    pub const CHURN: u8 = 8;
    /// An edge: the fill is hardly another colour than the ground.
    pub const EDGE: u8 = 16;
}

/// How one box looks beside its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxLook {
    /// Its colour.
    pub fill: Rgb,
    /// Bits of [`mark`].
    pub marks: u8,
}

impl BoxLook {
    /// A box of one colour.
    pub const fn plain(fill: Rgb) -> Self {
        Self { fill, marks: 0 }
    }

    /// A box of a comparison before its change is known: no colour is better than a wrong one.
    pub fn unknown_change(palette: &Palette) -> Self {
        Self { fill: palette.unchanged, marks: edge(palette, palette.unchanged) }
    }

    /// A box by how its node changed.
    pub fn of_change(palette: &Palette, nodes: &NodeDiff, node: NodeId) -> Self {
        let at = node.row();
        let (effect, certainty, marks) = (nodes.effect[at], nodes.certainty[at], nodes.marks[at]);
        let mut bits = 0;
        if marks & diff::mark::GONE != 0 {
            bits |= mark::GHOST;
        }
        if marks & diff::mark::NEW != 0 {
            bits |= mark::NEW;
        }
        if marks & diff::mark::CHURN != 0 {
            bits |= mark::CHURN;
        }
        // Only what looks like a change needs the warning that it may be none.
        if certainty < CERTAIN && effect.abs() > 0.1 {
            bits |= mark::UNCERTAIN;
        }
        // An outline has to be seen: the fill of no change is too close to the background for a line.
        let is_faint = bits & mark::GHOST != 0 && certainty < CERTAIN;
        let fill = if is_faint { palette.muted } else { palette.change(effect, certainty) };
        Self { fill, marks: bits | edge(palette, fill) }
    }

    /// True where it has all of some marks.
    pub const fn has(self, marks: u8) -> bool {
        self.marks & marks == marks
    }
}

fn edge(palette: &Palette, fill: Rgb) -> u8 {
    if palette.needs_edge(fill) { mark::EDGE } else { 0 }
}

impl Palette {
    /// The fills of boxes by their place, one entry per place row; of the root as for everything.
    pub fn place_fills(&self, comparison: &Comparison, by: ColorBy) -> Vec<Rgb> {
        let places = comparison.places();
        let kinds = names::code_kinds(places, comparison.tree());
        let fill = |(id, place): (crate::analysis::PlaceId, &crate::analysis::Place)| {
            let name = match by {
                ColorBy::Module => base_name(&place.module),
                // Folded stacks may name neither: then functions can be told apart, at least.
                _ if place.package.is_empty() && place.module.is_empty() => &place.name,
                _ if place.package.is_empty() => base_name(&place.module),
                _ => &place.package,
            };
            let kind = match kinds.get(id.row()).copied().unwrap_or_default() {
                // Whose code it is nobody knows, but packages are told apart.
                CodeKind::Unknown if by == ColorBy::Package && !place.package.is_empty() => CodeKind::Library,
                kind => kind,
            };
            if id == Places::root() { self.raised } else { self.package(name, kind) }
        };
        places.iter_ids().map(fill).collect()
    }
}
