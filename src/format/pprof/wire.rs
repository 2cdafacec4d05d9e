//! The protobuf wire format: fields of a message, without a schema and without copies.
//!
//! Offsets are absolute in the uncompressed input. Deliberately absent: groups (no writer of profiles uses them) and names of
//! fields. Start reading at [`Wire`].

use std::fmt;

/// What is wrong with the bytes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) struct Fault {
    /// Absolute offset in the uncompressed input.
    pub(in crate::format) offset: u64,
    /// What is wrong.
    pub(in crate::format) what: What,
}

/// What can be wrong on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum What {
    /// The bytes end before the value does.
    Short {
        /// Bytes wanted.
        wanted: u64,
        /// Bytes left.
        left: u64,
    },
    /// Ten bytes without the end of a varint.
    LongVarint,
    /// A wire type that no field may have.
    WireType(u8),
    /// A field that should be a number holds bytes, or the other way round.
    Kind {
        /// The field's number.
        field: u64,
        /// What it should hold.
        wanted: &'static str,
    },
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { wanted, left } => write!(f, "wanted {wanted} bytes, only {left} are left"),
            Self::LongVarint => f.write_str("wanted a varint, found ten bytes without its end"),
            Self::WireType(found) => write!(f, "wanted wire type 0, 1, 2 or 5, found {found}"),
            Self::Kind { field, wanted } => write!(f, "wanted {wanted} in field {field}, found another wire type"),
        }
    }
}

/// A message (or a part of one) that is being read.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Wire<'a> {
    rest: &'a [u8],
    /// Absolute offset after the last byte.
    end: u64,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Field<'a> {
    /// Its number.
    pub(in crate::format) number: u64,
    /// Absolute offset of its tag.
    pub(in crate::format) offset: u64,
    /// What it holds.
    pub(in crate::format) value: Value<'a>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) enum Value<'a> {
    /// A varint.
    Int(u64),
    /// Bytes: text, a message, or packed numbers.
    Bytes(Wire<'a>),
    /// Four or eight bytes as a number; no field of pprof has one.
    Fixed(u64),
}

impl<'a> Wire<'a> {
    /// The message in `bytes`, the first of which stands at `offset`.
    pub(in crate::format) const fn new(bytes: &'a [u8], offset: u64) -> Self {
        Self { rest: bytes, end: offset + bytes.len() as u64 }
    }

    /// Absolute offset of the next byte.
    pub(in crate::format) const fn offset(&self) -> u64 {
        self.end - self.rest.len() as u64
    }

    /// The bytes that are left.
    pub(in crate::format) const fn bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// The first bytes of what is left, up to where `later`, a further read of the same bytes, stands.
    pub(in crate::format) fn up_to(&self, later: &Self) -> Self {
        let len = self.rest.len().saturating_sub(later.rest.len());
        Self { rest: self.rest.get(..len).unwrap_or(self.rest), end: self.offset() + len as u64 }
    }

    /// The next field; `None` at the end.
    #[expect(clippy::inline_always, reason = "measured: a pass over all numbers takes two thirds of the time")]
    #[inline(always)]
    pub(in crate::format) fn field(&mut self) -> Result<Option<Field<'a>>, Fault> {
        // Nearly all of a profile: bytes, fewer than 16384, in a field with a number below 16. As a part of the caller's loop nothing of the
        // result is ever written down; a call for each field costs more than all of this.
        let [tag, low, after @ ..] = self.rest else { return self.any_field() };
        let (high, after) = match after {
            _ if *low < 0x80 => (0, after),
            [high, after @ ..] if *high < 0x80 => (*high, after),
            _ => return self.any_field(),
        };
        let len = usize::from(low & 0x7f) | usize::from(high) << 7;
        if tag & 0x87 != 2 || len > after.len() {
            return self.any_field();
        }
        let offset = self.offset();
        let (body, rest) = after.split_at(len);
        self.rest = rest;
        Ok(Some(Field { number: u64::from(tag >> 3), offset, value: Value::Bytes(Self { rest: body, end: self.offset() }) }))
    }

    #[inline(never)]
    fn any_field(&mut self) -> Result<Option<Field<'a>>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let offset = self.offset();
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Int(self.varint()?),
            2 => Value::Bytes(self.sized(offset)?),
            1 => self.fixed(8, offset)?,
            5 => self.fixed(4, offset)?,
            found => return Err(Fault { offset, what: What::WireType(found as u8) }),
        };
        Ok(Some(Field { number: tag >> 3, offset, value }))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Fault> {
        match *self.rest {
            [a, ref rest @ ..] if a < 0x80 => {
                self.rest = rest;
                Ok(u64::from(a))
            }
            _ => self.wide_varint(),
        }
    }

    /// Up to eight bytes at once, without a branch on how many there are: lengths of ids cannot be foretold, and a wrong guess costs more than
    /// all of this.
    #[inline]
    fn wide_varint(&mut self) -> Result<u64, Fault> {
        let word = word(self.rest);
        let stops = !word & MARKS;
        if stops == 0 {
            return self.long_varint();
        }
        self.rest = self.rest.get(end(stops)..).unwrap_or(&[]);
        Ok(squeezed(word & up_to(stops)))
    }

    /// Bits past 64 are dropped, as every decoder does.
    fn long_varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f).checked_shl(7 * at as u32).unwrap_or(0);
            if byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or(&[]);
                return Ok(value);
            }
        }
        let left = self.rest.len() as u64;
        let what = if left < 10 { What::Short { wanted: left + 1, left } } else { What::LongVarint };
        Err(Fault { offset: self.offset(), what })
    }

    #[inline]
    fn sized(&mut self, offset: u64) -> Result<Self, Fault> {
        let wanted = self.varint()?;
        let left = self.rest.len() as u64;
        if wanted > left {
            return Err(Fault { offset, what: What::Short { wanted, left } });
        }
        // Not larger than what is left, so it fits in `usize`.
        let (body, rest) = self.rest.split_at(wanted as usize);
        self.rest = rest;
        Ok(Self { rest: body, end: self.offset() })
    }

    fn fixed(&mut self, wanted: usize, offset: u64) -> Result<Value<'a>, Fault> {
        let left = self.rest.len() as u64;
        let short = Fault { offset, what: What::Short { wanted: wanted as u64, left } };
        let (bytes, rest) = self.rest.split_at_checked(wanted).ok_or(short)?;
        self.rest = rest;
        Ok(Value::Fixed(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))))
    }
}

/// The mark of a byte that is followed by another one of the same number, in each byte.
const MARKS: u64 = 0x8080_8080_8080_8080;

/// The next eight bytes, the first one lowest. Those that are not there have the mark, so no number ends in them.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    let len = bytes.len();
    let found = match (bytes, bytes.first_chunk(), bytes.last_chunk()) {
        // Four bytes and four bytes, which are partly the same.
        (_, Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4)),
        ([a, b, c], ..) => u64::from(*a) | u64::from(*b) << 8 | u64::from(*c) << 16,
        ([a, b], ..) => u64::from(*a) | u64::from(*b) << 8,
        ([a], ..) => u64::from(*a),
        _ => 0,
    };
    found | MARKS << (8 * len)
}

/// How many bytes the first number takes, by the bytes without the mark.
#[inline]
const fn end(stops: u64) -> usize {
    stops.trailing_zeros() as usize / 8 + 1
}

/// The bits of the first number.
#[inline]
const fn up_to(stops: u64) -> u64 {
    stops ^ stops.wrapping_sub(1)
}

/// The same of four bytes, which is what nearly all ids take.
#[inline]
const fn squeezed_short(word: u32) -> u64 {
    (word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000 | word >> 3 & 0x0fe0_0000) as u64
}

/// The lower seven bits of each byte, put together.
#[inline]
const fn squeezed(word: u64) -> u64 {
    let word = word & 0x7f7f_7f7f_7f7f_7f7f;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

impl<'a> Field<'a> {
    /// The number in this field.
    #[inline]
    pub(in crate::format) fn int(&self) -> Result<u64, Fault> {
        match self.value {
            Value::Int(value) => Ok(value),
            _ => Err(self.fault("a number")),
        }
    }

    /// The bytes in this field.
    #[inline]
    pub(in crate::format) fn message(&self) -> Result<Wire<'a>, Fault> {
        match self.value {
            Value::Bytes(body) => Ok(body),
            _ => Err(self.fault("bytes")),
        }
    }

    /// Appends the numbers of a repeated field to `list`: packed or one at a time, both are legal and may be mixed.
    #[inline]
    pub(in crate::format) fn ints<T>(&self, list: &mut Vec<T>, mut convert: impl FnMut(u64) -> T) -> Result<(), Fault> {
        if let Value::Bytes(body) = self.value {
            // A number takes one byte at least; two is what most take.
            list.reserve(body.rest.len() / 2);
        }
        self.numbers(|some| list.extend(some.iter().map(|&number| convert(number))))
    }

    /// Tells the numbers of a repeated field, one or two at a time in their order.
    #[inline]
    pub(in crate::format) fn numbers(&self, mut some: impl FnMut(&[u64])) -> Result<(), Fault> {
        match self.value {
            Value::Int(value) => some(&[value]),
            Value::Bytes(mut body) => {
                while !body.rest.is_empty() {
                    let word = word(body.rest);
                    let first = !word & MARKS;
                    let second = first & first.wrapping_sub(1);
                    if second == 0 {
                        some(&[body.wide_varint()?]);
                        continue;
                    }
                    // Two at once: finding the next number waits for the end of this one, and so half as often.
                    let pair = [word & up_to(first), (word & up_to(second)) >> (8 * end(first))];
                    let is_short = (pair[0] | pair[1]) >> 32 == 0;
                    some(&pair.map(|word| if is_short { squeezed_short(word as u32) } else { squeezed(word) }));
                    body.rest = body.rest.get(end(second)..).unwrap_or(&[]);
                }
            }
            Value::Fixed(_) => return Err(self.fault("numbers")),
        }
        Ok(())
    }

    const fn fault(&self, wanted: &'static str) -> Fault {
        Fault { offset: self.offset, what: What::Kind { field: self.number, wanted } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_varint(bytes: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }

    #[test]
    fn fields_of_every_wire_type_keep_absolute_offsets() {
        // Field 1 = 300, field 2 = bytes "ab", field 3 = fixed 4, field 4 = fixed 8.
        let bytes = [0x08, 0xac, 0x02, 0x12, 2, b'a', b'b', 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut wire = Wire::new(&bytes, 1000);
        let mut seen = Vec::new();
        while let Some(field) = wire.field().unwrap() {
            seen.push((field.number, field.offset));
            if let Value::Bytes(body) = field.value {
                assert_eq!((body.bytes(), body.offset()), (&b"ab"[..], 1005));
            }
        }
        assert_eq!(seen, [(1, 1000), (2, 1003), (3, 1007), (4, 1012)]);
    }

    #[test]
    fn varints_of_every_length_equal_the_shared_cursor() {
        for shift in 0..64 {
            let value = u64::MAX >> shift;
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            assert_eq!(Wire::new(&bytes, 0).varint(), Ok(value));
            let followed = [&bytes[..], &[0xff, 0x81, 0x02, 0x80, 0, 0, 0, 0]].concat();
            let mut wire = Wire::new(&followed, 0);
            assert_eq!((wire.varint(), wire.varint()), (Ok(value), Ok(0x80ff)), "bytes behind it do not count");
            assert_eq!(Wire::new(&followed, 0).wide_varint(), Ok(value));
            assert_eq!(crate::base::cursor::Cursor::new(&bytes).varint(), Ok(Some(value)));
            bytes.pop();
            assert!(Wire::new(&bytes, 0).varint().is_err(), "a cut varint is an error");
        }
        assert_eq!(Wire::new(&[0xff; 11], 7).varint(), Err(Fault { offset: 7, what: What::LongVarint }));
    }

    #[test]
    fn packed_numbers_are_those_that_are_read_one_after_the_other() {
        let mut seed = 1_u64;
        for count in 0..200 {
            let mut bytes = Vec::new();
            let mut wanted = Vec::new();
            for _ in 0..count % 23 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let value = seed >> (seed >> 58 | 1);
                wanted.push(value);
                write_varint(&mut bytes, value);
            }
            let field = Field { number: 1, offset: 0, value: Value::Bytes(Wire::new(&bytes, 0)) };
            let mut found = Vec::new();
            field.ints(&mut found, |value| value).unwrap();
            assert_eq!(found, wanted);
            if let Some(last) = bytes.last_mut() {
                *last |= 0x80;
                let cut = Field { number: 1, offset: 0, value: Value::Bytes(Wire::new(&bytes, 0)) };
                assert!(cut.ints(&mut found, |value| value).is_err(), "the last number is cut");
            }
        }
    }

    #[test]
    fn a_length_near_the_address_space_is_short() {
        let bytes = [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let fault = Wire::new(&bytes, 0).field().unwrap_err();
        assert_eq!(fault.what, What::Short { wanted: u64::MAX >> 1, left: 0 });
    }

    #[test]
    fn groups_are_refused() {
        assert_eq!(Wire::new(&[0x0b, 0], 0).field().unwrap_err().what, What::WireType(3));
    }
}
