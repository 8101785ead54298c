//! Instants of the index column, half-open ranges of them, and the grid of buckets that divides them. Everything here is
//! integer arithmetic in the unit of the index column; nothing here knows rows, files, the clock or the session's zone.

mod civil;
mod cursor;
mod format;
mod grid;
mod offsets;
mod rules;
mod spelling;
mod units;
mod value;
mod wall_clock;
mod width;
mod zone;

pub use cursor::Cursor;
pub use format::{format_bucket, format_value};
pub use grid::Grid;
pub use offsets::Offsets;
pub use rules::zone_rules;
pub use units::WidthUnit;
pub use value::{BucketId, IndexRange, IndexValue, Run};
pub use wall_clock::WallClock;
pub use width::BucketWidth;
pub use zone::{check_zone, instant_of_wall_time, wall_time_of_instant, zone_data_version};

#[cfg(test)]
mod tests;
