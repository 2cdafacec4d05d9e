//! The bytes of a file, mapped into memory instead of copied.
//!
//! Regular files are mapped; pipes, `-` (standard input) and file systems that cannot map are read up to a limit. Deliberately
//! absent: what the bytes mean. Start reading at [`Mapped::open`].

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use super::ticket::Ticket;

/// The bytes of one input, as long as this lives.
#[derive(Debug)]
pub struct Mapped(Bytes);

#[derive(Debug)]
enum Bytes {
    Map(memmap2::Mmap),
    Read(Vec<u8>),
}

impl Mapped {
    /// Opens a file; the path `-` is standard input. What cannot be mapped (a pipe, a device) is read until it ends, is too long, or
    /// the ticket is cancelled, which is an error like any other. A pipe without a writer is an error at once.
    ///
    /// `cap_bytes` limits only what has to be read into memory (pipes, devices, standard input): a mapped file costs none. Errors
    /// are the system's, and `InvalidInput` for a folder or for more than `cap_bytes`. They do not hold the path: the caller knows it.
    pub fn open(path: &Path, cap_bytes: u64, ticket: &Ticket) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return read(io::stdin().lock(), cap_bytes, ticket);
        }
        // Asked before opening, since Windows cannot open a folder and would say "access denied".
        let kind = path.metadata()?;
        if kind.is_dir() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is a folder; wanted a file"));
        }
        if is_pipe(&kind) {
            let read = read(open_pipe(path)?, cap_bytes, ticket)?;
            let text = "this is a pipe to which no program writes";
            return if read.is_empty() { Err(io::Error::new(io::ErrorKind::InvalidInput, text)) } else { Ok(read) };
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
        read(file, cap_bytes, ticket)
    }

    /// Says that `part` of these bytes was read and is probably not needed again: its pages may leave this process's memory. Whoever looks
    /// again finds the same bytes, which the system fetches anew.
    pub fn release(&self, part: &[u8]) {
        #[cfg(unix)]
        if let Bytes::Map(map) = &self.0 {
            let within = (part.as_ptr() as usize).checked_sub(map.as_ptr() as usize).filter(|from| from + part.len() <= map.len());
            let Some(from) = within.filter(|_| !part.is_empty()) else { return };
            #[expect(unsafe_code, reason = "the only way to say this; for maps of memory that is no file it would lose bytes")]
            // SAFETY: the map is shared, read-only and of a regular file, so a page that was given back is the same page of the same file when it
            // is touched again: no reference ever sees other bytes than it would have seen without this. (What a change of the file by others
            // means is said above.) The range lies within the map.
            let advised = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, from, part.len()) };
            // It is advice: where the system does not take it, memory is used a little longer.
            advised.ok();
        }
        #[cfg(not(unix))]
        let _ = part;
    }
}

#[cfg(unix)]
fn is_pipe(kind: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind.file_type())
}

#[cfg(not(unix))]
const fn is_pipe(_: &std::fs::Metadata) -> bool {
    false
}

/// Opens a pipe without waiting for a writer: that could be for ever.
#[cfg(unix)]
fn open_pipe(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open_pipe(path: &Path) -> io::Result<File> {
    File::open(path)
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

fn read(mut input: impl Read, cap_bytes: u64, ticket: &Ticket) -> io::Result<Mapped> {
    /// Bytes between two looks at the ticket.
    const PIECE: u64 = 1 << 20;
    /// How long to wait where a writer has nothing yet.
    const PAUSE: Duration = Duration::from_millis(5);
    let mut bytes = Vec::new();
    loop {
        ticket.check().map_err(io::Error::other)?;
        // By a quarter, and not doubled: an endless device would take three times the limit.
        if bytes.capacity() - bytes.len() < 2 * PIECE as usize {
            bytes.reserve_exact((bytes.len() / 4).max(4 * PIECE as usize));
        }
        // What was read before an error is kept.
        match input.by_ref().take(PIECE).read_to_end(&mut bytes) {
            Ok(0) => return Ok(Mapped(Bytes::Read(bytes))),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
        if bytes.len() as u64 > cap_bytes {
            let text = format!("there are more than {cap_bytes} bytes to read; raise the limit with --max-bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_mapped_and_empty_ones_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        std::fs::write(&path, b"main;a 1\n").unwrap();
        let mapped = Mapped::open(&path, 0, &Ticket::new()).unwrap();
        assert!(matches!(mapped.0, Bytes::Map(_)));
        assert_eq!(&*mapped, b"main;a 1\n");
        std::fs::write(folder.path().join("empty"), b"").unwrap();
        assert_eq!(&*Mapped::open(&folder.path().join("empty"), 10, &Ticket::new()).unwrap(), b"");
    }

    #[test]
    fn released_bytes_are_the_same_when_somebody_looks_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mapped = Mapped::open(&path, 0, &Ticket::new()).unwrap();
        for (from, to) in [(0, bytes.len()), (5000, 9000), (4096, 8192), (7, 7), (399_990, 400_000)] {
            mapped.release(&mapped[from..to]);
            assert!(*mapped == bytes[..], "{from} to {to}");
        }
        // Bytes of somebody else, and those of an input that was read.
        mapped.release(&bytes);
        read(&b"12345"[..], 5, &Ticket::new()).unwrap().release(b"123");
        assert!(*mapped == bytes[..]);
    }

    #[test]
    fn folders_and_missing_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Mapped::open(folder.path(), 10, &Ticket::new()).unwrap_err().to_string(), "this is a folder; wanted a file");
        assert_eq!(Mapped::open(&folder.path().join("none"), 10, &Ticket::new()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_must_be_read_stops_at_the_limit() {
        assert_eq!(&*read(&b"12345"[..], 5, &Ticket::new()).unwrap(), b"12345");
        assert!(read(&b"123456"[..], 5, &Ticket::new()).unwrap_err().to_string().contains("more than 5 bytes"));
        assert!(read(io::repeat(0), 1 << 16, &Ticket::new()).is_err());
    }
    #[test]
    fn cancelled_reading_of_what_never_ends_stops() {
        let ticket = Ticket::new();
        ticket.cancel();
        assert!(read(io::repeat(0), u64::MAX, &ticket).is_err());
    }

    /// A writer that is slow is waited for; one that is not there is not.
    #[cfg(unix)]
    #[test]
    fn pipes_are_read_to_their_end_and_without_a_writer_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success());
        assert!(made, "mkfifo is part of every Unix");
        assert_eq!(Mapped::open(&path, 10, &Ticket::new()).unwrap_err().to_string(), "this is a pipe to which no program writes");
        // Held open for reading, so that the writer can start.
        let _reader = open_pipe(&path).unwrap();
        let mut writer = File::options().write(true).open(&path).unwrap();
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| Mapped::open(&path, 10, &Ticket::new()));
            std::thread::sleep(Duration::from_millis(20));
            io::Write::write_all(&mut writer, b"main;a 1\n").unwrap();
            drop(writer);
            assert_eq!(&*reading.join().unwrap().unwrap(), b"main;a 1\n");
        });
    }
}
