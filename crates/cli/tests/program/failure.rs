//! A step that fails takes its dependants with it, and nobody else.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use super::support::{Ended, Scene, path, step};

#[test]
fn a_failure_reaches_what_depends_on_it_and_nothing_else() {
    let scene = Scene::of_commands(&[
        ("bad", "before", &[], "touch before"),
        ("bad", "fails", &[], "echo alas >&2; exit 3"),
        ("bad", "behind", &[], "touch behind"),
        ("other", "free", &[], "touch free"),
        ("other", "waits", &["fails"], "touch waits"),
        ("third", "waits too", &["waits"], "touch too"),
        ("fourth", "goes on", &["free"], "touch goes_on"),
    ]);
    let (status, report) = scene.report(&[]);
    assert_eq!(status, Some(1));
    assert_eq!(report["verdict"], "failed");
    for (name, state) in [
        ("before", "complete"),
        ("fails", "failed"),
        ("behind", "not_run"),
        ("free", "complete"),
        ("waits", "not_run"),
        ("waits too", "not_run"),
        ("goes on", "complete"),
    ] {
        let step = step(&report, name);
        assert_eq!(step["state"], state, "{step:#}");
        let because = if state == "not_run" { Some("fails") } else { None };
        assert_eq!(step["because"].as_str(), because, "{step:#}");
    }
    for (file, there) in
        [("before", true), ("behind", false), ("waits", false), ("too", false), ("goes_on", true)]
    {
        assert_eq!(scene.path(file).exists(), there, "{file}");
    }
    let failed = step(&report, "fails");
    assert_eq!(failed["reason"], "sh ended with exit status 3");
    assert_eq!(failed["output"], "alas\n");
    assert!(failed["start_ns"].as_u64() <= failed["end_ns"].as_u64());
    assert!(failed["end_ns"].is_u64());
}

#[test]
fn each_way_to_fail_has_its_words() {
    let scene = Scene::new();
    scene.write(
        "pipeline.toml",
        "[[stream]]\nname = \"a\"\n[[stream]]\nname = \"b\"\n[[stream]]\nname = \"c\"\n\
         [[stream]]\nname = \"d\"\n[[stream]]\nname = \"e\"\n[[stream]]\nname = \"f\"\n\
         [[step]]\nname = \"none\"\nstream = \"a\"\ncommand = [\"no-such-program\"]\n\
         [[step]]\nname = \"folder\"\nstream = \"b\"\ncommand = [\"true\"]\ndir = \"no/such\"\n\
         [[step]]\nname = \"killed\"\nstream = \"c\"\ncommand = [\"sh\", \"-c\", \"kill -9 $$\"]\n\
         [[step]]\nname = \"rights\"\nstream = \"d\"\ncommand = [\"./rights\"]\n\
         [[step]]\nname = \"interpreter\"\nstream = \"e\"\ncommand = [\"./interpreter\"]\n\
         [[step]]\nname = \"format\"\nstream = \"f\"\ncommand = [\"./format\"]\n",
    );
    for (name, text, mode) in
        [("rights", "x", 0o644), ("interpreter", "#!/no/such\n", 0o755), ("format", "\0", 0o755)]
    {
        scene.write(name, text);
        fs::set_permissions(scene.path(name), Permissions::from_mode(mode)).expect("its rights");
    }
    let (status, report) = scene.report(&[]);
    assert_eq!(status, Some(1));
    let reason = |name: &str| step(&report, name)["reason"].as_str().expect("a reason").to_owned();
    for (name, begin, end) in [
        (
            "none",
            "no-such-program cannot be started: No such file",
            "; install it, or write its path if it is not on PATH",
        ),
        (
            "folder",
            "true cannot be started: there is no folder ",
            "no/such; make it, or name another with dir",
        ),
        (
            "rights",
            "./rights cannot be started: Permission denied",
            "; make it executable: chmod +x",
        ),
        (
            "interpreter",
            "./interpreter cannot be started: No such file",
            "install it, or name another there",
        ),
        (
            "format",
            "./format cannot be started: Exec format error",
            "or name its interpreter before it",
        ),
    ] {
        let reason = reason(name);
        assert!(reason.starts_with(begin) && reason.ends_with(end), "{reason}");
    }
    assert_eq!(reason("killed"), "sh was ended by signal 9 (SIGKILL)");
}

#[test]
fn who_starts_too_many_commands_at_once_is_told_what_to_do() {
    // Each lives for longer than a busy machine takes to start all, so that all of them would run at once.
    let names: Vec<String> = (0..40).map(|place| format!("s{place}")).collect();
    let steps: Vec<(&str, &str, &[&str], &str)> =
        names.iter().map(|name| (name.as_str(), name.as_str(), [].as_slice(), "sleep 6")).collect();
    let scene = Scene::of_commands(&steps);
    let mut shell = Command::new("sh");
    shell.current_dir(scene.path("."));
    shell.args(["-c", "ulimit -n 40; exec \"$0\" run pipeline.toml --json", &path()]);
    let ended: Ended = shell.output().expect("the program starts").into();
    assert_eq!(ended.status, Some(1), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("; raise the number of open files with ulimit -n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_failed_run_tells_a_person_what_failed_and_what_it_said() {
    let scene = Scene::of_commands(&[
        ("s", "first", &[], "true"),
        ("s", "breaks", &[], "echo the disk is on fire; exit 1"),
        ("t", "later", &["breaks"], "true"),
    ]);
    let ended = scene.run(&["run", "pipeline.toml"]);
    assert_eq!(ended.status, Some(1));
    for line in [
        "pipeline.toml: 1 step failed, 1 not run, 1 complete in ",
        "not run: breaks failed",
        "breaks failed: sh ended with exit status 1",
        "breaks said:\n  the disk is on fire",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in\n{}", ended.stdout);
    }
}
