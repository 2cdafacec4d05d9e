//! How well the judgement tells regressions from noise: pairs with known truth, and the goals R1 to R18.
//!
//! `cargo bench --bench regressions` runs few pairs with the seeds for tuning; `-- --report` uses seeds that nothing was tuned on, `-- --full` ten
//! times and `-- --many` fifty times as many pairs, `-- --only R6` one row, `-- --shapes` programs of other shapes. Goals and method stand in `tests/bench/README.md`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "regressions/generate.rs"]
mod generate;
#[path = "regressions/power.rs"]
mod power;
#[path = "regressions/random.rs"]
mod random;
#[path = "regressions/rows.rs"]
mod rows;
#[path = "regressions/score.rs"]
mod score;
#[path = "regressions/speed.rs"]
mod speed;

use std::time::Instant;

/// How a run was asked for.
pub(crate) struct Run {
    /// First seed: those for tuning and those for reporting never meet.
    pub(crate) seed: u64,
    /// Factor on the number of pairs.
    pub(crate) scale: usize,
    only: Vec<String>,
}

impl Run {
    /// True where the row was asked for.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }
}

/// Prints one row of the table.
pub(crate) fn row(id: &str, what: &str, goal: &str, measured: &str, reached: Option<bool>, n: f64) {
    let mark = match reached {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    };
    println!("| {id} | {what} | {goal} | {measured} | {mark} | {n:.0} |");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    let only = words.iter().skip_while(|word| *word != "--only").skip(1).take_while(|word| word.starts_with('R')).cloned().collect();
    let scale = match (has("--many"), has("--full")) {
        (true, _) => 50,
        (_, true) => 10,
        _ => 1,
    };
    let run = Run { seed: if has("--report") { 1 << 40 } else { 1 }, scale, only };
    let start = Instant::now();
    if has("--shapes") {
        rows::shapes(&run);
        return;
    }
    println!("| id | what | goal | measured | reached | n |\n|---|---|--:|--:|---|--:|");
    rows::all(&run);
    power::rows(&run);
    speed::rows(&run);
    println!("\n{:.0} s, seeds from {}", start.elapsed().as_secs_f64(), run.seed);
}
