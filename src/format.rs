//! Bytes to [`Profile`] and back: one module per format, found by content.
//!
//! Adding a format is one file and one line in [`FORMATS`]; dialogs, help, the README table and the contract tests loop over it.
//! Deliberately absent: the file system (readers get bytes and a name), symbols, trees. Start reading at [`read`].

pub mod archive;
mod callgrind;
mod chrome_trace;
mod cpuprofile;
mod elsewhere;
mod error;
mod firefox;
pub mod folded;
mod go_text;
mod jfr;
mod json;
mod otlp;
pub mod perf_data;
mod perf_script;
pub mod pprof;
mod speedscope;
mod text;

pub use error::{Member, ReadError};

use crate::base::binaries::Binaries;
use crate::base::gzip::{Gzip, Stop};
use crate::base::inflate::{self, Container, PeelError};
use crate::base::ticket::{Checked as _, Ticket};
use crate::model::{Profile, kind, type_name};

/// One way to write a profile down.
pub trait Format: Sync {
    /// Stable short name: `pprof`, `perf-data`.
    fn name(&self) -> &'static str;
    /// One line for dialogs, help and the README.
    fn summary(&self) -> &'static str;
    /// Usual file name endings without the leading dot; break ties only.
    fn extensions(&self) -> &'static [&'static str];
    /// Whether the first bytes (uncompressed, up to [`HEAD_BYTES`]) are of this format.
    fn sniff(&self, head: &[u8]) -> Sniff;
    /// How many of these bytes, whose end is missing, hold whole records. The start of a line reads like a line: `a;b 7` of `a;b 731`.
    fn whole(&self, bytes: &[u8]) -> usize {
        bytes.len()
    }
    /// Reads the whole input. An error means: this format, but broken.
    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError>;
    /// Reads a gzip file while it is inflated, for formats of which captures are large. `None` = the file has to be inflated as a whole:
    /// not this way, or not everything is exactly right, and [`read`](Self::read) then says what.
    fn read_gzip(&self, packed: &[u8], cx: &ReadCx<'_>) -> Result<Option<Profile>, ReadError> {
        let _ = (packed, cx);
        Ok(None)
    }
}

/// A reader's answer to the first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sniff {
    /// Certainly not.
    No,
    /// Could be.
    Maybe,
    /// Certainly.
    Yes,
}

/// What a reader reads: uncompressed bytes and the name they came under.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The uncompressed bytes.
    pub bytes: &'a [u8],
    /// File name, for messages and tie-breaking only.
    pub name: &'a str,
}

/// One more file of a capture that is a folder (`perf record --threads`).
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Name of the file inside the folder.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Hears of parts of an input that are not needed for now.
pub type ReadOnce<'a> = &'a (dyn Fn(&[u8]) + Sync);

/// What reading needs beside the input.
#[derive(Clone, Copy)]
pub struct ReadCx<'a> {
    /// Progress in bytes of the uncompressed input, and cancel.
    pub ticket: &'a Ticket,
    /// Largest uncompressed size in bytes.
    pub max_bytes: u64,
    /// The other files of a capture that is a folder, in the order of their numbers; empty for all others.
    pub parts: &'a [Part<'a>],
    /// Programs and libraries, for captures that hold copies of stacks instead of addresses; without them such stacks are one
    /// address long.
    pub binaries: Option<&'a dyn Binaries>,
    /// Hears of parts of the input that were looked through or read, and are not needed for now, so that a mapped file can leave memory.
    pub read_once: Option<ReadOnce<'a>>,
    /// Which member of an archive to read; `None` where it holds one capture, or is no archive.
    pub member: Option<&'a str>,
}

impl<'a> ReadCx<'a> {
    /// The default limits.
    pub const fn new(ticket: &'a Ticket) -> Self {
        Self { ticket, max_bytes: inflate::DEFAULT_CAP_BYTES, parts: &[], binaries: None, read_once: None, member: None }
    }

    /// Says that this part of the input is not needed for now.
    pub fn done_with(&self, part: &[u8]) {
        if let Some(hear) = self.read_once {
            hear(part);
        }
    }
}

/// How many bytes [`Format::sniff`] sees.
pub const HEAD_BYTES: usize = 64 << 10;

/// All formats, in the order in which ties are broken.
pub static FORMATS: &[&dyn Format] = &[
    &pprof::Pprof,
    &perf_data::PerfData,
    &perf_script::PerfScript,
    &go_text::GoText,
    &go_text::Gperftools,
    &go_text::Jemalloc,
    &speedscope::Speedscope,
    &firefox::Firefox,
    &cpuprofile::CpuProfile,
    &chrome_trace::ChromeTrace,
    &callgrind::Callgrind,
    &jfr::Jfr,
    &otlp::Otlp,
    &folded::Folded,
];

/// Reads a capture of any format: peel compression, open an archive, ask every format, read, note damage.
pub fn read(input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    // Loops over tables have checkpoints in the place of a ticket.
    cx.ticket.run(|| {
        let mut profile = read_at(input, cx, 0)?;
        note_overflow(&mut profile);
        Ok(profile)
    })?
}

/// Sums stop at the end of their range (where pprof lets them wrap around), which must be said whatever the format.
fn note_overflow(profile: &mut Profile) {
    for (row, sample_type) in profile.sample_types.iter().enumerate() {
        let gross: u128 = profile.samples.values(row).iter().checked().map(|&value| u128::from(value.unsigned_abs())).sum();
        // A sample type with decimals counts in parts of its unit, which have the same range.
        if gross > i64::MAX as u128 {
            let text = format!("the absolute values of {} add up to more than 2^63-1", type_name(&sample_type.name));
            profile.notes.add(kind::OVERFLOW, &text, 1, None);
        }
    }
}

/// `depth` counts the archives around the input.
fn read_at(input: &Input<'_>, cx: &ReadCx<'_>, depth: usize) -> Result<Profile, ReadError> {
    if input.bytes.is_empty() {
        return Err(ReadError::new("capture", 0, "reading the first byte", "the file is empty (0 bytes)"));
    }
    if cx.member.is_none()
        && let Some(profile) = read_while_inflating(input, cx)?
    {
        return Ok(profile);
    }
    let peeled = inflate::peel(input.bytes, cx.max_bytes, cx.ticket).map_err(|error| match error {
        PeelError::Cancelled => ReadError::cancelled(),
        PeelError::Damaged { container, offset, reason } => ReadError::new(container.name(), offset, "inflating", reason),
        PeelError::TooLarge { .. } => ReadError::new(inflate::container_of(input.bytes).name(), 0, "inflating", error.to_string()),
    })?;
    let inner = Input { bytes: &peeled.bytes, name: input.name };
    if let Some(kind) = crate::base::archive::Kind::of(&peeled.bytes) {
        let mut profile = archive::read(kind, &peeled.bytes, cx, depth)?;
        note_damage(&mut profile, &peeled);
        return Ok(profile);
    }
    if let Some(member) = cx.member {
        return Err(ReadError::new(
            "capture",
            0,
            "looking for the member",
            format!("the file is no archive, so there is no {member} in it"),
        ));
    }
    match recognise(&inner, cx.ticket) {
        Ok(found) => read_as(found, &inner, &peeled, cx),
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) => {
            // Readers of lines know other encodings themselves; those of JSON do not, nor those that know a file by its first line.
            let Some(text) = text::from_utf16(inner.bytes) else { return Err(with_damage(error, &peeled)) };
            let inner = Input { bytes: &text.bytes, ..inner };
            let found =
                recognise(&inner, cx.ticket).map_err(|again| if again.is_cancelled() { again } else { with_damage(error, &peeled) })?;
            let mut profile = read_as(found, &inner, &peeled, cx)?;
            profile.notes.absorb(&text.notes);
            Ok(profile)
        }
    }
}

/// A reader's complaint about damaged bytes is a consequence: says the cause as well.
fn with_damage(error: ReadError, peeled: &inflate::Peeled<'_>) -> ReadError {
    match &peeled.damage {
        Some((offset, reason)) if !error.is_cancelled() => error.with_cause(format!("{reason} (at compressed byte {offset:#x})")),
        _ => error,
    }
}

/// Reads bytes of a format that is known.
fn read_as((format, guess): Recognised, inner: &Input<'_>, peeled: &inflate::Peeled<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    cx.ticket.stage("decoding", inner.bytes.len() as u64)?;
    let whole = if peeled.damage.is_some() { format.whole(inner.bytes) } else { inner.bytes.len() };
    let result = format.read(&Input { bytes: inner.bytes.get(..whole).unwrap_or(inner.bytes), ..*inner }, cx);
    let mut profile = result.map_err(|error| with_damage(error, peeled))?;
    profile.info.container = peeled.container;
    if let Some(guess) = guess {
        profile.notes.add(kind::GUESSED, &guess, 1, None);
    }
    note_damage(&mut profile, peeled);
    if whole < inner.bytes.len() {
        profile.notes.add(kind::TRUNCATED, "the record that the damage cuts was left out", 1, Some(whole as u64));
    }
    debug_assert_eq!(crate::model::check(&profile), [], "a reader broke an invariant of the model");
    Ok(profile)
}

fn note_damage(profile: &mut Profile, peeled: &inflate::Peeled<'_>) {
    if let Some((offset, reason)) = &peeled.damage {
        profile.notes.add(kind::CONTAINER_DAMAGED, reason, 1, Some(*offset));
    }
    debug_assert!(peeled.container != Container::None || peeled.damage.is_none(), "nothing around the bytes can be damaged");
}

/// Compressed captures from this size on are worth two threads.
const STREAMED_BYTES: usize = 1 << 20;

/// A large gzip file of a format that can be read piece by piece.
fn read_while_inflating(input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Option<Profile>, ReadError> {
    if input.bytes.len() < STREAMED_BYTES || inflate::container_of(input.bytes) != Container::Gzip || inflate::is_one_call(input.bytes) {
        return Ok(None);
    }
    let mut head = vec![0; HEAD_BYTES];
    let made = match Gzip::new(input.bytes).fill(&mut head, 0, cx.ticket) {
        Ok(made) => made,
        Err(Stop::Cancelled) => return Err(ReadError::cancelled()),
        Err(Stop::Irregular) => return Ok(None),
    };
    head.truncate(made);
    let Some((format, None)) = recognise_head(&head, input.name).filter(|_| inflate::container_of(&head) == Container::None) else {
        return Ok(None);
    };
    let profile = format.read_gzip(input.bytes, cx)?;
    Ok(profile.map(|mut profile| {
        profile.info.container = Container::Gzip;
        debug_assert_eq!(crate::model::check(&profile), [], "a reader broke an invariant of the model");
        profile
    }))
}

/// The format of uncompressed bytes: the one that is sure, else the best guess by file name ending and order. Where the first bytes tell
/// nothing, the outermost keys of JSON do, wherever they stand. Beside it, for a note: that it was a guess, and among what.
///
/// Errors: no known format (what was tried, and what the file begins with); cancelled.
pub fn recognise(input: &Input<'_>, ticket: &Ticket) -> Result<Recognised, ReadError> {
    let head = input.bytes.get(..HEAD_BYTES).unwrap_or(input.bytes);
    if let Some(found) = recognise_head(head, input.name) {
        return Ok(found);
    }
    ticket.stage("recognising", input.bytes.len() as u64)?;
    let outline = json::outline(input.bytes, ticket)?;
    outline.and_then(|outline| recognise_head(&outline, input.name)).ok_or_else(|| not_recognised(head))
}

/// A format, and that it was guessed.
pub type Recognised = (&'static dyn Format, Option<String>);

fn recognise_head(head: &[u8], name: &str) -> Option<Recognised> {
    let answers: Vec<(&'static dyn Format, Sniff)> = FORMATS.iter().map(|format| (*format, format.sniff(head))).collect();
    let sure: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Sniff::Yes).collect();
    if let [(format, _)] = sure.as_slice() {
        return Some((*format, None));
    }
    let candidates: Vec<_> = if sure.is_empty() { answers.iter().filter(|(_, answer)| *answer == Sniff::Maybe).collect() } else { sure };
    let ending = |format: &dyn Format| format.extensions().iter().any(|ending| bare_name(name).ends_with(&format!(".{ending}")));
    let by_name = candidates.iter().find(|(format, _)| ending(*format));
    let (format, _) = by_name.or_else(|| candidates.first())?;
    let others: Vec<&str> = candidates.iter().map(|(other, _)| other.name()).filter(|other| *other != format.name()).collect();
    let why = if by_name.is_some() { "the file's name" } else { "the order of formats" };
    let guess = format!("the content could be {} or {}; {why} decided", format.name(), others.join(" or "));
    Some((*format, (!others.is_empty()).then_some(guess)))
}

/// A name without the ending of a compression.
fn bare_name(name: &str) -> &str {
    [".gz", ".zst", ".xz", ".bz2"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Says what was tried and shows the first bytes, with a hint for the usual mix-ups.
fn not_recognised(head: &[u8]) -> ReadError {
    let tried: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
    let shown: String = head.iter().take(48).map(|&byte| if (0x20..0x7f).contains(&byte) { byte as char } else { '·' }).collect();
    let hint = elsewhere::hint(head).map_or_else(String::new, |hint| format!("; {hint}"));
    ReadError::new(
        "capture",
        0,
        "recognising the format",
        format!("no known format (tried {}); it begins with `{shown}`{hint}", tried.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::packed::gz;

    fn read_bytes(bytes: &[u8]) -> Result<Profile, ReadError> {
        read(&Input { bytes, name: "unknown" }, &ReadCx::new(&Ticket::new()))
    }

    /// What PowerShell's `>` makes of a program's output.
    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    }

    #[test]
    fn files_in_other_encodings_are_recognised() {
        let trace = r#"[{"ph":"X","name":"é","ts":0,"dur":5,"pid":1,"tid":2}]"#;
        let v8 = r#"{"nodes":[{"id":1,"callFrame":{"functionName":"é"},"hitCount":3}]}"#;
        let callgrind = "# callgrind format\nevents: Ir\n\nfn=é\n1 5\n";
        let bare = "events: Ir\n\nfn=é\n1 5\n";
        for (text, format) in
            [(trace, "chrome-trace"), (v8, "cpuprofile"), (callgrind, "callgrind"), (bare, "callgrind"), ("a;é 4\n", "folded")]
        {
            let plain = read_bytes(text.as_bytes()).unwrap();
            assert_eq!(plain.info.format, format);
            for bytes in [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes), format!("\u{feff}{text}").into_bytes()] {
                let found = read_bytes(&bytes).unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!((&found.info.format, found.total(0), &found.strings), (&plain.info.format, plain.total(0), &plain.strings));
            }
        }
        let error = read_bytes(&utf16("nothing that is known here", u16::to_le_bytes)).unwrap_err().to_string();
        assert!(error.contains("no known format"), "{error}");
    }

    #[test]
    fn what_cannot_be_recognised_since_it_was_cut_says_so() {
        let text: String = (0..3000_u32).map(|at| char::from(b'a' + (at.wrapping_mul(2_654_435_761) >> 27) as u8 % 26)).collect();
        let whole = gz(text.as_bytes());
        let error = read_bytes(&whole[..whole.len() / 2]).unwrap_err().to_string();
        assert!(error.contains("no known format") && error.contains("gzip data is damaged"), "{error}");
        assert!(!read_bytes(&whole).unwrap_err().to_string().contains("damaged"));
    }
}
