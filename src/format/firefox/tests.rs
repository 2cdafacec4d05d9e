use super::document::read;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{LabelValue, Profile, check, kind};

fn profile(text: &str) -> Result<Profile, ReadError> {
    let profile = read(text.as_bytes(), &Ticket::new())?;
    assert_eq!(check(&profile), []);
    Ok(profile)
}

fn stack(profile: &Profile, row: usize) -> Vec<String> {
    profile.stack_frames(profile.samples.stacks()[row]).map(|frame| profile.frame_name(frame)).collect()
}

const SAMPLES: &str =
    r#""samples":{"stack":[1,null,2],"time":[0.5,1.5,2.5],"weight":null,"weightType":"samples","threadCPUDelta":[9,4,null],"length":3}"#;

/// Two frames that have names, one that has none yet.
const TABLES: &str = r#"
    "frameTable":{"func":[0,1,2],"address":[-1,16,4660],"line":[7,null,null],"column":[2,null,null],"category":[0,null,1],
        "inlineDepth":[0,1,0],"nativeSymbol":[null,0,null],"length":3},
    "funcTable":{"name":[0,1,2],"resource":[-1,0,0],"fileName":[3,null,null],"lineNumber":[5,null,null],"isJS":[true,false,false],"length":3},
    "resourceTable":{"lib":[0],"name":[4],"length":1},
    "nativeSymbols":{"libIndex":[0],"address":[16],"name":[1],"length":1}"#;

const STRINGS: &str = r#"["f","native","0x1234","x.js","libx.so","Mark"]"#;

const META: &str = r#""meta":{"interval":0.25,"startTime":1000.5,"product":"ls","preprocessedProfileVersion":41,"version":24,
    "categories":[{"name":"JS","color":"grey"},{"name":"Kernel","color":"red"}],"sampleUnits":{"time":"ms","threadCPUDelta":"µs"}}"#;

const LIBS: &str = r#""libs":[{"name":"libx.so","path":"/lib/libx.so","codeId":"ABCD","debugName":"libx.so"}]"#;

/// The same thread with its tables in the three places where versions keep them.
fn forms() -> [String; 3] {
    let markers = r#""markers":{"name":[5,5],"startTime":[1,2],"length":2}"#;
    let head = format!(r#""name":"main","processName":"ls","pid":"12","tid":13,{markers},{SAMPLES}"#);
    let prefix = r#""stackTable":{"frame":[0,1,2],"prefix":[null,0,1],"length":3}"#;
    let offset = r#""stackTable":{"frame":[0,1,2],"prefixOffset":[0,1,1],"length":3}"#;
    let sources = r#""sources":{"filename":[3],"uuid":[null],"length":1}"#;
    let newer = TABLES.replace("\"fileName\":[3,null,null]", "\"source\":[0,null,null]");
    [
        format!(r#"{{{META},{LIBS},"threads":[{{{head},{TABLES},{prefix},"stringArray":{STRINGS}}}]}}"#),
        format!(r#"{{{META},{LIBS},"threads":[{{{head},{newer},{prefix}}}],"shared":{{{sources},"stringArray":{STRINGS}}}}}"#),
        format!(r#"{{{META},{LIBS},"threads":[{{{head}}}],"shared":{{{newer},{offset},{sources},"stringArray":{STRINGS}}}}}"#),
    ]
}

#[test]
fn every_version_of_the_processed_form_says_the_same() {
    for text in forms() {
        let profile = profile(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let totals: Vec<_> = profile
            .sample_types
            .iter()
            .enumerate()
            .map(|(row, kind)| (kind.name.as_str(), kind.unit.as_str(), profile.total(row)))
            .collect();
        assert_eq!(totals, [("samples", "count", 3), ("cpu", "nanoseconds", 4000)], "the first CPU value counts from before the recording");
        assert_eq!(stack(&profile, 0), ["native", "f"]);
        assert_eq!(stack(&profile, 1), [] as [&str; 0]);
        assert_eq!(stack(&profile, 2), ["libx.so+0x1234", "native", "f"]);
        assert_eq!((0..3).map(|row| profile.samples.time(row)).collect::<Vec<_>>(), [500_000, 1_500_000, 2_500_000].map(Some));
        let frames: Vec<_> = profile.stack_frames(profile.samples.stacks()[2]).map(|frame| profile.frames.at(frame)).collect();
        assert_eq!((frames[1].inlined, frames[1].address, frames[2].line, frames[2].column), (true, Some(16), 7, 2));
        let mapping = profile.mappings.iter().next().unwrap();
        assert_eq!((profile.strings.get(mapping.file.unwrap()), mapping.from_base), ("/lib/libx.so", true));
        let function = profile.functions.at(frames[2].function.unwrap());
        assert_eq!((profile.strings.get(function.file.unwrap()), function.start_line), ("x.js", 5));
        let thread = profile.threads.iter().next().unwrap();
        assert_eq!((profile.strings.get(thread.name), thread.pid, thread.tid), ("main (ls)", Some(12), Some(13)));
        // A frame without a category has that of its caller.
        let category = |row: usize| {
            let set = profile.samples.labels()[row]?;
            let LabelValue::Text(text) = profile.label_sets.get(set)[0].value else { return None };
            Some(profile.strings.get(text))
        };
        assert_eq!([category(0), category(1), category(2)], [Some("JS"), None, Some("Kernel")]);
        assert_eq!((profile.notes.count(kind::SKIPPED), profile.notes.count(kind::NO_STACK)), (2, 1));
        assert_eq!(profile.info.start_unix_nanos, Some(1_000_500_000));
    }
}

#[test]
fn allocations_and_traces_have_columns_of_their_own() {
    let [text, ..] = forms();
    let more = r#""nativeAllocations":{"time":[1,2],"weight":[100,-40],"weightType":"bytes","stack":[0,0],"length":2},
        "jsAllocations":{"time":[1],"weight":[8],"stack":[1],"length":1},"samples""#;
    let with = text.replacen("\"samples\"", more, 1);
    let totals = |profile: &Profile| -> Vec<(String, i64)> {
        profile.sample_types.iter().enumerate().map(|(row, kind)| (kind.name.clone(), profile.total(row))).collect()
    };
    let named = |list: &[(&str, i64)]| list.iter().map(|(name, total)| ((*name).to_owned(), *total)).collect::<Vec<_>>();
    let found = totals(&profile(&with).unwrap());
    assert_eq!(found, named(&[("samples", 3), ("cpu", 4000), ("native_alloc", 100), ("native_free", 40), ("js_alloc", 8)]));
    let traced = text.replace(r#""weight":null,"weightType":"samples""#, r#""weight":[0.5,1,2],"weightType":"tracing-ms""#);
    let traced = profile(&traced).unwrap();
    assert_eq!(traced.sample_types[traced.default_sample_type].name, "time");
    assert_eq!(traced.total(traced.default_sample_type), 3_500_000);
    let halves = text.replace(r#""weight":null"#, r#""weight":[0.5,-0.25,2]"#);
    let halves = profile(&halves).unwrap();
    assert!((halves.sample_types[0].in_unit(halves.total(0) as f64) - 2.25).abs() < 1e-9, "weights of a comparison keep their fraction");
}

#[test]
fn the_raw_form_has_return_addresses_and_processes_with_their_own_clock() {
    let process = |start: &str, pid: u32, inner: &str| {
        format!(
            r#"{{"meta":{{"version":31,"stackwalk":1,"startTime":{start},"interval":1}},
            "libs":[{{"name":"libx.so","path":"/lib/libx.so","start":4096,"end":8192,"offset":0}}],
            "threads":[{{"name":"GeckoMain","pid":{pid},"tid":{pid},
              "samples":{{"schema":{{"stack":0,"time":1,"eventDelay":2}},"data":[[2,1.5,0],[1,2.5],[null,3]]}},
              "markers":{{"schema":{{"name":0,"startTime":1}},"data":[[0,1]]}},
              "stackTable":{{"schema":{{"prefix":0,"frame":1}},"data":[[null,0],[0,1],[1,2]]}},
              "frameTable":{{"schema":{{"location":0,"relevantForJS":1,"line":5}},"data":[[0,false],[1],[2,true,null,null,null,9]]}},
              "stringTable":["(root)","0x1010","run (chrome://x.js:12:3)"]}}],
            "processes":[{inner}]}}"#
        )
    };
    let profile = profile(&process("1000", 1, &process("1010", 2, ""))).unwrap();
    assert_eq!((profile.total(0), profile.threads.len()), (6, 2));
    assert_eq!(stack(&profile, 0), ["run", "libx.so+0x10", "(root)"]);
    assert_eq!(stack(&profile, 1), ["libx.so+0x10", "(root)"]);
    let caller = |row: usize, depth: usize| {
        let frame = profile.stack_frames(profile.samples.stacks()[row]).nth(depth).unwrap();
        profile.frames.at(frame).caller
    };
    assert!(caller(0, 1) && !caller(1, 0), "the same address is a return address in a caller and the place itself in the innermost frame");
    assert_eq!(profile.samples.time(3), Some(11_500_000), "the second process started 10 ms later");
    assert_eq!(profile.notes.count(kind::SKIPPED), 2);
}

#[test]
fn broken_tables_say_where() {
    let [text, ..] = forms();
    for (from, to, what) in [
        ("\"prefix\":[null,0,1]", "\"prefix\":[null,2,1]", "stack 1: names stack 2 as its caller"),
        ("\"frame\":[0,1,2]", "\"frame\":[0,1,9]", "stack 2: names a frame that does not exist"),
        ("\"func\":[0,1,2]", "\"func\":[0,1,9]", "frame 2: names a function that does not exist"),
        ("\"stack\":[1,null,2]", "\"stack\":[1,null,3]", "sample 2: names stack 3, but there are only 3"),
        ("\"threads\":", "\"fibres\":", "there is no such list"),
    ] {
        assert!(text.contains(from));
        let error = profile(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn processes_in_processes_need_no_stack() {
    let depth = 20_000;
    let open = r#"{"meta":{"version":31},"threads":[],"processes":["#.repeat(depth);
    let error = profile(&format!("{open}{}", "]}".repeat(depth))).unwrap_err().to_string();
    assert!(error.contains("nested more than 8 times"), "{error}");
}

/// A weight that nobody knows, and a table that promises more than it has, are said.
#[test]
fn unknown_weights_and_missing_rows_are_noted() {
    let text = &forms()[0];
    let whole = profile(text).unwrap();
    for (from, to, kind, count) in [
        (r#""weight":null,"weightType":"samples""#, r#""weight":[5,6,7],"weightType":"zebras""#, kind::GUESSED, 3),
        (r#"[9,4,null],"length":3"#, r#"[9,4,null],"length":7"#, kind::TRUNCATED, 4),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, *text);
        let found = profile(&changed).unwrap();
        assert_eq!(found.notes.count(kind), whole.notes.count(kind) + count, "{to}");
        assert_eq!(found.samples.len(), whole.samples.len());
    }
}
