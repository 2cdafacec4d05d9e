//! Differences of pairs against what other tools say of the same two files: `pprof -top -diff_base`, also with `-normalize`, and
//! `inferno-diff-folded`, which agrees with `difffolded.pl`; and `pprof -top -base`, of these pairs and of the sample pairs.

#![expect(clippy::print_stdout, reason = "says how much was compared")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::{Measure, Spec, diff};
use emberlens::analysis::place::{PlaceId, Places};
use emberlens::analysis::{Comparison, Direction, Filter, Granularity};
use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, read};
use emberlens::model::{Profile, base_name};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::corpus;

/// Pairs in the corpus: of pprof files, and of folded text.
const PAIRS: [usize; 2] = [77, 2];

fn open(folder: &Path, name: &Value) -> Arc<Profile> {
    let name = name.as_str().expect("a pair names its files");
    let bytes = std::fs::read(folder.join(name)).expect("a corpus file is readable");
    Arc::new(read(&Input { bytes: &bytes, name }, &ReadCx::new(&Ticket::new())).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// What tools say of each pair of a kind (`types` for pprof, `default` for folded text), with its profiles.
fn pairs(kind: &str, mut each: impl FnMut(&str, &Value, &[Arc<Profile>; 2])) -> usize {
    let Some(folder) = corpus::folder() else { return 0 };
    let text = std::fs::read_to_string(folder.join("MANIFEST.json")).expect("the corpus has a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    let files = manifest["files"].as_array().expect("the manifest lists files");
    let mut seen = 0;
    for name in files.iter().filter_map(|file| file["diff_truth"].as_array()).flatten() {
        let name = name.as_str().expect("a name");
        let text = std::fs::read_to_string(folder.join(name)).expect("a truth file is readable");
        let truth: Value = serde_json::from_str(&text).expect("a truth file is JSON");
        if truth[kind].is_null() {
            continue;
        }
        seen += 1;
        each(name, &truth, &[open(&folder, &truth["before"]), open(&folder, &truth["after"])]);
    }
    seen
}

fn shape(captures: &[Arc<Profile>; 2], granularity: Granularity) -> Arc<Shape> {
    let filter = Filter::default();
    Arc::new(Shape::build(captures, granularity, Direction::TopDown, &filter, &Ticket::new()).expect("not cancelled"))
}

fn compared(shape: &Arc<Shape>, captures: &[Arc<Profile>; 2], kind: (&str, &str), normalization: Normalization) -> Comparison {
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    compare(Arc::clone(shape), captures, &sides, kind, &Filter::default(), normalization, &Ticket::new()).expect("both have the type")
}

/// The row of the place of that name; of the module that the reference writes as `[file]`.
fn find(places: &Places, name: &str, module: bool) -> Option<usize> {
    if !module {
        return places.find(name).map(PlaceId::row);
    }
    let file = name.strip_prefix('[')?.strip_suffix(']')?;
    places.iter_ids().find(|(_, place)| base_name(&place.name) == file).map(|(id, _)| id.row())
}

/// Rows of a list of a truth: name, flat and cum.
fn rows(list: &Value) -> impl Iterator<Item = (&str, [f64; 2])> {
    list.as_array().expect("a list of rows").iter().map(|row| {
        let number = |key: &str| row[key].as_i64().expect("an integer") as f64;
        (row["name"].as_str().expect("a name"), ["flat", "cum"].map(number))
    })
}

/// Samples with a value after, self and total of each name: each was rounded once when the reference scaled it.
fn roundings(profile: &Profile, row: usize) -> BTreeMap<String, [f64; 2]> {
    let mut counts = BTreeMap::<String, [f64; 2]>::new();
    for (stack, _) in profile.samples.stacks().iter().zip(profile.samples.values(row)).filter(|(_, value)| **value != 0) {
        let names: Vec<String> = profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect();
        if let Some(leaf) = names.first() {
            counts.entry(leaf.clone()).or_default()[0] += 1.0;
        }
        for name in names.into_iter().collect::<std::collections::BTreeSet<_>>() {
            counts.entry(name).or_default()[1] += 1.0;
        }
    }
    counts
}

#[test]
fn differences_of_pairs_equal_pprofs() {
    let (mut compared_rows, mut wrong) = (0, Vec::new());
    let seen = pairs("types", |file, truth, captures| {
        // A capture without any name: the reference shows its modules instead, we show addresses.
        let nameless = captures.iter().all(|capture| capture.functions.is_empty());
        let shape = shape(captures, if nameless { Granularity::Module } else { Granularity::Function });
        for (kind, truth) in truth["types"].as_object().expect("sample types") {
            let kind = kind.split_once('/').expect("type and unit");
            let at = format!("{file} {}", kind.0);
            let plain = compared(&shape, captures, kind, Normalization::Absolute);
            let made = diff(&plain, &Spec::default()).expect("two sides");
            let places = plain.places();
            let ours = |name: &str| {
                let row = find(places, name, nameless)?;
                Some(Measure::ALL.map(|measure| made.table(measure).raw[1][row] - made.table(measure).raw[0][row]))
            };
            for (name, wanted) in ["top_flat", "top_cum"].iter().flat_map(|list| rows(&truth["plain"][list])) {
                compared_rows += 1;
                if ours(name) != Some(wanted) {
                    wrong.push(format!("{at}: {name}: {:?}, wanted {wanted:?}", ours(name)));
                }
            }
            let changed =
                (1..places.len()).filter(|&row| Measure::ALL.iter().any(|&measure| made.table(measure).delta[row] != 0.0)).count();
            if truth["plain"]["rows_in_all"].as_u64() != Some(changed as u64) {
                wrong.push(format!("{at}: {changed} rows, wanted {}", truth["plain"]["rows_in_all"]));
            }
            let sides = &plain.sides;
            // What 100 % is: all of before, or all there is where before has nothing.
            let whole = if sides[0].gross > 0 { sides[0].gross } else { sides[1].gross };
            if truth["plain"]["total"].as_u64() != Some(whole) {
                wrong.push(format!("{at}: total {whole}, wanted {}", truth["plain"]["total"]));
            }
            // The reference scales by sums with signs; shares here are of absolute sums.
            if sides.iter().any(|side| side.total <= 0 || side.total.unsigned_abs() != side.gross) {
                continue;
            }
            let shares = compared(&shape, captures, kind, Normalization::Share);
            let made = diff(&shares, &Spec::default()).expect("two sides");
            let column = captures[1].sample_types.iter().position(|own| own.name == kind.0 && own.unit == kind.1).expect("the type");
            let roundings = roundings(&captures[1], column);
            for (name, wanted) in ["top_flat", "top_cum"].iter().flat_map(|list| rows(&truth["normalized"][list])) {
                compared_rows += 1;
                let Some(row) = find(places, name, nameless) else { continue };
                let allowed =
                    if nameless { [captures[1].samples.len() as f64; 2] } else { roundings.get(name).copied().unwrap_or_default() };
                for (column, measure) in Measure::ALL.into_iter().enumerate() {
                    let found = made.table(measure).delta[row] * sides[0].gross as f64;
                    if (found - wanted[column]).abs() > 0.5 * allowed[column] + 1e-9 * sides[0].gross as f64 {
                        wrong.push(format!("{at}: normalized {name} {}: {found}, wanted {}", measure.name(), wanted[column]));
                    }
                }
            }
        }
    });
    println!("{seen} pairs, {compared_rows} rows");
    assert!(wrong.is_empty(), "{} differences in {compared_rows} rows:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    assert!(seen == PAIRS[0] && compared_rows > 20_000 || corpus::folder().is_none(), "{seen} pairs, {compared_rows} rows");
}

#[test]
fn differences_of_folded_pairs_equal_infernos() {
    let mut wrong = Vec::new();
    let seen = pairs("default", |file, truth, captures| {
        assert_eq!(truth["default"]["equals_difffolded_pl"], true, "{file}");
        let kind = &captures[0].sample_types[captures[0].default_sample_type];
        let shape = shape(captures, Granularity::Function);
        let made = compared(&shape, captures, (&kind.name, &kind.unit), Normalization::Absolute);
        let mut ours = BTreeMap::<String, [i64; 2]>::new();
        for node in made.tree().nodes() {
            let values = [0, 1].map(|side: usize| made.sides[side].weights.self_of(node));
            if values != [0, 0] {
                let path: Vec<&str> = made.tree().path(node).into_iter().map(|place| made.places().name(place)).collect();
                ours.insert(path.join(";"), values);
            }
        }
        let mut theirs = BTreeMap::<String, [i64; 2]>::new();
        for line in truth["default"]["inferno"].as_array().expect("lines") {
            let mut parts = line.as_str().expect("a line").rsplitn(3, ' ');
            let mut number = || parts.next().expect("a number").parse::<i64>().expect("a number");
            let (after, before) = (number(), number());
            // Kernel frames are told by their module here, not by their name; stacks stay distinct without the suffix.
            let stack: Vec<&str> = parts.next().expect("a stack").split(';').map(|name| name.trim_end_matches("_[k]")).collect();
            assert_eq!(theirs.insert(stack.join(";"), [before, after]), None, "{file}: {line}");
        }
        for key in ours.keys().chain(theirs.keys()).collect::<std::collections::BTreeSet<_>>() {
            if ours.get(key) != theirs.get(key) {
                wrong.push(format!("{file}: {key}: {:?}, wanted {:?}", ours.get(key), theirs.get(key)));
            }
        }
    });
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen == PAIRS[1] || corpus::folder().is_none(), "{seen} pairs");
}

/// `-base` subtracts before pprof adds up, `-diff_base` after: the rows are the same, and so are ours. The digests lie in
/// `tests/snapshots/pprof-base/rows.json`; `make.py` there writes them.
#[test]
fn differences_of_pairs_equal_pprofs_with_base() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(package.join("tests/snapshots/pprof-base/rows.json")).expect("the digests are readable");
    let truth: Value = serde_json::from_str(&text).expect("the digests are JSON");
    let (mut seen, mut all, mut wrong) = (0, 0, Vec::new());
    for pair in truth["pairs"].as_array().expect("pairs") {
        let samples = pair["in"] == "samples";
        let Some(folder) = (if samples { Some(package.join("sample-profiles")) } else { corpus::folder() }) else { continue };
        let captures = [open(&folder, &pair["before"]), open(&folder, &pair["after"])];
        let nameless = captures.iter().all(|capture| capture.functions.is_empty());
        let shape = shape(&captures, if nameless { Granularity::Module } else { Granularity::Function });
        let kind = (pair["sample_type"].as_str().expect("a name"), pair["unit"].as_str().expect("a unit"));
        let made = compared(&shape, &captures, kind, Normalization::Absolute);
        let tables = diff(&made, &Spec::default()).expect("two sides");
        let mut rows: Vec<Vec<u8>> = Vec::new();
        for (id, place) in made.places().iter_ids().skip(1) {
            let [flat, cum] = Measure::ALL.map(|measure| tables.table(measure).raw.each_ref().map(|column| column[id.row()] as i64));
            let (flat, cum) = (flat[1] - flat[0], cum[1] - cum[0]);
            if (flat, cum) != (0, 0) {
                let name = if nameless { format!("[{}]", base_name(&place.name)) } else { place.name.clone() };
                rows.push(format!("{name}\t{flat}\t{cum}\n").into_bytes());
            }
        }
        rows.sort_unstable();
        seen += 1;
        all += rows.len();
        let digest: String = Sha256::digest(rows.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
        if pair["sha256"] != digest.as_str() {
            wrong.push(format!("{} {}: {} rows, wanted {}", pair["after"], kind.0, rows.len(), pair["rows"]));
        }
    }
    println!("{seen} differences by -base, {all} rows");
    assert!(wrong.is_empty(), "{} of {seen} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen >= 10, "{seen} pairs");
}
