//! What a commit says of columns that a segment has without a byte in its file, because all of its rows have one value there: those
//! that come from the names of folders. A member of the segment's record, and a feature that the commit requires: who does not know
//! it must not read the rows without these columns.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{commit::SegmentRecord, definition::Definition};
use crate::{
    error::{Error, Result},
    schema::ColumnType,
};

/// The member of a segment's record.
const FIELD: &str = "constants";

/// A column of one value. It is found by its name, as a column of the file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstantField {
    /// The column's name.
    pub name: String,
    /// The type of the value.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// The value as text; none for NULL.
    pub value: Option<String>,
}

impl SegmentRecord {
    /// Says that the segment has these columns without their being in its file.
    ///
    /// # Errors
    /// `InvalidArgument` when they cannot be written down.
    pub fn set_constants(&mut self, constants: &[ConstantField]) -> Result<()> {
        if !constants.is_empty() {
            let value = serde_json::to_value(constants);
            let value = value.map_err(|e| Error::invalid_argument("constants cannot be written down").caused_by(e))?;
            self.extra.insert(FIELD.to_owned(), value);
        }
        Ok(())
    }

    /// Whether the segment has columns that are not in its file.
    #[must_use]
    pub fn has_constants(&self) -> bool {
        self.extra.contains_key(FIELD)
    }

    /// The columns that are not in its file as a JSON object of their values, NULL as null, by the names of the table with
    /// this definition; none when there are none.
    #[must_use]
    pub fn constants_json(&self, definition: &Definition) -> Option<String> {
        let constants = self.constants().ok().filter(|constants| !constants.is_empty())?;
        let pair = |field: ConstantField| {
            let name = definition.shown_name(&field.name, self)?.to_owned();
            Some((name, field.value.map_or(Value::Null, Value::from)))
        };
        let shown: Map<_, _> = constants.into_iter().filter_map(pair).collect();
        (!shown.is_empty()).then(|| Value::Object(shown).to_string())
    }

    /// The columns that are not in its file.
    ///
    /// # Errors
    /// `Corrupt` when the log says what no writer writes.
    pub fn constants(&self) -> Result<Vec<ConstantField>> {
        let Some(value) = self.extra.get(FIELD) else { return Ok(Vec::new()) };
        Vec::deserialize(value).map_err(|e| {
            Error::corrupt("the constants of a segment cannot be read").with("path", &self.path).caused_by(e)
        })
    }
}
