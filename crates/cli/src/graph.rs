//! Steps and what they come after: an order in which they can run, and the circles that allow none.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, VecDeque},
    mem,
};

/// One reason for which a step does not begin before another has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Edge {
    /// The step that has to end first: its place among the steps.
    pub from: usize,
    /// What orders the two.
    pub why: Why,
}

/// What orders one step after another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// Both are on one stream, and a stream runs its steps in order.
    Order,
    /// The later step waits for this name, which the earlier one records.
    Wait(String),
}

impl Edge {
    /// The edge of stream order: the step before on the same stream.
    pub fn order(from: usize) -> Self {
        Self { from, why: Why::Order }
    }

    /// The edge of a wait for `name`, which the step `from` records.
    pub fn wait(from: usize, name: impl Into<String>) -> Self {
        Self { from, why: Why::Wait(name.into()) }
    }
}

/// A closed walk along edges: every step of it comes after the next one, and the last one after the first.
pub(crate) type Circle = Vec<(usize, Edge)>;

/// The steps in an order that every edge allows.
///
/// Of the steps that could come next, the first of the file does, so that the order follows the file where it may.
/// Steps on a circle, and those that come after one, are left out. Edges from steps that do not exist are ignored.
pub(crate) fn sort(after: &[&[Edge]]) -> Vec<usize> {
    let later = later(after);
    let mut missing: Vec<usize> = earlier(after).iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<_> =
        (0..after.len()).filter(|&step| missing[step] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(after.len());
    while let Some(Reverse(step)) = ready.pop() {
        order.push(step);
        for &next in &later[step] {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}

/// One circle for each knot of steps that all wait for one another, in the order of their first steps.
///
/// The circle is a shortest one through the first step of its knot. Taking an edge out of it may leave others in the
/// same knot, which the next call then finds.
pub(crate) fn circles(after: &[&[Edge]]) -> Vec<Circle> {
    let mut found: Vec<Circle> =
        knots(after).iter().filter_map(|knot| shortest_circle(after, knot)).collect();
    found.sort_by_key(|circle| circle[0].0);
    found
}

/// The steps in groups that can all reach one another along edges (strongly connected components).
///
/// Two rounds of a depth-first walk (Kosaraju): in the second, against the edges and from the step that ended last in
/// the first, a walk cannot leave its group. Walks keep their own path, so a chain of any length fits the stack.
fn knots(after: &[&[Edge]]) -> Vec<Vec<usize>> {
    let (earlier, later) = (earlier(after), later(after));
    let mut seen = vec![false; after.len()];
    let mut ended = Vec::with_capacity(after.len());
    for root in 0..after.len() {
        ended.extend(walk(&earlier, root, &mut seen));
    }
    seen.fill(false);
    let groups = ended.into_iter().rev().map(|root| walk(&later, root, &mut seen));
    groups.filter(|group| !group.is_empty()).collect()
}

/// The steps reached from `root` that nobody has seen, in the order in which the walk leaves them.
fn walk(next: &[Vec<usize>], root: usize, seen: &mut [bool]) -> Vec<usize> {
    let mut ended = Vec::new();
    let mut path = Vec::new();
    if !mem::replace(&mut seen[root], true) {
        path.push((root, next[root].iter()));
    }
    while let Some((step, rest)) = path.last_mut() {
        if let Some(&step) = rest.find(|&&step| !mem::replace(&mut seen[step], true)) {
            path.push((step, next[step].iter()));
        } else {
            ended.push(*step);
            path.pop();
        }
    }
    ended
}

/// A shortest circle through the first step of a knot; none if the knot is a lone step that does not wait for itself.
fn shortest_circle(after: &[&[Edge]], knot: &[usize]) -> Option<Circle> {
    let first = *knot.iter().min()?;
    // The search stays in the knot: what lies outside leads to no circle, and could be the whole file.
    let inside: HashSet<usize> = knot.iter().copied().collect();
    // How the search came to a step: from which later step, along which edge.
    let mut reached = HashMap::from([(first, None)]);
    let mut queue = VecDeque::from([first]);
    while let Some(step) = queue.pop_front() {
        for edge in after[step].iter().filter(|edge| inside.contains(&edge.from)) {
            if edge.from == first {
                return Some(unwind(&reached, step, edge));
            }
            reached.entry(edge.from).or_insert_with(|| {
                queue.push_back(edge.from);
                Some((step, edge))
            });
        }
    }
    None
}

/// The walk of a breadth-first search back from its last step, turned round.
fn unwind(reached: &HashMap<usize, Option<(usize, &Edge)>>, last: usize, closing: &Edge) -> Circle {
    let mut circle = vec![(last, closing.clone())];
    let mut step = last;
    while let Some(Some((later, edge))) = reached.get(&step) {
        circle.push((*later, (*edge).clone()));
        step = *later;
    }
    circle.reverse();
    circle
}

/// For each step, the existing steps that it comes after, once for each edge.
fn earlier(after: &[&[Edge]]) -> Vec<Vec<usize>> {
    let exists = |edge: &Edge| (edge.from < after.len()).then_some(edge.from);
    after.iter().map(|edges| edges.iter().filter_map(exists).collect()).collect()
}

/// For each step, the steps that come after it, once for each edge.
fn later(after: &[&[Edge]]) -> Vec<Vec<usize>> {
    let mut later = vec![Vec::new(); after.len()];
    for (step, earlier) in earlier(after).into_iter().enumerate() {
        for from in earlier {
            later[from].push(step);
        }
    }
    later
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn graph(pairs: &[(usize, usize)], steps: usize) -> Vec<Vec<Edge>> {
        let mut after = vec![Vec::new(); steps];
        for &(from, to) in pairs {
            after[to].push(Edge::order(from));
        }
        after
    }

    fn slices(after: &[Vec<Edge>]) -> Vec<&[Edge]> {
        after.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn free_steps_keep_the_order_of_the_file() {
        let after = graph(&[(3, 0)], 4);
        assert_eq!(sort(&slices(&after)), [1, 2, 3, 0]);
    }

    #[test]
    fn a_step_that_waits_for_itself_is_a_circle_of_one() {
        let after = graph(&[(1, 1)], 2);
        assert_eq!(circles(&slices(&after)), [vec![(1, Edge::order(1))]]);
    }

    #[test]
    fn a_circle_starts_at_its_first_step_and_goes_against_the_edges() {
        let after = graph(&[(2, 0), (1, 2), (0, 1), (0, 3)], 4);
        let walked: Vec<usize> = circles(&slices(&after))[0].iter().map(|hop| hop.0).collect();
        assert_eq!(walked, [0, 2, 1]);
    }

    #[test]
    fn every_knot_is_told_once() {
        let after = graph(&[(0, 1), (1, 0), (2, 3), (3, 2), (1, 2)], 4);
        assert_eq!(circles(&slices(&after)).len(), 2);
    }

    #[test]
    fn a_chain_of_a_million_steps_fits_the_stack() {
        let steps = 1_000_000;
        let pairs: Vec<_> = (0..steps).map(|step| (step, (step + 1) % steps)).collect();
        let after = graph(&pairs, steps);
        assert_eq!(circles(&slices(&after))[0].len(), steps);
    }

    /// The naive way to know the knots: everything that everything reaches, by repeated multiplication.
    fn reach(after: &[Vec<Edge>]) -> Vec<Vec<bool>> {
        let steps = after.len();
        let mut reach = vec![vec![false; steps]; steps];
        for (to, edges) in after.iter().enumerate() {
            for edge in edges {
                reach[to][edge.from] = true;
            }
        }
        for middle in 0..steps {
            for to in 0..steps {
                for from in 0..steps {
                    reach[to][from] |= reach[to][middle] && reach[middle][from];
                }
            }
        }
        reach
    }

    fn edge_soup() -> impl Strategy<Value = Vec<Vec<Edge>>> {
        (1_usize..9).prop_flat_map(|steps| {
            prop::collection::vec((0..steps, 0..steps), 0..14)
                .prop_map(move |pairs| graph(&pairs, steps))
        })
    }

    proptest! {
        #[test]
        fn sorting_and_circles_agree_with_plain_reachability(after in edge_soup()) {
            let (reach, slices) = (reach(&after), slices(&after));
            let order = sort(&slices);
            let stuck = |step: usize| {
                reach[step][step] || (0..after.len()).any(|on| reach[step][on] && reach[on][on])
            };
            let free: BTreeSet<usize> = (0..after.len()).filter(|&step| !stuck(step)).collect();
            prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), free);
            for (place, &step) in order.iter().enumerate() {
                prop_assert!(after[step].iter().all(|edge| order[..place].contains(&edge.from)));
            }
            let knots: BTreeSet<usize> = (0..after.len())
                .filter(|&step| reach[step][step])
                .map(|step| (0..=step).find(|&to| to == step || (reach[to][step] && reach[step][to])).unwrap())
                .collect();
            let circles = circles(&slices);
            prop_assert_eq!(circles.iter().map(|circle| circle[0].0).collect::<BTreeSet<_>>(), knots);
            for circle in &circles {
                for (place, (step, edge)) in circle.iter().enumerate() {
                    prop_assert!(after[*step].contains(edge));
                    prop_assert_eq!(edge.from, circle[(place + 1) % circle.len()].0);
                }
            }
        }
    }
}
