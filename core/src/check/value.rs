//! Numbers that checks compute from the columns of a batch.

use std::cmp::Ordering;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Decimal128Type, Float32Type, Float64Type},
    error::ArrowError,
};

use super::{
    Op,
    number::{Arithmetic, Kind, Number},
};

/// A number of every row.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A column of numbers.
    Column(usize),
    Constant(Number),
    /// Characters (code points) of a column of texts.
    Length(usize),
    Abs(Box<Value>),
    Negate(Box<Value>),
    Compute(Box<Value>, Arithmetic, Box<Value>),
    /// The last of these in the order, or the first; NULLs count only when there is nothing else.
    Extreme(Ordering, Vec<Value>, Kind),
}

/// Rows in which a number did not fit.
pub(super) type Misfits = Vec<bool>;

type Numbers = Vec<Option<Number>>;

impl Value {
    pub(super) fn collect(&self, columns: &mut Vec<usize>) {
        match self {
            Self::Column(at) | Self::Length(at) => columns.push(*at),
            Self::Constant(_) => (),
            Self::Abs(of) | Self::Negate(of) => of.collect(columns),
            Self::Compute(left, _, right) => [left, right].iter().for_each(|of| of.collect(columns)),
            Self::Extreme(_, parts, _) => parts.iter().for_each(|of| of.collect(columns)),
        }
    }

    /// The numbers of all rows; those in which one did not fit are NULL here and true in `misfits`.
    pub(super) fn of(&self, batch: &RecordBatch, misfits: &mut Misfits) -> Result<Numbers, ArrowError> {
        Ok(match self {
            Self::Column(at) => numbers(column(batch, *at)?)?,
            Self::Constant(number) => vec![Some(*number); batch.num_rows()],
            Self::Length(at) => lengths(column(batch, *at)?)?,
            Self::Abs(of) => each(of.of(batch, misfits)?, misfits, Number::abs),
            Self::Negate(of) => each(of.of(batch, misfits)?, misfits, Number::negate),
            Self::Compute(left, op, right) => {
                let (left, right) = (left.of(batch, misfits)?, right.of(batch, misfits)?);
                let both = left.into_iter().zip(right).map(|(a, b)| a.zip(b)).collect();
                each(both, misfits, |(a, b)| a.compute(*op, b))
            }
            Self::Extreme(wanted, parts, kind) => {
                let mut best: Numbers = vec![None; batch.num_rows()];
                for part in parts {
                    for (best, new) in best.iter_mut().zip(part.of(batch, misfits)?) {
                        let Some(new) = new.map(|new| new.cast(*kind)) else { continue };
                        if best.is_none_or(|best| new.order(best) == *wanted) {
                            *best = Some(new);
                        }
                    }
                }
                best
            }
        })
    }
}

fn each<T>(values: Vec<Option<T>>, misfits: &mut Misfits, compute: impl Fn(T) -> Option<Number>) -> Numbers {
    let each = |(value, misfit): (Option<T>, &mut bool)| {
        let value = value?;
        let result = compute(value);
        *misfit |= result.is_none();
        result
    };
    values.into_iter().zip(misfits).map(each).collect()
}

/// Row by row what the comparison of two numbers, both as `kind`, gives.
pub(super) fn compare(left: &[Option<Number>], op: Op, right: &[Option<Number>], kind: Kind) -> BooleanArray {
    let compare = |(left, right): (&Option<Number>, &Option<Number>)| {
        let order = (*left)?.cast(kind).order((*right)?.cast(kind));
        Some(match op {
            Op::Eq => order.is_eq(),
            Op::NotEq => order.is_ne(),
            Op::Lt => order.is_lt(),
            Op::LtEq => order.is_le(),
            Op::Gt => order.is_gt(),
            Op::GtEq => order.is_ge(),
        })
    };
    left.iter().zip(right).map(compare).collect()
}

pub(super) fn column(batch: &RecordBatch, at: usize) -> Result<&ArrayRef, ArrowError> {
    let missing = || ArrowError::SchemaError("a checked column is missing".to_owned());
    batch.columns().get(at).ok_or_else(missing)
}

fn numbers(array: &dyn Array) -> Result<Numbers, ArrowError> {
    Ok(match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(|v| v.map(Number::Double)).collect(),
        DataType::Float32 => array.as_primitive::<Float32Type>().iter().map(|v| v.map(Number::Single)).collect(),
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).map_err(|e| ArrowError::ExternalError(Box::new(e)))?;
            array.as_primitive::<Decimal128Type>().iter().map(|v| v.map(|v| Number::Exact(v, scale))).collect()
        }
        // Whole numbers of every width: 20 digits hold the longest.
        _ => {
            let wide = cast(array, &DataType::Decimal128(20, 0))?;
            wide.as_primitive::<Decimal128Type>().iter().map(|v| v.map(|v| Number::Exact(v, 0))).collect()
        }
    })
}

fn lengths(array: &dyn Array) -> Result<Numbers, ArrowError> {
    let texts = cast(array, &DataType::Utf8)?;
    let length = |text: &str| Number::Exact(text.chars().count() as i128, 0);
    Ok(texts.as_string::<i32>().iter().map(|text| text.map(length)).collect())
}
