//! Stripped Go binaries against `go tool addr2line` and against the DWARF of the same program not stripped. Skipped with a message
//! where there is no `go`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use emberlens::app::modules::LocalModules;
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Mapping, Profile, Sample};
use emberlens::symbol::symbolize;

/// Inlining over two levels, a generic method, a closure.
const PROGRAM: &str = r#"package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

type counts[K comparable] struct{ of map[K]int }

func (c *counts[K]) add(key K) { c.of[key]++ }

func small(x int) int { return deeper(x) + 1 }

func deeper(x int) int {
	if x%7 == 3 {
		return x * 3
	}
	return x ^ 0x55
}

//go:noinline
func work(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		sum += small(i)
	}
	return sum
}

func main() {
	words := &counts[string]{of: map[string]int{}}
	for _, word := range strings.Fields(strings.Repeat("a b c ", 100)) {
		words.add(word)
	}
	var keys []string
	for key := range words.of {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(a, b int) bool { return keys[a] < keys[b] })
	fmt.Fprintln(os.Stdout, keys, work(len(os.Args)*10))
}
"#;

fn go(folder: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("go").args(args).current_dir(folder).env("GOFLAGS", "-mod=mod").stderr(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A profile of one sample for each offset in the file.
pub(crate) fn profile(file: &Path, offsets: &[u64]) -> Profile {
    let mut builder = Builder::new([("cycles", "count")]);
    let file = Some(builder.string(&file.to_string_lossy()));
    // Mapped at 0 from offset 0: addresses are offsets. A mapping of all memory would be none, and addresses the program's own.
    let mapping = Some(builder.mapping(Mapping { file, start: 0, limit: 1 << 40, pid: Some(1), ..Mapping::default() }));
    for offset in offsets {
        let frame = builder.frame(Frame { mapping, address: Some(*offset), ..Frame::default() });
        let stack = Some(builder.stack(None, frame));
        builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
    }
    builder.finish()
}

/// `name file:line` of each sample's frames, innermost first. Instances of generic functions are spelled as Go's own table does.
fn chains(file: &Path, offsets: &[u64]) -> Vec<Vec<String>> {
    let raw = profile(file, offsets);
    let named = symbolize(&raw, &LocalModules::for_capture(&file.with_file_name("perf.data"), &[]), &Ticket::new()).unwrap();
    let text = |frame| {
        let row: &Frame = &named.frames.at(frame);
        let file = row.function.and_then(|function| named.functions.at(function).file).map_or("?", |file| named.strings.get(file));
        format!("{} {file}:{}", generic(&named.frame_name(frame)), row.line)
    };
    named.samples.stacks().iter().map(|stack| named.stack_frames(*stack).map(text).collect()).collect()
}

/// `f[go.shape.int]` as `f[...]`.
fn generic(name: &str) -> String {
    let (Some(open), Some(close)) = (name.find('['), name.rfind(']')) else { return name.to_owned() };
    format!("{}[...]{}", &name[..open], &name[close + 1..])
}

/// Offset of code in the file and its address, by the program header of the code.
pub(crate) fn code(file: &Path) -> (u64, u64, u64) {
    let bytes = std::fs::read(file).unwrap();
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let (table, count) = (u64_at(32) as usize, usize::from(u16::from_le_bytes(bytes[56..58].try_into().unwrap())));
    let header = (0..count).map(|n| table + n * 56).find(|at| bytes[*at..*at + 8] == [1, 0, 0, 0, 5, 0, 0, 0]).unwrap();
    (u64_at(header + 8), u64_at(header + 16), u64_at(header + 32))
}

/// Outermost function, file and line as Go's tool gives them, by address.
fn addr2line(folder: &Path, file: &Path, addresses: &[u64]) -> BTreeMap<u64, String> {
    // From a file: the tool answers while it reads, so two pipes would block each other.
    let input: String = addresses.iter().map(|address| format!("{address:#x}\n")).collect();
    let list = folder.join("addresses");
    std::fs::write(&list, input).unwrap();
    let input = std::fs::File::open(list).unwrap();
    let output = Command::new("go").args(["tool", "addr2line"]).arg(file).current_dir(folder).stdin(input).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    addresses.iter().copied().zip(lines.chunks(2).map(|pair| format!("{} {}", generic(pair[0]), pair[1]))).collect()
}

#[test]
fn stripped_go_binaries_have_the_names_and_lines_of_their_twins() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("main.go"), PROGRAM).unwrap();
    std::fs::write(folder.join("go.mod"), "module demo\n\ngo 1.21\n").unwrap();
    if go(folder, &["version"]).is_none() {
        println!("skipped: there is no go");
        return;
    }
    for mode in ["exe", "pie"] {
        let build = format!("-buildmode={mode}");
        let (full, stripped) = (folder.join(format!("{mode}-full")), folder.join(format!("{mode}-stripped")));
        for (out, flags) in [(&full, "-ldflags="), (&stripped, "-ldflags=-s -w")] {
            go(folder, &["build", &build, flags, "-o", &out.to_string_lossy(), "."]).expect("go builds the program");
        }
        // The same without section headers: the table is found by its first bytes.
        let bare = folder.join(format!("{mode}-bare"));
        let mut bytes = std::fs::read(&stripped).unwrap();
        bytes[40..48].fill(0);
        bytes[58..64].fill(0);
        std::fs::write(&bare, bytes).unwrap();

        let (offset, address, size) = code(&full);
        assert_eq!((offset, address), (code(&stripped).0, code(&stripped).1), "the twins have the same code");
        let offsets: Vec<u64> = (offset..offset + size.min(code(&stripped).2)).step_by(61).collect();
        let addresses: Vec<u64> = offsets.iter().map(|at| at - offset + address).collect();
        let theirs = addr2line(folder, &full, &addresses);
        let twin = chains(&full, &offsets);
        compare(&stripped, &offsets, &addresses, &theirs, &twin);
        if mode == "exe" {
            // Without its headers a position-independent binary does not say where its relocations are.
            compare(&bare, &offsets, &addresses, &theirs, &twin);
        }
    }
}

fn compare(file: &Path, offsets: &[u64], addresses: &[u64], theirs: &BTreeMap<u64, String>, twin: &[Vec<String>]) {
    let ours = chains(file, offsets);
    let (mut named, mut deep, mut wrong) = (0, 0, Vec::new());
    for ((address, ours), twin) in addresses.iter().zip(&ours).zip(twin) {
        let theirs = &theirs[address];
        // The tool gives the function and the innermost place; gaps between functions have neither.
        let Some((name, _)) = theirs.split_once(' ').filter(|(name, _)| *name != "?") else { continue };
        let place = |chain: &[String]| chain.first().and_then(|text| Some(text.rsplit_once(' ')?.1.to_owned())).unwrap_or_default();
        let outermost = ours.last().and_then(|text| Some(text.rsplit_once(' ')?.0)).unwrap_or_default();
        // Bytes between functions belong to none for DWARF; Go's table counts them to the function before.
        if twin.iter().any(|text| text.contains("-full+0x")) {
            continue;
        }
        named += 1;
        deep += usize::from(ours.len() > 1);
        // The tool spells assembler functions with their calling convention.
        let name = name.trim_end_matches(".abi0").trim_end_matches(".abiinternal");
        let same_place = theirs.ends_with(&format!(" {}", place(ours))) || place(ours).starts_with("?:");
        if outermost != name || !same_place {
            wrong.push(format!("{address:#x}: ours {ours:?}, addr2line {theirs}"));
        }
        // The tools differ in the place of what the compiler made up.
        let bare = |chain: &[String]| {
            chain
                .iter()
                .map(|text| text.replace(".abi0 ", " ").replace(" ./<", " <").replace(" <autogenerated>:1", " ?:0"))
                .collect::<Vec<_>>()
        };
        if bare(ours) != bare(twin) {
            wrong.push(format!("{address:#x}: ours {ours:?}, DWARF {twin:?}"));
        }
    }
    println!("{}: {named} places compared, {deep} of them inlined, {} differ", file.display(), wrong.len());
    for line in wrong.iter().take(40) {
        println!("    {line}");
    }
    assert!(named > 1000 && deep > 100, "{named} {deep}");
    assert!(wrong.is_empty());
}
