//! What leaves a callback when it does not succeed, and the wall that keeps panics inside. DuckDB must never see an
//! unwinding Rust frame, and must never be told of an internal error: either would cost the user the whole database.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use tstable_core::{Error, Result, error::ErrorKind};

/// Why a callback failed. Its text is never empty.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error that the function reported.
    Reported(Error),
    /// A panic: a defect of ours, told as an ordinary error.
    Panicked(String),
}

impl Failure {
    /// What sort of failure it is; a panic is a defect of ours.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Reported(error) => error.kind(),
            Self::Panicked(_) => ErrorKind::Internal,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Reported(error) => error.to_string(),
            Self::Panicked(message) => Error::internal(message).to_string(),
        };
        f.write_str(&shortened(text))
    }
}

/// Of a longer message the middle is left out: it quotes what it was given, and an argument may be a list of a million values.
/// What failed stands at the beginning, what to do at the end.
const LONGEST: usize = 8000;
const BEGINNING: usize = 6000;
const END: usize = 1000;

fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let beginning: String = text.chars().take(BEGINNING).collect();
    let count = text.chars().count();
    let end: String = text.chars().skip(count.saturating_sub(END).max(BEGINNING)).collect();
    match count.saturating_sub(BEGINNING + END) {
        0 => text,
        left_out => format!("{beginning} [... {left_out} characters ...] {end}"),
    }
}

/// Runs the body of a callback; a panic becomes a [`Failure`].
pub(crate) fn contain<T>(body: impl FnOnce() -> Result<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::Reported(error)),
        Err(payload) => Err(Failure::Panicked(panic_text(payload.as_ref()))),
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied());
    text.filter(|text| !text.is_empty()).unwrap_or("panic without a message").to_owned()
}

/// A value that DuckDB destroys, from a callback that cannot report anything: a panic in its destructor ends there.
#[derive(Debug)]
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value; always there until the drop.
    pub(crate) fn get(&self) -> Result<&T> {
        self.0.as_ref().ok_or_else(destroyed)
    }

    /// The value, to be changed; always there until the drop.
    pub(crate) fn get_mut(&mut self) -> Result<&mut T> {
        self.0.as_mut().ok_or_else(destroyed)
    }
}

fn destroyed() -> Error {
    Error::internal("the state of this call has been destroyed already")
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        // Nobody can be told: the destructors of the C APIs return nothing.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
    }
}

/// Keeps panics off the host's standard error: they are reported as errors of the statement. The hook belongs to this
/// library's copy of the standard library, so the host's own panics are not touched.
pub(crate) fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
