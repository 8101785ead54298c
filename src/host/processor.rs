//! What the library was compiled for, looked at before anything else runs: on a lesser processor it would end the host's
//! process with an illegal instruction.

use tstable_core::{Error, Result};

/// The bits of CPUID that the compiled code relies on, by name: leaf 1 in ECX. Source: the x86-64 psABI's level v2, and
/// Intel's Software Developer's Manual, volume 2A, for the bits.
#[cfg(target_arch = "x86_64")]
const NEEDED: [(u32, &str); 5] = [(0, "SSE3"), (9, "SSSE3"), (19, "SSE4.1"), (20, "SSE4.2"), (23, "POPCNT")];

/// Refuses a processor that lacks what the library was compiled for.
///
/// # Errors
/// `UnsupportedFormat`, naming what is missing.
pub(super) fn check() -> Result<()> {
    match missing(features()) {
        Some(name) => Err(Error::unsupported_format(format!(
            "this processor lacks {name}, which the extension was compiled for (x86-64-v2: Intel since 2009, AMD since 2011 or \
             2013); build it from source with RUSTFLAGS=\"-C target-cpu=x86-64\""
        ))),
        None => Ok(()),
    }
}

/// What the processor says of itself; none where the library asks for nothing.
#[cfg(all(target_arch = "x86_64", target_feature = "sse4.2"))]
fn features() -> Option<u32> {
    Some(std::arch::x86_64::__cpuid(1).ecx)
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.2")))]
fn features() -> Option<u32> {
    None
}

#[cfg(target_arch = "x86_64")]
fn missing(features: Option<u32>) -> Option<&'static str> {
    let features = features?;
    NEEDED.iter().find(|(bit, _)| features & (1 << bit) == 0).map(|(_, name)| *name)
}

#[cfg(not(target_arch = "x86_64"))]
fn missing(_features: Option<u32>) -> Option<&'static str> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{check, missing};

    #[test]
    fn a_processor_that_runs_the_tests_is_accepted() {
        check().unwrap();
    }

    #[test]
    fn what_a_lesser_processor_lacks_is_named() {
        assert_eq!(missing(None), None);
        assert_eq!(missing(Some(u32::MAX)), None);
        assert_eq!(missing(Some(0)), Some("SSE3"));
        assert_eq!(missing(Some(u32::MAX - (1 << 20))), Some("SSE4.2"));
    }
}
