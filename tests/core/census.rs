//! Complete counts (goroutines, threads): nothing was sampled, and their number is another one at another moment all the same.

use std::sync::Arc;

use emberlens::analysis::comparison::Normalization;
use emberlens::analysis::diff::Verdict;
use emberlens::analysis::events::Basis;
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::model::{Builder, Frame, Profile, Sample};

use crate::noise::said;
use crate::regressions::against_of;

/// A generator of our own, so that captures do not depend on a crate's version.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }

    /// Poisson by adding up waiting times.
    fn poisson(&mut self, mean: f64) -> u64 {
        let (mut count, mut waited) = (0, 0.0);
        loop {
            waited -= self.uniform().ln();
            if waited > mean {
                return count;
            }
            count += 1;
        }
    }
}

/// A service with pools of fixed sizes and requests in flight; `pool` workers in one of the pools, `leaked` goroutines that wait for ever.
fn goroutines(random: &mut Random, pool: u64, leaked: u64) -> Arc<Profile> {
    let mut builder = Builder::new([("goroutine", "count")]);
    "pprof".clone_into(&mut builder.info.format);
    let fixed = (0..20_u64).map(|at| (format!("main.start;main.loop{at};runtime.gopark"), 1 + at % 4 * 8));
    let flight: Vec<_> =
        (0..12_u64).map(|at| (format!("http.serve;main.handle{at};runtime.gopark"), random.poisson(4.0 + (at * 5) as f64))).collect();
    let more = [("main.start;main.pool;main.worker;runtime.gopark", pool), ("http.serve;main.watch;runtime.chanrecv", leaked)];
    for (names, count) in fixed.chain(flight).chain(more.map(|(names, count)| (names.to_owned(), count))).filter(|row| row.1 > 0) {
        let mut stack = None;
        for name in names.split(';') {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[count as i64]);
    }
    Arc::new(builder.finish())
}

fn judged(before: &[Arc<Profile>], after: &[Arc<Profile>]) -> Findings {
    let (comparison, captures) = against_of([before, after], ("goroutine", "count"), Normalization::Absolute);
    findings(&comparison, &captures, &Spec::default()).expect("two sides")
}

fn runs(random: &mut Random, pool: u64, leaked: u64) -> Vec<Arc<Profile>> {
    (0..4).map(|_| goroutines(random, pool, leaked)).collect()
}

/// Sampled counts of 100 and 130 would be 2 standard deviations apart; a pool that had 100 workers in all runs before and has 130 in all after was made
/// larger, and the number of requests in flight beside it says nothing of that.
#[test]
fn repeats_of_a_complete_count_are_not_thought_to_be_sampled() {
    let mut random = Random(5);
    let found = judged(&runs(&mut random, 100, 3), &runs(&mut random, 130, 3));
    assert_eq!(found.basis, Basis::Census);
    assert_eq!(said(&found).len(), 1, "{:?} {}", said(&found), found.summary);
    let row = &found.rows[0];
    assert!(row.verdict == Verdict::Regression && ["main.worker", "main.pool"].contains(&row.func.as_str()), "{row:?}");
    assert!(row.ratio_lo > 1.1 && row.ratio_lo <= 1.3 && row.ratio_hi >= 1.3, "{row:?}");
    // One capture a side does not tell a pool from requests that come and go.
    let found = judged(&runs(&mut random, 100, 3)[..1], &runs(&mut random, 130, 3)[..1]);
    assert_eq!(said(&found), [], "{}", found.summary);
    assert!(found.notes.iter().any(|note| note.contains("a complete count: nothing was sampled")), "{:?}", found.notes);
}

/// A leak is far more than what comes and goes.
#[test]
fn a_leak_is_seen_in_one_count_of_each_side() {
    let mut random = Random(7);
    for leaked in [80, 4000] {
        let found = judged(&[goroutines(&mut random, 100, 3)], &[goroutines(&mut random, 100, leaked)]);
        assert_eq!(found.rows.len(), 1, "{:?} {}", said(&found), found.summary);
        let row = &found.rows[0];
        assert_eq!((row.verdict, row.raw), (Verdict::Regression, [3.0, leaked as f64]), "{row:?}");
    }
}

/// What goes in and out is no change, though most of the stacks never change.
#[test]
fn requests_in_flight_are_no_change() {
    let (mut alarms, pairs) = ([0, 0], 60);
    for seed in 0..pairs {
        let mut random = Random(1000 + seed);
        let (before, after) = (runs(&mut random, 100, 3), runs(&mut random, 100, 3));
        alarms[0] += usize::from(!judged(&before, &after).rows.is_empty());
        alarms[1] += usize::from(!judged(&before[..1], &after[..1]).rows.is_empty());
    }
    assert!(alarms.iter().all(|alarms| *alarms * 20 <= pairs as usize), "{alarms:?} of {pairs} pairs of 4 and 4, and of 1 and 1");
}
