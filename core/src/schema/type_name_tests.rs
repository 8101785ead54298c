#![allow(clippy::unwrap_used)]

use super::parse;
use crate::{
    error::ErrorKind,
    schema::{ColumnType as T, Field, TimeUnit},
};

#[test]
fn a_type_reads_back_as_it_displays() {
    let nested = T::List(Box::new(Field::new(
        "element",
        T::Struct(vec![
            Field::new("a b", T::Uuid),
            Field::new("c", T::List(Box::new(Field::new("element", T::Interval)))),
        ]),
    )));
    let map = T::Map(
        Box::new(Field { name: "key".to_owned(), ty: T::Varchar, nullable: false }),
        Box::new(Field::new("value", T::Decimal { precision: 38, scale: 10 })),
    );
    let scalars = [
        T::Boolean,
        T::TinyInt,
        T::SmallInt,
        T::Integer,
        T::BigInt,
        T::UTinyInt,
        T::USmallInt,
        T::UInteger,
        T::UBigInt,
        T::Float,
        T::Double,
        T::Varchar,
        T::Blob,
        T::Date,
        T::Time(TimeUnit::Us),
        T::Time(TimeUnit::Ns),
        T::TimeTz(TimeUnit::Us),
        T::Timestamp(TimeUnit::Us),
        T::Timestamp(TimeUnit::Ns),
        T::TimestampTz(TimeUnit::Us),
        T::Interval,
        T::Uuid,
    ];
    for ty in scalars.into_iter().chain([nested, map]) {
        assert_eq!(parse(&ty.to_string()).unwrap(), ty, "{ty}");
    }
}

#[test]
fn case_spaces_and_other_names_do_not_matter() {
    assert_eq!(parse(" double  precision ").unwrap(), T::Double);
    assert_eq!(parse("Decimal( 9 , 2 )").unwrap(), T::Decimal { precision: 9, scale: 2 });
    assert_eq!(parse("numeric").unwrap(), T::Decimal { precision: 18, scale: 3 });
    assert_eq!(parse("timestamp without time zone").unwrap(), T::Timestamp(TimeUnit::Us));
    assert_eq!(parse("timestamptz").unwrap(), T::TimestampTz(TimeUnit::Us));
    assert_eq!(parse("varchar(20)").unwrap(), T::Varchar);
    assert_eq!(parse("int4").unwrap(), T::Integer);
}

#[test]
fn what_is_no_type_of_a_column_is_refused() {
    let texts = [
        "",
        "money",
        "DECIMAL(39,0)",
        "DECIMAL(4,5)",
        "INTEGER[3]",
        "STRUCT()",
        "STRUCT(a)",
        "STRUCT(a INT, A INT)",
        "MAP(INT)",
        "INT INT",
        "HUGEINT",
        "TIMESTAMP_S",
        "ENUM('a')",
        "STRUCT(\"a INT)",
        "DECIMAL(",
        "INTEGER]",
    ];
    for text in texts {
        assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::InvalidArgument, "{text}");
    }
    assert_eq!(
        parse(&format!("{}INT{}", "STRUCT(a ".repeat(100), ")".repeat(100))).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}
