//! The rules of `profile.proto`, one test a row of the table in the reference (go-and-pprof.md 3.1), and what Go's profiles are shown by
//! (3.2). Messages are written here by hand, field by field, so nothing of the product decides what is in them.
//!
//! Rows that other tests hold: container, packed lists and unknown fields (`format/pprof`), totals, labels, times and periods of real files
//! (`corpus_pprof`), drop and keep (`go_pprof`), `pprof::base` (`go_pprof`, `cli_diff`), ids that are 0, twice or missing (`bad_pprof`).

use emberlens::analysis::{Granularity, Places};
use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, pprof, read};
use emberlens::model::{Label, LabelValue, Profile, check, kind};

use crate::cli::{json, sample as sample_file};
use crate::naive;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A message in the making.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn int(mut self, field: u64, value: i64) -> Self {
        varint(&mut self.0, field << 3);
        varint(&mut self.0, value as u64);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        varint(&mut self.0, field << 3 | 2);
        varint(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
    }

    fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn strings(self, strings: &[&str]) -> Self {
        strings.iter().fold(self.bytes(6, b""), |message, text| message.bytes(6, text.as_bytes()))
    }
}

fn new() -> Message {
    Message::default()
}

/// Strings of the small profile, from 1 on.
const STRINGS: [&str; 9] = ["cpu", "nanoseconds", "main", "inner", "/bin/app", "key", "text", "bytes", "samples"];

fn value_type(name: i64, unit: i64) -> Message {
    new().int(1, name).int(2, unit)
}

fn sample(locations: &[i64], value: i64) -> Message {
    locations.iter().fold(new(), |message, id| message.int(1, *id)).int(2, value)
}

fn line(function: i64, line: i64) -> Message {
    new().int(1, function).int(2, line)
}

/// A profile of one type `cpu` with the functions `main` (id 70) and `inner` (id 3), each at a location of its own: 9 and 4.
fn small() -> Message {
    new()
        .message(1, &value_type(1, 2))
        .message(5, &new().int(1, 70).int(2, 3))
        .message(5, &new().int(1, 3).int(2, 4))
        .message(4, &new().int(1, 9).int(3, 0x10).message(4, &line(70, 5)))
        .message(4, &new().int(1, 4).int(3, 0x20).message(4, &line(3, 6)))
        .strings(&STRINGS)
}

fn open(message: &Message) -> Result<Profile, ReadError> {
    let profile = read(&Input { bytes: &message.0, name: "unknown" }, &ReadCx::new(&Ticket::new()))?;
    assert_eq!(check(&profile), []);
    Ok(profile)
}

fn read_ok(message: &Message) -> Profile {
    open(message).unwrap_or_else(|error| panic!("{error}"))
}

/// Frames of a sample, outermost first: name, line, whether it is inlined.
fn frames(profile: &Profile, row: usize) -> Vec<(String, u32, bool)> {
    let mut frames: Vec<_> = profile
        .stack_frames(profile.samples.stacks()[row])
        .map(|id| (profile.frame_name(id), profile.frames.at(id).line, profile.frames.at(id).inlined))
        .collect();
    frames.reverse();
    frames
}

fn frame(name: &str, line: u32, inlined: bool) -> (String, u32, bool) {
    (name.to_owned(), line, inlined)
}

#[test]
fn locations_stand_leaf_first_and_ids_may_be_sparse_and_in_any_order() {
    let profile = read_ok(&small().message(2, &sample(&[4, 9], 7)));
    assert_eq!(frames(&profile, 0), [frame("main", 5, false), frame("inner", 6, false)]);
}

#[test]
fn several_lines_are_inlining_with_the_innermost_first() {
    let location = new().int(1, 11).int(3, 0x30).message(4, &line(3, 8)).message(4, &line(70, 9));
    let profile = read_ok(&small().message(4, &location).message(2, &sample(&[11], 7)));
    assert_eq!(frames(&profile, 0), [frame("main", 9, false), frame("inner", 8, true)]);
}

#[test]
fn locations_without_lines_are_module_and_address_and_stay_apart() {
    let mapping = new().int(1, 1).int(2, 0x1000).int(3, 0x9000).int(5, 5);
    let bare = |id: i64, address: i64| new().int(1, id).int(2, 1).int(3, address);
    let message = small().message(3, &mapping).message(4, &bare(21, 0x1234)).message(4, &bare(22, 0x1235));
    let profile = read_ok(&message.message(2, &sample(&[21], 1)).message(2, &sample(&[22], 2)));
    assert_eq!((frames(&profile, 0), frames(&profile, 1)), (vec![frame("app+0x234", 0, false)], vec![frame("app+0x235", 0, false)]));
}

#[test]
fn an_address_may_be_anything() {
    // 0, beyond its mapping, and the one that Go's threadcreate gets from 0 - 1.
    let mapping = new().int(1, 1).int(2, 0x1000).int(3, 0x2000).int(5, 5);
    let at = |id: i64, address: i64| new().int(1, id).int(2, 1).int(3, address).message(4, &line(70, 1));
    let message = small().message(3, &mapping).message(4, &at(31, 0)).message(4, &at(32, 0x9_0000)).message(4, &at(33, -1));
    let profile = read_ok(&[31, 32, 33].iter().fold(message, |message, id| message.message(2, &sample(&[*id], 1))));
    assert_eq!((profile.total(0), naive::top(&profile, 0)["main"]), (3, (3, 3)));
    let address = |row: usize| profile.stack_frames(profile.samples.stacks()[row]).next().and_then(|id| profile.frames.at(id).address);
    assert_eq!(address(2), Some(u64::MAX));
}

#[test]
fn a_location_of_folded_code_is_counted_and_marked() {
    let location = new().int(1, 41).int(3, 0x30).message(4, &line(3, 8)).int(5, 1);
    let profile = read_ok(&small().message(4, &location).message(2, &sample(&[41], 7)));
    let note = profile.notes.iter().find(|note| note.text.contains("identical code folding")).expect("a note");
    assert_eq!((note.count, frames(&profile, 0)), (1, vec![frame("inner", 8, false)]));
    let folded = |profile: &Profile| -> Vec<bool> {
        let leaves = profile.samples.stacks().iter().map(|&stack| profile.stack_frames(stack).next());
        leaves.map(|frame| frame.is_some_and(|frame| profile.frames.at(frame).folded)).collect()
    };
    let marked: Vec<bool> = folded(&profile);
    assert_eq!(marked.iter().filter(|mark| **mark).count(), 1, "{marked:?}");
    // The mark is written again, and shown at the function.
    let again = read_ok(&Message(pprof::write(&profile)));
    assert_eq!(folded(&again), marked);
    let (places, _) = Places::build(&[&profile], Granularity::Function);
    let marked: Vec<&str> = places.iter_ids().filter(|(_, place)| place.folded).map(|(_, place)| place.name.as_str()).collect();
    assert_eq!(marked, ["inner"]);
}

#[test]
fn flags_of_mappings_decide_nothing() {
    let with = |flags: &[u64]| {
        let mapping = flags.iter().fold(new().int(1, 1).int(2, 0x1000).int(3, 0x9000).int(5, 5), |mapping, flag| mapping.int(*flag, 1));
        let location = new().int(1, 51).int(2, 1).int(3, 0x1234).message(4, &line(3, 8));
        read_ok(&small().message(3, &mapping).message(4, &location).message(2, &sample(&[51], 7)))
    };
    assert_eq!(with(&[]), with(&[7, 8, 9, 10]));
    assert_eq!(frames(&with(&[]), 0), [frame("inner", 8, false)]);
}

/// A label of the small profile's key.
fn labelled(fields: &[(u64, i64)]) -> Message {
    let label = fields.iter().fold(new().int(1, 6), |label, (field, value)| label.int(*field, *value));
    sample(&[4], 1).message(3, &label)
}

#[test]
fn labels_keep_empty_texts_zeros_and_every_value() {
    let text = |profile: &Profile, label: &Label| match label.value {
        LabelValue::Text(value) => format!("{:?}", profile.strings.get(value)),
        LabelValue::Number(number, unit) => format!("{number} {}", unit.map_or("", |unit| profile.strings.get(unit))),
    };
    let shown = |message: &Message| {
        let profile = read_ok(&small().message(2, message));
        let set = profile.samples.labels()[0];
        set.map_or_else(Vec::new, |set| profile.label_sets.get(set).iter().map(|label| text(&profile, label)).collect())
    };
    assert_eq!(shown(&labelled(&[(2, 7)])), ["\"text\""]);
    assert_eq!(shown(&labelled(&[(3, -5), (4, 8)])), ["-5 bytes"]);
    // pprof loses these two: they say that the key is there.
    assert_eq!(shown(&labelled(&[])), ["\"\""]);
    assert_eq!(shown(&labelled(&[(3, 0), (4, 8)])), ["0 bytes"]);
    let two = labelled(&[(2, 7)]).message(3, &new().int(1, 6).int(2, 8));
    assert_eq!(shown(&two), ["\"text\"", "\"bytes\""]);
}

#[test]
fn the_default_type_is_by_name_and_else_the_last() {
    let two = |default: Option<i64>| {
        let message = small().message(1, &value_type(9, 2));
        let message = default.map_or(message.clone(), |index| message.int(14, index));
        read_ok(&message.message(2, &sample(&[4], 7).int(2, 8))).default_sample_type
    };
    // `cpu` is string 1; `main`, string 3, is no type.
    assert_eq!((two(None), two(Some(1)), two(Some(9)), two(Some(3))), (1, 0, 1, 1));
}

#[test]
fn values_may_be_negative_zero_and_of_63_bits() {
    let values = [i64::MIN, -5, 0, i64::MAX, 5];
    let profile = read_ok(&values.iter().fold(small(), |message, value| message.message(2, &sample(&[4], *value))));
    assert_eq!(profile.samples.values(0), values);
    assert_eq!(profile.samples.len(), 5, "a sample of zeros counts as one");
}

#[test]
fn times_comments_and_the_page_are_kept_and_0_is_unknown() {
    let message = small().message(2, &sample(&[4], 1));
    let none = read_ok(&message.clone().int(9, 0).int(10, 0)).info;
    assert_eq!((none.start_unix_nanos, none.duration_nanos, none.doc_url), (None, None, None));
    let strings = [&STRINGS[..], &["a comment", "https://example.org/how"]].concat();
    let again = strings.iter().skip(STRINGS.len()).fold(message, |message, text| message.bytes(6, text.as_bytes()));
    let some = read_ok(&again.int(9, 1_700_000_000_000_000_000).int(10, 30).int(13, 10).int(15, 11)).info;
    assert_eq!((some.start_unix_nanos, some.duration_nanos), (Some(1_700_000_000_000_000_000), Some(30)));
    assert_eq!((some.comments, some.doc_url.as_deref()), (vec!["a comment".to_owned()], Some("https://example.org/how")));
}

#[test]
fn columns_and_start_lines_are_kept() {
    let location = new().int(1, 61).message(4, &line(99, 8).int(3, 17));
    let function = new().int(1, 99).int(2, 3).int(5, 4);
    let profile = read_ok(&small().message(5, &function).message(4, &location).message(2, &sample(&[61], 7)));
    let id = profile.stack_frames(profile.samples.stacks()[0]).next().expect("a frame");
    let frame = profile.frames.at(id);
    assert_eq!((frame.line, frame.column), (8, 17));
    assert_eq!(profile.functions.at(frame.function.expect("a function")).start_line, 4);
}

#[test]
fn two_joined_profiles_are_refused_so_that_no_names_are_mixed() {
    let message = small().message(2, &sample(&[4], 1)).int(9, 5);
    let twice = Message([message.0.clone(), message.0].concat());
    assert!(open(&twice).expect_err("two profiles").to_string().contains("split them"));
}

#[test]
fn the_kernels_relocation_symbol_is_no_part_of_its_name() {
    let strings = STRINGS.len() as i64 + 1;
    let mapping = new().int(1, 1).int(2, 0x1000).int(3, 0x9000).int(5, strings);
    let location = new().int(1, 71).int(2, 1).int(3, 0x1234);
    let message = small().bytes(6, b"[kernel.kallsyms]_stext").message(3, &mapping).message(4, &location);
    let profile = read_ok(&message.message(2, &sample(&[71], 1)));
    assert_eq!(frames(&profile, 0), [frame("[kernel.kallsyms]+0x234", 0, false)]);
}

#[test]
fn one_key_with_several_units_is_said() {
    let message = small().message(2, &labelled(&[(3, 5), (4, 8)])).message(2, &labelled(&[(3, 5), (4, 2)]));
    let profile = read_ok(&message);
    assert_eq!(profile.notes.count(kind::REPAIRED) + profile.notes.count(kind::GUESSED), 1, "{:?}", profile.notes);
    let same = read_ok(&small().message(2, &labelled(&[(3, 5), (4, 8)])).message(2, &labelled(&[(3, 6), (4, 8)])));
    assert!(same.notes.is_empty(), "{:?}", same.notes);
}

/// What Go writes for each kind (go-and-pprof.md 3.2): sample types in their order, the one that is shown first, the period.
type Kind = (&'static str, &'static [&'static str], &'static str, Option<(&'static str, &'static str, i64)>);

const HEAP: &[&str] = &["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"];
const WAITS: &[&str] = &["contentions/count", "delay/nanoseconds"];
const SPACE: Option<(&str, &str, i64)> = Some(("space", "bytes", 524_288));

const KINDS: &[Kind] = &[
    ("cpu-before", &["samples/count", "cpu/nanoseconds"], "cpu", Some(("cpu", "nanoseconds", 10_000_000))),
    ("heap-before", HEAP, "inuse_space", SPACE),
    ("allocs-before", HEAP, "alloc_space", SPACE),
    ("heap-delta-before", HEAP, "inuse_space", SPACE),
    ("block-before", WAITS, "delay", Some(("contentions", "count", 1))),
    ("mutex-before", WAITS, "delay", Some(("contentions", "count", 1))),
    ("goroutine-before", &["goroutine/count"], "goroutine", Some(("goroutine", "count", 1))),
    ("threadcreate-before", &["threadcreate/count"], "threadcreate", Some(("threadcreate", "count", 1))),
];

#[test]
fn every_kind_of_go_has_its_types_its_default_and_its_period() {
    for (name, types, default, period) in KINDS {
        let info = json(&["info", "--json", &sample_file(&format!("pprof/go1.27.3/orders-{name}.pb.gz"))]);
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let found: Vec<String> = info["sample_types"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|kind| format!("{}/{}", text(&kind["type"]), text(&kind["unit"])))
            .collect();
        assert_eq!(
            (found, text(&info["default_sample_type"])),
            (types.iter().map(|name| (*name).to_owned()).collect(), (*default).to_owned()),
            "{name}"
        );
        if let Some((kind, unit, value)) = period {
            assert_eq!((text(&info["period"]["type"]), text(&info["period"]["unit"])), ((*kind).to_owned(), (*unit).to_owned()), "{name}");
            assert_eq!(info["period"]["value"], *value, "{name}");
        }
    }
}

/// Of a delta, what is in use may have become less: the net is the total, and the sum of absolute values stands beside it.
#[test]
fn a_delta_shows_net_and_gross() {
    let profile = read_ok(&[7, -9, 4].iter().fold(small(), |message, value| message.message(2, &sample(&[4], *value))));
    assert_eq!((profile.total(0), profile.gross_total(0)), (2, 20));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("delta.pb");
    let message = [7, -9, 4].iter().fold(small(), |message, value| message.message(2, &sample(&[4], *value)));
    std::fs::write(&path, &message.0).expect("a writable folder");
    let info = json(&["info", "--json", &path.display().to_string()]);
    assert_eq!((&info["sample_types"][0]["total"], &info["sample_types"][0]["gross"]), (&2.into(), &20.into()));
}

/// A name that is only the binary's is made readable, as pprof does; one beside it was chosen by the writer, and so was one without any beside it.
#[test]
fn names_of_the_binary_are_made_readable() {
    let mangled = "_ZN2ns1fEi";
    let names = |name: i64, system: i64| {
        let profile = new()
            .message(1, &value_type(1, 2))
            .message(5, &new().int(1, 1).int(2, name).int(3, system))
            .message(4, &new().int(1, 1).int(3, 0x10).message(4, &line(1, 5)))
            .message(2, &sample(&[1], 7))
            .strings(&["cpu", "nanoseconds", mangled, "given", "_start", "_RNvC1a1b"]);
        let ticket = Ticket::new();
        let profile = read(&Input { bytes: &profile.0, name: "x" }, &ReadCx::new(&ticket)).expect("a sound profile");
        assert_eq!(check(&profile), []);
        let function = profile.functions.iter().next().expect("a function");
        let text = |id| profile.strings.get(id).to_owned();
        (text(function.name), function.system_name.map(text))
    };
    let own = |name: &str| (name.to_owned(), None);
    assert_eq!(names(3, 3), ("ns::f".to_owned(), Some(mangled.to_owned())));
    assert_eq!(names(0, 3), names(3, 3));
    assert_eq!(names(6, 6), ("a::b".to_owned(), Some("_RNvC1a1b".to_owned())));
    assert_eq!(names(4, 3), ("given".to_owned(), Some(mangled.to_owned())));
    assert_eq!((names(3, 0), names(5, 5)), (own(mangled), own("_start")));
}
