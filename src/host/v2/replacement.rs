//! `FROM 'path'` through the v2 C API.

use std::sync::Arc;

use duckdb_neo::{
    ToValue,
    connection::Context,
    extension::Extension,
    qualified_name::QualifiedName,
    replacement_scan::{ReplacementHandle, ReplacementScanBuilder, ReplacementScanCallbacks, ReplacementType},
};
use tstable_core::Result;

use super::{
    super::{Replacement, reference::References},
    contained, host_error,
    session::Callback,
    table,
};

/// Makes unknown names of tables that `scan` knows calls of its function, each with a number of its own.
pub(super) fn register(extension: &Extension, scan: Replacement, references: Arc<References>) -> Result<()> {
    ReplacementScanBuilder::new(Scan(scan, references)).register(extension).map_err(host_error)
}

struct Scan(Replacement, Arc<References>);

impl ReplacementScanCallbacks for Scan {
    fn scan(&self, context: &Context, name: &QualifiedName, handle: ReplacementHandle<'_>) -> duckdb_neo::Result<()> {
        contained(|| {
            let parts = name.parts().map_err(host_error)?;
            // A name with a schema is not a path.
            let [path] = parts.as_slice() else { return Ok(()) };
            if (self.0.is_table)(&Callback(context, None), path) {
                let function = table::numbered(self.0.function);
                let function = QualifiedName::from_parts(&[function.as_str()]).map_err(host_error)?;
                handle.set_reference(ReplacementType::Table(function)).map_err(host_error)?;
                handle.add_parameter(path.as_str().value(context).map_err(host_error)?).map_err(host_error)?;
                handle.add_parameter(self.1.issue().value(context).map_err(host_error)?).map_err(host_error)?;
            }
            Ok(())
        })
    }
}
