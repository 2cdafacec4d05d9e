//! Copied stacks against what `perf script` (libunwind) made of the same captures: own ones, where this machine has the same binaries.

use emberlens::app::modules::LocalModules;
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::{Profile, base_name, check, kind};

use crate::corpus;

/// Frames of a sample as perf prints them: file and address, leaf first. perf shows callers at the byte before their return address.
fn ours(profile: &Profile, row: usize) -> Vec<(String, u64)> {
    let frames = profile.stack_frames(profile.samples.stacks()[row]);
    let shown = frames.filter_map(|frame| {
        let frame = profile.frames[frame];
        let mapping = frame.mapping.map(|mapping| profile.mappings[mapping]);
        // The mark of a cut stack has no address.
        let address = frame.address?;
        let in_user_code = mapping.is_none_or(|mapping| mapping.pid.is_some());
        let file = mapping.and_then(|mapping| mapping.file).map_or("[unknown]", |file| profile.strings.get(file));
        let address = address - u64::from(frame.caller && in_user_code);
        let shown =
            mapping.filter(|_| in_user_code && !file.starts_with("//anon")).map_or(address, |mapping| mapping.file_address(address));
        Some((file.to_owned(), shown))
    });
    shown.take(127).collect()
}

/// Frames of each sample in perf's text. A last line of ones is a return address of 0 that perf read where the copy had ended.
fn theirs(text: &str) -> Vec<Vec<(String, u64)>> {
    let mut samples: Vec<Vec<(String, u64)>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (line.starts_with('\t'), samples.last_mut()) {
            (true, Some(sample)) => {
                let hex = line.split_whitespace().next().unwrap_or("");
                let address = u64::from_str_radix(hex, 16).expect("an address");
                let file = line.rsplit_once('(').map_or("", |(_, file)| file.trim_end_matches(')'));
                if !line.ends_with("(inlined)") && address != u64::MAX {
                    sample.push((file.to_owned(), address));
                }
            }
            _ => samples.push(Vec::new()),
        }
    }
    samples
}

#[test]
fn copied_stacks_unwind_to_what_perf_found() {
    let folder = tempfile::tempdir().expect("a folder for a binary");
    for entry in corpus::inputs("perf-data") {
        let text = entry.path.with_file_name(format!("{}.perf-script.txt.gz", base_name(&entry.name)));
        if !text.is_file() || !entry.name.contains("dwarf") {
            continue;
        }
        // The one binary that the corpus keeps is packed; without `xz` on this machine its stacks are not compared.
        let packed = entry.path.with_file_name("hexyl.xz");
        if let Ok(output) = std::process::Command::new("xz").arg("-dc").arg(packed).output() {
            std::fs::write(folder.path().join("hexyl"), output.stdout).expect("a writable folder");
        }
        let bytes = std::fs::read(&entry.path).expect("a readable capture");
        let binaries = LocalModules::for_capture(&entry.path, &[folder.path().to_owned()]);
        let ticket = Ticket::new();
        let cx = ReadCx { binaries: Some(&binaries), ..ReadCx::new(&ticket) };
        let profile = format::read(&Input { bytes: &bytes, name: "unknown" }, &cx).expect("a sound capture");
        assert_eq!(check(&profile), [], "{}", entry.name);
        for note in profile.notes.iter() {
            println!("{}: {} {} {}", entry.name, note.kind, note.count, note.text);
        }
        let packed = std::fs::read(text).expect("a readable text");
        let peeled = emberlens::base::inflate::peel(&packed, u64::MAX, &ticket).expect("a sound gzip");
        let theirs = theirs(&String::from_utf8_lossy(&peeled.bytes));
        assert_eq!(theirs.len(), profile.samples.len(), "{}", entry.name);
        let mut wrong = Vec::new();
        for (row, theirs) in theirs.iter().enumerate() {
            let ours = ours(&profile, row);
            if ours != *theirs {
                wrong.push(format!("{} sample {row}\nours {ours:x?}\nperf {theirs:x?}", entry.name));
            }
        }
        println!("{}: {} of {} stacks are those of perf", entry.name, theirs.len() - wrong.len(), theirs.len());
        if profile.notes.count(kind::NOT_UNWOUND) > 0 {
            println!("{}: not compared, this machine has other binaries", entry.name);
            continue;
        }
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), theirs.len(), wrong.join("\n"));
    }
}
