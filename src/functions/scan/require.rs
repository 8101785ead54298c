//! `require` of a scan: what it takes, and the check when the call is bound.

use tstable_core::{
    Error, Result,
    prune::expr::Constant,
    table::{Snapshot, choice::Choice, require::require_covered},
    time::IndexRange,
};

use crate::{
    functions::{Watch, literal::show},
    host::{Arg, Args, Session},
};

/// Fails when `require` was given and the range is not as complete for the chosen entities as that says, or when `hold` or
/// `min_rows`, which are about that, were given alone.
pub(super) fn check(
    session: &dyn Session,
    args: &Args,
    snapshot: &Snapshot,
    range: &IndexRange,
    choice: &Choice,
) -> Result<()> {
    match args.named("require").map(ratio).transpose()? {
        Some(ratio) => require_covered(snapshot, range, ratio, choice, &Watch(session)),
        None if choice.hold.is_some() || choice.min_rows.is_some() => {
            let name = if choice.hold.is_some() { "hold" } else { "min_rows" };
            Err(Error::invalid_argument(format!(
                "{name} says what counts as covered for require; give require with it, or leave it out"
            )))
        }
        None => Ok(()),
    }
}

/// 1 for `'full'`, or a ratio from 0 to 1.
fn ratio(arg: &Arg) -> Result<f64> {
    let ratio = match arg {
        Arg::Scalar(Constant::Text(word)) if word == "full" => Some(1.0),
        Arg::Scalar(Constant::Float(ratio)) => Some(*ratio),
        #[expect(clippy::cast_precision_loss, reason = "only 0 and 1 are accepted")]
        Arg::Scalar(Constant::Int(ratio)) => Some(*ratio as f64),
        #[expect(clippy::cast_precision_loss, reason = "a ratio for comparison")]
        Arg::Scalar(Constant::Decimal(value, scale)) => Some(*value as f64 / 10_f64.powi(i32::from(*scale))),
        _ => None,
    };
    ratio.filter(|ratio| (0.0..=1.0).contains(ratio)).ok_or_else(|| {
        Error::invalid_argument(format!("require := {} is not known; use 'full' or a ratio from 0 to 1", show(arg)))
    })
}
