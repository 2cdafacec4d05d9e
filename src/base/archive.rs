//! Zip and tar archives as lists of members, read in memory: nothing is ever written to disk, so names cannot lead out of a folder.
//!
//! Members are taken out one at a time, up to a limit of bytes, and only as far as asked. Deliberately absent: what the bytes mean, and
//! compression around a whole archive (`.tar.gz`), which [`inflate`](super::inflate) peels. Start reading at [`Archive::open`].

use std::borrow::Cow;
use std::io::{Cursor, Read as _};

use crate::base::ticket::{Cancelled, Ticket};
use crate::base::zipped;

/// Kinds of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// zip.
    Zip,
    /// tar: old, POSIX or GNU.
    Tar,
}

impl Kind {
    /// `zip` or `tar`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }

    /// Which archive `bytes` begin with.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            return Some(Self::Zip);
        }
        is_tar(bytes).then_some(Self::Tar)
    }
}

/// A tar begins with the header of its first member, which holds the sum of its own bytes.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<512>() else { return false };
    let (before, rest) = header.split_at(148);
    let (stated, after) = rest.split_at(8);
    let digits = stated.iter().skip_while(|byte| **byte == b' ').take_while(|byte| matches!(byte, b'0'..=b'7'));
    let mut stated = None;
    for digit in digits {
        stated = Some(stated.unwrap_or(0) * 8 + u32::from(digit - b'0'));
    }
    // The field of the sum itself counts as blanks.
    let sum = before.iter().chain(after).map(|&byte| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ');
    header.first().is_some_and(|&first| first != 0) && stated == Some(sum)
}

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path in the archive, with `/`; a name and never a place on disk.
    pub path: String,
    /// Its size in bytes, as the archive says.
    pub size: u64,
    /// True where it can be read only with a password.
    pub encrypted: bool,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Number in a zip's directory.
    Entry(usize),
    /// First byte of its content, which a tar holds as it is.
    At(u64),
    /// With holes: not read.
    Sparse,
}

/// Why an archive or a member cannot be read.
#[derive(Debug)]
pub enum ArchiveError {
    /// Stopped by the user.
    Cancelled,
    /// The member is larger than allowed: the limit in bytes.
    TooLarge(u64),
    /// Damage, or something that is not supported.
    Broken(String),
}

impl From<Cancelled> for ArchiveError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl std::fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::TooLarge(cap) => write!(f, "the member is larger than the limit of {cap} bytes; raise it with --max-bytes"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ArchiveError {}

/// An open archive.
pub struct Archive<'a> {
    bytes: &'a [u8],
    zip: Option<zip::ZipArchive<Cursor<&'a [u8]>>>,
    /// Its files, in the order of the archive; folders, links and what systems add for themselves are left out.
    pub members: Vec<Member>,
    /// Damage after the last of `members`.
    pub damage: Option<String>,
}

/// Bytes that are read between two looks at the cancel switch.
const PIECE_BYTES: u64 = 1 << 20;

impl<'a> Archive<'a> {
    /// Lists the members of an archive.
    pub fn open(kind: Kind, bytes: &'a [u8], ticket: &Ticket) -> Result<Self, ArchiveError> {
        let mut archive = Self { bytes, zip: None, members: Vec::new(), damage: None };
        match kind {
            Kind::Zip => archive.list_zip(ticket)?,
            Kind::Tar => archive.list_tar(ticket)?,
        }
        Ok(archive)
    }

    fn list_zip(&mut self, ticket: &Ticket) -> Result<(), ArchiveError> {
        let mut zip = zip::ZipArchive::new(Cursor::new(self.bytes)).map_err(|error| ArchiveError::Broken(error.to_string()))?;
        for entry in 0..zip.len() {
            ticket.check()?;
            // Raw: a list needs no password.
            let file = zip.by_index_raw(entry).map_err(|error| ArchiveError::Broken(error.to_string()))?;
            let path = file.name().map_or_else(|_| String::from_utf8_lossy(file.name_raw()).into_owned(), Cow::into_owned);
            if file.is_file() && is_wanted(&path) {
                self.members.push(Member { path, size: file.size(), encrypted: file.encrypted(), place: Place::Entry(entry) });
            }
        }
        self.zip = Some(zip);
        Ok(())
    }

    fn list_tar(&mut self, ticket: &Ticket) -> Result<(), ArchiveError> {
        let mut tar = tar::Archive::new(Cursor::new(self.bytes));
        let entries = tar.entries_with_seek().map_err(|error| ArchiveError::Broken(error.to_string()))?;
        for entry in entries {
            ticket.check()?;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if self.members.is_empty() => return Err(ArchiveError::Broken(error.to_string())),
                Err(error) => {
                    self.damage = Some(error.to_string());
                    break;
                }
            };
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if (kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) && is_wanted(&path) {
                let place = if kind.is_gnu_sparse() { Place::Sparse } else { Place::At(entry.raw_file_position()) };
                self.members.push(Member { path, size: entry.size(), encrypted: false, place });
            }
        }
        Ok(())
    }

    /// The first bytes of a member, at most `most`; fewer where it is damaged.
    pub fn head(&mut self, member: &Member, most: u64) -> Vec<u8> {
        let mut head = Vec::new();
        match member.place {
            Place::At(at) => head.extend_from_slice(self.stored(at, member.size.min(most)).0),
            Place::Entry(entry) => {
                // What was read before an error stays.
                if let Some(Ok((file, _))) = self.zip.as_mut().map(|zip| entry_reader(zip, self.bytes, entry)) {
                    drop(file.take(most).read_to_end(&mut head));
                }
            }
            Place::Sparse => {}
        }
        head
    }

    /// The content of a member: a part of the archive's own bytes where it is stored as it is. Damage that was survived comes beside it.
    pub fn extract(&mut self, member: &Member, cap: u64, ticket: &Ticket) -> Result<(Cow<'a, [u8]>, Option<String>), ArchiveError> {
        if member.encrypted {
            return Err(ArchiveError::Broken("the member is encrypted; take it out with its password first".to_owned()));
        }
        let entry = match member.place {
            Place::Sparse => return Err(ArchiveError::Broken("the member is stored with holes; take it out with tar first".to_owned())),
            Place::At(at) => {
                let (bytes, missing) = self.stored(at, member.size);
                let damage = (missing > 0).then(|| format!("the archive ends {missing} bytes before the member does"));
                return Ok((Cow::Borrowed(bytes), damage));
            }
            Place::Entry(entry) => entry,
        };
        let Some(zip) = self.zip.as_mut() else { return Err(ArchiveError::Broken("the archive is not open".to_owned())) };
        let (mut file, checksum) = entry_reader(zip, self.bytes, entry)?;
        ticket.stage("inflating", member.size)?;
        let mut content = Vec::new();
        loop {
            let before = content.len();
            let result = file.by_ref().take(PIECE_BYTES).read_to_end(&mut content);
            ticket.advance((content.len() - before) as u64)?;
            if content.len() as u64 > cap {
                return Err(ArchiveError::TooLarge(cap));
            }
            match result {
                Ok(0) => {
                    let is_wrong = checksum.is_some_and(|checksum| libdeflater::crc32(&content) != checksum);
                    return Ok((Cow::Owned(content), is_wrong.then(|| "the member's checksum is wrong".to_owned())));
                }
                Ok(_) => {}
                Err(error) if content.is_empty() => return Err(ArchiveError::Broken(error.to_string())),
                Err(error) => {
                    let damage = format!("the member is damaged after {} bytes: {error}", content.len());
                    return Ok((Cow::Owned(content), Some(damage)));
                }
            }
        }
    }

    /// Bytes of the archive itself, and how many of them are missing.
    fn stored(&self, at: u64, size: u64) -> (&'a [u8], u64) {
        let rest = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..)).unwrap_or(&[]);
        let there = usize::try_from(size).ok().and_then(|size| rest.get(..size)).unwrap_or(rest);
        (there, size - there.len() as u64)
    }
}

/// Reads the content of an entry; with its checksum where the reader does not look at it.
fn entry_reader<'z, 'a: 'z>(
    zip: &'z mut zip::ZipArchive<Cursor<&'a [u8]>>,
    bytes: &'a [u8],
    entry: usize,
) -> Result<(Box<dyn std::io::Read + 'z>, Option<u32>), ArchiveError> {
    let broken = |error: zip::result::ZipError| ArchiveError::Broken(error.to_string());
    let raw = zip.by_index_raw(entry).map_err(broken)?;
    let method = raw.compression();
    if zipped::is_known(method) {
        let (from, length) = (raw.data_start().unwrap_or(u64::MAX), raw.compressed_size());
        let rest = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or(&[]);
        let packed = usize::try_from(length).ok().and_then(|length| rest.get(..length)).unwrap_or(rest);
        let reader = zipped::reader(method, packed, raw.size()).map_err(ArchiveError::Broken)?;
        return Ok((reader, Some(raw.crc32())));
    }
    drop(raw);
    if let Some(hint) = zipped::hint(method) {
        return Err(ArchiveError::Broken(hint));
    }
    Ok((Box::new(zip.by_index(entry).map_err(broken)?), None))
}

/// False for what macOS adds beside each file.
fn is_wanted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !(path.starts_with("__MACOSX/") || name.starts_with("._") || name == ".DS_Store")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::packed::{bz2, xz, zip};

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    const FILES: [(&str, &[u8]); 3] = [("a/one.folded", b"main;a 1\n"), ("__MACOSX/a/._one.folded", b"x"), ("two.folded", b"main;b 2\n")];

    #[test]
    fn members_come_out_as_they_went_in() {
        for bytes in [zip(&FILES), tar(&FILES)] {
            let kind = Kind::of(&bytes).expect("an archive is recognised");
            let mut archive = Archive::open(kind, &bytes, &Ticket::new()).unwrap();
            let members = archive.members.clone();
            assert_eq!(
                members.iter().map(|member| (member.path.as_str(), member.size)).collect::<Vec<_>>(),
                [("a/one.folded", 9), ("two.folded", 9)]
            );
            assert_eq!(archive.head(&members[0], 4), b"main");
            let (content, damage) = archive.extract(&members[1], 100, &Ticket::new()).unwrap();
            assert_eq!((&*content, damage), (&b"main;b 2\n"[..], None));
        }
    }

    #[test]
    fn what_is_no_archive_is_not_taken_for_one() {
        for bytes in [&b"main;a 1\n"[..], &[0; 2048], b"PK is no zip", &[b'7'; 600]] {
            assert_eq!(Kind::of(bytes), None);
        }
    }

    #[test]
    fn a_zip_bomb_stops_at_the_limit() {
        let bytes = zip(&[("bomb", &vec![0; 10 << 20])]);
        let mut archive = Archive::open(Kind::Zip, &bytes, &Ticket::new()).unwrap();
        let member = archive.members[0].clone();
        assert!(bytes.len() < 100_000);
        assert!(matches!(archive.extract(&member, 1 << 20, &Ticket::new()), Err(ArchiveError::TooLarge(cap)) if cap == 1 << 20));
        let ticket = Ticket::new();
        ticket.cancel();
        assert!(matches!(archive.extract(&member, u64::MAX, &ticket), Err(ArchiveError::Cancelled)));
    }

    #[test]
    fn a_cut_tar_gives_what_is_there_and_says_so() {
        let bytes = tar(&[("one", &[b'x'; 1000]), ("two", &[b'y'; 1000])]);
        let cut = &bytes[..512 + 1024 + 512 + 300];
        let mut archive = Archive::open(Kind::Tar, cut, &Ticket::new()).unwrap();
        assert_eq!(archive.members.len(), 2);
        let member = archive.members[1].clone();
        let (content, damage) = archive.extract(&member, u64::MAX, &Ticket::new()).unwrap();
        assert_eq!((content.len(), damage.is_some()), (300, true));
    }

    #[test]
    fn names_that_lead_elsewhere_are_only_names() {
        let bytes = zip(&[("../../etc/passwd", b"a;b 1\n")]);
        let archive = Archive::open(Kind::Zip, &bytes, &Ticket::new()).unwrap();
        assert_eq!(archive.members[0].path, "../../etc/passwd");
    }

    #[test]
    fn damaged_archives_are_errors_and_never_a_panic() {
        for whole in [zip(&FILES), tar(&FILES)] {
            for at in 0..whole.len() {
                for flip in [1, 0x80] {
                    let mut bytes = whole.clone();
                    bytes[at] ^= flip;
                    let Some(kind) = Kind::of(&bytes) else { continue };
                    let Ok(mut archive) = Archive::open(kind, &bytes, &Ticket::new()) else { continue };
                    for member in archive.members.clone() {
                        drop(archive.extract(&member, 1 << 20, &Ticket::new()));
                    }
                }
            }
        }
    }

    /// An archive of one file, whose bytes are packed by a method.
    fn zip_of(method: u16, packed: &[u8], content: &[u8]) -> Vec<u8> {
        let common = |out: &mut Vec<u8>| {
            for number in [63_u16, 0, method, 0, 0] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            for number in [libdeflater::crc32(content), packed.len() as u32, content.len() as u32] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&[1, 0, 0, 0]);
        };
        let mut out = b"PK\x03\x04".to_vec();
        common(&mut out);
        out.push(b'f');
        out.extend_from_slice(packed);
        let directory = out.len() as u32;
        out.extend_from_slice(b"PK\x01\x02\x3f\0");
        common(&mut out);
        out.extend_from_slice(&[0; 14]);
        out.push(b'f');
        let length = out.len() as u32 - directory;
        out.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&directory.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out
    }

    fn only(bytes: &[u8]) -> Result<(Vec<u8>, Option<String>), ArchiveError> {
        let mut archive = Archive::open(Kind::Zip, bytes, &Ticket::new())?;
        let member = archive.members[0].clone();
        let (content, damage) = archive.extract(&member, 1 << 20, &Ticket::new())?;
        assert!(content.starts_with(&archive.head(&member, 9)) && archive.head(&member, 9).len() == 9);
        Ok((content.into_owned(), damage))
    }

    #[test]
    fn members_are_read_by_all_common_methods() {
        let text = b"main;a 1\n".repeat(50);
        let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
        let encoder = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
        let mut alone = Vec::new();
        liblzma::read::XzEncoder::new_stream(&text[..], encoder).read_to_end(&mut alone).unwrap();
        let lzma = [&[9, 20, 5, 0][..], &alone[..5], &alone[13..]].concat();
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        for (method, packed) in [(0, text.clone()), (12, bz2(&text)), (14, lzma), (93, zstd), (95, xz(&text))] {
            assert_eq!(only(&zip_of(method, &packed, &text)).unwrap(), (text.clone(), None), "{method}");
            // The checksum of another content.
            if method != 0 {
                let wrong = only(&zip_of(method, &packed, &[&text[1..], b"x"].concat())).unwrap();
                assert!(wrong.1.is_some_and(|damage| damage.contains("checksum")), "{method}");
            }
        }
        for (method, name) in [(9, "Deflate64"), (98, "PPMd"), (6, "Implode"), (77, "rare")] {
            let error = only(&zip_of(method, &text, &text)).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("7-Zip"), "{error}");
        }
    }
}
