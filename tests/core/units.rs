//! One sample type in units of its own on each side: writers of pprof choose them, and a comparison converts them exactly.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use emberlens::app::{App, Command, Options};
use emberlens::format::pprof;
use emberlens::model::{Builder, Frame, Profile, Sample};
use serde_json::Value;

use crate::cli::{failure, json, stdout};

/// Samples of two types, the second in `unit`; stacks are outermost first.
fn profile((name, unit): (&str, &str), samples: &[(&str, i64)]) -> Profile {
    let mut builder = Builder::new([("samples", "count"), (name, unit)]);
    builder.default_sample_type = 1;
    for (names, value) in samples {
        let mut stack = None;
        for name in names.split(';') {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[1, *value]);
    }
    "pprof".clone_into(&mut builder.info.format);
    builder.finish()
}

const BEFORE: [(&str, i64); 3] = [("main;a", 4000), ("main;b", 3000), ("main;b;c", 2001)];
const AFTER: [(&str, i64); 3] = [("main;a", 4_000_000), ("main;b", 6_000_000), ("main;b;c", 2_000_500)];

fn write(folder: &Path, name: &str, profile: &Profile) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, pprof::write_gz(profile)).unwrap();
    path
}

/// Every pair of units of one kind gives the numbers of the finer one, whichever side has it.
#[test]
fn a_comparison_in_two_units_is_that_in_the_finer_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, kind, samples: &[(&str, i64)]| write(folder.path(), name, &profile(kind, samples)).display().to_string();
    for (kind, coarse, fine, factor) in [
        ("cpu", "milliseconds", "microseconds", 1000),
        ("cpu", "ms", "nanoseconds", 1_000_000),
        ("delay", "hours", "seconds", 3600),
        ("space", "kilobytes", "bytes", 1024),
        ("space", "MiB", "kb", 1024),
        ("cpu", "nanoseconds", "ns", 1),
    ] {
        let [one, two] = [file("one.pb.gz", (kind, coarse), &BEFORE), file("two.pb.gz", (kind, fine), &AFTER)];
        let scaled = BEFORE.map(|(stack, value)| (stack, value * factor));
        let same = file("same.pb.gz", (kind, fine), &scaled);
        for [mixed, plain] in [[[&one, &two], [&same, &two]], [[&two, &one], [&two, &same]]] {
            let [mut mixed, mut plain] = [mixed, plain].map(|[before, after]| json(&["diff", before, after, "--json"]));
            let unit = |row: &Value| row["what"] == "unit";
            let said = mixed["comparability"].as_array().unwrap().iter().filter(|row| unit(row)).count();
            assert_eq!(said, 1, "{kind}/{coarse} against {fine}: {:?}", mixed["comparability"]);
            for document in [&mut mixed, &mut plain] {
                for side in ["before", "after"] {
                    document[side]["files"].take();
                    document[side]["captures"][0]["file"].take();
                }
                document["comparability"].take();
                // Of one unit there are two names.
                document["unit"] = if factor == 1 { Value::Null } else { document["unit"].take() };
            }
            assert_eq!(mixed, plain, "{kind}/{coarse} against {fine}");
        }
        // A saved comparison has both sides in the finer unit.
        let saved = folder.path().join("saved.pb.gz").display().to_string();
        stdout(&["export", "-d", &one, &two, "-o", &saved]);
        let info = json(&["info", &saved, "--json"]);
        let total: i64 = AFTER.iter().map(|(_, value)| value).sum::<i64>() - scaled.iter().map(|(_, value)| value).sum::<i64>();
        assert_eq!(info["sample_types"][1]["total"], Value::from(total), "{kind}/{coarse} against {fine}");
    }
}

/// `go tool pprof -top -diff_base before.pb.gz after.pb.gz` of go 1.26.0 on these two files prints `Showing nodes accounting for 3s,
/// 33.33% of 9s total`, with 3 s in `b` alone.
#[test]
fn the_numbers_are_those_of_pprof() {
    let folder = tempfile::tempdir().unwrap();
    let before = profile(("cpu", "milliseconds"), &[("main;a", 4000), ("main;b", 3000), ("main;b;c", 2000)]);
    let after = profile(("cpu", "microseconds"), &[("main;a", 4_000_000), ("main;b", 6_000_000), ("main;b;c", 2_000_000)]);
    let [before, after] = [("before.pb.gz", before), ("after.pb.gz", after)].map(|(name, made)| write(folder.path(), name, &made));
    let saved = folder.path().join("saved.pb.gz").display().to_string();
    stdout(&["export", "-d", &before.display().to_string(), &after.display().to_string(), "-o", &saved]);
    let report = json(&["diff", &saved, "--json"]);
    assert_eq!(
        (&report["before"]["total"], &report["after"]["total"], &report["unit"]),
        (&9_000_000.into(), &12_000_000.into(), &"microseconds".into())
    );
    let top = json(&["top", &saved, "--json"]);
    let rows: Vec<_> =
        top["rows"].as_array().unwrap().iter().map(|row| (row["name"].as_str().unwrap(), row["self"].as_i64().unwrap())).collect();
    assert_eq!(rows.iter().filter(|(_, own)| *own != 0).collect::<Vec<_>>(), [&("b", 3_000_000)]);
}

/// The window weighs and shows what the command line does, and goes back to the capture's own unit when it stands alone.
#[test]
fn the_window_compares_units_too() {
    let mut app = App::new(Options { inline: true, ..Options::default() });
    let [coarse, fine] = [profile(("cpu", "milliseconds"), &BEFORE), profile(("cpu", "microseconds"), &AFTER)].map(Arc::new);
    let [before, after] = [("before", &coarse), ("after", &fine)].map(|(name, made)| app.insert(Path::new(name), Arc::clone(made)));
    let shown = |app: &mut App| {
        app.settle();
        let sides = app.comparison().ready().unwrap().sides.iter().map(|side| side.weights.total()).collect::<Vec<_>>();
        (app.sample_type().unwrap().1, sides)
    };
    app.apply(Command::Show(before));
    app.apply(Command::SetSampleType("cpu".to_owned(), "milliseconds".to_owned()));
    assert_eq!(shown(&mut app), ("milliseconds".to_owned(), vec![9001]));
    app.apply(Command::Show(after));
    app.apply(Command::SetBefore(before));
    assert_eq!(shown(&mut app), ("microseconds".to_owned(), vec![9_001_000, 12_000_500]));
    app.apply(Command::Show(before));
    assert_eq!(shown(&mut app), ("milliseconds".to_owned(), vec![9001]));
}

/// What does not convert is refused, and the error says which file has what; what was compared instead of a capture's own choice is said.
#[test]
fn what_does_not_convert_is_said_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let time = write(folder.path(), "time.pb.gz", &profile(("cpu", "nanoseconds"), &BEFORE)).display().to_string();
    let count = write(folder.path(), "count.pb.gz", &profile(("cpu", "count"), &BEFORE)).display().to_string();
    let (code, error) = failure(&["diff", &time, &count, "-t", "cpu"]);
    assert_eq!(code, 1);
    for wanted in [format!("{time} has samples/count, cpu/nanoseconds"), format!("{count} has samples/count, cpu/count")] {
        assert!(error.contains(&wanted), "{error}");
    }
    let text = stdout(&["diff", &time, &count]);
    assert!(text.contains("samples/count is compared: what a capture shows by itself is not on both sides"), "{text}");
}

/// Fractional counts go through pprof and come back as they were, alone and compared.
#[test]
fn fractions_come_back_from_pprof() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["a;b 10.5\na;c 0.25\na;d -4\n", "a;b 1e-6\na;c 2\n", "a;b 7\na 0.1\n"] {
        let [folded, saved, both] = ["x.folded", "x.pb.gz", "both.pb.gz"].map(|name| folder.path().join(name).display().to_string());
        std::fs::write(&folded, text).unwrap();
        stdout(&["export", &folded, "-o", &saved]);
        stdout(&["export", "-d", &folded, &saved, "-o", &both]);
        let rows = |path: &str| {
            let top = json(&["top", path, "--json"]);
            ["unit", "total", "denominator", "rows"].map(|key| top[key].clone())
        };
        assert_eq!(rows(&saved), rows(&folded), "{text}");
        let diff = json(&["diff", &both, "--json"]);
        assert_eq!((&diff["unit"], &diff["before"]["total"]), (&"count".into(), &diff["after"]["total"]), "{text}");
        assert_eq!(diff["after"]["total"], rows(&folded)[1], "{text}");
        stdout(&["diff", &folded, &saved]);
    }
}
