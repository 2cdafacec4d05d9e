//! Profiles of the Firefox Profiler: the processed form in which its viewer and samply save them, and the raw form of Gecko.
//!
//! Samples of all threads and processes, with CPU time, JavaScript and native allocations as further sample types, and the category of
//! the innermost frame as a label. Deliberately absent: markers and counters, which are no samples (notes count them), and the search
//! for symbols of the processed form: its addresses count from a module's image base, which the file does not hold.
//! Start reading at [`Firefox`], then [`document`].
//!
//! Rules follow `src/types/profile.ts`, `docs-developer/gecko-profile-format.md` and `CHANGELOG-formats.md` of firefox-devtools/profiler.

mod document;
mod frames;
mod samples;
mod table;

use super::json::looks_like;
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::model::Profile;

/// The reader of Firefox profiles.
pub(super) struct Firefox;

const NAME: &str = "firefox";

impl Format for Firefox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "Firefox Profiler JSON (Firefox, samply, raw Gecko profiles)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let has = |mark: &str| looks_like(head, &["\"meta\"", mark]);
        let marks = ["\"preprocessedProfileVersion\"", "\"markerSchema\"", "\"stackwalk\"", "\"profilingStartTime\"", "\"sampleUnits\""];
        if marks.into_iter().any(has) || looks_like(head, &["\"stackTable\"", "\"frameTable\""]) { Sniff::Yes } else { Sniff::No }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        document::read(input.bytes, cx.ticket)
    }
}

#[cfg(test)]
mod tests;
