//! Captures that `perf record --threads` writes as a folder: the file `data` with the header, and `data.0`, `data.1` … with the records
//! of one recording thread each, without a header (perf 6.1, `util/data.c`, `perf_data__create_dir`).
//!
//! Whoever has the files, on disk or in an archive, asks here what their names mean.

/// The file with the header.
pub const MAIN: &str = "data";

/// How many first bytes [`is_capture`] looks at.
pub const MAGIC_BYTES: u64 = 8;

/// The number of a file `data.7`; `None` for any other name.
pub fn part_number(name: &str) -> Option<u64> {
    name.strip_prefix("data.").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// True for bytes that begin like a `perf.data` of either byte order.
pub fn is_capture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PERFILE2") || bytes.starts_with(b"2ELIFREP")
}
