//! Whatever brings rows into the table, takes them out or lays them out again: append, load, delete, compact, and what they share.

pub mod append;
pub mod builder;
pub mod carve;
pub mod checks;
pub mod compact;
pub mod delete;
pub mod duplicates;
pub mod fit;
pub mod incoming;
pub mod intake;
pub mod integers;
pub mod keys;
pub mod lives;
pub mod load;
pub mod loaded;
pub mod moved;
pub mod overlap;
pub mod policy;
pub mod preview;
pub mod same;
pub mod sieve;
pub mod slices;
pub mod sorter;
pub mod stage;
