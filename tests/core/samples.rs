//! The sample pairs: the one planted change is named first, and pairs of equal programs show none.

#![expect(clippy::print_stdout, reason = "EMBERLENS_SHOW prints the findings")]

use std::path::Path;
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::regress::{Findings, Spec, findings};
use emberlens::analysis::{Comparison, Direction, Filter, Granularity};
use emberlens::app::load::{self, LoadOptions};
use emberlens::base::ticket::Ticket;
use emberlens::model::Profile;

/// The capture with names: perf.data holds addresses only, and its programs lie below `sysroot`.
pub(crate) fn load(path: &Path, root: &Path) -> Arc<Profile> {
    let options = LoadOptions { symbol_roots: vec![root.join("sysroot")], ..LoadOptions::default() };
    Arc::new(load::load(path, &options, &Ticket::new()).unwrap_or_else(|error| panic!("{error}")))
}

/// Two captures compared by the default normalisation of the sample type.
pub(crate) fn compared(captures: &[Arc<Profile>; 2], sample_type: Option<&str>) -> Comparison {
    let row =
        sample_type.map_or(captures[0].default_sample_type, |name| captures[0].find_sample_type(name).expect("the sample type exists"));
    let kind = &captures[0].sample_types[row];
    let filter = Filter::default();
    let shape = Shape::build(captures, Granularity::Function, Direction::TopDown, &filter, &Ticket::new()).expect("not cancelled");
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let normalization = Normalization::fitting(&kind.name, captures);
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
        let captures = ["before", "after"].map(|side| load(&root.join(pair[side].as_str().expect("a pair has two captures")), &root));
        let comparison = compared(&captures, pair["sample_type"].as_str());
        let found = findings(&comparison, &captures, &Spec::default()).expect("two sides");
        let function = pair["function"].as_str().expect("a pair has a function");
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
