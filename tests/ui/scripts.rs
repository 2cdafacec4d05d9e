//! The window driven by scripts, keys and clicks: what it says is asked for by accessible name.

use egui::{Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::app::view::{CaptureId, Tab};
use emberlens::app::{Command, CommandKind, Dialog, KINDS, Menu};
use emberlens::ui::shell::Shell;

use crate::stage::{AFTER, BEFORE, apply, archive, dark, one, sample, two};

fn press(harness: &mut Harness<'_, Shell>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

#[test]
fn the_welcome_page_offers_three_things() {
    let mut harness = dark("");
    harness.get_by_label("Open…");
    harness.get_by_label("Compare two…");
    harness.get_by_label("Open the sample pair").click();
    harness.run();
    assert!(harness.state().app().view().is_comparison(), "the samples are beside the sources");
    harness.get_by_label("Before: orders-cpu-before.pb.gz");
    harness.get_by_label("After: orders-cpu-after.pb.gz");
}

#[test]
fn a_filter_says_how_much_of_the_whole_it_lets_through() {
    let mut harness = dark(&one());
    assert!(harness.query_by_label_contains(" shown = ").is_none());
    apply(&mut harness, Command::SetLabels(vec![("endpoint".to_owned(), "bestsellers".to_owned())]));
    harness.get_by_label_contains("100 % = 4.44 s cpu; 280 ms shown = 6.31 %");
    harness.get_by_label_contains("net/http.(*conn).serve, 6.31 %");
}

#[test]
fn one_capture_shows_what_it_is_and_what_100_percent_is() {
    let harness = dark(&one());
    harness.get_by_label("Capture: orders-cpu-before.pb.gz");
    harness.get_by_label("Sample type: cpu / nanoseconds");
    harness.get_by_label_contains("100 % = ");
    harness.get_by_label_contains("sample records, 20.0 s");
    assert!(harness.query_by_label("Swap before and after").is_none(), "nothing to swap");
}

#[test]
fn a_comparison_says_what_both_sides_are_divided_by() {
    let mut harness = dark(&two());
    harness.get_by_label("Made comparable by: Per second (20.0 s, 20.0 s)");
    harness.get_by_label("Swap before and after").click();
    harness.run();
    harness.get_by_label("Before: orders-cpu-after.pb.gz");
}

/// The button of a menu: the menu bar stands before everything that has the same label.
fn menu_button<'a>(harness: &'a Harness<'_, Shell>, menu: Menu) -> egui_kittest::Node<'a> {
    harness.query_all_by_label(menu.label()).next().expect("all menus are on the menu bar")
}

/// Opens the menu inside a menu in which a kind stands, where that is so.
fn open_submenu(harness: &mut Harness<'_, Shell>, kind: &CommandKind) {
    if let Some(title) = kind.submenu.filter(|_| harness.query_by_label(kind.title).is_none()) {
        harness.get_by_label(title).click();
        harness.run();
    }
}

#[test]
fn every_kind_stands_in_a_menu() {
    for menu in Menu::ALL {
        let mut harness = dark(&two());
        menu_button(&harness, menu).click();
        harness.run();
        for kind in KINDS.iter().filter(|kind| kind.menu == menu) {
            open_submenu(&mut harness, kind);
            assert!(harness.query_all_by_label(kind.title).next().is_some(), "{} is not in {}", kind.title, menu.label());
        }
    }
}

#[test]
fn no_menu_is_too_long_for_a_small_window() {
    for menu in Menu::ALL {
        let mut harness = dark(&two());
        menu_button(&harness, menu).click();
        harness.run();
        // What is further down has to be scrolled to.
        let end = 720.0 - 36.0;
        let kind = KINDS.iter().rfind(|kind| kind.menu == menu).expect("no menu is empty");
        let last = kind.submenu.unwrap_or(kind.title);
        let rect = harness.query_all_by_label(last).next_back().expect("it is in the menu").rect();
        assert!(rect.bottom() <= end, "{last} ends at {}", rect.bottom());
        open_submenu(&mut harness, kind);
        let rect = harness.query_all_by_label(kind.title).next_back().expect("it is in the menu").rect();
        assert!(rect.bottom() <= 720.0, "{} ends at {}", kind.title, rect.bottom());
    }
}

#[test]
fn a_menu_does_what_it_says() {
    let mut harness = dark(&two());
    harness.get_by_label("Compare").click();
    harness.run();
    harness.get_by_label("Leave comparison").click();
    harness.run();
    assert!(!harness.state().app().view().is_comparison());
}

#[test]
fn keys_change_the_view() {
    let mut harness = dark(&two());
    for (key, tab) in [(Key::Num4, Tab::Info), (Key::Num3, Tab::Top), (Key::Num2, Tab::CallTree), (Key::Num1, Tab::Flame)] {
        press(&mut harness, Modifiers::NONE, key);
        assert_eq!(harness.state().app().view().tab, tab);
    }
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!(harness.state().app().view().tab, Tab::CallTree, "undo takes the last change back");
    press(&mut harness, Modifiers::NONE, Key::X);
    assert_eq!(harness.state().app().view().after, Some(CaptureId(1)), "X swaps");
}

#[test]
fn letters_go_into_the_search_box_while_it_has_the_keyboard() {
    let mut harness = dark(&two());
    press(&mut harness, Modifiers::COMMAND, Key::F);
    harness.get_by_label("Search").type_text("x");
    press(&mut harness, Modifiers::NONE, Key::X);
    assert_eq!(harness.state().app().view().search, "x");
    assert_eq!(harness.state().app().view().after, Some(CaptureId(2)), "the sides were not swapped");
    harness.get_by_label("Clear search").click();
    harness.run();
    assert_eq!(harness.state().app().view().search, "");
}

#[test]
fn the_palette_finds_and_does() {
    let mut harness = dark(&two());
    press(&mut harness, Modifiers::COMMAND, Key::K);
    assert_eq!(harness.state().app().dialog(), Some(&Dialog::Palette));
    harness.get_by_label("Command").type_text("capt inf");
    harness.run();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state().app().view().tab, Tab::Info);
    assert_eq!(harness.state().app().dialog(), None);
    press(&mut harness, Modifiers::COMMAND, Key::K);
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(harness.state().app().dialog(), None, "Escape closes it");
}

#[test]
fn the_sheet_lists_every_key() {
    let mut harness = dark("");
    press(&mut harness, Modifiers::NONE, Key::F1);
    for kind in KINDS.iter().filter(|kind| !kind.keys.is_empty()) {
        assert!(harness.query_all_by_label(kind.title).next().is_some(), "{}", kind.title);
    }
}

#[test]
fn two_dropped_files_ask_which_is_before() {
    let mut harness = dark("");
    apply(&mut harness, Command::Drop(vec![sample(AFTER), sample(BEFORE)]));
    harness.get_by_label("Before: orders-cpu-after.pb.gz, after: orders-cpu-before.pb.gz");
    harness.get_by_label("Before: orders-cpu-before.pb.gz, after: orders-cpu-after.pb.gz").click();
    harness.run();
    harness.get_by_label("Before: orders-cpu-before.pb.gz");
}

#[test]
fn more_dropped_files_ask_for_their_sides_and_the_list_of_captures_changes_them() {
    let mut harness = dark("");
    let again = "pprof/go1.27.3/orders-cpu-before-2.pb.gz";
    apply(&mut harness, Command::Drop(vec![sample(BEFORE), sample(AFTER), sample(again)]));
    harness.get_by_label("Compare 2 with 1").click();
    harness.run();
    harness.get_by_label("Before: orders-cpu-before.pb.gz + 1");
    harness.get_by_label_contains("2 + 1 captures, too few to know their noise");
    apply(&mut harness, Command::SetTab(Tab::Info));
    harness.get_by_label("orders-cpu-before-2.pb.gz is after").click();
    harness.run();
    harness.get_by_label("After: orders-cpu-after.pb.gz + 1");
    harness.get_by_label("orders-cpu-before-2.pb.gz is after").click();
    harness.run();
    harness.get_by_label("After: orders-cpu-after.pb.gz");
    assert_eq!(harness.state().app().captures().len(), 3, "it stays open");
}

#[test]
fn the_trend_of_a_finding_names_mean_interval_and_unit() {
    let mut harness = dark(&(crate::stage::repeats() + "select-finding 1\n"));
    press(&mut harness, Modifiers::NONE, Key::Num7);
    harness.get_by_label_contains("cpu, per second of capture");
    harness.get_by_label_contains("of 2");
    harness.get_by_label_contains("one value, so no interval");
    for _ in 0..3 {
        harness.step();
    }
    let delay = harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > std::time::Duration::from_hours(1), "{delay:?}");
}

#[test]
fn pasted_paths_are_opened() {
    let mut harness = dark("");
    harness.event(egui::Event::Paste(format!("file://{}\n", sample(BEFORE).display())));
    harness.run();
    harness.get_by_label("Capture: orders-cpu-before.pb.gz");
}

#[test]
fn without_a_file_dialog_the_path_field_opens() {
    let mut harness = dark("");
    press(&mut harness, Modifiers::COMMAND, Key::O);
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::OpenPath(why)) if why.contains("portal")));
    harness.get_by_label("Path").type_text(&sample(BEFORE).display().to_string());
    harness.run();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.get_by_label("Capture: orders-cpu-before.pb.gz");
}

#[test]
fn an_error_stands_where_the_picture_would() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.pb.gz");
    std::fs::write(&path, "<html>404</html>").unwrap();
    let mut harness = dark(&Command::Open(vec![path.clone()]).to_line());
    harness.get_by_label("page.pb.gz cannot be read");
    harness.get_by_label("What to try");
    let shown = harness.get_by_label("Error").value().unwrap_or_default();
    assert!(shown.contains("web page") && shown.ends_with(&path.display().to_string()), "{shown}");
    harness.get_by_label("Close").click();
    harness.run();
    harness.get_by_label("Open the sample pair");
}

#[test]
fn filters_are_chips_that_a_click_removes() {
    let mut harness = dark(&format!("{}focus pricing\nhide runtime\n", one()));
    harness.get_by_label("Remove filter merge: /runtime/");
    harness.get_by_label("Remove filter focus: /pricing/").click();
    harness.run();
    assert_eq!(harness.state().app().view().filter.focus, None);
    assert_eq!(harness.state().app().view().filter.hide.as_deref(), Some("runtime"));
}

#[test]
fn a_filter_made_of_a_selection_has_its_name() {
    let select = "select {\"place\": \"orders/internal/pricing.(*Engine).Discount\", \"path\": []}\n";
    let mut harness = dark(&format!("{}{select}", one()));
    press(&mut harness, Modifiers::NONE, Key::F);
    harness.get_by_label("Remove filter focus: pricing.(*Engine).Discount").click();
    harness.run();
    assert_eq!(harness.state().app().view().filter.focus, None);
}

#[test]
fn escape_in_the_search_box_only_leaves_it() {
    let mut harness = dark(&one());
    press(&mut harness, Modifiers::COMMAND, Key::F);
    harness.get_by_label("Search").type_text("memeqbody");
    harness.run();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    let found = harness.state().app().view().selection.clone();
    assert!(found.is_some(), "Enter goes to the match");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!harness.ctx.text_edit_focused(), "the box is left");
    assert_eq!(harness.state().app().view().selection, found, "the match stays selected");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(harness.state().app().view().selection, None, "then it steps back as everywhere");
    assert_eq!(harness.state().app().view().search, "memeqbody");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(harness.state().app().view().search, "");
}

#[test]
fn labels_of_the_profile_filter_samples() {
    let mut harness = dark(&one());
    harness.get_by_label("Labels").click();
    harness.run();
    let values = harness.state().app().profiles()[0].label_sets.len();
    assert!(values > 0, "the sample has labels");
    harness.get_by_label("endpoint");
    let left = |harness: &Harness<'_, Shell>| harness.state().app().table().ready().map(|table| table.sides[0].weights.total());
    // `go tool pprof -tagfocus=endpoint= -tagignore='endpoint=^search$'` has 1.74 s of 4.44 s.
    assert_eq!(left(&harness), Some(4_440_000_000));
    for label in ["Drop samples with search", "Drop samples with (no endpoint)"] {
        harness.get_by_label(label).click();
        harness.run();
    }
    assert_eq!(left(&harness), Some(1_740_000_000));
    harness.get_by_label("Remove filter drop label endpoint: search");
    harness.get_by_label("Take in samples with search again").click();
    harness.run();
    assert_eq!(left(&harness), Some(2_140_000_000));
    harness.get_by_label("Remove filter label any endpoint");
}

#[test]
fn capture_info_marks_what_differs() {
    let harness = dark(&format!("{}set-tab info\n", two()));
    for name in ["orders-cpu-before.pb.gz", "orders-cpu-after.pb.gz"] {
        assert_eq!(harness.get_all_by_label(name).count(), 2, "in the list of captures and among the facts");
    }
    assert!(harness.get_all_by_label("≠").count() >= 2, "file and samples differ at least");
    harness.get_by_label_contains("nothing was lost or guessed");
}

#[test]
fn idle_frames_ask_for_no_other() {
    let mut harness = dark(&two());
    for _ in 0..3 {
        harness.step();
    }
    let output = harness.output();
    let delay = output.viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > std::time::Duration::from_hours(1), "{delay:?}");
}

#[test]
fn two_typed_paths_are_compared() {
    let mut harness = dark("");
    press(&mut harness, Modifiers::COMMAND, Key::L);
    harness.get_by_label("Path").type_text(&sample(BEFORE).display().to_string());
    harness.run();
    press(&mut harness, Modifiers::SHIFT, Key::Enter);
    harness.get_by_label("Path").type_text(&sample(AFTER).display().to_string());
    harness.run();
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::WhichIsBefore(..))), "{:?}", harness.state().app().dialog());
}

#[test]
fn an_archive_with_several_captures_asks_which() {
    let (_folder, path) = archive();
    let mut harness = dark("");
    apply(&mut harness, Command::Open(vec![path]));
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::WhichMember(_, choice)) if choice.len() == 2));
    harness.get_by_label("Compare both…").click();
    harness.run();
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::WhichIsBefore(..))), "{:?}", harness.state().app().dialog());
    assert!(harness.state().app().captures().is_empty(), "what stood for the archive is gone");
}

#[test]
fn a_function_is_chosen_and_its_sandwich_walked_with_keys_and_clicks() {
    let mut harness = dark(&one());
    press(&mut harness, Modifiers::NONE, Key::Num8);
    assert_eq!(harness.state().app().view().tab, Tab::Sandwich);
    harness.get_by_label_contains("Sandwich of orders/internal/pricing.(*Engine).Discount, ").click();
    harness.run();
    for picture in ["Callers", "Function", "Callees"] {
        harness.get_by_label(picture);
    }
    harness.get_by_label_contains("callers above, callees below");
    let of = |harness: &Harness<'_, Shell>| harness.state().app().view().sandwich_of().map(str::to_owned);
    let selected = |harness: &Harness<'_, Shell>| harness.state().app().view().selection.as_ref().map(|selection| selection.place.clone());
    let discount = of(&harness);
    assert_eq!((discount.as_deref(), &selected(&harness)), (Some("orders/internal/pricing.(*Engine).Discount"), &discount));
    // Up are the callers, down the callees, and the function is between them.
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    assert_eq!(selected(&harness).as_deref(), Some("orders/internal/api.(*API).placeOrder"));
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    let callee = selected(&harness).expect("it calls something");
    assert_eq!(of(&harness), discount, "the function stays");
    // The key of the view goes on to the selected box; undo comes back.
    press(&mut harness, Modifiers::NONE, Key::Num8);
    assert_eq!(of(&harness), Some(callee.clone()));
    press(&mut harness, Modifiers::COMMAND, Key::Z);
    assert_eq!((of(&harness), selected(&harness)), (discount.clone(), Some(callee)));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert_eq!(selected(&harness), discount, "first back to the function");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    harness.get_by_label("Choose a function");
}

#[test]
fn transforms_have_keys_and_chips() {
    let mut harness = dark(&one());
    let place = |name: &str| Command::Select(Some(emberlens::app::view::Selection { place: name.to_owned(), path: Vec::new() }));
    for (name, key) in [("runtime.schedule", Key::M), ("runtime.mcall", Key::M), ("sort.Slice", Key::C)] {
        apply(&mut harness, place(name));
        press(&mut harness, Modifiers::NONE, key);
    }
    harness.get_by_label("Remove filter merge: runtime.mcall + 1");
    harness.get_by_label("Remove filter collapse: sort.Slice");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    press(&mut harness, Modifiers::NONE, Key::R);
    harness.get_by_label("Remove filter recursion: all");
    let total = |harness: &Harness<'_, Shell>| harness.state().app().table().ready().map(|table| table.sides[0].weights.total());
    assert_eq!(total(&harness), Some(4_440_000_000), "merging and collapsing lose nothing");
    apply(&mut harness, Command::ClearFilters);
    let path = ["net/http.(*conn).serve", "net/http.serverHandler.ServeHTTP"].map(str::to_owned).to_vec();
    apply(&mut harness, Command::Select(Some(emberlens::app::view::Selection { place: path[1].clone(), path })));
    press(&mut harness, Modifiers::SHIFT, Key::F);
    harness.get_by_label("Remove filter subtree: http.serverHandler.ServeHTTP");
    assert!(total(&harness) < Some(4_440_000_000));
    apply(&mut harness, place("runtime.mallocgc"));
    press(&mut harness, Modifiers::NONE, Key::S);
    harness.get_by_label("Remove filter begin: runtime.mallocgc");
    assert!(harness.query_by_label_contains("Remove filter subtree").is_none(), "of all stacks with the function");
}

#[test]
fn the_menu_of_labels_says_how_much_each_value_holds() {
    let mut harness = dark(&two());
    harness.get_by_label("Labels").click();
    harness.run();
    // The largest first; `go tool pprof -tags` has 1.43 s of 4.44 s before and 4.34 s of 6.96 s after.
    harness.get_by_label("  32.2 % →  62.4 %");
    let top = |label: &str| harness.get_by_label(label).rect().top();
    assert!(top("place-order") < top("(no endpoint)") && top("(no endpoint)") < top("recent-orders"));
}
