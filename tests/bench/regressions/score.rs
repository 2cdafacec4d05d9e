//! What the judgement said about a pair, held against what is true.

use emberlens::analysis::diff::Measure;
use emberlens::analysis::regress::{Finding, Findings, Spec, findings};
use emberlens::analysis::stats::{Doubt, Test, doubtful_test};
use emberlens::analysis::{Comparison, PlaceId};

use crate::generate::{Capture, Ground, Noise, Scope};

/// The level of the optimal test: 5 % over this many groups that one would have to search.
pub(crate) const GROUPS: f64 = 700.0;
/// Functions with fewer events on both sides together have no interval in the report.
const INTERVAL_EVENTS: f64 = 20.0;
/// Two sets of cells with this part of their cost in common are the same cause; with half of it one is a hit on the other.
const SAME: f64 = 0.8;
const HIT: f64 = 0.5;

/// One planted change.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) scope: Scope,
    pub(crate) cells: Vec<usize>,
    /// Cost after over cost before.
    pub(crate) ratio: f64,
    /// Variance of ln(ratio) beyond sampling that the generator gives these cells.
    pub(crate) extra: f64,
}

/// Sums over pairs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) pairs: f64,
    /// Pairs with a false finding, and false and all findings.
    pub(crate) alarms: f64,
    pub(crate) false_findings: f64,
    pub(crate) findings: f64,
    /// Mean over pairs of the false part of a pair's findings.
    pub(crate) false_part: f64,
    pub(crate) unconfirmed: f64,
    /// Planted changes, those that the optimal test finds, and those found.
    pub(crate) planted: f64,
    pub(crate) optimal: f64,
    pub(crate) found: f64,
    /// Planted changes that were detectable and found at all: first finding has the cause, the name.
    pub(crate) detectable: f64,
    pub(crate) first_cause: f64,
    pub(crate) first_name: f64,
    /// Parts of planted deltas within the first five findings; findings that hold nothing planted or what another holds.
    pub(crate) covered: f64,
    pub(crate) extra: f64,
    /// Intervals: all, planted, reported, work; held and seen.
    pub(crate) intervals: [[f64; 2]; 4],
    /// Squared and plain error of the logarithm of the work ratio.
    pub(crate) work_error: f64,
    /// Structure: pairs, named right, without an alarm.
    pub(crate) structure: [f64; 3],
    /// Planted changes that the optimal test finds and the judgement does not: nothing was said, another scope was named, only unconfirmed,
    /// taken for a change of structure.
    pub(crate) missed: [f64; 4],
    /// Single changes that the optimal test finds and that the likeliest of all scopes, with work and noise known, hits.
    pub(crate) reachable: f64,
    /// Planted changes in bursts that the optimal test finds, and that the same test finds where it has to estimate how large bursts are.
    pub(crate) estimated: f64,
    /// Detectable single changes of which the likeliest of all scopes, with work and noise known, has the cause.
    pub(crate) likeliest: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        let mine = [
            &mut self.pairs,
            &mut self.alarms,
            &mut self.false_findings,
            &mut self.findings,
            &mut self.false_part,
            &mut self.unconfirmed,
            &mut self.planted,
            &mut self.optimal,
            &mut self.found,
            &mut self.detectable,
            &mut self.first_cause,
            &mut self.first_name,
            &mut self.covered,
            &mut self.extra,
            &mut self.work_error,
            &mut self.likeliest,
            &mut self.estimated,
            &mut self.reachable,
        ];
        let theirs = [
            other.pairs,
            other.alarms,
            other.false_findings,
            other.findings,
            other.false_part,
            other.unconfirmed,
            other.planted,
            other.optimal,
            other.found,
            other.detectable,
            other.first_cause,
            other.first_name,
            other.covered,
            other.extra,
            other.work_error,
            other.likeliest,
            other.estimated,
            other.reachable,
        ];
        for (mine, theirs) in mine.into_iter().zip(theirs) {
            *mine += theirs;
        }
        for (mine, theirs) in self.intervals.iter_mut().flatten().zip(other.intervals.iter().flatten()) {
            *mine += theirs;
        }
        for (mine, theirs) in self.structure.iter_mut().chain(&mut self.missed).zip(other.structure.into_iter().chain(other.missed)) {
            *mine += theirs;
        }
    }
}

/// What the judgement is asked: all changes, also those below the minimum effect, which hides some on purpose.
pub(crate) fn spec() -> Spec {
    Spec { min_share: 0.0, min_ratio: 0.0, ..Spec::default() }
}

/// A finding with its cells.
struct Named<'a> {
    row: &'a Finding,
    cells: Vec<usize>,
}

fn named<'a>(ground: &Ground, found: &'a Findings) -> Vec<Named<'a>> {
    let rows = found.rows.iter().filter(|row| row.verdict.is_change());
    rows.map(|row| Named { row, cells: cells_of(ground, row) }).collect()
}

/// The cells of a finding: all of its function's, or those of its paths.
fn cells_of(ground: &Ground, row: &Finding) -> Vec<usize> {
    let scope = |path| Scope { function: row.func.clone(), measure: row.measure, path };
    if !PATHS || !row.is_of_paths() {
        return ground.cells(&scope(None));
    }
    let paths = row.told_paths().filter_map(|path| ground.shape.tree.find_path(path.iter().copied()));
    let mut cells: Vec<usize> = paths.flat_map(|node| ground.cells(&scope(Some(node)))).collect();
    cells.sort_unstable();
    cells
}

/// True where a finding's path is its scope.
const PATHS: bool = true;

/// Cost of both sides that two sets of cells (in order) have in common, over that of either.
fn overlap(ground: &Ground, one: &[usize], other: &[usize]) -> f64 {
    let cost = |row: usize| ground.share[0][row] + ground.share[1][row];
    let all = |cells: &[usize]| cells.iter().map(|&row| cost(row)).sum::<f64>();
    let both: f64 = one.iter().filter(|row| other.binary_search(row).is_ok()).map(|&row| cost(row)).sum();
    both / (all(one) + all(other) - both).max(f64::MIN_POSITIVE)
}

/// Cost after − before per unit of work that is planted within cells.
fn true_delta(ground: &Ground, cells: &[usize]) -> f64 {
    ground.sum(1, cells) - ground.sum(0, cells)
}

/// The test of exactly these cells, with the work and the noise known.
fn exactly(comparison: &Comparison, cells: &[usize], extra: f64, work: f64) -> Test {
    doubtfully(comparison, cells, work, |_| Doubt { extra, ..Doubt::NONE })
}

/// The same with what `doubt` says of the noise where sampling has this variance.
fn doubtfully(comparison: &Comparison, cells: &[usize], work: f64, doubt: impl Fn(f64) -> Doubt) -> Test {
    let sum = |side: usize| -> (f64, f64) {
        let side = &comparison.sides[side];
        cells.iter().fold((0.0, 0.0), |sum, &row| (sum.0 + side.weights.selfs()[row] as f64, sum.1 + side.evidence.squares[row]))
    };
    let (before, after) = (sum(0), sum(1));
    let per_event = (before.1 + after.1) / (before.0 + after.0);
    let counts = [before.0 / per_event, after.0 / per_event];
    let sampling = 1.0 / counts[0].max(0.5) + 1.0 / counts[1].max(0.5);
    doubtful_test(counts[0], counts[1], work, doubt(sampling))
}

/// Does the optimal test find the change where it has to estimate how large bursts are?
fn estimated(ground: &Ground, comparison: &Comparison, planted: &Planted, work: f64) -> bool {
    let (extra, doubts) = ground.estimated_bursts(&planted.cells, &comparison.sides);
    let test = doubtfully(comparison, &planted.cells, work, |sampling| Doubt { extra, freedom: (sampling + extra).powi(2) * doubts });
    test.p <= 0.05 / GROUPS && (test.z > 0.0) == (planted.ratio > 1.0)
}

/// Does the optimal test find the change?
fn optimal(comparison: &Comparison, planted: &Planted, work: f64) -> bool {
    let test = exactly(comparison, &planted.cells, planted.extra, work);
    test.p <= 0.05 / GROUPS && (test.z > 0.0) == (planted.ratio > 1.0)
}

/// Cost that the scope with the strongest evidence, work and noise known, has in common with the planted one. No judgement of one change tells neighbours
/// apart better.
fn likeliest(ground: &Ground, comparison: &Comparison, capture: &Capture, planted: &Planted) -> f64 {
    let mut best: Option<(f64, Vec<usize>)> = None;
    for scope in Scope::all(ground).iter().flatten() {
        let cells = ground.cells(scope);
        let z = exactly(comparison, &cells, extra(ground, capture, &cells), capture.work).z.abs();
        if best.as_ref().is_none_or(|(most, _)| z > *most) {
            best = Some((z, cells));
        }
    }
    best.map_or(0.0, |(_, cells)| overlap(ground, &cells, &planted.cells))
}

/// Variance beyond sampling of cells in a comparison with that noise: both sides.
pub(crate) fn extra(ground: &Ground, capture: &Capture, cells: &[usize]) -> f64 {
    let one = match capture.noise {
        Noise::Sampling => 0.0,
        Noise::Bursts => ground.bursts(cells),
        Noise::Functions(cv) => cv * cv * ground.concentration(cells),
        Noise::Entries(cv) => cv * cv,
    };
    2.0 * one / capture.repeats as f64
}

/// Judges one pair.
pub(crate) fn judge(ground: &Ground, comparison: &Comparison, capture: &Capture, planted: &[Planted]) -> Sums {
    let found = findings(comparison, &[], &spec()).expect("two sides");
    let rows = named(ground, &found);
    let mut made = Sums { pairs: 1.0, ..Sums::default() };
    made.unconfirmed = f64::from(found.others.iter().chain(&found.rows).any(|row| row.verdict.name() == "unconfirmed"));
    false_findings(ground, comparison, &rows, &mut made);
    if std::env::var_os("EMBERLENS_SHOW").is_some() {
        show(ground, comparison, capture, planted, &found, &rows);
    }
    recall(ground, comparison, capture, planted, (&found, &rows), &mut made);
    coverage(ground, capture, planted, &found, &rows, &mut made);
    made
}

/// Judges a pair in which only the structure changed.
pub(crate) fn structure(comparison: &Comparison, verdict: &str, target: &str) -> Sums {
    let found = findings(comparison, &[], &spec()).expect("two sides");
    let is = |row: &Finding| {
        row.verdict.name() == verdict && (verdict != "renamed" || row.func == target && row.new.as_deref() == Some("main.newName"))
    };
    let right = found.rows.iter().any(is);
    let calm = !found.rows.iter().any(|row| row.verdict.is_change());
    if std::env::var_os("EMBERLENS_SHOW").is_some() && !(right && calm) {
        println!("work {verdict} of {target}: {right} {calm}");
        for row in &found.rows {
            println!(
                "  found {} {} {} path {} ratio {:.3} q {:.1e} {}",
                row.verdict.name(),
                row.func,
                row.measure.name(),
                row.path.is_some(),
                row.ratio,
                row.q,
                row.why
            );
        }
    }
    Sums { pairs: 1.0, structure: [1.0, f64::from(right), f64::from(calm)], ..Sums::default() }
}

/// Prints what was planted and what was found, for a look at single pairs.
fn show(ground: &Ground, comparison: &Comparison, capture: &Capture, planted: &[Planted], found: &Findings, rows: &[Named<'_>]) {
    println!("work {:.4} said {:?} noise {:?}", capture.work, found.exposure, found.diff.noise);
    for change in planted {
        let place = ground.shape.places.find(&change.scope.function).map_or(0, PlaceId::row);
        let table = found.diff.table(change.scope.measure);
        println!(
            "  planted {} {} path {:?} share {:.4} ratio {:.3} optimal {}; row z {:.2} p {:.1e} extra {:.1e}",
            change.scope.function,
            change.scope.measure.name(),
            change.scope.path,
            ground.sum(0, &change.cells),
            change.ratio,
            optimal(comparison, change, capture.work),
            table.z[place],
            table.p[place],
            table.extra[place],
        );
    }
    for named in rows {
        let row = named.row;
        println!(
            "  found {} {} {} path {} share {:.4} ratio {:.3} ({:.3} {:.3}) true {:.3} q {:.1e}",
            row.verdict.name(),
            row.func,
            row.measure.name(),
            row.path.is_some(),
            ground.sum(0, &named.cells),
            row.ratio,
            row.ratio_lo,
            row.ratio_hi,
            ground.sum(1, &named.cells) / ground.sum(0, &named.cells),
            row.q,
        );
    }
}

/// A finding is false where less than half of its claimed change per unit of work is true.
fn false_findings(ground: &Ground, comparison: &Comparison, rows: &[Named<'_>], made: &mut Sums) {
    let total = comparison.sides[0].denominator() * comparison.factor(&comparison.sides[0]);
    let wrong = rows.iter().filter(|named| {
        let truth = true_delta(ground, &named.cells);
        let before = ground.sum(0, &named.cells);
        let claimed = if named.row.ratio.is_finite() { before * (named.row.ratio - 1.0) } else { named.row.delta / total };
        truth * claimed <= 0.0 || truth.abs() < claimed.abs() * 0.5
    });
    made.false_findings = wrong.count() as f64;
    made.findings = rows.len() as f64;
    made.alarms = f64::from(made.false_findings > 0.0);
    made.false_part = if rows.is_empty() { 0.0 } else { made.false_findings / made.findings };
}

fn recall(
    ground: &Ground,
    comparison: &Comparison,
    capture: &Capture,
    planted: &[Planted],
    (found, rows): (&Findings, &[Named<'_>]),
    made: &mut Sums,
) {
    let same_way = |named: &Named<'_>, planted: &Planted| (named.row.ratio > 1.0) == (planted.ratio > 1.0);
    for change in planted {
        made.planted += 1.0;
        let hit = rows.iter().any(|named| overlap(ground, &named.cells, &change.cells) >= HIT && same_way(named, change));
        made.found += f64::from(hit);
        if optimal(comparison, change, capture.work) {
            made.optimal += 1.0;
            let alone = planted.len() == 1;
            let likeliest = if alone { likeliest(ground, comparison, capture, change) } else { 0.0 };
            made.reachable += f64::from(likeliest >= HIT);
            if capture.noise == Noise::Bursts {
                made.estimated += f64::from(estimated(ground, comparison, change, capture.work));
            }
            if !hit {
                let near = |row: &Finding, least: f64| {
                    (row.ratio > 1.0) == (change.ratio > 1.0) && overlap(ground, &cells_of(ground, row), &change.cells) > least
                };
                let unconfirmed = found.others.iter().any(|row| row.verdict.name() == "unconfirmed" && near(row, HIT));
                let moved = found.rows.iter().any(|row| row.verdict.is_structure() && near(row, HIT));
                let elsewhere = found.rows.iter().any(|row| row.verdict.is_change() && near(row, 0.0));
                let why = if unconfirmed {
                    2
                } else if moved {
                    3
                } else {
                    usize::from(elsewhere)
                };
                made.missed[why] += 1.0;
            }
            if let ([_], Some(first)) = (planted, rows.first()) {
                made.detectable += 1.0;
                made.first_cause += f64::from(overlap(ground, &first.cells, &change.cells) >= SAME && same_way(first, change));
                made.likeliest += f64::from(likeliest >= SAME);
                made.first_name += f64::from(first.row.func == change.scope.function || first.cells == change.cells);
            }
        }
    }
    let first: Vec<&Named<'_>> = rows.iter().take(5).collect();
    let all: f64 = planted.iter().map(|change| true_delta(ground, &change.cells).abs()).sum();
    if all > 0.0 {
        let held: f64 = planted
            .iter()
            .map(|change| {
                let inside = |row: &&usize| first.iter().any(|named| named.cells.binary_search(row).is_ok());
                change.cells.iter().filter(inside).map(|&row| ground.share[1][row] - ground.share[0][row]).sum::<f64>().abs()
            })
            .sum();
        made.covered = held / all;
    }
    let useful = planted.iter().filter(|change| rows.iter().any(|named| overlap(ground, &named.cells, &change.cells) >= HIT)).count();
    made.extra = rows.len().saturating_sub(useful) as f64;
}

fn coverage(ground: &Ground, capture: &Capture, planted: &[Planted], found: &Findings, rows: &[Named<'_>], made: &mut Sums) {
    let ratio = |cells: &[usize]| ground.sum(1, cells) / ground.sum(0, cells);
    let held = |truth: f64, lo: f64, hi: f64| f64::from(lo <= truth * (1.0 + 1e-9) && truth <= hi * (1.0 + 1e-9));
    let mut add = |kind: usize, inside: f64| {
        made.intervals[kind][0] += inside;
        made.intervals[kind][1] += 1.0;
    };
    for (place, row) in ground.shape.places.iter_ids().skip(1) {
        for measure in Measure::ALL {
            let table = found.diff.table(measure);
            let at = place.row();
            if table.events[0][at] + table.events[1][at] < INTERVAL_EVENTS {
                continue;
            }
            let scope = Scope { function: row.name.clone(), measure, path: None };
            let inside = held(ratio(&ground.cells(&scope)), table.lo[at], table.hi[at]);
            add(0, inside);
            if planted.iter().any(|change| change.scope == scope) {
                add(1, inside);
            }
        }
    }
    for named in rows {
        add(2, held(ratio(&named.cells), named.row.ratio_lo, named.row.ratio_hi));
    }
    let work = found.unchanged.unwrap_or(found.exposure);
    add(3, held(capture.work, work.lo, work.hi));
    made.work_error = (work.ratio / capture.work).ln();
}
