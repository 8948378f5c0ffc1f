//! The tables: which are wanted, in which sizes, and how they are printed.

use crate::figures::{Figures, of_processes};

/// What the arguments ask for.
pub(crate) struct Wanted {
    name: String,
    sizes: Vec<(usize, usize)>,
    processes: usize,
}

/// Streams and events: events over sixteen to one, on few streams and on many.
const SIZES: [(usize, usize); 10] = [
    (1_000, 250_000),
    (1_000, 500_000),
    (1_000, 1_000_000),
    (1_000, 2_000_000),
    (1_000, 4_000_000),
    (100_000, 250_000),
    (100_000, 500_000),
    (100_000, 1_000_000),
    (100_000, 2_000_000),
    (100_000, 4_000_000),
];

impl Wanted {
    pub(crate) fn read(arguments: &[String]) -> Self {
        let after = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1)?.parse::<usize>().ok()
        };
        let sizes = match (after("--streams"), after("--events")) {
            (None, None) => SIZES.to_vec(),
            (streams, events) => vec![(streams.unwrap_or(1_000), events.unwrap_or(1_000_000))],
        };
        let is_name =
            |argument: &&String| !argument.starts_with('-') && argument.parse::<usize>().is_err();
        let chosen = sizes.len() == 1;
        let name = arguments.iter().find(is_name).cloned();
        let name = name.unwrap_or_else(|| if chosen { "graph" } else { "" }.to_owned());
        Self { name, sizes, processes: after("--processes").unwrap_or(3) }
    }

    fn of(&self, arguments: &[&str]) -> Figures {
        of_processes(self.processes, arguments)
    }
}

type Table = fn(&Wanted);

/// A table, under the name by which it is asked for.
const TABLES: [(&str, Table); 6] = [
    ("graph", graphs),
    ("memory", idle),
    ("record", records),
    ("timeout", |wanted| {
        trouble("timeout", &["idle", "std", "graph", "graph long", "busy"], wanted);
    }),
    ("fault", |wanted| trouble("fault", &["sleeper", "callback", "chain"], wanted)),
    ("drop", drops),
];

pub(crate) fn print(wanted: &Wanted) {
    for (_, table) in TABLES.iter().filter(|(name, _)| name.contains(&wanted.name)) {
        table(wanted);
        println!();
    }
}

/// One line for each who: what passed, and in brackets what the threads computed.
fn graphs(wanted: &Wanted) {
    println!(
        "graph: ns an event passed (and computed by all threads), bytes an event, MB resident"
    );
    println!(
        "{:>7} {:>8} {:<14}{:>6} {:>15} {:>15} {:>15} {:>8} {:>8} {:>7}",
        "streams", "events", "who", "make", "build", "run", "all", "built B", "left B", "peak MB"
    );
    for (streams, events) in &wanted.sizes {
        graph_size(*streams, *events, wanted);
    }
}

const WHO: [&str; 3] = ["ours", "tokio once", "tokio counted"];

fn graph_size(streams: usize, events: usize, wanted: &Wanted) {
    let (each, size) = (events as f64, [streams.to_string(), events.to_string()]);
    let [ours, rivals @ ..] = WHO.map(|who| {
        let times = wanted.of(&[who, "time", &size[0], &size[1]]);
        let counts = of_processes(1, &[who, "count", &size[0], &size[1]]);
        print!("{streams:>7} {events:>8} {who:<14}");
        print_times(&times, each);
        println!(
            " {:>8.0} {:>8.1} {:>7.0}",
            counts.get("built bytes") / each,
            counts.get("left bytes") / each,
            times.get("peak resident") / 1e6
        );
        times
    });
    // The quicker of the two ways of tokio, for each question.
    let ratio = |question: fn(&Figures) -> f64| {
        question(&ours) / rivals.iter().map(question).fold(f64::INFINITY, f64::min)
    };
    println!(
        "{:>16} ours / tokio: run {:.2} (computed {:.2}), all {:.2} (computed {:.2})",
        "",
        ratio(|times| times.get("run")),
        ratio(|times| times.get("run cpu")),
        ratio(|times| all(times, "")),
        ratio(|times| all(times, " cpu"))
    );
    print_fed(wanted, &size, each);
}

/// The same graph, run while it is built.
fn print_fed(wanted: &Wanted, size: &[String; 2], each: f64) {
    let fed = WHO.map(|who| wanted.of(&[&format!("{who} fed"), "time", &size[0], &size[1]]));
    let [passed, computed] =
        ["run", "run cpu"].map(|name| fed.each_ref().map(|of| of.get(name) / each));
    let ratio = |[ours, once, counted]: [f64; 3]| ours / once.min(counted);
    println!(
        "{:>16} run while built: {:.0} ({:.0}), tokio {:.0} ({:.0}), {:.0} ({:.0}); ours / tokio {:.2} (computed {:.2})",
        "",
        passed[0],
        computed[0],
        passed[1],
        computed[1],
        passed[2],
        computed[2],
        ratio(passed),
        ratio(computed)
    );
}

fn all(times: &Figures, suffix: &str) -> f64 {
    ["make", "build", "run"].iter().map(|name| times.get(&format!("{name}{suffix}"))).sum()
}

fn print_times(times: &Figures, each: f64) {
    print!("{:>6.0}", times.get("make") / each);
    for name in ["build", "run"] {
        let computed = times.get(&format!("{name} cpu"));
        print!(" {:>7.0} ({:>5.0})", times.get(name) / each, computed / each);
    }
    print!(" {:>7.0} ({:>5.0})", all(times, "") / each, all(times, " cpu") / each);
}

fn idle(wanted: &Wanted) {
    println!("memory: bytes of an idle stream, ns to make and to drop one, of 100 000");
    for who in ["idle ours", "idle tokio"] {
        let (times, counts) = (wanted.of(&[who, "time"]), of_processes(1, &[who, "count"]));
        println!(
            "{who:<14} fresh {:.0}, used once {:.0}, left {:.1}; made in {:.0}, dropped in {:.0}",
            counts.get("fresh"),
            counts.get("used"),
            counts.get("left"),
            times.get("make") / 1e5,
            times.get("drop") / 1e5
        );
    }
}

fn records(wanted: &Wanted) {
    println!("record: ns, median of batches of 1000; all threads together");
    for (measure, threads) in [
        ("record", "1"),
        ("record", "2"),
        ("record", "16"),
        ("record one", "2"),
        ("record one", "16"),
    ] {
        let figures = wanted.of(&[measure, "time", threads]);
        println!(
            "{measure:<12} {threads:>2} threads: mean {:.1}, {:.1} to {:.1} over the threads; together {:.1}",
            figures.get("mean"),
            figures.get("least"),
            figures.get("most"),
            figures.get("wall")
        );
    }
}

fn trouble(table: &str, rows: &[&str], wanted: &Wanted) {
    println!("{table}: us");
    let figures = wanted.of(&[table, "time"]);
    for row in rows {
        let get = |name| figures.get(&format!("{row} {name}")) / 1e3;
        println!(
            "{row:<10} median {:.0}, p99 {:.0}, most {:.0}",
            get("median"),
            get("p99"),
            get("most")
        );
    }
}

fn drops(wanted: &Wanted) {
    println!("drop: ns each of 100 000");
    let figures = wanted.of(&["drop", "time"]);
    for row in ["of one stream", "of as many streams", "the streams"] {
        println!("{row:<20} {:.0}", figures.get(row));
    }
}
