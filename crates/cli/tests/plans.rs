//! Random pipeline files: right ones are accepted with the order they ask for, broken ones never do harm.

use proptest::prelude::*;
use syncpoint_cli::{
    graph::{Edge, Why},
    plan::{DeviceName, Plan, Problems},
};

fn parse(text: &str) -> Result<Plan, Problems> {
    Plan::parse("random.toml".as_ref(), text, &DeviceName::HOST)
}

/// A step of a random plan: its stream, and the earlier steps of the history that it waits for.
#[derive(Clone, Debug)]
struct Step {
    stream: usize,
    waits: Vec<usize>,
}

/// A history in which every step waits for earlier ones only, and for each step a number by which it is moved about
/// in the file. Whatever has such a history can run.
fn histories() -> impl Strategy<Value = (Vec<Step>, Vec<u32>)> {
    let step = |place: usize| {
        let waits = prop::collection::btree_set(0..place.max(1), 0..4);
        (0_usize..5, waits).prop_map(move |(stream, waits)| Step {
            stream,
            waits: waits.into_iter().filter(|&earlier| earlier < place).collect(),
        })
    };
    (1_usize..30).prop_flat_map(move |count| {
        let steps: Vec<_> = (0..count).map(step).collect();
        (steps, prop::collection::vec(any::<u32>(), count))
    })
}

/// The order in which the steps stand in the file: shuffled across streams, kept within each.
fn shuffled(steps: &[Step], keys: &[u32]) -> Vec<usize> {
    let mut file: Vec<usize> = (0..steps.len()).collect();
    file.sort_by_key(|&step| keys[step]);
    let mut queues: Vec<_> = (0..5)
        .map(|stream| (0..steps.len()).filter(move |&step| steps[step].stream == stream))
        .collect();
    let streams: Vec<usize> = file.iter().map(|&step| steps[step].stream).collect();
    streams.iter().filter_map(|&stream| queues[stream].next()).collect()
}

fn text(steps: &[Step], file: &[usize]) -> String {
    let streams = (0..5).map(|stream| format!("[[stream]]\nname = \"s{stream}\"\n\n"));
    let step = |&place: &usize| {
        let Step { stream, waits } = &steps[place];
        let waits: Vec<String> = waits.iter().map(|wait| format!("p{wait}")).collect();
        format!(
            "[[step]]\nname = \"{place}\"\nstream = \"s{stream}\"\ndelay = \"{place} us\"\nwait = {waits:?}\nrecord = \"p{place}\"\n\n"
        )
    };
    streams.chain(file.iter().map(step)).collect::<Vec<_>>().concat()
}

proptest! {
    #[test]
    fn whatever_has_a_history_is_accepted_with_an_order_that_it_allows((steps, keys) in histories()) {
        let file = shuffled(&steps, &keys);
        let plan = match parse(&text(&steps, &file)) {
            Ok(plan) => plan,
            Err(problems) => return Err(TestCaseError::fail(problems.to_string())),
        };
        let mut done = vec![false; steps.len()];
        for &step in plan.order() {
            prop_assert!(plan.steps()[step].after.iter().all(|edge| done[edge.from]));
            prop_assert!(!std::mem::replace(&mut done[step], true));
        }
        prop_assert!(done.iter().all(|&done| done));
        for (place, step) in plan.steps().iter().enumerate() {
            let waits: Vec<usize> = step.after.iter().filter(|edge| edge.why != Why::Order).map(|edge| file[edge.from]).collect();
            prop_assert_eq!(&waits, &steps[file[place]].waits);
            let before = (0..place).rfind(|&before| plan.steps()[before].stream == step.stream);
            let order = step.after.iter().find(|edge| edge.why == Why::Order).map(|edge| edge.from);
            prop_assert_eq!(order, before);
        }
    }

    #[test]
    fn a_wait_against_the_history_of_its_stream_is_a_circle((steps, keys) in histories(), pick in any::<prop::sample::Index>()) {
        let early = pick.index(steps.len());
        let late = (early..steps.len()).rfind(|&late| steps[late].stream == steps[early].stream);
        let mut steps = steps;
        steps[early].waits.extend(late);
        let problems = parse(&text(&steps, &shuffled(&steps, &keys))).expect_err("a circle");
        prop_assert!(problems.iter().any(|problem| {
            problem.message().contains("in a circle") || problem.message().contains("records itself")
        }), "{}", problems);
    }
}

/// A file with everything in it that a file can say.
const WHOLE: &str = include_str!("whole.toml");

#[test]
fn the_whole_file_is_accepted() {
    let plan = parse(WHOLE).unwrap_or_else(|problems| panic!("{problems}"));
    let train = &plan.steps()[2];
    assert_eq!(train.after, [Edge::wait(0, "loaded"), Edge::wait(1, "cleared")]);
}

/// One change to a text: what stands between two places is replaced.
fn changes() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, String)> {
    let pieces = prop_oneof![
        Just(String::new()),
        "[\\[\\]{}=\"'#.,\n -]{1,3}",
        "\\PC{0,6}",
        Just("[[step]]\n".to_owned()),
        Just("wait = [\"p\"]\n".to_owned()),
        Just("-1".to_owned()),
        Just("99999999999999999999999999999999999999999".to_owned()),
        Just("0x7fff".to_owned()),
        Just("nan".to_owned()),
        Just("\"\\u0000\"".to_owned()),
        Just("1979-05-27".to_owned()),
    ];
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), pieces)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_broken_file_is_told_by_a_line_that_it_has(changes in prop::collection::vec(changes(), 1..6)) {
        let mut signs: Vec<char> = WHOLE.chars().collect();
        for (place, length, piece) in changes {
            let start = place.index(signs.len() + 1);
            let end = (start + length.index(12)).min(signs.len());
            signs.splice(start..end, piece.chars());
        }
        let text: String = signs.into_iter().collect();
        if let Err(problems) = parse(&text) {
            prop_assert!(problems.iter().count() > 0);
            let lines = text.split('\n').count();
            for problem in problems.iter() {
                prop_assert!(problem.line().is_some_and(|line| (1..=lines).contains(&line)));
                prop_assert!(problem.message().contains("; "), "{}", problem.message());
            }
            prop_assert!(problems.to_string().chars().all(|sign| sign == '\n' || !sign.is_control()));
        }
    }

    #[test]
    fn anything_at_all_does_no_harm(text in "(\\PC|[\\[\\]=\"\n{}]){0,80}") {
        drop(parse(&text));
    }
}
