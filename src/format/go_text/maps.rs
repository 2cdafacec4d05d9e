//! The memory map at the end of the older forms: which module lies where.
//!
//! Understood are the lines of Linux's `/proc/PID/maps`, the brief form of gperftools (`start-end: file`), log prefixes before either
//! and assignments (`build=/path`) that later lines name as `$build`. What is done to the list follows pprof's reader: halves of one
//! module are joined, the program comes first, and gaps that old recorders left at the start of modules are closed. Deliberately
//! absent: pprof's invented module around all addresses without one. Start reading at [`read`] and [`place`].

use super::scan::{Scan, Source};
use crate::format::ReadError;
use crate::format::text::lossy;

/// A module, by the addresses it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: u64,
    /// Address after the last.
    pub(super) limit: u64,
    /// Offset in the file of the byte at `start`.
    pub(super) offset: u64,
    /// Path; empty where the map has none.
    pub(super) file: String,
    /// Empty where the map has none.
    pub(super) build_id: String,
}

/// The line before a memory map.
pub(super) fn is_heading(line: &[u8]) -> bool {
    let has = |text: &[u8]| memchr::memmem::find(line, text).is_some();
    has(b"MAPPED_LIBRARIES:") || has(b"--- Memory map: ---")
}

/// Whether a line is one of `/proc/PID/maps`: two addresses and what may be done between them.
pub(super) fn is_region(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    let range = scan.hex().is_some() && scan.eat(b"-") && scan.hex().is_some() && scan.eat(b" ");
    let permissions = scan.word();
    range && permissions.len() == 4 && permissions.iter().all(|byte| b"-rwxps".contains(byte))
}

/// Passes over everything up to the heading of the memory map, if there is one.
pub(super) fn seek(source: &mut Source<'_>) -> Result<(), ReadError> {
    while let Some(line) = source.next()? {
        if is_heading(line.text) {
            break;
        }
    }
    Ok(())
}

/// Longest line with the values of its names in it (no path is longer), and bytes that values may add to all lines together: in a hostile file they
/// hold each other.
const LONGEST: usize = 4096;
const MOST_ADDED: usize = 16 << 20;

/// Executable regions in the rest of the input, as they stand there, and how many names were left in them because their values would have been too long.
pub(super) fn read(source: &mut Source<'_>) -> Result<(Vec<Region>, u64), ReadError> {
    let mut regions = Vec::new();
    let mut names: Vec<(String, String)> = Vec::new();
    let (mut invalid, mut added, mut left) = (0, 0_usize, 0_u64);
    while let Some(line) = source.next()? {
        let mut text = lossy(without_log_prefix(line.text), &mut invalid).into_owned();
        if text.contains('$') {
            for (name, value) in &names {
                let found = text.matches(name.as_str()).count();
                let more = found.saturating_mul(value.len());
                if found == 0 {
                    continue;
                }
                if text.len().saturating_add(more) > LONGEST || added.saturating_add(more) > MOST_ADDED {
                    left = left.saturating_add(found as u64);
                    continue;
                }
                added += more;
                text = text.replace(name, value);
            }
        }
        match region(text.as_bytes()) {
            Some(region) if region.limit == 0 => {}
            Some(region) => regions.push(region),
            // Ordinary maps have none or one; the cap keeps a hostile file from making every line slow.
            None => {
                if let Some((name, value)) = text.split_once('=').filter(|_| names.len() < 16) {
                    names.push((format!("${}", name.trim()), value.trim().to_owned()));
                }
            }
        }
    }
    Ok((regions, left))
}

/// Cuts what a logger wrote before a line: `I0102 file.cc:12] `.
fn without_log_prefix(line: &[u8]) -> &[u8] {
    let Some(bracket) = line.iter().position(|byte| matches!(byte, b'[' | b']')) else { return line };
    let before = line.get(..bracket).unwrap_or(line);
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let colon = before.len().checked_sub(digits + 1).and_then(|at| before.get(at));
    match line.get(bracket..) {
        Some([b']', blank, rest @ ..]) if blank.is_ascii_whitespace() && digits > 0 && colon == Some(&b':') => rest,
        _ => line,
    }
}

/// One line, if it is a region. One that holds no code is empty.
fn region(line: &[u8]) -> Option<Region> {
    let mut scan = Scan(line);
    let start = scan.blanks().hex()?;
    if !scan.eat(b"-") && !scan.0.starts_with(b" ") && !scan.0.starts_with(b"\t") {
        return None;
    }
    let limit = scan.blanks().hex()?;
    scan.eat(b":");
    if scan.0.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return None;
    }
    let mut after = scan;
    let permissions = after.blanks().word();
    let has_permissions = !permissions.is_empty() && permissions.iter().all(|byte| b"-rwxps".contains(byte));
    if has_permissions {
        scan = after;
        if !permissions.contains(&b'x') {
            return Some(Region::default());
        }
    }
    let region = Region { start, limit, ..Region::default() };
    Some(proc_fields(scan, &region).unwrap_or_else(|| brief_fields(scan, region)))
}

/// `offset dev:dev inode path`, as Linux writes it. Paths may hold blanks.
fn proc_fields(mut scan: Scan<'_>, region: &Region) -> Option<Region> {
    let offset = scan.blanks().hex()?;
    let device = scan.blanks().word();
    let colon = device.iter().position(|&byte| byte == b':').filter(|&at| at > 0 && at + 1 < device.len())?;
    let is_device = device.iter().enumerate().all(|(at, byte)| at == colon || byte.is_ascii_hexdigit());
    let inode = scan.blanks().word();
    if !is_device || inode.is_empty() || !inode.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(Region { offset, file: path(scan.0), ..region.clone() })
}

/// `file (@offset) build-id`, all of it optional.
fn brief_fields(mut scan: Scan<'_>, mut region: Region) -> Region {
    let mut at = scan;
    if !at.blanks().0.starts_with(b"(@") {
        region.file = path(at.word());
        scan = at;
    }
    at = scan;
    if at.blanks().eat(b"(@")
        && let Some(offset) = at.hex()
        && at.eat(b")")
    {
        region.offset = offset;
        scan = at;
    }
    let id = scan.blanks().word();
    if !id.is_empty() && id.iter().all(u8::is_ascii_hexdigit) {
        region.build_id = String::from_utf8_lossy(id).to_lowercase();
    }
    region
}

fn path(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii());
    text.strip_suffix(" (deleted)").unwrap_or(&text).to_owned()
}

/// Joins the halves of modules and puts the program first.
pub(super) fn tidy(regions: Vec<Region>) -> Vec<Region> {
    let mut joined: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        match joined.last_mut().filter(|last| is_adjacent(last, &region)) {
            Some(last) => {
                last.limit = region.limit;
                if !region.file.is_empty() {
                    last.file = region.file;
                }
                if !region.build_id.is_empty() {
                    last.build_id = region.build_id;
                }
            }
            None => joined.push(region),
        }
    }
    if let Some(program) =
        joined.iter().position(|region| !region.file.is_empty() && !region.file.starts_with('[') && !is_library(&region.file))
    {
        joined.swap(0, program);
    }
    // Huge pages that were put over the start of the program.
    if let [first, second, ..] = joined.as_slice()
        && first.file.starts_with("/anon_hugepage")
        && first.limit == second.start
    {
        joined.remove(0);
    }
    if let Some(first) = joined.first_mut().filter(|first| first.start.wrapping_sub(first.offset) == PROGRAM_START) {
        first.start = PROGRAM_START;
        first.offset = 0;
    }
    joined
}

/// Where x86-64 programs with fixed addresses begin.
const PROGRAM_START: u64 = 0x40_0000;

/// Both are parts of one module, the second right behind the first.
fn is_adjacent(first: &Region, second: &Region) -> bool {
    let agree = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
    let follows =
        first.offset == 0 || second.offset == 0 || first.offset.wrapping_add(first.limit.wrapping_sub(first.start)) == second.offset;
    agree(&first.file, &second.file) && agree(&first.build_id, &second.build_id) && first.limit == second.start && follows
}

/// `name.so`, `name.so.6`, `name.so_1`.
fn is_library(file: &str) -> bool {
    let versioned = |at: usize| {
        let after = file.get(at + 3..).unwrap_or_default();
        after.is_empty() || after.strip_prefix(['.', '_']).is_some_and(|version| version.starts_with(|digit: char| digit.is_ascii_digit()))
    };
    file.match_indices(".so").any(|(at, _)| versioned(at))
}

/// Puts each address into the first region that holds it; gives (address, row of `regions`), sorted by address. A region whose start
/// was not recorded is widened to the start of its file where an address lies in the gap.
pub(super) fn place(regions: &mut [Region], all: impl IntoIterator<Item = u64>) -> Vec<(u64, usize)> {
    let mut free = Free::new(all);
    let mut placed = Vec::with_capacity(free.addresses.len());
    for (row, region) in regions.iter().enumerate() {
        free.take(region.start, region.limit, |address| placed.push((address, row)));
    }
    for (row, region) in regions.iter_mut().enumerate().filter(|(_, region)| region.offset != 0) {
        let before = placed.len();
        let Some(from) = region.start.checked_sub(region.offset) else { continue };
        free.take(from, region.start, |address| placed.push((address, row)));
        if placed.len() > before {
            region.start = from;
            region.offset = 0;
        }
    }
    placed.sort_unstable();
    placed
}

/// Addresses without a region: each is handed out once, so that many regions over the same addresses cost nothing more.
struct Free {
    /// Sorted.
    addresses: Vec<u64>,
    /// For each place of `addresses` a place at or after it, before which all are taken; the place itself where it is free.
    next: Vec<usize>,
}

impl Free {
    fn new(all: impl IntoIterator<Item = u64>) -> Self {
        let mut addresses: Vec<u64> = all.into_iter().filter(|&address| address != 0).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let next = (0..=addresses.len()).collect();
        Self { addresses, next }
    }

    /// The first free place at or after `at`.
    fn find(&mut self, mut at: usize) -> usize {
        while let Some(&next) = self.next.get(at).filter(|&&next| next != at) {
            // Halves the path for whoever comes next.
            let beyond = self.next.get(next).copied().unwrap_or(next);
            self.next.get_mut(at).into_iter().for_each(|place| *place = beyond);
            at = beyond;
        }
        at
    }

    /// Hands out what is free from `from` up to `to`.
    fn take(&mut self, from: u64, to: u64, mut each: impl FnMut(u64)) {
        let mut at = self.find(self.addresses.partition_point(|&address| address < from));
        while let Some(&address) = self.addresses.get(at).filter(|&&address| address < to) {
            each(address);
            self.next.get_mut(at).into_iter().for_each(|place| *place = at + 1);
            at = self.find(at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ticket::Ticket;

    fn all(text: &str) -> Vec<Region> {
        read(&mut Source::new(text.as_bytes(), 0, &Ticket::new())).expect("nobody cancels").0
    }

    /// Found by fuzzing: each name's value holds the one before many times, which took gigabytes.
    #[test]
    fn names_that_hold_each_other_do_not_grow_without_end() {
        let names = ["ab", "bc", "cd", "de", "ef", "fg", "gh"].map(|pair| {
            let (old, new) = pair.split_at(1);
            format!("{new}={}\n", format!("${old}").repeat(40))
        });
        let lines = "400000-500000 $h$g\n".repeat(3);
        let text = format!("a=/path/to/it\n{}{lines}500000-600000 $a/bin\n", names.concat());
        let (regions, left) = read(&mut Source::new(text.as_bytes(), 0, &Ticket::new())).expect("nobody cancels");
        assert_eq!((regions.len(), regions.last().map(|region| region.file.as_str())), (4, Some("/path/to/it/bin")));
        assert!(left > 0 && regions.iter().all(|region| region.file.len() <= LONGEST), "{left}");
        // Short lines, but very many of them.
        let text = format!("a={}\n{}", "x".repeat(4000), "1-2 $a\n".repeat(20_000));
        let (regions, left) = read(&mut Source::new(text.as_bytes(), 0, &Ticket::new())).expect("nobody cancels");
        assert!(left > 0 && regions.iter().map(|region| region.file.len()).sum::<usize>() < MOST_ADDED + text.len(), "{left}");
    }

    fn shown(regions: &[Region]) -> Vec<(u64, u64, u64, &str, &str)> {
        regions.iter().map(|region| (region.start, region.limit, region.offset, region.file.as_str(), region.build_id.as_str())).collect()
    }

    #[test]
    fn both_forms_of_lines_are_read() {
        let text = "00400000-00401000 r-xp 00001000 fe:00 247784     /usr/bin/a b (deleted)\n\
                    00401000-00402000 rw-p 00002000 fe:00 247784     /usr/bin/data\n\
                    W0102 03:04:05 maps.cc:17] 0x500000-0x600000: /lib/l.so (@FF00) ABC123\n\
                    build=/path/to/it\n  700000 800000 $build/bin\nnothing of the kind\n\
                    ffffffffff600000-ffffffffff601000 r-xp 00000000 00:00 0  [vsyscall]\n";
        let regions = all(text);
        assert_eq!(
            shown(&regions),
            [
                (0x40_0000, 0x40_1000, 0x1000, "/usr/bin/a b", ""),
                (0x50_0000, 0x60_0000, 0xff00, "/lib/l.so", "abc123"),
                (0x70_0000, 0x80_0000, 0, "/path/to/it/bin", ""),
                (0xffff_ffff_ff60_0000, 0xffff_ffff_ff60_1000, 0, "[vsyscall]", ""),
            ]
        );
    }

    #[test]
    fn halves_are_joined_and_the_program_comes_first() {
        let regions = tidy(all("10000-11000: /lib/x.so.6\n11000-12000: /lib/x.so.6\n20000-21000 r-xp 00001000 fe:00 1 /bin/p\n"));
        assert_eq!(shown(&regions), [(0x2_0000, 0x2_1000, 0x1000, "/bin/p", ""), (0x1_0000, 0x1_2000, 0, "/lib/x.so.6", "")]);
    }

    #[test]
    fn addresses_go_into_the_first_region_or_widen_one() {
        let mut regions = all("20000-21000 r-xp 00001000 fe:00 1 /bin/p\n20800-22000: /bin/q\n");
        let placed = place(&mut regions, [0, 0x2_0900, 0x2_1800, 0x1_f800, 0x1_0000]);
        assert_eq!(placed, [(0x1_f800, 0), (0x2_0900, 0), (0x2_1800, 1)]);
        assert_eq!((regions[0].start, regions[0].offset), (0x1_f000, 0));
    }

    #[test]
    fn nonsense_is_no_region() {
        assert_eq!(all("deadbeef\n-\n0x-0x\n123456789012345678901234-2: x\nabc def: x\n").len(), 1);
        assert_eq!(place(&mut all("9000-1000: /bin/backwards\n"), [0x2000]), []);
    }
}
