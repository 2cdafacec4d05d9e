//! R15: is the smallest growth that a row says it would find the one that is found in four of five pairs?

use crate::generate::{Capture, Ground, Noise, Program, Scope, draw};
use crate::random::Random;
use crate::score::{self, Planted, Sums};
use crate::{Run, row};
use emberlens::analysis::diff::Measure;
use emberlens::analysis::regress::findings;

/// Growth is planted between these parts of what the row of an unchanged pair states, evenly in its logarithm.
const PARTS: (f64, f64) = (0.6, 1.6);

/// A planted growth as a part of the stated one, and whether it was found.
type Outcome = (f64, bool);

/// One function's self or total: stated on an unchanged pair, planted in another of the same program.
fn outcome(random: &mut Random, capture: &Capture) -> Option<Outcome> {
    let program = Program::new(capture.family, random);
    let mut ground = Ground::new(&program, &program);
    let stated = findings(&draw(&ground, capture, random), &[], &score::spec())?;
    let [selfs, totals, ..] = Scope::all(&ground);
    for _ in 0..200 {
        let measure = Measure::ALL[random.below(2)];
        let scopes = if measure == Measure::Self_ { &selfs } else { &totals };
        let scope = scopes[random.below(scopes.len())].clone();
        let cells = ground.cells(&scope);
        let share = ground.sum(0, &cells);
        let place = ground.shape.places.find(&scope.function)?;
        let growth = stated.diff.table(measure).minimum_detectable[place.row()];
        let part = random.between(PARTS.0.ln(), PARTS.1.ln()).exp();
        let ratio = 1.0 + part * growth;
        // A change of most of everything is another program.
        if !(share > 0.0 && ratio < 20.0 && share * ratio < 0.3) {
            continue;
        }
        ground.change(&cells, ratio);
        let change = Planted { extra: score::extra(&ground, capture, &cells), scope, cells, ratio };
        let comparison = draw(&ground, capture, random);
        let Sums { found, .. } = score::judge(&ground, &comparison, capture, &[change]);
        return Some((part, found > 0.0));
    }
    None
}

/// The part at which four of five are found, with its standard error in logarithms: a logistic curve over the logarithm of the part, fitted by
/// maximum likelihood (Newton's steps).
fn four_of_five(outcomes: &[Outcome]) -> (f64, f64) {
    let (mut start, mut slope) = (0.0_f64, 5.0_f64);
    let mut inverse = [0.0; 3];
    for _ in 0..40 {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for &(part, found) in outcomes {
            let x = part.ln();
            let chance = 1.0 / (1.0 + (-(start + slope * x)).exp());
            let (rest, weight) = (f64::from(found) - chance, chance * (1.0 - chance));
            gradient = [gradient[0] + rest, gradient[1] + rest * x];
            hessian = [hessian[0] + weight, hessian[1] + weight * x, hessian[2] + weight * x * x];
        }
        let [a, b, c] = hessian;
        let scale = a * c - b * b;
        if scale.abs() < 1e-9 {
            return (f64::NAN, f64::NAN);
        }
        inverse = [c / scale, -b / scale, a / scale];
        start += (inverse[0] * gradient[0] + inverse[1] * gradient[1]).clamp(-2.0, 2.0);
        slope += (inverse[1] * gradient[0] + inverse[2] * gradient[1]).clamp(-2.0, 2.0);
    }
    let at = (4.0_f64.ln() - start) / slope;
    let variance = (inverse[0] + 2.0 * at * inverse[1] + at * at * inverse[2]) / (slope * slope);
    (at.exp(), variance.sqrt())
}

pub(crate) fn rows(run: &Run) {
    use rayon::prelude::*;
    if !run.wants("R15") {
        return;
    }
    let even = [1e4, 1e5, 1e6].map(|samples| (format!("N = {samples:.0e}"), Capture::of(samples)));
    let noisy = ("5 % per function, N = 1e5".to_owned(), Capture { noise: Noise::Functions(0.05), ..Capture::of(1e5) });
    for (at, (what, capture)) in even.into_iter().chain([noisy]).enumerate() {
        let stream = 260 + at as u64;
        let pairs = 0..80 * run.scale as u64;
        let outcomes: Vec<Outcome> =
            pairs.into_par_iter().filter_map(|pair| outcome(&mut Random::new(run.seed + pair, stream), &capture)).collect();
        let (part, error) = four_of_five(&outcomes);
        row(
            "R15",
            &format!("smallest growth found in 80 %, {what}: measured / stated"),
            "0.9-1.1",
            &format!("{part:.2} ± {:.2}", part * error),
            Some((0.9..=1.1).contains(&part)),
            outcomes.len() as f64,
        );
    }
}
