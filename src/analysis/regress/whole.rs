//! How the whole changed, by what its samples and its captures say. Start reading at [`total`].

use crate::analysis::comparison::{self, Comparison, Normalization};
use crate::analysis::diff::ground::Counts;
use crate::analysis::diff::noise::Model;
use crate::analysis::diff::{Base, ENDS, Interval};
use crate::analysis::stats::student_from_normal;

/// How the normalised total changed: as sure as its samples and what is known of runs let it be, whatever the ratio of work.
pub(super) fn total(comparison: &Comparison, base: &Base, model: &Model) -> Option<Interval> {
    match comparison.effective_normalization() {
        Normalization::Share => return None,
        // Equal by definition too.
        Normalization::PerCpuSecond if comparison::counts_cpu(&comparison.sample_type) => return None,
        _ => {}
    }
    let captured = base.captured();
    let sums = captured.all()?;
    let exposure = comparison.exposure();
    let ratio = sums.value[1] / sums.value[0] / exposure;
    let made = |lo: f64, hi: f64| (ratio.is_finite() && ratio > 0.0).then_some(Interval { ratio, lo: lo.min(ratio), hi: hi.max(ratio) });
    let counts = model.scale.counts(sums)?;
    if let Some((variance, freedom)) = rates_vary(comparison) {
        // The captures of a side say themselves how much the whole varies; never less than its samples do.
        let sampling = Counts { exposure, ..counts }.sampling_unchanged();
        let width = student_from_normal(ENDS[1], freedom) * variance.max(sampling).sqrt();
        return made(ratio * (-width).exp(), ratio * width.exp());
    }
    let mut model = model.clone();
    (model.scale.exposure, model.work) = (exposure, 0.0);
    let mix = base.shapes.mix(std::iter::once(0..captured.len()));
    let mut doubt = model.doubt(sums, mix, None, 0.0);
    doubt.extra += base.ground.basis.whole_noise().powi(2) * 2.0;
    let (lo, hi) = model.scale.counts(sums)?.interval(doubt, ENDS);
    made(lo, hi)
}

/// Variance of ln(after / before) of the whole by what the captures of both sides differ in, and its degrees of freedom; `None` without repeats on both.
fn rates_vary(comparison: &Comparison) -> Option<(f64, f64)> {
    let by_time = matches!(comparison.effective_normalization(), Normalization::PerSecond);
    let rate = |measured: &comparison::Measured| {
        let time = if by_time { measured.duration_nanos? as f64 } else { 1.0 };
        (measured.total as f64 > 0.0 && time > 0.0).then(|| (measured.total as f64 / time).ln())
    };
    let logs = comparison.sides.iter().map(|side| side.measured.iter().map(rate).collect::<Option<Vec<f64>>>());
    difference(&logs.collect::<Option<Vec<_>>>()?)
}

/// Variance of the difference of the means of two lists of numbers, and its degrees of freedom (Welch 1947); `None` unless both have two numbers and more,
/// which are not all the same.
pub(super) fn difference(lists: &[Vec<f64>]) -> Option<(f64, f64)> {
    let (mut variance, mut doubts) = (0.0, 0.0);
    for list in lists {
        if list.len() < 2 {
            return None;
        }
        let (count, mean) = (list.len() as f64, list.iter().sum::<f64>() / list.len() as f64);
        let of_mean = list.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (count - 1.0) / count;
        variance += of_mean;
        doubts += of_mean * of_mean / (count - 1.0);
    }
    (doubts > 0.0).then(|| (variance, variance * variance / doubts))
}
