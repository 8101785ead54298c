//! `tstable_buckets`: the dense grid of buckets, covered or not, to join with for filling gaps.

use std::sync::Arc;

use tstable_core::{
    Result,
    table::subject::{BucketState, Subject},
    time::{BucketId, IndexValue, Run},
};

use super::{
    Shared,
    answer::Answer,
    arguments::QUESTION_PARAMS,
    question::{ask, bounded},
    shape::Shape,
};
use crate::host::{Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct Buckets(pub(crate) Arc<Shared>);

impl TableFunction for Buckets {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_buckets",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &QUESTION_PARAMS,
            description: "Every expected bucket of a range for each entity, covered or not.",
            example: "FROM tstable_buckets('prices', start := '2024-01-01', until := '2024-01-02')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        ask(&self.0, session, &args, answer, |asked| {
            let subjects = asked.subjects()?;
            bounded(subjects.iter().map(expected), "give a shorter range with start and until")?;
            let shape = asked.shape;
            let line = move |(subject, bucket, state)| Line { subject, bounds: shape.bounds(bucket, bucket), state };
            Ok(subjects.into_iter().flat_map(Listed::of).map(line))
        })
    }
}

/// One bucket of an entity.
struct Line {
    subject: Arc<Subject>,
    bounds: (IndexValue, IndexValue),
    state: BucketState,
}

fn answer(shape: &Shape) -> Answer<Line> {
    Answer::new()
        .entity(&shape.entities, |line: &Line| Some(&line.subject.entity))
        .index("bucket_start", &shape.index, |line| line.bounds.0)
        .index("bucket_end", &shape.index, |line| line.bounds.1)
        .flag("covered", |line| line.state == BucketState::Covered)
        .flag("confirmed_empty", |line| line.state == BucketState::ConfirmedEmpty)
}

/// How many buckets of its extent are listed.
fn expected(subject: &Subject) -> u64 {
    let (covered, missing) = subject.counts(subject.extent);
    covered.saturating_add(missing).saturating_add(subject.confirmed_empty_in(subject.extent))
}

/// The buckets of a subject that are not closed, one after another. Closed ones cost nothing, however many lie between.
struct Listed {
    subject: Arc<Subject>,
    /// What is left of the buckets that are all one thing.
    piece: Option<(Run, BucketState)>,
    /// Where the next such buckets are looked for.
    next: Option<BucketId>,
}

impl Listed {
    fn of(subject: Subject) -> Self {
        Self { next: Some(subject.extent.first), subject: Arc::new(subject), piece: None }
    }
}

impl Iterator for Listed {
    type Item = (Arc<Subject>, BucketId, BucketState);

    fn next(&mut self) -> Option<Self::Item> {
        if self.piece.is_none() {
            self.piece = self.subject.next_piece(self.next?);
            self.next = self.piece.and_then(|(run, _)| run.last.0.checked_add(1)).map(BucketId);
        }
        let (run, state) = self.piece?;
        self.piece =
            run.first.0.checked_add(1).and_then(|next| Run::new(BucketId(next), run.last)).map(|run| (run, state));
        Some((Arc::clone(&self.subject), run.first, state))
    }
}
