//! Filling a regular grid: for each entity and cell the last value that was observed in it, or what takes its place, and
//! where that came from. Entities are worked on in batches, so that memory is bounded whatever the table holds.

mod cells;
mod collect;
mod lookaround;
mod request;
mod stream;

pub use self::{
    request::{FillColumn, FillRequest, Method, Provenance, filled_type},
    stream::{Fill, Filled},
};
