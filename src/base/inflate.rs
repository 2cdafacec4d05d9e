//! Peels gzip, zlib, zstd, xz and bzip2 before a format is looked for, with a cap on the size.
//!
//! Damaged or cut members give the bytes before the damage and say so. Deliberately absent: archives with several files.
//! Start reading at [`peel`].

use std::borrow::Cow;
use std::cell::Cell;
use std::io::Read as _;
use std::rc::Rc;

use libdeflater::Decompressor;

use crate::base::gzip::{Gzip, Stop};
use crate::base::ticket::{Cancelled, Ticket};

/// Default limit of the uncompressed size: 8 GiB.
pub const DEFAULT_CAP_BYTES: u64 = 8 << 30;

/// How much a capture of so many compressed bytes may plausibly hold: 64 times as much (real ones have 3 to 40 times), but at least
/// 1 GiB and at most [`DEFAULT_CAP_BYTES`].
///
/// A bomb of 10 MB that would inflate to 10 GiB is refused after 1 GiB.
pub fn default_cap(compressed: usize) -> u64 {
    (compressed as u64).saturating_mul(64).clamp(1 << 30, DEFAULT_CAP_BYTES)
}

/// How much a section of a binary may plausibly hold: 64 times its compressed size (debug information has 3 to 15 times), but at least 64 MiB
/// and at most `most` bytes.
pub fn section_cap(compressed: usize, most: u64) -> u64 {
    (compressed as u64).saturating_mul(64).clamp(64 << 20, most.max(64 << 20))
}

/// How many layers of compression are peeled: a gzip of a gzip exists in the wild, a deeper nest is an attack.
const MAX_LAYERS: usize = 3;

/// What stood around the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Container {
    /// Nothing.
    #[default]
    None,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// zlib (RFC 1950).
    Zlib,
    /// Zstandard (RFC 8878).
    Zstd,
    /// xz, any number of streams.
    Xz,
    /// bzip2, any number of streams.
    Bzip2,
    /// A member of a zip archive, see [`archive`](super::archive).
    Zip,
    /// A member of a tar archive.
    Tar,
}

impl Container {
    /// The name in output: `none`, `gzip`, `zlib`, `zstd`, `xz`, `bzip2`, `zip`, `tar`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }
}

/// Uncompressed bytes and how they were found.
#[derive(Debug)]
pub struct Peeled<'a> {
    /// The bytes of the innermost layer.
    pub bytes: Cow<'a, [u8]>,
    /// The outermost layer.
    pub container: Container,
    /// Damage that was survived: offset in the compressed input, and what it was.
    pub damage: Option<(u64, String)>,
}

/// Why nothing could be peeled.
#[derive(Debug)]
pub enum PeelError {
    /// Stopped by the user.
    Cancelled,
    /// More than the allowed number of bytes: the limit.
    TooLarge {
        /// The limit in bytes.
        cap: u64,
    },
    /// Not one byte could be had: offset in the compressed input, and why.
    Damaged {
        /// Which compression.
        container: Container,
        /// Offset in the compressed input.
        offset: u64,
        /// The decoder's reason.
        reason: String,
    },
}

impl From<Cancelled> for PeelError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl std::fmt::Display for PeelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::TooLarge { cap } => write!(f, "the uncompressed data is larger than the limit of {cap} bytes; raise it with --max-bytes"),
            Self::Damaged { container, offset, reason } => {
                write!(f, "{} data is damaged from the start: {reason} (at byte {offset:#x})", container.name())
            }
        }
    }
}

impl std::error::Error for PeelError {}

/// Which compression `bytes` begin with.
pub fn container_of(bytes: &[u8]) -> Container {
    match bytes {
        [0x1f, 0x8b, 8, ..] => Container::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Container::Zstd,
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] if is_zstd_behind_notes(bytes) => Container::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Container::Xz,
        // "BZh", the block size, and the first block's mark (the digits of pi) or the end's (of its square root).
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => {
            Container::Bzip2
        }
        // zlib: deflate with a window up to 32 KiB, no preset dictionary, and the header's checksum right. Protobuf profiles begin
        // with 0x0a and text with letters, so two bytes are enough.
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0 && flags & 0x20 == 0 => Container::Zlib,
        _ => Container::None,
    }
}

/// True where a zstd frame follows frames that a decoder passes over (RFC 8878 §3.1.2: a number from 0x184D2A50 to 5F, the length, bytes of
/// any kind): pzstd and seekable files begin with one. LZ4 has such frames too.
fn is_zstd_behind_notes(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, l0, l1, l2, l3, body @ ..] = rest {
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        rest = body.get(length..).unwrap_or(&[]);
    }
    rest.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}

/// Peels all layers of compression; uncompressed input is given back as it is.
pub fn peel<'a>(input: &'a [u8], cap: u64, ticket: &Ticket) -> Result<Peeled<'a>, PeelError> {
    let outer = container_of(input);
    let mut peeled = Peeled { bytes: Cow::Borrowed(input), container: outer, damage: None };
    for _ in 0..MAX_LAYERS {
        let (bytes, damage) = match container_of(&peeled.bytes) {
            Container::None | Container::Zip | Container::Tar => break,
            Container::Gzip => gzip(&peeled.bytes, cap, ticket)?,
            Container::Zlib => slice(Container::Zlib, &peeled.bytes, cap, ticket, |bytes| Ok(flate2::bufread::ZlibDecoder::new(bytes)))?,
            Container::Zstd => zstd_frames(&peeled.bytes, cap, ticket)?,
            Container::Xz => xz_streams(&peeled.bytes, cap, ticket)?,
            Container::Bzip2 => {
                slice(Container::Bzip2, &peeled.bytes, cap, ticket, |bytes| Ok(bzip2::bufread::MultiBzDecoder::new(bytes)))?
            }
        };
        peeled.bytes = Cow::Owned(bytes);
        peeled.damage = peeled.damage.or(damage);
    }
    Ok(peeled)
}

type Bytes = (Vec<u8>, Option<(u64, String)>);

/// Members up to this size are inflated in one call, which takes some ten milliseconds and cannot be stopped.
const ONE_CALL_BYTES: usize = 16 << 20;

/// Bytes between two looks at the cancel switch.
const PIECE_BYTES: usize = 2 << 20;

/// All gzip members. A small file of one member is inflated at once by libdeflate; larger ones and several members in pieces;
/// damaged ones go through a slower stream, which keeps what stands before the damage.
fn gzip(input: &[u8], cap: u64, ticket: &Ticket) -> Result<Bytes, PeelError> {
    ticket.stage("inflating", input.len() as u64)?;
    if let Some(out) = one_member(input, cap)? {
        ticket.advance(input.len() as u64)?;
        return Ok((out, None));
    }
    let (mut out, sound) = sound_members(input, cap, ticket)?;
    let Some(start) = sound else { return Ok((out, None)) };
    let mut rest = input.get(start..).unwrap_or(&[]);
    while !rest.is_empty() {
        let at = (input.len() - rest.len()) as u64;
        if at > 0 && !rest.starts_with(&[0x1f, 0x8b]) {
            // gzip(1) ignores zero padding after the last member and warns about anything else.
            let garbage = rest.iter().any(|&byte| byte != 0);
            return Ok((out, garbage.then(|| (at, format!("{} bytes follow the last gzip member and were ignored", rest.len())))));
        }
        let mut decoder = flate2::bufread::GzDecoder::new(rest);
        match stream(Container::Gzip, &mut decoder, at, cap.saturating_sub(out.len() as u64), ticket) {
            Ok((bytes, damage)) => {
                out.extend_from_slice(&bytes);
                if let Some((_, reason)) = damage {
                    // How far the decoder came, not where the member begins.
                    return Ok((out, Some(((input.len() - decoder.get_ref().len()) as u64, reason))));
                }
            }
            Err(PeelError::Damaged { offset, reason, .. }) if at > 0 => return Ok((out, Some((offset, reason)))),
            Err(PeelError::TooLarge { .. }) => return Err(PeelError::TooLarge { cap }),
            Err(error) => return Err(error),
        }
        rest = decoder.into_inner();
    }
    Ok((out, None))
}

/// The bytes of all sound members at the start of `input`, and where the first member (or whatever stands there) begins that is not
/// sound.
fn sound_members(input: &[u8], cap: u64, ticket: &Ticket) -> Result<(Vec<u8>, Option<usize>), PeelError> {
    let limit = usize::try_from(cap).unwrap_or(usize::MAX);
    // The last member's size is a guess at what is needed: pages that the system zeroes on first touch.
    let guess = trailer(input).map_or(0, |(_, size)| size as usize).min(input.len().saturating_mul(1032)).min(limit);
    let mut out = vec![0; guess.saturating_add(1)];
    let mut gzip = Gzip::new(input);
    let (mut made, mut counted) = (0, 0);
    loop {
        if made == out.len() {
            out.resize(made.saturating_add((made / 4).max(PIECE_BYTES)).min(limit.saturating_add(PIECE_BYTES)), 0);
        }
        let end = out.len().min(made.saturating_add(PIECE_BYTES));
        let piece = out.get_mut(..end).unwrap_or_default();
        let more = match gzip.fill(piece, made, ticket) {
            Ok(more) => more,
            Err(Stop::Cancelled) => return Err(PeelError::Cancelled),
            Err(Stop::Irregular) => {
                let (start, sound) = gzip.sound();
                out.truncate(sound as usize);
                return Ok((out, Some(start)));
            }
        };
        made += more;
        ticket.advance((gzip.consumed() - counted) as u64)?;
        counted = gzip.consumed();
        if made > limit {
            return Err(PeelError::TooLarge { cap });
        }
        if made < end {
            out.truncate(made);
            return Ok((out, None));
        }
    }
}

/// Checksum and size modulo 2³² of the last member, if the input ends with its trailer.
fn trailer(input: &[u8]) -> Option<(u32, u32)> {
    let [c0, c1, c2, c3, n0, n1, n2, n3] = *input.last_chunk::<8>()?;
    Some((u32::from_le_bytes([c0, c1, c2, c3]), u32::from_le_bytes([n0, n1, n2, n3])))
}

/// Whether a gzip input is so small that it is inflated in one call, as far as its last bytes say.
pub fn is_one_call(input: &[u8]) -> bool {
    // A last member that claims less than all of the input takes is probably not the only one.
    trailer(input).is_some_and(|(_, size)| (input.len()..=ONE_CALL_BYTES).contains(&(size as usize)))
}

/// The bytes of a small input that is exactly one sound member; `None` otherwise.
fn one_member(input: &[u8], cap: u64) -> Result<Option<Vec<u8>>, PeelError> {
    let Some((crc, size)) = trailer(input) else { return Ok(None) };
    let room = (size as usize).max(64);
    if room > ONE_CALL_BYTES || input.len() > ONE_CALL_BYTES {
        return Ok(None);
    }
    let mut out = vec![0; room];
    match Decompressor::new().gzip_decompress(input, &mut out) {
        Ok(made) if made as u64 > cap => Err(PeelError::TooLarge { cap }),
        Ok(made) => {
            out.truncate(made);
            // libdeflate stops after the first member and does not say where. The file's last bytes are this member's trailer where it is the
            // only one, but also where the last one holds the same: then another member begins somewhere behind it.
            let whole = made as u32 == size && libdeflater::crc32(&out) == crc && !is_repeated(input);
            Ok(whole.then_some(out))
        }
        Err(_) => Ok(None),
    }
}

/// Whether a further member seems to begin inside of a gzip input behind the same checksum and size as stand at its end: so it is with a member that was
/// written twice, and hardly ever with other bytes.
fn is_repeated(input: &[u8]) -> bool {
    let Some(trailer) = input.last_chunk::<8>() else { return false };
    let before = input.get(..input.len() - trailer.len()).unwrap_or(&[]);
    let is_followed = |at: usize| input.get(at + trailer.len()..).is_some_and(|rest| rest.starts_with(&[0x1f, 0x8b, 8]));
    memchr::memmem::find_iter(before, trailer).any(is_followed)
}

fn zstd_frames(input: &[u8], cap: u64, ticket: &Ticket) -> Result<Bytes, PeelError> {
    slice(Container::Zstd, input, cap, ticket, |bytes| {
        zstd::stream::read::Decoder::with_buffer(bytes).map_err(|error| PeelError::Damaged {
            container: Container::Zstd,
            offset: 0,
            reason: error.to_string(),
        })
    })
}

/// Most memory that an xz file may ask its reader for (`xz -9` asks for 65 MiB).
const XZ_MEMORY_BYTES: u64 = 1 << 30;

fn xz_streams(input: &[u8], cap: u64, ticket: &Ticket) -> Result<Bytes, PeelError> {
    let decoder = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, liblzma::stream::CONCATENATED);
    let decoder = decoder.map_err(|error| PeelError::Damaged { container: Container::Xz, offset: 0, reason: error.to_string() })?;
    let name_limit = |reason: String| {
        if reason.contains("memory limit") { format!("{reason} of {} MiB for the dictionary", XZ_MEMORY_BYTES >> 20) } else { reason }
    };
    match slice(Container::Xz, input, cap, ticket, |bytes| Ok(liblzma::bufread::XzDecoder::new_stream(bytes, decoder))) {
        Err(PeelError::Damaged { container, offset, reason }) => Err(PeelError::Damaged { container, offset, reason: name_limit(reason) }),
        Ok((out, damage)) => Ok((out, damage.map(|(offset, reason)| (offset, name_limit(reason))))),
        other => other,
    }
}

/// Reads a decoder of all of `input` to its end; damage stands where the decoder came to.
fn slice<'a, D: std::io::Read>(
    container: Container,
    input: &'a [u8],
    cap: u64,
    ticket: &Ticket,
    decoder: impl FnOnce(Counted<'a>) -> Result<D, PeelError>,
) -> Result<Bytes, PeelError> {
    let came_to = Rc::new(Cell::new(0));
    let decoder = decoder(Counted { rest: input, taken: Rc::clone(&came_to) })?;
    match stream(container, decoder, 0, cap, ticket) {
        Ok((out, damage)) => Ok((out, damage.map(|(_, reason)| (came_to.get(), reason)))),
        Err(PeelError::Damaged { container, reason, .. }) => Err(PeelError::Damaged { container, offset: came_to.get(), reason }),
        Err(error) => Err(error),
    }
}

/// Bytes of which it is counted how many were taken.
struct Counted<'a> {
    rest: &'a [u8],
    taken: Rc<Cell<u64>>,
}

impl std::io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.rest.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

impl std::io::BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        Ok(self.rest)
    }

    fn consume(&mut self, amount: usize) {
        self.rest = self.rest.get(amount..).unwrap_or(&[]);
        self.taken.set(self.taken.get() + amount as u64);
    }
}

/// Reads a decoder to its end in pieces, so that cancel and the cap act in time.
fn stream(container: Container, mut decoder: impl std::io::Read, base: u64, cap: u64, ticket: &Ticket) -> Result<Bytes, PeelError> {
    ticket.stage("inflating", 0)?;
    let piece = match container {
        // Decoders of some ten megabytes a second.
        Container::Xz | Container::Bzip2 => 256 << 10,
        _ => 4 << 20,
    };
    let mut out = Vec::new();
    loop {
        let before = out.len();
        let result = decoder.by_ref().take(piece).read_to_end(&mut out);
        ticket.advance((out.len() - before) as u64)?;
        if out.len() as u64 > cap {
            return Err(PeelError::TooLarge { cap });
        }
        match result {
            Ok(0) => return Ok((out, None)),
            Ok(_) => {}
            Err(error) if out.is_empty() => return Err(PeelError::Damaged { container, offset: base, reason: error.to_string() }),
            Err(error) => {
                let reason = format!("{} data is damaged after {} uncompressed bytes: {error}", container.name(), out.len());
                return Ok((out, Some((base, reason))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::packed::{bz2, gz, xz};

    fn peeled(bytes: &[u8]) -> (Vec<u8>, bool) {
        let peeled = peel(bytes, DEFAULT_CAP_BYTES, &Ticket::new()).unwrap();
        (peeled.bytes.into_owned(), peeled.damage.is_some())
    }

    #[test]
    fn a_section_may_hold_what_debug_information_holds_and_not_what_a_bomb_does() {
        const MOST: u64 = 4 << 30;
        let cases = [(0, 64 << 20), (1 << 20, 64 << 20), (10 << 20, 640 << 20), (1 << 30, MOST)];
        assert_eq!(cases.map(|(compressed, _)| section_cap(compressed, MOST)), cases.map(|(_, cap)| cap));
    }

    #[test]
    fn damage_stands_where_the_decoder_came_to() {
        let text: Vec<u8> = (0..400_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for packed in [zstd::encode_all(&text[..], 1).unwrap(), xz(&text), bz2(&text), gz(&text)] {
            let cut = packed.len() / 2;
            let peeled = peel(&packed[..cut], DEFAULT_CAP_BYTES, &Ticket::new()).unwrap();
            assert_eq!(peeled.damage.map(|(offset, _)| offset), Some(cut as u64), "{:?}", peeled.container);
            match peel(&packed[..40], DEFAULT_CAP_BYTES, &Ticket::new()) {
                Err(PeelError::Damaged { offset, .. }) => assert_eq!(offset, 40, "{:?}", peeled.container),
                other => assert!(other.is_ok_and(|peeled| peeled.damage.is_some_and(|(offset, _)| offset == 40))),
            }
        }
    }

    #[test]
    fn members_are_joined_and_nests_are_opened() {
        let two = [gz(b"main;a 1\n"), gz(b"main;b 2\n")].concat();
        assert_eq!(peeled(&two), (b"main;a 1\nmain;b 2\n".to_vec(), false));
        let one = gz(b"main;a 1\n");
        assert_eq!(peeled(&[&one[..], &one, &one].concat()).0, b"main;a 1\n".repeat(3), "the last trailer is that of the first member too");
        assert_eq!(peeled(&gz(&gz(b"inner"))), (b"inner".to_vec(), false));
        assert_eq!(peeled(b"plain"), (b"plain".to_vec(), false));
        assert_eq!(peeled(&zstd::encode_all(&b"zzz"[..], 1).unwrap()), (b"zzz".to_vec(), false));
        let zzz = zstd::encode_all(&b"zzz"[..], 1).unwrap();
        let note = b"\x5f\x2a\x4d\x18\x03\0\0\0abc";
        assert_eq!(peeled(&[note, note, &zzz[..], note, &zzz].concat()), (b"zzzzzz".to_vec(), false));
        assert_eq!(container_of(note), Container::None, "a note alone could be of LZ4");
        for pack in [xz, bz2] {
            assert_eq!(peeled(&[pack(b"main;a 1\n"), pack(b"main;b 2\n")].concat()), (b"main;a 1\nmain;b 2\n".to_vec(), false));
            assert_eq!(peeled(&pack(b"")), (Vec::new(), false), "no bytes are a legal content");
            assert_eq!(peeled(&gz(&pack(b"inner"))), (b"inner".to_vec(), false));
        }
    }

    #[test]
    fn a_cut_member_gives_the_bytes_before_the_cut() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let whole = gz(&text);
        let cut = &whole[..whole.len() / 2];
        let peeled = peel(cut, DEFAULT_CAP_BYTES, &Ticket::new()).unwrap();
        assert_eq!(peeled.damage.map(|damage| damage.0), Some(cut.len() as u64), "a cut must be said, and where it is");
        let bytes = peeled.bytes;
        assert!(!bytes.is_empty() && text.starts_with(&bytes), "what is given stands at the start of the text");
    }

    #[test]
    fn cut_and_bombs_of_xz_and_bzip2_end_as_those_of_gzip() {
        let text: Vec<u8> = (0..600_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()).collect();
        for pack in [xz, bz2] {
            let whole = pack(&text);
            let cut = peel(&whole[..whole.len() - whole.len() / 4], DEFAULT_CAP_BYTES, &Ticket::new()).unwrap();
            assert!(cut.damage.is_some(), "a cut must be said");
            assert!(!cut.bytes.is_empty() && text.starts_with(&cut.bytes), "what is given stands at the start of the text");
            let bomb = pack(&vec![0; 10 << 20]);
            assert!(matches!(peel(&bomb, 1 << 20, &Ticket::new()), Err(PeelError::TooLarge { cap }) if cap == 1 << 20));
            assert!(matches!(peel(&whole[..8], 1 << 20, &Ticket::new()), Err(PeelError::Damaged { .. })));
        }
    }

    #[test]
    fn garbage_after_the_last_member_is_said_padding_is_not() {
        let whole = gz(b"abc");
        assert_eq!(peeled(&[whole.clone(), vec![0; 100]].concat()), (b"abc".to_vec(), false));
        assert_eq!(peeled(&[whole, b"garbage".to_vec()].concat()), (b"abc".to_vec(), true));
    }

    #[test]
    fn a_wrong_checksum_gives_all_bytes_with_the_damage() {
        let mut whole = gz(b"abcdef");
        let crc = whole.len() - 8;
        whole[crc] ^= 1;
        assert_eq!(peeled(&whole), (b"abcdef".to_vec(), true));
        // Without the trailer all data is there too, but nothing vouches for it.
        assert_eq!(peeled(&whole[..crc]), (b"abcdef".to_vec(), true));
    }

    #[test]
    fn one_call_is_for_what_seems_to_be_one_small_member() {
        let small = gz(b"a text, a text, a text, a text, a text, a text");
        assert!(is_one_call(&small));
        assert!(!is_one_call(&[small.clone(), gz(b"a")].concat()), "the last member holds less than the input takes");
        assert!(!is_one_call(&gz(&vec![0; ONE_CALL_BYTES + 1])));
        // The claim of a last member that could be the only one: all bytes come out nevertheless.
        let members = [gz(&vec![7; 3 << 20]), gz(&vec![8; 200_000])].concat();
        assert!(is_one_call(&members));
        assert_eq!(peeled(&members).0.len(), (3 << 20) + 200_000);
    }

    #[test]
    fn the_cap_holds() {
        let bomb = gz(&vec![0; 10 << 20]);
        assert!(matches!(peel(&bomb, 1 << 20, &Ticket::new()), Err(PeelError::TooLarge { cap }) if cap == 1 << 20));
    }

    #[test]
    fn the_default_cap_follows_the_compressed_size_between_its_ends() {
        assert_eq!(default_cap(10 << 20), 1 << 30, "a bomb of 10 MB may not fill more than 1 GiB");
        assert_eq!(default_cap(100 << 20), 6400 << 20);
        assert_eq!(default_cap(usize::MAX), DEFAULT_CAP_BYTES);
    }

    #[test]
    fn a_cancelled_ticket_stops_at_once() {
        let ticket = Ticket::new();
        ticket.cancel();
        assert!(matches!(peel(&gz(b"abc"), DEFAULT_CAP_BYTES, &ticket), Err(PeelError::Cancelled)));
    }
}
