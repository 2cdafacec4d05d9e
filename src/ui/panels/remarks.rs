//! Remarks: a field for what is written about a function or about all that is shown, and the list of those that there are.
//!
//! Deliberately absent: what belongs to what, and where it is kept (`app::remarks`). Start reading at [`field_ui`].

use egui::{CollapsingHeader, Id, Key, KeyboardShortcut, Label, Modifiers, RichText, TextEdit, Ui};

use super::words;
use crate::app::view::Selection;
use crate::app::{App, Command};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};

/// Text that is being written; it becomes a remark once the keyboard is elsewhere.
#[derive(Clone)]
struct Draft {
    field: Id,
    function: Option<String>,
    text: String,
}

fn draft_id() -> Id {
    Id::unique("remark being written")
}

/// The field of a function, or of all that is shown.
fn field_id(function: Option<&str>) -> Id {
    Id::unique(("remark", function))
}

/// Puts the keyboard into the field for what is selected, or for all that is shown.
pub(in crate::ui) fn focus(ctx: &egui::Context, app: &App) {
    let function = app.view().selection.as_ref().map(|selection| selection.place.as_str());
    ctx.memory_mut(|memory| memory.request_focus(field_id(function)));
    ctx.data_mut(|data| data.insert_temp(Id::unique("remarks are wanted"), true));
}

/// Sends what was written once its field has lost the keyboard, or is gone. Call it once a frame.
pub(in crate::ui) fn settle(ctx: &egui::Context, out: &mut Outbox) {
    let draft: Option<Draft> = ctx.data(|data| data.get_temp(draft_id()));
    let is_over =
        |draft: &Draft| !ctx.memory(|memory| memory.has_focus(draft.field)) || ctx.input(|input| input.viewport().close_requested());
    if let Some(draft) = draft.filter(is_over) {
        ctx.data_mut(|data| data.remove::<Draft>(draft_id()));
        out.send(match draft.function {
            Some(function) => Command::RemarkOn(function, draft.text),
            None => Command::Remark(draft.text),
        });
    }
}

/// The field: Enter and leaving it end the remark, Shift+Enter begins a line.
pub(super) fn field_ui(ui: &mut Ui, cx: &Cx<'_>, function: Option<&str>, hint: &str) {
    let id = field_id(function);
    let draft: Option<Draft> = ui.data(|data| data.get_temp(draft_id()));
    let known = cx.app.remarks();
    let mut text = draft.filter(|draft| draft.field == id).map_or_else(|| known.on(function).to_owned(), |draft| draft.text);
    if ui.memory(|memory| memory.has_focus(id)) && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter)) {
        ui.memory_mut(|memory| memory.surrender_focus(id));
    }
    let field = TextEdit::multiline(&mut text)
        .id(id)
        .hint_text(hint)
        .font(fonts::body())
        .desired_rows(1)
        .desired_width(f32::INFINITY)
        .margin(egui::vec2(size::GAP, 2.0))
        .return_key(Some(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter)));
    let name = function.map_or("Remark on what is shown", |_| "Remark on the selection");
    let tip = "What colleagues should know: it stands in the list of findings, in presentations, reviews and saved comparisons, and is there the next time. \
               Enter ends it, Shift+Enter begins a line";
    let field = ui.add(field).accessible_name(name);
    if field.gained_focus() {
        field.scroll_to_me(None);
    }
    if field.changed() {
        let draft = Draft { field: id, function: function.map(str::to_owned), text };
        ui.data_mut(|data| data.insert_temp(draft_id(), draft));
    }
    if !field.has_focus() {
        field.on_hover_text(tip);
    }
}

/// All remarks, under a header: on what is shown, and on functions; a click selects the function.
pub(super) fn section_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let remarks = cx.app.remarks();
    let title = if remarks.is_empty() { "Remarks".to_owned() } else { format!("Remarks ({})", remarks.count()) };
    let wanted = ui.data_mut(|data| data.remove_temp::<bool>(Id::unique("remarks are wanted"))).is_some();
    let color = if remarks.is_empty() { cx.theme.muted } else { cx.theme.text };
    let header = CollapsingHeader::new(RichText::new(title).color(color)).id_salt("remarks").default_open(!remarks.is_empty());
    let header = header.open((wanted && cx.app.view().selection.is_none()).then_some(true)).show(ui, |ui| {
        let hint = if cx.app.view().is_comparison() { "Remark on the whole comparison…" } else { "Remark on the whole capture…" };
        field_ui(ui, cx, None, hint);
        for (name, text) in remarks.functions() {
            ui.add_space(size::GAP);
            if ui.add(egui::Link::new(RichText::new(words::whole(name)).font(fonts::table()))).clicked() {
                out.send(Command::Select(Some(Selection { place: name.to_owned(), path: Vec::new() })));
            }
            ui.add(Label::new(text).wrap());
        }
    });
    if header.header_response.gained_focus() {
        header.header_response.scroll_to_me(None);
    }
}
