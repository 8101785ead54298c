//! Random tables and predicates: whatever is proven must be true of every row by the reference.

use super::{
    generator::{Generator, Random, count, table},
    reference::{Failure, Row},
};
use std::sync::Arc;

use crate::{
    prune::{Verdict, describe, entity_values, exact_range, expr::Expr, index_bounds, judge},
    time::Offsets,
};

/// The predicate with its casts and calls of points in time on a clock.
fn on_clock(expr: &Expr, clock: &Arc<Offsets>) -> Expr {
    let same = expr.with_parts(|part| on_clock(part, clock));
    let goes_by_clock = match &same {
        Expr::Cast { to, .. } => to.unit_nanos().is_some(),
        Expr::Function(..) => true,
        _ => false,
    };
    if goes_by_clock { Expr::OnClock(Arc::clone(clock), Box::new(same)) } else { same }
}

#[derive(Default)]
struct Tally {
    cases: u32,
    never: u32,
    truly_never: u32,
    always: u32,
    truly_always: u32,
    bounded: u32,
    exact: u32,
    entities: u32,
}

fn check(seed: u64, tally: &mut Tally) {
    let mut random = Random(seed);
    let (table, cluster) = table(&mut random);
    let offset = random.within(-56, 56) * 900_000_000;
    // Half of the sessions tell their clock.
    let clock = seed
        .is_multiple_of(2)
        .then(|| Offsets::learn("", |instant| instant.checked_add(offset)).map(Arc::new).unwrap());
    let ends = (random.chance(50), random.chance(50));
    for case in 0..8 {
        let depth = random.below(4);
        let predicate = Generator { random: &mut random, table: &table, cluster }.predicate(depth);
        let predicate = clock.iter().fold(predicate, |predicate, clock| on_clock(&predicate, clock));
        let context = || {
            let names: Vec<String> = (0..table.schema.len()).map(|column| format!("c{column}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (schema, stats) = (&table.schema, &table.stats);
            format!(
                "seed {seed} case {case} offset {offset} ends {ends:?}\n{}\n{predicate:?}\n{schema:?}\n{:?}\n{stats:?}",
                describe(&predicate, &names),
                table.rows
            )
        };
        let truths: Vec<_> = table
            .rows
            .iter()
            .map(|values| Row { values, schema: &table.schema, offset, ends }.truth(&predicate))
            .collect();
        let verdict = judge(&predicate, &table.schema, &table);
        let true_rows = truths.iter().filter(|truth| **truth == Ok(Some(true))).count();
        tally.cases += 1;
        tally.never += u32::from(verdict == Verdict::Never);
        tally.truly_never += u32::from(true_rows == 0);
        tally.always += u32::from(verdict == Verdict::Always);
        tally.truly_always += u32::from(true_rows == truths.len());
        match verdict {
            Verdict::Never => assert_eq!(true_rows, 0, "skipped rows of {}", context()),
            Verdict::Always => {
                let beyond = truths.iter().filter(|truth| **truth == Err(Failure::Beyond)).count();
                assert_eq!(true_rows + beyond, truths.len(), "kept too many of {}", context());
            }
            Verdict::Maybe => {}
        }
        let bounds = index_bounds(&predicate, table.index, &table.schema);
        let exact = exact_range(&predicate, table.index, &table.schema);
        let entities = entity_values(&predicate, 4, &table.schema);
        tally.bounded += u32::from(!bounds.is_all());
        tally.exact += u32::from(exact.is_some());
        tally.entities += u32::from(entities.is_some());
        for (row, truth) in table.rows.iter().zip(&truths) {
            let satisfied = *truth == Ok(Some(true));
            let at = count(&row[table.index]);
            let within = at.map_or(bounds.is_all(), |at| bounds.contains(at));
            assert!(within || !satisfied, "{at:?} is outside {bounds:?} of {}", context());
            // Rows so far away that a cast overflows: an error in the host.
            let raised = *truth == Err(Failure::Raised);
            if let Some(range) = exact.filter(|_| !raised) {
                assert_eq!(at.is_some_and(|at| range.contains(at)), satisfied, "{at:?} {range:?} of {}", context());
            }
            if let Some(values) = &entities {
                assert!(!satisfied || values.contains(&row[4]), "{values:?} of {}", context());
            }
        }
    }
}

#[test]
fn what_is_proven_holds_for_every_row_of_random_tables() {
    let tables: u64 = std::env::var("TSTABLE_PRUNE_TABLES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    let mut tally = Tally::default();
    for seed in 0..tables {
        check(seed, &mut tally);
    }
    let Tally { cases, never, truly_never, always, truly_always, bounded, exact, entities } = tally;
    eprintln!(
        "{cases} predicates: never {never} of {truly_never}, always {always} of {truly_always}, bounded {bounded}, \
         exact {exact}, entities {entities}"
    );
    assert!(never * 2 > truly_never, "few of the provable are proven: {never} of {truly_never}");
    assert!(always * 3 > truly_always, "few of the provable are proven: {always} of {truly_always}");
    assert!(bounded * 20 > cases && exact * 200 > cases && entities * 200 > cases, "{bounded} {exact} {entities}");
}
