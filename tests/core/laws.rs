//! Laws that hold for every profile, checked on generated ones against the slowest obvious computation.

use std::sync::Arc;

use emberlens::analysis::call_tree::{CallTree, Direction};
use emberlens::analysis::comparison::{Comparison, Normalization, Shape, SideInput, compare};
use emberlens::analysis::{Filter, Granularity, search, top};
use emberlens::base::ticket::Ticket;
use emberlens::model::{Builder, Frame, Profile, Sample, check};
use proptest::prelude::*;

use crate::naive;

/// A profile of stacks given as lists of names (outermost first) with one value each.
pub(crate) fn profile_of(stacks: &[(Vec<String>, i64)]) -> Arc<Profile> {
    let mut builder = Builder::new([("samples", "count")]);
    for (names, value) in stacks {
        let mut stack = None;
        for name in names {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[*value]);
    }
    Arc::new(builder.finish())
}

pub(crate) fn compared(captures: &[Arc<Profile>], direction: Direction, filter: &Filter) -> Comparison {
    let shape = Shape::build(captures, Granularity::Function, direction, filter, &Ticket::new()).unwrap();
    let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
    compare(Arc::new(shape), captures, &sides, ("samples", "count"), filter, Normalization::Absolute, &Ticket::new()).unwrap()
}

pub(crate) fn stacks() -> impl Strategy<Value = Vec<(Vec<String>, i64)>> {
    // Few names, so that recursion, shared prefixes and repeats are common; empty stacks and negative values exist in real files.
    let name = prop::sample::select(vec!["main", "a", "b", "c", "net/http.serve", "x::y"]).prop_map(str::to_owned);
    prop::collection::vec((prop::collection::vec(name, 0..7), -5_i64..50), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn profiles_are_sound(stacks in stacks()) {
        prop_assert_eq!(check(&profile_of(&stacks)), []);
    }

    #[test]
    fn totals_are_the_sum_of_a_nodes_subtree(stacks in stacks()) {
        let comparison = compared(&[profile_of(&stacks)], Direction::TopDown, &Filter::default());
        let (tree, weights) = (comparison.tree(), &comparison.sides[0].weights);
        for node in tree.nodes() {
            let sum: i64 = weights.selfs()[node.row()..tree.subtree_end(node)].iter().sum();
            prop_assert_eq!(weights.total_of(node), sum);
        }
        prop_assert_eq!(weights.total(), stacks.iter().map(|(_, value)| value).sum::<i64>());
    }

    #[test]
    fn trees_are_in_preorder_with_siblings_in_name_order(a in stacks(), b in stacks()) {
        for direction in [Direction::TopDown, Direction::BottomUp] {
            let comparison = compared(&[profile_of(&a), profile_of(&b)], direction, &Filter::default());
            let tree = comparison.tree();
            for node in tree.nodes() {
                let children: Vec<_> = tree.children(node).collect();
                prop_assert!(children.iter().all(|&child| tree.parent(child) == Some(node) && tree.depth(child) == tree.depth(node) + 1));
                prop_assert!(children.windows(2).all(|pair| comparison.places().name(tree.place(pair[0])) < comparison.places().name(tree.place(pair[1]))));
                let size: usize = children.iter().map(|&child| tree.subtree_end(child) - child.row()).sum();
                prop_assert_eq!(tree.subtree_end(node), node.row() + 1 + size);
            }
        }
    }

    #[test]
    fn top_equals_the_naive_table(stacks in stacks()) {
        let profile = profile_of(&stacks);
        let comparison = compared(&[Arc::clone(&profile)], Direction::TopDown, &Filter::default());
        let table = top(comparison.tree(), comparison.places(), &comparison.sides[0].weights);
        let naive = naive::top(&profile, 0);
        for row in &table.rows {
            let expected = naive[comparison.places().name(row.place)];
            prop_assert_eq!((i128::from(row.self_), i128::from(row.total)), expected);
        }
        prop_assert_eq!(table.rows.len(), naive.values().filter(|row| **row != (0, 0)).count());
    }

    #[test]
    fn a_union_holds_both_sides_and_nothing_else(a in stacks(), b in stacks()) {
        let (one, other) = (profile_of(&a), profile_of(&b));
        let both = compared(&[Arc::clone(&one), Arc::clone(&other)], Direction::TopDown, &Filter::default());
        let swapped = compared(&[Arc::clone(&other), Arc::clone(&one)], Direction::TopDown, &Filter::default());
        prop_assert_eq!(both.tree(), swapped.tree());
        prop_assert_eq!(&both.sides[0].weights, &swapped.sides[1].weights);
        let alone = compared(&[Arc::clone(&one)], Direction::TopDown, &Filter::default());
        let twice = compared(&[Arc::clone(&one), one], Direction::TopDown, &Filter::default());
        prop_assert_eq!(twice.tree(), alone.tree());
        for node in alone.tree().nodes() {
            let names = alone.tree().path(node).into_iter().map(|place| alone.places().name(place).to_owned());
            let path: Vec<_> = names.map(|name| both.places().find(&name).unwrap()).collect();
            let twin = both.tree().find_path(path).unwrap();
            prop_assert_eq!(alone.sides[0].weights.total_of(node), both.sides[0].weights.total_of(twin));
        }
    }

    #[test]
    fn bottom_up_roots_are_the_self_values(stacks in stacks()) {
        let profile = profile_of(&stacks);
        let comparison = compared(&[Arc::clone(&profile)], Direction::BottomUp, &Filter::default());
        let naive = naive::top(&profile, 0);
        for root in comparison.tree().children(CallTree::ROOT) {
            let name = comparison.places().name(comparison.tree().place(root));
            prop_assert_eq!(i128::from(comparison.sides[0].weights.total_of(root)), naive[name].0);
        }
    }

    #[test]
    fn a_search_counts_each_sample_once(stacks in stacks()) {
        let profile = profile_of(&stacks);
        let comparison = compared(&[profile], Direction::TopDown, &Filter::default());
        let found = search::search(&comparison, "a");
        let expected: i64 = stacks.iter().filter(|(names, _)| names.iter().any(|name| name.contains('a'))).map(|(_, value)| value).sum();
        prop_assert_eq!(found.total(), expected);
    }

    #[test]
    fn focus_and_ignore_of_one_pattern_share_out_all_samples(stacks in stacks()) {
        let profile = profile_of(&stacks);
        let total = |filter: Filter| compared(&[Arc::clone(&profile)], Direction::TopDown, &filter).sides[0].weights.total();
        let focus = total(Filter { focus: Some("b".to_owned()), ..Filter::default() });
        let ignore = total(Filter { ignore: Some("b".to_owned()), ..Filter::default() });
        prop_assert_eq!(focus + ignore, total(Filter::default()));
    }

    #[test]
    fn hiding_a_frame_loses_no_sample(stacks in stacks()) {
        let profile = profile_of(&stacks);
        let hidden = compared(&[Arc::clone(&profile)], Direction::TopDown, &Filter { hide: Some("^a$".to_owned()), ..Filter::default() });
        prop_assert_eq!(hidden.sides[0].weights.total(), profile.total(0));
        prop_assert!(hidden.tree().nodes().all(|node| hidden.places().name(hidden.tree().place(node)) != "a"));
    }
}
