//! From bytes to findings: read, build, weigh, union. Prints one line per step with its rate.
//!
//! Times depend on the machine; compare lines of one run. The first lines are the floors: a pass over the bytes in memory, and
//! inflating alone.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emberlens::analysis::call_tree::Direction;
use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::{Filter, Granularity, top};
use emberlens::base::inflate;
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::{Builder, Frame, Profile, Sample};

/// A fixed sequence of numbers, so that every run makes the same profile (xorshift64*, Vigna 2016).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// Deep stacks with a few hot ways and many rare ones; `seed` moves the weights, not the stacks.
fn synthetic(samples: usize, seed: u64) -> Profile {
    let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
    let frames: Vec<_> = (0..20_000)
        .map(|n| {
            let function = Some(builder.function_named(&format!("example.com/service/package{}.(*Type{}).Method{n}", n % 300, n % 40)));
            builder.frame(Frame { function, address: Some(0x40_0000 + n * 16), line: 1, ..Frame::default() })
        })
        .collect();
    // An eighth as many distinct stacks as samples, the first ones far more often than the last: as in real captures.
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let stacks: Vec<_> = (0..samples.div_ceil(8))
        .map(|_| {
            let (mut stack, mut at) = (None, 0);
            for level in 0..10 + numbers.below(60) {
                // Nine of ten steps go to the first callee: shared prefixes, as in real programs.
                let step = if numbers.below(10) < 9 { 1 } else { numbers.below(7) };
                at = (at * 7 + step + level) % frames.len() as u64;
                stack = Some(builder.stack(stack, frames[at as usize]));
            }
            stack
        })
        .collect();
    let mut numbers = Numbers(0x2545_f491 ^ seed);
    for _ in 0..samples {
        let spread = numbers.below(stacks.len() as u64) * numbers.below(stacks.len() as u64) / stacks.len() as u64;
        let count = 1 + numbers.below(3) as i64;
        builder.rows.sample(Sample { stack: stacks[spread as usize], ..Sample::default() }, &[count, count * 10_000_000]);
    }
    builder.finish()
}

/// The shortest of several runs.
fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut shortest = None::<(Duration, T)>;
    for _ in 0..runs {
        let start = Instant::now();
        let result = black_box(work());
        let took = start.elapsed();
        if shortest.as_ref().is_none_or(|(best, _)| took < *best) {
            shortest = Some((took, result));
        }
    }
    shortest.expect("at least one run")
}

fn line(name: &str, took: Duration, bytes: usize, what: &str) {
    let rate = bytes as f64 / took.as_secs_f64() / 1e9;
    let rate = if bytes > 0 { format!("{rate:8.3} GB/s") } else { String::new() };
    println!("{name:34} {:>10.3} ms {rate:14} {what}", took.as_secs_f64() * 1e3);
}

fn main() {
    let samples = std::env::var("EMBERLENS_BENCH_SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    println!("{samples} samples, {} threads", rayon::current_num_threads());
    let ticket = Ticket::new();
    let (one, two) = (synthetic(samples, 1), synthetic(samples, 2));
    let raw = format::pprof::write(&one);
    let packed = format::pprof::write_gz(&one);
    let folded = format::folded::write_folded(&one, 0);

    let (took, _) = best(9, || raw.iter().fold(0_u8, |sum, byte| sum ^ byte));
    line("pass over the raw bytes", took, raw.len(), &format!("{} bytes", raw.len()));
    let (took, _) = best(5, || inflate::peel(&packed, u64::MAX, &ticket).map(|peeled| peeled.bytes.len()).ok());
    line("inflate alone", took, raw.len(), &format!("{} bytes compressed", packed.len()));
    for (name, bytes) in [("read pprof", raw.as_slice()), ("read pprof.gz", packed.as_slice())] {
        let (took, profile) = best(5, || format::read(&Input { bytes, name }, &ReadCx::new(&ticket)).expect("our own profile is readable"));
        line(name, took, raw.len(), &format!("{} stacks", profile.stacks.len()));
    }
    let (took, profile) = best(5, || {
        format::read(&Input { bytes: folded.as_bytes(), name: "folded" }, &ReadCx::new(&ticket)).expect("our own text is readable")
    });
    line("read folded", took, folded.len(), &format!("{} lines", profile.samples.len()));

    let captures = [Arc::new(one), Arc::new(two)];
    let build = |captures: &[Arc<Profile>]| {
        Shape::build(captures, Granularity::Function, Direction::TopDown, &Filter::default(), &Ticket::new()).expect("not cancelled")
    };
    let (took, shape) = best(5, || build(&captures[..1]));
    line("build the tree", took, 0, &format!("{} nodes", shape.tree.len()));
    let (took, shape) = best(5, || build(&captures));
    line("union of two", took, 0, &format!("{} nodes", shape.tree.len()));
    let shape = Arc::new(shape);
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let weigh = || {
        compare(Arc::clone(&shape), &captures, &sides, ("cpu", "nanoseconds"), &Filter::default(), Normalization::Share, &Ticket::new())
            .expect("both have cpu")
    };
    let (took, comparison) = best(5, weigh);
    line("weigh both sides", took, 0, &format!("{} samples", 2 * samples));
    let (took, table) = best(5, || top(comparison.tree(), comparison.places(), &comparison.sides[1].weights));
    line("top table", took, 0, &format!("{} rows", table.rows.len()));
}
