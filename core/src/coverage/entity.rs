//! What identifies an entity: the values of the entity columns. Their names and types are the table's business.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser, ser::SerializeMap};

use crate::{
    schema::ColumnType,
    time::{IndexValue, format_value},
};

/// The value of one entity column. Ordered by kind in this order, within a kind as DuckDB orders it: VARCHAR by bytes, UUID as an
/// unsigned number, which is by bytes too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityPart {
    /// A VARCHAR.
    Text(Arc<str>),
    /// An integer of any width; in JSON from -2^63 to 2^64-1, which every integer type of a column fits.
    Int(i128),
    /// A BOOLEAN.
    Bool(bool),
    /// A DATE, in days since 1970-01-01.
    Date(i32),
    /// A UUID, its 16 bytes as one number, the first as the highest.
    Uuid(u128),
}

/// The value as SQL writes it, a text without quotes.
impl fmt::Display for EntityPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Date(days) => f.write_str(&format_value(IndexValue((*days).into()), &ColumnType::Date)),
            Self::Uuid(number) => uuid_text(*number).fmt(f),
        }
    }
}

/// The 36 characters in which DuckDB shows a UUID.
#[must_use]
pub fn uuid_text(uuid: u128) -> String {
    let digits = format!("{uuid:032x}");
    let part = |from: usize, until: usize| digits.get(from..until).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// The UUID that a text says, as DuckDB reads it: 32 hexadecimal digits, of any case, with hyphens anywhere between them or none, in
/// braces or not.
#[must_use]
pub fn parse_uuid(text: &str) -> Option<u128> {
    let inner = text.strip_prefix('{').map_or(Some(text), |rest| rest.strip_suffix('}'))?;
    let digits: String = inner.chars().filter(|c| *c != '-').collect();
    let hyphens_lie_between = !inner.starts_with('-') && !inner.ends_with('-');
    let is_one = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && hyphens_lie_between;
    is_one.then(|| u128::from_str_radix(&digits, 16).ok())?
}

/// The values of the entity columns in their order; without values for a table without entity columns. Cheap to clone.
///
/// In JSON an array of strings, integers, booleans, and objects of one member: `{"date": 19875}`, in days, and `{"uuid": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<EntityPart>", into = "Vec<EntityPart>")]
pub struct Entity(Arc<[EntityPart]>);

impl Entity {
    /// The one entity of a table without entity columns.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::from([]))
    }

    /// The values, one for each entity column.
    #[must_use]
    pub fn parts(&self) -> &[EntityPart] {
        &self.0
    }
}

impl Entity {
    /// As a condition on the entity columns: `symbol='NVDA', venue=3`; empty for a table without any.
    #[must_use]
    pub fn as_condition(&self, columns: &[String]) -> String {
        let parts = columns.iter().zip(self.parts()).map(|(column, part)| match part {
            EntityPart::Text(text) => format!("{column}='{}'", text.replace('\'', "''")),
            EntityPart::Int(_) | EntityPart::Bool(_) => format!("{column}={part}"),
            EntityPart::Date(_) | EntityPart::Uuid(_) => format!("{column}='{part}'"),
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl Default for Entity {
    fn default() -> Self {
        Self::none()
    }
}

impl From<Vec<EntityPart>> for Entity {
    fn from(parts: Vec<EntityPart>) -> Self {
        Self(parts.into())
    }
}

impl From<Entity> for Vec<EntityPart> {
    fn from(entity: Entity) -> Self {
        entity.0.to_vec()
    }
}

impl FromIterator<EntityPart> for Entity {
    fn from_iter<I: IntoIterator<Item = EntityPart>>(parts: I) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl From<&str> for EntityPart {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for EntityPart {
    fn from(value: i64) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for EntityPart {
    fn from(value: u64) -> Self {
        Self::Int(value.into())
    }
}

impl Serialize for EntityPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => Err(ser::Error::custom(format_args!("the entity value {value} does not fit 64 bits"))),
            },
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Date(days) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry(DATE, days)?;
                object.end()
            }
            Self::Uuid(number) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry(UUID, &uuid_text(*number))?;
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for EntityPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

const DATE: &str = "date";
const UUID: &str = "uuid";

struct PartVisitor;

impl<'de> de::Visitor<'de> for PartVisitor {
    type Value = EntityPart;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an integer from -2^63 to 2^64-1, a boolean, a date or a UUID")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EntityPart, E> {
        Ok(text.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<EntityPart, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<EntityPart, E> {
        Ok(value.into())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<EntityPart, E> {
        Ok(EntityPart::Bool(value))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut object: A) -> Result<EntityPart, A::Error> {
        let part = match object.next_key::<String>()?.as_deref() {
            Some(DATE) => EntityPart::Date(object.next_value()?),
            Some(UUID) => {
                let text = object.next_value::<String>()?;
                let number =
                    parse_uuid(&text).ok_or_else(|| de::Error::custom(format_args!("'{text}' is not a UUID")))?;
                EntityPart::Uuid(number)
            }
            _ => return Err(de::Error::custom("an entity value is an object of 'date' or 'uuid'")),
        };
        match object.next_key::<String>()? {
            None => Ok(part),
            Some(more) => Err(de::Error::custom(format_args!("an entity value has the member '{more}' too"))),
        }
    }
}
