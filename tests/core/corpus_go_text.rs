//! Go's text profiles that pprof does not read, or reads without their labels and names, against counts that other tools made.

use std::collections::BTreeMap;

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, read};
use emberlens::model::{LabelValue, Profile, kind};

use crate::corpus::{Entry, inputs};

fn open(entry: &Entry) -> Profile {
    let bytes = std::fs::read(&entry.path).expect("a corpus file is readable");
    let profile = read(&Input { bytes: &bytes, name: &entry.name }, &ReadCx::new(&Ticket::new()));
    profile.unwrap_or_else(|error| panic!("{}: {error}", entry.name))
}

/// Names of the files that only the tests here compare.
pub(crate) fn compared() -> impl Iterator<Item = String> {
    let is_dump = |entry: &Entry| entry.truth.as_ref().is_some_and(|truth| truth["go_text"]["goroutines"].is_u64());
    inputs("go-text").into_iter().filter(move |entry| is_dump(entry) || entry.name.contains("threadcreate")).map(|entry| entry.name)
}

/// How many samples have which value of a text label.
fn by_label(profile: &Profile, key: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for set in profile.samples.labels().iter().flatten() {
        for label in profile.label_sets.get(*set).iter().filter(|label| profile.strings.get(label.key) == key) {
            if let LabelValue::Text(text) = label.value {
                *counts.entry(profile.strings.get(text).to_owned()).or_default() += 1;
            }
        }
    }
    counts
}

#[test]
fn dumps_have_all_goroutines_with_their_states_and_creators() {
    let mut seen = 0;
    for entry in inputs("go-text") {
        let truth = &entry.truth.as_ref().expect("every file has a truth")["go_text"];
        let Some(goroutines) = truth["goroutines"].as_u64() else { continue };
        seen += 1;
        let profile = open(&entry);
        assert_eq!((profile.samples.len() as u64, profile.total(0)), (goroutines, goroutines as i64), "{}", entry.name);
        let wanted: BTreeMap<String, u64> =
            truth["states"].as_object().unwrap().iter().map(|(state, count)| (state.clone(), count.as_u64().unwrap())).collect();
        assert_eq!(by_label(&profile, "state"), wanted, "{}", entry.name);
        let creators: u64 = by_label(&profile, "created by").values().sum();
        assert_eq!(creators, truth["created_by_lines"].as_u64().unwrap(), "{}", entry.name);
        assert_eq!(profile.notes.count(kind::CUT_STACKS), truth["elided_frames_notes"].as_u64().unwrap(), "{}", entry.name);
        assert_eq!(profile.notes.count(kind::NOT_UNDERSTOOD), 0, "{}: {:?}", entry.name, profile.notes);
        assert!(profile.frames.iter().all(|frame| frame.function.is_some() && frame.line > 0), "{}", entry.name);
    }
    assert!(seen >= 8 || crate::corpus::folder().is_none(), "{seen} dumps");
}

#[test]
fn threadcreate_text_of_real_servers_loads() {
    let mut seen = 0;
    for entry in inputs("go-text").into_iter().filter(|entry| entry.name.contains("threadcreate")) {
        let text = std::fs::read_to_string(&entry.path).expect("text");
        let total = text.lines().next().and_then(|line| line.rsplit(' ').next()).and_then(|total| total.parse::<i64>().ok());
        let profile = open(&entry);
        assert_eq!((Some(profile.total(0)), profile.sample_types[0].name.as_str()), (total, "threadcreate"), "{}", entry.name);
        assert_eq!(profile.notes.count(kind::NO_STACK), 1, "{}", entry.name);
        seen += 1;
    }
    assert!(seen == 5 || crate::corpus::folder().is_none(), "{seen} files");
}

#[test]
fn labels_and_names_of_goroutine_text_are_kept() {
    let mut seen = 0;
    for entry in inputs("go-text").into_iter().filter(|entry| entry.name.contains("goroutine") && entry.name.contains("debug1")) {
        let text = std::fs::read_to_string(&entry.path).expect("text");
        let labelled = text.lines().filter(|line| line.starts_with("# labels: {\"test_label\":\"test_value\"}")).count() as u64;
        let profile = open(&entry);
        assert_eq!(by_label(&profile, "test_label").values().sum::<u64>(), labelled, "{}", entry.name);
        let named = text.lines().filter(|line| line.starts_with("#\t0x") && line.contains("+0x")).count();
        let frames: usize = profile
            .samples
            .stacks()
            .iter()
            .map(|stack| profile.stack_frames(*stack).filter(|&frame| profile.frames.at(frame).function.is_some()).count())
            .sum();
        // Addresses that one stack hides are named by another.
        assert!(frames >= named && named > 20, "{}: {frames} of {named}", entry.name);
        seen += 1;
    }
    assert!(seen == 2 || crate::corpus::folder().is_none(), "{seen} files");
}
