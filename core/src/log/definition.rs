//! What a table is: its index, buckets, entities and columns, as the log records it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::{Error, Result},
    schema::{Column, ColumnType, Schema, same_name},
    time::{BucketWidth, Grid, IndexValue},
};

/// How much may share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uniqueness {
    /// A bucket of an entity is filled by one append only.
    #[default]
    Bucket,
    /// As `Bucket`, and no two rows of a source share entity and index value.
    Row,
    /// Any append may fill any bucket.
    None,
}

impl Uniqueness {
    /// The word in SQL and in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Row => "row",
            Self::None => "none",
        }
    }

    /// # Errors
    /// `InvalidArgument` for any other word.
    pub fn parse(word: &str) -> Result<Self> {
        [Self::Bucket, Self::Row, Self::None].into_iter().find(|u| u.word() == word).ok_or_else(|| {
            Error::invalid_argument(format!("uniqueness := '{word}' is not known; use 'bucket', 'row' or 'none'"))
        })
    }
}

/// The definition of a table. Field ids come from `schema`; `last_field_id` is the highest ever given out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Random; tells a table from another that later takes its place.
    pub table_id: String,
    /// The column that orders the rows.
    pub index_column: String,
    /// The width of a bucket.
    pub bucket: BucketWidth,
    /// The zone of local days and longer buckets, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The version of the zone data that the buckets were made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_data: Option<String>,
    /// A digest of the zone's rules in that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_rules: Option<String>,
    /// A start of a bucket that the grid is aligned to, in microseconds since 1970 (the value itself for integers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<i64>,
    /// Whether the origin was given as an instant, or as a time without zone; absent where that is not known, and for integers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_zoned: Option<bool>,
    /// The columns that identify an entity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entity_columns: Vec<String>,
    /// What may share a bucket.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// Whether the rows of each bucket are told beside the coverage of each segment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// The columns; none until the first append when no file gave them at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// The highest field id that any column ever had.
    #[serde(default)]
    pub last_field_id: u32,
    /// What columns were before they were altered, oldest first for each column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_columns: Vec<FormerColumn>,
    /// Fields that this version does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A column as it was until it was altered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerColumn {
    /// Its field id.
    pub id: u32,
    /// So it was in segments whose `last_field_id` is less, and not less than that of an earlier such member of the same column.
    pub before: u32,
    /// What it was called; none when it was not in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of which type it was; none when it was not in the table.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub ty: Option<ColumnType>,
}

impl Definition {
    /// The index column's type; none before the schema is known.
    #[must_use]
    pub fn index_type(&self) -> Option<&ColumnType> {
        Some(&self.schema.as_ref()?.find(&self.index_column)?.ty)
    }

    /// Says what is wrong when the rules of the table's zone are not those that its buckets were made with; a program with
    /// other rules would put rows of the same instant into another bucket. None when all is well.
    #[must_use]
    pub fn zone_rules_changed(&self) -> Option<String> {
        let zone = self.timezone.as_deref()?;
        let known = self.zone_rules.as_deref()?;
        let current = crate::time::zone_data_version();
        let made_with = self.zone_data.as_deref().unwrap_or("an unnamed version");
        match crate::time::zone_rules(zone) {
            Ok(rules) if rules == known => None,
            Ok(_) => Some(format!(
                "the rules of the time zone {zone} differ from those that the buckets were made with: the table has {made_with} \
                 of the zone data, this program {current}; bounds of days and longer buckets may have moved, so read the \
                 table with a program of {made_with}, or load its rows into a new table"
            )),
            Err(e) => Some(format!("the time zone of the table is unknown to this program: {}", e.message())),
        }
    }

    /// The entity columns; none before the schema is known.
    #[must_use]
    pub fn entity_schema(&self) -> Option<Vec<&Column>> {
        let schema = self.schema.as_ref()?;
        self.entity_columns.iter().map(|name| schema.find(name)).collect()
    }

    /// The grid of buckets for an index column of `index_type`.
    ///
    /// # Errors
    /// `InvalidArgument` when the width does not suit the type.
    pub fn grid(&self, index_type: &ColumnType) -> Result<Grid> {
        let origin = self.origin.map(|origin| origin_in_units(origin, index_type)).transpose()?;
        Grid::new(&self.bucket, index_type, self.timezone.as_deref(), origin)
    }

    /// Takes `schema` as the table's columns after checking that index and entities are among them and fit.
    ///
    /// # Errors
    /// `SchemaMismatch` naming the missing or unfit column; `InvalidArgument` when the bucket does not suit the index.
    pub fn adopt_schema(&mut self, schema: Schema) -> Result<()> {
        let names = || schema.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let find = |role: &str, name: &str| {
            schema.find(name).ok_or_else(|| {
                Error::schema_mismatch(format!("the {role} column '{name}' is not among the columns {}", names()))
            })
        };
        let index = find("index", &self.index_column)?;
        if !index.ty.can_index() {
            return Err(Error::schema_mismatch(format!(
                "the index column '{}' is {}; an index is DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE or an integer type of at most 64 bits",
                index.name, index.ty
            )));
        }
        for name in &self.entity_columns {
            let column = find("entity", name)?;
            if !column.ty.can_identify() {
                return Err(Error::schema_mismatch(format!(
                    "the entity column '{}' is {}; an entity column is VARCHAR, an integer type of at most 64 bits, UUID, \
                     DATE or BOOLEAN: cast it to one of these before writing",
                    column.name, column.ty
                )));
            }
        }
        self.check_origin(index)?;
        self.grid(&index.ty)?;
        self.last_field_id = schema.columns.iter().map(|c| c.id).fold(self.last_field_id, u32::max);
        self.schema = Some(schema);
        Ok(())
    }

    /// Whether an entity column is of a type that not every tstable knows as such.
    #[must_use]
    pub fn has_entity_types(&self) -> bool {
        let ty = |name: &String| self.schema.as_ref().and_then(|schema| schema.type_of(name));
        let mut types = self.entity_columns.iter().filter_map(ty);
        types.any(|ty| *ty != ColumnType::Varchar && !ty.is_integer())
    }

    /// An instant is not a time of a wall clock: an origin of one kind would stand for another start in each time zone.
    fn check_origin(&self, index: &Column) -> Result<()> {
        let (given, expected) = match (self.origin_zoned, &index.ty) {
            (Some(false), ColumnType::TimestampTz(_)) => {
                ("a time without zone", "an instant, as in origin := TIMESTAMPTZ '2000-01-03 06:00:00+00'")
            }
            (Some(true), ColumnType::Timestamp(_) | ColumnType::Date) => {
                ("an instant", "a time without zone, as in origin := TIMESTAMP '2000-01-03 06:00:00'")
            }
            (Some(_), ty) if ty.is_integer() => ("a time", "an integer, as in origin := 250"),
            _ => return Ok(()),
        };
        Err(Error::invalid_argument(format!(
            "the table's origin was given as {given}, but the index column '{}' is {}; make the table again with {expected}",
            index.name, index.ty
        )))
    }

    /// Refuses the table at `root`, which is defined so, where it is wanted as `wanted`.
    ///
    /// # Errors
    /// `AlreadyExists` naming each difference.
    pub fn refuse_differences(&self, root: &str, wanted: &Self) -> Result<()> {
        let differences = self.differences(wanted);
        if differences.is_empty() {
            return Ok(());
        }
        let list: Vec<_> =
            differences.iter().map(|(name, is, wanted)| format!("{name} is {is}, not {wanted}")).collect();
        Err(Error::already_exists(format!("the table at '{root}' is defined differently: {}", list.join("; "))))
    }

    /// The fields in which another definition, made by the same call, differs: name, this value, other value. What a table gets at
    /// random or from its first append is not compared.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let list = |names: &[String]| format!("[{}]", names.join(", "));
        let mut differences = Vec::new();
        let mut compare = |name, equal: bool, this: String, that: String| {
            if !equal {
                differences.push((name, this, that));
            }
        };
        let same_list = self.entity_columns.len() == other.entity_columns.len()
            && self.entity_columns.iter().zip(&other.entity_columns).all(|(a, b)| same_name(a, b));
        compare(
            "time_column",
            same_name(&self.index_column, &other.index_column),
            self.index_column.clone(),
            other.index_column.clone(),
        );
        compare("bucket", same_width(&self.bucket, &other.bucket), self.bucket.to_string(), other.bucket.to_string());
        compare("entity_columns", same_list, list(&self.entity_columns), list(&other.entity_columns));
        compare("timezone", self.timezone == other.timezone, text(&self.timezone), text(&other.timezone));
        let origin = |o: Option<i64>| o.map_or_else(|| "none".to_owned(), |o| o.to_string());
        compare("origin", self.origin == other.origin, origin(self.origin), origin(other.origin));
        compare(
            "uniqueness",
            self.uniqueness == other.uniqueness,
            self.uniqueness.word().to_owned(),
            other.uniqueness.word().to_owned(),
        );
        compare("counts", self.counts == other.counts, self.counts.to_string(), other.counts.to_string());
        if let (Some(a), Some(b)) = (&self.schema, &other.schema) {
            compare("schema", same_columns(a, b), describe(a), describe(b));
        }
        differences
    }
}

/// Whether two widths make the same buckets: `60m` and `1h` do, `24h` and `1d` do not in a zone.
fn same_width(a: &BucketWidth, b: &BucketWidth) -> bool {
    let key = |width: &BucketWidth| (width.nanos(), width.months(), width.is_calendar());
    a == b || (key(a) == key(b) && (a.nanos().is_some() || a.months().is_some()))
}

/// Whether two schemas show the same columns, whatever their field ids.
#[must_use]
fn same_columns(a: &Schema, b: &Schema) -> bool {
    a.columns.len() == b.columns.len()
        && a.columns.iter().zip(&b.columns).all(|(a, b)| a.name == b.name && a.ty == b.ty)
}

impl Definition {
    /// The definition with the open types of its columns as `schema` has them, when that settles any.
    #[must_use]
    pub fn settled_by(&self, schema: &Schema) -> Option<Self> {
        let own = self.schema.as_ref().filter(|own| own.is_open())?;
        let settled = own.settled_by(|name| schema.type_of(name));
        (settled != *own).then(|| Self { schema: Some(settled), ..self.clone() })
    }
}

/// Whether two schemas show the same columns, once what is open in one is as the other has it.
#[must_use]
pub fn agree(a: &Schema, b: &Schema) -> bool {
    same_columns(&a.settled_by(|name| b.type_of(name)), &b.settled_by(|name| a.type_of(name)))
}

/// The first `count` columns.
#[must_use]
pub fn first_columns(schema: &Schema, count: usize) -> Schema {
    Schema { columns: schema.columns.iter().take(count).cloned().collect() }
}

fn describe(schema: &Schema) -> String {
    schema.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect::<Vec<_>>().join(", ")
}

fn origin_in_units(origin: i64, index_type: &ColumnType) -> Result<IndexValue> {
    let unit_ns: i128 = match index_type {
        ColumnType::Date => 86_400 * 1_000_000_000,
        ColumnType::Timestamp(unit) | ColumnType::TimestampTz(unit) => i128::from(unit.nanos()),
        _ => return Ok(IndexValue(i128::from(origin))),
    };
    let ns = i128::from(origin) * 1_000;
    if ns.rem_euclid(unit_ns) != 0 {
        return Err(Error::invalid_argument(format!("the origin is finer than the index column's type {index_type}")));
    }
    Ok(IndexValue(ns.div_euclid(unit_ns)))
}
