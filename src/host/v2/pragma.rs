//! Pragmas through the v2 C API: DuckDB runs the SQL that one gives in its place.

use std::sync::Arc;

use duckdb_neo::{
    bind_arguments::BindArguments,
    connection::Context,
    extension::Extension,
    pragma_function::{PragmaFunctionBuilder, PragmaQueryCallbacks},
    signature::{FunctionDocumentationBuilder, FunctionParameter, SignatureBuilder},
};
use tstable_core::Result;

use super::{super::Pragma, contained, host_error, session::Callback, value};
use crate::host::Arg;

/// Registers a pragma with the database that loads the extension.
pub(super) fn register(extension: &Extension, pragma: Arc<dyn Pragma>) -> Result<()> {
    let documentation = FunctionDocumentationBuilder::new().description(pragma.description());
    let mut signature = SignatureBuilder::new().documentation(documentation);
    for (name, default) in pragma.parameters() {
        signature = signature.param(match default {
            None => FunctionParameter::new::<String>(*name),
            Some(default) => FunctionParameter::with_default::<String>(*name, (*default).to_owned()),
        });
    }
    PragmaFunctionBuilder::query(pragma.name(), signature, Adapter(pragma)).register(extension).map_err(host_error)
}

struct Adapter(Arc<dyn Pragma>);

impl PragmaQueryCallbacks for Adapter {
    fn query(&self, context: &Context, arguments: BindArguments<'_>) -> duckdb_neo::Result<String> {
        contained(|| {
            let mut given = Vec::new();
            for index in 0..arguments.len().map_err(host_error)? {
                let value = arguments.value(index).map_err(host_error)?;
                given.push(match &value {
                    Some(value) => value::argument(value)?,
                    None => Arg::Other("an expression".to_owned(), String::new()),
                });
            }
            self.0.query(&Callback(context, None), &given)
        })
    }
}
