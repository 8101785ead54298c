//! Which files' rows are live, by what identifies a file: found out only when somebody asks, since it costs a look at every
//! segment and most appends never ask.

use std::{cell::OnceCell, collections::HashMap, sync::Arc};

use crate::log::{commit::Fingerprint, state::TableState};

/// See the module.
#[derive(Debug)]
pub(super) struct Loaded {
    state: Arc<TableState>,
    by_bytes: OnceCell<HashMap<u64, Vec<Fingerprint>>>,
}

impl Loaded {
    pub(super) fn of(state: &Arc<TableState>) -> Self {
        Self { state: Arc::clone(state), by_bytes: OnceCell::new() }
    }

    /// The fingerprints of loaded files of so many bytes.
    pub(super) fn get(&self, bytes: u64) -> Option<&Vec<Fingerprint>> {
        let by_bytes = self.by_bytes.get_or_init(|| {
            let mut by_bytes: HashMap<u64, Vec<Fingerprint>> = HashMap::new();
            for source in self.state.segments.iter().flat_map(|segment| &segment.record.sources) {
                by_bytes.entry(source.bytes).or_default().push(source.fingerprint);
            }
            by_bytes
        });
        by_bytes.get(&bytes)
    }
}
