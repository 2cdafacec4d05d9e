//! `peek` and `labels` against `go tool pprof -peek` and `-tags` of Go 1.27.3 on the same captures.

use serde_json::Value;

use crate::cli::{assert_keys, failure, json, sample, stdout};

fn cpu() -> String {
    sample("pprof/go1.27.3/orders-cpu-before.pb.gz")
}

/// Names with milliseconds.
fn rows(list: &Value, value: &str) -> Vec<(String, i64)> {
    let of = |row: &Value| (row["name"].as_str().expect("a name").to_owned(), row[value].as_i64().expect("a number") / 1_000_000);
    list.as_array().expect("a list").iter().map(of).collect()
}

fn owned(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

#[test]
fn callers_and_callees_are_those_of_pprof() {
    let report = json(&["peek", "^runtime.mallocgc$|^sort.insertionSort", &cpu(), "--json"]);
    assert_keys(&report, &["file", "sample_type", "unit", "by", "filters", "total", "denominator", "function_count", "functions"]);
    assert_eq!((report["total"].as_i64(), report["function_count"].as_i64()), (Some(4_440_000_000), Some(2)));
    assert_eq!(rows(&report["functions"], "total"), owned(&[("runtime.mallocgc", 330), ("sort.insertionSort_func", 120)]));
    assert_eq!(rows(&report["functions"], "self"), owned(&[("runtime.mallocgc", 0), ("sort.insertionSort_func", 10)]));
    let [malloc, sort] = [&report["functions"][0], &report["functions"][1]];
    let callers = [
        ("runtime.makeslice", 140),
        ("runtime.newarray", 110),
        ("runtime.newobject", 30),
        ("runtime.slicebytetostring", 30),
        ("runtime.growslice", 20),
    ];
    assert_eq!(rows(&malloc["callers"], "value"), owned(&callers));
    let callees = [
        ("runtime.mallocgcSmallNoscan", 120),
        ("runtime.mallocgcSmallScanNoHeader", 80),
        ("runtime.mallocgcSmallScanHeader", 40),
        ("runtime.mallocgcTinySC2", 40),
        ("runtime.mallocgcSmallScanNoHeaderSC4", 20),
        ("runtime.mallocgcSmallScanNoHeaderSC5", 20),
        ("runtime.mallocgcSmallNoScanSC6", 10),
    ];
    assert_eq!(rows(&malloc["callees"], "value"), owned(&callees));
    assert_eq!(rows(&sort["callers"], "value"), owned(&[("sort.pdqsort_func", 120)]));
    assert_eq!(rows(&sort["callees"], "value").iter().map(|row| row.1).collect::<Vec<_>>(), [60, 20, 20, 10]);
}

#[test]
fn a_call_counts_once_a_sample_also_in_recursions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.folded").display().to_string();
    std::fs::write(&path, "main;f;g;f;g;f 10\nmain;f;f 5\nmain;g 1\n").unwrap();
    let report = json(&["peek", "^f$", &path, "--json"]);
    let f = &report["functions"][0];
    assert_eq!((f["self"].as_i64(), f["total"].as_i64()), (Some(15), Some(15)));
    let list = |key: &str| -> Vec<(String, i64)> {
        let of = |row: &Value| (row["name"].as_str().unwrap_or_default().to_owned(), row["value"].as_i64().unwrap_or(-1));
        f[key].as_array().expect("a list").iter().map(of).collect()
    };
    assert_eq!(list("callers"), owned(&[("main", 15), ("g", 10), ("f", 5)]));
    assert_eq!(list("callees"), owned(&[("g", 10), ("f", 5)]));
}

#[test]
fn what_is_peeked_at_stands_between_its_callers_and_callees() {
    let text = stdout(&["peek", r"\.Discount$", &cpu()]);
    let at = |name: &str| text.find(name).unwrap_or_else(|| panic!("{name} in {text}"));
    assert!(at("|   orders/internal/api.(*API).placeOrder") < at("| orders/internal/pricing.(*Engine).Discount"));
    assert!(at("| orders/internal/pricing.(*Engine).Discount") < at("|   runtime.mapaccess2"));
    assert!(text.contains("100 % = 4.44 s cpu"), "{text}");
    let (code, why) = failure(&["peek", "nowhere", &cpu()]);
    assert!(code == 1 && why.contains("no function that is shown matches /nowhere/"), "{code} {why}");
}

#[test]
fn labels_hold_what_pprof_says() {
    let values = |arguments: &[&str]| -> (Option<i64>, Vec<(String, i64)>, Option<i64>) {
        let report = json(&[&["labels", &cpu(), "--json"], arguments].concat());
        let label = &report["labels"][0];
        assert_eq!((label["key"].as_str(), report["labels"].as_array().map(Vec::len)), (Some("endpoint"), Some(1)));
        let of = |row: &Value| (row["value"].as_str().expect("a text").to_owned(), row["total"].as_i64().expect("a number") / 1_000_000);
        let rows = label["values"].as_array().expect("a list").iter().map(of).collect();
        let ms = |key: &str| label[key].as_i64().map(|nanos| nanos / 1_000_000);
        (ms("total"), rows, ms("without"))
    };
    let all = [("place-order", 1430), ("search", 400), ("bestsellers", 280), ("recent-orders", 30)];
    assert_eq!(values(&[]), (Some(2140), owned(&all), Some(2300)));
    assert_eq!(values(&["--focus", "Discount"]), (Some(460), owned(&all.map(|(name, _)| (name, 460))[..1]), Some(0)));
    assert_eq!(values(&["--label", "endpoint=search", "--keys", "point"]), (Some(400), owned(&all[1..2]), Some(0)));
    let text = stdout(&["tags", &cpu()]);
    assert!(text.contains("endpoint: 2.14 s, 48.2 %") && text.contains("(without)"), "{text}");
    for (arguments, wanted) in
        [(&["--keys", "nowhere"][..], "whose key matches /nowhere/"), (&["--focus", "gcBgMarkWorker"], "no sample that is shown")]
    {
        let (code, why) = failure(&[&["labels", &cpu()], arguments].concat());
        assert!(code == 1 && why.contains(wanted), "{code} {why}");
    }
}

/// `go tool pprof -relative_percentages -focus=encoding` with `-peek` and `-tags`: 60 ms are 6.74 % of 890 ms, 680 ms are 76.40 %.
#[test]
fn percentages_are_of_what_filters_leave_where_asked_for() {
    let after = sample("pprof/go1.27.3/orders-cpu-after.pb.gz");
    let options = [&*after, "--focus", "encoding", "--relative-percentages"];
    let peek = stdout(&[&["peek", "jsonwire.AppendQuote$"], &options[..]].concat());
    assert!(peek.contains("100 % = 890 ms cpu") && peek.contains("60.00    6.74"), "{peek}");
    let labels = stdout(&[&["labels"], &options[..]].concat());
    assert!(labels.contains("100 % = 890 ms cpu") && labels.contains("76.40"), "{labels}");
}
