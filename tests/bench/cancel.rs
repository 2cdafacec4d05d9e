//! How long work goes on after it was cancelled: every reader on a large input, naming addresses, and everything derived from captures.
//!
//! Each piece of work runs once to its end, then again and again with a cancel at moments spread over that time. Printed is the longest time
//! from the cancel to the end, and during which stage it began. On a machine that does other things too a thread that waits for a processor is
//! late without doing anything, and the time on the processors counts parallel threads together: of a run the smaller of both counts. The
//! goal is 50 ms.
//!
//! `cargo bench --bench cancel -- [--points N] [--megabytes N] [--only WORDS] [FILE…]`: files are captures to read, to name the addresses of
//! and to compare with themselves, in the place of the inputs that are made here from the sample profiles.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "read/generate.rs"]
mod generate;
#[path = "cancel/inputs.rs"]
mod inputs;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use emberlens::analysis::call_tree::Direction;
use emberlens::analysis::comparison::{Comparison, Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::{self, Spec};
use emberlens::analysis::flame::{self, FlameLayout};
use emberlens::analysis::flat::{self, Measure, OrderBy, RowsSpec};
use emberlens::analysis::matching::Naming;
use emberlens::analysis::{Filter, Granularity, regress, search, top};
use emberlens::app::load::{self, LoadOptions};
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::Profile;

/// From the cancel to the end, in milliseconds.
const GOAL_MILLIS: f64 = 50.0;

/// What is measured, and how often.
struct Bench {
    points: u32,
    only: Option<String>,
    longest: f64,
}

/// Time that processors worked for the threads of this process which are still there, in nanoseconds (Linux).
fn processor_time() -> Option<u64> {
    let tasks = fs::read_dir("/proc/self/task").ok()?;
    let nanos = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(nanos.sum())
}

/// The end of one cancelled run.
#[derive(Clone, Copy, Default)]
struct Late {
    millis: f64,
    /// What the ticket said at the cancel.
    stage: &'static str,
    /// When it was cancelled, as a part of the whole run.
    at: f64,
}

impl Bench {
    /// Runs `work` to its end, then cancels it at many moments. It gives false where it ended by the cancel.
    fn measure(&mut self, name: &str, work: impl Fn(&Ticket) -> bool + Sync) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        let start = Instant::now();
        let whole_ticket = Ticket::new();
        assert!(work(&whole_ticket), "{name}: ends without a cancel");
        let whole = start.elapsed();
        let moments = (0..self.points).map(|point| (f64::from(point) + jitter(point)) / f64::from(self.points));
        let mut runs: Vec<Late> = moments.filter_map(|at| cancelled(&work, whole, at)).collect();
        runs.sort_by(|a, b| a.millis.total_cmp(&b.millis));
        let checks = whole_ticket.checks();
        let Some(worst) = runs.last().copied() else {
            return println!("{name:52} {:8.0} ms, {checks:8} checks, over before any cancel", millis(whole));
        };
        let middle = runs.get(runs.len() / 2).copied().unwrap_or_default();
        self.longest = self.longest.max(worst.millis);
        println!(
            "{name:52} {:8.0} ms, {checks:8} checks, {:3} cancels: longest {:6.1} ms, median {:5.1}; at {:.0} % ({}){}",
            millis(whole),
            runs.len(),
            worst.millis,
            middle.millis,
            worst.at * 100.0,
            worst.stage,
            if worst.millis > GOAL_MILLIS { "  (missed)" } else { "" },
        );
    }
}

/// A number from 0 to 1, the same in each run.
fn jitter(point: u32) -> f64 {
    f64::from(point.wrapping_mul(0x9E37_79B9).wrapping_add(0x7F4A_7C15) >> 8) / f64::from(1 << 24)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// One run with a cancel after a part of the time of the whole; `None` where it was over before.
fn cancelled(work: &(impl Fn(&Ticket) -> bool + Sync), whole: Duration, at: f64) -> Option<Late> {
    let ticket = Ticket::new();
    std::thread::scope(|scope| {
        let start = Instant::now();
        // The job's thread takes its own time before it is gone.
        let job = scope.spawn(|| (work(&ticket), Instant::now(), processor_time()));
        std::thread::sleep(whole.mul_f64(at).saturating_sub(start.elapsed()));
        let stage = ticket.progress().stage;
        let before = processor_time();
        let from = Instant::now();
        ticket.cancel();
        let (ended, end, after) = job.join().expect("no work panics");
        let clock = millis(end.saturating_duration_since(from));
        let processors = after.zip(before).map_or(f64::INFINITY, |(after, before)| after.saturating_sub(before) as f64 / 1e6);
        (!ended).then_some(Late { millis: clock.min(processors), stage, at })
    })
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let after = |word: &str| words.iter().skip_while(|found| *found != word).nth(1);
    let number = |word: &str| after(word).and_then(|text| text.parse::<u32>().ok());
    let mut bench = Bench { points: number("--points").unwrap_or(24), only: after("--only").cloned(), longest: 0.0 };
    let megabytes = number("--megabytes").unwrap_or(100) as usize;
    let options = ["--points", "--only", "--megabytes"];
    let is_value = |at: usize| at > 0 && options.contains(&words[at - 1].as_str());
    let files: Vec<PathBuf> =
        words.iter().enumerate().filter(|(at, word)| !word.starts_with("--") && !is_value(*at)).map(|(_, word)| word.into()).collect();
    println!("{} threads, goal {GOAL_MILLIS} ms", rayon::current_num_threads());
    for path in &files {
        file(&mut bench, path);
    }
    if files.is_empty() {
        made(&mut bench, megabytes);
    }
    println!("the longest: {:.1} ms", bench.longest);
}

/// Everything on inputs that are made here.
fn made(bench: &mut Bench, megabytes: usize) {
    for (name, bytes) in inputs::texts(megabytes << 20) {
        readers(bench, &name, &bytes);
    }
    for (shape, stacks) in [("repeating", generate::Stacks::Repeat), ("distinct", generate::Stacks::Distinct)] {
        let bytes = generate::pprof(megabytes * 8_000, stacks);
        readers(bench, &format!("pprof, {shape} stacks"), &bytes);
        let packed = packed(&bytes);
        readers(bench, &format!("pprof.gz, {shape} stacks"), &packed);
        let profile = read(&packed, &Ticket::new()).expect("our own profile is readable");
        drop((bytes, packed));
        derived(bench, shape, &Arc::new(profile));
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// The profile, or `None` when cancelled.
fn read(bytes: &[u8], ticket: &Ticket) -> Option<Profile> {
    match format::read(&Input { bytes, name: "bench" }, &ReadCx::new(ticket)) {
        Ok(profile) => Some(profile),
        Err(error) if error.is_cancelled() => None,
        Err(error) => panic!("an input of this bench is readable: {error}"),
    }
}

fn readers(bench: &mut Bench, name: &str, bytes: &[u8]) {
    bench.measure(&format!("read {name}, {} MB", bytes.len() / 1_000_000), |ticket| read(bytes, ticket).is_some());
}

fn file(bench: &mut Bench, path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let options = LoadOptions::default();
    bench.measure(&format!("read {name}"), |ticket| load::read(path, &options, ticket).is_ok());
    let profile = load::read(path, &options, &Ticket::new()).unwrap_or_else(|error| panic!("{error}"));
    if load::wants_symbols(&profile, &options) {
        bench.measure(&format!("name the addresses of {name}"), |ticket| load::symbolize(path, &profile, &options, ticket).is_ok());
    }
    derived(bench, &name, &Arc::new(profile));
}

/// Everything that is made of one or two captures, each inside [`Ticket::run`] as the application starts it.
fn derived(bench: &mut Bench, name: &str, profile: &Arc<Profile>) {
    let captures = [Arc::clone(profile), Arc::clone(profile)];
    let none = Filter::default();
    let shape = |captures: &[Arc<Profile>], granularity, direction, ticket: &Ticket| {
        let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
        let made = ticket.run(|| Shape::build_matched(captures, &sides, &Naming::default(), granularity, direction, &none, ticket));
        made.and_then(|made| made)
    };
    for (what, granularity, direction, captures) in [
        ("tree", Granularity::Function, Direction::TopDown, &captures[..1]),
        ("tree by line", Granularity::Line, Direction::TopDown, &captures[..1]),
        ("bottom-up tree", Granularity::Function, Direction::BottomUp, &captures[..1]),
        ("tree of two", Granularity::Function, Direction::TopDown, &captures[..]),
    ] {
        bench.measure(&format!("{what}, {name}"), |ticket| shape(captures, granularity, direction, ticket).is_ok());
    }
    let tree = Arc::new(shape(&captures, Granularity::Function, Direction::TopDown, &Ticket::new()).expect("not cancelled"));
    let kind = profile.sample_types.get(profile.default_sample_type).map_or(("", ""), |kind| (kind.name.as_str(), kind.unit.as_str()));
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let weigh = |filter: &Filter, ticket: &Ticket| {
        ticket.run(|| compare(Arc::clone(&tree), &captures, &sides, kind, filter, Normalization::Share, ticket).is_ok()).unwrap_or(false)
    };
    bench.measure(&format!("weigh both sides, {name}"), |ticket| weigh(&none, ticket));
    let focus = Filter { focus: Some("e".to_owned()), ..Filter::default() };
    bench.measure(&format!("weigh both sides with a focus, {name}"), |ticket| weigh(&focus, ticket));
    let comparison = compare(Arc::clone(&tree), &captures, &sides, kind, &none, Normalization::Share, &Ticket::new());
    let comparison = comparison.expect("a capture can be compared with itself");
    tables(bench, name, &comparison, &captures);
    flames(bench, name, &comparison);
}

fn tables(bench: &mut Bench, name: &str, comparison: &Comparison, captures: &[Arc<Profile>]) {
    let (tree, places) = (comparison.tree(), comparison.places());
    let weights = &comparison.sides[0].weights;
    let flat = flat::flat(comparison);
    let rows = RowsSpec { by: OrderBy::Delta(Measure::Total), ascending: false, pattern: "e".to_owned() };
    bench.measure(&format!("top table, {name}"), |ticket| ticket.run(|| top::top(tree, places, weights)).is_ok());
    bench.measure(&format!("flat table, {name}"), |ticket| ticket.run(|| flat::flat(comparison)).is_ok());
    bench.measure(&format!("rows of it, {name}"), |ticket| ticket.run(|| flat::rows(comparison, &flat, &rows)).is_ok());
    bench.measure(&format!("search, {name}"), |ticket| ticket.run(|| search::search(comparison, "a, e")).is_ok());
    bench.measure(&format!("diff, {name}"), |ticket| ticket.run(|| diff::diff(comparison, &Spec::default())).is_ok());
    bench.measure(&format!("findings, {name}"), |ticket| ticket.run(|| regress::findings(comparison, captures, &Spec::default())).is_ok());
}

fn flames(bench: &mut Bench, name: &str, comparison: &Comparison) {
    let tree = comparison.tree();
    let widths: Vec<u64> =
        comparison.sides.first().map_or(Vec::new(), |side| side.weights.selfs().iter().map(|self_| self_.unsigned_abs()).collect());
    let shape = flame::Shape { parents: tree.parents(), depths: tree.depths() };
    let lay_out = |ticket: &Ticket| ticket.run(|| FlameLayout::build(shape, &widths, ticket)).and_then(|layout| layout);
    bench.measure(&format!("lay out, {name}"), |ticket| lay_out(ticket).is_ok());
    let layout = lay_out(&Ticket::new()).expect("not cancelled");
    bench.measure(&format!("layout of a search, {name}"), |ticket| layout.subset(|node| node.row() % 3 == 0, ticket).is_ok());
}
