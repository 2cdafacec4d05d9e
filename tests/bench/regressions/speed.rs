//! R16: how long it takes from two profiles to findings, on trees of a million nodes and on small ones, and from two files.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::diff;
use emberlens::analysis::regress::{Spec, findings};
use emberlens::analysis::{Direction, Filter, Granularity, Naming};
use emberlens::app::load::{self, LoadOptions};
use emberlens::base::ticket::Ticket;
use emberlens::format::pprof;
use emberlens::model::{Builder, Frame, Profile, Sample};
use emberlens::report::remarks::Remarks;
use emberlens::report::{DiffInput, DiffReport};

use crate::random::Random;
use crate::{Run, row};

/// Names in the larger trees.
const NAMES: usize = 20_000;
/// Samples of a capture per node.
const SAMPLES: f64 = 10.0;
/// Each step counts as the fastest of this many.
const TIMES: usize = 3;

/// Levels of the call trees.
const LEVELS: usize = 200;

/// What the captures are of.
#[derive(Clone, Copy)]
struct Program {
    nodes: usize,
    /// Levels of the call tree at most.
    levels: usize,
    /// Part of the nodes without callees that stand for another function in the other capture, so that very much changed.
    elsewhere: f64,
}

/// Two captures of the same program, in which three functions take half as long again after.
fn captures(program: Program) -> Vec<Arc<Profile>> {
    let Program { nodes, levels, elsewhere } = program;
    let mut random = Random::new(7, nodes as u64);
    // Callers are among the nodes that were made last: deep paths, as in real programs.
    let names = NAMES.min(nodes / 4);
    let mut depths: Vec<usize> = Vec::with_capacity(nodes);
    let mut callers: Vec<Option<usize>> = Vec::with_capacity(nodes);
    let mut is_caller = vec![false; nodes];
    let rows: Vec<(usize, f64)> = (0..nodes)
        .map(|row| {
            let back = (random.uniform().powi(3) * 400.0) as usize + 1;
            let mut caller = (row >= 20).then(|| row - back.min(row));
            while let Some(deep) = caller.filter(|&caller| depths[caller] + 1 >= levels) {
                caller = (0..levels / 2).try_fold(deep, |at, _| callers[at]);
            }
            depths.push(caller.map_or(0, |caller| depths[caller] + 1));
            callers.push(caller);
            if let Some(caller) = caller {
                is_caller[caller] = true;
            }
            let name = (random.uniform().powi(2) * names as f64) as usize;
            (name, (1.5 * random.normal() - 1.1).exp())
        })
        .collect();
    (0..2)
        .map(|side| {
            let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
            builder.default_sample_type = 1;
            builder.info.duration_nanos = Some(10_000_000_000);
            let frames: Vec<_> = (0..names)
                .map(|name| {
                    let function = Some(builder.function_named(&format!("example.com/service/package{}.Function{name}", name % 300)));
                    builder.frame(Frame { function, ..Frame::default() })
                })
                .collect();
            let mut stacks = Vec::with_capacity(nodes);
            for (row, &(name, _)) in rows.iter().enumerate() {
                // What is in one capture only has another name in the other; a caller would take all below it along.
                let only = random.uniform() < elsewhere && !is_caller[row];
                let name = if only { (name + 1 + side) % names } else { name };
                stacks.push(builder.stack(callers[row].map(|caller| stacks[caller]), frames[name]));
            }
            let slower = [names / 50, names / 10, names / 3];
            for (stack, &(name, share)) in stacks.iter().zip(&rows) {
                let growth = if side == 1 && slower.contains(&name) { 1.5 } else { 1.0 };
                let count = random.poisson(SAMPLES * share * growth) as i64;
                if count > 0 {
                    builder.rows.sample(Sample { stack: Some(*stack), ..Sample::default() }, &[count, count * 10_000_000]);
                }
            }
            Arc::new(builder.finish())
        })
        .collect()
}

/// Milliseconds of the fastest of several, with its last result.
fn fastest<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    let mut made = None;
    for _ in 0..TIMES {
        // What was made before is given back outside of what is measured.
        drop(made.take());
        let start = Instant::now();
        let result = black_box(work());
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
        made = Some(result);
    }
    (best, made.expect("at least one run"))
}

pub(crate) fn rows(run: &Run) {
    if !run.wants("R16") {
        return;
    }
    let plain = Program { nodes: 1_000_000, levels: LEVELS, elsewhere: 0.0 };
    let mut programs = vec![plain, Program { nodes: 3_000, ..plain }];
    programs.extend(programs.clone().into_iter().map(|program| Program { elsewhere: 0.05, ..program }));
    // No program calls ten thousand levels deep; what takes long there shows which step depends on depth.
    programs.extend((run.scale > 1).then_some(Program { levels: usize::MAX, ..plain }));
    for program in programs {
        let Program { nodes, levels, elsewhere } = program;
        let captures = captures(program);
        let (filter, ticket) = (Filter::default(), Ticket::new());
        let mut count = nodes as f64;
        let goals = levels == LEVELS && elsewhere == 0.0;
        let large = nodes > 100_000;
        let levels = if levels == usize::MAX { ", 10,000 levels".to_owned() } else { String::new() };
        let elsewhere = if elsewhere > 0.0 { ", many changes" } else { "" };
        let line = |count: f64, what: &str, millis: f64, goal: Option<f64>| {
            let goal = goal.filter(|_| goals);
            let wanted = goal.map_or(String::new(), |goal| format!("<= {goal} ms"));
            row(
                "R16",
                &format!("2 x {nodes} nodes{levels}{elsewhere}: {what}"),
                &wanted,
                &format!("{millis:.1} ms"),
                goal.map(|goal| millis <= goal),
                count,
            );
        };
        let (join, shape) = fastest(|| {
            Arc::new(Shape::build(&captures, Granularity::Function, Direction::TopDown, &filter, &ticket).expect("not cancelled"))
        });
        count = count.max(shape.tree.len() as f64);
        line(count, "put into one tree", join, None);
        let sides = [SideInput::whole([0]), SideInput::whole([1])];
        let (weigh, comparison) = fastest(|| {
            let kind = ("cpu", "nanoseconds");
            compare(Arc::clone(&shape), &captures, &sides, kind, &filter, Normalization::PerSecond, &ticket).expect("both have it")
        });
        line(count, "totals", weigh, None);
        let (tests, _) = fastest(|| diff(&comparison, &Spec::default()).expect("two sides"));
        line(count, "all tests and intervals", tests, None);
        line(count, "put into one tree, totals, all tests and intervals", join + weigh + tests, large.then_some(100.0));
        let (verdicts, made) = fastest(|| findings(&comparison, &captures, &Spec::default()).expect("two sides"));
        line(count, &format!("search and verdicts ({} findings)", made.rows.len()), verdicts, large.then_some(400.0));
        line(count, "from profiles to verdicts", join + weigh + verdicts, (!large).then_some(10.0));
    }
    files();
}

/// Two gzipped pprof files of 100,000 stacks each, from disk to the text of the findings, as the command does it.
fn files() {
    let folder = tempfile::tempdir().expect("a folder for two files");
    // Some nodes have no sample on a side; stacks are about 40 deep.
    let written = captures(Program { nodes: 115_000, levels: 60, elsewhere: 0.0 });
    let paths: Vec<PathBuf> = ["before.pb.gz", "after.pb.gz"].iter().map(|name| folder.path().join(name)).collect();
    for (path, profile) in paths.iter().zip(&written) {
        fs::write(path, pprof::write_gz(profile)).expect("room for two files");
    }
    let stacks = written.iter().map(|profile| profile.samples.len()).min().unwrap_or(0);
    let options = LoadOptions::default();
    let read = |path: &PathBuf| Arc::new(load::read(path, &options, &Ticket::new()).expect("what was just written"));
    let both = || {
        std::thread::scope(|scope| {
            let threads: Vec<_> = paths.iter().map(|path| scope.spawn(|| read(path))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<Arc<Profile>>>()
        })
    };
    let judged = || {
        let (captures, filter, ticket) = (both(), Filter::default(), Ticket::new());
        let sides = [SideInput::whole([0]), SideInput::whole([1])];
        let matched =
            Shape::build_matched(&captures, &sides, &Naming::default(), Granularity::Function, Direction::TopDown, &filter, &ticket);
        let shape = Arc::new(matched.expect("not cancelled"));
        let kind = ("cpu", "nanoseconds");
        let comparison = compare(shape, &captures, &sides, kind, &filter, Normalization::PerSecond, &ticket).expect("both have it");
        let findings = findings(&comparison, &captures, &Spec::default()).expect("two sides");
        let captures: Vec<(String, Arc<Profile>)> = ["before", "after"].map(str::to_owned).into_iter().zip(captures).collect();
        let (filter, remarks) = (Filter::default(), Remarks::default());
        let input = DiffInput { captures: &captures, by: Granularity::Function, decimals: 0, filter: &filter, remarks: &remarks };
        (DiffReport::new(&comparison, &findings, input).expect("two sides").text(), findings.rows.len())
    };
    let (reading, _) = fastest(both);
    let (all, (_, found)) = fastest(judged);
    let count = stacks as f64;
    row("R16", "two pprof.gz files of so many stacks: reading", "", &format!("{reading:.0} ms"), None, count);
    row(
        "R16",
        &format!("two pprof.gz files of so many stacks: from disk to findings ({found})"),
        "< 500 ms",
        &format!("{all:.0} ms"),
        Some(all < 500.0),
        count,
    );
}
