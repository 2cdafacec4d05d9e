//! The header of the file: byte order, file or pipe, where the sections stand.
//!
//! Layout from `tools/perf/util/header.h` (`struct perf_file_header`, `struct perf_pipe_file_header`). Deliberately absent: what stands in
//! the sections (`container`, `features`). Start reading at [`Header::parse`].

use super::FORMAT;
use crate::base::cursor::{Cursor, Endian};
use crate::format::ReadError;

/// Header size of a capture that was written to a pipe.
pub(super) const PIPE_HEADER: u64 = 16;
/// Header size without the feature bits, as perf before 2.6.33 wrote it.
const SMALL_HEADER: u64 = 72;

/// The file header.
pub(super) struct Header {
    pub(super) endian: Endian,
    pub(super) is_pipe: bool,
    pub(super) attr_size: u64,
    /// Offset and size.
    pub(super) attrs: (u64, u64),
    pub(super) data: (u64, u64),
    pub(super) features: [u64; 4],
}

impl Header {
    /// Reads the first bytes of a capture.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        let doing = "the header";
        let short = |short| ReadError::short(FORMAT, doing, short);
        let endian = match bytes.get(..8) {
            Some(b"2ELIFREP") => Endian::Big,
            // Version 1 has one magic for both byte orders; the header's size is small in the right one.
            Some(b"PERFFILE") if Cursor::new(bytes.get(8..).unwrap_or(&[])).u64().is_ok_and(|size| size > 1 << 16) => Endian::Big,
            _ => Endian::Little,
        };
        let mut cursor = Cursor::at(bytes, 0, endian);
        cursor.skip(8).map_err(short)?;
        let size = cursor.u64().map_err(short)?;
        if size == PIPE_HEADER {
            return Ok(Self { endian, is_pipe: true, attr_size: 0, attrs: (0, 0), data: (0, 0), features: [0; 4] });
        }
        if !(SMALL_HEADER..=4096).contains(&size) {
            return Err(ReadError::new(FORMAT, 8, doing, format!("a header of {size} bytes, wanted 104 (file) or 16 (pipe)")));
        }
        let mut words = [0; 11];
        for word in words.iter_mut().take(if size == SMALL_HEADER { 7 } else { 11 }) {
            *word = cursor.u64().map_err(short)?;
        }
        let [attr_size, attrs_at, attrs_size, data_at, data_size, _, _, features @ ..] = words;
        Ok(Self { endian, is_pipe: false, attr_size, attrs: (attrs_at, attrs_size), data: (data_at, data_size), features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 has the same magic in both byte orders, in a file and in a pipe.
    #[test]
    fn the_old_magic_is_read_in_both_byte_orders() {
        for size in [104_u64, 72, 16] {
            for endian in [Endian::Little, Endian::Big] {
                let mut bytes = b"PERFFILE".to_vec();
                for word in [size, 80, 104, 80, 184, 7, 0, 0, 0, 0, 0, 0] {
                    bytes.extend(if endian == Endian::Big { u64::to_be_bytes(word) } else { u64::to_le_bytes(word) });
                }
                let header = Header::parse(&bytes).unwrap();
                assert_eq!((header.endian, header.is_pipe), (endian, size == 16));
                assert_eq!(header.data, if size == 16 { (0, 0) } else { (184, 7) });
            }
        }
    }
}
