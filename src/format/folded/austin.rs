//! Numbers of Austin, a sampler of Python: comments at the top say how it sampled.
//!
//! Rules follow "Normal mode" and "Memory and full metrics" of Austin's README (version 3): one number of microseconds or bytes, or time, a mark
//! of idle samples and bytes, joined by commas.

use super::is_comment;
use super::number::{self, Number};
use crate::format::text::Lines;

/// How Austin sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Wall,
    Cpu,
    Memory,
    /// Time, whether idle, and bytes on each line.
    Full,
}

impl Mode {
    /// Name and unit of each number.
    pub(super) const fn types(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Wall => &[("wall", "microseconds")],
            Self::Cpu => &[("cpu", "microseconds")],
            Self::Memory => &[("memory", "bytes")],
            Self::Full => &[("wall", "microseconds"), ("cpu", "microseconds"), ("memory", "bytes")],
        }
    }
}

/// The mode that comments at the top say; `None` where they are not Austin's or name none that is known.
pub(super) fn mode(text: &[u8]) -> Option<Mode> {
    let mut is_austin = false;
    for (_, line) in Lines::new(text).take_while(|(_, line)| is_comment(line)).take(64) {
        let Some((key, value)) = line.strip_prefix(b"# ").and_then(|line| line.split_at_checked(memchr::memchr(b':', line)?)) else {
            continue;
        };
        match (key, value.get(1..).unwrap_or_default().trim_ascii()) {
            (b"austin", _) => is_austin = true,
            (b"mode", b"wall") if is_austin => return Some(Mode::Wall),
            (b"mode", b"cpu") if is_austin => return Some(Mode::Cpu),
            (b"mode", b"memory") if is_austin => return Some(Mode::Memory),
            (b"mode", b"full") if is_austin => return Some(Mode::Full),
            _ => {}
        }
    }
    None
}

/// A line's stack and the numbers of [`Mode::Full`]: time, time on the processor, bytes.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], [Number; 3])> {
    let line = line.trim_ascii_end();
    let (stack, metrics) = line.split_at_checked(memchr::memrchr(b' ', line)?)?;
    let mut metrics = metrics.get(1..)?.split(|&byte| byte == b',');
    let mut next = || number::parse(metrics.next()?);
    let (time, idle, memory) = (next()?, next()?, next()?);
    let stack = stack.trim_ascii_end();
    let busy = if idle == Number::whole(0) { time } else { Number::whole(0) };
    (metrics.next().is_none() && !stack.is_empty()).then_some((stack, [time, busy, memory]))
}
