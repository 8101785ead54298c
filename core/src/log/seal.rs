//! The checksum that a file of the log ends with: the last member of its JSON object, of all bytes before it.

use xxhash_rust::xxh3::xxh3_64;

const CHECKSUM_KEY: &[u8] = b",\"checksum\":\"xxh3:";
const CHECKSUM_END: &[u8] = b"\"}\n";
/// Makes a checksum of all bytes before it the last member of the JSON object that `bytes` hold.
pub(super) fn seal(bytes: &mut Vec<u8>) {
    bytes.pop();
    let checksum = xxh3_64(bytes);
    bytes.extend_from_slice(CHECKSUM_KEY);
    bytes.extend_from_slice(format!("{checksum:016x}").as_bytes());
    bytes.extend_from_slice(CHECKSUM_END);
}

/// Whether the checksum at the end is that of the bytes before it; none when there is no such checksum.
pub(super) fn checksum_holds(bytes: &[u8]) -> Option<bool> {
    let tail = CHECKSUM_KEY.len() + 16 + CHECKSUM_END.len();
    let (body, tail) = bytes.split_at_checked(bytes.len().checked_sub(tail)?)?;
    let stated = tail.strip_prefix(CHECKSUM_KEY)?.strip_suffix(CHECKSUM_END)?;
    Some(stated == format!("{:016x}", xxh3_64(body)).as_bytes())
}
