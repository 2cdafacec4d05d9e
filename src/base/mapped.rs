//! The bytes of a file, mapped into memory instead of copied.
//!
//! Regular files are mapped; pipes, `-` (standard input) and file systems that cannot map are read up to a limit. Deliberately
//! absent: what the bytes mean. Start reading at [`Mapped::open`].

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

/// The bytes of one input, as long as this lives.
#[derive(Debug)]
pub struct Mapped(Bytes);

#[derive(Debug)]
enum Bytes {
    Map(memmap2::Mmap),
    Read(Vec<u8>),
}

impl Mapped {
    /// Opens a file; the path `-` is standard input.
    ///
    /// `cap_bytes` limits only what has to be read into memory (pipes, devices, standard input): a mapped file costs none. Errors
    /// are the system's, and `InvalidInput` for a folder or for more than `cap_bytes`. They do not hold the path: the caller knows it.
    pub fn open(path: &Path, cap_bytes: u64) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return read(io::stdin().lock(), cap_bytes);
        }
        // Asked before opening, since Windows cannot open a folder and would say "access denied".
        let kind = path.metadata()?;
        if kind.is_dir() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is a folder; wanted a file"));
        }
        let file = File::open(path)?;
        // Files without a size are devices and files made up by the kernel (`/proc`), which can only be read.
        if kind.is_file() && kind.len() > 0 {
            #[expect(unsafe_code, reason = "the only way to map a file; the map is read-only and private to this value")]
            // SAFETY: the bytes may change or end early if another program writes to or cuts the file meanwhile. Readers take every
            // byte as untrusted, check all offsets against the slice's length and keep no reference after reading; a file that is
            // CUT while mapped ends the program (SIGBUS), which is accepted: captures are finished before they are opened.
            if let Ok(map) = unsafe { memmap2::Mmap::map(&file) } {
                return Ok(Self(Bytes::Map(map)));
            }
        }
        read(file, cap_bytes)
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Map(map) => map,
            Bytes::Read(bytes) => bytes,
        }
    }
}

fn read(input: impl Read, cap_bytes: u64) -> io::Result<Mapped> {
    let mut bytes = Vec::new();
    input.take(cap_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap_bytes {
        let text = format!("there are more than {cap_bytes} bytes to read; raise the limit with --max-bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(Mapped(Bytes::Read(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_mapped_and_empty_ones_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        std::fs::write(&path, b"main;a 1\n").unwrap();
        let mapped = Mapped::open(&path, 0).unwrap();
        assert!(matches!(mapped.0, Bytes::Map(_)));
        assert_eq!(&*mapped, b"main;a 1\n");
        std::fs::write(folder.path().join("empty"), b"").unwrap();
        assert_eq!(&*Mapped::open(&folder.path().join("empty"), 10).unwrap(), b"");
    }

    #[test]
    fn folders_and_missing_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Mapped::open(folder.path(), 10).unwrap_err().to_string(), "this is a folder; wanted a file");
        assert_eq!(Mapped::open(&folder.path().join("none"), 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_must_be_read_stops_at_the_limit() {
        assert_eq!(&*read(&b"12345"[..], 5).unwrap(), b"12345");
        assert!(read(&b"123456"[..], 5).unwrap_err().to_string().contains("more than 5 bytes"));
        assert!(read(io::repeat(0), 1 << 16).is_err());
    }
}
