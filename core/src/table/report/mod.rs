//! A table to look at: what is there and what is not, as one page that needs nothing else. [`contents`] is what the page says,
//! [`gather`] looks for it, [`page`] makes it HTML.

mod advice;
mod contents;
mod gather;
mod page;
mod periods;
mod segments;

pub use self::{contents::Report, page::render};
