//! `tstable_version`: the extension's version and the formats that it reads and writes.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use tstable_core::{Result, log::FORMAT_VERSION, schema::ColumnType};

use crate::host::ScalarFunction;

pub(crate) struct Version;

impl ScalarFunction for Version {
    fn name(&self) -> &'static str {
        "tstable_version"
    }

    fn description(&self) -> &'static str {
        "The extension's version and the table formats that it reads and writes."
    }

    fn overloads(&self) -> Vec<(Vec<ColumnType>, ColumnType)> {
        vec![(Vec::new(), ColumnType::Varchar)]
    }

    fn call(&self, _overload: usize, _arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let text = format!("tstable {} (reads and writes format {FORMAT_VERSION})", env!("CARGO_PKG_VERSION"));
        Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows))))
    }
}
