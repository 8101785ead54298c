//! The part of the crate `brotli` that `parquet` needs to read. Pages are decompressed by `brotli-decompressor`, as by the crate
//! itself. Nothing here is ever written with Brotli, and the compressor that would do it is a megabyte of code and tables that no
//! linker can leave out, since `parquet` holds both directions in one table of functions.

use std::{
    io::{Error, ErrorKind, Result, Write},
    marker::PhantomData,
};

pub use brotli_decompressor::Decompressor;

/// Stands where the compressor would.
#[derive(Debug)]
pub struct CompressorWriter<W>(PhantomData<W>);

impl<W: Write> CompressorWriter<W> {
    /// A compressor that refuses whatever it is given.
    #[must_use]
    pub fn new(_writer: W, _buffer_size: usize, _quality: u32, _window_bits: u32) -> Self {
        Self(PhantomData)
    }
}

/// # Errors
/// `Unsupported`, always.
impl<W: Write> Write for CompressorWriter<W> {
    fn write(&mut self, _bytes: &[u8]) -> Result<usize> {
        Err(refused())
    }

    fn flush(&mut self) -> Result<()> {
        Err(refused())
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::Unsupported, "this build reads Brotli and does not write it")
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};

    use super::{CompressorWriter, Decompressor};

    /// What the reference compressor, as Node's `zlib.brotliCompressSync`, makes of "tstable " four times.
    const STREAM: &[u8] =
        &[0x1b, 0x1f, 0x00, 0xf8, 0x25, 0x41, 0xe6, 0xe8, 0x6a, 0x12, 0x66, 0xca, 0x01, 0x12, 0xdc, 0x02];

    #[test]
    fn a_stream_of_the_reference_compressor_is_read() {
        let mut text = String::new();
        let read = Decompressor::new(STREAM, 4_096).read_to_string(&mut text);
        assert_eq!((read.ok(), text), (Some(32), "tstable ".repeat(4)));
    }

    #[test]
    fn a_stream_that_is_cut_is_an_error() {
        let cut = STREAM.get(..STREAM.len() / 2).unwrap_or_default();
        assert!(Decompressor::new(cut, 4_096).read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn writing_is_refused() {
        let mut writer = CompressorWriter::new(Vec::new(), 4_096, 5, 22);
        assert_eq!(writer.write(b"rows").err().map(|e| e.kind()), Some(ErrorKind::Unsupported));
        assert_eq!(writer.flush().err().map(|e| e.kind()), Some(ErrorKind::Unsupported));
    }
}
