//! Where the bytes of a table live. Knows files and directories, not what is in them.

pub mod source;
