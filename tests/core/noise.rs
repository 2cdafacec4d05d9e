//! What unchanged runs differ by, and what is still found beside it: background work of a runtime, what all functions of a run have in common,
//! programs of few functions, and cost that only moved.

use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Work};
use emberlens::analysis::diff::{Measure, Verdict};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::model::Profile;

use crate::regressions::{against, cpu};

/// Ten handlers with functions of their own: 40 functions that one capture sees 100 to 400 times each, `factor` times as often.
fn service(factor: impl Fn(usize) -> f64) -> Vec<(String, u64)> {
    let stack =
        |at: usize| (format!("main.main;main.handle{};main.step{at}", at % 10), (100.0 * (1 + at % 4) as f64 * factor(at)).round() as u64);
    (0..40).map(stack).collect()
}

fn with(mut stacks: Vec<(String, u64)>, more: &[(&str, u64)]) -> Arc<Profile> {
    stacks.extend(more.iter().map(|(stack, samples)| ((*stack).to_owned(), *samples)));
    cpu(&stacks, 10.0, 10_000_000)
}

fn judged(before: &[Arc<Profile>], after: &[Arc<Profile>], normalization: Normalization) -> Findings {
    let (comparison, captures) = against([before, after], normalization);
    findings(&comparison, &captures, &Spec::default()).expect("two sides")
}

fn said(found: &Findings) -> Vec<(Verdict, &str)> {
    found.rows.iter().map(|row| (row.verdict, row.func.as_str())).collect()
}

/// 2 against 94 samples of sweeping and 30 against none of preemption are what one Go service did in unchanged runs; the same counts of a function of
/// the program are a change.
#[test]
fn single_runs_say_nothing_of_background_work() {
    let sides = |sweep: &str, preempt: &str| {
        let of = |counts: [u64; 2]| vec![with(service(|_| 1.0), &[(sweep, counts[0]), (preempt, counts[1])])];
        judged(&of([2, 30]), &of([94, 0]), Normalization::PerSecond)
    };
    let runtime = sides("runtime.mcall;runtime.sweepone", "main.main;main.handle1;runtime.asyncPreempt");
    assert_eq!(said(&runtime), [], "{}", runtime.summary);
    let own = sides("main.other;main.sweep", "main.main;main.handle1;main.preempted");
    assert_eq!(said(&own), [(Verdict::Regression, "main.sweep"), (Verdict::Gone, "main.preempted")], "{}", own.summary);
}

/// A sample that lands in the runtime's interruption of a loop is the loop's: what moves between both is no change, and the loop's own growth is one
/// with or without it. What the interruption calls is work of the runtime.
#[test]
fn what_interrupts_a_loop_is_counted_as_the_loop() {
    let of = |counts: [u64; 3]| {
        let [own, interrupted, work] = counts;
        let preempt = "main.main;main.handle1;main.loop;runtime.asyncPreempt";
        let below = format!("{preempt};runtime.asyncPreempt2");
        vec![with(service(|_| 1.0), &[("main.main;main.handle1;main.loop", own), (preempt, interrupted), (&below, work)])]
    };
    let row = |found: &Findings, name: &str| {
        let all = found.rows.iter().chain(&found.others);
        all.filter(|row| row.func == name).map(|row| (row.verdict, row.measure, row.raw)).collect::<Vec<_>>()
    };
    let moved = judged(&of([230, 300, 2]), &of([440, 90, 2]), Normalization::PerSecond);
    assert_eq!(said(&moved), [], "{}", moved.summary);
    let at = moved.diff.self_.raw[0].iter().position(|&value| (value - 2.3e9).abs() < 1.0).expect("as captured");
    assert_eq!((moved.diff.self_.raw[1][at], moved.diff.self_.verdict[at]), (4.4e9, Verdict::Shift));
    let grown = judged(&of([400, 10, 0]), &of([800, 12, 0]), Normalization::PerSecond);
    assert_eq!(row(&grown, "main.loop"), [(Verdict::Regression, Measure::Self_, [4e9, 8e9])], "{}", grown.summary);
    let plain = judged(&of([230, 0, 0]), &of([440, 0, 0]), Normalization::PerSecond);
    assert_eq!(said(&plain), [(Verdict::Regression, "main.loop")], "{}", plain.summary);
}

/// Requests are known, and a request costs 6 % more after: news where every run of a side costs the same, none where runs of one side differ by 10 %.
#[test]
fn known_work_is_no_surer_than_what_it_costs_from_run_to_run() {
    let runs = |costs: [f64; 4]| costs.map(|cost| with(service(|_| 5.0 * cost), &[])).to_vec();
    let requests = || Normalization::PerRequest(Work::new(1000.0, 1000.0).expect("above 0"));
    let steady = judged(&runs([1.0, 1.003, 0.997, 1.0]), &runs([1.06, 1.063, 1.057, 1.06]), requests());
    assert_eq!(said(&steady), [(Verdict::Regression, "main.main")], "{}", steady.summary);
    let restless = judged(&runs([1.1, 0.9, 1.05, 0.95]), &runs([1.16, 0.96, 1.11, 1.01]), requests());
    assert_eq!(said(&restless), [], "{}", restless.summary);
}

/// Three functions are no pool to learn from, so their own repeats speak: what varies twofold from run to run does not change by half.
#[test]
fn repeats_count_where_there_are_few_functions() {
    let run = |make: u64, grow: u64| {
        cpu(&[("main.main;main.make", make), ("main.main;main.grow", grow), ("main.main;main.rest", 1000)], 10.0, 10_000_000)
    };
    let before = [run(1200, 300), run(500, 302), run(900, 298)];
    let restless = [run(500, 301), run(400, 300), run(900, 299)];
    let found = judged(&before, &restless, Normalization::PerSecond);
    assert_eq!(said(&found), [], "{}", found.summary);
    let steady = [run(1200, 604), run(500, 600), run(900, 596)];
    let found = judged(&before, &steady, Normalization::PerSecond);
    assert!(said(&found).contains(&(Verdict::Regression, "main.grow")), "{}", found.summary);
}

/// All calls of `main.encode` come through another caller: neither the new caller nor the old one got worse or better.
#[test]
fn a_callee_that_moved_makes_no_caller_worse() {
    let with_caller = |caller: &str| {
        let encode = format!("main.main;main.handle3;{caller};main.encode");
        let leaf = format!("{encode};main.escape");
        let other = "main.main;main.handle5;main.encode";
        vec![with(
            service(|_| 1.0),
            &[
                (&encode, 400),
                (&leaf, 300),
                (other, 200),
                ("main.main;main.handle3;main.page", 150),
                ("main.main;main.handle3;main.json", 150),
            ],
        )]
    };
    let found = judged(&with_caller("main.page"), &with_caller("main.json"), Normalization::PerSecond);
    assert!(!found.rows.is_empty(), "the move is seen");
    assert!(found.rows.iter().all(|row| row.verdict == Verdict::Shift), "{:?}", said(&found));
}

/// With single runs the evidence of lopsided counts does not grow beyond what the noise lets it: the law that thinned counts broke.
#[test]
fn evidence_is_at_most_the_effect_in_standard_deviations_of_the_noise() {
    use emberlens::analysis::stats::{Doubt, doubtful_test};
    for (before, after) in [(2.0, 94.0), (31.0, 0.0), (50.0, 100.0), (1e4, 4e4), (0.0, 1e6)] {
        for extra in [0.01_f64, 0.1, 1.0] {
            let doubt = Doubt { extra, freedom: f64::INFINITY };
            let test = doubtful_test(before, after, 1.0, doubt);
            let effect = ((after + 0.5) / (before + 0.5_f64)).ln();
            assert!(test.z.abs() <= effect.abs() / extra.sqrt() + 1e-9, "{before} against {after}, {extra}: {}", test.z);
            assert!(test.z.abs() <= doubtful_test(before, after, 1.0, Doubt::NONE).z.abs(), "noise adds no evidence");
            let mirrored = doubtful_test(after, before, 1.0, doubt);
            assert!((test.z + mirrored.z).abs() < 1e-6 * test.z.abs(), "swapped sides flip the sign: {} and {}", test.z, mirrored.z);
        }
    }
}

/// `main.encode` with two callees below six callers, `scale` times as much of it; after, all of it comes through one more function.
fn encode_below(callers: &[&str], scale: f64) -> Arc<Profile> {
    let samples = |part: f64| (part * scale / callers.len() as f64).round() as u64;
    let parts = [("", 300.0), (";main.escape", 500.0), (";main.quote", 250.0)];
    let stacks =
        callers.iter().flat_map(|caller| parts.map(|(below, part)| (format!("main.main;{caller};main.encode{below}"), samples(part))));
    let mut all = service(|_| 1.0);
    // The callers have other work too, and one of them calls it as before.
    all.extend((0..6).map(|at| (format!("main.main;main.handle{at};main.parse"), 150)));
    all.push(("main.main;main.handle9;main.encode;main.escape".to_owned(), 400));
    all.extend(stacks);
    cpu(&all, 10.0, 10_000_000)
}

/// Cost that left six callers and came to one is one finding and no alarm; what did grow on the way is still one.
#[test]
fn calls_that_moved_from_many_callers_are_one_finding() {
    let old = ["main.handle0", "main.handle1", "main.handle2", "main.handle3", "main.handle4", "main.handle5"];
    let new = ["main.handle6;main.respond"];
    let before = [encode_below(&old, 1.0)];
    let found = judged(&before, &[encode_below(&new, 1.0)], Normalization::PerSecond);
    assert_eq!(said(&found), [(Verdict::Shift, "main.encode")], "{}", found.summary);
    let row = &found.rows[0];
    assert!(row.is_whole() && row.ratio_lo <= 1.0 && row.ratio_hi >= 1.0, "{row:?}");
    assert!(
        row.because.starts_with("calls moved from main.handle") && row.because.ends_with(" and 5 more to main.respond"),
        "{}",
        row.because
    );
    let of = |name: &str| found.others.iter().find(|row| row.func == name).map(|row| (row.verdict, row.explained_by));
    for caller in old.into_iter().chain(["main.handle6", "main.respond"]) {
        assert_eq!(of(caller), Some((Verdict::Explained, Some(1))), "{caller}");
    }
    // The same with the sides swapped.
    let back = judged(&[encode_below(&new, 1.0)], &before, Normalization::PerSecond);
    assert_eq!(said(&back), [(Verdict::Shift, "main.encode")], "{}", back.summary);
    let grown = judged(&before, &[encode_below(&new, 2.0)], Normalization::PerSecond);
    assert_eq!(said(&grown), [(Verdict::Regression, "main.encode")], "{}", grown.summary);
    assert!(grown.rows[0].ratio_lo <= 2500.0 / 1450.0 && grown.rows[0].ratio_hi >= 2500.0 / 1450.0, "{:?}", grown.rows[0]);
}
