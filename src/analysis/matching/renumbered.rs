//! Places with numbers in their names, assigned to each other: which are one function, and which places are two.
//!
//! Deliberately absent: how names are cut into pieces (see `numbered`) and how the pieces are assigned (see `assign`). Start reading at
//! [`renumbered`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::assign::{Entity, assign};
use super::evidence::Evidence;
use super::numbered::{Kind, Numbered};
use super::{Group, Rule, SideInput, keys};
use crate::analysis::place::{FramePlaces, Granularity, PlaceId, Places};
use crate::base::ticket::Checked as _;
use crate::model::Profile;

/// What was decided about places with numbers; all but `split` in rows as they are after the split.
#[derive(Default)]
pub(super) struct Renumbered {
    /// Rows whose name is one function before and another after.
    pub(super) split: Vec<usize>,
    /// Those that are one function under several names.
    pub(super) groups: Vec<Group>,
    /// Rows of before that are no function of after, though their name is there.
    pub(super) alone: Vec<usize>,
}

/// What is taken away before names are cut into pieces.
const NARROWED: [Rule; 5] = [Rule::Spelling, Rule::Tier, Rule::Clone, Rule::TypeArguments, Rule::Version];

fn narrowed(name: &str) -> String {
    NARROWED.iter().fold(name.to_owned(), |name, rule| rule.apply(&name, Granularity::Function).into_owned())
}

/// Assigns the places of both sides whose names have numbers.
pub(super) fn renumbered(
    places: &Places,
    on: &[Vec<bool>; 2],
    frames: &[FramePlaces],
    profiles: &[&Profile],
    sides: [&SideInput; 2],
    is_free: impl Fn(PlaceId) -> bool,
) -> Renumbered {
    let entities = entities(places, on, is_free);
    let is_on = |row: usize, side: usize| on[side].get(row).copied().unwrap_or(false);
    let neighbours = Neighbours::new(&entities);
    let rows: FxHashSet<usize> = entities.iter().flat_map(|entity| entity.rows.iter().copied()).collect();
    let assigned = assign(&entities, || {
        Evidence::of(frames, profiles, sides, &rows, |row| neighbours.of(places, row, is_on(row, 0) && is_on(row, 1)))
    });
    let mut partner = [vec![None; entities.len()], vec![None; entities.len()]];
    for (old, new) in assigned.pairs {
        partner[0][old] = Some(new);
        partner[1][new] = Some(old);
    }
    // An entity of both sides stays whole where both of its halves are its own, or nobody's.
    let is_whole = |at: usize| {
        let own = [partner[0][at], partner[1][at]];
        entities[at].on == [true; 2] && (own == [Some(at); 2] || own == [None; 2])
    };
    let mut split: Vec<usize> = (0..entities.len())
        .filter(|&at| entities[at].on == [true; 2] && !is_whole(at))
        .flat_map(|at| entities[at].rows.iter().copied().filter(|&row| is_on(row, 0) && is_on(row, 1)))
        .collect();
    split.sort_unstable();
    // The row of a side after the split.
    let moved = |row: usize, side: usize| {
        let behind = split.partition_point(|&other| other < row);
        row + behind + usize::from(side == 1 && split.get(behind) == Some(&row))
    };
    let of_side =
        |at: usize, side: usize| entities[at].rows.iter().copied().filter(move |&row| is_on(row, side)).map(move |row| moved(row, side));
    let mut made = Renumbered::default();
    for (old, entity) in entities.iter().enumerate() {
        if is_whole(old) {
            // Tiers of one function.
            if entity.rows.len() > 1 {
                let mut rows: Vec<usize> = of_side(old, 0).chain(of_side(old, 1)).collect();
                rows.sort_unstable();
                rows.dedup();
                made.groups.push(Group { rule: Rule::Tier, name: entity.name.without(|_| false), rows });
            }
            continue;
        }
        if !entity.on[0] {
            continue;
        }
        let Some(new) = partner[0][old] else {
            if entity.on[1] {
                made.alone
                    .extend(of_side(old, 0).filter(|&row| split.binary_search_by(|&row_split| moved(row_split, 0).cmp(&row)).is_ok()));
            }
            continue;
        };
        let name = |at: usize, side: usize| {
            let row = entities[at].rows.iter().copied().find(|&row| is_on(row, side));
            row.and_then(PlaceId::from_row).map_or("", |id| places.name(id))
        };
        let rule = Rule::between(name(old, 0), name(new, 1)).unwrap_or(Rule::Closure);
        let shown = match entities[new].rows.iter().filter(|&&row| is_on(row, 1)).count() {
            // A hash is no part of what a function is called.
            1 if rule != Rule::Hash => name(new, 1).to_owned(),
            _ => entities[new].name.without(|kind| kind == Kind::Arbitrary),
        };
        let rows = of_side(old, 0).chain(of_side(new, 1)).collect();
        made.groups.push(Group { rule, name: shown, rows });
    }
    named(places, &mut made.groups, &split);
    made.split = split;
    made
}

/// Gives groups names of their own where what their names have in common is that of another place or group too.
fn named(places: &Places, groups: &mut [Group], split: &[usize]) {
    let mut counts: FxHashMap<String, usize> = FxHashMap::default();
    for group in &*groups {
        *counts.entry(group.name.clone()).or_default() += 1;
    }
    // The row before the split: each row in front of it that was split is two.
    let before_split = |row: usize| row - split.iter().enumerate().filter(|(at, other)| **other + at < row).count();
    for group in groups {
        if counts.get(&group.name).is_none_or(|count| *count == 1) && places.find(&group.name).is_none() {
            continue;
        }
        let rows = group.rows.iter().map(|&row| before_split(row));
        let is_split = rows.clone().any(|row| split.binary_search(&row).is_ok());
        let mut names = rows.filter_map(PlaceId::from_row).map(|id| places.name(id));
        // Names of one run say nothing, and with this choice swapped sides have the same.
        let name = if group.rule == Rule::Hash && !is_split { names.min() } else { names.next_back() };
        group.name = name.unwrap_or_default().to_owned();
    }
}

/// What may be assigned: places with numbers in their names, by name.
fn entities(places: &Places, on: &[Vec<bool>; 2], is_free: impl Fn(PlaceId) -> bool) -> Vec<Entity> {
    let is_on = |row: usize| [0, 1].map(|side| on[side].get(row).copied().unwrap_or(false));
    let mut made: Vec<(Entity, bool)> = Vec::new();
    // Tiers of one function, by what is left of its name.
    let mut tiers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for id in places.ids().skip(1).checked().filter(|&id| is_on(id.row()) != [false; 2] && is_free(id)) {
        let name = places.name(id);
        if keys::tier(name).is_some() {
            tiers.entry(narrowed(name)).or_default().push(id.row());
        } else if Numbered::parse(name).is_some()
            && let Some(name) = Numbered::parse(&narrowed(name))
        {
            made.push((Entity { rows: vec![id.row()], on: is_on(id.row()), name }, true));
        }
    }
    for (name, rows) in tiers {
        let both = rows.iter().all(|&row| is_on(row) == [true; 2]);
        // Where both sides ran a function in the same tiers, each is compared with itself.
        let parts: Vec<Vec<usize>> = if both { rows.into_iter().map(|row| vec![row]).collect() } else { vec![rows] };
        for rows in parts {
            let name = if both { rows.first().and_then(|&row| PlaceId::from_row(row)).map_or("", |id| places.name(id)) } else { &name };
            if let Some(name) = Numbered::parse(name) {
                let on = [0, 1].map(|side| rows.iter().any(|&row| is_on(row)[side]));
                made.push((Entity { rows, on, name }, !both));
            }
        }
    }
    // Names that are one only because something was taken away (`F[int].func1`, `F[string].func1`) are several: all of that text keep what they have.
    let mut seen: FxHashSet<(usize, String)> = FxHashSet::default();
    let mut several: FxHashSet<String> = FxHashSet::default();
    for (entity, _) in made.iter().checked() {
        let whole = entity.name.without(|_| false);
        for side in (0..2).filter(|&side| entity.on[side]) {
            if !seen.insert((side, whole.clone())) {
                several.extend(entity.name.pieces.first().map(|piece| piece.text.clone()));
            }
        }
    }
    let written =
        |entity: &Entity| entity.rows.first().and_then(|&row| PlaceId::from_row(row)).and_then(|id| Numbered::parse(places.name(id)));
    made.into_iter()
        .filter_map(|(mut entity, is_narrowed)| {
            if is_narrowed && entity.name.pieces.first().is_some_and(|piece| several.contains(&piece.text)) {
                entity.name = written(&entity)?;
            }
            Some(entity)
        })
        .collect()
}

/// What places are called whichever build they are of.
struct Neighbours {
    /// Of those with numbers, by row.
    numbered: FxHashMap<usize, u64>,
    known: RefCell<FxHashMap<usize, u64>>,
}

impl Neighbours {
    fn new(entities: &[Entity]) -> Self {
        let named = |entity: &Entity| FxBuildHasher.hash_one(entity.name.without(|_| true));
        let numbered = entities.iter().flat_map(|entity| entity.rows.iter().map(move |&row| (row, named(entity)))).collect();
        Self { numbered, known: RefCell::default() }
    }

    /// A number for a place that is the same on both sides; `is_on_both` says that its name is.
    fn of(&self, places: &Places, row: usize, is_on_both: bool) -> u64 {
        if let Some(known) = self.numbered.get(&row) {
            return *known;
        }
        let name = || PlaceId::from_row(row).map_or("", |id| places.name(id));
        let made = || if is_on_both { FxBuildHasher.hash_one(name().to_owned()) } else { FxBuildHasher.hash_one(narrowed(name())) };
        *self.known.borrow_mut().entry(row).or_insert_with(made)
    }
}
