//! A second look at every row, for tests. Filters that are accepted are in no plan any more, so a row that should not have been
//! delivered is seen by nobody.

use std::sync::LazyLock;

use arrow::array::RecordBatch;
use tstable_core::{
    Result,
    table::scan::{Scan, Unit},
};

/// Set to anything before the extension is loaded, this has each row held against the accepted filters and the range.
const SWITCH: &str = "TSTABLE_CHECK_ROWS";

/// Whether rows are looked at a second time.
pub(super) fn is_on() -> bool {
    static ON: LazyLock<bool> = LazyLock::new(|| std::env::var_os(SWITCH).is_some());
    *ON
}

/// Looks at the rows of a batch, if that was asked for.
pub(super) fn rows(scan: &Scan, unit: &Unit, batch: &RecordBatch) -> Result<()> {
    if is_on() { scan.check(unit, batch) } else { Ok(()) }
}
