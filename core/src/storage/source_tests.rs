//! Both sources agree on every read.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use super::*;
use crate::ErrorKind;

fn both(bytes: &[u8]) -> (tempfile::NamedTempFile, Vec<Box<dyn Source>>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let sources: Vec<Box<dyn Source>> =
        vec![Box::new(FileSource::open(path).unwrap()), Box::new(MemorySource::new("m", bytes.to_vec()))];
    (file, sources)
}

#[test]
fn reads_any_range_inside_the_file() {
    let (_file, sources) = both(b"0123456789");
    for source in sources {
        assert_eq!(source.len(), 10);
        let mut buffer = [0; 4];
        source.read_at(3, &mut buffer).unwrap();
        assert_eq!(&buffer, b"3456");
        assert_eq!(source.bytes_at(0, 10).unwrap().as_ref(), b"0123456789");
        assert_eq!(source.bytes_at(10, 0).unwrap().as_ref(), b"");
    }
}

#[test]
fn a_read_past_the_end_is_corrupt_and_names_the_file() {
    let (_file, sources) = both(b"0123456789");
    for source in sources {
        for (offset, length) in [(8, 3), (11, 1), (u64::MAX, 2)] {
            let error = source.bytes_at(offset, length).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains(source.path()), "{error}");
        }
        assert_eq!(source.read_at(8, &mut [0; 3]).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_missing_file_is_not_found_and_a_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none").to_str().unwrap().to_owned();
    assert_eq!(FileSource::open(missing).unwrap_err().kind(), ErrorKind::NotFound);
    let folder = folder.path().to_str().unwrap().to_owned();
    assert_eq!(FileSource::open(folder).unwrap_err().kind(), ErrorKind::InvalidArgument);
}
