//! Sentences of the command line: counts of one, sample types without a name, names that a terminal would obey.

use std::path::Path;

use emberlens::format::pprof;
use emberlens::model::{Builder, Frame, Sample};

use crate::cli::{failure, json, stdout};

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn one_is_no_plural() {
    let folder = tempfile::tempdir().unwrap();
    let one = write(folder.path(), "one.folded", b"main 1\n");
    let info = stdout(&["info", &one]);
    assert!(info.contains("1 sample, 1 stack, 1 function\n") && info.contains("1 sample record in the file"), "{info}");
    let top = stdout(&["top", &one]);
    assert!(top.contains("1 of 1 row, which holds "), "{top}");
    let diff = stdout(&["diff", &one, &one]);
    assert!(diff.contains(" samples, 1 sample record\n") && diff.contains("cannot tell: 1 row could hide"), "{diff}");
}

#[test]
fn a_sample_type_without_a_name_is_called_values() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = Builder::new([("", "")]);
    let function = Some(builder.function_named("main"));
    let frame = builder.frame(Frame { function, ..Frame::default() });
    let stack = Some(builder.stack(None, frame));
    builder.rows.sample(Sample { stack, ..Sample::default() }, &[8]);
    let path = write(folder.path(), "x.pb", &pprof::write(&builder.finish()));
    let diff = stdout(&["diff", &path, &path]);
    for wanted in ["8 values, 1 sample record\n", "100 % = 8 values of Before", "Shares of values are compared."] {
        assert!(diff.contains(wanted), "{wanted}: {diff}");
    }
    assert!(stdout(&["top", &path]).starts_with("values by function\n"));
}

#[test]
fn errors_hold_no_control_characters_of_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["a\u{1b}[31m.folded", "b\n.folded"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, b"main;a 1\n").unwrap();
    }
    let path = write(folder.path(), "x.zip", &archive.finish().unwrap().into_inner());
    for arguments in [vec!["top", &path], vec!["diff", &path, &path], vec!["top", &format!("{path}!c")]] {
        let (_, error) = failure(&arguments);
        assert!(error.contains("a·[31m.folded") && error.contains("b·.folded"), "{error:?}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
    assert!(!stdout(&["info", &path]).contains('\u{1b}'));
}

#[test]
fn the_usage_of_diff_has_one_after() {
    let (code, error) = failure(&["diff", "a", "b", "c"]);
    assert_eq!(code, 2);
    assert!(error.contains("Usage: emberlens diff [OPTIONS] BEFORE AFTER\n"), "{error}");
}

/// Where the total hardly changed, a part of it would be no number for people.
#[test]
fn a_part_of_a_change_names_what_it_is_a_part_of() {
    let folder = tempfile::tempdir().unwrap();
    let others = (0..40).map(|n| format!("main;f{n} 3001\n")).collect::<String>();
    let file = |name: &str, [a, b]: [u64; 2]| write(folder.path(), name, format!("main;a {a}\nmain;b {b}\n{others}").as_bytes());
    let before = file("before.folded", [20_000, 40_000]);
    for (name, after, how, whole, words) in
        [("swapped", [40_000, 20_003], "absolute", "rises", "did not surely change"), ("grown", [40_000, 40_000], "absolute", "net", "")]
    {
        let report = json(&["diff", &before, &file(&format!("{name}.folded"), after), "--normalize", how, "--json"]);
        let first = &report["findings"][0];
        assert_eq!((&first["func"], &first["explains_of"]), (&"a".into(), &whole.into()), "{name}, {how}: {}", report["summary"]);
        let explains = first["explains"].as_f64().unwrap();
        assert!((0.9..1.1).contains(&explains), "{name}, {how}: {explains}");
        assert!(report["summary"].as_str().unwrap().contains(words), "{name}, {how}: {}", report["summary"]);
    }
}
