//! Text of `perf script` and folded stacks against the programs that fold them: rates, ratios, floors.
//!
//! `cargo bench --bench text -- [FILE…]` repeats each file (default: the sample of the repository) up to 300 MB
//! (`EMBERLENS_BENCH_MB`), each repetition with later times and other addresses of the innermost frames, and reads that with one
//! thread and with all. Programs found on the search path (`inferno-collapse-perf`, `stackcollapse-perf.pl`) read the same file. Folded stacks
//! are read in two shapes: those of the file, again and again, and stacks about 40 frames deep that are all distinct and sorted, as such files are.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "read/generate.rs"]
mod generate;

use std::fs;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use emberlens::base::inflate;
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::Profile;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-profiles/perf-script/6.1.187/indexer-before.txt");

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let files = if files.is_empty() { vec![SAMPLE.to_owned()] } else { files };
    let megabytes = std::env::var("EMBERLENS_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    for file in files {
        let packed = fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let seed = inflate::peel(&packed, u64::MAX, &Ticket::new()).expect("a sound file").bytes;
        let text = repeated(&seed, megabytes << 20);
        println!("{file}: {} bytes, repeated to {}", seed.len(), text.len());
        script(&text);
        let profile = read(&text);
        folded("as folded stacks", format::folded::write_folded(&profile, profile.default_sample_type).as_bytes(), megabytes << 20);
    }
    // About 1,800 bytes a stack.
    let profile = read(&generate::pprof((megabytes << 20) / 1800, generate::Stacks::Distinct));
    let text = format::folded::write_folded(&profile, 0);
    folded("distinct folded stacks", text.as_bytes(), text.len());
}

fn script(text: &[u8]) {
    floors(text);
    let one = on_threads(1, text, "read perf script, one thread");
    let all = on_threads(0, text, "read perf script, all threads");
    let path = std::env::temp_dir().join(format!("emberlens-bench-{}.txt", std::process::id()));
    fs::write(&path, text).expect("the folder for temporary files is writable");
    for (program, args) in
        [("inferno-collapse-perf", &["--nthreads", "1"][..]), ("inferno-collapse-perf", &[][..]), ("stackcollapse-perf.pl", &[][..])]
    {
        let start = Clock::start();
        let ran = Command::new(program).args(args).arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if ran.is_ok_and(|status| status.success()) {
            let took = start.elapsed();
            let ratio = |ours: Took| took.wall.as_secs_f64() / ours.wall.as_secs_f64();
            let ratios = format!("{:.1} times our one thread, {:.1} times all", ratio(one), ratio(all));
            line(&format!("{program} {}", args.join(" ")), took, text.len(), &ratios);
        }
    }
    fs::remove_file(&path).expect("our own file can be removed");
}

/// Every stack with a count of its own in each repetition, so that lines differ as they do in a file that nobody summed up.
fn folded(name: &str, seed: &[u8], bytes: usize) {
    let mut text = Vec::with_capacity(bytes + seed.len());
    while text.len() < bytes {
        text.extend_from_slice(seed);
    }
    println!("{name}: {} bytes, repeated to {}", seed.len(), text.len());
    floors(&text);
    on_threads(1, &text, "read folded, one thread");
    on_threads(0, &text, "read folded, all threads");
}

fn floors(text: &[u8]) {
    let (took, _) = best(3, || text.as_chunks::<8>().0.iter().fold(0_u64, |sum, bytes| sum ^ u64::from_le_bytes(*bytes)));
    line("a pass over the bytes", took, text.len(), "");
    let (took, lines) = best(3, || memchr::memchr_iter(b'\n', text).count());
    line("the line ends alone", took, text.len(), &format!("{lines} lines"));
}

fn read(text: &[u8]) -> Profile {
    let ticket = Ticket::new();
    format::read(&Input { bytes: text, name: "bench" }, &ReadCx::new(&ticket)).expect("a readable text")
}

/// Reads with that many threads (0 = as many as there are processors).
fn on_threads(threads: usize, text: &[u8], name: &str) -> Took {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
    let (took, profile) = best(3, || pool.install(|| read(text)));
    let rows = format!("{} samples, {} frames, {} stack rows", profile.samples.len(), profile.frames.len(), profile.stacks.len());
    line(name, took, text.len(), &rows);
    took
}

/// How long something took, and the time that processors worked for it: the better measure on a machine that does other things too.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    /// In steps of 10 ms; `None` where the system does not say.
    cpu: Option<Duration>,
}

struct Clock(Instant, Option<Duration>);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), cpu_time())
    }

    fn elapsed(&self) -> Took {
        Took { wall: self.0.elapsed(), cpu: cpu_time().zip(self.1).map(|(now, then)| now.saturating_sub(then)) }
    }
}

/// Processor time of this process and of those that it waited for.
fn cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the command in parentheses: user, system, and the same of children, in hundredths of seconds.
    let fields = text.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    Some(Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10))
}

/// The shortest of several runs.
fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> (Took, T) {
    let mut shortest = None::<(Took, T)>;
    for _ in 0..runs {
        let start = Clock::start();
        let result = black_box(work());
        let took = start.elapsed();
        if shortest.as_ref().is_none_or(|(best, _)| took.wall < best.wall) {
            shortest = Some((took, result));
        }
    }
    shortest.expect("at least one run")
}

fn line(name: &str, took: Took, bytes: usize, what: &str) {
    let rate = |took: Duration| format!("{:6.3} GB/s", bytes as f64 / took.as_secs_f64() / 1e9);
    let cpu = took.cpu.filter(|cpu| *cpu > Duration::from_millis(50));
    let cpu = cpu.map_or(String::new(), |cpu| format!("{:8.0} ms cpu {}", cpu.as_secs_f64() * 1e3, rate(cpu)));
    println!("  {name:34} {:>8.0} ms {} {cpu:30} {what}", took.wall.as_secs_f64() * 1e3, rate(took.wall));
}

/// `seed` again and again, until there are at least `bytes`: times go on, and the last digit of the innermost address changes.
fn repeated(seed: &[u8], bytes: usize) -> Vec<u8> {
    let times = || seed.split(|&byte| byte == b'\n').filter_map(|line| time(line).map(|(_, micros)| micros));
    let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    let mut text = Vec::with_capacity(bytes + seed.len() + seed.len() / 8);
    for repetition in 0_u64.. {
        if text.len() >= bytes {
            break;
        }
        let shift = repetition * (last - first + 1000);
        let (mut innermost, mut number) = (false, repetition);
        for line in seed.strip_suffix(b"\n").unwrap_or(seed).split(|&byte| byte == b'\n') {
            if repetition > 0 && line.first() == Some(&b'#') {
                continue;
            }
            if let Some((at, micros)) = time(line) {
                let micros = micros + shift;
                text.extend_from_slice(&line[..at.start]);
                text.extend_from_slice(format!("{:5}.{:06}", micros / 1_000_000, micros % 1_000_000).as_bytes());
                text.extend_from_slice(&line[at.end..]);
                innermost = true;
            } else if repetition > 0 && innermost && line.len() > 17 && line[0] == b'\t' {
                number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                text.extend_from_slice(&line[..16]);
                text.push(b"0123456789abcdef"[(number >> 60) as usize]);
                text.extend_from_slice(&line[17..]);
                innermost = false;
            } else {
                text.extend_from_slice(line);
                innermost = false;
            }
            text.push(b'\n');
        }
    }
    text
}

/// Where the time of a first line stands with the blanks before it, and its microseconds.
fn time(line: &[u8]) -> Option<(std::ops::Range<usize>, u64)> {
    let colon = line.iter().enumerate().position(|(at, &byte)| {
        let six = at.checked_sub(7).and_then(|from| line.get(from..at));
        byte == b':' && six.is_some_and(|six| six[0] == b'.' && six[1..].iter().all(u8::is_ascii_digit))
    })?;
    let digits = line[..colon - 7].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let start = colon - 7 - digits;
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
    let micros = number(&line[start..colon - 7])? * 1_000_000 + number(&line[colon - 6..colon])?;
    let blanks = line[..start].iter().rev().take(5_usize.saturating_sub(digits)).take_while(|&&byte| byte == b' ').count();
    Some((start - blanks..colon, micros))
}
