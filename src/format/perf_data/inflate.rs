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
    pub(super) fn from(parsed: u64) -> Self {
        Self { parsed, ..Self::default() }
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

/// Bytes that are kept, and given up, together.
const BLOCK: usize = 4 << 20;

/// What compressed records hold, in blocks: no record inside lies in two of them.
#[derive(Default)]
pub(super) struct Inflated {
    blocks: Vec<Block>,
}

#[derive(Default)]
struct Block {
    /// Place of its first byte among all that was inflated.
    start: u64,
    bytes: Vec<u8>,
}

impl Inflated {
    /// Number of bytes so far, with those that are given up.
    pub(super) fn len(&self) -> u64 {
        self.blocks.last().map_or(0, |block| block.start + block.bytes.len() as u64)
    }

    /// Begins a block of its own for what another file holds.
    pub(super) fn begin(&mut self) {
        self.blocks.push(Block { start: self.len(), bytes: Vec::new() });
    }

    /// The block that grows: where it starts, and its bytes.
    pub(super) fn last(&mut self) -> (u64, &mut Vec<u8>) {
        if self.blocks.is_empty() {
            self.begin();
        }
        match self.blocks.last_mut() {
            Some(block) => (block.start, &mut block.bytes),
            None => unreachable!("one was begun"),
        }
    }

    /// Begins a new block at a place where a record begins, if the last one is large enough.
    pub(super) fn cut(&mut self, at: u64) {
        let (start, bytes) = self.last();
        if bytes.len() < BLOCK || at <= start {
            return;
        }
        let rest = bytes.split_off(bytes.len().min((at - start) as usize));
        bytes.shrink_to_fit();
        self.blocks.push(Block { start: at, bytes: rest });
    }

    /// The block in which a place stands: where it starts, and its bytes.
    pub(super) fn block(&self, at: u64) -> Option<(u64, &[u8])> {
        let after = self.blocks.partition_point(|block| block.start <= at);
        self.blocks.get(after.checked_sub(1)?).map(|block| (block.start, block.bytes.as_slice()))
    }

    /// Gives up all that stands before a place, but for the block that it stands in.
    pub(super) fn give_up_before(&mut self, at: u64) {
        let after = self.blocks.partition_point(|block| block.start <= at);
        for block in self.blocks.iter_mut().take(after.saturating_sub(1)) {
            block.bytes = Vec::new();
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

    #[test]
    fn blocks_hold_what_was_put_in_until_it_is_given_up() {
        let mut inflated = Inflated::default();
        // 3 MiB at a time, of which the last three bytes belong to what comes next.
        for n in 0..5_u8 {
            inflated.last().1.extend(std::iter::repeat_n(n, 3 << 20));
            inflated.cut(inflated.len() - 3);
        }
        assert_eq!(inflated.len(), 15 << 20);
        let byte = |inflated: &Inflated, at: u64| inflated.block(at).and_then(|(start, bytes)| bytes.get((at - start) as usize).copied());
        for at in (0..15_u64 << 20).step_by(99_991) {
            assert_eq!(byte(&inflated, at), Some((at / (3 << 20)) as u8), "{at}");
        }
        inflated.give_up_before(7 << 20);
        assert_eq!((byte(&inflated, 1), byte(&inflated, 7 << 20), inflated.len()), (None, Some(2), 15 << 20));
        inflated.begin();
        inflated.last().1.push(9);
        assert_eq!(byte(&inflated, 15 << 20), Some(9));
    }
}
