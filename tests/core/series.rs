//! One unchanged Go service captured many times, and with slowdowns of known size in one function: what the judgement says of real noise.
//!
//! `sample-profiles/series/` holds the captures, `expected.json` what was planted and what it really costs (measured without a profile).
//! `cargo test --test core series -- --nocapture` prints the figures of `tests/bench/README.md`, "Real captures".

#![expect(clippy::print_stdout, reason = "measured figures are shown with --nocapture")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, Work, compare};
use emberlens::analysis::diff::{Measure, Table};
use emberlens::analysis::regress::{Finding, Findings, Spec, findings};
use emberlens::analysis::{Comparison, Direction, Filter, Granularity};
use emberlens::base::archive::{Archive, Kind, Member};
use emberlens::base::inflate::peel;
use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, read};
use emberlens::model::{Profile, check};
use rayon::prelude::*;
use serde_json::Value;

/// All runs over one shape, so that a comparison of some of them only adds up columns.
struct Series {
    captures: Vec<Arc<Profile>>,
    shape: Arc<Shape>,
    runs: Vec<Run>,
    slowdowns: Vec<Slowdown>,
    kind: (&'static str, &'static str),
}

struct Run {
    group: String,
    file: String,
    requests: f64,
    cpu_nanos: f64,
    total: i64,
}

/// What was planted, and the interval of what it costs.
struct Slowdown {
    group: String,
    function: String,
    work: f64,
    lo: f64,
    hi: f64,
}

/// Where the numbers come from.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// The runtime's profile, 250 samples a second of processor time.
    Pprof,
    /// perf at 2,000 a second, folded; only of the unchanged runs and of the smallest slowdown.
    Perf,
}

/// All files of a packed archive, by name.
fn members(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let (packed, ticket) = (std::fs::read(path).expect("the archive is readable"), Ticket::new());
    let tar = peel(&packed, 64 << 20, &ticket).expect("the archive can be unpacked").bytes;
    let mut archive = Archive::open(Kind::of(&tar).expect("an archive"), &tar, &ticket).expect("a sound archive");
    let listed: Vec<Member> = archive.members.clone();
    let extract = |member: &Member| archive.extract(member, 16 << 20, &ticket).expect("a sound member").0.into_owned();
    listed.iter().map(|member| member.path.clone()).zip(listed.iter().map(extract).collect::<Vec<_>>()).collect()
}

fn read_member(members: &mut BTreeMap<String, Vec<u8>>, name: &str) -> Arc<Profile> {
    let bytes = members.remove(name).expect("the file is in the archive");
    Arc::new(read(&Input { bytes: &bytes, name }, &ReadCx::new(&Ticket::new())).unwrap_or_else(|error| panic!("{name}: {error}")))
}

impl Series {
    fn open(by: By) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles");
        let text = std::fs::read_to_string(root.join("expected.json")).expect("the samples say what is expected of them");
        let expected: Value = serde_json::from_str(&text).expect("expected.json is JSON");
        let list = |key: &str| expected["series"][key].as_array().expect("a list").clone();
        let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
        let number = |row: &Value, key: &str| row[key].as_f64().expect("a number");
        let (archive, ending) = if by == By::Pprof { ("shop-pprof.tar.xz", ".pb") } else { ("shop-folded.tar.xz", ".folded") };
        let mut members = members(&root.join("series").join(archive));
        let mut runs = Vec::new();
        for row in list("runs") {
            let file = format!("{}{ending}", text(&row, "name"));
            if !members.contains_key(&file) {
                continue;
            }
            let total = row["total"].as_i64().expect("a number");
            let [requests, cpu_nanos] = ["requests", "cpu_nanos"].map(|key| number(&row, key));
            runs.push(Run { group: text(&row, "group"), file, requests, cpu_nanos, total });
        }
        let slowdowns = list("slowdowns")
            .iter()
            .map(|row| Slowdown {
                group: text(row, "group"),
                function: text(row, "function"),
                work: number(row, "work"),
                lo: number(row, "ratio_lo"),
                hi: number(row, "ratio_hi"),
            })
            .collect();
        let captures: Vec<Arc<Profile>> = runs.iter().map(|run| read_member(&mut members, &run.file)).collect();
        let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &Filter::default(), &Ticket::new());
        let kind = if by == By::Pprof { ("cpu", "nanoseconds") } else { ("samples", "count") };
        Self { shape: Arc::new(shape.expect("not cancelled")), captures, runs, slowdowns, kind }
    }

    /// Rows of the runs of a group.
    fn group(&self, name: &str) -> Vec<usize> {
        let rows: Vec<usize> = (0..self.runs.len()).filter(|&row| self.runs[row].group == name).collect();
        assert!(!rows.is_empty(), "there is no group {name}");
        rows
    }

    /// All groups: every one is some runs of one program.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut names: Vec<&str> = self.runs.iter().map(|run| run.group.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| self.group(name)).collect()
    }

    /// The number of requests of both sides, as a user would say it.
    fn requests(&self, sides: &[Vec<usize>; 2]) -> Normalization {
        let [before, after] = sides.each_ref().map(|side| side.iter().map(|&row| self.runs[row].requests).sum::<f64>());
        Normalization::PerRequest(Work::new(before, after).expect("requests were answered"))
    }

    fn compare(&self, sides: &[Vec<usize>; 2], normalization: Normalization) -> Comparison {
        let inputs = sides.each_ref().map(|side| SideInput::whole(side.iter().copied()));
        let made = compare(Arc::clone(&self.shape), &self.captures, &inputs, self.kind, &Filter::default(), normalization, &Ticket::new());
        made.expect("all have the sample type")
    }

    fn judge(&self, sides: &[Vec<usize>; 2], normalization: Normalization) -> Findings {
        findings(&self.compare(sides, normalization), &self.captures, &Spec::default()).expect("two sides")
    }

    fn name(&self, side: &[usize]) -> String {
        let number = |row: usize| self.runs[row].file.split('.').next().unwrap_or_default().to_owned();
        side.iter().map(|&row| number(row)).collect::<Vec<_>>().join("+")
    }
}

fn words(found: &Findings) -> String {
    let row = |row: &Finding| {
        format!("    {} {} {} [{:.3}, {:.3}] {}", row.rank, row.verdict.name(), row.func, row.ratio_lo, row.ratio_hi, row.why)
    };
    found.rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Alarms among comparisons of unchanged runs: prints the figure and each alarm, gives their number.
fn alarms(
    what: &str,
    series: &Series,
    pairs: &[[Vec<usize>; 2]],
    normalization: &(dyn Fn(&[Vec<usize>; 2]) -> Normalization + Sync),
) -> usize {
    let judged: Vec<Findings> = pairs.par_iter().map(|sides| series.judge(sides, normalization(sides))).collect();
    let alarmed: Vec<(&[Vec<usize>; 2], &Findings)> = pairs.iter().zip(&judged).filter(|(_, found)| !found.rows.is_empty()).collect();
    println!("| {what} | {} | {} | {:.1} % |", pairs.len(), alarmed.len(), 100.0 * alarmed.len() as f64 / pairs.len().max(1) as f64);
    for (sides, found) in &alarmed {
        println!("  {} against {}\n{}", series.name(&sides[0]), series.name(&sides[1]), words(found));
    }
    alarmed.len()
}

/// All pairs of runs of the same program.
fn pairs(series: &Series) -> Vec<[Vec<usize>; 2]> {
    let of = |group: Vec<usize>| -> Vec<[Vec<usize>; 2]> {
        (0..group.len()).flat_map(|a| (a + 1..group.len()).map(move |b| (a, b))).map(|(a, b)| [vec![group[a]], vec![group[b]]]).collect()
    };
    series.groups().into_iter().flat_map(of).collect()
}

/// All ways to split runs into two sides of equal size.
fn splits(rows: &[usize]) -> Vec<[Vec<usize>; 2]> {
    let half = rows.len() / 2;
    (0..1_u32 << rows.len())
        // The first run stands before: a split and its mirror are one.
        .filter(|mask| mask.count_ones() as usize == half && mask & 1 == 1)
        .map(|mask| [1, 0].map(|wanted| (0..rows.len()).filter(|at| mask >> at & 1 == wanted).map(|at| rows[at]).collect()))
        .collect()
}

#[test]
fn captures_hold_the_processor_time_that_the_system_measured() {
    let series = Series::open(By::Pprof);
    for (run, capture) in series.runs.iter().zip(&series.captures) {
        assert_eq!(check(capture), [], "{}", run.file);
        let column = capture.find_sample_type("cpu").expect("a CPU profile");
        assert_eq!(capture.total(column), run.total, "{}: go tool pprof says otherwise", run.file);
        // A timer that ticks 250 times a second loses what falls between a thread's last tick and its end, and ticks that come late.
        let part = run.total as f64 / run.cpu_nanos;
        assert!((0.9..=1.01).contains(&part), "{}: {part} of the time by getrusage", run.file);
    }
}

/// Real noise of one machine that did other things too. The goal is chance taken for change in one of twenty comparisons; held is what that brings at most in
/// 95 of 100 such series (see Real captures in `tests/bench/README.md` for the figures).
#[test]
#[ignore = "takes minutes: the next one makes every fifth comparison"]
fn unchanged_runs_have_no_finding() {
    hold_unchanged(1);
}

#[test]
fn every_fifth_comparison_of_unchanged_runs_has_no_finding() {
    hold_unchanged(5);
}

fn hold_unchanged(step: usize) {
    let series = Series::open(By::Pprof);
    println!("| unchanged runs | comparisons | with a finding | |\n|---|--:|--:|--:|");
    let single = pairs(&series);
    let small = series.group("small");
    let mut failed = Vec::new();
    let mut hold = |what: &str, pairs: &[[Vec<usize>; 2]], normalization: &(dyn Fn(&[Vec<usize>; 2]) -> Normalization + Sync)| {
        let pairs: Vec<[Vec<usize>; 2]> = pairs.iter().step_by(step).cloned().collect();
        let alarmed = alarms(what, &series, &pairs, normalization);
        if is_restless(alarmed, pairs.len()) {
            failed.push(format!("{what}: {alarmed} of {}", pairs.len()));
        }
    };
    hold("1 v 1, per second", &single, &|_| Normalization::PerSecond);
    hold("1 v 1, shares", &single, &|_| Normalization::Share);
    hold("3 v 3, 17,000 samples each, all splits, per second", &splits(&series.group("base")), &|_| Normalization::PerSecond);
    hold("5 v 5, 3,000 samples each, all splits, per second", &splits(&small), &|_| Normalization::PerSecond);
    hold("5 v 5, 3,000 samples each, all splits, per request", &splits(&small), &|sides| series.requests(sides));
    let perf = Series::open(By::Perf);
    hold_perf(&perf, step, &mut failed);
    assert!(failed.is_empty(), "too many comparisons of unchanged runs have a finding:\n{}", failed.join("\n"));
}

fn hold_perf(perf: &Series, step: usize, failed: &mut Vec<String>) {
    for (what, pairs) in [("perf at 2,000 Hz, 1 v 1", pairs(perf)), ("perf, 3 v 3, all splits", splits(&perf.group("base")))] {
        let pairs: Vec<[Vec<usize>; 2]> = pairs.into_iter().step_by(step).collect();
        let alarmed = alarms(what, perf, &pairs, &|_| Normalization::Share);
        if is_restless(alarmed, pairs.len()) {
            failed.push(format!("{what}: {alarmed} of {}", pairs.len()));
        }
    }
}

fn is_restless(alarmed: usize, comparisons: usize) -> bool {
    let goal = 0.05 * comparisons as f64;
    alarmed as f64 > goal + 1.645 * (0.95 * goal).sqrt()
}

/// The row of a function's total (or, of a leaf's, self) with what is said of it.
fn row_of<'a>(comparison: &Comparison, found: &'a Findings, function: &str) -> (usize, &'a Table) {
    let row = comparison.places().find(function).expect("the function was seen").row();
    (row, found.diff.table(Measure::Total))
}

/// What the optimal test of exactly this function finds with 80 % power among 700 tested groups, with the work known: 4.81 standard
/// deviations of sampling (`log` of the growth).
fn limit(events: [f64; 2]) -> f64 {
    4.81 * (1.0 / events[0] + 1.0 / events[1]).sqrt()
}

/// With 6 and 4 captures of 15,000 samples the noise of that machine lets only the largest of 2, 5, 10 and 50 % be told.
#[test]
fn slowdowns_of_one_function_are_found_or_the_row_says_that_it_cannot_tell() {
    let failed = planted(&|slowdown| slowdown.group.starts_with("score"), &[By::Pprof]);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Both callers' paths were found one after the other here, and the finding of the function had the numbers of one of them beside what both explain.
#[test]
fn a_finding_of_a_function_has_the_numbers_of_all_its_paths() {
    let series = Series::open(By::Pprof);
    let row = |file: String| series.runs.iter().position(|run| run.file == file).expect("it is in the series");
    let sides =
        [(1..=5).map(|run| row(format!("base-{run}.pb"))).collect(), (1..=4).map(|run| row(format!("score-150-{run}.pb"))).collect()];
    let comparison = series.compare(&sides, Normalization::PerSecond);
    let found = findings(&comparison, &series.captures, &Spec::default()).expect("two sides");
    let first = found.rows.first().unwrap_or_else(|| panic!("nothing found: {}", found.summary));
    let (row, table) = row_of(&comparison, &found, "shop/internal/pricing.(*Engine).Score");
    let own = &found.diff.self_.raw;
    assert_eq!((first.func.as_str(), &first.path), ("shop/internal/pricing.(*Engine).Score", &None), "{}", words(&found));
    let wanted = if first.measure == Measure::Self_ { [own[0][row], own[1][row]] } else { [table.raw[0][row], table.raw[1][row]] };
    assert!(first.raw.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1.0), "{:?}, wanted {wanted:?}", first.raw);
}

/// R17, of which two of nine are missed. `stock.Reserve` looks up maps, which take up to 1.7 times as long while somebody else uses the same core of the
/// host (code that waits for itself, as most of the rest does, does not notice); its row says that it would see 95 % only. Of the runs with a slow
/// `codec.Decode` the host made one faster by a fifth, and its row promises more than it keeps.
const MISSED: [&str; 2] = ["reserve-150", "decode-150"];

#[test]
fn slowdowns_of_many_functions_are_found_where_the_samples_suffice() {
    let failed = planted(&|_| true, &[By::Pprof, By::Perf]);
    let others: Vec<&String> = failed.iter().filter(|said| !MISSED.iter().any(|missed| said.starts_with(missed))).collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// Prints what is said of each slowdown that is wanted, gives what is wrong.
fn planted(wanted: &dyn Fn(&Slowdown) -> bool, sources: &[By]) -> Vec<String> {
    let mut failed = Vec::new();
    println!(
        "| planted | truth | captures | limit | first finding | ratio | interval | smallest detectable | |\n|---|--:|--:|--:|---|--:|--:|--:|---|"
    );
    for &by in sources {
        let series = Series::open(by);
        for slowdown in series.slowdowns.iter().filter(|slowdown| wanted(slowdown)) {
            if !series.runs.iter().any(|run| run.group == slowdown.group) {
                continue;
            }
            let after = series.group(&slowdown.group);
            // Unchanged runs of the same length: a run of 280,000 requests is another program than one of 60,000 (its receipts grow).
            let is_long = series.runs[after[0]].requests > 100_000.0;
            let sides = [series.group(if is_long { "base" } else { "small" }), after];
            for (how, normalization) in [("requests known", series.requests(&sides)), ("work unknown", Normalization::PerSecond)] {
                if by == By::Perf && how != "requests known" {
                    continue;
                }
                let comparison = series.compare(&sides, normalization);
                let found = findings(&comparison, &series.captures, &Spec::default()).expect("two sides");
                let (row, table) = row_of(&comparison, &found, &slowdown.function);
                let limit = limit([table.events[0][row], table.events[1][row]]).exp() - 1.0;
                let first = found.rows.first();
                let at = format!("{} ({how}{})", slowdown.group, if by == By::Perf { ", perf" } else { "" });
                let (lo, hi) = first.map_or((table.lo[row], table.hi[row]), |first| (first.ratio_lo, first.ratio_hi));
                println!(
                    "| {at} | {:.3} | {} v {} | +{:.1} % | {} {} | {:.3} | {lo:.3} to {hi:.3} | +{:.1} % | {} findings, work {:.3} |",
                    f64::midpoint(slowdown.lo, slowdown.hi),
                    sides[0].len(),
                    sides[1].len(),
                    limit * 100.0,
                    first.map_or("", |first| first.verdict.name()),
                    first.map_or("none", |first| first.func.as_str()),
                    first.map_or(table.ratio[row], |first| first.ratio),
                    table.minimum_detectable[row] * 100.0,
                    found.rows.len(),
                    found.exposure.ratio,
                );
                if first.is_none_or(|first| first.func != slowdown.function) {
                    println!("{}", words(&found));
                }
                failed.extend(verdict(slowdown, first, (table, row), limit).map(|said| format!("{at}: {said}")));
            }
        }
    }
    failed
}

/// What is wrong with what was said of a slowdown.
fn verdict(slowdown: &Slowdown, first: Option<&Finding>, (table, row): (&Table, usize), limit: f64) -> Option<String> {
    let effect = slowdown.work - 1.0;
    let detectable = table.minimum_detectable[row];
    if let Some(first) = first {
        if first.func != slowdown.function || !first.verdict.is_worse() {
            return Some(format!("first is {} ({})", first.func, first.verdict.name()));
        }
        let covers = first.ratio_lo <= slowdown.hi && slowdown.lo <= first.ratio_hi;
        return (!covers).then(|| format!("[{}, {}] does not hold {} to {}", first.ratio_lo, first.ratio_hi, slowdown.lo, slowdown.hi));
    }
    // Missed: only where the row itself says that it could not have seen it.
    if detectable <= effect {
        return Some(format!("not found, but the row says that it would see {detectable}"));
    }
    let covers = table.lo[row] <= slowdown.hi && slowdown.lo <= table.hi[row];
    (!covers || limit > 0.0 && effect >= 0.5).then(|| format!("not found, limit {limit}, [{}, {}]", table.lo[row], table.hi[row]))
}
