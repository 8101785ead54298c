//! What identifies an entity: the values of the entity columns. Their names and types are the table's business.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// The value of one entity column. Ordered: VARCHAR before integers, VARCHAR by bytes, integers by value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityPart {
    /// A VARCHAR.
    Text(Arc<str>),
    /// An integer of any width; in JSON from -2^63 to 2^64-1, which every integer type of a column fits.
    Int(i128),
}

/// The values of the entity columns in their order; without values for a table without entity columns. Cheap to clone.
///
/// In JSON an array of strings and integers.
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
            EntityPart::Int(number) => format!("{column}={number}"),
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
        }
    }
}

impl<'de> Deserialize<'de> for EntityPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl de::Visitor<'_> for PartVisitor {
    type Value = EntityPart;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer from -2^63 to 2^64-1")
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
}
