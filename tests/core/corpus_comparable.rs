//! The check of what differs between two captures, over neighbours in the corpus: a row is there exactly where perf's and pprof's own accounts of the two
//! files differ.

#![expect(clippy::print_stdout, reason = "says how much was compared")]

use std::collections::BTreeMap;
use std::sync::Arc;

use emberlens::analysis::comparable::{Compared, Difference, check};
use emberlens::analysis::comparison::Normalization;
use emberlens::analysis::part::WHOLE;
use emberlens::format::{Input, ReadCx};
use emberlens::model::Profile;

use crate::corpus::{Entry, inputs};

/// Captures of a format of which a truth can be made and which can be read, with that truth.
fn captures<T>(format: &str, truth: impl Fn(&serde_json::Value) -> Option<T>) -> Vec<(String, Arc<Profile>, T)> {
    let open = |entry: Entry| {
        let truth = truth(entry.truth.as_ref()?)?;
        let bytes = std::fs::read(&entry.path).ok()?;
        let ticket = emberlens::base::ticket::Ticket::new();
        let profile = emberlens::format::read(&Input { bytes: &bytes, name: &entry.name }, &ReadCx::new(&ticket)).ok()?;
        Some((entry.name, Arc::new(profile), truth))
    };
    inputs(format).into_iter().filter_map(open).collect()
}

fn differences(before: &Arc<Profile>, after: &Arc<Profile>) -> Vec<Difference> {
    let side = |capture| Compared { captures: std::slice::from_ref(capture), part: &WHOLE };
    let kind = before.sample_types.first().map_or(("", ""), |kind| (kind.name.as_str(), kind.unit.as_str()));
    check(&side(before), &side(after), kind, &Normalization::Share)
}

/// Each capture and the next, and each and the third after it, which is mostly of another program.
fn neighbours<T>(captures: &[(String, Arc<Profile>, T)]) -> impl Iterator<Item = [&(String, Arc<Profile>, T); 2]> {
    [1, 3].into_iter().flat_map(move |step| captures.iter().zip(captures.iter().skip(step)).map(|(a, b)| [a, b]))
}

/// Names of perf's header, and of our rows.
const FACTS: [(&str, &str); 8] = [
    ("hostname", "host"),
    ("os release", "kernel"),
    ("arch", "architecture"),
    ("cpudesc", "processor"),
    ("cpuid", "processor id"),
    ("total memory", "memory"),
    ("perf version", "perf version"),
    ("cmdline", "command"),
];

#[test]
fn rows_about_machines_and_commands_follow_the_headers_that_perf_prints() {
    let header = |truth: &serde_json::Value| {
        let lines = truth["perf_data"]["header"].as_array()?.iter().filter_map(|line| line.as_str()?.strip_prefix("# ")?.split_once(" : "));
        Some(lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect::<BTreeMap<String, String>>())
    };
    let captures = captures("perf-data", header);
    let (mut pairs, mut rows) = (0, 0);
    for [(a_name, a, a_facts), (b_name, b, b_facts)] in neighbours(&captures) {
        let found = differences(a, b);
        for (key, what) in FACTS {
            // Names of hosts were taken out of some of the accounts.
            let Some((a_said, b_said)) = a_facts.get(key).zip(b_facts.get(key)) else { continue };
            // What is said without a value is not said.
            let is_said = !a_said.trim().is_empty() && !b_said.trim().is_empty();
            let wanted = (is_said && a_said != b_said).then(|| [a_said.trim(), b_said.trim()]);
            let row = found.iter().find(|row| row.what == what).map(|row| [row.before.trim(), row.after.trim()]);
            assert_eq!(row, wanted, "{what} of {a_name} and {b_name}");
            rows += usize::from(row.is_some());
        }
        pairs += 1;
    }
    println!("{pairs} pairs of perf captures with {rows} differences");
    assert!(captures.is_empty() || rows > 20, "{rows} rows of {} captures", captures.len());
}

#[test]
fn rows_about_durations_and_periods_follow_what_pprof_prints() {
    let facts = |truth: &serde_json::Value| {
        let pprof = truth.get("pprof")?;
        Some((pprof["duration_nanos"].as_str()?.parse::<i64>().ok()?, pprof["period"].as_str()?.parse::<i64>().ok()?))
    };
    let captures = captures("pprof", facts);
    let (mut pairs, mut durations, mut periods) = (0, 0, 0);
    for [(a_name, a, a_facts), (b_name, b, b_facts)] in neighbours(&captures) {
        let found = differences(a, b);
        let is_there = |what: &str| found.iter().any(|row| row.what == what);
        let differ = match (a_facts.0, b_facts.0) {
            (a, b) if a > 0 && b > 0 => a.abs_diff(b) as f64 > 0.02 * a.max(b) as f64,
            (a, b) => (a > 0) != (b > 0),
        };
        assert_eq!(is_there("duration"), differ, "durations {} and {} of {a_name} and {b_name}", a_facts.0, b_facts.0);
        let unit = |profile: &Profile| profile.info.period.as_ref().map(|(_, unit, _)| unit.clone());
        let has_periods = a_facts.1 > 0 && b_facts.1 > 0;
        assert_eq!(
            is_there("period"),
            has_periods && (a_facts.1 != b_facts.1 || unit(a) != unit(b)),
            "periods {} and {} of {a_name} and {b_name}",
            a_facts.1,
            b_facts.1
        );
        durations += usize::from(differ);
        periods += usize::from(is_there("period"));
        pairs += 1;
    }
    println!("{pairs} pairs of pprof captures, {durations} of other durations, {periods} of other periods");
    assert!(
        captures.is_empty() || durations > 20 && periods > 10,
        "{durations} durations and {periods} periods of {} captures",
        captures.len()
    );
}
