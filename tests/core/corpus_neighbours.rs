//! Files of neighbouring tools against plain sums over a tree of values that an independent JSON parser made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, read};
use emberlens::model::{Label, LabelValue, Profile, check, kind};
use serde_json::Value;

use crate::{corpus, naive};

fn open(path: &Path) -> Result<Profile, ReadError> {
    let bytes = std::fs::read(path).expect("a capture is readable");
    let profile = read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&Ticket::new()))?;
    assert_eq!(check(&profile), [], "{}", path.display());
    Ok(profile)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a capture is readable")).expect("an independent parser reads it")
}

/// Files with one of these endings among the samples and in the corpus.
fn files(ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a sample folder is readable") {
            let path = entry.expect("an entry is readable").path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles"), ending, &mut found);
    found.extend(corpus::inputs("other").into_iter().map(|entry| entry.path).filter(|path| path.to_string_lossy().ends_with(ending)));
    assert!(!found.is_empty(), "no file ends in {ending}");
    found
}

/// Self values by name of one column, as the model has them.
fn own(profile: &Profile, column: &str) -> BTreeMap<String, i64> {
    let row = profile.find_sample_type(column).unwrap_or_else(|| panic!("there is no column {column}"));
    naive::top(profile, row).into_iter().map(|(name, (own, _))| (name, own as i64)).filter(|(_, own)| *own != 0).collect()
}

#[test]
fn v8_profiles_have_the_times_between_their_samples() {
    for path in files(".cpuprofile") {
        let (profile, file) = (open(&path).expect("a sound profile"), json(&path));
        let names: BTreeMap<i64, &str> = file["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|node| (node["id"].as_i64().expect("an id"), node["callFrame"]["functionName"].as_str().expect("a name")))
            .collect();
        let mut time = file["startTime"].as_i64().expect("a start");
        let mut times = Vec::new();
        for (node, delta) in file["samples"].as_array().expect("samples").iter().zip(file["timeDeltas"].as_array().expect("times")) {
            time += delta.as_i64().expect("a number");
            times.push((time, node.as_i64().expect("an id")));
        }
        times.sort_by_key(|(time, _)| *time);
        let ends = times.iter().skip(1).map(|(time, _)| *time).chain(file["endTime"].as_i64());
        let (mut cpu, mut counts) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, i64>::new());
        let mut wall = 0;
        for (&(start, node), end) in times.iter().zip(ends) {
            wall += end - start;
            let name = match names[&node] {
                "" => "(anonymous)",
                name => name,
            };
            if name != "(root)" {
                *cpu.entry(name.to_owned()).or_default() += if name == "(idle)" { 0 } else { (end - start) * 1000 };
                *counts.entry(name.to_owned()).or_default() += 1;
            }
        }
        cpu.retain(|_, value| *value != 0);
        assert_eq!(own(&profile, "cpu"), cpu, "{}", path.display());
        assert_eq!(own(&profile, "samples"), counts, "{}", path.display());
        assert_eq!(profile.total(1), wall * 1000, "{}", path.display());
        assert_eq!(profile.info.tally.samples, times.len() as u64, "{}", path.display());
    }
}

#[test]
fn sampled_speedscope_profiles_have_the_weights_of_the_file() {
    for path in files(".speedscope.json") {
        let (profile, file) = (open(&path).expect("a sound profile"), json(&path));
        let list = file["profiles"].as_array().expect("profiles");
        let names: Vec<&str> =
            file["shared"]["frames"].as_array().expect("frames").iter().map(|frame| frame["name"].as_str().expect("a name")).collect();
        let mut sums = BTreeMap::<String, f64>::new();
        let mut total = 0.0;
        for part in list.iter().filter(|part| part["type"] == "sampled") {
            assert_eq!(part["unit"], "seconds", "{}", path.display());
            for (stack, weight) in part["samples"].as_array().expect("samples").iter().zip(part["weights"].as_array().expect("weights")) {
                total += weight.as_f64().expect("a number");
                if let Some(leaf) = stack.as_array().expect("a stack").last() {
                    *sums.entry(names[leaf.as_u64().expect("a row") as usize].to_owned()).or_default() +=
                        weight.as_f64().expect("a number");
                }
            }
        }
        if sums.is_empty() {
            // The one evented profile: what the speedscope viewer shows of it.
            assert_eq!(own(&profile, "weight"), [("b", 5), ("c", 5), ("d", 4)].map(|(name, own)| (name.to_owned(), own)).into());
            continue;
        }
        let nanos = |seconds: f64| (seconds * 1e9).round() as i64;
        assert_eq!(own(&profile, "time"), sums.into_iter().map(|(name, sum)| (name, nanos(sum))).collect(), "{}", path.display());
        assert_eq!(profile.total(0), nanos(total), "{}", path.display());
        assert_eq!(profile.threads.len(), list.len(), "{}: every profile is a thread", path.display());
    }
}

#[test]
fn a_profile_whose_nodes_form_a_ring_is_an_error() {
    let Some(folder) = corpus::folder() else { return };
    let error = open(&folder.join("bad/cyclic.cpuprofile")).expect_err("there is no root");
    assert!(error.to_string().contains("is its own caller"), "{error}");
}

/// The samples that `sample-profiles/src/neighbours.py` writes in every form: self time by function in milliseconds.
fn made_up() -> BTreeMap<String, i64> {
    [("parse", 2), ("hash", 10), ("pack", 1), ("main", 1)].map(|(name, millis)| (name.to_owned(), millis)).into()
}

#[test]
fn every_form_of_the_same_samples_reads_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles");
    for file in
        ["firefox/by-definition/processed-41.json", "firefox/by-definition/processed-56.json", "firefox/by-definition/processed-60.json"]
    {
        let profile = open(&folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(profile.total(0), 6, "{file}");
        // The first CPU value of a thread counts from before the recording: 2 ms of `parse` and 4 ms of `hash`.
        let cpu = [("hash", 6_000_000), ("pack", 1_000_000), ("main", 1_000_000)].map(|(name, nanos)| (name.to_owned(), nanos));
        assert_eq!(own(&profile, "cpu"), cpu.into(), "{file}");
        assert_eq!(profile.threads.len(), 2, "{file}");
        let files: Vec<_> = profile.functions.iter().filter_map(|function| function.file).map(|file| profile.strings.get(file)).collect();
        assert_eq!(files, ["app.c", "parse.c", "pack.c", "pack.c"], "{file}");
    }
    let raw = open(&folder.join("firefox/by-definition/gecko-31.json")).expect("a sound profile");
    let names: BTreeMap<String, i64> =
        [("app+0x108", 1), ("app+0x308", 3), ("app+0x208", 1), ("main", 1)].map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(own(&raw, "samples"), names);
    assert_eq!(raw.samples.time(5), Some(101_000_000), "the second process starts 100 ms later");
    let otlp = open(&folder.join("otlp/opentelemetry-proto-1.9/app.otlp")).expect("a sound profile");
    assert_eq!(own(&otlp, "cpu"), made_up().into_iter().map(|(name, millis)| (name, millis * 1_000_000)).collect());
    assert_eq!((otlp.total(0), otlp.threads.len(), otlp.info.tally.samples), (6, 2, 12));
    assert_eq!(otlp.info.fact("service.name"), Some("app"));
    assert_eq!(otlp.info.period, Some(("cpu".to_owned(), "nanoseconds".to_owned(), 1_000_000)));
}

/// protobuf's own writer of JSON made one file of the other.
#[test]
fn opentelemetry_profiles_say_the_same_as_json() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/otlp/opentelemetry-proto-1.9");
    let bytes = open(&folder.join("app.otlp")).expect("a sound profile");
    let text = std::fs::read_to_string(folder.join("app.otlp.json")).expect("a capture is readable");
    let read_text = |text: &str| read(&Input { bytes: text.as_bytes(), name: "x" }, &ReadCx::new(&Ticket::new()));
    assert_eq!(read_text(&text).as_ref(), Ok(&bytes));
    // The dictionary first, ids in hexadecimal digits, numbers without quotes, names as in the definition, and names that nobody knows.
    let hex =
        text.replace("AAECAwQFBgcICQoLDA0ODw==", "000102030405060708090a0b0c0d0e0f").replace("\"AAECAwQFBgc=\"", "\"0001020304050607\"");
    assert_ne!(hex, text, "the ids are there");
    let (resources, dictionary) = text.trim_end().trim_end_matches('}').split_once(", \"dictionary\": ").expect("the dictionary is last");
    let resources = resources.trim_start_matches('{');
    let turned = format!(r#"{{"future": [{{"a": 1}}], "dictionary": {dictionary}}}, {resources}}}"#);
    let pretty = text.replace(", ", ",\n\t").replace('{', " {\r\n");
    let snake = [
        ("resourceProfiles", "resource_profiles"),
        ("stackIndex", "stack_index"),
        ("timestampsUnixNano", "timestamps_unix_nano"),
        ("stringTable", "string_table"),
    ];
    let snake = snake.iter().fold(text.clone(), |text, (camel, snake)| text.replace(camel, snake));
    let plain = text.replace("\"2000000\"", "2000000").replace("\"3000000\"", "3000000");
    for other in [hex, turned, pretty, snake, plain] {
        assert_eq!(read_text(&other).as_ref(), Ok(&bytes), "{other}");
    }
    // A stack that is not there: the error says where in the text.
    let wrong = text.replacen("\"stackIndex\": 2", "\"stackIndex\": 77", 1);
    let error = read_text(&wrong).expect_err("there is no such stack");
    assert!(error.to_string().contains("names stack 77"), "{error}");
    let at = usize::try_from(error.offset()).expect("an offset");
    assert!(wrong[at..].starts_with("{\"stackIndex\": 77"), "{error}: {}", &wrong[at..at + 40]);
}

/// The collector's file exporter writes a line for each export, of whichever service it comes from.
#[test]
fn exports_of_opentelemetry_one_behind_the_other_are_one_capture() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/otlp/opentelemetry-proto-1.9/app.otlp.json");
    let line = std::fs::read_to_string(path).expect("a capture is readable").trim_end().to_owned();
    let read_text = |text: &str| read(&Input { bytes: text.as_bytes(), name: "x" }, &ReadCx::new(&Ticket::new())).expect("a sound file");
    let one = read_text(&line);
    let other = line.replace("\"stringValue\": \"app\"", "\"stringValue\": \"cart\"");
    assert_ne!(line, other, "the service is named");
    let both = read_text(&format!("{line}\n{other}\n"));
    assert_eq!(check(&both), []);
    for (row, kind) in one.sample_types.iter().enumerate() {
        let same = both.find_sample_type(&kind.name).expect("the same types");
        assert_eq!(both.total(same), 2 * one.total(row), "{}", kind.name);
    }
    assert_eq!((both.samples.len(), both.info.tally.samples), (2 * one.samples.len(), 2 * one.info.tally.samples));
    assert_eq!((both.stacks.len(), both.threads.len()), (one.stacks.len(), one.threads.len()), "what is the same is kept once");
    assert_eq!((both.info.start_unix_nanos, both.info.duration_nanos), (one.info.start_unix_nanos, one.info.duration_nanos));
    let of = |service: &str| {
        let is_it = |label: &Label| matches!(label.value, LabelValue::Text(text) if both.strings.get(text) == service);
        let sets: Vec<bool> = both.label_sets.iter().map(|set| set.iter().any(is_it)).collect();
        both.samples.labels().iter().flatten().filter(|set| sets[set.row()]).count()
    };
    assert_eq!((of("app"), of("cart")), (one.samples.len(), one.samples.len()), "samples say which service they are of");
    let cut = read_text(&format!("{line}\n{}", &other[..other.len() / 2]));
    assert_eq!((cut.samples.len(), cut.notes.count(kind::TRUNCATED)), (one.samples.len(), 1));
}

#[test]
fn a_profile_of_an_older_layout_of_opentelemetry_reads_as_its_bytes_say() {
    let Some(folder) = corpus::folder() else { return };
    // Field numbers of release 1.8. The values are sums over its messages, decoded by hand without a schema.
    let profile = open(&folder.join("third-party/other/sig-profiling/profile.otlp")).expect("a sound profile");
    assert_eq!((profile.total(0), profile.info.tally.samples), (189, 49));
    let own = own(&profile, "samples");
    assert_eq!(own["int java.util.Random.next(int)"], 116);
    assert_eq!(own["void PerformanceTest.hardWork(java.util.concurrent.CountDownLatch, java.lang.Integer)"], 19);
    assert_eq!(profile.info.period, Some(("cpu".to_owned(), "nanoseconds".to_owned(), 50_000_000)));
}

#[test]
fn firefox_profiles_of_the_corpus_have_the_samples_of_their_threads() {
    for entry in corpus::inputs("other")
        .into_iter()
        .filter(|entry| entry.name.ends_with("ls-profile.json") || entry.name.ends_with("processed-3.json"))
    {
        let (profile, file) = (open(&entry.path).unwrap_or_else(|error| panic!("{}: {error}", entry.name)), json(&entry.path));
        let (mut samples, mut cpu, mut leaves) = (0, 0.0, BTreeMap::<String, i64>::new());
        for thread in file["threads"].as_array().expect("threads") {
            let table = &thread["samples"];
            // samply counts what happened while a thread slept as several samples in one row.
            let weights: Vec<i64> =
                (0..table["length"].as_u64().expect("a length") as usize).map(|row| table["weight"][row].as_i64().unwrap_or(1)).collect();
            samples += weights.iter().sum::<i64>();
            cpu += table["threadCPUDelta"].as_array().into_iter().flatten().skip(1).filter_map(Value::as_f64).sum::<f64>() * 1000.0;
            for (stack, weight) in table["stack"].as_array().expect("stacks").iter().zip(weights) {
                let Some(stack) = stack.as_u64() else { continue };
                let frame = thread["stackTable"]["frame"][stack as usize].as_u64().expect("a frame") as usize;
                let function = thread["frameTable"]["func"][frame].as_u64().expect("a function") as usize;
                let name = thread["funcTable"]["name"][function].as_u64().expect("a name") as usize;
                let name = thread["stringArray"][name].as_str().expect("text");
                let resource = thread["funcTable"]["resource"][function].as_i64().expect("a resource");
                let lib = usize::try_from(resource).ok().and_then(|resource| thread["resourceTable"]["lib"][resource].as_u64());
                let libs = if file["libs"].is_array() { &file["libs"] } else { &thread["libs"] };
                let module = lib.and_then(|lib| libs[lib as usize]["name"].as_str());
                let shown = match module.filter(|_| name.starts_with("0x")) {
                    Some(module) => format!("{module}+{:#x}", thread["frameTable"]["address"][frame].as_i64().expect("an address")),
                    None => name.to_owned(),
                };
                *leaves.entry(shown).or_default() += weight;
            }
        }
        assert_eq!(profile.total(0), samples, "{}", entry.name);
        assert_eq!(own(&profile, "samples"), leaves, "{}", entry.name);
        if let Some(row) = profile.find_sample_type("cpu") {
            assert_eq!(profile.total(row), cpu as i64, "{}", entry.name);
        }
    }
}

/// Self and inclusive instructions of functions of `indexer`.
const INDEXER: [(&str, i128, i128); 10] = [
    ("main", 10, 222_141_456),
    ("run", 323, 222_141_446),
    ("index_document", 2_720, 220_716_645),
    ("sort_terms", 3_480_280, 64_333_406),
    ("sift_down", 60_853_126, 60_853_126),
    ("count_words", 6_275_776, 57_439_163),
    ("checksum", 41_376_436, 41_376_436),
    ("write_text", 28_294_508, 28_294_508),
    ("tokenise", 26_389_892, 26_389_892),
    ("find_term", 19_824_177, 19_824_177),
];

#[test]
fn callgrind_files_have_the_self_and_inclusive_costs_that_callgrind_annotate_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/callgrind/valgrind-3.19.0");
    let profile = open(&folder.join("indexer-before.callgrind")).expect("a sound profile");
    // The `totals:` line.
    let totals: Vec<i64> = (0..profile.sample_types.len()).map(|row| profile.total(row)).collect();
    assert_eq!(totals, [222_141_461, 25_669_346, 13_423_107, 37, 951_514, 82_374, 37, 4_454, 6_482]);
    // `callgrind_annotate --threshold=100 --show=Ir`, and the same with `--inclusive=yes`.
    let top = naive::top(&profile, 0);
    for (name, own, inclusive) in INDEXER {
        let (found, total) = top.get(name).copied().unwrap_or_default();
        assert_eq!(found, own, "{name}");
        // Parts of costs are rounded to whole events on every path.
        assert!((total - inclusive).abs() <= 100, "{name}: {total} against {inclusive}");
    }
}

#[test]
fn names_with_and_without_numbers_read_the_same() {
    let Some(folder) = corpus::folder() else { return };
    let read = |name: &str| open(&folder.join("third-party/other/speedscope").join(name)).expect("a sound profile");
    let (plain, short) = (read("callgrind.example.log"), read("callgrind.name-compression.log"));
    assert_eq!((own(&plain, "Instructions"), plain.total(0)), (own(&short, "Instructions"), 820));
}

#[test]
fn slices_of_a_trace_cover_the_time_of_their_union() {
    let mut paths = files(".trace");
    paths.extend(corpus::folder().map(|folder| folder.join("third-party/other/speedscope/simple.json")));
    for path in paths.iter().filter(|path| path.is_file()) {
        let (profile, file) = (open(path).expect("a sound trace"), json(path));
        let list = file["traceEvents"].as_array().or_else(|| file.as_array()).expect("a list of events");
        let (mut open, mut slices) = (BTreeMap::<String, Vec<i64>>::new(), BTreeMap::<String, Vec<(i64, i64)>>::new());
        for event in list {
            let (thread, time) = (format!("{}/{}", event["pid"], event["tid"]), event["ts"].as_i64().unwrap_or(0));
            let length = event["dur"].as_i64().or_else(|| event["tdur"].as_i64()).unwrap_or(0);
            match event["ph"].as_str().expect("a phase") {
                "X" => slices.entry(thread).or_default().push((time, time + length)),
                "B" => open.entry(thread).or_default().push(time),
                "E" => {
                    let start = open.entry(thread.clone()).or_default().pop().expect("a begin");
                    slices.entry(thread).or_default().push((start, time));
                }
                _ => {}
            }
        }
        let mut covered = 0;
        for list in slices.values_mut() {
            list.sort_unstable();
            let mut until = i64::MIN;
            for &(start, end) in list.iter() {
                covered += (end - start.max(until)).max(0);
                until = until.max(end);
            }
        }
        assert_eq!(profile.total(0), covered * 1000, "{}", path.display());
    }
}
