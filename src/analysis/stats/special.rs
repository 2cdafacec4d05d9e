//! Special functions of the tests: error function, normal quantile, incomplete beta function and its inverse.
//!
//! Own short forms instead of a crate: the tests below hold them to SciPy's values. Accuracy is 1e-10 relative or better unless a
//! function says otherwise. Start reading at [`incomplete_beta`].

use std::f64::consts::{PI, SQRT_2};

/// Logarithm of the gamma function for x > 0: Stirling's series from 12 on, below it Lanczos' sum with g = 7 and nine terms.
pub fn ln_gamma(x: f64) -> f64 {
    if x >= 12.0 {
        let over = 1.0 / (x * x);
        let series = (1.0 / 12.0 - over * (1.0 / 360.0 - over * (1.0 / 1260.0 - over * (1.0 / 1680.0 - over / 1188.0)))) / x;
        return (x - 0.5) * x.ln() - x + 0.918_938_533_204_672_8 + series;
    }
    const TERMS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (PI / (PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let base = x + 7.5;
    let sum: f64 = TERMS.iter().enumerate().map(|(at, term)| if at == 0 { *term } else { term / (x + at as f64) }).sum();
    (2.0 * PI).sqrt().ln() + (x + 0.5) * base.ln() - base + sum.ln()
}

/// Complementary error function for x >= 0, times exp(x²): never underflows.
///
/// Below 2.5 by the series of erf, above by Lentz' continued fraction.
fn scaled_erfc(x: f64) -> f64 {
    if x < 2.5 {
        // erf(x) = 2/sqrt(pi) · exp(−x²) · Σ 2^n x^(2n+1) / (2n+1)!!
        let (mut term, mut sum) = (x, x);
        let mut n = 0.0;
        while term > sum * 1e-17 {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        return (x * x).exp() - 2.0 / PI.sqrt() * sum;
    }
    // erfc(x)·exp(x²)·sqrt(pi) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), evaluated from the far end.
    // The larger x, the fewer terms reach the last digit.
    let terms = (8.0 + 400.0 / (x * x)).min(60.0) as u32;
    let mut tail = x;
    for n in (1..=terms).rev() {
        tail = x + f64::from(n) / 2.0 / tail;
    }
    1.0 / (tail * PI.sqrt())
}

/// Logarithm of the part of a standard normal above z, for z >= 0.
pub fn normal_tail_ln(z: f64) -> f64 {
    let x = z / SQRT_2;
    (scaled_erfc(x) / 2.0).ln() - x * x
}

/// Part of a standard normal below z.
pub fn normal_cdf(z: f64) -> f64 {
    if z < 0.0 { normal_tail_ln(-z).exp() } else { 1.0 - normal_tail_ln(z).exp() }
}

/// Two-sided p value of a standard normal.
pub fn two_sided(z: f64) -> f64 {
    if z.is_nan() { 1.0 } else { (2.0 * normal_tail_ln(z.abs()).exp()).min(1.0) }
}

/// The z below which a standard normal lies with probability p: a rational start (Abramowitz and Stegun 26.2.23, error 4.5e-4) and
/// Newton steps on the logarithm of the tail, which stay exact down to p = 1e-300.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let t = (-2.0 * p.ln()).sqrt();
    let mut z = t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    z = z.max(0.0);
    for _ in 0..4 {
        let tail = normal_tail_ln(z);
        // d/dz ln(tail) = −density / tail
        let density = -z * z / 2.0 - (2.0 * PI).sqrt().ln();
        let step = (tail - p.ln()) / (density - tail).exp();
        z += step;
        if step.abs() < 1e-13 {
            break;
        }
    }
    -z
}

/// Regularised incomplete beta function I_x(a, b) for a, b > 0 and x in 0..=1: the part of a Beta(a, b) below x. Relative accuracy 1e-9 up to
/// a + b of 1e6; relative accuracy falls with larger arguments, as the logarithms cancel.
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    incomplete_beta_of(a, b, x, ln_beta(a, b))
}

/// Logarithm of the beta function.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// [`incomplete_beta`] inside 0..1, where the logarithm of the beta function is known.
fn incomplete_beta_of(a: f64, b: f64, x: f64, ln_beta: f64) -> f64 {
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp();
    if x < (a + 1.0) / (a + b + 2.0) { front * beta_fraction(a, b, x) / a } else { 1.0 - front * beta_fraction(b, a, 1.0 - x) / b }
}

/// Continued fraction of the incomplete beta function (DLMF 8.17.22) by the modified Lentz method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    // The number of steps grows with the root of the larger argument.
    let limit = 200 + (3.0 * a.max(b).sqrt()) as usize;
    for step in 1..=limit {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

/// The x below which a Beta(a, b) lies with probability p, with a relative error of its odds below 1e-9: Newton steps on the log odds, held
/// between brackets, from Abramowitz and Stegun's 26.5.22.
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let x_of = |t: f64| 1.0 / (1.0 + (-t).exp());
    let (mut low, mut high) = (-745.0_f64, 36.0_f64);
    let mut t = start(a, b, p).clamp(low, high);
    let ln_beta = ln_beta(a, b);
    for _ in 0..100 {
        let x = x_of(t);
        let error = incomplete_beta_of(a, b, x, ln_beta) - p;
        if error > 0.0 {
            high = t;
        } else {
            low = t;
        }
        // Density of the log odds: x^a (1−x)^b / B(a, b).
        let density = (a * x.ln() + b * (-x).ln_1p() - ln_beta).exp();
        let mut next = t - error / density;
        if !(next > low && next < high) {
            next = f64::midpoint(low, high);
        }
        // The error of a step is about the square of the step before it.
        let moved = (next - t).abs();
        t = next;
        if moved < 1e-5 * (1.0 / a + 1.0 / b).sqrt() {
            break;
        }
    }
    x_of(t)
}

/// A first log odds for [`beta_quantile`].
fn start(a: f64, b: f64, p: f64) -> f64 {
    let z = normal_quantile(p);
    if a < 1.0 || b < 1.0 {
        return (a / b).ln() + z * (1.0 / a + 1.0 / b).sqrt();
    }
    let lambda = (z * z - 3.0) / 6.0;
    let (over_a, over_b) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
    let h = 2.0 / (over_a + over_b);
    let w = -z * (h + lambda).max(0.0).sqrt() / h - (over_b - over_a) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
    // x = a / (a + b·exp(2w)), so its log odds are these.
    (a / b).ln() - 2.0 * w
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden numbers of this module: SciPy 1.17.1 (`scipy.special`, `scipy.stats.norm`).
    fn close(ours: f64, scipy: f64, relative: f64, what: &str) {
        assert!((ours - scipy).abs() <= relative * scipy.abs().max(1e-12), "{what}: {ours} instead of {scipy}");
    }

    #[test]
    fn ln_gamma_equals_scipy() {
        for (x, golden) in [
            (0.1, 2.252_712_651_734_206),
            (0.5, 0.572_364_942_924_7),
            (1.5, -0.120_782_237_635_245_26),
            (10.0, 12.801_827_480_081_469),
            (100.25, 360.284_559_637_764_23),
            (12_345.5, 103_958.242_965_123_22),
        ] {
            close(ln_gamma(x), golden, 1e-12, &format!("ln_gamma({x})"));
        }
    }

    #[test]
    fn the_incomplete_beta_function_equals_scipy() {
        for (a, b, x, golden) in [
            (0.5, 0.5, 0.1, 0.204_832_764_699_133_45),
            (2.0, 3.0, 0.5, 0.6875),
            (10.5, 0.5, 0.9, 0.141_553_091_812_887),
            (30.0, 71.0, 0.4, 0.985_224_681_769_268_9),
            (1000.0, 1200.0, 0.45, 0.334_662_342_671_540_27),
            (3.0, 500.0, 0.02, 0.997_493_434_507_611_6),
            (50_000.0, 50_500.0, 0.5, 0.942_626_455_370_912_4),
        ] {
            close(incomplete_beta(a, b, x), golden, 1e-9, &format!("I_{x}({a}, {b})"));
            close(1.0 - incomplete_beta(b, a, 1.0 - x), golden, 1e-9, &format!("mirrored I_{x}({a}, {b})"));
        }
    }

    #[test]
    fn the_beta_quantile_equals_scipy() {
        for (a, b, p, golden) in [
            (0.5, 0.5, 0.025, 0.001_541_333_133_436_012),
            (3.5, 0.5, 0.975, 0.999_849_363_974_563_5),
            (100.5, 120.5, 0.025, 0.389_700_718_191_664_3),
            (14.5, 400.5, 0.975, 0.054_595_790_591_125_79),
            (0.5, 50.5, 0.5, 0.004_516_436_153_576_752),
            (150.5, 100.5, 0.5, 0.599_866_550_321_160_9),
        ] {
            close(beta_quantile(a, b, p), golden, 1e-9, &format!("quantile {p} of Beta({a}, {b})"));
        }
    }

    #[test]
    fn the_normal_tail_equals_scipy() {
        for (z, golden) in [
            (0.0, -std::f64::consts::LN_2),
            (0.5, -1.175_911_761_593_618_8),
            (1.96, -3.688_963_651_729_638_5),
            (5.0, -15.064_998_393_988_727),
            (8.2, -36.657_428_601_438_674),
            (20.0, -203.917_155_371_097_3),
            (37.0, -689.030_585_576_890_8),
        ] {
            close(normal_tail_ln(z), golden, 1e-11, &format!("ln of the tail above {z}"));
        }
    }

    #[test]
    fn the_normal_quantile_equals_scipy() {
        for (p, golden) in [
            (1e-300, -37.047_096_299_361_2),
            (1e-20, -9.262_340_089_798_409),
            (1e-5, -4.264_890_793_922_825),
            (0.025, -1.959_963_984_540_054_5),
            (0.2, -0.841_621_233_572_914_2),
            (0.8, 0.841_621_233_572_914_3),
            (0.999, 3.090_232_306_167_813),
        ] {
            close(normal_quantile(p), golden, 1e-10, &format!("quantile {p}"));
        }
        assert!(normal_quantile(0.5).abs() < 1e-12, "the median is 0, not {}", normal_quantile(0.5));
    }
}
