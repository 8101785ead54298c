//! Checks on rows: predicates over single columns and constants, kept as text and evaluated with Arrow's kernels on what is about to be
//! appended. As in SQL, a row violates a check when the predicate is false; where it is NULL the row passes.

mod constant;
mod parse;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Datum, Float32Array, Float64Array, RecordBatch, Scalar},
    compute::{
        and_kleene, is_not_null, is_null,
        kernels::cmp::{eq, gt, gt_eq, lt, lt_eq, neq},
        not, or_kleene,
    },
    datatypes::{DataType, Float32Type, Float64Type},
    error::ArrowError,
};
use std::sync::Arc;

use crate::{
    error::{Error, Result},
    schema::Schema,
};

/// A predicate, its columns found and its constants of the columns' types.
#[derive(Debug, Clone)]
pub struct Check {
    /// What it is called.
    pub name: String,
    /// As the user wrote it.
    pub text: String,
    node: Node,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

#[derive(Debug, Clone)]
enum Node {
    /// Column, comparison, and a constant as an array of one value.
    Compare(usize, Op, Scalar<ArrayRef>),
    IsNull(usize),
    IsNotNull(usize),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

impl Check {
    /// Reads a predicate over the columns of `schema`.
    ///
    /// # Errors
    /// `InvalidArgument` saying what is not supported or not known, and where.
    pub fn parse(name: &str, text: &str, schema: &Schema) -> Result<Self> {
        let node = parse::parse(text, schema).map_err(|e| e.with("check", name))?;
        Ok(Self { name: name.to_owned(), text: text.to_owned(), node })
    }

    /// For each row whether it violates the check.
    ///
    /// # Errors
    /// `Corrupt` when the batch has other columns than the schema.
    pub fn violated(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let result =
            evaluate(&self.node, batch).map_err(|e| Error::corrupt("a check cannot be evaluated").caused_by(e))?;
        let violated = (0..result.len()).map(|row| !result.is_null(row) && !result.value(row));
        Ok(violated.map(Some).collect())
    }

    /// The columns that it looks at, each once, as positions in the schema.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        collect(&self.node, &mut columns);
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

fn collect(node: &Node, columns: &mut Vec<usize>) {
    match node {
        Node::Compare(column, ..) | Node::IsNull(column) | Node::IsNotNull(column) => columns.push(*column),
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| collect(part, columns)),
        Node::Not(part) => collect(part, columns),
    }
}

fn evaluate(node: &Node, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
    let column = |at: usize| {
        let missing = || ArrowError::SchemaError("a checked column is missing".to_owned());
        batch.columns().get(at).ok_or_else(missing)
    };
    let fold = |parts: &[Node], join: fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>| {
        let mut parts = parts.iter().map(|part| evaluate(part, batch));
        let first = parts.next().unwrap_or_else(|| Err(ArrowError::ComputeError("an empty predicate".to_owned())))?;
        parts.try_fold(first, |all, part| join(&all, &part?))
    };
    match node {
        Node::Compare(at, op, constant) => compare(&comparable(column(*at)?), *op, constant),
        Node::IsNull(at) => is_null(column(*at)?),
        Node::IsNotNull(at) => is_not_null(column(*at)?),
        Node::And(parts) => fold(parts, and_kleene),
        Node::Or(parts) => fold(parts, or_kleene),
        Node::Not(part) => not(&evaluate(part, batch)?),
    }
}

fn compare(array: &ArrayRef, op: Op, constant: &dyn Datum) -> Result<BooleanArray, ArrowError> {
    match op {
        Op::Eq => eq(array, constant),
        Op::NotEq => neq(array, constant),
        Op::Lt => lt(array, constant),
        Op::LtEq => lt_eq(array, constant),
        Op::Gt => gt(array, constant),
        Op::GtEq => gt_eq(array, constant),
    }
}

/// Arrow orders floating-point numbers by their bits; DuckDB takes both zeros for equal and every NaN for the greatest.
fn comparable(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float64 => {
            let plain = |v: f64| if v.is_nan() { f64::NAN } else { v + 0.0 };
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(plain)) as Arc<Float64Array>
        }
        DataType::Float32 => {
            let plain = |v: f32| if v.is_nan() { f32::NAN } else { v + 0.0 };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(plain)) as Arc<Float32Array>
        }
        _ => Arc::clone(array),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
