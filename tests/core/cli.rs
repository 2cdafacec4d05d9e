//! The program as other programs see it: output, keys, numbers, errors, exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A command that never opens a window, and keeps no symbols.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emberlens"));
    command.env("XDG_CACHE_HOME", "/dev/null");
    command
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles")
}

pub(crate) fn sample(name: &str) -> String {
    samples().join(name).display().to_string()
}

pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    program().args(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

/// Standard output of a run that must end well and say nothing else.
pub(crate) fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments:?}: {:?}, {stderr}", output.status);
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

pub(crate) fn json(arguments: &[&str]) -> Value {
    let text = stdout(arguments);
    assert!(text.starts_with("{\n  \"schema\": 1,\n"), "{arguments:?}: the schema comes first, found {:?}", text.get(..40));
    serde_json::from_str(&text).expect("output is JSON")
}

/// Exit code and standard error of a run that must fail and print no result.
pub(crate) fn failure(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?} printed {}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

pub(crate) fn assert_keys(value: &Value, wanted: &[&str]) {
    let found = keys(value);
    for key in wanted {
        assert!(found.contains(key), "{key} is missing in {found:?}");
    }
}

fn is_known(path: &str) -> bool {
    let format = path.split('/').next().unwrap_or_default();
    emberlens::format::FORMATS.iter().any(|known| known.name() == format)
}

/// Captures of formats that this build reads, paths from `sample-profiles`.
fn captures() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a sample folder is readable") {
            let path = entry.expect("an entry is readable").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    for format in emberlens::format::FORMATS {
        let folder = samples().join(format.name());
        if folder.is_dir() {
            walk(&folder, &mut found);
        }
    }
    found.sort();
    assert!(found.len() >= 20, "only {} sample captures were found", found.len());
    found.into_iter().map(|path| path.display().to_string()).collect()
}

/// The pairs of `expected.json` that this build can read.
pub(crate) fn pairs() -> Vec<Value> {
    let text = std::fs::read_to_string(samples().join("expected.json")).expect("expected.json is readable");
    let all: Value = serde_json::from_str(&text).expect("expected.json is JSON");
    let pairs = all["pairs"].as_array().expect("pairs").clone();
    pairs.into_iter().filter(|pair| is_known(pair["before"].as_str().unwrap_or_default())).collect()
}

const CPU: &str = "pprof/go1.27.3/orders-cpu-before.pb.gz";
const CPU_AFTER: &str = "pprof/go1.27.3/orders-cpu-after.pb.gz";

#[test]
fn info_has_the_documented_keys_and_pprofs_numbers() {
    let info = json(&["info", &sample(CPU), "--json"]);
    assert_keys(
        &info,
        &[
            "format",
            "container",
            "samples",
            "stacks",
            "functions",
            "frames_without_name",
            "threads",
            "duration_ns",
            "default_sample_type",
            "sample_types",
            "labels",
            "notes",
            "facts",
        ],
    );
    assert_eq!((&info["format"], &info["container"]), (&Value::from("pprof"), &Value::from("gzip")));
    assert_eq!(info["default_sample_type"], "cpu");
    let types = info["sample_types"].as_array().expect("a list");
    let rows: Vec<_> = types
        .iter()
        .map(|kind| (kind["type"].as_str().unwrap(), kind["unit"].as_str().unwrap(), kind["total"].as_i64().unwrap()))
        .collect();
    // As `go tool pprof -raw` and `-top` of go1.27.3 give them: 444 samples of 10 ms.
    assert_eq!(rows, [("samples", "count", 444), ("cpu", "nanoseconds", 4_440_000_000)]);
    assert_eq!(info["labels"][0]["key"], "endpoint");
    assert!(info["duration_ns"].as_i64().unwrap() > 19_000_000_000);
}

#[test]
fn every_sample_capture_can_be_described_and_summed_up() {
    for path in captures() {
        let info = json(&["info", &path, "--json"]);
        assert!(!stdout(&["info", &path]).is_empty());
        for kind in info["sample_types"].as_array().expect("a list") {
            let name = format!("{}/{}", kind["type"].as_str().unwrap(), kind["unit"].as_str().unwrap());
            let top = json(&["top", &path, "--json", "-n", "0", "--sample-type", &name]);
            let rows = top["rows"].as_array().expect("a list");
            assert_eq!(top["row_count"], rows.len(), "{path} {name}");
            let sum: f64 = rows.iter().map(|row| row["self"].as_f64().unwrap()).sum::<f64>() + top["no_stack"].as_f64().unwrap();
            let total = kind["total"].as_f64().unwrap();
            assert!((sum - total).abs() <= 1e-9 * total.abs(), "{path} {name}: rows add up to {sum}, info says {total}");
            assert_eq!(top["total"], kind["total"], "{path} {name}");
        }
    }
}

#[test]
fn top_gives_the_values_that_independent_tools_give() {
    let pairs = pairs();
    assert!(pairs.len() >= 15, "only {} pairs", pairs.len());
    for pair in pairs {
        for (side, value) in [("before", "before_value"), ("after", "after_value")] {
            let path = sample(pair[side].as_str().unwrap());
            // perf.data holds addresses: its programs lie beside it.
            let programs = sample("sysroot");
            let mut arguments = vec!["top", &path, "--json", "-n", "0", "--symbols", &programs];
            if let Some(name) = pair["sample_type"].as_str().filter(|_| !pair["before"].as_str().unwrap().starts_with("folded")) {
                arguments.extend(["--sample-type", name]);
            }
            let top = json(&arguments);
            let function = &pair["function"];
            let measure = pair["measure"].as_str().unwrap();
            let row = top["rows"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["name"] == *function)
                .unwrap_or_else(|| panic!("{function} in {path}"));
            assert_eq!(row[measure], pair[value], "{} {side}", pair["name"]);
        }
    }
}

#[test]
fn top_can_be_cut_ordered_grouped_and_filtered() {
    let path = sample(CPU);
    let names = |arguments: &[&str]| -> Vec<String> {
        let all: Vec<&str> = ["top", &path, "--json"].iter().chain(arguments).copied().collect();
        json(&all)["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["-n", "2"]), ["internal/runtime/syscall/linux.Syscall6", "runtime.futex"]);
    assert_eq!(names(&["-n", "1", "--cum"]).len(), 1);
    assert!(names(&["--by", "package", "-n", "0"]).contains(&"orders/internal/pricing".to_owned()));
    let focused = json(&["top", &path, "--json", "-n", "0", "--focus", "Discount$"]);
    assert_eq!(focused["selected"], 460_000_000, "pprof -focus shows the same sum");
    assert_eq!(focused["total"], 4_440_000_000_i64, "the whole does not depend on the filter");
    let ignored = json(&["top", &path, "--json", "--ignore", "Discount$"]);
    assert_eq!(ignored["selected"], 4_440_000_000_i64 - 460_000_000);
    let labelled = |value: &str| json(&["top", &path, "--json", "--label", value])["selected"].as_i64().unwrap();
    let every = ["place-order", "search", "bestsellers", "recent-orders", ""].map(|value| labelled(&format!("endpoint={value}")));
    assert_eq!(every.iter().sum::<i64>(), 4_440_000_000, "labels and their absence share out all samples");
}

#[test]
fn text_says_what_percentages_are_of() {
    let text = stdout(&["top", &sample(CPU), "-n", "3"]);
    assert!(text.contains("100 % = 4.44 s cpu\n"), "{text}");
    let table: Vec<String> =
        text.lines().skip_while(|line| !line.is_empty()).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    // The numbers of `go tool pprof -top`, with the unit once in the head of the column.
    assert_eq!(
        &table[1..],
        [
            "self (ms) self % sum % total (ms) total % name",
            "760.0 17.12 17.12 760.0 17.12 internal/runtime/syscall/linux.Syscall6",
            "310.0 6.98 24.10 310.0 6.98 runtime.futex",
            "290.0 6.53 30.63 460.0 10.36 orders/internal/pricing.(*Engine).Discount",
        ]
    );
}

#[test]
fn errors_name_the_cause_and_end_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let here = folder.path().display().to_string();
    for (path, cause) in [
        (folder.path().join("none.pb.gz").display().to_string(), "there is no such file"),
        (here, "this is a folder"),
        (file("empty.pb.gz", b""), "the file is empty"),
        (file("notes.txt", b"Dear diary, today nothing happened at all.\nTomorrow perhaps.\n"), "no known format"),
        (file("page.pb.gz", b"<!DOCTYPE html><html><body>404 page not found</body></html>"), "looks like a web page"),
        (file("cut.pb.gz", &[0x1f, 0x8b, 8, 0]), "gzip"),
    ] {
        for subcommand in [vec!["info"], vec!["top"], vec!["export", "-o", "never.svg"]] {
            let arguments: Vec<&str> = subcommand.iter().copied().chain([path.as_str()]).collect();
            let (code, text) = failure(&arguments);
            assert_eq!(code, 1, "{arguments:?}: {text}");
            assert!(text.starts_with("emberlens: ") && text.contains(cause), "{arguments:?}: {text}");
            assert_eq!(text.lines().last().map(str::trim), Some(path.as_str()), "{text}");
        }
    }
    assert!(!Path::new("never.svg").exists());
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let path = sample(CPU);
    for arguments in [
        vec!["top"],
        vec!["info", &path, "--jsn"],
        vec!["top", &path, "--by", "planet"],
        vec!["top", &path, "--max-bytes", "many"],
        vec!["export", &path, "-o", "x.docx"],
        vec!["export", &path, "-o", "x.png", "--size", "0x0"],
        vec!["export", &path, "-o", "x.pb.gz", "--by", "file"],
        vec!["diff", &path],
        vec!["--diff", &path],
        vec!["--diff", &path, &path, "info", &path],
    ] {
        let (code, text) = failure(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains("error: ") && text.contains("--help"), "{text}");
    }
}

#[test]
fn what_does_not_exist_in_the_capture_is_answered_with_what_does() {
    let path = sample(CPU);
    let (code, text) = failure(&["top", &path, "--sample-type", "inuse_space"]);
    assert_eq!(code, 1);
    assert!(text.contains("samples/count, cpu/nanoseconds"), "{text}");
    let (code, text) = failure(&["top", &path, "--thread", "main"]);
    assert_eq!(code, 1);
    assert!(text.contains("names no threads"), "{text}");
    let (code, text) = failure(&["info", &path, "--max-bytes", "1kB"]);
    assert_eq!(code, 1);
    assert!(text.contains("--max-bytes"), "{text}");
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = stdout(&["--help"]);
    for format in emberlens::format::FORMATS {
        assert!(help.contains(format.summary().split(' ').next().unwrap()), "{} is not in the help", format.name());
    }
    assert!(help.contains("Exit codes:") && help.contains("130"), "{help}");
    assert_eq!(stdout(&["--version"]), format!("emberlens {}\n", emberlens::version()));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for path in [sample(CPU), sample("folded/perf-6.1.187/indexer-after.folded")] {
        assert_eq!(
            stdout(&["--threads", "1", "top", &path, "--json", "-n", "0"]),
            stdout(&["top", &path, "--json", "-n", "0", "--threads", "4"])
        );
    }
}

#[test]
fn standard_input_is_a_capture_too() {
    let file = std::fs::File::open(samples().join(CPU)).unwrap();
    let output = program().args(["top", "-", "--json"]).stdin(file).output().unwrap();
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(piped["rows"], json(&["top", &sample(CPU), "--json"])["rows"]);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child =
        program().args(["top", &sample(CPU), "-n", "0", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody reads: the output is larger than a pipe holds, so writing fails.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

pub(crate) fn export(folder: &Path, name: &str, arguments: &[&str]) -> Vec<u8> {
    let out = folder.join(name).display().to_string();
    let all: Vec<&str> = ["export", "-o", &out].into_iter().chain(arguments.iter().copied()).collect();
    assert_eq!(stdout(&all), "");
    std::fs::read(&out).unwrap()
}

#[test]
fn folded_exports_are_what_the_format_writes() {
    let folder = tempfile::tempdir().unwrap();
    for path in captures() {
        let profile = load(&path);
        let folded = export(folder.path(), "x.folded", &[&path, "--all-frames"]);
        let expected = emberlens::format::folded::write_folded(&profile, profile.default_sample_type);
        assert_eq!(String::from_utf8(folded).unwrap(), expected, "{path}");
    }
}

/// Whatever is written of a grouped capture has its groups, and the same values.
#[test]
fn groups_stand_in_tables_pictures_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(CPU);
    let total = |arguments: &[&str], name: &str| -> Value {
        let top = json(arguments);
        let row = top["rows"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned();
        row.map_or(Value::Null, |row| row["total"].clone())
    };
    let name = "endpoint: place-order";
    let wanted = total(&["top", &path, "--json", "-n", "0", "--group-by", "endpoint"], name);
    assert!(wanted.is_number(), "{wanted}");
    export(folder.path(), "x.pb.gz", &[&path, "--group-by", "endpoint"]);
    let written = folder.path().join("x.pb.gz").display().to_string();
    assert_eq!(total(&["top", &written, "--json", "-n", "0"], name), wanted, "read back from pprof");
    let folded = String::from_utf8(export(folder.path(), "x.folded", &[&path, "--group-by", "endpoint"])).unwrap();
    assert!(folded.lines().all(|line| line.starts_with("endpoint: ") || line.starts_with("(no endpoint)")), "{folded}");
    let svg = String::from_utf8(export(folder.path(), "x.svg", &[&path, "--group-by", "endpoint"])).unwrap();
    assert!(svg.contains(name));
    let (code, why) = failure(&["top", &path, "--group-by", "pod"]);
    assert!(code == 1 && why.contains("no sample has a pod to group by; there are endpoint"), "{why}");
}

fn load(path: &str) -> emberlens::model::Profile {
    let options = emberlens::app::load::LoadOptions::default();
    emberlens::app::load::load(Path::new(path), &options, &emberlens::base::ticket::Ticket::new()).unwrap()
}

#[test]
fn a_pprof_export_read_back_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for path in captures() {
        for name in ["x.pb.gz", "x.pb"] {
            export(folder.path(), name, &[&path]);
            let again = folder.path().join(name).display().to_string();
            // The written file has the names that were found. It does not say where it was recorded, so more could be found for it here.
            let again = json(&["top", &again, "--json", "-n", "0", "--no-symbols"]);
            let (before, after) = (json(&["top", &path, "--json", "-n", "0"]), again);
            let rows = |top: &Value| -> Vec<(String, String, String)> {
                // Frames without a function are named by their address, and pprof keeps the address of the call and not the one after it.
                let rows = top["rows"].as_array().unwrap().iter().filter(|row| !row["name"].as_str().unwrap().contains("0x"));
                rows.map(|row| (row["name"].to_string(), row["self"].to_string(), row["total"].to_string())).collect()
            };
            assert_eq!(rows(&before), rows(&after), "{path} as {name}");
            assert_eq!(
                (&before["sample_type"], &before["unit"], &before["total"]),
                (&after["sample_type"], &after["unit"], &after["total"]),
                "{path}"
            );
        }
    }
}

#[test]
fn a_pprof_export_of_a_pair_is_after_minus_before() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (sample(CPU), sample(CPU_AFTER));
    export(folder.path(), "diff.pb.gz", &["--diff", &before, &after]);
    let path = folder.path().join("diff.pb.gz").display().to_string();
    let total = |path: &str| json(&["top", path, "--json"])["total"].as_i64().unwrap();
    assert_eq!(total(&path), total(&after) - total(&before));
    let base = json(&["top", &path, "--json", "--label", "pprof::base=true"]);
    assert_eq!(base["selected"].as_i64(), Some(-total(&before)));
}

/// `go tool pprof -top -diff_base before after`, and the same of the file that it or Emberlens saves: percentages are of the side before.
#[test]
fn percentages_of_a_saved_comparison_are_of_the_side_before() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path(), "diff.pb.gz", &["--diff", &sample(CPU), &sample(CPU_AFTER)]);
    let path = folder.path().join("diff.pb.gz").display().to_string();
    let report = json(&["top", &path, "--json", "-n", "3"]);
    assert_eq!((report["denominator"].as_i64(), report["total"].as_i64()), (Some(4_440_000_000), Some(2_520_000_000)));
    let ms = |row: &Value, key: &str| row[key].as_i64().map(|nanos| nanos / 1_000_000);
    let rows: Vec<_> =
        report["rows"].as_array().unwrap().iter().map(|row| (row["name"].clone(), ms(row, "self"), ms(row, "total"))).collect();
    let wanted = [
        ("orders/internal/pricing.(*Engine).Discount", 1840, 2750),
        ("internal/runtime/syscall/linux.Syscall6", -250, -250),
        ("internal/runtime/maps.ctrlGroup.matchH2", 200, 200),
    ];
    assert_eq!(rows, wanted.map(|(name, own, total)| (Value::from(name), Some(own), Some(total))));
    let text = stdout(&["top", &path, "-n", "3"]);
    for wanted in ["100 % = 4.44 s cpu", "of the side before", "41.44", "61.94", "35.81", "4.50"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn svg_exports_are_well_formed_and_name_the_functions() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs: Vec<Vec<String>> = captures().into_iter().map(|path| vec![path]).collect();
    inputs.push(vec!["--diff".to_owned(), sample(CPU), sample(CPU_AFTER)]);
    inputs.push(vec![sample(CPU), "--theme".to_owned(), "dark".to_owned(), "--size".to_owned(), "900x500".to_owned()]);
    for arguments in inputs {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let svg = String::from_utf8(export(folder.path(), "x.svg", &arguments)).unwrap();
        let names = check_xml(&svg).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        assert_eq!(names.first().map(String::as_str), Some("svg"));
        assert!(names.iter().filter(|name| *name == "title").count() > 3, "{arguments:?} draws no boxes");
        assert!(svg.contains("100 % = ") || svg.contains("per second of "), "{arguments:?} does not say what 100 % is");
    }
    let svg = String::from_utf8(export(folder.path(), "x.svg", &[&sample(CPU)])).unwrap();
    assert!(svg.contains("orders/internal/pricing.(*Engine).Discount"));
}

/// Element names of a document whose tags are balanced and whose attributes and entities are closed; the least that XML asks for.
fn check_xml(text: &str) -> Result<Vec<String>, String> {
    let (mut names, mut open) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        check_entities(&rest[..at])?;
        rest = &rest[at..];
        if let Some(end) = ["<!--", "<![CDATA[", "<?", "<!"].iter().position(|start| rest.starts_with(start)) {
            let close = ["-->", "]]>", "?>", ">"][end];
            rest = rest.split_once(close).ok_or("an unclosed declaration")?.1;
            continue;
        }
        let end = rest.find('>').ok_or("an unclosed tag")?;
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name.trim()) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        if tag.contains('<') || tag.matches('"').count() % 2 == 1 {
            return Err(format!("a broken tag <{tag}>"));
        }
        check_entities(tag)?;
        let name = tag.split([' ', '\n', '\t', '/']).next().unwrap_or_default();
        names.push(name.to_owned());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("control characters".to_owned());
    }
    if open.is_empty() { Ok(names) } else { Err(format!("never closed: {open:?}")) }
}

fn check_entities(text: &str) -> Result<(), String> {
    for part in text.split('&').skip(1) {
        let name = part.split_once(';').map(|(name, _)| name).unwrap_or_default();
        let known = matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") || name.strip_prefix('#').is_some_and(|number| number.len() < 9);
        if !known {
            return Err(format!("a bare & before {:?}", part.get(..20)));
        }
    }
    Ok(())
}

#[test]
fn csv_and_markdown_exports_hold_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(CPU);
    let rows = json(&["top", &path, "--json", "-n", "0"])["row_count"].as_u64().unwrap() as usize;
    let csv = String::from_utf8(export(folder.path(), "x.csv", &[&path])).unwrap();
    assert_eq!(csv.lines().count(), rows + 1);
    assert!(csv.starts_with("name,self,total,file,line,package,module\n"));
    let first: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(first[..3], ["internal/runtime/syscall/linux.Syscall6", "760000000", "760000000"]);
    let markdown = String::from_utf8(export(folder.path(), "x.md", &[&path])).unwrap();
    assert_eq!(markdown.lines().filter(|line| line.starts_with('|')).count(), rows + 2);
}

#[test]
fn the_exported_tree_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (sample(CPU), sample(CPU_AFTER));
    for arguments in [vec![before.as_str()], vec!["--diff", &before, &after]] {
        let tree: Value = serde_json::from_slice(&export(folder.path(), "x.json", &arguments)).unwrap();
        assert_eq!(tree["schema"], 1);
        let nodes = tree["nodes"].as_array().unwrap();
        for (side, told) in tree["sides"].as_array().unwrap().iter().enumerate() {
            let mut totals: Vec<i64> = nodes.iter().map(|node| node["self"][side].as_i64().unwrap()).collect();
            for row in (1..nodes.len()).rev() {
                let parent = nodes[row]["parent"].as_u64().unwrap() as usize;
                assert!(parent < row);
                totals[parent] += totals[row];
            }
            let said: Vec<i64> = nodes.iter().map(|node| node["total"][side].as_i64().unwrap()).collect();
            assert_eq!(totals, said);
            assert_eq!(told["total"], totals[0]);
        }
    }
}

#[test]
fn addresses_get_names_from_the_given_folder_and_only_when_wanted() {
    let (path, programs) = (sample("perf-data/6.1.187/indexer-after.perf.data"), sample("sysroot"));
    let first = |arguments: &[&str]| {
        let all: Vec<&str> = ["top", &path, "--json", "-n", "1"].iter().chain(arguments).copied().collect();
        json(&all)["rows"][0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(first(&["--symbols", &programs]), "find_term");
    assert!(first(&["--no-symbols"]).starts_with("indexer+0x"));
    assert_eq!(failure(&["info", &path, "--no-symbols", "--symbols", &programs]).0, 2);
}

#[test]
fn a_script_drives_the_program_without_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let svg = folder.path().join("view.svg");
    let pair = format!("open-comparison [{:?}, {:?}]\n", sample(CPU), sample(CPU_AFTER));
    let good =
        write("good", &format!("# the sample pair\n{pair}search pricing\nprint\nexport {:?}\nquit\nopen nowhere.pb.gz\n", svg.display()));
    let text = stdout(&["run", &good]);
    assert!(text.contains("comparison: before orders-cpu-before.pb.gz") && text.contains("Discount"), "{text}");
    assert!(check_xml(&std::fs::read_to_string(&svg).unwrap()).is_ok());
    for (name, script, why) in [
        ("word", "fly away\n".to_owned(), "line 1: `fly`"),
        ("file", "open nowhere.pb.gz\n".to_owned(), "there is no such file"),
        ("dialog", "choose-files\n".to_owned(), "needs the window"),
    ] {
        let path = write(name, &script);
        let output = run(["run", &path]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{script}: {text}");
        assert!(text.contains(why) && text.trim_end().ends_with(&path), "{script}: {text}");
    }
}

#[test]
fn captures_that_cannot_be_drawn_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zero.folded");
    std::fs::write(&path, "main;a 0\nmain;b 0\n").unwrap();
    let (code, said) = failure(&["export", &path.display().to_string(), "-o", &folder.path().join("x.svg").display().to_string()]);
    assert!(code == 1 && said.contains("no stack has a value"), "{said}");
    // Values beyond every integer that a drawing program knows only need another scale.
    let path = folder.path().join("huge.folded");
    std::fs::write(&path, "main;a 9223372036854775807\nmain;b 9223372036854775807\n").unwrap();
    let out = folder.path().join("huge.svg");
    let said = run([Path::new("export"), &path, Path::new("-o"), &out]).stderr;
    assert!(String::from_utf8_lossy(&said).contains("add up to more than 2^63-1"), "{}", String::from_utf8_lossy(&said));
    let svg = std::fs::read_to_string(&out).unwrap();
    assert!(svg.contains("<title>b (9.22 E samples, 50.0 %)</title>") || svg.contains("50.0 %"), "{svg}");
}

#[test]
fn an_export_of_two_parts_of_a_capture_is_a_comparison_and_options_of_one_are_refused_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let capture = sample(CPU);
    let parts = ["--before-where", "label=endpoint:search", "--after-where", "label=endpoint:place-order"];
    let text = String::from_utf8(export(folder.path(), "x.folded", &[&[capture.as_str()], &parts[..]].concat())).unwrap();
    let of_sides = |line: &str| line.rsplit(' ').take(2).filter(|number| number.parse::<i64>().is_ok()).count();
    assert!(text.lines().count() > 3 && text.lines().all(|line| of_sides(line) == 2), "{text}");
    let out = folder.path().join("y.folded").display().to_string();
    for option in [&["--normalize", "share"][..], &["--alias", "a=b"], &["--no-aliases"]] {
        let (code, said) = failure(&[&["export", &capture, "-o", &out], option].concat());
        assert!(code == 2 && said.contains("are about comparisons"), "{option:?}: {said}");
    }
}

/// The first run looks symbols up and keeps them, the second one takes them from there, also where the binary is the only one changed.
#[cfg(target_os = "linux")]
#[test]
fn kept_symbols_give_the_same_and_can_be_seen_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (capture, root) = (sample("perf-data/6.1.187/indexer-before.perf.data"), folder.path().join("root"));
    std::fs::create_dir_all(&root).unwrap();
    let binary = root.join("indexer");
    std::fs::copy(sample("sysroot/opt/emberlens-samples/before/indexer"), &binary).unwrap();
    let run = |arguments: &[&str]| {
        let output = program().env("XDG_CACHE_HOME", folder.path().join("cache")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // Away from the folder of samples, which has the binaries beside it.
    let away = folder.path().join("a.perf.data");
    std::fs::copy(&capture, &away).unwrap();
    let arguments = ["top", &away.display().to_string(), "--symbols", &root.display().to_string(), "-n", "0"];
    let first = run(&[&arguments[..], &["--no-symbol-cache"]].concat());
    assert!(first.contains("find_term"), "{first}");
    assert!(run(&["cache"]).contains(" 0 modules"));
    assert_eq!(run(&arguments), first);
    assert!(run(&["cache"]).contains(" 1 module,"), "{}", run(&["cache"]));
    assert_eq!(run(&arguments), first);
    // A kept answer that is damaged is made anew.
    for entry in std::fs::read_dir(folder.path().join("cache/emberlens/symbols")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        std::fs::write(path, bytes).unwrap();
    }
    assert_eq!(run(&arguments), first);
    // Another file in the binary's place: nothing of the old answer is used.
    std::fs::write(&binary, "no binary").unwrap();
    let installed = std::path::Path::new("/opt/emberlens-samples/before/indexer").exists();
    assert!(installed || !run(&arguments).contains("find_term"), "where the sample programs are installed, their names are found there");
    assert!(run(&["cache", "--clear"]).contains(" 1 module,"));
    assert!(run(&["cache"]).contains(" 0 modules"));
}
