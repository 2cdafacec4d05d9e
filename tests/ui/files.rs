//! Files that come from outside: dropped by the window system, typed, pasted; and where exports are written to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::app::view::CaptureId;
use emberlens::app::{App, Command, Dialog, Options};
use emberlens::ui::{shell::Shell, theme::Theme};

use crate::stage::{AFTER, BEFORE, apply, archive, dark, one, over, painted, sample, two};

/// A file as the window system hands it over.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn drop_files(harness: &mut Harness<'_, Shell>, paths: &[PathBuf]) {
    let files = paths.iter().map(|path| Arc::new(Dropped(path.clone())) as egui::DroppedFileHandle);
    harness.input_mut().dropped_files = files.collect();
    harness.run();
}

#[test]
fn files_over_the_window_say_what_dropping_them_does() {
    let mut harness = dark("");
    for (count, words) in [(1, "Drop to open"), (2, "Drop to compare both"), (3, "Drop to compare several captures a side, or to open all")]
    {
        harness.input_mut().hovered_files = vec![egui::HoveredFile::default(); count];
        harness.step();
        assert!(painted(&harness).lines().any(|line| line == words), "{words}");
    }
    harness.input_mut().hovered_files.clear();
    harness.run();
    assert!(!painted(&harness).contains("Drop to "));
}

#[test]
fn one_dropped_file_opens_and_a_second_one_too() {
    let mut harness = dark("");
    drop_files(&mut harness, &[sample(BEFORE)]);
    harness.get_by_label("Capture: orders-cpu-before.pb.gz");
    drop_files(&mut harness, &[sample(AFTER)]);
    harness.get_by_label("Capture: orders-cpu-after.pb.gz");
    assert_eq!(harness.state().app().captures().len(), 2, "the first one stays open");
    assert!(!harness.state().app().view().is_comparison());
}

#[test]
fn two_dropped_files_are_asked_for_their_order_also_over_a_comparison() {
    for script in [String::new(), two()] {
        let mut harness = dark(&script);
        drop_files(&mut harness, &[sample(AFTER), sample(BEFORE)]);
        harness.get_by_label("Before: orders-cpu-before.pb.gz, after: orders-cpu-after.pb.gz").click();
        harness.run();
        assert!(harness.state().app().view().is_comparison());
        assert_eq!(harness.state().app().dialog(), None);
    }
}

#[test]
fn an_archive_that_is_dropped_asks_which_capture() {
    let (_folder, path) = archive();
    let mut harness = dark("");
    drop_files(&mut harness, &[path]);
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::WhichMember(_, choice)) if choice.len() == 2));
    harness.get_by_label_contains("after.pb.gz").click();
    harness.run();
    harness.get_by_label("Capture: runs.tar!after.pb.gz");
    assert_eq!(harness.state().app().captures().len(), 1, "what stood for the archive is gone");
}

#[test]
fn folders_and_files_that_are_no_profile_say_so_where_the_picture_would_stand() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "Dear diary,\nnothing to see here.\n").unwrap();
    for (path, words) in [(folder.path().to_owned(), "is a folder"), (text, "Dear diary")] {
        let mut harness = dark("");
        drop_files(&mut harness, &[path]);
        harness.get_by_label_contains("cannot be read");
        let why = harness.get_by_label("Error").value().unwrap_or_default();
        assert!(why.contains(words), "{why}");
        // And nothing of it stands in the way of the next one.
        drop_files(&mut harness, &[sample(BEFORE)]);
        harness.get_by_label("Capture: orders-cpu-before.pb.gz");
    }
}

#[test]
fn a_typed_path_that_is_not_there_is_named_and_a_folder_of_perf_record_opens() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("perf.data");
    std::fs::create_dir(&record).unwrap();
    std::fs::copy(sample("perf-data/6.1.187/indexer-before.perf.data"), record.join("data")).unwrap();
    let mut harness = dark("");
    for (path, words) in [(folder.path().join("none.pb.gz"), "is not there"), (folder.path().to_owned(), "is a folder")] {
        apply(&mut harness, Command::TypePath(String::new()));
        harness.get_by_label("Path").type_text(&path.display().to_string());
        harness.run();
        harness.get_by_label_contains(&format!("{} {words}", path.display()));
        harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
        harness.run();
        assert!(harness.state().app().captures().is_empty(), "{words}");
        apply(&mut harness, Command::CloseDialog);
    }
    apply(&mut harness, Command::TypePath(String::new()));
    harness.get_by_label("Path").type_text(&record.display().to_string());
    harness.run();
    harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
    harness.run();
    harness.get_by_label("Capture: perf.data");
}

#[test]
fn of_pasted_lines_those_are_opened_that_are_files() {
    let mut harness = dark("");
    let text = format!("{}\n{}.not\n", sample(BEFORE).display(), sample(BEFORE).display());
    harness.event(egui::Event::Paste(text));
    harness.run();
    harness.get_by_label("Capture: orders-cpu-before.pb.gz");
    harness.event(egui::Event::Paste("neither of these\nis a file\n".to_owned()));
    harness.run();
    assert_eq!(harness.state().app().captures().len(), 1);
}

#[test]
fn an_export_over_an_open_capture_is_refused_and_one_over_another_file_is_announced() {
    let folder = tempfile::tempdir().unwrap();
    let (open, other) = (folder.path().join("open.pb.gz"), folder.path().join("other.svg"));
    std::fs::copy(sample(BEFORE), &open).unwrap();
    std::fs::write(&other, "old").unwrap();
    let mut harness = dark(&Command::Open(vec![open.clone()]).to_line());
    let bytes = std::fs::read(&open).unwrap();
    for ending in ["pb.gz", "png"] {
        let target = open.with_extension("").with_extension(ending);
        if ending == "png" {
            std::fs::rename(&open, &target).unwrap();
            apply(&mut harness, Command::Open(vec![target.clone()]));
        }
        apply(&mut harness, Command::Export(target.clone()));
        let said = harness.state().app().messages().last().map(|message| message.text.clone()).unwrap_or_default();
        assert!(said.contains("captures are never changed"), "{said}");
        assert_eq!(std::fs::read(&target).unwrap(), bytes);
    }
    let mut harness = dark(&one());
    let write = |harness: &mut Harness<'_, Shell>, path: &Path| {
        apply(harness, Command::TypeExportPath(path.display().to_string()));
        harness.run();
    };
    write(&mut harness, &other);
    harness.get_by_label("This file exists and will be replaced");
    apply(&mut harness, Command::CloseDialog);
    write(&mut harness, &folder.path().join("none").join("x.svg"));
    harness.get_by_label("This folder is not there");
    apply(&mut harness, Command::CloseDialog);
    write(&mut harness, folder.path());
    harness.get_by_label("This is a folder: add the name of a file");
    apply(&mut harness, Command::CloseDialog);
    write(&mut harness, &other);
    harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
    harness.run();
    assert!(std::fs::read_to_string(&other).unwrap().starts_with("<?xml"));
    assert_eq!(harness.state().app().view().after, Some(CaptureId(1)));
}

#[test]
fn a_failure_goes_after_a_while_but_not_under_the_pointer_and_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = dark(&one());
    let fail = |harness: &mut Harness<'_, Shell>| {
        apply(harness, Command::Export(folder.path().join("none").join("x.svg")));
        assert!(harness.state().app().messages().last().is_some_and(|message| message.is_error));
    };
    let delay = |harness: &Harness<'_, Shell>| harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay.as_secs_f64();
    let wait = |harness: &mut Harness<'_, Shell>, seconds: f64| {
        let until = harness.ctx.input(|input| input.time) + seconds;
        while harness.ctx.input(|input| input.time) < until {
            harness.step();
        }
    };
    let shown = |harness: &Harness<'_, Shell>| harness.query_by_label("Dismiss message").is_some();
    fail(&mut harness);
    wait(&mut harness, 9.0);
    assert!(shown(&harness), "there is more to read than of a success");
    assert!((1.0..4.0).contains(&delay(&harness)), "nothing is drawn before it goes: {}", delay(&harness));
    let at = harness.get_by_label_contains("Not written: ").rect().center();
    harness.hover_at(at);
    wait(&mut harness, 30.0);
    assert!(shown(&harness), "somebody reads it");
    harness.hover_at(egui::pos2(640.0, 10.0));
    wait(&mut harness, 13.0);
    assert!(!shown(&harness));
    assert!(delay(&harness) > 3600.0, "{}", delay(&harness));
    harness.get_by_label("⚠ 1 failure").click();
    harness.run();
    assert_eq!(harness.state().app().dialog(), Some(&Dialog::Messages));
    harness.get_by_label_contains("Not written: ");
    apply(&mut harness, Command::CloseDialog);
    assert!(harness.query_by_label_contains(" failure").is_none(), "somebody saw it");
    // What is closed by hand was read.
    fail(&mut harness);
    harness.get_by_label("Dismiss message").click();
    harness.run();
    assert!(!shown(&harness) && harness.query_by_label_contains(" failure").is_none());
    assert_eq!(harness.state().app().past_messages().len(), 2);
}

#[test]
fn without_a_file_dialog_the_other_capture_is_typed_and_compared_with_the_one_shown() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::ChooseComparison);
    harness.get_by_label("Compare orders-cpu-before.pb.gz with another capture");
    harness.get_by_label("Path").type_text(&sample(AFTER).display().to_string());
    harness.run();
    harness.key_press_modifiers(Modifiers::NONE, Key::Enter);
    harness.run();
    harness.get_by_label("Before: orders-cpu-before.pb.gz, after: orders-cpu-after.pb.gz").click();
    harness.run();
    harness.get_by_label("Before: orders-cpu-before.pb.gz");
    harness.get_by_label("After: orders-cpu-after.pb.gz");
}

#[test]
fn nothing_of_another_capture_stands_beside_the_name_of_the_one_that_is_being_made() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.folded");
    // Large enough that reading it and building its tree take many frames.
    let line = |at: usize| format!("main;a{};b{};c{};d{};e{at} 1\n", at % 7, at % 101, at % 1009, at % 5003);
    std::fs::write(&large, (0..60_000).map(line).collect::<String>()).unwrap();
    let mut harness = over(App::new(Options::default()), &Theme::dark());
    let settle = |harness: &mut Harness<'_, Shell>, look: &mut dyn FnMut(&Harness<'_, Shell>)| {
        for _ in 0..20_000 {
            harness.step();
            look(harness);
            let app = harness.state().app();
            if app.running().is_empty() && app.flame().ready().is_some() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        panic!("the work has no end");
    };
    let shows_first = |harness: &Harness<'_, Shell>| {
        let text = painted(harness);
        ["100 % = 4.44 s", "net/http", "runtime."].map(|word| text.contains(word)).contains(&true)
    };
    let open = |harness: &mut Harness<'_, Shell>, path: &Path| {
        let ctx = harness.ctx.clone();
        harness.state_mut().apply(&ctx, Command::Open(vec![path.to_owned()]));
    };
    open(&mut harness, &sample(BEFORE));
    settle(&mut harness, &mut |_| {});
    assert!(shows_first(&harness));
    let mut making = 0;
    open(&mut harness, &large);
    settle(&mut harness, &mut |harness| {
        harness.get_by_label("Capture: large.folded");
        assert!(!shows_first(harness), "{}", painted(harness));
        making += usize::from(!harness.state().app().profiles().is_empty() && harness.state().app().table().ready().is_none());
    });
    assert!(making > 0, "it was made while we looked");
    // Of the same capture the old picture stays, dimmed, until the new one is there.
    let (mut old, mut empty) = (0, 0);
    let ctx = harness.ctx.clone();
    harness.state_mut().apply(&ctx, Command::Focus("a3".to_owned()));
    settle(&mut harness, &mut |harness| match harness.state().app().shown_flame() {
        Some((_, _, is_old)) => old += usize::from(is_old),
        None => empty += 1,
    });
    assert!(old > 0 && empty == 0, "{old} {empty}");
}

#[test]
fn captures_that_do_not_compare_say_what_they_hold() {
    let pair = Command::OpenComparison(sample(BEFORE), sample("pprof/go1.27.3/orders-heap-after.pb.gz"));
    let mut harness = dark(&pair.to_line());
    harness.get_by_label("This cannot be shown");
    harness.get_all_by_label("Capture info").last().expect("a button below the error").click();
    harness.run();
    harness.get_by_label("Open captures");
    harness.get_by_label("inuse_space / bytes");
    apply(&mut harness, Command::SetTab(emberlens::app::view::Tab::Top));
    harness.get_by_label("This cannot be shown");
}
