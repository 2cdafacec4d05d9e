//! Single captures with times whose functions come in bursts: unchanged pairs must not be called changed, planted changes must be found.

#![expect(clippy::print_stdout, reason = "measured figures are shown with --nocapture")]

use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::analysis::{Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Profile, Sample};

/// A generator of our own, so that captures do not depend on a crate's version: xorshift with a multiplier.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Poisson by adding up waiting times.
    fn poisson(&mut self, mean: f64) -> u64 {
        let (mut count, mut waited) = (0, 0.0);
        loop {
            waited -= (1.0 - self.uniform()).ln();
            if waited > mean {
                return count;
            }
            count += 1;
        }
    }
}

const FUNCTIONS: usize = 60;
const SECONDS: usize = 30;
/// The first of the functions come in bursts: idle for most seconds, at four times their rate in one of four.
const BURSTY: usize = 8;
/// A function that is steady, with 4 % of all samples.
const STEADY: usize = 20;

/// About 200 samples a second; `factor` times the cost in the function [`STEADY`].
fn capture(random: &mut Random, factor: f64, times: bool) -> Arc<Profile> {
    let mut builder = Builder::new([("cpu-clock", "nanoseconds")]);
    "perf-data".clone_into(&mut builder.info.format);
    builder.info.duration_nanos = Some(SECONDS as i64 * 1_000_000_000);
    let frames: Vec<_> = (0..FUNCTIONS)
        .map(|at| {
            let function = Some(builder.function_named(&format!("function{at:02}")));
            builder.frame(Frame { function, ..Frame::default() })
        })
        .collect();
    let stacks: Vec<_> = frames.into_iter().map(|frame| builder.stack(None, frame)).collect();
    for (at, stack) in stacks.into_iter().enumerate() {
        let rate = if at < BURSTY { 6.0 } else { 3.0 + (at % 5) as f64 / 2.0 };
        let rate = if at == STEADY { 8.0 * factor } else { rate };
        for second in 0..SECONDS {
            let burst = if at >= BURSTY {
                1.0
            } else if random.uniform() < 0.25 {
                4.0
            } else {
                0.0
            };
            for sample in 0..random.poisson(rate * burst) {
                let time = times.then_some(second as i64 * 1_000_000_000 + sample as i64 * 1_000_000);
                builder.rows.sample(Sample { stack: Some(stack), time, ..Sample::default() }, &[5_000_000]);
            }
        }
    }
    Arc::new(builder.finish())
}

fn found(seed: u64, factor: f64, times: bool) -> Findings {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let captures = [capture(&mut random, 1.0, times), capture(&mut random, factor, times)];
    let (ticket, filter) = (Ticket::new(), Filter::default());
    let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &filter, &ticket).unwrap();
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let kind = ("cpu-clock", "nanoseconds");
    let made = compare(Arc::new(shape), &captures, &sides, kind, &filter, Normalization::PerSecond, &ticket).unwrap();
    findings(&made, &captures, &Spec::default()).unwrap()
}

const PAIRS: u64 = 60;

fn alarms(times: bool) -> usize {
    (0..PAIRS).filter(|&pair| found(1000 + pair, 1.0, times).rows.iter().any(|row| row.verdict.is_change())).count()
}

#[test]
fn slices_of_time_tell_bursts_from_changes() {
    let (with, without) = (alarms(true), alarms(false));
    println!("unchanged bursty pairs with a confirmed change, of {PAIRS}: {with} with times, {without} without");
    assert!(with * 20 <= PAIRS as usize, "{with} of {PAIRS} unchanged pairs are called changed");
    assert!(without > with * 3, "the pairs are hard: without times {without} are called changed, with times {with}");
}

#[test]
fn a_steady_change_is_found_among_bursts() {
    let first = |pair: &u64| {
        let found = found(5000 + pair, 2.0, true);
        found.rows.first().is_some_and(|row| row.func == format!("function{STEADY:02}") && row.verdict.is_worse())
    };
    let found_first = (0..PAIRS).filter(first).count();
    println!("a function that costs twice as much is named first in {found_first} of {PAIRS} bursty pairs");
    // In the others the spread of the bursty functions makes even a doubling of 240 samples unsure.
    assert!(found_first * 100 >= PAIRS as usize * 85, "{found_first} of {PAIRS}");
}

#[test]
fn the_noise_that_was_used_is_said() {
    let with = found(1, 1.0, true);
    // From the first to the last sample it is a little less than 30 s.
    let (slices, nanos) = with.diff.noise.slices.expect("the samples have times");
    assert!(slices == 29 && (1_000_000_000..1_040_000_000).contains(&nanos), "{slices} slices of {nanos} ns");
    assert!(with.notes.iter().any(|note| note.contains("Noise from 29 slices of 1.0")), "{:?}", with.notes);
    let without = found(1, 1.0, false);
    assert_eq!(without.diff.noise.slices, None);
    assert!(without.notes.iter().any(|note| note.contains("One capture a side")), "{:?}", without.notes);
}
