//! Finding rows of a file that share entity and index value, for tables in which that is not allowed.

use crate::{
    coverage::Entity,
    error::{Error, Result},
    segment::{
        SegmentFile,
        inspect::{InspectRequest, inspect},
        visit::{EntityBatch, IndexValues, RowVisitor},
    },
    table::target::Target,
    time::{IndexValue, format_value},
};

/// How many examples an error message lists.
const EXAMPLES: usize = 3;

/// Refuses a file in which rows share entity and index value.
///
/// One pass suffices when the rows of each entity come in the order of the index, whatever the order of entities; else all index values
/// of the file are held in memory, 20 bytes a row.
///
/// # Errors
/// `InvalidArgument` with the number of such rows and the first few; as reading the file otherwise.
pub fn refuse(file: &SegmentFile, request: &InspectRequest, target: &Target) -> Result<()> {
    let mut ordered = Ordered::default();
    let inspection = inspect(file, request, &mut ordered)?;
    let mut found = ordered.found;
    if ordered.out_of_order {
        let mut all = All::default();
        inspect(file, request, &mut all)?;
        found = all.found();
    }
    if found.count == 0 {
        return Ok(());
    }
    let entities: Vec<Entity> = inspection.entities.clone();
    Err(refusal(target, &found, &entities))
}

/// The refusal of duplicates.
pub(crate) fn refusal(target: &Target, found: &Found, entities: &[Entity]) -> Error {
    let show = |(code, value): &(u32, i128)| {
        let entity = usize::try_from(*code).ok().and_then(|code| entities.get(code));
        let of = entity.map(|entity| entity.as_condition(&target.definition.entity_columns)).unwrap_or_default();
        let at = format_value(IndexValue(*value), &target.index_type);
        if of.is_empty() { at } else { format!("{of} at {at}") }
    };
    let examples: Vec<_> = found.examples.iter().map(show).collect();
    Error::invalid_argument(format!(
        "{} {} entity and index value with another row of the same source, first {}; the table has uniqueness 'row'; \
         nothing was appended",
        found.count,
        if found.count == 1 { "row shares" } else { "rows share" },
        examples.join("; ")
    ))
}

/// Rows that repeat an earlier row's entity and index value.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) count: u64,
    pub(crate) examples: Vec<(u32, i128)>,
}

impl Found {
    pub(crate) fn add(&mut self, code: u32, value: i128) {
        self.count += 1;
        if self.examples.len() < EXAMPLES && !self.examples.contains(&(code, value)) {
            self.examples.push((code, value));
        }
    }
}

/// Compares each row with the last of its entity.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    last: Vec<Option<i128>>,
    out_of_order: bool,
    pub(crate) found: Found,
}

impl Ordered {
    fn rows(&mut self, values: impl Iterator<Item = i128>, codes: &[u32]) {
        for (value, code) in values.zip(codes) {
            let Some(last) = usize::try_from(*code).ok().and_then(|code| self.last.get_mut(code)) else { continue };
            match last.replace(value) {
                Some(before) if before == value => self.found.add(*code, value),
                Some(before) if before > value => self.out_of_order = true,
                _ => {}
            }
        }
    }
}

impl RowVisitor for Ordered {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        self.last.resize(entities.entities.len(), None);
        match index {
            IndexValues::Signed(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
            IndexValues::Unsigned(values) => self.rows(values.iter().map(|v| i128::from(*v)), entities.codes),
        }
        Ok(())
    }
}

/// Holds every row.
#[derive(Debug, Default)]
struct All {
    /// Index values as bits, which tell them apart, with the entity's code.
    rows: Vec<(u64, u32)>,
    unsigned: bool,
}

impl All {
    fn found(mut self) -> Found {
        self.rows.sort_unstable();
        let mut found = Found::default();
        for (row, next) in self.rows.iter().zip(self.rows.iter().skip(1)) {
            if row == next {
                let value = if self.unsigned { i128::from(row.0) } else { i128::from(row.0.cast_signed()) };
                found.add(row.1, value);
            }
        }
        found
    }
}

impl RowVisitor for All {
    fn batch(&mut self, index: IndexValues<'_>, entities: &EntityBatch<'_>) -> Result<()> {
        match index {
            IndexValues::Signed(values) => {
                self.rows.extend(values.iter().map(|v| v.cast_unsigned()).zip(entities.codes.iter().copied()));
            }
            IndexValues::Unsigned(values) => {
                self.unsigned = true;
                self.rows.extend(values.iter().copied().zip(entities.codes.iter().copied()));
            }
        }
        Ok(())
    }
}
