//! The columns of a Parquet file as DuckDB shows them, and which differences between two types lose nothing.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema};
use parquet::{
    basic::{LogicalType, Type as Physical},
    schema::types::{ColumnDescPtr, SchemaDescriptor, Type},
};

use super::leaf;
use crate::{
    error::{Error, Result},
    schema::{ColumnType, Field, Strings, TimeUnit, same_name},
};

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileColumn {
    /// The name as the file spells it.
    pub name: String,
    /// The type as DuckDB's Parquet reader shows it, with the unit in which the file stores it. Parts of nested types
    /// count as nullable (map keys excepted), since SQL types do not tell.
    pub ty: ColumnType,
    /// Whether the file's schema allows NULL.
    pub nullable: bool,
    /// The field id, where the file has one.
    pub field_id: Option<i32>,
    /// Whether it is not in the file: all rows have one value, which comes from elsewhere.
    pub constant: bool,
}

/// Reads the columns from the file's own schema (`original`) and the Arrow schema in which the Parquet reader sees the
/// file: the reader decides what is a list or a map, the Parquet leaves decide the scalar types.
pub(super) fn file_columns(original: &SchemaDescriptor, arrow: &ArrowSchema) -> Result<Vec<FileColumn>> {
    let roots = original.root_schema().get_fields();
    for root in roots {
        refuse_groups(root.name(), root)?;
    }
    if roots.len() != arrow.fields().len() {
        return Err(Error::schema_mismatch("a column of the file is a group without fields; drop it before writing"));
    }
    let mut leaves = Leaves { columns: original.columns(), next: 0 };
    let columns = roots.iter().zip(arrow.fields()).map(|(root, field)| {
        let info = root.get_basic_info();
        Ok(FileColumn {
            name: root.name().to_owned(),
            ty: leaves.column_type(root.name(), field)?,
            nullable: field.is_nullable(),
            field_id: info.has_id().then(|| info.id()),
            constant: false,
        })
    });
    columns.collect()
}

fn refuse_groups(column: &str, ty: &Type) -> Result<()> {
    if ty.is_primitive() {
        return Ok(());
    }
    if let Some(LogicalType::Variant(_) | LogicalType::File) = ty.get_basic_info().logical_type_ref() {
        return Err(unsupported(column, &leaf::describe(ty)));
    }
    ty.get_fields().iter().try_for_each(|field| refuse_groups(column, field))
}

/// The file's leaves in order; walking the Arrow fields depth first meets them in the same order.
struct Leaves<'a> {
    columns: &'a [ColumnDescPtr],
    next: usize,
}

impl Leaves<'_> {
    fn column_type(&mut self, column: &str, field: &ArrowField) -> Result<ColumnType> {
        Ok(match field.data_type() {
            DataType::List(element) => ColumnType::List(Box::new(self.part(column, "element", true, element)?)),
            DataType::Struct(fields) => {
                ColumnType::Struct(fields.iter().map(|f| self.part(column, f.name(), true, f)).collect::<Result<_>>()?)
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(parts) = entries.data_type() else { return Err(unsupported(column, "MAP")) };
                let [key, value] = parts.as_ref() else { return Err(unsupported(column, "MAP")) };
                ColumnType::Map(
                    Box::new(self.part(column, "key", false, key)?),
                    Box::new(self.part(column, "value", true, value)?),
                )
            }
            _ => self.leaf(column)?,
        })
    }

    fn part(&mut self, column: &str, name: &str, nullable: bool, field: &ArrowField) -> Result<Field> {
        Ok(Field { name: name.to_owned(), ty: self.column_type(column, field)?, nullable })
    }

    fn leaf(&mut self, column: &str) -> Result<ColumnType> {
        let leaf = self.columns.get(self.next).ok_or_else(|| unsupported(column, "group"))?;
        self.next = self.next.saturating_add(1);
        leaf::leaf_type(leaf.self_type()).ok_or_else(|| unsupported(column, &leaf::describe(leaf.self_type())))
    }
}

/// The Arrow schema with INT96 timestamps in microseconds, whose range they fit; none when there is no INT96.
pub(super) fn int96_in_micros(original: &SchemaDescriptor, arrow: &ArrowSchema) -> Option<ArrowSchema> {
    let is_int96 = |leaf: &ColumnDescPtr| leaf.physical_type() == Physical::INT96;
    if !original.columns().iter().any(is_int96) {
        return None;
    }
    let mut leaves = original.columns().iter().map(is_int96);
    Some(ArrowSchema::new(arrow.fields().iter().map(|field| in_micros(field, &mut leaves)).collect::<Vec<_>>()))
}

fn in_micros(field: &Arc<ArrowField>, leaves: &mut impl Iterator<Item = bool>) -> Arc<ArrowField> {
    let ty = match field.data_type() {
        DataType::List(element) => DataType::List(in_micros(element, leaves)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| in_micros(field, leaves)).collect()),
        DataType::Map(entries, ordered) => DataType::Map(in_micros(entries, leaves), *ordered),
        _ if leaves.next() == Some(true) => ColumnType::Timestamp(TimeUnit::Us).arrow(Strings::Plain),
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(ty))
}

pub(super) fn unsupported(column: &str, ty: &str) -> Error {
    Error::schema_mismatch(format!(
        "column \"{column}\" has the Parquet type {ty}, which tstable does not support; cast it before writing"
    ))
}

/// The first leaf whose type has no counterpart, as an error that names the column. Asked before the Parquet reader
/// sees the schema, since the reader's own refusal names no column.
pub(super) fn refuse_unsupported(original: &SchemaDescriptor) -> Result<()> {
    original.root_schema().get_fields().iter().try_for_each(|root| refuse_groups(root.name(), root))?;
    for (position, leaf) in original.columns().iter().enumerate() {
        if leaf::leaf_type(leaf.self_type()).is_none() {
            let column = original.get_column_root(position).name();
            return Err(unsupported(column, &leaf::describe(leaf.self_type())));
        }
    }
    Ok(())
}

/// The position of the column named `name`, without regard to case.
#[must_use]
pub fn position(columns: &[FileColumn], name: &str) -> Option<usize> {
    columns.iter().position(|column| same_name(&column.name, name))
}

/// How the values of a type go into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Widening {
    /// It holds all of them.
    Always,
    /// It holds some; those that it does not are found when they are read.
    ByValue,
}

/// Whether values of `from` can be read as `to` unchanged: the types are equal or `to` is a [`widening`].
#[must_use]
pub fn readable_as(from: &ColumnType, to: &ColumnType) -> bool {
    from == to || widening(from, to).is_some()
}

/// How a `to` that differs from `from` holds its values; none when it is not meant to.
///
/// What knows only NULL goes into everything. Integers go into wider ones of either sign, FLOAT, DOUBLE and DECIMAL; DECIMAL into a wider one,
/// FLOAT and DOUBLE; DATE into TIMESTAMP as midnight, and back; times and timestamps into their like of another unit. A wall clock is no
/// instant, whatever the unit. Lists, structs of the same fields in order and maps go as their parts do.
#[must_use]
pub fn widening(from: &ColumnType, to: &ColumnType) -> Option<Widening> {
    use ColumnType::{
        Date, Decimal, Double, Float, HalfFloat, HugeInt, List, Map, Null, Struct, Time, TimeTz, Timestamp, TimestampTz,
    };
    use Widening::{Always, ByValue};
    let by_value = |always| Some(if always { Always } else { ByValue });
    match (from, to) {
        (from, to) if from == to => None,
        (Null, _) | (HalfFloat, Float | Double) | (Float, Double) => Some(Always),
        (Timestamp(from), Timestamp(to)) | (TimestampTz(from), TimestampTz(to)) => {
            by_value(finer(*from, *to) && *to != TimeUnit::Ns)
        }
        (Time(from), Time(to)) | (TimeTz(from), TimeTz(to)) => by_value(finer(*from, *to)),
        (Date, Timestamp(to)) => by_value(*to != TimeUnit::Ns),
        (Timestamp(_), Date) => Some(ByValue),
        (HugeInt, Double | Float | Decimal { .. }) => Some(ByValue),
        (HugeInt, to) => to.integer_bits().and(Some(ByValue)),
        (Decimal { precision: from, scale: from_scale }, Decimal { precision: to, scale: to_scale }) => {
            let whole = |precision: &u8, scale: &u8| precision.saturating_sub(*scale);
            let holds = from_scale <= to_scale && whole(from, from_scale) <= whole(to, to_scale);
            holds.then_some(Always)
        }
        (Decimal { precision, .. }, Double) => by_value(*precision <= DOUBLE_DIGITS),
        (Decimal { precision, .. }, Float) => by_value(*precision <= FLOAT_DIGITS),
        (List(from), List(to)) => part(from, to),
        (Map(from, from_value), Map(to, to_value)) => Some(part(from, to)?.max(part(from_value, to_value)?)),
        (Struct(from), Struct(to)) => {
            let named = from.len() == to.len() && from.iter().zip(to).all(|(from, to)| same_name(&from.name, &to.name));
            let parts = from.iter().zip(to).map(|(from, to)| part(from, to));
            named.then_some(())?;
            parts.collect::<Option<Vec<_>>>()?.into_iter().max()
        }
        _ => integer(from, to),
    }
}

/// The one of two types that holds the values of both: all of them where one does, else all that fit where only one can. None
/// when neither holds the other's, or each holds some of the other's.
#[must_use]
pub fn widest(a: &ColumnType, b: &ColumnType) -> Option<ColumnType> {
    let settled = a.settled_by(b);
    if settled == *b {
        return Some(settled);
    }
    match (widening(&settled, b), widening(b, &settled)) {
        (Some(Widening::Always), _) | (Some(Widening::ByValue), None) => Some(b.clone()),
        (_, Some(Widening::Always)) | (None, Some(Widening::ByValue)) => Some(settled),
        _ => None,
    }
}

/// The most digits with which every DECIMAL is told apart by DOUBLE, or FLOAT.
const DOUBLE_DIGITS: u8 = 15;
/// See [`DOUBLE_DIGITS`].
const FLOAT_DIGITS: u8 = 6;

fn part(from: &Field, to: &Field) -> Option<Widening> {
    if from.ty == to.ty { Some(Widening::Always) } else { widening(&from.ty, &to.ty) }
}

fn integer(from: &ColumnType, to: &ColumnType) -> Option<Widening> {
    let (bits, signed) = from.integer_bits()?;
    let always = match to {
        ColumnType::Double => bits <= 32,
        ColumnType::Float => bits <= 16,
        ColumnType::Decimal { precision, scale } => {
            let digits = match (bits, signed) {
                (8, _) => 3,
                (16, _) => 5,
                (32, _) => 10,
                (_, true) => 19,
                (_, false) => 20,
            };
            digits <= precision.saturating_sub(*scale)
        }
        _ => {
            let (to, to_signed) = to.integer_bits()?;
            return (bits < to && (to_signed || !signed)).then_some(Widening::Always);
        }
    };
    Some(if always { Widening::Always } else { Widening::ByValue })
}

fn finer(from: TimeUnit, to: TimeUnit) -> bool {
    to.nanos() < from.nanos()
}
