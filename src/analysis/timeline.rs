//! How much of a sample type each capture of a side holds at each point of its time: what a strip above the views is drawn from.
//!
//! Ranges of time are not looked at: the strip shows all of the time, and the range that is chosen on it. Start reading at [`timeline`].

use std::sync::Arc;

use super::comparison::SideInput;
use super::filter::{Chosen, Filter};
use super::part::Part;
use super::transform::by_names;
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::Profile;

/// Fewest and most bins of a side; about one for every three pixels of a wide window.
const BINS: [usize; 2] = [16, 640];
/// So many samples a bin, at least: fewer make a comb of every capture.
const SAMPLES: usize = 4;

/// The sides of what is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// One entry a side, before first; `None` where its captures have no times.
    pub lanes: Vec<Option<Lane>>,
}

/// One side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// In units of the sample type per second, in equal slices of `nanos`; of several captures the mean.
    pub bins: Vec<f64>,
    /// From the first sample to the last one, at least 1; of several captures the longest.
    pub nanos: i64,
}

impl Lane {
    /// Length of a bin in seconds.
    pub fn bin_seconds(&self) -> f64 {
        self.nanos as f64 / 1e9 / self.bins.len().max(1) as f64
    }

    /// The largest bin, at least 0.
    pub fn most(&self) -> f64 {
        self.bins.iter().copied().fold(0.0, f64::max)
    }

    /// The bin at a time since the first sample.
    pub fn at(&self, nanos: f64) -> Option<f64> {
        let at = nanos / self.nanos as f64 * self.bins.len() as f64;
        if at < 0.0 { None } else { self.bins.get(at as usize).copied() }
    }
}

impl Timeline {
    /// Length of the longest lane in nanoseconds.
    pub fn nanos(&self) -> i64 {
        self.lanes.iter().flatten().map(|lane| lane.nanos).max().unwrap_or(0)
    }
}

/// The lanes of some sides for a sample type. A part's and the filter's ranges of time do not matter, all their other conditions do; a side that
/// lacks the sample type or its part has no lane.
///
/// # Errors
/// Where the ticket was cancelled.
pub fn timeline(
    captures: &[Arc<Profile>],
    sides: &[SideInput],
    (name, unit): (&str, &str),
    filter: &Filter,
    ticket: &Ticket,
) -> Result<Timeline, Cancelled> {
    let filter = Filter { time: None, ..filter.clone() };
    let lanes = sides.iter().map(|side| {
        let profiles: Vec<&Profile> = side.captures.iter().filter_map(|&row| captures.get(row).map(AsRef::as_ref)).collect();
        lane(&profiles, &Part { time: None, ..side.part.clone() }, (name, unit), &filter, ticket)
    });
    Ok(Timeline { lanes: lanes.collect::<Result<_, _>>()? })
}

fn lane(
    profiles: &[&Profile],
    part: &Part,
    (name, unit): (&str, &str),
    filter: &Filter,
    ticket: &Ticket,
) -> Result<Option<Lane>, Cancelled> {
    let ranges: Option<Vec<(i64, i64)>> = profiles.iter().map(|profile| profile.samples.time_range()).collect();
    let Some(ranges) = ranges.filter(|ranges| !ranges.is_empty()) else { return Ok(None) };
    let nanos = ranges.iter().map(|(first, last)| last.saturating_sub(*first).saturating_add(1)).max().unwrap_or(1).max(1);
    let samples: usize = profiles.iter().map(|profile| profile.samples.len()).sum();
    let count = (samples / SAMPLES).clamp(BINS[0], BINS[1]);
    let mut bins = vec![0.0; count];
    for (profile, (first, _)) in profiles.iter().zip(ranges) {
        let (Some(column), Ok(of_part)) = (profile.comparable_column(name, unit), part.filter(profile)) else { return Ok(None) };
        let of_part = Filter { all_frames: filter.all_frames, ..of_part };
        let transformed = by_names(profile, filter);
        let left = transformed.as_ref().and_then(|transformed| transformed.samples.as_deref());
        let chosen = Chosen::new(profile, &[filter, &of_part]).of_stacks(left);
        // One of the capture's units is so many of the comparison's.
        let per = profile.sample_types.get(column).and_then(|kind| Some((kind, kind.steps(unit, kind.decimals)? as f64)));
        let samples = &profile.samples;
        for (row, &value) in samples.values(column).iter().enumerate() {
            if row % (1 << 16) == 0 {
                ticket.check()?;
            }
            let Some(time) = samples.time(row).filter(|_| value != 0 && chosen.has(row)) else { continue };
            let at = i128::from(time.saturating_sub(first)) * count as i128 / i128::from(nanos);
            if let Some(bin) = usize::try_from(at).ok().and_then(|at| bins.get_mut(at)) {
                *bin += per.map_or(value as f64, |(kind, per)| kind.in_unit(value as f64) * per);
            }
        }
    }
    let seconds = nanos as f64 / 1e9 / count as f64 * profiles.len() as f64;
    for bin in &mut bins {
        *bin /= seconds;
    }
    Ok(Some(Lane { bins, nanos }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::span::Span;
    use crate::model::{Builder, Sample};

    const SECOND: i64 = 1_000_000_000;

    /// `count` samples of `value` units, evenly over ten seconds from `first` on.
    fn capture(first: i64, count: i64, value: i64) -> Arc<Profile> {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        for at in 0..count {
            let time = Some(first + at * 10 * SECOND / (count - 1));
            builder.rows.sample(Sample { time, ..Sample::default() }, &[value]);
        }
        Arc::new(builder.finish())
    }

    fn made(captures: &[Arc<Profile>], sides: &[SideInput], filter: &Filter) -> Timeline {
        timeline(captures, sides, ("cpu", "nanoseconds"), filter, &Ticket::new()).unwrap()
    }

    #[test]
    fn bins_times_their_length_are_the_whole_and_clocks_do_not_matter() {
        let captures = [capture(5 * SECOND, 1001, 3), capture(900 * SECOND, 1001, 3)];
        let sides = [SideInput::whole([0]), SideInput::whole([1]), SideInput::whole([0, 1])];
        let found = made(&captures, &sides, &Filter::default());
        let lanes: Vec<&Lane> = found.lanes.iter().flatten().collect();
        assert_eq!(lanes.len(), 3);
        for lane in &lanes {
            let whole: f64 = lane.bins.iter().sum::<f64>() * lane.bin_seconds();
            assert!((whole - 3003.0).abs() < 1e-6, "{whole}");
        }
        assert_eq!(lanes[0], lanes[1], "each capture has a clock of its own");
        assert_eq!(found.nanos(), 10 * SECOND + 1);
    }

    #[test]
    fn the_strip_shows_all_of_the_time_whatever_is_chosen() {
        let captures = [capture(0, 1001, 3)];
        let range = Some(Span::new(Some(SECOND), Some(2 * SECOND)));
        let side = SideInput { captures: vec![0], part: Part { time: range, ..Part::WHOLE } };
        let whole = made(&captures, &[SideInput::whole([0])], &Filter::default());
        assert_eq!(made(&captures, &[side], &Filter { time: range, ..Filter::default() }), whole);
    }

    #[test]
    fn captures_without_times_have_no_lane() {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        builder.rows.sample(Sample::default(), &[1]);
        let captures = [Arc::new(builder.finish()), capture(0, 100, 1)];
        let found = made(&captures, &[SideInput::whole([0]), SideInput::whole([1])], &Filter::default());
        assert!(found.lanes[0].is_none() && found.lanes[1].is_some());
    }
}
