//! What a time zone's rules say, as a short digest: a table keeps it, so that rules that changed since are noticed. Looks
//! at offsets only; names and abbreviations do not move buckets.

use xxhash_rust::xxh3::xxh3_64;

use super::zone::{self, Tz};
use crate::error::Result;

/// 1900-01-01 and 2100-01-01 in seconds since 1970.
const FIRST_SECOND: i64 = -2_208_988_800;
const LAST_SECOND: i64 = 4_102_444_800;
/// Offsets are looked at every so often; two changes within less that undo each other go unseen.
const STEP_SECONDS: i64 = 12 * 3_600;

/// A digest, in 16 hexadecimal digits, of all changes of the zone's offset from 1900 to 2100.
///
/// # Errors
/// `InvalidArgument` for a name that is not a zone.
pub fn zone_rules(name: &str) -> Result<String> {
    let tz = zone::find(name)?;
    let mut offset = offset_at(tz, FIRST_SECOND);
    let mut bytes = offset.to_le_bytes().to_vec();
    let mut second = FIRST_SECOND;
    while second < LAST_SECOND {
        let next = second.saturating_add(STEP_SECONDS);
        let then = offset_at(tz, next);
        if then != offset {
            bytes.extend_from_slice(&change_between(tz, second, next).to_le_bytes());
            bytes.extend_from_slice(&then.to_le_bytes());
            offset = then;
        }
        second = next;
    }
    Ok(format!("{:016x}", xxh3_64(&bytes)))
}

fn offset_at(tz: Tz, second: i64) -> i32 {
    i32::try_from(tz.offset_seconds(i128::from(second))).unwrap_or(0)
}

/// The first second after `before`, and not after `after`, at which the offset is that of `after`.
fn change_between(tz: Tz, before: i64, after: i64) -> i64 {
    let then = offset_at(tz, after);
    let (mut before, mut after) = (before, after);
    while after.saturating_sub(before) > 1 {
        let middle = before.midpoint(after);
        if offset_at(tz, middle) == then {
            after = middle;
        } else {
            before = middle;
        }
    }
    after
}
