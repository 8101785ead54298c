//! Reading rows: which segments a range needs, scanning them, the last rows, and cells filled from them.

pub mod batches;
pub mod bucket_starts;
pub mod fill;
pub mod latest;
pub mod scan;
pub mod select;
pub mod since;
