//! Folds functions whose machine code is the same: Arrow's kernels come once for each type, and types of one width share
//! their code. Only where Rust links with LLD, which knows how.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v == value);
    if is("TARGET", "x86_64-unknown-linux-gnu") && is("PROFILE", "release") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--icf=all");
    }
}
