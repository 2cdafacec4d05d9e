//! The sample pairs: the one planted change is named first, and pairs of equal programs show none.

#![expect(clippy::print_stdout, reason = "skipped pairs are said, and EMBERLENS_SHOW prints the findings")]

use std::path::Path;
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::analysis::{Comparison, Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::Profile;

fn load(path: &Path) -> Arc<Profile> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let ticket = Ticket::new();
    let cx = ReadCx { ticket: &ticket, ..ReadCx::new(&ticket) };
    Arc::new(format::read(&Input { bytes: &bytes, name }, &cx).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Two captures compared by the default normalisation of the sample type.
pub(crate) fn compared(captures: &[Arc<Profile>; 2], sample_type: Option<&str>) -> Comparison {
    let row =
        sample_type.map_or(captures[0].default_sample_type, |name| captures[0].find_sample_type(name).expect("the sample type exists"));
    let kind = &captures[0].sample_types[row];
    let filter = Filter::default();
    let shape = Shape::build(captures, Granularity::Function, Direction::TopDown, &filter, &Ticket::new()).expect("not cancelled");
    let sides = [SideInput { captures: vec![0] }, SideInput { captures: vec![1] }];
    let durations = captures.iter().all(|profile| profile.info.duration_nanos.is_some());
    let normalization = Normalization::default_for(&kind.name, durations);
    compare(Arc::new(shape), captures, &sides, (&kind.name, &kind.unit), &filter, normalization, &Ticket::new())
        .expect("both sides have the sample type")
}

fn show(found: &Findings) -> String {
    let row = |row: &emberlens::analysis::regress::Finding| format!("{} {} {} {}", row.rank, row.verdict.name(), row.func, row.why);
    let rows: Vec<String> = found.rows.iter().map(row).chain(found.others.iter().take(8).map(row)).collect();
    format!("{}\n{}\n{}", found.summary, found.notes.join("\n"), rows.join("\n"))
}

#[test]
fn the_planted_change_is_named_first_on_every_sample_pair() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles");
    let text = std::fs::read_to_string(root.join("expected.json")).expect("the samples say what is expected of them");
    let expected: serde_json::Value = serde_json::from_str(&text).expect("expected.json is JSON");
    let pairs = expected["pairs"].as_array().expect("a list of pairs");
    assert!(pairs.len() >= 19, "only {} pairs", pairs.len());
    let mut wrong = Vec::new();
    for pair in pairs {
        let name = pair["name"].as_str().expect("a pair has a name");
        let captures = ["before", "after"].map(|side| load(&root.join(pair[side].as_str().expect("a pair has two captures"))));
        let comparison = compared(&captures, pair["sample_type"].as_str());
        let found = findings(&comparison, &captures, &Spec::default()).expect("two sides");
        let function = pair["function"].as_str().expect("a pair has a function");
        let known = |profile: &Profile| profile.functions.ids().any(|id| profile.function_name(id) == function);
        if captures[1].info.format == "perf-data" && !known(&captures[1]) {
            println!("skipped {name}: the capture holds addresses only, and its program's symbols were not looked up");
            continue;
        }
        let fine = if pair["direction"] == "none" {
            found.rows.is_empty()
        } else {
            found.rows.first().is_some_and(|first| first.func == function && first.verdict.is_worse() && first.delta > 0.0)
        };
        if std::env::var_os("EMBERLENS_SHOW").is_some() {
            println!("== {name}\n{}\n", show(&found));
        }
        if !fine {
            wrong.push(format!("{name}: wanted {function} {}\n{}", pair["direction"], show(&found)));
        }
    }
    assert!(wrong.is_empty(), "{} pairs:\n{}", wrong.len(), wrong.join("\n\n"));
}
