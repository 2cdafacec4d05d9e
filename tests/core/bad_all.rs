//! Every hostile file of the corpus through `emberlens info` and through the product behind the window, within the memory that the
//! corpus allows; and what cannot be stored: bombs, a folder, pipes, devices.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use emberlens::app::{App, Command as Act, Options};
use serde_json::Value;

use crate::cli::{program, sample};
use crate::corpus::folder;

/// Largest address space of a run in KiB: the corpus wants less than 2 GiB of memory, and this counts what is only reserved, too.
const MEMORY_KIB: u64 = 2 << 20;

/// Files that may be refused or read with a note, and are read whole without one: nothing of them is lost.
const READ_WHOLE: [(&str, &str); 4] = [
    ("gz-in-gz.pb.gz", "only the container is odd: the profile in it is whole"),
    ("zlib-not-gzip.pb.gz", "the same"),
    ("folded-negative.txt", "differences hold negative counts; the net and the sum of absolute values are shown"),
    ("folded-spaces-tabs.txt", "both stacks have their counts; blank lines and comments say nothing"),
];

/// A hostile input and what is expected of it.
struct Bad {
    name: String,
    path: PathBuf,
    expect: String,
    /// The reference parser takes it without a word: a bit of a name or of an address was turned.
    reference_accepts: bool,
}

fn bad(list: &[Value], folder: &Path) -> Vec<Bad> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    list.iter()
        .map(|entry| Bad {
            name: text(&entry["file"]),
            // An absolute name stays what it is.
            path: folder.join(text(&entry["file"])),
            expect: text(&entry["expect"]),
            reference_accepts: entry["reference"]["pprof_parser"] == "accepted",
        })
        .collect()
}

/// What `info --json` says under the limit of memory: its document, or its error.
fn info(path: &Path) -> Result<Value, String> {
    let program = program();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {MEMORY_KIB}; exec \"$0\" info --json \"$1\"")).arg(program.get_program()).arg(path);
    command.envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = command.stdin(Stdio::null()).output().expect("a shell starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    // A signal has no exit code; a panic has 101.
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).expect("the output is JSON")),
        Some(1) if !stderr.trim().is_empty() && output.stdout.is_empty() => Err(stderr),
        code => panic!("{}: exit code {code:?}, {stderr}", path.display()),
    }
}

/// The reason that the window would show, `None` where it shows the capture.
fn shown(app: &mut App, path: &Path) -> Option<String> {
    app.apply(Act::Open(vec![path.to_owned()]));
    app.settle();
    let failure = app.failure().map(|(_, why)| why.clone());
    app.apply(Act::CloseAll);
    failure
}

/// Holds every input to its expectation; what is wrong, as text.
fn wrong_ones(list: &[Bad]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut app = App::new(Options { inline: true, ..Options::default() });
    for Bad { name, path, expect, reference_accepts } in list {
        let said = info(path);
        let is_whole = *reference_accepts || READ_WHOLE.iter().any(|(known, _)| known == name);
        match (expect.as_str(), &said) {
            ("error" | "either", Err(error)) => {
                // One message that names the file and the cause.
                if !error.trim_end().ends_with(&path.display().to_string()) || error.contains("panicked") {
                    wrong.push(format!("{name}: the error does not end in the path: {error}"));
                }
            }
            ("ok", Ok(_)) => {}
            ("partial" | "either", Ok(info)) if is_whole || !info["notes"].as_array().expect("a list").is_empty() => {}
            (_, Ok(info)) => wrong.push(format!("{name}: {expect} was expected, {} samples came without a note", info["samples"])),
            (_, Err(error)) => wrong.push(format!("{name}: {expect} was expected, not {error}")),
        }
        let window = shown(&mut app, path);
        if window.is_some() != said.is_err() {
            wrong.push(format!("{name}: the window says {window:?}, info {said:?}"));
        }
    }
    // The rest of the program stays usable.
    assert_eq!(shown(&mut app, Path::new(&sample("pprof/go1.27.3/orders-cpu-before.pb.gz"))), None);
    wrong
}

#[test]
fn every_stored_bad_file_meets_its_expectation_in_info_and_in_the_window() {
    let Some(folder) = folder().map(|folder| folder.join("bad")) else { return };
    let text = std::fs::read_to_string(folder.join("BAD.json")).expect("the bad files have a list");
    let listed: Value = serde_json::from_str(&text).expect("the list is JSON");
    let list = bad(listed["files"].as_array().expect("a list of files"), &folder);
    let names: BTreeSet<&str> = list.iter().map(|bad| bad.name.as_str()).collect();
    for entry in std::fs::read_dir(&folder).expect("the folder is readable") {
        let name = entry.expect("an entry is readable").file_name().to_string_lossy().into_owned();
        let is_own = ["BAD.json", "make_bad.py"].contains(&name.as_str()) || name.contains(".truth.");
        assert!(is_own || names.contains(name.as_str()), "{name} stands in no list");
    }
    let wrong = wrong_ones(&list);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), list.len(), wrong.join("\n"));
    println!("{} files", list.len());
}

#[test]
fn bombs_folders_pipes_and_devices_are_refused() {
    let Some(script) = folder().map(|folder| folder.join("bad/make_bad.py")) else { return };
    let made = tempfile::tempdir().expect("a folder");
    let Ok(output) = Command::new("python3").arg(script).arg("live").arg(made.path()).output() else {
        println!("skipped: no python3 to make them");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).expect("the list is JSON");
    let mut list = bad(&listed, made.path());
    assert!(list.len() >= 10, "only {} were made", list.len());
    // Who may read everything reads this, too.
    for bad in list.iter_mut().filter(|bad| bad.name == "unreadable.pb.gz" && std::fs::read(&bad.path).is_ok()) {
        "ok".clone_into(&mut bad.expect);
    }
    let wrong = wrong_ones(&list);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} inputs", list.len());
}
