//! Gives the library the name under which programs look for the driver, and binds it to its own functions.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcuda.so.1");
        // Not to those of another driver in the process, and also where a copy hides their names.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    }
}
