//! What the format promises when things go wrong: crashes, power losses, kills, races, damage and strangers' tables.
//! docs/SAFETY.md says which promise each test guards.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_truncation
)]

#[path = "safety/child.rs"]
mod child;
#[path = "safety/clocks.rs"]
mod clocks;
#[path = "safety/crashes.rs"]
mod crashes;
#[path = "safety/damage.rs"]
mod damage;
#[path = "safety/fuzzed.rs"]
mod fuzzed;
#[path = "safety/hostile.rs"]
mod hostile;
#[path = "safety/killed.rs"]
mod killed;
#[path = "safety/operations.rs"]
mod operations;
#[path = "safety/prices.rs"]
mod prices;
#[path = "safety/races.rs"]
mod races;
#[path = "safety/refusing.rs"]
mod refusing;
#[path = "safety/sleeping.rs"]
mod sleeping;
#[path = "safety/storages.rs"]
mod storages;
#[path = "safety/strangers.rs"]
mod strangers;
#[path = "safety/swapped.rs"]
mod swapped;
#[path = "safety/through.rs"]
mod through;
#[path = "safety/upkeep.rs"]
mod upkeep;
#[path = "safety/vanished.rs"]
mod vanished;
#[path = "safety/world.rs"]
mod world;
