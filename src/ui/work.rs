//! Fields for the work of both sides: numbers that only the user knows, or what stands for a request in the captures.

use egui::{Button, Id, RichText, TextEdit, TextWrapMode, Ui};

use super::cx::{Cx, Outbox};
use super::memory::{self, Kept};
use super::theme::fonts;
use crate::analysis::comparison::{Marker, Normalization, Work};
use crate::app::Command;
use crate::model::{Profile, Unit};

/// Most candidates for a marker that are offered.
const OFFERED: usize = 24;

/// What is typed: amounts before and after, and a marker.
#[derive(Clone, Default)]
struct Typed {
    amounts: [String; 2],
    marker: String,
}

impl Typed {
    /// What is in effect, to begin with.
    fn of(shown: &Normalization) -> Self {
        match shown {
            Normalization::PerRequest(Work::Given(amounts) | Work::Throughput { throughput: amounts }) => {
                Self { amounts: amounts.sides().map(|amount| amount.to_string()), ..Self::default() }
            }
            Normalization::PerRequest(Work::Counted { count }) => Self { marker: count.text(), ..Self::default() },
            _ => Self::default(),
        }
    }

    fn numbers(&self) -> Option<(f64, f64)> {
        let number = |text: &String| text.trim().replace([',', '_', ' '], "").parse::<f64>().ok();
        let [before, after] = &self.amounts;
        number(before).zip(number(after))
    }
}

/// Draws the fields.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, shown: &Normalization) {
    ui.scope(|ui| {
        // The style of menus takes the frames away, which fields and buttons need.
        ui.reset_style();
        ui.visuals_mut().widgets.inactive.bg_stroke.color = cx.theme.strong_line;
        fields_ui(ui, cx, out, shown);
    });
}

fn fields_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, shown: &Normalization) {
    let id = Id::unique("requests");
    let mut typed: Typed = ui.data(|data| data.get_temp(id)).unwrap_or_else(|| Typed::of(shown));
    let mut chosen = None;
    ui.label(RichText::new("Per request, or per other unit of work done").color(cx.theme.muted));
    ui.horizontal(|ui| {
        for (name, text) in ["Before", "After"].into_iter().zip(&mut typed.amounts) {
            ui.add(TextEdit::singleline(text).hint_text(name).desired_width(84.0).margin(egui::Margin::symmetric(6, 4)))
                .accessible_name(format!("Requests {}", name.to_lowercase()));
        }
        let numbers = typed.numbers();
        let mut use_ui = |ui: &mut Ui, words: &str, hover: &str, work: Option<Work>| {
            if ui.add_enabled(work.is_some(), Button::new(words)).on_hover_text(hover).clicked() {
                chosen = work;
            }
        };
        let given = numbers.and_then(|(before, after)| Work::new(before, after));
        use_ui(ui, "Use as requests", "Divide by these numbers of requests", given);
        let rates = numbers.and_then(|(before, after)| Work::throughput(before, after));
        use_ui(ui, "Use as requests/s", "Divide by these rates times the duration", rates.filter(|_| cx.app.durations_known()));
    });
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut typed.marker).font(fonts::table()).hint_text("event= or frame=");
        ui.add(field.desired_width(176.0).margin(egui::Margin::symmetric(6, 4))).accessible_name("Marker of a request");
        let marker = Marker::parse(&typed.marker);
        let button = ui.add_enabled(marker.is_ok(), Button::new("Count in the captures"));
        if button.on_hover_text("Divide by how often this stands in each side: event=NAME, frame=REGEX, label=KEY or comment=KEY").clicked()
        {
            chosen = marker.ok().map(|count| Work::Counted { count });
        }
    });
    for marker in candidates(ui, cx).iter() {
        let text = RichText::new(marker).font(fonts::table());
        if ui.add(Button::new(text).wrap_mode(TextWrapMode::Extend)).on_hover_text("Count this in the captures").clicked() {
            chosen = Marker::parse(marker).ok().map(|count| Work::Counted { count });
        }
    }
    if let Some(work) = chosen {
        out.send(Command::SetNormalization(Some(Normalization::PerRequest(work))));
        ui.data_mut(|data| data.remove::<Typed>(id));
        ui.close();
        return;
    }
    ui.data_mut(|data| data.insert_temp(id, typed));
}

/// Markers that both captures have and that are not what is compared.
fn candidates(ui: &Ui, cx: &Cx<'_>) -> std::sync::Arc<Vec<String>> {
    let profiles = cx.app.profiles();
    let compared = cx.app.sample_type().map(|(name, _)| name).unwrap_or_default();
    let key = memory::key(&(profiles.iter().map(|profile| std::sync::Arc::as_ptr(profile).addr()).collect::<Vec<_>>(), &compared));
    memory::keep(ui, "markers", key, || {
        let mut common = profiles.iter().map(|profile| markers(profile));
        let mut made = common.next().unwrap_or_default();
        for other in common {
            made.retain(|marker| other.contains(marker));
        }
        made.retain(|marker| *marker != format!("event={compared}"));
        made.truncate(OFFERED);
        Kept::new(made, profiles.clone())
    })
}

fn markers(profile: &Profile) -> Vec<String> {
    // Of pprof's own columns none is work: they weigh the same samples.
    let events = profile.sample_types.iter().filter(|kind| {
        profile.info.format.starts_with("perf") && kind.records > 0 && (Unit::parse(&kind.unit) == Unit::Count || kind.name.contains(':'))
    });
    let mut made: Vec<String> = events.map(|kind| format!("event={}", kind.name)).collect();
    for comment in &profile.info.comments {
        for word in comment.split(|c: char| c.is_whitespace() || c == ',' || c == ';') {
            if let Some((key, value)) = word.split_once('=')
                && !key.is_empty()
                && value.parse::<f64>().is_ok_and(|number| number > 0.0)
            {
                made.push(format!("comment={key}"));
            }
        }
    }
    made.sort_unstable();
    made.dedup();
    made
}
