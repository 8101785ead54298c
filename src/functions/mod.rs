//! The SQL functions and the list of them. No function knows the host that calls it.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use tstable_core::{Result, schema::ColumnType};

use crate::host::{Registry, ScalarFunction};

/// Everything that the extension registers.
pub(crate) fn registry() -> Registry {
    Registry { tables: Vec::new(), scalars: vec![Arc::new(Version)], replacement: None }
}

/// `tstable_version()`.
struct Version;

impl ScalarFunction for Version {
    fn name(&self) -> &'static str {
        "tstable_version"
    }

    fn description(&self) -> &'static str {
        "The version of the extension."
    }

    fn overloads(&self) -> Vec<(Vec<ColumnType>, ColumnType)> {
        vec![(Vec::new(), ColumnType::Varchar)]
    }

    fn call(&self, _overload: usize, _arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(Arc::new(StringArray::from(vec![env!("CARGO_PKG_VERSION"); rows])))
    }
}
