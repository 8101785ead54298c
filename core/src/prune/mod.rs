//! What can be proven about a predicate from metadata alone: whether it holds for no row or for every row of a segment,
//! row group or page, and where in the index and among the entities its rows can lie. Nothing here reads data, opens a
//! file or knows which statistics exist where; callers bring them as [`Statistics`].
//!
//! The one rule: a proof or nothing. An expression that is not modelled, a statistic that is missing, a cast that
//! depends on the session, and a value that might raise an error all end in [`Verdict::Maybe`].

pub mod expr;

mod bounds;
mod buckets;
mod calendar;
mod casts;
mod clock;
mod convert;
mod describe;
mod domain;
mod exact;
mod functions;
mod interval;
mod judge;
mod modelled;
mod stats;
mod step;
mod strings;
mod temporal;
mod truth;
mod verdict;

pub use bounds::{Bounds, index_bounds};
pub use describe::describe;
pub use exact::{entity_values, exact_range, is_exact};
pub use functions::is_part_function;
pub use interval::Interval;
pub use judge::columns_of;
pub use modelled::is_modelled;
pub use stats::{ColumnStats, Nulls, Statistics, Verdict};
pub use verdict::judge;

#[cfg(test)]
mod tests;
