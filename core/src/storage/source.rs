//! Random access to the bytes of one immutable file, on disk or in memory. Knows nothing of what the bytes mean.

use std::{fmt, fs::File, io, sync::Arc};

use bytes::Bytes;

use crate::error::{Error, Result};

/// Random access to an immutable file.
///
/// Implementations may be read from several threads at once; every read is independent of all others.
pub trait Source: Send + Sync + fmt::Debug {
    /// The file's length in bytes.
    fn len(&self) -> u64;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// `Corrupt` when the file ends before the buffer is full, `Io` when the system refuses.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// `length` bytes from `offset` on; shared with the source, not copied, where it has them in memory.
    ///
    /// # Errors
    /// As [`Source::read_at`].
    fn bytes_at(&self, offset: u64, length: usize) -> Result<Bytes> {
        let end = u64::try_from(length).ok().and_then(|length| offset.checked_add(length));
        if end.is_none_or(|end| end > self.len()) {
            return Err(past_end(self.path(), self.len(), offset, length));
        }
        let mut buffer = vec![0; length];
        self.read_at(offset, &mut buffer)?;
        Ok(buffer.into())
    }

    /// The path, for messages.
    fn path(&self) -> &str;
}

/// Some of the bytes of a file, to be read when they are asked for.
#[derive(Debug, Clone)]
pub struct Part {
    /// The file, kept open: it can be read even when its name is gone.
    pub source: Arc<dyn Source>,
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
}

impl Part {
    /// The bytes.
    ///
    /// # Errors
    /// As [`Source::bytes_at`].
    pub fn bytes(&self) -> Result<Bytes> {
        self.source.bytes_at(self.offset, usize::try_from(self.length).unwrap_or(usize::MAX))
    }
}

/// A file of the operating system, opened once.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
    path: String,
}

impl FileSource {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// `NotFound` when there is none, `InvalidArgument` for a directory, `Io` when it cannot be opened.
    pub fn open(path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        Self::from_file(file, path)
    }

    /// Takes a file that is open already; `path` is for messages.
    ///
    /// # Errors
    /// `InvalidArgument` for a directory, `Io` when the system does not tell the length.
    pub fn from_file(file: File, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let metadata = file.metadata().map_err(|error| Error::io("open", &path, error))?;
        if metadata.is_dir() {
            return Err(Error::invalid_argument(format!("'{path}' is a directory, not a file")));
        }
        Ok(Self { file, len: metadata.len(), path })
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let length = buffer.len();
        read_exact_at(&self.file, offset, buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => past_end(&self.path, self.len, offset, length),
            _ => Error::io("read", &self.path, error),
        })
    }

    fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                offset = offset.saturating_add(read as u64);
                buffer = buffer.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Bytes in memory under a name.
#[derive(Clone)]
pub struct MemorySource {
    bytes: Bytes,
    path: Arc<str>,
}

impl MemorySource {
    /// The `bytes` under the name `path`, which need not exist.
    pub fn new(path: impl Into<Arc<str>>, bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), path: path.into() }
    }

    fn slice(&self, offset: u64, length: usize) -> Result<Bytes> {
        let range = usize::try_from(offset).ok().and_then(|start| Some(start..start.checked_add(length)?));
        match range {
            Some(range) if range.end <= self.bytes.len() => Ok(self.bytes.slice(range)),
            _ => Err(past_end(&self.path, self.len(), offset, length)),
        }
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySource").field("path", &self.path).field("len", &self.bytes.len()).finish()
    }
}

impl Source for MemorySource {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        buffer.copy_from_slice(&self.slice(offset, buffer.len())?);
        Ok(())
    }

    fn bytes_at(&self, offset: u64, length: usize) -> Result<Bytes> {
        self.slice(offset, length)
    }

    fn path(&self) -> &str {
        &self.path
    }
}

pub(super) fn past_end(path: &str, len: u64, offset: u64, length: usize) -> Error {
    Error::corrupt(format!(
        "'{path}' has {len} bytes, but {length} bytes from offset {offset} are needed; the file is cut or its metadata is wrong"
    ))
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
