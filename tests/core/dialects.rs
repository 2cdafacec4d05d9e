//! What tools write into formats that others have defined: one file for each dialect, made here, with what it says.

use std::fmt::Write as _;

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, read};
use emberlens::model::{Profile, check, kind};

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
