//! How the numbers of two sides are made comparable: what each side is divided by.
//!
//! Deliberately absent: the division itself, see [`Comparison::factor`](super::Comparison::factor). Start reading at [`Normalization`].

use std::sync::Arc;

use super::comparison::percent;
use super::part::{Part, WHOLE};
use super::work::Work;
use crate::model::{Profile, base_name, human, human_delta};

/// How the numbers of two sides are made comparable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Part of each side's total.
    #[default]
    Share,
    /// Value per second of capture.
    PerSecond,
    /// Value per second of processor time of the same capture.
    PerCpuSecond,
    /// Value per request (or other unit of work).
    PerRequest(Work),
    /// Values as they are.
    Absolute,
}

impl Normalization {
    /// All that need no numbers from the user, in the order of menus.
    pub const ALL: [Self; 4] = [Self::Share, Self::PerSecond, Self::PerCpuSecond, Self::Absolute];

    /// Stable name, as on the command line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::PerSecond => "per-second",
            Self::PerCpuSecond => "per-cpu-second",
            Self::PerRequest(_) => "per-request",
            Self::Absolute => "absolute",
        }
    }

    /// Words for menus.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Share => "Share of total",
            Self::PerSecond => "Per second",
            Self::PerCpuSecond => "Per CPU-second",
            Self::PerRequest(_) => "Per request",
            Self::Absolute => "Absolute",
        }
    }

    /// What a normalised number is counted per: `/s`, `/CPU-s`, `/request`; empty for shares and absolute values.
    pub const fn per(&self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::PerCpuSecond => "/CPU-s",
            Self::PerRequest(_) => "/request",
            Self::Share | Self::Absolute => "",
        }
    }

    /// A normalised value as text: `12.3 %`, `24.3 ms/s`, `1.27 GiB`, `0`.
    pub fn text(&self, normalized: f64, unit: &str) -> String {
        match self {
            Self::Share => percent(normalized),
            // Nothing is nothing in every unit, and "0 ns/s" beside milliseconds is none of them.
            _ if normalized == 0.0 => "0".to_owned(),
            other if normalized < 0.0 => format!("{}{}", human_delta(normalized, unit), other.per()),
            other => format!("{}{}", human(normalized, unit), other.per()),
        }
    }

    /// The normalisation of that name, of those that need no numbers.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|normalization| normalization.name() == name)
    }

    /// What fits a sample type of these captures best, see [`fitting_parts`](Self::fitting_parts).
    pub fn fitting(sample_type: &str, captures: &[Arc<Profile>]) -> Self {
        Self::fitting_parts(sample_type, captures.iter().map(|profile| (profile.as_ref(), &WHOLE)))
    }

    /// What fits a sample type of these parts of captures best:
    /// - as they are: snapshots (in-use memory, goroutines, threads), and perf's recordings of programs that ran to their end, where the
    ///   work is the same and a longer run is a slower one (a range of their time is no run);
    /// - per second: everything else where every part has a duration;
    /// - as they are: counters since the start of a process, of which no rate can be had without one;
    /// - as a share of the total: the rest.
    pub fn fitting_parts<'a>(sample_type: &str, parts: impl Iterator<Item = (&'a Profile, &'a Part)> + Clone) -> Self {
        let durations_known = parts.clone().all(|(profile, part)| part.duration_nanos(profile).is_some());
        let mut whole_runs = parts.map(|(profile, part)| part.time.is_none() && ran_to_its_end(profile)).peekable();
        match sample_type {
            "inuse_space" | "inuse_objects" | "space" | "objects" | "goroutine" | "threadcreate" | "goroutineleak" => Self::Absolute,
            _ if whole_runs.peek().is_some() && whole_runs.all(|whole| whole) => Self::Absolute,
            _ if durations_known => Self::PerSecond,
            "alloc_space" | "alloc_objects" | "contentions" | "delay" => Self::Absolute,
            _ => Self::Share,
        }
    }
}

/// True for a perf recording that began and ended with a program, as its command line says: perf attached to nothing that ran already,
/// and did not only sleep.
pub(super) fn ran_to_its_end(profile: &Profile) -> bool {
    let Some(line) = profile.info.fact("cmdline") else { return false };
    let mut words = line.split_whitespace().skip_while(|word| *word != "record").skip(1).peekable();
    let attaches = |word: &str| match word.strip_prefix("--") {
        Some(long) => ["all-cpus", "pid", "tid", "cpu", "uid", "all-cgroups"].contains(&long.split('=').next().unwrap_or(long)),
        None => word
            .strip_prefix('-')
            .is_some_and(|short| short.starts_with(['p', 't', 'C', 'u']) || short.chars().all(char::is_alphabetic) && short.contains('a')),
    };
    words.peek().is_some() && words.all(|word| base_name(word) != "sleep" && !attaches(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_unit() {
        assert_eq!(Normalization::PerSecond.text(0.0, "ns"), "0");
        assert_eq!(Normalization::PerSecond.text(6e6, "ns"), "6 ms/s");
        assert_eq!([Normalization::PerSecond, Normalization::Share].map(|how| how.text(-0.2, "s")), ["−200 ms/s", "−20.0 %"]);
        assert_eq!(Normalization::Share.text(0.0, "ns"), percent(0.0));
    }

    #[test]
    fn recordings_of_programs_that_ended_are_compared_as_they_are() {
        for (line, fitting) in [
            ("/usr/bin/perf record -g -o x.data -- ./indexer 3500", Normalization::Absolute),
            ("perf record -F 99 ./indexer", Normalization::Absolute),
            ("perf record -F 99 -ag -- sleep 30", Normalization::PerSecond),
            ("perf record -g -p 4711", Normalization::PerSecond),
            ("perf record --pid=4711", Normalization::PerSecond),
            ("perf record -g sleep 5", Normalization::PerSecond),
            ("", Normalization::PerSecond),
        ] {
            let mut profile = Profile::default();
            profile.info.duration_nanos = Some(1);
            profile.info.facts.push(("cmdline".to_owned(), line.to_owned()));
            assert_eq!(Normalization::fitting("cycles", &[Arc::new(profile)]), fitting, "{line}");
        }
    }

    #[test]
    fn a_range_of_time_of_a_whole_run_is_no_run() {
        let mut builder = crate::model::Builder::new([("cycles", "count")]);
        builder.info.facts.push(("cmdline".to_owned(), "perf record -g -- ./indexer".to_owned()));
        for time in [0, 9_000_000_000] {
            builder.rows.sample(crate::model::Sample { time: Some(time), ..crate::model::Sample::default() }, &[1]);
        }
        let profile = builder.finish();
        let fitting = |part: &str| Normalization::fitting_parts("cycles", [(&profile, &Part::parse_line(part).unwrap())].into_iter());
        assert_eq!([fitting(""), fitting("time=0s..4s")], [Normalization::Absolute, Normalization::PerSecond]);
    }
}
