//! The values of entity columns in Arrow arrays: texts, and all else as a number that no other value of the column has.

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, FixedSizeBinaryArray, StringArray},
    datatypes::DataType,
};
use std::sync::Arc;

use super::constants::text;
use crate::{
    coverage::{Entity, EntityPart},
    error::{Error, Result},
    schema::{ColumnType, integers},
};

/// What the numbers of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Themselves.
    Int,
    /// A BOOLEAN, 0 or 1.
    Bool,
    /// The days of a DATE.
    Date,
    /// The bits of a UUID.
    Uuid,
}

impl Kind {
    /// The kind of the values of an array; none when they are not numbers.
    #[must_use]
    pub fn of(ty: &DataType) -> Option<Self> {
        Some(match ty {
            DataType::Boolean => Self::Bool,
            DataType::Date32 => Self::Date,
            DataType::FixedSizeBinary(16) => Self::Uuid,
            ty if ty.is_integer() => Self::Int,
            _ => return None,
        })
    }

    /// The value that a number stands for.
    #[must_use]
    pub fn part(self, number: i128) -> EntityPart {
        match self {
            Self::Int => EntityPart::Int(number),
            Self::Bool => EntityPart::Bool(number != 0),
            Self::Date => EntityPart::Date(i32::try_from(number).unwrap_or(i32::MAX)),
            Self::Uuid => EntityPart::Uuid(number.cast_unsigned()),
        }
    }

    /// The number of a value of this kind; none for a value of another.
    #[must_use]
    pub fn number(self, part: &EntityPart) -> Option<i128> {
        match (self, part) {
            (Self::Int, EntityPart::Int(number)) => Some(*number),
            (Self::Bool, EntityPart::Bool(value)) => Some((*value).into()),
            (Self::Date, EntityPart::Date(days)) => Some((*days).into()),
            (Self::Uuid, EntityPart::Uuid(number)) => Some(number.cast_signed()),
            _ => None,
        }
    }
}

/// The number of each row and what they stand for, whatever a NULL's is; none when the values are not numbers.
#[must_use]
pub fn numbers(array: &ArrayRef) -> Option<(Kind, Vec<i128>)> {
    let kind = Kind::of(array.data_type())?;
    let numbers = match kind {
        Kind::Int | Kind::Date => integers(array).ok()?,
        Kind::Bool => array.as_boolean().values().iter().map(i128::from).collect(),
        Kind::Uuid => {
            let bytes = array.as_fixed_size_binary();
            (0..bytes.len()).map(|row| uuid(bytes.value(row)).cast_signed()).collect()
        }
    };
    Some((kind, numbers))
}

fn uuid(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// One row of that value, as an entity column of its type has it: integers with 64 bits. None for integers beyond.
#[must_use]
pub fn one(part: &EntityPart) -> Option<ArrayRef> {
    use arrow::array::{Int64Array, UInt64Array};
    Some(match part {
        EntityPart::Text(text) => Arc::new(StringArray::from(vec![text.as_ref()])),
        EntityPart::Int(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => Arc::new(Int64Array::from(vec![number])),
            (_, Ok(number)) => Arc::new(UInt64Array::from(vec![number])),
            _ => return None,
        },
        EntityPart::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        EntityPart::Date(days) => Arc::new(Date32Array::from(vec![*days])),
        EntityPart::Uuid(number) => {
            Arc::new(FixedSizeBinaryArray::try_from_iter(std::iter::once(number.to_be_bytes())).ok()?)
        }
    })
}

/// The value as a column of that type has it: texts say dates, UUIDs, booleans and integers too. None when it is no value of the type.
#[must_use]
pub fn fitted(part: &EntityPart, ty: &ColumnType) -> Option<EntityPart> {
    match (part, ty) {
        (EntityPart::Text(_), ColumnType::Varchar)
        | (EntityPart::Bool(_), ColumnType::Boolean)
        | (EntityPart::Date(_), ColumnType::Date)
        | (EntityPart::Uuid(_), ColumnType::Uuid) => Some(part.clone()),
        (EntityPart::Int(number), ty) => {
            let (bits, signed) = ty.integer_bits()?;
            let span = 1_i128.checked_shl(bits)?;
            let (least, until) = if signed { (-(span / 2), span / 2) } else { (0, span) };
            (least..until).contains(number).then(|| part.clone())
        }
        (EntityPart::Text(text), ty)
            if ty.is_integer() || matches!(ty, ColumnType::Boolean | ColumnType::Date | ColumnType::Uuid) =>
        {
            text::parse(text, ty)?.entity_part()
        }
        _ => None,
    }
}

/// As [`fitted`], for the entity column `name`.
///
/// # Errors
/// `InvalidArgument` naming column, value and type.
pub fn fitted_to(name: &str, part: &EntityPart, ty: &ColumnType) -> Result<EntityPart> {
    fitted(part, ty).ok_or_else(|| {
        let shown = Entity::from(vec![part.clone()]).as_condition(&[name.to_owned()]);
        Error::invalid_argument(match part {
            EntityPart::Int(_) if ty.is_integer() => format!("{shown} does not fit: that entity column is {ty}"),
            _ => format!("the value of the entity column '{name}' is of another type than {ty}: {shown}"),
        })
    })
}
