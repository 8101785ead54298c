//! The Parquet types that tstable writes: those that DuckDB writes for the same SQL types.

use std::sync::Arc;

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, TimeUnit as ParquetUnit, Type as Physical},
    errors::ParquetError,
    schema::types::{PrimitiveTypeBuilder, SchemaDescriptor, Type, TypePtr},
};

use crate::{
    error::{Error, Result},
    schema::{ColumnType, Field, TimeUnit},
};

/// A column to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteColumn {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: ColumnType,
    /// The table's field id, kept in the file.
    pub field_id: Option<u32>,
}

/// The schema of a file with these columns, all of which may be NULL.
pub(super) fn file_schema(columns: &[WriteColumn]) -> Result<SchemaDescriptor> {
    let fields = columns.iter().map(|column| {
        let id = column.field_id.and_then(|id| i32::try_from(id).ok());
        Node { column: &column.name, name: &column.name, repetition: Repetition::OPTIONAL, id }.build(&column.ty)
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    let root = Type::group_type_builder("schema").with_fields(fields).build();
    Ok(SchemaDescriptor::new(Arc::new(root.map_err(|error| impossible("schema", error))?)))
}

/// Where a type stands: in which column, under which name, how often.
struct Node<'a> {
    column: &'a str,
    name: &'a str,
    repetition: Repetition,
    id: Option<i32>,
}

impl<'a> Node<'a> {
    fn build(&self, ty: &ColumnType) -> Result<TypePtr> {
        match ty {
            ColumnType::List(element) => {
                let element = self.part("element", element).build(&element.ty)?;
                let list = self.group("list", Repetition::REPEATED, vec![element], None)?;
                self.group(self.name, self.repetition, vec![list], Some((LogicalType::List, ConvertedType::LIST)))
            }
            ColumnType::Map(key, value) => {
                let key = Node { repetition: Repetition::REQUIRED, ..self.part("key", key) }.build(&key.ty)?;
                let value = self.part("value", value).build(&value.ty)?;
                let entries = self.group("key_value", Repetition::REPEATED, vec![key, value], None)?;
                self.group(self.name, self.repetition, vec![entries], Some((LogicalType::Map, ConvertedType::MAP)))
            }
            ColumnType::Struct(fields) => {
                let fields = fields.iter().map(|field| self.part(&field.name, field).build(&field.ty));
                self.group(self.name, self.repetition, fields.collect::<Result<_>>()?, None)
            }
            _ => self.leaf(ty),
        }
    }

    fn part<'b>(&'b self, name: &'b str, field: &Field) -> Node<'b> {
        let repetition = if field.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Node { column: self.column, name, repetition, id: None }
    }

    fn group(
        &self,
        name: &str,
        repetition: Repetition,
        fields: Vec<TypePtr>,
        annotation: Option<(LogicalType, ConvertedType)>,
    ) -> Result<TypePtr> {
        let (logical, converted) = annotation.unzip();
        Type::group_type_builder(name)
            .with_repetition(repetition)
            .with_fields(fields)
            .with_logical_type(logical)
            .with_converted_type(converted.unwrap_or(ConvertedType::NONE))
            .with_id(self.id.filter(|_| name == self.name))
            .build()
            .map(Arc::new)
            .map_err(|error| impossible(self.column, error))
    }

    fn leaf(&self, ty: &ColumnType) -> Result<TypePtr> {
        let builder = match ty {
            ColumnType::Null => self.logical(Physical::INT32, LogicalType::Unknown),
            ColumnType::Boolean => self.physical(Physical::BOOLEAN),
            ColumnType::Float => self.physical(Physical::FLOAT),
            ColumnType::Double => self.physical(Physical::DOUBLE),
            ColumnType::Blob => self.physical(Physical::BYTE_ARRAY),
            ColumnType::Varchar => self.logical(Physical::BYTE_ARRAY, LogicalType::String),
            ColumnType::Date => self.logical(Physical::INT32, LogicalType::Date),
            ColumnType::HalfFloat => self.logical(Physical::FIXED_LEN_BYTE_ARRAY, LogicalType::Float16).with_length(2),
            ColumnType::Uuid => self.logical(Physical::FIXED_LEN_BYTE_ARRAY, LogicalType::Uuid).with_length(16),
            ColumnType::Interval => self
                .physical(Physical::FIXED_LEN_BYTE_ARRAY)
                .with_converted_type(ConvertedType::INTERVAL)
                .with_length(12),
            ColumnType::Decimal { precision, scale } => self.decimal((*precision).into(), (*scale).into()),
            ColumnType::Time(unit) | ColumnType::TimeTz(unit) => {
                let utc = matches!(ty, ColumnType::TimeTz(_));
                let physical = if *unit == TimeUnit::Ms { Physical::INT32 } else { Physical::INT64 };
                self.logical(physical, LogicalType::time(utc, self.unit(*unit, ty)?))
            }
            ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => {
                let utc = matches!(ty, ColumnType::TimestampTz(_));
                self.logical(Physical::INT64, LogicalType::timestamp(utc, self.unit(*unit, ty)?))
            }
            _ => self.integer(ty)?,
        };
        builder.with_id(self.id).build().map(Arc::new).map_err(|error| impossible(self.column, error))
    }

    fn physical(&self, physical: Physical) -> PrimitiveTypeBuilder<'a> {
        Type::primitive_type_builder(self.name, physical).with_repetition(self.repetition)
    }

    fn logical(&self, physical: Physical, logical: LogicalType) -> PrimitiveTypeBuilder<'a> {
        self.physical(physical).with_logical_type(Some(logical))
    }

    fn integer(&self, ty: &ColumnType) -> Result<PrimitiveTypeBuilder<'a>> {
        let (bits, signed) = ty.integer_bits().ok_or_else(|| self.unwritable(ty))?;
        let physical = if bits == 64 { Physical::INT64 } else { Physical::INT32 };
        let bits = i8::try_from(bits).map_err(|_| self.unwritable(ty))?;
        Ok(self.logical(physical, LogicalType::integer(bits, signed)))
    }

    fn decimal(&self, precision: i32, scale: i32) -> PrimitiveTypeBuilder<'a> {
        let (physical, length) = match precision {
            ..=9 => (Physical::INT32, -1),
            10..=18 => (Physical::INT64, -1),
            _ => (Physical::FIXED_LEN_BYTE_ARRAY, decimal_bytes(precision)),
        };
        self.logical(physical, LogicalType::decimal(scale, precision))
            .with_precision(precision)
            .with_scale(scale)
            .with_length(length)
    }

    fn unit(&self, unit: TimeUnit, ty: &ColumnType) -> Result<ParquetUnit> {
        match unit {
            TimeUnit::Ms => Ok(ParquetUnit::MILLIS),
            TimeUnit::Us => Ok(ParquetUnit::MICROS),
            TimeUnit::Ns => Ok(ParquetUnit::NANOS),
            TimeUnit::S => Err(self.unwritable(ty)),
        }
    }

    fn unwritable(&self, ty: &ColumnType) -> Error {
        Error::schema_mismatch(format!(
            "column \"{}\" has the type {ty}, which Parquet does not have; cast it before writing",
            self.column
        ))
    }
}

/// The fewest bytes that hold every number of that many digits and its sign; the Arrow writer counts on just that many.
fn decimal_bytes(precision: i32) -> i32 {
    let largest = u32::try_from(precision).ok().and_then(|digits| 10_i128.checked_pow(digits)).unwrap_or(i128::MAX);
    let fits = |bytes: &i32| *bytes >= 16 || largest < 1_i128 << (bytes.saturating_mul(8).saturating_sub(1));
    (1..=16).find(fits).unwrap_or(16)
}

fn impossible(column: &str, error: ParquetError) -> Error {
    Error::schema_mismatch(format!("column \"{column}\" cannot be written as Parquet")).caused_by(error)
}
