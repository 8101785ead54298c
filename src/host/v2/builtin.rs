//! Which scalar functions are DuckDB's own, or ours. A user may add a function under any name that is free, and further overloads
//! under names that are taken, but cannot replace an overload of DuckDB's: so a function is known by its catalog, its name
//! and the types of its arguments together, never by its name alone.

use duckdb_neo::{
    Result as HostResult,
    expression::Expression,
    logical_type::{LogicalTypeID as Id, LogicalTypeID::*},
};
use tstable_core::prune::is_part_function;

/// Whether a call, whose name in lower case is given, is of a function of DuckDB's own that pruning may know, and whose
/// result depends on no setting but the time zone. `gregorian` says whether zoned times are counted in the Gregorian calendar.
pub(super) fn is_own(call: &Expression<'_>, name: &str, arguments: &[Id], gregorian: bool) -> HostResult<bool> {
    let path = call.qname()?.parts()?;
    let own = match path.as_slice() {
        // Put there by the optimizer, which does not look into the catalog.
        [_] => true,
        [catalog, schema, _] => catalog == "system" && schema == "main",
        _ => false,
    };
    let zoned = arguments.contains(&TimestampTz) || call.return_type()?.id()? == TimestampTz;
    Ok(own && is_overload(name, arguments) && (gregorian || !zoned))
}

/// Whether DuckDB itself has an overload of the function for these arguments. Only functions that pruning models.
fn is_overload(name: &str, arguments: &[Id]) -> bool {
    match (name, arguments) {
        ("+" | "add", [a, b]) => a == b && is_integer(*a) || is_step(*a, *b) || is_step(*b, *a),
        ("-" | "subtract", [a, b]) => a == b && is_integer(*a) || is_step(*a, *b),
        ("date_trunc" | "datetrunc" | "date_part" | "datepart", [Varchar, of]) => is_moment(*of),
        ("time_bucket", [Interval, of]) => is_moment(*of),
        ("time_bucket", [Interval, of, Interval]) => is_moment(*of),
        ("time_bucket", [Interval, of, origin]) => {
            is_moment(*of) && (of == origin || (*of == TimestampTz && *origin == Varchar))
        }
        ("tstable_bucket", [of, Varchar | Interval] | [of, Varchar | Interval, Varchar]) => {
            is_moment(*of) || matches!(of, TimestampSec | TimestampNs | BigInt | UBigInt)
        }
        ("epoch_ms" | "make_timestamp", [BigInt]) | ("epoch_ns", [TimestampNs]) | ("to_timestamp", [Double]) => true,
        ("timezone", [Varchar, Timestamp | TimestampTz]) => true,
        ("strftime", [of, Varchar] | [Varchar, of]) => matches!(of, Date | Timestamp | TimestampNs),
        ("prefix" | "starts_with" | "^@" | "~~", [Varchar, Varchar]) => true,
        ("epoch" | "epoch_ms" | "epoch_us" | "epoch_ns", [of]) => is_moment(*of),
        (name, [of]) => is_moment(*of) && is_part_function(name),
        _ => false,
    }
}

fn is_moment(id: Id) -> bool {
    matches!(id, Date | Timestamp | TimestampTz)
}

/// A moment and what moves it.
fn is_step(moment: Id, by: Id) -> bool {
    (is_moment(moment) && by == Interval) || (moment == Date && by == Integer)
}

fn is_integer(id: Id) -> bool {
    matches!(id, TinyInt | SmallInt | Integer | BigInt | HugeInt | UTinyInt | USmallInt | UInteger | UBigInt)
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
