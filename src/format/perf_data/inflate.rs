//! Compressed records (`perf record -z`): one zstd stream cut into records, in which records lie across the cuts.
//!
//! Deliberately absent: the records inside (`container`). Start reading at [`Inflate::run`].

use zstd::stream::raw::{Decoder, Operation as _};

/// The reason where the records inflate to more than the limit.
pub(super) const TOO_LARGE: &str = "too large";

/// One zstd stream that goes on over all compressed records.
#[derive(Default)]
pub(super) struct Inflate {
    decoder: Option<Decoder<'static>>,
    /// How far the inflated bytes are listed.
    pub(super) parsed: u64,
}

impl Inflate {
    /// A stream whose content begins at `parsed` in the inflated bytes.
    pub(super) fn from(parsed: usize) -> Self {
        Self { parsed: parsed as u64, ..Self::default() }
    }

    /// Inflates the next part of the stream to the end of `out`, which may grow to `cap` bytes.
    pub(super) fn run(&mut self, mut packed: &[u8], out: &mut Vec<u8>, cap: u64) -> Result<(), String> {
        if self.decoder.is_none() {
            self.decoder = Some(Decoder::new().map_err(|error| error.to_string())?);
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut buffer = [0; 1 << 14];
        loop {
            let status = decoder.run_on_buffers(packed, &mut buffer).map_err(|error| error.to_string())?;
            packed = packed.get(status.bytes_read..).unwrap_or(&[]);
            out.extend_from_slice(buffer.get(..status.bytes_written).unwrap_or(&[]));
            if out.len() as u64 > cap {
                return Err(TOO_LARGE.to_owned());
            }
            if status.remaining == 0 && !packed.is_empty() {
                // A frame ended and another begins.
                decoder.reinit().map_err(|error| error.to_string())?;
            }
            if packed.is_empty() && status.bytes_written < buffer.len() {
                return Ok(());
            }
            if status.bytes_read == 0 && status.bytes_written == 0 {
                return Err("the stream does not go on".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_over_chunks() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let packed = zstd::encode_all(&text[..], 3).unwrap();
        let mut inflate = Inflate::default();
        let mut out = Vec::new();
        for chunk in packed.chunks(777) {
            inflate.run(chunk, &mut out, u64::MAX).unwrap();
        }
        assert!(out == text, "{} of {} bytes", out.len(), text.len());
        let mut inflate = Inflate::default();
        assert_eq!(inflate.run(&packed, &mut Vec::new(), 1000), Err(TOO_LARGE.to_owned()));
    }
}
