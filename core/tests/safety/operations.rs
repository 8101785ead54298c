//! Everything that changes a table, one line each: crash tests interrupt every one of them everywhere.

use std::sync::Arc;

use tstable_core::{
    Result,
    storage::Storage,
    table::append::{AppendRequest, Mode, Unwatched},
};

use super::world::{Files, append, created, definition, table};

/// A change to a table: what comes before it, and the change itself.
pub struct Operation {
    pub name: &'static str,
    pub before: fn(&Arc<dyn Storage>, &Files),
    pub run: fn(&Arc<dyn Storage>, &Files) -> Result<()>,
}

pub const OPERATIONS: &[Operation] = &[
    Operation { name: "create", before: |_, _| {}, run: |s, _| table(s).create(definition(), false).map(drop) },
    Operation { name: "first append", before: empty, run: |s, f| append(&table(s), &[&f.first]).map(drop) },
    Operation { name: "append", before: filled, run: |s, f| append(&table(s), &[&f.later]).map(drop) },
    Operation { name: "append many", before: filled, run: |s, f| append(&table(s), &[&f.later, &f.second]).map(drop) },
    Operation {
        name: "append with a sidecar",
        before: filled,
        run: |s, f| append(&table(s), &[&f.scattered]).map(drop),
    },
    Operation { name: "rewrite", before: filled, run: |s, f| with_mode(s, f, Mode::Rewrite) },
    Operation {
        name: "append at a checkpoint",
        before: filled_to_99,
        run: |s, f| append(&table(s), &[&f.scattered]).map(drop),
    },
];

fn empty(storage: &Arc<dyn Storage>, _: &Files) {
    created(storage);
}

fn filled(storage: &Arc<dyn Storage>, files: &Files) {
    append(&created(storage), &[&files.first]).unwrap();
}

/// The next commit is the one that a checkpoint follows.
fn filled_to_99(storage: &Arc<dyn Storage>, files: &Files) {
    filled(storage, files);
    let table = table(storage);
    let mut state = table.latest(None).unwrap().state;
    while state.version.0 < 99 {
        use tstable_core::{log::commit::Action, table::change};
        let key = format!("key{}", state.version.0 % 3);
        let actions = vec![Action::SetProperty { key, value: Some(state.version.to_string()) }];
        let commit = change::commit(&state, "set", None, actions);
        let change::Published::Done { state: next, .. } = change::publish(&table, &state, &commit).unwrap() else {
            panic!("nobody else writes here")
        };
        state = next;
    }
}

fn with_mode(storage: &Arc<dyn Storage>, files: &Files, mode: Mode) -> Result<()> {
    let table = table(storage);
    let request = AppendRequest { files: vec![files.later.clone()], mode, ..AppendRequest::default() };
    table.append(&table.latest(None)?, &request, &Unwatched).map(drop)
}
