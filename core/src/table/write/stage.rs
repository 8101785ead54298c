//! Bringing a file's bytes under the root, durably and under a name that no commit mentions yet, and describing it for
//! the commit that will.

use std::io::Write;

use xxhash_rust::xxh3::Xxh3Default;

use super::{adopt, builder::SegmentBuilder, checks::Checks, fit::Fit, incoming::Incoming, policy::Mode, record};
use crate::{
    error::{Error, Result},
    log::{
        adopted::{Adopted, Compared},
        commit::{Fingerprint, FooterChecksum, SegmentRecord, SortOrder, SourceRecord},
    },
    segment::{
        SegmentFile,
        constants::ConstantColumn,
        rewrite::{TableRows, each_sorted, rewrite},
    },
    storage::Storage,
    table::{
        fingerprint::{Hashing, hash},
        monitor::{Monitor, check_cancelled},
        names::segment_path,
        rows::RowSet,
        target::{Target, write_columns, write_options, written_order},
    },
};

/// Stages `incoming` as the segment `id`.
///
/// # Errors
/// `Io` when the bytes cannot be written, `InvalidArgument` when they cannot be linked, `Conflict` when the file changed meanwhile;
/// nothing is left behind then.
pub fn file(
    storage: &dyn Storage,
    incoming: &Incoming,
    target: &Target,
    mode: Mode,
    id: &str,
    monitor: &dyn Monitor,
) -> Result<SegmentRecord> {
    let path = segment_path(id);
    let staged = bring(storage, incoming, target, mode, &path, monitor).and_then(|brought| {
        incoming.outside.check_unchanged()?;
        let coverage = record::coverage(storage, &incoming.coverage, id)?;
        let counts = record::counts(storage, incoming.counts.as_ref(), id)?;
        Ok((brought, coverage, counts))
    });
    let (brought, coverage, counts) = match staged {
        Ok(staged) => staged,
        Err(e) => {
            let _ = storage.remove(&path);
            return Err(e);
        }
    };
    let mut record = SegmentRecord {
        id: id.to_owned(),
        path: brought.adopted_at.unwrap_or(path),
        rows: incoming.rows,
        row_groups: brought.row_groups,
        bytes: brought.bytes,
        checksum: brought.checksum,
        footer_checksum: Some(FooterChecksum(brought.footer_checksum)),
        index_min: incoming.bounds.0,
        index_max: incoming.bounds.1,
        sorted_by: brought.sorted_by,
        last_field_id: target.definition.last_field_id,
        missing_fields: brought.missing,
        entities: incoming.coverage.entity_count() as u64,
        buckets: incoming.coverage.buckets(),
        coverage,
        sources: vec![SourceRecord {
            path: incoming.shown(),
            bytes: incoming.outside.stat.bytes,
            fingerprint: brought.source,
        }],
        extra: serde_json::Map::new(),
    };
    record.set_counts(counts.as_ref());
    if let Some(adopted) = &brought.adopted {
        record.set_adopted(adopted);
        let constants: Vec<_> = incoming.constants.iter().map(ConstantColumn::field).collect();
        record.set_constants(&constants)?;
    }
    Ok(record)
}

/// Stages the rows of `incoming` that violate none of `checks` and are not among `left_out`; none when there are no such rows.
///
/// # Errors
/// As [`file()`].
pub fn without(
    storage: &dyn Storage,
    incoming: &Incoming,
    target: &Target,
    mode: Mode,
    checks: &Checks,
    left_out: &RowSet,
    monitor: &dyn Monitor,
) -> Result<Option<SegmentRecord>> {
    let source = SourceRecord {
        path: incoming.shown(),
        bytes: incoming.outside.stat.bytes,
        fingerprint: incoming.fingerprint()?,
    };
    let sort = mode == Mode::Rewrite || incoming.sorted_by == Some(written_order(target));
    let mut builder = SegmentBuilder::create(storage, target, sort)?;
    let (mut first, mut unsorted) = (0, Vec::new());
    for batch in TableRows::new(&incoming.reopen()?, &write_columns(target))? {
        check_cancelled(monitor)?;
        let batch = batch?;
        let kept = left_out.filter(&batch, first, false)?;
        first += batch.num_rows() as u64;
        let batch = checks.pass(&kept)?;
        match mode {
            Mode::Rewrite => unsorted.push(batch),
            _ => builder.write(&batch)?,
        }
    }
    each_sorted(&unsorted, &write_options(target).sorted_by, &incoming.shown(), |batch| {
        check_cancelled(monitor)?;
        builder.write(batch)
    })?;
    incoming.outside.check_unchanged()?;
    builder.finish(vec![source])
}

struct Brought {
    bytes: u64,
    row_groups: u64,
    checksum: Fingerprint,
    footer_checksum: u64,
    source: Fingerprint,
    sorted_by: Option<SortOrder>,
    /// Field ids of the columns that the segment does not have.
    missing: Vec<u32>,
    /// How far the file's own statistics can be believed, when it is the file as it was found.
    adopted: Option<Adopted>,
    /// Where the file is, when it stays there.
    adopted_at: Option<String>,
}

fn bring(
    storage: &dyn Storage,
    incoming: &Incoming,
    target: &Target,
    mode: Mode,
    path: &str,
    monitor: &dyn Monitor,
) -> Result<Brought> {
    let missing = match &incoming.fit {
        Fit::AsIs { missing } if mode != Mode::Rewrite => missing.clone(),
        _ => return write_anew(storage, incoming, target, path, monitor),
    };
    let adopted = match &incoming.decoded {
        Some(fields) => Adopted { compared: Compared::All, distrusted_fields: fields.clone() },
        None => Adopted { compared: Compared::Keys, distrusted_fields: incoming.misstated.clone() },
    };
    let unchanged = |bytes, checksum| Brought {
        bytes,
        row_groups: incoming.row_groups,
        checksum,
        footer_checksum: incoming.footer_checksum,
        source: incoming.identity(checksum),
        sorted_by: incoming.sorted_by,
        missing,
        adopted: Some(adopted.clone()),
        adopted_at: None,
    };
    if mode == Mode::Adopt {
        let inside = adopt::path_inside(&incoming.outside.path, storage.root())?;
        let gone = || Error::conflict("the file was removed while it was being adopted").with("file", incoming.shown());
        let stat = storage.stat(&inside)?.ok_or_else(gone)?;
        return Ok(Brought { adopted_at: Some(inside), ..unchanged(stat.bytes, incoming.checksum()?) });
    }
    if matches!(mode, Mode::Link | Mode::Move) {
        if let Some(stat) = storage.link(&incoming.outside.path, path)? {
            return Ok(unchanged(stat.bytes, incoming.checksum()?));
        }
        if mode == Mode::Link {
            return Err(Error::invalid_argument(
                "the file cannot be linked into the table, which is on another file system; use mode := 'copy'",
            ));
        }
    }
    let mut staged = storage.stage(path)?;
    let fingerprint = hash(incoming.outside.reopen()?.as_ref(), |piece| {
        check_cancelled(monitor)?;
        staged.write_all(piece).map_err(|e| Error::io("write", path, e))
    })?;
    Ok(unchanged(staged.finish()?, fingerprint))
}

fn write_anew(
    storage: &dyn Storage,
    incoming: &Incoming,
    target: &Target,
    path: &str,
    monitor: &dyn Monitor,
) -> Result<Brought> {
    let source = incoming.fingerprint()?;
    let hashing = Hashing { staged: storage.stage(path)?, hasher: Xxh3Default::new() };
    let (files, options) = ([incoming.reopen()?], write_options(target));
    let pause = || check_cancelled(monitor);
    let (written, hashing) = rewrite(&files, &write_columns(target), path, hashing, &options, &pause)?;
    let checksum = Fingerprint(hashing.hasher.digest128());
    let bytes = hashing.staged.finish()?;
    let footer_checksum = SegmentFile::open(storage.open(path)?)?.footer_checksum();
    let sorted_by = Some(written_order(target));
    Ok(Brought {
        bytes,
        row_groups: written.row_groups as u64,
        checksum,
        footer_checksum,
        source,
        sorted_by,
        missing: Vec::new(),
        adopted: None,
        adopted_at: None,
    })
}
