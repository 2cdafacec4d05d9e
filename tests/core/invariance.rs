//! What findings must not depend on: the order of samples and of tables, the number of threads, units of time and of cost; and what swapped
//! sides turn round. Held on every sample pair and on generated ones.

#![expect(clippy::print_stdout, reason = "says which verdicts were seen")]

use std::path::Path;
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::{Measure, Verdict};
use emberlens::analysis::regress::{Finding, Findings, Spec, findings};
use emberlens::analysis::{Direction, Filter, Granularity, Naming};
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Function, Label, LabelValue, Mapping, Profile, Sample, StringId, Thread, check};

use crate::regressions::{Random, generated_pair, structured_pair};
use crate::samples::load;

/// Sums of the same floating point numbers in another order differ in their last bits only.
const NEARLY: f64 = 1e-9;

/// Explanations are fitted to each other in turn until none moves: seen from the other side, the steps to the same answer are others, and what
/// cancels out leaves other last digits. P values follow with the square of the evidence.
const FITTED: f64 = 1e-6;

/// A pair with the sample type that is compared.
struct Pair {
    name: String,
    captures: [Arc<Profile>; 2],
    sample_type: String,
    unit: String,
}

/// The pairs of `expected.json`, each capture and sample type once, and two generated ones.
fn pairs() -> Vec<Pair> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles");
    let text = std::fs::read_to_string(root.join("expected.json")).expect("the samples say what is expected of them");
    let expected: serde_json::Value = serde_json::from_str(&text).expect("expected.json is JSON");
    let mut made: Vec<Pair> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for pair in expected["pairs"].as_array().expect("a list of pairs") {
        let text = |key: &str| pair[key].as_str().unwrap_or_default().to_owned();
        if !seen.insert([text("before"), text("after"), text("sample_type")]) {
            continue;
        }
        let captures = ["before", "after"].map(|side| load(&root.join(text(side)), &root));
        let row = captures[0].find_sample_type(&text("sample_type")).unwrap_or(captures[0].default_sample_type);
        let kind = captures[0].sample_types[row].clone();
        made.push(Pair { name: text("name"), captures, sample_type: kind.name, unit: kind.unit });
    }
    assert!(made.len() >= 12, "only {} pairs", made.len());
    for (name, captures) in [("generated", generated_pair()), ("structured", structured_pair())] {
        made.push(Pair { name: name.to_owned(), captures, sample_type: "cpu".to_owned(), unit: "nanoseconds".to_owned() });
    }
    made
}

fn found(pair: &Pair, captures: &[Arc<Profile>; 2], normalization: Option<Normalization>) -> Findings {
    found_by(pair, captures, normalization, &Naming::default())
}

fn found_by(pair: &Pair, captures: &[Arc<Profile>; 2], normalization: Option<Normalization>, naming: &Naming) -> Findings {
    let filter = Filter::default();
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let shape = Shape::build_matched(captures, &sides, naming, Granularity::Function, Direction::TopDown, &filter, &Ticket::new());
    let shape = shape.expect("not cancelled");
    let normalization = normalization.unwrap_or_else(|| Normalization::fitting(&pair.sample_type, captures));
    let kind = (pair.sample_type.as_str(), pair.unit.as_str());
    let comparison =
        compare(Arc::new(shape), captures, &sides, kind, &filter, normalization, &Ticket::new()).expect("both have the sample type");
    findings(&comparison, captures, &Spec::default()).expect("two sides")
}

/// A new profile of the same content: samples in `order`, each with its values times `times` (by sample type), and with that the rows of all tables in the
/// order in which the samples need them.
fn rebuilt(profile: &Profile, order: &[usize], times: &[i64]) -> Arc<Profile> {
    let mut builder = Builder::new(profile.sample_types.iter().map(|kind| (kind.name.as_str(), kind.unit.as_str())));
    builder.default_sample_type = profile.default_sample_type;
    builder.info = profile.info.clone();
    builder.notes = profile.notes.clone();
    for &row in order {
        let mut stack = None;
        let mut frames: Vec<_> = profile.stack_frames(profile.samples.stacks()[row]).collect();
        frames.reverse();
        for frame in frames {
            let frame = moved_frame(profile, &mut builder, profile.frames.at(frame));
            stack = Some(builder.stack(stack, frame));
        }
        let thread = profile.samples.threads()[row].map(|thread| {
            let thread = profile.threads[thread];
            let name = builder.string(profile.strings.get(thread.name));
            builder.thread(Thread { name, ..thread })
        });
        let labels: Vec<Label> = profile.samples.labels()[row].map(|set| profile.label_sets.get(set).to_vec()).unwrap_or_default();
        let labels: Vec<Label> = labels.into_iter().map(|label| moved_label(profile, &mut builder, label)).collect();
        let labels = builder.rows.label_set(&labels);
        let values: Vec<i64> =
            (0..profile.sample_types.len()).map(|kind| profile.samples.values(kind)[row] * times.get(kind).unwrap_or(&1)).collect();
        builder.rows.sample(Sample { stack, thread, labels, time: profile.samples.time(row) }, &values);
    }
    let mut made = builder.finish();
    // Records of value 0 count as well where the reader saw an event.
    made.sample_types.clone_from(&profile.sample_types);
    assert_eq!(check(&made), []);
    assert_eq!(made.samples.len(), profile.samples.len());
    Arc::new(made)
}

fn moved_frame(profile: &Profile, builder: &mut Builder, frame: Frame) -> emberlens::model::FrameId {
    fn text(profile: &Profile, builder: &mut Builder, id: StringId) -> StringId {
        builder.string(profile.strings.get(id))
    }
    let function = frame.function.map(|function| {
        let old = profile.functions.at(function);
        let name = text(profile, builder, old.name);
        let system_name = old.system_name.map(|id| text(profile, builder, id));
        let file = old.file.map(|id| text(profile, builder, id));
        builder.function(Function { name, system_name, file, ..old })
    });
    let mapping = frame.mapping.map(|mapping| {
        let old = profile.mappings[mapping];
        let file = old.file.map(|id| text(profile, builder, id));
        let build_id = old.build_id.map(|id| text(profile, builder, id));
        builder.mapping(Mapping { file, build_id, ..old })
    });
    builder.frame(Frame { function, mapping, ..frame })
}

fn moved_label(profile: &Profile, builder: &mut Builder, label: Label) -> Label {
    let mut string = |id| builder.string(profile.strings.get(id));
    let value = match label.value {
        LabelValue::Text(id) => LabelValue::Text(string(id)),
        LabelValue::Number(number, unit) => LabelValue::Number(number, unit.map(&mut string)),
    };
    Label { key: string(label.key), value }
}

/// Numbers below `n` in a random order.
fn shuffled(n: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for at in (1..n).rev() {
        order.swap(at, random.below(at + 1));
    }
    order
}

fn near(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan() || (a - b).abs() <= NEARLY * a.abs().max(b.abs()).max(1e-3)
}

/// In what a row differs from the one it should equal, where its values (in units of cost) are `times` as large.
fn row_difference(a: &Finding, b: &Finding, times: f64) -> Option<String> {
    let words = |row: &Finding| (row.rank, row.verdict, row.func.clone(), row.measure, row.path.clone(), row.explained_by, row.new.clone());
    if words(a) != words(b) {
        return Some(format!("{:?} became {:?}", words(a), words(b)));
    }
    let numbers = |row: &Finding, times: f64| {
        [
            ("before", row.before * times),
            ("after", row.after * times),
            ("delta", row.delta * times),
            ("delta of total", row.delta_of_total),
            ("ratio", row.ratio),
            ("ratio lo", row.ratio_lo),
            ("ratio hi", row.ratio_hi),
            ("p", row.p),
            ("q", row.q),
            ("events before", row.events[0]),
            ("events after", row.events[1]),
            ("explains", row.explains),
            ("minimum detectable", row.minimum_detectable),
        ]
    };
    let both = numbers(a, times).into_iter().zip(numbers(b, 1.0));
    let off: Vec<String> = both.filter(|(a, b)| !near(a.1, b.1)).map(|(a, b)| format!("{} {:e} became {:e}", a.0, a.1, b.1)).collect();
    (!off.is_empty()).then(|| format!("{}: {}", a.func, off.join(", ")))
}

/// In what two results differ.
fn changes(a: &Findings, b: &Findings, times: f64) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, a, b) in [("findings", &a.rows, &b.rows), ("others", &a.others, &b.others)] {
        if a.len() != b.len() {
            wrong.push(format!("{} {what} became {}", a.len(), b.len()));
        }
        wrong.extend(a.iter().zip(b).filter_map(|(a, b)| row_difference(a, b, times)));
    }
    for (what, a, b) in [("work ratio", a.exposure.ratio, b.exposure.ratio), ("lo", a.exposure.lo, b.exposure.lo)] {
        if !near(a, b) {
            wrong.push(format!("{what} {a} became {b}"));
        }
    }
    if (a.unconfirmed, a.tests, a.basis) != (b.unconfirmed, b.tests, b.basis) {
        wrong.push("unconfirmed, tests or basis changed".to_owned());
    }
    wrong.truncate(6);
    wrong
}

fn fail_on(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_order_of_samples_and_tables_changes_no_finding() {
    let mut random = Random(18);
    let mut wrong = Vec::new();
    for pair in pairs() {
        let there = found(&pair, &pair.captures, None);
        let turned = pair.captures.each_ref().map(|capture| rebuilt(capture, &shuffled(capture.samples.len(), &mut random), &[]));
        let other = found(&pair, &turned, None);
        wrong.extend(changes(&there, &other, 1.0).into_iter().map(|what| format!("{}: {what}", pair.name)));
        if there.summary != other.summary {
            wrong.push(format!("{}: {}\nbecame {}", pair.name, there.summary, other.summary));
        }
    }
    fail_on(&wrong);
}

#[test]
fn the_number_of_threads_changes_no_bit_of_the_findings() {
    let pools = [1, 2, 5].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool"));
    let mut wrong = Vec::new();
    for pair in pairs() {
        let [one, rest @ ..] = pools.each_ref().map(|pool| pool.install(|| format!("{:?}", found(&pair, &pair.captures, None))));
        wrong.extend(rest.iter().filter(|other| **other != one).map(|_| pair.name.clone()));
    }
    fail_on(&wrong);
}

/// Captures of four times the length that say the same per second of it: only rates fall.
#[test]
fn the_length_of_both_captures_changes_no_finding_per_second() {
    let mut wrong = Vec::new();
    for pair in pairs() {
        if pair.captures.iter().any(|capture| capture.info.duration_nanos.is_none_or(|nanos| nanos <= 0)) {
            continue;
        }
        let longer = pair.captures.each_ref().map(|capture| {
            let mut longer = Profile::clone(capture);
            longer.info.duration_nanos = longer.info.duration_nanos.map(|nanos| nanos * 4);
            Arc::new(longer)
        });
        let per_second = Some(Normalization::PerSecond);
        let (there, other) = (found(&pair, &pair.captures, per_second.clone()), found(&pair, &longer, per_second));
        wrong.extend(changes(&there, &other, 0.25).into_iter().map(|what| format!("{}: {what}", pair.name)));
    }
    fail_on(&wrong);
}

/// As many samples, each of which stands for four times the cost, as with a quarter of the rate over four times the work.
#[test]
fn the_cost_of_one_sample_changes_no_finding() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for pair in pairs() {
        // Only where a sample's cost is the period and another column counts samples: elsewhere four times the value may say more.
        let coarser = pair.captures.each_ref().map(|capture| {
            let (name, unit, period) = capture.info.period.clone().filter(|period| period.0 == pair.sample_type)?;
            capture.sample_types.iter().position(|kind| kind.name == "samples" && kind.unit == "count")?;
            let times: Vec<i64> = capture.sample_types.iter().map(|kind| if kind.name == name { 4 } else { 1 }).collect();
            let mut made = rebuilt(capture, &(0..capture.samples.len()).collect::<Vec<_>>(), &times);
            Arc::get_mut(&mut made).expect("nobody else has it").info.period = Some((name, unit, period * 4));
            Some(made)
        });
        let [Some(before), Some(after)] = coarser else { continue };
        compared += 1;
        let absolute = Some(Normalization::Absolute);
        let (there, other) = (found(&pair, &pair.captures, absolute.clone()), found(&pair, &[before, after], absolute));
        wrong.extend(changes(&there, &other, 4.0).into_iter().map(|what| format!("{}: {what}", pair.name)));
    }
    assert!(compared >= 2, "only {compared} pairs have a period");
    fail_on(&wrong);
}

/// The verdict of the same change seen from the other side.
fn flipped(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Regression => Verdict::Improvement,
        Verdict::Improvement => Verdict::Regression,
        Verdict::New => Verdict::Gone,
        Verdict::Gone => Verdict::New,
        same => same,
    }
}

/// One over a ratio, where a side without any cost has 0 and infinity.
fn inverse(ratio: f64) -> f64 {
    if ratio == 0.0 { f64::INFINITY } else { 1.0 / ratio }
}

/// In what a row of one direction is not the mirror image of the other's.
fn mirror_difference(a: &Finding, b: &Finding) -> Option<String> {
    let mut off = Vec::new();
    // Whether a doubling could be missed depends on which side is taken as the start, and only where it could not a share is said to be diluted.
    let undecided = |verdict| matches!(verdict, Verdict::Noise | Verdict::TooFew | Verdict::Diluted);
    if flipped(a.verdict) != b.verdict && !(undecided(a.verdict) && undecided(b.verdict)) {
        off.push(format!("{:?} became {:?}", a.verdict, b.verdict));
    }
    for (what, wanted, seen) in [
        ("before", a.after, b.before),
        ("after", a.before, b.after),
        ("delta", -a.delta, b.delta),
        ("ratio", inverse(a.ratio), b.ratio),
        ("ratio lo", inverse(a.ratio_hi), b.ratio_lo),
        ("ratio hi", inverse(a.ratio_lo), b.ratio_hi),
        ("p", a.p, b.p),
        ("q", a.q, b.q),
        ("raw", a.raw[0], b.raw[1]),
        ("events", a.events[1], b.events[0]),
        ("explains", a.explains, b.explains),
    ] {
        let allowed = match what {
            "ratio" | "ratio lo" | "ratio hi" | "explains" => FITTED,
            "p" | "q" => 10.0 * FITTED,
            _ => NEARLY,
        };
        // A p value of 1e-300 says what 0 says.
        let least = if matches!(what, "p" | "q") { 1e-100 } else { 0.0 };
        if !near(wanted, seen) && (wanted - seen).abs() > allowed * wanted.abs() + least {
            off.push(format!("{what} {wanted:e} became {seen:e}"));
        }
    }
    (!off.is_empty()).then(|| format!("{} {:?}: {}", a.func, a.measure, off.join(", ")))
}

/// In what the result of swapped sides is not the mirror image.
fn mirror_differences(there: &Findings, back: &Findings) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, a, b) in [("finding", &there.rows, &back.rows), ("other row", &there.others, &back.others)] {
        // Places are numbered by name over the same two captures, so paths can be compared by number.
        let key = |row: &Finding, turned: bool| {
            let names = match row.new.clone() {
                Some(new) if turned => (new, Some(row.func.clone())),
                new => (row.func.clone(), new),
            };
            // The row of a renamed function's other name is that of its first name from the other side.
            let names = match there.rows.iter().find(|renamed| !turned && renamed.new.as_ref() == Some(&row.func)) {
                Some(renamed) if row.new.is_none() => (renamed.func.clone(), None),
                _ => names,
            };
            // A renamed function stands under another name from the other side, and so do the places of its path.
            let path = if row.new.is_some() { None } else { row.path.clone() };
            (names, row.measure, path)
        };
        for row in a {
            match b.iter().find(|other| key(other, true) == key(row, false)) {
                None => wrong.push(format!("the {what} {} {:?} {:?} is lost", row.func, row.measure, row.verdict)),
                // The other name of a renamed function: another place, whose own numbers are compared in the tables below.
                Some(other) if other.place != row.place && row.new.is_none() => {}
                Some(other) => wrong.extend(mirror_difference(row, other).map(|text| format!("{what} {text}"))),
            }
        }
        if a.len() != b.len() {
            wrong.push(format!("{} times {what} became {}", a.len(), b.len()));
        }
    }
    for measure in Measure::ALL {
        let (a, b) = (there.diff.table(measure), back.diff.table(measure));
        for place in 0..a.z.len() {
            let sound = (a.z[place] + b.z[place]).abs() <= FITTED * a.z[place].abs().max(1.0)
                && near(-a.delta[place], b.delta[place])
                && near(a.raw[0][place], b.raw[1][place]);
            if !sound {
                let numbers = [a.z[place], a.delta[place], b.z[place], b.delta[place]];
                wrong.push(format!("row {place} of {}: {numbers:?}", measure.name()));
            }
        }
    }
    wrong.truncate(8);
    wrong
}

#[test]
fn swapped_sides_flip_the_signs_and_nothing_else() {
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for pair in pairs() {
        let [before, after] = pair.captures.clone();
        let turned = [after, before];
        let choices = [None].into_iter().chain(Normalization::ALL.map(Some)).flat_map(|choice| [(choice.clone(), false), (choice, true)]);
        for (normalization, exact) in choices {
            let naming = Naming { exact, ..Naming::default() };
            let [there, back] = [&pair.captures, &turned].map(|captures| found_by(&pair, captures, normalization.clone(), &naming));
            seen.extend(there.rows.iter().map(|row| row.verdict));
            let how = normalization.as_ref().map_or("its default", Normalization::name);
            let at = format!("{} by {how}{}", pair.name, if exact { ", equal names only" } else { "" });
            wrong.extend(mirror_differences(&there, &back).into_iter().map(|what| format!("{at}: {what}")));
        }
    }
    fail_on(&wrong);
    println!("verdicts: {seen:?}");
    for verdict in [Verdict::Regression, Verdict::Improvement, Verdict::New, Verdict::Gone, Verdict::Renamed] {
        assert!(seen.contains(&verdict), "no pair has the verdict {verdict:?}");
    }
}

/// Repeats of a side are a set, and how many threads add them up is no matter either.
#[test]
fn the_order_of_repeats_changes_no_finding() {
    let (one, two) = (generated_pair(), crate::regressions::generated_repeat());
    let of = |order: [usize; 4]| {
        let all = [&one[0], &two[0], &one[1], &two[1]];
        let captures: Vec<Arc<Profile>> = order.iter().map(|&at| Arc::clone(all[at])).collect();
        let filter = Filter::default();
        let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &filter, &Ticket::new()).expect("not cancelled");
        let sides = [SideInput::whole([0, 1]), SideInput::whole([2, 3])];
        let kind = ("cpu", "nanoseconds");
        let comparison =
            compare(Arc::new(shape), &captures, &sides, kind, &filter, Normalization::PerSecond, &Ticket::new()).expect("both have it");
        findings(&comparison, &captures, &Spec::default()).expect("two sides")
    };
    let there = of([0, 1, 2, 3]);
    assert_eq!(there.diff.noise.repeats, 2);
    assert!(there.rows.len() >= 2, "{}", there.summary);
    fail_on(&changes(&there, &of([1, 0, 3, 2]), 1.0));
    fail_on(&mirror_differences(&there, &of([2, 3, 0, 1])));
}
