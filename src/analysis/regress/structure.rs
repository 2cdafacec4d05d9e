//! What only looks like new and vanished cost: functions that were renamed or replaced, inlined ones, wrappers. Found before the search, and taken back for it.
//!
//! A function on one side only is held against two readings: its cost is new (or gone), or it is the cost of another function under another name
//! or in its caller. Where the second fits the counts better, the nodes of both are put together and the search sees no change there.
//! Deliberately absent: the same name in two spellings (`names`), and cost moved between functions of both sides (see `moved` and `shift`). Start reading at
//! [`detect`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::diff::ground::{Counts, Scale, Sums, Tables};
use super::{folded, sided};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::{Base, Verdict, background};
use crate::analysis::place::{PlaceId, Places};
use crate::base::ticket::{Checked as _, Here};

/// What became of a function that is on one side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has another name after.
    Renamed(PlaceId),
    /// Its callers call another function after, whatever that costs and calls.
    Replaced(PlaceId),
    /// Its callees belong to its callers on the other side, and its own cost too unless it keeps that: then it is new (or gone) cost.
    Folded(Verdict, Own),
    /// It has other callers; see `moved`.
    Moved,
}

/// What became of the own cost of a folded function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Its callers have it on the other side.
    Folded,
    /// Nobody has it on the other side.
    Kept,
}

/// One function whose shape changed and whose cost did not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Structure {
    pub(super) place: PlaceId,
    pub(super) fate: Fate,
    /// Sums of its total before it was taken back, those of its new name added.
    pub(super) sums: Sums,
    /// Events of that which stand on the other side, as a few samples of the other build do.
    pub(super) strays: f64,
}

impl Structure {
    /// Two functions of which one stands where the other stood.
    pub(super) const fn pair(&self) -> Option<[PlaceId; 2]> {
        match self.fate {
            Fate::Renamed(new) | Fate::Replaced(new) => Some([self.place, new]),
            Fate::Folded(..) | Fate::Moved => None,
        }
    }
}

/// Fewer events than this on its one side say nothing.
const LEAST_EVENTS: f64 = 8.0;
/// How alike callers and callees of a renamed function must be (cosine).
const CALLERS: f64 = 0.85;
const CALLEES: f64 = 0.7;
/// Standard deviations within which the cost of a renamed function stays; names that are alike may differ up to a factor e.
const SAME_COST: f64 = 3.0;
const ALIKE: f64 = 0.4;
/// How well the cost of a function without callees must be known to recognise it by its cost alone.
const LEAF_ERROR: f64 = 0.1;
/// At most this many functions on one side only are looked at, and none with more nodes than this below it.
const MOST_ONE_SIDED: usize = 200;
pub(super) const MOST_NODES: usize = 20_000;

/// What costs more than so many times as much, or less than so much of it, is no replacement.
const REPLACED_COST: f64 = 10.0;
/// Callers with more than this part of all cost call much that has nothing to do with each other, unless this part of theirs is what was replaced.
const EVERYTHING: f64 = 0.7;
const MOST_OF_CALLERS: f64 = 0.5;
/// Of what a replaced function costs, no more than this part comes from callers that came or went with it.
const CAME_WITH: f64 = 0.1;

/// A function on one side only, but for a few samples.
pub(super) struct OneSided {
    pub(super) place: PlaceId,
    pub(super) side: usize,
    pub(super) sums: Sums,
    pub(super) self_: f64,
    pub(super) nodes: Vec<NodeId>,
}

impl OneSided {
    /// Events on the side where it is not.
    pub(super) const fn strays(&self) -> f64 {
        self.sums.events[1 - self.side]
    }
}

/// Finds structure changes, and puts the nodes of both readings together.
pub(super) fn detect(comparison: &Comparison, base: &mut Base, scale: &Scale) -> Vec<Structure> {
    let tree = comparison.tree();
    let [selfs, totals] = &base.places;
    let one_sided = comparison.places().ids().skip(1).checked().filter_map(|place| {
        let sums = totals[place.row()];
        let counts = scale.counts(&sums).filter(|counts| counts.both() >= LEAST_EVENTS)?;
        let side = sided::side(counts)?;
        // An address without a module is where something lay, and no name. What interrupts a function is not inlined into it by happening less often.
        let name = comparison.places().name(place);
        if is_bare_address(name) || background::is_interrupt(name) {
            return None;
        }
        Some(OneSided { place, side, sums, self_: selfs[place.row()].pooled(scale.exposure), nodes: Vec::new() })
    });
    let mut one_sided: Vec<OneSided> = one_sided.collect();
    // Every pair is compared: the largest are enough.
    one_sided.sort_by(|a, b| b.sums.pooled(scale.exposure).total_cmp(&a.sums.pooled(scale.exposure)).then(a.place.cmp(&b.place)));
    one_sided.truncate(MOST_ONE_SIDED);
    one_sided.sort_by_key(|row| row.place);
    if one_sided.is_empty() {
        return Vec::new();
    }
    for row in &mut one_sided {
        row.nodes = base.nodes_of(row.place).filter_map(NodeId::from_row).collect();
    }
    let looks: Vec<Look> = one_sided.iter().map(|row| Look::new(comparison, base.tables(), row)).collect();
    let mut made = renamed(comparison, (&one_sided, &looks), scale);
    let taken =
        |made: &[Structure]| -> Vec<PlaceId> { made.iter().flat_map(|row| row.pair().map_or(vec![row.place], Vec::from)).collect() };
    let known = taken(&made);
    let unknown = one_sided.iter().filter(|row| !known.contains(&row.place));
    made.extend(folded::detect(comparison, base, unknown, scale));
    made.extend(replaced(comparison, base.tables(), (&one_sided, &looks), &taken(&made), scale));
    if !made.is_empty() {
        base.put_together(comparison, moves(tree, &made));
    }
    made
}

fn is_bare_address(name: &str) -> bool {
    name.strip_prefix("0x").is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Pairs of names of which each has the callers, callees and cost of the other, best first, each name once.
fn renamed(comparison: &Comparison, (rows, looks): (&[OneSided], &[Look]), scale: &Scale) -> Vec<Structure> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    let free = |row: &OneSided| comparison.shape.matching.may_propose(row.place);
    for (old, before) in rows.iter().enumerate().filter(|(_, row)| row.side == 0 && free(row)) {
        for (new, after) in rows.iter().enumerate().checked().filter(|(_, row)| row.side == 1 && free(row)) {
            let above = looks[old].callers.cosine(&looks[new].callers);
            if above < CALLERS {
                continue;
            }
            let below = looks[old].callees.cosine(&looks[new].callees);
            let mut sums = before.sums;
            sums.add(&after.sums);
            let Some(counts) = scale.counts(&sums) else { continue };
            let effect = counts.effect().abs();
            let alike = trigrams_alike(&looks[old].trigrams, &looks[new].trigrams);
            // A leaf has nothing but its cost and its name to be known by.
            let leaf = looks[old].callees.parts.len() == 1;
            if leaf && alike < ALIKE && counts.sampling() > LEAF_ERROR * LEAF_ERROR {
                continue;
            }
            let same_cost = costs_the_same(counts) || alike >= ALIKE && effect < 1.0;
            if below >= CALLEES && same_cost {
                pairs.push((above + below + alike - effect, old, new));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut used = vec![false; rows.len()];
    let mut made = Vec::new();
    for (_, old, new) in pairs {
        if used[old] || used[new] {
            continue;
        }
        (used[old], used[new]) = (true, true);
        let mut sums = rows[old].sums;
        sums.add(&rows[new].sums);
        let strays = rows[old].strays() + rows[new].strays();
        made.push(Structure { place: rows[old].place, fate: Fate::Renamed(rows[new].place), sums, strays });
    }
    made
}

/// Pairs of which the one is called where the other was called before, and nothing else came or went there: one change of what that place costs, and not
/// one of each. A library in the place of another is the most usual step of tuning there is.
fn replaced(
    comparison: &Comparison,
    sums: Tables<'_>,
    (rows, looks): (&[OneSided], &[Look]),
    taken: &[PlaceId],
    scale: &Scale,
) -> Vec<Structure> {
    let tree = comparison.tree();
    let is_free = |row: &OneSided| comparison.shape.matching.may_propose(row.place) && !taken.contains(&row.place);
    let tops = |side: usize| -> Vec<(&OneSided, &Neighbours)> {
        let came: Vec<PlaceId> = rows.iter().filter(|row| row.side == side).map(|row| row.place).chain([Places::root()]).collect();
        let stands_alone = |callers: &Neighbours| {
            let (mut with, mut without) = (0.0, 0.0);
            for (caller, cost) in &callers.parts {
                *(if caller.is_none_or(|caller| came.contains(&caller)) { &mut with } else { &mut without }) += cost;
            }
            with <= CAME_WITH * without
        };
        let free = rows.iter().zip(looks).filter(|(row, _)| row.side == side && is_free(row));
        free.map(|(row, look)| (row, &look.callers)).filter(|(_, callers)| stands_alone(callers)).collect()
    };
    let (old, new) = (tops(0), tops(1));
    let cost = |row: &OneSided| row.sums.pooled(scale.exposure);
    let fits = |(one, above): &(&OneSided, &Neighbours), (other, callers): &(&OneSided, &Neighbours)| {
        (cost(one) / cost(other)).ln().abs() <= REPLACED_COST.ln() && above.cosine(callers) >= CALLERS
    };
    let pooled = |row: usize| sums.total(row).pooled(scale.exposure);
    let is_one_place = |pair: [&OneSided; 2]| {
        let mut callers: Vec<NodeId> = pair.iter().flat_map(|row| &row.nodes).filter_map(|&node| tree.parent(node)).collect();
        callers.sort_unstable();
        let mut end = 0;
        callers.retain(|caller| {
            let is_apart = caller.row() >= end;
            end = end.max(tree.subtree_end(*caller));
            is_apart
        });
        let around: f64 = callers.iter().map(|caller| pooled(caller.row())).sum();
        around <= EVERYTHING * pooled(CallTree::ROOT.row()) || pair.into_iter().map(cost).sum::<f64>() >= MOST_OF_CALLERS * around
    };
    let mut made = Vec::new();
    for before in &old {
        let mut fitting = new.iter().checked().filter(|after| fits(before, after));
        let (Some(after), None) = (fitting.next(), fitting.next()) else { continue };
        if old.iter().filter(|other| fits(other, after)).count() == 1 && is_one_place([before.0, after.0]) {
            let mut sums = before.0.sums;
            sums.add(&after.0.sums);
            let strays = before.0.strays() + after.0.strays();
            made.push(Structure { place: before.0.place, fate: Fate::Replaced(after.0.place), sums, strays });
        }
    }
    made
}

/// True where a function that is on one side here and on the other there costs what it did.
pub(super) fn costs_the_same(counts: Counts) -> bool {
    counts.effect().abs() < SAME_COST * (counts.sampling() + 0.02).sqrt()
}

/// By what a function is known beside its cost.
struct Look {
    callers: Neighbours,
    callees: Neighbours,
    trigrams: Vec<[u8; 3]>,
}

impl Look {
    fn new(comparison: &Comparison, sums: Tables<'_>, row: &OneSided) -> Self {
        let of = |above| neighbours(comparison.tree(), sums, (&row.nodes, row.side), above);
        Self { callers: of(true), callees: of(false), trigrams: trigrams(comparison.places().name(row.place)) }
    }
}

/// Cost by caller, or by callee with `None` for a function's own.
pub(super) struct Neighbours {
    /// In the order of places.
    parts: Vec<(Option<PlaceId>, f64)>,
    /// Root of the sum of their squares.
    size: f64,
}

impl Neighbours {
    pub(super) fn cosine(&self, other: &Self) -> f64 {
        let sizes = self.size * other.size;
        if sizes <= 0.0 {
            return 0.0;
        }
        let (mut one, mut two) = (self.parts.iter().peekable(), other.parts.iter().peekable());
        let mut product = 0.0;
        while let (Some((a, left)), Some((b, right))) = (one.peek(), two.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => _ = one.next(),
                std::cmp::Ordering::Greater => _ = two.next(),
                std::cmp::Ordering::Equal => {
                    product += left * right;
                    (_, _) = (one.next(), two.next());
                }
            }
        }
        product / sizes
    }
}

/// What stands above or below nodes, with its cost on one side.
pub(super) fn neighbours(tree: &CallTree, sums: Tables<'_>, (nodes, side): (&[NodeId], usize), above: bool) -> Neighbours {
    let mut made: FxHashMap<Option<PlaceId>, f64> = FxHashMap::default();
    for &node in nodes.iter().checked() {
        if above {
            *made.entry(tree.parent(node).map(|parent| tree.place(parent))).or_default() += sums.total(node.row()).value[side];
            continue;
        }
        *made.entry(None).or_default() += sums.own(node.row()).value[side];
        for child in tree.children(node) {
            *made.entry(Some(tree.place(child))).or_default() += sums.total(child.row()).value[side];
        }
    }
    let mut parts: Vec<(Option<PlaceId>, f64)> = made.into_iter().collect();
    parts.sort_unstable_by_key(|part| part.0);
    let mut squares: Vec<f64> = parts.iter().map(|part| part.1 * part.1).collect();
    // Sums do not depend on the order but by rounding, and swapped sides have another one.
    squares.sort_by(f64::total_cmp);
    let size = squares.iter().sum::<f64>().sqrt();
    Neighbours { parts, size }
}

/// Three-letter pieces of a name, each once.
fn trigrams(name: &str) -> Vec<[u8; 3]> {
    let mut made: Vec<[u8; 3]> = name.as_bytes().windows(3).filter_map(|piece| piece.try_into().ok()).collect();
    made.sort_unstable();
    made.dedup();
    made
}

/// Part of three-letter pieces that two names have in common.
fn trigrams_alike(one: &[[u8; 3]], other: &[[u8; 3]]) -> f64 {
    let common = one.iter().filter(|piece| other.binary_search(piece).is_ok()).count() as f64;
    let all = (one.len() + other.len()) as f64 - common;
    if all > 0.0 { common / all } else { 0.0 }
}

/// Where the unchanged reading has the values of changed paths.
fn moves(tree: &CallTree, structures: &[Structure]) -> Vec<(usize, NodeId)> {
    let fates: FxHashMap<PlaceId, Fate> = structures.iter().map(|row| (row.place, row.fate)).collect();
    // What stands below functions of which one replaced the other is theirs: their callees tell nothing of each other.
    let replaced = structures.iter().filter(|row| matches!(row.fate, Fate::Replaced(_)));
    let whole: FxHashSet<PlaceId> = replaced.filter_map(Structure::pair).flatten().collect();
    let mut inside: Vec<bool> = Vec::with_capacity(tree.len());
    // Where each node's callees go, and where its own values; callers stand before their callees.
    let mut target: Vec<NodeId> = Vec::with_capacity(tree.len());
    let mut kept: Vec<usize> = Vec::new();
    let here = Here::new();
    for node in tree.nodes() {
        here.checkpoint();
        let Some(parent) = tree.parent(node) else {
            target.push(node);
            inside.push(false);
            continue;
        };
        inside.push(!whole.is_empty() && (inside[parent.row()] || whole.contains(&tree.place(parent))));
        let (above, place) = (target[parent.row()], tree.place(node));
        let child = |place: PlaceId| tree.children(above).find(|&child| tree.place(child) == place);
        target.push(match fates.get(&place) {
            _ if inside[node.row()] => above,
            Some(Fate::Folded(_, own)) => {
                kept.extend((*own == Own::Kept).then(|| node.row()));
                above
            }
            Some(Fate::Renamed(new) | Fate::Replaced(new)) => child(*new).unwrap_or(node),
            _ if above == parent => node,
            _ => child(place).unwrap_or(node),
        });
    }
    let is_move = |(row, to): &(usize, NodeId)| to.row() != *row && kept.binary_search(row).is_err();
    target.into_iter().enumerate().checked().filter(is_move).collect()
}

#[cfg(test)]
mod tests {
    use crate::analysis::diff::{Measure, Spec, Verdict};
    use crate::analysis::matching::tests::compared;
    use crate::analysis::{Naming, regress};

    /// Verdict, function, measure and values of the findings.
    fn findings(before: &[&str], after: &[&str]) -> Vec<(Verdict, String, Measure, [f64; 2])> {
        let comparison = compared(before, after, &Naming::default());
        let found = regress::findings(&comparison, &[], &Spec::default()).unwrap();
        found.rows.into_iter().map(|row| (row.verdict, row.func, row.measure, row.raw)).collect()
    }

    #[test]
    fn own_cost_of_a_new_wrapper_is_its_own() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000", "main;e;v 2000"];
        let with = |more: &[&'static str]| -> Vec<&'static str> { rest.iter().chain(more).copied().collect() };
        let before = with(&["main;run;work 1600"]);
        for own in ["main;run;wrap 30", "main;run;wrap 200", "main;run;wrap 900"] {
            let rows = findings(&before, &with(&["main;run;wrap;work 1600", own]));
            let value: f64 = own.rsplit(' ').next().unwrap().parse().unwrap();
            assert!(rows.contains(&(Verdict::New, "wrap".to_owned(), Measure::Self_, [0.0, value])), "{own}: {rows:?}");
            assert!(rows.iter().all(|row| row.1 == "wrap" && row.0 != Verdict::Inlined), "{own}: {rows:?}");
            // The same from the other side.
            let rows = findings(&with(&["main;run;wrap;work 1600", own]), &before);
            assert!(rows.contains(&(Verdict::Gone, "wrap".to_owned(), Measure::Self_, [value, 0.0])), "{own}: {rows:?}");
        }
    }

    #[test]
    fn own_cost_of_an_inlined_function_is_its_callers() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000"];
        let with = |more: &[&'static str]| -> Vec<&'static str> { rest.iter().chain(more).copied().collect() };
        let rows = findings(&with(&["main;run 300", "main;run;f 700", "main;run;f;g 500"]), &with(&["main;run 1000", "main;run;g 500"]));
        let kinds: Vec<_> = rows.iter().map(|row| (row.0, row.1.as_str())).collect();
        assert_eq!(kinds, [(Verdict::Inlined, "f")], "{rows:?}");
    }

    #[test]
    fn what_stands_in_the_place_of_another_is_one_change() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000", "main;e;v 2000"];
        let with = |more: &[String]| -> Vec<String> { rest.iter().map(|line| (*line).to_owned()).chain(more.iter().cloned()).collect() };
        let found = |before: &[String], after: &[String]| {
            let [before, after] = [before, after].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
            let comparison = compared(&before, &after, &Naming::default());
            regress::findings(&comparison, &[], &Spec::default()).unwrap()
        };
        let old = with(&["main;run;json;scan 500", "main;run;json;alloc 300", "main;run 100"].map(str::to_owned));
        for (cost, verdict) in [(300, Verdict::Improvement), (800, Verdict::Shift), (1600, Verdict::Regression)] {
            let new = with(&[
                format!("main;run;sonic;emit {}", cost / 2),
                format!("main;run;sonic;alloc {}", cost / 2),
                "main;run 100".to_owned(),
            ]);
            let made = found(&old, &new);
            let rows: Vec<_> = made.rows.iter().map(|row| (row.verdict, row.func.as_str(), row.new.as_deref(), row.raw)).collect();
            assert_eq!(rows, [(verdict, "json", Some("sonic"), [800.0, f64::from(cost)])]);
            // What came and went with them is no place of its own.
            let open = made
                .others
                .iter()
                .filter(|row| ["scan", "emit", "sonic"].contains(&row.func.as_str()) && row.verdict == Verdict::Unconfirmed);
            assert_eq!(open.count(), 0, "{:?}", made.others);
            let mirrored = found(&new, &old);
            let rows: Vec<_> = mirrored.rows.iter().map(|row| (row.func.as_str(), row.new.as_deref(), row.raw)).collect();
            assert_eq!(rows, [("sonic", Some("json"), [f64::from(cost), 800.0])]);
        }
        // Two came: which of them stands there is a guess.
        let two = with(&["main;run;sonic 400", "main;run;other 500", "main;run 100"].map(str::to_owned));
        assert!(found(&old, &two).rows.iter().all(|row| row.new.is_none()));
    }

    #[test]
    fn a_renamed_function_that_costs_more_is_one_row() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000", "main;e;v 2000"];
        let with = |more: &[&'static str]| -> Vec<&'static str> { rest.iter().chain(more).copied().collect() };
        let before = with(&["main;run;encode;scan 500", "main;run;encode 300"]);
        let after = with(&["main;run;encodeFast;scan 800", "main;run;encodeFast 500"]);
        let comparison = compared(&before, &after, &Naming::default());
        let found = regress::findings(&comparison, &[], &Spec::default()).unwrap();
        let rows: Vec<_> = found.rows.iter().map(|row| (row.verdict, row.func.as_str(), row.new.as_deref(), row.raw)).collect();
        assert_eq!(rows, [(Verdict::Regression, "encode", Some("encodeFast"), [800.0, 1300.0])]);
        let scan = |found: &regress::Findings| {
            let scan = found.others.iter().find(|row| row.func == "scan").unwrap();
            assert_eq!((scan.verdict, scan.explained_by), (Verdict::Explained, Some(1)), "{scan:?}");
        };
        scan(&found);
        // The same with a name that is not alike, and at more than twice the cost.
        let after = with(&["main;run;marshal;scan 1300", "main;run;marshal 700"]);
        scan(&regress::findings(&compared(&before, &after, &Naming::default()), &[], &Spec::default()).unwrap());
        // The same without callees.
        let comparison = compared(&with(&["main;run;encode 800"]), &with(&["main;run;encodeFast 1200"]), &Naming::default());
        let found = regress::findings(&comparison, &[], &Spec::default()).unwrap();
        let rows: Vec<_> = found.rows.iter().map(|row| (row.verdict, row.func.as_str(), row.new.as_deref(), row.raw)).collect();
        assert_eq!(rows, [(Verdict::Regression, "encode", Some("encodeFast"), [800.0, 1200.0])]);
    }

    #[test]
    fn what_counts_inlined_frames_says_what_was_captured() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000", "main;e;v 2000"];
        let with = |more: &[&'static str]| -> Vec<&'static str> { rest.iter().chain(more).copied().collect() };
        let before = with(&["main;run 100", "main;run;f 700", "main;run;f;g 500"]);
        let comparison = compared(&before, &with(&["main;run 1600", "main;run;g 500"]), &Naming::default());
        let found = regress::findings(&comparison, &[], &Spec::default()).unwrap();
        let run = found.rows.iter().find(|row| row.func == "run").unwrap();
        assert_eq!((run.verdict, run.measure, run.raw), (Verdict::Regression, Measure::Self_, [100.0, 1600.0]));
        assert!(run.ratio < 2.5 && run.why.contains("as captured 100 → 1600"), "{run:?}");
    }
}
