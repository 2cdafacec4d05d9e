//! Runs of one unchanged program in the corpus, held against each other: whatever is reported is false.
//!
//! `aa-big` is the benchmark of Go's `math/big`, five times. A benchmark calls each of its functions for about a second, as often as that takes, and so
//! functions of unchanged code allocate up to five times as much in another run. Of single runs that is a true difference of what they did, and no
//! capture says how often anything was called; repeats show it.

#![expect(clippy::print_stdout, reason = "measured figures are shown with --nocapture")]

use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::analysis::{Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, read};
use emberlens::model::Profile;

use crate::corpus::folder;

/// Files of the group, read; none without the corpus.
fn runs(file: &str) -> Vec<Arc<Profile>> {
    let Some(folder) = folder() else { return Vec::new() };
    let read_run = |run: usize| {
        let path = folder.join(format!("captured/pprof/gobench/aa-big-r{run}/{file}"));
        let bytes = std::fs::read(&path).expect("a corpus file is readable");
        let name = path.to_string_lossy();
        Arc::new(read(&Input { bytes: &bytes, name: &name }, &ReadCx::new(&Ticket::new())).expect("a sound profile"))
    };
    (1..=5).map(read_run).collect()
}

/// Every pair of runs, and every two runs against the other three.
fn sides(count: usize) -> [Vec<[Vec<usize>; 2]>; 2] {
    let pairs: Vec<[usize; 2]> = (0..count).flat_map(|a| (a + 1..count).map(move |b| [a, b])).collect();
    let rest = |pair: &[usize; 2]| (0..count).filter(|run| !pair.contains(run)).collect::<Vec<usize>>();
    let splits = pairs.iter().map(|pair| [pair.to_vec(), rest(pair)]).collect();
    [pairs.iter().map(|&[a, b]| [vec![a], vec![b]]).collect(), splits]
}

/// Comparisons with a finding: of single runs, and of two against three.
fn alarms(file: &str, kind: (&str, &str)) -> Option<[usize; 2]> {
    let captures = runs(file);
    captures.first()?;
    let normalization = Normalization::fitting(kind.0, &captures);
    let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &Filter::default(), &Ticket::new());
    let shape = Arc::new(shape.expect("not cancelled"));
    let judge = |sides: &[Vec<usize>; 2]| -> Findings {
        let inputs = sides.each_ref().map(|side| SideInput::whole(side.iter().copied()));
        let made = compare(Arc::clone(&shape), &captures, &inputs, kind, &Filter::default(), normalization.clone(), &Ticket::new());
        findings(&made.expect("all have the sample type"), &captures, &Spec::default()).expect("two sides")
    };
    Some(sides(captures.len()).map(|all| {
        let mut alarmed = 0;
        for sides in &all {
            let found = judge(sides);
            alarmed += usize::from(!found.rows.is_empty());
            for row in &found.rows {
                println!(
                    "{} {sides:?}: {} {} [{:.3}, {:.3}] {}",
                    kind.0,
                    row.verdict.name(),
                    row.func,
                    row.ratio_lo,
                    row.ratio_hi,
                    row.why
                );
            }
        }
        println!("{}: {} against {} runs, {alarmed} of {}", kind.0, all[0][0].len(), all[0][1].len(), all.len());
        alarmed
    }))
}

#[test]
fn runs_of_one_benchmark_do_not_differ() {
    // At a level of 5 % chance brings one of ten.
    for (file, kind, single) in [("cpu.pprof", ("cpu", "nanoseconds"), 1), ("mem.pprof", ("inuse_space", "bytes"), 0)] {
        let Some([pairs, splits]) = alarms(file, kind) else { return };
        assert!(pairs <= single && splits == 0, "{}: {pairs} of ten pairs, {splits} of ten splits", kind.0);
    }
}

#[test]
fn repeats_show_that_a_benchmark_allocates_as_it_likes() {
    for kind in [("alloc_objects", "count"), ("alloc_space", "bytes")] {
        let Some([_, splits]) = alarms("mem.pprof", kind) else { return };
        assert!(splits <= 1, "{}: {splits} of ten splits", kind.0);
    }
}
