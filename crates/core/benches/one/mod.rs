//! One operation of a table, many times: what the benches that count instructions have in common.
//!
//! `BENCH NAME TIMES`, run twice under callgrind with two values of `TIMES`: the difference over the difference of times
//! is what one operation costs, whatever else the machine does. Without a name it lists the names.
#![expect(clippy::expect_used, reason = "a count that cannot run stops")]
#![expect(clippy::print_stdout, reason = "a count without a name lists the names")]

/// Does one operation so many times.
pub(crate) type Operation = fn(u32);

/// Does what the arguments of the program ask for.
pub(crate) fn run(operations: &[(&str, Operation)]) {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [name, times] = arguments.as_slice() else {
        for (name, _) in operations {
            println!("{name}");
        }
        return;
    };
    let (_, operation) = operations.iter().find(|(known, _)| known == name).expect("a known name");
    operation(times.parse().expect("a number of times"));
}
