//! What keeps a table whole and small: verify, repair, vacuum, checkpoints, and which files are its own.

pub mod checkpoint;
pub mod drop;
pub mod go_back;
pub mod repair;
pub mod vacuum;
pub mod verify;
