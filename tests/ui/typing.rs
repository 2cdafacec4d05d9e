//! Keys: whom they belong to, commands that act on nothing but what is in front, and words that must agree with each other.

use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use emberlens::analysis::Measure;
use emberlens::app::view::{FlameWindow, Selection, Tab};
use emberlens::app::{Command, Dialog, command};
use emberlens::ui::shell::Shell;

use crate::stage::{BEFORE, apply, dark, one, sample, two};

/// A key as a window sends it; a letter without Ctrl is followed by its text.
fn key(harness: &Harness<'_, Shell>, modifiers: Modifiers, key: Key) {
    harness.event(Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers });
    if !modifiers.command && key.name().len() == 1 {
        harness.event(Event::Text(key.name().to_lowercase()));
    }
}

#[test]
fn what_is_typed_in_the_frame_that_opens_the_palette_is_for_the_palette() {
    let mut harness = dark(&one());
    key(&harness, Modifiers::COMMAND, Key::K);
    for letter in [Key::L, Key::I, Key::T] {
        key(&harness, Modifiers::NONE, letter);
    }
    harness.run();
    let app = harness.state().app();
    assert_eq!((app.dialog(), app.view().tab()), (Some(&Dialog::Palette), Tab::Flame), "L shows no source, I turns nothing round");
    harness.get_by_label("Light theme");
    assert!(harness.query_by_label("Undo").is_none(), "the list is that of the letters");
    key(&harness, Modifiers::NONE, Key::Escape);
    harness.run();

    key(&harness, Modifiers::NONE, Key::Slash);
    for letter in [Key::I, Key::O] {
        key(&harness, Modifiers::NONE, letter);
    }
    harness.run();
    assert_eq!(harness.state().app().view().search, "io", "without the sign that went to the search");
}

#[test]
fn commands_leave_alone_what_another_view_hides() {
    let mut harness = dark(&format!("{}set-tab top\n", one()));
    let place = harness.state().app().table().ready().unwrap().places().name(harness.state().app().top().ready().unwrap().rows[0].place);
    let selection = Selection { place: place.to_owned(), path: Vec::new() };
    apply(&mut harness, Command::Select(Some(selection)));
    for (modifiers, letter) in [(Modifiers::NONE, Key::Plus), (Modifiers::NONE, Key::Space), (Modifiers::NONE, Key::H)] {
        harness.event(Event::Key { key: letter, physical_key: None, pressed: true, repeat: false, modifiers });
        harness.run();
    }
    let view = harness.state().app().view();
    assert_eq!((view.window, view.unfolded.len(), view.tab()), (FlameWindow::default(), 0, Tab::Top));
    let available = |harness: &Harness<'_, Shell>, name: &str| command::kind(name).unwrap().available(harness.state().app()).is_some();
    assert!(["zoom-in", "zoom-out", "unfold-heaviest", "unfold-all", "toggle-timeline"].iter().all(|name| !available(&harness, name)));
    apply(&mut harness, Command::SetTab(Tab::CallTree));
    assert!(available(&harness, "unfold-heaviest") && !available(&harness, "zoom-in"));
    apply(&mut harness, Command::SetTab(Tab::Flame));
    assert!(available(&harness, "zoom-in") && available(&harness, "zoom-to-selection") && !available(&harness, "unfold-heaviest"));
}

#[test]
fn a_path_to_export_to_begins_with_its_stem_selected() {
    let mut harness = dark(&one());
    for (typed, name, proposal) in [
        ("first", "first.svg", "flame.svg"),
        ("other", "other.svg", "orders-v1.27-to-v1.28.svg"),
        ("third", "/third.pb.gz", "cpu.v2.pb.gz"),
    ] {
        apply(&mut harness, Command::TypeExportPath(proposal.to_owned()));
        for letter in typed.chars() {
            harness.event(Event::Text(letter.to_string()));
        }
        harness.run();
        let value = harness.get_by_label("Path").accesskit_node().value().unwrap_or_default();
        assert!(value.ends_with(name), "{value}");
        apply(&mut harness, Command::CloseDialog);
    }
}

#[test]
fn a_wrong_expression_is_called_one() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::Search("/json(/".to_owned()));
    harness.get_by_label_contains("no regular expression: unclosed group");
    assert!(harness.query_by_label("no match").is_none());
    apply(&mut harness, Command::SetTab(Tab::Top));
    harness.get_by_label_contains("no regular expression: unclosed group");
    apply(&mut harness, Command::Search("json(".to_owned()));
    harness.get_by_label("no match");
}

#[test]
fn a_search_steps_through_nothing_that_has_no_value() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::Search("json".to_owned()));
    let found = |harness: &Harness<'_, Shell>| harness.state().app().matches().ready().unwrap().nodes;
    let all = found(&harness);
    apply(&mut harness, Command::SetLabels(vec![("endpoint".to_owned(), "bestsellers".to_owned())]));
    let left = found(&harness);
    assert!(left < all, "{left} of {all}");
    let app = harness.state().app();
    let (matches, comparison) = (app.matches().ready().unwrap(), app.comparison().ready().unwrap());
    assert_eq!(matches.nodes_of(comparison).count(), left);
    assert!(matches.nodes_of(comparison).all(|node| comparison.sides[0].weights.total_of(node) != 0));
}

#[test]
fn the_menu_of_a_capture_lists_all_others_and_keeps_its_commands_in_sight() {
    let folder = tempfile::tempdir().expect("a folder");
    let heap = |name: &str| sample(BEFORE).with_file_name(name);
    let mut paths = vec![heap("orders-heap-before.pb.gz")];
    for at in 0..60 {
        let path = folder.path().join(format!("run-{at:02}.folded"));
        std::fs::write(&path, "main;a 1\n").expect("a file");
        paths.push(path);
    }
    paths.push(heap("orders-heap-after.pb.gz"));
    let mut harness = dark(&format!("{}\n", Command::Open(paths).to_line()));
    let first = harness.state().app().captures()[0].id;
    apply(&mut harness, Command::Show(first));
    harness.get_by_label("Capture: orders-heap-before.pb.gz").click();
    harness.run();
    for entry in ["Open…", "Reload", "Close"] {
        let rect = harness.query_all_by_label(entry).next_back().expect("a command").rect();
        assert!(rect.bottom() <= 720.0, "{entry}: {rect}");
    }
    let entry = |text: &str| harness.query_all_by_label_contains(text).next().expect("an entry").rect().top();
    let like = entry("Compare with orders-heap-after.pb.gz as before");
    assert!(like < entry("Compare with run-00.folded as before"), "what measures the same stands first");
    entry("Compare with run-59.folded as before");
}

#[test]
fn the_search_is_not_covered_by_chips_where_text_is_large() {
    let mut harness = dark(&two());
    harness.set_size(egui::vec2(760.0, 430.0));
    harness.run();
    let search = harness.get_by_label("Search").rect();
    let chips = ["Before: orders-cpu-before.pb.gz", "After: orders-cpu-after.pb.gz"].map(|name| harness.get_by_label(name).rect());
    assert!(search.width() >= 60.0 && chips.iter().all(|chip| chip.right() <= search.left()), "{chips:?} {search}");
}

#[test]
fn the_details_say_both_what_a_box_has_and_what_its_function_has() {
    for script in [one(), two()] {
        let mut harness = dark(&script);
        let app = harness.state().app();
        let comparison = app.comparison().ready().unwrap();
        let tree = comparison.tree();
        let count = |node| tree.nodes().filter(|&other| tree.place(other) == tree.place(node)).count();
        let node =
            tree.nodes().skip(1).find(|&node| count(node) > 3 && comparison.weight_of(node) > 0.0).expect("a place with several boxes");
        let path = emberlens::app::App::names_of(comparison, node);
        let (boxes, place) = (count(node), path.last().cloned().unwrap_or_default());
        apply(&mut harness, Command::Select(Some(Selection { place: place.clone(), path })));
        harness.get_by_label("this box");
        harness.get_by_label(&format!("all {boxes} boxes of it"));
        apply(&mut harness, Command::Select(Some(Selection { place, path: Vec::new() })));
        assert!(harness.query_by_label("this box").is_none(), "a function wherever it is called from");
    }
}

#[test]
fn what_makes_up_four_fifths_is_said_the_same_twice() {
    let harness = dark(&format!("{}set-tab top\n", one()));
    let label = |part: &str| harness.get_by_label_contains(part).accesskit_node().value().unwrap_or_default();
    let (panel, footer) = (label("up 80 % of self"), label("80 % of self in "));
    let count = panel.split(' ').next().unwrap_or_default();
    assert!(footer.contains(&format!("80 % of self in {count} function")), "{panel} / {footer}");
}

#[test]
fn a_ratio_beside_numbers_is_that_of_the_numbers_and_an_adjusted_one_says_so() {
    let mut harness = dark(&two());
    harness.get_by_label("(×7.2 adjusted)");
    harness.get_by_label("×7.0");
    apply(&mut harness, Command::SetTab(Tab::Findings));
    harness.get_by_label("95 % adjusted");
    apply(&mut harness, Command::SetTab(Tab::Top));
    harness.get_by_label_contains("95 % adjusted");
}

#[test]
fn the_list_of_findings_keeps_its_part_when_the_window_shrinks_and_grows() {
    let mut harness = dark(&two());
    let first = harness.state().app().findings().ready().unwrap().rows[0].rank;
    apply(&mut harness, Command::SelectFinding(first));
    let room = |harness: &Harness<'_, Shell>| {
        let title = harness.get_by_label("Regressions").rect();
        let details = harness.get_by_label("Focus on selection").rect();
        details.top() - title.top()
    };
    let before = room(&harness);
    harness.set_size(egui::vec2(1280.0, 440.0));
    harness.run();
    let small = room(&harness);
    assert!(small >= 180.0, "{small}");
    harness.set_size(egui::vec2(1280.0, 720.0));
    harness.run();
    assert!((room(&harness) - before).abs() < 2.0, "{before} and {}", room(&harness));
}

#[test]
fn tabs_that_do_not_fit_stand_in_a_menu_and_the_one_in_front_does_not() {
    let mut harness = dark(&two());
    assert!(harness.query_by_label("Further views").is_none(), "all fit");
    apply(&mut harness, Command::SetTab(Tab::Trend));
    harness.set_size(egui::vec2(820.0, 560.0));
    harness.run();
    let view = harness.get_by_label("Regressions").rect().left();
    let tab = harness.get_all_by_label("Trend").map(|node| node.rect()).min_by(|a, b| a.top().total_cmp(&b.top())).unwrap();
    assert!(tab.right() <= view, "the tab in front is whole: {tab:?}, {view}");
    let menu = harness.get_by_label("Further views");
    assert!(menu.rect().right() <= view, "{:?}", menu.rect());
    menu.click();
    harness.run();
    harness.get_by_label("Names").click();
    harness.run();
    assert_eq!(harness.state().app().view().tab(), Tab::Names);
}

#[test]
fn undo_speaks_the_words_of_the_window() {
    let mut harness = dark(&one());
    for (command, label) in [
        (Command::SetTab(Tab::Top), "tab Top"),
        (Command::SetTab(Tab::CallTree), "tab Call tree"),
        (Command::SetSampleType("samples".to_owned(), "count".to_owned()), "sample type samples"),
    ] {
        apply(&mut harness, command);
        assert_eq!(harness.state().app().undo_label(), Some(label));
    }
}

#[test]
fn the_status_counts_the_records_of_all_sides_by_one_rule() {
    let mut harness = dark(&(Command::Open(vec![sample("perf-data/6.1.187/indexer-before.perf.data")]).to_line() + "\n"));
    let records = |harness: &Harness<'_, Shell>| -> u64 {
        let labels = harness.get_all_by_label_contains(" sample records, ");
        let count = |text: String| text.split(' ').next().and_then(|count| count.replace(',', "").parse::<u64>().ok()).unwrap_or(0);
        labels.map(|node| count(node.accesskit_node().value().unwrap_or_default())).sum()
    };
    let whole = records(&harness);
    let halves = harness.state().app().halves().expect("it has times");
    apply(&mut harness, Command::CompareParts(Box::new(halves)));
    assert!(whole > 100);
    assert_eq!(records(&harness), whole, "the halves have what the whole has");
}

#[test]
fn a_list_to_choose_from_shows_the_numbers_that_it_is_in_the_order_of() {
    let mut harness = dark(&format!("{}set-tab sandwich\n", two()));
    harness.get_by_label_contains("in its order: self before, self after, delta");
    apply(&mut harness, Command::SetMeasure(Measure::Total));
    harness.get_by_label_contains("in its order: total before, total after, delta");
}

#[test]
fn a_long_menu_of_a_chip_scrolls_to_its_last_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("callgrind.out.1");
    let events: Vec<String> = (0..60).map(|at| format!("Ev{at:02}")).collect();
    let costs = vec!["7"; events.len()].join(" ");
    std::fs::write(&path, format!("# callgrind format\nevents: {}\n\nfn=main\n1 {costs}\n", events.join(" "))).expect("a file");
    let mut harness = dark(&format!("{}\n", Command::Open(vec![path]).to_line()));
    harness.get_by_label_contains("Sample type: Ev00").click();
    harness.run();
    let last = |harness: &Harness<'_, Shell>| harness.get_by_label_contains("Ev59").rect();
    assert!(last(&harness).top() > 720.0, "there are more than fit");
    let chip = harness.get_by_label_contains("Sample type: Ev00").rect();
    assert!(last(&harness).left() < chip.right(), "under its chip");
    harness.hover_at(egui::pos2(last(&harness).center().x, 300.0));
    harness.event(Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -5000.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(20);
    assert!(last(&harness).bottom() <= 720.0, "{}", last(&harness));
    harness.get_by_label_contains("Ev59").click();
    harness.run();
    assert_eq!(harness.state().app().sample_type().map(|(name, _)| name).as_deref(), Some("Ev59"));
}

#[test]
fn what_is_typed_right_after_a_menu_of_filters_was_opened_goes_to_its_field() {
    let mut harness = dark(&two());
    let sides = harness.state().app().view().sides();
    harness.get_by_label("Add filter").click();
    harness.run();
    // X alone would swap the sides.
    for letter in [Key::D, Key::I, Key::X] {
        key(&harness, Modifiers::NONE, letter);
        harness.step();
    }
    assert_eq!(harness.state().app().view().sides(), sides);
    harness.key_press_modifiers(Modifiers::NONE, Key::Backspace);
    harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
    harness.run();
    assert_eq!(harness.state().app().view().filter.focus.as_deref(), Some("di"));
    harness.get_by_label("Labels").click();
    harness.run();
    harness.event(Event::Text("search".to_owned()));
    harness.run();
    assert_eq!(harness.get_by_label("Label name").value().as_deref(), Some("search"));
}
