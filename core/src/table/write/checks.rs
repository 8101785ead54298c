//! The checks of a table: kept among its properties under reserved keys, asked of every row that is to be appended.
//!
//! A reader may ignore them. A writer must not, and one that meets a reserved key that it does not know refuses to write: whatever
//! the key asks for, it could not keep it.

use std::collections::BTreeMap;

use arrow::{
    array::{BooleanArray, RecordBatch},
    compute::filter_record_batch,
    util::display::{ArrayFormatter, FormatOptions},
};

use crate::{
    check::Check,
    delta::DELTA_PROPERTY,
    error::{Error, Result},
    log::{commit::Action, renames::RENAMES_PROPERTY, universe::UNIVERSE_PROPERTY},
    schema::{Schema, same_name},
    segment::WriteColumn,
    table::{
        commit::{Changed, amend},
        handle::{Snapshot, Table},
        names::{RESERVED_PREFIX, check_name},
        target::{KeyColumns, Target, write_columns},
    },
};

/// The check of this name is the property with this and the name as its key.
const CHECK_PREFIX: &str = "tstable.check.";

/// How many examples an error message lists.
const EXAMPLES: usize = 3;

impl Table {
    /// Sets a check, or removes it. Rows that are there already are not looked at. Setting it to what it is changes nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for a predicate that is not supported, a name that is empty or too long, or a table without columns.
    pub fn check(&self, latest: &Snapshot, name: &str, predicate: Option<&str>) -> Result<Changed> {
        check_name("the check's name", name)?;
        latest.schema()?;
        let key = format!("{CHECK_PREFIX}{name}");
        amend(self, &latest.state, "check", None, |state| {
            if state.properties.get(&key).map(String::as_str) == predicate {
                return Ok(Vec::new());
            }
            if let (Some(predicate), Some(schema)) = (predicate, &state.definition.schema) {
                Check::parse(name, predicate, schema)?;
            }
            Ok(vec![Action::SetProperty { key: key.clone(), value: predicate.map(str::to_owned) }])
        })
    }
}

/// What the checks among properties become when the columns `from` become `to`: they name columns as those are called then.
///
/// # Errors
/// `InvalidArgument` naming a check of a column that goes, or that the new types do not suit.
pub(crate) fn altered(properties: &BTreeMap<String, String>, from: &Schema, to: &Schema) -> Result<Vec<Action>> {
    let mut actions = Vec::new();
    for (key, text) in properties {
        let Some(name) = key.strip_prefix(CHECK_PREFIX) else { continue };
        let check = Check::parse(name, text, from)?;
        let same = |at: usize| {
            let column = from.columns.get(at)?;
            Some((column, to.columns.iter().find(|other| other.id == column.id)?))
        };
        let gone = check.columns().into_iter().find(|at| same(*at).is_none()).and_then(|at| from.columns.get(at));
        if let Some(column) = gone {
            return Err(Error::invalid_argument(format!(
                "the check '{name}' ({text}) looks at '{}', so that the column cannot go; remove the check first with \
                 tstable_check(root, '{name}', NULL)",
                column.name
            )));
        }
        let other = |at| same(at).filter(|(old, new)| old.name != new.name).map(|(_, new)| new.name.as_str());
        let renamed = check.renamed(from, other)?;
        Check::parse(name, &renamed, to)?;
        if renamed != *text {
            actions.push(Action::SetProperty { key: key.clone(), value: Some(renamed) });
        }
    }
    Ok(actions)
}

/// Whether a key of the table's own says nothing of rows that come.
fn is_no_check(key: &str) -> bool {
    matches!(key, DELTA_PROPERTY | UNIVERSE_PROPERTY | RENAMES_PROPERTY)
}

/// What decides which rows a table takes, among its properties: a writer that finds it changed meanwhile begins again.
pub(crate) fn decisive(properties: &BTreeMap<String, String>) -> Vec<(&String, &String)> {
    let decides = |key: &str| !is_no_check(key) || key == RENAMES_PROPERTY;
    properties.iter().filter(|(key, _)| key.starts_with(RESERVED_PREFIX) && decides(key)).collect()
}

/// The checks of a table.
#[derive(Debug, Clone, Default)]
pub struct Checks(Vec<Check>);

impl Checks {
    /// The checks among properties, over the columns of `schema`.
    ///
    /// # Errors
    /// `UnsupportedFormat` for a reserved property that is none; `InvalidArgument` for a check of a column that is gone.
    pub fn of(properties: &BTreeMap<String, String>, schema: &Schema) -> Result<Self> {
        let mut checks = Vec::new();
        for (key, value) in properties.iter().filter(|(key, _)| key.starts_with(RESERVED_PREFIX) && !is_no_check(key)) {
            let Some(name) = key.strip_prefix(CHECK_PREFIX) else {
                return Err(Error::unsupported_format(format!(
                    "the table has the property '{key}', which this tstable does not know and could not keep; use a newer \
                     one to write to it"
                )));
            };
            checks.push(Check::parse(name, value, schema)?);
        }
        Ok(Self(checks))
    }

    /// Whether there is nothing to check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which rows violate no check; none when there is no check.
    ///
    /// # Errors
    /// As [`Check::violated`].
    pub fn passed(&self, batch: &RecordBatch) -> Result<Option<BooleanArray>> {
        let mut passed: Option<BooleanArray> = None;
        for check in &self.0 {
            let violated = check.violated(batch)?;
            let before = |row| passed.as_ref().is_none_or(|passed| passed.value(row));
            let keep = violated.iter().enumerate().map(|(row, violated)| Some(violated != Some(true) && before(row)));
            passed = Some(keep.collect());
        }
        Ok(passed)
    }

    /// The rows that violate no check.
    ///
    /// # Errors
    /// As [`Check::violated`].
    pub fn pass(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut kept = batch.clone();
        for check in &self.0 {
            let violated = check.violated(&kept)?;
            if violated.true_count() > 0 {
                let keep: BooleanArray = violated.iter().map(|violated| Some(violated != Some(true))).collect();
                let filtered = filter_record_batch(&kept, &keep);
                kept = filtered.map_err(|e| Error::corrupt("rows cannot be left out").caused_by(e))?;
            }
        }
        Ok(kept)
    }
}

/// What a look at rows found, check by check.
#[derive(Debug)]
pub struct Violations<'a> {
    checks: &'a Checks,
    found: Vec<(u64, Vec<String>)>,
    rows: u64,
}

impl<'a> Violations<'a> {
    /// Nothing looked at yet.
    #[must_use]
    pub fn new(checks: &'a Checks) -> Self {
        Self { checks, found: vec![(0, Vec::new()); checks.0.len()], rows: 0 }
    }

    /// As after `rows` rows without a violation.
    #[must_use]
    pub fn after(self, rows: u64) -> Self {
        Self { rows, ..self }
    }

    /// Looks at the next rows.
    ///
    /// # Errors
    /// As [`Check::violated`].
    pub fn look(&mut self, batch: &RecordBatch, keys: &KeyColumns) -> Result<()> {
        for (check, (count, examples)) in self.checks.0.iter().zip(&mut self.found) {
            let violated = check.violated(batch)?;
            *count = count.saturating_add(violated.true_count() as u64);
            let shown =
                (0..batch.num_rows()).filter(|row| violated.value(*row)).take(EXAMPLES.saturating_sub(examples.len()));
            let columns: Vec<_> = keys.entities.iter().copied().chain([keys.index]).chain(check.columns()).collect();
            examples.extend(
                shown.map(|row| format!("row {} ({})", self.rows + row as u64 + 1, show(batch, row, &columns))),
            );
        }
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        Ok(())
    }

    /// Whether any row violates a check.
    #[must_use]
    pub fn any(&self) -> bool {
        self.found.iter().any(|(count, _)| *count > 0)
    }

    /// The refusal of such rows.
    ///
    /// # Errors
    /// `InvalidArgument` with count and first rows, when there are any.
    pub fn refuse(&self) -> Result<()> {
        let violated = self.checks.0.iter().zip(&self.found).find(|(_, (count, _))| *count > 0);
        let Some((check, (count, examples))) = violated else { return Ok(()) };
        Err(Error::invalid_argument(format!(
            "{count} {} the check '{}' ({}), first {}; nothing was appended; use on_violation := 'skip_rows' to leave such \
             rows out",
            if *count == 1 { "row violates" } else { "rows violate" },
            check.name,
            check.text,
            examples.join(", ")
        )))
    }
}

fn show(batch: &RecordBatch, row: usize, columns: &[usize]) -> String {
    let options = FormatOptions::new().with_null("NULL");
    let mut shown = Vec::new();
    for (i, at) in columns.iter().enumerate() {
        let Some(array) = batch.columns().get(*at).filter(|_| !columns.iter().take(i).any(|before| before == at))
        else {
            continue;
        };
        if let Ok(formatter) = ArrayFormatter::try_new(array.as_ref(), &options) {
            let schema = batch.schema();
            let name = schema.fields().get(*at).map_or("", |field| field.name().as_str());
            shown.push(format!("{name} {}", formatter.value(row)));
        }
    }
    shown.join(", ")
}

/// The columns that checks, index and entities need, with checks and places for just those: what is read of a file to check it.
///
/// # Errors
/// As [`Checks::of`].
pub fn needed(
    properties: &BTreeMap<String, String>,
    checks: &Checks,
    target: &Target,
) -> Result<(Target, Checks, Vec<WriteColumn>)> {
    let checked: Vec<usize> = checks.0.iter().flat_map(Check::columns).collect();
    let definition = &target.definition;
    let is_key =
        |name: &str| definition.entity_columns.iter().chain([&definition.index_column]).any(|key| same_name(key, name));
    let columns = target.schema.columns.iter().enumerate();
    let columns = columns.filter(|(at, column)| checked.contains(at) || is_key(&column.name));
    let schema = Schema { columns: columns.map(|(_, column)| column.clone()).collect() };
    let checks = Checks::of(properties, &schema)?;
    let target = Target { schema, ..target.clone() };
    let columns = write_columns(&target);
    Ok((target, checks, columns))
}
