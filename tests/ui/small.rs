//! The smallest window that must work well: everything that is needed to read an answer stands in it, whole.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::app::view::{Selection, Tab};
use emberlens::app::{Command, Dialog};
use emberlens::ui::shell::Shell;

use crate::stage::{apply, dark, one, painted, two};

/// Where the only label of this text stands.
fn place(harness: &Harness<'_, Shell>, text: &str) -> Rect {
    harness.get_by_label(text).rect()
}

/// The left edge of the right side.
fn side(harness: &Harness<'_, Shell>) -> f32 {
    harness.get_by_label("Click a box, a row or a finding; every view follows").rect().left()
}

#[test]
fn the_whole_legend_of_a_comparison_can_be_read_and_searching_does_not_move_it() {
    let mut harness = dark(&two());
    let words = ["cheaper", "dearer", "within noise", "churn", "new", "gone"];
    let places: Vec<Rect> = words.iter().map(|word| place(&harness, word)).collect();
    for (word, rect) in words.iter().zip(&places) {
        assert!(rect.left() >= 0.0 && rect.right() < side(&harness), "{word}: {rect}");
    }
    assert!(places.windows(2).all(|pair| pair[0].right() < pair[1].left()), "each beside the one before: {places:?}");
    apply(&mut harness, Command::Search("json".to_owned()));
    let found = harness.get_by_label_contains(" of what is shown").rect();
    for word in words.iter().chain(&["Before", "Both", "After", "Name", "Size", "Change", "Package", "Module"]) {
        assert!(!place(&harness, word).intersects(found), "{word} can be read beside what was found: {found}");
    }
    assert!(found.right() < side(&harness), "{found}");
    assert_eq!(places, words.iter().map(|word| place(&harness, word)).collect::<Vec<_>>());
}

#[test]
fn a_finding_says_everything_in_the_view_of_findings() {
    let harness = dark(&format!("{}set-tab findings\n", two()));
    for text in ["Regression", "23.0 ms/s", "160 ms/s", "+137 ms/s", "×7.2", "< 1 in a million", "all", "self time"] {
        let rect = place(&harness, text);
        assert!(rect.right() < side(&harness), "{text}: {rect}");
    }
    for head in ["verdict", "function, why", "of", "95 % adjusted", "chance / change", "explains"] {
        assert!(place(&harness, head).right() < side(&harness), "{head}");
    }
    harness.get_by_label_contains("Discount ×7.2");
}

#[test]
fn the_numbers_of_a_finding_say_whether_they_are_self_or_total() {
    let select = "select {\"place\": \"orders/internal/pricing.(*Engine).Discount\", \"path\": []}\n";
    let mut harness = dark(&format!("{}set-tab findings\n{select}", two()));
    let (number, word) = (place(&harness, "+137 ms/s"), "total");
    let beside = harness.get_all_by_label(word).any(|node| (node.rect().center().y - number.center().y).abs() < 6.0);
    assert!(beside, "{word} stands in the row of its numbers");
    // The details say the same of it as the finding, and why that is not after divided by before.
    let text = "total: Regression (self time), ×7.2 (95 %: ×4.9 to ×11.0; by chance < 1 in a million; 46 → 321 events); ×6.98 as measured; \
                ×7.21 against unchanged code, which has after / before = 0.968";
    harness.get_by_label(text);
    harness.get_all_by_label("before → after, ms/s").next().expect("callers and callees of both sides");
    harness.get_by_label("23.0 → 160.5");
    harness.hover_at(number.center());
    harness.run();
    harness.get_by_label_contains("×6.98 as measured; ×7.21 against unchanged code, which has after / before = 0.968\np ");
}

#[test]
fn everything_else_has_a_change_that_agrees_with_its_numbers_and_whole_words() {
    let mut harness = dark(&format!("{}set-tab findings\n", two()));
    apply(&mut harness, Command::FilterFindings("runtime.gopark".to_owned()));
    harness.get_by_label_contains("Everything else: ").click();
    harness.run();
    // As much as before, though unchanged code has 0.968 times that: the change stands beside values that are the same.
    harness.get_by_label("Too few samples: runtime.gopark ±0 %");
    let others = harness.state().app().findings().ready().expect("findings").others.iter();
    assert!(others.into_iter().any(|row| row.func == "runtime.gopark" && row.ratio > 1.02), "its ratio is another one");
    harness.get_by_label("Too few");
}

#[test]
fn the_right_side_is_as_wide_in_every_view() {
    let mut harness = dark(&two());
    let first = side(&harness);
    assert!(first > 900.0, "it leaves the picture its room: {first}");
    for tab in Tab::ALL {
        apply(&mut harness, Command::SetTab(tab));
        assert!((side(&harness) - first).abs() < 0.5, "{tab:?}: {} and not {first}", side(&harness));
    }
}

#[test]
fn what_stands_behind_a_dialog_stays_where_it_is() {
    let mut harness = dark(&format!("{}set-tab info\n", two()));
    let buttons = ["Add captures to before…", "Add captures to after…", "Compare with…", "≠"];
    let places = |harness: &Harness<'_, Shell>| {
        buttons.map(|text| harness.get_all_by_label(text).next().map(|node| node.rect()).expect("it is there"))
    };
    let before = places(&harness);
    apply(&mut harness, Command::TypePath(String::new()));
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::OpenPath(_))));
    assert_eq!(places(&harness), before);
}

#[test]
fn a_dialog_takes_the_tooltip_of_what_lies_under_it_away() {
    let mut harness = dark(&one());
    let row = harness.get_by_label_contains("net/http.(*conn).serve, ").rect();
    let tips = |harness: &Harness<'_, Shell>| harness.query_all_by_label_contains("net/http.(*conn).serve\ntotal ").count();
    harness.hover_at(row.center());
    harness.run_steps(8);
    assert_eq!(tips(&harness), 1);
    // By a key: the pointer stays where it is.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    harness.run_steps(8);
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::OpenPath(_))));
    assert_eq!(tips(&harness), 0);
    // The dialog's own are there.
    harness.get_by_label("Close").hover();
    harness.run_steps(8);
    harness.get_by_label("Close (Escape)");
}

#[test]
fn a_long_name_leaves_room_for_what_is_known_of_the_function() {
    let folder = tempfile::tempdir().unwrap();
    let pair = "std::pair<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const, int>";
    let name =
        format!("std::_Rb_tree<std::__cxx11::basic_string<char>, {pair}, std::_Select1st<{pair} >, std::less<{pair} > >::_M_lower_bound");
    let plain = format!("_ZN{}E", "9some_words".repeat(40));
    let path = folder.path().join("names.folded");
    std::fs::write(&path, format!("main;{name} 7\nmain;{plain} 3\nmain 1\n")).unwrap();
    let mut harness = dark(&(Command::Open(vec![path]).to_line() + "\n"));
    for (name, end) in [(&name, "_M_lower_bound"), (&plain, "wordsE")] {
        let selection = Selection { place: name.clone(), path: Vec::new() };
        apply(&mut harness, Command::Select(Some(selection)));
        let place = |harness: &Harness<'_, Shell>| harness.get_by_role_and_label(Role::Label, name).rect();
        assert!(place(&harness).height() < 3.5 * 17.0, "{}", place(&harness));
        for text in ["Zoom to selection", "Called by"] {
            let rect = harness.get_all_by_label(text).last().expect("it is there").rect();
            assert!(rect.bottom() < 690.0, "{text} can be seen: {rect}");
        }
        let texts = painted(&harness);
        let shown = texts.lines().filter(|line| line.ends_with(end)).max_by_key(|line| line.chars().count()).expect("its end is there");
        assert!(shown.contains('…') && shown.starts_with(&name[..4]), "{shown}");
        let at = place(&harness).center();
        harness.hover_at(at);
        harness.run_steps(8);
        harness.get_by_label_contains("Click to show all of it here");
        harness.get_by_role_and_label(Role::Label, name).click();
        harness.run();
        assert!(place(&harness).height() > 3.5 * 17.0 && painted(&harness).lines().any(|line| line == name));
        harness.get_by_role_and_label(Role::Label, name).click();
        harness.run();
        assert!(place(&harness).height() < 3.5 * 17.0);
    }
    // A name of a few words stands there as ever.
    apply(&mut harness, Command::Select(Some(Selection { place: "main".to_owned(), path: Vec::new() })));
    assert!(harness.query_by_label_contains("Click to show").is_none());
}

#[test]
fn a_dialog_is_not_as_wide_as_the_one_before_it() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::Shortcuts);
    let wide = place(&harness, "Close").right();
    apply(&mut harness, Command::CloseDialog);
    apply(&mut harness, Command::TypePath(String::new()));
    harness.run();
    assert!(place(&harness, "Close").right() < wide - 100.0, "{} after {wide}", place(&harness, "Close").right());
}

#[test]
fn a_menu_opens_under_the_pointer_while_another_one_is_open() {
    let mut harness = dark(&one());
    harness.get_by_label("File").click();
    harness.run();
    harness.get_by_label("Open recent");
    harness.get_by_label("View").hover();
    harness.run();
    harness.get_by_label("Taller flame rows");
    assert!(harness.query_by_label("Open recent").is_none(), "one menu at a time");
    harness.key_press_modifiers(Modifiers::NONE, Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Taller flame rows").is_none());
}

#[test]
fn the_menu_has_the_files_opened_lately() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::CloseAll);
    harness.get_by_label("File").click();
    harness.run();
    harness.get_by_label("Open recent").click();
    harness.run();
    let entry = "orders-cpu-before.pb.gz";
    harness.get_all_by_label_contains(entry).last().expect("it was opened").click();
    harness.run();
    harness.get_by_label("Capture: orders-cpu-before.pb.gz");
}

#[test]
fn a_bottom_up_row_says_the_self_value_that_its_column_shows_and_no_second_one() {
    let mut harness = dark(&format!("{}set-direction bottom-up\nset-tab call-tree\n", one()));
    let row = harness.get_by_label_contains("memeqbody, level 1, folded, self 210 ms").rect();
    harness.hover_at(row.center());
    harness.run();
    harness.get_by_label("on this path");
    harness.get_by_label("210,000,000 nanoseconds");
    assert!(harness.query_by_label("0 nanoseconds").is_none());
}

#[test]
fn with_the_details_open_a_small_screen_has_room_for_several_findings() {
    let mut harness = dark(&two());
    harness.get_by_label("Filter the findings");
    apply(&mut harness, Command::NextFinding);
    harness.run();
    let card = harness.get_by_label_contains("1 Regression: ").rect();
    let details = harness.get_by_label_contains("engine.go:101").rect().top() - 25.0;
    assert!(details - card.top() >= 3.0 * card.height(), "{details} {card}");
    assert!(harness.query_by_label("Filter the findings").is_none(), "it is folded");
    harness.get_by_label("More, thresholds and filter").click();
    harness.run();
    harness.get_by_label("Filter the findings");
    harness.get_by_label_contains("1 regression, no improvements");
}

#[test]
fn the_height_of_the_details_is_kept_for_the_next_time() {
    let top = |harness: &Harness<'_, Shell>| harness.get_by_label("Remark on the selection").rect().top();
    let mut harness = dark(&format!("{}next-finding\n", two()));
    let (first, x) = (top(&harness), 1100.0);
    let edge = harness.get_by_label_contains("engine.go:101").rect().top() - 25.0;
    let grip = (0..20).map(|up| edge - up as f32).find(|&y| {
        harness.hover_at(egui::pos2(x, y));
        harness.run();
        harness.output().platform_output.cursor_icon == egui::CursorIcon::ResizeVertical
    });
    let from = egui::pos2(x, grip.expect("an edge that can be dragged"));
    harness.drag_at(from);
    harness.run();
    harness.hover_at(from - egui::vec2(0.0, 60.0));
    harness.run();
    harness.drop_at(from - egui::vec2(0.0, 60.0));
    harness.run();
    assert!((first - top(&harness) - 60.0).abs() < 8.0, "{first} {}", top(&harness));
    let share = harness.state().app().settings().details_share;
    let again = dark(&format!("{}set-details-share {share}\nnext-finding\n", two()));
    assert!((top(&again) - top(&harness)).abs() < 2.0, "{} {}", top(&again), top(&harness));
}
