//! Answers kept over runs: one entry per module, as bytes.
//!
//! An entry holds what it was made from (the key, and a stamp of all files that were looked at), the addresses, and what stands there. An
//! entry of another version, of other files, or with any wrong byte counts as none. Deliberately absent: where entries lie and which
//! go when there are too many (a [`ModuleSource`] keeps them). Start reading at [`through`].

use super::ModuleSource;
use super::answer::{Answer, Level, Moved};
use crate::base::cursor::{Cursor, Short};
use crate::base::intern::{StringId, Strings};
use crate::base::ticket::{Cancelled, Ticket};

/// The first bytes; the number grows with every change of the form or of what names look like.
const MAGIC: &[u8; 8] = b"embsym\x03\n";

/// Addresses of one entry; a module with more begins anew.
const ADDRESSES_MAX: usize = 1 << 22;

/// What is kept of one module.
#[derive(Debug, Default, PartialEq)]
struct Kept {
    /// Sorted.
    addresses: Vec<u64>,
    answer: Answer,
    /// Names of debug files that the binary asks for: files that appear by these names change the stamp.
    links: Vec<String>,
}

/// An answer that may be kept.
pub(super) struct Fresh {
    pub(super) answer: Answer,
    /// Names of debug files that the binary asks for; `None` where the answer holds only for this capture.
    pub(super) links: Option<Vec<String>>,
}

/// The answer for the sorted `addresses`: from the entry `key` as far as it has them, the rest from `look_up`, which then joins the entry.
///
/// `stamp` gives a text that changes with every file that the answer depends on, by the names of further debug files; `None` = nothing
/// is kept.
pub(super) fn through<E>(
    source: &dyn ModuleSource,
    key: &str,
    stamp: impl Fn(&[String]) -> Option<String>,
    addresses: &[u64],
    ticket: &Ticket,
    look_up: impl FnOnce(&[u64]) -> Result<Result<Fresh, E>, Cancelled>,
) -> Result<Result<Answer, E>, Cancelled> {
    let kept = source.recall(key).and_then(|bytes| Kept::decode(&bytes, key, &stamp)).unwrap_or_default();
    ticket.check()?;
    // Whoever opens a capture again asks for the same addresses.
    if kept.addresses == addresses && !addresses.is_empty() {
        return Ok(Ok(kept.answer));
    }
    let missing: Vec<u64> =
        addresses.iter().zip(kept.rows(addresses)).filter(|(_, row)| row.is_none()).map(|(address, _)| *address).collect();
    if missing.is_empty() {
        return Ok(Ok(kept.pick(addresses)));
    }
    let fresh = match look_up(&missing)? {
        Ok(fresh) => fresh,
        Err(why) => return Ok(Err(why)),
    };
    let joined = if kept.addresses.is_empty() || kept.addresses.len() + missing.len() > ADDRESSES_MAX {
        // All were missing, or the rest is given from both.
        Kept { addresses: missing, answer: fresh.answer, links: Vec::new() }.with(&kept, addresses)
    } else {
        kept.merged(&missing, &fresh.answer)
    };
    let answer = joined.pick(addresses);
    if let Some(links) = fresh.links
        && let Some(stamp) = stamp(&links)
    {
        source.keep(key, &Kept { links, ..joined }.encode(key, &stamp));
    }
    Ok(Ok(answer))
}

impl Kept {
    /// The answer for some addresses; all are in the entry.
    fn pick(&self, addresses: &[u64]) -> Answer {
        let (mut answer, mut moved) = (Answer::default(), Moved::default());
        for row in self.rows(addresses) {
            match row {
                Some(row) => answer.copy(&self.answer, row, &mut moved),
                None => answer.close(),
            }
        }
        answer
    }

    /// The row of each of the sorted addresses, where the entry has it.
    fn rows(&self, addresses: &[u64]) -> impl Iterator<Item = Option<usize>> {
        let mut own = self.addresses.iter().enumerate().peekable();
        addresses.iter().map(move |address| {
            while own.next_if(|(_, known)| *known < address).is_some() {}
            own.peek().filter(|(_, known)| *known == address).map(|(row, _)| *row)
        })
    }

    /// This entry with those of `wanted` that only `other` has.
    fn with(self, other: &Self, wanted: &[u64]) -> Self {
        if other.addresses.is_empty() {
            return self;
        }
        let further: Vec<u64> = wanted.iter().copied().filter(|address| self.addresses.binary_search(address).is_err()).collect();
        let answer = other.pick(&further);
        self.merged(&further, &answer)
    }

    /// Both in address order; no address is in both.
    fn merged(&self, addresses: &[u64], answer: &Answer) -> Self {
        let mut merged = Self::default();
        let (mut own, mut new) = (0, 0);
        let (mut moved_own, mut moved_new) = (Moved::default(), Moved::default());
        loop {
            let (a, b) = (self.addresses.get(own), addresses.get(new));
            let address = match (a, b) {
                (Some(a), b) if b.is_none_or(|b| a < b) => {
                    merged.answer.copy(&self.answer, own, &mut moved_own);
                    own += 1;
                    *a
                }
                (_, Some(b)) => {
                    merged.answer.copy(answer, new, &mut moved_new);
                    new += 1;
                    *b
                }
                (_, None) => return merged,
            };
            merged.addresses.push(address);
        }
    }

    fn encode(&self, key: &str, stamp: &str) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let number = |out: &mut Vec<u8>, value: u32| out.extend(value.to_le_bytes());
        let text = |out: &mut Vec<u8>, text: &str| {
            number(out, text.len() as u32);
            out.extend(text.as_bytes());
        };
        text(&mut out, &crate::version());
        text(&mut out, key);
        number(&mut out, self.links.len() as u32);
        for link in &self.links {
            text(&mut out, link);
        }
        text(&mut out, stamp);
        number(&mut out, self.answer.strings().len() as u32);
        for string in self.answer.strings().iter() {
            text(&mut out, string);
        }
        number(&mut out, self.addresses.len() as u32);
        for (row, address) in self.addresses.iter().enumerate() {
            out.extend(address.to_le_bytes());
            let levels = self.answer.levels(row);
            number(&mut out, levels.len() as u32);
            for level in levels {
                let file = level.file.map_or(0, |file| file.row() as u32 + 1);
                for value in [level.name.row() as u32, file, level.line, level.column, level.start_line] {
                    number(&mut out, value);
                }
            }
        }
        let sum = libdeflater::crc32(&out);
        number(&mut out, sum);
        out
    }

    /// The entry in `bytes`, where it is whole and still holds.
    fn decode(bytes: &[u8], key: &str, stamp: &impl Fn(&[String]) -> Option<String>) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<4>()?;
        let body = body.strip_prefix(MAGIC)?;
        let mut cursor = Cursor::new(body);
        if text(&mut cursor)? != crate::version() || text(&mut cursor)? != key {
            return None;
        }
        let links = list(&mut cursor, 4, |cursor| text(cursor).map(str::to_owned))?;
        if Some(text(&mut cursor)?) != stamp(&links).as_deref() {
            return None;
        }
        // Last, since it reads every byte.
        if libdeflater::crc32(bytes.get(..bytes.len() - 4)?) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut strings = Strings::default();
        let ids = list(&mut cursor, 4, |cursor| Some(strings.intern(text(cursor)?)))?;
        let mut levels: Vec<Level> = Vec::new();
        let mut ends = Vec::new();
        let addresses = list(&mut cursor, 12, |cursor| {
            let address = number64(cursor)?;
            levels.extend(list(cursor, 20, |cursor| level(cursor, &ids))?);
            ends.push(u32::try_from(levels.len()).ok()?);
            Some(address)
        })?;
        if !addresses.is_sorted() {
            return None;
        }
        Some(Self { addresses, answer: Answer::from_parts(strings, levels, ends), links })
    }
}

fn some<T>(read: Result<T, Short>) -> Option<T> {
    read.ok()
}

fn number(cursor: &mut Cursor<'_>) -> Option<u32> {
    some(cursor.u32())
}

fn number64(cursor: &mut Cursor<'_>) -> Option<u64> {
    some(cursor.u64())
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let len = number(cursor)?;
    std::str::from_utf8(some(cursor.take(len as usize))?).ok()
}

/// A counted list of items of at least `least` bytes each: a wrong count must not allocate more than the bytes that are there.
fn list<'a, T>(cursor: &mut Cursor<'a>, least: usize, mut item: impl FnMut(&mut Cursor<'a>) -> Option<T>) -> Option<Vec<T>> {
    let count = number(cursor)? as usize;
    if count > cursor.rest().len() / least {
        return None;
    }
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(item(cursor)?);
    }
    Some(items)
}

fn level(cursor: &mut Cursor<'_>, ids: &[StringId]) -> Option<Level> {
    let name = *ids.get(number(cursor)? as usize)?;
    let file = match number(cursor)?.checked_sub(1) {
        Some(row) => Some(*ids.get(row as usize)?),
        None => None,
    };
    Some(Level { name, file, line: number(cursor)?, column: number(cursor)?, start_line: number(cursor)? })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::answer::Source;
    use super::super::{Bytes, Kernel};
    use super::*;

    /// Keeps entries in memory.
    #[derive(Default)]
    struct Shelf(Mutex<Option<Vec<u8>>>);

    impl ModuleSource for Shelf {
        fn candidates(&self, _: &str, _: Option<&str>) -> Vec<Bytes> {
            Vec::new()
        }
        fn perf_map(&self, _: i32, _: bool) -> Option<Bytes> {
            None
        }
        fn kernels(&self, _: Option<&str>, _: Option<&str>) -> Vec<Kernel> {
            Vec::new()
        }
        fn hostname(&self) -> Option<String> {
            None
        }
        fn recall(&self, _: &str) -> Option<Bytes> {
            self.0.lock().unwrap().clone().map(|bytes| Arc::new(bytes) as Bytes)
        }
        fn keep(&self, _: &str, bytes: &[u8]) {
            *self.0.lock().unwrap() = Some(bytes.to_vec());
        }
    }

    fn name(address: u64, answer: &mut Answer) {
        if !address.is_multiple_of(5) {
            answer.push("inner", Source { file: Some("a.c"), line: address as u32, column: 2, start_line: 1 });
            answer.push(&format!("f{}", address % 3), Source::default());
        }
    }

    /// The answer, and which addresses had to be looked up.
    fn ask(shelf: &Shelf, stamp: &str, addresses: &[u64]) -> (Answer, Vec<u64>) {
        let mut asked = Vec::new();
        let answer = through(
            shelf,
            "key",
            |_| Some(stamp.to_owned()),
            addresses,
            &Ticket::new(),
            |missing| {
                asked = missing.to_vec();
                let answer = Answer::of(missing, &Ticket::new(), name)?;
                Ok(Ok::<_, ()>(Fresh { answer, links: Some(vec!["x.debug".to_owned()]) }))
            },
        );
        (answer.unwrap().unwrap(), asked)
    }

    fn plain(addresses: &[u64]) -> Vec<Vec<String>> {
        let answer = Answer::of(addresses, &Ticket::new(), name).unwrap();
        (0..addresses.len()).map(|row| answer.names(row)).collect()
    }

    #[test]
    fn only_new_addresses_are_looked_up_and_the_answer_is_the_same() {
        let shelf = Shelf::default();
        for (addresses, asked) in [
            (vec![2, 4, 6, 10], vec![2, 4, 6, 10]),
            (vec![2, 4, 6, 10], vec![]),
            (vec![1, 4, 7, 10, 11], vec![1, 7, 11]),
            (vec![1, 2, 4, 6, 7, 10, 11], vec![]),
        ] {
            let (answer, looked_up) = ask(&shelf, "s", &addresses);
            assert_eq!(looked_up, asked);
            assert_eq!((0..addresses.len()).map(|row| answer.names(row)).collect::<Vec<_>>(), plain(&addresses));
        }
        // A file has changed.
        assert_eq!(ask(&shelf, "other", &[2]).1, [2]);
    }

    #[test]
    fn an_entry_with_any_wrong_byte_or_length_counts_as_none() {
        let shelf = Shelf::default();
        ask(&shelf, "s", &[1, 2, 3, 9]);
        let whole = shelf.0.lock().unwrap().clone().unwrap();
        let decode = |bytes: &[u8]| Kept::decode(bytes, "key", &|_: &[String]| Some("s".to_owned()));
        assert_eq!(decode(&whole).unwrap().addresses, [1, 2, 3, 9]);
        for at in 0..whole.len() {
            assert_eq!(decode(&whole[..at]), None, "cut at {at}");
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            assert_eq!(decode(&bytes), None, "byte {at}");
            // The same with a sum that fits: numbers out of range must be seen by themselves.
            let end = bytes.len() - 4;
            let sum = libdeflater::crc32(&bytes[..end]);
            bytes[end..].copy_from_slice(&sum.to_le_bytes());
            drop(decode(&bytes));
        }
        assert_eq!(Kept::decode(&whole, "other key", &|_: &[String]| Some("s".to_owned())), None);
    }
}
