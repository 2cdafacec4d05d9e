//! Keys of a table: arrows, pages, ends, folding.

use egui::{Event, EventFilter, Key, Modifiers, Response, Ui};

use super::{Fold, Spec, TableResponse};
use crate::ui::theme::size;

/// Takes the table's keys out of the input where it has the keyboard, or where nothing has it and the table is the one in front.
pub(super) fn handle(ui: &Ui, whole: &Response, spec: &Spec<'_>, rows: usize, height: f32, response: &mut TableResponse) {
    if whole.clicked() {
        whole.request_focus();
    }
    let idle = ui.memory(|memory| memory.focused().is_none()) && !egui::Popup::is_any_open(ui.ctx());
    if !(whole.has_focus() || spec.takes_idle_keys && idle) {
        return;
    }
    if whole.has_focus() {
        // Arrows stay in the table; Tab and Escape leave it.
        let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(whole.id, filter));
    }
    let page = ((height / size::TABLE_ROW) as i64 - 1).max(1);
    ui.input_mut(|input| {
        let mut count = |key| input.count_and_consume_key(Modifiers::NONE, key) as i64;
        let step = count(Key::ArrowDown) - count(Key::ArrowUp) + page * (count(Key::PageDown) - count(Key::PageUp));
        let (home, end) = (count(Key::Home) > 0, count(Key::End) > 0);
        let move_by = if home {
            Move::First
        } else if end {
            Move::Last
        } else {
            Move::Steps(step)
        };
        let (left, right) = (count(Key::ArrowLeft) > 0, count(Key::ArrowRight) > 0);
        let enter = count(Key::Enter) > 0;
        response.fold_key = if right { Some(Fold::Unfolded) } else { left.then_some(Fold::Folded) };
        response.activate = spec.selected.filter(|_| enter);
        response.unfold_all = input.events.iter().any(|event| matches!(event, Event::Text(text) if text == "*"));
        response.select = target(spec.selected, rows, move_by);
    });
}

/// Where keys lead from the selected row.
#[derive(Clone, Copy, Debug)]
enum Move {
    First,
    Last,
    /// So many rows down.
    Steps(i64),
}

/// The row that the keys lead to; `None` where they lead nowhere.
fn target(selected: Option<usize>, rows: usize, move_by: Move) -> Option<usize> {
    let last = rows.checked_sub(1)?;
    let target = match (move_by, selected) {
        (Move::Steps(0), _) => return None,
        (Move::Last, _) => last,
        (Move::Steps(step), Some(selected)) => (selected as i64 + step).clamp(0, last as i64) as usize,
        // Without a selection the first key selects what is on top.
        (Move::First, _) | (Move::Steps(_), None) => 0,
    };
    (selected != Some(target)).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::{Move, target};

    #[test]
    fn keys_stay_within_the_rows() {
        assert_eq!(target(Some(3), 10, Move::Steps(1)), Some(4));
        assert_eq!(target(Some(9), 10, Move::Steps(5)), None);
        assert_eq!(target(Some(1), 10, Move::Steps(-5)), Some(0));
        assert_eq!(target(None, 10, Move::Steps(1)), Some(0));
        assert_eq!(target(Some(4), 10, Move::Last), Some(9));
        assert_eq!(target(Some(4), 10, Move::First), Some(0));
        assert_eq!(target(Some(4), 10, Move::Steps(0)), None);
        assert_eq!(target(None, 0, Move::Last), None);
    }
}
