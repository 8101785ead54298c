//! Times coverage on 5,000 entities with a year of one-minute buckets and 0.1 % holes: building, counting, gaps, bytes,
//! overlap and the cursor. Run with `cargo run --release -p tstable-core --example coverage_speed`.
#![allow(clippy::print_stdout)]

use std::{error::Error, hint::black_box, time::Instant};

use tstable_core::{
    coverage::{Coverage, CoverageBuilder, Entity, EntityPart, MAX_BUCKETS},
    schema::{ColumnType, TimeUnit},
    time::{BucketId, BucketWidth, Grid},
};

const ENTITIES: i64 = 5_000;
const MINUTES_PER_YEAR: i64 = 525_600;
const FIRST_MINUTE: i64 = 28_401_120;

fn main() -> Result<(), Box<dyn Error>> {
    let coverage = timed("build from rows with slots (2.6 G rows)", build)?;
    let count = timed("count every entity", || coverage.buckets());
    let (first, last) = (BucketId(FIRST_MINUTE), BucketId(FIRST_MINUTE + MINUTES_PER_YEAR - 1));
    let counted = timed("count every entity in a window", || -> u64 {
        coverage.iter().map(|(_, set)| set.count_in(first, last)).sum()
    });
    let (gaps, missing) = timed("iterate every gap", || {
        coverage
            .iter()
            .flat_map(|(_, set)| set.gaps_in(first, last))
            .fold((0_u64, 0_u64), |(gaps, missing), gap| (gaps + 1, missing + gap.buckets()))
    });
    println!("{count} buckets ({counted} in the window), {gaps} gaps of {missing} buckets");
    let bytes = timed("to_bytes", || coverage.to_bytes());
    println!("{} bytes", bytes.len());
    let again = timed("from_bytes", || Coverage::from_bytes(&bytes, MAX_BUCKETS))?;
    println!("equal: {}", again == coverage);
    let shared = timed("overlap with itself", || coverage.overlap(&again));
    println!("{} buckets in common", shared.count);
    timed("union with itself", || {
        let mut union = coverage.clone();
        union.union_with(&again);
        union.buckets()
    });
    cursor()
}

fn build() -> tstable_core::Result<Coverage> {
    let mut builder = CoverageBuilder::new();
    let mut random = 88_172_645_463_325_252_u64;
    for number in 0..ENTITIES {
        let entity: Entity = [EntityPart::from(format!("S{number:05}").as_str())].into_iter().collect();
        let slot = builder.slot(&entity);
        for minute in 0..MINUTES_PER_YEAR {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if !random.is_multiple_of(1_000) {
                builder.cover(slot, BucketId(FIRST_MINUTE + minute))?;
            }
        }
    }
    builder.finish()
}

fn cursor() -> Result<(), Box<dyn Error>> {
    let ty = ColumnType::TimestampTz(TimeUnit::Us);
    for (width, zone) in [("1h", None), ("1d", Some("America/New_York")), ("1mo", None)] {
        let grid = Grid::new(&BucketWidth::parse(width)?, &ty, zone, None)?;
        let label = format!("cursor over 250,000 sorted rows, {width} {}", zone.unwrap_or_default());
        timed(&label, || -> tstable_core::Result<i64> {
            let mut cursor = grid.cursor();
            let mut sum = 0_i64;
            for row in 0..250_000_i64 {
                sum = sum.wrapping_add(cursor.bucket_of(black_box(1_704_067_200_000_000 + row * 1_000_000))?.0);
            }
            Ok(sum)
        })?;
    }
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = black_box(work());
    println!("{:>10.2} ms  {what}", start.elapsed().as_secs_f64() * 1_000.0);
    result
}
