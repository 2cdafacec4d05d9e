//! Flight recordings of Java against what the JDK's own `jfr print` says of them (`tests/snapshots/jfr/make.py`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, read};
use emberlens::model::{Profile, check, kind};
use serde_json::Value;

use crate::{corpus, naive};

fn open(path: &Path) -> Profile {
    let bytes = std::fs::read(path).expect("a capture is readable");
    let profile = read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&Ticket::new())).expect("a sound recording");
    assert_eq!(check(&profile), [], "{}", path.display());
    profile
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Column of an event; what the truth counts there.
const COLUMNS: [(&str, &str); 5] = [
    ("jdk.ExecutionSample", "samples"),
    ("jdk.ObjectAllocationSample", "object-allocation-sample"),
    ("jdk.JavaMonitorEnter", "java-monitor-enter"),
    ("jdk.ThreadSleep", "thread-sleep"),
    ("jdk.ThreadPark", "thread-park"),
];

/// Self by function and line of one column.
fn lines(profile: &Profile, column: usize) -> BTreeMap<String, i64> {
    let mut made = BTreeMap::new();
    for (stack, value) in profile.samples.stacks().iter().zip(profile.samples.values(column)) {
        let Some(frame) = stack.map(|stack| profile.stacks.frame(stack)).filter(|_| *value != 0) else { continue };
        let name = format!("{}:{}", profile.frame_name(frame), profile.frames.at(frame).line);
        *made.entry(name).or_insert(0) += value;
    }
    made
}

fn numbers(truth: &Value, key: &str) -> BTreeMap<String, i64> {
    let object = truth[key].as_object().expect("numbers by name");
    object.iter().map(|(name, value)| (name.clone(), value.as_i64().expect("a number"))).collect()
}

fn assert_near(ours: &BTreeMap<String, i64>, theirs: &BTreeMap<String, i64>, slack: i64, what: &str) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what}");
    for (name, value) in theirs {
        assert!((ours[name] - value).abs() <= slack, "{what}: {name} has {}, wanted {value}", ours[name]);
    }
}

fn agrees(path: &Path, truth: &str) -> Profile {
    let profile = open(path);
    let truth: Value =
        serde_json::from_slice(&std::fs::read(root().join("tests/snapshots/jfr").join(truth)).expect("the truth is here")).expect("JSON");
    let mut compared = 0;
    for (event, column) in COLUMNS {
        let (truth, row) = (&truth[event], profile.find_sample_type(column));
        assert_eq!(truth.is_null(), row.is_none(), "{event}");
        let Some(row) = row else { continue };
        let count = truth["count"].as_i64().expect("a number");
        assert_eq!(profile.sample_types[row].records, count as u64, "{event}");
        // Ticks of the clock become nanoseconds by rounding.
        let slack = if profile.sample_types[row].unit == "nanoseconds" { count } else { 0 };
        assert!((profile.total(row) - truth["sum"].as_i64().expect("a number")).abs() <= slack, "{event}");
        let top = naive::top(&profile, row);
        let own = top.iter().filter(|(_, (own, _))| *own != 0).map(|(name, (own, _))| (name.clone(), *own as i64)).collect();
        assert_near(&own, &numbers(truth, "self"), slack, event);
        let total = top.iter().filter(|(_, (_, total))| *total != 0).map(|(name, (_, total))| (name.clone(), *total as i64)).collect();
        assert_near(&total, &numbers(truth, "total"), slack, event);
        assert_near(&lines(&profile, row), &numbers(truth, "lines"), slack, event);
        compared += 1;
    }
    assert!(compared > 0, "{}", path.display());
    profile
}

#[test]
fn recordings_of_the_jvm_say_what_its_own_tool_says() {
    for side in ["before", "after"] {
        let path = root().join(format!("sample-profiles/jfr/openjdk-17/orders-{side}.jfr.gz"));
        let profile = agrees(&path, &format!("orders-{side}.json"));
        let (samples, cpu) = (profile.find_sample_type("samples").unwrap(), profile.find_sample_type("cpu").unwrap());
        // Every 10 ms, as the recording's command says.
        assert_eq!(profile.total(cpu), profile.total(samples) * 10_000_000);
        assert_eq!(profile.default_sample_type, cpu);
        assert_eq!(profile.info.period, Some(("cpu".to_owned(), "nanoseconds".to_owned(), 10_000_000)));
        assert_eq!(profile.info.fact("command"), Some("Orders 600000"));
        assert_eq!(profile.info.tally.skipped, 0);
        assert_eq!(profile.notes.count(kind::NOT_UNDERSTOOD), 0);
    }
}

#[test]
fn recordings_of_async_profiler_say_what_the_tool_of_the_jdk_says() {
    let Some(folder) = corpus::folder() else { return };
    let profile = agrees(&folder.join("third-party/other/pyroscope/dump1.jfr.gz"), "dump1.json");
    assert_eq!(profile.total(profile.find_sample_type("cpu").unwrap()), 21_880_000_000);
    assert_eq!(profile.notes.len(), 0, "{:?}", profile.notes);
}
