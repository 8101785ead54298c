//! Folds functions whose machine code is the same: Arrow's kernels come once for each type, and types of one width share
//! their code. Only where Rust links with the LLD that came with it, which knows how: GNU's linker and Zig's refuse the flag.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|v| v == value);
    if is("TARGET", "x86_64-unknown-linux-gnu") && is("PROFILE", "release") && links_with_own_lld() {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--icf=all");
    }
}

/// Whether nobody chose another linker, and the compiler has an LLD beside it, with which it links on this target.
fn links_with_own_lld() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if env::var_os("RUSTC_LINKER").is_some()
        || ["linker", "fuse-ld", "link-self-contained"].iter().any(|word| flags.contains(word))
    {
        return false;
    }
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let Ok(told) = Command::new(compiler).arg("--print=sysroot").output() else { return false };
    let sysroot = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    Path::new(&sysroot).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld").is_file()
}
