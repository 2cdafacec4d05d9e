//! Binaries whose names lie in other files: debug files by build id and by debug link, symbols packed into the binary, split DWARF.
//! Names and places are those that binutils gives for the binary as it was. Skipped with a message where there is no `gcc`.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use emberlens::app::modules::LocalModules;
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Mapping, Profile, Sample};
use emberlens::symbol::symbolize;

use crate::go_symbols::code;

const PROGRAM: &str = "
#include <stdlib.h>
static inline __attribute__((always_inline)) int inner(int x) { return x * 3 + 1; }
static __attribute__((noinline)) int outer(int x)
{
    volatile int sum = 0;
    for (int i = 0; i < x; i++)
        sum += inner(sum ^ i);
    return sum;
}
int main(int argc, char **argv) { return outer(argc * 100) & 1; }
";

/// What a tool prints; `None` where it is not here.
pub(crate) fn tool(folder: &Path, name: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(name).args(args).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program in a folder, and what binutils says of its code.
struct Built {
    folder: tempfile::TempDir,
    build_id: Option<String>,
    /// Offsets in the file.
    offsets: Vec<u64>,
    /// `inner prog.c:3` for each offset, innermost first.
    expected: Vec<Vec<String>>,
}

impl Built {
    /// `None` without the tools.
    fn new(flags: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("prog.c"), PROGRAM).unwrap();
        let args = [&["-g", "-O1", "-o", "full", "prog.c"], flags].concat();
        let has_tools = tool(folder.path(), "gcc", &args).is_some() && tool(folder.path(), "objcopy", &["--version"]).is_some();
        if !has_tools {
            println!("skipped: there is no gcc");
            return None;
        }
        let (offset, address, _) = code(&folder.path().join("full"));
        let symbols = tool(folder.path(), "nm", &["-S", "full"])?;
        let outer = symbols.lines().find(|line| line.ends_with(" outer"))?;
        let hex = |n: usize| u64::from_str_radix(outer.split(' ').nth(n).unwrap(), 16).unwrap();
        let addresses: Vec<u64> = (hex(0)..hex(0) + hex(1)).collect();
        let list: Vec<String> = addresses.iter().map(|address| format!("{address:#x}")).collect();
        let args: Vec<&str> = ["-f", "-i", "-a", "-e", "full"].into_iter().chain(list.iter().map(String::as_str)).collect();
        let text = tool(folder.path(), "addr2line", &args)?;
        let mut expected: Vec<Vec<String>> = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("0x") {
                expected.push(Vec::new());
                continue;
            }
            let place = lines.next()?.split(" (").next()?;
            expected.last_mut()?.push(format!("{line} {}", place.rsplit('/').next()?));
        }
        let notes = tool(folder.path(), "readelf", &["-n", "full"])?;
        let build_id = notes.lines().find_map(|line| Some(line.trim().strip_prefix("Build ID: ")?.to_owned()));
        let offsets = addresses.iter().map(|at| at - address + offset).collect();
        Some(Self { folder, build_id, offsets, expected })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn objcopy(&self, args: &[&str]) {
        tool(self.folder.path(), "objcopy", args).unwrap();
    }

    /// A capture of the program, which was at `file`, mapped from where its code begins.
    fn profile(&self, file: &str) -> Profile {
        let mut builder = Builder::new([("cycles", "count")]);
        let build_id = self.build_id.as_ref().map(|id| builder.string(id));
        let (file, offset) = (Some(builder.string(file)), code(&self.path("full")).0 & !0xfff);
        let mapping = Mapping { file, build_id, start: 0x10_0000, limit: 0x20_0000, offset, pid: Some(1), ..Mapping::default() };
        let mapping = Some(builder.mapping(mapping));
        for at in &self.offsets {
            let frame = builder.frame(Frame { mapping, address: Some(at - offset + 0x10_0000), ..Frame::default() });
            let stack = Some(builder.stack(None, frame));
            builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
        }
        builder.finish()
    }

    /// Names and places of each address, looked up with files below `root`.
    fn named(&self, file: &str, root: &Path) -> Vec<Vec<String>> {
        let modules = LocalModules::for_capture(&self.path("none/perf.data"), &[root.to_owned()]);
        let named = symbolize(&self.profile(file), &modules, &Ticket::new()).unwrap();
        let text = |frame| {
            let row: &Frame = &named.frames.at(frame);
            let file = row.function.and_then(|function| named.functions.at(function).file).map_or("?", |file| named.strings.get(file));
            format!("{} {}:{}", named.frame_name(frame), file.rsplit('/').next().unwrap(), row.line)
        };
        named.samples.stacks().iter().map(|stack| named.stack_frames(*stack).map(text).collect()).collect()
    }

    fn assert_whole(&self, file: &str, root: &Path) {
        assert!(self.expected.iter().any(|chain| chain.len() == 2), "{:?}", self.expected);
        assert_eq!(self.named(file, root), self.expected);
    }

    fn assert_nothing(&self, file: &str, root: &Path) {
        assert!(self.named(file, root).iter().flatten().all(|name| name.contains("+0x")), "{:?}", self.named(file, root));
    }
}

#[test]
fn a_debug_file_is_found_by_build_id_with_and_without_its_binary() {
    let Some(built) = Built::new(&[]) else { return };
    let id = built.build_id.clone().expect("gcc writes build ids here");
    built.objcopy(&["--strip-all", "full", "prog"]);
    built.objcopy(&["--only-keep-debug", "full", "prog.debug"]);
    let root = built.path("root");
    let folder = root.join("usr/lib/debug/.build-id").join(&id[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(root.join("opt")).unwrap();
    std::fs::copy(built.path("prog"), root.join("opt/prog")).unwrap();
    built.assert_nothing("/opt/prog", &root);
    let debug = folder.join(format!("{}.debug", &id[2..]));
    std::fs::copy(built.path("prog.debug"), &debug).unwrap();
    built.assert_whole("/opt/prog", &root);
    std::fs::remove_file(root.join("opt/prog")).unwrap();
    built.assert_whole("/opt/prog", &root);
    // A file in its place with another build id.
    let other = Built::new(&["-O2"]).unwrap();
    std::fs::copy(other.path("full"), &debug).unwrap();
    built.assert_nothing("/opt/prog", &root);
}

#[test]
fn a_debug_file_named_by_the_binary_must_have_its_checksum() {
    let Some(built) = Built::new(&["-Wl,--build-id=none"]) else { return };
    assert_eq!(built.build_id, None);
    built.objcopy(&["--only-keep-debug", "full", "prog.debug"]);
    built.objcopy(&["--strip-all", "--add-gnu-debuglink=prog.debug", "full", "prog"]);
    let file = built.path("prog").display().to_string();
    let place = built.path(".debug/prog.debug");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::rename(built.path("prog.debug"), &place).unwrap();
    let nowhere = built.path("nowhere");
    built.assert_whole(&file, &nowhere);
    let mut bytes = std::fs::read(&place).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&place, bytes).unwrap();
    built.assert_nothing(&file, &nowhere);
}

#[test]
fn symbols_packed_into_a_stripped_binary_name_its_functions() {
    let Some(built) = Built::new(&[]) else { return };
    built.objcopy(&["--strip-debug", "full", "mini"]);
    if tool(built.folder.path(), "xz", &["mini"]).is_none() {
        println!("skipped: there is no xz");
        return;
    }
    built.objcopy(&["--strip-all", "--add-section", ".gnu_debugdata=mini.xz", "full", "prog"]);
    let root = built.path("root");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::copy(built.path("prog"), root.join("prog")).unwrap();
    let named = built.named("/opt/prog", &root);
    assert!(named.iter().all(|chain| *chain == ["outer ?:0"]), "{named:?}");
}

#[test]
fn split_debug_information_is_read_from_its_files_or_their_package() {
    for version in ["-gdwarf-5", "-gdwarf-4"] {
        // binutils reads no split units: what it says of the same code with everything in one file counts.
        let (Some(mut built), Some(twin)) = (Built::new(&["-gsplit-dwarf", version]), Built::new(&[version])) else { return };
        assert_eq!(built.offsets, twin.offsets);
        built.expected.clone_from(&twin.expected);
        let root = built.path("root");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::copy(built.path("full"), root.join("prog")).unwrap();
        let listed = std::fs::read_dir(built.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let unit = listed.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "dwo")).expect("gcc wrote a .dwo file");
        // Where the compiler put it.
        built.assert_whole("/opt/prog", &root);
        // Beside the binary.
        let moved = root.join(unit.file_name().unwrap());
        std::fs::rename(&unit, &moved).unwrap();
        built.assert_whole("/opt/prog", &root);
        // Of another program: only the symbol table is left.
        let other = Built::new(&["-gsplit-dwarf", version, "-O2", "-DOTHER"]).unwrap();
        let theirs = other.path(unit.file_name().unwrap().to_str().unwrap());
        let own = std::fs::read(&moved).unwrap();
        std::fs::copy(theirs, &moved).unwrap();
        let named = built.named("/opt/prog", &root);
        assert!(named.iter().all(|chain| chain.len() == 1 && chain[0].starts_with("outer ")), "{named:?}");
        // All units of a program in one file.
        std::fs::write(&moved, own).unwrap();
        if Command::new("llvm-dwp").arg("--version").output().is_err() {
            println!("skipped: there is no llvm-dwp");
            continue;
        }
        tool(&root, "llvm-dwp", &["-o", "prog.dwp", moved.to_str().unwrap()]).unwrap();
        std::fs::remove_file(&moved).unwrap();
        built.assert_whole("/opt/prog", &root);
    }
}
