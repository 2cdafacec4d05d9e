//! What unchanged runs differ by, and what is still found beside it: background work of a runtime, what all functions of a run have in common,
//! programs of few functions, and cost that only moved.

use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Work};
use emberlens::analysis::diff::{Measure, Verdict};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::model::{Builder, Frame, Profile, Sample};

use crate::regressions::{Random, against, against_of, cpu};

/// Ten handlers with functions of their own: 40 functions that one capture sees 100 to 400 times each, `factor` times as often.
pub(crate) fn service(factor: impl Fn(usize) -> f64) -> Vec<(String, u64)> {
    let stack =
        |at: usize| (format!("main.main;main.handle{};main.step{at}", at % 10), (100.0 * (1 + at % 4) as f64 * factor(at)).round() as u64);
    (0..40).map(stack).collect()
}

pub(crate) fn with(mut stacks: Vec<(String, u64)>, more: &[(&str, u64)]) -> Arc<Profile> {
    stacks.extend(more.iter().map(|(stack, samples)| ((*stack).to_owned(), *samples)));
    cpu(&stacks, 10.0, 10_000_000)
}

pub(crate) fn judged(before: &[Arc<Profile>], after: &[Arc<Profile>], normalization: Normalization) -> Findings {
    let (comparison, captures) = against([before, after], normalization);
    findings(&comparison, &captures, &Spec::default()).expect("two sides")
}

pub(crate) fn said(found: &Findings) -> Vec<(Verdict, &str)> {
    found.rows.iter().map(|row| (row.verdict, row.func.as_str())).collect()
}

/// 2 against 94 samples of sweeping and 30 against none of preemption are what one Go service did in unchanged runs; the same counts of a function of
/// the program are a change.
#[test]
fn single_runs_say_nothing_of_background_work() {
    let sides = |sweep: &str, preempt: &str| {
        // What is counted at an interruption is missing where it was made.
        let (own, interrupted) = preempt.rsplit_once(';').expect("a path");
        let is_own = interrupted == "runtime.asyncPreempt";
        let of = |counts: [u64; 2]| {
            let own = (own, if is_own { 60 - counts[1] } else { 30 });
            vec![with(service(|_| 1.0), &[(sweep, counts[0]), (preempt, counts[1]), own])]
        };
        judged(&of([2, 30]), &of([94, 0]), Normalization::PerSecond)
    };
    let runtime = sides("runtime.mcall;runtime.sweepone", "main.main;main.handle1;runtime.asyncPreempt");
    assert_eq!(said(&runtime), [], "{}", runtime.summary);
    let kernel = "main.main;main.handle1;asm_sysvec_apic_timer_interrupt;irqentry_exit_to_user_mode;schedule";
    for kernel in [kernel, "main.main;main.handle1;futex_wait;schedule;finish_task_switch.isra.0"] {
        let found = sides(kernel, "main.main;main.handle1;runtime.asyncPreempt");
        assert_eq!(said(&found), [], "{kernel}: {}", found.summary);
    }
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
    // On a busy machine half of a loop's samples are there.
    let halved = judged(&of([200, 200, 0]), &of([410, 390, 0]), Normalization::PerSecond);
    assert_eq!(row(&halved, "main.loop"), [(Verdict::Regression, Measure::Total, [4e9, 8e9])], "{}", halved.summary);
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
    // The box of everything is drawn as sure as the sentence is.
    assert!(restless.summary.contains("did not surely change") && restless.diff.nodes.certainty[0] < 0.5, "{}", restless.summary);
    assert!(steady.diff.nodes.certainty[0] > 0.5, "{}", steady.summary);
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
    assert!(row.is_move && row.ratio_lo <= 1.0 && row.ratio_hi >= 1.0, "{row:?}");
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

/// A frame around all handlers, with what it costs itself and below.
fn behind_middleware(own: u64, below: u64) -> Arc<Profile> {
    let mut all: Vec<(String, u64)> = service(|_| 1.0)
        .into_iter()
        .map(|(stack, samples)| (stack.replace("main.main;main.handle", "main.main;middleware.Trace;main.handle"), samples))
        .collect();
    let own_costs = [
        ("middleware.Trace", own),
        ("middleware.Trace;trace.newSpan", below / 2),
        ("middleware.Trace;trace.newSpan;main.step3", below / 2),
    ];
    all.extend(own_costs.into_iter().filter(|(_, samples)| *samples > 0).map(|(stack, samples)| (format!("main.main;{stack}"), samples)));
    cpu(&all, 10.0, 10_000_000)
}

/// What middleware costs is new cost, in its own lines, below it, or both; alone it is a wrapper.
#[test]
fn a_wrapper_that_costs_something_is_told_with_its_cost() {
    let before = [with(service(|_| 1.0), &[])];
    for (own, below) in [(0, 0), (1000, 0), (0, 1000), (600, 600)] {
        for is_back in [false, true] {
            let after = [behind_middleware(own, below)];
            let sides = if is_back { [&after[..], &before[..]] } else { [&before[..], &after[..]] };
            let found = judged(sides[0], sides[1], Normalization::PerSecond);
            let verdicts = said(&found);
            assert!(verdicts.contains(&(Verdict::Wrapper, "middleware.Trace")), "{own} {below}: {verdicts:?}");
            let changes: Vec<_> = found.rows.iter().filter(|row| row.verdict.is_change()).collect();
            let expected = if is_back { Verdict::Gone } else { Verdict::New };
            assert_eq!(changes.len(), usize::from(own + below > 0), "{own} {below}: {verdicts:?}");
            for row in changes {
                // What the handlers below it cost is as before.
                assert_eq!((row.verdict, row.events[usize::from(!is_back)]), (expected, (own + below) as f64), "{row:?}");
            }
        }
    }
}

/// With several captures a side, tables of what was captured have more subtrees than those that a frame was folded in.
#[test]
fn repeats_of_a_program_that_got_a_wrapper_are_judged() {
    for handlers in [3, 10] {
        let run = |middle: &str, seed: u64| {
            let of = |at: u64| {
                let handler = format!("main;serve{middle};route;h{at}");
                [(format!("{handler};leaf"), 1000 + (at * 37 + seed * 61) % 90), (handler, 1000 + (at * 53 + seed * 29) % 90)]
            };
            cpu(&(0..handlers).flat_map(of).collect::<Vec<_>>(), 10.0, 10_000_000)
        };
        let side = |middle: &str, from: u64| (from..from + 3).map(|seed| run(middle, seed)).collect::<Vec<_>>();
        let (bare, wrapped) = (side("", 0), side(";mw.Trace", 7));
        for sides in [[&bare, &wrapped], [&wrapped, &bare]] {
            let found = judged(sides[0], sides[1], Normalization::PerSecond);
            assert_eq!(said(&found), [(Verdict::Wrapper, "mw.Trace")], "{}", found.summary);
        }
    }
}

/// A callee that four callers of one function call, and others besides, is told with all of the paths that changed.
#[test]
fn a_change_on_several_paths_is_told_with_all_of_them() {
    let of = |more: u64| {
        let mut all = service(|_| 1.0);
        for at in 0..4 {
            all.push((format!("main.main;main.handle{at};pkg.Do"), 400));
            all.push((format!("main.main;main.handle{at};pkg.Do;log.Print"), more));
        }
        // Elsewhere it is as it was.
        all.extend((4..9).map(|at| (format!("main.main;main.handle{at};log.Print"), 900)));
        all.retain(|(_, samples)| *samples > 0);
        vec![cpu(&all, 10.0, 10_000_000)]
    };
    let found = judged(&of(0), &of(300), Normalization::PerSecond);
    assert_eq!(said(&found), [(Verdict::New, "log.Print")], "{}", found.summary);
    let row = &found.rows[0];
    assert_eq!((row.path.is_none(), row.paths.len(), row.events, row.raw), (true, 4, [0.0, 1200.0], [0.0, 12e9]), "{row:?}");
    assert!((row.explains - 1.0).abs() < 0.1 && row.because.contains("pkg.Do"), "{row:?}");
    assert!((row.after - row.before - row.delta).abs() < 1e-9, "{row:?}");
    assert!(found.summary.contains("log.Print on 4 paths"), "{}", found.summary);
}

/// One short capture among long ones varies more by sampling, which is no difference between runs.
#[test]
fn a_short_capture_among_repeats_makes_no_noise() {
    let mut seed = 3_u64;
    let mut run = |seconds: f64, more: f64| {
        let all = service(|at| if at == 7 { more } else { 1.0 }).into_iter().map(|(stack, samples)| {
            // About as a Poisson count varies.
            let mut sum = 0.0;
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                sum += (seed >> 40) as f64 / (1_u64 << 24) as f64;
            }
            let mean = samples as f64 * seconds / 10.0;
            (stack, (mean + (sum - 6.0) * mean.sqrt()).round().max(0.0) as u64)
        });
        cpu(&all.collect::<Vec<_>>(), seconds, 10_000_000)
    };
    let before: Vec<_> = [30.0, 30.0, 3.0].map(|seconds| run(seconds, 1.0)).into();
    let after: Vec<_> = [30.0, 3.0, 30.0].map(|seconds| run(seconds, 1.5)).into();
    let found = judged(&before, &after, Normalization::PerSecond);
    assert_eq!(said(&found), [(Verdict::Regression, "main.step7")], "{}", found.summary);
    assert!(found.diff.noise.function < 0.03, "{:?}", found.diff.noise);
}

/// A heap profile as Go writes it: stacks with the objects of 1 KiB that were seen, of which one in so many bytes was sampled.
fn heap(stacks: &[(String, u64)], rate: i64) -> Arc<Profile> {
    let mut builder = Builder::new([("inuse_objects", "count"), ("inuse_space", "bytes")]);
    builder.default_sample_type = 1;
    "pprof".clone_into(&mut builder.info.format);
    builder.info.period = Some(("space".to_owned(), "bytes".to_owned(), rate));
    for (names, seen) in stacks {
        let mut stack = None;
        for name in names.split(';') {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        let objects = *seen as f64 / -(-1024.0 / rate as f64).exp_m1();
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[objects as i64, (objects * 1024.0) as i64]);
    }
    Arc::new(builder.finish())
}

/// A site of which one rate saw 150 objects holds so little that the coarser one most likely saw none of it.
#[test]
fn what_a_coarser_rate_cannot_see_is_not_new() {
    let (coarse, fine) = (512 << 10, 8 << 10);
    let before = heap(&service(|_| 1.0), coarse);
    let mut all: Vec<_> = service(|_| 64.0);
    all.push(("main.main;main.handle3;main.small".to_owned(), 150));
    let after = heap(&all, fine);
    let judged = |before: &Arc<Profile>, after: &Arc<Profile>| {
        let (before, after) = (std::slice::from_ref(before), std::slice::from_ref(after));
        let (comparison, captures) = against_of([before, after], ("inuse_space", "bytes"), Normalization::Absolute);
        findings(&comparison, &captures, &Spec::default()).expect("two sides")
    };
    for found in [judged(&before, &after), judged(&after, &before)] {
        assert_eq!(said(&found), [], "{}", found.summary);
    }
    // At one rate it is.
    let known = judged(&heap(&service(|_| 64.0), fine), &after);
    assert_eq!(said(&known), [(Verdict::New, "main.small")], "{}", known.summary);
}

/// Two programs are told to be two, and not that all of one got faster.
#[test]
fn sides_without_a_name_in_common_are_told_to_be_two_programs() {
    let of = |name: &str| vec![cpu(&(0..60).map(|at| (format!("main;{name}{at}"), 100 + at)).collect::<Vec<_>>(), 10.0, 10_000_000)];
    for normalization in [Normalization::PerSecond, Normalization::Share] {
        let found = judged(&of("a"), &of("b"), normalization);
        assert!(found.summary.contains("these are two programs"), "{}", found.summary);
        assert!(!found.summary.contains("alike") && !found.summary.contains("regression"), "{}", found.summary);
    }
}

/// Time off the processor, one record for each stack however often it waited: repeats say how much that varies.
#[test]
fn repeats_of_records_that_are_no_single_events_show_changes() {
    let mut seed = 11_u64;
    let mut run = |more: f64| {
        let mut builder = Builder::new([("off-cpu", "nanoseconds")]);
        "folded".clone_into(&mut builder.info.format);
        for at in 0..20_i64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let jitter = 0.9 + 0.2 * (seed >> 40) as f64 / (1_u64 << 24) as f64;
            let mut stack = None;
            for name in ["main".to_owned(), format!("io{at}"), "schedule".to_owned()] {
                let function = Some(builder.function_named(&name));
                let frame = builder.frame(Frame { function, ..Frame::default() });
                stack = Some(builder.stack(stack, frame));
            }
            let value = (1 + at % 5) as f64 * 1.01e8 * jitter * if at == 6 { more } else { 1.0 };
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[value as i64]);
        }
        Arc::new(builder.finish())
    };
    let mut side = |more: f64| (0..4).map(|_| run(more)).collect::<Vec<_>>();
    let (before, same, after) = (side(1.0), side(1.0), side(3.0));
    let judged = |before: &[Arc<Profile>], after: &[Arc<Profile>]| {
        let (comparison, captures) = against_of([before, after], ("off-cpu", "nanoseconds"), Normalization::Absolute);
        findings(&comparison, &captures, &Spec::default()).expect("two sides")
    };
    let found = judged(&before, &after);
    assert_eq!(found.rows.len(), 1, "{:?} {}", said(&found), found.summary);
    let row = &found.rows[0];
    assert!(row.verdict == Verdict::Regression && row.ratio_lo < 3.0 && row.ratio_hi > 3.0, "{row:?}");
    assert!(row.func == "io6" || row.path.is_some(), "{row:?}");
    assert_eq!(said(&judged(&before, &same)), []);
    // One capture a side says nothing of that.
    assert_eq!(said(&judged(&before[..1], &after[..1])), []);
}

/// Of a library in the place of another the summary says what came and what went.
#[test]
fn the_summary_says_what_came_and_what_went() {
    let of = |more: &[(&str, u64)]| vec![with(service(|_| 1.0), more)];
    let before = of(&[("main.main;main.handle1;old.Marshal", 1500), ("main.main;main.handle2;main.kept", 700)]);
    let after = of(&[("main.main;main.handle5;other.Encode", 2400), ("main.main;main.handle2;main.kept", 700)]);
    let found = judged(&before, &after, Normalization::PerSecond);
    assert_eq!(said(&found), [(Verdict::New, "other.Encode"), (Verdict::Gone, "old.Marshal")], "{}", found.summary);
    assert!(found.summary.contains("other.Encode") && found.summary.contains("old.Marshal is gone"), "{}", found.summary);
    let nothing = vec![with(Vec::new(), &[])];
    assert_eq!(judged(&nothing, &nothing, Normalization::PerSecond).summary, "No sample is left to compare.");
    let back = judged(&after, &before, Normalization::PerSecond);
    assert!(back.summary.contains("other.Encode (gone)") && back.summary.contains("old.Marshal"), "{}", back.summary);
}

/// What is new on one path and was there before on another is not new, and the interval of both together is no wider than that of one.
#[test]
fn paths_told_together_have_one_verdict_and_one_interval() {
    let of = |more: [u64; 4]| {
        let mut all = service(|_| 1.0);
        all.extend((0..4).map(|at| (format!("main.main;main.handle{at};pkg.Do"), 400)));
        all.extend((0..4).map(|at| (format!("main.main;main.handle{at};pkg.Do;log.Print"), more[at])));
        all.extend((4..9).map(|at| (format!("main.main;main.handle{at};log.Print"), 900)));
        all.retain(|(_, samples)| *samples > 0);
        vec![cpu(&all, 10.0, 10_000_000)]
    };
    let (few, many) = (of([0, 60, 60, 60]), of([300, 300, 300, 300]));
    // Of repeats, too, which say what the paths vary by together.
    let three = |runs: [[u64; 4]; 3]| runs.into_iter().flat_map(of).collect::<Vec<_>>();
    let fews = three([[0, 64, 57, 60], [0, 58, 63, 59], [0, 58, 60, 61]]);
    let manys = three([[290, 310, 305, 296], [312, 288, 297, 299], [298, 302, 298, 305]]);
    for (before, after, verdict) in [
        (&few, &many, Verdict::Regression),
        (&many, &few, Verdict::Improvement),
        (&fews, &manys, Verdict::Regression),
        (&manys, &fews, Verdict::Improvement),
    ] {
        let found = judged(before, after, Normalization::PerSecond);
        assert_eq!(said(&found), [(verdict, "log.Print")], "{}", found.summary);
        let row = &found.rows[0];
        let truth = if verdict == Verdict::Regression { 1200.0 / 180.0 } else { 180.0 / 1200.0 };
        assert!(row.paths.len() == 4 && row.before > 0.0 && row.after > 0.0, "{row:?}");
        assert!(row.ratio_lo < truth && row.ratio_hi > truth && row.ratio_hi / row.ratio_lo < 1.8, "{row:?}");
        // What all of them together explain is explained.
        let caller = found.others.iter().find(|row| row.func == "pkg.Do").expect("it has a value");
        assert_eq!((caller.verdict, caller.explained_by), (Verdict::Explained, Some(1)), "{caller:?}");
    }
}

/// Single runs do not tell whether garbage collection changed; that it costs more is said all the same, and by the repeats of both sides for sure.
#[test]
fn garbage_collection_that_costs_more_is_said() {
    for collector in
        ["runtime.gcBgMarkWorker;runtime.gcDrain;runtime.scanobject", "start_thread;GCTaskThread::run;G1ParScanThreadState::trim_queue"]
    {
        let run = |samples: u64| with(service(|_| 1.0), &[(collector, samples)]);
        let found = judged(&[run(300)], &[run(900)], Normalization::PerSecond);
        assert_eq!(said(&found), [], "{}", found.summary);
        assert!(
            found.summary.contains("Garbage collection grew to 3.0 times") && found.summary.contains("this needs repeats"),
            "{}",
            found.summary
        );
        let made = found.collector.expect("it changed by much");
        assert!(made.change.lo < 1.0 && made.change.hi > 3.0 && (made.after / made.before - 3.0).abs() < 1e-9, "{made:?}");
        let back = judged(&[run(900)], &[run(300)], Normalization::PerSecond);
        assert!(back.summary.contains("Garbage collection fell by 66.7 %"), "{}", back.summary);
        let same = judged(&[run(300)], &[run(330)], Normalization::PerSecond);
        assert!(same.collector.is_none() && !same.summary.contains("Garbage"), "{}", same.summary);
        // Three runs a side say more of the whole than of its parts: it is named by the function with most of it, and its parts are explained.
        let side = |samples: &[u64]| samples.iter().map(|&samples| run(samples)).collect::<Vec<_>>();
        let main = if collector.contains("gcBg") { "runtime.gcBgMarkWorker" } else { "GCTaskThread::run" };
        for (before, after, verdict) in [(300, 900, Verdict::Regression), (900, 300, Verdict::Improvement)] {
            let runs = |mean: u64| side(&[mean, mean + 15, mean - 10]);
            let found = judged(&runs(before), &runs(after), Normalization::PerSecond);
            assert_eq!(said(&found), [(verdict, main)], "{}", found.summary);
            let row = &found.rows[0];
            let truth = after as f64 / before as f64;
            assert!(row.ratio_lo < truth && row.ratio_hi > truth && row.ratio_hi / row.ratio_lo < 1.5, "{row:?}");
            assert!(row.because == "garbage collection" && row.explains > 0.9, "{row:?}");
            assert!(found.summary.contains("by more than it varies by itself"), "{}", found.summary);
        }
        // What varies as much from run to run is no finding, nor what two runs a side say.
        for (before, after) in [(&[200, 500, 320][..], &[700, 300, 410][..]), (&[300, 310], &[900, 880])] {
            let found = judged(&side(before), &side(after), Normalization::PerSecond);
            assert_eq!(said(&found), [], "{}", found.summary);
        }
    }
}

/// Contentions and delays of one capture a side: what the whole did is said, and that it tells nothing.
#[test]
fn delays_of_single_captures_are_said_to_tell_little() {
    let of = |factor: i64| {
        let mut builder = Builder::new([("contentions", "count"), ("delay", "nanoseconds")]);
        builder.default_sample_type = 1;
        "pprof".clone_into(&mut builder.info.format);
        builder.info.duration_nanos = Some(10_000_000_000);
        for at in 0..12_i64 {
            let mut stack = None;
            for name in ["main.main".to_owned(), format!("main.handle{at}"), "sync.(*Mutex).Unlock".to_owned()] {
                let function = Some(builder.function_named(&name));
                let frame = builder.frame(Frame { function, ..Frame::default() });
                stack = Some(builder.stack(stack, frame));
            }
            let count = 50 + at;
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[count, count * 100_000 * factor]);
        }
        vec![Arc::new(builder.finish())]
    };
    let judged = |before: &[Arc<Profile>], after: &[Arc<Profile>]| {
        let (comparison, captures) = against_of([before, after], ("delay", "nanoseconds"), Normalization::PerSecond);
        findings(&comparison, &captures, &Spec::default()).expect("two sides")
    };
    let found = judged(&of(1), &of(4));
    assert!(
        found.summary.starts_with("delay per second: ") && found.summary.contains("One capture a side does not tell"),
        "{}",
        found.summary
    );
    // So much is no chance.
    assert!(judged(&of(1), &of(60)).summary.starts_with("delay per second rose to 60"), "{}", judged(&of(1), &of(60)).summary);
}

/// Ten times as much was captured after. Of few events before, the logarithm of a ratio lies far below 0 by chance more often than a normal does: three
/// hundred calm functions looked as if some came in bursts, and what grew waited for repeats.
#[test]
fn calm_functions_of_a_short_and_a_long_capture_do_not_come_in_bursts() {
    let mut random = Random(1);
    for draw in 0..8 {
        let [before, after] = [(9.0, 60), (90.0, 2400)].map(|(mean, slow)| {
            let step = |at: usize| (format!("main.main;main.handle{};main.step{at}", at % 10), random.poisson(mean));
            vec![with((0..300).map(step).collect(), &[("main.main;main.handle1;main.slow", slow)])]
        });
        let found = judged(&before, &after, Normalization::PerSecond);
        // The caller has so little else that which of both is named is not the question here.
        let is_told = found.worse().any(|row| ["main.slow", "main.handle1"].contains(&row.func.as_str()));
        assert!(is_told, "draw {draw}: {:?} {}", said(&found), found.summary);
    }
}

/// All of what a function does costs four times as much: one large callee, and another one with many small ones, of which half are called from elsewhere
/// too. The change spreads the functions that say how much runs vary, and that noise bounds what the whole and its parts prove about alike: in four of five
/// such pairs both callees were named instead. (Where it spreads them by more than it is itself, it is not known any better.)
#[test]
fn a_function_whose_callees_all_grew_is_one_finding() {
    let mut random = Random(2);
    let mut told = Vec::new();
    for _ in 0..8 {
        let mut sides = [Vec::new(), Vec::new()];
        let mut add = |random: &mut Random, stack: &str, mean: f64, factor: f64| {
            for (side, factor) in sides.iter_mut().zip([1.0, factor]) {
                side.push((stack.to_owned(), random.poisson(mean * factor)));
            }
        };
        for at in 0..100 {
            let mean = 2500.0 * (0.7 * random.normal()).exp();
            add(&mut random, &format!("main.main;main.handle{};main.step{at}", at % 7), mean, 1.0);
        }
        let render = "main.main;main.handle1;main.render";
        add(&mut random, render, 90.0, 4.0);
        add(&mut random, &format!("{render};main.body"), 46_000.0, 4.0);
        for at in 0..12 {
            let mean = 3000.0 * (0.7 * random.normal()).exp();
            add(&mut random, &format!("{render};main.head;main.part{at}"), mean, 4.0);
            if at % 2 == 0 {
                add(&mut random, &format!("main.main;main.handle3;main.part{at}"), mean / 20.0, 1.0);
            }
        }
        let [before, after] = sides.map(|stacks| vec![with(stacks, &[])]);
        let found = judged(&before, &after, Normalization::PerSecond);
        told.push(said(&found).iter().map(|(verdict, func)| format!("{verdict:?} {func}")).collect::<Vec<_>>());
    }
    let right = told.iter().filter(|told| told[..] == ["Regression main.render"]).count();
    assert!(right >= 7, "{told:?}");
}
