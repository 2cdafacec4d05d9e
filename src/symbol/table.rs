//! Symbols sorted by address: the kernel's list, perf map files, and the symbol tables of binaries.

use super::{Level, Levels};

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
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    pub(super) start: u64,
    /// 0 = up to the next symbol.
    pub(super) size: u64,
    pub(super) name: String,
    pub(super) binding: Binding,
}

/// How a symbol is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Local,
    Global,
    Weak,
}

impl Symbol {
    fn rank(&self) -> Rank {
        Rank {
            has_size: self.size > 0,
            is_strong: self.binding != Binding::Weak,
            is_global: self.binding == Binding::Global,
            fewer_underscores: std::cmp::Reverse(self.name.bytes().take_while(|&byte| byte == b'_').count()),
            len: self.name.len(),
        }
    }
}

/// Symbols of one address space: sorted, one name per start.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    symbols: Vec<Symbol>,
}

impl Table {
    /// A table of any symbols; of several at one start the best name stays.
    pub(super) fn new(mut symbols: Vec<Symbol>) -> Self {
        // Of equal ranks the first one stays, as perf has it: the sort is stable.
        symbols.sort_by(|a, b| a.start.cmp(&b.start).then_with(|| b.rank().cmp(&a.rank())));
        symbols.dedup_by_key(|symbol| symbol.start);
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

    /// The kernel's own list (`/proc/kallsyms`): lines `address type name [module]`. `None` where the addresses are hidden.
    pub(super) fn of_kallsyms(text: &str) -> Option<Self> {
        let mut symbols = Vec::new();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(start), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(start) = u64::from_str_radix(start, 16) else { continue };
            let binding = match kind {
                "T" => Binding::Global,
                "t" => Binding::Local,
                "W" | "w" => Binding::Weak,
                _ => continue,
            };
            symbols.push(Symbol { start, size: 0, name: name.to_owned(), binding });
        }
        let is_visible = symbols.iter().any(|symbol| symbol.start != 0);
        is_visible.then(|| Self::new(symbols))
    }

    /// A perf map file: lines `start size name` in hex, the name up to the end of the line. A later line for the same start replaces
    /// an earlier one: the code was compiled again.
    pub(super) fn of_perf_map(text: &str) -> Self {
        let mut symbols: Vec<Symbol> = text
            .lines()
            .filter_map(|line| {
                let (start, rest) = line.trim_start().split_once(' ')?;
                let (size, name) = rest.trim_start().split_once(' ')?;
                let hex = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
                Some(Symbol { start: hex(start)?, size: hex(size)?, name: name.trim_end().to_owned(), binding: Binding::Global })
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
    pub(super) fn find(&self, address: u64) -> Option<&Symbol> {
        /// Symbols may overlap (a function with several entries): the one around may begin a little before.
        const LOOK_BACK: usize = 8;
        let after = self.symbols.partition_point(|symbol| symbol.start <= address);
        let before = self.symbols.get(after.saturating_sub(LOOK_BACK)..after)?;
        before.iter().rev().find(|symbol| address - symbol.start < symbol.size)
    }

    /// The name at an address as the one level of a frame.
    pub(super) fn levels(&self, address: u64) -> Levels {
        self.find(address).map(|symbol| vec![Level { name: symbol.name.clone(), ..Level::default() }]).unwrap_or_default()
    }

    /// Start of the symbol of that name, where it is the best name of its address.
    pub(super) fn start_of(&self, name: &str) -> Option<u64> {
        self.symbols.iter().find(|symbol| symbol.name == name).map(|symbol| symbol.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_at(table: &Table, address: u64) -> Option<&str> {
        table.find(address).map(|symbol| symbol.name.as_str())
    }

    #[test]
    fn kernel_symbols_reach_to_the_next_one() {
        let text = "ffffffff81000000 T _text\nffffffff81000040 t local\nffffffff81000040 T best\nffffffff81000080 D data\nffffffff81000100 W weak [mod]\n";
        let table = Table::of_kallsyms(text).unwrap();
        assert_eq!(name_at(&table, 0xffff_ffff_8100_003f), Some("_text"));
        assert_eq!(name_at(&table, 0xffff_ffff_8100_0090), Some("best"));
        assert_eq!(name_at(&table, 0xffff_ffff_8100_0100), Some("weak"));
        assert_eq!(name_at(&table, 0xffff_ffff_8000_0000), None);
        assert_eq!(table.start_of("_text"), Some(0xffff_ffff_8100_0000));
        assert!(Table::of_kallsyms("0000000000000000 T _text\n").is_none(), "hidden addresses are no symbols");
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
        let symbol = |name: &str, binding| Symbol { start: 16, size: 8, name: name.to_owned(), binding };
        let table = |names: Vec<Symbol>| Table::new(names).find(16).map(|symbol| symbol.name.clone());
        assert_eq!(table(vec![symbol("weak_longer", Binding::Weak), symbol("a", Binding::Local)]).as_deref(), Some("a"));
        assert_eq!(table(vec![symbol("__a", Binding::Global), symbol("_b", Binding::Global)]).as_deref(), Some("_b"));
        assert_eq!(table(vec![symbol("memcpy", Binding::Global), symbol("memmove", Binding::Global)]).as_deref(), Some("memmove"));
    }
}
