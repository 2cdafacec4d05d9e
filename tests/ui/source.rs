//! The source view: lines with their values, files that are not there, and the dialog that says where they are.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use emberlens::app::source::SourceSpec;
use emberlens::app::view::{Selection, Tab};
use emberlens::app::{Command, Dialog, FolderList};

use crate::stage::{apply, dark, one, sample, two};

fn select(place: &str) -> Command {
    Command::Select(Some(Selection { place: place.to_owned(), path: Vec::new() }))
}

fn discount() -> Command {
    select("orders/internal/pricing.(*Engine).Discount")
}

#[test]
fn a_key_shows_the_source_of_the_selection_with_what_its_lines_cost() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::SetSource(SourceSpec { folders: vec![sample("src")], trims: Vec::new() }));
    apply(&mut harness, discount());
    harness.key_press_modifiers(Modifiers::NONE, Key::L);
    harness.run();
    assert_eq!(harness.state().app().view().tab, Tab::Source);
    harness.get_by_label_contains("line 115, self 220 ms, total 220 ms, if r.segments");
    harness.get_by_label("line 116, continue");
    apply(&mut harness, select("runtime.futex"));
    harness.get_by_label_contains("runtime/sys_linux_amd64.s: the file is neither there nor below the source folders");
}

#[test]
fn a_comparison_has_both_sides_of_a_line_and_the_measure_can_be_switched() {
    let mut harness = dark(&two());
    apply(&mut harness, discount());
    apply(&mut harness, Command::SetTab(Tab::Source));
    harness.get_by_label_contains("line 115, self before 11.0 ms/s, after 74.5 ms/s");
    harness.get_by_label("Total").click();
    harness.run();
    harness.get_by_label_contains("line 120, total before 3.50 ms/s, after 24.0 ms/s");
}

#[test]
fn where_files_are_can_be_said_where_they_are_missing() {
    let mut harness = dark(&one());
    apply(&mut harness, discount());
    apply(&mut harness, Command::SetTab(Tab::Source));
    harness.get_by_label_contains("the file is not on this machine");
    harness.get_by_label("Say where source files are…").click();
    harness.run();
    assert_eq!(harness.state().app().dialog(), Some(&Dialog::Folders(FolderList::Source, String::new())));
    let folder = sample("src").display().to_string();
    harness.get_by_label("Folders with source files, one a line").type_text(&folder);
    harness.run();
    harness.get_by_label("Use").click();
    harness.run();
    assert_eq!(harness.state().app().settings().source.folders, [sample("src")]);
    harness.get_by_label_contains("total 220 ms, if r.segments");
}

#[test]
fn where_binaries_are_can_be_said_in_a_field_that_takes_in_chosen_folders() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::EditFolders(FolderList::Symbols, "No dialog of the system".to_owned()));
    harness.get_by_label_contains("No dialog of the system");
    assert!(harness.query_by_label("Beginnings of paths to leave out, one a line").is_none(), "that is for source files");
    let field = "Folders with binaries and debug files, one a line";
    harness.get_by_label(field).type_text("/opt/root");
    harness.run();
    apply(&mut harness, Command::AddFolder(FolderList::Symbols, sample("sysroot")));
    assert_eq!(harness.get_by_label(field).value().unwrap_or_default(), sample("sysroot").display().to_string());
    harness.get_by_label("Use").click();
    harness.run();
    assert_eq!(harness.state().app().symbol_roots(), [sample("sysroot")]);
    assert_eq!(harness.state().app().dialog(), None);
}

#[test]
fn without_a_function_there_are_some_to_choose_from() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::SetTab(Tab::Source));
    harness.get_by_label_contains("Source of orders/internal/pricing.(*Engine).Discount").click();
    harness.run();
    harness.get_by_label_contains("line 115, self 220 ms");
    apply(&mut harness, Command::SetGranularity(emberlens::analysis::Granularity::Package));
    harness.get_by_label_contains("A package or module has no lines");
}
