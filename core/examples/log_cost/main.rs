//! What the log costs as it grows: appending to a table of 10,000 commits beside one of 100, opening one of 100,000, and the space that
//! log and coverage take. Run with `make bench-log`, in the directory that `TMPDIR` names; fails when a bound of the design is not kept.
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant as Clock},
};

use tstable_core::table::{cache::Cache, monitor::Unwatched, write::policy::AppendRequest};

mod grow;
#[allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub)]
#[path = "../../tests/safety/prices.rs"]
mod prices;

const SYMBOLS: [&str; 4] = ["AAPL", "MSFT", "NVDA", "TSLA"];
/// The tables that appends are compared on.
const FEW_COMMITS: u64 = 101;
const MANY_COMMITS: u64 = 10_001;
/// The table that is opened.
const ALL_COMMITS: u64 = 100_000;
/// Appends to each table whose median counts.
const SAMPLES: usize = 60;

const MOST_RATIO: f64 = 1.2;
const MOST_OPEN_MS: f64 = 150.0;
/// How much more a commit may take up among ten times as many.
const MOST_GROWTH: f64 = 1.2;

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

/// How an append meets its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// In a program that has appended to it before.
    Warm,
    /// In a program that has just started.
    Fresh,
    /// In a program that has just started, the log not in the system's memory.
    Cold,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.as_slice() {
        [] => judge(),
        [task, rest @ ..] => serve(task, rest).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// What this program does as a fresh process of its own: says how many microseconds the task took.
fn serve(task: &str, args: &[String]) -> Anything<()> {
    let start = Clock::now();
    match (task, args) {
        ("append", [root, file]) => append(&Cache::new(0), root, Path::new(file))?,
        ("open", [root]) => drop(Cache::new(0).latest(root)?),
        ("grow", [root, commits]) => grow::grow(root, commits.parse()?)?,
        _ => return Err("tasks are: append ROOT FILE, open ROOT, grow ROOT COMMITS".into()),
    }
    println!("{}", start.elapsed().as_micros());
    Ok(())
}

fn append(cache: &Cache, root: &str, file: &Path) -> Anything<()> {
    let (table, snapshot) = cache.latest(root)?;
    let request = AppendRequest { files: vec![file.to_owned()], ..AppendRequest::default() };
    let appended = table.append(&snapshot, &request, &Unwatched)?;
    cache.remember(root, &table, &appended.snapshot.state);
    Ok(())
}

fn in_a_fresh_process(args: &[&str]) -> Anything<Duration> {
    let output = Command::new(std::env::current_exe()?).args(args).output()?;
    let said = String::from_utf8(output.stdout)?;
    Ok(Duration::from_micros(said.trim().parse().map_err(|_| said)?))
}

/// Drops what the system holds of the log's files in memory, where it can be asked to.
fn forget(root: &str) -> Anything<()> {
    #[cfg(target_os = "linux")]
    for entry in fs::read_dir(Path::new(root).join("_timeseries_log"))? {
        let file = fs::File::open(entry?.path())?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

fn judge() -> Anything<bool> {
    let directory = tempfile::tempdir()?;
    let root = |name: &str| directory.path().join(name).display().to_string();
    let (few, many) = (root("few"), root("many"));
    grow::grow(&few, FEW_COMMITS - 1)?;
    grow::grow(&many, MANY_COMMITS - 1)?;
    let mut kept = true;
    for start in [Start::Warm, Start::Fresh, Start::Cold] {
        let (few, many) = append_times(&few, &many, start, directory.path())?;
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!(
            "append, {start:?}: {:.2} ms among {FEW_COMMITS} commits, {:.2} ms among {MANY_COMMITS}",
            milliseconds(few),
            milliseconds(many)
        );
        kept &= keeps(&format!("append, {start:?}, ratio"), ratio, MOST_RATIO);
    }
    let before = bytes_of_log(&many)? / MANY_COMMITS as f64;
    grow::grow(&many, ALL_COMMITS)?;
    let after = bytes_of_log(&many)? / ALL_COMMITS as f64;
    println!("log and coverage: {before:.0} bytes a commit among {MANY_COMMITS}, {after:.0} among {ALL_COMMITS}");
    kept &= keeps("space, growth of a commit's", after / before, MOST_GROWTH);
    for cold in [false, true] {
        let times = (0..9).map(|_| {
            if cold {
                forget(&many)?;
            }
            in_a_fresh_process(&["open", &many])
        });
        let open = median(times.collect::<Anything<_>>()?);
        let how = if cold { "not in memory" } else { "in memory" };
        kept &= keeps(&format!("open {ALL_COMMITS} commits, the log {how}, ms"), milliseconds(open), MOST_OPEN_MS);
    }
    Ok(kept)
}

fn keeps(what: &str, is: f64, most: f64) -> bool {
    println!("{} {what}: {is:.2} (at most {most})", if is <= most { "kept  " } else { "MISSED" });
    is <= most
}

/// The middle times of appends to the two tables, by turns, so that what else the machine does meets both.
fn append_times(few: &str, many: &str, start: Start, directory: &Path) -> Anything<(Duration, Duration)> {
    let cache = Cache::new(1 << 26);
    let mut times = (Vec::new(), Vec::new());
    for i in 0..=SAMPLES {
        // Hours that no other sample has.
        let hour = 1_000_000 * (start as i64 + 1) + i64::try_from(i)?;
        let file = prices::write_file(&directory.join("append.parquet"), &SYMBOLS, hour..hour + 1);
        for (root, times) in [(few, &mut times.0), (many, &mut times.1)] {
            let time = append_time(&cache, root, &file, start)?;
            // The first one is not warm yet.
            if i > 0 {
                times.push(time);
            }
        }
    }
    Ok((median(times.0), median(times.1)))
}

fn append_time(cache: &Cache, root: &str, file: &Path, start: Start) -> Anything<Duration> {
    if start == Start::Warm {
        let clock = Clock::now();
        append(cache, root, file)?;
        return Ok(clock.elapsed());
    }
    if start == Start::Cold {
        forget(root)?;
    }
    in_a_fresh_process(&["append", root, &file.display().to_string()])
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn bytes_of_log(root: &str) -> Anything<f64> {
    let mut sum = 0;
    for directory in ["_timeseries_log", "_coverage"] {
        for entry in fs::read_dir(Path::new(root).join(directory))? {
            sum += entry?.metadata()?.len();
        }
    }
    Ok(sum as f64)
}
