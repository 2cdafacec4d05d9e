//! gperftools' threadz: the stack of every thread at one moment.
//!
//! Each thread is one sample with its name and id. (pprof joins threads that are marked as having the stack of the one before into
//! one sample, and forgets the names.) Addresses come with names in some versions. Start reading at [`read`].

use super::draft::Draft;
use super::scan::{Line, Scan, Source, addresses, says_nothing};
use super::{GPERFTOOLS, maps};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::text::lossy;
use crate::model::{Profile, Sample, Thread, ThreadId, kind};

/// Whether a text begins with such a profile.
pub(super) fn is_first_line(line: &[u8]) -> bool {
    heading(line).is_some() || line.strip_prefix(b"--- threadz ").is_some_and(|rest| Scan(rest).int().is_some())
}

/// Name and id of `--- Thread 7eff063d9940 (name: main/25376) stack: ---`.
fn heading(line: &[u8]) -> Option<(&[u8], i64)> {
    let mut scan = Scan(line);
    scan.eat(b"--- Thread ").then_some(())?;
    scan.hex()?;
    scan.eat(b" (name: ").then_some(())?;
    let rest = scan.0;
    let end = memchr::memmem::rfind(rest, b") stack: ---")?;
    let name = rest.get(..end)?;
    let slash = memchr::memrchr(b'/', name)?;
    let id = Scan(name.get(slash + 1..)?).int()?;
    Some((name.get(..slash)?, id))
}

/// A thread whose lines are being read.
struct Open {
    thread: Option<ThreadId>,
    offset: u64,
    same: bool,
}

/// Reads threads.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut draft = Draft::new(GPERFTOOLS, &[("thread", "count")], ticket);
    draft.builder.info.period = Some(("thread".to_owned(), "count".to_owned(), 1));
    let mut open: Option<Open> = None;
    let mut is_heading_read = false;
    while let Some(line) = source.next()? {
        let text = line.text.trim_ascii();
        if maps::is_heading(text) {
            is_heading_read = true;
            break;
        }
        if let Some((name, id)) = heading(text) {
            close(open.take(), &mut draft);
            let name = lossy(name, &mut draft.invalid);
            let name = draft.builder.string(&name);
            let thread = Some(draft.builder.thread(Thread { pid: None, tid: i32::try_from(id).ok(), name }));
            open = Some(Open { thread, offset: line.offset, same: false });
        } else if text.starts_with(b"---- no stack trace for") {
            break;
        } else if text.starts_with(b"---") {
            close(open.take(), &mut draft);
        } else if let Some(open) = open.as_mut().filter(|_| !says_nothing(text)) {
            frame(Line { text, ..line }, open, &mut draft)?;
        }
    }
    close(open, &mut draft);
    if draft.len() == 0 {
        return Err(ReadError::new(GPERFTOOLS, 0, "reading threads", "no thread with a stack was found"));
    }
    // The unwinder may give the innermost address twice: from the signal and from the stack.
    draft.edit_stacks(drop_double)?;
    draft.finish_with_map(source, is_heading_read)
}

/// Removes the second address where it is the first one's, as a return address.
pub(super) fn drop_double(stack: &mut Vec<u64>) {
    if let [first, second, ..] = stack.as_slice()
        && *first == second.wrapping_add(1)
    {
        stack.remove(1);
    }
}

/// `PC: 0x00bc8f1c: helper(arg*)`, `0x0040be31: main`, or the mark of a repeated stack.
fn frame(line: Line<'_>, open: &mut Open, draft: &mut Draft<'_>) -> Result<(), ReadError> {
    if memchr::memmem::find(line.text, b"same as previous thread").is_some() {
        open.same = true;
        return Ok(());
    }
    let mut found = addresses(line.text);
    let Some(Some(address)) = found.next() else { return Ok(()) };
    let is_innermost = draft.stack_is_empty();
    // The innermost address is where the thread stood, the others are return addresses.
    let address = if is_innermost { address } else { address.wrapping_sub(1) };
    draft.address(address)?;
    let at = memchr::memmem::find(line.text, b"0x").unwrap_or(0);
    let name = line.text.get(at..).and_then(|rest| memchr::memchr(b':', rest).and_then(|colon| rest.get(colon + 1..))).unwrap_or_default();
    if name.starts_with(b" ") && !name.trim_ascii().is_empty() {
        let name = lossy(name.trim_ascii(), &mut draft.invalid);
        let function = draft.builder.function_named(&name);
        draft.names.add(address, function, 0);
        return Ok(());
    }
    // Lists of addresses in one line.
    for address in found {
        let Some(address) = address else {
            draft.builder.notes.add(kind::NOT_UNDERSTOOD, "addresses of more than 64 bits", 1, Some(line.offset));
            return Ok(());
        };
        draft.address(address.wrapping_sub(1))?;
    }
    Ok(())
}

fn close(open: Option<Open>, draft: &mut Draft<'_>) {
    let Some(open) = open else { return };
    let sample = Sample { thread: open.thread, ..Sample::default() };
    if open.same {
        draft.sample_like_last(sample, &[1], open.offset);
    } else {
        draft.sample(sample, &[1], open.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{stacks, values, with};

    #[test]
    fn threads_keep_their_names_and_repeated_stacks() {
        let text = "--- threadz 1 ---\n\n--- Thread 7e (name: main/25) stack: ---\n  PC:  0x00b1: helper(arg*)\n  0x41: main\n      creator:\n  \
                    0x51\n--- Thread 8e (name: w/1/26) stack: ---\n  [same as previous thread]\n--- Thread 9e (name: e/27) stack: ---\n\
                    --- Thread ae (name: d/28) stack: ---\n 0xc1 0xc1 0xd1\n--- Memory map: ---\n 00000040-00000060: prog\n";
        let profile = with(read, text);
        assert_eq!(values(&profile).len(), 4);
        assert_eq!(stacks(&profile), ["prog+0x10;main;helper(arg*)", "prog+0x10;main;helper(arg*)", "", "0xd0;0xc1"]);
        let threads: Vec<_> = profile.threads.iter().map(|thread| (profile.strings.get(thread.name), thread.tid)).collect();
        assert_eq!(threads, [("main", Some(25)), ("w/1", Some(26)), ("e", Some(27)), ("d", Some(28))]);
    }

    #[test]
    fn only_real_headings_count() {
        for line in ["--- threadz ---", "--- Thread x (name: a/1) stack: ---", "--- Thread 1 (name: a) stack: ---", "--- mutex:"] {
            assert!(!is_first_line(line.as_bytes()), "{line}");
        }
        assert!(is_first_line(b"--- threadz 1 ---"));
    }
}
