//! What stands under the findings: differences of the captures, how it was judged, names, and everything else in grey.

use egui::{CollapsingHeader, Label, RichText, Ui};

use super::List;
use super::rows::{self, Columns};
use crate::analysis::comparable::Concern;
use crate::analysis::comparison::percent;
use crate::analysis::regress::{Answer, Findings};
use crate::app::Command;
use crate::app::view::{Selection, Tab};
use crate::model::{counted, grouped};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::panels::rows::places_word;
use crate::ui::panels::words;
use crate::ui::theme::fonts;

/// Rows of others that the side shows; the top table has all.
const OTHERS: usize = 300;

/// In what the captures differ: open where it bends the numbers.
pub(super) fn differences_ui(ui: &mut Ui, cx: &Cx<'_>, findings: &Findings) {
    if findings.differences.is_empty() {
        return;
    }
    let warnings = findings.differences.iter().filter(|row| row.concern == Concern::Warning).count();
    let (title, color) = match warnings {
        0 => ("Differences between the captures".to_owned(), cx.theme.muted),
        n => (format!("⚠ {} the numbers", counted(n as u64, "difference bends", "differences bend")), cx.theme.warning),
    };
    CollapsingHeader::new(RichText::new(title).color(color)).id_salt("differences").default_open(warnings > 0).show(ui, |ui| {
        for row in &findings.differences {
            let color = if row.concern == Concern::Warning { cx.theme.warning } else { cx.theme.muted };
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(row.what).color(color).font(fonts::strong()));
                let side = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
                ui.label(words::number(&format!("{} → {}", side(&row.before), side(&row.after))));
            });
            let text = if row.concern == Concern::Scaled { format!("taken out: {}", row.text) } else { row.text.clone() };
            ui.add(Label::new(RichText::new(text).color(cx.theme.muted).font(fonts::small())).wrap());
        }
    });
}

pub(super) fn notes_ui(ui: &mut Ui, cx: &Cx<'_>, findings: &Findings) {
    if findings.notes.is_empty() {
        return;
    }
    CollapsingHeader::new(RichText::new("How this was judged").color(cx.theme.muted)).id_salt("judged").show(ui, |ui| {
        for note in &findings.notes {
            ui.add(Label::new(RichText::new(note).color(cx.theme.muted).font(fonts::small())).wrap());
        }
        ui.label(
            RichText::new(format!("{} tested", counted(findings.tests as u64, "row was", "rows were")))
                .color(cx.theme.muted)
                .font(fonts::small()),
        );
    });
}

/// How many names were matched by more than being equal, and the way to their list.
pub(super) fn names_ui(ui: &mut Ui, cx: &Cx<'_>, findings: &Findings, out: &mut Outbox) {
    let matched = &findings.matching;
    if matched.rows.is_empty() {
        return;
    }
    CollapsingHeader::new(RichText::new("How names were matched").color(cx.theme.muted)).id_salt("names").show(ui, |ui| {
        ui.add(Label::new(RichText::new(matched.sentence()).color(cx.theme.muted).font(fonts::small())).wrap());
        if ui.link("Show, accept and take back").clicked() {
            out.send(Command::SetTab(Tab::Names));
        }
    });
}

/// Everything that is no finding, with its numbers, in grey.
pub(super) fn others_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, columns: &Columns, out: &mut Outbox) {
    let count = list.others.len();
    let left_out = list.findings.others_left_out;
    let growth = list.findings.growth;
    let open = list.others.iter().filter(|row| row.answer(growth) == Answer::CannotTell).count();
    let word = places_word(cx.app.view().granularity, count + left_out);
    let title = match left_out {
        0 => format!("Everything else: {} {word}", grouped(count as u64)),
        _ => format!("Everything else: {} of {} {word}", grouped(count as u64), grouped((count + left_out) as u64)),
    };
    // Where nothing is named and there is room, what stayed is all there is to read.
    let is_open = list.findings.rows.is_empty() && !columns.is_narrow();
    let id = ("others", is_open);
    let header = CollapsingHeader::new(RichText::new(title).color(cx.theme.muted)).id_salt(id).default_open(is_open);
    // A header makes the side as wide as its words: what may be long stands below it and wraps.
    let mut hidden = (open > 0).then(|| format!("{} of them could hide a growth of {}", grouped(open as u64), percent(growth)));
    // Not indented: the columns stand under their heads.
    let mut hidden_ui = |ui: &mut Ui| {
        if let Some(hidden) = hidden.take() {
            // Under the words of the header and not under its mark.
            ui.indent("hidden", |ui| ui.add(Label::new(RichText::new(hidden).color(cx.theme.muted).font(fonts::small())).wrap()));
        }
    };
    let unchanged = words::unchanged_ratio(list.comparison, list.findings);
    header.show_unindented(ui, |ui| {
        hidden_ui(ui);
        for row in list.others.iter().take(OTHERS) {
            if rows::other_ui(ui, cx, list.comparison, row, columns, unchanged).clicked() {
                out.send(Command::Select(Some(Selection { place: row.func.clone(), path: Vec::new() })));
            }
        }
        if count > OTHERS {
            let text = format!("{} more stand in the top table", count - OTHERS);
            ui.label(RichText::new(text).color(cx.theme.muted).font(fonts::small()));
        }
    });
    hidden_ui(ui);
}
