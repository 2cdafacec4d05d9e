//! Large inputs in every text format, made from the sample profiles by saying the same again.
//!
//! Deliberately absent: pprof, which has a generator of its own, and perf.data, whose samples have to be recorded.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Name and bytes, each of about `bytes` bytes.
pub(crate) fn texts(bytes: usize) -> Vec<(String, Vec<u8>)> {
    let mut made = Vec::new();
    for (name, path) in [
        ("perf script", "perf-script/6.1.187/indexer-before.txt"),
        ("folded", "folded/perf-6.1.187/indexer-before.folded"),
        ("goroutines", "go-text/go1.27.3/forms-goroutine-debug2.txt"),
        ("heap text", "go-text/go1.27.3/forms-heap-debug1.txt"),
    ] {
        made.extend(seed(path).map(|seed| (name.to_owned(), seed.repeat(bytes / seed.len().max(1) + 1))));
    }
    for (name, path, lists) in [
        (
            "speedscope",
            "speedscope/py-spy-0.4.3/report-before.speedscope.json",
            &[&["profiles", "0", "samples"][..], &["profiles", "0", "weights"]][..],
        ),
        ("cpuprofile", "cpuprofile/node-20.20.2/report-before.cpuprofile", &[&["samples"], &["timeDeltas"]]),
        ("Chrome trace", "chrome-trace/node-20.20.2/report.trace", &[&["traceEvents"]]),
        (
            "Firefox",
            "firefox/by-definition/processed-41.json",
            &[&["threads", "0", "samples", "stack"], &["threads", "0", "samples", "time"], &["threads", "0", "samples", "threadCPUDelta"]],
        ),
    ] {
        made.extend(seed(path).map(|seed| (name.to_owned(), longer(&seed, lists, bytes))));
    }
    made.push(("callgrind".to_owned(), callgrind(bytes)));
    made
}

fn seed(path: &str) -> Option<Vec<u8>> {
    let found = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles").join(path)).ok();
    assert!(found.is_some(), "sample-profiles/{path} is there");
    found
}

/// A JSON document with its lists said again until it is long enough.
fn longer(seed: &[u8], lists: &[&[&str]], bytes: usize) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(seed).expect("a sample profile is JSON");
    let mut length = 1;
    for path in lists {
        length += serde_json::to_vec(list(&mut document, path)).map_or(0, |text| text.len());
    }
    let times = bytes / length + 1;
    for path in lists {
        let list = list(&mut document, path);
        *list = (0..times).flat_map(|_| list.iter().cloned()).collect();
    }
    if let Some(samples) = document.pointer_mut("/threads/0/samples") {
        let count = samples.pointer("/stack").and_then(Value::as_array).map_or(0, Vec::len);
        samples["length"] = count.into();
    }
    serde_json::to_vec(&document).expect("memory takes it")
}

fn list<'v>(document: &'v mut Value, path: &[&str]) -> &'v mut Vec<Value> {
    document.pointer_mut(&format!("/{}", path.join("/"))).and_then(Value::as_array_mut).expect("the sample profile has this list")
}

/// Many functions, each of which calls the next ones.
fn callgrind(bytes: usize) -> Vec<u8> {
    let mut text = String::from("# callgrind format\nversion: 1\npositions: line\nevents: Ir\n\n");
    let mut number = 1_u64;
    while text.len() < bytes {
        let (one, two) = (number + 1 + number % 7, number + 2 + number % 13);
        write!(text, "fl=(1) a.c\nfn=({number}) function_{number}\n{number} 100\n").expect("text is written to memory");
        write!(text, "cfn=({one}) function_{one}\ncalls=3 {one}\n{number} 30\n").expect("text is written to memory");
        write!(text, "cfn=({two}) function_{two}\ncalls=1 {two}\n{number} 20\n\n").expect("text is written to memory");
        number += 1;
    }
    text.into_bytes()
}
