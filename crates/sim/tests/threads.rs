//! No thread exists before the first need. Alone in its process: every test with host work makes some.

use std::time::Duration;

use syncpoint::sim::Sim;

fn threads_named(name: &str) -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let names = tasks.flatten().map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|comm| comm.trim_end() == name).count()
}

#[test]
fn no_worker_exists_before_the_first_host_work() {
    let stream = Sim::builder().build().device(0).unwrap().stream().unwrap();
    stream.delay(Duration::from_micros(1)).unwrap();
    stream.synchronize().unwrap();
    assert_eq!(threads_named("syncpoint-work"), 0);
    stream.enqueue(|| ()).unwrap();
    stream.synchronize().unwrap();
    assert!(threads_named("syncpoint-work") > 0 || !cfg!(target_os = "linux"));
}
