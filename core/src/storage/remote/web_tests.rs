//! See the module that is tested.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use super::{Answer, WebFile, range_of};
use crate::{
    error::ErrorKind,
    storage::{outside::OutsideFile, remote::RemoteFile},
};

/// A server of these bytes, which answers so many requests by `answer(path, range)` and then ends.
fn serve(requests: usize, answer: impl Fn(&str, Option<&str>) -> (String, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.unwrap();
            let lines: Vec<String> =
                BufReader::new(&stream).lines().map(|l| l.unwrap()).take_while(|l| !l.is_empty()).collect();
            let path = lines[0].split(' ').nth(1).unwrap().to_owned();
            let range = lines.iter().find_map(|l| l.to_ascii_lowercase().strip_prefix("range: ").map(str::to_owned));
            let (head, body) = answer(&path, range.as_deref());
            let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn contents() -> Vec<u8> {
    (0..600_000_u32).map(|i| (i % 251) as u8).collect()
}

fn part(range: &str, all: &[u8]) -> (String, Vec<u8>) {
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let (start, end) = match first {
        "" => (all.len() - last.parse::<usize>().unwrap().min(all.len()), all.len()),
        first => (first.parse().unwrap(), last.parse::<usize>().unwrap() + 1),
    };
    let body = all[start..end].to_vec();
    let head = format!(
        "206 Partial Content\r\nETag: \"a\"\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}",
        body.len(),
        end - 1,
        all.len()
    );
    (head, body)
}

#[test]
fn a_file_is_read_by_ranges_and_its_end_is_not_asked_for_twice() {
    let server = serve(2, |_, range| part(range.unwrap(), &contents()));
    let (stat, source) = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().unwrap();
    assert_eq!((stat.bytes, source.len()), (600_000, 600_000));
    assert_eq!(source.bytes_at(599_000, 1000).unwrap(), contents()[599_000..]);
    assert_eq!(source.bytes_at(10, 300_000).unwrap(), contents()[10..300_010]);
}

#[test]
fn a_server_without_ranges_is_copied_from_once() {
    let server = serve(1, |_, _| (format!("200 OK\r\nContent-Length: {}", contents().len()), contents()));
    let (_, source) = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().unwrap();
    assert_eq!(source.bytes_at(0, 600_000).unwrap(), contents());
}

/// Nothing but the contents tells that one file took the place of another, of as many bytes: between any two requests it may.
#[test]
fn parts_that_a_server_does_not_tell_from_those_of_other_contents_are_not_put_together() {
    let date = "Sat, 01 Jun 2024 00:00:00 GMT";
    for said in
        ["X: y", "ETag: W/\"a\"", &format!("Last-Modified: {date}\r\nDate: {date}"), &format!("Last-Modified: {date}")]
    {
        let said = said.to_owned();
        let server = serve(2, move |_, range| match range {
            Some(range) => {
                let (head, body) = part(range, &contents());
                (head.replace("ETag: \"a\"", &said), body)
            }
            None => (format!("200 OK\r\n{said}\r\nContent-Length: {}", contents().len()), contents()),
        });
        let path = format!("{server}/x.parquet");
        // Two requests are answered, however often the file is read.
        let (file, source) = OutsideFile::open(Path::new(&path)).unwrap();
        for source in [source, file.reopen().unwrap(), file.reopen().unwrap()] {
            assert_eq!(source.bytes_at(0, 600_000).unwrap(), contents());
        }
        file.check_unchanged().unwrap();
    }
}

#[test]
fn a_server_that_says_when_a_file_changed_last_is_asked_for_parts() {
    let server = serve(2, |_, range| {
        let (head, body) = part(range.unwrap(), &contents());
        let said = "Last-Modified: Sat, 01 Jun 2024 00:00:00 GMT\r\nDate: Sat, 01 Jun 2024 00:00:01 GMT";
        (head.replace("ETag: \"a\"", said), body)
    });
    let (_, source) = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().unwrap();
    assert_eq!(source.bytes_at(10, 300_000).unwrap(), contents()[10..300_010]);
}

#[test]
fn a_server_that_knows_no_ranges_from_the_end_is_copied_from() {
    let server = serve(2, |_, range| match range {
        Some(_) => ("416 Range Not Satisfiable\r\nContent-Length: 0".to_owned(), Vec::new()),
        None => (format!("200 OK\r\nContent-Length: {}", contents().len()), contents()),
    });
    let (_, source) = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().unwrap();
    assert_eq!(source.bytes_at(0, 600_000).unwrap(), contents());
}

#[test]
fn an_answer_that_ends_early_is_asked_for_again_and_then_told() {
    for status in ["200 OK", "206 Partial Content\r\nContent-Range: bytes 0-599999/600000"] {
        let server = serve(4, move |_, _| (format!("{status}\r\nContent-Length: 600000"), contents()[..1000].to_vec()));
        let e = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().err().unwrap();
        assert!(e.to_string().contains("ended early"), "{e}");
    }
}

#[test]
fn a_redirect_is_followed_and_one_without_end_is_not() {
    let server = serve(2, |path, range| match path {
        "/old" => ("302 Found\r\nLocation: /new\r\nContent-Length: 0".to_owned(), Vec::new()),
        _ => part(range.unwrap(), &contents()),
    });
    assert!(matches!(WebFile::at(&format!("{server}/old")).unwrap().end(), Ok(Answer::Part(_))));
    let server = serve(50, |_, _| ("302 Found\r\nLocation: /again\r\nContent-Length: 0".to_owned(), Vec::new()));
    let e = WebFile::at(&format!("{server}/old")).unwrap().end().err().unwrap();
    assert!(e.to_string().contains("without an end"), "{e}");
}

#[test]
fn what_a_server_refuses_is_told_with_its_address() {
    for (status, kind, words) in [
        ("404 Not Found", ErrorKind::NotFound, "no such file"),
        ("403 Forbidden", ErrorKind::Io, "sends no credentials"),
        ("418 Teapot", ErrorKind::Io, "answers 418"),
    ] {
        let server = serve(1, move |_, _| (format!("{status}\r\nContent-Length: 0"), Vec::new()));
        let e = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().err().unwrap();
        assert_eq!(e.kind(), kind);
        assert!(e.to_string().contains(words) && e.to_string().contains(&server), "{e}");
    }
}

#[test]
fn contents_that_change_while_they_are_read_are_a_conflict() {
    let server = serve(2, |_, range| {
        let range = range.unwrap();
        let (head, body) = part(range, &contents());
        (if range.starts_with("bytes=-") { head } else { head.replace("\"a\"", "\"b\"") }, body)
    });
    let (_, source) = RemoteFile::at(&format!("{server}/x.parquet")).unwrap().open().unwrap();
    assert_eq!(source.bytes_at(0, 100).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn addresses_that_hold_a_secret_or_are_open_to_all_are_refused_without_it() {
    for (address, words) in [
        ("https://h/x.parquet?sig=SECRET", "a query"),
        ("https://user:SECRET@h/x.parquet", "password"),
        ("http://example.org/x.parquet", "use https://"),
        ("https://h/*.parquet", "a pattern"),
        ("https:///x.parquet", "address"),
        ("https://h/a b.parquet", "%20"),
    ] {
        let e = RemoteFile::at(address).unwrap_err().to_string();
        assert!(e.contains(words) && !e.contains("SECRET"), "{address}: {e}");
    }
    assert_eq!(range_of("bytes 0-9/10"), Some((0, 10, 10)));
    assert_eq!(range_of("bytes 0-10/10"), None);
}
