//! Arrays written into vectors of a host made of plain memory, and read back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, FixedSizeBinaryArray, Float64Array,
        Int32Array, Int64Array, LargeStringArray, ListArray, StringArray, StringViewArray, StructArray,
        Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field as ArrowField, Int32Type},
};
use tstable_core::{
    Result,
    schema::{ColumnType, Field, TimeUnit},
};

use super::{RawVector, Source, StringTable, View, read, single_text, strings::INLINE_BYTES, write, write_nulls};

const ROOM: usize = 4096;

/// A vector of up to 16 bytes a row. Children come into being as they are asked for.
struct Memory {
    data: RefCell<Vec<u128>>,
    validity: RefCell<Vec<u64>>,
    children: RefCell<Vec<&'static Memory>>,
    nanoseconds: bool,
    allocations: Cell<usize>,
    elements: Cell<usize>,
}

/// Vectors are leaked: the tests are short and DuckDB's are not owned by us either.
fn memory() -> &'static Memory {
    memory_of(true)
}

fn memory_of(nanoseconds: bool) -> &'static Memory {
    Box::leak(Box::new(Memory {
        data: RefCell::new(vec![u128::MAX; ROOM]),
        validity: RefCell::new(vec![u64::MAX; ROOM / 64]),
        children: RefCell::default(),
        nanoseconds,
        allocations: Cell::new(0),
        elements: Cell::new(0),
    }))
}

impl Memory {
    fn child(&self, index: usize) -> &'static Memory {
        let mut children = self.children.borrow_mut();
        while children.len() <= index {
            children.push(memory_of(self.nanoseconds));
        }
        children[index]
    }

    fn view(&self, rows: usize) -> View {
        View {
            data: self.data.borrow_mut().as_mut_ptr().cast(),
            validity: self.validity.borrow().as_ptr(),
            selection: std::ptr::null(),
            rows,
        }
    }

    /// The rows as an array; `ty` says how wide they are.
    fn read(&self, ty: &ColumnType, rows: usize) -> ArrayRef {
        // SAFETY: the memory has room for `rows` rows of 16 bytes and a validity bit for each.
        unsafe { read(ty, &self.view(rows)) }.unwrap()
    }

    fn valid(&self, row: usize) -> bool {
        self.validity.borrow()[row / 64] >> (row % 64) & 1 == 1
    }

    /// Row `row` of rows as wide as `T`.
    fn at<T: Copy>(&self, row: usize) -> T {
        assert!((row + 1) * size_of::<T>() <= ROOM * 16);
        // SAFETY: checked above; the tests ask for plain numbers only.
        unsafe { self.data.borrow().as_ptr().cast::<T>().add(row).read_unaligned() }
    }
}

impl RawVector for &'static Memory {
    fn data(self) -> Result<*mut u8> {
        Ok(self.data.borrow_mut().as_mut_ptr().cast())
    }

    fn validity(self) -> Result<*mut u64> {
        Ok(self.validity.borrow_mut().as_mut_ptr())
    }

    fn counts_nanoseconds(self) -> bool {
        self.nanoseconds
    }

    fn elements(self, count: usize) -> Result<Self> {
        assert!(count <= ROOM, "{count} elements were asked for");
        self.elements.set(count);
        Ok(self.child(0))
    }

    fn field(self, index: usize, _rows: usize) -> Result<Self> {
        Ok(self.child(index))
    }

    fn allocate(self, bytes: usize) -> Result<*mut u8> {
        assert!(bytes > INLINE_BYTES, "short strings need no memory");
        self.allocations.set(self.allocations.get() + 1);
        let place: &'static mut [u8] = Box::leak(vec![0; bytes].into_boxed_slice());
        Ok(place.as_mut_ptr())
    }
}

fn texts(rows: usize) -> StringArray {
    (0..rows)
        .map(|row| match row % 4 {
            0 => Some(String::new()),
            1 => None,
            2 => Some(format!("{row:012}")),
            _ => Some(format!("longer than {INLINE_BYTES} bytes: {row}")),
        })
        .collect()
}

fn written(ty: &ColumnType, array: &dyn Array, offset: usize, len: usize) -> &'static Memory {
    let vector = memory();
    write(vector, ty, Source::new(array, offset, len).unwrap(), None).unwrap();
    vector
}

#[test]
fn fixed_widths_arrive_unchanged_from_any_offset() {
    let array = Int64Array::from_iter((0..500).map(|row| (row % 5 != 0).then_some(row * -3)));
    let vector = written(&ColumnType::BigInt, &array, 77, 301);
    assert_eq!(vector.read(&ColumnType::BigInt, 301).as_ref(), &array.slice(77, 301));

    let flags = BooleanArray::from_iter((0..200).map(|row| (row % 7 != 0).then_some(row % 3 == 0)));
    let vector = written(&ColumnType::Boolean, &flags, 13, 150);
    assert_eq!(vector.read(&ColumnType::Boolean, 150).as_ref(), &flags.slice(13, 150));

    let doubles = Float64Array::from(vec![1.5, f64::INFINITY, -0.0]);
    let vector = written(&ColumnType::Double, &doubles, 0, 3);
    assert_eq!(vector.read(&ColumnType::Double, 3).as_ref(), &doubles);
}

#[test]
fn strings_of_any_length_arrive_and_long_ones_are_copied_at_once() {
    let array = texts(300);
    let vector = written(&ColumnType::Varchar, &array, 21, 200);
    assert_eq!(vector.read(&ColumnType::Varchar, 200).as_ref(), &array.slice(21, 200));
    assert_eq!(vector.allocations.get(), 1);
}

#[test]
fn views_and_large_strings_arrive_too() {
    let array = texts(100);
    let views: ArrayRef = Arc::new(array.iter().collect::<StringViewArray>());
    let large: ArrayRef = Arc::new(array.iter().collect::<LargeStringArray>());
    for other in [views, large] {
        let vector = written(&ColumnType::Varchar, &other, 7, 90);
        assert_eq!(vector.read(&ColumnType::Varchar, 90).as_ref(), &array.slice(7, 90));
    }
}

#[test]
fn a_dictionary_makes_its_strings_once_and_copies_long_ones_once_a_chunk() {
    let values = ["short", "a value that is longer than twelve", "another one of the long values", "twelve bytes"];
    let keys = Int32Array::from_iter((0..1000).map(|row| (row % 11 != 3).then_some(row % 4)));
    let array = DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from_iter_values(values)));
    let plain: StringArray = array.downcast_dict::<StringArray>().unwrap().into_iter().collect();
    let mut table = StringTable::default();
    for (offset, len) in [(0, 400), (400, 400), (800, 200)] {
        let vector = memory();
        let source = Source::new(&array, offset, len).unwrap();
        write(vector, &ColumnType::Varchar, source, Some(&mut table)).unwrap();
        assert_eq!(vector.read(&ColumnType::Varchar, len).as_ref(), &plain.slice(offset, len));
        assert_eq!(vector.allocations.get(), 2);
    }
}

#[test]
fn a_table_notices_another_dictionary() {
    let make = |words: [&str; 2]| -> DictionaryArray<Int32Type> {
        let values = Arc::new(StringArray::from_iter_values(words));
        DictionaryArray::new(Int32Array::from(vec![0, 1, 1]), values)
    };
    let mut table = StringTable::default();
    for words in [["a", "b"], ["c", "d"], ["a", "b"]] {
        let vector = memory();
        let array = make(words);
        write(vector, &ColumnType::Varchar, Source::new(&array, 0, 3).unwrap(), Some(&mut table)).unwrap();
        let expected = StringArray::from_iter_values([words[0], words[1], words[1]]);
        assert_eq!(vector.read(&ColumnType::Varchar, 3).as_ref(), &expected);
    }
}

#[test]
fn a_null_among_the_values_of_a_dictionary_is_null_in_the_rows() {
    let values = StringArray::from(vec![Some("x"), None]);
    let array = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![1, 0, 1]), Arc::new(values));
    let vector = memory();
    let mut table = StringTable::default();
    write(vector, &ColumnType::Varchar, Source::new(&array, 0, 3).unwrap(), Some(&mut table)).unwrap();
    assert_eq!(vector.read(&ColumnType::Varchar, 3).as_ref(), &StringArray::from(vec![None, Some("x"), None]));
    assert_eq!(single_text(&array, 0, 1), None);
}

#[test]
fn a_run_of_one_string_is_seen_only_where_it_is_one() {
    let keys = Int32Array::from(vec![Some(0), Some(0), Some(0), Some(1), None]);
    let array = DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from_iter_values(["x", "y"])));
    assert_eq!(single_text(&array, 0, 3), Some("x"));
    assert_eq!(single_text(&array, 3, 1), Some("y"));
    assert_eq!(single_text(&array, 2, 2), None);
    assert_eq!(single_text(&array, 3, 2), None);
    assert_eq!(single_text(&array, 0, 0), None);
    assert_eq!(single_text(&texts(3), 0, 3), None);
}

#[test]
fn lists_are_written_from_their_own_elements_only() {
    let element = Arc::new(ArrowField::new("element", DataType::Int32, true));
    let lengths = (0..1000).map(|row| row % 3);
    let values = Int32Array::from_iter((0..999).map(|value| (value % 5 != 0).then_some(value)));
    let nulls = NullBuffer::from_iter((0..1000).map(|row| row % 4 != 0));
    let array = ListArray::new(element, OffsetBuffer::from_lengths(lengths), Arc::new(values), Some(nulls));
    let ty = ColumnType::List(Box::new(Field::new("element", ColumnType::Integer)));
    let vector = written(&ty, &array, 300, 200);
    assert_eq!(vector.elements.get(), 199, "elements before and after the rows are left alone");
    let elements = vector.child(0).read(&ColumnType::Integer, 199);
    for row in 0..200 {
        let [offset, length] = vector.at::<[u64; 2]>(row).map(|value| usize::try_from(value).unwrap());
        assert_eq!(vector.valid(row), array.is_valid(300 + row));
        if vector.valid(row) {
            assert_eq!(&elements.slice(offset, length), &array.value(300 + row), "row {row}");
        }
    }
}

#[test]
fn the_fields_of_a_null_struct_are_null() {
    let x = ArrowField::new("x", DataType::Int64, true);
    let y = ArrowField::new("y", DataType::Utf8, true);
    let inner = StructArray::new(
        vec![x.clone(), y.clone()].into(),
        vec![
            Arc::new(Int64Array::from(vec![Some(1), Some(2), None])),
            Arc::new(StringArray::from(vec!["a", "b", "c"])),
        ],
        None,
    );
    let outer = StructArray::new(
        vec![ArrowField::new("in", inner.data_type().clone(), true)].into(),
        vec![Arc::new(inner)],
        Some(NullBuffer::from(vec![true, false, true])),
    );
    let inner = ColumnType::Struct(vec![Field::new("x", ColumnType::BigInt), Field::new("y", ColumnType::Varchar)]);
    let vector = written(&ColumnType::Struct(vec![Field::new("in", inner)]), &outer, 0, 3);
    let inner = vector.child(0);
    assert_eq!([0, 1, 2].map(|row| vector.valid(row)), [true, false, true]);
    assert_eq!([0, 1, 2].map(|row| inner.valid(row)), [true, false, true]);
    assert_eq!([0, 1, 2].map(|row| inner.child(0).valid(row)), [true, false, false]);
    assert_eq!([0, 1, 2].map(|row| inner.child(1).valid(row)), [true, false, true]);
}

#[test]
fn decimals_take_the_width_that_duckdb_stores() {
    let values = vec![Some(-12), None, Some(99)];
    for precision in [4, 9, 18, 38] {
        let array = Decimal128Array::from(values.clone()).with_precision_and_scale(precision, 2).unwrap();
        let vector = written(&ColumnType::Decimal { precision, scale: 2 }, &array, 0, 3);
        let read = |row| match precision {
            4 => i128::from(vector.at::<i16>(row)),
            9 => i128::from(vector.at::<i32>(row)),
            18 => i128::from(vector.at::<i64>(row)),
            _ => vector.at::<i128>(row),
        };
        assert_eq!((read(0), vector.valid(1), read(2)), (-12, false, 99));
    }
}

#[test]
fn milliseconds_beyond_microseconds_are_an_error_that_names_them_unless_null() {
    let ty = ColumnType::Timestamp(TimeUnit::Ms);
    let far = TimestampMillisecondArray::from(vec![5, i64::MAX - 1]);
    let failure = write(memory(), &ty, Source::new(&far, 0, 2).unwrap(), None).unwrap_err();
    assert!(
        failure.to_string().contains("9223372036854775806 is outside the range of DuckDB's TIMESTAMP"),
        "{failure}"
    );
    let hidden =
        TimestampMillisecondArray::new(vec![5, i64::MAX - 1].into(), Some(NullBuffer::from(vec![true, false])));
    let vector = written(&ty, &hidden, 0, 2);
    assert_eq!((vector.at::<i64>(0), vector.valid(1)), (5000, false));
}

#[test]
fn instants_before_the_years_of_duckdb_are_an_error_in_nested_columns_too_unless_null() {
    let far = TimestampMicrosecondArray::from(vec![5, i64::MIN + 9]);
    let fields = vec![Field { name: "a".to_owned(), ty: ColumnType::Timestamp(TimeUnit::Us), nullable: true }];
    let structs = StructArray::try_new(
        vec![ArrowField::new("a", far.data_type().clone(), true)].into(),
        vec![Arc::new(far.clone())],
        None,
    );
    for (ty, array) in [
        (ColumnType::Timestamp(TimeUnit::Us), Arc::new(far.clone()) as ArrayRef),
        (ColumnType::TimestampTz(TimeUnit::Us), Arc::new(far.with_timezone("UTC"))),
        (ColumnType::Struct(fields), Arc::new(structs.unwrap())),
    ] {
        let failure = write(memory(), &ty, Source::new(&array, 0, 2).unwrap(), None).unwrap_err();
        assert!(
            failure.to_string().contains("-9223372036854775799 is outside the range of DuckDB's TIMESTAMP"),
            "{failure}"
        );
    }
    let hidden = TimestampMicrosecondArray::new(vec![5, i64::MIN].into(), Some(NullBuffer::from(vec![true, false])));
    let vector = written(&ColumnType::Timestamp(TimeUnit::Us), &hidden, 0, 2);
    assert_eq!((vector.at::<i64>(0), vector.valid(1)), (5, false));
}

#[test]
fn infinities_are_the_same_in_every_unit() {
    let ends = TimestampMillisecondArray::from(vec![i64::MAX, -i64::MAX]);
    let vector = written(&ColumnType::Timestamp(TimeUnit::Ms), &ends, 0, 2);
    assert_eq!((vector.at::<i64>(0), vector.at::<i64>(1)), (i64::MAX, -i64::MAX));
    let zoned = written(&ColumnType::TimestampTz(TimeUnit::Ms), &ends.with_timezone("UTC"), 0, 2);
    assert_eq!((zoned.at::<i64>(0), zoned.at::<i64>(1)), (i64::MAX, -i64::MAX));
}

#[test]
fn nanoseconds_go_to_the_microsecond_before_where_the_host_has_no_finer_type() {
    let moments = TimestampNanosecondArray::from(vec![-1, 1_999]).with_timezone("UTC");
    let times = Time64NanosecondArray::from(vec![0, 1_999]);
    let zoned = ColumnType::TimestampTz(TimeUnit::Ns);
    for (nanoseconds, expected) in [(true, [-1, 1_999, 1_999]), (false, [-1, 1, 1])] {
        let (stamps, hours) = (memory_of(nanoseconds), memory_of(nanoseconds));
        write(stamps, &zoned, Source::new(&moments, 0, 2).unwrap(), None).unwrap();
        write(hours, &ColumnType::Time(TimeUnit::Ns), Source::new(&times, 0, 2).unwrap(), None).unwrap();
        assert_eq!([stamps.at::<i64>(0), stamps.at(1), hours.at(1)], expected);
    }
}

#[test]
fn a_uuid_orders_as_a_signed_number() {
    let bytes: [u8; 16] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    let array = FixedSizeBinaryArray::try_from_iter([bytes, [0; 16]].into_iter()).unwrap();
    let vector = written(&ColumnType::Uuid, &array, 0, 2);
    assert_eq!(vector.at::<i128>(0), i128::from_be_bytes(bytes) ^ i128::MIN);
    assert_eq!(vector.at::<i128>(1), i128::MIN);
}

#[test]
fn nulls_of_a_struct_reach_its_fields() {
    let ty = ColumnType::Struct(vec![Field::new("x", ColumnType::BigInt)]);
    let vector = memory();
    write_nulls(vector, &ty, 70).unwrap();
    assert!((0..70).all(|row| !vector.valid(row) && !vector.child(0).valid(row)));
    assert!(vector.valid(70));
}

#[test]
fn another_type_than_the_columns_is_refused() {
    let array = Int64Array::from(vec![1]);
    for ty in [ColumnType::Integer, ColumnType::Varchar, ColumnType::Boolean, ColumnType::Uuid, ColumnType::Interval] {
        let failure = write(memory(), &ty, Source::new(&array, 0, 1).unwrap(), None).unwrap_err();
        assert!(failure.to_string().contains("was delivered as Arrow's Int64"), "{failure}");
    }
}

#[test]
fn rows_beyond_the_array_are_refused() {
    let array = Int64Array::from(vec![1, 2, 3]);
    assert!(Source::new(&array, 1, 2).is_ok());
    assert!(Source::new(&array, 2, 2).is_err());
    assert!(Source::new(&array, usize::MAX, 2).is_err());
}
