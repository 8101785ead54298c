//! One set of buckets to bytes and back, as runs or as a Roaring bitmap. The layout is in the module's documentation.

use roaring::RoaringBitmap;

use crate::{
    error::{Error, Result},
    time::{BucketId, Run},
};

use super::{
    BucketSet,
    varint::{self, Reader},
};

const RUNS: u8 = 0;
const ROARING: u8 = 1;

/// No Roaring bitmap is shorter: count of maps, key, cookie, one description, one offset or bit set, one value.
const SHORTEST_ROARING: usize = 24;

/// Appends a set in the shorter of its two forms.
pub(super) fn write(set: &BucketSet, out: &mut Vec<u8>) {
    let runs = runs_of(set);
    if runs.len() > SHORTEST_ROARING {
        let mut members = set.members().clone();
        members.optimize();
        let length = members.serialized_size();
        let before = out.len();
        if length < runs.len() {
            out.push(ROARING);
            varint::write(length as u128, out);
            // Writing to memory does not fail; if it did, the runs stand in.
            if members.serialize_into(&mut *out).is_ok() {
                return;
            }
            out.truncate(before);
        }
    }
    out.push(RUNS);
    out.extend_from_slice(&runs);
}

fn runs_of(set: &BucketSet) -> Vec<u8> {
    let mut body = Vec::new();
    let mut count = 0_u128;
    let mut end: Option<BucketId> = None;
    for run in set.runs() {
        match end {
            None => varint::write_signed(run.first.0.into(), &mut body),
            Some(end) => varint::write(u128::from(end.0.abs_diff(run.first.0)).saturating_sub(2), &mut body),
        }
        varint::write(run.last.0.abs_diff(run.first.0).into(), &mut body);
        end = Some(run.last);
        count = count.saturating_add(1);
    }
    let mut out = Vec::with_capacity(body.len().saturating_add(4));
    varint::write(count, &mut out);
    out.append(&mut body);
    out
}

/// Reads a set, adds it to `set` and takes its buckets off `budget`, before they are expanded.
pub(super) fn read(reader: &mut Reader<'_>, budget: &mut u64, set: &mut BucketSet) -> Result<()> {
    match reader.byte()? {
        RUNS => read_runs(reader, budget, set),
        ROARING => {
            set.union_with(&read_roaring(reader, budget)?);
            Ok(())
        }
        other => Err(Error::corrupt(format!("the coverage has a set of the unknown form {other}"))),
    }
}

fn spend(budget: &mut u64, buckets: u64) -> Result<()> {
    *budget = budget.checked_sub(buckets).ok_or_else(|| {
        Error::limit_exceeded("the coverage has more buckets than this program accepts; use wider buckets")
    })?;
    Ok(())
}

fn read_runs(reader: &mut Reader<'_>, budget: &mut u64, set: &mut BucketSet) -> Result<()> {
    let count = reader.varint()?;
    if count == 0 {
        return Err(empty_set());
    }
    let mut end: Option<i128> = None;
    for _ in 0..count {
        let first = match end {
            None => reader.signed()?,
            Some(end) => end + 2 + i128::from(reader.varint()?),
        };
        let extent = reader.varint()?;
        let run = checked_run(first, extent)?;
        spend(budget, extent.saturating_add(1))?;
        set.insert_run(run.first, run.last)?;
        end = Some(run.last.0.into());
    }
    Ok(())
}

/// The run that begins at `first` and has `extent` buckets more.
#[inline]
pub(super) fn checked_run(first: i128, extent: u64) -> Result<Run> {
    let beyond = || Error::corrupt("the coverage has a bucket whose number does not fit 64 bits");
    let first = i64::try_from(first).map_err(|_| beyond())?;
    let last = first.checked_add_unsigned(extent).ok_or_else(beyond)?;
    Ok(Run { first: BucketId(first), last: BucketId(last) })
}

fn read_roaring(reader: &mut Reader<'_>, budget: &mut u64) -> Result<BucketSet> {
    let length = reader.varint()?;
    let mut bytes = reader.bytes(length)?;
    let Some((count, rest)) = bytes.split_first_chunk::<8>() else { return Err(damaged_roaring()) };
    bytes = rest;
    let count = u64::from_le_bytes(*count);
    let mut maps: Vec<(u32, RoaringBitmap)> = Vec::new();
    for _ in 0..count {
        let (key, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged_roaring)?;
        bytes = rest;
        let key = u32::from_le_bytes(*key);
        let map = RoaringBitmap::deserialize_from(&mut bytes).map_err(|error| damaged_roaring().caused_by(error))?;
        if map.is_empty() || maps.last().is_some_and(|(last, _)| *last >= key) {
            return Err(damaged_roaring());
        }
        spend(budget, map.len())?;
        maps.push((key, map));
    }
    match (maps.is_empty(), bytes.is_empty()) {
        (true, _) => Err(empty_set()),
        (_, false) => Err(damaged_roaring()),
        _ => Ok(BucketSet::from_maps(maps)),
    }
}

fn damaged_roaring() -> Error {
    Error::corrupt("the coverage has a damaged Roaring bitmap")
}

fn empty_set() -> Error {
    Error::corrupt("the coverage has an entity without buckets")
}
