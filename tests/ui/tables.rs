//! The top table and the call tree, driven as a person would, on our sample captures.

use std::path::{Path, PathBuf};

use egui::Key;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};
use emberlens::analysis::diff::Measure;
use emberlens::app::view::{Sort, SortBy, Tab};
use emberlens::app::{App, Command, Options};
use emberlens::ui::cx::{Cx, Outbox};
use emberlens::ui::disk::Disk;
use emberlens::ui::panels::{call_tree, top};
use emberlens::ui::theme::Theme;

use crate::renderer::SoftwareRenderer;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name)
}

fn app(files: &[&str], tab: Tab) -> App {
    let mut app = App::new(Options { inline: true, ..Options::default() });
    match files {
        [before, after] => app.apply(Command::OpenComparison(sample(before), sample(after))),
        files => app.apply(Command::Open(files.iter().map(|file| sample(file)).collect())),
    };
    app.apply(Command::SetTab(tab));
    app
}

const CPU: &[&str] = &["orders-cpu-before.pb.gz"];
const CPUS: &[&str] = &["orders-cpu-before.pb.gz", "orders-cpu-after.pb.gz"];

/// An app in a window of one panel, and every command that the panel sent.
struct Window {
    app: App,
    sent: Vec<Command>,
}

fn harness(app: App) -> Harness<'static, Window> {
    let theme = Theme::dark();
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1000.0, 480.0))
        .with_theme(theme.mode.into())
        .with_step_dt(1.0 / 60.0)
        .with_context_setup(Theme::install)
        .renderer(SoftwareRenderer::default())
        .build_ui_state(
            move |ui, window: &mut Window| {
                let mut out = Outbox::default();
                let cx = Cx { app: &window.app, theme: &theme, disk: &Disk::inline(), now: 0.0, unix_seconds: 0, is_test: true };
                match window.app.view().tab {
                    Tab::CallTree => call_tree::ui(ui, &cx, &mut out),
                    _ => top::ui(ui, &cx, &mut out),
                }
                for command in out.take() {
                    window.sent.push(command.clone());
                    window.app.apply(command);
                }
            },
            Window { app, sent: Vec::new() },
        );
    harness.run();
    harness
}

/// What a screen reader says of the rows on view, top row first.
fn row_labels(harness: &Harness<'_, Window>) -> Vec<String> {
    let rows = harness.get_all_by_role(egui::Role::Row);
    rows.map(|row| row.accesskit_node().label().unwrap_or_default()).collect()
}

fn names(harness: &Harness<'_, Window>) -> Vec<String> {
    row_labels(harness).iter().map(|label| label.split(", ").next().unwrap_or_default().to_owned()).collect()
}

fn head<'a>(harness: &'a Harness<'_, Window>, start: &'a str) -> Node<'a> {
    harness
        .get_all_by_role(egui::Role::Button)
        .find(|node| node.accesskit_node().label().is_some_and(|label| label.starts_with(start)))
        .unwrap_or_else(|| panic!("no head {start}"))
}

fn selected(harness: &Harness<'_, Window>) -> String {
    harness.state().app.view().selection.as_ref().map(|selection| selection.place.clone()).unwrap_or_default()
}

#[test]
fn four_fifths_of_self_are_said_of_all_functions_and_not_of_those_that_a_filter_leaves() {
    let mut window = harness(app(CPU, Tab::Top));
    window.get_by_label_contains("80 % of self in ");
    window.state_mut().app.apply(Command::FilterTop("json".to_owned()));
    window.run();
    assert!(window.query_by_label_contains("80 % of self in ").is_none());
}

#[test]
fn the_first_rows_are_those_of_the_analysis() {
    let harness = harness(app(CPU, Tab::Top));
    let app = &harness.state().app;
    let (top, table) = (app.top().ready().unwrap(), app.table().ready().unwrap());
    let expected: Vec<&str> = top.rows.iter().map(|row| table.places().name(row.place)).collect();
    let found = names(&harness);
    assert!(found.len() > 10 && found.len() < expected.len(), "only rows on view are there: {}", found.len());
    assert_eq!(found, expected[..found.len()]);
    let first = &top.rows[0];
    let label = &row_labels(&harness)[0];
    assert!(label.contains(&format!("self {}", table.value_text(first.self_))), "{label}");
}

#[test]
fn a_click_on_a_head_sorts_and_the_next_one_turns_round() {
    let mut harness = harness(app(CPU, Tab::Top));
    for (start, by, ascending) in [("Total in", SortBy::Total, false), ("Total in", SortBy::Total, true), ("Name", SortBy::Name, true)] {
        head(&harness, start).click();
        harness.run();
        assert_eq!(harness.state().sent.last(), Some(&Command::SetSort(Sort { by, ascending })));
    }
    let found = names(&harness);
    assert!(found.is_sorted() && found.len() > 10, "{found:?}");
    head(&harness, "Name, sorted ascending");
}

#[test]
fn keys_move_the_selection_and_scroll_to_it() {
    let mut harness = harness(app(CPU, Tab::Top));
    let first = names(&harness);
    for (key, expected) in [(Key::ArrowDown, 0), (Key::ArrowDown, 1), (Key::ArrowUp, 0)] {
        harness.key_press(key);
        harness.run();
        assert_eq!(selected(&harness), first[expected]);
    }
    harness.key_press(Key::PageDown);
    harness.run();
    assert!(!first[..5].contains(&selected(&harness)));
    harness.key_press(Key::End);
    harness.run();
    let last = names(&harness);
    assert_eq!(selected(&harness), *last.last().unwrap(), "the last row is on view");
    assert_ne!(last, first);
    harness.key_press(Key::Home);
    harness.run();
    assert_eq!((selected(&harness), names(&harness)), (first[0].clone(), first));
}

#[test]
fn a_click_selects_and_a_double_click_goes_to_the_flame_graph() {
    let mut harness = harness(app(CPU, Tab::Top));
    let labels = row_labels(&harness);
    harness.get_by_label(&labels[3]).click();
    harness.run_steps(2);
    assert_eq!(selected(&harness), names(&harness)[3]);
    assert_eq!(harness.state().app.view().tab, Tab::Top);
    harness.get_by_label(&labels[3]).click();
    harness.run();
    assert!(harness.state().sent.contains(&Command::ZoomToSelection), "{:?}", harness.state().sent);
    assert_eq!(harness.state().app.view().tab, Tab::Flame);
}

#[test]
fn typing_filters() {
    let mut harness = harness(app(CPU, Tab::Top));
    let all = harness.state().app.shown_rows().unwrap().0.rows.places.len();
    harness.get_by_label("Filter the table").focus();
    harness.run();
    harness.get_by_label("Filter the table").type_text("malloc");
    harness.run();
    let app = &harness.state().app;
    assert_eq!(app.view().top_filter, "malloc");
    assert!(app.shown_rows().unwrap().0.rows.places.len() < all);
    assert!(names(&harness).iter().all(|name| name.contains("malloc") || name.contains("runtime")), "{:?}", names(&harness));
}

#[test]
fn a_comparison_shows_both_sides_and_what_to_compare() {
    let mut harness = harness(app(CPUS, Tab::Top));
    let (shown, _) = harness.state().app.shown_rows().unwrap();
    let deltas: Vec<f64> = shown
        .rows
        .places
        .iter()
        .map(|&place| emberlens::analysis::flat::change(&shown.comparison, &shown.flat, Measure::Self_, place).delta())
        .collect();
    assert!(deltas.is_sorted_by(|a, b| a >= b) && deltas[0] > 0.0, "what grew most is on top");
    assert!(row_labels(&harness)[0].contains(", before "));
    harness.get_by_label("Total").click();
    harness.run();
    assert_eq!(harness.state().sent.last(), Some(&Command::SetMeasure(Measure::Total)));
    head(&harness, "Before").click();
    harness.run();
    assert_eq!(harness.state().sent.last(), Some(&Command::SetSort(Sort { by: SortBy::Before, ascending: false })));
}

#[test]
fn arrows_fold_unfold_and_move_in_the_call_tree() {
    let mut harness = harness(app(CPU, Tab::CallTree));
    let roots = row_labels(&harness);
    let weight: Vec<&str> = roots.iter().map(|label| label.rsplit(' ').nth(1).unwrap_or_default()).collect();
    assert!(weight.iter().map(|text| text.parse::<f64>().unwrap()).is_sorted_by(|a, b| a >= b), "{roots:?}");
    let press = |harness: &mut Harness<'_, Window>, key| {
        harness.key_press(key);
        harness.run();
    };
    press(&mut harness, Key::ArrowDown);
    let top = selected(&harness);
    press(&mut harness, Key::ArrowRight);
    assert!(row_labels(&harness)[0].contains("unfolded"));
    assert!(row_labels(&harness).len() > roots.len());
    press(&mut harness, Key::ArrowRight);
    assert_eq!(selected(&harness), names(&harness)[1], "into the first child");
    press(&mut harness, Key::ArrowLeft);
    assert_eq!(selected(&harness), top, "back to the parent");
    press(&mut harness, Key::ArrowLeft);
    assert_eq!(row_labels(&harness), roots, "folded again");
    harness.event(egui::Event::Text("*".to_owned()));
    harness.run();
    assert_eq!(harness.state().sent.last(), Some(&Command::UnfoldAll));
    assert!(harness.state().app.view().unfolded.len() > 10);
}

#[test]
fn a_selection_from_elsewhere_is_revealed_once() {
    let mut app = app(CPU, Tab::Top);
    let deep = {
        let comparison = app.comparison().ready().unwrap();
        let node = comparison.tree().nodes().max_by_key(|&node| comparison.tree().depth(node)).unwrap();
        emberlens::app::view::Selection {
            place: comparison.places().name(comparison.tree().place(node)).to_owned(),
            path: App::names_of(comparison, node),
        }
    };
    app.apply(Command::Select(Some(deep.clone())));
    app.apply(Command::SetTab(Tab::CallTree));
    let mut harness = harness(app);
    harness.run();
    let level = format!("{}, level {}", deep.place, deep.path.len());
    assert!(row_labels(&harness).iter().any(|label| label.starts_with(&level)), "{level}: {:?}", row_labels(&harness));
    assert_eq!(harness.state().sent, [Command::Reveal]);
    // Folding it away stays folded: the selection moves up instead.
    harness.key_press(Key::Home);
    harness.run();
    harness.key_press(Key::ArrowLeft);
    harness.run();
    assert!(!row_labels(&harness).iter().any(|label| label.starts_with(&level)));
}

#[test]
fn a_million_rows_scroll_exactly() {
    use emberlens::ui::widgets::table::{Cell, Head, Rows, Sorting, Spec, Width, table};
    struct Numbers;
    impl Rows for Numbers {
        fn len(&self) -> usize {
            1_000_000
        }
        fn cell(&self, row: usize, _column: usize, _max_chars: usize) -> Cell<'_> {
            Cell { text: row.to_string().into(), ..Cell::default() }
        }
        fn label(&self, row: usize) -> String {
            row.to_string()
        }
        fn tooltip(&self, _ui: &mut egui::Ui, _row: usize) {}
        fn menu(&mut self, _ui: &mut egui::Ui, _row: usize) {}
    }
    let head = Head {
        title: "Number".into(),
        unit: String::new(),
        tooltip: "".into(),
        width: Width::Rest(10.0),
        right: false,
        color: None,
        sorting: Sorting::No,
        leaves: 0,
    };
    let theme = Theme::dark();
    let mut harness = Harness::builder().with_size(egui::vec2(200.0, 224.0)).with_context_setup(Theme::install).build_ui_state(
        move |ui, selected: &mut Option<usize>| {
            let heads = [head.clone()];
            let reveal = selected.map_or(0, |row| row as u64 + 1);
            let spec = Spec {
                id: egui::Id::unique("numbers"),
                name: "Numbers",
                heads: &heads,
                selected: *selected,
                reveal,
                takes_idle_keys: true,
                rule: None,
                empty: "",
            };
            *selected = table(ui, &theme, &spec, &mut Numbers).select.or(*selected);
        },
        None,
    );
    harness.run();
    harness.key_press(Key::End);
    harness.run();
    let (last, before) = (harness.get_by_label("999999").rect(), harness.get_by_label("999998").rect());
    assert!((last.top() - before.top() - 20.0).abs() < 0.01, "rows stand 20 points apart at the end too");
    harness.key_press(Key::ArrowUp);
    harness.run();
    assert_eq!(*harness.state(), Some(999_998));
    assert!((harness.get_by_label("999999").rect().top() - last.top()).abs() < 0.01, "nothing moved: the row was on view");
}

#[test]
fn the_top_table_adds_up_self_values_in_their_order() {
    let mut harness = crate::stage::dark(&(crate::stage::one() + "set-tab top\n"));
    let shown = harness.state().app().shown_rows().expect("rows").0.clone();
    let (side, flat) = (shown.comparison.last().expect("a side"), &shown.flat.sides[0]);
    let places = shown.rows.places.get(..2).expect("two rows");
    let sum: i64 = places.iter().map(|&place| flat.value(Measure::Self_, place)).sum();
    let second = shown.comparison.places().name(places[1]);
    let words = format!("down to it {:.2} %", sum as f64 / side.denominator() * 100.0);
    let row = harness.get_by_label_contains(&words);
    assert!(row.accesskit_node().label().is_some_and(|label| label.starts_with(second)), "{second}");
    crate::stage::apply(&mut harness, Command::SetSort(Sort { by: SortBy::Total, ascending: false }));
    assert!(harness.query_all_by_label_contains("down to it").next().is_none(), "in another order it means nothing");
}

#[test]
fn a_table_without_rows_says_why_as_the_picture_does() {
    let mut harness = crate::stage::dark(&(crate::stage::two() + "focus zzzz\n"));
    for tab in [Tab::Flame, Tab::CallTree, Tab::Top] {
        crate::stage::apply(&mut harness, Command::SetTab(tab));
        harness.get_by_label_contains("No sample passes the filters");
    }
    crate::stage::apply(&mut harness, Command::Focus(String::new()));
    crate::stage::apply(&mut harness, Command::FilterTop("zzzz".to_owned()));
    harness.get_by_label("Nothing matches");
}
