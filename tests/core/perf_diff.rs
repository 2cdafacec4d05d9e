//! Differences against `perf diff` of perf 6.1, with its three ways of computing them: delta, ratio, wdiff. Its tables lie in
//! `tests/snapshots/perf-diff/`, each with its command in the first line and the formula of every row (both values and both totals exactly);
//! `make.sh` there writes them.

#![expect(clippy::print_stdout, reason = "says how much was compared")]
#![expect(clippy::float_cmp, reason = "values of captures are whole numbers: equal or wrong")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::{Spec, diff};
use emberlens::analysis::{Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::model::{Profile, base_name};

use crate::corpus;
use crate::samples::load;

/// What perf prints of one symbol or module.
#[derive(Debug, PartialEq)]
struct Row {
    /// Percent of the first file, two decimals; absent where the first file has nothing.
    baseline: Option<f64>,
    /// The computed column as printed, without sign of percent; absent where a file has nothing.
    computed: Option<f64>,
    /// Values of the formula: after, before.
    periods: Option<[f64; 2]>,
    /// Totals of the formula, with `delta` only: after, before.
    totals: Option<[f64; 2]>,
}

/// One table: rows by event and name.
struct Table {
    /// `delta`, `ratio` or `wdiff`.
    compute: String,
    /// `sym` or `dso`.
    key: String,
    files: [String; 2],
    events: BTreeMap<String, BTreeMap<String, Vec<Row>>>,
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(|part| part.parse().expect("digits")).collect()
}

fn parse(text: &str) -> Table {
    let mut lines = text.lines();
    let command: Vec<&str> = lines.next().expect("the command").split_whitespace().collect();
    let after = |option: &str| command[command.iter().position(|word| *word == option).expect("the option is given") + 1];
    let [.., first, second] = command.as_slice() else { panic!("two files are named") };
    let mut table = Table {
        compute: after("-c").split(':').next().expect("a word").to_owned(),
        key: after("-s").to_owned(),
        files: [(*first).to_owned(), (*second).to_owned()],
        events: BTreeMap::new(),
    };
    let (mut event, mut columns) = (String::new(), Vec::new());
    for line in lines {
        if let Some(name) = line.strip_prefix("# Event '") {
            name.trim_end_matches('\'').clone_into(&mut event);
        } else if line.starts_with("# ..") {
            let start = line.char_indices().filter(|(at, c)| *c == '.' && !line[..*at].ends_with('.')).map(|(at, _)| at);
            columns = start.collect();
        } else if !line.starts_with('#') {
            let [_, computed, formula, name] = columns[..] else { panic!("four columns: {columns:?}") };
            let cell = |from: usize, to: usize| line.get(from..to).unwrap_or_default().trim().trim_end_matches('%');
            let values = numbers(cell(formula, name));
            let (periods, totals) = match (table.compute.as_str(), values.as_slice()) {
                (_, []) => (None, None),
                ("delta", [after, 100.0, total_after, before, 100.0, total_before]) => {
                    (Some([*after, *before]), Some([*total_after, *total_before]))
                }
                ("ratio", [after, before]) | ("wdiff", [after, 1.0, before, 1.0]) => (Some([*after, *before]), None),
                other => panic!("no formula: {other:?} in {line}"),
            };
            let row =
                Row { baseline: cell(0, computed - 1).parse().ok(), computed: cell(computed - 1, formula).parse().ok(), periods, totals };
            let key = line[name..].trim_start_matches("[.]").trim_start_matches("[k]").trim().to_owned();
            table.events.entry(event.clone()).or_default().entry(key).or_default().push(row);
        }
    }
    table
}

/// Values before and after, by name.
type Values = BTreeMap<String, [f64; 2]>;

/// Self values of every place of both captures, and their totals.
fn ours(captures: &[Arc<Profile>; 2], event: &str, granularity: Granularity) -> Option<(Values, [f64; 2])> {
    let kind = captures[0].sample_types.iter().find(|kind| kind.name == event || kind.name.starts_with(&format!("{event}:")))?;
    let filter = Filter::default();
    let shape = Shape::build(captures, granularity, Direction::TopDown, &filter, &Ticket::new()).expect("not cancelled");
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let kind = (kind.name.as_str(), kind.unit.as_str());
    let made = compare(Arc::new(shape), captures, &sides, kind, &filter, Normalization::Absolute, &Ticket::new()).ok()?;
    let table = diff(&made, &Spec::default()).expect("two sides").self_;
    let mut rows = Values::new();
    for (id, place) in made.places().iter_ids() {
        let values = [0, 1].map(|side| table.raw[side][id.row()]);
        if values != [0.0; 2] {
            assert!((table.delta[id.row()] - (values[1] - values[0])).abs() < 1e-9, "{}", place.name);
            let name = if granularity == Granularity::Module { base_name(&place.name) } else { &place.name };
            let row: &mut [f64; 2] = rows.entry(name.to_owned()).or_default();
            *row = [row[0] + values[0], row[1] + values[1]];
        }
    }
    if granularity == Granularity::Function {
        join_inlined(captures, kind.0, &mut rows);
    }
    Some((rows, [0, 1].map(|side: usize| made.sides[side].total as f64)))
}

/// perf's tables know the functions that symbols name, and count what was inlined as part of them: so do these rows afterwards.
fn join_inlined(captures: &[Arc<Profile>; 2], event: &str, rows: &mut Values) {
    for (side, capture) in captures.iter().enumerate() {
        let column = capture.find_sample_type(event).expect("the event exists");
        for (stack, value) in capture.samples.stacks().iter().zip(capture.samples.values(column)) {
            let mut frames = capture.stack_frames(*stack);
            let Some(leaf) = frames.next().filter(|&leaf| capture.frames.at(leaf).inlined) else { continue };
            let outer = frames.find(|&frame| !capture.frames.at(frame).inlined).expect("what is inlined stands in something");
            let (leaf, outer) = (capture.frame_name(leaf), capture.frame_name(outer));
            rows.get_mut(&leaf).expect("the leaf has a row")[side] -= *value as f64;
            rows.entry(outer).or_default()[side] += *value as f64;
        }
    }
    rows.retain(|_, values| *values != [0.0; 2]);
}

/// Holds one table against ours; gives the number of rows.
fn check(table: &Table, root: &Path, at: &str, wrong: &mut Vec<String>) -> usize {
    let captures = table.files.each_ref().map(|file| load(&root.join(file), root));
    let granularity = if table.key == "dso" { Granularity::Module } else { Granularity::Function };
    let mut compared = 0;
    for (event, rows) in &table.events {
        let Some((ours, totals)) = ours(&captures, event, granularity) else {
            wrong.push(format!("{at}: no event {event} in both"));
            continue;
        };
        let (mut seen, mut all) = (Vec::new(), [0.0; 2]);
        for (name, printed) in rows {
            let [row] = printed.as_slice() else { panic!("{at} {event}: {name} stands twice: {printed:?}") };
            let Some(&[before, after]) = ours.get(name) else {
                wrong.push(format!("{at} {event}: {name} is missing; there are {:?}", ours.keys().collect::<Vec<_>>()));
                continue;
            };
            seen.push(name);
            compared += 1;
            let mut hold = |what: &str, found: f64, wanted: f64, within: f64| {
                if (found - wanted).abs() > within || found.is_nan() {
                    wrong.push(format!("{at} {event}: {name}: {what} is {found}, perf says {wanted}"));
                }
            };
            all = [all[0] + before, all[1] + after];
            // Printed with two decimals of a percent, and rounded.
            hold("share before", before / totals[0] * 100.0, row.baseline.unwrap_or(0.0), 0.005_001);
            if let Some([wanted_after, wanted_before]) = row.periods {
                hold("value before", before, wanted_before, 0.0);
                hold("value after", after, wanted_after, 0.0);
            } else {
                hold("value after", after, 0.0, 0.0);
            }
            if let Some([wanted_after, wanted_before]) = row.totals {
                hold("total before", totals[0], wanted_before, 0.0);
                hold("total after", totals[1], wanted_after, 0.0);
            }
            if let Some(wanted) = row.computed {
                match table.compute.as_str() {
                    "delta" => hold("change of the share", (after / totals[1] - before / totals[0]) * 100.0, wanted, 0.005_001),
                    "ratio" => hold("ratio", after / before, wanted, 0.000_000_6),
                    // After less before: the sign of perf's manual is the other one, and not what it prints.
                    _ => hold("weighted difference", after - before, wanted, 0.0),
                }
            }
        }
        for name in ours.keys().filter(|name| !seen.contains(name)) {
            wrong.push(format!("{at} {event}: perf does not have {name}: {:?}", ours[name]));
        }
        if all != totals {
            wrong.push(format!("{at} {event}: rows add up to {all:?} of {totals:?}"));
        }
    }
    compared
}

#[test]
fn differences_of_perf_captures_equal_perf_diffs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/perf-diff");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("the tables exist").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    let (mut tables, mut rows, mut wrong) = (0, 0, Vec::new());
    for path in files {
        let table = parse(&std::fs::read_to_string(&path).expect("a table is readable"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles");
        let Some(root) = (if root.join(&table.files[0]).is_file() { Some(root) } else { corpus::folder() }) else { continue };
        tables += 1;
        rows += check(&table, &root, &path.file_name().unwrap_or_default().to_string_lossy(), &mut wrong);
    }
    println!("{tables} tables of perf diff, {rows} rows");
    assert!(wrong.is_empty(), "{} differences in {rows} rows:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(tables >= 6 && rows >= 60, "{tables} tables, {rows} rows");
}
