//! Findings on profiles with a known truth: the fixture of rates, laws of the sides, pairs without a change, and planted changes.

#![expect(clippy::print_stdout, reason = "measured figures are shown with --nocapture")]

use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::{Exposure, Measure, Verdict, mark};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::analysis::{Comparison, Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Profile, Sample};

/// A CPU profile as Go writes it: stacks outermost first with their numbers of samples.
pub(crate) fn cpu<S: AsRef<str>>(stacks: &[(S, u64)], seconds: f64, period: i64) -> Arc<Profile> {
    let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
    builder.default_sample_type = 1;
    "pprof".clone_into(&mut builder.info.format);
    builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), period));
    builder.info.duration_nanos = Some((seconds * 1e9) as i64);
    for (names, samples) in stacks {
        let mut stack = None;
        for name in names.as_ref().split(';') {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        let samples = i64::try_from(*samples).expect("counts are small");
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[samples, samples * period]);
    }
    Arc::new(builder.finish())
}

pub(crate) fn against(sides: [&[Arc<Profile>]; 2], normalization: Normalization) -> (Comparison, Vec<Arc<Profile>>) {
    against_of(sides, ("cpu", "nanoseconds"), normalization)
}

pub(crate) fn against_of(
    sides: [&[Arc<Profile>]; 2],
    sample_type: (&str, &str),
    normalization: Normalization,
) -> (Comparison, Vec<Arc<Profile>>) {
    let captures: Vec<Arc<Profile>> = sides.iter().flat_map(|side| side.iter().cloned()).collect();
    let filter = Filter::default();
    let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &filter, &Ticket::new()).expect("not cancelled");
    let first = sides[0].len();
    let inputs = [SideInput::whole(0..first), SideInput::whole(first..captures.len())];
    let comparison = compare(Arc::new(shape), &captures, &inputs, sample_type, &filter, normalization, &Ticket::new());
    (comparison.expect("both have the sample type"), captures)
}

fn explained(before: &Arc<Profile>, after: &Arc<Profile>, normalization: Normalization, spec: &Spec) -> Findings {
    let (comparison, captures) = against([std::slice::from_ref(before), std::slice::from_ref(after)], normalization);
    findings(&comparison, &captures, spec).expect("two sides")
}

const BEFORE: [(&str, u64); 5] = [
    ("main.main;main.A;main.B", 100),
    ("main.main;main.A;main.C", 100),
    ("main.main;main.gone", 50),
    ("main.main;main.P;main.up", 40),
    ("main.main;main.P;main.down", 40),
];
const AFTER: [(&str, u64); 5] = [
    ("main.main;main.A;main.B", 150),
    ("main.main;main.A;main.C", 50),
    ("main.main;main.fresh", 60),
    ("main.main;main.P;main.up", 60),
    ("main.main;main.P;main.down", 20),
];

/// 10 s against 30 s at 100 Hz: what grew in samples fell per second. Truth by hand: samples / 100 Hz / seconds.
#[test]
fn per_second_only_the_new_function_got_worse() {
    let (before, after) = (cpu(&BEFORE, 10.0, 10_000_000), cpu(&AFTER, 30.0, 10_000_000));
    let found = explained(&before, &after, Normalization::PerSecond, &Spec::default());
    let (comparison, _) = against([&[before], &[after]], Normalization::PerSecond);
    for (name, old, new) in [
        ("main.fresh", 0.0, 0.020),
        ("main.B", 0.100, 0.050),
        ("main.C", 0.100, 0.016_667),
        ("main.gone", 0.050, 0.0),
        ("main.up", 0.040, 0.020),
        ("main.down", 0.040, 0.006_667),
        ("main.A", 0.200, 0.066_667),
        ("main.P", 0.080, 0.026_667),
        ("main.main", 0.330, 0.113_333),
    ] {
        let row = comparison.places().find(name).expect("the place exists").row();
        let table = &found.diff.total;
        // Values are nanoseconds per second.
        assert!((table.value[0][row] / 1e9 - old).abs() < 1e-5, "{name} before: {}", table.value[0][row]);
        assert!((table.value[1][row] / 1e9 - new).abs() < 1e-5, "{name} after: {}", table.value[1][row]);
    }
    let worse: Vec<&str> = found.worse().map(|row| row.func.as_str()).collect();
    assert_eq!(worse, ["main.fresh"], "{}", found.summary);
    assert_eq!(found.rows[0].verdict, Verdict::New);
    assert!(
        found.rows.iter().any(|row| row.func == "main.gone" && row.verdict == Verdict::Gone) || found.rows.len() > 1,
        "falls are found"
    );
    let row = |name: &str| comparison.places().find(name).expect("the place exists").row();
    assert_eq!(found.diff.total.verdict[row("main.gone")], Verdict::Gone);
    assert_eq!(found.diff.total.verdict[row("main.C")], Verdict::Improvement);
    let nodes = &found.diff.nodes;
    let marked = |bit: u8| -> Vec<&str> {
        let nodes = comparison.tree().nodes().filter(|node| nodes.marks[node.row()] & bit != 0);
        nodes.map(|node| comparison.places().name(comparison.tree().place(node))).collect()
    };
    assert_eq!((marked(mark::NEW), marked(mark::GONE)), (vec!["main.fresh"], vec!["main.gone"]));
}

/// Fixtures *new2x* and *new200hz*: twice as long with twice the samples, and twice the rate. Truth: nothing changed.
#[test]
fn duration_and_sampling_rate_change_nothing() {
    let doubled: Vec<(&str, u64)> = BEFORE.iter().map(|&(stack, samples)| (stack, samples * 2)).collect();
    let before = cpu(&BEFORE, 10.0, 10_000_000);
    for (seconds, period) in [(20.0, 10_000_000), (10.0, 5_000_000)] {
        let after = cpu(&doubled, seconds, period);
        let found = explained(&before, &after, Normalization::PerSecond, &Spec::default());
        assert!(found.rows.is_empty(), "{seconds} s at {period} ns: {}", found.summary);
        for table in [&found.diff.self_, &found.diff.total] {
            assert!(table.delta.iter().all(|delta| delta.abs() < 1.0), "every delta is 0");
            assert!(table.z.iter().all(|z| z.abs() < 1e-6), "no evidence of any change");
        }
    }
}

#[test]
fn the_order_of_samples_does_not_matter() {
    let mut turned = AFTER;
    turned.reverse();
    let before = cpu(&BEFORE, 10.0, 10_000_000);
    let one = explained(&before, &cpu(&AFTER, 30.0, 10_000_000), Normalization::Share, &Spec::default());
    let other = explained(&before, &cpu(&turned, 30.0, 10_000_000), Normalization::Share, &Spec::default());
    assert_eq!(one.rows, other.rows);
    assert_eq!(one.summary, other.summary);
}

#[test]
fn swapped_sides_turn_rises_into_falls() {
    let (before, after) = (cpu(&BEFORE, 10.0, 10_000_000), cpu(&AFTER, 10.0, 10_000_000));
    for normalization in Normalization::ALL {
        let there = explained(&before, &after, normalization.clone(), &Spec::default());
        let back = explained(&after, &before, normalization.clone(), &Spec::default());
        for measure in Measure::ALL {
            let (a, b) = (there.diff.table(measure), back.diff.table(measure));
            for row in 0..a.z.len() {
                assert!((a.z[row] + b.z[row]).abs() < 1e-6, "evidence of row {row}: {} and {}", a.z[row], b.z[row]);
                assert!((a.delta[row] + b.delta[row]).abs() <= 1e-9 * a.delta[row].abs(), "delta of row {row}");
                let flipped = match a.verdict[row] {
                    Verdict::Regression => Verdict::Improvement,
                    Verdict::Improvement => Verdict::Regression,
                    Verdict::New => Verdict::Gone,
                    Verdict::Gone => Verdict::New,
                    same => same,
                };
                // Whether a doubling could be missed depends on which side is taken as the start.
                let undecided = |verdict| matches!(verdict, Verdict::Noise | Verdict::TooFew);
                assert!(flipped == b.verdict[row] || undecided(flipped) && undecided(b.verdict[row]), "verdict of row {row}");
            }
        }
        let key = |found: &Findings| {
            let mut rows: Vec<(String, Measure, u64)> =
                found.rows.iter().map(|row| (row.func.clone(), row.measure, (row.delta.abs() * 1e6).round() as u64)).collect();
            rows.sort();
            rows
        };
        assert_eq!(key(&there), key(&back), "{normalization:?}");
    }
}

/// A generator of our own (splitmix64), so that no crate's version changes the numbers.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 60.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0);
        while product > limit {
            product *= self.uniform();
            count += 1;
        }
        count
    }
}

/// A program: stacks with their true shares, about 200 functions in 800 paths, sizes as in real programs (few large, many tiny).
struct Program {
    stacks: Vec<(String, f64)>,
}

impl Program {
    fn new(random: &mut Random) -> Self {
        let mut paths: Vec<Vec<usize>> = vec![vec![0]];
        while paths.len() < 800 {
            let mut path = paths[random.below(paths.len())].clone();
            if path.len() < 14 {
                path.push(1 + random.below(200));
                paths.push(path);
            }
        }
        let weights: Vec<f64> = paths.iter().map(|_| (1.8 * random.normal()).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let name = |path: &Vec<usize>| path.iter().map(|row| format!("main.f{row}")).collect::<Vec<_>>().join(";");
        Self { stacks: paths.iter().map(name).zip(weights.iter().map(|weight| weight / sum)).collect() }
    }

    /// A capture of about `samples` samples; each path's cost is multiplied by `change`.
    fn capture(&self, random: &mut Random, samples: f64, change: &dyn Fn(&str) -> f64) -> Arc<Profile> {
        let mut draw = |stack: &str, share: f64| random.poisson(share * samples * change(stack));
        let counts: Vec<(&str, u64)> = self.stacks.iter().map(|(stack, share)| (stack.as_str(), draw(stack, *share))).collect();
        cpu(&counts.into_iter().filter(|row| row.1 > 0).collect::<Vec<_>>(), samples / 100.0, 10_000_000)
    }
}

/// Two captures of a program of which one function and one path changed.
pub(crate) fn generated_pair() -> [Arc<Profile>; 2] {
    captures_of_a_change(&mut Random(18), 4.0)
}

/// Another pair of captures of the same two programs.
pub(crate) fn generated_repeat() -> [Arc<Profile>; 2] {
    let mut random = Random(19);
    captures_of_a_change(&mut random, 4.0)
}

fn captures_of_a_change(random: &mut Random, growth: f64) -> [Arc<Profile>; 2] {
    let program = Program::new(&mut Random(18));
    let share = |name: &str| own_share(&program, name);
    let mut names: Vec<String> = (1..=200).map(|row| format!("main.f{row}")).collect();
    names.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let [_, grown, _, shrunk, ..] = names.as_slice() else { unreachable!("there are 200") };
    let change = |stack: &str| match stack.rsplit(';').next() {
        Some(leaf) if leaf == grown => growth,
        Some(leaf) if leaf == shrunk => 1.0 / growth,
        _ => 1.0,
    };
    [program.capture(random, 3e4, &|_| 1.0), program.capture(random, 3e4, &change)]
}

/// Two captures of a program in which a function got another name, one came, one went, and one grew.
pub(crate) fn structured_pair() -> [Arc<Profile>; 2] {
    let mut random = Random(20);
    let program = Program::new(&mut random);
    let mut with = |named: &str, own: [(&str, f64); 3]| {
        let rename = |stack: &String| format!("{stack};").replace(";main.f1;", &format!(";{named};")).trim_end_matches(';').to_owned();
        let mut stacks: Vec<(String, f64)> = program.stacks.iter().map(|(stack, share)| (rename(stack), *share)).collect();
        stacks.extend(own.map(|(name, share)| (format!("main.f0;{name}"), share)));
        stacks.push((format!("main.f0;{named};main.leaf"), 0.05));
        stacks.push((format!("main.f0;{named}"), 0.05));
        Program { stacks }.capture(&mut random, 3e4, &|_| 1.0)
    };
    [
        with("main.f1", [("main.gone", 0.03), ("main.grown", 0.02), ("main.same", 0.02)]),
        with("main.first", [("main.fresh", 0.05), ("main.grown", 0.06), ("main.same", 0.02)]),
    ]
}

fn pairs() -> usize {
    std::env::var("EMBERLENS_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

#[test]
fn pairs_without_a_change_have_no_finding() {
    let pairs = pairs();
    let mut alarms = 0;
    let mut by_size = Vec::new();
    for (at, samples) in [1e3, 1e4, 1e5].into_iter().enumerate() {
        let mut random = Random(1000 + at as u64);
        let program = Program::new(&mut random);
        let mut here = 0;
        for pair in 0..pairs {
            let normalization = if pair % 2 == 0 { Normalization::PerSecond } else { Normalization::Share };
            let (before, after) = (program.capture(&mut random, samples, &|_| 1.0), program.capture(&mut random, samples, &|_| 1.0));
            let found = explained(&before, &after, normalization, &Spec::default());
            here += usize::from(!found.rows.is_empty());
        }
        by_size.push(here);
        alarms += here;
    }
    println!("pairs with any false finding of {pairs} each: {by_size:?}");
    // Three binomial standard deviations above the goal of 5 %.
    let all = 3.0 * pairs as f64;
    assert!((alarms as f64) <= 0.05 * all + 3.0 * (0.0475 * all).sqrt(), "{by_size:?} of {pairs} pairs each had a false finding");
}

#[test]
fn the_interval_of_what_is_barely_found_holds_its_ratio() {
    let (mut barely, mut random) = (0, Random(78));
    for _ in 0..300 {
        let program = Program::new(&mut random);
        let before = program.capture(&mut random, 1e3, &|_| 1.0);
        let after = program.capture(&mut random, 1e3, &|stack| if stack.ends_with('7') { 3.0 } else { 1.0 });
        let found = explained(&before, &after, Normalization::PerSecond, &Spec::default());
        for row in found.rows.iter().filter(|row| row.verdict.is_change()) {
            let held = row.ratio_lo <= row.ratio && row.ratio <= row.ratio_hi;
            assert!(held, "{} has an interval of {} to {} without its ratio {}", row.func, row.ratio_lo, row.ratio_hi, row.ratio);
            barely += usize::from(row.q > 0.02);
        }
    }
    assert!(barely > 0, "what is far from the limit has no such interval");
}

#[test]
fn planted_changes_are_named_first() {
    // Of 25 pairs the part says little: 22 to 25 of them, by the seed.
    let pairs = pairs().max(400);
    let (mut possible, mut first, mut covered, mut extra) = (0, 0, 0, 0);
    let mut random = Random(77);
    for _ in 0..pairs {
        let program = Program::new(&mut random);
        let (samples, growth) = (3e4, 1.8);
        // Only what an optimal test finds nearly always: with 250 events the threshold lies 3.6 standard deviations below.
        let large: Vec<String> =
            (1..=200).map(|row| format!("main.f{row}")).filter(|name| own_share(&program, name) * samples > 250.0).collect();
        if large.is_empty() {
            continue;
        }
        let target = large[random.below(large.len())].clone();
        possible += 1;
        let before = program.capture(&mut random, samples, &|_| 1.0);
        let after = program.capture(&mut random, samples, &|stack| if stack.rsplit(';').next() == Some(&target) { growth } else { 1.0 });
        let found = explained(&before, &after, Normalization::PerSecond, &Spec::default());
        let Some(row) = found.rows.first() else { continue };
        // Where nearly all of a total is its own, either may be named.
        let right = row.func == target && (row.measure == Measure::Self_ || share_of_self(&program, &target) > 0.8);
        first += usize::from(right);
        if !right {
            println!("{target} was not first: {:?}", found.rows.iter().map(|row| (&row.func, &row.why)).collect::<Vec<_>>());
        }
        covered += usize::from(row.func == target && row.ratio_lo <= growth && growth <= row.ratio_hi);
        extra += found.rows.len() - 1;
    }
    println!("{possible} possible, {first} named first, {covered} in the interval, {extra} further findings");
    assert!(possible >= pairs / 4, "too few pairs were possible: {possible}");
    // 93 %: some 4 % wait for repeats, and of the rest no judgement tells most from their neighbours.
    assert!(first * 100 >= possible * 92, "{first} of {possible} were named first");
    assert!(covered * 100 >= possible * 85, "{covered} of {possible} intervals held the truth");
    assert!(extra * 20 <= possible + 20, "{extra} further findings");
}

/// Part of the whole that is a function's own.
fn own_share(program: &Program, name: &str) -> f64 {
    program.stacks.iter().filter(|(stack, _)| stack.rsplit(';').next() == Some(name)).map(|(_, share)| share).sum()
}

/// Part of a function's total that is its own.
fn share_of_self(program: &Program, name: &str) -> f64 {
    let sum = |matches: &dyn Fn(&str) -> bool| program.stacks.iter().filter(|row| matches(&row.0)).map(|row| row.1).sum::<f64>();
    own_share(program, name) / sum(&|stack| stack.split(';').any(|part| part == name))
}

/// One place grows four times from 10 %: every other share falls by 23 %, and none of them may be called an improvement.
#[test]
fn shares_that_only_shrink_are_no_improvements() {
    let mut random = Random(5);
    let program = Program::new(&mut random);
    let with = |share: f64| {
        let mut stacks: Vec<(String, f64)> = program.stacks.iter().map(|(stack, part)| (stack.clone(), part * 0.9)).collect();
        stacks.push(("main.f0;main.grown".to_owned(), share));
        Program { stacks }
    };
    let (before, after) = (with(0.1).capture(&mut random, 1e5, &|_| 1.0), with(0.4).capture(&mut random, 1e5, &|_| 1.0));
    let found = explained(&before, &after, Normalization::Share, &Spec::default());
    let names: Vec<&str> = found.rows.iter().map(|row| row.func.as_str()).collect();
    assert_eq!(names, ["main.grown"], "{}", found.summary);
    assert!(found.summary.contains("seem to shrink"), "the closure is said: {}", found.summary);
    assert!(found.others.iter().any(|row| row.verdict == Verdict::Diluted), "shrunken shares are told from improvements");
    let robust = Spec { exposure: Exposure::Robust, ..Spec::default() };
    let found = explained(&before, &after, Normalization::Share, &robust);
    // Work is the same: 1.3 times the values. The place itself costs four times as much.
    assert_eq!(found.rows.iter().map(|row| row.func.as_str()).collect::<Vec<_>>(), ["main.grown"]);
    assert!((found.exposure.ratio - 1.0).abs() < 0.01, "work ratio {}", found.exposure.ratio);
    assert!(found.rows[0].ratio_lo < 4.0 && 4.0 < found.rows[0].ratio_hi, "{}", found.rows[0].why);
}

#[test]
fn repeats_that_vary_make_the_test_more_careful() {
    let mut random = Random(9);
    let program = Program::new(&mut random);
    let mut side = |factors: [f64; 4]| -> Vec<Arc<Profile>> {
        factors.map(|factor| program.capture(&mut random, 2e4, &|stack| if stack.contains("main.f7") { factor } else { 1.0 })).to_vec()
    };
    // Its mean rises by a fifth, but single runs vary by twice that.
    let (before, after) = (side([0.6, 1.5, 0.8, 1.1]), side([1.6, 0.7, 1.4, 1.1]));
    let (comparison, captures) = against([&before, &after], Normalization::PerSecond);
    let found = findings(&comparison, &captures, &Spec::default()).expect("two sides");
    assert!(found.rows.is_empty(), "{:?}", found.rows.iter().map(|row| &row.why).collect::<Vec<_>>());
    assert_eq!(found.diff.noise.repeats, 4);
}

/// Two callees of one caller: one doubles, the other vanishes by as much. The caller's own number says nothing, so the mark must.
#[test]
fn changes_that_cancel_below_a_node_are_marked_there() {
    let stacks =
        |up: u64, down: u64| [("main.main;main.mix;main.up", up), ("main.main;main.mix;main.down", down), ("main.main;main.rest", 4000)];
    let (before, after) = (cpu(&stacks(1000, 2000), 30.0, 10_000_000), cpu(&stacks(2000, 1000), 30.0, 10_000_000));
    let marks = |before: &Arc<Profile>, after: &Arc<Profile>, name: &str| {
        let (comparison, captures) = against([std::slice::from_ref(before), std::slice::from_ref(after)], Normalization::PerSecond);
        let found = findings(&comparison, &captures, &Spec::default()).expect("two sides");
        let node = comparison.tree().nodes().find(|&node| comparison.places().name(comparison.tree().place(node)) == name).expect("a node");
        found.diff.nodes.marks[node.row()] & mark::CHURN != 0
    };
    assert!(marks(&before, &after, "main.mix"), "rises and falls of 1000 cancel");
    for name in ["main.up", "main.down", "main.rest"] {
        assert!(!marks(&before, &after, name), "{name} has nothing below it");
    }
    assert!(!marks(&before, &before, "main.mix"), "nothing changed");
}
