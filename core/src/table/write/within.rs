//! Reading the rows of a range of the index from a file, and no row group that cannot have any.

use crate::{
    error::{Error, Result},
    prune::expr::Constant,
    segment::{IndexFilter, ReadColumn, SegmentFile},
    table::target::Target,
    time::IndexRange,
};

/// What reads only the rows of a range from a file; none when that is all rows.
///
/// # Errors
/// `Corrupt` when the file has no index column.
pub(crate) fn range_filter(file: &SegmentFile, target: &Target, range: &IndexRange) -> Result<Option<IndexFilter>> {
    if *range == IndexRange::ALL {
        return Ok(None);
    }
    let name = &target.definition.index_column;
    let position = file.position(name).ok_or_else(|| Error::corrupt(format!("a file has no column '{name}'")))?;
    let column = ReadColumn { position, ty: target.index_type.clone() };
    let start = range.start.map_or(i128::MIN, |start| start.0);
    Ok(Some(match range.until {
        Some(until) => IndexFilter::half_open(column, start, until.0),
        None => IndexFilter::closed(column, start, i128::MAX),
    }))
}

/// The row groups of a file that may hold rows of the range, by their statistics.
pub(crate) fn row_groups(file: &SegmentFile, target: &Target, range: &IndexRange) -> Vec<usize> {
    let position = file.position(&target.definition.index_column);
    let own = position.and_then(|at| file.columns().get(at)).is_some_and(|column| column.ty == target.index_type);
    let value = |constant: &Option<Constant>| match constant {
        Some(Constant::Int(value)) => Some(*value),
        Some(Constant::Temporal(_, value)) => Some(i128::from(*value)),
        _ => None,
    };
    let may_hold = |group: &usize| {
        let Some(position) = position.filter(|_| own) else { return true };
        let bounds = file.column_bounds(*group, position);
        let below = value(&bounds.max).zip(range.start).is_some_and(|(max, start)| max < start.0);
        let above = value(&bounds.min).zip(range.until).is_some_and(|(min, until)| min >= until.0);
        !below && !above
    };
    (0..file.row_group_count()).filter(may_hold).collect()
}
