//! How much of two sides was matched, and how: counts of functions and their part of the cost.

use std::collections::BTreeMap;

use super::Rule;
use crate::analysis::comparison::{Comparison, Side, percent};
use crate::analysis::place::PlaceId;
use crate::model::counted;

/// How a function of one side was found on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// By an equal name.
    Exact,
    /// By a rule, or because the user said so.
    Rule(Rule),
    /// Proposed: another name with the same callers, callees and cost.
    Proposed,
    /// Not at all: it has a value only before.
    OnlyBefore,
    /// Not at all: it has a value only after.
    OnlyAfter,
}

impl Class {
    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Rule(rule) => rule.name(),
            Self::Proposed => "proposed",
            Self::OnlyBefore => "only-before",
            Self::OnlyAfter => "only-after",
        }
    }

    /// Words for a person.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Exact => "the same name",
            Self::Rule(rule) => rule.label(),
            Self::Proposed => "proposed: same callers, callees and cost",
            Self::OnlyBefore => "only before",
            Self::OnlyAfter => "only after",
        }
    }

    /// True where two names became one place.
    pub const fn is_joined(self) -> bool {
        matches!(self, Self::Rule(_))
    }
}

/// One function whose name is not simply the same on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchRow {
    /// How it was found on the other side.
    pub class: Class,
    /// Its place; of a proposal the place before.
    pub place: PlaceId,
    /// Its names before; empty where it is only after.
    pub before: Vec<String>,
    /// Its names after; empty where it is only before.
    pub after: Vec<String>,
    /// Its cost with callees as a part of the total of before and of after.
    pub share: [f64; 2],
    /// True where the user keeps it apart.
    pub is_apart: bool,
}

/// All functions of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassSum {
    /// The class.
    pub class: Class,
    /// Functions with a value; a function matched by a rule counts once.
    pub functions: usize,
    /// Their own cost as a part of the total of before and of after.
    pub share: [f64; 2],
}

/// What was matched, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Classes with a function, in the order of [`Class`].
    pub classes: Vec<ClassSum>,
    /// Everything but equal names: matches by rule and proposals, then what is on one side only; within these by cost.
    pub rows: Vec<MatchRow>,
    /// Functions on one side only that `rows` leaves out.
    pub left_out: usize,
}

/// Most rows of functions on one side only that are listed.
const MOST_ONE_SIDED: usize = 500;

impl Tally {
    /// The sum of a class.
    pub fn of(&self, class: Class) -> Option<&ClassSum> {
        self.classes.iter().find(|sum| sum.class == class)
    }

    /// One line: how many functions were matched exactly, by rule, by proposal and not at all, with their cost.
    pub fn sentence(&self) -> String {
        let total = |pick: &dyn Fn(Class) -> bool| {
            let picked = self.classes.iter().filter(|sum| pick(sum.class));
            picked.fold((0, [0.0, 0.0]), |(count, share), sum| (count + sum.functions, [share[0] + sum.share[0], share[1] + sum.share[1]]))
        };
        let part = |one: &str, many: &str, pick: &dyn Fn(Class) -> bool| match total(pick) {
            (0, _) => None,
            (count, share) => {
                // What is on one side only has no part of the other.
                let sides = [("before", Class::OnlyAfter), ("after", Class::OnlyBefore)].into_iter().zip(share);
                let of = sides
                    .filter(|((_, without), _)| !pick(*without))
                    .map(|((side, _), share)| format!("{} of self {side}", percent(share)));
                Some(format!("{} ({})", counted(count as u64, one, many), of.collect::<Vec<_>>().join(", ")))
            }
        };
        let parts = [
            part("has the same name", "have the same name", &|class| class == Class::Exact),
            part("was matched by rule", "were matched by rule", &|class| matches!(class, Class::Rule(rule) if rule != Rule::Accepted)),
            part("was matched by you", "were matched by you", &|class| class == Class::Rule(Rule::Accepted)),
            part("is proposed to be renamed", "are proposed to be renamed", &|class| class == Class::Proposed),
            part("is only before", "are only before", &|class| class == Class::OnlyBefore),
            part("is only after", "are only after", &|class| class == Class::OnlyAfter),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Counts what was matched; `values` are each place's own cost and its cost with callees, before and after as captured, and `proposed` the pairs
/// of places that context proposes.
pub fn tally(comparison: &Comparison, values: [&[Vec<f64>; 2]; 2], proposed: &[(PlaceId, PlaceId)]) -> Tally {
    let Some((before, after)) = comparison.pair() else { return Tally::default() };
    let (places, matching) = (comparison.places(), &comparison.shape.matching);
    let whole = [before, after].map(Side::denominator);
    // Own cost and cost with callees of a place on a side.
    let value = |place: PlaceId, side: usize| values.map(|measure| measure[side].get(place.row()).copied().unwrap_or(0.0));
    let name = |place: PlaceId| vec![places.name(place).to_owned()];
    let mut classes: BTreeMap<Class, ClassSum> = BTreeMap::new();
    let mut rows: Vec<MatchRow> = Vec::new();
    for place in places.ids().skip(1).filter(|place| !proposed.iter().any(|(_, new)| new == place)) {
        let new_name = proposed.iter().find(|(old, _)| *old == place).map(|(_, new)| *new);
        let values = [value(place, 0), value(new_name.unwrap_or(place), 1)];
        let has = values.map(|values| values.iter().any(|value| *value != 0.0));
        if has == [false, false] {
            continue;
        }
        let share = |measure: usize| [0, 1].map(|side| if whole[side] > 0.0 { values[side][measure] / whole[side] } else { 0.0 });
        let (class, before, after) = match (matching.of(place), new_name, has) {
            (_, Some(new), _) => (Class::Proposed, name(place), name(new)),
            (Some(row), None, _) => (Class::Rule(row.rule), row.before.clone(), row.after.clone()),
            (None, None, [true, true]) => (Class::Exact, Vec::new(), Vec::new()),
            (None, None, [true, false]) => (Class::OnlyBefore, name(place), Vec::new()),
            (None, None, _) => (Class::OnlyAfter, Vec::new(), name(place)),
        };
        let sum = classes.entry(class).or_insert(ClassSum { class, functions: 0, share: [0.0; 2] });
        sum.functions += 1;
        for (sum, part) in sum.share.iter_mut().zip(share(0)) {
            *sum += part;
        }
        if class != Class::Exact {
            rows.push(MatchRow { class, place, before, after, share: share(1), is_apart: matching.is_apart(place) });
        }
    }
    let one_sided = |row: &MatchRow| matches!(row.class, Class::OnlyBefore | Class::OnlyAfter);
    let cost = |row: &MatchRow| row.share[0].abs().max(row.share[1].abs());
    // Proposals wait for an answer, so they stand first.
    let order = |row: &MatchRow| (one_sided(row), row.class != Class::Proposed);
    rows.sort_by(|a, b| order(a).cmp(&order(b)).then(cost(b).total_cmp(&cost(a))).then(a.place.cmp(&b.place)));
    let listed = rows.iter().filter(|row| !one_sided(row)).count() + MOST_ONE_SIDED;
    let left_out = rows.len().saturating_sub(listed);
    rows.truncate(listed);
    Tally { classes: classes.into_values().collect(), rows, left_out }
}
