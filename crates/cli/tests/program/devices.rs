//! The list of devices, for a person and for a program.

use std::path::Path;

use super::support::{Ended, Scene};

#[test]
fn the_host_is_always_there() {
    let devices = Scene::new().run(&["devices", "--json"]);
    assert_eq!((devices.status, devices.stderr.as_str()), (Some(0), ""));
    let devices = devices.json();
    assert_eq!(devices["version"], 1);
    let host = &devices["backends"][0];
    assert_eq!((host["name"].as_str(), &host["absent"]), (Some("host"), &serde_json::Value::Null));
    let host = &host["devices"][0];
    assert_eq!(host["name"], "host:0");
    assert!(host["clock"]["resolution_ns"].as_u64().is_some_and(|nanos| nanos > 0));
    assert!(host["clock"]["name"].as_str().is_some_and(|name| name.contains("monotonic")));
    assert_eq!(host["capabilities"]["timing"], true);
    let priorities = &host["capabilities"]["priorities"];
    assert!(priorities["greatest"].as_i64() <= priorities["least"].as_i64());
}

#[test]
fn every_backend_is_told_with_its_devices_or_why_it_has_none() {
    let scene = Scene::new();
    let (text, json) = (scene.run(&["devices"]), scene.run(&["devices", "--json"]).json());
    assert_eq!((text.status, text.stderr.as_str()), (Some(0), ""));
    for backend in json["backends"].as_array().expect("a list") {
        let name = backend["name"].as_str().expect("a name");
        assert!(text.stdout.lines().any(|line| line.starts_with(name)), "{}", text.stdout);
        let devices = backend["devices"].as_array().expect("a list");
        match backend["absent"].as_str() {
            Some(reason) => assert!(devices.is_empty() && text.stdout.contains(reason)),
            None => assert!(!devices.is_empty(), "{name} has nothing, and says nothing"),
        }
    }
    for said in ["clock", "resolution 1 ns", "priorities", "lacks"] {
        assert!(text.stdout.contains(said), "no {said:?} in\n{}", text.stdout);
    }
}

/// The devices as told where the driver of CUDA is a stand-in that follows a script.
fn with_driver(library: &Path, script: &str) -> Ended {
    let mut program = Scene::new().program(&["devices"]);
    program.env("SYNCPOINT_CUDA_LIBRARY", library).env("SYNCPOINT_CUDA_FAKE", script);
    program.current_dir("/").output().expect("the program starts").into()
}

#[track_caller]
fn assert_tells(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    for word in words {
        assert!(ended.stdout.contains(word), "no {word:?} in\n{}", ended.stdout);
    }
}

#[test]
fn the_devices_of_a_driver_are_told() {
    let told = with_driver(&syncpoint_cuda_fake::library(), "devices=3");
    assert_tells(&told, &["cuda    3 devices", "cuda:2", "simulated CUDA device", "timing"]);
}

#[test]
fn why_there_is_no_driver_is_told_with_what_was_tried() {
    let told = with_driver("/nonexistent/libcuda.so.1".as_ref(), "");
    assert_tells(&told, &["cuda    not available: ", "tried /nonexistent/libcuda.so.1 ("]);
}

#[test]
fn where_no_library_is_named_every_place_is_tried() {
    let mut program = Scene::new().program(&["devices"]);
    program.env_remove("SYNCPOINT_CUDA_LIBRARY").current_dir("/");
    let told: Ended = program.output().expect("the program starts").into();
    assert_tells(&told, &["cuda "]);
    // A machine with a driver has it in one of them.
    if told.stdout.contains("no driver of CUDA was found") {
        assert_tells(&told, &["tried libcuda.so.1 (", ", /usr/lib/wsl/lib/libcuda.so.1 ("]);
        assert_tells(&told, &["name a library in SYNCPOINT_CUDA_LIBRARY"]);
    }
}

#[test]
fn a_driver_without_devices_is_no_fault() {
    let told = with_driver(&syncpoint_cuda_fake::library(), "devices=0");
    assert_tells(&told, &["cuda    not available: ", "CUDA_ERROR_NO_DEVICE"]);
}

#[test]
fn a_stub_of_five_functions_is_told_by_what_it_lacks() {
    const FIVE: [&str; 5] =
        ["cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuGetErrorName"];
    let scene = Scene::new();
    let stub = syncpoint_cuda_fake::reduced(&scene.path(""), |name| FIVE.contains(&name));
    let told = with_driver(&stub.expect("the library can be copied"), "");
    assert_tells(&told, &["cuda    not available: ", "lacks cuDevicePrimaryCtxRetain, "]);
    assert_tells(&told, &["install a newer driver"]);
}

#[test]
fn an_old_driver_lacks_what_is_newer_and_nothing_else() {
    let lacks_captures = "lacks       events in captures\n";
    let versions = [
        (10_020, lacks_captures),
        (11_000, lacks_captures),
        (12_040, "events in captures, native"),
    ];
    for (version, says) in versions {
        let is_of = |name: &str| syncpoint::cuda::since(name).is_none_or(|since| since <= version);
        let scene = Scene::new();
        let old = syncpoint_cuda_fake::reduced(&scene.path(""), is_of);
        let told =
            with_driver(&old.expect("the library can be copied"), &format!("version={version}"));
        assert_tells(&told, &["cuda    1 device\n", "has         timing", says]);
    }
}

#[test]
fn a_driver_that_cannot_begin_says_so_in_its_own_words() {
    let told = with_driver(&syncpoint_cuda_fake::library(), "fail cuInit * 803");
    assert_tells(&told, &["cuda    not available: ", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"]);
}
