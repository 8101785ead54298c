//! Which buckets of which entities hold data: sets of bucket numbers, their runs and gaps, and their form on disk.
//! Knows bucket numbers and entities; knows neither clocks, nor index values, nor files.
//!
//! # Layout of serialised coverage, version 1
//!
//! ```text
//! coverage := magic version count entity* checksum
//! magic    := the 6 bytes "TSTCOV"
//! version  := 16-bit little-endian integer, 1
//! count    := varint, the number of entities
//! entity   := parts part* set
//! parts    := varint, the number of entity columns (0 for a table without)
//! part     := 0x00 length bytes     VARCHAR: varint length in bytes, then UTF-8
//!           | 0x01 zigzag           an integer
//!           | 0x02 byte             BOOLEAN: 0 or 1
//!           | 0x03 zigzag           DATE: days since 1970-01-01, in the range of 32 bits
//!           | 0x04 16 bytes         UUID, in the order in which it is written
//! set      := 0x00 runs             maximal runs of covered buckets
//!           | 0x01 length roaring   varint length in bytes, then a Roaring bitmap
//! runs     := varint number of runs (at least 1), first extent (distance extent)*
//! first    := zigzag of the first bucket's number
//! extent   := varint, the number of buckets of the run less 1
//! distance := varint, the number of uncovered buckets between two runs less 1
//! roaring  := RoaringFormatSpec's 64-bit extension: the number of 32-bit maps (64-bit little-endian), then for each in
//!             ascending order of its key the key (upper 32 bits, little-endian) and the non-empty map in the portable
//!             32-bit format. A bucket's member is its number in two's complement with the sign bit inverted, so
//!             that members are ordered as buckets are
//! checksum := XXH3-64 (seed 0) of all bytes before it, little-endian; every version ends so
//! ```
//!
//! A varint holds 7 bits a byte, the lowest first; all bytes but the last have the top bit set; the shortest form is the
//! only valid one. A zigzag is the varint of `2n` for `n >= 0` and of `-2n - 1` for `n < 0`; bucket numbers are in the
//! range of 64 bits, entity integers in that of 128 bits.
//!
//! Entities are strictly ascending: parts are compared one by one, by kind in the order above, VARCHARs and UUIDs by
//! their bytes, the others by value; an entity that begins another comes first. No set is empty, and no byte is left over. A
//! writer uses the shorter of the two forms of a set; a reader takes either. Readers bound the number of buckets of a
//! file before they expand a run.
//!
//! # Layout of serialised counts of rows, version 1
//!
//! ```text
//! counts := magic version count entity* checksum     the magic is the 6 bytes "TSTCNT"; entities as above, with pieces for the set
//! pieces := varint number of pieces (at least 1), first extent rows (distance extent rows)*
//! rows   := varint, the rows of each bucket of the piece less 1
//! ```
//!
//! `distance` is here the number of buckets between two pieces; pieces that touch have different numbers of rows.

mod bucket_set;
mod builder;
mod codec;
mod counts;
mod counts_codec;
mod entity;
mod runs;
mod set_codec;
mod table;
mod varint;
mod walk;

pub use crate::time::{BucketId, Run};
pub use bucket_set::{BucketSet, MAX_RUN_BUCKETS};
pub use builder::{CoverageBuilder, Slot};
pub use codec::MAX_BUCKETS;
pub use counts::{Counts, CountsBuilder, Piece};
pub use entity::{Entity, EntityPart, parse_uuid, uuid_text};
pub use runs::{Gaps, Runs};
pub use table::{Coverage, Overlap};
pub use walk::{intersect, subtract};

#[cfg(test)]
mod tests;
