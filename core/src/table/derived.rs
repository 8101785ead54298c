//! What the rows of a segment say of it, whatever the log says.

use super::{
    collector::Collector,
    opened,
    target::{Target, read_column},
};
use crate::{
    coverage::{Counts, Coverage},
    error::{Error, Result},
    log::segment::Segment,
    segment::inspect::{InspectRequest, inspect},
    storage::Storage,
    time::IndexValue,
};

/// What the rows of a segment say of it.
#[derive(Debug)]
pub struct Derived {
    /// Which buckets of which entities they fill.
    pub coverage: Coverage,
    /// How many rows each of them has, where the table keeps that and it is not too much to keep.
    pub counts: Option<Counts>,
    /// The least and greatest index value.
    pub bounds: (IndexValue, IndexValue),
}

/// Reads index and entities of every row of a segment.
///
/// # Errors
/// `NotFound` or `Corrupt` with path and version when the file is not as it should be.
pub fn derive(storage: &dyn Storage, segment: &Segment, target: &Target) -> Result<Derived> {
    let file = opened::open(storage, segment, &target.definition)?;
    let derive = || {
        let names = &target.definition.entity_columns;
        let request = InspectRequest {
            index: read_column(&file, &target.definition.index_column, &target.schema)?,
            entities: names.iter().map(|name| read_column(&file, name, &target.schema)).collect::<Result<_>>()?,
        };
        let mut collector = Collector::of(target);
        let inspection = inspect(&file, &request, &mut collector)?;
        let (min, max) = inspection.index.ok_or_else(|| Error::corrupt("a segment has no rows"))?;
        let (coverage, counts) = collector.finish_counted()?;
        Ok(Derived { coverage, counts, bounds: (IndexValue(min), IndexValue(max)) })
    };
    derive().map_err(|e: Error| e.with("path", &segment.record.path).with("version", segment.added))
}
