//! Changes of what is known about the table that move no rows: tags, properties, columns, expectations, restoring a version.

pub mod alter;
pub mod columns;
pub mod expect;
pub mod restore;
pub mod tags_and_properties;
pub mod windows_file;
