//! gzip (RFC 1952) in pieces: sound members of any size, with a look at nothing but bytes.
//!
//! A piece is as long as its caller likes, so reading can be stopped between two pieces and what came out can be used while the next one
//! is made. Deliberately absent: repairs. Whatever is not exactly right is reported as [`Stop::Irregular`], and the caller reads the member
//! again with a decoder that keeps what stands before the damage. Start reading at [`Gzip::fill`].

use fdeflate::Decompressor;
use libdeflater::Crc;

use crate::base::ticket::{Cancelled, Ticket};

/// How far back deflate's copies reach, in bytes.
pub const WINDOW_BYTES: usize = 32 << 10;

/// Why no more bytes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Damage, a cut, a wrong checksum, or bytes after the last member that are neither a member nor zeros.
    Irregular,
    /// Stopped by the user.
    Cancelled,
}

impl From<Cancelled> for Stop {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// The members of one gzip input, one after the other.
pub struct Gzip<'a> {
    input: &'a [u8],
    /// Where the next compressed byte stands.
    at: usize,
    /// Bytes that came out so far.
    made: u64,
    member: Option<Member>,
}

struct Member {
    /// Where its first byte stands.
    start: usize,
    decoder: Decompressor,
    crc: Crc,
    made: u64,
}

impl<'a> Gzip<'a> {
    /// The members of `input`.
    pub const fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, made: 0, member: None }
    }

    /// Decompresses into `buffer` from `from` on until the buffer is full or the input ends, and says how many bytes were made: fewer than
    /// there is room for only at the end.
    ///
    /// The bytes before `from` have to be the last ones made before, at least [`WINDOW_BYTES`] of them, or all.
    pub fn fill(&mut self, buffer: &mut [u8], from: usize, ticket: &Ticket) -> Result<usize, Stop> {
        let mut to = from;
        while to < buffer.len() {
            // Members may be tiny and many, and the buffer is one piece.
            ticket.check()?;
            let made = self.step(buffer, to)?;
            if made == 0 && self.member.is_none() && self.is_at_end()? {
                break;
            }
            to += made;
        }
        Ok(to - from)
    }

    /// Where the member begins that is being read (or whatever stands after the last one), and how many bytes all members before it gave.
    pub fn sound(&self) -> (usize, u64) {
        self.member.as_ref().map_or((self.at, self.made), |member| (member.start, self.made - member.made))
    }

    /// Compressed bytes read so far.
    pub const fn consumed(&self) -> usize {
        self.at
    }

    fn is_at_end(&self) -> Result<bool, Stop> {
        let rest = self.input.get(self.at..).unwrap_or(&[]);
        match rest {
            [] => Ok(true),
            [0x1f, 0x8b, ..] => Ok(false),
            // gzip(1) ignores zeros after the last member.
            _ if self.at > 0 && rest.iter().all(|&byte| byte == 0) => Ok(true),
            _ => Err(Stop::Irregular),
        }
    }

    /// Decompresses until the buffer is full or the member ends.
    fn step(&mut self, buffer: &mut [u8], to: usize) -> Result<usize, Stop> {
        if self.member.is_none() {
            if self.is_at_end()? {
                return Ok(0);
            }
            let mut decoder = Decompressor::new();
            decoder.ignore_adler32();
            // The decoder is for zlib, which has the same data between another header and another checksum.
            decoder.read(&[0x78, 0x01], &mut [], 0, false).map_err(|_error| Stop::Irregular)?;
            let start = self.at;
            self.at = header_end(self.input, start).ok_or(Stop::Irregular)?;
            self.member = Some(Member { start, decoder, crc: Crc::new(), made: 0 });
        }
        let Some(member) = &mut self.member else { return Ok(0) };
        // Copies may not reach into the member before.
        let known = usize::try_from(member.made).unwrap_or(usize::MAX).min(WINDOW_BYTES).min(to);
        let output = buffer.get_mut(to - known..).ok_or(Stop::Irregular)?;
        let input = self.input.get(self.at..).ok_or(Stop::Irregular)?;
        let (read, made) = member.decoder.read(input, output, known, true).map_err(|_error| Stop::Irregular)?;
        self.at += read;
        member.made += made as u64;
        self.made += made as u64;
        member.crc.update(output.get(known..known + made).ok_or(Stop::Irregular)?);
        if member.decoder.is_done() {
            self.at = trailer_end(self.input, self.at, member.crc.sum(), member.made as u32).ok_or(Stop::Irregular)?;
            self.member = None;
        }
        Ok(made)
    }
}

/// Where the compressed data of the member at `start` begins.
fn header_end(input: &[u8], start: usize) -> Option<usize> {
    let header = input.get(start..)?;
    let [0x1f, 0x8b, 8, flags, ..] = *header else { return None };
    let mut end = 10;
    if flags & 4 != 0 {
        let len = header.get(end..end + 2)?.try_into().map(u16::from_le_bytes).ok()?;
        end += 2 + usize::from(len);
    }
    // The file's name and a comment end with a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            end += memchr::memchr(0, header.get(end..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        end += 2;
    }
    (end <= header.len()).then_some(start + end)
}

/// Where the member ends whose data has this checksum and this length modulo 2³².
///
/// The decoder took the checksum's four bytes for the end of its stream, and up to three more into its bit buffer.
fn trailer_end(input: &[u8], read: usize, crc: u32, len: u32) -> Option<usize> {
    let mut trailer = [0; 8];
    let (first, second) = trailer.split_at_mut(4);
    first.copy_from_slice(&crc.to_le_bytes());
    second.copy_from_slice(&len.to_le_bytes());
    (0..=3).find_map(|more| {
        let end = read.checked_sub(more)? + 4;
        (input.get(end.checked_sub(8)?..end)? == trailer).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gz(bytes: &[u8], level: u32) -> Vec<u8> {
        let mut encoder =
            flate2::GzBuilder::new().filename("name").comment("why").extra([1, 2, 3]).write(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Text with copies from near and far.
    fn text(len: usize) -> Vec<u8> {
        let mut seed = 7_u64;
        let mut out = Vec::with_capacity(len + 40);
        while out.len() < len {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if seed >> 62 == 0 || out.len() < 50 {
                out.extend_from_slice(&seed.to_le_bytes()[2..]);
            } else {
                let back = 1 + (seed >> 33) as usize % out.len().min(40_000);
                for _ in 0..3 + (seed >> 20) % 30 {
                    out.push(out[out.len() - back]);
                }
            }
        }
        out.truncate(len);
        out
    }

    fn read(input: &[u8], piece: usize) -> Result<Vec<u8>, Stop> {
        let mut gzip = Gzip::new(input);
        let mut all = Vec::new();
        let mut buffer = vec![0; WINDOW_BYTES + piece];
        let mut from = 0;
        loop {
            let end = (from + piece).min(buffer.len());
            let made = gzip.fill(&mut buffer[..end], from, &Ticket::new())?;
            all.extend_from_slice(&buffer[from..from + made]);
            if made < end - from {
                return Ok(all);
            }
            let keep = end.min(WINDOW_BYTES);
            buffer.copy_within(end - keep..end, 0);
            from = keep;
        }
    }

    #[test]
    fn pieces_of_any_length_give_what_went_in() {
        for (len, level) in [(0, 6), (1, 1), (100_000, 0), (300_000, 1), (300_000, 9)] {
            let text = text(len);
            let whole = gz(&text, level);
            for piece in [1000, 4096, 65_537, 1 << 20] {
                assert_eq!(read(&whole, piece).as_deref(), Ok(&text[..]), "{len} bytes, level {level}, pieces of {piece}");
            }
            let members = [whole.clone(), gz(b"", 6), gz(b"more", 6), whole.clone(), vec![0; 9]].concat();
            assert_eq!(read(&members, 5000), Ok([&text[..], b"more", &text].concat()));
        }
    }

    #[test]
    fn every_turned_bit_and_every_cut_is_irregular_or_harmless() {
        let text = text(3000);
        let whole = gz(&text, 6);
        for at in 0..whole.len() {
            assert_eq!(read(&whole[..at], 4096), if at == 0 { Ok(Vec::new()) } else { Err(Stop::Irregular) }, "cut at {at}");
            let mut turned = whole.clone();
            turned[at] ^= 1 << (at % 8);
            // Time, system, name and so on mean nothing for the data.
            assert!(matches!(read(&turned, 4096), Err(Stop::Irregular)) || read(&turned, 4096) == Ok(text.clone()), "bit turned at {at}");
        }
        assert_eq!(read(&[whole, b"garbage".to_vec()].concat(), 4096), Err(Stop::Irregular));
    }
}
