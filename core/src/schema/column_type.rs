//! The types that a column may have, with the Arrow types that carry their values and DuckDB's names for them.

use std::{fmt, sync::Arc};

use arrow::datatypes::{DataType, Field as ArrowField, Fields};
use serde::{Deserialize, Serialize};

use super::time_unit::TimeUnit;

/// The type of a column: what DuckDB shows plus the unit in which Parquet stores it.
///
/// A TIMESTAMP stored in milliseconds and one stored in microseconds are different types here (values of the index are
/// kept in the column's own unit) although both are TIMESTAMP in SQL, as they are for DuckDB's own Parquet reader.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// A type that is still open, since no value but NULL has been seen; INTEGER to those who read it.
    Null,
    /// BOOLEAN.
    Boolean,
    /// TINYINT, 8 bits.
    TinyInt,
    /// SMALLINT, 16 bits.
    SmallInt,
    /// INTEGER, 32 bits.
    Integer,
    /// BIGINT, 64 bits.
    BigInt,
    /// UTINYINT, 8 bits.
    UTinyInt,
    /// USMALLINT, 16 bits.
    USmallInt,
    /// UINTEGER, 32 bits.
    UInteger,
    /// UBIGINT, 64 bits.
    UBigInt,
    /// HUGEINT, 128 bits; in results only, Parquet has none (DuckDB writes DOUBLE).
    HugeInt,
    /// FLOAT stored in 16 bits.
    HalfFloat,
    /// FLOAT, 32 bits.
    Float,
    /// DOUBLE, 64 bits.
    Double,
    /// DECIMAL of at most 38 digits.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// VARCHAR, UTF-8.
    Varchar,
    /// BLOB.
    Blob,
    /// DATE, days since 1970-01-01.
    Date,
    /// TIME of day.
    Time(TimeUnit),
    /// TIME of day, normalised to UTC.
    TimeTz(TimeUnit),
    /// TIMESTAMP without zone, since 1970-01-01 00:00:00.
    Timestamp(TimeUnit),
    /// TIMESTAMP WITH TIME ZONE, since 1970-01-01 00:00:00 UTC.
    TimestampTz(TimeUnit),
    /// INTERVAL of months, days and a part of a day.
    Interval,
    /// UUID, 16 bytes in network order.
    Uuid,
    /// LIST.
    List(Box<Field>),
    /// STRUCT.
    Struct(Vec<Field>),
    /// MAP of key and value.
    Map(Box<Field>, Box<Field>),
}

/// A named, typed part of a nested type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// The field's name; `element`, `key` and `value` inside lists and maps.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// How the strings of a column are laid out in Arrow arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// One value a row.
    Plain,
    /// Keys into the distinct values of the batch, as Parquet's dictionary pages hold them.
    Dictionary,
}

impl ColumnType {
    /// Whether DuckDB can show this count as a value of the type, as far as instants go; see [`TimeUnit::shows`].
    #[must_use]
    pub const fn shows(&self, count: i64) -> bool {
        match self {
            Self::Timestamp(unit) | Self::TimestampTz(unit) => unit.shows(count),
            _ => true,
        }
    }

    /// The Arrow type in which readers deliver this type.
    ///
    /// UUID comes as 16 bytes; INTERVAL as Parquet's 12 bytes (three little-endian 32-bit counts: months, days,
    /// milliseconds) since Arrow's interval types each lose a part.
    #[must_use]
    pub fn arrow(&self, strings: Strings) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::TinyInt => DataType::Int8,
            Self::SmallInt => DataType::Int16,
            Self::Integer | Self::Null => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::UTinyInt => DataType::UInt8,
            Self::USmallInt => DataType::UInt16,
            Self::UInteger => DataType::UInt32,
            Self::UBigInt => DataType::UInt64,
            Self::HugeInt => DataType::Decimal128(38, 0),
            Self::HalfFloat => DataType::Float16,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(0)),
            Self::Varchar if strings == Strings::Dictionary => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            Self::Varchar => DataType::Utf8,
            Self::Blob => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(unit) | Self::TimeTz(unit) => match unit {
                TimeUnit::S | TimeUnit::Ms => DataType::Time32(unit.arrow()),
                TimeUnit::Us | TimeUnit::Ns => DataType::Time64(unit.arrow()),
            },
            Self::Timestamp(unit) => DataType::Timestamp(unit.arrow(), None),
            Self::TimestampTz(unit) => DataType::Timestamp(unit.arrow(), Some("UTC".into())),
            Self::Interval => DataType::FixedSizeBinary(12),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::List(element) => DataType::List(Arc::new(element.arrow(Strings::Plain))),
            Self::Struct(fields) => DataType::Struct(fields.iter().map(|f| f.arrow(Strings::Plain)).collect()),
            Self::Map(key, value) => {
                let entries: Fields = [key, value].into_iter().map(|f| f.arrow(Strings::Plain)).collect();
                DataType::Map(Arc::new(ArrowField::new("key_value", DataType::Struct(entries), false)), false)
            }
        }
    }

    /// Whether a time-series table may use a column of this type as its index.
    #[must_use]
    pub fn can_index(&self) -> bool {
        matches!(self, Self::Date | Self::Timestamp(_) | Self::TimestampTz(_)) || self.is_integer()
    }

    /// Whether a column of this type may identify entities: VARCHAR, the integers, UUID, DATE and BOOLEAN.
    #[must_use]
    pub fn can_identify(&self) -> bool {
        matches!(self, Self::Varchar | Self::Uuid | Self::Date | Self::Boolean) || self.is_integer()
    }

    /// Whether the type, or that of a part of it, is still open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(element) => element.ty.is_open(),
            Self::Struct(fields) => fields.iter().any(|field| field.ty.is_open()),
            Self::Map(key, value) => key.ty.is_open() || value.ty.is_open(),
            _ => false,
        }
    }

    /// The type with what is open in it as `found` has it, as far as the two are alike.
    #[must_use]
    pub fn settled_by(&self, found: &Self) -> Self {
        let part = |own: &Field, found: &Field| Field { ty: own.ty.settled_by(&found.ty), ..own.clone() };
        match (self, found) {
            (Self::Null, found) => found.clone(),
            (Self::List(own), Self::List(found)) => Self::List(Box::new(part(own, found))),
            (Self::Map(own, own_value), Self::Map(found, found_value)) => {
                Self::Map(Box::new(part(own, found)), Box::new(part(own_value, found_value)))
            }
            (Self::Struct(own), Self::Struct(found)) if own.len() == found.len() => {
                Self::Struct(own.iter().zip(found).map(|(own, found)| part(own, found)).collect())
            }
            (own, _) => own.clone(),
        }
    }

    /// Whether it is an integer type of at most 64 bits.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.integer_bits().is_some()
    }

    /// Width and signedness of an integer type; none for every other type.
    #[must_use]
    pub fn integer_bits(&self) -> Option<(u32, bool)> {
        Some(match self {
            Self::TinyInt => (8, true),
            Self::SmallInt => (16, true),
            Self::Integer => (32, true),
            Self::BigInt => (64, true),
            Self::UTinyInt => (8, false),
            Self::USmallInt => (16, false),
            Self::UInteger => (32, false),
            Self::UBigInt => (64, false),
            _ => return None,
        })
    }

    /// Nanoseconds in one unit of a date, time or timestamp type; none for every other type.
    #[must_use]
    pub fn unit_nanos(&self) -> Option<i128> {
        match self {
            Self::Date => Some(86_400_000_000_000),
            Self::Time(unit) | Self::Timestamp(unit) | Self::TimestampTz(unit) => Some(i128::from(unit.nanos())),
            _ => None,
        }
    }

    /// The field's Arrow form, named `name`.
    #[must_use]
    pub fn arrow_field(&self, name: &str, strings: Strings) -> ArrowField {
        ArrowField::new(name, self.arrow(strings), true)
    }
}

impl Field {
    /// A field that may be NULL.
    pub fn new(name: impl Into<String>, ty: ColumnType) -> Self {
        Self { name: name.into(), ty, nullable: true }
    }

    fn arrow(&self, strings: Strings) -> ArrowField {
        ArrowField::new(&self.name, self.ty.arrow(strings), self.nullable)
    }
}

/// DuckDB's name of the type.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Null => "NULL",
            Self::Boolean => "BOOLEAN",
            Self::TinyInt => "TINYINT",
            Self::SmallInt => "SMALLINT",
            Self::Integer => "INTEGER",
            Self::BigInt => "BIGINT",
            Self::UTinyInt => "UTINYINT",
            Self::USmallInt => "USMALLINT",
            Self::UInteger => "UINTEGER",
            Self::UBigInt => "UBIGINT",
            Self::HugeInt => "HUGEINT",
            Self::HalfFloat | Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::Decimal { precision, scale } => return write!(f, "DECIMAL({precision},{scale})"),
            Self::Varchar => "VARCHAR",
            Self::Blob => "BLOB",
            Self::Date => "DATE",
            Self::Time(TimeUnit::Ns) => "TIME_NS",
            Self::Time(_) => "TIME",
            Self::TimeTz(_) => "TIME WITH TIME ZONE",
            Self::Timestamp(TimeUnit::S) => "TIMESTAMP_S",
            Self::Timestamp(TimeUnit::Ms | TimeUnit::Us) => "TIMESTAMP",
            Self::Timestamp(TimeUnit::Ns) => "TIMESTAMP_NS",
            Self::TimestampTz(_) => "TIMESTAMP WITH TIME ZONE",
            Self::Interval => "INTERVAL",
            Self::Uuid => "UUID",
            Self::List(element) => return write!(f, "{}[]", element.ty),
            Self::Struct(fields) => {
                f.write_str("STRUCT(")?;
                for (i, field) in fields.iter().enumerate() {
                    write!(f, "{}\"{}\" {}", if i == 0 { "" } else { ", " }, field.name, field.ty)?;
                }
                ")"
            }
            Self::Map(key, value) => return write!(f, "MAP({}, {})", key.ty, value.ty),
        };
        f.write_str(name)
    }
}
