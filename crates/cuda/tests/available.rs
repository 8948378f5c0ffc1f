//! To ask what there is calls nothing of the driver. Alone in its file, because it looks at a process's first moments.

#![cfg(test)]

mod fake;

use fake::Fake;

#[test]
fn asking_what_is_available_begins_no_driver() {
    let fake = Fake::used();
    let cuda = || syncpoint::available().into_iter().find(|each| each.backend == "cuda");
    assert!(matches!(cuda().unwrap().devices, Ok(None)));
    assert_eq!(fake.count("*"), 0, "nothing of the driver is called");
    assert!(syncpoint::devices().contains(&"cuda:0".to_owned()));
    assert_eq!(fake.count("cuInit"), 1);
    assert!(matches!(cuda().unwrap().devices, Ok(Some(1))));
    assert_eq!(syncpoint::open("cuda:0").unwrap(), syncpoint::open("cuda").unwrap());
    assert_eq!(fake.count("cuInit"), 1);
}
