//! What stands at the addresses of one module, in columns.
//!
//! Modules have ten thousands of addresses in few functions, so each name is kept once. Deliberately absent: which addresses these are
//! (the caller's sorted list has one entry per row). Start reading at [`Answer`].

use rayon::prelude::*;

use super::table::Symbol;
use crate::base::intern::{StringId, Strings};
use crate::base::ticket::{Cancelled, Ticket};

/// One level of what stands at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// The name in the binary; never empty in a finished answer.
    pub(super) name: StringId,
    pub(super) file: Option<StringId>,
    /// From 1; 0 = unknown.
    pub(super) line: u32,
    /// From 1; 0 = unknown.
    pub(super) column: u32,
    /// First line of the function, from 1; 0 = unknown.
    pub(super) start_line: u32,
}

/// Where code comes from, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Source<'a> {
    pub(super) file: Option<&'a str>,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) start_line: u32,
}

/// What stands at each address of a list: levels, innermost inlined function first; none = nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    strings: Strings,
    levels: Vec<Level>,
    /// End of the levels of each address.
    ends: Vec<u32>,
    /// How many addresses have the name of what lay there last, where something else lay before.
    pub(super) replaced: u64,
}

/// The symbol of one table that named an address of one answer last, by its start, and its name.
#[derive(Debug, Default)]
pub(super) struct LastName(Option<(u64, StringId)>);

/// The strings of one answer in another, as far as they came up: addresses share few names.
#[derive(Debug, Default)]
pub(super) struct Moved(Vec<Option<StringId>>);

impl Answer {
    /// Adds a level outside of those that the current address has. The name may be empty until [`close`](Self::close).
    pub(super) fn push(&mut self, name: &str, source: Source<'_>) {
        let name = self.strings.intern(name);
        let file = source.file.map(|file| self.strings.intern(file));
        self.levels.push(Level { name, file, line: source.line, column: source.column, start_line: source.start_line });
    }

    /// Names the outermost level of the current address, which is added where there is none.
    pub(super) fn name_outermost(&mut self, name: &str) {
        let name = self.strings.intern(name);
        self.set_outermost(name);
    }

    /// The same by a symbol; a label leaves the name that is there. `last` remembers its name: addresses come in order, so many have the one of the address before.
    pub(super) fn name_by_symbol(&mut self, symbol: &Symbol<'_>, last: &mut LastName) {
        if !symbol.is_typed && self.is_outermost_named() {
            return;
        }
        let name = match last.0 {
            Some((start, name)) if start == symbol.start => name,
            _ => self.strings.intern(&symbol.name.get()),
        };
        last.0 = Some((symbol.start, name));
        self.set_outermost(name);
    }

    fn is_outermost_named(&self) -> bool {
        !self.is_open_empty() && self.levels.last().is_some_and(|level| !self.strings.get(level.name).is_empty())
    }

    fn set_outermost(&mut self, name: StringId) {
        if self.levels.len() == self.start() {
            self.levels.push(Level { name, file: None, line: 0, column: 0, start_line: 0 });
        } else if let Some(level) = self.levels.last_mut() {
            level.name = name;
        }
    }

    /// True where the current address has no level yet.
    pub(super) fn is_open_empty(&self) -> bool {
        self.levels.len() == self.start()
    }

    /// Drops the levels of the current address again.
    pub(super) fn clear_open(&mut self) {
        self.levels.truncate(self.start());
    }

    /// Ends the current address; levels without a name go.
    pub(super) fn close(&mut self) {
        let start = self.start();
        let unnamed = self.levels.iter().skip(start).any(|level| self.strings.get(level.name).is_empty());
        if unnamed {
            let kept: Vec<Level> = self
                .levels
                .drain(start..)
                .collect::<Vec<_>>()
                .into_iter()
                .filter(|level| !self.strings.get(level.name).is_empty())
                .collect();
            self.levels.extend(kept);
        }
        self.ends.push(self.levels.len() as u32);
    }

    fn start(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }

    /// An answer of columns that fit together: `ends` are ends in `levels`, which name rows of `strings`.
    pub(super) const fn from_parts(strings: Strings, levels: Vec<Level>, ends: Vec<u32>) -> Self {
        Self { strings, levels, ends, replaced: 0 }
    }

    /// Number of addresses.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The levels of one address, innermost first.
    pub(super) fn levels(&self, row: usize) -> &[Level] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(row).map_or(start, |end| *end as usize);
        self.levels.get(start..end).unwrap_or(&[])
    }

    /// The same, with the number of the first of them among all levels.
    pub(super) fn levels_at(&self, row: usize) -> (usize, &[Level]) {
        (row.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize), self.levels(row))
    }

    /// The levels of all addresses, one after the other.
    pub(super) fn all_levels(&self) -> &[Level] {
        &self.levels
    }

    /// The texts that levels name.
    pub(super) const fn strings(&self) -> &Strings {
        &self.strings
    }

    /// Number of addresses of which nothing is known.
    pub(super) fn unknown(&self) -> usize {
        (0..self.len()).filter(|&row| self.levels(row).is_empty()).count()
    }

    /// Adds one address of another answer.
    pub(super) fn copy(&mut self, other: &Self, row: usize, moved: &mut Moved) {
        for level in other.levels(row) {
            let mut string = |id: StringId| {
                if moved.0.len() < other.strings.len() {
                    moved.0.resize(other.strings.len(), None);
                }
                match moved.0.get_mut(id.row()) {
                    Some(known) => *known.get_or_insert_with(|| self.strings.intern(other.strings.get(id))),
                    None => self.strings.intern(other.strings.get(id)),
                }
            };
            let (name, file) = (string(level.name), level.file.map(&mut string));
            self.levels.push(Level { name, file, ..*level });
        }
        self.ends.push(self.levels.len() as u32);
    }

    /// The answer of `one` for every address.
    pub(super) fn of(addresses: &[u64], ticket: &Ticket, mut one: impl FnMut(u64, &mut Self)) -> Result<Self, Cancelled> {
        let mut answer = Self::default();
        for (n, &address) in addresses.iter().enumerate() {
            if n % 64 == 0 {
                ticket.check()?;
            }
            one(address, &mut answer);
            answer.close();
        }
        Ok(answer)
    }

    /// As [`of`](Self::of), over stretches of addresses at the same time; each has a helper of its own from `helper`, which may hold
    /// what cannot be shared. The answer does not depend on the number of threads.
    pub(super) fn of_chunks<H>(
        addresses: &[u64],
        ticket: &Ticket,
        helper: impl Fn() -> H + Sync,
        one: impl Fn(&mut H, u64, &mut Self) + Sync,
    ) -> Result<Self, Cancelled> {
        /// Fewer are not worth a second helper: making one for a large binary costs milliseconds.
        const CHUNK_MIN: usize = 1024;
        let chunk = addresses.len().div_ceil(rayon::current_num_threads()).max(CHUNK_MIN);
        let parts: Result<Vec<Self>, Cancelled> = addresses
            .par_chunks(chunk)
            .map(|part| {
                let mut helper = helper();
                Self::of(part, ticket, |address, answer| one(&mut helper, address, answer))
            })
            .collect();
        let mut parts = parts?.into_iter();
        let mut all = parts.next().unwrap_or_default();
        for part in parts {
            let mut moved = Moved::default();
            for row in 0..part.len() {
                all.copy(&part, row, &mut moved);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
impl Answer {
    /// The names of one address, innermost first, each with its line.
    pub(super) fn names(&self, row: usize) -> Vec<String> {
        let text = |level: &Level| match level.file {
            Some(file) => format!("{} {}:{}", self.strings.get(level.name), self.strings.get(file), level.line),
            None => self.strings.get(level.name).to_owned(),
        };
        self.levels(row).iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_without_a_name_go_and_the_symbol_names_the_outermost() {
        let mut answer = Answer::default();
        let source = Source { file: Some("a.c"), line: 3, ..Source::default() };
        answer.push("inner", source);
        answer.push("", source);
        answer.push("", source);
        answer.name_outermost("outer");
        answer.close();
        answer.close();
        answer.name_outermost("alone");
        answer.close();
        assert_eq!(answer.names(0), ["inner a.c:3", "outer a.c:3"]);
        assert_eq!((answer.names(1), answer.names(2)), (vec![], vec!["alone".to_owned()]));
        assert_eq!((answer.len(), answer.unknown()), (3, 1));
    }

    #[test]
    fn chunks_give_what_one_pass_gives() {
        let addresses: Vec<u64> = (0..5000).collect();
        let one = |address: u64, answer: &mut Answer| {
            if !address.is_multiple_of(7) {
                answer.push(&format!("f{}", address % 13), Source { file: Some("x"), line: address as u32, ..Source::default() });
            }
        };
        let whole = Answer::of(&addresses, &Ticket::new(), one).unwrap();
        let chunked = Answer::of_chunks(&addresses, &Ticket::new(), || (), |(), address, answer| one(address, answer)).unwrap();
        assert_eq!(whole, chunked);
    }
}
