//! Is a difference of two counts larger than chance, how large is it, and what could have been seen?
//!
//! Everything works on counts of events, which may be fractions (effective counts of unequal weights, see [`events`](super::events)).
//! Knows nothing of profiles. Start reading at [`ratio_test`], then [`ratio_interval`], then
//! [`bulk::dispersion`].

pub mod bulk;
pub mod special;

use special::{beta_quantile, incomplete_beta, ln_beta, normal_cdf, normal_quantile, normal_tail_ln, two_sided};

/// Outcome of one test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// Signed size of the evidence in standard deviations: positive = more after than the exposure explains.
    pub z: f64,
    /// Two-sided p value.
    pub p: f64,
}

impl Test {
    /// Nothing known.
    pub const NONE: Self = Self { z: 0.0, p: 1.0 };

    fn of_z(z: f64) -> Self {
        Self { z, p: two_sided(z) }
    }
}

/// Counts up to this many are tested by the exact distribution; above it the saddlepoint form gives p within 5 % of it.
const EXACT_EVENTS: f64 = 60.0;
/// And so are counts with fewer than this many on one side.
const EXACT_SIDE: f64 = 8.0;

/// Tests `before` events against `after` events, where `exposure` times as many are expected after as before.
///
/// Two Poisson counts, given their sum, are binomial with `exposure / (1 + exposure)`; the unknown common rate is gone and the test is
/// the uniformly most powerful unbiased one. Mid-p, so that its mean under no change is 1/2. Small counts: regularised incomplete
/// beta function; larger ones: signed root of the deviance `r` with Barndorff-Nielsen's correction `r + ln(v/r)/r`, `v` the Wald
/// statistic of the log odds.
pub fn ratio_test(before: f64, after: f64, exposure: f64) -> Test {
    if !is_testable(before, after, exposure) {
        return Test::NONE;
    }
    let (n, p) = (before + after, exposure / (1.0 + exposure));
    // Effective counts of swapped sides differ by rounding.
    if n <= EXACT_EVENTS * (1.0 + 1e-9) || before.min(after) < EXACT_SIDE * (1.0 - 1e-9) {
        return exact(before, after, p, exposure);
    }
    Test::of_z(corrected_root(before, after, exposure))
}

/// z of [`ratio_test`] with a variance `extra` of ln(after / before) beyond sampling, for very many groups: closed forms only, 0.06 standard
/// deviations off at small counts.
pub fn quick_z(before: f64, after: f64, exposure: f64, extra: f64) -> f64 {
    if !is_testable(before, after, exposure) {
        return 0.0;
    }
    let z = if before >= 1.0 && after >= 1.0 { corrected_root(before, after, exposure) } else { root(before, after, exposure) };
    z * widening(z, before, after, exposure, extra)
}

/// Natural logarithm of the two-sided p value of [`quick_z`].
pub fn quick_ln_p(before: f64, after: f64, exposure: f64, extra: f64) -> f64 {
    if extra == 0.0 && before.min(after) <= 0.0 && is_testable(before, after, exposure) {
        // All on one side has probability p^n; its half is the tail.
        let p = exposure / (1.0 + exposure);
        return (before + after) * if before <= after { p.ln() } else { (1.0 - p).ln() };
    }
    /// Steps of the table per unit of z, and its end: beyond it lies what no picture tells apart.
    const STEPS: f64 = 64.0;
    const END: usize = 40 * 64;
    static TABLE: std::sync::OnceLock<Vec<f64>> = std::sync::OnceLock::new();
    let table = TABLE.get_or_init(|| (0..=END + 1).map(|step| ln_p(step as f64 / STEPS)).collect());
    let step = (quick_z(before, after, exposure, extra).abs() * STEPS).min(END as f64);
    let at = step as usize;
    table.get(at).zip(table.get(at + 1)).map_or(0.0, |(low, high)| low + (high - low) * (step - at as f64))
}

fn is_testable(before: f64, after: f64, exposure: f64) -> bool {
    let n = before + after;
    before >= 0.0 && after >= 0.0 && n > 0.0 && exposure > 0.0 && exposure.is_finite() && n.is_finite()
}

/// At least the square of [`quick_z`] without variance beyond sampling, and without a logarithm: for leaving out most of very many groups.
///
/// The divergence of two distributions is at most their chi-square, so the deviance is at most twice Pearson's statistic; the correction adds 2 ln(v/r)
/// and less, which is small where the statistic is.
pub fn evidence_at_most(before: f64, after: f64, exposure: f64) -> f64 {
    let n = before + after;
    let expected = n * exposure / (1.0 + exposure);
    let surplus = after - expected;
    2.0 * surplus * surplus * n / (expected * (n - expected)) + 2.0
}

/// Mid-p of `after` or more (or fewer) of `before + after`.
fn exact(before: f64, after: f64, p: f64, exposure: f64) -> Test {
    // The smaller tail for itself: one minus the larger would lose all digits. At least `count` less half of exactly `count`.
    let above = after > (before + after) * p;
    let (count, other, p) = if above { (after, before, p) } else { (before, after, 1.0 - p) };
    let exactly = (count * p.ln() + other * (-p).ln_1p() - (before + after + 1.0).ln() - ln_beta(count + 1.0, other + 1.0)).exp();
    let at_least = if count > 0.0 { incomplete_beta(count, other + 1.0, p) } else { 1.0 };
    let tail = at_least - exactly / 2.0;
    // Beside the mean even the nearer tail can hold more than half.
    let (tail, above) = if tail > 0.5 { (1.0 - tail, !above) } else { (tail, above) };
    let sign = if above { 1.0 } else { -1.0 };
    if tail < 1e-280 {
        // Below the smallest numbers: the uncorrected root keeps the order of such rows.
        return Test::of_z(root(before, after, exposure));
    }
    Test { z: -sign * normal_quantile(tail), p: (2.0 * tail).min(1.0) }
}

/// Signed root of the binomial deviance.
fn root(before: f64, after: f64, exposure: f64) -> f64 {
    root_and_odds(before, after, exposure).0
}

/// The same with the log odds beside those expected: infinite where a side has nothing.
fn root_and_odds(before: f64, after: f64, exposure: f64) -> (f64, f64) {
    /// Below this, two logarithms that nearly cancel leave too few digits of billions of events; further terms of the series are less than 1e-12 of it.
    const NEAR: f64 = 1e-3;
    let n = before + after;
    let expected = n * exposure / (1.0 + exposure);
    let other = n - expected;
    let surplus = (after - before * exposure) / (1.0 + exposure);
    let (above, below) = (surplus / expected, -surplus / other);
    if above.abs().max(below.abs()) < NEAR {
        // (1 + d) ln(1 + d) - d: the terms -d of both parts cancel.
        let part = |seen: f64, d: f64| seen * d * d * (0.5 - d * (1.0 / 6.0 - d * (1.0 / 12.0 - d / 20.0)));
        let deviance = 2.0 * (part(expected, above) + part(other, below));
        return (deviance.sqrt() * surplus.signum(), above.ln_1p() - below.ln_1p());
    }
    let (up, down) = ((after / expected).ln(), (before / other).ln());
    let part = |seen: f64, ln: f64| if seen > 0.0 { seen * ln } else { 0.0 };
    let deviance = 2.0 * (part(after, up) + part(before, down));
    (deviance.max(0.0).sqrt() * surplus.signum(), up - down)
}

fn corrected_root(before: f64, after: f64, exposure: f64) -> f64 {
    let (r, odds) = root_and_odds(before, after, exposure);
    // Near 0 the correction is a quotient of two vanishing numbers; no decision is made there.
    if r.abs() < 0.05 {
        return r;
    }
    let wald = odds * (before * after / (before + after)).sqrt();
    r + (wald / r).ln() / r
}

/// Interval of (after / before) / exposure that holds the true ratio with probability `level` (two-sided).
///
/// With f the part of the events that lie after, the odds of Beta(f·n + ½, (1−f)·n + ½) quantiles over the exposure. 0 and infinity are
/// possible where one side has no event.
pub fn ratio_interval(before: f64, after: f64, exposure: f64, level: f64) -> (f64, f64) {
    let z = -normal_quantile((1.0 - level) / 2.0);
    ratio_quantiles(before, after, exposure, [-z, z])
}

/// The logarithm of the odds of Beta(a, b) at a quantile of a normal, for a and b from 12 on: its cumulants are differences and sums of the logarithmic
/// derivatives of the gamma function (here by Stirling's series), and Cornish and Fisher's expansion makes quantiles of them. Within 0.2 % of the
/// width of the exact interval.
fn log_odds(a: f64, b: f64, z: f64) -> f64 {
    // Each without its leading sign: they add up for even cumulants and cancel for odd ones.
    let cumulants = |x: f64| {
        let r = 1.0 / x;
        let (r2, r3) = (r * r, r * r * r);
        let first = -r / 2.0 - r2 / 12.0 + r2 * r2 / 120.0;
        let second = r + r2 / 2.0 + r3 / 6.0 - r3 * r2 / 30.0;
        let third = -r2 - r3 - r2 * r2 / 2.0 + r3 * r3 / 6.0;
        let fourth = 2.0 * r3 + 3.0 * r2 * r2 + 2.0 * r3 * r2 - r3 * r3 * r;
        [first, second, third, fourth]
    };
    let (of_a, of_b) = (cumulants(a), cumulants(b));
    let mean = (a / b).ln() + of_a[0] - of_b[0];
    let variance = of_a[1] + of_b[1];
    let skew = (of_a[2] - of_b[2]) / (variance * variance.sqrt());
    let excess = (of_a[3] + of_b[3]) / (variance * variance);
    let cubed = z * z * z;
    let w = z + (z * z - 1.0) * skew / 6.0 + (cubed - 3.0 * z) * excess / 24.0 - (2.0 * cubed - 5.0 * z) * skew * skew / 36.0;
    mean + w * variance.sqrt()
}

/// [`ratio_interval`] with its ends at two quantiles of a normal.
fn ratio_quantiles(before: f64, after: f64, exposure: f64, ends: [f64; 2]) -> (f64, f64) {
    if !(before >= 0.0 && after >= 0.0 && before + after > 0.0 && exposure > 0.0) {
        return (0.0, f64::INFINITY);
    }
    let [low, high] = ends;
    let odds = |x: f64| if x < 1.0 { x / (1.0 - x) / exposure } else { f64::INFINITY };
    if before.min(after) >= 12.0 {
        return (log_odds(after + 0.5, before + 0.5, low).exp() / exposure, log_odds(after + 0.5, before + 0.5, high).exp() / exposure);
    }
    let lo = if after > 0.0 { odds(beta_quantile(after + 0.5, before + 0.5, normal_cdf(low))) } else { 0.0 };
    let hi = if before > 0.0 { odds(beta_quantile(after + 0.5, before + 0.5, normal_cdf(high))) } else { f64::INFINITY };
    (lo, hi)
}

/// Ends of the interval that holds the true evidence with 95 % at least, as distances from `z`, where it is known only because |z| passed `threshold`:
/// towards no change the tail of a normal that is cut to what passes, since what is selected for being large is on average too large. It is never too small
/// for that, so the other end is that of what was not selected.
pub fn selected_ends(z: f64, threshold: f64) -> [f64; 2] {
    const TAIL: f64 = 0.025;
    let size = z.abs().max(threshold);
    // Part of the selected values above the seen one, for a true mean: rises with the mean.
    let above = |mean: f64| {
        let tail = |x: f64| if x >= 0.0 { normal_tail_ln(x) } else { (-normal_tail_ln(-x).exp()).ln_1p() };
        let (seen, upper, lower) = (tail(size - mean), tail(threshold - mean), tail(threshold + mean));
        let most = upper.max(lower);
        (seen - most - ((upper - most).exp() + (lower - most).exp()).ln()).exp()
    };
    let solve = |part: f64| {
        let (mut low, mut high) = (-threshold - 3.0, size + 3.0);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if above(middle) < part { low = middle } else { high = middle }
        }
        high
    };
    // What only just passed says of its own size alone that it is smaller than any, and the end runs off: the interval reaches no further to the other
    // side than one standard deviation beyond no change.
    let ends = [(solve(TAIL) - size).clamp(-size - 1.0, 0.0), -normal_quantile(TAIL)];
    if z >= 0.0 { ends } else { [-ends[1], -ends[0]] }
}

/// What counts shrink to when their logarithm also varies by `extra` (variance) for reasons other than sampling: the part that
/// sampling has in the whole variance of ln(after / before). Below 0, down to nine tenths of the sampling, for what is held against a whole
/// that it is part of.
pub fn sampling_part(before: f64, after: f64, extra: f64) -> f64 {
    let sampling = 1.0 / (before + 0.5) + 1.0 / (after + 0.5);
    sampling / (sampling + extra.max(-0.9 * sampling))
}

/// What is not known about a group beyond its counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    /// Variance of ln(after / before) beyond sampling.
    pub extra: f64,
    /// Degrees of freedom of the whole variance: infinite where only sampling counts.
    pub freedom: f64,
}

impl Doubt {
    /// Sampling alone.
    pub const NONE: Self = Self { extra: 0.0, freedom: f64::INFINITY };
}

/// From here on Student's distribution is taken as normal.
const MANY: f64 = 400.0;

/// Two-sided p value of Student's t.
pub fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if freedom >= MANY {
        return two_sided(t);
    }
    if t.is_nan() { 1.0 } else { incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)).min(1.0) }
}

/// Student's quantile at the probability of a normal quantile `z`: Cornish and Fisher's expansion, within 2 % for 4 degrees of freedom and |z| up
/// to 3, closer for more.
pub fn student_from_normal(z: f64, freedom: f64) -> f64 {
    if freedom >= MANY {
        return z;
    }
    let (z2, n) = (z * z, freedom.max(2.0));
    let one = (z2 + 1.0) / 4.0;
    let two = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let three = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    z * (1.0 + one / n + two / (n * n) + three / (n * n * n))
}

/// A test of counts whose logarithm also varies by `extra` (variance) for reasons other than sampling. The test says how many of its own standard
/// deviations the effect is, and so how large one of them is; the other variance is added to that. Counts shrunk by [`sampling_part`] have the
/// same variance, but not its shape: of 2 events against 94 they make 7 standard deviations where the logarithm lies within 4.
fn widened(test: Test, before: f64, after: f64, exposure: f64, extra: f64) -> Test {
    if extra == 0.0 || test.z == 0.0 {
        return test;
    }
    Test::of_z(test.z * widening(test.z, before, after, exposure, extra))
}

/// What is left of z.
fn widening(z: f64, before: f64, after: f64, exposure: f64, extra: f64) -> f64 {
    if extra == 0.0 || z == 0.0 {
        return 1.0;
    }
    let effect = ((after + 0.5) / (before + 0.5) / exposure).ln();
    let both = before + after + 1.0;
    let unchanged = (1.0 + exposure).powi(2) / (both * exposure);
    // Small effects say little about it, and half an event may turn their sign.
    let sampling = if z.abs() >= 1.0 && effect * z > 0.0 { (effect / z).powi(2) } else { unchanged };
    (sampling / (sampling + extra.max(-0.9 * sampling))).sqrt()
}

/// [`ratio_test`] where the logarithm of the ratio varies beyond sampling by a variance that is itself only estimated.
pub fn doubtful_test(before: f64, after: f64, exposure: f64, doubt: Doubt) -> Test {
    let test = widened(ratio_test(before, after, exposure), before, after, exposure, doubt.extra);
    if doubt.freedom >= MANY || doubt.extra <= 0.0 {
        return test;
    }
    let p = student_two_sided(test.z, doubt.freedom);
    if p <= 0.0 || p >= 1.0 {
        return Test { z: if p >= 1.0 { 0.0 } else { test.z }, p };
    }
    Test { z: -test.z.signum() * normal_quantile(p / 2.0), p }
}

/// [`ratio_interval`] between two quantiles of a normal (`[-1.96, 1.96]` for 95 %) with the same doubt.
pub fn doubtful_interval(before: f64, after: f64, exposure: f64, doubt: Doubt, ends: [f64; 2]) -> (f64, f64) {
    let part = sampling_part(before, after, doubt.extra);
    let freedom = if doubt.extra > 0.0 { doubt.freedom } else { f64::INFINITY };
    let [low, high] = ends.map(|z| student_from_normal(z, freedom));
    ratio_quantiles(before * part, after * part, exposure, [low, high])
}

/// Smallest growth (0.25 = +25 %) that a test at `level` finds with 80 % power, for a row of `before` events with `exposure` times as many
/// expected after, and further variance `extra` of ln(ratio). Infinite where no growth below 1,000-fold would be found.
///
/// Solves ln r = (z(level/2) + z(0.2)) · sqrt(1/A + 1/(A·E·r) + extra).
pub fn minimum_detectable(before: f64, exposure: f64, extra: f64, level: f64) -> f64 {
    minimum_detectable_at(before, exposure, extra, power_width(level))
}

/// The z below which a standard normal lies with probability 80 %.
const POWER: f64 = 0.841_621_233_572_914_2;

/// Standard deviations between no change and a change found with 80 % power at `level`.
pub fn power_width(level: f64) -> f64 {
    -normal_quantile(level / 2.0) + POWER
}

/// [`minimum_detectable`] for very many rows, with [`power_width`] of the level.
pub fn minimum_detectable_at(before: f64, exposure: f64, extra: f64, width: f64) -> f64 {
    if !(before > 0.0 && exposure > 0.0) {
        return f64::INFINITY;
    }
    let mut ln_ratio = 0.0_f64;
    for step in 0..60 {
        let next = width * (1.0 / before + (-ln_ratio).exp() / (before * exposure) + extra).sqrt();
        let moved = (next - ln_ratio).abs();
        // The right side falls with the ratio, so steps swing around the answer: halving them is sure, plain ones are quick near it.
        ln_ratio = if step < 2 || moved < 0.1 { next } else { f64::midpoint(next, ln_ratio) };
        if moved < 1e-7 {
            break;
        }
    }
    if ln_ratio > 7.0 { f64::INFINITY } else { ln_ratio.exp_m1() }
}

/// What would be needed to find a growth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needed {
    /// Times as many samples on both sides; infinite where no number of samples is enough, because runs differ by more.
    pub samples: f64,
    /// Times as many runs of both sides, each as long as those there are.
    pub runs: f64,
}

impl Needed {
    /// Nothing is known of the place.
    pub const UNKNOWN: Self = Self { samples: f64::INFINITY, runs: f64::INFINITY };
}

/// What is needed to find `growth` (0.1 = 10 %) with 80 % power at the level of `width` (see [`power_width`]); other arguments as of
/// [`minimum_detectable`], of which this is the inverse: more samples make the sampling part of the variance smaller, more runs all of it.
pub fn needed(before: f64, exposure: f64, extra: f64, width: f64, growth: f64) -> Needed {
    let allowed = (growth.ln_1p() / width).powi(2);
    if !(before > 0.0 && exposure > 0.0 && allowed > 0.0) {
        return Needed::UNKNOWN;
    }
    let sampling = 1.0 / before + 1.0 / (before * exposure * (1.0 + growth));
    let samples = if allowed > extra { sampling / (allowed - extra) } else { f64::INFINITY };
    Needed { samples, runs: (sampling + extra) / allowed }
}

/// A width of [`power_width`] where the variance is itself only estimated, with so many degrees of freedom: the test's threshold is Student's.
pub fn doubtful_width(width: f64, freedom: f64) -> f64 {
    let threshold = width - POWER;
    width + student_from_normal(threshold, freedom) - threshold
}

/// Benjamini–Hochberg: the smallest false discovery rate at which each row would be reported, in the order given. Rows that are not
/// finite count as 1.
pub fn false_discovery(p: &[f64]) -> Vec<f64> {
    let value = |row: usize| p.get(row).copied().filter(|p| p.is_finite()).unwrap_or(1.0);
    // Rows of equal p have the same rate, whichever comes first.
    let mut order: Vec<(f64, usize)> = (0..p.len()).map(|row| (value(row), row)).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (above, (value, row)) in order.into_iter().enumerate() {
        least = least.min(value * p.len() as f64 / (p.len() - above) as f64);
        if let Some(q) = q.get_mut(row) {
            *q = least;
        }
    }
    q
}

/// How sure a p value makes, 0 to 1, after a search of `tests` places: 0 where chance alone brings such a place, 1 where it never does.
pub fn certainty(p: f64, tests: f64) -> f64 {
    (1.0 - p * tests.max(1.0)).clamp(0.0, 1.0)
}

/// Natural logarithm of the two-sided p value of a z value; stays finite where the p value itself is 0.
pub fn ln_p(z: f64) -> f64 {
    normal_tail_ln(z.abs()) + std::f64::consts::LN_2
}

/// Part of a standard normal below z.
pub fn below(z: f64) -> f64 {
    normal_cdf(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, golden: f64, relative: f64, what: &str) {
        assert!((ours - golden).abs() <= relative * golden.abs(), "{what}: {ours} instead of {golden}");
    }

    /// Golden: two-sided mid-p from SciPy 1.17.1, `2·min(u, 1−u)` with `u = binom.sf(b, n, p) + binom.pmf(b, n, p)/2`.
    #[test]
    fn p_values_are_the_binomial_mid_p() {
        for (before, after, exposure, golden) in [
            (0.0, 5.0, 1.0, 0.031_25),
            (10.0, 20.0, 1.0, 0.070_755_545_981_228_35),
            (3.0, 14.0, 2.0, 0.174_572_987_026_506_84),
            (14.0, 3.0, 0.5, 0.174_572_987_026_507_6),
            (40.0, 80.0, 1.0, 0.000_244_217_024_496_944_9),
            (100.0, 150.0, 1.0, 0.001_548_188_600_119_568_9),
            (1000.0, 1100.0, 1.0, 0.029_110_633_685_908_677),
            (460.0, 600.0, 1.1, 0.005_848_171_257_964_142),
            (30.0, 10.0, 3.0, 5.121_436_608_135_354_6e-11),
            (2.0, 90.0, 1.0, 8.829_183_686_723_176e-25),
            (20_000.0, 20_700.0, 1.0, 0.000_520_832_500_055_948_1),
        ] {
            let test = ratio_test(before, after, exposure);
            close(test.p, golden, 0.05, &format!("{before} -> {after} at {exposure}"));
            assert_eq!(test.z > 0.0, after > before * exposure, "the sign of {before} -> {after} at {exposure}");
        }
    }

    #[test]
    fn swapped_sides_flip_the_sign_and_nothing_else() {
        for (before, after, exposure) in [(0.0, 9.0, 1.3), (5.0, 9.0, 0.4), (70.0, 20.0, 1.0), (5000.0, 5300.0, 1.1), (3.5, 0.5, 2.0)] {
            let (there, back) = (ratio_test(before, after, exposure), ratio_test(after, before, 1.0 / exposure));
            assert!((there.z + back.z).abs() < 1e-6, "{before} {after}: {} and {}", there.z, back.z);
            let (lo, hi) = ratio_interval(before, after, exposure, 0.95);
            let (back_lo, back_hi) = ratio_interval(after, before, 1.0 / exposure, 0.95);
            let same = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs() || (a.is_infinite() && b.is_infinite());
            assert!(same(lo, 1.0 / back_hi) && same(hi, 1.0 / back_lo), "{before} {after}: {lo}..{hi} and {back_lo}..{back_hi}");
        }
    }

    /// Counts of instructions: where both sides differ by little, the root is the difference in standard deviations, and not what rounding leaves of
    /// logarithms of billions.
    #[test]
    fn billions_of_events_keep_their_digits() {
        for (before, surplus, exposure) in [(1e9_f64, 3.0, 1.0), (4e12, 100.0, 1.0), (1e9, 20.0, 0.7), (1e10, -5.0, 3.0)] {
            let z = surplus / (before * exposure * (1.0 + exposure)).sqrt();
            let (r, odds) = root_and_odds(before, before * exposure + surplus, exposure);
            close(r, z, 1e-5, "root");
            close(odds, (surplus / (before * exposure)).ln_1p(), 1e-5, "log odds");
            let (back, _) = root_and_odds(before * exposure + surplus, before, 1.0 / exposure);
            close(-back, r, 1e-6, "swapped sides");
        }
        // The series goes over into the logarithms.
        let at = |after: f64| root_and_odds(1e6, after, 1.0);
        let (below, above) = (at(1e6 + 1999.0), at(1e6 + 2003.0));
        close(above.0 / below.0, 2003.0 / 1999.0, 1e-5, "where they meet");
    }

    #[test]
    fn the_two_forms_of_the_test_agree_where_they_meet() {
        for after in 12..48 {
            let (before, after) = (f64::from(60 - after), f64::from(after));
            let exact = exact(before, after, 0.5, 1.0);
            let root = Test::of_z(corrected_root(before, after, 1.0));
            assert!((exact.z - root.z).abs() < 0.06, "{before} {after}: {} and {}", exact.z, root.z);
        }
    }

    #[test]
    fn quantiles_of_log_odds_are_those_of_beta() {
        for a in [12.5, 13.0, 20.5, 60.0, 199.0, 3000.0] {
            for b in [12.5, 18.0, 75.5, 500.0, 1e5] {
                let width = 3.92 * (1.0_f64 / a + 1.0 / b).sqrt();
                for z in [-3.0, -1.96, -0.5, 0.0, 1.0, 1.96, 3.0] {
                    let x = beta_quantile(a, b, normal_cdf(z));
                    let exact = (x / (1.0 - x)).ln();
                    let ours = log_odds(a, b, z);
                    assert!((ours - exact).abs() < 0.002 * width, "{a} {b} {z}: {ours}, exactly {exact}, of {width}");
                }
            }
        }
    }

    #[test]
    fn the_table_of_p_values_holds_them() {
        for step in 0..2000 {
            let after = 100.0 + f64::from(step) / 2.0;
            let z = quick_z(100.0, after, 1.0, 0.01);
            let ours = quick_ln_p(100.0, after, 1.0, 0.01);
            close(ours, ln_p(z), 1e-3, "ln p");
        }
        close(quick_ln_p(0.0, 10.0, 1.0, 0.0), 10.0 * 0.5_f64.ln(), 1e-12, "all on one side");
        assert!(quick_ln_p(0.0, 0.0, 1.0, 0.0).abs() < 1e-12, "nothing to test");
    }

    #[test]
    fn the_bound_of_the_evidence_holds_where_it_is_small() {
        for exposure in [0.01, 0.3, 1.0, 2.5, 80.0] {
            for before in (0..400).map(|step| f64::from(step) * 0.7) {
                for after in (0..400).map(|step| f64::from(step) * 0.9) {
                    let bound = evidence_at_most(before, after, exposure);
                    let z = quick_z(before, after, exposure, 0.0);
                    assert!(before + after < 8.0 || z * z <= bound, "{before} {after} {exposure}: {} above {bound}", z * z);
                }
            }
        }
    }

    #[test]
    fn evidence_stays_finite_and_in_order_where_p_underflows() {
        let mut last = 0.0;
        for after in [100.0, 1e3, 1e4, 1e5, 1e6, 1e7] {
            let test = ratio_test(0.0, after, 1.0);
            assert!(test.z.is_finite() && test.z > last, "{after} events give z = {}", test.z);
            assert!(ln_p(test.z) < 0.0, "the logarithm of p is known");
            last = test.z;
        }
    }

    /// Golden: SciPy 1.17.1, odds of `beta.ppf` over the exposure.
    #[test]
    fn intervals_are_jeffreys_odds() {
        for (before, after, exposure, lo, hi) in [
            (10.0, 20.0, 1.0, 0.956_379_968_374_194_4, 4.376_958_381_899_094),
            (100.0, 150.0, 1.0, 1.166_418_060_095_929_3, 1.935_055_668_189_328),
            (3.0, 1.0, 2.0, 0.014_652_620_772_334_281, 1.262_104_107_257_839_6),
            (1000.0, 1100.0, 1.5, 0.673_173_797_052_384_2, 0.798_937_903_442_820_1),
        ] {
            let ours = ratio_interval(before, after, exposure, 0.95);
            close(ours.0, lo, 1e-3, "lower end");
            close(ours.1, hi, 1e-3, "upper end");
        }
        assert!(ratio_interval(0.0, 8.0, 1.0, 0.95).1.is_infinite(), "a new function has no upper end");
        assert!(ratio_interval(8.0, 0.0, 1.0, 0.95).0 < 1e-12, "a function that is gone may cost nothing");
    }

    /// Golden: SciPy 1.17.1 `false_discovery_control` on the 25 p values of Benjamini's textbook example.
    #[test]
    fn false_discovery_rates_equal_scipy() {
        let p = [
            0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341, 0.384, 0.569,
            0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
        ];
        let golden = [0.025, 0.1, 0.21, 0.21, 0.21, 0.25, 0.264_286];
        let q = false_discovery(&p);
        for (ours, golden) in q.iter().zip(golden) {
            close(*ours, golden, 1e-5, "q");
        }
        close(q[24], 0.986, 1e-9, "the largest q");
    }

    /// The first table of the theoretical limit: level 0.05 over 700 groups, 80 % power, one capture a side.
    #[test]
    fn the_smallest_detectable_growth_is_the_tabled_one() {
        for (share, samples, growth) in [(0.2, 1e3, 0.54), (0.05, 1e4, 0.33), (0.01, 1e5, 0.23), (0.002, 1e6, 0.16), (0.05, 1e3, 1.2)] {
            close(minimum_detectable(share * samples, 1.0, 0.0, 0.05 / 700.0), growth, 0.06, "growth");
        }
        close(minimum_detectable(2e5, 1.0, 2.0 * 0.05 * 0.05, 0.05 / 700.0), 0.41, 0.05, "5 % of run noise on each side");
    }

    #[test]
    fn what_is_needed_for_a_growth_makes_it_the_smallest_detectable_one() {
        let width = power_width(0.05 / 700.0);
        for (before, exposure, extra, growth) in [(200.0, 1.0, 0.0, 0.1), (5000.0, 2.0, 1e-4, 0.1), (40.0, 0.5, 0.001, 1.0)] {
            let needed = needed(before, exposure, extra, width, growth);
            let longer = minimum_detectable_at(before * needed.samples, exposure, extra, width);
            close(longer, growth, 1e-4, "more samples");
            let repeated = minimum_detectable_at(before * needed.runs, exposure, extra / needed.runs, width);
            close(repeated, growth, 1e-4, "more runs");
        }
        let noisy = needed(1e6, 1.0, 0.005, width, 0.1);
        assert!(noisy.samples.is_infinite() && noisy.runs > 1.0, "where runs differ by 7 %, samples do not help: {noisy:?}");
        assert_eq!(needed(0.0, 1.0, 0.0, width, 0.1), Needed::UNKNOWN);
    }

    #[test]
    fn intervals_of_what_was_selected_hold_what_was_seen() {
        for threshold in [3.0, 4.0, 5.0] {
            for above in [0.0, 1e-6, 0.01, 0.3, 1.0, 3.0, 30.0] {
                let z = threshold + above;
                let [lo, hi] = selected_ends(z, threshold);
                assert!(lo <= -1.95 && lo >= -z - 1.01, "{z} after {threshold}: {lo}..{hi}");
                close(hi, 1.96, 1e-3, "upper end");
                let [back_lo, back_hi] = selected_ends(-z, threshold);
                assert!((back_lo + hi).abs() < 1e-9 && (back_hi + lo).abs() < 1e-9, "the other sign is the mirror image");
            }
            // Far above the threshold nothing is left of the selection.
            let [lo, _] = selected_ends(threshold + 30.0, threshold);
            close(lo, -1.96, 1e-3, "lower end");
        }
    }

    /// Golden: the printed tables of Student's t (NIST handbook 1.3.6.7.2): upper critical values with their probability.
    #[test]
    fn students_distribution_equals_the_tables() {
        for (freedom, upper, t, z) in [
            (3.0, 0.025, 3.182_446, 1.959_964),
            (5.0, 0.025, 2.570_582, 1.959_964),
            (10.0, 0.025, 2.228_139, 1.959_964),
            (10.0, 0.005, 3.169_273, 2.575_829),
            (10.0, 0.0005, 4.586_894, 3.290_527),
            (30.0, 0.001, 3.385_185, 3.090_232),
        ] {
            close(student_two_sided(t, freedom), 2.0 * upper, 1e-4, "p");
            close(student_from_normal(z, freedom), t, 0.03, "quantile");
            close(student_from_normal(-z, freedom), -t, 0.03, "quantile");
        }
    }
}
