//! Lists, which stand in conditions as text.

use std::collections::HashMap;

use super::items::ListItem;

/// Most items of one list after the lists it names are written out.
const MAX_ITEMS: usize = 100_000;

/// A list whose items are final.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub name: String,
    /// The items as a condition has them.
    text: String,
    pub used: bool,
}

/// Writes out the lists that lists name; those must be defined before.
pub(super) fn resolve(items: &[ListItem]) -> Vec<List> {
    let by_name: HashMap<&str, usize> =
        items.iter().enumerate().map(|(at, item)| (item.name.as_str(), at)).collect();
    let mut lists: Vec<List> = Vec::with_capacity(items.len());
    let mut used = vec![false; items.len()];
    for item in items {
        let mut values: Vec<&str> = Vec::new();
        for value in &item.items {
            let named = by_name.get(value.as_str()).and_then(|at| Some((*at, items.get(*at)?)));
            match named {
                Some((at, named)) if named.index < item.visibility => {
                    if let Some(used) = used.get_mut(at) {
                        *used = true;
                    }
                    values.extend(named.items.iter().map(String::as_str));
                }
                _ => values.push(value),
            }
            values.truncate(MAX_ITEMS);
        }
        let text = values.into_iter().map(quote).collect::<Vec<_>>().join(", ");
        lists.push(List { name: item.name.clone(), text, used: false });
    }
    for (list, used) in lists.iter_mut().zip(used) {
        list.used = used;
    }
    lists
}

/// An item with a blank in it gets quotes, unless it has some.
pub(super) fn quote(item: &str) -> String {
    if item.contains(' ') && !item.starts_with(['"', '\'']) { format!("\"{item}\"") } else { item.to_owned() }
}

/// Where the names of lists stand in a condition, their items are put; list after list, so that a list's items may
/// name a list that comes later.
pub(super) fn substitute(condition: &str, lists: &mut [List]) -> Result<String, String> {
    let mut text = condition.to_owned();
    for list in lists {
        if list.name.is_empty() || !text.contains(&list.name) {
            continue;
        }
        if substitute_one(&mut text, list) {
            list.used = true;
        }
        if text.len() > MAX_TEXT {
            return Err(format!("condition is longer than {MAX_TEXT} bytes with its lists written out"));
        }
    }
    Ok(text)
}

/// Longest condition with its lists written out.
const MAX_TEXT: usize = 4 << 20;

fn substitute_one(text: &mut String, list: &List) -> bool {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let delimits = |byte: Option<&u8>| {
        byte.is_none_or(|byte| is_blank(*byte) || matches!(byte, b'(' | b')' | b',' | b'='))
    };
    let mut result = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut used = false;
    while let Some(at) = rest.find(&list.name) {
        if result.len() > MAX_TEXT {
            break;
        }
        let (before, from_name) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let after = from_name.get(list.name.len()..).unwrap_or_default();
        let previous = if before.is_empty() { result.as_bytes().last() } else { before.as_bytes().last() };
        if !delimits(previous) || !delimits(after.as_bytes().first()) {
            result.push_str(before);
            // Names are not empty; going on behind the first character finds overlapping ones.
            let step = from_name.chars().next().map_or(0, char::len_utf8);
            result.push_str(from_name.get(..step).unwrap_or_default());
            rest = from_name.get(step..).unwrap_or_default();
            continue;
        }
        used = true;
        result.push_str(before);
        result.truncate(result.trim_end_matches([' ', '\t', '\n', '\r']).len());
        rest = after.trim_start_matches([' ', '\t', '\n', '\r']);
        if list.text.is_empty() {
            // An empty list takes a comma with it.
            if result.ends_with(',') {
                result.pop();
            } else if let Some(behind) = rest.strip_prefix(',') {
                rest = behind;
            }
        }
        if !result.is_empty() {
            result.push(' ');
        }
        result.push_str(&list.text);
        result.push(' ');
    }
    result.push_str(rest);
    *text = result;
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::falco::rules::Context;

    fn lists(all: &[(&str, &[&str])]) -> Vec<List> {
        let items: Vec<ListItem> = all
            .iter()
            .zip(0..)
            .map(|((name, items), index)| ListItem {
                name: (*name).to_owned(),
                items: items.iter().map(|item| (*item).to_owned()).collect(),
                context: Context::file("test"),
                index,
                visibility: index,
            })
            .collect();
        resolve(&items)
    }

    #[test]
    fn names_between_delimiters_are_replaced() {
        let mut all = lists(&[("a", &["x", "y z"]), ("empty", &[]), ("b", &["a", "w"])]);
        let mut text = |condition: &str| substitute(condition, &mut all).unwrap();
        assert_eq!(text("p.n in (a)"), "p.n in ( x, \"y z\" )");
        assert_eq!(text("p.n in (k, a, b)"), "p.n in (k, x, \"y z\" , x, \"y z\", w )");
        assert_eq!(text("p.n in (empty)"), "p.n in (  )");
        assert_eq!(text("p.n in (k, empty, l)"), "p.n in (k  , l)");
        assert_eq!(text("p.n in (empty, l)"), "p.n in (   l)");
        assert_eq!(text("p.a=ab and 'a'=b.a"), "p.a=ab and 'a'=b.a");
    }

    #[test]
    fn a_list_sees_only_lists_before_it() {
        let mut all = lists(&[("first", &["second"]), ("second", &["x"])]);
        // Written out in the order of definition, the name is replaced all the same.
        assert_eq!(substitute("p.n in (first)", &mut all).unwrap(), "p.n in ( x )");
        assert!(all.iter().all(|list| list.used));
    }
}
