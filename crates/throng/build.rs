//! The pages are embedded when they are there; a later build of them makes this crate build again.

fn main() {
    println!("cargo::rerun-if-changed=../../web/dist");
}
