//! Files of neighbouring tools against plain sums over a tree of values that an independent JSON parser made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, read};
use emberlens::model::{Profile, check};
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
