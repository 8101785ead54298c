//! Checks on rows: predicates over columns, constants and numbers computed from them, kept as text and evaluated on what is about to be
//! appended. As in SQL, a row violates a check when the predicate is false; where it is NULL the row passes. A row with a number that 128
//! bits cannot hold violates the check, since nobody can say that it does not.

mod constant;
mod number;
mod operand;
mod parse;
mod pattern;
mod tokens;
mod value;

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

use self::{
    number::Kind,
    value::{Misfits, Value, column},
};
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

impl Op {
    /// What holds of the right side and the left when this does of the left and the right.
    fn turned(self) -> Self {
        match self {
            Self::Eq | Self::NotEq => self,
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
        }
    }
}

#[derive(Debug, Clone)]
enum Node {
    /// Column, comparison, and a constant as an array of one value.
    Compare(usize, Op, Scalar<ArrayRef>),
    /// Two columns of one type that are not numbers.
    Same(usize, Op, usize),
    /// Two numbers, both as this kind.
    Relate(Value, Op, Value, Kind),
    /// A number that is NULL.
    NoNumber(Value),
    /// A column of texts in which a pattern is found.
    Matches(usize, regex::Regex),
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

    /// The text with other names for its columns: `name` says which, by their positions in the schema with which it was read.
    ///
    /// # Errors
    /// As [`Check::parse`].
    pub fn renamed<'a>(&self, schema: &Schema, name: impl Fn(usize) -> Option<&'a str>) -> Result<String> {
        parse::renamed(&self.text, schema, name)
    }

    /// For each row whether it violates the check.
    ///
    /// # Errors
    /// `Corrupt` when the batch has other columns than the schema.
    pub fn violated(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let mut misfits = vec![false; batch.num_rows()];
        let result = evaluate(&self.node, batch, &mut misfits)
            .map_err(|e| Error::corrupt("a check cannot be evaluated").caused_by(e))?;
        let violated = misfits.iter().enumerate();
        let violated = violated.map(|(row, misfit)| *misfit || (!result.is_null(row) && !result.value(row)));
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
        Node::Compare(column, ..) | Node::Matches(column, _) | Node::IsNull(column) | Node::IsNotNull(column) => {
            columns.push(*column)
        }
        Node::Same(left, _, right) => columns.extend([*left, *right]),
        Node::Relate(left, _, right, _) => [left, right].iter().for_each(|of| of.collect(columns)),
        Node::NoNumber(of) => of.collect(columns),
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| collect(part, columns)),
        Node::Not(part) => collect(part, columns),
    }
}

fn evaluate(node: &Node, batch: &RecordBatch, misfits: &mut Misfits) -> Result<BooleanArray, ArrowError> {
    match node {
        Node::Compare(at, op, constant) => compare(&comparable(column(batch, *at)?), *op, constant),
        Node::Same(left, op, right) => compare(column(batch, *left)?, *op, column(batch, *right)?),
        Node::Relate(left, op, right, kind) => {
            let (left, right) = (left.of(batch, misfits)?, right.of(batch, misfits)?);
            Ok(value::compare(&left, *op, &right, *kind))
        }
        Node::NoNumber(of) => Ok(of.of(batch, misfits)?.iter().map(|number| Some(number.is_none())).collect()),
        Node::Matches(at, pattern) => pattern::matches(column(batch, *at)?, pattern),
        Node::IsNull(at) => is_null(column(batch, *at)?),
        Node::IsNotNull(at) => is_not_null(column(batch, *at)?),
        Node::And(parts) => fold(parts, batch, misfits, and_kleene),
        Node::Or(parts) => fold(parts, batch, misfits, or_kleene),
        Node::Not(part) => not(&evaluate(part, batch, misfits)?),
    }
}

type Join = fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>;

fn fold(parts: &[Node], batch: &RecordBatch, misfits: &mut Misfits, join: Join) -> Result<BooleanArray, ArrowError> {
    let mut parts = parts.iter().map(|part| evaluate(part, batch, misfits));
    let first = parts.next().unwrap_or_else(|| Err(ArrowError::ComputeError("an empty predicate".to_owned())))?;
    parts.try_fold(first, |all, part| join(&all, &part?))
}

fn compare(array: &dyn Datum, op: Op, constant: &dyn Datum) -> Result<BooleanArray, ArrowError> {
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
