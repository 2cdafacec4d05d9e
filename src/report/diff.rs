//! What got worse between two sides, as JSON, text, Markdown, CSV and parts of a page: the data behind `emberlens diff`.
//!
//! Deliberately absent: the judgement itself (see [`regress`](crate::analysis::regress)). Start reading at [`DiffReport::new`].

mod finding;
mod html;

use std::sync::Arc;

use serde::Serialize;

use finding::{FindingReport, Needs, finding_report};

use super::SCHEMA;
use super::info::{NoteInfo, notes};
use super::matching::MatchingReport;
use super::number::{Number, change};
use super::remarks::Remarks;
use super::table::{Align, Table, markdown_escape, printable, push_line};
use crate::analysis::comparable::{Concern, Difference};
use crate::analysis::comparison::{Normalization, percent};
use crate::analysis::diff::{Interval, Measure, Noise, Verdict};
use crate::analysis::regress::{Answer, Finding, Findings, Whole, growth, more_samples, part_of_change};
use crate::analysis::{Comparison, Filter, Granularity, PlaceId};
use crate::model::{Profile, counted, human, human_delta, human_duration, type_name};

/// Functions with fewer events on both sides together have an interval too wide to be listed.
const INTERVAL_EVENTS: f64 = 20.0;

/// Rows of the table of what cannot be told, and most of those that wait for repeats.
const OPEN_ROWS: usize = 8;
const WAITING_ROWS: usize = 24;

/// What was compared, beside the comparison and its findings.
#[derive(Clone, Copy, Debug)]
pub struct DiffInput<'a> {
    /// The captures as the comparison's sides number them, each with the path as the user gave it.
    pub captures: &'a [(String, Arc<Profile>)],
    /// What a row stands for.
    pub by: Granularity,
    /// Decimals of the sample type's stored integers.
    pub decimals: u8,
    /// What the comparison was filtered by.
    pub filter: &'a Filter,
    /// What people wrote about it.
    pub remarks: &'a Remarks,
}

/// Everything that `diff --json` prints; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, Serialize)]
pub struct DiffReport {
    schema: u32,
    summary: String,
    sample_type: String,
    unit: String,
    by: &'static str,
    /// Options that choose samples and frames, as on the command line.
    filters: Vec<String>,
    normalization: &'static str,
    /// What normalised numbers are a part of, in words.
    denominator: String,
    before: SideReport,
    after: SideReport,
    exposure: IntervalReport,
    /// The ratio of captured values that stand for equal normalised ones.
    #[serde(skip)]
    normalized_exposure: f64,
    unchanged: Option<IntervalReport>,
    noise: NoiseReport,
    readings: Option<ReadingsReport>,
    collector: Option<CollectorReport>,
    could_have_seen: Seen,
    /// How the normalised total changed; none for shares.
    total: Option<IntervalReport>,
    findings: Vec<FindingReport>,
    others: Vec<FindingReport>,
    others_left_out: usize,
    intervals: Vec<FunctionInterval>,
    tests: usize,
    comparability: Vec<DifferenceReport>,
    matching: MatchingReport,
    notes: Vec<String>,
    remarks: Remarks,
    #[serde(skip)]
    scale: Scale,
}

/// One thing in which the sides differ, see [`comparable`](crate::analysis::comparable).
#[derive(Clone, Debug, Serialize)]
struct DifferenceReport {
    what: &'static str,
    before: String,
    after: String,
    concern: &'static str,
    text: String,
}

impl DifferenceReport {
    fn new(row: &Difference) -> Self {
        Self { what: row.what, before: row.before.clone(), after: row.after.clone(), concern: row.concern.name(), text: row.text.clone() }
    }

    fn line(&self) -> String {
        let Self { what, before, after, concern, text } = self;
        let empty = |value: &str| if value.is_empty() { "none".to_owned() } else { printable(value) };
        if before == after {
            return format!("{concern}: {what}: {} on both sides: {text}", empty(before));
        }
        format!("{concern}: {what}: {} before, {} after: {text}", empty(before), empty(after))
    }
}

/// How normalised numbers read.
#[derive(Clone, Debug)]
struct Scale {
    normalization: Normalization,
    unit: String,
}

impl Scale {
    fn text(&self, value: f64) -> String {
        self.normalization.text(value, &self.unit)
    }

    fn delta(&self, value: f64) -> String {
        let sign = if value > 0.0 { "+" } else { "" };
        match &self.normalization {
            Normalization::Share => format!("{sign}{}", percent(value).replace(" %", " points")).replace('-', "−"),
            other => format!("{}{}", human_delta(value, &self.unit), other.per()),
        }
    }
}

/// One side.
#[derive(Clone, Debug, Serialize)]
struct SideReport {
    files: Vec<String>,
    /// Conditions as on the command line; none for whole captures.
    part: Vec<String>,
    /// Work done, where values are compared per unit of work.
    work: Option<f64>,
    total: Number,
    /// Sum of absolute values.
    gross: Number,
    samples: u64,
    duration_ns: Option<i64>,
    /// What a value is multiplied by to be normalised.
    scale: f64,
    captures: Vec<CaptureReport>,
}

#[derive(Clone, Debug, Serialize)]
struct CaptureReport {
    file: String,
    format: String,
    total: Number,
    samples: u64,
    duration_ns: Option<i64>,
    start_unix_ns: Option<i64>,
    notes: Vec<NoteInfo>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct IntervalReport {
    ratio: f64,
    lo: f64,
    hi: f64,
}

impl From<Interval> for IntervalReport {
    fn from(interval: Interval) -> Self {
        Self { ratio: interval.ratio, lo: interval.lo, hi: interval.hi }
    }
}

/// Which noise was allowed for beyond sampling.
#[derive(Clone, Debug, Serialize)]
struct NoiseReport {
    /// `repeats`, `slices` (of time) or `functions`.
    from: &'static str,
    /// How many of them.
    count: usize,
    slice_ns: Option<i64>,
    function: f64,
    background: f64,
}

impl From<&Noise> for NoiseReport {
    fn from(noise: &Noise) -> Self {
        let (from, count) = match noise.slices {
            _ if noise.is_from_repeats => ("repeats", noise.repeats),
            Some((slices, _)) => ("slices", slices),
            None => ("functions", noise.cells),
        };
        let slice_ns = noise.slices.map(|(_, nanos)| nanos);
        Self { from, count, slice_ns, function: noise.function, background: noise.background }
    }
}

/// What garbage collection cost.
#[derive(Clone, Debug, Serialize)]
struct CollectorReport {
    before: f64,
    after: f64,
    /// After − before per unit of unchanged work, as a part of the total before.
    delta: f64,
    ratio: f64,
    ratio_lo: f64,
    ratio_hi: f64,
}

/// Both readings of the top explanation.
#[derive(Clone, Debug, Serialize)]
struct ReadingsReport {
    func: String,
    part: f64,
    place: IntervalReport,
    rest: IntervalReport,
}

/// What could have been found.
#[derive(Clone, Debug, Serialize)]
struct Seen {
    /// In the place that shows most.
    smallest: Option<f64>,
    /// What is not to be missed.
    growth: f64,
    unchanged: usize,
    cannot_tell: usize,
}

impl Seen {
    fn of(findings: &Findings) -> Self {
        let state = |state| findings.others.iter().filter(|row| row.answer(findings.growth) == state).count();
        let finite = findings.diff.total.minimum_detectable.iter().copied().filter(|growth| growth.is_finite());
        Self {
            smallest: finite.reduce(f64::min),
            growth: findings.growth,
            unchanged: state(Answer::Unchanged),
            cannot_tell: state(Answer::CannotTell),
        }
    }
}

/// How much one function changed, whatever was decided about it.
#[derive(Clone, Debug, Serialize)]
struct FunctionInterval {
    func: String,
    measure: &'static str,
    ratio: f64,
    ratio_lo: f64,
    ratio_hi: f64,
}

impl DiffReport {
    /// The report of a comparison with two sides; `None` for another number of sides.
    pub fn new(comparison: &Comparison, findings: &Findings, input: DiffInput<'_>) -> Option<Self> {
        let (before, after) = comparison.pair()?;
        let normalization = comparison.effective_normalization();
        let row = |finding: &Finding| {
            let needs = Needs { growth: findings.growth, repeats: findings.diff.noise.repeats };
            finding_report(comparison, finding, input.decimals, &needs)
        };
        let intervals = Measure::ALL.into_iter().flat_map(|measure| {
            let table = findings.diff.table(measure);
            let places = comparison.places().ids().skip(1);
            places.filter_map(move |place| {
                let at = place.row();
                let events = table.events[0].get(at)? + table.events[1].get(at)?;
                (events >= INTERVAL_EVENTS).then(|| FunctionInterval {
                    func: comparison.places().name(place).to_owned(),
                    measure: measure.name(),
                    ratio: table.ratio.get(at).copied().unwrap_or(f64::NAN),
                    ratio_lo: table.lo.get(at).copied().unwrap_or(f64::NAN),
                    ratio_hi: table.hi.get(at).copied().unwrap_or(f64::NAN),
                })
            })
        });
        Some(Self {
            schema: SCHEMA,
            summary: findings.summary.clone(),
            sample_type: comparison.sample_type.clone(),
            unit: comparison.unit.clone(),
            by: input.by.name(),
            filters: input.filter.options(),
            remarks: input.remarks.clone(),
            normalization: normalization.name(),
            denominator: comparison.denominator_text(),
            before: side_report(comparison, before, input),
            after: side_report(comparison, after, input),
            exposure: findings.exposure.into(),
            normalized_exposure: comparison.exposure(),
            unchanged: findings.unchanged.map(Into::into),
            noise: (&findings.diff.noise).into(),
            readings: findings.readings.as_ref().map(|readings| ReadingsReport {
                func: readings.func.clone(),
                part: readings.part,
                place: readings.place.into(),
                rest: readings.rest.into(),
            }),
            collector: findings.collector.map(|made| CollectorReport {
                before: made.before,
                after: made.after,
                delta: made.delta_of_total,
                ratio: made.change.ratio,
                ratio_lo: made.change.lo,
                ratio_hi: made.change.hi,
            }),
            could_have_seen: Seen::of(findings),
            total: findings.total.map(Into::into),
            findings: findings.rows.iter().map(row).collect(),
            others: findings.others.iter().map(row).collect(),
            others_left_out: findings.others_left_out,
            intervals: intervals.collect(),
            tests: findings.tests,
            comparability: findings.differences.iter().map(DifferenceReport::new).collect(),
            matching: MatchingReport::new(&findings.matching),
            notes: findings.notes.clone(),
            scale: Scale { normalization: normalization.clone(), unit: comparison.unit.clone() },
        })
    }

    /// True where something got worse.
    pub fn has_regressions(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict.is_worse())
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, side) in [("before", &self.before), ("after", &self.after)] {
            push_line(&mut text, format_args!("{name:<7} {}", self.side_text(side)));
        }
        push_line(&mut text, format_args!("{}", self.scale_text()));
        push_line(&mut text, format_args!("\n{}", printable(&self.summary)));
        text.push_str(&self.remarks.text());
        if !self.findings.is_empty() {
            push_line(&mut text, format_args!("\n{}", self.findings_table().text().trim_end()));
            self.legend().into_iter().for_each(|line| push_line(&mut text, format_args!("{line}")));
        }
        push_line(&mut text, format_args!("\n{}", self.others_text()));
        if let Some(open) = self.open_table() {
            push_line(&mut text, format_args!("\n{}\n{}", self.open_text(), open.text().trim_end()));
        }
        for difference in self.comparability.iter().filter(|row| row.concern != Concern::Info.name()) {
            push_line(&mut text, format_args!("{}", difference.line()));
        }
        for note in &self.notes {
            push_line(&mut text, format_args!("note: {}", printable(note)));
        }
        text.push_str(&self.matching.text());
        text
    }

    /// The same as Markdown, for pull requests.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n{}", markdown_escape(&self.summary), self.remarks.markdown());
        for (name, side) in [("Before", &self.before), ("After", &self.after)] {
            push_line(&mut text, format_args!("- {name}: {}", markdown_escape(&self.side_text(side))));
        }
        push_line(&mut text, format_args!("- {}\n", markdown_escape(&self.scale_text())));
        if !self.findings.is_empty() {
            push_line(&mut text, format_args!("{}", self.findings_table().markdown()));
            self.legend().into_iter().for_each(|line| push_line(&mut text, format_args!("{line}\n")));
        }
        push_line(&mut text, format_args!("{}", markdown_escape(&self.others_text())));
        if let Some(open) = self.open_table() {
            push_line(&mut text, format_args!("\n{}\n\n{}", markdown_escape(&self.open_text()), open.markdown().trim_end()));
        }
        for difference in self.comparability.iter().filter(|row| row.concern != Concern::Info.name()) {
            push_line(&mut text, format_args!("\n> {}", markdown_escape(&difference.line())));
        }
        for note in &self.notes {
            push_line(&mut text, format_args!("\n> {}", markdown_escape(note)));
        }
        text.push_str(&self.matching.markdown());
        text
    }

    /// The findings as comma-separated values with plain numbers, for spreadsheets; a new place has no ratio.
    pub fn findings_csv(&self) -> String {
        let columns = [
            "rank",
            "verdict",
            "function",
            "measure",
            "before",
            "after",
            "delta",
            "delta of total before",
            "ratio",
            "ratio low",
            "ratio high",
            "p",
            "q",
            "explains",
            "events before",
            "events after",
            "path",
            "cause",
            "because",
            "why",
        ];
        let mut table = Table::new(columns.map(|name| (name, Align::Left)));
        for row in &self.findings {
            let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
            let path = row.path.iter().chain(&row.paths).map(|path| path.join(";")).collect::<Vec<_>>().join(" | ");
            table.row([
                row.rank.map(|rank| rank.to_string()).unwrap_or_default(),
                row.verdict.name().to_owned(),
                row.func.clone(),
                row.measure.to_owned(),
                number(row.before),
                number(row.after),
                number(row.delta),
                number(row.delta_of_total),
                number(row.ratio),
                number(row.ratio_lo),
                number(row.ratio_hi),
                number(row.p),
                number(row.q),
                number(row.explains),
                number(row.events[0]),
                number(row.events[1]),
                path,
                row.cause.to_owned(),
                row.because.clone(),
                row.why.clone(),
            ]);
        }
        table.csv()
    }

    fn side_text(&self, side: &SideReport) -> String {
        let duration = side.duration_ns.map(|nanos| format!(" in {}", human_duration(nanos))).unwrap_or_default();
        let amount = |number: Number| human_delta(number.as_f64(), &self.unit).trim_start_matches(['+', '±']).to_owned();
        let kind = type_name(&self.sample_type);
        let total = if side.total == side.gross {
            format!("{} {kind}", amount(side.total))
        } else {
            format!("net {} {kind}, gross {} (values without their signs)", amount(side.total), amount(side.gross))
        };
        let part = if side.part.is_empty() { String::new() } else { format!(" [{}]", printable(&side.part.join("; "))) };
        format!(
            "{}{part}: {total}{duration}, {}",
            printable(&side.files.join(", ")),
            counted(side.samples, "sample record", "sample records")
        )
    }

    fn scale_text(&self) -> String {
        // In the units of the values below it.
        let [ratio, lo, hi] = [self.exposure.ratio, self.exposure.lo, self.exposure.hi].map(|end| end / self.normalized_exposure);
        let interval = if hi / lo > 1.0 + 1e-9 { format!(" ({} to {})", factor(lo, 3), factor(hi, 3)) } else { String::new() };
        let by: Vec<String> = std::iter::once(self.by.to_owned()).chain(self.filters.iter().map(|filter| printable(filter))).collect();
        format!("by {}, {}; unchanged code has after / before = {}{interval}", by.join(", "), self.denominator, factor(ratio, 4))
    }

    /// What the columns hold that their heads do not say.
    fn legend(&self) -> Option<String> {
        let adjusted = "adjusted: after / before held against unchanged code";
        (!self.findings.is_empty()).then(|| self.explains_text().map_or_else(|| adjusted.to_owned(), |text| format!("{adjusted}; {text}")))
    }

    /// What the column `explains` holds parts of; `None` where nothing explains a part.
    fn explains_text(&self) -> Option<String> {
        let wholes = [(Whole::Net, "the net change"), (Whole::Rises, "all rises"), (Whole::Falls, "all falls")];
        let is_there = |whole: Whole| {
            let mut rows = self.findings.iter().filter(|row| row.verdict.is_change() && row.explains > 0.0);
            rows.any(|row| row.explains_of == whole.name())
        };
        let words: Vec<&str> = wholes.into_iter().filter(|(whole, _)| is_there(*whole)).map(|(_, words)| words).collect();
        // Beside numbers as measured it would be taken for a part of their change.
        let per = if (self.exposure.ratio - 1.0).abs() > 1e-9 { ", per unit of unchanged work" } else { "" };
        match words.as_slice() {
            [] => None,
            [one] => Some(format!("explains: part of {one}{per}")),
            ["all rises", "all falls"] => Some(format!("explains: of what rose part of all rises, of what fell part of all falls{per}")),
            several => Some(format!("explains: part of {}{per}", several.join(" or of "))),
        }
    }

    fn findings_table(&self) -> Table {
        let mut table = Table::new([
            ("#", Align::Right),
            ("verdict", Align::Left),
            ("before", Align::Right),
            ("after", Align::Right),
            ("delta", Align::Right),
            ("change", Align::Right),
            ("adjusted", Align::Right),
            ("95 % of it", Align::Right),
            ("explains", Align::Right),
            ("measure", Align::Left),
            ("why", Align::Left),
            ("function", Align::Left),
        ]);
        for row in &self.findings {
            // What is true of one path need not be true of the function.
            let path = row.path_text().map(|path| format!("  on {path}"));
            table.row([
                row.rank.map_or_else(String::new, |rank| rank.to_string()),
                row.verdict.name().to_owned(),
                self.scale.text(row.before),
                self.scale.text(row.after),
                self.scale.delta(row.delta),
                change(row.before, row.after),
                ratio_text(row.ratio),
                format!("{} to {}", ratio_text(row.ratio_lo), ratio_text(row.ratio_hi)),
                part_of_change(row.explains),
                row.measure.to_owned(),
                row.because.clone(),
                format!("{}{}", row.func, path.unwrap_or_default()),
            ]);
        }
        table
    }

    /// What the table of open rows is about.
    fn open_text(&self) -> String {
        let waiting = self.others.iter().filter(|row| row.verdict == Verdict::Unconfirmed).count();
        let hiding = self.could_have_seen.cannot_tell.saturating_sub(waiting);
        let rows = |count: usize, words: &str| (count > 0).then(|| format!("{} {words}", counted(count as u64, "row", "rows")));
        let unconfirmed = rows(waiting, "unconfirmed until repeats show the same");
        let could = rows(hiding, &format!("could hide a growth of {}", percent(self.could_have_seen.growth)));
        let parts: Vec<String> = unconfirmed.into_iter().chain(could).collect();
        format!("cannot tell: {}; {}:", parts.join(", "), if waiting > 0 { "unconfirmed ones first" } else { "those with most cost" })
    }

    /// The costly rows of which nothing can be told, and what it would take; `None` where there are none.
    fn open_table(&self) -> Option<Table> {
        let mut open: Vec<&FindingReport> = self.others.iter().filter(|row| row.needs.is_some()).collect();
        if open.is_empty() {
            return None;
        }
        let waits = |row: &FindingReport| row.verdict == Verdict::Unconfirmed;
        let waiting = open.iter().filter(|row| waits(row)).count();
        open.sort_by(|a, b| {
            waits(b).cmp(&waits(a)).then(b.before.max(b.after).total_cmp(&a.before.max(a.after))).then_with(|| a.func.cmp(&b.func))
        });
        let mut table = Table::new([
            ("before", Align::Right),
            ("after", Align::Right),
            ("could have seen", Align::Right),
            ("would need", Align::Left),
            ("state", Align::Left),
            ("measure", Align::Left),
            ("function", Align::Left),
        ]);
        for row in open.into_iter().take(OPEN_ROWS.max(waiting.min(WAITING_ROWS))) {
            let needs = row.needs.as_ref();
            let samples = needs.and_then(|needs| more_samples(needs.samples?));
            let runs = needs.and_then(|needs| needs.runs).map(|runs| format!("{} a side", counted(runs as u64, "run", "runs")));
            let parts: Vec<String> = samples.into_iter().chain(runs).collect();
            let detectable = row.minimum_detectable;
            table.row([
                self.scale.text(row.before),
                self.scale.text(row.after),
                match growth(detectable) {
                    _ if !detectable.is_finite() => "nothing".to_owned(),
                    times if times.starts_with("to ") => times,
                    part => format!("+{part}"),
                },
                if parts.is_empty() { "more than can be had".to_owned() } else { parts.join(" or ") },
                if row.verdict == Verdict::Unconfirmed { "unconfirmed".to_owned() } else { row.verdict.label().to_lowercase() },
                row.measure.to_owned(),
                row.func.clone(),
            ]);
        }
        Some(table)
    }

    /// How many rows are no finding, by reason.
    fn others_text(&self) -> String {
        let count = |verdict: Verdict| self.others.iter().filter(|row| row.verdict == verdict).count();
        let parts: Vec<String> = Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict, count(verdict)))
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| match verdict {
                Verdict::Diluted if self.scale.normalization != Normalization::Share => format!("{count} only relative to the rest"),
                verdict => format!("{count} {}", verdict.label().to_lowercase()),
            })
            .collect();
        let left_out = if self.others_left_out > 0 { format!(", {} more not judged here", self.others_left_out) } else { String::new() };
        if parts.is_empty() { "no other rows".to_owned() } else { format!("other rows: {}{left_out}", parts.join(", ")) }
    }

    /// One line for each row of the comparison with plain numbers: as captured, in the sample type's unit, and normalised as everywhere else; ratios
    /// are held against unchanged code. Findings say their verdict.
    pub fn csv(comparison: &Comparison, findings: &Findings, decimals: u8) -> String {
        let measured = ["self_before", "self_after", "total_before", "total_after"];
        let judged = ["ratio", "ratio_lo", "ratio_hi", "q"];
        let head: Vec<String> = std::iter::once("name".to_owned())
            .chain(measured.map(str::to_owned))
            .chain(Measure::ALL.into_iter().flat_map(|measure| judged.map(|column| format!("{}_{column}", measure.name()))))
            .chain(["rank", "finding", "unit"].map(str::to_owned))
            .chain(measured.map(|column| format!("{column}_normalized")))
            .chain(["normalization".to_owned()])
            .collect();
        let mut table = Table::new(head.iter().map(|name| (name.as_str(), Align::Left)));
        let sides = comparison.by_place();
        let factors: Vec<f64> = comparison.sides.iter().map(|side| comparison.factor(side)).collect();
        let normalization = comparison.effective_normalization().name();
        let at = |column: &[i64], place: PlaceId| column.get(place.row()).copied().unwrap_or(0);
        let plain = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        for place in comparison.places().ids().skip(1) {
            let selfs = sides.iter().map(|(self_, _)| at(self_, place));
            let totals = sides.iter().map(|(_, total)| at(total, place));
            let values: Vec<i64> = selfs.chain(totals).collect();
            if values.iter().all(|&value| value == 0) {
                continue;
            }
            let mut cells = vec![comparison.places().name(place).to_owned()];
            cells.extend(values.iter().map(|&stored| Number::new(stored, decimals).to_string()));
            for measure in Measure::ALL {
                let table = findings.diff.table(measure);
                let columns = [&table.ratio, &table.lo, &table.hi, &table.q];
                cells.extend(columns.map(|column| column.get(place.row()).map_or_else(String::new, |&value| plain(value))));
            }
            let finding = findings.rows.iter().find(|finding| finding.place == place);
            cells.push(finding.map_or_else(String::new, |finding| finding.rank.to_string()));
            cells.push(finding.map_or_else(String::new, |finding| format!("{} of {}", finding.verdict.name(), finding.measure.name())));
            cells.push(comparison.unit.clone());
            cells.extend(values.iter().zip(factors.iter().cycle()).map(|(&stored, factor)| plain(stored as f64 * factor)));
            cells.push(normalization.to_owned());
            table.row(cells);
        }
        table.csv()
    }
}

/// A factor between the sides with so many decimals, as far as they say something: `1.0312`, `6.67 M`, `1.50e-7`.
fn factor(ratio: f64, decimals: usize) -> String {
    match ratio {
        ratio if ratio >= 1000.0 => human(ratio, "count"),
        ratio if ratio < 0.01 => format!("{ratio:.2e}"),
        ratio => format!("{ratio:.decimals$}"),
    }
}

/// `2.13×`, `new` where there was nothing before.
fn ratio_text(ratio: f64) -> String {
    if ratio.is_infinite() {
        "∞".to_owned()
    } else if ratio.is_nan() {
        "-".to_owned()
    } else if ratio >= 100.0 {
        format!("{ratio:.0}×")
    } else {
        format!("{ratio:.2}×")
    }
}

fn side_report(comparison: &Comparison, side: &crate::analysis::comparison::Side, input: DiffInput<'_>) -> SideReport {
    let number = |stored: i64| Number::new(stored, input.decimals);
    let captures: Vec<CaptureReport> = side
        .rows
        .iter()
        .zip(&side.measured)
        .filter_map(|(&row, measured)| Some((input.captures.get(row)?, measured)))
        .map(|((file, profile), measured)| CaptureReport {
            file: file.clone(),
            format: profile.info.format.clone(),
            total: number(measured.total),
            samples: measured.records,
            duration_ns: measured.duration_nanos,
            start_unix_ns: profile.info.start_unix_nanos,
            notes: notes(profile),
        })
        .collect();
    SideReport {
        files: captures.iter().map(|capture| capture.file.clone()).collect(),
        part: side.part.conditions(),
        work: side.work.map(|work| work.amount),
        total: number(side.total),
        gross: number(i64::try_from(side.gross).unwrap_or(i64::MAX)),
        samples: captures.iter().map(|capture| capture.samples).sum(),
        duration_ns: side.duration_nanos,
        scale: comparison.factor(side),
        captures,
    }
}
