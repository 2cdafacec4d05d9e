//! Lines and numbers of the older forms: a source of lines that polls its ticket, and a cursor inside one line.
//!
//! Deliberately absent: regular expressions; a form's lines are simple, and files have millions of them. Start reading at [`Source`].

use super::symbols::Symbols;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::text::Lines;

/// Bytes between two looks at the ticket.
const POLL_BYTES: u64 = 64 << 10;

/// Lines one after the other, with their offsets in the input.
pub(super) struct Source<'a> {
    lines: Lines<'a>,
    ticket: &'a Ticket,
    base: u64,
    reported: u64,
    /// A line that comes once more.
    again: Option<Line<'a>>,
    /// Names that stand before the profile.
    pub(super) symbols: Option<&'a Symbols<'a>>,
}

/// A line without its end, and the offset of its first byte in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) offset: u64,
    pub(super) text: &'a [u8],
}

impl<'a> Source<'a> {
    /// The lines of `text`, whose first byte stands at `base` of the input.
    pub(super) const fn new(text: &'a [u8], base: u64, ticket: &'a Ticket) -> Self {
        Self { lines: Lines::new(text), ticket, base, reported: base, again: None, symbols: None }
    }

    /// The same with the names that stand before the profile.
    pub(super) const fn with_symbols(mut self, symbols: &'a Symbols<'a>) -> Self {
        self.symbols = Some(symbols);
        self
    }

    /// Gives the line that came last once more.
    pub(super) const fn put_back(&mut self, line: Line<'a>) {
        self.again = Some(line);
    }

    /// The next line; an error only when cancelled.
    pub(super) fn next(&mut self) -> Result<Option<Line<'a>>, ReadError> {
        if let Some(line) = self.again.take() {
            return Ok(Some(line));
        }
        let Some((at, text)) = self.lines.next() else { return Ok(None) };
        let offset = self.base.saturating_add(at as u64);
        let passed = offset.saturating_sub(self.reported);
        if passed >= POLL_BYTES {
            self.ticket.advance(passed)?;
            self.reported = offset;
        }
        Ok(Some(Line { offset, text }))
    }

    /// The next line that holds more than blanks.
    pub(super) fn next_filled(&mut self) -> Result<Option<Line<'a>>, ReadError> {
        loop {
            match self.next()? {
                Some(line) if line.text.trim_ascii().is_empty() => {}
                found => return Ok(found),
            }
        }
    }
}

/// A cursor inside one line.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a>(pub(super) &'a [u8]);

impl<'a> Scan<'a> {
    /// Skips blanks and tabs.
    pub(super) fn blanks(&mut self) -> &mut Self {
        self.0 = self.0.trim_ascii_start();
        self
    }

    /// Skips `literal` if it stands here.
    pub(super) fn eat(&mut self, literal: &[u8]) -> bool {
        let rest = self.0.strip_prefix(literal);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// A decimal number with or without a minus; `None` (nothing skipped) where there is none or it exceeds 64 bits.
    pub(super) fn int(&mut self) -> Option<i64> {
        let digits_at = usize::from(self.0.first() == Some(&b'-'));
        let length = self.0.get(digits_at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at_checked(digits_at + length)?;
        let number = std::str::from_utf8(number).ok()?.parse().ok()?;
        self.0 = rest;
        Some(number)
    }

    /// A hexadecimal number, with or without `0x`; `None` (nothing skipped) where there is none or it exceeds 64 bits.
    pub(super) fn hex(&mut self) -> Option<u64> {
        let digits = self.0.strip_prefix(b"0x").unwrap_or(self.0);
        let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (number, rest) = digits.split_at_checked(length)?;
        let number = u64::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()?;
        self.0 = rest;
        Some(number)
    }

    /// The bytes up to the next blank or tab.
    pub(super) fn word(&mut self) -> &'a [u8] {
        let length = self.0.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let (word, rest) = self.0.split_at_checked(length).unwrap_or((self.0, &[]));
        self.0 = rest;
        word
    }
}

/// A decimal or (with `0x`) hexadecimal number and nothing else.
pub(super) fn whole_number(text: &[u8]) -> Option<i64> {
    let mut scan = Scan(text.trim_ascii());
    let number = if scan.0.starts_with(b"0x") { scan.hex().and_then(|number| i64::try_from(number).ok()) } else { scan.int() };
    number.filter(|_| scan.0.is_empty())
}

/// Everything in `text` that is written as `0x…`, in order; `None` in place of a number that exceeds 64 bits.
pub(super) fn addresses(text: &[u8]) -> impl Iterator<Item = Option<u64>> + '_ {
    let found = memchr::memmem::find_iter(text, b"0x").filter_map(|at| text.get(at..));
    found.filter(|rest| rest.get(2).is_some_and(u8::is_ascii_hexdigit)).map(|rest| Scan(rest).hex())
}

/// Blank, or a comment.
pub(super) fn says_nothing(line: &[u8]) -> bool {
    line.trim_ascii_start().first().is_none_or(|&byte| byte == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stop_where_they_end_and_refuse_what_does_not_fit() {
        let mut scan = Scan(b" -12:0x1F g");
        assert_eq!(scan.blanks().int(), Some(-12));
        assert!(scan.eat(b":"));
        assert_eq!((scan.hex(), scan.blanks().hex(), scan.word()), (Some(31), None, &b"g"[..]));
        assert_eq!(Scan(b"9223372036854775808").int(), None);
        assert_eq!(Scan(b"0x10000000000000000").hex(), None);
        assert_eq!(whole_number(b" 0x10 "), Some(16));
        assert_eq!(whole_number(b"10 ms"), None);
    }

    #[test]
    fn addresses_are_found_between_other_text() {
        let found: Vec<_> = addresses(b"@ 0x10 0xff: name(0x2a)  0x 0 0x11111111111111111").collect();
        assert_eq!(found, [Some(16), Some(255), Some(42), None]);
    }
}
