//! Which files' rows are live, by what identifies a file: found out only when somebody asks, since it costs a look at every
//! segment and most appends never ask.

use std::{cell::OnceCell, collections::HashMap, sync::Arc};

use crate::{
    error::Result,
    log::{commit::Fingerprint, state::TableState},
};

/// See the module.
#[derive(Debug)]
pub(crate) struct LiveSources {
    state: Arc<TableState>,
    by_bytes: OnceCell<HashMap<u64, Vec<Fingerprint>>>,
}

impl LiveSources {
    pub(crate) fn of(state: &Arc<TableState>) -> Self {
        Self { state: Arc::clone(state), by_bytes: OnceCell::new() }
    }

    /// The rows of live segments that have rows of this file and of no other.
    ///
    /// # Errors
    /// As [`Segments::all`](crate::log::segments::Segments::all).
    pub(crate) fn rows_alone(&self, fingerprint: Fingerprint) -> Result<u64> {
        let segments = self.state.segments.all()?.into_iter();
        let of_it =
            segments.filter(|s| matches!(s.record.sources.as_slice(), [source] if source.fingerprint == fingerprint));
        Ok(of_it.fold(0, |rows, segment| rows.saturating_add(segment.record.rows)))
    }

    /// Whether a live segment has rows of this file beside those of others.
    ///
    /// # Errors
    /// As [`Segments::all`](crate::log::segments::Segments::all).
    pub(crate) fn is_among_others(&self, fingerprint: Fingerprint) -> Result<bool> {
        let mut segments = self.state.segments.all()?.into_iter().map(|segment| &segment.record.sources);
        Ok(segments.any(|sources| sources.len() > 1 && sources.iter().any(|source| source.fingerprint == fingerprint)))
    }

    /// The fingerprints of loaded files of this size in bytes.
    ///
    /// # Errors
    /// As [`Segments::all`](crate::log::segments::Segments::all).
    pub(crate) fn get(&self, bytes: u64) -> Result<Option<&Vec<Fingerprint>>> {
        let by_bytes = match self.by_bytes.get() {
            Some(by_bytes) => by_bytes,
            None => {
                let by_bytes = by_bytes(&self.state)?;
                self.by_bytes.get_or_init(|| by_bytes)
            }
        };
        Ok(by_bytes.get(&bytes))
    }
}

fn by_bytes(state: &TableState) -> Result<HashMap<u64, Vec<Fingerprint>>> {
    let mut by_bytes: HashMap<u64, Vec<Fingerprint>> = HashMap::new();
    for source in state.segments.all()?.into_iter().flat_map(|segment| &segment.record.sources) {
        by_bytes.entry(source.bytes).or_default().push(source.fingerprint);
    }
    Ok(by_bytes)
}
