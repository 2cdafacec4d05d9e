//! Remarks in the window: writing them, where they are shown, and what gives them up.

use egui::{Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::app::Command;
use emberlens::app::view::Selection;
use emberlens::ui::shell::Shell;

use crate::stage::{apply, dark, one, two};

const NAME: &str = "orders/internal/pricing.(*Engine).Discount";

fn write(harness: &mut Harness<'_, Shell>, field: &str, text: &str) {
    harness.get_by_label(field).focus();
    harness.run();
    harness.get_by_label(field).type_text(text);
    harness.run();
}

fn said(harness: &Harness<'_, Shell>, function: Option<&str>) -> String {
    harness.state().app().remarks().on(function).to_owned()
}

#[test]
fn what_is_written_about_a_finding_stands_on_its_row_in_presentations_and_can_be_undone() {
    let mut harness = dark(&(two() + "set-tab findings\nnext-finding\n"));
    write(&mut harness, "Remark on the selection", "Builds a map for each order");
    assert_eq!(said(&harness, Some(NAME)), "", "not before it is written to its end");
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(said(&harness, Some(NAME)), "Builds a map for each order");
    harness.get_by_label("“Builds a map for each order”");
    harness.get_by_label("Remarks (1)");
    apply(&mut harness, Command::Present(true));
    assert_eq!(harness.get_all_by_label("“Builds a map for each order”").count(), 2, "in large letters, and on the row");
    apply(&mut harness, Command::Present(false));
    // The presentation began and ended since.
    for _ in 0..3 {
        apply(&mut harness, Command::Undo);
    }
    assert_eq!(said(&harness, Some(NAME)), "");
    assert!(harness.query_by_label("“Builds a map for each order”").is_none());
}

#[test]
fn half_a_remark_is_kept_where_another_function_is_selected_and_keys_do_not_act_meanwhile() {
    let mut harness = dark(&(two() + "next-finding\n"));
    write(&mut harness, "Remark on the selection", "drop it, x");
    assert!(harness.state().app().view().filter.is_empty(), "d drops nothing while somebody types");
    apply(&mut harness, Command::Select(Some(Selection { place: "runtime.mallocgc".to_owned(), path: Vec::new() })));
    harness.run();
    assert_eq!(said(&harness, Some(NAME)), "drop it, x");
    assert_eq!(said(&harness, Some("runtime.mallocgc")), "");
}

#[test]
fn a_key_leads_to_the_field_and_the_whole_has_one_too() {
    for (script, field) in
        [(two(), "Remark on what is shown"), (one(), "Remark on what is shown"), (two() + "next-finding\n", "Remark on the selection")]
    {
        let mut harness = dark(&script);
        harness.key_press_modifiers(Modifiers::NONE, Key::E);
        harness.run();
        harness.run();
        let node = harness.get_by_label(field);
        assert!(node.is_focused(), "{field}");
        node.type_text("Slower & known");
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        assert_eq!(harness.state().app().remarks().count(), 1);
    }
}
