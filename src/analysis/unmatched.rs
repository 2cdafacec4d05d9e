//! What of a filter finds nothing: a typing error would otherwise look like an answer.
//!
//! A frame counts wherever it stands, also in samples that other conditions drop, as in pprof ("Focus expression matched no samples").
//! Deliberately absent: threads and exact labels that do not exist, which are refused when they are looked up. Start reading at [`unmatched`].

use std::sync::Arc;

use super::comparison::Shape;
use super::filter::{Chosen, Filter, compile, frames_matching, matching_names};
use super::transform::by_names;
use crate::model::Profile;

/// What is said of the options of a filter of which some pattern matches no frame of any capture, and no row of the shape over them, or a condition no labels.
pub fn unmatched(filter: &Filter, captures: &[Arc<Profile>], shape: Option<&Shape>) -> Vec<String> {
    let is_found = |pattern: &str| {
        let compiled = compile(pattern);
        captures.iter().any(|profile| frames_matching(profile, &compiled).contains(&true))
            || shape.is_some_and(|shape| !matching_names(&shape.places, pattern).is_empty())
    };
    let found = filter.patterns().into_iter().filter(|(_, patterns)| !patterns.iter().all(|pattern| is_found(pattern)));
    let frames = found.map(|(option, _)| format!("{option} matches no function, file or module"));
    let sets = || captures.iter().flat_map(|profile| profile.label_sets.iter().map(move |set| (profile, set)));
    let tags = filter.tags_without(&|tags| sets().any(|(profile, set)| tags.has(profile, set)));
    frames.chain(tags.into_iter().map(|option| format!("{option} matches no label"))).collect()
}

/// True where there are samples, and a filter drops every one of them.
pub fn drops_all(filter: &Filter, captures: &[Arc<Profile>], shape: Option<&Shape>) -> bool {
    let any_left = |(at, profile): (usize, &Arc<Profile>)| {
        let transformed = if shape.is_some() { None } else { by_names(profile, filter) };
        let of_names = transformed.as_ref().and_then(|transformed| transformed.samples.as_deref());
        let left = shape.map_or(of_names, |shape| shape.samples_of(at));
        let chosen = Chosen::new(profile, &[filter]).of_stacks(left);
        (0..profile.samples.len()).any(|row| chosen.has(row))
    };
    let holds_any = captures.iter().any(|profile| !profile.samples.is_empty());
    !filter.is_empty() && holds_any && !captures.iter().enumerate().any(any_left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::transform::tests;

    fn capture(stacks: &[&str]) -> Arc<Profile> {
        Arc::new(tests::capture(stacks))
    }

    #[expect(clippy::unnecessary_wraps, reason = "a field of a filter is one")]
    fn pattern(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn options_are_named_that_find_no_frame_in_any_capture() {
        let captures = [capture(&["main f", "main g"]), capture(&["main h"])];
        let filter = Filter {
            focus: pattern("f"),
            ignore: pattern("nowhere"),
            hide: pattern("h"),
            subtree: vec!["^main$".to_owned(), "^x$".to_owned()],
            ..Filter::default()
        };
        assert_eq!(
            unmatched(&filter, &captures, None),
            ["--ignore=nowhere matches no function, file or module", "--subtree=main;x matches no function, file or module"]
        );
        assert_eq!(unmatched(&Filter::default(), &captures, None), [""; 0]);
    }

    #[test]
    fn all_is_dropped_only_where_there_was_something() {
        let (one, none) = (capture(&["main f", "main g"]), capture(&[]));
        let both = Filter { focus: pattern("f"), ignore: pattern("main"), ..Filter::default() };
        let begin = Filter { show_from: pattern("x"), ..Filter::default() };
        for filter in [&both, &begin] {
            assert!(drops_all(filter, std::slice::from_ref(&one), None), "{filter:?}");
            assert!(!drops_all(filter, std::slice::from_ref(&none), None), "{filter:?}");
        }
        // What one side alone has is a choice too.
        let of_one = Filter { focus: pattern("h"), ..Filter::default() };
        assert!(!drops_all(&of_one, &[one, capture(&["main h"])], None));
        assert!(!drops_all(&Filter::default(), &[none], None));
    }
}
