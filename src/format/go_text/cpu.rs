//! gperftools' binary CPU profile: words of 4 or 8 bytes in either byte order, then a memory map as text.
//!
//! The head is 0, 3, 0, the period in microseconds, 0. Records follow: count, depth, addresses with the innermost first; the last one is
//! 0, 1, 0. As in pprof's reader, frames that the profiler's signal handler put into (nearly) every stack are removed. Java's
//! variant (third word 1) has the same records and names behind them. Start reading at [`read`].

use std::collections::HashMap;

use super::draft::Draft;
use super::scan::Source;
use super::symbols::Symbols;
use super::{GPERFTOOLS, java, threads};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Profile, Sample, kind};

/// Size and order of the words of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Words {
    size: usize,
    big: bool,
}

/// What the first five words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    words: Words,
    java: bool,
    period_micros: u64,
}

/// Whether a file begins with such a profile.
pub(super) fn is_head(head: &[u8]) -> bool {
    // Periods of more than 100 s: rather a file of zeros and threes.
    header(head).is_some_and(|header| (1..=100_000_000).contains(&header.period_micros))
}

/// The same behind names: what it is is known there, and memprof, which counts bytes, writes no period.
pub(super) fn is_head_behind_names(head: &[u8]) -> bool {
    header(head).is_some()
}

fn header(head: &[u8]) -> Option<Header> {
    let forms = [(4, false), (4, true), (8, false), (8, true)];
    forms.iter().find_map(|&(size, big)| {
        let words = Words { size, big };
        let mut rest = head;
        let mut found = [0; 5];
        for word in &mut found {
            *word = words.next(&mut rest)?;
        }
        match found {
            [0, 3, java @ (0 | 1), period_micros, 0] => Some(Header { words, java: java == 1, period_micros }),
            _ => None,
        }
    })
}

impl Words {
    fn next(self, bytes: &mut &[u8]) -> Option<u64> {
        let (word, rest) = bytes.split_at_checked(self.size)?;
        *bytes = rest;
        let value = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.big { word.iter().fold(0, value) } else { word.iter().rev().fold(0, value) })
    }
}

/// Reads a binary CPU profile.
pub(super) fn read(bytes: &[u8], symbols: &Symbols<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let Some(header) = header(bytes) else { return Err(super::empty(GPERFTOOLS)) };
    let period = i64::try_from(header.period_micros).unwrap_or(i64::MAX).saturating_mul(1000);
    let types = [("samples", "count"), ("cpu", "nanoseconds")];
    let mut draft = Draft::new(GPERFTOOLS, if period > 0 { &types } else { &types[..1] }, ticket);
    draft.builder.info.period = (period > 0).then(|| ("cpu".to_owned(), "nanoseconds".to_owned(), period));
    let head_bytes = header.words.size * 5;
    let mut rest = bytes.get(head_bytes..).unwrap_or_default();
    records(bytes.len(), &mut rest, header, period, &mut draft, ticket)?;
    let offset = (bytes.len() - rest.len()) as u64;
    ticket.advance(offset)?;
    let mut source = Source::new(rest, offset, ticket).with_symbols(symbols);
    if header.java {
        return java::finish(draft, &mut source);
    }
    // Where addresses are numbers no handler took them, and a frame that stands twice is a recursion.
    if !symbols.is_numbered() {
        remove_handlers(&mut draft)?;
        draft.edit_stacks(threads::drop_double)?;
    }
    draft.finish_with_map(&mut source, true)
}

fn records(size: usize, rest: &mut &[u8], header: Header, period: i64, draft: &mut Draft<'_>, ticket: &Ticket) -> Result<(), ReadError> {
    let words = header.words;
    let mut overflows = 0;
    while !rest.is_empty() {
        if draft.len().is_multiple_of(1024) {
            ticket.check()?;
        }
        let offset = (size - rest.len()) as u64;
        let record = *rest;
        let (count, depth) = (words.next(rest), words.next(rest));
        let fits = |depth: &u64| *depth <= (rest.len() / words.size) as u64;
        let (Some(count), Some(depth)) = (count, depth.filter(fits)) else {
            *rest = &[];
            draft.builder.notes.add(
                kind::TRUNCATED,
                "the file ends in the middle of a stack; what stands before it was read",
                1,
                Some(offset),
            );
            draft.skip("a stack that is cut", offset);
            if draft.only_skipped() {
                let what = format!("wanted a count, a depth and as many addresses, only {} bytes are left", record.len());
                return Err(ReadError::new(GPERFTOOLS, offset, "the first stack", what));
            }
            return Ok(());
        };
        for at in 0..depth {
            let address = words.next(rest).unwrap_or(0);
            if (count, depth, address) == (0, 1, 0) {
                return Ok(());
            }
            // The first is where the program stood, the others are return addresses; Java's are names of a kind.
            let is_return = at > 0 && !header.java;
            draft.address(if is_return { address.wrapping_sub(1) } else { address })?;
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let time = count.saturating_mul(period);
        overflows += u64::from(time == i64::MAX || count == i64::MAX);
        draft.sample(Sample::default(), &[count, time], offset);
    }
    draft.builder.notes.add(kind::TRUNCATED, "the mark of the end is missing", 1, Some(size as u64));
    if overflows > 0 {
        draft.builder.notes.add(kind::OVERFLOW, "values beyond 64 bits were held at the limit", overflows, None);
    }
    Ok(())
}

/// Up to two frames above the innermost one that are the same in all samples (but one of 32): they belong to the signal handler.
fn remove_handlers(draft: &mut Draft<'_>) -> Result<(), ReadError> {
    let enough = draft.len() - draft.len() / 32;
    for _ in 0..2 {
        let mut counts = HashMap::<u64, usize>::new();
        for address in draft.second_addresses() {
            *counts.entry(address).or_default() += 1;
        }
        let Some((&handler, &count)) =
            counts.iter().max_by_key(|(address, count)| (**count, **address)).filter(|(_, count)| **count >= enough)
        else {
            return Ok(());
        };
        draft.edit_stacks(|stack| {
            if stack.get(1) == Some(&handler) {
                stack.remove(1);
            }
        })?;
        let text = format!("stacks without the frame {handler:#x} above the innermost: nearly all have it, so it is the profiler's own");
        draft.builder.notes.add(kind::REPAIRED, &text, count as u64, None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{stacks, values};

    /// A file in one of the four forms.
    fn file(words: Words, head: [u64; 5], body: &[u64], text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in head.iter().chain(body) {
            let little = word.to_le_bytes();
            let mut word = little[..words.size].to_vec();
            if words.big {
                word.reverse();
            }
            bytes.extend(word);
        }
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    const HEAD: [u64; 5] = [0, 3, 0, 10_000, 0];

    #[test]
    fn all_sizes_and_byte_orders_are_the_same_profile() {
        let body = [2, 2, 0x4001, 0x5002, 1, 3, 0x4001, 0x4001, 0x5002, 0, 1, 0];
        let mut all = Vec::new();
        for (size, big) in [(4, false), (4, true), (8, false), (8, true)] {
            let bytes = file(Words { size, big }, HEAD, &body, "4000-5000: /bin/p\n5000-6000: /lib/l.so\n");
            assert!(is_head(&bytes));
            all.push(read(&bytes, &Symbols::default(), &Ticket::new()).expect("a whole file"));
        }
        assert_eq!(values(&all[0]), [[2, 20_000_000], [1, 10_000_000]]);
        // The innermost address stands twice in the second stack.
        assert_eq!(stacks(&all[0]), ["l.so+0x1;p+0x1", "l.so+0x1;p+0x1"]);
        assert!(all.iter().all(|profile| profile.samples == all[0].samples && profile.frames == all[0].frames));
        assert!(all[0].notes.is_empty());
    }

    #[test]
    fn handlers_are_removed_where_nearly_all_have_them() {
        let mut body: Vec<u64> = (0..64).flat_map(|n| [1, 4, 0x100 + n, 0x901, 0x902, 0x200 + n]).collect();
        body.extend([1, 2, 0x300, 0x400, 0, 1, 0]);
        let profile =
            read(&file(Words { size: 8, big: false }, HEAD, &body, ""), &Symbols::default(), &Ticket::new()).expect("a whole file");
        assert_eq!(stacks(&profile)[3], "0x202;0x103");
        assert_eq!(stacks(&profile)[64], "0x3ff;0x300");
        assert_eq!(profile.notes.count(kind::REPAIRED), 128);
    }

    #[test]
    fn files_that_are_cut_give_what_stands_before_the_cut() {
        let body = [1, 1, 0x10, 1, 2, 0x20, 0x30];
        let bytes = file(Words { size: 8, big: true }, HEAD, &body, "");
        for cut in 0..bytes.len() {
            let result = read(&bytes[..cut], &Symbols::default(), &Ticket::new());
            match (cut, result) {
                (40 | 64 | 96, Ok(profile)) => assert_eq!(profile.info.tally.skipped, 0, "{cut}"),
                (..40 | 41..64, result) => assert!(result.is_err(), "{cut}"),
                (_, Ok(profile)) => assert_eq!((values(&profile).len(), profile.info.tally.skipped), (1, 1), "{cut}"),
                (_, Err(error)) => panic!("{cut}: {error}"),
            }
        }
    }

    #[test]
    fn other_binaries_are_none() {
        for head in [&[0; 64][..], b"", &[0, 0, 0, 0, 3, 0, 0, 0], &[3; 40]] {
            assert!(!is_head(head));
        }
    }
}
