//! What people wrote about what is compared: about all of it, and about single functions.
//!
//! Reports show it beside the numbers, and a pprof file keeps it in its comments, so that a saved comparison brings it along. Deliberately absent:
//! who may change it and what is kept between runs (see `app::remarks`). Start reading at [`Remarks`].

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::page::Page;
use super::table::{Align, Table, markdown_escape, push_line};
use crate::model::Profile;

/// How a comment of a pprof file begins that holds a remark.
const MARK: &str = "emberlens: remark ";

/// Most characters of a remark: it is a remark and no document.
const LONGEST: usize = 4000;

/// Remarks on one capture or one comparison; none of them is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remarks {
    /// On all of it; empty = none.
    whole: String,
    /// On functions, by name.
    functions: BTreeMap<String, String>,
}

/// A remark as a comment holds it.
#[derive(Serialize, Deserialize)]
struct Comment<T> {
    /// Name of the function; none = all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<T>,
    text: T,
}

impl Remarks {
    /// True where nothing was written.
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.functions.is_empty()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        usize::from(!self.whole.is_empty()) + self.functions.len()
    }

    /// What was written about a function, or about all of it; empty = nothing.
    pub fn on(&self, function: Option<&str>) -> &str {
        match function {
            Some(name) => self.functions.get(name).map_or("", String::as_str),
            None => &self.whole,
        }
    }

    /// The functions with a remark, by name.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.functions.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Says what is written about a function, or about all of it; blanks around it are left out, and a text without letters takes the remark away.
    pub fn set(&mut self, function: Option<&str>, text: &str) {
        let text: String = text.trim().chars().take(LONGEST).collect();
        match function {
            Some(name) if text.is_empty() => drop(self.functions.remove(name)),
            Some(name) => drop(self.functions.insert(name.to_owned(), text)),
            None => self.whole = text,
        }
    }

    /// Those of two that both changed `base`: what is changed in `ours`, and else `theirs`.
    pub fn together(base: &Self, ours: &Self, theirs: &Self) -> Self {
        let mut made = theirs.clone();
        let functions = base.functions.keys().chain(ours.functions.keys()).map(|name| Some(name.as_str()));
        for function in std::iter::once(None).chain(functions).filter(|function| base.on(*function) != ours.on(*function)) {
            made.set(function, ours.on(function));
        }
        made
    }

    /// The comments that hold them.
    pub fn comments(&self) -> impl Iterator<Item = String> {
        let whole = (!self.whole.is_empty()).then_some((None, self.whole.as_str()));
        let all = whole.into_iter().chain(self.functions().map(|(name, text)| (Some(name), text)));
        all.filter_map(|(on, text)| Some(format!("{MARK}{}", serde_json::to_string(&Comment { on, text }).ok()?)))
    }

    /// Puts them into a profile in the place of those that it has.
    pub fn keep_in(&self, profile: &mut Profile) {
        profile.info.comments.retain(|comment| !is_remark(comment));
        profile.info.comments.extend(self.comments());
    }

    /// Those that captures bring along; of two on one function the later one.
    pub fn of(captures: impl IntoIterator<Item: Borrow<Arc<Profile>>>) -> Self {
        let mut made = Self::default();
        captures.into_iter().for_each(|profile| made.read(&profile.borrow().info.comments));
        made
    }

    /// Those that comments hold.
    pub(super) fn of_comments(comments: &[String]) -> Self {
        let mut made = Self::default();
        made.read(comments);
        made
    }

    fn read(&mut self, comments: &[String]) {
        let read = |comment: &String| serde_json::from_str::<Comment<String>>(comment.strip_prefix(MARK)?).ok();
        for Comment { on, text } in comments.iter().filter_map(read) {
            self.set(on.as_deref(), &text);
        }
    }

    /// As text in front of a report; empty where there are none.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.is_empty() {
            return text;
        }
        push_line(&mut text, format_args!("remarks:"));
        self.whole.lines().for_each(|line| push_line(&mut text, format_args!("  {line}")));
        for (name, remark) in self.functions() {
            push_line(&mut text, format_args!("  {name}"));
            remark.lines().for_each(|line| push_line(&mut text, format_args!("    {line}")));
        }
        text
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let lines = |text: &str| text.lines().map(markdown_escape).collect::<Vec<_>>();
        if !self.whole.is_empty() {
            // Two blanks at its end keep a line a line.
            push_line(&mut text, format_args!("{}\n", lines(&self.whole).join("  \n")));
        }
        for (name, remark) in self.functions() {
            push_line(&mut text, format_args!("- **{}**: {}", markdown_escape(name), lines(remark).join("  \n  ")));
        }
        if !self.functions.is_empty() {
            text.push('\n');
        }
        text
    }

    /// Puts them on a page; nothing where there are none.
    pub(super) fn put(&self, page: &mut Page) {
        if self.is_empty() {
            return;
        }
        page.heading("Remarks");
        page.words(&self.whole);
        if self.functions.is_empty() {
            return;
        }
        let mut table = Table::new([("function", Align::Left), ("remark", Align::Left)]);
        for (name, remark) in self.functions() {
            table.row([name.to_owned(), remark.to_owned()]);
        }
        page.table(&table);
    }
}

/// True for a comment that holds a remark: it is shown as one and not as a comment.
pub fn is_remark(comment: &str) -> bool {
    comment.starts_with(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Builder;

    fn remarks() -> Remarks {
        let mut made = Remarks::default();
        made.set(None, " The new ranker sorts twice.\nTo be fixed first. ");
        made.set(Some("shop.(*Index).Rank"), "sorts \"by\" reflection <b>");
        made.set(Some("a.f"), "x");
        made.set(Some("a.f"), " \n ");
        made
    }

    #[test]
    fn what_is_taken_away_is_gone_and_blanks_are_no_remark() {
        let made = remarks();
        assert_eq!((made.count(), made.on(Some("a.f")), made.on(None)), (2, "", "The new ranker sorts twice.\nTo be fixed first."));
        let mut none = made;
        none.set(None, "");
        none.set(Some("shop.(*Index).Rank"), "");
        assert!(none.is_empty() && none == Remarks::default());
        none.set(None, &"é".repeat(LONGEST + 1));
        assert_eq!(none.on(None).chars().count(), LONGEST);
    }

    #[test]
    fn a_profile_brings_them_along_and_keeps_its_other_comments() {
        let mut profile = Builder::new([("samples", "count")]).finish();
        profile.info.comments = vec!["build 7".to_owned(), format!("{MARK}{{\"text\":\"old\"}}"), format!("{MARK}no json")];
        remarks().keep_in(&mut profile);
        assert_eq!(profile.info.comments.iter().filter(|comment| !is_remark(comment)).count(), 1);
        let profile = Arc::new(profile);
        assert_eq!(Remarks::of([&profile, &profile]), remarks());
    }

    #[test]
    fn reports_have_every_word_and_no_markup_of_it() {
        let text = remarks().text();
        assert_eq!(
            text,
            "remarks:\n  The new ranker sorts twice.\n  To be fixed first.\n  shop.(*Index).Rank\n    sorts \"by\" reflection <b>\n"
        );
        let markdown = remarks().markdown();
        assert!(markdown.starts_with("The new ranker sorts twice.  \nTo be fixed first.\n\n- **shop."), "{markdown}");
        assert!(!markdown.contains(" <b>"), "{markdown}");
        let mut page = Page::new("t", crate::report::PictureTheme::Light);
        remarks().put(&mut page);
        let html = page.finish();
        assert!(html.contains("<h2>Remarks</h2>") && html.contains("reflection &lt;b&gt;"), "{html}");
        let none = Remarks::default();
        assert_eq!((none.text(), none.markdown()), (String::new(), String::new()));
    }
}
