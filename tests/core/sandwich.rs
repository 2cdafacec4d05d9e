//! The sandwich against the flat table: callers and callees of a function weigh what its total is, on every sample and in every recursion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use emberlens::analysis::call_tree::{CallTree, Direction};
use emberlens::analysis::comparison::{Comparison, Normalization, Shape, SideInput, compare};
use emberlens::analysis::sandwich::{Half, Sandwich, sandwich};
use emberlens::analysis::{Filter, Granularity, PlaceId};
use emberlens::app::view::{Half as Picture, Selection, Tab};
use emberlens::app::{App, Command, Options};
use emberlens::base::ticket::Ticket;
use emberlens::model::Profile;
use proptest::prelude::*;

use crate::formats::{read_named, samples};
use crate::laws::{compared, profile_of, stacks};

fn made(comparison: &Comparison, place: PlaceId) -> Sandwich {
    sandwich(comparison, place, &Ticket::new()).unwrap().expect("the place stands in a stack")
}

/// Both trees weigh what the table says, on every side, with the function as the only child of the root and nothing lost beside it.
fn check(comparison: &Comparison, table: &[(Vec<i64>, Vec<i64>)], place: PlaceId, what: &str) {
    let Sandwich { callers, callees, selfs, .. } = made(comparison, place);
    assert_eq!(selfs, table.iter().map(|(own, _)| own[place.row()]).collect::<Vec<_>>(), "{what}");
    for half in [&callers, &callees] {
        let tree = half.comparison.tree();
        assert_eq!(tree.children(CallTree::ROOT).map(|node| tree.place(node)).collect::<Vec<_>>(), [place], "{what}");
        for ((side, own), (_, total)) in comparison.sides.iter().zip(&half.comparison.sides).zip(table) {
            assert_eq!(own.weights.total_of(half.function()), total[place.row()], "{what}");
            assert_eq!(own.weights.total(), side.weights.total(), "{what}: what has nothing to do with it stays at the root");
            assert_eq!((own.denominator(), own.captures.len()), (side.denominator(), side.captures.len()), "{what}");
            for (capture, of_half) in side.captures.iter().zip(&own.captures) {
                assert_eq!(capture.total(), of_half.total(), "{what}");
            }
        }
    }
}

/// Comparisons of every sample with itself and, where there is one, of its `before` with its `after`.
fn comparisons() -> Vec<(String, Comparison)> {
    let read = |path: &std::path::Path| Arc::new(read_named(&std::fs::read(path).unwrap(), "sample").unwrap());
    let mut all = Vec::new();
    for path in samples() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut captures = vec![read(&path)];
        let after = path.with_file_name(name.replace("before", "after"));
        if name.contains("before") && after.exists() {
            captures.push(read(&after));
        }
        let kind = captures[0].sample_types[captures[0].default_sample_type].clone();
        if captures.iter().any(|profile| profile.column_of(&kind.name, &kind.unit).is_none()) {
            captures.truncate(1);
        }
        let (filter, ticket) = (Filter::default(), Ticket::new());
        let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, &filter, &ticket).unwrap();
        let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
        let of = (kind.name.as_str(), kind.unit.as_str());
        let comparison = compare(Arc::new(shape), &captures, &sides, of, &filter, Normalization::Absolute, &ticket).unwrap();
        all.push((name, comparison));
    }
    all
}

#[test]
fn callers_and_callees_weigh_the_total_of_the_table_on_every_sample() {
    let (mut pairs, mut recursive) = (0, 0);
    for (name, comparison) in comparisons() {
        pairs += usize::from(comparison.pair().is_some());
        let table = comparison.by_place();
        let tree = comparison.tree();
        let outermost = tree.outermost(comparison.places());
        let again: BTreeSet<PlaceId> = tree.nodes().filter(|node| !outermost[node.row()]).map(|node| tree.place(node)).collect();
        recursive += again.len();
        let mut places: Vec<PlaceId> = tree.places().iter().copied().skip(1).collect::<BTreeSet<_>>().into_iter().collect();
        let weight = |place: &PlaceId| table.iter().map(|(_, total)| total[place.row()].unsigned_abs()).max();
        places.sort_by_key(|place| std::cmp::Reverse(weight(place)));
        places.truncate(40);
        for place in places.into_iter().chain(again.into_iter().take(40)) {
            check(&comparison, &table, place, &format!("{} in {name}", comparison.places().name(place)));
        }
    }
    assert!(pairs >= 10 && recursive >= 20, "the samples have {pairs} pairs and {recursive} functions that recur");
}

/// Paths of a half with their self values on a side.
fn paths(half: &Half, side: usize) -> BTreeMap<Vec<String>, i64> {
    let tree = half.comparison.tree();
    let value = |node| half.comparison.sides[side].weights.self_of(node);
    let nodes = tree.nodes().skip(1).filter(|&node| value(node) != 0);
    nodes.map(|node| (App::names_of(&half.comparison, node), value(node))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stacks_are_cut_at_their_outermost_frame_of_the_function(a in stacks(), b in stacks()) {
        let comparison = compared(&[profile_of(&a), profile_of(&b)], Direction::TopDown, &Filter::default());
        let table = comparison.by_place();
        let places: BTreeSet<PlaceId> = comparison.tree().places().iter().copied().skip(1).collect();
        for place in places {
            let name = comparison.places().name(place).to_owned();
            check(&comparison, &table, place, &name);
            let halves = made(&comparison, place);
            for (side, stacks) in [&a, &b].into_iter().enumerate() {
                let (mut callers, mut callees) = (BTreeMap::new(), BTreeMap::new());
                for (names, value) in stacks {
                    if let Some(at) = names.iter().position(|other| *other == name) {
                        *callees.entry(names[at..].to_vec()).or_insert(0) += value;
                        *callers.entry(names[..=at].iter().rev().cloned().collect::<Vec<_>>()).or_insert(0) += value;
                    }
                }
                for map in [&mut callers, &mut callees] {
                    map.retain(|_, value| *value != 0);
                }
                prop_assert_eq!(paths(&halves.callers, side), callers);
                prop_assert_eq!(paths(&halves.callees, side), callees);
            }
        }
    }
}

fn app_over(captures: &[&[(&str, i64)]]) -> App {
    let mut app = App::new(Options { inline: true, ..Options::default() });
    for (at, stacks) in captures.iter().enumerate() {
        let stacks: Vec<(Vec<String>, i64)> =
            stacks.iter().map(|(names, value)| (names.split(' ').map(str::to_owned).collect(), *value)).collect();
        let id = app.insert(std::path::Path::new(&format!("{at}.folded")), profile_of(&stacks) as Arc<Profile>);
        app.apply(if at == 0 { Command::Show(id) } else { Command::SetAfter(id) });
        if at == 1 {
            let before = app.captures()[0].id;
            app.apply(Command::SetBefore(before));
        }
    }
    app.settle();
    app
}

#[test]
fn both_pictures_have_the_scale_of_the_flame_graph() {
    let mut app =
        app_over(&[&[("main a f x", 10), ("main b f y", 30), ("main", 5)], &[("main a f x", 40), ("main b f y", 10), ("main c f", 20)]]);
    app.apply(Command::Sandwich("f".to_owned()));
    app.settle();
    let flame = Arc::clone(app.flame().ready().unwrap());
    let comparison = Arc::clone(app.comparison().ready().unwrap());
    let whole = flame.total() as f64;
    let tree = comparison.tree();
    let own: f64 = tree
        .nodes()
        .filter(|&node| comparison.places().name(tree.place(node)) == "f")
        .filter_map(|node| flame.node_span(node))
        .map(|span| (span.end - span.start) * whole)
        .sum();
    let boxes = Arc::clone(app.sandwich_flame().ready().unwrap());
    assert_eq!((boxes.callers.total(), boxes.callees.total()), (boxes.function.total(), boxes.function.total()));
    assert!((boxes.function.total() as f64 / own - 1.0).abs() < 1e-9, "its width is the sum of its boxes");
    assert_eq!([&boxes.callers, &boxes.function, &boxes.callees].map(|layout| layout.rows()), [2, 1, 1]);
    let halves = Arc::clone(app.sandwich().ready().unwrap());
    let row = |half: &Half, layout: &emberlens::analysis::FlameLayout| -> f64 {
        let tree = half.comparison.tree();
        let spans = tree.children(half.function()).filter_map(|node| layout.node_span(node));
        spans.map(|span| span.end - span.start).sum()
    };
    assert!((row(&halves.callers, &boxes.callers) - 1.0).abs() < 1e-9, "everything is called by something");
    assert!(row(&halves.callees, &boxes.callees) < 1.0, "some of it is self");
    assert!(app.sandwich_diff().ready().is_some());
}

#[test]
fn the_function_stays_while_a_box_beside_it_is_selected() {
    let mut app = app_over(&[&[("main a f x", 10), ("main b f y", 30)]]);
    app.apply(Command::Select(Some(Selection { place: "f".to_owned(), path: Vec::new() })));
    app.apply(Command::SetTab(Tab::Sandwich));
    app.apply(Command::SelectInSandwich(Picture::Callers, vec!["b".to_owned(), "main".to_owned()]));
    assert_eq!((app.view().sandwich_of(), app.view().selection.as_ref().unwrap().place.as_str()), (Some("f"), "main"));
    // Zoom fits the box; what the picture is of stays.
    app.apply(Command::ZoomToSelection);
    assert!((app.view().sandwich.window.left - 0.25).abs() < 1e-9, "{:?}", app.view().sandwich.window);
    app.apply(Command::Sandwich("main".to_owned()));
    assert_eq!((app.view().sandwich_of(), app.view().sandwich.window.left), (Some("main"), 0.0));
    app.apply(Command::Undo);
    assert_eq!(app.view().sandwich_of(), Some("f"));
    // What is selected elsewhere is followed.
    app.apply(Command::Select(Some(Selection { place: "x".to_owned(), path: Vec::new() })));
    assert_eq!(app.view().sandwich_of(), Some("x"));
    app.apply(Command::Select(Some(Selection { place: "nowhere".to_owned(), path: Vec::new() })));
    app.settle();
    assert!(app.sandwich().ready().is_none() && app.messages().is_empty(), "no message for what the view says");
}

#[test]
fn space_fits_the_selected_box_of_the_flame_graph() {
    let mut app = app_over(&[&[("main a f x", 10), ("main b f y", 30)]]);
    app.apply(Command::Select(Some(Selection { place: "b".to_owned(), path: vec!["main".to_owned(), "b".to_owned()] })));
    app.apply(Command::ZoomToSelection);
    let window = app.view().window;
    assert!((window.left - 0.25).abs() < 1e-9 && (window.right - 1.0).abs() < 1e-9, "{window:?}");
}

#[test]
fn what_is_written_while_a_sandwich_is_in_front_is_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_over(&[&[("main a f x", 10), ("main b f y", 30), ("main z", 5)]]);
    let written = |app: &mut App| {
        let path = folder.path().join("x.folded");
        app.apply(Command::Export(path.clone()));
        app.settle();
        std::fs::read_to_string(path).unwrap()
    };
    app.apply(Command::Sandwich("f".to_owned()));
    assert_eq!(written(&mut app), "f;x 10\nf;y 30\n");
    app.apply(Command::SelectInSandwich(Picture::Callers, vec!["b".to_owned()]));
    assert_eq!(written(&mut app), "f;a;main 10\nf;b;main 30\n");
    app.apply(Command::SetTab(Tab::Flame));
    assert_eq!(written(&mut app), "main;a;f;x 10\nmain;b;f;y 30\nmain;z 5\n");
}
