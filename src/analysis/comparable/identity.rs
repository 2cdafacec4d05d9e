//! What ran, as a capture shows it without saying so: the version of Go, builds of libraries, numbers of threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::FxHashSet;

use crate::model::{Profile, base_name};

/// Most libraries that a row names.
const NAMED: usize = 6;
/// Characters of a build id that tell it from another.
const SHORT_ID: usize = 10;

/// The version of Go by the path of its runtime's sources (`go1.22.10`, else the folder of the toolchain); empty where a capture has no such
/// path.
pub(super) fn go_version(profile: &Profile) -> String {
    static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:go-?|/)(1\.\d{1,2}(?:\.\d{1,2})?)(?:[/.]|$)").ok());
    let root = profile.functions.iter().find_map(|function| {
        let name = profile.strings.get(function.name);
        let file = function.file.map(|file| profile.strings.get(file)).filter(|_| name.starts_with("runtime."))?;
        file.find("/src/runtime/").and_then(|at| file.get(..at))
    });
    let Some(root) = root else { return String::new() };
    let version = VERSION.as_ref().and_then(|version| version.captures_iter(root).last()).and_then(|found| found.get(1));
    version.map_or_else(|| root.to_owned(), |version| format!("go{}", version.as_str()))
}

/// The number of processors that Go may use, where the comments say it: `GOMAXPROCS=4`.
pub(super) fn go_max_procs(profile: &Profile) -> String {
    let number = |text: &String| {
        let (_, rest) = text.split_once("GOMAXPROCS")?;
        let digits: String = rest.trim_start_matches(['=', ':', ' ']).chars().take_while(char::is_ascii_digit).collect();
        Some(digits).filter(|digits| !digits.is_empty())
    };
    profile.info.comments.iter().find_map(number).unwrap_or_default()
}

/// How many threads, of how many processes; empty where the capture names none.
pub(super) fn threads(profile: &Profile) -> String {
    let processes: FxHashSet<_> = profile.threads.iter().filter_map(|thread| thread.pid).collect();
    let threads: FxHashSet<_> = profile.threads.iter().map(|thread| (thread.pid, thread.tid)).collect();
    match (threads.len(), processes.len()) {
        (0, _) => String::new(),
        (threads, 0 | 1) => threads.to_string(),
        (threads, processes) => format!("{threads} in {processes} processes"),
    }
}

/// Which of Go's two profiles of waiting it is, as the innermost functions of its samples say (`runtime.SetMutexProfileFraction` records at the Unlock,
/// `runtime.SetBlockProfileRate` where a goroutine waits); empty where they do not, or for another profile.
pub(super) fn contention(profile: &Profile) -> String {
    if !profile.sample_types.iter().any(|kind| kind.name == "contentions") {
        return String::new();
    }
    let unlocks = ["Unlock", "runtime.unlock", "_LostContendedRuntimeLock"];
    let waits = [".Lock", ".RLock", ".Wait", "runtime.chan", "runtime.select", ".lockSlow"];
    let (mut mutex, mut block) = (false, false);
    for stack in profile.samples.stacks().iter().flatten() {
        let Some(frame) = profile.stacks.frames().get(stack.row()) else { continue };
        let name = profile.frame_name(*frame);
        let is_unlock = unlocks.iter().any(|part| name.contains(part));
        mutex |= is_unlock;
        block |= !is_unlock && waits.iter().any(|part| name.contains(part));
    }
    match (mutex, block) {
        (true, false) => "a mutex profile".to_owned(),
        (false, true) => "a block profile".to_owned(),
        _ => String::new(),
    }
}

/// Build ids by the name of the module; the program itself, the first module, is compared by itself.
fn builds<'a>(captures: impl Iterator<Item = &'a Profile>) -> BTreeMap<String, BTreeSet<String>> {
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for profile in captures {
        let program = profile.mappings.iter().find(|mapping| mapping.build_id.is_some()).and_then(|mapping| mapping.file);
        for mapping in profile.mappings.iter().filter(|mapping| mapping.file != program) {
            let (Some(file), Some(id)) = (mapping.file, mapping.build_id) else { continue };
            let name = base_name(profile.strings.get(file)).to_owned();
            made.entry(name).or_default().insert(profile.strings.get(id).to_owned());
        }
    }
    made
}

/// Modules of both sides that have no build in common, with their build ids before and after; `None` where there are none.
pub(super) fn other_builds<'a>(before: impl Iterator<Item = &'a Profile>, after: impl Iterator<Item = &'a Profile>) -> Option<[String; 2]> {
    let (before, after) = (builds(before), builds(after));
    let other: Vec<(&String, &BTreeSet<String>, &BTreeSet<String>)> =
        before.iter().filter_map(|(name, old)| Some((name, old, after.get(name)?))).filter(|(_, old, new)| old.is_disjoint(new)).collect();
    if other.is_empty() {
        return None;
    }
    let text = |(name, ids): (&String, &BTreeSet<String>)| {
        let ids: Vec<String> = ids.iter().map(|id| id.chars().take(SHORT_ID).collect()).collect();
        format!("{name} {}", ids.join(" or "))
    };
    let more = other.len().saturating_sub(NAMED);
    let list = |mut texts: Vec<String>| {
        texts.truncate(NAMED);
        if more > 0 { format!("{} and {more} more", texts.join(", ")) } else { texts.join(", ") }
    };
    let old = other.iter().map(|(name, old, _)| text((name, old))).collect();
    let new = other.iter().map(|(name, _, new)| text((name, new))).collect();
    Some([list(old), list(new)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Function, Mapping};

    fn go(file: &str) -> String {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        let (name, file) = (builder.string("runtime.mallocgc"), Some(builder.string(file)));
        builder.function(Function { name, system_name: None, file, start_line: 0 });
        go_version(&builder.finish())
    }

    #[test]
    fn the_version_of_go_stands_in_the_paths_of_its_sources() {
        for (file, version) in [
            ("/usr/lib/go-1.19/src/runtime/malloc.go", "go1.19"),
            ("/opt/go/1.22.10/go/src/runtime/malloc.go", "go1.22.10"),
            ("/home/dev/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.24.3.linux-amd64/src/runtime/malloc.go", "go1.24.3"),
            ("/usr/local/go/src/runtime/malloc.go", "/usr/local/go"),
            ("runtime/malloc.go", ""),
        ] {
            assert_eq!(go(file), version, "{file}");
        }
    }

    #[test]
    fn libraries_with_another_build_are_named_and_the_program_is_not() {
        let capture = |program: &str, libc: &str| {
            let mut builder = Builder::new([("cycles", "count")]);
            for (at, (file, id)) in [("/bin/app", program), ("/lib/libc.so.6", libc), ("/lib/libm.so.6", "cc")].into_iter().enumerate() {
                let (file, build_id) = (Some(builder.string(file)), Some(builder.string(id)));
                let start = at as u64 * 0x1000 + 1;
                builder.mapping(Mapping { file, build_id, start, limit: start + 0xfff, ..Mapping::default() });
            }
            builder.finish()
        };
        let (old, new) = (capture("a1", "aaaaaaaaaaaaaaaa"), capture("a2", "bbbbbbbbbbbbbbbb"));
        let found = other_builds([&old].into_iter(), [&new].into_iter());
        assert_eq!(found, Some(["libc.so.6 aaaaaaaaaa".to_owned(), "libc.so.6 bbbbbbbbbb".to_owned()]));
        assert_eq!(other_builds([&old].into_iter(), [&old].into_iter()), None);
    }
}
