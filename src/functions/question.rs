//! The frame of the functions that ask about coverage: they bind to the table's shape and range, and look at the newest
//! (or the chosen) version each time they run.

use std::sync::Arc;

use tstable_core::{
    Error, Result,
    table::{At, Snapshot, ask::density::CountedBy, choice::Choice, subject::Subject},
    time::IndexRange,
};

use super::{
    Shared, Watch,
    answer::Answer,
    bound_to::BoundTo,
    columnar::{Chunks, Columnar},
    entity_argument::Chosen,
    shape::Shape,
};
use crate::host::{Args, Bound, OutColumn, Session};

/// The most rows that one question may have: 34 years of seconds. Rows are made as they are fetched, so this guards nobody's
/// memory; it tells apart a question that was meant from one in which a unit was mistaken.
pub(crate) const MAX_ROWS: u64 = 1 << 30;

/// Refuses a question with more rows than [`MAX_ROWS`], before the first is made.
///
/// # Errors
/// `LimitExceeded`; `way` says how to ask for fewer.
pub(crate) fn bounded(rows: impl Iterator<Item = u64>, way: &str) -> Result<()> {
    let rows = rows.fold(0, u64::saturating_add);
    if rows > MAX_ROWS {
        return Err(Error::limit_exceeded(format!(
            "the answer has {rows} rows, more than the {MAX_ROWS} that one question may have; {way}"
        )));
    }
    Ok(())
}

/// What a run of such a function has at hand.
pub(crate) struct Asked<'a> {
    pub(crate) snapshot: Snapshot,
    pub(crate) shape: Shape,
    pub(crate) range: IndexRange,
    choice: Choice,
    session: &'a dyn Session,
}

impl Asked<'_> {
    /// Every entity that the question is about.
    pub(crate) fn subjects(&self) -> Result<Vec<Subject>> {
        Ok(self.counted_subjects()?.0)
    }

    /// The same, and how the rows of buckets were counted, where `min_rows` was given.
    pub(crate) fn counted_subjects(&self) -> Result<(Vec<Subject>, Option<CountedBy>)> {
        self.snapshot.counted_subjects(&self.shape.grid, &self.range, &self.choice, &Watch(self.session))
    }
}

/// How such a function finds its table again, each time it runs.
struct Question {
    shared: Arc<Shared>,
    bound_to: BoundTo,
    root: String,
    at: At,
    range: IndexRange,
    chosen: Chosen,
}

impl Question {
    fn of(shared: &Arc<Shared>, session: &dyn Session, args: &Args) -> Result<(Self, Shape)> {
        let root = args.root(session)?;
        let at = args.at(session)?;
        let (_, snapshot) = shared.snapshot(&root, &at, session)?;
        let (shape, bound_to) = (Shape::of(&snapshot)?, BoundTo::shape(&root, &snapshot)?);
        let range = args.range(session, &shape.index)?;
        shape.grid.reaches(&range)?;
        let chosen = Chosen::of(args, &snapshot)?;
        Ok((Self { shared: Arc::clone(shared), bound_to, root, at, range, chosen }, shape))
    }

    fn asked<'a>(&self, session: &'a dyn Session) -> Result<Asked<'a>> {
        let (_, snapshot) = self.shared.snapshot(&self.root, &self.at, session)?;
        self.bound_to.check(&snapshot)?;
        let choice = self.chosen.choice(&snapshot)?;
        Ok(Asked { shape: Shape::of(&snapshot)?, snapshot, range: self.range, choice, session })
    }
}

/// Binds such a function: `answer` from the table's shape, what it shows by `find` at each run.
pub(crate) fn ask<T: 'static, I>(
    shared: &Arc<Shared>,
    session: &dyn Session,
    args: &Args,
    answer: impl FnOnce(&Shape) -> Answer<T>,
    find: impl Fn(Asked<'_>) -> Result<I> + Send + Sync + 'static,
) -> Result<Arc<dyn Bound>>
where
    I: IntoIterator<Item = T>,
    I::IntoIter: Send + 'static,
{
    let (question, shape) = Question::of(shared, session, args)?;
    Ok(answer(&shape).bound(move |session| find(question.asked(session)?)))
}

/// Binds such a function that answers with many rows.
pub(crate) fn ask_for_many(
    shared: &Arc<Shared>,
    session: &dyn Session,
    args: &Args,
    columns: impl FnOnce(&Shape) -> Vec<OutColumn>,
    chunks: impl Fn(Asked<'_>, &[usize]) -> Result<Box<dyn Chunks>> + Send + Sync + 'static,
) -> Result<Arc<dyn Bound>> {
    let (question, shape) = Question::of(shared, session, args)?;
    let start = move |session: &dyn Session, projection: &[usize]| chunks(question.asked(session)?, projection);
    Ok(Columnar::bound(columns(&shape), start))
}
