//! Names before a profile: what `pprof --raw` of gperftools and `jeprof --raw` write, and programs that name their addresses themselves
//! (ClickHouse, PHP's memprof, Twitter's util).
//!
//! ```text
//! --- symbol
//! binary=/usr/bin/program
//! 0x0000000000401136 outermost--inlined
//! ---
//! --- heap
//! ```
//!
//! Then follows the profile itself, in any of the older forms. Rules follow `PrintSymbolizedProfile`, `ReadSymbols` and `FixCallerAddresses` of
//! jeprof: names that are inlined into each other are joined by `--`, and callers are named at their return address less one. Others name
//! them at the address itself, so what the file does decides. Deliberately absent: the profile. Start reading at [`Symbols::read`].

use rustc_hash::FxHashMap;

use super::scan::Scan;
use crate::format::text::{Lines, lossy};
use crate::model::{Builder, Function, FunctionId};

/// The first line.
const HEAD: &[u8] = b"--- symbol";

/// Linux lets nothing be mapped below (`vm.mmap_min_addr`).
const FIRST_CODE: u64 = 4096;

/// Whether a file begins with such names.
pub(super) fn is_first_line(line: &[u8]) -> bool {
    line.trim_ascii_end() == HEAD
}

/// The names of a file, by address.
#[derive(Default)]
pub(super) struct Symbols<'a> {
    by_address: FxHashMap<u64, &'a [u8]>,
    /// Path of the program.
    pub(super) program: Option<&'a [u8]>,
    /// Where the profile begins.
    pub(super) end: usize,
    /// Offset of the first line that is no name, and how many there are.
    pub(super) odd: Option<(u64, u64)>,
}

impl<'a> Symbols<'a> {
    /// The names at the start of a file; `None` where there are none, or no end of them.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut lines = Lines::new(bytes).skip_while(|(_, line)| line.trim_ascii().is_empty());
        lines.next().filter(|(_, line)| is_first_line(line))?;
        let mut symbols = Self::default();
        let mut is_open = true;
        for (at, line) in lines {
            let line = line.trim_ascii();
            if !is_open {
                // The mark of what follows is one word; a profile's own first line has more, but for brpc's.
                let behind = bytes.get(after_line(bytes, at)..).unwrap_or_default();
                let is_own = line == b"--- contention" && !behind.starts_with(b"--- ");
                let mark = !is_own && line.strip_prefix(b"--- ").is_some_and(|word| word.iter().all(u8::is_ascii_lowercase));
                symbols.end = if mark { after_line(bytes, at) } else { at };
                return Some(symbols);
            }
            is_open = line != b"---";
            if line.is_empty() || !is_open {
                continue;
            }
            if let Some(path) = line.strip_prefix(b"binary=") {
                symbols.program = Some(path);
            } else if let Some((address, name)) = symbol(line) {
                symbols.by_address.entry(address).or_insert(name);
            } else {
                let (first, count) = symbols.odd.unwrap_or((at as u64, 0));
                symbols.odd = Some((first, count + 1));
            }
        }
        None
    }

    /// Whether addresses are nothing but numbers of names: no program has code where the system allows none.
    pub(super) fn is_numbered(&self) -> bool {
        self.by_address.keys().any(|address| *address < FIRST_CODE)
    }

    /// True where there is no name.
    pub(super) fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// Whether an address has a name.
    pub(super) fn has(&self, address: u64) -> bool {
        self.by_address.contains_key(&address)
    }

    /// The functions at an address, the outermost first; none where it has no name.
    pub(super) fn functions(&self, address: u64, builder: &mut Builder, invalid: &mut u64) -> Vec<FunctionId> {
        let Some(name) = self.by_address.get(&address) else { return Vec::new() };
        let name = lossy(name, invalid);
        // What has no name is written as its address.
        if name.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Vec::new();
        }
        let mut function = |name: &str| {
            let name = builder.string(name);
            builder.function(Function { name, system_name: None, file: None, start_line: 0 })
        };
        parts(&name).into_iter().map(&mut function).collect()
    }
}

fn after_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)
}

/// `0x401136 name`
fn symbol(line: &[u8]) -> Option<(u64, &[u8])> {
    let mut scan = Scan(line);
    let address = scan.hex().filter(|_| line.starts_with(b"0x") && scan.0.first().is_some_and(u8::is_ascii_whitespace))?;
    let name = scan.blanks().0;
    (!name.is_empty()).then_some((address, name))
}

/// The names that `--` joins. It is also an operator of C++.
fn parts(name: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, _) in name.match_indices("--") {
        let part = name.get(start..at).unwrap_or_default();
        if !part.is_empty() && !part.ends_with("operator") {
            parts.push(part);
            start = at + 2;
        }
    }
    parts.extend(name.get(start..).filter(|part| !part.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_joined_come_apart() {
        for (name, expected) in [
            ("main", vec!["main"]),
            ("a--b--c", vec!["a", "b", "c"]),
            ("it::operator--()--f", vec!["it::operator--()", "f"]),
            ("f--", vec!["f"]),
            ("--", vec!["--"]),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
    }

    #[test]
    fn the_profile_begins_behind_its_mark() {
        for (text, rest) in [
            ("--- symbol\n0x1 a\n---\n--- heap\nheap_v2/1\n", Some("heap_v2/1\n")),
            ("\n--- symbol\r\nbinary=x\r\n0x1\ta\r\n---\r\nheap profile: 1", Some("heap profile: 1")),
            ("--- symbol\n---\n--- contentionz 1 ---\n", Some("--- contentionz 1 ---\n")),
            ("--- symbol\n---\n--- contention\ncycles/second=1\n", Some("--- contention\ncycles/second=1\n")),
            ("--- symbol\n---\n--- contention\n--- contention\n1 1 @\n", Some("--- contention\n1 1 @\n")),
            ("--- symbol\n---\n--- profile\n", None),
            ("--- symbol\n0x1 a\n", None),
            ("--- symbols\n---\nx\n", None),
        ] {
            let end = Symbols::read(text.as_bytes()).map(|symbols| &text[symbols.end..]);
            assert_eq!(end.filter(|rest| !rest.is_empty()), rest, "{text}");
        }
    }
}
