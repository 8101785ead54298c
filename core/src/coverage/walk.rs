//! Ascending runs laid against each other, one step at a time: nothing is held but where each side is, however long the
//! runs are.

use crate::time::{BucketId, Run};

/// The buckets in both, in runs; both sides ascending and disjoint.
pub fn intersect<'a>(
    a: impl Iterator<Item = Run> + Send + 'a,
    b: impl Iterator<Item = Run> + Send + 'a,
) -> impl Iterator<Item = Run> + Send + 'a {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || {
        loop {
            let (one, other) = (*a.peek()?, *b.peek()?);
            // What ends first meets nothing further.
            if one.last <= other.last {
                a.next()
            } else {
                b.next()
            };
            if let Some(both) = one.clip(other) {
                return Some(both);
            }
        }
    })
}

/// The buckets of `of` that are not in `without`, in runs; both ascending and disjoint.
pub fn subtract<'a>(
    of: impl Iterator<Item = Run> + Send + 'a,
    without: impl Iterator<Item = Run> + Send + 'a,
) -> impl Iterator<Item = Run> + Send + 'a {
    let (mut of, mut without) = (of, without.peekable());
    let mut left = None;
    std::iter::from_fn(move || {
        loop {
            let run: Run = match left.take() {
                Some(run) => run,
                None => of.next()?,
            };
            while without.next_if(|cut| cut.last < run.first).is_some() {}
            let Some(cut) = without.peek().copied().filter(|cut| cut.first <= run.last) else { return Some(run) };
            left = cut.last.0.checked_add(1).and_then(|next| Run::new(BucketId(next), run.last));
            let before = cut.first.0.checked_sub(1).and_then(|last| Run::new(run.first, BucketId(last)));
            if before.is_some() {
                return before;
            }
        }
    })
}
