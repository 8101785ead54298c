//! Tests of integers as arrays.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use arrow::array::Array;

use super::integers;
use crate::schema::{ColumnType, Strings, TimeUnit};

fn types() -> Vec<ColumnType> {
    let units = [TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns];
    let mut types = vec![
        ColumnType::TinyInt,
        ColumnType::SmallInt,
        ColumnType::Integer,
        ColumnType::BigInt,
        ColumnType::UTinyInt,
        ColumnType::USmallInt,
        ColumnType::UInteger,
        ColumnType::UBigInt,
        ColumnType::Date,
    ];
    types.extend(units.into_iter().flat_map(|unit| [ColumnType::Timestamp(unit), ColumnType::TimestampTz(unit)]));
    types
}

#[test]
fn an_array_of_integers_has_the_arrow_type_of_its_column_and_reads_back() {
    for ty in types() {
        let array = ty.array_of([Some(7), None, Some(100)]).unwrap();
        assert_eq!(*array.data_type(), ty.arrow(Strings::Plain));
        assert_eq!((array.len(), array.null_count(), array.is_null(1)), (3, 1, true), "{ty}");
        let read = integers(array.as_ref()).unwrap();
        assert_eq!((read[0], read[2]), (7, 100), "{ty}");
    }
    for ty in [ColumnType::HugeInt, ColumnType::Decimal { precision: 9, scale: 2 }, ColumnType::TimeTz(TimeUnit::Ms)] {
        assert_eq!(*ty.array_of([Some(7)]).unwrap().data_type(), ty.arrow(Strings::Plain));
    }
    assert!(ColumnType::Varchar.array_of([Some(7)]).is_none());
}

#[test]
fn what_a_type_cannot_store_becomes_its_nearest_value() {
    let ends = |ty: &ColumnType| integers(ty.array_of([Some(i128::MIN), Some(i128::MAX)]).unwrap().as_ref()).unwrap();
    assert_eq!(ends(&ColumnType::TinyInt), [-128, 127]);
    assert_eq!(ends(&ColumnType::UInteger), [0, u32::MAX.into()]);
    assert_eq!(ends(&ColumnType::UBigInt), [0, u64::MAX.into()]);
    assert_eq!(ends(&ColumnType::Date), [i32::MIN.into(), i32::MAX.into()]);
    assert_eq!(ends(&ColumnType::Timestamp(TimeUnit::Us)), [i64::MIN.into(), i64::MAX.into()]);
}

#[test]
fn a_repeated_integer_must_fit() {
    assert_eq!(integers(ColumnType::TinyInt.repeated(-128, 2).unwrap().as_ref()).unwrap(), [-128, -128]);
    assert!(ColumnType::TinyInt.repeated(128, 2).is_none());
    assert!(ColumnType::Date.repeated(1 << 31, 2).is_none());
    assert!(ColumnType::UBigInt.repeated(-1, 0).is_none());
}
