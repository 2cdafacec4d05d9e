//! Symbols sorted by address: the kernel's list, perf map files, and the symbol tables of binaries.
//!
//! Names stay in the bytes that they came from. Start reading at [`Table`].

use std::borrow::Cow;
use std::ops::Range;

use crate::base::layers::Layers;

/// How good a name is among several for one address; the first difference decides. The order is perf's (`symbol.c`,
/// `choose_best_symbol`), so that both show the same name; only that functions come before labels is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_typed: bool,
    has_size: bool,
    binding: Binding,
    fewer_underscores: std::cmp::Reverse<usize>,
    len: usize,
}

/// A named range of addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol<'a> {
    pub(super) start: u64,
    /// 0 = up to the next symbol.
    pub(super) size: u64,
    pub(super) name: Name<'a>,
    pub(super) binding: Binding,
    /// True where the binary says that it is a function; else it is a label that counts where no function is.
    pub(super) is_typed: bool,
}

/// The name of a symbol. A binary has ten thousands, of which few are wanted: it is read only when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    Text(&'a str),
    /// Bytes from the name on; it ends at the first zero.
    Open(&'a [u8]),
    /// The same for what a stub calls; the stub's name ends in [`STUB`].
    Stub(&'a [u8]),
}

/// How the names of stubs end, as in perf and binutils.
pub(super) const STUB: &str = "@plt";

impl<'a> Name<'a> {
    /// The text; empty where it is no text.
    pub(super) fn get(self) -> Cow<'a, str> {
        let text = |bytes: &'a [u8]| {
            let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
            bytes.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("")
        };
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Open(bytes) => Cow::Borrowed(text(bytes)),
            Self::Stub(bytes) => match text(bytes) {
                "" => Cow::Borrowed(""),
                called => Cow::Owned(format!("{called}{STUB}")),
            },
        }
    }

    /// Bytes from the name on, where it is kept so.
    pub(super) const fn open(self) -> Option<&'a [u8]> {
        match self {
            Self::Open(bytes) => Some(bytes),
            Self::Text(_) | Self::Stub(_) => None,
        }
    }
}

/// How a symbol is bound; a later one is the better name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Weak,
    Local,
    Global,
}

impl Symbol<'_> {
    fn rank(&self) -> Rank {
        let name = self.name.get();
        Rank {
            is_typed: self.is_typed,
            has_size: self.size > 0,
            binding: self.binding,
            fewer_underscores: std::cmp::Reverse(name.bytes().take_while(|&byte| byte == b'_').count()),
            len: name.len(),
        }
    }

    /// True where this one's name is to be shown of the two at one address.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        self.rank() > other.rank()
    }
}

/// Symbols of one address space: sorted, one name per start.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<'a> {
    symbols: Vec<Symbol<'a>>,
    /// Of a perf map: where code of another name lay before.
    replaced: Layers<()>,
}

impl<'a> Table<'a> {
    /// A table of any symbols; of several at one start the best name stays. Symbols without a size end with the section of `code` in
    /// which they begin; no sections = not known.
    pub(super) fn new(mut symbols: Vec<Symbol<'a>>, mut code: Vec<Range<u64>>) -> Self {
        let mut order: Vec<(u64, u32)> = symbols.iter().enumerate().map(|(row, symbol)| (symbol.start, row as u32)).collect();
        order.sort_unstable();
        // Of equal ranks the first one stays, as perf has it. Only where several names stand at one address, they are read.
        let best = |rows: &[(u64, u32)]| {
            let mut all = rows.iter().filter_map(|(_, row)| symbols.get(*row as usize)).copied();
            let first = all.next()?;
            Some(all.fold(first, |best, other| if other.is_better_than(&best) { other } else { best }))
        };
        let chosen: Vec<Symbol<'a>> = order.chunk_by(|a, b| a.0 == b.0).filter_map(best).collect();
        symbols = chosen;
        drop_covered_labels(&mut symbols);
        // An empty section stands where the next one begins.
        code.retain(|section| !section.is_empty());
        code.sort_unstable_by_key(|section| section.start);
        let end_of_code = |start: u64| {
            let after = code.partition_point(|section| section.start <= start);
            let section = after.checked_sub(1).and_then(|at| code.get(at)).filter(|section| start < section.end);
            section.map_or(start, |section| section.end)
        };
        let starts: Vec<u64> = symbols.iter().skip(1).map(|symbol| symbol.start).collect();
        for (symbol, next) in symbols.iter_mut().zip(starts) {
            if symbol.size == 0 {
                let end = if code.is_empty() { next } else { end_of_code(symbol.start).min(next) };
                symbol.size = end - symbol.start;
            }
        }
        if let Some(last) = symbols.last_mut().filter(|last| last.size == 0) {
            // perf gives the last symbol a page.
            last.size = if code.is_empty() { 4096 } else { end_of_code(last.start) - last.start };
        }
        Self { symbols, replaced: Layers::default() }
    }

    /// A perf map file: lines `start size name` in hex, the name up to the end of the line. Lines are written as code is compiled, so a later
    /// one replaces what it covers of earlier ones: code moves, and other code comes to lie where it was.
    pub(super) fn of_perf_map(text: &'a str) -> Self {
        let (mut last, mut replaced) = (Layers::default(), Layers::default());
        for line in text.lines() {
            let Some((start, rest)) = line.trim_start().split_once(' ') else { continue };
            let Some((size, name)) = rest.trim_start().split_once(' ') else { continue };
            let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
            if let (Some(start), Some(size)) = (hex(start), hex(size)) {
                let (end, name) = (start.saturating_add(size), name.trim_end());
                for (from, to, _) in last.between(start, end).filter(|(.., old)| *old != name) {
                    replaced.put(from, to, ());
                }
                last.put(start, end, name);
            }
        }
        let symbol = |(start, end, name): (u64, u64, &'a str)| Symbol {
            start,
            size: end - start,
            name: Name::Text(name),
            binding: Binding::Global,
            is_typed: true,
        };
        Self { symbols: last.into_ranges().map(symbol).collect(), replaced }
    }

    /// True where a line of a perf map was replaced by one of another name.
    pub(super) fn is_replaced(&self, address: u64) -> bool {
        self.replaced.at(address).is_some()
    }

    /// The symbol whose range holds the address.
    pub(super) fn find(&self, address: u64) -> Option<&Symbol<'a>> {
        /// Symbols may overlap (a function with several entries): the one around may begin a little before.
        const LOOK_BACK: usize = 8;
        let after = self.symbols.partition_point(|symbol| symbol.start <= address);
        let before = self.symbols.get(after.saturating_sub(LOOK_BACK)..after)?;
        before.iter().rev().find(|symbol| address - symbol.start < symbol.size)
    }
}

/// Takes labels inside of functions away. Sorted by start.
fn drop_covered_labels(symbols: &mut Vec<Symbol<'_>>) {
    let mut end = 0;
    symbols.retain(|symbol| {
        if symbol.is_typed {
            end = end.max(symbol.start.saturating_add(symbol.size));
        }
        symbol.is_typed || symbol.start >= end
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_at<'a>(table: &Table<'a>, address: u64) -> Option<Cow<'a, str>> {
        table.find(address).map(|symbol| symbol.name.get())
    }

    #[test]
    fn a_perf_map_keeps_names_with_spaces_and_the_latest_of_a_start() {
        let table =
            Table::of_perf_map("18c4000 300 Builtin:A\n2000 10 LazyCompile:~f a b.js:1\n2000 20 LazyCompile:*f a b.js:1\nnonsense\n");
        assert_eq!(name_at(&table, 0x2018).as_deref(), Some("LazyCompile:*f a b.js:1"));
        assert_eq!(name_at(&table, 0x2020), None);
        assert_eq!(name_at(&table, 0x18c_42ff).as_deref(), Some("Builtin:A"));
    }

    /// Code of other functions lies where functions were that moved or went.
    #[test]
    fn a_later_line_of_a_perf_map_replaces_what_it_covers() {
        let small: Vec<String> = (0..20).map(|n| format!("{:x} 10 old{n}\n", 0x2000 + n * 0x10)).collect();
        let small = small.concat();
        let text = format!("1000 100 outer\n{small}1040 10 inner\n1ff8 100 new\n3000 0 nothing\n");
        let table = Table::of_perf_map(&text);
        for (address, name) in [
            (0x103f, Some("outer")),
            (0x1040, Some("inner")),
            (0x1050, Some("outer")),
            (0x1ff8, Some("new")),
            (0x20f7, Some("new")),
            (0x20f8, Some("old15")),
            (0x2130, Some("old19")),
            (0x3000, None),
        ] {
            assert_eq!(name_at(&table, address).as_deref(), name, "{address:#x}");
        }
        assert_eq!([0x103f, 0x1040, 0x1ff8, 0x2000, 0x20f8].map(|address| table.is_replaced(address)), [false, true, false, true, false]);
    }

    #[test]
    fn what_has_no_size_ends_with_its_section_or_before_the_next() {
        let symbol = |start, size, name, is_typed| Symbol { start, size, name: Name::Text(name), binding: Binding::Global, is_typed };
        let symbols = vec![
            symbol(0x10, 0, "first", true),
            symbol(0x48, 0, "label", false),
            symbol(0x50, 0x10, "function", true),
            symbol(0x58, 0, "inside", false),
            symbol(0x60, 0, "after", false),
            symbol(0x80, 0, "end_mark", true),
        ];
        let names = |code| {
            let table = Table::new(symbols.clone(), code);
            let name = |address| name_at(&table, address).map_or("", |name| if let Cow::Borrowed(name) = name { name } else { "" });
            [0x10, 0x1f, 0x20, 0x48, 0x4f, 0x50, 0x58, 0x5f, 0x60, 0x7f, 0x80].map(name)
        };
        let known = names(vec![0x40..0x80, 0x10..0x20, 0x10..0x10]);
        assert_eq!(known, ["first", "first", "", "label", "label", "function", "function", "function", "after", "after", ""]);
        let unknown = names(Vec::new());
        assert_eq!(
            unknown,
            ["first", "first", "first", "label", "label", "function", "function", "function", "after", "after", "end_mark"]
        );
    }

    #[test]
    fn the_best_of_several_names_is_the_one_that_perf_shows() {
        let symbol = |name: &'static str, binding| Symbol { start: 16, size: 8, name: Name::Text(name), binding, is_typed: true };
        let table = |names: Vec<Symbol<'static>>| Table::new(names, Vec::new()).find(16).map(|symbol| symbol.name.get().into_owned());
        assert_eq!(table(vec![symbol("weak_longer", Binding::Weak), symbol("a", Binding::Local)]).as_deref(), Some("a"));
        assert_eq!(table(vec![symbol("__a", Binding::Global), symbol("_b", Binding::Global)]).as_deref(), Some("_b"));
        assert_eq!(table(vec![symbol("memcpy", Binding::Global), symbol("memmove", Binding::Global)]).as_deref(), Some("memmove"));
    }
}
