//! The bulk of a control group: where it lies, how much its cells spread beyond sampling, and whether some of them come in bursts.
//!
//! Cells are functions that are taken as unchanged but for a few, so everything here is robust against those. Knows nothing of profiles. Start reading
//! at [`Cell`], then [`dispersion`] and [`biweight`].

/// One unit of the control group: a function's own cost on both sides, or that of several small ones together.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// ln(after / before) beyond the exposure.
    pub effect: f64,
    /// Variance of `effect` from sampling alone.
    pub variance: f64,
}

/// The spread of unchanged code beyond sampling, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Variance of ln(after / before) per cell.
    pub variance: f64,
    /// Degrees of freedom behind it: cells whose sampling variance is small beside it count as one each.
    pub freedom: f64,
}

/// The spread of unchanged code beyond sampling: variance of ln(after / before) per cell.
///
/// The maximum of the likelihood over the cells within three standard deviations of the centre (the weighted median without one), with 0.973 as
/// the variance of a normal cut at 3. The bulk of the cells is taken as unchanged. Of few cells, whose bulk may be those that tell nothing, each varies or
/// changed as [`spread_or_changes`] says. `prior` (a variance)
/// counts as up to `prior_cells` further cells, so that few cells do not prove the absence of noise; thirty do, and fewer that lie closer together than
/// such noise lets them.
pub fn dispersion(cells: &[Cell], centre: Option<f64>, prior: f64, prior_cells: f64) -> Spread {
    const CUT: f64 = 3.0;
    const CUT_VARIANCE: f64 = 0.973;
    const ENOUGH: f64 = 30.0;
    /// Of fewer cells than this, those that sampling leaves wide look calm without the few that are known well enough to show a spread, and cut these off.
    const SOME: usize = 60;
    /// What a change costs there, see [`spread_or_changes`]: the logarithm of 700 places.
    const CHANGE: f64 = 6.5;
    let given = centre.is_some();
    let centre = centre.unwrap_or_else(|| weighted_median(cells));
    // Cells as one moment equation each, weighted by how much they tell of a spread of that size, none above a tenth of all: sums of
    // weights, of weighted surpluses of the squares, and of the latter's variance.
    let squares: Vec<f64> = cells.iter().map(|cell| (cell.effect - centre).powi(2)).collect();
    let mut precisions = vec![0.0; cells.len()];
    let mut told = |extra: f64| -> [f64; 4] {
        let mut weights = 0.0;
        for (precision, cell) in precisions.iter_mut().zip(cells) {
            *precision = (cell.variance + extra).recip();
            weights += *precision * *precision;
        }
        let cap = if cells.len() > 10 { weights / 10.0 } else { f64::INFINITY };
        let mut sums = [0.0; 4];
        for ((cell, &square), &precision) in cells.iter().zip(&squares).zip(&precisions) {
            let variance = cell.variance + extra;
            if square <= CUT * CUT * variance {
                // Few cells of like size, held against a known centre: each counts the same.
                let weight = if given { precision } else { (precision * precision).min(cap) };
                let new = [weight, weight * (square - CUT_VARIANCE * variance), 2.0 * (weight * variance).powi(2), 1.0];
                sums.iter_mut().zip(new).for_each(|(sum, new)| *sum += new);
            }
        }
        sums
    };
    let half = cells.len() as f64 / 2.0;
    // From below, as the first crossing counts: a wider spread would take changes for noise, since it no longer rejects them.
    let mut own = 0.0;
    // No wider than chance makes three of ten: nothing beyond sampling is seen.
    let [_, surplus, chance, kept] = told(0.0);
    if cells.len() >= 2 && (kept < half || surplus > if given { 0.0 } else { 0.5 * chance.sqrt() }) {
        let mut too_wide = |extra: f64| {
            let [_, surplus, _, kept] = told(extra);
            kept < half || surplus > 0.0
        };
        let mut low = 0.0;
        own = 1e-8;
        while own < 4.0 && too_wide(own) {
            (low, own) = (own, own * 1.5);
        }
        for _ in 0..20 {
            let middle = f64::midpoint(low, own);
            if too_wide(middle) {
                low = middle;
            } else {
                own = middle;
            }
        }
    }
    if !given && cells.len() < SOME {
        let around: Vec<Cell> = cells.iter().map(|cell| Cell { effect: cell.effect - centre, ..*cell }).collect();
        own = own.max(spread_or_changes(&around, CHANGE).variance);
    }
    let count = (cells.len() as f64 - 1.0).max(0.0);
    // Likelihood of a spread as the prior says over that of the cells' own: where they lie closer than it lets them, it is wrong about them.
    let ln_likelihood = |extra: f64| -> f64 {
        let of = |(cell, square): (&Cell, &f64)| {
            let variance = cell.variance + extra;
            -0.5 * (variance.ln() + (square / variance).min(CUT * CUT))
        };
        cells.iter().zip(&squares).map(of).sum()
    };
    let believed = || if prior > own { (ln_likelihood(prior) - ln_likelihood(own)).min(0.0).exp() } else { 1.0 };
    let prior_cells = prior_cells * (1.0 - count / ENOUGH).max(0.0);
    let prior_cells = if prior_cells > 0.0 { prior_cells * believed() } else { 0.0 };
    let variance = (own * count + prior * prior_cells) / (count + prior_cells).max(f64::MIN_POSITIVE);
    let told: f64 = cells.iter().map(|cell| (variance / (variance + cell.variance)).powi(2)).sum();
    Spread { variance, freedom: (told - 1.0).max(0.0) + prior_cells }
}

/// The spread around 0 of few cells, of which each varies by it or changed, whichever is likelier: the variance at which the product of the larger
/// likelihoods is largest.
///
/// A change fits its cell exactly and costs `change`, the logarithm of the number of places that it could have been at, whatever the spread. So one
/// of ten cells that lies far out is a change, and where half of them do, that is how much they vary: it is their changes that would be too many to be
/// a coincidence. Rejecting what lies far out for each spread by itself (see [`dispersion`]) takes the smallest spread for which the rest is calm.
pub fn spread_or_changes(cells: &[Cell], change: f64) -> Spread {
    const STEPS: usize = 60;
    let cost = |variance: f64| -> f64 {
        let of = |cell: &Cell| {
            let wider = cell.variance + variance;
            let ln = 0.5 * (wider / cell.variance).ln();
            (ln + cell.effect * cell.effect / wider / 2.0).min(change)
        };
        cells.iter().map(of).sum()
    };
    let (mut best, mut least) = (0.0, cost(0.0));
    let smallest = cells.iter().map(|cell| cell.variance).fold(f64::INFINITY, f64::min);
    let largest = cells.iter().map(|cell| cell.effect * cell.effect).fold(0.0, f64::max);
    let (low, high) = (smallest / 100.0, largest.max(smallest));
    if cells.len() >= 2 && smallest > 0.0 && high.is_finite() {
        let step = (high / low).powf(1.0 / STEPS as f64);
        let mut variance = low;
        for _ in 0..=STEPS {
            let cost = cost(variance);
            if cost < least {
                (best, least) = (variance, cost);
            }
            variance *= step;
        }
    }
    let told: f64 = cells.iter().map(|cell| (best / (best + cell.variance)).powi(2)).sum();
    Spread { variance: best, freedom: (told - 1.0).max(0.0) }
}

/// How much likelier some cells of a control group around 0 come in bursts than that all are calm, with variances as known, and what lies `apart`
/// changed: the logarithm of the ratio of the likelihoods, the best of a grid of how many and how wide; 0 or more.
///
/// Bursts are a mixture of two normals (an empirical null with heavy tails). Each change fits its cell exactly and costs `change`, the logarithm of
/// the number of places that it could have been at; so a few clear changes beside a calm bulk are likelier changes, and many of them, or some beside a
/// bulk with outliers too small to be found, are likelier bursts.
pub fn burst_evidence(bulk: &[Cell], apart: &[Cell], change: f64) -> f64 {
    const PARTS: [f64; 5] = [0.02, 0.05, 0.1, 0.2, 0.35];
    // What comes in bursts varies by tens of percent; some changes of a few percent are no bursts.
    const VARIANCES: [f64; 3] = [0.1, 0.3, 1.0];
    let mut best = 0.0_f64;
    for variance in VARIANCES {
        // Likelihood as one that bursts over likelihood as a calm one, as a logarithm.
        let ln_ratio = |cell: &Cell| {
            let wider = cell.variance + variance;
            0.5 * (cell.variance / wider).ln() + cell.effect * cell.effect / 2.0 * (1.0 / cell.variance - 1.0 / wider)
        };
        let ratios: Vec<f64> = bulk.iter().map(|cell| ln_ratio(cell).min(600.0).exp()).collect();
        let ends: f64 = apart.iter().map(|cell| ln_ratio(cell) - cell.effect * cell.effect / cell.variance / 2.0 + change).sum();
        for part in PARTS {
            let inner: f64 = ratios.iter().map(|ratio| (part * (ratio - 1.0)).ln_1p()).sum();
            best = best.max(inner + ends + apart.len() as f64 * part.ln());
        }
    }
    best
}

/// Median of the effects, each weighted by its precision, capped so that no ten cells rule.
pub fn weighted_median(cells: &[Cell]) -> f64 {
    /// So many are sorted.
    const FEW: usize = 32;
    let mut all: Vec<(f64, f64)> = capped(cells).collect();
    let half = all.iter().map(|cell| cell.1).sum::<f64>() / 2.0;
    // Of the rest the half in which it lies, with the weight of all before it and the least effect of all behind it.
    let (mut rest, mut sum, mut behind) = (all.as_mut_slice(), 0.0, None);
    while rest.len() > FEW {
        let (before, _, _) = rest.select_nth_unstable_by(rest.len() / 2, |a, b| a.0.total_cmp(&b.0));
        let below = sum + before.iter().map(|cell| cell.1).sum::<f64>();
        let middle = before.len();
        let (before, after) = rest.split_at_mut(middle);
        if below < half * (1.0 - 1e-12) {
            (rest, sum) = (after, below);
        } else {
            // The middle one is the least of those behind.
            behind = after.first().map(|cell| cell.0);
            rest = before;
        }
    }
    rest.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, &(effect, weight)) in rest.iter().enumerate() {
        sum += weight;
        if sum > half * (1.0 + 1e-12) {
            return effect;
        }
        // Exactly half on each side: the middle of both, so that the sign does not matter.
        if sum >= half * (1.0 - 1e-12) {
            return rest.get(at + 1).map(|next| next.0).or(behind).map_or(effect, |next| f64::midpoint(effect, next));
        }
    }
    behind.unwrap_or(0.0)
}

/// Effects with weights 1 / variance, none above a tenth of the sum.
fn capped(cells: &[Cell]) -> impl Iterator<Item = (f64, f64)> {
    let sum: f64 = cells.iter().map(|cell| 1.0 / cell.variance).sum();
    let cap = if cells.len() > 10 { sum / 10.0 } else { f64::INFINITY };
    cells.iter().map(move |cell| (cell.effect, (1.0 / cell.variance).min(cap)))
}

/// Where the bulk of the cells lies, and the variance of that place: Tukey's biweight (cut at 4.685 standard deviations) from the
/// weighted median on, weights by precision with `extra` variance per cell, capped. `None` without cells.
pub fn biweight(cells: &[Cell], extra: f64) -> Option<(f64, f64)> {
    const CUT: f64 = 4.685;
    let mut centre = weighted_median(cells);
    let widened: Vec<Cell> = cells.iter().map(|cell| Cell { variance: cell.variance + extra, ..*cell }).collect();
    // Effect, capped precision, one over the distance at which a cell counts for nothing.
    let rows: Vec<[f64; 3]> = widened
        .iter()
        .zip(capped(&widened))
        .map(|(cell, (effect, precision))| [effect, precision, 1.0 / (CUT * cell.variance.sqrt())])
        .collect();
    let weight_of = |&[effect, precision, cut]: &[f64; 3], centre: f64| {
        let u = (effect - centre) * cut;
        precision * (1.0 - u * u).max(0.0).powi(2)
    };
    for _ in 0..30 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for row in &rows {
            let weight = weight_of(row, centre);
            sum += weight * row[0];
            weights += weight;
        }
        if weights <= 0.0 {
            break;
        }
        let next = sum / weights;
        let moved = (next - centre).abs();
        centre = next;
        if moved < 1e-10 {
            break;
        }
    }
    // Variance of a weighted mean with these weights, taken from the residuals (sandwich) or the model, whichever is larger.
    let (mut weights, mut model, mut sandwich) = (0.0, 0.0, 0.0);
    for (cell, row) in widened.iter().zip(&rows) {
        let weight = weight_of(row, centre);
        weights += weight;
        model += weight * weight * cell.variance;
        sandwich += weight * weight * (cell.effect - centre).powi(2);
    }
    (weights > 0.0).then(|| (centre, f64::max(model, sandwich) / (weights * weights)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of our own, so that tests do not depend on a crate's version: xorshift with a multiplier.
    struct Random(u64);

    impl Random {
        fn normal(&mut self) -> f64 {
            let mut uniform = || {
                self.0 ^= self.0 >> 12;
                self.0 ^= self.0 << 25;
                self.0 ^= self.0 >> 27;
                (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
            };
            (1..=12).map(|_| uniform()).sum::<f64>() - 6.0
        }
    }

    #[test]
    fn the_weighted_median_is_where_half_of_the_weight_lies() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f64 / f64::from(1_u32 << 24)
        };
        for count in [1, 2, 3, 33, 64, 500, 5001] {
            // Few different effects and weights: many are equal, and exactly half is common.
            let cells: Vec<Cell> =
                (0..count).map(|_| Cell { effect: (next() * 50.0).floor(), variance: if next() < 0.5 { 1.0 } else { 0.5 } }).collect();
            let mut sorted: Vec<(f64, f64)> = capped(&cells).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let whole: f64 = sorted.iter().map(|cell| cell.1).sum();
            let median = weighted_median(&cells);
            let part = |keep: &dyn Fn(f64) -> bool| sorted.iter().filter(|cell| keep(cell.0)).map(|cell| cell.1).sum::<f64>();
            assert!(part(&|effect| effect < median) <= whole / 2.0 + 1e-9 && part(&|effect| effect > median) <= whole / 2.0 + 1e-9);
            let mirrored: Vec<Cell> = cells.iter().map(|cell| Cell { effect: -cell.effect, ..*cell }).collect();
            assert!((weighted_median(&mirrored) + median).abs() < 1e-12, "{count} cells");
        }
    }

    /// Of 160 functions one in eight varies by 60 %; of as many calm ones the evidence passes 2 in no more than a few of a hundred draws.
    #[test]
    fn bursts_are_told_from_sampling() {
        let mut random = Random(11);
        let mut draw = |bursty: bool| -> f64 {
            let cells: Vec<Cell> = (0..160)
                .map(|row| {
                    let variance: f64 = [0.002, 0.01, 0.04][row % 3];
                    let burst = if bursty && row % 8 == 0 { 0.36 } else { 0.0 };
                    Cell { effect: random.normal() * (variance + burst).sqrt(), variance }
                })
                .collect();
            burst_evidence(&cells, &[], 6.5)
        };
        let calm = (0..100).filter(|_| draw(false) > 2.0).count();
        let bursty = (0..100).filter(|_| draw(true) > 2.0).count();
        assert!(calm <= 6 && bursty >= 97, "{calm} of 100 calm and {bursty} of 100 bursty draws");
        assert!(burst_evidence(&[], &[], 6.5).abs() < 1e-12, "nothing is known of no cells");
        // Beside a calm bulk five clear changes are changes, twenty are bursts.
        let calm: Vec<Cell> = (0..150).map(|row| Cell { effect: [-0.1, 0.0, 0.1][row % 3], variance: 0.01 }).collect();
        let apart = |count: usize| vec![Cell { effect: 0.6, variance: 0.01 }; count];
        assert!(burst_evidence(&calm, &apart(5), 6.5) < 2.0, "five changes");
        assert!(burst_evidence(&calm, &apart(20), 6.5) > 2.0, "twenty bursts");
    }

    /// Of ten subtrees: some vary by 5 % where sampling makes 1 %, some are calm but for one change of eight standard deviations.
    #[test]
    fn what_varies_is_told_from_a_change() {
        let mut random = Random(3);
        let (mut varied, mut squares, mut calm) = (0, 0.0, 0);
        for _ in 0..200 {
            let mut draw = |spread: f64| -> Vec<Cell> {
                let variance: f64 = 1e-4;
                (0..10).map(|_| Cell { effect: random.normal() * (variance + spread * spread).sqrt(), variance }).collect()
            };
            let cells = draw(0.05);
            let found = spread_or_changes(&cells, 6.5).variance;
            varied += usize::from(found > 0.025 * 0.025);
            squares += found / 200.0;
            // From below the least spread is taken that leaves most of them calm.
            assert!(found > 0.5 * dispersion(&cells, Some(0.0), 0.0, 0.0).variance, "{cells:?}");
            let mut cells = draw(0.0);
            cells[0].effect = 0.12;
            calm += usize::from(spread_or_changes(&cells, 6.5).variance < 1e-4);
        }
        assert!(varied >= 196 && calm >= 190, "{varied} of 200 that vary, {calm} of 200 with a change");
        assert!((squares.sqrt() - 0.05).abs() < 0.003, "{}", squares.sqrt());
        assert_eq!(spread_or_changes(&[], 6.5), Spread { variance: 0.0, freedom: 0.0 });
    }

    /// Of twenty functions six are known to 1 %, the others to 20 %: that the six vary by 7 % is seen, though most cells do not show it; and of six that lie
    /// together one that does not is a change. Twenty that lie within 1 % show that the prior of 5 % is wrong about them.
    #[test]
    fn few_cells_vary_by_what_those_show_that_can() {
        let mut random = Random(5);
        let (mut seen, mut calm, mut close) = (0, 0, 0);
        for _ in 0..200 {
            let mut draw = |spread: f64| -> Vec<Cell> {
                let variance = |row: usize| if row < 6 { 1e-4 } else { 0.04 };
                (0..20)
                    .map(|row| Cell { effect: random.normal() * f64::sqrt(variance(row) + spread * spread), variance: variance(row) })
                    .collect()
            };
            seen += usize::from(dispersion(&draw(0.07), None, 0.0025, 4.0).variance > 0.02 * 0.02);
            let mut cells = draw(0.0);
            cells[0].effect = 0.15;
            calm += usize::from(dispersion(&cells, None, 0.0, 0.0).variance < 0.02 * 0.02);
            let cells: Vec<Cell> = cells.iter().map(|cell| Cell { effect: cell.effect.clamp(-0.01, 0.01), variance: 1e-4 }).collect();
            close += usize::from(dispersion(&cells, None, 0.0025, 4.0).variance < 0.01 * 0.01);
        }
        assert!(seen >= 190 && calm >= 190 && close == 200, "{seen} seen, {calm} calm, {close} close of 200");
    }

    #[test]
    fn dispersion_is_found_and_changes_do_not_feign_it() {
        let mut random = Random(7);
        for (truth, planted) in [(0.0, 0), (0.0, 20), (0.05, 0), (0.05, 20), (0.2, 0)] {
            let cells: Vec<Cell> = (0..300)
                .map(|row| {
                    let variance: f64 = 0.0004;
                    let shift = if row < planted { 1.0 } else { 0.0 };
                    Cell { effect: 0.1 + shift + random.normal() * (variance + truth * truth).sqrt(), variance }
                })
                .collect();
            let found = dispersion(&cells, None, 0.0025, 4.0).variance.sqrt();
            assert!((found - truth).abs() < 0.012, "{found} instead of {truth} with {planted} changes");
            let (centre, variance) = biweight(&cells, found * found).unwrap();
            assert!((centre - 0.1).abs() < 4.0 * variance.sqrt(), "the bulk lies at {centre}");
        }
        assert!((dispersion(&[], None, 0.01, 4.0).variance - 0.01).abs() < 1e-12, "without cells only the prior speaks");
    }
}
