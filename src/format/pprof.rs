//! The pprof protobuf format (`profile.proto`), read and written.
//!
//! Every sample type, label, inlined line and address is kept, and names stay as they are in the file. Deliberately absent: leaving
//! out the frames of `drop_frames`, which is a matter of showing (`analysis::prune`), and the older text and binary forms, which are
//! formats of their own. Start reading at `decode::read` and [`write()`].
//!
//! Rules follow `proto/profile.proto` of google/pprof and what its `profile` package accepts. Beyond it we read: files that were
//! cut (with a note), functions that all lack their id, lines without a function, and labels with an empty value.
//!
//! Two things of the format have no place in the model and do not come back when a profile is written: the mark of a location that
//! identical code folding merged (a note counts them), and the flags of mappings, which are derived from what is there.

mod ahead;
mod decode;
mod encode;
mod fraction;
mod ids;
mod join;
mod layout;
mod pass;
mod places;
pub(super) mod quality;
mod samples;
mod sniff;
mod stream;
mod tables;
pub(super) mod wire;

pub use encode::{write, write_gz};
pub use pass::{Pass, pass};

use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::model::{Profile, kind};

/// The registry's entry.
pub(super) struct Pprof;

/// The registry's name, and the first word of every error.
const NAME: &str = "pprof";

impl Format for Pprof {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "pprof protobuf (Go, gperftools, Node.js, .NET, Parca, Pyroscope and others)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["pb", "pprof", "prof", "pgo"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        sniff::sniff(head)
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        decode::read(input, cx).map(with_own_notes)
    }

    fn read_gzip(&self, packed: &[u8], cx: &ReadCx<'_>) -> Result<Option<Profile>, ReadError> {
        Ok(stream::read(packed, cx)?.map(with_own_notes))
    }
}

/// Says of a comparison that pprof saved that it is one, and what Go's profiler says about itself.
fn with_own_notes(mut profile: Profile) -> Profile {
    if let Some(base) = profile.base_label_sets() {
        let marked = profile.samples.labels().iter().flatten().filter(|set| base.get(set.row()) == Some(&true)).count();
        let text = "samples of the side before in a saved comparison (pprof::base=true), with negative values";
        profile.notes.add(kind::SAVED_COMPARISON, text, marked as u64, None);
    }
    quality::note(&mut profile);
    profile
}

/// Numbers of the fields of a `Profile` message.
mod field {
    pub(super) const SAMPLE_TYPE: u64 = 1;
    pub(super) const SAMPLE: u64 = 2;
    pub(super) const MAPPING: u64 = 3;
    pub(super) const LOCATION: u64 = 4;
    pub(super) const FUNCTION: u64 = 5;
    pub(super) const STRING_TABLE: u64 = 6;
    pub(super) const DROP_FRAMES: u64 = 7;
    pub(super) const KEEP_FRAMES: u64 = 8;
    pub(super) const TIME_NANOS: u64 = 9;
    pub(super) const DURATION_NANOS: u64 = 10;
    pub(super) const PERIOD_TYPE: u64 = 11;
    pub(super) const PERIOD: u64 = 12;
    pub(super) const COMMENT: u64 = 13;
    pub(super) const DEFAULT_SAMPLE_TYPE: u64 = 14;
    pub(super) const DOC_URL: u64 = 15;

    /// Of a location, and our own: 1 where its address was recorded as the return address one byte behind. Bare addresses are shown as they were
    /// recorded, so a capture and its export would else differ in the names of all callers. Readers of protobuf pass over fields that they do not know;
    /// up to this number those are told to be protobuf.
    pub(super) const IS_RETURN_ADDRESS: u64 = 64;

    /// Of a mapping, and our own as well: 1 where addresses count from where the module was loaded.
    pub(super) const IS_FROM_BASE: u64 = 64;
}
