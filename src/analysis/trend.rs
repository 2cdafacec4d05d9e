//! The value of one place in each capture of a side, and in slices of time, with the mean of each side and its interval.
//!
//! Intervals are Student's, 95 %, of the mean of independent runs; slices of one run follow each other and may be less independent than
//! that. Deliberately absent: a test, see [`diff`](mod@super::diff). Start reading at [`trend`].

use std::sync::Arc;

use super::comparison::{Comparison, Side};
use super::diff::Measure;
use super::filter::{Chosen, Filter};
use super::place::{PlaceId, Places};
use super::span::Clock;
use super::stats::special::beta_quantile;
use super::top::by_place;
use super::weigh::Weights;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::Profile;

/// Most slices of a side, and fewest and most of one capture.
const SLICES: usize = 48;
const OF_CAPTURE: [usize; 2] = [4, 24];

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Normalised as the comparison is; of a slice of time, units of the sample type per second.
    pub value: f64,
    /// Row of the capture.
    pub capture: usize,
    /// Begin and end in nanoseconds since the capture's first sample, for slices of time.
    pub nanos: Option<[i64; 2]>,
    /// The middle of its time, which lies in the range that is chosen also where begin and end stand on both sides of a hole.
    pub middle_nanos: i64,
}

/// The values of a side, in the order of its captures and of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The values.
    pub points: Vec<Point>,
    /// Their mean.
    pub mean: f64,
    /// Ends of the 95 % interval of the mean; `None` for fewer than two values.
    pub interval: Option<[f64; 2]>,
}

/// A place in the captures of both sides, or of the side shown alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// A value for each capture, one line a side.
    pub captures: Vec<Line>,
    /// A rate for each slice of time, one line a side; a side without times has no points. The mean of the slices of a capture is its
    /// value divided by the length of its time.
    pub slices: Vec<Line>,
    /// From the first sample to the last one in nanoseconds, of the longest capture; 0 where no sample has a time.
    pub nanos: i64,
}

impl Line {
    fn of(points: Vec<Point>) -> Self {
        let n = points.len() as f64;
        let mean = points.iter().map(|point| point.value).sum::<f64>() / n.max(1.0);
        let squares: f64 = points.iter().map(|point| (point.value - mean).powi(2)).sum();
        let interval = (points.len() >= 2).then(|| {
            let half = student_95(n - 1.0) * (squares / (n - 1.0) / n).sqrt();
            // Where no value is below zero, what they are of cannot be.
            let least = if points.iter().all(|point| point.value >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
            [(mean - half).max(least), mean + half]
        });
        Self { points, mean, interval }
    }
}

/// So many standard errors on each side of a mean hold 95 %.
fn student_95(freedom: f64) -> f64 {
    let x = beta_quantile(freedom / 2.0, 0.5, 0.05);
    (freedom * (1.0 - x) / x).sqrt()
}

/// The trend of a place; the root's total is that of everything. `captures` and `filter` are those that the comparison was made from.
///
/// # Errors
/// Where the ticket was cancelled.
pub fn trend(
    comparison: &Comparison,
    captures: &[Arc<Profile>],
    filter: &Filter,
    place: PlaceId,
    measure: Measure,
    ticket: &Ticket,
) -> Result<Trend, Cancelled> {
    let mut made = Trend::default();
    for side in &comparison.sides {
        let (mut points, mut slices) = (Vec::new(), Vec::new());
        for (at, (&row, weights)) in side.rows.iter().zip(&side.captures).enumerate() {
            let factor = comparison.factor_of_capture(side, at);
            let value = value_of(comparison, weights, place, measure) as f64 * factor;
            points.push(Point { value, capture: row, nanos: None, middle_nanos: 0 });
            if let Some(profile) = captures.get(row) {
                let whole = profile.samples.time_range().map_or(0, |(first, last)| last.saturating_sub(first).saturating_add(1));
                made.nanos = made.nanos.max(whole);
                let of = Of { comparison, profile, side, row };
                slices.extend(of.slices(filter, place, measure, ticket)?);
            }
        }
        made.captures.push(Line::of(points));
        made.slices.push(Line::of(slices));
    }
    Ok(made)
}

fn value_of(comparison: &Comparison, weights: &Weights, place: PlaceId, measure: Measure) -> i64 {
    if place == Places::root() && measure == Measure::Total {
        return weights.total();
    }
    let (selfs, totals) = by_place(comparison.tree(), comparison.places(), weights);
    let column = if measure == Measure::Self_ { selfs } else { totals };
    column.get(place.row()).copied().unwrap_or(0)
}

/// One capture of a side.
struct Of<'a> {
    comparison: &'a Comparison,
    profile: &'a Profile,
    side: &'a Side,
    row: usize,
}

impl Of<'_> {
    /// The rates in equal slices of the range of time that is chosen; none where samples have no times.
    fn slices(&self, filter: &Filter, place: PlaceId, measure: Measure, ticket: &Ticket) -> Result<Vec<Point>, Cancelled> {
        let (comparison, samples) = (self.comparison, &self.profile.samples);
        let column = self.profile.comparable_column(&comparison.sample_type, &comparison.unit);
        let (Some(column), Some(nodes), Ok(part)) = (column, comparison.shape.nodes.get(self.row), self.side.part.filter(self.profile))
        else {
            return Ok(Vec::new());
        };
        let part = Filter { all_frames: filter.all_frames, ..part };
        let chosen = Chosen::new(self.profile, &[filter, &part]).of_stacks(comparison.shape.samples_of(self.row));
        let Some(clock) = Clock::of(self.profile, self.side.part.time.or(filter.time)).filter(|clock| clock.length >= 2) else {
            return Ok(Vec::new());
        };
        let length = clock.length;
        let count = (SLICES / self.side.rows.len().max(1)).clamp(OF_CAPTURE[0], OF_CAPTURE[1]);
        let counts = counted_nodes(comparison, place, measure);
        let mut sums = vec![0.0; count];
        for (row, &value) in samples.values(column).iter().enumerate() {
            if row % (1 << 16) == 0 {
                ticket.check()?;
            }
            let node = super::call_tree::node_of(nodes, samples.stacks()[row]);
            let Some(time) = samples.time(row).filter(|_| value != 0 && counts[node.row()] && chosen.has(row)) else { continue };
            let at = i128::from(clock.at(time)) * count as i128 / i128::from(length);
            sums[usize::try_from(at).unwrap_or(usize::MAX).min(count - 1)] += value as f64;
        }
        let steps = self.profile.sample_types.get(column).and_then(|kind| kind.steps(&comparison.unit, comparison.decimals));
        let finer = steps.unwrap_or(1) as f64;
        let edge = |at: usize| clock.since_first((i128::from(length) * at as i128 / count as i128) as i64);
        let seconds = length as f64 / 1e9 / count as f64;
        let point = |(at, sum): (usize, f64)| Point {
            value: comparison.in_unit(sum * finer) / seconds,
            capture: self.row,
            nanos: Some([edge(at), edge(at + 1)]),
            middle_nanos: clock.since_first((i128::from(length) * (2 * at as i128 + 1) / (2 * count as i128)) as i64),
        };
        Ok(sums.into_iter().enumerate().map(point).collect())
    }
}

/// Nodes whose samples count for the place: its own, for totals all below them too.
fn counted_nodes(comparison: &Comparison, place: PlaceId, measure: Measure) -> Vec<bool> {
    let tree = comparison.tree();
    let mut counts: Vec<bool> = tree.places().iter().map(|&of| of == place).collect();
    if measure == Measure::Total {
        // Parents stand before their children.
        for (row, parent) in tree.parents().iter().enumerate() {
            counts[row] |= parent.is_some_and(|parent| counts[parent.row()]);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_students() {
        assert!((student_95(4.0) - 2.776).abs() < 1e-3 && (student_95(1.0) - 12.706).abs() < 1e-2);
        let point = |value| Point { value, capture: 0, nanos: None, middle_nanos: 0 };
        let line = Line::of([1.0, 2.0, 3.0].map(point).to_vec());
        let [lo, hi] = line.interval.expect("three values");
        assert!((line.mean - 2.0).abs() < 1e-12 && (hi - 2.0 - 4.303 / 3_f64.sqrt()).abs() < 1e-3, "{lo} to {hi}");
        assert_eq!(Line::of(vec![point(1.0)]).interval, None);
        let lows = [vec![0.1, 5.0, 0.0], vec![-0.1, 5.0, 0.0]].map(|values| Line::of(values.into_iter().map(point).collect()).interval);
        assert!(lows[0].is_some_and(|[lo, _]| lo == 0.0) && lows[1].is_some_and(|[lo, _]| lo < -1.0), "no cost is below zero: {lows:?}");
    }
}
