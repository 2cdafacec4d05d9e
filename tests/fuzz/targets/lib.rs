//! What the targets share: read bytes as one format, and hold every invariant of the model on what comes out.

use emberlens::base::ticket::Ticket;
use emberlens::format::{FORMATS, Input, ReadCx};
use emberlens::model::check;

/// Largest uncompressed size while fuzzing: 64 MiB, so that an endless allocation is found and not waited for.
const MAX_BYTES: u64 = 64 << 20;

/// Reads `bytes` with the reader of that name, whatever its sniffing says.
pub fn read_as(format: &str, bytes: &[u8]) {
    let ticket = Ticket::new();
    let cx = ReadCx { max_bytes: MAX_BYTES, ..ReadCx::new(&ticket) };
    let reader = FORMATS.iter().find(|known| known.name() == format).expect("a target names a format that exists");
    if let Ok(profile) = reader.read(&Input { bytes, name: "fuzz" }, &cx) {
        assert_eq!(check(&profile), [], "a reader broke an invariant");
    }
}

/// Reads `bytes` as a user would: compression peeled, format found by content.
pub fn read_any(bytes: &[u8]) {
    let ticket = Ticket::new();
    let cx = ReadCx { max_bytes: MAX_BYTES, ..ReadCx::new(&ticket) };
    if let Ok(profile) = emberlens::format::read(&Input { bytes, name: "fuzz" }, &cx) {
        assert_eq!(check(&profile), [], "a reader broke an invariant");
    }
}

/// `bytes` as one member of gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory is writable");
    encoder.finish().expect("memory is writable")
}
