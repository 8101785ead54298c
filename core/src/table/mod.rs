//! A table. Down here is what everything else stands on: the handle and its snapshots ([`handle`]), the one way in which a version
//! is made ([`commit`]), the one door to a segment ([`opened`]). What can be done with a table is in the wings: [`mod@write`] brings rows
//! in and lays them out, [`read`] delivers them, [`ask`] answers from coverage alone, [`report`] shows it, [`amend`] changes what is
//! known without moving a row, [`upkeep`] keeps it whole and small.
//!
//! A file or wing imports only what stands below it; `tools/test_rooms.py` holds that.

pub mod amend;
pub mod ask;
pub mod cache;
pub mod clock;
pub mod collector;
pub mod commit;
pub mod create;
pub mod derived;
pub mod files;
pub mod fingerprint;
pub mod foreign;
pub mod handle;
pub mod monitor;
pub mod names;
pub mod numbers;
mod open;
pub mod opened;
pub mod origins;
pub mod read;
pub mod report;
mod retold;
pub mod rows;
pub mod target;
pub mod upkeep;
mod vacuumed;
pub mod write;

pub use self::{
    amend::{columns, expect, restore, tags_and_properties, windows_file},
    ask::{backfill, choice, common_windows, differences, fragmentation, require, shares, subject, summary},
    create::{CreateRequest, Created},
    handle::{At, Snapshot, Table},
    names::{WRITER, random_id},
    read::{bucket_starts, fill, latest, scan, select, since},
    upkeep::{checkpoint, drop, repair, vacuum, verify},
    write::{
        append, builder, carve, checks, compact, compare, delete, duplicates, fit, folders, given, incoming, intake,
        integers, keys, load, moved, overlap, policy, preview, same, sieve, slices, sorter, stage,
    },
};
