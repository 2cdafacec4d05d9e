//! What tools write into formats that others have defined: one file for each dialect, made here, with what it says.

use std::fmt::Write as _;

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, pprof, read};
use emberlens::model::{Mapping, Numbering, Profile, check, kind};

fn try_read(text: &str) -> Result<Profile, ReadError> {
    let ticket = Ticket::new();
    read(&Input { bytes: text.as_bytes(), name: "capture" }, &ReadCx::new(&ticket))
}

/// A capture that is read, with nothing that its invariants forbid.
fn sound(text: &str) -> Profile {
    let profile = try_read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(check(&profile), [], "{text}");
    profile
}

/// Samples as lines: `outermost;…;innermost values`.
fn lines(profile: &Profile) -> Vec<String> {
    (0..profile.samples.len())
        .map(|row| {
            let mut frames: Vec<String> =
                profile.stack_frames(profile.samples.stacks()[row]).map(|frame| profile.frame_name(frame)).collect();
            frames.reverse();
            let mut line = frames.join(";");
            for column in 0..profile.sample_types.len() {
                let _ = write!(line, " {}", profile.samples.values(column)[row]);
            }
            line
        })
        .collect()
}

/// Sample types as `name/unit`.
fn types(profile: &Profile) -> Vec<String> {
    profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)).collect()
}

/// Release 1.10 of opentelemetry-proto: keys and texts of attributes, also of resources, may be rows of the list of strings. The collector writes
/// them so. The list may stand behind what names its rows.
#[test]
fn attributes_of_opentelemetry_may_name_rows_of_the_list_of_strings() {
    let file = |resource: &str, attribute: &str| {
        format!(
            r#"{{"resourceProfiles":[{{"resource":{{"attributes":[{resource}]}},"scopeProfiles":[{{"profiles":[
            {{"sampleType":{{"typeStrindex":1,"unitStrindex":2}},"samples":[{{"stackIndex":1,"values":["7"],"attributeIndices":[1]}}]}}]}}]}}],
            "dictionary":{{"mappingTable":[{{}}],"locationTable":[{{}},{{"lines":[{{"functionIndex":1}}]}}],
            "functionTable":[{{}},{{"nameStrindex":3}}],"stackTable":[{{}},{{"locationIndices":[1]}}],"attributeTable":[{{}},{attribute}],
            "stringTable":["","samples","count","main","service.name","cart","thread.name","worker"]}}}}"#
        )
    };
    let inline = file(r#"{"key":"service.name","value":{"stringValue":"cart"}}"#, r#"{"keyStrindex":6,"value":{"stringValue":"worker"}}"#);
    let rows = file(r#"{"keyStrindex":4,"value":{"stringValueStrindex":5}}"#, r#"{"keyStrindex":6,"value":{"stringValueStrindex":7}}"#);
    let (inline, rows) = (sound(&inline), sound(&rows));
    assert_eq!(rows.info.fact("service.name"), Some("cart"));
    assert_eq!(rows.strings.get(rows.threads.iter().next().expect("a thread").name), "worker");
    assert_eq!(rows, inline);
    // Rows that do not exist, and all other kinds of values.
    let odd = file(
        r#"{"keyStrindex":99,"value":{"stringValue":"x"}},{"key_strindex":4,"value":{"string_value_strindex":99}},
        {"key":"id","value":{"bytesValue":"AAECAwQFBgc="}},
        {"key":"pairs","value":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}},{"keyStrindex":4,"value":{"stringValueStrindex":5}}]}}}"#,
        r#"{"keyStrindex":6,"value":{"stringValueStrindex":7}}"#,
    );
    let odd = sound(&odd);
    assert_eq!((odd.info.fact("service.name"), odd.info.fact("id")), (Some(""), Some("0001020304050607")));
    assert_eq!(odd.info.fact("pairs"), Some("a=1, service.name=cart"));
}

/// async-profiler's option `ann` marks how code ran: interpreted, by the first compiler, by the second, inlined (`typeSuffix` of
/// `src/frameName.cpp`). A function is one however it ran.
#[test]
fn functions_of_async_profiler_are_one_however_their_code_ran() {
    let profile = sound("run_[0];work_[1];leaf_[j] 3\nrun_[j];work_[0];leaf_[i] 4\nrun;work;leaf 5\n");
    assert_eq!(lines(&profile), ["run;work;leaf 3", "run;work;leaf 4", "run;work;leaf 5"]);
    assert_eq!(profile.functions.len(), 3);
    // A frame that is nothing but a mark is a name.
    assert_eq!(lines(&sound("main;_[0] 1\nmain;_[1] 2\n")), ["main;_[0] 1", "main;_[1] 2"]);
}

/// Austin's text: its first comments say what the numbers are (README of P403n1x87/austin, "Memory and full metrics").
#[test]
fn numbers_of_austin_are_what_its_header_says() {
    let head = |mode: &str| format!("# austin: 3.6.0\n# interval: 100\n# mode: {mode}\n");
    let stacks = "P1;T1;/a.py:main:12;/a.py:f:3 300\nP1;T1;/a.py:main:12;/a.py:g:5 200\n\n# duration: 500\n";
    for (mode, expected) in
        [("wall", "wall/microseconds"), ("cpu", "cpu/microseconds"), ("memory", "memory/bytes"), ("other", "samples/count")]
    {
        let profile = sound(&(head(mode) + stacks));
        assert_eq!((types(&profile), profile.total(0)), (vec![expected.to_owned()], 500), "{mode}");
    }
    let full = "P1;T1;/a.py:main:12;/a.py:f:3 300,0,1024\nP1;T1;/a.py:main:12;/a.py:g:5 200,1,-512\n";
    let profile = sound(&(head("full") + &full.repeat(3) + "P1;T1;x 1,0\nP1;T1;y 7\n"));
    assert_eq!(types(&profile), ["wall/microseconds", "cpu/microseconds", "memory/bytes"]);
    assert_eq!(lines(&profile)[..2], ["P1;T1;/a.py:main:12;/a.py:f:3 300 300 1024", "P1;T1;/a.py:main:12;/a.py:g:5 200 0 -512"]);
    assert_eq!([0, 1, 2].map(|column| profile.total(column)), [1500, 900, 1536]);
    assert_eq!((profile.notes.count(kind::NOT_UNDERSTOOD), profile.info.tally.skipped), (2, 2));
}

/// Files of tools that no reader is for are told by what they are.
#[test]
fn counted_stacks_of_bpftrace_and_recordings_of_austin_are_named() {
    let bpftrace = "Attaching 1 probe...\n\n\n@[\n    do_nanosleep+17\n    hrtimer_nanosleep+100\n, sleep]: 3\n@[\n    main+10\n]: 7\n";
    let stored = "@stacks[\n    do_nanosleep+17\n]: 3\n";
    for text in [bpftrace, stored] {
        let error = try_read(text).expect_err("no reader is for it").to_string();
        assert!(error.contains("bpftrace"), "{error}");
    }
    let error = try_read("MOJ\x03\x01mode\0wall\0").expect_err("no reader is for it").to_string();
    assert!(error.contains("Austin"), "{error}");
}

/// What `jeprof --raw` writes, and ClickHouse: names before the profile, callers at their return address less one, the innermost address as it stands,
/// inlined names joined by `--`.
#[test]
fn names_before_a_profile_are_those_of_its_addresses() {
    let names = "--- symbol\nbinary=/usr/bin/server\n0x0000000000401136 main--it::operator--()--inner\n0x0000000000401200 _start\n\
                 0x0000000000401500 malloc\n0x0000000000401501 wrong\n0x0000000000401600 0x401600\nodd\n---\n";
    let jemalloc = "--- heap\nheap_v2/1\n  t*: 3: 3072 [0: 0]\n@ 0x401500 0x401137 0x401201\n  t*: 1: 1024 [0: 0]\n@ 0x401201\n  \
                    t*: 1: 1024 [0: 0]\n@ 0x401500 0x401601 0x401701\n  t*: 1: 1024 [0: 0]\n\nMAPPED_LIBRARIES:\n\
                    00400000-00402000 r-xp 00000000 08:01 123 /usr/bin/server\n";
    let gperftools = "heap profile:      3:     3072 [     3:     3072] @ heapprofile\n     1:     1024 [     1:     1024] @ 0x00401500 0x00401137 0x00401201\n     \
                      1:     1024 [     1:     1024] @ 0x00401201\n     1:     1024 [     1:     1024] @ 0x00401500 0x00401601 0x00401701\n\n\
                      MAPPED_LIBRARIES:\n00400000-00402000 r-xp 00000000 08:01 123 /usr/bin/server\n";
    for (profile, reader) in [(jemalloc, "jemalloc"), (gperftools, "gperftools")] {
        let profile = sound(&(names.to_owned() + profile));
        let stacks = ["_start;main;it::operator--();inner;malloc", "_start", "server+0x1700;server+0x1600;malloc"];
        assert_eq!(lines(&profile), stacks.map(|stack| format!("{stack} 1 1024")), "{reader}");
        assert_eq!((profile.info.format.as_str(), profile.info.fact("program")), (reader, Some("/usr/bin/server")));
        assert_eq!(profile.notes.count(kind::NOT_UNDERSTOOD), 1, "{reader}");
        let inlined: Vec<bool> = profile
            .stack_frames(profile.samples.stacks()[0])
            .map(|frame| profile.frames.get(frame).is_some_and(|frame| frame.inlined))
            .collect();
        assert_eq!(inlined, [false, true, true, false, false], "{reader}");
    }
    let error = try_read(names).expect_err("there is no profile").to_string();
    assert!(error.contains("the profile behind the names"), "{error}");
    let error = try_read(&(names.to_owned() + "--- heap\nnothing\n")).expect_err("there is no profile").to_string();
    assert!(error.contains("no form that is known"), "{error}");
}

/// Programs that count what has no addresses number their names, from 1, and write the numbers into the stacks (PHP's memprof, Twitter's util).
#[test]
fn names_before_a_profile_may_be_numbered() {
    let names = "--- symbol\nbinary=todo.php\n0x0000000000000001 main\n0x0000000000000002 f\n0x0000000000000003 g\n---\n--- profile\n";
    for (period, types) in [(10_000_u64, vec!["samples/count", "cpu/nanoseconds"]), (0, vec!["samples/count"])] {
        let words = [0, 3, 0, period, 0, 500, 3, 2, 2, 1, 40, 3, 3, 2, 1, 0, 1, 0];
        let bytes: Vec<u8> = names.bytes().chain(words.into_iter().flat_map(u64::to_le_bytes)).collect();
        let ticket = Ticket::new();
        let profile = read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&ticket)).expect("a whole file");
        assert_eq!((check(&profile), self::types(&profile)), (vec![], types.iter().map(|&kind| kind.to_owned()).collect()));
        let expected = if period > 0 { ["main;f;f 500 5000000000", "main;f;g 40 400000000"] } else { ["main;f;f 500", "main;f;g 40"] };
        assert_eq!(lines(&profile), expected);
        // Cut in the middle of a stack, as a server that stopped leaves it.
        let cut = read(&Input { bytes: &bytes[..bytes.len() - 40], name: "x" }, &ReadCx::new(&ticket)).expect("the stacks before");
        let offset = cut.notes.iter().find(|note| note.kind == kind::TRUNCATED).and_then(|note| note.first_offset);
        assert_eq!((cut.samples.len(), offset), (1, Some((names.len() + 80) as u64)));
    }
}

/// samply saves addresses without names, which count from where a library was loaded. A pprof file of ours says so too.
#[test]
fn addresses_of_a_viewers_file_count_from_where_a_library_was_loaded() {
    let text = r#"{"meta":{"preprocessedProfileVersion":41,"version":24,"interval":1,"startTime":0,"categories":[]},
        "libs":[{"name":"app","path":"/bin/app","codeId":"ABCD"},{"name":"x","path":"/lib/x","codeId":null}],
        "threads":[{"name":"main","pid":1,"tid":1,"stringArray":["0x1136"],"samples":{"stack":[0,1],"time":[1,2],"length":2},
        "stackTable":{"frame":[0,1],"prefix":[null,0],"length":2},
        "frameTable":{"address":[4406,5],"func":[0,1],"inlineDepth":[0,0],"line":[null,null],"nativeSymbol":[null,null],"length":2},
        "funcTable":{"name":[0,0],"resource":[0,1],"fileName":[null,null],"lineNumber":[null,null],"length":2},
        "resourceTable":{"lib":[0,1],"name":[0,0],"length":2}}]}"#;
    let profile = sound(text);
    let mappings = |profile: &Profile| -> Vec<(String, bool, Numbering)> {
        let file = |mapping: &Mapping| mapping.file.map_or("", |file| profile.strings.get(file)).to_owned();
        profile.mappings.iter().map(|mapping| (file(mapping), mapping.from_base, mapping.numbering())).collect()
    };
    // Without a build id nothing says that a file at that path is the one that ran.
    let expected = [("/bin/app", true, Numbering::FromBase), ("x", true, Numbering::FromBase)];
    assert_eq!(mappings(&profile), expected.map(|(file, from_base, numbering)| (file.to_owned(), from_base, numbering)));
    let written = pprof::write(&profile);
    let again = read(&Input { bytes: &written, name: "x" }, &ReadCx::new(&Ticket::new())).expect("what was written is sound");
    assert_eq!((mappings(&again), lines(&again).len()), (mappings(&profile), 2));
}
