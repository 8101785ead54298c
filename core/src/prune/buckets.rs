//! `tstable_bucket` over domains: the start of the bucket that a value lies in, on the grid of tables. No bucket begins before an
//! earlier one, so the image of a range lies between those of its ends; the grid of a TIMESTAMPTZ without a zone is that of UTC,
//! whatever the session's zone is.

use super::{
    calendar::{MAX_TAME, MIN_TAME},
    casts::{at, nanos},
    convert::{integer_range, unit_nanos},
    domain::{Domain, Scalar},
    expr::{Constant, Expr},
};
use crate::time::{BucketWidth, Grid, IndexValue};

/// The buckets' starts of the values of `of`; none for arguments with which the function is not modelled.
pub(super) fn starts(of: Domain, width: &Expr, zone: Option<&str>) -> Option<Domain> {
    let ty = of.ty.clone()?;
    let grid = Grid::new(&read(width)?, &ty, zone, None).ok()?;
    let integers = integer_range(&ty);
    let unit = if integers.is_some() { 1 } else { unit_nanos(&ty)? };
    let start = |value: i128| Some(grid.start_of(grid.bucket_of(IndexValue(value)).ok()?).0);
    // Next to the infinities nothing is computed.
    let wild = of.is_unbounded();
    let mut starts = of.map(Some(ty.clone()), |end| {
        let image = match (end, integers) {
            (Scalar::Int(value), Some((least, greatest))) => {
                let start = start(*value)?;
                Scalar::Int((least..=greatest).contains(&start).then_some(start)?)
            }
            (end, None) => {
                let moment = nanos(end).filter(|moment| (MIN_TAME..=MAX_TAME).contains(moment))?;
                let moment = start(moment.div_euclid(unit))?.checked_mul(unit)?;
                at(&ty, (MIN_TAME..=MAX_TAME).contains(&moment).then_some(moment)?)
            }
            _ => return None,
        };
        Some((image.clone(), image))
    });
    starts.raises |= wild;
    starts.null |= wild;
    Some(starts)
}

/// A width as it was given.
fn read(width: &Expr) -> Option<BucketWidth> {
    match width {
        Expr::Constant(Constant::Text(text)) => BucketWidth::parse(text).ok(),
        Expr::Constant(Constant::Interval { months, days, micros }) => {
            BucketWidth::of_interval(*months, *days, *micros).ok()
        }
        _ => None,
    }
}
