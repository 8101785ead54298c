//! DuckDB's INTERVAL as Parquet keeps it.

use tstable_core::{Error, Result};

/// Months, days and milliseconds, each in four bytes without a sign, the lowest first.
///
/// # Errors
/// `SchemaMismatch` naming the interval when it has more than those hold.
pub(crate) fn parquet_interval(months: i32, days: i32, micros: i64) -> Result<[u8; 12]> {
    let millis = if micros % 1_000 == 0 { u32::try_from(micros / 1_000).ok() } else { None };
    let parts = [u32::try_from(months).ok(), u32::try_from(days).ok(), millis];
    let mut bytes = [0; 12];
    for (place, part) in bytes.chunks_exact_mut(4).zip(parts) {
        let part = part.ok_or_else(|| {
            Error::schema_mismatch(format!(
                "the INTERVAL of {months} months, {days} days and {micros} microseconds is not one that Parquet holds: months, days \
                 and milliseconds, none negative, the last below 49 days 17 hours; keep it as a number, as epoch_us gives it"
            ))
        })?;
        place.copy_from_slice(&part.to_le_bytes());
    }
    Ok(bytes)
}
