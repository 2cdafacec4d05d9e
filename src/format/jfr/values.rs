//! Numbers and texts as they stand in events, pools and metadata. Everything is big-endian; most numbers are packed into as many bytes as they
//! need. Start reading at [`Values`].

use std::borrow::Cow;

use crate::base::cursor::{Cursor, Endian, Short};
use crate::format::ReadError;

use super::NAME;

/// Why a value could not be read, and where.
#[derive(Debug)]
pub(super) struct Bad {
    pub(super) offset: u64,
    pub(super) what: Cow<'static, str>,
}

impl Bad {
    pub(super) fn new(offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self { offset, what: what.into() }
    }

    pub(super) fn error(self, doing: &'static str) -> ReadError {
        ReadError::new(NAME, self.offset, doing, self.what)
    }
}

impl From<Short> for Bad {
    #[cold]
    fn from(short: Short) -> Self {
        Self::new(short.offset, format!("wanted {} bytes, only {} are left", short.wanted, short.left))
    }
}

/// A text, or the constant that it is.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    Here(Cow<'a, str>),
    /// Key in the pool of texts.
    Constant(i64),
}

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    cursor: Cursor<'a>,
    /// Numbers of two bytes and more take as many as they need.
    packed: bool,
}

impl<'a> Values<'a> {
    /// `base` is the offset of the first byte in the file.
    pub(super) const fn new(bytes: &'a [u8], base: u64, packed: bool) -> Self {
        Self { cursor: Cursor::at(bytes, base, Endian::Big), packed }
    }

    pub(super) const fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    pub(super) const fn left(&self) -> usize {
        self.cursor.left()
    }

    /// The next `len` bytes as values of their own.
    pub(super) fn sub(&mut self, len: usize) -> Result<Self, Bad> {
        Ok(Self { cursor: self.cursor.sub(len)?, packed: self.packed })
    }

    pub(super) fn skip(&mut self, len: usize) -> Result<(), Bad> {
        Ok(self.cursor.skip(len)?)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Bad> {
        Ok(self.cursor.u8()?)
    }

    /// A number that takes `width` bytes where numbers are not packed. Packed ones have seven bits a byte, the lowest first; the ninth byte has
    /// eight.
    #[inline]
    pub(super) fn number(&mut self, width: usize) -> Result<i64, Bad> {
        if !self.packed {
            return Ok(match width {
                2 => i64::from(self.cursor.u16()? as i16),
                4 => i64::from(self.cursor.i32()?),
                _ => self.cursor.i64()?,
            });
        }
        let value = self.packed_number()?;
        // Negative ones are packed as the bits that they have.
        Ok(match width {
            2 => i64::from(value as i16),
            4 => i64::from(value as i32),
            _ => value as i64,
        })
    }

    /// Most numbers are one byte or two.
    #[inline]
    fn packed_number(&mut self) -> Result<u64, Bad> {
        let first = self.cursor.u8()?;
        if first < 0x80 { Ok(u64::from(first)) } else { self.long_number(first) }
    }

    fn long_number(&mut self, first: u8) -> Result<u64, Bad> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..56).step_by(7) {
            let byte = self.cursor.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Ok(value | u64::from(self.byte()?) << 56)
    }

    pub(super) fn long(&mut self) -> Result<i64, Bad> {
        self.number(8)
    }

    /// A number of items that take `least` bytes each: no more than there is room for.
    pub(super) fn count(&mut self, least: usize) -> Result<usize, Bad> {
        let offset = self.offset();
        let count = self.number(4)?;
        let count = usize::try_from(count).ok().filter(|count| least == 0 || *count <= self.left() / least);
        count.ok_or_else(|| Bad::new(offset, format!("wanted a number of items that fit into {} bytes", self.left())))
    }

    /// A text by its kind: 0 = none, 1 = empty, 2 = a constant, 3 = UTF-8, 4 = UTF-16 units as numbers, 5 = Latin-1.
    pub(super) fn text(&mut self) -> Result<Option<Text<'a>>, Bad> {
        let offset = self.offset();
        Ok(Some(Text::Here(match self.byte()? {
            0 => return Ok(None),
            1 => Cow::Borrowed(""),
            2 => return Ok(Some(Text::Constant(self.long()?))),
            3 => {
                let len = self.count(1)?;
                String::from_utf8_lossy(self.cursor.take(len)?)
            }
            4 => {
                let len = self.count(1)?;
                let units = (0..len).map(|_| self.number(2).map(|unit| unit as u16)).collect::<Result<Vec<u16>, Bad>>()?;
                Cow::Owned(String::from_utf16_lossy(&units))
            }
            5 => {
                let len = self.count(1)?;
                Cow::Owned(self.cursor.take(len)?.iter().map(|&byte| char::from(byte)).collect())
            }
            kind => return Err(Bad::new(offset, format!("wanted a kind of text from 0 to 5, found {kind}"))),
        })))
    }

    /// A text that cannot be a constant.
    pub(super) fn plain_text(&mut self) -> Result<Cow<'a, str>, Bad> {
        let offset = self.offset();
        match self.text()? {
            None => Ok(Cow::Borrowed("")),
            Some(Text::Here(text)) => Ok(text),
            Some(Text::Constant(_)) => Err(Bad::new(offset, "wanted a text, found a constant")),
        }
    }
}
