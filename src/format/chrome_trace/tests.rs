use super::read;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Profile, check, kind};

fn profile(text: &str) -> Result<Profile, ReadError> {
    let profile = read(text.as_bytes(), &Ticket::new())?;
    assert_eq!(check(&profile), []);
    Ok(profile)
}

/// Stacks, outermost first, with summed values of the first column in microseconds.
fn stacks(profile: &Profile) -> Vec<(String, i64)> {
    let mut sums = std::collections::BTreeMap::new();
    for (stack, value) in profile.samples.stacks().iter().zip(profile.samples.values(0)) {
        let mut names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect();
        names.reverse();
        *sums.entry(names.join(";")).or_insert(0) += value / 1000;
    }
    sums.into_iter().collect()
}

fn named(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

const SLICES: &str = r#"[
  {"pid": 0, "tid": 0, "ph": "B", "name": "alpha", "ts": 0},
  {"pid": 0, "tid": 0, "ph": "B", "name": "beta", "ts": 1},
  {"pid": 0, "tid": 0, "ph": "X", "name": "gamma", "ts": 2, "dur": 5, "args": {"detail": "foobar"}},
  {"pid": 0, "tid": 0, "ph": "X", "name": "epsilon", "ts": 7, "tdur": 4},
  {"pid": 0, "tid": 0, "ph": "E", "name": "beta", "ts": 13},
  {"pid": 0, "tid": 0, "ph": "E", "name": "alpha", "ts": 14}"#;

#[test]
fn slices_weigh_what_nothing_inside_them_covers() {
    let expected = named(&[("alpha", 2), ("alpha;beta", 3), ("alpha;beta;epsilon", 4), ("alpha;beta;gamma (foobar)", 5)]);
    for text in [format!("{SLICES}]"), format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":{SLICES}]}}")] {
        let profile = profile(&text).unwrap();
        assert_eq!((stacks(&profile), profile.total(0)), (expected.clone(), 14_000));
    }
    // A program that crashed leaves the list open.
    let cut = profile(&format!("{SLICES},\n{{\"pid\": 0, \"tid\": 0, \"ph\"")).unwrap();
    assert_eq!((stacks(&cut), cut.notes.count(kind::TRUNCATED)), (expected, 1));
}

#[test]
fn slices_with_one_begin_and_one_end_stand_in_the_order_in_which_they_began() {
    // As py-spy writes stacks: what begins and ends with a sample has the times of that sample.
    let text = r#"[{"ph":"B","name":"main","ts":0},{"ph":"B","name":"run","ts":0},{"ph":"B","name":"work","ts":0},
        {"ph":"E","name":"work","ts":7},{"ph":"E","name":"run","ts":7},{"ph":"B","name":"idle","ts":7},{"ph":"B","name":"wait","ts":7},
        {"ph":"E","name":"wait","ts":9},{"ph":"E","name":"idle","ts":9},{"ph":"E","name":"main","ts":9}]"#;
    let expected = named(&[("main;idle;wait", 2), ("main;run;work", 7)]);
    assert_eq!(stacks(&profile(text).unwrap()), expected);
    // Slices that nothing ends are ended together.
    let open = r#"[{"ph":"B","name":"a","ts":0},{"ph":"B","name":"b","ts":0},{"ph":"X","name":"c","ts":0,"dur":5}]"#;
    assert_eq!(stacks(&profile(open).unwrap()), named(&[("a;b;c", 5)]));
}

#[test]
fn a_trace_is_as_long_as_its_slices_and_times_may_be_text() {
    let long = profile(r#"[{"ph":"X","name":"a","ts":100,"dur":3000},{"ph":"B","name":"b","ts":500},{"ph":"E","ts":4600}]"#).unwrap();
    assert_eq!(long.info.duration_nanos, Some(4_500_000), "from the first begin to the last end");
    let text = profile(r#"[{"ph":"X","name":"a","ts":"0","dur":"100.5"},{"ph":"X","name":"b","ts":"10","dur":" 20 "}]"#).unwrap();
    assert_eq!((stacks(&text), text.info.duration_nanos), (named(&[("a", 80), ("a;b", 20)]), Some(100_500)));
    let none = profile(r#"[{"ph":"X","name":"a","ts":0,"dur":5},{"ph":"X","name":"b","ts":"soon"},{"ph":"B","name":"c"}]"#).unwrap();
    assert_eq!((stacks(&none), none.notes.count(kind::SKIPPED)), (named(&[("a", 5)]), 2));
    assert_eq!((none.info.tally.used, none.info.tally.skipped), (1, 2));
}

#[test]
fn threads_have_the_names_of_their_events_and_slices_that_cross_are_cut() {
    let text = r#"[{"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"Compositor"}},
        {"ph":"M","name":"process_name","pid":1,"tid":2,"args":{"name":"Renderer"}},
        {"ph":"X","name":"a","pid":1,"tid":2,"ts":0,"dur":10.5},{"ph":"X","name":"b","pid":1,"tid":2,"ts":5,"dur":9},
        {"ph":"B","name":"c","pid":1,"tid":3,"ts":1},{"ph":"E","pid":1,"tid":4,"ts":1},{"ph":"C","name":"count","ts":1},
        {"ph":"X","name":"d","pid":1,"tid":3,"ts":2,"dur":1}]"#;
    let profile = profile(text).unwrap();
    assert_eq!(stacks(&profile), named(&[("a", 5), ("a;b", 5), ("c", 1), ("c;d", 1)]));
    assert_eq!(profile.samples.values(0).iter().sum::<i64>(), 12_500, "half a microsecond is kept");
    let thread = profile.threads.iter().next().unwrap();
    assert_eq!((profile.strings.get(thread.name), thread.pid, thread.tid), ("Compositor (Renderer)", Some(1), Some(2)));
    assert_eq!((profile.notes.count(kind::REPAIRED), profile.notes.count(kind::SKIPPED)), (2, 2));
}

#[test]
fn threads_with_ids_beyond_32_bits_are_told_apart() {
    let text = r#"[{"ph":"X","name":"a","pid":7,"tid":140531773131648,"ts":0,"dur":1},{"ph":"X","name":"a","pid":7,"tid":140531759089344,"ts":0,"dur":2}]"#;
    let profile = profile(text).unwrap();
    let threads: Vec<_> = profile.threads.iter().map(|thread| (thread.pid, thread.tid, &profile.strings[thread.name])).collect();
    assert_eq!(threads, [(Some(7), None, "140531773131648"), (Some(7), None, "140531759089344")]);
}

#[test]
fn chunks_of_a_cpu_profile_are_joined_and_come_before_slices() {
    let text = r#"{"traceEvents":[
        {"ph":"X","name":"RunTask","pid":1,"tid":7,"ts":0,"dur":100},
        {"ph":"P","name":"Profile","id":"0x1","pid":1,"tid":7,"ts":10,"args":{"data":{"startTime":100}}},
        {"ph":"P","name":"ProfileChunk","id":"0x1","pid":1,"tid":9,"ts":20,"args":{"data":{"cpuProfile":{"nodes":[
            {"id":1,"callFrame":{"functionName":"(root)"}},{"id":2,"parent":1,"callFrame":{"functionName":"f","url":"x.js","lineNumber":4}}],
            "samples":[2,2]},"timeDeltas":[10,20]}}},
        {"ph":"P","name":"ProfileChunk","id":"0x1","pid":1,"tid":9,"ts":30,"args":{"data":{"cpuProfile":{"nodes":[
            {"id":3,"parent":2,"callFrame":{"functionName":"g"}}],"samples":[3]},"timeDeltas":[5],"endTime":150}}}]}"#;
    let profile = profile(text).unwrap();
    assert_eq!(stacks(&profile), named(&[("f", 25), ("f;g", 15)]));
    assert_eq!(profile.threads.iter().next().unwrap().tid, Some(7));
    assert_eq!(profile.notes.count(kind::SKIPPED), 1);
}

#[test]
fn broken_traces_are_errors() {
    for (text, what) in [
        ("{\"traceEvents\":3}", "wanted a list"),
        ("{\"other\":[]}", "there is no such list"),
        ("[", "the end of the file"),
        ("[1]", "wanted an object"),
    ] {
        let error = profile(text).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn threads_named_by_text_are_threads_of_their_own() {
    let text = r#"[{"ph":"X","pid":1,"tid":"worker A","ts":0,"dur":100,"name":"a"},{"ph":"X","pid":1,"tid":"worker B","ts":10,"dur":30,"name":"b"},
        {"ph":"X","pid":1,"tid":"worker B","ts":90,"dur":60,"name":"c"},{"ph":"X","pid":"Spans","tid":"1","ts":0,"dur":20,"name":"d"}]"#;
    let profile = profile(text).unwrap();
    assert_eq!(stacks(&profile), named(&[("a", 100), ("b", 30), ("c", 60), ("d", 20)]));
    let threads = profile.threads.as_slice().iter().map(|thread| (profile.strings[thread.name].to_owned(), thread.pid, thread.tid));
    let expected = [("worker A", Some(1), None), ("worker B", Some(1), None), ("Spans", None, Some(1))];
    assert_eq!(threads.collect::<Vec<_>>(), expected.map(|(name, pid, tid)| (name.to_owned(), pid, tid)));
}

/// LLVM's `TimeProfiler::write` ends a file with one such event a name, each on a thread of its own.
#[test]
fn totals_that_clang_adds_up_by_name_are_no_slices() {
    let text = r#"{"traceEvents":[
        {"pid":42,"tid":42,"ph":"X","ts":0,"dur":10000,"name":"ExecuteCompiler"},
        {"pid":42,"tid":42,"ph":"X","ts":100,"dur":6000,"name":"Frontend"},
        {"pid":42,"tid":42,"ph":"X","ts":7000,"dur":10,"name":"Total order"},
        {"pid":42,"tid":43,"ph":"X","ts":0,"dur":90000,"name":"Total ExecuteCompiler","args":{"count":1,"avg ms":90}},
        {"pid":42,"tid":44,"ph":"X","ts":0,"dur":6000,"name":"Total Frontend","args":{"count":1,"avg ms":6}}]}"#;
    let profile = profile(text).unwrap();
    let expected = named(&[("ExecuteCompiler", 3990), ("ExecuteCompiler;Frontend", 6000), ("ExecuteCompiler;Total order", 10)]);
    assert_eq!((stacks(&profile), profile.info.duration_nanos), (expected, Some(10_000_000)));
    assert_eq!(profile.notes.count(kind::SKIPPED), 2);
}

#[test]
fn samples_of_the_whole_system_have_the_stacks_of_the_dictionary() {
    let frames = r#""stackFrames":{"3":{"name":"g","parent":2},"1":{"category":"app","name":"main"},"2":{"name":"f","parent":"1"},
        "7":{"name":"round","parent":8},"8":{"name":"and round","parent":7}}"#;
    let samples = r#""samples":[{"cpu":0,"tid":1,"ts":1000.5,"name":"cycles:HG","sf":3,"weight":2},
        {"cpu":3,"tid":2,"ts":2000,"name":"cycles:HG","sf":"2","weight":5},{"tid":1,"ts":3000,"name":"faults","sf":1},
        {"tid":1,"ts":4000,"name":"cycles:HG","sf":9,"weight":4},{"tid":1,"ts":5000,"name":"cycles:HG","sf":7}]"#;
    let events =
        r#""traceEvents":[{"ph":"M","name":"thread_name","pid":5,"tid":2,"args":{"name":"worker"}},{"ph":"X","name":"a","ts":0,"dur":5}]"#;
    for text in [format!("{{{events},{samples},{frames}}}"), format!("{{{frames},{samples},{events}}}")] {
        let profile = profile(&text).unwrap();
        let types: Vec<_> = profile.sample_types.iter().map(|kind| (kind.name.as_str(), kind.unit.as_str())).collect();
        assert_eq!(types, [("cycles:HG", "count"), ("faults", "count")]);
        assert_eq!((profile.total(0), profile.total(1), profile.info.tally.used), (12, 1, 5));
        let names = |row: usize| -> Vec<String> {
            profile.stack_frames(profile.samples.stacks()[row]).map(|frame| profile.frame_name(frame)).collect()
        };
        assert_eq!([names(0), names(1), names(2)], [vec!["g", "f", "main"], vec!["f", "main"], vec!["main"]]);
        assert_eq!((names(3).len(), profile.notes.count(kind::NO_STACK)), (0, 1), "a frame that is not there");
        assert_eq!(profile.notes.count(kind::REPAIRED), 1, "a chain that runs in a circle");
        assert_eq!(profile.notes.count(kind::SKIPPED), 1, "the slice");
        assert_eq!(profile.samples.time(0), Some(1_000_500));
        let thread = profile.threads[profile.samples.threads()[1].unwrap()];
        assert_eq!((profile.strings.get(thread.name), thread.pid, thread.tid), ("worker", Some(5), Some(2)));
    }
}
