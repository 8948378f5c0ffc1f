//! The list of devices, for a person and for a program.

use super::support::Scene;

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
