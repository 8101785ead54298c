//! Tells connections apart. The C API has no name for the connection of a callback, but each connection has settings of its own:
//! one of ours holds a number that no other connection has.

use std::sync::atomic::{AtomicU64, Ordering};

use duckdb_neo::{
    DuckDBType, FromValue, ToValue,
    connection::{Context, SettingScope},
    custom_option::{CustomOptionBuilder, CustomOptionCallbacks},
    extension::Extension,
    value::Value,
};
use tstable_core::Result;

use super::host_error;

const NAME: &str = "tstable_connection";

struct Numbers;

impl CustomOptionCallbacks for Numbers {
    /// Whatever is set, by us or by a user: a number that no other connection has.
    fn update(
        &self,
        context: &Context,
        _value: Value,
        _scope: SettingScope,
        _is_reset: bool,
    ) -> duckdb_neo::Result<Value> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed).value(context)
    }
}

/// Registers the setting with the database that loads the extension.
pub(super) fn register(extension: &Extension) -> Result<()> {
    let ty = u64::logical_type(extension).map_err(host_error)?;
    let description =
        "Set by tstable itself: tells connections apart, so that one statement sees one version of a table.";
    let option = CustomOptionBuilder::new(NAME, description, ty, Numbers).no_global();
    option.register(extension).map_err(host_error)
}

/// The number of the callback's connection, given to it on the first call. To be called where a statement is bound: there no other
/// thread reads the connection's settings. None where settings are locked before the first call.
pub(super) fn number(context: &Context) -> Option<u64> {
    let config = context.config().ok()?;
    let known = || match config.try_get_value(NAME) {
        Ok(Some((value, SettingScope::Session))) => u64::from_value(&value).ok().flatten(),
        _ => None,
    };
    if let Some(known) = known() {
        return Some(known);
    }
    let none = 0_u64.value(context).ok()?;
    config.set_value(NAME, &none, SettingScope::Session).ok()?;
    known()
}
