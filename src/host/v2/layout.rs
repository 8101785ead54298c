//! DuckDB's table of functions in the order that we were compiled against. DuckDB 2 moves functions within the table from
//! one version to the next, so a package says where its version has them.

use std::{ffi::c_void, ptr};

use tstable_core::{Error, Result};

use super::super::package::{Block, Package};

/// The functions of `table` in our order, of which there are `functions`; null for those that this DuckDB does not have.
///
/// # Safety
/// `table` has every position that the package names.
pub(super) unsafe fn arrange(
    table: *const *const c_void,
    package: &Package,
    functions: usize,
) -> Result<Vec<*const c_void>> {
    let named = package.layout.iter().map(|block| block.count).fold(0_usize, usize::saturating_add);
    if named != functions {
        return Err(Error::unsupported_format(format!(
            "this package of tstable is marked for {named} functions of DuckDB {}, and the library has {functions}: library \
             and tools/package.py are of different versions",
            package.api
        )));
    }
    let mut ours = Vec::with_capacity(functions);
    for Block { from, count } in &package.layout {
        match from {
            // SAFETY: as the caller says.
            Some(from) => ours.extend((0..*count).map(|index| unsafe { table.add(from.saturating_add(index)).read() })),
            None => ours.extend((0..*count).map(|_| ptr::null())),
        }
    }
    Ok(ours)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{ffi::c_void, ptr};

    use super::{super::super::package::Package, Block, arrange};

    fn package(layout: &[(Option<usize>, usize)]) -> Package {
        let layout = layout.iter().map(|&(from, count)| Block { from, count }).collect();
        Package { api: "v2.9.9".to_owned(), layout }
    }

    fn positions(layout: &[(Option<usize>, usize)]) -> Vec<usize> {
        let table: Vec<_> = (100..120).map(ptr::without_provenance::<c_void>).collect();
        let functions = layout.iter().map(|block| block.1).sum();
        // SAFETY: the layouts of these tests stay within the twenty entries.
        let arranged = unsafe { arrange(table.as_ptr(), &package(layout), functions) };
        arranged.unwrap().iter().map(|address| address.addr()).collect()
    }

    #[test]
    fn functions_are_found_behind_new_ones_and_around_those_that_are_gone() {
        assert_eq!(positions(&[(Some(0), 3)]), [100, 101, 102]);
        assert_eq!(positions(&[(Some(17), 3)]), [117, 118, 119]);
        assert_eq!(positions(&[(Some(1), 2), (None, 1), (Some(9), 1)]), [101, 102, 0, 109]);
    }

    #[test]
    fn a_marker_of_another_version_of_the_library_is_refused() {
        // SAFETY: nothing is read of a table whose length is wrong.
        let refused = unsafe { arrange(ptr::null(), &package(&[(Some(0), 3)]), 4) };
        assert!(refused.unwrap_err().to_string().contains("3 functions of DuckDB v2.9.9"));
    }
}
