use super::*;
use crate::base::ticket::Ticket;
use crate::model::LabelValue;

fn read(bytes: &[u8]) -> Profile {
    let profile = Otlp.read(&Input { bytes, name: "x" }, &ReadCx::new(&Ticket::new())).expect("a sound profile");
    assert_eq!(crate::model::check(&profile), []);
    profile
}

/// Two profiles of one scope, as the collector makes them of a pprof file: each sample type is one, with the file's attributes. The second has `more` too.
fn converted(more: &str) -> String {
    let profile = |kind: u32, unit: u32, value: i64, more: &str| {
        format!(
            r#"{{"sampleType":{{"typeStrindex":{kind},"unitStrindex":{unit}}},"samples":[{{"stackIndex":1,"values":["{value}"]}}],
                "attributeIndices":[1,2,3,4,5{more}]}}"#
        )
    };
    let text = |key: u32, text: &str| format!(r#"{{"keyStrindex":{key},"value":{{"stringValue":"{text}"}}}}"#);
    let attributes =
        [text(5, "malloc.*"), text(6, ""), text(7, "https://example.org/run"), text(8, "slow day"), text(9, "7"), text(9, "8")];
    format!(
        r#"{{"resourceProfiles":[{{"scopeProfiles":[{{"scope":{{"name":"agent","version":"1.2","attributes":[
            {{"key":"pprof.scope.default_sample_type","value":{{"stringValue":"space"}}}}]}},"profiles":[{},{}]}}]}}],
            "dictionary":{{"stringTable":["","objects","count","space","bytes","pprof.profile.drop_frames","pprof.profile.keep_frames",
            "pprof.profile.doc_url","pprof.profile.comment.0","Build.Number","malloc_x","main"],
            "attributeTable":[{{}},{}],"functionTable":[{{}},{{"nameStrindex":10}},{{"nameStrindex":11}}],
            "locationTable":[{{}},{{"lines":[{{"functionIndex":1}}]}},{{"lines":[{{"functionIndex":2}}]}}],
            "stackTable":[{{}},{{"locationIndices":[1,2]}}],"mappingTable":[{{}}],"linkTable":[{{}}]}}}}"#,
        profile(1, 2, 3, ""),
        profile(3, 4, 300, more),
        attributes.join(",")
    )
}

#[test]
fn what_a_pprof_file_said_of_itself_is_kept_when_it_was_converted() {
    let profile = read(converted("").as_bytes());
    let info = &profile.info;
    assert_eq!((info.drop_frames.as_deref(), info.keep_frames.as_deref()), (Some("malloc.*"), None));
    assert_eq!((info.doc_url.as_deref(), info.comments.as_slice()), (Some("https://example.org/run"), &["slow day".to_owned()][..]));
    assert_eq!((info.fact("build.number"), info.fact("scope")), (Some("7"), Some("agent 1.2")));
    assert_eq!(profile.sample_types[profile.default_sample_type].name, "space");
    assert!(profile.samples.labels().iter().all(Option::is_none), "what holds of all of them tells nothing apart");
}

#[test]
fn attributes_of_one_of_several_profiles_are_labels_of_its_samples() {
    let profile = read(converted(",6").as_bytes());
    assert_eq!(profile.info.fact("build.number"), None);
    let numbers: Vec<Vec<&str>> = profile
        .samples
        .labels()
        .iter()
        .map(|set| {
            let labels = set.map_or(&[][..], |set| profile.label_sets.get(set));
            let texts = labels.iter().filter(|label| &profile.strings[label.key] == "Build.Number").map(|label| match label.value {
                LabelValue::Text(text) => &profile.strings[text],
                LabelValue::Number(..) => "a number",
            });
            texts.collect()
        })
        .collect();
    assert_eq!(numbers, [vec!["7"], vec!["7", "8"]]);
}
