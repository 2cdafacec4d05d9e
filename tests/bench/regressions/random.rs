//! Random numbers of our own (splitmix64), so that no crate's version changes the pairs.

/// A generator with 64 bits of state.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator of a seed and a number within it: independent streams for each pair.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut made = Self(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ stream.wrapping_mul(0x2545_f491_4f6c_dd1d));
        made.next();
        made
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, never either.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// exp(normal) with mean 1 and coefficient of variation `cv`.
    pub(crate) fn lognormal(&mut self, cv: f64) -> f64 {
        if cv <= 0.0 {
            return 1.0;
        }
        let sigma2 = cv.mul_add(cv, 1.0).ln();
        (sigma2.sqrt() * self.normal() - sigma2 / 2.0).exp()
    }

    /// Gamma with that shape and mean 1 (Marsaglia and Tsang 2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = self.uniform().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * (shape + 1.0) * boost / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v / shape;
            }
        }
    }

    /// A Poisson count: by products of uniforms below a mean of 30, above it by rejection from a rounded Cauchy (Numerical Recipes' form
    /// of Ahrens and Dieter's method), which is exact.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean < 30.0 {
            let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0.0);
            while product > limit {
                product *= self.uniform();
                count += 1.0;
            }
            return count;
        }
        let root = (2.0 * mean).sqrt();
        let ln_mean = mean.ln();
        let offset = mean * ln_mean - ln_factorial(mean);
        loop {
            let y = (std::f64::consts::PI * self.uniform()).tan();
            let count = (root * y + mean).floor();
            if count < 0.0 {
                continue;
            }
            let accept = 0.9 * (1.0 + y * y) * (count * ln_mean - ln_factorial(count) - offset).exp();
            if self.uniform() <= accept {
                return count;
            }
        }
    }
}

fn ln_factorial(x: f64) -> f64 {
    emberlens::analysis::stats::special::ln_gamma(x + 1.0)
}
