//! Real folded stacks and perf script text against what inferno, FlameGraph's scripts and plain sums say about them.

use std::collections::{BTreeMap, BTreeSet};

use emberlens::base::ticket::Ticket;
use emberlens::format::{FORMATS, Input, ReadCx, ReadError, Sniff, read};
use emberlens::model::{FrameId, Profile, StackId, kind};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::corpus::{Entry, folder, inputs};
use crate::naive::top;

/// Stacks as the other tools name them, outermost frame first, with stored values.
type Stacks = BTreeMap<Vec<String>, i128>;

fn open(entry: &Entry) -> Result<Profile, ReadError> {
    let bytes = std::fs::read(&entry.path).expect("a corpus file is readable");
    read(&Input { bytes: &bytes, name: &entry.name }, &ReadCx::new(&Ticket::new()))
}

/// Compares stacks with a truth's `summary`; says what differs. `scale` is 10 to the column's decimals.
fn compare(stacks: &Stacks, summary: &Value, scale: f64) -> Vec<String> {
    let mut wrong = Vec::new();
    let same = |stored: i128, wanted: &Value| match wanted.as_i64() {
        Some(wanted) => stored == i128::from(wanted) * scale as i128,
        None => wanted.as_f64().is_some_and(|wanted| (stored as f64 / scale - wanted).abs() <= 1e-9 * wanted.abs()),
    };
    let mut expect = |what: &str, found: i128, wanted: &Value, ok: bool| {
        if !ok {
            wrong.push(format!("{what}: found {found}, wanted {wanted}"));
        }
    };
    let total = stacks.values().sum();
    expect("total", total, &summary["total"], same(total, &summary["total"]));
    let names: BTreeSet<&String> = stacks.keys().flatten().collect();
    let depth = stacks.keys().map(Vec::len).max().unwrap_or(0);
    for (what, found) in [("unique_stacks", stacks.len()), ("unique_frames", names.len()), ("max_depth", depth)] {
        expect(what, found as i128, &summary[what], summary[what].is_null() || summary[what].as_u64() == Some(found as u64));
    }
    let (mut own, mut inclusive) = (BTreeMap::<&str, i128>::new(), BTreeMap::<&str, i128>::new());
    for (stack, value) in stacks {
        if let Some(leaf) = stack.last() {
            *own.entry(leaf).or_default() += value;
        }
        for name in stack.iter().collect::<BTreeSet<_>>() {
            *inclusive.entry(name).or_default() += value;
        }
    }
    for (list, found) in [("top_self", &own), ("top_inclusive", &inclusive)] {
        for row in summary[list].as_array().into_iter().flatten() {
            let name = row[0].as_str().expect("a row has a name");
            let value = found.get(name).copied().unwrap_or(0);
            expect(&format!("{list} of {name}"), value, &row[1], same(value, &row[1]));
        }
    }
    if let Some(wanted) = summary["folded_sha256"].as_str().filter(|_| scale as i128 == 1) {
        let mut lines: Vec<String> = stacks.iter().map(|(stack, value)| format!("{} {value}\n", stack.join(";"))).collect();
        // Sorted as whole stacks by bytes, not frame by frame.
        lines.sort_by(|a, b| a.rsplit_once(' ').cmp(&b.rsplit_once(' ')));
        let found = Sha256::digest(lines.concat()).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        if found != wanted {
            wrong.push("sha256 of the folded text differs".to_owned());
        }
    }
    wrong
}

fn stacks(profile: &Profile, rows: &[usize], name: impl Fn(usize, Option<StackId>) -> Vec<String>) -> Stacks {
    let mut stacks = Stacks::new();
    for &row in rows {
        for (sample, &value) in profile.samples.values(row).iter().enumerate().filter(|(_, value)| **value != 0) {
            *stacks.entry(name(sample, profile.samples.stacks()[sample])).or_default() += i128::from(value);
        }
    }
    stacks
}

/// A name as it stood in the folded text: its suffix is a flag or a module in the model.
fn with_suffix(profile: &Profile, frame: FrameId) -> String {
    let row = profile.frames.at(frame);
    let suffix = match row.mapping.map(|mapping| profile.mapping_file(mapping)) {
        Some("[kernel]") => "_[k]",
        Some("[jit]") => "_[j]",
        _ if row.inlined => "_[i]",
        _ => "",
    };
    let name = if row.function.is_some() { profile.frame_name(frame) } else { String::new() };
    format!("{name}{suffix}")
}

#[test]
fn folded_files_equal_plain_sums() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for entry in inputs("folded") {
        let mut truth = entry.truth.clone().expect("every folded file has a truth");
        let summary = truth["folded"]["summary"].take();
        let profile = match open(&entry) {
            Ok(profile) => profile,
            // An empty file is no capture: the error says so.
            Err(error) => {
                assert!(entry.name.ends_with("inferno/empty.txt"), "{}: {error}", entry.name);
                assert_eq!(summary["lines"], 0);
                continue;
            }
        };
        assert_eq!(profile.info.format, "folded", "{}", entry.name);
        let row = profile.default_sample_type;
        let scale = 10_f64.powi(i32::from(profile.sample_types[row].decimals));
        let found = stacks(&profile, &[row], |_, stack| {
            let mut names: Vec<String> = profile.stack_frames(stack).map(|frame| with_suffix(&profile, frame)).collect();
            names.reverse();
            names
        });
        let mut differences = compare(&found, &summary, scale);
        if entry.name.ends_with("collapsed-all-diff.txt") {
            // The truth reads the first of two counts as part of the name: `main 274` with 415 is our `main` with 274 before and 415
            // after. So only the total and the number of stacks compare.
            assert_eq!((profile.total(0), profile.total(1)), (333, 513));
            differences.retain(|what| what.starts_with("total") || what.starts_with("unique_stacks"));
        }
        let unread = profile.notes.count(kind::NOT_UNDERSTOOD);
        if summary["lines_not_understood"].as_u64() != Some(unread) {
            differences.push(format!("lines not understood: {unread}, wanted {}", summary["lines_not_understood"]));
        }
        wrong.extend(differences.into_iter().map(|what| format!("{}: {what}", entry.name)));
        compared += 1;
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= 20 || folder().is_none(), "only {compared} files were compared");
}

/// The two programs that fold perf script text. Neither is right on all files.
#[derive(Clone, Copy, PartialEq)]
enum Tool {
    Inferno,
    Perl,
}

/// Files on which only one program is right, and why the other is not.
const ONLY_ONE_IS_RIGHT: &[(&str, Tool, &str)] = &[
    ("perf-dd-stacks-01.txt", Tool::Inferno, "the Perl script loses the last sample of a file without a blank line at its end"),
    ("perf-iperf-stacks-pidtid-01.txt", Tool::Inferno, "the same"),
    ("perf-java-stacks-01.txt", Tool::Inferno, "the same"),
    ("inferno/go-stacks.txt", Tool::Inferno, "the same"),
    ("inferno/single-event.txt", Tool::Inferno, "the same, and it is the only sample"),
    ("flamescope/perf.test01", Tool::Inferno, "the same"),
    ("perf-script/no-callchain.txt", Tool::Inferno, "the Perl script reads no samples of one line"),
    ("inferno/empty-line.txt", Tool::Perl, "inferno drops samples with an empty call chain"),
    ("perf-script/gcc-O0.txt", Tool::Perl, "the same"),
    ("perf-script/gcc-O1.txt", Tool::Perl, "the same"),
    ("perf-script/huge.txt.gz", Tool::Perl, "the same"),
    ("perf-script/multi-event.txt", Tool::Perl, "inferno ignores periods that several blanks part from the event"),
    ("gcc-task-mmap-events.txt.gz", Tool::Perl, "PERF_RECORD_ lines make inferno lose everything"),
    ("perf-script/lock-contention.txt", Tool::Perl, "inferno misreads the text after a tracepoint"),
    ("perf-script/uprobe.txt.gz", Tool::Perl, "the same"),
    ("page-faults-addr.txt.gz", Tool::Perl, "inferno takes the data address for a frame"),
    ("profiler/simple-perf.txt.gz", Tool::Perl, "inferno stops at tabs between the fields"),
];

/// Asserts what is right.
type Check = fn(&Profile);

/// Files that both programs misread, and what is right.
const NEITHER_IS_RIGHT: &[(&str, Check)] = &[
    // inferno panics and the Perl script finds nothing where no line names an event. Counted in the text: 1090 paragraphs.
    ("perf-script/kernel-minimal-fields.txt", |profile| {
        assert_eq!((profile.samples.len(), profile.total(0)), (1090, 1090));
        assert_eq!(top(profile, 0)["security_mmap_file"], (1, 1));
    }),
    // Two samples of 250 000; the only frame of the second cannot be read. Both programs drop that sample, we keep its time.
    ("inferno/weird-stack-line.txt", |profile| {
        assert_eq!((profile.samples.len(), profile.total(0)), (2, 500_000));
        assert_eq!(top(profile, 0)["main"], (250_000, 250_000));
        assert_eq!((profile.notes.count(kind::NOT_UNDERSTOOD), profile.notes.count(kind::NO_STACK)), (1, 1));
    }),
];

/// A frame as the programs that fold write it: inlined Java calls are parted at `->`, `;` is `:`, quotes and arguments go.
fn folded_names(profile: &Profile, frame: FrameId, tool: Tool, java: bool) -> Vec<String> {
    let row = profile.frames.at(frame);
    let Some(function) = row.function else {
        let module = row.mapping.map_or("", |mapping| profile.mapping_file(mapping));
        let module = module.rsplit('/').next().unwrap_or(module);
        return vec![if module.is_empty() { "[unknown]".to_owned() } else { format!("[{module}]") }];
    };
    if profile.function_name(function).starts_with('(') {
        // Both take such a line for a process name: `(anonymous namespace)::f` is lost to them.
        return Vec::new();
    }
    let parts = profile.function_name(function).split("->").enumerate();
    let inlined = |part: usize| if part > 0 && tool == Tool::Inferno { "_[i]" } else { "" };
    parts.map(|(part, name)| format!("{}{}", tidy(name, tool, java), inlined(part))).collect()
}

fn tidy(name: &str, tool: Tool, java: bool) -> String {
    let mut name = name.replace(';', ":");
    if tool == Tool::Inferno {
        name = plain_rust(&name);
    }
    let go_method = name.find(".(").is_some_and(|at| name[at..].contains(")."));
    if !go_method {
        name.truncate(arguments(&name, tool));
    }
    if tool == Tool::Perl {
        name.retain(|c| !matches!(c, '"' | '\''));
    }
    if java && name.contains('/') { name.strip_prefix('L').map_or(name.clone(), str::to_owned) } else { name }
}

/// Where the arguments of a function begin: the Perl script takes the first parenthesis, inferno the first outside `<>`.
fn arguments(name: &str, tool: Tool) -> usize {
    let mut depth = 0_i32;
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            '(' if !name[at..].starts_with("(anonymous namespace)") && (depth < 1 || tool == Tool::Perl) => return at,
            _ => {}
        }
    }
    name.len()
}

/// inferno undoes the escapes of old Rust names and drops their hash.
fn plain_rust(name: &str) -> String {
    let hash = name.rsplit_once("::h").filter(|(_, hash)| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let Some((name, _)) = hash else { return name.to_owned() };
    let codes = [("LT", "<"), ("GT", ">"), ("LP", "("), ("RP", ")"), ("C", ","), ("BP", "*"), ("RF", "&"), ("SP", "@")];
    let more = [("u7b", "{"), ("u7d", "}"), ("u20", " "), ("u27", "'"), ("u5b", "["), ("u5d", "]"), ("u2b", "+"), ("u22", "\"")];
    let plain = codes.iter().chain(&more).fold(name.to_owned(), |name, (code, text)| name.replace(&format!("${code}$"), text));
    let plain = plain.replace("..", "::");
    plain.strip_prefix('_').filter(|rest| rest.starts_with(['<', '{'])).map_or(plain.clone(), str::to_owned)
}

fn collapsed(profile: &Profile, rows: &[usize], tool: Tool) -> Stacks {
    stacks(profile, rows, |sample, stack| {
        let thread = profile.samples.threads()[sample].map(|thread| profile.strings[profile.threads[thread].name].replace(' ', "_"));
        let java = thread.as_deref() == Some("java");
        let mut levels: Vec<Vec<String>> = profile.stack_frames(stack).map(|frame| folded_names(profile, frame, tool, java)).collect();
        levels.push(thread.into_iter().collect());
        levels.reverse();
        let mut names = levels.concat();
        // The truth was made from lines whose blanks before the count are gone.
        if let Some(leaf) = names.last_mut() {
            leaf.truncate(leaf.trim_end().len());
        }
        names
    })
}

#[test]
fn perf_script_files_equal_the_programs_that_fold_them() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for entry in inputs("perf-script") {
        let mut truth = entry.truth.clone().expect("every perf script file has a truth");
        let truth = truth["perf_script"].take();
        let profile = match open(&entry) {
            Ok(profile) => profile,
            // An empty file is no capture: the error says so.
            Err(error) => {
                assert!(entry.name.ends_with("inferno/no-events.txt"), "{}: {error}", entry.name);
                continue;
            }
        };
        assert_eq!(profile.info.format, "perf-script", "{}", entry.name);
        if let Some((_, check)) = NEITHER_IS_RIGHT.iter().find(|(name, _)| entry.name.ends_with(name)) {
            check(&profile);
            compared += 1;
            continue;
        }
        let one = ONLY_ONE_IS_RIGHT.iter().find(|(name, ..)| entry.name.ends_with(name)).map(|(_, tool, _)| *tool);
        // The Perl script adds both tracepoints of this file up.
        let rows: &[usize] = if entry.name.ends_with("lock-contention.txt") { &[0, 1] } else { &[0] };
        for (name, tool) in [("inferno", Tool::Inferno), ("perl", Tool::Perl)] {
            if one.is_some_and(|one| one != tool) {
                continue;
            }
            let mut differences = compare(&collapsed(&profile, rows, tool), &truth[name], 1.0);
            if entry.name.ends_with("flamescope/perf.test01") {
                // A frame's line is broken in two in this file. inferno drops the frame, we keep the name that stands there.
                differences.retain(|what| !what.starts_with("sha256"));
            }
            wrong.extend(differences.into_iter().map(|what| format!("{} ({name}): {what}", entry.name)));
        }
        for (event, wanted) in truth["per_event_inferno"].as_object().into_iter().flatten() {
            // Where inferno reads an event of the file at all (see above for tracepoints and PERF_RECORD_ lines).
            if let Some(row) = profile.find_sample_type(event).filter(|_| one.is_none()) {
                let differences = compare(&collapsed(&profile, &[row], Tool::Inferno), wanted, 1.0);
                wrong.extend(differences.into_iter().map(|what| format!("{} ({event}): {what}", entry.name)));
            }
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= 35 || folder().is_none(), "only {compared} files were compared");
}

/// Names of the formats that are sure of a file's first bytes, and whether there are any bytes.
fn sure(entry: &Entry) -> (Vec<&'static str>, bool) {
    let bytes = std::fs::read(&entry.path).expect("a corpus file is readable");
    // Damaged containers count as what was read before the damage, files without any as nothing.
    let text = emberlens::base::inflate::peel(&bytes, 1 << 30, &Ticket::new()).map(|peeled| peeled.bytes).unwrap_or_default();
    let head = &text[..text.len().min(emberlens::format::HEAD_BYTES)];
    (FORMATS.iter().filter(|format| format.sniff(head) == Sniff::Yes).map(|format| format.name()).collect(), !text.is_empty())
}

#[test]
fn exactly_one_format_is_sure_of_every_text_file() {
    for format in ["perf-script", "folded"] {
        for entry in inputs(format) {
            let (sure, any) = sure(&entry);
            assert_eq!(sure, if any { vec![format] } else { vec![] }, "{}", entry.name);
        }
    }
}

#[test]
fn files_of_other_formats_are_no_text_of_ours() {
    for format in ["pprof", "perf-data", "go-text", "other"] {
        for entry in inputs(format).into_iter().filter(|entry| entry.path.is_file()) {
            let (sure, _) = sure(&entry);
            let ours = sure.iter().any(|name| ["perf-script", "folded"].contains(name));
            assert!(!ours, "{}: {sure:?}", entry.name);
        }
    }
}

#[test]
fn every_event_has_as_many_records_as_first_lines() {
    for entry in inputs("perf-script") {
        let truth = entry.truth.clone().expect("every perf script file has a truth");
        let Ok(profile) = open(&entry) else { continue };
        for (event, count) in truth["perf_script"]["shape"]["header_lines_by_event"].as_object().into_iter().flatten() {
            // The count by first lines takes this for an event.
            if !event.starts_with("PERF_RECORD_") {
                let row = profile.find_sample_type(event).unwrap_or_else(|| panic!("{}: no {event}", entry.name));
                assert_eq!(Some(profile.sample_types[row].records), count.as_u64(), "{}: {event}", entry.name);
            }
        }
    }
}

/// The text of a perf.data against what perf says about the file itself: events, periods, commands, threads, times.
#[test]
fn texts_of_recordings_say_what_the_recordings_say() {
    let mut compared = 0;
    for entry in inputs("perf-data") {
        let truth = entry.truth.clone().expect("every perf.data has a truth");
        let (raw, symbolised) = (&truth["perf_data"]["raw"], &truth["perf_data"]["symbolised"]);
        let Some(text) = symbolised["text"].as_str() else { continue };
        let text = Entry { path: entry.path.with_file_name(text), name: text.to_owned(), truth: None };
        let Ok(profile) = open(&text) else { continue };
        let name = &entry.name;
        assert_eq!(profile.samples.len() as u64, raw["samples"], "{name}");
        for (row, event) in profile.sample_types.iter().enumerate() {
            assert_eq!(event.records, raw["samples_by_event"][&event.name], "{name}: {}", event.name);
            // Periods, or one a record for events whose period is not printed.
            let (total, periods) = (profile.total(row), &raw["period_sum_by_event"][&event.name]);
            assert!(total == *periods || total == event.records as i64, "{name}: {} {total}", event.name);
        }
        let mut commands = BTreeMap::<&str, u64>::new();
        for thread in profile.samples.threads().iter().flatten() {
            *commands.entry(&profile.strings[profile.threads[*thread].name]).or_default() += 1;
        }
        for (command, count) in raw["samples_by_comm"].as_object().into_iter().flatten() {
            assert_eq!(commands.get(command.as_str()).copied(), count.as_u64(), "{name}: {command}");
        }
        let seconds = |nanos: i64| format!("{}.{:06}", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000);
        let (first, last) = profile.samples.time_range().expect("times are printed");
        assert_eq!((raw["first_time"].as_str(), raw["last_time"].as_str()), (Some(&*seconds(first)), Some(&*seconds(last))), "{name}");
        compared += 1;
    }
    assert!(compared >= 15 || folder().is_none(), "only {compared} texts were compared");
}

#[test]
fn one_thread_and_many_give_the_same_profile() {
    let large = |entry: &Entry| ["huge.txt.gz", "gcc-O1.txt", "flames.txt"].iter().any(|name| entry.name.ends_with(name));
    for entry in inputs("perf-script").into_iter().chain(inputs("folded")).filter(large) {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
            pool.install(|| open(&entry)).expect("readable")
        };
        assert!(with(1) == with(4), "{}", entry.name);
    }
}

/// The header that perf prints with a text says the same as the one of the recording: same keys, same words.
#[test]
fn facts_of_a_text_are_those_of_its_recording() {
    let find = |format: &str, name: &str| inputs(format).into_iter().find(|entry| entry.name.ends_with(name));
    let Some((text, recording)) = find("perf-script", "hugo-header.txt").zip(find("perf-data", "hugo-fp.perf.data")) else { return };
    let (text, recording) = (open(&text).expect("readable").info, open(&recording).expect("readable").info);
    let mut compared = 0;
    for (key, value) in &text.facts {
        // When the file was copied, and what the recorder left out: of the text alone.
        if ["captured on", "missing features"].contains(&key.as_str()) {
            continue;
        }
        assert_eq!(recording.fact(key), Some(value.as_str()), "{key}");
        compared += 1;
    }
    assert!(compared >= 10, "{:?}", text.facts);
}
