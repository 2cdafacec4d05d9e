//! Decodes samples while the rest of the file is still being found: what the first pass went over is decoded before it is cold.
//!
//! With several threads one of them follows the first pass, which goes on to the tables; once these are there, the samples that are left are
//! divided among all. Deliberately absent: what a sample is, see [`samples`](super::samples), and errors of other parts of a file, which come before
//! those of its samples. Start reading at [`beside`].

use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};

use super::decode::{decode, decode_samples};
use super::layout::{Chunk, Layout};
use super::samples::{Decoded, Reader};
use crate::format::{ReadCx, ReadError};
use crate::model::Profile;

/// Chunks of a file from the first one on.
#[derive(Default)]
struct Ahead {
    reader: Option<Reader>,
    error: Option<ReadError>,
}

impl Ahead {
    fn read(&mut self, chunk: &Chunk<'_>, types: usize, cx: &ReadCx<'_>) {
        let reader = self.reader.get_or_insert_with(|| Reader::new(types));
        if self.error.is_none() {
            self.error = reader.read(chunk, cx.ticket).err();
            cx.done_with(chunk.fields.bytes());
        }
    }

    /// What was read; `None` where sample types stand after samples, which makes everything wrong that was decoded.
    fn finish(self, types: usize) -> Option<Result<Decoded, ReadError>> {
        let reader = self.reader.unwrap_or_else(|| Reader::new(types));
        (reader.types() == types).then(|| self.error.map_or_else(|| Ok(reader.finish()), Err))
    }
}

/// The profile in `bytes`, read by one thread.
pub(super) fn inside(bytes: &[u8], chunk_bytes: u64, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    let mut ahead = Ahead::default();
    let layout = Layout::find(bytes, chunk_bytes, cx, |chunk, types| ahead.read(&chunk, types, cx))?;
    decode(&layout, bytes.len() as u64, cx.ticket, |types| {
        ahead.finish(types).unwrap_or_else(|| decode_samples(&layout.chunks, types, 1, cx))
    })
}

/// The profile in `bytes`, read by so many threads (two at least).
pub(super) fn beside(bytes: &[u8], chunk_bytes: u64, threads: usize, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    let front = Front::default();
    std::thread::scope(|scope| {
        // Room for all: the first pass never waits.
        let chunks = bytes.len() / usize::try_from(chunk_bytes).unwrap_or(usize::MAX) + 1;
        let (hand, hands) = mpsc::sync_channel::<(Chunk<'_>, usize)>(chunks);
        let follow = || {
            let mut ahead = Ahead::default();
            for (chunk, types) in hands {
                if !front.take() {
                    break;
                }
                ahead.read(&chunk, types, cx);
            }
            ahead
        };
        // A thread of its own and not one of the pool's, which could be this one and would wait for itself.
        let Ok(ahead) = std::thread::Builder::new().spawn_scoped(scope, follow) else { return inside(bytes, chunk_bytes, cx) };
        let layout = Layout::find(bytes, chunk_bytes, cx, |chunk, types| {
            // The other thread takes all that come, unless it was cancelled.
            let _is_heard = hand.send((chunk, types)).is_ok();
            // Only the heads of its samples were looked at, but that is every page.
            cx.done_with(chunk.fields.bytes());
        });
        drop(hand);
        let result = layout.and_then(|layout| {
            decode(&layout, bytes.len() as u64, cx.ticket, |types| {
                let (first, later) = layout.chunks.split_at(front.end_for(layout.chunks.len(), threads));
                let later = decode_samples(later, types, threads - 1, cx);
                let ahead = ahead.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                let mut samples = ahead.finish(types).unwrap_or_else(|| decode_samples(first, types, threads, cx))?;
                samples.append(later?, cx.ticket)?;
                Ok(samples)
            })
        });
        front.leave();
        result
    })
}

/// How far the thread has come that follows the first pass, and how far it goes.
struct Front(Mutex<(usize, usize)>);

impl Default for Front {
    fn default() -> Self {
        Self(Mutex::new((0, usize::MAX)))
    }
}

impl Front {
    /// Takes the next chunk; false where it is left to others.
    fn take(&self) -> bool {
        let mut front = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = front.0 < front.1;
        front.0 += usize::from(goes_on);
        goes_on
    }

    /// Ends it so that each of the threads has as many of the chunks that are left; gives where the others begin.
    fn end_for(&self, chunks: usize, threads: usize) -> usize {
        let mut front = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        front.1 = front.0 + (chunks - front.0.min(chunks)).div_ceil(threads);
        front.1.min(chunks)
    }

    /// Ends it where it stands.
    fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_divided_and_nobody_takes_what_is_not_his() {
        let front = Front::default();
        assert!((0..4).all(|_| front.take()));
        assert_eq!(front.end_for(10, 2), 7, "three of the six that are left");
        assert!((0..3).all(|_| front.take()) && !front.take());
        let none = Front::default();
        assert_eq!(none.end_for(0, 2), 0);
        assert!(!none.take());
        let all = Front::default();
        assert!((0..5).all(|_| all.take()));
        assert_eq!(all.end_for(5, 2), 5);
        all.leave();
        assert!(!all.take());
    }
}
