//! What a finding says in words and numbers, the same in the list and in a presentation.

use egui::Color32;

use crate::analysis::comparison::Comparison;
use crate::analysis::diff::Verdict;
use crate::analysis::regress::{Finding, part_of_change};
use crate::ui::panels::words;
use crate::ui::theme::Theme;

/// The ratio of a finding, and what else it is once it is held against the rest.
pub(in crate::ui::panels) struct Ratios {
    /// The ratio of the numbers beside it; where the verdict goes the other way, the verdict's.
    pub(in crate::ui::panels) first: String,
    /// The other one, where it is another number: `×6.6 adjusted`, `adjusted (+3.0 % measured)`.
    pub(in crate::ui::panels) aside: Option<String>,
    /// Measured and adjusted go different ways.
    pub(in crate::ui::panels) is_turned: bool,
}

/// Both ratios of a finding.
pub(in crate::ui::panels) fn ratios(finding: &Finding) -> Ratios {
    let (own, measured) = (ratio(finding), words::change(finding.before, finding.after));
    let is_other = own != measured && words::against_unchanged(finding.before, finding.after, finding.ratio, 1.0).is_some();
    let is_turned = is_other && is_against_measured(finding);
    let against = against(finding);
    match (is_turned, is_other) {
        (true, _) => Ratios { first: own, aside: Some(format!("{against} ({measured} measured)")), is_turned },
        (_, true) => Ratios { first: measured, aside: Some(format!("{own} {against}")), is_turned },
        _ => Ratios { first: own, aside: None, is_turned },
    }
}

/// What the ratio of a finding is held against.
pub(super) fn against(finding: &Finding) -> &'static str {
    if finding.is_against_rest() { "vs rest" } else { "adjusted" }
}

/// The ratio of a finding, or its word.
pub(super) fn ratio(finding: &Finding) -> String {
    match finding.verdict {
        Verdict::New => "new".to_owned(),
        Verdict::Gone => "gone".to_owned(),
        _ => words::ratio(finding.ratio),
    }
}

/// A normalised difference with its sign.
pub(super) fn delta(comparison: &Comparison, delta: f64) -> String {
    if delta >= 0.0 { format!("+{}", comparison.text(delta)) } else { format!("−{}", comparison.text(-delta)) }
}

/// What part of the change lies in a finding.
pub(in crate::ui::panels) fn explains(part: f64) -> String {
    if part > 0.0 { part_of_change(part) } else { "–".to_owned() }
}

/// Before, after and change of a finding.
pub(in crate::ui::panels) fn values(comparison: &Comparison, finding: &Finding) -> String {
    let [before, after] = [finding.before, finding.after].map(|value| comparison.text(value));
    change(&before, &after, &delta(comparison, finding.delta))
}

/// `23.0 → 160 ms/s (+137)`: the unit stands once where it is the same. What multiplies a number stays with it: `43.4 k → 466 k (+422 k)`.
fn change(before: &str, after: &str, delta: &str) -> String {
    match [before, after, delta].map(|text| text.split_once(' ').map(|(number, unit)| (number, multiplier(unit)))) {
        [Some((b, (b_times, b_unit))), Some((_, a_words)), Some((d, (d_times, d_unit)))]
            if (b_times, b_unit) == a_words && (d_times, d_unit) == a_words =>
        {
            format!("{b}{b_times} → {after} ({d}{d_times})")
        }
        _ => format!("{before} → {after} ({delta})"),
    }
}

/// Takes a unit apart into the letter that multiplies a count, with its blank, and the rest: `k widgets` → ` k`, `ms/s` → nothing.
fn multiplier(unit: &str) -> (&'static str, &str) {
    let found = [" k", " M", " G", " T"].into_iter().find_map(|times| Some((times, unit.strip_prefix(times.trim_start())?)));
    // `MiB` and `Ts` are units of their own.
    found.filter(|(_, rest)| !rest.starts_with(char::is_alphanumeric)).unwrap_or(("", unit))
}

/// The first sentence of a summary with its full stop, and the rest.
pub(in crate::ui::panels) fn sentences(summary: &str) -> (&str, &str) {
    summary.split_once(". ").map_or((summary, ""), |(first, rest)| (summary.get(..=first.len()).unwrap_or(first), rest))
}

/// The colour of the verdict. A value that rose by less than unchanged code did is better.
pub(in crate::ui::panels) fn finding_color(theme: &Theme, finding: &Finding) -> Color32 {
    match finding.verdict {
        verdict if verdict.is_structure() => theme.text,
        Verdict::Regression | Verdict::New => theme.worse,
        Verdict::Improvement | Verdict::Gone => theme.better,
        _ => theme.delta_text((finding.ratio - 1.0) as f32),
    }
}

/// True where the measured value went the other way than the verdict says.
pub(super) fn is_against_measured(finding: &Finding) -> bool {
    finding.verdict.is_change() && finding.delta != 0.0 && (finding.delta > 0.0) != finding.verdict.is_worse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_stands_once_where_all_have_it() {
        assert_eq!(change("23.0 ms/s", "160 ms/s", "+137 ms/s"), "23.0 → 160 ms/s (+137)");
        assert_eq!(change("302 ms", "1.40 s", "+1.10 s"), "302 ms → 1.40 s (+1.10 s)");
        assert_eq!(change("3", "5", "+2"), "3 → 5 (+2)");
        assert_eq!(change("1.20 MiB", "3.40 MiB", "+2.20 MiB"), "1.20 → 3.40 MiB (+2.20)");
    }

    #[test]
    fn what_multiplies_a_number_stays_with_it() {
        assert_eq!(change("43.4 k", "466 k", "+422 k"), "43.4 k → 466 k (+422 k)");
        assert_eq!(change("43.4 k/s", "466 k/s", "+422 k/s"), "43.4 k → 466 k/s (+422 k)");
        assert_eq!(change("1.20 M widgets", "3.40 M widgets", "+2.20 M widgets"), "1.20 M → 3.40 M widgets (+2.20 M)");
        assert_eq!(change("900", "12.3 k", "+11.4 k"), "900 → 12.3 k (+11.4 k)");
    }

    #[test]
    fn a_summary_begins_with_its_first_sentence() {
        assert_eq!(sentences("It rose by 1.5 %. All of it is new."), ("It rose by 1.5 %.", "All of it is new."));
        assert_eq!(sentences("Nothing changed."), ("Nothing changed.", ""));
    }
}
