//! Reads integers and slices from bytes, knows where it stands, and never panics.
//!
//! Offsets are absolute in the uncompressed input, so every error can name the byte. Deliberately absent: what the bytes mean.

/// The input ended before the value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Absolute offset at which the value starts.
    pub offset: u64,
    /// Bytes wanted.
    pub wanted: u64,
    /// Bytes left.
    pub left: u64,
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wanted {} bytes, only {} are left (at byte {:#x})", self.wanted, self.left, self.offset)
    }
}

impl std::error::Error for Short {}

/// Byte order of the values that a cursor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Endian {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

/// A position in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    base: u64,
    endian: Endian,
}

macro_rules! read_int {
    ($($(#[$meta:meta])* $name:ident: $type:ty),+) => {$(
        $(#[$meta])*
        pub fn $name(&mut self) -> Result<$type, Short> {
            let array = self.array()?;
            Ok(match self.endian {
                Endian::Little => <$type>::from_le_bytes(array),
                Endian::Big => <$type>::from_be_bytes(array),
            })
        }
    )+};
}

impl<'a> Cursor<'a> {
    /// A little-endian cursor at the start of `bytes`, which begin at absolute offset 0.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, base: 0, endian: Endian::Little }
    }

    /// A cursor over a part of a larger input: `base` is the absolute offset of its first byte.
    pub const fn at(bytes: &'a [u8], base: u64, endian: Endian) -> Self {
        Self { bytes, at: 0, base, endian }
    }

    /// Absolute offset of the next byte.
    pub const fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Bytes left.
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// True at the end.
    pub const fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// The bytes that are left, without moving.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    /// The byte order.
    pub const fn endian(&self) -> Endian {
        self.endian
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Short> {
        let found = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or(Short { offset: self.offset(), wanted: len as u64, left: self.left() as u64 })?;
        self.at += len;
        Ok(found)
    }

    /// The next `len` bytes as a cursor of their own that keeps absolute offsets.
    pub fn sub(&mut self, len: usize) -> Result<Self, Short> {
        let base = self.offset();
        Ok(Self { bytes: self.take(len)?, at: 0, base, endian: self.endian })
    }

    /// Moves on by `len` bytes.
    pub fn skip(&mut self, len: usize) -> Result<(), Short> {
        self.take(len).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    read_int! {
        /// One byte.
        u8: u8,
        /// Two bytes.
        u16: u16,
        /// Four bytes.
        u32: u32,
        /// Eight bytes.
        u64: u64,
        /// Four bytes, signed.
        i32: i32,
        /// Eight bytes, signed.
        i64: i64
    }

    /// A protobuf base-128 varint (at most ten bytes; bits past 64 are dropped, as every decoder does).
    ///
    /// `Ok(None)` when ten bytes went by without an end: no valid varint.
    pub fn varint(&mut self) -> Result<Option<u64>, Short> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            if byte < 0x80 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Bytes up to (not including) the next zero byte, which is consumed; all the rest without one.
    pub fn c_str(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let (text, step) = memchr::memchr(0, rest).map_or((rest, rest.len()), |end| (rest.get(..end).unwrap_or(rest), end + 1));
        self.at += step;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_in_both_byte_orders() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Cursor::new(&bytes).u32(), Ok(0x0403_0201));
        assert_eq!(Cursor::at(&bytes, 0, Endian::Big).u64(), Ok(0x0102_0304_0506_0708));
    }

    #[test]
    fn offsets_stay_absolute_in_parts_of_parts() {
        let bytes = [0; 32];
        let mut outer = Cursor::at(&bytes, 1000, Endian::Little);
        outer.skip(8).unwrap();
        let mut inner = outer.sub(4).unwrap();
        inner.u16().unwrap();
        assert_eq!(inner.offset(), 1010);
        assert_eq!(inner.u32(), Err(Short { offset: 1010, wanted: 4, left: 2 }));
        assert_eq!(outer.offset(), 1012);
    }

    #[test]
    fn a_length_near_the_address_space_is_short_not_a_panic() {
        assert!(Cursor::new(&[1]).take(usize::MAX).is_err());
    }

    #[test]
    fn varints() {
        assert_eq!(Cursor::new(&[0xac, 0x02]).varint(), Ok(Some(300)));
        assert_eq!(Cursor::new(&[0xff; 9]).varint().map_err(|short| short.left), Err(0));
        let minus_one = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Cursor::new(&minus_one).varint(), Ok(Some(u64::MAX)));
        assert_eq!(Cursor::new(&[0xff; 11]).varint(), Ok(None));
    }

    #[test]
    fn c_strings_end_at_zero_or_at_the_end() {
        let mut cursor = Cursor::new(b"ab\0cd");
        assert_eq!((cursor.c_str(), cursor.c_str(), cursor.c_str()), (&b"ab"[..], &b"cd"[..], &b""[..]));
    }
}
