//! Go's counted stacks: `goroutine?debug=1`, `threadcreate?debug=1` and the text of profiles that a program defines.
//!
//! A first line `NAME profile: total N`, then `count @ addresses` for each stack, perhaps with labels and names as comments below.
//! A stack without addresses (which servers write for threads, and pprof refuses) is a sample without a stack. Deliberately absent:
//! goroutine dumps (`debug=2`). Start reading at [`read`].

use super::draft::Draft;
use super::quoted::Pairs;
use super::scan::{Line, Scan, Source, says_nothing};
use super::{GO_TEXT, maps};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::text::lossy;
use crate::model::{Label, LabelValue, Profile, Sample, kind};

/// Type and total of a first line.
pub(super) fn first_line(line: &[u8]) -> Option<(&[u8], i64)> {
    let mut scan = Scan(line.trim_ascii());
    let name = scan.word();
    let total = scan.eat(b" profile: total ").then(|| scan.int()).flatten();
    total.filter(|_| scan.0.is_empty() && !name.is_empty()).map(|total| (name, total))
}

/// A record whose comments are still to come.
struct Pending {
    count: i64,
    offset: u64,
    labels: Vec<Label>,
}

impl Pending {
    fn done(self, draft: &mut Draft<'_>) {
        let labels = draft.builder.rows.label_set(&self.labels);
        draft.sample(Sample { labels, ..Sample::default() }, &[self.count], self.offset);
    }
}

/// Reads counted stacks.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut first = source.next()?;
    while first.is_some_and(|line| says_nothing(line.text)) {
        first = source.next()?;
    }
    let Some((name, total)) = first.and_then(|line| first_line(line.text)) else { return Err(super::empty(GO_TEXT)) };
    let mut invalid = 0;
    let name = lossy(name, &mut invalid).into_owned();
    let mut draft = Draft::new(GO_TEXT, &[(&name, "count")], ticket);
    draft.invalid = invalid;
    draft.builder.info.period = Some((name, "count".to_owned(), 1));
    let mut pending: Option<Pending> = None;
    let mut sum = 0_i64;
    let mut is_heading_read = false;
    while let Some(line) = source.next()? {
        if says_nothing(line.text) {
            comment(line, pending.as_mut(), &mut draft);
            continue;
        }
        pending.take().into_iter().for_each(|pending| pending.done(&mut draft));
        if line.text.starts_with(b"---") || maps::is_heading(line.text) {
            is_heading_read = maps::is_heading(line.text);
            break;
        }
        draft.names.next_stack();
        let mut scan = Scan(line.text);
        let count = scan.int().filter(|count| *count >= 0 && scan.blanks().eat(b"@"));
        match count {
            Some(count) if draft.return_addresses(scan.0)? => {
                sum = sum.saturating_add(count);
                pending = Some(Pending { count, offset: line.offset, labels: Vec::new() });
            }
            _ => draft.skip("lines that are no stack with its count", line.offset),
        }
    }
    pending.take().into_iter().for_each(|pending| pending.done(&mut draft));
    if draft.only_skipped() {
        return Err(ReadError::new(GO_TEXT, 0, "reading stacks", "no line is a stack with its count"));
    }
    if sum < total {
        let text = format!("the first line counts {total}, the stacks only {sum}: the rest is missing");
        draft.builder.notes.add(kind::TRUNCATED, &text, 1, Some(0));
    }
    draft.finish_with_map(source, is_heading_read)
}

/// `# labels: {"key":"value", "key":"value"}`, or a name.
fn comment(line: Line<'_>, pending: Option<&mut Pending>, draft: &mut Draft<'_>) {
    let Some((pairs, pending)) = line.text.strip_prefix(b"# labels: ").zip(pending) else {
        draft.names.line(line.text, &mut draft.builder, &mut draft.invalid);
        return;
    };
    for pair in Pairs::new(&lossy(pairs, &mut draft.invalid)) {
        let Some((key, value)) = pair else {
            draft.builder.notes.add(kind::NOT_UNDERSTOOD, "labels that break their form", 1, Some(line.offset));
            break;
        };
        let (key, value) = (draft.builder.string(&key), LabelValue::Text(draft.builder.string(&value)));
        pending.labels.push(Label { key, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{labels, stacks, values, with};

    #[test]
    fn first_lines() {
        assert_eq!(first_line(b"goroutine profile: total 23"), Some((&b"goroutine"[..], 23)));
        assert_eq!(first_line(b"example.com/pool.conns profile: total 1\r"), Some((&b"example.com/pool.conns"[..], 1)));
        for line in ["heap profile: 1: 2 [3: 4] @ heap/5", "a b profile: total 1", "x profile: total 1 more", " profile: total 1"] {
            assert_eq!(first_line(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn labels_names_and_empty_stacks() {
        let profile = with(
            read,
            "goroutine profile: total 14\n2 @ 0x11 0x21\n# labels: {\"a\":\"1, \\\"2\\\"\", \"b\":\"\"}\n#\t0x20\tmain.f+0x10\tm.go:7\n\n\
             11 @\n#\t0x0\n\n1 @ 0x21 0x21\n",
        );
        assert_eq!(values(&profile), [[2], [11], [1]]);
        assert_eq!(stacks(&profile), ["main.f;runtime.(hidden)", "", "main.f;main.f"]);
        assert_eq!(labels(&profile, 0), ["a=1, \"2\"", "b="]);
        assert_eq!((labels(&profile, 1).len(), profile.notes.count(kind::NO_STACK)), (0, 1));
        assert_eq!((profile.notes.count(kind::NO_SYMBOLS), profile.notes.len()), (1, 2), "{:?}", profile.notes);
    }

    #[test]
    fn what_is_missing_or_broken_is_said() {
        let profile = with(read, "goroutine profile: total 9\n2 @ 0x11\n# labels: {\"a\n-1 @ 0x11\nx\n");
        assert_eq!(values(&profile), [[2]]);
        assert_eq!((profile.notes.count(kind::NOT_UNDERSTOOD), profile.notes.count(kind::TRUNCATED)), (3, 1));
        assert_eq!(profile.info.tally, crate::model::Tally::new(1, 2));
    }

    #[test]
    fn stacks_at_the_limit_of_go_are_said_to_be_cut() {
        let stack = |frames: usize, root: &str| {
            let addresses: Vec<String> = (0..frames).map(|at| format!(" {:#x}", 0x1000 + 16 * at)).collect();
            let names: Vec<String> = (0..frames - 1).map(|at| format!("#\t{:#x}\tmain.f{at}+0x1\tm.go:1\n", 0x0fff + 16 * at)).collect();
            let (addresses, names) = (addresses.concat(), names.concat());
            format!("3 @{addresses}\n{names}#\t{:#x}\t{root}+0x1\tm.go:1\n\n", 0x0fff + 16 * (frames - 1))
        };
        let of = |text: String| {
            let profile = with(read, &format!("goroutine profile: total 6\n{text}"));
            profile
                .notes
                .iter()
                .filter(|note| note.kind == kind::CUT_STACKS)
                .map(|note| (note.count, note.text.clone()))
                .collect::<Vec<_>>()
        };
        let text = "samples whose stacks end at Go's limit of 128 frames (50.0 % of goroutine): their outermost callers are missing";
        assert_eq!(of(stack(128, "main.f") + &stack(12, "runtime.main")), [(1, text.to_owned())]);
        assert_eq!(of(stack(128, "runtime.main") + &stack(127, "main.f")), []);
    }
}
