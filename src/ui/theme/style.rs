//! Our palette as egui's `Style`, so that egui's own widgets need no colours from panels.

use super::{Mode, Theme, fonts, size};
use egui::{
    CornerRadius, Margin, Shadow, Stroke, Style, Visuals,
    style::{ScrollStyle, Selection, Spacing, WidgetVisuals, Widgets},
    vec2,
};

/// egui's style in the colours of `theme`.
pub(super) fn style(theme: &Theme) -> Style {
    Style {
        text_styles: fonts::text_styles(),
        drag_value_text_style: egui::TextStyle::Monospace,
        spacing: spacing(),
        visuals: visuals(theme),
        interaction: egui::style::Interaction { tooltip_delay: size::TOOLTIP_SECONDS, ..Default::default() },
        // "Everything but zoom is immediate": nothing of egui's own slides or fades.
        animation_time: 0.0,
        scroll_animation: egui::style::ScrollAnimation::none(),
        ..Style::default()
    }
}

fn spacing() -> Spacing {
    Spacing {
        item_spacing: vec2(size::PAD, size::GAP),
        window_margin: Margin::same(12),
        menu_margin: Margin::same(4),
        button_padding: vec2(size::PAD, 3.0),
        indent: 16.0,
        interact_size: vec2(28.0, 24.0),
        slider_width: 120.0,
        slider_rail_height: 4.0,
        text_edit_width: 200.0,
        icon_width: 14.0,
        icon_width_inner: 8.0,
        icon_spacing: size::GAP,
        tooltip_width: 480.0,
        menu_width: 320.0,
        combo_height: 320.0,
        scroll: ScrollStyle { bar_width: 10.0, ..ScrollStyle::thin() },
        ..Spacing::default()
    }
}

fn visuals(theme: &Theme) -> Visuals {
    let base = match theme.mode {
        Mode::Dark => Visuals::dark(),
        Mode::Light => Visuals::light(),
    };
    let line = Stroke::new(size::HAIRLINE, theme.line);
    let shadow = |blur, down| Shadow { offset: [0, down], blur, spread: 0, color: theme.shadow };
    Visuals {
        weak_text_color: Some(theme.muted),
        widgets: widgets(theme),
        selection: Selection { bg_fill: theme.selection, stroke: Stroke::new(size::HAIRLINE, theme.text) },
        hyperlink_color: theme.link,
        faint_bg_color: theme.stripe,
        extreme_bg_color: theme.background,
        text_edit_bg_color: Some(theme.background),
        code_bg_color: theme.raised,
        warn_fg_color: theme.warning,
        error_fg_color: theme.error,
        window_corner_radius: CornerRadius::same(size::CORNER_WINDOW),
        window_shadow: shadow(24, 8),
        window_fill: theme.surface,
        window_stroke: line,
        window_highlight_topmost: false,
        menu_corner_radius: CornerRadius::same(size::CORNER_WINDOW),
        panel_fill: theme.surface,
        popup_shadow: shadow(12, 4),
        text_cursor: egui::style::TextCursorStyle {
            stroke: Stroke::new(1.5, theme.accent),
            // A blinking cursor would make the window draw twice a second for nothing.
            blink: false,
            ..Default::default()
        },
        indent_has_left_vline: false,
        slider_trailing_fill: true,
        ..base
    }
}

fn widgets(theme: &Theme) -> Widgets {
    let widget = |fill, frame, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(size::HAIRLINE, frame),
        corner_radius: CornerRadius::same(size::CORNER),
        fg_stroke: Stroke::new(size::HAIRLINE, text),
        expansion: 0.0,
    };
    Widgets {
        noninteractive: widget(theme.surface, theme.line, theme.text),
        inactive: widget(theme.raised, theme.line, theme.text),
        hovered: widget(theme.hover, theme.strong_line, theme.text),
        active: widget(theme.selection, theme.accent, theme.text),
        open: widget(theme.hover, theme.line, theme.text),
    }
}
