//! Files that are not Parquet, cut or damaged: an error of the right kind that names the file, never a panic, and never
//! silence where the file carries checksums.

use std::panic::catch_unwind;

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaDataReader;
use proptest::prelude::*;
use tstable_core::{
    ErrorKind, Result,
    schema::Strings,
    segment::{IndexFilter, ReadRequest, SegmentFile},
};

use super::{fixture, fixture_bytes, from_bytes, own};

const ALL: [&str; 7] = [
    "duckdb_types",
    "duckdb_rows",
    "pyarrow_types",
    "pyarrow_item_lists",
    "pyarrow_int96",
    "pyarrow_uuid",
    "pyarrow_pages",
];

/// Does with the file whatever can be done; gives the first error.
fn use_all(file: &SegmentFile) -> Result<usize> {
    let mut rows = 0;
    for strings in [Strings::Plain, Strings::Dictionary] {
        for batch in file.read(ReadRequest { strings, ..ReadRequest::all(file) })? {
            rows += batch?.num_rows();
        }
    }
    let columns = 0..file.columns().len();
    for (group, column) in
        (0..file.row_group_count()).flat_map(|group| columns.clone().map(move |column| (group, column)))
    {
        let _ = file.column_bounds(group, column);
        file.pages(group, column)?;
    }
    if let Some(position) = file.columns().iter().position(|column| column.ty.can_index()) {
        let index = own(file, &file.columns()[position].name);
        let filter = Some(IndexFilter::closed(index, 0, i128::MAX));
        file.read(ReadRequest { filter, ..ReadRequest::all(file) })?.try_for_each(|batch| batch.map(drop))?;
    }
    Ok(rows)
}

fn kind_of(bytes: &[u8]) -> Option<ErrorKind> {
    let error = from_bytes(bytes.to_vec()).and_then(|file| use_all(&file)).err()?;
    assert!(error.to_string().contains("memory.parquet"), "{error}");
    Some(error.kind())
}

#[test]
fn what_is_no_parquet_file_is_said_to_be_none() {
    let csv = b"ts,price\n2024-01-01,1.5\n2024-01-02,2.5\n";
    for (bytes, words) in [(&b""[..], "is empty"), (b"PAR1", "not a Parquet file"), (csv, "not a Parquet file")] {
        let error = from_bytes(bytes.to_vec()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn an_encrypted_file_is_unsupported() {
    let mut bytes = fixture_bytes("pyarrow_uuid");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(b"PARE");
    assert_eq!(from_bytes(bytes).unwrap_err().kind(), ErrorKind::UnsupportedFormat);
}

#[test]
fn a_cut_file_is_corrupt_wherever_it_is_cut() {
    let bytes = fixture_bytes("pyarrow_types");
    for length in (12..bytes.len()).step_by(13) {
        assert_eq!(from_bytes(bytes[..length].to_vec()).unwrap_err().kind(), ErrorKind::Corrupt, "cut at {length}");
    }
}

#[test]
fn a_footer_that_points_outside_the_file_is_corrupt() {
    let mut bytes = fixture_bytes("pyarrow_uuid");
    let end = bytes.len();
    bytes[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(from_bytes(bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    let mut short = fixture_bytes("duckdb_rows");
    short.drain(4..5000);
    assert_eq!(from_bytes(short).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn undamaged_files_pass() {
    for name in ALL {
        assert_eq!(kind_of(&fixture_bytes(name)), None, "{name}");
    }
}

#[test]
fn page_checksums_are_verified() {
    let name = "pyarrow_pages";
    let index = fixture(name).pages(0, 0).unwrap().unwrap();
    assert!(!index.is_empty());
    // The middle of the first column chunk, in a page's compressed bytes.
    let mut bytes = fixture_bytes(name);
    bytes[600] ^= 1;
    let error = from_bytes(bytes).and_then(|file| use_all(&file)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("CRC"), "{error}");
}

#[test]
fn a_reader_ends_after_an_error() {
    let mut bytes = fixture_bytes("pyarrow_pages");
    bytes[600] ^= 1;
    let file = from_bytes(bytes).unwrap();
    let mut reader = file.read(ReadRequest::all(&file)).unwrap();
    assert!(reader.by_ref().any(|batch| batch.is_err()));
    assert!(reader.next().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn flipped_bytes_never_panic(
        file in 0..ALL.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
        at_the_end in any::<bool>(),
    ) {
        let mut bytes = fixture_bytes(ALL[file]);
        // Half of the cases aim at the footer, where most decisions are made.
        let from = if at_the_end { bytes.len().saturating_sub(2500) } else { 0 };
        let length = bytes.len() - from;
        for (index, mask) in flips {
            bytes[from + index.index(length)] ^= mask;
        }
        let kind = catch_unwind(|| kind_of(&bytes));
        prop_assert!(kind.is_ok(), "a panic came through");
        let allowed = [
            None,
            Some(ErrorKind::Corrupt),
            Some(ErrorKind::InvalidArgument),
            Some(ErrorKind::LimitExceeded),
            Some(ErrorKind::SchemaMismatch),
            Some(ErrorKind::UnsupportedFormat),
        ];
        prop_assert!(allowed.contains(&kind.unwrap_or(None)));
    }
}

#[test]
fn every_page_of_a_written_file_carries_its_checksum() {
    let file = fixture("duckdb_rows");
    let columns: Vec<_> = file
        .columns()
        .iter()
        .map(|c| tstable_core::segment::WriteColumn { name: c.name.clone(), ty: c.ty.clone(), field_id: None })
        .collect();
    let options = tstable_core::segment::WriteOptions { row_group_rows: 700, ..Default::default() };
    let (_, bytes) =
        tstable_core::segment::rewrite::rewrite(&[file], &columns, "memory.parquet", Vec::new(), &options, &|| Ok(()))
            .unwrap();
    let intact = from_bytes(bytes.clone()).unwrap();
    assert!(intact.row_group_count() > 1);
    use_all(&intact).unwrap();
    // The footer begins after the page index; pages are what comes before both.
    let footer = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes.clone())).unwrap();
    let chunks: Vec<_> = footer.row_groups().iter().flat_map(|group| group.columns()).map(|c| c.byte_range()).collect();
    assert!(chunks.len() > 2);
    for (start, length) in chunks {
        for at in (start..start + length).step_by(97) {
            let mut flipped = bytes.clone();
            flipped[at as usize] ^= 0x10;
            let read = from_bytes(flipped).and_then(|file| use_all(&file));
            let kind = read.err().map(|e| e.kind());
            assert!(matches!(kind, Some(ErrorKind::Corrupt | ErrorKind::UnsupportedFormat)), "byte {at}: {kind:?}");
        }
    }
}
