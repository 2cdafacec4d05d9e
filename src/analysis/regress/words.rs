//! The result in sentences: why each row is what it is, the summary, and what a reader must know.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Answer, Collector, Difference, Exposure, Finding, Findings, Spec};
use crate::analysis::comparable;
use crate::analysis::comparison::{Comparison, Normalization, Side, percent};
use crate::analysis::diff::{Interval, Measure, Noise, Verdict};
use crate::analysis::names::short;
use crate::analysis::stats::Needed;
use crate::model::{Profile, counted, grouped, human, human_duration, kind, type_name};

/// Longest name in a sentence, in characters; where it is said again, it may be shorter.
const NAME: usize = 60;
const READING_NAME: usize = 28;

/// Writes `why` of every row, the summary and the notes.
pub(super) fn explain(
    comparison: &Comparison,
    captures: &[Arc<Profile>],
    spec: &Spec,
    closed: bool,
    moved: Option<Interval>,
    made: &mut Findings,
) {
    let names: Vec<String> = made.rows.iter().map(|row| row.func.clone()).collect();
    for row in &mut made.rows {
        row.why = why(comparison, row);
    }
    let needs = Needs { growth: made.growth, repeats: made.diff.noise.repeats };
    made.others.par_iter_mut().with_min_len(1 << 6).for_each(|row| row.why = why_not(row, &names, &needs));
    for row in made.rows.iter_mut().chain(&mut made.others) {
        if let Some(matched) = comparison.shape.matching.of(row.place) {
            row.why = format!("{} [{}]", row.why, matched.words(&row.func));
        }
    }
    made.summary = summary(comparison, spec, closed, moved, made);
    made.notes = notes(comparison, captures, spec, closed, moved, made);
}

/// `+12 %`, `−40 %`, `±0 %`, `3.2 times`.
fn change(ratio: f64) -> String {
    if ratio.is_nan() {
        "no value".to_owned()
    } else if ratio.is_infinite() {
        "new".to_owned()
    } else if ratio >= 100.0 {
        format!("{ratio:.0} times")
    } else if ratio >= 3.0 {
        format!("{ratio:.1} times")
    } else if (ratio - 1.0).abs() < 5e-5 {
        "±0 %".to_owned()
    } else if ratio >= 1.0 {
        format!("+{}", percent(ratio - 1.0))
    } else {
        format!("−{}", percent(1.0 - ratio))
    }
}

/// `grew by 12 %`, `fell by 40 %`, `grew to 3.2 times`.
fn moved_by(ratio: f64) -> String {
    if (ratio - 1.0).abs() < 5e-5 {
        "stayed as it was".to_owned()
    } else if ratio.is_infinite() {
        "came up from nothing".to_owned()
    } else if ratio >= 3.0 {
        format!("grew to {}", change(ratio))
    } else if ratio >= 1.0 {
        format!("grew by {}", percent(ratio - 1.0))
    } else {
        format!("fell by {}", percent(1.0 - ratio))
    }
}

/// What is said of a change that passed the search by so little that the interval, which allows for its being the largest of many, ends at no change.
const BARELY: &str = "; barely told from chance in this search, further runs would confirm it";

fn barely(row: &Finding) -> &'static str {
    if row.is_barely_sure() { BARELY } else { "" }
}

fn interval(row: &Finding) -> String {
    if row.ratio_hi.is_infinite() {
        format!("95 %: at least {}", change(row.ratio_lo))
    } else {
        format!("95 %: {}", between(row.ratio_lo, row.ratio_hi))
    }
}

/// `+8.1 % to +14 %`, `2.5 to 6.4 times`: both ends in one measure, or they cannot be held against each other.
fn between(lo: f64, hi: f64) -> String {
    if lo >= 1.0 && (3.0..f64::INFINITY).contains(&hi) {
        // Both ends differ in what is written of them.
        match hi / lo {
            1.2.. => format!("{lo:.1} to {}", change(hi)),
            1.02.. => format!("{lo:.2} to {hi:.2} times"),
            _ => format!("{lo:.3} to {hi:.3} times"),
        }
    } else {
        format!("{} to {}", change(lo), change(hi))
    }
}

/// How much of the whole change a finding accounts for: `62.0 %`, or `all` where other places made up for more than the rest.
pub fn part_of_change(explains: f64) -> String {
    if explains >= 0.9995 { "all".to_owned() } else { percent(explains) }
}

fn measure_words(measure: Measure) -> &'static str {
    match measure {
        Measure::Self_ => "its own cost",
        Measure::Total => "its cost with callees",
    }
}

fn chance(q: f64) -> String {
    if q < 1e-6 { "less than one in a million".to_owned() } else { one_in(q) }
}

/// `1 in 4,000`: with two digits, more is not known of a chance that is estimated.
pub fn one_in(q: f64) -> String {
    let times = 1.0 / q;
    let step = 10_f64.powf((times.log10().floor() - 1.0).max(0.0));
    format!("1 in {}", grouped(((times / step).round() * step) as u64))
}

fn why(comparison: &Comparison, row: &Finding) -> String {
    let strays = match row.strays.round() {
        strays if row.verdict.is_structure() && strays >= 1.0 => {
            format!("; {} on the other side, as a few samples of the other build", counted(strays as u64, "event stands", "events stand"))
        }
        _ => String::new(),
    };
    format!("{}{strays}", why_changed(comparison, row))
}

fn why_changed(comparison: &Comparison, row: &Finding) -> String {
    let what = measure_words(row.measure);
    let (before, after) = (comparison.text(row.before), comparison.text(row.after));
    let events = format!("{:.0} → {:.0} events", row.events[0], row.events[1]);
    let by_chance = format!("by chance in a search of all places: {}", chance(row.q));
    match row.verdict {
        Verdict::New => format!("new: {what} is {after} ({events}; {by_chance})"),
        Verdict::Gone => format!("gone: {what} was {before} ({events}; {by_chance})"),
        Verdict::Shift if row.new.is_some() => {
            let new = row.new.as_deref().unwrap_or_default();
            format!(
                "proposed: {new} stands in its place, and {what} {} ({}): {before} → {after} ({events})",
                moved_by(row.ratio),
                interval(row)
            )
        }
        Verdict::Shift if row.is_move => {
            format!("called from elsewhere: its new paths cost {after}, as its old ones did ({before}; {}; {events})", interval(row))
        }
        Verdict::Shift => format!(
            "moved, not new: {what} {} ({}), and what stands around it made up for that ({events})",
            moved_by(row.ratio),
            interval(row)
        ),
        Verdict::Renamed => {
            let new = row.new.as_deref().unwrap_or("otherwise");
            let costs = if row.ratio_lo <= 1.0 && row.ratio_hi >= 1.0 {
                "callers, callees and cost are the same".to_owned()
            } else {
                format!("callers and callees are the same; its cost {}", moved_by(row.ratio))
            };
            format!("proposed: now called {new}, since {costs} ({before} → {after}; {events})")
        }
        Verdict::Inlined if row.is_of_after() => {
            format!("stands for itself now, likely no longer inlined: its callers' own cost fell meanwhile ({after}; {events})")
        }
        Verdict::Inlined => format!("inlined: its callers have this cost now ({before}; {events})"),
        Verdict::Wrapper if row.is_of_after() => format!("a new frame around calls that were there before ({after}; {events})"),
        Verdict::Wrapper => format!("a frame that is no longer around calls that are still there ({before}; {events})"),
        _ => {
            let against = if row.is_against_rest() { " against all that moved alike" } else { against(row) };
            let new = row.new.as_ref().map_or_else(String::new, |new| format!("proposed: {new} stands in its place; "));
            let captured = as_captured(comparison, row).map_or_else(String::new, |text| format!("; {text}"));
            format!(
                "{new}{what} {}{against} ({}), {before} → {after} ({events}; {by_chance}{}{captured})",
                moved_by(row.ratio),
                interval(row),
                barely(row)
            )
        }
    }
}

/// Said of a change that is plainly another one than that of the values beside it, which are as measured.
fn against(row: &Finding) -> &'static str {
    let beside = (row.after / row.before / row.ratio).ln().abs();
    if beside.is_finite() && beside > AS_WRITTEN { " against unchanged code" } else { "" }
}

/// What a row's values are as captured, where they count cost of frames that came or went.
fn as_captured(comparison: &Comparison, row: &Finding) -> Option<String> {
    let factor = |side: usize| comparison.sides.get(side).map_or(0.0, |side| comparison.factor(side));
    let captured = [row.raw[0] * factor(0), row.raw[1] * factor(1)];
    let is_same = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    let [before, after] = captured.map(|value| comparison.text(value));
    let same = is_same((captured[0], row.before)) && is_same((captured[1], row.after));
    (!same).then(|| format!("as captured {before} → {after}: frames that came or went are counted where the other side has their cost"))
}

/// What it takes to see more.
struct Needs {
    growth: f64,
    /// Captures a side that there are.
    repeats: usize,
}

impl Needs {
    /// `would need 4.2 times the samples, or 5 runs a side`.
    fn text(&self, needed: Needed) -> String {
        let samples = more_samples(needed.samples);
        let runs = runs_needed(needed, self.repeats).map(|runs| format!("{runs} runs a side"));
        match (samples, runs) {
            (None, None) => "no number of samples or runs that can be had would do".to_owned(),
            (samples, runs) => format!("would need {}", samples.into_iter().chain(runs).collect::<Vec<_>>().join(", or ")),
        }
    }
}

/// More samples or runs than this nobody takes.
const MUCH: f64 = 1000.0;

/// So many times the samples, in words; `None` where more than anybody takes.
pub fn more_samples(times: f64) -> Option<String> {
    // The estimate has no more digits than the words.
    let words = if times < 1.05 { "slightly more samples".to_owned() } else { format!("{} times the samples", short_number(times)) };
    (times < MUCH).then_some(words)
}

/// Runs a side that it takes, where there are `repeats` now; `None` where more than anybody makes.
pub fn runs_needed(needed: Needed, repeats: usize) -> Option<usize> {
    let runs = (needed.runs * repeats.max(1) as f64).ceil();
    (runs < MUCH).then_some((runs as usize).max(2))
}

/// `4.2`, `38`.
fn short_number(number: f64) -> String {
    if number < 10.0 { format!("{number:.1}") } else { format!("{number:.0}") }
}

fn why_not(row: &Finding, names: &[String], needs: &Needs) -> String {
    let cannot = row.answer(needs.growth) == Answer::CannotTell;
    let missed = || format!("cannot tell: a growth {} could be missed ({})", of_growth(needs.growth), needs.text(row.needed));
    let detectable = || {
        if row.minimum_detectable.is_finite() {
            format!("a growth {} would have been found", of_growth(row.minimum_detectable))
        } else {
            "no growth could have been found".to_owned()
        }
    };
    match row.verdict {
        Verdict::Explained => {
            let name = row.explained_by.and_then(|rank| names.get(rank.checked_sub(1)?)).map_or("a finding", String::as_str);
            format!("changed together with {}", short(name, NAME))
        }
        Verdict::Diluted => "changed only beside the findings: what is left of it moves with the rest".to_owned(),
        Verdict::Unconfirmed => {
            let words = "differs by more than its samples explain, as runs of unchanged code may: unconfirmed, needs repeats";
            format!("{words} ({})", needs.text(row.needed))
        }
        Verdict::Small => "surely changed, but by less than the minimum effect".to_owned(),
        Verdict::TooFew => {
            let reason = if cannot { missed() } else { "too few to tell".to_owned() };
            format!("{:.0} → {:.0} events: {reason}; {}", row.events[0], row.events[1], detectable())
        }
        Verdict::Noise if cannot => format!("within noise ({}), but {}; {}", interval(row), missed(), detectable()),
        _ => format!("within noise ({}); {}", interval(row), detectable()),
    }
}

fn summary(comparison: &Comparison, spec: &Spec, closed: bool, moved: Option<Interval>, made: &Findings) -> String {
    // Values of both signs may add up to nothing.
    let has_values = made.diff.total.raw.iter().flatten().any(|value| *value != 0.0);
    if !has_values && comparison.sides.iter().all(|side| side.weights.total() == 0) {
        return "No sample is left to compare.".to_owned();
    }
    let whole = totals(comparison, made);
    // What the whole is explained by need not be said twice.
    let said = |row: &Finding| whole.contains(&short(&row.func, NAME));
    let first = made.rows.first().filter(|row| row.verdict.is_change());
    let main = first.filter(|row| !said(row)).map(|row| main_change(row, made));
    // What got worse comes first in the list; what changed most is said also where it got better.
    let largest_of = |is: &dyn Fn(&Finding) -> bool| {
        made.rows.iter().filter(|row| row.verdict.is_change() && is(row)).max_by(|a, b| a.delta.abs().total_cmp(&b.delta.abs()))
    };
    let largest = largest_of(&|_| true).filter(|row| first.is_some_and(|first| first.rank != row.rank) && !said(row));
    // Of a library in the place of another one part is new and one is gone: either alone would mislead.
    let opposite = |first: &Finding| {
        let most = largest_of(&|row| row.delta * first.delta < 0.0 && !said(row))?;
        (most.delta.abs() * 2.0 >= first.delta.abs()).then_some(most)
    };
    let other = if largest.is_none() { first.and_then(opposite) } else { None };
    let [largest, other] = [largest, other].map(|row| row.map(|row| main_change(row, made)));
    let mut sentences = vec![whole];
    if let Some(names) = made.differences.iter().find(|row| row.what == comparable::NAMES) {
        let Difference { before, after, .. } = names;
        sentences.push(format!(
            "Functions that both sides have hold {before} before and {after} after: these are two programs, or names that were not found on one side, and nothing can be said of what got worse."
        ));
        return sentences.join(" ");
    }
    if let Some(Interval { ratio, lo, hi }) = moved {
        let base = comparison.exposure();
        let what = if first.is_some() { "Apart from the findings nearly everything" } else { "Nearly everything" };
        sentences.push(format!(
            "{what} {} alike (95 %: {}): more or less work, or another speed of the machine. Places are held against that.",
            moved_by(ratio / base),
            between(lo / base, hi / base)
        ));
    }
    let worse = made.rows.iter().filter(|row| row.verdict.is_worse()).count();
    let structure = made.rows.iter().filter(|row| row.verdict.is_structure()).count();
    let better = made.rows.len() - worse - structure;
    let open = made.others.iter().filter(|row| row.verdict == Verdict::Unconfirmed);
    let waiting = open.clone().count();
    if first.is_some() {
        sentences.extend(largest);
        sentences.extend(main);
        sentences.extend(other);
        sentences.extend(two_readings(made));
        let (up, down) = (count(worse, "regression"), count(better, "improvement"));
        sentences.push(if worse == 0 { format!("{down}, {up}.") } else { format!("{up}, {down}.") });
    } else {
        sentences.extend(nothing_named(made, waiting, moved.is_some()));
    }
    if waiting > 0 {
        let places = match (first.is_some(), waiting) {
            (false, _) => count(waiting, "place"),
            (true, 1) => "1 further place".to_owned(),
            (true, _) => format!("{waiting} further places"),
        };
        let largest = open.max_by(|a, b| a.delta.abs().total_cmp(&b.delta.abs()).then_with(|| b.func.cmp(&a.func)));
        let named = largest.map(|row| {
            let most = if waiting == 1 { "" } else { "most of all " };
            format!(" ({most}{}: {} → {})", name_of(row), comparison.text(row.before), comparison.text(row.after))
        });
        let places = format!("{places}{}", named.unwrap_or_default());
        let differ = if waiting == 1 { "differs by more than its samples explain" } else { "differ by more than their samples explain" };
        sentences.push(format!("{places} {differ}, as runs of unchanged code may: unconfirmed, needs repeats."));
    }
    if let Some(readings) = made.readings.as_ref().filter(|_| first.is_none()) {
        sentences.push(format!(
            "{} holds {} of the cost of a side: it {}, or everything else {}; how much work each side did (its requests, for example) tells which.",
            short(&readings.func, NAME),
            percent(readings.part),
            moved_by(readings.place.ratio),
            moved_by(readings.rest.ratio)
        ));
    }
    sentences.extend(garbage(comparison, made));
    if structure > 0 {
        let have = if structure == 1 { "has" } else { "have" };
        sentences.push(format!("{} only moved, or {have} another name or frame.", count(structure, "place")));
    }
    let inlined = made.rows.iter().filter(|row| row.verdict == Verdict::Inlined).count();
    if inlined >= EVERYWHERE {
        sentences.push(format!(
            "{} inlined on one side only: the sides were built with other decisions about inlining (another compiler, other flags, profile-guided optimisation), so functions compare with what they call and not by their own cost, and what is new, gone or moved beside them may be part of it.",
            counted(inlined as u64, "function is", "functions are")
        ));
    }
    if closed && !made.rows.is_empty() {
        let reason = match comparison.effective_normalization() {
            Normalization::Share | Normalization::PerCpuSecond => "Shares add up to 100 %",
            _ => "Both sides use the machine equally much per second",
        };
        let rest = "where one place grows all others seem to shrink, so each is held against what the bulk of the others did.";
        sentences.push(format!("{reason}: {rest}"));
    }
    if let (Exposure::Robust, Some(unchanged)) = (spec.exposure, made.unchanged) {
        let Interval { ratio, lo, hi } = unchanged;
        sentences.push(format!("Unchanged code is taken to have {ratio:.3} times the value (95 %: {lo:.3} to {hi:.3})."));
    }
    sentences.join(" ")
}

/// From so many inlined functions on it is how the program was built, and no change of a few of them.
const EVERYWHERE: usize = 5;

/// What garbage collection did as a whole.
fn garbage(comparison: &Comparison, made: &Findings) -> Option<String> {
    let Collector { before, after, change, .. } = made.collector.as_ref()?;
    let values = format!("{} → {}", comparison.text(*before), comparison.text(*after));
    let moved = format!("Garbage collection {} (95 %: {}), {values}", moved_by(change.ratio), between(change.lo, change.hi));
    Some(match (change.lo > 1.0 || change.hi < 1.0, made.diff.noise.is_from_repeats) {
        (true, _) => format!("{moved}: by more than it varies by itself."),
        (false, true) => format!("{moved}: no more than it varies by itself in these captures."),
        (false, false) => {
            format!("{moved}: it varies by itself as much from run to run, so this needs repeats (or profiles of allocations).")
        }
    })
}

/// What is said where no place is named: that there is no change, or that only the whole shows it, unless nearly everything did the same.
fn nothing_named(made: &Findings, waiting: usize, is_explained: bool) -> Option<String> {
    let least = made.diff.total.minimum_detectable.iter().copied().filter(|growth| growth.is_finite()).reduce(f64::min);
    let least =
        least.map(|least| format!(": the smallest growth that would have been found is {}, in the place that shows most", growth(least)));
    let least = least.unwrap_or_default();
    if !is_explained && made.total.is_some_and(|total| total.lo > 1.0 || total.hi < 1.0) {
        return Some(format!("The whole surely changed, but no place of it can be named as the reason{least}."));
    }
    // Places that wait for repeats are changes that the samples do show.
    let none = if is_explained { "Beside that these samples show no change" } else { "No change that these samples can show" };
    (waiting == 0).then(|| format!("{none}{least}."))
}

/// A growth as a part or, where it is large, as what it grows to: `12.0 %`, `to 390 times`.
pub fn growth(growth: f64) -> String {
    if growth >= 3.0 { format!("to {:.0} times", 1.0 + growth) } else { percent(growth) }
}

/// The same behind "a growth": `of 12.0 %`, `to 390 times`.
fn of_growth(part: f64) -> String {
    if part >= 3.0 { growth(part) } else { format!("of {}", percent(part)) }
}

/// Both readings of the change that was named last.
fn two_readings(made: &Findings) -> Option<String> {
    let readings = made.readings.as_ref()?;
    Some(format!(
        "It holds {} of the cost of a side, so there are two readings: {} {}, or everything else {}; how much work each side did (its requests, for example) tells which.",
        percent(readings.part),
        short(&readings.func, READING_NAME),
        moved_by(readings.place.ratio),
        moved_by(readings.rest.ratio)
    ))
}

/// What the total is counted per, in words.
const fn per_words(normalization: &Normalization) -> &'static str {
    match normalization {
        Normalization::PerSecond => " per second",
        Normalization::PerCpuSecond => " per CPU-second",
        Normalization::PerRequest(_) => " per request",
        Normalization::Share | Normalization::Absolute => "",
    }
}

fn count(n: usize, what: &str) -> String {
    let number = if n == 0 { "no".to_owned() } else { n.to_string() };
    format!("{number} {what}{}", if n == 1 { "" } else { "s" })
}

/// The first finding: what it did, where that comes from, and how much of the change lies there.
fn main_change(first: &Finding, made: &Findings) -> String {
    let direction = match first.verdict {
        Verdict::New => "is new".to_owned(),
        Verdict::Gone => "is gone".to_owned(),
        _ => format!("{}{} ({}{})", moved_by(first.ratio), against(first), interval(first), barely(first)),
    };
    // Shares have no net change, and a total can stay while much moves: then the part is one of all rises, or of all falls.
    let whole = made.whole_of(first);
    let part = if first.explains > 0.0 { format!("; {} of {whole} lies there", part_of_change(first.explains)) } else { String::new() };
    format!("{} {direction}{part}.", name_of(first))
}

/// The name of a finding in a sentence: what is true of one path need not be true of the function.
fn name_of(row: &Finding) -> String {
    let new = row.new.as_ref().map_or_else(String::new, |new| format!(" → {}", short(new, NAME)));
    let name = short(&row.func, NAME) + &new;
    let name = match row.told_paths().count() {
        0 => name,
        1 => format!("{name} on one path"),
        paths => format!("{name} on {paths} paths"),
    };
    row.asked_by.as_ref().map_or_else(|| name.clone(), |own| format!("{name} (for {})", short(own, NAME)))
}

/// Ratios that differ by less (in logarithms) have the same digits but for the last one.
const AS_WRITTEN: f64 = 0.005;
/// Most names in the sentence about the whole.
const NAMED: usize = 3;
/// A part is one of the change as measured where it differs from that by less than this.
const AS_MEASURED: f64 = 0.05;
/// Findings are named until they explain this part of the change.
const EXPLAINED: f64 = 0.9;

/// The first findings of the direction in which the whole changed, with what they explain together.
fn explained_by(made: &Findings, rose: bool, change: f64) -> Option<String> {
    let same = made.rows.iter().filter(|row| row.verdict.is_change() && row.verdict.is_worse() == rose && row.explains > 0.0);
    let all = same.clone().count();
    let (mut names, mut part, mut measured) = (Vec::new(), 0.0, 0.0);
    let first = same.clone().next()?;
    for row in same.take(NAMED) {
        let by = match row.verdict {
            Verdict::New => "new".to_owned(),
            Verdict::Gone => "gone".to_owned(),
            _ => format!("{}{}", self::change(row.ratio), against(row)),
        };
        names.push(format!("{} ({by})", name_of(row)));
        part += row.explains;
        measured += row.delta / change;
        if part >= EXPLAINED {
            break;
        }
    }
    let list = match names.as_slice() {
        [] => return None,
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    };
    let more = if part < EXPLAINED { all.saturating_sub(names.len()) } else { 0 };
    let more = if more > 0 {
        format!(", and more of it by {}", counted(more as u64, "further finding", "further findings"))
    } else {
        String::new()
    };
    // Where work or speed differ, a part of what changed beside them is no part of the change as measured.
    let is_measured = (measured.clamp(0.0, 1.0) - part.clamp(0.0, 1.0)).abs() < AS_MEASURED;
    let whole = if is_measured { "it" } else { first.explains_of.words(true) };
    Some(format!("{} of {whole} is explained by {list}{more}", part_of_change(part)))
}

/// What the whole did, how surely, and what explains it.
fn totals(comparison: &Comparison, made: &Findings) -> String {
    let Some((before, after)) = comparison.pair() else { return String::new() };
    // Of what the filters let through, as the interval is.
    let value = |side: &Side| comparison.factor(side) * side.weights.total() as f64;
    let (old, new) = (value(before), value(after));
    let name = type_name(&comparison.sample_type);
    if let Some(Interval { ratio, lo, hi }) = made.total {
        let values = format!("{} → {}", comparison.text(old), comparison.text(new));
        let name = format!("{name}{}", per_words(comparison.effective_normalization()));
        let between = between(lo, hi);
        if lo <= 1.0 && hi >= 1.0 && made.basis.whole_noise() > 0.0 && made.diff.noise.repeats < 2 {
            return format!(
                "{name}: {values} ({}). One capture a side does not tell whether that is a change: under one load the whole of it varies many times over from run to run (95 %: {between}), further captures of each side tell.",
                change(ratio)
            );
        }
        if lo <= 1.0 && hi >= 1.0 {
            return format!("{name} did not surely change: {values} ({}; 95 %: {between}).", change(ratio));
        }
        let moved = match (ratio >= 3.0, ratio >= 1.0) {
            (true, _) => format!("rose to {}", change(ratio)),
            (_, true) => format!("rose by {}", percent(ratio - 1.0)),
            _ => format!("fell by {}", percent(1.0 - ratio)),
        };
        let by = explained_by(made, ratio >= 1.0, new - old).map_or_else(String::new, |by| format!("; {by}"));
        return format!("{name} {moved} (95 %: {between}), {values}{by}.");
    }
    match comparison.effective_normalization() {
        Normalization::Share => format!("Shares of {name} are compared."),
        _ if old > 0.0 => {
            format!("{name}: {} → {} ({}).", comparison.text(old), comparison.text(new), change(new / old))
        }
        _ => format!("{name}: {} → {}.", comparison.text(old), comparison.text(new)),
    }
}

fn notes(
    comparison: &Comparison,
    captures: &[Arc<Profile>],
    spec: &Spec,
    closed: bool,
    moved: Option<Interval>,
    made: &Findings,
) -> Vec<String> {
    let mut notes = Vec::new();
    notes.push(format!("Compared: {}.", comparison.denominator_text()));
    notes.push(format!("Events: {}.", made.basis.words()));
    notes.extend(noise_notes(&made.diff.noise));
    notes.extend(seen_note(made));
    if let Some(readings) = &made.readings {
        notes.push(format!(
            "Two readings: {} {} (95 %: {}) while everything else stayed as it was, or it stayed and everything else {} (95 %: {}). Numbers of requests, or an event that counts them, tell which.",
            short(&readings.func, NAME),
            moved_by(readings.place.ratio),
            between(readings.place.lo, readings.place.hi),
            moved_by(readings.rest.ratio),
            between(readings.rest.lo, readings.rest.hi)
        ));
    }
    if *comparison.effective_normalization() != comparison.normalization {
        notes.push(match comparison.normalization {
            Normalization::PerCpuSecond => "A capture holds no processor time: shares are compared instead of rates.".to_owned(),
            _ => "A capture does not say how long it took: shares are compared instead of rates.".to_owned(),
        });
    }
    notes.extend(equal_load_note(comparison));
    // In a closed system the bulk must differ from the normalisation where something grew; the summary says so.
    if spec.exposure == Exposure::Normalization
        && (!closed || made.rows.is_empty())
        && let Some(unchanged) = made.unchanged
        && moved.is_none()
        && (unchanged.lo > comparison.exposure() * 1.05 || unchanged.hi < comparison.exposure() / 1.05)
    {
        notes.push(format!(
            "The bulk of the functions has {:.2} times the value, the normalisation expects {:.2}: either nearly everything changed, or the amount of work did.",
            unchanged.ratio,
            comparison.exposure()
        ));
    }
    let rows = comparison.sides.iter().flat_map(|side| &side.rows);
    let lost: u64 = rows.filter_map(|&row| captures.get(row)).map(|profile| profile.notes.count(kind::LOST_EVENTS)).sum();
    if lost > 0 {
        let events = counted(lost, "event was", "events were");
        notes.push(format!("{events} lost while recording: the sides may be incomplete in different ways."));
    }
    notes
}

/// Mean lengths of captures of the two sides that differ by more than this are hardly those of equal recordings.
const OTHER_LENGTH: f64 = 1.2;

/// Rates compare where both sides were under equal load. Of one program that ran to its end twice the longer run is the slower one, and nothing but
/// perf's command line says that it did (see [`Normalization::fitting_parts`]).
fn equal_load_note(comparison: &Comparison) -> Option<String> {
    let (before, after) = comparison.pair()?;
    if *comparison.effective_normalization() != Normalization::PerSecond || before.part.time.is_some() || after.part.time.is_some() {
        return None;
    }
    let length = |side: &Side| Some(side.duration_nanos? as f64 / side.rows.len().max(1) as f64);
    let (old, new) = (length(before)?, length(after)?);
    (old.max(new) > OTHER_LENGTH * old.min(new)).then(|| {
        format!(
            "Captures took {} before and {} after: per second is right under equal load; where both did the same work (a program that ran to its end), compare absolute values.",
            human_duration(old as i64),
            human_duration(new as i64)
        )
    })
}

/// What could have been seen in this pair.
fn seen_note(made: &Findings) -> Option<String> {
    let least = made.diff.total.minimum_detectable.iter().copied().filter(|growth| growth.is_finite()).reduce(f64::min)?;
    let state = |answer: Answer| made.others.iter().filter(|row| row.answer(made.growth) == answer).count();
    let (unchanged, open) = (state(Answer::Unchanged), state(Answer::CannotTell));
    Some(format!(
        "Could have seen: a growth {} in the place that shows most. Of the other places {unchanged} would have shown a growth {}, {open} could hide it.",
        of_growth(least),
        of_growth(made.growth)
    ))
}

/// Which noise was allowed for, and what it does not cover.
fn noise_notes(noise: &Noise) -> Vec<String> {
    let from = if noise.is_from_repeats {
        format!("{} a side", count(noise.repeats, "repeat"))
    } else {
        format!("from {}", count(noise.cells, "comparable function"))
    };
    let (function, background) = (percent(noise.function), percent(noise.background));
    let mut notes = vec![format!(
        "Allowed for beyond sampling: {function} from run to run for a function ({from}), {background} for background work of a runtime."
    )];
    match noise.slices {
        Some((slices, nanos)) => notes.push(format!(
            "Noise from {slices} slices of {}: what comes in bursts is told from a change; how runs differ is not seen, further captures of each side show it.",
            human(nanos as f64, "ns")
        )),
        None if !noise.is_from_repeats => {
            let few = if noise.repeats < 2 { "One capture a side" } else { "Few captures a side" };
            notes.push(format!(
                "{few}: differences between runs can only be estimated; further captures of each side make the verdict surer."
            ));
        }
        None => {}
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_an_interval_have_one_measure() {
        assert_eq!(between(2.47, 6.4), "2.5 to 6.4 times");
        assert_eq!(between(2.951, 3.034), "2.95 to 3.03 times");
        assert_eq!(between(1.08, 1.14), "+8.00 % to +14.0 %");
        assert_eq!(between(0.5, 0.8), "−50.0 % to −20.0 %");
    }

    #[test]
    fn a_chance_has_two_digits() {
        for (q, text) in [(1.0 / 92_196.0, "1 in 92,000"), (0.05, "1 in 20"), (0.3, "1 in 3"), (1.0 / 129.0, "1 in 130"), (0.5, "1 in 2")] {
            assert_eq!(one_in(q), text);
        }
    }

    #[test]
    fn no_finding_explains_more_than_all() {
        assert_eq!((part_of_change(1.09).as_str(), part_of_change(0.83).as_str()), ("all", "83.0 %"));
    }
}
