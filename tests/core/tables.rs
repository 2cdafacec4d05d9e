//! The rows behind the top table and the call tree.

use std::collections::HashSet;
use std::sync::Arc;

use emberlens::analysis::call_tree::{CallTree, Direction};
use emberlens::analysis::comparison::{Comparison, Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::Measure;
use emberlens::analysis::flat::{self, OrderBy, RowsSpec};
use emberlens::analysis::{Filter, Granularity, top, unfold};
use emberlens::app::view::{Sort, SortBy};
use emberlens::app::{App, Command, Options};
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::Profile;
use proptest::prelude::*;

use crate::laws::{compared, profile_of, stacks};

fn folded(text: &str) -> Arc<Profile> {
    let ticket = Ticket::new();
    Arc::new(format::read(&Input { bytes: text.as_bytes(), name: "a.folded" }, &ReadCx::new(&ticket)).unwrap())
}

fn spec(by: OrderBy) -> RowsSpec {
    RowsSpec { by, ascending: false, pattern: String::new() }
}

fn names(comparison: &Comparison, spec: &RowsSpec) -> Vec<String> {
    let flat = flat::flat(comparison);
    flat::rows(comparison, &flat, spec).places.into_iter().map(|place| comparison.places().name(place).to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_one_side_are_the_flat_table(stacks in stacks()) {
        let comparison = compared(&[profile_of(&stacks)], Direction::TopDown, &Filter::default());
        let flat = flat::flat(&comparison);
        let rows = flat::rows(&comparison, &flat, &spec(OrderBy::Value { side: 0, measure: Measure::Self_ }));
        let top = top::top(comparison.tree(), comparison.places(), &comparison.sides[0].weights);
        prop_assert_eq!(rows.places, top.rows.iter().map(|row| row.place).collect::<Vec<_>>());
        for row in &top.rows {
            let side = &flat.sides[0];
            prop_assert_eq!((side.value(Measure::Self_, row.place), side.value(Measure::Total, row.place)), (row.self_, row.total));
        }
        prop_assert_eq!(rows.sum_self[0], top.rows.iter().map(|row| row.self_).sum::<i64>());
    }

    #[test]
    fn unfolding_everything_shows_every_node_with_a_value_once_and_children_by_weight(stacks in stacks()) {
        let comparison = compared(&[profile_of(&stacks)], Direction::TopDown, &Filter::default());
        let tree = comparison.tree();
        let (all, complete) = unfold::all_below(&comparison, CallTree::ROOT, usize::MAX);
        prop_assert!(complete);
        let rows = unfold::visible(&comparison, &all.iter().copied().collect::<HashSet<_>>());
        let mut found = rows.clone();
        found.sort_unstable();
        let expected: Vec<_> = tree.nodes().skip(1).filter(|&node| unfold::has_value(&comparison, node)).collect();
        prop_assert_eq!(found, expected);
        for node in tree.nodes() {
            let children = unfold::children(&comparison, node);
            prop_assert!(children.windows(2).all(|pair| comparison.weight_of(pair[0]) >= comparison.weight_of(pair[1])));
            let positions: Vec<_> = children.iter().map(|child| rows.iter().position(|row| row == child)).collect();
            prop_assert!(positions.is_sorted());
        }
        let paths: std::collections::BTreeSet<Vec<String>> = all.iter().map(|&node| App::names_of(&comparison, node)).collect();
        prop_assert_eq!(unfold::nodes_of(&comparison, &paths), all.into_iter().collect());
    }
}

#[test]
fn a_limit_unfolds_the_heaviest_first() {
    let comparison =
        compared(&[profile_of(&[(words("a b c"), 10), (words("d e f"), 30), (words("d g"), 1)])], Direction::TopDown, &Filter::default());
    let (nodes, complete) = unfold::all_below(&comparison, CallTree::ROOT, 2);
    let paths: Vec<_> = nodes.iter().map(|&node| App::names_of(&comparison, node).join(" ")).collect();
    assert_eq!((paths, complete), (vec!["d".to_owned(), "d e".to_owned()], false));
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn comparisons_are_ordered_by_change_ratio_or_either_side() {
    let before = profile_of(&[(words("same"), 50), (words("worse"), 30), (words("gone"), 20), (words("twice"), 2)]);
    let after = profile_of(&[(words("same"), 50), (words("worse"), 45), (words("new"), 4), (words("twice"), 4)]);
    let comparison = compared(&[before, after], Direction::TopDown, &Filter::default());
    let by = |by| names(&comparison, &spec(by)).join(" ");
    assert_eq!(by(OrderBy::Delta(Measure::Self_)), "worse new twice same gone");
    assert_eq!(by(OrderBy::Ratio(Measure::Total)), "new twice worse same gone");
    assert_eq!(by(OrderBy::Value { side: 0, measure: Measure::Total }), "same worse gone twice new");
    let names_with = |pattern: &str| names(&comparison, &RowsSpec { by: OrderBy::Name, ascending: true, pattern: pattern.to_owned() });
    assert_eq!(names_with("w"), ["new", "twice", "worse"]);
    let flat = flat::flat(&comparison);
    let text = |name: &str| flat::change(&comparison, &flat, Measure::Self_, comparison.places().find(name).unwrap()).ratio_text();
    assert_eq!(["worse", "new", "gone", "same"].map(text), ["×1.50", "new", "gone", "×1.00"]);
}

#[test]
fn four_fifths_of_the_self_values_are_in_this_many_places() {
    let of = |values: &[i64]| {
        let stacks: Vec<_> = values.iter().enumerate().map(|(at, &value)| (words(&format!("f{at}")), value)).collect();
        flat::flat(&compared(&[profile_of(&stacks)], Direction::TopDown, &Filter::default())).most
    };
    assert_eq!(of(&[80, 10, 10]), Some(1));
    assert_eq!(of(&[79, 11, 10]), Some(2));
    assert_eq!(of(&[1; 10]), Some(8));
    assert_eq!(of(&[]), None);
}

#[test]
fn sides_with_other_decimals_are_compared_in_the_unit() {
    let captures = [folded("a 31.2\nb 8.8\n"), folded("a 31.23\nb 8.77\n")];
    let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &Filter::default(), &Ticket::new()).unwrap();
    let kind = (captures[0].sample_types[0].name.clone(), captures[0].sample_types[0].unit.clone());
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let none = Filter::default();
    let kind = (kind.0.as_str(), kind.1.as_str());
    let comparison = compare(Arc::new(shape), &captures, &sides, kind, &none, Normalization::Absolute, &Ticket::new()).unwrap();
    assert_eq!(comparison.decimals, 2);
    let flat = flat::flat(&comparison);
    let change = flat::change(&comparison, &flat, Measure::Self_, comparison.places().find("a").unwrap());
    assert_eq!((change.before, change.after), (31.2, 31.23));
    assert_eq!(comparison.sides.iter().map(|side| side.total).collect::<Vec<_>>(), [4000, 4000]);
    assert_eq!(comparison.text(change.after), "31.2");
    assert_eq!(comparison.scale(40.0).text(change.after), "31.23");
    assert_eq!(comparison.value_text(4000), "40");
}

#[test]
fn rows_follow_sort_and_filter() {
    let mut app = App::new(Options { inline: true, ..Options::default() });
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3/orders-cpu-before.pb.gz");
    app.apply(Command::Open(vec![file]));
    let first = |app: &App| {
        let (shown, is_old) = app.shown_rows().expect("rows");
        assert!(!is_old);
        (shown.comparison.places().name(shown.rows.places[0]).to_owned(), shown.rows.places.len())
    };
    let by_self = first(&app);
    app.apply(Command::SetSort(Sort { by: SortBy::Name, ascending: true }));
    assert_ne!(first(&app).0, by_self.0);
    app.apply(Command::SetSort(Sort::default()));
    assert_eq!(first(&app), by_self, "a result that is there already is shown");
    app.apply(Command::FilterTop("runtime".to_owned()));
    assert!(first(&app).1 < by_self.1);
}
