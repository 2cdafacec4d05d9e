//! Large pprof files from disk to a weighed tree: rates, peak memory, and `go tool pprof -top` on the same files in the same run.
//!
//! Files of about 200 MB in two shapes are made by a generator with a fixed seed. Times depend on the machine and on who else uses it;
//! compare lines of one run. The goals stand beside the figures, as ratios; `-- --samples N` makes smaller files.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "read/generate.rs"]
mod generate;

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use emberlens::app::load::{self, LoadOptions};
use emberlens::base::gzip::{Gzip, WINDOW_BYTES};
use emberlens::base::inflate;
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};

use generate::{Stacks, pprof};

/// Time on the clock and on all processors together.
#[derive(Clone, Copy)]
struct Took {
    clock: Duration,
    /// Linux only.
    processors: Option<Duration>,
}

/// Times of this process (`own`) or of its finished children: fields 14 to 17 of `/proc/self/stat`, in hundredths of a second.
fn processor_time(own: bool) -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let first = if own { 11 } else { 13 };
    Some(Duration::from_millis(10 * (ticks(first)? + ticks(first + 1)?)))
}

fn timed<T>(own: bool, work: impl FnOnce() -> T) -> (Took, T) {
    let (start, before) = (Instant::now(), processor_time(own));
    let result = black_box(work());
    let clock = start.elapsed();
    let processors = processor_time(own).zip(before).map(|(after, before)| after.saturating_sub(before));
    (Took { clock, processors }, result)
}

/// The shortest time on the clock of several runs, and the shortest on the processors, which others on the machine change less.
fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> Took {
    let runs: Vec<Took> = (0..runs).map(|_| timed(true, &mut work).0).collect();
    Took {
        clock: runs.iter().map(|took| took.clock).min().expect("at least one run"),
        processors: runs.iter().filter_map(|took| took.processors).min(),
    }
}

fn line(name: &str, took: Took, bytes: usize, what: &str) {
    let rate = |time: Duration| format!("{:6.2} GB/s", bytes as f64 / time.as_secs_f64().max(1e-9) / 1e9);
    let processors = took.processors.filter(|time| time.as_millis() >= 50);
    let own = processors.map_or(String::new(), |time| format!("{:7.0} ms of processors, {}", time.as_secs_f64() * 1e3, rate(time)));
    println!("  {name:34} {:8.1} ms {} {own:40} {what}", took.clock.as_secs_f64() * 1e3, rate(took.clock));
}

/// Reads a capture and prints the largest memory that this process ever had, in kB.
fn peak(path: &Path) {
    let profile = load::read(path, &LoadOptions::default(), &Ticket::new()).expect("our own profile is readable");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("");
    println!("{} {} {}", peak.trim().trim_end_matches(" kB"), profile.stacks.len(), profile.samples.bytes() + profile.stacks.len() * 8);
}

fn child(program: &Path, words: &[&str]) -> Option<(Took, String)> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stderr(Stdio::null());
    let (took, output) = timed(false, || command.output());
    let output = output.ok().filter(|output| output.status.success())?;
    Some((took, String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn show_peak(path: &Path, raw: usize) {
    let own = std::env::current_exe().expect("this program has a path");
    let Some((_, text)) = child(&own, &["--peak", &path.to_string_lossy()]) else { return println!("  peak memory: the child failed") };
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if let [peak, rows, model] = numbers[..] {
        let size = fs::metadata(path).map_or(0, |meta| meta.len()) as f64;
        println!(
            "  peak memory of reading it: {:.0} MB = {:.2} x the uncompressed bytes; the file is {:.0} MB of it, the model {:.0} MB ({rows} stack rows)",
            peak / 1e3,
            peak * 1024.0 / raw as f64,
            size / 1e6,
            model / 1e6,
        );
    }
}

/// From disk to the table, ours and theirs.
fn whole(path: &Path, raw: usize, with_go: bool) {
    let ours = Path::new(env!("CARGO_BIN_EXE_emberlens"));
    let path = path.to_string_lossy();
    let runs: Vec<Took> = (0..3).filter_map(|_| child(ours, &["top", "-n", "10", &path])).map(|run| run.0).collect();
    let Some(ours) = runs.into_iter().min_by_key(|took| took.processors.unwrap_or(took.clock)) else { return };
    line("emberlens top", ours, raw, "");
    if !with_go {
        return;
    }
    let go = std::env::var_os("EMBERLENS_GO").map_or_else(|| PathBuf::from("go"), PathBuf::from);
    let Some((theirs, _)) = child(&go, &["tool", "pprof", "-top", "-nodecount=10", &path]) else {
        return println!("  go tool pprof: skipped, there is no go (set EMBERLENS_GO to its path)");
    };
    line("go tool pprof -top", theirs, raw, "");
    let clock = theirs.clock.as_secs_f64() / ours.clock.as_secs_f64();
    let processors = theirs.processors.zip(ours.processors).map(|(theirs, ours)| theirs.as_secs_f64() / ours.as_secs_f64());
    println!("  ratio: {clock:.0} on the clock, {:.0} on the processors (goal 25)", processors.unwrap_or(f64::NAN));
}

/// What the reader of gzipped pprof inflates at a time.
const PIECE_BYTES: usize = 2 << 20;

/// Inflates all into the same memory; gives the number of bytes.
fn in_pieces(packed: &[u8], piece: &mut [u8]) -> usize {
    let (mut gzip, ticket) = (Gzip::new(packed), Ticket::new());
    let (mut from, mut all) = (0, 0);
    loop {
        let made = gzip.fill(piece, from, &ticket).expect("our own file is sound");
        all += made;
        let end = from + made;
        if end < piece.len() {
            return all;
        }
        piece.copy_within(end - WINDOW_BYTES.min(end)..end, 0);
        from = WINDOW_BYTES.min(end);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let after = |word: &str| words.iter().skip_while(|found| *found != word).nth(1);
    if let Some(path) = after("--peak") {
        return peak(Path::new(path));
    }
    let samples = after("--samples").and_then(|text| text.parse().ok()).unwrap_or(1_700_000);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be started");
    for (shape, stacks) in [("stacks repeat", Stacks::Repeat), ("all stacks distinct", Stacks::Distinct)] {
        let raw = pprof(samples, stacks);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&raw).expect("memory takes it");
        let packed = encoder.finish().expect("memory takes it");
        println!(
            "{shape}: {samples} samples, {:.1} MB, {:.1} MB gzipped, {} threads",
            raw.len() as f64 / 1e6,
            packed.len() as f64 / 1e6,
            rayon::current_num_threads()
        );
        let ticket = Ticket::new();
        let read = |bytes: &[u8]| format::read(&Input { bytes, name: "x.pb" }, &ReadCx::new(&ticket)).expect("our own profile is readable");
        line("pass over the raw bytes", best(5, || raw.iter().fold(0_u8, |sum, byte| sum ^ byte)), raw.len(), "");
        let mut out = vec![0; raw.len()];
        let floor = best(5, || libdeflater::Decompressor::new().gzip_decompress(&packed, &mut out));
        line("inflate alone, libdeflate", floor, raw.len(), "into memory that was used before");
        drop(out);
        let mut piece = vec![0; PIECE_BYTES];
        line("inflate alone, ours, in pieces", best(5, || in_pieces(&packed, &mut piece)), raw.len(), "into memory that was used before");
        let fresh = || {
            let mut out = vec![0; raw.len()];
            libdeflater::Decompressor::new().gzip_decompress(&packed, &mut out).map(|_| out.len()).ok()
        };
        line("inflate alone, libdeflate", best(3, fresh), raw.len(), "into fresh memory");
        let peeled = best(3, || inflate::peel(&packed, u64::MAX, &ticket).map(|peeled| peeled.bytes.len()).ok());
        line("inflate alone, ours, whole", peeled, raw.len(), "into fresh memory");
        let pass = |bytes: &[u8]| format::pprof::pass(bytes, &ReadCx::new(&ticket)).expect("our own profile is readable").location_sum;
        line("decode alone on one thread", best(5, || one.install(|| pass(&raw))), raw.len(), "goal 0.8 GB/s");
        line("decode alone", best(5, || pass(&raw)), raw.len(), "goal 1.5 GB/s on the clock of two cores");
        line("read pprof on one thread", best(3, || one.install(|| read(&raw).samples.len())), raw.len(), "decoding and the model");
        line("read pprof", best(3, || read(&raw).samples.len()), raw.len(), "");
        line("read pprof.gz", best(3, || read(&packed).samples.len()), raw.len(), "inflating and decoding overlap");
        let size = raw.len();
        let (plain, zipped) = (folder.join("read.pb"), folder.join("read.pb.gz"));
        fs::write(&plain, &raw).and_then(|()| fs::write(&zipped, &packed)).expect("the target folder can be written");
        drop((raw, packed));
        for path in [&plain, &zipped] {
            println!(" {}", path.extension().map_or("", |ending| if ending == "gz" { "pprof.gz" } else { "pprof" }));
            show_peak(path, size);
            whole(path, size, path == &zipped && !words.iter().any(|word| word == "--no-peers"));
        }
        for path in [plain, zipped] {
            fs::remove_file(path).expect("the file was just written");
        }
    }
}
