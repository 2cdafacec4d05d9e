//! Archives, compression and standard input on the command line.

use std::io::{Seek as _, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::cli::{failure, json, program, sample, stdout};

const BEFORE: &str = "folded/perf-6.1.187/indexer-before.folded";
const AFTER: &str = "pprof/go1.27.3/orders-cpu-after.pb.gz";

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).expect("a sample is readable")
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// What the program prints when `input` is its standard input.
fn piped(arguments: &[&str], input: &[u8]) -> String {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input).unwrap();
    file.rewind().unwrap();
    let output = program().args(arguments).stdin(file).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_archive_with_several_captures_is_a_list_to_choose_from() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("run/before.folded", &*bytes(BEFORE)), ("run/after.pb.gz", &bytes(AFTER)), ("run/notes.md", b"# Two runs\n")];
    let plain = tar(&files);
    for (name, archive) in
        [("a.zip", zip(&files)), ("a.tar", plain.clone()), ("a.tar.gz", gz(&plain)), ("a.tar.xz", xz(&plain)), ("a.tar.bz2", bz2(&plain))]
    {
        let path = write(folder.path(), name, &archive);
        let text = stdout(&["info", &path]);
        assert!(
            text.contains("2 captures") && text.contains("run/before.folded") && text.contains("pprof") && !text.contains("notes"),
            "{text}"
        );
        let list = json(&["info", &path, "--json"]);
        let members = list["members"].as_array().unwrap();
        assert_eq!(members.len(), 2, "{list}");
        assert_eq!((&members[0]["kind"], &members[0]["bytes"]), (&Value::from("folded"), &Value::from(bytes(BEFORE).len())));
        let (code, text) = failure(&["top", &path]);
        assert!(code == 1 && text.contains("it holds 2 captures") && text.contains("run/after.pb.gz (pprof)"), "{text}");
        // What the list says opens each of them, in every subcommand.
        let open: Vec<&str> = members.iter().map(|member| member["open"].as_str().unwrap()).collect();
        assert_eq!(json(&["top", open[0], "--json"])["rows"], json(&["top", &sample(BEFORE), "--json"])["rows"]);
        assert_eq!(json(&["info", open[1], "--json"])["sample_types"], json(&["info", &sample(AFTER), "--json"])["sample_types"]);
        let out = folder.path().join("x.folded").display().to_string();
        stdout(&["export", open[0], "-o", &out]);
        assert_eq!(std::fs::read(&out).unwrap(), {
            stdout(&["export", &sample(BEFORE), "-o", &out]);
            std::fs::read(&out).unwrap()
        });
        let diff = json(&["diff", open[1], open[1], "--json"]);
        assert_eq!(diff["findings"].as_array().map(Vec::len), Some(0), "{diff}");
        let (code, text) = failure(&["info", &format!("{path}!run/other")]);
        assert!(code == 1 && text.contains("there is no run/other; there are run/before.folded"), "{text}");
    }
}

#[test]
fn an_archive_with_one_capture_is_that_capture() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "one.zip", &zip(&[("README", b"about"), ("cpu.pb.gz", &bytes(AFTER))]));
    let info = json(&["info", &path, "--json"]);
    assert_eq!((&info["container"], &info["facts"]["member"]), (&Value::from("zip"), &Value::from("cpu.pb.gz")));
    assert_eq!(json(&["top", &path, "--json"])["rows"], json(&["top", &sample(AFTER), "--json"])["rows"]);
}

#[test]
fn what_cannot_be_taken_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut locked = zip(&[("cpu.folded", b"main;a 1\n")]);
    // The flag that says "encrypted", in the member's own header and in the directory.
    for (mark, flag) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let at = locked.windows(4).position(|window| window == mark).unwrap();
        locked[at + flag] |= 1;
    }
    let (code, text) = failure(&["info", &write(folder.path(), "locked.zip", &locked)]);
    assert!(code == 1 && text.contains("the member is encrypted") && text.contains("cpu.folded"), "{text}");
    let bomb = write(folder.path(), "bomb.zip", &zip(&[("x.folded", &b"main;a 1\n".repeat(1_000_000))]));
    let (code, text) = failure(&["info", &bomb, "--max-bytes", "1MB"]);
    assert!(code == 1 && text.contains("--max-bytes"), "{text}");
    let (code, text) = failure(&["info", &write(folder.path(), "empty.zip", &zip(&[]))]);
    assert!(code == 1 && text.contains("it holds no files"), "{text}");
    // Names are never paths on disk: this one is shown, and nothing is written.
    let up = write(folder.path(), "up.zip", &zip(&[("../../outside.folded", b"main;a 7\n")]));
    assert_eq!(json(&["info", &up, "--json"])["facts"]["member"], "../../outside.folded");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    if let Some(corpus) = crate::corpus::folder() {
        let path = corpus.join("third-party/other/hotspot/test-multi-files.tar").display().to_string();
        let (code, text) = failure(&["info", &path]);
        assert!(code == 1 && text.contains("none of its 2 files is a capture: test_foo, perf.data"), "{text}");
    }
}

#[test]
fn every_subcommand_reads_standard_input_in_every_wrapping() {
    let (plain, folder) = (bytes(BEFORE), tempfile::tempdir().unwrap());
    let expected = json(&["top", &sample(BEFORE), "--json"])["rows"].clone();
    for wrapped in [
        plain.clone(),
        gz(&plain),
        xz(&plain),
        bz2(&plain),
        zstd::encode_all(&*plain, 1).unwrap(),
        zip(&[("x", &plain)]),
        gz(&tar(&[("x", &plain)])),
    ] {
        let top: Value = serde_json::from_str(&piped(&["top", "-", "--json"], &wrapped)).unwrap();
        assert_eq!(top["rows"], expected);
    }
    let packed = bz2(&plain);
    assert!(piped(&["info", "-"], &packed).contains("bzip2"));
    let out = folder.path().join("out.folded").display().to_string();
    piped(&["export", "-", "-o", &out], &packed);
    let again: Value = json(&["top", &out, "--json"]);
    assert_eq!(again["rows"], expected);
    for sides in [[&*sample(BEFORE), "-"], ["-", &*sample(BEFORE)]] {
        let diff: Value = serde_json::from_str(&piped(&["diff", sides[0], sides[1], "--json"], &packed)).unwrap();
        assert_eq!((&diff["schema"], diff["findings"].as_array().map(Vec::len)), (&Value::from(1), Some(0)), "{diff}");
    }
    let script = folder.path().join("script").display().to_string();
    std::fs::write(&script, "open -\nprint\n").unwrap();
    assert!(piped(&["run", &script], &packed).contains("sift_down"));
    let two = zip(&[("x.folded", &plain), ("y.folded", &plain)]);
    let top: Value = serde_json::from_str(&piped(&["top", "--json", "--", "-!y.folded"], &two)).unwrap();
    assert_eq!(top["rows"], expected);
}

/// The files of a folder as `perf record --threads` writes it, with the records of a plain capture: the header and the first of them in
/// `data`, the rest in two files without a header.
fn threads_folder(plain: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let word = |at: usize| u64::from_le_bytes(plain[at..at + 8].try_into().unwrap()) as usize;
    let (start, size) = (word(40), word(48));
    let mut records = vec![start];
    while let Some(&at) = records.last().filter(|at| **at < start + size) {
        records.push(at + usize::from(u16::from_le_bytes(plain[at + 6..at + 8].try_into().unwrap())));
    }
    let [one, two] = [records[records.len() / 3], records[records.len() * 2 / 3]];
    let mut data = plain[..one].to_vec();
    data[48..56].copy_from_slice(&((one - start) as u64).to_le_bytes());
    // Of the features only number 24, DIR_FORMAT: a table of one row, and the version.
    data[72..104].fill(0);
    data[75] = 1;
    for word in [one as u64 + 16, 8, 1] {
        data.extend(word.to_le_bytes());
    }
    [("data", data), ("data.0", plain[one..two].to_vec()), ("data.1", plain[two..start + size].to_vec())]
}

#[test]
fn a_folder_of_perf_record_in_an_archive_is_one_capture() {
    let plain = bytes("perf-data/6.1.187/indexer-after.perf.data");
    let files = threads_folder(&plain);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("td")).unwrap();
    for (name, content) in &files {
        write(&folder.path().join("td"), name, content);
    }
    // The order of members is that of a file system, and not that of the numbers.
    let [main, one, two] = files.each_ref().map(|(_, content)| content.as_slice());
    let members = [("td/data.1", two), ("td/data.0", one), ("td/data", main)];
    let mut archives = vec![write(folder.path(), "td.tar.gz", &gz(&tar(&members))), write(folder.path(), "td.zip", &zip(&members))];
    archives.extend(["!td", "!td/", "!td/data", "!td/data.1"].map(|member| format!("{}{member}", archives[1])));
    let shown = |path: &str| {
        let info = json(&["info", path, "--json", "--no-symbol-cache"]);
        ["samples", "stacks", "sample_types", "thread_list", "tally"].map(|key| info[key].clone())
    };
    let wanted = shown(&format!("{}/td", folder.path().display()));
    let whole = shown(&sample("perf-data/6.1.187/indexer-after.perf.data"));
    assert_eq!((&wanted[0], &wanted[4]), (&whole[0], &whole[4]), "the files hold the records of the plain capture");
    for path in archives {
        assert_eq!(shown(&path), wanted, "{path}");
    }
    // Beside another capture it is one entry of the list, as large as all its files.
    let both = write(folder.path(), "both.zip", &zip(&[members[0], members[1], members[2], ("a.folded", b"main;a 1\n")]));
    let list = json(&["info", &both, "--json"]);
    let size: usize = files.iter().map(|(_, content)| content.len()).sum();
    let found: Vec<_> = list["members"].as_array().unwrap().iter().map(|member| (&member["path"], &member["bytes"])).collect();
    assert_eq!(found, [(&Value::from("td/data"), &Value::from(size)), (&Value::from("a.folded"), &Value::from(9))]);
    // `data` may be any file, and then nothing belongs to it.
    let other = write(folder.path(), "other.zip", &zip(&[("data", b"main;a 1\n"), ("data.0", b"main;a 2\n")]));
    assert_eq!(json(&["info", &other, "--json"])["members"].as_array().unwrap().len(), 2);
}
