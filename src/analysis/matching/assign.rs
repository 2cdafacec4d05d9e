//! Which numbered function of one build is which of the other: one assignment per parent.
//!
//! Functions with the same text around their numbers are a family, and those inside others follow them. Where numbers have the order of the source,
//! the best way through both families is sought: numbers that go on in step cost nothing, each insertion costs a little, and what is known of the functions
//! decides (see `evidence`). So equal names are one function unless that says otherwise, and the order alone still tells most. Where numbers have no order, the
//! pairs with the most evidence come first. Start reading at [`assign`], then [`Families::ordered`].

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::evidence::{Evidence, Facts};
use super::numbered::{Kind, Number, Numbered};
use crate::base::ticket::Here;

/// Rows of places that are one function on a side: more than one only where a name says in which tier it ran.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) rows: Vec<usize>,
    pub(super) on: [bool; 2],
    pub(super) name: Numbered,
}

/// What was decided: which entities of before and after are one function.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    pub(super) pairs: Vec<(usize, usize)>,
}

/// What a change of the step between the numbers costs: something was inserted or taken away there.
const INSERTED: f64 = 3.0;
/// The same where neither number is known on the other side, so that something was, and for lines, which any edit moves.
const SURELY_INSERTED: f64 = 0.5;
const EDITED: f64 = 1.5;
/// What it costs that something was added behind all that is paired, or taken away there: nearly as much as anywhere else, or all that follow an
/// insertion would be taken for changed.
const APPENDED: f64 = 2.5;
/// What it costs to leave a function alone that was certainly sampled: most code stays.
const ALONE: f64 = 2.0;
/// First lines that keep their distance, and those that do not.
const SAME_DISTANCE: f64 = 2.0;
const OTHER_DISTANCE: f64 = -1.5;
/// By this much a pair with other numbers must be better than any other for one of both.
const MARGIN: f64 = 0.7;
/// Evidence for a pair against the order of the source.
const AGAINST_ORDER: f64 = 3.0;
/// Evidence for a pair of numbers without an order, at least; and what an equal number is worth where it is counted, and where it is a hash.
const UNORDERED: f64 = -1.0;
const SAME_COUNTED: f64 = 0.5;
const SAME_HASH: f64 = 50.0;
/// Pairs before and after are looked for among so many in front.
const WINDOW: usize = 6;
/// Pairs of a family that are looked at, at most; in larger ones only equal numbers are one function.
const MOST_PAIRS: usize = 20_000;

/// Assigns the entities of both sides to each other; `evidence` is asked for only where numbers alone do not tell.
pub(super) fn assign(entities: &[Entity], evidence: impl Fn() -> Evidence) -> Assigned {
    let mut families = Families { entities, ask: evidence, evidence: OnceCell::new(), made: Assigned::default() };
    let on = |side: usize| (0..entities.len()).filter(|&at| entities[at].on[side]).collect();
    families.level([on(0), on(1)], 0);
    families.made
}

/// One number of a family and the entities that have it, on one side.
type Node<'a> = (&'a Number, Vec<usize>);

/// Those of all numbers.
type Nodes<'a> = BTreeMap<&'a Number, Vec<usize>>;

struct Families<'a, F> {
    entities: &'a [Entity],
    ask: F,
    evidence: OnceCell<Evidence>,
    made: Assigned,
}

impl<'a, F: Fn() -> Evidence> Families<'a, F> {
    /// Pairs entities that have their first `level` numbers from pairs.
    fn level(&mut self, sides: [Vec<usize>; 2], level: usize) {
        let entities = self.entities;
        let mut ends: BTreeMap<&str, [Option<usize>; 2]> = BTreeMap::new();
        let mut stems: BTreeMap<(&str, Kind), [Nodes<'a>; 2]> = BTreeMap::new();
        for (side, members) in sides.into_iter().enumerate() {
            for at in members {
                let name = &entities[at].name;
                match name.pieces.get(level) {
                    Some(piece) => {
                        stems.entry((&piece.text, piece.number.kind)).or_default()[side].entry(&piece.number).or_default().push(at);
                    }
                    None => ends.entry(&name.tail).or_default()[side] = Some(at),
                }
            }
        }
        self.made.pairs.extend(ends.into_values().filter_map(|[before, after]| before.zip(after)));
        for ((_, kind), nodes) in stems {
            let [before, after] = nodes.map(|nodes| nodes.into_iter().collect::<Vec<Node<'a>>>());
            for (old, new) in self.pair(kind, &before, &after) {
                self.level([before[old].1.clone(), after[new].1.clone()], level + 1);
            }
        }
    }

    /// Pairs the numbers of one family.
    fn pair(&self, kind: Kind, before: &[Node<'_>], after: &[Node<'_>]) -> Vec<(usize, usize)> {
        match (before, after) {
            ([], _) | (_, []) => return Vec::new(),
            ([old], [new]) if old.0 == new.0 || kind == Kind::Arbitrary => return vec![(0, 0)],
            _ => {}
        }
        if before.len() * after.len() > MOST_PAIRS {
            return same_numbers(before, after).collect();
        }
        let evidence = self.evidence.get_or_init(&self.ask);
        let facts = |side: usize, nodes: &[Node<'_>]| -> Vec<Facts> {
            let rows = |node: &Node<'_>| node.1.iter().flat_map(|&at| self.entities[at].rows.iter().copied()).collect::<Vec<_>>();
            nodes.iter().map(|node| evidence.facts(side, rows(node))).collect()
        };
        let known = [facts(0, before), facts(1, after)];
        let common = Facts::together(known.iter().flatten());
        let (mut same, mut scores) = (Vec::new(), Vec::new());
        let here = Here::new();
        for old in &known[0] {
            here.checkpoint();
            let row: Vec<f64> = known[1].iter().map(|new| old.same(new, &common)).collect();
            scores.push(known[1].iter().zip(&row).map(|(new, same)| same + old.same_cost(new, evidence.all)).collect::<Vec<f64>>());
            same.push(row);
        }
        let family = Family { kind, numbers: [before, after], known: &known, scores };
        if kind == Kind::Arbitrary {
            return family.unordered();
        }
        let mut pairs = family.ordered();
        let mut free = [vec![true; before.len()], vec![true; after.len()]];
        for &(old, new) in &pairs {
            (free[0][old], free[1][new]) = (false, false);
        }
        pairs.extend(family.against_order(&same, &mut free));
        pairs.extend(same_numbers(before, after).filter(|&(old, new)| free[0][old] && free[1][new]));
        pairs
    }
}

/// Pairs of equal numbers.
fn same_numbers<'a>(before: &'a [Node<'_>], after: &'a [Node<'_>]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let found = before.iter().enumerate().map(|(old, node)| (old, after.binary_search_by(|other| other.0.cmp(node.0))));
    found.filter_map(|(old, new)| Some((old, new.ok()?)))
}

/// The numbers of one family on both sides, in their order, and how much speaks for each pair.
struct Family<'a> {
    kind: Kind,
    numbers: [&'a [Node<'a>]; 2],
    known: &'a [Vec<Facts>; 2],
    scores: Vec<Vec<f64>>,
}

impl Family<'_> {
    fn number(&self, side: usize, at: usize) -> &Number {
        self.numbers[side][at].0
    }

    fn is_same(&self, (old, new): (usize, usize)) -> bool {
        self.number(0, old) == self.number(1, new)
    }

    /// How far a pair's numbers lie apart; for positions in a file in lines.
    fn step(&self, (old, new): (usize, usize)) -> i64 {
        let order = |side: usize, at: usize| {
            let order = self.number(side, at).order;
            (if self.kind == Kind::Position { order >> 20 } else { order }) as i64
        };
        order(1, new).wrapping_sub(order(0, old))
    }

    /// What is gained by pairing two, beside what the pair in front of them says.
    fn gain(&self, (old, new): (usize, usize)) -> f64 {
        // What has hardly a sample may well have none on the other side.
        let alone = |side: usize, at: usize| self.known[side][at].events().min(ALONE);
        self.scores[old][new] + alone(0, old) + alone(1, new)
    }

    /// What it costs that one pair follows another, or begins.
    fn link(&self, last: Option<(usize, usize)>, pair: (usize, usize)) -> f64 {
        let is_known = |side: usize, number: &Number| self.numbers[side].binary_search_by(|node| node.0.cmp(number)).is_ok();
        let step = if self.step(pair) == last.map_or(0, |last| self.step(last)) {
            0.0
        } else if self.kind == Kind::Position {
            EDITED
        } else if !is_known(1, self.number(0, pair.0)) && !is_known(0, self.number(1, pair.1)) {
            SURELY_INSERTED
        } else {
            INSERTED
        };
        let distance = |side: usize, from: usize, to: usize| {
            let lines = self.known[side][from].first_line().zip(self.known[side][to].first_line());
            lines.map(|(from, to)| i64::from(to) - i64::from(from))
        };
        let distances = last.and_then(|last| distance(0, last.0, pair.0).zip(distance(1, last.1, pair.1)));
        let lines = distances.map_or(0.0, |(old, new)| if old == new { SAME_DISTANCE } else { OTHER_DISTANCE });
        lines - step
    }

    /// What it costs that nothing follows a pair.
    fn end(&self, pair: (usize, usize)) -> f64 {
        let last = self.numbers.map(|nodes| nodes.len().saturating_sub(1));
        let is_in_step = self.kind == Kind::Position || self.step(pair) == self.step((last[0], last[1]));
        if is_in_step { 0.0 } else { -APPENDED }
    }

    /// The pairs that gain the most together, none of which crosses another; those that are hardly better than another choice are left out.
    fn ordered(&self) -> Vec<(usize, usize)> {
        let [rows, columns] = self.numbers.map(<[Node<'_>]>::len);
        let at = |(old, new): (usize, usize)| old * columns + new;
        let pairs = || (0..rows).flat_map(|old| (0..columns).map(move |new| (old, new)));
        let earlier = |(old, new): (usize, usize)| {
            (old.saturating_sub(WINDOW)..old).flat_map(move |old| (new.saturating_sub(WINDOW)..new).map(move |new| (old, new)))
        };
        // The best way that ends in a pair, and what comes in front of it there; then the best that follows it.
        let mut ends: Vec<(f64, Option<(usize, usize)>)> = Vec::with_capacity(rows * columns);
        let here = Here::new();
        for pair in pairs() {
            here.checkpoint();
            let mut best = (self.link(None, pair), None);
            for last in earlier(pair) {
                let way = ends[at(last)].0 + self.link(Some(last), pair);
                if way > best.0 {
                    best = (way, Some(last));
                }
            }
            ends.push((best.0 + self.gain(pair), best.1));
        }
        let mut follows: Vec<f64> = pairs().map(|pair| self.end(pair)).collect();
        for pair in pairs().collect::<Vec<_>>().into_iter().rev() {
            here.checkpoint();
            let way = follows[at(pair)] + self.gain(pair);
            for last in earlier(pair) {
                let whole = way + self.link(Some(last), pair);
                follows[at(last)] = follows[at(last)].max(whole);
            }
        }
        let whole = |pair: (usize, usize)| ends[at(pair)].0 + follows[at(pair)];
        // Of equal ways the one whose last pair comes first.
        let to_end = |pair: (usize, usize)| ends[at(pair)].0 + self.end(pair);
        let last = pairs().filter(|&pair| to_end(pair) > 0.0).reduce(|best, pair| if to_end(pair) > to_end(best) { pair } else { best });
        let way = std::iter::successors(last, |&pair| ends[at(pair)].1);
        let is_clear = |&pair: &(usize, usize)| {
            let others = (0..rows).map(|old| (old, pair.1)).chain((0..columns).map(|new| (pair.0, new))).filter(|other| *other != pair);
            self.is_same(pair) || others.map(whole).fold(f64::NEG_INFINITY, f64::max) + MARGIN <= whole(pair)
        };
        way.filter(is_clear).collect()
    }

    /// Pairs of what is left that stand in another order in the source now: only where their neighbours leave no doubt.
    fn against_order(&self, same: &[Vec<f64>], free: &mut [Vec<bool>; 2]) -> Vec<(usize, usize)> {
        let mut made = Vec::new();
        let [rows, columns] = self.numbers.map(<[Node<'_>]>::len);
        for old in 0..rows {
            for new in 0..columns {
                let others = (0..rows)
                    .filter(|&at| at != old)
                    .map(|at| same[at][new])
                    .chain((0..columns).filter(|&at| at != new).map(|at| same[old][at]));
                let next = others.fold(f64::NEG_INFINITY, f64::max);
                let is_clear = same[old][new] >= AGAINST_ORDER && same[old][new] >= next + AGAINST_ORDER && self.scores[old][new] > 0.0;
                if is_clear && free[0][old] && free[1][new] {
                    (free[0][old], free[1][new]) = (false, false);
                    made.push((old, new));
                }
            }
        }
        made
    }

    /// The pairs with the most evidence first.
    fn unordered(&self) -> Vec<(usize, usize)> {
        let [rows, columns] = self.numbers.map(<[Node<'_>]>::len);
        let equal = |text: &str| if text.len() >= 8 && !text.contains(['x', '/']) { SAME_HASH } else { SAME_COUNTED };
        let score =
            |pair: (usize, usize)| self.scores[pair.0][pair.1] + if self.is_same(pair) { equal(&self.number(0, pair.0).text) } else { 0.0 };
        let mut pairs: Vec<(f64, (usize, usize))> = (0..rows)
            .flat_map(|old| (0..columns).map(move |new| (old, new)))
            .map(|pair| (score(pair), pair))
            .filter(|(score, _)| *score >= UNORDERED)
            .collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut free = [vec![true; rows], vec![true; columns]];
        pairs.retain(|&(_, (old, new))| {
            let is_free = free[0][old] && free[1][new];
            if is_free {
                (free[0][old], free[1][new]) = (false, false);
            }
            is_free
        });
        pairs.into_iter().map(|(_, pair)| pair).collect()
    }
}
