//! A large pprof file made without the program's own writer: 250,000 locations, 60,000 functions, stacks of about 40 frames.
//!
//! Numbers come from a fixed seed, so every run makes the same bytes. Two shapes: stacks that repeat, and stacks that are all
//! distinct. How much distinct stacks share is taken from captured Go profiles, where each adds 1.3 to 6 rows to the tree of callers
//! (`default.pgo` of the Go compiler: 5.9); here it is 3.6. Deliberately absent: what the program's writer could share with its reader.

/// A fixed sequence of numbers (xorshift64*, Vigna 2016).
pub(crate) struct Numbers(u64);

impl Numbers {
    /// A number from 0 to `limit` − 1.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// Which stacks the samples have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stacks {
    /// One distinct stack for 28 samples, the first ones far more often than the last, and one of 64 threads as a label.
    Repeat,
    /// No two samples have the same stack.
    Distinct,
}

const LOCATIONS: u64 = 250_000;
const FUNCTIONS: u64 = 60_000;
const THREADS: u64 = 64;
/// Strings before the names of functions: the empty one, two types with their units, a label, the threads.
const FIRST_NAME: u64 = 6 + THREADS;

/// A forest of callers: location, row of the caller + 1 (0 = none) and depth.
struct Forest {
    location: Vec<u32>,
    caller: Vec<u32>,
    leaves: Vec<u32>,
}

fn forest(stacks: usize, numbers: &mut Numbers) -> Forest {
    let mut forest = Forest { location: vec![0], caller: vec![0], leaves: vec![0] };
    let mut depth = vec![1_u32];
    while forest.leaves.len() < stacks {
        // Like an earlier stack up to some caller, then other callees: four to five of them.
        let mut at = forest.leaves[numbers.below(forest.leaves.len() as u64) as usize];
        let deep = depth[at as usize] > 42;
        for _ in 0..numbers.below(if deep { 14 } else { 8 }) {
            at = forest.caller[at as usize].max(1) - 1;
        }
        for _ in 0..=numbers.below(if depth[at as usize] < 30 { 12 } else { 9 }) {
            let before = u64::from(forest.location[at as usize]);
            // Each location has seven callees, the first one far more often.
            let step = if numbers.below(10) < 7 { 1 } else { numbers.below(7) };
            forest.location.push(((before * 7 + step * 31 + 3) % LOCATIONS) as u32);
            forest.caller.push(at + 1);
            depth.push(depth[at as usize] + 1);
            at = depth.len() as u32 - 1;
        }
        forest.leaves.push(at);
    }
    forest
}

/// The bytes of an uncompressed profile with so many samples; 1,700,000 are about 200 MB.
pub(crate) fn pprof(samples: usize, stacks: Stacks) -> Vec<u8> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let forest = forest(if stacks == Stacks::Repeat { samples.div_ceil(28) } else { samples }, &mut numbers);
    let count = forest.leaves.len() as u64;
    let mut out = Vec::with_capacity(samples * 130);
    message(&mut out, 1, |body| (int(body, 1, 1), int(body, 2, 2)));
    message(&mut out, 1, |body| (int(body, 1, 3), int(body, 2, 4)));
    let (mut run, mut values, mut body) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..samples as u64 {
        let leaf = match stacks {
            Stacks::Repeat => numbers.below(count) * numbers.below(count) / count,
            Stacks::Distinct => sample,
        };
        run.clear();
        values.clear();
        body.clear();
        let mut at = forest.leaves[leaf as usize] + 1;
        while at > 0 {
            varint(&mut run, u64::from(forest.location[at as usize - 1]) + 1);
            at = forest.caller[at as usize - 1];
        }
        let hits = 1 + numbers.below(3);
        varint(&mut values, hits);
        varint(&mut values, hits * 10_000_000);
        bytes(&mut body, 1, &run);
        bytes(&mut body, 2, &values);
        if stacks == Stacks::Repeat {
            message(&mut body, 3, |label| (int(label, 1, 5), int(label, 2, 6 + numbers.below(THREADS))));
        }
        bytes(&mut out, 2, &body);
    }
    message(&mut out, 3, |mapping| (int(mapping, 1, 1), int(mapping, 2, 0x40_0000), int(mapping, 3, 0x4000_0000)));
    for location in 0..LOCATIONS {
        message(&mut out, 4, |body| {
            int(body, 1, location + 1);
            int(body, 2, 1);
            int(body, 3, 0x40_0000 + location * 24);
            message(body, 4, |line| (int(line, 1, location * FUNCTIONS / LOCATIONS + 1), int(line, 2, 10 + location % 90)));
        });
    }
    for function in 0..FUNCTIONS {
        let name = FIRST_NAME + function;
        let file = FIRST_NAME + FUNCTIONS + function % 4_000;
        message(&mut out, 5, |body| (int(body, 1, function + 1), int(body, 2, name), int(body, 3, name), int(body, 4, file)));
    }
    for text in ["", "samples", "count", "cpu", "nanoseconds", "thread"] {
        bytes(&mut out, 6, text.as_bytes());
    }
    (0..THREADS).for_each(|thread| bytes(&mut out, 6, format!("worker-{thread}").as_bytes()));
    for function in 0..FUNCTIONS {
        bytes(&mut out, 6, format!("example.com/service/package{}.(*Type{}).Method{function}", function % 900, function % 40).as_bytes());
    }
    (0..4_000).for_each(|file| bytes(&mut out, 6, format!("/src/example.com/service/package{file}/file.go").as_bytes()));
    int(&mut out, 9, 1_790_000_000_000_000_000);
    int(&mut out, 10, 30_000_000_000);
    message(&mut out, 11, |body| (int(body, 1, 3), int(body, 2, 4)));
    int(&mut out, 12, 10_000_000);
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn int(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, body: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, body.len() as u64);
    out.extend_from_slice(body);
}

fn message<T>(out: &mut Vec<u8>, field: u64, fill: impl FnOnce(&mut Vec<u8>) -> T) {
    let mut body = Vec::new();
    fill(&mut body);
    bytes(out, field, &body);
}
