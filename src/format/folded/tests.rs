use proptest::prelude::*;

use super::*;

fn read(text: &[u8]) -> Profile {
    read_chunked(text, &ReadCx::new(&Ticket::new()), usize::MAX).unwrap()
}

/// Reads `text`, and checks what it says when it is written again.
fn check(text: &str, expected: &str) -> Profile {
    let profile = read(text.as_bytes());
    assert_eq!(write_folded(&profile, profile.default_sample_type), expected, "{text}");
    assert_eq!(crate::model::check(&profile), []);
    profile
}

fn notes(profile: &Profile) -> Vec<(&str, u64, Option<u64>)> {
    profile.notes.iter().map(|note| (note.kind, note.count, note.first_offset)).collect()
}

#[test]
fn equal_stacks_add_up_and_lines_are_sorted() {
    let profile = check("b;c 2\na;b 1\nb;c 3\nb 4", "a;b 1\nb 4\nb;c 5\n");
    assert_eq!((profile.samples.len(), profile.total(0)), (4, 10));
}

#[test]
fn names_keep_spaces_digits_and_brackets() {
    check("T 1;<a as b>::c;memcpy@GLIBC_2.2.5 3\nmain (x.py:12)\t4\n", "T 1;<a as b>::c;memcpy@GLIBC_2.2.5 3\nmain (x.py:12) 4\n");
}

#[test]
fn fractions_are_kept_to_the_last_digit() {
    let profile = check("a 31.23\nb 6.1\nc 19.0\nd 274.321\n", "a 31.23\nb 6.1\nc 19\nd 274.321\n");
    assert_eq!((profile.total(0), profile.sample_types[0].decimals), (330_651, 3));
    assert!((profile.sample_types[0].in_unit(330_651.0) - 330.651).abs() < 1e-12);
}

#[test]
fn two_counts_on_every_line_are_two_sample_types() {
    let profile = check("a;b 1 20\na;c 3 0\n# end\n", "a;b 20\n");
    assert_eq!(write_folded(&profile, 0), "a;b 1\na;c 3\n");
    let names: Vec<_> = profile.sample_types.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, profile.default_sample_type), (vec!["before", "after"], 1));
    // One line without a second number, and the number belongs to the name.
    let mixed = check("a;b 1 20\na;c 3\na;d 2.5 4\n", "a;b 1 20\na;c 3\na;d 2.5 4\n");
    assert_eq!(notes(&mixed), [(kind::GUESSED, 1, Some(0))], "2.5 is a version");
}

#[test]
fn suffixes_become_flags() {
    let profile = check("a_[j];b_[i];sys_read_[k];_[k] 3\n", "a;b;sys_read;_[k] 3\n");
    let frames: Vec<_> =
        profile.frames.iter().map(|frame| (frame.inlined, frame.mapping.map_or("", |mapping| profile.mapping_file(mapping)))).collect();
    assert_eq!(frames, [(false, "[jit]"), (true, ""), (false, "[kernel]"), (false, "")]);
}

#[test]
fn lines_that_are_no_stacks_are_counted_with_the_first_place() {
    let profile = check("# made by hand\na;b 1\nno count\n\n7\na 2\n", "a 2\na;b 1\n");
    assert_eq!(notes(&profile), [(kind::NOT_UNDERSTOOD, 2, Some(21))]);
    assert_eq!(profile.info.tally, Tally::new(2, 2));
    assert_eq!(profile.info.comments, ["# made by hand"]);
}

/// py-spy's threads before their first frame.
#[test]
fn a_blank_and_a_count_are_left_out_with_their_weight() {
    let text = " 219\nmain;run 5\n\t1.5\nmain;stop 2\n 7 \n";
    for chunk_bytes in [8, usize::MAX] {
        let profile = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), chunk_bytes).unwrap();
        assert_eq!(write_folded(&profile, 0), "main;run 5\nmain;stop 2\n");
        let note = profile.notes.iter().next().unwrap();
        assert_eq!((note.kind, note.count, note.first_offset), (kind::NOT_UNDERSTOOD, 3, Some(0)));
        assert!(note.text.contains("samples of 227.5 without a stack were left out"), "{}", note.text);
        assert_eq!((profile.notes.iter().count(), &profile.info.tally), (1, &Tally::new(2, 3)));
    }
}

#[test]
fn negative_and_huge_counts_and_empty_frames() {
    check("a -5\nb 10\n", "a -5\nb 10\n");
    let profile = check("a 99999999999999999999999\n", "a 9223372036854775807\n");
    assert_eq!(notes(&profile), [(kind::OVERFLOW, 1, Some(0))]);
    let profile = check(";a; 3\n", "(unknown);a;(unknown) 3\n");
    assert_eq!(notes(&profile), [(kind::REPAIRED, 1, Some(0))]);
}

/// What stands in common with the line before is not read again, yet each line is counted.
#[test]
fn every_stack_with_an_empty_name_is_counted() {
    let profile = check("a;;b 1\na;;b;c 1\na;;b;c 1\na;b 1\n", "a;(unknown);b 1\na;(unknown);b;c 2\na;b 1\n");
    assert_eq!(notes(&profile), [(kind::REPAIRED, 3, Some(0))]);
}

#[test]
fn only_text_with_counts_is_folded() {
    for (text, expected) in [
        ("a;b 1\na;c 2\n", Sniff::Yes),
        ("# comment\na;b 1\nbroken\na;c 2\n", Sniff::Yes),
        ("main 3\n", Sniff::Maybe),
        ("done 8549 of 8549\n", Sniff::No),
        ("cpu-clock: type: 1, size: 128, { sample_period, sample_freq }: 499, exclude_guest: 1\n", Sniff::No),
        ("a;b;c\na;b\n", Sniff::No),
        ("  \n\t\n", Sniff::No),
        ("", Sniff::No),
        ("{\"a\": 1\n;b 2\n", Sniff::No),
        ("<html>; 1\n", Sniff::No),
        ("404 page not found\n", Sniff::No),
        ("# runtime.MemStats\n# Alloc = 12\n", Sniff::No),
        ("\u{1}\u{2};\u{3} 1\n", Sniff::No),
    ] {
        assert_eq!(Folded.sniff(text.as_bytes()), expected, "{text:?}");
    }
    let long = "f;".repeat(super::super::HEAD_BYTES);
    assert_eq!(Folded.sniff(&long.as_bytes()[..super::super::HEAD_BYTES]), Sniff::Maybe);
}

#[test]
fn text_without_any_count_is_an_error_and_a_cancelled_read_stops() {
    assert!(read_chunked(b"a;b\n", &ReadCx::new(&Ticket::new()), 8).is_err_and(|error| !error.is_cancelled()));
    let ticket = Ticket::new();
    ticket.cancel();
    assert!(read_chunked(b"a;b 1\n", &ReadCx::new(&ticket), 8).is_err_and(|error| error.is_cancelled()));
}

fn line() -> impl Strategy<Value = (Vec<String>, u32)> {
    let name = prop_oneof!["[a-d]", "[a-z<>() .:]{0,6}[a-z>)]", "[äé主🔥]{1,3}"];
    (prop::collection::vec(name.prop_map(|name| name.trim().to_owned()), 1..6), 1..1_000_000_u32)
}

proptest! {
    #[test]
    fn writing_what_was_read_gives_canonical_text_again(lines in prop::collection::vec(line(), 1..30)) {
        let mut sums = std::collections::BTreeMap::<String, u64>::new();
        for (frames, count) in &lines {
            *sums.entry(frames.join(";")).or_default() += u64::from(*count);
        }
        let canonical = sums.iter().map(|(stack, sum)| format!("{stack} {sum}\n")).collect::<Vec<_>>().concat();
        prop_assert_eq!(write_folded(&read(canonical.as_bytes()), 0), canonical);
    }

    #[test]
    fn chunks_and_whole_texts_give_the_same_profile(lines in prop::collection::vec(line(), 1..30), size in 1..200_usize) {
        let text = lines.iter().map(|(frames, count)| format!("{} {count}\n", frames.join(";"))).collect::<Vec<_>>().concat();
        let whole = read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), usize::MAX).unwrap();
        prop_assert_eq!(read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), size).unwrap(), whole);
    }

    #[test]
    fn parts_share_names_with_and_without_suffixes(lines in prop::collection::vec("([ab](_\\[[kij]\\])?;){0,3}[ab](_\\[[kij]\\])? (1|0[.]5)", 1..60), size in 1..200_usize) {
        let text = lines.join("\n");
        let whole = read(text.as_bytes());
        prop_assert_eq!(read_chunked(text.as_bytes(), &ReadCx::new(&Ticket::new()), size).unwrap(), whole.clone());
        prop_assert_eq!(crate::model::check(&whole), []);
        prop_assert_eq!(whole.frames.iter().collect::<std::collections::HashSet<_>>().len(), whole.frames.len());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"a;; 1.0-\n\r\t#_[k]\xff\xfe\0".to_vec())], 0..200)) {
        Folded.sniff(&bytes);
        if let Ok(profile) = read_chunked(&bytes, &ReadCx::new(&Ticket::new()), 16) {
            prop_assert_eq!(crate::model::check(&profile), []);
            write_folded(&profile, 0);
        }
    }
}

#[test]
fn text_is_given_back_in_its_order() {
    let text = (0..50).map(|n| format!("main;f{n} 1\n")).collect::<Vec<_>>().concat();
    let heard = text::given_back(|cx| assert_eq!(read_chunked(text.as_bytes(), cx, 8).unwrap().samples.len(), 50));
    assert_eq!(heard, text.as_bytes());
}
