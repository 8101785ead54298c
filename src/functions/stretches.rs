//! The rows of gaps and windows, as arrays: there may be millions, so nothing is made per row but numbers.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, DictionaryArray, Int32Array, IntervalMonthDayNanoArray, StringArray},
    datatypes::IntervalMonthDayNano,
};
use tstable_core::{
    Error, Result,
    schema::ColumnType,
    table::{
        ask::stretch::{Position, Stretch},
        subject::Subject,
    },
    time::{BucketId, Run},
};

use super::{
    Shared,
    columnar::{Chunk, Chunks},
    literal::unit_nanos,
    question::ask_for_many,
    report::{Cell, Row, array, column, fitting},
    shape::Shape,
};
use crate::host::{Args, Bound, CHUNK_ROWS, OutColumn, Session};

const NANOS_PER_DAY: i128 = 86_400 * 1_000_000_000;

/// What is listed of each subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gaps of at least this many buckets, with length and position.
    Gaps(u64),
    /// Windows of at least this many buckets.
    Windows(u64),
    /// The last window of at least this many buckets.
    LastWindow(u64),
}

/// A column of its own that a stretch has.
#[derive(Debug, Clone, Copy)]
enum Told {
    Start,
    End,
    Buckets,
    Duration,
    Position,
}

impl Kind {
    /// What is told of a stretch, and under which names.
    fn told(self) -> &'static [(&'static str, Told)] {
        match self {
            Self::Gaps(_) => &[
                ("gap_start", Told::Start),
                ("gap_end", Told::End),
                ("buckets", Told::Buckets),
                ("duration", Told::Duration),
                ("position", Told::Position),
            ],
            Self::Windows(_) | Self::LastWindow(_) => {
                &[("window_start", Told::Start), ("window_end", Told::End), ("buckets", Told::Buckets)]
            }
        }
    }

    /// The entity columns, then those.
    fn columns(self, shape: &Shape) -> Vec<OutColumn> {
        shape.columns(self.told().iter().map(|(name, told)| {
            column(
                *name,
                match told {
                    Told::Start | Told::End => shape.index.clone(),
                    Told::Buckets => ColumnType::BigInt,
                    Told::Duration => shape.duration_type(),
                    Told::Position => ColumnType::Varchar,
                },
            )
        }))
    }

    /// The first stretches of `part`, at most `count` of them. `part` reaches to the end of the subject's extent, and begins where
    /// the extent does or behind a stretch.
    fn of(self, subject: &Subject, part: Run, most: usize) -> Vec<Stretch> {
        let long = |least: u64| move |stretch: &Stretch| stretch.buckets >= least;
        match self {
            Self::Gaps(least) => subject.gaps(part).filter(long(least)).take(most).collect(),
            Self::Windows(least) => subject.windows(part).filter(long(least)).take(most).collect(),
            Self::LastWindow(least) => subject.windows(part).filter(long(least)).last().into_iter().collect(),
        }
    }
}

/// Binds a call that lists the stretches of a kind.
pub(super) fn ask_for(kind: Kind, shared: &Arc<Shared>, session: &dyn Session, args: &Args) -> Result<Arc<dyn Bound>> {
    ask_for_many(
        shared,
        session,
        args,
        |shape| kind.columns(shape),
        move |asked, projection| {
            let subjects = asked.subjects()?;
            Ok(Box::new(Stretches::new(asked.shape, kind, subjects, projection)?))
        },
    )
}

/// The stretches of all subjects in order.
struct Stretches {
    shape: Shape,
    kind: Kind,
    subjects: Vec<Subject>,
    projection: Vec<usize>,
    /// The columns of entities, a row a subject.
    entities: Vec<(OutColumn, ArrayRef)>,
    words: ArrayRef,
    /// The subject that is being listed, and what is left of it; none before its beginning.
    at: usize,
    rest: Option<Run>,
    rows: Buffers,
}

/// The rows of a chunk.
#[derive(Default)]
struct Buffers {
    subject: Vec<i32>,
    start: Vec<i128>,
    end: Vec<i128>,
    buckets: Vec<i128>,
    duration: Vec<i128>,
    position: Vec<i32>,
}

impl Stretches {
    fn new(shape: Shape, kind: Kind, subjects: Vec<Subject>, projection: &[usize]) -> Result<Self> {
        let rows: Vec<Row> = subjects.iter().map(|s| s.entity.parts().iter().map(Cell::from).collect()).collect();
        let mut entities = Vec::new();
        for (at, column) in shape.entities.iter().enumerate() {
            entities.push((column.clone(), array(&column.ty, &rows, at)?));
        }
        let words = [Position::Leading, Position::Inner, Position::Trailing].map(Position::word);
        Ok(Self {
            shape,
            kind,
            subjects,
            projection: projection.to_vec(),
            entities,
            words: Arc::new(StringArray::from_iter_values(words)),
            at: 0,
            rest: None,
            rows: Buffers::default(),
        })
    }

    /// Fills the buffers with the next rows; false at the end.
    fn advance(&mut self) -> bool {
        self.rows.clear();
        while let Some(subject) = self.subjects.get(self.at) {
            let room = CHUNK_ROWS.saturating_sub(self.rows.subject.len());
            if room == 0 {
                break;
            }
            let number = i32::try_from(self.at).unwrap_or(i32::MAX);
            let found = self.kind.of(subject, self.rest.unwrap_or(subject.extent), room);
            for stretch in &found {
                self.rows.push(&self.shape, subject, number, stretch, self.kind);
            }
            self.rest = match found.last() {
                Some(last) if found.len() == room && !matches!(self.kind, Kind::LastWindow(_)) => {
                    last.run.last.0.checked_add(1).and_then(|next| Run::new(BucketId(next), subject.extent.last))
                }
                _ => None,
            };
            if self.rest.is_none() {
                self.at = self.at.saturating_add(1);
            }
        }
        !self.rows.subject.is_empty()
    }

    fn column(&self, at: usize) -> Result<ArrayRef> {
        let rows = &self.rows;
        let Some(own) = at.checked_sub(self.entities.len()) else { return self.entity(at) };
        let missing = || Error::internal("a column that is not there was asked for");
        let (_, told) = self.kind.told().get(own).ok_or_else(missing)?;
        Ok(match told {
            Told::Start => index_array(&self.shape.index, &rows.start)?,
            Told::End => index_array(&self.shape.index, &rows.end)?,
            Told::Buckets => integers(&ColumnType::BigInt, &rows.buckets)?,
            Told::Duration => self.durations()?,
            Told::Position => dictionary(&rows.position, &self.words)?,
        })
    }

    fn entity(&self, at: usize) -> Result<ArrayRef> {
        let missing = || Error::internal("a column that is not there was asked for");
        let (column, values) = self.entities.get(at).ok_or_else(missing)?;
        if column.ty == ColumnType::Varchar {
            // A dictionary of only the chunk's subjects, which follow each other, is small enough to be quick.
            let (first, last) = (self.rows.subject.first(), self.rows.subject.last());
            let (first, last) = (first.copied().unwrap_or(0), last.copied().unwrap_or(0));
            let at = |subject: i32| usize::try_from(subject).unwrap_or(0).min(values.len());
            let names = values.slice(at(first), at(last.saturating_add(1)).saturating_sub(at(first)));
            let keys: Vec<i32> = self.rows.subject.iter().map(|subject| subject.saturating_sub(first)).collect();
            return dictionary(&keys, &names);
        }
        let subjects = Int32Array::from(self.rows.subject.clone());
        let lost = |e| Error::internal("a row is of no entity").caused_by(e);
        arrow::compute::take(values, &subjects, None).map_err(lost)
    }

    fn durations(&self) -> Result<ArrayRef> {
        if self.shape.index.is_integer() {
            return integers(&self.shape.duration_type(), &self.rows.duration);
        }
        let nanos = unit_nanos(&self.shape.index);
        Ok(Arc::new(IntervalMonthDayNanoArray::from_iter_values(self.rows.duration.iter().map(|units| {
            let length = units.saturating_mul(nanos);
            let days = i32::try_from(length / NANOS_PER_DAY).unwrap_or(i32::MAX);
            IntervalMonthDayNano::new(0, days, i64::try_from(length % NANOS_PER_DAY).unwrap_or_default())
        }))))
    }
}

impl Chunks for Stretches {
    fn next(&mut self, _session: &dyn Session) -> Result<Option<Chunk>> {
        if !self.advance() {
            return Ok(None);
        }
        let arrays = self.projection.iter().map(|at| self.column(*at)).collect::<Result<Vec<_>>>()?;
        Ok(Some(Chunk { rows: self.rows.subject.len(), arrays }))
    }
}

impl Buffers {
    fn clear(&mut self) {
        self.subject.clear();
        self.start.clear();
        self.end.clear();
        self.buckets.clear();
        self.duration.clear();
        self.position.clear();
    }

    fn push(&mut self, shape: &Shape, subject: &Subject, number: i32, stretch: &Stretch, kind: Kind) {
        let Run { first, last } = stretch.run;
        self.subject.push(number);
        self.start.push(shape.start(first).0);
        self.end.push(shape.end(last).0);
        self.buckets.push(stretch.buckets.into());
        if let Kind::Gaps(_) = kind {
            self.duration.push(subject.units(&shape.grid, stretch, true));
            self.position.push(match subject.position(stretch, subject.extent) {
                Position::Leading => 0,
                Position::Inner => 1,
                Position::Trailing => 2,
            });
        }
    }
}

fn dictionary(keys: &[i32], values: &ArrayRef) -> Result<ArrayRef> {
    let broken = |e| Error::invalid_argument("the names cannot be listed").caused_by(e);
    let keys = Int32Array::from(keys.to_vec());
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::clone(values)).map_err(broken)?))
}

/// Index values as an array of the index column's type; what lies a bucket outside of the type becomes its nearest value.
pub(super) fn index_array(ty: &ColumnType, values: &[i128]) -> Result<ArrayRef> {
    let array = ty.array_of(values.iter().copied().map(Some));
    array.ok_or_else(|| Error::internal(format!("a column of type {ty} is not an index")))
}

/// Lengths and counts, all of which have to fit.
fn integers(ty: &ColumnType, values: &[i128]) -> Result<ArrayRef> {
    for value in values {
        fitting(*value, ty)?;
    }
    index_array(ty, values)
}
