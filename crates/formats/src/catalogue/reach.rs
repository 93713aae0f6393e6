//! What a locked package is for, where a lockfile says it only of the project's own wishes.

use yagura_model::package::Scope;

/// For each of the nodes whose edges are given, the first of the starting sets that reaches it; indices that do not
/// exist are passed over.
pub(super) fn scopes(edges: &[Vec<usize>], starts: [(Scope, Vec<usize>); 3]) -> Vec<Option<Scope>> {
    let mut scopes = vec![None; edges.len()];
    for (scope, mut waiting) in starts {
        while let Some(node) = waiting.pop() {
            let Some(slot @ None) = scopes.get_mut(node) else { continue };
            *slot = Some(scope);
            waiting.extend(edges.get(node).into_iter().flatten());
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_need_wins() {
        let edges = [vec![1], vec![0], vec![1, 3], vec![9], vec![]];
        let starts = [(Scope::Runtime, vec![0]), (Scope::Optional, vec![]), (Scope::Development, vec![2])];
        let (run, dev) = (Some(Scope::Runtime), Some(Scope::Development));
        assert_eq!(scopes(&edges, starts), [run, run, dev, dev, None]);
    }
}
