//! Taking the rows of some buckets out of segments: each segment that has such rows is rewritten without them, batch by batch,
//! and the commit puts the new one in the place of the old. A segment of which nothing is left just goes.

use std::{collections::HashMap, sync::Arc};

use super::{
    builder::SegmentBuilder,
    keys::{Holder, Keys},
    record,
    sieve::Sieve,
};
use crate::{
    coverage::Coverage,
    error::Result,
    log::{
        commit::{Action, SegmentRecord},
        definition::Definition,
        segment::Segment,
        state::TableState,
    },
    storage::Storage,
    table::{
        commit::Condemned,
        monitor::{Monitor, check_cancelled},
        opened,
        rows::RowSet,
        target::{Target, segment_rows, written_order},
    },
};

/// Which rows a table loses.
#[derive(Debug)]
pub enum Away<'a> {
    /// All rows of these buckets.
    Buckets(Coverage),
    /// The rows that share entity and index with one of others.
    Keys {
        /// The buckets of the others.
        within: Coverage,
        /// How keys are read.
        keys: Box<Keys<'a>>,
        /// The others.
        of: Vec<Holder<'a>>,
    },
}

impl Away<'_> {
    fn within(&self) -> &Coverage {
        match self {
            Self::Buckets(within) | Self::Keys { within, .. } => within,
        }
    }
}

/// Which rows one segment loses.
#[derive(Debug)]
pub enum Taken<'a> {
    /// All rows of these buckets.
    Buckets(&'a Coverage),
    /// These rows.
    Rows(&'a RowSet),
}

impl Taken<'_> {
    fn buckets(&self) -> Option<&Coverage> {
        match self {
            Self::Buckets(buckets) => Some(buckets),
            Self::Rows(_) => None,
        }
    }
}

/// What becomes of the segments that lose rows. Kept while a commit is tried again, so that what is written is written once.
#[derive(Debug)]
pub struct Carving {
    storage: Arc<dyn Storage>,
    definition: Option<Arc<Definition>>,
    /// By the segment's id.
    pieces: HashMap<String, Piece>,
}

#[derive(Debug)]
struct Piece {
    away: Coverage,
    rows: u64,
    rest: Option<SegmentRecord>,
}

/// How much goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loss {
    /// Rows that go.
    pub rows: u64,
    /// Segments that go, whole or to be rewritten.
    pub segments_removed: u64,
    /// Segments rewritten.
    pub segments_added: u64,
    /// Rows of those, which stay.
    pub rows_rewritten: u64,
}

impl Carving {
    /// Nothing yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, definition: None, pieces: HashMap::new() }
    }

    /// The actions that take the rows of `away` out of the table.
    ///
    /// # Errors
    /// What reading and writing segments gives, and `Cancelled`; then [`Carving::discard`] removes what was written.
    pub fn actions(
        &mut self,
        state: &TableState,
        away: &Away<'_>,
        monitor: &dyn Monitor,
    ) -> Result<(Vec<Action>, Loss)> {
        if self.definition.as_ref().is_some_and(|known| **known != *state.definition) {
            self.discard();
        }
        self.definition = Some(Arc::clone(&state.definition));
        let target = Target::of_table(&state.definition)?;
        let mut old = std::mem::take(&mut self.pieces);
        let mut failure = None;
        for segment in state.segments.all()? {
            match self.piece(segment, &target, away, old.remove(&segment.record.id), monitor) {
                Ok(Some(piece)) => _ = self.pieces.insert(segment.record.id.clone(), piece),
                Ok(None) => {}
                Err(e) => {
                    failure = Some(e);
                    break;
                }
            }
        }
        // Pieces of segments that others removed meanwhile.
        old.values().for_each(|piece| discard_piece(self.storage.as_ref(), piece));
        failure.map_or_else(|| Ok(self.summed()), Err)
    }

    fn piece(
        &self,
        segment: &Segment,
        target: &Target,
        away: &Away<'_>,
        known: Option<Piece>,
        monitor: &dyn Monitor,
    ) -> Result<Option<Piece>> {
        let coverage = segment.coverage(self.storage.as_ref())?;
        let own = coverage.intersect(away.within());
        if let Some(known) = known {
            if known.away == own {
                return Ok(Some(known));
            }
            discard_piece(self.storage.as_ref(), &known);
        }
        if own.is_empty() {
            return Ok(None);
        }
        let rest = match away {
            Away::Buckets(_) if own == *coverage => None,
            Away::Buckets(_) => carve(self.storage.as_ref(), target, segment, &Taken::Buckets(&own), monitor)?,
            Away::Keys { keys, of, .. } => {
                let rows = keys.shared(Holder::Segment(segment), of, &own, monitor)?.rows;
                if rows.is_empty() {
                    return Ok(None);
                }
                let all = rows.len() == segment.record.rows;
                let carve = || carve(self.storage.as_ref(), target, segment, &Taken::Rows(&rows), monitor);
                if all { None } else { carve()? }
            }
        };
        let left = rest.as_ref().map_or(0, |rest| rest.rows);
        Ok(Some(Piece { away: own, rows: segment.record.rows.saturating_sub(left), rest }))
    }

    /// Forgets what was written and is condemned, so that it is rewritten.
    pub fn forget(&mut self, condemned: &Condemned) {
        let sound = |piece: &Piece| piece.rest.as_ref().is_none_or(|rest| !is_condemned(rest, condemned));
        let (storage, pieces) = (&self.storage, &mut self.pieces);
        pieces.values().filter(|piece| !sound(piece)).for_each(|piece| discard_piece(storage.as_ref(), piece));
        pieces.retain(|_, piece| sound(piece));
    }

    fn summed(&self) -> (Vec<Action>, Loss) {
        let mut loss = Loss::default();
        let mut actions = Vec::new();
        let mut ids: Vec<_> = self.pieces.iter().collect();
        ids.sort_by_key(|(id, _)| id.as_str());
        for (id, piece) in ids {
            actions.push(Action::RemoveSegment { id: id.clone() });
            loss.segments_removed += 1;
            loss.rows = loss.rows.saturating_add(piece.rows);
            if let Some(rest) = &piece.rest {
                actions.push(Action::AddSegment(Box::new(rest.clone())));
                loss.segments_added += 1;
                loss.rows_rewritten = loss.rows_rewritten.saturating_add(rest.rows);
            }
        }
        (actions, loss)
    }

    /// Removes what was written for a commit that will not be.
    pub fn discard(&mut self) {
        for piece in std::mem::take(&mut self.pieces).values() {
            discard_piece(self.storage.as_ref(), piece);
        }
    }
}

/// Whether a vacuum has condemned a file of the segment.
#[must_use]
pub fn is_condemned(record: &SegmentRecord, condemned: &Condemned) -> bool {
    record.files().any(|path| condemned.contains(path))
}

fn discard_piece(storage: &dyn Storage, piece: &Piece) {
    if let Some(rest) = &piece.rest {
        record::discard(storage, rest);
    }
}

/// The segment without the rows that are taken, rewritten; none when nothing is left of it.
///
/// # Errors
/// What reading and writing segments gives, and `Cancelled`; nothing is left behind then.
pub fn carve(
    storage: &dyn Storage,
    target: &Target,
    segment: &Segment,
    taken: &Taken<'_>,
    monitor: &dyn Monitor,
) -> Result<Option<SegmentRecord>> {
    let file = opened::open_whole(storage, segment, &target.definition)?;
    let nothing = Coverage::new();
    let mut sieve = Sieve::new(target, taken.buckets().unwrap_or(&nothing))?;
    let sorted = segment.record.sorted_by == Some(written_order(target));
    let mut builder = SegmentBuilder::create(storage, target, sorted)?;
    let mut rows = segment_rows(&file, segment, target)?;
    let (mut row_group, mut first) = (0, 0);
    while let Some(batch) = rows.next() {
        check_cancelled(monitor)?;
        let batch = batch.map_err(|e| e.with("version", segment.added))?;
        // Rows are sorted within row groups, and need not be over two of them.
        if sorted && row_group != rows.row_group() {
            row_group = rows.row_group();
            builder.begin_group()?;
        }
        let kept = match taken {
            Taken::Buckets(_) => sieve.pass(&batch)?,
            Taken::Rows(rows) => rows.filter(&batch, first, false)?,
        };
        first += batch.num_rows() as u64;
        builder.write(&kept)?;
    }
    builder.finish(segment.record.sources.clone())
}
