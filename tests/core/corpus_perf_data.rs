//! Every `perf.data` of the corpus against what `perf script`, `perf report` and `perf report --stats` say about it.
//!
//! Addresses are compared as `perf script` prints them: offsets in the file for modules of a process, raw for the kernel, for anonymous
//! memory and where no module is known.

use std::collections::{BTreeMap, BTreeSet};

use emberlens::app::load::{self, LoadOptions};
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::{Frame, FrameId, LabelValue, Mapping, Profile, base_name, check, kind};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::corpus;

/// Captures whose truth is not what a reader should say, and why.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("captured/perf-data/killed.perf.data", "perf shows nothing where the recorder was killed (data size 0); the records are all there"),
    (
        "perf.data.piped.corrupted.zero_size_sample-3.2",
        "perf shows nothing of a file with a record of size 0; what stands before it is sound",
    ),
    ("perf.data.broken.gz", "the gzip breaks before the first byte of the header's end: an error, as in perf"),
];

/// Captures whose `perf report` is about branches, not samples, or whose counts perf did not take.
const NO_REPORT: &str = "perf.data.branch_stack_spec";
/// perf's `--stats` stops after the tracing data of this pipe, though `perf script` reads on.
const NO_COUNTS: &str = "probe.data.stream";

/// perf drops a whole call chain in which a number is no address; this reader keeps what stands before it.
const BROKEN_CHAIN: &str = "call chains that end in a number which is no address (broken frame pointers); the part before it is kept";

/// perf unwinds copied user stacks; without binaries this reader keeps the sampled address and says so. `corpus_unwind` has binaries.
fn has_copied_stacks(profile: &Profile) -> bool {
    profile.notes.iter().any(|note| note.kind == kind::NOT_UNWOUND)
}

fn read(path: &std::path::Path) -> Result<Profile, String> {
    let ticket = Ticket::new();
    // A capture may be a folder, which only the loader knows how to open.
    if path.is_dir() {
        return load::read(path, &LoadOptions::default(), &ticket).map_err(|error| error.to_string());
    }
    let bytes = std::fs::read(path).expect("a file of the corpus is readable");
    format::read(&Input { bytes: &bytes, name: "unknown" }, &ReadCx::new(&ticket)).map_err(|error| error.to_string())
}

fn mapping_of(profile: &Profile, frame: Frame) -> Option<Mapping> {
    frame.mapping.and_then(|mapping| profile.mappings.get(mapping)).copied()
}

/// The address as `perf script -F ip` prints it in a call chain.
fn printed(profile: &Profile, frame: FrameId) -> u64 {
    let frame = profile.frames.at(frame);
    let address = frame.address.expect("perf frames have addresses");
    let Some(mapping) = mapping_of(profile, frame) else { return address };
    let file = mapping.file.map_or("", |file| profile.strings.get(file));
    let is_memory = ["//anon", "/dev/zero", "/anon_hugepage", "[stack", "/SYSV", "[heap]"].iter().any(|start| file.starts_with(start));
    if mapping.pid.is_none() || is_memory {
        address
    } else if file == "[vdso]" {
        address - mapping.start
    } else {
        mapping.file_address(address)
    }
}

fn comm(profile: &Profile, row: usize) -> &str {
    let thread = profile.samples.threads()[row].expect("perf samples have threads");
    profile.strings.get(profile.threads[thread].name)
}

/// (sample type row, value) of a sample: exactly one column of a perf sample is in use. A value of 0 counts towards the first event.
fn event(profile: &Profile, row: usize) -> (usize, i64) {
    (0..profile.sample_types.len())
        .map(|column| (column, profile.samples.values(column)[row]))
        .find(|(_, value)| *value != 0)
        .unwrap_or((profile.default_sample_type, 0))
}

/// Name of the sample type that is made of switches of threads: perf script has no such samples.
const OFF_CPU: &str = "off-cpu";

/// The rows that are samples of events.
fn event_rows(profile: &Profile) -> impl Iterator<Item = usize> + '_ {
    let off_cpu = profile.sample_types.iter().position(|kind| kind.name == OFF_CPU);
    (0..profile.samples.len()).filter(move |&row| off_cpu.is_none_or(|column| profile.samples.values(column)[row] == 0))
}

fn off_cpu(profile: &Profile) -> u64 {
    profile.sample_types.iter().find(|kind| kind.name == OFF_CPU).map_or(0, |kind| kind.records)
}

fn seconds(nanos: i64) -> String {
    format!("{}.{:06}", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000)
}

/// Differences between profile and truth, as text.
fn differences(profile: &Profile, name: &str, truth: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let raw = &truth["perf_data"]["raw"];
    let mut same = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            wrong.push(format!("{what}: ours {ours}, perf {theirs}"));
        }
    };
    let number = |value: &Value| value.as_u64().unwrap_or(0).to_string();
    let rows = || event_rows(profile);
    same("samples", rows().count().to_string(), number(&raw["samples"]));

    let (mut samples, mut periods, mut comms) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut threads = BTreeSet::new();
    for (column, kind) in profile.sample_types.iter().enumerate().filter(|(_, kind)| kind.records > 0 && kind.name != OFF_CPU) {
        *samples.entry(kind.name.clone()).or_insert(0) += kind.records;
        *periods.entry(kind.name.clone()).or_insert(0) += profile.total(column);
    }
    for row in rows() {
        *comms.entry(comm(profile, row).to_owned()).or_insert(0_u64) += 1;
        let thread = profile.threads[profile.samples.threads()[row].expect("a thread")];
        threads.insert((thread.pid, thread.tid));
    }
    let map = |value: &Value| {
        format!(
            "{:?}",
            value
                .as_object()
                .map(|map| map.iter().map(|(k, v)| (k.clone(), v.as_i64().unwrap_or(0))).collect::<BTreeMap<_, _>>())
                .unwrap_or_default()
        )
    };
    same("samples by event", format!("{samples:?}"), map(&raw["samples_by_event"]));
    same("periods by event", format!("{periods:?}"), map(&raw["period_sum_by_event"]));
    same("samples by comm", format!("{comms:?}"), map(&raw["samples_by_comm"]));
    same("threads", threads.len().to_string(), number(&raw["threads"]));
    if let (Some(first), Some(last)) = (raw["first_time"].as_str(), raw["last_time"].as_str()) {
        let times = || rows().filter_map(|row| profile.samples.time(row));
        let range = times().min().zip(times().max()).map(|(first, last)| format!("{} {}", seconds(first), seconds(last)));
        same("times", range.unwrap_or_default(), format!("{first} {last}"));
    }
    if let Some(counts) = truth["perf_data"]["record_counts"]["Aggregated"].as_object().filter(|_| !name.ends_with(NO_COUNTS)) {
        let fact = profile.info.fact("records").unwrap_or("");
        let ours: BTreeMap<String, u64> = fact
            .split(", ")
            .filter_map(|part| part.rsplit_once(' '))
            .map(|(name, count)| (name.to_owned(), count.parse().expect("a count")))
            .collect();
        let theirs: BTreeMap<String, u64> =
            counts.iter().filter(|(name, _)| *name != "TOTAL").map(|(name, count)| (name.clone(), count.as_u64().unwrap_or(0))).collect();
        same("record counts", format!("{ours:?}"), format!("{theirs:?}"));
    }
    if !has_copied_stacks(profile) {
        stacks(profile, raw, &mut same);
    }
    if !name.ends_with(NO_REPORT) {
        top_rows(profile, truth, &mut same);
    }
    wrong
}

fn stacks(profile: &Profile, raw: &Value, same: &mut impl FnMut(&str, String, String)) {
    let (mut lines, mut frames, mut deepest) = (BTreeMap::<(&str, &str, String), u64>::new(), 0, 0);
    // Without a call chain the sampled address is printed as it is.
    let has_chains = profile.info.facts.iter().any(|(key, text)| key == "event" && text.contains("call chains"));
    let shown = |frame: FrameId| if has_chains { printed(profile, frame) } else { profile.frames.at(frame).address.unwrap_or(0) };
    for row in event_rows(profile) {
        // perf script prints at most 127 addresses.
        let addresses: Vec<String> =
            profile.stack_frames(profile.samples.stacks()[row]).take(127).map(|frame| format!("{:x}", shown(frame))).collect();
        frames += addresses.len();
        deepest = deepest.max(addresses.len());
        let name = &profile.sample_types[event(profile, row).0].name;
        *lines.entry((comm(profile, row), name, addresses.join(","))).or_default() += 1;
    }
    // Where a chain was empty or broken perf script prints no address at all; `the_text_of_perf_script_line_by_line` looks closer.
    let empty = profile.notes.count(kind::NO_STACK);
    let broken: u64 = profile.notes.iter().filter(|note| note.text == BROKEN_CHAIN).map(|note| note.count).sum();
    same("deepest stack", deepest.to_string(), raw["max_depth"].to_string());
    if broken == 0 {
        same("frames", (frames as u64 - empty).to_string(), raw["frames"].to_string());
    }
    if empty + broken == 0 {
        let text: String = lines.iter().map(|((comm, name, stack), count)| format!("{comm}|{name}|{stack} {count}\n")).collect();
        let digest = Sha256::digest(text);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        same("stacks", digest, raw["stacks_sha256"].as_str().unwrap_or("").to_owned());
    }
}

/// Module and address as `perf report` shows them: kernel modules in brackets, with offsets.
fn reported(profile: &Profile, frame: FrameId, file: &str) -> (String, u64) {
    let mapping = mapping_of(profile, profile.frames.at(frame));
    match (base_name(file).strip_suffix(".ko"), mapping) {
        (Some(name), Some(mapping)) => (format!("[{}]", name.replace('-', "_")), mapping.file_address(printed(profile, frame))),
        _ => (if file.is_empty() { "[unknown]".to_owned() } else { base_name(file).to_owned() }, printed(profile, frame)),
    }
}

/// The rows of `perf report` that have an address instead of a symbol: samples and period by command, module and address.
fn top_rows(profile: &Profile, truth: &Value, same: &mut impl FnMut(&str, String, String)) {
    let Some(report) = truth["perf_data"]["perf_report"].as_object() else { return };
    for (name, rows) in report {
        let Some(rows) = rows["rows"].as_array() else { continue };
        let mut ours = BTreeMap::<(String, String, u64), (u64, i64)>::new();
        for row in 0..profile.samples.len() {
            let (column, value) = event(profile, row);
            if profile.sample_types[column].name != *name {
                continue;
            }
            let Some(leaf) = profile.stack_frames(profile.samples.stacks()[row]).next() else { continue };
            let file = profile.frames.at(leaf).mapping.map_or("", |mapping| profile.mapping_file(mapping));
            let (module, address) = reported(profile, leaf, file);
            // The report cuts names of commands to the width of its column.
            let comm = comm(profile, row);
            for len in [comm.len(), comm.len().min(7)] {
                let entry = ours.entry((comm[..len].to_owned(), module.clone(), address)).or_default();
                *entry = (entry.0 + 1, entry.1 + value);
                if comm.len() <= 7 {
                    break;
                }
            }
        }
        for row in rows {
            let symbol = row["symbol"].as_str().unwrap_or("");
            let Some(address) = symbol.split("] 0x").nth(1).and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()) else { continue };
            let (comm, module) = (row["comm"].as_str().unwrap_or(""), row["dso"].as_str().unwrap_or(""));
            // Without a record of the kernel's own module the report knows none, too.
            let module = if module == "[unknown]" && symbol.starts_with("[k]") { "[kernel.kallsyms]" } else { base_name(module) };
            let found = ours.get(&(comm.to_owned(), module.to_owned(), address)).copied().unwrap_or_default();
            let expected = (row["samples"].as_u64().unwrap_or(0), row["period"].as_i64().unwrap_or(0));
            same(&format!("{name}: {comm} {module} {symbol}"), format!("{found:?}"), format!("{expected:?}"));
        }
    }
}

/// Fields that the tracepoint's own text shows in other words (`(flags=SPIN)`, `(ret=0)`, an address in brackets), and labels that it
/// does not show without being asked.
const HIDDEN: [&str; 6] = ["flags", "ret", "__probe_ip", "cpu", "code page", "data page"];

/// Labels of a sample.
fn fields(profile: &Profile, row: usize) -> Vec<(String, String)> {
    let labels = profile.samples.labels()[row].map_or(&[][..], |set| profile.label_sets.get(set));
    let value = |value| match value {
        LabelValue::Text(text) => profile.strings.get(text).to_owned(),
        LabelValue::Number(number, _) => number.to_string(),
    };
    labels.iter().map(|label| (profile.strings.get(label.key).to_owned(), value(label.value))).collect()
}

#[test]
fn every_capture_says_what_perf_says() {
    let mut failures = Vec::new();
    let entries = corpus::inputs("perf-data");
    let count = entries.len();
    for entry in entries {
        let excepted = EXCEPTIONS.iter().any(|(name, _)| entry.name.ends_with(name));
        let profile = match read(&entry.path) {
            Ok(profile) => profile,
            Err(error) if excepted => {
                println!("{}: {error}", entry.name);
                continue;
            }
            Err(error) => {
                failures.push(format!("{}: {error}", entry.name));
                continue;
            }
        };
        assert_eq!(check(&profile), [], "{}", entry.name);
        let fact = profile.info.fact("records").unwrap_or("");
        let records = |name: &str| fact.split(", ").find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok()).unwrap_or(0);
        // Times off the CPU are made of switches, and no sample records.
        assert_eq!(records("SAMPLE "), profile.info.tally.samples, "{}", entry.name);
        assert_eq!(off_cpu(&profile), profile.info.tally.made, "{}", entry.name);
        if excepted {
            assert!(profile.notes.count(kind::TRUNCATED) > 0, "{} must say that it is damaged", entry.name);
            println!("{}: {} samples with notes", entry.name, profile.samples.len());
            continue;
        }
        let truth = entry.truth.expect("perf captures have a truth");
        failures.extend(differences(&profile, &entry.name, &truth).into_iter().map(|wrong| format!("{}: {wrong}", entry.name)));
    }
    assert!(failures.is_empty(), "{} of {count} captures:\n{}", failures.len(), failures.join("\n"));
}

/// Sample by sample against the text that `perf script` printed of the own captures, address by address.
#[test]
fn the_text_of_perf_script_line_by_line() {
    for entry in corpus::inputs("perf-data") {
        let text = entry.path.with_file_name(format!("{}.perf-script.txt.gz", base_name(&entry.name)));
        if !text.is_file() {
            continue;
        }
        let profile = read(&entry.path).expect("a capture that perf reads");
        if has_copied_stacks(&profile) {
            continue;
        }
        let packed = std::fs::read(text).expect("a readable text");
        let peeled = emberlens::base::inflate::peel(&packed, u64::MAX, &Ticket::new()).expect("a sound gzip");
        let text = String::from_utf8_lossy(&peeled.bytes);
        // A call chain follows its header line; without one the address stands behind the event on the same line.
        let mut paragraphs: Vec<Vec<&str>> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            match (line.starts_with('\t'), paragraphs.last_mut()) {
                (true, Some(paragraph)) => paragraph.push(line),
                _ => paragraphs.push(vec![line]),
            }
        }
        assert_eq!(paragraphs.len(), profile.samples.len(), "{}", entry.name);
        let has_chains = profile.info.facts.iter().any(|(key, text)| key == "event" && text.contains("call chains"));
        let mut dropped = 0;
        for (row, paragraph) in paragraphs.iter().enumerate() {
            let frames = profile.stack_frames(profile.samples.stacks()[row]);
            let ours: Vec<u64> = frames
                .take(127)
                .map(|frame| if has_chains { printed(&profile, frame) } else { profile.frames.at(frame).address.expect("an address") })
                .collect();
            let (header, chain) = paragraph.split_first().expect("a header");
            assert!(header.trim_start().starts_with(comm(&profile, row)), "{}: {header} against {}", entry.name, comm(&profile, row));
            let time = seconds(profile.samples.time(row).expect("a time"));
            assert!(header.contains(&format!("{time}:")), "{}: {header} against {time}", entry.name);
            // The fields of tracepoints stand behind the event: numbers in decimal or hex.
            for (key, value) in fields(&profile, row) {
                let hex = value.parse::<u64>().map_or(value.clone(), |number| format!("{number:#x}"));
                let shown = [&value, &hex]
                    .iter()
                    .any(|value| [format!(" {key}={value}"), format!(" {value} ")].iter().any(|text| header.contains(text)));
                assert!(shown || HIDDEN.contains(&key.as_str()), "{}: {header} lacks {key}={value}", entry.name);
            }
            let hex = |text: &str| u64::from_str_radix(text.split_whitespace().next().unwrap_or(""), 16).expect("an address");
            if has_chains {
                // Inlined frames have no address of their own.
                let mut theirs: Vec<u64> = chain.iter().filter(|line| !line.ends_with("(inlined)")).map(|line| hex(line)).collect();
                theirs.truncate(127);
                dropped += usize::from(theirs.is_empty());
                assert!(theirs.is_empty() || ours == theirs, "{}: {header}\nours {ours:x?}\nperf {theirs:x?}", entry.name);
            } else {
                let address = format!(" {:x} ", ours[0]);
                assert!(header.contains(&address), "{}: {header} lacks {address}", entry.name);
            }
        }
        let notes = profile.notes.iter().filter(|note| note.text == BROKEN_CHAIN || note.kind == kind::NO_STACK);
        assert_eq!(dropped as u64, notes.map(|note| note.count).sum::<u64>(), "{}", entry.name);
    }
}

/// The folder of `perf record --threads`, its main file and the file of one thread are one capture.
#[test]
fn a_file_of_a_folder_opens_the_folder() {
    let Some(folder) = corpus::folder() else { return };
    let folder = folder.join("captured/perf-data/threads-dir.perf.data");
    let whole = read(&folder).expect("a capture that perf reads");
    assert_eq!(whole.samples.len(), 806);
    let ticket = Ticket::new();
    for name in ["data", "data.0"] {
        let part = load::read(&folder.join(name), &LoadOptions::default(), &ticket).expect("a capture that perf reads");
        assert!(part == whole, "{name}");
    }
    // Alone it says that it is only a part.
    let alone = tempfile::tempdir().expect("a folder");
    std::fs::copy(folder.join("data"), alone.path().join("data")).expect("a copy");
    let alone = load::read(alone.path(), &LoadOptions::default(), &ticket).expect("a sound file");
    assert_eq!((alone.samples.len(), alone.notes.count(kind::SKIPPED)), (0, 1), "{:?}", alone.notes);
    let orphan = tempfile::tempdir().expect("a folder");
    std::fs::copy(folder.join("data.0"), orphan.path().join("data.0")).expect("a copy");
    assert!(load::read(&orphan.path().join("data.0"), &LoadOptions::default(), &ticket).is_err(), "records without a header");
}
