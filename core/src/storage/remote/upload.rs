//! Writing an object: in one request when it is small, in parts when it is not. It is there once all of it is.

use std::{
    io::{self, Write},
    sync::Arc,
};

use object_store::{MultipartUpload, PutPayload, path::Path};

use super::Bucket;
use crate::{
    error::{Error, Result},
    storage::Staged,
};

/// Bytes of a part, of which a store takes ten thousand: an object may have 160 GB.
const PART_BYTES: usize = 16 * 1024 * 1024;

pub(super) struct Upload {
    bucket: Arc<Bucket>,
    key: String,
    buffer: Vec<u8>,
    parts: Option<Box<dyn MultipartUpload>>,
    written: u64,
}

impl Upload {
    pub(super) fn new(bucket: &Arc<Bucket>, key: String) -> Self {
        Self { bucket: Arc::clone(bucket), key, buffer: Vec::new(), parts: None, written: 0 }
    }

    fn send_part(&mut self) -> Result<()> {
        let part = PutPayload::from(std::mem::take(&mut self.buffer));
        let failed = |bucket: &Bucket, e: &object_store::Error, key: &str| bucket.failure("write", key, e);
        if self.parts.is_none() {
            let (client, path) = (self.bucket.client()?, Path::parse(&self.key).map_err(Error::internal)?);
            let parts = super::wait(async { client.put_multipart_opts(&path, Default::default()).await });
            self.parts = Some(parts.map_err(|e| failed(&self.bucket, &e, &self.key))?);
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let sent = super::wait(async { parts.put_part(part).await });
        sent.map_err(|e| failed(&self.bucket, &e, &self.key))
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART_BYTES.saturating_sub(self.buffer.len()));
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        self.written = self.written.saturating_add(taken as u64);
        if self.buffer.len() >= PART_BYTES {
            self.send_part().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Staged for Upload {
    fn finish(mut self: Box<Self>) -> Result<u64> {
        if self.parts.is_none() {
            let bytes = std::mem::take(&mut self.buffer);
            self.bucket.put(&self.key, bytes.into())?;
            return Ok(self.written);
        }
        if !self.buffer.is_empty() {
            self.send_part()?;
        }
        if let Some(parts) = &mut self.parts {
            super::wait(async { parts.complete().await }).map_err(|e| self.bucket.failure("write", &self.key, &e))?;
        }
        self.parts = None;
        Ok(self.written)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(parts) = &mut self.parts {
            // What a store keeps of it is not seen, and is for a rule of the bucket to remove.
            let _ = super::wait(async { parts.abort().await });
        }
    }
}
