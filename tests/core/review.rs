//! The page for a review: complete in itself, whatever the captures hold.

use std::path::Path;

use crate::cli::{export, sample, stdout};

const BEFORE: &str = "pprof/go1.27.3/orders-cpu-before.pb.gz";
const AFTER: &str = "pprof/go1.27.3/orders-cpu-after.pb.gz";

/// Every element is closed by its own end tag, but for those that have none.
fn check(page: &str) {
    const ALONE: [&str; 2] = ["meta", "br"];
    let mut open: Vec<&str> = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a document of HTML");
    for tag in body.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !ALONE.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} are open");
    assert_eq!(page.matches("<html").count(), 1);
    assert!(!page.contains("<script"), "the page itself runs nothing");
    let outside = page.split("data:image").next().unwrap_or_default();
    assert!(!outside.contains("http:") && !outside.contains("https:"), "it asks no server");
}

/// Text between tags.
fn words(page: &str) -> String {
    let text: String = page.split('<').filter_map(|rest| rest.split_once('>')).map(|(_, text)| text).collect();
    ["&lt;<", "&gt;>", "&quot;\"", "&#39;'", "&amp;&"].iter().fold(text, |text, pair| {
        let (from, to) = pair.split_at(pair.len() - 1);
        text.replace(from, to)
    })
}

#[test]
fn a_comparison_is_one_page_with_the_answer_and_what_it_rests_on() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (sample(BEFORE), sample(AFTER));
    let page = String::from_utf8(export(folder.path(), "review.html", &["--diff", &before, &after])).unwrap();
    check(&page);
    let said = words(&page);
    let text = stdout(&["diff", &before, &after]);
    let summary = text.lines().find(|line| line.starts_with("cpu per second rose")).expect("a summary");
    assert!(said.contains(summary), "{summary}");
    for part in ["orders/internal/pricing.(*Engine).Discount", "7.21×", "4.88× to 11.00×", "another build: functions are matched by name"]
    {
        assert!(said.contains(part), "{part}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("note: ")) {
        assert!(said.contains(line), "{line}");
    }
    assert!(said.contains("emberlens export -o "), "it says how to write it again");
    assert!(page.contains("data:image/svg+xml"));
    assert_eq!(stdout(&["diff", &before, &after, "--html"]).matches("<h2>").count(), page.matches("<h2>").count());
}

#[test]
fn a_capture_is_one_page_with_its_table_and_import_report() {
    let folder = tempfile::tempdir().unwrap();
    let page = String::from_utf8(export(folder.path(), "review.html", &[&sample(BEFORE), "--theme", "dark"])).unwrap();
    check(&page);
    let said = words(&page);
    for part in
        ["335 sample records in the file = 335 used + 0 skipped", "orders/internal/pricing.(*Engine).Discount", "100 % = 4.44 s cpu"]
    {
        assert!(said.contains(part), "{part}");
    }
}

#[test]
fn names_of_captures_are_no_markup() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let evil = "<script>alert(1)</script>\"'&";
    for (name, count) in [("a.folded", 500), ("b'<b>.folded", 2000)] {
        std::fs::write(path(name), format!("main;{evil} {count}\nmain;other 4000\nmain;third 3000\n")).unwrap();
    }
    let page = String::from_utf8(export(folder.path(), "x.html", &["--diff", &path("a.folded"), &path("b'<b>.folded")])).unwrap();
    check(&page);
    assert!(words(&page).contains(evil), "the name stands there as it is");
    assert!(Path::new(&path("x.html")).exists());
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zero.folded").display().to_string();
    std::fs::write(&path, "main;f 0\n").unwrap();
    let page = String::from_utf8(export(folder.path(), "x.html", &[&path])).unwrap();
    check(&page);
    assert!(words(&page).contains("no stack has a value in samples"), "{}", words(&page));
}
