//! Which package the library is in. One library becomes several packages, which differ in the footer that DuckDB reads and
//! in the marker below, which `tools/package.py` writes. The marker says which C API the footer states and, for an API whose
//! table of functions is not the same in all versions of DuckDB, where that table has the functions that we were compiled
//! against.

use tstable_core::{Error, Result};

const MARKER_BYTES: usize = 128;
/// Length of the head, by which `tools/package.py` finds the marker. The head itself must stand in the library only once.
const HEAD_BYTES: usize = 16;

#[used]
static MARKER: [u8; MARKER_BYTES] = unset();

const fn unset() -> [u8; MARKER_BYTES] {
    let (mut bytes, text) = ([0; MARKER_BYTES], b"tstable-package:unset");
    let (mut rest, mut at) = (text.as_slice(), 0);
    while let [first, others @ ..] = rest {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
        {
            bytes[at] = *first;
        }
        rest = others;
        at += 1;
    }
    bytes
}

/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    /// The C API of the footer: `v1.2.0`, `v1.5.6`, or a version of DuckDB 2 exactly.
    pub(super) api: String,
    /// Where DuckDB's table has our functions, in order; empty for an API with a stable table.
    pub(super) layout: Vec<Block>,
}

/// A run of functions that stand together in both tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Position of the first in DuckDB's table; none of functions that it no longer has.
    pub(super) from: Option<usize>,
    pub(super) count: usize,
}

impl Package {
    /// The package that this library is in.
    ///
    /// # Errors
    /// `UnsupportedFormat` when no package was made of it, or by another version of the tool.
    pub(super) fn own() -> Result<Self> {
        // SAFETY: a static is alive and aligned. The compiler must not believe what it knows of its content.
        let bytes = unsafe { (&raw const MARKER).read_volatile() };
        let text = bytes.split(|byte| *byte == 0).next().and_then(|text| text.get(HEAD_BYTES..)).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(text)).ok_or_else(|| {
            Error::unsupported_format(
                "this file is the bare library of tstable, not one of its packages; make them with tools/package.py",
            )
        })
    }

    fn parse(marker: &str) -> Option<Self> {
        let mut words = marker.split(' ');
        let api = words.next().filter(|api| api.starts_with('v'))?.to_owned();
        let layout = words.map(Block::parse).collect::<Option<_>>()?;
        Some(Self { api, layout })
    }

    /// The error of a package that DuckDB `running` cannot use.
    pub(super) fn refusal(&self, running: &str) -> Error {
        let right = match numbers(running) {
            Some(version) if version < vec![1, 5, 6] => "take the package v1".to_owned(),
            Some(version) if version < vec![2] => "take the package v1.5.6".to_owned(),
            _ => format!("take the package {running}, or v1.5.6 where there is none of that name"),
        };
        Error::unsupported_format(format!(
            "this is tstable's package for DuckDB's C API {}, and this DuckDB is {running}; {right}",
            self.api
        ))
    }
}

impl Block {
    /// `21*620`: 620 functions from position 21 on; `-*2`: two that are gone.
    fn parse(word: &str) -> Option<Self> {
        let (from, count) = word.split_once('*')?;
        let from = if from == "-" { None } else { Some(from.parse().ok()?) };
        Some(Self { from, count: count.parse().ok()? })
    }
}

/// The numbers of a version like `v1.5.6` or `v2.1.0-dev7`, for comparing; none where it is something else.
pub(super) fn numbers(version: &str) -> Option<Vec<u32>> {
    let release = version.strip_prefix('v')?.split('-').next()?;
    release.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
#[path = "package_tests.rs"]
mod tests;
