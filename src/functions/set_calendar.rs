//! `tstable_set_calendar`: says when data is expected, by sessions or by exact windows, for a table or for entities of it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tstable_core::{
    Error, Result,
    calendar::Calendar,
    log::Version,
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
    table::{Snapshot, windows_file::read_windows},
    time::{IndexValue, format_value},
};

use super::{
    Shared,
    answer::{Answer, Change},
    arguments::EXPECTED_VERSION,
    entity_argument::resolve,
    literal::show,
    report::Cell,
};
use crate::host::{Arg, Args, Bound, Param, ParamType, Session, Signature, TableFunction};

pub(crate) struct SetCalendar(pub(crate) Arc<Shared>);

impl TableFunction for SetCalendar {
    fn signature(&self) -> Signature {
        Signature {
            name: "tstable_set_calendar",
            positional: &[Param { name: "root", ty: ParamType::Varchar }],
            named: &[
                Param { name: "sessions", ty: ParamType::Varchar },
                Param { name: "holidays", ty: ParamType::Any },
                Param { name: "early_closes", ty: ParamType::Any },
                Param { name: "timezone", ty: ParamType::Varchar },
                Param { name: "windows", ty: ParamType::Varchar },
                Param { name: "entity", ty: ParamType::Any },
                EXPECTED_VERSION,
            ],
            description: "Says when data is expected: coverage and gaps leave the rest out.",
            example: "CALL tstable_set_calendar('prices', sessions := 'Mon-Fri 09:30-16:00', timezone := 'America/New_York')",
            projects: false,
            filters: false,
        }
    }

    fn bind(&self, session: &dyn Session, args: Args) -> Result<Arc<dyn Bound>> {
        let change = Change::of(&self.0, session, &args)?;
        let wanted = Wanted::of(session, &args)?;
        let (root, entities) = (change.root.clone(), args.entities()?);
        let answer = Answer::new()
            .text("root", move |_| Cell::text(&root))
            .count("version", |set: &Set| set.version.0)
            .text("calendar", |set| Cell::maybe(set.calendar.as_ref(), |calendar| Cell::text(describe(calendar))))
            .maybe_count("entities", |set| (set.entities > 0).then_some(set.entities));
        Ok(change.bound(answer, move |table, snapshot, _| {
            let calendar = wanted.calendar(snapshot)?;
            let entities = resolve(snapshot, &entities)?;
            let changed = table.set_calendar(snapshot, &entities, calendar.as_ref(), None)?;
            let version = changed.snapshot.state.version;
            Ok((changed, [Set { version, calendar, entities: entities.len() as u64 }]))
        }))
    }
}

/// What the call did.
struct Set {
    version: Version,
    calendar: Option<Calendar>,
    /// How many entities it is the calendar of; none when of all.
    entities: u64,
}

/// What the call asks for.
enum Wanted {
    /// Everything is expected.
    Nothing,
    Sessions(Box<Calendar>),
    /// The windows of a file, which is read when the call runs.
    Windows(String),
}

impl Wanted {
    fn of(session: &dyn Session, args: &Args) -> Result<Self> {
        let given = |name: &&str| args.named(name).is_some();
        if let Some(windows) = args.path(session, "windows")? {
            let other = ["sessions", "holidays", "early_closes", "timezone"].into_iter().find(given);
            return match other {
                None => Ok(Self::Windows(windows)),
                Some(other) => Err(Error::invalid_argument(format!("windows and {other} cannot be given together"))),
            };
        }
        let Some(sessions) = args.text("sessions")? else {
            let orphan = ["holidays", "early_closes", "timezone"].into_iter().find(given);
            return match orphan {
                None => Ok(Self::Nothing),
                Some(orphan) => Err(Error::invalid_argument(format!(
                    "{orphan} needs sessions, as in sessions := 'Mon-Fri 09:30-16:00'"
                ))),
            };
        };
        let holidays = args.named("holidays").map(dates).transpose()?.unwrap_or_default();
        let early = args.named("early_closes").map(early_closes).transpose()?.unwrap_or_default();
        let calendar = Calendar::of_sessions(sessions, holidays, early, args.text("timezone")?)?;
        Ok(Self::Sessions(Box::new(calendar)))
    }

    fn calendar(&self, snapshot: &Snapshot) -> Result<Option<Calendar>> {
        Ok(match self {
            Self::Nothing => None,
            Self::Sessions(calendar) => Some(calendar.as_ref().clone()),
            Self::Windows(path) => {
                let windows =
                    read_windows(Path::new(path), snapshot.index_type()?).map_err(|e| e.with("file", path))?;
                Some(Calendar::of_windows(windows)?)
            }
        })
    }
}

fn describe(calendar: &Calendar) -> String {
    let Some(sessions) = &calendar.sessions else { return format!("{} windows", calendar.windows.len()) };
    let mut text = sessions.clone();
    if let Some(zone) = &calendar.timezone {
        text.push(' ');
        text.push_str(zone);
    }
    let mut add = |count: usize, what: &str| {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    };
    add(calendar.holidays.len(), "holidays");
    add(calendar.early_closes.len(), "early closes");
    text
}

fn dates(arg: &Arg) -> Result<Vec<String>> {
    match arg {
        Arg::List(items) => items.iter().map(|item| date("holidays", item)).collect(),
        other => Ok(vec![date("holidays", other)?]),
    }
}

/// A DATE, a TIMESTAMP at midnight or a text as `2024-12-25`.
fn date(name: &str, arg: &Arg) -> Result<String> {
    let text = match arg {
        Arg::Scalar(Constant::Temporal(ColumnType::Date, days)) => {
            format_value(IndexValue(i128::from(*days)), &ColumnType::Date)
        }
        Arg::Scalar(Constant::Temporal(ty @ ColumnType::Timestamp(unit), value)) => {
            let nanos = i128::from(*value) * i128::from(unit.nanos());
            match nanos.rem_euclid(86_400 * i128::from(TimeUnit::S.nanos())) {
                0 => format_value(IndexValue(i128::from(*value)), ty).get(..10).unwrap_or_default().to_owned(),
                _ => return Err(Error::invalid_argument(format!("{name} holds {}, which is not a date", show(arg)))),
            }
        }
        Arg::Scalar(Constant::Text(text)) => text.trim().to_owned(),
        other => return Err(Error::invalid_argument(format!("{name} holds {}, which is not a date", show(other)))),
    };
    Ok(text)
}

fn early_closes(arg: &Arg) -> Result<BTreeMap<String, String>> {
    let hours = |date: &str, value: &Arg| match value {
        Arg::Scalar(Constant::Text(text)) => Ok(text.clone()),
        other => Err(Error::invalid_argument(format!(
            "early_closes of {date} is {}; give the day's sessions, as in '09:30-13:00'",
            show(other)
        ))),
    };
    let days = arg.entries_by("early_closes", "{'2024-11-29': '09:30-13:00'}", |key| date("early_closes", key))?;
    days.into_iter().map(|(date, value)| Ok((date.clone(), hours(&date, value)?))).collect()
}
