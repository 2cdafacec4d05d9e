//! Packages that stand under another path in the other build: a repository that moved to another host, a folder that was put between.
//!
//! One function of the same name in another package may be any function; several that all changed the same part of their path moved together. Only
//! Go's names have paths of packages in them. Deliberately absent: packages whose last element is another one, since another library with the same
//! functions would be one; functions that moved from one package to another alone (see `regress::structure`). Start reading at [`moved`].

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::ticket::Checked as _;

/// So many functions make a move of packages.
const TOGETHER: usize = 3;
/// Names that stand in more packages than this say nothing (`init`, `Close`).
const MOST_PACKAGES: usize = 16;

/// A function's package, and its name there: `github.com/a/b/c` and `(*T).M` of `github.com/a/b/c.(*T).M`. `None` for names of other languages.
fn split(name: &str) -> Option<(&str, &str)> {
    // Type arguments have paths of their own.
    let head = name.split(['[', '(']).next().unwrap_or(name);
    let last = head.rfind('/').map_or(0, |at| at + 1);
    let dot = last + name.get(last..)?.find('.')?;
    let (package, rest) = (name.get(..dot)?, name.get(dot + 1..)?);
    let is_go = !package.is_empty() && !rest.is_empty() && !name.contains("::") && !name.contains(' ') && !rest.contains('/');
    is_go.then_some((package, rest))
}

/// What two paths differ in, without the elements at their ends that are the same; `None` where no element is.
fn change<'a>(before: &'a str, after: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut old, mut new) = (before, after);
    let mut shared = 0;
    loop {
        let (old_rest, old_last) = old.rsplit_once('/').unwrap_or(("", old));
        let (new_rest, new_last) = new.rsplit_once('/').unwrap_or(("", new));
        if old_last != new_last || old_last.is_empty() {
            break;
        }
        shared += 1;
        (old, new) = (old_rest, new_rest);
    }
    (shared > 0).then_some((old, new))
}

/// Pairs of functions, each by its row, of packages that moved. `before` and `after` are names that one side alone has.
pub(super) fn moved<'a>(before: &[(usize, &'a str)], after: &[(usize, &'a str)]) -> Vec<[usize; 2]> {
    let mut of_name: FxHashMap<&str, Vec<(&str, usize)>> = FxHashMap::default();
    for &(row, name) in after.iter().checked() {
        if let Some((package, local)) = split(name) {
            of_name.entry(local).or_default().push((package, row));
        }
    }
    // Functions by what their path changed in, then by the packages.
    type Pairs<'a> = BTreeMap<(&'a str, &'a str), Vec<[usize; 2]>>;
    let mut changes: BTreeMap<(&str, &str), Pairs<'_>> = BTreeMap::new();
    for &(row, name) in before.iter().checked() {
        let Some((package, local)) = split(name) else { continue };
        for &(new, new_row) in of_name.get(local).into_iter().flatten().take(MOST_PACKAGES) {
            if let Some(change) = change(package, new) {
                changes.entry(change).or_default().entry((package, new)).or_default().push([row, new_row]);
            }
        }
    }
    let count = |pairs: &Pairs<'_>| pairs.values().map(Vec::len).sum::<usize>();
    let mut changes: Vec<Pairs<'_>> = changes.into_values().filter(|pairs| count(pairs) >= TOGETHER).collect();
    // What most functions did comes first; of as many, that of the first names.
    changes.sort_by_key(|pairs| std::cmp::Reverse(count(pairs)));
    let mut taken: FxHashSet<(bool, &str)> = FxHashSet::default();
    let mut made = Vec::new();
    for ((old, new), pairs) in changes.into_iter().flatten() {
        if !taken.contains(&(false, old)) && !taken.contains(&(true, new)) {
            taken.extend([(false, old), (true, new)]);
            made.extend(pairs);
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(before: &[&str], after: &[&str]) -> Vec<String> {
        let rows = |names: &[&'static str], from: usize| -> Vec<(usize, &'static str)> {
            names.iter().enumerate().map(|(at, name)| (from + at, *name)).collect()
        };
        let leak = |names: &[&str]| -> Vec<&'static str> { names.iter().map(|name| &*name.to_string().leak()).collect() };
        let (before, after) = (leak(before), leak(after));
        let made = moved(&rows(&before, 0), &rows(&after, before.len()));
        made.iter().map(|&[old, new]| format!("{} = {}", before[old], after[new - before.len()])).collect()
    }

    #[test]
    fn names_are_split_behind_the_path() {
        for (name, expected) in [
            ("github.com/a/b/c.(*T).M", Some(("github.com/a/b/c", "(*T).M"))),
            ("main.F.func1", Some(("main", "F.func1"))),
            ("a/b.F[c/d.T]", None),
            ("ns::f", None),
            ("memcpy", None),
            ("java.util.Map.get (x.java:3)", None),
        ] {
            assert_eq!(split(name), expected, "{name}");
        }
    }

    #[test]
    fn packages_move_together_or_not_at_all() {
        let old = ["github.com/a/shop/api.route", "github.com/a/shop/cart.Add", "github.com/a/shop/cart.(*Item).Price"];
        let new = ["gitlab.com/n/shop/api.route", "gitlab.com/n/shop/cart.Add", "gitlab.com/n/shop/cart.(*Item).Price"];
        assert_eq!(pairs(&old, &new), old.iter().zip(new).map(|(old, new)| format!("{old} = {new}")).collect::<Vec<_>>().as_slice());
        // Two functions may be any two.
        assert_eq!(pairs(&old[..2], &new[..2]), [""; 0]);
        // Another library with the same functions is another one.
        assert_eq!(pairs(&["a/json.Marshal", "a/json.New", "a/json.Close"], &["b/proto.Marshal", "b/proto.New", "b/proto.Close"]), [""; 0]);
        // A folder that was put between.
        let inner = ["app/internal/api.A", "app/internal/api.B", "app/internal/db.Q"];
        assert_eq!(pairs(&["app/api.A", "app/api.B", "app/db.Q"], &inner).len(), 3);
        // Most functions decide where a package went.
        let copies = ["y/x/api.A", "y/x/api.B", "y/x/api.C", "z/x/api.A"];
        assert_eq!(
            pairs(&["x/api.A", "x/api.B", "x/api.C"], &copies),
            ["x/api.A = y/x/api.A", "x/api.B = y/x/api.B", "x/api.C = y/x/api.C"]
        );
    }
}
