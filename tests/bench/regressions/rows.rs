//! The rows of the table: scenarios, how many pairs of each, and what is held against its goal.

use rayon::prelude::*;

use crate::generate::{Capture, Family, Ground, Noise, Program, Scope, draw};
use crate::random::Random;
use crate::score::{self, GROUPS, Planted, Sums, judge};
use crate::{Run, row};
use emberlens::analysis::stats::special::normal_quantile;

/// Runs pairs of a scenario, in any order; sums do not depend on it, as they are added up in order.
fn pairs(run: &Run, stream: u64, count: usize, one: impl Fn(&mut Random) -> Sums + Sync) -> Sums {
    let parts: Vec<Sums> = (0..count).into_par_iter().map(|pair| one(&mut Random::new(run.seed + pair as u64, stream))).collect();
    let mut sums = Sums::default();
    for part in &parts {
        sums.add(part);
    }
    sums
}

fn unchanged(random: &mut Random, capture: &Capture) -> Sums {
    let program = Program::new(capture.family, random);
    let ground = Ground::new(&program, &program);
    let comparison = draw(&ground, capture, random);
    judge(&ground, &comparison, capture, &[])
}

/// Plants `count` disjoint changes whose size lies around what the optimal test can see, or well above it.
fn planted(random: &mut Random, capture: &Capture, count: usize, size: (f64, f64)) -> Sums {
    let program = Program::new(capture.family, random);
    let mut ground = Ground::new(&program, &program);
    let mut changes: Vec<Planted> = Vec::new();
    let scopes = Scope::all(&ground);
    let mut used = 0.0;
    for _ in 0..2000 {
        if changes.len() == count {
            break;
        }
        let kind = &scopes[random.below(4)];
        let scope = kind[random.below(kind.len())].clone();
        let cells = ground.cells(&scope);
        let share = ground.sum(0, &cells);
        let disjoint = changes.iter().all(|other| cells.iter().all(|row| other.cells.binary_search(row).is_err()));
        if !disjoint || share * capture.samples * (capture.repeats as f64) < 8.0 || share + used > 0.3 {
            continue;
        }
        let extra = score::extra(&ground, capture, &cells);
        let grows = random.uniform() < 0.75;
        let width = -normal_quantile(0.025 / GROUPS) * random.between(size.0, size.1);
        let Some(ratio) = ratio_of(share * capture.samples * capture.repeats as f64, capture.work, extra, width, grows) else { continue };
        used += share * ratio.max(1.0);
        if used > 0.5 {
            used -= share * ratio.max(1.0);
            continue;
        }
        ground.change(&cells, ratio);
        changes.push(Planted { scope, cells, ratio, extra });
    }
    let comparison = draw(&ground, capture, random);
    judge(&ground, &comparison, capture, &changes)
}

/// The ratio whose logarithm is `width` of its standard deviations.
fn ratio_of(before: f64, work: f64, extra: f64, width: f64, grows: bool) -> Option<f64> {
    let sign = if grows { 1.0 } else { -1.0 };
    let mut ln = 0.0_f64;
    for _ in 0..60 {
        let next = sign * width * (1.0 / before + 1.0 / (before * work * ln.exp()) + extra).sqrt();
        ln = f64::midpoint(ln, next);
    }
    (ln.abs() < 3.5 && (ln - sign * width * (1.0 / before + 1.0 / (before * work * ln.exp()) + extra).sqrt()).abs() < 0.01)
        .then(|| ln.exp())
}

const SIZES: [f64; 5] = [1e3, 1e4, 1e5, 1e6, 1e7];

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { 100.0 * part / whole } else { f64::NAN }
}

pub(crate) fn all(run: &Run) {
    nulls(run);
    changes(run);
    structures(run);
}

/// What the goals say of programs of other shapes: a few figures of each, all in percent but for useless findings a pair.
pub(crate) fn shapes(run: &Run) {
    let count = 40 * run.scale;
    let unchanged_of = |stream: u64, capture: Capture| {
        let sums = pairs(run, stream, count, |random| unchanged(random, &capture));
        format!("{:.1}", percent(sums.alarms, sums.pairs))
    };
    println!(
        "| program | unchanged: sampling | 5 % per function | bursty | bursty, 4 v 4 | one change: found / optimal | false | named | 4 v 4, 5 %: found / optimal | false | five: covered | unconfirmed | useless | false |"
    );
    println!("|---|{}", "--:|".repeat(13));
    for (at, family) in [Family::SERVICE].into_iter().chain(Family::OTHERS).enumerate() {
        for (size, samples) in [1e4, 1e5, 1e6].into_iter().enumerate() {
            let stream = 400 + 30 * at as u64 + 10 * size as u64;
            let capture = Capture { family, ..Capture::of(samples) };
            let noisy = Capture { noise: Noise::Functions(0.05), ..capture };
            let bursty = Capture { noise: Noise::Bursts, ..capture };
            let alarms = [
                unchanged_of(stream, capture),
                unchanged_of(stream + 4, noisy),
                unchanged_of(stream + 1, bursty),
                unchanged_of(stream + 5, Capture { repeats: 4, ..bursty }),
            ];
            let one = pairs(run, stream + 2, count, |random| planted(random, &capture, 1, (0.8, 2.5)));
            let repeated = Capture { repeats: 4, ..noisy };
            let repeated = pairs(run, stream + 6, count, |random| planted(random, &repeated, 1, (0.8, 2.5)));
            let five = pairs(run, stream + 3, count, |random| planted(random, &capture, 5, (1.3, 3.0)));
            let found = |sums: &Sums| format!("{:.1} | {:.1}", percent(sums.found, sums.optimal), percent(sums.false_part, sums.pairs));
            println!(
                "| {}, {samples:.0e} | {} | {} | {:.1} | {} | {:.1} | {:.1} | {:.3} | {:.1} |",
                family.name,
                alarms.join(" | "),
                found(&one),
                percent(one.first_name, one.detectable),
                found(&repeated),
                percent(five.covered, five.pairs),
                percent(five.missed[2], five.optimal),
                five.extra / five.pairs,
                percent(five.false_part, five.pairs),
            );
        }
    }
}

/// What happens to a function without a change of cost.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Renamed,
    Inlined,
    Wrapper,
    Shift,
}

fn structures(run: &Run) {
    if !run.wants("R12") {
        return;
    }
    let kinds = [(Kind::Renamed, "renamed"), (Kind::Inlined, "inlined"), (Kind::Wrapper, "wrapper"), (Kind::Shift, "shift")];
    for (at, (kind, name)) in kinds.into_iter().enumerate() {
        let capture = Capture::of(1e5);
        let sums = pairs(run, 300 + at as u64, 40 * run.scale, |random| structure(random, &capture, kind, name));
        let [all, right, calm] = sums.structure;
        let (right, calm) = (percent(right, all), percent(calm, all));
        row("R12", &format!("{name}: named so"), ">= 98 %", &format!("{right:.1} %"), Some(right >= 98.0), all);
        row("R12", &format!("{name}: no alarm"), ">= 96 %", &format!("{calm:.1} %"), Some(calm >= 96.0), all);
    }
}

/// One function of 0.5 to 10 % of all cost is renamed, inlined, wrapped, or half of one path's cost moves to another caller.
fn structure(random: &mut Random, capture: &Capture, kind: Kind, name: &str) -> Sums {
    let program = Program::new(capture.family, random);
    let total = |name: &str| -> f64 {
        program.stacks.iter().filter(|stack| stack.path.iter().any(|part| part == name)).map(|stack| stack.share).sum()
    };
    let own = |name: &str| -> f64 {
        program.stacks.iter().filter(|stack| stack.path.last().is_some_and(|last| last == name)).map(|stack| stack.share).sum()
    };
    let mut names: Vec<String> = program.stacks.iter().flat_map(|stack| stack.path.iter().skip(2).cloned()).collect();
    names.sort();
    names.dedup();
    // What is called by an entry point itself keeps its callers and only gets a new frame around it.
    let below_others = |name: &str| -> f64 {
        let is_below = |path: &[String]| path.iter().position(|part| part == name).is_some_and(|at| at > 2);
        program.stacks.iter().filter(|stack| is_below(&stack.path)).map(|stack| stack.share).sum()
    };
    let fits = |name: &String| {
        let total = total(name);
        let of_kind = match kind {
            Kind::Inlined => own(name) > 0.004,
            Kind::Shift => below_others(name) > total / 2.0,
            Kind::Renamed | Kind::Wrapper => true,
        };
        (0.005..0.1).contains(&total) && of_kind
    };
    names.retain(fits);
    if names.is_empty() {
        return Sums::default();
    }
    let target = names[random.below(names.len())].clone();
    let mut after = program.clone();
    match kind {
        Kind::Renamed => {
            after.edit(|path| {
                for part in path.iter_mut().filter(|part| **part == target) {
                    "main.newName".clone_into(part);
                }
            });
        }
        Kind::Inlined => after.edit(|path| path.retain(|part| *part != target)),
        Kind::Wrapper => after.edit(|path| {
            if let Some(at) = path.iter().position(|part| *part == target) {
                path.insert(at, "main.withRetry".to_owned());
            }
        }),
        // All calls below one entry point come through a new helper function's path: the cost stands under another caller.
        Kind::Shift => after.edit(|path| {
            if let Some(at) = path.iter().position(|part| *part == target) {
                let below = path.split_off(at);
                path.truncate(2);
                path.push("main.f10".to_owned());
                path.extend(below);
            }
        }),
    }
    let ground = Ground::new(&program, &after);
    let comparison = draw(&ground, capture, random);
    score::structure(&comparison, name, &target)
}

fn nulls(run: &Run) {
    let line = |id: &str, what: &str, sums: &Sums, goal: f64| {
        let alarms = percent(sums.alarms, sums.pairs);
        let measured = format!(
            "{alarms:.1} % ({:.2} findings a pair; unconfirmed in {:.0} %)",
            sums.findings / sums.pairs,
            percent(sums.unconfirmed, sums.pairs)
        );
        row(id, what, &format!("<= {goal} %"), &measured, Some(alarms <= goal), sums.pairs);
        let [all, _, _, work] = sums.intervals.map(|[held, seen]| percent(held, seen));
        let measured = format!("all {all:.1} %, work {work:.1} %");
        row(
            "R11",
            &format!("{what}: intervals"),
            "94-96, >= 94 %",
            &measured,
            Some((94.0..=96.0).contains(&all) && work >= 94.0),
            sums.intervals[0][1],
        );
    };
    let count = 40 * run.scale;
    if run.wants("R1") {
        let mut pooled = Sums::default();
        for (at, samples) in SIZES.into_iter().enumerate() {
            let sums = pairs(run, 100 + at as u64, count, |random| unchanged(random, &Capture::of(samples)));
            line("R1", &format!("unchanged, N = {samples:.0e}"), &sums, 8.0);
            pooled.add(&sums);
        }
        line("R1", "unchanged, all N", &pooled, 5.0);
    }
    let noisy = |id: &str, what: &str, stream: u64, noise: Noise, repeats: usize, goal: f64| {
        if !run.wants(id) {
            return;
        }
        let mut pooled = Sums::default();
        for (at, samples) in [1e4, 1e5, 1e6].into_iter().enumerate() {
            let capture = Capture { repeats, noise, ..Capture::of(samples) };
            pooled.add(&pairs(run, stream + at as u64, count, |random| unchanged(random, &capture)));
        }
        line(id, what, &pooled, goal);
    };
    noisy("R2", "unchanged, 5 % per function, 1 v 1", 120, Noise::Functions(0.05), 1, 5.0);
    noisy("R2", "unchanged, 5 % per entry point, 1 v 1", 130, Noise::Entries(0.05), 1, 5.0);
    noisy("R2", "unchanged, 5 % per function, 6 v 6", 140, Noise::Functions(0.05), 6, 5.0);
    noisy("R3", "unchanged, bursty, 6 v 6", 150, Noise::Bursts, 6, 5.0);
    noisy("R3", "unchanged, bursty, 1 v 1", 160, Noise::Bursts, 1, 10.0);
}

fn changes(run: &Run) {
    let count = 60 * run.scale;
    let line = |ids: [&str; 2], what: &str, sums: &Sums, goal: f64| {
        let [id, cause] = ids;
        let recall = percent(sums.found, sums.optimal);
        let [unseen, elsewhere, unconfirmed, moved] = sums.missed;
        // Scopes are compared where there is one change, bursts where they were drawn.
        let part =
            |shown: bool, what: &str, sum: f64| if shown { format!("{what} {:.1} %; ", percent(sum, sums.optimal)) } else { String::new() };
        let bounds = part(sums.planted <= sums.pairs && sums.optimal > 0.0, "likeliest of all scopes", sums.reachable)
            + &part(sums.estimated > 0.0, "their scope, bursts estimated", sums.estimated);
        let measured = format!(
            "{recall:.1} % ({bounds}{:.0} of {:.0}; missed: {unseen:.0} unseen, {elsewhere:.0} elsewhere, {unconfirmed:.0} unconfirmed, {moved:.0} as structure)",
            sums.found, sums.optimal
        );
        row(id, &format!("{what}: found / optimal"), &format!(">= {goal} %"), &measured, Some(recall >= goal), sums.planted);
        let fdr = percent(sums.false_part, sums.pairs);
        let measured = format!("{fdr:.1} % ({:.2} useless a pair)", sums.extra / sums.pairs);
        row("R5", &format!("{what}: false findings"), "<= 5 %", &measured, Some(fdr <= 5.0), sums.pairs);
        let [first, name] = [percent(sums.first_cause, sums.detectable), percent(sums.first_name, sums.detectable)];
        let likeliest = percent(sums.likeliest, sums.detectable);
        let measured = format!("{first:.1} % (likeliest of all scopes {likeliest:.1} %)");
        // Of several changes there is no first.
        if sums.detectable > 0.0 {
            row(cause, &format!("{what}: first is the cause"), ">= 99.5 %", &measured, Some(first >= 99.5), sums.detectable);
            row("R9", &format!("{what}: first has the name"), ">= 97 %", &format!("{name:.1} %"), Some(name >= 97.0), sums.detectable);
        }
        let [all, planted, reported, work] = sums.intervals.map(|[held, seen]| percent(held, seen));
        let measured = format!("all {all:.1} %, planted {planted:.1} %, reported {reported:.1} %, work {work:.1} %");
        row(
            "R11",
            &format!("{what}: intervals"),
            "94-96, 94-97, >= 94, >= 94 %",
            &measured,
            Some((94.0..=96.0).contains(&all) && reported >= 94.0 && work >= 94.0),
            sums.intervals[2][1],
        );
    };
    if run.wants("R6") {
        for (at, samples) in SIZES.into_iter().enumerate() {
            let sums = pairs(run, 200 + at as u64, count, |random| planted(random, &Capture::of(samples), 1, (0.8, 2.5)));
            line(["R6", "R8"], &format!("one change, N = {samples:.0e}"), &sums, if samples < 1e4 { 92.0 } else { 97.0 });
        }
        let capture = Capture { work: 2.0, ..Capture::of(1e5) };
        let sums = pairs(run, 210, count, |random| planted(random, &capture, 1, (0.8, 2.5)));
        line(["R6", "R8"], "one change, twice the load, N = 1e5", &sums, 97.0);
    }
    let noisy = |id: &str, what: &str, stream: u64, noise: Noise, repeats: usize| {
        if run.wants(id) {
            let capture = Capture { repeats, noise, ..Capture::of(1e5) };
            let sums = pairs(run, stream, count, |random| planted(random, &capture, 1, (0.8, 2.5)));
            line([id, "R8"], what, &sums, 95.0);
        }
    };
    noisy("R7", "one change, 5 % per function, 1 v 1", 220, Noise::Functions(0.05), 1);
    noisy("R7", "one change, 5 % per function, 6 v 6", 221, Noise::Functions(0.05), 6);
    noisy("R7", "one change, bursty, 6 v 6", 222, Noise::Bursts, 6);
    if run.wants("R10") {
        for (at, samples) in [1e4, 1e5, 1e6].into_iter().enumerate() {
            let sums = pairs(run, 230 + at as u64, count, |random| planted(random, &Capture::of(samples), 5, (1.3, 3.0)));
            let covered = percent(sums.covered, sums.pairs);
            let what = format!("five changes, N = {samples:.0e}");
            row(
                "R10",
                &format!("{what}: covered by the first five"),
                ">= 97 %",
                &format!("{covered:.1} %"),
                Some(covered >= 97.0),
                sums.pairs,
            );
            let extra = sums.extra / sums.pairs;
            row("R10", &format!("{what}: useless findings a pair"), "<= 0.05", &format!("{extra:.3}"), Some(extra <= 0.05), sums.pairs);
            line(["R10", "R10"], &what, &sums, 97.0);
        }
    }
    if run.wants("R13") {
        let sums = pairs(run, 240, count, |random| closure(random, &Capture::of(1e5)));
        let (wrong, bias) = (sums.false_findings / sums.pairs, 100.0 * sums.work_error / sums.pairs);
        row(
            "R13",
            "one frame of 10 % grows four times: false findings a pair",
            "<= 0.05",
            &format!("{wrong:.3}"),
            Some(wrong <= 0.05),
            sums.pairs,
        );
        row("R13", "the same: mean error of ln(work)", "<= 1 %", &format!("{bias:.2} %"), Some(bias.abs() <= 1.0), sums.pairs);
    }
    if run.wants("R14") {
        let capture = Capture { heap: true, ..Capture::of(3e4) };
        let sums = pairs(run, 250, count, |random| planted(random, &capture, 1, (0.8, 2.5)));
        line(["R14", "R14"], "heap, one change", &sums, 95.0);
        let sums = pairs(run, 251, count, |random| unchanged(random, &capture));
        let alarms = percent(sums.alarms, sums.pairs);
        row("R14", "heap, unchanged: pairs with an alarm", "<= 5 %", &format!("{alarms:.1} %"), Some(alarms <= 5.0), sums.pairs);
    }
}

/// One function of about a tenth of the cost grows to four times.
fn closure(random: &mut Random, capture: &Capture) -> Sums {
    let program = Program::new(capture.family, random);
    let mut ground = Ground::new(&program, &program);
    let scopes = Scope::all(&ground);
    let nearest = |scope: &&Scope| ((ground.sum(0, &ground.cells(scope)) - 0.1).abs() * 1e9) as u64;
    let scope = scopes[1].iter().min_by_key(nearest).expect("programs have functions").clone();
    let cells = ground.cells(&scope);
    ground.change(&cells, 4.0);
    let comparison = draw(&ground, capture, random);
    let change = Planted { scope, cells, ratio: 4.0, extra: 0.0 };
    judge(&ground, &comparison, capture, &[change])
}
