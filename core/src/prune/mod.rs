//! What can be proven about a predicate from metadata alone. See [`expr`] for the predicates.

pub mod expr;
