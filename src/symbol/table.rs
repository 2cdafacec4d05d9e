//! Symbols sorted by address: the kernel's list, perf map files, and the symbol tables of binaries.
//!
//! Names stay in the bytes that they came from. Start reading at [`Table`].

/// How good a name is among several for one address; the first difference decides. The order is perf's (`symbol.c`,
/// `choose_best_symbol`), so that both show the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    has_size: bool,
    is_strong: bool,
    is_global: bool,
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
}

/// The name of a symbol. A binary has ten thousands, of which few are wanted: it is read only when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    Text(&'a str),
    /// Bytes from the name on; it ends at the first zero.
    Open(&'a [u8]),
}

impl<'a> Name<'a> {
    /// The text; empty where it is no text.
    pub(super) fn get(self) -> &'a str {
        match self {
            Self::Text(text) => text,
            Self::Open(bytes) => {
                let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
                bytes.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("")
            }
        }
    }
}

/// How a symbol is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Local,
    Global,
    Weak,
}

impl Symbol<'_> {
    fn rank(&self) -> Rank {
        let name = self.name.get();
        Rank {
            has_size: self.size > 0,
            is_strong: self.binding != Binding::Weak,
            is_global: self.binding == Binding::Global,
            fewer_underscores: std::cmp::Reverse(name.bytes().take_while(|&byte| byte == b'_').count()),
            len: name.len(),
        }
    }
}

/// Symbols of one address space: sorted, one name per start.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<'a> {
    symbols: Vec<Symbol<'a>>,
}

impl<'a> Table<'a> {
    /// A table of any symbols; of several at one start the best name stays.
    pub(super) fn new(mut symbols: Vec<Symbol<'a>>) -> Self {
        let mut order: Vec<(u64, u32)> = symbols.iter().enumerate().map(|(row, symbol)| (symbol.start, row as u32)).collect();
        order.sort_unstable();
        // Of equal ranks the first one stays, as perf has it. Only where several names stand at one address, they are read.
        let best = |rows: &[(u64, u32)]| {
            let mut all = rows.iter().filter_map(|(_, row)| symbols.get(*row as usize)).copied();
            let first = all.next()?;
            Some(all.fold(first, |best, other| if other.rank() > best.rank() { other } else { best }))
        };
        let chosen: Vec<Symbol<'a>> = order.chunk_by(|a, b| a.0 == b.0).filter_map(best).collect();
        symbols = chosen;
        let starts: Vec<u64> = symbols.iter().skip(1).map(|symbol| symbol.start).collect();
        for (symbol, next) in symbols.iter_mut().zip(starts) {
            if symbol.size == 0 {
                symbol.size = next - symbol.start;
            }
        }
        if let Some(last) = symbols.last_mut().filter(|last| last.size == 0) {
            // perf gives the last symbol a page.
            last.size = 4096;
        }
        Self { symbols }
    }

    /// A perf map file: lines `start size name` in hex, the name up to the end of the line. A later line for the same start replaces
    /// an earlier one: the code was compiled again.
    pub(super) fn of_perf_map(text: &'a str) -> Self {
        let mut symbols: Vec<Symbol<'a>> = text
            .lines()
            .filter_map(|line| {
                let (start, rest) = line.trim_start().split_once(' ')?;
                let (size, name) = rest.trim_start().split_once(' ')?;
                let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
                Some(Symbol { start: hex(start)?, size: hex(size)?, name: Name::Text(name.trim_end()), binding: Binding::Global })
            })
            .collect();
        symbols.reverse();
        symbols.sort_by_key(|symbol| symbol.start);
        symbols.dedup_by_key(|symbol| symbol.start);
        Self { symbols }
    }

    /// True without symbols.
    pub(super) const fn is_empty(&self) -> bool {
        self.symbols.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn name_at<'a>(table: &Table<'a>, address: u64) -> Option<&'a str> {
        table.find(address).map(|symbol| symbol.name.get())
    }

    #[test]
    fn a_perf_map_keeps_names_with_spaces_and_the_latest_of_a_start() {
        let table =
            Table::of_perf_map("18c4000 300 Builtin:A\n2000 10 LazyCompile:~f a b.js:1\n2000 20 LazyCompile:*f a b.js:1\nnonsense\n");
        assert_eq!(name_at(&table, 0x2018), Some("LazyCompile:*f a b.js:1"));
        assert_eq!(name_at(&table, 0x2020), None);
        assert_eq!(name_at(&table, 0x18c_42ff), Some("Builtin:A"));
    }

    #[test]
    fn the_best_of_several_names_is_the_one_that_perf_shows() {
        let symbol = |name: &'static str, binding| Symbol { start: 16, size: 8, name: Name::Text(name), binding };
        let table = |names: Vec<Symbol<'static>>| Table::new(names).find(16).map(|symbol| symbol.name.get());
        assert_eq!(table(vec![symbol("weak_longer", Binding::Weak), symbol("a", Binding::Local)]), Some("a"));
        assert_eq!(table(vec![symbol("__a", Binding::Global), symbol("_b", Binding::Global)]), Some("_b"));
        assert_eq!(table(vec![symbol("memcpy", Binding::Global), symbol("memmove", Binding::Global)]), Some("memmove"));
    }
}
