//! Why a capture could not be read.

use std::borrow::Cow;

use crate::base::cursor::Short;
use crate::base::ticket::Cancelled;

/// An input of a known format that is broken, or of no known format.
///
/// Printed as `format: doing: what (at byte 0x..)`; the caller that knows the path prints it on a line of its own, last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    format: &'static str,
    offset: u64,
    doing: Cow<'static, str>,
    what: String,
    cancelled: bool,
    members: Box<[Member]>,
}

/// A capture in an archive that holds several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path inside the archive; behind the archive's path and a `!` it names the capture.
    pub path: String,
    /// Its size in bytes, as the archive says.
    pub size: u64,
    /// What it seems to be: the name of a format, an archive or a compression.
    pub kind: &'static str,
}

impl ReadError {
    /// `doing` says what was being read ("sample 1042", "the string table"), `what` what was wanted and found. `offset` is in bytes of
    /// the uncompressed input.
    pub fn new(format: &'static str, offset: u64, doing: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self { format, offset, doing: doing.into(), what: what.into(), cancelled: false, members: Box::default() }
    }

    /// Reading was stopped by its user.
    pub fn cancelled() -> Self {
        Self {
            format: "capture",
            offset: 0,
            doing: Cow::Borrowed("reading"),
            what: "cancelled".to_owned(),
            cancelled: true,
            members: Box::default(),
        }
    }

    /// An input that ends too early.
    pub fn short(format: &'static str, doing: impl Into<Cow<'static, str>>, short: Short) -> Self {
        Self::new(format, short.offset, doing, format!("wanted {} bytes, only {} are left", short.wanted, short.left))
    }

    /// True where nothing is wrong with the input.
    pub const fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Byte offset in the uncompressed input.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The captures of an archive of which one must be chosen; empty for every other error.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The same error, about the choice among captures.
    pub(super) fn with_members(mut self, members: Vec<Member>) -> Self {
        self.members = members.into();
        self
    }

    /// The same error at another offset: that of the bytes from which the ones that were read had been made.
    pub(super) const fn at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The same error for a member of an archive.
    pub(super) fn inside(mut self, path: &str) -> Self {
        if !self.cancelled {
            self.what = format!("{} (in member {path})", self.what);
        }
        for member in &mut self.members {
            member.path = format!("{path}{}{}", super::archive::SEPARATOR, member.path);
        }
        self
    }

    /// The same error with what led to it.
    pub fn with_cause(mut self, cause: impl std::fmt::Display) -> Self {
        self.what = format!("{}; {cause}", self.what);
        self
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.cancelled {
            return f.write_str("cancelled");
        }
        // Names of members and the like come from the input: a terminal must not obey them.
        let text = format!("{}: {}: {} (at byte {:#x})", self.format, self.doing, self.what, self.offset);
        f.write_str(&text.replace(char::is_control, "·"))
    }
}

impl std::error::Error for ReadError {}

impl From<Cancelled> for ReadError {
    fn from(_: Cancelled) -> Self {
        Self::cancelled()
    }
}
